// SPDX-License-Identifier: GPL-2.0-only
#include "kern/iface.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "kern/link.h"
#include "kern/object.h"
#include "kern/pin.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <fw/names.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RECORD_PIN "info"
#define RECORD_MAP "fw_iface"

static void dir_name(char out[PIN_NAME_MAX], unsigned int ifindex)
{
	snprintf(out, PIN_NAME_MAX, "%c%u", IFACE_PREFIX, ifindex);
}

static void counters_name(char out[PIN_NAME_MAX], enum fw_hook hook, uint32_t id)
{
	snprintf(out, PIN_NAME_MAX, "%s_c%u", attach_word(hook), id);
}

void iface_close(struct iface *f)
{
	if (f->dir >= 0)
		close(f->dir);
	if (f->record_fd >= 0)
		close(f->record_fd);
	f->dir = f->record_fd = -1;
}

void ifaces_fini(struct ifaces *list)
{
	for (size_t i = 0; i < list->n; i++)
		iface_close(&list->v[i]);
	vec_fini(list);
}

static int record_check(const struct iface *f, struct fail *fail)
{
	const struct iface_record *r = &f->rec;
	struct fail why = {};

	if (r->magic != IFACE_MAGIC || r->ifindex != f->ifindex || r->name[IFNAMSIZ - 1] || r->policy[sizeof(r->policy) - 1] ||
	    slots_check_name(r->policy, &why))
		return fail_set(fail, -EBADMSG, "pin i%u/" RECORD_PIN " is damaged: remove the directory i%u", f->ifindex, f->ifindex);
	if (r->version != IFACE_VERSION)
		return fail_set(fail, -EPROTO, "pin i%u/" RECORD_PIN " was written by another version of fwctl (%u, not %u)", f->ifindex,
				r->version, IFACE_VERSION);
	for (int h = 0; h < FW_HOOK_COUNT; h++)
		if (r->hook[h].nmaps > IFACE_MAX_MAPS || r->hook[h].mode > KERN_MODE_GENERIC || r->hook[h].link > KERN_LINK_DISPATCHER ||
		    (r->hook[h].present && !r->hook[h].nmaps))
			return fail_set(fail, -EBADMSG, "pin i%u/" RECORD_PIN " is damaged: remove the directory i%u", f->ifindex,
					f->ifindex);
	return 0;
}

static int iface_open(int ns_dir, const char *dir, unsigned int ifindex, bool here, struct fail *fail, struct iface *ret)
{
	const struct pin_want want = {.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = sizeof(struct iface_record),
				      .max_entries = 1, .name = RECORD_MAP};
	struct iface f = {.ifindex = ifindex, .dir = -1, .record_fd = -1};
	struct pin_map map;
	uint32_t zero = 0;
	int err;

	err = pin_open_dir(ns_dir, dir, false, dir, fail, &f.dir);
	if (err)
		return err;
	err = pin_get_map(f.dir, RECORD_PIN, &want, fail, &map);
	if (!err) {
		f.record_fd = map.fd;
		err = bpf_map_lookup_elem(f.record_fd, &zero, &f.rec);
		err = err ? fail_set(fail, err, "cannot read pin %s/" RECORD_PIN ": %s", dir, strerror(-err)) : record_check(&f, fail);
	} else if (err == -ENOENT) {
		err = 0;
	}
	if (err) {
		iface_close(&f);
		return err;
	}
	f.here = here && link_name(ifindex, f.name);
	if (!f.here)
		memcpy(f.name, f.rec.name, IFNAMSIZ);
	*ret = f;
	return 0;
}

int iface_list(int ns_dir, bool here, struct fail *fail, struct ifaces *ret)
{
	struct ifaces list = {};
	struct pin_names names;
	int err = pin_list(ns_dir, &names);

	if (err)
		return fail_set(fail, err, "cannot read the state directory: %s", strerror(-err));
	for (size_t i = 0; !err && i < names.n; i++) {
		const char *name = names.v[i];
		unsigned int ifindex = 0;
		char canonical[PIN_NAME_MAX];
		struct iface f;

		if (name[0] != IFACE_PREFIX || sscanf(name + 1, "%u", &ifindex) != 1)
			continue;
		dir_name(canonical, ifindex);
		if (strcmp(name, canonical))
			continue;
		err = iface_open(ns_dir, name, ifindex, here, fail, &f);
		if (!err && vec_push(&list, f)) {
			iface_close(&f);
			err = fail_set(fail, -ENOMEM, "no memory");
		}
	}
	pin_names_fini(&names);
	if (err) {
		ifaces_fini(&list);
		return err;
	}
	*ret = list;
	return 0;
}

int iface_new(int ns_dir, unsigned int ifindex, const char *name, struct fail *fail, struct iface *ret)
{
	struct iface f = {.ifindex = ifindex, .dir = -1, .record_fd = -1, .here = true};
	char dir[PIN_NAME_MAX];
	int err;

	dir_name(dir, ifindex);
	err = pin_open_dir(ns_dir, dir, true, dir, fail, &f.dir);
	if (err)
		return err;
	f.rec = (struct iface_record){.magic = IFACE_MAGIC, .version = IFACE_VERSION, .ifindex = ifindex};
	snprintf(f.rec.name, sizeof(f.rec.name), "%s", name);
	memcpy(f.name, f.rec.name, IFNAMSIZ);
	*ret = f;
	return 0;
}

int iface_save(struct iface *f, struct fail *fail)
{
	bool fresh = f->record_fd < 0;
	uint32_t zero = 0;
	int err = 0;

	if (fresh)
		err = map_new_record(RECORD_MAP, sizeof(f->rec), fail, &f->record_fd);
	if (err)
		return err;
	err = bpf_map_update_elem(f->record_fd, &zero, &f->rec, BPF_ANY);
	if (err)
		err = fail_set(fail, err, "cannot write the record of interface %u: %s", f->ifindex, strerror(-err));
	else if (fresh)
		err = pin_put(f->dir, RECORD_PIN, f->record_fd, fail);
	if (err && fresh) {
		close(f->record_fd);
		f->record_fd = -1;
	}
	return err;
}

int iface_pin_counters(struct iface *f, enum fw_hook hook, int fd, uint32_t *ret_id, struct fail *fail)
{
	char name[PIN_NAME_MAX];
	uint32_t id = 0;
	int err = map_id(fd, fail, &id);

	if (err)
		return err;
	counters_name(name, hook, id);
	err = pin_put(f->dir, name, fd, fail);
	if (!err)
		*ret_id = id;
	return err;
}

int iface_open_counters(const struct iface *f, enum fw_hook hook, size_t index, struct fail *fail, int *ret_fd, uint32_t *ret_slots)
{
	const struct pin_want want = {.type = BPF_MAP_TYPE_PERCPU_ARRAY, .key_size = 4, .value_size = sizeof(struct fw_cell),
				      .name = FW_MAP_COUNTERS};
	uint32_t id = f->rec.hook[hook].map_id[index];
	char name[PIN_NAME_MAX];
	struct pin_map map;
	int err;

	counters_name(name, hook, id);
	err = pin_get_map(f->dir, name, &want, fail, &map);
	if (err == -ENOENT)
		return fail_set(fail, err, "counters of interface %u are gone (pin %s)", f->ifindex, name);
	if (err)
		return err;
	if (map.id != id) {
		close(map.fd);
		return fail_set(fail, -EEXIST, "pin %s is not fwctl's: it is map %u", name, map.id);
	}
	*ret_fd = map.fd;
	*ret_slots = map.max_entries;
	return 0;
}

struct attach iface_attach(const struct iface *f, enum fw_hook hook)
{
	const struct iface_hook *h = &f->rec.hook[hook];

	return (struct attach){.dir = f->dir, .ifindex = f->ifindex, .ifname = f->name, .hook = hook, .link = h->link, .mode = h->mode,
			       .priority = h->priority};
}

static bool record_names(const struct iface *f, enum fw_hook hook, const char *pin)
{
	const struct iface_hook *h = &f->rec.hook[hook];
	char name[PIN_NAME_MAX];

	for (uint32_t i = 0; f->record_fd >= 0 && h->present && i < h->nmaps; i++) {
		counters_name(name, hook, h->map_id[i]);
		if (!strcmp(name, pin))
			return true;
	}
	return false;
}

/* Counter maps of a hook that the record does not name. */
static bool is_counters_of(enum fw_hook hook, const char *pin)
{
	char start[PIN_NAME_MAX];
	size_t len = snprintf(start, sizeof(start), "%s_c", attach_word(hook));

	return !strncmp(pin, start, len);
}

int iface_sweep(struct iface *f, struct fail *fail)
{
	struct pin_names names;
	int err = pin_list(f->dir, &names);

	if (err)
		return fail_set(fail, err, "cannot read the directory of interface %u: %s", f->ifindex, strerror(-err));
	for (enum fw_hook h = 0; !err && h < FW_HOOK_COUNT; h++) {
		struct attach a = iface_attach(f, h);
		bool strays = false;

		/* Whoever attaches pins the counters first, so their pin leads to every attachment. */
		for (size_t i = 0; i < names.n; i++)
			strays = strays || (is_counters_of(h, names.v[i]) && !record_names(f, h, names.v[i]));
		if (strays && !(f->record_fd >= 0 && f->rec.hook[h].present))
			err = attach_remove(&a, fail);
		for (size_t i = 0; !err && i < names.n; i++)
			if (is_counters_of(h, names.v[i]) && !record_names(f, h, names.v[i]))
				pin_drop(f->dir, names.v[i]);
	}
	pin_names_fini(&names);
	return err;
}

int iface_remove(int ns_dir, struct iface *f, bool elsewhere, struct fail *fail)
{
	struct pin_names names;
	char dir[PIN_NAME_MAX];
	int err = 0;

	pin_drop(f->dir, RECORD_PIN);
	for (enum fw_hook h = 0; !err && h < FW_HOOK_COUNT; h++) {
		struct attach a = iface_attach(f, h);

		a.elsewhere = elsewhere;
		err = attach_remove(&a, fail);
	}
	if (err)
		return err;
	err = pin_list(f->dir, &names);
	if (err)
		return fail_set(fail, err, "cannot read the directory of interface %u: %s", f->ifindex, strerror(-err));
	for (size_t i = 0; i < names.n; i++)
		pin_drop(f->dir, names.v[i]);
	pin_names_fini(&names);
	dir_name(dir, f->ifindex);
	if (unlinkat(ns_dir, dir, AT_REMOVEDIR) && errno != ENOENT)
		return fail_set(fail, -errno, "cannot remove %s: %s", dir, strerror(errno));
	return 0;
}

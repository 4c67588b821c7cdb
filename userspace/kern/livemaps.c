// SPDX-License-Identifier: GPL-2.0-only
#include "kern/livemaps.h"

#include "base/cleanup.h"
#include "kern/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#define REGISTRY_PIN "registry"
#define INFO_PIN "info"
#define EDITS_PIN "edits"
#define EDIT_PIN "edit"

static const char *const pins[SHARED_LIVES] = {"ctl", "filter", "host4", "host6", "net4", "net6", "count"};

/* entries 0: however many there are. */
static struct pin_want want_of(size_t i, uint32_t entries)
{
	enum object_shared m = SHARED_TABLES + i;
	struct pin_want want = {.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = sizeof(struct fw_live), .max_entries = entries,
				.flags = BPF_F_NO_PREALLOC, .name = object_shared_name(m)};

	switch (m) {
	case SHARED_LIVE_CTL:
	case SHARED_LIVE_FILTER:
		want.type = BPF_MAP_TYPE_ARRAY;
		want.flags = BPF_F_MMAPABLE;
		want.max_entries = 1;
		want.value_size = m == SHARED_LIVE_CTL ? sizeof(struct fw_live_ctl) : sizeof(struct fw_live_filter);
		break;
	case SHARED_LIVE_HOST6:
		want.key_size = 16;
		break;
	case SHARED_LIVE_NET4:
	case SHARED_LIVE_NET6:
		want.type = BPF_MAP_TYPE_LPM_TRIE;
		want.key_size = m == SHARED_LIVE_NET4 ? 8 : 20;
		break;
	case SHARED_LIVE_COUNT:
		want.type = BPF_MAP_TYPE_PERCPU_HASH;
		want.key_size = sizeof(struct fw_live_count_key);
		want.value_size = sizeof(struct fw_counter);
		break;
	default:
		break;
	}
	return want;
}

static struct pin_want want_info(uint32_t entries)
{
	return (struct pin_want){.type = BPF_MAP_TYPE_HASH, .key_size = sizeof(struct live_info_key),
				 .value_size = sizeof(struct live_info), .max_entries = entries, .flags = BPF_F_NO_PREALLOC,
				 .name = "fw_live_info"};
}

static struct pin_want want_one(const char *name, size_t size)
{
	return (struct pin_want){.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = (uint32_t)size, .max_entries = 1,
				 .flags = BPF_F_MMAPABLE, .name = name};
}

static struct pin_want want_registry(void)
{
	return want_one("fw_live_names", sizeof(struct live_registry));
}

static struct pin_want want_edits(void)
{
	return want_one(FW_MAP_EDITS, sizeof(struct fw_edits));
}

static int open_shared(int dir, struct table *t, struct fail *fail)
{
	for (size_t i = 0; i < SHARED_LIVES; i++) {
		const struct pin_want want = want_of(i, 0);
		struct pin_map map;
		int err = pin_get_map(dir, pins[i], &want, fail, &map);

		if (err == -ENOENT && !fail->err)
			return fail_set(fail, err, "a map of the live sets (pin %s) is missing; unload all policies of this namespace, "
						   "and load them again", pins[i]);
		if (err)
			return err;
		t[i] = (struct table){.fd = map.fd, .id = map.id, .entries = map.max_entries, .value_size = map.value_size};
	}
	return 0;
}

int livemaps_open(int ns_dir, struct table *t, struct fail *fail)
{
	auto_close int dir = -1;
	int err = pin_open_dir(ns_dir, LIVEMAPS_DIR, false, LIVEMAPS_DIR, fail, &dir);

	err = err ?: open_shared(dir, t, fail);
	return err == -ENOENT && !fail->err ? 0 : err;
}

void live_maps_init(struct live_maps *m)
{
	*m = (struct live_maps){.info_fd = -1, .registry_fd = -1, .edits_fd = -1, .edit_fd = -1};
	tables_init(m->shared, SHARED_LIVES);
}

void live_maps_close(struct live_maps *m)
{
	const int fds[] = {m->info_fd, m->registry_fd, m->edits_fd, m->edit_fd};

	map_unshare(m->ctl, sizeof(*m->ctl));
	map_unshare(m->filter, sizeof(*m->filter));
	map_unshare(m->registry, sizeof(*m->registry));
	map_unshare(m->edits, sizeof(*m->edits));
	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	tables_close(m->shared, SHARED_LIVES);
	live_maps_init(m);
}

static int share_all(struct live_maps *m, struct fail *fail)
{
	int err = map_share(live_map(m, SHARED_LIVE_CTL)->fd, sizeof(*m->ctl), m->write, fail, (void **)&m->ctl);

	err = err ?: map_share(m->registry_fd, sizeof(*m->registry), m->write, fail, (void **)&m->registry);
	/* The filter is 2 MB of pages: its user maps it (live_edit.c). */
	if (!err && m->write)
		err = map_share(m->edits_fd, sizeof(*m->edits), true, fail, (void **)&m->edits);
	return err;
}

static int open_map(int dir, const char *pin, struct pin_want want, struct fail *fail, int *ret_fd)
{
	struct pin_map map;
	int err = pin_get_map(dir, pin, &want, fail, &map);

	if (!err)
		*ret_fd = map.fd;
	return err;
}

int live_maps_open_as(int ns_dir, const char *name, bool write, struct fail *fail, struct live_maps *ret)
{
	struct live_maps m;
	auto_close int dir = -1;
	int err = pin_open_dir(ns_dir, name, false, name, fail, &dir);

	live_maps_init(&m);
	m.write = write;
	err = err ?: open_map(dir, REGISTRY_PIN, want_registry(), fail, &m.registry_fd);
	if (err)
		return err;
	err = open_shared(dir, m.shared, fail);
	err = err ?: open_map(dir, INFO_PIN, want_info(0), fail, &m.info_fd);
	if (!err && write) {
		err = open_map(dir, EDITS_PIN, want_edits(), fail, &m.edits_fd);
		err = err ?: pin_get_prog(dir, EDIT_PIN, fail, &m.edit_fd);
	}
	err = err ?: share_all(&m, fail);
	if (!err && (m.registry->magic != LIVE_REGISTRY_MAGIC || m.registry->version != LIVE_REGISTRY_VERSION))
		err = fail_set(fail, -EPROTO, "the live sets of this namespace were made by another version of fwctl; unload all policies");
	if (err) {
		live_maps_close(&m);
		return err == -ENOENT && !fail->err ?
			       fail_set(fail, err, "a part of the live sets is missing; unload all policies of this namespace, "
						   "and load them again") :
			       err;
	}
	*ret = m;
	return 0;
}

int live_maps_open(int ns_dir, bool write, struct fail *fail, struct live_maps *ret)
{
	return live_maps_open_as(ns_dir, LIVEMAPS_DIR, write, fail, ret);
}

static int new_maps(struct live_maps *m, uint32_t capacity, struct fail *fail)
{
	const struct pin_want info = want_info(capacity), registry = want_registry(), edits = want_edits();
	int err = 0;

	for (size_t i = 0; !err && i < SHARED_LIVES; i++) {
		const struct pin_want want = want_of(i, capacity);

		err = map_new_as(&want, fail, &m->shared[i].fd);
		err = err ?: map_id(m->shared[i].fd, fail, &m->shared[i].id);
		m->shared[i].entries = want.max_entries;
		m->shared[i].value_size = want.value_size;
	}
	err = err ?: map_new_as(&info, fail, &m->info_fd);
	err = err ?: map_new_as(&registry, fail, &m->registry_fd);
	return err ?: map_new_as(&edits, fail, &m->edits_fd);
}

/* The registry last: a directory without it is what a killed command left. */
static int pin_all(const struct live_maps *m, int dir, struct fail *fail)
{
	int err = 0;

	for (size_t i = 0; !err && i < SHARED_LIVES; i++)
		err = pin_put(dir, pins[i], m->shared[i].fd, fail);
	err = err ?: pin_put(dir, INFO_PIN, m->info_fd, fail);
	err = err ?: pin_put(dir, EDITS_PIN, m->edits_fd, fail);
	err = err ?: pin_put(dir, EDIT_PIN, m->edit_fd, fail);
	return err ?: pin_put(dir, REGISTRY_PIN, m->registry_fd, fail);
}

int live_maps_make(int ns_dir, const char *name, uint32_t capacity, struct fail *fail, struct live_maps *ret)
{
	struct live_maps m;
	auto_close int dir = -1;
	int err;

	live_maps_init(&m);
	m.write = true;
	err = new_maps(&m, capacity, fail);
	err = err ?: share_all(&m, fail);
	err = err ?: live_prog_load(&m, fail, &m.edit_fd);
	if (!err) {
		memset(m.ctl->place, FW_LIVE_NOWHERE, sizeof(m.ctl->place));
		m.registry->magic = LIVE_REGISTRY_MAGIC;
		m.registry->version = LIVE_REGISTRY_VERSION;
		m.registry->capacity = capacity;
	}
	if (!err && ns_dir >= 0) {
		err = live_maps_remove_as(ns_dir, name, fail);
		err = err ?: pin_open_dir(ns_dir, name, true, name, fail, &dir);
		err = err ?: pin_all(&m, dir, fail);
	}
	if (err) {
		live_maps_close(&m);
		return err;
	}
	*ret = m;
	return 0;
}

int live_maps_remove_as(int ns_dir, const char *name, struct fail *fail)
{
	struct pin_names names;
	auto_close int dir = -1;
	int err = pin_open_dir(ns_dir, name, false, name, fail, &dir);

	if (err)
		return err == -ENOENT && !fail->err ? 0 : err;
	pin_drop(dir, REGISTRY_PIN);
	err = pin_list(dir, &names);
	if (err)
		return fail_set(fail, err, "cannot read the directory of live sets: %s", strerror(-err));
	for (size_t i = 0; i < names.n; i++)
		pin_drop(dir, names.v[i]);
	pin_names_fini(&names);
	if (unlinkat(ns_dir, name, AT_REMOVEDIR) && errno != ENOENT)
		return fail_set(fail, -errno, "cannot remove the directory of live sets: %s", strerror(errno));
	return 0;
}

int live_maps_remove(int ns_dir, struct fail *fail)
{
	int err = live_maps_remove_as(ns_dir, LIVEMAPS_NEXT, fail);

	return err ?: live_maps_remove_as(ns_dir, LIVEMAPS_DIR, fail);
}

/* An estimate, with what the kernel keeps beside key and value. */
size_t live_maps_bytes(const struct live_maps *m)
{
	size_t buckets = m->registry->capacity * (size_t)16 * 4; /* host4, host6, count, info */
	size_t elements = (size_t)m->ctl->hosts + m->ctl->prefixes;

	return sizeof(*m->ctl) + sizeof(*m->filter) + sizeof(*m->edits) + buckets + elements * (sizeof(struct fw_live) + 64);
}

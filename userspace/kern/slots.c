// SPDX-License-Identifier: GPL-2.0-only
#include "kern/slots.h"

#include "base/cleanup.h"
#include "kern/clock.h"
#include "kern/livemaps.h"
#include "kern/pin.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <fw/names.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CTL_PIN "ctl"
#define SLOT_MIN (512u << 10) /* room for small policies to become larger ones without new programs */
#define SLOT_HEAD sizeof(struct fw_image)
#define SLOT_BLOCK 4096 /* what is compared, and written when it differs */

int slots_check_name(const char *name, struct fail *fail)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	size_t len = strlen(name);

	if (len && len <= SLOTS_NAME_MAX && strchr(letters, name[0]) && strspn(name, "0123456789-abcdefghijklmnopqrstuvwxyz"
										 "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == len)
		return 0;
	return fail_set(fail, -EINVAL, "a policy's name has 1 to %d letters, digits, \"_\" or \"-\" and starts with a letter or \"_\"",
			SLOTS_NAME_MAX);
}

static size_t slot_size(size_t len)
{
	size_t size = SLOT_MIN;

	while (size < len)
		size <<= 1;
	return size;
}

static void slot_close(struct slot *s)
{
	map_unshare(s->data, s->mapped);
	map_unshare(s->meta, s->meta_len);
	map_unshare(s->head, SLOT_HEAD);
	if (s->fd >= 0)
		close(s->fd);
	*s = (struct slot){.fd = -1};
}

void slots_close(struct slots *p)
{
	slot_close(&p->slot[0]);
	slot_close(&p->slot[1]);
	tables_close(p->shared, SHARED_COUNT);
	map_unshare(p->ctl, sizeof(*p->ctl));
	if (p->ctl_fd >= 0)
		close(p->ctl_fd);
	if (p->dir >= 0)
		close(p->dir);
	p->ctl = NULL;
	p->ctl_fd = p->dir = -1;
}

static struct slots slots_empty(const char *name)
{
	struct slots p = {.dir = -1, .ns = -1, .ctl_fd = -1, .slot = {{.fd = -1}, {.fd = -1}}};

	snprintf(p.name, sizeof(p.name), "%s", name);
	tables_init(p.shared, SHARED_COUNT);
	return p;
}

static int slot_new(unsigned int index, size_t len, struct fail *fail, struct slot *ret)
{
	struct slot s = {.fd = -1, .size = slot_size(len), .write = true};
	int err = map_new_slot(index, s.size, fail, &s.fd);

	err = err ?: map_id(s.fd, fail, &s.id);
	err = err ?: map_share(s.fd, SLOT_HEAD, true, fail, (void **)&s.head);
	if (err) {
		slot_close(&s);
		return err;
	}
	*ret = s;
	return 0;
}

int slots_new(const char *name, size_t len, size_t idle_len, struct fail *fail, struct slots *ret)
{
	struct slots p = slots_empty(name);
	int err;

	if (len > FW_MAX_IMAGE)
		return fail_set(fail, -E2BIG, "the rules take %zu bytes; the limit is %u", len, FW_MAX_IMAGE);
	err = map_new_ctl(fail, &p.ctl_fd);
	err = err ?: map_id(p.ctl_fd, fail, &p.ctl_id);
	err = err ?: map_share(p.ctl_fd, sizeof(*p.ctl), true, fail, (void **)&p.ctl);
	for (unsigned int i = 0; !err && i < 2; i++)
		err = slot_new(i, i ? idle_len : len, fail, &p.slot[i]);
	if (!err) {
		*p.ctl = (struct fw_ctl){.abi = FW_ABI_VERSION, .map_id = {p.slot[0].id, p.slot[1].id}};
		err = clock_start(p.ctl, fail);
	}
	if (err) {
		slots_close(&p);
		return err;
	}
	*ret = p;
	return 0;
}

static void dir_name(char out[PIN_NAME_MAX], const char *policy)
{
	snprintf(out, PIN_NAME_MAX, SLOTS_PREFIX "%s", policy);
}

static void slot_name(char out[PIN_NAME_MAX], uint32_t id)
{
	snprintf(out, PIN_NAME_MAX, "s%u", id);
}

/* ctl comes last: a directory without it is what a killed command left, and nothing uses it. */
int slots_pin(struct slots *p, int ns_dir, struct fail *fail)
{
	char name[PIN_NAME_MAX];
	int err;

	p->ns = ns_dir;
	dir_name(name, p->name);
	err = pin_open_dir(ns_dir, name, true, name, fail, &p->dir);
	for (int i = 0; !err && i < 2; i++) {
		slot_name(name, p->slot[i].id);
		err = pin_put(p->dir, name, p->slot[i].fd, fail);
	}
	err = err ?: tables_pin(p->shared, p->dir, fail);
	return err ?: pin_put(p->dir, CTL_PIN, p->ctl_fd, fail);
}

static int slot_open(struct slots *p, unsigned int index, bool write, struct fail *fail)
{
	const struct pin_want want = {.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .max_entries = 1, .flags = BPF_F_MMAPABLE,
				      .name = index ? FW_MAP_SLOT1 : FW_MAP_SLOT0};
	struct slot *s = &p->slot[index];
	char name[PIN_NAME_MAX];
	struct pin_map map;
	int err;

	slot_name(name, p->ctl->map_id[index]);
	err = pin_get_map(p->dir, name, &want, fail, &map);
	if (err == -ENOENT)
		return fail_set(fail, -ENOENT, "policy %s: its rules' map (pin %s) is missing; unload it", p->name, name);
	if (err)
		return err;
	s->fd = map.fd;
	s->id = map.id;
	s->size = map.value_size - FW_SLOT_PAD;
	if (map.value_size <= FW_SLOT_PAD || (s->size & (s->size - 1)) || s->size < SLOT_MIN || s->id != p->ctl->map_id[index]) {
		s->size = map.value_size;
		return fail_set(fail, -EEXIST, "policy %s: pin %s is not fwctl's: map %u of %u bytes", p->name, name, map.id,
				map.value_size);
	}
	s->write = write;
	return map_share(s->fd, SLOT_HEAD, write, fail, (void **)&s->head);
}

int slots_open(int ns_dir, const char *name, bool write, struct fail *fail, struct slots *ret)
{
	const struct pin_want want = {.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = sizeof(struct fw_ctl), .max_entries = 1,
				      .flags = BPF_F_MMAPABLE, .name = FW_MAP_CTL};
	struct slots p = slots_empty(name);
	char dir[PIN_NAME_MAX];
	struct pin_map map;
	int err;

	p.ns = ns_dir;
	dir_name(dir, name);
	err = pin_open_dir(ns_dir, dir, false, dir, fail, &p.dir);
	err = err ?: pin_get_map(p.dir, CTL_PIN, &want, fail, &map);
	if (!err) {
		p.ctl_fd = map.fd;
		p.ctl_id = map.id;
		err = map_share(p.ctl_fd, sizeof(*p.ctl), write, fail, (void **)&p.ctl);
	}
	if (!err && p.ctl->abi != FW_ABI_VERSION)
		err = fail_set(fail, -EPROTO,
			       "policy %s was loaded by another version of fwctl (format %u, not %u); unload it with that one", name,
			       p.ctl->abi, FW_ABI_VERSION);
	for (unsigned int i = 0; !err && i < 2; i++)
		err = slot_open(&p, i, write, fail);
	err = err ?: tables_open(p.shared, p.ctl, p.dir, fail);
	if (!err && p.ctl->features & FW_FEAT_LIVE)
		err = livemaps_open(ns_dir, p.shared + SHARED_TABLES, fail);
	if (err) {
		slots_close(&p);
		return err;
	}
	*ret = p;
	return 0;
}

int slots_remove(int ns_dir, const char *name, struct fail *fail)
{
	char dir_pin[PIN_NAME_MAX];
	struct pin_names names;
	auto_close int dir = -1;
	int err;

	dir_name(dir_pin, name);
	err = pin_open_dir(ns_dir, dir_pin, false, dir_pin, fail, &dir);
	if (err)
		return err == -ENOENT ? 0 : err;
	pin_drop(dir, CTL_PIN);
	err = pin_list(dir, &names);
	if (err)
		return fail_set(fail, err, "cannot read %s: %s", dir_pin, strerror(-err));
	for (size_t i = 0; i < names.n; i++)
		if (pin_drop(dir, names.v[i]))
			unlinkat(dir, names.v[i], AT_REMOVEDIR); /* a tap's (tap.h), which learns by this that it is over */
	pin_names_fini(&names);
	if (unlinkat(ns_dir, dir_pin, AT_REMOVEDIR) && errno != ENOENT)
		return fail_set(fail, -errno, "cannot remove %s: %s", dir_pin, strerror(errno));
	return 0;
}

/* The first len bytes, in our memory until slots_close. */
static int slot_map(struct slot *s, size_t len, struct fail *fail)
{
	void *at;
	int err;

	if (s->data && s->mapped >= len)
		return 0;
	err = map_share(s->fd, len, s->write, fail, &at);
	if (err)
		return err;
	map_unshare(s->data, s->mapped);
	s->data = at;
	s->mapped = len;
	return 0;
}

const struct fw_image *slots_live_header(const struct slots *p)
{
	const struct slot *s = &p->slot[slots_live_index(p)];
	const struct fw_image *hdr = s->head;

	return hdr->magic == FW_IMAGE_MAGIC && hdr->abi == FW_ABI_VERSION && hdr->total_len <= s->size ? hdr : NULL;
}

static int slots_damaged(const struct slots *p, const char *why, struct fail *fail)
{
	return fail_set(fail, -EBADMSG, "the rules of policy %s in the kernel are damaged (%s); load them anew", p->name, why);
}

int slots_live_whole(struct slots *p, struct fail *fail, const struct fw_image **ret)
{
	struct slot *s = &p->slot[slots_live_index(p)];
	const struct fw_image *hdr = slots_live_header(p);
	const char *why = "its header";
	int err = hdr ? slot_map(s, hdr->total_len, fail) : 0;

	if (err)
		return err;
	if (!hdr || image_check(s->data, s->mapped, &why))
		return slots_damaged(p, why, fail);
	*ret = (const struct fw_image *)s->data;
	return 0;
}

int slots_live(struct slots *p, struct fail *fail, const struct fw_image **ret)
{
	struct slot *s = &p->slot[slots_live_index(p)];
	const struct fw_image *hdr = slots_live_header(p);
	const char *why = "its header";
	size_t from;
	int err;

	if (!hdr || hdr->check != image_header_check(hdr))
		return slots_damaged(p, why, fail);
	from = image_meta_start(hdr);
	if (!s->meta) {
		err = map_share_ends(s->fd, SLOT_HEAD, from < hdr->total_len ? from : 0, hdr->total_len, fail, (void **)&s->meta);
		if (err)
			return err;
		s->meta_len = hdr->total_len;
	}
	if (image_check_meta(s->meta, s->meta_len, &why))
		return slots_damaged(p, why, fail);
	*ret = (const struct fw_image *)s->meta;
	return 0;
}

/*
 * Reading two pages and finding them equal costs a fifth of writing one, and a change of rules seldom touches more than some
 * pages of large tables.
 */
static size_t write_changes(uint8_t *to, const uint8_t *from, size_t len)
{
	size_t written = 0;

	for (size_t at = 0; at < len; at += SLOT_BLOCK) {
		size_t n = len - at < SLOT_BLOCK ? len - at : SLOT_BLOCK;

		if (!memcmp(to + at, from + at, n))
			continue;
		memcpy(to + at, from + at, n);
		written += n;
	}
	return written;
}

int slots_write(struct slots *p, unsigned int index, const struct image *img, uint64_t generation, struct fail *fail,
		size_t *ret_written)
{
	struct slot *s = &p->slot[index];
	int err = slot_map(s, img->len, fail);

	if (err)
		return err;
	/* Another image has its names elsewhere. */
	map_unshare(s->meta, s->meta_len);
	s->meta = NULL;
	*ret_written = write_changes(s->data, img->data, img->len);
	s->head->generation = generation;
	return 0;
}

void slots_mark_free(struct slots *p, unsigned int index)
{
	p->slot[index].head->magic = 0;
}

bool slots_marked_free(const struct slots *p, unsigned int index)
{
	return !p->slot[index].head->magic;
}

void slots_switch(struct slots *p, unsigned int index)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	__atomic_store_n(&p->ctl->live, index, __ATOMIC_SEQ_CST);
}

int slots_grow(struct slots *p, size_t len, struct fail *fail)
{
	unsigned int idle = !slots_live_index(p);
	struct slot s;
	char name[PIN_NAME_MAX];
	int err;

	if (len > FW_MAX_IMAGE)
		return fail_set(fail, -E2BIG, "the rules take %zu bytes; the limit is %u", len, FW_MAX_IMAGE);
	err = slot_new(idle, len, fail, &s);
	if (err)
		return err;
	slot_name(name, s.id);
	err = pin_put(p->dir, name, s.fd, fail);
	if (err) {
		slot_close(&s);
		return err;
	}
	/* The old one keeps its pin until no program reads it (slots_sweep). */
	p->ctl->map_id[idle] = s.id;
	slot_close(&p->slot[idle]);
	p->slot[idle] = s;
	return 0;
}

int slots_sweep(struct slots *p)
{
	char keep[2][PIN_NAME_MAX];
	struct pin_names names;
	int err = pin_list(p->dir, &names);

	if (err)
		return err;
	slot_name(keep[0], p->ctl->map_id[0]);
	slot_name(keep[1], p->ctl->map_id[1]);
	for (size_t i = 0; i < names.n; i++)
		if ((names.v[i][0] == 's' && strcmp(names.v[i], keep[0]) && strcmp(names.v[i], keep[1])) ||
		    tables_stray(names.v[i], p->ctl))
			pin_drop(p->dir, names.v[i]);
	pin_names_fini(&names);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Which live sets there are. */
#include "kern/live.h"
#include "kern/pin.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static int id_of(const struct live_maps *m, const char *name)
{
	for (int id = 0; id < FW_MAX_LIVE; id++)
		if (live_exists(m, (uint32_t)id) && !strcmp(m->registry->set[id].name, name))
			return id;
	return -1;
}

static int free_id(const struct live_maps *m)
{
	for (int id = 0; id < FW_MAX_LIVE; id++)
		if (!live_exists(m, (uint32_t)id))
			return id;
	return -1;
}

/* What a set is, where its elements are. The count stays. */
static void place_write(struct live_maps *m, unsigned int place, const struct fw_live_ref *ref)
{
	struct fw_live_place *at = &m->ctl->at[place];

	__atomic_store_n(&at->timeout_ns, ref->timeout_ns, __ATOMIC_RELAXED);
	__atomic_store_n(&at->flags, ref->flags, __ATOMIC_RELAXED);
	__atomic_store_n(&at->size, ref->size, __ATOMIC_RELEASE);
}

static void name_write(struct live_name *n, const struct fw_live_ref *ref)
{
	n->size = ref->size;
	n->flags = ref->flags;
	n->timeout_ns = ref->timeout_ns;
}

static int set_new(struct live_maps *m, const struct fw_live_ref *ref, const char *name, struct fail *fail, uint32_t *ret_id)
{
	unsigned int place = livesets_free_place(m);
	int id = free_id(m);
	struct live_name *n;

	if (id < 0 || place == FW_LIVE_NOWHERE)
		return fail_set(fail, -ENOSPC, "set %s: a network namespace has at most %u live sets at a time; unload a policy that has "
				"others, or name fewer", name, FW_MAX_LIVE);
	n = &m->registry->set[id];
	m->ctl->at[place] = (struct fw_live_place){};
	place_write(m, place, ref);
	n->used = 0;
	if (livesets_info_drop(m, (uint32_t)id, fail))
		return fail->err;
	name_write(n, ref);
	n->added_ns = 0;
	snprintf(n->name, sizeof(n->name), "%s", name);
	__atomic_store_n(&n->used, 1, __ATOMIC_RELEASE);
	__atomic_store_n(&m->ctl->place[id], (uint8_t)place, __ATOMIC_SEQ_CST);
	*ret_id = (uint32_t)id;
	return 0;
}

/* Room for all sets, those of the image as it has them. And for the largest once more: it may be replaced. */
static uint64_t room_wanted(const struct live_maps *m, const struct fw_image *img)
{
	uint64_t sum = 0, most = 0, size;
	size_t n;
	const struct fw_live_ref *ref = image_live(img, &n);

	for (size_t i = 0; i < n; i++) {
		sum += ref[i].size;
		most = ref[i].size > most ? ref[i].size : most;
	}
	for (uint32_t id = 0; m && id < FW_MAX_LIVE; id++) {
		bool named = false;

		for (size_t i = 0; i < n; i++)
			named = named || !strcmp(m->registry->set[id].name, image_str(img, ref[i].name));
		size = live_exists(m, id) && !named ? m->registry->set[id].size : 0;
		sum += size;
		most = size > most ? size : most;
	}
	return sum + most;
}

static uint32_t capacity_for(uint64_t room)
{
	uint64_t n = LIVEMAPS_LEAST;

	while (n < room)
		n <<= 1;
	return n > 2ull * FW_MAX_LIVE_SIZE ? 2 * FW_MAX_LIVE_SIZE : (uint32_t)n;
}

/* Who publishes has made room (livesets_room). */
static int check_room(const struct live_maps *m, const struct fw_image *img, struct fail *fail)
{
	uint64_t room = room_wanted(m, img);

	if (room <= m->registry->capacity)
		return 0;
	return fail_set(fail, -ENOSPC, "the live sets want room for %llu elements (all sizes, and the largest once more to "
			"replace it); there is room for %u: give them smaller sizes", (unsigned long long)room, m->registry->capacity);
}

int livesets_room(struct slots *p, int ns_dir, struct ifaces *list, const struct fw_image *img, struct fail *fail)
{
	struct live_maps m;
	uint64_t room;
	size_t n;
	int err;

	image_live(img, &n);
	if (!n)
		return 0;
	err = live_maps_open(ns_dir, true, fail, &m);
	if (err)
		return err == -ENOENT && !fail->err ? 0 : err;
	room = room_wanted(&m, img);
	err = capacity_for(room) > m.registry->capacity; /* all that there may ever be: the claim will say so */
	live_maps_close(&m);
	return err ? livesets_grow(ns_dir, p, list, capacity_for(room), fail) : 0;
}

static int open_or_make(int ns_dir, struct live_maps *own, const struct fw_image *img, struct fail *fail)
{
	int err = -ENOENT;

	if (own->registry)
		return check_room(own, img, fail);
	if (ns_dir >= 0)
		err = live_maps_open(ns_dir, true, fail, own);
	if (err == -ENOENT && !fail->err)
		return live_maps_make(ns_dir, LIVEMAPS_DIR, capacity_for(room_wanted(NULL, img)), fail, own);
	return err ?: check_room(own, img, fail);
}

/* The policy's programs get the maps, by descriptors of its own. */
static int lend(struct slots *p, const struct live_maps *m, struct fail *fail)
{
	for (size_t i = 0; i < SHARED_LIVES; i++) {
		struct table *to = &p->shared[SHARED_TABLES + i];
		int fd = fcntl(m->shared[i].fd, F_DUPFD_CLOEXEC, 0);

		if (fd < 0)
			return fail_set(fail, -errno, "too many open files");
		table_close(to);
		*to = m->shared[i];
		to->fd = fd;
	}
	__atomic_fetch_or(&p->ctl->features, FW_FEAT_LIVE, __ATOMIC_SEQ_CST);
	return 0;
}

static int assign(struct live_maps *m, struct image *img, struct fail *fail)
{
	uint32_t ids[FW_MAX_LIVE] = {};
	size_t n;
	const struct fw_live_ref *ref = image_live(image_hdr(img), &n);
	int err = 0;

	for (size_t i = 0; !err && i < n && i < FW_MAX_LIVE; i++) {
		const char *name = image_str(image_hdr(img), ref[i].name);
		int id = id_of(m, name);

		ids[i] = (uint32_t)id;
		if (id < 0)
			err = set_new(m, &ref[i], name, fail, &ids[i]);
	}
	if (!err)
		image_assign_live(img, ids);
	return err;
}

int livesets_claim(struct slots *p, int ns_dir, struct live_maps *own, struct image *img, struct fail *fail)
{
	struct live_maps opened, *m = own ?: &opened;
	size_t n;
	int err;

	image_live(image_hdr(img), &n);
	if (!n)
		return 0;
	if (!own)
		live_maps_init(&opened);
	err = open_or_make(ns_dir, m, image_hdr(img), fail);
	err = err ?: livesets_clear_dirt(m, fail);
	err = err ?: assign(m, img, fail);
	err = err ?: lend(p, m, fail);
	if (!own)
		live_maps_close(&opened);
	return err;
}

int livesets_settle(int ns_dir, struct live_maps *own, const struct image *img, struct fail *fail)
{
	struct live_maps opened, *m = own ?: &opened;
	size_t n;
	const struct fw_live_ref *ref = image_live(image_hdr(img), &n);
	int err = 0;

	if (!n)
		return 0;
	if (!own)
		err = live_maps_open(ns_dir, true, fail, &opened);
	if (err)
		return err == -ENOENT && !fail->err ? fail_set(fail, err, "the live sets are gone; apply the rules again") : err;
	for (size_t i = 0; i < n; i++) {
		if (!live_exists(m, ref[i].id))
			continue;
		name_write(&m->registry->set[ref[i].id], &ref[i]);
		place_write(m, live_place(m, ref[i].id), &ref[i]);
	}
	if (!own)
		live_maps_close(&opened);
	return 0;
}

/* Ids that the policies of a namespace name. A policy that cannot be read may name any. */
static int ids_named(int ns_dir, struct fail *fail, bool named[FW_MAX_LIVE], size_t *ret_policies)
{
	struct pin_names names;
	int err = pin_list(ns_dir, &names);

	*ret_policies = 0;
	if (err)
		return fail_set(fail, err, "cannot read the state directory");
	for (size_t i = 0; i < names.n; i++) {
		const struct fw_live_ref *ref;
		const struct fw_image *live;
		struct fail ignored = {};
		struct slots p;
		size_t n;

		if (strncmp(names.v[i], SLOTS_PREFIX, strlen(SLOTS_PREFIX)))
			continue;
		++*ret_policies;
		if (slots_open(ns_dir, names.v[i] + strlen(SLOTS_PREFIX), false, &ignored, &p)) {
			memset(named, true, FW_MAX_LIVE * sizeof(*named));
			continue;
		}
		if (slots_live(&p, &ignored, &live)) {
			memset(named, true, FW_MAX_LIVE * sizeof(*named));
		} else {
			ref = image_live(live, &n);
			for (size_t j = 0; j < n; j++)
				if (ref[j].id < FW_MAX_LIVE)
					named[ref[j].id] = true;
		}
		slots_close(&p);
	}
	pin_names_fini(&names);
	return 0;
}

static int forget_unnamed(struct live_maps *m, const bool named[FW_MAX_LIVE], struct fail *fail)
{
	bool any = false;
	int err = 0;

	for (uint32_t id = 0; id < FW_MAX_LIVE; id++) {
		struct live_name *n = &m->registry->set[id];

		if (named[id] || (!n->used && m->ctl->place[id] == FW_LIVE_NOWHERE))
			continue;
		__atomic_store_n(&m->ctl->place[id], FW_LIVE_NOWHERE, __ATOMIC_SEQ_CST);
		err = err ?: livesets_info_drop(m, id, fail);
		__atomic_store_n(&n->used, 0, __ATOMIC_RELEASE);
		any = true;
	}
	return err ?: any ? livesets_clear_dirt(m, fail) : 0;
}

int livesets_forget(int ns_dir, struct fail *fail)
{
	bool named[FW_MAX_LIVE] = {};
	struct live_maps m;
	size_t policies;
	int err = live_maps_open(ns_dir, true, fail, &m);

	/* Nothing, or half of it. */
	if (err)
		return err == -ENOENT && !fail->err ? live_maps_remove(ns_dir, fail) : err;
	err = ids_named(ns_dir, fail, named, &policies);
	err = err ?: policies ? forget_unnamed(&m, named, fail) : live_maps_remove(ns_dir, fail);
	live_maps_close(&m);
	return err;
}

int livesets_tidy(int ns_dir, struct fail *fail)
{
	struct fail why = {};
	struct live_maps m;
	int err = live_maps_open(ns_dir, true, &why, &m);

	/* What cannot be read is the business of the command that needs it. */
	if (err)
		return 0;
	err = livesets_clear_dirt(&m, fail);
	live_maps_close(&m);
	return err;
}

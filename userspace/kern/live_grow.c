// SPDX-License-Identifier: GPL-2.0-only
/*
 * Larger maps for the live sets of a namespace. Programs know maps by what they were loaded with, so:
 *
 *   1  larger maps pinned beside, as live_next, with a copy of all elements     a kill leaves the old; a sweep removes live_next
 *   2  the two directories change names, in one step                            from here on the new maps are the namespace's
 *   3  every program of every policy that has live sets is loaded anew          a kill leaves some that ask the old maps: a
 *      and swapped in, and nobody runs an old one any more                      sweep goes on from here
 *   4  what rules added to the old maps meanwhile is added to the new ones      likewise
 *   5  live_next, which is the old one, removed
 *
 * So whatever a directory live_next is left, it says by its size what it is. Commands wait for the lock all the time, and a packet
 * meets the same elements before and after, but for what a rule bans between 2 and 4: that takes hold on each hook with 4 at the
 * latest. Counters of elements begin anew from what they were at 1.
 */
#include "kern/hooks.h"
#include "kern/live.h"
#include "kern/pin.h"
#include "kern/rim.h"
#include "kern/wait.h"

#include "base/cleanup.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define COPY 4096u /* elements at once */

/* Elements of a batch that live on, and what they are counted as. */
static uint32_t tally(struct fw_live_ctl *ctl, bool host, bool v6, uint8_t *keys, size_t key_size, struct fw_live *v, uint32_t n)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (!(v[i].members & FW_LIVE_MEMBERS) || v[i].members & FW_LIVE_DEAD)
			continue;
		for (unsigned int place = 0; place < FW_LIVE_PLACES; place++)
			ctl->at[place].count += v[i].members >> place & 1;
		ctl->hosts += host;
		ctl->prefixes += !host;
		ctl->wide6 += !host && v6 && v[i].plen < 32;
		memmove(keys + kept * key_size, keys + i * key_size, key_size);
		v[kept++] = v[i];
	}
	return kept;
}

static int copy_map(const struct live_maps *from, struct live_maps *to, enum object_shared which, size_t key_size, size_t value_size)
{
	bool host = which == SHARED_LIVE_HOST4 || which == SHARED_LIVE_HOST6, first = true;
	auto_free uint8_t *keys = malloc(COPY * key_size), *values = malloc(COPY * value_size);
	uint8_t token[sizeof(struct live_info_key)] = {};
	int err = keys && values ? 0 : -ENOMEM, fd = which == SHARED_COUNT ? from->info_fd : live_map(from, which)->fd;
	int to_fd = which == SHARED_COUNT ? to->info_fd : live_map(to, which)->fd;

	while (!err) {
		uint32_t n = COPY;
		int last = bpf_map_lookup_batch(fd, first ? NULL : token, token, keys, values, &n, NULL);

		if (last && last != -ENOENT)
			return last;
		first = false;
		if (which < SHARED_LIVE_COUNT)
			n = tally(to->ctl, host, which == SHARED_LIVE_HOST6 || which == SHARED_LIVE_NET6, keys, key_size,
				  (struct fw_live *)values, n);
		if (n)
			err = bpf_map_update_batch(to_fd, keys, values, &n, NULL);
		if (last)
			break;
	}
	return err;
}

static int copy_all(struct live_maps *from, struct live_maps *to, struct fail *fail)
{
	size_t counter = sizeof(struct fw_counter) * (size_t)libbpf_num_possible_cpus();
	uint32_t capacity = to->registry->capacity;
	int err = livesets_filter_share(from, fail);

	err = err ?: livesets_filter_share(to, fail);
	if (err)
		return err;
	*to->registry = *from->registry;
	to->registry->capacity = capacity;
	*to->ctl = *from->ctl;
	to->ctl->hosts = to->ctl->prefixes = to->ctl->wide6 = 0;
	for (unsigned int place = 0; place < FW_LIVE_PLACES; place++)
		to->ctl->at[place].count = 0;
	err = copy_map(from, to, SHARED_LIVE_HOST4, 4, sizeof(struct fw_live));
	err = err ?: copy_map(from, to, SHARED_LIVE_HOST6, 16, sizeof(struct fw_live));
	err = err ?: copy_map(from, to, SHARED_LIVE_NET4, 8, sizeof(struct fw_live));
	err = err ?: copy_map(from, to, SHARED_LIVE_NET6, 20, sizeof(struct fw_live));
	err = err ?: copy_map(from, to, SHARED_LIVE_COUNT, sizeof(struct fw_live_count_key), counter);
	err = err ?: copy_map(from, to, SHARED_COUNT, sizeof(struct live_info_key), sizeof(struct live_info));
	/* The elements first: bits of the filter that come after them are those of step 4. */
	memcpy(to->filter, from->filter, sizeof(*to->filter));
	return err ? fail_set(fail, err, "cannot copy the live sets: %s", strerror(-err)) : 0;
}

struct late {
	const struct live_founds *list;
	unsigned int place;
};

static void late_one(void *ctx, size_t i, struct fw_edit *e)
{
	const struct late *l = ctx;
	const struct live_found *f = &l->list->v[i];

	*e = (struct fw_edit){.op = FW_EDIT_ADD, .place = (uint8_t)l->place, .flags = FW_EDITF_RULE, .l3 = f->l3, .plen = f->plen,
			      .end_ns = f->end_ns};
	memcpy(e->addr, f->addr, sizeof(e->addr));
}

/* Step 4. The later end counts, so what is there already stays as it is. */
static int copy_late(const struct live_maps *from, struct live_maps *to, struct fail *fail)
{
	int err = 0;

	for (uint32_t id = 0; !err && id < FW_MAX_LIVE; id++) {
		struct live_founds list = {};
		struct live_batch batch;
		unsigned int place = live_place(to, id);
		struct late l = {.list = &list, .place = place};

		if (place == FW_LIVE_NOWHERE)
			continue;
		err = livesets_walk(from, place, &list, fail);
		err = err ?: livesets_edit(to, list.n, late_one, &l, false, &batch, fail);
		free(list.v);
	}
	return err;
}

static int reload_policy(struct slots *p, struct ifaces *list, struct fail *fail)
{
	const struct fw_image *live;
	uint32_t nslots[FW_DIR_COUNT];
	bool reloaded;
	int err = slots_live(p, fail, &live);

	if (err)
		return err;
	hooks_slots(live, nslots);
	return hooks_reload(p, list, nslots, fail, &reloaded);
}

/* Step 3. mine: a policy that is open already; NULL: none. */
static int reload_all(int ns_dir, struct slots *mine, struct ifaces *list, struct fail *fail)
{
	struct pin_names names;
	int err = pin_list(ns_dir, &names);

	if (err)
		return fail_set(fail, err, "cannot read the state directory");
	for (size_t i = 0; !err && i < names.n; i++) {
		const char *name = names.v[i] + strlen(SLOTS_PREFIX);
		struct fail ignored = {};
		struct slots p;

		if (strncmp(names.v[i], SLOTS_PREFIX, strlen(SLOTS_PREFIX)))
			continue;
		if (mine && !strcmp(name, mine->name)) {
			tables_close(mine->shared + SHARED_TABLES, SHARED_LIVES);
			if (mine->ctl->features & FW_FEAT_LIVE)
				err = livemaps_open(ns_dir, mine->shared + SHARED_TABLES, fail);
			err = err ?: reload_policy(mine, list, fail);
			continue;
		}
		/* A damaged policy is the business of the command that needs it. */
		if (slots_open(ns_dir, name, true, &ignored, &p))
			continue;
		if (p.ctl->features & FW_FEAT_LIVE)
			err = reload_policy(&p, list, fail);
		slots_close(&p);
	}
	pin_names_fini(&names);
	return err ?: wait_programs(fail);
}

/* Steps 3 to 5. */
static int finish(int ns_dir, struct slots *mine, struct ifaces *list, const struct live_maps *old, struct live_maps *next,
		  struct fail *fail)
{
	int err = reload_all(ns_dir, mine, list, fail);

	err = err ?: copy_late(old, next, fail);
	return err ?: live_maps_remove_as(ns_dir, LIVEMAPS_NEXT, fail);
}

int livesets_grow(int ns_dir, struct slots *mine, struct ifaces *list, uint32_t capacity, struct fail *fail)
{
	struct live_maps old, next;
	int err;

	live_maps_init(&next);
	err = live_maps_open(ns_dir, true, fail, &old);
	if (err)
		return err;
	err = live_maps_make(ns_dir, LIVEMAPS_NEXT, capacity, fail, &next);
	err = err ?: copy_all(&old, &next, fail);
	if (!err && renameat2(ns_dir, LIVEMAPS_NEXT, ns_dir, LIVEMAPS_DIR, RENAME_EXCHANGE))
		err = fail_set(fail, -errno, "cannot put larger maps in the place of the live sets: %s", strerror(errno));
	if (err)
		live_maps_remove_as(ns_dir, LIVEMAPS_NEXT, &(struct fail){});
	else
		err = finish(ns_dir, mine, list, &old, &next, fail);
	live_maps_close(&old);
	live_maps_close(&next);
	return err;
}

int livesets_resume(int ns_dir, struct ifaces *list, struct fail *fail)
{
	struct live_maps old, now;
	struct fail why = {};
	int err = live_maps_open_as(ns_dir, LIVEMAPS_NEXT, true, &why, &old);

	if (err)
		return live_maps_remove_as(ns_dir, LIVEMAPS_NEXT, fail);
	err = live_maps_open(ns_dir, true, &why, &now);
	if (err || old.registry->capacity >= now.registry->capacity) {
		live_maps_close(&old);
		if (!err)
			live_maps_close(&now);
		return live_maps_remove_as(ns_dir, LIVEMAPS_NEXT, fail);
	}
	err = finish(ns_dir, NULL, list, &old, &now, fail);
	live_maps_close(&old);
	live_maps_close(&now);
	return err;
}

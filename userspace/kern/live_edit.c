// SPDX-License-Identifier: GPL-2.0-only
/* Edits of live sets: batches for the program that makes them (<fw/edit.h>), and what is made of batches. */
#include "kern/clock.h"
#include "kern/live.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <endian.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#define TRIES 8       /* of edits that met a rule's, or for which there was no memory at that moment */
#define WALK 4096u    /* elements read at once */
#define VALUE_MAX sizeof(struct fw_live)
#define KEY_MAX 20u

static void mark(uint64_t *bits, size_t n)
{
	__atomic_fetch_or(&bits[n / 64], 1ull << n % 64, __ATOMIC_RELAXED);
}

/* Before an element is there. */
static void filter_add(struct fw_live_filter *f, const struct fw_edit *e)
{
	uint64_t first;
	uint32_t net, n;

	if (e->l3 == FW_L3_IPV4) {
		net = ntohl(e->addr[0]) >> 8;
		n = e->plen >= 24 ? 1 : 1u << (24 - e->plen);
		if (n < 64)
			for (uint32_t i = 0; i < n; i++)
				mark((uint64_t *)f->net4, net + i);
		else
			for (uint32_t i = 0; i < n / 64; i++)
				__atomic_store_n(&f->net4[net / 64 + i], ~0ull, __ATOMIC_RELAXED);
		return;
	}
	memcpy(&first, e->addr, sizeof(first));
	first = be64toh(first);
	if (e->plen >= 64)
		mark((uint64_t *)f->net6[0], FW_LIVE_HASH6(first) & (FW_LIVE_FILTER6 - 1));
	else if (e->plen >= 32)
		mark((uint64_t *)f->net6[1], FW_LIVE_HASH6(first >> 32) & (FW_LIVE_FILTER6 - 1));
}

static int run(struct live_maps *m, uint32_t n, struct fail *fail)
{
	uint8_t frame[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame), .repeat = 1);
	int err;

	m->edits->n = n;
	m->edits->now_ns = clock_now_ns();
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	err = bpf_prog_test_run_opts(m->edit_fd, &opts);
	if (!err && opts.retval != XDP_PASS)
		err = -EIO;
	return err ? fail_set(fail, err, "cannot edit live sets: %s", strerror(-err)) : 0;
}

/* Run the batch again without the edits that are done, as long as some may fare better. at[]: which edit of the batch is which. */
static int run_to_end(struct live_maps *m, uint32_t n, uint8_t result[FW_EDITS], struct fail *fail)
{
	uint16_t at[FW_EDITS];
	int err = 0;

	for (uint32_t i = 0; i < n; i++)
		at[i] = (uint16_t)i;
	for (int t = 0; n && !err && t < TRIES; t++) {
		uint32_t again = 0;

		err = run(m, n, fail);
		for (uint32_t i = 0; !err && i < n; i++) {
			uint8_t r = m->edits->v[i].result;

			result[at[i]] = r > FW_EDIT_AGAIN ? FW_EDIT_NO_ROOM : r;
			if (r != FW_EDIT_AGAIN && r != FW_EDIT_NO_ROOM)
				continue;
			m->edits->v[again] = m->edits->v[i];
			at[again++] = at[i];
		}
		n = again;
	}
	return err;
}

int livesets_filter_share(struct live_maps *m, struct fail *fail)
{
	return m->filter ? 0 : map_share(live_map(m, SHARED_LIVE_FILTER)->fd, sizeof(*m->filter), true, fail, (void **)&m->filter);
}

int livesets_edit(struct live_maps *m, size_t n, void (*what)(void *ctx, size_t i, struct fw_edit *e), void *ctx, bool stop_when_full,
	      struct live_batch *ret, struct fail *fail)
{
	uint8_t result[FW_EDITS];
	int err = m->write ? 0 : fail_set(fail, -EPERM, "the live sets are open for reading");

	*ret = (struct live_batch){.first_full = SIZE_MAX};
	for (size_t done = 0, now; !err && done < n; done += now) {
		now = n - done < FW_EDITS ? n - done : FW_EDITS;
		for (size_t i = 0; !err && i < now; i++) {
			struct fw_edit *e = &m->edits->v[i];

			*e = (struct fw_edit){};
			what(ctx, done + i, e);
			if (e->op != FW_EDIT_ADD)
				continue;
			err = livesets_filter_share(m, fail);
			if (!err)
				filter_add(m->filter, e);
		}
		err = err ?: run_to_end(m, (uint32_t)now, result, fail);
		for (size_t i = 0; !err && i < now; i++) {
			bool full = result[i] != FW_EDIT_NOTHING && result[i] != FW_EDIT_DONE;

			ret->result[result[i]]++;
			if (full && ret->first_full == SIZE_MAX)
				ret->first_full = done + i;
		}
		if (stop_when_full && ret->first_full != SIZE_MAX)
			break;
	}
	return err;
}

/* One map, a batch of elements after the other. */
static int walk_map(const struct live_maps *m, enum object_shared which, unsigned int place, struct live_founds *out, uint8_t *keys,
		    struct fw_live *values)
{
	bool host = which == SHARED_LIVE_HOST4 || which == SHARED_LIVE_HOST6;
	bool v4 = which == SHARED_LIVE_HOST4 || which == SHARED_LIVE_NET4;
	uint32_t key_size = which == SHARED_LIVE_HOST4 ? 4 : which == SHARED_LIVE_HOST6 ? 16 : which == SHARED_LIVE_NET4 ? 8 : 20;
	uint8_t token[KEY_MAX] = {};
	bool first = true;
	int err;

	do {
		uint32_t n = WALK;

		err = bpf_map_lookup_batch(live_map(m, which)->fd, first ? NULL : token, token, keys, values, &n, NULL);
		if (err && err != -ENOENT)
			return err;
		first = false;
		for (uint32_t i = 0; i < n; i++) {
			struct live_found f = {.l3 = v4 ? FW_L3_IPV4 : FW_L3_IPV6, .plen = (uint8_t)values[i].plen,
					       .members = values[i].members, .end_ns = values[i].end_ns[place]};

			if (!(f.members & 1ull << place))
				continue;
			if (host)
				f.plen = v4 ? 32 : 128;
			memcpy(f.addr, keys + i * key_size + (host ? 0 : 4), v4 ? 4 : 16);
			if (vec_push(out, f))
				return -ENOMEM;
		}
	} while (!err);
	return 0;
}

int livesets_walk(const struct live_maps *m, unsigned int place, struct live_founds *ret, struct fail *fail)
{
	auto_free uint8_t *keys = malloc(WALK * KEY_MAX);
	auto_free struct fw_live *values = malloc(WALK * VALUE_MAX);
	uint32_t left = __atomic_load_n(&m->ctl->at[place].count, __ATOMIC_RELAXED);
	struct live_founds out = {};
	int err = keys && values ? 0 : -ENOMEM;

	for (enum object_shared s = SHARED_LIVE_HOST4; !err && left && s <= SHARED_LIVE_NET6; s++) {
		bool host = s == SHARED_LIVE_HOST4 || s == SHARED_LIVE_HOST6;

		if (host ? m->ctl->hosts : m->ctl->prefixes)
			err = walk_map(m, s, place, &out, keys, values);
	}
	if (err) {
		vec_fini(&out);
		return fail_set(fail, err, "cannot read the live sets: %s", strerror(-err));
	}
	*ret = out;
	return 0;
}

struct clear {
	const struct live_founds *list;
	unsigned int place;
	uint8_t op;
};

static void clear_one(void *ctx, size_t i, struct fw_edit *e)
{
	const struct clear *c = ctx;
	const struct live_found *f = &c->list->v[i];

	*e = (struct fw_edit){.op = c->op, .place = (uint8_t)c->place, .l3 = f->l3, .plen = f->plen};
	memcpy(e->addr, f->addr, sizeof(e->addr));
}

int livesets_clear(struct live_maps *m, unsigned int place, bool ended, size_t *ret_n, struct fail *fail)
{
	struct live_founds list = {};
	struct clear c = {.list = &list, .place = place, .op = ended ? FW_EDIT_REAP : FW_EDIT_DEL};
	uint64_t now = clock_now_ns();
	struct live_batch batch = {};
	int err = livesets_walk(m, place, &list, fail);
	size_t n = 0;

	for (size_t i = 0; !err && ended && i < list.n; i++)
		if (list.v[i].end_ns <= now)
			list.v[n++] = list.v[i];
	if (ended)
		list.n = n;
	err = err ?: livesets_edit(m, list.n, clear_one, &c, false, &batch, fail);
	vec_fini(&list);
	if (!err && ret_n)
		*ret_n = batch.result[FW_EDIT_DONE];
	return err;
}

static bool place_named(const struct live_maps *m, unsigned int place)
{
	for (uint32_t id = 0; id < FW_MAX_LIVE; id++)
		if (live_place(m, id) == place)
			return true;
	return false;
}

int livesets_clear_dirt(struct live_maps *m, struct fail *fail)
{
	int err = 0;

	for (unsigned int place = 0; !err && place < FW_LIVE_PLACES; place++)
		if (!place_named(m, place) && m->ctl->at[place].count)
			err = livesets_clear(m, place, false, NULL, fail);
	return err;
}

unsigned int livesets_free_place(const struct live_maps *m)
{
	for (unsigned int place = 0; place < FW_LIVE_PLACES; place++)
		if (!place_named(m, place) && !m->ctl->at[place].count)
			return place;
	return FW_LIVE_NOWHERE;
}

/* Keys of a set among all infos; what is deleted while one walks ends the walk, so first all, then those. */
int livesets_info_drop(const struct live_maps *m, uint32_t id, struct fail *fail)
{
	struct {
		struct live_info_key *v;
		size_t n, cap;
	} list = {};
	auto_free struct live_info_key *keys = malloc(WALK * sizeof(*keys));
	auto_free struct live_info *values = malloc(WALK * sizeof(*values));
	uint32_t token = 0;
	bool first = true;
	int err = keys && values ? 0 : -ENOMEM;

	while (!err) {
		uint32_t n = WALK;

		err = bpf_map_lookup_batch(m->info_fd, first ? NULL : &token, &token, keys, values, &n, NULL);
		if (err && err != -ENOENT)
			break;
		first = false;
		for (uint32_t i = 0; i < n; i++)
			if (keys[i].id == id && vec_push(&list, keys[i]))
				err = -ENOMEM;
	}
	err = err == -ENOENT ? 0 : err;
	for (size_t i = 0; i < list.n; i++)
		bpf_map_delete_elem(m->info_fd, &list.v[i]);
	vec_fini(&list);
	return err ? fail_set(fail, err, "cannot read the live sets: %s", strerror(-err)) : 0;
}

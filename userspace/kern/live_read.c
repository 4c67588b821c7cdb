// SPDX-License-Identifier: GPL-2.0-only
/* What is in live sets. */
#include "kern/clock.h"
#include "kern/live.h"
#include "kern/rim.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int kern_live_open(struct kern *k, struct kern_live **ret)
{
	struct kern_live *l = calloc(1, sizeof(*l));
	struct fail *fail = kern_fail(k);
	int err;

	if (!l)
		return fail_set(fail, -ENOMEM, "no memory");
	live_maps_init(&l->m);
	l->fail = fail;
	err = k->ns < 0 ? -ENOENT : live_maps_open(k->ns, k->access == KERN_WRITE, fail, &l->m);
	if (err) {
		free(l);
		return err;
	}
	*ret = l;
	return 0;
}

void kern_live_close(struct kern_live *l)
{
	if (!l)
		return;
	if (!l->borrowed)
		live_maps_close(&l->m);
	free(l);
}

static int set_order(const void *a, const void *b)
{
	return strcmp(((const struct kern_set *)a)->name, ((const struct kern_set *)b)->name);
}

int kern_live_sets(struct kern_live *l, struct kern_set **ret, size_t *ret_n)
{
	struct kern_set *v = calloc(FW_MAX_LIVE, sizeof(*v));
	size_t n = 0;

	*l->fail = (struct fail){};
	if (!v)
		return fail_set(l->fail, -ENOMEM, "no memory");
	for (uint32_t id = 0; id < FW_MAX_LIVE; id++) {
		const struct fw_live_place *at;

		if (!live_exists(&l->m, id))
			continue;
		at = &l->m.ctl->at[live_place(&l->m, id)];
		v[n] = (struct kern_set){.id = id, .size = at->size, .count = at->count, .flags = at->flags, .refused = at->refused,
					 .timeout_ns = at->timeout_ns};
		snprintf(v[n++].name, sizeof(v->name), "%s", l->m.registry->set[id].name);
	}
	qsort(v, n, sizeof(*v), set_order);
	*ret = v;
	*ret_n = n;
	return 0;
}

static int place_of(struct kern_live *l, uint32_t id, unsigned int *ret)
{
	*l->fail = (struct fail){};
	if (!live_exists(&l->m, id))
		return fail_set(l->fail, -ENOENT, "there is no such live set");
	*ret = live_place(&l->m, id);
	return 0;
}

static struct fw_counter count_of(const struct live_maps *m, const struct live_found *f)
{
	struct fw_live_count_key key = {.plen = f->plen, .l3 = f->l3};
	int cpus = libbpf_num_possible_cpus();
	auto_free struct fw_counter *v = cpus > 0 ? calloc((size_t)cpus, sizeof(*v)) : NULL;
	struct fw_counter sum = {};

	memcpy(key.addr, f->addr, sizeof(key.addr));
	if (!v || bpf_map_lookup_elem(live_map(m, SHARED_LIVE_COUNT)->fd, &key, v))
		return sum;
	for (int i = 0; i < cpus; i++) {
		sum.packets += v[i].packets;
		sum.bytes += v[i].bytes;
	}
	return sum;
}

/* Who put it there. A rule that prolonged it beyond what was wanted then has taken it over. */
static void tell_origin(const struct live_maps *m, uint32_t id, unsigned int place, const struct live_found *f, uint64_t now,
			struct kern_element *e)
{
	struct live_info_key key = {.id = id, .l3 = f->l3, .plen = f->plen};
	struct live_info info;

	if (!(f->members & 1ull << (FW_LIVE_HAND + place)))
		return;
	memcpy(key.addr, f->addr, sizeof(key.addr));
	if (bpf_map_lookup_elem(m->info_fd, &key, &info)) {
		e->added_ns = m->registry->set[id].added_ns;
		return;
	}
	if (info.end_ns <= now)
		return;
	e->added_ns = info.added_ns;
	memcpy(e->reason, info.reason, sizeof(e->reason));
	e->reason[KERN_REASON_MAX] = 0;
}

static struct kern_element element_of(const struct live_maps *m, uint32_t id, unsigned int place, const struct live_found *f,
				      uint64_t now)
{
	struct kern_element e = {.l3 = f->l3, .plen = f->plen, .end_ns = f->end_ns};

	memcpy(e.addr, f->addr, sizeof(e.addr));
	if (m->ctl->at[place].flags & FW_LIVEF_COUNTERS)
		e.counter = count_of(m, f);
	tell_origin(m, id, place, f, now, &e);
	return e;
}

static bool lives(const struct fw_live *v, unsigned int place, uint64_t now)
{
	return v->members & 1ull << place && v->end_ns[place] > now;
}

/* The longest prefix of the set around the address, no longer than plen. */
static bool find_net(const struct live_maps *m, unsigned int place, uint64_t now, bool v4, const uint32_t addr[4], uint8_t *plen,
		     struct fw_live *v)
{
	int fd = live_map(m, v4 ? SHARED_LIVE_NET4 : SHARED_LIVE_NET6)->fd;
	uint32_t key[5] = {v4 ? 32 : 128};

	memcpy(key + 1, addr, v4 ? 4 : 16);
	while (!bpf_map_lookup_elem(fd, key, v)) {
		*plen = (uint8_t)v->plen;
		if (lives(v, place, now))
			return true;
		if (!v->plen)
			return false;
		key[0] = v->plen - 1;
	}
	return false;
}

static void cut(uint32_t addr[4], uint8_t l3, unsigned int plen)
{
	uint8_t *b = (uint8_t *)addr;
	unsigned int bits = l3 == FW_L3_IPV4 ? 32 : 128;

	for (unsigned int i = plen; i < bits; i++)
		b[i / 8] &= (uint8_t)~(128 >> i % 8);
	if (l3 == FW_L3_IPV4)
		addr[1] = addr[2] = addr[3] = 0;
}

int kern_live_test(struct kern_live *l, uint32_t id, uint8_t l3, const uint32_t addr[4], struct kern_element *ret)
{
	bool v4 = l3 == FW_L3_IPV4;
	struct live_found f = {.l3 = l3, .plen = v4 ? 32 : 128};
	uint64_t now = clock_now_ns();
	unsigned int place;
	struct fw_live v;
	int err = place_of(l, id, &place);

	if (err)
		return err;
	memcpy(f.addr, addr, v4 ? 4 : 16);
	if (bpf_map_lookup_elem(live_map(&l->m, v4 ? SHARED_LIVE_HOST4 : SHARED_LIVE_HOST6)->fd, addr, &v) || !lives(&v, place, now)) {
		if (!find_net(&l->m, place, now, v4, addr, &f.plen, &v))
			return -ENOENT;
		cut(f.addr, l3, f.plen);
	}
	f.members = v.members;
	f.end_ns = v.end_ns[place];
	*ret = element_of(&l->m, id, place, &f, now);
	return 0;
}

static int found_order(const void *a, const void *b)
{
	const struct live_found *x = a, *y = b;
	int by = (int)x->l3 - y->l3;

	by = by ?: memcmp(x->addr, y->addr, sizeof(x->addr));
	return by ?: (int)x->plen - y->plen;
}

int kern_live_list(struct kern_live *l, uint32_t id, struct kern_element **ret, size_t *ret_n)
{
	struct live_founds list = {};
	uint64_t now = clock_now_ns();
	struct kern_element *v = NULL;
	unsigned int place;
	size_t n = 0;
	int err = place_of(l, id, &place);

	if (!err && l->m.write)
		err = livesets_clear(&l->m, place, true, NULL, l->fail);
	err = err ?: livesets_walk(&l->m, place, &list, l->fail);
	if (!err) {
		v = calloc(list.n + 1, sizeof(*v));
		err = v ? 0 : fail_set(l->fail, -ENOMEM, "no memory");
	}
	if (!err && list.n)
		qsort(list.v, list.n, sizeof(*list.v), found_order);
	for (size_t i = 0; !err && i < list.n; i++)
		if (list.v[i].end_ns > now)
			v[n++] = element_of(&l->m, id, place, &list.v[i], now);
	vec_fini(&list);
	if (err)
		return err;
	*ret = v;
	*ret_n = n;
	return 0;
}

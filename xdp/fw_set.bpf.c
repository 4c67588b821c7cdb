// SPDX-License-Identifier: GPL-2.0-only
/*
 * Edits of live sets, on behalf of user space, which runs this under a lock: one editor at a time, and beside it the datapath,
 * which adds and prolongs elements and never deletes one. So:
 *
 *  - the end of an element is raised by compare-and-swap, and cleared before its bit is;
 *  - what was prolonged while it was reaped gets its bit back;
 *  - an element leaves its map when no set has it: its members go from 0 to FW_LIVE_DEAD by compare-and-swap, and only then it is
 *    deleted. Who finds it dead adds nothing to it, and cannot insert another one before it is gone.
 */
#define FW_ENV_XDP
#include "maps.bpf.h"

#include <fw/edit.h>

#define TRIES 4

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct fw_edits);
} fw_edits SEC(".maps");

struct edit_run {
	struct fw_edits *edits;
	struct fw_live_ctl *ctl;
};

/* Where an element stands. */
enum edit_map { HOST4, HOST6, NET4, NET6 };

struct edit_key {
	__u32 map;
	__u32 pad;
	union {
		__u32 host4;
		__u64 host6[2];
		struct fw_lpm4 net4;
		struct fw_lpm6 net6;
	};
};

static __always_inline void key_of(const struct fw_edit *e, struct edit_key *k)
{
	__u32 plen = e->plen;

	__builtin_memset(k, 0, sizeof(*k));
	if (e->l3 == FW_L3_IPV4) {
		k->map = plen == 32 ? HOST4 : NET4;
		if (plen == 32) {
			k->host4 = e->addr[0];
		} else {
			k->net4.plen = plen;
			k->net4.addr = e->addr[0];
		}
		return;
	}
	k->map = plen == 128 ? HOST6 : NET6;
	if (plen == 128) {
		__builtin_memcpy(k->host6, e->addr, 16);
	} else {
		k->net6.plen = plen;
		__builtin_memcpy(k->net6.addr, e->addr, 16);
	}
}

static __always_inline struct fw_live *edit_find(const struct fw_edit *e, const struct edit_key *k)
{
	struct fw_live *v;

	switch (k->map) {
	case HOST4:
		return bpf_map_lookup_elem(&fw_live_host4, &k->host4);
	case HOST6:
		return bpf_map_lookup_elem(&fw_live_host6, k->host6);
	case NET4:
		v = bpf_map_lookup_elem(&fw_live_net4, &k->net4);
		break;
	default:
		v = bpf_map_lookup_elem(&fw_live_net6, &k->net6);
	}
	return v && v->plen == e->plen ? v : NULL; /* a shorter one around it is another element */
}

static __always_inline long edit_insert(const struct edit_key *k, const struct fw_live *v)
{
	switch (k->map) {
	case HOST4:
		return bpf_map_update_elem(&fw_live_host4, &k->host4, v, BPF_NOEXIST);
	case HOST6:
		return bpf_map_update_elem(&fw_live_host6, k->host6, v, BPF_NOEXIST);
	case NET4:
		return bpf_map_update_elem(&fw_live_net4, &k->net4, v, BPF_NOEXIST);
	default:
		return bpf_map_update_elem(&fw_live_net6, &k->net6, v, BPF_NOEXIST);
	}
}

static __always_inline void edit_delete(const struct edit_key *k)
{
	switch (k->map) {
	case HOST4:
		bpf_map_delete_elem(&fw_live_host4, &k->host4);
		break;
	case HOST6:
		bpf_map_delete_elem(&fw_live_host6, k->host6);
		break;
	case NET4:
		bpf_map_delete_elem(&fw_live_net4, &k->net4);
		break;
	default:
		bpf_map_delete_elem(&fw_live_net6, &k->net6);
	}
}

/* Elements in the maps. The datapath looks nothing up while there is none: count before, and discount after. */
static __always_inline void edit_tally(struct fw_live_ctl *ctl, const struct fw_edit *e, const struct edit_key *k, __u32 by)
{
	if (k->map == HOST4 || k->map == HOST6)
		__sync_fetch_and_add(&ctl->hosts, by);
	else
		__sync_fetch_and_add(&ctl->prefixes, by);
	if (k->map == NET6 && e->plen < 32)
		__sync_fetch_and_add(&ctl->wide6, by);
}

static __always_inline void count_key(const struct fw_edit *e, struct fw_live_count_key *k)
{
	__builtin_memcpy(k->addr, e->addr, sizeof(k->addr));
	k->plen = e->plen;
	k->l3 = e->l3;
}

/* The first packet makes the counter: one per CPU takes ten times as long to make as its element. */
static __always_inline void edit_uncount(const struct fw_edit *e)
{
	struct fw_live_count_key k;

	count_key(e, &k);
	bpf_map_delete_elem(&fw_live_count, &k);
}

/* The later end stays. */
static __always_inline void edit_prolong(__u64 *end, const struct fw_edit *e)
{
	for (int i = 0; i < TRIES; i++) {
		__u64 old = *(volatile __u64 *)end;

		if (old >= e->end_ns && !(e->flags & FW_EDITF_FORCE))
			return;
		if (__sync_val_compare_and_swap(end, old, e->end_ns) == old)
			return;
	}
}

static __always_inline int edit_reserve(struct fw_live_place *at)
{
	if (__sync_fetch_and_add(&at->count, 1) < at->size)
		return 1;
	__sync_fetch_and_add(&at->count, -1);
	return 0;
}

static __always_inline __u64 edit_bits(const struct fw_edit *e, __u32 place)
{
	return e->flags & FW_EDITF_RULE ? 1ull << place : FW_LIVE_BITS(place);
}

static __always_inline int edit_join(struct fw_edit *e, struct fw_live *v, struct fw_live_place *at, __u32 place, __u64 now)
{
	__u64 had = *(volatile __u64 *)&v->members & 1ull << place;
	int lives = had && *(volatile __u64 *)&v->end_ns[place] > now;

	if (!had && !edit_reserve(at))
		return FW_EDIT_FULL;
	edit_prolong(&v->end_ns[place], e);
	if (__sync_fetch_and_or(&v->members, edit_bits(e, place)) & 1ull << place && !had)
		__sync_fetch_and_add(&at->count, -1); /* a rule was faster */
	return lives ? FW_EDIT_NOTHING : FW_EDIT_DONE;
}

static __always_inline int edit_add(struct edit_run *r, struct fw_edit *e, __u32 place)
{
	struct fw_live_place *at = &r->ctl->at[place];
	struct fw_live fresh = {};
	struct fw_live *v;
	struct edit_key k;
	long err;

	key_of(e, &k);
	v = edit_find(e, &k);
	if (v)
		return edit_join(e, v, at, place, r->edits->now_ns);
	if (!edit_reserve(at))
		return FW_EDIT_FULL;
	fresh.members = edit_bits(e, place);
	fresh.end_ns[place] = e->end_ns;
	fresh.plen = e->plen;
	edit_tally(r->ctl, e, &k, 1);
	err = edit_insert(&k, &fresh);
	if (!err) {
		if (at->flags & FW_LIVEF_COUNTERS)
			edit_uncount(e); /* of one that was deleted while a packet looked at it */
		return FW_EDIT_DONE;
	}
	edit_tally(r->ctl, e, &k, -1);
	__sync_fetch_and_add(&at->count, -1);
	return err == -17 /* EEXIST: a rule was faster */ ? FW_EDIT_AGAIN : FW_EDIT_NO_ROOM;
}

static __always_inline int edit_remove(struct edit_run *r, struct fw_edit *e, __u32 place)
{
	struct fw_live_place *at = &r->ctl->at[place];
	struct fw_live *v;
	struct edit_key k;
	__u64 old, end;

	key_of(e, &k);
	v = edit_find(e, &k);
	if (!v || !(*(volatile __u64 *)&v->members & 1ull << place))
		return FW_EDIT_NOTHING;
	end = *(volatile __u64 *)&v->end_ns[place];
	if (e->op == FW_EDIT_REAP && (end > r->edits->now_ns || __sync_val_compare_and_swap(&v->end_ns[place], end, 0) != end))
		return FW_EDIT_NOTHING;
	if (e->op == FW_EDIT_DEL)
		__sync_lock_test_and_set(&v->end_ns[place], 0);
	old = __sync_fetch_and_and(&v->members, ~FW_LIVE_BITS(place));
	if (!(old & 1ull << place))
		return FW_EDIT_NOTHING;
	__sync_fetch_and_add(&at->count, -1);
	if (e->op == FW_EDIT_REAP && *(volatile __u64 *)&v->end_ns[place]) {
		if (!(__sync_fetch_and_or(&v->members, 1ull << place) & 1ull << place))
			__sync_fetch_and_add(&at->count, 1);
		return FW_EDIT_NOTHING;
	}
	if (!__sync_val_compare_and_swap(&v->members, 0, FW_LIVE_DEAD)) {
		edit_delete(&k);
		edit_tally(r->ctl, e, &k, -1);
		edit_uncount(e);
	}
	return FW_EDIT_DONE;
}

static long edit_one(__u32 i, void *arg)
{
	struct edit_run *r = arg;
	struct fw_edit *e;
	__u32 place;

	if (i >= FW_EDITS)
		return 1;
	e = &r->edits->v[i];
	place = e->place;
	if (place >= FW_LIVE_PLACES)
		return 1;
	e->result = e->op == FW_EDIT_ADD ? edit_add(r, e, place) : edit_remove(r, e, place);
	return 0;
}

SEC("xdp")
int fwctl_set(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct edit_run r = {};

	r.edits = bpf_map_lookup_elem(&fw_edits, &zero);
	r.ctl = bpf_map_lookup_elem(&fw_live, &zero);
	if (!r.edits || !r.ctl)
		return XDP_ABORTED;
	bpf_loop(r.edits->n, edit_one, &r, 0);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

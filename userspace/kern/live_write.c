// SPDX-License-Identifier: GPL-2.0-only
/* Live sets, changed by commands. */
#include "kern/clock.h"
#include "kern/live.h"
#include "kern/wait.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define INFO_ALWAYS 1024 /* elements that come in larger numbers and say no reason get no info each */

struct change {
	const struct live_maps *m;
	const struct kern_element *e;
	uint64_t now, timeout_ns;
	unsigned int place;
	uint8_t op, flags;
	bool widen;
};

static int begin(struct kern_live *l, uint32_t id, struct change *c)
{
	const struct fw_live_place *at;

	*l->fail = (struct fail){};
	if (!l->m.write)
		return fail_set(l->fail, -EPERM, "the live sets are open for reading");
	if (!live_exists(&l->m, id))
		return fail_set(l->fail, -ENOENT, "there is no such live set");
	c->m = &l->m;
	c->place = live_place(&l->m, id);
	at = &l->m.ctl->at[c->place];
	c->now = clock_now_ns();
	c->timeout_ns = at->timeout_ns;
	c->widen = at->flags & FW_LIVEF_WIDEN;
	return 0;
}

static int check(const struct kern_element *e, size_t n, struct fail *fail)
{
	for (size_t i = 0; i < n; i++)
		if ((e[i].l3 != FW_L3_IPV4 && e[i].l3 != FW_L3_IPV6) || e[i].plen > (e[i].l3 == FW_L3_IPV4 ? 32 : 128))
			return fail_set(fail, -EINVAL, "element %zu is no prefix", i + 1);
	return 0;
}

static uint64_t end_of(const struct change *c, const struct kern_element *e)
{
	if (e->end_ns)
		return e->end_ns;
	return c->timeout_ns && c->timeout_ns < UINT64_MAX - c->now ? c->now + c->timeout_ns : UINT64_MAX;
}

/* The prefix that an element is, in this set. Bits behind it are 0. */
static void prefix_of(const struct change *c, const struct kern_element *e, uint8_t *ret_plen, uint32_t addr[4])
{
	unsigned int plen = c->widen && e->l3 == FW_L3_IPV6 && e->plen == 128 ? 64 : e->plen;
	unsigned int bits = e->l3 == FW_L3_IPV4 ? 32 : 128;
	uint8_t *b = (uint8_t *)addr;

	memset(addr, 0, 16);
	memcpy(addr, e->addr, bits / 8);
	for (unsigned int i = (plen + 7) / 8; i < bits / 8; i++)
		b[i] = 0;
	if (plen % 8)
		b[plen / 8] &= (uint8_t)(0xff00 >> plen % 8);
	*ret_plen = (uint8_t)plen;
}

static void edit_of(void *ctx, size_t i, struct fw_edit *edit)
{
	const struct change *c = ctx;
	const struct kern_element *e = &c->e[i];

	*edit = (struct fw_edit){.op = c->op, .place = (uint8_t)c->place, .l3 = e->l3, .flags = c->flags};
	prefix_of(c, e, &edit->plen, edit->addr);
	if (c->op == FW_EDIT_ADD)
		edit->end_ns = end_of(c, e);
}

static void key_of(const struct change *c, uint32_t id, const struct kern_element *e, struct live_info_key *key)
{
	*key = (struct live_info_key){.id = id, .l3 = e->l3};
	prefix_of(c, e, &key->plen, key->addr);
}

/* Best effort: an element without its reason is an element. */
static void info_write(struct kern_live *l, uint32_t id, const struct change *c, const struct kern_element *e, size_t n)
{
	uint64_t wall = clock_wall_ns();
	bool always = n <= INFO_ALWAYS;

	if (!always)
		l->m.registry->set[id].added_ns = wall;
	for (size_t i = 0; i < n; i++) {
		struct live_info info = {.added_ns = wall, .end_ns = end_of(c, &e[i])};
		struct live_info_key key;

		if (!always && !e[i].reason[0])
			continue;
		key_of(c, id, &e[i], &key);
		snprintf(info.reason, sizeof(info.reason), "%s", e[i].reason);
		bpf_map_update_elem(l->m.info_fd, &key, &info, BPF_ANY);
	}
}

static int full(struct kern_live *l, uint32_t id, const struct change *c, const struct live_batch *b, size_t added)
{
	const struct fw_live_place *at = &l->m.ctl->at[c->place];
	const char *name = l->m.registry->set[id].name;

	if (b->result[FW_EDIT_FULL])
		return fail_set(l->fail, -ENOSPC, "set %s is full: its size is %u; %zu added. Give it a larger size in the rules, and "
				"apply them",
				name, at->size, added);
	return fail_set(l->fail, -ENOSPC, "set %s: no room or no memory for more elements in this namespace (%u places in all sets); %zu "
			"added", name, l->m.registry->capacity, added);
}

/* Ended elements hold their room until somebody wants it. */
static int add_all(struct kern_live *l, uint32_t id, struct change *c, const struct kern_element *e, size_t n, size_t *ret_added)
{
	struct live_batch b;
	size_t done, reaped = 0;
	int err;

	c->op = FW_EDIT_ADD;
	c->e = e;
	err = livesets_edit(&l->m, n, edit_of, c, true, &b, l->fail);
	*ret_added = b.result[FW_EDIT_DONE];
	if (err || b.first_full == SIZE_MAX)
		return err;
	err = livesets_clear(&l->m, c->place, true, &reaped, l->fail);
	if (err || !reaped)
		return err ?: full(l, id, c, &b, *ret_added);
	done = b.first_full;
	c->e = e + done;
	err = livesets_edit(&l->m, n - done, edit_of, c, true, &b, l->fail);
	*ret_added += b.result[FW_EDIT_DONE];
	return err ?: b.first_full == SIZE_MAX ? 0 : full(l, id, c, &b, *ret_added);
}

int kern_live_add(struct kern_live *l, uint32_t id, const struct kern_element *e, size_t n, bool force_end, size_t *ret_added)
{
	struct change c = {.flags = force_end ? FW_EDITF_FORCE : 0};
	size_t added = 0;
	int err = begin(l, id, &c);

	err = err ?: check(e, n, l->fail);
	if (err)
		return err;
	/* First, so that a list never shows a reason of somebody else's: without the element nobody asks for it. */
	info_write(l, id, &c, e, n);
	err = add_all(l, id, &c, e, n, &added);
	*ret_added = added;
	return err;
}

int kern_live_del(struct kern_live *l, uint32_t id, const struct kern_element *e, size_t n, size_t *ret_deleted)
{
	struct change c = {.op = FW_EDIT_DEL, .e = e};
	struct live_batch b;
	int err = begin(l, id, &c);

	err = err ?: check(e, n, l->fail);
	err = err ?: livesets_edit(&l->m, n, edit_of, &c, false, &b, l->fail);
	if (err)
		return err;
	for (size_t i = 0; i < n; i++) {
		struct live_info_key key;

		key_of(&c, id, &e[i], &key);
		bpf_map_delete_elem(l->m.info_fd, &key);
	}
	*ret_deleted = b.result[FW_EDIT_DONE];
	return 0;
}

int kern_live_flush(struct kern_live *l, uint32_t id, size_t *ret_n)
{
	struct change c = {};
	int err = begin(l, id, &c);

	err = err ?: livesets_clear(&l->m, c.place, false, ret_n, l->fail);
	return err ?: livesets_info_drop(&l->m, id, l->fail);
}

int kern_live_reap(struct kern_live *l, size_t *ret_n)
{
	size_t all = 0;
	int err = l->m.write ? 0 : fail_set(l->fail, -EPERM, "the live sets are open for reading");

	for (uint32_t id = 0; !err && id < FW_MAX_LIVE; id++) {
		size_t n = 0;

		if (!live_exists(&l->m, id))
			continue;
		err = livesets_clear(&l->m, live_place(&l->m, id), true, &n, l->fail);
		all += n;
	}
	if (!err)
		*ret_n = all;
	return err;
}

/*
 * Fill a place that nobody looks at, then the one store. What was there is dirt from then on; it is cleared when no program adds
 * to it any more, by us or by whoever comes next.
 */
int kern_live_replace(struct kern_live *l, uint32_t id, const struct kern_element *e, size_t n)
{
	struct change c = {};
	struct fw_live_place *from, *to;
	unsigned int place;
	size_t added;
	int err = begin(l, id, &c);

	err = err ?: check(e, n, l->fail);
	err = err ?: livesets_clear_dirt(&l->m, l->fail);
	if (err)
		return err;
	from = &l->m.ctl->at[c.place];
	place = livesets_free_place(&l->m);
	if (place == FW_LIVE_NOWHERE)
		return fail_set(l->fail, -ENOSPC, "no place is free to replace a live set");
	to = &l->m.ctl->at[place];
	*to = (struct fw_live_place){.size = from->size, .flags = from->flags, .timeout_ns = from->timeout_ns};
	c.place = place;
	err = add_all(l, id, &c, e, n, &added);
	if (err) {
		livesets_clear_dirt(&l->m, &(struct fail){});
		return err;
	}
	__atomic_store_n(&l->m.ctl->place[id], (uint8_t)place, __ATOMIC_SEQ_CST);
	err = livesets_info_drop(&l->m, id, l->fail);
	info_write(l, id, &c, e, n);
	err = err ?: wait_programs(l->fail);
	return err ?: livesets_clear_dirt(&l->m, l->fail);
}

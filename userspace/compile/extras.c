// SPDX-License-Identifier: GPL-2.0-only
#include "compile/extras.h"

#include "base/arena.h"
#include "base/hash.h"
#include "model/limit.h"
#include "model/track.h"

#include <errno.h>
#include <string.h>

/* The same numbers on both sides, which may not see one another. */
#define SAME(a, b) _Static_assert((int)(a) == (int)(b), #a " is not " #b)
#define FW_X(id, words, seconds) SAME(TRACK_##id, FW_TIMEOUT_##id);
FW_TIMEOUTS(FW_X)
#undef FW_X
SAME(TRACK_TIMEOUTS, FW_TIMEOUT_COUNT);
SAME(STATE_NONE, FW_STATE_NONE);
SAME(STATE_NEW, FW_STATE_NEW);
SAME(STATE_ESTABLISHED, FW_STATE_ESTABLISHED);
SAME(STATE_RELATED, FW_STATE_RELATED);
SAME(STATE_INVALID, FW_STATE_INVALID);
SAME(STATE_COUNT, FW_STATE_COUNT);
SAME(VERDICT_REJECT, FW_VERDICT_REJECT);
SAME(PER_RULE, FW_PER_RULE);
SAME(PER_SRC, FW_PER_SRC);
SAME(PER_DST, FW_PER_DST);
SAME(PER_FLOW, FW_PER_FLOW);
SAME(REJECT_AUTO, FW_REJECT_AUTO);
SAME(REJECT_TCP_RESET, FW_REJECT_TCP_RESET);
SAME(REJECT_UNREACHABLE, FW_REJECT_UNREACHABLE);
SAME(REJECT_PROHIBITED, FW_REJECT_PROHIBITED);
SAME(POLICY_MAX_LIVE, FW_MAX_LIVE);
_Static_assert(sizeof(((struct state_opts *)0)->timeout_s) / sizeof(uint32_t) == FW_TIMEOUT_COUNT, "a timeout for each");

/* The timer tick is 1, 3.3, 4 or 10 ms long, as the kernel was built; rules are compiled for all of them. */
#define EXTRAS_TICK_NS 10000000ull

static bool extras_asks(const struct rule *r)
{
	return r->keep_state || r->synproxy || r->limit || r->max_conn || r->log || r->verdict == VERDICT_REJECT;
}

static void extras_limit(const struct limit *l, struct fw_extra *x)
{
	struct limit_numbers n = limit_numbers(l);

	x->flags |= FW_EXTRA_LIMIT | (l->bytes ? FW_EXTRA_BYTES : 0) | (limit_is_fine(l, EXTRAS_TICK_NS) ? FW_EXTRA_FINE : 0);
	x->per = (uint8_t)l->per;
	x->mult = n.mult;
	x->shift = n.shift;
	x->burst = n.burst;
	if (l->per != PER_SRC && l->per != PER_DST)
		return;
	x->plen[0] = l->plen4;
	x->plen[1] = l->plen6;
}

static int extras_over(const struct policy *policy, const struct limit_else *over, struct fw_extra *x)
{
	x->flags |= over->pass ? FW_EXTRA_ELSE_PASS : 0;
	if (!over->ban)
		return 0;
	for (size_t i = 0; i < policy->nlive; i++) {
		if (policy->live[i] != over->ban && strcmp(policy->live[i]->name, over->ban->name))
			continue;
		x->flags |= FW_EXTRA_ELSE_BAN | (uint32_t)i << 24;
		x->ban = (uint32_t)i;
		x->ban_ns = over->ban_ns;
		return 0;
	}
	return -EINVAL;
}

static int extras_of_rule(const struct policy *policy, const struct rule *r, struct fw_extra *x)
{
	*x = (struct fw_extra){};
	x->flags = (r->keep_state ? FW_EXTRA_KEEP : 0) | (r->synproxy ? FW_EXTRA_SYNPROXY : 0);
	if (r->verdict == VERDICT_REJECT)
		x->reject = (uint8_t)r->reject;
	if (r->limit)
		extras_limit(r->limit, x);
	if (r->max_conn) {
		x->max_conn = r->max_conn;
		x->conn_plen[0] = r->conn_plen4;
		x->conn_plen[1] = r->conn_plen6;
	}
	return r->limit || r->max_conn ? extras_over(policy, &r->over, x) : 0;
}

/* Found by content: open addressing, 0 is empty, else 1 + index. There are never more than rules. */
static uint32_t extras_intern(struct extras *e, uint32_t *cell, size_t mask, const struct fw_extra *x)
{
	size_t at = hash_bytes(x, sizeof(*x)) & mask;

	e->v[e->n++] = *x;
	if (extras_counts(x))
		return (uint32_t)e->n;
	for (; cell[at]; at = (at + 1) & mask) {
		if (!memcmp(&e->v[cell[at] - 1], x, sizeof(*x))) {
			e->n--;
			return cell[at];
		}
	}
	return cell[at] = (uint32_t)e->n;
}

int extras_build(struct arena *arena, const struct policy *policy, const struct chain *chain, const struct logs *logs,
		 struct extras *ret)
{
	size_t asking = 0, cells = 16;
	uint32_t *cell;

	*ret = (struct extras){};
	for (size_t i = 0; i < chain->nrules; i++)
		asking += extras_asks(&chain->rules[i]);
	if (!asking)
		return 0;
	while (cells < 2 * asking)
		cells *= 2;
	cell = arena_array(arena, cells, sizeof(*cell));
	ret->of = arena_array(arena, chain->nrules, sizeof(*ret->of));
	ret->v = arena_array(arena, asking, sizeof(*ret->v));
	if (!cell || !ret->of || !ret->v)
		return -ENOMEM;
	for (size_t i = 0; i < chain->nrules; i++) {
		struct fw_extra x;

		if (!extras_asks(&chain->rules[i]))
			continue;
		if (extras_of_rule(policy, &chain->rules[i], &x))
			return -EINVAL;
		x.log = logs_of(logs, i);
		ret->of[i] = extras_intern(ret, cell, cells - 1, &x);
	}
	return 0;
}

uint32_t extras_features(const struct policy *policy)
{
	uint32_t f = (policy->nlive ? FW_FEAT_LIVE : 0) | (policy->track ? FW_FEAT_STATE : 0) | (logs_any(policy) ? FW_FEAT_LOG : 0);

	for (int d = 0; d < DIRECTION_COUNT; d++) {
		for (size_t i = 0; i < policy->chain[d].nrules; i++) {
			const struct rule *r = &policy->chain[d].rules[i];

			f |= r->limit || r->max_conn ? FW_FEAT_LIMIT : 0;
			f |= r->verdict == VERDICT_REJECT ? FW_FEAT_REJECT : 0;
			f |= r->synproxy ? FW_FEAT_SYNPROXY : 0;
		}
	}
	return f;
}

struct fw_state_opts extras_state(const struct policy *policy)
{
	const struct state_opts *s = &policy->state;
	struct fw_state_opts out = {};

	if (!policy->track)
		return out;
	out.size = s->size;
	out.pending = s->pending;
	out.flags = (s->full_pass ? FW_STATEF_FULL_PASS : 0) | (s->asymmetric ? FW_STATEF_ASYMMETRIC : 0) |
		    (s->window ? FW_STATEF_WINDOW : 0);
	out.pickup_s = s->pickup_s;
	for (int t = 0; t < FW_TIMEOUT_COUNT; t++) {
		uint64_t ticks = FW_TICKS(s->timeout_s[t]);

		out.timeout[t] = ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX;
	}
	return out;
}

/* Essentials match in every state, so what they ask says nothing about which states the rules speak of. */
static bool extras_names_known(const struct rule *r)
{
	const struct vset *s = r->value[FIELD_STATE];

	return s && !r->essential && (vset_has(s, STATE_ESTABLISHED) || vset_has(s, STATE_RELATED));
}

uint32_t extras_dir_flags(const struct policy *policy, const struct chain *chain)
{
	uint32_t flags = policy->track ? FW_DIRF_TRACK : 0;

	for (size_t i = 0; policy->track && i < chain->nrules; i++)
		if (extras_names_known(&chain->rules[i]))
			return flags | FW_DIRF_KNOWN;
	return flags;
}

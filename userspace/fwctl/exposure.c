// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/exposure.h"

#include "base/cleanup.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

/* The flag of a packet that opens a connection; others beside it would make another packet. */
#define SYN 2u

static int value_is(struct arena *arena, const struct vset **ret, uint64_t a, uint64_t b)
{
	const struct range r[] = { { a, a }, { b, b } };
	struct vset *v = NULL;
	int err = vset_build(arena, r, 2, &v);

	*ret = v;
	return err;
}

/* All first packets to this socket, as the conditions of a rule. */
static int packets_to(struct arena *arena, const struct exposed *x, bool but_sets, struct rule *ret)
{
	enum family family = x->at->family;
	struct rule r = { .families = 1u << family };
	struct aset *dst = NULL;
	int err = value_is(arena, &r.value[FIELD_PROTO], (uint64_t)family << 8 | x->sock->proto, (uint64_t)family << 8 | x->sock->proto);

	err = err ?: value_is(arena, &r.value[FIELD_DPORT], x->sock->port, x->sock->port);
	err = err ?: value_is(arena, &r.value[FIELD_STATE], STATE_NONE, STATE_NEW);
	err = err ?: value_is(arena, &r.value[FIELD_FRAG], FRAG_NONE, FRAG_NONE);
	if (x->sock->proto == IPPROTO_TCP)
		err = err ?: value_is(arena, &r.value[FIELD_TCPFLAGS], SYN, SYN);
	err = err ?: aset_one(arena, family == FAMILY_IPV6, x->at->addr, x->at->addr, &dst);
	r.dst = dst;
	if (but_sets)
		r.live_src = (struct live_match){ .sets = (1u << x->gate->policy->nlive) - 1, .negate = true };
	*ret = r;
	return err;
}

static enum open_to open_to(const struct region_answer *all, const struct region_answer *but)
{
	if (all->undecided)
		return OPEN_UNKNOWN;
	if (!all->drop.there)
		return all->pass.there ? OPEN_EVERYBODY : OPEN_UNKNOWN;
	if (!all->pass.there)
		return OPEN_NOBODY;
	return but && !but->undecided && but->pass.there && !but->drop.there ? OPEN_BUT_SETS : OPEN_SOME;
}

/* Rows [i] of v with the policy of the first of them; then all are done. */
static int judge_policy(struct arena *arena, struct exposed **v, size_t n)
{
	const struct policy *p = v[0]->gate->policy;
	size_t each = p->nlive ? 2 : 1;
	auto_free struct rule *what = calloc(n * each, sizeof(*what));
	auto_free struct region_answer *answer = calloc(n * each, sizeof(*answer));
	int err = what && answer ? 0 : -ENOMEM;

	for (size_t i = 0; i < n * each && !err; i++)
		err = packets_to(arena, v[i / each], i % each, &what[i]);
	err = err ?: region_judge(p, DIRECTION_INGRESS, what, n * each, answer);
	for (size_t i = 0; i < n && err != -ENOMEM; i++) {
		const struct region_answer *a = &answer[i * each];
		v[i]->to = err ? OPEN_UNKNOWN : open_to(a, each > 1 ? a + 1 : NULL);
		v[i]->pass = a->pass;
		v[i]->drop = a->drop;
		/* That the members of a set are kept out explains nothing where others are, too. */
		if (each > 1 && a[1].drop.there)
			v[i]->drop = a[1].drop;
		if (each > 1 && a[1].pass.there)
			v[i]->pass = a[1].pass;
	}
	return err == -ENOMEM ? err : 0;
}

static int judge_all(struct arena *arena, struct exposed *v, size_t n)
{
	auto_free struct exposed **of = calloc(n + 1, sizeof(*of));
	int err = of ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && !err; i++) {
		size_t m = 0;
		if (v[i].to != OPEN_COUNT)
			continue;
		for (size_t j = i; j < n; j++)
			if (v[j].to == OPEN_COUNT && v[j].gate->policy == v[i].gate->policy)
				of[m++] = &v[j];
		err = judge_policy(arena, of, m);
	}
	return err;
}

/* One packet, whose source is in the live sets that it is in. */
static int judge_one(struct exposed *x, const struct from *from, uint8_t *frame)
{
	const struct chain *c = &x->gate->policy->chain[DIRECTION_INGRESS];
	struct packet_spec spec = {
		.family = x->at->family, .protocol = x->sock->proto, .src = from->addr, .dst = x->at->addr, .has_ports = true,
		.sport = 40000, .dport = x->sock->port,
	};
	struct eval_given given = { .state = x->gate->policy->track ? STATE_NEW : STATE_NONE, .live_src = x->gate->members };
	long len = packet_build(&spec, frame, PACKET_MAX_FRAME);

	if (len < 0)
		return (int)len;
	x->one = eval_given(c, frame, (size_t)len, NULL, &given, NULL, NULL);
	x->to = x->one.verdict == VERDICT_PASS ? OPEN_EVERYBODY : OPEN_NOBODY;
	return 0;
}

int exposure_judge(struct arena *arena, struct exposed *v, size_t n, const struct from *from)
{
	auto_free uint8_t *frame = malloc(PACKET_MAX_FRAME);
	int err = frame ? 0 : -ENOMEM;

	if (!from)
		return judge_all(arena, v, n);
	for (size_t i = 0; i < n && !err; i++)
		if (v[i].to == OPEN_COUNT)
			err = judge_one(&v[i], from, frame);
	return err;
}

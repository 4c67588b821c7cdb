// SPDX-License-Identifier: GPL-2.0-only
/* Paragraph 9: what a rule that has matched asks for beside. */
#include "model/track_index.h"

#include <errno.h>
#include <string.h>

static const char *rule_name(const struct rule *r)
{
	return r->label ? r->label : r->id_text ? r->id_text : r->text;
}

static int identity_get(struct track *t, const struct chain *chain, size_t i, enum direction dir, struct identity *ret)
{
	struct identity *known = t->index ? track_index_identity(t, chain, i, dir) : NULL;
	const char *name = rule_name(&chain->rules[i]);
	struct identity id;

	if (known && known->name) {
		*ret = *known;
		return 0;
	}
	id = (struct identity) { .dir = dir, .verdict = chain->rules[i].verdict, .name = track_name(t, name) };

	if (!id.name)
		return -ENOMEM;
	for (size_t j = 0; j < i; j++)
		id.namesake += !strcmp(rule_name(&chain->rules[j]), name);
	if (known)
		*known = id;
	*ret = id;
	return 0;
}

bool track_bucket_key_equal(const struct bucket_key *x, const struct bucket_key *y)
{
	return x->rule.dir == y->rule.dir && x->rule.verdict == y->rule.verdict && x->rule.name == y->rule.name &&
	       x->rule.namesake == y->rule.namesake && x->per == y->per && x->plen == y->plen &&
	       track_key_equal(&x->of, &y->of);
}

/* The key of `per src/24` and the like. What is not IP has one key. */
static void key_address(struct bucket_key *k, const struct packet *p, u128 addr, unsigned int plen4, unsigned int plen6)
{
	k->of.family = p->family;
	if (p->family == FAMILY_OTHER)
		return;
	k->plen = p->family == FAMILY_IPV4 ? plen4 : plen6;
	k->of.a = track_prefix(p->family, addr, k->plen);
}

static void key_flow(struct bucket_key *k, const struct packet *p, enum direction dir)
{
	bool in = dir == DIRECTION_INGRESS;

	if (track_key_get(p, dir, &k->of))
		return;
	k->of.family = p->family;
	if (p->family == FAMILY_OTHER)
		return;
	k->of.protocol = p->value[FIELD_PROTO] & 255;
	k->of.a = in ? p->src : p->dst;
	k->of.b = in ? p->dst : p->src;
}

static void limit_key(struct bucket_key *k, const struct limit *l, const struct packet *p, enum direction dir)
{
	k->per = l->per;
	switch (l->per) {
	case PER_RULE:
		break;
	case PER_SRC:
		key_address(k, p, p->src, l->plen4, l->plen6);
		break;
	case PER_DST:
		key_address(k, p, p->dst, l->plen4, l->plen6);
		break;
	case PER_FLOW:
		key_flow(k, p, dir);
		break;
	}
}

static struct bucket *bucket_get(struct track *t, const struct bucket_key *key)
{
	if (t->index)
		return track_index_bucket(t, key);
	for (size_t i = 0; i < t->buckets.n; i++)
		if (track_bucket_key_equal(&t->buckets.v[i].key, key))
			return &t->buckets.v[i];
	return vec_push(&t->buckets, (struct bucket){ .key = *key }) ? NULL : &t->buckets.v[t->buckets.n - 1];
}

/* `else ban @set for 10m` */
static int over_ban(struct track *t, const struct rule *r, const struct packet *p)
{
	const struct named_set *set = r->over.ban;
	uint64_t ns;

	if (!set || p->family == FAMILY_OTHER)
		return 0;
	ns = r->over.ban_ns ? r->over.ban_ns : set->timeout_ns;
	if (t->said)
		t->said->banned = set;
	return track_set_add(t, set, p->family, p->src, p->family == FAMILY_IPV4 ? 32 : 128,
			     ns ? t->now_ns + ns : UINT64_MAX);
}

/* What a bucket that will be full at `full` has left, and how long one has to wait who needs `cost`. */
static void limit_say(struct track_said *said, const struct limit_numbers *x, uint64_t now, uint64_t full, uint64_t cost)
{
	uint64_t left = full - now < x->burst ? x->burst - (full - now) : 0;

	said->limited = true;
	said->limit_left = (uint64_t)(((u128)left << x->shift) / x->mult);
	if (cost > x->burst)
		said->limit_wait_ns = UINT64_MAX;
	else
		said->limit_wait_ns = cost > left ? (cost - left + ((1u << LIMIT_UNIT_SHIFT) - 1)) >> LIMIT_UNIT_SHIFT : 0;
}

int track_limit(struct track *t, const struct chain *chain, size_t i, enum direction dir, const struct packet *p,
		size_t bytes, bool *ret_over)
{
	const struct rule *r = &chain->rules[i];
	uint64_t now = t->now_ns << LIMIT_UNIT_SHIFT, full, cost;
	struct limit_numbers x;
	struct bucket_key key = {};
	struct bucket *b;

	*ret_over = false;
	if (!r->limit)
		return 0;
	if (identity_get(t, chain, i, dir, &key.rule))
		return -ENOMEM;
	limit_key(&key, r->limit, p, dir);
	b = bucket_get(t, &key);
	if (!b)
		return -ENOMEM;
	x = limit_numbers(r->limit);
	cost = limit_cost(&x, r->limit->bytes ? bytes : 1);
	full = b->until > now ? b->until : now;
	if (full + cost - now > x.burst) {
		*ret_over = true;
		if (t->said)
			limit_say(t->said, &x, now, full, cost);
		return over_ban(t, r, p);
	}
	b->until = full + cost;
	if (t->said)
		limit_say(t->said, &x, now, b->until, 0);
	return 0;
}

static bool seat_taken(struct track *t, const struct bucket_key *seat, unsigned int number)
{
	if (t->index)
		return track_index_seat(t, seat, number);
	for (size_t i = 0; i < t->flows.n; i++) {
		const struct flow *f = &t->flows.v[i];

		if (track_flow_lives(t, f) && f->seated && f->seat_number == number && track_bucket_key_equal(&f->seat, seat))
			return true;
	}
	return false;
}

int track_seat(struct track *t, const struct chain *chain, size_t i, enum direction dir, const struct packet *p,
	       struct flow *flow, bool *ret_over)
{
	const struct rule *r = &chain->rules[i];
	struct bucket_key key = { .per = PER_SRC };

	*ret_over = false;
	if (!r->max_conn)
		return 0;
	if (identity_get(t, chain, i, dir, &key.rule))
		return -ENOMEM;
	key_address(&key, p, p->src, r->conn_plen4, r->conn_plen6);
	for (unsigned int number = 0; number < r->max_conn; number++) {
		if (seat_taken(t, &key, number))
			continue;
		flow->seated = true;
		flow->seat = key;
		flow->seat_number = number;
		if (t->said) {
			t->said->seated = true;
			t->said->seat = number;
		}
		return 0;
	}
	*ret_over = true;
	return over_ban(t, r, p);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open addressing with linear probing. Nothing is ever taken out of a table: what has ended stays where it is found and
 * is passed over, until the table is half full; then it is made anew of what has not ended. So each thing costs a
 * constant, on average.
 */
#include "model/track_index.h"

#include "base/hash.h"
#include "model/shortlist.h"

#include <errno.h>
#include <string.h>

#define CELLS_MIN 256

struct track_index {
	const struct policy *policy;
	uint32_t generation; /* of `policy`, from 1 */
	struct shortlist *list[DIRECTION_COUNT];
	struct identity *identity[DIRECTION_COUNT]; /* by rule; name NULL: not known yet */
	struct track_cells flows, buckets, seats;   /* seats: numbers of flows, by seat */
};

/* So that nobody can make a capture whose keys meet in one place: where the tables lie is known to nobody beforehand.
 */
static uint32_t hash_words(const void *seed, const uint64_t *v, size_t n)
{
	uint64_t h = hash_bytes(&seed, sizeof(seed));

	h ^= hash_bytes(v, n * sizeof(*v)) ^ h >> 7;
	return (uint32_t)(h * 0x9e3779b97f4a7c15ull >> 32);
}

static void key_words(const struct track_key *k, uint64_t v[5])
{
	v[0] = (uint64_t)k->a;
	v[1] = (uint64_t)(k->a >> 64);
	v[2] = (uint64_t)k->b;
	v[3] = (uint64_t)(k->b >> 64);
	v[4] = (uint64_t)k->family << 48 | (uint64_t)k->protocol << 32 | (uint64_t)k->pa << 16 | k->pb;
}

static uint32_t flow_hash(const struct track *t, const struct track_key *k)
{
	uint64_t v[6] = { (uintptr_t)t };

	key_words(k, v + 1);
	return hash_words(t, v, 6);
}

static uint32_t bucket_hash(const struct track *t, const struct bucket_key *k, uint64_t number)
{
	uint64_t v[8] = { (uintptr_t)k->rule.name, k->rule.namesake << 8 | (uint64_t)k->rule.dir << 4 | k->rule.verdict,
			  number << 32 | (uint64_t)k->per << 16 | k->plen };

	key_words(&k->of, v + 3);
	return hash_words(t, v, 8);
}

static uint32_t element_hash(const struct live_set *s, enum family family, u128 addr, unsigned int plen)
{
	uint64_t v[3] = { (uint64_t)addr, (uint64_t)(addr >> 64), (uint64_t)family << 8 | plen };

	return hash_words(s->name, v, 3);
}

/* Room for n things and as many again. */
static int cells_begin(struct track_cells *c, size_t n)
{
	size_t size = CELLS_MIN;
	struct track_cell *v;

	while (size < n * 4)
		size *= 2;
	v = calloc(size, sizeof(*v));
	if (!v)
		return -ENOMEM;
	free(c->v);
	*c = (struct track_cells){ v, size - 1, 0 };
	return 0;
}

static bool cells_full(const struct track_cells *c)
{
	return !c->v || c->used * 2 > c->mask;
}

static void cells_put(struct track_cells *c, uint32_t hash, size_t at)
{
	size_t i = hash & c->mask;

	while (c->v[i].at)
		i = (i + 1) & c->mask;
	c->v[i] = (struct track_cell){ hash, (uint32_t)at + 1 };
	c->used++;
}

/* Each number that stands under this hash: `at`. */
#define cells_each(c, h, at)                                                                                           \
	for (size_t i_ = (h) & (c)->mask, at; (c)->v && (c)->v[i_].at && (at = (c)->v[i_].at - 1, true);               \
	     i_ = (i_ + 1) & (c)->mask)                                                                                \
		if ((c)->v[i_].hash == (h))

struct flow *track_index_flow(struct track *t, const struct track_key *key)
{
	struct track_cells *c = &t->index->flows;
	uint32_t h = flow_hash(t, key);

	cells_each(c, h, at)
	{
		struct flow *f = &t->flows.v[at];

		if (track_key_equal(&f->key, key))
			return track_flow_lives(t, f) ? f : NULL;
	}
	return NULL;
}

static void seat_put(struct track *t, size_t at)
{
	const struct flow *f = &t->flows.v[at];

	if (f->seated)
		cells_put(&t->index->seats, bucket_hash(t, &f->seat, f->seat_number), at);
}

/* Forget the flows that have ended; the others move together. */
static int flows_rebuild(struct track *t)
{
	struct track_index *x = t->index;
	size_t n = 0;
	int err;

	for (size_t i = 0; i < t->flows.n; i++)
		if (track_flow_lives(t, &t->flows.v[i])) {
			if (n != i)
				t->flows.v[n] = t->flows.v[i];
			n++;
		}
	t->flows.n = n;
	err = cells_begin(&x->flows, n);
	err = err ? err : cells_begin(&x->seats, n);
	for (size_t i = 0; i < n && !err; i++) {
		cells_put(&x->flows, flow_hash(t, &t->flows.v[i].key), i);
		seat_put(t, i);
	}
	return err;
}

int track_index_open(struct track *t, const struct flow *flow)
{
	struct track_index *x = t->index;
	uint32_t h = flow_hash(t, &flow->key);
	bool known = false;
	size_t place = 0;

	if ((cells_full(&x->flows) || cells_full(&x->seats)) && flows_rebuild(t))
		return -ENOMEM;
	/* The place of one of the same key that has ended, so that a key stands in the table once. */
	cells_each(&x->flows, h, at)
	{
		if (!known && track_key_equal(&t->flows.v[at].key, &flow->key)) {
			known = true;
			place = at;
		}
	}
	if (known) {
		t->flows.v[place] = *flow;
	} else {
		place = t->flows.n;
		if (place >= UINT32_MAX - 1 || vec_push(&t->flows, *flow))
			return -ENOMEM;
		cells_put(&x->flows, h, place);
	}
	seat_put(t, place);
	return 0;
}

bool track_index_seat(struct track *t, const struct bucket_key *seat, unsigned int number)
{
	struct track_cells *c = &t->index->seats;
	uint32_t h = bucket_hash(t, seat, number);

	/* What stands there may be of a flow that has ended, or of another one in its place by now. */
	cells_each(c, h, at)
	{
		const struct flow *f = &t->flows.v[at];

		if (track_flow_lives(t, f) && f->seated && f->seat_number == number &&
		    track_bucket_key_equal(&f->seat, seat))
			return true;
	}
	return false;
}

/* A bucket that is full again and no bucket are the same. */
static int buckets_rebuild(struct track *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->buckets.n; i++)
		if (t->buckets.v[i].until > t->now_ns << LIMIT_UNIT_SHIFT)
			t->buckets.v[n++] = t->buckets.v[i];
	t->buckets.n = n;
	if (cells_begin(&t->index->buckets, n))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		cells_put(&t->index->buckets, bucket_hash(t, &t->buckets.v[i].key, 0), i);
	return 0;
}

struct bucket *track_index_bucket(struct track *t, const struct bucket_key *key)
{
	struct track_cells *c = &t->index->buckets;
	uint32_t h = bucket_hash(t, key, 0);

	cells_each(c, h, at)
	{
		if (track_bucket_key_equal(&t->buckets.v[at].key, key))
			return &t->buckets.v[at];
	}
	if ((cells_full(c) && buckets_rebuild(t)) || vec_push(&t->buckets, (struct bucket){ .key = *key }))
		return NULL;
	cells_put(c, h, t->buckets.n - 1);
	return &t->buckets.v[t->buckets.n - 1];
}

struct element *track_index_element(const struct live_set *s, enum family family, u128 addr, unsigned int plen)
{
	uint32_t h = element_hash(s, family, addr, plen);

	cells_each(&s->cells, h, at)
	{
		struct element *e = &s->elements.v[at];

		if (e->family == family && e->addr == addr && e->plen == plen)
			return e;
	}
	return NULL;
}

static void element_put(struct live_set *s, size_t at)
{
	const struct element *e = &s->elements.v[at];

	s->plens[e->family][e->plen / 64] |= 1ull << e->plen % 64;
	cells_put(&s->cells, element_hash(s, e->family, e->addr, e->plen), at);
}

static int set_rebuild(const struct track *t, struct live_set *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->elements.n; i++)
		if (t->now_ns < s->elements.v[i].end_ns)
			s->elements.v[n++] = s->elements.v[i];
	s->elements.n = n;
	if (cells_begin(&s->cells, n))
		return -ENOMEM;
	memset(s->plens, 0, sizeof(s->plens));
	for (size_t i = 0; i < n; i++)
		element_put(s, i);
	return 0;
}

int track_index_add(struct track *t, struct live_set *s, const struct element *e)
{
	if ((cells_full(&s->cells) && set_rebuild(t, s)) || vec_push(&s->elements, *e))
		return -ENOMEM;
	element_put(s, s->elements.n - 1);
	return 0;
}

bool track_index_has(const struct track *t, const struct live_set *s, enum family family, u128 addr)
{
	for (unsigned int word = 0; word < 3; word++)
		for (uint64_t left = s->plens[family][word]; left; left &= left - 1) {
			unsigned int plen = word * 64 + (unsigned int)__builtin_ctzll(left);
			const struct element *e =
				track_index_element(s, family, track_prefix(family, addr, plen), plen);

			if (e && t->now_ns < e->end_ns)
				return true;
		}
	return false;
}

struct eval_result track_index_eval(struct track *t, const struct policy *policy, enum direction dir,
				    const struct packet *p, void (*counted)(void *ctx, size_t rule), void *ctx)
{
	if (policy == t->index->policy)
		return shortlist_packet(t->index->list[dir], p, counted, ctx);
	return eval_state(&policy->chain[dir], p, counted, ctx);
}

bool track_index_judged(struct track *t, const struct policy *policy, struct flow *f)
{
	if (policy != t->index->policy || f->judged != t->index->generation)
		return false;
	if (!policy->nlive)
		return true;
	track_live_bits(t, policy, &f->opening);
	return f->opening.live_src == f->judged_src && f->opening.live_dst == f->judged_dst;
}

void track_index_judge(struct track *t, const struct policy *policy, struct flow *f, const struct packet *opening)
{
	f->judged = policy == t->index->policy ? t->index->generation : 0;
	f->judged_src = opening->live_src;
	f->judged_dst = opening->live_dst;
}

struct identity *track_index_identity(struct track *t, const struct chain *chain, size_t i, enum direction dir)
{
	return chain == &t->index->policy->chain[dir] ? &t->index->identity[dir][i] : NULL;
}

static void policy_forget(struct track_index *x)
{
	for (int dir = 0; dir < DIRECTION_COUNT; dir++) {
		shortlist_free(x->list[dir]);
		free(x->identity[dir]);
		x->list[dir] = NULL;
		x->identity[dir] = NULL;
	}
}

void track_index_free(struct track *t)
{
	struct track_index *x = t->index;

	for (size_t i = 0; i < t->sets.n; i++)
		free(t->sets.v[i].cells.v);
	if (!x)
		return;
	policy_forget(x);
	free(x->flows.v);
	free(x->buckets.v);
	free(x->seats.v);
	free(x);
}

int track_quicken(struct track *t, const struct policy *policy)
{
	struct track_index *x = t->index;
	int err = 0;

	if (!x) {
		x = t->index = calloc(1, sizeof(*x));
		if (!x)
			return -ENOMEM;
		err = flows_rebuild(t) || buckets_rebuild(t) ? -ENOMEM : 0;
		for (size_t i = 0; i < t->sets.n && !err; i++)
			err = set_rebuild(t, &t->sets.v[i]);
	}
	policy_forget(x);
	x->policy = policy;
	x->generation++;
	for (int dir = 0; dir < DIRECTION_COUNT && !err; dir++) {
		x->list[dir] = shortlist_new(&policy->chain[dir]);
		x->identity[dir] = calloc(policy->chain[dir].nrules + 1, sizeof(*x->identity[dir]));
		err = x->list[dir] && x->identity[dir] ? 0 : -ENOMEM;
	}
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Which packets there are: families, kinds, states, and what each of them can have. Follows packet.h and track.h, 5 and 6. */
#include "analyze/space_priv.h"

#include "base/arena.h"
#include "model/track_key.h"

#include <errno.h>

#define BIT(n) (1u << (n))

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58, PROTO_SCTP = 132 };

/* What states the policies know. */
struct states {
	bool tracks, keeps;       /* some rule keeps state */
	bool picks_up, gives_up;  /* TCP in mid-stream can be new; can be invalid */
};

static struct states states_of(const struct space_list *lists, size_t n)
{
	struct states s = {};

	for (size_t i = 0; i < n; i++) {
		const struct policy *p = lists[i].policy;

		if (!p || !p->track)
			continue;
		s.tracks = true;
		s.picks_up |= p->state.pickup_s != 0;
		s.gives_up |= p->state.pickup_s != UINT32_MAX;
		for (int d = 0; d < DIRECTION_COUNT; d++)
			for (size_t k = 0; k < p->chain[d].nrules; k++)
				s.keeps |= p->chain[d].rules[k].keep_state;
	}
	return s;
}

unsigned int cell_min_len(const struct cell *c)
{
	static const unsigned int l4[] = { [KIND_TCP] = 20, [KIND_UDP] = 8, [KIND_SCTP] = 12, [KIND_ICMP] = 8, [KIND_OTHER] = 0 };

	return (c->family == FAMILY_IPV4 ? 20 : 40) + l4[c->kind];
}

unsigned int ext_min_len(unsigned int ext)
{
	return 8 * (unsigned int)__builtin_popcount(ext);
}

/* Ranges of the values 0..max that `has` says yes to. */
static int values_that(struct arena *arena, uint32_t max, bool (*has)(const void *ctx, uint32_t v), const void *ctx,
		       struct axis_set *ret)
{
	struct range *r;
	size_t n = 0;
	bool in = false;

	for (uint32_t v = 0; v <= max; v++) {
		bool is = has(ctx, v);

		n += is && !in;
		in = is;
	}
	r = arena_array(arena, n + 1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	n = 0;
	in = false;
	for (uint32_t v = 0; v <= max; v++) {
		bool is = has(ctx, v);

		if (is && !in)
			r[n++].lo = v;
		if (is)
			r[n - 1].hi = v;
		in = is;
	}
	*ret = (struct axis_set){ .r = r, .n = n };
	return 0;
}

static unsigned int proto_of(const struct cell *c)
{
	static const unsigned int proto[] = {
		[KIND_TCP] = PROTO_TCP, [KIND_UDP] = PROTO_UDP, [KIND_SCTP] = PROTO_SCTP, [KIND_ICMP] = PROTO_ICMP
	};

	return c->kind == KIND_ICMP && c->family == FAMILY_IPV6 ? PROTO_ICMP6 : proto[c->kind];
}

/* The value of PROTO has the family above it. */
static bool has_proto(const void *ctx, uint32_t v)
{
	const struct cell *c = ctx;
	unsigned int p = v & 255;

	if (v >> 8 != c->family)
		return false;
	if (c->kind == KIND_LATER)
		return true;
	if (c->kind != KIND_PLAIN)
		return p == proto_of(c);
	if (p == PROTO_TCP || p == PROTO_UDP || p == PROTO_SCTP)
		return false;
	if (c->family == FAMILY_IPV4)
		return p != PROTO_ICMP;
	/* The extension headers are none. */
	return p != PROTO_ICMP6 && p != 0 && p != 43 && p != 44 && p != 51 && p != 60;
}

static bool has_frag(const void *ctx, uint32_t v)
{
	const struct cell *c = ctx;

	return c->kind == KIND_LATER ? v == FRAG_LATER : v < FRAG_LATER;
}

static bool has_ext(const void *ctx, uint32_t v)
{
	const struct cell *c = ctx;

	return v < 32 && (c->kind != KIND_LATER || v & BIT(EXT_FRAGMENT));
}

struct in_state {
	const struct cell *cell;
	const struct states *states;
};

static bool state_fits(const struct in_state *x, const struct packet *p)
{
	enum state alone = track_state_alone(p, false), picked = track_state_alone(p, true);
	struct track_key key;

	switch (x->cell->state) {
	case STATE_ESTABLISHED:
		return track_key_get(p, DIRECTION_INGRESS, &key);
	case STATE_RELATED:
		return track_is_error(p);
	default:
		return (x->states->gives_up && alone == x->cell->state) || (x->states->picks_up && picked == x->cell->state);
	}
}

/* Flags, or type and code, that a packet of this state can have. */
static bool has_flags(const void *ctx, uint32_t v)
{
	const struct in_state *x = ctx;
	struct packet p = { .family = x->cell->family };

	p.present[FIELD_TCPFLAGS] = true;
	p.value[FIELD_TCPFLAGS] = v;
	return !x->states->tracks || state_fits(x, &p);
}

/* By type: no code matters to tracking. */
static bool has_type(const void *ctx, uint32_t v)
{
	const struct in_state *x = ctx;
	enum field_id id = x->cell->family == FAMILY_IPV4 ? FIELD_ICMP : FIELD_ICMP6;
	struct packet p = { .family = x->cell->family };

	p.present[id] = true;
	p.value[id] = v << 8;
	return !x->states->tracks || state_fits(x, &p);
}

static int domain_add(struct space *s, struct cell *c, unsigned int dim, const struct axis_set *set)
{
	c->dims |= BIT(dim);
	return axis_intern(&s->axis[axis_of(dim, c->family)], *set, &c->domain_id[dim]);
}

static int domain_that(struct space *s, struct cell *c, unsigned int dim, uint32_t max, bool (*has)(const void *, uint32_t),
		       const void *ctx)
{
	struct axis_set set;
	int err = values_that(s->arena, max, has, ctx, &set);

	return err ? err : domain_add(s, c, dim, &set);
}

/* Every value there is. */
static int domain_whole(struct space *s, struct cell *c, unsigned int dim)
{
	struct axis_data *a = &s->axis[axis_of(dim, c->family)];
	struct axis_set set = { .n = 1 };

	if (a->max > UINT64_MAX) {
		struct range6 *r = arena_alloc(s->arena, sizeof(*r));

		if (!r)
			return -ENOMEM;
		r->hi = a->max;
		set.r6 = r;
	} else {
		struct range *r = arena_alloc(s->arena, sizeof(*r));

		if (!r)
			return -ENOMEM;
		r->hi = (uint64_t)a->max;
		set.r = r;
	}
	return domain_add(s, c, dim, &set);
}

/* Absent counts as 0 with VLAN and ETHERTYPE. */
static int domain_ethertype(struct space *s, struct cell *c)
{
	static const struct range four[] = { { 0x0800, 0x0800 } }, six[] = { { 0x86dd, 0x86dd } };
	static const struct range other[] = {
		{ 0, 0 }, { 0x0600, 0x07ff }, { 0x0801, 0x80ff }, { 0x8101, 0x86dc }, { 0x86de, 0x88a7 }, { 0x88a9, 0xffff },
	};
	struct axis_set set = { .r = four, .n = 1 };

	if (c->family == FAMILY_IPV6)
		set.r = six;
	if (c->family == FAMILY_OTHER)
		set = (struct axis_set){ .r = other, .n = sizeof(other) / sizeof(other[0]) };
	return domain_add(s, c, FIELD_ETHERTYPE, &set);
}

static int domain_len(struct space *s, struct cell *c)
{
	struct range *r = arena_alloc(s->arena, sizeof(*r));

	if (!r)
		return -ENOMEM;
	*r = (struct range){ cell_min_len(c) + (c->family == FAMILY_IPV6 && c->kind == KIND_LATER ? 8 : 0), 65535 };
	return domain_add(s, c, FIELD_LEN, &(struct axis_set){ .r = r, .n = 1 });
}

static int domain_icmp(struct space *s, struct cell *c, const struct in_state *in)
{
	struct axis_set types;
	struct range *r;
	int err = values_that(s->arena, 255, has_type, in, &types);

	r = err ? NULL : arena_array(s->arena, types.n + 1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	for (size_t i = 0; i < types.n; i++)
		r[i] = (struct range){ types.r[i].lo << 8, types.r[i].hi << 8 | 255 };
	types.r = r;
	return domain_add(s, c, c->family == FAMILY_IPV4 ? FIELD_ICMP : FIELD_ICMP6, &types);
}

static int cell_fill_ip(struct space *s, struct cell *c, const struct states *states)
{
	static const uint8_t whole[] = { FIELD_DSCP, FIELD_TTL, FIELD_ECN, DIM_SRC, DIM_DST, DIM_LIVE_SRC, DIM_LIVE_DST };
	const struct in_state in = { c, states };
	int err = domain_that(s, c, FIELD_PROTO, 1023, has_proto, c);

	for (size_t i = 0; i < sizeof(whole) && !err; i++)
		err = domain_whole(s, c, whole[i]);
	err = err ? err : domain_that(s, c, FIELD_FRAG, FRAG_LATER, has_frag, c);
	err = err ? err : domain_len(s, c);
	if (!err && c->family == FAMILY_IPV6)
		err = domain_that(s, c, FIELD_EXT, 255, has_ext, c);
	if (!err && (c->kind == KIND_TCP || c->kind == KIND_UDP || c->kind == KIND_SCTP)) {
		err = domain_whole(s, c, FIELD_SPORT);
		err = err ? err : domain_whole(s, c, FIELD_DPORT);
	}
	if (!err && c->kind == KIND_TCP)
		err = domain_that(s, c, FIELD_TCPFLAGS, 255, has_flags, &in);
	if (!err && c->kind == KIND_ICMP)
		err = domain_icmp(s, c, &in);
	return err;
}

static int cell_add(struct space *s, enum family family, enum kind kind, enum state state, const struct states *states)
{
	struct cell *c = &s->cell[s->ncells++];
	int err;

	*c = (struct cell){ .family = family, .kind = kind, .state = state };
	err = domain_whole(s, c, FIELD_MAC);
	err = err ? err : domain_whole(s, c, FIELD_VLAN);
	err = err ? err : domain_ethertype(s, c);
	return err || family == FAMILY_OTHER ? err : cell_fill_ip(s, c, states);
}

/* Can packets of a kind have this state? */
static bool kind_has(enum kind kind, enum state state, const struct states *states)
{
	bool flow = kind != KIND_LATER && kind != KIND_OTHER;

	if (!states->tracks || !flow)
		return state == STATE_NONE;
	switch (state) {
	case STATE_NEW:
		return true;
	case STATE_ESTABLISHED:
		return states->keeps;
	case STATE_RELATED:
		return states->keeps && kind == KIND_ICMP;
	case STATE_INVALID:
		return kind == KIND_TCP || kind == KIND_ICMP;
	default:
		return false;
	}
}

int cells_make(struct space *s, const struct space_list *lists, size_t n)
{
	const struct states states = states_of(lists, n);
	int err = 0;

	s->tracks = states.tracks;
	s->cell = arena_array(s->arena, FAMILY_COUNT * KIND_COUNT * STATE_COUNT, sizeof(*s->cell));
	if (!s->cell)
		return -ENOMEM;
	for (int family = FAMILY_IPV4; family < FAMILY_COUNT; family++)
		for (int kind = 0; kind < KIND_OTHER; kind++)
			for (int state = 0; state < STATE_COUNT && !err; state++)
				if (kind_has((enum kind)kind, (enum state)state, &states))
					err = cell_add(s, (enum family)family, (enum kind)kind, (enum state)state, &states);
	return err ? err : cell_add(s, FAMILY_OTHER, KIND_OTHER, STATE_NONE, &states);
}

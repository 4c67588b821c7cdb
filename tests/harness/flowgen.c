// SPDX-License-Identifier: GPL-2.0-only
#include "harness/flowgen.h"

#include "base/arena.h"
#include "base/str.h"
#include "harness/flow_pool.h"
#include "harness/flowgen_priv.h"
#include "model/witness.h"

#include <string.h>

#define F 1u
#define SYN 2u
#define R 4u
#define ACK 16u

/* Something of the packets beside what the key is made of; rules of RULEGEN_FLOWS ask for it. */
static void conn_details(struct flowgen *g, struct packet_spec *s)
{
	struct prng *p = &g->prng;

	if (prng_chance(p, 1, 4))
		s->has_mac = true, s->mac = prng_range(p, 0x020000000001, 0x020000000003);
	if (prng_chance(p, 1, 6))
		s->has_vlan = true, s->vlan = (uint16_t)prng_range(p, 5, 7);
	if (prng_chance(p, 1, 4))
		s->dscp = (uint8_t)prng_range(p, 8, 11), s->ecn = (uint8_t)prng_below(p, 4);
	if (prng_chance(p, 1, 4))
		s->has_ttl = true, s->ttl = (uint8_t)prng_range(p, 63, 66);
	if (s->family == FAMILY_IPV6 && prng_chance(p, 1, 8))
		s->ext = (uint8_t)prng_below(p, 32);
	if (prng_chance(p, 1, 16))
		s->frag = (enum frag)prng_range(p, FRAG_FIRST, FRAG_LATER);
}

static void conn_protocol(struct flowgen *g, struct packet_spec *s)
{
	static const unsigned int protocols[] = { 6, 6, 6, 6, 6, 17, 17, 17, 1, 1, 132, 47 };
	static const uint8_t queries[] = { 8, 8, 8, 8, 13, 15, 17 };

	s->protocol = protocols[prng_below(&g->prng, sizeof(protocols) / sizeof(protocols[0]))];
	s->has_ports = s->protocol == 6 || s->protocol == 17 || s->protocol == 132;
	if (s->protocol != 1)
		return;
	s->has_icmp = true;
	s->icmp_type = queries[prng_below(&g->prng, sizeof(queries))];
	if (s->family == FAMILY_IPV6) {
		s->protocol = 58;
		s->icmp_type = 128;
	}
}

static void conn_new(struct flowgen *g, struct conn *c)
{
	struct prng *p = &g->prng;
	struct packet_spec s = { .family = prng_chance(p, 1, 2) ? FAMILY_IPV4 : FAMILY_IPV6 };

	*c = (struct conn){ .dir = (enum direction)prng_below(p, DIRECTION_COUNT), .last_ns = g->now_ns };
	conn_protocol(g, &s);
	s.dst = flow_host(s.family, prng_below(p, FLOW_INSIDE));
	s.src = flow_host(s.family, prng_range(p, FLOW_INSIDE, FLOW_HOSTS - 1));
	if (c->dir == DIRECTION_EGRESS) {
		u128 outside = s.src;

		s.src = s.dst;
		s.dst = outside;
	}
	if (prng_chance(p, 1, 8)) /* forwarded, or the other way round */
		s.src = flow_host(s.family, prng_below(p, FLOW_HOSTS));
	s.sport = flow_client[prng_below(p, FLOW_CLIENTS)];
	s.dport = flow_server[prng_below(p, FLOW_SERVERS)];
	if (prng_chance(p, 1, 10))
		s.sport = s.dport;
	if (prng_chance(p, 1, 2))
		conn_details(g, &s);
	if (s.frag == FRAG_LATER)
		s.has_ports = s.has_icmp = false;
	c->icmp_id = (uint16_t)prng_range(p, 1, 3);
	c->open = s;
}

/* One that a rule of the policy matches. */
static void conn_aim(struct flowgen *g, struct conn *c)
{
	const struct chain *chain = &g->policy->chain[c->dir];
	struct packet_spec s;

	if (!chain->nrules || witness_find(&chain->rules[prng_below(&g->prng, chain->nrules)], prng_u64(&g->prng), &s))
		return;
	if (s.family == FAMILY_OTHER || s.raw || packet_spec_min_len(&s) > 200 || s.len > 1000)
		return;
	c->open = s;
}

/* The talk of two TCP ends: who says what. */
static const struct {
	bool opener;
	unsigned int flags;
} script[] = {
	{ true, SYN }, { false, SYN | ACK }, { true, ACK },	{ true, ACK | 8 },   { false, ACK | 8 },
	{ false, ACK }, { true, ACK | 8 },   { false, F | ACK }, { true, ACK },	     { true, F | ACK },
	{ false, ACK }, { true, SYN },	     { false, SYN | ACK }, { true, R | ACK },
};
#define SCRIPT (sizeof(script) / sizeof(script[0]))

static unsigned int odd_flags(struct flowgen *g)
{
	static const uint8_t flags[] = { SYN, SYN | ACK, ACK, 8 | ACK, F | ACK, F, R, R | ACK, SYN | F, SYN | R, 0, F | R | ACK, SYN };

	return prng_chance(&g->prng, 1, 8) ? (unsigned int)prng_below(&g->prng, 256) : flags[prng_below(&g->prng, sizeof(flags))];
}

/* In the direction in which it travels; now and then at the other interface, where it is forwarded to. */
static size_t say(struct flowgen *g, struct conn *c, bool opener, unsigned int flags, struct flowgen_step *s)
{
	s->dir = opener ? c->dir : flowgen_other_way(c->dir);
	if (prng_chance(&g->prng, 1, 24))
		s->dir = flowgen_other_way(s->dir);
	c->last_ns = g->now_ns;
	return flowgen_packet(g, c, opener, flags, s->frame);
}

static size_t talk(struct flowgen *g, struct conn *c, struct flowgen_step *s)
{
	bool tcp = c->open.protocol == 6, opener = !tcp && c->script == 0;
	unsigned int flags = SYN;
	size_t len;

	s->what = "as it goes on";
	if (tcp && prng_chance(&g->prng, 3, 4)) {
		opener = script[c->script].opener;
		flags = script[c->script].flags;
		len = say(g, c, opener, flags, s);
		if (!prng_chance(&g->prng, 1, 6)) /* else it is sent again */
			c->script = (c->script + 1) % SCRIPT;
		return len;
	}
	if (tcp) {
		s->what = "out of turn";
		return say(g, c, prng_chance(&g->prng, 1, 2), odd_flags(g), s);
	}
	opener = !c->script || prng_chance(&g->prng, 1, 2);
	len = say(g, c, opener, flags, s);
	c->script = 1;
	return len;
}

/* Many openings in one moment: of one source, of its neighbours, of one flow. */
static size_t flood(struct flowgen *g, struct flowgen_step *s)
{
	struct conn c = *g->again;

	g->times--;
	s->what = "flood";
	c.script = 0;
	if (prng_chance(&g->prng, 1, 2))
		c.open.sport = (uint16_t)prng_range(&g->prng, 2000, 2003);
	if (prng_chance(&g->prng, 1, 4))
		c.open.src ^= prng_below(&g->prng, 3);
	s->dir = c.dir;
	return flowgen_packet(g, &c, true, SYN, s->frame);
}

static size_t stray(struct flowgen *g, struct flowgen_step *s)
{
	s->what = "stray";
	s->dir = (enum direction)prng_below(&g->prng, DIRECTION_COUNT);
	g->other.chain = &g->policy->chain[s->dir];
	g->other.no_meta = g->opts.no_meta;
	g->other.valid_only = g->opts.no_faults;
	return framegen_next(&g->other, s->frame, sizeof(s->frame), &s->meta);
}

static size_t frame_next(struct flowgen *g, struct flowgen_step *s)
{
	struct conn *c = g->last && prng_chance(&g->prng, 2, 3) ? g->last : &g->conn[prng_below(&g->prng, CONNS)];
	uint64_t kind = prng_below(&g->prng, 100);

	g->last = c;
	if (g->times)
		return flood(g, s);
	if (kind < 72)
		return talk(g, c, s);
	if (kind < 84) {
		bool about_opener = prng_chance(&g->prng, 1, 2);

		s->dir = about_opener ? flowgen_other_way(c->dir) : c->dir;
		if (prng_chance(&g->prng, 1, 16))
			s->dir = flowgen_other_way(s->dir);
		return flowgen_error(g, c, about_opener, s->frame, &s->what);
	}
	if (kind < 88) {
		g->again = c;
		g->flood_ns = g->now_ns;
		g->times = (unsigned int)prng_range(&g->prng, 2, 12);
		return flood(g, s);
	}
	if (kind < 92)
		return stray(g, s);
	conn_new(g, c);
	if (prng_chance(&g->prng, 1, 3))
		conn_aim(g, c);
	return talk(g, c, s);
}

/* A host of the pool, its prefix, or what some conversation comes from. */
static void set_next(struct flowgen *g, struct flowgen_step *s)
{
	static const unsigned int len4[] = { 32, 32, 31, 24, 8 }, len6[] = { 128, 128, 127, 64, 33 };
	struct conn *c = &g->conn[prng_below(&g->prng, CONNS)];
	uint64_t len = prng_below(&g->prng, 5);
	unsigned int off;

	s->kind = prng_chance(&g->prng, 2, 3) ? FLOWGEN_ADD : FLOWGEN_DEL;
	s->what = "live set";
	s->set = g->policy->live[prng_below(&g->prng, g->policy->nlive)];
	s->family = c->open.family;
	s->addr = prng_chance(&g->prng, 1, 2) ? c->open.src : flow_host(s->family, prng_below(&g->prng, FLOW_HOSTS));
	s->plen = s->family == FAMILY_IPV4 ? len4[len] : len6[len];
	off = (s->family == FAMILY_IPV4 ? 32 : 128) - s->plen;
	s->addr = s->addr >> off << off;
	s->end_ns = UINT64_MAX;
	if (prng_chance(&g->prng, 1, 4))
		return;
	s->end_ns = g->now_ns + prng_range(&g->prng, 1, 10) * 1000000000;
	g->ban_end_ns = s->end_ns;
	g->banned = c;
}

struct flowgen *flowgen_new(struct arena *arena, const struct policy *policy, const struct flowgen_opts *opts, uint64_t seed)
{
	struct flowgen *g = policy ? arena_alloc(arena, sizeof(*g)) : NULL;

	if (!g)
		return NULL;
	*g = (struct flowgen){ .arena = arena, .policy = policy, .now_ns = FLOWGEN_START_NS };
	if (opts)
		g->opts = *opts;
	prng_init(&g->prng, seed);
	framegen_init(&g->other, NULL, prng_u64(&g->prng));
	for (int i = 0; i < CONNS; i++) {
		conn_new(g, &g->conn[i]);
		if (prng_chance(&g->prng, 1, 3))
			conn_aim(g, &g->conn[i]);
	}
	return g;
}

bool flowgen_next(struct flowgen *g, struct flowgen_step *s)
{
	uint64_t kind = g->times ? 0 : prng_below(&g->prng, 100);

	s->meta = (struct packet_meta){};
	s->what = "";
	if (kind >= 98 && !g->opts.no_swaps) {
		s->kind = FLOWGEN_POLICY;
		s->policy = flowgen_swap(g, &s->what);
		return s->policy;
	}
	if (kind >= 95 && g->policy->nlive && !g->opts.no_live) {
		set_next(g, s);
		return true;
	}
	if (kind >= 86) {
		s->kind = FLOWGEN_CLOCK;
		s->now_ns = g->now_ns = flowgen_later(g, &s->what);
		return true;
	}
	s->kind = FLOWGEN_FRAME;
	do
		s->len = frame_next(g, s);
	while (!s->len);
	return true;
}

void flowgen_describe(const struct flowgen_step *s, struct str *out)
{
	switch (s->kind) {
	case FLOWGEN_FRAME:
		str_addf(out, "%s %s: ", s->dir == DIRECTION_INGRESS ? "ingress" : "egress", s->what);
		framegen_describe(s->frame, s->len, &s->meta, out);
		break;
	case FLOWGEN_CLOCK:
		str_addf(out, "%s: it is %llu", s->what, (unsigned long long)s->now_ns);
		break;
	case FLOWGEN_ADD:
	case FLOWGEN_DEL:
		str_addf(out, "%s %s %llx:%016llx/%u till %llu", s->kind == FLOWGEN_ADD ? "add" : "del", s->set->name,
			 (unsigned long long)(s->addr >> 64), (unsigned long long)s->addr, s->plen,
			 (unsigned long long)s->end_ns);
		break;
	case FLOWGEN_POLICY:
		str_addf(out, "policy: %s", s->what);
	}
}

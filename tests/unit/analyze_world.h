/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small worlds: rules whose sets are made of a few values and "the rest" of a field, and every packet that such rules can tell
 * apart, made by packet_build and read by packet_parse. What the analysis says is compared with a look at all of them.
 */
#ifndef FW_TESTS_ANALYZE_WORLD_H
#define FW_TESTS_ANALYZE_WORLD_H

#include "base/arena.h"
#include "harness/prng.h"
#include "harness/rulegen.h"
#include "model/eval.h"
#include "model/track_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORLD_IP      (1u << FAMILY_IPV4 | 1u << FAMILY_IPV6)
#define WORLD_ALL     (WORLD_IP | 1u << FAMILY_OTHER)
#define WORLD_LIVE    (1u << FIELD_COUNT) /* live sets, beside the bits of fields */
#define WORLD_PACKETS 200000
#define WORLD_ATOMS   24

struct world {
	struct arena *arena; /* of the rules: renewed for each set of them */
	struct prng prng;
	uint32_t fields;
	bool tracks;
	unsigned int nlive;
	struct packet *packet;
	size_t n;
};

static const uint64_t world_ports[] = { 0, 1, 2, 65535, 7000 };
static const uint64_t world_vlans[] = { 0, 1, 2, 4095, 700 };
static const uint64_t world_types[] = { 46, 0x0806, 0x88b5, 0x9000 };
static const uint64_t world_bytes[] = { 0, 1, 255, 64 };
static const uint64_t world_dscp[] = { 0, 1, 63, 40 };
static const uint64_t world_two[] = { 0, 1, 2, 3 };
static const uint64_t world_macs[] = { 1, 0x020000000001, 0xffffffffffff, 0x0200aabbccdd };
static const uint64_t world_addr[] = { 1, 2, 0xffffffff, 0xc6336407 };
static const uint64_t world_lens[] = { 28, 40, 48, 60, 400, 65535, 1000 };
static const uint64_t world_icmp[] = { 0x0000, 0x0300, 0x0301, 0x0500, 0x0800, 0x0801, 0x0d00, 0x0900 };
static const uint64_t world_icmp6[] = { 0x0100, 0x0200, 0x8000, 0x8001, 0x8100, 0x8700, 0x0900 };
static const uint64_t world_proto[] = { 1, 6, 17, 47, 58, 132, 99 };

struct world_pool {
	const uint64_t *v;
	size_t n;
};
#define POOL(a) { a, sizeof(a) / sizeof(a[0]) }
/* The last value of a pool stands for the rest. */
static inline struct world_pool world_pool(int field)
{
	static const struct world_pool pools[FIELD_COUNT] = {
		[FIELD_SPORT] = POOL(world_ports), [FIELD_DPORT] = POOL(world_ports), [FIELD_VLAN] = POOL(world_vlans),
		[FIELD_ETHERTYPE] = POOL(world_types), [FIELD_TTL] = POOL(world_bytes), [FIELD_DSCP] = POOL(world_dscp),
		[FIELD_ECN] = POOL(world_two), [FIELD_FRAG] = POOL(world_two), [FIELD_MAC] = POOL(world_macs),
		[FIELD_SRC] = POOL(world_addr), [FIELD_DST] = POOL(world_addr), [FIELD_LEN] = POOL(world_lens),
		[FIELD_ICMP] = POOL(world_icmp), [FIELD_ICMP6] = POOL(world_icmp6), [FIELD_PROTO] = POOL(world_proto),
	};

	return pools[field];
}

/* Values of a field to try: all that rules tell apart, or the first and usual one. */
static inline struct world_pool world_try(const struct world *w, int field)
{
	struct world_pool p = world_pool(field);

	if (!(w->fields >> field & 1)) {
		p.v += p.n - 1;
		p.n = 1;
	}
	return p;
}

static inline void world_add(struct world *w, const struct packet *p)
{
	if (w->n == WORLD_PACKETS)
		abort();
	w->packet[w->n++] = *p;
}

/* Every state that tracking can give it, and every membership. */
static inline void world_states(struct world *w, const struct packet_spec *s)
{
	static uint8_t frame[PACKET_MAX_FRAME];
	long len = packet_build(s, frame, sizeof(frame));
	struct packet p = {};
	struct track_key key;

	if (len < 0 || packet_parse(frame, (size_t)len, NULL, &p))
		return;
	for (uint32_t live = 0; live < (p.family == FAMILY_OTHER ? 1u : 1u << 2 * w->nlive); live++) {
		p.live_src = live & ((1u << w->nlive) - 1);
		p.live_dst = live >> w->nlive;
		if (!w->tracks) {
			p.value[FIELD_STATE] = STATE_NONE;
			world_add(w, &p);
			continue;
		}
		for (int state = 0; state < STATE_COUNT; state++) {
			bool can = track_state_alone(&p, true) == (enum state)state || track_state_alone(&p, false) == (enum state)state;

			if (state == STATE_ESTABLISHED)
				can = track_key_get(&p, DIRECTION_INGRESS, &key);
			if (state == STATE_RELATED)
				can = track_is_error(&p);
			p.value[FIELD_STATE] = (uint64_t)state;
			if (can)
				world_add(w, &p);
		}
	}
}

#define EACH(pool, i) for (size_t i = 0; i < (pool).n; i++)

static inline void world_l4(struct world *w, struct packet_spec s)
{
	struct world_pool sport = world_try(w, FIELD_SPORT), dport = world_try(w, FIELD_DPORT);
	bool later = s.frag == FRAG_LATER, v4 = s.family == FAMILY_IPV4;

	if (!later && (s.protocol == 6 || s.protocol == 17 || s.protocol == 132)) {
		unsigned int flags = s.protocol == 6 && (w->tracks || w->fields >> FIELD_TCPFLAGS & 1) ? 32 : 1;

		s.has_ports = true;
		EACH(sport, i) EACH(dport, k) for (unsigned int f = 0; f < flags; f++) {
			s.sport = (uint16_t)sport.v[i];
			s.dport = (uint16_t)dport.v[k];
			s.has_flags = flags > 1;
			s.flags = (uint8_t)f;
			if (!(f & 8)) /* of five bits, four: F, S, R, A */
				world_states(w, &s);
		}
	} else if (!later && s.protocol == (v4 ? 1u : 58u)) {
		/* "The rest" has messages of every state, so more than one stands for it: a query, a reply, an error. */
		static const uint64_t rest4[] = { 0x0f00, 0x0e00, 0x0b00 }, rest6[] = { 0x8002, 0x8101, 0x0300 };
		struct world_pool icmp = world_pool(v4 ? FIELD_ICMP : FIELD_ICMP6);

		s.has_icmp = true;
		for (size_t i = 0; i < icmp.n + 3; i++) {
			uint64_t value = i < icmp.n ? icmp.v[i] : (v4 ? rest4 : rest6)[i - icmp.n];

			s.icmp_type = (uint8_t)(value >> 8);
			s.icmp_code = (uint8_t)value;
			world_states(w, &s);
		}
	} else {
		world_states(w, &s);
	}
}

static inline void world_ip(struct world *w, struct packet_spec s)
{
	struct world_pool src = world_try(w, FIELD_SRC), dst = world_try(w, FIELD_DST), ttl = world_try(w, FIELD_TTL),
			  dscp = world_try(w, FIELD_DSCP), ecn = world_try(w, FIELD_ECN), len = world_try(w, FIELD_LEN),
			  proto = world_pool(FIELD_PROTO);
	unsigned int exts = s.family == FAMILY_IPV4 ? 1 : w->fields >> FIELD_EXT & 1 ? 32 : 5;

	EACH(src, a) EACH(dst, b) EACH(ttl, c) EACH(dscp, d) EACH(ecn, e) EACH(len, f) EACH(proto, g) {
		for (unsigned int ext = 0; ext < exts; ext++) {
			for (int frag = FRAG_NONE; frag <= FRAG_LATER; frag++) {
				/* Beside the field EXT itself: with and without a fragment header. */
				if ((exts == 5 && ext && ext != 1u << EXT_FRAGMENT) ||
				    (s.family == FAMILY_IPV6 && frag && !(ext & 1u << EXT_FRAGMENT)))
					continue;
				s.src = src.v[a];
				s.dst = dst.v[b];
				s.has_ttl = true;
				s.ttl = (uint8_t)ttl.v[c];
				s.dscp = (uint8_t)dscp.v[d];
				s.ecn = (uint8_t)ecn.v[e];
				s.len = w->fields >> FIELD_LEN & 1 ? (unsigned int)len.v[f] : 0;
				s.protocol = (unsigned int)proto.v[g];
				s.ext = (uint8_t)ext;
				s.frag = (enum frag)frag;
				world_l4(w, s);
			}
		}
	}
}

/* fields: bits of enum field_id and WORLD_LIVE. */
static inline void world_init(struct world *w, uint32_t fields, bool tracks, uint64_t seed)
{
	struct world_pool vlan, mac, type;

	*w = (struct world){ .fields = fields, .tracks = tracks, .nlive = fields & WORLD_LIVE ? 2 : 0 };
	prng_init(&w->prng, seed);
	w->packet = calloc(WORLD_PACKETS, sizeof(*w->packet));
	vlan = world_try(w, FIELD_VLAN);
	mac = world_try(w, FIELD_MAC);
	type = world_pool(FIELD_ETHERTYPE);
	EACH(vlan, i) EACH(mac, k) {
		struct packet_spec s = { .has_vlan = vlan.v[i], .vlan = (uint16_t)vlan.v[i], .has_mac = true, .mac = mac.v[k] };

		EACH(type, t) {
			s.family = FAMILY_OTHER;
			s.has_ethertype = true;
			s.ethertype = (uint16_t)type.v[t];
			world_states(w, &s);
		}
		s.has_ethertype = false;
		s.family = FAMILY_IPV4;
		world_ip(w, s);
		s.family = FAMILY_IPV6;
		world_ip(w, s);
	}
}

static inline void world_fini(struct world *w)
{
	arena_free(w->arena);
	free(w->packet);
}

/* Some of the values of the pool, and of the last one all the rest. */
static inline const struct vset *world_vset(struct world *w, int field, uint64_t max)
{
	struct world_pool pool = world_pool(field);
	struct range r[WORLD_ATOMS];
	struct vset *some, *rest, *all;
	size_t n = 0;

	for (size_t i = 0; i < pool.n; i++)
		r[i] = (struct range){ pool.v[i], pool.v[i] };
	if (vset_build(w->arena, r, pool.n - 1, &some) || vset_invert(w->arena, some, max, &rest))
		abort();
	if (prng_chance(&w->prng, 1, 40))
		return vset_build(w->arena, r, 0, &all), all;
	while (!n)
		for (size_t i = 0; i + 1 < pool.n; i++)
			if (prng_chance(&w->prng, 1, 2))
				r[n++] = (struct range){ pool.v[i], pool.v[i] };
	if (prng_chance(&w->prng, 1, 3))
		for (size_t i = 0; i < rest->n; i++)
			r[n++] = rest->r[i];
	return vset_build(w->arena, r, n, &all) ? NULL : all;
}

/* By the bits that world_l4 tells apart. */
static inline const struct vset *world_flags(struct world *w)
{
	uint32_t chosen = (uint32_t)prng_u64(&w->prng) | (uint32_t)prng_u64(&w->prng);
	struct range r[256];
	struct vset *all;
	size_t n = 0;

	for (unsigned int v = 0; v < 256; v++)
		if (chosen >> (v & 0x17) & 1)
			r[n++] = (struct range){ v, v };
	return vset_build(w->arena, r, n, &all) ? NULL : all;
}

/* Both families, or different protocols for each. */
static inline const struct vset *world_protos(struct world *w)
{
	const struct vset *four = world_vset(w, FIELD_PROTO, 255),
			  *six = prng_chance(&w->prng, 3, 4) ? four : world_vset(w, FIELD_PROTO, 255);
	struct range r[2 * WORLD_ATOMS];
	struct vset *all;
	size_t n = 0;

	for (size_t i = 0; i < four->n; i++)
		r[n++] = (struct range){ FAMILY_IPV4 << 8 | four->r[i].lo, FAMILY_IPV4 << 8 | four->r[i].hi };
	for (size_t i = 0; i < six->n; i++)
		r[n++] = (struct range){ FAMILY_IPV6 << 8 | six->r[i].lo, FAMILY_IPV6 << 8 | six->r[i].hi };
	return vset_build(w->arena, r, n, &all) ? NULL : all;
}

static inline const struct vset *world_exts(struct world *w)
{
	uint32_t chosen = (uint32_t)prng_u64(&w->prng) & (uint32_t)prng_u64(&w->prng);
	struct range r[33];
	struct vset *all;
	size_t n = 0;

	for (unsigned int v = 0; v < 32; v++)
		if (chosen >> v & 1)
			r[n++] = (struct range){ v, v };
	if (prng_chance(&w->prng, 1, 3))
		r[n++] = (struct range){ 32, 255 };
	return vset_build(w->arena, r, n, &all) ? NULL : all;
}

static inline const struct aset *world_aset(struct world *w)
{
	struct aset_builder b = { .arena = w->arena };
	unsigned int families = prng_chance(&w->prng, 2, 3) ? 3 : 1 + (unsigned int)prng_below(&w->prng, 2);
	struct aset *s;

	for (int family = 0; family < 2; family++) {
		const struct vset *v = world_vset(w, FIELD_SRC, UINT32_MAX);

		for (size_t i = 0; i < v->n && families >> family & 1; i++) {
			if (family)
				aset_add6(&b, v->r[i].lo, v->r[i].hi);
			else
				aset_add4(&b, (uint32_t)v->r[i].lo, (uint32_t)v->r[i].hi);
		}
		if (family && families & 2 && vset_has(v, world_addr[3]))
			aset_add6(&b, (u128)1 << 32, ~(u128)0);
	}
	return aset_build(&b, &s) ? NULL : s;
}

static inline void world_rule(struct world *w, struct rule *r, size_t i)
{
	static const unsigned int families[] = { WORLD_IP, WORLD_IP, WORLD_IP, WORLD_ALL, 1u << FAMILY_IPV4, 1u << FAMILY_IPV6,
						 1u << FAMILY_OTHER };
	unsigned int verdict = (unsigned int)prng_below(&w->prng, 16);

	*r = (struct rule){ .families = families[prng_below(&w->prng, 7)], .file = "world.fw", .line = (unsigned int)i + 1 };
	r->verdict = verdict < 7 ? VERDICT_PASS : verdict < 13 ? VERDICT_DROP : verdict < 14 ? VERDICT_REJECT : VERDICT_CONTINUE;
	r->text = arena_printf(w->arena, "rule %zu", i);
	for (int f = 0; f < FIELD_VALUE_COUNT; f++) {
		uint64_t max = f == FIELD_MAC ? 0xffffffffffff : (1ull << field_get((enum field_id)f)->bits) - 1;

		if (!(w->fields >> f & 1) || f == FIELD_STATE || prng_chance(&w->prng, 1, 2))
			continue;
		r->value[f] = f == FIELD_TCPFLAGS ? world_flags(w)
			      : f == FIELD_PROTO	? world_protos(w)
			      : f == FIELD_EXT	? world_exts(w)
						: world_vset(w, f, max);
	}
	if (w->fields >> FIELD_SRC & 1 && prng_chance(&w->prng, 1, 2))
		r->src = world_aset(w);
	if (w->fields >> FIELD_DST & 1 && prng_chance(&w->prng, 1, 2))
		r->dst = world_aset(w);
	if (w->nlive && !r->src && prng_chance(&w->prng, 1, 3))
		r->live_src = (struct live_match){ 1 + (uint32_t)prng_below(&w->prng, 3), prng_chance(&w->prng, 1, 3) };
	if (w->nlive && !r->dst && prng_chance(&w->prng, 1, 3))
		r->live_dst = (struct live_match){ 1 + (uint32_t)prng_below(&w->prng, 3), prng_chance(&w->prng, 1, 3) };
	if (w->tracks && prng_chance(&w->prng, 1, 3)) {
		struct range r5[STATE_COUNT];
		struct vset *all;
		size_t n = 0;

		for (unsigned int s = 0; s < STATE_COUNT; s++)
			if (prng_chance(&w->prng, 1, 2))
				r5[n++] = (struct range){ s, s };
		if (!vset_build(w->arena, r5, n, &all))
			r->value[FIELD_STATE] = all;
	}
	r->keep_state = w->tracks && r->verdict == VERDICT_PASS && !r->value[FIELD_STATE] && prng_chance(&w->prng, 2, 3);
}

/* A policy with one block of n rules. The memory is that of the world till the next call with `renew`. */
static inline struct policy *world_policy(struct world *w, size_t n, bool renew)
{
	struct policy *p;
	struct chain *c;

	if (renew) {
		arena_free(w->arena);
		w->arena = arena_new();
	}
	p = arena_alloc(w->arena, sizeof(*p));
	p->name = "world";
	p->file = "world.fw";
	p->line = 1;
	state_opts_default(&p->state);
	for (unsigned int i = 0; i < w->nlive; i++)
		p->live[p->nlive++] = &rulegen_live[i];
	for (int d = 0; d < DIRECTION_COUNT; d++)
		p->chain[d].fallback = VERDICT_PASS;
	c = &p->chain[DIRECTION_INGRESS];
	c->present = true;
	c->fallback = prng_chance(&w->prng, 2, 3) ? VERDICT_DROP : VERDICT_PASS;
	c->nrules = n;
	c->rules = arena_array(w->arena, n + 1, sizeof(*c->rules));
	for (size_t i = 0; i < n; i++)
		world_rule(w, &c->rules[i], i);
	/* Packets of flows need a rule that keeps state. */
	if (w->tracks) {
		struct rule *r = arena_array(w->arena, 1, sizeof(*r));

		world_rule(w, r, 0);
		r->verdict = VERDICT_PASS;
		r->value[FIELD_STATE] = NULL;
		r->keep_state = true;
		p->chain[DIRECTION_EGRESS] = (struct chain){ .present = true, .fallback = VERDICT_PASS, .rules = r, .nrules = 1 };
		if (policy_track(p, w->arena))
			abort();
	}
	return p;
}

/* The packet that a spec of the analysis is, as the world would have it. */
static inline bool world_parse(const struct packet_spec *s, struct packet *ret)
{
	static uint8_t frame[PACKET_MAX_FRAME];
	long len = packet_build(s, frame, sizeof(frame));

	if (len < 0 || packet_parse(frame, (size_t)len, NULL, ret))
		return false;
	ret->value[FIELD_STATE] = s->state;
	ret->live_src = s->live_src;
	ret->live_dst = s->live_dst;
	return true;
}

/* The worlds that the tests go through. */
struct world_kind {
	const char *name;
	uint32_t fields;
	bool tracks;
};
#define F(x) (1u << FIELD_##x)
static const struct world_kind world_kinds[] = {
	{ "proto, ports", F(PROTO) | F(SPORT) | F(DPORT), false },
	{ "proto, ports, flags, states", F(PROTO) | F(DPORT) | F(TCPFLAGS), true },
	{ "proto, icmp, states", F(PROTO) | F(ICMP) | F(ICMP6), true },
	{ "addresses, port", F(SRC) | F(DST) | F(DPORT), false },
	{ "addresses, live sets", F(SRC) | F(DST) | F(PROTO) | WORLD_LIVE, false },
	{ "frag, ext, proto", F(FRAG) | F(EXT) | F(PROTO), false },
	{ "vlan, ethertype, mac", F(VLAN) | F(ETHERTYPE) | F(MAC), false },
	{ "len, ttl, frag", F(LEN) | F(TTL) | F(FRAG), false },
	{ "dscp, ecn, vlan, proto, states", F(DSCP) | F(ECN) | F(VLAN) | F(PROTO), true },
};
#undef F
#define WORLD_KINDS (sizeof(world_kinds) / sizeof(world_kinds[0]))

#endif

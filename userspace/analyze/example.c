// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/example.h"

#include <errno.h>
#include <stdlib.h>

#define BIT(n)	   (1u << (n))
#define LEN_RANGES 64

void side_init(struct side *s, const struct policy *p, enum direction dir, const struct space_list *list)
{
	*s = (struct side){ .policy = p, .chain = &p->chain[dir], .first = list->first };
	s->names_known = p->track && eval_names_known(s->chain);
}

static bool is_known(enum state state)
{
	return state == STATE_ESTABLISHED || state == STATE_RELATED;
}

bool side_asks(const struct side *s, const struct cell *cell)
{
	return s->chain->present && (!s->policy->track || s->names_known || !is_known(cell->state));
}

enum verdict side_fallback(const struct side *s, const struct cell *cell)
{
	return !s->chain->present || (s->policy->track && is_known(cell->state)) ? VERDICT_PASS : s->chain->fallback;
}

int maker_init(struct maker *m, const struct space *s)
{
	*m = (struct maker){ .space = s, .frame = malloc(PACKET_MAX_FRAME) };
	return m->frame ? 0 : -ENOMEM;
}

void maker_fini(struct maker *m)
{
	free(m->frame);
}

/* The first of some values that people know, when it is one of the set; else the lowest of its first class. */
static u128 pick(const struct maker *m, const struct part *p, unsigned int dim, const u128 *liked, size_t n)
{
	unsigned int axis = axis_of(dim, p->cell->family);
	u128 low;

	for (size_t i = 0; i < n; i++)
		if (iset_has(&p->d[dim], space_class(m->space, axis, liked[i])))
			return liked[i];
	low = space_low(m->space, axis, p->d[dim].r[0].lo);
	/* A host reads better than the address of its network. */
	if ((dim == DIM_SRC || dim == DIM_DST) && !(low & 255) &&
	    space_class(m->space, axis, low) == space_class(m->space, axis, low + 1))
		low++;
	return low;
}
#define PICK(m, p, dim, ...)                                                                           \
	({                                                                                             \
		static const u128 liked_[] = { __VA_ARGS__ };                                          \
		pick(m, p, dim, liked_, sizeof(liked_) / sizeof(liked_[0]));                           \
	})

static bool is_whole(const struct part *p, unsigned int dim)
{
	return iset_equal(&p->d[dim], &p->cell->domain[dim]);
}

static void make_l2(const struct maker *m, const struct part *p, struct packet_spec *s)
{
	if (!is_whole(p, FIELD_MAC)) {
		s->has_mac = true;
		s->mac = (uint64_t)PICK(m, p, FIELD_MAC, 0x020000000001);
	}
	s->vlan = (uint16_t)PICK(m, p, FIELD_VLAN, 0);
	s->has_vlan = s->vlan;
	s->state = p->cell->state;
	if (p->cell->family == FAMILY_OTHER) {
		s->has_ethertype = true;
		s->ethertype = (uint16_t)PICK(m, p, FIELD_ETHERTYPE, 0x88b5, 0x0806);
		s->ethertype = s->ethertype ? s->ethertype : 46; /* a length */
	}
}

#define V6(subnet, host) ((u128)(0x20010db800000000ull | (subnet)) << 64 | (host))
static void make_l3(const struct maker *m, const struct part *p, struct packet_spec *s)
{
	if (s->family == FAMILY_IPV4) {
		s->src = PICK(m, p, DIM_SRC, 0xc6336407, 0xcb007107, 0xc0000207); /* 198.51.100.7, 203.0.113.7, 192.0.2.7 */
		s->dst = PICK(m, p, DIM_DST, 0xc0000250, 0xcb007150, 0xc6336450);
	} else {
		s->src = PICK(m, p, DIM_SRC, V6(0x10000, 7), V6(0x20000, 7));
		s->dst = PICK(m, p, DIM_DST, V6(0, 0x80), V6(0x20000, 0x80));
	}
	s->live_src = (uint32_t)PICK(m, p, DIM_LIVE_SRC, 0);
	s->live_dst = (uint32_t)PICK(m, p, DIM_LIVE_DST, 0);
	s->dscp = (uint8_t)PICK(m, p, FIELD_DSCP, 0);
	s->ecn = (uint8_t)PICK(m, p, FIELD_ECN, 0);
	if (s->family == FAMILY_IPV4)
		s->protocol = PICK(m, p, FIELD_PROTO, FAMILY_IPV4 << 8 | 47, FAMILY_IPV4 << 8 | 17) & 255;
	else
		s->protocol = PICK(m, p, FIELD_PROTO, FAMILY_IPV6 << 8 | 47, FAMILY_IPV6 << 8 | 17) & 255;
	if (!is_whole(p, FIELD_TTL)) {
		s->has_ttl = true;
		s->ttl = (uint8_t)PICK(m, p, FIELD_TTL, 64, 255);
	}
}

static void make_l4(const struct maker *m, const struct part *p, struct packet_spec *s)
{
	unsigned int icmp = s->family == FAMILY_IPV4 ? FIELD_ICMP : FIELD_ICMP6;

	if (p->cell->dims & BIT(FIELD_DPORT)) {
		s->has_ports = true;
		s->sport = (uint16_t)PICK(m, p, FIELD_SPORT, 40000, 1024);
		s->dport = (uint16_t)PICK(m, p, FIELD_DPORT, 80, 443, 8080);
	}
	if (p->cell->dims & BIT(FIELD_TCPFLAGS)) {
		s->has_flags = true;
		s->flags = (uint8_t)PICK(m, p, FIELD_TCPFLAGS, 0x02, 0x10, 0x12);
	}
	if (p->cell->dims & BIT(icmp)) {
		unsigned int value = (unsigned int)PICK(m, p, icmp, 0x0800, 0x8000);

		s->has_icmp = true;
		s->icmp_type = (uint8_t)(value >> 8);
		s->icmp_code = (uint8_t)value;
		/* As every neighbour does; packet_build knows that, too, and words that say it are longer. */
		if (!s->has_ttl && s->family == FAMILY_IPV6 && s->icmp_type >= 133 && s->icmp_type <= 137)
			s->has_ttl = false;
	}
}

/* A length that fits the headers. */
static bool make_len(const struct maker *m, const struct part *p, struct packet_spec *s)
{
	struct range6 r[LEN_RANGES];
	unsigned int min = packet_spec_min_len(s);
	size_t n;

	if (is_whole(p, FIELD_LEN))
		return true;
	n = space_values(m->space, FIELD_LEN, &p->d[FIELD_LEN], r, LEN_RANGES);
	for (size_t i = 0; i < n && i < LEN_RANGES; i++) {
		if (r[i].hi < min)
			continue;
		s->len = r[i].lo > min ? (unsigned int)r[i].lo : min;
		return true;
	}
	return false;
}

/* Fragment kind, extension headers and length depend on one another: the fewest headers first. */
static bool make_headers(const struct maker *m, const struct part *p, struct packet_spec *s)
{
	bool v6 = s->family == FAMILY_IPV6;

	for (int count = 0; count <= (v6 ? 5 : 0); count++) {
		for (unsigned int ext = 0; ext < (v6 ? 32 : 1); ext++) {
			if (__builtin_popcount(ext) != count || (v6 && !iset_has(&p->d[FIELD_EXT], m->space->ext_class[ext])))
				continue;
			for (int frag = FRAG_NONE; frag <= FRAG_LATER; frag++) {
				if (!iset_has(&p->d[FIELD_FRAG], m->space->frag_class[frag]) ||
				    (v6 && frag != FRAG_NONE && !(ext & BIT(EXT_FRAGMENT))))
					continue;
				s->ext = (uint8_t)ext;
				s->frag = (enum frag)frag;
				if ((frag == FRAG_LATER) == (p->cell->kind == KIND_LATER) && make_len(m, p, s))
					return true;
			}
		}
	}
	return false;
}

bool maker_make(struct maker *m, const struct part *p, struct packet_spec *ret)
{
	struct packet_spec s = { .family = p->cell->family };
	bool good = true;

	make_l2(m, p, &s);
	if (s.family != FAMILY_OTHER) {
		make_l3(m, p, &s);
		make_l4(m, p, &s);
		good = make_headers(m, p, &s);
	}
	m->len = good ? packet_build(&s, m->frame, PACKET_MAX_FRAME) : -EINVAL;
	*ret = s;
	return m->len >= 0;
}

struct eval_result maker_judge(const struct maker *m, const struct packet_spec *spec, const struct side *side)
{
	const struct eval_given given = {
		.state = side->policy->track ? spec->state : STATE_NONE,
		.live_src = policy_live(m->space, side->policy, spec->live_src),
		.live_dst = policy_live(m->space, side->policy, spec->live_dst),
	};

	return eval_given(side->chain, m->frame, (size_t)m->len, NULL, &given, NULL, NULL);
}

void maker_example(struct maker *m, const struct part *p, const struct side *side, long want, struct example *ret)
{
	*ret = (struct example){ .there = true, .rule = want };
	ret->verdict = want < 0 ? side_fallback(side, p->cell) : side->chain->rules[want].verdict;
	if (maker_make(m, p, &ret->spec)) {
		struct eval_result r = maker_judge(m, &ret->spec, side);

		ret->built = r.rule == want && r.verdict == ret->verdict;
	}
	ret->spec.live_src = policy_live(m->space, side->policy, ret->spec.live_src);
	ret->spec.live_dst = policy_live(m->space, side->policy, ret->spec.live_dst);
}

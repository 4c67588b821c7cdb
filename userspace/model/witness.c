// SPDX-License-Identifier: GPL-2.0-only
/*
 * Family, fragment kind, extension headers and protocol decide which fields a packet has and how short it can be; all
 * of them are tried. What is left (addresses, ports, …) is independent, so any member of each set will do.
 */
#include "model/witness.h"

#include <errno.h>

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58, PROTO_SCTP = 132 };

static uint64_t roll(uint64_t *state) /* splitmix64 */
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* A member of lo..hi: the ends more often than chance has it, for they are where mistakes sit. */
static uint64_t roll_range(uint64_t *state, uint64_t lo, uint64_t hi)
{
	switch (roll(state) % 4) {
	case 0:
		return lo;
	case 1:
		return hi;
	default:
		return hi - lo == UINT64_MAX ? roll(state) : lo + roll(state) % (hi - lo + 1);
	}
}

/* A member of the set within min..max. */
static bool pick(const struct vset *set, uint64_t min, uint64_t max, uint64_t *state, uint64_t *ret_value)
{
	size_t first = set->n ? roll(state) % set->n : 0;

	for (size_t i = 0; i < set->n; i++) {
		const struct range *r = &set->r[(first + i) % set->n];
		uint64_t lo = r->lo > min ? r->lo : min, hi = r->hi < max ? r->hi : max;

		if (lo > hi)
			continue;
		*ret_value = roll_range(state, lo, hi);
		return true;
	}
	return false;
}

/* The smallest one, to keep frames short. */
static bool pick_lowest(const struct vset *set, uint64_t min, uint64_t max, uint64_t *ret_value)
{
	for (size_t i = 0; i < set->n; i++) {
		uint64_t lo = set->r[i].lo > min ? set->r[i].lo : min;

		if (lo > set->r[i].hi || lo > max)
			continue;
		*ret_value = lo;
		return true;
	}
	return false;
}

static bool pick_address(const struct aset *set, enum family family, uint64_t *state, u128 *ret_addr)
{
	uint64_t choice = roll(state);

	if (!set) {
		u128 host = roll(state) % 65534 + 1;

		/* documentation addresses: 198.18.0.0/15, 2001:db8::/32 */
		*ret_addr = family == FAMILY_IPV4 ? 0xc6120000 + host : ((u128)0x20010db800000000 << 64) + host;
		return true;
	}
	if (family == FAMILY_IPV4 && set->n4) {
		const struct range4 *r = &set->v4[choice % set->n4];

		*ret_addr = roll_range(state, r->lo, r->hi);
		return true;
	}
	if (family == FAMILY_IPV6 && set->n6) {
		const struct range6 *r = &set->v6[choice % set->n6];
		u128 inside = (u128)roll(state) << 64 | roll(state), size = r->hi - r->lo + 1; /* 0: all of them */

		*ret_addr = choice >> 62 == 0	? r->lo
			    : choice >> 62 == 1 ? r->hi
						: r->lo + (size ? inside % size : inside);
		return true;
	}
	return false;
}

/* In some of the sets; or with `!` in none. */
static uint32_t pick_live(const struct live_match *m, uint64_t *state)
{
	uint32_t member = m->sets & (uint32_t)roll(state);

	return m->negate ? 0 : member ? member : m->sets;
}

/* MAC, VLAN and state are the same for every family. */
static bool witness_l2(const struct rule *rule, uint64_t *state, struct packet_spec *s)
{
	uint64_t value;

	if (rule->value[FIELD_MAC]) {
		if (!pick(rule->value[FIELD_MAC], 0, 0xffffffffffff, state, &s->mac))
			return false;
		s->has_mac = true;
	}
	if (rule->value[FIELD_VLAN]) {
		if (!pick(rule->value[FIELD_VLAN], 1, 4095, state, &value))
			return false;
		s->has_vlan = true;
		s->vlan = (uint16_t)value;
	}
	if (rule->value[FIELD_STATE]) {
		if (!pick(rule->value[FIELD_STATE], 0, STATE_COUNT - 1, state, &value))
			return false;
		s->state = (enum state)value;
	}
	return true;
}

static bool witness_other(const struct rule *rule, uint64_t *state, struct packet_spec *s)
{
	/* everything from 0x0600 that is neither IP nor a tag */
	static const struct range types[] = {
		{0x0600, 0x07ff}, {0x0801, 0x80ff}, {0x8101, 0x86dc}, {0x86de, 0x88a7}, {0x88a9, 0xffff},
	};
	size_t n = sizeof(types) / sizeof(types[0]), first = roll(state) % n;
	uint64_t value;

	for (int id = 0; id < FIELD_VALUE_COUNT; id++)
		if (rule->value[id] && field_get((enum field_id)id)->needs != FIELD_NEEDS_FRAME &&
		    field_get((enum field_id)id)->needs != FIELD_NEEDS_TRACK)
			return false;
	if (rule->src || rule->dst || rule->live_src.sets || rule->live_dst.sets)
		return false;
	if (!rule->value[FIELD_ETHERTYPE])
		return true;
	for (size_t i = 0; i < n; i++) {
		const struct range *t = &types[(first + i) % n];

		if (!pick(rule->value[FIELD_ETHERTYPE], t->lo, t->hi, state, &value))
			continue;
		s->has_ethertype = true;
		s->ethertype = (uint16_t)value;
		return true;
	}
	return false;
}

static bool is_icmp(const struct packet_spec *s)
{
	return s->protocol == (s->family == FAMILY_IPV4 ? PROTO_ICMP : PROTO_ICMP6);
}

/* Does a packet of this family, protocol and fragment kind have every field the rule asks for? */
static bool has_fields(const struct rule *rule, const struct packet_spec *s)
{
	bool l4 = s->frag != FRAG_LATER;

	for (int id = 0; id < FIELD_VALUE_COUNT; id++) {
		bool has = true;

		if (!rule->value[id])
			continue;
		switch (field_get((enum field_id)id)->needs) {
		case FIELD_NEEDS_IP6:
			has = s->family == FAMILY_IPV6;
			break;
		case FIELD_NEEDS_PORTS:
			has = l4 && (s->protocol == PROTO_TCP || s->protocol == PROTO_UDP || s->protocol == PROTO_SCTP);
			break;
		case FIELD_NEEDS_TCP:
			has = l4 && s->protocol == PROTO_TCP;
			break;
		case FIELD_NEEDS_ICMP:
			has = l4 && s->family == FAMILY_IPV4 && is_icmp(s);
			break;
		case FIELD_NEEDS_ICMP6:
			has = l4 && s->family == FAMILY_IPV6 && is_icmp(s);
			break;
		default:
			break;
		}
		if (!has)
			return false;
	}
	return true;
}

static bool accepts(const struct rule *rule, enum field_id id, uint64_t value)
{
	return !rule->value[id] || vset_has(rule->value[id], value);
}

/* Ports, flags and types, now that the protocol has them. */
static bool witness_l4(const struct rule *rule, uint64_t *state, struct packet_spec *s)
{
	const struct vset *icmp = rule->value[s->family == FAMILY_IPV4 ? FIELD_ICMP : FIELD_ICMP6];
	uint64_t sport = 1024 + roll(state) % 64512, dport = 1 + roll(state) % 65535, value;

	if (rule->value[FIELD_SPORT] && !pick(rule->value[FIELD_SPORT], 0, 65535, state, &sport))
		return false;
	if (rule->value[FIELD_DPORT] && !pick(rule->value[FIELD_DPORT], 0, 65535, state, &dport))
		return false;
	if (s->protocol == PROTO_TCP || s->protocol == PROTO_UDP || s->protocol == PROTO_SCTP) {
		s->has_ports = true;
		s->sport = (uint16_t)sport;
		s->dport = (uint16_t)dport;
	}
	if (rule->value[FIELD_TCPFLAGS]) {
		if (!pick(rule->value[FIELD_TCPFLAGS], 0, 255, state, &value))
			return false;
		s->has_flags = true;
		s->flags = (uint8_t)value;
	}
	if (icmp) {
		if (!pick(icmp, 0, 65535, state, &value))
			return false;
		s->has_icmp = true;
		s->icmp_type = (uint8_t)(value >> 8);
		s->icmp_code = (uint8_t)value;
	}
	return true;
}

/* One protocol, with family, frag and ext given. */
static bool witness_protocol(const struct rule *rule, unsigned int protocol, uint64_t *state, struct packet_spec *s)
{
	bool ext = protocol == 0 || protocol == 43 || protocol == 44 || protocol == 51 || protocol == 60;
	uint64_t len;

	s->protocol = protocol;
	if (ext && s->family == FAMILY_IPV6 && s->frag != FRAG_LATER)
		return false;
	if (!accepts(rule, FIELD_PROTO, (uint64_t)s->family << 8 | protocol) || !has_fields(rule, s))
		return false;
	if (rule->value[FIELD_LEN]) {
		if (!pick_lowest(rule->value[FIELD_LEN], packet_spec_min_len(s), 65535, &len))
			return false;
		s->len = (unsigned int)len;
	}
	return s->frag == FRAG_LATER || witness_l4(rule, state, s);
}

static bool witness_protocols(const struct rule *rule, uint64_t *state, struct packet_spec *s)
{
	static const unsigned int usual[] = {PROTO_TCP,	 PROTO_UDP, PROTO_ICMP, PROTO_ICMP6,
					     PROTO_SCTP, PROTO_TCP, PROTO_UDP,	PROTO_TCP};
	const struct packet_spec start = *s;
	uint64_t first = roll(state);

	for (unsigned int i = 0; i < 8 + 256; i++) {
		*s = start;
		if (witness_protocol(rule, i < 8 ? usual[(first + i) % 8] : ((unsigned int)(first >> 8) + i) & 255,
				     state, s))
			return true;
	}
	return false;
}

/* TTL, DSCP, ECN and addresses do not depend on anything else. */
static bool witness_l3(const struct rule *rule, uint64_t *state, struct packet_spec *s)
{
	uint64_t value;

	if (!accepts(rule, FIELD_ETHERTYPE, s->family == FAMILY_IPV4 ? 0x0800 : 0x86dd))
		return false;
	if (rule->value[FIELD_TTL]) {
		if (!pick(rule->value[FIELD_TTL], 0, 255, state, &value))
			return false;
		s->has_ttl = true;
		s->ttl = (uint8_t)value;
	}
	if (rule->value[FIELD_DSCP]) {
		if (!pick(rule->value[FIELD_DSCP], 0, 63, state, &value))
			return false;
		s->dscp = (uint8_t)value;
	}
	if (rule->value[FIELD_ECN]) {
		if (!pick(rule->value[FIELD_ECN], 0, 3, state, &value))
			return false;
		s->ecn = (uint8_t)value;
	}
	if (rule->live_src.sets)
		s->live_src = pick_live(&rule->live_src, state);
	if (rule->live_dst.sets)
		s->live_dst = pick_live(&rule->live_dst, state);
	return pick_address(rule->src, s->family, state, &s->src) && pick_address(rule->dst, s->family, state, &s->dst);
}

static bool witness_ip(const struct rule *rule, uint64_t *state, struct packet_spec *s)
{
	unsigned int first_frag = roll(state) % 4 ? FRAG_NONE : roll(state) % 3, first_ext = roll(state) % 32;
	unsigned int next = s->family == FAMILY_IPV6 && rule->value[FIELD_EXT] ? 32 : 1;
	struct packet_spec start;

	if (!witness_l3(rule, state, s))
		return false;
	start = *s;
	for (unsigned int i = 0; i < 3; i++) {
		enum frag frag = (enum frag)((first_frag + i) % 3);

		if (!accepts(rule, FIELD_FRAG, frag))
			continue;
		for (unsigned int j = 0; j < next; j++) {
			unsigned int ext = next == 1 ? 0 : (first_ext + j) % 32;

			if (next > 1 && frag != FRAG_NONE && !(ext & 1u << EXT_FRAGMENT))
				continue; /* the fragment header will be there */
			*s = start;
			s->frag = frag;
			s->ext = (uint8_t)ext;
			if (accepts(rule, FIELD_EXT, ext) || next == 1)
				if (witness_protocols(rule, state, s))
					return true;
		}
	}
	return false;
}

int witness_find(const struct rule *rule, uint64_t seed, struct packet_spec *ret_spec)
{
	uint64_t state = seed, first = roll(&state);

	for (unsigned int i = 0; i < FAMILY_COUNT; i++) {
		enum family family = (enum family)((first + i) % FAMILY_COUNT);
		struct packet_spec s = {.family = family};

		if (!(rule->families & 1u << family) || !witness_l2(rule, &state, &s))
			continue;
		if (family == FAMILY_OTHER ? !witness_other(rule, &state, &s) : !witness_ip(rule, &state, &s))
			continue;
		*ret_spec = s;
		return 0;
	}
	return -ENOENT;
}

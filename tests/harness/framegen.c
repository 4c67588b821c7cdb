// SPDX-License-Identifier: GPL-2.0-only
#include "harness/framegen.h"

#include "base/str.h"
#include "harness/mutate.h"
#include "model/witness.h"

#include <string.h>

void framegen_init(struct framegen *fg, const struct chain *chain, uint64_t seed)
{
	*fg = (struct framegen){.chain = chain, .what = "", .rule = -1};
	prng_init(&fg->prng, seed);
}

static u128 random_address(struct prng *p, enum family family)
{
	if (family == FAMILY_IPV4)
		return (uint32_t)prng_u64(p);
	return (u128)prng_u64(p) << 64 | prng_u64(p);
}

static void random_spec(struct prng *p, struct packet_spec *s)
{
	static const unsigned int protocols[] = {6, 6, 6, 17, 17, 1, 58, 132, 47, 50, 2, 255};

	*s = (struct packet_spec){.family = (enum family)prng_below(p, FAMILY_COUNT)};
	if (prng_chance(p, 3, 4))
		s->family = prng_chance(p, 1, 2) ? FAMILY_IPV4 : FAMILY_IPV6;
	if (s->family == FAMILY_OTHER) {
		s->has_ethertype = true;
		s->ethertype = prng_chance(p, 1, 2) ? 0x0806 : (uint16_t)prng_range(p, 0x88aa, 0x9fff);
		return;
	}
	s->protocol = protocols[prng_below(p, sizeof(protocols) / sizeof(protocols[0]))];
	s->src = random_address(p, s->family);
	s->dst = random_address(p, s->family);
	s->sport = (uint16_t)prng_u64(p);
	s->dport = (uint16_t)prng_u64(p);
	s->has_ports = s->protocol == 6 || s->protocol == 17 || s->protocol == 132;
}

/* Aim at a rule, or at nothing. */
static void aim(struct framegen *fg, struct packet_spec *s)
{
	struct prng *p = &fg->prng;

	fg->rule = -1;
	if (fg->chain && fg->chain->nrules && prng_chance(p, 15, 16)) {
		size_t i = prng_below(p, fg->chain->nrules);

		if (!witness_find(&fg->chain->rules[i], prng_u64(p), s)) {
			fg->rule = (long)i;
			return;
		}
	}
	random_spec(p, s);
}

static uint64_t nudge(struct prng *p, uint64_t value, uint64_t max)
{
	switch (prng_below(p, 6)) {
	case 0:
	case 1:
		return (value + 1) & max;
	case 2:
	case 3:
		return (value - 1) & max;
	case 4:
		return value ^ (1ull << prng_below(p, 64) & max);
	default:
		return prng_u64(p) & max;
	}
}

static u128 nudge_address(struct prng *p, u128 addr, enum family family)
{
	switch (prng_below(p, 4)) {
	case 0:
		addr += 1;
		break;
	case 1:
		addr -= 1;
		break;
	default: /* another subnet */
		addr ^= (u128)1 << prng_below(p, family == FAMILY_IPV4 ? 32 : 128);
	}
	return family == FAMILY_IPV4 ? (uint32_t)addr : addr;
}

static void tweak_ip(struct framegen *fg, struct packet_spec *s)
{
	struct prng *p = &fg->prng;
	struct packet_spec o;

	switch (prng_below(p, 12)) {
	case 0:
		s->src = nudge_address(p, s->src, s->family);
		break;
	case 1:
		s->dst = nudge_address(p, s->dst, s->family);
		break;
	case 2:
		s->sport = (uint16_t)nudge(p, s->sport, 65535);
		break;
	case 3:
		s->dport = (uint16_t)nudge(p, s->dport, 65535);
		break;
	case 4:
		s->ttl = (uint8_t)nudge(p, s->has_ttl ? s->ttl : 64, 255);
		s->has_ttl = true;
		break;
	case 5:
		s->dscp = (uint8_t)nudge(p, s->dscp, 63);
		s->ecn = (uint8_t)prng_range(p, 0, 3);
		break;
	case 6:
		s->flags = (uint8_t)nudge(p, s->flags, 255);
		s->has_flags = s->protocol == 6 && s->frag != FRAG_LATER;
		break;
	case 7:
		s->len = packet_spec_min_len(s) + (unsigned int)prng_below(p, prng_chance(p, 1, 8) ? 1400 : 80);
		break;
	case 8:
		s->icmp_type = (uint8_t)nudge(p, s->icmp_type, 255);
		s->icmp_code = (uint8_t)nudge(p, s->icmp_code, 255);
		break;
	case 9:
		s->frag = (enum frag)prng_below(p, 3);
		s->has_ports = s->has_flags = s->has_icmp = false;
		break;
	case 10: /* half of one rule's packet, half of another's */
		aim(fg, &o);
		if (o.family != s->family)
			break;
		if (prng_chance(p, 1, 2))
			s->src = o.src;
		else
			s->dst = o.dst;
		break;
	default:
		if (s->family == FAMILY_IPV6)
			s->ext = (uint8_t)prng_below(p, 32);
		else
			s->protocol = (unsigned int)nudge(p, s->protocol, 255);
	}
}

static void tweak(struct framegen *fg, struct packet_spec *s)
{
	struct prng *p = &fg->prng;

	switch (prng_below(p, 8)) {
	case 0:
		s->has_vlan = true;
		s->vlan = (uint16_t)nudge(p, s->vlan, 4095);
		break;
	case 1:
		s->has_mac = true;
		s->mac = nudge(p, s->mac, 0xffffffffffff);
		break;
	default:
		if (s->family != FAMILY_OTHER)
			tweak_ip(fg, s);
		else if (s->has_ethertype)
			s->ethertype = (uint16_t)nudge(p, s->ethertype, 65535);
	}
}

/* Bytes for the words. A tweak may have made them contradict, a length may be too large: fall back. */
static size_t build(struct framegen *fg, const struct packet_spec *wanted, const struct packet_spec *safe, uint8_t *buf,
		    size_t size)
{
	struct packet_spec plain = *safe;
	long len = packet_build(wanted, buf, size);

	if (len < 0)
		len = packet_build(safe, buf, size);
	plain.len = 0;
	if (len < 0)
		len = packet_build(&plain, buf, size);
	return len < 0 ? 0 : (size_t)len;
}

static bool is_legal(const uint8_t *buf, size_t len)
{
	struct packet p;

	return packet_parse(buf, len, NULL, &p) == PACKET_OK;
}

static size_t damage(struct framegen *fg, uint8_t *buf, size_t len, size_t size, struct packet_meta *meta)
{
	struct prng *p = &fg->prng;
	unsigned int times = prng_chance(p, 1, 4) ? 2 : 1;
	struct packet_meta *m = fg->no_meta || fg->valid_only ? NULL : meta;

	while (times-- > 0)
		len = mutate_frame(p, buf, len, size, m, fg->valid_only || prng_chance(p, 1, 4), &fg->what);
	return len;
}

size_t framegen_next(struct framegen *fg, uint8_t *buf, size_t size, struct packet_meta *ret_meta)
{
	struct prng *p = &fg->prng, before;
	struct packet_spec spec, wanted;
	size_t room = size, len;

	if (size > FRAMEGEN_MAX && !prng_chance(p, 1, 64))
		room = FRAMEGEN_MAX;
	*ret_meta = (struct packet_meta){};
	aim(fg, &spec);
	fg->what = fg->rule < 0 ? "random" : "witness";
	wanted = spec;
	if (prng_chance(p, 1, 2)) {
		long rule = fg->rule;

		tweak(fg, &wanted);
		fg->rule = rule;
		fg->what = "tweaked";
	}
	len = build(fg, &wanted, &spec, buf, room);
	if (prng_chance(p, 1, 3))
		return len;
	before = *p;
	len = damage(fg, buf, len, room, ret_meta);
	if (fg->valid_only && !is_legal(buf, len)) { /* back to what it was */
		*p = before;
		prng_u64(p);
		fg->what = "tweaked";
		len = build(fg, &wanted, &spec, buf, room);
	}
	return len;
}

size_t framegen_match(struct framegen *fg, size_t rule, uint8_t *buf, size_t size)
{
	struct packet_spec spec;
	long len;

	if (witness_find(&fg->chain->rules[rule], prng_u64(&fg->prng), &spec))
		return 0;
	len = packet_build(&spec, buf, size);
	return len < 0 ? 0 : (size_t)len;
}

void framegen_describe(const uint8_t *frame, size_t len, const struct packet_meta *meta, struct str *out)
{
	str_addf(out, "%zu bytes", len);
	if (meta && meta->vlan_present)
		str_addf(out, ", metadata tag 0x%04x", meta->vlan_tci);
	str_add(out, ": hex ");
	for (size_t i = 0; i < len && i < 512; i++)
		str_addf(out, "%02x", frame[i]);
	if (len > 512)
		str_add(out, "…");
}

// SPDX-License-Identifier: GPL-2.0-only
/* A set of packets in the words of the rule language, as far as it has words; for people, not for the parser. */
#include "base/arena.h"
#include "base/cleanup.h"
#include "fwctl/example.h"
#include "lang/lang.h"
#include "lang/print.h"

#include <string.h>

#define BIT(n)	      (1u << (n))
#define ALL_KINDS     (BIT(KIND_OTHER) - 1)
#define PORT_KINDS    (BIT(KIND_TCP) | BIT(KIND_UDP) | BIT(KIND_SCTP))
#define REGION_RANGES 4 /* that are shown */

/* The ranges as a set of values, or its complement when that is shorter. */
static void values_text(const char *word, enum field_id id, const struct region_dim *d, u128 max, struct str *out)
{
	struct range r[REGION_RANGES + 2];
	struct vset set = { .r = r };
	bool negate = d->n == d->total && d->n > 1 && d->n <= REGION_RANGES && d->r[0].lo == 0 && d->r[d->n - 1].hi >= max;

	if (!d->there)
		return;
	for (size_t i = 0; i < d->n && i < REGION_RANGES; i++) {
		if (!negate)
			r[set.n++] = (struct range){ (uint64_t)d->r[i].lo, (uint64_t)d->r[i].hi };
		else if (i)
			r[set.n++] = (struct range){ (uint64_t)d->r[i - 1].hi + 1, (uint64_t)d->r[i].lo - 1 };
	}
	str_addf(out, " %s%s ", word, negate ? " !" : "");
	print_vset(out, id, &set);
	if (d->total > REGION_RANGES)
		str_addf(out, " and %zu more", d->total - REGION_RANGES);
}

static void range_text(const struct range6 *r, bool six, struct str *out)
{
	const struct range4 four = { (uint32_t)r->lo, (uint32_t)r->hi };

	if (six)
		print_range6(out, r);
	else
		print_range4(out, &four);
}

/* Ranges of one family; how many could not be shown. */
static size_t addresses_some(const struct region_dim *d, bool six, const char **sep, struct str *out)
{
	size_t shown = d->n < REGION_RANGES ? d->n : REGION_RANGES;

	for (size_t i = 0; d->there && i < shown; i++) {
		str_add(out, *sep);
		range_text(&d->r[i], six, out);
		*sep = ", ";
	}
	return d->there ? d->total - shown : 0;
}

/* Where all but a few addresses are meant, the few are told. */
static bool addresses_but(const char *word, const struct region_dim *d, bool six, struct str *out)
{
	u128 max = six ? ~(u128)0 : UINT32_MAX;

	if (!d->there || d->n != d->total || d->n < 2 || d->n > REGION_RANGES || d->r[0].lo || d->r[d->n - 1].hi != max)
		return false;
	str_addf(out, " %s ! { ", word);
	for (size_t i = 1; i < d->n; i++) {
		const struct range6 gap = { d->r[i - 1].hi + 1, d->r[i].lo - 1 };

		str_add(out, i > 1 ? ", " : "");
		range_text(&gap, six, out);
	}
	str_add(out, " }");
	return true;
}

static void address_text(const char *word, const struct region_dim *four, const struct region_dim *six, struct str *out)
{
	size_t n = (four->there ? four->n : 0) + (six->there ? six->n : 0), more;
	const char *set = four->there ? four->set : six->set, *sep = "";

	if (!n)
		return;
	if (set && (!six->there || (six->set && !strcmp(set, six->set)))) {
		str_addf(out, " %s @%s", word, set);
		return;
	}
	if ((!six->there && addresses_but(word, four, false, out)) || (!four->there && addresses_but(word, six, true, out)))
		return;
	str_addf(out, " %s ", word);
	str_add(out, n > 1 ? "{ " : "");
	more = addresses_some(four, false, &sep, out);
	more += addresses_some(six, true, &sep, out);
	if (more)
		str_addf(out, ", and %zu more", more);
	str_add(out, n > 1 ? " }" : "");
}

/* All values that have these bits as these: `S/SA`. */
static bool mask_text(const struct region_dim *d, struct str *out)
{
	unsigned int and = 255, or = 0, n = 0, free_bits;

	for (size_t i = 0; i < d->n; i++) {
		for (unsigned int v = (unsigned int)d->r[i].lo; v <= (unsigned int)d->r[i].hi; v++) {
			and &= v;
			or |= v;
			n++;
		}
	}
	free_bits = or & ~and;
	if (d->n != d->total || n != 1u << __builtin_popcount(free_bits))
		return false;
	str_add(out, " flags ");
	if (and || free_bits == 255)
		print_flag_letters(out, and);
	if (free_bits || !and) {
		str_add(out, "/");
		print_flag_letters(out, 255 & ~free_bits);
	}
	return true;
}

static void icmp_text(enum field_id id, const struct region_dim *d, struct str *out)
{
	struct region_dim types = *d;
	struct range6 r[REGION_RANGES + 1];

	for (size_t i = 0; i < d->n && i < REGION_RANGES; i++)
		r[i] = (struct range6){ d->r[i].lo >> 8, d->r[i].hi >> 8 };
	types.r = r;
	if (!d->there)
		return;
	values_text("type", id, &types, 255, out);
	if (d->n == 1 && (d->r[0].lo & 255 || (d->r[0].hi & 255) != 255) && d->r[0].lo >> 8 == d->r[0].hi >> 8)
		str_addf(out, d->r[0].lo == d->r[0].hi ? " code %u" : " code %u-%u", (unsigned int)d->r[0].lo & 255,
			 (unsigned int)d->r[0].hi & 255);
	else
		for (size_t i = 0; i < d->n; i++)
			if (d->r[i].lo & 255 || (d->r[i].hi & 255) != 255) {
				str_add(out, " (some codes)");
				break;
			}
}

/* One combination of headers by name; several are not worth their length. */
static void ext_text(const struct region_dim *d, struct str *out)
{
	const char *sep = " ext { ";

	if (!d->there)
		return;
	if (d->n != 1 || d->r[0].lo != d->r[0].hi) {
		str_add(out, " (some extension headers)");
		return;
	}
	for (unsigned int bit = 0; bit < 5; bit++) {
		if (!(d->r[0].lo >> bit & 1))
			continue;
		str_addf(out, "%s%s", sep, field_value_word(FIELD_EXT, bit) ?: "");
		sep = ", ";
	}
	str_add(out, d->r[0].lo ? " }" : " ext none");
}

static void kinds_text(const struct region *r, uint32_t kinds, bool six_alone, bool both, struct str *out)
{
	static const char *const words[] = { [KIND_TCP] = "tcp", [KIND_UDP] = "udp", [KIND_SCTP] = "sctp",
					     [KIND_PLAIN] = "other protocols", [KIND_LATER] = "later fragments" };
	bool ports = r->dim[FIELD_DPORT].there || r->dim[FIELD_SPORT].there;
	const char *sep = " ";

	if (kinds == ALL_KINDS || (kinds == PORT_KINDS && ports))
		return;
	if (kinds == (ALL_KINDS & ~BIT(KIND_LATER))) {
		str_add(out, " all but later fragments");
		return;
	}
	for (unsigned int k = 0; k < KIND_OTHER; k++) {
		if (!(kinds & BIT(k)))
			continue;
		str_add(out, sep);
		sep = ", ";
		if (k == KIND_ICMP)
			str_add(out, both ? "icmp, icmp6" : six_alone ? "icmp6" : "icmp");
		else if (k != KIND_PLAIN || !r->dim[FIELD_PROTO].there)
			str_add(out, words[k]);
		if (k == KIND_LATER && r->dim[FIELD_PROTO].there)
			str_add(out, " of");
	}
	if (r->dim[FIELD_PROTO].there && kinds & (BIT(KIND_PLAIN) | BIT(KIND_LATER)))
		values_text("proto", FIELD_PROTO, &r->dim[FIELD_PROTO], 255, out);
}

/* Which packets, before anything is said of what they have. */
static void who_text(const struct region *r, struct str *out)
{
	uint32_t four = r->kinds[FAMILY_IPV4], six = r->kinds[FAMILY_IPV6];
	bool address4 = r->dim[DIM_SRC].there || r->dim[DIM_DST].there, address6 = r->src6.there || r->dst6.there;

	if (r->kinds[FAMILY_OTHER]) {
		str_add(out, four ? " any frame" : " frames that are not IP");
		return;
	}
	if (!six && !address4 && four != BIT(KIND_ICMP))
		str_add(out, " inet");
	if (!four && !address6 && six != BIT(KIND_ICMP))
		str_add(out, " inet6");
	kinds_text(r, four | six, !four, four && six, out);
}

static void states_text(const struct region *r, struct str *out)
{
	if (r->words & REGION_ANY)
		return;
	str_add(out, r->words & REGION_NEW		 ? " state new"
		     : r->words & REGION_INVALID	 ? " state invalid"
		     : r->words & REGION_ESTABLISHED ? " state established"
		     : r->words & REGION_RELATED	 ? " state related"
							 : " state { established, related }");
}

static void live_text(const char *side, const struct region_dim *d, struct str *out)
{
	if (d->there)
		str_addf(out, " %s %s@%s", side, d->negate ? "! " : "", d->set);
}

void region_text(const struct region *r, struct str *out)
{
	static const uint8_t plain[] = { FIELD_FRAG, FIELD_VLAN, FIELD_DSCP, FIELD_TTL, FIELD_LEN, FIELD_ETHERTYPE, FIELD_ECN, FIELD_MAC };
	struct str s = {};

	who_text(r, &s);
	address_text("from", &r->dim[DIM_SRC], &r->src6, &s);
	live_text("from", &r->dim[DIM_LIVE_SRC], &s);
	if (r->dim[FIELD_SPORT].there && !r->dim[DIM_SRC].there && !r->src6.there && !r->dim[DIM_LIVE_SRC].there)
		str_add(&s, " from");
	values_text("port", FIELD_SPORT, &r->dim[FIELD_SPORT], 65535, &s);
	address_text("to", &r->dim[DIM_DST], &r->dst6, &s);
	live_text("to", &r->dim[DIM_LIVE_DST], &s);
	if (r->dim[FIELD_DPORT].there && !r->dim[DIM_DST].there && !r->dst6.there && !r->dim[DIM_LIVE_DST].there)
		str_add(&s, " to");
	values_text("port", FIELD_DPORT, &r->dim[FIELD_DPORT], 65535, &s);
	icmp_text(FIELD_ICMP, &r->dim[FIELD_ICMP], &s);
	icmp_text(FIELD_ICMP6, &r->dim[FIELD_ICMP6], &s);
	if (r->dim[FIELD_TCPFLAGS].there && !mask_text(&r->dim[FIELD_TCPFLAGS], &s))
		str_add(&s, " (some flags)");
	for (size_t i = 0; i < sizeof(plain); i++) {
		const struct field *f = field_get((enum field_id)plain[i]);
		const struct region_dim *d = &r->dim[plain[i]];

		if (plain[i] == FIELD_VLAN && d->there && d->n == 1 && !d->r[0].hi)
			str_add(&s, " untagged");
		else
			values_text(f->word, (enum field_id)plain[i], d, ((u128)1 << f->bits) - 1, &s);
	}
	ext_text(&r->dim[FIELD_EXT], &s);
	states_text(r, &s);
	str_add(out, s.len ? str_get(&s) + 1 : "every IP packet");
	str_add(out, r->part ? ", but for what earlier rules decide" : "");
	str_fini(&s);
}

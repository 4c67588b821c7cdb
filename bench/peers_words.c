// SPDX-License-Identifier: GPL-2.0-only
#include "bench/peers_words.h"
#include "base/str.h"
#include "lang/lang.h"

#include <netinet/in.h>
#include <stdio.h>

/* What is left of a rule that is simple enough. */
struct tuple {
	const struct range4 *from, *to; /* NULL: any */
	unsigned int from_len, to_len;
	int proto; /* -1: any */
	const struct range *sport, *dport;
};

/* Is it one prefix? */
static bool prefix_of(const struct aset *set, const struct range4 **ret, unsigned int *ret_len)
{
	unsigned int len = 32;
	uint32_t span;

	if (!set)
		return true;
	if (set->n4 != 1)
		return false;
	span = set->v4->hi - set->v4->lo;
	while (len > 0 && span >> (32 - len))
		len--;
	if (span != (len ? (uint32_t)((1ull << (32 - len)) - 1) : UINT32_MAX) || set->v4->lo & span)
		return false;
	*ret = set->v4;
	*ret_len = len;
	return true;
}

static bool proto_of(const struct vset *set, int *ret)
{
	*ret = -1;
	if (!set)
		return true;
	if (set->n != 1 || set->r->lo != set->r->hi || set->r->lo >> 8 != FAMILY_IPV4)
		return false;
	*ret = (int)(set->r->lo & 255);
	return true;
}

static bool tuple_of(const struct rule *rule, struct tuple *ret)
{
	struct tuple t = {};

	for (int id = 0; id < FIELD_VALUE_COUNT; id++)
		if (rule->value[id] && id != FIELD_PROTO && id != FIELD_SPORT && id != FIELD_DPORT)
			return false;
	if (!prefix_of(rule->src, &t.from, &t.from_len) || !prefix_of(rule->dst, &t.to, &t.to_len) ||
	    !proto_of(rule->value[FIELD_PROTO], &t.proto))
		return false;
	if (rule->value[FIELD_SPORT])
		t.sport = rule->value[FIELD_SPORT]->r;
	if (rule->value[FIELD_DPORT])
		t.dport = rule->value[FIELD_DPORT]->r;
	if ((t.sport && rule->value[FIELD_SPORT]->n != 1) || (t.dport && rule->value[FIELD_DPORT]->n != 1))
		return false;
	if ((t.sport || t.dport) && t.proto != IPPROTO_TCP && t.proto != IPPROTO_UDP)
		return false;
	*ret = t;
	return rule->verdict != VERDICT_CONTINUE;
}

static void add_prefix(struct str *out, const char *word, const struct range4 *r, unsigned int len)
{
	if (!r)
		return;
	str_addf(out, "%s ", word);
	lang_print_addr4(r->lo, out);
	if (len < 32)
		str_addf(out, "/%u", len);
	str_add(out, " ");
}

static void add_range(struct str *out, const char *word, const struct range *r, const char *sep)
{
	if (!r)
		return;
	str_addf(out, "%s %u", word, (unsigned int)r->lo);
	if (r->lo != r->hi)
		str_addf(out, "%s%u", sep, (unsigned int)r->hi);
	str_add(out, " ");
}

static const char *proto_word(int proto)
{
	return proto == IPPROTO_TCP ? "tcp" : "udp";
}

bool peers_words_fwctl(const struct rule *rule, struct str *out)
{
	struct tuple t;

	if (!tuple_of(rule, &t))
		return false;
	str_add(out, rule->verdict == VERDICT_PASS ? "\t\tpass " : "\t\tdrop ");
	if (!t.from && !t.to)
		str_add(out, "inet ");
	if (t.proto >= 0)
		str_addf(out, "proto %d ", t.proto);
	add_prefix(out, "from", t.from, t.from_len);
	add_range(out, t.from ? "port" : "from any port", t.sport, "-");
	add_prefix(out, "to", t.to, t.to_len);
	add_range(out, t.to ? "port" : "to any port", t.dport, "-");
	str_add(out, "\n");
	return true;
}

bool peers_words_nft(const struct rule *rule, struct str *out)
{
	char sport[16], dport[16];
	struct tuple t;

	if (!tuple_of(rule, &t))
		return false;
	snprintf(sport, sizeof(sport), "%s sport", proto_word(t.proto));
	snprintf(dport, sizeof(dport), "%s dport", proto_word(t.proto));
	str_add(out, "\t\t");
	add_prefix(out, "ip saddr", t.from, t.from_len);
	add_prefix(out, "ip daddr", t.to, t.to_len);
	if (t.proto >= 0 && !t.sport && !t.dport)
		str_addf(out, "ip protocol %d ", t.proto);
	add_range(out, sport, t.sport, "-");
	add_range(out, dport, t.dport, "-");
	str_add(out, rule->verdict == VERDICT_PASS ? "accept\n" : "drop\n");
	return true;
}

bool peers_words_iptables(const struct rule *rule, struct str *out)
{
	struct tuple t;

	if (!tuple_of(rule, &t))
		return false;
	str_add(out, "-A PREROUTING ");
	add_prefix(out, "-s", t.from, t.from_len);
	add_prefix(out, "-d", t.to, t.to_len);
	if (t.proto >= 0)
		str_addf(out, "-p %d ", t.proto);
	add_range(out, "--sport", t.sport, ":");
	add_range(out, "--dport", t.dport, ":");
	str_add(out, rule->verdict == VERDICT_PASS ? "-j ACCEPT\n" : "-j DROP\n");
	return true;
}

bool peers_words_bpfilter(const struct rule *rule, struct str *out)
{
	struct tuple t;

	if (!tuple_of(rule, &t))
		return false;
	str_add(out, "rule ");
	/* A rule there needs a condition. */
	if (!t.from && !t.to && t.proto < 0)
		str_add(out, "meta.l3_proto eq ipv4 ");
	add_prefix(out, t.from_len < 32 ? "ip4.snet eq" : "ip4.saddr eq", t.from, t.from_len);
	add_prefix(out, t.to_len < 32 ? "ip4.dnet eq" : "ip4.daddr eq", t.to, t.to_len);
	if (t.proto >= 0)
		str_addf(out, "ip4.proto eq %d ", t.proto);
	add_range(out, t.sport && t.sport->lo != t.sport->hi ? "meta.sport range" : "meta.sport eq", t.sport, "-");
	add_range(out, t.dport && t.dport->lo != t.dport->hi ? "meta.dport range" : "meta.dport eq", t.dport, "-");
	str_add(out, rule->verdict == VERDICT_PASS ? "counter ACCEPT\n" : "counter DROP\n");
	return true;
}

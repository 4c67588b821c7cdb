// SPDX-License-Identifier: GPL-2.0-only
/*
 * Raw payload expressions for most fields: nft then adds no conditions of its own, and takes ranges in every set.
 * "@nh,64,8" is 8 bits at bit 64 of the network header.
 */
#include "base/str.h"
#include "harness/rule_words.h"
#include "lang/lang.h"

#define MAX_ALTERNATIVES 2

/* One fwctl rule in one family: conditions that all must hold, and of the alternatives (which exclude each other) one.
 */
struct terms {
	struct str all;
	const char *alternative[MAX_ALTERNATIVES];
	bool never;
};

static void set_begin(struct terms *t, const char *expression)
{
	str_addf(&t->all, " %s {", expression);
}

/* The values of a set that lie in lo..hi, moved down by `minus`. None: the rule cannot match. */
static void values(struct terms *t, const char *expression, const struct vset *v, uint64_t lo, uint64_t hi,
		   uint64_t minus)
{
	const char *sep = " ";

	set_begin(t, expression);
	for (size_t i = 0; i < v->n; i++) {
		uint64_t a = v->r[i].lo < lo ? lo : v->r[i].lo, b = v->r[i].hi > hi ? hi : v->r[i].hi;

		if (a > b)
			continue;
		str_addf(&t->all, "%s0x%llx-0x%llx", sep, (unsigned long long)(a - minus),
			 (unsigned long long)(b - minus));
		sep = ", ";
	}
	str_add(&t->all, " }");
	t->never |= sep[0] == ' ';
}

static void addresses(struct terms *t, const char *side, const struct aset *s, enum family family)
{
	const char *sep = " ";

	str_addf(&t->all, " %s %s {", family == FAMILY_IPV4 ? "ip" : "ip6", side);
	for (size_t i = 0; family == FAMILY_IPV4 && i < s->n4; i++, sep = ", ") {
		str_add(&t->all, sep);
		lang_print_addr4((uint32_t)s->v4[i].lo, &t->all);
		str_add(&t->all, "-");
		lang_print_addr4((uint32_t)s->v4[i].hi, &t->all);
	}
	for (size_t i = 0; family == FAMILY_IPV6 && i < s->n6; i++, sep = ", ") {
		str_add(&t->all, sep);
		lang_print_addr6(s->v6[i].lo, &t->all);
		str_add(&t->all, "-");
		lang_print_addr6(s->v6[i].hi, &t->all);
	}
	str_add(&t->all, " }");
	t->never |= sep[0] == ' ';
}

/*
 * By the set {none, first, later} as bits. nft reads ports out of later fragments (they are payload there); a rule with
 * conditions of layer 4 has to say that it does not mean these.
 */
static void fragments(struct terms *t, const struct vset *v, bool layer4, enum family family)
{
	static const char *const v4[8][MAX_ALTERNATIVES] = {
		[1] = { " @nh,48,16 & 0x3fff == 0" },
		[2] = { " @nh,48,16 & 0x3fff == 0x2000" },
		[3] = { " @nh,48,16 & 0x1fff == 0" },
		[4] = { " @nh,48,16 & 0x1fff != 0" },
		[5] = { " @nh,48,16 & 0x3fff != 0x2000" },
		[6] = { " @nh,48,16 & 0x3fff != 0" },
		[7] = { "" },
	};
	static const char *const v6[8][MAX_ALTERNATIVES] = {
		[1] = { " exthdr frag missing", " frag frag-off 0 frag more-fragments 0" },
		[2] = { " frag frag-off 0 frag more-fragments 1" },
		[3] = { " exthdr frag missing", " frag frag-off 0" },
		[4] = { " frag frag-off != 0" },
		[5] = { " exthdr frag missing", " frag frag-off . frag more-fragments != { 0 . 1 }" },
		[6] = { " frag frag-off . frag more-fragments != { 0 . 0 }" },
		[7] = { "" },
	};
	unsigned int bits = 0;

	for (unsigned int f = FRAG_NONE; f <= FRAG_LATER; f++)
		if ((!v || vset_has(v, f)) && !(layer4 && f == FRAG_LATER))
			bits |= 1u << f;
	for (int i = 0; i < MAX_ALTERNATIVES; i++)
		t->alternative[i] = family == FAMILY_IPV4 ? v4[bits][i] : v6[bits][i];
	t->never |= !bits;
}

static void layer2(struct terms *t, const struct rule *r)
{
	/* An 802.1ad tag is a tag; `vlan id` would want 802.1Q. */
	if (r->value[FIELD_VLAN]) {
		str_add(&t->all, " @ll,96,16 { 0x8100, 0x88a8 }");
		values(t, "@ll,116,12", r->value[FIELD_VLAN], 1, 0xfff, 0);
	}
	if (r->value[FIELD_MAC])
		values(t, "@ll,48,48", r->value[FIELD_MAC], 0, 0xffffffffffff, 0);
	if (r->value[FIELD_ETHERTYPE])
		values(t, "meta protocol", r->value[FIELD_ETHERTYPE], 0x0600, 0xffff, 0);
}

static bool needs_layer4(const struct rule *r)
{
	return r->value[FIELD_SPORT] || r->value[FIELD_DPORT] || r->value[FIELD_TCPFLAGS] || r->value[FIELD_ICMP] ||
	       r->value[FIELD_ICMP6];
}

static void layer3(struct terms *t, const struct rule *r, enum family family)
{
	bool v4 = family == FAMILY_IPV4;

	if (r->src)
		addresses(t, "saddr", r->src, family);
	if (r->dst)
		addresses(t, "daddr", r->dst, family);
	if (r->value[FIELD_PROTO])
		values(t, "meta l4proto", r->value[FIELD_PROTO], family << 8, family << 8 | 255, family << 8);
	if (r->value[FIELD_DSCP])
		values(t, v4 ? "@nh,8,6" : "@nh,4,6", r->value[FIELD_DSCP], 0, 63, 0);
	if (r->value[FIELD_ECN])
		values(t, v4 ? "@nh,14,2" : "@nh,10,2", r->value[FIELD_ECN], 0, 3, 0);
	if (r->value[FIELD_TTL])
		values(t, v4 ? "@nh,64,8" : "@nh,56,8", r->value[FIELD_TTL], 0, 255, 0);
	if (r->value[FIELD_LEN])
		values(t, v4 ? "@nh,16,16" : "@nh,32,16", r->value[FIELD_LEN], v4 ? 0 : 40, 0xffff, v4 ? 0 : 40);
	fragments(t, r->value[FIELD_FRAG], needs_layer4(r), family);
}

static void layer4(struct terms *t, const struct rule *r, enum family family)
{
	enum field_id icmp = family == FAMILY_IPV4 ? FIELD_ICMP : FIELD_ICMP6,
		      other = family == FAMILY_IPV4 ? FIELD_ICMP6 : FIELD_ICMP;

	t->never |= r->value[other] != NULL;
	if (r->value[FIELD_SPORT] || r->value[FIELD_DPORT])
		str_add(&t->all, " meta l4proto { 6, 17, 132 }");
	if (r->value[FIELD_SPORT])
		values(t, "@th,0,16", r->value[FIELD_SPORT], 0, 0xffff, 0);
	if (r->value[FIELD_DPORT])
		values(t, "@th,16,16", r->value[FIELD_DPORT], 0, 0xffff, 0);
	if (r->value[FIELD_TCPFLAGS]) {
		str_add(&t->all, " meta l4proto 6");
		values(t, "@th,104,8", r->value[FIELD_TCPFLAGS], 0, 255, 0);
	}
	if (r->value[icmp]) {
		str_addf(&t->all, " meta l4proto %u", family == FAMILY_IPV4 ? 1 : 58);
		values(t, "@th,0,16", r->value[icmp], 0, 0xffff, 0);
	}
}

/* A frame that is not IP has no field of IP. */
static bool needs_ip(const struct rule *r)
{
	bool needs = r->src || r->dst;

	for (int id = 0; id < FIELD_VALUE_COUNT; id++)
		needs |= r->value[id] && field_get((enum field_id)id)->needs != FIELD_NEEDS_FRAME && id != FIELD_STATE;
	return needs;
}

static void rule_in_family(const struct rule *r, size_t index, enum family family, struct str *out)
{
	static const char *const first[] = { "meta protocol != { ip, ip6 }", "meta protocol ip", "meta protocol ip6" };
	static const char *const last[] = { " drop", " accept", "" };
	struct terms t = { .alternative = { "" } };

	t.never = family == FAMILY_OTHER && needs_ip(r);
	layer2(&t, r);
	if (family != FAMILY_OTHER && !t.never) {
		layer3(&t, r, family);
		layer4(&t, r, family);
	}
	for (int i = 0; i < MAX_ALTERNATIVES && !t.never && t.alternative[i]; i++)
		str_addf(out, "\t\t%s%s%s counter name r%zu%s\n", first[family], str_get(&t.all), t.alternative[i],
			 index, last[r->verdict]);
	str_fini(&t.all);
}

void rule_words_nft(const struct chain *chain, const char *ifname, struct str *out)
{
	str_add(out, "table netdev fw {\n\tcounter total { }\n\tcounter default { }\n\tcounter l2-other { }\n");
	for (size_t i = 0; i < chain->nrules; i++)
		str_addf(out, "\tcounter r%zu { }\n", i);
	str_addf(out,
		 "\tchain in {\n\t\ttype filter hook ingress device %s priority 0; policy accept;\n\t\tcounter name "
		 "total\n",
		 ifname);
	for (size_t i = 0; i < chain->nrules; i++)
		for (unsigned int f = 0; f < FAMILY_COUNT; f++)
			if (chain->rules[i].families & 1u << f)
				rule_in_family(&chain->rules[i], i, (enum family)f, out);
	str_add(out, "\t\tmeta protocol { ip, ip6 } counter name default accept\n\t\tcounter name l2-other\n\t}\n}\n");
}

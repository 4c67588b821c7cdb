// SPDX-License-Identifier: GPL-2.0-only
#include "bench/ruletext.h"
#include "base/arena.h"
#include "lang/print.h"

#include <string.h>

static void add_addresses(struct str *out, const char *word, const struct aset *set, bool needed)
{
	if (!set && !needed)
		return;
	str_addf(out, " %s ", word);
	if (!set)
		str_add(out, "any");
	else if (set->n4)
		print_range4(out, &set->v4[0]);
	else
		print_range6(out, &set->v6[0]);
}

static void add_ports(struct str *out, enum field_id id, const struct vset *ports)
{
	if (!ports)
		return;
	str_add(out, " port ");
	print_vset(out, id, ports);
}

static void add_protocol(struct str *out, const struct rule *r)
{
	unsigned int number;
	const char *word;

	/* Addresses say the family. */
	if (!r->src && !r->dst)
		str_add(out, r->families == 1u << FAMILY_IPV6 ? " inet6" : " inet");
	if (!r->value[FIELD_PROTO])
		return;
	number = r->value[FIELD_PROTO]->r[0].lo & 255;
	word = field_value_word(FIELD_PROTO, number);
	if (word)
		str_addf(out, " proto %s", word);
	else
		str_addf(out, " proto %u", number);
}

static void add_rule(struct str *out, const struct rule *r)
{
	str_addf(out, "\t\t%s", verdict_word(r->verdict));
	add_protocol(out, r);
	add_addresses(out, "from", r->src, r->value[FIELD_SPORT]);
	add_ports(out, FIELD_SPORT, r->value[FIELD_SPORT]);
	add_addresses(out, "to", r->dst, r->value[FIELD_DPORT]);
	add_ports(out, FIELD_DPORT, r->value[FIELD_DPORT]);
	str_add(out, "\n");
}

const char *ruletext_make(struct arena *arena, uint64_t seed, enum rulegen_style style, size_t n)
{
	struct policy *policy = rulegen_plain(arena, seed, style, n);
	const struct chain *chain;
	const char *text;
	struct str out = {};

	if (!policy)
		return NULL;
	chain = &policy->chain[DIRECTION_INGRESS];
	str_add(&out, "policy bench {\n\tingress default drop {\n");
	for (size_t i = 0; i < chain->nrules; i++)
		add_rule(&out, &chain->rules[i]);
	str_add(&out, "\t}\n}\n");
	text = out.failed ? NULL : arena_strdup(arena, str_get(&out));
	str_fini(&out);
	return text;
}

const char *ruletext_add_rule(struct arena *arena, const char *text, const char *rule)
{
	static const char tail[] = "\t}\n}\n";
	size_t len = strlen(text) - strlen(tail);

	return arena_printf(arena, "%.*s\t\t%s\n%s", (int)len, text, rule, tail);
}

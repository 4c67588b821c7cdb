// SPDX-License-Identifier: GPL-2.0-only
/* Intermediate values in words: what each rule asks, and which classes came of it. */
#include "compile/plan.h"

static void dump_value(enum space s, u128 v, struct str *out)
{
	if (space_family(s) == FAMILY_IPV4)
		str_addf(out, "%u.%u.%u.%u", (unsigned int)(v >> 24) & 255, (unsigned int)(v >> 16) & 255,
			 (unsigned int)(v >> 8) & 255, (unsigned int)v & 255);
	else if (space_family(s) == FAMILY_IPV6)
		for (int i = 7; i >= 0; i--)
			str_addf(out, "%x%s", (unsigned int)(v >> 16 * i) & 0xffff, i ? ":" : "");
	else if (s == SPACE_MAC)
		str_addf(out, "%012llx", (unsigned long long)v);
	else
		str_addf(out, "%llu", (unsigned long long)v);
}

#define DUMP_RANGES 8 /* of a long set, the first ones are enough to recognise it */

static void dump_set(enum space s, const struct box_set *set, struct str *out)
{
	str_add(out, "{");
	for (size_t i = 0; i < set->n && i < DUMP_RANGES; i++) {
		str_add(out, i ? ", " : " ");
		dump_value(s, box_set_lo(set, i), out);
		if (box_set_lo(set, i) == box_set_hi(set, i))
			continue;
		str_add(out, "-");
		dump_value(s, box_set_hi(set, i), out);
	}
	if (set->n > DUMP_RANGES)
		str_addf(out, ", … %zu ranges", set->n);
	str_add(out, " }");
}

static void dump_box(const struct boxes *b, size_t rule, enum family family, struct str *out)
{
	static const char *const verdict[] = { "drop", "pass", "count", "reject" }, *const name[] = { "other", "ipv4", "ipv6" };

	str_addf(out, "  box %zu %s %s", rule, verdict[b->chain->rules[rule].verdict], name[family]);
	for (int s = 0; s < SPACE_COUNT; s++) {
		const struct box_set *set = boxes_set(b, s, rule);

		if (!set || (space_family(s) != FAMILY_COUNT && space_family(s) != family))
			continue;
		str_addf(out, ", %s ", space_name(s));
		dump_set(s, set, out);
	}
	str_add(out, "\n");
}

void boxes_dump(const struct boxes *b, const char *direction, struct str *out)
{
	str_addf(out, "%s: %zu rules\n", direction, b->nrules);
	for (size_t i = 0; i < b->nrules; i++) {
		if (!b->families[i])
			str_addf(out, "  rule %zu can match nothing\n", i);
		for (int f = 0; f < FAMILY_COUNT; f++)
			if (b->families[i] >> f & 1)
				dump_box(b, i, f, out);
	}
}

static void dump_space(const struct plan *p, enum space s, struct str *out)
{
	const struct classes *c = &p->classes[s];

	str_addf(out, "  %s: %zu sets, %zu classes, %zu stretches, table %zu bytes, rows %zu bytes\n", space_name(s),
		 p->used[s].n, c->nclasses, c->nbounds, plan_table_bytes(p, s), plan_rows_bytes(p, s));
	if (space_family(s) != FAMILY_COUNT)
		str_addf(out, "    trie: %zu chunks, %zu packed (%u bits a cell), %zu skips\n", p->trie[s].chunks,
			 p->trie[s].leaves, 1u << p->trie[s].leaf_shift, p->trie[s].skips);
	for (size_t i = 0; i < c->nbounds && i < 4 * DUMP_RANGES; i++) {
		str_add(out, "    from ");
		dump_value(s, c->start[i], out);
		str_addf(out, ": class %u\n", c->cls[i]);
	}
	if (c->nbounds > 4 * DUMP_RANGES)
		str_addf(out, "    … %zu more\n", c->nbounds - 4 * DUMP_RANGES);
	if (c->absent != CLASS_NONE)
		str_addf(out, "    without the field: class %u\n", c->absent);
}

static void dump_service(const struct service *v, size_t id, struct str *out)
{
	str_addf(out, "    service %zu:", id);
	for (int s = 0; s < SERVICE_SPACES; s++)
		if (v->set[s])
			str_addf(out, " %s set %u", space_name(s), v->set[s] - 1);
	str_add(out, "\n");
}

static void dump_run(const struct lists *l, uint32_t run, struct str *out)
{
	const struct list_run *r = &l->runs.v[run];

	for (uint32_t i = 0; i < r->n; i++) {
		const struct fw_entry *e = &l->entries.v[r->at + i];

		str_addf(out, " rule %u", e->place);
		if (e->span != UINT32_MAX)
			str_addf(out, " at %u-%u", e->lo, e->lo + e->span);
		if (e->svc != FW_SVC_ANY)
			str_addf(out, " service %u", e->svc);
		str_add(out, i + 1 < r->n ? "," : "");
	}
}

/* A prefix: its number, the last inside, where it begins, and what its list has. */
static void dump_prefix(const struct lists *l, unsigned int tree, uint32_t number, struct str *out)
{
	const struct list *list = &l->lists.v[l->list_of[tree][number]];

	str_addf(out, "    %s %u-%u ", space_name(lists_space(tree)), number, l->tree[tree].last[number]);
	dump_value(lists_space(tree), l->tree[tree].lo[number], out);
	str_add(out, "-");
	dump_value(lists_space(tree), l->tree[tree].hi[number], out);
	str_add(out, ":");
	dump_run(l, list->run, out);
	str_add(out, "\n");
	for (uint32_t i = 0; i < list->nparts && i < DUMP_RANGES; i++) {
		str_addf(out, "      other side from %u:", l->parts.v[list->part + i].bound);
		dump_run(l, l->parts.v[list->part + i].run, out);
		str_add(out, "\n");
	}
	if (list->nparts > DUMP_RANGES)
		str_addf(out, "      … %u parts\n", list->nparts);
}

static void dump_lists(const struct lists *l, struct str *out)
{
	str_addf(out, "  lists: %u rules, %zu services, %zu nodes, %zu entries, %zu parts, %zu bytes\n", l->nlisted,
		 l->services.n, l->nnodes, l->entries.n, l->parts.n, l->units.n * sizeof(*l->units.v));
	for (size_t i = 0; i < l->services.n && i < 4 * DUMP_RANGES; i++)
		dump_service(&l->services.v[i], i, out);
	for (unsigned int tree = 0; tree < LISTS_TREES; tree++) {
		for (uint32_t i = 0; i < l->tree[tree].n && i < 4 * DUMP_RANGES; i++)
			dump_prefix(l, tree, i, out);
		if (l->tree[tree].n > 4 * DUMP_RANGES)
			str_addf(out, "    … %zu prefixes\n", l->tree[tree].n);
	}
}

void tables_dump(const struct plan *p, const struct image *img, struct str *out)
{
	(void)img;
	str_addf(out, "%s: %zu rules, rows of %u words and %u summary words\n", plan_dir_name(p), p->boxes.nrules,
		 p->nwords, p->nsum);
	for (int s = 0; s < SPACE_COUNT; s++)
		if (plan_has(p, s))
			dump_space(p, s, out);
	if (p->engine == ENGINE_LISTS)
		dump_lists(&p->lists, out);
}

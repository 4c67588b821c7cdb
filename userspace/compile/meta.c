// SPDX-License-Identifier: GPL-2.0-only
/* What user space wants to know of a running generation: identities, texts, places. */
#include "compile/plan.h"

#include "base/arena.h"
#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

/* Strings one after another, each with its NUL; offsets count from the start of struct fw_meta. */
struct meta_strings {
	struct str s;
	size_t base;
};

static void meta_strings_fini(struct meta_strings *m)
{
	str_fini(&m->s);
}

static uint32_t meta_add(struct meta_strings *m, const char *text)
{
	size_t at = m->base + m->s.len;

	str_add_len(&m->s, text, strlen(text) + 1);
	return at;
}

/* Identities given so far in a direction. 0 is empty, else 1 + rule; `repeats` counts namesakes. */
struct meta_ids {
	const char **id;
	uint32_t *cell, *repeats;
	size_t mask;
};

static size_t meta_ids_find(const struct meta_ids *x, const char *id)
{
	uint64_t h = 0xcbf29ce484222325ull;
	size_t at;

	for (const char *c = id; *c; c++)
		h = (h ^ (uint8_t)*c) * 0x100000001b3ull;
	for (at = (h ^ h >> 29) & x->mask; x->cell[at]; at = (at + 1) & x->mask)
		if (!strcmp(x->id[x->cell[at] - 1], id))
			break;
	return at;
}

/* The label, else the text; namesakes get "#2", "#3", … A label that looks like such a name is stepped over. */
static int meta_id(struct arena *arena, struct meta_ids *x, const struct rule *r, size_t rule)
{
	const char *base = r->label ? r->label : r->text;
	size_t at = meta_ids_find(x, base), first = at;

	x->id[rule] = base;
	while (x->cell[at]) {
		x->id[rule] = arena_printf(arena, "%s#%u", base, ++x->repeats[x->cell[first] - 1] + 1);
		if (!x->id[rule])
			return -ENOMEM;
		at = meta_ids_find(x, x->id[rule]);
	}
	x->cell[at] = rule + 1;
	return 0;
}

static int meta_ids_init(struct arena *arena, struct meta_ids *x, const struct chain *chain)
{
	size_t cap = 16;
	int err = 0;

	while (cap < 2 * chain->nrules)
		cap *= 2;
	x->id = arena_array(arena, chain->nrules, sizeof(*x->id));
	x->repeats = arena_array(arena, chain->nrules, sizeof(*x->repeats));
	x->cell = arena_array(arena, cap, sizeof(*x->cell));
	x->mask = cap - 1;
	if (!x->id || !x->repeats || !x->cell)
		return -ENOMEM;
	for (size_t i = 0; i < chain->nrules && !err; i++)
		err = meta_id(arena, x, &chain->rules[i], i);
	return err;
}

static void meta_add_rule(struct meta_strings *m, const struct rule *r, const char *id, const struct rule *before,
			  const struct fw_meta_rule *before_out, uint32_t empty, struct fw_meta_rule *out)
{
	const char *file = r->file ? r->file : "";

	out->text = meta_add(m, r->text);
	out->id = id == r->text ? out->text : meta_add(m, id);
	out->file = before && before->file == r->file ? before_out->file : meta_add(m, file);
	out->label = !r->label ? empty : id == r->label ? out->id : meta_add(m, r->label);
	out->line = r->line;
	out->verdict = r->verdict;
	out->flags = r->essential ? FW_RULEF_ESSENTIAL : 0;
}

static int meta_add_dir(struct arena *arena, struct meta_strings *m, const struct chain *chain, uint32_t empty,
			struct fw_meta_rule *out)
{
	struct meta_ids ids;
	int err = meta_ids_init(arena, &ids, chain);

	if (err)
		return err;
	for (size_t i = 0; i < chain->nrules; i++) {
		meta_add_rule(m, &chain->rules[i], ids.id[i], i ? &chain->rules[i - 1] : NULL, i ? &out[i - 1] : NULL,
			      empty, &out[i]);
		out[i].slot = FW_SLOT_RULE0 + i;
	}
	return 0;
}

int meta_build(struct arena *arena, const struct policy *policy, const char *source_name, const char *source_text,
	       struct meta *ret)
{
	struct meta_strings m cleanup(meta_strings_fini) = { .base = sizeof(struct fw_meta) };
	struct meta out = {};
	uint32_t empty;
	int err = 0;

	for (int d = 0; d < FW_DIR_COUNT; d++) {
		out.nrules[d] = policy->chain[d].nrules;
		out.rule[d] = arena_array(arena, out.nrules[d], sizeof(*out.rule[d]));
		if (!out.rule[d])
			return -ENOMEM;
		out.head.rules[d] = m.base;
		m.base += out.nrules[d] * sizeof(*out.rule[d]);
	}
	empty = meta_add(&m, "");
	out.head.policy = meta_add(&m, policy->name);
	out.head.source = meta_add(&m, source_name ? source_name : "");
	out.head.text = meta_add(&m, source_text ? source_text : "");
	for (int d = 0; d < FW_DIR_COUNT && !err; d++)
		err = meta_add_dir(arena, &m, &policy->chain[d], empty, out.rule[d]);
	if (err || m.s.failed)
		return -ENOMEM;
	if (m.s.len > FW_MAX_IMAGE)
		return -E2BIG;
	out.strings = arena_strndup(arena, m.s.s, m.s.len);
	if (!out.strings)
		return -ENOMEM;
	out.strings_len = m.s.len;
	out.head.strings_end = m.base + m.s.len;
	out.bytes = (out.head.strings_end + 7ul) / 8 * 8;
	*ret = out;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* What user space wants to know of a running generation: identities, texts, places. */
#include "compile/plan.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/hash.h"

#include <errno.h>
#include <string.h>

/* Strings one after another, each with its NUL; offsets count from the start of struct fw_meta. */
struct meta_strings {
	struct str s;
	size_t base;
	uint32_t empty;
	const char *file; /* the last one added, and its place: rules of one file follow each other */
	uint32_t file_at;
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

static uint32_t meta_add_file(struct meta_strings *m, const char *file)
{
	if (!m->file || strcmp(m->file, file))
		m->file_at = meta_add(m, file);
	m->file = file;
	return m->file_at;
}

/* Identities given so far in a direction. 0 is empty, else 1 + rule; `repeats` counts namesakes. */
struct meta_ids {
	const char **id;
	uint32_t *cell, *repeats;
	size_t mask;
};

static size_t meta_ids_find(const struct meta_ids *x, const char *id)
{
	size_t at;

	for (at = hash_bytes(id, strlen(id)) & x->mask; x->cell[at]; at = (at + 1) & x->mask)
		if (!strcmp(x->id[x->cell[at] - 1], id))
			break;
	return at;
}

/* The label, else the text, without what it logs; namesakes get "#2", "#3", … A label that looks like such a name is stepped over. */
static int meta_id(struct arena *arena, struct meta_ids *x, const struct rule *r, size_t rule)
{
	const char *base = r->label ? r->label : r->id_text ? r->id_text : r->text;
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

/*
 * The text of the policy has the rules in their order, one at the end of a line each. Where the text of the next one
 * stands, as an offset from the start of the text; UINT32_MAX once it has not been found: then this is another text.
 */
struct meta_lines {
	const char *text, *line; /* NULL: no more */
};

static uint32_t meta_find(struct meta_lines *l, const char *rule)
{
	size_t len = strlen(rule);

	while (l->line && *l->line) {
		const char *line = l->line, *end = strchrnul(line, '\n');

		l->line = *end ? end + 1 : end;
		if ((size_t)(end - line) >= len && !memcmp(end - len, rule, len))
			return (uint32_t)(end - len - l->text);
	}
	l->line = NULL;
	return UINT32_MAX;
}

static void meta_add_rule(struct meta_strings *m, struct meta_lines *lines, uint32_t text, const struct rule *r,
			  const char *id, struct fw_meta_rule *out)
{
	uint32_t at = meta_find(lines, r->text);

	out->text = at == UINT32_MAX ? meta_add(m, r->text) : text + at;
	out->id = id == r->text ? out->text : meta_add(m, id);
	out->label = !r->label ? m->empty : id == r->label ? out->id : meta_add(m, r->label);
	out->file = meta_add_file(m, r->file ? r->file : "");
	out->line = r->line;
	out->verdict = r->verdict;
	out->flags = r->essential ? FW_RULEF_ESSENTIAL : 0;
}

static int meta_add_dir(struct arena *arena, struct meta_strings *m, struct meta_lines *lines, uint32_t text,
			const struct chain *chain, struct fw_meta_rule *out)
{
	struct meta_ids ids;
	int err = meta_ids_init(arena, &ids, chain);

	for (size_t i = 0; i < chain->nrules && !err; i++) {
		meta_add_rule(m, lines, text, &chain->rules[i], ids.id[i], &out[i]);
		out[i].slot = FW_SLOT_RULE0 + i;
	}
	return err;
}

static int meta_finish(struct arena *arena, struct meta_strings *m, struct meta *out)
{
	size_t bytes = m->base + m->s.len;

	if (m->s.failed)
		return -ENOMEM;
	if (bytes > FW_MAX_IMAGE)
		return -E2BIG;
	out->strings = arena_strndup(arena, str_get(&m->s), m->s.len);
	if (!out->strings)
		return -ENOMEM;
	out->strings_len = m->s.len;
	out->head.strings_end = bytes;
	out->bytes = (bytes + 7) / 8 * 8;
	return 0;
}

int meta_build(struct arena *arena, const struct policy *policy, const char *source_name, const char *source_text,
	       struct meta *ret)
{
	struct meta_strings m cleanup(meta_strings_fini) = { .base = sizeof(struct fw_meta) };
	struct meta_lines lines = { .text = source_text, .line = source_text };
	size_t text_len = source_text ? strlen(source_text) : 0;
	struct meta out = { .text = source_text };
	int err = 0;

	for (int d = 0; d < FW_DIR_COUNT; d++) {
		out.nrules[d] = policy->chain[d].nrules;
		out.rule[d] = arena_array(arena, out.nrules[d], sizeof(*out.rule[d]));
		if (!out.rule[d])
			return -ENOMEM;
		out.head.rules[d] = m.base;
		m.base += out.nrules[d] * sizeof(*out.rule[d]);
	}
	if (text_len > FW_MAX_IMAGE)
		return -E2BIG;
	out.head.text = m.base;
	out.head.text_len = text_len && source_text[text_len - 1] != '\n' ? text_len + 1 : text_len;
	m.base += out.head.text_len;
	m.empty = meta_add(&m, "");
	out.head.policy = meta_add(&m, policy->name);
	out.head.source = meta_add(&m, source_name ? source_name : "");
	for (size_t i = 0; i < policy->nlive; i++)
		out.live[i] = meta_add(&m, policy->live[i]->name);
	for (int d = 0; d < FW_DIR_COUNT && !err; d++)
		err = meta_add_dir(arena, &m, &lines, out.head.text, &policy->chain[d], out.rule[d]);
	if (!err)
		err = meta_finish(arena, &m, &out);
	if (!err)
		*ret = out;
	return err;
}

void meta_write(const struct meta *meta, void *out)
{
	char *to = out, *text = to + meta->head.text;

	memcpy(to, &meta->head, sizeof(meta->head));
	for (int d = 0; d < FW_DIR_COUNT; d++)
		if (meta->nrules[d])
			memcpy(to + meta->head.rules[d], meta->rule[d], meta->nrules[d] * sizeof(*meta->rule[d]));
	if (meta->head.text_len)
		memcpy(text, meta->text, strlen(meta->text));
	for (char *c = text, *end = text + meta->head.text_len; c < end && (c = memchr(c, '\n', (size_t)(end - c))); c++)
		*c = '\0';
	memcpy(text + meta->head.text_len, meta->strings, meta->strings_len);
}

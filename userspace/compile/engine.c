// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which engine answers a direction for less: predicted from the cache lines that a packet reads and from how large the
 * tables are, since that decides how long each takes. The figures are rough. `bench_packet -e` measures both.
 */
#include "compile/plan.h"

#include "base/arena.h"

#include <errno.h>
#include <string.h>

#define ENGINE_SMALL FW_WORD_BITS /* rules that one word of a row holds: nothing is faster */
#define ENGINE_TRIE  (256u << 10) /* bytes of an address trie, and of each prefix in it */
#define ENGINE_CHUNK 64u

/* Nanoseconds of a line when all tables have so many bytes: second-level cache, third, memory. Measured. */
static const struct {
	size_t bytes;
	unsigned int ns;
} engine_lines[] = { { 2u << 20, 5 }, { 8u << 20, 10 }, { 32u << 20, 15 }, { SIZE_MAX, 25 } };

static unsigned int engine_line_ns(size_t bytes)
{
	size_t i = 0;

	while (bytes > engine_lines[i].bytes)
		i++;
	return engine_lines[i].ns;
}

/* Ranges of the sets that rows would know. `listed`: the rules that are not in them; NULL: none. */
static size_t engine_ranges(const struct plan *p, enum space s, const bool *listed, bool *seen)
{
	const struct boxes *b = &p->boxes;
	size_t sum = 0;

	memset(seen, 0, b->sets[s].n);
	for (size_t i = 0; i < b->nrules; i++) {
		uint32_t id = b->set[s][i];

		/* Services have the sets of rules in lists, where they are no addresses. */
		if (!id || seen[id - 1] || (listed && listed[i] && s >= SERVICE_SPACES))
			continue;
		seen[id - 1] = true;
		sum += b->sets[s].v[id - 1].n;
	}
	return sum;
}

static void engine_predict(const struct plan *p, const bool *listed, bool *seen, struct cost_engine *ret)
{
	size_t nwords = (ret->bits + FW_WORD_BITS - 1) / FW_WORD_BITS,
	       nsum = (nwords + FW_WORD_BITS - 1) / FW_WORD_BITS;
	size_t row = nwords + (nwords > 1 ? nsum : 0) + (listed ? p->lists.services.n / FW_WORD_BITS + 1 : 0);

	for (int s = 0; s < SPACE_COUNT; s++) {
		size_t ranges, classes;

		if (!p->boxes.set[s])
			continue;
		ranges = engine_ranges(p, s, listed, seen);
		classes = 2 * ranges + 1;
		if (s < SPACE_MAC && classes > (size_t)space_max(s) + 2)
			classes = (size_t)space_max(s) + 2;
		ret->bytes += classes * row * sizeof(uint64_t);
		ret->bytes += s < SPACE_MAC ? 2 * (size_t)space_max(s) : s > SPACE_MAC ? ENGINE_TRIE : 0;
		if (space_family(s) == FAMILY_IPV6)
			continue;
		/* The look-up, the summary, and what it leaves. */
		ret->lines += (space_family(s) == FAMILY_IPV4 ? 3 : 1) + (nwords > 1 ? (nsum + 7) / 8 : 0);
		ret->lines += ret->bits ? 1 + nwords / FW_WORD_BITS : 0;
	}
}

static void engine_predict_lists(const struct plan *p, bool *seen, struct cost_engine *ret)
{
	const struct lists *l = &p->lists;
	size_t prefixes = 0;

	for (unsigned int i = 0; i < LISTS_TREES; i++)
		prefixes += l->tree[i].n;
	ret->bits = p->boxes.nrules - l->nlisted;
	engine_predict(p, l->listed, seen, ret);
	ret->bytes += l->entries.n * sizeof(struct fw_entry) + l->parts.n * sizeof(struct fw_part) +
		      prefixes * (sizeof(struct fw_node) + ENGINE_CHUNK);
	/* Two nodes and what is behind them, and a service word in each row that is asked. */
	ret->lines += 2 + 2 + (l->services.n != 0) * 3;
}

static void engine_finish(struct cost_engine *c)
{
	c->ns = c->lines * engine_line_ns(c->bytes);
	c->fits = c->bits <= FW_MAX_BITS && c->bytes <= FW_MAX_IMAGE;
}

/* Lines of lists are mostly read side by side, which the prediction does not know: lists may seem to cost a tenth more. */
static bool engine_prefers_lists(const struct cost_engine *rows, const struct cost_engine *lists)
{
	if (rows->fits != lists->fits)
		return lists->fits;
	if (rows->bits > FW_MAX_BITS)
		return true;
	return 10 * lists->ns <= 11 * rows->ns;
}

int engine_choose(struct arena *arena, struct plan *p)
{
	struct cost_engine *rows = &p->predicted[0], *lists = &p->predicted[1];
	size_t most = 1;
	bool *seen;
	int err;

	rows->bits = p->boxes.nrules;
	if (p->engine == ENGINE_ROWS || !p->boxes.nrules ||
	    (p->engine == ENGINE_AUTO && p->boxes.nrules <= ENGINE_SMALL)) {
		p->engine = ENGINE_ROWS;
		return 0;
	}
	for (int s = 0; s < SPACE_COUNT; s++)
		most = p->boxes.sets[s].n > most ? p->boxes.sets[s].n : most;
	seen = arena_array(arena, most, sizeof(*seen));
	if (!seen)
		return -ENOMEM;
	err = lists_build(arena, &p->boxes, &p->lists);
	if (err)
		return err;
	engine_predict(p, NULL, seen, rows);
	engine_predict_lists(p, seen, lists);
	engine_finish(rows);
	engine_finish(lists);
	if (p->engine == ENGINE_AUTO)
		p->engine = p->lists.nlisted && engine_prefers_lists(rows, lists) ? ENGINE_LISTS : ENGINE_ROWS;
	if (p->engine == ENGINE_ROWS)
		lists_fini(&p->lists);
	return 0;
}

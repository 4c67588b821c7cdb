// SPDX-License-Identifier: GPL-2.0-only
#include "compile/plan.h"

#include "base/arena.h"
#include "base/vec.h"

#include <errno.h>

static const struct span plan_nowhere;

const char *plan_dir_name(const struct plan *p)
{
	return p->dir == FW_DIR_INGRESS ? "ingress" : "egress";
}

static int plan_over(const struct plan *p, struct diags *d, const char *what, size_t have, size_t limit,
		     const char *name)
{
	struct diag *g = diag_add(d, DIAG_ERROR, plan_nowhere, "policy \"%s\", %s: %zu %s, the limit is %zu",
				  p->policy->name, plan_dir_name(p), have, what, limit);

	diag_hint(d, g, "limit %s", name);
	return -E2BIG;
}

static int plan_too_large(const struct plan *p, struct diags *d, const char *what, enum space s)
{
	struct diag *g = diag_add(d, DIAG_ERROR, plan_nowhere,
				  "policy \"%s\", %s: with the %s of \"%s\" the tables would exceed %u MB",
				  p->policy->name, plan_dir_name(p), what, space_name(s), FW_MAX_IMAGE >> 20);

	diag_hint(d, g, "limit FW_MAX_IMAGE; a rule with a list, or a set, takes one row where many rules take many");
	return -E2BIG;
}

static int plan_count_rules(struct plan *p, const struct chain *chain, struct diags *d)
{
	size_t counts = 0;

	if (chain->nrules > FW_MAX_RULES)
		return plan_over(p, d, "rules", chain->nrules, FW_MAX_RULES, "FW_MAX_RULES");
	for (size_t i = 0; i < chain->nrules; i++)
		counts += chain->rules[i].verdict == VERDICT_CONTINUE;
	if (counts > FW_MAX_COUNT_RULES)
		return plan_over(p, d, "count and log rules", counts, FW_MAX_COUNT_RULES, "FW_MAX_COUNT_RULES");
	return 0;
}

size_t plan_rows_bytes(const struct plan *p, enum space s)
{
	return plan_has(p, s) ? p->classes[s].nclasses * plan_stride(p, s) : 0;
}

size_t plan_table_bytes(const struct plan *p, enum space s)
{
	if (space_family(s) != FAMILY_COUNT)
		return trie_bytes(&p->trie[s]);
	if (!plan_has(p, s))
		return 0;
	if (s < SPACE_MAC)
		return ((size_t)space_max(s) + 2) * sizeof(uint16_t);
	return sizeof(struct fw_mac_tab) + p->classes[s].nbounds * (sizeof(uint64_t) + sizeof(uint16_t));
}

static size_t plan_left(const size_t *used)
{
	return *used < FW_MAX_IMAGE ? FW_MAX_IMAGE - *used : 0;
}

/* Addresses are answered by a class or, with lists, by a node. */
static int plan_trie(struct plan *p, enum space s, struct diags *d, size_t *used)
{
	const struct classes *c = p->engine == ENGINE_LISTS ? &p->lists.nodes[s - SPACE_SRC4] : &p->classes[s];
	int err = (space_family(s) == FAMILY_IPV4 ? trie4_build : trie6_build)(c, plan_left(used), p->opts->trie_small, &p->trie[s]);

	if (err == -E2BIG)
		return plan_too_large(p, d, "addresses", s);
	*used += trie_bytes(&p->trie[s]) + 256;
	return err;
}

static int plan_space(struct plan *p, enum space s, struct diags *d, size_t *used)
{
	size_t room = plan_left(used) / plan_stride(p, s), limit = s <= SPACE_MAC ? FW_MAX_CLASSES : FW_CELL_LEAF - 1;
	struct classes *c = &p->classes[s];
	int err;

	err = classes_build(&p->used[s], space_max(s), s < SPACE_MAC, room < limit ? room : limit, c);
	if (err == -E2BIG && room < limit)
		return plan_too_large(p, d, "rows", s);
	if (err == -E2BIG)
		return plan_over(p, d, "or more classes of values in one field", limit + 1, limit, "FW_MAX_CLASSES");
	if (err)
		return err;
	if (s == SPACE_MAC && c->nbounds > FW_MAX_MAC_BOUNDS)
		return plan_over(p, d, "bounds of MAC ranges", c->nbounds, FW_MAX_MAC_BOUNDS, "FW_MAX_MAC_BOUNDS");
	*used += plan_rows_bytes(p, s);
	if (space_family(s) == FAMILY_COUNT)
		*used += plan_table_bytes(p, s) + 256; /* and what alignment may cost */
	return *used > FW_MAX_IMAGE ? plan_too_large(p, d, "table", s) : 0;
}

static int plan_nodes(struct plan *p, struct diags *d, size_t *used)
{
	const struct classes *rows[LISTS_TREES];
	int err;

	for (unsigned int i = 0; i < LISTS_TREES; i++)
		rows[i] = plan_has(p, lists_space(i)) ? &p->classes[lists_space(i)] : NULL;
	err = lists_emit(&p->lists, p->place, rows, plan_left(used));
	if (err == -E2BIG)
		return plan_too_large(p, d, "lists", SPACE_SRC4);
	*used += p->lists.units.n * sizeof(*p->lists.units.v) + 256;
	return err;
}

static int plan_spaces(struct plan *p, struct diags *d, size_t *used)
{
	bool lists = p->engine == ENGINE_LISTS;
	int err = 0;

	for (int s = 0; s < SPACE_COUNT && !err; s++)
		if (plan_has(p, s))
			err = plan_space(p, s, d, used);
	if (!err && lists)
		err = plan_nodes(p, d, used);
	for (int s = SPACE_SRC4; s < SPACE_COUNT && !err; s++)
		if (plan_has(p, s) || lists)
			err = plan_trie(p, s, d, used);
	return err;
}

/* Which rules own bits, and which bits. */
static int plan_rules(struct arena *arena, struct plan *p, struct diags *d)
{
	int err = engine_choose(arena, p);

	if (!err)
		err = place_rules(arena, p);
	if (err)
		return err;
	if (p->nbits > FW_MAX_BITS)
		return plan_over(p, d, "rules that own bits", p->nbits, FW_MAX_BITS, "FW_MAX_BITS");
	return used_build(arena, p);
}

/* Nobody reads the extras of a rule that no packet meets, but the identity of the image has them. */
static int plan_extras(struct arena *arena, struct plan *p, struct diags *d, size_t *used)
{
	const struct chain *chain = &p->policy->chain[p->dir];
	int err = logs_build(arena, chain, &p->logs);

	if (!err)
		err = extras_build(arena, p->policy, chain, &p->logs, &p->extras);
	if (err == -EINVAL)
		diag_add(d, DIAG_ERROR, plan_nowhere, "policy \"%s\", %s: a rule bans into a set that is no live set of the policy",
			 p->policy->name, plan_dir_name(p));
	*used += p->logs.n * sizeof(*p->logs.v) + 64;
	if (!err && p->extras.n)
		*used += p->extras.n * sizeof(*p->extras.v) + chain->nrules * sizeof(*p->extras.of) + 256;
	return err;
}

static int plan_live(const struct plan *p, const struct chain *chain, struct diags *d)
{
	size_t bits = sets_live(chain);

	if (bits > FW_MAX_SETS)
		return plan_over(p, d, "live sets, counted per side (from, to)", bits, FW_MAX_SETS, "FW_MAX_SETS");
	return 0;
}

/* Blocks of large sets, those that no plan has laid out yet. */
static int plan_sets(struct plan *p, struct setpool *pool, struct diags *d, size_t *used)
{
	int err = setpool_plan(pool, p->opts, used);

	*used += 2 * p->sets.n * sizeof(struct fw_block);
	return err == -E2BIG ? plan_too_large(p, d, "large sets", SPACE_SETS) : err;
}

int plan_build(struct arena *arena, const struct policy *policy, enum fw_dir dir, const struct compile_opts *opts,
	       struct setpool *pool, struct diags *d, size_t *used, struct plan *p)
{
	const struct chain *chain = &policy->chain[dir];
	int err;

	*p = (struct plan){ .dir = dir, .opts = opts, .policy = policy, .engine = opts->engine };
	err = plan_count_rules(p, chain, d);
	if (!err)
		err = plan_live(p, chain, d);
	if (!err)
		err = plan_extras(arena, p, d, used);
	if (err)
		return err;
	p->never = arena_array(arena, chain->nrules, sizeof(*p->never));
	if (!p->never)
		return -ENOMEM;
	err = sets_choose(arena, chain, opts, pool, &p->sets);
	if (!err)
		err = plan_sets(p, pool, d, used);
	if (!err)
		err = boxes_build(arena, chain, &p->sets, &p->boxes);
	if (err)
		return err;
	err = plan_rules(arena, p, d);
	*used += chain->nrules * sizeof(struct fw_action) + p->stride + 256;
	return err ? err : plan_spaces(p, d, used);
}

void plan_fini(struct plan *p)
{
	boxes_fini(&p->boxes);
	lists_fini(&p->lists);
	for (int s = 0; s < SPACE_COUNT; s++) {
		vec_fini(&p->used[s]);
		classes_fini(&p->classes[s]);
		trie_fini(&p->trie[s]);
	}
}

// SPDX-License-Identifier: GPL-2.0-only
#include "compile/plan.h"

#include "base/arena.h"

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
		return plan_over(p, d, "count rules", counts, FW_MAX_COUNT_RULES, "FW_MAX_COUNT_RULES");
	if (chain->nrules > FW_MAX_BITS)
		return plan_over(p, d, "rules that own bits", chain->nrules, FW_MAX_BITS, "FW_MAX_BITS");
	p->nwords = (chain->nrules + FW_WORD_BITS - 1) / FW_WORD_BITS;
	p->nsum = p->nwords > 1 ? (p->nwords + FW_WORD_BITS - 1) / FW_WORD_BITS : 0;
	p->stride = (p->nwords + p->nsum) * sizeof(uint64_t);
	return 0;
}

size_t plan_rows_bytes(const struct plan *p, enum space s)
{
	return p->classes[s].nclasses * p->stride;
}

size_t plan_table_bytes(const struct plan *p, enum space s)
{
	if (s < SPACE_MAC)
		return ((size_t)space_max(s) + 2) * sizeof(uint16_t);
	if (s == SPACE_MAC)
		return sizeof(struct fw_mac_tab) + p->classes[s].nbounds * (sizeof(uint64_t) + sizeof(uint16_t));
	return trie_bytes(&p->trie[s]);
}

static int plan_trie(struct plan *p, enum space s, struct diags *d, size_t *used)
{
	size_t left = *used < FW_MAX_IMAGE ? FW_MAX_IMAGE - *used : 0;
	int err;

	if (space_family(s) == FAMILY_COUNT)
		return 0;
	err = (space_family(s) == FAMILY_IPV4 ? trie4_build : trie6_build)(&p->classes[s], left, p->opts->trie_small, &p->trie[s]);
	return err == -E2BIG ? plan_too_large(p, d, "addresses", s) : err;
}

static int plan_space(struct plan *p, enum space s, struct diags *d, size_t *used)
{
	size_t left = *used < FW_MAX_IMAGE ? FW_MAX_IMAGE - *used : 0;
	size_t room = left / p->stride, limit = s <= SPACE_MAC ? FW_MAX_CLASSES : FW_CELL_LEAF - 1;
	struct classes *c = &p->classes[s];
	int err;

	err = classes_build(&p->boxes.sets[s], space_max(s), s < SPACE_MAC, room < limit ? room : limit, c);
	if (err == -E2BIG && room < limit)
		return plan_too_large(p, d, "rows", s);
	if (err == -E2BIG)
		return plan_over(p, d, "or more classes of values in one field", limit + 1, limit, "FW_MAX_CLASSES");
	if (err)
		return err;
	if (s == SPACE_MAC && c->nbounds > FW_MAX_MAC_BOUNDS)
		return plan_over(p, d, "bounds of MAC ranges", c->nbounds, FW_MAX_MAC_BOUNDS, "FW_MAX_MAC_BOUNDS");
	*used += plan_rows_bytes(p, s);
	err = plan_trie(p, s, d, used);
	if (err)
		return err;
	*used += plan_table_bytes(p, s) + 256; /* and what alignment may cost */
	return *used > FW_MAX_IMAGE ? plan_too_large(p, d, "table", s) : 0;
}

int plan_build(struct arena *arena, const struct policy *policy, enum fw_dir dir, const struct compile_opts *opts,
	       struct diags *d, size_t *used, struct plan *p)
{
	const struct chain *chain = &policy->chain[dir];
	int err;

	*p = (struct plan){ .opts = opts, .dir = dir, .policy = policy };
	err = plan_count_rules(p, chain, d);
	if (err)
		return err;
	p->never = arena_array(arena, chain->nrules, sizeof(*p->never));
	if (!p->never)
		return -ENOMEM;
	err = boxes_build(arena, chain, &p->boxes);
	if (!err)
		err = place_rules(arena, p);
	*used += chain->nrules * sizeof(struct fw_action) + p->stride + 256;
	for (int s = 0; s < SPACE_COUNT && !err; s++)
		if (plan_has(p, s))
			err = plan_space(p, s, d, used);
	return err;
}

void plan_fini(struct plan *p)
{
	boxes_fini(&p->boxes);
	for (int s = 0; s < SPACE_COUNT; s++) {
		classes_fini(&p->classes[s]);
		trie_fini(&p->trie[s]);
	}
}

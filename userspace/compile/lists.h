/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists: the rules that say much about addresses, filed at the prefixes they speak of (<fw/abi.h>, "Lists").
 *
 * lists.c decides which rules are filed, and where; listmake.c makes the lists; listnode.c writes them out. A rule that
 * fits nowhere at a bearable price stays broad: it owns a bit of the rows.
 */
#ifndef FW_COMPILE_LISTS_H
#define FW_COMPILE_LISTS_H

#include "compile/class.h"
#include "compile/prefixtree.h"
#include "compile/service.h"

#define LISTS_SIDES    2 /* source, destination */
#define LISTS_FAMILIES 2 /* IPv4, IPv6 */
/* Trees, one per side and family; the space of tree i. */
#define LISTS_TREES (LISTS_SIDES * LISTS_FAMILIES)
static inline unsigned int lists_tree(unsigned int side, unsigned int family)
{
	return side * LISTS_FAMILIES + family;
}
static inline enum space lists_space(unsigned int tree)
{
	return (enum space)(SPACE_SRC4 + tree);
}
_Static_assert(SPACE_SRC6 == SPACE_SRC4 + 1 && SPACE_DST4 == SPACE_SRC4 + 2 && SPACE_DST6 == SPACE_SRC4 + 3,
	       "order of the address spaces");

/* Entries in a row, told apart by content. Run 0 is empty. */
struct list_run {
	uint32_t at, n;
};
/* What a prefix knows: one run, or parts (nparts > 0). List 0 is empty. */
struct list {
	uint32_t run;
	uint32_t part, nparts;
};
struct list_part {
	uint32_t bound, run;
};

struct list_unit { /* 16 bytes of the image */
	uint32_t word[4];
};

struct lists {
	const struct boxes *b;
	bool *listed;  /* per rule */
	uint8_t *side; /* per rule: bit per family, set when filed by the destination */
	uint32_t nlisted;
	struct services services;
	struct prefix_tree tree[LISTS_TREES];

	/* Rules filed at prefix i of a tree: own[own_at[i]] … own[own_at[i + 1] - 1], ascending. */
	uint32_t *own_at[LISTS_TREES], *own[LISTS_TREES];

	uint32_t *list_of[LISTS_TREES]; /* per prefix: its list, with what it inherits */
	struct {
		struct fw_entry *v; /* `place` is the rule until they are written out */
		size_t n, cap;
	} entries;
	struct {
		struct list_run *v;
		size_t n, cap;
	} runs;
	struct {
		struct list *v;
		size_t n, cap;
	} lists;
	struct {
		struct list_part *v;
		size_t n, cap;
	} parts;
	uint32_t *slot; /* hash table of runs: 0 empty, else 1 + run */
	size_t mask;
	uint32_t *copies;    /* per rule: entries it has in all runs */
	size_t work;	     /* entries looked at */
	unsigned int rounds; /* of making the lists */

	/* What is written. */
	struct {
		struct list_unit *v;
		size_t n, cap;
	} units;
	struct classes nodes[LISTS_TREES]; /* address → unit of its node */
	size_t nnodes;
	size_t longest; /* entries of a list that is scanned as a whole */
};

/*
 * Decide for every rule, and make the lists. Rules whose flag in l->listed is then clear own bits. 0 or -ENOMEM;
 * lists_fini in any case.
 */
int lists_build(struct arena *arena, const struct boxes *b, struct lists *l);
void lists_fini(struct lists *l);

/* The prefixes of a rule in a tree: numbers, ascending. A rule that asks nothing there has one: 0. */
const uint32_t *lists_prefixes(const struct lists *l, unsigned int tree, size_t rule, size_t *ret_n);
/* The same as intervals. */
const struct prefix_interval *lists_intervals(const struct lists *l, unsigned int tree, size_t rule, size_t *ret_n);
/* The tree that has the rule, in a family, and the one opposite. */
static inline unsigned int lists_filed(const struct lists *l, size_t rule, unsigned int family)
{
	return lists_tree(l->side[rule] >> family & 1, family);
}
static inline unsigned int lists_other(unsigned int tree)
{
	return tree ^ LISTS_FAMILIES;
}
static inline bool lists_in_family(const struct lists *l, size_t rule, unsigned int family)
{
	return l->b->families[rule] >> (FAMILY_IPV4 + family) & 1;
}

/* The entries that may match at a list when the other address has a number. */
const struct fw_entry *lists_run(const struct lists *l, uint32_t list, uint32_t other, uint32_t *ret_n);

/*
 * listmake.c: the list of every prefix. Rules that crowd a list or take too much of the memory are taken out of
 * l->listed: *ret_again says that some were, so that the lists must be made again. 0 or -ENOMEM.
 */
int lists_make(struct lists *l, bool *ret_again);
void lists_forget(struct lists *l);

/* listrun.c: begin with the empty run; the run of these entries. 0 or -ENOMEM. */
int lists_open_runs(struct lists *l);
int lists_add_run(struct lists *l, const struct fw_entry *e, size_t n, uint32_t *ret);

/*
 * listnode.c: nodes, entries and parts into l->units, and the map from addresses to them. `place`: of each rule;
 * `rows`: classes of the address spaces by the rules that own bits (by tree; NULL: one class). 0, -ENOMEM, or -E2BIG
 * when they would take more than `room` bytes.
 */
int lists_emit(struct lists *l, const uint32_t *place, const struct classes *rows[LISTS_TREES], size_t room);

#endif

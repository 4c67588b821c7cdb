/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The plan of one direction: its boxes, classes and tries, with the sizes that follow from them. Every budget has been
 * checked when a plan exists, so what remains (rows.c, tables.c, encode.c) is writing.
 */
#ifndef FW_COMPILE_PLAN_H
#define FW_COMPILE_PLAN_H

#include "base/diag.h"
#include "compile/class.h"
#include "compile/compile.h"
#include "compile/trie.h"
#include "image/image.h"

struct plan {
	const struct compile_opts *opts;
	enum fw_dir dir;
	const struct policy *policy;
	struct boxes boxes;
	struct classes classes[SPACE_COUNT]; /* of the spaces that some rule asks something of */
	struct trie trie[SPACE_COUNT];	     /* of the address spaces */
	uint32_t nwords, nsum, stride;	     /* of a row; see <fw/abi.h> */

	/* Offsets in the image; 0: not there. */
	uint32_t table[SPACE_COUNT], rows[SPACE_COUNT];
	uint32_t mac_cls, ones, actions;
	bool *never; /* per rule: can never match */
	uint16_t *place;   /* per rule: its bit in every row */
	uint16_t *rule_at; /* per bit: its rule */
	uint32_t ncounts;  /* with more than one word, the first bits belong to this many `count` rules */
};

/*
 * Build the plan of policy->chain[dir]. *used: bytes of the image taken so far, grows. What is over a budget is a
 * diagnostic and -E2BIG. The plan must be given to plan_fini in any case.
 */
int plan_build(struct arena *arena, const struct policy *policy, enum fw_dir dir, const struct compile_opts *opts,
	       struct diags *d, size_t *used, struct plan *p);
void plan_fini(struct plan *p);

static inline bool plan_has(const struct plan *p, enum space s)
{
	return p->boxes.set[s];
}
/* Bytes of a space's table and of its rows. */
size_t plan_table_bytes(const struct plan *p, enum space s);
size_t plan_rows_bytes(const struct plan *p, enum space s);
const char *plan_dir_name(const struct plan *p);

/* place.c: fill place, rule_at, ncounts. 0 or -ENOMEM. */
int place_rules(struct arena *arena, struct plan *p);

/* rows.c: the rows of every space and `ones`. 0 or -ENOMEM. */
int rows_write(const struct plan *p, struct image *img);
/* Row of a class, without its summary words. */
static inline const uint64_t *rows_get(const struct plan *p, const struct image *img, enum space s, uint32_t cls)
{
	return (const uint64_t *)(img->data + p->rows[s] + (size_t)cls * p->stride) + p->nsum;
}

/* tables.c: value → class of every space. */
void tables_write(const struct plan *p, struct image *img);

/*
 * reduce.c: mark in p->never the rules that can never match, and warn of those that a person wrote (unless d is NULL).
 * Needs the rows. 0 or -ENOMEM.
 */
int reduce_never(struct arena *arena, struct plan *p, const struct image *img, struct diags *d);

/* meta.c: the names and texts. *ret is the arena's, without the flags of rules that never match. 0, -E2BIG or -ENOMEM.
 */
struct meta {
	struct fw_meta head;
	struct fw_meta_rule *rule[FW_DIR_COUNT];
	size_t nrules[FW_DIR_COUNT];
	const char *text; /* of the policy; lives as long as the caller says */
	char *strings;
	size_t strings_len, bytes; /* of all */
};
int meta_build(struct arena *arena, const struct policy *policy, const char *source_name, const char *source_text,
	       struct meta *ret);
/* Into the image, after the flags of the rules are set. */
void meta_write(const struct meta *meta, void *out);

/* cost.c: what the plans cost, for a reader. */
struct cost;
void cost_fill(const struct plan plan[FW_DIR_COUNT], const struct image *img, struct cost *ret);
/* dump.c: `--dump=tables`. */
void tables_dump(const struct plan *p, const struct image *img, struct str *out);

/* encode.c: plans → bytes. 0, -E2BIG (a diagnostic) or -ENOMEM. */
int encode_image(struct arena *arena, struct plan plan[FW_DIR_COUNT], const struct meta *meta, struct diags *d,
		 bool warn, struct image *ret);

#endif

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
#include "compile/extras.h"
#include "compile/lists.h"
#include "compile/sets.h"
#include "compile/trie.h"
#include "image/image.h"

struct plan {
	const struct compile_opts *opts;
	enum fw_dir dir;
	const struct policy *policy;
	struct sets sets;
	struct boxes boxes;
	struct logs logs;
	struct extras extras;
	struct classes classes[SPACE_COUNT]; /* by the sets in `used` */
	struct trie trie[SPACE_COUNT];	     /* of the address spaces */
	uint32_t nbits, nwords, nsum, nsvc;  /* of a row; see <fw/abi.h> */
	uint32_t stride, stride_addr;

	enum engine engine; /* as asked; after engine_choose not ENGINE_AUTO */
	struct cost_engine predicted[2]; /* rows, lists; nothing when there was nothing to choose */
	struct lists lists; /* with ENGINE_LISTS */
	/* Sets that rows know: of the rules that own bits, and of services. Per set of `boxes`: 1 + index, 0: unknown. */
	struct box_sets used[SPACE_COUNT];
	uint32_t *used_id[SPACE_COUNT];

	/* Offsets in the image; 0: not there. */
	uint32_t table[SPACE_COUNT], rows[SPACE_COUNT];
	uint32_t mac_cls, ones, actions, units, set_blocks, extra_of, extra_v, log_v;
	bool *never; /* per rule: can never match */
	uint32_t *place;   /* per rule: its bit in every row; in lists: its place behind the bits */
	uint32_t *rule_at; /* per place: its rule */
	uint32_t ncounts;  /* with nsum > 0, the first bits belong to this many `count` rules */
};

/*
 * Build the plan of policy->chain[dir]. *used: bytes of the image taken so far, grows. What is over a budget is a
 * diagnostic and -E2BIG. The plan must be given to plan_fini in any case.
 */
int plan_build(struct arena *arena, const struct policy *policy, enum fw_dir dir, const struct compile_opts *opts,
	       struct setpool *pool, struct diags *d, size_t *used, struct plan *p);
void plan_fini(struct plan *p);

/* Do rows ask anything of the space? */
static inline bool plan_has(const struct plan *p, enum space s)
{
	return p->used[s].n;
}
static inline bool plan_owns_bit(const struct plan *p, size_t rule)
{
	return p->place[rule] < p->nbits;
}
/* Index of a rule's set in used[s]; SIZE_MAX: it asks nothing. The rule must own a bit, or the space be no address. */
static inline size_t plan_set(const struct plan *p, enum space s, uint32_t set)
{
	return set ? p->used_id[s][set - 1] - 1ul : SIZE_MAX;
}
/* Bytes of a space's row, its table, its rows; 0: there is none. */
static inline size_t plan_stride(const struct plan *p, enum space s)
{
	return s < SPACE_SRC4 ? p->stride : p->stride_addr;
}
size_t plan_table_bytes(const struct plan *p, enum space s);
size_t plan_rows_bytes(const struct plan *p, enum space s);
const char *plan_dir_name(const struct plan *p);

/* used.c: fill used and used_id. 0 or -ENOMEM. */
int used_build(struct arena *arena, struct plan *p);

/*
 * engine.c: settle p->engine. What was predicted is kept; with ENGINE_LISTS the lists are made. 0 or -ENOMEM.
 */
int engine_choose(struct arena *arena, struct plan *p);

/* place.c: fill place, rule_at, ncounts and the sizes of rows. 0 or -ENOMEM. */
int place_rules(struct arena *arena, struct plan *p);

/* rows.c: the rows of every space and `ones`. 0 or -ENOMEM. */
int rows_write(const struct plan *p, struct image *img);
/* Row of a class, without its summary words. */
static inline const uint64_t *rows_get(const struct plan *p, const struct image *img, enum space s, uint32_t cls)
{
	return (const uint64_t *)(img->data + p->rows[s] + (size_t)cls * plan_stride(p, s)) + p->nsum;
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
	uint32_t live[FW_MAX_LIVE]; /* names of the policy's live sets */
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
/* dump_extras.c: of both dumps, the bits of SETS and the extras of rules. */
void extras_dump(const struct plan *p, struct str *out);

/* encode.c: plans → bytes. 0, -E2BIG (a diagnostic) or -ENOMEM. */
int encode_image(struct arena *arena, struct plan plan[FW_DIR_COUNT], const struct setpool *pool,
		 const struct meta *meta, struct diags *d,
		 bool warn, struct image *ret);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rule set → image: boxes (one rule, one family, a sorted set per dimension) → classes → tables and rows → bytes.
 * Same rule set, same bytes.
 */
#ifndef FW_COMPILE_H
#define FW_COMPILE_H

#include "base/diag.h"
#include "image/image.h"
#include "model/rule.h"

/* What `check --cost` tells: which structure answers each dimension, how large, how many dependent reads at worst. */
struct cost_dim {
	const char *name;      /* "from (IPv4)", "port", … */
	const char *structure; /* "stride trie 16-8-8", "direct table", "sorted bounds" */
	size_t entries;        /* prefixes or values that rules name */
	size_t classes;
	size_t table_bytes, row_bytes;
	unsigned int lookups;  /* dependent reads at worst, the row not counted */
};
/* What an engine was predicted to cost. */
struct cost_engine {
	size_t bits; /* rules that own bits */
	size_t bytes;
	unsigned int lines; /* cache lines that a packet reads */
	unsigned int ns;    /* 0: not predicted */
	bool fits;
};
struct cost {
	struct cost_dim dim[FW_DIR_COUNT][FW_DIM_COUNT + 2];
	size_t ndims[FW_DIR_COUNT];
	size_t rules[FW_DIR_COUNT];
	size_t words[FW_DIR_COUNT];
	unsigned int worst_lookups[FW_DIR_COUNT]; /* every table and row read at worst */
	size_t image_bytes, slot_bytes;           /* slot: power of two that holds it */
	const char *engine[FW_DIR_COUNT];         /* as `check --cost` calls it */

	bool lists[FW_DIR_COUNT]; /* the engine is lists; else what follows is 0 */
	struct cost_engine predicted[FW_DIR_COUNT][2]; /* rows, lists */
	size_t live_bits[FW_DIR_COUNT]; /* live sets that are asked about, per side */
	size_t kept[FW_DIR_COUNT], limited[FW_DIR_COUNT]; /* rules that keep state; with a limit or max-conn */
	size_t logged[FW_DIR_COUNT]; /* rules that log */
	size_t extra_bytes[FW_DIR_COUNT];
	size_t listed[FW_DIR_COUNT], services[FW_DIR_COUNT], nodes[FW_DIR_COUNT], entries[FW_DIR_COUNT];
	size_t parts[FW_DIR_COUNT], longest[FW_DIR_COUNT], list_bytes[FW_DIR_COUNT];
};

/* How rules are found: see <fw/abi.h>. */
enum engine {
	ENGINE_AUTO,  /* the one that is predicted to cost less */
	ENGINE_ROWS,  /* every rule owns a bit of the rows */
	ENGINE_LISTS, /* rules that say much about addresses stand in lists, the others own bits */
};

/* Which intermediate value to print. */
enum compile_dump { COMPILE_DUMP_NONE, COMPILE_DUMP_BOXES, COMPILE_DUMP_TABLES };

struct compile_opts {
	enum compile_dump dump;
	struct str *out;   /* with dump */
	struct cost *cost; /* NULL: not wanted */
	bool no_warnings;

	/* What only large rule sets meet; 0: as measured best. Tests force it with other values. */
	size_t trie_small; /* bytes up to which address tries keep chunks of fixed width */
	size_t set_large;  /* ranges from which on a set of addresses is a block of its own */

	/* A live image (one that image_check accepts) to copy large sets from instead of building them; NULL: none. */
	const struct fw_image *previous;
	size_t previous_len;

	enum engine engine; /* forced, for tests; the image differs, the meaning does not */
};

/*
 * Compile one policy. Budgets are checked, and refused by name as diagnostics (-E2BIG), before the memory is taken.
 * Warnings: rules that can never match (empty, or hidden by an earlier rule).
 * `source_text`: canonical text of the policy, stored in the meta (may be "").
 * 0, -E2BIG, -EINVAL (diagnostics) or -ENOMEM.
 */
int compile_policy(const struct policy *policy, const char *source_name, const char *source_text, struct diags *d,
		   const struct compile_opts *opts, struct image *ret_image);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tree → rule set: names, lists and files become values. Names are known from the line that defines them on; only
 * policies may be used (by interface and test) before they are written.
 */
#ifndef FW_LANG_RESOLVE_H
#define FW_LANG_RESOLVE_H

#include "lang/ast.h"
#include "lang/lang.h"
#include "lang/names.h"
#include "lang/number.h"
#include "lang/parse.h"

/* Limits that stop a text from growing without bound. */
#define RESOLVE_MAX_DEPTH    16		/* of includes */
#define RESOLVE_MAX_INCLUDES 1024	/* in one run */
#define RESOLVE_MAX_VALUES   (4u << 20) /* list elements, $names expanded, in one run */

struct define {
	struct ast_text name;
	struct ast_value *v; /* flat: $names inside are gone */
	size_t n;
};

struct set_def {
	struct ast_text name;
	unsigned int line;
	size_t index; /* in the rule set */
	struct named_set named;
	const struct aset *addresses; /* NULL: a live set */
	const struct aset *inverted; /* NULL until somebody writes "! @name" */
};

/* A policy while it is built. */
struct policy_def {
	struct ast_text name;
	struct policy policy;
	struct span chain_span[DIRECTION_COUNT], state_span;
	struct span log_span[DIRECTION_COUNT][2]; /* of `log default`, `log reasons` */
	struct span live_span[POLICY_MAX_LIVE]; /* where policy.live was first named */
	struct names labels[DIRECTION_COUNT]; /* → struct ast_text */
	size_t index;			      /* in the rule set */
	bool essentials;		      /* what `default drop` of the next block implies */
};

/* interface … and test …, which wait for the policies. */
struct late {
	const struct ast_stmt *stmt;
	struct policy_def *policy; /* with an expectation: the test block's, NULL: the only one */
	struct ast_text policy_name;
	unsigned int sequence; /* 0: none */
};

/* An element of a list, $names expanded. */
struct item {
	const struct ast_value *v;
	struct span use; /* where the rule says it; differs from the value's place when a $name stands between */
};
struct items {
	struct item *v;
	size_t n, cap;
};

/* A list of one word that was resolved before: rules repeat protocols and ports. */
struct field_memo {
	struct vset *set;
	const char *text; /* canonical */
};
#define RESOLVE_MAX_MEMOS 4096 /* of one field */

struct resolver {
	struct arena *arena;
	struct arena *tree; /* for the syntax: gone when the rules are made */
	struct diags *d;
	const struct lang_reader *reader;
	const struct load *load; /* the file being resolved */
	size_t includes, values;
	unsigned int sequences, sequence; /* so many; the one being read, 0: none */
	uint64_t elapsed; /* of the sequence being resolved */
	bool failed;	  /* no memory */
	struct names defines, sets, policies, interfaces;
	struct {
		struct set_def **v;
		size_t n, cap;
	} set_list;
	struct {
		struct policy_def **v;
		size_t n, cap;
	} policy_list;
	struct {
		struct late *v;
		size_t n, cap;
	} late;
	struct {
		struct binding *v;
		size_t n, cap;
	} bindings;
	struct {
		struct expectation *v;
		size_t n, cap;
	} tests;
	/* The chain being filled. */
	struct policy_def *policy;
	enum direction direction;
	bool essential;	 /* the rules being resolved are implied ones */
	bool essentials; /* the block wants them */
	struct {
		struct rule *v;
		size_t n, cap;
	} rules;
	struct str text;    /* scratch of the printer */
	struct items spare; /* memory for the next list */
	struct names memos[FIELD_VALUE_COUNT]; /* → struct field_memo */
	struct {
		const struct vset *written;
		const struct vset *both; /* with the family above the protocol */
	} protos[8]; /* the last ones */
	unsigned int next_proto;
};

/* source.c: files below the top file's directory. */
struct load {
	const struct load *parent;
	const struct source *source;
	unsigned int depth;
};
/* Read the file that a statement of the current source names. False after a diagnostic. */
bool load_file(struct resolver *r, const struct ast_text *path, const struct source **ret_source);

/* resolve_list.c */
/* Expand $names. The items are given back with items_fini. False after a diagnostic (an unknown name, an empty list), or failed. */
bool list_expand(struct resolver *r, const struct ast_list *list, struct items *ret_items);
void items_fini(struct resolver *r, struct items *items);
/* A mistake in an item: at its use, and where it was defined. */
struct diag *item_error(struct resolver *r, const struct item *it, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool item_is(const struct item *it, const char *word);
struct set_def *set_find(struct resolver *r, const struct ast_text *name, struct span use);
/* The address an item is; false after a diagnostic. */
bool item_addr(struct resolver *r, const struct item *it, struct addr_range *ret);
int addr_add(struct aset_builder *b, const struct addr_range *a);

/* resolve_field.c: a list → the values of a field, and their canonical text; false after a diagnostic, or failed. */
bool field_resolve(struct resolver *r, enum field_id id, const struct ast_list *list, const char **ret_text,
		   struct vset **ret_set);
/* resolve_value.c: the same, whether it was done before or not. */
bool list_resolve(struct resolver *r, enum field_id id, const struct ast_list *list, struct field_memo *ret);
/* One number, range, comparison or name of a field. */
bool item_range(struct resolver *r, enum field_id id, const struct item *it, struct range *ret);

/* resolve_state.c: the values of `state`. */
bool state_resolve(struct resolver *r, const struct items *items, struct str *text, struct vset **ret);

/* The scratch text as memory of the arena; the scratch is empty then. NULL: no memory. */
const char *take_text(struct resolver *r);

/* resolve_rule.c: one rule into r->rules. */
void rule_resolve(struct resolver *r, const struct ast_stmt *stmt);

/* resolve_extra.c: the options of a log as the arena's. NULL: no memory. */
const struct log_opts *log_resolve(struct resolver *r, const struct ast_log *log);

/* resolve.c: "WHAT "NAME" is there already". */
struct diag *resolve_twice(struct resolver *r, const struct ast_text *name, const struct ast_text *first, const char *what);

/* resolve_set.c */
void set_resolve(struct resolver *r, const struct ast_stmt *s);

/* resolve_live.c: live sets. The bit of one in the policy that is being read, by which it is known to rules; 0 after a diagnostic. */
uint32_t live_bit(struct resolver *r, const struct set_def *set, struct span use);
bool live_resolve(struct resolver *r, const struct ast_stmt *s, struct set_def *def);
/* Once a policy is complete: what its live sets, its state block and its rules make of one another. */
void policy_finish(struct resolver *r, struct policy_def *def);
/* Once all are: rules name sets where the rule set has them. */
void live_sets_settle(struct resolver *r, struct ruleset *rs);

/* essentials.c: the implicit rules of `default drop`, behind the written ones. */
void essentials_add(struct resolver *r, const struct ast_stmt *chain);

/* resolve_late.c: interfaces and tests, which name policies. */
void late_resolve(struct resolver *r, struct ruleset *rs);
struct policy_def *policy_find(struct resolver *r, const struct ast_text *name);

/* resolve_test.c: a line of a test block. */
void test_resolve(struct resolver *r, const struct late *late, const struct ruleset *rs);

/* netset.c */
bool netset_read(struct resolver *r, const struct source *source, struct aset_builder *b);

/* No memory: remember it, and false. */
static inline bool resolve_oom(struct resolver *r)
{
	r->failed = true;
	return false;
}

#endif

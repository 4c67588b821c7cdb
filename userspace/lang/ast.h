/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shape of the text, before any name is known. Nodes live in the arena; words are slices of the source text.
 */
#ifndef FW_LANG_AST_H
#define FW_LANG_AST_H

#include "base/diag.h"
#include "model/packet.h"
#include "model/rule.h"

/* A slice of a source, with its place. */
struct ast_text {
	const char *s;
	size_t len;
	struct span span;
};

enum ast_value_kind {
	AST_WORD,   /* 22, 10.0.0.0/8, echo-request */
	AST_STRING, /* "…", decoded */
	AST_VAR,    /* $name */
	AST_SET,    /* @name */
};

enum ast_cmp { AST_CMP_NONE, AST_CMP_LT, AST_CMP_LE, AST_CMP_GT, AST_CMP_GE };

/* One element of a list. `to` is there when the range was written with blanks: `1 - 9`. */
struct ast_value {
	enum ast_value_kind kind;
	enum ast_cmp cmp;
	struct ast_text text;
	const struct ast_text *to; /* NULL: none */
};

/* `{ a, b }` or a single value. */
struct ast_list {
	struct ast_value *v;
	size_t n;
	bool negate;
	struct span span;
};

enum ast_clause_kind {
	AST_FROM,
	AST_TO,
	AST_FIELD, /* a field with a value: `field` says which */
	AST_TYPE,  /* icmp or icmp6: which is known only with the protocol */
	AST_CODE,
	AST_FAMILY, /* inet, inet6 */
	AST_LABEL,
	AST_WITH, /* `reject with reset` */
	AST_KEEP, /* `keep state` */
	AST_SYNPROXY,
	AST_LIMIT,
	AST_MAX_CONN,
	AST_ELSE,
	AST_LOG,
	AST_CLAUSE_KINDS,
};

/* `max-conn 50 per src/24` */
struct ast_conn {
	uint16_t n;
	uint8_t plen4, plen6;
};

/* `else drop`, `else pass`, `else ban @set for 10m` */
struct ast_else {
	bool pass;
	struct ast_text ban; /* the name; s == NULL: none */
	uint64_t ban_ns;
};

/* `log limit 10/s burst 20 sample 1/8`. A span without a source: not written. */
struct ast_log {
	struct log_opts opts;
	struct span limit, sample;
};

struct ast_clause {
	enum ast_clause_kind kind;
	enum field_id field;
	enum family family;
	union {
		struct ast_text label;
		enum reject reject; /* AST_WITH */
		struct limit limit;
		struct ast_conn conn;
		struct ast_else over;
		struct ast_log log;
		struct ast_list list; /* of all other kinds */
	};
	struct span span; /* the word that names the clause */
};

struct ast_rule {
	enum verdict verdict;
	struct ast_clause *clauses;
	size_t nclauses;
};

/* What only live sets have. A span without a source: not written. */
struct ast_live {
	struct span live, timeout, size, counters, widen;
	uint64_t timeout_ns;
	uint32_t max;
};

struct ast_set {
	struct ast_text *files;
	size_t nfiles;
	struct ast_list elements;
	struct ast_live live;
};

/* A line of a test block or of a sequence. */
struct ast_expect {
	enum step step;
	enum direction direction;
	const struct packet_spec *packet;
	enum verdict verdict;
	struct ast_text by; /* s == NULL: none */
	unsigned int times;
	uint64_t ns;	      /* AFTER, ADD */
	struct ast_text set;  /* ADD, DEL */
	struct ast_list addr; /* ADD, DEL: one */
};

enum ast_kind {
	AST_DEFINE,
	AST_SET_DECL,
	AST_POLICY,
	AST_CHAIN,
	AST_RULE,
	AST_INCLUDE,
	AST_INTERFACE,
	AST_TEST,
	AST_EXPECT,
	AST_ESSENTIALS,
	AST_STATE,
	AST_SEQUENCE,
	AST_LOG_LINE, /* `log default`, `log reasons` */
};

struct ast_stmt;
struct ast_block {
	struct ast_stmt *first, *last;
};

struct ast_stmt {
	enum ast_kind kind;
	struct ast_stmt *next;
	struct span span; /* the statement's first word; of a rule, the whole rule */
	unsigned int line, column;
	struct ast_text name;	  /* define, set, policy, include (path), interface (policy), test (policy or NULL) */
	struct ast_list list;	  /* define (values), interface (names) */
	struct ast_block body;	  /* policy, chain, test, sequence */
	enum direction direction; /* chain */
	enum verdict fallback;	  /* chain */
	bool on;		  /* essentials; log: of reasons */
	union {
		struct ast_rule rule;
		struct ast_set set;
		struct ast_expect expect;
		struct state_opts state;
		struct ast_log log;
	};
};

#endif

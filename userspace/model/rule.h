/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The resolved rule set: what `lang` produces, `eval` gives its meaning, and `compile` translates.
 * Names are gone, lists are sets, negations are complements. Everything lives in one arena.
 */
#ifndef FW_MODEL_RULE_H
#define FW_MODEL_RULE_H

#include "model/field.h"
#include "model/set.h"

#include <stdbool.h>
#include <stdint.h>

enum direction { DIRECTION_INGRESS, DIRECTION_EGRESS, DIRECTION_COUNT };
enum verdict { VERDICT_DROP, VERDICT_PASS, VERDICT_CONTINUE, VERDICT_COUNT }; /* CONTINUE: a `count` rule */

/* What stands after the Ethernet header; the value of FIELD_PROTO is family << 8 | protocol. */
enum family { FAMILY_OTHER, FAMILY_IPV4, FAMILY_IPV6, FAMILY_COUNT };
enum frag { FRAG_NONE, FRAG_FIRST, FRAG_LATER };
enum ext { EXT_HOPOPTS, EXT_ROUTING, EXT_FRAGMENT, EXT_DSTOPTS, EXT_AH }; /* bit numbers of FIELD_EXT */

/*
 * A rule matches a packet when its family is in `families` and every constrained field is present
 * in the packet and has a value in the rule's set. Negated conditions are complements, so they too need
 * the field to be present: `! port 80` does not match a packet without ports.
 */
struct rule {
	enum verdict verdict;
	unsigned int families;                       /* bit per enum family */
	const struct vset *value[FIELD_VALUE_COUNT]; /* NULL: any. FIELD_PROTO: family << 8 | protocol */
	const struct aset *src, *dst;                /* NULL: any */
	const char *label;                           /* NULL: none */
	const char *text;                            /* canonical, with the label; never NULL */
	const char *file;
	unsigned int line, column;
	bool essential; /* implicit rule of `default drop` */
};

/* One block: `ingress default drop { … }`. */
struct chain {
	bool present;
	enum verdict fallback; /* the default: PASS or DROP; PASS when not present */
	struct rule *rules;    /* essentials come last, so that every written rule decides before them */
	size_t nrules;
};

struct named_set {
	const char *name;
	const struct aset *addresses;
	const char *file; /* NULL when written in place */
	unsigned int line;
};

struct policy {
	const char *name;
	struct chain chain[DIRECTION_COUNT];
	const char *file;
	unsigned int line;
};

struct binding { /* interface NAME uses POLICY */
	const char *interface; /* bytes as written, unescaped */
	const struct policy *policy;
	unsigned int line;
};

struct packet_spec;

/* One line of a `test` block. */
struct expectation {
	const struct packet_spec *packet;
	enum direction direction;
	const struct policy *policy;
	enum verdict verdict;
	const char *by; /* label, "default", a reason word, NULL: anything */
	const char *file;
	unsigned int line;
	const char *text;
};

struct ruleset {
	const char *file;
	struct policy *policies;
	size_t npolicies;
	struct named_set *sets;
	size_t nsets;
	struct binding *bindings;
	size_t nbindings;
	struct expectation *tests;
	size_t ntests;
};

/* NULL when there is none of that name. */
const struct policy *ruleset_policy(const struct ruleset *rs, const char *name);

#endif

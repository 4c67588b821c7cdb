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
enum verdict { VERDICT_DROP, VERDICT_PASS, VERDICT_CONTINUE, VERDICT_REJECT, VERDICT_COUNT }; /* CONTINUE: a `count` rule */

/* What stands after the Ethernet header; the value of FIELD_PROTO is family << 8 | protocol. */
enum family { FAMILY_OTHER, FAMILY_IPV4, FAMILY_IPV6, FAMILY_COUNT };
enum frag { FRAG_NONE, FRAG_FIRST, FRAG_LATER };
enum ext { EXT_HOPOPTS, EXT_ROUTING, EXT_FRAGMENT, EXT_DSTOPTS, EXT_AH }; /* bit numbers of FIELD_EXT */

/* The value of FIELD_STATE: what the flow table says of a packet before the rules are asked (track.h). */
enum state { STATE_NONE, STATE_NEW, STATE_ESTABLISHED, STATE_RELATED, STATE_INVALID, STATE_COUNT };

/* What the values of a limit are counted by. */
enum per { PER_RULE, PER_SRC, PER_DST, PER_FLOW };
enum reject { REJECT_AUTO, REJECT_TCP_RESET, REJECT_UNREACHABLE, REJECT_PROHIBITED }; /* AUTO: reset for TCP, else unreachable */

/* `limit 10/s burst 20 per src/24`: `count` packets (or bytes) in period_ns, `burst` of them at once. */
struct limit {
	bool bytes;
	uint64_t count, period_ns, burst; /* all > 0; bytes: count and burst in bytes */
	enum per per;
	uint8_t plen4, plen6; /* PER_SRC, PER_DST: what counts of an address */
};

/* `else drop`, `else pass`, `else ban @set for 10m`: over the limit, or over max-conn. */
struct limit_else {
	bool pass;
	const struct named_set *ban; /* a live set; NULL: none */
	uint64_t ban_ns;             /* 0: the set's own timeout */
};

/* `log limit 10/s burst 20 sample 1/8`: of which packets of a rule, default or reason the kernel tells. */
struct log_opts {
	uint64_t count, period_ns, burst; /* count 0: no limit; else all > 0 */
	uint32_t sample;                  /* one packet of so many, at least 1; drawn before the limit is asked */
};

/* Which live sets an address condition names: `from @a`, `from { @a, @b }`, `! from @a`. Beside them it names nothing else. */
struct live_match {
	uint32_t sets; /* bit per policy.live; 0: no such condition */
	bool negate;
};

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
	struct live_match live_src, live_dst;        /* beside src, dst == NULL */
	bool keep_state;
	bool synproxy;
	const struct limit *limit; /* NULL: none */
	uint16_t max_conn;         /* per source; 0: no limit */
	uint8_t conn_plen4, conn_plen6;
	struct limit_else over;    /* with limit or max_conn */
	enum reject reject;        /* with VERDICT_REJECT */
	const struct log_opts *log; /* its packets are told of; NULL: not. A bare `log` rule: VERDICT_CONTINUE with it */
	const char *label;                           /* NULL: none */
	const char *text;                            /* canonical, with the label; never NULL */
	const char *id_text; /* without `log …`: counters follow it where there is no label. NULL: it is the text */
	const char *file;
	unsigned int line, column;
	bool essential; /* implicit rule of `default drop` */
};

/* One block: `ingress default drop { … }`. */
struct chain {
	bool present;
	enum verdict fallback; /* the default: PASS or DROP; PASS when not present */
	const struct log_opts *log_default; /* `log default`: packets that meet the default; NULL: not told of */
	const struct log_opts *log_reasons; /* `log reasons`: packets that neither a rule, nor the default, nor their flow decided */
	struct rule *rules;    /* essentials come last, so that every written rule decides before them */
	size_t nrules;
};

struct named_set {
	const char *name;
	const struct aset *addresses; /* NULL: a live set */
	uint64_t timeout_ns;          /* live: of an element that says nothing else; 0: none */
	uint32_t size;                /* live: elements */
	bool counters, widen;         /* live: count per element; an IPv6 host becomes its /64 */
	const char *file; /* NULL when written in place */
	unsigned int line;
};

/* `state { … }` of a policy; defaults where nothing is written. */
struct state_opts {
	uint32_t size, pending;
	bool full_pass, asymmetric, window;
	uint32_t pickup_s; /* UINT32_MAX: always */
	uint32_t timeout_s[9]; /* by enum track_timeout */
};

#define POLICY_MAX_LIVE 8
struct policy {
	const char *name;
	struct chain chain[DIRECTION_COUNT];
	bool track; /* some rule keeps state or asks for it; set by policy_track */
	struct state_opts state;
	const struct named_set *live[POLICY_MAX_LIVE]; /* live sets that its rules name, in the order of their first use */
	size_t nlive;
	const char *file;
	unsigned int line;
};

struct binding { /* interface NAME uses POLICY */
	const char *interface; /* bytes as written, unescaped */
	const struct policy *policy;
	unsigned int line;
};

struct packet_spec;

/* What a line of a `test` block does. */
enum step {
	STEP_PACKET,
	STEP_AFTER, /* `after 10s` */
	STEP_ADD,   /* `add @banned 192.0.2.1 [for 10m]` */
	STEP_DEL,   /* `del @banned 192.0.2.1` */
};

/*
 * One line of a `test` block. Lines outside of a `sequence` block begin with empty tables each; those of one sequence follow
 * one another, on one clock.
 */
struct expectation {
	enum step step;
	unsigned int sequence; /* 0: none; else the number of the block in the file set */
	unsigned int times;    /* PACKET: so often, all with this verdict; at least 1 */
	uint64_t ns;           /* AFTER; ADD: 0 for the set's timeout */
	const struct named_set *set; /* ADD, DEL */
	struct aset *addresses;      /* ADD, DEL: one range, a host or prefix */
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

/*
 * Once the chains of a policy are complete: set `track`, and where it is set give every rule its condition on FIELD_STATE.
 * Written ones stay. Else a rule that keeps state gets { none, new }, any other one { none, new, invalid }: rules speak of
 * established and related packets only when they name them. Essentials match in every state. 0 or -ENOMEM.
 */
int policy_track(struct policy *p, struct arena *arena);
/* What `state { }` says when it says nothing. */
void state_opts_default(struct state_opts *ret);

/* NULL when there is none of that name. */
const struct policy *ruleset_policy(const struct ruleset *rs, const char *name);

#endif

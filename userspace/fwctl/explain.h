/* SPDX-License-Identifier: GPL-2.0-only */
/* What cmd_explain.c and explain_*.c share: packets and what happens between them, and the answer for each packet. */
#ifndef FW_FWCTL_EXPLAIN_H
#define FW_FWCTL_EXPLAIN_H

#include "base/arena.h"
#include "fwctl/cmd.h"
#include "fwctl/judge.h"
#include "fwctl/live.h"

#include <jansson.h>

/* One of `PACKET; after 10s; add @banned ADDR; …`. */
struct explain_step {
	enum step kind;
	const char *text; /* as written */
	enum direction dir;
	unsigned int times;
	bool captured; /* its text does not say what it is */
	const uint8_t *frame;
	size_t len;
	uint64_t ns;	 /* after; add: 0 for the set's timeout */
	const char *set; /* add, del: its name, and what goes in or out */
	enum family family;
	u128 addr;
	unsigned int plen;
};

struct explain {
	const struct args *args;
	struct arena *arena;
	struct {
		struct explain_step *v;
		size_t n, cap;
	} steps;
	const char *policy_name;
	const struct policy *policy; /* NULL: live, and the running tables hold no text */
	/* live only */
	const char *ifname;
	const struct fw_image *image;
	bool own_tables; /* the program answers over a copy of the rules */
	json_t *json;	 /* answers so far, NULL: text */
	size_t told;	 /* steps */
};

/* What became of a packet. */
struct explain_answer {
	const struct explain_step *step;
	unsigned int times; /* so often, one after the other */
	struct judged judged;
	const struct chain *chain; /* that explains it; NULL: only the program has spoken */
	struct track_said said;	   /* said.parsed: rules can be held against the packet */
	bool program, reference;   /* who was asked */
	bool tables;		   /* only the tables know why: how much is left of a limit, of their room */
};

/* explain_steps.c: words → steps. Returns enum status, says what is wrong. */
int explain_steps_read(struct explain *e, const char *text, enum direction dir);

/* explain_tell.c */
void explain_tell(struct explain *e, const struct explain_answer *a);
void explain_tell_between(struct explain *e, const struct explain_step *s); /* what is no packet */
/* The JSON of all that was told. Returns enum status. */
int explain_tell_end(struct explain *e);

/*
 * explain_run.c: every step by the oracle, and by the program too when `live` is not NULL. `t` has the clock and the
 * sets to begin with. Returns enum status.
 */
struct explain_live; /* of a sequence */
int explain_run(struct explain *e, struct track *t, struct explain_live *live);

/* explain_live.c: by what runs on e->ifname. */
int explain_live(struct explain *e);
/* The same steps for the program's tables: an element, a packet. 0 or negative errno after a sentence. */
int explain_live_element(struct explain_live *l, const struct explain_step *s, uint64_t end_ns);
int explain_live_packet(struct explain_live *l, const struct explain_step *s, uint64_t now_ns, struct judged *ret);

/* explain_miss.c: the value that the packet has for the first condition that it does not meet, and what the rule wants,
 * shortened. */
void explain_miss_has(const struct policy *policy, const struct packet *p, struct eval_miss m, struct str *out);
void explain_miss_wants(const struct policy *policy, const struct rule *r, const struct packet *p, struct eval_miss m,
			struct str *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* What the oracle says of a frame, in the datapath's words. For the host and the kernel differential tests. */
#ifndef FW_TESTS_EXPECT_H
#define FW_TESTS_EXPECT_H

#include "harness/framegen.h"
#include "harness/rulegen.h"
#include "base/arena.h"
#include "base/str.h"
#include "compile/compile.h"
#include "model/eval.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Oracle and datapath must agree on all of it. */
struct expect {
	uint32_t verdict, reason, rule, slot, counted, state;
	uint32_t count_slot[FW_MAX_COUNT_RULES], count_rule[FW_MAX_COUNT_RULES];
};

struct expect_ctx {
	struct expect *e;
	const struct fw_meta_rule *rules; /* by rule; actions stand in the order of bits */
};

static inline void expect_counted(void *arg, size_t rule)
{
	struct expect_ctx *x = arg;

	if (x->e->counted < FW_MAX_COUNT_RULES) {
		x->e->count_slot[x->e->counted] = x->rules[rule].slot;
		x->e->count_rule[x->e->counted] = rule;
	}
	x->e->counted++;
}

/* The datapath's words for what the oracle said; slots by the rules of the image. What was counted on the way is there already. */
static inline void expect_say(const struct eval_result *r, const struct fw_meta_rule *rules, struct expect *e)
{
	static const uint32_t fault[PACKET_FAULT_COUNT] = {
		[PACKET_L2_SHORT] = FW_REASON_L2_SHORT,	    [PACKET_VLAN_DEPTH] = FW_REASON_VLAN_DEPTH,
		[PACKET_MALFORMED] = FW_REASON_MALFORMED,   [PACKET_FRAG_TINY] = FW_REASON_FRAG_TINY,
		[PACKET_EXT_CHAIN] = FW_REASON_EXT_CHAIN,   [PACKET_L4_SHORT] = FW_REASON_L4_SHORT,
	};

	e->rule = ~0u;
	e->state = r->state;
	e->verdict = (uint32_t)r->verdict;
	switch (r->reason) {
	case EVAL_RULE:
		e->reason = FW_REASON_RULE;
		e->rule = r->rule;
		e->slot = rules[r->rule].slot;
		return;
	case EVAL_DEFAULT:
		e->reason = FW_REASON_DEFAULT;
		break;
	case EVAL_L2_OTHER:
		e->reason = FW_REASON_L2_OTHER;
		break;
	case EVAL_FAULT:
		e->reason = fault[r->fault];
		break;
	case EVAL_ESTABLISHED:
		e->reason = FW_REASON_ESTABLISHED;
		break;
	case EVAL_RELATED:
		e->reason = FW_REASON_RELATED;
		break;
	case EVAL_LIMIT:
		e->reason = FW_REASON_LIMIT;
		e->rule = r->rule;
		break;
	case EVAL_MAX_CONN:
		e->reason = FW_REASON_MAX_CONN;
		e->rule = r->rule;
		break;
	case EVAL_TCP_WINDOW:
		e->reason = FW_REASON_TCP_WINDOW;
		break;
	}
	e->slot = FW_REASON_SLOT(e->reason, e->verdict);
}

static inline struct expect expect_frame(const struct policy *p, const struct image *img, enum fw_dir dir, const uint8_t *frame,
				  size_t len, const struct packet_meta *meta)
{
	struct expect e = {};
	size_t n;
	struct expect_ctx x = { &e, image_rules(image_hdr(img), dir, &n) };
	struct eval_result r = eval_frame(&p->chain[dir], frame, len, meta, expect_counted, &x);

	expect_say(&r, x.rules, &e);
	return e;
}

static bool expect_same(const struct expect *e, const struct fw_trace *t)
{
	return e->verdict == t->verdict && e->reason == t->reason && e->rule == t->rule && e->slot == t->slot &&
	       e->counted == t->counted;
}

/* How to compile: a test may ask for what only large rule sets meet. */
static struct compile_opts expect_opts = { .no_warnings = true };

/*
 * The forms in turn: tries with chunks of fixed width or of runs; address conditions as classes, or from so many ranges on
 * as large sets.
 */
static inline void expect_forms(unsigned long round)
{
	expect_opts.trie_small = round % 2;
	expect_opts.set_large = round % 3 ? round / 3 % 5 : 0;
}

static inline void expect_count_one(struct fw_cell *c, size_t len, uint64_t jiffies)
{
	c->count.packets++;
	c->count.bytes += len;
	c->last = jiffies;
}

/* Add what a frame should have counted, and when. */
static inline void expect_count(struct fw_cell *c, const struct expect *e, size_t len, uint64_t jiffies)
{
	for (uint32_t i = 0; i < e->counted; i++)
		expect_count_one(&c[e->count_slot[i]], len, jiffies);
	expect_count_one(&c[e->slot], len, jiffies);
}

/*
 * Policy → image with counter slots; *ret_nslots: those of the direction. What compile_policy returns; its words are in `why`.
 */
static inline int expect_try_compile(struct arena *arena, const struct policy *p, enum fw_dir dir, struct str *why,
				     struct image *ret, uint32_t *ret_nslots)
{
	uint32_t nslots[FW_DIR_COUNT];
	struct diags d;
	int err;

	diags_init(&d, arena);
	err = compile_policy(p, "test", "", &d, &expect_opts, ret);
	diags_print(&d, why);
	diags_fini(&d);
	if (err)
		return err;
	if (image_assign_slots(ret, NULL, nslots))
		abort();
	*ret_nslots = nslots[dir] > FW_SLOT_RULE0 ? nslots[dir] : FW_SLOT_RULE0;
	return 0;
}

/* The same; ends the program when a policy of ours does not compile. */
static inline uint32_t expect_compile(struct arena *arena, const struct policy *p, enum fw_dir dir, struct image *ret)
{
	struct str why = {};
	uint32_t nslots;

	if (expect_try_compile(arena, p, dir, &why, ret, &nslots)) {
		fprintf(stderr, "# a generated policy does not compile: %s\n", str_get(&why));
		abort();
	}
	str_fini(&why);
	return nslots;
}

/* A number from the environment. */
static inline unsigned long expect_env(const char *name, unsigned long fallback)
{
	const char *s = getenv(name);

	return s && *s ? strtoul(s, NULL, 0) : fallback;
}

static inline void expect_report(const struct policy *p, enum fw_dir dir, const uint8_t *frame, size_t len,
				 const struct packet_meta *meta, const struct expect *e, const struct fw_trace *t)
{
	struct str out = {};

	framegen_describe(frame, len, meta, &out);
	str_addf(&out, "\nchain: present %d default %d\n", p->chain[dir].present, p->chain[dir].fallback);
	rulegen_describe_chain(&p->chain[dir], &out);
	fprintf(stderr, "# %s\n", out.s);
	fprintf(stderr, "# oracle: verdict %u reason %u rule %d counted %u slot %u\n"
		"# program: verdict %u reason %u rule %d counted %u slot %u\n",
		e->verdict, e->reason, (int)e->rule, e->counted, e->slot, t->verdict, t->reason, (int)t->rule, t->counted, t->slot);
	str_fini(&out);
}

#endif

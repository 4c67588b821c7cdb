/* SPDX-License-Identifier: GPL-2.0-only */
/* struct fw_pkt → rule, by the tables of the image (<fw/abi.h> has the format). */
#ifndef FW_CORE_CLASSIFY_H
#define FW_CORE_CLASSIFY_H

#include "lists.bpf.h"
#include "rows.bpf.h"

/* Take the rule of a bit: 1 when it decides, 0 when it only counts. */
static __always_inline int fw_take(const struct fw_tabs *t, const struct fw_pkt *pkt, __u32 bit, struct fw_hit *hit)
{
	__u64 action = fw_action_get(t, bit);

	if (fw_likely((action >> 32 & 255) != FW_VERDICT_CONTINUE)) {
		fw_hit_set(hit, action);
		return 1;
	}
	fw_account(action, pkt);
	hit->counted++;
	return 0;
}

/* Up to 64 rules: the whole row is one word. */
static __always_inline void fw_classify_one(const struct fw_tabs *t, const struct fw_pkt *pkt, struct fw_hit *hit)
{
	__u64 word = fw_word_get(t, pkt);
	__u32 i;

	FW_NO_UNROLL
	for (i = 0; i < FW_WORD_BITS && word; i++) {
		if (fw_take(t, pkt, fw_ctz(word), hit))
			return;
		word &= word - 1;
	}
}

/* The bits of `word` number `index` that belong to `count` rules: these have the first `ncounts` bits of a row. */
static __always_inline __u64 fw_count_mask(__u32 ncounts, __u32 index)
{
	__u32 first = index * FW_WORD_BITS;

	if (fw_likely(ncounts <= first))
		return 0;
	return ncounts - first >= FW_WORD_BITS ? ~0ull : ~(~0ull << ((ncounts - first) & (FW_WORD_BITS - 1)));
}

/* One step: at most one summary word and one word. 1: the walk is over. */
static __always_inline int fw_step(const struct fw_tabs *t, struct fw_walk *w)
{
	__u64 word, sum = w->sum, action;
	__u32 next = w->next, index;

	if (!sum) {
		if (next >= w->nsum)
			return 1;
		w->base = next * FW_WORD_BITS;
		w->next = next + 1;
		sum = fw_and(t, w, next * 8);
		w->sum = sum;
		if (!sum)
			return 0;
	}
	index = w->base + fw_ctz(sum);
	w->sum = sum & (sum - 1);
	word = fw_and(t, w, (w->nsum + index) * 8) & ~fw_count_mask(w->ncounts, index);
	if (!word)
		return 0;
	/* inside a word the first bit is the first rule */
	action = fw_action_get(t, index * FW_WORD_BITS + fw_ctz(word));
	if (FW_WHOLE_RULE(action) < FW_WHOLE_RULE(w->best))
		w->best = action;
	return 0;
}

#define FW_STEPS_FIRST 8 /* what the summary leaves of ten thousand rules, and the end */
#define FW_STEPS_MORE 8   /* per call of bpf_loop */
#define FW_MAX_STEPS (FW_MAX_WORDS + FW_MAX_SUMMARY + 1)

static __always_inline int fw_steps(const struct fw_tabs *t, struct fw_walk *w, __u32 n)
{
	__u32 i;

	FW_NO_UNROLL
	for (i = 0; i < n; i++)
		if (fw_step(t, w))
			return 1;
	return 0;
}

static long fw_step_rest(__u32 i, void *arg)
{
	struct fw_rest *rest = arg;

	rest->w->over = fw_steps(&rest->t, rest->w, FW_STEPS_MORE);
	return rest->w->over;
}

#define FW_COUNT_WORDS (FW_MAX_COUNT_RULES / FW_WORD_BITS)
#define FW_COUNT_STEPS (FW_MAX_COUNT_RULES + FW_COUNT_WORDS + 1)

/* One step over the `count` rules, which stand in the order of the file: those before the rule that decided count. */
static long fw_count_step(__u32 i, void *arg)
{
	struct fw_rest *rest = arg;
	const struct fw_tabs *t = &rest->t;
	struct fw_walk *w = rest->w;
	__u64 word = w->sum, action;
	__u32 index = w->next;

	if (!word) {
		if (index >= FW_COUNT_WORDS || index * FW_WORD_BITS >= w->ncounts)
			return 1;
		w->base = index * FW_WORD_BITS;
		w->next = index + 1;
		w->sum = fw_and(t, w, (w->nsum + index) * 8) & fw_count_mask(w->ncounts, index);
		return 0;
	}
	action = fw_action_get(t, w->base + fw_ctz(word));
	if (FW_WHOLE_RULE(action) > FW_WHOLE_RULE(w->best))
		return 1;
	fw_account(action, rest->pkt);
	w->hit.counted++;
	w->sum = word & (word - 1);
	return 0;
}

/*
 * Many words. Their rules are sorted by the networks they speak of (userspace/compile/place.c), so few words are left by
 * the summary; the lowest rule of those decides. The first steps are a plain loop; the others go on in bpf_loop, whose body
 * the verifier judges once instead of for each of some three hundred steps, but whose calls cost 8 ns each: so its body too
 * takes many steps.
 */
static __always_inline int fw_classify_many(const struct fw_tabs *t, const struct fw_pkt *pkt, struct fw_walk *w,
					    struct fw_hit *hit)
{
	struct fw_rest rest;

	w->nsum = t->d->nsum;
	w->ncounts = t->d->ncounts;
	w->sum = 0;
	w->best = FW_ACTION_NONE;
	w->next = w->over = 0;
	w->hit = *hit;
	fw_rows_get(t, pkt, w);
	rest.t = *t;
	rest.pkt = pkt;
	rest.w = w;
	if (t->d->flags & FW_DIRF_LISTS && pkt->l3 != FW_L3_OTHER)
		fw_lists_walk(&rest);
	if (!fw_steps(t, w, FW_STEPS_FIRST)) {
		fw_env_loop(FW_MAX_STEPS / FW_STEPS_MORE + 1, fw_step_rest, &rest);
		if (!w->over)
			return 0;
	}
	if (w->ncounts) {
		w->sum = 0;
		w->next = 0;
		fw_env_loop(FW_COUNT_STEPS, fw_count_step, &rest);
	}
	if (FW_WHOLE_RULE(w->best) != FW_WHOLE_RULE(FW_ACTION_NONE))
		fw_hit_set(&w->hit, w->best);
	*hit = w->hit;
	return 1;
}

/* 0 only for a damaged image, whose walk would not end. */
static __always_inline int fw_classify(const struct fw_tabs *t, struct fw_pkt *pkt, struct fw_walk *w,
				       struct fw_hit *hit)
{
	if (fw_unlikely(t->d->nsets))
		pkt->val[FW_DIM_SETS] = fw_sets_value(t->slot);
	if (t->d->nsum)
		return fw_classify_many(t, pkt, w, hit);
	if (t->d->nwords)
		fw_classify_one(t, pkt, hit);
	return 1;
}

#endif

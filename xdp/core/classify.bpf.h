/* SPDX-License-Identifier: GPL-2.0-only */
/* struct fw_pkt → rule, by the tables of the image (<fw/abi.h> has the format). */
#ifndef FW_CORE_CLASSIFY_H
#define FW_CORE_CLASSIFY_H

#include "lists.bpf.h"
#include "live.bpf.h"
#include "rows.bpf.h"
#include "tap.bpf.h"

/* A rule that does not decide. An opening packet that is judged anew is no packet: it counts nothing, and no rule was hit by it. */
static __always_inline void fw_meet(const struct fw_tabs *t, const struct fw_pkt *pkt, struct fw_scratch *s, __u64 action)
{
	if (FW_FEATURES & FW_FEAT_STATE && !pkt->packets)
		return;
	fw_account(action, pkt);
	fw_met(t, s, action);
}

/* Take the rule of a bit: 1 when it decides, 0 when it only counts. */
static __always_inline int fw_take(const struct fw_tabs *t, const struct fw_pkt *pkt, __u64 bit, struct fw_hit *hit)
{
	__u64 action = fw_action_get(t, bit);

	if (fw_likely((action >> 32 & 15) != FW_VERDICT_CONTINUE)) {
		fw_hit_set(hit, action);
		return 1;
	}
	fw_meet(t, pkt, fw_scratch_of(hit, hit), action);
	hit->counted++;
	return 0;
}

/* Up to 64 rules: the whole row is one word. */
static __always_inline void fw_classify_one(const struct fw_tabs *t, const struct fw_pkt *pkt, struct fw_hit *hit)
{
	__u64 word = fw_word_get(t, pkt), i;

	FW_NO_UNROLL
	for (i = 0; i < FW_WORD_BITS && word; i++) {
		if (fw_take(t, pkt, fw_ctz(word), hit))
			return;
		word &= word - 1;
	}
}

/* The bits of `word` number `index` that belong to `count` rules: these have the first `ncounts` bits of a row. */
static __always_inline __u64 fw_count_mask(__u64 ncounts, __u64 index)
{
	__u64 first = index * FW_WORD_BITS;

	if (fw_likely(ncounts <= first))
		return 0;
	return ncounts - first >= FW_WORD_BITS ? ~0ull : ~(~0ull << ((ncounts - first) & (FW_WORD_BITS - 1)));
}

/* One step: at most one summary word and one word. 1: the walk is over. */
static __always_inline __u64 fw_step(const struct fw_tabs *t, struct fw_walk *w, struct fw_steps *s)
{
	__u64 nsum = t->d->nsum, index, word, action;

	if (!s->sum) {
		index = FW_FRESH(w->next);
		if (index >= nsum)
			return 1;
		w->base = index * FW_WORD_BITS;
		w->next = index + 1;
		/* One word, or none, needs no summary. Through memory, lest the verifier go on with each way apart. */
		w->summary = t->d->nwords;
		if (w->summary > 1)
			w->summary = fw_and(t, w, index * 8);
		s->sum = FW_FRESH(w->summary);
		if (!s->sum)
			return 0;
	}
	index = FW_FRESH(w->base) + fw_ctz(s->sum);
	s->sum &= s->sum - 1;
	word = fw_and(t, w, (nsum + index) * 8) & ~fw_count_mask(t->d->ncounts, index);
	if (!word)
		return 0;
	/* inside a word the first bit is the first rule */
	action = fw_action_get(t, index * FW_WORD_BITS + fw_ctz(word));
	if (FW_WHOLE_RULE(action) < FW_WHOLE_RULE(s->best))
		s->best = action;
	return 0;
}

#define FW_STEPS_FIRST 6 /* what the summary leaves of ten thousand rules, and the end */
#define FW_STEPS_MORE 4  /* per call of bpf_loop */
#define FW_MAX_STEPS (FW_MAX_WORDS + FW_MAX_SUMMARY + 1)
#define FW_MORE_STEPS (FW_MAX_STEPS / FW_STEPS_MORE + 1)

static __always_inline __u64 fw_steps(const struct fw_tabs *t, struct fw_walk *w, __u64 n)
{
	struct fw_steps s = { FW_FRESH(w->steps.sum), FW_FRESH(w->steps.best) };
	__u64 over = 0, i;

	FW_NO_UNROLL
	for (i = 0; i < n && !over; i++)
		over = fw_step(t, w, &s);
	w->steps = s;
	return over;
}

static long fw_step_rest(__u32 i, void *arg)
{
	struct fw_rest *rest = arg;

	return fw_steps(&rest->t, rest->w, FW_STEPS_MORE);
}

#define FW_COUNT_WORDS (FW_MAX_COUNT_RULES / FW_WORD_BITS)
#define FW_COUNT_STEPS (FW_MAX_COUNT_RULES + FW_COUNT_WORDS + 1)

/* One step over the `count` rules, which stand in the order of the file: those before the rule that decided count. */
static long fw_count_step(__u32 i, void *arg)
{
	struct fw_rest *rest = arg;
	const struct fw_tabs *t = &rest->t;
	struct fw_walk *w = rest->w;
	__u64 word = w->steps.sum, index = w->next, action;

	if (!word) {
		if (index >= FW_COUNT_WORDS || index * FW_WORD_BITS >= t->d->ncounts)
			return 1;
		w->base = index * FW_WORD_BITS;
		w->next = index + 1;
		w->steps.sum = fw_and(t, w, (t->d->nsum + index) * 8) & fw_count_mask(t->d->ncounts, index);
		return 0;
	}
	action = fw_action_get(t, w->base + fw_ctz(word));
	if (FW_WHOLE_RULE(action) > FW_WHOLE_RULE(w->steps.best))
		return 1;
	fw_meet(t, rest->pkt, fw_scratch_of(w, walk), action);
	w->counted++;
	w->steps.sum = word & (word - 1);
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
	const struct fw_dir_hdr *d = t->d;
	struct fw_rest rest = { *t, pkt, w };

	w->steps = (struct fw_steps){ .best = FW_ACTION_NONE };
	w->next = 0;
	fw_rows_get(t, pkt, w);
	FW_FORGET();
	if (d->flags & FW_DIRF_LISTS && pkt->l3 != FW_L3_OTHER)
		fw_lists_walk(t, w, &rest);
	FW_FORGET();
	if (FW_WHOLE_RULE(w->steps.best) > d->first && !fw_steps(t, w, FW_STEPS_FIRST) &&
	    fw_env_loop(FW_MORE_STEPS, fw_step_rest, &rest) == FW_MORE_STEPS)
		return 0;
	if (d->ncounts) {
		w->steps.sum = 0;
		w->next = w->counted = 0;
		fw_env_loop(FW_COUNT_STEPS, fw_count_step, &rest);
		hit->counted = w->counted;
	}
	if (FW_WHOLE_RULE(w->steps.best) != FW_WHOLE_RULE(FW_ACTION_NONE))
		fw_hit_set(hit, w->steps.best);
	return 1;
}

/* 0 only for a damaged image, whose walk would not end. */
static __always_inline int fw_classify_by(const struct fw_tabs *t, struct fw_pkt *pkt, struct fw_walk *w, struct fw_hit *hit)
{
	if (t->d->nsum)
		return fw_classify_many(t, pkt, w, hit);
	if (t->d->nwords)
		fw_classify_one(t, pkt, hit);
	return 1;
}

static __always_inline int fw_classify(const struct fw_tabs *t, struct fw_scratch *s)
{
	if (fw_unlikely(t->d->nsets)) {
		s->pkt.val[FW_DIM_SETS] = fw_sets_static(t, s, &s->pkt, 0);
		if (FW_FEATURES & FW_FEAT_LIVE && t->d->live_bits)
			s->pkt.val[FW_DIM_SETS] |= fw_live_value(t, t->d, s, 0);
	}
	return fw_classify_by(t, &s->pkt, &s->walk, &s->hit);
}

#endif

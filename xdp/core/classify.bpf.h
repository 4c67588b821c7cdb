/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct fw_pkt → rule, by the tables of the image (<fw/abi.h> has the format).
 *
 * Everything is read off one pointer, the slot, and each offset is masked with the size of the slot. So a damaged image
 * can give a wrong verdict, never a wild read.
 *
 * The verifier walks a branch "this dimension is used" both ways. What either way leaves behind must look the same to it,
 * or its work doubles sixteen times: so the accumulator starts as a row loaded from the image (`ones`), not as the
 * constant ~0, and the rows of unused dimensions point at that row.
 */
#ifndef FW_CORE_CLASSIFY_H
#define FW_CORE_CLASSIFY_H

#include "account.bpf.h"
#include "address.bpf.h"

static __always_inline __u32 fw_class_small(const struct fw_tabs *t, __u32 dim, __u32 value)
{
	__u32 off = t->d->dim[dim].tab + value * 2;

	return FW_GET16(t->base + (off & t->mask));
}

/*
 * The class of every used dimension. With `one` (rows of a single word) the rows are ANDed at once and the result
 * returned; else their places are collected. Specialised by the compiler.
 */
static __always_inline __u64 fw_rows_get(const struct fw_tabs *t, const struct fw_pkt *pkt, struct fw_walk *w,
					 const int one)
{
	const struct fw_dir_hdr *d = t->d;
	__u32 dims = d->dims, stride = one ? 8 : d->stride, side, at;
	__u64 word = fw_tab64(t, d->ones);

#define FW_ROW(dim, base_row, class)                                                                                   \
	do {                                                                                                           \
		at = (base_row) + (class) * stride;                                                                    \
		if (one)                                                                                               \
			word &= fw_tab64(t, at);                                                                       \
		else                                                                                                   \
			w->row[dim] = at;\
	} while (0)
#define FW_X(id, bits)                                                                                                 \
	if (!one)                                                                                                      \
		w->row[FW_DIM_##id] = d->ones;                                                                         \
	if (dims & 1u << FW_DIM_##id)                                                                                  \
		FW_ROW(FW_DIM_##id, d->dim[FW_DIM_##id].rows, fw_class_small(t, FW_DIM_##id, pkt->val[FW_DIM_##id]));
	FW_SMALL_DIMS(FW_X)
#undef FW_X
	if (!one)
		w->row[FW_DIM_MAC] = w->row[FW_DIM_SRC] = w->row[FW_DIM_DST] = d->ones;
	if (dims & 1u << FW_DIM_MAC)
		FW_ROW(FW_DIM_MAC, d->dim[FW_DIM_MAC].rows, fw_class_mac(t, pkt->mac));
	if (pkt->l3 == FW_L3_IPV4) {
		if (dims & 1u << FW_DIM_SRC)
			FW_ROW(FW_DIM_SRC, d->dim[FW_DIM_SRC].rows, fw_class_ipv4(t, 0, pkt));
		if (dims & 1u << FW_DIM_DST)
			FW_ROW(FW_DIM_DST, d->dim[FW_DIM_DST].rows, fw_class_ipv4(t, 1, pkt));
	} else if (pkt->l3 == FW_L3_IPV6) {
		for (side = 0; side < 2; side++)
			if (dims & 1u << (FW_DIM_SRC + side))
				FW_ROW(FW_DIM_SRC + side, d->rows6[side], fw_class_ipv6(t, side, pkt));
	}
	return word;
}

/* Number of the lowest set bit: isolate, multiply, look up (clang 14 cannot do __builtin_ctzll for BPF). */
#ifdef __bpf__
#define FW_CTZ_SECTION SEC(".rodata.fw_ctz") /* .rodata itself holds struct fw_cfg and nothing else */
#else
#define FW_CTZ_SECTION
#endif
static const __u8 fw_ctz_of[64] FW_CTZ_SECTION = {
	0,  1,	2,  53, 3,  7,	54, 27, 4,  38, 41, 8,	34, 55, 48, 28, 62, 5,	39, 46, 44, 42,
	22, 9,	24, 35, 59, 56, 49, 18, 29, 11, 63, 52, 6,  26, 37, 40, 33, 47, 61, 45, 43, 21,
	23, 58, 17, 10, 51, 25, 36, 32, 60, 20, 57, 16, 50, 31, 19, 15, 30, 14, 13, 12,
};

static __always_inline __u32 fw_ctz(__u64 word)
{
	__u64 hash = (word & -word) * 0x022fdd63cc95386dULL;

	FW_OPAQUE(hash); /* newer clangs know the trick, and would put a table of their own into .rodata */
	return fw_ctz_of[hash >> 58];
}

/* Of a whole struct fw_action in one register. */
#define FW_WHOLE_RULE(action) FW_ACTION_RULE((action) >> 32)
#define FW_ACTION_NONE (~0ull) /* of a rule that no image has */

/* struct fw_action of a bit, in one load. */
static __always_inline __u64 fw_action_get(const struct fw_tabs *t, __u32 bit)
{
	return fw_tab64(t, t->d->actions + bit * sizeof(struct fw_action));
}

static __always_inline void fw_hit_set(struct fw_hit *hit, __u64 action)
{
	hit->verdict = (action >> 32 & 255) == FW_VERDICT_PASS ? FW_VERDICT_PASS : FW_VERDICT_DROP;
	hit->slot = (__u32)action;
	hit->rule = FW_WHOLE_RULE(action);
}

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
	__u64 word = fw_rows_get(t, pkt, NULL, 1);
	__u32 i;

	FW_NO_UNROLL
	for (i = 0; i < FW_WORD_BITS && word; i++) {
		if (fw_take(t, pkt, fw_ctz(word), hit))
			return;
		word &= word - 1;
	}
}

#define FW_BIT(id) (1u << FW_DIM_##id)
#define FW_ROW_AT(id) fw_tab64(t, w->row[FW_DIM_##id] + off)
#define FW_AND4(a, b, c, e) (FW_ROW_AT(a) & FW_ROW_AT(b) & FW_ROW_AT(c) & FW_ROW_AT(e))

/* Dimensions that are asked for early, because most rule sets use them; the others share one question. */
#define FW_FIRST_DIMS (FW_BIT(SRC) | FW_BIT(DST) | FW_BIT(PROTO) | FW_BIT(DPORT))
#define FW_SECOND_DIMS (FW_BIT(SPORT) | FW_BIT(TCPFLAGS) | FW_BIT(ICMP) | FW_BIT(ICMP6))
#define FW_EARLY_DIMS (FW_FIRST_DIMS | FW_SECOND_DIMS)

/*
 * One word of all rows, ANDed. Addresses tell rules apart best: most words end there. The other dimensions go in groups: an
 * unused row among used ones costs a hit in the first-level cache, less than asking for each.
 */
static __always_inline __u64 fw_and(const struct fw_tabs *t, const struct fw_walk *w, __u32 off)
{
	__u64 word = FW_ROW_AT(SRC) & FW_ROW_AT(DST);

	if (!word)
		return 0;
	word &= FW_ROW_AT(PROTO) & FW_ROW_AT(DPORT);
	if (w->dims & FW_SECOND_DIMS)
		word &= FW_AND4(SPORT, TCPFLAGS, ICMP, ICMP6);
	if (w->dims & ~FW_EARLY_DIMS) {
#define FW_X(id, bits)                                                                                                 \
	if (!(FW_BIT(id) & FW_EARLY_DIMS))                                                                             \
		word &= FW_ROW_AT(id);
		FW_SMALL_DIMS(FW_X)
#undef FW_X
		word &= FW_ROW_AT(MAC);
	}
	return word;
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

struct fw_rest {
	struct fw_tabs t;
	const struct fw_pkt *pkt;
	struct fw_walk *w;
};

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

	w->dims = t->d->dims;
	w->nsum = t->d->nsum;
	w->ncounts = t->d->ncounts;
	w->sum = 0;
	w->best = FW_ACTION_NONE;
	w->next = w->over = 0;
	w->hit = *hit;
	fw_rows_get(t, pkt, w, 0);
	rest.t = *t;
	rest.pkt = pkt;
	rest.w = w;
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
static __always_inline int fw_classify(const struct fw_tabs *t, const struct fw_pkt *pkt, struct fw_walk *w,
				       struct fw_hit *hit)
{
	if (t->d->nwords > 1)
		return fw_classify_many(t, pkt, w, hit);
	if (t->d->nwords)
		fw_classify_one(t, pkt, hit);
	return 1;
}

#endif

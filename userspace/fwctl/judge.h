/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packet after packet on one clock, judged by the oracle or by the program in the kernel over tables of its own: the
 * same answer in the same words.
 */
#ifndef FW_FWCTL_JUDGE_H
#define FW_FWCTL_JUDGE_H

#include "kern/kern.h"
#include "model/track.h"

/* Where its clock begins; tables are made then. No clock of a machine shows it. */
#define JUDGE_START_NS (1ull << 40)

struct judged {
	enum verdict verdict;
	unsigned int reason; /* enum fw_reason */
	enum state state;
	long rule; /* that matched; -1: none */
};

struct judge {
	const struct policy *policy;
	struct track *track; /* NULL: the program judges */
	/* The program */
	const struct image *image;
	struct kern_twin *twin[FW_HOOK_COUNT];
	struct kern_given given;
	struct fail fail;
};

/* 0, or negative errno with its sentence in j->fail. judge_close also when they fail. Policy and image must stay. */
int judge_open(struct judge *j, const struct policy *policy);
/* state_ns: when the tables were made; 0: JUDGE_START_NS. */
int judge_open_kernel(struct judge *j, const struct policy *policy, const struct image *img, uint64_t now_ns,
		      uint64_t state_ns);
void judge_close(struct judge *j);

/* It does not go back. */
void judge_clock(struct judge *j, uint64_t now_ns);
/* 1: judged. 0: the kernel takes no such frame for a question. `counted`, the oracle's alone: `count` rules on the way.
 */
int judge_packet(struct judge *j, enum direction dir, const uint8_t *frame, size_t len,
		 void (*counted)(void *ctx, size_t rule), void *ctx, struct judged *ret);
/* What a rule that does not decide has counted in the kernel; 0 or negative errno. */
int judge_count_rules(struct judge *j, enum direction dir, void (*each)(void *ctx, size_t rule, uint64_t packets),
		      void *ctx);

/* The datapath's words for what the oracle said. */
struct judged judged_of(const struct eval_result *r);
static inline bool judged_same(const struct judged *a, const struct judged *b)
{
	return a->verdict == b->verdict && a->reason == b->reason && a->rule == b->rule && a->state == b->state;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FW_FWCTL_REPLAY_DIFF_H
#define FW_FWCTL_REPLAY_DIFF_H

#include "fwctl/replay.h"

/* One of the two policies. */
struct replay_side {
	const struct policy *policy;
	struct judge *judge;
};

struct replay_diff {
	struct replay_side side[2]; /* old, new */
	struct judge *failed;	    /* which one, when replay_diff_packet is negative */
	uint64_t lines;		    /* packets to be told */
	uint64_t judged, changed, first;
	uint64_t elsewhere; /* the same verdict, by something else */
	uint64_t way[VERDICT_COUNT][VERDICT_COUNT];
	json_t *json; /* NULL: text */
};

/* 1: judged by both. 0: the kernel does not take it. Negative: one judge failed. */
int replay_diff_packet(struct replay_diff *d, const struct replay_packet *p);
void replay_diff_print(const struct replay_diff *d);
json_t *replay_diff_json(const struct replay_diff *d, const struct replay_source *s);

#endif

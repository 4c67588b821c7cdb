/* SPDX-License-Identifier: GPL-2.0-only */
/* What rulegen_real.c draws and rulegen_cover.c sorts out: five-tuple rules in short, before they become struct rule.
 */
#ifndef FW_HARNESS_RULEGEN_REAL_H
#define FW_HARNESS_RULEGEN_REAL_H

#include "harness/rulegen_priv.h"

/* A prefix; IPv4 in the low 32 bits. len 0: any address. `band` says how deep in the tree of networks it was drawn. */
struct draft_prefix {
	u128 addr;
	uint8_t len, band;
};

#define DRAFT_ANY -1
struct draft {
	bool six;
	uint8_t proto;	      /* 0: any */
	int16_t sport, dport; /* index into the pool, or DRAFT_ANY */
	struct draft_prefix src, dst;
	uint64_t place; /* drafts are sorted by it */
};

/* Ports that rules of one policy ask for. */
#define POOL_SPORT 16
#define POOL_DPORT 160
struct draft_pool {
	struct range sport[POOL_SPORT], dport[POOL_DPORT];
	size_t nsport, ndport;
};

/*
 * Sort `v` by place, leave out duplicates, and all but `hidden` of those that one earlier draft makes unreachable.
 * Returns how many are left, or SIZE_MAX without memory.
 */
size_t draft_settle(struct draft *v, size_t n, const struct draft_pool *pool, size_t hidden);

#endif

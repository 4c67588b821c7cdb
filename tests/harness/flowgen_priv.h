/* SPDX-License-Identifier: GPL-2.0-only */
/* What flowgen*.c share. */
#ifndef FW_HARNESS_FLOWGEN_PRIV_H
#define FW_HARNESS_FLOWGEN_PRIV_H

#include "harness/flowgen.h"
#include "harness/framegen.h"

#define CONNS 12

/* What one end of TCP has sent and may send. */
struct numbers {
	bool begun;
	uint32_t isn, next, limit, widest;
	int scale; /* -1: none */
};

/* Two ends that talk. Several may have the same key: then they disturb each other. */
struct conn {
	struct packet_spec open; /* the opener's packets: addresses, ports, what else they show */
	enum direction dir;	 /* in which these travel */
	uint16_t icmp_id;
	unsigned int script; /* how far it is */
	uint64_t last_ns;    /* when a packet of it was seen */
	struct numbers numbers[2]; /* the opener's, the other's */
};

struct flowgen {
	struct prng prng;
	struct arena *arena;
	const struct policy *policy;
	struct flowgen_opts opts;
	uint64_t now_ns, flood_ns, ban_end_ns; /* the last of their kind */
	struct conn *banned;
	struct conn conn[CONNS];
	struct conn *last;  /* who spoke last mostly goes on */
	struct conn *again; /* repeat its opening, with other ports or sources, so often */
	unsigned int times;
	unsigned int generation;
	struct framegen other;
};

/* A packet of the opener, or of the other side, with these flags. Its length. */
size_t flowgen_packet(struct flowgen *g, struct conn *c, bool opener, unsigned int flags, uint8_t *frame);
/* Sequence numbers, windows and options for such a packet of TCP. */
void flowgen_numbers(struct flowgen *g, struct conn *c, bool opener, uint8_t *frame, size_t len);
/* An ICMP error about a packet of it, in the other direction than that, rightly or wrongly quoted. */
size_t flowgen_error(struct flowgen *g, struct conn *c, bool about_opener, uint8_t *frame, const char **ret_what);
/* Forward, often to where something ends. */
uint64_t flowgen_later(struct flowgen *g, const char **ret_what);
/* The next generation. NULL: no memory. */
const struct policy *flowgen_swap(struct flowgen *g, const char **ret_what);

static inline enum direction flowgen_other_way(enum direction dir)
{
	return dir == DIRECTION_INGRESS ? DIRECTION_EGRESS : DIRECTION_INGRESS;
}

#endif

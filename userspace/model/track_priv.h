/* SPDX-License-Identifier: GPL-2.0-only */
/* What track*.c share. */
#ifndef FW_MODEL_TRACK_PRIV_H
#define FW_MODEL_TRACK_PRIV_H

#include "base/vec.h"
#include "model/limit.h"
#include "model/track.h"
#include "model/track_key.h"

/* Whose a bucket or a seat is, whatever generation the rules are of. Names live as long as the tables. */
struct identity {
	enum direction dir;
	enum verdict verdict;
	const char *name; /* label, else text: equal names are the same pointer */
	size_t namesake;  /* how many rules of that name stand before it in its block */
};

/* Identity and what is counted by. Fields that do not take part are 0. */
struct bucket_key {
	struct identity rule;
	enum per per;
	unsigned int plen;
	struct track_key of; /* PER_SRC, PER_DST: family, and the address in `a` alone */
};

bool track_bucket_key_equal(const struct bucket_key *x, const struct bucket_key *y);

struct bucket {
	struct bucket_key key;
	uint64_t until; /* when it will be full: 2^-6 ns */
};

enum flow_state { FLOW_OPENED, FLOW_REPLIED, FLOW_ESTABLISHED };

/* What numbers of TCP are known of one side of a flow: track.h, 11. */
struct track_side {
	bool known, exact, limited;
	uint32_t end, limit;
	unsigned int widest; /* units of 2^14 bytes */
	unsigned int scale;
};
#define TRACK_SCALE_UNKNOWN 0u
#define TRACK_SCALE_NONE    1u
#define TRACK_SCALE_OF(n)   ((n) + 2u)

struct flow {
	struct track_key key;
	enum direction opened;
	enum flow_state state;
	bool fin_opener, fin_other;
	bool seated;  /* max-conn */
	bool awaited; /* an answer to another SYN of the opener */
	uint64_t end; /* tick; a flow whose end has come is none */
	/* track_index.c: which rules passed the opening packet last, and in which live sets it was then. 0: none */
	uint32_t judged, judged_src, judged_dst;
	unsigned int seat_number;
	struct track_side side[2]; /* the opener's, the other's */
	/* What is looked at less often stands behind. */
	struct bucket_key seat;
	struct packet opening;
};

/* A packet of TCP as paragraph 11 sees it. */
struct segment {
	bool opener; /* of its side */
	bool part;   /* a first fragment */
	unsigned int flags;
	uint32_t seq, end, ack, window;
	int scale; /* -1: none */
};

struct element {
	enum family family;
	u128 addr;
	unsigned int plen;
	uint64_t end_ns;
};

/* A hash table beside an array: numbers of its elements from 1, with the hash. Of track_index.c; empty without it. */
struct track_cells {
	struct track_cell {
		uint32_t hash, at; /* at 0: free */
	} * v;
	size_t mask, used;
};

struct live_set {
	const char *name;
	struct {
		struct element *v;
		size_t n, cap;
	} elements;
	struct track_cells cells;
	uint64_t plens[FAMILY_COUNT][3]; /* lengths that elements have, a bit each */
};

struct track {
	uint64_t now_ns, made_ns;
	struct {
		struct flow *v;
		size_t n, cap;
	} flows;
	struct {
		struct bucket *v;
		size_t n, cap;
	} buckets;
	struct {
		struct live_set *v;
		size_t n, cap;
	} sets;
	struct {
		char **v;
		size_t n, cap;
	} names;
	struct track_index *index; /* NULL: all is searched from end to end */
	struct track_said *said;   /* of the packet under way; NULL: nobody wants to know */
};

/* One copy of each name. NULL: no memory. */
const char *track_name(struct track *t, const char *name);

/* Which sets of the policy the addresses of the packet are in. */
void track_live_bits(const struct track *t, const struct policy *policy, struct packet *p);

/* Does a packet that rule `i` of the block has matched stay within its limit? When not, *ret_over and maybe a ban. */
int track_limit(struct track *t, const struct chain *chain, size_t i, enum direction dir, const struct packet *p,
		size_t bytes, bool *ret_over);
/* Find a seat for a flow that the packet wants to open; *ret_over: there is none. */
int track_seat(struct track *t, const struct chain *chain, size_t i, enum direction dir, const struct packet *p,
	       struct flow *flow, bool *ret_over);

void track_segment(const struct packet *p, const uint8_t *frame, bool opener, struct segment *ret);
/* Paragraph 11 */
bool track_outside(const struct flow *f, const struct segment *s);
/* Paragraph 12 */
void track_learn(struct flow *f, const struct segment *s);
/* Paragraph 13 */
void track_forget(struct flow *f);

static inline uint64_t track_tick(const struct track *t)
{
	return t->now_ns >> 20;
}

static inline bool track_flow_lives(const struct track *t, const struct flow *f)
{
	return track_tick(t) < f->end;
}

/* The first plen bits of an address of the family. */
static inline u128 track_prefix(enum family family, u128 addr, unsigned int plen)
{
	unsigned int bits = family == FAMILY_IPV4 ? 32 : 128, off = plen < bits ? bits - plen : 0;

	return off >= 128 ? 0 : addr >> off << off;
}

#endif

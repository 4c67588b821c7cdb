/* SPDX-License-Identifier: GPL-2.0-only */
/* Sets of class numbers (space.h): sorted, disjoint intervals with a gap between two of them. Most have one. */
#ifndef FW_ANALYZE_ISET_H
#define FW_ANALYZE_ISET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct irange {
	uint32_t lo, hi;
};
struct iset {
	const struct irange *r;
	uint32_t n;
};

enum iset_relation {
	ISET_APART,   /* no member of a is in b */
	ISET_PARTLY,  /* some */
	ISET_COVERED, /* all; the empty set is covered */
};
enum iset_relation iset_relation(const struct iset *a, const struct iset *b);
bool iset_has(const struct iset *s, uint32_t v);
bool iset_equal(const struct iset *a, const struct iset *b);

/* a without b, a within b: into out, which has room for iset_room(a, b) ranges and is neither; how many it has now. */
static inline size_t iset_room(const struct iset *a, const struct iset *b)
{
	return (size_t)a->n + b->n + 1;
}
uint32_t iset_minus(const struct iset *a, const struct iset *b, struct irange *out);
uint32_t iset_within(const struct iset *a, const struct iset *b, struct irange *out);

/* Memory for the sets of one search: given back in the order of a stack. */
struct ipool {
	struct ipool_chunk *top;
};
struct ipool_mark {
	struct ipool_chunk *chunk;
	size_t used;
};
struct ipool_mark ipool_mark(const struct ipool *p);
void ipool_release(struct ipool *p, struct ipool_mark m);
void ipool_fini(struct ipool *p);
/* Room for n; then keep only the first so many. NULL: no memory. */
struct irange *ipool_take(struct ipool *p, size_t n);
void ipool_trim(struct ipool *p, struct irange *r, size_t n);
/* Is r in the top chunk, and was it taken after the mark? */
bool ipool_is_above(const struct ipool *p, struct ipool_mark m, const struct irange *r);

#endif

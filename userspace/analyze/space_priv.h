/* SPDX-License-Identifier: GPL-2.0-only */
/* What space.c, classes.c and cells.c share. */
#ifndef FW_ANALYZE_SPACE_PRIV_H
#define FW_ANALYZE_SPACE_PRIV_H

#include "analyze/space.h"

/* One distinct set of values of an axis. Exactly one of r, r4, r6 is in use; n == 0: nothing. */
struct axis_set {
	const struct range *r;
	const struct range4 *r4;
	const struct range6 *r6;
	size_t n;
	uint64_t hash;
	struct iset classes;
};
static inline u128 axis_lo(const struct axis_set *s, size_t i)
{
	return s->r6 ? s->r6[i].lo : s->r4 ? s->r4[i].lo : s->r[i].lo;
}
static inline u128 axis_hi(const struct axis_set *s, size_t i)
{
	return s->r6 ? s->r6[i].hi : s->r4 ? s->r4[i].hi : s->r[i].hi;
}

struct axis_cell {
	const void *key;
	size_t n;
	uint32_t id; /* 1 + index; 0: free */
};
struct axis_map {
	struct axis_cell *v;
	size_t n, mask;
};

struct axis_data {
	struct {
		struct axis_set *v;
		size_t n, cap;
	} sets;
	struct axis_map by_pointer, by_content;
	u128 max;
	/* classes.c: */
	u128 *start; /* of each stretch */
	uint32_t *class_of;
	size_t nstretches;
	u128 *low, *high; /* of each class */
	size_t nclasses;
};

/* The number of a set; 0 or -ENOMEM. Ranges must stay, and are known again by their address. */
int axis_intern(struct axis_data *a, struct axis_set set, uint32_t *ret_id);
/* Classes of all axes, once every set is known. 0, -ENOMEM, -E2BIG. */
int classes_make(struct space *s);
/* The cells, and the sets that they ask for. */
int cells_make(struct space *s, const struct space_list *lists, size_t n);

#endif

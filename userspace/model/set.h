/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets of values and of addresses: sorted, disjoint, closed ranges with a gap of at least one between
 * two of them (so equal sets are equal arrays). Host byte order. Memory comes from the caller's arena;
 * sets are immutable once normalised and may be shared between rules (compare by pointer first).
 */
#ifndef FW_MODEL_SET_H
#define FW_MODEL_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

__extension__ typedef unsigned __int128 u128; /* an IPv6 address, most significant byte first on the wire */

struct range {
	uint64_t lo, hi;
};

struct range4 {
	uint32_t lo, hi;
};

struct range6 {
	u128 lo, hi;
};

/* Values of one field. */
struct vset {
	struct range *r;
	size_t n;
};

/* Addresses: both families side by side. A family with no range matches no packet of that family. */
struct aset {
	struct range4 *v4;
	size_t n4;
	struct range6 *v6;
	size_t n6;
	const char *name; /* of the set it came from (`@name`), NULL when written in place */
};

/* Building: collect unordered, overlapping ranges, then normalise. */
struct aset_builder {
	struct arena *arena;
	struct range4 *v4;
	size_t n4, cap4;
	struct range6 *v6;
	size_t n6, cap6;
};

/* 0 or -ENOMEM; the builder's arrays are malloc'ed and freed by aset_build or aset_builder_fini. */
int aset_add4(struct aset_builder *b, uint32_t lo, uint32_t hi);
int aset_add6(struct aset_builder *b, u128 lo, u128 hi);
/* Sort, merge, move into the arena. The builder is empty afterwards. */
int aset_build(struct aset_builder *b, struct aset **ret);
void aset_builder_fini(struct aset_builder *b);
/* The set of one range; of IPv4 the low 32 bits count. */
int aset_one(struct arena *a, bool v6, u128 lo, u128 hi, struct aset **ret);

/* Complement inside the families in which the set is not empty ("! 10.0.0.0/8" speaks of IPv4 alone);
 * both families when it is empty in both. */
int aset_invert(struct arena *a, const struct aset *in, struct aset **ret);
bool aset_has4(const struct aset *s, uint32_t addr);
bool aset_has6(const struct aset *s, u128 addr);
bool aset_equal(const struct aset *a, const struct aset *b);

/* Values: `r` may be unordered and overlap; copies into the arena. */
int vset_build(struct arena *a, const struct range *r, size_t n, struct vset **ret);
/* Complement within 0..max. */
int vset_invert(struct arena *a, const struct vset *in, uint64_t max, struct vset **ret);
bool vset_has(const struct vset *s, uint64_t value);
bool vset_equal(const struct vset *a, const struct vset *b);

#endif

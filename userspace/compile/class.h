/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Classes of one space: values that no set tells apart. A sweep over the bounds of all sets finds them; two stretches
 * of values with the same sets share a class.
 */
#ifndef FW_COMPILE_CLASS_H
#define FW_COMPILE_CLASS_H

#include "compile/box.h"

#define CLASS_NONE 0xffffffffu

struct classes {
	/* Values start[i] … start[i + 1] - 1 have class cls[i]; start[0] is 0; neighbours differ. */
	u128 *start;
	uint32_t *cls;
	size_t nbounds, cap;

	/* Sets of each class: `words` words per class, bit = index of the set. */
	uint64_t *members;
	size_t nclasses, words;
	uint32_t absent; /* the class of no set at all; CLASS_NONE when not asked for */

	/* Per set: the classes of its lowest and of its highest value. CLASS_NONE for the empty set. */
	uint32_t *first, *last;
	size_t nsets;
};

/*
 * `absent`: packets may lack the field, so the class of no set is needed even when no value has it.
 * 0, -ENOMEM, or -E2BIG when there would be more than max_classes (nothing else is taken then).
 */
int classes_build(const struct box_sets *sets, u128 max, bool absent, size_t max_classes, struct classes *ret);
void classes_fini(struct classes *c);

static inline const uint64_t *classes_members(const struct classes *c, uint32_t cls)
{
	return c->members + cls * c->words;
}

#endif

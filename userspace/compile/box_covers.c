// SPDX-License-Identifier: GPL-2.0-only
#include "compile/box.h"

bool box_set_covers(const struct box_set *a, const struct box_set *b)
{
	if (!a || a == b)
		return true;
	/* b is every packet, also those that lack the field. */
	if (!b || a->n == 0)
		return b && b->n == 0;
	for (size_t i = 0; i < b->n; i++) {
		u128 lo = box_set_lo(b, i), hi = box_set_hi(b, i);
		size_t from = 0, to = a->n;

		/* The last range of a that starts at or below lo must reach hi. */
		while (to - from > 1) {
			size_t mid = (from + to) / 2;

			if (box_set_lo(a, mid) <= lo)
				from = mid;
			else
				to = mid;
		}
		if (box_set_lo(a, from) > lo || box_set_hi(a, from) < hi)
			return false;
	}
	return true;
}

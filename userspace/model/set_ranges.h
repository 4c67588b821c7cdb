/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sorted ranges, written once for 32-bit, 64-bit and 128-bit values. set.c includes this with
 *   RANGE     struct range, struct range4 or struct range6
 *   VALUE     the type of its bounds
 *   NAME(x)   the name of function x for this type
 */

static int NAME(compare)(const void *a, const void *b)
{
	const RANGE *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

/* Sort and merge in place what overlaps or touches; returns how many are left. */
static size_t NAME(normalise)(RANGE *r, size_t n)
{
	size_t out = 0, i = 1;

	if (!n)
		return 0;
	while (i < n && r[i - 1].lo <= r[i].lo)
		i++;
	if (i < n) /* large lists mostly come sorted */
		qsort(r, n, sizeof(*r), NAME(compare));
	for (i = 1; i < n; i++) {
		/* r[i].lo >= r[out].lo, so lo - 1 cannot wrap below a bound that matters */
		if (r[i].lo <= r[out].hi || r[i].lo - 1 == r[out].hi) {
			if (r[i].hi > r[out].hi)
				r[out].hi = r[i].hi;
		} else {
			r[++out] = r[i];
		}
	}
	return out + 1;
}

static bool NAME(has)(const RANGE *r, size_t n, VALUE value)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (value > r[mid].hi)
			lo = mid + 1;
		else if (value < r[mid].lo)
			hi = mid;
		else
			return true;
	}
	return false;
}

/* The gaps of r within 0..max; out has room for n + 1. */
static size_t NAME(invert)(const RANGE *r, size_t n, VALUE max, RANGE *out)
{
	VALUE next = 0;
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		if (r[i].lo > max)
			break;
		if (r[i].lo > next)
			out[count++] = (RANGE){ next, r[i].lo - 1 };
		if (r[i].hi >= max)
			return count;
		next = r[i].hi + 1;
	}
	out[count++] = (RANGE){ next, max };
	return count;
}

static bool NAME(equal)(const RANGE *a, size_t na, const RANGE *b, size_t nb)
{
	if (na != nb)
		return false;
	for (size_t i = 0; i < na; i++)
		if (a[i].lo != b[i].lo || a[i].hi != b[i].hi)
			return false;
	return true;
}

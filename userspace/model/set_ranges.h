/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sorted ranges, written once for 32-bit, 64-bit and 128-bit values. set.c includes this with
 *   RANGE     struct range, struct range4 or struct range6
 *   VALUE     the type of its bounds
 *   BITS      how many bits a bound has
 *   NAME(x)   the name of function x for this type
 */


/* By insertion, into out, which may be r: right for a few, and for many of which none has far to go. */
static void NAME(insert)(const RANGE *r, size_t n, RANGE *out)
{
	for (size_t i = 0; i < n; i++) {
		RANGE x = r[i];
		size_t at = i;

		for (; at > 0 && out[at - 1].lo > x.lo; at--)
			out[at] = out[at - 1];
		out[at] = x;
	}
}

/* The highest bit in which lower bounds differ; -1: they are all the same. */
static int NAME(top_bit)(const RANGE *r, size_t n)
{
	VALUE differ = 0;
	int bit = -1;

	for (size_t i = 1; i < n; i++)
		differ |= r[i].lo ^ r[0].lo;
	for (int half = BITS / 2; half; half /= 2) {
		if (differ >> half) {
			differ >>= half;
			bit += half;
		}
	}
	return bit + (differ != 0);
}

/* Deal r into groups by some bits, in order of these, into other; at[g]: where group g ends there. The largest group. */
static size_t NAME(deal)(const RANGE *r, size_t n, RANGE *other, int shift, unsigned int groups, size_t *at)
{
	size_t start = 0, largest = 0;

	memset(at, 0, groups * sizeof(at[0]));
	for (size_t i = 0; i < n; i++)
		at[(size_t)(r[i].lo >> shift) & (groups - 1)]++;
	for (unsigned int g = 0; g < groups; g++) {
		size_t count = at[g];

		largest = count > largest ? count : largest;
		at[g] = start;
		start += count;
	}
	for (size_t i = 0; i < n; i++)
		other[at[(size_t)(r[i].lo >> shift) & (groups - 1)]++] = r[i];
	return largest;
}

/*
 * Sort by the lower bound, from the highest bits that differ down: deal into groups, then sort each group. The result is
 * in r, or with `in_other` in other, which has room for n. Each step takes eight bits or more, so the depth is at most
 * BITS / 8.
 */
static void NAME(sort)(RANGE *r, RANGE *other, size_t n, bool in_other)
{
	size_t at[1 << SET_DIGIT_MAX], start = 0;
	int bits = n > 1 << 16 ? SET_DIGIT_MAX : 8, shift;
	unsigned int groups = 1u << bits;

	if (n <= SET_FEW) {
		NAME(insert)(r, n, in_other ? other : r);
		return;
	}
	shift = NAME(top_bit)(r, n) + 1 - bits;
	if (shift == -bits) { /* all the same */
		if (in_other)
			memcpy(other, r, n * sizeof(*r));
		return;
	}
	shift = shift < 0 ? 0 : shift;
	if (NAME(deal)(r, n, other, shift, groups, at) <= SET_FEW) {
		NAME(insert)(other, n, in_other ? other : r);
		return;
	}
	for (unsigned int g = 0; g < groups; start = at[g++])
		if (at[g] > start)
			NAME(sort)(other + start, r + start, at[g] - start, !in_other);
}

static bool NAME(sorted)(const RANGE *r, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (r[i - 1].lo > r[i].lo)
			return false;
	return true;
}

/* Merge what overlaps or touches, into out, which may be r; returns how many are left. */
static size_t NAME(merge)(const RANGE *r, size_t n, RANGE *out)
{
	size_t last = 0;

	if (!n)
		return 0;
	out[0] = r[0];
	for (size_t i = 1; i < n; i++) {
		/* r[i].lo >= out[last].lo, so lo - 1 cannot wrap below a bound that matters */
		if (r[i].lo <= out[last].hi || r[i].lo - 1 == out[last].hi) {
			if (r[i].hi > out[last].hi)
				out[last].hi = r[i].hi;
		} else {
			out[++last] = r[i];
		}
	}
	return last + 1;
}

/* Sort and merge r into out, which has room for n; returns how many are left. */
static size_t NAME(normalise)(RANGE *r, size_t n, RANGE *out)
{
	if (!NAME(sorted)(r, n)) /* large lists mostly come sorted */
		NAME(sort)(r, out, n, false);
	return NAME(merge)(r, n, out);
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

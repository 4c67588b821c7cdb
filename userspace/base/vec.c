// SPDX-License-Identifier: GPL-2.0-only
#include "base/vec.h"

#include "base/huge.h"

#include <errno.h>
#include <stdint.h>

#define VEC_FIRST 8

int vec_reserve_raw(void **v, size_t *cap, size_t n, size_t size)
{
	size_t want = *cap ? *cap : VEC_FIRST, bytes;
	void *p;

	if (n <= *cap)
		return 0;
	while (want < n)
		want = want > SIZE_MAX / 2 ? n : want * 2;
	if (__builtin_mul_overflow(want, size, &bytes))
		return -ENOMEM;
	p = realloc(*v, bytes);
	if (!p)
		return -ENOMEM;
	huge_wish(p, bytes);
	*v = p;
	*cap = want;
	return 0;
}

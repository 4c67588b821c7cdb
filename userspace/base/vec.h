/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Growing arrays of any struct { T *v; size_t n, cap; }:
 *
 *     struct { int *v; size_t n, cap; } a = {};
 *     if (vec_push(&a, 7)) return -ENOMEM;
 *     vec_fini(&a);
 */
#ifndef FW_BASE_VEC_H
#define FW_BASE_VEC_H

#include <stddef.h>
#include <stdlib.h>

/* Grow *v to hold at least n elements of size; 0 or -ENOMEM. */
int vec_reserve_raw(void **v, size_t *cap, size_t n, size_t size);

#define vec_reserve(a, count) vec_reserve_raw((void **)&(a)->v, &(a)->cap, (count), sizeof(*(a)->v))
#define vec_push(a, ...)                                                                           \
	({                                                                                         \
		int err_ = (a)->n < (a)->cap ? 0 : vec_reserve((a), (a)->n + 1);                    \
		if (!err_)                                                                         \
			(a)->v[(a)->n++] = (__VA_ARGS__);                                          \
		err_;                                                                              \
	})
#define vec_fini(a) (free((a)->v), (a)->v = NULL, (a)->n = (a)->cap = 0)

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Services: the distinct combinations of what rules in lists ask beside addresses. */
#ifndef FW_COMPILE_SERVICE_H
#define FW_COMPILE_SERVICE_H

#include "compile/box.h"

#define SERVICE_SPACES SPACE_SRC4 /* the spaces below are no addresses */

struct service {
	uint32_t set[SERVICE_SPACES]; /* BOX_ANY, or 1 + index of the set */
};

struct services {
	struct service *v;
	size_t n, cap;
	uint32_t *of; /* per rule: its service, or FW_SVC_ANY */
};

/* The services of the rules whose flag is set. `of` is the arena's. 0 or -ENOMEM; services_fini in any case. */
int services_build(struct arena *arena, const struct boxes *b, const bool *wanted, struct services *ret);
/*
 * Number the services anew: those of rules[0] … rules[n - 1], in the order of their first rule there; the others are
 * forgotten. 0 or -ENOMEM.
 */
int services_order(struct services *s, const uint32_t *rules, size_t n);
void services_fini(struct services *s);

#endif

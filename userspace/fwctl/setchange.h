/* SPDX-License-Identifier: GPL-2.0-only */
/* Changes of live sets that several commands make. All return enum status and say what was refused. */
#ifndef FW_FWCTL_SETCHANGE_H
#define FW_FWCTL_SETCHANGE_H

#include "fwctl/elements.h"
#include "fwctl/liveset.h"

struct setchange {
	enum setchange_kind { SETCHANGE_ADD, SETCHANGE_DEL, SETCHANGE_REPLACE } kind;
	size_t given;
	size_t done; /* that were new; that were there; REPLACE: elements of the set now */
};

int setchange_add(struct liveset *s, struct elements *e, struct setchange *ret);
int setchange_del(struct liveset *s, struct elements *e, struct setchange *ret);
/* Refuses to take more than half of the set away, unless forced. */
int setchange_replace(struct liveset *s, struct elements *e, bool force, struct setchange *ret);
/* "banned: added 3 elements", or JSON. */
int setchange_report(const struct liveset *s, const struct elements *e, const struct setchange *c, bool json);

#endif

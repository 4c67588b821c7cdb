/* SPDX-License-Identifier: GPL-2.0-only */
/* The live sets of the namespace, opened for one command, and the one that it is about. */
#ifndef FW_FWCTL_LIVESET_H
#define FW_FWCTL_LIVESET_H

#include "fwctl/live.h"

struct liveset {
	struct live live;
	struct kern_live *h;
	struct kern_set *sets; /* all, by name */
	size_t n;
	const struct kern_set *set;
};

/* Each returns enum status and says what the system refused. */
/* NULL for the default: the set called "banned", else the only one. A name may begin with "@". */
int liveset_open(struct liveset *s, enum kern_access access, const char *name);
/* All sets, none chosen; no set at all is fine. */
int liveset_open_all(struct liveset *s, enum kern_access access);
int liveset_choose(struct liveset *s, const char *name);
/* NULL: there is none of that name. */
const struct kern_set *liveset_find(const struct liveset *s, const char *name);
/* Give up the lock, keep what was read. */
void liveset_release(struct liveset *s);
void liveset_close(struct liveset *s);
/* STATUS_REFUSED, after the sentence for it. */
int liveset_refused(struct liveset *s, int err);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of kern/ share about an open kern. */
#ifndef FW_KERN_RIM_H
#define FW_KERN_RIM_H

#include "kern/iface.h"
#include "kern/kern.h"
#include "kern/slots.h"

#include <string.h>

struct kern {
	struct fail *fail;
	enum kern_access access;
	int root; /* FW_PIN_ROOT; -1: there is none (READ) */
	int ns;   /* this namespace's directory, locked; -1: there is none (READ) */
	int bpffs;
	uint64_t cookie;
};

/* Forget the sentence of an earlier call. */
static inline struct fail *kern_fail(struct kern *k)
{
	*k->fail = (struct fail){};
	return k->fail;
}

/* After a killed command: undo or finish what it left. */
int kern_sweep(struct kern *k);
/* Give an interface's hooks the programs that its record asks for. */
int publish_repair(struct slots *p, struct iface *f, struct fail *fail);
/* Is the interface one of the policy? */
static inline bool iface_uses(const struct iface *f, const char *policy)
{
	return f->record_fd >= 0 && !strcmp(f->rec.policy, policy);
}

#endif

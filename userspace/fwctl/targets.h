/* SPDX-License-Identifier: GPL-2.0-only */
/* What `load` is asked for: interfaces, and the policy of each. */
#ifndef FW_FWCTL_TARGETS_H
#define FW_FWCTL_TARGETS_H

#include "fwctl/cmd.h"
#include "fwctl/file.h"
#include "fwctl/verify.h"
#include "kern/kern.h"

#define PASS_ALL "pass-all" /* the policy of load without a file */

/* One policy that this command needs, compiled once. */
struct unit {
	const char *name;
	const struct policy *policy; /* NULL: the built-in one */
	struct image image;
	struct image old; /* what it ran, when it was swapped */
	bool swapped; /* it ran with other rules on interfaces named here alone */
	struct verify verify;
	struct kern_verify ask;
};

struct target {
	const char *ifname;
	struct unit *unit;
	bool fresh; /* was not loaded before */
	char policy[KERN_POLICY_MAX + 1]; /* another one, that it had before */
	struct image old;
};

struct targets {
	struct unit *unit;
	size_t nunits;
	struct target *v;
	size_t n, cap;
};

/* Each returns enum status and says what is wrong. f->rules is NULL without a file. */
int targets_choose(struct targets *t, const struct args *args, const struct file *f);
/* A misspelt name is found before anything is attached. */
int targets_exist(const struct targets *t);
bool targets_have(const struct targets *t, const char *ifname);
void targets_fini(struct targets *t);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel runs now, read once and kept for the length of a command. */
#ifndef FW_FWCTL_LIVE_H
#define FW_FWCTL_LIVE_H

#include "kern/kern.h"

#include <signal.h>

struct live_policy {
	char name[KERN_POLICY_MAX + 1];
	char digest[65];
	uint64_t generation;
	struct image image;
};

struct live {
	struct kern *kern;
	struct fail fail;
	struct kern_iface_state *iface;
	size_t n;
	struct live_policy *policy; /* those asked for */
	size_t npolicies;
	sigset_t signals; /* as they were before KERN_WRITE */
	bool guarded;
};

/* Each returns enum status and says on stderr what the system refused. */
/* KERN_WRITE also holds back what would end the command half way (SIGINT, SIGTERM, SIGHUP), and ignores SIGPIPE. */
int live_open(struct live *l, enum kern_access access);
/* On a zeroed struct: the lock alone, for who asks for no interface. */
int live_lock(struct live *l, enum kern_access access);
/* The interfaces as they are now. The lock is held. */
int live_refresh(struct live *l);
/* Give up the lock and keep what was read: before printing or sleeping. */
void live_release(struct live *l);
/* Take the lock again and read the interfaces anew; images are kept. */
int live_again(struct live *l, enum kern_access access);
void live_close(struct live *l);

/* NULL when the interface is not loaded. */
const struct kern_iface_state *live_find(const struct live *l, const char *ifname);
/* The same, and says so: the remedy is `load`. */
const struct kern_iface_state *live_need(const struct live *l, const char *ifname);
/* The live image of the interface's policy, without its tables, read anew when it is another than before; NULL after a sentence. */
const struct fw_image *live_image(struct live *l, const struct kern_iface_state *s);
/* Does some interface run exactly this image under this policy? */
bool live_runs(const struct live *l, const char *policy, const struct image *img);
/* The i-th policy in use, each once, in order of interfaces; NULL past the end. */
const struct kern_iface_state *live_policy_at(const struct live *l, size_t i);

/* A name that no interface can have: says so. */
bool ifname_wrong(const char *name);

#endif

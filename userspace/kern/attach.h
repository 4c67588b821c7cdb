/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One program on one hook of one interface.
 *
 * The kernel holds an attachment by one of: a BPF link (XDP, TCX) pinned in the interface's directory, or a clsact filter
 * with our handle. A link that was made and not yet pinned dies with its process, so a killed command leaves the hook as it
 * was; a clsact filter stays, and a sweep finds it by its handle and the program's name.
 */
#ifndef FW_KERN_ATTACH_H
#define FW_KERN_ATTACH_H

#include "base/fail.h"
#include "kern/kern.h"

#include <fw/abi.h>
#include <stdbool.h>
#include <stdint.h>

/* Where something is, or is to be. */
struct attach {
	int dir;              /* of the interface's pins, borrowed */
	unsigned int ifindex;
	const char *ifname;   /* for sentences */
	enum fw_hook hook;
	enum kern_link link;
	enum kern_mode mode;  /* XDP: NATIVE or GENERIC */
	uint32_t priority;    /* clsact */
	bool elsewhere;       /* the index is one of another namespace: touch links and pins alone */
};

struct attach_state {
	bool attached;
	uint32_t prog_id; /* 0: none */
	char why[128];    /* when not attached: a sentence part */
};

/* "xdp", "tcin", "tcout": how pins of this hook start. */
const char *attach_word(enum fw_hook hook);

/* -EBUSY with a sentence that names it, when another XDP program is on the interface. */
int attach_xdp_check_free(unsigned int ifindex, const char *ifname, struct fail *fail);
/* Share the interface with other XDP programs: -EOPNOTSUPP, and why. */
int attach_xdp_coexist(const char *ifname, struct fail *fail);
/* Attach and pin. */
int attach_xdp_create(const struct attach *a, int prog_fd, struct fail *fail);
/* After a native attach failed: the driver's own sentence, from a netlink attempt; else that of the errno. */
void attach_xdp_sentence(unsigned int ifindex, int prog_fd, int err, char *out, size_t size);

/* TCX where the kernel has it, unless clsact is wanted; sets link and priority. */
int attach_tc_create(struct attach *a, int prog_fd, bool clsact, struct fail *fail);
int attach_tc_update(const struct attach *a, int prog_fd, struct fail *fail);
int attach_tc_state(const struct attach *a, struct attach_state *ret);
/* The filter, and the clsact qdisc when we made it and nobody else uses it. */
void attach_tc_remove(const struct attach *a);

/* Swap the program: every packet meets the old one or the new one. -ENODEV without a sentence when the interface is gone. */
int attach_update(const struct attach *a, int prog_fd, struct fail *fail);
int attach_state(const struct attach *a, struct attach_state *ret);
/* Detach, now and not some time later, and unpin; whatever kind it was. */
int attach_remove(const struct attach *a, struct fail *fail);

int attach_pin_link(const struct attach *a, int link_fd, struct fail *fail);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* One `load` under way. */
#ifndef FW_KERN_LOAD_H
#define FW_KERN_LOAD_H

#include "kern/rim.h"

struct load {
	struct kern *k;
	struct fail *fail;
	const char *ifname;
	const char *policy_name;
	unsigned int ifindex;
	struct image *img;
	const struct kern_load_opts *opts;
	struct kern_report *report;
	struct ifaces list;
	struct slots policy;
	bool have_policy;
	uint32_t nslots[FW_DIR_COUNT];
	bool egress;
	char shown[4 * IFNAMSIZ + 1];
};

/* Attach the ingress hook of a new interface; fills its record (which the caller saves) and the report. */
int load_attach_ingress(struct load *l, struct iface *f);
/* A new interface: attached, proved, its record saved; or nothing of it is left. */
int load_attach_fresh(struct load *l);
/* Let opts->verify ask the twins of the kinds of hooks that f brings to the policy. */
int load_prove(struct load *l, const struct iface *f);
/* The policy is there; f: what we know of the interface, or NULL. */
int load_known(struct load *l, struct iface *f);
int load_switch_policy(struct load *l, struct iface *f);
/* What was asked for by name has to be what is there. */
int load_check_place(struct load *l, const struct iface *f);
bool load_is_attached(const struct iface *f);
uint64_t load_now_ns(void); /* of the wall clock */

#endif

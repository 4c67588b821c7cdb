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

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* explain --why-dropped IFACE ADDR: what is known of an address that does not get through, in one answer. */
#ifndef FW_FWCTL_EXPLAIN_WHY_H
#define FW_FWCTL_EXPLAIN_WHY_H

#include "fwctl/follow.h"
#include "fwctl/stat.h"
#include "model/packet.h"

/* The command, whose words are IFACE and ADDR. Returns enum status. */
int explain_why(const struct args *a);

/* A packet that was put to the program, one that an event told of or a usual one. */
struct why_answer {
	struct fw_event event; /* as if the program had told of it */
	char packet[192];      /* in words */
	bool seen;             /* an event told of such a packet */
};
/* A live set that has the address. */
struct why_member {
	char set[KERN_SET_NAME + 1];
	struct kern_element element;
	bool named; /* by the policy of the interface */
};
#define WHY_ANSWERS 12
#define WHY_SEEN    5 /* of them; the others are usual ones */
#define WHY_EVENTS  8 /* shown */
#define WHY_FLOWS   8

struct why {
	const char *ifname, *address; /* as written */
	struct pick pick;             /* the address */
	struct arena *arena;
	struct follow follow; /* events that name it, and the names of the rules */
	struct follow_policy *policy; /* NULL: it has gone in the meantime */
	struct live live;
	struct stat_snap snap;
	uint64_t generation;
	struct why_answer answer[WHY_ANSWERS];
	size_t nanswers;
	struct {
		struct why_member *v;
		size_t n, cap;
	} member;
	struct kern_flow *flow;
	size_t nflows;
	struct moment now;
};
/* explain_why_tell.c */
void why_text(struct why *w);
int why_json(struct why *w);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The events of the policies of a namespace, as one stream in the order of time. Policies come, go and are loaded anew while it is
 * read: follow_refresh notices, under the read lock, which it gives back at once.
 */
#ifndef FW_FWCTL_FOLLOW_H
#define FW_FWCTL_FOLLOW_H

#include "fwctl/elements.h"
#include "fwctl/eventname.h"
#include "fwctl/eventtext.h"
#include "fwctl/live.h"
#include "fwctl/pick.h"

struct follow_iface {
	unsigned int ifindex;
	char name[64];
	char *shown, *json; /* escaped */
};
/* The interfaces of the namespace by their numbers, those too that were there once. */
struct follow_ifaces {
	struct follow_iface *v;
	size_t n, cap;
};
int ifnames_learn(struct follow_ifaces *f, const struct live *l); /* 0 or -ENOMEM */
const struct follow_iface *ifnames_find(const struct follow_ifaces *f, unsigned int ifindex); /* NULL: nobody knows it */
void ifnames_fini(struct follow_ifaces *f);

struct follow_policy {
	char name[KERN_POLICY_MAX + 1];
	struct kern_events *events; /* NULL: it tells of nothing */
	struct kern_event_counts before; /* when it was opened */
	struct event_names names;
	struct picked picked;
	struct event_filter filter;
	bool old; /* the policy is gone, or has another table: read to its end, then forget */
	bool dry; /* that end is reached */
};

struct follow {
	/* What is asked for: set before follow_open. */
	const char *const *ifname;
	size_t nifnames; /* 0: all */
	struct pick pick;
	unsigned int flags; /* KERN_EVENTS_* */
	bool names_only;    /* names and filters of the policies, no events: nothing to read */
	uint64_t since_ns, until_ns; /* CLOCK_MONOTONIC; until 0: no end */
	/* What is there. */
	struct follow_policy *v;
	size_t n;
	struct follow_ifaces ifaces;
	unsigned int *ifindex; /* of the interfaces asked for */
	size_t nifindex;
	struct event_batch batch;
	struct event_tally tally;
	struct kern_event_counts gone; /* of policies that were forgotten */
	struct moment now;
	bool opened, complained;
};
/* Returns enum status, says what is wrong: an interface that is not filtered, a rule that nobody has. */
int follow_open(struct follow *f, const struct command *cmd);
/* Policies, names and interfaces as they are now; the batch is empty then. Says once what the system refuses, and goes on. */
void follow_refresh(struct follow *f);
void follow_close(struct follow *f);
/* Does any policy tell of anything? */
bool follow_tells(const struct follow *f);
/*
 * Fill the batch with what is wanted, sorted. True: there may be more. *ret_lost: since the last call. whole: the batch grows until
 * everything that the rings held is in it; set until_ns then, for its end.
 */
bool follow_read(struct follow *f, bool whole, uint64_t *ret_lost);
/* p may be NULL: of a policy that is not known any more. */
void follow_view(const struct follow *f, struct follow_policy *p, const struct fw_event *e, struct event_view *ret);
struct follow_policy *follow_find(struct follow *f, const char *policy); /* NULL: it is not there */
/* What the kernel did since follow_open. */
void follow_counts(const struct follow *f, struct kern_event_counts *ret);

#endif

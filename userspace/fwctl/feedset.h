/* SPDX-License-Identifier: GPL-2.0-only */
/* The changes of a feed on their way into a live set: collected in batches, each under one short lock. */
#ifndef FW_FWCTL_FEEDSET_H
#define FW_FWCTL_FEEDSET_H

#include "fwctl/elements.h"
#include "fwctl/feed.h"
#include "fwctl/liveset.h"

struct feedset {
	const char *name;  /* of the set; NULL: the default */
	bool force;        /* a whole content may be much smaller than what it replaces */
	unsigned int snap; /* FEED_*: families whose changes are a whole content, until its mark comes */
	bool marked;       /* some mark came */
	struct feedset_list {
		struct elements e;
		struct {
			bool *v; /* by element: it is taken out */
			size_t n, cap;
		} del;
	} batch, whole;
	size_t added, deleted, refused, ended, widened, replaced;
	int status;                  /* of the last mark */
	char set[KERN_SET_NAME + 1]; /* where they went */
};

void feedset_init(struct feedset *f, const char *name, bool resync, bool force);
void feedset_fini(struct feedset *f);
/* For struct feed_sink; ctx is the feedset. A mark puts the content in place at once; f->status. */
int feedset_change(void *ctx, bool del, const struct element *x);
int feedset_mark(void *ctx, unsigned int families);
static inline size_t feedset_waiting(const struct feedset *f)
{
	return f->batch.e.n;
}
/* Each returns enum status and says what was refused. What a full set refuses is counted, and no failure here. */
int feedset_flush(struct feedset *f);
/* The input has ended. */
int feedset_end(struct feedset *f);
#endif

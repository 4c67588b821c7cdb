/* SPDX-License-Identifier: GPL-2.0-only */
/* What `top` shows, drawn into a grid. It changes nothing but where the list is scrolled to. */
#ifndef FW_FWCTL_TOP_DRAW_H
#define FW_FWCTL_TOP_DRAW_H

#include "fwctl/top_grid.h"
#include "fwctl/top_model.h"

#define TOP_MIN_ROWS 10
#define TOP_MIN_COLS 60
#define TOP_BEST 10

/* One rule, looked at closely. */
struct top_drill {
	bool on;
	uint64_t tag;
	struct top_source flow[TOP_BEST], event[TOP_BEST];
	size_t nflows, nevents;
	bool tracks, logs; /* the policy keeps state; tells of packets */
	uint64_t events_lost;
};

struct top_ui {
	enum top_view view;
	enum top_sort sort[TOP_VIEWS];
	char filter[64];
	bool editing; /* the filter */
	bool paused, help, stale; /* stale: what is shown is older than it should be, and `note` says why */
	struct top_drill drill;
	struct top_rows rows; /* of the view */
	size_t selected, scroll; /* of rows */
	uint64_t selected_tag;   /* who it was: lists change their order */
	double interval;
	char note[200];
};

const char *top_view_word(enum top_view view);
const char *top_sort_word(enum top_sort sort);
/* The next order that means something in the view. */
enum top_sort top_sort_next(enum top_view view, enum top_sort sort);
/* Rows of the view, the selected one where it is now. -ENOMEM. */
int top_refresh(const struct top_model *m, struct top_ui *ui);
void top_draw(const struct top_model *m, struct top_ui *ui, struct top_grid *g);
/* All views below each other, for --once: *g is made as large as it needs to be. -ENOMEM. */
int top_draw_all(const struct top_model *m, struct top_ui *ui, int cols, struct top_grid *g);

/* Between the files of it. */
int top_body(const struct top_model *m, struct top_ui *ui, struct top_grid *g, int y, int end);
void top_draw_drill(const struct top_model *m, const struct top_ui *ui, struct top_grid *g, int y);
const char *top_verdict_word(unsigned int verdict); /* with a sign: "+ pass" */
enum top_look top_verdict_look(unsigned int verdict);
void top_rate_put(struct top_grid *g, int y, int x, int width, enum top_look look, const struct top_rate *r, bool bits);
void top_ring_put(struct top_grid *g, int y, int x, int width, enum top_look look, const struct top_ring *r);

#endif

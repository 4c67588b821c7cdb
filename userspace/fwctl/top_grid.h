/* SPDX-License-Identifier: GPL-2.0-only */
/* A screen in memory: cells with a character and a look. The terminal gets it cell by cell, --once as text. */
#ifndef FW_FWCTL_TOP_GRID_H
#define FW_FWCTL_TOP_GRID_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a cell means; colour is one way to show it and never the only one. */
enum top_look { LOOK_PLAIN, LOOK_STRONG, LOOK_FAINT, LOOK_HEAD, LOOK_SELECTED, LOOK_PASS, LOOK_DROP, LOOK_REJECT, LOOK_WARN, LOOK_COUNT };

struct top_cell {
	uint32_t ch; /* 0: blank */
	uint8_t look;
};
struct top_grid {
	struct top_cell *cell;
	int rows, cols;
	bool utf8; /* block characters may be used */
};

int grid_size(struct top_grid *g, int rows, int cols); /* and blank; -ENOMEM */
void grid_fini(struct top_grid *g);
/* Printable ASCII; other bytes become '?'. What does not fit is cut off. Returns the column behind it. */
int grid_put(struct top_grid *g, int y, int x, enum top_look look, const char *text);
int grid_putf(struct top_grid *g, int y, int x, enum top_look look, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* At most `width` cells; a text that is longer ends in '~'. */
void grid_left(struct top_grid *g, int y, int x, int width, enum top_look look, const char *text);
void grid_right(struct top_grid *g, int y, int x, int width, enum top_look look, const char *text);
/* The end of a text that is too long: of places, where the line number matters. */
void grid_tail(struct top_grid *g, int y, int x, int width, enum top_look look, const char *text);
/* Columns as high as the numbers say, of `peak`; negative: none. */
void grid_spark(struct top_grid *g, int y, int x, enum top_look look, const double *v, size_t n, double peak);
/* "[####------]", part of whole. */
void grid_bar(struct top_grid *g, int y, int x, int width, enum top_look look, double part);
/* Make a whole line look so. */
void grid_look(struct top_grid *g, int y, enum top_look look);
/* All lines but blank ones at the end, blanks at the end of lines left out. */
void grid_text(const struct top_grid *g, struct str *out);

#endif

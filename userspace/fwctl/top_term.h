/* SPDX-License-Identifier: GPL-2.0-only */
/* The terminal, by ncurses: opened, painted (what changed alone is sent), and put back on every way out. */
#ifndef FW_FWCTL_TOP_TERM_H
#define FW_FWCTL_TOP_TERM_H

#include "fwctl/top_grid.h"

/* A terminal that can place its cursor, or a sentence why not and what to do instead: STATUS_REFUSED. */
int term_open(void);
void term_close(void);
bool term_utf8(void);
/* As it is now: a changed size is taken over. */
void term_size(int *ret_rows, int *ret_cols);
void term_paint(const struct top_grid *g);
/* All is sent again: something else may have written on the screen. */
void term_redraw(void);

enum term_key {
	TERM_NONE = -1, /* there is none now */
	TERM_UP = 256,
	TERM_DOWN,
	TERM_PAGE_UP,
	TERM_PAGE_DOWN,
	TERM_HOME,
	TERM_END,
	TERM_TAB_BACK,
	TERM_ENTER,
	TERM_BACKSPACE,
	TERM_ESCAPE,
	TERM_OTHER,
};
/* A character, or enum term_key. Never waits. */
int term_key(void);

#endif

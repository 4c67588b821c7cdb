// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/top_grid.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int grid_size(struct top_grid *g, int rows, int cols)
{
	struct top_cell *cell = calloc((size_t)rows * (size_t)cols + 1, sizeof(*cell));

	if (!cell)
		return -ENOMEM;
	free(g->cell);
	g->cell = cell;
	g->rows = rows;
	g->cols = cols;
	return 0;
}

void grid_fini(struct top_grid *g)
{
	free(g->cell);
	*g = (struct top_grid){};
}

static void put_ch(struct top_grid *g, int y, int x, enum top_look look, uint32_t ch)
{
	if (y >= 0 && y < g->rows && x >= 0 && x < g->cols)
		g->cell[(size_t)y * (size_t)g->cols + (size_t)x] = (struct top_cell){ ch, (uint8_t)look };
}

static int put_n(struct top_grid *g, int y, int x, enum top_look look, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++, x++)
		put_ch(g, y, x, look, text[i] >= ' ' && text[i] < 0x7f ? (uint32_t)text[i] : '?');
	return x;
}

int grid_put(struct top_grid *g, int y, int x, enum top_look look, const char *text)
{
	return put_n(g, y, x, look, text, strlen(text));
}

int grid_putf(struct top_grid *g, int y, int x, enum top_look look, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return grid_put(g, y, x, look, text);
}

void grid_left(struct top_grid *g, int y, int x, int width, enum top_look look, const char *text)
{
	size_t len = strlen(text), room = width > 0 ? (size_t)width : 0;

	if (len <= room)
		put_n(g, y, x, look, text, len);
	else if (room)
		put_ch(g, y, put_n(g, y, x, look, text, room - 1), look, '~');
}

void grid_tail(struct top_grid *g, int y, int x, int width, enum top_look look, const char *text)
{
	size_t len = strlen(text), room = width > 0 ? (size_t)width : 0;

	if (len <= room) {
		put_n(g, y, x, look, text, len);
	} else if (room) {
		put_ch(g, y, x, look, '~');
		put_n(g, y, x + 1, look, text + len - room + 1, room - 1);
	}
}

void grid_right(struct top_grid *g, int y, int x, int width, enum top_look look, const char *text)
{
	int len = (int)strlen(text);

	grid_left(g, y, len < width ? x + width - len : x, width, look, text);
}

void grid_spark(struct top_grid *g, int y, int x, enum top_look look, const double *v, size_t n, double peak)
{
	static const char ascii[] = "_.-=+*%#";

	for (size_t i = 0; i < n; i++) {
		uint32_t level = v[i] <= 0 || peak <= 0 ? 0 : 1 + (uint32_t)(v[i] / peak * 6.999);

		level = level > 7 ? 7 : level;
		if (v[i] >= 0)
			put_ch(g, y, x + (int)i, look, g->utf8 ? 0x2581 + level : (uint32_t)ascii[level]);
	}
}

void grid_bar(struct top_grid *g, int y, int x, int width, enum top_look look, double part)
{
	int full = (int)((width - 2) * (part > 1 ? 1 : part) + 0.5);

	/* The least that is there is seen; what is not full does not look so. */
	if (part > 0 && !full)
		full = 1;
	if (part < 1 && full == width - 2)
		full--;
	put_ch(g, y, x, look, '[');
	for (int i = 0; i < width - 2; i++)
		put_ch(g, y, x + 1 + i, look, i < full ? '#' : '-');
	put_ch(g, y, x + width - 1, look, ']');
}

void grid_look(struct top_grid *g, int y, enum top_look look)
{
	for (int x = 0; y >= 0 && y < g->rows && x < g->cols; x++)
		g->cell[(size_t)y * (size_t)g->cols + (size_t)x].look = (uint8_t)look;
}

/* Blocks are the only characters beyond ASCII. */
static void text_put(struct str *out, uint32_t ch)
{
	if (ch < 0x80) {
		str_add_char(out, ch ? (char)ch : ' ');
		return;
	}
	str_add_char(out, (char)(0xe0 | ch >> 12));
	str_add_char(out, (char)(0x80 | (ch >> 6 & 63)));
	str_add_char(out, (char)(0x80 | (ch & 63)));
}

void grid_text(const struct top_grid *g, struct str *out)
{
	int blank = 0;

	for (int y = 0; y < g->rows; y++) {
		const struct top_cell *line = g->cell + (size_t)y * (size_t)g->cols;
		int end = g->cols;

		while (end && (!line[end - 1].ch || line[end - 1].ch == ' '))
			end--;
		if (!end) {
			blank++;
			continue;
		}
		for (; blank; blank--)
			str_add_char(out, '\n');
		for (int x = 0; x < end; x++)
			text_put(out, line[x].ch);
		str_add_char(out, '\n');
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/* The frame around the views: title, tabs, bottom line, help, and what is said when there is no room. */
#include "fwctl/top_draw.h"

#include "fwctl/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *word;
	unsigned int sorts; /* bits */
} views[] = {
#define S(x) (1u << TOP_SORT_##x)
	[TOP_OVERVIEW] = { "Overview", S(ORDER) | S(RATE) | S(BITS) | S(PACKETS) | S(LAST) | S(NAME) },
	[TOP_RULES] = { "Rules", S(ORDER) | S(RATE) | S(BITS) | S(PACKETS) | S(LAST) | S(NAME) },
	[TOP_REASONS] = { "Reasons", S(ORDER) | S(RATE) | S(BITS) | S(PACKETS) | S(LAST) | S(NAME) },
	[TOP_SETS] = { "Sets", S(RATE) | S(PACKETS) | S(NAME) },
	[TOP_TABLES] = { "Tables", S(ORDER) | S(NAME) },
#undef S
};

const char *top_view_word(enum top_view view)
{
	return views[view].word;
}

const char *top_sort_word(enum top_sort sort)
{
	static const char *const words[] = {
#define FW_X(id, word) [TOP_SORT_##id] = word,
		TOP_SORTS(FW_X)
#undef FW_X
	};

	return words[sort];
}

enum top_sort top_sort_next(enum top_view view, enum top_sort sort)
{
	do
		sort = (enum top_sort)((sort + 1) % TOP_SORT_COUNT);
	while (!(views[view].sorts & 1u << sort));
	return sort;
}

const char *top_verdict_word(unsigned int verdict)
{
	static const char *const words[] = { [FW_VERDICT_DROP] = "- drop",
					     [FW_VERDICT_PASS] = "+ pass",
					     [FW_VERDICT_CONTINUE] = "= count",
					     [FW_VERDICT_REJECT] = "! reject" };

	return verdict < FW_VERDICT_COUNT ? words[verdict] : "?";
}

enum top_look top_verdict_look(unsigned int verdict)
{
	return verdict == FW_VERDICT_PASS     ? LOOK_PASS
	       : verdict == FW_VERDICT_DROP   ? LOOK_DROP
	       : verdict == FW_VERDICT_REJECT ? LOOK_REJECT
					      : LOOK_PLAIN;
}

void top_rate_put(struct top_grid *g, int y, int x, int width, enum top_look look, const struct top_rate *r, bool bits)
{
	grid_right(g, y, x, width, look, r->known ? top_si(bits ? r->bits : r->packets) : "-");
}

#define SPAN 120 /* samples: two minutes at the usual interval */
void top_ring_put(struct top_grid *g, int y, int x, int width, enum top_look look, const struct top_ring *r)
{
	double v[TOP_SAMPLES];
	double peak;

	width = width > SPAN ? SPAN : width;
	if (width <= 0 || !r)
		return;
	peak = top_ring_columns(r, SPAN, (size_t)width, v);
	grid_spark(g, y, x, look, v, (size_t)width, peak);
}

int top_refresh(const struct top_model *m, struct top_ui *ui)
{
	if (top_rows(m, ui->view, ui->sort[ui->view], ui->filter, &ui->rows))
		return -ENOMEM;
	for (size_t i = 0; i < ui->rows.n; i++)
		if (ui->rows.v[i].tag == ui->selected_tag)
			ui->selected = i;
	if (ui->selected >= ui->rows.n)
		ui->selected = ui->rows.n ? ui->rows.n - 1 : 0;
	return 0;
}

static void title(const struct top_model *m, const struct top_ui *ui, struct top_grid *g)
{
	struct top_rate all = top_total(m);
	const char *time = word_time(m->real_ns);
	int x = grid_put(g, 0, 0, LOOK_STRONG, "fwctl top");

	x = grid_putf(g, 0, x + 2, LOOK_PLAIN, "%s", word_count(m->nhooks, "hook"));
	if (all.known)
		x = grid_putf(g, 0, x + 2, LOOK_PLAIN, "%s packets/s  %s bit/s", top_si(all.packets), top_si(all.bits));
	if (ui->paused)
		grid_put(g, 0, x + 2, LOOK_WARN, "PAUSED");
	else if (ui->stale)
		grid_put(g, 0, x + 2, LOOK_WARN, "STALE");
	if (m->feeds)
		grid_right(g, 0, g->cols - 20, 20, LOOK_FAINT, time);
}

static void tabs(const struct top_ui *ui, struct top_grid *g)
{
	char right[128];
	int x = 0;

	for (unsigned int v = 0; v < TOP_VIEWS; v++)
		x = grid_putf(g, 1, x, v == ui->view && !ui->drill.on ? LOOK_SELECTED : LOOK_PLAIN, " %u %s ", v + 1, views[v].word);
	snprintf(right, sizeof(right), "sort: %s%s%s", top_sort_word(ui->sort[ui->view]), *ui->filter ? "  filter: " : "", ui->filter);
	if (!ui->drill.on && g->cols > x + 2)
		grid_right(g, 1, x + 1, g->cols - x - 1, LOOK_PLAIN, right);
}

static void bottom(const struct top_ui *ui, struct top_grid *g)
{
	int y = g->rows - 1;

	if (ui->editing)
		grid_putf(g, y, 0, LOOK_STRONG, "filter: %s_   Enter keeps it, Esc leaves it out", ui->filter);
	else if (*ui->note)
		grid_left(g, y, 0, g->cols, LOOK_WARN, ui->note);
	else if (ui->drill.on)
		grid_put(g, y, 0, LOOK_FAINT, "Esc back  p pause  ? help  q quit");
	else
		grid_put(g, y, 0, LOOK_FAINT, "1-5 view  s sort  / filter  Enter look closer  p pause  ? help  q quit");
}

static void help(struct top_grid *g)
{
	static const char *const lines[] = {
		"1-5, Tab      another view            Up Down j k   choose a line",
		"Enter         look closer at a rule; of an interface: its rules",
		"Esc           back; leave the filter out",
		"s             sort by something else",
		"/             show only lines with these letters in them",
		"p, Space      pause: read nothing, keep the picture",
		"PgUp PgDn Home End  far           ?  this help           q  quit",
		"",
		"+ pass  - drop  ! reject  = count (does not decide)",
		"Rates are per second, since the picture before. Bars: the last two minutes,",
		"each line by its own highest. STALE: the kernel could not be asked.",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		grid_put(g, 2 + (int)i, 2, LOOK_PLAIN, lines[i]);
}

/* As much of it as there is room for, words kept whole: the size is what matters. */
static void too_small(struct top_grid *g)
{
	char text[64], *save = NULL;
	int y = 0, x = 0;

	snprintf(text, sizeof(text), "fwctl top needs %dx%d, this is %dx%d", TOP_MIN_COLS, TOP_MIN_ROWS, g->cols, g->rows);
	for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (x && x + (int)strlen(word) > g->cols) {
			x = 0;
			y++;
		}
		x = grid_put(g, y, x, LOOK_PLAIN, word) + 1;
	}
}

void top_draw(const struct top_model *m, struct top_ui *ui, struct top_grid *g)
{
	if (g->rows < TOP_MIN_ROWS || g->cols < TOP_MIN_COLS) {
		too_small(g);
		return;
	}
	title(m, ui, g);
	tabs(ui, g);
	if (ui->help)
		help(g);
	else if (ui->drill.on)
		top_draw_drill(m, ui, g, 3);
	else if (!m->nhooks && m->feeds)
		grid_put(g, 3, 2, LOOK_PLAIN, "no interface is filtered here now; fwctl load IFACE attaches one");
	else if (!m->feeds)
		grid_put(g, 3, 2, LOOK_PLAIN, "reading ...");
	else if (!ui->rows.n)
		grid_put(g, 3, 2, LOOK_PLAIN, *ui->filter ? "nothing has these letters in it; Esc leaves the filter out" : "none");
	else
		top_body(m, ui, g, 2, g->rows - 1);
	bottom(ui, g);
}

#define ONCE_RULES 20
int top_draw_all(const struct top_model *m, struct top_ui *ui, int cols, struct top_grid *g)
{
	size_t rows = 12 + m->nhooks * (6 + FW_REASON_COUNT) + ONCE_RULES + m->nsets + m->npolicies * 6 + 3 * TOP_VIEWS;
	int y = 2;

	if (rows > 100000 || grid_size(g, (int)rows, cols))
		return -ENOMEM;
	title(m, ui, g);
	if (!m->nhooks)
		grid_put(g, 2, 0, LOOK_PLAIN, "no interface is filtered in this network namespace");
	for (unsigned int v = 0; m->nhooks && v < TOP_VIEWS; v++) {
		ui->view = (enum top_view)v;
		ui->selected = SIZE_MAX;
		if (top_rows(m, ui->view, ui->sort[v], ui->filter, &ui->rows))
			return -ENOMEM;
		if (v == TOP_RULES && ui->rows.n > ONCE_RULES)
			ui->rows.n = ONCE_RULES;
		if (!ui->rows.n)
			continue;
		grid_put(g, y, 0, LOOK_STRONG, views[v].word);
		y = top_body(m, ui, g, y + 1, g->rows) + 1;
	}
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* The views of `top`, line by line. */
#include "fwctl/top_draw.h"

#include "fwctl/words.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Verdicts that end a walk, those first that are looked for. */
static const enum fw_verdict verdicts[] = { FW_VERDICT_PASS, FW_VERDICT_DROP, FW_VERDICT_REJECT };

static bool verdict_shown(const struct top_hook *h, enum fw_verdict v)
{
	return v != FW_VERDICT_REJECT || h->rejects || h->verdict[v].packets;
}

static int hook_lines(const struct top_hook *h)
{
	return 3 + verdict_shown(h, FW_VERDICT_REJECT);
}

/* A block: who it is, then a line for each verdict. */
static int hook_draw(const struct top_model *m, const struct top_row *row, struct top_grid *g, int y)
{
	const struct top_hook *h = &m->hook[row->i];
	int x = grid_putf(g, y, 0, LOOK_STRONG, "%s", h->shown);

	x = grid_putf(g, y, x + 1, LOOK_PLAIN, "%s %s", word_hook(h->hook), word_mode(h->hook, h->mode));
	x = grid_putf(g, y, x + 2, LOOK_PLAIN, "policy %s generation %" PRIu64, h->policy, h->generation);
	if (!h->attached)
		grid_put(g, y, x + 2, LOOK_WARN, "NOT FILTERED");
	grid_right(g, y, g->cols - 18, 18, LOOK_PLAIN, h->last_ns ? word_ago(m->at_ns, h->last_ns) : "no packet yet");
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(*verdicts); i++) {
		enum fw_verdict v = verdicts[i];

		if (!verdict_shown(h, v))
			continue;
		y++;
		grid_left(g, y, 2, 8, top_verdict_look(v), top_verdict_word(v));
		top_rate_put(g, y, 11, 6, LOOK_PLAIN, &h->verdict_rate[v], false);
		grid_put(g, y, 18, LOOK_FAINT, "packets/s");
		top_rate_put(g, y, 28, 6, LOOK_PLAIN, &h->verdict_rate[v], true);
		grid_put(g, y, 35, LOOK_FAINT, "bit/s");
		grid_right(g, y, 41, 6, LOOK_FAINT, top_si((double)h->verdict[v].packets));
		top_ring_put(g, y, 49, g->cols - 49, top_verdict_look(v), &h->verdict_ring[v]);
	}
	return y + 1;
}

/* Where the columns of the rules stand: a wide terminal has more of them. */
struct rule_columns {
	int name, place, verdict, packets, bits, total, last, spark, end;
};

static struct rule_columns rule_columns(const struct top_grid *g)
{
	struct rule_columns c = { .end = g->cols, .bits = -1 };
	int x = g->cols;

	c.spark = -1;
	if (g->cols >= 130) {
		x -= 31;
		c.spark = x + 1;
	}
	c.last = x -= 8;
	c.total = x -= 7;
	if (g->cols >= 100)
		c.bits = x -= 7;
	c.packets = x -= 7;
	c.verdict = x -= 9;
	c.place = x -= g->cols >= 100 ? 26 : 15;
	c.name = g->cols >= 100 ? 20 : 13;
	return c;
}

static void rule_head(struct top_grid *g, int y)
{
	struct rule_columns c = rule_columns(g);

	grid_put(g, y, 0, LOOK_HEAD, "iface");
	grid_put(g, y, c.name, LOOK_HEAD, "rule");
	grid_put(g, y, c.place, LOOK_HEAD, "place");
	grid_put(g, y, c.verdict, LOOK_HEAD, "verdict");
	grid_right(g, y, c.packets, 6, LOOK_HEAD, "pkt/s");
	if (c.bits >= 0)
		grid_right(g, y, c.bits, 6, LOOK_HEAD, "bit/s");
	grid_right(g, y, c.total, 6, LOOK_HEAD, "total");
	grid_right(g, y, c.last, 7, LOOK_HEAD, "last");
	if (c.spark >= 0)
		grid_put(g, y, c.spark, LOOK_HEAD, "last minutes");
	grid_look(g, y, LOOK_HEAD);
}

static int rule_draw(const struct top_model *m, const struct top_row *row, struct top_grid *g, int y)
{
	const struct top_rule *r = &m->rule[row->i];
	const struct top_hook *h = &m->hook[r->hook];
	struct rule_columns c = rule_columns(g);

	grid_left(g, y, 0, c.name - 5, LOOK_PLAIN, h->shown);
	grid_put(g, y, c.name - 4, LOOK_FAINT, hook_dir(h->hook) == FW_DIR_EGRESS ? "out" : "in");
	grid_left(g, y, c.name, c.place - c.name - 1, LOOK_PLAIN, r->name);
	grid_tail(g, y, c.place, c.verdict - c.place - 1, LOOK_FAINT, r->place);
	grid_left(g, y, c.verdict, 8, top_verdict_look(r->verdict), top_verdict_word(r->verdict));
	top_rate_put(g, y, c.packets, 6, LOOK_PLAIN, &r->rate, false);
	if (c.bits >= 0)
		top_rate_put(g, y, c.bits, 6, LOOK_PLAIN, &r->rate, true);
	grid_right(g, y, c.total, 6, LOOK_PLAIN, top_si((double)r->count.packets));
	grid_right(g, y, c.last, 7, LOOK_PLAIN, word_ago(m->at_ns, r->last_ns));
	if (c.spark >= 0)
		top_ring_put(g, y, c.spark, c.end - c.spark, top_verdict_look(r->verdict), r->ring);
	return y + 1;
}

static void reason_head(struct top_grid *g, int y)
{
	grid_put(g, y, 0, LOOK_HEAD, "interface");
	grid_put(g, y, 21, LOOK_HEAD, "reason");
	grid_put(g, y, 35, LOOK_HEAD, " pkt/s  bit/s  total    last");
	if (g->cols >= 110)
		grid_put(g, y, 65, LOOK_HEAD, "what it means");
	grid_look(g, y, LOOK_HEAD);
}

static int reason_draw(const struct top_model *m, const struct top_row *row, struct top_grid *g, int y)
{
	const struct top_hook *h = &m->hook[row->i];

	grid_left(g, y, 0, 9, LOOK_PLAIN, h->shown);
	grid_left(g, y, 10, 10, LOOK_FAINT, word_hook(h->hook));
	grid_left(g, y, 21, 13, LOOK_PLAIN, row->name);
	top_rate_put(g, y, 35, 6, LOOK_PLAIN, &h->reason_rate[row->reason], false);
	top_rate_put(g, y, 42, 6, LOOK_PLAIN, &h->reason_rate[row->reason], true);
	grid_right(g, y, 49, 6, LOOK_PLAIN, top_si((double)row->packets));
	grid_right(g, y, 56, 7, LOOK_PLAIN, word_ago(m->at_ns, row->last));
	if (g->cols >= 110)
		grid_left(g, y, 65, g->cols - 65, LOOK_FAINT, word_reason_text(row->name));
	return y + 1;
}

static void set_head(struct top_grid *g, int y)
{
	grid_put(g, y, 0, LOOK_HEAD, "set");
	grid_put(g, y, 17, LOOK_HEAD, "    elements of size");
	grid_put(g, y, 38, LOOK_HEAD, "filled");
	grid_put(g, y, 51, LOOK_HEAD, " hits/s   hits  refused");
	grid_look(g, y, LOOK_HEAD);
}

static int set_draw(const struct top_model *m, const struct top_row *row, struct top_grid *g, int y)
{
	const struct top_set *s = &m->set[row->i];
	double part = s->set.size ? (double)s->set.count / s->set.size : 0;
	char text[48];

	grid_left(g, y, 0, 16, LOOK_PLAIN, row->name);
	snprintf(text, sizeof(text), "%u of %u", s->set.count, s->set.size);
	grid_right(g, y, 17, 20, LOOK_PLAIN, text);
	grid_bar(g, y, 38, 12, part >= 0.9 ? LOOK_WARN : LOOK_PLAIN, part);
	top_rate_put(g, y, 52, 6, LOOK_PLAIN, &s->hit_rate, false);
	grid_right(g, y, 59, 6, LOOK_PLAIN, top_si((double)s->hits.packets));
	grid_right(g, y, 66, 8, s->set.refused ? LOOK_WARN : LOOK_PLAIN, top_si(s->set.refused));
	if (s->refusing)
		grid_put(g, y, 75, LOOK_WARN, "FULL");
	return y + 1;
}

static int room_draw(struct top_grid *g, int y, const char *what, uint32_t used, uint32_t size)
{
	double part = size ? (double)used / size : 0;

	grid_put(g, y, 2, LOOK_PLAIN, what);
	grid_bar(g, y, 14, 22, part >= 0.9 ? LOOK_WARN : LOOK_PLAIN, part);
	grid_putf(g, y, 37, LOOK_PLAIN, "%u of %u, %.1f%%%s", used, size, part * 100, part >= 0.9 ? "  NEARLY FULL" : "");
	return y + 1;
}

static int policy_lines(const struct top_policy *p)
{
	return 3 + (p->p.tracks ? 1 : 0) + (p->p.logs ? 1 : 0);
}

static int policy_draw(const struct top_model *m, const struct top_row *row, struct top_grid *g, int y)
{
	const struct top_policy *p = &m->policy[row->i];
	const struct kern_event_counts *e = &p->p.events;
	int x = grid_putf(g, y, 0, LOOK_STRONG, "%s", p->p.name);

	grid_putf(g, y++, x + 2, LOOK_PLAIN, "generation %" PRIu64, p->p.generation);
	if (!p->p.tracks) {
		grid_put(g, y++, 2, LOOK_FAINT, "flows       it keeps no state");
	} else if (!p->room_known) {
		grid_put(g, y, 2, LOOK_FAINT, "flows       being counted");
		y += 2;
	} else {
		y = room_draw(g, y, "flows", p->p.room.used, p->p.room.size);
		y = room_draw(g, y, "half-open", p->p.room.pending_used, p->p.room.pending_size);
	}
	if (!p->p.logs) {
		grid_put(g, y, 2, LOOK_FAINT, "events      no rule says log");
		return y + 1;
	}
	grid_putf(g, y, 2, LOOK_PLAIN, "events      %s/s; %" PRIu64 " generated, %" PRIu64 " written", top_si(p->generated), e->generated,
		  e->written);
	top_ring_put(g, y++, 64, g->cols - 64, LOOK_PLAIN, &p->ring);
	x = grid_putf(g, y, 14, LOOK_PLAIN, "left out: %" PRIu64 " by limit, %" PRIu64 " by sample, %" PRIu64 " beyond %d rules; ",
		      e->limited, e->sampled, e->capped, FW_LOG_MARKS);
	grid_putf(g, y, x, p->lost > 0 ? LOOK_WARN : LOOK_PLAIN, "lost: %" PRIu64, e->lost);
	return y + 1;
}

static int row_lines(const struct top_model *m, const struct top_ui *ui, size_t i)
{
	size_t at = ui->rows.v[i].i;

	return ui->view == TOP_OVERVIEW ? hook_lines(&m->hook[at]) : ui->view == TOP_TABLES ? policy_lines(&m->policy[at]) : 1;
}

/* The list is moved as little as shows the selected row whole. */
static void scroll(const struct top_model *m, struct top_ui *ui, int room)
{
	int used = 0;
	size_t from;

	if (ui->selected == SIZE_MAX)
		return;
	if (ui->scroll > ui->selected)
		ui->scroll = ui->selected;
	for (from = ui->selected + 1; from > ui->scroll; from--) {
		used += row_lines(m, ui, from - 1);
		if (used > room)
			break;
	}
	if (from > ui->scroll)
		ui->scroll = from > ui->selected ? ui->selected : from;
	/* Nor is room left unused. */
	for (used = 0, from = ui->rows.n; from > 0; from--) {
		used += row_lines(m, ui, from - 1);
		if (used > room)
			break;
	}
	if (ui->scroll > from)
		ui->scroll = from;
}

int top_body(const struct top_model *m, struct top_ui *ui, struct top_grid *g, int y, int end)
{
	static const struct {
		void (*head)(struct top_grid *g, int y);
		int (*draw)(const struct top_model *m, const struct top_row *row, struct top_grid *g, int y);
	} views[] = { [TOP_OVERVIEW] = { NULL, hook_draw }, [TOP_RULES] = { rule_head, rule_draw },
		      [TOP_REASONS] = { reason_head, reason_draw }, [TOP_SETS] = { set_head, set_draw },
		      [TOP_TABLES] = { NULL, policy_draw } };

	if (views[ui->view].head)
		views[ui->view].head(g, y);
	y++;
	if (ui->selected == SIZE_MAX)
		ui->scroll = 0;
	scroll(m, ui, end - y);
	for (size_t i = ui->scroll; i < ui->rows.n && y + row_lines(m, ui, i) <= end; i++) {
		int at = y;

		y = views[ui->view].draw(m, &ui->rows.v[i], g, y);
		if (i == ui->selected)
			grid_look(g, at, LOOK_SELECTED);
	}
	return y;
}

static void address_put(struct top_grid *g, int y, int x, const struct top_source *s)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(s->l3 == FW_L3_IPV4 ? AF_INET : AF_INET6, s->addr, text, sizeof(text)))
		grid_put(g, y, x, LOOK_PLAIN, text);
}

static int sources_draw(struct top_grid *g, int y, const char *head, const char *unit, const struct top_source *s, size_t n)
{
	if (y >= g->rows - 1)
		return y;
	grid_put(g, y++, 2, LOOK_STRONG, head);
	if (!n)
		grid_put(g, y++, 4, LOOK_FAINT, "none now");
	for (size_t i = 0; i < n && y < g->rows - 1; i++, y++) {
		address_put(g, y, 4, &s[i]);
		grid_right(g, y, 45, 6, LOOK_PLAIN, top_si((double)s[i].packets));
		grid_put(g, y, 52, LOOK_FAINT, "packets");
		grid_right(g, y, 60, 14, LOOK_PLAIN, word_count(s[i].n, unit));
	}
	return y;
}

/* The text of a rule may be long. */
static int wrapped(struct top_grid *g, int y, int x, const char *text, int most)
{
	size_t width = (size_t)(g->cols - x);

	for (int i = 0; i < most && *text; i++) {
		char line[512];
		size_t n = strlen(text) < width ? strlen(text) : width;

		n = n < sizeof(line) - 1 ? n : sizeof(line) - 1;
		memcpy(line, text, n);
		line[n] = '\0';
		text += n;
		grid_put(g, y++, x, LOOK_PLAIN, line);
	}
	return y;
}

static const char *share(double part, double whole)
{
	static char text[2][48];
	static unsigned int next;
	char *s = text[next++ % 2];

	snprintf(s, sizeof(*text), "%.1f%% of the hook's packets", whole > 0 ? 100 * part / whole : 0);
	return s;
}

void top_draw_drill(const struct top_model *m, const struct top_ui *ui, struct top_grid *g, int y)
{
	const struct top_drill *d = &ui->drill;
	const struct top_rule *r = top_rule_find(m, d->tag);
	const struct top_hook *h = r ? &m->hook[r->hook] : NULL;
	bool keeps = r && strstr(r->text, "keep state"), logs = r && strstr(r->text, "log");
	uint64_t real = r && r->last_ns ? m->real_ns - m->at_ns + r->last_ns : 0;

	if (!r) {
		grid_put(g, y, 2, LOOK_PLAIN, "the rule is gone; Esc goes back");
		return;
	}
	grid_left(g, y, 2, g->cols - 2, LOOK_STRONG, r->name);
	grid_putf(g, ++y, 2, LOOK_PLAIN, "%s  %s %s, policy %s", r->place, h->shown, word_hook(h->hook), h->policy);
	y = wrapped(g, y + 1, 2, r->text, 3);
	grid_putf(g, y++, 2, top_verdict_look(r->verdict), "%s", top_verdict_word(r->verdict));
	grid_putf(g, y++, 2, LOOK_PLAIN, "now    %s packets/s  %s bit/s, %s", r->rate.known ? top_si(r->rate.packets) : "-",
		  r->rate.known ? top_si(r->rate.bits) : "-", share(r->rate.packets, h->rate.packets));
	grid_putf(g, y++, 2, LOOK_PLAIN, "total  %" PRIu64 " packets, %" PRIu64 " bytes, %s", (uint64_t)r->count.packets,
		  (uint64_t)r->count.bytes, share((double)r->count.packets, (double)h->total.packets));
	grid_putf(g, y++, 2, LOOK_PLAIN, "last   %s%s%s", r->last_ns ? word_ago(m->at_ns, r->last_ns) : "never", real ? ", " : "",
		  real ? word_time(real) : "");
	top_ring_put(g, y++, 2, g->cols - 4, top_verdict_look(r->verdict), r->ring);
	if (d->tracks && keeps)
		y = sources_draw(g, y, "busiest openers of its flows", "flow", d->flow, d->nflows);
	if (d->logs || logs)
		y = sources_draw(g, y, "busiest sources of its recent events", "event", d->event, d->nevents);
	if (!keeps && !logs && !d->logs)
		grid_put(g, y, 2, LOOK_FAINT, "Who sends is known of rules that say \"keep state\" or \"log\".");
}

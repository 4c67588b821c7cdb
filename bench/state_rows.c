// SPDX-License-Identifier: GPL-2.0-only
/* Rows of bench_state, and what was wanted of them. */
#include "bench/state.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define FIGURES_MAX 64
struct figure {
	const char *id, *text, *unit;
	double wanted, value[2]; /* IPv4, IPv6 */
};
static struct figure figures[FIGURES_MAX];
static size_t nfigures;

static struct figure *figure_of(const struct state_row *r)
{
	for (size_t i = 0; i < nfigures; i++)
		if (!strcmp(figures[i].id, r->id))
			return &figures[i];
	if (nfigures == FIGURES_MAX)
		return NULL;
	figures[nfigures] = (struct figure){ r->id, r->text, "ns", r->wanted, { NAN, NAN } };
	return &figures[nfigures++];
}

static struct probe probe_of(struct packet_bench *b, const struct state_row *r, const struct ref_frame *f)
{
	figure_of(r);
	return (struct probe){
		.id = packet_label(b, "%s_%c", r->id, r->six ? '6' : '4'),
		.text = packet_label(b, "%s, IPv%c", r->text, r->six ? '6' : '4'),
		.group = "state",
		.family = r->six ? "IPv6" : "IPv4",
		.frame = f->byte,
		.len = REF_FRAME_LEN,
		.base = -1,
		.want = MEASURE_ANY,
		.rules = -1,
	};
}

int state_add_hot(struct packet_bench *b, const struct state_row *r, const struct subject *s, const struct ref_frame *f, int base_fd)
{
	struct probe p = probe_of(b, r, f), base = p;
	int err = s->hook == FW_HOOK_XDP ? packet_count(s, NULL, f, 1, &p) : 0;

	p.tc = base.tc = s->hook != FW_HOOK_XDP;
	base.id = "base";
	base.prog_fd = base_fd;
	base.hidden = true;
	p.base = err ? err : measure_add(&b->m, &base);
	if (p.base < 0)
		return p.base;
	p.prog_fd = s->prog_fd;
	err = measure_add(&b->m, &p);
	return err < 0 ? err : 0;
}

int state_add_trace(struct packet_bench *b, const struct state_row *r, const struct subject *s, const struct ref_frame *frames, int base_fd,
		    struct packet_trace *ret)
{
	struct probe p = probe_of(b, r, frames);
	int err = packet_count(s, NULL, frames, 256, &p);

	return err ? err : packet_add_trace(b, &p, frames, base_fd, s->prog_fd, ret);
}

static void figure_json(struct packet_bench *b, const struct figure *f, double value, bool six)
{
	if (!b->m.json)
		return;
	fprintf(b->m.json, "{\"bench\":\"state\",\"id\":\"%s\",\"family\":\"IPv%c\",\"value\":%.3f,\"unit\":\"%s\"",
			f->id, six ? '6' : '4', value,
		f->unit);
	if (!isnan(f->wanted))
		fprintf(b->m.json, ",\"wanted\":%g", f->wanted);
	fprintf(b->m.json, "}\n");
	fflush(b->m.json);
}

void state_figure(struct packet_bench *b, const struct state_row *r, double value, const char *unit)
{
	struct figure *f = figure_of(r);

	if (!f)
		return;
	f->unit = unit;
	f->value[r->six] = value;
	figure_json(b, f, value, r->six);
}

/* "live_miss_4" is the figure "live_miss" of IPv4. */
static void figure_take(const struct probe *p)
{
	size_t len = strlen(p->id);

	for (size_t i = 0; !p->hidden && i < nfigures; i++)
		if (strlen(figures[i].id) + 2 == len && !strncmp(figures[i].id, p->id, len - 2))
			figures[i].value[p->id[len - 1] == '6'] = p->over;
}

int state_run(struct packet_bench *b, const char *title)
{
	size_t n = b->m.n;
	int err = packet_run(b, title);

	for (size_t i = 0; !err && i < n; i++)
		figure_take(&b->m.v[i]);
	return err;
}

static void cell(char *out, size_t size, double value)
{
	if (isnan(value))
		snprintf(out, size, "–");
	else
		snprintf(out, size, fabs(value) < 10 ? "%.1f" : "%.0f", value);
}

/* A figure within a nanosecond of 0 is 0: that is how well programs of the same instructions agree. */
static bool figure_met(const struct figure *f)
{
	for (int i = 0; i < 2; i++)
		if (!isnan(f->value[i]) && f->value[i] > (f->wanted > 0 ? f->wanted : 1))
			return false;
	return true;
}

void state_summary(void)
{
	printf("\nstate, live sets, limits, events: what was wanted, and what was measured\n  %-58s %10s %9s %9s\n", "",
		"wanted", "IPv4", "IPv6");
	for (size_t i = 0; i < nfigures; i++) {
		const struct figure *f = &figures[i];
		char wanted[32] = "", v4[32], v6[32];
		bool dash4 = isnan(f->value[0]), dash6 = isnan(f->value[1]);

		if (dash4 && dash6)
			continue;
		if (!isnan(f->wanted))
			snprintf(wanted, sizeof(wanted), "%s %g", f->wanted > 0 ? "≤" : "=", f->wanted);
		cell(v4, sizeof(v4), f->value[0]);
		cell(v6, sizeof(v6), f->value[1]);
		/* "≤" and "–" are three bytes and one column. */
		printf("  %-58s %*s %*s %*s %s%s\n", f->text, f->wanted > 0 ? 12 : 10, wanted, dash4 ? 11 : 9, v4,
				dash6 ? 11 : 9, v6, f->unit,
		       isnan(f->wanted) ? "" : figure_met(f) ? "  met" : "  MISSED");
	}
	fflush(stdout);
}

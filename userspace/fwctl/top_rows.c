// SPDX-License-Identifier: GPL-2.0-only
/* Lists to show, pictures of the last minutes, the busiest senders. */
#include "base/hash.h"
#include "base/vec.h"
#include "fwctl/top_model.h"
#include "fwctl/words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void top_ring_push(struct top_ring *r, double v)
{
	r->v[r->n++ % TOP_SAMPLES] = (float)v;
}

double top_ring_columns(const struct top_ring *r, size_t span, size_t width, double *ret)
{
	size_t each = width && span > width ? (span + width - 1) / width : 1;
	uint64_t newest = r->n ? (r->n - 1) / each : 0;
	double peak = 0;

	for (size_t i = 0; i < width; i++) {
		uint64_t back = width - 1 - i, from, to;

		ret[i] = -1;
		if (!r->n || back > newest)
			continue;
		from = (newest - back) * each;
		to = from + each < r->n ? from + each : r->n;
		for (uint64_t at = from; at < to; at++)
			if (at + TOP_SAMPLES >= r->n && r->v[at % TOP_SAMPLES] > ret[i])
				ret[i] = r->v[at % TOP_SAMPLES];
		peak = ret[i] > peak ? ret[i] : peak;
	}
	return peak;
}

const char *top_si(double v)
{
	static char ring[16][16];
	static unsigned int next;
	static const char units[] = " kMGTP";
	char *s = ring[next++ % 16];
	size_t u = 0;

	if (v < 0)
		return "-";
	while (v >= 999.5 && u < sizeof(units) - 2) {
		v /= 1000;
		u++;
	}
	if (!u)
		snprintf(s, 16, v < 9.95 && v > (double)(int)v ? "%.1f" : "%.0f", v);
	else
		snprintf(s, 16, v < 99.95 ? "%.1f%c" : "%.0f%c", v, units[u]);
	return s;
}

static bool holds(const char *text, const char *filter)
{
	return !*filter || strcasestr(text, filter);
}

static int push(struct top_rows *out, struct top_row row)
{
	row.order = out->n;
	return vec_push(out, row);
}

static int hook_rows(const struct top_model *m, const char *filter, struct top_rows *out)
{
	int err = 0;

	for (size_t i = 0; !err && i < m->nhooks; i++) {
		const struct top_hook *h = &m->hook[i];

		if (holds(h->shown, filter) || holds(h->policy, filter) || holds(word_hook(h->hook), filter))
			err = push(out, (struct top_row){ .i = i, .tag = (uint64_t)h->ifindex << 8 | h->hook, .name = h->shown,
							  .rate = h->rate.packets, .bits = h->rate.bits, .packets = h->total.packets,
							  .last = h->last_ns });
	}
	return err;
}

static int rule_rows(const struct top_model *m, const char *filter, struct top_rows *out)
{
	int err = 0;

	for (size_t i = 0; !err && i < m->nrules; i++) {
		const struct top_rule *r = &m->rule[i];

		if (holds(r->name, filter) || holds(r->text, filter) || holds(r->place, filter) || holds(m->hook[r->hook].shown, filter))
			err = push(out, (struct top_row){ .i = i, .tag = r->tag, .name = r->name, .rate = r->rate.packets,
							  .bits = r->rate.bits, .packets = r->count.packets, .last = r->last_ns });
	}
	return err;
}

/* Those that ever happened, and the two that every firewall has. */
static int reason_rows(const struct top_model *m, const char *filter, struct top_rows *out)
{
	int err = 0;

	for (size_t i = 0; i < m->nhooks; i++) {
		const struct top_hook *h = &m->hook[i];

		for (unsigned int r = 0; !err && r < FW_REASON_COUNT; r++) {
			if (!h->reason[r].packets && r != FW_REASON_RULE && r != FW_REASON_DEFAULT)
				continue;
			if (holds(word_reason(r), filter) || holds(h->shown, filter) || holds(word_hook(h->hook), filter))
				err = push(out, (struct top_row){ .i = i, .reason = r, .name = word_reason(r),
								  .tag = (uint64_t)h->ifindex << 16 | h->hook << 8 | r,
								  .rate = h->reason_rate[r].packets, .bits = h->reason_rate[r].bits,
								  .packets = h->reason[r].packets, .last = h->reason_last[r] });
		}
	}
	return err;
}

static int set_rows(const struct top_model *m, const char *filter, struct top_rows *out)
{
	int err = 0;

	for (size_t i = 0; !err && i < m->nsets; i++) {
		const struct top_set *s = &m->set[i];
		const char *name = s->shown ? s->shown : "";

		if (holds(name, filter))
			err = push(out, (struct top_row){ .i = i, .tag = hash_bytes(name, strlen(name)), .name = name,
							  .rate = s->hit_rate.packets, .bits = s->hit_rate.bits,
							  .packets = s->hits.packets });
	}
	return err;
}

static int policy_rows(const struct top_model *m, const char *filter, struct top_rows *out)
{
	int err = 0;

	for (size_t i = 0; !err && i < m->npolicies; i++) {
		const struct top_policy *p = &m->policy[i];

		if (holds(p->p.name, filter))
			err = push(out, (struct top_row){ .i = i, .tag = hash_bytes(p->p.name, strlen(p->p.name)), .name = p->p.name,
							  .rate = p->generated, .packets = p->p.room.used });
	}
	return err;
}

static int order(double a, double b)
{
	return a > b ? -1 : a < b;
}

/* The most first; what is equal by packets, then as it stands in the file. */
static int compare(const void *a, const void *b, void *ctx)
{
	const struct top_row *x = a, *y = b;
	int c = 0;

	switch (*(enum top_sort *)ctx) {
	case TOP_SORT_RATE:
		c = order(x->rate, y->rate);
		break;
	case TOP_SORT_BITS:
		c = order(x->bits, y->bits);
		break;
	case TOP_SORT_LAST:
		c = x->last > y->last ? -1 : x->last < y->last;
		break;
	case TOP_SORT_NAME:
		c = strcmp(x->name, y->name);
		break;
	default:
		break;
	}
	if (!c && *(enum top_sort *)ctx != TOP_SORT_ORDER && *(enum top_sort *)ctx != TOP_SORT_NAME)
		c = x->packets > y->packets ? -1 : x->packets < y->packets;
	return c ? c : x->order < y->order ? -1 : x->order > y->order;
}

int top_rows(const struct top_model *m, enum top_view view, enum top_sort sort, const char *filter, struct top_rows *ret)
{
	static int (*const rows[])(const struct top_model *m, const char *filter, struct top_rows *out) = {
		[TOP_OVERVIEW] = hook_rows, [TOP_RULES] = rule_rows, [TOP_REASONS] = reason_rows, [TOP_SETS] = set_rows,
		[TOP_TABLES] = policy_rows
	};

	ret->n = 0;
	if (rows[view](m, filter, ret))
		return -ENOMEM;
	if (ret->n)
		qsort_r(ret->v, ret->n, sizeof(*ret->v), compare, &sort);
	return 0;
}

void top_rows_fini(struct top_rows *r)
{
	vec_fini(r);
}

int top_sources_init(struct top_sources *s)
{
	*s = (struct top_sources){ .v = calloc(TOP_SOURCES, sizeof(*s->v)) };
	return s->v ? 0 : -ENOMEM;
}

void top_sources_fini(struct top_sources *s)
{
	free(s->v);
	*s = (struct top_sources){};
}

/* Open addressing, never more than three quarters full. */
void top_sources_add(struct top_sources *s, uint8_t l3, const uint32_t addr[4], uint64_t packets)
{
	size_t at = hash_bytes(addr, 4 * sizeof(*addr)) % TOP_SOURCES;

	while (s->v[at].l3 && (s->v[at].l3 != l3 || memcmp(s->v[at].addr, addr, sizeof(s->v[at].addr))))
		at = (at + 1) % TOP_SOURCES;
	if (!s->v[at].l3) {
		if (s->used >= TOP_SOURCES / 4 * 3) {
			s->others += packets;
			return;
		}
		s->used++;
		s->v[at].l3 = l3;
		memcpy(s->v[at].addr, addr, sizeof(s->v[at].addr));
	}
	s->v[at].n++;
	s->v[at].packets += packets;
}

size_t top_sources_best(const struct top_sources *s, struct top_source *ret, size_t n)
{
	size_t have = 0;

	for (size_t i = 0; s->v && i < TOP_SOURCES; i++) {
		const struct top_source *c = &s->v[i];
		size_t at = have;

		if (!c->l3)
			continue;
		while (at && (ret[at - 1].packets < c->packets || (ret[at - 1].packets == c->packets && ret[at - 1].n < c->n)))
			at--;
		if (at == n)
			continue;
		have += have < n;
		memmove(&ret[at + 1], &ret[at], (have - at - 1) * sizeof(*ret));
		ret[at] = *c;
	}
	return have;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/setlist.h"

#include "base/duration.h"
#include "base/instant.h"
#include "fwctl/cmd.h"
#include "fwctl/out.h"
#include "fwctl/words.h"

#include <inttypes.h>
#include <stdio.h>

#define TABLE_MOST 10000 /* rows of an aligned table, which is kept until its widths are known */

static json_t *duration_json(uint64_t ns)
{
	return ns ? json_integer((json_int_t)((ns + 999999) / 1000000)) : json_null();
}

static json_t *instant_json(uint64_t wall)
{
	struct str s = {};

	instant_add(&s, moment_ms(wall));
	json_t *j = json_string(str_get(&s));
	str_fini(&s);
	return j;
}

static json_t *set_json(const struct kern_set *set)
{
	return json_pack("{s:o,s:I,s:I,s:o,s:I,s:b,s:b}", "name", out_jstr(set->name), "size", (json_int_t)set->size,
			 "elements", (json_int_t)set->count, "timeout_ms", duration_json(set->timeout_ns), "refused",
			 (json_int_t)set->refused, "counters", (int)!!(set->flags & FW_LIVEF_COUNTERS), "widen",
			 (int)!!(set->flags & FW_LIVEF_WIDEN));
}

static void set_row(struct table *t, const struct kern_set *set)
{
	char size[16], count[16], refused[16];
	struct str timeout = {};
	bool counters = set->flags & FW_LIVEF_COUNTERS, widen = set->flags & FW_LIVEF_WIDEN;

	snprintf(size, sizeof(size), "%u", set->size);
	snprintf(count, sizeof(count), "%u", set->count);
	snprintf(refused, sizeof(refused), "%u", set->refused);
	if (set->timeout_ns)
		duration_add(&timeout, set->timeout_ns);
	table_add(t, set->name, count, size, set->timeout_ns ? str_get(&timeout) : "never", refused,
		  counters && widen ? "counters, widen"
		  : counters	    ? "counters"
		  : widen	    ? "widen"
				    : "-");
	str_fini(&timeout);
}

int setlist_sets(const struct liveset *s, bool json)
{
	if (json) {
		json_t *list = json_array();
		for (size_t i = 0; i < s->n; i++)
			json_array_append_new(list, set_json(&s->sets[i]));
		return out_json(json_pack("{s:o}", "sets", list), false);
	}
	if (!s->n) {
		out("there is no live set in this network namespace\n");
		return STATUS_DONE;
	}
	struct table t;
	table_init(&t, 6, "set", ">elements", ">size", "timeout", ">refused", "options");
	for (size_t i = 0; i < s->n; i++)
		set_row(&t, &s->sets[i]);
	table_print(&t, "");
	return STATUS_DONE;
}

json_t *setlist_element(const struct kern_set *set, const struct kern_element *x, const struct moment *now)
{
	bool ever = x->end_ns == UINT64_MAX;
	uint64_t left = x->end_ns > now->mono ? x->end_ns - now->mono : 0;
	json_t *j = json_pack("{s:s,s:o,s:o,s:o,s:o}", "element", element_text(x), "until",
			      ever ? json_null() : instant_json(moment_wall(now, x->end_ns)), "left_ms",
			      ever ? json_null() : json_integer((json_int_t)((left + 999999) / 1000000)), "added",
			      x->added_ns ? instant_json(x->added_ns) : json_null(), "reason", out_jstr(x->reason));

	if (j && set->flags & FW_LIVEF_COUNTERS) {
		json_object_set_new(j, "packets", json_integer((json_int_t)x->counter.packets));
		json_object_set_new(j, "bytes", json_integer((json_int_t)x->counter.bytes));
	}
	return j;
}

/* One object per line, so that memory does not grow with the set. */
static int elements_json(const struct kern_set *set, const struct kern_element *v, size_t n, const struct moment *now)
{
	json_t *name = set_json(set);
	char *text = name ? json_dumps(name, JSON_COMPACT) : NULL;
	int status = text ? STATUS_DONE : STATUS_REFUSED;

	json_decref(name);
	if (!text) {
		problem("no memory");
		return status;
	}
	printf("{\"set\": %s, \"elements\": [", text);
	free(text);
	for (size_t i = 0; i < n && !status; i++) {
		json_t *j = setlist_element(set, &v[i], now);
		fputs(i ? ",\n" : "\n", stdout);
		if (!j || json_dumpf(j, stdout, JSON_COMPACT))
			status = STATUS_REFUSED;
		json_decref(j);
	}
	fputs("\n]}\n", stdout);
	if (status)
		problem("cannot write the result");
	return status;
}

struct row {
	const char *cell[6];
	char packets[24], bytes[24], reason[4 * KERN_REASON_MAX + 1];
};

static void row_make(struct row *r, const struct kern_set *set, const struct kern_element *x, const struct moment *now)
{
	bool counters = set->flags & FW_LIVEF_COUNTERS;

	snprintf(r->packets, sizeof(r->packets), "%" PRIu64, (uint64_t)x->counter.packets);
	snprintf(r->bytes, sizeof(r->bytes), "%" PRIu64, (uint64_t)x->counter.bytes);
	snprintf(r->reason, sizeof(r->reason), "%s", out_name(x->reason));
	r->cell[0] = element_text(x);
	r->cell[1] = left_text(now, x->end_ns);
	r->cell[2] = counters ? r->packets : "-";
	r->cell[3] = counters ? r->bytes : "-";
	r->cell[4] = x->added_ns ? word_time(x->added_ns) : "by a rule";
	r->cell[5] = r->reason[0] ? r->reason : "-";
}

static int setlist_elements(const struct kern_set *set, const struct kern_element *v, size_t n, bool json)
{
	static const char *const head[6] = { "element", "left", ">packets", ">bytes", "added", "reason" };
	struct moment now = moment_now();
	struct table t;
	struct row r;

	if (json)
		return elements_json(set, v, n, &now);
	if (n <= TABLE_MOST) {
		table_head(&t, 6, head);
		for (size_t i = 0; i < n; i++) {
			row_make(&r, set, &v[i], &now);
			table_row(&t, r.cell);
		}
		table_print(&t, "");
		return STATUS_DONE;
	}
	out("element\tleft\tpackets\tbytes\tadded\treason\n");
	for (size_t i = 0; i < n; i++) {
		row_make(&r, set, &v[i], &now);
		out("%s\t%s\t%s\t%s\t%s\t%s\n", r.cell[0], r.cell[1], r.cell[2], r.cell[3], r.cell[4], r.cell[5]);
	}
	return STATUS_DONE;
}

int setlist_run(const char *name, bool json)
{
	struct liveset s = {};
	struct kern_element *v = NULL;
	size_t n = 0;
	int status = liveset_open(&s, KERN_READ, name);
	int err = status ? 0 : kern_live_list(s.h, s.set->id, &v, &n);

	if (err)
		status = liveset_refused(&s, err);
	liveset_release(&s);
	if (!status)
		status = setlist_elements(s.set, v, n, json);
	free(v);
	liveset_close(&s);
	return status;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The targets, row by row, beside what was measured: reads the JSON lines that the other programs wrote.
 *
 *   bench_targets JSON-FILE
 *
 * Rows about rules are measured for each family of rule sets. The table shows the median family and the worst one, by
 * name; a target is met when the worst one meets it, partly when the median does.
 */
#include "base/cleanup.h"
#include "bench/measure.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

enum value {
	VALUE_OVER,	  /* ns over the floor */
	VALUE_COMPILE,	  /* ms of compile and publish */
	VALUE_TOTAL,	  /* ms of everything */
	VALUE_MB,	  /* of the image */
	VALUE_PER_PREFIX, /* bytes */
};

struct target {
	const char *text;
	const char *group, *lpm; /* lpm: the group of the kernel's trie on the same packets; NULL: none */
	const char *family;  /* NULL: every one; "*" at the end: … with this beginning; "real": lists from files */
	double min_n, max_n; /* rules */
	enum value value;
	double limit;
};

#define ANY 1e9
static const struct target targets[] = {
	{ "≤ 64 rules, five fields: one packet", "hot", NULL, NULL, 1, 64, VALUE_OVER, 15 },
	{ "1,000 rules: one packet", "hot", NULL, NULL, 1000, 1000, VALUE_OVER, 30 },
	{ "1,000 rules: trace over all rules", "uniform", NULL, NULL, 1000, 1000, VALUE_OVER, 80 },
	{ "10,000 rules: one packet", "hot", NULL, NULL, 10000, 10000, VALUE_OVER, 45 },
	{ "10,000 rules: trace over all rules", "uniform", NULL, NULL, 10000, 10000, VALUE_OVER, 130 },
	{ "100,000 rules: trace over all rules", "uniform", NULL, NULL, 100000, 100000, VALUE_OVER, 600 },
	{ "100,000 rules: trace by Zipf", "zipf", NULL, NULL, 100000, 100000, VALUE_OVER, 350 },
	{ "10,000 rules: flood from random sources", "flood", NULL, NULL, 10000, 10000, VALUE_OVER, 60 },
	{ "set of real prefixes: miss", "list_miss", "lpm_miss", "real", 1, ANY, VALUE_OVER, 15 },
	{ "set of real prefixes: hit", "list_hit", "lpm_hit", "real", 1, ANY, VALUE_OVER, 60 },
	{ "set of 1M prefixes: random sources", "list_random", "lpm_random", "seeded-1000000", 1, ANY, VALUE_OVER,
	  100 },
	{ "compile and publish 1,000 rules", "rules", NULL, NULL, 1000, 1000, VALUE_COMPILE, 20 },
	{ "compile and publish 10,000 rules", "rules", NULL, NULL, 10000, 10000, VALUE_COMPILE, 100 },
	{ "compile and publish 100,000 rules", "rules", NULL, NULL, 100000, 100000, VALUE_COMPILE, 1500 },
	{ "compile and publish a set of 1M prefixes", "list", NULL, "seeded-1000000", 0, ANY, VALUE_COMPILE, 1000 },
	{ "memory of 10,000 rules", "rules", NULL, NULL, 10000, 10000, VALUE_MB, 8 },
	{ "memory of 100,000 rules", "rules", NULL, NULL, 100000, 100000, VALUE_MB, 64 },
	{ "memory of a set of 1M prefixes, each", NULL, NULL, "seeded-1000000", 0, ANY, VALUE_PER_PREFIX, 128 },
	{ "one rule edited beside a set of 1M prefixes", "edit", NULL, NULL, 0, ANY, VALUE_TOTAL, 50 },
};

static const char *const units[] = {
	[VALUE_OVER] = "ns", [VALUE_COMPILE] = "ms", [VALUE_TOTAL] = "ms", [VALUE_MB] = "MB", [VALUE_PER_PREFIX] = "B",
};

static double number(const json_t *line, const char *key)
{
	const json_t *v = json_object_get(line, key);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

static const char *word(const json_t *line, const char *key)
{
	const char *s = json_string_value(json_object_get(line, key));

	return s ? s : "";
}

static double value_of(const json_t *line, enum value value)
{
	switch (value) {
	case VALUE_OVER:
		return number(line, "over_ns");
	case VALUE_COMPILE:
		return number(line, "compile_ms") + number(line, "publish_ms");
	case VALUE_TOTAL:
		return number(line, "total_ms");
	case VALUE_MB:
		return number(line, "image_bytes") / (1 << 20);
	case VALUE_PER_PREFIX:
		return number(line, "hot_bytes") / number(line, "rules");
	}
	return NAN;
}

static bool is_family(const char *want, const char *family)
{
	if (!want)
		return true;
	if (!strcmp(want, "real"))
		return strncmp(family, "seeded-", 7) != 0;
	return !strcmp(want, family);
}

static bool is_line(const json_t *line, const struct target *t, const char *group)
{
	double n = number(line, "rules");

	if (group ? strcmp(word(line, "group"), group) != 0 : strcmp(word(line, "bench"), "list_memory") != 0)
		return false;
	return is_family(t->family, word(line, "family")) && n >= t->min_n && n <= t->max_n;
}

/* One figure per family: the worst of its lines. */
#define FAMILIES_MAX 16
struct figures {
	double v[FAMILIES_MAX], floor, worst, lpm;
	const char *worst_family;
	size_t n;
};

static void figures_add(struct figures *f, const char *families[FAMILIES_MAX], const json_t *line, double v)
{
	size_t i = 0;

	while (i < f->n && strcmp(families[i], word(line, "family")))
		i++;
	if (i == FAMILIES_MAX)
		return;
	if (i == f->n) {
		families[f->n] = word(line, "family");
		f->v[f->n++] = v;
	}
	f->v[i] = v > f->v[i] ? v : f->v[i];
	if (f->worst_family && f->worst >= v)
		return;
	f->worst = v;
	f->worst_family = families[i];
	f->floor = number(line, "floor_ns");
}

static struct figures collect(const json_t *lines, const struct target *t)
{
	struct figures f = { .lpm = NAN, .floor = NAN };
	const char *families[FAMILIES_MAX];
	size_t i;
	json_t *line;

	json_array_foreach(lines, i, line)
	{
		if (is_line(line, t, t->group) && !isnan(value_of(line, t->value)))
			figures_add(&f, families, line, value_of(line, t->value));
	}
	json_array_foreach(lines, i, line)
	{
		if (t->lpm && f.worst_family && is_line(line, t, t->lpm) &&
		    !strcmp(word(line, "family"), f.worst_family))
			f.lpm = value_of(line, t->value);
	}
	return f;
}

/* Why a row has no figure. */
static const char *missing(const json_t *lines, const struct target *t)
{
	size_t i;
	json_t *line;

	json_array_foreach(lines, i, line)
	{
		double n = number(line, "rules");

		if (!strcmp(word(line, "bench"), "refused") && n >= t->min_n && n <= t->max_n)
			return "the compiler refuses sets of this size";
	}
	return "not measured";
}

/* A number, or nothing. */
static void print_number(double v, int width)
{
	if (isnan(v))
		printf(" %*s", width, "");
	else
		printf(" %*.*f", width, v < 99.95 ? 1 : 0, v);
}

static void print_target(const json_t *lines, const struct target *t, unsigned int *missed)
{
	struct figures f = collect(lines, t);
	double median;
	int pad = 44;

	for (const char *c = t->text; *c; c++)
		pad -= (*c & 0xc0) != 0x80;
	printf("  %s%*s ≤ %4.0f %s", t->text, pad, "", t->limit, units[t->value]);
	if (!f.n) {
		printf("   %s\n", missing(lines, t));
		++*missed;
		return;
	}
	median = measure_median(f.v, f.n);
	print_number(median, 8);
	print_number(f.worst, 8);
	print_number(f.floor, 8);
	print_number(f.lpm, 8);
	printf("  %-7s %s\n", f.worst <= t->limit ? "met" : median <= t->limit ? "partly" : "MISSED", f.worst_family);
	*missed += f.worst > t->limit;
}

static void print_floors(const json_t *lines)
{
	size_t i;
	json_t *line;

	printf("\ntargets; ns are over parsing the same packets");
	json_array_foreach(lines, i, line)
	{
		if (!strcmp(word(line, "id"), "empty"))
			printf(" (empty program %.1f ns", number(line, "ns"));
		if (!strcmp(word(line, "id"), "parse_only"))
			printf(", parsing alone %.1f ns)", number(line, "ns"));
	}
	printf("\n  %-44s %9s %8s %8s %8s %8s  %-7s %s\n", "", "target", "median", "worst", "parsing", "LPM", "",
	       "worst family");
}

int main(int argc, char **argv)
{
	json_t *lines = json_array();
	unsigned int missed = 0;
	char text[8192];

	if (argc != 2)
		return 2;
	auto_fclose FILE *in = fopen(argv[1], "re");
	if (!in || !lines) {
		fprintf(stderr, "bench: cannot read %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	while (fgets(text, sizeof(text), in)) {
		json_t *line = json_loads(text, 0, NULL);

		if (line)
			json_array_append_new(lines, line);
	}
	print_floors(lines);
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		print_target(lines, &targets[i], &missed);
	printf("  LPM: the kernel's trie on the same packets, over an empty program\n  %u of %zu targets are not met\n",
	       missed, sizeof(targets) / sizeof(targets[0]));
	json_decref(lines);
	return 0;
}

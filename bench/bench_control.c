// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a change of rules costs: text to rule set, rule set to image, image to every hook of the policy; and how
 * much memory the compiler and the kernel take. The interface must be Ethernet and free; its policy is removed at the
 * end.
 *
 *   bench_control [-n ROUNDS] [-s SEED] [-j JSON-FILE] INTERFACE
 */
#include "base/arena.h"
#include "base/cleanup.h"
#include "bench/lists.h"
#include "bench/measure.h"
#include "bench/ruletext.h"
#include "compile/compile.h"
#include "kern/kern.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define POLICY "bench"

struct bench {
	uint64_t seed;
	unsigned int rounds;
	const char *ifname;
	FILE *json;
	struct kern *kern;
	struct fail fail;
};

/* One rule file of the series: `variant` makes another digest of the same size. */
struct subject {
	const char *id;
	size_t nrules; /* 0: a list */
	const char *list;
};

struct times {
	double parse, compile, publish, total; /* ns of wall time */
	size_t image_bytes;
	bool reloaded;
};

static const char *subject_text(struct arena *arena, const struct subject *s, uint64_t seed, unsigned int variant)
{
	const char *list;

	if (s->nrules)
		return ruletext_make(arena, seed + variant, s->nrules);
	list = lists_text(arena, s->list);
	return variant % 2 && list ? ruletext_add_rule(arena, list, "drop proto udp to port 9") : list;
}

/* Text to image. */
static int subject_build(struct arena *arena, const char *text, struct times *t, struct image *ret)
{
	struct compile_opts opts = { .no_warnings = true };
	double start = measure_wall_ns();
	struct ruleset *rs;
	struct diags diags;
	int err = lists_parse(arena, text, &rs);

	if (err)
		return err;
	t->parse = measure_wall_ns() - start;
	start = measure_wall_ns();
	diags_init(&diags, arena);
	err = compile_policy(&rs->policies[0], "bench", "", &diags, &opts, ret);
	t->compile = measure_wall_ns() - start;
	if (err) {
		struct str out = {};

		diags_print(&diags, &out);
		fprintf(stderr, "bench: cannot compile: %s\n%s", strerror(-err), str_get(&out));
		str_fini(&out);
	}
	diags_fini(&diags);
	return err;
}

/* Text to live rules. */
static int subject_apply(struct bench *b, const struct subject *s, unsigned int variant, struct times *ret)
{
	cleanup(arena_freep) struct arena *arena = arena_new();
	const char *text = arena ? subject_text(arena, s, b->seed, variant) : NULL;
	struct kern_report report = {};
	struct image img = {};
	struct times t = {};
	double start;
	int err = text ? subject_build(arena, text, &t, &img) : -ENOMEM;

	if (err)
		return err;
	start = measure_wall_ns();
	err = kern_apply(b->kern, POLICY, &img, &report);
	t.publish = measure_wall_ns() - start;
	t.total = t.parse + t.compile + t.publish;
	t.image_bytes = img.len;
	t.reloaded = report.reloaded;
	image_fini(&img);
	if (err)
		fprintf(stderr, "bench: %s: %s\n", s->id, b->fail.text);
	*ret = t;
	return err;
}

/* Peak memory of a process that only parses and compiles, in KB. */
static long subject_peak_kb(const struct bench *b, const struct subject *s)
{
	struct rusage usage;
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		struct arena *arena = arena_new();
		const char *text = arena ? subject_text(arena, s, b->seed, 0) : NULL;
		struct times t;
		struct image img;

		_exit(text && !subject_build(arena, text, &t, &img) ? 0 : 1);
	}
	if (wait4(pid, &status, 0, &usage) < 0)
		return -errno;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? usage.ru_maxrss : -ENOENT;
}

/* The row of one subject: the first apply of its size (tables may have to grow), then the median of the others. */
static int subject_run(struct bench *b, const struct subject *s, long peak_kb)
{
	double parse[MEASURE_ROUNDS_MAX], compile[MEASURE_ROUNDS_MAX], publish[MEASURE_ROUNDS_MAX],
		total[MEASURE_ROUNDS_MAX];
	struct times first, t;
	int err = subject_apply(b, s, 0, &first);

	for (unsigned int i = 0; !err && i < b->rounds; i++) {
		err = subject_apply(b, s, i + 1, &t);
		parse[i] = t.parse;
		compile[i] = t.compile;
		publish[i] = t.publish;
		total[i] = t.total;
	}
	if (err)
		return err;
	t.parse = measure_median(parse, b->rounds);
	t.compile = measure_median(compile, b->rounds);
	t.publish = measure_median(publish, b->rounds);
	t.total = measure_median(total, b->rounds);
	printf("  %-20s %8.2f %8.2f %8.2f %8.2f  %7.2f … %-8.2f %8.2f %9zu %9ld\n", s->id, t.parse / 1e6,
	       t.compile / 1e6, t.publish / 1e6, t.total / 1e6, total[0] / 1e6, total[b->rounds - 1] / 1e6,
	       first.publish / 1e6, first.image_bytes / 1024, peak_kb);
	if (b->json)
		fprintf(b->json,
			"{\"bench\":\"control\",\"id\":\"%s\",\"parse_ms\":%.3f,\"compile_ms\":%.3f,\"publish_ms\":%."
			"3f,"
			"\"total_ms\":%.3f,\"min\":%.3f,\"max\":%.3f,\"first_publish_ms\":%.3f,\"grew\":%s,"
			"\"image_bytes\":%zu,\"peak_kb\":%ld,\"rounds\":%u}\n",
			s->id, t.parse / 1e6, t.compile / 1e6, t.publish / 1e6, t.total / 1e6, total[0] / 1e6,
			total[b->rounds - 1] / 1e6, first.publish / 1e6, first.reloaded ? "true" : "false",
			first.image_bytes, peak_kb, b->rounds);
	return 0;
}

static int bench_load(struct bench *b)
{
	struct kern_load_opts opts = {};
	struct kern_report report;
	struct image img = {};
	int err = kern_open(NULL, KERN_WRITE, &b->fail, &b->kern);

	if (!err)
		err = image_pass_all(POLICY, &img);
	if (!err)
		err = kern_load(b->kern, b->ifname, POLICY, &img, &opts, &report);
	if (err)
		fprintf(stderr, "bench: cannot load on %s: %s\n", b->ifname, b->fail.text);
	image_fini(&img);
	return err;
}

static int bench_all(struct bench *b)
{
	static const struct subject subjects[] = {
		{ .id = "10 rules", .nrules = 10 },
		{ .id = "100 rules", .nrules = 100 },
		{ .id = "1,000 rules", .nrules = 1000 },
		{ .id = "10,000 rules", .nrules = 10000 },
		{ .id = "country-v4.netset", .list = "country-v4.netset" },
		{ .id = "country-v6.netset", .list = "country-v6.netset" },
		{ .id = "ipsum.tsv", .list = "ipsum.tsv" },
	};
	long peak[sizeof(subjects) / sizeof(subjects[0])];
	size_t n = sizeof(subjects) / sizeof(subjects[0]);
	int err;

	/* While this process is still small: a child starts with its parent's memory. */
	for (size_t i = 0; i < n; i++)
		peak[i] = subject_peak_kb(b, &subjects[i]);
	err = bench_load(b);
	if (err)
		return err;
	printf("\nfrom rule text to live rules, ms of wall time: medians of %u, each time another rule file of that "
	       "size\n",
	       b->rounds);
	printf("  %-20s %8s %8s %8s %8s  %18s %8s %9s %9s\n", "", "parse", "compile", "publish", "total",
	       "min … max      ", "first", "image KB", "peak KB");
	for (size_t i = 0; !err && i < n; i++) {
		if (peak[i] == -ENOENT && subjects[i].list)
			printf("  %-20s skipped: the file is not there (FWCTL_DATA names its directory)\n",
			       subjects[i].id);
		else
			err = subject_run(b, &subjects[i], peak[i]);
	}
	printf("  first: publish of the first file of that size, when tables may have to grow and programs be "
	       "replaced\n"
	       "  image KB: what the kernel holds, twice (two generations); peak KB: of a process that parses and "
	       "compiles\n");
	return err;
}

int main(int argc, char **argv)
{
	struct bench b = { .seed = 20260101, .rounds = 7 };
	auto_fclose FILE *json = NULL;
	int opt, err;

	while ((opt = getopt(argc, argv, "n:s:j:")) != -1) {
		switch (opt) {
		case 'n':
			b.rounds = strtoul(optarg, NULL, 0);
			break;
		case 's':
			b.seed = strtoull(optarg, NULL, 0);
			break;
		case 'j':
			json = fopen(optarg, "ae");
			break;
		default:
			return 2;
		}
	}
	if (optind + 1 != argc || b.rounds < 1 || b.rounds > MEASURE_ROUNDS_MAX)
		return 2;
	b.ifname = argv[optind];
	b.json = json;
	err = bench_all(&b);
	if (b.kern) {
		kern_unload(b.kern, b.ifname);
		kern_close(b.kern);
	}
	return err ? 1 : 0;
}

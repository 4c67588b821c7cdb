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
#include "bench/edit.h"
#include "bench/lists.h"
#include "bench/measure.h"
#include "bench/ruletext.h"
#include "bench/workload.h"
#include "compile/compile.h"
#include "kern/kern.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define POLICY	"bench"
#define MILLION "million.netset"

struct bench {
	uint64_t seed;
	unsigned int rounds;
	const char *ifname;
	char dir[64];	  /* for files of ours */
	char million[80]; /* path of MILLION */
	char scratch[80];
	FILE *json;
	struct kern *kern;
	struct fail fail;
};

/* One rule file of the series: `variant` makes another digest of the same size. */
struct subject {
	const char *family; /* of the rules, or of the list */
	size_t nrules;	    /* 0: a list */
	enum rulegen_style style;
	const char *list;
};

struct times {
	double parse, compile, publish, total; /* ns of wall time */
	size_t image_bytes, hot_bytes;
	bool reloaded;
};

static const char *subject_text(struct arena *arena, const struct subject *s, uint64_t seed, unsigned int variant)
{
	const char *list;

	if (s->nrules)
		return ruletext_make(arena, seed + variant, s->style, s->nrules);
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
	t.hot_bytes = image_hdr(&img)->hot_len;
	t.reloaded = report.reloaded;
	image_fini(&img);
	if (err)
		fprintf(stderr, "bench: %s: %s\n", s->family, b->fail.text);
	*ret = t;
	return err;
}

/* What a child of ours does, and the most memory it had, in KB; a negative errno when it failed. */
static long child_peak_kb(const struct bench *b, const struct subject *s,
			  int (*work)(const struct bench *b, const struct subject *s))
{
	struct rusage usage;
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(-work(b, s));
	if (wait4(pid, &status, 0, &usage) < 0)
		return -errno;
	if (!WIFEXITED(status))
		return -EPROTO;
	return WEXITSTATUS(status) ? -WEXITSTATUS(status) : usage.ru_maxrss;
}

static int child_write(const struct bench *b, const struct subject *s)
{
	struct arena *arena = arena_new();
	const char *text = arena ? subject_text(arena, s, b->seed, 0) : NULL;
	auto_fclose FILE *f = fopen(b->scratch, "we");

	if (!text || !f)
		return -ENOMEM;
	return fputs(text, f) < 0 ? -EIO : 0;
}

static int child_build(const struct bench *b, const struct subject *s)
{
	struct arena *arena = arena_new();
	auto_fclose FILE *f = fopen(b->scratch, "re");
	struct image img;
	struct times t;
	struct stat st;
	char *text;

	if (!arena || !f || fstat(fileno(f), &st))
		return -ENOMEM;
	text = arena_alloc(arena, st.st_size + 1);
	if (!text || fread(text, 1, st.st_size, f) != (size_t)st.st_size)
		return -ENOMEM;
	return subject_build(arena, text, &t, &img);
}

/* Peak memory of a process that only reads, parses and compiles. */
static long subject_peak_kb(const struct bench *b, const struct subject *s)
{
	long kb = child_peak_kb(b, s, child_write);

	if (kb >= 0)
		kb = child_peak_kb(b, s, child_build);
	unlink(b->scratch);
	return kb;
}

/* Medians and extremes of the rounds of one subject. */
struct series {
	double parse[MEASURE_ROUNDS_MAX], compile[MEASURE_ROUNDS_MAX], publish[MEASURE_ROUNDS_MAX],
		total[MEASURE_ROUNDS_MAX];
	unsigned int n;
};

static void series_print(const struct bench *b, const struct subject *s, struct series *v, const struct times *first,
			 long peak_kb)
{
	struct times t = {
		.parse = measure_median(v->parse, v->n),
		.compile = measure_median(v->compile, v->n),
		.publish = measure_median(v->publish, v->n),
		.total = measure_median(v->total, v->n),
	};
	char name[64];

	snprintf(name, sizeof(name), s->nrules ? "%s %zu" : "%s", s->family, s->nrules);
	printf("  %-20s %8.2f %8.2f %8.2f %8.2f  %7.2f … %-8.2f %8.2f %9zu %7zu", name, t.parse / 1e6, t.compile / 1e6,
	       t.publish / 1e6, t.total / 1e6, v->total[0] / 1e6, v->total[v->n - 1] / 1e6, first->publish / 1e6,
	       first->image_bytes / 1024, first->hot_bytes / 1024);
	if (s->nrules)
		printf(" %7zu", first->image_bytes / s->nrules);
	else
		printf(" %7s", "");
	printf(" %8ld\n", peak_kb);
	fflush(stdout);
	if (!b->json)
		return;
	fprintf(b->json, "{\"bench\":\"control\",\"group\":\"%s\",\"family\":\"%s\",\"rules\":%zu,",
		s->nrules ? "rules" : "list", s->family, s->nrules);
	fprintf(b->json, "\"parse_ms\":%.3f,\"compile_ms\":%.3f,\"publish_ms\":%.3f,\"total_ms\":%.3f,", t.parse / 1e6,
		t.compile / 1e6, t.publish / 1e6, t.total / 1e6);
	fprintf(b->json, "\"min\":%.3f,\"max\":%.3f,\"first_publish_ms\":%.3f,\"grew\":%s,", v->total[0] / 1e6,
		v->total[v->n - 1] / 1e6, first->publish / 1e6, first->reloaded ? "true" : "false");
	fprintf(b->json, "\"image_bytes\":%zu,\"hot_bytes\":%zu,\"peak_kb\":%ld,\"rounds\":%u}\n", first->image_bytes,
		first->hot_bytes, peak_kb, v->n);
	fflush(b->json);
}

/* The row of one subject: the first apply of its size (tables may have to grow), then the median of the others. */
static int subject_run(struct bench *b, const struct subject *s, long peak_kb)
{
	struct series v = { .n = s->nrules >= 100000 ? (b->rounds + 1) / 2 : b->rounds };
	struct times first, t;
	int err = subject_apply(b, s, 0, &first);

	for (unsigned int i = 0; !err && i < v.n; i++) {
		err = subject_apply(b, s, i + 1, &t);
		v.parse[i] = t.parse;
		v.compile[i] = t.compile;
		v.publish[i] = t.publish;
		v.total[i] = t.total;
	}
	if (!err)
		series_print(b, s, &v, &first, peak_kb);
	return err;
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

/* A million prefixes, as a file. */
static int bench_write_list(struct bench *b)
{
	cleanup(arena_freep) struct arena *arena = arena_new();
	const struct aset *set;
	int err = arena ? workload_prefixes(arena, b->seed, 1000000, &set) : -ENOMEM;

	return err ? err : lists_write(b->million, set);
}

static void subject_skip(const struct bench *b, const struct subject *s, long why)
{
	printf("  %s %zu: not measured: %s\n", s->family, s->nrules,
	       why == -ENOENT ? "the file is not there (FWCTL_DATA names its directory)"
			      : "the compiler refuses it (see above)");
	if (b->json)
		fprintf(b->json, "{\"bench\":\"refused\",\"family\":\"%s\",\"rules\":%zu}\n", s->family, s->nrules);
}

#define SUBJECTS_MAX 32

static size_t bench_subjects(const struct bench *b, struct subject *ret)
{
	static const char *const files[] = { "country-v4.netset", "country-v6.netset", "ipsum.tsv" };
	static const size_t sizes[] = { 64, 1000, 10000, 100000 };
	size_t n = 0;

	for (size_t i = 0; i < 4; i++)
		for (int style = RULEGEN_REAL_FIRST; style < RULEGEN_HOSTILE_FIRST; style++)
			ret[n++] = (struct subject){ .family = rulegen_style_name((enum rulegen_style)style),
						     .nrules = sizes[i],
						     .style = (enum rulegen_style)style };
	for (size_t i = 0; i < 3; i++)
		ret[n++] = (struct subject){ .family = files[i], .list = files[i] };
	ret[n++] = (struct subject){ .family = "seeded-1000000", .list = MILLION };
	return n;
}

static int bench_all(struct bench *b)
{
	struct subject subjects[SUBJECTS_MAX];
	size_t n = bench_subjects(b, subjects);
	long peak[SUBJECTS_MAX];
	int err = bench_write_list(b);

	/* While this process is still small: a child starts with its parent's memory. */
	for (size_t i = 0; !err && i < n; i++)
		peak[i] = subject_peak_kb(b, &subjects[i]);
	if (!err)
		err = bench_load(b);
	if (err)
		return err;
	printf("\nfrom rule text to live rules, ms of wall time: medians of %u, each time another rule file of that "
	       "size\n",
	       b->rounds);
	printf("  %-20s %8s %8s %8s %8s  %18s %8s %9s %7s %7s %8s\n", "", "parse", "compile", "publish", "total",
	       "min … max      ", "first", "image KB", "hot KB", "B/rule", "peak KB");
	for (size_t i = 0; !err && i < n; i++) {
		if (peak[i] < 0)
			subject_skip(b, &subjects[i], peak[i]);
		else
			err = subject_run(b, &subjects[i], peak[i]);
	}
	printf("  first: publish of the first file of that size, when tables may have to grow and programs be "
	       "replaced\n"
	       "  image KB: what the kernel holds, twice (two generations); hot KB: the part that packets read; peak "
	       "KB: of a process that parses and "
	       "compiles\n");
	return err;
}

static int bench_dir(struct bench *b)
{
	snprintf(b->dir, sizeof(b->dir), "/tmp/fwbench.XXXXXX");
	if (!mkdtemp(b->dir))
		return -errno;
	lists_also_in(b->dir);
	snprintf(b->million, sizeof(b->million), "%s/" MILLION, b->dir);
	snprintf(b->scratch, sizeof(b->scratch), "%s/rules.fw", b->dir);
	return 0;
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
	err = bench_dir(&b);
	if (!err)
		err = bench_all(&b);
	if (b.kern) {
		kern_unload(b.kern, b.ifname);
		kern_close(b.kern);
	}
	if (!err)
		err = edit_run(&(struct edit){ b.ifname, b.dir, MILLION, b.rounds, b.json });
	unlink(b.million);
	rmdir(b.dir);
	return err ? 1 : 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Both objects load, by whichever clang they were built, in every shape the loader gives them, and the verifier needs less
 * than a quarter of what it may spend. Tables are the largest: its work must not grow with them. What it spent is printed,
 * "# verifier" first, for scripts/verifier-log.sh.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fw/abi.h>
#include <fw/names.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmocka.h>

#define BUDGET 400000 /* of the million; what asks for everything comes closest */
#define SLOT_SIZE (64u << 20)

#define CLANG19_FLAGS                                                                                                  \
	"--target=bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter -Ixdp/include -Ixdp/core "             \
	"-I/usr/include/$(cc -print-multiarch)"

static char built[] = "build/verifier-XXXXXX"; /* objects by another clang */

struct shape {
	const char *object, *program;
	struct fw_cfg cfg;
};

static const struct shape shapes[] = {
	{ "fw_xdp", FW_PROG_XDP, {} },
	{ "fw_xdp", FW_PROG_XDP, { .frags = 1 } },
	{ "fw_xdp", FW_PROG_XDP, { .frags = 1, .trace = 1 } },
	{ "fw_xdp", FW_PROG_XDP, { .parse_only = 1 } },
	{ "fw_xdp", FW_PROG_XDP_ANSWERS, { .features = FW_FEATS_ANSWER } },
	{ "fw_xdp", FW_PROG_XDP_ANSWERS, { .features = FW_FEAT_ALL, .frags = 1 } },
	{ "fw_xdp", FW_PROG_XDP, { .features = FW_FEAT_LIVE } },
	{ "fw_xdp", FW_PROG_XDP, { .features = FW_FEAT_STATE } },
	{ "fw_xdp", FW_PROG_XDP, { .features = FW_FEAT_LIMIT } },
	{ "fw_xdp", FW_PROG_XDP, { .features = FW_FEAT_LOG } },
	{ "fw_xdp", FW_PROG_XDP, { .features = FW_FEAT_LOG, .frags = 1, .trace = 1 } },
	{ "fw_xdp", FW_PROG_XDP, { .features = FW_FEAT_TAP, .tap_snap = 64 } },
	{ "fw_xdp", FW_PROG_XDP, { .features = FW_FEAT_TAP, .tap_snap = 65536, .frags = 1 } },
	{ "fw_xdp", FW_PROG_XDP, { .features = FW_FEAT_LOG | FW_FEAT_TAP, .tap_snap = 1504 } },
	{ "fw_xdp", FW_PROG_XDP, { .features = FW_FEAT_ALL } },
	{ "fw_xdp", FW_PROG_XDP, { .features = FW_FEAT_ALL & ~FW_FEAT_TAP } },
	{ "fw_xdp", FW_PROG_XDP, { .features = FW_FEAT_ALL, .frags = 1, .trace = 1, .readonly = 1 } },
	{ "fw_xdp", FW_PROG_XDP, { .frags = 1, .trace = 1, .features = FW_FEAT_ALL } },
	{ "fw_tc", FW_PROG_TC_INGRESS, { .features = FW_FEAT_ALL } },
	{ "fw_tc", FW_PROG_TC_EGRESS, { .dir = FW_DIR_EGRESS, .trace = 1, .features = FW_FEAT_ALL } },
	{ "fw_tc", FW_PROG_TC_INGRESS, { .features = FW_FEAT_LOG } },
	{ "fw_tc", FW_PROG_TC_INGRESS, { .features = FW_FEAT_TAP, .tap_snap = 64 } },
	{ "fw_tc", FW_PROG_TC_EGRESS, { .dir = FW_DIR_EGRESS, .features = FW_FEAT_LOG | FW_FEAT_TAP, .tap_snap = 65536 } },
	{ "fw_tc", FW_PROG_TC_EGRESS, { .dir = FW_DIR_EGRESS, .features = FW_FEAT_STATE | FW_FEAT_LOG, .trace = 1 } },
	{ "fw_tc", FW_PROG_TC_INGRESS, {} },
	{ "fw_tc", FW_PROG_TC_INGRESS, { .features = FW_FEATS_ANSWER } },
	{ "fw_tc", FW_PROG_TC_INGRESS, { .trace = 1 } },
	{ "fw_tc", FW_PROG_TC_EGRESS, { .dir = FW_DIR_EGRESS } },
	{ "fw_tc", FW_PROG_TC_EGRESS, { .dir = FW_DIR_EGRESS, .features = FW_FEATS_ANSWER } },
	{ "fw_tc", FW_PROG_TC_EGRESS, { .dir = FW_DIR_EGRESS, .trace = 1 } },
};

static struct bpf_object *object_open(const char *dir, const struct shape *s, struct bpf_program **ret_prog)
{
	struct fw_cfg cfg = s->cfg;
	struct bpf_program *p;
	struct bpf_object *o;
	struct bpf_map *m;
	char path[256];

	snprintf(path, sizeof(path), "%s/%s.bpf.o", dir, s->object);
	o = bpf_object__open(path);
	if (libbpf_get_error(o))
		fail_msg("%s: cannot open", path);
	cfg.mask[0] = cfg.mask[1] = SLOT_SIZE - 1;
	cfg.nslots = FW_SLOT_RULE0 + FW_MAX_RULES;
	if (!cfg.tap_snap)
		cfg.tap_snap = 65536;
	bpf_object__for_each_map(m, o) {
		const char *name = bpf_map__name(m), *dot = strchr(name, '.');

		if (!strcmp(name, FW_MAP_SLOT0) || !strcmp(name, FW_MAP_SLOT1))
			assert_int_equal(bpf_map__set_value_size(m, SLOT_SIZE + FW_SLOT_PAD), 0);
		else if (!strcmp(name, FW_MAP_TAPS))
			assert_int_equal(bpf_map__set_value_size(m, sizeof(struct fw_tap) + cfg.tap_snap), 0);
		else if (!strcmp(name, FW_MAP_COUNTERS))
			assert_int_equal(bpf_map__set_max_entries(m, cfg.nslots), 0);
		else if (dot && !strcmp(dot, ".rodata")) /* struct fw_cfg and nothing else, or this fails */
			assert_int_equal(bpf_map__set_initial_value(m, &cfg, sizeof(cfg)), 0);
	}
	*ret_prog = NULL;
	bpf_object__for_each_program(p, o) {
		bool wanted = !strcmp(bpf_program__name(p), s->program);

		bpf_program__set_autoload(p, wanted);
		if (wanted)
			*ret_prog = p;
	}
	assert_non_null(*ret_prog);
	if (s->cfg.frags)
		bpf_program__set_flags(*ret_prog, BPF_F_XDP_HAS_FRAGS);
	return o;
}

/* The numbers of the verifier's own summary, in which a kernel may have more words than another. */
static unsigned int log_number(const char *log, const char *before, const char *after)
{
	const char *p = log;
	unsigned int n;
	char found[32];

	while ((p = strstr(p, before))) {
		p += strlen(before);
		if (sscanf(p, "%u%31s", &n, found) == 2 && (!after || !strcmp(found, after)))
			return n;
	}
	fail_msg("the verifier does not say \"%s\": %s", before, log);
	return 0;
}

/* What the verifier has against it: the last lines of its whole log. */
static void shape_complain(const char *dir, const struct shape *s)
{
	const size_t size = 64u << 20, tail = 3000;
	char *log = calloc(1, size);
	struct bpf_program *prog;
	struct bpf_object *o = object_open(dir, s, &prog);
	size_t len;

	assert_non_null(log);
	bpf_program__set_log_buf(prog, log, size - 1);
	bpf_program__set_log_level(prog, 1);
	bpf_object__load(o);
	len = strlen(log);
	fprintf(stderr, "# %s features=%u frags=%u is refused: …%s\n", s->program, s->cfg.features, s->cfg.frags,
		log + (len > tail ? len - tail : 0));
	bpf_object__close(o);
	free(log);
}

/* A line of the table: kernel, compiler, program, shape, what the verifier did, sizes in bytes. */
static void shape_load(const char *compiler, const char *dir, const struct shape *s)
{
	static char log[1 << 16];
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	unsigned int insns, states, peak;
	struct bpf_program *prog;
	struct bpf_object *o = object_open(dir, s, &prog);
	struct utsname uts;

	log[0] = 0;
	bpf_program__set_log_buf(prog, log, sizeof(log));
	bpf_program__set_log_level(prog, 4); /* statistics alone */
	if (bpf_object__load(o)) {
		bpf_object__close(o);
		shape_complain(dir, s);
		fail_msg("the verifier refuses a program");
	}
	assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len), 0);
	assert_int_equal(uname(&uts), 0);
	insns = log_number(log, "processed ", "insns");
	states = log_number(log, " total_states ", NULL);
	peak = log_number(log, " peak_states ", NULL);
	print_message("# verifier %s %s %s frags=%u,trace=%u,parse=%u,features=%u %u %u %u %u %u\n", uts.release, compiler, s->program,
		      s->cfg.frags, s->cfg.trace, s->cfg.parse_only, s->cfg.features, insns, states, peak, info.xlated_prog_len,
		      info.jited_prog_len);
	assert_true(insns > 0 && states > 0);
	assert_true(insns < BUDGET);
	assert_int_equal(insns, info.verified_insns);
	bpf_object__close(o);
}

static void load_all(const char *compiler, const char *dir)
{
	size_t i;

	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		shape_load(compiler, dir, &shapes[i]);
}

static void default_clang(void **state)
{
	load_all("shipped", "build/bpf");
}

static void other_clang(void **state)
{
	char command[1024];

	if (system("command -v clang-19 >/dev/null")) {
		print_message("# SKIP no clang-19\n");
		skip();
	}
	assert_non_null(mkdtemp(built));
	snprintf(command, sizeof(command),
		 "for f in xdp/fw_xdp tc/fw_tc; do clang-19 " CLANG19_FLAGS " -c -o %s/${f#*/}.bpf.o $f.bpf.c || exit 1; done", built);
	assert_int_equal(system(command), 0);
	load_all("clang-19", built);
}

static int clean(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", built);
	return strstr(built, "XXXXXX") ? 0 : system(command);
}

/* What is switched off must be gone from the loaded program, not skipped in it. */
static void unused_is_gone(void **state)
{
	struct bpf_prog_info plain = {}, traced = {}, parse = {}, told = {}, silent = {};
	struct bpf_prog_info *info[] = { &plain, &traced, &parse, &told, &silent };
	const struct shape s[] = {
		shapes[0], shapes[2], shapes[3],
		{ "fw_xdp", FW_PROG_XDP, { .features = FW_FEAT_LOG | FW_FEAT_TAP, .frags = 1, .trace = 1 } },
		{ "fw_xdp", FW_PROG_XDP, { .features = FW_FEAT_LOG | FW_FEAT_TAP, .frags = 1, .trace = 1, .readonly = 1 } },
	};
	size_t i;

	for (i = 0; i < sizeof(s) / sizeof(s[0]); i++) {
		__u32 len = sizeof(plain);
		struct bpf_program *prog;
		struct bpf_object *o = object_open("build/bpf", &s[i], &prog);

		assert_int_equal(bpf_object__load(o), 0);
		assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(prog), info[i], &len), 0);
		bpf_object__close(o);
	}
	assert_true(plain.xlated_prog_len < traced.xlated_prog_len);
	assert_true(parse.xlated_prog_len < plain.xlated_prog_len / 2);
	print_message("# traced %u, with events and a tap %u, changing nothing %u\n", traced.xlated_prog_len, told.xlated_prog_len,
		      silent.xlated_prog_len);
	/* What rules ask for beyond a verdict is read in both; what tells of it is in one. */
	assert_true(silent.xlated_prog_len - traced.xlated_prog_len < (told.xlated_prog_len - traced.xlated_prog_len) / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "the objects of this build load in every shape, under a quarter of the verifier's budget", default_clang, NULL,
		  NULL, NULL },
		{ "so do the objects that clang 19 makes", other_clang, NULL, clean, NULL },
		{ "what the constants switch off is not in the loaded program", unused_is_gone, NULL, NULL, NULL },
	};

	if (geteuid()) {
		printf("1..1\nok 1 - verifier # SKIP needs root\n");
		return 0;
	}
	return cmocka_run_group_tests_name("kernel/verifier", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same rules and packets for every firewall, and what a packet costs in the XDP programs that they attach.
 *
 *   bench_peers rules STYLE COUNT SEED DIR
 *       COUNT rules of IPv4 in that style of tests/harness/rulegen.h, as lines in DIR/STYLE.COUNT.{fwctl,nft,iptables,
 *       bpfilter}; a trace of 65,536 frames aimed at them in DIR/STYLE.COUNT.all; those of it that the oracle drops,
 *       again and again, in DIR/STYLE.COUNT.drop. Prints how many of its first frames the oracle passes, and how many
 *       these are: fewer for many rules, since others take 0.1 ms per frame then.
 *   bench_peers packet [-n ROUNDS] [-r REPEAT] [-j JSON-FILE] CASES
 *       BPF_PROG_TEST_RUN of XDP programs on one packet (the one of bench/vethgen.h). CASES is a file of lines, fields
 *       between tabs: id, NETNS:IFACE that has the program, or "-" for the empty one (the floor, first), the verdict
 *       that it must give (drop, pass), tool, number of rules or elements, words.
 */
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "bench/measure.h"
#include "bench/peers_words.h"
#include "bench/vethgen.h"
#include "harness/rulegen.h"
#include "harness/tracegen.h"
#include "model/eval.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#define ROWS_MAX 64

struct rules {
	struct arena *arena;
	const struct chain *chain;
	char prefix[256]; /* DIR/STYLE.COUNT */
};

static FILE *rules_create(const struct rules *r, const char *suffix)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s.%s", r->prefix, suffix);
	f = fopen(path, "we");
	if (!f)
		fprintf(stderr, "bench: cannot write %s: %s\n", path, strerror(errno));
	return f;
}

static int rules_write(const struct rules *r, const char *suffix, bool (*words)(const struct rule *, struct str *))
{
	auto_fclose FILE *f = rules_create(r, suffix);
	struct str out = {};
	bool good = f;

	for (size_t i = 0; good && i < r->chain->nrules; i++) {
		good = words(&r->chain->rules[i], &out);
		if (!good)
			fprintf(stderr, "bench: rule %zu has no words for %s\n", i + 1, suffix);
	}
	good = good && !out.failed && fwrite(str_get(&out), 1, out.len, f) == out.len;
	str_fini(&out);
	return good ? 0 : -EINVAL;
}

static bool rules_pass(const struct rules *r, const struct ref_frame *f)
{
	return eval_frame(r->chain, f->byte, sizeof(f->byte), NULL, NULL, NULL).verdict == VERDICT_PASS;
}

static bool is_fragment(const struct ref_frame *f)
{
	return f->byte[12] == 8 && f->byte[13] == 0 && ((f->byte[20] & 0x3f) || f->byte[21]);
}

/* The trace, addressed to the other end. No fragments: nft reads ports out of later ones, and so gives another answer.
 */
static int trace_make(const struct rules *r, uint64_t seed, struct ref_frame *frames)
{
	struct tracegen tg;
	size_t rule;
	int err = tracegen_init(&tg, r->chain, TRACE_UNIFORM, seed);

	if (err)
		return err;
	for (size_t i = 0; !err && i < VETH_MAX_TRAFFIC; i++) {
		do {
			if (!tracegen_next(&tg, frames[i].byte, sizeof(frames[i].byte), &rule))
				err = -EINVAL;
		} while (!err && is_fragment(&frames[i]));
		memcpy(frames[i].byte, lab_rcv_mac, 6);
		memcpy(frames[i].byte + 6, lab_gen_mac, 6);
	}
	tracegen_fini(&tg);
	return err;
}

/* The whole trace, and what of it is dropped: frames that all end in the firewall cost the same behind each. */
static int trace_write(const struct rules *r, const struct ref_frame *frames, size_t nchecked, size_t *ret_pass)
{
	auto_fclose FILE *all = rules_create(r, "all"), *drop = rules_create(r, "drop");
	auto_free struct ref_frame *dropped = calloc(VETH_MAX_TRAFFIC, sizeof(*dropped));
	size_t n = 0, pass = 0;

	if (!all || !drop || !dropped)
		return -ENOMEM;
	for (size_t i = 0; i < VETH_MAX_TRAFFIC; i++)
		if (!rules_pass(r, &frames[i]))
			dropped[n++] = frames[i];
		else if (i < nchecked)
			pass++;
	if (!n) {
		fprintf(stderr, "bench: no packet of the trace is dropped\n");
		return -EINVAL;
	}
	*ret_pass = pass;
	for (size_t i = n; i < VETH_MAX_TRAFFIC; i++)
		dropped[i] = dropped[i - n];
	return fwrite(frames, sizeof(*frames), VETH_MAX_TRAFFIC, all) == VETH_MAX_TRAFFIC &&
			       fwrite(dropped, sizeof(*dropped), VETH_MAX_TRAFFIC, drop) == VETH_MAX_TRAFFIC
		       ? 0
		       : -EIO;
}

static const struct chain *rules_generate(struct arena *arena, const char *style, size_t n, uint64_t seed)
{
	struct rulegen_opts opts = {
		.nrules = n,
		.directions = 1u << DIRECTION_INGRESS,
		.families = 1u << FAMILY_IPV4,
		.no_count = true,
		.no_empty = true,
	};
	struct policy *policy;
	struct prng prng;

	while (opts.style < RULEGEN_STYLE_COUNT && strcmp(rulegen_style_name(opts.style), style))
		opts.style++;
	if (opts.style == RULEGEN_STYLE_COUNT) {
		fprintf(stderr, "bench: no style \"%s\"\n", style);
		return NULL;
	}
	prng_init(&prng, seed);
	policy = rulegen_policy(arena, &prng, &opts);
	if (!policy)
		return NULL;
	policy->chain[DIRECTION_INGRESS].fallback = VERDICT_DROP;
	return &policy->chain[DIRECTION_INGRESS];
}

static int run_rules(int argc, char **argv)
{
	cleanup(arena_freep) struct arena *arena = arena_new();
	auto_free struct ref_frame *frames = calloc(VETH_MAX_TRAFFIC, sizeof(*frames));
	size_t n = argc == 5 ? strtoul(argv[2], NULL, 0) : 0, pass = 0;
	uint64_t seed = n ? strtoull(argv[3], NULL, 0) : 0;
	size_t nchecked = n < 10000 ? VETH_MAX_TRAFFIC : VETH_MAX_TRAFFIC / 8;
	struct rules r = { .arena = arena };
	int err;

	if (!n || !arena || !frames)
		return 2;
	r.chain = rules_generate(arena, argv[1], n, seed);
	if (!r.chain)
		return 1;
	snprintf(r.prefix, sizeof(r.prefix), "%s/%s.%zu", argv[4], argv[1], n);
	err = rules_write(&r, "fwctl", peers_words_fwctl);
	if (!err)
		err = rules_write(&r, "nft", peers_words_nft);
	if (!err)
		err = rules_write(&r, "iptables", peers_words_iptables);
	if (!err)
		err = rules_write(&r, "bpfilter", peers_words_bpfilter);
	if (!err)
		err = trace_make(&r, seed, frames);
	if (!err)
		err = trace_write(&r, frames, nchecked, &pass);
	if (!err)
		printf("%zu %zu\n", pass, nchecked);
	return err ? 1 : 0;
}

struct row {
	char id[64], end[80], verdict[8], tool[32], text[128];
	long n;
};

static int program_open(const struct row *row, struct bpf_object *empty)
{
	struct lab_end end;
	__u32 id = 0;
	int fd;

	if (!strcmp(row->end, "-"))
		return bpf_program__fd(bpf_object__find_program_by_name(empty, "veth_xdp_drop"));
	if (!lab_end_parse(row->end, &end) || bpf_xdp_query_id((int)lab_ifindex(&end), 0, &id) || !id) {
		fprintf(stderr, "bench: no XDP program at %s\n", row->end);
		return -ENOENT;
	}
	fd = bpf_prog_get_fd_by_id(id);
	return fd < 0 ? -errno : fd;
}

struct bench {
	struct arena *arena;
	struct bpf_object *empty;
	struct vethgen_traffic traffic;
	struct measure m;
	const struct row *rows[ROWS_MAX];
};

static int rows_read(struct bench *b, const char *path)
{
	auto_fclose FILE *f = fopen(path, "re");
	char line[512];

	while (f && b->m.n < ROWS_MAX && fgets(line, sizeof(line), f)) {
		struct row *row = arena_alloc(b->arena, sizeof(*row));
		struct probe p = {
			.frame = b->traffic.frames->byte,
			.len = REF_FRAME_LEN,
			.base = b->m.n ? 0 : -1,
		};

		if (!row || sscanf(line, "%63[^\t]\t%79[^\t]\t%7[^\t]\t%31[^\t]\t%ld\t%127[^\n]", row->id, row->end,
				   row->verdict, row->tool, &row->n, row->text) != 6) {
			fprintf(stderr, "bench: %s: not a case: %s", path, line);
			return -EINVAL;
		}
		p.id = row->id;
		p.text = row->text;
		p.want = strcmp(row->verdict, "drop") ? XDP_PASS : XDP_DROP;
		p.prog_fd = program_open(row, b->empty);
		if (p.prog_fd < 0)
			return p.prog_fd;
		b->rows[b->m.n] = row;
		if (measure_add(&b->m, &p) < 0)
			return -ENOMEM;
	}
	return b->m.n ? 0 : -EINVAL;
}

static void rows_print(const struct bench *b)
{
	const struct measure *m = &b->m;

	for (size_t i = 0; i < m->n; i++) {
		const struct probe *p = &m->v[i];
		const struct row *row = b->rows[i];

		fprintf(m->json,
			"{\"bench\":\"peers\",\"table\":\"packet\",\"id\":\"%s\",\"tool\":\"%s\",\"n\":%ld,\"text\":\"%"
			"s\","
			"\"ns\":%.1f,\"min\":%.1f,\"max\":%.1f,",
			row->id, row->tool, row->n, row->text, p->median, p->min, p->max);
		if (p->base >= 0)
			fprintf(m->json, "\"over\":\"%s\",\"over_ns\":%.1f,", m->v[p->base].id,
				p->median - m->v[p->base].median);
		fprintf(m->json, "\"rounds\":%u,\"repeat\":%u}\n", m->rounds, m->repeat);
	}
}

static int bench_packet(struct bench *b, const char *cases)
{
	int err = measure_pin() < 0 ? -ESRCH : vethgen_object_load(&b->empty);

	if (err)
		return err;
	err = vethgen_traffic_read("one", 0, &b->traffic);
	if (!err)
		err = rows_read(b, cases);
	if (!err)
		err = measure_run(&b->m);
	if (!err)
		rows_print(b);
	bpf_object__close(b->empty);
	return err;
}

static int run_packet(int argc, char **argv)
{
	struct bench b = { .arena = arena_new(), .m = { .rounds = 7, .repeat = 1000000, .json = stdout } };
	int opt, err;

	while ((opt = getopt(argc, argv, "n:r:j:")) != -1) {
		if (opt == 'n')
			b.m.rounds = strtoul(optarg, NULL, 0);
		else if (opt == 'r')
			b.m.repeat = strtoul(optarg, NULL, 0);
		else if (opt == 'j')
			b.m.json = fopen(optarg, "ae");
		else
			return 2;
	}
	if (optind + 1 != argc || b.m.rounds < 1 || b.m.rounds > MEASURE_ROUNDS_MAX || b.m.repeat < 1 || !b.m.json ||
	    !b.arena)
		return 2;
	err = bench_packet(&b, argv[optind]);
	vethgen_traffic_free(&b.traffic);
	measure_fini(&b.m);
	fclose(b.m.json);
	arena_free(b.arena);
	return err ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "rules"))
		return run_rules(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "packet"))
		return run_packet(argc - 1, argv + 1);
	fprintf(stderr, "usage: see the head of bench/bench_peers.c\n");
	return 2;
}

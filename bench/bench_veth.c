// SPDX-License-Identifier: GPL-2.0-only
/*
 * End to end: what a firewall on one end of a veth pair costs per frame, several of them taking turns.
 *
 *   bench_veth attach PROGRAM IFACE [generic]   put a program that does nothing on an interface of this namespace:
 *                                               xdp_drop, xdp_pass, tc_drop or tc_pass
 *   bench_veth send PAIR TRAFFIC COUNT          send COUNT frames once; prints how many arrived
 *   bench_veth run [-n ROUNDS] [-t MS] [-s SEED] [-j JSON-FILE] TABLE CASES
 *
 * PAIR is "NETNS:IFACE>NETNS:IFACE", TRAFFIC what bench/vethgen.h says. CASES is a file of lines, fields between tabs:
 * id, pair, traffic, tool, number of rules or elements, id of the case whose cost is taken off ("-": none), words. A
 * block of frames of each case takes about MS milliseconds, at least FEWEST and at most MOST frames.
 */
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/vec.h"
#include "bench/measure.h"
#include "bench/vethgen.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>

#define FEWEST 256
#define MOST   (1u << 21)
#define FIRST  2048 /* frames that tell how many a block needs */

struct contest {
	char id[64], pair[200], traffic[300], tool[32], base[64], text[128];
	long n;
	long base_index; /* -1: none */
	struct vethgen_pair ends;
	struct vethgen_traffic frames;
	uint32_t pos;
	uint64_t block, sent, received;
	double ns[MEASURE_ROUNDS_MAX], over[MEASURE_ROUNDS_MAX], wall_ns;
};

struct bench {
	struct vethgen gen;
	struct contest *v;
	size_t n, cap;
	unsigned int rounds;
	double block_ns;
	uint64_t seed;
	FILE *json;
};

static int attach_tc(int fd, int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = fd, .handle = 1, .priority = 1);
	int err = bpf_tc_hook_create(&hook);

	return err && err != -EEXIST ? err : bpf_tc_attach(&hook, &opts);
}

static int run_attach(int argc, char **argv)
{
	bool tc = argc > 1 && !strncmp(argv[0], "tc_", 3), generic = argc > 2 && !strcmp(argv[2], "generic");
	int ifindex = argc > 1 ? (int)if_nametoindex(argv[1]) : 0, err;
	struct bpf_program *prog;
	struct bpf_object *obj;
	char name[64];

	if (!ifindex || vethgen_object_load(&obj))
		return 2;
	snprintf(name, sizeof(name), "veth_%s", argv[0]);
	prog = bpf_object__find_program_by_name(obj, name);
	if (!prog)
		return 2;
	err = tc ? attach_tc(bpf_program__fd(prog), ifindex)
		 : bpf_xdp_attach(ifindex, bpf_program__fd(prog), generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE,
				  NULL);
	if (err)
		fprintf(stderr, "bench: cannot attach %s to %s: %s\n", name, argv[1], strerror(-err));
	bpf_object__close(obj);
	return err ? 1 : 0;
}

static int run_send(int argc, char **argv)
{
	struct vethgen_traffic traffic;
	struct vethgen_result r;
	struct vethgen_pair pair;
	struct vethgen gen;
	uint32_t pos = 0;
	int err;

	if (argc != 3 || vethgen_traffic_read(argv[1], 1, &traffic) || vethgen_open(&gen))
		return 2;
	vethgen_pair_open(argv[0], &pair);
	err = vethgen_block(&gen, &pair, &traffic, &pos, strtoull(argv[2], NULL, 0), &r);
	if (!err)
		printf("%llu\n", (unsigned long long)r.received);
	vethgen_pair_close(&pair);
	vethgen_close(&gen);
	vethgen_traffic_free(&traffic);
	return err ? 1 : 0;
}

static long contest_find(const struct bench *b, const char *id)
{
	for (size_t i = 0; i < b->n; i++)
		if (!strcmp(b->v[i].id, id))
			return i;
	return -1;
}

static int contests_read(struct bench *b, const char *path)
{
	auto_fclose FILE *f = fopen(path, "re");
	char line[1024];
	int err = f ? 0 : -errno;

	while (!err && f && fgets(line, sizeof(line), f)) {
		struct contest c = {};

		if (sscanf(line, "%63[^\t]\t%199[^\t]\t%299[^\t]\t%31[^\t]\t%ld\t%63[^\t]\t%127[^\n]", c.id, c.pair,
			   c.traffic, c.tool, &c.n, c.base, c.text) != 7) {
			fprintf(stderr, "bench: %s: not a case: %s", path, line);
			return -EINVAL;
		}
		c.base_index = contest_find(b, c.base);
		if (c.base_index < 0 && strcmp(c.base, "-")) {
			fprintf(stderr, "bench: %s: %s is held against %s, which does not come before it\n", path, c.id,
				c.base);
			return -EINVAL;
		}
		err = vethgen_traffic_read(c.traffic, b->seed, &c.frames);
		if (err)
			return err;
		vethgen_pair_open(c.pair, &c.ends);
		err = vec_push(b, c);
	}
	return err;
}

/* One block. Frames that were lost cost the sender and not the receiver; so their share is shown. */
static int contest_block(struct bench *b, struct contest *c, uint64_t n, struct vethgen_result *ret)
{
	int err = vethgen_block(&b->gen, &c->ends, &c->frames, &c->pos, n, ret);

	if (err)
		fprintf(stderr, "bench: %s (%s) cannot be measured\n", c->id, c->text);
	return err;
}

/* Warm caches and learn how many frames fill a block. */
static int contest_warm(struct bench *b, struct contest *c)
{
	struct vethgen_result r;
	int err = contest_block(b, c, FEWEST, &r);

	/* A few frames are enough to know that a case is very slow. */
	if (!err && r.cpu_ns / FEWEST * FIRST < b->block_ns)
		err = contest_block(b, c, FIRST, &r);
	if (!err && r.sent == FIRST && r.cpu_ns / FIRST * 16 * FIRST < b->block_ns)
		err = contest_block(b, c, 16 * FIRST, &r);
	if (err)
		return err;
	c->block = b->block_ns / (r.cpu_ns / r.sent);
	c->block = (c->block < FEWEST ? FEWEST : c->block > MOST ? MOST : c->block) & ~63ull;
	return 0;
}

static int bench_rounds(struct bench *b)
{
	int err = 0;

	for (size_t i = 0; !err && i < b->n; i++)
		err = contest_warm(b, &b->v[i]);
	for (unsigned int round = 0; !err && round < b->rounds; round++) {
		for (size_t i = 0; !err && i < b->n; i++) {
			struct contest *c = &b->v[i];
			struct vethgen_result r;

			err = contest_block(b, c, c->block, &r);
			if (err)
				break;
			c->ns[round] = r.cpu_ns / r.received;
			c->over[round] = c->base_index < 0 ? 0 : c->ns[round] - b->v[c->base_index].ns[round];
			c->wall_ns += r.wall_ns;
			c->sent += r.sent;
			c->received += r.received;
		}
	}
	return err;
}

static void contest_print(const struct bench *b, struct contest *c, const char *table)
{
	size_t last = b->rounds - 1;
	double ns = measure_median(c->ns, b->rounds), over = measure_median(c->over, b->rounds);

	fprintf(b->json,
		"{\"bench\":\"peers\",\"table\":\"%s\",\"id\":\"%s\",\"tool\":\"%s\",\"n\":%ld,\"text\":\"%s\",\"ns\":%"
		".1f,"
		"\"min\":%.1f,\"max\":%.1f,",
		table, c->id, c->tool, c->n, c->text, ns, c->ns[0], c->ns[last]);
	if (c->base_index >= 0)
		fprintf(b->json, "\"over\":\"%s\",\"over_ns\":%.1f,\"over_min\":%.1f,\"over_max\":%.1f,", c->base, over,
			c->over[0], c->over[last]);
	fprintf(b->json, "\"mpps\":%.3f,\"wall_mpps\":%.3f,\"lost\":%.4f,\"block\":%llu,\"rounds\":%u}\n", 1e3 / ns,
		c->sent * 1e3 / c->wall_ns, 1 - (double)c->received / c->sent, (unsigned long long)c->block, b->rounds);
	fflush(b->json);
}

static int run_contests(int argc, char **argv)
{
	struct bench b = { .rounds = 5, .block_ns = 300e6, .seed = 20260101, .json = stdout };
	int opt, err;

	optind = 1;
	while ((opt = getopt(argc, argv, "n:t:s:j:")) != -1) {
		if (opt == 'n')
			b.rounds = strtoul(optarg, NULL, 0);
		else if (opt == 't')
			b.block_ns = strtod(optarg, NULL) * 1e6;
		else if (opt == 's')
			b.seed = strtoull(optarg, NULL, 0);
		else if (opt == 'j')
			b.json = fopen(optarg, "ae");
		else
			return 2;
	}
	if (optind + 2 != argc || b.rounds < 1 || b.rounds > MEASURE_ROUNDS_MAX || !b.json)
		return 2;
	err = vethgen_open(&b.gen);
	if (err)
		return 1;
	err = contests_read(&b, argv[optind + 1]);
	if (!err)
		err = bench_rounds(&b);
	for (size_t i = 0; i < b.n; i++) {
		if (!err)
			contest_print(&b, &b.v[i], argv[optind]);
		vethgen_pair_close(&b.v[i].ends);
		vethgen_traffic_free(&b.v[i].frames);
	}
	vethgen_close(&b.gen);
	vec_fini(&b);
	return err ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} verbs[] = { { "attach", run_attach }, { "send", run_send } };

	if (argc > 1 && !strcmp(argv[1], "run"))
		return run_contests(argc - 1, argv + 1);
	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 2, argv + 2);
	fprintf(stderr, "usage: see the head of bench/bench_veth.c\n");
	return 2;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast `fwctl replay` judges a capture offline: reading, direction, clock, and the reference with its flows.
 *
 *   bench_replay [-n ROUNDS] [-s SEED] [-j JSON-FILE]
 *
 * A million packets in a pcap file in memory. CPU time of this thread, median of the rounds; each begins with empty
 * tables.
 */
#include "base/arena.h"
#include "base/cleanup.h"
#include "bench/measure.h"
#include "bench/ruletext.h"
#include "fwctl/replay.h"
#include "harness/framegen.h"
#include "lang/lang.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PACKETS 1000000u
#define FLOWS	100000u
#define TARGET	1e6	    /* packets a second */
#define LOCAL	0xc0000201u /* 192.0.2.1 */

struct bench {
	unsigned int rounds;
	uint64_t seed;
	FILE *json;
	char path[32]; /* of the capture */
};

static void put_packet(FILE *f, uint64_t number, const uint8_t *frame, uint32_t len)
{
	uint64_t us = number * 10;
	uint32_t head[4] = { 1700000000 + (uint32_t)(us / 1000000), (uint32_t)(us % 1000000), len, len };

	fwrite(head, sizeof(head), 1, f);
	fwrite(frame, len, 1, f);
}

/* Ten packets of each flow, all flows in turn: SYN, SYN ACK, and eight that follow. */
static void put_flow_packet(FILE *f, uint64_t number)
{
	unsigned int flow = (unsigned int)(number % FLOWS), turn = (unsigned int)(number / FLOWS);
	struct packet_spec s = { .family = FAMILY_IPV4, .protocol = 6, .has_ports = true, .has_flags = true };
	uint32_t host = 0x0b000000 + flow * 7;
	bool out = turn % 2;
	uint8_t frame[128];

	s.src = out ? LOCAL : host;
	s.dst = out ? host : LOCAL;
	s.sport = out ? 443 : (uint16_t)(1024 + flow % 60000);
	s.dport = out ? (uint16_t)(1024 + flow % 60000) : 443;
	s.flags = turn == 0 ? 2 : turn == 1 ? 18 : 16;
	put_packet(f, number, frame, (uint32_t)packet_build(&s, frame, sizeof(frame)));
}

/* policy NULL: flows, for which there is a target; else packets that its rules match, each rule as often as any other. */
static int capture_make(struct bench *b, const struct policy *policy)
{
	static const uint32_t head[6] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1 };
	int fd = memfd_create("capture", 0), copy = fd < 0 ? -1 : dup(fd);
	auto_fclose FILE *f = copy < 0 ? NULL : fdopen(copy, "w");
	const struct chain *chain = policy ? &policy->chain[DIRECTION_INGRESS] : NULL;
	struct framegen fg;

	if (!f)
		return -1;
	snprintf(b->path, sizeof(b->path), "/proc/self/fd/%d", fd);
	fwrite(head, sizeof(head), 1, f);
	framegen_init(&fg, chain, b->seed);
	for (uint64_t i = 0; i < PACKETS; i++) {
		uint8_t frame[FRAMEGEN_MAX];
		size_t len =
			policy ? framegen_match(&fg, prng_below(&fg.prng, chain->nrules), frame, sizeof(frame)) : 0;

		if (policy)
			put_packet(f, i, frame, (uint32_t)len);
		else
			put_flow_packet(f, i);
	}
	return fflush(f) || ferror(f) ? -1 : fd;
}

/* One run over the capture: CPU ns per packet; negative: it failed. */
static double replay_once(struct bench *b, const struct policy *policy, size_t *ret_flows)
{
	struct replay_source s = {};
	struct replay_packet p;
	struct judged said;
	struct judge j;
	double start;
	int got = judge_open(&j, policy);

	if (got || replay_local_add(&s, "192.0.2.1") || capture_open(b->path, &s.fail, &s.capture))
		return -1;
	start = measure_cpu_ns();
	while ((got = replay_next(&s, &p)) > 0) {
		judge_clock(&j, JUDGE_START_NS + p.elapsed_ns);
		judge_packet(&j, p.dir, p.frame, p.len, NULL, NULL, &said);
	}
	start = measure_cpu_ns() - start;
	*ret_flows = track_flows(j.track);
	capture_close(s.capture);
	free(s.local.v);
	judge_close(&j);
	return got ? -1 : start / PACKETS;
}

static int row(struct bench *b, const char *id, const char *text, const char *rules, bool flows)
{
	struct arena *arena cleanup(arena_freep) = arena_new();
	double ns[MEASURE_ROUNDS_MAX], median;
	struct ruleset *rs = NULL;
	struct diags d;
	size_t kept = 0;
	int fd;

	diags_init(&d, arena);
	if (!rules || lang_parse(arena, "bench", rules, strlen(rules), NULL, &d, &rs))
		return -1;
	fd = capture_make(b, flows ? NULL : &rs->policies[0]);
	if (fd < 0)
		return -1;
	for (unsigned int i = 0; i <= b->rounds; i++) { /* the first one warms up */
		double one = replay_once(b, &rs->policies[0], &kept);

		if (one < 0)
			return -1;
		if (i)
			ns[i - 1] = one;
	}
	close(fd);
	diags_fini(&d);
	median = measure_median(ns, b->rounds);
	printf("  %-58s %8.0f %10.2f %9zu  %s\n", text, median, 1e3 / median, kept,
	       !flows ? "" : 1e9 / median < TARGET ? "MISSED" : "met");
	if (b->json)
		fprintf(b->json,
			"{\"bench\":\"replay\",\"id\":\"%s\",\"ns\":%.1f,\"packets_per_s\":%.0f,\"flows\":%zu}\n", id,
			median, 1e9 / median, kept);
	return 0;
}

static int table(struct bench *b)
{
	static const char web[] = "policy web {\n\tingress default drop {\n\t\tpass proto tcp to port { 80, 443 } keep "
				  "state\n\t\tpass proto "
				  "icmp\n\t}\n\tegress default pass {\n\t\tpass keep state\n\t}\n}\n";
	static const char bastion[] =
		"set banned { type prefix; live; timeout 1h; widen }\npolicy bastion {\n\tingress default drop {\n"
		"\t\tdrop from @banned\n\t\tpass proto tcp to port 443 keep state limit 6/m burst 10 per src/64 else "
		"ban "
		"@banned\n\t}\n\tegress default drop {\n\t\tpass proto tcp to port 443 keep state\n\t}\n}\n";
	struct arena *arena cleanup(arena_freep) = arena_new();
	const char *thousand = ruletext_make(arena, b->seed, RULEGEN_FW, 1000);
	const char *kept =
		thousand ? ruletext_add_rule(arena, thousand, "pass proto tcp to port 443 keep state") : NULL;
	int err;

	printf("\nfwctl replay, offline, a capture of %u packets, %u flows where there are any\n", PACKETS, FLOWS);
	printf("  %-58s %8s %10s %9s  (%.0f M/s)\n", "", "ns", "M packets/s", "flows", TARGET / 1e6);
	err = row(b, "web", "a web server that keeps state", web, true);
	err = err ? err : row(b, "bastion", "a bastion: state, a limit per source, bans", bastion, true);
	err = err ? err : row(b, "rules_1000_state", "1,000 rules, the last one keeps state", kept, true);
	return err ? err : row(b, "rules_1000", "1,000 rules without state, packets for each of them", thousand, false);
}

int main(int argc, char **argv)
{
	struct bench b = { .seed = 20260101, .rounds = 3 };
	auto_fclose FILE *json = NULL;
	int opt;

	while ((opt = getopt(argc, argv, "n:s:j:")) != -1) {
		switch (opt) {
		case 'n':
			b.rounds = (unsigned int)strtoul(optarg, NULL, 0);
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
	if (b.rounds < 1 || b.rounds > MEASURE_ROUNDS_MAX)
		return 2;
	b.json = json;
	if (measure_pin() < 0 || table(&b)) {
		fprintf(stderr, "bench: replay failed\n");
		return 1;
	}
	return 0;
}

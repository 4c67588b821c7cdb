// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a packet costs: the shipped program on rule sets and address lists of growing size, beside nothing, parsing
 * alone and the kernel's own longest-prefix-match trie. See bench/README.md for the method.
 *
 *   bench_packet [-r REPEAT] [-n ROUNDS] [-s SEED] [-j JSON-FILE] [-e rows|lists] [-p]
 *
 * -e: by this engine instead of the one that the compiler chooses. -p: the sizes of the plots instead of those of the tables.
 */
#include "base/cleanup.h"
#include "bench/packet.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int bench_tables(struct packet_bench *b)
{
	static const size_t sizes[] = { 1, 8, 64, 1000, 10000, 100000 };
	int err = packet_steps(b);

	if (!err)
		err = packet_rules(b, sizes, COUNT(sizes), true);
	if (!err)
		err = packet_list_file(b, "country-v4.netset");
	if (!err)
		err = packet_list_file(b, "ipsum.tsv");
	return err ? err : packet_list_seeded(b, 1000000);
}

static int bench_plots(struct packet_bench *b)
{
	static const size_t sizes[] = { 1, 8, 64, 256, 1000, 4000, 10000, 30000, 100000 };
	static const size_t prefixes[] = { 10, 100, 1000, 10000, 100000, 1000000 };
	int err = packet_rules(b, sizes, COUNT(sizes), false);

	for (size_t i = 0; !err && i < COUNT(prefixes); i++)
		err = packet_list_seeded(b, prefixes[i]);
	return err;
}

int main(int argc, char **argv)
{
	struct packet_bench b = { .seed = 20260101, .m = { .rounds = 7, .repeat = 1000000 } };
	auto_fclose FILE *json = NULL;
	bool plots = false;
	int opt, err;

	while ((opt = getopt(argc, argv, "r:n:s:j:e:p")) != -1) {
		switch (opt) {
		case 'r':
			b.m.repeat = strtoul(optarg, NULL, 0);
			break;
		case 'n':
			b.m.rounds = strtoul(optarg, NULL, 0);
			break;
		case 's':
			b.seed = strtoull(optarg, NULL, 0);
			break;
		case 'j':
			json = fopen(optarg, "ae");
			break;
		case 'e':
			workload_engine(!strcmp(optarg, "lists") ? ENGINE_LISTS : !strcmp(optarg, "rows") ? ENGINE_ROWS : ENGINE_AUTO);
			break;
		case 'p':
			plots = true;
			break;
		default:
			return 2;
		}
	}
	if (b.m.rounds < 1 || b.m.rounds > MEASURE_ROUNDS_MAX || b.m.repeat < 1)
		return 2;
	b.m.json = json;
	err = measure_pin() < 0 ? -1 : packet_bench_open(&b);
	if (!err)
		err = plots ? bench_plots(&b) : bench_tables(&b);
	packet_bench_close(&b);
	return err ? 1 : 0;
}

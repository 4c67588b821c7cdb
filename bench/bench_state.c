// SPDX-License-Identifier: GPL-2.0-only
/*
 * What state, live sets and limits cost: packets, over the same policy without them, and commands. See bench/README.md for the method.
 *
 *   bench_state [-r REPEAT] [-n ROUNDS] [-s SEED] [-j JSON-FILE] [-N ELEMENTS] [PART]… [INTERFACE PEER]
 *
 * PART: unused, live, flows, limits, events, commands, flood; all of them. The last two need an interface that is free, the other end
 * of its pair, and a namespace of their own, which /run/netns calls "bench".
 */
#include "base/cleanup.h"
#include "bench/state.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *ifname, *peer;
static size_t elements = 1000000;

static int part_live(struct packet_bench *b)
{
	return state_live(b, elements);
}

static int part_commands(struct packet_bench *b)
{
	return ifname ? state_commands(b, ifname, elements) : 0;
}

static int part_flood(struct packet_bench *b)
{
	return peer ? state_flood(b, ifname, peer) : 0;
}

static const struct part {
	const char *name;
	int (*run)(struct packet_bench *b);
} parts[] = {
	{ "unused", state_unused }, { "live", part_live }, { "flows", state_flows }, { "limits", state_limits },
			{ "events", state_events }, { "commands", part_commands },
	{ "flood", part_flood },
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

static int run(struct packet_bench *b, char **names, size_t n)
{
	bool any = false;
	int err = 0;

	for (size_t i = 0; i < n; i++) {
		bool part = false;

		for (size_t k = 0; k < PARTS; k++)
			part = part || !strcmp(names[i], parts[k].name);
		if (part)
			any = true;
		else if (ifname)
			peer = names[i];
		else
			ifname = names[i];
	}
	for (size_t k = 0; !err && k < PARTS; k++) {
		bool wanted = !any;

		for (size_t i = 0; i < n; i++)
			wanted = wanted || !strcmp(names[i], parts[k].name);
		if (wanted)
			err = parts[k].run(b);
	}
	return err;
}

int main(int argc, char **argv)
{
	struct packet_bench b = { .seed = 20260101, .m = { .rounds = 7, .repeat = 1000000 } };
	auto_fclose FILE *json = NULL;
	int opt, err;

	while ((opt = getopt(argc, argv, "r:n:s:j:N:")) != -1) {
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
		case 'N':
			elements = strtoul(optarg, NULL, 0);
			break;
		default:
			return 2;
		}
	}
	if (b.m.rounds < 1 || b.m.rounds > MEASURE_ROUNDS_MAX || b.m.repeat < 1 || elements < 1000)
		return 2;
	b.m.json = json;
	err = measure_pin() < 0 ? -1 : packet_bench_open(&b);
	if (!err)
		err = run(&b, argv + optind, (size_t)(argc - optind));
	if (!err)
		state_summary();
	packet_bench_close(&b);
	return err ? 1 : 0;
}

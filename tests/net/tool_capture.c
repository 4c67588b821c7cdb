// SPDX-License-Identifier: GPL-2.0-only
/*
 * A capture full of flows, aimed at the rules of a file.
 *
 *   tool_capture RULES.fw SEED PACKETS CAPTURE.pcapng [DIVISOR]
 *
 * Packets in both directions, as flowgen makes them for the file's first policy: their way in epb_flags, their clock in
 * nanoseconds, divided (flowgen waits for timeouts; limits want it faster), on interface eth0. Frames that the kernel
 * would not take for a test run are left out.
 */
#include "base/arena.h"
#include "harness/flowgen.h"
#include "harness/lab.h"
#include "harness/rules_file.h"
#include "lang/lang.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(FILE *f, const uint32_t *v, size_t n)
{
	if (fwrite(v, 4, n, f) != n)
		lab_die("cannot write");
}

/* A section, and one interface: eth0, Ethernet, nanoseconds. */
static void put_head(FILE *f)
{
	static const uint32_t head[] = { 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, ~0u, ~0u, 28 };
	uint32_t iface[] = { 1, 44, 1, 0, 2 | 4 << 16, 0, 9 | 1 << 16, 9, 0, 0, 44 };

	memcpy(&iface[5], "eth0", 4);
	put(f, head, 7);
	put(f, iface, 11);
}

static void put_packet(FILE *f, const struct flowgen_step *s, uint64_t now)
{
	uint32_t len = (uint32_t)s->len, padded = (len + 3) & ~3u, total = 28 + padded + 12 + 4;
	uint32_t head[] = { 6, total, 0, (uint32_t)(now >> 32), (uint32_t)now, len, len };
	uint32_t tail[] = { 2 | 4 << 16, s->dir == DIRECTION_EGRESS ? 2 : 1, 0, total };

	put(f, head, 7);
	if (fwrite(s->frame, 1, len, f) != len || fwrite("\0\0\0", 1, padded - len, f) != padded - len)
		lab_die("cannot write");
	put(f, tail, 4);
}

int main(int argc, char **argv)
{
	static const struct flowgen_opts opts = { .no_meta = true, .no_swaps = true, .no_live = true };
	static struct flowgen_step s;
	struct arena *arena = arena_new();
	uint64_t now = 1700000000000000000, divisor = argc == 6 ? strtoull(argv[5], NULL, 0) : 1;
	struct flowgen *g;
	FILE *f;
	long left;

	if ((argc != 5 && argc != 6) || !divisor)
		lab_die("usage: tool_capture RULES.fw SEED PACKETS CAPTURE.pcapng [DIVISOR]");
	g = flowgen_new(arena, rules_file(arena, argv[1]), &opts, strtoull(argv[2], NULL, 0));
	f = fopen(argv[4], "w");
	if (!g || !f)
		lab_die("cannot write %s", argv[4]);
	put_head(f);
	for (left = strtol(argv[3], NULL, 0); left > 0;) {
		if (!flowgen_next(g, &s))
			lab_die("no memory");
		if (s.kind == FLOWGEN_CLOCK)
			now = 1700000000000000000 + (s.now_ns - FLOWGEN_START_NS) / divisor;
		if (s.kind != FLOWGEN_FRAME || s.len < 60 || s.len > 3000)
			continue;
		put_packet(f, &s, now);
		left--;
	}
	if (fclose(f))
		lab_die("cannot write %s", argv[4]);
	arena_free(arena);
	return 0;
}

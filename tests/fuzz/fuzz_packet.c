// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes → one of a few small policies, metadata, a cut, a frame: the datapath's own source must say what the oracle says.
 */
#include "host/shim.h"

#include "host/expect.h"

#define POLICIES 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct policy *policy;
	struct image image;
	uint32_t nslots;
} sets[POLICIES];

static void prepare(void)
{
	static struct arena *arena; /* lives as long as the program */
	struct prng prng;
	size_t i;

	arena = arena_new();
	prng_init(&prng, 1);
	for (i = 0; i < POLICIES; i++) {
		struct rulegen_opts opts = { .nrules = i % 8 == 7 ? 100 : 2 + i, .directions = 1, .essentials = i & 1 };

		sets[i].policy = rulegen_policy(arena, &prng, &opts);
		if (!sets[i].policy)
			abort();
		sets[i].nslots = expect_compile(arena, sets[i].policy, FW_DIR_INGRESS, &sets[i].image);
	}
}

/* Byte 0: policy. 1: linear part. 2 and 3: tag in metadata when byte 2 has its top bit. The rest is the frame. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int live = -1;
	struct packet_meta meta;
	struct fw_trace t;
	struct expect e;
	size_t linear;
	int k;

	if (!sets[0].policy)
		prepare();
	if (size < 4)
		return 0;
	k = data[0] % POLICIES;
	meta = (struct packet_meta){ data[2] >> 7, (data[2] & 127) << 8 | data[3] };
	linear = data[1] == 255 || data[1] > size - 4 ? size - 4 : data[1];
	if (live != k)
		shim_open(&sets[k].image, FW_DIR_INGRESS, 0, sets[k].nslots);
	live = k;
	e = expect_frame(sets[k].policy, &sets[k].image, FW_DIR_INGRESS, data + 4, size - 4, &meta);
	t = shim_run(data + 4, size - 4, linear, &meta);
	if (!expect_same(&e, &t)) {
		expect_report(sets[k].policy, FW_DIR_INGRESS, data + 4, size - 4, &meta, &e, &t);
		abort();
	}
	return 0;
}

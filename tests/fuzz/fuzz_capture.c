// SPDX-License-Identifier: GPL-2.0-only
/* Bytes → packets of a capture: whatever they say, what is handed out is whole, and the end is told. */
#include "fwctl/capture.h"

#include "model/packet.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
	if (!good)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct capture *c = NULL;
	struct fail fail = {};
	struct capture_packet p;
	struct packet parsed;
	uint64_t number = 0;
	int got = capture_open_bytes("fuzz", data, size, &fail, &c);

	check(!got == !!c);
	while (c && (got = capture_next(c, &p)) == 1) {
		check(p.number == ++number && !p.skip == !!p.frame);
		if (p.skip)
			continue;
		check(p.have <= p.len && p.len <= CAPTURE_MAX_FRAME && p.cut == (p.have < p.len));
		packet_parse(p.frame, p.len, NULL, &parsed);
	}
	check(got >= 0 || (fail.err == got && *fail.text));
	capture_close(c);
	return 0;
}

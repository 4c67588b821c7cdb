/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel shows as metrics. Labels are names from rules and interfaces, never anything from a packet. */
#ifndef FW_FWCTL_METRICS_H
#define FW_FWCTL_METRICS_H

#include "fwctl/openmetrics.h"
#include "fwctl/stat.h"

/* Which rules get series of their own. */
enum metrics_rules { METRICS_ALL, METRICS_LABELLED, METRICS_NONE };
#define METRICS_RULES "all|labelled|none"

struct metrics {
	struct live live; /* opened and released by each metrics_text */
	enum metrics_rules rules;
	uint64_t wall_ns; /* wall clock - CLOCK_MONOTONIC: kept, so that times of packets do not tremble */
};

/*
 * Take the lock, look, give the lock back, and append the text. What cannot be read is left out: fwctl_scrape_success says so, and so
 * does the status, after a sentence. Without the lock nothing is appended.
 */
int metrics_text(struct metrics *m, enum om_format format, struct str *out);

/*
 * Answer GET /metrics until a signal ends us. `where`: "unix:PATH", "127.0.0.1:PORT", "[::1]:PORT", "systemd" for the sockets that we
 * were started with. Returns enum status.
 */
int metrics_serve(struct metrics *m, const char *where);

#endif

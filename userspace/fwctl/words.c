// SPDX-License-Identifier: GPL-2.0-only
/* The words of the contract, once. */
#include "fwctl/words.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

const char *word_dir(unsigned int dir)
{
	return dir == FW_DIR_EGRESS ? "egress" : "ingress";
}

const char *word_verdict(unsigned int v)
{
	static const char *const words[] = {
		[FW_VERDICT_DROP] = "drop",
		[FW_VERDICT_PASS] = "pass",
		[FW_VERDICT_CONTINUE] = "count",
		[FW_VERDICT_REJECT] = "reject",
	};

	return v < FW_VERDICT_COUNT ? words[v] : "?";
}

static const struct {
	const char *word, *text;
} reasons[] = {
#define FW_X(id, word, text) [FW_REASON_##id] = { word, text },
	FW_REASONS(FW_X)
#undef FW_X
};

const char *word_reason(unsigned int reason)
{
	return reason < FW_REASON_COUNT ? reasons[reason].word : "?";
}

const char *word_reason_text(const char *word)
{
	for (size_t i = 0; i < FW_REASON_COUNT; i++)
		if (!strcmp(reasons[i].word, word))
			return reasons[i].text;
	return "";
}

const char *word_hook(enum fw_hook hook)
{
	static const char *const words[] = {
		[FW_HOOK_XDP] = "xdp", [FW_HOOK_TC_INGRESS] = "tc-ingress", [FW_HOOK_TC_EGRESS] = "tc-egress"
	};

	return hook < FW_HOOK_COUNT ? words[hook] : "?";
}

const char *word_mode(enum fw_hook hook, enum kern_mode mode)
{
	if (hook != FW_HOOK_XDP)
		return "tc";
	return mode == KERN_MODE_GENERIC ? "generic" : "native";
}

const char *word_link(enum kern_link link)
{
	static const char *const words[] = { [KERN_LINK_XDP] = "xdp-link",
					     [KERN_LINK_TCX] = "tcx",
					     [KERN_LINK_CLSACT] = "clsact",
					     [KERN_LINK_DISPATCHER] = "dispatcher" };

	return link <= KERN_LINK_DISPATCHER ? words[link] : "?";
}

enum fw_dir hook_dir(enum fw_hook hook)
{
	return hook == FW_HOOK_TC_EGRESS ? FW_DIR_EGRESS : FW_DIR_INGRESS;
}

const char *word_time(uint64_t ns)
{
	static char buf[32];
	time_t t = (time_t)(ns / 1000000000u);
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return "?";
	return buf;
}

static char *ring_next(void)
{
	static char ring[8][48];
	static unsigned int next;

	return ring[next++ % 8];
}

const char *word_ago(uint64_t now_ns, uint64_t then_ns)
{
	char *s = ring_next();
	uint64_t n = now_ns > then_ns ? (now_ns - then_ns) / 1000000000u : 0; /* the clocks differ by a tick */

	if (!then_ns)
		return "-";
	if (n < 60)
		snprintf(s, 48, "%llus ago", (unsigned long long)n);
	else if (n < 3600)
		snprintf(s, 48, "%llum ago", (unsigned long long)n / 60);
	else if (n < 86400)
		snprintf(s, 48, "%lluh ago", (unsigned long long)n / 3600);
	else
		snprintf(s, 48, "%llud ago", (unsigned long long)n / 86400);
	return s;
}

const char *word_count(uint64_t n, const char *noun)
{
	char *s = ring_next();
	size_t len = strlen(noun);

	/* The only irregular noun of this program. */
	if (n != 1 && len && noun[len - 1] == 'y')
		snprintf(s, 48, "%llu %.*sies", (unsigned long long)n, (int)len - 1, noun);
	else
		snprintf(s, 48, "%llu %s%s", (unsigned long long)n, noun, n == 1 ? "" : "s");
	return s;
}

const char *word_bytes(uint64_t n)
{
	char *s = ring_next();

	if (n < 1024)
		snprintf(s, 48, "%llu B", (unsigned long long)n);
	else if (n < 1024 * 1024)
		snprintf(s, 48, "%.1f KiB", (double)n / 1024);
	else
		snprintf(s, 48, "%.1f MiB", (double)n / (1024 * 1024));
	return s;
}

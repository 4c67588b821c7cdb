// SPDX-License-Identifier: GPL-2.0-only
/* stats: packets and bytes per interface and hook, by verdict, reason and rule; once, or again and again with rates. */
#include "base/instant.h"
#include "fwctl/cmd.h"
#include "fwctl/out.h"
#include "fwctl/stat.h"
#include "fwctl/words.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stats {
	struct live live;
	const char *ifname;
	bool rules, json, watch;
	struct timespec interval;
	unsigned long count; /* blocks to print; 0: until interrupted */
	struct stat_snap now, before;
};

struct rate {
	bool known;
	double packets, bits; /* per second */
};

/* A counter that went down belongs to another rule now: no rate. */
static struct rate rate_of(const struct stats *st, struct fw_counter now, const struct fw_counter *before)
{
	double s = (double)(st->now.at_ns - st->before.at_ns) / 1e9;

	if (!before || s <= 0 || now.packets < before->packets || now.bytes < before->bytes)
		return (struct rate){};
	return (struct rate){ true, (double)(now.packets - before->packets) / s,
			      8.0 * (double)(now.bytes - before->bytes) / s };
}

static void row_add(const struct stats *st, struct table *t, const char *what, const char *name, const char *text,
		    struct fw_counter now, uint64_t last_ns, const struct fw_counter *before)
{
	char packets[24], bytes[24], pps[32] = "-", bps[32] = "-";
	const char *cell[TABLE_COLUMNS] = { what, name, packets, bytes };
	size_t n = 4;
	struct rate r = rate_of(st, now, before);

	snprintf(packets, sizeof(packets), "%" PRIu64, (uint64_t)now.packets);
	snprintf(bytes, sizeof(bytes), "%" PRIu64, (uint64_t)now.bytes);
	if (r.known) {
		snprintf(pps, sizeof(pps), "%.0f", r.packets);
		snprintf(bps, sizeof(bps), "%.0f", r.bits);
	}
	if (st->watch) {
		cell[n++] = pps;
		cell[n++] = bps;
	}
	cell[n++] = word_ago(st->now.at_ns, last_ns);
	if (st->rules)
		cell[n++] = text;
	table_row(t, cell);
}

static const char *rule_place(const struct stat_hook *h, const struct fw_meta_rule *r)
{
	static struct str s;
	const char *file = image_str(h->image, r->file);

	str_reset(&s);
	if (r->flags & FW_RULEF_ESSENTIAL) {
		str_add(&s, "essential");
	} else {
		str_add_escaped(&s, file, strlen(file));
		str_addf(&s, ":%u", r->line);
	}
	return str_get(&s);
}

static void rules_add(const struct stats *st, struct table *t, const struct stat_hook *h, const struct stat_hook *old)
{
	size_t n;
	const struct fw_meta_rule *r = image_rules(h->image, hook_dir(h->hook), &n);

	for (size_t i = 0; i < n; i++) {
		struct fw_counter was = old ? stat_slot(old, r[i].slot) : (struct fw_counter){};
		row_add(st, t, "rule", rule_place(h, &r[i]), image_str(h->image, r[i].text), stat_slot(h, r[i].slot),
			stat_slot_last(h, r[i].slot), old ? &was : NULL);
	}
}

/* What ends a walk. Who has no rule that rejects is not told of it, but by JSON, which always has the same fields. */
static const enum fw_verdict verdicts[] = { FW_VERDICT_PASS, FW_VERDICT_DROP, FW_VERDICT_REJECT };
#define VERDICTS (sizeof(verdicts) / sizeof(verdicts[0]))

static void hook_print(const struct stats *st, const struct stat_hook *h)
{
	const struct stat_hook *old = snap_find(&st->before, h);
	const char *head[TABLE_COLUMNS] = { "what", "name", ">packets", ">bytes" };
	struct table t;
	size_t n = 4;

	if (st->watch) {
		head[n++] = ">packets/s";
		head[n++] = ">bit/s";
	}
	head[n++] = ">last";
	if (st->rules)
		head[n++] = "rule";
	table_head(&t, n, head);
	row_add(st, &t, "total", "", "", h->total, h->last_ns, old ? &old->total : NULL);
	for (size_t i = 0; i < VERDICTS; i++)
		if (verdicts[i] != FW_VERDICT_REJECT || h->image->features & FW_FEAT_REJECT || h->verdict[verdicts[i]].packets)
			row_add(st, &t, "verdict", word_verdict(verdicts[i]), "", h->verdict[verdicts[i]],
				stat_verdict_last(h, verdicts[i]), old ? &old->verdict[verdicts[i]] : NULL);
	for (unsigned int r = 0; r < FW_REASON_COUNT; r++)
		if (h->reason[r].packets || r == FW_REASON_RULE || r == FW_REASON_DEFAULT)
			row_add(st, &t, "reason", word_reason(r), "", h->reason[r],
				stat_reason_last(h, r), old ? &old->reason[r] : NULL);
	if (st->rules)
		rules_add(st, &t, h, old);
	out("%s %s %s: policy %s, generation %" PRIu64 "\n", out_name(h->name), word_hook(h->hook),
	    word_mode(h->hook, h->mode), h->policy, h->generation);
	table_print(&t, "  ");
}

static json_t *counter_json(struct fw_counter c)
{
	return json_pack("{s:I,s:I}", "packets", (json_int_t)c.packets, "bytes", (json_int_t)c.bytes);
}

/* In milliseconds, about what a timer tick is. */
static json_t *last_json(const struct stats *st, uint64_t ns)
{
	struct str s = {};
	json_t *j;

	if (!ns)
		return json_null();
	instant_add(&s, stat_real(&st->now, ns) / 1000000 * 1000000);
	j = json_string(str_get(&s));
	str_fini(&s);
	return j;
}

static json_t *rules_json(const struct stats *st, const struct stat_hook *h)
{
	json_t *rules = json_array();
	size_t n;
	const struct fw_meta_rule *r = image_rules(h->image, hook_dir(h->hook), &n);

	for (size_t i = 0; i < n; i++) {
		struct fw_counter c = stat_slot(h, r[i].slot);
		json_array_append_new(
			rules,
			json_pack("{s:o,s:o,s:I,s:o,s:s,s:b,s:I,s:I,s:o}", "id", out_jstr(image_str(h->image, r[i].id)),
				  "file", out_jstr(image_str(h->image, r[i].file)), "line", (json_int_t)r[i].line,
				  "text", out_jstr(image_str(h->image, r[i].text)), "verdict",
				  word_verdict(r[i].verdict), "essential", (int)(r[i].flags & FW_RULEF_ESSENTIAL),
				  "packets", (json_int_t)c.packets, "bytes", (json_int_t)c.bytes, "last",
				  last_json(st, stat_slot_last(h, r[i].slot))));
	}
	return rules;
}

static json_t *hook_json(const struct stats *st, const struct stat_hook *h)
{
	const struct stat_hook *old = snap_find(&st->before, h);
	struct rate rate = rate_of(st, h->total, old ? &old->total : NULL);
	json_t *ends = json_object(), *reasons = json_object(), *retired = json_object(), *j;

	for (size_t i = 0; i < VERDICTS; i++) {
		json_object_set_new(ends, word_verdict(verdicts[i]), counter_json(h->verdict[verdicts[i]]));
		json_object_set_new(retired, word_verdict(verdicts[i]), counter_json(h->counters.retired[verdicts[i]]));
	}
	for (unsigned int r = 0; r < FW_REASON_COUNT; r++)
		json_object_set_new(reasons, word_reason(r), counter_json(h->reason[r]));
	j = json_pack("{s:s,s:s,s:I,s:I,s:o,s:o,s:o,s:o,s:o}", "hook", word_hook(h->hook), "mode",
		      word_mode(h->hook, h->mode), "packets", (json_int_t)h->total.packets, "bytes",
		      (json_int_t)h->total.bytes, "verdicts", ends, "reasons", reasons, "rules", rules_json(st, h),
		      "retired", retired, "last", last_json(st, h->last_ns));
	if (j && rate.known) {
		json_object_set_new(j, "packets_per_second", json_real(rate.packets));
		json_object_set_new(j, "bits_per_second", json_real(rate.bits));
	}
	return j;
}

/* Hooks of one interface stand together in a snapshot. */
static int snap_json(const struct stats *st)
{
	json_t *ifaces = json_array(), *hooks = NULL;

	for (size_t i = 0; i < st->now.n; i++) {
		const struct stat_hook *h = &st->now.v[i];
		if (!i || h[-1].ifindex != h->ifindex || strcmp(h[-1].name, h->name)) {
			hooks = json_array();
			json_array_append_new(ifaces,
					      json_pack("{s:o,s:I,s:o,s:I,s:o}", "name", out_jstr(h->name), "ifindex",
							(json_int_t)h->ifindex, "policy", out_jstr(h->policy),
							"generation", (json_int_t)h->generation, "hooks", hooks));
		}
		json_array_append_new(hooks, hook_json(st, h));
	}
	return out_json(json_pack("{s:o}", "interfaces", ifaces), st->watch);
}

static void snap_print(const struct stats *st)
{
	if (!st->now.n)
		out("no interface is filtered in this network namespace\n");
	for (size_t i = 0; i < st->now.n; i++)
		hook_print(st, &st->now.v[i]);
}

/* Read under the lock, print without it: a stopped terminal must not hold up an apply. */
static int block_show(struct stats *st)
{
	int status = live_again(&st->live, KERN_READ);

	if (!status && st->ifname && !live_need(&st->live, st->ifname))
		status = STATUS_REFUSED;
	if (!status)
		status = snap_take_parts(&st->live, st->ifname, 0, &st->now);
	live_release(&st->live);
	if (status)
		return status;
	if (st->json)
		return snap_json(st);
	if (st->watch && out_terminal())
		fputs("\033[H\033[J", stdout);
	snap_print(st);
	return STATUS_DONE;
}

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* Signals are taken only inside ppoll, so none is lost between the check and the sleep. */
static int watch(struct stats *st)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t block, old;
	int status;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &old);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	for (unsigned long n = 1;; n++) {
		status = block_show(st);
		if (status || ferror(stdout) || fflush(stdout) || n == st->count)
			break;
		ppoll(NULL, 0, &st->interval, &old);
		if (interrupted)
			break;
		if (!st->json && !out_terminal())
			putchar('\n');
		snap_free(&st->before);
		st->before = st->now;
		st->now = (struct stat_snap){};
	}
	return status;
}

static int watch_options(struct stats *st, const struct args *a)
{
	const char *seconds = args_get(a, "watch"), *count = args_get(a, "count");
	char *end;

	st->watch = seconds != NULL;
	double s = seconds && *seconds ? strtod(seconds, &end) : 1;
	if (seconds && *seconds && (*end || !(s >= 0.05 && s <= 86400)))
		return args_wrong(&cmd_stats, "--watch is from 0.05 to 86400 seconds, not %s", out_name(seconds));
	st->interval = (struct timespec){ .tv_sec = (time_t)s, .tv_nsec = (long)((s - (double)(time_t)s) * 1e9) };
	if (!count)
		return STATUS_DONE;
	errno = 0;
	st->count = strtoul(count, &end, 10);
	if (!st->watch || *end || errno || *count == '-' || !st->count)
		return args_wrong(&cmd_stats, "--count is how often --watch prints, at least 1");
	return STATUS_DONE;
}

static int run(const struct args *a)
{
	struct stats st = { .ifname = a->nwords ? a->word[0] : NULL,
			    .rules = args_has(a, "rules"),
			    .json = args_has(a, "json") };
	int status = watch_options(&st, a);

	if (status)
		return status;
	if (st.ifname && ifname_wrong(st.ifname))
		return STATUS_WRONG;
	status = st.watch ? watch(&st) : block_show(&st);
	snap_free(&st.now);
	snap_free(&st.before);
	live_close(&st.live);
	return status;
}

const struct command cmd_stats = {
	.name = "stats",
	.run = run,
	.usage = "[IFACE] [--rules] [--watch[=SECONDS]] [--count=N] [--json]",
	.help = "Count packets and bytes per interface, verdict, reason and rule.",
	.more = "Every packet is in exactly one verdict and one reason, so both add up to the total. Counters follow a "
		"rule's label, or its "
		"text when it has none, across apply; packets of rules that are gone stay in the totals. "
		"\"last\" is when the last packet came, \"-\" when none has.\n\n"
		"--watch prints again every SECONDS (1) with rates, in place on a terminal, until interrupted; with "
		"--json, one line each "
		"time.",
	.kind = ARGS_IFACES,
	.max = 1,
	.options =
		{
			{.name = "rules", .help = "one line per rule, too (JSON always has them)"},
			{.name = "watch",
			 .arg = "SECONDS",
			 .optional = true,
			 .help = "print again and again, with rates"},
			{.name = "count", .arg = "N", .help = "with --watch: stop after N times"},
			{.name = "json", .help = "print JSON"},
		},
};

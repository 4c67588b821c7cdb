// SPDX-License-Identifier: GPL-2.0-only
/* tap: copies of packets, as a capture or as lines. */
#include "base/cleanup.h"
#include "base/duration.h"
#include "fwctl/cmd.h"
#include "fwctl/out.h"
#include "fwctl/taps.h"
#include "fwctl/words.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRAIN_NS   1000000000u
#define SNAP	   2048 /* whole frames of Ethernet */
#define SNAP_MIN   64

/* The programs become what they were. Whatever happens, the next command that writes can do it for us. */
static int taps_stop(struct taps *t)
{
	struct live l = {};
	int status = t->n ? live_lock(&l, KERN_WRITE) : STATUS_DONE;

	for (size_t i = 0; i < t->n && !status; i++) {
		int err = kern_tap_stop(l.kern, t->v[i].tap);
		if (err) {
			problem_fail(&l.fail, err);
			status = STATUS_REFUSED;
		}
	}
	live_close(&l);
	return status;
}

static int opts_make(const struct taps *t, const struct follow_policy *p, struct kern_tap_opts *o)
{
	*o = (struct kern_tap_opts){
		.verdicts = t->follow.pick.verdicts,
		.reasons = t->follow.pick.reasons,
		.slot = p->picked.slot,
		.nslots = p->picked.n,
		.snap = t->snap,
	};
	/* More of them are looked at here. */
	if (t->follow.nifnames && t->follow.nifindex <= FW_TAP_PICKS) {
		o->ifindex = t->follow.ifindex;
		o->nifs = t->follow.nifindex;
	}
	if (p->picked.n <= FW_TAP_PICKS)
		return STATUS_DONE;
	return args_wrong(&cmd_tap, "%zu rules are called \"%s\"; a tap picks up to %d", p->picked.n,
		out_name(t->follow.pick.rule), FW_TAP_PICKS);
}

static int tap_start(struct taps *t, struct live *l, const struct follow_policy *p)
{
	struct tapped *x = &t->v[t->n];
	struct kern_tap_opts o;
	int status = opts_make(t, p, &o);

	if (status)
		return status;
	snprintf(x->policy, sizeof(x->policy), "%s", p->name);
	int err = kern_tap_start(l->kern, p->name, &o, &x->tap);
	if (err) {
		problem_fail(&l->fail, err);
		return STATUS_REFUSED;
	}
	t->n++;
	return STATUS_DONE;
}

/* The hooks that there are stand in the capture from its start, also when no packet comes. */
static bool hooks_describe(struct taps *t, const struct live *l)
{
	bool there = true;

	for (size_t i = 0; i < l->n && there; i++) {
		bool tapped = false;
		for (size_t k = 0; k < t->n; k++)
			tapped |= !strcmp(l->iface[i].policy, t->v[k].policy);
		for (size_t k = 0; k < t->follow.nifnames && tapped; k++)
			if (!strcmp(t->follow.ifname[k], l->iface[i].name))
				break;
			else
				tapped = k + 1 < t->follow.nifnames;
		for (size_t h = 0; h < l->iface[i].nhooks && tapped && there; h++)
			there = tapfile_iface(&t->file, l->iface[i].ifindex, l->iface[i].hook[h].hook, l->iface[i].name);
	}
	return there;
}

static int taps_start(struct taps *t)
{
	struct live l;
	int status = live_open(&l, KERN_WRITE);

	if (status)
		return status;
	t->v = calloc(t->follow.n + 1, sizeof(*t->v));
	if (!t->v) {
		problem("no memory");
		status = STATUS_REFUSED;
	}
	for (size_t i = 0; i < t->follow.n && !status; i++)
		if (!t->follow.pick.rule || t->follow.v[i].picked.n)
			status = tap_start(t, &l, &t->follow.v[i]);
	if (!status && !t->n) {
		problem("no interface is filtered in this network namespace");
		status = STATUS_REFUSED;
	}
	if (!status && t->capture && !hooks_describe(t, &l)) {
		problem("no memory");
		status = STATUS_REFUSED;
	}
	/* Those that did start, before somebody else gets the lock. */
	for (size_t i = 0; status && i < t->n; i++)
		kern_tap_stop(l.kern, t->v[i].tap);
	live_close(&l);
	return status;
}

/* After the taps have ended: what the rings still hold, and how it went. */
static int finish(struct taps *t)
{
	uint64_t end = moment_now().mono + DRAIN_NS;
	struct sink *s = taps_sink(t);
	bool more = true;

	while (!s->broken && !s->err && !t->fail.err && !t->file.fail.err && more &&
	       (t->shown < t->count || !t->count) && moment_now().mono < end)
		if (!taps_pass(t, &more))
			break;
	if (t->capture && !s->broken && !s->err && s->fd >= 0)
		tapfile_close(&t->file);
	if (s->broken)
		return STATUS_DONE;
	if (t->fail.err || t->file.fail.err)
		problem_fail(t->fail.err ? &t->fail : &t->file.fail, -ENOMEM);
	else if (s->err)
		problem("cannot write %s: %s", t->file.path ? out_name(t->file.path) : "to standard output", strerror(-s->err));
	else if (s->pending.len > s->done)
		problem("whoever reads standard output does not: %zu bytes are not written", s->pending.len - s->done);
	else
		return STATUS_DONE;
	return STATUS_REFUSED;
}

static void summary(const struct taps *t)
{
	struct str s = {};
	uint64_t seen = 0;

	for (size_t i = 0; i < t->n; i++)
		seen += kern_tap_seen(t->v[i].tap);
	str_addf(&s, "copied %s, read %" PRIu64 ", lost %" PRIu64, word_count(seen, "packet"), t->read, t->lost);
	if (t->expression)
		str_addf(&s, ", not wanted by the expression %" PRIu64, t->unwanted);
	str_addf(&s, ", %s %" PRIu64, t->capture ? "wrote" : "showed", t->shown);
	problem("%s", str_get(&s));
	str_fini(&s);
}

/* "10M", "512K", "1G", "4096": bytes; "10m", "1h": a length of time. */
static int rotate_read(struct taps *t, const char *word)
{
	static const char units[] = "KMG";
	char *end;

	errno = 0;
	unsigned long long n = strtoull(word, &end, 10);
	const char *unit = *end ? strchr(units, *end) : NULL;
	if (end != word && !errno && *word != '-' && n && (!*end || (unit && !end[1]))) {
		unsigned int shift = unit ? 10u * (unsigned int)(unit - units + 1) : 0;
		if (n >> (63 - shift))
			return args_wrong(&cmd_tap, "--rotate=%s is too much", out_name(word));
		t->file.rotate_bytes = n << shift;
		return STATUS_DONE;
	}
	if (!duration_parse(word, strlen(word), &t->file.rotate_ns) && t->file.rotate_ns)
		return STATUS_DONE;
	return args_wrong(&cmd_tap, "--rotate is a size (10M) or a length of time (10m), not %s", out_name(word));
}

/* Absent: `ret` stays. */
static int number_read(const struct args *a, const char *name, unsigned long least, unsigned long most, unsigned long *ret)
{
	const char *word = args_get(a, name);
	char *end;

	if (!word)
		return STATUS_DONE;
	errno = 0;
	*ret = strtoul(word, &end, 10);
	if (*end || errno || *word == '-' || *ret < least || *ret > most)
		return args_wrong(&cmd_tap, "--%s is a number from %lu to %lu, not %s", name, least, most, out_name(word));
	return STATUS_DONE;
}

static int output_read(struct taps *t, const struct args *a)
{
	const char *path = args_get(a, "write"), *rotate = args_get(a, "rotate");
	int status = STATUS_DONE;

	t->capture = path != NULL;
	t->json = args_has(a, "json");
	t->file.path = path && strcmp(path, "-") ? path : NULL;
	if (t->capture && t->json)
		return args_wrong(&cmd_tap, "--json is of lines, not of a capture");
	if ((rotate || args_has(a, "files")) && !t->file.path)
		return args_wrong(&cmd_tap, "--rotate and --files want a file: -w FILE");
	if (args_has(a, "files") && !rotate)
		return args_wrong(&cmd_tap, "--files wants --rotate");
	if (rotate)
		status = rotate_read(t, rotate);
	if (!status && t->capture && !t->file.path && out_terminal())
		return args_wrong(&cmd_tap, "a capture is no text for a terminal: -w FILE, or | wireshark -k -i -");
	return status;
}

static int options_read(struct taps *t, const struct args *a)
{
	struct follow *f = &t->follow;
	unsigned long snap = SNAP;
	int status = output_read(t, a);
	char why[256];

	f->pick = (struct pick){ .rule = args_get(a, "rule"), .verdicts = 1u << FW_VERDICT_DROP | 1u << FW_VERDICT_REJECT, .reasons = ~0u };
	/* Who names a rule means its packets, whatever becomes of them. */
	if (f->pick.rule)
		f->pick.verdicts = ~0u;
	f->names_only = true;
	f->ifname = a->word;
	f->nifnames = a->nwords;
	t->expression = args_get(a, "filter");
	for (size_t i = 0; i < a->nwords && !status; i++)
		status = ifname_wrong(a->word[i]) ? STATUS_WRONG : STATUS_DONE;
	if (!status && args_has(a, "verdict"))
		status = pick_verdicts(&cmd_tap, args_get(a, "verdict"), &f->pick.verdicts);
	if (!status && args_has(a, "reason"))
		status = pick_reasons(&cmd_tap, args_get(a, "reason"), &f->pick.reasons);
	status = status ? status : number_read(a, "snap", SNAP_MIN, TAPS_SNAP_MAX, &snap);
	status = status ? status : number_read(a, "count", 1, ULONG_MAX, &t->count);
	status = status ? status : number_read(a, "files", 1, 1000000, &t->file.files);
	t->snap = t->file.snap = ((uint32_t)snap + 7) & ~7u;
	t->file.snap += 4; /* a tag put back */
	if (status || !t->expression)
		return status;
	t->filter = pcapfilter_new(t->expression, t->file.snap, why, sizeof(why));
	if (t->filter)
		return STATUS_DONE;
	return args_wrong(&cmd_tap, "--filter \"%s\": %s%s", out_name(t->expression), why,
			  strstr(why, "unknown host") ? "; write its address: names are not looked up" : "");
}

static int output_open(struct taps *t)
{
	t->file.signals = -1;
	if (!t->capture)
		sink_init(&t->sink, STDOUT_FILENO, -1);
	else if (tapfile_open(&t->file)) {
		problem_fail(&t->file.fail, -EIO);
		return STATUS_REFUSED;
	}
	/* From now on: before, a signal may end us as it likes, while we wait for the reader of a FIFO. */
	if (!signals_hear(&t->signals)) {
		problem("cannot hear signals: %s", strerror(errno));
		return STATUS_REFUSED;
	}
	t->file.signals = taps_sink(t)->signals = t->signals.fd;
	return STATUS_DONE;
}

static int run(const struct args *a)
{
	struct taps t = { .sink = { .fd = -1, .signals = -1 }, .file = { .sink = { .fd = -1, .signals = -1 } }, .signals = { .fd = -1 } };
	bool started = false;
	int status = options_read(&t, a);

	if (!status)
		status = follow_open(&t.follow, &cmd_tap);
	if (!status)
		status = output_open(&t);
	if (!status)
		status = taps_start(&t);
	if (!status) {
		started = true;
		/* Loading the programs takes a second: packets that went before are not seen. */
		if (isatty(STDERR_FILENO))
			problem("copies from now on; ^C ends it");
		taps_run(&t);
		status = taps_stop(&t);
		int last = finish(&t);
		status = status ? status : last;
	}
	bool broken = taps_sink(&t)->broken;
	if (started)
		summary(&t);
	for (size_t i = 0; i < t.n; i++)
		kern_tap_free(t.v[i].tap);
	free(t.v);
	free(t.queue.v);
	str_fini(&t.bytes);
	pcapfilter_free(t.filter);
	follow_close(&t.follow);
	sink_fini(&t.sink);
	tapfile_fini(&t.file);
	if (t.signals.fd >= 0)
		signals_restore(&t.signals);
	return broken ? signals_broken(&t.signals) : status;
}

const struct command cmd_tap = {
	.name = "tap",
	.run = run,
	.usage = "[IFACE...] [--rule=RULE] [--reason=WORDS] [--verdict=WORDS] [--filter=EXPRESSION] [--count=N] [--json]\n"
		 "[IFACE...] -w FILE [--rotate=SIZE|TIME [--files=N]] [--snap=BYTES] ...\n"
		 "[IFACE...] -w - ... | wireshark -k -i -",
	.help = "Copy dropped packets, or others, into a capture that Wireshark reads, with the rule that decided.",
	.more = "Without -w, a line per packet as fwctl log writes it. With -w a pcapng capture: each interface and hook is "
	"an interface of "
		"it, and each packet has a comment with verdict, rule, file and line, reason and generation.\n\n"
		"Dropped and rejected packets are copied unless --verdict says otherwise; with --rule all of that rule. Rules, reasons, "
		"verdicts and interfaces are picked in the kernel; --filter takes an expression as tcpdump does (hosts are addresses, "
		"not names; "
		"ports have the names that rules have).\n\n"
		"While it runs, the programs of the policies are others, which copy packets; they are swapped in place, and no packet "
		"goes by unjudged. When nobody taps there is nothing of it in the programs. A policy has one tap at a time. Should this "
		"command be killed, the next one that changes something puts the programs back.\n\n"
		"The kernel waits for no reader: packets overwritten before they were read are counted exactly, told on standard error at "
		"the end and in the capture (interface statistics, and the drop count of the next packet). --rotate puts a file away as "
		"FILE.1, FILE.2 and so on when it has the size (512K, 10M, 1G) or the age (10m, 1h); --files keeps that many, with the one "
		"that is written.",
	.kind = ARGS_IFACES,
	.max = 64,
	.options =
		{
			{ .letter = 'w', .name = "write", .arg = "FILE", .help = "write a capture; - is standard output" },
			{ .name = "rule", .arg = "RULE", .help = "of this rule: its label, or FILE:LINE" },
			{ .name = "reason", .arg = "REASON", .help = "of these reasons, separated by commas" },
			{ .name = "verdict", .arg = "VERDICT", .help = "of these verdicts: " PICK_VERDICTS },
			{ .name = "filter", .arg = "EXPRESSION", .help = "that this libpcap expression wants" },
			{ .name = "snap", .arg = "BYTES", .help = "keep so many bytes of each packet (2048)" },
			{ .name = "count", .arg = "N", .help = "end after N packets" },
			{ .name = "rotate", .arg = "SIZE|TIME", .help = "begin a new file when this one is so large, or so old" },
			{ .name = "files", .arg = "N", .help = "with --rotate: keep N files" },
			{ .name = "json", .help = "lines of JSON" },
		},
};

// SPDX-License-Identifier: GPL-2.0-only
/* log: follow what rules with "log" tell of, as text, JSON or into the journal. */
#include "base/duration.h"
#include "base/instant.h"
#include "fwctl/cmd.h"
#include "fwctl/follow.h"
#include "fwctl/journal.h"
#include "fwctl/out.h"
#include "fwctl/sink.h"
#include "fwctl/words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define IDLE_NS	   20000000   /* between two looks at rings that were empty */
#define REFRESH_NS 1000000000 /* between two looks at what is loaded */
#define DRAIN_NS   1000000000 /* for what came before the end was asked for */

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_JOURNAL, FORMAT_NONE };
#define FORMATS "text|json|journal|none"

struct log {
	struct follow follow;
	enum format format;
	bool ends; /* shows what is there, then ends */
	size_t last; /* of that, so many; 0: all */
	struct signals signals;
	struct sink sink;
	struct journal journal;
	struct str datagram;
	int epoll, timer;
	uint64_t shown, lost, refreshed_ns;
	bool said_nothing; /* that nothing tells of anything */
};

/* One event, in the format asked for. */
static bool event_show(struct log *g, const struct event_item *item)
{
	struct event_view v;

	if (g->format == FORMAT_NONE)
		return true;
	follow_view(&g->follow, &g->follow.v[item->of], &item->event, &v);
	if (g->format == FORMAT_TEXT) {
		event_text(&v, &g->sink.pending);
	} else if (g->format == FORMAT_JSON) {
		event_json(&v, &g->sink.pending);
	} else {
		str_reset(&g->datagram);
		event_journal(&v, &g->datagram);
		return journal_send(&g->journal, &g->datagram, &g->sink);
	}
	return sink_settle(&g->sink, false);
}

static bool lost_show(struct log *g, uint64_t n)
{
	g->lost += n;
	if (g->format == FORMAT_TEXT) {
		lost_text(n, "event", &g->sink.pending);
	} else if (g->format == FORMAT_JSON) {
		lost_json(n, g->follow.now.wall, &g->sink.pending);
	} else if (g->format == FORMAT_JOURNAL) {
		str_reset(&g->datagram);
		lost_journal(n, &g->datagram);
		return journal_send(&g->journal, &g->datagram, &g->sink);
	}
	return true;
}

/* What there is now. False: nobody takes it any more. */
static bool pass(struct log *g, bool *ret_more)
{
	const struct event_batch *b = &g->follow.batch;
	uint64_t lost;

	*ret_more = follow_read(&g->follow, g->ends, &lost);
	/* Who asks for the past has missed what the rings no longer hold: that is no loss. */
	if (lost && !g->ends && !lost_show(g, lost))
		return false;
	for (size_t i = g->last && b->n > g->last ? b->n - g->last : 0; i < b->n; i++) {
		if (!event_show(g, &b->v[i]))
			return false;
		g->shown++;
	}
	return sink_settle(&g->sink, true);
}

static bool wait_open(struct log *g)
{
	struct itimerspec every = { { 0, IDLE_NS }, { 0, IDLE_NS } };
	struct epoll_event in = { .events = EPOLLIN }, gone = { .events = 0 };

	g->epoll = epoll_create1(EPOLL_CLOEXEC);
	g->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (g->epoll < 0 || g->timer < 0 || timerfd_settime(g->timer, 0, &every, NULL))
		return false;
	in.data.fd = g->timer;
	if (epoll_ctl(g->epoll, EPOLL_CTL_ADD, g->timer, &in))
		return false;
	in.data.fd = g->signals.fd;
	if (epoll_ctl(g->epoll, EPOLL_CTL_ADD, g->signals.fd, &in))
		return false;
	/* A pipe whose reader is gone says so although we ask for nothing; files cannot be asked. */
	gone.data.fd = g->sink.fd;
	if (g->format != FORMAT_JOURNAL && g->sink.kind != SINK_PLAIN)
		epoll_ctl(g->epoll, EPOLL_CTL_ADD, g->sink.fd, &gone);
	return true;
}

/* Until the timer, a signal, or the end of our reader. busy: look, do not wait. */
static void wait_next(struct log *g, bool busy)
{
	struct epoll_event ev[4];
	int n = epoll_wait(g->epoll, ev, 4, busy ? 0 : -1);
	uint64_t ticks;

	for (int i = 0; i < n; i++) {
		if (ev[i].data.fd == g->timer)
			(void)!read(g->timer, &ticks, sizeof(ticks));
		else if (ev[i].data.fd == g->signals.fd)
			g->sink.ended |= signals_taken(g->signals.fd);
		else if (ev[i].events & (EPOLLERR | EPOLLHUP))
			g->sink.broken = true;
	}
}

static void nothing_say(struct log *g)
{
	if (g->said_nothing || follow_tells(&g->follow))
		return;
	g->said_nothing = true;
	problem("nothing is logged: no policy that runs here has a rule with \"log\"%s", g->ends ? "" : "; waiting for one");
}

/* What came before the end was asked for is shown, too; a flood that goes on does not keep us. */
static void drain(struct log *g)
{
	uint64_t end = moment_now().mono + DRAIN_NS;
	bool more = true;

	while (more && moment_now().mono < end && pass(g, &more))
		;
}

static void follow_on(struct log *g)
{
	bool more;

	while (!g->sink.broken && !g->sink.ended) {
		if (!pass(g, &more))
			break;
		wait_next(g, more);
		uint64_t now = moment_now().mono;
		if (now - g->refreshed_ns >= REFRESH_NS && !g->sink.ended) {
			g->refreshed_ns = now;
			follow_refresh(&g->follow);
			nothing_say(g);
		}
	}
	if (g->sink.ended && !g->sink.broken && !g->sink.err)
		drain(g);
}

static void summary(struct log *g)
{
	const struct event_tally *t = &g->follow.tally;
	struct kern_event_counts c;
	struct str s = {};

	str_addf(&s, "read %s, showed %" PRIu64, word_count(t->read, "event"), g->shown);
	if (!g->ends) {
		follow_counts(&g->follow, &c);
		str_addf(&s, ", lost %" PRIu64, t->lost);
		if (c.limited || c.sampled || c.capped)
			str_addf(&s, "; the rules held back %" PRIu64 " by limit, %" PRIu64 " by sample, %" PRIu64 " beyond "
			"%d of one packet",
				 c.limited, c.sampled, c.capped, FW_LOG_MARKS);
	}
	problem("%s", str_get(&s));
	str_fini(&s);
}

static int status_of(struct log *g)
{
	if (g->journal.err) {
		problem("cannot write to the journal at %s: %s", out_name(g->journal.path), strerror(-g->journal.err));
		return STATUS_REFUSED;
	}
	if (g->sink.err) {
		problem("cannot write to standard output: %s", strerror(-g->sink.err));
		return STATUS_REFUSED;
	}
	if (g->sink.pending.len > g->sink.done && !g->sink.broken) {
		problem("whoever reads standard output does not: %zu bytes are not written", g->sink.pending.len - g->sink.done);
		return STATUS_REFUSED;
	}
	return STATUS_DONE;
}

/* --since: how long ago, or when. */
static int since_read(struct log *g, const char *word)
{
	struct moment now = moment_now();
	uint64_t ns;

	if (!duration_parse(word, strlen(word), &ns)) {
		g->follow.since_ns = ns < now.mono ? now.mono - ns : 0;
		return STATUS_DONE;
	}
	const char *why = instant_parse(word, strlen(word), &ns);
	if (why)
		return args_wrong(&cmd_log, "--since: \"%s\" %s; a length of time like 10m does, too", out_name(word), why);
	uint64_t ago = now.wall > ns ? now.wall - ns : 0;
	g->follow.since_ns = ago < now.mono ? now.mono - ago : 0;
	return STATUS_DONE;
}

static int format_read(struct log *g, const struct args *a)
{
	const char *format = args_get(a, "format"), *journal = args_get(a, "journal");

	if (format)
		g->format = (enum format)args_choice(FORMATS, format);
	if ((args_has(a, "json") && format && g->format != FORMAT_JSON) || (journal && format && g->format != FORMAT_JOURNAL) ||
	    (args_has(a, "json") && journal))
		return args_wrong(&cmd_log, "choose one format");
	if (args_has(a, "json"))
		g->format = FORMAT_JSON;
	if (journal)
		g->format = FORMAT_JOURNAL;
	g->journal.path = journal && *journal ? journal : JOURNAL_SOCKET;
	return STATUS_DONE;
}

static int options_read(struct log *g, const struct args *a)
{
	struct follow *f = &g->follow;
	const char *last = args_get(a, "last"), *since = args_get(a, "since");
	int status = format_read(g, a);
	char *end;

	f->pick = (struct pick){ .rule = args_get(a, "rule"), .verdicts = ~0u, .reasons = ~0u };
	f->ifname = a->word;
	f->nifnames = a->nwords;
	for (size_t i = 0; i < a->nwords && !status; i++)
		status = ifname_wrong(a->word[i]) ? STATUS_WRONG : STATUS_DONE;
	if (!status && args_has(a, "verdict"))
		status = pick_verdicts(&cmd_log, args_get(a, "verdict"), &f->pick.verdicts);
	if (!status && args_has(a, "reason"))
		status = pick_reasons(&cmd_log, args_get(a, "reason"), &f->pick.reasons);
	if (!status && args_has(a, "address"))
		status = pick_address(&cmd_log, args_get(a, "address"), &f->pick);
	if (!status && since)
		status = since_read(g, since);
	if (status)
		return status;
	errno = 0;
	g->last = last ? strtoul(last, &end, 10) : 0;
	if (last && (*end || errno || *last == '-' || !g->last))
		return args_wrong(&cmd_log, "--last is a number of events, at least 1, not %s", out_name(last));
	g->ends = last || args_has(a, "no-follow");
	f->flags = g->ends ? KERN_EVENTS_HELD : (since ? KERN_EVENTS_HELD : 0) | KERN_EVENTS_TELL;
	f->until_ns = g->ends ? moment_now().mono : 0;
	return STATUS_DONE;
}

static int run(const struct args *a)
{
	struct log g = { .epoll = -1, .timer = -1, .sink = { .fd = -1, .signals = -1 }, .journal = { .fd = -1 } };
	bool more, started = false;
	int status = options_read(&g, a);

	if (status)
		return status;
	if (!signals_hear(&g.signals)) {
		problem("cannot hear signals: %s", strerror(errno));
		return STATUS_REFUSED;
	}
	sink_init(&g.sink, STDOUT_FILENO, g.signals.fd);
	status = follow_open(&g.follow, &cmd_log);
	if (!status && g.format == FORMAT_JOURNAL && !journal_open(&g.journal))
		status = status_of(&g);
	if (!status && !wait_open(&g)) {
		problem("cannot wait for events: %s", strerror(errno));
		status = STATUS_REFUSED;
	}
	if (!status) {
		started = true;
		nothing_say(&g);
		g.refreshed_ns = moment_now().mono;
		if (g.ends)
			pass(&g, &more);
		else
			follow_on(&g);
		status = status_of(&g);
	}
	bool broken = g.sink.broken;
	if (started && !broken)
		summary(&g);
	follow_close(&g.follow);
	journal_close(&g.journal);
	sink_fini(&g.sink);
	str_fini(&g.datagram);
	if (g.epoll >= 0)
		close(g.epoll);
	if (g.timer >= 0)
		close(g.timer);
	signals_restore(&g.signals);
	return broken ? signals_broken(&g.signals) : status;
}

const struct command cmd_log = {
	.name = "log",
	.run = run,
	.usage = "[IFACE...] [--rule=RULE] [--reason=WORDS] [--verdict=WORDS] [--address=ADDRESS[/LEN]] [--since=TIME] "
	"[--json | --journal]\n"
		 "[IFACE...] --last=N | --no-follow [--json]",
	.help = "Follow the packets that rules with \"log\", \"log default\" and \"log reasons\" tell of.",
	.more = "Each packet is a line: when, interface, hook, what became of it, the rule (label, file and line) or the reason, and the "
		"packet itself. All policies of the network namespace are followed, those that come later too, or those of the "
		"interfaces named.\n\n"
		"The kernel keeps the newest events of each CPU and waits for no reader. What is overwritten before it was read is "
		"counted exactly, and told in the stream (\"# lost 123 events\", event_type \"lost\" in JSON) and at the end on "
		"standard error. No verdict and no counter depends on it.\n\n"
		"--json prints a line of JSON per event with the names that Suricata uses (timestamp, in_iface, src_ip, dest_port, "
		"proto, ...) and an object \"fwctl\" with policy, generation, hook, verdict, reason, rule, file and line. --journal "
		"sends each event to journald, with fields FWCTL_RULE, FWCTL_SRC_IP and so on. --format none counts alone.\n\n"
		"SIGINT, SIGTERM and SIGHUP end it after what came before is shown.",
	.kind = ARGS_IFACES,
	.max = 64,
	.options =
		{
			{ .name = "format", .arg = "FORMAT", .values = FORMATS, .help = "text (the default), json, journal, or none" },
			{ .name = "json", .help = "the same as --format json" },
			{ .name = "journal", .arg = "SOCKET", .optional = true, .help = "to journald, at " JOURNAL_SOCKET " unless said" },
			{ .name = "rule", .arg = "RULE", .help = "of this rule: its label, or FILE:LINE" },
			{ .name = "reason", .arg = "REASON", .help = "of these reasons, separated by commas" },
			{ .name = "verdict", .arg = "VERDICT", .help = "of these verdicts: " PICK_VERDICTS },
			{ .name = "address", .arg = "ADDRESS", .help = "from or to this address or prefix" },
			{ .name = "since", .arg = "TIME", .help = "begin with what the rings hold since then: 10m, 2026-11-28T16:00:00Z" },
			{ .name = "last", .arg = "N", .help = "the last N that the rings hold, then end" },
			{ .name = "no-follow", .help = "what the rings hold, then end" },
		},
};

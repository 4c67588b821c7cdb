// SPDX-License-Identifier: GPL-2.0-only
/* feed: another program writes lines, a live set follows them. */
#include "base/cleanup.h"
#include "fwctl/cmd.h"
#include "fwctl/feedset.h"
#include "fwctl/out.h"
#include "fwctl/words.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MOST  (1u << 20)
#define BATCH_MOST 65536 /* changes under one lock */

struct feeder {
	const struct feed_format *format;
	struct feedset set;
	struct feed_sink sink;
	struct mistakes wrong;
	size_t nwrong, line;
	int fd;
	char *buf; /* LINE_MOST bytes and the end of a line */
	size_t len;
	bool skip;     /* the rest of a line that was too long */
	sigset_t open; /* signals while we wait */
};

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

/* Signals come while we wait for input, and at no other moment: a batch is finished. */
static void signals_hold(struct feeder *f)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = stop };
	sigset_t block;

	sigemptyset(&block);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		sigaddset(&block, ends[i]);
		sigaction(ends[i], &sa, NULL);
	}
	sigprocmask(SIG_BLOCK, &block, &f->open);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigdelset(&f->open, ends[i]);
}

static int line_take(struct feeder *f, const char *s, const char *eol)
{
	struct feed_line l = { .sink = &f->sink, .s = s, .eol = eol, .bad = s, .bad_end = eol };

	f->line++;
	f->set.status = STATUS_DONE;
	const char *why = f->format->line(&l);
	if (!why)
		return f->set.status;
	f->nwrong++;
	mistake(&f->wrong, f->line, l.bad, l.bad_end, why);
	return STATUS_DONE;
}

/* All whole lines of the buffer. */
static int lines_take(struct feeder *f, bool last)
{
	const char *s = f->buf, *stop_at = f->buf + f->len;
	int status = STATUS_DONE;

	while (s < stop_at && !status) {
		const char *eol = memchr(s, '\n', (size_t)(stop_at - s));
		if (!eol && !last)
			break;
		if (f->skip)
			f->skip = false;
		else
			status = line_take(f, s, eol ? eol : stop_at);
		s = eol ? eol + 1 : stop_at;
		if (!status && feedset_waiting(&f->set) >= BATCH_MOST)
			status = feedset_flush(&f->set);
	}
	f->len = (size_t)(stop_at - s);
	memmove(f->buf, s, f->len);
	if (f->len < LINE_MOST)
		return status;
	if (!f->skip) {
		f->line++;
		f->nwrong++;
		mistake(&f->wrong, f->line, f->buf, f->buf + 20, "begins a line of more than 1 MiB");
	}
	f->skip = true;
	f->len = 0;
	return status;
}

/* 1: there is something to read; 0: not now; negative errno. Waits while nothing else is to be done. */
static int input_wait(const struct feeder *f, bool busy)
{
	static const struct timespec none = {};
	struct pollfd p = { .fd = f->fd, .events = POLLIN };
	int n = ppoll(&p, 1, busy ? &none : NULL, &f->open);

	return n < 0 ? (errno == EINTR ? 0 : -errno) : n > 0;
}

static int feed_run(struct feeder *f)
{
	int status = STATUS_DONE;

	while (!status && !stopped) {
		bool busy = feedset_waiting(&f->set) || f->wrong.n;
		int ready = input_wait(f, busy);
		ssize_t n = ready > 0 ? read(f->fd, f->buf + f->len, LINE_MOST - f->len) : 0;
		if (ready < 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
			problem("cannot read %s: %s", out_name(f->wrong.name), strerror(ready < 0 ? -ready : errno));
			return STATUS_REFUSED;
		}
		if (ready > 0 && !n)
			return lines_take(f, true) ?: feedset_end(&f->set);
		if (n > 0) {
			f->len += (size_t)n;
			status = lines_take(f, false);
		} else if (busy) { /* the input pauses: what came is in force before anything else comes */
			mistakes_end(&f->wrong);
			status = feedset_flush(&f->set);
		}
	}
	if (status || !f->set.snap)
		return status ? status : feedset_flush(&f->set);
	problem("stopped before the end of the content: nothing was changed");
	return STATUS_REFUSED;
}

static int report(const struct feeder *f, bool json)
{
	const struct feedset *s = &f->set;

	if (json)
		return out_json(json_pack("{s:o,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "set",
					  s->set[0] ? out_jstr(s->set) : json_null(), "lines", (json_int_t)f->line,
					  "added", (json_int_t)s->added, "deleted", (json_int_t)s->deleted, "replaced",
					  (json_int_t)s->replaced, "refused", (json_int_t)s->refused, "ended",
					  (json_int_t)s->ended, "widened", (json_int_t)s->widened, "skipped",
					  (json_int_t)f->sink.skipped, "wrong", (json_int_t)f->nwrong),
				true);
	out("%s: ", word_count(f->line, "line"));
	if (s->replaced)
		out("replaced by %s, ", word_count(s->replaced, "element"));
	out("added %zu, deleted %zu", s->added, s->deleted);
	if (s->refused)
		out(", refused %zu: the set is full", s->refused);
	if (s->ended)
		out(", %zu had ended", s->ended);
	if (s->widened)
		out(", widened %zu to /64", s->widened);
	if (f->sink.skipped)
		out(", %zu about something else", f->sink.skipped);
	if (f->nwrong)
		out(", %zu wrong", f->nwrong);
	out("\n");
	return STATUS_DONE;
}

static int run(const struct args *a)
{
	const char *file = args_get(a, "file") ?: "-", *format = args_get(a, "format");
	bool standard = !strcmp(file, "-");
	struct feeder f = { .fd = STDIN_FILENO, .buf = malloc(LINE_MOST + 1) };
	auto_free char *buf = f.buf;
	auto_close int opened = -1;

	if (!format)
		return args_wrong(&cmd_feed, "say in which --format the lines are: %s", FEED_FORMATS);
	if (args_has(a, "force") && !args_has(a, "resync"))
		return args_wrong(&cmd_feed, "--force belongs to --resync");
	if (!buf) {
		problem("no memory");
		return STATUS_REFUSED;
	}
	signals_hold(&f);
	if (!standard) {
		f.fd = opened = open(file, O_RDONLY | O_CLOEXEC);
		if (opened < 0) {
			problem("cannot read %s: %s", out_name(file), strerror(errno));
			return STATUS_REFUSED;
		}
	}
	f.format = feed_format_find(format);
	f.wrong.name = standard ? "standard input" : file;
	feedset_init(&f.set, args_get(a, "set"), args_has(a, "resync"), args_has(a, "force"));
	f.sink = (struct feed_sink){ .change = feedset_change, .mark = feedset_mark, .ctx = &f.set };
	int status = feed_run(&f);
	mistakes_end(&f.wrong);
	feedset_fini(&f.set);
	int told = report(&f, args_has(a, "json"));
	if (status || told)
		return status ? status : told;
	return f.nwrong ? STATUS_WRONG : f.set.refused ? STATUS_REFUSED : STATUS_DONE;
}

const struct command cmd_feed = {
	.name = "feed",
	.run = run,
	.usage = "--format=" FEED_FORMATS " [--set=NAME] [--resync [--force]] [-f FILE] [--json]",
	.help = "Read changes of a live set from another program, line by line, until it ends.",
	.more = "What has come is in force as soon as the input pauses. Lines that are wrong are told with their number on standard "
		"error, the others count; the exit status is 2 when there were any, 1 when the set was full. SIGTERM, SIGINT and SIGHUP "
		"end the command after the changes under way. Any number of feeds may run at once. Without --set it is the live set "
		"called \"banned\", or the only one that there is.\n\n"
		"plain: \"add ADDRESS [4h30m] [REASON...]\", \"del ADDRESS\", or an address alone, as in files for fwctl set add. json: "
		"{\"action\":\"add\",\"value\":\"192.0.2.7\",\"duration\":\"4h\",\"reason\":\"...\"}; action add or del, duration also in "
		"seconds. crowdsec: what crowdsec-custom-bouncer writes with feed_via_stdin, or the arguments of its calls; bans "
		"of addresses and ranges alone. exabgp: what ExaBGP tells a process, as text or JSON: routes announced and withdrawn, "
		"IPv4 and IPv6 unicast; a session that goes down takes nothing away.\n\n"
		"Durations are Go's, 1h2m3.5s; one that is not positive has ended.\n\n"
		"--resync: the lines up to the end, or to a mark, are the whole content. It replaces what is in the set in one step; it "
		"is refused when that loses more than half of the set, unless --force is given. Lines behind the mark are changes. "
		"The mark is the line \"resync\", the action \"resync\", or BGP's end of RIB, for its family.",
	.kind = ARGS_NONE,
	.options =
		{
			{ .name = "format", .arg = "FORMAT", .values = FEED_FORMATS, .help = "what the lines look like" },
			{ .name = "set", .arg = "NAME", .help = "the live set" },
			{ .name = "resync", .help = "the lines are the whole content" },
			{ .name = "force", .help = "--resync: also when more than half is lost" },
			{ .letter = 'f', .name = "file", .arg = "FILE", .help = "read FILE, not standard input" },
			{ .name = "json", .help = "print what was done as JSON" },
		},
};

// SPDX-License-Identifier: GPL-2.0-only
/* metrics: the counters for Prometheus; printed, written beside node_exporter's, or served. */
#include "base/cleanup.h"
#include "fwctl/cmd.h"
#include "fwctl/metrics.h"
#include "fwctl/out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int write_all(int fd, const struct str *text)
{
	for (size_t at = 0; at < text->len;) {
		ssize_t n = write(fd, text->s + at, text->len - at);
		if (n < 0 && errno != EINTR)
			return -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* A reader sees the old text or the new one: it takes its name when it is complete. The collector reads *.prom, so not before. */
static int file_replace(const char *path, const struct str *text)
{
	const char *slash = strrchr(path, '/');
	int dir = slash ? (int)(slash - path) + 1 : 0, err = 0;
	auto_free char *temp = NULL;
	struct stat st;

	/* Nobody means to replace /dev/null, or where /dev/stdout leads to. */
	if (!lstat(path, &st) && !S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (asprintf(&temp, "%.*s.%s.XXXXXX", dir, path, path + dir) < 0) {
		temp = NULL;
		return -ENOMEM;
	}
	auto_close int fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = write_all(fd, text);
	if (!err && (fchmod(fd, 0644) || rename(temp, path)))
		err = -errno;
	if (err)
		unlink(temp);
	return err;
}

static int print(struct metrics *m, enum om_format format, const char *path)
{
	struct str text = {};
	int status = metrics_text(m, format, &text);
	/* Without the lock there is no text: an old file says so by its time. */
	if (path && text.len && !text.failed) {
		int err = file_replace(path, &text);
		if (err)
			problem("cannot write %s: %s", out_name(path),
				err == -EINVAL ? "it is no file that could be replaced" : strerror(-err));
		status = err ? STATUS_REFUSED : status;
	} else if (!text.failed) {
		fwrite(str_get(&text), 1, text.len, stdout);
	}
	str_fini(&text);
	return status;
}

static int run(const struct args *a)
{
	const char *where = args_get(a, "listen"), *path = args_get(a, "output");
	const char *format = args_get(a, "format"), *rules = args_get(a, "rules");
	struct metrics m = { .rules = rules ? (enum metrics_rules)args_choice(METRICS_RULES, rules) : METRICS_ALL };

	if (where && (path || format))
		return args_wrong(&cmd_metrics, "--listen answers in the format that it is asked for, and writes no file");
	if (path && !*path)
		return args_wrong(&cmd_metrics, "--output wants the name of a file");
	/* node_exporter reads the plain format alone. */
	enum om_format f = format ? (enum om_format)args_choice(OM_FORMATS, format) : path ? OM_PLAIN : OM_OPEN;
	int status = where ? metrics_serve(&m, where) : print(&m, f, path);
	live_close(&m.live);
	return status;
}

const struct command cmd_metrics = {
	.name = "metrics",
	.run = run,
	.usage = "[--rules=" METRICS_RULES "] [--format=" OM_FORMATS "] [--output FILE]\n[--rules=" METRICS_RULES "] --listen ADDRESS",
	.help = "Tell Prometheus of packets, rules, sets, flows and events.",
	.more = "Prints OpenMetrics text. --output replaces a file in one step, in the plain format that the textfile collector of "
		"node_exporter reads, and promtool check metrics (of --format=plain on standard output).\n\n"
		"--listen serves GET /metrics over HTTP until it is interrupted, in the format that is asked for. ADDRESS is "
		"127.0.0.1:PORT, [::1]:PORT, unix:PATH, or systemd for the sockets of a .socket unit; no other, because the metrics tell "
		"whoever asks of rules and traffic. PORT 0: the kernel chooses.\n\n"
		"A series belongs to the label of a rule, or to its text when it has none, and goes on when the rule moves to "
		"another line; fwctl_rule_info says where it stands. No label comes from a packet. Each rule has three series per "
		"interface; "
		"with thousands of rules --rules=labelled keeps to those with labels. packaging/grafana has a dashboard and alerts.",
	.kind = ARGS_NONE,
	.options =
		{
			{ .name = "listen", .arg = "ADDRESS", .help = "serve over HTTP; loopback or a unix socket" },
			{ .name = "output", .arg = "FILE", .help = "replace this file in one step" },
			{ .name = "format", .arg = "FORMAT", .values = OM_FORMATS, .help = "openmetrics; with --output, plain" },
			{ .name = "rules", .arg = "WHICH", .values = METRICS_RULES, .help = "rules that get series of their own: all" },
		},
};

// SPDX-License-Identifier: GPL-2.0-only
/* top: the live picture, and what its keys do. */
#include "base/cleanup.h"
#include "fwctl/cmd.h"
#include "fwctl/out.h"
#include "fwctl/top_live.h"
#include "fwctl/top_term.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

struct top {
	struct top_live live;
	struct top_model model;
	struct top_ui ui;
	struct top_grid grid;
	struct timespec interval;
	int page;         /* lines of a list */
	int said, stderr; /* what is said meanwhile; where it belongs */
	bool over, look;  /* the end; take a snapshot now */
};

/*
 * While the screen is ours, problems go to memory, and from there into the bottom line: written on the terminal they would
 * stand across the picture.
 */
static void said_begin(struct top *t)
{
	fflush(stderr);
	t->said = memfd_create("fwctl-top", MFD_CLOEXEC);
	t->stderr = dup(STDERR_FILENO);
	if (t->said >= 0 && t->stderr >= 0)
		dup2(t->said, STDERR_FILENO);
}

static void said_read(struct top *t, char *out, size_t size)
{
	ssize_t n;

	fflush(stderr);
	n = t->said >= 0 ? pread(t->said, out, size - 1, 0) : 0;
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	if (n > 0 && !ftruncate(t->said, 0))
		lseek(t->said, 0, SEEK_SET);
}

static void said_end(struct top *t)
{
	if (t->stderr >= 0) {
		dup2(t->stderr, STDERR_FILENO);
		close(t->stderr);
	}
	if (t->said >= 0)
		close(t->said);
}

static void snapshot(struct top *t)
{
	struct top_ui *ui = &t->ui;
	char said[sizeof(ui->note)];
	bool busy;
	int status = top_live_take(&t->live, &t->model, ui, false, &busy);

	said_read(t, said, sizeof(said));
	ui->stale = status != STATUS_DONE;
	if (busy)
		snprintf(ui->note, sizeof(ui->note), "another fwctl is changing the rules; this is what was before");
	else
		memcpy(ui->note, said, sizeof(said));
}

static void draw(struct top *t)
{
	int rows, cols;

	term_size(&rows, &cols);
	if (grid_size(&t->grid, rows, cols) || top_refresh(&t->model, &t->ui)) {
		t->over = true;
		return;
	}
	t->page = rows > 6 ? rows - 5 : 1;
	t->grid.utf8 = term_utf8();
	top_draw(&t->model, &t->ui, &t->grid);
	term_paint(&t->grid);
}

static void choose(struct top_ui *ui, size_t i)
{
	ui->selected = i < ui->rows.n ? i : ui->rows.n ? ui->rows.n - 1 : 0;
	ui->selected_tag = ui->rows.n ? ui->rows.v[ui->selected].tag : 0;
}

static void view(struct top_ui *ui, enum top_view v)
{
	ui->view = v;
	ui->selected = ui->scroll = 0;
	ui->selected_tag = 0;
	ui->drill.on = false;
}

static void enter(struct top *t)
{
	struct top_ui *ui = &t->ui;
	const struct top_row *row = ui->selected < ui->rows.n ? &ui->rows.v[ui->selected] : NULL;

	if (!row || ui->drill.on)
		return;
	if (ui->view == TOP_RULES) {
		ui->drill = (struct top_drill){ .on = true, .tag = row->tag };
		t->live.room_at_ns = 0; /* as fresh as can be */
		t->look = true;
	} else if (ui->view == TOP_OVERVIEW) {
		snprintf(ui->filter, sizeof(ui->filter), "%s", row->name);
		view(ui, TOP_RULES);
	}
}

static void key_edit(struct top_ui *ui, int key)
{
	size_t len = strlen(ui->filter);

	if (key == TERM_ENTER) {
		ui->editing = false;
	} else if (key == TERM_ESCAPE) {
		ui->editing = false;
		*ui->filter = '\0';
	} else if (key == TERM_BACKSPACE) {
		ui->filter[len ? len - 1 : 0] = '\0';
	} else if (key >= ' ' && key < 127 && len + 1 < sizeof(ui->filter)) {
		ui->filter[len] = (char)key;
		ui->filter[len + 1] = '\0';
	}
	choose(ui, 0);
	ui->selected_tag = 0;
}

static void escape(struct top_ui *ui)
{
	if (ui->help)
		ui->help = false;
	else if (ui->drill.on)
		ui->drill.on = false;
	else
		*ui->filter = '\0';
}

static void key_move(struct top *t, int key)
{
	struct top_ui *ui = &t->ui;
	size_t at = ui->selected, page = (size_t)t->page;

	switch (key) {
	case 'k':
	case TERM_UP:
		choose(ui, at ? at - 1 : 0);
		break;
	case 'j':
	case TERM_DOWN:
		choose(ui, at + 1);
		break;
	case TERM_PAGE_UP:
		choose(ui, at > page ? at - page : 0);
		break;
	case TERM_PAGE_DOWN:
		choose(ui, at + page);
		break;
	case TERM_HOME:
		choose(ui, 0);
		break;
	case TERM_END:
		choose(ui, ui->rows.n);
		break;
	}
}

static void key_do(struct top *t, int key)
{
	struct top_ui *ui = &t->ui;

	switch (key) {
	case 'q':
		t->over = true;
		break;
	case '?':
	case 'h':
		ui->help = !ui->help;
		break;
	case 'p':
	case ' ':
		ui->paused = !ui->paused;
		t->look = !ui->paused;
		break;
	case 's':
		if (!ui->drill.on)
			ui->sort[ui->view] = top_sort_next(ui->view, ui->sort[ui->view]);
		break;
	case '/':
		ui->editing = !ui->drill.on;
		break;
	case '\t':
		view(ui, (enum top_view)((ui->view + 1) % TOP_VIEWS));
		t->look = true;
		break;
	case TERM_TAB_BACK:
		view(ui, (enum top_view)((ui->view + TOP_VIEWS - 1) % TOP_VIEWS));
		t->look = true;
		break;
	case TERM_ENTER:
		enter(t);
		break;
	case TERM_ESCAPE:
		escape(ui);
		break;
	case 'L' - '@':
		term_redraw();
		break;
	default:
		if (key >= '1' && key < '1' + (int)TOP_VIEWS) {
			view(ui, (enum top_view)(key - '1'));
			t->look = true;
		} else {
			key_move(t, key);
		}
	}
}

static void keys(struct top *t)
{
	for (int key = term_key(); key != TERM_NONE && !t->over; key = term_key()) {
		/* Lists must be what the eye sees before the next key is understood. */
		if (top_refresh(&t->model, &t->ui))
			t->over = true;
		else if (t->ui.editing)
			key_edit(&t->ui, key);
		else
			key_do(t, key);
	}
}

static void signals(struct top *t, int fd)
{
	struct signalfd_siginfo s;

	while (read(fd, &s, sizeof(s)) == sizeof(s))
		if (s.ssi_signo != SIGWINCH)
			t->over = true;
}

static void loop(struct top *t, int signal_fd, int timer_fd)
{
	struct pollfd p[] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = signal_fd, .events = POLLIN },
			      { .fd = timer_fd, .events = POLLIN } };
	uint64_t ticks;

	t->look = true;
	while (!t->over) {
		if (t->look && !t->ui.paused)
			snapshot(t);
		t->look = false;
		draw(t);
		if (t->over || (poll(p, 3, -1) < 0 && errno != EINTR))
			break;
		if (p[1].revents)
			signals(t, signal_fd);
		if (p[0].revents & POLLIN)
			keys(t);
		else if (p[0].revents)
			break; /* the terminal is gone */
		if (p[2].revents && read(timer_fd, &ticks, sizeof(ticks)) == sizeof(ticks))
			t->look = true;
	}
}

static int show(struct top *t)
{
	const struct itimerspec every = { t->interval, t->interval };
	sigset_t block, old;
	auto_close int signal_fd = -1;
	auto_close int timer_fd = -1;
	int status;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGHUP);
	sigaddset(&block, SIGQUIT);
	sigaddset(&block, SIGWINCH);
	sigprocmask(SIG_BLOCK, &block, &old);
	signal(SIGPIPE, SIG_IGN);
	signal_fd = signalfd(-1, &block, SFD_CLOEXEC | SFD_NONBLOCK);
	timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (signal_fd < 0 || timer_fd < 0 || timerfd_settime(timer_fd, 0, &every, NULL)) {
		problem("cannot make a timer: %s", strerror(errno));
		return STATUS_REFUSED;
	}
	status = term_open();
	if (status)
		return status;
	said_begin(t);
	loop(t, signal_fd, timer_fd);
	term_close();
	said_end(t);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return STATUS_DONE;
}

#define ONCE_COLS 132
static int once(struct top *t)
{
	struct str text = {};
	int status = STATUS_DONE;
	bool busy;

	setlocale(LC_CTYPE, "");
	t->grid.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	for (int i = 0; i < 2 && !status; i++) {
		if (i)
			nanosleep(&t->interval, NULL);
		status = top_live_take(&t->live, &t->model, &t->ui, true, &busy);
	}
	if (status)
		return status;
	if (top_draw_all(&t->model, &t->ui, ONCE_COLS, &t->grid)) {
		problem("no memory");
		return STATUS_REFUSED;
	}
	grid_text(&t->grid, &text);
	fputs(str_get(&text), stdout); /* the grid lets nothing through that drives a terminal */
	str_fini(&text);
	return STATUS_DONE;
}

static int interval_read(struct top *t, const struct args *a)
{
	const char *seconds = args_get(a, "interval");
	char *end;
	double s = seconds ? strtod(seconds, &end) : 1;

	if (seconds && (!*seconds || *end || !(s >= 0.1 && s <= 3600)))
		return args_wrong(&cmd_top, "--interval is from 0.1 to 3600 seconds, not %s", out_name(seconds));
	t->ui.interval = s;
	t->interval = (struct timespec){ .tv_sec = (time_t)s, .tv_nsec = (long)((s - (double)(time_t)s) * 1e9) };
	return STATUS_DONE;
}

/* Interfaces that are named must be there at the beginning; later they may come and go. */
static int names_check(struct top *t, const struct args *a)
{
	int status = STATUS_DONE;

	for (size_t i = 0; i < a->nwords; i++)
		if (ifname_wrong(a->word[i]))
			return STATUS_WRONG;
	t->model.only = (char **)a->word;
	t->model.nonly = a->nwords;
	if (a->nwords)
		status = live_again(&t->live.live, KERN_READ);
	for (size_t i = 0; i < a->nwords && !status; i++)
		if (!live_need(&t->live.live, a->word[i]))
			status = STATUS_REFUSED;
	live_release(&t->live.live);
	return status;
}

static int run(const struct args *a)
{
	static struct top t;
	int status = interval_read(&t, a);

	t.said = t.stderr = -1;
	t.ui.sort[TOP_RULES] = t.ui.sort[TOP_REASONS] = TOP_SORT_RATE;
	t.ui.sort[TOP_SETS] = TOP_SORT_NAME;
	status = status ? status : names_check(&t, a);
	if (!status)
		status = args_has(a, "once") ? once(&t) : show(&t);
	top_rows_fini(&t.ui.rows);
	grid_fini(&t.grid);
	top_fini(&t.model);
	top_live_fini(&t.live);
	return status;
}

const struct command cmd_top = {
	.name = "top",
	.run = run,
	.usage = "[IFACE...] [--interval=SECONDS] [--once]",
	.help = "Watch packets, rules, reasons, sets and tables live, full screen.",
	.more = "Views, by the keys 1 to 5 or Tab: interfaces and hooks with their verdicts, rules, reasons, live sets, flow tables and "
		"events. s sorts, / filters, p pauses, Enter looks closer at a rule: its totals, when its last packet came, and who sends "
		"(from the flow table when the rule keeps state, from recent events when it logs). ? lists all keys, q leaves.\n\n"
		"It reads what is there and changes nothing: rules may be applied, interfaces loaded and unloaded meanwhile. Colours are "
		"blue and orange, and never say anything that a sign or word does not say, too; NO_COLOR=1 leaves them out.\n\n"
		"--once prints one picture as plain text, after one interval. For scripts, fwctl stats --json has all numbers.",
	.kind = ARGS_IFACES,
	.max = ARGS_ANY,
	.options =
		{
			{ .letter = 'i', .name = "interval", .arg = "SECONDS", .help = "a new picture so often (1)" },
			{ .name = "once", .help = "print one picture as plain text and end" },
		},
};

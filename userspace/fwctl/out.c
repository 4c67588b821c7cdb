// SPDX-License-Identifier: GPL-2.0-only
/* Text for people: problems, results, tables, the progress line. */
#include "fwctl/out.h"

#include "base/cleanup.h"
#include "fwctl/cmd.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool out_terminal(void)
{
	return isatty(STDOUT_FILENO);
}

bool out_color(void)
{
	const char *no = getenv("NO_COLOR");

	return out_terminal() && !(no && *no);
}

/* Printable ASCII and newlines as they are. Backslashes too: canonical text brings its own escapes. */
static void text_write(FILE *f, const char *text, bool newlines)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if ((c >= 0x20 && c < 0x7f) || (c == '\n' && newlines) || c == '\t')
			putc(c, f);
		else
			fprintf(f, "\\x%02x", c);
	}
}

void problem(const char *fmt, ...)
{
	auto_free char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	fflush(stdout);
	fputs("fwctl: ", stderr);
	text_write(stderr, text ? text : "no memory", false);
	putc('\n', stderr);
}

void problem_fail(const struct fail *f, int err)
{
	if (f->err)
		problem("%s", f->text);
	else
		problem("failed: %s", strerror(-err));
}

void problem_diags(const struct diags *d)
{
	struct str s = {};

	diags_print(d, &s);
	fflush(stdout);
	text_write(stderr, str_get(&s), true);
	str_fini(&s);
}

void out_text(const char *text)
{
	text_write(stdout, text, true);
}

void out(const char *fmt, ...)
{
	auto_free char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text)
		out_text(text);
}

int out_finish(int status)
{
	if (fflush(stdout) || ferror(stdout)) {
		problem("cannot write to standard output: %s", strerror(errno));
		if (status == STATUS_DONE)
			status = STATUS_REFUSED;
	}
	return status;
}

const char *out_name(const char *bytes)
{
	static struct str ring[8];
	static unsigned int next;
	struct str *s = &ring[next++ % 8];

	str_reset(s);
	str_add_escaped(s, bytes, strlen(bytes));
	return str_get(s);
}

void table_init(struct table *t, size_t ncols, ...)
{
	va_list ap;

	*t = (struct table){ .ncols = ncols };
	va_start(ap, ncols);
	for (size_t i = 0; i < ncols; i++)
		t->head[i] = va_arg(ap, const char *);
	va_end(ap);
}

void table_head(struct table *t, size_t ncols, const char *const *names)
{
	*t = (struct table){ .ncols = ncols };
	for (size_t i = 0; i < ncols; i++)
		t->head[i] = names[i];
}

void table_row(struct table *t, const char *const *cells)
{
	if (t->failed)
		return;
	if ((t->nrows + 1) * t->ncols > t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 16 * t->ncols;
		char **cell = reallocarray(t->cell, cap, sizeof(*cell));
		if (!cell) {
			t->failed = true;
			return;
		}
		t->cell = cell;
		t->cap = cap;
	}
	char **row = t->cell + t->nrows++ * t->ncols;
	for (size_t i = 0; i < t->ncols; i++)
		row[i] = strdup(cells[i]);
}

void table_add(struct table *t, ...)
{
	const char *cells[TABLE_COLUMNS];
	va_list ap;

	va_start(ap, t);
	for (size_t i = 0; i < t->ncols; i++)
		cells[i] = va_arg(ap, const char *);
	va_end(ap);
	table_row(t, cells);
}

static const char *cell_text(const struct table *t, size_t row, size_t col)
{
	const char *s = t->cell[row * t->ncols + col];

	return s ? s : "?";
}

static void row_print(const struct table *t, const char *indent, const char **text, const size_t *width, bool tty)
{
	out_text(indent);
	for (size_t c = 0; c < t->ncols; c++) {
		bool right = t->head[c][0] == '>', last = c + 1 == t->ncols;
		if (!tty)
			out("%s%s", text[c], last ? "" : "\t");
		else if (right)
			out("%*s%s", (int)width[c], text[c], last ? "" : "  ");
		else if (last)
			out_text(text[c]);
		else
			out("%-*s  ", (int)width[c], text[c]);
	}
}

void table_print(struct table *t, const char *indent)
{
	size_t width[TABLE_COLUMNS] = {};
	const char *text[TABLE_COLUMNS];
	bool tty = out_terminal(), color = out_color();

	for (size_t c = 0; c < t->ncols; c++) {
		text[c] = t->head[c] + (t->head[c][0] == '>');
		width[c] = strlen(text[c]);
		for (size_t r = 0; r < t->nrows; r++) {
			size_t len = strlen(cell_text(t, r, c));
			width[c] = len > width[c] ? len : width[c];
		}
	}
	if (color)
		fputs("\033[1m", stdout);
	row_print(t, indent, text, width, tty);
	if (color)
		fputs("\033[0m", stdout);
	putchar('\n');
	for (size_t r = 0; r < t->nrows; r++) {
		for (size_t c = 0; c < t->ncols; c++)
			text[c] = cell_text(t, r, c);
		row_print(t, indent, text, width, tty);
		putchar('\n');
	}
	for (size_t i = 0; i < t->nrows * t->ncols; i++)
		free(t->cell[i]);
	free(t->cell);
	*t = (struct table){};
}

static char progress_line[160];
static volatile sig_atomic_t progress_shown;

static void progress_alarm(int sig)
{
	int saved = errno;

	(void)sig;
	if (write(STDERR_FILENO, progress_line, strlen(progress_line)) > 0)
		progress_shown = 1;
	errno = saved;
}

void progress_begin(const char *what)
{
	struct sigaction sa = { .sa_handler = progress_alarm, .sa_flags = SA_RESTART };

	if (!isatty(STDERR_FILENO))
		return;
	snprintf(progress_line, sizeof(progress_line), "fwctl: %s ...", what);
	progress_shown = 0;
	sigaction(SIGALRM, &sa, NULL);
	alarm(1);
}

void progress_end(void)
{
	alarm(0);
	if (progress_shown)
		fputs("\r\033[K", stderr);
	progress_shown = 0;
}

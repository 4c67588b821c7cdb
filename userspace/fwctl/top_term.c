// SPDX-License-Identifier: GPL-2.0-only
#define NCURSES_WIDECHAR 1
#include "fwctl/top_term.h"

#include "fwctl/cmd.h"
#include "fwctl/out.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

static SCREEN *screen;
static bool utf8;
static attr_t looks[LOOK_COUNT];
static short pairs[LOOK_COUNT];

/* What a handler of a crash may use: it may call next to nothing. */
static struct termios before;
static char leave[256];
static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };

static void on_crash(int sig)
{
	ssize_t n = write(STDOUT_FILENO, leave, strlen(leave));

	(void)n;
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void crash_prepare(void)
{
	static const char *const names[] = { "sgr0", "cnorm", "rmkx", "rmcup" };

	*leave = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *s = tigetstr(names[i]);

		/* Waits are for terminals of long ago, and stand between "$<" and ">". */
		if (s && s != (char *)-1 && !strstr(s, "$<") && strlen(leave) + strlen(s) < sizeof(leave))
			strcat(leave, s);
	}
	for (size_t i = 0; i < sizeof(crashes) / sizeof(*crashes); i++)
		signal(crashes[i], on_crash);
}

/* A locale that is named and not installed: its characters are still those of UTF-8, when it says so. */
static void locale_open(void)
{
	const char *name = getenv("LC_ALL");

	name = name && *name ? name : getenv("LC_CTYPE");
	name = name && *name ? name : getenv("LANG");
	if (!setlocale(LC_CTYPE, "") && name && (strcasestr(name, "utf-8") || strcasestr(name, "utf8")))
		setlocale(LC_CTYPE, "C.UTF-8");
	utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
}

static int refused(const char *why)
{
	const char *type = getenv("TERM");

	problem("top needs %s (TERM is \"%s\"); fwctl stats --watch needs none, fwctl top --once prints one picture", why,
		type ? out_name(type) : "");
	return STATUS_REFUSED;
}

/* Blue and orange differ for every eye. Eight colours have neither a bright blue nor orange: cyan and yellow stand for them. */
static void colours_open(void)
{
	const char *no = getenv("NO_COLOR");
	short colour[LOOK_COUNT] = {};

	looks[LOOK_STRONG] = A_BOLD;
	looks[LOOK_HEAD] = A_BOLD | A_UNDERLINE;
	looks[LOOK_SELECTED] = A_REVERSE;
	looks[LOOK_DROP] = looks[LOOK_WARN] = A_BOLD;
	looks[LOOK_REJECT] = A_BOLD;
	if ((no && *no) || !has_colors() || start_color() == ERR)
		return;
	use_default_colors();
	colour[LOOK_PASS] = COLORS >= 256 ? 75 : COLOR_CYAN;
	colour[LOOK_DROP] = colour[LOOK_WARN] = COLORS >= 256 ? 208 : COLOR_YELLOW;
	colour[LOOK_REJECT] = COLORS >= 256 ? 177 : COLOR_MAGENTA;
	for (short i = 0; i < LOOK_COUNT; i++)
		if (colour[i] && init_pair(i, colour[i], -1) != ERR)
			pairs[i] = i;
}

int term_open(void)
{
	const char *type = getenv("TERM");
	int err = 0;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return refused("a terminal");
	if (!type || !*type || setupterm(NULL, STDOUT_FILENO, &err) == ERR)
		return refused(err == -1 ? "the descriptions of terminals (package ncurses-base)" : "a terminal of a known type");
	if (!tigetstr("cup") || tigetstr("cup") == (char *)-1)
		return refused("a terminal whose cursor can be placed");
	del_curterm(cur_term); /* newterm reads its own */
	locale_open();
	tcgetattr(STDIN_FILENO, &before);
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return refused("a terminal of a known type");
	set_term(screen);
	crash_prepare();
	set_escdelay(50);
	cbreak();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	colours_open();
	return STATUS_DONE;
}

void term_close(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
	for (size_t i = 0; i < sizeof(crashes) / sizeof(*crashes); i++)
		signal(crashes[i], SIG_DFL);
}

bool term_utf8(void)
{
	return utf8;
}

void term_size(int *ret_rows, int *ret_cols)
{
	struct winsize w;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) && w.ws_row && w.ws_col && (w.ws_row != LINES || w.ws_col != COLS))
		resizeterm(w.ws_row, w.ws_col);
	getmaxyx(stdscr, *ret_rows, *ret_cols);
}

/* The last cell of the screen is written too: curses knows how not to scroll. */
void term_paint(const struct top_grid *g)
{
	erase();
	for (int y = 0; y < g->rows; y++) {
		for (int x = 0; x < g->cols; x++) {
			const struct top_cell *c = &g->cell[(size_t)y * (size_t)g->cols + (size_t)x];
			wchar_t text[2] = { (wchar_t)c->ch };
			cchar_t cell;

			if (!c->ch && c->look != LOOK_SELECTED && c->look != LOOK_HEAD)
				continue;
			if (!c->ch)
				*text = L' ';
			setcchar(&cell, text, looks[c->look], pairs[c->look], NULL);
			mvadd_wch(y, x, &cell);
		}
	}
	refresh();
}

void term_redraw(void)
{
	clearok(curscr, TRUE);
}

int term_key(void)
{
	int c = getch();

	switch (c) {
	case ERR:
		return TERM_NONE;
	case KEY_UP:
		return TERM_UP;
	case KEY_DOWN:
		return TERM_DOWN;
	case KEY_PPAGE:
		return TERM_PAGE_UP;
	case KEY_NPAGE:
		return TERM_PAGE_DOWN;
	case KEY_HOME:
		return TERM_HOME;
	case KEY_END:
		return TERM_END;
	case KEY_BTAB:
		return TERM_TAB_BACK;
	case KEY_ENTER:
	case '\r':
	case '\n':
		return TERM_ENTER;
	case KEY_BACKSPACE:
	case 127:
	case '\b':
		return TERM_BACKSPACE;
	case 27:
		return TERM_ESCAPE;
	}
	return c < 256 ? c : TERM_OTHER;
}

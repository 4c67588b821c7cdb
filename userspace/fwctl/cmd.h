/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a command is. One row per verb and one per option; parsing, help, the man page and the bash completion all
 * read these rows, so adding a verb is a file with a `struct command` and its name in main.c.
 */
#ifndef FW_FWCTL_CMD_H
#define FW_FWCTL_CMD_H

#include <stdbool.h>
#include <stddef.h>

/* The exit status is a promise to scripts. */
enum status {
	STATUS_DONE = 0,
	STATUS_REFUSED = 1, /* the system refused, or the state is degraded */
	STATUS_WRONG = 2,   /* the rules or the command line are wrong */
};

/* What the words after the options are; the completion offers accordingly. */
enum args_kind { ARGS_NONE, ARGS_FILE, ARGS_IFACES, ARGS_WORDS, ARGS_VERB };

struct option_row {
	char letter;	    /* 0: none */
	const char *name;   /* without the dashes; NULL ends the list */
	const char *arg;    /* what the argument is called; NULL: takes none */
	const char *values; /* the words it may be, joined by '|'; NULL: anything */
	bool optional;	    /* the argument may be missing, else it must be joined with '=' */
	const char *help;   /* half a sentence */
};

#define ARGS_OPTIONS 14
struct args;
struct command {
	const char *name;
	int (*run)(const struct args *a); /* returns enum status */
	const char *usage;		  /* what follows the name; alternatives on lines of their own */
	const char *help;		  /* one sentence */
	const char *more;		  /* paragraphs for `help VERB` and the manual; NULL: none */
	enum args_kind kind;
	const char *words; /* ARGS_WORDS: joined by '|' */
	size_t min, max;   /* how many words; max 0: none, ARGS_ANY: no limit */
	struct option_row options[ARGS_OPTIONS + 1];
};
#define ARGS_ANY 4096

/* One parsed command line. */
struct args {
	const struct command *command;
	const char **word;
	size_t nwords;
	const char *value[ARGS_OPTIONS]; /* by row; "" when given without an argument, NULL when not given */
};

/* Fill ret from argv[1..]; says what is wrong on stderr. Nothing to free but ret->word. */
int args_parse(const struct command *cmd, int argc, char **argv, struct args *ret);
/* The value of an option of this command; NULL: not given. */
const char *args_get(const struct args *a, const char *name);
static inline bool args_has(const struct args *a, const char *name)
{
	return args_get(a, name) != NULL;
}
/* Is `word` one of "a|b|c"? Its number, or -1. */
int args_choice(const char *values, const char *word);
/* Say what is wrong with the command line and where its help is. Returns STATUS_WRONG. */
int args_wrong(const struct command *cmd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The words from `first` on, joined by blanks. malloc'ed; NULL: no memory. */
char *args_join(const struct args *a, size_t first);

/* The table, ended by NULL. */
extern const struct command *const commands[];
const struct command *command_find(const char *name);
int help_command(const struct command *cmd);
void help_usage(void); /* on stderr: how to begin */

extern const struct command cmd_check, cmd_lint, cmd_diff, cmd_replay, cmd_explain, cmd_load, cmd_apply, cmd_unload,
	cmd_status, cmd_show, cmd_stats, cmd_top, cmd_log, cmd_tap, cmd_metrics, cmd_exposure,
	cmd_set, cmd_ban, cmd_unban, cmd_bans, cmd_feed, cmd_flows, cmd_version, cmd_help;

#endif

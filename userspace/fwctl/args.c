// SPDX-License-Identifier: GPL-2.0-only
/* A command line → struct args, driven by the command's rows. */
#include "fwctl/cmd.h"
#include "fwctl/out.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int args_wrong(const struct command *cmd, const char *fmt, ...)
{
	struct str s = {};
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	str_add(&s, text ? text : "the command line is wrong");
	problem("%s; see fwctl help %s", str_get(&s), cmd->name);
	str_fini(&s);
	free(text);
	return STATUS_WRONG;
}

int args_choice(const char *values, const char *word)
{
	size_t len = strlen(word);

	for (int i = 0; values; i++) {
		size_t n = strcspn(values, "|");
		if (n == len && !memcmp(values, word, n))
			return i;
		values = values[n] ? values + n + 1 : NULL;
	}
	return -1;
}

const char *args_get(const struct args *a, const char *name)
{
	for (size_t i = 0; a->command->options[i].name; i++)
		if (!strcmp(a->command->options[i].name, name))
			return a->value[i];
	assert(!"an option that the command does not have");
	return NULL;
}

char *args_join(const struct args *a, size_t first)
{
	struct str s = {};

	for (size_t i = first; i < a->nwords; i++) {
		if (i > first)
			str_add(&s, " ");
		str_add(&s, a->word[i]);
	}
	char *text = s.failed ? NULL : strdup(str_get(&s));
	str_fini(&s);
	return text;
}

static long row_by_name(const struct command *cmd, const char *name, size_t len)
{
	for (size_t i = 0; cmd->options[i].name; i++)
		if (strlen(cmd->options[i].name) == len && !memcmp(cmd->options[i].name, name, len))
			return (long)i;
	return -1;
}

static int option_unknown(const struct command *cmd, const char *arg)
{
	struct str s = {};
	size_t len = strcspn(arg, "=");
	const char *near = NULL;
	char name[64] = "";

	if (!strncmp(arg, "--", 2) && len - 2 < sizeof(name))
		memcpy(name, arg + 2, len - 2);
	for (size_t i = 0; name[0] && cmd->options[i].name && !near; i++)
		if (str_distance(cmd->options[i].name, name) <= 2)
			near = cmd->options[i].name;
	str_add_escaped(&s, arg, len);
	if (near)
		args_wrong(cmd, "%s has no option %s (did you mean --%s?)", cmd->name, str_get(&s), near);
	else
		args_wrong(cmd, "%s has no option %s", cmd->name, str_get(&s));
	str_fini(&s);
	return STATUS_WRONG;
}

static int option_set(struct args *a, size_t row, const char *value)
{
	const struct option_row *o = &a->command->options[row];

	if (a->value[row])
		return args_wrong(a->command, "--%s is given twice", o->name);
	if (o->arg && !o->optional && !*value)
		return args_wrong(a->command, "--%s needs %s", o->name, o->arg);
	if (o->values && *value && args_choice(o->values, value) < 0) {
		struct str s = {};
		str_add_escaped(&s, value, strlen(value));
		args_wrong(a->command, "--%s is one of %s, not %s", o->name, o->values, str_get(&s));
		str_fini(&s);
		return STATUS_WRONG;
	}
	a->value[row] = value;
	return STATUS_DONE;
}

/* One option at argv[*i]; moves *i over a separate argument. */
static int option_parse(struct args *a, int argc, char **argv, int *i)
{
	const struct command *cmd = a->command;
	const char *arg = argv[*i], *value = NULL;
	long row = -1;

	if (arg[1] == '-') {
		const char *eq = strchr(arg, '=');
		row = row_by_name(cmd, arg + 2, eq ? (size_t)(eq - arg - 2) : strlen(arg + 2));
		value = eq ? eq + 1 : NULL;
	} else {
		for (size_t o = 0; cmd->options[o].name && row < 0; o++)
			if (cmd->options[o].letter == arg[1])
				row = (long)o;
		value = arg[2] ? arg + 2 : NULL;
	}
	if (row < 0)
		return option_unknown(cmd, arg);
	const struct option_row *o = &cmd->options[row];
	if (!o->arg && value)
		return args_wrong(cmd, "--%s takes no argument", o->name);
	if (o->arg && !o->optional && !value) {
		if (*i + 1 >= argc)
			return args_wrong(cmd, "--%s needs %s", o->name, o->arg);
		value = argv[++*i];
	}
	return option_set(a, (size_t)row, value ? value : "");
}

/* The form of the command that is meant: the line of its usage that has most of the options given. */
static const char *usage_meant(const struct args *a)
{
	const char *best = a->command->usage;
	size_t most = 0;

	for (const char *at = best, *eol; at; at = eol ? eol + 1 : NULL) {
		size_t has = 0;
		eol = strchr(at, '\n');
		for (size_t o = 0; a->command->options[o].name; o++) {
			char word[64];
			snprintf(word, sizeof(word), "--%s", a->command->options[o].name);
			const char *found = a->value[o] ? strstr(at, word) : NULL;
			has += found && (!eol || found < eol);
		}
		if (has > most) {
			most = has;
			best = at;
		}
	}
	return best;
}

static int words_check(const struct args *a)
{
	const struct command *cmd = a->command;

	if (a->nwords < cmd->min) {
		const char *usage = usage_meant(a);
		return args_wrong(cmd, "usage: fwctl %s %.*s", cmd->name, (int)strcspn(usage, "\n"), usage);
	}
	if (a->nwords > cmd->max) {
		struct str s = {};
		str_add_escaped(&s, a->word[cmd->max], strlen(a->word[cmd->max]));
		args_wrong(cmd, "one word too many: \"%s\"", str_get(&s));
		str_fini(&s);
		return STATUS_WRONG;
	}
	return STATUS_DONE;
}

int args_parse(const struct command *cmd, int argc, char **argv, struct args *ret)
{
	bool options = true;

	*ret = (struct args){ .command = cmd, .word = calloc((size_t)argc + 1, sizeof(*ret->word)) };
	if (!ret->word) {
		problem("no memory");
		return STATUS_REFUSED;
	}
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];
		/* "->" stands in the middle of a packet: an option begins with a letter or a second dash. */
		if (options && !strcmp(arg, "--")) {
			options = false;
		} else if (options && arg[0] == '-' && (arg[1] == '-' || isalpha((unsigned char)arg[1]))) {
			int err = option_parse(ret, argc, argv, &i);
			if (err)
				return err;
		} else {
			ret->word[ret->nwords++] = arg;
		}
	}
	return words_check(ret);
}

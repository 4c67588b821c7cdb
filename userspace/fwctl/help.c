// SPDX-License-Identifier: GPL-2.0-only
/* help: the command table as text. */
#include "fwctl/help.h"

#include "fwctl/cmd.h"
#include "fwctl/out.h"

#include <stdio.h>
#include <string.h>

void help_usage(void)
{
	fputs("fwctl: which command?\n", stderr);
	for (size_t i = 0; commands[i]; i++)
		fprintf(stderr, "  %-8s  %s\n", commands[i]->name, commands[i]->help);
	fputs("`fwctl help COMMAND` says more.\n", stderr);
}

/* "fwctl NAME USAGE" for every line of the usage. */
static void usage_print(const struct command *cmd)
{
	const char *u = cmd->usage;

	do {
		size_t n = strcspn(u, "\n");
		out("  fwctl %s %.*s\n", cmd->name, (int)n, u);
		u += n + (u[n] == '\n');
	} while (*u);
}

void help_option(const struct option_row *o, struct str *s)
{
	if (o->letter)
		str_addf(s, "-%c, ", o->letter);
	str_addf(s, "--%s", o->name);
	if (o->arg)
		str_addf(s, o->optional ? "[=%s]" : "=%s", o->values ? o->values : o->arg);
}

void help_wrap(const char *text, size_t len, size_t width, struct str *s)
{
	size_t column = 0;

	for (size_t i = 0; i < len;) {
		size_t n = i;
		while (n < len && text[n] != ' ' && text[n] != '\n')
			n++;
		if (column && column + 1 + n - i > width) {
			str_add(s, "\n");
			column = 0;
		}
		if (column)
			str_add(s, " ");
		str_add_len(s, text + i, n - i);
		column += (column > 0) + n - i;
		if (n < len && text[n] == '\n') {
			str_add(s, "\n");
			column = 0;
		}
		i = n + 1;
	}
}

int help_command(const struct command *cmd)
{
	out("%s\n\n", cmd->help);
	usage_print(cmd);
	for (size_t i = 0; cmd->options[i].name; i++) {
		struct str s = {};
		help_option(&cmd->options[i], &s);
		out("%s    %-32s %s\n", i ? "" : "\n", str_get(&s), cmd->options[i].help);
		str_fini(&s);
	}
	if (cmd->more) {
		struct str s = {};
		help_wrap(cmd->more, strlen(cmd->more), 80, &s);
		out("\n%s\n", str_get(&s));
		str_fini(&s);
	}
	return STATUS_DONE;
}

static int help_all(void)
{
	out("fwctl: rule files become verdicts on packets, at XDP and TC.\n\n");
	for (size_t i = 0; commands[i]; i++)
		usage_print(commands[i]);
	out("\nExit status: 0 done; 1 the system refused, or the state is degraded; 2 the rules or the command line "
	    "are wrong.\n"
	    "`fwctl help COMMAND` says more.\n");
	return STATUS_DONE;
}

static int run(const struct args *a)
{
	if (args_has(a, "man"))
		return help_man();
	if (args_has(a, "completion"))
		return help_completion();
	if (!a->nwords)
		return help_all();
	const struct command *cmd = command_find(a->word[0]);
	if (cmd)
		return help_command(cmd);
	return args_wrong(&cmd_help, "there is no command %s", out_name(a->word[0]));
}

const struct command cmd_help = {
	.name = "help",
	.run = run,
	.usage = "[COMMAND]\n--man\n--completion",
	.help = "Explain a command, or list them all.",
	.kind = ARGS_VERB,
	.max = 1,
	.options =
		{
			{.name = "man", .help = "print the manual page, fwctl(8)"},
			{.name = "completion", .help = "print the completion for bash"},
		},
};

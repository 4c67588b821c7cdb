// SPDX-License-Identifier: GPL-2.0-only
/* fwctl: find the verb, run it, exit with its status. */
#include "fwctl/cmd.h"
#include "fwctl/out.h"

#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct command *const commands[] = {
	&cmd_check, &cmd_lint, &cmd_diff, &cmd_replay, &cmd_explain, &cmd_load, &cmd_apply, &cmd_unload,
	&cmd_status, &cmd_show, &cmd_stats, &cmd_top, &cmd_log, &cmd_tap, &cmd_metrics, &cmd_exposure,
	&cmd_set, &cmd_ban, &cmd_unban, &cmd_bans, &cmd_feed, &cmd_flows, &cmd_version, &cmd_help,
	NULL,
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static const char *verb_near(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (str_distance(commands[i]->name, name) <= 2)
			return commands[i]->name;
	return NULL;
}

static const struct command *verb_choose(int argc, char **argv)
{
	if (argc < 2) {
		help_usage();
		return NULL;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return &cmd_help;
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
		return &cmd_version;
	const struct command *cmd = command_find(argv[1]);
	if (cmd)
		return cmd;
	struct str s = {};
	const char *near = verb_near(argv[1]);
	str_add_escaped(&s, argv[1], strlen(argv[1]));
	if (near)
		problem("there is no command %s; did you mean %s?", str_get(&s), near);
	else
		problem("there is no command %s; run fwctl help for the list", str_get(&s));
	str_fini(&s);
	return NULL;
}

/* A program started with a standard stream closed would write its results into whatever it opens next. */
static void streams_open(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	struct args args = {};

	streams_open();
	setlocale(LC_ALL, "C");
	const struct command *cmd = verb_choose(argc, argv);
	if (!cmd)
		return STATUS_WRONG;
	int status;
	if (argc > 2 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h")))
		status = help_command(cmd);
	else
		status = args_parse(cmd, argc - 1, argv + 1, &args);
	if (status == STATUS_DONE && args.command)
		status = cmd->run(&args);
	free(args.word);
	return out_finish(status);
}

// SPDX-License-Identifier: GPL-2.0-only
#include "bench/edit.h"
#include "base/cleanup.h"
#include "bench/measure.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FWCTL EDIT_FWCTL
#define RULES 100 /* beside the set */

extern char **environ;

static int write_rules(const char *path, const char *list, unsigned int variant)
{
	auto_fclose FILE *f = fopen(path, "we");

	if (!f)
		return -errno;
	fprintf(f,
		"set list { type prefix; file \"%s\" }\npolicy bench {\n\tingress default drop {\n\t\tdrop from "
		"@list\n",
		list);
	for (unsigned int i = 0; i < RULES; i++)
		fprintf(f, "\t\tpass proto tcp from 10.%u.0.0/16 to 192.0.2.0/24 port %u\n", i,
			i == RULES / 2 ? 2000 + variant : 1000 + i);
	fprintf(f, "\t}\n}\n");
	return 0;
}

int edit_command(char *const argv[], double *ret_ns)
{
	posix_spawn_file_actions_t files;
	double start = measure_wall_ns();
	pid_t pid;
	int status, err;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	err = -posix_spawn(&pid, FWCTL, &files, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	if (!err && waitpid(pid, &status, 0) < 0)
		err = -errno;
	if (!err && (!WIFEXITED(status) || WEXITSTATUS(status)))
		err = -EPROTO;
	*ret_ns = measure_wall_ns() - start;
	if (err)
		fprintf(stderr, "bench: %s %s: %s\n", FWCTL, argv[1], strerror(-err));
	return err;
}

static int edit_rounds(const struct edit *e, char *rules, double *ns)
{
	char *const load[] = { FWCTL, "load", (char *)e->ifname, "-r", rules, NULL };
	char *const apply[] = { FWCTL, "apply", rules, NULL };
	double first;
	int err = write_rules(rules, e->list, 0);

	if (!err)
		err = edit_command(load, &first);
	/* The first change fills the second generation's tables; it is not what every further one is. */
	for (unsigned int i = 0; !err && i <= e->rounds; i++) {
		err = write_rules(rules, e->list, i + 1);
		if (!err)
			err = edit_command(apply, i ? &ns[i - 1] : &first);
	}
	return err;
}

int edit_run(const struct edit *e)
{
	char rules[PATH_MAX];
	char *const unload[] = { FWCTL, "unload", (char *)e->ifname, NULL };
	double ns[MEASURE_ROUNDS_MAX], gone, median;
	int err;

	snprintf(rules, sizeof(rules), "%s/edit.fw", e->dir);
	err = edit_rounds(e, rules, ns);
	if (!err)
		err = edit_command(unload, &gone);
	unlink(rules);
	if (err)
		return err;
	median = measure_median(ns, e->rounds);
	printf("\none of %u rules edited beside a set of a million prefixes, the whole command `fwctl apply`:\n"
	       "  median %.1f ms, %.1f … %.1f\n",
	       RULES, median / 1e6, ns[0] / 1e6, ns[e->rounds - 1] / 1e6);
	if (e->json)
		fprintf(e->json,
			"{\"bench\":\"control\",\"group\":\"edit\",\"family\":\"seeded-1000000\",\"rules\":%u,\"total_"
			"ms\":%.3f,"
			"\"min\":%.3f,\"max\":%.3f,\"rounds\":%u}\n",
			RULES, median / 1e6, ns[0] / 1e6, ns[e->rounds - 1] / 1e6, e->rounds);
	return 0;
}

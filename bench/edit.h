/* SPDX-License-Identifier: GPL-2.0-only */
/* What an administrator waits for: the command `fwctl apply` after one rule was changed beside a large set. */
#ifndef FW_BENCH_EDIT_H
#define FW_BENCH_EDIT_H

#include <stdio.h>

struct edit {
	const char *ifname; /* free; its policy is removed at the end */
	const char *dir;    /* for rule files, ours */
	const char *list;   /* file of the set, in there */
	unsigned int rounds;
	FILE *json; /* NULL: none */
};

/* Wall time of one fwctl command, build/fwctl is argv[0]; its words go to /dev/null, its complaints to stderr. 0 or negative errno. */
int edit_command(char *const argv[], double *ret_ns);
#define EDIT_FWCTL "build/fwctl"

/* 0 or negative errno with a sentence on stderr. */
int edit_run(const struct edit *e);

#endif

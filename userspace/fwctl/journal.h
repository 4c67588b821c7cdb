/* SPDX-License-Identifier: GPL-2.0-only */
/* Datagrams to the native socket of journald. */
#ifndef FW_FWCTL_JOURNAL_H
#define FW_FWCTL_JOURNAL_H

#include "fwctl/sink.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
struct journal {
	const char *path;
	int fd;
	int err; /* negative errno: it takes nothing more */
};
/* False: err says why. */
bool journal_open(struct journal *j);
void journal_close(struct journal *j);
/* A journal that is slow makes us wait, one that was started again is found again. `sink` hears signals meanwhile. */
bool journal_send(struct journal *j, const struct str *datagram, struct sink *sink);

#endif

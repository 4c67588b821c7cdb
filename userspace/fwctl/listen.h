/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets to listen on that nobody from outside the machine can reach. */
#ifndef FW_FWCTL_LISTEN_H
#define FW_FWCTL_LISTEN_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/un.h>

#define LISTEN_MAX 8
struct listener {
	int fd;
	bool local;
	struct sockaddr_un path; /* of a socket that we have made: removed at the end when it is still ours */
	struct stat made;
};
struct listeners {
	struct listener v[LISTEN_MAX];
	unsigned int n;
};

/* "unix:PATH", "127.0.0.1:PORT", "[::1]:PORT", "systemd". Each is told of on stdout. Returns enum status, after a sentence. */
int listen_open(struct listeners *l, const char *where);
void listen_close(struct listeners *l);

#endif

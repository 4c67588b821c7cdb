// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/journal.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool journal_connect(struct journal *j)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	if (strlen(j->path) >= sizeof(to.sun_path)) {
		j->err = -ENAMETOOLONG;
		return false;
	}
	memcpy(to.sun_path, j->path, strlen(j->path));
	journal_close(j);
	j->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (j->fd < 0 || connect(j->fd, (struct sockaddr *)&to, sizeof(to))) {
		j->err = -errno;
		return false;
	}
	return true;
}

bool journal_open(struct journal *j)
{
	j->fd = -1;
	return journal_connect(j);
}

void journal_close(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
}

bool journal_send(struct journal *j, const struct str *datagram, struct sink *sink)
{
	bool again = false;

	if (datagram->failed) {
		j->err = -ENOMEM;
		return false;
	}
	while (send(j->fd, datagram->s, datagram->len, MSG_NOSIGNAL) < 0) {
		if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
			if (!sink_wait(sink, j->fd)) {
				j->err = sink->err ? sink->err : -ETIMEDOUT;
				return false;
			}
		} else if (!again && (errno == ECONNREFUSED || errno == ENOTCONN || errno == EPIPE || errno == ECONNRESET)) {
			again = true;
			if (!journal_connect(j))
				return false;
		} else if (errno != EINTR) {
			j->err = -errno;
			return false;
		}
	}
	return true;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/sink.h"

#include "fwctl/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define GRACE_NS 1000000000ull /* for a reader that is slow, after the end was asked for */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

bool signals_hear(struct signals *s)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &s->mask);
	sigaction(SIGPIPE, &ignore, &s->pipe);
	s->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->fd >= 0;
}

void signals_restore(struct signals *s)
{
	while (signals_taken(s->fd))
		;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	sigaction(SIGPIPE, &s->pipe, NULL);
	sigprocmask(SIG_SETMASK, &s->mask, NULL);
}

bool signals_taken(int fd)
{
	struct signalfd_siginfo info;

	return fd >= 0 && read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info);
}

int signals_broken(struct signals *s)
{
	/* What stdio still holds has no reader either. */
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0) {
		dup2(null, STDOUT_FILENO);
		close(null);
	}
	if (s->pipe.sa_handler != SIG_IGN) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	return STATUS_REFUSED;
}

/*
 * Pipes and terminals are opened again, so that not waiting for them is a matter of ours alone: O_NONBLOCK on the descriptor that we
 * were given would be the shell's, too.
 */
void sink_init(struct sink *s, int fd, int signals)
{
	struct stat st;
	char path[32];

	*s = (struct sink){ .fd = fd, .signals = signals };
	if (fstat(fd, &st))
		return;
	if (S_ISSOCK(st.st_mode))
		s->kind = SINK_SOCKET;
	if (!S_ISFIFO(st.st_mode) && !(S_ISCHR(st.st_mode) && isatty(fd)))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int again = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (again < 0)
		return;
	s->fd = again;
	s->own = true;
	s->kind = SINK_POLLED;
}

void sink_fini(struct sink *s)
{
	if (s->own)
		close(s->fd);
	str_fini(&s->pending);
	*s = (struct sink){ .fd = -1, .signals = -1 };
}

bool sink_wait(struct sink *s, int fd)
{
	struct pollfd p[2] = { { .fd = fd, .events = POLLOUT }, { .fd = s->ended ? -1 : s->signals, .events = POLLIN } };
	int ms = -1;

	if (s->ended) {
		uint64_t now = now_ns();
		/* Whoever heard the signal beside us leaves the clock to us. */
		s->deadline_ns = s->deadline_ns ? s->deadline_ns : now + GRACE_NS;
		if (now >= s->deadline_ns)
			return false;
		ms = (int)((s->deadline_ns - now) / 1000000) + 1;
	}
	if (poll(p, 2, ms) < 0 && errno != EINTR) {
		s->err = -errno;
		return false;
	}
	if (p[1].revents && signals_taken(s->signals)) {
		s->ended = true;
		s->deadline_ns = now_ns() + GRACE_NS;
	}
	return true;
}

static ssize_t put(const struct sink *s, const char *bytes, size_t len)
{
	if (s->kind == SINK_SOCKET)
		return send(s->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return write(s->fd, bytes, len);
}

bool sink_settle(struct sink *s, bool now)
{
	if (s->pending.failed)
		s->err = -ENOMEM;
	if (s->broken || s->err)
		return false;
	if (!now && s->pending.len < SINK_FULL)
		return true;
	while (s->done < s->pending.len) {
		ssize_t n = put(s, s->pending.s + s->done, s->pending.len - s->done);
		if (n > 0) {
			s->done += (size_t)n;
			s->written += (uint64_t)n;
		} else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			if (!sink_wait(s, s->fd))
				return false;
		} else if (n < 0 && errno != EINTR) {
			s->broken = errno == EPIPE || errno == ECONNRESET;
			s->err = s->broken ? 0 : -errno;
			return false;
		}
	}
	str_reset(&s->pending);
	s->done = 0;
	return true;
}

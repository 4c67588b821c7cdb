// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/listen.h"

#include "base/cleanup.h"
#include "fwctl/cmd.h"
#include "fwctl/out.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int add(struct listeners *l, int fd, bool local)
{
	l->v[l->n++] = (struct listener){ .fd = fd, .local = local };
	return STATUS_DONE;
}

/* `taken`: what to say when somebody has the place. */
static int refused(const char *where, int err, const char *taken)
{
	problem("cannot listen on %s: %s%s", out_name(where), strerror(err), err == EADDRINUSE ? taken : "");
	return STATUS_REFUSED;
}

static int wrong(const char *where)
{
	problem("cannot listen on \"%s\": only unix:PATH, 127.0.0.1:PORT and [::1]:PORT are offered, because the metrics tell whoever asks "
		"of rules and traffic; to show them elsewhere, put a server with TLS and passwords in front",
		out_name(where));
	return STATUS_WRONG;
}

/* One that nobody listens on was left by a process that was killed. */
static bool is_stale(const struct sockaddr_un *a)
{
	struct stat st;
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd >= 0 && !lstat(a->sun_path, &st) && S_ISSOCK(st.st_mode) && connect(fd, (const struct sockaddr *)a, sizeof(*a)) &&
	       errno == ECONNREFUSED;
}

/* For its owner and group: who may ask is a matter of the directory, and of chgrp. */
static int bind_private(int fd, const struct sockaddr_un *a)
{
	mode_t old = umask(0117);
	int err = bind(fd, (const struct sockaddr *)a, sizeof(*a)) ? errno : 0;

	umask(old);
	return err;
}

static const char *taken_by(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && !S_ISSOCK(st.st_mode) ? "; a file is there that is no socket: choose another place" :
							    "; another program listens there (ss -lxp says which), or choose another place";
}

static int listen_unix(struct listeners *l, const char *where, const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (!*path || strlen(path) >= sizeof(a.sun_path)) {
		problem("cannot listen on \"%s\": a path has 1 to %zu bytes", out_name(where), sizeof(a.sun_path) - 1);
		return STATUS_WRONG;
	}
	strcpy(a.sun_path, path);
	int err = fd < 0 ? errno : bind_private(fd, &a);
	if (err == EADDRINUSE && is_stale(&a) && !unlink(path))
		err = bind_private(fd, &a);
	if (err)
		return refused(where, err, taken_by(path));
	add(l, -1, true);
	struct listener *of = &l->v[l->n - 1];
	if (listen(fd, 64) || lstat(path, &of->made)) {
		err = errno;
		unlink(path);
		return refused(where, err, "");
	}
	of->path = a;
	of->fd = TAKE_FD(fd);
	out("metrics at unix socket %s\n", out_name(path));
	return STATUS_DONE;
}

/* Text of the address, or NULL: it is not one of this machine alone. */
static const char *loopback_text(const struct sockaddr_storage *ss)
{
	static char text[INET6_ADDRSTRLEN + 16];
	char a[INET6_ADDRSTRLEN];

	if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)ss;
		if (ntohl(in->sin_addr.s_addr) >> 24 != 127)
			return NULL;
		snprintf(text, sizeof(text), "%s:%u", inet_ntop(AF_INET, &in->sin_addr, a, sizeof(a)), ntohs(in->sin_port));
		return text;
	}
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;
	if (ss->ss_family != AF_INET6 || !IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr))
		return NULL;
	snprintf(text, sizeof(text), "[::1]:%u", ntohs(in6->sin6_port));
	return text;
}

/* Also says which port the kernel has chosen for 0. */
static void told(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	const char *text = getsockname(fd, (struct sockaddr *)&ss, &len) ? NULL : loopback_text(&ss);

	out("metrics at http://%s/metrics\n", text ? text : "?");
}

static int listen_tcp(struct listeners *l, const char *where, const struct sockaddr_storage *ss)
{
	auto_close int fd = socket(ss->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t len = ss->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	int one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) || bind(fd, (const struct sockaddr *)ss, len) ||
	    listen(fd, 64))
		return refused(where, errno, "; another program listens there (ss -lntp says which), or choose another place");
	told(fd);
	return add(l, TAKE_FD(fd), false);
}

/* "127.0.0.1:9468" or "[::1]:9468" */
static bool address_parse(const char *where, struct sockaddr_storage *ret)
{
	const char *colon = strrchr(where, ':');
	char host[64], *end;

	if (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1) || (size_t)(colon - where) >= sizeof(host))
		return false;
	unsigned long port = strtoul(colon + 1, &end, 10);
	memcpy(host, where, (size_t)(colon - where));
	host[colon - where] = '\0';
	*ret = (struct sockaddr_storage){};
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
	size_t len = strlen(host);
	if (port > 65535)
		return false;
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		return true;
	}
	if (len < 3 || host[0] != '[' || host[len - 1] != ']')
		return false;
	host[len - 1] = '\0';
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons((uint16_t)port);
	return inet_pton(AF_INET6, host + 1, &in6->sin6_addr) == 1;
}

/* Sockets of the unit's .socket: from descriptor 3 on, for this process. */
static int listen_handed(struct listeners *l, const char *where)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	unsigned long n = fds ? strtoul(fds, NULL, 10) : 0;

	if (!pid || strtoul(pid, NULL, 10) != (unsigned long)getpid() || !n || n > LISTEN_MAX) {
		problem("cannot listen on systemd's sockets: none were handed over (LISTEN_PID, LISTEN_FDS); a .socket unit does, "
			"and up to %d",
			LISTEN_MAX);
		return STATUS_REFUSED;
	}
	for (int fd = 3; fd < 3 + (int)n; fd++) {
		struct sockaddr_storage ss = {};
		socklen_t len = sizeof(ss), one = sizeof(int);
		int listening = 0;
		if (getsockname(fd, (struct sockaddr *)&ss, &len) || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &one) ||
		    !listening) {
			problem("descriptor %d from systemd is no socket that listens", fd);
			return STATUS_REFUSED;
		}
		if (ss.ss_family != AF_UNIX && !loopback_text(&ss))
			return wrong(where);
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		add(l, fd, ss.ss_family == AF_UNIX);
	}
	return STATUS_DONE;
}

int listen_open(struct listeners *l, const char *where)
{
	struct sockaddr_storage ss;

	if (!strcmp(where, "systemd"))
		return listen_handed(l, where);
	if (!strncmp(where, "unix:", 5))
		return listen_unix(l, where, where + 5);
	if (!address_parse(where, &ss) || !loopback_text(&ss))
		return wrong(where);
	return listen_tcp(l, where, &ss);
}

void listen_close(struct listeners *l)
{
	struct stat st;

	for (unsigned int i = 0; i < l->n; i++) {
		struct listener *v = &l->v[i];
		if (v->path.sun_path[0] && !lstat(v->path.sun_path, &st) && st.st_ino == v->made.st_ino && st.st_dev == v->made.st_dev)
			unlink(v->path.sun_path);
		if (v->fd >= 0)
			close(v->fd);
	}
	l->n = 0;
}

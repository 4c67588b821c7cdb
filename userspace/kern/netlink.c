// SPDX-License-Identifier: GPL-2.0-only
/*
 * By hand rather than by libnl-route: its tables are built by constructors that rely on the order of a shared library's parts,
 * and in a static binary its caches of traffic control crash.
 */
#include "kern/netlink.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REPLY_MAX 65536 /* the kernel never sends more at once */
#define TRIES	  16

static int ask(int fd, uint16_t type, const void *body, size_t len)
{
	struct {
		struct nlmsghdr hdr;
		uint8_t body[128];
	} req = {.hdr = {.nlmsg_len = NLMSG_LENGTH(len), .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};

	if (len > sizeof(req.body))
		return -EMSGSIZE;
	memcpy(req.body, body, len);
	return send(fd, &req, req.hdr.nlmsg_len, 0) < 0 ? -errno : 0;
}

/* 1: the list goes on, 0: it has ended, -EAGAIN: it changed meanwhile. */
static int take(const struct nlmsghdr *msg, size_t len, int (*each)(const struct nlmsghdr *, void *), void *ctx)
{
	for (; NLMSG_OK(msg, len); msg = NLMSG_NEXT(msg, len)) {
		int err = 0;

		if (msg->nlmsg_flags & NLM_F_DUMP_INTR)
			return -EAGAIN;
		if (msg->nlmsg_type == NLMSG_DONE)
			return 0;
		if (msg->nlmsg_type == NLMSG_ERROR)
			return msg->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr)) ? -EIO : ((struct nlmsgerr *)NLMSG_DATA(msg))->error;
		err = each(msg, ctx);
		if (err)
			return err;
	}
	return 1;
}

static int dump_once(uint16_t type, const void *body, size_t len, int (*each)(const struct nlmsghdr *, void *), void *ctx)
{
	auto_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	auto_free char *reply = malloc(REPLY_MAX);
	int err;

	if (fd < 0)
		return -errno;
	if (!reply)
		return -ENOMEM;
	err = ask(fd, type, body, len);
	while (!err) {
		ssize_t n = recv(fd, reply, REPLY_MAX, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		err = take((struct nlmsghdr *)reply, n, each, ctx);
		if (err <= 0)
			return err;
		err = 0;
	}
	return err;
}

int netlink_dump(uint16_t type, const void *body, size_t len, void (*begin)(void *ctx),
		 int (*each)(const struct nlmsghdr *msg, void *ctx), void *ctx)
{
	int err = -EAGAIN;

	for (int i = 0; err == -EAGAIN && i < TRIES; i++) {
		if (begin)
			begin(ctx);
		err = dump_once(type, body, len, each, ctx);
	}
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/sockets.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct socks {
	struct sock *v;
	size_t n, cap;
	uint8_t proto;
	int err;
};

static u128 bytes_addr(const uint8_t *b, size_t n)
{
	u128 a = 0;

	for (size_t i = 0; i < n; i++)
		a = a << 8 | b[i];
	return a;
}

static const u128 mapped = (u128)0xffff << 32; /* ::ffff:0:0/96 */

static int on_message(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *h = nlmsg_hdr(msg);
	struct nlattr *attr[INET_DIAG_MAX + 1];
	const struct inet_diag_msg *d = nlmsg_data(h);
	struct socks *out = arg;

	if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY || nlmsg_parse(h, sizeof(*d), attr, INET_DIAG_MAX, NULL) || d->id.idiag_dport)
		return NL_OK;
	bool v6 = d->idiag_family == AF_INET6;
	struct sock s = { .family = v6 ? FAMILY_IPV6 : FAMILY_IPV4, .proto = out->proto, .port = ntohs(d->id.idiag_sport),
			  .ifindex = d->id.idiag_if, .inode = d->idiag_inode };
	s.addr = bytes_addr((const uint8_t *)d->id.idiag_src, v6 ? 16 : 4);
	if (v6 && s.addr >> 32 == mapped >> 32) {
		s.family = FAMILY_IPV4;
		s.addr = (uint32_t)s.addr;
	}
	s.both = v6 && !s.addr && !(attr[INET_DIAG_SKV6ONLY] && nla_get_u8(attr[INET_DIAG_SKV6ONLY]));
	out->err = out->err ?: vec_push(out, s);
	return NL_OK;
}

static int ask(struct nl_sock *sk, int family, uint8_t proto, struct socks *out)
{
	struct inet_diag_req_v2 req = {
		.sdiag_family = (uint8_t)family,
		.sdiag_protocol = proto,
		/* A datagram socket that is not connected is "closed". */
		.idiag_states = 1u << (proto == IPPROTO_TCP ? TCP_LISTEN : TCP_CLOSE),
	};

	out->proto = proto;
	int err = nl_send_simple(sk, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &req, sizeof(req));
	err = err < 0 ? err : nl_recvmsgs_default(sk);
	/* A kernel without IPv6 has no such sockets. */
	return family == AF_INET6 && err == -NLE_OBJ_NOTFOUND ? 0 : err;
}

/* The process that has socket:[inode] open: a look into /proc, as far as we may. */
static void owner_look(pid_t pid, int fds, struct socks *s)
{
	DIR *dir = fdopendir(fds);
	char link[64], path[32], name[sizeof(s->v->name)] = "";
	unsigned int inode;

	if (!dir) {
		close(fds);
		return;
	}
	for (struct dirent *e; (e = readdir(dir));) {
		ssize_t n = readlinkat(fds, e->d_name, link, sizeof(link) - 1);
		if (n <= 0)
			continue;
		link[n] = '\0';
		if (sscanf(link, "socket:[%u]", &inode) != 1)
			continue;
		for (size_t i = 0; i < s->n; i++) {
			if (s->v[i].inode != inode || s->v[i].pid)
				continue;
			snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
			auto_fclose FILE *f = *name ? NULL : fopen(path, "re");
			if (f && fgets(name, sizeof(name), f))
				name[strcspn(name, "\n")] = '\0';
			s->v[i].pid = pid;
			memcpy(s->v[i].name, name, sizeof(name));
		}
	}
	closedir(dir);
}

static void owners(struct socks *s)
{
	DIR *proc = opendir("/proc");
	char path[32], *end;

	if (!proc)
		return;
	for (struct dirent *e; (e = readdir(proc));) {
		long pid = strtol(e->d_name, &end, 10);
		if (pid <= 0 || *end)
			continue;
		snprintf(path, sizeof(path), "/proc/%ld/fd", pid);
		int fds = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fds >= 0)
			owner_look((pid_t)pid, fds, s);
	}
	closedir(proc);
}

static int order(const void *va, const void *vb)
{
	const struct sock *a = va, *b = vb;

	if (a->proto != b->proto)
		return a->proto < b->proto ? -1 : 1;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return a->addr < b->addr ? -1 : a->addr > b->addr;
}

int sockets_list(struct fail *fail, struct sock **ret, size_t *ret_n)
{
	static const int families[] = { AF_INET, AF_INET6 };
	static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP };
	struct nl_sock *sk = nl_socket_alloc();
	struct socks s = {};

	if (!sk)
		return fail_set(fail, -ENOMEM, "no memory");
	nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, on_message, &s);
	int err = nl_connect(sk, NETLINK_SOCK_DIAG);
	for (size_t i = 0; i < 4 && err >= 0 && !s.err; i++)
		err = ask(sk, families[i / 2], protos[i % 2], &s);
	nl_socket_free(sk);
	if (err < 0 || s.err) {
		free(s.v);
		return fail_set(fail, s.err ?: -EIO, "cannot ask the kernel for its sockets (sock_diag): %s",
				s.err ? strerror(-s.err) : nl_geterror(err));
	}
	owners(&s);
	if (s.n)
		qsort(s.v, s.n, sizeof(*s.v), order);
	*ret = s.v;
	*ret_n = s.n;
	return 0;
}

struct locals {
	struct local *v;
	size_t n, cap;
};

int locals_list(struct fail *fail, struct local **ret, size_t *ret_n)
{
	struct ifaddrs *list = NULL;
	struct locals out = {};
	int err = 0;

	if (getifaddrs(&list))
		return fail_set(fail, -errno, "cannot ask the kernel for the addresses of its interfaces: %s", strerror(errno));
	for (struct ifaddrs *i = list; i && !err; i = i->ifa_next) {
		if (!i->ifa_addr || (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6))
			continue;
		struct local l = { .ifindex = if_nametoindex(i->ifa_name), .loopback = i->ifa_flags & IFF_LOOPBACK };
		snprintf(l.ifname, sizeof(l.ifname), "%s", i->ifa_name);
		l.family = i->ifa_addr->sa_family == AF_INET ? FAMILY_IPV4 : FAMILY_IPV6;
		if (l.family == FAMILY_IPV4)
			l.addr = ntohl(((const struct sockaddr_in *)i->ifa_addr)->sin_addr.s_addr);
		else
			l.addr = bytes_addr(((const struct sockaddr_in6 *)i->ifa_addr)->sin6_addr.s6_addr, 16);
		err = vec_push(&out, l);
	}
	freeifaddrs(list);
	if (err) {
		free(out.v);
		return fail_set(fail, err, "no memory");
	}
	*ret = out.v;
	*ret_n = out.n;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/under.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "kern/netlink.h"

#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#define DEPTH 8 /* a VLAN on a bridge on a bond, and some more */

struct link {
	unsigned int index, master, lower;
};

struct links {
	struct link *v;
	size_t n, cap;
};

static void links_fini(struct links *l)
{
	vec_fini(l);
}

static void links_begin(void *ctx)
{
	((struct links *)ctx)->n = 0;
}

/* Kinds whose frames are those of the interface below, give or take a tag. A tunnel's are not. */
static bool kind_is_thin(struct rtattr *info)
{
	static const char *const kinds[] = { "vlan", "macvlan", "macvtap", "ipvlan", "ipvtap" };
	int len = (int)RTA_PAYLOAD(info);

	for (struct rtattr *a = RTA_DATA(info); RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		if (a->rta_type != IFLA_INFO_KIND)
			continue;
		for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
			if (RTA_PAYLOAD(a) > strlen(kinds[i]) && !strcmp(RTA_DATA(a), kinds[i]))
				return true;
	}
	return false;
}

static int links_add(const struct nlmsghdr *msg, void *ctx)
{
	struct links *l = ctx;
	struct ifinfomsg *info = NLMSG_DATA(msg);
	int len = (int)IFLA_PAYLOAD(msg);
	struct link link = { .index = (unsigned int)info->ifi_index };
	bool thin = false, elsewhere = false;

	if (msg->nlmsg_type != RTM_NEWLINK)
		return 0;
	for (struct rtattr *a = IFLA_RTA(info); RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		if (a->rta_type == IFLA_MASTER)
			memcpy(&link.master, RTA_DATA(a), sizeof(link.master));
		else if (a->rta_type == IFLA_LINK)
			memcpy(&link.lower, RTA_DATA(a), sizeof(link.lower));
		else if (a->rta_type == IFLA_LINK_NETNSID)
			elsewhere = true;
		else if ((a->rta_type & NLA_TYPE_MASK) == IFLA_LINKINFO)
			thin = kind_is_thin(a);
	}
	if (!thin || elsewhere)
		link.lower = 0;
	return vec_push(l, link);
}

static bool carries(const struct links *l, unsigned int ifindex, unsigned int top, int depth)
{
	if (ifindex == top)
		return true;
	for (size_t i = 0; i < l->n && depth; i++) {
		const struct link *x = &l->v[i];
		if (x->master == top && carries(l, ifindex, x->index, depth - 1))
			return true;
		if (x->index == top && x->lower && carries(l, ifindex, x->lower, depth - 1))
			return true;
	}
	return false;
}

bool under_carries(const char *ifname, unsigned int top)
{
	const struct ifinfomsg ask = { .ifi_family = AF_UNSPEC };
	struct links l cleanup(links_fini) = {};
	unsigned int ifindex = if_nametoindex(ifname);

	if (!ifindex || !top)
		return false;
	if (ifindex == top)
		return true;
	return !netlink_dump(RTM_GETLINK, &ask, sizeof(ask), links_begin, links_add, &l) &&
	       carries(&l, ifindex, top, DEPTH);
}

unsigned int under_route(int af, const void *src, const void *dst)
{
	struct {
		struct nlmsghdr hdr;
		struct rtmsg rt;
		uint8_t attrs[64];
	} req = { .hdr = { .nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST }, .rt = { .rtm_family = (uint8_t)af } };
	const void *address[] = { dst, src };
	unsigned short type[] = { RTA_DST, RTA_SRC };
	size_t size = af == AF_INET6 ? 16 : 4;
	auto_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	char reply[4096] __attribute__((aligned(NLMSG_ALIGNTO)));

	req.hdr.nlmsg_len = NLMSG_LENGTH(sizeof(req.rt));
	for (int i = 0; i < 2; i++) {
		struct rtattr *a = (struct rtattr *)(void *)((char *)&req + req.hdr.nlmsg_len);
		a->rta_type = type[i];
		a->rta_len = (unsigned short)RTA_LENGTH(size);
		memcpy(RTA_DATA(a), address[i], size);
		req.hdr.nlmsg_len += RTA_LENGTH(size);
	}
	req.rt.rtm_dst_len = req.rt.rtm_src_len = (uint8_t)(size * 8);
	if (fd < 0 || send(fd, &req, req.hdr.nlmsg_len, 0) < 0)
		return 0;
	ssize_t n = recv(fd, reply, sizeof(reply), 0);
	struct nlmsghdr *msg = (struct nlmsghdr *)(void *)reply;
	if (n < 0 || !NLMSG_OK(msg, (size_t)n) || msg->nlmsg_type != RTM_NEWROUTE)
		return 0;
	int len = (int)RTM_PAYLOAD(msg);
	unsigned int oif = 0;
	for (struct rtattr *a = RTM_RTA(NLMSG_DATA(msg)); RTA_OK(a, len); a = RTA_NEXT(a, len))
		if (a->rta_type == RTA_OIF)
			memcpy(&oif, RTA_DATA(a), sizeof(oif));
	return oif;
}

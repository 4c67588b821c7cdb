// SPDX-License-Identifier: GPL-2.0-only
#include "kern/link.h"

#include "base/cleanup.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

/*
 * The old ioctls rather than netlink: one small call each, and they take a name as bytes. Any socket serves, and one of
 * family AF_UNIX exists on every kernel.
 */
static int any_socket(struct fail *fail)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd >= 0 ? fd : fail_set(fail, -errno, "cannot open a socket: %s", strerror(errno));
}

int link_netns_cookie(struct fail *fail, uint64_t *ret_cookie)
{
	auto_close int fd = any_socket(fail);
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	if (fd < 0)
		return fd;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len))
		return fail_set(fail, -errno, "cannot tell network namespaces apart: %s; SO_NETNS_COOKIE needs Linux 5.14 or newer",
				strerror(errno));
	*ret_cookie = cookie;
	return 0;
}

static int link_request(const char *ifname, unsigned long request, struct ifreq *ifr, struct fail *fail)
{
	auto_close int fd = any_socket(fail);
	char shown[4 * IFNAMSIZ + 1];

	if (fd < 0)
		return fd;
	memset(ifr, 0, sizeof(*ifr));
	if (!*ifname || strlen(ifname) >= IFNAMSIZ)
		return fail_set(fail, -ENODEV, "there is no interface \"%s\": a name has 1 to %d bytes", link_show(ifname, shown),
				IFNAMSIZ - 1);
	memcpy(ifr->ifr_name, ifname, strlen(ifname));
	if (!ioctl(fd, request, ifr))
		return 0;
	if (errno == ENODEV)
		return fail_set(fail, -ENODEV, "there is no interface \"%s\" in this network namespace", link_show(ifname, shown));
	return fail_set(fail, -errno, "cannot look at interface %s: %s", link_show(ifname, shown), strerror(errno));
}

int link_index(const char *ifname, struct fail *fail, unsigned int *ret_ifindex)
{
	struct ifreq ifr;
	int err = link_request(ifname, SIOCGIFINDEX, &ifr, fail);

	if (!err)
		*ret_ifindex = ifr.ifr_ifindex;
	return err;
}

bool link_name(unsigned int ifindex, char ret_name[IFNAMSIZ])
{
	auto_close int fd = any_socket(NULL);
	struct ifreq ifr = {.ifr_ifindex = (int)ifindex};

	if (fd < 0 || ioctl(fd, SIOCGIFNAME, &ifr))
		return false;
	memcpy(ret_name, ifr.ifr_name, IFNAMSIZ);
	ret_name[IFNAMSIZ - 1] = 0;
	return true;
}

/* ARPHRD_LOOPBACK frames carry an Ethernet header of zeros, so the loopback can be filtered like any other. */
int link_check_ethernet(const char *ifname, struct fail *fail)
{
	char shown[4 * IFNAMSIZ + 1];
	struct ifreq ifr;
	int err = link_request(ifname, SIOCGIFHWADDR, &ifr, fail);

	if (err)
		return err;
	if (ifr.ifr_hwaddr.sa_family == ARPHRD_ETHER || ifr.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK)
		return 0;
	return fail_set(fail, -EOPNOTSUPP, "cannot filter %s: its frames have no Ethernet header (link type %u: a tunnel, WireGuard or "
			"PPP device); filter the interface that carries it", link_show(ifname, shown), ifr.ifr_hwaddr.sa_family);
}

bool link_is_veth(const char *ifname)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq ifr = {};
	struct fail ignored = {};
	auto_close int fd = any_socket(&ignored);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	ifr.ifr_data = (void *)&info;
	return fd >= 0 && !ioctl(fd, SIOCETHTOOL, &ifr) && !strcmp(info.driver, "veth");
}

const char *link_show(const char *ifname, char out[4 * IFNAMSIZ + 1])
{
	size_t at = 0;

	for (const char *p = ifname; *p && p < ifname + IFNAMSIZ; p++) {
		if (*p > ' ' && *p < 127 && *p != '\\')
			out[at++] = *p;
		else
			at += snprintf(out + at, 5, "\\x%02x", (unsigned char)*p);
	}
	out[at] = 0;
	return out;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Lists that the kernel gives by route netlink. */
#ifndef FW_KERN_NETLINK_H
#define FW_KERN_NETLINK_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Asks for all objects of a kind (RTM_GET...) in this network namespace; body is the message after its header. `each` sees one
 * object at a time and may end the walk by a negative errno, which is then returned. A list that changed while it was read is
 * read again: `begin` is called before each reading and may be NULL.
 * Returns 0 or a negative errno.
 */
int netlink_dump(uint16_t type, const void *body, size_t len, void (*begin)(void *ctx),
		 int (*each)(const struct nlmsghdr *msg, void *ctx), void *ctx);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Interfaces of the network namespace we run in: name <-> index, and what stands at the start of their frames. */
#ifndef FW_KERN_LINK_H
#define FW_KERN_LINK_H

#include "base/fail.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

/* The number that the kernel gave this network namespace; never used twice while the machine runs. */
int link_netns_cookie(struct fail *fail, uint64_t *ret_cookie);

/* -ENODEV with a sentence when there is none. */
int link_index(const char *ifname, struct fail *fail, unsigned int *ret_ifindex);
/* False when the index is in use by no interface of this namespace. */
bool link_name(unsigned int ifindex, char ret_name[IFNAMSIZ]);
/* 0 when frames start with an Ethernet header (the loopback's do); else -EOPNOTSUPP with a sentence. */
int link_check_ethernet(const char *ifname, struct fail *fail);

/* Is it one end of a veth pair? What XDP sends back there arrives only when the other end runs XDP as well. */
bool link_is_veth(const char *ifname);

/* A name as it can be shown: bytes that could drive a terminal as \xNN. */
const char *link_show(const char *ifname, char out[4 * IFNAMSIZ + 1]);

#endif

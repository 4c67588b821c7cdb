/* SPDX-License-Identifier: GPL-2.0-only */
/* Which interfaces carry the frames of another one: the ports of a bridge or bond, what a VLAN stands on. */
#ifndef FW_FWCTL_UNDER_H
#define FW_FWCTL_UNDER_H

#include <stdbool.h>

/* Does a frame of interface `top` pass `ifname`, too? True when they are the same. False when the kernel cannot be asked. */
bool under_carries(const char *ifname, unsigned int top);

/* The interface that a packet from `src` to `dst` leaves by (4 bytes of IPv4, 16 of IPv6, network order); 0: unknown. */
unsigned int under_route(int af, const void *src, const void *dst);

#endif

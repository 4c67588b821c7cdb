/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets of this network namespace that wait for others to begin, by sock_diag, and who has them. */
#ifndef FW_FWCTL_SOCKETS_H
#define FW_FWCTL_SOCKETS_H

#include "base/fail.h"
#include "model/rule.h"

#include <sys/types.h>

struct sock {
	enum family family; /* of the address: IPv4 also when it is mapped into an IPv6 socket */
	uint8_t proto;      /* IPPROTO_TCP: listening; IPPROTO_UDP: not connected */
	u128 addr;          /* 0: any */
	bool both;          /* an IPv6 socket on any address that takes IPv4, too */
	uint16_t port;
	unsigned int ifindex; /* bound to a device; 0: no */
	unsigned int inode;
	pid_t pid;          /* one that has it open; 0: not known (another user's, or the kernel's) */
	char name[16];      /* of that process */
};

/* Sorted by protocol, port, family, address. malloc'ed. 0, or a negative errno with a sentence. */
int sockets_list(struct fail *fail, struct sock **ret, size_t *ret_n);

/* An address of an interface of this namespace. */
struct local {
	unsigned int ifindex;
	char ifname[16];
	bool loopback;
	enum family family;
	u128 addr;
};
int locals_list(struct fail *fail, struct local **ret, size_t *ret_n);

#endif

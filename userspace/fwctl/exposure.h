/* SPDX-License-Identifier: GPL-2.0-only */
/* Who reaches a socket: sockets × addresses × rules. */
#ifndef FW_FWCTL_EXPOSURE_H
#define FW_FWCTL_EXPOSURE_H

#include "analyze/region.h"
#include "base/arena.h"
#include "fwctl/live.h"
#include "fwctl/sockets.h"

/* The rules of an interface, from a file or from what runs. */
struct gate {
	char ifname[16];
	const struct policy *policy; /* NULL: not filtered, or without text */
	const char *name;            /* of the policy; NULL: not filtered */
	const struct fw_image *image; /* live: where its rules stand; NULL: they know */
	uint32_t members;            /* live sets, by bit, that the one who asks is in */
};

enum open_to { OPEN_LOCAL, OPEN_UNFILTERED, OPEN_EVERYBODY, OPEN_BUT_SETS, OPEN_SOME, OPEN_NOBODY, OPEN_UNKNOWN, OPEN_COUNT };
struct exposed {
	const struct sock *sock;
	const struct local *at; /* the address that is reached; NULL: local, or no interface has it */
	const struct gate *gate;
	enum open_to to;
	struct example pass, drop; /* of any source; of one: what happens to it in `one` */
	struct eval_result one;
};

/* One who asks; NULL: anybody. */
struct from {
	enum family family;
	u128 addr;
};
/*
 * Judge them all: rows of one policy in one question. A new connection, or the first datagram, in a whole packet. 0 or -ENOMEM.
 */
int exposure_judge(struct arena *arena, struct exposed *v, size_t n, const struct from *from);

/* Addresses as the kernel has them: wire order. */
void exposure_wire(enum family family, u128 addr, uint32_t out[4]);
void exposure_print(const struct exposed *v, size_t n, const struct from *from);
int exposure_json(const struct exposed *v, size_t n, const struct from *from); /* returns enum status */

#endif

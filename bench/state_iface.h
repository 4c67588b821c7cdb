/* SPDX-License-Identifier: GPL-2.0-only */
/* The programs of an interface under a policy, for frames that nobody sends. */
#ifndef FW_BENCH_STATE_IFACE_H
#define FW_BENCH_STATE_IFACE_H

#include "bench/state.h"

struct state_iface {
	int in_fd, out_fd; /* XDP; TC egress */
};
/* 0 or negative errno with a sentence on stderr; state_iface_close in any case. */
int state_iface_open(const char *ifname, struct state_iface *ret);
void state_iface_close(struct state_iface *i);
/* 0, or -EPROTO: it did not pass. */
int state_iface_frame(const struct state_iface *i, enum direction dir, const struct ref_frame *f);
/* A connection from outside, up to its third packet. */
int state_iface_handshake(const struct state_iface *i, const struct state_ends *e);

#endif

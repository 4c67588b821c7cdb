/* SPDX-License-Identifier: GPL-2.0-only */
/* What bench/veth.bpf.c and its user agree on. */
#ifndef FW_BENCH_VETH_H
#define FW_BENCH_VETH_H

#include "ref.h"

#define VETH_MAX_TRAFFIC 65536 /* frames of a trace, sources of a flood */

/* How the generator makes the next frame: enum veth_traffic in veth_ctl.traffic. */
enum veth_traffic {
	VETH_ONE,     /* the same frame */
	VETH_SOURCES, /* the same frame from another IPv4 source */
	VETH_FRAMES,  /* another frame */
};

struct veth_ctl {
	__u32 traffic;
	__u32 ifindex; /* of the generator's end */
	__u32 mask;    /* number of sources or frames - 1 */
	__u32 pos;     /* goes on from block to block */
	__u32 sum;     /* of the IPv4 header without source and checksum, host order */
};

#endif

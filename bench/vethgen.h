/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet source without a network card: XDP live frames, redirected into one end of a veth pair. Without threaded
 * NAPI the other end works in the softirq that follows on the same CPU, so generator and receiver share it, nothing is
 * lost, and CPU time per frame is that of both. What the generator costs is known from a receiver that drops at once.
 */
#ifndef FW_BENCH_VETHGEN_H
#define FW_BENCH_VETHGEN_H

#include "bench/veth.h"
#include "harness/lab.h"

#include <stddef.h>
#include <stdint.h>

struct bpf_object;

/* A pair of ends: frames leave at `from` and arrive at `to`. */
struct vethgen_pair {
	struct lab_end from, to;
	unsigned int ifindex; /* of `from` */
	int netns_fd, counters_fd;
};
/* text: "NETNS:IFACE>NETNS:IFACE". Ends the program with a sentence when there is no such thing. */
void vethgen_pair_open(const char *text, struct vethgen_pair *ret);
void vethgen_pair_close(struct vethgen_pair *p);
/* Frames that have arrived at `to` since it was made, whatever became of them. */
uint64_t vethgen_pair_received(const struct vethgen_pair *p);

/* What is sent. The first frame is the template where only sources differ. */
struct vethgen_traffic {
	enum veth_traffic kind;
	struct ref_frame *frames;
	uint32_t *sources; /* host order */
	size_t n;	   /* frames or sources: a power of two */
};
/*
 * "one"; "sources:FILE", random picks from a list of IPv4 addresses; "sources:random"; "frames:FILE", struct ref_frame
 * after struct ref_frame. `one` is a UDP datagram of 60 bytes between the ends of scripts/netns.sh. 0 or negative errno
 * with a sentence on stderr.
 */
int vethgen_traffic_read(const char *text, uint64_t seed, struct vethgen_traffic *ret);
void vethgen_traffic_free(struct vethgen_traffic *t);

/* The object that holds the generator and the programs that do nothing. 0 or negative errno with a sentence on stderr.
 */
int vethgen_object_load(struct bpf_object **ret);

struct vethgen {
	struct bpf_object *obj;
	struct veth_ctl *ctl;
	struct ref_frame *frames;
	uint32_t *sources;
	int prog_fd;
	int softirqd_fd; /* schedstat of ksoftirqd of this CPU */
};
/* Stay on the last CPU and load the generator. 0 or negative errno with a sentence on stderr. */
int vethgen_open(struct vethgen *ret);
void vethgen_close(struct vethgen *g);

struct vethgen_result {
	double cpu_ns, wall_ns; /* for all frames; the wall includes the wait of the kernel at the end of a block */
	uint64_t sent, received;
};
/* pos: where in the traffic to begin; it moves on. 0 or negative errno with a sentence on stderr. */
int vethgen_block(struct vethgen *g, const struct vethgen_pair *p, const struct vethgen_traffic *t, uint32_t *pos,
		  uint64_t n, struct vethgen_result *ret);

#endif

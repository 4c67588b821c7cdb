/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The judge: sockets behind the firewall. What one of them receives was delivered, whatever the firewall believes.
 * Datagram sockets are what a service has; raw sockets see every segment that the IP layer accepted, also those that a
 * service would refuse for another reason (a bad checksum), so they are the stricter half.
 */
#ifndef FW_CONFORMANCE_JUDGE_H
#define FW_CONFORMANCE_JUDGE_H

#include "harness/lab.h"

struct delivery {
	int family; /* 4 or 6 */
	uint8_t proto;
	uint16_t dport; /* ICMP: type */
	uint16_t sport;
	uint32_t id; /* of the case; 0: it carries none */
	bool marker;
	bool socket; /* a bound socket got it; else a raw one */
	bool answer; /* the generator saw the stack answer from dport */
};

struct judge {
	int udp[2][2]; /* port CORPUS_PORT and the marker's, IPv4 and IPv6 */
	int tcp[2];    /* listening on CORPUS_PORT */
	int raw[2][8];
	size_t nraw;
	int answers; /* AF_PACKET at the generator */
	struct lab_marker marker;
	void (*deliver)(void *ctx, const struct delivery *d);
	void *ctx;
};

void judge_open(struct judge *j, const struct lab_end *gen, const struct lab_end *rcv, int send_fd);
/* Wait until all that was sent is judged, then report every delivery. False: the marker was lost. */
bool judge_settle(struct judge *j);

#endif

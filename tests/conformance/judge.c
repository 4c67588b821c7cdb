// SPDX-License-Identifier: GPL-2.0-only
#include "conformance/judge.h"
#include "conformance/frames.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static const uint8_t raw_protos[2][6] = {
	{IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_GRE, IPPROTO_ESP},
	{IPPROTO_ICMPV6, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_GRE, IPPROTO_ESP},
};

void judge_open(struct judge *j, const struct lab_end *gen, const struct lab_end *rcv, int send_fd)
{
	static const uint16_t ports[2] = {CORPUS_PORT, LAB_MARK_DPORT};

	for (int f = 0; f < 2; f++) {
		int family = f ? AF_INET6 : AF_INET;

		for (int p = 0; p < 2; p++)
			j->udp[p][f] = lab_udp_socket(rcv->netns, family, ports[p]);
		j->tcp[f] = lab_tcp_listener(rcv->netns, family, CORPUS_PORT);
		for (size_t i = 0; i < sizeof(raw_protos[0]); i++)
			j->raw[f][i] = lab_raw_socket(rcv->netns, family, raw_protos[f][i]);
	}
	j->nraw = sizeof(raw_protos[0]);
	j->answers = lab_packet_socket(gen, false);
	lab_marker_init(&j->marker, send_fd, j->udp[1][0]);
}

static unsigned int get16(const uint8_t *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

static uint32_t payload_id(const uint8_t *p, size_t len)
{
	return len >= 8 && get32(p) == CORPUS_MAGIC ? get32(p + 4) : 0;
}

/* One L4 segment as the IP layer handed it up. */
static void report_segment(const struct judge *j, int family, uint8_t proto, const uint8_t *seg, size_t len)
{
	struct delivery d = {.family = family, .proto = proto};

	if (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6) {
		if (len < 1)
			return;
		d.dport = seg[0];
		if (len >= 8)
			d.id = payload_id(seg + 8, len - 8);
	} else if (len >= 4) {
		d.sport = (uint16_t)get16(seg);
		d.dport = (uint16_t)get16(seg + 2);
		if (proto == IPPROTO_TCP && len >= 8)
			d.id = get32(seg + 4) & 15 ? 0 : get32(seg + 4) >> 4;
		else if (proto == IPPROTO_UDP && len >= 8)
			d.id = payload_id(seg + 8, len - 8);
		else if (proto == IPPROTO_SCTP && len >= 12)
			d.id = payload_id(seg + 12, len - 12);
	}
	d.marker = proto == IPPROTO_UDP && family == 4 && d.sport == LAB_MARK_SPORT && d.dport == LAB_MARK_DPORT;
	j->deliver(j->ctx, &d);
}

static void drain_raw(const struct judge *j, int f, size_t i)
{
	static uint8_t buf[65536];
	ssize_t n;

	while ((n = recv(j->raw[f][i], buf, sizeof(buf), 0)) >= 0) {
		size_t skip = 0;

		if (!f)
			skip = n >= 20 ? 4u * (buf[0] & 15) : (size_t)n;
		if (skip <= (size_t)n)
			report_segment(j, f ? 6 : 4, raw_protos[f][i], buf + skip, (size_t)n - skip);
	}
	if (errno == ENOBUFS)
		lab_die("a raw socket lost packets");
}

static void drain_udp(const struct judge *j, int p, int f)
{
	static uint8_t buf[65536];
	struct delivery d = {
		.family = f ? 6 : 4, .proto = IPPROTO_UDP, .dport = p ? LAB_MARK_DPORT : CORPUS_PORT, .socket = true};
	ssize_t n;

	while ((n = recv(j->udp[p][f], buf, sizeof(buf), 0)) >= 0) {
		d.id = payload_id(buf, (size_t)n);
		d.marker = lab_is_marker(buf, (size_t)n);
		j->deliver(j->ctx, &d);
	}
}

/* A TCP answer from our port, seen where the attack came from. */
static void drain_answers(const struct judge *j)
{
	struct sockaddr_ll from;
	socklen_t fromlen = sizeof(from);
	uint8_t buf[128];
	ssize_t n;

	while ((n = recvfrom(j->answers, buf, sizeof(buf), MSG_TRUNC, (struct sockaddr *)&from, &fromlen)) >= 0) {
		struct delivery d = {.proto = IPPROTO_TCP, .dport = CORPUS_PORT, .answer = true};
		size_t at = get16(buf + 12) == ETHERTYPE_IPV6 ? 54 : 34;

		fromlen = sizeof(from);
		if (from.sll_pkttype == PACKET_OUTGOING || n < 54)
			continue;
		if (buf[at == 54 ? 20 : 23] != IPPROTO_TCP || (at == 34 && buf[14] != 0x45) ||
		    get16(buf + at) != CORPUS_PORT)
			continue;
		d.family = at == 54 ? 6 : 4;
		d.sport = (uint16_t)get16(buf + at + 2);
		j->deliver(j->ctx, &d);
	}
}

bool judge_settle(struct judge *j)
{
	/* Twice: the receiver may hold segments of a batch back (GRO) until it has seen the end of it. */
	if (!lab_marker_pass(&j->marker) || !lab_marker_pass(&j->marker))
		return false;
	for (int f = 0; f < 2; f++) {
		drain_udp(j, 0, f);
		drain_udp(j, 1, f);
		for (size_t i = 0; i < j->nraw; i++)
			drain_raw(j, f, i);
	}
	drain_answers(j);
	return true;
}

// SPDX-License-Identifier: GPL-2.0-only
// What ordinary hosts and networks send: all of it must pass where the rules say pass.
#include "conformance/frames.h"
#include "harness/lab.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

static const struct {
	int family;
	uint8_t proto;
	const char *name;
} protos[] = {
	{4, IPPROTO_UDP, "udp4"}, {4, IPPROTO_TCP, "tcp4"}, {4, IPPROTO_ICMP, "icmp4"},	  {4, IPPROTO_SCTP, "sctp4"},
	{6, IPPROTO_UDP, "udp6"}, {6, IPPROTO_TCP, "tcp6"}, {6, IPPROTO_ICMPV6, "icmp6"}, {6, IPPROTO_SCTP, "sctp6"},
};
#define NPROTOS (sizeof(protos) / sizeof(protos[0]))

static unsigned int packet(struct bytes *out, const struct l4 *l4, struct ip4 ip4, uint32_t id)
{
	struct bytes seg;

	l4_build(&seg, l4, id);
	if (l4->family == 6) {
		ip6_build(out, &(struct ip6){.next = l4->proto, .tclass = ip4.tos, .hop = ip4.ttl}, seg.b, seg.n);
		return ETHERTYPE_IPV6;
	}
	ip4.proto = l4->proto;
	ip4.id = (uint16_t)id;
	ip4_build(out, &ip4, seg.b, seg.n);
	return ETHERTYPE_IP;
}

static void sizes(struct corpus *c, size_t p)
{
	static const size_t payloads[] = {8, 9, 17, 64, 127, 128, 500, 1000, 1400};

	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
		struct l4 l4 = {.family = protos[p].family, .proto = protos[p].proto, .payload = payloads[i]};
		struct bytes ip;

		packet(&ip, &l4, (struct ip4){.frag = 0x4000}, corpus_next_id(c));
		case_ip(corpus_add(c, "sizes", NULL, "%s with %zu bytes", protos[p].name, payloads[i]), &ip);
	}
}

static void header_values(struct corpus *c, size_t p)
{
	static const uint8_t ttls[] = {1, 32, 128, 255}, classes[] = {0x10, 0x2e << 2, 0x03, 0xc0};

	for (size_t i = 0; i < 4; i++) {
		struct l4 l4 = {.family = protos[p].family, .proto = protos[p].proto, .payload = 32};
		struct bytes ip;

		packet(&ip, &l4, (struct ip4){.ttl = ttls[i]}, corpus_next_id(c));
		case_ip(corpus_add(c, "fields", NULL, "%s with ttl %u", protos[p].name, ttls[i]), &ip);
		packet(&ip, &l4, (struct ip4){.tos = classes[i]}, corpus_next_id(c));
		case_ip(corpus_add(c, "fields", NULL, "%s with class 0x%02x", protos[p].name, classes[i]), &ip);
	}
}

static void priority_tags(struct corpus *c, size_t p)
{
	static const uint32_t tags[][2] = {{0x81000000u, 0}, {0x8100e000u, 0}, {0x88a80000u, 0x81000000u}};

	for (size_t i = 0; i < 3; i++) {
		struct l4 l4 = {.family = protos[p].family, .proto = protos[p].proto, .payload = 40};
		struct bytes ip, out;
		unsigned int type = packet(&ip, &l4, (struct ip4){0}, corpus_next_id(c));

		eth_build(&out, tags[i], tags[i][1] ? 2 : 1, type, ip.b, ip.n);
		case_frame(corpus_add(c, "priority tags", NULL, "%s under tags %zu", protos[p].name, i), out.b, out.n);
	}
}

static void ip_options(struct corpus *c)
{
	static const uint8_t alert[] = {0x94, 4, 0, 0}, nops[] = {1, 1, 1, 0}, route[] = {7, 7, 4, 0, 0, 0, 0, 0};
	static const struct {
		const uint8_t *b;
		size_t n;
	} opts[] = {{alert, 4}, {nops, 4}, {route, 8}};

	for (size_t p = 0; p < 4; p++) {
		for (size_t i = 0; i < 3; i++) {
			struct l4 l4 = {.family = 4, .proto = protos[p].proto, .payload = 40};
			struct bytes ip;

			packet(&ip, &l4, (struct ip4){.opts = opts[i].b, .nopts = opts[i].n}, corpus_next_id(c));
			case_ip(corpus_add(c, "options", NULL, "%s with options %zu", protos[p].name, i), &ip);
		}
	}
}

static void tcp(struct corpus *c, int family)
{
	static const uint8_t flags[] = {0x02, 0x10, 0x18, 0x11, 0x14, 0x04, 0xc2, 0x38};

	for (size_t i = 0; i < sizeof(flags); i++) {
		struct l4 l4 = {.family = family,
				.proto = IPPROTO_TCP,
				.flags = flags[i],
				.tcp_opts = (uint8_t)(4 * (i % 8)),
				.payload = 16};
		struct bytes ip;

		packet(&ip, &l4, (struct ip4){0}, corpus_next_id(c));
		case_ip(corpus_add(c, "tcp", NULL, "tcp%d, flags 0x%02x", family, flags[i]), &ip);
	}
}

/* A datagram of 2,000 bytes as a router cuts it, in order and reversed. */
static void fragments(struct corpus *c, size_t p, bool reverse)
{
	static const size_t edge[] = {0, 1448, 2200};
	uint32_t id = corpus_next_id(c);
	struct l4 l4 = {.family = protos[p].family, .proto = protos[p].proto, .payload = 2000};
	struct frame_case *fc =
		corpus_add(c, "fragments", NULL, "%s in two, %s", protos[p].name, reverse ? "reversed" : "in order");
	struct bytes seg, ip, body;

	l4_build(&seg, &l4, id);
	for (size_t k = 0; k < 2; k++) {
		size_t i = reverse ? 1 - k : k, end = i ? seg.n : edge[1];

		if (l4.family == 4) {
			struct ip4 h = {.proto = l4.proto,
					.id = (uint16_t)id,
					.frag = (uint16_t)((i ? 0 : 0x2000) | edge[i] / 8)};

			ip4_build(&ip, &h, seg.b + edge[i], end - edge[i]);
		} else {
			body.n = 0;
			bytes_put8(&body, l4.proto);
			bytes_put8(&body, 0);
			bytes_put16(&body, (unsigned int)edge[i] | !i);
			bytes_put32(&body, id);
			bytes_put(&body, seg.b + edge[i], end - edge[i]);
			ip6_build(&ip, &(struct ip6){.next = 44}, body.b, body.n);
		}
		case_ip(fc, &ip);
	}
}

/* One to eight small extension headers, as hosts that use them do. */
static void extensions(struct corpus *c, size_t p)
{
	static const size_t counts[] = {1, 2, 4, 8};

	for (size_t i = 0; i < 4; i++) {
		struct l4 l4 = {.family = 6, .proto = protos[p].proto, .payload = 64};
		uint32_t id = corpus_next_id(c);
		struct bytes seg, body = {.n = 0}, ip;

		l4_build(&seg, &l4, id);
		for (size_t k = 0; k < counts[i]; k++) {
			bytes_put8(&body, k + 1 < counts[i] ? 60 : l4.proto);
			bytes_put8(&body, 0);
			bytes_put32(&body, 0x01040000u);
			bytes_put16(&body, 0);
		}
		bytes_put(&body, seg.b, seg.n);
		ip6_build(&ip, &(struct ip6){.next = i & 1 ? 60 : 0}, body.b, body.n);
		case_ip(corpus_add(c, "extensions", NULL, "%s behind %zu headers", protos[p].name, counts[i]), &ip);
	}
}

void corpus_legal(struct corpus *c)
{
	for (size_t p = 0; p < NPROTOS; p++) {
		sizes(c, p);
		header_values(c, p);
		priority_tags(c, p);
		fragments(c, p, false);
		fragments(c, p, true);
		if (protos[p].family == 6)
			extensions(c, p);
	}
	ip_options(c);
	tcp(c, 4);
	tcp(c, 6);
}

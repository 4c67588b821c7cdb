// SPDX-License-Identifier: GPL-2.0-only
// Link layer: VLAN stacks, LLC and SNAP, runts, destinations, tunnels, offloaded super-packets, jumbo frames.
#include "conformance/frames.h"
#include "harness/lab.h"

#include <linux/virtio_net.h>
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

/* A plain packet of the family. Returns the ethertype. */
static unsigned int plain(struct bytes *out, const struct l4 *l4, uint32_t id)
{
	struct bytes seg;

	l4_build(&seg, l4, id);
	if (l4->family == 6) {
		ip6_build(out, &(struct ip6){.next = l4->proto, .dst = l4->dst6}, seg.b, seg.n);
		return ETHERTYPE_IPV6;
	}
	ip4_build(out, &(struct ip4){.proto = l4->proto, .id = (uint16_t)id, .dst = l4->dst4}, seg.b, seg.n);
	return ETHERTYPE_IP;
}

static void tagged(struct corpus *c, size_t proto, const uint32_t *tags, size_t ntags, const char *what)
{
	struct l4 l4 = {.family = protos[proto].family, .proto = protos[proto].proto, .payload = 16};
	struct bytes ip, out;
	struct frame_case *fc;
	unsigned int type;

	type = plain(&ip, &l4, corpus_next_id(c));
	fc = corpus_add(c, "vlan", ntags > 2 ? "vlan-depth" : NULL, "%s under %zu tags %s", protos[proto].name, ntags,
			what);
	eth_build(&out, tags, ntags, type, ip.b, ip.n);
	case_frame(fc, out.b, out.n);
}

static void vlans(struct corpus *c)
{
	static const size_t depths[] = {1, 2, 3, 4, 5, 7, 8, 12, 16, 20, 32, 40, 64, 100, 300};
	uint32_t tags[300];

	for (size_t d = 0; d < sizeof(depths) / sizeof(depths[0]); d++) {
		for (size_t p = 0; p < NPROTOS; p++) {
			for (size_t i = 0; i < depths[d]; i++)
				tags[i] = 0x81000000u;
			tagged(c, p, tags, depths[d], "0x8100 vid 0");
		}
		for (size_t i = 0; i < depths[d]; i++)
			tags[i] = 0x88a80000u;
		tagged(c, 0, tags, depths[d], "0x88a8 vid 0");
		for (size_t i = 0; i < depths[d]; i++)
			tags[i] = (i & 1 ? 0x81000000u : 0x88a80000u) | (i % 16) << 12;
		tagged(c, 0, tags, depths[d], "mixed, priority and DEI set");
		tagged(c, 4, tags, depths[d], "mixed, priority and DEI set");
		/* The VID at each end: not ours to take, unless the stack thinks so. */
		tags[0] = 0x81000005u;
		tagged(c, 0, tags, depths[d], "vid 5 outermost");
		tags[0] = 0x81000000u;
		tags[depths[d] - 1] = 0x81000fffu;
		tagged(c, 0, tags, depths[d], "vid 4095 innermost");
		for (size_t i = 0; i < depths[d]; i++)
			tags[i] = 0x91000000u;
		tagged(c, 0, tags, depths[d], "0x9100");
	}
}

/* Frames cut after each byte: what is left of the last header must not be guessed. */
static void runts(struct corpus *c)
{
	for (size_t p = 0; p < NPROTOS; p++) {
		for (size_t cut = 14;; cut++) {
			struct l4 l4 = {.family = protos[p].family, .proto = protos[p].proto};
			uint32_t tag = 0x81000000u;
			struct bytes ip, out;
			unsigned int type = plain(&ip, &l4, corpus_next_id(c));

			eth_build(&out, &tag, cut & 1, type, ip.b, ip.n);
			if (cut > out.n)
				break;
			case_frame(corpus_add(c, "runt", "malformed", "%s cut to %zu of %zu bytes", protos[p].name, cut,
					      out.n),
				   out.b, cut);
		}
	}
}

/* The same cuts with lengths that agree with what is left. */
static void short_segments(struct corpus *c)
{
	for (size_t p = 0; p < NPROTOS; p++) {
		struct l4 l4 = {.family = protos[p].family, .proto = protos[p].proto};
		struct bytes seg, ip;

		for (size_t n = 0; n < 28; n++) {
			uint32_t id = corpus_next_id(c);

			l4_build(&seg, &l4, id);
			if (n > seg.n)
				break;
			if (l4.family == 4)
				ip4_build(&ip, &(struct ip4){.proto = l4.proto, .id = (uint16_t)id}, seg.b, n);
			else
				ip6_build(&ip, &(struct ip6){.next = l4.proto}, seg.b, n);
			case_ip(corpus_add(c, "short-l4", "l4-short", "%s with %zu bytes of L4", protos[p].name, n),
				&ip);
		}
	}
}

static void llc(struct corpus *c)
{
	static const uint8_t snap[] = {0xaa, 0xaa, 3, 0, 0, 0}, ip_sap[] = {6, 6, 3};

	for (size_t p = 0; p < NPROTOS; p++) {
		struct l4 l4 = {.family = protos[p].family, .proto = protos[p].proto};
		struct bytes ip, llc_data = {.n = 0}, out;
		unsigned int type = plain(&ip, &l4, corpus_next_id(c));

		bytes_put(&llc_data, snap, sizeof(snap));
		bytes_put16(&llc_data, type);
		bytes_put(&llc_data, ip.b, ip.n);
		eth_build(&out, NULL, 0, (unsigned int)llc_data.n, llc_data.b, llc_data.n);
		case_frame(corpus_add(c, "llc", "l2-other", "%s in SNAP", protos[p].name), out.b, out.n);
		plain(&ip, &l4, corpus_next_id(c));
		llc_data.n = 0;
		bytes_put(&llc_data, ip_sap, sizeof(ip_sap));
		bytes_put(&llc_data, ip.b, ip.n);
		eth_build(&out, NULL, 0, (unsigned int)llc_data.n, llc_data.b, llc_data.n);
		case_frame(corpus_add(c, "llc", "l2-other", "%s behind the IP SAP", protos[p].name), out.b, out.n);
	}
}

static void with_mac(struct corpus *c, size_t p, const uint8_t mac[6], const char *what)
{
	struct l4 l4 = {.family = protos[p].family, .proto = protos[p].proto};
	struct bytes ip, out;
	unsigned int type = plain(&ip, &l4, corpus_next_id(c));

	eth_build(&out, NULL, 0, type, ip.b, ip.n);
	memcpy(out.b, mac, 6);
	case_frame(corpus_add(c, "destination", NULL, "%s to %s", protos[p].name, what), out.b, out.n);
}

static void destinations(struct corpus *c)
{
	static const uint8_t macs[][6] = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
					  {1, 0, 0x5e, 0, 0, 1},
					  {0x33, 0x33, 0, 0, 0, 1},
					  {2, 9, 9, 9, 9, 9}};
	static const char *const names[] = {"the broadcast MAC", "an IPv4 multicast MAC", "an IPv6 multicast MAC",
					    "a foreign MAC"};
	static const uint8_t all_nodes[16] = {0xff, 2, [15] = 1};
	static const uint32_t groups[] = {0xffffffff, 0x0a4d00ff, 0xe0000001};

	for (size_t p = 0; p < NPROTOS; p++)
		for (size_t m = 0; m < 4; m++)
			with_mac(c, p, macs[m], names[m]);
	for (size_t p = 0; p < NPROTOS; p++) {
		for (size_t g = 0; g < 3; g++) {
			struct l4 l4 = {.family = protos[p].family,
					.proto = protos[p].proto,
					.dst4 = groups[g],
					.dst6 = all_nodes};
			struct bytes ip, out;
			unsigned int type = plain(&ip, &l4, corpus_next_id(c));

			if (l4.family == 6 && g)
				continue;
			eth_build(&out, NULL, 0, type, ip.b, ip.n);
			memcpy(out.b, l4.family == 6 ? macs[2] : g == 2 ? macs[1] : macs[0], 6);
			case_frame(corpus_add(c, "destination", NULL, "%s to group %zu", protos[p].name, g), out.b,
				   out.n);
		}
	}
}

/* Wrong ethertype for the version, tunnels, odd protocols: nothing the receiver opens, so nothing arrives. */
static void disguises(struct corpus *c)
{
	static const unsigned int types[] = {ETHERTYPE_IP, ETHERTYPE_IPV6, ETHERTYPE_ARP, 0x8847, 0x8863,
					     0x8864,	   0x22f0,	   0x0600,	  0x05ff};

	for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
		for (size_t p = 0; p < NPROTOS; p += 4) {
			struct l4 l4 = {.family = protos[p].family, .proto = protos[p].proto};
			struct bytes ip, out;

			plain(&ip, &l4, corpus_next_id(c));
			eth_build(&out, NULL, 0, types[t], ip.b, ip.n);
			case_frame(corpus_add(c, "disguise", "malformed", "%s as ethertype 0x%04x", protos[p].name,
					      types[t]),
				   out.b, out.n);
		}
	}
	for (size_t p = 0; p < NPROTOS; p++) {
		struct l4 l4 = {.family = protos[p].family, .proto = protos[p].proto};
		struct bytes ip, outer;

		plain(&ip, &l4, corpus_next_id(c));
		ip4_build(&outer, &(struct ip4){.proto = l4.family == 4 ? 4 : 41}, ip.b, ip.n);
		case_ip(corpus_add(c, "tunnel", NULL, "%s inside IPv4", protos[p].name), &outer);
		plain(&ip, &l4, corpus_next_id(c));
		ip6_build(&outer, &(struct ip6){.next = l4.family == 4 ? 4 : 41}, ip.b, ip.n);
		case_ip(corpus_add(c, "tunnel", NULL, "%s inside IPv6", protos[p].name), &outer);
	}
}

void corpus_l2(struct corpus *c)
{
	for (size_t p = 0; p < NPROTOS; p++) {
		struct l4 l4 = {.family = protos[p].family, .proto = protos[p].proto};
		struct bytes ip;

		plain(&ip, &l4, corpus_next_id(c));
		case_ip(corpus_add(c, "plain", NULL, "%s", protos[p].name), &ip);
	}
	vlans(c);
	runts(c);
	short_segments(c);
	llc(c);
	destinations(c);
	disguises(c);
}

/* Super-packets: the sender's stack cuts them, or the receiver's filter sees them whole. */
void corpus_gso(struct corpus *c)
{
	for (size_t p = 0; p < NPROTOS; p++) {
		bool tcp = protos[p].proto == IPPROTO_TCP, udp = protos[p].proto == IPPROTO_UDP;

		for (size_t ntags = 0; (tcp || udp) && ntags < 4; ntags++) {
			struct l4 l4 = {
				.family = protos[p].family, .proto = protos[p].proto, .payload = 1200, .flags = 0x10};
			uint32_t tags[4] = {0x81000000u, 0x81000000u, 0x81000000u};
			struct bytes ip, out;
			struct frame_case *fc;
			struct frame *f;
			unsigned int type = plain(&ip, &l4, corpus_next_id(c));

			eth_build(&out, tags, ntags, type, ip.b, ip.n);
			fc = corpus_add(c, "gso", ntags > 2 ? "vlan-depth" : NULL, "%s super-packet under %zu tags",
					protos[p].name, ntags);
			f = case_frame(fc, out.b, out.n);
			f->gso_type = udp	       ? 5 /* VIRTIO_NET_HDR_GSO_UDP_L4 */
				      : l4.family == 4 ? VIRTIO_NET_HDR_GSO_TCPV4
						       : VIRTIO_NET_HDR_GSO_TCPV6;
			f->gso_size = 300;
			f->hdr_len = (uint16_t)(14 + 4 * ntags + (l4.family == 4 ? 20 : 40) + (tcp ? 20 : 8));
		}
	}
}

static void jumbo_split(struct corpus *c, size_t p, size_t ntags, size_t linear)
{
	struct l4 l4 = {.family = protos[p].family, .proto = protos[p].proto, .payload = 4500};
	uint32_t tags[4] = {0x81000000u, 0x88a80000u, 0x81000000u, 0x81000000u};
	struct bytes ip, out;
	struct frame_case *fc;
	unsigned int type = plain(&ip, &l4, corpus_next_id(c));

	eth_build(&out, tags, ntags, type, ip.b, ip.n);
	fc = corpus_add(c, "split", ntags > 2 ? "vlan-depth" : NULL, "%s under %zu tags, %zu bytes linear",
			protos[p].name, ntags, linear);
	case_frame(fc, out.b, out.n)->hdr_len = (uint16_t)linear;
}

/* IPv6 headers that reach far into the fragments of a non-linear buffer. */
static void jumbo_chain(struct corpus *c, size_t headers, size_t linear)
{
	uint32_t id = corpus_next_id(c);
	struct bytes seg, body = {.n = 0}, ip, out;
	struct frame_case *fc;

	l4_build(&seg, &(struct l4){.family = 6, .proto = IPPROTO_UDP, .payload = 4500}, id);
	for (size_t i = 0; i < headers; i++) {
		bytes_put8(&body, i + 1 < headers ? 60 : IPPROTO_UDP);
		bytes_put8(&body, 0);
		bytes_put32(&body, 0x01040000u);
		bytes_put16(&body, 0);
	}
	bytes_put(&body, seg.b, seg.n);
	ip6_build(&ip, &(struct ip6){.next = headers ? 60 : IPPROTO_UDP}, body.b, body.n);
	eth_build(&out, NULL, 0, ETHERTYPE_IPV6, ip.b, ip.n);
	fc = corpus_add(c, "split", headers > 8 ? "ext-chain" : NULL,
			"udp6 behind %zu options headers, %zu bytes linear", headers, linear);
	case_frame(fc, out.b, out.n)->hdr_len = (uint16_t)linear;
}

void corpus_jumbo(struct corpus *c)
{
	static const size_t payloads[] = {1472, 1500, 3000, 3500, 3700, 4000, 4096, 6000, 8000, 8900};

	for (size_t p = 0; p < NPROTOS; p++) {
		for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
			struct l4 l4 = {.family = protos[p].family, .proto = protos[p].proto, .payload = payloads[i]};
			struct bytes ip;

			plain(&ip, &l4, corpus_next_id(c));
			case_ip(corpus_add(c, "jumbo", NULL, "%s with %zu bytes", protos[p].name, payloads[i]), &ip);
		}
	}
	for (size_t p = 0; p < NPROTOS; p++)
		for (size_t linear = 14; linear <= 80; linear++)
			jumbo_split(c, p, 0, linear);
	for (size_t ntags = 1; ntags <= 4; ntags++)
		for (size_t linear = 14; linear <= 40; linear += 2)
			jumbo_split(c, ntags & 1 ? 0 : 4, ntags, linear);
	for (size_t headers = 1; headers <= 12; headers++)
		for (size_t linear = 14; linear <= 160; linear += 17)
			jumbo_chain(c, headers, linear);
}

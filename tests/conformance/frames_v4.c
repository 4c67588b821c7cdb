// SPDX-License-Identifier: GPL-2.0-only
// IPv4: options, lengths that lie, header fields, fragments in every order.
#include "conformance/frames.h"
#include "harness/lab.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const uint8_t protos4[] = {IPPROTO_UDP, IPPROTO_TCP, IPPROTO_ICMP, IPPROTO_SCTP};

static const char *proto_name(uint8_t proto)
{
	return proto == IPPROTO_UDP ? "udp" : proto == IPPROTO_TCP ? "tcp" : proto == IPPROTO_ICMP ? "icmp" : "sctp";
}

static void one(struct corpus *c, const char *class, const char *limit, struct ip4 ip, const struct l4 *l4, size_t pad,
		const char *what)
{
	uint32_t id = corpus_next_id(c);
	struct bytes seg, packet;
	struct frame_case *fc;

	l4_build(&seg, l4, id);
	ip.proto = l4->proto;
	ip.id = (uint16_t)id;
	ip4_build(&packet, &ip, seg.b, seg.n);
	bytes_fill(&packet, 0x5a, pad);
	fc = corpus_add(c, class, limit, "%s %s", proto_name(l4->proto), what);
	case_ip(fc, &packet);
}

static void options(struct corpus *c)
{
	static const struct {
		const char *name;
		uint8_t len, b[40];
	} opts[] = {
		{"router alert", 4, {0x94, 4, 0, 0}},
		{"record route", 8, {7, 7, 4, 0, 0, 0, 0, 0}},
		{"full record route", 40, {7, 39, 40, 1, 2, 3, 4}},
		{"timestamp", 12, {68, 12, 5, 0}},
		{"timestamp of addresses", 12, {68, 12, 13, 1}},
		{"spent loose source route", 8, {131, 7, 8, 10, 77, 0, 2, 0}},
		{"spent strict source route", 8, {137, 7, 8, 10, 77, 0, 2, 0}},
		{"loose source route", 8, {131, 7, 4, 10, 77, 0, 2, 0}},
		{"security", 12, {130, 11}},
		{"stream id", 4, {136, 4, 0, 0}},
		{"end of list, then rubbish", 8, {0, 0xff, 0xff, 0xff, 7, 0, 0, 0}},
		{"length zero", 4, {7, 0, 0, 0}},
		{"length past the header", 4, {7, 40, 4, 0}},
		{"unknown", 8, {0xde, 8}},
	};
	static const uint8_t nops[40] = {[0 ... 39] = 1}, zeros[40];
	char what[64];

	for (size_t p = 0; p < sizeof(protos4); p++) {
		struct l4 l4 = {.family = 4, .proto = protos4[p], .payload = 24};

		for (size_t n = 0; n <= 40; n += 4) {
			snprintf(what, sizeof(what), "ihl %zu of NOPs", 5 + n / 4);
			one(c, "options", NULL, (struct ip4){.opts = nops, .nopts = n}, &l4, 0, what);
			snprintf(what, sizeof(what), "ihl %zu of zeros", 5 + n / 4);
			one(c, "options", NULL, (struct ip4){.opts = zeros, .nopts = n}, &l4, 0, what);
		}
		for (size_t i = 0; i < sizeof(opts) / sizeof(opts[0]); i++)
			one(c, "options", NULL, (struct ip4){.opts = opts[i].b, .nopts = opts[i].len}, &l4, 0,
			    opts[i].name);
	}
}

static void lengths(struct corpus *c)
{
	static const int deltas[] = {-100, -28, -20, -9, -8, -4, -1, 1, 2, 4, 8, 40, 1000};
	char what[64];

	for (size_t p = 0; p < sizeof(protos4); p++) {
		struct l4 l4 = {.family = 4, .proto = protos4[p], .payload = 40};

		for (size_t i = 0; i < sizeof(deltas) / sizeof(deltas[0]); i++) {
			snprintf(what, sizeof(what), "total length off by %d", deltas[i]);
			one(c, "lengths", "malformed", (struct ip4){.len_delta = deltas[i]}, &l4, 0, what);
			snprintf(what, sizeof(what), "total length off by %d, padded", deltas[i]);
			one(c, "lengths", "malformed", (struct ip4){.len_delta = deltas[i]}, &l4, 64, what);
		}
		for (size_t pad = 1; pad <= 256; pad *= 4) {
			snprintf(what, sizeof(what), "with %zu bytes of trailing padding", pad);
			one(c, "lengths", NULL, (struct ip4){0}, &l4, pad, what);
		}
		for (int ihl = 1; ihl < 16; ihl++) {
			snprintf(what, sizeof(what), "says ihl %d", ihl);
			one(c, "lengths", "malformed", (struct ip4){.ihl = ihl}, &l4, 0, what);
		}
		for (int version = 1; version < 16; version++) {
			snprintf(what, sizeof(what), "says version %d", version);
			if (version != 6)
				one(c, "lengths", "malformed", (struct ip4){.version = version}, &l4, 0, what);
		}
	}
}

/* One 16-bit field of the L4 header overwritten, no checksum to betray it (UDP) or made right (TCP). */
static void l4_lies(struct corpus *c)
{
	static const unsigned int udp_len[] = {0, 1, 7, 8, 9, 15, 16, 17, 47, 48, 49, 1000, 65535};

	for (size_t i = 0; i < sizeof(udp_len) / sizeof(udp_len[0]); i++) {
		uint32_t id = corpus_next_id(c);
		struct bytes seg, ip;

		l4_build(&seg, &(struct l4){.family = 4, .proto = IPPROTO_UDP, .payload = 40, .no_checksum = true}, id);
		bytes_set16(&seg, 4, udp_len[i]);
		ip4_build(&ip, &(struct ip4){.proto = IPPROTO_UDP, .id = (uint16_t)id}, seg.b, seg.n);
		case_ip(corpus_add(c, "l4-lies", "malformed", "udp length %u of 48", udp_len[i]), &ip);
	}
	for (unsigned int doff = 0; doff < 16; doff++) {
		uint32_t id = corpus_next_id(c);
		struct bytes seg, ip;
		uint32_t sum;

		l4_build(&seg, &(struct l4){.family = 4, .proto = IPPROTO_TCP, .payload = 24}, id);
		sum = (uint16_t) ~(seg.b[16] << 8 | seg.b[17]);
		sum += (doff << 12) + 0xffff - 0x5000;
		seg.b[12] = (uint8_t)(doff << 4);
		bytes_set16(&seg, 16, lab_sum_fold(sum));
		ip4_build(&ip, &(struct ip4){.proto = IPPROTO_TCP, .id = (uint16_t)id}, seg.b, seg.n);
		case_ip(corpus_add(c, "l4-lies", doff == 5 ? NULL : "malformed", "tcp data offset %u", doff), &ip);
	}
}

static void fields(struct corpus *c)
{
	char what[64];

	for (size_t p = 0; p < sizeof(protos4); p++) {
		struct l4 l4 = {.family = 4, .proto = protos4[p], .payload = 24};

		one(c, "fields", NULL, (struct ip4){.frag = 0x4000}, &l4, 0, "don't fragment");
		one(c, "fields", NULL, (struct ip4){.frag = 0x8000}, &l4, 0, "reserved flag");
		one(c, "fields", NULL, (struct ip4){.frag = 0xc000}, &l4, 0, "reserved flag and don't fragment");
		one(c, "fields", NULL, (struct ip4){.ttl = 1}, &l4, 0, "ttl 1");
		one(c, "fields", NULL, (struct ip4){.zero_ttl = true}, &l4, 0, "ttl 0");
		one(c, "fields", NULL, (struct ip4){.ttl = 255}, &l4, 0, "ttl 255");
		for (unsigned int tos = 1; tos < 256; tos *= 2) {
			snprintf(what, sizeof(what), "tos 0x%02x", tos);
			one(c, "fields", NULL, (struct ip4){.tos = (uint8_t)tos}, &l4, 0, what);
		}
	}
	one(c, "fields", NULL, (struct ip4){0}, &(struct l4){.family = 4, .proto = IPPROTO_UDP, .no_checksum = true}, 0,
	    "without a checksum");
	for (unsigned int flags = 0; flags < 256; flags++) {
		snprintf(what, sizeof(what), "flags 0x%02x", flags);
		one(c, "flags", NULL, (struct ip4){0},
		    &(struct l4){.family = 4, .proto = IPPROTO_TCP, .flags = (uint8_t)flags, .exact_flags = true}, 0,
		    what);
	}
	for (unsigned int n = 4; n <= 40; n += 4) {
		snprintf(what, sizeof(what), "%u bytes of options", n);
		one(c, "fields", NULL, (struct ip4){0},
		    &(struct l4){.family = 4, .proto = IPPROTO_TCP, .tcp_opts = (uint8_t)n}, 0, what);
	}
}

void corpus_v4(struct corpus *c)
{
	options(c);
	lengths(c);
	l4_lies(c);
	fields(c);
}

/* Fragments of one segment: piece i is bytes [start, end), at this place on the wire. */
struct piece {
	size_t start, end;
	bool last; /* no more-fragments */
};

static void fragment(struct frame_case *fc, const struct bytes *seg, uint8_t proto, struct piece p, const uint8_t *opts,
		     size_t nopts)
{
	struct ip4 ip = {.proto = proto,
			 .id = (uint16_t)fc->id,
			 .frag = (uint16_t)((p.last ? 0 : 0x2000) | p.start / 8),
			 .opts = opts,
			 .nopts = nopts};
	struct bytes packet;

	ip4_build(&packet, &ip, seg->b + p.start, p.end - p.start);
	case_ip(fc, &packet);
}

struct order_ctx {
	struct corpus *c;
	uint8_t proto;
	const struct piece *pieces;
	const char *what, *limit;
};

static void add_order(void *ctx_, const size_t *order, size_t n)
{
	const struct order_ctx *ctx = ctx_;
	char text[16] = "";
	struct frame_case *fc;
	struct bytes seg;

	l4_build(&seg, &(struct l4){.family = 4, .proto = ctx->proto, .payload = 88}, corpus_next_id(ctx->c));
	for (size_t i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%zu ", order[i]);
	fc = corpus_add(ctx->c, "fragments4", ctx->limit, "%s %s: %s", proto_name(ctx->proto), ctx->what, text);
	for (size_t i = 0; i < n; i++) {
		struct piece p = ctx->pieces[order[i]];

		if (p.end > seg.n)
			p.end = seg.n;
		fragment(fc, &seg, ctx->proto, p, NULL, 0);
	}
}

#define ALL 1000 /* to the segment's end */

static void orders(struct corpus *c, uint8_t proto)
{
	static const struct {
		const char *what, *tcp_limit;
		size_t n;
		struct piece p[4];
	} cuts[] = {
		{"two", NULL, 2, {{0, 48, false}, {48, ALL, true}}},
		{"three", NULL, 3, {{0, 32, false}, {32, 64, false}, {64, ALL, true}}},
		{"four", NULL, 4, {{0, 24, false}, {24, 48, false}, {48, 72, false}, {72, ALL, true}}},
		{"tiny first", "frag-tiny", 2, {{0, 8, false}, {8, ALL, true}}},
		{"two tiny", "frag-tiny", 3, {{0, 8, false}, {8, 16, false}, {16, ALL, true}}},
		{"16 first", "frag-tiny", 2, {{0, 16, false}, {16, ALL, true}}},
		{"repeated", NULL, 3, {{0, 48, false}, {0, 48, false}, {48, ALL, true}}},
		{"last repeated", NULL, 3, {{0, 48, false}, {48, ALL, true}, {48, ALL, true}}},
		{"overlap behind", NULL, 3, {{0, 48, false}, {40, 56, false}, {48, ALL, true}}},
		{"overlap in front", NULL, 3, {{0, 32, false}, {0, 48, false}, {48, ALL, true}}},
		{"contained", NULL, 3, {{0, 64, false}, {16, 32, false}, {64, ALL, true}}},
		{"overlapping end", NULL, 2, {{0, 64, false}, {32, ALL, true}}},
	};

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		struct order_ctx ctx = {c, proto, cuts[i].p, cuts[i].what,
					proto == IPPROTO_UDP ? NULL : cuts[i].tcp_limit};

		corpus_orders(cuts[i].n, add_order, &ctx);
	}
}

/* The first fragment names an allowed port; another fragment tries to overwrite it with ours. */
static void rewrites(struct corpus *c)
{
	static const struct {
		const char *what;
		size_t n;
		struct piece p[4];
		uint8_t evil; /* index of the pieces that carry our port */
	} plans[] = {
		{"second copy of offset 0", 3, {{0, 48, false}, {0, 48, false}, {48, ALL, true}}, 2},
		{"longer copy of offset 0", 3, {{0, 48, false}, {0, 56, false}, {48, ALL, true}}, 2},
		{"shorter copy of offset 0", 3, {{0, 48, false}, {0, 8, false}, {48, ALL, true}}, 2},
		{"copy after the last", 3, {{0, 48, false}, {48, ALL, true}, {0, 48, false}}, 4},
		{"last first, copy, then first", 3, {{48, ALL, true}, {0, 48, false}, {0, 48, false}}, 2},
		{"whole datagram as a first fragment", 3, {{0, ALL, false}, {0, 48, false}, {48, ALL, true}}, 1},
	};

	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		for (size_t p = 0; p < 2; p++) {
			uint32_t id = corpus_next_id(c);
			struct frame_case *fc;
			struct bytes good, bad;

			l4_build(&good,
				 &(struct l4){.family = 4, .proto = protos4[p], .payload = 88, .dport = LAB_MARK_DPORT},
				 id);
			l4_build(&bad, &(struct l4){.family = 4, .proto = protos4[p], .payload = 88}, id);
			fc = corpus_add(c, "fragments4", "frag-tiny", "%s rewrite: %s", proto_name(protos4[p]),
					plans[i].what);
			for (size_t k = 0; k < plans[i].n; k++) {
				struct piece piece = plans[i].p[k];

				if (piece.end > good.n)
					piece.end = good.n & ~7ul;
				if (piece.last)
					piece.end = good.n;
				fragment(fc, plans[i].evil >> k & 1 ? &bad : &good, protos4[p], piece, NULL, 0);
			}
		}
	}
}

void corpus_v4_fragments(struct corpus *c)
{
	static const uint8_t nops[40] = {[0 ... 39] = 1};

	for (size_t p = 0; p < sizeof(protos4); p++)
		orders(c, protos4[p]);
	rewrites(c);
	/* Options in some fragments and not in others. */
	for (size_t n = 4; n <= 40; n += 12) {
		uint32_t id = corpus_next_id(c);
		struct frame_case *fc;
		struct bytes seg;

		l4_build(&seg, &(struct l4){.family = 4, .proto = IPPROTO_UDP, .payload = 88}, id);
		fc = corpus_add(c, "fragments4", NULL, "udp, %zu bytes of options in the first", n);
		fragment(fc, &seg, IPPROTO_UDP, (struct piece){0, 48, false}, nops, n);
		fragment(fc, &seg, IPPROTO_UDP, (struct piece){48, seg.n, true}, NULL, 0);
		id = corpus_next_id(c);
		l4_build(&seg, &(struct l4){.family = 4, .proto = IPPROTO_UDP, .payload = 88}, id);
		fc = corpus_add(c, "fragments4", NULL, "udp, %zu bytes of options in the last", n);
		fragment(fc, &seg, IPPROTO_UDP, (struct piece){48, seg.n, true}, nops, n);
		fragment(fc, &seg, IPPROTO_UDP, (struct piece){0, 48, false}, NULL, 0);
	}
}

// SPDX-License-Identifier: GPL-2.0-only
// IPv6: extension-header chains, lengths that lie, fragments in every order.
#include "conformance/frames.h"
#include "harness/lab.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum {
	HOPOPTS = 0,
	ROUTING = 43,
	FRAGMENT = 44,
	ESP = 50,
	AH = 51,
	NONE = 59,
	DSTOPTS = 60,
	MOBILITY = 135,
	HIP = 139,
	SHIM6 = 140
};

static const uint8_t protos6[] = {IPPROTO_UDP, IPPROTO_TCP, IPPROTO_ICMPV6, IPPROTO_SCTP};

static const char *proto_name(uint8_t proto)
{
	return proto == IPPROTO_UDP ? "udp" : proto == IPPROTO_TCP ? "tcp" : proto == IPPROTO_ICMPV6 ? "icmp6" : "sctp";
}

/* One header of a chain. */
struct ext {
	uint8_t type;
	uint8_t units; /* 8-byte units beyond the first (AH: 4-byte units beyond two) */
	uint8_t a, b; /* routing: type and segments left. Fragment: reserved byte and the low byte of the offset word */
	uint16_t offset; /* fragment: the offset word, `b` excluded */
	uint8_t option;	 /* options: type of the one option that fills it; 0: PadN */
};

static void put_options(struct bytes *out, size_t len, uint8_t option)
{
	/* Linux takes at most eight options, and PadN up to 7 bytes with zeros: fill with unknown, skippable ones. */
	while (len > 0) {
		size_t body;

		if (len == 1) {
			bytes_put8(out, 0);
			return;
		}
		body = len - 2 > 253 ? 253 : len - 2;
		if (len - 2 - body == 1)
			body--;
		bytes_put8(out, option ? option : body <= 5 ? 1 : 0x3e);
		bytes_put8(out, (unsigned int)body);
		bytes_fill(out, 0, body);
		len -= 2 + body;
	}
}

static void put_ext(struct bytes *out, const struct ext *e, uint8_t next, uint32_t id)
{
	size_t len = 8u * (e->units + 1u);

	bytes_put8(out, next);
	switch (e->type) {
	case FRAGMENT:
		bytes_put8(out, e->a);
		bytes_put16(out, (unsigned int)e->offset | e->b);
		bytes_put32(out, id);
		break;
	case ROUTING:
		bytes_put8(out, e->units);
		bytes_put8(out, e->a);
		bytes_put8(out, e->b);
		bytes_put32(out, 0);
		for (size_t i = 8; i < len; i += 8)
			bytes_put(out, lab_rcv6 + (i / 8 - 1) % 2 * 8, 8);
		break;
	case AH:
		bytes_put8(out, e->units + 1u);
		bytes_fill(out, 0, 4u * (e->units + 1u + 2u) - 2);
		break;
	default:
		bytes_put8(out, e->units);
		put_options(out, len - 2, e->option);
	}
}

/* A chain of headers and the segment behind it, as one payload; the type of the first header. */
static uint8_t chain_build(struct bytes *out, const struct ext *e, size_t n, uint8_t proto, const struct bytes *seg,
			   uint32_t id)
{
	out->n = 0;
	for (size_t i = 0; i < n; i++)
		put_ext(out, &e[i], i + 1 < n ? e[i + 1].type : proto, id);
	bytes_put(out, seg->b, seg->n);
	return n ? e[0].type : proto;
}

static void chain(struct corpus *c, uint8_t proto, const char *limit, const struct ext *e, size_t n, const char *what)
{
	uint32_t id = corpus_next_id(c);
	struct bytes seg, body, packet;
	uint8_t next;

	l4_build(&seg, &(struct l4){.family = 6, .proto = proto, .payload = 16}, id);
	next = chain_build(&body, e, n, proto, &seg, id);
	ip6_build(&packet, &(struct ip6){.next = next}, body.b, body.n);
	case_ip(corpus_add(c, "ext-chain", limit, "%s behind %s", proto_name(proto), what), &packet);
}
#define CHAIN(c, proto, limit, what, ...)                                                                              \
	chain(c, proto, limit, (const struct ext[]){__VA_ARGS__},                                                      \
	      sizeof((struct ext[]){__VA_ARGS__}) / sizeof(struct ext), what)

static void repeated(struct corpus *c, uint8_t proto)
{
	static const size_t counts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 24, 32, 48, 64, 80, 100, 150};
	struct ext e[150];
	char what[64];

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		for (size_t k = 0; k < counts[i]; k++)
			e[k] = (struct ext){.type = DSTOPTS};
		snprintf(what, sizeof(what), "%zu destination options", counts[i]);
		chain(c, proto, counts[i] > 8 ? "ext-chain" : NULL, e, counts[i], what);
		e[0].type = HOPOPTS;
		snprintf(what, sizeof(what), "hop-by-hop and %zu destination options", counts[i] - 1);
		chain(c, proto, counts[i] > 8 ? "ext-chain" : NULL, e, counts[i], what);
		for (size_t k = 0; k < counts[i]; k++)
			e[k] = (struct ext){.type = k & 1 ? ROUTING : DSTOPTS, .a = 253};
		snprintf(what, sizeof(what), "%zu destination options and routing in turn", counts[i]);
		chain(c, proto, counts[i] > 8 ? "ext-chain" : NULL, e, counts[i], what);
		for (size_t k = 0; k < counts[i]; k++)
			e[k] = (struct ext){.type = FRAGMENT, .a = (uint8_t)k};
		snprintf(what, sizeof(what), "%zu atomic fragment headers", counts[i]);
		chain(c, proto, counts[i] > 1 ? "ext-chain" : NULL, e, counts[i], what);
	}
}

static void kinds(struct corpus *c, uint8_t proto)
{
	char what[64];

	for (unsigned int type = 0; type < 256; type += type < 8 || type > 250 ? 1 : 27) {
		for (uint8_t left = 0; left < 3; left++) {
			for (uint8_t units = 0; units < 5; units += 2) {
				snprintf(what, sizeof(what), "routing type %u, %u segments left, %u units", type, left,
					 units);
				CHAIN(c, proto, type ? NULL : "ext-chain", what,
				      {.type = ROUTING, .a = (uint8_t)type, .b = left, .units = units});
			}
		}
	}
	for (unsigned int a = 0; a < 256; a += 51)
		for (uint8_t low = 0; low < 8; low += 2) {
			snprintf(what, sizeof(what), "an atomic fragment, reserved 0x%02x, reserved bits %u", a,
				 low / 2u);
			CHAIN(c, proto, NULL, what, {.type = FRAGMENT, .a = (uint8_t)a, .b = low});
		}
	for (unsigned int units = 0; units < 100; units = units * 2 + 1) {
		const char *limit = 8 * (units + 1) > 256 ? "ext-chain" : NULL;

		snprintf(what, sizeof(what), "destination options of %u bytes", 8 * (units + 1));
		CHAIN(c, proto, limit, what, {.type = DSTOPTS, .units = (uint8_t)units});
		snprintf(what, sizeof(what), "hop-by-hop options of %u bytes", 8 * (units + 1));
		CHAIN(c, proto, limit, what, {.type = HOPOPTS, .units = (uint8_t)units});
	}
	for (unsigned int option = 2; option < 256; option += 14) {
		snprintf(what, sizeof(what), "an option of type 0x%02x", option);
		CHAIN(c, proto, NULL, what, {.type = DSTOPTS, .option = (uint8_t)option});
	}
	CHAIN(c, proto, "ext-chain", "hop-by-hop that is not first", {.type = DSTOPTS}, {.type = HOPOPTS});
	CHAIN(c, proto, "ext-chain", "hop-by-hop twice", {.type = HOPOPTS}, {.type = HOPOPTS});
	CHAIN(c, proto, NULL, "all headers in order", {.type = HOPOPTS}, {.type = DSTOPTS}, {.type = ROUTING, .a = 253},
	      {.type = FRAGMENT}, {.type = DSTOPTS});
	CHAIN(c, proto, NULL, "headers in disorder", {.type = FRAGMENT}, {.type = ROUTING, .a = 9}, {.type = DSTOPTS},
	      {.type = ROUTING, .a = 77});
	CHAIN(c, proto, "ext-chain", "a fragment inside an atomic fragment", {.type = FRAGMENT}, {.type = DSTOPTS},
	      {.type = FRAGMENT});
	for (uint8_t units = 0; units < 6; units++) {
		snprintf(what, sizeof(what), "AH of %u bytes", 4 * (units + 3));
		CHAIN(c, proto, NULL, what, {.type = AH, .units = units});
	}
	CHAIN(c, proto, NULL, "mobility", {.type = MOBILITY});
	CHAIN(c, proto, NULL, "HIP", {.type = HIP});
	CHAIN(c, proto, NULL, "shim6", {.type = SHIM6});
	CHAIN(c, proto, NULL, "ESP", {.type = ESP});
	CHAIN(c, proto, NULL, "no next header", {.type = NONE});
}

/* A header that says more than there is, or that its place does not allow. */
static void lies(struct corpus *c, uint8_t proto)
{
	static const int deltas[] = {-60, -36, -9, -8, -1, 1, 8, 100, 1000};
	struct bytes seg, body, ip;

	for (size_t i = 0; i < sizeof(deltas) / sizeof(deltas[0]); i++) {
		uint32_t id = corpus_next_id(c);

		l4_build(&seg, &(struct l4){.family = 6, .proto = proto, .payload = 40}, id);
		ip6_build(&ip, &(struct ip6){.next = proto, .len_delta = deltas[i]}, seg.b, seg.n);
		bytes_fill(&ip, 0x5a, 120);
		case_ip(corpus_add(c, "lengths", "malformed", "%s, IPv6 payload off by %d, padded", proto_name(proto),
				   deltas[i]),
			&ip);
	}
	for (unsigned int units = 0; units < 256; units += 5) {
		uint32_t id = corpus_next_id(c);

		l4_build(&seg, &(struct l4){.family = 6, .proto = proto, .payload = 400}, id);
		body.n = 0;
		put_ext(&body, &(struct ext){.type = DSTOPTS}, proto, id);
		body.b[1] = (uint8_t)units;
		bytes_put(&body, seg.b, seg.n);
		ip6_build(&ip, &(struct ip6){.next = DSTOPTS}, body.b, body.n);
		case_ip(corpus_add(c, "lengths", "ext-chain", "%s, options header says %u units", proto_name(proto),
				   units),
			&ip);
	}
	for (size_t pad = 1; pad <= 256; pad *= 4) {
		l4_build(&seg, &(struct l4){.family = 6, .proto = proto, .payload = 40}, corpus_next_id(c));
		ip6_build(&ip, &(struct ip6){.next = proto}, seg.b, seg.n);
		bytes_fill(&ip, 0x5a, pad);
		case_ip(corpus_add(c, "lengths", NULL, "%s over IPv6 with %zu bytes of padding", proto_name(proto),
				   pad),
			&ip);
	}
}

static void udp_lies(struct corpus *c)
{
	static const unsigned int udp_len[] = {0, 1, 7, 8, 9, 47, 48, 49};
	struct bytes seg, ip;

	for (size_t i = 0; i < sizeof(udp_len) / sizeof(udp_len[0]); i++) {
		uint32_t id = corpus_next_id(c), sum;

		l4_build(&seg, &(struct l4){.family = 6, .proto = IPPROTO_UDP, .payload = 40}, id);
		sum = (uint16_t) ~(seg.b[6] << 8 | seg.b[7]);
		bytes_set16(&seg, 4, udp_len[i]);
		if (!udp_len[i])
			bytes_set16(&seg, 6, lab_sum_fold(sum + 0xffff - 48));
		ip6_build(&ip, &(struct ip6){.next = IPPROTO_UDP}, seg.b, seg.n);
		case_ip(corpus_add(c, "l4-lies", "malformed", "udp over IPv6, length %u of 48", udp_len[i]), &ip);
	}
	for (unsigned int flags = 0; flags < 256; flags++) {
		l4_build(&seg,
			 &(struct l4){.family = 6, .proto = IPPROTO_TCP, .flags = (uint8_t)flags, .exact_flags = true},
			 corpus_next_id(c));
		ip6_build(&ip, &(struct ip6){.next = IPPROTO_TCP}, seg.b, seg.n);
		case_ip(corpus_add(c, "flags", NULL, "tcp over IPv6, flags 0x%02x", flags), &ip);
	}
	for (unsigned int tclass = 1; tclass < 256; tclass *= 2) {
		l4_build(&seg, &(struct l4){.family = 6, .proto = IPPROTO_UDP}, corpus_next_id(c));
		ip6_build(&ip, &(struct ip6){.next = IPPROTO_UDP, .tclass = (uint8_t)tclass, .zero_hop = true}, seg.b,
			  seg.n);
		case_ip(corpus_add(c, "fields", NULL, "udp over IPv6, class 0x%02x, hop limit 0", tclass), &ip);
	}
}

void corpus_v6(struct corpus *c)
{
	for (size_t p = 0; p < sizeof(protos6); p++) {
		repeated(c, protos6[p]);
		if (p < 2)
			kinds(c, protos6[p]);
		lies(c, protos6[p]);
	}
	udp_lies(c);
}

struct piece {
	size_t start, end;
	bool last;
};

#define ALL 1000

/* `body` is the fragmentable part and begins with a header of type `next`. */
static void fragment(struct frame_case *fc, const struct bytes *body, uint8_t next, struct piece p, uint8_t reserved,
		     size_t before)
{
	struct ext head[3];
	struct bytes piece = {.n = 0}, out, packet;
	size_t n = 0, end = p.end > body->n ? body->n : p.end;
	uint8_t first;

	while (n < before && n < 2)
		head[n++] = (struct ext){.type = DSTOPTS};
	head[n++] = (struct ext){.type = FRAGMENT,
				 .a = reserved,
				 .b = (uint8_t)((reserved & 3) << 1 | !p.last | ((p.start & 0xf8))),
				 .offset = (uint16_t)(p.start & 0xff00)};
	bytes_put(&piece, body->b + p.start, end - p.start);
	first = chain_build(&out, head, n, next, &piece, fc->id);
	ip6_build(&packet, &(struct ip6){.next = first}, out.b, out.n);
	case_ip(fc, &packet);
}

struct order_ctx {
	struct corpus *c;
	uint8_t proto, reserved;
	size_t inside, before; /* destination options in and before the fragmentable part */
	const struct piece *pieces;
	const char *what, *limit;
};

static uint8_t body_build(struct bytes *body, uint8_t proto, size_t inside, uint16_t dport, uint32_t id)
{
	struct ext e[4];
	struct bytes seg;

	for (size_t i = 0; i < inside; i++)
		e[i] = (struct ext){.type = DSTOPTS, .units = 1};
	l4_build(&seg, &(struct l4){.family = 6, .proto = proto, .payload = 88, .dport = dport}, id);
	return chain_build(body, e, inside, proto, &seg, id);
}

static void add_order(void *ctx_, const size_t *order, size_t n)
{
	const struct order_ctx *ctx = ctx_;
	struct frame_case *fc;
	struct bytes body;
	char text[16] = "";
	uint8_t next = body_build(&body, ctx->proto, ctx->inside, 0, corpus_next_id(ctx->c));

	for (size_t i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%zu ", order[i]);
	fc = corpus_add(ctx->c, "fragments6", ctx->limit, "%s %s, %zu+%zu options, reserved %u: %s",
			proto_name(ctx->proto), ctx->what, ctx->before, ctx->inside, ctx->reserved, text);
	for (size_t i = 0; i < n; i++)
		fragment(fc, &body, next, ctx->pieces[order[i]], ctx->reserved, ctx->before);
}

static void orders(struct corpus *c, uint8_t proto, size_t inside, size_t before, uint8_t reserved)
{
	static const struct {
		const char *what;
		size_t n, first; /* bytes in the first fragment */
		struct piece p[4];
	} cuts[] = {
		{"two", 2, 48, {{0, 48, false}, {48, ALL, true}}},
		{"three", 3, 32, {{0, 32, false}, {32, 64, false}, {64, ALL, true}}},
		{"tiny first", 2, 8, {{0, 8, false}, {8, ALL, true}}},
		{"two tiny", 3, 8, {{0, 8, false}, {8, 16, false}, {16, ALL, true}}},
		{"16 first", 2, 16, {{0, 16, false}, {16, ALL, true}}},
		{"24 first", 2, 24, {{0, 24, false}, {24, ALL, true}}},
		{"repeated", 3, 48, {{0, 48, false}, {0, 48, false}, {48, ALL, true}}},
		{"overlap behind", 3, 48, {{0, 48, false}, {40, 56, false}, {48, ALL, true}}},
		{"overlapping end", 2, 64, {{0, 64, false}, {32, ALL, true}}},
	};
	size_t header = 16 * inside + (proto == IPPROTO_TCP ? 20 : proto == IPPROTO_SCTP ? 12 : 8);

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		struct order_ctx ctx = {c, proto, reserved, inside, before, cuts[i].p, cuts[i].what, NULL};

		if (cuts[i].first < 16 * inside)
			ctx.limit = "ext-chain";
		else if (cuts[i].first < header)
			ctx.limit = "frag-tiny";
		else if (proto == IPPROTO_TCP && !strncmp(cuts[i].what, "tiny", 4))
			ctx.limit = "frag-tiny";
		corpus_orders(cuts[i].n, add_order, &ctx);
	}
}

/* The first fragment names an allowed port; another one tries to put ours in its place. */
static void rewrites(struct corpus *c, uint8_t proto)
{
	static const struct {
		const char *what;
		size_t n;
		struct piece p[3];
		uint8_t evil;
	} plans[] = {
		{"second copy of offset 0", 3, {{0, 48, false}, {0, 48, false}, {48, ALL, true}}, 2},
		{"longer copy of offset 0", 3, {{0, 48, false}, {0, 56, false}, {48, ALL, true}}, 2},
		{"copy after the last", 3, {{0, 48, false}, {48, ALL, true}, {0, 48, false}}, 4},
		{"last first", 3, {{48, ALL, true}, {0, 48, false}, {0, 48, false}}, 2},
		{"atomic among them", 3, {{0, 48, false}, {0, ALL, true}, {48, ALL, true}}, 2},
	};

	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		uint32_t id = corpus_next_id(c);
		struct frame_case *fc;
		struct bytes good, bad;

		body_build(&good, proto, 0, LAB_MARK_DPORT, id);
		body_build(&bad, proto, 0, 0, id);
		fc = corpus_add(c, "fragments6", "ext-chain", "%s rewrite: %s", proto_name(proto), plans[i].what);
		for (size_t k = 0; k < plans[i].n; k++)
			fragment(fc, plans[i].evil >> k & 1 ? &bad : &good, proto, plans[i].p[k], 0, 0);
	}
}

void corpus_v6_fragments(struct corpus *c)
{
	for (size_t p = 0; p < sizeof(protos6); p++) {
		orders(c, protos6[p], 0, 0, 0);
		orders(c, protos6[p], 0, 0, 255);
		orders(c, protos6[p], 1, 0, 0);
		orders(c, protos6[p], 2, 1, 3);
		orders(c, protos6[p], 0, 2, 0);
		rewrites(c, protos6[p]);
	}
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The delivery corpus: frames that a firewall might misread, built by hand, checksums right. A case is one frame, or
 * the fragments of one packet in some order. Every case aims at the same target: port CORPUS_PORT (UDP, TCP, SCTP) or
 * an echo request, so that one short rule set forbids all of them.
 */
#ifndef FW_CONFORMANCE_FRAMES_H
#define FW_CONFORMANCE_FRAMES_H

#include "harness/prng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CORPUS_PORT  4000
#define CORPUS_MAGIC 0x46574321u
#define FRAME_MAX    9200

struct frame {
	uint8_t *data;
	size_t len;
	/* Virtio header, for frames that need one: GSO, or a wished linear part. */
	uint8_t gso_type;
	uint16_t gso_size;
	uint16_t hdr_len; /* with gso_type 0: bytes in the linear part; frames over a page only */
};

struct frame_case {
	const char *class;
	char name[80];
	uint32_t id;	   /* index + 1; travels in the payload, or in the TCP sequence number */
	const char *limit; /* reason of the firewall's stated limit that may stop it; NULL: a legal packet must pass */
	struct frame *f;
	size_t n;
};

struct corpus {
	struct frame_case *c;
	size_t n, cap;
};

enum corpus_kind {
	CORPUS_STANDARD, /* fits an MTU of 1500 */
	CORPUS_JUMBO,	 /* needs 9000 */
	CORPUS_LEGAL,	 /* what ordinary hosts send */
};

void corpus_build(struct corpus *c, enum corpus_kind kind);
void corpus_free(struct corpus *c);

/* A growing packet. */
struct bytes {
	uint8_t b[FRAME_MAX];
	size_t n;
};
void bytes_put8(struct bytes *b, unsigned int v);
void bytes_put16(struct bytes *b, unsigned int v);
void bytes_put32(struct bytes *b, uint32_t v);
void bytes_put(struct bytes *b, const void *data, size_t len);
void bytes_fill(struct bytes *b, unsigned int v, size_t len);
void bytes_set16(struct bytes *b, size_t at, unsigned int v);

/* What stands at layer 4. Zero = the usual. */
struct l4 {
	int family; /* 4 or 6 */
	uint8_t proto;
	uint16_t sport, dport; /* 0: 1024 + id, CORPUS_PORT */
	uint8_t flags;	       /* TCP; 0: SYN, unless exact_flags */
	bool exact_flags;
	uint8_t tcp_opts;    /* bytes of NOP, a multiple of 4 */
	size_t payload;	     /* at least 8 are sent */
	bool no_checksum;    /* UDP over IPv4 */
	uint32_t dst4;	     /* 0: LAB_RCV4 */
	const uint8_t *dst6; /* NULL: lab_rcv6 */
};
void l4_build(struct bytes *out, const struct l4 *l4, uint32_t id);

struct ip4 {
	uint8_t proto;
	const uint8_t *opts;
	size_t nopts; /* a multiple of 4 */
	uint16_t id;
	uint16_t frag; /* flags and offset, as on the wire */
	uint8_t ttl, tos;
	bool zero_ttl;
	int len_delta; /* lie about the total length */
	int ihl;       /* 0: the truth */
	int version;   /* 0: 4 */
	uint32_t dst;
};
void ip4_build(struct bytes *out, const struct ip4 *ip, const void *payload, size_t len);

struct ip6 {
	uint8_t next;
	uint8_t tclass, hop; /* hop 0: 64, unless zero_hop */
	bool zero_hop;
	int len_delta;
	int version; /* 0: 6 */
	const uint8_t *dst;
};
void ip6_build(struct bytes *out, const struct ip6 *ip, const void *payload, size_t len);

/* Ethernet with tags; each tag is ethertype << 16 | tci. */
void eth_build(struct bytes *out, const uint32_t *tags, size_t ntags, unsigned int ethertype, const void *payload,
	       size_t len);

/* The id that the next case will have. */
uint32_t corpus_next_id(const struct corpus *c);
/* Begin a case, then give it frames. The case is valid until the next corpus_add. */
struct frame_case *corpus_add(struct corpus *c, const char *class, const char *limit, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
struct frame *case_frame(struct frame_case *fc, const uint8_t *data, size_t len);
/* Wrap an IP packet into an untagged frame of at least 60 bytes. */
struct frame *case_ip(struct frame_case *fc, const struct bytes *packet);

/* Parts of the corpus. */
void corpus_l2(struct corpus *c);
void corpus_v4(struct corpus *c);
void corpus_v4_fragments(struct corpus *c);
void corpus_v6(struct corpus *c);
void corpus_v6_fragments(struct corpus *c);
void corpus_gso(struct corpus *c);
void corpus_jumbo(struct corpus *c);
void corpus_legal(struct corpus *c);

/* All orders of n ≤ 4 things: `visit` gets each. */
void corpus_orders(size_t n, void (*visit)(void *ctx, const size_t *order, size_t n), void *ctx);

/*
 * Damage: one to three changes somewhere in the frame (bits, bytes, lengths, cuts, tags), then, most of the time,
 * checksums made right again, so that the stack takes it. buf has FRAME_MAX bytes. Returns the new length (≥ 14).
 */
size_t frame_mutate(struct prng *p, uint8_t *buf, size_t len);
/* Recompute the checksums of a frame as Linux would find them. */
void frame_fix(uint8_t *buf, size_t len);

#endif

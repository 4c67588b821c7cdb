/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets as the oracle sees them: bytes → fields, with a plain parser of its own that shares nothing with the
 * datapath; and a description in words → bytes, for tests and `explain`.
 */
#ifndef FW_MODEL_PACKET_H
#define FW_MODEL_PACKET_H

#include "model/rule.h"

/* Why a frame could not be judged by rules. Same words as the datapath's reasons (a test compares them). */
enum packet_fault {
	PACKET_OK,
	PACKET_L2_SHORT,
	PACKET_VLAN_DEPTH,
	PACKET_MALFORMED,
	PACKET_FRAG_TINY,
	PACKET_EXT_CHAIN,
	PACKET_L4_SHORT,
	PACKET_FAULT_COUNT
};

/* "l2-short", …; "" for PACKET_OK. */
const char *packet_fault_word(enum packet_fault fault);

struct packet {
	enum family family;
	bool present[FIELD_VALUE_COUNT];
	uint64_t value[FIELD_VALUE_COUNT]; /* of the fields that are present */
	u128 src, dst;                     /* IPv4 in the low 32 bits; only with a family that is not OTHER */
	uint32_t live_src, live_dst;       /* bit per policy.live: the address is a member. Parsing leaves 0 */
	uint16_t icmp_id;                  /* bytes 4 and 5 of an ICMP header */
	size_t l4_off, end;                /* where L4 starts and the packet ends in the frame; 0 without L4 */
};

/*
 * What the kernel knows beside the bytes: the tag that TC holds in metadata.
 */
struct packet_meta {
	bool vlan_present;
	uint16_t vlan_tci;
};

/*
 * The rules of parsing (both parsers implement this text; `meta` may be NULL):
 *
 *  1. Fewer than 14 bytes: l2-short. MAC = bytes 6..11. ethertype = bytes 12..13.
 *  2. Tags: the metadata tag, if present, is the first; then ethertype 0x8100 or 0x88a8 each take 4 bytes.
 *     A third tag, or a tag cut by the frame's end: vlan-depth. VLAN = the first VID that is not 0; absent when
 *     there is none. (VID 0 is a priority tag: untagged for what follows.)
 *  3. ethertype < 0x0600 (LLC): family OTHER, ETHERTYPE absent. Else ETHERTYPE is present.
 *     0x0800 → IPv4, 0x86dd → IPv6, anything else family OTHER, no further field.
 *  4. IPv4: 20 bytes, version 4, ihl ≥ 5, header within the frame, total length ≥ header and within the frame
 *     (trailing padding is fine): else malformed. The packet ends at total length. DSCP, TTL, LEN = total length
 *     (65535 at most), PROTO, addresses.
 *     Offset ≠ 0: FRAG = LATER, no L4 field; TCP with offset 1: frag-tiny.
 *     Offset 0 and more-fragments: FRAG = FIRST. Else FRAG = NONE.
 *  5. IPv6: 40 bytes, version 6, payload within the frame: else malformed. The packet ends at 40 + payload length.
 *     Walk: hop-by-hop (0), routing (43), fragment (44), AH (51), destination options (60) are headers; everything
 *     else (ESP and 59 too) is the protocol. ext-chain when: a ninth header; more than 256 bytes of headers; a
 *     header (or its first 8 bytes) past the packet's end; hop-by-hop not first; routing type 0; a
 *     second fragment header. Lengths: fragment 8, AH (len + 2) · 4, others (len + 1) · 8. Fragment
 *     reserved bits are ignored.
 *     The checks of one header, in this order: count, first 8 bytes, its own length, the 256 bytes, then its kind.
 *     Offset 0 without more-fragments (atomic): not a fragment, go on. Offset ≠ 0: FRAG = LATER, PROTO is the
 *     fragment header's next header, the walk ends. Offset 0 with more-fragments: FRAG = FIRST, go on.
 *     EXT = bit set of the headers met (always present for IPv6). TTL = hop limit, DSCP from the traffic class,
 *     LEN = 40 + payload length, at most 65535.
 *  6. L4, unless FRAG = LATER; "short" is frag-tiny for FRAG = FIRST, else l4-short.
 *     TCP (6): under 20 bytes short; data offset < 5 malformed; header past the end: frag-tiny for FIRST, else
 *     malformed. Ports, TCPFLAGS.
 *     UDP (17): under 8 short; UDP length < 8 malformed. Ports.   SCTP (132): under 12 short. Ports.
 *     ICMP (1 in IPv4), ICMPv6 (58 in IPv6): under 8 short. ICMP / ICMP6 = type << 8 | code.
 *     Other protocols: nothing more.
 *  7. STATE is always there: STATE_NONE here; whoever knows of flows (track.h) says more.
 *
 * At TC alone, where the kernel holds super-packets (gso_segs > 1) whose length does not fit the field: an IPv4 total length or
 * IPv6 payload length of 0 means the rest of the frame. No such packet comes from a wire, and this parser never sees one.
 */
enum packet_fault packet_parse(const uint8_t *frame, size_t len, const struct packet_meta *meta,
			       struct packet *ret_packet);

/* A packet in words. Zero = the usual value unless said otherwise. */
struct packet_spec {
	enum family family;
	unsigned int protocol;
	u128 src, dst;
	bool has_ports;
	uint16_t sport, dport;
	bool has_flags;      /* else SYN for TCP */
	uint8_t flags;
	bool has_icmp;
	uint8_t icmp_type, icmp_code;
	uint16_t icmp_id;                /* of a query */
	const struct packet_spec *quote; /* of an ICMP error: the packet it is about; its shortest form, 8 bytes of its L4. NULL: none */
	bool has_ttl;        /* else 64 (255 for neighbour discovery) */
	uint8_t ttl;
	uint8_t dscp, ecn;   /* six and two bits of one byte */
	enum frag frag;
	bool has_vlan;
	uint16_t vlan;
	bool has_mac;
	uint64_t mac;        /* source */
	bool has_ethertype;  /* with family OTHER */
	uint16_t ethertype;
	uint8_t ext;         /* bit set of enum ext: headers to put in */
	unsigned int len;    /* L3 length wanted, 0: the shortest */
	enum state state;    /* what is taken for granted: verified loads alone */
	uint32_t live_src, live_dst; /* likewise: bit per policy.live */
	const uint8_t *raw;  /* `hex …`: the frame itself; all else is ignored */
	size_t raw_len;
};

#define PACKET_MAX_FRAME 65557 /* 14 + two tags + 65535 */

/* L3 length of the shortest packet that fits the words; 0 with family OTHER.
 * A fragment with `len` 0 is rounded up to 8 bytes of payload. */
unsigned int packet_spec_min_len(const struct packet_spec *spec);

/* Build a valid frame (checksums right, at least 60 bytes). Its length; -EINVAL when the words contradict, -ENOSPC. */
long packet_build(const struct packet_spec *spec, uint8_t *buf, size_t size);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vocabulary of match fields. One row per field with a small value:
 *
 *   X(ID, "word", bits, parse class)
 *
 * Same names, same order as FW_SMALL_DIMS in <fw/abi.h> (userspace/compile asserts it; this layer
 * does not see the datapath). Adding a field is adding a row here.
 */
#ifndef FW_MODEL_FIELD_H
#define FW_MODEL_FIELD_H

#include <stddef.h>
#include <stdint.h>

/*
 * ID, word in the language, bits of the value, what a packet needs to have it.
 * The words "port" are special: `from … port` is SPORT, `to … port` and a bare `port` are DPORT.
 */
#define FIELDS(X)                                                                                  \
	X(PROTO, "proto", 10, FIELD_NEEDS_IP)                                                      \
	X(SPORT, "sport", 16, FIELD_NEEDS_PORTS)                                                   \
	X(DPORT, "port", 16, FIELD_NEEDS_PORTS)                                                    \
	X(TCPFLAGS, "flags", 8, FIELD_NEEDS_TCP)                                                   \
	X(ICMP, "icmp", 16, FIELD_NEEDS_ICMP)                                                      \
	X(ICMP6, "icmp6", 16, FIELD_NEEDS_ICMP6)                                                   \
	X(FRAG, "frag", 2, FIELD_NEEDS_IP)                                                         \
	X(VLAN, "vlan", 12, FIELD_NEEDS_FRAME)                                                     \
	X(DSCP, "dscp", 6, FIELD_NEEDS_IP)                                                         \
	X(TTL, "ttl", 8, FIELD_NEEDS_IP)                                                           \
	X(LEN, "len", 16, FIELD_NEEDS_IP)                                                          \
	X(ETHERTYPE, "ethertype", 16, FIELD_NEEDS_FRAME)                                           \
	X(EXT, "ext", 8, FIELD_NEEDS_IP6)                                                          \
	X(ECN, "ecn", 2, FIELD_NEEDS_IP)                                                           \
	X(STATE, "state", 3, FIELD_NEEDS_TRACK)

enum field_needs {
	FIELD_NEEDS_FRAME, /* a layer-2 field: alone it matches any frame */
	FIELD_NEEDS_IP,
	FIELD_NEEDS_IP6,
	FIELD_NEEDS_PORTS, /* tcp, udp or sctp, not a later fragment */
	FIELD_NEEDS_TCP,
	FIELD_NEEDS_ICMP,
	FIELD_NEEDS_ICMP6,
	FIELD_NEEDS_TRACK, /* nothing: every packet has it (enum state), and it says nothing of the family */
};

enum field_id {
#define X(id, word, bits, needs) FIELD_##id,
	FIELDS(X)
#undef X
	FIELD_SMALL_COUNT,
	FIELD_MAC = FIELD_SMALL_COUNT, /* source MAC, 48 bits, every frame has one */
	FIELD_VALUE_COUNT,             /* fields whose value is a number: struct vset */
	FIELD_SRC = FIELD_VALUE_COUNT,
	FIELD_DST,
	FIELD_COUNT
};

struct field {
	const char *word; /* as written in a rule file */
	unsigned int bits;
	enum field_needs needs;
};

/* The row of a field; id < FIELD_VALUE_COUNT. */
const struct field *field_get(enum field_id id);

/*
 * Named values: value of `word` in the vocabulary of field `id`, or -1 (a field without names, or an unknown word).
 * PROTO: protocol number without the family. ICMP, ICMP6: type, without the code. EXT: enum ext, a bit number.
 * Services are not here.
 */
long field_value_parse(enum field_id id, const char *word, size_t len);
/* The inverse; the first of several names; NULL when unnamed. */
const char *field_value_word(enum field_id id, uint64_t value);
/* The i-th name of a field's vocabulary, NULL past the end (for suggestions and completion). */
const char *field_value_name(enum field_id id, size_t i);

/* The same for the codes of one ICMP or ICMP6 type. */
long field_code_parse(enum field_id id, unsigned int type, const char *word, size_t len);
const char *field_code_word(enum field_id id, unsigned int type, unsigned int code);
const char *field_code_name(enum field_id id, unsigned int type, size_t i);

#endif

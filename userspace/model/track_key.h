/* SPDX-License-Identifier: GPL-2.0-only */
/* What the rules of tracking (track.h) say of one packet alone: the key of its flow, and its state when it has no flow. */
#ifndef FW_MODEL_TRACK_KEY_H
#define FW_MODEL_TRACK_KEY_H

#include "model/packet.h"

#define TCP_FIN 1u
#define TCP_SYN 2u
#define TCP_RST 4u
#define TCP_ACK 16u

struct track_key {
	enum family family;
	unsigned int protocol;
	u128 a, b; /* outside, inside: source and destination on ingress */
	uint16_t pa, pb; /* ports. ICMP queries: identifier; type of the request | direction of the request << 8 */
};

bool track_key_equal(const struct track_key *x, const struct track_key *y);
/* Paragraph 1. False: the packet has none. */
bool track_key_get(const struct packet *p, enum direction dir, struct track_key *ret);

/* Is it an ICMP error? Then paragraph 6: the key of the packet that it quotes; false: the error is INVALID. */
bool track_is_error(const struct packet *p);
bool track_key_quoted(const struct packet *error, enum direction dir, const uint8_t *frame, struct track_key *ret);

/* Paragraph 5. Errors are INVALID here: paragraph 6 knows more. */
enum state track_state_alone(const struct packet *p, bool pickup);

#endif

// SPDX-License-Identifier: GPL-2.0-only
#include "model/track_key.h"

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58, PROTO_SCTP = 132 };

/* Queries, of any code. */
static const struct {
	enum family family;
	unsigned int request, reply;
} queries[] = {
	{ FAMILY_IPV4, 8, 0 },	 { FAMILY_IPV4, 13, 14 },   { FAMILY_IPV4, 15, 16 },
	{ FAMILY_IPV4, 17, 18 }, { FAMILY_IPV6, 128, 129 },
};
#define QUERIES (sizeof(queries) / sizeof(queries[0]))

/* The type of an ICMP message of the packet's family, or -1. */
static int icmp_type(const struct packet *p)
{
	if (p->family == FAMILY_IPV4 && p->present[FIELD_ICMP])
		return (int)(p->value[FIELD_ICMP] >> 8);
	if (p->family == FAMILY_IPV6 && p->present[FIELD_ICMP6])
		return (int)(p->value[FIELD_ICMP6] >> 8);
	return -1;
}

static enum direction other_way(enum direction dir)
{
	return dir == DIRECTION_INGRESS ? DIRECTION_EGRESS : DIRECTION_INGRESS;
}

bool track_key_equal(const struct track_key *x, const struct track_key *y)
{
	return x->family == y->family && x->protocol == y->protocol && x->a == y->a && x->b == y->b &&
	       x->pa == y->pa && x->pb == y->pb;
}

/* Identifier, request and the way that the request goes. False: no query. */
static bool query_ports(const struct packet *p, enum direction dir, struct track_key *k)
{
	int type = icmp_type(p);

	for (size_t i = 0; i < QUERIES; i++) {
		enum direction request_dir = dir;

		if (queries[i].family != p->family)
			continue;
		if (type == (int)queries[i].reply)
			request_dir = other_way(dir);
		else if (type != (int)queries[i].request)
			continue;
		k->pa = p->icmp_id;
		k->pb = (uint16_t)(queries[i].request | (unsigned int)request_dir << 8);
		return true;
	}
	return false;
}

bool track_key_get(const struct packet *p, enum direction dir, struct track_key *ret)
{
	bool in = dir == DIRECTION_INGRESS;
	struct track_key k = { .family = p->family };

	if (p->family == FAMILY_OTHER || p->value[FIELD_FRAG] == FRAG_LATER)
		return false;
	k.protocol = p->value[FIELD_PROTO] & 255;
	k.a = in ? p->src : p->dst;
	k.b = in ? p->dst : p->src;
	if (icmp_type(p) >= 0) {
		if (!query_ports(p, dir, &k))
			return false;
	} else if (p->present[FIELD_SPORT]) {
		k.pa = (uint16_t)p->value[in ? FIELD_SPORT : FIELD_DPORT];
		k.pb = (uint16_t)p->value[in ? FIELD_DPORT : FIELD_SPORT];
	}
	*ret = k;
	return true;
}

bool track_is_error(const struct packet *p)
{
	int type = icmp_type(p);

	if (p->family == FAMILY_IPV6)
		return type >= 1 && type <= 4;
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

static u128 get_number(const uint8_t *b, size_t n)
{
	u128 value = 0;

	for (size_t i = 0; i < n; i++)
		value = value << 8 | b[i];
	return value;
}

static void put(struct packet *p, enum field_id id, uint64_t value)
{
	p->present[id] = true;
	p->value[id] = value;
}

/* The first 8 bytes of what a quoted header carries. */
static void quote_l4(struct packet *q, unsigned int protocol, const uint8_t *b)
{
	put(q, FIELD_PROTO, (uint64_t)q->family << 8 | protocol);
	put(q, FIELD_FRAG, FRAG_NONE);
	if (protocol == PROTO_TCP || protocol == PROTO_UDP || protocol == PROTO_SCTP) {
		put(q, FIELD_SPORT, get_number(b, 2));
		put(q, FIELD_DPORT, get_number(b + 2, 2));
	}
	if ((q->family == FAMILY_IPV4 && protocol == PROTO_ICMP) ||
	    (q->family == FAMILY_IPV6 && protocol == PROTO_ICMP6)) {
		put(q, q->family == FAMILY_IPV4 ? FIELD_ICMP : FIELD_ICMP6, get_number(b, 2));
		q->icmp_id = (uint16_t)get_number(b + 4, 2);
	}
}

static bool quote_ipv4(struct packet *q, const uint8_t *b, size_t have)
{
	size_t header;

	if (have < 20)
		return false;
	header = (size_t)(b[0] & 15) * 4;
	if (b[0] >> 4 != 4 || header < 20 || have < header + 8 || get_number(b + 6, 2) & 0x1fff)
		return false;
	q->family = FAMILY_IPV4;
	q->src = get_number(b + 12, 4);
	q->dst = get_number(b + 16, 4);
	quote_l4(q, b[9], b + header);
	return true;
}

static bool quote_ipv6(struct packet *q, const uint8_t *b, size_t have)
{
	if (have < 40 + 8 || b[0] >> 4 != 6)
		return false;
	if (b[6] == 0 || b[6] == 43 || b[6] == 44 || b[6] == 51 || b[6] == 60)
		return false; /* an extension header */
	q->family = FAMILY_IPV6;
	q->src = get_number(b + 8, 16);
	q->dst = get_number(b + 24, 16);
	quote_l4(q, b[6], b + 40);
	return true;
}

bool track_key_quoted(const struct packet *error, enum direction dir, const uint8_t *frame, struct track_key *ret)
{
	const uint8_t *quote = frame + error->l4_off + 8;
	size_t have = error->end - error->l4_off - 8; /* parsing saw 8 bytes of ICMP */
	struct packet q = {};

	if (error->family == FAMILY_IPV4 ? !quote_ipv4(&q, quote, have) : !quote_ipv6(&q, quote, have))
		return false;
	/* It went out where the error comes in, from the address to which the error goes. */
	return q.src == error->dst && track_key_get(&q, other_way(dir), ret);
}

static enum state state_tcp(unsigned int flags, bool pickup)
{
	if ((flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN)
		return STATE_NEW;
	if (pickup && (flags & (TCP_ACK | TCP_SYN | TCP_RST)) == TCP_ACK)
		return STATE_NEW;
	return STATE_INVALID;
}

enum state track_state_alone(const struct packet *p, bool pickup)
{
	int type = icmp_type(p);

	if (p->family == FAMILY_OTHER || p->value[FIELD_FRAG] == FRAG_LATER)
		return STATE_NONE;
	if (p->present[FIELD_TCPFLAGS])
		return state_tcp((unsigned int)p->value[FIELD_TCPFLAGS], pickup);
	if (track_is_error(p))
		return STATE_INVALID;
	for (size_t i = 0; i < QUERIES; i++)
		if (queries[i].family == p->family && type == (int)queries[i].reply)
			return STATE_INVALID;
	return STATE_NEW;
}

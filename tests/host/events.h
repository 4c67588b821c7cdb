/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which events the oracle's answer makes, and what they say: from the rules and the oracle's own parser. For the host and the
 * kernel differential tests.
 */
#ifndef FW_TESTS_EVENTS_H
#define FW_TESTS_EVENTS_H

#include "host/expect.h"
#include "model/limit.h"

#include <arpa/inet.h>

/* What goes on from packet to packet. Limits and samples are followed where the clock stands and the drawing is known. */
struct events {
	uint64_t *until;  /* FW_LIMIT_CELLS buckets */
	uint32_t drawn;   /* state of the drawing */
	uint32_t (*draw)(uint32_t *state);
	uint64_t now_ns;
	uint64_t written, limited, sampled, capped;
	/* Of the last packet. */
	struct fw_event v[FW_LOG_MARKS + 1];
	size_t n;
};

static inline void events_add(struct events *x, const struct log_opts *log, enum fw_dir dir, uint32_t kind, uint32_t slot, uint32_t rule)
{
	struct log_numbers limit = log_numbers(log);
	uint64_t now = x->now_ns << LIMIT_UNIT_SHIFT, *until = x->until + slot * 2 + dir, from;

	if (log->sample > 1 && x->draw(&x->drawn) % log->sample) {
		x->sampled++;
		return;
	}
	if (limit.cost) {
		from = *until > now ? *until : now;
		if (from + limit.cost - now > limit.burst) {
			x->limited++;
			return;
		}
		*until = from + limit.cost;
	}
	x->v[x->n++] = (struct fw_event){ .kind = kind, .slot = slot, .rule = rule, .sample = log->sample };
	x->written++;
}

/* One event per slot that the packet counts in. */
static inline void events_of(struct events *x, const struct chain *c, enum fw_dir dir, const struct expect *e)
{
	size_t marks = 0;

	x->n = 0;
	for (uint32_t i = 0; i < e->counted; i++) {
		const struct log_opts *log = c->rules[e->count_rule[i]].log;

		if (!log)
			continue;
		if (marks++ < FW_LOG_MARKS)
			events_add(x, log, dir, FW_EVENT_COUNT, e->count_slot[i], e->count_rule[i]);
		else
			x->capped++;
	}
	if (e->reason == FW_REASON_RULE && c->rules[e->rule].log)
		events_add(x, c->rules[e->rule].log, dir, FW_EVENT_RULE, e->slot, e->rule);
	else if ((e->reason == FW_REASON_DEFAULT || e->reason == FW_REASON_L2_OTHER) && c->log_default)
		events_add(x, c->log_default, dir, FW_EVENT_DEFAULT, e->slot, e->rule);
	else if (FW_LOG_REASONS >> e->reason & 1 && c->log_reasons)
		events_add(x, c->log_reasons, dir, FW_EVENT_REASON, e->slot, e->rule);
}

static inline void events_addr(enum family family, u128 addr, uint32_t out[4])
{
	memset(out, 0, 16);
	if (family == FAMILY_IPV4)
		out[0] = htonl((uint32_t)addr);
	for (int i = 0; family == FAMILY_IPV6 && i < 4; i++)
		out[i] = htonl((uint32_t)(addr >> (96 - 32 * i)));
}

#define EVENTS_SAME(field, want) if ((v->field) != (want)) return #field

/* Of a frame that cannot be parsed to its end, what both parsers come to, and nothing that is not of this frame. */
static inline const char *events_fault_differs(const struct fw_event *v, const uint8_t *frame, size_t len)
{
	static const uint32_t none[4];
	size_t n = v->l3 == FW_L3_IPV4 ? 4 : 16;
	uint64_t mac = 0;

	for (size_t i = 6; len >= 14 && i < 12; i++)
		mac = mac << 8 | frame[i];
	EVENTS_SAME(mac, mac);
	EVENTS_SAME(has & 7, 0);
	EVENTS_SAME(sport, 0);
	EVENTS_SAME(dport, 0);
	EVENTS_SAME(icmp, 0);
	EVENTS_SAME(flags, 0);
	if (v->ethertype && !memmem(frame, len, &(uint16_t){ htons(v->ethertype) }, 2))
		return "ethertype";
	if (v->l3 == FW_L3_OTHER) {
		EVENTS_SAME(proto, 0);
		EVENTS_SAME(ttl, 0);
		n = 0;
	} else if (!memmem(frame, len, v->src, n) || !memmem(frame, len, v->dst, n)) {
		return "addresses";
	}
	return memcmp((const uint8_t *)v->src + n, none, 16 - n) || memcmp((const uint8_t *)v->dst + n, none, 16 - n) ? "zeros" : NULL;
}

/* Does the event say of the packet what the oracle's parser does? The first field in which not; NULL. */
static inline const char *events_packet_differs(const struct fw_event *v, const struct expect *e, const uint8_t *frame, size_t len,
						const struct packet_meta *meta)
{
	struct packet p = {};
	bool fault = packet_parse(frame, len, meta, &p) != PACKET_OK;
	bool icmp = p.present[FIELD_ICMP] || p.present[FIELD_ICMP6];
	uint32_t src[4], dst[4];

	EVENTS_SAME(verdict, e->verdict);
	EVENTS_SAME(reason, e->reason);
	EVENTS_SAME(state, e->state);
	if (fault)
		return events_fault_differs(v, frame, len);
	events_addr(p.family, p.src, src);
	events_addr(p.family, p.dst, dst);
#define VALUE(id) (p.present[FIELD_##id] ? p.value[FIELD_##id] : 0)
	EVENTS_SAME(l3, p.family == FAMILY_IPV4 ? FW_L3_IPV4 : p.family == FAMILY_IPV6 ? FW_L3_IPV6 : FW_L3_OTHER);
	EVENTS_SAME(has, p.present[FIELD_SPORT] * FW_HAS_PORTS | p.present[FIELD_TCPFLAGS] * FW_HAS_FLAGS | icmp * FW_HAS_ICMP |
				 p.present[FIELD_VLAN] * FW_HAS_VLAN);
	EVENTS_SAME(proto, (VALUE(PROTO) & 255));
	EVENTS_SAME(frag, VALUE(FRAG));
	EVENTS_SAME(flags, VALUE(TCPFLAGS));
	EVENTS_SAME(ttl, VALUE(TTL));
	EVENTS_SAME(sport, VALUE(SPORT));
	EVENTS_SAME(dport, VALUE(DPORT));
	EVENTS_SAME(icmp, VALUE(ICMP) | VALUE(ICMP6));
	EVENTS_SAME(vlan, VALUE(VLAN));
	EVENTS_SAME(ethertype, VALUE(ETHERTYPE));
	EVENTS_SAME(mac, VALUE(MAC));
#undef VALUE
	if (memcmp(v->src, src, 16))
		return "src";
	return memcmp(v->dst, dst, 16) ? "dst" : NULL;
}

#endif

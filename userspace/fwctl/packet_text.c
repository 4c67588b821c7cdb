// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/packet_text.h"

#include "lang/print.h"

#define FIRST_BYTES 32

static void spec_of(const struct packet *p, struct packet_spec *s)
{
	*s = (struct packet_spec){ .family = p->family, .src = p->src, .dst = p->dst };
	if (p->present[FIELD_VLAN]) {
		s->has_vlan = true;
		s->vlan = (uint16_t)p->value[FIELD_VLAN];
	}
	if (p->family == FAMILY_OTHER) {
		s->has_ethertype = p->present[FIELD_ETHERTYPE];
		s->ethertype = (uint16_t)p->value[FIELD_ETHERTYPE];
		return;
	}
	s->protocol = p->value[FIELD_PROTO] & 255;
	s->frag = (enum frag)p->value[FIELD_FRAG];
	s->has_ports = p->present[FIELD_SPORT];
	s->sport = (uint16_t)p->value[FIELD_SPORT];
	s->dport = (uint16_t)p->value[FIELD_DPORT];
	s->has_flags = p->present[FIELD_TCPFLAGS];
	s->flags = (uint8_t)p->value[FIELD_TCPFLAGS];
	for (int id = FIELD_ICMP; id <= FIELD_ICMP6; id++)
		if (p->present[id]) {
			s->has_icmp = true;
			s->icmp_type = (uint8_t)(p->value[id] >> 8);
			s->icmp_code = (uint8_t)p->value[id];
		}
	/* A fragment's header is there because it is one. */
	s->ext = p->present[FIELD_EXT] ? (uint8_t)p->value[FIELD_EXT] : 0;
	if (s->frag != FRAG_NONE)
		s->ext &= (uint8_t) ~(1u << EXT_FRAGMENT);
}

void packet_text_of(const struct packet *p, struct str *out)
{
	struct packet_spec s;

	spec_of(p, &s);
	if (p->family == FAMILY_OTHER && !s.has_ethertype)
		str_add(out, "a frame without ethertype (LLC)");
	else
		print_packet(&s, out);
}

void packet_text(const uint8_t *frame, size_t len, struct str *out)
{
	struct packet p = {};
	enum packet_fault fault = packet_parse(frame, len, NULL, &p);

	if (!fault) {
		packet_text_of(&p, out);
		return;
	}
	str_addf(out, "%s, %zu bytes: ", packet_fault_word(fault), len);
	for (size_t i = 0; i < len && i < FIRST_BYTES; i++)
		str_addf(out, "%02x", frame[i]);
	str_add(out, len > FIRST_BYTES ? ".." : "");
}

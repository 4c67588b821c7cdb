// SPDX-License-Identifier: GPL-2.0-only
/* A packet in words, as parse_packet.c reads them. */
#include "lang/lang.h"
#include "lang/print.h"

static void print_endpoint(const struct packet_spec *spec, u128 addr, uint16_t port, struct str *out)
{
	bool brackets = spec->family == FAMILY_IPV6 && spec->has_ports;

	str_add(out, brackets ? "[" : "");
	if (spec->family == FAMILY_IPV6)
		lang_print_addr6(addr, out);
	else
		lang_print_addr4((uint32_t)addr, out);
	str_add(out, brackets ? "]" : "");
	if (spec->has_ports)
		str_addf(out, ":%u", port);
}

static void print_ip(const struct packet_spec *spec, struct str *out)
{
	const char *word = field_value_word(FIELD_PROTO, spec->protocol);

	if (word)
		str_add(out, word);
	else
		str_addf(out, "proto %u", spec->protocol);
	str_add(out, " ");
	print_endpoint(spec, spec->src, spec->sport, out);
	str_add(out, " -> ");
	print_endpoint(spec, spec->dst, spec->dport, out);
	if (spec->has_flags) {
		str_add(out, " flags ");
		print_flag_letters(out, spec->flags);
		str_add(out, spec->flags ? "" : "none");
	}
	if (spec->has_icmp) {
		str_add(out, " type ");
		print_value(out, spec->family == FAMILY_IPV6 ? FIELD_ICMP6 : FIELD_ICMP, spec->icmp_type);
		if (spec->icmp_code)
			str_addf(out, " code %u", spec->icmp_code);
	}
	if (spec->icmp_id)
		str_addf(out, " id %u", spec->icmp_id);
	if (spec->has_ttl)
		str_addf(out, " ttl %u", spec->ttl);
	if (spec->dscp) {
		str_add(out, " dscp ");
		print_value(out, FIELD_DSCP, spec->dscp);
	}
	if (spec->ecn)
		str_addf(out, " ecn %u", spec->ecn);
	if (spec->frag != FRAG_NONE)
		str_add(out, spec->frag == FRAG_FIRST ? " frag first" : " frag later");
	if (spec->ext) {
		const char *sep = "";

		str_add(out, " ext { ");
		for (unsigned int bit = 0; bit < 8; bit++) {
			if (spec->ext & 1u << bit) {
				str_addf(out, "%s%s", sep, field_value_word(FIELD_EXT, bit) ?: "");
				sep = ", ";
			}
		}
		str_add(out, " }");
	}
	if (spec->len)
		str_addf(out, " len %u", spec->len);
}

void print_packet(const struct packet_spec *spec, struct str *out)
{
	if (spec->raw) {
		str_add(out, "hex ");
		for (size_t i = 0; i < spec->raw_len; i++)
			str_addf(out, "%02x", spec->raw[i]);
		return;
	}
	if (spec->family != FAMILY_OTHER) {
		print_ip(spec, out);
	} else if (spec->ethertype == 0x0806) {
		str_add(out, "arp");
	} else {
		str_add(out, "ethertype ");
		print_value(out, FIELD_ETHERTYPE, spec->ethertype);
	}
	if (spec->has_vlan)
		str_addf(out, " vlan %u", spec->vlan);
	if (spec->has_mac) {
		str_add(out, " mac ");
		print_mac(out, spec->mac);
	}
	if (spec->quote) { /* its options end the packet's own */
		str_add(out, " quoting ");
		print_ip(spec->quote, out);
	}
}

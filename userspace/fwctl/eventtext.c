// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/eventtext.h"

#include "fwctl/words.h"
#include "model/field.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58, PROTO_SCTP = 132 };

void time_text(uint64_t wall_ns, struct str *out)
{
	/* Breaking a second down costs more than all the rest, and many events share one. */
	static char text[24];
	static time_t of = -1;
	time_t t = (time_t)(wall_ns / 1000000000u);
	struct tm tm;

	if (t != of) {
		if (!gmtime_r(&t, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm))
			snprintf(text, sizeof(text), "?");
		of = t;
	}
	str_addf(out, "%s.%06u", text, (unsigned int)(wall_ns % 1000000000u / 1000));
}

/* Append, then blanks until the column is as wide as it should be, and one. */
static void column_end(struct str *out, size_t from, size_t width)
{
	while (out->len < from + width && !out->failed)
		str_add_char(out, ' ');
	str_add_char(out, ' ');
}

static void column(struct str *out, const char *text, size_t width)
{
	size_t from = out->len;

	str_add(out, text);
	column_end(out, from, width);
}

static bool has_addresses(const struct fw_event *e)
{
	return e->l3 && (e->src[0] | e->src[1] | e->src[2] | e->src[3] | e->dst[0] | e->dst[1] | e->dst[2] | e->dst[3]);
}

static void addr_add(const struct fw_event *e, const uint32_t *addr, struct str *out)
{
	char text[INET6_ADDRSTRLEN];

	if (e->l3 == FW_L3_IPV4) {
		const uint8_t *b = (const uint8_t *)addr;
		for (int i = 0; i < 4; i++) {
			str_add_u64(out, b[i]);
			if (i < 3)
				str_add_char(out, '.');
		}
	} else if (inet_ntop(AF_INET6, addr, text, sizeof(text))) {
		str_add(out, text);
	}
}

static void end_add(const struct fw_event *e, bool src, struct str *out)
{
	bool brackets = e->l3 == FW_L3_IPV6 && e->has & FW_HAS_PORTS;

	if (brackets)
		str_add_char(out, '[');
	addr_add(e, src ? e->src : e->dst, out);
	if (brackets)
		str_add_char(out, ']');
	if (e->has & FW_HAS_PORTS) {
		str_add_char(out, ':');
		str_add_u64(out, src ? e->sport : e->dport);
	}
}

static void mac_add(uint64_t mac, struct str *out)
{
	for (int i = 5; i >= 0; i--)
		str_addf(out, i ? "%02x:" : "%02x", (unsigned int)(mac >> (8 * i) & 255));
}

static void flags_add(uint8_t flags, struct str *out)
{
	static const char letters[] = "FSRPAUEW";

	for (int i = 0; i < 8; i++)
		if (flags >> i & 1)
			str_add_char(out, letters[i]);
	if (!flags)
		str_add(out, "none");
}

static void proto_add(const struct fw_event *e, struct str *out)
{
	const char *word = e->l3 ? field_value_word(FIELD_PROTO, e->proto) : NULL;

	if (word)
		str_add(out, word);
	else if (e->l3)
		str_addf(out, "proto %u", e->proto);
	else if (e->ethertype)
		str_addf(out, "ethertype 0x%04x", e->ethertype);
	else
		str_add(out, "frame");
}

/* proto src:port -> dst:port, or from whom a frame is that has no addresses */
static void packet_add(const struct fw_event *e, struct str *out)
{
	proto_add(e, out);
	if (has_addresses(e)) {
		str_add_char(out, ' ');
		end_add(e, true, out);
		str_add(out, " -> ");
		end_add(e, false, out);
	} else if (e->mac) {
		str_add(out, " from ");
		mac_add(e->mac, out);
	}
}

static void extras_add(const struct fw_event *e, struct str *out)
{
	if (e->has & FW_HAS_FLAGS) {
		str_add(out, " flags ");
		flags_add(e->flags, out);
	}
	if (e->has & FW_HAS_ICMP)
		str_addf(out, " type %u code %u", e->icmp >> 8, e->icmp & 255);
	if (e->has & FW_HAS_VLAN)
		str_addf(out, " vlan %u", e->vlan);
	if (e->frag && e->frag <= FW_FRAG_LATER)
		str_add(out, e->frag == FW_FRAG_FIRST ? " frag first" : " frag later");
	if (e->state && e->state < FW_STATE_COUNT)
		str_addf(out, " state %s", field_value_word(FIELD_STATE, e->state));
	str_add(out, " len ");
	str_add_u64(out, e->len);
	if (e->packets > 1)
		str_addf(out, " packets %u", e->packets);
	if (e->sample > 1)
		str_addf(out, " sample 1/%u", e->sample);
}

/* What decided: the rule, or the reason, and whose it is. */
static void cause_add(const struct event_view *v, struct str *out)
{
	const struct fw_event *e = v->event;

	if (v->told) {
		str_add(out, v->told->shown);
	} else if (e->slot >= FW_SLOT_RULE0) {
		str_addf(out, "a rule of generation %" PRIu64, (uint64_t)e->generation);
	} else {
		str_add(out, word_reason(e->reason));
		if (v->matched)
			str_addf(out, " of %s", v->matched->shown);
	}
}

void event_brief(const struct event_view *v, struct str *out)
{
	const struct fw_event *e = v->event;

	column(out, word_verdict(e->verdict), 6);
	size_t from = out->len;
	cause_add(v, out);
	column_end(out, from, 26);
	packet_add(e, out);
	extras_add(e, out);
	/* A rule that does not decide was met on the way. */
	if (e->kind == FW_EVENT_COUNT)
		str_addf(out, " then %s", word_reason(e->reason));
}

void event_text(const struct event_view *v, struct str *out)
{
	time_text(v->wall_ns, out);
	str_add(out, "Z ");
	column(out, v->iface_shown, 8);
	column(out, word_hook((enum fw_hook)v->event->hook), 10);
	event_brief(v, out);
	str_add_char(out, '\n');
}

void event_comment(const struct event_view *v, struct str *out)
{
	str_addf(out, "%s by ", word_verdict(v->event->verdict));
	cause_add(v, out);
	str_addf(out, " (reason %s) generation %" PRIu64, word_reason(v->event->reason), (uint64_t)v->event->generation);
}

void lost_text(uint64_t n, const char *noun, struct str *out)
{
	str_addf(out, "# lost %s\n", word_count(n, noun));
}

/* As Suricata writes them; NULL: a number. */
static const char *proto_name(const struct fw_event *e)
{
	return e->proto == PROTO_TCP	? "TCP"
	       : e->proto == PROTO_UDP	? "UDP"
	       : e->proto == PROTO_ICMP ? "ICMP"
	       : e->proto == PROTO_ICMP6 ? "IPv6-ICMP"
	       : e->proto == PROTO_SCTP ? "SCTP"
					: NULL;
}

static void json_addresses(const struct fw_event *e, struct str *out)
{
	str_add(out, ",\"src_ip\":\"");
	addr_add(e, e->src, out);
	if (e->has & FW_HAS_PORTS)
		str_addf(out, "\",\"src_port\":%u,\"dest_ip\":\"", e->sport);
	else
		str_add(out, "\",\"dest_ip\":\"");
	addr_add(e, e->dst, out);
	str_add(out, "\"");
	if (e->has & FW_HAS_PORTS)
		str_addf(out, ",\"dest_port\":%u", e->dport);
}

static void json_packet(const struct fw_event *e, struct str *out)
{
	const char *name = proto_name(e);

	if (has_addresses(e))
		json_addresses(e, out);
	if (e->l3 && name)
		str_addf(out, ",\"proto\":\"%s\"", name);
	else if (e->l3)
		str_addf(out, ",\"proto\":\"%u\"", e->proto);
	if (e->ethertype)
		str_addf(out, ",\"ether_type\":%u", e->ethertype);
	if (e->has & FW_HAS_VLAN)
		str_addf(out, ",\"vlan\":[%u]", e->vlan);
	if (e->has & FW_HAS_FLAGS)
		str_addf(out, ",\"tcp_flags\":\"%02x\"", e->flags);
	if (e->has & FW_HAS_ICMP)
		str_addf(out, ",\"icmp_type\":%u,\"icmp_code\":%u", e->icmp >> 8, e->icmp & 255);
	if (e->mac) {
		str_add(out, ",\"ether\":{\"src_mac\":\"");
		mac_add(e->mac, out);
		str_add(out, "\"}");
	}
}

static const char *kind_word(const struct fw_event *e)
{
	static const char *const words[] = {
#define FW_X(id, word, text) [FW_EVENT_##id] = word,
		FW_EVENTS(FW_X)
#undef FW_X
	};

	return e->kind < FW_EVENT_KINDS ? words[e->kind] : "?";
}

static void json_rule(const char *key, const struct event_rule *r, struct str *out)
{
	str_addf(out, ",\"%s\":", key);
	str_add(out, r->json);
}

/* What Suricata has no names for. */
static void json_own(const struct event_view *v, struct str *out)
{
	const struct fw_event *e = v->event;
	const struct event_rule *r = v->told ? v->told : v->matched;

	str_addf(out,
		 ",\"fwctl\":{\"policy\":\"%s\",\"generation\":%" PRIu64 ",\"hook\":\"%s\","
		 "\"kind\":\"%s\",\"verdict\":\"%s\",\"reason\":\"%s\"",
		 v->policy, (uint64_t)e->generation, word_hook((enum fw_hook)e->hook), kind_word(e), word_verdict(e->verdict),
		 word_reason(e->reason));
	if (r) {
		json_rule("rule", r, out);
		str_add(out, ",\"file\":");
		str_add(out, r->json_file);
		str_addf(out, ",\"line\":%u", r->line);
	}
	if (e->state && e->state < FW_STATE_COUNT)
		str_addf(out, ",\"state\":\"%s\"", field_value_word(FIELD_STATE, e->state));
	if (e->l3)
		str_addf(out, ",\"ttl\":%u", e->ttl);
	if (e->frag && e->frag <= FW_FRAG_LATER)
		str_addf(out, ",\"frag\":\"%s\"", e->frag == FW_FRAG_FIRST ? "first" : "later");
	str_addf(out, ",\"sample\":%u,\"packets\":%u,\"bytes\":%u}", e->sample, e->packets, e->len);
}

void event_json(const struct event_view *v, struct str *out)
{
	str_add(out, "{\"timestamp\":\"");
	time_text(v->wall_ns, out);
	str_add(out, "+0000\",\"event_type\":\"firewall\",\"in_iface\":");
	str_add(out, v->iface_json);
	json_packet(v->event, out);
	json_own(v, out);
	str_add(out, "}\n");
}

void lost_json(uint64_t n, uint64_t wall_ns, struct str *out)
{
	str_add(out, "{\"timestamp\":\"");
	time_text(wall_ns, out);
	str_addf(out, "+0000\",\"event_type\":\"lost\",\"fwctl\":{\"lost\":%" PRIu64 "}}\n", n);
}

void journal_field(struct str *out, const char *key, const char *value, size_t len)
{
	bool plain = true;

	for (size_t i = 0; i < len && plain; i++)
		plain = (unsigned char)value[i] >= 0x20 && value[i] != 0x7f;
	str_add(out, key);
	if (plain) {
		str_add_char(out, '=');
	} else {
		char size[8]; /* little endian, whatever the machine is */
		for (int i = 0; i < 8; i++)
			size[i] = (char)((uint64_t)len >> (8 * i));
		str_add_char(out, '\n');
		str_add_len(out, size, sizeof(size));
	}
	str_add_len(out, value, len);
	str_add_char(out, '\n');
}

static void journal_text(struct str *out, const char *key, const char *value)
{
	journal_field(out, key, value, strlen(value));
}

static void journal_number(struct str *out, const char *key, uint64_t n)
{
	str_addf(out, "%s=%" PRIu64 "\n", key, n);
}

/* A field of which the value is written by one of the above. */
static void journal_packet(const struct fw_event *e, struct str *out)
{
	const char *name = e->l3 ? proto_name(e) : NULL;

	if (has_addresses(e)) {
		str_add(out, "FWCTL_SRC_IP=");
		addr_add(e, e->src, out);
		str_add(out, "\nFWCTL_DEST_IP=");
		addr_add(e, e->dst, out);
		str_add_char(out, '\n');
	}
	if (e->has & FW_HAS_PORTS) {
		journal_number(out, "FWCTL_SRC_PORT", e->sport);
		journal_number(out, "FWCTL_DEST_PORT", e->dport);
	}
	if (name)
		journal_text(out, "FWCTL_PROTO", name);
	else if (e->l3)
		journal_number(out, "FWCTL_PROTO", e->proto);
	if (e->has & FW_HAS_FLAGS)
		str_addf(out, "FWCTL_TCP_FLAGS=%02x\n", e->flags);
	if (e->has & FW_HAS_ICMP) {
		journal_number(out, "FWCTL_ICMP_TYPE", e->icmp >> 8);
		journal_number(out, "FWCTL_ICMP_CODE", e->icmp & 255);
	}
	if (e->has & FW_HAS_VLAN)
		journal_number(out, "FWCTL_VLAN", e->vlan);
	if (e->mac) {
		str_add(out, "FWCTL_SRC_MAC=");
		mac_add(e->mac, out);
		str_add_char(out, '\n');
	}
}

void event_journal(const struct event_view *v, struct str *out)
{
	const struct fw_event *e = v->event;
	const struct event_rule *r = v->told ? v->told : v->matched;

	/* No name in it has a byte that ends the line. */
	str_addf(out, "MESSAGE=%s %s ", v->iface_shown, word_hook((enum fw_hook)e->hook));
	event_brief(v, out);
	str_addf(out, "\nPRIORITY=%d\nSYSLOG_IDENTIFIER=fwctl\n", e->verdict == FW_VERDICT_PASS ? 6 : 5);
	str_addf(out, "FWCTL_POLICY=%s\nFWCTL_HOOK=%s\nFWCTL_VERDICT=%s\nFWCTL_REASON=%s\nFWCTL_KIND=%s\n", v->policy,
		 word_hook((enum fw_hook)e->hook), word_verdict(e->verdict), word_reason(e->reason), kind_word(e));
	journal_text(out, "FWCTL_INTERFACE", v->iface);
	journal_number(out, "FWCTL_GENERATION", e->generation);
	journal_number(out, "FWCTL_TIME_USEC", v->wall_ns / 1000);
	if (r) {
		journal_text(out, "FWCTL_RULE", *r->label ? r->label : r->text);
		journal_text(out, "FWCTL_FILE", r->file);
		journal_number(out, "FWCTL_LINE", r->line);
	}
	journal_packet(e, out);
	journal_number(out, "FWCTL_PACKETS", e->packets);
	journal_number(out, "FWCTL_BYTES", e->len);
	journal_number(out, "FWCTL_SAMPLE", e->sample);
}

void lost_journal(uint64_t n, struct str *out)
{
	str_addf(out, "MESSAGE=lost %s\nPRIORITY=4\nSYSLOG_IDENTIFIER=fwctl\nFWCTL_LOST=%" PRIu64 "\n", word_count(n, "event"), n);
}

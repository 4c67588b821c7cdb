// SPDX-License-Identifier: GPL-2.0-only
/* Packets in words: what they mean, what they print as, and that the frame built from them is the packet that was said.
 */
#include "lang/print.h"
#include "lang_test.h"
#include "model/packet.h"

#include <sys/resource.h>

struct said {
	struct arena *arena;
	struct diags d;
	struct packet_spec *spec;
	int err;
};

static struct said say(const char *text)
{
	struct said s = { .arena = arena_new() };

	diags_init(&s.d, s.arena);
	s.err = lang_parse_packet(s.arena, "packet", text, strlen(text), &s.d, &s.spec);
	return s;
}

static void said_fini(struct said *s)
{
	diags_fini(&s->d);
	arena_free(s->arena);
}

/* text → spec → text */
static const char *const canonical[][2] = {
	{ "tcp 198.51.100.7:4000 -> 192.0.2.1:22 flags S", "tcp 198.51.100.7:4000 -> 192.0.2.1:22 flags S" },
	{ "tcp 198.51.100.7:4000->192.0.2.1:22", "tcp 198.51.100.7:4000 -> 192.0.2.1:22" },
	{ "tcp 198.51.100.7 -> 192.0.2.1:ssh", "tcp 198.51.100.7:40000 -> 192.0.2.1:22" },
	{ "proto 6 198.51.100.7:1 -> 192.0.2.1:2", "tcp 198.51.100.7:1 -> 192.0.2.1:2" },
	{ "udp [2001:db8::1]:53 -> [2001:DB8::2]:53", "udp [2001:db8::1]:53 -> [2001:db8::2]:53" },
	{ "udp 2001:db8::1 -> [::1]:53", "udp [2001:db8::1]:40000 -> [::1]:53" },
	{ "sctp 198.51.100.7:1 -> 192.0.2.1:2 vlan 7", "sctp 198.51.100.7:1 -> 192.0.2.1:2 vlan 7" },
	{ "icmp 198.51.100.7 -> 192.0.2.1", "icmp 198.51.100.7 -> 192.0.2.1" },
	{ "icmp 198.51.100.7 -> 192.0.2.1 type unreachable code frag-needed",
	  "icmp 198.51.100.7 -> 192.0.2.1 type destination-unreachable code 4" },
	{ "icmp6 fe80::1 -> ff02::1 type neighbour-solicitation",
	  "icmp6 fe80::1 -> ff02::1 type neighbour-solicitation" },
	{ "icmp 198.51.100.7 -> 192.0.2.1 id 0x10 ttl 5", "icmp 198.51.100.7 -> 192.0.2.1 id 16 ttl 5" },
	{ "icmp 203.0.113.9 -> 192.0.2.1 type timex mac 02:00:00:00:00:aa quoting udp 192.0.2.1:53->203.0.113.7:4000 ttl 1",
	  "icmp 203.0.113.9 -> 192.0.2.1 type time-exceeded mac 02:00:00:00:00:aa quoting udp 192.0.2.1:53 -> 203.0.113.7:4000 ttl 1" },
	{ "icmp6 2001:db8::9 -> 2001:db8::1 type toobig quoting icmp6 2001:db8::1 -> 2001:db8::7 type echo-request id 9",
	  "icmp6 2001:db8::9 -> 2001:db8::1 type packet-too-big quoting icmp6 2001:db8::1 -> 2001:db8::7 type echo-request id 9" },
	{ "gre 198.51.100.7 -> 192.0.2.1", "gre 198.51.100.7 -> 192.0.2.1" },
	{ "proto 253 198.51.100.7 -> 192.0.2.1 ttl 3 dscp ef", "proto 253 198.51.100.7 -> 192.0.2.1 ttl 3 dscp ef" },
	{ "udp 198.51.100.7:1 -> 192.0.2.1:2 ecn 3", "udp 198.51.100.7:1 -> 192.0.2.1:2 ecn 3" },
	{ "udp 198.51.100.7 -> 192.0.2.1 frag later", "udp 198.51.100.7 -> 192.0.2.1 frag later" },
	{ "udp 198.51.100.7 -> 192.0.2.1:5 frag first len 200",
	  "udp 198.51.100.7:40000 -> 192.0.2.1:5 frag first len 200" },
	{ "tcp [::1]:1 -> [::2]:2 ext { dstopts hopopts }", "tcp [::1]:1 -> [::2]:2 ext { hopopts, dstopts }" },
	{ "arp", "arp" },
	{ "arp vlan 5 mac 02:00:00:00:00:AA", "arp vlan 5 mac 02:00:00:00:00:aa" },
	{ "ethertype 0x88cc", "ethertype lldp" },
	{ "ethertype 0x9001", "ethertype 0x9001" },
	{ "hex 0200 0000 0001 020000000002 0806", "hex 0200000000010200000000020806" },
	{ "hex 02:00:00", "hex 020000" },
};

static void words_become_packets_and_words(void **state)
{
	for (size_t i = 0; i < sizeof(canonical) / sizeof(canonical[0]); i++) {
		for (int k = 0; k < 2; k++) {
			struct said s = say(canonical[i][k]);
			struct str out = {};

			if (s.err)
				fail_msg("refused: %s", canonical[i][k]);
			print_packet(s.spec, &out);
			assert_string_equal(str_get(&out), canonical[i][1]);
			str_fini(&out);
			said_fini(&s);
		}
	}
}

/* The oracle's parser reads from the built frame what the words said. */
static void frames_are_what_was_said(void **state)
{
	static uint8_t frame[PACKET_MAX_FRAME];

	for (size_t i = 0; i < sizeof(canonical) / sizeof(canonical[0]); i++) {
		struct said s = say(canonical[i][0]);
		struct packet p;
		long len;

		if (!s.err && !s.spec->raw) {
			len = packet_build(s.spec, frame, sizeof(frame));
			if (len < 0)
				fail_msg("cannot be built: %s", canonical[i][0]);
			assert_int_equal(packet_parse(frame, (size_t)len, NULL, &p), PACKET_OK);
			assert_int_equal(p.family, s.spec->family);
			if (p.family != FAMILY_OTHER) {
				assert_true(p.src == s.spec->src && p.dst == s.spec->dst);
				assert_int_equal(p.value[FIELD_PROTO] & 0xff, s.spec->protocol);
				assert_int_equal(p.present[FIELD_DPORT], s.spec->has_ports);
				assert_int_equal(p.value[FIELD_DSCP], s.spec->dscp);
			}
			if (s.spec->has_ports)
				assert_int_equal(p.value[FIELD_DPORT], s.spec->dport);
			if (s.spec->has_icmp)
				assert_int_equal(p.value[p.family == FAMILY_IPV6 ? FIELD_ICMP6 : FIELD_ICMP],
						 s.spec->icmp_type << 8 | s.spec->icmp_code);
			if (s.spec->has_vlan)
				assert_int_equal(p.value[FIELD_VLAN], s.spec->vlan);
			if (s.spec->has_ttl)
				assert_int_equal(p.value[FIELD_TTL], s.spec->ttl);
			if (s.spec->len)
				assert_int_equal(p.value[FIELD_LEN], s.spec->len);
		}
		said_fini(&s);
	}
}

static void wrong_words_are_refused(void **state)
{
	static const char *const wrong[] = { "",
					     " ",
					     "tcp",
					     "tcp 192.0.2.1:1",
					     "tcp 192.0.2.1:1 ->",
					     "tcp 192.0.2.1:1 -> 192.0.2.2",
					     "tcp 192.0.2.1:1 -> 192.0.2.2:2 is drop",
					     "tcp 192.0.2.1: -> 192.0.2.2:2",
					     "tcp 192.0.2.1:1 -> 192.0.2.2:65536",
					     "tcp [192.0.2.1]:1 -> 192.0.2.2:2",
					     "tcp [2001:db8::1:1 -> [::1]:2",
					     "tcp [2001:db8::1]x -> [::1]:2",
					     "tcp 192.0.2.1:1 -> 192.0.2.2:2 }",
					     "tcp 192.0.2.1:1 -> 192.0.2.2:2 tcp",
					     "tcp 192.0.2.1:1 -> 192.0.2.2:2 ttl",
					     "tcp 192.0.2.1:1 -> 192.0.2.2:2 vlan 4096",
					     "tcp 192.0.2.1:1 -> 192.0.2.2:2 mac 02",
					     "tcp 192.0.2.1:1 -> 192.0.2.2:2 len 65536",
					     "tcp 192.0.2.1:1 -> 192.0.2.2:2 frag maybe",
					     "tcp 192.0.2.1:1 -> 192.0.2.2:2 ext { }x",
					     "tcp 10.0.0.0/8:1 -> 192.0.2.2:2",
					     "proto 256 192.0.2.1 -> 192.0.2.2",
					     "ethertype 0x86dd",
					     "ethertype 5",
					     "hex",
					     "hex 123",
					     "hex 12 xy",
					     "arp len 5",
					     "arp id 5",
					     "udp 192.0.2.1:1 -> 192.0.2.2:2 id 5",
					     "icmp 192.0.2.1 -> 192.0.2.2 id",
					     "icmp 192.0.2.1 -> 192.0.2.2 frag later id 3",
					     "icmp 192.0.2.1 -> 192.0.2.2 type 3 quoting",
					     "icmp 192.0.2.1 -> 192.0.2.2 type 3 quoting hex 00",
					     "icmp 192.0.2.1 -> 192.0.2.2 type 8 quoting udp 192.0.2.2:1 -> 192.0.2.1:2",
					     "udp 192.0.2.1:1 -> 192.0.2.2:2 quoting udp 192.0.2.2:1 -> 192.0.2.1:2",
					     "ping 192.0.2.1 -> 192.0.2.2" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct said s = say(wrong[i]);

		if (s.err != -EINVAL || !s.d.errors || s.spec)
			fail_msg("not refused: %s", wrong[i]);
		said_fini(&s);
	}
}

static void long_hex_is_refused_or_whole(void **state)
{
	char *text = calloc(1, 2 * (PACKET_MAX_FRAME + 2) + 8);

	strcpy(text, "hex ");
	memset(text + 4, 'a', 2 * PACKET_MAX_FRAME);
	{
		struct said s = say(text);

		assert_int_equal(s.err, 0);
		assert_int_equal(s.spec->raw_len, PACKET_MAX_FRAME);
		said_fini(&s);
	}
	memset(text + 4, 'a', 2 * PACKET_MAX_FRAME + 2);
	{
		struct said s = say(text);

		assert_int_equal(s.err, -EINVAL);
		said_fini(&s);
	}
	free(text);
}

static long peak_kb(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

/* Each frame takes memory of its own size, however long the file is. */
static void many_frames_take_little_memory(void **state)
{
	struct arena *arena = arena_new();
	struct ruleset *rs = NULL;
	struct str text = {};
	struct diags d;
	long before;

	str_add(&text, "policy p { ingress default drop { } }\ntest {\n");
	for (int i = 0; i < 5000; i++)
		str_add(&text, "hex 02000000000102000000000288b50000 is drop\n");
	str_add(&text, "}\n");
	diags_init(&d, arena);
	before = peak_kb();
	assert_int_equal(lang_parse(arena, "x", text.s, text.len, NULL, &d, &rs), 0);
	assert_int_equal(rs->ntests, 5000);
	assert_true(peak_kb() - before < 64 * 1024);
	diags_fini(&d);
	str_fini(&text);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_become_packets_and_words),
		cmocka_unit_test(frames_are_what_was_said),
		cmocka_unit_test(wrong_words_are_refused),
		cmocka_unit_test(long_hex_is_refused_or_whole),
		cmocka_unit_test(many_frames_take_little_memory),
	};

	return cmocka_run_group_tests_name("packet text", tests, NULL, NULL);
}

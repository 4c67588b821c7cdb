// SPDX-License-Identifier: GPL-2.0-only
#include "harness/hex.h"
#include "harness/prng.h"
#include "model/packet.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static uint8_t frame[PACKET_MAX_FRAME];
static uint8_t want[256];

#define DB8(x) ((u128)0x20010db800000000 << 64 | (x))

static void expect_bytes(const struct packet_spec *spec, const char *hex)
{
	size_t n = hex_bytes(hex, want, sizeof(want));
	long len;

	memset(frame, 0xee, sizeof(frame));
	len = packet_build(spec, frame, sizeof(frame));
	assert_int_equal(len, n);
	assert_memory_equal(frame, want, n);
}

/* Checksums worked out apart from this code, with the arithmetic of RFC 1071 on paper. */
static void frames_are_these_bytes(void **state)
{
	struct packet_spec tcp = {.family = FAMILY_IPV4,
				  .protocol = 6,
				  .src = 0x0a000001,
				  .dst = 0x0a000002,
				  .has_ports = true,
				  .sport = 1024,
				  .dport = 80};
	struct packet_spec ping = {.family = FAMILY_IPV4, .protocol = 1, .src = 0x0a000001, .dst = 0x0a000002};
	struct packet_spec arp = {.family = FAMILY_OTHER,
				  .has_ethertype = true,
				  .ethertype = 0x0806,
				  .has_mac = true,
				  .mac = 0x0a0b0c0d0e0f};
	struct packet_spec llc = {
		.family = FAMILY_OTHER, .has_ethertype = true, .ethertype = 3, .has_vlan = true, .vlan = 4095};

	expect_bytes(&tcp, "020000000002 020000000001 0800 4500 0028 0001 0000 4006 66cd 0a000001 0a000002"
			   "0400 0050 00000001 00000000 5002 ffff 978f 0000 00*6");
	expect_bytes(&ping, "020000000002 020000000001 0800 4500 001c 0001 0000 4001 66de 0a000001 0a000002 0800 f7ff "
			    "0000 0000 00*18");
	expect_bytes(&arp, "020000000002 0a0b0c0d0e0f 0806 00*46");
	expect_bytes(&llc, "020000000002 020000000001 8100 0fff 0003 00*42");
}

/* Of the quoted packet: its whole IP header, whose length is that of the whole packet, and 8 bytes. */
static void errors_quote_what_they_are_about(void **state)
{
	struct packet_spec quoted = {.family = FAMILY_IPV4,
				     .protocol = 17,
				     .src = 0x0a000001,
				     .dst = 0x0a000002,
				     .has_ports = true,
				     .sport = 53,
				     .dport = 1024};
	struct packet_spec error = {.family = FAMILY_IPV4,
				    .protocol = 1,
				    .src = 0x0a000003,
				    .dst = 0x0a000001,
				    .has_icmp = true,
				    .icmp_type = 3,
				    .icmp_code = 3,
				    .quote = &quoted};
	struct packet_spec ping = {
		.family = FAMILY_IPV4, .protocol = 1, .src = 0x0a000001, .dst = 0x0a000002, .icmp_id = 7};
	struct packet_spec again = error, tcp6 = {.family = FAMILY_IPV6, .protocol = 6, .ext = 31, .has_ports = true};
	struct packet_spec error6 = {.family = FAMILY_IPV6, .protocol = 58, .has_icmp = true, .icmp_type = 2, .quote = &tcp6};

	expect_bytes(&error, "020000000002 020000000001 0800 4500 0038 0001 0000 4001 66c1 0a000003 0a000001 "
			     "0303 1119 0000 0000 4500 001c 0001 0000 4011 66ce 0a000001 0a000002 0035 0400 0008 e7a6");
	expect_bytes(&ping, "020000000002 020000000001 0800 4500 001c 0001 0000 4001 66de 0a000001 0a000002 0800 f7f8 0007 0000 00*18");
	/* TCP behind every extension header: still 8 bytes of it. */
	assert_int_equal(packet_build(&error6, frame, sizeof(frame)), 14 + 40 + 8 + 96 + 8);
	again.quote = &error; /* quotes do not nest */
	assert_int_equal(packet_build(&again, frame, sizeof(frame)), -EINVAL);
	again.quote = &tcp6;
	assert_int_equal(packet_build(&again, frame, sizeof(frame)), -EINVAL);
	again.quote = &quoted;
	again.has_icmp = false;
	assert_int_equal(packet_build(&again, frame, sizeof(frame)), -EINVAL);
	quoted.len = 100;
	assert_int_equal(packet_build(&error, frame, sizeof(frame)), -EINVAL);
}

static void raw_bytes_are_copied(void **state)
{
	static const uint8_t bytes[] = {1, 2, 3};
	struct packet_spec raw = {.raw = bytes, .raw_len = 3, .family = FAMILY_IPV4, .protocol = 9999};

	assert_int_equal(packet_build(&raw, frame, sizeof(frame)), 3);
	assert_memory_equal(frame, bytes, 3);
	assert_int_equal(packet_build(&raw, frame, 2), -ENOSPC);
	assert_int_equal(packet_build(&raw, frame, 3), 3);
}

/* Sum of 16-bit words, all in: 0xffff when a checksum is right. */
static unsigned int sum(const uint8_t *b, size_t len, uint32_t start)
{
	uint32_t total = start;

	for (size_t i = 0; i < len; i++)
		total += i % 2 ? b[i] : (uint32_t)b[i] * 256;
	while (total > 0xffff)
		total = total % 0x10000 + total / 0x10000;
	return total;
}

static void checksums_are_right(void **state)
{
	static const unsigned int protocols[] = {6, 17, 1, 58};
	struct prng p;

	prng_init(&p, prng_seed("build", 0xc5));
	for (int i = 0; i < 4000; i++) {
		bool six = prng_chance(&p, 1, 2);
		struct packet_spec s = {.family = six ? FAMILY_IPV6 : FAMILY_IPV4,
					.protocol = protocols[prng_below(&p, 4)],
					.dscp = (uint8_t)prng_below(&p, 64)};
		size_t l4 = six ? 54 : 34, width = six ? 16 : 4, len;
		bool icmp = s.protocol == 1 || s.protocol == 58;

		s.src = six ? (u128)prng_u64(&p) << 64 | prng_u64(&p) : (uint32_t)prng_u64(&p);
		s.dst = six ? (u128)prng_u64(&p) << 64 | prng_u64(&p) : (uint32_t)prng_u64(&p);
		s.has_ports = !icmp;
		s.sport = (uint16_t)prng_u64(&p);
		s.dport = (uint16_t)prng_u64(&p);
		s.len = packet_spec_min_len(&s) + (unsigned int)prng_below(&p, 100);
		assert_true(packet_build(&s, frame, sizeof(frame)) >= 60);
		if (!six)
			assert_int_equal(sum(frame + 14, 20, 0), 0xffff);
		if (icmp && s.protocol != (six ? 58 : 1))
			continue; /* the other family's: no header at all */
		len = s.len - (six ? 40 : 20);
		if (icmp && !six)
			assert_int_equal(sum(frame + l4, len, 0), 0xffff);
		else
			assert_int_equal(sum(frame + l4, len,
					     sum(frame + l4 - 2 * width, 2 * width, 0) + (uint32_t)len + s.protocol),
					 0xffff);
		if (s.protocol == 17)
			assert_true(frame[l4 + 6] || frame[l4 + 7]); /* 0 would mean: no checksum */
	}
}

/* A UDP packet whose sum is 0 is sent as 0xffff. */
static void udp_checksum_is_never_zero(void **state)
{
	struct packet_spec s = {.family = FAMILY_IPV4, .protocol = 17, .has_ports = true, .dport = 53};

	for (unsigned int sport = 0; sport < 65536; sport++) {
		s.sport = (uint16_t)sport;
		assert_int_equal(packet_build(&s, frame, sizeof(frame)), 60);
		assert_true(frame[40] || frame[41]);
	}
}

/* The check value of CRC-32C for "123456789" is 0xe3069283; here the twelve bytes of a header: 0b80 0016 00000001, sum
 * zero. */
static void sctp_checksum_is_crc32c(void **state)
{
	struct packet_spec s = {.family = FAMILY_IPV4, .protocol = 132, .has_ports = true, .sport = 1, .dport = 2};
	uint32_t crc = 0xffffffff;
	uint8_t zeroed[12];

	assert_int_equal(packet_build(&s, frame, sizeof(frame)), 60);
	memcpy(zeroed, frame + 34, 12);
	memset(zeroed + 8, 0, 4);
	for (int i = 0; i < 12; i++) /* most significant bit first, the other way round than the product */
		for (int bit = 0; bit < 8; bit++) {
			uint32_t in = zeroed[i] >> bit & 1, top = crc >> 31;

			crc = crc << 1 ^ (in ^ top ? 0x1edc6f41 : 0);
		}
	crc = ~crc;
	for (int i = 0; i < 4; i++) { /* reflected: byte i, its bits turned */
		uint8_t byte = (uint8_t)(crc >> (24 - 8 * i)), turned = 0;

		for (int bit = 0; bit < 8; bit++)
			turned |= (uint8_t)((byte >> bit & 1) << (7 - bit));
		assert_int_equal(frame[42 + i], turned);
	}
}

static void contradictions_are_refused(void **state)
{
	static const struct packet_spec cases[] = {
		{.family = FAMILY_OTHER, .protocol = 6},
		{.family = FAMILY_OTHER, .has_ports = true},
		{.family = FAMILY_OTHER, .has_flags = true},
		{.family = FAMILY_OTHER, .has_icmp = true},
		{.family = FAMILY_OTHER, .has_ttl = true},
		{.family = FAMILY_OTHER, .dscp = 1},
		{.family = FAMILY_OTHER, .frag = FRAG_FIRST},
		{.family = FAMILY_OTHER, .ext = 1},
		{.family = FAMILY_OTHER, .len = 40},
		{.family = FAMILY_OTHER, .src = 1},
		{.family = FAMILY_OTHER, .dst = 1},
		{.family = FAMILY_OTHER, .has_ethertype = true, .ethertype = 0x0800},
		{.family = FAMILY_OTHER, .has_ethertype = true, .ethertype = 0x86dd},
		{.family = FAMILY_OTHER, .has_ethertype = true, .ethertype = 0x8100},
		{.family = FAMILY_OTHER, .has_ethertype = true, .ethertype = 0x88a8},
		{.family = FAMILY_IPV4, .protocol = 6, .has_ethertype = true, .ethertype = 0x0806},
		{.family = FAMILY_IPV6, .protocol = 6, .has_ethertype = true, .ethertype = 0x0800},
		{.family = FAMILY_IPV4, .protocol = 256},
		{.family = FAMILY_IPV4, .protocol = 6, .dscp = 64},
		{.family = FAMILY_IPV4, .protocol = 6, .frag = (enum frag)3},
		{.family = FAMILY_IPV4, .protocol = 47, .has_ports = true},
		{.family = FAMILY_IPV4, .protocol = 17, .has_flags = true},
		{.family = FAMILY_IPV4, .protocol = 58, .has_icmp = true},
		{.family = FAMILY_IPV6, .protocol = 1, .has_icmp = true},
		{.family = FAMILY_IPV4, .protocol = 6, .has_ports = true, .frag = FRAG_LATER},
		{.family = FAMILY_IPV4, .protocol = 6, .has_flags = true, .frag = FRAG_LATER},
		{.family = FAMILY_IPV4, .protocol = 1, .has_icmp = true, .frag = FRAG_LATER},
		{.family = FAMILY_IPV4, .protocol = 6, .len = 39},
		{.family = FAMILY_IPV4, .protocol = 6, .len = 65536},
		{.family = FAMILY_IPV6, .protocol = 6, .len = 59},
		{.family = FAMILY_IPV4, .protocol = 6, .ext = 1},
		{.family = FAMILY_IPV6, .protocol = 6, .ext = 32},
		{.family = FAMILY_IPV4, .protocol = 6, .src = (u128)1 << 32},
		{.family = FAMILY_IPV4, .protocol = 6, .dst = (u128)1 << 127},
		{.family = FAMILY_IPV6, .protocol = 0},
		{.family = FAMILY_IPV6, .protocol = 43},
		{.family = FAMILY_IPV6, .protocol = 44},
		{.family = FAMILY_IPV6, .protocol = 51},
		{.family = FAMILY_IPV6, .protocol = 60, .frag = FRAG_FIRST},
		{.family = FAMILY_IPV4, .protocol = 6, .has_vlan = true, .vlan = 4096},
		{.family = FAMILY_IPV4, .protocol = 6, .has_mac = true, .mac = 1ull << 48},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (packet_build(&cases[i], frame, sizeof(frame)) != -EINVAL)
			print_message("# case %zu\n", i);
		assert_int_equal(packet_build(&cases[i], frame, sizeof(frame)), -EINVAL);
	}
}

static void neighbours_of_contradictions_are_built(void **state)
{
	static const struct packet_spec cases[] = {
		{.family = FAMILY_OTHER},
		{.family = FAMILY_OTHER, .has_ethertype = true, .ethertype = 0x05ff},
		{.family = FAMILY_IPV4, .protocol = 6, .has_ethertype = true, .ethertype = 0x0800},
		{.family = FAMILY_IPV6, .protocol = 6, .has_ethertype = true, .ethertype = 0x86dd},
		{.family = FAMILY_IPV4, .protocol = 255, .dscp = 63},
		{.family = FAMILY_IPV4, .protocol = 0},
		{.family = FAMILY_IPV4, .protocol = 6, .len = 40},
		{.family = FAMILY_IPV4, .protocol = 6, .len = 65535},
		{.family = FAMILY_IPV6, .protocol = 6, .len = 65535, .has_vlan = true, .vlan = 4095},
		{.family = FAMILY_IPV6, .protocol = 6, .ext = 31},
		{.family = FAMILY_IPV6, .protocol = 60, .frag = FRAG_LATER},
		{.family = FAMILY_IPV4, .protocol = 6, .src = 0xffffffff, .frag = FRAG_LATER, .len = 65535},
		{.family = FAMILY_IPV4, .protocol = 6, .has_mac = true, .mac = 0xffffffffffff},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet p;
		long len = packet_build(&cases[i], frame, sizeof(frame));

		assert_true(len >= 60);
		assert_int_equal(packet_parse(frame, (size_t)len, NULL, &p), PACKET_OK);
		assert_int_equal(p.family, cases[i].family);
		assert_int_equal(packet_build(&cases[i], frame, (size_t)len), len);
		assert_int_equal(packet_build(&cases[i], frame, (size_t)len - 1), -ENOSPC);
	}
}

static void usual_values(void **state)
{
	struct packet_spec s = {.family = FAMILY_IPV6,
				.protocol = 58,
				.has_icmp = true,
				.icmp_type = 135,
				.src = DB8(1),
				.dst = DB8(2)};
	struct packet p;
	long len = packet_build(&s, frame, sizeof(frame));

	assert_int_equal(packet_parse(frame, (size_t)len, NULL, &p), PACKET_OK);
	assert_int_equal(p.value[FIELD_TTL], 255); /* neighbour discovery */
	assert_int_equal(p.value[FIELD_ICMP6], 135 << 8);
	s.has_icmp = false;
	len = packet_build(&s, frame, sizeof(frame));
	packet_parse(frame, (size_t)len, NULL, &p);
	assert_int_equal(p.value[FIELD_TTL], 64);
	assert_int_equal(p.value[FIELD_ICMP6], 128 << 8); /* echo request */
	s = (struct packet_spec){.family = FAMILY_IPV4, .protocol = 6, .has_ttl = true};
	len = packet_build(&s, frame, sizeof(frame));
	packet_parse(frame, (size_t)len, NULL, &p);
	assert_int_equal(p.value[FIELD_TTL], 0);
	assert_int_equal(p.value[FIELD_TCPFLAGS], 2); /* SYN */
	assert_false(p.present[FIELD_VLAN]);
}

static void expect_field(const struct packet *p, enum field_id id, bool present, uint64_t value)
{
	assert_int_equal(p->present[id], present);
	if (present)
		assert_int_equal(p->value[id], value);
}

/* What goes in comes out: every word of a random description. */
static void words_survive(void **state)
{
	static const unsigned int protocols[] = {6, 17, 132, 1, 58, 47, 50, 255};
	struct prng p;

	prng_init(&p, prng_seed("words", 0x303));
	for (int i = 0; i < 20000; i++) {
		bool six = prng_chance(&p, 1, 2);
		struct packet_spec s = {
			.family = six ? FAMILY_IPV6 : FAMILY_IPV4,
			.protocol = protocols[prng_below(&p, 8)],
			.src = six ? (u128)prng_u64(&p) << 64 | prng_u64(&p) : (uint32_t)prng_u64(&p),
			.dst = (uint32_t)prng_u64(&p),
			.has_ttl = true,
			.ttl = (uint8_t)prng_u64(&p),
			.dscp = (uint8_t)prng_below(&p, 64),
			.frag = (enum frag)prng_below(&p, 3),
			.has_vlan = prng_chance(&p, 1, 2),
			.vlan = (uint16_t)prng_below(&p, 4096),
			.has_mac = true,
			.mac = prng_u64(&p) >> 16,
			.ext = (uint8_t)(six ? prng_below(&p, 32) : 0),
		};
		bool l4 = s.frag != FRAG_LATER,
		     ports = l4 && (s.protocol == 6 || s.protocol == 17 || s.protocol == 132),
		     icmp = l4 && s.protocol == (six ? 58 : 1);
		struct packet got;
		long len;

		s.has_ports = ports;
		s.sport = (uint16_t)prng_u64(&p);
		s.dport = (uint16_t)prng_u64(&p);
		s.has_flags = ports && s.protocol == 6;
		s.flags = (uint8_t)prng_u64(&p);
		s.has_icmp = icmp;
		s.icmp_type = (uint8_t)prng_u64(&p);
		s.icmp_code = (uint8_t)prng_u64(&p);
		s.len = packet_spec_min_len(&s) + (unsigned int)prng_below(&p, 100);
		len = packet_build(&s, frame, sizeof(frame));
		assert_true(len >= 60);
		assert_int_equal(packet_parse(frame, (size_t)len, NULL, &got), PACKET_OK);
		assert_int_equal(got.family, s.family);
		assert_true(got.src == s.src && got.dst == s.dst);
		expect_field(&got, FIELD_PROTO, true, s.family << 8 | s.protocol);
		expect_field(&got, FIELD_SPORT, ports, s.sport);
		expect_field(&got, FIELD_DPORT, ports, s.dport);
		expect_field(&got, FIELD_TCPFLAGS, s.has_flags, s.flags);
		expect_field(&got, FIELD_ICMP, icmp && !six, (uint64_t)s.icmp_type << 8 | s.icmp_code);
		expect_field(&got, FIELD_ICMP6, icmp && six, (uint64_t)s.icmp_type << 8 | s.icmp_code);
		expect_field(&got, FIELD_FRAG, true, s.frag);
		expect_field(&got, FIELD_VLAN, s.has_vlan && s.vlan, s.vlan);
		expect_field(&got, FIELD_DSCP, true, s.dscp);
		expect_field(&got, FIELD_TTL, true, s.ttl);
		expect_field(&got, FIELD_LEN, true, s.len);
		expect_field(&got, FIELD_EXT, six, s.ext | (s.frag != FRAG_NONE ? 1u << EXT_FRAGMENT : 0));
		expect_field(&got, FIELD_MAC, true, s.mac);
	}
}

static void fragments_carry_multiples_of_eight(void **state)
{
	static const unsigned int protocols[] = {6, 17, 132, 1, 47};

	for (size_t i = 0; i < 5; i++)
		for (int frag = FRAG_FIRST; frag <= FRAG_LATER; frag++) {
			struct packet_spec s = {
				.family = FAMILY_IPV4, .protocol = protocols[i], .frag = (enum frag)frag};
			struct packet p;
			long len = packet_build(&s, frame, sizeof(frame));

			assert_int_equal(packet_parse(frame, (size_t)len, NULL, &p), PACKET_OK);
			assert_true(p.value[FIELD_LEN] > 20);
			assert_int_equal((p.value[FIELD_LEN] - 20) % 8, 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_these_bytes),
		cmocka_unit_test(errors_quote_what_they_are_about),
		cmocka_unit_test(raw_bytes_are_copied),
		cmocka_unit_test(checksums_are_right),
		cmocka_unit_test(udp_checksum_is_never_zero),
		cmocka_unit_test(sctp_checksum_is_crc32c),
		cmocka_unit_test(contradictions_are_refused),
		cmocka_unit_test(neighbours_of_contradictions_are_built),
		cmocka_unit_test(usual_values),
		cmocka_unit_test(words_survive),
		cmocka_unit_test(fragments_carry_multiples_of_eight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

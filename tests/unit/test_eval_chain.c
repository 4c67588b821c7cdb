// SPDX-License-Identifier: GPL-2.0-only
/* Chains under the oracle: order, `count`, defaults, absent blocks, faults. Worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "eval_words.h"

/* Chains: rules by name, so that a line can be read. */
#define PASS  VERDICT_PASS
#define DROP  VERDICT_DROP
#define COUNT VERDICT_CONTINUE
#define R(v, fam, ...)                                                                                                 \
	{                                                                                                              \
		.verdict = (v), .families = (fam), .text = "", __VA_ARGS__                                             \
	}
#define CHAIN(def, ...)                                                                                                \
	{                                                                                                              \
		.present = true, .fallback = (def), .rules = (struct rule[]){__VA_ARGS__},                             \
		.nrules = sizeof((struct rule[]){__VA_ARGS__}) / sizeof(struct rule)                                   \
	}
#define TCP22 VAL(PROTO, BOTH(6)), VAL(DPORT, ONE(22))

static const struct chain drop_all = {.present = true, .fallback = VERDICT_DROP},
			  pass_all = {.present = true, .fallback = VERDICT_PASS};
static const struct chain absent = {.present = false, .fallback = VERDICT_PASS};
static const struct chain ordered =
	CHAIN(DROP, R(DROP, IP, TCP22), R(PASS, IP, TCP22), R(PASS, IP, VAL(PROTO, BOTH(6))), R(DROP, IP));
static const struct chain counting =
	CHAIN(PASS, R(COUNT, IP), R(COUNT, IP, TCP22), R(DROP, IP, VAL(DPORT, ONE(53))), R(COUNT, ANY), R(COUNT, F6));
static const struct chain counts_alone = CHAIN(DROP, R(COUNT, ANY), R(COUNT, ANY));
static const struct chain layer2 =
	CHAIN(DROP, R(PASS, ANY, VAL(ETHERTYPE, ONE(0x0806))), R(PASS, ANY, VAL(VLAN, ONE(5))),
	      R(PASS, F6, VAL(ICMP6, V({0x8500, 0x88ff})), VAL(TTL, ONE(255))));
static const struct chain pass_any = CHAIN(PASS, R(COUNT, ANY), R(PASS, ANY));
static const struct chain vlan7 = CHAIN(PASS, R(DROP, ANY, VAL(VLAN, ONE(7))));
static const struct chain bare_pass = CHAIN(DROP, R(PASS, IP)), bare_any = CHAIN(DROP, R(PASS, ANY));

static const struct chain_case {
	const struct chain *chain;
	char packet;
	enum verdict verdict;
	const char *reason;
	long rule;
	const char *counted; /* indexes, in order */
} chain_cases[] = {
	{&drop_all, 'a', DROP, "default", -1, ""},
	{&drop_all, 'm', DROP, "l2-other", -1, ""},
	{&drop_all, 'o', DROP, "l2-other", -1, ""},
	{&drop_all, 'h', DROP, "default", -1, ""},
	{&pass_all, 'a', PASS, "default", -1, ""},
	{&pass_all, 'm', PASS, "l2-other", -1, ""},
	{&pass_all, 'o', PASS, "l2-other", -1, ""},
	{&absent, 'a', PASS, "default", -1, ""},
	{&absent, 'm', PASS, "default", -1, ""},

	{&ordered, 'a', DROP, "rule", 0, ""}, /* the first of three that match */
	{&ordered, 'b', PASS, "rule", 2, ""},
	{&ordered, 'h', PASS, "rule", 2, ""},
	{&ordered, 'k', PASS, "rule", 2, ""},
	{&ordered, 'c', DROP, "rule", 3, ""},
	{&ordered, 'p', DROP, "rule", 3, ""},
	{&ordered, 'm', DROP, "l2-other", -1, ""},

	{&counting, 'a', PASS, "default", -1, "013"},
	{&counting, 'b', PASS, "default", -1, "03"},
	{&counting, 'i', DROP, "rule", 2, "0"}, /* counted before, not behind, what decided */
	{&counting, 'n', DROP, "rule", 2, "0"},
	{&counting, 'h', PASS, "default", -1, "034"},
	{&counting, 'm', PASS, "l2-other", -1, "3"},
	{&counting, 'e', PASS, "default", -1, "03"},
	{&counts_alone, 'a', DROP, "default", -1, "01"},
	{&counts_alone, 'o', DROP, "l2-other", -1, "01"},

	{&layer2, 'm', PASS, "rule", 0, ""},
	{&layer2, 'o', PASS, "rule", 1, ""},
	{&layer2, 'j', PASS, "rule", 2, ""},
	{&layer2, 'a', DROP, "default", -1, ""},
	{&layer2, 'n', DROP, "default", -1, ""},

	{&bare_pass, 'a', PASS, "rule", 0, ""},
	{&bare_pass, 'l', PASS, "rule", 0, ""},
	{&bare_pass, 'm', DROP, "l2-other", -1, ""},
	{&bare_any, 'm', PASS, "rule", 0, ""},
};

struct tally {
	char text[32];
	size_t n;
};

static void tally(void *ctx, size_t rule)
{
	struct tally *t = ctx;

	assert_true(t->n < sizeof(t->text) - 1);
	t->text[t->n++] = (char)('0' + rule);
}

static void chains_decide(void **state)
{
	for (size_t i = 0; i < sizeof(chain_cases) / sizeof(chain_cases[0]); i++) {
		const struct chain_case *c = &chain_cases[i];
		struct tally t = {};
		uint8_t buf[256];
		size_t len = hex_bytes(packets[c->packet - 'a'].hex, buf, sizeof(buf));
		struct eval_result r = eval_frame(c->chain, buf, len, NULL, tally, &t), quiet;

		if (r.verdict != c->verdict || r.rule != c->rule)
			print_message("# chain case %zu, packet %c\n", i, c->packet);
		assert_int_equal(r.verdict, c->verdict);
		assert_string_equal(eval_reason_word(&r), c->reason);
		assert_int_equal(r.rule, c->rule);
		assert_int_equal(r.fault, PACKET_OK);
		assert_string_equal(t.text, c->counted);
		quiet = eval_frame(c->chain, buf, len, NULL, NULL, NULL); /* nobody wants to know what was counted */
		assert_int_equal(quiet.verdict, r.verdict);
		assert_int_equal(quiet.rule, r.rule);
	}
	print_message("# %zu chains x packets\n", sizeof(chain_cases) / sizeof(chain_cases[0]));
}

/* Each fault beside the nearest frame that has none. */
static void faults_drop_whatever_the_rules_say(void **state)
{
	static const struct {
		const char *hex, *reason; /* "rule": no fault, the rule decides */
	} cases[] = {
		{"", "l2-short"},
		{MACS "08", "l2-short"},
		{MACS "88cc", "rule"},
		{MACS "8100 0001 88cc", "rule"},
		{MACS "8100 0001 88", "vlan-depth"},
		{MACS "8100 0001 8100 0001 88cc", "rule"},
		{MACS "8100 0001 8100 0001 8100 0001 88cc", "vlan-depth"},
		{MACS "0800 4500 001c 0001 0000 4011 0000 0a000001 c0000201 1388 0035 0008 0000", "rule"},
		{MACS "0800 4500 001c 0001 0000 4011 0000 0a000001 c0000201 1388 0035 0008 00", "malformed"},
		{MACS "0800 4500 001c 0001 0000 4011 0000 0a000001 c0000201 1388 0035 0007 0000", "malformed"},
		{MACS "0800 4400 001c 0001 0000 4011 0000 0a000001 c0000201 1388 0035 0008 0000", "malformed"},
		{MACS "0800 4500 001b 0001 0000 4011 0000 0a000001 c0000201 1388 0035 0008 0000", "l4-short"},
		{MACS "0800 4500 001b 0001 2000 4011 0000 0a000001 c0000201 1388 0035 0008 0000", "frag-tiny"},
		{MACS "0800 4500 001c 0001 2000 4011 0000 0a000001 c0000201 1388 0035 0008 0000", "rule"},
		{MACS "0800 4500 001c 0001 0001 4006 0000 0a000001 c0000201 1388 0035 0008 0000", "frag-tiny"},
		{MACS "0800 4500 001c 0001 0002 4006 0000 0a000001 c0000201 1388 0035 0008 0000", "rule"},
		{MACS "86dd 60000000 0008 11 40 " IP6ADDR "1388 0035 0008 0000", "rule"},
		{MACS "86dd 60000000 0009 11 40 " IP6ADDR "1388 0035 0008 0000", "malformed"},
		{MACS "86dd 60000000 0010 2b 40 " IP6ADDR "1100 0100 00000000 1388 0035 0008 0000", "rule"},
		{MACS "86dd 60000000 0010 2b 40 " IP6ADDR "1100 0000 00000000 1388 0035 0008 0000", "ext-chain"},
		{MACS "86dd 60000000 0007 3c 40 " IP6ADDR "1100 0104 000000", "ext-chain"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tally t = {};
		uint8_t buf[256];
		size_t len = hex_bytes(cases[i].hex, buf, sizeof(buf));
		struct eval_result r = eval_frame(&pass_any, buf, len, NULL, tally, &t);
		bool fine = !strcmp(cases[i].reason, "rule");

		assert_string_equal(eval_reason_word(&r), cases[i].reason);
		assert_int_equal(r.verdict, fine ? PASS : DROP);
		assert_int_equal(r.rule, fine ? 1 : -1);
		assert_int_equal(t.n, fine ? 1 : 0); /* what was not understood is not counted by rules */

		r = eval_frame(&absent, buf, len, NULL, tally, &t); /* nothing is asked of this direction */
		assert_int_equal(r.verdict, PASS);
		assert_string_equal(eval_reason_word(&r), "default");
		assert_int_equal(r.fault, PACKET_OK);
	}
}

static void metadata_tag_is_seen_by_rules(void **state)
{
	static const struct packet_meta meta = {true, 0x2007};
	uint8_t buf[256];
	size_t len = hex_bytes(packets[0].hex, buf, sizeof(buf));

	assert_int_equal(eval_frame(&vlan7, buf, len, &meta, NULL, NULL).verdict, DROP);
	assert_int_equal(eval_frame(&vlan7, buf, len, NULL, NULL, NULL).verdict, PASS);
	len = hex_bytes(packets[13].hex, buf, sizeof(buf)); /* two tags, and a third */
	assert_int_equal(eval_frame(&vlan7, buf, len, &meta, NULL, NULL).fault, PACKET_VLAN_DEPTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chains_decide),
		cmocka_unit_test(faults_drop_whatever_the_rules_say),
		cmocka_unit_test(metadata_tag_is_seen_by_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

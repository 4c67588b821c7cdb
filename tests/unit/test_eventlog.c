// SPDX-License-Identifier: GPL-2.0-only
/* Events by a source of our own: which are wanted, what is counted, and what they look like in words, JSON and the journal. */
#include "fwctl/eventloop.h"
#include "fwctl/eventtext.h"

#include <jansson.h>
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <wchar.h>

#include <cmocka.h>

static struct fw_event event(const char *src, const char *dst)
{
	struct fw_event e = { .number = 1, .time_ns = 1000, .generation = 7, .ifindex = 3, .rule = 2, .slot = FW_SLOT_RULE0 + 5, .len = 60,
			      .packets = 1, .sample = 1, .kind = FW_EVENT_RULE, .hook = FW_HOOK_XDP, .verdict = FW_VERDICT_DROP,
			      .reason = FW_REASON_RULE, .l3 = FW_L3_IPV4, .proto = 6, .flags = 2, .has = FW_HAS_PORTS | FW_HAS_FLAGS,
			      .sport = 4000, .dport = 22, .ethertype = 0x0800 };

	if (inet_pton(AF_INET, src, e.src) != 1) {
		assert_int_equal(inet_pton(AF_INET6, src, e.src), 1);
		e.l3 = FW_L3_IPV6;
		e.ethertype = 0x86dd;
	}
	assert_int_equal(inet_pton(e.l3 == FW_L3_IPV4 ? AF_INET : AF_INET6, dst, e.dst), 1);
	return e;
}

static struct event_filter everything(void)
{
	return (struct event_filter){ .verdicts = ~0u, .reasons = ~0u };
}

static void a_filter_wants_what_all_its_words_say(void **state)
{
	struct fw_event e = event("198.51.100.7", "192.0.2.1");
	struct event_filter f = everything();

	assert_true(event_matches(&f, &e));
	f.verdicts = 1u << FW_VERDICT_PASS;
	assert_false(event_matches(&f, &e));
	f = everything();
	f.reasons = 1u << FW_REASON_LIMIT | 1u << FW_REASON_RULE;
	assert_true(event_matches(&f, &e));
	f.verdicts = 1u << FW_VERDICT_DROP;
	f.since_ns = 1001;
	assert_false(event_matches(&f, &e));
	f.since_ns = 1000;
	f.until_ns = 1000;
	assert_true(event_matches(&f, &e));
	f.until_ns = 999;
	assert_false(event_matches(&f, &e));
}

static void an_address_is_on_either_side(void **state)
{
	struct event_filter f = everything();
	struct fw_event e = event("198.51.100.7", "192.0.2.1"), six = event("2001:db8::7", "2001:db8::1");

	f.l3 = FW_L3_IPV4;
	f.addr[0] = htonl(0xc0000200);
	f.mask[0] = htonl(0xffffff00);
	assert_true(event_matches(&f, &e));
	f.addr[0] = htonl(0xc6336400);
	assert_true(event_matches(&f, &e));
	f.addr[0] = htonl(0xc6336500);
	assert_false(event_matches(&f, &e));
	f.mask[0] = 0;
	assert_true(event_matches(&f, &e));
	assert_false(event_matches(&f, &six));
	f.l3 = FW_L3_IPV6;
	assert_true(event_matches(&f, &six));
	assert_false(event_matches(&f, &e));
}

static void a_rule_is_its_slot_in_its_direction(void **state)
{
	const uint32_t slot[] = { FW_TAP_SLOT(FW_SLOT_RULE0 + 5, FW_DIR_INGRESS) }, rule[] = { FW_TAP_SLOT(2, FW_DIR_INGRESS) };
	struct event_filter f = everything();
	struct fw_event e = event("198.51.100.7", "192.0.2.1");

	f.picks = true;
	assert_false(event_matches(&f, &e));
	f.slot = slot;
	f.nslots = 1;
	assert_true(event_matches(&f, &e));
	e.hook = FW_HOOK_TC_EGRESS;
	assert_false(event_matches(&f, &e));
	/* Over the limit of that rule: the slot is the reason's, the rule is told in the generation that is known. */
	e.hook = FW_HOOK_TC_INGRESS;
	e.slot = FW_REASON_SLOT(FW_REASON_LIMIT, FW_VERDICT_DROP);
	assert_false(event_matches(&f, &e));
	f.rule = rule;
	f.nrules = 1;
	assert_false(event_matches(&f, &e));
	f.generation = 7;
	assert_true(event_matches(&f, &e));
}

static void interfaces_that_are_gone_match_nothing(void **state)
{
	const unsigned int ifindex[] = { 4, 3 };
	struct event_filter f = everything();
	struct fw_event e = event("198.51.100.7", "192.0.2.1");

	f.ifaces = true;
	assert_false(event_matches(&f, &e));
	f.ifindex = ifindex;
	f.nifs = 2;
	assert_true(event_matches(&f, &e));
	f.nifs = 1;
	assert_false(event_matches(&f, &e));
}

/* A source of `left` events, every third of them a pass, and losses before every other read. */
struct fake {
	size_t left, at, reads;
	uint64_t lost;
};

static size_t fake_read(void *ctx, struct fw_event *buf, size_t n, uint64_t *ret_lost)
{
	struct fake *s = ctx;

	*ret_lost = s->reads++ % 2 && s->left ? 5 : 0;
	s->lost += *ret_lost;
	n = n < s->left ? n : s->left;
	for (size_t i = 0; i < n; i++, s->at++) {
		buf[i] = (struct fw_event){ .time_ns = 1000 - s->at % 10, .verdict = s->at % 3 ? FW_VERDICT_DROP : FW_VERDICT_PASS };
	}
	s->left -= n;
	return n;
}

static void the_loop_counts_all_and_keeps_what_is_wanted(void **state)
{
	struct event_item v[4096];
	struct event_batch b = { .v = v, .cap = 4096 };
	struct event_tally t = {};
	struct fake s = { .left = 3000 };
	struct event_source src = { fake_read, &s };
	struct event_filter f = everything();

	f.verdicts = 1u << FW_VERDICT_PASS;
	assert_false(events_drain(&src, &f, 9, UINT64_MAX, &b, &t));
	assert_int_equal(t.read, 3000);
	assert_int_equal(t.kept, 1000);
	assert_int_equal(b.n, 1000);
	assert_int_equal(t.lost, s.lost);
	assert_int_equal(b.v[999].of, 9);
	events_sort(&b);
	for (size_t i = 1; i < b.n; i++)
		assert_true(b.v[i - 1].event.time_ns <= b.v[i].event.time_ns);
}

static void the_batch_never_grows(void **state)
{
	struct event_item v[1000];
	struct event_batch b = { .v = v, .cap = 1000 };
	struct event_tally t = {};
	struct fake s = { .left = 100000 };
	struct event_source src = { fake_read, &s };
	struct event_filter f = everything();
	size_t rounds = 0;

	while (events_drain(&src, &f, 0, UINT64_MAX, &b, &t)) {
		assert_true(b.n <= b.cap && b.n > 0);
		b.n = 0;
		rounds++;
	}
	assert_int_equal(t.read, 100000);
	assert_int_equal(t.kept, 100000);
	assert_true(rounds > 100);
}

static void a_flood_does_not_keep_the_loop(void **state)
{
	struct event_item v[EVENT_READ];
	struct event_batch b = { .v = v, .cap = EVENT_READ };
	struct event_tally t = {};
	struct fake s = { .left = SIZE_MAX / 2 };
	struct event_source src = { fake_read, &s };
	struct event_filter f = { 0 }; /* nothing */

	assert_true(events_drain(&src, &f, 0, 10000, &b, &t));
	assert_in_range(t.read, 10000, 10000 + EVENT_READ);
	assert_int_equal(b.n, 0);
}

static const struct event_rule banned = { .label = "banned", .text = "drop from @banned log label \"banned\"", .file = "web.fw", .line = 21,
					  .shown = "\"banned\" web.fw:21", .json = "\"banned\"", .json_file = "\"web.fw\"" };

static struct event_view view(const struct fw_event *e)
{
	return (struct event_view){ .event = e, .wall_ns = 1764353498123456789ull, .iface = "eth0", .iface_shown = "eth0",
				    .iface_json = "\"eth0\"", .policy = "web", .told = &banned };
}

static void text_is(const struct event_view *v, const char *want)
{
	struct str s = {};

	event_text(v, &s);
	assert_string_equal(str_get(&s), want);
	str_fini(&s);
}

static void a_line_says_who_when_and_why(void **state)
{
	struct fw_event e = event("198.51.100.7", "192.0.2.1");
	struct event_view v = view(&e);

	text_is(&v, "2025-11-28T18:11:38.123456Z eth0     xdp        drop   \"banned\" web.fw:21         "
		    "tcp 198.51.100.7:4000 -> 192.0.2.1:22 flags S len 60\n");
	e = event("2001:db8::7", "2001:db8::1");
	e.hook = FW_HOOK_TC_EGRESS;
	e.verdict = FW_VERDICT_PASS;
	e.kind = FW_EVENT_COUNT;
	e.reason = FW_REASON_DEFAULT;
	e.has |= FW_HAS_VLAN;
	e.vlan = 7;
	e.state = FW_STATE_NEW;
	e.packets = 3;
	e.sample = 8;
	text_is(&v, "2025-11-28T18:11:38.123456Z eth0     tc-egress  pass   \"banned\" web.fw:21         "
		    "tcp [2001:db8::7]:4000 -> [2001:db8::1]:22 flags S vlan 7 state new len 60 packets 3 sample 1/8 then default\n");
}

static void reasons_name_the_rule_whose_limit_it_is(void **state)
{
	struct fw_event e = event("198.51.100.7", "192.0.2.1");
	struct event_view v = view(&e);

	e.slot = FW_REASON_SLOT(FW_REASON_LIMIT, FW_VERDICT_DROP);
	e.kind = FW_EVENT_REASON;
	e.reason = FW_REASON_LIMIT;
	e.proto = 17;
	e.has = FW_HAS_PORTS;
	v.told = NULL;
	v.matched = &banned;
	text_is(&v, "2025-11-28T18:11:38.123456Z eth0     xdp        drop   limit of \"banned\" web.fw:21 "
		    "udp 198.51.100.7:4000 -> 192.0.2.1:22 len 60\n");
	/* What could not be parsed has no addresses. */
	v.matched = NULL;
	e = (struct fw_event){ .slot = FW_REASON_SLOT(FW_REASON_MALFORMED, FW_VERDICT_DROP), .reason = FW_REASON_MALFORMED,
			       .kind = FW_EVENT_REASON, .rule = ~0u, .packets = 1, .sample = 1, .len = 17, .mac = 0x020000000001 };
	text_is(&v, "2025-11-28T18:11:38.123456Z eth0     xdp        drop   malformed                  "
		    "frame from 02:00:00:00:00:01 len 17\n");
	/* A rule that nobody knows any more. */
	e.slot = FW_SLOT_RULE0 + 9;
	e.generation = 4;
	text_is(&v, "2025-11-28T18:11:38.123456Z eth0     xdp        drop   a rule of generation 4     "
		    "frame from 02:00:00:00:00:01 len 17\n");
}

static json_t *json_of(const struct event_view *v)
{
	struct str s = {};

	event_json(v, &s);
	assert_int_equal(str_get(&s)[s.len - 1], '\n');
	assert_ptr_equal(strchr(str_get(&s), '\n'), str_get(&s) + s.len - 1);
	json_error_t err;
	json_t *j = json_loads(str_get(&s), JSON_REJECT_DUPLICATES, &err);
	if (!j)
		fail_msg("%s: %s", err.text, str_get(&s));
	str_fini(&s);
	return j;
}

static void json_has_the_names_of_suricata(void **state)
{
	struct fw_event e = event("198.51.100.7", "192.0.2.1");
	struct event_view v = view(&e);
	const char *time, *type, *iface, *src, *dst, *proto, *flags, *policy, *rule, *file;
	int sport, dport, line;
	json_t *j = json_of(&v);

	assert_int_equal(json_unpack(j, "{s:s,s:s,s:s,s:s,s:i,s:s,s:i,s:s,s:s,s:{s:s,s:s,s:s,s:i}}", "timestamp", &time,
		"event_type", &type,
				     "in_iface", &iface, "src_ip", &src, "src_port", &sport, "dest_ip", &dst, "dest_port", &dport, "proto",
				     &proto, "tcp_flags", &flags, "fwctl", "policy", &policy, "rule", &rule, "file", &file, "line", &line),
			 0);
	assert_string_equal(time, "2025-11-28T18:11:38.123456+0000");
	assert_string_equal(type, "firewall");
	assert_string_equal(src, "198.51.100.7");
	assert_int_equal(sport, 4000);
	assert_string_equal(dst, "192.0.2.1");
	assert_int_equal(dport, 22);
	assert_string_equal(proto, "TCP");
	assert_string_equal(flags, "02");
	assert_string_equal(rule, "banned");
	assert_int_equal(line, 21);
	json_decref(j);
}

/* Every value that a field of an event can have, and some that none should: always one line of valid JSON, one of printable text. */
static void no_event_breaks_a_line(void **state)
{
	struct fw_event e;
	struct str s = {};

	srand(1);
	for (int i = 0; i < 20000; i++) {
		for (size_t k = 0; k < sizeof(e); k++)
			((uint8_t *)&e)[k] = (uint8_t)(rand() % 4 ? rand() % 8 : rand());
		struct event_view v = view(&e);
		e.generation >>= 1; /* as far as numbers of JSON go */
		v.told = i % 2 ? &banned : NULL;
		json_decref(json_of(&v));
		str_reset(&s);
		event_text(&v, &s);
		for (size_t k = 0; k + 1 < s.len; k++)
			assert_in_range((unsigned char)s.s[k], 0x20, 0x7e);
		str_reset(&s);
		event_journal(&v, &s);
		assert_int_equal(s.s[s.len - 1], '\n');
	}
	str_fini(&s);
}

static void a_journal_field_may_have_any_bytes(void **state)
{
	struct str s = {};

	journal_field(&s, "FWCTL_RULE", "plain = 1", 9);
	assert_string_equal(str_get(&s), "FWCTL_RULE=plain = 1\n");
	str_reset(&s);
	journal_field(&s, "FWCTL_RULE", "a\nMESSAGE=b", 11);
	assert_int_equal(s.len, 11 + 8 + 11 + 1);
	assert_memory_equal(s.s, "FWCTL_RULE\n\x0b\0\0\0\0\0\0\0a\nMESSAGE=b\n", s.len);
	str_fini(&s);
}

static void what_was_lost_is_said_in_the_stream(void **state)
{
	struct str s = {};

	lost_text(123, "event", &s);
	assert_string_equal(str_get(&s), "# lost 123 events\n");
	str_reset(&s);
	lost_json(123, 1764353498000000000ull, &s);
	assert_string_equal(str_get(&s), "{\"timestamp\":\"2025-11-28T18:11:38.000000+0000\","
					 "\"event_type\":\"lost\",\"fwctl\":{\"lost\":123}}\n");
	str_reset(&s);
	lost_journal(1, &s);
	assert_string_equal(str_get(&s), "MESSAGE=lost 1 event\nPRIORITY=4\nSYSLOG_IDENTIFIER=fwctl\nFWCTL_LOST=1\n");
	str_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_filter_wants_what_all_its_words_say),
		cmocka_unit_test(an_address_is_on_either_side),
		cmocka_unit_test(a_rule_is_its_slot_in_its_direction),
		cmocka_unit_test(interfaces_that_are_gone_match_nothing),
		cmocka_unit_test(the_loop_counts_all_and_keeps_what_is_wanted),
		cmocka_unit_test(the_batch_never_grows),
		cmocka_unit_test(a_flood_does_not_keep_the_loop),
		cmocka_unit_test(a_line_says_who_when_and_why),
		cmocka_unit_test(reasons_name_the_rule_whose_limit_it_is),
		cmocka_unit_test(json_has_the_names_of_suricata),
		cmocka_unit_test(no_event_breaks_a_line),
		cmocka_unit_test(a_journal_field_may_have_any_bytes),
		cmocka_unit_test(what_was_lost_is_said_in_the_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/* Lines of other programs, as these programs write them, and as somebody who wants to break us would. */
#include "fwctl/feed.h"

#include "base/str.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

/* What the sink was told, as text: "+192.0.2.7/32 for 3600s why; -…; mark 3; ". */
static struct str told;

static void told_address(const struct addr_range *r)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t b[16];
	u128 a = r->lo;

	for (int i = r->family == FAMILY_IPV4 ? 3 : 15; i >= 0; i--, a >>= 8)
		b[i] = (uint8_t)a;
	str_add(&told, inet_ntop(r->family == FAMILY_IPV4 ? AF_INET : AF_INET6, b, text, sizeof(text)));
	if (r->is_range)
		str_add(&told, "-");
	else
		str_addf(&told, "/%u", r->len);
}

static int change(void *ctx, bool del, const struct element *x)
{
	str_add(&told, del ? "-" : "+");
	told_address(&x->range);
	if (!del && x->end == ELEMENT_END_FOR)
		str_addf(&told, " for %.10gs", (double)x->ns / 1e9);
	if (!del && x->end == ELEMENT_END_AT)
		str_add(&told, x->ns ? " at" : " over");
	if (!del && x->end == ELEMENT_END_NEVER)
		str_add(&told, " ever");
	if (!del && x->reason_len)
		str_addf(&told, " \"%.*s\"", (int)x->reason_len, x->reason);
	str_add(&told, "; ");
	return 0;
}

static int mark(void *ctx, unsigned int families)
{
	str_addf(&told, "mark %u; ", families);
	return 0;
}

struct line_case {
	const char *text, *want; /* want NULL: refused */
};

static const char *line_tell(const char *format, const char *text, size_t *ret_skipped)
{
	struct feed_sink sink = { .change = change, .mark = mark };
	/* Exactly as many bytes as the line has, so that the sanitizer sees who reads on. */
	size_t len = strlen(text);
	char *copy = malloc(len ? len : 1);
	struct feed_line l = { .sink = &sink, .s = copy, .eol = copy + len, .bad = copy, .bad_end = copy + len };

	memcpy(copy, text, len);
	str_reset(&told);
	const char *why = feed_format_find(format)->line(&l);
	assert_true(l.bad >= copy && l.bad_end <= copy + len && l.bad <= l.bad_end);
	*ret_skipped = sink.skipped;
	free(copy);
	return why;
}

static void lines_check(const char *format, const struct line_case *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t skipped;
		const char *why = line_tell(format, c[i].text, &skipped);

		if (!c[i].want && !why)
			fail_msg("%s: \"%s\" was read as \"%s\"", format, c[i].text, str_get(&told));
		if (c[i].want && (why || strcmp(str_get(&told), c[i].want)))
			fail_msg("%s: \"%s\": %s, \"%s\"", format, c[i].text, why ? why : "read", str_get(&told));
	}
}
#define CHECK(format, ...)                                                                                             \
	do {                                                                                                           \
		static const struct line_case cases[] = { __VA_ARGS__ };                                               \
		lines_check(format, cases, sizeof(cases) / sizeof(cases[0]));                                          \
	} while (0)

static void plain_lines(void **state)
{
	CHECK("plain", { "", "" }, { "   \r", "" }, { "# a remark", "" }, { "192.0.2.7", "+192.0.2.7/32; " },
	      { "add 192.0.2.7", "+192.0.2.7/32; " }, { "add\t2001:db8::/32\t4h30m", "+2001:db8::/32 for 16200s; " },
	      { "add 192.0.2.7 1h2m3.5s ssh  scan ", "+192.0.2.7/32 for 3723.5s \"ssh  scan\"; " },
	      { "add 192.0.2.7 because of it", "+192.0.2.7/32 \"because of it\"; " },
	      { "add 192.0.2.7 for 10m reason x y", "+192.0.2.7/32 for 600s \"x y\"; " },
	      { "add 192.0.2.7 for ever", "+192.0.2.7/32 ever; " },
	      { "192.0.2.7 for 10m reason x", "+192.0.2.7/32 for 600s \"x\"; " },
	      { "add 192.0.2.1-192.0.2.9 5s", "+192.0.2.1- for 5s; " },
	      { "add 192.0.2.7 -5m late", "+192.0.2.7/32 over \"late\"; " },
	      { "add 192.0.2.7 0s", "+192.0.2.7/32 over; " }, { "del 192.0.2.0/24", "-192.0.2.0/24; " },
	      { "del 192.0.2.7 4h whatever", "-192.0.2.7/32; " }, { "resync", "mark 3; " }, { "add", NULL },
	      { "del", NULL }, { "add 1.2.3", NULL }, { "add 192.0.2.7 10", NULL }, { "add 192.0.2.7 5x", NULL },
	      { "add 192.0.2.7 for", NULL }, { "add 192.0.2.7 for 5m because", NULL }, { "add 192.0.2.0/33", NULL },
	      { "remove 192.0.2.7", NULL }, { "ADD 192.0.2.7", NULL }, { "192.0.2.7 for 5", NULL },
	      { "\x1b[31m", NULL }, { "add 192.0.2.7 1e9s", NULL });
}

static void json_lines(void **state)
{
	CHECK("json", { "", "" }, { "  ", "" }, { "{\"action\":\"add\",\"value\":\"192.0.2.7\"}", "+192.0.2.7/32; " },
	      { "{\"action\":\"add\",\"value\":\"192.0.2.7\",\"duration\":\"4h\",\"reason\":\"a b\"}",
		"+192.0.2.7/32 for 14400s \"a b\"; " },
	      { "{\"action\":\"add\",\"value\":\"2001:db8::/32\",\"duration\":90}", "+2001:db8::/32 for 90s; " },
	      { "{\"action\":\"add\",\"address\":\"192.0.2.7\",\"duration\":1.5,\"more\":[1,{}]}",
		"+192.0.2.7/32 for 1.5s; " },
	      { "{\"action\":\"add\",\"value\":\"192.0.2.7\",\"duration\":null}", "+192.0.2.7/32; " },
	      { "{\"action\":\"add\",\"value\":\"192.0.2.7\",\"duration\":-1}", "+192.0.2.7/32 over; " },
	      { "{\"action\":\"del\",\"value\":\"192.0.2.7\",\"duration\":\"-3h\"}", "-192.0.2.7/32; " },
	      { "{\"action\":\"resync\"}", "mark 3; " }, { "{\"value\":\"192.0.2.7\"}", NULL },
	      { "{\"action\":\"add\"}", NULL }, { "{\"action\":\"ban\",\"value\":\"192.0.2.7\"}", NULL },
	      { "{\"action\":\"add\",\"value\":7}", NULL }, { "{\"action\":\"add\",\"value\":\"host\"}", NULL },
	      { "{\"action\":\"add\",\"value\":\"192.0.2.7\",\"duration\":\"4 hours\"}", NULL },
	      { "{\"action\":\"add\",\"value\":\"192.0.2.7\",\"duration\":[]}", NULL },
	      { "{\"action\":\"add\",\"value\":\"192.0.2.7\",\"duration\":1e300}", NULL }, { "[]", NULL },
	      { "7", NULL }, { "{\"action\":\"add\",\"value\":\"192.0.2.7\"", NULL }, { "{} {}", NULL },
	      { "{\"action\":\"add\",\"value\":\"192.0.2.7\\u0000\"}", NULL }, { "\xff\xfe", NULL });
}

/* A decision as crowdsec-custom-bouncer hands it on: the fields of the local API and `action`. */
#define DECISION(duration, scope, type, value, action)                                                                 \
	"{\"duration\":\"" duration                                                                                    \
	"\",\"origin\":\"crowdsec\",\"scenario\":\"crowdsecurity/ssh-bf\",\"scope\":\"" scope "\",\"type\":\"" type    \
	"\",\"uuid\":\"0d2ef7e3-7f2c-4d59-8e0c-2c8bb1f5e0a1\",\"value\":\"" value                                      \
	"\",\"id\":4711,\"action\":\"" action "\"}"

static void crowdsec_lines(void **state)
{
	CHECK("crowdsec",
	      { DECISION("3h59m57.641708614s", "Ip", "ban", "198.51.100.7", "add"),
		"+198.51.100.7/32 for 14397.64171s \"crowdsecurity/ssh-bf\"; " },
	      { DECISION("-2h3m4.5s", "Ip", "ban", "198.51.100.7", "del"), "-198.51.100.7/32; " },
	      { DECISION("-2h3m4.5s", "Ip", "ban", "198.51.100.7", "add"),
		"+198.51.100.7/32 over \"crowdsecurity/ssh-bf\"; " },
	      { DECISION("167h59m0s", "Range", "ban", "2001:db8:7::/48", "add"),
		"+2001:db8:7::/48 for 604740s \"crowdsecurity/ssh-bf\"; " },
	      { DECISION("4h", "Country", "ban", "XX", "add"), "" },
	      { DECISION("4h", "AS", "ban", "64500", "add"), "" },
	      { DECISION("4h", "Ip", "captcha", "198.51.100.7", "add"), "" },
	      /* The arguments of a call. */
	      { "add 198.51.100.7/32 14397 crowdsecurity/ssh-bf {\"id\":1}",
		"+198.51.100.7/32 for 14397s \"crowdsecurity/ssh-bf\"; " },
	      { "add 198.51.100.7 60 manual 'ban' from 'localhost' {\"a\": {}}",
		"+198.51.100.7/32 for 60s \"manual 'ban' from 'localhost'\"; " },
	      { "add 198.51.100.7 60", "+198.51.100.7/32 for 60s; " },
	      { "del 198.51.100.7 -1 x {}", "-198.51.100.7/32; " }, { "", "" },
	      { DECISION("4h", "Ip", "ban", "nobody", "add"), NULL },
	      { DECISION("4 h", "Ip", "ban", "198.51.100.7", "add"), NULL },
	      { DECISION("4h", "Ip", "ban", "198.51.100.7", "drop"), NULL }, { "{\"value\":\"198.51.100.7\"}", NULL },
	      { "add 198.51.100.7", NULL }, { "add 198.51.100.7 4h x", NULL }, { "add 198.51.100.7 nan x", NULL },
	      { "ban 198.51.100.7 60 x", NULL }, { "{", NULL });
	size_t skipped;
	assert_null(line_tell("crowdsec", DECISION("4h", "Country", "ban", "XX", "add"), &skipped));
	assert_int_equal(skipped, 1);
}

#define UPDATE(message)                                                                                                \
	"{ \"exabgp\": \"4.0.1\", \"time\": 1699564800.12, \"host\" : \"h\", \"pid\" : 7, \"ppid\" : 1, \"counter\": " \
	"3, "                                                                                                          \
	"\"type\": \"update\", \"neighbor\": { \"address\": { \"local\": \"192.0.2.1\", \"peer\": \"192.0.2.2\" }, "   \
	"\"asn\": { \"local\": 65500, \"peer\": 65501 } , \"direction\": \"receive\", \"message\": { " message         \
	" } } }"

static void exabgp_json_lines(void **state)
{
	CHECK("exabgp",
	      { UPDATE("\"update\": { \"attribute\": { \"origin\": \"igp\", \"community\": [ [ 65535, 666 ] ] }, "
		       "\"announce\": { \"ipv4 "
		       "unicast\": { \"192.0.2.2\": [ { \"nlri\": \"198.51.100.7/32\" }, { \"nlri\": "
		       "\"198.51.100.8/32\" } ] } } }"),
		"+198.51.100.7/32 \"exabgp 192.0.2.2\"; +198.51.100.8/32 \"exabgp 192.0.2.2\"; " },
	      { UPDATE("\"update\": { \"withdraw\": { \"ipv6 unicast\": [ { \"nlri\": \"2001:db8::/32\" } ], \"ipv4 "
		       "unicast\": [ "
		       "\"198.51.100.7/32\" ] } }"),
		"-2001:db8::/32; -198.51.100.7/32; " },
	      /* The form of version 3. */
	      { UPDATE("\"update\": { \"announce\": { \"ipv4 unicast\": { \"192.0.2.2\": { \"198.51.100.7/32\": { } } "
		       "} }, \"withdraw\": { "
		       "\"ipv4 unicast\": { \"198.51.100.9/32\": { } } } }"),
		"-198.51.100.9/32; +198.51.100.7/32 \"exabgp 192.0.2.2\"; " },
	      { UPDATE("\"update\": { \"announce\": { \"ipv4 flow\": { \"no-nexthop\": [ { \"string\": \"flow x\" } ] "
		       "} } }"),
		"" },
	      { UPDATE("\"eor\": { \"afi\" : \"ipv4\", \"safi\" : \"unicast\" }"), "mark 1; " },
	      { UPDATE("\"eor\": { \"afi\" : \"ipv6\", \"safi\" : \"unicast\" }"), "mark 2; " },
	      { "{ \"exabgp\": \"4.0.1\", \"type\": \"state\", \"neighbor\": { \"state\": \"down\", \"reason\": \"x\" "
		"} }",
		"" },
	      { "{ \"exabgp\": \"4.0.1\", \"type\": \"notification\", \"notification\": \"shutdown\" }", "" },
	      { UPDATE("\"update\": { \"announce\": { \"ipv4 unicast\": { \"192.0.2.2\": [ { \"nlri\": \"nonsense\" } "
		       "] } } }"),
		NULL },
	      { UPDATE("\"update\": { \"announce\": { \"ipv4 unicast\": { \"192.0.2.2\": [ 7 ] } } }"), NULL },
	      { UPDATE("\"update\": { \"withdraw\": { \"ipv4 unicast\": 7 } }"), NULL }, { "{ \"exabgp\": ", NULL });
}

static void exabgp_text_lines(void **state)
{
	CHECK("exabgp", { "neighbor 192.0.2.2 receive update start", "" },
	      { "neighbor 192.0.2.2 receive update announced 198.51.100.7/32 next-hop 192.0.2.2 origin igp as-path [ "
		"65501 ]",
		"+198.51.100.7/32 \"exabgp 192.0.2.2\"; " },
	      { "neighbor 192.0.2.2 receive update withdrawn 198.51.100.7/32", "-198.51.100.7/32; " },
	      { "neighbor 2001:db8::2 receive update announced 2001:db8:7::/48 next-hop 2001:db8::2",
		"+2001:db8:7::/48 \"exabgp 2001:db8::2\"; " },
	      { "neighbor 192.0.2.2 receive update end", "" }, { "neighbor 192.0.2.2 up", "" },
	      { "neighbor 192.0.2.2 down - peer reset, message (notification)", "" },
	      { "neighbor 192.0.2.2 send update announced 198.51.100.7/32 next-hop self", "" },
	      { "neighbor 192.0.2.2 announced route 198.51.100.7/32 next-hop 192.0.2.2",
		"+198.51.100.7/32 \"exabgp 192.0.2.2\"; " },
	      { "neighbor 192.0.2.2 withdrawn route 198.51.100.7/32", "-198.51.100.7/32; " },
	      { "neighbor 192.0.2.2 receive update route eor 1/1 (ipv4 unicast)", "mark 1; " },
	      { "neighbor 192.0.2.2 receive update route eor 2/1 (ipv6 unicast)", "mark 2; " },
	      { "announce route 198.51.100.0/24 next-hop self community [65535:666]", "+198.51.100.0/24 \"exabgp\"; " },
	      { "announce ipv6 unicast 2001:db8::/32 next-hop self", "+2001:db8::/32 \"exabgp\"; " },
	      { "announce ipv4 multicast 198.51.100.0/24 next-hop self", "" },
	      { "withdraw route 198.51.100.0/24", "-198.51.100.0/24; " },
	      { "announce attributes next-hop self nlri 198.51.100.7/32 198.51.100.8/32",
		"+198.51.100.7/32 \"exabgp\"; +198.51.100.8/32 \"exabgp\"; " },
	      { "announce flow route { match { source 198.51.100.0/24; } }", "" }, { "announce eor", "mark 3; " },
	      { "shutdown 7 1", "" }, { "done", "" }, { "", "" }, { "announce", NULL }, { "announce route", NULL },
	      { "announce route nonsense next-hop self", NULL }, { "announce route 198.51.100.0/240", NULL },
	      { "announce attributes next-hop self", NULL }, { "announce attributes nlri", NULL }, { "hello", NULL });
}

/* Whatever bytes come, a parser stays inside its line. */
static void noise_is_survived(void **state)
{
	static const char *const formats[] = { "plain", "json", "crowdsec", "exabgp" };
	static const char *const words[] = { "add ",	  "del ",   "192.0.2.7", "2001:db8::", "/",
					     " - ",	  "for ",   "reason ",	 "4h",	       "-",
					     "{",	  "}",	    "\"",	 ":",	       "action",
					     "announce ", "route ", "nlri ",	 "eor ",       "neighbor ",
					     "\xff",	  " ",	    "\t",	 "1e9",	       "resync" };
	unsigned int seed = 7;

	for (int i = 0; i < 20000; i++) {
		char line[256] = "";
		size_t skipped;
		for (int w = 0; w < 8; w++) {
			seed = seed * 1103515245 + 12345;
			strcat(line, words[(seed >> 16) % (sizeof(words) / sizeof(words[0]))]);
		}
		line_tell(formats[i % 4], line, &skipped);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_lines),	     cmocka_unit_test(json_lines),
		cmocka_unit_test(crowdsec_lines),    cmocka_unit_test(exabgp_json_lines),
		cmocka_unit_test(exabgp_text_lines), cmocka_unit_test(noise_is_survived),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	str_fini(&told);
	return failed;
}

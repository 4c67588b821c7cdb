// SPDX-License-Identifier: GPL-2.0-only
/* Metrics as text: both forms, and labels that want to break them. */
#include "fwctl/openmetrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void forms(void **state)
{
	static const char *const want[] = {
		[OM_OPEN] = "# HELP fw_bytes Bytes.\n# TYPE fw_bytes counter\n# UNIT fw_bytes bytes\nfw_bytes_total{a=\"x\",b=\"\"} 7\n"
			    "# HELP fw_build Program.\n# TYPE fw_build info\nfw_build_info 1\n"
			    "# HELP fw_t_seconds Time.\n# TYPE fw_t_seconds gauge\nfw_t_seconds 12.005\n# EOF\n",
		[OM_PLAIN] = "# HELP fw_bytes_total Bytes.\n# TYPE fw_bytes_total counter\nfw_bytes_total{a=\"x\",b=\"\"} 7\n"
			     "# HELP fw_build_info Program.\n# TYPE fw_build_info gauge\nfw_build_info 1\n"
			     "# HELP fw_t_seconds Time.\n# TYPE fw_t_seconds gauge\nfw_t_seconds 12.005\n",
	};

	for (int f = OM_OPEN; f <= OM_PLAIN; f++) {
		struct str s = {};
		struct om m = { .s = &s, .format = (enum om_format)f };
		om_family(&m, OM_COUNTER, "fw_bytes", "bytes", "Bytes.");
		om_sample(&m);
		om_label(&m, "a", "x");
		om_label(&m, "b", "");
		om_u64(&m, 7);
		om_family(&m, OM_INFO, "fw_build", NULL, "Program.");
		om_sample(&m);
		om_u64(&m, 1);
		om_family(&m, OM_GAUGE, "fw_t_seconds", NULL, "Time.");
		om_sample(&m);
		om_seconds(&m, 12005999999u);
		om_end(&m);
		assert_string_equal(str_get(&s), want[f]);
		str_fini(&s);
	}
}

static void labels(void **state)
{
	static const struct {
		const char *bytes, *want;
	} cases[] = {
		{ "eth0.7", "eth0.7" },
		{ "a\"b", "a\\\"b" },
		{ "a\\b\\", "a\\\\b\\\\" },
		{ "a\nb", "a\\nb" },
		{ "\x1b[2J\r\t\x7f", "\\\\x1b[2J\\\\x0d\\\\x09\\\\x7f" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\xa5", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\xa5" },
		/* lone, overlong, surrogate, beyond Unicode, cut, C1 */
		{ "\xff", "\\\\xff" },
		{ "\xc0\xaf", "\\\\xc0\\\\xaf" },
		{ "\xed\xa0\x80", "\\\\xed\\\\xa0\\\\x80" },
		{ "\xf4\x90\x80\x80", "\\\\xf4\\\\x90\\\\x80\\\\x80" },
		{ "\xe2\x82", "\\\\xe2\\\\x82" },
		{ "\xc2\x9b" "2J", "\\\\xc2\\\\x9b" "2J" },
		/* what looks like an escaped byte is another name */
		{ "\\xff", "\\\\x5cxff" },
		{ "\\\\xff", "\\\\\\\\x5cxff" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str s = {}, want = {};
		struct om m = { .s = &s, .name = "x", .type = OM_GAUGE };
		om_sample(&m);
		om_label(&m, "l", cases[i].bytes);
		om_u64(&m, 0);
		str_addf(&want, "x{l=\"%s\"} 0\n", cases[i].want);
		assert_string_equal(str_get(&s), str_get(&want));
		str_fini(&s);
		str_fini(&want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ .name = "both forms name families as their readers want them", .test_func = forms },
		{ .name = "no label breaks a line or drives a terminal", .test_func = labels },
	};

	return cmocka_run_group_tests_name("openmetrics", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verified load: tables that say something else than the rules are caught before they go live. The compiler makes no
 * such tables, so the image comes from other rules than those it is judged by.
 */
#include "fwctl/verify.h"

#include "base/arena.h"
#include "fwctl/cmd.h"
#include "fwctl/out.h"
#include "harness/rim.h"
#include "lang/lang.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The commands are not in a library: take the file under test, and listen to what it says. */
static char said[4096];

void problem(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
}

void problem_fail(const struct fail *f, int err)
{
	problem("%s (%d)", f->text, err);
}

const char *out_name(const char *bytes)
{
	return bytes;
}

#include "../../userspace/fwctl/verify.c"
#include "../../userspace/fwctl/words.c"

#define POLICY(in, out) "policy p {\n ingress default drop {\n" in "\n }\n egress default pass {\n" out "\n }\n}\n"

static struct arena *arena;
static size_t asked; /* packets of the last verification */

/* Judge the tables of `image_text` by the rules of `text`. */
static int verify(const char *text, const char *image_text)
{
	struct image img = box_compile(image_text, "p");
	struct ruleset *rs = NULL;
	struct diags d;

	said[0] = '\0';
	image_assign_live(&img, (const uint32_t[FW_MAX_LIVE]){0, 1, 2, 3}); /* as twins over an image have them */
	diags_init(&d, arena);
	assert_int_equal(lang_parse(arena, "t.fw", text, strlen(text), NULL, &d, &rs), 0);
	diags_fini(&d);
	struct verify v = {.rs = rs, .policy = &rs->policies[0], .img = &img};
	int err = 0;

	asked = 0;
	for (int h = 0; h < FW_HOOK_COUNT && !err; h++) {
		struct kern_twin *twin = NULL;

		rim_fail = (struct fail){};
		assert_int_equal(kern_twin_open_image(&img, (enum fw_hook)h, &rim_fail, &twin), 0);
		err = verify_ask(&v, twin, (enum fw_hook)h, NULL);
		kern_twin_close(twin);
	}
	asked = v.asked;
	image_fini(&img);
	return err;
}

static void expect_caught(const char *text, const char *image_text, const char *hook)
{
	assert_int_equal(verify(text, image_text), -ECANCELED);
	assert_non_null(strstr(said, "nothing was changed"));
	assert_non_null(strstr(said, hook));
	assert_non_null(strstr(said, "hex "));
}

static void right_tables_pass(void **state)
{
	const char *text = POLICY(
		"pass proto tcp to port 22\ncount proto udp\npass from 2001:db8::/32 label \"six\"\ndrop frag later",
		"drop to 10.0.0.0/8");

	assert_int_equal(verify(text, text), 0);
	assert_string_equal(said, "");
}

static void a_wrong_port_is_caught(void **state)
{
	expect_caught(POLICY("pass proto tcp to port 22", ""), POLICY("pass proto tcp to port 23", ""), "xdp");
}

static void a_wrong_verdict_is_caught(void **state)
{
	expect_caught(POLICY("pass proto udp to port 53", ""), POLICY("drop proto udp to port 53", ""), "xdp");
}

static void a_wrong_order_is_caught(void **state)
{
	expect_caught(POLICY("drop proto tcp from 10.0.0.0/8\npass proto tcp", ""),
		      POLICY("pass proto tcp\ndrop proto tcp from 10.0.0.0/8", ""), "xdp");
}

static void the_last_rule_of_egress_is_looked_at(void **state)
{
	expect_caught(POLICY("pass", "pass proto tcp\npass proto udp\ndrop to 10.9.0.0/16"),
		      POLICY("pass", "pass proto tcp\npass proto udp\ndrop to 10.8.0.0/16"), "tc-egress");
}

static void packets_of_the_tests_are_judged(void **state)
{
	/* Witnesses of the rule are at its edges by luck alone; the test names the address that differs. */
	expect_caught(POLICY("pass from 10.0.0.0/8", "") "test { udp 10.77.3.9:1 -> 10.0.0.1:2 is pass }",
		      POLICY("pass from { 10.0.0.0-10.77.3.8, 10.77.3.10-10.255.255.255 }", ""), "xdp");
}

#define SETS   "set a { type prefix; live }\nset b { type prefix; live }\n"
#define LIVE   "drop from @a\npass proto tcp to port 22 keep state limit 1/h burst 1 else ban @b\npass ! from @b to port 53 proto udp"
#define STATES "drop state invalid\nreject state established proto udp\npass proto { tcp, udp } keep state"

/* What a packet does not say of itself is taken for granted; the limit of one packet an hour does not get in the way. */
static void live_sets_are_judged(void **state)
{
	assert_int_equal(verify(SETS POLICY(LIVE, "pass to @b"), SETS POLICY(LIVE, "pass to @b")), 0);
	assert_string_equal(said, "");
}

static void states_are_judged(void **state)
{
	assert_int_equal(verify(POLICY(STATES, "pass keep state"), POLICY(STATES, "pass keep state")), 0);
	assert_string_equal(said, "");
}

static void a_wrong_live_set_is_caught(void **state)
{
	expect_caught(SETS POLICY("drop from @a\npass from @b", ""), SETS POLICY("drop from @b\npass from @a", ""), "xdp");
	expect_caught(SETS POLICY("drop from @a\npass", ""), SETS POLICY("drop to @a\npass", ""), "xdp");
	expect_caught(SETS POLICY("pass", "drop to @a\npass from @b"), SETS POLICY("pass", "drop ! to @a\npass from @b"), "tc-egress");
}

static void a_wrong_state_is_caught(void **state)
{
	expect_caught(POLICY("drop state invalid\npass keep state", ""), POLICY("drop state new\npass keep state", ""), "xdp");
	expect_caught(POLICY("drop state established proto udp\npass keep state", ""),
		      POLICY("drop state invalid proto udp\npass keep state", ""), "xdp");
	expect_caught(POLICY("reject proto tcp\npass", ""), POLICY("drop proto tcp\npass", ""), "xdp");
}

static int enter(void **state)
{
	rim_enter("the rules are judged before they are believed");
	arena = arena_new();
	return arena ? 0 : -1;
}

static int leave(void **state)
{
	arena_free(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_tables_pass),
		cmocka_unit_test(a_wrong_port_is_caught),
		cmocka_unit_test(a_wrong_verdict_is_caught),
		cmocka_unit_test(a_wrong_order_is_caught),
		cmocka_unit_test(the_last_rule_of_egress_is_looked_at),
		cmocka_unit_test(packets_of_the_tests_are_judged),
		cmocka_unit_test(live_sets_are_judged),
		cmocka_unit_test(states_are_judged),
		cmocka_unit_test(a_wrong_live_set_is_caught),
		cmocka_unit_test(a_wrong_state_is_caught),
	};

	return cmocka_run_group_tests_name("verified load", tests, enter, leave);
}

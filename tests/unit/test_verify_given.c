// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verified loads of rules on states and live sets: whatever such a rule asks, a table that says otherwise is caught. A twin
 * stands in that reads the image with image_walk, so this needs no kernel; tests/kernel/test_verify.c has the real one.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "harness/handmade.h"
#include "harness/image_walk.h"
#include "harness/rulegen.h"

#include "fwctl/cmd.h"
#include "fwctl/out.h"

/* The commands are not in a library: take the file under test, and listen to what it says. */
static char said[4096];

void problem(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
}

const char *out_name(const char *bytes)
{
	return bytes;
}

#include "../../userspace/fwctl/verify.c"
#include "../../userspace/fwctl/words.c"

struct kern_twin {
	const struct image *img;
	enum fw_dir dir;
	struct kern_given given;
	size_t runs;
	uint32_t states, sources; /* bits of what was given */
};

void kern_twin_given(struct kern_twin *t, const struct kern_given *given)
{
	t->given = given ? *given : (struct kern_given){};
	t->states |= given ? 1u << given->state : 0;
	t->sources |= given ? given->live : 0;
}

static uint32_t reason_number(const char *word)
{
	for (uint32_t i = 0; i < FW_REASON_COUNT; i++)
		if (!strcmp(word_reason(i), word))
			return i;
	return ~0u;
}

/* As the program does: known flows meet the rules only where these name them. */
static struct eval_result twin_judge(const struct kern_twin *t, const uint8_t *frame, size_t len)
{
	const struct fw_image *h = image_hdr(t->img);
	bool known = t->given.state == FW_STATE_ESTABLISHED || t->given.state == FW_STATE_RELATED;
	struct eval_result pass = {.verdict = VERDICT_PASS, .rule = -1}, r;
	struct packet p = {};
	size_t n;
	const struct fw_live_ref *ref = image_live(h, &n);
	enum packet_fault fault = packet_parse(frame, len, NULL, &p);

	if (fault)
		return eval_fault(&(struct chain){.present = h->dir[t->dir].flags & FW_DIRF_PRESENT}, fault);
	p.value[FIELD_STATE] = t->given.state;
	for (size_t i = 0; i < n; i++) {
		p.live_src |= (t->given.live >> ref[i].id & 1) << i;
		p.live_dst |= (t->given.live >> (8 + ref[i].id) & 1) << i;
	}
	pass.reason = t->given.state == FW_STATE_RELATED ? EVAL_RELATED : EVAL_ESTABLISHED;
	if (known && !(h->dir[t->dir].flags & FW_DIRF_KNOWN))
		return pass;
	r = image_walk(t->img, t->dir, &p, NULL, NULL);
	return known && r.rule < 0 ? pass : r;
}

int kern_twin_run(struct kern_twin *t, const uint8_t *frame, size_t len, size_t linear, struct fw_trace *ret)
{
	struct eval_result r = twin_judge(t, frame, len);

	t->runs++;
	*ret = (struct fw_trace){.verdict = (uint32_t)r.verdict,
				 .reason = reason_number(eval_reason_word(&r)),
				 .rule = r.rule < 0 ? ~0u : (uint32_t)r.rule};
	return 0;
}

static struct kern_twin twin; /* the last one */

/* Judge the tables of `tables` by the rules of `p`. Live sets have other numbers than indexes. */
static int verify(const struct policy *p, const struct policy *tables, const struct ruleset *rs)
{
	static const uint32_t ids[FW_MAX_LIVE] = {5, 2, 7, 0, 1, 3, 4, 6};
	struct ruleset none = {};
	struct image img;
	struct verify v = {.rs = rs ?: &none, .policy = p, .img = &img};
	int err = 0;

	said[0] = '\0';
	hand_compile(tables, &img);
	image_assign_live(&img, ids);
	for (int h = 0; h < FW_HOOK_COUNT && !err; h++) {
		uint32_t states = h ? twin.states : 0, sources = h ? twin.sources : 0;

		twin = (struct kern_twin){.img = &img, .dir = hook_dir((enum fw_hook)h), .states = states, .sources = sources};
		err = verify_ask(&v, &twin, (enum fw_hook)h, NULL);
		if (!err)
			assert_int_equal(twin.given.given, 0); /* nothing is left for who asks next */
	}
	image_fini(&img);
	return err;
}

static void expect_caught(const struct policy *p, const struct policy *tables)
{
	assert_int_equal(verify(p, tables, NULL), -ECANCELED);
	assert_non_null(strstr(said, "nothing was changed"));
}

static struct policy *make(struct arena *arena)
{
	static const struct limit limit = {.count = 1, .period_ns = 1000000000, .burst = 1};
	struct policy *p = hand_policy(arena, 4);

	hand_live(arena, p, "first");
	hand_live(arena, p, "second");
	hand_rule(p, 0)->live_src.sets = 2;
	hand_rule(p, 1)->keep_state = true;
	hand_rule(p, 1)->verdict = VERDICT_PASS;
	hand_rule(p, 1)->value[FIELD_PROTO] = hand_values(arena, FAMILY_IPV4 << 8 | 6, FAMILY_IPV4 << 8 | 6);
	hand_rule(p, 1)->limit = &limit;
	hand_rule(p, 2)->verdict = VERDICT_REJECT;
	hand_rule(p, 2)->live_dst = (struct live_match){.sets = 1, .negate = true};
	hand_rule(p, 2)->value[FIELD_STATE] = hand_values(arena, STATE_ESTABLISHED, STATE_RELATED);
	hand_rule(p, 3)->verdict = VERDICT_PASS;
	state_opts_default(&p->state);
	assert_int_equal(policy_track(p, arena), 0);
	return p;
}

static void right_tables_pass(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_int_equal(verify(make(arena), make(arena), NULL), 0);
	assert_string_equal(said, "");
	/* Every state was asked about that a rule names, and the members of both sides. */
	assert_int_equal(twin.states & 1u << STATE_NEW, 1u << STATE_NEW);
	assert_true(twin.states & (1u << STATE_ESTABLISHED | 1u << STATE_RELATED));
	assert_true(twin.sources & 1u << 2);
	arena_free(arena);
}

static void wrong_tables_are_caught(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = make(arena), *t;

	(void)state;
	t = make(arena);
	hand_rule(t, 0)->live_src.sets = 1; /* the other set */
	expect_caught(p, t);
	t = make(arena);
	hand_rule(t, 0)->live_src.negate = true;
	expect_caught(p, t);
	t = make(arena);
	hand_rule(t, 0)->live_dst = hand_rule(t, 0)->live_src; /* the other side */
	hand_rule(t, 0)->live_src.sets = 0;
	expect_caught(p, t);
	t = make(arena);
	hand_rule(t, 2)->live_dst.negate = false;
	expect_caught(p, t);
	t = make(arena);
	hand_rule(t, 2)->verdict = VERDICT_DROP;
	expect_caught(p, t);
	t = make(arena);
	hand_rule(t, 2)->value[FIELD_STATE] = hand_values(arena, STATE_INVALID, STATE_INVALID); /* known flows are not asked about */
	expect_caught(p, t);
	t = make(arena);
	hand_rule(t, 1)->value[FIELD_STATE] = hand_values(arena, STATE_INVALID, STATE_INVALID);
	expect_caught(p, t);
	arena_free(arena);
}

/* No rule asks for what the tables have wrong, but a test has a packet of it. */
static void packets_of_tests_are_asked_in_every_state(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 1), *t = hand_policy(arena, 1);
	struct packet_spec spec = {.family = FAMILY_IPV4, .protocol = 17, .src = 1, .dst = 2, .has_ports = true};
	struct named_set *set;
	struct expectation tests[] = {
		{.step = STEP_AFTER, .policy = p},
		{.step = STEP_PACKET, .policy = p, .packet = &spec, .direction = DIRECTION_INGRESS, .file = "t.fw", .line = 7},
	};
	const struct ruleset rs = {.tests = tests, .ntests = 2};

	(void)state;
	hand_live(arena, p, "live");
	hand_live(arena, t, "live");
	p->track = t->track = true;
	state_opts_default(&p->state);
	state_opts_default(&t->state);
	set = (struct named_set *)p->live[0];
	assert_string_equal(set->name, "live");
	hand_rule(p, 0)->value[FIELD_STATE] = hand_values(arena, STATE_NONE, STATE_NEW);
	hand_rule(t, 0)->value[FIELD_STATE] = hand_values(arena, STATE_NONE, STATE_INVALID);
	assert_int_equal(verify(p, p, &rs), 0);
	assert_int_equal(verify(p, t, &rs), -ECANCELED);
	assert_non_null(strstr(said, "t.fw:7"));
	hand_rule(t, 0)->value[FIELD_STATE] = hand_rule(p, 0)->value[FIELD_STATE];
	hand_rule(t, 0)->live_src = (struct live_match){.sets = 1, .negate = true};
	assert_int_equal(verify(p, t, &rs), -ECANCELED);
	arena_free(arena);
}

/* What the compiler makes is right, so none of its tables is refused. */
static void random_policies_pass(void **state)
{
	struct prng prng;
	size_t runs = 0;

	(void)state;
	prng_init(&prng, prng_seed("verify_given", 0));
	for (int i = 0; i < 60; i++) {
		struct rulegen_opts opts = {.nrules = 1 + prng_below(&prng, 80),
					    .essentials = true,
					    .state = i % 4,
					    .limits = true,
					    .reject = true,
					    .live = i % 5};
		struct arena *arena = arena_new();
		struct policy *p = rulegen_policy(arena, &prng, &opts);

		assert_non_null(p);
		if (verify(p, p, NULL))
			fail_msg("%s", said);
		runs += twin.runs;
		arena_free(arena);
	}
	assert_true(runs > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_tables_pass),
		cmocka_unit_test(wrong_tables_are_caught),
		cmocka_unit_test(packets_of_tests_are_asked_in_every_state),
		cmocka_unit_test(random_policies_pass),
	};

	return cmocka_run_group_tests_name("verified load of states and live sets", tests, NULL, NULL);
}

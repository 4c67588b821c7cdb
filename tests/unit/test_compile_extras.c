// SPDX-License-Identifier: GPL-2.0-only
/* What rules ask for when they have matched, and what that asks of the policy: told by the image, known to its digest. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/handmade.h"
#include "model/limit.h"

static const struct fw_dir_hdr *ingress(const struct image *img)
{
	return &image_hdr(img)->dir[FW_DIR_INGRESS];
}

static struct fw_extra *extras(const struct image *img)
{
	return (struct fw_extra *)(img->data + ingress(img)->extras);
}

/* Of a rule, found as the datapath finds it: by its action, then by its number. */
static const struct fw_extra *extra_of(const struct image *img, uint32_t rule)
{
	const struct fw_action *a = (const struct fw_action *)(img->data + ingress(img)->actions);
	const uint32_t *of = (const uint32_t *)(img->data + ingress(img)->extra_of);

	for (uint32_t i = 0; i < ingress(img)->nrules; i++)
		if (FW_ACTION_RULE(a[i].rule_verdict) == rule)
			return a[i].rule_verdict & FW_ACTION_EXTRA ? &extras(img)[of[rule] - 1] : NULL;
	fail();
	return NULL;
}

/* Five a minute and source /24, ten at once. */
static struct limit per_source(void)
{
	return (struct limit){ .count = 5, .period_ns = 60000000000, .burst = 10, .per = PER_SRC, .plen4 = 24, .plen6 = 64 };
}

/* A policy that uses everything: rules 0 … 6. */
static struct policy *everything(struct arena *arena, struct limit *slow, struct limit *fast)
{
	struct policy *p = hand_policy(arena, 7);

	*slow = per_source();
	*fast = (struct limit){ .bytes = true, .count = 125000000, .period_ns = 1000000000, .burst = 200000, .per = PER_RULE };
	p->track = true;
	state_opts_default(&p->state);
	hand_live(arena, p, "asked");
	hand_live(arena, p, "banned");
	for (int i = 0; i < 7; i++) {
		hand_rule(p, i)->verdict = VERDICT_PASS;
		hand_rule(p, i)->value[FIELD_DPORT] = hand_values(arena, 100 + i, 100 + i);
		hand_rule(p, i)->value[FIELD_STATE] = hand_values(arena, STATE_NONE, STATE_NEW);
	}
	hand_rule(p, 0)->keep_state = true;
	hand_rule(p, 0)->limit = slow;
	hand_rule(p, 0)->over = (struct limit_else){ .ban = p->live[1], .ban_ns = 600000000000 };
	hand_rule(p, 1)->limit = fast;
	hand_rule(p, 1)->over.pass = true;
	hand_rule(p, 2)->keep_state = hand_rule(p, 2)->synproxy = true;
	hand_rule(p, 2)->max_conn = 50;
	hand_rule(p, 2)->conn_plen4 = 32;
	hand_rule(p, 2)->conn_plen6 = 64;
	hand_rule(p, 3)->keep_state = true;
	hand_rule(p, 4)->verdict = VERDICT_REJECT;
	hand_rule(p, 4)->reject = REJECT_PROHIBITED;
	hand_rule(p, 5)->live_src.sets = 1;
	hand_rule(p, 6)->keep_state = true;
	return p;
}

static void test_fields(void **state)
{
	struct arena *arena = arena_new();
	struct limit slow, fast;
	struct policy *p = everything(arena, &slow, &fast);
	struct limit_numbers n;
	const struct fw_extra *x;
	struct image img;

	(void)state;
	hand_compile(p, &img);
	assert_int_equal(image_hdr(&img)->features, FW_FEAT_LIVE | FW_FEAT_STATE | FW_FEAT_LIMIT | FW_FEAT_REJECT | FW_FEAT_SYNPROXY);

	x = extra_of(&img, 0);
	n = limit_numbers(&slow);
	assert_int_equal(x->flags & 0xffffff, FW_EXTRA_KEEP | FW_EXTRA_LIMIT | FW_EXTRA_ELSE_BAN);
	assert_int_equal(FW_EXTRA_BAN_REF(x->flags), 1);
	assert_int_equal(x->ban, 1);
	assert_int_equal(x->ban_ns, 600000000000);
	assert_int_equal(x->per, FW_PER_SRC);
	assert_int_equal(x->plen[0], 24);
	assert_int_equal(x->plen[1], 64);
	assert_true(x->mult == n.mult && x->shift == n.shift && x->burst == n.burst);

	x = extra_of(&img, 1);
	/* 200 kB are gone in 1.6 ms: a clock of 10 ms is too coarse for that. */
	assert_int_equal(x->flags, FW_EXTRA_LIMIT | FW_EXTRA_BYTES | FW_EXTRA_FINE | FW_EXTRA_ELSE_PASS);
	assert_int_equal(x->plen[0], 0);

	x = extra_of(&img, 2);
	assert_int_equal(x->flags, FW_EXTRA_KEEP | FW_EXTRA_SYNPROXY);
	assert_int_equal(x->max_conn, 50);
	assert_int_equal(x->conn_plen[0], 32);
	assert_int_equal(x->conn_plen[1], 64);

	x = extra_of(&img, 4);
	assert_int_equal(x->flags, 0);
	assert_int_equal(x->reject, FW_REJECT_PROHIBITED);
	assert_null(extra_of(&img, 5));
	image_fini(&img);
	arena_free(arena);
}

/* Rules that ask for the same share an extra; those that count have one each, and an identity of their own. */
static void test_shared(void **state)
{
	struct arena *arena = arena_new();
	struct limit slow, fast;
	struct policy *p = everything(arena, &slow, &fast);
	struct image img;

	(void)state;
	hand_rule(p, 3)->limit = hand_rule(p, 0)->limit;
	hand_rule(p, 3)->over = hand_rule(p, 0)->over;
	hand_rule(p, 5)->keep_state = true;
	hand_compile(p, &img);
	assert_ptr_equal(extra_of(&img, 5), extra_of(&img, 6));
	assert_int_equal(extra_of(&img, 6)->identity, 0);
	assert_ptr_not_equal(extra_of(&img, 0), extra_of(&img, 3));
	assert_int_not_equal(extra_of(&img, 0)->identity, extra_of(&img, 3)->identity);
	image_fini(&img);
	arena_free(arena);
}

/* The identity follows the rule wherever it stands, and changes when its name or its verdict does. */
static void test_identity(void **state)
{
	struct arena *arena = arena_new();
	struct limit slow, fast;
	struct policy *p = everything(arena, &slow, &fast);
	struct rule moved = *hand_rule(p, 0);
	uint32_t before;
	struct image img;

	(void)state;
	hand_compile(p, &img);
	before = extra_of(&img, 0)->identity;
	image_fini(&img);
	*hand_rule(p, 0) = *hand_rule(p, 6);
	*hand_rule(p, 6) = moved;
	slow.count = 7;
	hand_compile(p, &img);
	assert_int_equal(extra_of(&img, 6)->identity, before);
	image_fini(&img);
	hand_rule(p, 6)->label = "ssh";
	hand_compile(p, &img);
	assert_int_not_equal(extra_of(&img, 6)->identity, before);
	image_fini(&img);
	arena_free(arena);
}

/* A policy that asks for nothing has nothing of it. */
static void test_plain(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 3);
	struct fw_state_opts none = {};
	struct image img;

	(void)state;
	state_opts_default(&p->state);
	hand_compile(p, &img);
	assert_int_equal(image_hdr(&img)->features, 0);
	assert_int_equal(image_hdr(&img)->nlive, 0);
	assert_int_equal(image_hdr(&img)->live, 0);
	assert_memory_equal(&image_hdr(&img)->state, &none, sizeof(none));
	assert_int_equal(ingress(&img)->nextras, 0);
	assert_int_equal(ingress(&img)->extra_of, 0);
	assert_int_equal(ingress(&img)->flags & (FW_DIRF_TRACK | FW_DIRF_KNOWN), 0);
	image_fini(&img);
	arena_free(arena);
}

/* Both directions track, be it without a block; known flows meet the rules only where these name them. */
static void test_flags(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 2);
	struct image img;

	(void)state;
	p->track = true;
	state_opts_default(&p->state);
	hand_rule(p, 0)->value[FIELD_STATE] = hand_values(arena, STATE_NONE, STATE_NEW);
	hand_rule(p, 1)->essential = true;
	for (int i = 0; i < 2; i++) {
		hand_compile(p, &img);
		assert_int_equal(image_hdr(&img)->dir[0].flags, FW_DIRF_PRESENT | FW_DIRF_TRACK);
		assert_int_equal(image_hdr(&img)->dir[1].flags, FW_DIRF_TRACK);
		image_fini(&img);
		/* Written out, the states of an essential rule are no more than that. */
		hand_rule(p, 1)->value[FIELD_STATE] = hand_values(arena, STATE_NONE, STATE_INVALID);
	}
	for (enum state s = STATE_ESTABLISHED; s <= STATE_RELATED; s++) {
		hand_rule(p, 0)->value[FIELD_STATE] = hand_values(arena, s, s);
		hand_compile(p, &img);
		assert_int_equal(image_hdr(&img)->dir[0].flags, FW_DIRF_PRESENT | FW_DIRF_TRACK | FW_DIRF_KNOWN);
		assert_int_equal(image_hdr(&img)->dir[1].flags, FW_DIRF_TRACK);
		image_fini(&img);
	}
	hand_rule(p, 0)->value[FIELD_STATE] = hand_values(arena, STATE_INVALID, STATE_INVALID);
	hand_compile(p, &img);
	assert_int_equal(ingress(&img)->flags & FW_DIRF_KNOWN, 0);
	image_fini(&img);
	arena_free(arena);
}

static void test_state(void **state)
{
	static const uint32_t seconds[] = {
#define FW_X(id, words, seconds) seconds,
		FW_TIMEOUTS(FW_X)
#undef FW_X
	};
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 1);
	const struct fw_state_opts *s;
	struct image img;

	(void)state;
	p->track = true;
	state_opts_default(&p->state);
	p->state.window = p->state.asymmetric = p->state.full_pass = true;
	p->state.size = 1234;
	p->state.pending = 567;
	hand_compile(p, &img);
	s = &image_hdr(&img)->state;
	assert_int_equal(s->size, 1234);
	assert_int_equal(s->pending, 567);
	assert_int_equal(s->pickup_s, 3600);
	assert_int_equal(s->flags, FW_STATEF_FULL_PASS | FW_STATEF_ASYMMETRIC | FW_STATEF_WINDOW);
	/* What the contract says of unwritten timeouts is what the model takes them for. */
	for (int t = 0; t < FW_TIMEOUT_COUNT; t++)
		assert_int_equal(s->timeout[t], FW_TICKS(seconds[t]));
	image_fini(&img);
	/* The longest that a tick counter of 32 bits can tell. */
	p->state.timeout_s[0] = UINT32_MAX;
	p->state.pickup_s = UINT32_MAX;
	hand_compile(p, &img);
	assert_int_equal(image_hdr(&img)->state.timeout[0], UINT32_MAX);
	assert_int_equal(image_hdr(&img)->state.pickup_s, UINT32_MAX);
	image_fini(&img);
	arena_free(arena);
}

static void test_foreign_ban(void **state)
{
	const struct named_set foreign = { .name = "foreign", .size = 1 };
	struct arena *arena = arena_new();
	struct limit slow, fast;
	struct policy *p = everything(arena, &slow, &fast);
	struct str text = {};

	(void)state;
	hand_rule(p, 0)->over.ban = &foreign;
	assert_int_equal(hand_refused(p, &text), -EINVAL);
	assert_non_null(strstr(str_get(&text), "no live set of the policy"));
	str_fini(&text);
	arena_free(arena);
}

#define DIGESTS 40
static char seen[DIGESTS][65];
static size_t nseen;

static void assert_new_digest(const struct policy *p)
{
	struct image img;

	hand_compile(p, &img);
	image_digest_hex(image_hdr(&img), seen[nseen]);
	for (size_t i = 0; i < nseen; i++)
		assert_string_not_equal(seen[i], seen[nseen]);
	nseen++;
	image_fini(&img);
}

#define CHANGE(lvalue, value)                                                                                          \
	do {                                                                                                           \
		(lvalue) = (value);                                                                                    \
		assert_new_digest(p);                                                                                  \
	} while (0)

/* Every edit of what rules ask for is another policy. */
static void test_digest(void **state)
{
	struct arena *arena = arena_new();
	struct limit slow, fast;
	struct policy *p = everything(arena, &slow, &fast);
	struct named_set *set = (struct named_set *)p->live[1];

	(void)state;
	assert_new_digest(p);
	CHANGE(p->state.size, 4096);
	CHANGE(p->state.pending, 4096);
	CHANGE(p->state.full_pass, true);
	CHANGE(p->state.asymmetric, true);
	CHANGE(p->state.window, true);
	CHANGE(p->state.pickup_s, 0);
	for (int t = 0; t < FW_TIMEOUT_COUNT; t++)
		CHANGE(p->state.timeout_s[t], 7);
	CHANGE(slow.count, 6);
	CHANGE(slow.period_ns, 61000000000);
	CHANGE(slow.burst, 11);
	CHANGE(slow.plen4, 25);
	CHANGE(slow.plen6, 65);
	CHANGE(slow.per, PER_DST);
	CHANGE(slow.bytes, true);
	CHANGE(hand_rule(p, 0)->over.ban_ns, 1);
	CHANGE(hand_rule(p, 0)->over.ban, p->live[0]);
	CHANGE(hand_rule(p, 0)->over.pass, true);
	CHANGE(hand_rule(p, 2)->max_conn, 51);
	CHANGE(hand_rule(p, 2)->conn_plen4, 31);
	CHANGE(hand_rule(p, 2)->conn_plen6, 63);
	CHANGE(hand_rule(p, 2)->synproxy, false);
	CHANGE(hand_rule(p, 3)->keep_state, false);
	CHANGE(hand_rule(p, 4)->reject, REJECT_TCP_RESET);
	CHANGE(hand_rule(p, 5)->live_src.negate, true);
	CHANGE(hand_rule(p, 5)->live_src.sets, 2);
	CHANGE(set->size, 1001);
	CHANGE(set->timeout_ns, 0);
	CHANGE(set->counters, true);
	CHANGE(set->widen, true);
	CHANGE(set->name, "other");
	arena_free(arena);
}

/* A reject rule is another rule than a drop rule of the same name, to its counters. */
static void test_slots(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 2);
	uint32_t nslots[FW_DIR_COUNT];
	struct image a, b, c;
	size_t n;

	(void)state;
	hand_compile(p, &a);
	assert_int_equal(image_assign_slots(&a, NULL, nslots), 0);
	hand_rule(p, 0)->verdict = VERDICT_REJECT;
	hand_compile(p, &b);
	assert_int_equal(image_assign_slots(&b, image_hdr(&a), nslots), 0);
	assert_int_equal(image_rules(image_hdr(&b), 0, &n)[0].slot, FW_SLOT_RULE0 + 2);
	assert_int_equal(image_rules(image_hdr(&b), 0, &n)[0].verdict, FW_VERDICT_REJECT);
	hand_rule(p, 0)->reject = REJECT_PROHIBITED;
	hand_compile(p, &c);
	assert_int_equal(image_assign_slots(&c, image_hdr(&b), nslots), 0);
	assert_int_equal(image_rules(image_hdr(&c), 0, &n)[0].slot, FW_SLOT_RULE0 + 2);
	assert_int_equal(extra_of(&c, 0)->reject, FW_REJECT_PROHIBITED);
	image_fini(&a);
	image_fini(&b);
	image_fini(&c);
	arena_free(arena);
}

static void test_dumps(void **state)
{
	static const char *const boxes[] = {
		"bit 0 of sets: from live set asked\n",
		"extra 0, of 1 rules: keep limit mult ",
		" per src/24,/64 else ban banned for 600000000000 ns\n",
		"keep synproxy max-conn 50 per src/32,/64\n",
		"extra 3, of 2 rules: keep\n",
		"reject prohibited\n",
		"box 4 reject ipv4",
	};
	static const char *const image[] = {
		"needs live sets, state, limits, reject, syn cookies\n",
		"state: 65536 flows, 16384 half-open, full drop, pickup 3600 s\n",
		"ticks: tcp syn 28610, tcp established 411987304, ",
		"live set 1: banned, id 0, size 1000, timeout 3600000000000 ns\n",
		"ingress: present, default drop, tracks\n",
		"live 0x1\n",
		"extras 5 at ",
	};
	struct arena *arena = arena_new();
	struct limit slow, fast;
	struct policy *p = everything(arena, &slow, &fast);
	struct str out = {};
	struct cost cost;
	const struct compile_opts opts = { .dump = COMPILE_DUMP_BOXES, .out = &out, .cost = &cost };
	struct image img;

	(void)state;
	hand_compile_opts(p, &opts, &img);
	for (size_t i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++)
		assert_non_null(strstr(str_get(&out), boxes[i]));
	str_reset(&out);
	image_dump(image_hdr(&img), &out);
	for (size_t i = 0; i < sizeof(image) / sizeof(image[0]); i++)
		assert_non_null(strstr(str_get(&out), image[i]));
	assert_int_equal(cost.live_bits[0], 1);
	assert_int_equal(cost.kept[0], 4);
	assert_int_equal(cost.limited[0], 3);
	assert_int_equal(cost.extra_bytes[0], 5 * sizeof(struct fw_extra) + 7 * 4);
	image_fini(&img);
	str_fini(&out);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "what a rule asks for stands in its extra", test_fields, NULL, NULL, NULL },
		{ "rules share an extra unless they count", test_shared, NULL, NULL, NULL },
		{ "a rule that counts keeps its identity where it moves", test_identity, NULL, NULL, NULL },
		{ "a policy that asks for nothing has nothing of it", test_plain, NULL, NULL, NULL },
		{ "both directions track; rules meet known flows that they name", test_flags, NULL, NULL, NULL },
		{ "options of state are told in ticks", test_state, NULL, NULL, NULL },
		{ "a ban into a set that the policy has not is refused", test_foreign_ban, NULL, NULL, NULL },
		{ "every edit is another digest", test_digest, NULL, NULL, NULL },
		{ "a reject rule has counters of its own", test_slots, NULL, NULL, NULL },
		{ "boxes, image and cost tell of it", test_dumps, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("compile_extras", tests, NULL, NULL);
}

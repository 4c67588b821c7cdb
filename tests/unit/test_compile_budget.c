// SPDX-License-Identifier: GPL-2.0-only
/* Limits: what is over one is refused by name; what is just below works. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/handmade.h"

static const struct compile_opts rows = { .engine = ENGINE_ROWS }, lists = { .engine = ENGINE_LISTS };

static void assert_refused_opts(const struct policy *p, const struct compile_opts *opts, const char *word)
{
	struct str text = {};

	assert_int_equal(hand_refused_opts(p, opts, &text), -E2BIG);
	if (!strstr(str_get(&text), word))
		print_message("# wanted \"%s\" in: %s\n", word, str_get(&text));
	assert_non_null(strstr(str_get(&text), word));
	assert_non_null(strstr(str_get(&text), "ingress"));
	str_fini(&text);
}

static void assert_refused(const struct policy *p, const char *word)
{
	assert_refused_opts(p, NULL, word);
}

static void test_rules(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, FW_MAX_BITS + 1);
	struct packet packet;
	struct image img;

	(void)state;
	for (uint32_t i = 0; i <= FW_MAX_BITS; i++)
		hand_rule(p, i)->src = hand_addr4(arena, i * 0x10001, i * 0x10001);
	assert_refused_opts(p, &rows, "FW_MAX_BITS");
	p->chain[DIRECTION_INGRESS].nrules = FW_MAX_BITS;
	hand_compile_opts(p, &rows, &img);
	for (uint32_t i = 0; i < FW_MAX_BITS; i += 97) {
		packet = hand_packet4(i * 0x10001, 0);
		assert_true(hand_same(p, &img, &packet));
	}
	packet = hand_packet4((FW_MAX_BITS - 1) * 0x10001, 0);
	assert_true(hand_same(p, &img, &packet));
	image_fini(&img);
	arena_free(arena);
}

/* With lists a rule of one host owns no bit; one that says nothing of addresses does. */
static void test_rules_in_lists(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, FW_MAX_RULES + 1);
	struct packet packet;
	struct image img;

	(void)state;
	for (uint32_t i = 0; i <= FW_MAX_RULES; i++)
		hand_rule(p, i)->dst = hand_addr4(arena, i * 0x7fff, i * 0x7fff);
	assert_refused(p, "FW_MAX_RULES");
	p->chain[DIRECTION_INGRESS].nrules = FW_MAX_RULES;
	hand_compile(p, &img);
	assert_true(image_hdr(&img)->dir[0].flags & FW_DIRF_LISTS);
	assert_int_equal(image_hdr(&img)->dir[0].nbits, 0);
	for (uint32_t i = 0; i < FW_MAX_RULES; i += 977) {
		packet = hand_packet4(0, i * 0x7fff);
		assert_true(hand_same(p, &img, &packet));
		packet = hand_packet4(0, i * 0x7fff + 1);
		assert_true(hand_same(p, &img, &packet));
	}
	image_fini(&img);
	for (uint32_t i = 0; i <= FW_MAX_BITS; i++)
		hand_rule(p, 7 * i)->dst = NULL;
	assert_refused(p, "FW_MAX_BITS");
	arena_free(arena);
}

/* One pair of hosts and ever another port: more than a list holds, so most own bits, and more than that are too many. */
static void test_one_pair(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 2 * FW_MAX_BITS);
	struct packet packet = hand_packet4(1, 2);
	struct image img;

	(void)state;
	for (uint32_t i = 0; i < 2 * FW_MAX_BITS; i++) {
		hand_rule(p, i)->src = hand_addr4(arena, 1, 1);
		hand_rule(p, i)->dst = hand_addr4(arena, 2, 2);
		hand_rule(p, i)->value[FIELD_DPORT] = hand_values(arena, 2 * i, 2 * i);
	}
	assert_refused(p, "FW_MAX_BITS");
	p->chain[DIRECTION_INGRESS].nrules = 3000;
	hand_compile_opts(p, &lists, &img);
	assert_true(image_hdr(&img)->dir[0].nbits < 3000);
	for (uint32_t port = 0; port < 6100; port += 3) {
		packet.value[FIELD_DPORT] = port;
		assert_true(hand_same(p, &img, &packet));
	}
	image_fini(&img);
	arena_free(arena);
}

/* Ever another pair of ports: the rules of the services that are too many own bits. */
static void test_services(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, FW_MAX_SERVICES + 1000);
	struct packet packet;
	struct image img;

	(void)state;
	for (uint32_t i = 0; i < FW_MAX_SERVICES + 1000; i++) {
		hand_rule(p, i)->dst = hand_addr4(arena, i << 8, i << 8);
		hand_rule(p, i)->value[FIELD_SPORT] = hand_values(arena, i % 256, i % 256);
		hand_rule(p, i)->value[FIELD_DPORT] = hand_values(arena, i / 256, i / 256);
	}
	hand_compile_opts(p, &lists, &img);
	assert_true(image_hdr(&img)->dir[0].nbits >= 1000);
	for (uint32_t i = 0; i < FW_MAX_SERVICES + 1000; i += 61) {
		packet = hand_packet4(0, i << 8);
		packet.value[FIELD_SPORT] = i % 256;
		packet.value[FIELD_DPORT] = i / 256;
		assert_true(hand_same(p, &img, &packet));
	}
	image_fini(&img);
	arena_free(arena);
}

static void test_count_rules(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, FW_MAX_COUNT_RULES + 2);
	struct packet packet = hand_packet4(1, 2);
	struct image img;

	(void)state;
	for (size_t i = 0; i <= FW_MAX_COUNT_RULES; i++)
		hand_rule(p, i)->verdict = VERDICT_CONTINUE;
	assert_refused(p, "FW_MAX_COUNT_RULES");
	hand_rule(p, 7)->verdict = VERDICT_DROP;
	hand_compile(p, &img);
	assert_true(hand_same(p, &img, &packet));
	image_fini(&img);
	arena_free(arena);
}

/* Sixteen rules, each "one bit of the port is set", tell all 65,536 ports apart. */
static void set_bits(struct arena *arena, struct policy *p, size_t rules, enum field_id field)
{
	static struct range r[32768];

	for (size_t i = 0; i < rules; i++) {
		struct vset *s;
		size_t n = 0;

		for (uint32_t v = 0; v < 65536; v += 2u << i)
			r[n++] = (struct range){ v + (1u << i), v + (2u << i) - 1 };
		assert_int_equal(vset_build(arena, r, n, &s), 0);
		hand_rule(p, i)->value[field] = s;
		hand_rule(p, i)->verdict = VERDICT_CONTINUE;
	}
}

static void test_classes(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 16);
	struct packet packet = hand_packet4(1, 2);
	struct image img;

	(void)state;
	set_bits(arena, p, 16, FIELD_DPORT);
	assert_refused(p, "FW_MAX_CLASSES");
	p->chain[DIRECTION_INGRESS].nrules = 15;
	hand_compile(p, &img);
	for (uint32_t port = 0; port < 65536; port += 31) {
		packet.value[FIELD_DPORT] = port;
		assert_true(hand_same(p, &img, &packet));
	}
	image_fini(&img);
	arena_free(arena);
}

static void test_mac_bounds(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 1);
	struct range *r = arena_array(arena, 3000, sizeof(*r));
	struct packet packet = hand_packet4(1, 2);
	struct image img;
	struct vset *s;

	(void)state;
	for (size_t i = 0; i < 3000; i++)
		r[i] = (struct range){ 0x020000000000 + i * 4, 0x020000000000 + i * 4 + 1 };
	assert_int_equal(vset_build(arena, r, 2048, &s), 0);
	hand_rule(p, 0)->value[FIELD_MAC] = s;
	assert_refused(p, "FW_MAX_MAC_BOUNDS"); /* 2 × 2048 and the one that starts at 0 */
	assert_int_equal(vset_build(arena, r, 2047, &s), 0);
	hand_rule(p, 0)->value[FIELD_MAC] = s;
	hand_compile(p, &img);
	for (size_t i = 0; i < 2048 * 4; i++) {
		packet.value[FIELD_MAC] = 0x020000000000 + i - 1;
		assert_true(hand_same(p, &img, &packet));
	}
	packet.value[FIELD_MAC] = 0;
	assert_true(hand_same(p, &img, &packet));
	packet.value[FIELD_MAC] = 0xffffffffffff;
	assert_true(hand_same(p, &img, &packet));
	image_fini(&img);
	arena_free(arena);
}

/* Long rows times many classes: every rule brings two new bounds to each of four dimensions. */
static void test_image_size(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, FW_MAX_BITS);

	(void)state;
	for (uint32_t i = 0; i < FW_MAX_BITS; i++) {
		struct rule *r = hand_rule(p, i);

		r->src = hand_addr4(arena, i * 8, 0x10000000 + i * 8);
		r->dst = hand_addr4(arena, i * 8, 0x10000000 + i * 8);
		r->value[FIELD_DPORT] = hand_values(arena, i, 32768 + i);
		r->value[FIELD_SPORT] = hand_values(arena, i, 32768 + i);
	}
	assert_refused(p, "FW_MAX_IMAGE");
	arena_free(arena);
}

/* The same limit, met by the addresses alone. */
static void test_trie_size(void **state)
{
	const struct compile_opts opts = { .trie_small = SIZE_MAX, .set_large = SIZE_MAX };
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 1);
	struct aset_builder b = { .arena = arena };
	struct str text = {};
	struct aset *s;

	(void)state;
	/* Two hosts in every /56, apart in the next byte: a chunk of 1 KB and two skip nodes, and no two alike. */
	for (uint32_t i = 0; i < 280000; i++) {
		u128 a = (u128)(0x2000000000000000 | (uint64_t)i << 8) << 64 | i;

		assert_int_equal(aset_add6(&b, a, a), 0);
		assert_int_equal(aset_add6(&b, a | (u128)0x80 << 64, a | (u128)0x80 << 64), 0);
	}
	assert_int_equal(aset_build(&b, &s), 0);
	hand_rule(p, 0)->src = s;
	assert_int_equal(hand_refused_opts(p, &opts, &text), -E2BIG);
	assert_non_null(strstr(str_get(&text), "from (IPv6)"));
	assert_non_null(strstr(str_get(&text), "FW_MAX_IMAGE"));
	str_fini(&text);
	arena_free(arena);
}

/* `cost` adds up to what the image holds. */
static void test_cost(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 100);
	struct compile_opts opts = {};
	struct cost cost;
	struct diags d;
	struct image img;
	size_t sum = 0;

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		hand_rule(p, i)->src = hand_addr4(arena, i * 1000, i * 1000 + 5);
		hand_rule(p, i)->value[FIELD_DPORT] = hand_values(arena, i, i);
	}
	diags_init(&d, arena);
	opts.cost = &cost;
	assert_int_equal(compile_policy(p, "", "", &d, &opts, &img), 0);
	assert_int_equal(cost.image_bytes, img.len);
	assert_true(cost.slot_bytes >= img.len && cost.slot_bytes < 2 * img.len);
	assert_int_equal(cost.rules[0], 100);
	assert_int_equal(cost.words[0], 2);
	assert_int_equal(cost.ndims[0], 3);
	assert_int_equal(cost.ndims[1], 0);
	assert_string_equal(cost.dim[0][0].name, "port");
	assert_int_equal(cost.dim[0][0].classes, 101);
	assert_int_equal(cost.dim[0][1].classes, 101);
	assert_int_equal(cost.dim[0][1].entries, 100);
	assert_string_equal(cost.dim[0][2].structure, "none: one class");
	/* Port and its row, three steps for the address and its row. */
	assert_int_equal(cost.worst_lookups[0], 2 + 4);
	for (size_t i = 0; i < cost.ndims[0]; i++)
		sum += cost.dim[0][i].table_bytes + cost.dim[0][i].row_bytes;
	assert_true(sum < img.len && sum + 4096 + 100 * 64 > image_hdr(&img)->hot_len);
	image_fini(&img);
	diags_fini(&d);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "16,384 rules work in rows, one more is refused", test_rules, NULL, NULL, NULL },
		{ "131,072 rules work in lists, one more and too many without addresses are refused", test_rules_in_lists,
		  NULL, NULL, NULL },
		{ "rules that crowd a list own bits, and too many are refused", test_one_pair, NULL, NULL, NULL },
		{ "rules of more services than there may be own bits", test_services, NULL, NULL, NULL },
		{ "256 count rules work, one more is refused", test_count_rules, NULL, NULL, NULL },
		{ "too many classes of a field are refused", test_classes, NULL, NULL, NULL },
		{ "4,096 bounds of MAC ranges are exact, one more is refused", test_mac_bounds, NULL, NULL, NULL },
		{ "rows that would not fit an image are refused", test_image_size, NULL, NULL, NULL },
		{ "addresses that would not fit an image are refused", test_trie_size, NULL, NULL, NULL },
		{ "the cost is that of the image", test_cost, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("compile_budget", tests, NULL, NULL);
}

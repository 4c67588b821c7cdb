// SPDX-License-Identifier: GPL-2.0-only
/* Same rule set, same bytes; another rule set, another digest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/handmade.h"
#include "harness/rulegen.h"

static struct policy *generate(struct arena *arena, uint64_t seed)
{
	struct rulegen_opts opts = { .nrules = 100, .set_prefixes = 50 };
	struct prng prng;

	prng_init(&prng, seed);
	return rulegen_policy(arena, &prng, &opts);
}

static void same_bytes(enum engine engine)
{
	const struct compile_opts opts = { .engine = engine };

	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct arena *arena[2];
		struct image img[2];

		for (int i = 0; i < 2; i++) {
			arena[i] = arena_new();
			/* Other addresses in memory must not show. */
			assert_non_null(arena_alloc(arena[i], i * 4000 + 1));
			hand_compile_opts(generate(arena[i], seed), &opts, &img[i]);
		}
		assert_int_equal(img[0].len, img[1].len);
		assert_memory_equal(img[0].data, img[1].data, img[0].len);
		for (int i = 0; i < 2; i++) {
			image_fini(&img[i]);
			arena_free(arena[i]);
		}
	}
}

static void test_same_bytes(void **state)
{
	(void)state;
	same_bytes(ENGINE_ROWS);
	same_bytes(ENGINE_LISTS);
}

/* The engine is part of what the digest says; the same engine twice is the same image. */
static void test_digest_tells_engine(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = generate(arena, 1);
	struct image img[3];

	(void)state;
	hand_compile_opts(p, &(struct compile_opts){ .engine = ENGINE_ROWS }, &img[0]);
	hand_compile_opts(p, &(struct compile_opts){ .engine = ENGINE_LISTS }, &img[1]);
	hand_compile(p, &img[2]);
	assert_memory_not_equal(image_hdr(&img[0])->digest, image_hdr(&img[1])->digest, 32);
	assert_true(!memcmp(image_hdr(&img[2])->digest, image_hdr(&img[0])->digest, 32) ||
		    !memcmp(image_hdr(&img[2])->digest, image_hdr(&img[1])->digest, 32));
	for (int i = 0; i < 3; i++)
		image_fini(&img[i]);
	arena_free(arena);
}

/* The same conditions in sets of their own, or in one that rules share. */
static void test_sharing_does_not_show(void **state)
{
	struct arena *arena = arena_new();
	struct policy *shared = hand_policy(arena, 20), *apart = hand_policy(arena, 20);
	const struct aset *s = hand_addr4(arena, 5, 10);
	const struct vset *v = hand_values(arena, 3, 4);
	struct image a, b;

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		hand_rule(shared, i)->src = s;
		hand_rule(shared, i)->value[FIELD_DPORT] = v;
		hand_rule(apart, i)->src = hand_addr4(arena, 5, 10);
		hand_rule(apart, i)->value[FIELD_DPORT] = hand_values(arena, 3, 4);
	}
	hand_compile(shared, &a);
	hand_compile(apart, &b);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	image_fini(&a);
	image_fini(&b);
	arena_free(arena);
}

#define DIGESTS 16
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

static void test_digest_sees(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 3);
	struct rule *r = hand_rule(p, 1);

	(void)state;
	assert_new_digest(p);
	r->verdict = VERDICT_PASS;
	assert_new_digest(p);
	r->src = hand_addr4(arena, 0x0a000000, 0x0a0000ff);
	assert_new_digest(p);
	r->src = hand_addr4(arena, 0x0a000000, 0x0a0001ff);
	assert_new_digest(p);
	r->dst = r->src;
	r->src = NULL;
	assert_new_digest(p);
	r->value[FIELD_TTL] = hand_values(arena, 1, 1);
	assert_new_digest(p);
	r->value[FIELD_TTL] = hand_values(arena, 1, 2);
	assert_new_digest(p);
	r->families = 1u << FAMILY_IPV4;
	r->dst = NULL;
	assert_new_digest(p);
	r->label = "name";
	assert_new_digest(p);
	p->chain[DIRECTION_INGRESS].fallback = VERDICT_PASS;
	assert_new_digest(p);
	p->chain[DIRECTION_INGRESS].nrules = 2;
	assert_new_digest(p);
	p->chain[DIRECTION_EGRESS].present = true;
	assert_new_digest(p);
	p->name = "other";
	assert_new_digest(p);
	arena_free(arena);
}

/* The digest of a fixed rule set. It changes with the image format and with what a digest covers, and with nothing
 * else. */
static void test_digest_is_known(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 3);
	struct image img;
	char hex[65];

	(void)state;
	hand_rule(p, 0)->src = hand_addr4(arena, 0x0a000000, 0x0a0000ff);
	hand_rule(p, 1)->dst = hand_addr6(arena, (u128)0x20010db8 << 96, (u128)0x20010db8 << 96 | 7);
	hand_rule(p, 2)->value[FIELD_DPORT] = hand_values(arena, 80, 443);
	hand_compile(p, &img);
	image_digest_hex(image_hdr(&img), hex);
	assert_string_equal(hex, "7c0be1a8e79423e6d53a163f069a58a3185720c0ba1eb351925afbd9ce24ddf8");
	image_fini(&img);
	arena_free(arena);
}

/* Where the rules were written is not what they say. */
static void test_digest_does_not_see(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 3);
	struct image a, b;

	(void)state;
	hand_compile(p, &a);
	hand_rule(p, 1)->line = 77;
	hand_rule(p, 2)->file = "elsewhere.fw";
	hand_compile(p, &b);
	assert_memory_equal(image_hdr(&a)->digest, image_hdr(&b)->digest, sizeof(image_hdr(&a)->digest));
	image_fini(&a);
	image_fini(&b);
	arena_free(arena);
}

static void test_dumps(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 2);
	struct str out = {};
	struct compile_opts opts = { .dump = COMPILE_DUMP_BOXES, .out = &out };
	struct diags d;
	struct image img;

	(void)state;
	hand_rule(p, 0)->src = hand_addr4(arena, 0x0a000000, 0x0a0000ff);
	hand_rule(p, 0)->value[FIELD_DPORT] = hand_values(arena, 80, 80);
	hand_rule(p, 1)->value[FIELD_DPORT] = hand_no_values(arena);
	diags_init(&d, arena);
	assert_int_equal(compile_policy(p, "", "", &d, &opts, &img), 0);
	assert_non_null(strstr(str_get(&out), "box 0 drop ipv4, port { 80 }, from (IPv4) { 10.0.0.0-10.0.0.255 }\n"));
	assert_non_null(strstr(str_get(&out), "rule 1 can match nothing\n"));
	assert_null(strstr(str_get(&out), "ipv6"));
	image_fini(&img);
	str_reset(&out);
	opts.dump = COMPILE_DUMP_TABLES;
	opts.no_warnings = true;
	assert_int_equal(compile_policy(p, "", "", &d, &opts, &img), 0);
	assert_int_equal(d.warnings, 1); /* of the first time */
	assert_non_null(strstr(str_get(&out), "port: 1 sets, 2 classes, 3 stretches"));
	assert_non_null(strstr(str_get(&out), "from 10.0.1.0: class 0\n"));
	assert_non_null(strstr(str_get(&out), "without the field: class 0\n"));
	str_reset(&out);
	image_dump(image_hdr(&img), &out);
	assert_non_null(strstr(str_get(&out), "policy hand\n"));
	assert_non_null(strstr(str_get(&out), "ingress: present, default drop"));
	assert_non_null(strstr(str_get(&out), "egress: absent, default pass"));
	image_fini(&img);
	str_fini(&out);
	diags_fini(&d);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "the same rule set gives the same bytes", test_same_bytes, NULL, NULL, NULL },
		{ "the digest tells the engine", test_digest_tells_engine, NULL, NULL, NULL },
		{ "whether rules share a set does not show", test_sharing_does_not_show, NULL, NULL, NULL },
		{ "the digest tells every change of meaning", test_digest_sees, NULL, NULL, NULL },
		{ "the digest of a fixed rule set is known", test_digest_is_known, NULL, NULL, NULL },
		{ "the digest does not tell where rules were written", test_digest_does_not_see, NULL, NULL, NULL },
		{ "boxes, tables and images can be read", test_dumps, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("compile_same", tests, NULL, NULL);
}

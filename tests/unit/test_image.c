// SPDX-License-Identifier: GPL-2.0-only
/* Images: recognised, refused when damaged, grown, described. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "harness/handmade.h"
#include "harness/image_walk.h"
#include "harness/rulegen.h"

static bool random_image(struct image *ret, uint64_t seed)
{
	struct rulegen_opts opts = { .nrules = 300, .state = true, .limits = true, .reject = true, .live = 3 };
	struct arena *arena = arena_new();
	struct prng prng;
	struct policy *p;

	prng_init(&prng, seed);
	p = rulegen_policy(arena, &prng, &opts);
	assert_non_null(p);
	hand_compile(p, ret);
	arena_free(arena);
	return image_hdr(ret)->dir[0].dims == (1u << FW_DIM_COUNT) - 1;
}

/* An image with every kind of table in it, and all that rules may ask for. Some fields are rare in random rules. */
static void full_image(struct image *ret, uint64_t seed)
{
	for (uint64_t last = seed + 10000; !random_image(ret, seed); seed += 100) {
		image_fini(ret);
		assert_true(seed < last);
	}
}

/* A copy in memory of exactly that length: a read past its end is seen by the sanitizer. */
static uint8_t *exact_copy(const struct image *img, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, img->data, len);
	return copy;
}

static int check(const void *data, size_t len)
{
	const char *why = NULL;
	int err = image_check(data, len, &why);

	if (err)
		assert_non_null(why);
	return err;
}

static void test_header_words(void **state)
{
	static const uint32_t masks[] = { 1, 0x80, 0x80000000, 0xffffffff };
	struct image img;

	(void)state;
	full_image(&img, 1);
	assert_int_equal(check(img.data, img.len), 0);
	for (size_t at = 0; at < sizeof(struct fw_image); at += 4) {
		bool generation =
			at >= offsetof(struct fw_image, generation) && at < offsetof(struct fw_image, total_len);
		uint32_t *word = (uint32_t *)(img.data + at);

		/* The publisher writes the generation, and any number is a good one. */
		for (size_t m = 0; m < sizeof(masks) / sizeof(masks[0]); m++) {
			*word ^= masks[m];
			assert_int_equal(check(img.data, img.len), generation ? 0 : -EINVAL);
			*word ^= masks[m];
		}
	}
	image_fini(&img);
}

static void test_truncated(void **state)
{
	struct image img;

	(void)state;
	full_image(&img, 2);
	for (size_t len = 0; len < img.len; len += 64) {
		assert_int_equal(check(img.data, len), -EINVAL);
		if (len < 4096 || len % 262144 == 0) {
			uint8_t *copy = exact_copy(&img, len);

			assert_int_equal(check(copy, len), -EINVAL);
			free(copy);
		}
	}
	assert_int_equal(check(img.data, img.len - 8), -EINVAL);
	image_fini(&img);
}

/* Words in the header that pass for whole, because the check was made anew: then structure must be refused. */
static void test_forged_header(void **state)
{
	static const uint32_t forged[] = { 0, 1, 7, 8, 0xffffffff, 0xfffffff8, 0x80000000, 1 << 20, FW_MAX_IMAGE };
	struct fw_image saved, *hdr;
	struct image img;
	size_t refused = 0;

	(void)state;
	full_image(&img, 3);
	hdr = (struct fw_image *)exact_copy(&img, img.len);
	saved = *hdr;
	for (size_t at = 0; at < sizeof(saved); at += 4) {
		for (size_t k = 0; k < sizeof(forged) / sizeof(forged[0]); k++) {
			memcpy((uint8_t *)hdr + at, &forged[k], 4);
			hdr->check = image_header_check(hdr);
			/* Whatever it says, it must not read outside: that is for the sanitizer to see. */
			refused += check(hdr, img.len) != 0;
			*hdr = saved;
		}
	}
	assert_true(refused > 300);
	assert_int_equal(check(hdr, img.len), 0);
	free(hdr);
	image_fini(&img);
}

/* Damage behind the header: refused, or harmless to every reader of names. */
static void test_damaged_body(void **state)
{
	struct prng prng;
	struct image img;
	size_t refused = 0;

	(void)state;
	full_image(&img, 4);
	prng_init(&prng, prng_seed("test_damaged_body", 0));
	for (int i = 0; i < 1000; i++) {
		size_t from = prng_chance(&prng, 1, 2) ? image_hdr(&img)->meta_off : sizeof(struct fw_image);
		size_t at = from + prng_below(&prng, (img.len - from) / 4) * 4;
		uint32_t saved, *word = (uint32_t *)(img.data + at);
		const char *why;

		saved = *word;
		*word ^= 1u << prng_below(&prng, 32);
		if (image_check(img.data, img.len, &why)) {
			refused++;
		} else {
			struct str s = {};
			size_t n, sum = 0;

			image_dump(image_hdr(&img), &s);
			for (int d = 0; d < FW_DIR_COUNT; d++) {
				const struct fw_meta_rule *r = image_rules(image_hdr(&img), d, &n);

				for (size_t k = 0; k < n; k++)
					sum += strlen(image_str(image_hdr(&img), r[k].id)) +
					       strlen(image_str(image_hdr(&img), r[k].label));
			}
			assert_true(sum > 0);
			str_fini(&s);
		}
		*word = saved;
	}
	assert_true(refused > 0);
	image_fini(&img);
}

/* Names can be trusted while the tables are out of reach: a read of those would end the test. */
static void test_names_without_tables(void **state)
{
	struct prng prng;
	struct image img;
	size_t refused = 0, from, hole;
	const char *why;

	(void)state;
	full_image(&img, 5);
	from = image_meta_start(image_hdr(&img));
	hole = (from & ~4095ul) - 4096;
	assert_true(from > 3 * 4096);
	assert_int_equal(mprotect(img.data + 4096, hole, PROT_NONE), 0);
	assert_int_equal(image_check_meta(img.data, img.len, &why), 0);
	prng_init(&prng, prng_seed("test_names_without_tables", 0));
	for (int i = 0; i < 2000; i++) {
		uint32_t *word = (uint32_t *)(img.data + from + prng_below(&prng, (img.len - from) / 4) * 4), saved = *word;

		*word ^= prng_chance(&prng, 1, 4) ? (uint32_t)prng_u64(&prng) : 1u << prng_below(&prng, 32);
		if (image_check_meta(img.data, img.len, &why)) {
			refused++;
		} else {
			for (int d = 0; d < FW_DIR_COUNT; d++) {
				size_t n, sum = 0;
				const struct fw_meta_rule *r = image_rules(image_hdr(&img), d, &n);

				for (size_t k = 0; k < n; k++)
					sum += strlen(image_str(image_hdr(&img), r[k].id));
				assert_true(sum > 0);
			}
		}
		*word = saved;
	}
	assert_true(refused > 0);
	image_hdr(&img)->dir[0].actions ^= 8;
	assert_int_equal(image_check_meta(img.data, img.len, &why), -EINVAL);
	image_fini(&img);
}

/* Damage that chance is unlikely to find. */
static void test_damaged_words(void **state)
{
	struct fw_image *hdr;
	struct fw_meta *meta;
	struct fw_mac_tab *mac;
	struct fw_action *action;
	struct image img;
	uint32_t n;

	(void)state;
	full_image(&img, 6);
	hdr = image_hdr(&img);
	meta = (struct fw_meta *)(img.data + hdr->meta_off);
	mac = (struct fw_mac_tab *)(img.data + hdr->dir[0].dim[FW_DIM_MAC].tab);
	action = (struct fw_action *)(img.data + hdr->dir[1].actions);
	n = mac->n;
	mac->n = FW_MAX_MAC_BOUNDS + 1;
	assert_int_equal(check(img.data, img.len), -EINVAL);
	mac->n = 0;
	assert_int_equal(check(img.data, img.len), -EINVAL);
	mac->n = n;
	((char *)meta)[meta->strings_end - 1] = 'x';
	assert_int_equal(check(img.data, img.len), -EINVAL);
	((char *)meta)[meta->strings_end - 1] = 0;
	action[3].slot++; /* and the names say otherwise */
	assert_int_equal(check(img.data, img.len), -EINVAL);
	action[3].slot = FW_REASON_SLOT(FW_REASON_DEFAULT, FW_VERDICT_PASS);
	assert_int_equal(check(img.data, img.len), -EINVAL);
	image_fini(&img);
}

static void test_bases(void **state)
{
	struct fw_base base[100];
	struct image img;
	const struct fw_base *got;
	char before[65], after[65];
	const char *why;
	uint64_t check;
	size_t n, len;

	(void)state;
	full_image(&img, 5);
	len = img.len;
	check = image_hdr(&img)->check;
	image_digest_hex(image_hdr(&img), before);
	for (size_t i = 0; i < 100; i++)
		base[i] = (struct fw_base){ .map_id = i, .slot = 128 + i, .packets = i * i, .bytes = ~i };
	for (size_t k = 0; k <= 100; k += 20) {
		assert_int_equal(image_set_bases(&img, base, k), 0);
		assert_int_equal(image_check(img.data, img.len, &why), 0);
		got = image_bases(image_hdr(&img), &n);
		assert_int_equal(n, k);
		if (n)
			assert_memory_equal(got, base, n * sizeof(*got));
		assert_int_equal(img.len, len + k * sizeof(*base));
	}
	/* Bases are history, not content. */
	image_digest_hex(image_hdr(&img), after);
	assert_string_equal(before, after);
	assert_int_equal(image_set_bases(&img, NULL, 0), 0);
	assert_int_equal(img.len, len);
	assert_int_equal(image_hdr(&img)->check, check);
	assert_int_equal(image_set_bases(&img, base, SIZE_MAX / 2), -ENOMEM);
	assert_int_equal(image_check(img.data, img.len, &why), 0);
	image_fini(&img);
}

static void test_pass_all(void **state)
{
	struct packet other = { .family = FAMILY_OTHER }, v4 = hand_packet4(1, 2), v6 = hand_packet6(3, 4);
	struct str text = {};
	struct image img;
	const char *why;
	uint32_t nslots[FW_DIR_COUNT];

	(void)state;
	assert_int_equal(image_pass_all("any", &img), 0);
	assert_int_equal(image_check(img.data, img.len, &why), 0);
	assert_string_equal(image_policy(image_hdr(&img)), "any");
	assert_string_equal(image_source(image_hdr(&img)), "");
	image_text(image_hdr(&img), &text);
	assert_string_equal(str_get(&text), "");
	for (int d = 0; d < FW_DIR_COUNT; d++) {
		assert_int_equal(image_walk(&img, d, &v4, NULL, NULL).verdict, VERDICT_PASS);
		assert_int_equal(image_walk(&img, d, &v6, NULL, NULL).verdict, VERDICT_PASS);
		assert_int_equal(image_walk(&img, d, &other, NULL, NULL).verdict, VERDICT_PASS);
	}
	assert_int_equal(image_assign_slots(&img, NULL, nslots), 0);
	assert_int_equal(nslots[0], FW_SLOT_RULE0);
	assert_int_equal(nslots[1], FW_SLOT_RULE0);
	image_fini(&img);
}

static void test_meta(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 6);
	const struct fw_meta_rule *r;
	struct compile_opts opts = {};
	struct diags d;
	struct str text = {};
	struct image img;
	size_t n;

	(void)state;
	hand_rule(p, 0)->text = hand_rule(p, 1)->text = hand_rule(p, 4)->text = "drop";
	hand_rule(p, 2)->label = "drop#2";
	hand_rule(p, 3)->label = "web";
	hand_rule(p, 5)->essential = true;
	hand_rule(p, 5)->verdict = VERDICT_PASS;
	diags_init(&d, arena);
	assert_int_equal(compile_policy(p, "dir/hand.fw", "policy hand {}\n", &d, &opts, &img), 0);
	assert_string_equal(image_policy(image_hdr(&img)), "hand");
	assert_string_equal(image_source(image_hdr(&img)), "dir/hand.fw");
	image_text(image_hdr(&img), &text);
	assert_string_equal(str_get(&text), "policy hand {}\n");
	str_fini(&text);
	r = image_rules(image_hdr(&img), FW_DIR_INGRESS, &n);
	assert_int_equal(n, 6);
	/* Namesakes are numbered, and every identity is another. */
	assert_string_equal(image_str(image_hdr(&img), r[0].id), "drop");
	assert_string_equal(image_str(image_hdr(&img), r[1].id), "drop#2");
	assert_string_equal(image_str(image_hdr(&img), r[2].id), "drop#2#2");
	assert_string_equal(image_str(image_hdr(&img), r[3].id), "web");
	assert_string_equal(image_str(image_hdr(&img), r[4].id), "drop#3");
	assert_string_equal(image_str(image_hdr(&img), r[3].label), "web");
	assert_string_equal(image_str(image_hdr(&img), r[0].label), "");
	assert_string_equal(image_str(image_hdr(&img), r[3].text), "rule 3");
	assert_string_equal(image_str(image_hdr(&img), r[3].file), "hand.fw");
	assert_int_equal(r[3].line, 4);
	assert_int_equal(r[5].flags & FW_RULEF_ESSENTIAL, FW_RULEF_ESSENTIAL);
	assert_int_equal(r[5].verdict, FW_VERDICT_PASS);
	image_fini(&img);
	/* A label that looks like a number given later is stepped over. */
	hand_rule(p, 0)->label = "drop#2";
	hand_rule(p, 2)->label = "x";
	assert_int_equal(compile_policy(p, "", "", &d, &opts, &img), 0);
	r = image_rules(image_hdr(&img), FW_DIR_INGRESS, &n);
	assert_string_equal(image_str(image_hdr(&img), r[0].id), "drop#2");
	assert_string_equal(image_str(image_hdr(&img), r[1].id), "drop");
	assert_string_equal(image_str(image_hdr(&img), r[4].id), "drop#3");
	diags_fini(&d);
	image_fini(&img);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "a changed header word is refused", test_header_words, NULL, NULL, NULL },
		{ "a truncated image is refused at every length", test_truncated, NULL, NULL, NULL },
		{ "a forged header leads nowhere outside", test_forged_header, NULL, NULL, NULL },
		{ "a damaged body is refused or harmless", test_damaged_body, NULL, NULL, NULL },
		{ "names are told without the tables", test_names_without_tables, NULL, NULL, NULL },
		{ "damage to counts, terminators and slots is refused", test_damaged_words, NULL, NULL, NULL },
		{ "counter bases come and go without changing the content", test_bases, NULL, NULL, NULL },
		{ "the image without rules passes everything", test_pass_all, NULL, NULL, NULL },
		{ "names, texts and identities are told", test_meta, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}

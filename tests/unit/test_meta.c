// SPDX-License-Identifier: GPL-2.0-only
/* Names and texts of the rules in an image: each text stands there once, and every reader finds it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "compile/compile.h"
#include "lang/lang.h"

#define NRULES 5000

struct made {
	struct arena *arena;
	struct policy *policy;
	struct str text; /* canonical */
	struct image img;
};

static void made_setup(struct made *m, const char *rules, const char *other_text)
{
	struct compile_opts opts = { .no_warnings = true };
	struct ruleset *rs;
	struct diags d;

	*m = (struct made){ .arena = arena_new() };
	diags_init(&d, m->arena);
	assert_int_equal(lang_parse(m->arena, "meta.fw", rules, strlen(rules), NULL, &d, &rs), 0);
	m->policy = &rs->policies[0];
	lang_print_policy(m->policy, &m->text);
	assert_int_equal(
		compile_policy(m->policy, "meta.fw", other_text ? other_text : m->text.s, &d, &opts, &m->img), 0);
	diags_fini(&d);
}

static void made_fini(struct made *m)
{
	image_fini(&m->img);
	str_fini(&m->text);
	arena_free(m->arena);
}

/* What every rule says of itself; *ret_outside: how many texts stand apart from the text of the policy. */
static void check_rules(const struct made *m, size_t *ret_outside)
{
	const struct fw_image *hdr = image_hdr(&m->img);
	size_t len, n;
	const char *text = image_lines(hdr, &len), *why;

	*ret_outside = 0;
	assert_int_equal(image_check(m->img.data, m->img.len, &why), 0);
	for (int d = 0; d < FW_DIR_COUNT; d++) {
		const struct fw_meta_rule *r = image_rules(hdr, (enum fw_dir)d, &n);

		assert_int_equal(n, m->policy->chain[d].nrules);
		for (size_t i = 0; i < n; i++) {
			const struct rule *rule = &m->policy->chain[d].rules[i];
			const char *at = image_str(hdr, r[i].text);

			assert_string_equal(at, rule->text);
			assert_string_equal(image_str(hdr, r[i].label), rule->label ? rule->label : "");
			assert_string_equal(image_str(hdr, r[i].file), rule->file);
			assert_int_equal(r[i].line, rule->line);
			assert_int_equal(strncmp(image_str(hdr, r[i].id), rule->label ?: rule->text,
						 strlen(rule->label ?: rule->text)),
					 0);
			*ret_outside += at < text || at >= text + len;
		}
	}
}

static void test_texts_stand_there_once(void **state)
{
	struct str rules = {}, back = {};
	size_t outside;
	struct made m;

	(void)state;
	str_add(&rules, "policy p {\ningress default drop {\n");
	for (unsigned int i = 0; i < NRULES; i++) {
		str_addf(&rules, "pass proto tcp from 10.%u.%u.0/24 to 192.0.2.%u port %u", i / 256, i % 256, i % 250, i);
		if (i % 3 == 0)
			str_addf(&rules, " label \"rule \\\"%u\\\" \\x0a\"", i);
		str_add(&rules, "\n");
	}
	str_add(&rules, "}\negress default pass {\ndrop to 10.0.0.0/8\ndrop to 10.0.0.0/8\n}\n}\n");
	made_setup(&m, str_get(&rules), NULL);
	check_rules(&m, &outside);
	assert_int_equal(outside, 0);
	image_text(image_hdr(&m.img), &back);
	assert_string_equal(str_get(&back), str_get(&m.text));
	assert_true(image_hdr(&m.img)->meta_len <= back.len + 64 * NRULES);
	made_fini(&m);
	str_fini(&rules);
	str_fini(&back);
}

/* The text that the caller gives need not have the rules in it. */
static void test_another_text(void **state)
{
	static const char *const rules = "policy p { ingress default pass {\ndrop\npass proto tcp\ncount\n} }\n";
	static const char *const texts[] = { "", "\n", "x", "drop", "pass proto tcp\n", "count\n\n\ndrop\n", "a drop\nb drop" };
	size_t outside;
	struct made m;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct str back = {}, want = {};

		made_setup(&m, rules, texts[i]);
		check_rules(&m, &outside);
		assert_true(outside > 0);
		image_text(image_hdr(&m.img), &back);
		str_addf(&want, "%s%s", texts[i],
			 !*texts[i] || texts[i][strlen(texts[i]) - 1] == '\n' ? "" : "\n");
		assert_string_equal(str_get(&back), str_get(&want));
		str_fini(&back);
		str_fini(&want);
		made_fini(&m);
	}
}

/* A text of another length than it has cannot lead out of the image. */
static void test_forged_length(void **state)
{
	static const uint32_t lengths[] = { 1u << 20, UINT32_MAX, UINT32_MAX - 31, 0x80000000 };
	struct fw_meta *meta;
	const char *why;
	struct made m;

	(void)state;
	made_setup(&m, "policy p { ingress default pass { drop\n } }\n", NULL);
	meta = (struct fw_meta *)(m.img.data + image_hdr(&m.img)->meta_off);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		meta->text_len = lengths[i];
		assert_int_equal(image_check(m.img.data, m.img.len, &why), -EINVAL);
		assert_string_equal(why, "meta strings");
	}
	made_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts_stand_there_once),
		cmocka_unit_test(test_another_text),
		cmocka_unit_test(test_forged_length),
	};

	return cmocka_run_group_tests_name("meta", tests, NULL, NULL);
}

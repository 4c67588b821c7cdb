// SPDX-License-Identifier: GPL-2.0-only
/* Set files: each format that lists are published in, garbage with its place, real lists, and a million lines in time.
 */
#include "lang_test.h"

#include <arpa/inet.h>
#include <time.h>

/* A reader with one file in memory. */
struct one_file {
	const char *text;
	size_t len;
	char path[256];
};

static int one_read(void *ctx, struct arena *arena, const char *path, const char **ret_text, size_t *ret_len)
{
	struct one_file *f = ctx;

	snprintf(f->path, sizeof(f->path), "%s", path);
	*ret_text = f->text;
	*ret_len = f->len;
	return 0;
}

static const char rules[] =
	"set s { type prefix; file \"list\" }\npolicy p { ingress default pass { drop from @s } }\n";

static struct parsed read_list(const char *text, size_t len)
{
	struct one_file file = { .text = text, .len = len };
	struct lang_reader reader = { .read = one_read, .ctx = &file };
	struct parsed p = { .arena = arena_new() };

	diags_init(&p.d, p.arena);
	p.err = lang_parse(p.arena, "dir/rules.fw", rules, strlen(rules), &reader, &p.d, &p.rules);
	diags_print(&p.d, &p.errors);
	assert_string_equal(file.path, "dir/list");
	return p;
}

/* A line, and how the set is printed then; NULL: refused. */
static const char *const lines[][2] = {
	{ "192.0.2.0/24", "192.0.2.0/24" },
	{ "192.0.2.1", "192.0.2.1" },
	{ "192.0.2.1\r", "192.0.2.1" },
	{ "  192.0.2.1\t", "192.0.2.1" },
	{ "192.0.2.0/24 # nl", "192.0.2.0/24" },
	{ "192.0.2.0/24#nl", "192.0.2.0/24" },
	{ "192.0.2.0/24 ; SBL000001", "192.0.2.0/24" },
	{ "192.0.2.0/24;SBL000001", "192.0.2.0/24" },
	{ "192.0.2.7\t10", "192.0.2.7" },
	{ "192.0.2.7,2026-01-01,scanner", "192.0.2.7" },
	{ "192.0.2.7 anything at all", "192.0.2.7" },
	{ "192.0.2.1-192.0.2.9", "192.0.2.1-192.0.2.9" },
	{ "192.0.2.1 - 192.0.2.9", "192.0.2.1-192.0.2.9" },
	{ "192.0.2.1 -192.0.2.9", "192.0.2.1" },
	{ "192.0.2.77/24", "192.0.2.0/24" },
	{ "0.0.0.0/0", "0.0.0.0/0" },
	{ "2001:db8::/32", "2001:db8::/32" },
	{ "2001:DB8::1", "2001:db8::1" },
	{ "2001:db8::1-2001:db8::f", "2001:db8::1-2001:db8::f" },
	{ "::/0", "::/0" },
	{ "", "" },
	{ "# comment", "" },
	{ "; comment", "" },
	{ "   # comment", "" },
	{ "\xef\xbb\xbf"
	  "192.0.2.1",
	  "192.0.2.1" },
	{ "192.0.2", NULL },
	{ "192.0.2.256", NULL },
	{ "192.0.2.1.1", NULL },
	{ "192.0.2.0/33", NULL },
	{ "192.0.2.0/", NULL },
	{ "192.0.2.01", NULL },
	{ "192.0.2.9-192.0.2.1", NULL },
	{ "192.0.2.1-2001:db8::1", NULL },
	{ "192.0.2.0/24-192.0.3.0/24", NULL },
	{ "2001:db8::/129", NULL },
	{ "2001:db8:::", NULL },
	{ "example.com", NULL },
	{ "any", NULL },
	{ "!192.0.2.1", NULL },
	{ ",192.0.2.1", NULL },
	{ "add blocklist 192.0.2.1", NULL },
};

static void each_format_is_read(void **state)
{
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		for (int newline = 0; newline < 2; newline++) {
			char text[256], want[256];
			struct str printed = {};

			snprintf(text, sizeof(text), "%s%s", lines[i][0], newline ? "\n" : "");
			{
				auto_parsed struct parsed p = read_list(text, strlen(text));

				if (!!p.err != !lines[i][1])
					fail_msg("%s: %s", lines[i][1] ? "refused" : "not refused", lines[i][0]);
				if (!p.err) {
					lang_print(p.rules, &printed);
					snprintf(want, sizeof(want),
						 lines[i][1][0] ? "elements { %s }" : "elements { }", lines[i][1]);
					assert_non_null(strstr(str_get(&printed), want));
				} else {
					assert_non_null(strstr(str_get(&p.errors), "dir/list:1:"));
				}
				str_fini(&printed);
			}
		}
	}
}

static void a_NUL_is_garbage(void **state)
{
	auto_parsed struct parsed p = read_list("192.0.2.1\0\n192.0.2.2\n", 21);

	assert_int_equal(p.err, -EINVAL);
	assert_non_null(strstr(str_get(&p.errors), "\\x00"));
}

static void garbage_is_capped(void **state)
{
	struct str text = {};

	for (int i = 0; i < 100000; i++)
		str_add(&text, "this is not a list of addresses\n");
	{
		auto_parsed struct parsed p = read_list(str_get(&text), text.len);

		assert_int_equal(p.err, -EINVAL);
		assert_int_equal(p.d.errors, 11);
		assert_non_null(strstr(str_get(&p.errors), "99990 more lines"));
	}
	str_fini(&text);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void a_million_lines_take_no_time(void **state)
{
	struct str text = {};
	double start;

	/* Out of order, so that sorting has its share. */
	for (uint32_t i = 0; i < 1000000; i++) {
		uint32_t a = (i * 2654435761u) & ~1u;

		str_addf(&text, "%u.%u.%u.%u/31\n", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
	}
	start = seconds();
	{
		auto_parsed struct parsed p = read_list(str_get(&text), text.len);

		start = seconds() - start;
		assert_int_equal(p.err, 0);
		assert_true(p.rules->sets[0].addresses->n4 > 900000);
	}
	print_message("# a million prefixes: %.0f ms\n", start * 1e3);
	/* Generous, for sanitizers and busy machines; quadratic behaviour would take hours. */
	assert_true(start < 20);
	str_fini(&text);
}

/* Every line of a list, read by the C library, is in the set. */
static size_t count_members(const struct aset *set, const char *text, size_t len)
{
	size_t members = 0;

	for (const char *s = text, *eol; s < text + len; s = eol + 1) {
		char word[64] = "";
		struct in6_addr a6;
		struct in_addr a4;
		u128 addr = 0;

		eol = memchr(s, '\n', (size_t)(text + len - s)) ?: text + len;
		if (*s == '#' || sscanf(s, "%63[0-9a-fA-F.:]", word) != 1)
			continue;
		if (inet_pton(AF_INET, word, &a4) == 1) {
			assert_true(aset_has4(set, ntohl(a4.s_addr)));
		} else if (inet_pton(AF_INET6, word, &a6) == 1) {
			for (int i = 0; i < 16; i++)
				addr = addr << 8 | a6.s6_addr[i];
			assert_true(aset_has6(set, addr));
		} else {
			fail_msg("not an address: %s", word);
		}
		members++;
	}
	return members;
}

/* Lists as they are published; skipped where they are not there. */
static void real_lists_are_read(void **state)
{
	static const struct {
		const char *name;
		size_t members;
	} lists[] = { { "country-v4.netset", 100000 }, { "country-v6.netset", 50000 }, { "ipsum.tsv", 100000 } };
	const char *dir = getenv("FWCTL_DATA") ?: "../shared/data";
	struct dir_reader reader = { .dir = dir };

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct arena *arena = arena_new();
		const char *text;
		size_t len;

		if (dir_read(&reader, arena, lists[i].name, &text, &len)) {
			arena_free(arena);
			print_message("# %s/%s is not there\n", dir, lists[i].name);
			skip();
		}
		{
			auto_parsed struct parsed p = read_list(text, len);

			assert_int_equal(p.err, 0);
			assert_true(count_members(p.rules->sets[0].addresses, text, len) >= lists[i].members);
		}
		arena_free(arena);
	}
}

static void ten_thousand_rules_take_no_time(void **state)
{
	struct str text = {};
	double start;

	str_add(&text, "policy p {\ningress default drop {\n");
	for (unsigned int i = 0; i < 10000; i++)
		str_addf(&text,
			 "pass proto tcp from 10.%u.%u.0/24 to 192.0.2.%u port { %u, %u-%u } flags S/SA label \"rule "
			 "%u\"\n",
			 i / 256, i % 256, i % 250, i, i + 9, i + 19, i);
	str_add(&text, "}\n}\n");
	start = seconds();
	{
		auto_parsed struct parsed p = parse_string(str_get(&text));

		start = seconds() - start;
		assert_int_equal(p.err, 0);
		assert_int_equal(p.rules->policies[0].chain[0].nrules, 10005);
	}
	print_message("# ten thousand rules: %.0f ms\n", start * 1e3);
	assert_true(start < 10);
	str_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_format_is_read),
		cmocka_unit_test(a_NUL_is_garbage),
		cmocka_unit_test(garbage_is_capped),
		cmocka_unit_test(a_million_lines_take_no_time),
		cmocka_unit_test(ten_thousand_rules_take_no_time),
		cmocka_unit_test(real_lists_are_read),
	};

	return cmocka_run_group_tests_name("netset", tests, NULL, NULL);
}

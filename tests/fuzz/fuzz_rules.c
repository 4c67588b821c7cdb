// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule text from anywhere. The parser never crashes, never runs away, and says why when it refuses; what it accepts is
 * printed, and what is printed is read back as the same text.
 *
 * The input is the top file; a line of 0xff bytes starts the next file, and every read gives the next one, so that
 * includes and set files are fuzzed too.
 */
#include "base/arena.h"
#include "lang/lang.h"
#include "lang/netset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_READS 8

struct input {
	const char *text;
	size_t len;
	size_t reads;
};

/* The bytes up to the next separator; the rest stays in `in`. */
static void take_file(struct input *in, const char **ret_text, size_t *ret_len)
{
	const char *end = in->len ? memchr(in->text, 0xff, in->len) : NULL;
	size_t len = end ? (size_t)(end - in->text) : in->len;

	*ret_text = in->text;
	*ret_len = len;
	in->text += len + (end ? 1 : 0);
	in->len -= len + (end ? 1 : 0);
}

static int input_read(void *ctx, struct arena *arena, const char *path, const char **ret_text, size_t *ret_len)
{
	struct input *in = ctx;

	/* Whatever the text says, no path leaves the directory. */
	if (path[0] == '/' || !strncmp(path, "../", 3) || strstr(path, "/../") || !strcmp(path, ".."))
		abort();
	if (!in->len || in->reads++ == MAX_READS)
		return -ENOENT;
	take_file(in, ret_text, ret_len);
	return 0;
}

/* Canonical text of canonical text is itself, and it is never refused. */
static void check_identity(const struct ruleset *rs)
{
	struct arena *arena = arena_new();
	struct str first = {}, second = {};
	struct ruleset *again;
	struct diags d;

	diags_init(&d, arena);
	lang_print(rs, &first);
	if (lang_parse(arena, "again", str_get(&first), first.len, NULL, &d, &again))
		abort();
	lang_print(again, &second);
	if (first.len != second.len || strcmp(str_get(&first), str_get(&second)))
		abort();
	str_fini(&first);
	str_fini(&second);
	diags_fini(&d);
	arena_free(arena);
}

static void check_packet(const char *text, size_t len)
{
	struct arena *arena = arena_new();
	struct packet_spec *spec = NULL;
	struct diags d;
	int err;

	diags_init(&d, arena);
	err = lang_parse_packet(arena, "packet", text, len, &d, &spec);
	if ((err == 0) != (spec != NULL) || (err && !d.errors))
		abort();
	diags_fini(&d);
	arena_free(arena);
}

/* The fast reader of set files takes nothing but what the careful one says. */
static void check_plain(const char *s, const char *stop)
{
	while (s < stop) {
		const char *eol = memchr(s, '\n', (size_t)(stop - s)) ?: stop, *word, *end;
		struct addr_range want = {};
		struct range4 r4;
		struct range6 r6;
		size_t n4, n6;
		bool empty, good = !netset_line(s, eol, &want, &empty, &word, &end) && !empty;

		netset_plain4(s, stop, &r4, 1, &n4);
		netset_plain6(s, stop, &r6, 1, &n6);
		if ((n4 || n6) && !good)
			abort();
		if (n4 && (want.family != FAMILY_IPV4 || want.lo != r4.lo || want.hi != r4.hi))
			abort();
		if (n6 && (want.family != FAMILY_IPV6 || want.lo != r6.lo || want.hi != r6.hi))
			abort();
		s = eol < stop ? eol + 1 : stop;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { .text = (const char *)data, .len = size };
	struct lang_reader reader = { .read = input_read, .ctx = &in };
	struct arena *arena = arena_new();
	struct ruleset *rs = NULL;
	struct str out = {};
	struct diags d;
	const char *text;
	size_t len;
	int err;

	take_file(&in, &text, &len);
	diags_init(&d, arena);
	err = lang_parse(arena, "top", text, len, &reader, &d, &rs);
	/* Refused and said why, or accepted: nothing between. */
	if ((err == 0) != (rs != NULL) || (err == 0) != (d.errors == 0))
		abort();
	diags_print(&d, &out);
	for (size_t i = 0; i < out.len; i++) /* and never a byte that drives a terminal */
		if (((unsigned char)out.s[i] < ' ' && out.s[i] != '\n') || (unsigned char)out.s[i] >= 0x7f)
			abort();
	str_reset(&out);
	lang_dump_ast(arena, "top", text, len, &d, &out);
	if (!err)
		check_identity(rs);
	check_packet(text, len);
	check_plain((const char *)data, (const char *)data + size);
	str_fini(&out);
	diags_fini(&d);
	arena_free(arena);
	return 0;
}

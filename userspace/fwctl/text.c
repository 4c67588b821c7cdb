// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/text.h"

#include "base/diag.h"
#include "lang/lang.h"
#include "lang/names.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static size_t name_len(const char *s)
{
	size_t len = 0;

	while (isalnum((unsigned char)s[len]) || s[len] == '_' || s[len] == '-' || s[len] == '.')
		len++;
	return len;
}

/* Canonical text names a set as @name: put the names of a chain into `used`. 0 or -ENOMEM. */
static int sets_used(struct arena *arena, const struct chain *chain, struct names *used)
{
	static char yes;
	int err = 0;

	for (size_t i = 0; i < chain->nrules; i++) {
		for (const char *at = strchr(chain->rules[i].text, '@'); at && err != -ENOMEM; at = strchr(at + 1, '@'))
			err = names_put(used, arena, at + 1, name_len(at + 1), &yes);
	}
	return err == -ENOMEM ? err : 0;
}

/* An address takes 10 to 80 bytes of text: an estimate before anything is printed. */
static bool sets_small(const struct ruleset *one)
{
	size_t n = 0;

	for (size_t i = 0; i < one->nsets; i++)
		n += one->sets[i].addresses ? one->sets[i].addresses->n4 + 2 * one->sets[i].addresses->n6 : 0;
	return n < TEXT_MAX / 20;
}

/* Comments instead of the sets that hold addresses; live ones are what they were declared as. */
static void sets_tell(struct ruleset *one, struct str *out)
{
	size_t live = 0;

	for (size_t i = 0; i < one->nsets; i++) {
		const struct named_set *set = &one->sets[i];

		if (set->addresses)
			str_addf(out, "# set %s: %zu IPv4 ranges, %zu IPv6 ranges; too many for this text\n", set->name,
				 set->addresses->n4, set->addresses->n6);
		else
			one->sets[live++] = *set;
	}
	one->nsets = live;
}

int text_make(struct arena *arena, const struct ruleset *rs, const struct policy *p, struct str *out)
{
	struct policy copy = *p;
	struct ruleset one = { .file = rs->file, .policies = &copy, .npolicies = 1 };
	struct names used = {};
	int err = 0;

	one.sets = arena_array(arena, rs->nsets, sizeof(*one.sets));
	for (int d = 0; d < DIRECTION_COUNT && rs->nsets && !err; d++)
		err = sets_used(arena, &p->chain[d], &used);
	if (!one.sets || err)
		return -ENOMEM;
	for (size_t i = 0; i < rs->nsets; i++)
		if (names_get(&used, rs->sets[i].name, strlen(rs->sets[i].name)))
			one.sets[one.nsets++] = rs->sets[i];
	if (!sets_small(&one))
		sets_tell(&one, out);
	lang_print(&one, out);
	return out->failed ? -ENOMEM : 0;
}

const struct ruleset *text_read(struct arena *arena, const struct fw_image *img)
{
	struct str text = {};
	struct ruleset *rs = NULL;
	const char *copy;
	struct diags d;

	diags_init(&d, arena);
	image_text(img, &text);
	copy = text.failed ? NULL : arena_strndup(arena, str_get(&text), text.len);
	if (!copy || !*copy || lang_parse(arena, image_policy(img), copy, text.len, NULL, &d, &rs) || !rs->npolicies)
		rs = NULL;
	str_fini(&text);
	diags_fini(&d);
	return rs;
}

void text_sets(struct arena *arena, const struct fw_image *img,
	       void (*each)(void *ctx, const char *name, size_t n4, size_t n6), void *ctx)
{
	const struct ruleset *rs = text_read(arena, img);
	char name[128];
	size_t n4, n6, len;

	for (size_t i = 0; rs && i < rs->nsets; i++)
		if (rs->sets[i].addresses)
			each(ctx, rs->sets[i].name, rs->sets[i].addresses->n4, rs->sets[i].addresses->n6);
	if (rs)
		return;
	for (const char *p = image_lines(img, &len), *end = p + len; p < end && *p == '#'; p += strlen(p) + 1)
		if (sscanf(p, "# set %127[^:]: %zu IPv4 ranges, %zu IPv6 ranges", name, &n4, &n6) == 3)
			each(ctx, name, n4, n6);
}

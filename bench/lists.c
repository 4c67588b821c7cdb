// SPDX-License-Identifier: GPL-2.0-only
#include "bench/lists.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "lang/lang.h"
#include "lang/print.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static const char *own_dir;

void lists_also_in(const char *dir)
{
	own_dir = dir;
}

const char *lists_text(struct arena *arena, const char *file)
{
	return arena_printf(arena,
			    "set list { type prefix; file \"%s\" }\n"
			    "policy bench {\n\tingress default pass {\n\t\tdrop from @list\n\t}\n}\n",
			    file);
}

/* ctx: int that remembers a file that is not there. */
static int read_list(void *ctx, struct arena *arena, const char *path, const char **ret_text, size_t *ret_len)
{
	const char *dir = getenv("FWCTL_DATA");
	const char *full = arena_printf(arena, "%s/%s", dir ? dir : "../shared/data", path);
	const char *own = own_dir ? arena_printf(arena, "%s/%s", own_dir, path) : NULL;
	FILE *mine = own ? fopen(own, "re") : NULL;
	auto_fclose FILE *f = mine ? mine : full ? fopen(full, "re") : NULL;
	struct stat st;
	char *text;

	if (!f || fstat(fileno(f), &st)) {
		*(int *)ctx = -errno;
		return -errno;
	}
	text = arena_alloc(arena, st.st_size + 1);
	if (!text)
		return -ENOMEM;
	*ret_len = fread(text, 1, st.st_size, f);
	*ret_text = text;
	return 0;
}

int lists_parse(struct arena *arena, const char *text, struct ruleset **ret)
{
	int missing = 0, err;
	struct lang_reader reader = { .read = read_list, .ctx = &missing };
	struct diags diags;

	diags_init(&diags, arena);
	err = lang_parse(arena, "bench", text, strlen(text), &reader, &diags, ret);
	if (missing == -ENOENT) {
		err = -ENOENT;
	} else if (err) {
		struct str out = {};

		diags_print(&diags, &out);
		fprintf(stderr, "bench: cannot read rules: %s\n%s", strerror(-err), str_get(&out));
		str_fini(&out);
	}
	diags_fini(&diags);
	return err;
}

int lists_read(struct arena *arena, const char *file, const struct aset **ret)
{
	const char *text = lists_text(arena, file);
	struct ruleset *rs;
	int err = text ? lists_parse(arena, text, &rs) : -ENOMEM;

	if (!err)
		*ret = rs->sets[0].addresses;
	return err;
}

int lists_write(const char *path, const struct aset *set)
{
	auto_fclose FILE *f = fopen(path, "we");
	struct str line = {};
	int err = f ? 0 : -errno;

	for (size_t i = 0; !err && i < set->n4; i++) {
		str_reset(&line);
		print_range4(&line, &set->v4[i]);
		if (fprintf(f, "%s\n", str_get(&line)) < 0)
			err = -EIO;
	}
	str_fini(&line);
	if (err)
		fprintf(stderr, "bench: cannot write %s: %s\n", path, strerror(-err));
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Files that a rule file names. They stay below the directory of the file that names them. */
#include "base/arena.h"
#include "lang/resolve.h"

#include <errno.h>
#include <string.h>

/* Why this path is refused; NULL: it is fine. */
static const char *path_refused(const struct ast_text *path)
{
	const char *s = path->s, *end = path->s + path->len;

	if (!path->len)
		return "a file needs a name";
	if (path->len > 1024)
		return "the file's name is longer than 1024 bytes";
	if (*s == '/')
		return "the file must stand below the including file's directory: no absolute path";
	while (s <= end) {
		const char *slash = memchr(s, '/', (size_t)(end - s));
		size_t len = (size_t)((slash ? slash : end) - s);

		if (len == 2 && s[0] == '.' && s[1] == '.')
			return "the file must stand below the including file's directory: no \"..\"";
		if (!len)
			return "the file's name has an empty part";
		s += len + 1;
	}
	return NULL;
}

/* `path` beside the file called `base`. "./" is dropped, so that one file has one name. */
static const char *path_join(struct arena *arena, const char *base, const struct ast_text *path)
{
	const char *slash = strrchr(base, '/'), *s = path->s, *end = path->s + path->len;
	size_t dir = slash ? (size_t)(slash - base) + 1 : 0;
	char *joined = arena_alloc(arena, dir + path->len + 1), *out = joined;

	if (!joined)
		return NULL;
	memcpy(out, base, dir);
	out += dir;
	while (s < end) {
		const char *next = memchr(s, '/', (size_t)(end - s));
		size_t len = (size_t)((next ? next : end) - s);

		if (!(len == 1 && *s == '.')) {
			memcpy(out, s, len);
			out += len;
			if (next)
				*out++ = '/';
		}
		s += len + (next ? 1 : 0);
	}
	*out = '\0';
	return joined;
}

static bool load_cycle(struct resolver *r, const struct ast_text *path, const char *name)
{
	for (const struct load *l = r->load; l; l = l->parent) {
		if (!strcmp(l->source->name, name)) {
			diag_add(r->d, DIAG_ERROR, path->span, "\"%s\" includes itself", name);
			return true;
		}
	}
	return false;
}

bool load_file(struct resolver *r, const struct ast_text *path, const struct source **ret_source)
{
	const char *refused = path_refused(path), *name;
	struct source *source;
	int err;

	if (refused) {
		diag_add(r->d, DIAG_ERROR, path->span, "%s", refused);
		return false;
	}
	name = path_join(r->arena, r->load->source->name, path);
	source = arena_alloc(r->arena, sizeof(*source));
	if (!name || !source)
		return resolve_oom(r);
	if (load_cycle(r, path, name))
		return false;
	if (r->load->depth >= RESOLVE_MAX_DEPTH || r->includes >= RESOLVE_MAX_INCLUDES) {
		diag_add(r->d, DIAG_ERROR, path->span, "too many files: at most %d in a row and %d in all",
			 RESOLVE_MAX_DEPTH, RESOLVE_MAX_INCLUDES);
		return false;
	}
	r->includes++;
	source->name = name;
	err = r->reader ? r->reader->read(r->reader->ctx, r->arena, name, &source->text, &source->len) : -ENOENT;
	if (err == -ENOMEM)
		return resolve_oom(r);
	if (!err && source->len > LEX_MAX_TEXT)
		err = -EFBIG;
	if (err) {
		diag_add(r->d, DIAG_ERROR, path->span, "cannot read \"%s\": %s", name,
			 r->reader && r->reader->error ? r->reader->error(err) : strerror(-err));
		return false;
	}
	*ret_source = source;
	return true;
}

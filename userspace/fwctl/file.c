// SPDX-License-Identifier: GPL-2.0-only
/* Rule file → rule set → verdicts of its test blocks → images. */
#include "fwctl/file.h"

#include "base/cleanup.h"
#include "fwctl/cmd.h"
#include "fwctl/out.h"
#include "fwctl/text.h"
#include "fwctl/words.h"
#include "lang/lang.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

int file_open(struct file *f, const char *path)
{
	uint64_t start = now_ns();

	*f = (struct file){ .path = path, .reader.dir = -1, .arena = arena_new() };
	diags_init(&f->diags, f->arena);
	if (!f->arena) {
		problem("cannot read %s: no memory", out_name(path));
		return STATUS_REFUSED;
	}
	int err = reader_open(&f->reader, f->arena, path, &f->text, &f->len);
	if (err) {
		problem("cannot read %s: %s", out_name(path), reader_error(err));
		return STATUS_REFUSED;
	}
	f->source = (struct source){ .name = path, .text = f->text, .len = f->len };
	struct lang_reader reader = { .read = reader_read, .error = reader_error, .ctx = &f->reader };
	err = lang_parse(f->arena, path, f->text, f->len, &reader, &f->diags, &f->rules);
	f->compile_ns += now_ns() - start;
	if (!err && !f->diags.errors)
		return STATUS_DONE;
	f->rules = NULL;
	if (f->diags.errors)
		return STATUS_WRONG;
	problem("cannot parse %s: %s", out_name(path), strerror(-err));
	return STATUS_REFUSED;
}

void file_close(struct file *f)
{
	reader_close(&f->reader);
	diags_fini(&f->diags);
	arena_free(f->arena);
	*f = (struct file){ .reader.dir = -1 };
}

struct span file_span(const struct file *f, const char *name, unsigned int line)
{
	const char *p = f->text, *end = f->text + f->len;

	if (!name || strcmp(name, f->path) || !line)
		return (struct span){};
	while (line > 1 && p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl)
			return (struct span){};
		p = nl + 1;
		line--;
	}
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	const char *stop = memchr(p, '\n', (size_t)(end - p));
	if (!stop)
		stop = end;
	return (struct span){ &f->source, (uint32_t)(p - f->text), (uint32_t)(stop - f->text) };
}

/* compile knows rules by file and line, in words: "web.fw:4: …". Give such a diagnostic its place back. */
static void diags_locate(struct file *f, size_t first)
{
	size_t len = strlen(f->path);

	for (size_t i = first; i < f->diags.n; i++) {
		struct diag *g = &f->diags.v[i];
		char *end;
		if (g->span.source || strncmp(g->text, f->path, len) || g->text[len] != ':')
			continue;
		unsigned long line = strtoul(g->text + len + 1, &end, 10);
		struct span span = strncmp(end, ": ", 2) ? (struct span){} : file_span(f, f->path, (unsigned int)line);
		if (!span.source)
			continue;
		g->span = span;
		g->text = end + 2;
	}
}

int file_compile(struct file *f, const struct policy *p, const struct compile_opts *opts, struct image *ret_image)
{
	uint64_t start = now_ns();
	uint32_t nslots[FW_DIR_COUNT];
	struct str text = {};

	int err = text_make(f->arena, f->rules, p, &text);
	size_t known = f->diags.n;
	if (!err)
		err = compile_policy(p, f->path, str_get(&text), &f->diags, opts, ret_image);
	if (!err)
		err = image_assign_slots(ret_image, NULL, nslots);
	diags_locate(f, known);
	str_fini(&text);
	f->compile_ns += now_ns() - start;
	if (!err)
		return STATUS_DONE;
	if (f->diags.errors)
		return STATUS_WRONG;
	problem("cannot compile policy %s of %s: %s", p->name, out_name(f->path), strerror(-err));
	return STATUS_REFUSED;
}

int file_report(struct file *f)
{
	problem_diags(&f->diags);
	return f->diags.errors ? STATUS_WRONG : STATUS_DONE;
}

int file_ready(struct file *f, const char *path)
{
	int status = file_open(f, path);

	if (!status)
		status = file_test(f);
	if (status) {
		file_report(f);
		if (status == STATUS_WRONG)
			problem("%s has %s; nothing was loaded", out_name(path), word_count(f->diags.errors, "error"));
	}
	return status;
}

// SPDX-License-Identifier: GPL-2.0-only
/* check: everything that can be said about a rule file without the kernel. */
#include "fwctl/cmd.h"
#include "fwctl/file.h"
#include "fwctl/out.h"
#include "fwctl/words.h"
#include "lang/lang.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum dump { DUMP_NONE = -1, DUMP_AST, DUMP_RULES, DUMP_BOXES, DUMP_TABLES, DUMP_IMAGE };

struct check {
	struct file file;
	enum dump dump;
	bool json, cost;
	enum engine engine;
	struct str dumped;
	json_t *policies;
	struct cost *costs; /* one per policy */
	bool compiled;	    /* every policy */
};

static size_t rules_written(const struct chain *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->nrules; i++)
		n += !c->rules[i].essential;
	return n;
}

static json_t *cost_engine_json(const struct cost_engine *c)
{
	if (!c->ns)
		return json_null();
	return json_pack("{s:I,s:I,s:i,s:i,s:b}", "bits", (json_int_t)c->bits, "bytes", (json_int_t)c->bytes, "lines",
			 (int)c->lines, "ns", (int)c->ns, "fits", c->fits);
}

static json_t *cost_lists_json(const struct cost *c, enum fw_dir d)
{
	if (!c->lists[d])
		return json_null();
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "rules", (json_int_t)c->listed[d], "services",
			 (json_int_t)c->services[d], "nodes", (json_int_t)c->nodes[d], "entries",
			 (json_int_t)c->entries[d], "parts", (json_int_t)c->parts[d], "longest",
			 (json_int_t)c->longest[d], "bytes", (json_int_t)c->list_bytes[d]);
}

static json_t *cost_json(const struct cost *c)
{
	json_t *dirs = json_object();

	for (int d = 0; d < FW_DIR_COUNT; d++) {
		json_t *dims = json_array();
		for (size_t i = 0; i < c->ndims[d]; i++) {
			const struct cost_dim *m = &c->dim[d][i];
			json_array_append_new(dims, json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:i}", "match", m->name,
							      "structure", m->structure, "entries",
							      (json_int_t)m->entries, "classes", (json_int_t)m->classes,
							      "table_bytes", (json_int_t)m->table_bytes, "row_bytes",
							      (json_int_t)m->row_bytes, "lookups", (int)m->lookups));
		}
		json_object_set_new(dirs, word_dir(d),
				    json_pack("{s:s,s:I,s:I,s:i,s:{s:o,s:o},s:o,s:o,s:I,s:I,s:I,s:I,s:I}", "engine",
					      c->engine[d] ? c->engine[d] : "none", "rules", (json_int_t)c->rules[d], "words",
					      (json_int_t)c->words[d], "worst_lookups", (int)c->worst_lookups[d], "predicted", "rows",
					      cost_engine_json(&c->predicted[d][0]), "lists",
					      cost_engine_json(&c->predicted[d][1]), "lists", cost_lists_json(c, d), "matches",
					      dims, "live_sets", (json_int_t)c->live_bits[d], "keep_state", (json_int_t)c->kept[d],
					      "limited", (json_int_t)c->limited[d], "logged", (json_int_t)c->logged[d],
					      "extra_bytes", (json_int_t)c->extra_bytes[d]));
	}
	json_object_set_new(dirs, "image_bytes", json_integer((json_int_t)c->image_bytes));
	json_object_set_new(dirs, "slot_bytes", json_integer((json_int_t)c->slot_bytes));
	return dirs;
}

static void cost_engine_print(const char *name, const struct cost_engine *c)
{
	out("  %s: about %u ns, %s in %s%s\n", name, c->ns, word_count(c->lines, "cache line"), word_bytes(c->bytes),
	    c->fits ? "" : ": over a limit");
}

/* Which engine, and why. */
static void cost_print_engine(const struct cost *c, enum fw_dir d)
{
	if (c->predicted[d][1].ns) {
		cost_engine_print("predicted with rows alone", &c->predicted[d][0]);
		cost_engine_print("predicted with lists", &c->predicted[d][1]);
	}
	if (!c->lists[d])
		return;
	out("  %s in lists, %zu with bits in rows; %s of other conditions\n", word_count(c->listed[d], "rule"),
	    c->rules[d] - c->listed[d], word_count(c->services[d], "combination"));
	out("  %s, %s, %s, the longest list that is scanned has %zu; %s\n", word_count(c->nodes[d], "node"),
	    word_count(c->entries[d], "entry"), word_count(c->parts[d], "part"), c->longest[d],
	    word_bytes(c->list_bytes[d]));
}

/* Beside the look-ups of the table that follows. */
static void cost_print_extras(const struct cost *c, enum fw_dir d)
{
	if (c->live_bits[d])
		out("  %s asked about, counted per side\n", word_count(c->live_bits[d], "live set"));
	if (c->kept[d])
		out("  %s with keep state\n", word_count(c->kept[d], "rule"));
	if (c->limited[d])
		out("  %s with a limit, or max-conn\n", word_count(c->limited[d], "rule"));
	if (c->logged[d])
		out("  %s with log\n", word_count(c->logged[d], "rule"));
	if (c->extra_bytes[d])
		out("  %s of what rules ask for after the match\n", word_bytes(c->extra_bytes[d]));
}

static void cost_print(const char *policy, const struct cost *c)
{
	struct table t;

	for (int d = 0; d < FW_DIR_COUNT; d++) {
		if (!c->rules[d])
			continue;
		out("%s %s: %s, %s in %s of 64, at most %s per packet\n", policy, word_dir(d), c->engine[d],
		    word_count(c->rules[d], "rule"), word_count(c->words[d], "word"),
		    word_count(c->worst_lookups[d], "look-up"));
		cost_print_engine(c, d);
		cost_print_extras(c, d);
		table_init(&t, 7, "match", "structure", ">entries", ">classes", ">table", ">rows", ">look-ups");
		for (size_t i = 0; i < c->ndims[d]; i++) {
			const struct cost_dim *m = &c->dim[d][i];
			char entries[24], classes[24], lookups[24];
			snprintf(entries, sizeof(entries), "%zu", m->entries);
			snprintf(classes, sizeof(classes), "%zu", m->classes);
			snprintf(lookups, sizeof(lookups), "%u", m->lookups);
			table_add(&t, m->name, m->structure, entries, classes, word_bytes(m->table_bytes),
				  word_bytes(m->row_bytes), lookups);
		}
		table_print(&t, "  ");
	}
	out("%s: image %s, in a slot of %s\n", policy, word_bytes(c->image_bytes), word_bytes(c->slot_bytes));
}

/* The most memory that this command has had so far. */
static long peak_bytes(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_SELF, &usage) ? 0 : usage.ru_maxrss * 1024;
}

/* Compile one policy, keep what was asked for, throw the image away. */
static int policy_check(struct check *c, size_t i)
{
	const struct policy *p = &c->file.rules->policies[i];
	struct image img = {};
	struct compile_opts opts = { .cost = &c->costs[i], .out = &c->dumped, .engine = c->engine };
	char digest[65];

	if (c->dump == DUMP_BOXES || c->dump == DUMP_TABLES) {
		opts.dump = c->dump == DUMP_BOXES ? COMPILE_DUMP_BOXES : COMPILE_DUMP_TABLES;
		if (c->file.rules->npolicies > 1)
			str_addf(&c->dumped, "# policy %s\n", p->name);
	}
	int status = file_compile(&c->file, p, &opts, &img);
	if (status)
		return status;
	if (c->dump == DUMP_IMAGE)
		image_dump(image_hdr(&img), &c->dumped);
	image_digest_hex(image_hdr(&img), digest);
	json_array_append_new(c->policies,
			      json_pack("{s:o,s:s,s:{s:I,s:I},s:I,s:o}", "name", out_jstr(p->name), "digest", digest,
					"rules", "ingress", (json_int_t)p->chain[0].nrules, "egress",
					(json_int_t)p->chain[1].nrules, "image_bytes", (json_int_t)img.len, "cost",
					cost_json(&c->costs[i])));
	image_fini(&img);
	return STATUS_DONE;
}

static json_t *diags_json(const struct diags *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->n; i++) {
		const struct diag *g = &d->v[i];
		unsigned int line = 0, column = 0;
		if (g->span.source)
			source_place(g->span.source, g->span.start, &line, &column);
		json_t *j = json_pack("{s:s,s:i,s:i,s:o}", "level", g->level == DIAG_ERROR ? "error" : "warning",
				      "line", (int)line, "column", (int)column, "text", out_jstr(g->text));
		if (g->span.source)
			json_object_set_new(j, "file", out_jstr(g->span.source->name));
		if (g->hint)
			json_object_set_new(j, "hint", out_jstr(g->hint));
		json_array_append_new(list, j);
	}
	return list;
}

static void summary_print(const struct check *c)
{
	const struct file *f = &c->file;

	for (size_t i = 0; i < f->rules->npolicies; i++) {
		const struct policy *p = &f->rules->policies[i];
		out("%s: policy %s:", out_name(f->path), p->name);
		for (int d = 0; d < DIRECTION_COUNT; d++) {
			const struct chain *ch = &p->chain[d];
			size_t n = rules_written(ch);
			out("%s %s ", d ? ";" : "", word_dir(d));
			if (!ch->present)
				out("passes everything");
			else if (ch->nrules > n)
				out("%s and %zu essential, default %s", word_count(n, "rule"), ch->nrules - n,
				    word_verdict(ch->fallback));
			else
				out("%s, default %s", word_count(n, "rule"), word_verdict(ch->fallback));
		}
		out("\n");
	}
	if (f->passed)
		out("%s: %s passed\n", out_name(f->path), word_count(f->passed, "test"));
}

static int check_print(struct check *c, int status)
{
	struct file *f = &c->file;

	if (c->json) {
		json_t *j = json_pack("{s:o,s:b,s:O,s:{s:I,s:I},s:o}", "file", out_jstr(f->path), "ok",
				      status == STATUS_DONE, "policies", c->policies, "tests", "passed",
				      (json_int_t)f->passed, "failed", (json_int_t)f->failed, "diagnostics",
				      diags_json(&f->diags));
		if (j && c->cost) /* not always: other fields are the same from run to run */
			json_object_set_new(j, "peak_bytes", json_integer(peak_bytes()));
		if (j && c->dumped.len)
			json_object_set_new(j, "dump", out_jstr(str_get(&c->dumped)));
		int err = out_json(j, false);
		return status ? status : err;
	}
	if (status)
		return status;
	if (c->dump != DUMP_NONE)
		out_text(str_get(&c->dumped));
	else
		summary_print(c);
	for (size_t i = 0; c->cost && i < f->rules->npolicies; i++)
		cost_print(f->rules->policies[i].name, &c->costs[i]);
	if (c->cost)
		out("peak memory %ld MB\n", (peak_bytes() + (1 << 20) - 1) >> 20);
	return STATUS_DONE;
}

static int check_all(struct check *c, const char *path)
{
	int status = file_open(&c->file, path);

	if (status)
		return status;
	if (c->dump == DUMP_AST) {
		/* The same text was parsed a moment ago: what it complains of is known. */
		struct diags again;
		diags_init(&again, c->file.arena);
		lang_dump_ast(c->file.arena, path, c->file.text, c->file.len, &again, &c->dumped);
		diags_fini(&again);
	} else if (c->dump == DUMP_RULES) {
		lang_print(c->file.rules, &c->dumped);
	}
	c->costs = calloc(c->file.rules->npolicies + 1, sizeof(*c->costs));
	if (!c->costs) {
		problem("no memory");
		return STATUS_REFUSED;
	}
	for (size_t i = 0; i < c->file.rules->npolicies; i++) {
		int err = policy_check(c, i);
		status = err > status ? err : status;
	}
	int err = file_test(&c->file);
	return err > status ? err : status;
}

static int run(const struct args *a)
{
	const char *dump = args_get(a, "dump"), *engine = args_get(a, "engine");
	struct check c = {
		.dump = DUMP_NONE, .json = args_has(a, "json"), .cost = args_has(a, "cost"), .policies = json_array()
	};

	if (dump)
		c.dump = (enum dump)args_choice("ast|rules|boxes|tables|image", dump);
	if (engine)
		c.engine = args_choice("rows|lists", engine) ? ENGINE_LISTS : ENGINE_ROWS;
	progress_begin("checking the rules");
	int status = check_all(&c, a->word[0]);
	progress_end();
	file_report(&c.file);
	status = check_print(&c, status);
	if (status == STATUS_WRONG)
		problem("%s: %s, %s", out_name(a->word[0]), word_count(c.file.diags.errors, "error"),
			word_count(c.file.diags.warnings, "warning"));
	json_decref(c.policies);
	str_fini(&c.dumped);
	free(c.costs);
	file_close(&c.file);
	return status;
}

const struct command cmd_check = {
	.name = "check",
	.run = run,
	.usage = "FILE [--dump=ast|rules|boxes|tables|image] [--cost] [--engine=rows|lists] [--json]",
	.help = "Compile a rule file and run its test blocks; loads nothing and needs no privilege.",
	.more = "Every mistake is shown with its place in the file. Warnings, such as a rule that can never match, do "
		"not change "
		"the exit status; a failed test does.",
	.kind = ARGS_FILE,
	.min = 1,
	.max = 1,
	.options =
		{
			{.name = "dump",
			 .arg = "WHAT",
			 .values = "ast|rules|boxes|tables|image",
			 .help = "print an intermediate value: syntax tree, canonical rules, boxes, tables, image"},
			{.name = "cost",
			 .help = "print the structures chosen, their size, the look-ups per packet at worst, "
				 "and the memory that it took"},
			{.name = "engine",
			 .arg = "ENGINE",
			 .values = "rows|lists",
			 .help = "compile with this engine instead of the one that is predicted to cost less; for tests"},
			{.name = "json", .help = "print JSON"},
		},
};

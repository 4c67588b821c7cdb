// SPDX-License-Identifier: GPL-2.0-only
/* set: the live sets, from the command line, files and pipes. */
#include "fwctl/cmd.h"
#include "fwctl/out.h"
#include "fwctl/setchange.h"
#include "fwctl/setlist.h"
#include "fwctl/setsave.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int name_needed(const struct args *a)
{
	return a->nwords > 1 ? STATUS_DONE
			     : args_wrong(&cmd_set, "%s: name the live set; fwctl set lists them", a->word[0]);
}

static int name_alone(const struct args *a)
{
	if (a->nwords > 2)
		return args_wrong(&cmd_set, "one word too many: \"%s\"", out_name(a->word[2]));
	return name_needed(a);
}

static int gather_file(const struct args *a, const char *path, size_t first, struct elements *e)
{
	struct element common = {};
	struct str text = {};
	struct input in;

	if (first < a->nwords && !element_is_tail(a->word[first]))
		return args_wrong(&cmd_set, "elements come from the command line or from %s, not from both",
				  strcmp(path, "-") ? out_name(path) : "standard input");
	int status = elements_tail(&cmd_set, a->word + first, a->nwords - first, &common, &text);
	if (!status) {
		status = input_read(&in, path);
		if (!status) {
			status = elements_text(e, &in, &common);
			input_free(&in);
		}
	}
	str_fini(&text);
	return status;
}

/* Words, `-f FILE`, or `-`. */
static int gather(const struct args *a, struct elements *e)
{
	const char *file = args_get(a, "file");
	bool dash = !file && a->nwords > 2 && !strcmp(a->word[2], "-");
	int status = name_needed(a);

	if (status)
		return status;
	if (file || dash)
		return gather_file(a, dash ? "-" : file, dash ? 3 : 2, e);
	return elements_words(e, &cmd_set, a->word + 2, a->nwords - 2);
}

static int change(const struct args *a, enum setchange_kind kind)
{
	struct elements e;
	struct liveset s = {};
	struct setchange c = {};

	elements_init(&e);
	int status = gather(a, &e);
	if (!status)
		status = liveset_open(&s, KERN_WRITE, a->word[1]);
	if (!status)
		status = kind == SETCHANGE_ADD	 ? setchange_add(&s, &e, &c)
			 : kind == SETCHANGE_DEL ? setchange_del(&s, &e, &c)
						 : setchange_replace(&s, &e, args_has(a, "force"), &c);
	liveset_release(&s);
	if (!status)
		status = setchange_report(&s, &e, &c, args_has(a, "json"));
	liveset_close(&s);
	elements_fini(&e);
	return status;
}

static int set_add(const struct args *a)
{
	return change(a, SETCHANGE_ADD);
}

static int set_del(const struct args *a)
{
	return change(a, SETCHANGE_DEL);
}

static int set_replace(const struct args *a)
{
	return change(a, SETCHANGE_REPLACE);
}

static int test_report(const struct liveset *s, const struct kern_element *asked, const struct kern_element *found,
		       bool json)
{
	struct moment now = moment_now();

	if (json)
		return out_json(json_pack("{s:o,s:s,s:b,s:o}", "set", out_jstr(s->set->name), "address",
					  element_text(asked), "member", (int)!!found, "element",
					  found ? setlist_element(s->set, found, &now) : json_null()),
				false);
	if (!found) {
		out("%s is not in %s\n", element_text(asked), s->set->name);
		return STATUS_DONE;
	}
	out("%s is in %s: %s, ends %s%s", element_text(asked), s->set->name, element_text(found),
	    found->end_ns == UINT64_MAX ? "" : "in ", left_text(&now, found->end_ns));
	out(found->reason[0] ? ", reason %s\n" : "\n", out_name(found->reason));
	return STATUS_DONE;
}

static int set_test(const struct args *a)
{
	struct liveset s = {};
	struct elements e;
	struct kern_element found;
	int err = 0, status = name_needed(a);

	if (status)
		return status;
	elements_init(&e);
	if (a->nwords != 3)
		status = args_wrong(&cmd_set, "test one address");
	else
		status = elements_words(&e, &cmd_set, a->word + 2, 1);
	if (!status && (e.n != 1 || e.v[0].plen != (e.v[0].l3 == FW_L3_IPV4 ? 32 : 128)))
		status = args_wrong(&cmd_set, "test asks about one address, not about %s", out_name(a->word[2]));
	if (!status)
		status = liveset_open(&s, KERN_READ, a->word[1]);
	if (!status)
		err = kern_live_test(s.h, s.set->id, e.v[0].l3, e.v[0].addr, &found);
	if (err && err != -ENOENT)
		status = liveset_refused(&s, err);
	liveset_release(&s);
	if (!status)
		status = test_report(&s, &e.v[0], err ? NULL : &found, args_has(a, "json"));
	liveset_close(&s);
	elements_fini(&e);
	return status ? status : err ? STATUS_REFUSED : STATUS_DONE;
}

static int set_list(const struct args *a)
{
	int status = name_alone(a);

	return status ? status : setlist_run(a->word[1], args_has(a, "json"));
}

static int set_flush(const struct args *a)
{
	struct liveset s = {};
	struct elements none = {};
	struct setchange c = { .kind = SETCHANGE_DEL };
	int status = name_alone(a);

	if (!status)
		status = liveset_open(&s, KERN_WRITE, a->word[1]);
	int err = status ? 0 : kern_live_flush(s.h, s.set->id, &c.done);
	if (err)
		status = liveset_refused(&s, err);
	liveset_release(&s);
	c.given = c.done;
	if (!status)
		status = setchange_report(&s, &none, &c, args_has(a, "json"));
	liveset_close(&s);
	return status;
}

static int set_all(const struct args *a)
{
	struct liveset s = {};
	int status = liveset_open_all(&s, KERN_READ);

	liveset_release(&s);
	if (!status)
		status = setlist_sets(&s, args_has(a, "json"));
	liveset_close(&s);
	return status;
}

static const struct {
	const char *word;
	int (*run)(const struct args *a);
	const char *options; /* that mean something here, beside --json */
} verbs[] = {
	{ "add", set_add, "file" },	 { "del", set_del, "file" },
	{ "test", set_test, "" },	 { "list", set_list, "" },
	{ "flush", set_flush, "" },	 { "replace", set_replace, "file|force" },
	{ "save", setsave_save, "all" }, { "restore", setsave_restore, "file|force" },
};

static int run(const struct args *a)
{
	static const char *const some[] = { "file", "force", "all" };
	int v = a->nwords ? args_choice(cmd_set.words, a->word[0]) : -1;

	if (a->nwords && v < 0)
		return args_wrong(&cmd_set, "set what? %s, not %s", cmd_set.words, out_name(a->word[0]));
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		if (args_has(a, some[i]) && (v < 0 || args_choice(verbs[v].options, some[i]) < 0))
			return args_wrong(&cmd_set, "--%s says nothing here", some[i]);
	return v < 0 ? set_all(a) : verbs[v].run(a);
}

const struct command cmd_set = {
	.name = "set",
	.run = run,
	.usage = "[--json]\n"
		 "add NAME ADDRESS[/LEN]... [for TIME | until TIME] [reason TEXT...]\n"
		 "add NAME -f FILE [for TIME] [reason TEXT...]\n"
		 "del NAME ADDRESS[/LEN]... | -f FILE\n"
		 "test NAME ADDRESS\n"
		 "list NAME [--json]\n"
		 "flush NAME\n"
		 "replace NAME ADDRESS[/LEN]... | -f FILE [--force]\n"
		 "save NAME... | --all\n"
		 "restore [-f FILE] [--force]",
	.help = "Look at live sets and change them: addresses that rules name, without touching the rules.",
	.more = "Live sets are declared in rule files, \"set banned { type prefix; live; timeout 1h; size 262144 }\"; all policies of "
		"the network namespace share them, and every change is in force at once on every interface. Without a word, all "
		"sets are listed.\n\n"
		"Elements are hosts, prefixes and ranges, on the command line, or one per line in a file (\"-\": standard input) as in "
		"set files of rules; behind the address a line may say \"for 10m\", \"until 2026-11-28T16:00:00Z\" or \"for ever\", and "
		"\"reason TEXT\" to the end of the line; comments begin with \"#\" or \";\". When any line is wrong, nothing is "
		"changed. An element without a time ends after the set's timeout; one that is added again ends at the later of its "
		"two times. A reason is kept up to 95 bytes.\n\n"
		"A set that is full refuses more elements and names its limit; none is ever pushed out. replace puts the new "
		"content in place in one step; it refuses to take away more than half of the set unless --force is given. test "
		"ends with status 1 when the address is no member.\n\n"
		"save writes elements with the time at which they end; restore adds them again, without those that have ended "
		"since, and refuses when the clock shows a time before the saving.",
	.kind = ARGS_WORDS,
	.words = "add|del|test|list|flush|replace|save|restore",
	.max = ARGS_ANY,
	.options =
		{
			{ .letter = 'f', .name = "file", .arg = "FILE", .help = "read elements from FILE; -: standard input" },
			{ .name = "force", .help = "replace: also when more than half is lost; restore: whatever the clock says" },
			{ .name = "all", .help = "save: all sets" },
			{ .name = "json", .help = "print JSON" },
		},
};

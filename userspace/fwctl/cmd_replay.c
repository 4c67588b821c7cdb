// SPDX-License-Identifier: GPL-2.0-only
/* replay: what becomes of the packets of a capture. */
#include "base/cleanup.h"
#include "fwctl/cmd.h"
#include "fwctl/elements.h"
#include "fwctl/file.h"
#include "fwctl/out.h"
#include "fwctl/replay_diff.h"
#include "fwctl/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DIFF_LINES 20
#define MAX_LINES  100000

/* A rule file, the policy of it, and who judges by that. */
struct rules {
	struct file file;
	const struct policy *policy;
	struct image image;
	struct judge judge;
};

struct replay {
	const struct args *args;
	struct rules rules[2];
	struct replay_source source;
	struct tally tally;
	struct expect expect;
	uint64_t lines;
	bool kernel, expects;
};

/* -p, else the one that the interface uses, else the only one. */
static const struct policy *policy_choose(const struct args *a, const struct ruleset *rs)
{
	const char *name = args_get(a, "policy"), *ifname = args_get(a, "interface");

	if (name) {
		const struct policy *p = ruleset_policy(rs, name);
		if (!p)
			problem("%s has no policy %s", out_name(rs->file), out_name(name));
		return p;
	}
	for (size_t i = 0; ifname && i < rs->nbindings; i++)
		if (!strcmp(rs->bindings[i].interface, ifname))
			return rs->bindings[i].policy;
	if (rs->npolicies == 1)
		return &rs->policies[0];
	problem("%s has %s; choose one with -p", out_name(rs->file), word_count(rs->npolicies, "policy"));
	return NULL;
}

static int rules_open(struct replay *r, struct rules *u, const char *path)
{
	static const struct compile_opts opts = { .no_warnings = true };
	int status = file_open(&u->file, path), err;

	file_report(&u->file);
	if (status)
		return status;
	u->policy = policy_choose(r->args, u->file.rules);
	if (!u->policy)
		return STATUS_WRONG;
	if (r->kernel) {
		status = file_compile(&u->file, u->policy, &opts, &u->image);
		if (status) {
			file_report(&u->file);
			return status;
		}
		err = judge_open_kernel(&u->judge, u->policy, &u->image, JUDGE_START_NS, 0);
	} else {
		err = judge_open(&u->judge, u->policy);
	}
	if (err)
		problem_fail(&u->judge.fail, err);
	return err ? STATUS_REFUSED : STATUS_DONE;
}

static void rules_close(struct rules *u)
{
	judge_close(&u->judge);
	image_fini(&u->image);
	if (u->file.arena)
		file_close(&u->file);
}

/* Every packet. `each` as replay_diff_packet, and says what failed. What came before a damaged place was judged. */
static int packets_run(struct replay *r, int (*each)(struct replay *r, const struct replay_packet *p))
{
	struct replay_packet p;
	int got;

	while ((got = replay_next(&r->source, &p)) > 0) {
		int done = each(r, &p);

		if (done < 0)
			return STATUS_REFUSED;
		if (!done)
			replay_skip(&r->source, "the kernel takes no frame of this length for a question");
	}
	return got ? STATUS_REFUSED : STATUS_DONE;
}

static int packet_judge(struct replay *r, const struct replay_packet *p)
{
	struct judge *j = &r->rules[0].judge;
	struct judged said;
	int got;

	r->tally.packet = p;
	judge_clock(j, JUDGE_START_NS + p->elapsed_ns);
	got = judge_packet(j, p->dir, p->frame, p->len, tally_counted, &r->tally, &said);
	if (got < 0)
		problem_fail(&j->fail, got);
	if (got <= 0)
		return got;
	tally_add(&r->tally, p, &said);
	if (r->expects)
		expect_packet(&r->expect, r->rules[0].policy, p, &said);
	return 1;
}

/* Text or JSON, and what was expected of it. `status`: of the reading; a capture that ended in a mess is told in the
 * end. */
static int outcome_tell(struct replay *r, double seconds, int status)
{
	const struct args *a = r->args;
	struct replay_report report = { capture_name(r->source.capture),
					r->kernel ? "program in the kernel" : "reference", &r->source, &r->tally,
					seconds };
	int met = STATUS_DONE, told = STATUS_DONE;
	json_t *j = NULL;

	if (args_has(a, "json")) {
		j = replay_json(&report);
	} else {
		replay_print(&report);
		replay_notes(&r->source, r->rules[0].policy);
	}
	if (r->expects)
		met = expect_end(&r->expect, &r->source, &r->tally);
	if (j) {
		json_object_set_new(j, "damaged", r->source.fail.err ? out_jstr(r->source.fail.text) : json_null());
		if (r->expects)
			json_object_set(j, "unmet", r->expect.differ);
		told = out_json(j, false);
	}
	if (args_has(a, "write-expect") && !status)
		told = told ?: expect_write(args_get(a, "write-expect"), &r->source, &r->tally);
	return status ?: met ?: told;
}

static int replay_run(struct replay *r)
{
	const char *expected = args_get(r->args, "expect");
	uint64_t start;
	int status = STATUS_DONE;

	if (expected) {
		r->expects = true;
		status = expect_read(&r->expect, expected, r->rules[0].policy);
		r->expect.quiet = args_has(r->args, "json");
	}
	if (status)
		return status;
	if (tally_init(&r->tally, r->rules[0].policy, r->lines)) {
		problem("no memory");
		return STATUS_REFUSED;
	}
	start = moment_now().mono;
	status = packets_run(r, packet_judge);
	if (status && !r->source.fail.err)
		return status;
	if (r->tally.failed || tally_count_rules(&r->tally, &r->rules[0].judge)) {
		problem_fail(&r->rules[0].judge.fail, -ENOMEM);
		return STATUS_REFUSED;
	}
	return outcome_tell(r, (double)(moment_now().mono - start) / 1e9, status);
}

struct differing {
	struct replay replay; /* first, so that packets_run gives it back */
	struct replay_diff diff;
};

static int packet_compare(struct replay *r, const struct replay_packet *p)
{
	struct replay_diff *d = &((struct differing *)r)->diff;
	int got = replay_diff_packet(d, p);

	if (got < 0)
		problem_fail(&d->failed->fail, got);
	return got;
}

static int diff_run(struct differing *d)
{
	struct replay *r = &d->replay;
	bool json = args_has(r->args, "json");
	int status, told = STATUS_DONE;

	d->diff = (struct replay_diff){ .lines = r->lines ?: DIFF_LINES, .json = json ? json_array() : NULL };
	if (json && !args_has(r->args, "first"))
		d->diff.lines = UINT64_MAX;
	for (int i = 0; i < 2; i++)
		d->diff.side[i] = (struct replay_side){ r->rules[i].policy, &r->rules[i].judge };
	status = packets_run(r, packet_compare);
	if (!status || r->source.fail.err) {
		if (json) {
			told = out_json(replay_diff_json(&d->diff, &r->source), false);
		} else {
			replay_diff_print(&d->diff);
			replay_notes(&r->source, r->rules[1].policy);
		}
	}
	json_decref(d->diff.json);
	return status ?: told;
}

static int lines_wanted(const struct args *a, uint64_t *ret)
{
	const char *word = args_get(a, "first");
	char *end;

	if (!word)
		return STATUS_DONE;
	*ret = strtoull(word, &end, 10);
	if (!*word || *end || !*ret || *ret > MAX_LINES)
		return args_wrong(a->command, "--first takes a number from 1 to %d", MAX_LINES);
	return STATUS_DONE;
}

static int options_read(struct replay *r, bool diff)
{
	const struct args *a = r->args;
	const char *way = args_get(a, "direction"), *local = args_get(a, "local"), *bad;
	size_t want = diff ? 3 : 2;

	if (a->nwords != want)
		return args_wrong(a->command, diff ? "--diff needs two rule files and a capture"
						   : "a rule file and a capture are needed");
	if (diff && (args_has(a, "expect") || args_has(a, "write-expect")))
		return args_wrong(a->command, "--diff goes without expectations");
	r->kernel = args_has(a, "kernel");
	r->source.ifname = args_get(a, "interface");
	r->source.way = way && !strcmp(way, "egress")	 ? REPLAY_EGRESS
			: way && !strcmp(way, "ingress") ? REPLAY_INGRESS
							 : REPLAY_AUTO;
	bad = local ? replay_local_add(&r->source, local) : NULL;
	if (bad)
		return args_wrong(a->command, "--local takes addresses and prefixes: %s", out_name(bad));
	return lines_wanted(a, &r->lines);
}

static int run(const struct args *a)
{
	struct differing d = { .replay = { .args = a } };
	struct replay *r = &d.replay;
	bool diff = args_has(a, "diff");
	int status = options_read(r, diff);

	for (int i = 0; i <= diff && !status; i++)
		status = rules_open(r, &r->rules[i], a->word[i]);
	if (!status && capture_open(a->word[a->nwords - 1], &r->source.fail, &r->source.capture)) {
		problem("%s", r->source.fail.text);
		status = STATUS_REFUSED;
		r->source.fail = (struct fail){};
	}
	if (!status)
		status = diff ? diff_run(&d) : replay_run(r);
	if (r->source.fail.err) {
		problem("%s", r->source.fail.text);
		problem("note: what came before was judged");
	}
	capture_close(r->source.capture);
	free(r->source.local.v);
	tally_fini(&r->tally);
	if (r->expects)
		expect_fini(&r->expect);
	for (int i = 0; i < 2; i++)
		rules_close(&r->rules[i]);
	return status;
}

const struct command cmd_replay = {
	.name = "replay",
	.run = run,
	.usage = "RULES CAPTURE [-p POLICY] [--interface IF] [--direction auto|ingress|egress] [--local ADDR,...] [--kernel] [--first N] "
		 "[--expect FILE] [--write-expect FILE] [--json]\n"
		 "--diff OLD NEW CAPTURE [-p POLICY] [--interface IF] [--direction auto|ingress|egress] [--local ADDR,...] "
		 "[--kernel] [--first N] [--json]",
	.help = "Judge every packet of a capture by a rule file, and count what becomes of them.",
	.more = "The capture is a pcap or pcapng file, `-` standard input. Flows and limits begin empty, as if the rules were "
		"loaded when the "
		"capture begins, live sets too; the clock is that of the capture and never goes back. It needs no privilege; --kernel asks "
		"the program instead of the reference, over tables of its own: nothing on an interface changes.\n"
		"Which way a packet went is said by the capture; where it says nothing, packets from a --local address are egress, all "
		"others ingress. Without Ethernet (raw IP, Linux cooked) a header is made.\n"
		"--expect compares with a file of lines such as `packets 1200`, `pass 1100`, `reason limit 12`, `rule \"web\" 300`, "
		"`17 is drop by \"banned\"`, and ends with 1 where something differs; --write-expect makes one.\n"
		"--diff lists the packets whose verdict changes from one rule file to another.",
	.kind = ARGS_FILE,
	.min = 2,
	.max = 3,
	.options =
		{
			{.letter = 'p', .name = "policy", .arg = "POLICY", .help = "which policy of the file"},
			{.name = "interface", .arg = "IF", .help = "only packets of this interface, and the policy that it uses"},
			{.name = "direction", .arg = "WAY", .values = "auto|ingress|egress", .help = "which way packets went (auto)"},
			{.name = "local", .arg = "ADDR", .help = "addresses of the machine, joined by commas"},
			{.name = "kernel", .help = "the program in the kernel judges (as root)"},
			{.name = "first", .arg = "N", .help = "show the first N packets of each rule; of --diff (20)"},
			{.name = "expect", .arg = "FILE", .help = "compare with what the file says"},
			{.name = "write-expect", .arg = "FILE", .help = "write such a file"},
			{.name = "diff", .help = "two rule files: which packets change their fate"},
			{.name = "json", .help = "print JSON"},
		},
};

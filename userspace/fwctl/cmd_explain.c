// SPDX-License-Identifier: GPL-2.0-only
/* explain: what happens to packets, and why each rule before the one that decides did not match. */
#include "base/cleanup.h"
#include "base/vec.h"
#include "fwctl/explain.h"
#include "fwctl/explain_why.h"
#include "fwctl/file.h"
#include "fwctl/out.h"
#include "fwctl/words.h"

#include <stdlib.h>

static const struct policy *policy_choose(const struct args *a, const struct ruleset *rs)
{
	const char *name = args_get(a, "policy");

	if (name) {
		const struct policy *p = ruleset_policy(rs, name);
		if (!p)
			problem("%s has no policy %s", out_name(rs->file), out_name(name));
		return p;
	}
	if (rs->npolicies == 1)
		return &rs->policies[0];
	problem("%s has %s; choose one with -p", out_name(rs->file), word_count(rs->npolicies, "policy"));
	return NULL;
}

/* Tables as they are long after a load: empty, and mid-stream pickup is over. As `test` blocks have it. */
static int file_judge(struct explain *e)
{
	struct track *t = track_new(0);
	int status;

	if (!t) {
		problem("no memory");
		return STATUS_REFUSED;
	}
	track_clock(t, TRACK_LATER_NS);
	status = explain_run(e, t, NULL);
	track_free(t);
	return status;
}

static int explain_file(struct explain *e)
{
	struct file f;
	int status = file_open(&f, e->args->word[0]);

	file_report(&f);
	if (!status) {
		e->policy = policy_choose(e->args, f.rules);
		status = e->policy ? STATUS_DONE : STATUS_WRONG;
	}
	if (!status) {
		e->policy_name = e->policy->name;
		status = file_judge(e);
	}
	if (!status)
		status = explain_tell_end(e);
	file_close(&f);
	return status;
}

static int run(const struct args *a)
{
	if (args_has(a, "why-dropped"))
		return explain_why(a);
	bool live = args_has(a, "live");
	auto_free char *words = args_join(a, 1);
	struct explain e = { .args = a, .arena = arena_new(), .json = args_has(a, "json") ? json_array() : NULL };
	int status;

	if (!words || !e.arena) {
		problem("no memory");
		arena_free(e.arena);
		return STATUS_REFUSED;
	}
	if (live)
		e.ifname = a->word[0];
	status = explain_steps_read(&e, words, args_has(a, "egress") ? DIRECTION_EGRESS : DIRECTION_INGRESS);
	if (!status && live)
		status = ifname_wrong(e.ifname) ? STATUS_WRONG : explain_live(&e);
	else if (!status)
		status = explain_file(&e);
	json_decref(e.json);
	vec_fini(&e.steps);
	arena_free(e.arena);
	return status;
}

const struct command cmd_explain = {
	.name = "explain",
	.run = run,
	.usage = "FILE [-p POLICY] [--egress] [--json] PACKET[; STEP...]\n--live IFACE [--egress] [--json] PACKET[; STEP...]\n"
		 "--why-dropped IFACE ADDRESS [--json]",
	.help = "Say what happens to a packet, which rule decides, and why each earlier rule does not match.",
	.more = "A packet is `tcp 198.51.100.7:4000 -> 192.0.2.1:22 flags S`, `hex 0200..`, or `pcap FILE#N`, packet N of a "
		"capture. Several "
		"steps follow one another on one clock, with flows and limits that begin empty: `[ingress|egress] PACKET [times N]`, "
		"`after 10s`, `add @banned 192.0.2.7 for 1h`, `del @banned 192.0.2.7`, as in a test block.\n"
		"With a file it needs no privilege. With --live the program that runs on the interface is asked too, "
		"by a twin that shares "
		"its tables and not its counters; both must agree. Several steps are judged by a twin over a copy of the rules and of the "
		"elements of their live sets, with tables of its own: it begins without flows and changes nothing on the interface.\n"
		"--why-dropped gathers what is known of an address that does not get through: what the program says of its packets now "
		"(those that events told of, and usual ones), live sets that have it, events, flows, and what drops at all.",
	.kind = ARGS_FILE,
	.min = 2,
	.max = ARGS_ANY,
	.options =
		{
			{.name = "live", .help = "ask what runs on an interface instead of a file"},
			{.letter = 'p', .name = "policy", .arg = "POLICY", .help = "which policy of the file"},
			{.name = "why-dropped", .help = "why an address does not get through an interface"},
			{.name = "egress", .help = "the packet leaves; else it arrives"},
			{.name = "json", .help = "print JSON"},
		},
};

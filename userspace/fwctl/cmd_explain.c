// SPDX-License-Identifier: GPL-2.0-only
/* explain: what happens to one packet, and why each rule before the one that decides did not. */
#include "base/cleanup.h"
#include "fwctl/cmd.h"
#include "fwctl/file.h"
#include "fwctl/live.h"
#include "fwctl/out.h"
#include "fwctl/pcap.h"
#include "fwctl/text.h"
#include "fwctl/words.h"
#include "lang/lang.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct explain {
	struct arena *arena; /* of packet and canonical text */
	uint8_t *frame;
	size_t len;
	enum direction dir;
	const char *policy;
	const struct chain *chain; /* NULL: live, and the running tables hold no text */
	struct packet packet;
	struct eval_result result; /* of eval, when there is a chain */
	struct eval_given given;   /* live: what the tables say of the packet; believed when asked is set */
	/* live only */
	const struct fw_image *image;
	const char *ifname;
	struct fw_trace trace;
	bool attached, asked; /* a program is there; it has answered */
};

struct place {
	const char *text, *file, *label;
	unsigned int line;
};

/* The rule as the author wrote it: live, the meta knows the file, the chain only the canonical text. */
static struct place place_of(const struct explain *e, size_t i)
{
	if (e->image) {
		size_t n;
		const struct fw_meta_rule *r = image_rules(e->image, (enum fw_dir)e->dir, &n);
		if (i >= n)
			return (struct place){ "?", "?", NULL, 0 };
		const char *label = image_str(e->image, r[i].label);
		return (struct place){ image_str(e->image, r[i].text), image_str(e->image, r[i].file),
				       *label ? label : NULL, r[i].line };
	}
	const struct rule *r = &e->chain->rules[i];
	return (struct place){ r->text, r->file ? r->file : "?", r->label, r->line };
}

static const char *place_text(const struct place *p)
{
	static struct str s;

	str_reset(&s);
	str_add_escaped(&s, p->file, strlen(p->file));
	str_addf(&s, ":%u", p->line);
	return str_get(&s);
}

/* "pcap FILE#N": 1 when it is one and was read, 0 when it is something else, -1 after a sentence. */
static int frame_from_capture(struct explain *e, const char *text)
{
	if (strncmp(text, "pcap ", 5))
		return 0;
	text += 5;
	while (*text == ' ')
		text++;
	const char *hash = strrchr(text, '#');
	char *end = NULL;
	unsigned long n = hash ? strtoul(hash + 1, &end, 10) : 1;
	if (hash && (!hash[1] || *end || !n)) {
		problem("which packet of the capture? write pcap FILE#N, counted from 1");
		return -1;
	}
	char *path = arena_strndup(e->arena, text, hash ? (size_t)(hash - text) : strlen(text));
	struct fail fail = {};
	long len = path ? pcap_read(path, n, e->frame, PACKET_MAX_FRAME, &fail) : -ENOMEM;
	if (len < 0) {
		problem_fail(&fail, (int)len);
		return -1;
	}
	e->len = (size_t)len;
	return 1;
}

static int frame_make(struct explain *e, const char *text)
{
	struct packet_spec *spec = NULL;
	struct diags diags;

	int got = frame_from_capture(e, text);
	if (got)
		return got > 0 ? STATUS_DONE : STATUS_WRONG;
	diags_init(&diags, e->arena);
	int err = lang_parse_packet(e->arena, "packet", text, strlen(text), &diags, &spec);
	problem_diags(&diags);
	bool wrong = diags.errors;
	diags_fini(&diags);
	if (wrong)
		return STATUS_WRONG;
	long len = err ? err : packet_build(spec, e->frame, PACKET_MAX_FRAME);
	if (len < 0) {
		problem("cannot build that packet: %s",
			len == -EINVAL ? "its words contradict each other" : strerror((int)-len));
		return STATUS_WRONG;
	}
	e->len = (size_t)len;
	return STATUS_DONE;
}

static void judge(struct explain *e)
{
	packet_parse(e->frame, e->len, NULL, &e->packet);
	if (e->asked)
		e->result = eval_given(e->chain, e->frame, e->len, NULL, &e->given, NULL, NULL);
	else
		e->result = eval_frame(e->chain, e->frame, e->len, NULL, NULL, NULL);
	e->packet.value[FIELD_STATE] = e->result.state;
	e->packet.live_src = e->given.live_src;
	e->packet.live_dst = e->given.live_dst;
}

/* How many rules were looked at before the verdict. */
static size_t rules_before(const struct explain *e)
{
	if (!e->chain || e->result.reason == EVAL_FAULT)
		return 0;
	return e->result.rule >= 0 ? (size_t)e->result.rule : e->chain->nrules;
}

static const char *reason_of(const struct explain *e)
{
	return e->chain ? eval_reason_word(&e->result) : word_reason(e->trace.reason);
}

static long rule_of(const struct explain *e)
{
	if (e->chain)
		return e->result.rule;
	return e->trace.rule == ~0u ? -1 : (long)e->trace.rule;
}

static const char *verdict_of(const struct explain *e)
{
	return word_verdict(e->chain ? (unsigned int)e->result.verdict : e->trace.verdict);
}

/* The tables alone know how much of a limit, or of their room, is left: there the program has the word. */
static bool is_of_tables(const struct fw_trace *t)
{
	return t->reason == FW_REASON_LIMIT || t->reason == FW_REASON_LIMIT_FULL || t->reason == FW_REASON_MAX_CONN ||
	       t->reason == FW_REASON_STATE_FULL || t->reason == FW_REASON_SYN_COOKIE || t->reason == FW_REASON_TCP_WINDOW;
}

static void explain_print(const struct explain *e)
{
	long rule = rule_of(e);
	size_t n = rules_before(e);

	if (rule >= 0) {
		struct place p = place_of(e, (size_t)rule);
		out("%s by %s: %s\n", verdict_of(e), place_text(&p), p.text);
	} else {
		const char *word = reason_of(e);
		out("%s by \"%s\": %s\n", verdict_of(e), word, word_reason_text(word));
	}
	out("  policy %s, %s%s%s\n", e->policy, word_dir(e->dir), e->ifname ? ", on " : "",
	    e->ifname ? out_name(e->ifname) : "");
	if (!e->chain && is_of_tables(&e->trace))
		out("  the rule matches; this is what its limits and the tables of the policy have left\n");
	else if (!e->chain && (rule > 0 || rule < 0))
		out("  the sets of these rules are too large to be kept as text; fwctl explain FILE says why earlier "
		    "rules do not match\n");
	if (!n)
		return;
	struct table t;
	table_init(&t, 3, "earlier rule", "does not match", "text");
	for (size_t i = 0; i < n; i++) {
		struct place p = place_of(e, i);
		const char *why = eval_rule_why_not(&e->chain->rules[i], &e->packet);
		table_add(&t, place_text(&p), why ? why : "matches and counts", p.text);
	}
	table_print(&t, "  ");
}

static json_t *rule_json(const struct explain *e, size_t i)
{
	struct place p = place_of(e, i);
	json_t *j = json_pack("{s:I,s:o,s:i,s:o}", "index", (json_int_t)i, "file", out_jstr(p.file), "line",
			      (int)p.line, "text", out_jstr(p.text));

	if (p.label)
		json_object_set_new(j, "label", out_jstr(p.label));
	return j;
}

static int explain_json(const struct explain *e)
{
	long rule = rule_of(e);
	json_t *earlier = json_array(), *j;

	for (size_t i = 0; i < rules_before(e); i++) {
		json_t *r = rule_json(e, i);
		const char *why = eval_rule_why_not(&e->chain->rules[i], &e->packet);
		json_object_set_new(r, "fails", why ? json_string(why) : json_null());
		json_array_append_new(earlier, r);
	}
	j = json_pack("{s:s,s:s,s:s,s:o,s:s,s:o,s:o,s:I}", "verdict", verdict_of(e), "reason", reason_of(e),
		      "reason_text", word_reason_text(reason_of(e)), "policy", out_jstr(e->policy), "direction",
		      word_dir(e->dir), "rule", rule < 0 ? json_null() : rule_json(e, (size_t)rule), "earlier", earlier,
		      "frame_bytes", (json_int_t)e->len);
	if (j && e->ifname) {
		json_object_set_new(j, "interface", out_jstr(e->ifname));
		json_object_set_new(j, "generation", json_integer((json_int_t)e->image->generation));
		json_object_set_new(
			j, "judged_by",
			json_string(e->asked ? e->chain ? "program and reference" : "program" : "reference"));
	}
	return out_json(j, false);
}

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

static int explain_file(struct explain *e, const struct args *a)
{
	struct file f;
	int status = file_open(&f, a->word[0]);

	file_report(&f);
	const struct policy *p = status ? NULL : policy_choose(a, f.rules);
	if (!status && !p)
		status = STATUS_WRONG;
	if (!status) {
		e->policy = p->name;
		e->chain = &p->chain[e->dir];
		judge(e);
		if (args_has(a, "json"))
			status = explain_json(e);
		else
			explain_print(e);
	}
	file_close(&f);
	return status;
}

/*
 * Ask the twin of the running program. 0 also when no program is attached in this direction, and when the kernel cannot
 * ask: its test run takes no frame under 14 bytes (34 for IPv4 at TC).
 */
static int live_ask(struct explain *e, struct live *l, const struct kern_iface_state *s)
{
	struct kern_twin *twin = NULL;
	int err = 0;

	for (size_t i = 0; i < s->nhooks; i++) {
		if (hook_dir(s->hook[i].hook) != (enum fw_dir)e->dir)
			continue;
		e->attached = e->asked = true;
		err = kern_twin_open(l->kern, s->policy, s->hook[i].hook, &twin);
		if (!err)
			err = kern_twin_run(twin, e->frame, e->len, 0, &e->trace);
		kern_twin_close(twin);
		break;
	}
	if (err == -EINVAL && e->len < 34) {
		problem("note: the kernel takes no frame as short as this one for a question; the reference answers "
			"alone");
		e->asked = false;
		return 0;
	}
	if (err)
		problem_fail(&l->fail, err);
	return err;
}

static bool is_member(struct kern_live *sets, uint32_t id, enum family family, u128 addr)
{
	struct kern_element found;
	uint32_t key[4] = {};
	int n = family == FAMILY_IPV4 ? 1 : 4;

	for (int i = 0; i < n; i++)
		key[i] = htonl((uint32_t)(addr >> 32 * (n - 1 - i)));
	return !kern_live_test(sets, id, (uint8_t)family, key, &found);
}

/* What the reference cannot know: the state that the program saw, and in which live sets the addresses are. */
static void live_given(struct explain *e, struct live *l, const struct policy *p)
{
	struct kern_live *sets = NULL;
	struct kern_set *set = NULL;
	struct packet packet = {};
	size_t n = 0;

	e->given = (struct eval_given){ .state = (enum state)e->trace.state };
	if (!p->nlive || packet_parse(e->frame, e->len, NULL, &packet) || packet.family == FAMILY_OTHER)
		return;
	if (!kern_live_open(l->kern, &sets) && !kern_live_sets(sets, &set, &n)) {
		for (size_t i = 0; i < p->nlive; i++) {
			for (size_t k = 0; k < n; k++) {
				if (strcmp(set[k].name, p->live[i]->name))
					continue;
				e->given.live_src |= (uint32_t)is_member(sets, set[k].id, packet.family, packet.src) << i;
				e->given.live_dst |= (uint32_t)is_member(sets, set[k].id, packet.family, packet.dst) << i;
			}
		}
	}
	free(set);
	kern_live_close(sets);
}

/* Program and reference must say the same; the sentence when they do not. */
static bool live_agree(struct explain *e)
{
	long rule = e->trace.rule == ~0u ? -1 : (long)e->trace.rule;

	if (!e->asked || !e->chain)
		return true;
	if (is_of_tables(&e->trace)) {
		e->chain = NULL;
		return true;
	}
	if (e->trace.verdict == (uint32_t)e->result.verdict && rule == e->result.rule &&
	    !strcmp(word_reason(e->trace.reason), eval_reason_word(&e->result)))
		return true;
	problem("the running program and the reference disagree: the program says %s by %s (rule %ld), the reference "
		"%s by %s (rule %ld); "
		"please report this with the packet and `fwctl show rules`",
		word_verdict(e->trace.verdict), word_reason(e->trace.reason), rule,
		word_verdict((unsigned int)e->result.verdict), eval_reason_word(&e->result), e->result.rule);
	return false;
}

static int live_judge(struct explain *e, struct live *l, const struct kern_iface_state *s)
{
	static const struct chain absent = { .fallback = VERDICT_PASS };

	e->image = live_image(l, s);
	if (!e->image || live_ask(e, l, s))
		return STATUS_REFUSED;
	const struct ruleset *rs = text_read(e->arena, e->image);
	if (rs)
		e->chain = &rs->policies[0].chain[e->dir];
	size_t n = 0;
	image_rules(e->image, (enum fw_dir)e->dir, &n);
	if (e->chain && e->chain->nrules != n)
		e->chain = NULL; /* not the same rules: only the program's word counts */
	if (!e->chain && !e->attached)
		e->chain = &absent;
	if (!e->chain && !e->asked) {
		problem("cannot judge this packet: the rules of the running tables are not kept as text");
		return STATUS_REFUSED;
	}
	if (e->chain && e->asked)
		live_given(e, l, &rs->policies[0]);
	if (e->chain)
		judge(e);
	return live_agree(e) ? STATUS_DONE : STATUS_REFUSED;
}

static int explain_live(struct explain *e, const struct args *a)
{
	struct live l;
	int status = live_open(&l, KERN_READ);

	if (status)
		return status;
	const struct kern_iface_state *s = live_need(&l, e->ifname);
	status = STATUS_REFUSED;
	if (s) {
		e->policy = s->policy;
		status = live_judge(e, &l, s);
	}
	live_release(&l);
	if (!status) {
		if (args_has(a, "json"))
			status = explain_json(e);
		else
			explain_print(e);
	}
	live_close(&l);
	return status;
}

static int run(const struct args *a)
{
	bool live = args_has(a, "live");
	auto_free uint8_t *frame = malloc(PACKET_MAX_FRAME);
	auto_free char *words = args_join(a, 1);
	struct explain e = { .arena = arena_new(),
			     .frame = frame,
			     .dir = args_has(a, "egress") ? DIRECTION_EGRESS : DIRECTION_INGRESS };

	if (!frame || !words || !e.arena) {
		problem("no memory");
		arena_free(e.arena);
		return STATUS_REFUSED;
	}
	if (live)
		e.ifname = a->word[0];
	int status = frame_make(&e, words);
	if (!status && live)
		status = ifname_wrong(e.ifname) ? STATUS_WRONG : explain_live(&e, a);
	else if (!status)
		status = explain_file(&e, a);
	arena_free(e.arena);
	return status;
}

const struct command cmd_explain = {
	.name = "explain",
	.run = run,
	.usage = "FILE [-p POLICY] [--egress] [--json] PACKET\n--live IFACE [--egress] [--json] PACKET",
	.help = "Say what happens to a packet, which rule decides, and why each earlier rule does not match.",
	.more = "With a file it needs no privilege. With --live the program that runs on the interface is asked too, "
		"by a twin that shares "
		"its tables and not its counters; both must agree.",
	.kind = ARGS_FILE,
	.min = 2,
	.max = ARGS_ANY,
	.options =
		{
			{.name = "live", .help = "ask what runs on an interface instead of a file"},
			{.letter = 'p', .name = "policy", .arg = "POLICY", .help = "which policy of the file"},
			{.name = "egress", .help = "the packet leaves; else it arrives"},
			{.name = "json", .help = "print JSON"},
		},
};

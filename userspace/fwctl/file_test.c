// SPDX-License-Identifier: GPL-2.0-only
/* The test blocks of a rule file: every line is done by the oracle, whose tables start empty for each single line and
 * each sequence. */
#include "base/cleanup.h"
#include "fwctl/cmd.h"
#include "fwctl/file.h"
#include "fwctl/out.h"
#include "fwctl/words.h"
#include "model/track.h"

#include <errno.h>
#include <string.h>

/* A line being run. */
struct run {
	struct file *file;
	struct track *track;
	uint8_t *frame;
	const struct expectation *e;
	struct eval_result got;
	long len;	   /* of the frame; negative: none can be built */
	unsigned int time; /* which of `times`, from 1 */
};

static const struct rule *rule_that_matched(const struct run *t)
{
	return t->got.rule < 0 ? NULL : &t->e->policy->chain[t->e->direction].rules[t->got.rule];
}

static bool as_expected(const struct run *t)
{
	const struct rule *rule = rule_that_matched(t);

	if (t->got.verdict != t->e->verdict)
		return false;
	if (!t->e->by)
		return true;
	if (t->got.reason == EVAL_RULE && rule && rule->label && !strcmp(t->e->by, rule->label))
		return true;
	return !strcmp(t->e->by, eval_reason_word(&t->got));
}

static const char *done_word(enum verdict verdict)
{
	return verdict == VERDICT_PASS ? "passed" : verdict == VERDICT_REJECT ? "rejected" : "dropped";
}

static void say_got(const struct run *t, struct str *out)
{
	const struct expectation *e = t->e;
	const struct rule *rule = rule_that_matched(t);

	if (t->len < 0) {
		str_addf(out, "no such packet can be built: %s", e->text);
		return;
	}
	str_addf(out, "expected %s%s%s%s, but the packet is %s by ", word_verdict(e->verdict), e->by ? " by \"" : "",
		 e->by ? e->by : "", e->by ? "\"" : "", done_word(t->got.verdict));
	if (rule && t->got.reason != EVAL_RULE)
		str_addf(out, "\"%s\" of the rule in line %u", eval_reason_word(&t->got), rule->line);
	else if (!rule)
		str_addf(out, "\"%s\"", eval_reason_word(&t->got));
	else if (rule->label)
		str_addf(out, "\"%s\" (line %u)", rule->label, rule->line);
	else
		str_addf(out, "the rule in line %u", rule->line);
	if (e->times > 1)
		str_addf(out, ", time %u of %u", t->time, e->times);
}

static void complain(const struct run *t)
{
	const struct expectation *e = t->e;
	struct file *f = t->file;
	const struct rule *rule = t->len < 0 ? NULL : rule_that_matched(t);
	struct span span = file_span(f, e->file, e->line);
	struct str got = {};

	if (!span.source && e->file)
		str_addf(&got, "%s:%u: ", e->file, e->line);
	say_got(t, &got);
	struct diag *g = diag_add(&f->diags, DIAG_ERROR, span, "test failed: %s", str_get(&got));
	struct span other = rule ? file_span(f, rule->file, rule->line) : (struct span){};
	if (other.source && !rule->essential)
		diag_note(&f->diags, g, other, t->got.reason == EVAL_RULE ? "this rule decided" : "this rule matched");
	str_fini(&got);
}

static int run_packet(struct run *t)
{
	const struct expectation *e = t->e;
	bool good = true;
	int err;

	t->len = packet_build(e->packet, t->frame, PACKET_MAX_FRAME);
	good = t->len >= 0;
	for (t->time = 1; good && t->time <= e->times; t->time++) {
		t->got = (struct eval_result){ .rule = -1 };
		err = track_frame(t->track, e->policy, e->direction, t->frame, (size_t)t->len, NULL, NULL, NULL,
				  &t->got);
		if (err)
			return err;
		good = as_expected(t);
		if (!good)
			break;
	}
	if (good) {
		t->file->passed++;
		return 0;
	}
	t->file->failed++;
	if (diags_enough(&t->file->diags)) /* nobody will see more: count it, and do not look for its lines */
		diag_add(&t->file->diags, DIAG_ERROR, (struct span){}, "test failed");
	else
		complain(t);
	return 0;
}

/* How many leading bits the addresses of a prefix have in common. */
static unsigned int prefix_len(u128 lo, u128 hi, unsigned int bits)
{
	for (u128 differ = lo ^ hi; differ; differ >>= 1)
		bits--;
	return bits;
}

static int run_element(struct run *t)
{
	const struct aset *a = t->e->addresses;
	const struct named_set *set = t->e->set;
	enum family family = a->n4 ? FAMILY_IPV4 : FAMILY_IPV6;
	u128 lo = a->n4 ? a->v4->lo : a->v6->lo, hi = a->n4 ? a->v4->hi : a->v6->hi;
	unsigned int plen = prefix_len(lo, hi, a->n4 ? 32 : 128);
	uint64_t ns = t->e->ns ? t->e->ns : set->timeout_ns;

	if (t->e->step == STEP_ADD)
		return track_set_add(t->track, set, family, lo, plen, ns ? track_now(t->track) + ns : UINT64_MAX);
	track_set_del(t->track, set, family, lo, plen);
	return 0;
}

/* Tables as they are long after a load: empty, and mid-stream pickup is over. */
static int run_restart(struct run *t)
{
	track_free(t->track);
	t->track = track_new(0);
	if (!t->track)
		return -ENOMEM;
	track_clock(t->track, TRACK_LATER_NS);
	return 0;
}

static int run_line(struct run *t, const struct expectation *before)
{
	bool goes_on = before && t->e->sequence && t->e->sequence == before->sequence;
	int err = goes_on ? 0 : run_restart(t);

	if (err)
		return err;
	switch (t->e->step) {
	case STEP_AFTER:
		track_clock(t->track, track_now(t->track) + t->e->ns);
		return 0;
	case STEP_ADD:
	case STEP_DEL:
		return run_element(t);
	default:
		return run_packet(t);
	}
}

int file_test(struct file *f)
{
	auto_free uint8_t *frame = malloc(PACKET_MAX_FRAME);
	struct run t = { .file = f, .frame = frame };
	int err = frame ? 0 : -ENOMEM;

	for (size_t i = 0; i < f->rules->ntests && !err; i++) {
		t.e = &f->rules->tests[i];
		err = run_line(&t, i ? t.e - 1 : NULL);
	}
	track_free(t.track);
	if (err) {
		problem("cannot run the tests of %s: no memory", out_name(f->path));
		return STATUS_REFUSED;
	}
	return f->failed ? STATUS_WRONG : STATUS_DONE;
}

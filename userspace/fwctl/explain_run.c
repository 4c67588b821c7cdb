// SPDX-License-Identifier: GPL-2.0-only
/* The steps, one after the other, on one clock. */
#include "fwctl/explain.h"

#include "fwctl/out.h"
#include "fwctl/words.h"

#include <errno.h>
#include <string.h>

static const struct named_set *set_find(const struct explain *e, const struct explain_step *s)
{
	for (size_t i = 0; i < e->policy->nlive; i++)
		if (!strcmp(e->policy->live[i]->name, s->set))
			return e->policy->live[i];
	problem("no rule of policy %s names a live set @%s", e->policy->name, out_name(s->set));
	return NULL;
}

static int element_step(struct explain *e, struct track *t, struct explain_live *live, const struct explain_step *s)
{
	const struct named_set *set = set_find(e, s);
	uint64_t ns, end;

	if (!set)
		return STATUS_WRONG;
	ns = s->ns ? s->ns : set->timeout_ns;
	end = ns ? track_now(t) + ns : UINT64_MAX;
	if (s->kind == STEP_DEL)
		track_set_del(t, set, s->family, s->addr, s->plen);
	else if (track_set_add(t, set, s->family, s->addr, s->plen, end))
		return STATUS_REFUSED;
	if (live && explain_live_element(live, s, end))
		return STATUS_REFUSED;
	explain_tell_between(e, s);
	return STATUS_DONE;
}

/* What the tables of the program may lack, and the oracle never. */
static bool lacks_room(const struct judged *j)
{
	return j->reason == FW_REASON_LIMIT_FULL || j->reason == FW_REASON_STATE_FULL ||
	       j->reason == FW_REASON_SYN_COOKIE;
}

/* The program has been asked, too: both must say the same. */
static int ask_program(struct explain *e, struct track *t, struct explain_live *live, struct explain_answer *a)
{
	struct judged said;
	int got = explain_live_packet(live, a->step, track_now(t), &said);

	if (got < 0)
		return STATUS_REFUSED;
	a->program = got > 0;
	if (!got || judged_same(&said, &a->judged))
		return STATUS_DONE;
	if (lacks_room(&said)) {
		a->judged = said;
		a->tables = true;
		return STATUS_DONE;
	}
	problem("the running program and the reference disagree: the program says %s by %s (rule %ld), the reference "
		"%s by %s (rule %ld); "
		"please report this with the packets and `fwctl show rules`",
		word_verdict((unsigned int)said.verdict), word_reason(said.reason), said.rule,
		word_verdict((unsigned int)a->judged.verdict), word_reason(a->judged.reason), a->judged.rule);
	return STATUS_REFUSED;
}

static int packet_once(struct explain *e, struct track *t, struct explain_live *live, struct explain_answer *a)
{
	struct eval_result r;

	if (track_frame_said(t, e->policy, a->step->dir, a->step->frame, a->step->len, NULL, NULL, NULL, &r,
			     &a->said)) {
		problem("no memory");
		return STATUS_REFUSED;
	}
	a->judged = judged_of(&r);
	a->reference = true;
	a->chain = &e->policy->chain[a->step->dir];
	return live ? ask_program(e, t, live, a) : STATUS_DONE;
}

/* As often as the step says; answers that are alike are told once, the last of them. */
static int packet_step(struct explain *e, struct track *t, struct explain_live *live, const struct explain_step *s)
{
	struct explain_answer last = {};

	for (unsigned int i = 0; i < s->times; i++) {
		struct explain_answer a = { .step = s, .times = 1 };
		int status = packet_once(e, t, live, &a);

		if (status)
			return status;
		if (last.times && judged_same(&a.judged, &last.judged))
			a.times += last.times;
		else if (last.times)
			explain_tell(e, &last);
		last = a;
	}
	explain_tell(e, &last);
	return STATUS_DONE;
}

int explain_run(struct explain *e, struct track *t, struct explain_live *live)
{
	for (size_t i = 0; i < e->steps.n; i++) {
		const struct explain_step *s = &e->steps.v[i];
		int status = STATUS_DONE;

		if (s->kind == STEP_AFTER) {
			track_clock(t, track_now(t) + s->ns);
			explain_tell_between(e, s);
		} else if (s->kind == STEP_PACKET) {
			status = packet_step(e, t, live, s);
		} else {
			status = element_step(e, t, live, s);
		}
		if (status)
			return status;
	}
	return STATUS_DONE;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * explain --live: one packet is put to the twin of what runs, which sees its flows, limits and sets; several to a twin
 * over a copy, which has tables of its own.
 */
#include "fwctl/explain.h"

#include "fwctl/elements.h"
#include "fwctl/out.h"
#include "fwctl/text.h"
#include "fwctl/words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The tables alone know how much of a limit, or of their room, is left: there the program has the word. */
static bool is_of_tables(unsigned int reason)
{
	return reason == FW_REASON_LIMIT || reason == FW_REASON_LIMIT_FULL || reason == FW_REASON_MAX_CONN ||
	       reason == FW_REASON_STATE_FULL || reason == FW_REASON_SYN_COOKIE || reason == FW_REASON_TCP_WINDOW;
}

/*
 * Ask the twin of the running program. 1: it answered. 0: no program is attached in this direction, or the kernel
 * cannot ask: its test run takes no frame under 14 bytes (34 for IPv4 at TC). *ret_attached: there is a program.
 */
static int running_ask(struct live *l, const struct kern_iface_state *s, const struct explain_step *step,
		       bool *ret_attached, struct fw_trace *ret)
{
	struct kern_twin *twin = NULL;
	int err = 0;

	*ret_attached = false;
	for (size_t i = 0; i < s->nhooks && !*ret_attached; i++) {
		if (hook_dir(s->hook[i].hook) != (enum fw_dir)step->dir)
			continue;
		*ret_attached = true;
		err = kern_twin_open(l->kern, s->policy, s->hook[i].hook, &twin);
		if (!err)
			err = kern_twin_run(twin, step->frame, step->len, 0, ret);
		kern_twin_close(twin);
	}
	if (err == -EINVAL && step->len < 34) {
		problem("note: the kernel takes no frame as short as this one for a question; the reference answers "
			"alone");
		return 0;
	}
	if (err)
		problem_fail(&l->fail, err);
	return err ? err : *ret_attached;
}

static void element_key_of(enum family family, u128 addr, uint32_t key[4])
{
	int n = family == FAMILY_IPV4 ? 1 : 4;

	memset(key, 0, 4 * sizeof(*key));
	for (int i = 0; i < n; i++)
		key[i] = htonl((uint32_t)(addr >> 32 * (n - 1 - i)));
}

static bool is_member(struct kern_live *sets, uint32_t id, enum family family, u128 addr)
{
	struct kern_element found;
	uint32_t key[4];

	element_key_of(family, addr, key);
	return !kern_live_test(sets, id, (uint8_t)family, key, &found);
}

/* Which live sets of the policy the addresses are in. */
static void running_sets(struct live *l, const struct policy *p, struct packet *packet)
{
	struct kern_live *sets = NULL;
	struct kern_set *set = NULL;
	size_t n = 0;

	if (!p->nlive || packet->family == FAMILY_OTHER)
		return;
	if (!kern_live_open(l->kern, &sets) && !kern_live_sets(sets, &set, &n)) {
		for (size_t i = 0; i < p->nlive; i++) {
			for (size_t k = 0; k < n; k++) {
				if (strcmp(set[k].name, p->live[i]->name))
					continue;
				packet->live_src |= (uint32_t)is_member(sets, set[k].id, packet->family, packet->src)
						    << i;
				packet->live_dst |= (uint32_t)is_member(sets, set[k].id, packet->family, packet->dst)
						    << i;
			}
		}
	}
	free(set);
	kern_live_close(sets);
}

/* The reference, told what it cannot know: the state that the program saw, and in which live sets the addresses are. */
static struct judged reference_judge(struct explain *e, struct live *l, const struct explain_step *s,
				     const struct fw_trace *trace, struct explain_answer *a)
{
	struct eval_result r;

	a->reference = true;
	a->said.parsed = !packet_parse(s->frame, s->len, NULL, &a->said.packet);
	if (trace && a->said.parsed && e->policy)
		running_sets(l, e->policy, &a->said.packet);
	if (trace) {
		struct eval_given given = { (enum state)trace->state, a->said.packet.live_src,
					    a->said.packet.live_dst };

		r = eval_given(a->chain, s->frame, s->len, NULL, &given, NULL, NULL);
	} else {
		r = eval_frame(a->chain, s->frame, s->len, NULL, NULL, NULL);
	}
	a->said.packet.value[FIELD_STATE] = r.state;
	return judged_of(&r);
}

static bool same_decision(const struct judged *a, const struct judged *b)
{
	return a->verdict == b->verdict && a->reason == b->reason && a->rule == b->rule;
}

/* One packet, by what runs. */
static int packet_judge(struct explain *e, struct live *l, const struct kern_iface_state *s)
{
	static const struct chain absent = { .fallback = VERDICT_PASS };
	const struct explain_step *step = &e->steps.v[0];
	struct explain_answer a = { .step = step, .times = 1 };
	struct fw_trace t = {};
	bool attached;
	size_t n = 0;
	int asked = running_ask(l, s, step, &attached, &t);
	struct judged program = { (enum verdict)t.verdict, t.reason, (enum state)t.state,
				  t.rule == ~0u ? -1 : (long)t.rule },
		      reference;

	if (asked < 0)
		return STATUS_REFUSED;
	a.program = asked;
	image_rules(e->image, (enum fw_dir)step->dir, &n);
	if (e->policy && e->policy->chain[step->dir].nrules == n)
		a.chain = &e->policy->chain[step->dir]; /* else: not the same rules, only the program's word counts */
	if (!a.chain && !attached)
		a.chain = &absent;
	if (!a.chain && !asked) {
		problem("cannot judge this packet: the rules of the running tables are not kept as text");
		return STATUS_REFUSED;
	}
	a.judged = program;
	a.tables = asked && is_of_tables(t.reason);
	if (a.chain && a.tables)
		a.chain = NULL;
	if (a.chain) {
		reference = reference_judge(e, l, step, asked ? &t : NULL, &a);
		if (asked && !same_decision(&program, &reference)) {
			problem("the running program and the reference disagree: the program says %s by %s (rule %ld), "
				"the reference "
				"%s by %s (rule %ld); please report this with the packet and `fwctl show rules`",
				word_verdict(t.verdict), word_reason(t.reason), program.rule,
				word_verdict((unsigned int)reference.verdict), word_reason(reference.reason),
				reference.rule);
			return STATUS_REFUSED;
		}
		a.judged = reference;
	}
	explain_tell(e, &a);
	return STATUS_DONE;
}

/* A sequence: a twin over a copy of the image. */
struct explain_live {
	struct judge judge;
	struct image image;
	struct kern_live *sets; /* of the twin; NULL: it has none */
};

static long set_id(struct kern_live *sets, const char *name)
{
	struct kern_set *v = NULL;
	long id = -1;
	size_t n = 0;

	if (!kern_live_sets(sets, &v, &n))
		for (size_t i = 0; i < n; i++)
			if (!strcmp(v[i].name, name))
				id = (long)v[i].id;
	free(v);
	return id;
}

static int live_failed(const struct explain_live *l, int err)
{
	problem_fail(&l->judge.fail, err);
	return err;
}

int explain_live_element(struct explain_live *l, const struct explain_step *s, uint64_t end_ns)
{
	bool v4 = s->family == FAMILY_IPV4;
	struct kern_element x = { .l3 = v4 ? FW_L3_IPV4 : FW_L3_IPV6, .plen = (uint8_t)s->plen, .end_ns = end_ns };
	unsigned int drop = (v4 ? 32 : 128) - s->plen;
	u128 addr = drop >= 128 ? 0 : s->addr >> drop << drop;
	long id = l->sets ? set_id(l->sets, s->set) : -1;
	size_t n;
	int err;

	element_key_of(s->family, addr, x.addr);
	err = id < 0		    ? -ENOENT
	      : s->kind == STEP_ADD ? kern_live_add(l->sets, (uint32_t)id, &x, 1, false, &n)
				    : kern_live_del(l->sets, (uint32_t)id, &x, 1, &n);
	return err ? live_failed(l, err) : 0;
}

int explain_live_packet(struct explain_live *l, const struct explain_step *s, uint64_t now_ns, struct judged *ret)
{
	int got;

	judge_clock(&l->judge, now_ns);
	got = judge_packet(&l->judge, s->dir, s->frame, s->len, NULL, NULL, ret);
	return got < 0 ? live_failed(l, got) : got;
}

/* The time that is left of an element, on the clock of the sequence. */
static uint64_t end_of(const struct kern_element *x, uint64_t mono)
{
	if (x->end_ns == UINT64_MAX)
		return UINT64_MAX;
	return TRACK_LATER_NS + (x->end_ns > mono ? x->end_ns - mono : 0);
}

static int element_copy(struct explain_live *l, struct track *t, const struct named_set *set, long id,
			struct kern_element *x)
{
	u128 addr = 0;
	size_t n;
	int err;

	for (int i = 0; i < (x->l3 == FW_L3_IPV4 ? 1 : 4); i++)
		addr = addr << 32 | ntohl(x->addr[i]);
	err = track_set_add(t, set, (enum family)x->l3, addr, x->plen, x->end_ns);
	return err ?: kern_live_add(l->sets, (uint32_t)id, x, 1, false, &n);
}

/* Elements of the namespace's live sets go into both: the oracle's and the twin's. */
static int sets_copy(struct explain *e, struct live *live, struct explain_live *l, struct track *t)
{
	struct kern_live *from = NULL;
	uint64_t mono = moment_now().mono;
	int err = e->policy->nlive ? kern_live_open(live->kern, &from) : 0;

	if (err == -ENOENT)
		return 0;
	for (size_t i = 0; i < e->policy->nlive && !err; i++) {
		const char *name = e->policy->live[i]->name;
		long there = set_id(from, name), here = l->sets ? set_id(l->sets, name) : -1;
		struct kern_element *x = NULL;
		size_t n = 0;

		if (there < 0 || here < 0)
			continue;
		err = kern_live_list(from, (uint32_t)there, &x, &n);
		for (size_t k = 0; k < n && !err; k++) {
			x[k].end_ns = end_of(&x[k], mono);
			err = element_copy(l, t, e->policy->live[i], here, &x[k]);
		}
		free(x);
	}
	kern_live_close(from);
	if (err)
		problem_fail(live->fail.err ? &live->fail : &l->judge.fail, err);
	return err;
}

static int sequence_run(struct explain *e, struct live *live, struct explain_live *l, struct track *t)
{
	int err = judge_open_kernel(&l->judge, e->policy, &l->image, TRACK_LATER_NS, 1);

	if (!err && e->policy->nlive)
		err = kern_twin_live(l->judge.twin[FW_HOOK_XDP], &l->sets);
	if (err && err != -ENOENT) {
		live_failed(l, err);
		return STATUS_REFUSED;
	}
	if (sets_copy(e, live, l, t))
		return STATUS_REFUSED;
	live_release(live);
	if (!e->json)
		problem("note: judged by a copy of the rules on %s and of their live sets, with no flow open and no "
			"limit used",
			out_name(e->ifname));
	return explain_run(e, t, l);
}

static int sequence_judge(struct explain *e, struct live *live, const struct kern_iface_state *s)
{
	struct explain_live l = {};
	struct track *t = track_new(1);
	int status = STATUS_REFUSED, err;

	e->own_tables = true;
	if (!e->policy) {
		problem("cannot judge a sequence: the rules of the running tables are not kept as text; fwctl explain "
			"FILE can");
	} else if (!t) {
		problem("no memory");
	} else {
		track_clock(t, TRACK_LATER_NS);
		err = kern_image(live->kern, s->policy, &l.image);
		if (err)
			problem_fail(&live->fail, err);
		else
			status = sequence_run(e, live, &l, t);
	}
	kern_live_close(l.sets);
	judge_close(&l.judge);
	image_fini(&l.image);
	track_free(t);
	return status;
}

int explain_live(struct explain *e)
{
	struct live l;
	const struct kern_iface_state *s;
	const struct ruleset *rs;
	int status = live_open(&l, KERN_READ);

	if (status)
		return status;
	s = live_need(&l, e->ifname);
	e->image = s ? live_image(&l, s) : NULL;
	status = STATUS_REFUSED;
	if (e->image) {
		rs = text_read(e->arena, e->image);
		e->policy = rs ? &rs->policies[0] : NULL;
		e->policy_name = s->policy;
		status = e->steps.n > 1 ? sequence_judge(e, &l, s) : packet_judge(e, &l, s);
	}
	live_release(&l);
	if (!status)
		status = explain_tell_end(e);
	live_close(&l);
	return status;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/judge.h"

#include "base/fail.h"

#include <errno.h>

int judge_open(struct judge *j, const struct policy *policy)
{
	*j = (struct judge){ .policy = policy, .track = track_new(JUDGE_START_NS) };
	if (!j->track || track_quicken(j->track, policy))
		return fail_set(&j->fail, -ENOMEM, "no memory");
	return 0;
}

int judge_open_kernel(struct judge *j, const struct policy *policy, const struct image *img, uint64_t now_ns,
		      uint64_t state_ns)
{
	int err;

	*j = (struct judge){ .policy = policy, .image = img };
	err = kern_twin_open_image(img, FW_HOOK_XDP, &j->fail, &j->twin[FW_HOOK_XDP]);
	err = err ?: kern_twin_open_beside(j->twin[FW_HOOK_XDP], FW_HOOK_TC_EGRESS, &j->twin[FW_HOOK_TC_EGRESS]);
	if (err)
		return fail_set(&j->fail, err, "cannot load the program");
	j->given =
		(struct kern_given){ .given = FW_GIVEN_NOW, .now_ns = now_ns, .state_ns = state_ns ?: JUDGE_START_NS };
	for (int h = 0; h < FW_HOOK_COUNT; h++)
		if (j->twin[h])
			kern_twin_given(j->twin[h], &j->given);
	return 0;
}

void judge_close(struct judge *j)
{
	track_free(j->track);
	for (int h = FW_HOOK_COUNT - 1; h >= 0; h--) /* the first one owns the tables */
		kern_twin_close(j->twin[h]);
	j->track = NULL;
	for (int h = 0; h < FW_HOOK_COUNT; h++)
		j->twin[h] = NULL;
}

void judge_clock(struct judge *j, uint64_t now_ns)
{
	if (j->track)
		track_clock(j->track, now_ns);
	else if (j->given.now_ns < now_ns)
		j->given.now_ns = now_ns;
	else
		return;
	for (int h = 0; h < FW_HOOK_COUNT; h++)
		if (j->twin[h])
			kern_twin_given(j->twin[h], &j->given);
}

struct judged judged_of(const struct eval_result *r)
{
	static const uint8_t fault[PACKET_FAULT_COUNT] = {
		[PACKET_L2_SHORT] = FW_REASON_L2_SHORT,	  [PACKET_VLAN_DEPTH] = FW_REASON_VLAN_DEPTH,
		[PACKET_MALFORMED] = FW_REASON_MALFORMED, [PACKET_FRAG_TINY] = FW_REASON_FRAG_TINY,
		[PACKET_EXT_CHAIN] = FW_REASON_EXT_CHAIN, [PACKET_L4_SHORT] = FW_REASON_L4_SHORT,
	};
	static const uint8_t reason[] = {
		[EVAL_RULE] = FW_REASON_RULE,
		[EVAL_DEFAULT] = FW_REASON_DEFAULT,
		[EVAL_L2_OTHER] = FW_REASON_L2_OTHER,
		[EVAL_FAULT] = 0,
		[EVAL_ESTABLISHED] = FW_REASON_ESTABLISHED,
		[EVAL_RELATED] = FW_REASON_RELATED,
		[EVAL_LIMIT] = FW_REASON_LIMIT,
		[EVAL_MAX_CONN] = FW_REASON_MAX_CONN,
		[EVAL_TCP_WINDOW] = FW_REASON_TCP_WINDOW,
	};

	return (struct judged){ r->verdict, r->reason == EVAL_FAULT ? fault[r->fault] : reason[r->reason], r->state,
				r->rule };
}

/* What the kernel takes for a test run: Ethernet whole, at TC the IP header too; and no more than fits a page or the
 * frags. */
static bool kernel_takes(enum fw_hook hook, const uint8_t *f, size_t len)
{
	size_t need = 14;

	if (hook != FW_HOOK_XDP && len >= 14 && f[12] == 0x08 && f[13] == 0x00)
		need = 34;
	if (hook != FW_HOOK_XDP && len >= 14 && f[12] == 0x86 && f[13] == 0xdd)
		need = 54;
	return len >= need;
}

static int kernel_packet(struct judge *j, enum direction dir, const uint8_t *frame, size_t len, struct judged *ret)
{
	enum fw_hook hook = dir == DIRECTION_EGRESS ? FW_HOOK_TC_EGRESS : FW_HOOK_XDP;
	struct fw_trace t;
	int err;

	if (!kernel_takes(hook, frame, len))
		return 0;
	err = kern_twin_run(j->twin[hook], frame, len, 0, &t);
	if (err && len > 3000) { /* how long a frame may be differs from kernel to kernel */
		j->fail = (struct fail){};
		return 0;
	}
	if (err)
		return err;
	*ret = (struct judged){ (enum verdict)t.verdict, t.reason, (enum state)t.state,
				t.rule == ~0u ? -1 : (long)t.rule };
	return 1;
}

int judge_packet(struct judge *j, enum direction dir, const uint8_t *frame, size_t len,
		 void (*counted)(void *ctx, size_t rule), void *ctx, struct judged *ret)
{
	struct eval_result r;
	int err;

	if (!j->track)
		return kernel_packet(j, dir, frame, len, ret);
	err = track_frame(j->track, j->policy, dir, frame, len, NULL, counted, ctx, &r);
	if (err)
		return fail_set(&j->fail, err, "no memory");
	*ret = judged_of(&r);
	return 1;
}

int judge_count_rules(struct judge *j, enum direction dir, void (*each)(void *ctx, size_t rule, uint64_t packets),
		      void *ctx)
{
	enum fw_hook hook = dir == DIRECTION_EGRESS ? FW_HOOK_TC_EGRESS : FW_HOOK_XDP;
	const struct chain *chain = &j->policy->chain[dir];
	struct kern_counters c = {};
	const struct fw_meta_rule *rules;
	size_t n;
	int err;

	if (j->track)
		return 0;
	rules = image_rules(image_hdr(j->image), (enum fw_dir)dir, &n);
	err = kern_twin_counters(j->twin[hook], &c);
	for (size_t i = 0; i < n && i < chain->nrules && !err; i++)
		if (chain->rules[i].verdict == VERDICT_CONTINUE && rules[i].slot < c.n)
			each(ctx, i, c.v[rules[i].slot].packets);
	kern_counters_fini(&c);
	return err;
}

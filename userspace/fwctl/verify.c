// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/verify.h"

#include "base/cleanup.h"
#include "fwctl/cmd.h"
#include "fwctl/out.h"
#include "fwctl/words.h"
#include "model/eval.h"
#include "model/witness.h"

#include <stdlib.h>
#include <string.h>

#define VERIFY_SEEDS 2	     /* packets per rule */
#define VERIFY_RULES 256     /* rules per direction, the first and the last always among them */
#define VERIFY_WORK  2000000 /* rules that eval may look at in all: large files get fewer packets */
#define VERIFY_FRAME 3000    /* BPF_PROG_TEST_RUN takes no more than about a page */

struct verify {
	const struct policy *policy;
	const struct chain *chain;
	enum fw_hook hook;
	struct kern_twin *twin;
	struct fail fail;
	uint8_t *frame;
};

static void differ(const struct verify *v, size_t len, const char *file, unsigned int line,
		   const struct eval_result *want, const struct fw_trace *got)
{
	struct str hex = {};

	for (size_t i = 0; i < len; i++)
		str_addf(&hex, "%02x", v->frame[i]);
	problem("cannot load policy %s: for a packet of %s:%u the tables at %s say %s by %s (rule %ld), the rules %s "
		"by %s (rule %ld); "
		"nothing was changed; please report this with: fwctl explain %s \"hex %s\"",
		v->policy->name, out_name(file), line, word_hook(v->hook), word_verdict(got->verdict),
		word_reason(got->reason), got->rule == ~0u ? -1L : (long)got->rule,
		word_verdict((unsigned int)want->verdict), eval_reason_word(want), want->rule, out_name(file),
		str_get(&hex));
	str_fini(&hex);
}

static int frame_verify(struct verify *v, const struct packet_spec *spec, const char *file, unsigned int line)
{
	long len = packet_build(spec, v->frame, PACKET_MAX_FRAME);
	struct fw_trace got = {};

	if (len < 0 || len > VERIFY_FRAME)
		return STATUS_DONE;
	struct eval_result want = eval_frame(v->chain, v->frame, (size_t)len, NULL, NULL, NULL);
	int err = kern_twin_run(v->twin, v->frame, (size_t)len, 0, &got);
	if (err) {
		problem_fail(&v->fail, err);
		return STATUS_REFUSED;
	}
	if (got.verdict == (uint32_t)want.verdict && (got.rule == ~0u ? -1 : (long)got.rule) == want.rule &&
	    !strcmp(word_reason(got.reason), eval_reason_word(&want)))
		return STATUS_DONE;
	differ(v, (size_t)len, file ? file : "?", line, &want, &got);
	return STATUS_REFUSED;
}

static int rule_verify(struct verify *v, size_t i)
{
	const struct rule *r = &v->chain->rules[i];
	struct packet_spec spec;
	int status = STATUS_DONE;

	for (uint64_t seed = 0; seed < VERIFY_SEEDS && !status; seed++)
		if (!witness_find(r, seed, &spec))
			status = frame_verify(v, &spec, r->file, r->line);
	return status;
}

static size_t rules_to_verify(size_t nrules)
{
	size_t n = nrules < VERIFY_RULES ? nrules : VERIFY_RULES;

	if (nrules && n > VERIFY_WORK / VERIFY_SEEDS / nrules)
		n = VERIFY_WORK / VERIFY_SEEDS / nrules;
	return n < 2 && nrules > 1 ? 2 : n;
}

static int hook_verify(struct verify *v, const struct ruleset *rs, const struct image *img)
{
	size_t nrules = v->chain->nrules, n = rules_to_verify(nrules);
	enum fw_dir dir = hook_dir(v->hook);
	int err = kern_twin_open_image(img, v->hook, &v->fail, &v->twin), status = STATUS_DONE;

	if (err) {
		problem_fail(&v->fail, err);
		return STATUS_REFUSED;
	}
	for (size_t i = 0; i < n && !status; i++)
		status = rule_verify(v, n > 1 ? i * (nrules - 1) / (n - 1) : 0);
	for (size_t i = 0; i < rs->ntests && !status; i++) {
		const struct expectation *e = &rs->tests[i];
		if (e->policy == v->policy && (enum fw_dir)e->direction == dir)
			status = frame_verify(v, e->packet, e->file, e->line);
	}
	kern_twin_close(v->twin);
	return status;
}

int verify_image(const struct ruleset *rs, const struct policy *p, const struct image *img, unsigned int hooks)
{
	auto_free uint8_t *frame = malloc(PACKET_MAX_FRAME);

	if (!frame) {
		problem("cannot verify policy %s: no memory", p->name);
		return STATUS_REFUSED;
	}
	for (int h = 0; h < FW_HOOK_COUNT; h++) {
		struct verify v = { .policy = p,
				    .chain = &p->chain[hook_dir((enum fw_hook)h)],
				    .hook = (enum fw_hook)h,
				    .frame = frame };
		int status = hooks & 1u << h && v.chain->present ? hook_verify(&v, rs, img) : STATUS_DONE;
		if (status)
			return status;
	}
	return STATUS_DONE;
}

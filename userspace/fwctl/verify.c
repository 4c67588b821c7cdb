// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/verify.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "fwctl/cmd.h"
#include "fwctl/out.h"
#include "fwctl/words.h"
#include "model/shortlist.h"
#include "model/witness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VERIFY_NEW    1024      /* new rules, two packets each; when there are more, evenly spread, with the first and the last */
#define VERIFY_SAMPLE 256       /* of the others, one packet each */
#define VERIFY_TRIES  8         /* packets of a rule that are looked at for one that it decides */
#define VERIFY_WORK   100000000 /* rules that the oracle may look at in all: very long chains get fewer packets */
#define VERIFY_FRAME  3000      /* BPF_PROG_TEST_RUN takes no more than about a page */

/* One kind of hook under way. */
struct asking {
	struct verify *v;
	const struct chain *chain;
	enum fw_hook hook;
	struct kern_twin *twin;
	struct shortlist *oracle;
	uint64_t random;   /* state of the generator */
	size_t left;       /* packets that the oracle still has the time for */
	uint8_t *frame;
};

static uint64_t roll(uint64_t *state)
{
	++*state;
	return hash_bytes(state, sizeof(*state));
}

static void differ(const struct asking *a, size_t len, const char *file, unsigned int line, const struct eval_result *want,
		   const struct fw_trace *got)
{
	struct str hex = {};

	for (size_t i = 0; i < len; i++)
		str_addf(&hex, "%02x", a->frame[i]);
	problem("cannot load policy %s: for a packet of %s:%u the tables at %s say %s by %s (rule %ld), the rules %s "
		"by %s (rule %ld); "
		"nothing was changed; please report this with: fwctl explain %s \"hex %s\"",
		a->v->policy->name, out_name(file), line, word_hook(a->hook), word_verdict(got->verdict),
		word_reason(got->reason), got->rule == ~0u ? -1L : (long)got->rule,
		word_verdict((unsigned int)want->verdict), eval_reason_word(want), want->rule, out_name(file),
		str_get(&hex));
	str_fini(&hex);
}

/* Sets that the policy calls 0, 1, … have other numbers in the namespace. */
static uint32_t live_ids(const struct asking *a, uint32_t sets)
{
	size_t n;
	const struct fw_image *hdr = image_hdr(a->v->img);
	const struct fw_live_ref *ref = image_live(hdr, &n);
	const struct policy *p = a->v->policy;
	uint32_t ids = 0;

	/* By name: the image is not believed to have them in the order of the rules. */
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < p->nlive; k++)
			if (!strcmp(image_str(hdr, ref[i].name), p->live[k]->name))
				ids |= (sets >> k & 1) << ref[i].id;
	return ids;
}

/*
 * What flows there are and who is in a live set when the packet comes, nobody knows: the twin and the oracle are told, so the tables
 * are asked about every case. Limits are kept, so a rule's verdict is the one that it names.
 */
static void packet_give(struct asking *a, const struct packet_spec *spec)
{
	const struct kern_given given = {
		.given = FW_GIVEN_STATE | FW_GIVEN_LIVE,
		.state = (enum fw_state)spec->state,
		.live = live_ids(a, spec->live_src) | live_ids(a, spec->live_dst) << 8,
	};

	if (image_hdr(a->v->img)->features)
		kern_twin_given(a->twin, &given);
}

/* The frame of a packet, and what the rules say of it. Its length; 0 when it is none that can be asked about. */
static size_t packet_make(struct asking *a, struct packet_spec *spec, struct eval_result *ret_want)
{
	long len = packet_build(spec, a->frame, PACKET_MAX_FRAME);
	struct eval_given given;

	if (len < 0 || len > VERIFY_FRAME)
		return 0;
	if (spec->family == FAMILY_OTHER)
		spec->state = STATE_NONE; /* no flow has frames that are not IP */
	given = eval_given_of(spec);
	*ret_want = shortlist_given(a->oracle, a->frame, (size_t)len, &given);
	packet_give(a, spec);
	return (size_t)len;
}

static int frame_ask(struct asking *a, size_t len, const struct eval_result *want, const char *file, unsigned int line)
{
	struct fw_trace got = {};
	int err = kern_twin_run(a->twin, a->frame, len, 0, &got);

	if (err)
		return err;
	a->v->asked++;
	if (got.verdict == (uint32_t)want->verdict && (got.rule == ~0u ? -1 : (long)got.rule) == want->rule &&
	    !strcmp(word_reason(got.reason), eval_reason_word(want)))
		return 0;
	differ(a, len, file ? file : "?", line, want, &got);
	return -ECANCELED;
}

static int packet_ask(struct asking *a, struct packet_spec spec, const char *file, unsigned int line)
{
	struct eval_result want;
	size_t len = packet_make(a, &spec, &want);

	return len ? frame_ask(a, len, &want, file, line) : 0;
}

/* A packet that the rule matches, and decides, if one of a few does: what an earlier rule takes says nothing about this one. */
static int witness_ask(struct asking *a, size_t i)
{
	const struct rule *r = &a->chain->rules[i];
	struct eval_result want = {};
	struct packet_spec spec;
	size_t len = 0;

	for (unsigned int tries = 0; tries < VERIFY_TRIES && a->left; tries++) {
		if (witness_find(r, roll(&a->random), &spec))
			return 0;
		a->left--;
		len = packet_make(a, &spec, &want);
		if ((len && want.rule == (long)i) || r->verdict == VERDICT_CONTINUE)
			break;
	}
	return len ? frame_ask(a, len, &want, r->file, r->line) : 0;
}

static int rule_ask(struct asking *a, size_t i, unsigned int packets)
{
	int err = 0;

	for (; packets && !err; packets--)
		err = witness_ask(a, i);
	return err;
}

/* Which rules `live` has not: a counter slot that it uses belongs to the same rule still. Returns their number. */
static size_t rules_new(const struct asking *a, const struct fw_image *live, bool *is_new)
{
	enum fw_dir dir = hook_dir(a->hook);
	size_t n, n_live, found = 0;
	const struct fw_meta_rule *rule = image_rules(image_hdr(a->v->img), dir, &n), *old;
	auto_free bool *used = calloc(FW_MAX_SLOTS, sizeof(*used));

	old = live && used ? image_rules(live, dir, &n_live) : NULL;
	for (size_t i = 0; old && i < n_live; i++)
		used[old[i].slot] = true;
	for (size_t i = 0; i < n; i++) {
		is_new[i] = !old || !used[rule[i].slot];
		found += is_new[i];
	}
	return found;
}

/* Every new rule when they are few, else VERIFY_NEW of them from the first to the last. */
static int new_ask(struct asking *a, const bool *is_new, size_t n_new)
{
	size_t picks = n_new < VERIFY_NEW ? n_new : VERIFY_NEW, at = 0, done = 0;

	if (picks > a->left / 2)
		picks = a->left / 2 ?: 1;
	for (size_t i = 0; i < a->chain->nrules && done < picks; i++) {
		size_t want = picks > 1 ? done * (n_new - 1) / (picks - 1) : 0;
		int err;

		if (!is_new[i] || at++ < want)
			continue;
		done++;
		err = rule_ask(a, i, 2);
		if (err)
			return err;
	}
	return 0;
}

static int sample_ask(struct asking *a, const bool *is_new, size_t n_old)
{
	size_t n = n_old < VERIFY_SAMPLE ? n_old : VERIFY_SAMPLE;
	int err = 0;

	/* Few: each of them. Many: any, and now and then one twice. */
	for (size_t i = 0; !err && n == n_old && i < a->chain->nrules; i++)
		err = is_new[i] ? 0 : rule_ask(a, i, 1);
	for (size_t done = 0; !err && n < n_old && done < n && a->left;) {
		size_t i = roll(&a->random) % a->chain->nrules;

		if (is_new[i])
			continue;
		err = rule_ask(a, i, 1);
		done++;
	}
	return err;
}

/* A packet of the tests, in every state that it may have, and with its addresses in no live set and in all. */
static int test_ask(struct asking *a, const struct expectation *e)
{
	const struct policy *p = a->v->policy;
	uint32_t all = (1u << p->nlive) - 1;
	int err = 0;

	for (int s = STATE_NONE; s < (p->track ? STATE_COUNT : STATE_NEW) && !err; s++) {
		struct packet_spec spec = *e->packet;

		spec.state = (enum state)s;
		err = packet_ask(a, spec, e->file, e->line);
		spec.live_src = spec.live_dst = all;
		if (!err && all)
			err = packet_ask(a, spec, e->file, e->line);
	}
	return err;
}

static int tests_ask(struct asking *a)
{
	const struct ruleset *rs = a->v->rs;
	int err = 0;

	for (size_t i = 0; i < rs->ntests && !err; i++) {
		const struct expectation *e = &rs->tests[i];

		if (e->step == STEP_PACKET && e->policy == a->v->policy && (enum fw_dir)e->direction == hook_dir(a->hook))
			err = test_ask(a, e);
	}
	return err;
}

int verify_ask(void *ctx, struct kern_twin *twin, enum fw_hook hook, const struct fw_image *live)
{
	struct verify *v = ctx;
	const struct chain *chain = &v->policy->chain[hook_dir(hook)];
	struct shortlist *oracle cleanup(shortlist_freep) = chain->present ? shortlist_new(chain) : NULL;
	auto_free uint8_t *frame = malloc(PACKET_MAX_FRAME);
	auto_free bool *is_new = calloc(chain->nrules + 1, sizeof(*is_new));
	struct asking a = { .v = v, .chain = chain, .hook = hook, .twin = twin, .oracle = oracle, .frame = frame };
	size_t n, n_new;

	if (!chain->present)
		return 0;
	image_rules(image_hdr(v->img), hook_dir(hook), &n);
	if (!frame || !is_new || !oracle || n != chain->nrules) {
		problem("cannot verify policy %s: %s", v->policy->name, n != chain->nrules ? "its image is another's" : "no memory");
		return -ECANCELED;
	}
	memcpy(&a.random, image_hdr(v->img)->digest, sizeof(a.random));
	a.left = VERIFY_WORK / (chain->nrules + 1) + 2;
	n_new = rules_new(&a, live, is_new);
	int err = tests_ask(&a);
	err = err ? err : new_ask(&a, is_new, n_new);
	err = err ? err : sample_ask(&a, is_new, chain->nrules - n_new);
	if (image_hdr(v->img)->features)
		kern_twin_given(twin, NULL);
	return err;
}

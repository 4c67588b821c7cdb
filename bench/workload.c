// SPDX-License-Identifier: GPL-2.0-only
#include "bench/workload.h"
#include "base/arena.h"
#include "bench/measure.h"
#include "harness/framegen.h"
#include "model/eval.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#define FEW_RULES 64 /* up to here the seed is moved until all five fields are asked for */
#define FEW_TRIES 20000
#define HOT_TRIES 200 /* per rule */

static enum engine forced_engine;

void workload_engine(enum engine engine)
{
	forced_engine = engine;
}

static uint32_t verdict_action(enum verdict v)
{
	return v == VERDICT_PASS ? XDP_PASS : XDP_DROP;
}

uint32_t workload_want(const struct workload *w, const struct ref_frame *frame)
{
	const struct chain *chain = &w->policy->chain[DIRECTION_INGRESS];

	return verdict_action(eval_frame(chain, frame->byte, sizeof(frame->byte), NULL, NULL, NULL).verdict);
}

/* Do the rules ask for source, destination, both ports and the protocol? */
static bool chain_is_five_tuple(const struct chain *chain)
{
	unsigned int seen = 0;

	for (size_t i = 0; i < chain->nrules; i++) {
		const struct rule *r = &chain->rules[i];

		seen |= (r->src ? 1 : 0) | (r->dst ? 2 : 0) | (r->value[FIELD_SPORT] ? 4 : 0) |
			(r->value[FIELD_DPORT] ? 8 : 0) | (r->value[FIELD_PROTO] ? 16 : 0);
	}
	return seen == 31;
}

static int workload_rules(struct arena *arena, uint64_t seed, enum rulegen_style style, struct workload *w)
{
	for (unsigned int try = 0; try < FEW_TRIES; try++) {
		w->policy = rulegen_plain(arena, seed + try, style, w->nrules);
		if (!w->policy)
			return -ENOMEM;
		if (w->nrules > FEW_RULES || chain_is_five_tuple(&w->policy->chain[DIRECTION_INGRESS]))
			return 0;
	}
	fprintf(stderr, "bench: no seed near %#llx gives %zu rules over five fields\n", (unsigned long long)seed,
		w->nrules);
	return -ENOENT;
}

/* The last rule that is the first match of some packet, and that packet. */
static int workload_find_hot(struct workload *w, struct framegen *fg)
{
	const struct chain *chain = &w->policy->chain[DIRECTION_INGRESS];
	uint8_t buf[FRAMEGEN_MAX];

	for (size_t rule = chain->nrules; rule-- > 0;) {
		for (unsigned int try = 0; try < HOT_TRIES; try++) {
			size_t len = framegen_match(fg, rule, buf, sizeof(buf));
			struct eval_result r;

			if (!len || len > REF_FRAME_LEN)
				continue;
			memset(&w->hot, 0, sizeof(w->hot));
			memcpy(w->hot.byte, buf, len);
			r = eval_frame(chain, w->hot.byte, REF_FRAME_LEN, NULL, NULL, NULL);
			if (r.reason != EVAL_RULE || r.rule != (long)rule)
				continue;
			w->hot_rule = rule;
			return 0;
		}
	}
	fprintf(stderr, "bench: no packet is decided by any of %zu rules\n", chain->nrules);
	return -ENOENT;
}

static int workload_trace(struct workload *w, enum trace_kind kind, uint64_t seed)
{
	struct tracegen tg;
	int err = tracegen_init(&tg, &w->policy->chain[DIRECTION_INGRESS], kind, seed);

	if (err)
		return err;
	w->trace[kind] = calloc(w->ntrace, sizeof(struct ref_frame));
	for (size_t i = 0; w->trace[kind] && i < w->ntrace; i++) {
		size_t rule;

		if (tracegen_next(&tg, w->trace[kind][i].byte, REF_FRAME_LEN, &rule))
			continue;
		fprintf(stderr, "bench: no packet for any of %zu rules\n", w->nrules);
		err = -ENOENT;
		break;
	}
	tracegen_fini(&tg);
	return w->trace[kind] ? err : -ENOMEM;
}

/* The compiler's first sentence. */
static const char *first_words(struct arena *arena, const struct diags *diags)
{
	struct str text = {};
	const char *s;

	diags_print(diags, &text);
	s = arena_strndup(arena, str_get(&text), strcspn(str_get(&text), "\n"));
	str_fini(&text);
	return s;
}

/* "rows" of "rows + summary words, sorted". */
static const char *first_part(struct arena *arena, const char *s)
{
	size_t len = s ? strcspn(s, ",+") : 0;

	while (len && s[len - 1] == ' ')
		len--;
	return arena_strndup(arena, s ? s : "", len);
}

static int workload_compile(struct arena *arena, struct workload *w)
{
	struct cost cost = {};
	struct compile_opts opts = { .no_warnings = true, .engine = forced_engine, .cost = &cost };
	uint32_t nslots[FW_DIR_COUNT];
	struct diags diags;
	double start = measure_cpu_ns();
	int err;

	diags_init(&diags, arena);
	err = compile_policy(w->policy, "bench", "", &diags, &opts, &w->img);
	w->compile_ns = measure_cpu_ns() - start;
	if (err == -E2BIG)
		w->refused = first_words(arena, &diags);
	else if (err)
		fprintf(stderr, "bench: cannot compile: %s\n%s\n", strerror(-err), first_words(arena, &diags));
	w->engine = first_part(arena, cost.engine[FW_DIR_INGRESS]);
	diags_fini(&diags);
	if (w->refused)
		return 0;
	return err ? err : image_assign_slots(&w->img, NULL, nslots);
}

int workload_policy(struct arena *arena, const char *name, struct policy *policy, struct workload *ret)
{
	struct workload w = { .nrules = policy->chain[DIRECTION_INGRESS].nrules, .family = name, .policy = policy };
	int err = workload_compile(arena, &w);

	if (err)
		workload_fini(&w);
	else
		*ret = w;
	return err;
}

int workload_make(struct arena *arena, uint64_t seed, enum rulegen_style style, size_t n, size_t ntrace,
		  struct workload *ret)
{
	struct workload w = { .nrules = n, .family = rulegen_style_name(style), .ntrace = ntrace };
	struct framegen fg;
	int err = workload_rules(arena, seed, style, &w);

	if (!err)
		err = workload_compile(arena, &w);
	if (!err && !w.refused) {
		framegen_init(&fg, &w.policy->chain[DIRECTION_INGRESS], seed);
		fg.valid_only = true;
		err = workload_find_hot(&w, &fg);
		for (int kind = 0; !err && ntrace && kind < TRACE_KIND_COUNT; kind++)
			err = workload_trace(&w, (enum trace_kind)kind, seed);
	}
	if (err) {
		workload_fini(&w);
		return err;
	}
	*ret = w;
	return 0;
}

void workload_fini(struct workload *w)
{
	image_fini(&w->img);
	for (int i = 0; i < TRACE_KIND_COUNT; i++)
		free(w->trace[i]);
	memset(w, 0, sizeof(*w));
}

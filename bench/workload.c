// SPDX-License-Identifier: GPL-2.0-only
#include "bench/workload.h"
#include "base/arena.h"
#include "bench/measure.h"
#include "compile/compile.h"
#include "harness/framegen.h"
#include "harness/rulegen.h"
#include "model/eval.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#define FEW_RULES 64 /* up to here the seed is moved until all five fields are asked for */
#define FEW_TRIES 20000
#define HOT_TRIES 200 /* per rule */

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

static int workload_rules(struct arena *arena, uint64_t seed, size_t n, struct workload *w)
{
	for (unsigned int try = 0; try < FEW_TRIES; try++) {
		struct prng prng;

		prng_init(&prng, seed + try);
		w->policy = rulegen_classbench(arena, &prng, n);
		if (!w->policy)
			return -ENOMEM;
		if (n > FEW_RULES || chain_is_five_tuple(&w->policy->chain[DIRECTION_INGRESS]))
			return 0;
	}
	fprintf(stderr, "bench: no seed near %#llx gives %zu rules over five fields\n", (unsigned long long)seed, n);
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

/* Another source address. The header checksum is not the firewall's business. */
static void frame_random_source(struct ref_frame *f, struct prng *prng)
{
	bool v6 = f->byte[12] == 0x86;

	prng_bytes(prng, f->byte + (v6 ? 22 : 26), v6 ? 16 : 4);
}

static int workload_alloc_traces(struct workload *w, size_t ntrace)
{
	w->ntrace = ntrace;
	if (!ntrace)
		return 0;
	w->trace = calloc(ntrace, sizeof(*w->trace));
	w->flood = calloc(ntrace, sizeof(*w->flood));
	return w->trace && w->flood ? 0 : -ENOMEM;
}

static int workload_fill_traces(struct workload *w, struct framegen *fg)
{
	const struct chain *chain = &w->policy->chain[DIRECTION_INGRESS];
	uint8_t buf[FRAMEGEN_MAX];

	for (size_t i = 0; i < w->ntrace;) {
		size_t len = framegen_match(fg, prng_below(&fg->prng, chain->nrules), buf, sizeof(buf));

		if (!len || len > REF_FRAME_LEN)
			continue;
		memcpy(w->trace[i].byte, buf, len);
		w->flood[i] = w->trace[i];
		frame_random_source(&w->flood[i], &fg->prng);
		i++;
	}
	return 0;
}

static int workload_compile(struct arena *arena, struct workload *w)
{
	struct compile_opts opts = { .no_warnings = true };
	uint32_t nslots[FW_DIR_COUNT];
	struct diags diags;
	double start = measure_cpu_ns();
	int err;

	diags_init(&diags, arena);
	err = compile_policy(w->policy, "bench", "", &diags, &opts, &w->img);
	w->compile_ns = measure_cpu_ns() - start;
	if (err) {
		struct str text = {};

		diags_print(&diags, &text);
		fprintf(stderr, "bench: cannot compile: %s\n%s", strerror(-err), str_get(&text));
		str_fini(&text);
	}
	diags_fini(&diags);
	return err ? err : image_assign_slots(&w->img, NULL, nslots);
}

int workload_make(struct arena *arena, uint64_t seed, size_t n, size_t ntrace, struct workload *ret)
{
	struct workload w = { .nrules = n };
	struct framegen fg;
	int err = workload_rules(arena, seed, n, &w);

	if (!err)
		err = workload_compile(arena, &w);
	if (!err) {
		framegen_init(&fg, &w.policy->chain[DIRECTION_INGRESS], seed);
		fg.valid_only = true;
		err = workload_find_hot(&w, &fg);
	}
	if (!err)
		err = workload_alloc_traces(&w, ntrace);
	if (!err)
		err = workload_fill_traces(&w, &fg);
	if (err) {
		workload_fini(&w);
		return err;
	}
	*ret = w;
	return 0;
}

/* UDP, 60 bytes and padding, from `source` to 192.0.2.1 port 53. */
static void frame_udp4(struct ref_frame *f, uint32_t source)
{
	static const uint8_t head[] = {
		2,    0,    0, 0,  0, 2,  2, 0, 0,  0,	0, 1, 8, 0,			/* Ethernet */
		0x45, 0,    0, 46, 0, 0,  0, 0, 64, 17, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1, /* IPv4 */
		0x9c, 0x40, 0, 53, 0, 26, 0, 0,						/* UDP */
	};

	memset(f, 0, sizeof(*f));
	memcpy(f->byte, head, sizeof(head));
	source = htonl(source);
	memcpy(f->byte + 26, &source, sizeof(source));
}

static int workload_list_rules(struct arena *arena, const struct aset *set, struct workload *w)
{
	struct rule *rule = arena_array(arena, 1, sizeof(*rule));
	struct chain *chain;

	w->policy = arena_alloc(arena, sizeof(*w->policy));
	if (!rule || !w->policy)
		return -ENOMEM;
	*rule = (struct rule){
		.verdict = VERDICT_DROP,
		.families = (set->n4 ? 1u << FAMILY_IPV4 : 0) | (set->n6 ? 1u << FAMILY_IPV6 : 0),
		.src = set,
		.text = "drop from @list",
		.file = "bench",
		.line = 1,
		.column = 1,
	};
	w->policy->name = "bench";
	w->policy->file = "bench";
	chain = &w->policy->chain[DIRECTION_INGRESS];
	*chain = (struct chain){ .present = true, .fallback = VERDICT_PASS, .rules = rule, .nrules = 1 };
	return 0;
}

int workload_list(struct arena *arena, uint64_t seed, const struct aset *set, size_t ntrace, struct workload *ret)
{
	struct workload w = { .nrules = 1 };
	struct prng prng;
	int err = workload_list_rules(arena, set, &w);

	if (!err)
		err = workload_compile(arena, &w);
	if (!err)
		err = workload_alloc_traces(&w, ntrace);
	if (err) {
		workload_fini(&w);
		return err;
	}
	prng_init(&prng, seed);
	for (size_t i = 0; i < ntrace; i++) {
		const struct range4 *r = &set->v4[prng_below(&prng, set->n4)];

		frame_udp4(&w.trace[i], prng_u64(&prng));
		frame_udp4(&w.flood[i], prng_range(&prng, r->lo, r->hi));
	}
	w.hot = w.flood[0];
	*ret = w;
	return 0;
}

void workload_fini(struct workload *w)
{
	image_fini(&w->img);
	free(w->trace);
	free(w->flood);
	memset(w, 0, sizeof(*w));
}

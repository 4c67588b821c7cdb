// SPDX-License-Identifier: GPL-2.0-only
/*
 * The loaded programs against the oracle, over sequences: flows, limits, bans, live sets that change, generations that follow one
 * another. Three programs share the tables, as on an interface: XDP and TC see what comes in, in turn, TC what goes out.
 */
#include "kernel/judge.h"

#include "harness/flowgen.h"
#include "model/track.h"

#include <unistd.h>

#define SEQUENCES 16
#define STEPS 1500
#define ALL_FEATURES (FW_FEAT_STATE | FW_FEAT_LIMIT | FW_FEAT_REJECT)

struct sequence {
	struct arena *arena;
	const struct policy *policy;
	struct image img;
	struct track *oracle;
	struct kern_twin *twin[FW_HOOK_COUNT];
	struct kern_live *live;
	struct kern_given given;
	struct fail fail;
	struct prng prng;
	uint64_t seed;
	struct str said; /* the steps so far */
	unsigned long judged[FW_HOOK_COUNT];
};

static void ok(struct sequence *q, int err)
{
	if (err)
		fail_msg("%s", q->fail.text);
}

static void give(struct sequence *q)
{
	for (int h = 0; h < FW_HOOK_COUNT; h++)
		kern_twin_given(q->twin[h], &q->given);
}

/* The next generation, on the slots of the one before. Sets are small enough that all eight find room, whenever they come. */
static void compile_next(struct sequence *q, const struct policy *p)
{
	struct image next = {};
	uint32_t nslots[FW_DIR_COUNT];
	struct fw_live_ref *ref;
	size_t n;

	expect_compile(q->arena, p, FW_DIR_INGRESS, &next);
	assert_int_equal(image_assign_slots(&next, q->img.data ? image_hdr(&q->img) : NULL, nslots), 0);
	ref = (struct fw_live_ref *)image_live(image_hdr(&next), &n);
	for (size_t i = 0; i < n; i++)
		ref[i].size = 4096;
	image_fini(&q->img);
	q->img = next;
	q->policy = p;
}

static void open_all(struct sequence *q)
{
	struct fw_image *hdr = image_hdr(&q->img);

	/* Of all that later generations may ask for. */
	hdr->features |= ALL_FEATURES;
	hdr->state.size = hdr->state.pending = 4096;
	hdr->check = image_header_check(hdr);
	ok(q, kern_twin_open_image(&q->img, FW_HOOK_XDP, &q->fail, &q->twin[FW_HOOK_XDP]));
	for (enum fw_hook h = FW_HOOK_TC_INGRESS; h < FW_HOOK_COUNT; h++)
		ok(q, kern_twin_open_beside(q->twin[FW_HOOK_XDP], h, &q->twin[h]));
	ok(q, kern_twin_live(q->twin[FW_HOOK_XDP], &q->live));
	q->given = (struct kern_given){.given = FW_GIVEN_NOW, .now_ns = FLOWGEN_START_NS, .state_ns = FLOWGEN_START_NS};
	give(q);
}

static void close_all(struct sequence *q)
{
	kern_live_close(q->live);
	for (int h = FW_HOOK_COUNT - 1; h >= 0; h--)
		kern_twin_close(q->twin[h]);
}

/* No such set in any generation so far: -1. */
static long set_id(struct sequence *q, const struct named_set *set)
{
	struct kern_set *v;
	long id = -1;
	size_t n;

	ok(q, kern_live_sets(q->live, &v, &n));
	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i].name, set->name))
			id = v[i].id;
	free(v);
	return id;
}

static void set_change(struct sequence *q, const struct flowgen_step *s)
{
	bool v4 = s->family == FAMILY_IPV4;
	struct kern_element e = {.l3 = v4 ? FW_L3_IPV4 : FW_L3_IPV6, .plen = (uint8_t)s->plen, .end_ns = s->end_ns};
	uint8_t *b = (uint8_t *)e.addr;
	long id = set_id(q, s->set);
	size_t n;

	if (id < 0)
		return;
	for (unsigned int i = 0; i < (v4 ? 4u : 16u); i++)
		b[i] = (uint8_t)(s->addr >> 8 * ((v4 ? 3 : 15) - i));
	if (s->kind == FLOWGEN_ADD) {
		assert_int_equal(track_set_add(q->oracle, s->set, s->family, s->addr, s->plen, s->end_ns), 0);
		ok(q, kern_live_add(q->live, (uint32_t)id, &e, 1, false, &n));
	} else {
		track_set_del(q->oracle, s->set, s->family, s->addr, s->plen);
		ok(q, kern_live_del(q->live, (uint32_t)id, &e, 1, &n));
	}
}

/* A hook that takes the frame for a test run; FW_HOOK_COUNT: none does. */
static enum fw_hook hook_for(struct sequence *q, const struct flowgen_step *s)
{
	enum fw_hook h = s->dir == DIRECTION_EGRESS ? FW_HOOK_TC_EGRESS : prng_chance(&q->prng, 1, 2) ? FW_HOOK_XDP : FW_HOOK_TC_INGRESS;

	if (judge_can_run(h, s->frame, s->len))
		return h;
	return s->dir != DIRECTION_EGRESS && judge_can_run(FW_HOOK_XDP, s->frame, s->len) ? FW_HOOK_XDP : FW_HOOK_COUNT;
}

static void frame_judge(struct sequence *q, const struct flowgen_step *s)
{
	struct expect e = {};
	size_t n;
	struct expect_ctx x = {&e, image_rules(image_hdr(&q->img), (enum fw_dir)s->dir, &n)};
	enum fw_hook hook = hook_for(q, s);
	struct eval_result r;
	struct fw_trace t;

	if (hook == FW_HOOK_COUNT)
		return;
	q->judged[hook]++;
	assert_int_equal(track_frame(q->oracle, q->policy, s->dir, s->frame, s->len, NULL, expect_counted, &x, &r), 0);
	expect_say(&r, x.rules, &e);
	ok(q, kern_twin_run(q->twin[hook], s->frame, s->len, 0, &t));
	if (expect_same(&e, &t) && e.state == t.state)
		return;
	fprintf(stderr, "# seed %llu, hook %d\n%s", (unsigned long long)q->seed, hook, str_get(&q->said));
	expect_report(q->policy, (enum fw_dir)s->dir, s->frame, s->len, NULL, &e, &t);
	fprintf(stderr, "# state: oracle %u program %u\n", e.state, t.state);
	fail_msg("oracle and programs differ");
}

static void step(struct sequence *q, const struct flowgen_step *s)
{
	flowgen_describe(s, &q->said);
	str_add(&q->said, "\n");
	switch (s->kind) {
	case FLOWGEN_FRAME:
		frame_judge(q, s);
		break;
	case FLOWGEN_CLOCK:
		track_clock(q->oracle, s->now_ns);
		q->given.now_ns = s->now_ns;
		give(q);
		break;
	case FLOWGEN_ADD:
	case FLOWGEN_DEL:
		set_change(q, s);
		break;
	case FLOWGEN_POLICY:
		compile_next(q, s->policy);
		ok(q, kern_twin_swap(q->twin[FW_HOOK_XDP], &q->img));
		break;
	}
}

static void sequence_run(uint64_t seed, unsigned long steps, unsigned long judged[FW_HOOK_COUNT])
{
	static const struct flowgen_opts opts = {.no_meta = true};
	static struct flowgen_step s;
	struct sequence q = {.arena = arena_new(), .oracle = track_new(FLOWGEN_START_NS), .seed = seed};
	struct policy *p;
	struct flowgen *g;

	prng_init(&q.prng, seed);
	assert_non_null(q.oracle);
	do /* live maps come with the first generation, or not at all */
		p = flowgen_policy(q.arena, &q.prng, prng_range(&q.prng, 1, 30));
	while (!p->nlive);
	g = flowgen_new(q.arena, p, &opts, seed);
	assert_non_null(g);
	expect_opts.engine = (enum engine)prng_below(&q.prng, 3);
	expect_forms(seed);
	compile_next(&q, p);
	open_all(&q);
	while (steps--) {
		assert_true(flowgen_next(g, &s));
		step(&q, &s);
	}
	close_all(&q);
	for (int h = 0; h < FW_HOOK_COUNT; h++)
		judged[h] += q.judged[h];
	image_fini(&q.img);
	str_fini(&q.said);
	track_free(q.oracle);
	arena_free(q.arena);
}

static void sequences_agree(void **state)
{
	unsigned long n = expect_env("FW_SEQUENCES", SEQUENCES), steps = expect_env("FW_STEPS", STEPS), judged[FW_HOOK_COUNT] = {};
	uint64_t seed = prng_seed("kernel/test_state", 0x57a7e);

	for (unsigned long i = 0; i < n; i++)
		sequence_run(seed + i, steps, judged);
	print_message("# %lu sequences of %lu steps: %lu frames at XDP, %lu at TC ingress, %lu at TC egress\n", n, steps,
		      judged[FW_HOOK_XDP], judged[FW_HOOK_TC_INGRESS], judged[FW_HOOK_TC_EGRESS]);
	for (int h = 0; h < FW_HOOK_COUNT; h++)
		assert_true(judged[h] > n * steps / 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "sequences of packets are judged as the oracle does", sequences_agree, NULL, NULL, NULL },
	};

	if (geteuid()) {
		printf("1..1\nok 1 - kernel state # SKIP needs root\n");
		return 0;
	}
	return cmocka_run_group_tests_name("kernel/state", tests, NULL, NULL);
}

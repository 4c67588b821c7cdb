// SPDX-License-Identifier: GPL-2.0-only
/*
 * The datapath's own source against the oracle, over sequences: flows, limits, bans, live sets that change, generations that follow one
 * another, packets in both directions. Verdict, reason, rule, counters and state of every packet, and the events that tell of it.
 */
#include "host/events.h"
#include "host/judge.h"

#include "harness/flowgen.h"
#include "model/track.h"

#define SEQUENCES 40
#define STEPS 1500

static unsigned long told; /* events, of all sequences */

/* One sequence under way. */
struct sequence {
	struct arena *arena;
	const struct policy *policy;
	struct image img;
	struct track *oracle;
	const char *sets[FW_MAX_LIVE]; /* names, by id */
	uint32_t nsets;
	unsigned int slot;
	uint64_t seed;
	struct str said; /* the last steps */
	struct events events;
};

/* The id of a live set: sets of that name are one. */
static uint32_t set_id(struct sequence *q, const struct named_set *set)
{
	struct fw_live_ctl *ctl = fw_live.value;
	uint32_t id;

	for (id = 0; id < q->nsets; id++)
		if (!strcmp(q->sets[id], set->name))
			return id;
	assert_true(id < FW_MAX_LIVE);
	q->sets[q->nsets++] = set->name;
	ctl->place[id] = id;
	ctl->at[id] = (struct fw_live_place){ .size = 4096, .timeout_ns = set->timeout_ns,
					      .flags = (set->widen ? FW_LIVEF_WIDEN : 0) | (set->counters ? FW_LIVEF_COUNTERS : 0) };
	return id;
}

/* Bits of the filter for a prefix, every one of them. */
static void filter_add(enum family family, u128 addr, unsigned int plen)
{
	struct fw_live_filter *f = fw_live_filter.value;
	struct fw_live_ctl *ctl = fw_live.value;
	uint32_t n;

	if (family == FAMILY_IPV4) {
		uint32_t last = plen >= 24 ? 0 : (1u << (24 - plen)) - 1;

		for (n = (uint32_t)addr >> 8; n <= ((uint32_t)addr >> 8) + last; n++)
			f->net4[n / 64] |= 1ull << n % 64;
	} else if (plen >= 64) {
		n = FW_LIVE_HASH6((uint64_t)(addr >> 64)) % FW_LIVE_FILTER6;
		f->net6[0][n / 64] |= 1ull << n % 64;
	} else if (plen >= 32) {
		n = FW_LIVE_HASH6((uint64_t)(addr >> 96)) % FW_LIVE_FILTER6;
		f->net6[1][n / 64] |= 1ull << n % 64;
	} else {
		ctl->wide6++;
	}
}

static void addr_bytes(enum family family, u128 addr, uint8_t out[16])
{
	unsigned int n = family == FAMILY_IPV4 ? 4 : 16;

	memset(out, 0, 16);
	for (unsigned int i = 0; i < n; i++)
		out[i] = (uint8_t)(addr >> 8 * (n - 1 - i));
}

/* What user space does through the edit program. */
static void set_change(struct sequence *q, const struct flowgen_step *s)
{
	struct fw_live_ctl *ctl = fw_live.value;
	uint32_t id = set_id(q, s->set);
	bool v4 = s->family == FAMILY_IPV4, host;
	unsigned int plen = s->plen;
	struct fw_host_map *map;
	struct fw_live *v, fresh;
	u128 addr = s->addr;
	uint8_t key[20];

	if (!v4 && s->set->widen && plen == 128) {
		plen = 64;
		addr = addr >> 64 << 64;
	}
	host = plen == (v4 ? 32 : 128);
	map = host ? (v4 ? &fw_live_host4 : &fw_live_host6) : v4 ? &fw_live_net4 : &fw_live_net6;
	memcpy(key, &(uint32_t){ plen }, 4);
	addr_bytes(s->family, addr, key + 4);
	v = NULL;
	for (uint32_t i = 0; i < map->n; i++)
		if (!memcmp((uint8_t *)map->key + i * map->key_size, host ? key + 4 : key, map->key_size))
			v = (struct fw_live *)map->value + i;
	if (s->kind == FLOWGEN_DEL) {
		if (v)
			v->members &= ~(1ull << id);
		return;
	}
	fresh = (struct fw_live){ .plen = plen };
	if (!v) {
		assert_int_equal(fw_env_add(map, host ? key + 4 : key, &fresh), 0);
		v = (struct fw_live *)map->value + map->n - 1;
		*(host ? &ctl->hosts : &ctl->prefixes) += 1;
		filter_add(s->family, addr, plen);
	}
	if (!(v->members >> id & 1) || v->end_ns[id] < s->end_ns)
		v->end_ns[id] = s->end_ns;
	v->members |= 1ull << id;
}

/* Some rules log, and what no rule decided. The generator draws nothing for it: sequences stay what they were. */
static void logs_add(struct sequence *q, const struct policy *p)
{
	static const struct log_opts logs[] = { { .sample = 1 }, { .sample = 3 }, { 2, 1000000000, 5, 1 } };

	for (int dir = 0; dir < DIRECTION_COUNT; dir++) {
		struct chain *c = (struct chain *)&p->chain[dir];

		for (size_t i = 0; i < c->nrules; i++)
			c->rules[i].log = (i + q->seed) % 4 < 3 && !c->rules[i].essential ? &logs[(i + q->seed) % 4] : NULL;
		c->log_default = c->present ? &logs[0] : NULL;
		c->log_reasons = c->present ? &logs[q->seed % 3] : NULL;
	}
}

/* The tables of the policy, with the slots of the generation before. */
static void compile_next(struct sequence *q, const struct policy *p)
{
	struct image next = {};
	uint32_t nslots[FW_DIR_COUNT], ids[FW_MAX_LIVE] = {};
	uint8_t *kept = calloc(2, FW_MAX_SLOTS);
	struct fw_host_map *map;
	size_t size = 4096;

	assert_non_null(kept);
	logs_add(q, p);
	expect_compile(q->arena, p, FW_DIR_INGRESS, &next);
	assert_int_equal(image_assign_slots(&next, q->img.data ? image_hdr(&q->img) : NULL, nslots), 0);
	for (size_t i = 0; i < p->nlive; i++)
		ids[i] = set_id(q, p->live[i]);
	image_assign_live(&next, ids);
	for (int dir = 0; dir < FW_DIR_COUNT; dir++) { /* slots that are given to other rules start anew */
		size_t n;
		const struct fw_meta_rule *rule = q->img.data ? image_rules(image_hdr(&q->img), dir, &n) : NULL;

		for (size_t i = 0; rule && i < n; i++)
			kept[rule[i].slot * 2 + dir] = 1;
		rule = image_rules(image_hdr(&next), dir, &n);
		for (size_t i = 0; i < n; i++)
			if (!kept[rule[i].slot * 2 + dir])
				((uint64_t *)fw_limits.value)[rule[i].slot * 2 + dir] = 0;
	}
	free(kept);
	q->slot = !q->slot;
	image_hdr(&next)->generation = (q->img.data ? image_hdr(&q->img)->generation : 0) + 1;
	while (size < next.len)
		size *= 2;
	map = q->slot ? &fw_slot1 : &fw_slot0;
	shim_map(map, size + FW_SLOT_PAD, 1);
	memcpy(map->value, next.data, next.len);
	fw_cfg.mask[q->slot] = size - 1;
	fw_cfg.features |= image_hdr(&next)->features;
	((struct fw_ctl *)fw_ctl.value)->live = q->slot;
	image_fini(&q->img);
	q->img = next;
	q->policy = p;
}

/* The first thing in which the events of the last packet are not the oracle's; NULL. */
static const char *events_judge(struct sequence *q, const struct flowgen_step *s, const struct expect *e, uint64_t from)
{
	const struct fw_event_cpu *cpu = fw_event_cpus.value;
	struct events *x = &q->events;
	const char *what = NULL;

	events_of(x, &q->policy->chain[s->dir], (enum fw_dir)s->dir, e);
	if (cpu->head != x->written || cpu->limited != x->limited || cpu->sampled != x->sampled || cpu->capped != x->capped)
		return "how many";
	for (size_t i = 0; i < x->n && !what; i++) {
		const struct fw_event *v = (const struct fw_event *)fw_events.value + ((from + i) & fw_cfg.event_mask), *want = &x->v[i];

		what = v->number != from + i + 1 || v->kind != want->kind || v->slot != want->slot || v->rule != want->rule ?
			       "what they are about" : events_packet_differs(v, e, s->frame, s->len, &s->meta);
	}
	return what;
}

static void frame_judge(struct sequence *q, const struct flowgen_step *s)
{
	uint64_t from = ((const struct fw_event_cpu *)fw_event_cpus.value)->head;
	const char *what;

	struct expect e = {};
	size_t n;
	struct expect_ctx x = { &e, image_rules(image_hdr(&q->img), (enum fw_dir)s->dir, &n) };
	struct eval_result r;
	struct fw_trace t;

	assert_int_equal(track_frame(q->oracle, q->policy, s->dir, s->frame, s->len, &s->meta, expect_counted, &x, &r), 0);
	expect_say(&r, x.rules, &e);
	fw_cfg.dir = s->dir;
	t = shim_run(s->frame, s->len, s->len, &s->meta);
	what = events_judge(q, s, &e, from);
	if (expect_same(&e, &t) && e.state == t.state && !what)
		return;
	if (what)
		fprintf(stderr, "# events differ: %s\n", what);
	fprintf(stderr, "# seed %llu\n%s", (unsigned long long)q->seed, str_get(&q->said));
	expect_report(q->policy, (enum fw_dir)s->dir, s->frame, s->len, &s->meta, &e, &t);
	fprintf(stderr, "# state: oracle %u program %u\n", e.state, t.state);
	fail_msg("oracle and datapath differ");
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
		((struct fw_ctl *)fw_ctl.value)->given_ns = q->events.now_ns = s->now_ns;
		break;
	case FLOWGEN_ADD:
		assert_int_equal(track_set_add(q->oracle, s->set, s->family, s->addr, s->plen, s->end_ns), 0);
		set_change(q, s);
		break;
	case FLOWGEN_DEL:
		track_set_del(q->oracle, s->set, s->family, s->addr, s->plen);
		set_change(q, s);
		break;
	case FLOWGEN_POLICY:
		compile_next(q, s->policy);
		break;
	}
}

static void sequence_run(uint64_t seed, unsigned long steps)
{
	static struct flowgen_step s;
	struct sequence q = { .arena = arena_new(), .oracle = track_new(FLOWGEN_START_NS), .seed = seed };
	struct prng prng;
	struct policy *p;
	struct flowgen *g;

	prng_init(&prng, seed);
	assert_non_null(q.oracle);
	p = flowgen_policy(q.arena, &prng, prng_range(&prng, 1, 30));
	g = flowgen_new(q.arena, p, NULL, seed);
	assert_non_null(g);
	expect_opts.engine = (enum engine)prng_below(&prng, 3);
	expect_forms(seed);
	shim_open(NULL, FW_DIR_INGRESS, 0, 2 * FW_SLOT_RULE0);
	shim_map(&fw_counters, sizeof(struct fw_cell), FW_MAX_SLOTS);
	{
		struct image any = {};

		expect_compile(q.arena, p, FW_DIR_INGRESS, &any);
		shim_tables(&any, 256, 256, 256, FLOWGEN_START_NS);
		image_fini(&any);
	}
	fw_cfg.nslots = FW_MAX_SLOTS;
	shim_events(16);
	q.events = (struct events){ .until = calloc(FW_LIMIT_CELLS, sizeof(uint64_t)), .drawn = seed, .draw = shim_draw,
				    .now_ns = FLOWGEN_START_NS };
	assert_non_null(q.events.until);
	shim_drawn = seed;
	compile_next(&q, p);
	while (steps--) {
		assert_true(flowgen_next(g, &s));
		step(&q, &s);
	}
	image_fini(&q.img);
	told += q.events.written;
	free(q.events.until);
	str_fini(&q.said);
	track_free(q.oracle);
	arena_free(q.arena);
}

static void sequences_agree(void **state)
{
	unsigned long n = expect_env("FW_SEQUENCES", SEQUENCES), steps = expect_env("FW_STEPS", STEPS);
	uint64_t seed = prng_seed("host/test_state", 0x57a7e);

	for (unsigned long i = 0; i < n; i++)
		sequence_run(seed + i, steps);
	shim_close();
	print_message("# %lu sequences of %lu steps agree, %lu events\n", n, steps, told);
	assert_true(told > n * steps / 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "sequences of packets are judged as the oracle does", sequences_agree, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("host/state", tests, NULL, NULL);
}

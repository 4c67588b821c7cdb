// SPDX-License-Identifier: GPL-2.0-only
/* The walk over lists, on images that no compiler made, against the naive walk over the rules they were made of. */
#include "host/shim.h"

#include "host/lists_maker.h"

#include <stdio.h>

#ifdef __SANITIZE_ADDRESS__
#define IMAGES 60
#else
#define IMAGES 400
#endif
#define PACKETS 200

/* The naive walk: what the image should say. *ret_counted: `count` rules before that. */
static uint32_t rules_walk(const struct maker *m, const struct test_packet *p, uint32_t *ret_counted)
{
	uint32_t i, f;

	*ret_counted = 0;
	for (i = 0; i < m->n; i++) {
		const struct test_rule *r = &m->rule[i];

		if (r->family != p->family || !prefix_has(&r->addr[0], p->addr[0]) || !prefix_has(&r->addr[1], p->addr[1]))
			continue;
		for (f = 0; f < TEST_FIELDS; f++)
			if (r->hi[f] != ~0u && (p->value[f] < r->lo[f] || p->value[f] > r->hi[f]))
				break;
		if (f < TEST_FIELDS)
			continue;
		if (r->verdict != FW_VERDICT_CONTINUE)
			return i;
		++*ret_counted;
	}
	return ~0u;
}

static long packet_random(struct maker *m, uint8_t frame[256], struct test_packet *ret)
{
	struct packet_spec spec = { .protocol = 6, .has_ports = true, .sport = 1, .has_flags = true, .has_ttl = true };
	struct test_packet p = { .family = prng_below(&m->prng, 2) };
	u128 addr[2];
	int i;
	long len;

	for (i = 0; i < 2; i++) {
		p.addr[i] = prefix_random(&m->prng).value;
		addr[i] = (u128)p.addr[i] << (p.family ? 112 : 16) | 1;
	}
	spec.family = p.family ? FAMILY_IPV6 : FAMILY_IPV4;
	spec.src = addr[0];
	spec.dst = addr[1];
	spec.dport = p.value[0] = prng_below(&m->prng, 40);
	spec.flags = p.value[1] = prng_below(&m->prng, 32);
	spec.ttl = p.value[2] = prng_below(&m->prng, 32);
	len = packet_build(&spec, frame, 256);
	assert_true(len > 0);
	*ret = p;
	return len;
}

static void packet_judge(struct maker *m)
{
	struct test_packet p;
	uint32_t counted, rule;
	struct fw_trace t;
	uint8_t frame[256];
	long len = packet_random(m, frame, &p);

	rule = rules_walk(m, &p, &counted);
	t = shim_run(frame, len, len, NULL);
	assert_int_equal((int)t.rule, (int)rule);
	assert_int_equal(t.reason, rule == ~0u ? FW_REASON_DEFAULT : FW_REASON_RULE);
	assert_int_equal(t.verdict, rule == ~0u ? FW_VERDICT_DROP : m->rule[rule].verdict);
	assert_int_equal(t.counted, counted);
	if (rule != ~0u) {
		assert_int_equal(t.slot, FW_SLOT_RULE0 + rule);
		m->by_list += m->rule[rule].where != IN_ROWS;
	}
}

static void random_lists(void **state)
{
	static struct maker m;
	uint32_t i, j;

	m.img.len = IMAGE_SIZE;
	prng_init(&m.prng, prng_seed("host/test_lists", 0));
	for (i = 0; i < IMAGES; i++) {
		rules_random(&m, prng_range(&m.prng, 1, prng_chance(&m.prng, 1, 4) ? MAX_RULES : 100));
		rules_place(&m);
		for (j = 0; j < 4; j++)
			tree_build(&m, j & 1, j >> 1);
		image_write(&m);
		shim_open(&m.img, FW_DIR_INGRESS, 0, FW_SLOT_RULE0 + MAX_RULES);
		for (j = 0; j < PACKETS; j++)
			packet_judge(&m);
	}
	assert_true(m.by_list > IMAGES * PACKETS / 4);
	shim_close();
}

/* Whatever stands in nodes, parts, entries and rows: no read outside (the sanitizer watches), and every walk ends. */
static void damaged_lists(void **state)
{
	static struct maker m;
	uint32_t i, j, n;

	m.img.len = IMAGE_SIZE;
	prng_init(&m.prng, prng_seed("host/test_lists damage", 0));
	for (i = 0; i < IMAGES; i++) {
		struct test_packet p;
		struct fw_trace t;
		uint8_t frame[256], *slot;
		long len;

		rules_random(&m, MAX_RULES);
		rules_place(&m);
		for (j = 0; j < 4; j++)
			tree_build(&m, j & 1, j >> 1);
		image_write(&m);
		shim_open(&m.img, FW_DIR_INGRESS, 0, FW_SLOT_RULE0 + MAX_RULES);
		slot = fw_slot0.value;
		for (n = prng_range(&m.prng, 1, 400); n; n--) {
			uint32_t from = prng_chance(&m.prng, 1, 20) ? 8 : m.d->units;

			slot[prng_range(&m.prng, from, from == 8 ? sizeof(struct fw_image) : m.img.len - 1)] = prng_u64(&m.prng);
		}
		for (j = 0; j < PACKETS; j++) {
			len = packet_random(&m, frame, &p);
			t = shim_run(frame, len, len, NULL);
			assert_true(t.verdict == FW_VERDICT_DROP || t.verdict == FW_VERDICT_PASS || t.verdict == FW_VERDICT_REJECT);
			assert_true(t.reason < FW_REASON_COUNT);
		}
	}
	shim_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "rules in lists and in rows: the first of all decides, and the `count` rules before it count", random_lists,
		  NULL, NULL, NULL },
		{ "damaged lists give some verdict and nothing worse", damaged_lists, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("host/lists", tests, NULL, NULL);
}

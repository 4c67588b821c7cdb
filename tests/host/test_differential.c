// SPDX-License-Identifier: GPL-2.0-only
/* Compiled tables and the datapath's own source against the oracle: verdict, reason, rule and every counter. */
#include "host/judge.h"

#include "harness/handmade.h"

#ifdef __SANITIZE_ADDRESS__
#define DEFAULT_PAIRS 100000
#define DEFAULT_SETS 100
#else
#define DEFAULT_PAIRS 1000000
#define DEFAULT_SETS 1000
#endif

static void random_pairs(void **state)
{
	unsigned long pairs = expect_env("FW_PAIRS", DEFAULT_PAIRS), sets = expect_env("FW_SETS", DEFAULT_SETS), i;
	struct prng prng;

	prng_init(&prng, prng_seed("host/test_differential", 0));
	for (i = 0; i < sets; i++) {
		/* one set in eight has many words per row, one in a hundred the summary of several */
		struct rulegen_opts opts = {
			.nrules = i % 100 == 99 ? 5000 : i % 8 == 7 ? prng_range(&prng, 65, 400) : prng_range(&prng, 0, 64),
			.style = i % 100 == 99 ? RULEGEN_CLASSBENCH : RULEGEN_EDGES,
			.essentials = prng_chance(&prng, 1, 4),
			.no_count = prng_chance(&prng, 1, 2),
		};
		struct arena *arena = arena_new();
		enum fw_dir dir = prng_u64(&prng) & 1;
		struct policy *p = rulegen_policy(arena, &prng, &opts);
		struct framegen fg;

		expect_opts.engine = prng_chance(&prng, 1, 2) ? ENGINE_LISTS : ENGINE_ROWS;
		expect_forms(i);
		assert_non_null(p);
		framegen_init(&fg, &p->chain[dir], prng_u64(&prng));
		expect_opts.engine = (enum engine)(i % 3);
		judge_set(p, arena, dir, &fg, pairs / sets);
		arena_free(arena);
	}
	print_message("# %lu pairs over %lu rule sets\n", pairs, sets);
}

static void absent_chain(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 1);
	struct framegen fg;

	framegen_init(&fg, NULL, 7);
	judge_set(p, arena, FW_DIR_EGRESS, &fg, 2000);
	arena_free(arena);
}

/* One rule on one field: every value, with its neighbours, against the oracle. */
static void field_values(enum field_id id, uint64_t lo, uint64_t hi, struct packet_spec spec, uint64_t from, uint64_t to)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 1);
	uint8_t frame[256];
	struct image img = {};
	uint64_t v;

	hand_rule(p, 0)->value[id] = hand_values(arena, lo, hi);
	shim_open(NULL, 0, 0, expect_compile(arena, p, FW_DIR_INGRESS, &img));
	shim_open(&img, FW_DIR_INGRESS, 0, fw_cfg.nslots);
	for (v = from; v <= to; v++) {
		struct fw_trace t;
		struct expect e;
		long len;

		if (id == FIELD_TCPFLAGS)
			spec.flags = v;
		else if (id == FIELD_SPORT)
			spec.sport = v;
		else
			spec.dport = v;
		len = packet_build(&spec, frame, sizeof(frame));
		assert_true(len > 0);
		e = expect_frame(p, &img, FW_DIR_INGRESS, frame, len, NULL);
		t = shim_run(frame, len, len, NULL);
		if (!expect_same(&e, &t))
			expect_report(p, FW_DIR_INGRESS, frame, len, NULL, &e, &t);
		assert_true(expect_same(&e, &t));
		assert_int_equal(t.reason == FW_REASON_RULE, v >= lo && v <= hi);
	}
	image_fini(&img);
	arena_free(arena);
}

static void all_flags(void **state)
{
	struct packet_spec spec = { .family = FAMILY_IPV4, .protocol = 6, .src = 1, .dst = 2, .has_ports = true, .has_flags = true };
	unsigned int f;

	for (f = 0; f < 256; f++)
		field_values(FIELD_TCPFLAGS, f, f, spec, 0, 255);
}

static void all_ports(void **state)
{
	struct packet_spec spec = { .family = FAMILY_IPV6, .protocol = 17, .src = 1, .dst = 2, .has_ports = true };

	field_values(FIELD_DPORT, 0, 0, spec, 0, 65535);
	field_values(FIELD_DPORT, 1024, 32767, spec, 0, 65535);
	field_values(FIELD_SPORT, 65535, 65535, spec, 0, 65535);
	field_values(FIELD_SPORT, 1, 65534, spec, 0, 65535);
}

/* A prefix of every length: its first and last address, and those beside it. */
static void prefix_edges(enum family family, unsigned int bits, u128 address, bool src)
{
	unsigned int width = family == FAMILY_IPV4 ? 32 : 128;
	u128 all = width == 128 ? ~(u128)0 : ((u128)1 << 32) - 1, host = bits == width ? 0 : all >> bits, lo = address & ~host & all;
	u128 try[4] = { lo, lo | host, (lo - 1) & all, ((lo | host) + 1) & all };
	struct packet_spec spec = { .family = family, .protocol = 17, .src = 9, .dst = 9, .has_ports = true };
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 1);
	struct image img = {};
	uint8_t frame[256];
	const struct aset *set =
		family == FAMILY_IPV4 ? hand_addr4(arena, lo, lo | host) : hand_addr6(arena, lo, lo | host);
	size_t i;

	*(src ? &hand_rule(p, 0)->src : &hand_rule(p, 0)->dst) = set;
	hand_rule(p, 0)->families = 1u << family;
	shim_open(NULL, 0, 0, expect_compile(arena, p, FW_DIR_INGRESS, &img));
	shim_open(&img, FW_DIR_INGRESS, 0, fw_cfg.nslots);
	for (i = 0; i < 4; i++) {
		struct fw_trace t;
		struct expect e;
		long len;

		*(src ? &spec.src : &spec.dst) = try[i];
		len = packet_build(&spec, frame, sizeof(frame));
		assert_true(len > 0);
		e = expect_frame(p, &img, FW_DIR_INGRESS, frame, len, NULL);
		t = shim_run(frame, len, len, NULL);
		assert_true(expect_same(&e, &t));
		assert_int_equal(t.reason == FW_REASON_RULE, try[i] >= lo && try[i] <= (lo | host));
	}
	image_fini(&img);
	arena_free(arena);
}

static void all_prefixes(void **state)
{
	const u128 six = (u128)0x20010db8deadbeefULL << 64 | 0x0123456789abcdefULL;
	unsigned int bits;

	for (bits = 0; bits <= 32; bits++) {
		prefix_edges(FAMILY_IPV4, bits, 0xc0a86480u, true);
		prefix_edges(FAMILY_IPV4, bits, 0xc0a86480u, false);
	}
	for (bits = 0; bits <= 128; bits++) {
		prefix_edges(FAMILY_IPV6, bits, six, true);
		prefix_edges(FAMILY_IPV6, bits, six, false);
	}
}

static void any_linear_size(void **state)
{
	struct rulegen_opts opts = { .nrules = 40, .directions = 1 };
	static uint8_t frame[FRAMEGEN_MAX];
	struct arena *arena = arena_new();
	struct packet_meta meta;
	struct framegen fg;
	struct policy *p;
	struct image img = {};
	struct prng prng;
	int i;

	prng_init(&prng, prng_seed("host/test_differential linear", 0));
	p = rulegen_policy(arena, &prng, &opts);
	framegen_init(&fg, &p->chain[0], prng_u64(&prng));
	shim_open(NULL, 0, 0, expect_compile(arena, p, FW_DIR_INGRESS, &img));
	shim_open(&img, FW_DIR_INGRESS, 0, fw_cfg.nslots);
	for (i = 0; i < DEFAULT_PAIRS / 500; i++) {
		size_t len = framegen_next(&fg, frame, sizeof(frame), &meta), linear;
		struct expect e = expect_frame(p, &img, FW_DIR_INGRESS, frame, len, &meta);

		for (linear = 0; linear <= 130 && linear <= len; linear++) {
			struct fw_trace t = shim_run(frame, len, linear, &meta);

			if (!expect_same(&e, &t))
				expect_report(p, FW_DIR_INGRESS, frame, len, &meta, &e, &t);
			assert_true(expect_same(&e, &t));
		}
	}
	image_fini(&img);
	arena_free(arena);
}

/* The tag in metadata (TC) or in the frame (XDP): one verdict. */
static void tag_in_metadata(void **state)
{
	struct rulegen_opts opts = { .nrules = 60, .directions = 1, .fields = 1u << FIELD_VLAN | 1u << FIELD_DPORT | 1u << FIELD_SRC };
	static uint8_t frame[FRAMEGEN_MAX + 4];
	struct arena *arena = arena_new();
	struct packet_meta meta;
	struct framegen fg;
	struct policy *p;
	struct image img = {};
	struct prng prng;
	int i, tagged = 0;

	prng_init(&prng, prng_seed("host/test_differential tag", 0));
	p = rulegen_policy(arena, &prng, &opts);
	framegen_init(&fg, &p->chain[0], prng_u64(&prng));
	fg.no_meta = true;
	shim_open(NULL, 0, 0, expect_compile(arena, p, FW_DIR_INGRESS, &img));
	shim_open(&img, FW_DIR_INGRESS, 0, fw_cfg.nslots);
	for (i = 0; i < 20000; i++) {
		size_t len = framegen_next(&fg, frame, FRAMEGEN_MAX, &meta);
		struct fw_trace tc, xdp;

		if (len < 14)
			continue;
		meta = (struct packet_meta){ true, prng_chance(&prng, 1, 3) ? 0 : prng_range(&prng, 0, 65535) };
		tc = shim_run(frame, len, len, &meta);
		memmove(frame + 16, frame + 12, len - 12);
		frame[12] = 0x81;
		frame[13] = 0;
		frame[14] = meta.vlan_tci >> 8;
		frame[15] = meta.vlan_tci;
		xdp = shim_run(frame, len + 4, len + 4, NULL);
		assert_memory_equal(&tc, &xdp, sizeof(tc));
		tagged++;
	}
	assert_true(tagged > 10000);
	image_fini(&img);
	arena_free(arena);
}

static void no_image(void **state)
{
	uint8_t frame[64] = { [12] = 8, [14] = 0x45, [17] = 20 };
	struct arena *arena = arena_new();
	struct image img = {};
	struct fw_trace t;
	uint32_t nslots = expect_compile(arena, hand_policy(arena, 1), FW_DIR_INGRESS, &img);

	shim_open(NULL, FW_DIR_INGRESS, 0, nslots);
	t = shim_run(frame, sizeof(frame), sizeof(frame), NULL);
	assert_int_equal(t.verdict, FW_VERDICT_DROP);
	assert_int_equal(t.reason, FW_REASON_NO_RULES);
	image_hdr(&img)->abi++;
	shim_open(&img, FW_DIR_INGRESS, 0, nslots);
	t = shim_run(frame, sizeof(frame), sizeof(frame), NULL);
	assert_int_equal(t.reason, FW_REASON_NO_RULES);
	/* the counter of the reason has it */
	assert_int_equal(((struct fw_cell *)fw_counters.value)[FW_REASON_SLOT(FW_REASON_NO_RULES, 0)].count.packets, 1);
	image_fini(&img);
	arena_free(arena);
}

/* Whatever stands in the tables, nothing outside the slot is read (the sanitizer watches) and every walk ends. */
static void damaged_images(void **state)
{
	struct rulegen_opts opts = { .nrules = 150, .directions = 1 };
	static uint8_t frame[FRAMEGEN_MAX];
	struct arena *arena = arena_new();
	struct packet_meta meta;
	struct framegen fg;
	struct policy *p;
	struct image img = {};
	struct prng prng;
	uint32_t nslots;
	int i, j;

	prng_init(&prng, prng_seed("host/test_differential damage", 0));
	p = rulegen_policy(arena, &prng, &opts);
	framegen_init(&fg, &p->chain[0], prng_u64(&prng));
	nslots = expect_compile(arena, p, FW_DIR_INGRESS, &img);
	for (i = 0; i < 300; i++) {
		uint8_t *slot;

		shim_open(&img, FW_DIR_INGRESS, 0, nslots);
		slot = fw_slot0.value;
		for (j = prng_range(&prng, 1, 40); j; j--) { /* the header's directions and tables, not magic and abi */
			size_t span = prng_chance(&prng, 1, 2) ? sizeof(struct fw_image) : img.len;

			slot[prng_range(&prng, 8, span - 1)] = prng_u64(&prng);
		}
		for (j = 0; j < 50; j++) {
			size_t len = framegen_next(&fg, frame, sizeof(frame), &meta);
			struct fw_trace t = shim_run(frame, len, len, &meta);

			assert_true(t.verdict == FW_VERDICT_DROP || t.verdict == FW_VERDICT_PASS || t.verdict == FW_VERDICT_REJECT);
			assert_true(t.reason < FW_REASON_COUNT);
		}
	}
	image_fini(&img);
	arena_free(arena);
}

static void lowest_bit(void **state)
{
	int i;

	for (i = 0; i < 64; i++) {
		assert_int_equal(fw_ctz(1ULL << i), i);
		assert_int_equal(fw_ctz(~0ULL << i), i);
	}
}

static int done(void **state)
{
	shim_close();
	return 0;
}

#define CASE(fn, name) { name, fn, NULL, NULL, NULL }
int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(lowest_bit, "the lowest set bit of a word is found wherever it is"),
		CASE(random_pairs, "random rule sets and frames: verdict, reason, rule and counters are the oracle's"),
		CASE(absent_chain, "a direction that the policy does not have passes everything"),
		CASE(all_flags, "every TCP flag byte matches itself and no other"),
		CASE(all_ports, "every port is inside or outside a range as written"),
		CASE(all_prefixes, "a prefix of every length matches its first and last address and not their neighbours"),
		CASE(any_linear_size, "the verdict does not depend on the size of the linear part"),
		CASE(tag_in_metadata, "a tag means the same in metadata and in the frame"),
		CASE(no_image, "without a good image everything is dropped, and counted as no-rules"),
		CASE(damaged_images, "a damaged image gives some verdict and nothing worse"),
	};

	return cmocka_run_group_tests_name("host/differential", tests, NULL, done);
}

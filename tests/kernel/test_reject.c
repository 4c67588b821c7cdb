// SPDX-License-Identifier: GPL-2.0-only
/*
 * What `reject` sends, byte by byte: the hooks as they are, with verdicts of the test's choosing, under BPF_PROG_TEST_RUN,
 * which hands back what became of the frame.
 */
#include "answers.h"

#include "harness/framegen.h"

static struct hook hooks[FW_HOOK_COUNT], frags;
static uint64_t reply_mac(const struct frame *f)
{
	return (uint64_t)get16(f->b + 6) << 32 | get32(f->b + 8);
}

static int lab_open(void **state)
{
	for (int i = 0; i < FW_HOOK_COUNT; i++)
		hook_open(&hooks[i], i, false);
	hook_open(&frags, FW_HOOK_XDP, true);
	return 0;
}

static int lab_close(void **state)
{
	for (int i = 0; i < FW_HOOK_COUNT; i++)
		bpf_object__close(hooks[i].obj);
	bpf_object__close(frags.obj);
	return 0;
}

/* A rule rejects the frame, and nothing was rejected before. */
static int reject(const struct hook *h, enum fw_reject kind, const struct frame *in, struct frame *out)
{
	const struct ask ask = { .verdict = FW_VERDICT_REJECT, .reject = kind };

	hook_say(h, &ask);
	hook_rested(h);
	return hook_run(h, in, 0, out, NULL);
}

/* At every hook. On egress the source MAC is the policy's own secret: any address of one machine, administered locally. */
static void expect_answer(enum fw_reject kind, const struct frame *in, const struct frame *want)
{
	struct frame out;

	for (int i = 0; i < FW_HOOK_COUNT; i++) {
		assert_true(is_sent(&hooks[i], reject(&hooks[i], kind, in, &out)));
		if (i == FW_HOOK_TC_EGRESS) {
			assert_int_equal(out.b[6] & 3, 2);
			assert_memory_not_equal(out.b + 6, want->b + 6, 6);
			memcpy(out.b + 6, want->b + 6, 6);
		}
		assert_frame(&out, want);
	}
}

static void expect_silence(enum fw_reject kind, const struct frame *in)
{
	struct frame out;

	for (int i = 0; i < FW_HOOK_COUNT; i++)
		assert_true(is_dropped(&hooks[i], reject(&hooks[i], kind, in, &out)));
}

/* RFC 9293 3.10.7.1. */
static void want_reset(const struct make *m, const struct frame *in, struct frame *want)
{
	size_t l4 = want_headers(in, 6, 0, 20, want), data = m->l4 - 4 * (m->doff ? m->doff : 5);
	uint8_t *t = want->b + l4;

	put16(t, 113);
	put16(t + 2, 40000);
	t[12] = 0x50;
	if (m->flags & 0x10) {
		put32(t + 4, 0x89abcdef);
		t[13] = 0x04;
	} else {
		put32(t + 8, (uint32_t)(0xfffffff0 + data + !!(m->flags & 2) + !!(m->flags & 1)));
		t[13] = 0x14;
	}
	want_finish(in, want, l4, 16);
}

static void resets(void **state)
{
	static const uint8_t flags[] = { 0x02, 0x12, 0x10, 0x18, 0x11, 0x01, 0x00, 0x08, 0x03, 0xc2, 0x29 };
	struct frame in, want;

	for (unsigned int n = 0; n < sizeof(flags) * 2 * 3 * 2 * 3; n++) {
		static const size_t data[] = { 0, 1, 700 };
		struct make m = { .proto = 6, .flags = flags[n % sizeof(flags)] };
		unsigned int rest = n / sizeof(flags);

		m.v6 = rest % 2;
		m.tags = rest / 2 % 3;
		m.options = rest / 6 % 2 * 3;
		m.doff = m.options ? 10 : 5;
		m.l4 = m.doff * 4 + data[rest / 12];
		m.padding = m.l4 < 46 ? 46 - m.l4 : 0;
		make_frame(&m, &in);
		want_reset(&m, &in, &want);
		expect_answer(FW_REJECT_AUTO, &in, &want);
		expect_answer(FW_REJECT_TCP_RESET, &in, &want);
	}
}

/* One answer written down by hand, so that test and datapath are not wrong together. */
static void reset_by_hand(void **state)
{
	static const uint8_t syn[] = {
		0x02, 0x00, 0x00, 0x00, 0x77, 0x02, 0x02, 0x00, 0x00, 0x00, 0x77, 0x01, 0x08, 0x00, /* Ethernet */
		0x45, 0x00, 0x00, 0x28, 0x00, 0x01, 0x00, 0x00, 0x40, 0x06, 0x00, 0x00, 0x0a, 0x00, 0x00, 0x01, 0x0a, 0x00, 0x00, 0x02,
		0x04, 0x00, 0x00, 0x71, 0x00, 0x00, 0x00, 0x63, 0x00, 0x00, 0x00, 0x00, 0x50, 0x02, 0x20, 0x00, 0x00, 0x00, 0x00, 0x00,
	};
	static const uint8_t rst[] = {
		0x02, 0x00, 0x00, 0x00, 0x77, 0x01, 0x02, 0x00, 0x00, 0x00, 0x77, 0x02, 0x08, 0x00,
		/* 4500+0028+4000+4006+0a00+0002+0a00+0001 = d931 = ~26ce */
		0x45, 0x00, 0x00, 0x28, 0x00, 0x00, 0x40, 0x00, 0x40, 0x06, 0x26, 0xce, 0x0a, 0x00, 0x00, 0x02, 0x0a, 0x00, 0x00, 0x01,
		/* 0a00+0002+0a00+0001+0006+0014 + 0071+0400+0064+5014 = 6906 = ~96f9 */
		0x00, 0x71, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x64, 0x50, 0x14, 0x00, 0x00, 0x96, 0xf9, 0x00, 0x00,
	};
	struct frame in = { .len = sizeof(syn) }, want = { .len = sizeof(rst) };

	memcpy(in.b, syn, sizeof(syn));
	memcpy(want.b, rst, sizeof(rst));
	expect_answer(FW_REJECT_AUTO, &in, &want);
}

static void want_unreachable(const struct make *m, enum fw_reject kind, const struct frame *in, struct frame *want)
{
	size_t l3 = l3_of(in), quote = in->len - m->padding - l3, most = m->v6 ? 1280 - 48 : 576 - 28, l4;
	uint8_t *t;

	if (quote > most)
		quote = most;
	l4 = want_headers(in, m->v6 ? 58 : 1, 0xc0, 8 + quote, want);
	t = want->b + l4;
	t[0] = m->v6 ? 1 : 3;
	if (kind == FW_REJECT_PROHIBITED)
		t[1] = m->v6 ? 1 : 13;
	else
		t[1] = m->v6 ? 4 : 3;
	memcpy(t + 8, in->b + l3, quote);
	want_finish(in, want, l4, 2);
}

static void unreachables(void **state)
{
	static const size_t l4[] = { 8, 9, 10, 11, 20, 500, 527, 528, 529, 1191, 1192, 1193, 1400 };
	static const uint8_t proto[] = { 17, 6, 132, 47 };
	struct frame in, want;

	for (unsigned int n = 0; n < 13 * 4 * 2 * 3 * 2; n++) {
		struct make m = { .l4 = l4[n % 13], .proto = proto[n / 13 % 4], .flags = 2 };

		m.v6 = n / 52 % 2;
		m.tags = n / 104 % 3;
		m.options = n / 312 % 2 * 2;
		if ((m.proto == 6 && m.l4 < 20) || (m.proto == 132 && m.l4 < 12))
			m.l4 = 20;
		m.padding = m.l4 < 30 ? 30 - m.l4 : 0;
		make_frame(&m, &in);
		want_unreachable(&m, FW_REJECT_UNREACHABLE, &in, &want);
		expect_answer(FW_REJECT_UNREACHABLE, &in, &want);
		if (m.proto != 6)
			expect_answer(FW_REJECT_AUTO, &in, &want);
		want_unreachable(&m, FW_REJECT_PROHIBITED, &in, &want);
		expect_answer(FW_REJECT_PROHIBITED, &in, &want);
	}
}

/* Pings and other queries are answered, errors are not. */
static void icmp(void **state)
{
	static const char answered4[] = { 0, 8, 9, 10, 13, 14, 15, 16, 17, 18 };
	struct frame in, want;

	for (int type = 0; type < 256; type++) {
		struct make m4 = { .proto = 1, .type = type, .l4 = 40 }, m6 = { .v6 = true, .proto = 58, .type = type, .l4 = 40 };

		make_frame(&m4, &in);
		want_unreachable(&m4, FW_REJECT_AUTO, &in, &want);
		if (memchr(answered4, type, sizeof(answered4)))
			expect_answer(FW_REJECT_AUTO, &in, &want);
		else
			expect_silence(FW_REJECT_AUTO, &in);
		make_frame(&m6, &in);
		want_unreachable(&m6, FW_REJECT_AUTO, &in, &want);
		if (type >= 128 && type != 137)
			expect_answer(FW_REJECT_AUTO, &in, &want);
		else
			expect_silence(FW_REJECT_AUTO, &in);
	}
}

/* Change bytes of a frame that is answered otherwise. */
static void silent_with(const struct make *m, size_t off, const void *bytes, size_t n)
{
	struct frame in, out;

	make_frame(m, &in);
	assert_true(is_sent(&hooks[0], reject(&hooks[0], FW_REJECT_UNREACHABLE, &in, &out)));
	memcpy(in.b + off, bytes, n);
	expect_silence(FW_REJECT_UNREACHABLE, &in);
	expect_silence(FW_REJECT_AUTO, &in);
}

static void never(void **state)
{
	const struct make v4 = { .proto = 17, .l4 = 40 }, v6 = { .v6 = true, .proto = 17, .l4 = 40 };
	struct make tcp = { .proto = 6, .l4 = 40, .flags = 2 };
	static const uint8_t bad6[][16] = { {}, { [15] = 1 }, { 0xff, 0x02, [15] = 1 } };
	static const uint8_t bad4[][4] = { {}, { 127, 0, 0, 1 }, { 224, 0, 0, 1 }, { 255, 255, 255, 255 }, { 240, 0, 0, 1 } };

	silent_with(&v4, 0, "\xff\xff\xff\xff\xff\xff", 6);
	silent_with(&v4, 0, "\x01\x00\x5e\x00\x00\x01", 6);
	silent_with(&v4, 6, "\x03", 1);
	for (size_t i = 0; i < 5; i++) {
		silent_with(&v4, 26, bad4[i], 4);
		silent_with(&v4, 30, bad4[i], 4);
	}
	for (size_t i = 0; i < 3; i++) {
		silent_with(&v6, 22, bad6[i], 16);
		silent_with(&v6, 38, bad6[i], 16);
	}
	silent_with(&v4, 20, "\x00\x05", 2); /* a later fragment, the last */
	silent_with(&v4, 20, "\x20\x05", 2);
	silent_with(&tcp, 47, "\x04", 1); /* RST */
	silent_with(&tcp, 47, "\x14", 1);
	silent_with(&v4, 16, "\x00\x1b", 2); /* total length: 7 bytes of UDP */
	silent_with(&v4, 12, "\x08\x06", 2); /* ARP */
}

static void reset_is_for_tcp(void **state)
{
	struct make m = { .proto = 17, .l4 = 40 };
	struct frame in;

	make_frame(&m, &in);
	expect_silence(FW_REJECT_TCP_RESET, &in);
}

/* A first fragment is answered like a whole packet: there is an L4 header to go by. */
static void first_fragment(void **state)
{
	struct make m = { .proto = 17, .l4 = 40 };
	struct frame in, want;

	make_frame(&m, &in);
	in.b[20] = 0x20;
	want_unreachable(&m, FW_REJECT_AUTO, &in, &want);
	expect_answer(FW_REJECT_AUTO, &in, &want);
}

/* Whatever the verdict is but REJECT, nothing is sent. */
static void other_verdicts(void **state)
{
	struct make m = { .proto = 6, .l4 = 40, .flags = 2 };
	struct ask ask = { .verdict = FW_VERDICT_DROP };
	struct frame in, out;

	make_frame(&m, &in);
	for (int i = 0; i < FW_HOOK_COUNT; i++) {
		ask.verdict = FW_VERDICT_DROP;
		hook_say(&hooks[i], &ask);
		assert_true(is_dropped(&hooks[i], hook_run(&hooks[i], &in, 0, &out, NULL)));
		ask.verdict = FW_VERDICT_PASS;
		hook_say(&hooks[i], &ask);
		assert_int_equal(hook_run(&hooks[i], &in, 0, &out, NULL), hooks[i].xdp ? (int)XDP_PASS : TC_ACT_UNSPEC);
		assert_frame(&out, &in);
	}
}

/* The clock stands: as many answers as the burst, then none; a second later there are answers again. */
static void limited(void **state)
{
	struct make m = { .proto = 17, .l4 = 40 };
	struct ask ask = { .verdict = FW_VERDICT_REJECT };
	struct frame in, out;

	make_frame(&m, &in);
	for (int i = 0; i < FW_HOOK_COUNT; i++) {
		hook_say(&hooks[i], &ask);
		hook_rested(&hooks[i]);
		for (int n = 0; n < FW_REJECT_BURST; n++)
			assert_true(is_sent(&hooks[i], hook_run(&hooks[i], &in, 0, &out, NULL)));
		for (int n = 0; n < 10; n++) {
			assert_true(is_dropped(&hooks[i], hook_run(&hooks[i], &in, 0, &out, NULL)));
			assert_frame(&out, &in);
		}
		hook_policy(&hooks[i], 0x123456789abcdefull, 1000000);
		assert_true(is_sent(&hooks[i], hook_run(&hooks[i], &in, 0, &out, NULL)));
		hook_policy(&hooks[i], 0x123456789abcdefull, 0);
	}
}

/* What the egress hook gives to the local stack passes the ingress hooks, and no other policy's do. */
static void own_answers_in(void **state)
{
	struct make m = { .proto = 6, .l4 = 40, .flags = 2 };
	struct ask drop = { .verdict = FW_VERDICT_DROP };
	struct frame in, answer, out;

	make_frame(&m, &in);
	assert_int_equal(reject(&hooks[FW_HOOK_TC_EGRESS], FW_REJECT_AUTO, &in, &answer), TC_ACT_REDIRECT);
	hook_say(&hooks[FW_HOOK_XDP], &drop);
	hook_say(&hooks[FW_HOOK_TC_INGRESS], &drop);
	assert_int_equal(hook_run(&hooks[FW_HOOK_XDP], &answer, 0, &out, NULL), XDP_PASS);
	assert_int_equal(hook_run(&hooks[FW_HOOK_TC_INGRESS], &answer, 0, &out, NULL), TC_ACT_UNSPEC);
	hook_policy(&hooks[FW_HOOK_XDP], 99, 0);
	hook_policy(&hooks[FW_HOOK_TC_INGRESS], 99, 0);
	assert_int_equal(hook_run(&hooks[FW_HOOK_XDP], &answer, 0, &out, NULL), XDP_DROP);
	assert_int_equal(hook_run(&hooks[FW_HOOK_TC_INGRESS], &answer, 0, &out, NULL), TC_ACT_SHOT);
	for (int i = 0; i < FW_HOOK_COUNT; i++)
		hook_policy(&hooks[i], 0x123456789abcdefull, 0);
	assert_int_not_equal(reply_mac(&answer), reply_mac(&in));
}

/* What the TC ingress hook sends passes the egress hook, and loses its mark there. */
static void own_answers_out(void **state)
{
	struct make m = { .proto = 6, .l4 = 40, .flags = 2 };
	struct ask ask = { .verdict = FW_VERDICT_REJECT };
	uint32_t mark = 7, wrong;
	struct frame in, answer, out;

	make_frame(&m, &in);
	hook_say(&hooks[FW_HOOK_TC_INGRESS], &ask);
	hook_rested(&hooks[FW_HOOK_TC_INGRESS]);
	assert_int_equal(hook_run(&hooks[FW_HOOK_TC_INGRESS], &in, 0, &answer, &mark), TC_ACT_REDIRECT);
	assert_int_not_equal(mark, 0);
	wrong = mark ^ 2;
	ask.verdict = FW_VERDICT_DROP;
	hook_say(&hooks[FW_HOOK_TC_EGRESS], &ask);
	assert_int_equal(hook_run(&hooks[FW_HOOK_TC_EGRESS], &answer, 0, &out, &wrong), TC_ACT_SHOT);
	assert_int_equal(hook_run(&hooks[FW_HOOK_TC_EGRESS], &answer, 0, &out, &mark), TC_ACT_UNSPEC);
	assert_int_equal(mark, 0);
}

static void every_cut(void **state)
{
	static const struct make makes[] = {
		{ .proto = 6, .l4 = 60, .flags = 2, .doff = 10 },
		{ .v6 = true, .proto = 6, .l4 = 32, .flags = 0x10, .options = 2 },
		{ .proto = 17, .l4 = 1000, .tags = 1 },
		{ .v6 = true, .proto = 17, .l4 = 1400 },
		{ .proto = 17, .l4 = 8 },
	};
	struct ask ask = { .verdict = FW_VERDICT_REJECT };
	struct frame in, want, out;

	hook_say(&frags, &ask);
	for (size_t i = 0; i < sizeof(makes) / sizeof(makes[0]); i++) {
		make_frame(&makes[i], &in);
		if (makes[i].proto == 6)
			want_reset(&makes[i], &in, &want);
		else
			want_unreachable(&makes[i], FW_REJECT_AUTO, &in, &want);
		for (size_t linear = 14; linear <= in.len; linear++) {
			hook_rested(&frags);
			assert_true(is_sent(&frags, hook_run(&frags, &in, linear, &out, NULL)));
			assert_frame(&out, &want);
		}
	}
}

/* Frames damaged in every way of the generator: an answer is a whole packet with right checksums, to the sender. */
static void any_frame(void **state)
{
	struct framegen fg;
	struct packet_meta meta;
	struct frame in = {}, out;
	unsigned int answers = 0;

	framegen_init(&fg, NULL, prng_seed("kernel/test_reject", 0));
	fg.no_meta = true;
	for (int i = 0; i < 20000; i++) {
		struct packet was, is;
		const uint8_t *ip, *l4;
		unsigned int sum;
		size_t n;
		bool v6;

		in.len = framegen_next(&fg, in.b, sizeof(in.b), &meta);
		if (in.len < 14 || in.len > 3000 || !is_sent(&hooks[0], reject(&hooks[0], i % 4, &in, &out)))
			continue;
		answers++;
		assert_int_equal(packet_parse(in.b, in.len, NULL, &was), PACKET_OK);
		assert_int_equal(packet_parse(out.b, out.len, NULL, &is), PACKET_OK);
		assert_true(is.src == was.dst && is.dst == was.src && is.family == was.family);
		assert_true(was.value[FIELD_FRAG] != FRAG_LATER);
		ip = out.b + l3_of(&out);
		v6 = is.family == FAMILY_IPV6;
		assert_true(v6 || sum_add(0, ip, 20) == 0xffff);
		l4 = ip + (v6 ? 40 : 20);
		n = get16(ip + (v6 ? 4 : 2)) - (v6 ? 0 : 20);
		sum = !v6 && ip[9] == 1 ? sum_add(0, l4, n) : sum_l4(ip, v6, ip[v6 ? 6 : 9], l4, n);
		assert_int_equal(sum, 0xffff);
	}
	assert_true(answers > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "one reset, written down by hand", reset_by_hand, NULL, NULL, NULL },
		{ "resets: families, tags, options, flags, lengths", resets, NULL, NULL, NULL },
		{ "unreachable and prohibited: families, tags, options, protocols, quotes cut short", unreachables, NULL, NULL, NULL },
		{ "ICMP queries are answered, errors and redirects never", icmp, NULL, NULL, NULL },
		{ "no answer to broadcast, multicast, nobody, later fragments, resets, cut packets", never, NULL, NULL, NULL },
		{ "a reset answers TCP alone", reset_is_for_tcp, NULL, NULL, NULL },
		{ "a first fragment is answered", first_fragment, NULL, NULL, NULL },
		{ "no other verdict sends anything", other_verdicts, NULL, NULL, NULL },
		{ "no more answers than the limit of a direction", limited, NULL, NULL, NULL },
		{ "answers to the local stack pass the ingress hooks of their policy alone", own_answers_in, NULL, NULL, NULL },
		{ "answers that go out pass the egress hook and lose their mark", own_answers_out, NULL, NULL, NULL },
		{ "the same answer at every linear size", every_cut, NULL, NULL, NULL },
		{ "damaged frames: whoever gets an answer gets a right one", any_frame, NULL, NULL, NULL },
	};

	if (geteuid()) {
		printf("1..1\nok 1 - reject # SKIP needs root\n");
		return 0;
	}
	return cmocka_run_group_tests_name("kernel/reject", tests, lab_open, lab_close);
}

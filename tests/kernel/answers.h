/* SPDX-License-Identifier: GPL-2.0-only */
/* The hooks with a verdict of the test's choosing (ask.h), and the answers that are right, built in another way than the datapath's. */
#ifndef FW_TESTS_KERNEL_ANSWERS_H
#define FW_TESTS_KERNEL_ANSWERS_H

#include "ask.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fw/abi.h>
#include <fw/names.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MAX_FRAME 4096
#define FW_ANSWER_COOKIE 2 /* enum fw_answer of the datapath */

struct frame {
	uint8_t b[MAX_FRAME];
	size_t len;
};

struct hook {
	struct bpf_object *obj;
	int prog, ask, limits, ctl, cookies;
	bool xdp;
};

/* The same secret for all that is one policy. jiffy_ns 0: the clock stands. */
static inline void hook_policy(const struct hook *h, uint64_t secret, uint64_t jiffy_ns)
{
	struct fw_ctl ctl = { .jiffy_ns = jiffy_ns };
	uint32_t zero = 0;

	for (size_t i = 0; i < FW_SECRETS; i++)
		ctl.secret[i] = secret * (2 * i + 1);
	assert_int_equal(bpf_map_update_elem(h->ctl, &zero, &ctl, 0), 0);
}

static inline void hook_open(struct hook *h, enum fw_hook kind, bool frags)
{
	static const char *const prog[] = { FW_PROG_XDP_ANSWERS, FW_PROG_TC_INGRESS, FW_PROG_TC_EGRESS };
	struct fw_cfg cfg = { .mask = { 4095, 4095 }, .nslots = 1, .frags = frags, .features = FW_FEATS_ANSWER };
	struct bpf_program *p, *mine = NULL;
	struct bpf_map *m;

	h->xdp = kind == FW_HOOK_XDP;
	cfg.dir = kind == FW_HOOK_TC_EGRESS ? FW_DIR_EGRESS : FW_DIR_INGRESS;
	h->obj = bpf_object__open(h->xdp ? "build/bpf/ask_xdp.bpf.o" : "build/bpf/ask_tc.bpf.o");
	if (libbpf_get_error(h->obj))
		fail_msg("cannot open the object");
	bpf_object__for_each_map(m, h->obj) {
		const char *dot = strchr(bpf_map__name(m), '.');

		if (dot && !strcmp(dot, ".rodata"))
			assert_int_equal(bpf_map__set_initial_value(m, &cfg, sizeof(cfg)), 0);
	}
	bpf_object__for_each_program(p, h->obj) {
		bpf_program__set_autoload(p, !strcmp(bpf_program__name(p), prog[kind]));
		if (!strcmp(bpf_program__name(p), prog[kind]))
			mine = p;
	}
	assert_non_null(mine);
	if (frags)
		bpf_program__set_flags(mine, BPF_F_XDP_HAS_FRAGS);
	assert_int_equal(bpf_object__load(h->obj), 0);
	h->prog = bpf_program__fd(mine);
	h->ask = bpf_object__find_map_fd_by_name(h->obj, "ask_map");
	h->limits = bpf_object__find_map_fd_by_name(h->obj, FW_MAP_LIMITS);
	h->ctl = bpf_object__find_map_fd_by_name(h->obj, FW_MAP_CTL);
	h->cookies = bpf_object__find_map_fd_by_name(h->obj, FW_MAP_COOKIES);
	hook_policy(h, 0x123456789abcdefull, 0);
}

static inline void hook_say(const struct hook *h, const struct ask *ask)
{
	uint32_t zero = 0;

	assert_int_equal(bpf_map_update_elem(h->ask, &zero, ask, 0), 0);
}

/* Nothing has been answered yet. */
static inline void hook_rested(const struct hook *h)
{
	uint64_t full = 0;

	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(bpf_map_update_elem(h->limits, &i, &full, 0), 0);
}

/* The hook's return value; *out is what became of the frame. linear: XDP: bytes in the linear part, 0: all. mark: TC, in and out. */
static inline int hook_run(const struct hook *h, const struct frame *in, size_t linear, struct frame *out, uint32_t *mark)
{
	struct xdp_md xdp = { .data_end = linear };
	struct __sk_buff skb = { .mark = mark ? *mark : 0 }, skb_out = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in->b, .data_size_in = in->len, .data_out = out->b,
		    .data_size_out = sizeof(out->b), .repeat = 1);

	if (h->xdp && linear) {
		opts.ctx_in = &xdp;
		opts.ctx_size_in = sizeof(xdp);
	}
	if (!h->xdp) {
		opts.ctx_in = &skb;
		opts.ctx_out = &skb_out;
		opts.ctx_size_in = opts.ctx_size_out = sizeof(skb);
	}
	assert_int_equal(bpf_prog_test_run_opts(h->prog, &opts), 0);
	out->len = opts.data_size_out;
	if (mark)
		*mark = skb_out.mark;
	return (int)opts.retval;
}

static inline bool is_sent(const struct hook *h, int action)
{
	return action == (h->xdp ? (int)XDP_TX : TC_ACT_REDIRECT);
}
static inline bool is_dropped(const struct hook *h, int action)
{
	return action == (h->xdp ? (int)XDP_DROP : TC_ACT_SHOT);
}

static inline unsigned int get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}
static inline uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}
static inline void put16(uint8_t *p, unsigned int v)
{
	p[0] = v >> 8;
	p[1] = v;
}
static inline void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

/* RFC 1071 by the book: byte by byte, carries at once. */
static inline unsigned int sum_add(unsigned int sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sum += i % 2 ? p[i] : p[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}
static inline unsigned int sum_l4(const uint8_t *ip, bool v6, uint8_t proto, const uint8_t *l4, size_t n)
{
	uint8_t pseudo[4] = { 0, proto, n >> 8, n & 255 };
	unsigned int sum = sum_add(0, pseudo, 4);

	sum = v6 ? sum_add(sum, ip + 8, 32) : sum_add(sum, ip + 12, 8);
	return sum_add(sum, l4, n);
}

/* Where L3 starts: behind the tags in the frame. */
static inline size_t l3_of(const struct frame *f)
{
	size_t off = 12;

	while (get16(f->b + off) == 0x8100 || get16(f->b + off) == 0x88a8)
		off += 4;
	return off + 2;
}

/* Link layer and IP header of the answer to `in`, for n bytes of L4; where these start. */
static inline size_t want_headers(const struct frame *in, uint8_t proto, uint8_t tos, size_t n, struct frame *want)
{
	size_t l3 = l3_of(in);
	const uint8_t *from = in->b + l3;
	uint8_t *ip = want->b + l3;

	memset(want, 0, sizeof(*want));
	memcpy(want->b, in->b, l3);
	memcpy(want->b, in->b + 6, 6);
	memcpy(want->b + 6, in->b, 6);
	if (from[0] >> 4 == 6) {
		ip[0] = 0x60;
		put16(ip + 4, n);
		ip[6] = proto;
		ip[7] = 64;
		memcpy(ip + 8, from + 24, 16);
		memcpy(ip + 24, from + 8, 16);
		want->len = l3 + 40 + n;
		return l3 + 40;
	}
	ip[0] = 0x45;
	ip[1] = tos;
	put16(ip + 2, 20 + n);
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = proto;
	memcpy(ip + 12, from + 16, 4);
	memcpy(ip + 16, from + 12, 4);
	put16(ip + 10, ~sum_add(0, ip, 20) & 0xffff);
	want->len = l3 + 20 + n;
	return l3 + 20;
}

/* The L4 checksum, and what pads a frame that was padded. */
static inline void want_finish(const struct frame *in, struct frame *want, size_t l4, size_t sum_at)
{
	size_t l3 = l3_of(in);
	bool v6 = want->b[l3] >> 4 == 6;
	uint8_t proto = v6 ? want->b[l3 + 6] : want->b[l3 + 9];
	unsigned int sum = proto == 1 ? sum_add(0, want->b + l4, want->len - l4) :
					sum_l4(want->b + l3, v6, proto, want->b + l4, want->len - l4);

	put16(want->b + l4 + sum_at, ~sum & 0xffff);
	if (want->len < 60 && in->len >= 60)
		want->len = 60;
}

static inline void assert_frame(const struct frame *got, const struct frame *want)
{
	if (got->len != want->len || memcmp(got->b, want->b, want->len)) {
		printf("# got ");
		for (size_t i = 0; i < got->len; i++)
			printf("%02x", got->b[i]);
		printf("\n# not ");
		for (size_t i = 0; i < want->len; i++)
			printf("%02x", want->b[i]);
		printf("\n");
	}
	assert_int_equal(got->len, want->len);
	assert_memory_equal(got->b, want->b, want->len);
}

/* A frame to be answered. */
struct make {
	bool v6;
	unsigned int tags, options; /* options: 4-byte words of IPv4 options, or 8-byte words of IPv6 destination options */
	uint8_t proto;
	uint8_t flags, doff;  /* TCP */
	uint8_t type;         /* ICMP */
	size_t l4, padding;   /* bytes of L4, header included; behind the packet */
};

static inline size_t make_ip(const struct make *m, uint8_t *ip)
{
	size_t head = m->v6 ? 40 + 8 * m->options : 20 + 4 * m->options;

	if (!m->v6) {
		ip[0] = 0x40 | head / 4;
		put16(ip + 2, head + m->l4);
		put16(ip + 4, 0x1234);
		ip[8] = 57;
		ip[9] = m->proto;
		put32(ip + 12, 0xc6336407); /* 198.51.100.7 */
		put32(ip + 16, 0xc0000201);
		memset(ip + 20, 1, head - 20);
		put16(ip + 10, ~sum_add(0, ip, head) & 0xffff);
		return head;
	}
	put32(ip, 0x6abcdef1);
	put16(ip + 4, head - 40 + m->l4);
	ip[6] = m->options ? 60 : m->proto;
	ip[7] = 57;
	put32(ip + 8, 0x20010db8);
	ip[23] = 7;
	put32(ip + 24, 0x20010db8);
	ip[39] = 1;
	if (m->options) {
		ip[40] = m->proto;
		ip[41] = m->options - 1;
		ip[42] = 1; /* PadN of the rest */
		ip[43] = 8 * m->options - 4;
	}
	return head;
}

static inline void make_frame(const struct make *m, struct frame *f)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0x77, 2, 2, 0, 0, 0, 0x77, 1 };
	uint8_t *p = f->b + 12, *l4;

	memset(f, 0, sizeof(*f));
	memcpy(f->b, macs, 12);
	for (unsigned int i = 0; i < m->tags; i++, p += 4) {
		put16(p, i + 1 < m->tags ? 0x88a8 : 0x8100);
		put16(p + 2, 0x6000 | (i + 5));
	}
	put16(p, m->v6 ? 0x86dd : 0x0800);
	p += 2;
	l4 = p + make_ip(m, p);
	for (size_t i = 0; i < m->l4; i++)
		l4[i] = i * 7 + 3;
	put16(l4, 40000);
	put16(l4 + 2, 113);
	if (m->proto == 6) {
		put32(l4 + 4, 0xfffffff0);
		put32(l4 + 8, 0x89abcdef);
		l4[12] = (m->doff ? m->doff : 5) << 4;
		l4[13] = m->flags;
		if (m->doff > 5)
			memset(l4 + 20, 1, 4 * m->doff - 20);
	} else if (m->proto == 17) {
		put16(l4 + 4, m->l4);
	} else if (m->proto == (m->v6 ? 58 : 1)) {
		l4[0] = m->type;
		l4[1] = 0;
	}
	f->len = l4 - f->b + m->l4 + m->padding;
	memset(f->b + f->len - m->padding, 0xee, m->padding);
}

#endif

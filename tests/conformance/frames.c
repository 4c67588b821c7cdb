// SPDX-License-Identifier: GPL-2.0-only
// Builders, and the container of cases.
#include "conformance/frames.h"
#include "harness/lab.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bytes_put(struct bytes *b, const void *data, size_t len)
{
	if (b->n + len > sizeof(b->b))
		lab_die("a crafted frame is longer than %zu bytes", sizeof(b->b));
	if (len)
		memcpy(b->b + b->n, data, len);
	b->n += len;
}

void bytes_fill(struct bytes *b, unsigned int v, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes_put8(b, v);
}

void bytes_put8(struct bytes *b, unsigned int v)
{
	uint8_t c = (uint8_t)v;

	bytes_put(b, &c, 1);
}

void bytes_put16(struct bytes *b, unsigned int v)
{
	bytes_put8(b, v >> 8);
	bytes_put8(b, v);
}

void bytes_put32(struct bytes *b, uint32_t v)
{
	bytes_put16(b, v >> 16);
	bytes_put16(b, v);
}

void bytes_set16(struct bytes *b, size_t at, unsigned int v)
{
	b->b[at] = (uint8_t)(v >> 8);
	b->b[at + 1] = (uint8_t)v;
}

/* Checksum over the pseudo header and the whole of `out`, which holds one L4 segment. */
static uint16_t l4_checksum(const struct bytes *out, const struct l4 *l4)
{
	const uint8_t *dst6 = l4->dst6 ? l4->dst6 : lab_rcv6;
	uint32_t dst4 = l4->dst4 ? l4->dst4 : LAB_RCV4, sum = l4->proto + (uint32_t)out->n;

	if (l4->family == 4)
		sum += (LAB_GEN4 >> 16) + (LAB_GEN4 & 0xffff) + (dst4 >> 16) + (dst4 & 0xffff);
	else
		sum = lab_sum(dst6, 16, lab_sum(lab_gen6, 16, sum));
	return lab_sum_fold(lab_sum(out->b, out->n, sum));
}

static void l4_payload(struct bytes *out, const struct l4 *l4, uint32_t id)
{
	bytes_put32(out, CORPUS_MAGIC);
	bytes_put32(out, id);
	for (size_t i = 8; i < l4->payload; i++)
		bytes_put8(out, (unsigned int)i);
}

static void tcp_build(struct bytes *out, const struct l4 *l4, uint32_t id)
{
	size_t header = 20u + l4->tcp_opts;

	bytes_put32(out,
		    id << 4); /* the id; a reset that answers a SYN-ACK has a sequence number with other low bits */
	bytes_put32(out, 0);
	bytes_put8(out, (unsigned int)(header / 4) << 4);
	bytes_put8(out, l4->exact_flags || l4->flags ? l4->flags : 0x02);
	bytes_put16(out, 65535);
	bytes_put32(out, 0);
	bytes_fill(out, 1, l4->tcp_opts);
	l4_payload(out, l4, id);
	bytes_set16(out, 16, l4_checksum(out, l4));
}

void l4_build(struct bytes *out, const struct l4 *l4, uint32_t id)
{
	unsigned int sport = l4->sport ? l4->sport : 1024 + id % 50000, dport = l4->dport ? l4->dport : CORPUS_PORT;
	uint16_t sum;

	out->n = 0;
	if (l4->proto == IPPROTO_ICMP || l4->proto == IPPROTO_ICMPV6) {
		bytes_put16(out, l4->proto == IPPROTO_ICMP ? 8 << 8 : 128 << 8);
		bytes_put16(out, 0);
		bytes_put32(out, id);
		l4_payload(out, l4, id);
		sum = l4->proto == IPPROTO_ICMP ? lab_sum_fold(lab_sum(out->b, out->n, 0)) : l4_checksum(out, l4);
		bytes_set16(out, 2, sum);
		return;
	}
	bytes_put16(out, sport);
	bytes_put16(out, dport);
	if (l4->proto == IPPROTO_TCP) {
		tcp_build(out, l4, id);
	} else if (l4->proto == IPPROTO_SCTP) {
		bytes_fill(out, 0, 8); /* no CRC: the judge is a raw socket */
		l4_payload(out, l4, id);
	} else {
		bytes_put16(out, 8 + (unsigned int)(l4->payload > 8 ? l4->payload : 8));
		bytes_put16(out, 0);
		l4_payload(out, l4, id);
		sum = l4_checksum(out, l4);
		if (!l4->no_checksum)
			bytes_set16(out, 6, sum ? sum : 0xffff);
	}
}

void ip4_build(struct bytes *out, const struct ip4 *ip, const void *payload, size_t len)
{
	size_t header = 20 + ip->nopts;
	unsigned int ihl = ip->ihl ? (unsigned int)ip->ihl : (unsigned int)(header / 4);
	uint32_t dst = ip->dst ? ip->dst : LAB_RCV4;

	out->n = 0;
	bytes_put8(out, (unsigned int)(ip->version ? ip->version : 4) << 4 | (ihl & 15));
	bytes_put8(out, ip->tos);
	bytes_put16(out, (unsigned int)((long)(header + len) + ip->len_delta));
	bytes_put16(out, ip->id);
	bytes_put16(out, ip->frag);
	bytes_put8(out, ip->ttl || ip->zero_ttl ? ip->ttl : 64);
	bytes_put8(out, ip->proto);
	bytes_put16(out, 0);
	bytes_put32(out, LAB_GEN4);
	bytes_put32(out, dst);
	bytes_put(out, ip->opts, ip->nopts);
	bytes_put(out, payload, len);
	if (ihl * 4 <= out->n)
		bytes_set16(out, 10, lab_sum_fold(lab_sum(out->b, ihl * 4, 0)));
}

void ip6_build(struct bytes *out, const struct ip6 *ip, const void *payload, size_t len)
{
	out->n = 0;
	bytes_put32(out, (uint32_t)(ip->version ? ip->version : 6) << 28 | (uint32_t)ip->tclass << 20);
	bytes_put16(out, (unsigned int)((long)len + ip->len_delta));
	bytes_put8(out, ip->next);
	bytes_put8(out, ip->hop || ip->zero_hop ? ip->hop : 64);
	bytes_put(out, lab_gen6, 16);
	bytes_put(out, ip->dst ? ip->dst : lab_rcv6, 16);
	bytes_put(out, payload, len);
}

void eth_build(struct bytes *out, const uint32_t *tags, size_t ntags, unsigned int ethertype, const void *payload,
	       size_t len)
{
	out->n = 0;
	bytes_put(out, lab_rcv_mac, 6);
	bytes_put(out, lab_gen_mac, 6);
	for (size_t i = 0; i < ntags; i++)
		bytes_put32(out, tags[i]);
	bytes_put16(out, ethertype);
	bytes_put(out, payload, len);
}

uint32_t corpus_next_id(const struct corpus *c)
{
	return (uint32_t)c->n + 1;
}

struct frame_case *corpus_add(struct corpus *c, const char *class, const char *limit, const char *fmt, ...)
{
	struct frame_case *fc;
	va_list ap;

	if (c->n == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 256;
		c->c = realloc(c->c, c->cap * sizeof(*c->c));
		if (!c->c)
			lab_die("no memory");
	}
	fc = &c->c[c->n++];
	*fc = (struct frame_case){.class = class, .limit = limit, .id = (uint32_t)c->n};
	va_start(ap, fmt);
	vsnprintf(fc->name, sizeof(fc->name), fmt, ap);
	va_end(ap);
	return fc;
}

struct frame *case_frame(struct frame_case *fc, const uint8_t *data, size_t len)
{
	struct frame *f;

	fc->f = realloc(fc->f, (fc->n + 1) * sizeof(*fc->f));
	if (!fc->f)
		lab_die("no memory");
	f = &fc->f[fc->n++];
	*f = (struct frame){.data = malloc(len ? len : 1), .len = len};
	if (!f->data)
		lab_die("no memory");
	memcpy(f->data, data, len);
	return f;
}

struct frame *case_ip(struct frame_case *fc, const struct bytes *packet)
{
	struct bytes out;

	eth_build(&out, NULL, 0, packet->b[0] >> 4 == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP, packet->b, packet->n);
	if (out.n < 60)
		bytes_fill(&out, 0, 60 - out.n);
	return case_frame(fc, out.b, out.n);
}

static void order_step(size_t *order, size_t at, size_t n, void (*visit)(void *, const size_t *, size_t), void *ctx)
{
	if (at == n) {
		visit(ctx, order, n);
		return;
	}
	for (size_t i = at; i < n; i++) {
		size_t keep = order[at];

		order[at] = order[i];
		order[i] = keep;
		order_step(order, at + 1, n, visit, ctx);
		order[i] = order[at];
		order[at] = keep;
	}
}

void corpus_orders(size_t n, void (*visit)(void *ctx, const size_t *order, size_t n), void *ctx)
{
	size_t order[4] = {0, 1, 2, 3};

	order_step(order, 0, n, visit, ctx);
}

void corpus_build(struct corpus *c, enum corpus_kind kind)
{
	*c = (struct corpus){0};
	if (kind == CORPUS_JUMBO) {
		corpus_jumbo(c);
	} else if (kind == CORPUS_LEGAL) {
		corpus_legal(c);
	} else {
		corpus_l2(c);
		corpus_v4(c);
		corpus_v4_fragments(c);
		corpus_v6(c);
		corpus_v6_fragments(c);
		corpus_gso(c);
	}
}

void corpus_free(struct corpus *c)
{
	for (size_t i = 0; i < c->n; i++) {
		for (size_t k = 0; k < c->c[i].n; k++)
			free(c->c[i].f[k].data);
		free(c->c[i].f);
	}
	free(c->c);
	*c = (struct corpus){0};
}

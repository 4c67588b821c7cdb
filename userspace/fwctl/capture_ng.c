// SPDX-License-Identifier: GPL-2.0-only
/* pcapng: blocks of `type, length, body, length`, each padded to four bytes; draft-ietf-opsawg-pcapng. */
#include "fwctl/capture_priv.h"

#include "base/vec.h"

#include <errno.h>
#include <stdlib.h>

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_OLD_PACKET = 2,
	BLOCK_SIMPLE = 3,
	BLOCK_ENHANCED = 6,
};
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define MAX_BLOCK	 (16u << 20) /* of those that are looked at: what libpcap takes */
#define MAX_INTERFACES	 65536
#define MAX_NAME	 255
#define RESOL_DEFAULT	 6 /* microseconds */

enum { OPTION_END = 0, OPTION_FLAGS = 2, OPTION_NAME = 2, OPTION_TSRESOL = 9, OPTION_TSOFFSET = 14 };

struct option {
	uint16_t code, len;
	const uint8_t *value;
};

void capture_ng_forget(struct capture *c)
{
	for (size_t i = 0; i < c->ifaces.n; i++)
		free(c->ifaces.v[i].name);
	c->ifaces.n = 0;
}

/* The next option of at .. end. False: there is no more, or what stands there is none: options are never needed. */
static bool option_next(const struct capture *c, const uint8_t **at, const uint8_t *end, struct option *ret)
{
	const uint8_t *p = *at;
	size_t padded;

	if (end - p < 4)
		return false;
	*ret = (struct option){ capture_get16(c, p), capture_get16(c, p + 2), p + 4 };
	padded = ((size_t)ret->len + 3) & ~(size_t)3;
	if (ret->code == OPTION_END || ret->len > (size_t)(end - p - 4))
		return false;
	*at = padded > (size_t)(end - p - 4) ? end : p + 4 + padded;
	return true;
}

static int interface_add(struct capture *c, const uint8_t *body, size_t len)
{
	const uint8_t *at = body + 8, *end = body + len;
	struct capture_iface x = { .resol = RESOL_DEFAULT };
	struct option o;

	if (len < 8)
		return capture_broken(c, "an interface is described in %zu bytes", len);
	if (c->ifaces.n == MAX_INTERFACES)
		return capture_broken(c, "it has more than %d interfaces", MAX_INTERFACES);
	x.link = capture_get16(c, body);
	x.snap = capture_get32(c, body + 4);
	while (option_next(c, &at, end, &o)) {
		if (o.code == OPTION_TSRESOL && o.len == 1)
			x.resol = o.value[0];
		if (o.code == OPTION_TSOFFSET && o.len == 8) {
			uint64_t v;

			memcpy(&v, o.value, 8);
			x.offset_s = (int64_t)(c->swapped ? __builtin_bswap64(v) : v);
		}
		if (o.code == OPTION_NAME && o.len && !x.name)
			x.name = strndup((const char *)o.value, o.len < MAX_NAME ? o.len : MAX_NAME);
	}
	if (vec_push(&c->ifaces, x)) {
		free(x.name);
		return fail_set(c->fail, -ENOMEM, "cannot read %s: no memory", c->name);
	}
	return 0;
}

/* Units of the interface's clock as nanoseconds since 1970; what is before or beyond is the first or last moment. */
static uint64_t stamp_ns(const struct capture_iface *x, uint32_t hi, uint32_t lo)
{
	__extension__ typedef __int128 s128;
	s128 ns = (s128)((uint64_t)hi << 32 | lo);
	unsigned int n = x->resol & 0x7f;

	if (x->resol & 0x80) {
		ns = ns * 1000000000 >> n;
	} else {
		for (; n < 9; n++)
			ns *= 10;
		for (; n > 9 && ns; n--)
			ns /= 10;
	}
	ns += (s128)x->offset_s * 1000000000;
	return ns < 0 ? 0 : ns > (s128)UINT64_MAX ? UINT64_MAX : (uint64_t)ns;
}

/* epb_flags, pack_flags: two bits say whence. Those of packets of the kernel of Linux come so. */
static enum capture_way way_of(const struct capture *c, const uint8_t *at, const uint8_t *end)
{
	struct option o;

	while (option_next(c, &at, end, &o))
		if (o.code == OPTION_FLAGS && o.len == 4) {
			uint32_t way = capture_get32(c, o.value) & 3;

			return way == 1 ? CAPTURE_WAY_IN : way == 2 ? CAPTURE_WAY_OUT : CAPTURE_WAY_UNKNOWN;
		}
	return CAPTURE_WAY_UNKNOWN;
}

/* The interface, the lengths and the place of the bytes, whatever kind of block it is. */
static int packet_take(struct capture *c, uint32_t type, const uint8_t *body, size_t size, struct capture_packet *p)
{
	size_t head = type == BLOCK_SIMPLE ? 4 : 20, padded;
	const struct capture_iface *x;
	uint32_t iface = 0, have, len;

	if (size < head)
		return capture_broken(c, "the next packet has a block of %zu bytes", size);
	if (type == BLOCK_ENHANCED)
		iface = capture_get32(c, body);
	else if (type == BLOCK_OLD_PACKET)
		iface = capture_get16(c, body);
	if (iface >= c->ifaces.n)
		return capture_broken(c, "the next packet is of interface %u, and there are %zu", iface, c->ifaces.n);
	x = &c->ifaces.v[iface];
	if (type == BLOCK_SIMPLE) {
		have = len = capture_get32(c, body);
		if (x->snap && have > x->snap)
			have = x->snap;
		if (have > size - head) /* an old writer's: the block is as long as what was kept */
			have = (uint32_t)(size - head);
	} else {
		have = capture_get32(c, body + 12);
		len = capture_get32(c, body + 16);
		p->ns = stamp_ns(x, capture_get32(c, body + 4), capture_get32(c, body + 8));
	}
	if (have > size - head || have > CAPTURE_MAX_PACKET)
		return capture_broken(c, "the next packet says that %u bytes of it stand in a block of %zu", have,
				      size);
	padded = ((size_t)have + 3) & ~(size_t)3;
	if (type != BLOCK_SIMPLE && padded <= size - head)
		p->way = way_of(c, body + head + padded, body + size);
	p->number = ++c->number;
	p->ifname = x->name;
	capture_frame(c, x->link, body + head, have, len, p);
	return 1;
}

/* A section begins: the byte order of all that follows. *len as it stands there. */
static int section_begin(struct capture *c, uint32_t *len)
{
	const uint8_t *h = capture_peek(c, 16);
	uint32_t magic;

	if (!h)
		return capture_broken(c, NULL);
	memcpy(&magic, h + 8, 4);
	if (magic != BYTE_ORDER_MAGIC && magic != __builtin_bswap32(BYTE_ORDER_MAGIC))
		return capture_broken(c, "a section begins that has no byte order");
	c->swapped = magic != BYTE_ORDER_MAGIC;
	*len = capture_get32(c, h + 4);
	if (capture_get16(c, h + 12) != 1)
		return capture_broken(c, "a section of version %u.%u begins", capture_get16(c, h + 12),
				      capture_get16(c, h + 14));
	capture_ng_forget(c);
	return 0;
}

/* A block that says what its packets are, whole in the window. 1: a packet, 0: go on. */
static int block_look(struct capture *c, uint32_t type, uint32_t len, struct capture_packet *p)
{
	const uint8_t *b;
	int got;

	if (len > MAX_BLOCK)
		return capture_broken(c, "the next block says that it has %u bytes", len);
	b = capture_peek(c, len);
	if (!b)
		return capture_broken(c, NULL);
	if (capture_get32(c, b + len - 4) != len)
		return capture_broken(c, "the next block begins with %u bytes and ends with %u", len,
				      capture_get32(c, b + len - 4));
	got = type == BLOCK_INTERFACE ? interface_add(c, b + 8, len - 12) : packet_take(c, type, b + 8, len - 12, p);
	if (got >= 0)
		capture_take(c, len);
	return got;
}

int capture_ng_next(struct capture *c, struct capture_packet *p)
{
	for (;;) {
		const uint8_t *h;
		uint32_t type, len;
		int got = 0;

		if (capture_at_end(c))
			return 0;
		h = capture_peek(c, 8);
		if (!h)
			return capture_broken(c, NULL);
		memcpy(&type, h, 4); /* that of a section reads the same both ways */
		type = type == BLOCK_SECTION ? type : capture_get32(c, h);
		len = capture_get32(c, h + 4);
		if (type == BLOCK_SECTION)
			got = section_begin(c, &len);
		if (got)
			return got;
		if (len < (type == BLOCK_SECTION ? 28 : 12) || len % 4)
			return capture_broken(c, "the next block says that it has %u bytes", len);
		if (type == BLOCK_INTERFACE || type == BLOCK_OLD_PACKET || type == BLOCK_SIMPLE ||
		    type == BLOCK_ENHANCED)
			got = block_look(c, type, len, p);
		else if (!capture_skip(c, len))
			return capture_broken(c, NULL);
		if (got)
			return got;
	}
}

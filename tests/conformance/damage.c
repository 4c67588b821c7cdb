// SPDX-License-Identifier: GPL-2.0-only
// Damage to crafted frames, and checksums made right afterwards.
#include "conformance/frames.h"
#include "harness/lab.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

static unsigned int get16(const uint8_t *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

static void set16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* `sum`: the addresses. */
static void fix_l4(uint8_t *seg, size_t len, unsigned int proto, uint32_t sum)
{
	size_t at = proto == IPPROTO_TCP ? 16 : proto == IPPROTO_UDP ? 6 : 2;

	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP && proto != IPPROTO_ICMP && proto != IPPROTO_ICMPV6)
		return;
	if (len < at + 2)
		return;
	if (proto == IPPROTO_UDP && get16(seg + 4) >= 8 && get16(seg + 4) <= len)
		len = get16(seg + 4);
	set16(seg + at, 0);
	sum = proto == IPPROTO_ICMP ? 0 : sum + proto + (uint32_t)len;
	set16(seg + at, lab_sum_fold(lab_sum(seg, len, sum)));
}

static void fix4(uint8_t *ip, size_t len)
{
	size_t header = 4u * (ip[0] & 15), total;

	if (len < 20 || header < 20 || header > len)
		return;
	set16(ip + 10, 0);
	set16(ip + 10, lab_sum_fold(lab_sum(ip, header, 0)));
	total = get16(ip + 2);
	if (total < header || total > len || get16(ip + 6) & 0x3fff)
		return;
	fix_l4(ip + header, total - header, ip[9], lab_sum(ip + 12, 8, 0));
}

static void fix6(uint8_t *ip, size_t len)
{
	size_t at = 40, end;
	unsigned int next;

	if (len < 40)
		return;
	end = 40 + get16(ip + 4);
	if (end > len)
		return;
	next = ip[6];
	while (next == 0 || next == 43 || next == 44 || next == 60) {
		size_t n;

		if (at + 8 > end)
			return;
		if (next == 44 && get16(ip + at + 2) & 0xfff9)
			return;
		n = next == 44 ? 8 : 8u * (ip[at + 1] + 1u);
		next = ip[at];
		at += n;
		if (at > end)
			return;
	}
	fix_l4(ip + at, end - at, next, lab_sum(ip + 8, 32, 0));
}

void frame_fix(uint8_t *buf, size_t len)
{
	size_t at = 12;

	while (at + 4 <= len && (get16(buf + at) == 0x8100 || get16(buf + at) == 0x88a8))
		at += 4;
	if (at + 2 > len)
		return;
	if (get16(buf + at) == ETHERTYPE_IP && len > at + 2)
		fix4(buf + at + 2, len - at - 2);
	else if (get16(buf + at) == ETHERTYPE_IPV6 && len > at + 2)
		fix6(buf + at + 2, len - at - 2);
}

static size_t insert(uint8_t *buf, size_t len, size_t at, const uint8_t *data, size_t n)
{
	if (len + n > 1514 || at > len)
		return len;
	memmove(buf + at + n, buf + at, len - at);
	memcpy(buf + at, data, n);
	return len + n;
}

/* The interesting part of a frame is its first hundred bytes. */
static size_t place(struct prng *p, size_t len)
{
	size_t near = len < 110 ? len : 110;

	return prng_chance(p, 9, 10) && near > 12 ? 12 + prng_below(p, near - 12) : prng_below(p, len);
}

static size_t change(struct prng *p, uint8_t *buf, size_t len)
{
	static const uint8_t values[] = {0,    1,    2,	   4,	 5,    6,    7,	   8,	 17,   0x2b, 0x2c, 0x33, 0x3a,
					 0x3b, 0x3c, 0x40, 0x45, 0x46, 0x60, 0x7f, 0x80, 0x81, 0x88, 0xa8, 0xdd, 0xff};
	static const uint8_t tag[] = {0x81, 0, 0, 0}, opts[] = {60, 0, 1, 4, 0, 0, 0, 0};
	size_t at = place(p, len), n;

	switch (prng_below(p, 10)) {
	case 0:
	case 1:
		buf[at] ^= (uint8_t)(1u << prng_below(p, 8));
		break;
	case 2:
	case 3:
		buf[at] = values[prng_below(p, sizeof(values))];
		break;
	case 4:
		buf[at] = (uint8_t)prng_u64(p);
		break;
	case 5: /* a length that is nearly right */
		if (at + 2 <= len)
			set16(buf + at, get16(buf + at) + (unsigned int)prng_range(p, 0, 16) - 8);
		break;
	case 6: /* cut */
		return at < 14 ? len : at;
	case 7: /* longer */
		n = prng_range(p, 1, 40);
		if (len + n > 1514)
			break;
		prng_bytes(p, buf + len, n);
		return len + n;
	case 8:
		return insert(buf, len, 12, tag, 4);
	default: /* a piece twice, or an options header somewhere */
		if (prng_chance(p, 1, 2))
			return insert(buf, len, at, opts, sizeof(opts));
		n = prng_range(p, 1, 16);
		if (at + n <= len)
			memmove(buf + prng_below(p, len - n + 1), buf + at, n);
	}
	return len;
}

size_t frame_mutate(struct prng *p, uint8_t *buf, size_t len)
{
	for (uint64_t n = prng_range(p, 1, 3); n > 0; n--)
		len = change(p, buf, len);
	if (prng_chance(p, 4, 5))
		frame_fix(buf, len);
	return len;
}

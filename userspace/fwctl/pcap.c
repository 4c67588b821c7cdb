// SPDX-License-Identifier: GPL-2.0-only
/* A small reader: enough to ask about one captured packet, without a library that also captures. */
#include "fwctl/pcap.h"

#include "base/cleanup.h"
#include "fwctl/out.h"
#include "fwctl/words.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LINKTYPE_ETHERNET 1
#define PCAPNG_SECTION	  0x0a0d0d0au
#define PCAPNG_INTERFACE  1u
#define PCAPNG_SIMPLE	  3u
#define PCAPNG_ENHANCED	  6u
#define PCAPNG_ORDER	  0x1a2b3c4du
#define INTERFACES	  64 /* of one pcapng section; more are not looked at */

struct capture {
	FILE *f;
	const char *path;
	bool swapped;
	uint32_t link; /* of the packet at hand */
	uint32_t links[INTERFACES], snaps[INTERFACES];
	size_t nlinks;
	struct fail *fail;
};

static uint32_t get32(const struct capture *c, const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return c->swapped ? __builtin_bswap32(v) : v;
}

static int broken(struct capture *c)
{
	return fail_set(c->fail, -EINVAL, "cannot read %s: it is damaged or cut short", out_name(c->path));
}

/* 1: read, 0: the file ends here, negative: in the middle of something. */
static int get(struct capture *c, uint8_t *buf, size_t len)
{
	size_t n = fread(buf, 1, len, c->f);

	if (n == len)
		return 1;
	return n || ferror(c->f) ? broken(c) : 0;
}

static int skip(struct capture *c, uint64_t len)
{
	return fseeko(c->f, (off_t)len, SEEK_CUR) ? broken(c) : 0;
}

/* `cut` bytes stand in the file for a packet of `len`. */
static long take(struct capture *c, uint32_t cut, uint32_t len, uint8_t *buf, size_t size)
{
	if (c->link != LINKTYPE_ETHERNET)
		return fail_set(c->fail, -EPROTONOSUPPORT,
				"cannot use %s: its link type is %u, and only Ethernet (1) is read", out_name(c->path),
				c->link);
	if (len < cut)
		len = cut;
	else if (len > cut)
		problem("note: the capture holds %u of the packet's %u bytes; those that are missing are taken as zero",
			cut, len);
	if (len > size)
		return fail_set(c->fail, -EMSGSIZE, "cannot use %s: the packet has %u bytes, more than %zu",
				out_name(c->path), len, size);
	memset(buf, 0, len);
	if (cut && get(c, buf, cut) <= 0)
		return broken(c);
	return len;
}

static long too_few(struct capture *c, unsigned long have, unsigned long want)
{
	return fail_set(c->fail, -ENOENT, "%s has %s: there is no #%lu", out_name(c->path), word_count(have, "packet"),
			want);
}

static long classic_read(struct capture *c, unsigned long number, uint8_t *buf, size_t size)
{
	uint8_t head[20];
	int err = get(c, head, 20); /* the rest of the file header */

	if (err <= 0)
		return broken(c);
	c->link = get32(c, head + 16) & 0xffff;
	for (unsigned long i = 1;; i++) {
		err = get(c, head, 16);
		if (err < 0)
			return err;
		if (!err)
			return too_few(c, i - 1, number);
		if (i == number)
			return take(c, get32(c, head + 8), get32(c, head + 12), buf, size);
		err = skip(c, get32(c, head + 8));
		if (err)
			return err;
	}
}

/* The body of a section header, just after its length: the byte order of all that follows. */
static int section_begin(struct capture *c, uint32_t *len)
{
	uint8_t order[4];
	uint32_t magic;

	if (get(c, order, 4) <= 0)
		return broken(c);
	memcpy(&magic, order, 4);
	if (magic != PCAPNG_ORDER && magic != __builtin_bswap32(PCAPNG_ORDER))
		return broken(c);
	if ((magic != PCAPNG_ORDER) != c->swapped) {
		c->swapped = !c->swapped;
		*len = __builtin_bswap32(*len);
	}
	c->nlinks = 0;
	return 0;
}

static int interface_add(struct capture *c)
{
	uint8_t head[8];

	if (get(c, head, 8) <= 0)
		return broken(c);
	if (c->nlinks < INTERFACES) {
		uint16_t link;
		memcpy(&link, head, 2);
		c->links[c->nlinks] = c->swapped ? __builtin_bswap16(link) : link;
		c->snaps[c->nlinks++] = get32(c, head + 4);
	}
	return 0;
}

/* A packet block of `body` bytes: where its bytes begin and how many there are. */
static long packet_take(struct capture *c, uint32_t type, uint32_t body, uint8_t *buf, size_t size)
{
	uint8_t head[20];
	uint32_t used = type == PCAPNG_ENHANCED ? 20 : 4, iface = 0, cut, len;

	if (body < used || get(c, head, used) <= 0)
		return broken(c);
	if (type == PCAPNG_ENHANCED) {
		iface = get32(c, head);
		cut = get32(c, head + 12);
		len = get32(c, head + 16);
	} else {
		cut = len = get32(c, head);
		if (c->nlinks && c->snaps[0] && cut > c->snaps[0])
			cut = c->snaps[0];
	}
	if (iface >= c->nlinks || cut > body - used)
		return broken(c);
	c->link = c->links[iface];
	return take(c, cut, len, buf, size);
}

static long pcapng_read(struct capture *c, unsigned long number, uint8_t *buf, size_t size)
{
	unsigned long seen = 0;
	uint8_t head[8];

	if (fseeko(c->f, 0, SEEK_SET))
		return broken(c);
	for (;;) {
		int err = get(c, head, 8);
		if (err < 0)
			return err;
		if (!err)
			return too_few(c, seen, number);
		uint32_t type = get32(c, head), len = get32(c, head + 4), used = 8;
		err = 0;
		if (type == PCAPNG_SECTION) {
			err = section_begin(c, &len);
			used += 4;
		} else if (type == PCAPNG_INTERFACE) {
			err = interface_add(c);
			used += 8;
		} else if ((type == PCAPNG_SIMPLE || type == PCAPNG_ENHANCED) && ++seen == number) {
			return len < 12 ? broken(c) : packet_take(c, type, len - 12, buf, size);
		}
		if (err)
			return err;
		if (len < used + 4 || len % 4)
			return broken(c);
		err = skip(c, len - used);
		if (err)
			return err;
	}
}

long pcap_read(const char *path, unsigned long number, uint8_t *buf, size_t size, struct fail *fail)
{
	auto_fclose FILE *f = fopen(path, "re");
	struct capture c = { .f = f, .path = path, .fail = fail };
	uint8_t head[4];
	uint32_t magic;

	if (!f)
		return fail_set(fail, -errno, "cannot read %s: %s", out_name(path), strerror(errno));
	if (fread(head, 1, 4, f) != 4)
		return ferror(f) ? fail_set(fail, -errno, "cannot read %s: %s", out_name(path), strerror(errno))
				 : broken(&c);
	memcpy(&magic, head, 4);
	if (magic == PCAPNG_SECTION)
		return pcapng_read(&c, number, buf, size);
	c.swapped = magic == 0xd4c3b2a1u || magic == 0x4d3cb2a1u;
	if (c.swapped || magic == 0xa1b2c3d4u || magic == 0xa1b23c4du)
		return classic_read(&c, number, buf, size);
	return fail_set(fail, -EINVAL, "cannot read %s: it is not a pcap or pcapng file", out_name(path));
}

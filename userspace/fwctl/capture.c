// SPDX-License-Identifier: GPL-2.0-only
/* The window over the file, and pcap. */
#include "fwctl/capture_priv.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#define WINDOW	       (1u << 18)
#define PCAPNG_SECTION 0x0a0d0d0au

static struct capture *capture_new(const char *name, struct fail *fail)
{
	struct capture *c = calloc(1, sizeof(*c));
	struct str s = {};

	if (!c || !(c->frame = malloc(CAPTURE_MAX_FRAME))) {
		free(c);
		fail_set(fail, -ENOMEM, "no memory");
		return NULL;
	}
	str_add_escaped(&s, name, strlen(name));
	memcpy(c->name, str_get(&s), s.len < sizeof(c->name) ? s.len : sizeof(c->name) - 1);
	str_fini(&s);
	c->fail = fail;
	c->fd = -1;
	return c;
}

void capture_close(struct capture *c)
{
	if (!c)
		return;
	capture_ng_forget(c);
	free(c->ifaces.v);
	if (c->fd > STDIN_FILENO)
		close(c->fd);
	free(c->buf);
	free(c->frame);
	free(c);
}

const char *capture_name(const struct capture *c)
{
	return c->name;
}

int capture_broken(struct capture *c, const char *fmt, ...)
{
	char why[160] = "it is cut short";
	va_list ap;

	if (c->fail->err)
		return c->fail->err;
	if (fmt) {
		va_start(ap, fmt);
		vsnprintf(why, sizeof(why), fmt, ap);
		va_end(ap);
	}
	return fail_set(c->fail, -EINVAL, "%s is damaged or cut short behind packet %llu, at byte %llu: %s", c->name,
			(unsigned long long)c->number, (unsigned long long)c->offset, why);
}

/* More of the file. False: there is no more, or it cannot be read. */
static bool window_fill(struct capture *c)
{
	ssize_t n;

	if (c->fd < 0)
		return false;
	do
		n = read(c->fd, c->buf + c->end, c->cap - c->end);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		fail_set(c->fail, -errno, "cannot read %s: %s", c->name, strerror(errno));
	if (n <= 0)
		return false;
	c->end += (size_t)n;
	return true;
}

/* Room for n bytes from `at` on. */
static bool window_room(struct capture *c, size_t n)
{
	size_t left = c->end - c->at;
	uint8_t *more;

	if (c->fd < 0 || c->cap - c->at >= n)
		return true;
	if (left)
		memmove(c->buf, c->buf + c->at, left);
	c->at = 0;
	c->end = left;
	if (c->cap >= n)
		return true;
	n = n < WINDOW ? WINDOW : n;
	more = realloc(c->buf, n);
	if (!more) {
		fail_set(c->fail, -ENOMEM, "cannot read %s: no memory", c->name);
		return false;
	}
	c->bytes = c->buf = more;
	c->cap = n;
	return true;
}

const uint8_t *capture_peek(struct capture *c, size_t n)
{
	if (c->end - c->at < n && !window_room(c, n))
		return NULL;
	while (c->end - c->at < n)
		if (!window_fill(c))
			return NULL;
	return c->bytes + c->at;
}

void capture_take(struct capture *c, size_t n)
{
	c->at += n;
	c->offset += n;
}

bool capture_skip(struct capture *c, uint64_t n)
{
	while (n) {
		size_t step = n < WINDOW ? (size_t)n : WINDOW;

		if (!capture_peek(c, step))
			return false;
		capture_take(c, step);
		n -= step;
	}
	return true;
}

bool capture_at_end(struct capture *c)
{
	return !capture_peek(c, 1) && !c->fail->err;
}

/* What the first bytes say that the file is. */
static int magic_read(struct capture *c)
{
	const uint8_t *p = capture_peek(c, 4);
	uint32_t magic;

	if (!p)
		return c->fail->err
			       ?: fail_set(c->fail, -EINVAL,
					   "cannot read %s: it is not a pcap or pcapng file, it is too short", c->name);
	memcpy(&magic, p, 4);
	if (magic == PCAPNG_SECTION) {
		c->ng = true;
		return 0;
	}
	c->swapped = magic == 0xd4c3b2a1u || magic == 0x4d3cb2a1u || magic == 0x34cdb2a1u;
	magic = c->swapped ? __builtin_bswap32(magic) : magic;
	c->record = magic == 0xa1b2cd34u ? 24 : 16;
	c->nano = magic == 0xa1b23c4du;
	if (!c->nano && magic != 0xa1b2c3d4u && magic != 0xa1b2cd34u) {
		bool packed = (p[0] == 0x1f && p[1] == 0x8b) || !memcmp(p, "\x28\xb5\x2f\xfd", 4) ||
			      !memcmp(p,
				      "\xfd"
				      "7zX",
				      4);

		return fail_set(c->fail, -EINVAL, "cannot read %s: it is not a pcap or pcapng file%s", c->name,
				packed ? "; it is compressed: unpack it, or pipe it into `-`" : "");
	}
	p = capture_peek(c, 24);
	if (!p)
		return capture_broken(c, NULL);
	c->link = capture_get32(c, p + 20) & 0xffff;
	capture_take(c, 24);
	return 0;
}

int capture_open(const char *path, struct fail *fail, struct capture **ret)
{
	bool in = !strcmp(path, "-");
	struct capture *c = capture_new(in ? "standard input" : path, fail);
	int err;

	if (!c)
		return -ENOMEM;
	c->fd = in ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	err = c->fd < 0 ? fail_set(fail, -errno, "cannot read %s: %s", c->name, strerror(errno)) : magic_read(c);
	if (err) {
		capture_close(c);
		return err;
	}
	*ret = c;
	return 0;
}

int capture_open_bytes(const char *name, const uint8_t *bytes, size_t len, struct fail *fail, struct capture **ret)
{
	struct capture *c = capture_new(name, fail);
	int err;

	if (!c)
		return -ENOMEM;
	c->bytes = bytes;
	c->end = len;
	err = magic_read(c);
	if (err) {
		capture_close(c);
		return err;
	}
	*ret = c;
	return 0;
}

static int pcap_next(struct capture *c, struct capture_packet *p)
{
	const uint8_t *h;
	uint32_t have, len;

	if (capture_at_end(c))
		return 0;
	h = capture_peek(c, c->record);
	if (!h)
		return capture_broken(c, NULL);
	have = capture_get32(c, h + 8);
	len = capture_get32(c, h + 12);
	if (have > CAPTURE_MAX_PACKET)
		return capture_broken(c, "the next packet says that %u bytes of it stand there", have);
	h = capture_peek(c, c->record + have);
	if (!h)
		return capture_broken(c, NULL);
	p->ns = (uint64_t)capture_get32(c, h) * 1000000000u + (uint64_t)capture_get32(c, h + 4) * (c->nano ? 1 : 1000);
	if (c->record == 24) /* interface index, protocol, packet type, filler */
		p->way = capture_way_cooked(h[22]);
	p->number = ++c->number;
	capture_frame(c, c->link, h + c->record, have, len, p);
	capture_take(c, c->record + have);
	return 1;
}

int capture_next(struct capture *c, struct capture_packet *ret)
{
	struct capture_packet p = { .ns = c->last_ns };
	int got = c->ng ? capture_ng_next(c, &p) : pcap_next(c, &p);

	if (got <= 0)
		return got;
	c->last_ns = p.ns;
	*ret = p;
	return 1;
}

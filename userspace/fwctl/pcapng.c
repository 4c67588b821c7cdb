// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/pcapng.h"

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_STATISTICS = 5, BLOCK_PACKET = 6 };
enum { LINKTYPE_ETHERNET = 1 };
enum { OPT_END = 0, OPT_COMMENT = 1 };
enum { SHB_OS = 3, SHB_USERAPPL = 4 };
enum { IF_NAME = 2, IF_DESCRIPTION = 3, IF_TSRESOL = 9 };
enum { EPB_FLAGS = 2, EPB_DROPCOUNT = 4, EPB_VERDICT = 7 };
enum { ISB_STARTTIME = 2, ISB_ENDTIME = 3, ISB_IFRECV = 4, ISB_OSDROP = 7, ISB_USRDELIV = 8 };

static void put(struct str *out, const void *bytes, size_t len)
{
	str_add_len(out, bytes, len);
}

static void put16(struct str *out, uint16_t v)
{
	put(out, &v, sizeof(v));
}

static void put32(struct str *out, uint32_t v)
{
	put(out, &v, sizeof(v));
}

static void put64(struct str *out, uint64_t v)
{
	put(out, &v, sizeof(v));
}

/* Everything is padded to 32 bits, and lengths do not count it. */
static void pad(struct str *out, size_t len)
{
	put(out, "\0\0\0", -len & 3);
}

/* A time is two halves, the upper one first, in either byte order. */
static void put_time(struct str *out, uint64_t ns)
{
	put32(out, (uint32_t)(ns >> 32));
	put32(out, (uint32_t)ns);
}

static void option(struct str *out, uint16_t code, const void *value, size_t len)
{
	if (len > UINT16_MAX)
		len = UINT16_MAX;
	put16(out, code);
	put16(out, (uint16_t)len);
	put(out, value, len);
	pad(out, len);
}

static void option_text(struct str *out, uint16_t code, const char *text)
{
	if (text && *text)
		option(out, code, text, strlen(text));
}

static void option_u64(struct str *out, uint16_t code, uint64_t v)
{
	option(out, code, &v, sizeof(v));
}

static void option_time(struct str *out, uint16_t code, uint64_t ns)
{
	put16(out, code);
	put16(out, 8);
	put_time(out, ns);
}

/* Returns where the block began; its length stands at both ends. */
static size_t block_begin(struct str *out, uint32_t type)
{
	size_t at = out->len;

	put32(out, type);
	put32(out, 0);
	return at;
}

static void block_end(struct str *out, size_t at)
{
	put16(out, OPT_END);
	put16(out, 0);
	uint32_t len = (uint32_t)(out->len - at) + 4;
	put32(out, len);
	if (!out->failed)
		memcpy(out->s + at + 4, &len, sizeof(len));
}

void pcapng_section(struct str *out, const char *os, const char *application)
{
	size_t at = block_begin(out, BLOCK_SECTION);

	put32(out, 0x1a2b3c4d);
	put16(out, 1);
	put16(out, 0);
	put64(out, UINT64_MAX); /* the length of the section: it is being written */
	option_text(out, SHB_OS, os);
	option_text(out, SHB_USERAPPL, application);
	block_end(out, at);
}

void pcapng_interface(struct str *out, const char *name, const char *description, uint32_t snap)
{
	static const uint8_t nanoseconds = 9;
	size_t at = block_begin(out, BLOCK_INTERFACE);

	put16(out, LINKTYPE_ETHERNET);
	put16(out, 0);
	put32(out, snap);
	option_text(out, IF_NAME, name);
	option_text(out, IF_DESCRIPTION, description);
	option(out, IF_TSRESOL, &nanoseconds, 1);
	block_end(out, at);
}

void pcapng_packet(struct str *out, const struct pcapng_packet *p)
{
	size_t at = block_begin(out, BLOCK_PACKET);
	uint32_t flags = p->dir;

	put32(out, p->iface);
	put_time(out, p->time_ns);
	put32(out, p->caplen);
	put32(out, p->wire);
	put(out, p->data, p->caplen);
	pad(out, p->caplen);
	option_text(out, OPT_COMMENT, p->comment);
	option(out, EPB_FLAGS, &flags, sizeof(flags));
	if (p->dropped)
		option_u64(out, EPB_DROPCOUNT, p->dropped);
	if (p->verdict_kind) {
		uint8_t verdict[9] = { (uint8_t)p->verdict_kind };
		memcpy(verdict + 1, &p->verdict, sizeof(p->verdict));
		option(out, EPB_VERDICT, verdict, sizeof(verdict));
	}
	block_end(out, at);
}

void pcapng_statistics(struct str *out, const struct pcapng_stats *s)
{
	size_t at = block_begin(out, BLOCK_STATISTICS);

	put32(out, s->iface);
	put_time(out, s->time_ns);
	option_text(out, OPT_COMMENT, s->comment);
	option_time(out, ISB_STARTTIME, s->start_ns);
	option_time(out, ISB_ENDTIME, s->time_ns);
	option_u64(out, ISB_IFRECV, s->received);
	option_u64(out, ISB_OSDROP, s->lost);
	option_u64(out, ISB_USRDELIV, s->written);
	block_end(out, at);
}

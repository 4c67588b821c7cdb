// SPDX-License-Identifier: GPL-2.0-only
/* Captures of every form, written by hand here; cut at every byte, and with every word of them a lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fwctl/capture.h"
#include "harness/prng.h"

/* A file being written. */
struct writer {
	uint8_t b[1 << 16];
	size_t n;
	bool big; /* byte order */
};
static struct writer w;

static void begin(bool big)
{
	w.n = 0;
	w.big = big;
}

static void bytes(const void *p, size_t n)
{
	assert_true(w.n + n <= sizeof(w.b));
	memcpy(w.b + w.n, p, n);
	w.n += n;
}

static void u16(unsigned int v)
{
	uint8_t b[2] = { (uint8_t)(v >> (w.big ? 8 : 0)), (uint8_t)(v >> (w.big ? 0 : 8)) };

	bytes(b, 2);
}

static void u32(uint32_t v)
{
	u16(w.big ? v >> 16 : v & 0xffff);
	u16(w.big ? v & 0xffff : v >> 16);
}

static void pad(void)
{
	while (w.n % 4)
		bytes("", 1);
}

/* Ethernet, and something that tells packets apart. */
#define FRAME 60
static const uint8_t *frame(unsigned int i)
{
	static uint8_t f[FRAME];

	memset(f, (int)i, sizeof(f));
	memcpy(f, "\2\0\0\0\0\1\2\0\0\0\0\2\x88\xb5", 14);
	return f;
}

static void pcap_head(uint32_t magic, uint32_t link)
{
	u32(magic);
	u16(2);
	u16(4);
	u32(0);
	u32(0);
	u32(65535);
	u32(link);
}

static void pcap_record(uint32_t s, uint32_t fraction, const void *p, uint32_t have, uint32_t len)
{
	u32(s);
	u32(fraction);
	u32(have);
	u32(len);
	bytes(p, have);
}

static size_t block_begin(uint32_t type)
{
	size_t at = w.n;

	u32(type);
	u32(0);
	return at;
}

static void block_end(size_t at)
{
	size_t end;

	pad();
	u32((uint32_t)(w.n + 4 - at));
	end = w.n;
	w.n = at + 4;
	u32((uint32_t)(end - at));
	w.n = end;
}

static void option(unsigned int code, const void *p, size_t n)
{
	u16(code);
	u16((unsigned int)n);
	bytes(p, n);
	pad();
}

static void section(void)
{
	size_t at = block_begin(0x0a0d0d0a);

	u32(0x1a2b3c4d);
	u16(1);
	u16(0);
	u32(UINT32_MAX);
	u32(UINT32_MAX);
	option(4, "by hand", 7);
	u32(0);
	block_end(at);
}

static void iface(unsigned int link, uint32_t snap, const char *name, int resol, int64_t offset)
{
	size_t at = block_begin(1);
	uint8_t r = (uint8_t)resol;

	u16(link);
	u16(0);
	u32(snap);
	if (name)
		option(2, name, strlen(name));
	if (resol >= 0)
		option(9, &r, 1);
	if (offset) {
		u16(14);
		u16(8);
		u32((uint32_t)(w.big ? (uint64_t)offset >> 32 : (uint64_t)offset));
		u32((uint32_t)(w.big ? (uint64_t)offset : (uint64_t)offset >> 32));
	}
	block_end(at);
}

/* way: of epb_flags; -1: no such option. */
static void enhanced(uint32_t interface, uint64_t stamp, const void *p, uint32_t have, uint32_t len, int way)
{
	size_t at = block_begin(6);

	u32(interface);
	u32((uint32_t)(stamp >> 32));
	u32((uint32_t)stamp);
	u32(have);
	u32(len);
	bytes(p, have);
	pad();
	if (way >= 0) {
		option(1, "a comment", 9);
		u16(2);
		u16(4);
		u32((uint32_t)way | 0x100);
		u32(0);
	}
	block_end(at);
}

static void old_packet(uint32_t interface, uint64_t stamp, const void *p, uint32_t n)
{
	size_t at = block_begin(2);

	u16(interface);
	u16(7);
	u32((uint32_t)(stamp >> 32));
	u32((uint32_t)stamp);
	u32(n);
	u32(n);
	bytes(p, n);
	block_end(at);
}

static void simple(const void *p, uint32_t have, uint32_t len)
{
	size_t at = block_begin(3);

	u32(len);
	bytes(p, have);
	block_end(at);
}

/* What was read. */
static struct fail fail;
static struct capture *open_it(void)
{
	struct capture *c = NULL;

	fail = (struct fail){};
	assert_int_equal(capture_open_bytes("x.pcap", w.b, w.n, &fail, &c), 0);
	return c;
}

static struct capture_packet next(struct capture *c)
{
	struct capture_packet p;

	assert_int_equal(capture_next(c, &p), 1);
	return p;
}

static void is_frame(const struct capture_packet *p, unsigned int i)
{
	assert_null(p->skip);
	assert_int_equal(p->len, FRAME);
	assert_memory_equal(p->frame, frame(i), FRAME);
}

static void ends(struct capture *c)
{
	struct capture_packet p;

	assert_int_equal(capture_next(c, &p), 0);
	capture_close(c);
}

static void classic(void **state)
{
	for (int form = 0; form < 6; form++) {
		static const uint32_t magic[] = { 0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34 };
		bool longer = form % 3 == 2;
		struct capture_packet p;
		struct capture *c;

		begin(form >= 3);
		pcap_head(magic[form % 3], 1);
		for (unsigned int i = 1; i <= 3; i++) {
			uint8_t rest[8] = { 0, 0, 0, 0, 0, 0, i == 2 ? 4 : 0, 0 };

			u32(1700000000 + i);
			u32(5);
			u32(FRAME);
			u32(FRAME);
			bytes(rest, longer ? 8 : 0);
			bytes(frame(i), FRAME);
		}
		c = open_it();
		for (unsigned int i = 1; i <= 3; i++) {
			p = next(c);
			is_frame(&p, i);
			assert_int_equal(p.number, i);
			assert_true(p.ns == (1700000000ull + i) * 1000000000 + (form % 3 == 1 ? 5 : 5000));
			assert_int_equal(p.way, !longer	 ? CAPTURE_WAY_UNKNOWN
						: i == 2 ? CAPTURE_WAY_OUT
							 : CAPTURE_WAY_IN);
			assert_null(p.ifname);
		}
		ends(c);
	}
}

/* Two sections of different byte order, interfaces of different clocks, every kind of block. */
static size_t make_pcapng(void)
{
	begin(false);
	section();
	iface(1, 0, "eth0", 9, 0);
	iface(1, 20, NULL, -1, 0);
	block_end(block_begin(0x0bad)); /* nobody knows it */
	enhanced(0, 1700000000000000001, frame(1), FRAME, FRAME, 1);
	enhanced(1, 1700000000000002, frame(2), FRAME, FRAME, 2);
	old_packet(1, 1700000000000003, frame(3), FRAME);
	w.big = true;
	section();
	iface(1, FRAME, "wlan0", 0x80 | 10, 1000);
	enhanced(0, 1700000000ull << 10 | 512, frame(4), FRAME, FRAME, 0);
	simple(frame(5), FRAME, FRAME);
	simple(frame(6), FRAME, 1000);
	return 6;
}

static void new_form(void **state)
{
	struct capture_packet p;
	struct capture *c;

	make_pcapng();
	c = open_it();
	p = next(c);
	is_frame(&p, 1);
	assert_string_equal(p.ifname, "eth0");
	assert_int_equal(p.way, CAPTURE_WAY_IN);
	assert_true(p.ns == 1700000000000000001);
	p = next(c);
	is_frame(&p, 2);
	assert_null(p.ifname);
	assert_int_equal(p.way, CAPTURE_WAY_OUT);
	assert_true(p.ns == 1700000000000002000);
	p = next(c);
	is_frame(&p, 3);
	assert_true(p.ns == 1700000000000003000);
	p = next(c);
	is_frame(&p, 4);
	assert_string_equal(p.ifname, "wlan0");
	assert_int_equal(p.way, CAPTURE_WAY_UNKNOWN);
	assert_true(p.ns == 1700001000500000000);
	p = next(c);
	is_frame(&p, 5);
	assert_true(p.ns == 1700001000500000000); /* has none of its own */
	p = next(c);
	assert_true(p.cut);
	assert_int_equal(p.have, FRAME);
	assert_int_equal(p.len, 1000);
	assert_int_equal(p.frame[999], 0);
	assert_int_equal(p.number, 6);
	ends(c);
}

static void clocks(void **state)
{
	static const struct {
		int resol;
		int64_t offset;
		uint64_t stamp, ns;
	} cases[] = {
		{ 0, 0, 5, 5000000000 },
		{ 9, -10, 5, 0 },
		{ 12, 0, 1700000000123456789, 1700000000123456 },
		{ 127, 0, UINT64_MAX, 0 },
		{ 0x80, 0, 7, 7000000000 },
		{ 0xff, 0, UINT64_MAX, 0 },
		{ 0, 0, UINT64_MAX, UINT64_MAX },
		{ 6, INT64_MAX, 1, UINT64_MAX },
		{ 6, INT64_MIN, 1, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct capture *c;

		begin(i & 1);
		section();
		iface(1, 0, "x", cases[i].resol, cases[i].offset);
		enhanced(0, cases[i].stamp, frame(1), FRAME, FRAME, -1);
		c = open_it();
		assert_true(next(c).ns == cases[i].ns);
		ends(c);
	}
}

static void cut_packets(void **state)
{
	struct capture_packet p;
	struct capture *c;

	begin(false);
	pcap_head(0xa1b2c3d4, 1);
	pcap_record(1, 0, frame(9), 20, FRAME);
	pcap_record(2, 0, frame(9), FRAME, 10); /* shorter than what stands there: that is a lie */
	pcap_record(3, 0, frame(9), FRAME, UINT32_MAX);
	pcap_record(4, 0, frame(9), 0, 0);
	c = open_it();
	p = next(c);
	assert_true(p.cut);
	assert_int_equal(p.have, 20);
	assert_int_equal(p.len, FRAME);
	assert_memory_equal(p.frame, frame(9), 20);
	for (size_t i = 20; i < FRAME; i++)
		assert_int_equal(p.frame[i], 0);
	p = next(c);
	is_frame(&p, 9);
	p = next(c);
	assert_non_null(p.skip);
	assert_null(p.frame);
	p = next(c);
	assert_null(p.skip);
	assert_int_equal(p.len, 0);
	ends(c);
}

/* IP without Ethernet, and cooked captures: a header is made. */
static void link_types(void **state)
{
	static const uint8_t v4[24] = { 0x45, 0, 0, 24 }, v6[44] = { 0x60 };
	static const uint8_t sll[16] = { 0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 7, 0, 0, 8, 0 };
	static const uint8_t sll_loop[16] = { 0, 0, 3, 4, 0, 6, 2, 0, 0, 0, 0, 7, 0, 0, 0x86, 0xdd };
	static const uint8_t sll_netlink[16] = { 0, 4, 3, 56, 0, 0 };
	static const uint8_t sll2[20] = { 8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 1, 6, 2, 0, 0, 0, 0, 8 };
	struct capture_packet p;
	struct capture *c;
	uint8_t b[64];

	begin(true);
	section();
	iface(101, 0, "raw", -1, 0);
	iface(228, 0, "v4", -1, 0);
	iface(229, 0, "v6", -1, 0);
	iface(113, 0, "sll", -1, 0);
	iface(276, 0, "sll2", -1, 0);
	iface(127, 0, "radio", -1, 0);
	iface(1234, 0, "what", -1, 0);
	enhanced(0, 1, v4, sizeof(v4), sizeof(v4), -1);
	enhanced(0, 1, v6, sizeof(v6), 100, -1);
	enhanced(0, 1, sll, sizeof(sll), sizeof(sll), -1);
	enhanced(0, 1, v4, 0, 10, -1);
	enhanced(1, 1, sll, 16, 16, -1);
	enhanced(2, 1, sll, 16, 16, -1);
	memcpy(b, sll, 16);
	memcpy(b + 16, v4, 24);
	enhanced(3, 1, b, 40, 40, -1);
	memcpy(b, sll_loop, 16);
	enhanced(3, 1, b, 40, 40, -1);
	enhanced(3, 1, sll_netlink, 16, 16, -1);
	enhanced(3, 1, sll, 15, 40, -1);
	memcpy(b, sll2, 20);
	memcpy(b + 20, v4, 24);
	enhanced(4, 1, b, 44, 44, 2); /* what the block says counts */
	enhanced(5, 1, b, 44, 44, -1);
	enhanced(6, 1, b, 44, 44, -1);
	c = open_it();

	p = next(c);
	assert_true(p.made && p.len == 38 && p.frame[12] == 8 && p.frame[13] == 0 && !p.frame[6]);
	assert_memory_equal(p.frame + 14, v4, 24);
	p = next(c);
	assert_true(p.made && p.cut && p.len == 114 && p.have == 58 && p.frame[12] == 0x86 && p.frame[113] == 0);
	assert_string_equal(next(c).skip, "raw, and no IP");
	assert_string_equal(next(c).skip, "raw, and no IP");
	p = next(c);
	assert_true(p.made && p.frame[12] == 8);
	p = next(c);
	assert_true(p.made && p.frame[12] == 0x86);
	p = next(c);
	assert_true(p.made && p.len == 38 && p.way == CAPTURE_WAY_OUT && p.frame[12] == 8 && p.frame[11] == 7);
	assert_memory_equal(p.frame + 14, v4, 24);
	p = next(c);
	assert_true(p.way == CAPTURE_WAY_IN && p.frame[12] == 0x86 && p.frame[11] == 0); /* no Ethernet: no MAC */
	assert_string_equal(next(c).skip, "cooked, and no Ethernet");
	assert_string_equal(next(c).skip, "cut in its link header");
	p = next(c);
	assert_true(p.made && p.len == 38 && p.way == CAPTURE_WAY_OUT && p.frame[12] == 8 && p.frame[11] == 8);
	assert_string_equal(next(c).skip, "link type IEEE802_11_RADIOTAP");
	assert_string_equal(next(c).skip, "link type 1234");
	ends(c);
}

/* Read all; returns how many packets. What is handed out is whole. */
static size_t read_all(const uint8_t *b, size_t n, int *ret_end)
{
	struct capture *c = NULL;
	struct capture_packet p;
	size_t packets = 0;
	int got;

	fail = (struct fail){};
	got = capture_open_bytes("x.pcap", b, n, &fail, &c);
	while (!got && (got = capture_next(c, &p)) == 1) {
		static volatile unsigned int sum; /* so that every byte is read */

		packets++;
		assert_int_equal(p.number, packets);
		assert_true(!p.skip == !!p.frame);
		assert_true(p.skip || (p.have <= p.len && p.len <= CAPTURE_MAX_FRAME));
		for (size_t i = 0; !p.skip && i < p.len; i++)
			sum += p.frame[i];
		got = 0;
	}
	if (got < 0)
		assert_true(fail.err && *fail.text);
	capture_close(c);
	*ret_end = got;
	return packets;
}

static size_t make_classic(void)
{
	begin(true);
	pcap_head(0xa1b2c3d4, 1);
	for (unsigned int i = 1; i <= 3; i++)
		pcap_record(i, i, frame(i), FRAME - i, FRAME);
	return 3;
}

/* What came before the cut is read, and the cut is told, unless it is between two blocks. */
static void cut_anywhere(void **state)
{
	for (int form = 0; form < 2; form++) {
		size_t all = form ? make_pcapng() : make_classic(), before = 0, clean = 0;
		int end;

		for (size_t n = 0; n <= w.n; n++) {
			uint8_t *copy = malloc(n + !n); /* so that the sanitizer sees its end */
			size_t got;

			memcpy(copy, w.b, n);
			got = read_all(copy, n, &end);
			assert_true(got >= before && got <= all);
			before = got;
			clean += !end;
			if (end < 0 && n >= 24)
				assert_non_null(strstr(fail.text, "damaged or cut short"));
			free(copy);
		}
		assert_int_equal(before, all);
		assert_int_equal(end, 0);
		assert_true(clean >= all && clean < 20);
	}
}

/* Every 32-bit word, at every place, is each of these. */
static void lies(void **state)
{
	static const uint32_t lie[] = { 0,  1,		3,	    4,		12,	    15,		16,	   28,
					60, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff, 0x00040001, 0x01000000 };
	unsigned long files = 0;
	int end;

	for (int form = 0; form < 2; form++) {
		size_t n = (form ? make_pcapng() : make_classic(), w.n);
		uint8_t *copy = malloc(n);

		for (size_t at = 0; at + 4 <= n; at++)
			for (size_t i = 0; i < 2 * sizeof(lie) / sizeof(lie[0]); i++, files++) {
				uint32_t v = i & 1 ? __builtin_bswap32(lie[i / 2]) : lie[i / 2];

				memcpy(copy, w.b, n);
				memcpy(copy + at, &v, 4);
				read_all(copy, n, &end);
			}
		free(copy);
	}
	print_message("# %lu files\n", files);
}

static void places_are_told(void **state)
{
	int end;

	make_classic();
	w.b[24 + 16 + 59 + 8] = 0x7f; /* the length of the second packet */
	assert_int_equal(read_all(w.b, w.n, &end), 1);
	assert_int_equal(end, -EINVAL);
	assert_string_equal(fail.text, "x.pcap is damaged or cut short behind packet 1, at byte 99: the next packet "
				       "says that 2130706490 bytes of it "
				       "stand there");
	make_pcapng();
	w.b[w.n - 1] ^= 4;
	assert_int_equal(read_all(w.b, w.n, &end), 5);
	assert_non_null(strstr(fail.text, "behind packet 5"));
	assert_non_null(strstr(fail.text, "begins with"));
	begin(false);
	section();
	enhanced(0, 1, frame(1), FRAME, FRAME, -1);
	assert_int_equal(read_all(w.b, w.n, &end), 0);
	assert_non_null(strstr(fail.text, "of interface 0, and there are 0"));
	bytes("", 1);
	memset(w.b, 'x', 100);
	assert_int_equal(read_all(w.b, 100, &end), 0);
	assert_non_null(strstr(fail.text, "not a pcap"));
	memcpy(w.b, "\x1f\x8b\x08\x00", 4);
	assert_int_equal(read_all(w.b, 100, &end), 0);
	assert_non_null(strstr(fail.text, "compressed"));
	assert_int_equal(capture_open("/nonexistent\033.pcap", &(struct fail){}, &(struct capture *){ NULL }), -ENOENT);
}

/* A file larger than the window, and the same through a pipe in bits and pieces. */
static void windows(void **state)
{
	enum { PACKETS = 3000 };
	struct prng prng;
	int fd = memfd_create("capture", 0), pipes[2];
	char path[2][64];
	size_t total = 0;

	assert_true(fd >= 0);
	begin(false);
	pcap_head(0xa1b2c3d4, 1);
	assert_int_equal(write(fd, w.b, w.n), (ssize_t)w.n);
	prng_init(&prng, 1);
	for (unsigned int i = 0; i < PACKETS; i++) {
		uint32_t n = (uint32_t)prng_below(&prng, 1500);
		uint8_t b[1500];

		memset(b, (int)i, sizeof(b));
		begin(false);
		pcap_record(i, 0, b, n, n);
		assert_int_equal(write(fd, w.b, w.n), (ssize_t)w.n);
		total += n;
	}
	assert_int_equal(pipe(pipes), 0);
	if (!fork()) {
		char buf[777];
		ssize_t n;

		lseek(fd, 0, SEEK_SET);
		while ((n = read(fd, buf, sizeof(buf))) > 0)
			if (write(pipes[1], buf, (size_t)n) != n)
				_exit(1);
		_exit(0);
	}
	close(pipes[1]);
	snprintf(path[0], 64, "/proc/self/fd/%d", fd);
	snprintf(path[1], 64, "/proc/self/fd/%d", pipes[0]);
	for (int i = 0; i < 2; i++) {
		struct capture *c = NULL;
		struct capture_packet p;
		size_t sum = 0;

		fail = (struct fail){};
		assert_int_equal(capture_open(path[i], &fail, &c), 0);
		for (unsigned int k = 0; k < PACKETS; k++) {
			p = next(c);
			assert_true(!p.len || (p.frame[0] == (uint8_t)k && p.frame[p.len - 1] == (uint8_t)k));
			sum += p.len;
		}
		assert_int_equal(sum, total);
		ends(c);
	}
	close(fd);
	close(pipes[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "pcap in both byte orders, of micro- and nanoseconds, with the longer header", classic, NULL, NULL,
		  NULL },
		{ "pcapng: sections, interfaces, every kind of packet block", new_form, NULL, NULL, NULL },
		{ "clocks of interfaces, the absurd ones too", clocks, NULL, NULL, NULL },
		{ "packets that were cut at capture are filled up with zeros", cut_packets, NULL, NULL, NULL },
		{ "raw and cooked link types get a header, others are told by name", link_types, NULL, NULL, NULL },
		{ "a file that is cut anywhere gives what came before", cut_anywhere, NULL, NULL, NULL },
		{ "a file whose lengths lie does no harm", lies, NULL, NULL, NULL },
		{ "what is wrong is told with its place", places_are_told, NULL, NULL, NULL },
		{ "files larger than the window, and pipes", windows, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}

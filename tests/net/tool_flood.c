// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many packets, as fast as an AF_PACKET socket takes them.
 *
 *   tool_flood [-n COUNT] [-t MILLISECONDS] [-c CPU] [-l BYTES] [-s SOURCE] INTERFACE MAC syn|udp|ack ADDRESS PORT
 *
 * Sources are invented (198.18.0.0/15, 2001:db8:f::/48), or SOURCE alone with invented ports. Checksums are right. Ends after so many
 * packets or so much time, whichever comes first, and prints "PACKETS BEGIN END", milliseconds of CLOCK_MONOTONIC.
 */
#include "harness/lab.h"
#include "harness/prng.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define MOST  1500

struct flood {
	struct prng prng;
	uint8_t eth[14];
	uint8_t from[16], to[16];
	bool v6, spoof, udp;
	uint8_t flags;
	uint16_t port;
	size_t len; /* of the frame */
};

static void put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

/* Behind the IP header; `sum`: of the pseudo header. */
static void build_l4(struct flood *f, uint8_t *p, size_t len, uint32_t sum)
{
	put16(p, (unsigned int)prng_range(&f->prng, 1024, 65535));
	put16(p + 2, f->port);
	if (f->udp) {
		put16(p + 4, (unsigned int)len);
	} else {
		put32(p + 4, (uint32_t)prng_u64(&f->prng));
		p[12] = 5 << 4;
		p[13] = f->flags;
		put16(p + 14, 64240);
	}
	put16(p + (f->udp ? 6 : 16), lab_sum_fold(lab_sum(p, len, sum)));
}

static void build(struct flood *f, uint8_t *p)
{
	size_t off = f->v6 ? 54 : 34, n = f->v6 ? 16 : 4, len = f->len - off;
	uint8_t *ip = p + 14, *from = ip + (f->v6 ? 8 : 12);
	uint64_t r = prng_u64(&f->prng);
	uint8_t pseudo[4] = { 0, f->udp ? IPPROTO_UDP : IPPROTO_TCP, (uint8_t)(len >> 8), (uint8_t)len };

	memset(p, 0, off + 20);
	memcpy(p, f->eth, 14);
	memcpy(from, f->from, n);
	memcpy(from + n, f->to, n);
	if (f->spoof && f->v6)
		memcpy(from + 6, &r, 8);
	else if (f->spoof)
		put32(from, 0xc6120000 | (r & 0x1ffff));
	if (f->v6) {
		ip[0] = 6 << 4;
		put16(ip + 4, (unsigned int)len);
		ip[6] = pseudo[1];
		ip[7] = 64;
	} else {
		ip[0] = 4 << 4 | 5;
		put16(ip + 2, (unsigned int)(f->len - 14));
		ip[8] = 64;
		ip[9] = pseudo[1];
		put16(ip + 10, lab_sum_fold(lab_sum(ip, 20, 0)));
	}
	build_l4(f, p + off, len, lab_sum(from, 2 * n, lab_sum(pseudo, 4, 0)));
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int socket_on(const char *ifname)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(ifname) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1;

	if (fd < 0 || !to.sll_ifindex || bind(fd, (struct sockaddr *)&to, sizeof(to)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)))
		lab_die("%s: %s", ifname, strerror(errno));
	return fd;
}

static void pour(struct flood *f, int fd, unsigned long count, int64_t ms)
{
	static uint8_t frame[BATCH][MOST];
	static struct mmsghdr msg[BATCH];
	static struct iovec vec[BATCH];
	int64_t start = now_ms();
	unsigned long sent = 0;

	for (int i = 0; i < BATCH; i++) {
		vec[i] = (struct iovec){ frame[i], f->len };
		msg[i].msg_hdr = (struct msghdr){ .msg_iov = &vec[i], .msg_iovlen = 1 };
	}
	while (sent < count && now_ms() - start < ms) {
		unsigned int n = count - sent < BATCH ? (unsigned int)(count - sent) : BATCH;
		int done;

		for (unsigned int i = 0; i < n; i++)
			build(f, frame[i]);
		done = sendmmsg(fd, msg, n, 0);
		/* The other end has no place left: this one is lost, as on any wire. */
		if (done < 0 && errno != ENOBUFS)
			lab_die("send: %s", strerror(errno));
		sent += done > 0 ? (unsigned long)done : 1;
	}
	printf("%lu %lld %lld\n", sent, (long long)start, (long long)now_ms());
}

static void parse_mac(const char *text, uint8_t mac[6])
{
	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) != 6)
		lab_die("%s is no MAC address", text);
}

int main(int argc, char **argv)
{
	struct flood f = { .spoof = true, .eth = { 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0x77, 1, 0x08, 0 } };
	unsigned long count = ~0ul;
	int64_t ms = 60000;
	const char *source = NULL;
	int opt;

	while ((opt = getopt(argc, argv, "n:t:c:l:s:")) != -1) {
		cpu_set_t cpus;

		CPU_ZERO(&cpus);
		if (opt == 'n')
			count = strtoul(optarg, NULL, 0);
		else if (opt == 't')
			ms = atol(optarg);
		else if (opt == 'l')
			f.len = strtoul(optarg, NULL, 0);
		else if (opt == 's')
			source = optarg;
		else if (opt == 'c')
			CPU_SET(strtoul(optarg, NULL, 0), &cpus), sched_setaffinity(0, sizeof(cpus), &cpus);
		else
			return 2;
	}
	if (optind + 5 != argc)
		return 2;
	argv += optind;
	parse_mac(argv[1], f.eth);
	f.udp = !strcmp(argv[2], "udp");
	f.flags = !strcmp(argv[2], "ack") ? 16 : 2;
	f.v6 = strchr(argv[3], ':');
	f.spoof = !source;
	f.port = (uint16_t)strtoul(argv[4], NULL, 0);
	f.len = f.len ?: (f.v6 ? 74 : 60);
	if (f.v6)
		put16(f.eth + 12, ETHERTYPE_IPV6);
	if (f.len > MOST || inet_pton(f.v6 ? AF_INET6 : AF_INET, argv[3], f.to) != 1 ||
	    inet_pton(f.v6 ? AF_INET6 : AF_INET, source ? source : f.v6 ? "2001:db8:f::" : "198.18.0.0", f.from) != 1)
		lab_die("bad address or length");
	prng_init(&f.prng, (uint64_t)getpid() << 32 ^ (uint64_t)now_ms());
	pour(&f, socket_on(argv[0]), count, ms);
	return 0;
}

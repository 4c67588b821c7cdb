// SPDX-License-Identifier: GPL-2.0-only
#include "harness/lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

const uint8_t lab_gen6[16] = {0xfd, 0x77, [15] = 1}, lab_rcv6[16] = {0xfd, 0x77, [15] = 2};
const uint8_t lab_gen_mac[6] = {2, 0, 0, 0, 0x77, 1}, lab_rcv_mac[6] = {2, 0, 0, 0, 0x77, 2};

void lab_die(const char *fmt, ...)
{
	va_list ap;

	printf("Bail out! ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	exit(3);
}

bool lab_end_parse(const char *text, struct lab_end *ret_end)
{
	struct lab_end end = {0};

	if (sscanf(text, "%63[^:]:%15[^:]", end.netns, end.ifname) != 2)
		return false;
	*ret_end = end;
	return true;
}

void lab_enter(const char *netns)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		lab_die("cannot enter network namespace %s: %s", netns, strerror(errno));
	close(fd);
}

void lab_pin_cpu(void)
{
	cpu_set_t set, one;

	if (sched_getaffinity(0, sizeof(set), &set))
		lab_die("sched_getaffinity: %s", strerror(errno));
	CPU_ZERO(&one);
	for (int i = CPU_SETSIZE - 1; i >= 0; i--) {
		if (CPU_ISSET(i, &set)) {
			CPU_SET(i, &one);
			break;
		}
	}
	if (sched_setaffinity(0, sizeof(one), &one))
		lab_die("sched_setaffinity: %s", strerror(errno));
}

unsigned int lab_ifindex(const struct lab_end *end)
{
	unsigned int index;

	lab_enter(end->netns);
	index = if_nametoindex(end->ifname);
	if (!index)
		lab_die("no interface %s in %s", end->ifname, end->netns);
	return index;
}

static int socket_checked(const char *netns, int family, int type, int protocol)
{
	int fd, size = 32 << 20;

	lab_enter(netns);
	fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	if (fd < 0)
		lab_die("socket(%d, %d, %d): %s", family, type, protocol, strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

int lab_packet_socket(const struct lab_end *end, bool vnet_hdr)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int fd = socket_checked(end->netns, AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), one = 1, size = 32 << 20;

	ll.sll_ifindex = (int)lab_ifindex(end);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	if (vnet_hdr && setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)))
		lab_die("PACKET_VNET_HDR: %s", strerror(errno));
	if (bind(fd, (struct sockaddr *)&ll, sizeof(ll)))
		lab_die("bind to %s: %s", end->ifname, strerror(errno));
	return fd;
}

static void bind_any(int fd, int family, uint16_t port)
{
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	int one = 1, err;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	err = family == AF_INET6 ? bind(fd, (struct sockaddr *)&a6, sizeof(a6))
				 : bind(fd, (struct sockaddr *)&a4, sizeof(a4));
	if (err)
		lab_die("bind to port %u: %s", port, strerror(errno));
}

int lab_udp_socket(const char *netns, int family, uint16_t port)
{
	int fd = socket_checked(netns, family, SOCK_DGRAM, 0);

	bind_any(fd, family, port);
	return fd;
}

int lab_tcp_listener(const char *netns, int family, uint16_t port)
{
	int fd = socket_checked(netns, family, SOCK_STREAM, 0);

	bind_any(fd, family, port);
	if (listen(fd, 4096))
		lab_die("listen: %s", strerror(errno));
	return fd;
}

int lab_raw_socket(const char *netns, int family, int protocol)
{
	return socket_checked(netns, family, SOCK_RAW, protocol);
}

uint32_t lab_sum(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *b = data;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? b[i] : (uint32_t)b[i] << 8;
	return sum;
}

uint16_t lab_sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

#define MARK_MAGIC 0x4d41524bu

size_t lab_marker_frame(uint8_t *buf, uint32_t seq)
{
	uint8_t *ip = buf + 14, *udp = ip + 20;

	memset(buf, 0, 60);
	memcpy(buf, lab_rcv_mac, 6);
	memcpy(buf + 6, lab_gen_mac, 6);
	put16(buf + 12, ETHERTYPE_IP);
	ip[0] = 0x45;
	put16(ip + 2, 36);
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	put32(ip + 12, LAB_GEN4);
	put32(ip + 16, LAB_RCV4);
	put16(ip + 10, lab_sum_fold(lab_sum(ip, 20, 0)));
	put16(udp, LAB_MARK_SPORT);
	put16(udp + 2, LAB_MARK_DPORT);
	put16(udp + 4, 16);
	put32(udp + 8, MARK_MAGIC);
	put32(udp + 12, seq);
	return 60;
}

bool lab_is_marker(const uint8_t *payload, size_t len)
{
	uint8_t magic[4];

	put32(magic, MARK_MAGIC);
	return len == 8 && !memcmp(payload, magic, 4);
}

void lab_marker_init(struct lab_marker *m, int send_fd, int recv_fd)
{
	*m = (struct lab_marker){.send_fd = send_fd, .recv_fd = recv_fd};
}

/* Read what is there; true when our marker is among it. */
static bool marker_seen(struct lab_marker *m)
{
	uint8_t buf[64], want[64];
	ssize_t n;

	lab_marker_frame(want, m->seq);
	while ((n = recv(m->recv_fd, buf, sizeof(buf), MSG_DONTWAIT)) >= 0)
		if (n == 8 && !memcmp(buf, want + 42, 8))
			return true;
	return false;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool lab_marker_pass(struct lab_marker *m)
{
	int64_t end = now_ms() + 2000;
	uint8_t frame[64];
	size_t len;

	m->seq++;
	len = lab_marker_frame(frame, m->seq);
	if (send(m->send_fd, frame, len, 0) != (ssize_t)len)
		lab_die("cannot send a marker: %s", strerror(errno));
	while (!marker_seen(m)) {
		struct pollfd p = {.fd = m->recv_fd, .events = POLLIN};
		int64_t left = end - now_ms();

		if (left <= 0)
			return false;
		(void)poll(&p, 1, (int)left);
	}
	return true;
}

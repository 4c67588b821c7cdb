// SPDX-License-Identifier: GPL-2.0-only
/*
 * A connection whose client also plays the attacker who forges its segments: he knows the numbers of both sides, so he can miss
 * the window by as much as he likes.
 *
 *   tool_segment -l PORT                                         an echo server
 *   tool_segment INTERFACE DESTINATION-MAC ADDRESS PORT STEP…
 *
 *   say WORD                     through the connection, and wait for the echo
 *   forge COUNT FLAGS SEQ ACK LEN  segments; numbers from what the client sends next, and expects next. FLAGS: 4 RST, 16 ACK, 24 PSH, ACK
 *   closed                       the server has reset the connection, or its kernel took a forged RST
 */
#include "model/packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int failed(const char *what)
{
	fprintf(stderr, "tool_segment: %s: %s\n", what, strerror(errno));
	return 1;
}

static int serve(uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1, c;
	char buf[4096];
	ssize_t n;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) || bind(fd, (struct sockaddr *)&at, sizeof(at)) ||
	    listen(fd, 8))
		return failed("listen");
	for (;;) {
		c = accept(fd, NULL, NULL);
		if (c < 0)
			return failed("accept");
		if (fork())
			close(c);
		else
			for (;;) {
				n = read(c, buf, sizeof(buf));
				if (n <= 0 || write(c, buf, (size_t)n) != n)
					_exit(0);
			}
	}
}

struct client {
	int fd, raw;
	struct sockaddr_in here, there;
	struct sockaddr_ll link;
	unsigned int mac[6];
};

static int client_open(struct client *c, char **argv)
{
	struct timeval patience = { .tv_sec = 5 };
	socklen_t len = sizeof(c->here);

	c->link = (struct sockaddr_ll){ .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(argv[0]) };
	c->there = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[3])) };
	if (sscanf(argv[1], "%x:%x:%x:%x:%x:%x", &c->mac[0], &c->mac[1], &c->mac[2], &c->mac[3], &c->mac[4], &c->mac[5]) != 6 ||
	    inet_pton(AF_INET, argv[2], &c->there.sin_addr) != 1)
		return 2;
	c->raw = socket(AF_PACKET, SOCK_RAW, 0);
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->raw < 0 || c->fd < 0 || setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    connect(c->fd, (struct sockaddr *)&c->there, sizeof(c->there)) || getsockname(c->fd, (struct sockaddr *)&c->here, &len))
		return failed("connect");
	return 0;
}

/* The next number of a queue of the socket. */
static uint32_t queue_seq(int fd, int queue)
{
	uint32_t seq = 0;
	socklen_t len = sizeof(seq);
	int on = 1, off = -1; /* without a probe of the window */

	if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue)) ||
	    getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &seq, &len) || setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off)))
		exit(failed("TCP_REPAIR"));
	return seq;
}

/* Write four bytes at an even place; `sum` is the checksum of all. */
static void put32(uint8_t *b, uint32_t value, uint8_t *sum)
{
	uint32_t s = (uint16_t) ~(sum[0] << 8 | sum[1]);

	for (int i = 0; i < 4; i += 2) {
		uint16_t was = (uint16_t)(b[i] << 8 | b[i + 1]), is = (uint16_t)(value >> (i ? 0 : 16));

		s += (uint16_t)~was + (uint32_t)is;
		b[i] = (uint8_t)(is >> 8);
		b[i + 1] = (uint8_t)is;
	}
	s = (s & 0xffff) + (s >> 16);
	s = ~((s & 0xffff) + (s >> 16));
	sum[0] = (uint8_t)(s >> 8);
	sum[1] = (uint8_t)s;
}

static int forge(const struct client *c, const char *words)
{
	int tx = TCP_SEND_QUEUE, rx = TCP_RECV_QUEUE;
	struct packet_spec s = { .family = FAMILY_IPV4, .protocol = 6, .has_ports = true, .has_flags = true };
	unsigned int count, flags, data;
	uint8_t frame[2048], *h = frame + 14 + 20;
	long seq, ack, len;

	if (sscanf(words, "forge %u %u %ld %ld %u", &count, &flags, &seq, &ack, &data) != 5)
		return 2;
	s.src = ntohl(c->here.sin_addr.s_addr);
	s.dst = ntohl(c->there.sin_addr.s_addr);
	s.sport = ntohs(c->here.sin_port);
	s.dport = ntohs(c->there.sin_port);
	s.flags = (uint8_t)flags;
	s.len = 40 + data;
	len = packet_build(&s, frame, sizeof(frame));
	if (len < 0)
		return 2;
	for (int i = 0; i < 6; i++)
		frame[i] = (uint8_t)c->mac[i];
	put32(h + 4, queue_seq(c->fd, tx) + (uint32_t)seq, h + 16);
	put32(h + 8, queue_seq(c->fd, rx) + (uint32_t)ack, h + 16);
	while (count--)
		if (sendto(c->raw, frame, (size_t)len, 0, (const struct sockaddr *)&c->link, sizeof(c->link)) != len)
			return failed("send");
	return 0;
}

static int say(const struct client *c, const char *word)
{
	size_t len = strlen(word), have = 0;
	char got[64];
	ssize_t n;

	if (len > sizeof(got) || write(c->fd, word, len) != (ssize_t)len)
		return failed("write");
	for (; have < len; have += (size_t)n) {
		n = read(c->fd, got + have, len - have);
		if (n <= 0)
			return failed("no echo");
	}
	return memcmp(got, word, len) ? failed("another echo") : 0;
}

static int is_closed(const struct client *c)
{
	char x = 'x';

	if (write(c->fd, &x, 1) < 0 || read(c->fd, &x, 1) < 0)
		return errno == ECONNRESET || errno == EPIPE ? 0 : failed("closed");
	fprintf(stderr, "tool_segment: the connection is still there\n");
	return 1;
}

int main(int argc, char **argv)
{
	struct client c;
	int err;

	if (argc == 3 && !strcmp(argv[1], "-l"))
		return serve((uint16_t)atoi(argv[2]));
	if (argc < 5)
		return 2;
	err = client_open(&c, argv + 1);
	for (int i = 5; !err && i < argc; i++)
		if (!strncmp(argv[i], "say ", 4))
			err = say(&c, argv[i] + 4);
		else if (!strcmp(argv[i], "closed"))
			err = is_closed(&c);
		else
			err = forge(&c, argv[i]);
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two that talk: one waits, the other asks and counts the answers.
 *
 *   tool_talk serve PORT                       answer every TCP connection and datagram of both families with what it said
 *   tool_talk ask tcp|udp ADDRESS PORT FILE    say 32 bytes, wait for the answer, again and again; FILE is shared memory, and
 *                                              holds the number of answers as 64 bits, then that of what was said again (UDP)
 *   tool_talk count FILE                       print both
 *   tool_talk connects MILLISECONDS ADDRESS PORT     one TCP connection, one question, one answer
 *   tool_talk pour BYTES ADDRESS PORT          so much there, and back again, which must be the same
 *   tool_talk refused MILLISECONDS ADDRESS PORT      datagrams, until the socket hears that nobody is there
 *   tool_talk crowd N ADDRESS PORT FROM-ADDRESS      N connections at once from one address; print how many were answered
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CLIENTS 512
#define WORD	    32

static void die(const char *what)
{
	fprintf(stderr, "tool_talk: %s: %s\n", what, strerror(errno));
	exit(2);
}

static struct addrinfo *resolve(const char *address, const char *port, int type)
{
	struct addrinfo hints = { .ai_socktype = type, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_family = AF_UNSPEC };
	struct addrinfo *a;

	if (getaddrinfo(address, port, &hints, &a)) {
		errno = EINVAL;
		die(address);
	}
	return a;
}

static int waiting(const char *port, int type)
{
	struct addrinfo *a = resolve("::", port, type);
	int fd = socket(AF_INET6, type | SOCK_NONBLOCK, 0), one = 1, zero = 0;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero)) || bind(fd, a->ai_addr, a->ai_addrlen) ||
	    (type == SOCK_STREAM && listen(fd, MAX_CLIENTS)))
		die(port);
	freeaddrinfo(a);
	return fd;
}

static void echo_datagrams(int fd)
{
	struct sockaddr_storage from;
	socklen_t size = sizeof(from);
	char buf[2048];
	ssize_t n;

	while ((n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &size)) >= 0) {
		sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&from, size);
		size = sizeof(from);
	}
}

/* false: it has gone. */
static bool echo_stream(int fd)
{
	static char buf[65536];
	ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN;
	return n && send(fd, buf, (size_t)n, MSG_NOSIGNAL) == n;
}

static int serve(const char *port)
{
	static struct pollfd p[2 + MAX_CLIENTS];
	nfds_t n = 2;

	p[0] = (struct pollfd){ .fd = waiting(port, SOCK_STREAM), .events = POLLIN };
	p[1] = (struct pollfd){ .fd = waiting(port, SOCK_DGRAM), .events = POLLIN };
	while (poll(p, n, -1) >= 0) {
		int fd;

		if (p[1].revents)
			echo_datagrams(p[1].fd);
		for (nfds_t i = n - 1; i >= 2; i--)
			if (p[i].revents && !echo_stream(p[i].fd)) {
				close(p[i].fd);
				p[i] = p[--n];
			}
		while (p[0].revents && n < 2 + MAX_CLIENTS && (fd = accept(p[0].fd, NULL, NULL)) >= 0)
			p[n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
	die("poll");
	return 2;
}

static uint64_t *shared(const char *path, bool make)
{
	int fd = open(path, make ? O_RDWR | O_CREAT : O_RDONLY, 0600);
	void *p;

	if (fd < 0 || (make && ftruncate(fd, 4096)))
		die(path);
	p = mmap(NULL, 4096, make ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die(path);
	close(fd);
	return p;
}

static _Noreturn void ask(const char *how, const char *address, const char *port, const char *path)
{
	bool udp = !strcmp(how, "udp");
	struct addrinfo *a = resolve(address, port, udp ? SOCK_DGRAM : SOCK_STREAM);
	volatile uint64_t *count = shared(path, true);
	int fd = socket(a->ai_family, a->ai_socktype, 0);
	uint64_t word[WORD / 8] = { 0 }, got[WORD / 8];

	if (fd < 0 || connect(fd, a->ai_addr, a->ai_addrlen))
		die("connect");
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		word[0]++;
		if (send(fd, word, WORD, MSG_NOSIGNAL) != WORD && !udp)
			die("send");
		/* Datagrams get lost, and are said again; who talks TCP waits. */
		do {
			int ready = poll(&p, 1, udp ? 200 : -1);
			ssize_t n = ready > 0 ? recv(fd, got, WORD, udp ? 0 : MSG_WAITALL) : 0;

			if (ready > 0 && n != WORD && !udp)
				die("recv");
			if (ready <= 0 || n != WORD) {
				count[1]++;
				send(fd, word, WORD, MSG_NOSIGNAL);
				usleep(ready > 0 ? 1000 : 0);
				got[0] = 0;
			}
		} while (got[0] != word[0]);
		count[0]++;
		usleep(1000); /* others want the machine, too */
	}
}

static int dial(const char *address, const char *port, const char *from)
{
	struct addrinfo *a = resolve(address, port, SOCK_STREAM);
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		die("socket");
	if (from) {
		struct addrinfo *b = resolve(from, "0", SOCK_STREAM);

		if (bind(fd, b->ai_addr, b->ai_addrlen))
			die(from);
		freeaddrinfo(b);
	}
	if (connect(fd, a->ai_addr, a->ai_addrlen) && errno != EINPROGRESS) {
		close(fd);
		fd = -1;
	}
	freeaddrinfo(a);
	return fd;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Ask on each connection as soon as it is there; how many answered in time. */
static unsigned int answers(struct pollfd *p, nfds_t n, int64_t ms)
{
	int64_t end = now_ms() + ms, left;
	char word[WORD] = "a question", got[WORD];
	unsigned int answered = 0, open = n;

	while (open && (left = end - now_ms()) > 0 && poll(p, n, (int)left) > 0)
		for (nfds_t i = 0; i < n; i++) {
			if (!p[i].revents)
				continue;
			if (p[i].events == POLLOUT && !(p[i].revents & (POLLERR | POLLHUP)) && send(p[i].fd, word, WORD,
					MSG_NOSIGNAL) == WORD) {
				p[i].events = POLLIN;
				continue;
			}
			answered += p[i].events == POLLIN && recv(p[i].fd, got, WORD, 0) == WORD;
			p[i].fd = -1 - p[i].fd; /* stays open */
			open--;
		}
	return answered;
}

static int connects(const char *ms, const char *address, const char *port)
{
	struct pollfd p = { .fd = dial(address, port, NULL), .events = POLLOUT };

	return answers(&p, 1, atol(ms)) != 1;
}

/* The n-th byte of what is poured. */
static uint8_t drop_at(size_t n)
{
	return (uint8_t)((n * 0x9e3779b97f4a7c15ull) >> 56);
}

static int pour(const char *bytes, const char *address, const char *port)
{
	struct pollfd p = { .fd = dial(address, port, NULL), .events = POLLIN | POLLOUT };
	size_t size = strtoul(bytes, NULL, 0), sent = 0, got = 0;
	static uint8_t buf[65536];
	ssize_t n;

	while (got < size && poll(&p, 1, 10000) > 0) {
		if (p.revents & POLLOUT) {
			size_t most = size - sent < sizeof(buf) ? size - sent : sizeof(buf);

			for (size_t i = 0; i < most; i++)
				buf[i] = drop_at(sent + i);
			n = send(p.fd, buf, most, MSG_NOSIGNAL);
			sent += n > 0 ? (size_t)n : 0;
			if (sent == size)
				p.events = POLLIN;
		}
		if (!(p.revents & ~POLLOUT))
			continue;
		n = recv(p.fd, buf, sizeof(buf), 0);
		if (n <= 0 && errno != EAGAIN)
			break;
		for (ssize_t i = 0; i < n; i++)
			if (buf[i] != drop_at(got++)) {
				fprintf(stderr, "byte %zu is another\n", got - 1);
				return 1;
			}
	}
	if (got < size)
		fprintf(stderr, "%zu of %zu bytes came back\n", got, size);
	return got < size;
}

static int refused(const char *ms, const char *address, const char *port)
{
	struct addrinfo *a = resolve(address, port, SOCK_DGRAM);
	int fd = socket(a->ai_family, SOCK_DGRAM, 0), heard = 0;
	int64_t end = now_ms() + atol(ms);

	if (fd < 0 || connect(fd, a->ai_addr, a->ai_addrlen))
		die("connect");
	while (!heard && now_ms() < end) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		socklen_t size = sizeof(heard);

		send(fd, "x", 1, 0);
		poll(&p, 1, 50);
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &heard, &size);
	}
	return heard != ECONNREFUSED;
}

static int crowd(const char *how_many, const char *address, const char *port, const char *from)
{
	static struct pollfd p[MAX_CLIENTS];
	nfds_t n = strtoul(how_many, NULL, 0);

	if (n > MAX_CLIENTS)
		return 2;
	for (nfds_t i = 0; i < n; i++)
		p[i] = (struct pollfd){ .fd = dial(address, port, from), .events = POLLOUT };
	printf("%u\n", answers(p, n, 800));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve(argv[2]);
	if (argc == 6 && !strcmp(argv[1], "ask"))
		ask(argv[2], argv[3], argv[4], argv[5]);
	if (argc == 5 && !strcmp(argv[1], "connects"))
		return connects(argv[2], argv[3], argv[4]);
	if (argc == 5 && !strcmp(argv[1], "pour"))
		return pour(argv[2], argv[3], argv[4]);
	if (argc == 5 && !strcmp(argv[1], "refused"))
		return refused(argv[2], argv[3], argv[4]);
	if (argc == 6 && !strcmp(argv[1], "crowd"))
		return crowd(argv[2], argv[3], argv[4], argv[5]);
	if (argc == 3 && !strcmp(argv[1], "count")) {
		const uint64_t *count = shared(argv[2], false);

		printf("%llu %llu\n", (unsigned long long)count[0], (unsigned long long)count[1]);
		return 0;
	}
	fprintf(stderr, "see the top of tool_talk.c\n");
	return 2;
}

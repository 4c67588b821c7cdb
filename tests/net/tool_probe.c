// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ask a firewall with packets.
 *
 *   tool_probe ask NETNS:IFACE NETNS:IFACE PORT…    one line: P (passed) or D (dropped) per port, UDP over IPv4, then
 *                                                    a blank, then the same over IPv6; "mixed" when rounds differ
 *   tool_probe flood NETNS:IFACE NETNS:IFACE PORT   send until SIGTERM; then "sent=N delivered=N"
 *
 * The marker (see harness/lab.h) must pass; exit 3 when it does not. `ask` with -m as first port needs no marker and
 * waits 50 ms instead (for firewalls that pass nothing).
 */
#include "harness/lab.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_PORTS 16
#define ROUNDS	  8

struct probe {
	struct lab_end gen, rcv;
	int send_fd;
	size_t nports;
	uint16_t port[MAX_PORTS];
	int fd[2][MAX_PORTS];
	struct lab_marker marker;
	bool no_marker;
};

static void put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* The marker's frame, to another port. */
static void send_probe(const struct probe *p, int family, uint16_t port)
{
	uint8_t buf[80] = {0};
	size_t len = 62;

	if (family == 4) {
		len = lab_marker_frame(buf, 0);
		put16(buf + 36, port);
	} else {
		uint8_t *ip = buf + 14, *udp = ip + 40;

		memcpy(buf, lab_rcv_mac, 6);
		memcpy(buf + 6, lab_gen_mac, 6);
		put16(buf + 12, 0x86dd);
		ip[0] = 0x60;
		put16(ip + 4, 8);
		ip[6] = IPPROTO_UDP;
		ip[7] = 64;
		memcpy(ip + 8, lab_gen6, 16);
		memcpy(ip + 24, lab_rcv6, 16);
		put16(udp, LAB_MARK_SPORT);
		put16(udp + 2, port);
		put16(udp + 4, 8);
		put16(udp + 6, lab_sum_fold(lab_sum(udp, 8, lab_sum(ip + 8, 32, IPPROTO_UDP + 8))));
	}
	if (send(p->send_fd, buf, len, 0) != (ssize_t)len)
		lab_die("send: %s", strerror(errno));
}

static unsigned long drain(int fd)
{
	unsigned long n = 0;
	char buf[64];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) >= 0)
		n++;
	return n;
}

static void settle(struct probe *p)
{
	if (p->no_marker)
		usleep(50000);
	else if (!lab_marker_pass(&p->marker))
		lab_die("the marker did not arrive");
}

static int ask(struct probe *p)
{
	bool mixed = false;

	for (int i = 0; i < ROUNDS; i++)
		for (size_t k = 0; k < p->nports; k++)
			for (int f = 0; f < 2; f++)
				send_probe(p, f ? 6 : 4, p->port[k]);
	settle(p);
	for (int f = 0; f < 2; f++) {
		for (size_t k = 0; k < p->nports; k++) {
			unsigned long n = drain(p->fd[f][k]);

			mixed |= n && n != ROUNDS;
			putchar(n ? 'P' : 'D');
		}
		if (!f)
			putchar(' ');
	}
	printf("%s\n", mixed ? " mixed" : "");
	return 0;
}

static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

/* About 2,000 packets a second, both families. */
static int flood(struct probe *p)
{
	unsigned long sent = 0, delivered = 0;
	struct timespec pause = {.tv_nsec = 1000000};

	signal(SIGTERM, on_term);
	printf("started\n");
	while (!stop) {
		send_probe(p, 4, p->port[0]);
		send_probe(p, 6, p->port[0]);
		sent += 2;
		delivered += drain(p->fd[0][0]) + drain(p->fd[1][0]);
		nanosleep(&pause, NULL);
	}
	delivered += drain(p->fd[0][0]) + drain(p->fd[1][0]);
	printf("sent=%lu delivered=%lu\n", sent, delivered);
	return 0;
}

int main(int argc, char **argv)
{
	struct probe p = {0};

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 5 || !lab_end_parse(argv[2], &p.gen) || !lab_end_parse(argv[3], &p.rcv))
		lab_die("see the top of tool_probe.c");
	lab_pin_cpu();
	p.send_fd = lab_packet_socket(&p.gen, false);
	for (int i = 4; i < argc && p.nports < MAX_PORTS; i++) {
		if (!strcmp(argv[i], "-m")) {
			p.no_marker = true;
			continue;
		}
		p.port[p.nports] = (uint16_t)atoi(argv[i]);
		p.fd[0][p.nports] = lab_udp_socket(p.rcv.netns, AF_INET, p.port[p.nports]);
		p.fd[1][p.nports] = lab_udp_socket(p.rcv.netns, AF_INET6, p.port[p.nports]);
		p.nports++;
	}
	if (!strcmp(argv[1], "flood"))
		return flood(&p);
	lab_marker_init(&p.marker, p.send_fd, p.no_marker ? -1 : lab_udp_socket(p.rcv.netns, AF_INET, LAB_MARK_DPORT));
	return ask(&p);
}

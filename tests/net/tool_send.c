// SPDX-License-Identifier: GPL-2.0-only
/*
 * Put one frame, told in words, on the wire as it is: what ordinary tools cannot send (VLAN tags, odd flags, bare
 * fragments).
 *
 *   tool_send [-n COUNT] [-d DESTINATION-MAC] INTERFACE 'udp 10.0.0.1:4000 -> 10.0.0.2:53 vlan 7'
 */
#include "base/arena.h"
#include "lang/lang.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static long frame_build(const char *words, uint8_t *buf, size_t size)
{
	struct arena *arena = arena_new();
	struct packet_spec *spec;
	struct diags diags;
	long len = -ENOMEM;

	if (!arena)
		return len;
	diags_init(&diags, arena);
	len = lang_parse_packet(arena, "packet", words, strlen(words), &diags, &spec);
	if (len) {
		struct str text = {};

		diags_print(&diags, &text);
		fputs(str_get(&text), stderr);
		str_fini(&text);
	} else {
		len = packet_build(spec, buf, size);
		if (len < 0)
			fprintf(stderr, "tool_send: cannot build \"%s\": %s\n", words, strerror(-len));
	}
	diags_fini(&diags);
	arena_free(arena);
	return len;
}

static int frame_send(const char *ifname, const uint8_t *frame, size_t len, unsigned long count)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(ifname) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || !to.sll_ifindex) {
		fprintf(stderr, "tool_send: %s: %s\n", ifname, strerror(errno));
		return 1;
	}
	while (count-- > 0) {
		if (sendto(fd, frame, len, 0, (struct sockaddr *)&to, sizeof(to)) == (ssize_t)len)
			continue;
		if (errno == ENOBUFS) {
			usleep(100);
			count++;
			continue;
		}
		fprintf(stderr, "tool_send: %s: %s\n", ifname, strerror(errno));
		return 1;
	}
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	static uint8_t frame[PACKET_MAX_FRAME];
	unsigned int mac[6] = { 0 };
	unsigned long count = 1;
	bool to_mac = false;
	long len;
	int opt;

	while ((opt = getopt(argc, argv, "n:d:")) != -1) {
		if (opt == 'n')
			count = strtoul(optarg, NULL, 0);
		else if (opt == 'd' &&
			 sscanf(optarg, "%x:%x:%x:%x:%x:%x", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5]) == 6)
			to_mac = true;
		else
			return 2;
	}
	if (optind + 2 != argc)
		return 2;
	len = frame_build(argv[optind + 1], frame, sizeof(frame));
	if (len < 0)
		return 2;
	for (int i = 0; to_mac && i < 6; i++)
		frame[i] = mac[i];
	return frame_send(argv[optind], frame, len, count);
}

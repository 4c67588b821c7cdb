/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sockets at the two ends of the laboratory that scripts/netns.sh makes: frames go in as bytes at one end, and the
 * stack of the other end says what arrived. One process holds sockets of both namespaces.
 */
#ifndef FW_HARNESS_LAB_H
#define FW_HARNESS_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LAB_GEN4 0x0a4d0001u /* 10.77.0.1, host order */
#define LAB_RCV4 0x0a4d0002u
extern const uint8_t lab_gen6[16], lab_rcv6[16]; /* fd77::1, fd77::2 */
extern const uint8_t lab_gen_mac[6], lab_rcv_mac[6];

/* The marker: a datagram that every rule set of these tests passes. It comes after a batch, so that its arrival says
 * that the batch was judged. */
#define LAB_MARK_SPORT 777
#define LAB_MARK_DPORT 5000

/* One end: a name below /run/netns, and an interface in it. */
struct lab_end {
	char netns[64];
	char ifname[16];
};

/* "NETNS:IFACE"; false when it is something else. */
bool lab_end_parse(const char *text, struct lab_end *ret_end);

/* All of these end the program with a message when the system refuses: a test without its laboratory proves nothing. */
void lab_enter(const char *netns); /* the calling thread */
void lab_pin_cpu(void);		   /* to one CPU, so that frames stay in order */
int lab_packet_socket(const struct lab_end *end, bool vnet_hdr);
int lab_udp_socket(const char *netns, int family, uint16_t port); /* non-blocking, large buffer */
int lab_tcp_listener(const char *netns, int family, uint16_t port);
int lab_raw_socket(const char *netns, int family, int protocol);
unsigned int lab_ifindex(const struct lab_end *end);
void lab_die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* The generator's side and the receiver's side of the marker. */
struct lab_marker {
	int send_fd; /* AF_PACKET */
	int recv_fd; /* UDP, port LAB_MARK_DPORT */
	uint32_t seq;
};
void lab_marker_init(struct lab_marker *m, int send_fd, int recv_fd);
/* Send a marker and wait until it arrives: everything sent before was judged and delivered. False after two seconds. */
bool lab_marker_pass(struct lab_marker *m);
/* Length of the marker's frame with this sequence number, at most 64. */
size_t lab_marker_frame(uint8_t *buf, uint32_t seq);
bool lab_is_marker(const uint8_t *payload, size_t len);

/* RFC 1071 over `len` bytes, added to `sum`; fold ends it. */
uint32_t lab_sum(const void *data, size_t len, uint32_t sum);
uint16_t lab_sum_fold(uint32_t sum);

#endif

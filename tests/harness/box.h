/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A box for tests of the kernel rim: network and mount namespaces of their own, with an empty BPF file system and a veth pair,
 * so that whatever a test does there is seen by nobody else and is gone with the process.
 */
#ifndef FW_HARNESS_BOX_H
#define FW_HARNESS_BOX_H

#include "image/image.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOX_IF "box0"  /* the two ends of the pair; both are up */
#define BOX_PEER "box1"

/* Enter a new box. Returns the path of its bpffs, or NULL with the reason in *ret_why (no root, no BPF). */
const char *box_enter(const char **ret_why);
/* Leave this network namespace for a new, empty one; the old one dies. */
void box_renew_netns(void);
/* Descriptor of the current network namespace; box_setns goes back to it. */
int box_netns(void);
void box_setns(int fd);

/* Run a program; returns its exit status. */
int box_run(const char *const argv[]);
/* "ip" with arguments; a failure ends the test. */
void box_ip(const char *args);
/* Give an interface another name; false when that is refused. It is down meanwhile: Linux before 6.2 asks for that. */
bool box_rename(const char *from, const char *to);

/* Compile rule text; mistakes in it end the test. */
struct image box_compile(const char *text, const char *policy);
/* `n` rules, rule i passing destination port 1000 + i by label "r<i>", first being `base`; then default drop. */
struct image box_many(const char *policy, size_t n, unsigned int base);

/* A UDP datagram from 10.0.0.1 port 1024 to 10.0.0.2. */
void box_udp_frame(uint8_t frame[60], uint16_t dport);
/* Send it an Ethernet frame out of an interface. */
void box_send_udp(const char *ifname, uint16_t dport, unsigned int count);
/* Names below a directory, one line each, "" when it does not exist: for "nothing is left". */
const char *box_find(const char *path);

/* Ids of the programs attached: XDP, TCX or clsact filter, 0 when there is none. */
uint32_t box_xdp_id(const char *ifname);
bool box_has_tcx(void); /* Linux 6.6 */
/* Packets that the driver received, also those that XDP dropped. */
unsigned long box_rx_packets(const char *ifname);
unsigned int box_ifindex(const char *ifname);

#endif

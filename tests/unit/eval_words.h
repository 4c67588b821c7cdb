/* SPDX-License-Identifier: GPL-2.0-only */
/* Sixteen packets, written as bytes, and short words for rules: for the tests of eval. */
#ifndef FW_TESTS_EVAL_WORDS_H
#define FW_TESTS_EVAL_WORDS_H

#include "harness/hex.h"
#include "model/eval.h"

#define MACS	"020000000002 020000000001 "
#define IP6ADDR "20010db8 00*11 01 20010db8 00*11 02 "

static const struct {
	const char *what, *hex;
} packets[] = {
	/* a */ {"tcp 10.0.0.1:1024 > 192.0.2.1:22 SYN, ttl 64, len 40",
		 MACS "0800 4500 0028 0001 0000 4006 0000 0a000001 c0000201 0400 0016 00000001 00000000 5002 ffff 0000 "
		      "0000 00*6"},
	/* b */
	{"tcp 10.0.0.2:22 > 192.0.2.1:1024 SYN+ACK, dscp 46, ttl 1, len 60, DF, source MAC 02…0b",
	 "020000000002 02000000000b 0800 45b8 003c 0001 4000 0106 0000 0a000002 c0000201 "
	 "0016 0400 00000001 00000001 5012 ffff 0000 0000 00*20"},
	/* c */
	{"udp 10.0.0.255:53 > 255.255.255.255:65535, ttl 255, len 28",
	 MACS "0800 4500 001c 0001 0000 ff11 0000 0a0000ff ffffffff 0035 ffff 0008 0000"},
	/* d */
	{"icmp echo-request 10.0.0.1 > 192.0.2.1, dscp 1, len 28",
	 MACS "0800 4504 001c 0001 0000 4001 0000 0a000001 c0000201 0800 0000 0000 0000"},
	/* e */
	{"udp later fragment 10.0.0.1 > 192.0.2.1, its bytes would read port 53, len 48",
	 MACS "0800 4500 0030 0001 0005 4011 0000 0a000001 c0000201 0035 0035 0008 0000 00*20"},
	/* f */
	{"tcp first fragment 10.0.0.1:1024 > 192.0.2.1:80 PSH+ACK, len 64", MACS
	 "0800 4500 0040 0001 2000 4006 0000 0a000001 c0000201 0400 0050 00000001 00000001 5018 ffff 0000 0000 00*24"},
	/* g */
	{"gre 10.0.0.1 > 192.0.2.1, len 24", MACS "0800 4500 0018 0001 0000 402f 0000 0a000001 c0000201 00000800"},
	/* h */
	{"tcp [2001:db8::1]:0 > [2001:db8::2]:443 SYN, len 60",
	 MACS "86dd 60000000 0014 06 40 " IP6ADDR "0000 01bb 00000001 00000000 5002 ffff 0000 0000"},
	/* i */
	{"udp [2001:db8::1]:5000 > [2001:db8::2]:53, destination options and atomic fragment, hop limit 63, dscp 10, "
	 "len 64",
	 MACS "86dd 62800000 0018 3c 3f " IP6ADDR "2c00 0104 0000 0000 11ff 0006 00000001 1388 0035 0008 0000"},
	/* j */
	{"icmp6 neighbour solicitation fe80::1 > ff02::1:ff00:2, hop limit 255, len 64",
	 MACS "86dd 60000000 0018 3a ff fe80 00*13 01 ff02 00*9 01 ff00 0002 8700 0000 00000000 20010db8 00*11 02"},
	/* k */
	{"tcp later fragment 2001:db8::1 > 2001:db8::2, its bytes would read port 22, len 56",
	 MACS "86dd 60000000 0010 2c 40 " IP6ADDR "0600 05c8 00000001 0016 0016 0000 0000"},
	/* l */
	{"esp 2001:db8::1 > 2001:db8::2, hop-by-hop and AH, len 80", MACS
	 "86dd 60000000 0028 00 40 " IP6ADDR "3300 0104 0000 0000 3204 0000 00000100 00000001 00*12 00000001 00000001"},
	/* m */ {"arp", MACS "0806 0001 0800 0604 0001 020000000001 0a000001 000000000000 c0000201"},
	/* n */
	{"udp 10.0.0.1:5000 > 192.0.2.1:53, priority tag and VLAN 100, len 28",
	 MACS "8100 0000 8100 0064 0800 4500 001c 0001 0000 4011 0000 0a000001 c0000201 1388 0035 0008 0000"},
	/* o */ {"LLC on VLAN 5, source MAC 02…ff", "020000000002 0200000000ff 8100 e005 0026 424203 00*35"},
	/* p */
	{"sctp 10.0.0.1:2944 > 192.0.2.1:22, len 32",
	 MACS "0800 4500 0020 0001 0000 4084 0000 0a000001 c0000201 0b80 0016 00000001 00000000"},
};
#define N_PACKETS (sizeof(packets) / sizeof(packets[0]))
#define ALL	  "abcdefghijklmnop"
#define ALL4	  "abcdefgnp"
#define ALL6	  "hijkl"
#define ALL_IP	  "abcdefghijklnp"

/* Sets, as the resolver would make them: sorted, disjoint. */
#define V(...)                                                                                                         \
	(&(const struct vset){(struct range[]){__VA_ARGS__},                                                           \
			      sizeof((struct range[]){__VA_ARGS__}) / sizeof(struct range)})
#define ONE(v)	    V({(v), (v)})
#define NONE	    (&(const struct vset){NULL, 0})
#define NOT(v, max) V({0, (v)-1}, {(v) + 1, (max)})
#define A4(...)                                                                                                        \
	(&(const struct aset){.v4 = (struct range4[]){__VA_ARGS__},                                                     \
			      .n4 = sizeof((struct range4[]){__VA_ARGS__}) / sizeof(struct range4)})
#define A6(...)                                                                                                        \
	(&(const struct aset){.v6 = (struct range6[]){__VA_ARGS__},                                                    \
			      .n6 = sizeof((struct range6[]){__VA_ARGS__}) / sizeof(struct range6)})
#define W(hi, lo)   ((u128)(hi) << 64 | (u128)(lo))
#define DB8	    0x20010db800000000
#define BOTH(p)	    V({0x100 | (p), 0x100 | (p)}, {0x200 | (p), 0x200 | (p)})
#define NOT_BOTH(p) V({0, 0x100 + (p)-1}, {0x100 + (p) + 1, 0x200 + (p)-1}, {0x200 + (p) + 1, 0x3ff})

#define IP  6 /* families: IPv4 and IPv6 */
#define F4  2
#define F6  4
#define ANY 7 /* and all others */

#define RULE(fam, ...)                                                                                                 \
	{                                                                                                              \
		.verdict = VERDICT_PASS, .families = (fam), .text = "", __VA_ARGS__                                    \
	}
#define VAL(field, set) .value[FIELD_##field] = (set)

#endif

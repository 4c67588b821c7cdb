/* SPDX-License-Identifier: GPL-2.0-only */
/* Few hosts and ports, so that flows, rules, limits and live sets speak of the same ones. */
#ifndef FW_HARNESS_FLOW_POOL_H
#define FW_HARNESS_FLOW_POOL_H

#include "model/rule.h"

#define FLOW_HOSTS   7
#define FLOW_INSIDE  2 /* the first ones: this side */
#define FLOW_SERVERS 4
#define FLOW_CLIENTS 3

static const uint32_t flow_host4[FLOW_HOSTS] = {
	0xc0000201, 0xc0000202,             /* 192.0.2.1, .2 */
	0xc6336401, 0xc6336402, 0xc6336482, /* 198.51.100.1, .2, .130 */
	0xc6336501,                         /* 198.51.101.1 */
	0xcb007107,                         /* 203.0.113.7 */
};

/* 2001:db8: subnet: host */
#define FLOW_ADDR6(subnet, host) ((u128)(0x20010db800000000ull | (subnet)) << 64 | (host))
static const u128 flow_host6[FLOW_HOSTS] = {
	FLOW_ADDR6(0x20000, 1), FLOW_ADDR6(0x20000, 2), FLOW_ADDR6(0x10000, 1), FLOW_ADDR6(0x10000, 2),
	FLOW_ADDR6(0x10000, (u128)1 << 63), FLOW_ADDR6(0x10001, 1), FLOW_ADDR6(0x70000, 7),
};

static const uint16_t flow_server[FLOW_SERVERS] = { 22, 80, 53, 443 };
static const uint16_t flow_client[FLOW_CLIENTS] = { 1024, 1025, 40000 };

static inline u128 flow_host(enum family family, uint64_t i)
{
	return family == FAMILY_IPV4 ? flow_host4[i % FLOW_HOSTS] : flow_host6[i % FLOW_HOSTS];
}

#endif

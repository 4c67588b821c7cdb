// SPDX-License-Identifier: GPL-2.0-only
/* Elements for live sets, the same from the same seed. */
#include "bench/state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

u128 state_element(const struct kern_element *e)
{
	if (e->l3 == FW_L3_IPV4)
		return ntohl(e->addr[0]);
	return (u128)((uint64_t)ntohl(e->addr[0]) << 32 | ntohl(e->addr[1])) << 64 | (uint64_t)ntohl(e->addr[2]) << 32 |
	       ntohl(e->addr[3]);
}

static void element_make(struct prng *p, bool six, bool net, struct kern_element *ret)
{
	unsigned int plen = six ? net ? 64 : 128 : net ? 24 : 32;
	u128 a = state_address(p, six);

	if (net)
		a = six ? a >> 64 << 64 : a >> 8 << 8;
	*ret = (struct kern_element){ .l3 = six ? FW_L3_IPV6 : FW_L3_IPV4, .plen = plen, .end_ns = UINT64_MAX };
	for (int i = 0; i < (six ? 4 : 1); i++)
		ret->addr[i] = htonl((uint32_t)(a >> (six ? 96 - 32 * i : 0)));
}

/* Of each family as many; three hosts to two prefixes. */
int state_crowd(uint64_t seed, size_t n, struct state_crowd *ret)
{
	struct prng p;
	size_t at = 0;

	prng_init(&p, seed);
	ret->v = calloc(n, sizeof(*ret->v));
	if (!ret->v)
		return -ENOMEM;
	for (int six = 0; six < 2; six++)
		for (int net = 0; net < 2; net++) {
			ret->part[six][net] = n / 2 * (net ? 2 : 3) / 5;
			for (size_t i = 0; i < ret->part[six][net]; i++)
				element_make(&p, six, net, &ret->v[at++]);
		}
	ret->n = at;
	return 0;
}

const struct kern_element *state_pick(const struct state_crowd *c, struct prng *p, bool six, bool net)
{
	size_t from = (six ? c->part[0][0] + c->part[0][1] : 0) + (net ? c->part[six][0] : 0);

	return &c->v[from + prng_below(p, c->part[six][net])];
}

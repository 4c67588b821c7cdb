// SPDX-License-Identifier: GPL-2.0-only
/* Rules over the hosts and ports of flow_pool.h. */
#include "harness/flow_pool.h"
#include "harness/rulegen_priv.h"

static const struct aset *some_hosts(struct gen *g)
{
	struct aset_builder b = { .arena = g->arena };
	struct aset *s = NULL, *inverted = NULL;
	uint64_t n = prng_range(g->p, 1, 2);

	while (n-- > 0) {
		uint64_t host = prng_below(g->p, FLOW_HOSTS);
		static const unsigned int len4[] = { 32, 32, 25, 24, 16 }, len6[] = { 128, 128, 65, 64, 48 };
		uint64_t len = prng_below(g->p, 5);

		gen_add_prefix4(g, &b, flow_host4[host], len4[len]);
		gen_add_prefix6(g, &b, flow_host6[host], len6[len]);
	}
	if (aset_build(&b, &s) || (prng_chance(g->p, 1, 8) && aset_invert(g->arena, s, &inverted)))
		g->failed = true;
	return inverted ? inverted : s;
}

/* Its families */
static unsigned int some_protocol(struct gen *g, struct rule *r)
{
	static const unsigned int protocols[] = { 6, 6, 6, 6, 17, 17, 1, 58, 132, 47 };
	unsigned int protocol = protocols[prng_below(g->p, sizeof(protocols) / sizeof(protocols[0]))];
	struct range both[] = { { 0x100 | protocol, 0x100 | protocol }, { 0x200 | protocol, 0x200 | protocol } };
	bool ports = protocol == 6 || protocol == 17 || protocol == 132;

	r->value[FIELD_PROTO] = gen_vset(g, both, 2);
	if (ports && prng_chance(g->p, 1, 2)) {
		uint16_t port = flow_server[prng_below(g->p, FLOW_SERVERS)];

		r->value[FIELD_DPORT] = gen_value(g, port, prng_chance(g->p, 1, 3) ? port + 60u : port);
	}
	if (ports && prng_chance(g->p, 1, 10))
		r->value[FIELD_SPORT] = gen_value(g, 0, prng_chance(g->p, 1, 2) ? 1024 : 1025);
	if (protocol == 6 && prng_chance(g->p, 1, 10))
		r->value[FIELD_TCPFLAGS] = gen_value(g, 2, 2);
	if ((protocol == 1 || protocol == 58) && prng_chance(g->p, 1, 3)) {
		uint64_t type = protocol == 1 ? 8 : 128;

		r->value[protocol == 1 ? FIELD_ICMP : FIELD_ICMP6] = gen_value(g, type << 8, type << 8 | 255);
		return protocol == 1 ? 2 : 4;
	}
	return 6;
}

/* Something of the packet that opens a flow, of which later packets say otherwise. */
static void some_detail(struct gen *g, struct rule *r)
{
	switch (prng_below(g->p, 7)) {
	case 0:
		r->value[FIELD_TTL] = gen_value(g, 0, 64);
		break;
	case 1:
		r->value[FIELD_LEN] = gen_value(g, 0, prng_range(g->p, 20, 120));
		break;
	case 2:
		r->value[FIELD_DSCP] = gen_value(g, 0, 9);
		break;
	case 3:
		r->value[FIELD_VLAN] = gen_value(g, 5, 6);
		break;
	case 4:
		r->value[FIELD_MAC] = gen_value(g, 0, prng_range(g->p, 0x020000000001, 0x020000000002));
		break;
	case 5:
		r->value[FIELD_FRAG] = gen_value(g, FRAG_NONE, prng_below(g->p, 2) ? FRAG_NONE : FRAG_FIRST);
		break;
	default:
		r->value[FIELD_ECN] = gen_value(g, 0, 1);
	}
}

void gen_flows_rule(struct gen *g, struct rule *r)
{
	*r = (struct rule){ .families = 6 };
	if (prng_chance(g->p, 3, 4))
		r->families = some_protocol(g, r);
	if (prng_chance(g->p, 1, 3))
		r->src = some_hosts(g);
	if (prng_chance(g->p, 1, 4))
		r->dst = some_hosts(g);
	if (prng_chance(g->p, 1, 8))
		some_detail(g, r);
	if (prng_chance(g->p, 1, 16))
		r->families = (unsigned int)prng_range(g->p, 1, 7);
}

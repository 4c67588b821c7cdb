// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a host cannot live without, under `default drop`: address resolution, router discovery, multicast membership,
 * and the leases of its addresses. Written in the language itself, behind every written rule, so that these decide
 * first. Neighbour discovery is believed at hop limit 255 alone: such a packet was not routed.
 */
#include "base/arena.h"
#include "lang/resolve.h"

#include <string.h>

static const char common[] = "pass ethertype arp label \"essential: arp\"\n"
			     "pass proto icmp6 type 133-136 ttl 255 label \"essential: neighbour discovery\"\n"
			     "pass proto icmp6 type { 130-132, 143 } label \"essential: multicast listener\"\n";
static const char ingress[] = "pass inet proto udp from port 67 to port 68 label \"essential: dhcp\"\n"
			      "pass proto udp from fe80::/10 port 547 to port 546 label \"essential: dhcpv6\"\n";
static const char egress[] = "pass inet proto udp from port 68 to port 67 label \"essential: dhcp\"\n"
			     "pass proto udp from fe80::/10 port 546 to port 547 label \"essential: dhcpv6\"\n";

void essentials_add(struct resolver *r, const struct ast_stmt *chain)
{
	struct source *source = arena_alloc(r->arena, sizeof(*source));
	struct ast_block block;
	size_t first = r->rules.n;

	if (!source) {
		r->failed = true;
		return;
	}
	source->name = "essentials";
	source->text = arena_printf(r->arena, "%s%s", common, chain->direction == DIRECTION_EGRESS ? egress : ingress);
	if (!source->text) {
		r->failed = true;
		return;
	}
	source->len = strlen(source->text);
	if (!parse_source(r->tree, source, PARSE_CHAIN, r->d, &block)) {
		r->failed = true;
		return;
	}
	r->essential = true;
	for (const struct ast_stmt *s = block.first; s; s = s->next)
		rule_resolve(r, s);
	r->essential = false;
	/* Their place is the `default drop` that asks for them. */
	for (size_t i = first; i < r->rules.n; i++) {
		r->rules.v[i].file = chain->span.source->name;
		r->rules.v[i].line = chain->line;
		r->rules.v[i].column = chain->column;
	}
}

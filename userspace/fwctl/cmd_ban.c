// SPDX-License-Identifier: GPL-2.0-only
/* ban, unban, bans: the short way to the live set that holds who is not welcome. */
#include "fwctl/cmd.h"
#include "fwctl/out.h"
#include "fwctl/setchange.h"
#include "fwctl/setlist.h"
#include "fwctl/verify.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* Is the address inside the element? Both in wire order. */
static bool covers(const struct kern_element *x, const uint8_t *addr)
{
	const uint8_t *net = (const uint8_t *)x->addr;
	unsigned int whole = x->plen / 8, rest = x->plen % 8;

	return !memcmp(net, addr, whole) && (!rest || !((net[whole] ^ addr[whole]) >> (8 - rest)));
}

/* Nobody bans the hand that bans. Elements are as they will stand in the set. */
static int hand_check(const struct elements *e)
{
	enum family family;
	uint8_t addr[16];
	u128 client;

	if (!ssh_client(&family, &client))
		return STATUS_DONE;
	uint8_t l3 = family == FAMILY_IPV4 ? FW_L3_IPV4 : FW_L3_IPV6;
	for (int i = family == FAMILY_IPV4 ? 3 : 15; i >= 0; i--, client >>= 8)
		addr[i] = (uint8_t)client;
	for (size_t i = 0; i < e->n; i++) {
		if (e->v[i].l3 != l3 || !covers(&e->v[i], addr))
			continue;
		char text[INET6_ADDRSTRLEN];
		problem("a ban of %s would cut the ssh connection that runs this command: it comes from %s; nothing "
			"was changed, "
			"insist with --force",
			element_text(&e->v[i]),
			inet_ntop(family == FAMILY_IPV4 ? AF_INET : AF_INET6, addr, text, sizeof(text)));
		return STATUS_REFUSED;
	}
	return STATUS_DONE;
}

static int run_ban(const struct args *a)
{
	struct elements e;
	struct liveset s = {};
	struct setchange c = {};

	elements_init(&e);
	int status = elements_words(&e, &cmd_ban, a->word, a->nwords);
	if (!status)
		status = liveset_open(&s, KERN_WRITE, args_get(a, "set"));
	if (!status)
		elements_settle(&e, s.set);
	if (!status && !args_has(a, "force"))
		status = hand_check(&e);
	if (!status)
		status = setchange_add(&s, &e, &c);
	liveset_release(&s);
	if (!status)
		status = setchange_report(&s, &e, &c, args_has(a, "json"));
	liveset_close(&s);
	elements_fini(&e);
	return status;
}

/* What an unban did not reach: the address stands in a prefix that is banned as a whole. */
static void still_banned(struct liveset *s, const struct elements *e)
{
	enum { TOLD = 16 };
	struct kern_element found;

	for (size_t i = 0; i < e->n && i < TOLD; i++)
		if (!kern_live_test(s->h, s->set->id, e->v[i].l3, e->v[i].addr, &found))
			problem("%s is still in %s, by %s", element_text(&e->v[i]), s->set->name, element_text(&found));
	s->live.fail = (struct fail){};
}

static int run_unban(const struct args *a)
{
	struct elements e;
	struct liveset s = {};
	struct setchange c = {};

	elements_init(&e);
	int status = elements_words(&e, &cmd_unban, a->word, a->nwords);
	if (!status)
		status = liveset_open(&s, KERN_WRITE, args_get(a, "set"));
	if (!status)
		status = setchange_del(&s, &e, &c);
	if (!status)
		still_banned(&s, &e);
	liveset_release(&s);
	if (!status)
		status = setchange_report(&s, &e, &c, args_has(a, "json"));
	liveset_close(&s);
	elements_fini(&e);
	return status;
}

static int run_bans(const struct args *a)
{
	return setlist_run(args_get(a, "set"), args_has(a, "json"));
}

#define WHICH_SET "Without --set it is the live set called \"banned\", or the only one that there is."

const struct command cmd_ban = {
	.name = "ban",
	.run = run_ban,
	.usage = "ADDRESS[/LEN]... [for TIME | until TIME] [reason TEXT...] [--set=NAME] [--force] [--json]",
	.help = "Put addresses into a live set that a rule drops: at once, on every interface.",
	.more = "TIME is like 30s, 10m, 1h30m, 5d, or ever; without it the set's own timeout counts. A second ban of an address ends at "
		"the later of the two times. Connections that the address has are cut, too. " WHICH_SET "\n\n"
		"A ban that holds the address of the ssh session that runs the command is refused, unless --force is given. In a set "
		"that widens, an IPv6 host becomes the /64 around it.",
	.kind = ARGS_NONE,
	.min = 1,
	.max = ARGS_ANY,
	.options =
		{
			{ .name = "set", .arg = "NAME", .help = "the live set" },
			{ .name = "force", .help = "also when that cuts this ssh connection" },
			{ .name = "json", .help = "print JSON" },
		},
};

const struct command cmd_unban = {
	.name = "unban",
	.run = run_unban,
	.usage = "ADDRESS[/LEN]... [--set=NAME] [--json]",
	.help = "Take addresses out of a live set again.",
	.more = "An address that is not in the set is told, and no failure: it may have ended a moment ago. An address that "
		"stays in it by a prefix around it is told as well. " WHICH_SET,
	.kind = ARGS_NONE,
	.min = 1,
	.max = ARGS_ANY,
	.options =
		{
			{ .name = "set", .arg = "NAME", .help = "the live set" },
			{ .name = "json", .help = "print JSON" },
		},
};

const struct command cmd_bans = {
	.name = "bans",
	.run = run_bans,
	.usage = "[--set=NAME] [--json]",
	.help = "List who is banned, for how long, and why.",
	.more = WHICH_SET,
	.kind = ARGS_NONE,
	.options =
		{
			{ .name = "set", .arg = "NAME", .help = "the live set" },
			{ .name = "json", .help = "print JSON" },
		},
};

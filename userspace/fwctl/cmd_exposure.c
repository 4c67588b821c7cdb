// SPDX-License-Identifier: GPL-2.0-only
/* exposure: which sockets wait for whom, and who comes through the rules to them. */
#include "base/cleanup.h"
#include "base/vec.h"
#include "fwctl/cmd.h"
#include "fwctl/exposure.h"
#include "fwctl/file.h"
#include "fwctl/out.h"
#include "fwctl/text.h"
#include "fwctl/words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

struct rows {
	struct exposed *v;
	size_t n, cap;
};

struct exposure {
	struct arena *arena;
	struct live live;
	struct file file;
	const char *ifname; /* --live: this one alone */
	struct from from;
	bool asks; /* --from */
	struct sock *sock;
	struct local *local;
	size_t nsocks, nlocals;
	struct gate *gate; /* one for each interface with an address, loopback apart */
	size_t ngates;
	struct rows rows;
};

static bool is_loopback(enum family family, u128 addr)
{
	return family == FAMILY_IPV4 ? (uint32_t)addr >> 24 == 127 : addr == 1;
}

static bool is_multicast(enum family family, u128 addr)
{
	return family == FAMILY_IPV4 ? (uint32_t)addr >> 28 == 14 : addr >> 120 == 255;
}

static int from_parse(struct exposure *e, const char *text)
{
	uint8_t b[16];
	int n = inet_pton(AF_INET, text, b) == 1 ? 4 : inet_pton(AF_INET6, text, b) == 1 ? 16 : 0;

	if (!n)
		return args_wrong(&cmd_exposure, "--from wants one IPv4 or IPv6 address, not %s", out_name(text));
	e->asks = true;
	e->from.family = n == 4 ? FAMILY_IPV4 : FAMILY_IPV6;
	for (int i = 0; i < n; i++)
		e->from.addr = e->from.addr << 8 | b[i];
	return STATUS_DONE;
}

/* In which of the policy's live sets is the one who asks? */
static uint32_t members_of(struct exposure *e, const struct policy *p)
{
	struct kern_live *sets = NULL;
	struct kern_set *set = NULL;
	struct kern_element found;
	uint32_t addr[4], members = 0;
	size_t n = 0;

	if (!p->nlive || !e->asks || kern_live_open(e->live.kern, &sets))
		return 0;
	exposure_wire(e->from.family, e->from.addr, addr);
	if (!kern_live_sets(sets, &set, &n))
		for (size_t i = 0; i < p->nlive; i++)
			for (size_t k = 0; k < n; k++)
				if (!strcmp(set[k].name, p->live[i]->name) &&
				    !kern_live_test(sets, set[k].id, (uint8_t)e->from.family, addr, &found))
					members |= 1u << i;
	free(set);
	kern_live_close(sets);
	return members;
}

/* What runs on the interface: rules that speak of what arrives, and a program that asks them. */
static int gate_live(struct exposure *e, struct gate *g)
{
	const struct kern_iface_state *s = live_find(&e->live, g->ifname);
	bool attached = false;

	for (size_t i = 0; s && i < s->nhooks; i++)
		attached |= hook_dir(s->hook[i].hook) == FW_DIR_INGRESS && s->hook[i].attached;
	if (!attached)
		return STATUS_DONE;
	g->name = s->policy;
	g->image = live_image(&e->live, s);
	if (!g->image)
		return STATUS_REFUSED;
	for (size_t i = 0; &e->gate[i] < g; i++)
		if (e->gate[i].name && !strcmp(e->gate[i].name, g->name))
			g->policy = e->gate[i].policy;
	const struct ruleset *rs = g->policy ? NULL : text_read(e->arena, g->image);
	if (rs)
		g->policy = &rs->policies[0];
	if (g->policy)
		g->members = members_of(e, g->policy);
	return STATUS_DONE;
}

/* As the file says; one policy that is bound to no interface is meant for all. */
static void gate_file(const struct exposure *e, struct gate *g)
{
	const struct ruleset *rs = e->file.rules;

	for (size_t i = 0; i < rs->nbindings; i++)
		if (!strcmp(rs->bindings[i].interface, g->ifname))
			g->policy = rs->bindings[i].policy;
	if (!rs->nbindings && rs->npolicies == 1)
		g->policy = &rs->policies[0];
	if (g->policy)
		g->name = g->policy->name;
}

static int gates_make(struct exposure *e)
{
	int status = STATUS_DONE;

	e->gate = calloc(e->nlocals + 1, sizeof(*e->gate));
	if (!e->gate) {
		problem("no memory");
		return STATUS_REFUSED;
	}
	for (size_t i = 0; i < e->nlocals && !status; i++) {
		size_t k = 0;
		if (e->local[i].loopback || (e->ifname && strcmp(e->ifname, e->local[i].ifname)))
			continue;
		while (k < e->ngates && strcmp(e->gate[k].ifname, e->local[i].ifname))
			k++;
		if (k < e->ngates)
			continue;
		struct gate *g = &e->gate[e->ngates++];
		snprintf(g->ifname, sizeof(g->ifname), "%s", e->local[i].ifname);
		if (e->file.rules)
			gate_file(e, g);
		else
			status = gate_live(e, g);
	}
	return status;
}

static const struct gate *gate_find(const struct exposure *e, const char *ifname)
{
	for (size_t i = 0; i < e->ngates; i++)
		if (!strcmp(e->gate[i].ifname, ifname))
			return &e->gate[i];
	return NULL;
}

/* Is the socket reached at this address? */
static bool reaches(const struct sock *s, const struct local *l)
{
	if (s->ifindex && s->ifindex != l->ifindex)
		return false;
	if (!s->addr)
		return s->family == l->family || (s->both && l->family == FAMILY_IPV4);
	return s->family == l->family && s->addr == l->addr;
}

static int row_add(struct exposure *e, const struct sock *s, const struct local *l, const struct gate *g)
{
	struct exposed x = { .sock = s, .at = l, .gate = g, .to = OPEN_COUNT };

	if (!g)
		x.to = OPEN_LOCAL;
	else if (!g->name)
		x.to = OPEN_UNFILTERED;
	else if (!g->policy)
		x.to = OPEN_UNKNOWN;
	return vec_push(&e->rows, x);
}

/* Groups are joined at interfaces: there the address of the group stands for that of the interface. */
static int rows_group(struct exposure *e, const struct sock *s)
{
	int err = 0;

	for (size_t i = 0; i < e->ngates && !err; i++) {
		struct local *l = arena_alloc(e->arena, sizeof(*l));
		if (!l)
			return -ENOMEM;
		*l = (struct local){ .family = s->family, .addr = s->addr };
		snprintf(l->ifname, sizeof(l->ifname), "%s", e->gate[i].ifname);
		if (!s->ifindex || s->ifindex == if_nametoindex(l->ifname))
			err = row_add(e, s, l, &e->gate[i]);
	}
	return err;
}

static int rows_of(struct exposure *e, const struct sock *s)
{
	int err = 0;

	if (is_loopback(s->family, s->addr))
		return e->ifname || e->asks ? 0 : row_add(e, s, NULL, NULL);
	if (is_multicast(s->family, s->addr))
		return e->asks && s->family != e->from.family ? 0 : rows_group(e, s);
	for (size_t i = 0; i < e->nlocals && !err; i++) {
		const struct local *l = &e->local[i];
		const struct gate *g = l->loopback ? NULL : gate_find(e, l->ifname);
		if (g && reaches(s, l) && (!e->asks || l->family == e->from.family))
			err = row_add(e, s, l, g);
	}
	return err;
}

static int read_all(struct exposure *e)
{
	struct fail fail = {};
	int err = sockets_list(&fail, &e->sock, &e->nsocks);

	err = err ?: locals_list(&fail, &e->local, &e->nlocals);
	if (err) {
		problem_fail(&fail, err);
		return STATUS_REFUSED;
	}
	int status = gates_make(e);
	live_release(&e->live);
	for (size_t i = 0; i < e->nsocks && !status && !err; i++)
		err = rows_of(e, &e->sock[i]);
	if (!status && !err)
		err = exposure_judge(e->arena, e->rows.v, e->rows.n, e->asks ? &e->from : NULL);
	if (!err)
		return status;
	problem("no memory");
	return STATUS_REFUSED;
}

/* Where the rules are: what runs, of one interface or all, or a file. */
static int source_open(struct exposure *e, const struct args *a)
{
	const char *word = a->nwords ? a->word[0] : NULL;

	if (args_has(a, "live") && !word)
		return args_wrong(&cmd_exposure, "--live wants an interface");
	if (word && !args_has(a, "live")) {
		int status = file_open(&e->file, word);
		file_report(&e->file);
		return status;
	}
	e->ifname = word;
	if (word && ifname_wrong(word))
		return STATUS_WRONG;
	int status = live_open(&e->live, KERN_READ);
	return status ? status : word && !live_need(&e->live, word) ? STATUS_REFUSED : STATUS_DONE;
}

static int run(const struct args *a)
{
	struct exposure e = { .arena = arena_new() };
	const char *from = args_get(a, "from");
	int status = from ? from_parse(&e, from) : STATUS_DONE;

	if (!e.arena) {
		problem("no memory");
		return STATUS_REFUSED;
	}
	if (!status)
		status = source_open(&e, a);
	if (!status)
		status = read_all(&e);
	const struct from *who = e.asks ? &e.from : NULL;
	if (!status && args_has(a, "json"))
		status = exposure_json(e.rows.v, e.rows.n, who);
	else if (!status && !e.rows.n)
		out("no socket waits for others\n");
	else if (!status)
		exposure_print(e.rows.v, e.rows.n, who);
	free(e.rows.v);
	free(e.gate);
	free(e.sock);
	free(e.local);
	if (e.file.arena)
		file_close(&e.file);
	live_close(&e.live);
	arena_free(e.arena);
	return status;
}

const struct command cmd_exposure = {
	.name = "exposure",
	.run = run,
	.usage = "[FILE] [--from ADDRESS] [--json]\n--live IFACE [--from ADDRESS] [--json]",
	.help = "Say which listening sockets the rules let whom reach.",
	.more = "Lists the TCP sockets that listen and the UDP sockets that are not connected, with the process when it may be "
		"seen, and for each address that leads to one, at the interface that has it, who comes through: everybody; everybody "
		"but the members of live sets; some, with an example of who does and who does not; or nobody. What is asked about is "
		"the first packet of a connection, whole, from any source. The rule is that of who comes through; where "
		"nobody does, that of who is kept "
		"out.\n\n"
		"--from asks about one source, which is looked up in the live sets (with a file, they are empty), and says the "
		"verdict. Sockets on loopback "
		"addresses are \"local only\"; an interface without fwctl is \"not filtered\". Rules with limits "
		"count as their verdict.\n\n"
		"Without a file, the rules that run are asked, of all interfaces or with --live of one; with a file, its rules are, on "
		"the interfaces that it names, or on all when it has one policy and names none.",
	.kind = ARGS_FILE,
	.max = 1,
	.options =
		{
			{ .name = "live", .help = "the word is an interface, not a file" },
			{ .name = "from", .arg = "ADDRESS", .help = "what happens to this source" },
			{ .name = "json", .help = "print JSON" },
		},
};

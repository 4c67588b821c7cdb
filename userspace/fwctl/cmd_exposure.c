// SPDX-License-Identifier: GPL-2.0-only
/* exposure: which sockets wait for whom, and who comes through the rules to them. */
#include "base/cleanup.h"
#include "base/vec.h"
#include "fwctl/cmd.h"
#include "fwctl/elements.h"
#include "fwctl/example.h"
#include "fwctl/exposure.h"
#include "fwctl/file.h"
#include "fwctl/out.h"
#include "fwctl/text.h"
#include "fwctl/words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
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

static void wire(enum family family, u128 addr, uint32_t out[4])
{
	int n = family == FAMILY_IPV4 ? 1 : 4;

	memset(out, 0, 16);
	for (int i = 0; i < n; i++)
		out[i] = htonl((uint32_t)(addr >> 32 * (n - 1 - i)));
}

static const char *addr_text(enum family family, u128 addr)
{
	uint32_t w[4];

	wire(family, addr, w);
	return address_text((uint8_t)family, w);
}

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
	wire(e->from.family, e->from.addr, addr);
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

static const char *const open_words[] = {
	[OPEN_LOCAL] = "local only",	 [OPEN_UNFILTERED] = "not filtered", [OPEN_EVERYBODY] = "everybody",
	[OPEN_BUT_SETS] = "everybody but", [OPEN_SOME] = "some",		     [OPEN_NOBODY] = "nobody",
	[OPEN_UNKNOWN] = "unknown",
};

static const char *to_text(const struct exposure *e, const struct exposed *x)
{
	static struct str s;

	str_reset(&s);
	if (e->asks && (x->to == OPEN_EVERYBODY || x->to == OPEN_NOBODY))
		return word_verdict((unsigned int)x->one.verdict);
	str_add(&s, open_words[x->to]);
	for (size_t i = 0; x->to == OPEN_BUT_SETS && i < x->gate->policy->nlive; i++)
		str_addf(&s, "%s@%s", i ? ", " : " ", x->gate->policy->live[i]->name);
	return str_get(&s);
}

/* Whose word it is: of who comes through when somebody does, else of who is kept out. */
static bool rule_of(const struct exposure *e, const struct exposed *x, bool pass, long *ret)
{
	const struct example *ex = pass ? &x->pass : &x->drop;

	if (x->to != OPEN_EVERYBODY && x->to != OPEN_NOBODY && x->to != OPEN_SOME && x->to != OPEN_BUT_SETS)
		return false;
	*ret = e->asks ? x->one.rule : ex->rule;
	return e->asks || ex->there;
}

/* label and place; live, the image knows the file. */
static void rule_text(const struct exposed *x, long rule, struct str *s)
{
	const struct chain *c = &x->gate->policy->chain[DIRECTION_INGRESS];
	size_t n = 0;
	const struct fw_meta_rule *m = x->gate->image ? image_rules(x->gate->image, FW_DIR_INGRESS, &n) : NULL;

	if (rule < 0 || (size_t)rule >= c->nrules) {
		str_add(s, c->present ? "default" : "no ingress rules");
		return;
	}
	const struct rule *r = &c->rules[rule];
	const char *label = r->label ? r->label : "", *file = r->file ? r->file : "?";
	unsigned int line = r->line;
	if (m && n == c->nrules) {
		file = image_str(x->gate->image, m[rule].file);
		line = m[rule].line;
	}
	if (*label)
		str_add_escaped(s, label, strlen(label));
	if (r->essential)
		return;
	str_add(s, *label ? " (" : "");
	str_add_escaped(s, file, strlen(file));
	str_addf(s, ":%u%s", line, *label ? ")" : "");
}

static void live_names(const struct policy *p, const char *names[POLICY_MAX_LIVE])
{
	for (size_t i = 0; i < p->nlive; i++)
		names[i] = p->live[i]->name;
}

static void example_add(const struct exposed *x, const struct example *ex, struct str *s)
{
	const char *names[POLICY_MAX_LIVE];

	if (!ex->there || !ex->built)
		return;
	live_names(x->gate->policy, names);
	example_text(&ex->spec, x->gate->policy->track, names, x->gate->policy->nlive, s);
}

static const char *socket_text(const struct sock *s, enum family family, u128 addr, bool any)
{
	static struct str ring[2];
	static unsigned int next;
	struct str *out = &ring[next++ % 2];

	str_reset(out);
	str_addf(out, family == FAMILY_IPV6 && !any ? "[%s]:%u" : "%s:%u", any ? "*" : addr_text(family, addr), s->port);
	return str_get(out);
}

static const char *owner_text(const struct sock *s)
{
	static struct str out;

	str_reset(&out);
	if (!s->pid)
		return "-";
	str_add_escaped(&out, s->name, strlen(s->name));
	str_addf(&out, " (%d)", (int)s->pid);
	return str_get(&out);
}

static void rows_print(const struct exposure *e)
{
	struct table t;

	table_init(&t, 7, "proto", "socket", "reached at", "interface", e->asks ? "verdict" : "open to", "by rule", "process");
	for (size_t i = 0; i < e->rows.n; i++) {
		const struct exposed *x = &e->rows.v[i];
		struct str rule = {};
		long r;
		if (rule_of(e, x, x->to != OPEN_NOBODY, &r))
			rule_text(x, r, &rule);
		table_add(&t, x->sock->proto == IPPROTO_TCP ? "tcp" : "udp",
			  socket_text(x->sock, x->sock->family, x->sock->addr, !x->sock->addr), x->at ? addr_text(x->at->family, x->at->addr) : "-",
			  x->gate ? out_name(x->gate->ifname) : "lo", to_text(e, x), rule.len ? str_get(&rule) : "-", owner_text(x->sock));
		str_fini(&rule);
	}
	table_print(&t, "");
	for (size_t i = 0; i < e->rows.n && !e->asks; i++) {
		const struct exposed *x = &e->rows.v[i];
		struct str s = {};
		if (x->to != OPEN_SOME)
			continue;
		str_addf(&s, "%s %s: passes ", out_name(x->gate->ifname), socket_text(x->sock, x->at->family, x->at->addr, false));
		example_add(x, &x->pass, &s);
		str_add(&s, "; does not: ");
		example_add(x, &x->drop, &s);
		out("%s\n", str_get(&s));
		str_fini(&s);
	}
}

static json_t *side_json(const struct exposure *e, const struct exposed *x, bool pass)
{
	const struct example *ex = pass ? &x->pass : &x->drop;
	const struct policy *p = x->gate->policy;
	const char *names[POLICY_MAX_LIVE];
	struct str s = {};
	long r;

	if (!rule_of(e, x, pass, &r))
		return json_null();
	rule_text(x, r, &s);
	json_t *j = json_pack("{s:o}", "rule", out_jstr(str_get(&s)));
	str_fini(&s);
	if (j && r >= 0 && (size_t)r < p->chain[DIRECTION_INGRESS].nrules)
		json_object_set_new(j, "text", out_jstr(p->chain[DIRECTION_INGRESS].rules[r].text));
	live_names(p, names);
	if (j && !e->asks && ex->built)
		json_object_set_new(j, "example", example_json(&ex->spec, p->track, names, p->nlive));
	return j;
}

static json_t *row_json(const struct exposure *e, const struct exposed *x)
{
	const struct sock *s = x->sock;
	bool judged = x->to == OPEN_EVERYBODY || x->to == OPEN_NOBODY || x->to == OPEN_SOME || x->to == OPEN_BUT_SETS;
	json_t *j = json_pack("{s:s,s:s,s:s,s:i,s:o,s:o,s:s}", "proto", s->proto == IPPROTO_TCP ? "tcp" : "udp", "family",
			      (x->at ? x->at->family : s->family) == FAMILY_IPV4 ? "ipv4" : "ipv6", "bound", s->addr ? addr_text(s->family, s->addr) : "*",
			      "port", (int)s->port, "address", x->at ? json_string(addr_text(x->at->family, x->at->addr)) : json_null(),
			      "interface", x->gate ? out_jstr(x->gate->ifname) : json_null(), "open_to", open_words[x->to]);

	if (!j)
		return NULL;
	if (e->asks && judged) {
		json_object_set_new(j, "open_to", json_null());
		json_object_set_new(j, "verdict", json_string(word_verdict((unsigned int)x->one.verdict)));
		json_object_set_new(j, "by", side_json(e, x, true));
	} else if (judged) {
		json_object_set_new(j, "pass", side_json(e, x, true));
		json_object_set_new(j, "drop", side_json(e, x, false));
	}
	if (x->gate && x->gate->name)
		json_object_set_new(j, "policy", out_jstr(x->gate->name));
	json_object_set_new(j, "process", s->pid ? json_pack("{s:o,s:i}", "name", out_jstr(s->name), "pid", (int)s->pid) : json_null());
	return j;
}

static int rows_json(const struct exposure *e)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < e->rows.n; i++)
		json_array_append_new(rows, row_json(e, &e->rows.v[i]));
	return out_json(json_pack("{s:o,s:o}", "from", e->asks ? json_string(addr_text(e->from.family, e->from.addr)) : json_null(), "sockets",
				  rows),
			false);
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
	if (!status && args_has(a, "json"))
		status = rows_json(&e);
	else if (!status && !e.rows.n)
		out("no socket waits for others\n");
	else if (!status)
		rows_print(&e);
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
	.more = "Lists the TCP sockets that listen and the UDP sockets that are not connected, with the process when it may be seen, "
		"and for each address that leads to one, at the interface that has it, who comes through: everybody; everybody but the members "
		"of live sets; some, with an example of who does and who does not; or nobody. What is asked about is the first packet of a "
		"connection, whole, from any source. The rule is that of who comes through; where nobody does, that of who is kept "
		"out.\n\n"
		"--from asks about one source, which is looked up in the live sets, and says the verdict. Sockets on loopback addresses are "
		"\"local only\"; an interface without fwctl is \"not filtered\". Rules with limits count as their verdict.\n\n"
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

// SPDX-License-Identifier: GPL-2.0-only
/* What was judged, in words and as JSON. */
#include "fwctl/exposure.h"

#include "fwctl/elements.h"
#include "fwctl/example.h"
#include "fwctl/out.h"
#include "fwctl/words.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

void exposure_wire(enum family family, u128 addr, uint32_t out[4])
{
	int n = family == FAMILY_IPV4 ? 1 : 4;

	memset(out, 0, 16);
	for (int i = 0; i < n; i++)
		out[i] = htonl((uint32_t)(addr >> 32 * (n - 1 - i)));
}

static const char *exposure_address(enum family family, u128 addr)
{
	uint32_t w[4];

	exposure_wire(family, addr, w);
	return address_text((uint8_t)family, w);
}

static const char *const open_words[] = {
	[OPEN_LOCAL] = "local only",	 [OPEN_UNFILTERED] = "not filtered", [OPEN_EVERYBODY] = "everybody",
	[OPEN_BUT_SETS] = "everybody but", [OPEN_SOME] = "some",		     [OPEN_NOBODY] = "nobody",
	[OPEN_UNKNOWN] = "unknown",
};

static const char *to_text(const struct from *from, const struct exposed *x)
{
	static struct str s;

	str_reset(&s);
	if (from && (x->to == OPEN_EVERYBODY || x->to == OPEN_NOBODY))
		return word_verdict((unsigned int)x->one.verdict);
	str_add(&s, open_words[x->to]);
	for (size_t i = 0; x->to == OPEN_BUT_SETS && i < x->gate->policy->nlive; i++)
		str_addf(&s, "%s@%s", i ? ", " : " ", x->gate->policy->live[i]->name);
	return str_get(&s);
}

/* Whose word it is: of who comes through when somebody does, else of who is kept out. */
static bool rule_of(const struct from *from, const struct exposed *x, bool pass, long *ret)
{
	const struct example *ex = pass ? &x->pass : &x->drop;

	if (x->to != OPEN_EVERYBODY && x->to != OPEN_NOBODY && x->to != OPEN_SOME && x->to != OPEN_BUT_SETS)
		return false;
	*ret = from ? x->one.rule : ex->rule;
	return from || ex->there;
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
	str_addf(out, family == FAMILY_IPV6 && !any ? "[%s]:%u" : "%s:%u", any ? "*" : exposure_address(family, addr), s->port);
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

void exposure_print(const struct exposed *v, size_t n, const struct from *from)
{
	struct table t;

	table_init(&t, 7, "proto", "socket", "reached at", "interface", from ? "verdict" : "open to", "by rule", "process");
	for (size_t i = 0; i < n; i++) {
		const struct exposed *x = &v[i];
		struct str rule = {};
		long r;
		if (rule_of(from, x, x->to != OPEN_NOBODY, &r))
			rule_text(x, r, &rule);
		table_add(&t, x->sock->proto == IPPROTO_TCP ? "tcp" : "udp",
			  socket_text(x->sock, x->sock->family, x->sock->addr, !x->sock->addr),
			  x->at ? exposure_address(x->at->family, x->at->addr) : "-", x->gate ? out_name(x->gate->ifname) : "lo",
			  to_text(from, x), rule.len ? str_get(&rule) : "-", owner_text(x->sock));
		str_fini(&rule);
	}
	table_print(&t, "");
	for (size_t i = 0; i < n && !from; i++) {
		const struct exposed *x = &v[i];
		struct str s = {};
		if (x->to != OPEN_SOME)
			continue;
		str_addf(&s, "%s %s: passes ", out_name(x->gate->ifname), socket_text(x->sock, x->at->family, x->at->addr, false));
		example_add(x, &x->pass, &s);
		str_add(&s, "; does not: ");
		example_add(x, &x->drop, &s);
		str_add(&s, ", by ");
		rule_text(x, x->drop.rule, &s);
		out("%s\n", str_get(&s));
		str_fini(&s);
	}
}

static json_t *side_json(const struct from *from, const struct exposed *x, bool pass)
{
	const struct example *ex = pass ? &x->pass : &x->drop;
	const struct policy *p = x->gate->policy;
	const char *names[POLICY_MAX_LIVE];
	struct str s = {};
	long r;

	if (!rule_of(from, x, pass, &r))
		return json_null();
	rule_text(x, r, &s);
	json_t *j = json_pack("{s:o}", "rule", out_jstr(str_get(&s)));
	str_fini(&s);
	if (j && r >= 0 && (size_t)r < p->chain[DIRECTION_INGRESS].nrules)
		json_object_set_new(j, "text", out_jstr(p->chain[DIRECTION_INGRESS].rules[r].text));
	live_names(p, names);
	if (j && !from && ex->built)
		json_object_set_new(j, "example", example_json(&ex->spec, p->track, names, p->nlive));
	return j;
}

static json_t *row_json(const struct from *from, const struct exposed *x)
{
	const struct sock *s = x->sock;
	bool judged = x->to == OPEN_EVERYBODY || x->to == OPEN_NOBODY || x->to == OPEN_SOME || x->to == OPEN_BUT_SETS;
	json_t *j = json_pack("{s:s,s:s,s:s,s:i,s:o,s:o,s:s}", "proto", s->proto == IPPROTO_TCP ? "tcp" : "udp", "family",
			      (x->at ? x->at->family : s->family) == FAMILY_IPV4 ? "ipv4" : "ipv6", "bound",
			      s->addr ? exposure_address(s->family, s->addr) : "*", "port", (int)s->port, "address",
			      x->at ? json_string(exposure_address(x->at->family, x->at->addr)) : json_null(),
			      "interface", x->gate ? out_jstr(x->gate->ifname) : json_null(), "open_to", open_words[x->to]);

	if (!j)
		return NULL;
	if (from && judged) {
		json_object_set_new(j, "open_to", json_null());
		json_object_set_new(j, "verdict", json_string(word_verdict((unsigned int)x->one.verdict)));
		json_object_set_new(j, "by", side_json(from, x, true));
	} else if (judged) {
		json_object_set_new(j, "pass", side_json(from, x, true));
		json_object_set_new(j, "drop", side_json(from, x, false));
	}
	if (x->gate && x->gate->name)
		json_object_set_new(j, "policy", out_jstr(x->gate->name));
	json_object_set_new(j, "process",
			    s->pid ? json_pack("{s:o,s:i}", "name", out_jstr(s->name), "pid", (int)s->pid) : json_null());
	return j;
}

int exposure_json(const struct exposed *v, size_t n, const struct from *from)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(rows, row_json(from, &v[i]));
	return out_json(json_pack("{s:o,s:o}", "from",
				  from ? json_string(exposure_address(from->family, from->addr)) : json_null(), "sockets", rows),
			false);
}

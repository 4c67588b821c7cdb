// SPDX-License-Identifier: GPL-2.0-only
#include "harness/rulegen.h"

#include "base/arena.h"
#include "base/str.h"
#include "harness/rulegen_priv.h"

#define MAX_COUNT_RULES 256

const struct vset *gen_vset(struct gen *g, const struct range *r, size_t n)
{
	struct vset *v = NULL;

	if (vset_build(g->arena, r, n, &v))
		g->failed = true;
	return v;
}

const struct vset *gen_vset_not(struct gen *g, const struct vset *in, enum field_id id)
{
	struct vset *v = NULL;

	if (!in || vset_invert(g->arena, in, (1ull << field_get(id)->bits) - 1, &v))
		g->failed = true;
	return v;
}

const struct vset *gen_value(struct gen *g, uint64_t lo, uint64_t hi)
{
	return gen_vset(g, &(struct range){lo, hi}, 1);
}

void gen_add_prefix4(struct gen *g, struct aset_builder *b, uint32_t addr, unsigned int len)
{
	uint32_t host = len >= 32 ? 0 : UINT32_MAX >> len;

	if (aset_add4(b, addr & ~host, addr | host))
		g->failed = true;
}

void gen_add_prefix6(struct gen *g, struct aset_builder *b, u128 addr, unsigned int len)
{
	u128 host = len >= 128 ? 0 : ~(u128)0 >> len;

	if (aset_add6(b, addr & ~host, addr | host))
		g->failed = true;
}

static void essential(struct gen *g, struct chain *c, const char *label, unsigned int families)
{
	struct rule *r = &c->rules[c->nrules++];

	*r = (struct rule){.verdict = VERDICT_PASS,
			   .families = families,
			   .label = label,
			   .text = label,
			   .file = "gen.fw",
			   .essential = true};
}

static void essential_dhcp(struct gen *g, struct chain *c, const char *label, enum family family, unsigned int from,
			   unsigned int to)
{
	struct rule *r = &c->rules[c->nrules];
	struct aset_builder b = {.arena = g->arena};
	struct aset *link_local = NULL;

	essential(g, c, label, 1u << family);
	r->value[FIELD_PROTO] = gen_value(g, family << 8 | 17, family << 8 | 17);
	r->value[FIELD_SPORT] = gen_value(g, from, from);
	r->value[FIELD_DPORT] = gen_value(g, to, to);
	if (family == FAMILY_IPV6) {
		gen_add_prefix6(g, &b, (u128)0xfe80 << 112, 10);
		if (aset_build(&b, &link_local))
			g->failed = true;
		r->src = link_local;
	}
}

#define N_ESSENTIALS 5
static void gen_essentials(struct gen *g, struct chain *c, enum direction dir)
{
	static const struct range nd = {133 << 8, 136 << 8 | 255},
				  mld[] = {{130 << 8, 132 << 8 | 255}, {143 << 8, 143 << 8 | 255}};
	bool in = dir == DIRECTION_INGRESS;
	struct rule *r = &c->rules[c->nrules];

	essential(g, c, "essential: arp", 7);
	r->value[FIELD_ETHERTYPE] = gen_value(g, 0x0806, 0x0806);
	essential(g, c, "essential: nd", 1u << FAMILY_IPV6);
	r[1].value[FIELD_ICMP6] = gen_vset(g, &nd, 1);
	r[1].value[FIELD_TTL] = gen_value(g, 255, 255);
	essential(g, c, "essential: mld", 1u << FAMILY_IPV6);
	r[2].value[FIELD_ICMP6] = gen_vset(g, mld, 2);
	essential_dhcp(g, c, "essential: dhcp", FAMILY_IPV4, in ? 67 : 68, in ? 68 : 67);
	essential_dhcp(g, c, "essential: dhcp6", FAMILY_IPV6, in ? 547 : 546, in ? 546 : 547);
}

static bool is_real(enum rulegen_style style)
{
	return style >= RULEGEN_REAL_FIRST && style < RULEGEN_HOSTILE_FIRST;
}

/* Rules of a style that makes them one by one. */
static void gen_rule(struct gen *g, struct chain *c, struct rule *r)
{
	const struct rulegen_opts *o = g->opts;

	if (o->style == RULEGEN_FLOWS)
		gen_flows_rule(g, r);
	else if (o->style >= RULEGEN_HOSTILE_FIRST)
		gen_hostile_rule(g, r, c->nrules);
	else if (o->style == RULEGEN_CLASSBENCH)
		gen_classbench_rule(g, r);
	else if (c->nrules && prng_chance(g->p, 1, 12)) /* a duplicate, maybe with the other verdict */
		*r = c->rules[prng_below(g->p, c->nrules)];
	else
		gen_edges_rule(g, r);
	r->verdict = prng_chance(g->p, o->style == RULEGEN_FLOWS ? 2 : 1, o->style == RULEGEN_FLOWS ? 3 : 2) ? VERDICT_PASS :
														 VERDICT_DROP;
}

/* What a rule of any style has. */
static void gen_finish(struct gen *g, struct rule *r, size_t i, size_t *counts)
{
	const struct rulegen_opts *o = g->opts;
	unsigned int allowed = o->families ? o->families : 7;

	r->families = r->families & allowed ? r->families & allowed : allowed;
	if (!o->no_count && *counts < MAX_COUNT_RULES && prng_chance(g->p, 1, 16)) {
		r->verdict = VERDICT_CONTINUE;
		++*counts;
	}
	r->text = arena_printf(g->arena, "gen %zu", i);
	r->label = prng_chance(g->p, 1, 8) ? arena_printf(g->arena, "label %zu", i) : NULL;
	r->file = "gen.fw";
	r->line = (unsigned int)i + 1;
	r->column = 1;
	if (!r->text)
		g->failed = true;
}

static void gen_chain(struct gen *g, struct chain *c, enum direction dir)
{
	const struct rulegen_opts *o = g->opts;
	size_t counts = 0;

	c->present = true;
	c->fallback = (o->style != RULEGEN_EDGES && o->style != RULEGEN_FLOWS) || prng_chance(g->p, 1, 2) ? VERDICT_DROP : VERDICT_PASS;
	c->rules = arena_array(g->arena, o->nrules + N_ESSENTIALS, sizeof(*c->rules));
	if (!c->rules) {
		g->failed = true;
		return;
	}
	if (is_real(o->style)) {
		gen_real_rules(g, c->rules, &c->nrules);
		for (size_t i = 0; i < c->nrules && !g->failed; i++)
			gen_finish(g, &c->rules[i], i, &counts);
	}
	while (!is_real(o->style) && c->nrules < o->nrules && !g->failed) {
		gen_rule(g, c, &c->rules[c->nrules]);
		gen_finish(g, &c->rules[c->nrules], c->nrules, &counts);
		c->nrules++;
	}
	if (!g->failed)
		gen_extras(g, c);
	if (o->essentials && !g->failed)
		gen_essentials(g, c, dir);
	if (o->logs && !g->failed)
		gen_logs(g, c);
}

struct policy *rulegen_policy(struct arena *arena, struct prng *prng, const struct rulegen_opts *opts)
{
	struct gen g = {.arena = arena, .p = prng, .opts = opts};
	struct policy *policy = arena_alloc(arena, sizeof(*policy));

	if (!policy)
		return NULL;
	*policy = (struct policy){.name = "gen", .file = "gen.fw", .line = 1};
	state_opts_default(&policy->state);
	if (opts->style == RULEGEN_CLASSBENCH)
		gen_classbench_init(&g);
	else
		gen_edges_init(&g);
	for (int d = 0; d < DIRECTION_COUNT; d++) {
		policy->chain[d].fallback = VERDICT_PASS;
		if (!opts->directions || opts->directions & 1u << d)
			gen_chain(&g, &policy->chain[d], (enum direction)d);
	}
	gen_state_opts(&g, policy);
	return g.failed ? NULL : policy;
}

struct policy *rulegen_plain(struct arena *arena, uint64_t seed, enum rulegen_style style, size_t n)
{
	struct rulegen_opts opts = {
		.style = style, .nrules = n, .directions = 1u << DIRECTION_INGRESS, .no_count = true};
	struct prng prng;

	prng_init(&prng, seed);
	return rulegen_policy(arena, &prng, &opts);
}

const char *rulegen_style_name(enum rulegen_style style)
{
	static const char *const names[] = {
		[RULEGEN_EDGES] = "edges",	 [RULEGEN_CLASSBENCH] = "classbench", [RULEGEN_ACL] = "acl",
		[RULEGEN_FW] = "fw",		 [RULEGEN_IPC] = "ipc",		      [RULEGEN_NESTED] = "nested",
		[RULEGEN_CROSSING] = "crossing", [RULEGEN_PORTS] = "ports",	      [RULEGEN_NEGATED] = "negated",
		[RULEGEN_ONE_PAIR] = "one-pair", [RULEGEN_GRID] = "grid",
		[RULEGEN_FLOWS] = "flows",
	};

	return names[style];
}

struct policy *rulegen_classbench(struct arena *arena, struct prng *prng, size_t n)
{
	struct rulegen_opts opts = {
		.style = RULEGEN_CLASSBENCH, .nrules = n, .directions = 1u << DIRECTION_INGRESS, .no_count = true};

	return rulegen_policy(arena, prng, &opts);
}

#define SHOWN 6 /* ranges of a set */

static void describe_vset(const char *word, const struct vset *v, struct str *out)
{
	str_addf(out, " %s {", word);
	for (size_t i = 0; i < v->n && i < SHOWN; i++) {
		str_addf(out, " 0x%llx", (unsigned long long)v->r[i].lo);
		if (v->r[i].hi != v->r[i].lo)
			str_addf(out, "-0x%llx", (unsigned long long)v->r[i].hi);
	}
	str_add(out, v->n > SHOWN ? " … }" : " }");
}

static void describe_u128(u128 v, struct str *out)
{
	str_addf(out, "%llx:%016llx", (unsigned long long)(v >> 64), (unsigned long long)v);
}

static void describe_aset(const char *word, const struct aset *s, struct str *out)
{
	str_addf(out, " %s {", word);
	for (size_t i = 0; i < s->n4 && i < SHOWN; i++)
		str_addf(out, " %08llx-%08llx", (unsigned long long)s->v4[i].lo, (unsigned long long)s->v4[i].hi);
	for (size_t i = 0; i < s->n6 && i < SHOWN; i++) {
		str_add(out, " ");
		describe_u128(s->v6[i].lo, out);
		str_add(out, "-");
		describe_u128(s->v6[i].hi, out);
	}
	str_add(out, s->n4 > SHOWN || s->n6 > SHOWN ? " … }" : " }");
}

static void describe_log(const char *what, const struct log_opts *l, struct str *out)
{
	str_add(out, what);
	if (l->count)
		str_addf(out, " limit %llu/%lluns burst %llu", (unsigned long long)l->count, (unsigned long long)l->period_ns,
			 (unsigned long long)l->burst);
	str_addf(out, " sample 1/%u", l->sample);
}

void rulegen_describe(const struct rule *r, struct str *out)
{
	static const char *const verdicts[] = {"drop", "pass", "count", "reject"};
	static const char *const per[] = {"rule", "src", "dst", "flow"};

	str_addf(out, "%s families", verdicts[r->verdict]);
	for (unsigned int f = 0; f < FAMILY_COUNT; f++)
		if (r->families & 1u << f)
			str_addf(out, " %s", f == FAMILY_IPV4 ? "ipv4" : f == FAMILY_IPV6 ? "ipv6" : "other");
	for (int id = 0; id < FIELD_VALUE_COUNT; id++)
		if (r->value[id])
			describe_vset(field_get((enum field_id)id)->word, r->value[id], out);
	if (r->src)
		describe_aset("from", r->src, out);
	if (r->dst)
		describe_aset("to", r->dst, out);
	if (r->live_src.sets)
		str_addf(out, "%s from live 0x%x", r->live_src.negate ? " !" : "", r->live_src.sets);
	if (r->live_dst.sets)
		str_addf(out, "%s to live 0x%x", r->live_dst.negate ? " !" : "", r->live_dst.sets);
	str_add(out, r->keep_state ? " keep state" : "");
	if (r->limit)
		str_addf(out, " limit %llu%s/%lluns burst %llu per %s/%u/%u", (unsigned long long)r->limit->count,
			 r->limit->bytes ? " bytes" : "", (unsigned long long)r->limit->period_ns,
			 (unsigned long long)r->limit->burst, per[r->limit->per], r->limit->plen4, r->limit->plen6);
	if (r->max_conn)
		str_addf(out, " max-conn %u per src/%u/%u", r->max_conn, r->conn_plen4, r->conn_plen6);
	if (r->over.pass)
		str_add(out, " else pass");
	if (r->over.ban)
		str_addf(out, " else ban %s for %lluns", r->over.ban->name, (unsigned long long)r->over.ban_ns);
	if (r->log)
		describe_log(" log", r->log, out);
	str_add(out, "\n");
}

void rulegen_describe_chain(const struct chain *c, struct str *out)
{
	str_addf(out, "default %s%s\n", c->fallback == VERDICT_PASS ? "pass" : "drop", c->present ? "" : " (absent)");
	if (c->log_default)
		describe_log("log default", c->log_default, out);
	if (c->log_reasons)
		describe_log(c->log_default ? ", log reasons" : "log reasons", c->log_reasons, out);
	str_add(out, c->log_default || c->log_reasons ? "\n" : "");
	for (size_t i = 0; i < c->nrules; i++) {
		str_addf(out, "%4zu ", i);
		rulegen_describe(&c->rules[i], out);
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What explain says of a rule that does not match is true: the field that it names fails by itself, all that stand
 * before it in the rule do not, and the texts are those of the rule and of the packet: read back, they mean the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/str.h"
#include "fwctl/explain.h"
#include "harness/framegen.h"
#include "harness/rulegen.h"
#include "lang/lang.h"
#include "model/eval.h"

#define POLICIES 150
#define FRAMES	 200

static uint64_t seed;
static unsigned long misses, texts;

/* The rule with this one condition and no other. */
static struct rule alone(const struct rule *r, struct eval_miss m)
{
	struct rule one = { .verdict = r->verdict, .families = (1u << FAMILY_COUNT) - 1, .text = "" };

	switch (m.kind) {
	case EVAL_MISS_FAMILY:
		one.families = r->families;
		break;
	case EVAL_MISS_VALUE:
		one.value[m.field] = r->value[m.field];
		break;
	case EVAL_MISS_ADDRESS:
		*(m.field == FIELD_SRC ? &one.src : &one.dst) = m.field == FIELD_SRC ? r->src : r->dst;
		break;
	case EVAL_MISS_LIVE:
		*(m.field == FIELD_SRC ? &one.live_src : &one.live_dst) =
			m.field == FIELD_SRC ? r->live_src : r->live_dst;
		break;
	default:
		break;
	}
	return one;
}

/* The rule without this condition. */
static struct rule without(const struct rule *r, struct eval_miss m)
{
	struct rule rest = *r;

	if (m.kind == EVAL_MISS_FAMILY)
		rest.families = (1u << FAMILY_COUNT) - 1;
	else if (m.kind == EVAL_MISS_VALUE)
		rest.value[m.field] = NULL;
	else if (m.kind == EVAL_MISS_ADDRESS)
		*(m.field == FIELD_SRC ? &rest.src : &rest.dst) = NULL;
	else
		*(m.field == FIELD_SRC ? &rest.live_src : &rest.live_dst) = (struct live_match){};
	return rest;
}

/* The first rule of a file with this line in it. */
static const struct rule *parse_rule(struct arena *arena, const char *line)
{
	const char *text = arena_printf(arena, "policy p {\n\tingress default pass {\n\t\t%s\n\t}\n}\n", line);
	struct ruleset *rs = NULL;
	struct diags d;
	int err;

	diags_init(&d, arena);
	err = lang_parse(arena, "x", text, strlen(text), NULL, &d, &rs);
	diags_fini(&d);
	if (err) /* the generator has values that the language refuses; there are two such fields */
		assert_true(!strncmp(line, "drop vlan", 9) || !strncmp(line, "drop ethertype", 14));
	return err ? NULL : &rs->policies[0].chain[DIRECTION_INGRESS].rules[0];
}

/* Texts that are whole are words of the language: they mean the rule's set and the packet's value. */
static void read_back(struct arena *arena, const struct rule *r, const struct packet *p, struct eval_miss m,
		      const char *has, const char *wants)
{
	static const struct {
		enum field_id field;
		const char *line;
	} words[] = {
		{ FIELD_DPORT, "drop proto tcp to port %s" },
		{ FIELD_SPORT, "drop proto tcp from any port %s" },
		{ FIELD_TTL, "drop ttl %s" },
		{ FIELD_LEN, "drop len %s" },
		{ FIELD_DSCP, "drop dscp %s" },
		{ FIELD_VLAN, "drop vlan %s" },
		{ FIELD_ETHERTYPE, "drop ethertype %s" },
		{ FIELD_MAC, "drop mac %s" },
		{ FIELD_ECN, "drop ecn %s" },
		{ FIELD_FRAG, "drop frag %s" },
	};

	if (strstr(wants, "..") || !strcmp(wants, "nothing") || !strcmp(wants, "anything"))
		return;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char line[512];

		if (m.kind != EVAL_MISS_VALUE || words[i].field != m.field)
			continue;
		snprintf(line, sizeof(line), words[i].line, wants);
		const struct rule *other = parse_rule(arena, line);
		if (!other)
			continue;
		const struct vset *back = other->value[m.field];
		uint64_t end = m.field == FIELD_FRAG ? FRAG_LATER + 1 : (uint64_t)1 << field_get(m.field)->bits;
		for (uint64_t v = m.field == FIELD_VLAN; v < end && v < 4096; v++)
			assert_int_equal(back && vset_has(back, v), vset_has(r->value[m.field], v));
		if (!p->present[m.field])
			continue;
		snprintf(line, sizeof(line), words[i].line, has);
		other = parse_rule(arena, line);
		assert_true(!other || vset_has(other->value[m.field], p->value[m.field]));
		texts++;
	}
	if (m.kind == EVAL_MISS_ADDRESS && p->family == FAMILY_IPV4 && strncmp(wants, "an ", 3) && wants[0] != '@') {
		const struct aset *set = m.field == FIELD_SRC ? r->src : r->dst, *back;
		char line[512];

		snprintf(line, sizeof(line), "drop from %s", wants);
		back = parse_rule(arena, line)->src;
		assert_int_equal(back->n4, set->n4);
		assert_memory_equal(back->v4, set->v4, set->n4 * sizeof(*set->v4));
		snprintf(line, sizeof(line), "drop from %s", has);
		assert_true(
			aset_has4(parse_rule(arena, line)->src, (uint32_t)(m.field == FIELD_SRC ? p->src : p->dst)));
		texts++;
	}
}

static void check(struct arena *arena, const struct policy *policy, const struct rule *r, const struct packet *p)
{
	struct eval_miss m = eval_rule_miss(r, p);
	struct str has = {}, wants = {};
	struct rule one, rest;

	assert_int_equal(eval_rule(r, p), m.kind == EVAL_MISS_NOTHING);
	if (m.kind == EVAL_MISS_NOTHING)
		return;
	misses++;
	one = alone(r, m);
	assert_false(eval_rule(&one, p));
	assert_string_equal(eval_rule_why_not(&one, p), eval_rule_why_not(r, p));
	/* It is the first: without it, what fails is a later one, or nothing. */
	rest = without(r, m);
	struct eval_miss next = eval_rule_miss(&rest, p);
	assert_true(next.kind == EVAL_MISS_NOTHING || next.kind > m.kind ||
		    (next.kind == m.kind && next.field > m.field) ||
		    (next.kind >= EVAL_MISS_ADDRESS && next.field >= m.field));
	explain_miss_has(policy, p, m, &has);
	explain_miss_wants(policy, r, p, m, &wants);
	assert_true(has.len > 0 && has.len < 400 && wants.len > 0 && wants.len < 400);
	if (misses % 16 == 0) /* parsing takes its time */
		read_back(arena, r, p, m, str_get(&has), str_get(&wants));
	str_fini(&has);
	str_fini(&wants);
}

static void policy_run(uint64_t of)
{
	struct rulegen_opts opts = {
		.style = RULEGEN_EDGES, .nrules = 12, .essentials = of & 1, .state = of & 2, .live = of % 3 ? 0 : 3
	};
	struct arena *arena = arena_new();
	struct policy *policy;
	struct framegen fg;
	struct prng prng;

	prng_init(&prng, of);
	policy = rulegen_policy(arena, &prng, &opts);
	assert_non_null(policy);
	framegen_init(&fg, &policy->chain[of % 2], of);
	for (int i = 0; i < FRAMES; i++) {
		const struct chain *chain = &policy->chain[of % 2];
		struct packet_meta meta;
		struct packet p = {};
		uint8_t buf[FRAMEGEN_MAX];
		size_t len = framegen_next(&fg, buf, sizeof(buf), &meta);

		if (packet_parse(buf, len, &meta, &p))
			continue;
		p.value[FIELD_STATE] = prng_below(&prng, STATE_COUNT);
		p.live_src = (uint32_t)prng_below(&prng, 8);
		p.live_dst = (uint32_t)prng_below(&prng, 8);
		for (size_t r = 0; r < chain->nrules; r++)
			check(arena, policy, &chain->rules[r], &p);
	}
	arena_free(arena);
}

static void random_rules(void **state)
{
	for (uint64_t i = 0; i < POLICIES; i++)
		policy_run(seed + i);
	print_message("# %lu rules that do not match, %lu texts read back\n", misses, texts);
	assert_true(misses > 10000 && texts > 1000);
}

/* Texts as people see them. */
static void by_hand(void **state)
{
	static const struct {
		const char *rule, *packet, *has, *wants;
	} cases[] = {
		{ "pass proto tcp to port { 80, 443 }", "tcp 1.2.3.4:1 -> 5.6.7.8:3306", "3306", "{ 80, 443 }" },
		{ "pass proto tcp to port ! { 22, 80-90 }", "tcp 1.2.3.4:1 -> 5.6.7.8:22", "22", "! { 22, 80-90 }" },
		{ "pass proto tcp to port { 1, 3, 5, 7, 9 }", "tcp 1.2.3.4:1 -> 5.6.7.8:22", "22",
		  "{ 1, 3, 5, 7, .. }" },
		{ "pass port 53", "icmp 1.2.3.4 -> 5.6.7.8 type echo-request", "none", "53" },
		{ "pass proto { tcp, 47 }", "udp 1.2.3.4:1 -> 5.6.7.8:22", "udp", "{ tcp, gre }" },
		{ "pass proto ! tcp", "tcp 1.2.3.4:1 -> 5.6.7.8:22", "tcp", "! tcp" },
		{ "pass proto tcp flags S/SA", "tcp 1.2.3.4:1 -> 5.6.7.8:22 flags SA", "SA", "S/SA" },
		{ "pass proto icmp type echo-request", "icmp 1.2.3.4 -> 5.6.7.8 type unreachable code 3",
		  "destination-unreachable code 3", "echo-request" },
		{ "pass inet6", "tcp 1.2.3.4:1 -> 5.6.7.8:22", "IPv4", "IPv6" },
		{ "pass from 10.0.0.0/8", "arp", "not IP", "IPv4" },
		{ "pass from { 10.0.0.0/8, 192.0.2.1 }", "tcp 1.2.3.4:1 -> 5.6.7.8:22", "1.2.3.4",
		  "{ 10.0.0.0/8, 192.0.2.1 }" },
		{ "pass to ! 5.6.0.0/16", "tcp 1.2.3.4:1 -> 5.6.7.8:22", "5.6.7.8", "! 5.6.0.0/16" },
		{ "pass vlan 7", "tcp 1.2.3.4:1 -> 5.6.7.8:22", "none", "7" },
		{ "pass ethertype lldp", "arp", "arp", "lldp" },
		{ "pass ttl 5-9", "tcp 1.2.3.4:1 -> 5.6.7.8:22 ttl 64", "64", "5-9" },
		{ "pass mac 02:00:00:00:00:01", "tcp 1.2.3.4:1 -> 5.6.7.8:22 mac 02:00:00:00:00:02",
		  "02:00:00:00:00:02", "02:00:00:00:00:01" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *arena = arena_new();
		const struct rule *r = parse_rule(arena, cases[i].rule);
		struct str has = {}, wants = {};
		struct packet_spec *spec;
		struct packet p = {};
		struct eval_miss m;
		struct diags d;
		uint8_t buf[256];
		long len;

		diags_init(&d, arena);
		assert_int_equal(lang_parse_packet(arena, "p", cases[i].packet, strlen(cases[i].packet), &d, &spec), 0);
		diags_fini(&d);
		len = packet_build(spec, buf, sizeof(buf));
		assert_true(len > 0);
		assert_int_equal(packet_parse(buf, (size_t)len, NULL, &p), 0);
		m = eval_rule_miss(r, &p);
		assert_true(m.kind != EVAL_MISS_NOTHING);
		explain_miss_has(NULL, &p, m, &has);
		explain_miss_wants(NULL, r, &p, m, &wants);
		assert_string_equal(str_get(&has), cases[i].has);
		assert_string_equal(str_get(&wants), cases[i].wants);
		str_fini(&has);
		str_fini(&wants);
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "of rules that do not match, the field that is named fails, and the texts mean it", random_rules,
		  NULL, NULL, NULL },
		{ "the texts by hand", by_hand, NULL, NULL, NULL },
	};

	seed = prng_seed("explain", 1);
	return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}

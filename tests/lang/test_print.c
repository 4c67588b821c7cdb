// SPDX-License-Identifier: GPL-2.0-only
/*
 * Canonical text: what is printed is read back as the same rule set, whatever was written. Over the shipped files (with
 * the golden ones in test_golden), over random rule text, and over random rules that never were text.
 */
#include "harness/prng.h"
#include "harness/rulegen.h"
#include "lang/print.h"
#include "lang_test.h"

static uint64_t seed;

/* Pieces of a rule as people write them; one of each line at most makes a valid rule. */
static const char *const protos[] = {
	"", "proto tcp", "proto { tcp, udp }", "tcp", "udp", "proto ! udp", "proto 6-17"
};
static const char *const icmps[] = { "icmp type echo-request",
				     "proto icmp type { 3, 8-11 } code 0-4",
				     "icmp6 type ! 1",
				     "proto icmp6 type packet-too-big",
				     "type 3 code frag-needed icmp",
				     "icmp",
				     "icmp6 type any" };
static const char *const froms[] = { "",
				     "from any",
				     "from 10.0.0.0/8",
				     "from ! { 10.0.0.0/8, 2001:db8::/32 }",
				     "from { @small, 192.0.2.1-192.0.2.9 }",
				     "from @small",
				     "! from @small",
				     "from { $hosts, 10.0.0.1 }",
				     "from @banned",
				     "from ! { @other, @banned }" };
static const char *const tos[] = {
	"", "to any", "to 192.0.2.0/24", "to { 192.0.2.1, 192.0.2.3-192.0.2.7 }", "to ! $hosts", "to @large"
};
static const char *const fields[] = { "",
				      "ttl < 5",
				      "ttl { 1, 64, 255 }",
				      "len 40-1500",
				      "len ! 0-100",
				      "dscp { ef, af11, 3 }",
				      "vlan 5",
				      "vlan ! { 1-9 }",
				      "frag any",
				      "frag none",
				      "mac 02:00:00:00:00:00/24" };
static const char *const states[] = {
	"", "", "state new", "state { related established }", "state ! invalid", "! state { new, invalid }", "state any"
};
static const char *const limits[] = { "limit 10/s",
				      "limit 5/m burst 10 per src/24",
				      "limit 1/s per dst",
				      "limit 1000/h per flow burst 3 else pass",
				      "limit 10mbit",
				      "limit 64kbit burst 1mbit per src/56 else ban @banned for 90m",
				      "else ban @other limit 7/d" };
static const char *const keeps[] = { "keep state",
				     "keep state max-conn 5 per src",
				     "max-conn 64 per src/20 else ban @banned keep state",
				     "synproxy keep state" };
static const char *const rejects[] = { "", "with reset", "with unreachable", "with prohibited" };
static const char *const ports[] = {
	"", "port 22", "to port { 80, 443, 8000-8080 }", "port ! ssh", "! port { 1-9, > 60000 }", "to port >= 1024"
};
static const char *const flag_words[] = { "", "flags S/SA", "flags { /FSRPAU, SF/SF }", "flags ! S", "flags any" };

static const char *const logs[] = { "log", "log limit 5/s", "log sample 1/8", "log sample 1/3 limit 10/m burst 3",
	"log limit 1/d sample 1/1" };
static const char *const log_lines[] = { "", "", "log default", "log reasons limit 10/s",
	"log default sample 1/9 limit 1/h burst 5\nlog reasons sample 1/2" };

#define PICK(list) list[prng_below(p, sizeof(list) / sizeof((list)[0]))]

/* One that only logs says how much of it in front, behind, or in both places. */
static void random_logging_rule(struct prng *p, struct str *out)
{
	static const char *const limit[] = { "limit 5/s ", "limit 3/m burst 9 ", "" }, *const sample[] = { "sample 1/8 ", "" };
	bool front = prng_chance(p, 1, 2);
	const char *a = PICK(limit), *b = PICK(sample);

	str_addf(out, "log %s%s %s %s %s%s", front ? a : "", PICK(tos), PICK(protos), PICK(fields), front ? "" : a, b);
}

static void random_rule(struct prng *p, struct str *out, unsigned int n)
{
	static const char *const verdicts[] = { "pass", "drop", "count", "reject" };
	const char *from = PICK(froms), *verdict = PICK(verdicts);
	bool tcp = prng_chance(p, 1, 4), icmp = !tcp && prng_chance(p, 1, 4);

	if (prng_chance(p, 1, 8)) {
		random_logging_rule(p, out);
		str_add(out, "\n");
		return;
	}
	str_addf(out, "%s %s %s %s ", verdict, prng_chance(p, 1, 2) ? PICK(fields) : "", from, PICK(states));
	if (!strcmp(verdict, "pass") && prng_chance(p, 1, 2))
		str_addf(out, "%s ", PICK(limits));
	if (!strcmp(verdict, "pass") && prng_chance(p, 1, 2))
		str_addf(out, "%s ", PICK(keeps));
	if (!strcmp(verdict, "reject"))
		str_addf(out, "%s ", PICK(rejects));
	if (tcp)
		str_addf(out, "proto tcp %s %s", PICK(flag_words), PICK(tos));
	else if (icmp)
		str_addf(out, "%s", PICK(icmps));
	else
		str_addf(out, "%s %s %s", PICK(protos), PICK(ports), PICK(tos));
	if (prng_chance(p, 1, 3))
		str_addf(out, " %s", PICK(logs));
	if (prng_chance(p, 1, 4))
		str_addf(out, " label \"rule %u\"", n);
	str_add(out, "\n");
}

/* Families that contradict each other are refused, so rules are tried one by one. */
static void random_text_is_printed_stably(void **state)
{
	struct prng prng;
	struct str text = {};
	size_t parsed = 0;

	prng_init(&prng, seed);
	for (unsigned int i = 0; i < 3000; i++) {
		str_reset(&text);
		str_add(&text, "define hosts = { 192.0.2.1, 192.0.2.2, 198.51.100.0/24 }\n"
			       "set small { elements { 10.0.0.0/8 } }\n"
			       "set large { elements { 172.16.0.0/12, 2001:db8::/32, 192.0.2.9 } }\n"
			       "set banned { live; timeout 1h; size 100 }\n"
			       "set other { live; widen; counters }\n"
			       "policy p {\ningress default pass {\n");
		str_addf(&text, "%s\n", log_lines[prng_below(&prng, sizeof(log_lines) / sizeof(log_lines[0]))]);
		random_rule(&prng, &text, i);
		str_add(&text, "}\n}\n");
		{
			auto_parsed struct parsed p = parse_text("random.fw", str_get(&text), text.len, NULL);

			if (p.err)
				continue;
			parsed++;
			assert_print_identity(&p);
		}
	}
	str_fini(&text);
	assert_true(parsed > 1000);
}

/* A set of values as a list of numbers, in the words of the field. */
static void write_values(struct str *out, enum field_id id, const struct vset *set)
{
	str_addf(out, " %s {", id == FIELD_DPORT ? "dport" : field_get(id)->word);
	for (size_t i = 0; i < set->n; i++) {
		if (id == FIELD_TCPFLAGS) {
			for (uint64_t v = set->r[i].lo; v <= set->r[i].hi; v++) {
				str_add(out, " ");
				print_flag_letters(out, (unsigned int)v);
				str_add(out, "/FSRPAUEW");
			}
		} else if (id == FIELD_MAC) {
			str_add(out, " ");
			print_mac(out, set->r[i].lo);
			str_add(out, "-");
			print_mac(out, set->r[i].hi);
		} else {
			str_addf(out, " %llu-%llu", (unsigned long long)set->r[i].lo, (unsigned long long)set->r[i].hi);
		}
	}
	str_add(out, " }");
}

static void write_addresses(struct str *out, const char *word, const struct aset *set)
{
	str_addf(out, " %s {", word);
	for (size_t i = 0; i < set->n4; i++) {
		str_add(out, " ");
		print_range4(out, &set->v4[i]);
	}
	for (size_t i = 0; i < set->n6; i++) {
		str_add(out, " ");
		print_range6(out, &set->v6[i]);
	}
	str_add(out, " }");
}

static const enum field_id numbers[] = { FIELD_SPORT, FIELD_DPORT, FIELD_TCPFLAGS, FIELD_DSCP,
					 FIELD_TTL,   FIELD_LEN,   FIELD_MAC };
#define NNUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static bool covers_all(const struct aset *s)
{
	return s->n4 == 1 && s->v4[0].lo == 0 && s->v4[0].hi == UINT32_MAX && s->n6 == 1 && s->v6[0].lo == 0 &&
	       s->v6[0].hi == ~(u128)0;
}

static void assert_addresses(const struct aset *want, const struct aset *got)
{
	if (!want || covers_all(want))
		assert_null(got);
	else
		assert_true(got && aset_equal(got, want));
}

/* A list cannot be empty in text. */
static bool has_empty(const struct rule *rule)
{
	for (size_t i = 0; i < NNUMBERS; i++)
		if (rule->value[numbers[i]] && !rule->value[numbers[i]]->n)
			return true;
	return (rule->src && !rule->src->n4 && !rule->src->n6) || (rule->dst && !rule->dst->n4 && !rule->dst->n6);
}

/* Written down by hand-made words, parsed, and compared with where it came from. */
static bool check_model_rule(const struct rule *rule)
{
	struct str text = {};
	bool good;

	if (has_empty(rule))
		return false;
	str_add(&text, "policy p {\ningress default pass {\ndrop");
	for (size_t i = 0; i < NNUMBERS; i++)
		if (rule->value[numbers[i]])
			write_values(&text, numbers[i], rule->value[numbers[i]]);
	if (rule->src)
		write_addresses(&text, "from", rule->src);
	if (rule->dst)
		write_addresses(&text, "to", rule->dst);
	str_add(&text, "\n}\n}\n");
	{
		auto_parsed struct parsed p = parse_text("model.fw", str_get(&text), text.len, NULL);
		const struct rule *got;

		good = !p.err;
		if (good) {
			got = &p.rules->policies[0].chain[DIRECTION_INGRESS].rules[0];
			for (size_t i = 0; i < NNUMBERS; i++) {
				const struct vset *want = rule->value[numbers[i]];

				assert_true(!want == !got->value[numbers[i]]);
				assert_true(!want || vset_equal(want, got->value[numbers[i]]));
			}
			assert_addresses(rule->src, got->src);
			assert_addresses(rule->dst, got->dst);
			assert_print_identity(&p);
		} else {
			/* The one mistake such a rule can have. */
			if (!strstr(str_get(&p.errors), "different families"))
				fail_msg("%s%s", str_get(&text), str_get(&p.errors));
		}
	}
	str_fini(&text);
	return good;
}

static void random_rules_survive_text(void **state)
{
	struct rulegen_opts opts = {
		.style = RULEGEN_EDGES, .nrules = 1500, .directions = 1u << DIRECTION_INGRESS, .no_empty = true
	};
	struct arena *arena = arena_new();
	struct policy *policy;
	struct prng prng;
	size_t good = 0;

	for (size_t i = 0; i < NNUMBERS; i++)
		opts.fields |= 1u << numbers[i];
	opts.fields |= 1u << FIELD_SRC | 1u << FIELD_DST;
	prng_init(&prng, seed + 1);
	policy = rulegen_policy(arena, &prng, &opts);
	assert_non_null(policy);
	for (size_t i = 0; i < policy->chain[0].nrules; i++)
		good += check_model_rule(&policy->chain[0].rules[i]);
	assert_true(good > 700);
	arena_free(arena);
}

static void addresses_are_printed_as_rfc5952_says(void **state)
{
	static const struct {
		uint64_t hi, lo;
		const char *text;
	} table[] = {
		{ 0, 0, "::" },
		{ 0, 1, "::1" },
		{ 0x20010db800000000, 0, "2001:db8::" },
		{ 0x20010db800000000, 1, "2001:db8::1" },
		{ 0x20010db800000000, 0x0001000000000001, "2001:db8::1:0:0:1" },
		{ 0x20010db800000001, 0x0001000100010001, "2001:db8:0:1:1:1:1:1" },
		{ 0x0001000200030004, 0x0005000600070008, "1:2:3:4:5:6:7:8" },
		{ 0x0001000000000000, 0x0002000000000003, "1::2:0:0:3" },
		{ 0x0000000000000001, 0, "0:0:0:1::" },
		{ 0, 0xffffc0000201, "::ffff:192.0.2.1" },
		{ 0xffffffffffffffff, 0xffffffffffffffff, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct str out = {};

		lang_print_addr6((u128)table[i].hi << 64 | table[i].lo, &out);
		assert_string_equal(str_get(&out), table[i].text);
		str_fini(&out);
	}
}

static void same_meaning_same_text(void **state)
{
	static const char *const pairs[][2] = {
		{ "pass proto tcp from any to any port 22", "pass tcp to port ssh" },
		{ "pass proto tcp from any to any port 22", "pass port 22 proto 6" },
		{ "drop ! from 10.0.0.0/8", "drop from ! 10.0.0.0/8" },
		{ "drop from { 10.0.0.0/9, 10.128.0.0/9 }", "drop from 10.0.0.0/8" },
		{ "pass tcp to port { 443, 80, 80 }", "pass tcp to port { 80 443 }" },
		{ "pass icmp type 8", "pass type echo-request proto icmp" },
		{ "pass tcp flags AS/SA", "pass tcp flags SA/AS" },
		{ "drop from 192.0.2.0-192.0.2.255", "drop from 192.0.2.0/24" },
		{ "drop from 2001:DB8:0::/32", "drop from 2001:db8::/32" },
		{ "drop ttl <= 4", "drop ttl 0-4" },
		{ "drop all", "drop from any to any proto any" },
		{ "log proto tcp to port 25 limit 1/s", "log limit 1/s tcp to port smtp" },
		{ "log sample 1/2 limit 1/s from 10.0.0.0/8", "log from 10.0.0.0/8 limit 1/s burst 1 sample 1/2" },
		{ "log proto udp", "count proto udp log" },
		{ "drop log", "drop all log sample 1/1" },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		const char *text[2];
		struct parsed p[2];

		for (int k = 0; k < 2; k++) {
			char file[512];

			snprintf(file, sizeof(file), "policy p { ingress default pass { %s } }", pairs[i][k]);
			p[k] = parse_string(file);
			assert_int_equal(p[k].err, 0);
			text[k] = p[k].rules->policies[0].chain[0].rules[0].text;
		}
		assert_string_equal(text[0], text[1]);
		parsed_fini(&p[0]);
		parsed_fini(&p[1]);
	}
}

static void places_are_those_of_the_file(void **state)
{
	auto_parsed struct parsed p = parse_string(
		"\n# one\npolicy p {\n  ingress default drop {\n\n\tpass tcp to \\\n port 22\n    drop\n}\n}\n");
	const struct chain *c;

	assert_int_equal(p.err, 0);
	c = &p.rules->policies[0].chain[0];
	assert_int_equal(p.rules->policies[0].line, 3);
	assert_int_equal(c->rules[0].line, 6);
	assert_int_equal(c->rules[0].column, 2);
	assert_int_equal(c->rules[1].line, 8);
	assert_int_equal(c->rules[1].column, 5);
	assert_string_equal(c->rules[0].file, "test.fw");
	/* The essentials are where the `default drop` is that asks for them. */
	assert_true(c->nrules > 2);
	assert_int_equal(c->rules[2].line, 4);
	assert_true(c->rules[2].essential);
}

static void sets_are_shared_by_rules(void **state)
{
	auto_parsed struct parsed p =
		parse_string("set s { elements { 10.0.0.0/8 } }\npolicy p { ingress default pass {\n"
			     "drop from @s\ndrop to @s\ndrop from ! @s\ndrop to ! @s\n} }\n");
	const struct rule *r;

	assert_int_equal(p.err, 0);
	r = p.rules->policies[0].chain[0].rules;
	assert_ptr_equal(r[0].src, r[1].dst);
	assert_ptr_equal(r[2].src, r[3].dst);
	assert_string_equal(r[0].src->name, "s");
	assert_ptr_equal(r[0].src, p.rules->sets[0].addresses);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_text_is_printed_stably),	 cmocka_unit_test(random_rules_survive_text),
		cmocka_unit_test(addresses_are_printed_as_rfc5952_says), cmocka_unit_test(same_meaning_same_text),
		cmocka_unit_test(places_are_those_of_the_file),		 cmocka_unit_test(sets_are_shared_by_rules),
	};

	seed = prng_seed("print", 20261121);
	return cmocka_run_group_tests_name("print", tests, NULL, NULL);
}

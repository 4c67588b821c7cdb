// SPDX-License-Identifier: GPL-2.0-only
/* Where the nanoseconds go: rules that ask for one thing more in each row, on one packet that they match. */
#include "base/arena.h"
#include "base/str.h"
#include "bench/lists.h"
#include "bench/packet.h"
#include "model/packet.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

struct stair {
	const char *id, *text;
	const char *rule;   /* that matches the packet */
	size_t fillers;	    /* rules before it that do not */
	const char *filler; /* one of them, with the number at two places */
	bool six;
	size_t prefixes; /* of a set that the first filler gets as its source */
};

#define FIVE4  "pass proto tcp from 10.0.0.0/8 port 1024-65535 to 192.0.2.0/24 port 443"
#define FIVE6  "pass proto tcp from 2001:db8:1::/48 port 1024-65535 to 2001:db8:2::/48 port 443"
#define HOSTS4 "drop proto tcp from 172.16.%u.%u to 192.0.2.0/24 port 22"
#define WILD4  "drop proto tcp port 1000 len %u dscp %u"
#define SET4   "drop from 203.0.113.1"

static const struct stair steps[] = {
	{ .id = "any", .text = "a rule without fields: take it, count", .rule = "pass" },
	{ .id = "proto", .text = "+ protocol", .rule = "pass proto tcp" },
	{ .id = "port", .text = "+ destination port", .rule = "pass proto tcp port 443" },
	{ .id = "sport", .text = "+ source port", .rule = "pass proto tcp from port 1024-65535 to port 443" },
	{ .id = "from4",
	  .text = "+ source address, IPv4",
	  .rule = "pass proto tcp from 10.0.0.0/8 port 1024-65535 to port 443" },
	{ .id = "five4", .text = "+ destination address: five fields, IPv4", .rule = FIVE4 },
	{ .id = "five6", .text = "the same five fields, IPv6", .rule = FIVE6, .six = true },
	{ .id = "flags", .text = "five fields and TCP flags", .rule = FIVE4 " flags S/SA" },
	{ .id = "count",
	  .text = "five fields behind one `count` rule",
	  .rule = FIVE4,
	  .fillers = 1,
	  .filler = "count proto tcp" },
	{ .id = "set",
	  .text = "five fields behind a set of 100,000 prefixes",
	  .rule = FIVE4,
	  .fillers = 1,
	  .filler = SET4,
	  .prefixes = 100000 },
	{ .id = "word",
	  .text = "five fields behind 63 rules: one word",
	  .rule = FIVE4,
	  .fillers = 63,
	  .filler = HOSTS4 },
	{ .id = "words",
	  .text = "five fields behind 64 rules: more than a word",
	  .rule = FIVE4,
	  .fillers = 64,
	  .filler = HOSTS4 },
	{ .id = "hosts1000",
	  .text = "five fields behind 1,000 rules about hosts",
	  .rule = FIVE4,
	  .fillers = 1000,
	  .filler = HOSTS4 },
	{ .id = "hosts10000",
	  .text = "five fields behind 10,000 rules about hosts",
	  .rule = FIVE4,
	  .fillers = 10000,
	  .filler = HOSTS4 },
	{ .id = "wild1000",
	  .text = "five fields behind 1,000 rules without addresses",
	  .rule = FIVE4,
	  .fillers = 1000,
	  .filler = WILD4 },
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

/* Two numbers make a filler unlike the others: the low and high byte of where it stands. */
static const char *step_rules(struct arena *arena, const struct stair *s)
{
	struct str out = {};
	const char *text;

	str_add(&out, "policy bench {\n\tingress default drop {\n\t\tessentials off\n");
	for (size_t i = 0; i < s->fillers; i++) {
		unsigned int high = (unsigned int)i >> 8, low = i & 255;

		if (s->filler == (const char *)WILD4)
			high = 40 + (unsigned int)i / 64, low = i % 64;
		str_add(&out, "\t\t");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		str_addf(&out, s->filler, high, low);
#pragma GCC diagnostic pop
		str_add(&out, "\n");
	}
	str_addf(&out, "\t\t%s\n\t}\n}\n", s->rule);
	text = out.failed ? NULL : arena_strdup(arena, str_get(&out));
	str_fini(&out);
	return text;
}

static long step_frame(bool six, struct ref_frame *ret)
{
	struct packet_spec spec = {
		.family = six ? FAMILY_IPV6 : FAMILY_IPV4,
		.protocol = 6,
		.src = six ? (u128)0x20010db800010000 << 64 | 7 : 0x0a010203,
		.dst = six ? (u128)0x20010db800020000 << 64 | 1 : 0xc0000201,
		.has_ports = true,
		.sport = 40000,
		.dport = 443,
	};

	memset(ret, 0, sizeof(*ret));
	return packet_build(&spec, ret->byte, REF_FRAME_LEN);
}

static int step_open(struct arena *arena, const struct stair *step, struct workload *w, struct subject *s)
{
	const char *text = step_rules(arena, step);
	struct ruleset *rs = NULL;
	int err = text ? lists_parse(arena, text, &rs) : -ENOMEM;

	if (!err && step->prefixes)
		err = workload_prefixes(arena, 1, step->prefixes,
					&rs->policies[0].chain[DIRECTION_INGRESS].rules[0].src);
	if (!err)
		err = workload_policy(arena, step->id, &rs->policies[0], w);
	if (!err && w->refused) {
		fprintf(stderr, "bench: %s: %s\n", step->id, w->refused);
		err = -E2BIG;
	}
	if (!err && step_frame(step->six, &w->hot) < 0)
		err = -EINVAL;
	if (!err)
		err = subject_open(&w->img, FW_HOOK_XDP, false, s);
	return err ? err : packet_verify(s, w, 0);
}

static int step_add(struct packet_bench *b, const struct stair *step, const struct workload *w, const struct subject *s,
		    int base)
{
	struct probe p = {
		.id = step->id,
		.text = step->text,
		.group = "step",
		.prog_fd = s->prog_fd,
		.frame = w->hot.byte,
		.len = REF_FRAME_LEN,
		.base = base,
		.want = XDP_PASS,
		.rules = step->fillers + 1,
	};
	int err = packet_count(s, s == &b->parse ? NULL : w, &w->hot, 1, &p);

	return err ? err : measure_add(&b->m, &p);
}

static int counter_add(struct packet_bench *b, const struct workload *w)
{
	struct probe p = {
		.id = "step_empty",
		.text = "an empty program",
		.group = "step",
		.prog_fd = b->ref.empty_fd,
		.frame = w->hot.byte,
		.len = REF_FRAME_LEN,
		.base = -1,
		.want = MEASURE_ANY,
		.rules = -1,
	};

	p.base = measure_add(&b->m, &p);
	p.id = "step_counter";
	p.text = "a program that counts packets and bytes per CPU";
	p.prog_fd = b->ref.count_fd;
	return p.base < 0 || measure_add(&b->m, &p) < 0 ? -ENOMEM : 0;
}

int packet_steps(struct packet_bench *b)
{
	static const struct stair parse4 = { .id = "parse4", .text = "parsing alone, IPv4" },
				 parse6 = { .id = "parse6", .text = "parsing alone, IPv6" };
	struct workload w[STEPS] = {};
	struct subject s[STEPS] = {};
	struct arena *arena = arena_new();
	int err = arena ? 0 : -ENOMEM, four = -1, six = -1;

	for (size_t i = 0; !err && i < STEPS; i++) {
		err = step_open(arena, &steps[i], &w[i], &s[i]);
		if (!err && four < 0)
			four = step_add(b, &parse4, &w[i], &b->parse, -1);
		if (!err && steps[i].six && six < 0)
			six = step_add(b, &parse6, &w[i], &b->parse, -1);
		if (!err)
			err = step_add(b, &steps[i], &w[i], &s[i], steps[i].six ? six : four) < 0 ? -ENOMEM : 0;
	}
	/* Counters cannot be switched off; the least that one costs is this. */
	if (!err)
		err = counter_add(b, &w[0]);
	if (!err)
		err = packet_run(
			b,
			"where the nanoseconds go: XDP, one TCP packet, counters on; \"over\" is over parsing alone");
	for (size_t i = 0; i < STEPS; i++) {
		subject_close(&s[i]);
		workload_fini(&w[i]);
	}
	arena_free(arena);
	return err;
}

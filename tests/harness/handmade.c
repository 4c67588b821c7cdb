// SPDX-License-Identifier: GPL-2.0-only
#include "harness/handmade.h"

#include "harness/image_walk.h"

#include <stdio.h>
#include <stdlib.h>

static void *hand_must(void *p)
{
	if (!p)
		abort();
	return p;
}

struct policy *hand_policy(struct arena *arena, size_t n)
{
	struct policy *p = hand_must(arena_alloc(arena, sizeof(*p)));
	struct chain *c = &p->chain[DIRECTION_INGRESS];

	p->name = "hand";
	p->file = "hand.fw";
	c->present = true;
	c->fallback = VERDICT_DROP;
	c->nrules = n;
	c->rules = hand_must(arena_array(arena, n, sizeof(*c->rules)));
	for (size_t i = 0; i < n; i++) {
		c->rules[i] =
			(struct rule){ .verdict = VERDICT_DROP, .families = HAND_IP, .file = "hand.fw", .line = i + 1 };
		c->rules[i].text = hand_must(arena_printf(arena, "rule %zu", i));
	}
	p->chain[DIRECTION_EGRESS].fallback = VERDICT_PASS;
	return p;
}

const struct vset *hand_values(struct arena *arena, uint64_t lo, uint64_t hi)
{
	const struct range r = { lo, hi };
	struct vset *s;

	if (vset_build(arena, &r, 1, &s))
		abort();
	return s;
}

const struct vset *hand_no_values(struct arena *arena)
{
	struct vset *s;

	if (vset_build(arena, NULL, 0, &s))
		abort();
	return s;
}

const struct aset *hand_addr4(struct arena *arena, uint32_t lo, uint32_t hi)
{
	struct aset_builder b = { .arena = arena };
	struct aset *s;

	if (aset_add4(&b, lo, hi) || aset_build(&b, &s))
		abort();
	return s;
}

const struct aset *hand_addr6(struct arena *arena, u128 lo, u128 hi)
{
	struct aset_builder b = { .arena = arena };
	struct aset *s;

	if (aset_add6(&b, lo, hi) || aset_build(&b, &s))
		abort();
	return s;
}

uint32_t hand_live(struct arena *arena, struct policy *p, const char *name)
{
	struct named_set *s = hand_must(arena_alloc(arena, sizeof(*s)));

	if (p->nlive == POLICY_MAX_LIVE)
		abort();
	*s = (struct named_set){ .name = name, .size = 1000, .timeout_ns = 3600000000000 };
	p->live[p->nlive] = s;
	return (uint32_t)p->nlive++;
}

void hand_compile_opts(const struct policy *policy, const struct compile_opts *opts, struct image *ret)
{
	struct arena *arena = hand_must(arena_new());
	const char *why = "";
	struct diags d;
	int err;

	diags_init(&d, arena);
	err = compile_policy(policy, "hand.fw", "", &d, opts, ret);
	if (!err)
		err = image_check(ret->data, ret->len, &why);
	if (err || d.errors) {
		fprintf(stderr, "# handmade: error %d, %zu diagnostics, image_check: %s\n", err, d.errors, why);
		abort();
	}
	diags_fini(&d);
	arena_free(arena);
}

void hand_compile(const struct policy *policy, struct image *ret)
{
	hand_compile_opts(policy, NULL, ret);
}

int hand_refused_opts(const struct policy *policy, const struct compile_opts *opts, struct str *ret_text)
{
	struct arena *arena = hand_must(arena_new());
	struct image img = {};
	struct diags d;
	int err;

	diags_init(&d, arena);
	err = compile_policy(policy, "hand.fw", "", &d, opts, &img);
	if (!err)
		image_fini(&img);
	diags_print(&d, ret_text);
	diags_fini(&d);
	arena_free(arena);
	return err;
}

int hand_refused(const struct policy *policy, struct str *ret_text)
{
	return hand_refused_opts(policy, NULL, ret_text);
}

static struct packet hand_packet(enum family family, u128 src, u128 dst)
{
	struct packet p = { .family = family, .src = src, .dst = dst };
	const struct {
		enum field_id id;
		uint64_t value;
	} fields[] = {
		{ FIELD_PROTO, family << 8 | 6 },
		{ FIELD_SPORT, 40000 },
		{ FIELD_DPORT, 80 },
		{ FIELD_TCPFLAGS, 2 },
		{ FIELD_FRAG, FRAG_NONE },
		{ FIELD_DSCP, 0 },
		{ FIELD_TTL, 64 },
		{ FIELD_LEN, 60 },
		{ FIELD_ETHERTYPE, family == FAMILY_IPV4 ? 0x0800 : 0x86dd },
		{ FIELD_MAC, 0x020000000001 },
		{ FIELD_STATE, STATE_NONE },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		p.present[fields[i].id] = true;
		p.value[fields[i].id] = fields[i].value;
	}
	p.present[FIELD_EXT] = family == FAMILY_IPV6;
	return p;
}

struct packet hand_packet4(uint32_t src, uint32_t dst)
{
	return hand_packet(FAMILY_IPV4, src, dst);
}

struct packet hand_packet6(u128 src, u128 dst)
{
	return hand_packet(FAMILY_IPV6, src, dst);
}

static void hand_count(void *ctx, size_t rule)
{
	size_t *sum = ctx;

	*sum = *sum * 31 + rule + 1;
}

bool hand_same(const struct policy *policy, const struct image *img, const struct packet *p)
{
	for (int dir = 0; dir < DIRECTION_COUNT; dir++) {
		size_t want_sum = 0, got_sum = 0;
		struct eval_result want = eval_packet(&policy->chain[dir], p, hand_count, &want_sum);
		struct eval_result got = image_walk(img, dir, p, hand_count, &got_sum);

		if (want.rule == got.rule && want.verdict == got.verdict && want.reason == got.reason &&
		    want_sum == got_sum)
			continue;
		printf("# family %d src %llx:%llx dst %llx:%llx live %x %x state %u: oracle rule %ld, image rule %ld, counted %s\n",
		       p->family, (unsigned long long)(p->src >> 64), (unsigned long long)p->src,
		       (unsigned long long)(p->dst >> 64), (unsigned long long)p->dst, p->live_src, p->live_dst,
		       (unsigned int)p->value[FIELD_STATE], want.rule, got.rule,
		       want_sum == got_sum ? "alike" : "differently");
		return false;
	}
	return true;
}

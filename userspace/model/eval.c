// SPDX-License-Identifier: GPL-2.0-only
#include "model/eval.h"

#include "model/track_key.h"

static bool has_address(const struct aset *set, enum family family, u128 addr)
{
	switch (family) {
	case FAMILY_IPV4:
		return aset_has4(set, (uint32_t)addr);
	case FAMILY_IPV6:
		return aset_has6(set, addr);
	default:
		return false; /* no address */
	}
}

static bool live_match(const struct live_match *m, enum family family, uint32_t member)
{
	if (!m->sets)
		return true;
	return family != FAMILY_OTHER && !!(member & m->sets) != m->negate;
}

struct eval_miss eval_rule_miss(const struct rule *rule, const struct packet *p)
{
	if (!(rule->families & 1u << p->family))
		return (struct eval_miss){EVAL_MISS_FAMILY, FIELD_COUNT};
	for (int id = 0; id < FIELD_VALUE_COUNT; id++) {
		if (!rule->value[id])
			continue;
		if (!p->present[id] || !vset_has(rule->value[id], p->value[id]))
			return (struct eval_miss){EVAL_MISS_VALUE, (enum field_id)id};
	}
	if (rule->src && !has_address(rule->src, p->family, p->src))
		return (struct eval_miss){EVAL_MISS_ADDRESS, FIELD_SRC};
	if (!live_match(&rule->live_src, p->family, p->live_src))
		return (struct eval_miss){EVAL_MISS_LIVE, FIELD_SRC};
	if (rule->dst && !has_address(rule->dst, p->family, p->dst))
		return (struct eval_miss){EVAL_MISS_ADDRESS, FIELD_DST};
	if (!live_match(&rule->live_dst, p->family, p->live_dst))
		return (struct eval_miss){EVAL_MISS_LIVE, FIELD_DST};
	return (struct eval_miss){EVAL_MISS_NOTHING, FIELD_COUNT};
}

bool eval_rule(const struct rule *rule, const struct packet *p)
{
	return eval_rule_miss(rule, p).kind == EVAL_MISS_NOTHING;
}

const char *eval_rule_why_not(const struct rule *rule, const struct packet *p)
{
	struct eval_miss m = eval_rule_miss(rule, p);

	switch (m.kind) {
	case EVAL_MISS_NOTHING:
		return NULL;
	case EVAL_MISS_FAMILY:
		return "family";
	case EVAL_MISS_VALUE:
		return field_get(m.field)->word;
	default:
		return m.field == FIELD_SRC ? "from" : "to";
	}
}

struct eval_result eval_packet(const struct chain *chain, const struct packet *p,
			       void (*counted)(void *ctx, size_t rule), void *ctx)
{
	struct eval_result r = {.verdict = VERDICT_PASS, .reason = EVAL_DEFAULT, .rule = -1};

	r.state = (enum state)p->value[FIELD_STATE];
	if (!chain->present)
		return r;
	for (size_t i = 0; i < chain->nrules; i++) {
		if (!eval_rule(&chain->rules[i], p))
			continue;
		if (chain->rules[i].verdict != VERDICT_CONTINUE) {
			r.verdict = chain->rules[i].verdict;
			r.reason = EVAL_RULE;
			r.rule = (long)i;
			return r;
		}
		if (counted)
			counted(ctx, i);
	}
	r.verdict = chain->fallback;
	if (p->family == FAMILY_OTHER)
		r.reason = EVAL_L2_OTHER;
	return r;
}

bool eval_names_known(const struct chain *chain)
{
	for (size_t i = 0; chain->present && i < chain->nrules; i++) {
		const struct vset *states = chain->rules[i].value[FIELD_STATE];

		if (states && (vset_has(states, STATE_ESTABLISHED) || vset_has(states, STATE_RELATED)))
			return true;
	}
	return false;
}

struct eval_result eval_state(const struct chain *chain, const struct packet *p,
			      void (*counted)(void *ctx, size_t rule), void *ctx)
{
	enum state state = (enum state)p->value[FIELD_STATE];
	struct eval_result r = {.verdict = VERDICT_PASS, .rule = -1, .state = state};

	if (state != STATE_ESTABLISHED && state != STATE_RELATED)
		return eval_packet(chain, p, counted, ctx);
	if (eval_names_known(chain)) {
		struct eval_result asked = eval_packet(chain, p, counted, ctx);

		if (asked.reason == EVAL_RULE)
			return asked;
	}
	r.reason = state == STATE_ESTABLISHED ? EVAL_ESTABLISHED : EVAL_RELATED;
	return r;
}

struct eval_result eval_fault(const struct chain *chain, enum packet_fault fault)
{
	if (!chain->present)
		return (struct eval_result){.verdict = VERDICT_PASS, .reason = EVAL_DEFAULT, .rule = -1};
	return (struct eval_result){.verdict = VERDICT_DROP, .reason = EVAL_FAULT, .fault = fault, .rule = -1};
}

enum state eval_state_alone(const struct chain *chain, const struct packet *p)
{
	/* policy_track() has given every written rule a condition on the state, or none */
	bool tracks = chain->nrules && chain->rules[0].value[FIELD_STATE];

	return tracks ? track_state_alone(p, false) : STATE_NONE;
}

struct eval_result eval_frame(const struct chain *chain, const uint8_t *frame, size_t len,
			      const struct packet_meta *meta, void (*counted)(void *ctx, size_t rule), void *ctx)
{
	struct packet p = {};
	enum packet_fault fault = packet_parse(frame, len, meta, &p);

	if (fault)
		return eval_fault(chain, fault);
	p.value[FIELD_STATE] = eval_state_alone(chain, &p);
	return eval_packet(chain, &p, counted, ctx);
}

struct eval_result eval_given(const struct chain *chain, const uint8_t *frame, size_t len,
			      const struct packet_meta *meta, const struct eval_given *given,
			      void (*counted)(void *ctx, size_t rule), void *ctx)
{
	struct packet p = {};
	enum packet_fault fault = packet_parse(frame, len, meta, &p);

	if (fault)
		return eval_fault(chain, fault);
	p.value[FIELD_STATE] = given->state;
	p.live_src = given->live_src;
	p.live_dst = given->live_dst;
	return eval_state(chain, &p, counted, ctx);
}

const char *eval_reason_word(const struct eval_result *r)
{
	switch (r->reason) {
	case EVAL_RULE:
		return "rule";
	case EVAL_L2_OTHER:
		return "l2-other";
	case EVAL_FAULT:
		return packet_fault_word(r->fault);
	case EVAL_ESTABLISHED:
		return "established";
	case EVAL_RELATED:
		return "related";
	case EVAL_LIMIT:
		return "limit";
	case EVAL_MAX_CONN:
		return "max-conn";
	case EVAL_TCP_WINDOW:
		return "tcp-window";
	default:
		return "default";
	}
}

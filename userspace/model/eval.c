// SPDX-License-Identifier: GPL-2.0-only
#include "model/eval.h"

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

const char *eval_rule_why_not(const struct rule *rule, const struct packet *p)
{
	if (!(rule->families & 1u << p->family))
		return "family";
	for (int id = 0; id < FIELD_VALUE_COUNT; id++) {
		if (!rule->value[id])
			continue;
		if (!p->present[id] || !vset_has(rule->value[id], p->value[id]))
			return field_get((enum field_id)id)->word;
	}
	if (rule->src && !has_address(rule->src, p->family, p->src))
		return "from";
	if (rule->dst && !has_address(rule->dst, p->family, p->dst))
		return "to";
	return NULL;
}

bool eval_rule(const struct rule *rule, const struct packet *p)
{
	return !eval_rule_why_not(rule, p);
}

struct eval_result eval_packet(const struct chain *chain, const struct packet *p,
			       void (*counted)(void *ctx, size_t rule), void *ctx)
{
	struct eval_result r = {.verdict = VERDICT_PASS, .reason = EVAL_DEFAULT, .rule = -1};

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

struct eval_result eval_frame(const struct chain *chain, const uint8_t *frame, size_t len,
			      const struct packet_meta *meta, void (*counted)(void *ctx, size_t rule), void *ctx)
{
	struct packet p = {};
	enum packet_fault fault = packet_parse(frame, len, meta, &p);

	if (fault && chain->present)
		return (struct eval_result){.verdict = VERDICT_DROP, .reason = EVAL_FAULT, .fault = fault, .rule = -1};
	return eval_packet(chain, &p, counted, ctx);
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
	default:
		return "default";
	}
}

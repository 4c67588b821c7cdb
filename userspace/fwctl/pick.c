// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/pick.h"

#include "base/cleanup.h"
#include "fwctl/eventname.h"
#include "fwctl/out.h"
#include "fwctl/words.h"
#include "lang/number.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Ask of each word of "a,b". False ends it. */
static bool words_each(const char *words, bool (*each)(void *ctx, const char *word), void *ctx)
{
	auto_free char *copy = strdup(words);
	char *save = NULL;
	bool any = false;

	for (char *w = copy ? strtok_r(copy, ",", &save) : NULL; w; w = strtok_r(NULL, ",", &save)) {
		any = true;
		if (!each(ctx, w))
			return false;
	}
	return any;
}

struct reading {
	const struct command *cmd;
	uint32_t bits;
	bool told;
};

static bool verdict_read(void *ctx, const char *word)
{
	static const uint32_t bits[] = { 1u << FW_VERDICT_DROP, 1u << FW_VERDICT_PASS, 1u << FW_VERDICT_REJECT, ~0u };
	struct reading *r = ctx;
	int i = args_choice(PICK_VERDICTS, word);

	if (i >= 0) {
		r->bits |= bits[i];
		return true;
	}
	static const char *const words[] = { "drop", "pass", "reject", "any" };
	const char *near = NULL;
	for (size_t k = 0; k < 4; k++)
		if (str_distance(words[k], word) <= 2)
			near = words[k];
	r->told = true;
	if (near)
		args_wrong(r->cmd, "there is no verdict \"%s\"; did you mean %s?", out_name(word), near);
	else
		args_wrong(r->cmd, "there is no verdict \"%s\"; there are drop, pass, reject, any", out_name(word));
	return false;
}

int pick_verdicts(const struct command *cmd, const char *words, uint32_t *ret)
{
	struct reading r = { .cmd = cmd };

	if (!words_each(words, verdict_read, &r))
		return r.told ? STATUS_WRONG : args_wrong(cmd, "--verdict names no verdict");
	*ret = r.bits;
	return STATUS_DONE;
}

static bool reason_read(void *ctx, const char *word)
{
	struct reading *r = ctx;
	const char *near = NULL;
	size_t best = 3;

	for (unsigned int i = 0; i < FW_REASON_COUNT; i++) {
		size_t far = str_distance(word_reason(i), word);
		if (!far) {
			r->bits |= 1u << i;
			return true;
		}
		if (far < best) {
			best = far;
			near = word_reason(i);
		}
	}
	r->told = true;
	if (near) {
		args_wrong(r->cmd, "there is no reason \"%s\"; did you mean %s?", out_name(word), near);
		return false;
	}
	struct str s = {};
	for (unsigned int i = 0; i < FW_REASON_COUNT; i++)
		str_addf(&s, "%s%s", i ? ", " : "", word_reason(i));
	args_wrong(r->cmd, "there is no reason \"%s\"; there are %s", out_name(word), str_get(&s));
	str_fini(&s);
	return false;
}

int pick_reasons(const struct command *cmd, const char *words, uint32_t *ret)
{
	struct reading r = { .cmd = cmd };

	if (!words_each(words, reason_read, &r))
		return r.told ? STATUS_WRONG : args_wrong(cmd, "--reason names no reason");
	*ret = r.bits;
	return STATUS_DONE;
}

static void words_of(u128 a, uint8_t l3, uint32_t out[4])
{
	int n = l3 == FW_L3_IPV4 ? 1 : 4;

	for (int i = 0; i < n; i++)
		out[i] = htonl((uint32_t)(a >> (32 * (n - 1 - i))));
}

int pick_address(const struct command *cmd, const char *word, struct pick *p)
{
	struct addr_range r;
	const char *why = addr_parse(word, strlen(word), &r);

	if (!why && r.is_range)
		why = "is a range; ask for a prefix";
	if (why)
		return args_wrong(cmd, "\"%s\" %s", out_name(word), why);
	p->l3 = r.family == FAMILY_IPV4 ? FW_L3_IPV4 : FW_L3_IPV6;
	words_of(r.lo, p->l3, p->addr);
	words_of(~(r.lo ^ r.hi), p->l3, p->mask);
	return STATUS_DONE;
}

int pick_rules(const char *name, const struct fw_image *img, struct picked *ret)
{
	struct picked p = {};
	size_t cap = 0;

	for (uint32_t d = 0; d < FW_DIR_COUNT; d++) {
		size_t n;
		const struct fw_meta_rule *r = image_rules(img, (enum fw_dir)d, &n);
		for (uint32_t i = 0; i < n; i++) {
			if (!rule_is_called(img, &r[i], name))
				continue;
			if (p.n == cap) {
				cap = cap ? cap * 2 : 8;
				uint32_t *slot = reallocarray(p.slot, cap, sizeof(*slot));
				p.slot = slot ? slot : p.slot;
				uint32_t *rule = slot ? reallocarray(p.rule, cap, sizeof(*rule)) : NULL;
				p.rule = rule ? rule : p.rule;
				if (!rule) {
					picked_fini(&p);
					return -ENOMEM;
				}
			}
			p.slot[p.n] = FW_TAP_SLOT(r[i].slot, d);
			p.rule[p.n++] = FW_TAP_SLOT(i, d);
		}
	}
	*ret = p;
	return 0;
}

void picked_fini(struct picked *p)
{
	free(p->slot);
	free(p->rule);
	*p = (struct picked){};
}

const char *pick_near(const char *name, const struct fw_image *img)
{
	const char *near = NULL;
	size_t best = 3;

	for (int d = 0; d < FW_DIR_COUNT; d++) {
		size_t n;
		const struct fw_meta_rule *r = image_rules(img, (enum fw_dir)d, &n);
		for (size_t i = 0; i < n && best > 1; i++) {
			const char *label = image_str(img, r[i].label);
			size_t far = *label ? str_distance(label, name) : 3;
			if (far < best) {
				best = far;
				near = label;
			}
		}
	}
	return near;
}

void pick_filter(const struct pick *p, const struct picked *picked, const struct fw_image *img, struct event_filter *ret)
{
	*ret = (struct event_filter){
		.verdicts = p->verdicts,
		.reasons = p->reasons,
		.picks = p->rule != NULL,
		.slot = picked->slot,
		.nslots = picked->n,
		.rule = picked->rule,
		.nrules = picked->n,
		.generation = img ? img->generation : 0,
		.l3 = p->l3,
	};
	memcpy(ret->addr, p->addr, sizeof(ret->addr));
	memcpy(ret->mask, p->mask, sizeof(ret->mask));
}

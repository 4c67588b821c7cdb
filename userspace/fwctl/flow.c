// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/flow.h"

#include "fwctl/elements.h"
#include "fwctl/out.h"
#include "model/field.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58, PROTO_SCTP = 132 };

static const char *state_of(const struct fw_flow *f)
{
	bool opener = f->word & FW_FLOWF_FIN_OPENER, other = f->word & FW_FLOWF_FIN_OTHER;
	unsigned int state = FW_FLOW_STATE(f->word);

	if (f->key.proto != PROTO_TCP)
		return state == FW_FLOW_OPENED ? "new" : state == FW_FLOW_REPLIED ? "replied" : "established";
	return opener && other		      ? "closed"
	       : opener || other	      ? "closing"
	       : state == FW_FLOW_ESTABLISHED ? "established"
					      : "syn";
}

static const struct fw_meta_rule *rule_of(const struct fw_image *img, enum fw_dir dir, uint32_t slot)
{
	size_t n;
	const struct fw_meta_rule *r = img ? image_rules(img, dir, &n) : NULL;

	for (size_t i = 0; r && i < n; i++)
		if (r[i].slot == slot)
			return &r[i];
	return NULL;
}

void flow_view(const struct kern_flow *k, const struct fw_image *img, struct flow_view *ret)
{
	const struct fw_flow_key *key = &k->flow.key;
	bool egress = k->flow.word & FW_FLOWF_EGRESS;

	/* The key is seen from the hook: `a` is outside. */
	*ret = (struct flow_view){
		.family = key->l3 == FW_L3_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6,
		.src = egress ? key->b : key->a,
		.dst = egress ? key->a : key->b,
		.ports = key->proto == PROTO_TCP || key->proto == PROTO_UDP || key->proto == PROTO_SCTP,
		.query = key->proto == PROTO_ICMP || key->proto == PROTO_ICMP6,
		.proto = key->proto,
		.dir = egress ? FW_DIR_EGRESS : FW_DIR_INGRESS,
		.state = state_of(&k->flow),
	};
	if (ret->ports) {
		ret->sport = ntohs(egress ? key->pb : key->pa);
		ret->dport = ntohs(egress ? key->pa : key->pb);
	}
	if (ret->query) {
		ret->ident = ntohs(key->pa);
		ret->type = (uint8_t)key->pb;
	}
	ret->rule = rule_of(img, ret->dir, k->flow.slot);
}

static char *ring_next(void)
{
	static char ring[8][80];
	static unsigned int next;

	return ring[next++ % 8];
}

const char *flow_proto(const struct flow_view *v)
{
	const char *word = field_value_word(FIELD_PROTO, v->proto);
	char *s = ring_next();

	if (word)
		return word;
	snprintf(s, 80, "%u", v->proto);
	return s;
}

const char *flow_end(const struct flow_view *v, bool src)
{
	const char *a = address_text(v->family == FAMILY_IPV4 ? FW_L3_IPV4 : FW_L3_IPV6, src ? v->src : v->dst);
	char *s = ring_next();

	if (!v->ports)
		return a;
	snprintf(s, 80, v->family == FAMILY_IPV6 ? "[%s]:%u" : "%s:%u", a, src ? v->sport : v->dport);
	return s;
}

static const char *const filters[] = { "src", "dst", "port", "proto", "state", "rule", NULL };

bool flow_filter_word(const char *word)
{
	for (size_t i = 0; filters[i]; i++)
		if (!strcmp(filters[i], word))
			return true;
	return false;
}

static const char *address_read(const char *word, bool *ret_has, struct addr_range *ret)
{
	if (*ret_has)
		return "comes second; one of a kind is asked for";
	*ret_has = true;
	return addr_parse(word, strlen(word), ret);
}

static const char *proto_read(const char *word, long *ret)
{
	uint64_t n;

	*ret = field_value_parse(FIELD_PROTO, word, strlen(word));
	if (*ret >= 0)
		return NULL;
	if (!number_parse(word, strlen(word), &n) || n > 255)
		return "is no protocol: a name, or 0 to 255";
	*ret = (long)n;
	return NULL;
}

static const char *filter_read(struct flow_filter *f, const char *kind, const char *word)
{
	if (!strcmp(kind, "src"))
		return address_read(word, &f->has_src, &f->src);
	if (!strcmp(kind, "dst"))
		return address_read(word, &f->has_dst, &f->dst);
	if (!strcmp(kind, "port")) {
		f->has_port = true;
		return number_parse(word, strlen(word), &f->port) && f->port <= 65535 ? NULL : "is no port: 0 to 65535";
	}
	if (!strcmp(kind, "proto"))
		return proto_read(word, &f->proto);
	if (!strcmp(kind, "state")) {
		f->state = word;
		return args_choice(FLOW_STATES, word) < 0 ? "is no state of a flow: " FLOW_STATES : NULL;
	}
	f->rule = word;
	return NULL;
}

int flow_filter_parse(struct flow_filter *f, const struct command *cmd, const char *const *word, size_t n)
{
	*f = (struct flow_filter){ .proto = -1, .any = n > 0 };
	for (size_t i = 0; i < n; i += 2) {
		if (!flow_filter_word(word[i]))
			return args_wrong(cmd, "\"%s\" is no filter: src, dst, port, proto, state, rule",
					  out_name(word[i]));
		if (i + 1 == n)
			return args_wrong(cmd, "%s of what?", word[i]);
		const char *why = filter_read(f, word[i], word[i + 1]);
		if (why)
			return args_wrong(cmd, "%s: \"%s\" %s", word[i], out_name(word[i + 1]), why);
	}
	return STATUS_DONE;
}

static bool inside(const struct addr_range *r, enum family family, const uint32_t *addr)
{
	const uint8_t *b = (const uint8_t *)addr;
	u128 a = 0;

	for (int i = 0; i < (family == FAMILY_IPV4 ? 4 : 16); i++)
		a = a << 8 | b[i];
	return r->family == family && a >= r->lo && a <= r->hi;
}

bool flow_filter_matches(const struct flow_filter *f, const struct flow_view *v, const struct fw_image *img)
{
	if (f->has_src && !inside(&f->src, v->family, v->src))
		return false;
	if (f->has_dst && !inside(&f->dst, v->family, v->dst))
		return false;
	if (f->has_port && !(v->ports && (v->sport == f->port || v->dport == f->port)))
		return false;
	if (f->proto >= 0 && v->proto != f->proto)
		return false;
	if (f->state && strcmp(f->state, v->state))
		return false;
	return !f->rule || (v->rule && (!strcmp(f->rule, image_str(img, v->rule->label)) ||
					!strcmp(f->rule, image_str(img, v->rule->id))));
}

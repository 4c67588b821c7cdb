/* SPDX-License-Identifier: GPL-2.0-only */
/* One flow in words, and which flows a command is about. */
#ifndef FW_FWCTL_FLOW_H
#define FW_FWCTL_FLOW_H

#include "fwctl/cmd.h"
#include "kern/kern.h"
#include "lang/number.h"

#include <jansson.h>

/* A flow as its opener sees it. */
struct flow_view {
	enum family family;
	const uint32_t *src, *dst; /* wire order */
	bool ports;
	uint16_t sport, dport;     /* host order */
	bool query;                /* ICMP: a request and its replies */
	uint16_t ident;
	uint8_t type, proto;
	enum fw_dir dir;           /* in which its opening packet travelled */
	const char *state;         /* "syn", "established", "closing", "closed"; "new", "replied", "established" */
	const struct fw_meta_rule *rule; /* NULL: not known any more */
};
#define FLOW_STATES "new|replied|syn|established|closing|closed"

/* img may be NULL. */
void flow_view(const struct kern_flow *f, const struct fw_image *img, struct flow_view *ret);
/* "tcp", "58"; static ring. */
const char *flow_proto(const struct flow_view *v);
/* "192.0.2.7:4000"; static ring. */
const char *flow_end(const struct flow_view *v, bool src);

/* src ADDR[/LEN], dst ADDR[/LEN], port N, proto P, state WORD, rule LABEL; all that are given must hold. */
struct flow_filter {
	bool any; /* something was given */
	bool has_src, has_dst, has_port;
	struct addr_range src, dst;
	uint64_t port;
	long proto; /* -1: any */
	const char *state, *rule;
};
/* Words of a command line. Returns enum status, says what is wrong. */
int flow_filter_parse(struct flow_filter *f, const struct command *cmd, const char *const *word, size_t n);
bool flow_filter_word(const char *word);
bool flow_filter_matches(const struct flow_filter *f, const struct flow_view *v, const struct fw_image *img);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules made in model terms, written down twice: in fwctl's language and in nft's. */
#ifndef FW_HARNESS_RULE_WORDS_H
#define FW_HARNESS_RULE_WORDS_H

#include "model/rule.h"

struct str;

/*
 * One line of rule text with this label. False, and `out` untouched, when the language has no words for it in one rule
 * (a protocol in one family and another in the other, some ICMP codes of several types, an empty set).
 */
bool rule_words_fwctl(const struct rule *rule, const char *label, struct str *out);

/*
 * An nft table "netdev fw" with one ingress chain on `ifname` that says what the chain says: named counters r0, r1, …
 * in the order of its rules, "default" and "l2-other" for the rest, "total". Rules on extension headers are not
 * translated: the chain must have none. What nft sees differently is written down in tests/net/tool_nft.c.
 */
void rule_words_nft(const struct chain *chain, const char *ifname, struct str *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Five-tuple rules of IPv4 in the words of fwctl and of other firewalls, as a person would write them. */
#ifndef FW_BENCH_PEERS_WORDS_H
#define FW_BENCH_PEERS_WORDS_H

#include "model/rule.h"

struct str;

/*
 * One line each: a rule of a policy, a rule of an nft chain, arguments of iptables-restore for chain PREROUTING, a rule
 * of a bpfilter chain. False, and `out` untouched, for a rule that asks for anything but one prefix per side, one
 * protocol, one range per port.
 */
bool peers_words_fwctl(const struct rule *rule, struct str *out);
bool peers_words_nft(const struct rule *rule, struct str *out);
bool peers_words_iptables(const struct rule *rule, struct str *out);
bool peers_words_bpfilter(const struct rule *rule, struct str *out);

#endif

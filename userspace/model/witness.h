/* SPDX-License-Identifier: GPL-2.0-only */
/* A packet that a rule matches: for verified loads, for tests, and to say that a rule can never match. */
#ifndef FW_MODEL_WITNESS_H
#define FW_MODEL_WITNESS_H

#include "model/packet.h"

/*
 * Describe one packet that `rule` matches; another seed may give another one. 0, or -ENOENT when there is none: the
 * rule matches no packet at all (`proto tcp icmp type 8`, an empty list, …). State and membership in live sets are
 * taken for granted: spec->state, live_src, live_dst say which (eval_given_of).
 */
int witness_find(const struct rule *rule, uint64_t seed, struct packet_spec *ret_spec);

#endif

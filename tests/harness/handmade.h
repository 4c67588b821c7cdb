/* SPDX-License-Identifier: GPL-2.0-only */
/* Policies written down in C, rule by rule, for tests that need to know exactly what is in them. */
#ifndef FW_TESTS_HANDMADE_H
#define FW_TESTS_HANDMADE_H

#include "base/arena.h"
#include "compile/compile.h"
#include "model/eval.h"

#define HAND_IP	 (1u << FAMILY_IPV4 | 1u << FAMILY_IPV6)
#define HAND_ANY (HAND_IP | 1u << FAMILY_OTHER)

/*
 * A policy "hand" whose ingress block is present, `default drop`, with n `drop` rules that match IPv4 and IPv6, named
 * "rule 0" …; the egress block is absent. Running out of memory ends the test program.
 */
struct policy *hand_policy(struct arena *arena, size_t n);
static inline struct rule *hand_rule(struct policy *p, size_t i)
{
	return &p->chain[DIRECTION_INGRESS].rules[i];
}

/* Sets of one range. */
const struct vset *hand_values(struct arena *arena, uint64_t lo, uint64_t hi);
const struct aset *hand_addr4(struct arena *arena, uint32_t lo, uint32_t hi);
const struct aset *hand_addr6(struct arena *arena, u128 lo, u128 hi);
const struct vset *hand_no_values(struct arena *arena);
/* One more live set of the policy; its index. The chains are not told. */
uint32_t hand_live(struct arena *arena, struct policy *p, const char *name);

/* Compile. The image must be one that image_check accepts, or the test program ends. */
void hand_compile(const struct policy *policy, struct image *ret);
void hand_compile_opts(const struct policy *policy, const struct compile_opts *opts, struct image *ret);
/* Compile something that is refused: the error code. *ret_text: the diagnostics, to be freed with str_fini. */
int hand_refused(const struct policy *policy, struct str *ret_text);
int hand_refused_opts(const struct policy *policy, const struct compile_opts *opts, struct str *ret_text);

/* An IPv4 or IPv6 TCP packet: of no flow, its addresses in no live set. */
struct packet hand_packet4(uint32_t src, uint32_t dst);
struct packet hand_packet6(u128 src, u128 dst);

/* Do the compiled image and the oracle agree on verdict, reason, rule and counted rules? Says how they do not. */
bool hand_same(const struct policy *policy, const struct image *img, const struct packet *p);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls of the kernel rim that a test expects to work, in a box. Each opens the state, does one thing and closes it, as a command does. */
#ifndef FW_HARNESS_RIM_H
#define FW_HARNESS_RIM_H

#include "harness/box.h"
#include "kern/kern.h"

extern const char *rim_bpffs;  /* where the box has its bpffs */
extern struct fail rim_fail; /* of the last call */
/* Enter a box; where there can be none, say so as one skipped test and end the program. */
void rim_enter(const char *what);

struct kern *rim_open(enum kern_access access);
/* These return the rim's error; the …_ok ones end the test with its sentence. r may be NULL. */
int rim_load(const char *ifname, const char *text, const char *policy, const struct kern_load_opts *opts, struct kern_report *r);
void rim_load_ok(const char *ifname, const char *text, const char *policy, const struct kern_load_opts *opts, struct kern_report *r);
int rim_apply(const char *text, const char *policy, struct kern_report *r);
void rim_apply_ok(const char *text, const char *policy, struct kern_report *r);
int rim_apply_image(struct image *img, const char *policy, struct kern_report *r);
int rim_unload(const char *ifname);

struct kern_iface_state rim_state_one(void); /* there must be exactly one */
size_t rim_state_count(void);
void rim_assert_nothing_left(void);

/* The verdict of the live generation, asked through a twin, for a UDP datagram to a port. */
enum fw_verdict rim_verdict(const char *policy, enum fw_hook hook, uint16_t dport);
/* Packets that a hook of the only interface has counted: of a rule by its label (-1: no such rule), of a reason and verdict,
 * of rules that are gone. */
long rim_rule_packets(enum fw_hook hook, const char *label);
uint32_t rim_rule_slot(enum fw_hook hook, const char *label); /* the rule must be there */
uint64_t rim_rule_last(enum fw_hook hook, const char *label); /* label "": of any packet */
long rim_reason_packets(enum fw_hook hook, enum fw_reason reason, enum fw_verdict verdict);
long rim_retired_packets(enum fw_hook hook, enum fw_verdict verdict);
long rim_all_packets(enum fw_hook hook);

/* Path of the first pin whose path contains `part`. */
const char *rim_pin(const char *part);

#endif

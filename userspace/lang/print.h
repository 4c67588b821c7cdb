/* SPDX-License-Identifier: GPL-2.0-only */
/* Values → canonical text. What is printed here, the parser reads back as the same value. */
#ifndef FW_LANG_PRINT_H
#define FW_LANG_PRINT_H

#include "base/str.h"
#include "model/packet.h"
#include "model/rule.h"

void print_string(struct str *out, const char *s); /* "…" with escapes */
void print_word_or_string(struct str *out, const char *s);
void print_flag_letters(struct str *out, unsigned int bits);
void print_mac(struct str *out, uint64_t mac);
/* One value of a field: its name when it has one, else a number. */
void print_value(struct str *out, enum field_id id, uint64_t value);
/* `22`, `{ 80, 443, 8000-8080 }` */
void print_vset(struct str *out, enum field_id id, const struct vset *set);
void print_range4(struct str *out, const struct range4 *r);
void print_range6(struct str *out, const struct range6 *r);

const char *direction_word(enum direction dir);
const char *verdict_word(enum verdict verdict); /* pass, drop, reject, count */

/* print_extra.c */
void print_duration(struct str *out, uint64_t ns); /* 1h30m; nothing for 0 */
void print_reject(struct str *out, enum reject reject); /* ` with reset`, or nothing */
void print_extras(struct str *out, const struct rule *rule); /* ` keep state limit 10/s`, or nothing */
void print_log(struct str *out, const struct log_opts *log); /* ` limit 10/s sample 1/8`, or nothing */
void print_live_set(struct str *out, const struct named_set *set);
void print_state(struct str *out, const struct state_opts *s); /* nothing when all is as usual */

/* `tcp 198.51.100.7:4000 -> 192.0.2.1:22 flags S` */
void print_packet(const struct packet_spec *spec, struct str *out);

#endif

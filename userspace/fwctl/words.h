/* SPDX-License-Identifier: GPL-2.0-only */
/* One word per idea, the same in text and JSON. */
#ifndef FW_FWCTL_WORDS_H
#define FW_FWCTL_WORDS_H

#include "kern/kern.h"
#include "model/rule.h"

const char *word_dir(unsigned int dir);		/* enum fw_dir or enum direction */
const char *word_verdict(unsigned int v);	/* enum fw_verdict or enum verdict */
const char *word_reason(unsigned int reason);	/* enum fw_reason */
const char *word_reason_text(const char *word); /* its sentence; "" when unknown */
const char *word_hook(enum fw_hook hook);
const char *word_mode(enum fw_hook hook, enum kern_mode mode);
const char *word_link(enum kern_link link);
enum fw_dir hook_dir(enum fw_hook hook);
/* "2026-11-21T03:28:16Z"; static buffer. */
const char *word_time(uint64_t ns);
/* "3s ago": how long before `now_ns` something was, in its largest unit; "-": never (0). Static ring. */
const char *word_ago(uint64_t now_ns, uint64_t then_ns);
/* "12 rules", "1 rule"; static ring. */
const char *word_count(uint64_t n, const char *noun);
/* "1.5 MiB"; static ring. */
const char *word_bytes(uint64_t n);

#endif

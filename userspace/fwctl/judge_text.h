/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FW_FWCTL_JUDGE_TEXT_H
#define FW_FWCTL_JUDGE_TEXT_H

#include "fwctl/judge.h"

#include <jansson.h>

/* `web.fw:12 "web"`; static ring. */
const char *judge_rule_name(const struct rule *r);
/* `pass by web.fw:12 "web"`, `drop by "default"`; static ring. */
const char *judged_text(const struct policy *policy, enum direction dir, const struct judged *j);
json_t *judge_rule_json(const struct rule *r, size_t index);
json_t *judged_json(const struct policy *policy, enum direction dir, const struct judged *j);

#endif

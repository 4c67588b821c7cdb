/* SPDX-License-Identifier: GPL-2.0-only */
/* What a rule, or a default, does to the packets that it decides. */
#ifndef FW_ANALYZE_TREATMENT_H
#define FW_ANALYZE_TREATMENT_H

#include "model/rule.h"

enum treatment {
	TREATMENT_SAME,
	TREATMENT_LOG,   /* the same, but the kernel tells of others */
	TREATMENT_OTHER, /* the same verdict, but state, limits or the kind of answer differ */
	TREATMENT_VERDICT,
};
/* NULL: a default, with the verdict and log beside it. Limits that count the same are the same. */
struct treats {
	const struct rule *rule;
	enum verdict verdict;
	const struct log_opts *log;
};
static inline struct treats treats_rule(const struct rule *r)
{
	return (struct treats){ r, r->verdict, r->log };
}
/* Do both tell of the same packets of a rule? NULL: of none. */
bool log_same(const struct log_opts *a, const struct log_opts *b);
enum treatment treatment_compare(const struct treats *a, const struct treats *b);

#endif

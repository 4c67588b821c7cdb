// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/treatment.h"

#include <string.h>

static bool limit_same(const struct limit *a, const struct limit *b)
{
	if (!a || !b)
		return a == b;
	return a->bytes == b->bytes && a->count == b->count && a->period_ns == b->period_ns && a->burst == b->burst && a->per == b->per &&
	       ((a->per != PER_SRC && a->per != PER_DST) || (a->plen4 == b->plen4 && a->plen6 == b->plen6));
}

static bool over_same(const struct limit_else *a, const struct limit_else *b)
{
	if (a->pass != b->pass || !a->ban != !b->ban)
		return false;
	return !a->ban || (!strcmp(a->ban->name, b->ban->name) && a->ban_ns == b->ban_ns);
}

bool log_same(const struct log_opts *a, const struct log_opts *b)
{
	if (!a || !b)
		return a == b;
	return a->count == b->count && a->period_ns == b->period_ns && a->burst == b->burst && a->sample == b->sample;
}

static bool extras_same(const struct rule *a, const struct rule *b)
{
	if (a->keep_state != b->keep_state || a->synproxy != b->synproxy || a->max_conn != b->max_conn || !limit_same(a->limit, b->limit))
		return false;
	if (a->max_conn && (a->conn_plen4 != b->conn_plen4 || a->conn_plen6 != b->conn_plen6))
		return false;
	if ((a->limit || a->max_conn) && !over_same(&a->over, &b->over))
		return false;
	return a->verdict != VERDICT_REJECT || a->reject == b->reject;
}

enum treatment treatment_compare(const struct treats *a, const struct treats *b)
{
	static const struct rule plain = {};
	struct rule x = a->rule ? *a->rule : plain, y = b->rule ? *b->rule : plain;

	if (a->verdict != b->verdict)
		return TREATMENT_VERDICT;
	x.verdict = y.verdict = a->verdict;
	if (!extras_same(&x, &y))
		return TREATMENT_OTHER;
	return log_same(a->log, b->log) ? TREATMENT_SAME : TREATMENT_LOG;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Intermediate values in words: bits of SETS, and what rules ask for when they have matched. */
#include "compile/plan.h"

static void dump_bit(const struct plan *p, uint32_t bit, struct str *out)
{
	str_addf(out, "  bit %u of sets: %s ", bit, p->sets.side[bit] ? "to" : "from");
	if (bit < p->sets.nlive)
		str_addf(out, "live set %s\n", p->policy->live[p->sets.live[bit]]->name);
	else
		str_addf(out, "a set of %zu and %zu ranges\n", p->sets.block[bit][0]->n, p->sets.block[bit][1]->n);
}

static void dump_key(const struct fw_extra *x, struct str *out)
{
	if (x->per == FW_PER_SRC || x->per == FW_PER_DST)
		str_addf(out, " per %s/%u,/%u", x->per == FW_PER_SRC ? "src" : "dst", x->plen[0], x->plen[1]);
	else if (x->per == FW_PER_FLOW)
		str_add(out, " per flow");
}

static void dump_extra(const struct policy *policy, const struct fw_extra *x, struct str *out)
{
	static const char *const reject[] = { "auto", "reset", "unreachable", "prohibited" };

	str_addf(out, "%s%s", x->flags & FW_EXTRA_KEEP ? " keep" : "", x->flags & FW_EXTRA_SYNPROXY ? " synproxy" : "");
	if (x->flags & FW_EXTRA_LIMIT) {
		str_addf(out, " limit mult %llu shift %u burst %llu%s%s", (unsigned long long)x->mult, x->shift,
			 (unsigned long long)x->burst, x->flags & FW_EXTRA_BYTES ? " bytes" : "",
			 x->flags & FW_EXTRA_FINE ? " fine" : "");
		dump_key(x, out);
	}
	if (x->max_conn)
		str_addf(out, " max-conn %u per src/%u,/%u", x->max_conn, x->conn_plen[0], x->conn_plen[1]);
	if (x->flags & FW_EXTRA_ELSE_PASS)
		str_add(out, " else pass");
	if (x->flags & FW_EXTRA_ELSE_BAN)
		str_addf(out, " else ban %s for %llu ns", policy->live[FW_EXTRA_BAN_REF(x->flags)]->name, (unsigned long long)x->ban_ns);
	if (x->log)
		str_addf(out, " log %u", x->log - 1);
	if (x->reject || (!x->flags && !x->max_conn && !x->log))
		str_addf(out, " reject %s", reject[x->reject & 3]);
}

static void dump_logs(const struct logs *l, struct str *out)
{
	for (size_t i = 0; i < l->n; i++) {
		str_addf(out, "  log %zu:", i);
		if (l->v[i].cost)
			str_addf(out, " limit cost %llu burst %llu", (unsigned long long)l->v[i].cost, (unsigned long long)l->v[i].burst);
		str_addf(out, " sample 1/%u\n", l->v[i].sample);
	}
	if (l->of_default)
		str_addf(out, "  the default: log %u\n", l->of_default - 1);
	if (l->of_reasons)
		str_addf(out, "  reasons: log %u\n", l->of_reasons - 1);
}

void extras_dump(const struct plan *p, struct str *out)
{
	for (uint32_t k = 0; k < p->sets.n; k++)
		dump_bit(p, k, out);
	dump_logs(&p->logs, out);
	for (size_t i = 0; i < p->extras.n; i++) {
		size_t rules = 0;

		for (size_t r = 0; r < p->boxes.nrules; r++)
			rules += p->extras.of[r] == i + 1;
		str_addf(out, "  extra %zu, of %zu rules:", i, rules);
		dump_extra(p->policy, &p->extras.v[i], out);
		str_add(out, "\n");
	}
}

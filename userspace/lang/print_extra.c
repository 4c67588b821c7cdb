// SPDX-License-Identifier: GPL-2.0-only
/* What a rule does beside its verdict, durations, live sets and state blocks → canonical text. */
#include "base/duration.h"
#include "lang/number.h"
#include "lang/print.h"
#include "model/track.h"

void print_duration(struct str *out, uint64_t ns)
{
	if (ns)
		duration_add(out, ns);
}

static void print_bits(struct str *out, uint64_t bytes)
{
	static const char *const words[] = { "bit", "kbit", "mbit", "gbit" };
	uint64_t bits = bytes * 8;
	size_t i = 0;

	for (; i < 3 && bits % 1000 == 0; i++)
		bits /= 1000;
	str_add_u64(out, bits);
	str_add(out, words[i]);
}

/* As the parser reads it: one number, of IPv4 up to 32 (IPv6 goes by /64 then), of IPv6 above. */
static void print_per(struct str *out, const char *word, unsigned int plen4, unsigned int plen6)
{
	str_addf(out, " per %s", word);
	if (plen4 < 32)
		str_addf(out, "/%u", plen4);
	else if (plen6 < 128)
		str_addf(out, "/%u", plen6);
}

static void print_rate(struct str *out, uint64_t count, uint64_t period_ns)
{
	const char *unit;
	uint64_t ns;

	str_add_u64(out, count);
	for (size_t i = 0; (unit = rate_unit(i, &ns)); i++)
		if (ns == period_ns)
			str_addf(out, "/%s", unit);
}

static void print_limit(struct str *out, const struct limit *l)
{
	str_add(out, " limit ");
	if (l->bytes)
		print_bits(out, l->count);
	else
		print_rate(out, l->count, l->period_ns);
	if (l->burst != l->count) {
		str_add(out, " burst ");
		if (l->bytes)
			print_bits(out, l->burst);
		else
			str_add_u64(out, l->burst);
	}
	if (l->per == PER_FLOW)
		str_add(out, " per flow");
	else if (l->per != PER_RULE)
		print_per(out, l->per == PER_SRC ? "src" : "dst", l->plen4, l->plen6);
}

void print_reject(struct str *out, enum reject reject)
{
	static const char *const words[] = {
		[REJECT_TCP_RESET] = "reset", [REJECT_UNREACHABLE] = "unreachable", [REJECT_PROHIBITED] = "prohibited"
	};

	if (reject != REJECT_AUTO)
		str_addf(out, " with %s", words[reject]);
}

void print_extras(struct str *out, const struct rule *rule)
{
	str_add(out, rule->keep_state ? " keep state" : "");
	str_add(out, rule->synproxy ? " synproxy" : "");
	if (rule->limit)
		print_limit(out, rule->limit);
	if (rule->max_conn) {
		str_addf(out, " max-conn %u", rule->max_conn);
		print_per(out, "src", rule->conn_plen4, rule->conn_plen6);
	}
	if (rule->over.pass)
		str_add(out, " else pass");
	if (rule->over.ban) {
		str_addf(out, " else ban @%s", rule->over.ban->name);
		str_add(out, rule->over.ban_ns ? " for " : "");
		print_duration(out, rule->over.ban_ns);
	}
}

void print_log(struct str *out, const struct log_opts *log)
{
	if (log->count) {
		str_add(out, " limit ");
		print_rate(out, log->count, log->period_ns);
		if (log->burst != log->count) {
			str_add(out, " burst ");
			str_add_u64(out, log->burst);
		}
	}
	if (log->sample > 1)
		str_addf(out, " sample 1/%u", log->sample);
}

void print_live_set(struct str *out, const struct named_set *set)
{
	str_addf(out, "set %s {\n\ttype prefix\n\tlive\n", set->name);
	if (set->timeout_ns) {
		str_add(out, "\ttimeout ");
		print_duration(out, set->timeout_ns);
		str_add_char(out, '\n');
	}
	str_addf(out, "\tsize %u\n%s%s}\n", set->size, set->counters ? "\tcounters\n" : "",
		 set->widen ? "\twiden\n" : "");
}

/* Only what differs from the defaults. */
static void print_state_lines(struct str *out, const struct state_opts *s)
{
	struct state_opts d;

	state_opts_default(&d);
	if (s->size != d.size)
		str_addf(out, "\t\tsize %u\n", s->size);
	if (s->pending != d.pending)
		str_addf(out, "\t\tpending %u\n", s->pending);
	str_add(out, s->full_pass ? "\t\tfull pass\n" : "");
	if (s->pickup_s != d.pickup_s) {
		str_add(out, !s->pickup_s		 ? "\t\tpickup off"
			     : s->pickup_s == UINT32_MAX ? "\t\tpickup always"
							 : "\t\tpickup ");
		print_duration(out, s->pickup_s == UINT32_MAX ? 0 : s->pickup_s * DURATION_S);
		str_add_char(out, '\n');
	}
	str_add(out, s->asymmetric ? "\t\tasymmetric\n" : "");
	str_add(out, s->window ? "\t\twindow\n" : "");
	for (int i = 0; i < TRACK_TIMEOUTS; i++) {
		if (s->timeout_s[i] == d.timeout_s[i])
			continue;
		str_addf(out, "\t\t%s ", track_timeout_words((enum track_timeout)i));
		print_duration(out, s->timeout_s[i] * DURATION_S);
		str_add_char(out, '\n');
	}
}

void print_state(struct str *out, const struct state_opts *s)
{
	struct str lines = {};

	print_state_lines(&lines, s);
	if (lines.failed)
		out->failed = true;
	if (lines.len)
		str_addf(out, "\tstate {\n%s\t}\n", str_get(&lines));
	str_fini(&lines);
}

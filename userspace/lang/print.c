// SPDX-License-Identifier: GPL-2.0-only
/* A whole rule set in canonical text. */
#include "lang/print.h"

#include "base/arena.h"
#include "lang/lang.h"
#include "lang/parse.h"

#include <errno.h>
#include <string.h>

#define INLINE_ELEMENTS 4 /* a set of more takes one line per element */

static void print_set(const struct named_set *set, struct str *out)
{
	const struct aset *a = set->addresses;
	bool many = a && a->n4 + a->n6 > INLINE_ELEMENTS;
	const char *sep = many ? "\n\t\t" : " ", *next = many ? ",\n\t\t" : ", ";

	if (!a) {
		print_live_set(out, set);
		return;
	}
	str_addf(out, "set %s {\n\ttype prefix\n", set->name);
	if (a->n4 + a->n6) {
		str_add(out, "\telements {");
		for (size_t i = 0; i < a->n4; i++, sep = next) {
			str_add(out, sep);
			print_range4(out, &a->v4[i]);
		}
		for (size_t i = 0; i < a->n6; i++, sep = next) {
			str_add(out, sep);
			print_range6(out, &a->v6[i]);
		}
		str_add(out, many ? "\n\t}\n" : " }\n");
	} else {
		str_add(out, "\telements { }\n");
	}
	str_add(out, "}\n");
}

static void print_chain(const struct chain *chain, enum direction dir, struct str *out)
{
	bool essential = false;

	str_addf(out, "\t%s default %s {\n", direction_word(dir), verdict_word(chain->fallback));
	for (size_t i = 0; i < chain->nrules; i++)
		essential |= chain->rules[i].essential;
	if (chain->fallback == VERDICT_DROP && !essential)
		str_add(out, "\t\tessentials off\n");
	if (chain->log_default) {
		str_add(out, "\t\tlog default");
		print_log(out, chain->log_default);
		str_add_char(out, '\n');
	}
	if (chain->log_reasons) {
		str_add(out, "\t\tlog reasons");
		print_log(out, chain->log_reasons);
		str_add_char(out, '\n');
	}
	/* Essentials are implied; as comments they can be seen. */
	for (size_t i = 0; i < chain->nrules; i++) {
		str_add(out, chain->rules[i].essential ? "\t\t# " : "\t\t");
		str_add(out, chain->rules[i].text);
		str_add_char(out, '\n');
	}
	str_add(out, "\t}\n");
}

void lang_print_policy(const struct policy *p, struct str *out)
{
	str_addf(out, "policy %s {\n", p->name);
	print_state(out, &p->state);
	for (int dir = 0; dir < DIRECTION_COUNT; dir++)
		if (p->chain[dir].present)
			print_chain(&p->chain[dir], (enum direction)dir, out);
	str_add(out, "}\n");
}

/* Interfaces of one policy on one line. */
static void print_bindings(const struct ruleset *rs, struct str *out)
{
	for (size_t i = 0; i < rs->nbindings; i++) {
		bool first = !i || rs->bindings[i].policy != rs->bindings[i - 1].policy;

		str_add(out, first ? "interface " : ", ");
		print_word_or_string(out, rs->bindings[i].interface);
		if (i + 1 == rs->nbindings || rs->bindings[i].policy != rs->bindings[i + 1].policy)
			str_addf(out, " uses %s\n", rs->bindings[i].policy->name);
	}
}

static void print_tests(const struct ruleset *rs, struct str *out)
{
	for (size_t i = 0; i < rs->ntests; i++) {
		const struct expectation *x = &rs->tests[i], *before = i ? x - 1 : NULL,
					 *after = i + 1 < rs->ntests ? x + 1 : NULL;

		if (!before || x->policy != before->policy)
			str_addf(out, "test policy %s {\n", x->policy->name);
		if (x->sequence && (!before || x->sequence != before->sequence))
			str_add(out, "\tsequence {\n");
		str_addf(out, "%s%s\n", x->sequence ? "\t\t" : "\t", x->text);
		if (x->sequence && (!after || x->sequence != after->sequence))
			str_add(out, "\t}\n");
		if (!after || x->policy != after->policy)
			str_add(out, "}\n");
	}
}

void lang_print(const struct ruleset *rs, struct str *out)
{
	for (size_t i = 0; i < rs->nsets; i++)
		print_set(&rs->sets[i], out);
	for (size_t i = 0; i < rs->npolicies; i++)
		lang_print_policy(&rs->policies[i], out);
	print_bindings(rs, out);
	print_tests(rs, out);
}

int lang_parse_packet(struct arena *arena, const char *name, const char *text, size_t len, struct diags *d,
		      struct packet_spec **ret_spec)
{
	struct source *source = arena_alloc(arena, sizeof(*source));
	struct packet_spec *spec = NULL;
	struct parser p;
	bool good;

	if (!source)
		return -ENOMEM;
	*source = (struct source){ arena_strdup(arena, name), text, len };
	if (!source->name)
		return -ENOMEM;
	if (len > LEX_MAX_TEXT) {
		diag_add(d, DIAG_ERROR, (struct span){ source, 0, 0 }, "the text is larger than 1 GiB");
		return -EINVAL;
	}
	parser_init(&p, arena, source, d);
	good = parse_packet(&p, &spec);
	while (good && p.tok.kind == TOK_NEWLINE)
		parser_next(&p);
	if (good && p.tok.kind != TOK_END)
		good = parser_expected(&p, "an option of the packet or its end", NULL);
	parser_fini(&p);
	if (p.failed)
		return -ENOMEM;
	if (good)
		*ret_spec = spec;
	return good ? 0 : -EINVAL;
}

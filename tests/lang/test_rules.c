// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rule files that are shipped, and the snippets of their reference: they parse without a warning, print back the
 * same, and do what their test blocks say. The oracle judges.
 */
#include "lang_test.h"
#include "model/eval.h"
#include "model/track.h"

static const char rules_dir[] = "rules";

static uint8_t frame[PACKET_MAX_FRAME];

/* Who decided, in the words that a test block uses. */
static const char *decided_by(const struct chain *chain, const struct eval_result *r)
{
	if (r->reason == EVAL_RULE)
		return chain->rules[r->rule].label ? chain->rules[r->rule].label : chain->rules[r->rule].text;
	return eval_reason_word(r);
}

static const char *verdict_name(enum verdict verdict)
{
	return verdict == VERDICT_PASS ? "pass" : verdict == VERDICT_DROP ? "drop" : "reject";
}

static void assert_packet(struct track *track, const struct expectation *x)
{
	long len = packet_build(x->packet, frame, sizeof(frame));

	if (len < 0)
		fail_msg("%s:%u: no such packet can be built: %s", x->file, x->line, x->text);
	for (unsigned int i = 1; i <= x->times; i++) {
		struct eval_result r;
		const char *by;

		assert_int_equal(track_frame(track, x->policy, x->direction, frame, (size_t)len, NULL, NULL, NULL, &r), 0);
		by = decided_by(&x->policy->chain[x->direction], &r);
		if (r.verdict != x->verdict || (x->by && strcmp(by, x->by)))
			fail_msg("%s:%u: %s: but it is %s by \"%s\", time %u", x->file, x->line, x->text,
				 verdict_name(r.verdict), by, i);
	}
}

/* One host: what the shipped files add. */
static void element_change(struct track *track, const struct expectation *x)
{
	enum family family = x->addresses->n4 ? FAMILY_IPV4 : FAMILY_IPV6;
	u128 addr = x->addresses->n4 ? x->addresses->v4->lo : x->addresses->v6->lo;
	unsigned int plen = x->addresses->n4 ? 32 : 128;
	uint64_t ns = x->ns ? x->ns : x->set->timeout_ns;

	assert_true(x->addresses->n4 ? addr == x->addresses->v4->hi : addr == x->addresses->v6->hi);
	if (x->step == STEP_DEL)
		track_set_del(track, x->set, family, addr, plen);
	else
		assert_int_equal(track_set_add(track, x->set, family, addr, plen, ns ? track_now(track) + ns : UINT64_MAX), 0);
}

/* Single lines and sequences each begin with empty tables. */
static void assert_expectations(const struct ruleset *rs)
{
	struct track *track = NULL;

	for (size_t i = 0; i < rs->ntests; i++) {
		const struct expectation *x = &rs->tests[i];

		if (!i || !x->sequence || x->sequence != x[-1].sequence) {
			track_free(track);
			track = track_new(0);
			assert_non_null(track);
			track_clock(track, TRACK_LATER_NS);
		}
		if (x->step == STEP_AFTER)
			track_clock(track, track_now(track) + x->ns);
		else if (x->step == STEP_PACKET)
			assert_packet(track, x);
		else
			element_change(track, x);
	}
	track_free(track);
}

static void shipped_file(void **state)
{
	auto_parsed struct parsed p = parse_path(rules_dir, *state);
	size_t verdicts[VERDICT_COUNT] = {};

	if (p.errors.len)
		print_error("%s", str_get(&p.errors));
	assert_int_equal(p.err, 0);
	assert_int_equal(p.d.warnings, 0);
	assert_print_identity(&p);
	assert_expectations(p.rules);
	for (size_t i = 0; i < p.rules->ntests; i++)
		if (p.rules->tests[i].step == STEP_PACKET)
			verdicts[p.rules->tests[i].verdict]++;
	/* Both verdicts are tested, or a file that does nothing would pass. */
	assert_true(verdicts[VERDICT_PASS] >= 3);
	assert_true(verdicts[VERDICT_DROP] >= 3);
}

/* Every label of a shipped file is decided by in one of its tests, so that no rule is there by hearsay. */
static void shipped_labels_tested(void **state)
{
	char **names;
	size_t n = rule_files(rules_dir, &names), labels = 0, tested = 0;

	for (size_t i = 0; i < n; i++) {
		auto_parsed struct parsed p = parse_path(rules_dir, names[i]);

		assert_int_equal(p.err, 0);
		for (size_t t = 0; t < p.rules->ntests; t++)
			tested += p.rules->tests[t].by && strcmp(p.rules->tests[t].by, "default");
		for (size_t k = 0; k < p.rules->npolicies; k++)
			for (int dir = 0; dir < DIRECTION_COUNT; dir++)
				for (size_t q = 0; q < p.rules->policies[k].chain[dir].nrules; q++)
					labels += p.rules->policies[k].chain[dir].rules[q].label != NULL;
		free(names[i]);
	}
	free(names);
	assert_true(n >= 6);
	assert_true(tested * 2 >= labels);
}

/*
 * A snippet is a whole file, or rules of one block; which, its first word says. Snippets that show a mistake are in
 * another kind of block.
 */
static struct parsed parse_snippet(const char *text, size_t len)
{
	static const char *const top[] = { "define ", "set ", "policy ", "interface ", "include ", "test " };
	struct dir_reader reader = { .dir = rules_dir };
	struct str file = {};
	struct parsed p;
	bool whole = false;
	const char *s = text;

	while (s < text + len && (*s == '#' || *s == '\n')) { /* comments first */
		s = memchr(s, '\n', (size_t)(text + len - s));
		assert_non_null(s);
		s++;
	}
	for (size_t i = 0; i < sizeof(top) / sizeof(top[0]); i++)
		whole |= !strncmp(s, top[i], strlen(top[i]));
	if (!whole)
		str_add(&file, "define admins = { 203.0.113.0/24, 2001:db8:5::/48 }\n"
			       "define web_ports = { 80, 443 }\n"
			       "set blocklist { elements { 192.0.2.0/24 } }\n"
			       "set banned { live; timeout 1h }\n"
			       "policy snippet {\ningress default drop {\n");
	str_add_len(&file, text, len);
	if (!whole)
		str_add(&file, "}\n}\n");
	p = parse_text("snippet.fw", str_get(&file), file.len, &reader);
	str_fini(&file);
	return p;
}

static void reference_snippets(void **state)
{
	struct dir_reader reader = { .dir = rules_dir };
	struct arena *arena = arena_new();
	const char *text, *at;
	size_t len, n = 0;

	assert_int_equal(dir_read(&reader, arena, "README.md", &text, &len), 0);
	for (at = text; (at = strstr(at, "```fw\n"));) {
		const char *start = at + strlen("```fw\n"), *end = strstr(start, "```");

		assert_non_null(end);
		{
			auto_parsed struct parsed p = parse_snippet(start, (size_t)(end - start));

			if (p.err)
				fail_msg("rules/README.md: this snippet does not parse:\n%.*s\n%s", (int)(end - start),
					 start, str_get(&p.errors));
			assert_print_identity(&p);
			assert_expectations(p.rules);
		}
		at = end + 3;
		n++;
	}
	arena_free(arena);
	assert_true(n >= 15);
}

/* Every field of the vocabulary has a row in the reference. */
static void reference_names_fields(void **state)
{
	struct dir_reader reader = { .dir = rules_dir };
	struct arena *arena = arena_new();
	const char *text;
	size_t len;

	assert_int_equal(dir_read(&reader, arena, "README.md", &text, &len), 0);
	for (int id = 0; id < FIELD_VALUE_COUNT; id++) {
		char want[64];

		snprintf(want, sizeof(want), "| `%s", field_get(id)->word);
		if (!strstr(text, want))
			fail_msg("rules/README.md has no table row for \"%s\"", field_get(id)->word);
	}
	arena_free(arena);
}

int main(void)
{
	char **names;
	size_t n = rule_files(rules_dir, &names), k = 0;
	struct CMUnitTest *tests = calloc(n + 3, sizeof(*tests));
	int failed;

	for (size_t i = 0; i < n; i++) {
		char *title = NULL;

		if (asprintf(&title, "rules/%s does what its test blocks say", names[i]) < 0)
			return 1;
		tests[k++] = (struct CMUnitTest){ title, shipped_file, NULL, NULL, names[i] };
	}
	tests[k++] = (struct CMUnitTest){ "the test blocks of the shipped files name most of their labels",
					  shipped_labels_tested, NULL, NULL, NULL };
	tests[k++] = (struct CMUnitTest){ "every rule snippet of the reference parses", reference_snippets, NULL, NULL,
					  NULL };
	tests[k++] = (struct CMUnitTest){ "every field has its row in the reference", reference_names_fields, NULL,
					  NULL, NULL };
	failed = _cmocka_run_group_tests("rules", tests, k, NULL, NULL);
	for (size_t i = 0; i < n; i++) {
		free((char *)tests[i].name);
		free(names[i]);
	}
	free(names);
	free(tests);
	return failed;
}

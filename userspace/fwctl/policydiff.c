// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/policydiff.h"

#include "base/arena.h"
#include "fwctl/cmd.h"
#include "fwctl/example.h"
#include "fwctl/out.h"
#include "fwctl/text.h"
#include "fwctl/words.h"
#include "lang/print.h"

#include <errno.h>
#include <string.h>

#define SHOWN_RULES   3 /* rules named at one end of a change */
#define SHOWN_REGIONS 5

int policydiff_make(struct policydiff *d, struct arena *arena, const struct ruleset *old_set, const struct policy *old,
		    const struct ruleset *new_set, const struct policy *new)
{
	*d = (struct policydiff){ .arena = arena, .old_set = old_set, .new_set = new_set, .old = old, .new = new };
	int err = diff_policies(arena, old, new, &d->diff);

	err = err ? err : diff_sets(arena, old_set, new_set, &d->set, &d->nsets);
	if (err)
		problem("cannot compare policy %s: %s", new->name, strerror(-err));
	return err ? STATUS_REFUSED : STATUS_DONE;
}

void policydiff_fini(struct policydiff *d)
{
	diff_fini(&d->diff);
}

bool policydiff_is_any(const struct policydiff *d)
{
	return diff_is_any(&d->diff);
}

/* What is done to the packets, beyond the verdict where that is what changes. */
static void treatment_text(const struct diff_end *e, enum treatment how, struct str *out)
{
	const struct rule *r = e->count ? e->rule[0] : NULL;

	str_add(out, word_verdict((unsigned int)e->verdict));
	print_reject(out, e->reject);
	if (how == TREATMENT_OTHER && r)
		print_extras(out, r);
	if (how == TREATMENT_LOG)
		str_add(out, e->log ? " log" : " without a log");
	if (how == TREATMENT_LOG && e->log)
		print_log(out, e->log);
}

static bool is_of_flows(const struct diff_change *c)
{
	return c->nregions && c->region[0]->states & (1u << STATE_ESTABLISHED | 1u << STATE_RELATED);
}

static void end_text(const struct diff_change *c, const struct diff_end *e, struct str *out)
{
	size_t shown = e->count < SHOWN_RULES ? e->count : SHOWN_RULES;

	treatment_text(e, c->how, out);
	str_add(out, " by ");
	for (size_t i = 0; i < shown; i++) {
		str_add(out, i ? ", " : "");
		rule_name(e->rule[i], out);
	}
	if (e->count > shown)
		str_addf(out, " and %s", word_count(e->count - shown, "other rule"));
	if (e->fallback)
		str_addf(out, "%s%s", shown ? " or by " : "", is_of_flows(c) ? "its flow" : "default");
}

static bool is_in_part(const struct diff_change *c)
{
	for (size_t i = 0; i < c->nregions; i++)
		if (c->region[i]->part)
			return true;
	return false;
}

static void change_print(const struct policydiff *d, enum direction dir, const struct diff_change *c)
{
	size_t shown = c->nregions < SHOWN_REGIONS ? c->nregions : SHOWN_REGIONS;
	struct str s = {};

	for (size_t i = 0; i < shown; i++) {
		str_reset(&s);
		region_text(c->region[i], &s);
		out("  %s\n", str_get(&s));
	}
	if (c->more || c->nregions > shown)
		out("  and others\n");
	str_reset(&s);
	end_text(c, &c->old, &s);
	str_add(&s, "  =>  ");
	end_text(c, &c->new, &s);
	out("      %s%s\n", str_get(&s), is_in_part(c) ? ", where no earlier rule decides" : "");
	str_reset(&s);
	if (c->built)
		example_text(&c->spec, d->diff.tracks_old || d->diff.tracks_new, d->diff.live[dir], SPACE_MAX_LIVE, &s);
	else
		str_add(&s, "none that can be built: a header of it would be shorter than those made here");
	out("      example: %s\n", str_get(&s));
	str_fini(&s);
}

static void direction_print(const struct policydiff *d, enum direction dir)
{
	const struct diff *x = &d->diff;

	if (!x->change[dir].n && !x->undecided[dir] && !x->faults[dir])
		return;
	out("%s\n", word_dir(dir));
	if (x->faults[dir])
		out("  %s: frames that cannot be parsed %s\n",
		    d->new->chain[dir].present ? "a block where there was none" : "no block any more",
		    d->new->chain[dir].present ? "passed, and are dropped" : "were dropped, and pass");
	for (size_t i = 0; i < x->change[dir].n; i++)
		change_print(d, dir, &x->change[dir].v[i]);
	if (x->undecided[dir])
		out("  undecided: %s took too long; there may be more changes\n", word_count(x->undecided[dir], "comparison"));
}

static void some_print(char sign, size_t n, const struct aset *some)
{
	struct str s = {};
	const char *sep = "";
	size_t shown = 0;

	if (!n)
		return;
	for (size_t i = 0; i < some->n4 && shown < 4; i++, shown++, sep = ", ") {
		str_add(&s, sep);
		print_range4(&s, &some->v4[i]);
	}
	for (size_t i = 0; i < some->n6 && shown < 4; i++, shown++, sep = ", ") {
		str_add(&s, sep);
		print_range6(&s, &some->v6[i]);
	}
	out("  %c %s: %s%s\n", sign, word_count(n, "range"), str_get(&s), n > shown ? ", ..." : "");
	str_fini(&s);
}

static void sets_print(const struct policydiff *d)
{
	for (size_t i = 0; i < d->nsets; i++) {
		const struct diff_set *s = &d->set[i];
		const struct named_set *any = s->new ? s->new : s->old;

		out("set %s%s%s\n", any->name, any->addresses ? "" : ", live", !s->old ? " comes" : !s->new ? " goes" : "");
		some_print('+', s->added, s->some_added);
		some_print('-', s->removed, s->some_removed);
	}
}

/* What is left to say when all packets fare as before. */
static void rest_print(const struct policydiff *d)
{
	const struct diff *x = &d->diff;

	if (x->tracks_old != x->tracks_new)
		out("%s\n", x->tracks_new ? "flows are remembered from now on: their answers pass" :
					    "flows are remembered no longer: their answers are judged by the rules");
	if (x->state_opts)
		out("the state block differs: timeouts, sizes or what becomes of packets without room\n");
	if (x->logs)
		out("the log differs: of other packets on their way, or of other reasons\n");
	if (x->came || x->gone)
		out("%s come and %zu go, with their counters\n", word_count(x->came, "rule"), x->gone);
}

void policydiff_print(const struct policydiff *d)
{
	if (!strcmp(d->old->name, d->new->name))
		out("policy %s\n", d->new->name);
	else
		out("policy %s, then %s\n", d->old->name, d->new->name);
	for (int dir = 0; dir < DIRECTION_COUNT; dir++)
		direction_print(d, (enum direction)dir);
	if (!policydiff_is_any(d))
		out("no packet changes its fate\n");
	else if (!diff_is_fate(&d->diff) && !d->diff.undecided[0] && !d->diff.undecided[1])
		out("no packet changes its verdict\n");
	rest_print(d);
	sets_print(d);
}

static json_t *end_json(const struct diff_change *c, const struct diff_end *e)
{
	json_t *rules = json_array();
	struct str s = {};

	for (size_t i = 0; i < e->count && i < DIFF_RULES; i++)
		json_array_append_new(rules, rule_json(e->rule[i]));
	treatment_text(e, c->how, &s);
	json_t *j = json_pack("{s:s,s:o,s:I,s:o,s:b}", "verdict", word_verdict((unsigned int)e->verdict), "does", out_jstr(str_get(&s)),
			      "rules_count", (json_int_t)e->count, "rules", rules, is_of_flows(c) ? "flow" : "default", (int)e->fallback);
	str_fini(&s);
	return j;
}

static json_t *change_json(const struct policydiff *d, enum direction dir, const struct diff_change *c)
{
	static const char *const hows[] = { [TREATMENT_LOG] = "log", [TREATMENT_OTHER] = "treatment", [TREATMENT_VERDICT] = "verdict" };
	json_t *regions = json_array();

	for (size_t i = 0; i < c->nregions; i++) {
		struct str s = {};

		region_text(c->region[i], &s);
		json_array_append_new(regions, json_pack("{s:o,s:b}", "packets", out_jstr(str_get(&s)), "in_part",
							 (int)c->region[i]->part));
		str_fini(&s);
	}
	return json_pack("{s:s,s:s,s:o,s:b,s:o,s:o,s:o}", "direction", word_dir(dir), "changes", hows[c->how], "regions", regions, "more",
			 (int)c->more, "old", end_json(c, &c->old), "new", end_json(c, &c->new), "example",
			 c->built ? example_json(&c->spec, d->diff.tracks_old || d->diff.tracks_new, d->diff.live[dir], SPACE_MAX_LIVE) :
				    json_null());
}

static json_t *some_json(const struct aset *some)
{
	json_t *list = json_array();
	struct str s = {};

	for (size_t i = 0; i < some->n4 + some->n6; i++) {
		str_reset(&s);
		if (i < some->n4)
			print_range4(&s, &some->v4[i]);
		else
			print_range6(&s, &some->v6[i - some->n4]);
		json_array_append_new(list, out_jstr(str_get(&s)));
	}
	str_fini(&s);
	return list;
}

static json_t *sets_json(const struct policydiff *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->nsets; i++) {
		const struct diff_set *s = &d->set[i];

		json_array_append_new(list, json_pack("{s:o,s:s,s:I,s:o,s:I,s:o}", "set",
						      out_jstr((s->new ? s->new : s->old)->name), "result",
						      !s->old ? "comes" : !s->new ? "goes" : "differs", "added", (json_int_t)s->added,
						      "added_some", some_json(s->some_added), "removed", (json_int_t)s->removed,
						      "removed_some", some_json(s->some_removed)));
	}
	return list;
}

json_t *policydiff_json(const struct policydiff *d)
{
	const struct diff *x = &d->diff;
	json_t *changes = json_array(), *undecided = json_object(), *faults = json_object();

	for (int dir = 0; dir < DIRECTION_COUNT; dir++) {
		for (size_t i = 0; i < x->change[dir].n; i++)
			json_array_append_new(changes, change_json(d, (enum direction)dir, &x->change[dir].v[i]));
		json_object_set_new(undecided, word_dir((unsigned int)dir), json_integer((json_int_t)x->undecided[dir]));
		json_object_set_new(faults, word_dir((unsigned int)dir), json_boolean(x->faults[dir]));
	}
	return json_pack("{s:o,s:o,s:b,s:b,s:o,s:o,s:o,s:b,s:b,s:b,s:I,s:I,s:o}", "old_policy", out_jstr(d->old->name), "new_policy",
			 out_jstr(d->new->name), "same", (int)!policydiff_is_any(d), "fate_changes", (int)diff_is_fate(x), "changes",
			 changes, "undecided", undecided, "unparsable_frames_change", faults, "keeps_state_changes",
			 (int)(x->tracks_old != x->tracks_new), "state_block_changes", (int)x->state_opts, "log_changes",
			 (int)x->logs, "rules_come",
			 (json_int_t)x->came, "rules_go", (json_int_t)x->gone, "sets", sets_json(d));
}

/* The rules as their author knows them: the image says where each stood. */
static void rules_locate(struct rule *rules, size_t n, const struct fw_image *img, enum direction dir)
{
	size_t known;
	const struct fw_meta_rule *meta = image_rules(img, (enum fw_dir)dir, &known);

	for (size_t i = 0; i < n && i < known; i++) {
		rules[i].file = image_str(img, meta[i].file);
		rules[i].line = meta[i].line;
	}
}

const struct ruleset *policydiff_live(struct arena *arena, const struct fw_image *img)
{
	const struct ruleset *rs = text_read(arena, img);

	if (!rs) {
		problem("the sets of the running policy %s are too large to be kept as text; compare the files instead", image_policy(img));
		return NULL;
	}
	for (int dir = 0; dir < DIRECTION_COUNT; dir++)
		rules_locate(rs->policies[0].chain[dir].rules, rs->policies[0].chain[dir].nrules, img, (enum direction)dir);
	return rs;
}

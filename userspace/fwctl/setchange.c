// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/setchange.h"

#include "fwctl/cmd.h"
#include "fwctl/out.h"
#include "fwctl/words.h"

#include <errno.h>

int setchange_add(struct liveset *s, struct elements *e, struct setchange *ret)
{
	*ret = (struct setchange){ .kind = SETCHANGE_ADD, .given = e->n };
	elements_settle(e, s->set);
	int err = e->n ? kern_live_add(s->h, s->set->id, e->v, e->n, false, &ret->done) : 0;
	return err ? liveset_refused(s, err) : STATUS_DONE;
}

int setchange_del(struct liveset *s, struct elements *e, struct setchange *ret)
{
	*ret = (struct setchange){ .kind = SETCHANGE_DEL, .given = e->n };
	elements_settle(e, s->set);
	int err = e->n ? kern_live_del(s->h, s->set->id, e->v, e->n, &ret->done) : 0;
	return err ? liveset_refused(s, err) : STATUS_DONE;
}

/* What stands in the set without what has ended. */
static int count_now(struct liveset *s, size_t *ret)
{
	struct kern_set *sets;
	size_t n;
	int err = kern_live_reap(s->h, &n);

	if (!err)
		err = kern_live_sets(s->h, &sets, &n);
	if (err)
		return err;
	*ret = 0;
	for (size_t i = 0; i < n; i++)
		if (sets[i].id == s->set->id)
			*ret = sets[i].count;
	free(sets);
	return 0;
}

static int shrink_check(const struct liveset *s, size_t before, size_t after)
{
	if (!before || after * 2 >= before)
		return STATUS_DONE;
	problem("live set %s has %s and would keep %zu: a list that loses more than half of itself may be damaged; "
		"look at it, "
		"and insist with --force",
		s->set->name, word_count(before, "element"), after);
	return STATUS_REFUSED;
}

int setchange_replace(struct liveset *s, struct elements *e, bool force, struct setchange *ret)
{
	size_t before = 0;
	int err = 0;

	*ret = (struct setchange){ .kind = SETCHANGE_REPLACE, .given = e->n };
	elements_settle(e, s->set);
	long distinct = elements_distinct(e);
	if (distinct < 0)
		return liveset_refused(s, (int)distinct);
	ret->done = (size_t)distinct;
	if (!force)
		err = count_now(s, &before);
	if (err)
		return liveset_refused(s, err);
	int status = force ? STATUS_DONE : shrink_check(s, before, ret->done);
	if (status)
		return status;
	err = kern_live_replace(s->h, s->set->id, e->v, e->n);
	return err ? liveset_refused(s, err) : STATUS_DONE;
}

static void report_text(const struct liveset *s, const struct elements *e, const struct setchange *c)
{
	const char *name = s->set->name;
	size_t others = c->given - c->done;

	switch (c->kind) {
	case SETCHANGE_ADD:
		out("%s: added %s", name, word_count(c->done, "element"));
		if (others)
			out(", %zu %s already and %s at the later time", others,
			    others == 1 ? "was there" : "were there", others == 1 ? "ends" : "end");
		break;
	case SETCHANGE_DEL:
		out("%s: deleted %s", name, word_count(c->done, "element"));
		if (others)
			out(", %zu %s not there", others, others == 1 ? "was" : "were");
		break;
	case SETCHANGE_REPLACE:
		out("%s: replaced, %s now", name, word_count(c->done, "element"));
		break;
	}
	out("\n");
	if (e->widened)
		out("%s: %s became the /64 around it, as the set widens\n", name, word_count(e->widened, "IPv6 host"));
	if (e->ended)
		out("%s: left out %s that had ended\n", name, word_count(e->ended, "element"));
}

int setchange_report(const struct liveset *s, const struct elements *e, const struct setchange *c, bool json)
{
	static const char *const done[] = { "added", "deleted", "elements" };

	if (!json) {
		report_text(s, e, c);
		return STATUS_DONE;
	}
	return out_json(json_pack("{s:o,s:I,s:I,s:I,s:I}", "set", out_jstr(s->set->name), "given", (json_int_t)c->given,
				  done[c->kind], (json_int_t)c->done, "widened", (json_int_t)e->widened, "ended",
				  (json_int_t)e->ended),
			false);
}

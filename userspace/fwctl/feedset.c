// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/feedset.h"

#include "base/vec.h"
#include "fwctl/cmd.h"
#include "fwctl/out.h"
#include "fwctl/setchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void list_begin(struct feedset_list *l)
{
	l->e.n = l->del.n = 0;
	l->e.ended = l->e.widened = 0;
	l->e.now = moment_now();
}

static void list_fini(struct feedset_list *l)
{
	elements_fini(&l->e);
	vec_fini(&l->del);
}

void feedset_init(struct feedset *f, const char *name, bool resync, bool force)
{
	*f = (struct feedset){ .name = name, .force = force, .snap = resync ? FEED_ALL : 0 };
	list_begin(&f->batch);
	list_begin(&f->whole);
}

void feedset_fini(struct feedset *f)
{
	list_fini(&f->batch);
	list_fini(&f->whole);
}

int feedset_change(void *ctx, bool del, const struct element *x)
{
	struct feedset *f = ctx;
	unsigned int family = x->range.family == FAMILY_IPV4 ? FEED_IPV4 : FEED_IPV6;
	struct feedset_list *l = f->snap & family ? &f->whole : &f->batch;

	/* Durations count from now: a feed may run for months. */
	if (!l->e.n)
		l->e.now = moment_now();
	if (del) {
		struct element bare = { .range = x->range };
		if (elements_add(&l->e, &bare))
			return -ENOMEM;
	} else if (elements_add(&l->e, x)) {
		return -ENOMEM;
	}
	while (l->del.n < l->e.n)
		if (vec_push(&l->del, del))
			return -ENOMEM;
	return 0;
}

/* One stretch of changes of a kind. A full set refuses what is left of it. */
static int stretch_apply(struct feedset *f, struct liveset *s, const struct kern_element *v, size_t n, bool del)
{
	size_t done = 0;
	int err = del ? kern_live_del(s->h, s->set->id, v, n, &done)
		      : kern_live_add(s->h, s->set->id, v, n, false, &done);

	if (del)
		f->deleted += done;
	else
		f->added += done;
	if (!err)
		return STATUS_DONE;
	int status = liveset_refused(s, err);
	if (err != -ENOSPC)
		return status;
	f->refused += n - done;
	return STATUS_DONE;
}

static int list_apply(struct feedset *f, struct liveset *s, struct feedset_list *l)
{
	int status = STATUS_DONE;

	elements_settle(&l->e, s->set);
	for (size_t from = 0, to; from < l->e.n && !status; from = to) {
		for (to = from + 1; to < l->e.n && l->del.v[to] == l->del.v[from];)
			to++;
		status = stretch_apply(f, s, l->e.v + from, to - from, l->del.v[from]);
	}
	f->widened += l->e.widened;
	return status;
}

static int set_open(struct feedset *f, struct liveset *s)
{
	int status = liveset_open(s, KERN_WRITE, f->name);

	if (!status)
		memcpy(f->set, s->set->name, sizeof(f->set));
	return status;
}

static int list_flush(struct feedset *f, struct feedset_list *l)
{
	struct liveset s = {};
	int status = STATUS_DONE;

	if (l->e.n) {
		status = set_open(f, &s);
		if (!status)
			status = list_apply(f, &s, l);
		liveset_close(&s);
	}
	f->ended += l->e.ended;
	list_begin(l);
	return status;
}

int feedset_flush(struct feedset *f)
{
	return list_flush(f, &f->batch);
}

static unsigned int family_of(const struct kern_element *x)
{
	return x->l3 == FW_L3_IPV4 ? FEED_IPV4 : FEED_IPV6;
}

struct last {
	struct element_key key;
	size_t at;
};

static int last_compare(const void *a, const void *b)
{
	const struct last *x = a, *y = b;
	int order = memcmp(&x->key, &y->key, sizeof(x->key));

	return order ? order : x->at < y->at ? -1 : x->at > y->at;
}

/* Of every element what was said last, of these families. */
static int content_of(const struct feedset_list *l, unsigned int families, struct elements *ret)
{
	struct last *last = reallocarray(NULL, l->e.n + 1, sizeof(*last));
	size_t n = 0;
	int err = last ? 0 : -ENOMEM;

	for (size_t i = 0; i < l->e.n && !err; i++)
		if (family_of(&l->e.v[i]) & families)
			last[n++] = (struct last){ element_key(&l->e.v[i]), i };
	if (n)
		qsort(last, n, sizeof(*last), last_compare);
	for (size_t i = 0; i < n && !err; i++) {
		bool newest = i + 1 == n || memcmp(&last[i].key, &last[i + 1].key, sizeof(last[i].key));
		if (newest && !l->del.v[last[i].at])
			err = vec_push(ret, l->e.v[last[i].at]);
	}
	free(last);
	return err;
}

/* What the set has of other families stays. */
static int others_keep(struct liveset *s, unsigned int families, struct elements *ret)
{
	struct kern_element *v = NULL;
	size_t n = 0;
	int err = families == FEED_ALL ? 0 : kern_live_list(s->h, s->set->id, &v, &n);

	for (size_t i = 0; i < n && !err; i++)
		if (!(family_of(&v[i]) & families))
			err = vec_push(ret, v[i]);
	free(v);
	return err;
}

/* The rest of the list is of families that wait for their own mark. */
static void list_drop(struct feedset_list *l, unsigned int families)
{
	size_t n = 0;

	for (size_t i = 0; i < l->e.n; i++) {
		if (family_of(&l->e.v[i]) & families)
			continue;
		l->e.v[n] = l->e.v[i];
		l->del.v[n++] = l->del.v[i];
	}
	l->e.n = l->del.n = n;
}

static int content_apply(struct feedset *f, unsigned int families)
{
	struct liveset s = {};
	struct elements whole;
	struct setchange c;
	int status = set_open(f, &s);

	elements_init(&whole);
	if (!status) {
		elements_settle(&f->whole.e, s.set);
		int err = content_of(&f->whole, families, &whole);
		if (!err)
			err = others_keep(&s, families, &whole);
		status = err ? liveset_refused(&s, err) : setchange_replace(&s, &whole, f->force, &c);
	}
	liveset_close(&s);
	if (!status) {
		f->replaced = c.done;
		f->ended += f->whole.e.ended;
		f->widened += f->whole.e.widened;
		f->whole.e.ended = f->whole.e.widened = 0;
	}
	elements_fini(&whole);
	list_drop(&f->whole, families);
	return status;
}

int feedset_mark(void *ctx, unsigned int families)
{
	struct feedset *f = ctx;

	families &= f->snap;
	if (!families) /* a mark that nobody waits for */
		return 0;
	f->snap &= ~families;
	f->marked = true;
	f->status = content_apply(f, families);
	return 0;
}

int feedset_end(struct feedset *f)
{
	int status = STATUS_DONE;

	/* A family whose mark never came, while another one's did: nobody said that what came is all of it. */
	if (f->snap && f->marked)
		status = list_flush(f, &f->whole);
	else if (f->snap)
		status = content_apply(f, f->snap);
	f->snap = 0;
	return status ? status : feedset_flush(f);
}

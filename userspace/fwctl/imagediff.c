// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/imagediff.h"

#include "fwctl/cmd.h"
#include "fwctl/out.h"
#include "fwctl/words.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	const struct fw_image *image;
	const struct fw_meta_rule *rule;
	enum fw_dir dir;
	bool kept;
};

struct side {
	struct entry *v;
	size_t n;
};

struct diff {
	struct side old, new; /* in file order */
	size_t gone, came, kept;
	bool same; /* the digests agree */
	bool grow; /* the new tables need a larger slot */
};

static int entry_compare(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;

	if (x->dir != y->dir)
		return x->dir < y->dir ? -1 : 1;
	if (x->rule->verdict != y->rule->verdict)
		return x->rule->verdict < y->rule->verdict ? -1 : 1;
	return strcmp(image_str(x->image, x->rule->id), image_str(y->image, y->rule->id));
}

static int side_init(struct side *s, const struct fw_image *img)
{
	size_t n[FW_DIR_COUNT];

	for (int d = 0; d < FW_DIR_COUNT; d++)
		image_rules(img, (enum fw_dir)d, &n[d]);
	s->v = calloc(n[0] + n[1] + 1, sizeof(*s->v));
	for (int d = 0; s->v && d < FW_DIR_COUNT; d++) {
		const struct fw_meta_rule *r = image_rules(img, (enum fw_dir)d, &n[d]);
		for (size_t i = 0; i < n[d]; i++)
			s->v[s->n++] = (struct entry){ img, &r[i], (enum fw_dir)d, false };
	}
	return s->v ? 0 : -1;
}

static struct entry **side_sorted(const struct side *s)
{
	struct entry **v = calloc(s->n + 1, sizeof(struct entry *));

	for (size_t i = 0; v && i < s->n; i++)
		v[i] = &s->v[i];
	if (v)
		qsort(v, s->n, sizeof(struct entry *), entry_compare);
	return v;
}

/* Both sides sorted by identity, walked together. */
static void diff_match(struct diff *d, struct entry **old, struct entry **new)
{
	for (size_t i = 0, j = 0; i < d->old.n && j < d->new.n;) {
		int c = entry_compare(&old[i], &new[j]);
		if (!c)
			old[i]->kept = new[j]->kept = true;
		d->kept += !c;
		i += c <= 0;
		j += c >= 0;
	}
	d->gone = d->old.n - d->kept;
	d->came = d->new.n - d->kept;
}

static size_t slot_for(size_t len)
{
	size_t n = 512 << 10; /* the least that a slot holds */

	while (n < len)
		n *= 2;
	return n;
}

static int diff_init(struct diff *d, const struct fw_image *live, const struct fw_image *next)
{
	*d = (struct diff){};
	if (side_init(&d->old, live) || side_init(&d->new, next))
		return -1;
	struct entry **old = side_sorted(&d->old), **new = side_sorted(&d->new);
	if (old && new)
		diff_match(d, old, new);
	int err = old && new ? 0 : -1;
	free(old);
	free(new);
	d->same = !memcmp(live->digest, next->digest, sizeof(next->digest));
	d->grow = slot_for(next->total_len) > slot_for(live->total_len);
	return err;
}

static void diff_fini(struct diff *d)
{
	free(d->old.v);
	free(d->new.v);
}

static void side_print(const struct side *s, char sign)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct entry *e = &s->v[i];
		if (!e->kept)
			out("  %c %s %s:%u  %s\n", sign, word_dir(e->dir), out_name(image_str(e->image, e->rule->file)),
			    e->rule->line, image_str(e->image, e->rule->text));
	}
}

int imagediff_print(const struct fw_image *live, const struct image *next)
{
	struct diff d;
	int err = diff_init(&d, live, image_hdr(next));

	if (err) {
		problem("no memory");
	} else if (d.same) {
		out("%s: these rules run already\n", image_policy(live));
	} else {
		out("%s: %s would come, %zu go, %zu keep their counters\n", image_policy(live),
		    word_count(d.came, "rule"), d.gone, d.kept);
		side_print(&d.old, '-');
		side_print(&d.new, '+');
		out("%s: %s\n", image_policy(live),
		    d.grow ? "the tables grow, so the programs would be replaced; filtering goes on"
			   : "the programs stay");
	}
	diff_fini(&d);
	return err ? STATUS_REFUSED : STATUS_DONE;
}

static json_t *side_json(const struct side *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n; i++) {
		const struct entry *e = &s->v[i];
		if (!e->kept)
			json_array_append_new(list,
					      json_pack("{s:s,s:o,s:s,s:o,s:I,s:o}", "direction", word_dir(e->dir),
							"id", out_jstr(image_str(e->image, e->rule->id)), "verdict",
							word_verdict(e->rule->verdict), "file",
							out_jstr(image_str(e->image, e->rule->file)), "line",
							(json_int_t)e->rule->line, "text",
							out_jstr(image_str(e->image, e->rule->text))));
	}
	return list;
}

int imagediff_json(const struct fw_image *live, const struct image *next, json_t *list)
{
	struct diff d;
	int err = diff_init(&d, live, image_hdr(next));

	if (err)
		problem("no memory");
	else
		json_array_append_new(
			list, json_pack("{s:o,s:s,s:o,s:o,s:I,s:b}", "policy", out_jstr(image_policy(live)), "result",
					d.same ? "unchanged" : "would change", "come", side_json(&d.new), "go",
					side_json(&d.old), "kept", (json_int_t)d.kept, "reload", (int)d.grow));
	diff_fini(&d);
	return err ? STATUS_REFUSED : STATUS_DONE;
}

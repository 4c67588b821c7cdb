// SPDX-License-Identifier: GPL-2.0-only
/* From snapshots to rates. Slots change hands, interfaces come and go: who is who is told by names, never by numbers. */
#include "fwctl/top_model.h"

#include "base/hash.h"
#include "base/str.h"
#include "fwctl/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct fw_counter slot_count(const struct stat_hook *h, uint32_t slot)
{
	return slot < h->counters.n ? h->counters.v[slot] : (struct fw_counter){};
}

static uint64_t slot_last(const struct stat_hook *h, uint32_t slot)
{
	return slot < h->counters.n ? h->counters.last_ns[slot] : 0;
}

/* before: NULL: nothing is known of it. */
static struct top_rate rate_of(struct fw_counter now, const struct fw_counter *before, double seconds)
{
	if (!before || seconds <= 0 || now.packets < before->packets || now.bytes < before->bytes)
		return (struct top_rate){};
	return (struct top_rate){ true, (double)(now.packets - before->packets) / seconds,
				  8.0 * (double)(now.bytes - before->bytes) / seconds };
}

static double number_rate(uint64_t now, uint64_t before, double seconds)
{
	return seconds <= 0 || now < before ? -1 : (double)(now - before) / seconds;
}

static char *escaped(struct arena *a, const char *bytes)
{
	struct str s = {};
	char *out;

	str_add_escaped(&s, bytes, strlen(bytes));
	out = s.failed ? NULL : arena_strdup(a, str_get(&s));
	str_fini(&s);
	return out;
}

static bool is_wanted(const struct top_model *m, const struct stat_hook *h)
{
	for (size_t i = 0; i < m->nonly; i++)
		if (!strcmp(m->only[i], h->name))
			return true;
	return !m->nonly;
}

static bool is_same_hook(const struct top_hook *t, const struct stat_hook *h)
{
	return t->ifindex == h->ifindex && t->hook == h->hook && !strcmp(t->name, h->name) && !strcmp(t->policy, h->policy);
}

/* Do the rules stand where they stood? */
static bool is_same_shape(const struct top_model *m, const struct stat_snap *s)
{
	size_t at = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct stat_hook *h = &s->v[i];

		if (!is_wanted(m, h))
			continue;
		if (at == m->nhooks || !is_same_hook(&m->hook[at], h) || m->hook[at].generation != h->generation ||
		    memcmp(m->hook[at].digest, h->image->digest, sizeof(h->image->digest)))
			return false;
		at++;
	}
	return m->feeds && at == m->nhooks;
}

/* Two ways to say it: the word for people, and who the rule is in every snapshot. */
static int rule_name(struct arena *a, const struct top_hook *hook, const struct fw_image *img, const struct fw_meta_rule *r,
		     struct top_rule *t)
{
	const char *label = image_str(img, r->label), *file = image_str(img, r->file), *text = image_str(img, r->text);
	uint64_t parts[3] = { (uint64_t)hook->ifindex << 8 | hook->hook, hash_bytes(hook->policy, strlen(hook->policy)) };

	t->id = arena_strdup(a, image_str(img, r->id));
	t->text = arena_strdup(a, text); /* canonical: nothing in it is raw */
	t->name = *label ? escaped(a, label) : t->text;
	file = escaped(a, file);
	t->place = r->flags & FW_RULEF_ESSENTIAL ? "essential" : file ? arena_printf(a, "%s:%u", file, r->line) : NULL;
	if (!t->id || !t->text || !t->name || !t->place)
		return -ENOMEM;
	parts[2] = hash_bytes(t->id, strlen(t->id));
	t->tag = hash_bytes(parts, sizeof(parts));
	t->slot = r->slot;
	t->verdict = (uint8_t)r->verdict;
	t->names_set = strchr(t->text, '@') != NULL;
	return 0;
}

static int by_tag(const void *a, const void *b)
{
	const struct top_rule *x = *(const struct top_rule *const *)a, *y = *(const struct top_rule *const *)b;

	return x->tag < y->tag ? -1 : x->tag > y->tag;
}

/* What was known of rules goes to those that are the same. */
static int rules_inherit(struct top_model *old, struct top_rule *rule, size_t n)
{
	struct top_rule **index = malloc((old->nrules + 1) * sizeof(struct top_rule *));

	if (!index)
		return -ENOMEM;
	for (size_t i = 0; i < old->nrules; i++)
		index[i] = &old->rule[i];
	qsort(index, old->nrules, sizeof(struct top_rule *), by_tag);
	for (size_t i = 0; i < n; i++) {
		const struct top_rule *key = &rule[i];
		struct top_rule **was = bsearch(&key, index, old->nrules, sizeof(struct top_rule *), by_tag);

		rule[i].count.packets = UINT64_MAX; /* nothing known */
		if (!was || strcmp((*was)->id, rule[i].id))
			continue;
		rule[i].count = (*was)->count;
		rule[i].ring = (*was)->ring;
		(*was)->ring = NULL;
	}
	free(index);
	return 0;
}

static void shape_fini(struct top_model *m)
{
	for (size_t i = 0; i < m->nrules; i++)
		free(m->rule[i].ring);
	free(m->hook);
	free(m->rule);
	arena_free(m->arena);
	m->arena = NULL;
	m->hook = NULL;
	m->rule = NULL;
	m->nhooks = m->nrules = 0;
}

static int hook_shape(struct top_model *next, const struct top_model *old, const struct stat_hook *h)
{
	struct top_hook *t = &next->hook[next->nhooks];
	const struct fw_meta_rule *r = image_rules(h->image, hook_dir(h->hook), &t->nrules);

	t->total.packets = UINT64_MAX; /* nothing known */
	for (size_t i = 0; i < old->nhooks; i++) {
		if (is_same_hook(&old->hook[i], h)) {
			size_t n = t->nrules;

			*t = old->hook[i];
			t->nrules = n;
		}
	}
	memcpy(t->name, h->name, sizeof(t->name));
	memcpy(t->policy, h->policy, sizeof(t->policy));
	memcpy(t->digest, h->image->digest, sizeof(t->digest));
	t->shown = escaped(next->arena, h->name);
	t->ifindex = h->ifindex;
	t->generation = h->generation;
	t->hook = h->hook;
	t->rejects = h->image->features & FW_FEAT_REJECT;
	t->rule0 = next->nrules;
	if (!t->shown)
		return -ENOMEM;
	for (size_t i = 0; i < t->nrules; i++) {
		next->rule[next->nrules] = (struct top_rule){ .hook = next->nhooks };
		if (rule_name(next->arena, t, h->image, &r[i], &next->rule[next->nrules++]))
			return -ENOMEM;
	}
	next->nhooks++;
	return 0;
}

/* Hooks and rules anew. */
static int shape(struct top_model *m, const struct stat_snap *s)
{
	struct top_model next = *m;
	size_t n = 0, nrules = 0;
	int err = 0;

	for (size_t i = 0; i < s->n; i++) {
		size_t of = 0;

		image_rules(s->v[i].image, hook_dir(s->v[i].hook), &of);
		nrules += of;
		n++;
	}
	next.arena = arena_new();
	next.hook = calloc(n + 1, sizeof(*next.hook));
	next.rule = calloc(nrules + 1, sizeof(*next.rule));
	next.nhooks = next.nrules = 0;
	if (!next.arena || !next.hook || !next.rule)
		err = -ENOMEM;
	for (size_t i = 0; !err && i < s->n; i++)
		if (is_wanted(m, &s->v[i]))
			err = hook_shape(&next, m, &s->v[i]);
	err = err ?: rules_inherit(m, next.rule, next.nrules);
	if (err) {
		shape_fini(&next);
		return err;
	}
	shape_fini(m);
	*m = next;
	return 0;
}

static void hook_count(struct top_hook *t, const struct stat_hook *h, double seconds)
{
	bool known = t->total.packets != UINT64_MAX;

	t->mode = h->mode;
	t->attached = h->attached;
	t->last_ns = h->last_ns;
	t->rate = rate_of(h->total, known ? &t->total : NULL, seconds);
	t->total = h->total;
	for (unsigned int v = 0; v < FW_VERDICT_COUNT; v++) {
		t->verdict_rate[v] = rate_of(h->verdict[v], known ? &t->verdict[v] : NULL, seconds);
		t->verdict[v] = h->verdict[v];
		if (t->verdict_rate[v].known)
			top_ring_push(&t->verdict_ring[v], t->verdict_rate[v].packets);
	}
	for (unsigned int r = 0; r < FW_REASON_COUNT; r++) {
		t->reason_rate[r] = rate_of(h->reason[r], known ? &t->reason[r] : NULL, seconds);
		t->reason[r] = h->reason[r];
		t->reason_last[r] = 0;
		for (unsigned int v = 0; r != FW_REASON_RULE && v < 2; v++)
			if (slot_last(h, FW_REASON_SLOT(r, v)) > t->reason_last[r])
				t->reason_last[r] = slot_last(h, FW_REASON_SLOT(r, v));
	}
}

static void rule_count(struct top_hook *hook, struct top_rule *r, const struct stat_hook *h, double seconds)
{
	struct fw_counter now = slot_count(h, r->slot);

	r->rate = rate_of(now, r->count.packets == UINT64_MAX ? NULL : &r->count, seconds);
	r->count = now;
	r->last_ns = slot_last(h, r->slot);
	if (r->verdict != FW_VERDICT_CONTINUE && r->last_ns > hook->reason_last[FW_REASON_RULE])
		hook->reason_last[FW_REASON_RULE] = r->last_ns;
	if (!r->rate.known)
		return;
	if (!r->ring && r->rate.packets > 0)
		r->ring = calloc(1, sizeof(*r->ring)); /* without memory there is no picture */
	if (r->ring)
		top_ring_push(r->ring, r->rate.packets);
}

static bool in_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

bool top_names_set(const char *text, const char *set)
{
	size_t len = strlen(set);

	for (const char *p = strchr(text, '@'); p; p = strchr(p + 1, '@'))
		if (!strncmp(p + 1, set, len) && !in_name(p[1 + len]))
			return true;
	return false;
}

static int sets_count(struct top_model *m, const struct stat_snap *s, double seconds)
{
	struct top_set *v = calloc(s->nsets + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < s->nsets; i++) {
		struct fw_counter *before = NULL;

		for (size_t j = 0; j < m->nsets; j++) {
			if (strcmp(m->set[j].set.name, s->set[i].name))
				continue;
			v[i] = m->set[j];
			m->set[j].shown = NULL;
			v[i].refusing = s->set[i].refused > v[i].set.refused;
			before = &m->set[j].hits;
		}
		v[i].set = s->set[i];
		v[i].hits = (struct fw_counter){};
		if (!v[i].shown) {
			struct str name = {};

			str_add_escaped(&name, s->set[i].name, strlen(s->set[i].name));
			v[i].shown = name.s;
		}
		for (size_t r = 0; r < m->nrules; r++) {
			if (m->rule[r].names_set && top_names_set(m->rule[r].text, s->set[i].name)) {
				v[i].hits.packets += m->rule[r].count.packets;
				v[i].hits.bytes += m->rule[r].count.bytes;
			}
		}
		v[i].hit_rate = rate_of(v[i].hits, before, seconds);
		if (v[i].hit_rate.known)
			top_ring_push(&v[i].ring, v[i].hit_rate.packets);
	}
	for (size_t i = 0; i < m->nsets; i++)
		free(m->set[i].shown);
	free(m->set);
	m->set = v;
	m->nsets = s->nsets;
	return 0;
}

static bool has_policy(const struct top_model *m, const char *name)
{
	for (size_t i = 0; i < m->nhooks; i++)
		if (!strcmp(m->hook[i].policy, name))
			return true;
	return false;
}

static int policies_count(struct top_model *m, const struct stat_snap *s, unsigned int parts, double seconds)
{
	struct top_policy *v = calloc(s->npolicies + 1, sizeof(*v));
	size_t n = 0;

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < s->npolicies; i++) {
		const struct stat_policy *now = &s->policy[i];
		struct top_policy *t = &v[n];

		if (!has_policy(m, now->name))
			continue;
		n++;
		*t = (struct top_policy){ .p = *now, .generated = -1, .lost = -1, .room_known = parts & SNAP_ROOM };
		for (size_t j = 0; j < m->npolicies; j++) {
			const struct top_policy *was = &m->policy[j];

			if (strcmp(was->p.name, now->name))
				continue;
			t->ring = was->ring;
			if (!t->room_known && now->tracks == was->p.tracks) {
				t->p.room = was->p.room;
				t->room_known = was->room_known;
			}
			if (now->logs && was->p.logs) {
				t->generated = number_rate(now->events.generated, was->p.events.generated, seconds);
				t->lost = number_rate(now->events.lost, was->p.events.lost, seconds);
			}
		}
		if (t->generated >= 0)
			top_ring_push(&t->ring, t->generated);
	}
	free(m->policy);
	m->policy = v;
	m->npolicies = n;
	return 0;
}

static int feed(struct top_model *m, const struct stat_snap *s, unsigned int parts)
{
	double seconds = m->feeds ? (double)(s->at_ns - m->at_ns) / 1e9 : 0;
	size_t at = 0;
	int err = is_same_shape(m, s) ? 0 : shape(m, s);

	for (size_t i = 0; !err && i < s->n; i++) {
		struct top_hook *t = &m->hook[at];

		if (!is_wanted(m, &s->v[i]))
			continue;
		at++;
		hook_count(t, &s->v[i], seconds);
		for (size_t r = 0; r < t->nrules; r++)
			rule_count(t, &m->rule[t->rule0 + r], &s->v[i], seconds);
	}
	if (!err && parts & SNAP_SETS)
		err = sets_count(m, s, seconds);
	err = err ?: policies_count(m, s, parts, seconds);
	m->at_ns = s->at_ns;
	m->real_ns = s->real_ns;
	m->feeds++;
	return err;
}

int top_feed(struct top_model *m, const struct stat_snap *s, unsigned int parts)
{
	int err = feed(m, s, parts);

	if (err)
		top_fini(m);
	return err;
}

void top_fini(struct top_model *m)
{
	shape_fini(m);
	for (size_t i = 0; i < m->nsets; i++)
		free(m->set[i].shown);
	free(m->set);
	free(m->policy);
	*m = (struct top_model){ .only = m->only, .nonly = m->nonly };
}

struct top_rate top_total(const struct top_model *m)
{
	struct top_rate sum = {};

	for (size_t i = 0; i < m->nhooks; i++) {
		sum.known |= m->hook[i].rate.known;
		sum.packets += m->hook[i].rate.packets;
		sum.bits += m->hook[i].rate.bits;
	}
	return sum;
}

const struct top_rule *top_rule_find(const struct top_model *m, uint64_t tag)
{
	for (size_t i = 0; i < m->nrules; i++)
		if (m->rule[i].tag == tag)
			return &m->rule[i];
	return NULL;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Images with lists, written from <fw/abi.h> with no compiler in between, and the random rules that they are made of: over
 * short prefixes, ports, flags and TTL, in rows or in lists. Prefixes have at most 16 bits, so a trie is its first table.
 */
#ifndef FW_TESTS_LISTS_MAKER_H
#define FW_TESTS_LISTS_MAKER_H

#include "harness/prng.h"
#include "image/image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_RULES 400
#define MAX_TREE (2 * MAX_RULES + 1)
#define SPECIFIC_MAX 60 /* per family: a list holds 64 */
#define IMAGE_SIZE (4u << 20)
#define CLASSES 258 /* of each small field: its value, or `no value` */

/* The upper 16 bits of an address. */
struct prefix {
	uint32_t value, len;
};
enum where { IN_ROWS, AT_SRC, AT_DST };
enum { TEST_FIELDS = 3 };
static const enum fw_dim field_dim[TEST_FIELDS] = { FW_DIM_DPORT, FW_DIM_TCPFLAGS, FW_DIM_TTL };
static const uint32_t field_absent[TEST_FIELDS] = { 65536, 256, 256 };

struct test_rule {
	int family; /* 0, 1 */
	struct prefix addr[2];
	uint32_t lo[TEST_FIELDS], hi[TEST_FIELDS]; /* hi == ~0: any */
	enum fw_verdict verdict;
	enum where where;
	uint32_t place, svc;
};

struct test_packet {
	int family;
	uint32_t addr[2], value[TEST_FIELDS];
};

struct tree {
	struct prefix p[MAX_TREE];
	uint32_t n;
	uint32_t unit; /* of node 0 */
};

struct maker {
	struct prng prng;
	struct test_rule rule[MAX_RULES];
	uint32_t n, nbits, ncounts, nsvc;
	struct test_rule *svc[MAX_RULES]; /* a rule that asks for it */
	struct tree tree[2][2];           /* [side][family] */
	uint32_t by_list; /* packets that a rule in a list decided */
struct image img;
	struct fw_dir_hdr *d;
};

static uint8_t image_bytes[IMAGE_SIZE] __attribute__((aligned(64)));

static uint32_t room(struct maker *m, size_t size)
{
	uint32_t off = (m->img.len + 63) & ~63u;

	m->img.len = off + ((size + 7) & ~7u);
	assert_true(m->img.len <= IMAGE_SIZE);
	return off;
}

static bool prefix_has(const struct prefix *p, uint32_t top16)
{
	return !p->len || top16 >> (16 - p->len) == p->value >> (16 - p->len);
}

static bool prefix_inside(const struct prefix *outer, const struct prefix *p)
{
	return outer->len <= p->len && prefix_has(outer, p->value);
}

static int prefix_order(const void *a, const void *b)
{
	const struct prefix *p = a, *q = b;

	return p->value != q->value ? (p->value < q->value ? -1 : 1) : (int)p->len - (int)q->len;
}

static struct prefix prefix_random(struct prng *prng)
{
	struct prefix p = { .len = prng_chance(prng, 1, 5) ? 0 : prng_range(prng, 1, 16) };

	/* few values, so that they nest and repeat */
	p.value = prng_below(prng, 8) << 13 | prng_below(prng, 4) << 6 | prng_below(prng, 4);
	p.value &= p.len ? ~((1u << (16 - p.len)) - 1) : 0;
	return p;
}

static void rules_random(struct maker *m, uint32_t want)
{
	uint32_t specific[2] = {}, broad = prng_below(&m->prng, 4), counts = prng_below(&m->prng, 3), f;
	bool longer = prng_chance(&m->prng, 1, 2); /* lists: all at the source, in few places */

	for (m->n = 0; m->n < want; m->n++) {
		struct test_rule *r = &m->rule[m->n];

		*r = (struct test_rule){ .family = prng_below(&m->prng, 2), .verdict = prng_below(&m->prng, 2) };
		r->addr[0] = prefix_random(&m->prng);
		r->addr[1] = prefix_random(&m->prng);
		r->where = prng_below(&m->prng, 4) < broad ? IN_ROWS : longer || prng_chance(&m->prng, 1, 2) ? AT_SRC : AT_DST;
		if (longer)
			r->addr[0] = (struct prefix){ .len = prng_below(&m->prng, 2) };
		if (r->where != IN_ROWS && specific[r->family]++ >= SPECIFIC_MAX)
			r->where = IN_ROWS;
		if (r->where == IN_ROWS && counts && prng_chance(&m->prng, 1, 3))
			r->verdict = FW_VERDICT_CONTINUE;
		for (f = 0; f < TEST_FIELDS; f++) {
			r->lo[f] = prng_below(&m->prng, 16);
			r->hi[f] = prng_chance(&m->prng, 1, 2) ? ~0u : r->lo[f] + prng_below(&m->prng, 16);
		}
	}
}

static bool rules_same_svc(const struct test_rule *a, const struct test_rule *b)
{
	uint32_t f;

	for (f = 0; f < TEST_FIELDS; f++)
		if (a->hi[f] != b->hi[f] || (a->hi[f] != ~0u && a->lo[f] != b->lo[f]))
			return false;
	return true;
}

static void rules_place(struct maker *m)
{
	uint32_t pass, i, s, place = 0, any;

	m->nbits = m->ncounts = m->nsvc = 0;
	for (pass = 0; pass < 3; pass++) {
		for (i = 0; i < m->n; i++) {
			struct test_rule *r = &m->rule[i];

			if (pass != (r->where != IN_ROWS ? 2 : r->verdict == FW_VERDICT_CONTINUE ? 0 : 1))
				continue;
			r->place = place++;
			if (pass < 2)
				m->nbits++;
			if (!pass)
				m->ncounts++;
			if (pass < 2)
				continue;
			any = r->hi[0] == ~0u && r->hi[1] == ~0u && r->hi[2] == ~0u;
			for (s = 0; s < m->nsvc && !rules_same_svc(m->svc[s], r); s++)
				;
			r->svc = any ? FW_SVC_ANY : s;
			if (!any && s == m->nsvc)
				m->svc[m->nsvc++] = r;
		}
	}
}

static void tree_build(struct maker *m, int side, int family)
{
	struct tree *t = &m->tree[side][family];
	uint32_t i, n = 1;

	t->p[0] = (struct prefix){};
	for (i = 0; i < m->n; i++)
		if (m->rule[i].family == family)
			t->p[n++] = m->rule[i].addr[side];
	qsort(t->p, n, sizeof(*t->p), prefix_order);
	for (t->n = 1, i = 1; i < n; i++)
		if (prefix_order(&t->p[i], &t->p[t->n - 1]))
			t->p[t->n++] = t->p[i];
}

static uint32_t tree_find(const struct tree *t, const struct prefix *p)
{
	uint32_t i;

	for (i = 0; prefix_order(&t->p[i], p); i++)
		;
	return i;
}

static void bit_set(const struct fw_dir_hdr *d, uint64_t *row, uint32_t bit)
{
	row[d->nsum + bit / 64] |= 1ull << bit % 64;
	row[bit / 64 / 64] |= 1ull << bit / 64 % 64;
}

/* The row of one class: rules and services that accept it. */
static void row_fill(struct maker *m, uint64_t *row, int field, uint32_t value)
{
	uint32_t i;

#define ACCEPTS(r) (field < 0 || (r)->hi[field] == ~0u || (value >= (r)->lo[field] && value <= (r)->hi[field]))
	for (i = 0; i < m->n; i++)
		if (m->rule[i].where == IN_ROWS && ACCEPTS(&m->rule[i]))
			bit_set(m->d, row, m->rule[i].place);
	for (i = 0; i < m->nsvc; i++)
		if (ACCEPTS(m->svc[i]))
			row[m->d->nsum + m->d->nwords + i / 64] |= 1ull << i % 64;
#undef ACCEPTS
}

static void fields_write(struct maker *m)
{
	uint32_t f, c;

	for (f = 0; f < TEST_FIELDS; f++) {
		struct fw_dim_ref *ref = &m->d->dim[field_dim[f]];
		bool used = false;
		uint16_t *cls;

		for (c = 0; c < m->n; c++)
			used |= m->rule[c].hi[f] != ~0u;
		if (!used)
			continue;
		m->d->dims |= 1u << field_dim[f];
		m->d->small[m->d->nsmall++] = field_dim[f];
		ref->tab = room(m, (field_absent[f] + 1) * sizeof(*cls));
		ref->rows = room(m, CLASSES * m->d->stride);
		cls = (uint16_t *)(image_bytes + ref->tab);
		for (c = 0; c <= field_absent[f]; c++)
			cls[c] = c == field_absent[f] ? CLASSES - 1 : c < 256 ? c : 256;
		for (c = 0; c < CLASSES; c++)
			row_fill(m, (uint64_t *)(image_bytes + ref->rows + c * m->d->stride), f, c == 257 ? ~0u : c);
	}
}

/* Entries of a node's list, those alone whose other side meets first .. last. FW_LIST() */
static uint32_t list_write(struct maker *m, int side, int family, uint32_t node, uint32_t first, uint32_t last)
{
	const struct tree *t = &m->tree[side][family], *other = &m->tree[!side][family];
	uint32_t n = 0, place, i, off = room(m, 0);

	for (place = m->nbits; place < m->n; place++) {
		const struct test_rule *r;
		struct fw_entry e;

		for (i = 0; m->rule[i].place != place; i++)
			;
		r = &m->rule[i];
		if (r->family != family || r->where != (side ? AT_DST : AT_SRC) || !prefix_inside(&r->addr[side], &t->p[node]))
			continue;
		e = (struct fw_entry){ .lo = tree_find(other, &r->addr[!side]), .place = place, .svc = r->svc };
		while (e.lo + e.span + 1 < other->n && prefix_inside(&r->addr[!side], &other->p[e.lo + e.span + 1]))
			e.span++;
		if (e.lo > last || e.lo + e.span < first)
			continue;
		*(struct fw_entry *)(image_bytes + off + n++ * sizeof(e)) = e;
		m->img.len = off + n * sizeof(e);
	}
	return n ? FW_LIST((off - m->d->units) / 16, n) : 0;
}

static void node_write(struct maker *m, int side, int family, uint32_t id, struct fw_node *ret)
{
	uint32_t others = m->tree[!side][family].n, n = 0, at, bound[MAX_TREE], list;

	*ret = (struct fw_node){ .id = id, .row = id };
	if (prng_chance(&m->prng, 1, 2)) {
		ret->list = list_write(m, side, family, id, 0, ~0u);
		return;
	}
	for (at = 0; at < others; at += 1 + prng_below(&m->prng, 1 + prng_below(&m->prng, 40)))
		bound[n++] = at;
	ret->nparts = n;
	at = room(m, n * sizeof(struct fw_part));
	ret->list = (at - m->d->units) / 16;
	while (n--) {
		list = list_write(m, side, family, id, bound[n], n + 1 < ret->nparts ? bound[n + 1] - 1 : ~0u);
		((struct fw_part *)(image_bytes + at))[n] = (struct fw_part){ bound[n], list };
	}
}

/* Trie, nodes and rows of one side and family. A tree of one prefix needs no trie. */
static void side_write(struct maker *m, int side, int family)
{
	struct tree *t = &m->tree[side][family];
	uint32_t *tab = family ? &m->d->tab6[side] : &m->d->dim[FW_DIM_SRC + side].tab, i, j, rows, nodes;

	rows = room(m, t->n * m->d->stride_addr);
	*(family ? &m->d->rows6[side] : &m->d->dim[FW_DIM_SRC + side].rows) = rows;
	for (i = 0; i < t->n; i++)
		for (j = 0; j < m->n; j++) {
			const struct test_rule *r = &m->rule[j];

			if (r->where == IN_ROWS && r->family == family && prefix_inside(&r->addr[side], &t->p[i]))
				bit_set(m->d, (uint64_t *)(image_bytes + rows + i * m->d->stride_addr), r->place);
		}
	m->d->dims |= m->nbits ? 1u << (FW_DIM_SRC + side) : 0;
	nodes = room(m, t->n * sizeof(struct fw_node));
	t->unit = (nodes - m->d->units) / 16;
	for (i = 0; i < t->n; i++)
		node_write(m, side, family, i, (struct fw_node *)(image_bytes + nodes) + i);
	if (t->n == 1) {
		m->d->root[side][family] = t->unit;
		return;
	}
	*tab = room(m, 65536 * sizeof(uint32_t));
	for (i = 0; i < t->n; i++) /* inner ones come later */
		for (j = t->p[i].value; prefix_has(&t->p[i], j) && j < 65536; j++)
			((uint32_t *)(image_bytes + *tab))[j] = t->unit + i;
}

static void image_write(struct maker *m)
{
	struct fw_image *hdr = (struct fw_image *)image_bytes;
	uint32_t i, side;

	memset(image_bytes, 0, m->img.len);
	m->img = (struct image){ .data = image_bytes, .len = sizeof(*hdr) };
	*hdr = (struct fw_image){ .magic = FW_IMAGE_MAGIC, .abi = FW_ABI_VERSION, .generation = 1 };
	m->d = &hdr->dir[FW_DIR_INGRESS];
	m->d->flags = FW_DIRF_PRESENT | FW_DIRF_LISTS;
	m->d->nrules = m->n;
	m->d->nbits = m->nbits;
	m->d->first = m->n;
	for (i = 0; i < m->n; i++)
		if (m->rule[i].where == IN_ROWS && m->rule[i].verdict != FW_VERDICT_CONTINUE && i < m->d->first)
			m->d->first = i;
	m->d->ncounts = m->ncounts;
	m->d->nwords = (m->nbits + 63) / 64;
	m->d->nsum = 1;
	m->d->nsvc = (m->nsvc + 63) / 64;
	m->d->stride_addr = 8 * (m->d->nsum + m->d->nwords);
	m->d->stride = m->d->stride_addr + 8 * m->d->nsvc;
	m->d->units = room(m, 16);
	m->d->ones = room(m, m->d->stride);
	row_fill(m, (uint64_t *)(image_bytes + m->d->ones), -1, 0);
	m->d->actions = room(m, m->n * sizeof(struct fw_action));
	for (i = 0; i < m->n; i++)
		((struct fw_action *)(image_bytes + m->d->actions))[m->rule[i].place] =
			(struct fw_action){ FW_SLOT_RULE0 + i, FW_ACTION(i, m->rule[i].verdict) };
	fields_write(m);
	for (side = 0; side < 2; side++) {
		side_write(m, side, 0);
		side_write(m, side, 1);
	}
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/* Plans → bytes, as <fw/abi.h> lays them out. */
#include "compile/plan.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "image/digest.h"

#include <errno.h>
#include <string.h>

#define ENCODE_LINE 64u /* tables and rows start at a cache line */

static uint32_t encode_take(size_t *at, size_t bytes)
{
	size_t off = (*at + ENCODE_LINE - 1) / ENCODE_LINE * ENCODE_LINE;

	*at = off + bytes;
	return off;
}

/* Tables first, rows after them: what is read by value and what is read by class. */
static void encode_layout(struct plan *p, size_t *at)
{
	for (int s = 0; s < SPACE_COUNT; s++) {
		const struct classes *c = &p->classes[s];

		if (!plan_table_bytes(p, s))
			continue;
		if (s == SPACE_MAC) {
			p->table[s] = encode_take(at, sizeof(struct fw_mac_tab) + c->nbounds * sizeof(uint64_t));
			p->mac_cls = encode_take(at, c->nbounds * sizeof(uint16_t));
		} else {
			p->table[s] = encode_take(at, plan_table_bytes(p, s));
		}
	}
	if (p->sets.n)
		p->set_blocks = encode_take(at, 2 * p->sets.n * sizeof(struct fw_block));
	if (p->logs.n)
		p->log_v = encode_take(at, p->logs.n * sizeof(*p->logs.v));
	if (!p->boxes.nrules)
		return;
	p->ones = encode_take(at, p->stride);
	for (int s = 0; s < SPACE_COUNT; s++)
		if (plan_has(p, s))
			p->rows[s] = encode_take(at, plan_rows_bytes(p, s));
	if (p->engine == ENGINE_LISTS)
		p->units = encode_take(at, p->lists.units.n * sizeof(*p->lists.units.v));
	if (p->extras.n) {
		p->extra_v = encode_take(at, p->extras.n * sizeof(*p->extras.v));
		p->extra_of = encode_take(at, p->boxes.nrules * sizeof(*p->extras.of));
	}
}

static void encode_header(const struct plan *p, struct fw_dir_hdr *h)
{
	const struct chain *chain = p->boxes.chain;

	h->nrules = p->boxes.nrules;
	h->nwords = p->nwords;
	h->nsum = p->nsum;
	h->stride = p->stride;
	h->ones = p->ones;
	h->actions = p->actions;
	h->flags = (p->boxes.l2 ? FW_DIRF_L2 : 0) | (chain->present ? FW_DIRF_PRESENT : 0) |
		   (p->engine == ENGINE_LISTS ? FW_DIRF_LISTS : 0) | extras_dir_flags(p->policy, chain);
	h->ncounts = p->ncounts;
	h->nbits = p->nbits;
	h->first = p->boxes.nrules;
	for (uint32_t bit = p->ncounts; bit < p->nbits; bit++)
		if (p->rule_at[bit] < h->first)
			h->first = p->rule_at[bit];
	h->nsvc = p->nsvc;
	h->stride_addr = p->stride_addr;
	h->units = p->units;
	h->nunits = p->lists.units.n;
	h->nsets = p->sets.n;
	h->sets = p->set_blocks;
	for (uint32_t k = 0; k < p->sets.n; k++)
		h->set_sides |= (uint32_t)p->sets.side[k] << k;
	h->live_bits = (1u << p->sets.nlive) - 1;
	h->extra_of = p->extra_of;
	h->extras = p->extra_v;
	h->nextras = p->extras.n;
	h->logs = p->log_v;
	h->nlogs = p->logs.n;
	h->log_default = p->logs.of_default;
	h->log_reasons = p->logs.of_reasons;
	h->default_verdict = chain->present && chain->fallback == VERDICT_DROP ? FW_VERDICT_DROP : FW_VERDICT_PASS;
	for (int s = 0; s < SPACE_COUNT; s++) {
		int i = space_dim(s) - FW_DIM_SRC;

		if (plan_has(p, s))
			h->dims |= 1u << space_dim(s);
		if (space_family(s) != FAMILY_COUNT && p->engine == ENGINE_LISTS && !p->table[s])
			h->root[i][space_family(s) == FAMILY_IPV6] = p->lists.nodes[s - SPACE_SRC4].cls[0];
		if (space_family(s) == FAMILY_IPV6) {
			h->tab6[i] = p->table[s];
			h->rows6[i] = p->rows[s];
			h->leaf_shift[i][1] = p->trie[s].leaf_shift;
			continue;
		}
		h->dim[space_dim(s)] = (struct fw_dim_ref){ .tab = p->table[s], .rows = p->rows[s] };
		if (space_family(s) == FAMILY_IPV4)
			h->leaf_shift[i][0] = p->trie[s].leaf_shift;
	}
	for (enum fw_dim dim = 0; dim < FW_DIM_SMALL_COUNT; dim++)
		if (h->dims >> dim & 1)
			h->small[h->nsmall++] = dim;
}

static void encode_units(const struct plan *p, struct image *img)
{
	const struct lists *l = &p->lists;

	if (l->units.n)
		memcpy(img->data + p->units, l->units.v, l->units.n * sizeof(*l->units.v));
}

static void encode_actions(const struct plan *p, const struct meta *meta, struct image *img)
{
	struct fw_action *action = (struct fw_action *)(img->data + p->actions);

	for (size_t i = 0; i < p->boxes.nrules; i++) {
		uint32_t extra = p->extras.n && p->extras.of[i] ? FW_ACTION_EXTRA : 0;

		action[p->place[i]] = (struct fw_action){
			.slot = meta->rule[p->dir][i].slot,
			.rule_verdict = FW_ACTION(i, p->boxes.chain->rules[i].verdict | extra),
		};
	}
}

static void encode_extras(const struct plan *p, struct image *img)
{
	if (p->logs.n)
		memcpy(img->data + p->log_v, p->logs.v, p->logs.n * sizeof(*p->logs.v));
	if (!p->extras.n)
		return;
	memcpy(img->data + p->extra_v, p->extras.v, p->extras.n * sizeof(*p->extras.v));
	memcpy(img->data + p->extra_of, p->extras.of, p->boxes.nrules * sizeof(*p->extras.of));
}

/* The names are written. */
static void encode_identities(const struct plan *p, struct image *img)
{
	struct fw_extra *x = (struct fw_extra *)(img->data + p->extra_v);
	size_t n;
	const struct fw_meta_rule *rule = image_rules(image_hdr(img), p->dir, &n);

	for (size_t i = 0; p->extras.n && i < n; i++) {
		uint32_t of = p->extras.of[i];
		const char *id = image_str(image_hdr(img), rule[i].id);

		if (of && extras_counts(&p->extras.v[of - 1]))
			x[of - 1].identity = (uint32_t)(hash_bytes(id, strlen(id)) >> 32) ^ (rule[i].verdict << 1 | p->dir);
	}
}

/* Of the policy: what it needs of programs, how it keeps state, which live sets it names. */
static void encode_policy(const struct policy *policy, const struct meta *meta, struct image *img)
{
	struct fw_image *h = image_hdr(img);
	struct fw_live_ref *ref = (struct fw_live_ref *)(img->data + h->live);

	h->features = extras_features(policy);
	h->state = extras_state(policy);
	for (size_t i = 0; i < policy->nlive; i++) {
		const struct named_set *s = policy->live[i];

		ref[i] = (struct fw_live_ref){
			.name = meta->live[i],
			.size = s->size,
			.timeout_ns = s->timeout_ns,
			.flags = (s->counters ? FW_LIVEF_COUNTERS : 0) | (s->widen ? FW_LIVEF_WIDEN : 0),
		};
	}
}

static void encode_meta(const struct plan plan[FW_DIR_COUNT], const struct meta *meta, uint8_t *out)
{
	for (int d = 0; d < FW_DIR_COUNT; d++)
		for (size_t i = 0; i < meta->nrules[d]; i++)
			if (plan[d].never[i])
				meta->rule[d][i].flags |= FW_RULEF_NEVER;
	meta_write(meta, out);
}

/* Sets go into the digest in their shortest form: SHA-256 is the slowest thing that looks at a long list. */
static void encode_digest_set(struct digest *d, const struct box_set *s, enum space space)
{
	uint32_t buf[512];
	size_t n = 0;

	digest_add_u64(d, s->n);
	if (s->r6) {
		digest_add(d, s->r6, s->n * sizeof(*s->r6));
		return;
	}
	if (s->r4) {
		digest_add(d, s->r4, s->n * sizeof(*s->r4));
		return;
	}
	if (space == SPACE_MAC) {
		digest_add(d, s->r, s->n * sizeof(*s->r));
		return;
	}
	for (size_t i = 0; i < s->n; i++) {
		buf[n++] = s->r[i].lo;
		buf[n++] = s->r[i].hi;
		if (n == sizeof(buf) / sizeof(buf[0]) || i + 1 == s->n) {
			digest_add(d, buf, n * sizeof(buf[0]));
			n = 0;
		}
	}
}

static void encode_digest_dir(struct digest *d, const struct plan *p)
{
	const struct boxes *b = &p->boxes;

	digest_add_u64(d, b->chain->present);
	digest_add_u64(d, b->chain->fallback);
	digest_add_u64(d, b->nrules);
	digest_add(d, b->families, b->nrules);
	for (uint32_t k = 0; k < p->sets.nlive; k++)
		digest_add_u64(d, p->sets.live[k]);
	for (uint32_t k = p->sets.nlive; k < p->sets.n; k++) /* the keys stand for the ranges */
		for (int six = 0; six < 2; six++)
			digest_add(d, p->sets.block[k][six]->key, sizeof(p->sets.block[k][six]->key));
	if (p->logs.n) {
		digest_add(d, p->logs.v, p->logs.n * sizeof(*p->logs.v));
		digest_add_u64(d, p->logs.of_default);
		digest_add_u64(d, p->logs.of_reasons);
	}
	if (p->extras.n) {
		digest_add(d, p->extras.v, p->extras.n * sizeof(*p->extras.v));
		digest_add(d, p->extras.of, b->nrules * sizeof(*p->extras.of));
	}
	for (int s = 0; s < SPACE_COUNT; s++) {
		if (!b->set[s])
			continue;
		digest_add_u64(d, s);
		digest_add(d, b->set[s], b->nrules * sizeof(*b->set[s]));
		for (size_t i = 0; i < b->sets[s].n; i++)
			encode_digest_set(d, &b->sets[s].v[i], s);
	}
}

static int encode_seal(const struct plan plan[FW_DIR_COUNT], struct image *img)
{
	struct digest *d cleanup(digest_freep) = digest_new();
	uint8_t source[DIGEST_LEN];

	if (!d)
		return -ENOMEM;
	for (int i = 0; i < FW_DIR_COUNT; i++)
		encode_digest_dir(d, &plan[i]);
	digest_end(d, source);
	return image_seal(img, source);
}

/* Where everything stands; *ret_live: the refs of live sets; *ret_hot: bytes of the hot part. */
static void encode_place(struct plan plan[FW_DIR_COUNT], const struct setpool *pool, uint32_t *ret_live, size_t *ret_hot)
{
	size_t nlive = plan[0].policy->nlive;
	size_t at = sizeof(struct fw_image);

	/* First: large sets stay where they are while rules come and go. */
	for (size_t i = 0; i < pool->n; i++)
		pool->v[i]->off = pool->v[i]->len ? encode_take(&at, pool->v[i]->len) : 0;
	for (int d = 0; d < FW_DIR_COUNT; d++)
		encode_layout(&plan[d], &at);
	/* Last: counter slots and ids change from generation to generation, and the digest looks at what stands before them. */
	*ret_live = nlive ? encode_take(&at, nlive * sizeof(struct fw_live_ref)) : 0;
	for (int d = 0; d < FW_DIR_COUNT; d++)
		if (plan[d].boxes.nrules)
			plan[d].actions = encode_take(&at, plan[d].boxes.nrules * sizeof(struct fw_action));
	encode_take(&at, 0);
	*ret_hot = encode_take(&at, 0);
}

static void encode_sets(const struct plan *p, struct image *img)
{
	struct fw_block(*ref)[2] = (struct fw_block(*)[2])(img->data + p->set_blocks);

	for (uint32_t k = 0; k < p->sets.n; k++) {
		for (int six = 0; six < 2; six++) {
			const struct setblock *b = p->sets.block[k][six];

			if (k < p->sets.nlive) {
				ref[k][six] = (struct fw_block){ .kind = FW_BLOCK_LIVE, .off = p->sets.live[k], .nets = p->sets.live[k] };
				continue;
			}
			ref[k][six] = (struct fw_block){
				.kind = b->kind, .off = b->off, .len = b->len, .nets = b->nets, .key = { b->key[0], b->key[1] }
			};
		}
	}
}

static int encode_write(struct arena *arena, struct plan plan[FW_DIR_COUNT], const struct meta *meta,
			struct diags *warn, struct image *img)
{
	struct fw_image *h = image_hdr(img);
	int err = 0;

	for (int d = 0; d < FW_DIR_COUNT && !err; d++) {
		encode_header(&plan[d], &h->dir[d]);
		tables_write(&plan[d], img);
		encode_units(&plan[d], img);
		encode_sets(&plan[d], img);
		encode_extras(&plan[d], img);
		err = rows_write(&plan[d], img);
		if (!err)
			err = reduce_never(arena, &plan[d], img, warn);
		if (!err)
			encode_actions(&plan[d], meta, img);
	}
	if (err)
		return err;
	encode_policy(plan[0].policy, meta, img);
	encode_meta(plan, meta, img->data + h->meta_off);
	for (int d = 0; d < FW_DIR_COUNT; d++)
		encode_identities(&plan[d], img);
	return encode_seal(plan, img);
}

int encode_image(struct arena *arena, struct plan plan[FW_DIR_COUNT], const struct setpool *pool,
		 const struct meta *meta, struct diags *d, bool warn, struct image *ret)
{
	struct image img;
	struct fw_image *h;
	uint32_t live;
	size_t hot;
	int err;

	encode_place(plan, pool, &live, &hot);
	if (hot + meta->bytes > FW_MAX_IMAGE) {
		diag_add(d, DIAG_ERROR, (struct span){},
			 "policy \"%s\": %zu MB of tables and %zu MB of names, the limit is %u MB (FW_MAX_IMAGE)",
			 plan[0].policy->name, hot >> 20, meta->bytes >> 20, FW_MAX_IMAGE >> 20);
		return -E2BIG;
	}
	err = image_alloc(&img, hot + meta->bytes);
	if (err)
		return err;
	h = image_hdr(&img);
	h->magic = FW_IMAGE_MAGIC;
	h->abi = FW_ABI_VERSION;
	h->total_len = img.len;
	h->hot_len = h->meta_off = hot;
	h->meta_len = meta->bytes;
	h->nlive = plan[0].policy->nlive;
	h->live = live;
	for (size_t i = 0; i < pool->n; i++)
		setblock_write(pool->v[i], img.data + pool->v[i]->off);
	err = encode_write(arena, plan, meta, warn ? d : NULL, &img);
	if (err)
		image_fini(&img);
	else
		*ret = img;
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "image/image.h"

#include <errno.h>
#include <string.h>

/* Is [off, off + len) inside the tables of the image? */
static bool check_hot(const struct fw_image *img, uint64_t off, uint64_t len)
{
	return off >= sizeof(*img) && !(off % 8) && off + len <= img->hot_len;
}

static bool check_rows(const struct fw_image *img, const struct fw_dir_hdr *dir, uint32_t rows, unsigned int max_class)
{
	return check_hot(img, rows, (uint64_t)(max_class + 1) * dir->stride);
}

static const uint16_t check_small_bits[] = {
#define FW_X(id, bits) [FW_DIM_##id] = bits,
	FW_SMALL_DIMS(FW_X)
#undef FW_X
};

static unsigned int check_max16(const uint16_t *v, size_t n)
{
	unsigned int max = 0;

	for (size_t i = 0; i < n; i++)
		max = v[i] > max ? v[i] : max;
	return max;
}

static bool check_small(const struct fw_image *img, const struct fw_dir_hdr *dir, enum fw_dim dim)
{
	const struct fw_dim_ref *ref = &dir->dim[dim];
	size_t n = (1ul << check_small_bits[dim]) + 1;

	if (!check_hot(img, ref->tab, n * sizeof(uint16_t)))
		return false;
	return check_rows(img, dir, ref->rows, check_max16((const uint16_t *)((const uint8_t *)img + ref->tab), n));
}

static bool check_mac(const struct fw_image *img, const struct fw_dir_hdr *dir)
{
	const struct fw_dim_ref *ref = &dir->dim[FW_DIM_MAC];
	const struct fw_mac_tab *tab = (const struct fw_mac_tab *)((const uint8_t *)img + ref->tab);
	const uint64_t *bound = (const uint64_t *)(tab + 1);

	if (!check_hot(img, ref->tab, sizeof(*tab)) || !tab->n || tab->n > FW_MAX_MAC_BOUNDS ||
	    !check_hot(img, ref->tab, sizeof(*tab) + tab->n * sizeof(*bound)) ||
	    !check_hot(img, tab->cls, tab->n * sizeof(uint16_t)) || bound[0])
		return false;
	for (size_t i = 1; i < tab->n; i++)
		if (bound[i] <= bound[i - 1])
			return false;
	return check_rows(img, dir, ref->rows,
			  check_max16((const uint16_t *)((const uint8_t *)img + tab->cls), tab->n));
}

static bool check_addr(const struct fw_image *img, const struct fw_dir_hdr *dir, enum fw_dim dim)
{
	const uint64_t l1 = 65536 * sizeof(uint32_t);
	int i = dim - FW_DIM_SRC;

	if (dir->leaf_shift[i][0] > 5 || dir->leaf_shift[i][1] > 5)
		return false;
	if ((dir->dim[dim].tab && !check_hot(img, dir->dim[dim].tab, l1)) ||
	    (dir->tab6[i] && !check_hot(img, dir->tab6[i], l1)))
		return false;
	return check_rows(img, dir, dir->dim[dim].rows, 0) && check_rows(img, dir, dir->rows6[i], 0);
}

/* A block stands inside the tables. What leads around inside it only the datapath follows, and it masks every step. */
static bool check_block(const struct fw_image *img, const struct fw_block *b, bool six)
{
	const uint8_t *at = (const uint8_t *)img + b->off;
	struct fw_block_rec last;

	if (b->kind == FW_BLOCK_NONE)
		return !b->len;
	if (b->kind >= FW_BLOCK_KINDS || b->off % 64 || !check_hot(img, b->off, b->len))
		return false;
	if (b->kind == FW_BLOCK_TRIE)
		return b->len >= 65536 * sizeof(uint32_t);
	if (six || b->len < FW_BLOCK_LEAVES)
		return false;
	memcpy(&last, at + FW_BLOCK_LEAVES - sizeof(last), sizeof(last));
	return b->len == FW_BLOCK_LEAVES + ((uint64_t)last.leaf + __builtin_popcountll(last.mixed)) * FW_BLOCK_LEAF;
}

static bool check_sets(const struct fw_image *img, const struct fw_dir_hdr *dir)
{
	const struct fw_block *b = (const struct fw_block *)((const uint8_t *)img + dir->sets);

	if (!dir->nsets)
		return !dir->sets && !dir->set_sides && !(dir->dims >> FW_DIM_SETS & 1);
	if (dir->nsets > FW_MAX_SETS || dir->set_sides >> dir->nsets ||
	    !check_hot(img, dir->sets, 2 * dir->nsets * sizeof(*b)))
		return false;
	for (uint32_t i = 0; i < 2 * dir->nsets; i++)
		if (!check_block(img, &b[i], i % 2))
			return false;
	return true;
}

static const char *check_dims(const struct fw_image *img, const struct fw_dir_hdr *dir)
{
	if (dir->dims >> FW_DIM_COUNT)
		return "unknown dimension";
	for (unsigned int dim = 0; dim < FW_DIM_COUNT; dim++) {
		bool ok;

		if (!(dir->dims >> dim & 1))
			continue;
		if (dim < FW_DIM_SMALL_COUNT)
			ok = check_small(img, dir, dim);
		else if (dim == FW_DIM_MAC)
			ok = check_mac(img, dir);
		else
			ok = check_addr(img, dir, dim);
		if (!ok)
			return "table";
	}
	return NULL;
}

/* Every rule has one bit: in their order, or, with many words, as struct fw_dir_hdr.ncounts says. */
static bool check_places(const struct fw_dir_hdr *dir, const struct fw_action *action)
{
	bool many = dir->nwords > 1;
	bool seen[FW_MAX_RULES] = {};

	if (dir->ncounts > (many ? FW_MAX_COUNT_RULES : 0) || dir->ncounts > dir->nrules)
		return false;
	for (size_t i = 0; i < dir->nrules; i++) {
		uint32_t rule = FW_ACTION_RULE(action[i].rule_verdict), verdict = FW_ACTION_VERDICT(action[i].rule_verdict);
		bool counts = i < dir->ncounts, ordered = counts || i % 64;

		if (rule >= dir->nrules || seen[rule] || (!many && rule != i))
			return false;
		if (many && counts != (verdict == FW_VERDICT_CONTINUE))
			return false;
		if (many && ordered && i && i != dir->ncounts && rule < FW_ACTION_RULE(action[i - 1].rule_verdict))
			return false;
		seen[rule] = true;
	}
	return true;
}

static const char *check_dir(const struct fw_image *img, const struct fw_dir_hdr *dir)
{
	const struct fw_action *action;
	uint32_t nwords = (dir->nrules + 63) / 64;

	if (dir->nrules > FW_MAX_RULES)
		return "number of rules";
	if (dir->nwords != nwords || dir->nsum != (nwords > 1 ? (nwords + 63) / 64 : 0) ||
	    dir->stride != 8 * (dir->nwords + dir->nsum))
		return "row size";
	if (dir->flags & ~(FW_DIRF_L2 | FW_DIRF_PRESENT) || dir->default_verdict > FW_VERDICT_PASS)
		return "flags";
	if (!dir->nrules)
		return dir->dims ? "dimensions without rules" : NULL;
	if (!check_hot(img, dir->ones, dir->stride) || !check_hot(img, dir->actions, dir->nrules * sizeof(*action)))
		return "rows";
	action = (const struct fw_action *)((const uint8_t *)img + dir->actions);
	for (size_t i = 0; i < dir->nrules; i++)
		if (FW_ACTION_VERDICT(action[i].rule_verdict) >= FW_VERDICT_COUNT || action[i].slot < FW_SLOT_RULE0 ||
		    action[i].slot >= FW_MAX_SLOTS)
			return "action";
	if (!check_places(dir, action))
		return "places of rules";
	if (!check_sets(img, dir))
		return "sets";
	return check_dims(img, dir);
}

/* Offsets of strings: the last byte of the strings is NUL, so one that starts inside ends inside. */
static bool check_str(const struct fw_meta *meta, uint32_t off)
{
	return off >= sizeof(*meta) && off < meta->strings_end;
}

static const char *check_meta_rules(const struct fw_image *img, const struct fw_meta *meta, enum fw_dir d)
{
	const struct fw_dir_hdr *dir = &img->dir[d];
	const struct fw_meta_rule *rule = (const struct fw_meta_rule *)((const uint8_t *)meta + meta->rules[d]);
	const struct fw_action *action = (const struct fw_action *)((const uint8_t *)img + dir->actions);

	if (meta->rules[d] < sizeof(*meta) || meta->rules[d] % 8 ||
	    meta->rules[d] + (uint64_t)dir->nrules * sizeof(*rule) > meta->strings_end)
		return "meta rules";
	for (size_t i = 0; i < dir->nrules; i++) {
		if (!check_str(meta, rule[i].id) || !check_str(meta, rule[i].text) || !check_str(meta, rule[i].file) ||
		    !check_str(meta, rule[i].label))
			return "meta strings";
		const struct fw_meta_rule *of = &rule[FW_ACTION_RULE(action[i].rule_verdict)];

		if (of->slot != action[i].slot || of->verdict != FW_ACTION_VERDICT(action[i].rule_verdict))
			return "meta and actions";
	}
	return NULL;
}

static const char *check_meta(const struct fw_image *img)
{
	const struct fw_meta *meta = (const struct fw_meta *)((const uint8_t *)img + img->meta_off);
	const char *why = NULL;

	if (img->meta_len < sizeof(*meta) || meta->strings_end <= sizeof(*meta) || meta->strings_end > img->meta_len ||
	    ((const char *)meta)[meta->strings_end - 1])
		return "meta size";
	if (((uint64_t)meta->strings_end + 7) / 8 * 8 + (uint64_t)meta->nbases * sizeof(struct fw_base) !=
	    img->meta_len)
		return "bases";
	if (!check_str(meta, meta->policy) || !check_str(meta, meta->source) || !check_str(meta, meta->text) ||
	    meta->text_len > meta->strings_end - meta->text)
		return "meta strings";
	for (int d = 0; d < FW_DIR_COUNT && !why; d++)
		why = check_meta_rules(img, meta, d);
	return why;
}

static const char *check_all(const struct fw_image *img, size_t len)
{
	const char *why = NULL;

	if (len < sizeof(*img))
		return "shorter than a header";
	if (img->magic != FW_IMAGE_MAGIC)
		return "magic number";
	if (img->abi != FW_ABI_VERSION)
		return "made by another version";
	if (img->check != image_header_check(img))
		return "header check";
	if (img->total_len > len || img->total_len > FW_MAX_IMAGE || img->total_len % 8)
		return "length";
	if (img->hot_len < sizeof(*img) || img->hot_len % 8 || img->meta_off != img->hot_len ||
	    (uint64_t)img->meta_off + img->meta_len != img->total_len)
		return "sections";
	for (int d = 0; d < FW_DIR_COUNT && !why; d++)
		why = check_dir(img, &img->dir[d]);
	return why ? why : check_meta(img);
}

int image_check(const void *data, size_t len, const char **ret_why)
{
	const char *why = check_all(data, len);

	if (why)
		*ret_why = why;
	return why ? -EINVAL : 0;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "image/check.h"

#include <errno.h>
#include <string.h>

static bool check_rows(const struct fw_image *img, const struct fw_dir_hdr *dir, uint32_t rows, unsigned int max_class)
{
	return check_hot(img, rows, (max_class + 1ull) * dir->stride);
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

/* The tries may be there for the nodes alone: then the dimension is not used. */
static bool check_addr(const struct fw_image *img, const struct fw_dir_hdr *dir, unsigned int side)
{
	const uint64_t l1 = 65536 * sizeof(uint32_t);
	const struct fw_dim_ref *ref = &dir->dim[FW_DIM_SRC + side];

	if (dir->leaf_shift[side][0] > 5 || dir->leaf_shift[side][1] > 5)
		return false;
	if ((ref->tab && !check_hot(img, ref->tab, l1)) || (dir->tab6[side] && !check_hot(img, dir->tab6[side], l1)))
		return false;
	if (!(dir->dims >> (FW_DIM_SRC + side) & 1))
		return true;
	return check_hot(img, ref->rows, dir->stride_addr) && check_hot(img, dir->rows6[side], dir->stride_addr);
}

/* A block stands inside the tables. What leads around inside it only the datapath follows, and it masks every step. */
static bool check_block(const struct fw_image *img, const struct fw_block *b, bool six)
{
	if (b->kind == FW_BLOCK_NONE)
		return !b->len;
	if (b->kind == FW_BLOCK_LIVE)
		return !b->len && b->nets < img->nlive && b->off < FW_MAX_LIVE;
	if (b->kind >= FW_BLOCK_KINDS || b->off % 64 || !check_hot(img, b->off, b->len))
		return false;
	if (b->kind == FW_BLOCK_TRIE)
		return six && b->len >= 65536 * sizeof(uint32_t);
	return !six && b->nets >= 2 && b->nets <= 65538 &&
	       b->len >= FW_BLOCK_SOME + b->nets * (FW_BLOCK_MAP + 4 * sizeof(struct fw_block_rec));
}

static bool check_sets(const struct fw_image *img, const struct fw_dir_hdr *dir)
{
	const struct fw_block *b = (const struct fw_block *)((const uint8_t *)img + dir->sets);

	if (!dir->nsets)
		return !dir->sets && !dir->set_sides && !dir->live_bits && !(dir->dims >> FW_DIM_SETS & 1);
	if (dir->nsets > FW_MAX_SETS || dir->set_sides >> dir->nsets ||
	    !check_hot(img, dir->sets, 2 * dir->nsets * sizeof(*b)))
		return false;
	for (uint32_t i = 0; i < 2 * dir->nsets; i++)
		if (!check_block(img, &b[i], i % 2) || (b[i].kind == FW_BLOCK_LIVE) != (dir->live_bits >> i / 2 & 1))
			return false;
	/* A live set is the same one for both families. */
	for (uint32_t k = 0; k < dir->nsets; k++)
		if (dir->live_bits >> k & 1 && (b[2 * k].nets != b[2 * k + 1].nets || b[2 * k].off != b[2 * k + 1].off))
			return false;
	return !(dir->live_bits >> dir->nsets);
}

static const char *check_dims(const struct fw_image *img, const struct fw_dir_hdr *dir)
{
	uint32_t n = 0;

	if (dir->dims >> FW_DIM_COUNT)
		return "unknown dimension";
	for (unsigned int dim = 0; dim < FW_DIM_SMALL_COUNT; dim++)
		if (dir->dims >> dim & 1 && (n >= dir->nsmall || dir->small[n++] != dim))
			return "list of dimensions";
	if (n != dir->nsmall)
		return "list of dimensions";
	for (unsigned int dim = 0; dim < FW_DIM_SRC; dim++) {
		if (!(dir->dims >> dim & 1))
			continue;
		if (!(dim == FW_DIM_MAC ? check_mac(img, dir) : check_small(img, dir, dim)))
			return "table";
	}
	return check_addr(img, dir, 0) && check_addr(img, dir, 1) ? NULL : "table";
}

/*
 * Every rule has one place: in their order, or, with summaries, as struct fw_dir_hdr.ncounts says; in lists ascending behind
 * the bits.
 */
static bool check_places(const struct fw_dir_hdr *dir, const struct fw_action *action)
{
	uint32_t lowest = dir->nrules;
	bool many = dir->nsum;
	bool seen[FW_MAX_RULES] = {};

	if (dir->ncounts > (many ? FW_MAX_COUNT_RULES : 0) || dir->ncounts > dir->nbits)
		return false;
	for (size_t i = 0; i < dir->nrules; i++) {
		uint32_t rule = FW_ACTION_RULE(action[i].rule_verdict), verdict = FW_ACTION_VERDICT(action[i].rule_verdict);
		bool counts = i < dir->ncounts;
		/* Does the order of the rules begin anew here? */
		bool first = !i || i == dir->ncounts || i == dir->nbits || (!counts && i < dir->nbits && i % 64 == 0);

		if (rule >= dir->nrules || seen[rule] || (!many && rule != i))
			return false;
		if (many && counts != (verdict == FW_VERDICT_CONTINUE))
			return false;
		if (!first && rule < FW_ACTION_RULE(action[i - 1].rule_verdict))
			return false;
		seen[rule] = true;
		if (!counts && i < dir->nbits && rule < lowest)
			lowest = rule;
	}
	return dir->first == lowest;
}

#define CHECK_SEEN 4096

/* The units of nodes, entries and parts of one direction. */
struct check_units {
	const struct fw_dir_hdr *dir;
	const uint8_t *unit;
	uint32_t seen[CHECK_SEEN][2]; /* parts that are right: first unit, number */
};

/* What FW_LIST() names: inside, ascending, every entry in order. */
static bool check_list(const struct check_units *w, uint32_t list)
{
	uint32_t unit = FW_LIST_UNIT(list), n = FW_LIST_COUNT(list);
	const struct fw_entry *e = (const struct fw_entry *)(w->unit + 16ull * unit);

	if (!n)
		return !list;
	if (!unit || n > FW_MAX_LIST || (uint64_t)unit + n > w->dir->nunits)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		if (e[i].place < w->dir->nbits || e[i].place >= w->dir->nrules || (i && e[i].place < e[i - 1].place))
			return false;
		if (e[i].svc != FW_SVC_ANY && e[i].svc >= FW_WORD_BITS * w->dir->nsvc)
			return false;
	}
	return true;
}

/* Parts that many nodes share need not be looked at again. */
static bool check_parts(struct check_units *w, uint32_t unit, uint32_t n)
{
	const struct fw_part *part = (const struct fw_part *)(w->unit + 16ull * unit);
	uint32_t *seen = w->seen[unit % CHECK_SEEN];

	if (!unit || n > FW_MAX_PARTS || unit + (n + 1ull) / 2 > w->dir->nunits || part[0].bound)
		return false;
	if (seen[0] == unit && seen[1] == n)
		return true;
	for (uint32_t i = 0; i < n; i++)
		if ((i && part[i].bound <= part[i - 1].bound) || !check_list(w, part[i].list))
			return false;
	seen[0] = unit;
	seen[1] = n;
	return true;
}

/*
 * All nodes, in one pass: what stands behind a node and belongs to it, its list or its parts and theirs, says so itself; between
 * them units may be zero, which is a node without a list.
 */
static bool check_nodes(struct check_units *w)
{
	uint32_t next = 4;

	while (next < w->dir->nunits) {
		const struct fw_node *node = (const struct fw_node *)(w->unit + 16ull * next);
		uint32_t end = next + 1;

		if (!node->nparts) {
			if (!check_list(w, node->list))
				return false;
			if (FW_LIST_UNIT(node->list) == end)
				end += FW_LIST_COUNT(node->list);
		} else {
			const struct fw_part *part = (const struct fw_part *)(w->unit + 16ull * node->list);

			if (!check_parts(w, node->list, node->nparts))
				return false;
			if (node->list >= end)
				end = node->list + (node->nparts + 1) / 2;
			for (uint32_t i = 0; node->list > next && i < node->nparts; i++)
				if (FW_LIST_UNIT(part[i].list) >= end)
					end = FW_LIST_UNIT(part[i].list) + FW_LIST_COUNT(part[i].list);
		}
		next = end;
	}
	return true;
}

static const char *check_lists(const struct fw_image *img, const struct fw_dir_hdr *dir)
{
	struct check_units w = { .dir = dir, .unit = (const uint8_t *)img + dir->units };

	if (!(dir->flags & FW_DIRF_LISTS))
		return dir->nunits || dir->nsvc || dir->nbits != dir->nrules ? "lists" : NULL;
	if (dir->nunits <= 4 || !check_hot(img, dir->units, 16ull * dir->nunits))
		return "units";
	for (int i = 0; i < 4; i++) {
		uint32_t tab = i % 2 ? dir->tab6[i / 2] : dir->dim[FW_DIM_SRC + i / 2].tab, root = dir->root[i / 2][i % 2];

		if (root >= dir->nunits || (!tab && !root))
			return "roots";
	}
	return check_nodes(&w) ? NULL : "lists";
}

static bool check_row_size(const struct fw_dir_hdr *dir)
{
	bool lists = dir->flags & FW_DIRF_LISTS;
	uint32_t nwords = (dir->nbits + 63) / 64, nsum = 0;

	if (nwords > 1 || lists)
		nsum = nwords ? (nwords + 63) / 64 : 1;
	return dir->nbits <= FW_MAX_BITS && dir->nbits <= dir->nrules && dir->nwords == nwords && dir->nsum == nsum &&
	       dir->nsvc <= FW_MAX_SERVICES / FW_WORD_BITS && dir->stride_addr == 8 * (nwords + nsum) &&
	       dir->stride == dir->stride_addr + 8 * dir->nsvc;
}

#define CHECK_DIRF (FW_DIRF_L2 | FW_DIRF_PRESENT | FW_DIRF_LISTS | FW_DIRF_TRACK | FW_DIRF_KNOWN)
static const char *check_dir(const struct fw_image *img, const struct fw_dir_hdr *dir)
{
	const struct fw_action *action;
	const char *why;

	if (dir->nrules > FW_MAX_RULES)
		return "number of rules";
	if (!check_row_size(dir))
		return "row size";
	if (dir->flags & ~CHECK_DIRF || dir->default_verdict > FW_VERDICT_PASS)
		return "flags";
	why = check_logs(img, dir);
	if (why)
		return why;
	if (!dir->nrules)
		return dir->dims || dir->flags & FW_DIRF_LISTS || dir->nsets || dir->live_bits || dir->nextras ?
			       "dimensions without rules" :
			       NULL;
	if (!check_hot(img, dir->ones, dir->stride) || !check_hot(img, dir->actions, dir->nrules * sizeof(*action)))
		return "rows";
	action = (const struct fw_action *)((const uint8_t *)img + dir->actions);
	for (size_t i = 0; i < dir->nrules; i++)
		if ((action[i].rule_verdict & 255 & ~FW_ACTION_EXTRA) >= FW_VERDICT_COUNT || action[i].slot < FW_SLOT_RULE0 ||
		    action[i].slot >= FW_MAX_SLOTS)
			return "action";
	if (!check_places(dir, action))
		return "places of rules";
	if (!check_sets(img, dir))
		return "sets";
	why = check_extras(img, dir);
	why = why ? why : check_dims(img, dir);
	return why ? why : check_lists(img, dir);
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
	return why ? why : check_live_refs(img, meta);
}

static const char *check_header(const struct fw_image *img, size_t len)
{
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
	return check_policy(img);
}

static const char *check_all(const struct fw_image *img, size_t len)
{
	const char *why = check_header(img, len);

	for (int d = 0; d < FW_DIR_COUNT && !why; d++)
		why = check_dir(img, &img->dir[d]);
	return why ? why : check_meta(img);
}

/* What check_meta_rules leans on, when the tables are not looked at. */
static const char *check_actions(const struct fw_image *img, const struct fw_dir_hdr *dir)
{
	const struct fw_action *action = (const struct fw_action *)((const uint8_t *)img + dir->actions);

	if (dir->nrules > FW_MAX_RULES)
		return "number of rules";
	if (dir->nrules && !check_hot(img, dir->actions, dir->nrules * sizeof(*action)))
		return "rows";
	for (size_t i = 0; i < dir->nrules; i++)
		if (FW_ACTION_RULE(action[i].rule_verdict) >= dir->nrules || action[i].slot < FW_SLOT_RULE0 ||
		    action[i].slot >= FW_MAX_SLOTS)
			return "action";
	return NULL;
}

int image_check_meta(const void *data, size_t len, const char **ret_why)
{
	const struct fw_image *img = data;
	const char *why = check_header(img, len);

	for (int d = 0; d < FW_DIR_COUNT && !why; d++)
		why = check_actions(img, &img->dir[d]);
	why = why ? why : check_meta(img);
	if (why)
		*ret_why = why;
	return why ? -EINVAL : 0;
}

int image_check(const void *data, size_t len, const char **ret_why)
{
	const char *why = check_all(data, len);

	if (why)
		*ret_why = why;
	return why ? -EINVAL : 0;
}

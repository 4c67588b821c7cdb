// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counter slots follow the identity of a rule: direction, verdict, id.
 */
#include "base/cleanup.h"
#include "base/hash.h"
#include "image/image.h"

#include <errno.h>
#include <string.h>

/* Rules of a running generation by identity: open addressing, 0 is empty, else index + 1. */
struct slot_index {
	const struct fw_image *img;
	const struct fw_meta_rule *rule;
	uint32_t *cell;
	size_t mask;
};

static uint64_t slot_hash(const char *id, uint32_t verdict)
{
	return hash_bytes(id, strlen(id)) + verdict;
}

static int slot_index_init(struct slot_index *x, const struct fw_image *img, enum fw_dir dir)
{
	size_t n, cap = 16;

	x->img = img;
	x->rule = image_rules(img, dir, &n);
	while (cap < 2 * n)
		cap *= 2;
	x->mask = cap - 1;
	x->cell = calloc(cap, sizeof(*x->cell));
	if (!x->cell)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		size_t at = slot_hash(image_str(img, x->rule[i].id), x->rule[i].verdict) & x->mask;

		while (x->cell[at])
			at = (at + 1) & x->mask;
		x->cell[at] = i + 1;
	}
	return 0;
}

static const struct fw_meta_rule *slot_index_find(const struct slot_index *x, const char *id, uint32_t verdict)
{
	for (size_t at = slot_hash(id, verdict) & x->mask; x->cell[at]; at = (at + 1) & x->mask) {
		const struct fw_meta_rule *r = &x->rule[x->cell[at] - 1];

		if (r->verdict == verdict && !strcmp(image_str(x->img, r->id), id))
			return r;
	}
	return NULL;
}

static void slot_set(struct image *img, enum fw_dir dir, size_t i, uint32_t slot)
{
	size_t n;

	((struct fw_meta_rule *)image_rules(image_hdr(img), dir, &n))[i].slot = slot;
}

/* What the datapath reads follows what the meta says. */
static void slots_copy(struct image *img, enum fw_dir dir)
{
	struct fw_action *action = (struct fw_action *)(img->data + image_hdr(img)->dir[dir].actions);
	size_t n;
	const struct fw_meta_rule *rule = image_rules(image_hdr(img), dir, &n);

	for (size_t i = 0; i < n; i++)
		action[i].slot = rule[FW_ACTION_RULE(action[i].rule_verdict)].slot;
}

/* Slots of rules that live on. `used` marks what is not free for a newcomer: all of live's slots. */
static int slots_inherit(struct image *next, const struct fw_image *live, enum fw_dir dir, bool *used, bool *done)
{
	struct slot_index x;
	size_t n, live_n;
	const struct fw_meta_rule *rule = image_rules(image_hdr(next), dir, &n);
	int err = slot_index_init(&x, live, dir);

	if (err)
		return err;
	image_rules(live, dir, &live_n);
	for (size_t i = 0; i < live_n; i++)
		used[x.rule[i].slot] = true;
	for (size_t i = 0; i < n; i++) {
		const struct fw_meta_rule *old =
			slot_index_find(&x, image_str(image_hdr(next), rule[i].id), rule[i].verdict);

		if (!old)
			continue;
		slot_set(next, dir, i, old->slot);
		done[i] = true;
	}
	free(x.cell);
	return 0;
}

static int slots_assign_dir(struct image *next, const struct fw_image *live, enum fw_dir dir, uint32_t *ret_nslots)
{
	bool *used auto_free = calloc(FW_MAX_SLOTS, sizeof(*used));
	bool *done auto_free = calloc(FW_MAX_RULES, sizeof(*done));
	uint32_t slot = FW_SLOT_RULE0, nslots = FW_SLOT_RULE0;
	const struct fw_meta_rule *rule;
	size_t n;
	int err;

	if (!used || !done)
		return -ENOMEM;
	if (live) {
		err = slots_inherit(next, live, dir, used, done);
		if (err)
			return err;
	}
	rule = image_rules(image_hdr(next), dir, &n);
	for (size_t i = 0; i < n; i++) {
		if (!done[i]) {
			/* At most FW_MAX_RULES slots are live and as many are new: this ends before FW_MAX_SLOTS. */
			while (used[slot])
				slot++;
			slot_set(next, dir, i, slot++);
		}
		if (rule[i].slot >= nslots)
			nslots = rule[i].slot + 1;
	}
	slots_copy(next, dir);
	*ret_nslots = nslots;
	return 0;
}

int image_assign_slots(struct image *next, const struct fw_image *live, uint32_t ret_nslots[FW_DIR_COUNT])
{
	uint32_t nslots[FW_DIR_COUNT];

	for (int dir = 0; dir < FW_DIR_COUNT; dir++) {
		int err = slots_assign_dir(next, live, dir, &nslots[dir]);

		if (err)
			return err;
	}
	memcpy(ret_nslots, nslots, sizeof(nslots));
	return 0;
}

size_t image_retired_slots(const struct image *next, const struct fw_image *live, enum fw_dir dir,
			   struct fw_meta_rule *out)
{
	bool used[FW_MAX_SLOTS] = {};
	size_t n, live_n, retired = 0;
	const struct fw_meta_rule *rule = image_rules(image_hdr(next), dir, &n);
	const struct fw_meta_rule *old = image_rules(live, dir, &live_n);

	for (size_t i = 0; i < n; i++)
		used[rule[i].slot] = true;
	for (size_t i = 0; i < live_n; i++)
		if (!used[old[i].slot])
			out[retired++] = old[i];
	return retired;
}

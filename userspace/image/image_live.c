// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live sets belong to the namespace, which knows them by number; an image names them, and is told the numbers before it goes
 * live. Whatever holds a number holds the index that it was made of, too.
 */
#include "image/image.h"

const struct fw_live_ref *image_live(const struct fw_image *img, size_t *ret_n)
{
	*ret_n = img->nlive;
	return (const struct fw_live_ref *)((const uint8_t *)img + img->live);
}

static void live_assign_dir(struct image *next, const struct fw_dir_hdr *dir, const uint32_t *ids)
{
	struct fw_block *block = (struct fw_block *)(next->data + dir->sets);
	struct fw_extra *extra = (struct fw_extra *)(next->data + dir->extras);

	for (uint32_t i = 0; i < 2 * dir->nsets; i++)
		if (block[i].kind == FW_BLOCK_LIVE)
			block[i].off = ids[block[i].nets];
	for (uint32_t i = 0; i < dir->nextras; i++)
		if (extra[i].flags & FW_EXTRA_ELSE_BAN)
			extra[i].ban = ids[FW_EXTRA_BAN_REF(extra[i].flags)];
}

void image_assign_live(struct image *next, const uint32_t *ids)
{
	const struct fw_image *hdr = image_hdr(next);
	struct fw_live_ref *ref = (struct fw_live_ref *)(next->data + hdr->live);

	for (uint32_t i = 0; i < hdr->nlive; i++)
		ref[i].id = ids[i];
	for (int d = 0; d < FW_DIR_COUNT; d++)
		live_assign_dir(next, &hdr->dir[d], ids);
}

// SPDX-License-Identifier: GPL-2.0-only
#include "image/image.h"

#include "image/digest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define IMAGE_PAGE 4096ul
#define IMAGE_HUGE (2ul << 20)

static size_t image_round(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

int image_alloc(struct image *img, size_t len)
{
	size_t cap = image_round(len ? len : 1, IMAGE_PAGE);
	void *p = mmap(NULL, cap, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -ENOMEM;
	/* Fewer faults while a large image is filled; a wish, so its failure is none. */
	if (cap >= IMAGE_HUGE)
		madvise(p, cap, MADV_HUGEPAGE);
	*img = (struct image){ .data = p, .len = len, .cap = cap };
	return 0;
}

int image_resize(struct image *img, size_t len)
{
	if (len > img->cap) {
		size_t cap = image_round(len, IMAGE_PAGE);
		void *p = mremap(img->data, img->cap, cap, MREMAP_MAYMOVE);

		if (p == MAP_FAILED)
			return -ENOMEM;
		img->data = p;
		img->cap = cap;
	}
	if (len > img->len)
		memset(img->data + img->len, 0, len - img->len);
	img->len = len;
	return 0;
}

void image_fini(struct image *img)
{
	if (img->data)
		munmap(img->data, img->cap);
	*img = (struct image){};
}

static const struct fw_meta *image_meta(const struct fw_image *img)
{
	return (const struct fw_meta *)((const uint8_t *)img + img->meta_off);
}

const char *image_str(const struct fw_image *img, uint32_t off)
{
	return (const char *)image_meta(img) + off;
}

const char *image_policy(const struct fw_image *img)
{
	return image_str(img, image_meta(img)->policy);
}

const char *image_source(const struct fw_image *img)
{
	return image_str(img, image_meta(img)->source);
}

const char *image_lines(const struct fw_image *img, size_t *ret_len)
{
	*ret_len = image_meta(img)->text_len;
	return image_str(img, image_meta(img)->text);
}

void image_text(const struct fw_image *img, struct str *out)
{
	size_t all;
	const char *line = image_lines(img, &all), *end = line + all;

	for (size_t len; line < end; line += len + 1) {
		len = strnlen(line, end - line);
		str_add_len(out, line, len);
		str_add(out, "\n");
	}
}

const struct fw_meta_rule *image_rules(const struct fw_image *img, enum fw_dir dir, size_t *ret_n)
{
	*ret_n = img->dir[dir].nrules;
	return (const struct fw_meta_rule *)((const uint8_t *)image_meta(img) + image_meta(img)->rules[dir]);
}

const struct fw_base *image_bases(const struct fw_image *img, size_t *ret_n)
{
	const struct fw_meta *meta = image_meta(img);

	*ret_n = meta->nbases;
	return (const struct fw_base *)((const uint8_t *)meta + image_round(meta->strings_end, 8));
}

void image_digest_hex(const struct fw_image *img, char out[65])
{
	for (size_t i = 0; i < sizeof(img->digest); i++)
		snprintf(out + 2 * i, 3, "%02x", img->digest[i]);
}

int image_set_bases(struct image *img, const struct fw_base *bases, size_t n)
{
	struct fw_image *hdr = image_hdr(img);
	size_t at = image_round(hdr->meta_off + image_meta(hdr)->strings_end, 8);
	struct fw_meta *meta;
	int err;

	if (n > (FW_MAX_IMAGE - at) / sizeof(*bases))
		return -ENOMEM;
	err = image_resize(img, at + n * sizeof(*bases));
	if (err)
		return err;
	hdr = image_hdr(img);
	meta = (struct fw_meta *)(img->data + hdr->meta_off);
	if (n)
		memcpy(img->data + at, bases, n * sizeof(*bases));
	meta->nbases = n;
	hdr->total_len = img->len;
	hdr->meta_len = img->len - hdr->meta_off;
	hdr->check = image_header_check(hdr);
	return 0;
}

int image_pass_all(const char *policy, struct image *ret_image)
{
	const uint8_t source[DIGEST_LEN] = {};
	size_t name = strlen(policy) + 1;
	size_t strings = sizeof(struct fw_meta) + name + 1;
	size_t hot = sizeof(struct fw_image);
	struct image img;
	struct fw_image *hdr;
	struct fw_meta *meta;
	int err = image_alloc(&img, hot + image_round(strings, 8));

	if (err)
		return err;
	hdr = image_hdr(&img);
	hdr->magic = FW_IMAGE_MAGIC;
	hdr->abi = FW_ABI_VERSION;
	hdr->total_len = img.len;
	hdr->hot_len = hdr->meta_off = hot;
	hdr->meta_len = img.len - hot;
	for (int d = 0; d < FW_DIR_COUNT; d++)
		hdr->dir[d].default_verdict = FW_VERDICT_PASS;
	meta = (struct fw_meta *)(img.data + hot);
	meta->policy = sizeof(*meta);
	meta->source = meta->text = sizeof(*meta) + name; /* "" */
	meta->rules[FW_DIR_INGRESS] = meta->rules[FW_DIR_EGRESS] = sizeof(*meta);
	meta->strings_end = strings;
	memcpy(img.data + hot + meta->policy, policy, name);
	err = image_seal(&img, source);
	if (err) {
		image_fini(&img);
		return err;
	}
	*ret_image = img;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The datapath as ordinary code: memory stands for the maps, a copy of the frame for the packet. To be included by one
 * file of a program. The linear part of a frame is a block of its own, so that the address sanitizer sees a read past it.
 */
#ifndef FW_TESTS_SHIM_H
#define FW_TESTS_SHIM_H

#include "image/image.h"
#include "model/packet.h"
#include "xdp/core/run.bpf.h"

#include <errno.h>
#include <stdlib.h>

struct fw_host_map {
	void *value;
	__u32 size, n;
};
struct fw_host_map fw_ctl, fw_slot0, fw_slot1, fw_counters, fw_trace, fw_scratch;
struct fw_cfg fw_cfg;

struct shim_packet {
	const uint8_t *frame;
	size_t len;
};

void *fw_env_lookup(const void *map, const __u32 *key)
{
	const struct fw_host_map *m = map;

	return m->value && *key < m->n ? (uint8_t *)m->value + (size_t)*key * m->size : NULL;
}

long fw_env_loop(__u32 n, long (*fn)(__u32 i, void *arg), void *arg)
{
	__u32 i;

	for (i = 0; i < n; i++)
		if (fn(i, arg))
			return i + 1;
	return n;
}

long fw_env_load(void *ctx, __u32 off, void *buf, __u32 n)
{
	const struct shim_packet *p = ctx;

	if ((size_t)off + n > p->len)
		return -EFAULT;
	memcpy(buf, p->frame + off, n);
	return 0;
}

static void shim_map(struct fw_host_map *m, size_t size, size_t n)
{
	free(m->value);
	m->value = calloc(n, size);
	m->size = size;
	m->n = n;
	if (!m->value)
		abort();
}

static void shim_close(void)
{
	struct fw_host_map *all[] = { &fw_ctl, &fw_slot0, &fw_slot1, &fw_counters, &fw_trace, &fw_scratch };
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		free(all[i]->value);
		all[i]->value = NULL;
	}
}

/* Make an image live, in the slot given; zeroed counters, nslots of them. NULL: both slots are empty. */
static void shim_open(const struct image *img, enum fw_dir dir, unsigned int slot, uint32_t nslots)
{
	size_t size = 4096;

	while (img && size < img->len)
		size *= 2;
	shim_map(&fw_ctl, sizeof(struct fw_ctl), 1);
	shim_map(&fw_slot0, 4096 + FW_SLOT_PAD, 1);
	shim_map(&fw_slot1, 4096 + FW_SLOT_PAD, 1);
	shim_map(slot ? &fw_slot1 : &fw_slot0, size + FW_SLOT_PAD, 1);
	shim_map(&fw_counters, sizeof(struct fw_counter), nslots);
	shim_map(&fw_trace, sizeof(struct fw_trace), 1);
	shim_map(&fw_scratch, sizeof(struct fw_scratch), 1);
	if (img)
		memcpy(slot ? fw_slot1.value : fw_slot0.value, img->data, img->len);
	((struct fw_ctl *)fw_ctl.value)->live = slot;
	fw_cfg = (struct fw_cfg){ .mask = { 4095, 4095 }, .dir = dir, .trace = 1, .nslots = nslots };
	fw_cfg.mask[slot] = size - 1;
}

/* One frame. `linear`: bytes in the linear part. `meta`: TC's tag; NULL for the shape of XDP. */
static struct fw_trace shim_run(const uint8_t *frame, size_t len, size_t linear, const struct packet_meta *meta)
{
	struct shim_packet packet = { frame, len };
	uint8_t *head = malloc(linear ? linear : 1);
	struct fw_frame f = {
		.ctx = &packet,
		.data = head,
		.end = head + linear,
		.len = len,
		.split = 1,
		.packets = 1,
		.bytes = len,
	};
	int verdict;

	if (!head)
		abort();
	memcpy(head, frame, linear);
	if (meta && meta->vlan_present) {
		f.vlan_present = 1;
		f.vlan_tci = meta->vlan_tci;
	}
	memset(fw_trace.value, 0xff, sizeof(struct fw_trace));
	verdict = fw_run(&f);
	free(head);
	if (verdict != (int)((struct fw_trace *)fw_trace.value)->verdict)
		abort();
	return *(struct fw_trace *)fw_trace.value;
}

#endif

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
	/* hashes and tries: n is how many elements there are; plain lists */
	void *key;
	__u32 key_size, most;
	bool lpm;
};
struct fw_host_map fw_ctl, fw_slot0, fw_slot1, fw_counters, fw_trace, fw_scratch, fw_flows, fw_limits, fw_buckets, fw_cookies, fw_live,
	fw_live_filter, fw_live_host4 = { .key_size = 4 }, fw_live_host6 = { .key_size = 16 },
	fw_live_net4 = { .key_size = 8, .lpm = true }, fw_live_net6 = { .key_size = 20, .lpm = true },
	fw_live_count = { .key_size = sizeof(struct fw_live_count_key) }, fw_events, fw_event_cpus, fw_log_limits, fw_taps, fw_tap_cpus,
	fw_tap_ctl;
struct fw_cfg fw_cfg;

struct shim_packet {
	const uint8_t *frame;
	size_t len;
	const struct packet_meta *meta;
};

void *fw_env_lookup(const void *map, const __u32 *key)
{
	const struct fw_host_map *m = map;

	return m->value && *key < m->n ? (uint8_t *)m->value + (size_t)*key * m->size : NULL;
}

/* Does a prefix cover another one, or a host? Both begin with their length. */
static bool shim_covers(const __u8 *prefix, const __u8 *other)
{
	__u32 len, wanted, i;

	memcpy(&len, prefix, 4);
	memcpy(&wanted, other, 4);
	if (len > wanted)
		return false;
	for (i = 0; i < len; i++)
		if ((prefix[4 + i / 8] ^ other[4 + i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

void *fw_env_find(const void *map, const void *key)
{
	const struct fw_host_map *m = map;
	__u32 i, best = 0, len;
	void *found = NULL;

	for (i = 0; i < m->n; i++) {
		const __u8 *have = (const __u8 *)m->key + (size_t)i * m->key_size;

		if (m->lpm) {
			memcpy(&len, have, 4);
			if (!shim_covers(have, key) || (found && len < best))
				continue;
			best = len;
		} else if (memcmp(have, key, m->key_size)) {
			continue;
		}
		found = (uint8_t *)m->value + (size_t)i * m->size;
	}
	return found;
}

long fw_env_add(const void *map, const void *key, const void *value)
{
	struct fw_host_map *m = (struct fw_host_map *)map;

	if (m->n == m->most)
		return -E2BIG;
	for (__u32 i = 0; i < m->n; i++)
		if (!memcmp((__u8 *)m->key + (size_t)i * m->key_size, key, m->key_size))
			return -EEXIST;
	memcpy((__u8 *)m->key + (size_t)m->n * m->key_size, key, m->key_size);
	memcpy((__u8 *)m->value + (size_t)m->n * m->size, value, m->size);
	m->n++;
	return 0;
}

static __u64 shim_jiffies;
__u64 fw_env_jiffies(void) { return shim_jiffies; }
__u64 fw_env_ktime(void) { return shim_jiffies * 4000000; }

/* The CPU that runs; the drawing of samples, which a test can repeat. */
static __u32 shim_cpu;
static __u32 shim_drawn;
static inline __u32 shim_draw(__u32 *state) { return *state = *state * 1664525 + 1013904223, *state >> 8; }
__u32 fw_env_cpu(void) { return shim_cpu; }
__u32 fw_env_random(void) { return shim_draw(&shim_drawn); }

#define SHIM_IFINDEX 7
__u32 fw_env_ifindex(void *ctx) { return SHIM_IFINDEX; }
__u32 fw_env_len(void *ctx) { return ((const struct shim_packet *)ctx)->len; }
__u32 fw_env_vlan_tci(void *ctx)
{
	const struct packet_meta *meta = ((const struct shim_packet *)ctx)->meta;

	return meta && meta->vlan_present ? meta->vlan_tci : 0;
}
__u32 fw_env_vlan_proto(void *ctx)
{
	const struct packet_meta *meta = ((const struct shim_packet *)ctx)->meta;

	return meta && meta->vlan_present ? 0x8100 : 0;
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
	struct fw_host_map *all[] = { &fw_ctl,	   &fw_slot0,	   &fw_slot1,	   &fw_counters,    &fw_trace,	    &fw_scratch,
				      &fw_flows,   &fw_limits,	   &fw_buckets,	   &fw_cookies,	    &fw_live,	    &fw_live_filter,
				      &fw_live_host4, &fw_live_host6, &fw_live_net4, &fw_live_net6, &fw_live_count, &fw_events,
				      &fw_event_cpus, &fw_log_limits, &fw_taps, &fw_tap_cpus, &fw_tap_ctl };
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		free(all[i]->value);
		free(all[i]->key);
		all[i]->value = all[i]->key = NULL;
		all[i]->n = 0;
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
	shim_map(&fw_counters, sizeof(struct fw_cell), nslots);
	shim_map(&fw_trace, sizeof(struct fw_trace), 1);
	shim_map(&fw_scratch, sizeof(struct fw_scratch), 1);
	if (img)
		memcpy(slot ? fw_slot1.value : fw_slot0.value, img->data, img->len);
	((struct fw_ctl *)fw_ctl.value)->live = slot;
	fw_cfg = (struct fw_cfg){ .mask = { 4095, 4095 }, .dir = dir, .trace = 1, .nslots = nslots };
	fw_cfg.mask[slot] = size - 1;
}

static inline void shim_list(struct fw_host_map *m, size_t size, size_t most)
{
	shim_map(m, size, most);
	free(m->key);
	m->key = calloc(most, m->key_size);
	m->n = 0;
	m->most = most;
	if (!m->key)
		abort();
}

/*
 * Tables for what the image asks for, empty: so many sets for established and for half-open flows, and of buckets (powers of two), and
 * live sets with ids and places as their index. The control word must be there already. now_ns: when they are made.
 */
static inline void shim_tables(const struct image *img, size_t flow_sets, size_t pend_sets, size_t bucket_sets, __u64 now_ns)
{
	struct fw_ctl *ctl = fw_ctl.value;
	struct fw_live_ctl *live;

	shim_map(&fw_flows, sizeof(struct fw_flow_set), flow_sets + pend_sets);
	shim_map(&fw_limits, sizeof(__u64), FW_LIMIT_CELLS);
	shim_map(&fw_buckets, sizeof(struct fw_bucket_set), bucket_sets);
	shim_map(&fw_cookies, 64, 1);
	shim_map(&fw_live, sizeof(struct fw_live_ctl), 1);
	shim_map(&fw_live_filter, sizeof(struct fw_live_filter), 1);
	shim_list(&fw_live_host4, sizeof(struct fw_live), 4096);
	shim_list(&fw_live_host6, sizeof(struct fw_live), 4096);
	shim_list(&fw_live_net4, sizeof(struct fw_live), 4096);
	shim_list(&fw_live_net6, sizeof(struct fw_live), 4096);
	shim_list(&fw_live_count, sizeof(struct fw_counter), 4096);
	live = fw_live.value;
	memset(live->place, FW_LIVE_NOWHERE, sizeof(live->place));
	fw_cfg.features = image_hdr(img)->features;
	fw_cfg.flow_mask = flow_sets - 1;
	fw_cfg.pend_mask = pend_sets - 1;
	fw_cfg.bucket_mask = bucket_sets - 1;
	for (int i = 0; i < FW_SECRETS; i++)
		ctl->secret[i] = 0x9e3779b97f4a7c15ull * (2 * i + 3) | 1;
	ctl->state_ns = ctl->given_ns = now_ns;
	ctl->given = FW_GIVEN_NOW;
}

#define SHIM_CPUS 2
/* Rings of events of so many each (a power of two), and buckets of their limits: programs tell from now on. */
static inline void shim_events(__u32 size)
{
	shim_map(&fw_events, sizeof(struct fw_event), SHIM_CPUS * size);
	shim_map(&fw_event_cpus, sizeof(struct fw_event_cpu), SHIM_CPUS);
	shim_map(&fw_log_limits, sizeof(__u64), FW_LIMIT_CELLS);
	fw_cfg.features |= FW_FEAT_LOG;
	fw_cfg.cpus = SHIM_CPUS;
	fw_cfg.event_mask = size - 1;
}

/* A tap that takes all; what it takes is changed by its control word, which is returned. */
static inline struct fw_tap_ctl *shim_taps(__u32 size, __u32 snap)
{
	shim_map(&fw_taps, sizeof(struct fw_tap) + snap, SHIM_CPUS * size);
	shim_map(&fw_tap_cpus, sizeof(struct fw_event_cpu), SHIM_CPUS);
	shim_map(&fw_tap_ctl, sizeof(struct fw_tap_ctl), 1);
	fw_cfg.features |= FW_FEAT_TAP;
	fw_cfg.cpus = SHIM_CPUS;
	fw_cfg.tap_mask = size - 1;
	fw_cfg.tap_snap = snap;
	*(struct fw_tap_ctl *)fw_tap_ctl.value = (struct fw_tap_ctl){ .on = 1, .verdicts = ~0u, .reasons = ~0u };
	return fw_tap_ctl.value;
}

/* One frame. `linear`: bytes in the linear part. `meta`: TC's tag; NULL for the shape of XDP. */
static struct fw_trace shim_run(const uint8_t *frame, size_t len, size_t linear, const struct packet_meta *meta)
{
	struct shim_packet packet = { frame, len, meta };
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

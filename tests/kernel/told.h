/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program with events and a tap, loaded without the kernel rim: rings as small as a test wants them, and no policy. It is run by
 * BPF_PROG_TEST_RUN alone.
 */
#ifndef FW_TESTS_KERNEL_TOLD_H
#define FW_TESTS_KERNEL_TOLD_H

#include "image/image.h"
#include "kern/ring.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fw/names.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

struct told {
	struct bpf_object *obj;
	int fd;
	uint32_t cpus;
	struct fw_tap_ctl *tap_ctl;
	struct ring events, taps; /* where they are; not started */
};

struct told_opts {
	enum fw_hook hook;
	uint32_t events, taps; /* of a CPU's ring: powers of two */
	uint32_t snap;
	bool frags;
};

static inline struct bpf_map *told_map(const struct told *t, const char *name)
{
	return bpf_object__find_map_by_name(t->obj, name);
}

static inline void told_size(const struct told *t, const char *name, uint32_t value_size, uint32_t entries)
{
	if (value_size)
		assert_int_equal(bpf_map__set_value_size(told_map(t, name), value_size), 0);
	assert_int_equal(bpf_map__set_max_entries(told_map(t, name), entries), 0);
}

static inline void *told_mmap(const struct told *t, const char *name)
{
	struct bpf_map *m = told_map(t, name);
	size_t step = (bpf_map__value_size(m) + 7) / 8 * 8, page = 4096;
	void *at = mmap(NULL, (step * bpf_map__max_entries(m) + page - 1) & ~(page - 1), PROT_READ | PROT_WRITE, MAP_SHARED,
		bpf_map__fd(m), 0);

	assert_ptr_not_equal(at, MAP_FAILED);
	return at;
}

static inline struct ring told_ring(const struct told *t, const char *cells, const char *cpus, uint32_t size)
{
	return (struct ring){ .cells = told_mmap(t, cells), .stride = bpf_map__value_size(told_map(t, cells)),
			      .cpu = told_mmap(t, cpus), .cpus = t->cpus, .size = size };
}

/* The constants, and the sizes of the maps. */
static inline void told_shape(struct told *t, const struct told_opts *o, size_t slot)
{
	struct fw_cfg cfg = { .mask = { slot - 1, 4095 }, .dir = o->hook == FW_HOOK_TC_EGRESS, .frags = o->frags, .nslots = FW_MAX_SLOTS,
			      .features = FW_FEAT_LOG | FW_FEAT_TAP, .cpus = t->cpus, .event_mask = o->events - 1, .tap_mask = o->taps - 1,
			      .tap_snap = o->snap };
	struct bpf_map *m;

	told_size(t, FW_MAP_SLOT0, slot + FW_SLOT_PAD, 1);
	told_size(t, FW_MAP_COUNTERS, 0, FW_MAX_SLOTS);
	told_size(t, FW_MAP_EVENTS, 0, t->cpus * o->events);
	told_size(t, FW_MAP_EVENT_CPUS, 0, t->cpus);
	told_size(t, FW_MAP_LOG_LIMITS, 0, FW_LIMIT_CELLS);
	told_size(t, FW_MAP_TAPS, sizeof(struct fw_tap) + o->snap, t->cpus * o->taps);
	told_size(t, FW_MAP_TAP_CPUS, 0, t->cpus);
	bpf_object__for_each_map(m, t->obj) {
		const char *dot = strchr(bpf_map__name(m), '.');

		if (dot && !strcmp(dot, ".rodata"))
			assert_int_equal(bpf_map__set_initial_value(m, &cfg, sizeof(cfg)), 0);
	}
}

/* img: its rules are live; NULL: there are none. */
static inline void told_open(struct told *t, const struct told_opts *o, const struct image *img)
{
	static const char *const names[] = { FW_PROG_XDP, FW_PROG_TC_INGRESS, FW_PROG_TC_EGRESS };
	struct bpf_program *p, *wanted = NULL;
	size_t slot = 4096;
	uint8_t *at;

	while (img && slot < img->len)
		slot *= 2;
	t->cpus = (uint32_t)libbpf_num_possible_cpus();
	t->obj = bpf_object__open(o->hook == FW_HOOK_XDP ? "build/bpf/fw_xdp.bpf.o" : "build/bpf/fw_tc.bpf.o");
	assert_int_equal(libbpf_get_error(t->obj), 0);
	told_shape(t, o, slot);
	bpf_object__for_each_program(p, t->obj) {
		bool is = !strcmp(bpf_program__name(p), names[o->hook]);

		bpf_program__set_autoload(p, is);
		wanted = is ? p : wanted;
	}
	if (o->frags)
		bpf_program__set_flags(wanted, BPF_F_XDP_HAS_FRAGS);
	assert_int_equal(bpf_object__load(t->obj), 0);
	t->fd = bpf_program__fd(wanted);
	t->tap_ctl = told_mmap(t, FW_MAP_TAP_CTL);
	t->events = told_ring(t, FW_MAP_EVENTS, FW_MAP_EVENT_CPUS, o->events);
	t->taps = told_ring(t, FW_MAP_TAPS, FW_MAP_TAP_CPUS, o->taps);
	at = told_mmap(t, FW_MAP_SLOT0);
	if (img)
		memcpy(at, img->data, img->len);
}

/* Maps in memory go with the process. */
static inline void told_close(struct told *t)
{
	bpf_object__close(t->obj);
}

/* A frame, so many times. linear: bytes in the linear part; 0: all. */
static inline void told_run(const struct told *t, const uint8_t *frame, size_t len, size_t linear, int repeat)
{
	struct xdp_md ctx = { .data_end = (uint32_t)linear };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (uint32_t)len, .repeat = repeat);

	if (linear && linear < len) {
		opts.ctx_in = &ctx;
		opts.ctx_size_in = sizeof(ctx);
	}
	assert_int_equal(bpf_prog_test_run_opts(t->fd, &opts), 0);
}

static inline uint64_t told_sum(const struct ring *r, size_t field)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < r->cpus; i++)
		n += __atomic_load_n((const uint64_t *)((const uint8_t *)&r->cpu[i] + field), __ATOMIC_SEQ_CST);
	return n;
}
#define TOLD_SUM(ring, field) told_sum(ring, offsetof(struct fw_event_cpu, field))

#endif

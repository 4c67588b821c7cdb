/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy on BOX_IF, taps of it, and what its hooks run: for the tests of the tap. */
#ifndef FW_TESTS_KERNEL_TAP_H
#define FW_TESTS_KERNEL_TAP_H

#include "harness/rim.h"
#include "kern/object.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fw/names.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define RULES(port, out)                                                                                                       \
	"policy web {\n essentials off\n ingress default drop {\n  pass proto udp to port " port " label \"dns\"\n }\n" out "}\n"
#define EGRESS " egress default pass { }\n"

static const struct kern_tap_opts plain = {.snap = 128, .bytes = 1 << 16};

static inline int tap_start(const struct kern_tap_opts *opts, struct kern_tap **ret)
{
	struct kern *k = rim_open(KERN_WRITE);
	int err = kern_tap_start(k, "web", opts, ret);

	kern_close(k);
	return err;
}

static inline struct kern_tap *tap_start_ok(const struct kern_tap_opts *opts)
{
	struct kern_tap *t = NULL;
	int err = tap_start(opts, &t);

	if (err)
		print_message("# %s\n", rim_fail.text);
	assert_int_equal(err, 0);
	return t;
}

static inline void tap_end(struct kern_tap *t)
{
	struct kern *k = rim_open(KERN_WRITE);
	int err = kern_tap_stop(k, t);

	if (err)
		print_message("# %s\n", rim_fail.text);
	assert_int_equal(err, 0);
	kern_close(k);
	assert_true(kern_tap_over(t));
	kern_tap_free(t);
}

static inline bool program_has(uint32_t prog_id, const char *name)
{
	struct object_info info;
	bool has = false;

	assert_int_equal(object_info_by_id(prog_id, &info), 0);
	for (uint32_t i = 0; i < info.nmaps; i++) {
		struct bpf_map_info map = {};
		uint32_t len = sizeof(map);
		int fd = bpf_map_get_fd_by_id(info.map_ids[i]);

		assert_true(fd >= 0);
		assert_int_equal(bpf_obj_get_info_by_fd(fd, &map, &len), 0);
		close(fd);
		has = has || !strcmp(map.name, name);
	}
	return has;
}

/* Hooks whose programs copy packets, of all hooks. */
static inline size_t tapping(size_t *ret_all)
{
	struct kern *k = rim_open(KERN_READ);
	struct kern_iface_state *v = NULL;
	size_t n = 0, tap = 0;

	*ret_all = 0;
	assert_int_equal(kern_state(k, &v, &n), 0);
	kern_close(k);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(v[i].ndegraded, 0);
		for (size_t h = 0; h < v[i].nhooks; h++, ++*ret_all)
			tap += program_has(v[i].hook[h].prog_id, FW_MAP_TAPS);
	}
	free(v);
	return tap;
}

static inline void assert_all_tap(void)
{
	size_t all, tap = tapping(&all);

	assert_int_equal(tap, all);
	assert_true(all);
}

/* As if there had never been one. */
static inline void assert_none_taps(void)
{
	size_t all;

	assert_int_equal(tapping(&all), 0);
	assert_null(strstr(box_find(rim_bpffs), "/tap"));
}

/* What the tests look at of the packets that were copied. */
struct seen {
	size_t n;
	struct fw_tap last;
	uint8_t data[2048];
	uint64_t lost;
};
static inline int note(void *ctx, const struct fw_tap *p)
{
	struct seen *s = ctx;

	s->n++;
	s->last = *p;
	assert_true(p->caplen <= sizeof(s->data));
	memcpy(s->data, p + 1, p->caplen);
	return 0;
}

static inline struct seen drain(struct kern_tap *t)
{
	struct seen s = {};
	uint64_t lost;
	size_t got;

	do {
		got = kern_tap_read(t, note, &s, 1000, &lost);
		s.lost += lost;
	} while (got || lost);
	return s;
}

/* The program that filters BOX_IF judges a datagram to a port, n times. */
static inline void run_live(uint16_t dport, unsigned int n)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .repeat = (int)n);
	int fd = bpf_prog_get_fd_by_id(box_xdp_id(BOX_IF));
	uint8_t frame[60];

	box_udp_frame(frame, dport);
	opts.data_in = frame;
	opts.data_size_in = sizeof(frame);
	assert_true(fd >= 0);
	assert_int_equal(bpf_prog_test_run_opts(fd, &opts), 0);
	close(fd);
}

#endif

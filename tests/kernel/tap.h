/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy on BOX_IF, taps of it, and what its hooks run: for the tests of the tap. */
#ifndef FW_TESTS_KERNEL_TAP_H
#define FW_TESTS_KERNEL_TAP_H

#include "harness/rim.h"
#include "harness/rim_prog.h"
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

#endif

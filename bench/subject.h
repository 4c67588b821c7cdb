/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The programs that are measured: the shipped datapath object on a compiled image, with nothing traced and counters on,
 * and the reference programs of bench/ref.bpf.c. Loaded by plain libbpf, attached to nothing.
 */
#ifndef FW_BENCH_SUBJECT_H
#define FW_BENCH_SUBJECT_H

#include "bench/ref.h"
#include "image/image.h"
#include "model/set.h"

struct bpf_object;

/* The datapath on one image. */
struct subject {
	struct bpf_object *obj;
	const char *prog; /* its name in the object */
	enum fw_hook hook;
	int prog_fd;
	int counters_fd;
	size_t slot_bytes; /* of the map that holds the image */
	double load_ns;	   /* wall time of opening, verifying and loading */
};
/* img: NULL with parse_only. 0 or negative errno with a sentence on stderr. */
int subject_open(const struct image *img, enum fw_hook hook, bool parse_only, struct subject *ret);
/*
 * The shipped program on the maps of one that fwctl has loaded: a twin (kern.h), of whose tables of flows, limits and live sets
 * nothing differs from those of an interface. With its constants, but nothing is traced. snap: with a tap that keeps so many
 * bytes; 0: none.
 */
int subject_beside(int prog_fd, enum fw_hook hook, uint32_t snap, struct subject *ret);
/* The tap takes the packets of a counter slot. */
int subject_tap(const struct subject *s, uint32_t slot);
void subject_close(struct subject *s);

/* One instance of bench/ref.bpf.c. */
struct ref {
	struct bpf_object *obj;
	int empty_fd, tc_empty_fd, count_fd, lpm_fd, trie_fd;
	int trace_fd; /* runs the program in `next` on the frames given, one per run */
};
/* frames: a power of two of them, NULL and 0 for none. next_fd: the program under test, -1 for none. */
int ref_open(const struct ref_frame *frames, size_t n, int next_fd, struct ref *ret);
/* Put the IPv4 side of a set into the trie, at most `max` prefixes; adds their number to *ret_n. */
int ref_trie_add(const struct ref *r, const struct aset *set, size_t max, size_t *ret_n);
void ref_close(struct ref *r);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How time is taken: BPF_PROG_TEST_RUN with many repeats, in CPU time of this thread, all programs taking turns in
 * every round, so that a slow moment of the machine falls on all of them alike. One round warms up and is not counted.
 */
#ifndef FW_BENCH_MEASURE_H
#define FW_BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MEASURE_ROUNDS_MAX 31
#define MEASURE_TURN_NS	   250e6 /* one program in one round */

/* One program on one packet, or on one trace of packets. */
struct probe {
	const char *id;	    /* in the JSON lines */
	const char *text;   /* in the table */
	const char *group;  /* in the JSON lines, too: which series of figures it belongs to. NULL: none */
	const char *family; /* and what kind of rules or list it is about. NULL: none */
	int prog_fd;
	bool tc;
	const uint8_t *frame;
	size_t len;
	int base;	 /* index of the probe whose time is the floor of this one; -1: none */
	uint32_t want;	 /* the return value that every run must give; MEASURE_ANY: not looked at */
	long rules;	 /* rules or prefixes in the tables; -1: none */
	bool hidden;	 /* a floor that the table need not show */
	uint32_t repeat; /* what measure_run chose: fewer for slow ones */
	double insns, loads; /* executed per packet, of BPF; 0: not counted */
	double ns[MEASURE_ROUNDS_MAX];
	double median, min, max;
	double over; /* over its floor: the median of the differences, round by round; NAN without one */
};
#define MEASURE_ANY UINT32_MAX

struct measure {
	struct probe *v;
	size_t n, cap;
	unsigned int rounds;
	uint32_t repeat; /* at most; what takes longer than MEASURE_TURN_NS is repeated less */
	FILE *json;	 /* NULL: none */
};

/* Stay on one CPU, the last that this process may use. Returns its number or a negative errno. */
int measure_pin(void);
/* Append; returns the index, for `base` of later ones, or -ENOMEM. Strings must outlive the measure. */
int measure_add(struct measure *m, const struct probe *p);
/* Take all times. 0, or negative errno with a sentence on stderr. */
int measure_run(struct measure *m);
/* A table on stdout and one JSON object per probe. */
void measure_print(const struct measure *m, const char *title);
void measure_fini(struct measure *m);

/* Nanoseconds of CPU time of this thread, and of the wall. */
double measure_cpu_ns(void);
double measure_wall_ns(void);
/* Sorts `v`; n > 0. */
double measure_median(double *v, size_t n);

#endif

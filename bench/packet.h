/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of bench_packet share. */
#ifndef FW_BENCH_PACKET_H
#define FW_BENCH_PACKET_H

#include "bench/measure.h"
#include "bench/subject.h"
#include "bench/workload.h"

#define PACKET_TRACE_LEN 65536

struct packet_bench {
	struct arena *arena; /* of labels */
	struct measure m;
	uint64_t seed;
	struct subject parse, parse_tc; /* the floors: everything but parsing left out */
	struct ref ref;
};

/* 0 or negative errno with a sentence on stderr. */
int packet_bench_open(struct packet_bench *b);
void packet_bench_close(struct packet_bench *b);

/* Text of the bench's arena. */
const char *packet_label(struct packet_bench *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * A number that is measured wrongly is worse than none: the program must say what the oracle says, on the hot frame and
 * on `sample` frames of each trace.
 */
int packet_verify(const struct subject *s, const struct workload *w, size_t sample);

/* Count the instructions that the first `n` frames cost on the average. What the interpreter says of the first of them
 * must be what the oracle says; w: NULL for parsing alone. XDP alone. 0 or negative errno. */
int packet_count(const struct subject *s, const struct workload *w, const struct ref_frame *frames, size_t n,
		 struct probe *p);

/* The hot frame of a workload through parsing alone (a floor that is not shown) and through the rules. 0 or negative
 * errno. */
int packet_add_hot(struct packet_bench *b, const struct subject *s, const struct workload *w, bool tc);

/* One trace through a floor and through a program. `p` says all but what is filled in here: program, frame, base. */
struct packet_trace {
	struct ref floor, over; /* for packet_trace_close, when all is measured */
};
int packet_add_trace(struct packet_bench *b, const struct probe *p, const struct ref_frame *frames, int floor_fd,
		     int fd, struct packet_trace *ret);
void packet_trace_close(struct packet_trace *t);

/* Measure what was added, print it under this title, and begin anew. */
int packet_run(struct packet_bench *b, const char *title);

/* The parts. */
int packet_rules(struct packet_bench *b, const size_t *sizes, size_t nsizes, bool tc);
int packet_list_file(struct packet_bench *b, const char *file);
int packet_list_seeded(struct packet_bench *b, size_t n);
int packet_steps(struct packet_bench *b);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* What replay*.c and cmd_replay.c share: a capture as packets with direction and clock, what became of them, what was
 * expected. */
#ifndef FW_FWCTL_REPLAY_H
#define FW_FWCTL_REPLAY_H

#include "base/arena.h"
#include "fwctl/capture.h"
#include "fwctl/judge_text.h"

#include <jansson.h>

enum replay_way { REPLAY_AUTO, REPLAY_INGRESS, REPLAY_EGRESS };

/* Addresses of the machine on which the capture was made. */
struct replay_local {
	enum family family;
	u128 lo, hi;
};

#define REPLAY_SKIPS 24
struct replay_source {
	const char *ifname; /* NULL: packets of all interfaces */
	enum replay_way way;
	struct {
		struct replay_local *v;
		size_t n, cap;
	} local;
	struct capture *capture;
	struct fail fail;
	uint64_t first_ns, elapsed_ns;
	bool begun;
	/* Counted: each packet of the file is skipped, of another interface, or handed out. */
	uint64_t packets, skipped, elsewhere, given;
	uint64_t cut, made, unsure; /* of those handed out; unsure: nothing told the direction */
	struct {
		char why[48];
		uint64_t n;
	} skip[REPLAY_SKIPS]; /* the last one stands for all that found no place */
	size_t nskips;
};

struct replay_packet {
	uint64_t number;
	const uint8_t *frame;
	size_t len;
	enum direction dir;
	uint64_t elapsed_ns; /* since the first packet; never less than before */
};

/* 1: a packet to be judged; 0: the end; negative: the capture ends in a mess, source->fail says how. */
int replay_next(struct replay_source *s, struct replay_packet *ret);
/* A packet that was handed out, but the kernel would not take. */
void replay_skip(struct replay_source *s, const char *why);
/* `--local ADDR,PREFIX`: NULL, or the word that is none. */
const char *replay_local_add(struct replay_source *s, const char *words);

/* What became of packets: a row per rule and per reason. */
struct tally_line {
	uint64_t number, elapsed_ns;
	enum direction dir;
	enum verdict verdict;
	char *words;
};
struct tally_row {
	uint64_t packets, first; /* number of the first one; 0: not known */
	uint64_t over;		 /* a rule's: that matched and were over its limit or max-conn */
	struct tally_line *line; /* the first ones */
	size_t nlines;
};
struct tally {
	const struct policy *policy;
	size_t lines; /* wanted per row */
	uint64_t judged, verdict[VERDICT_COUNT], dir[DIRECTION_COUNT];
	struct tally_row reason[FW_REASON_COUNT];
	struct tally_row *rule[DIRECTION_COUNT];
	/* of the packet under way */
	const struct replay_packet *packet;
	bool failed; /* no memory */
};

int tally_init(struct tally *t, const struct policy *policy, size_t lines);
void tally_fini(struct tally *t);
/* For judge_packet; ctx: the tally. */
void tally_counted(void *ctx, size_t rule);
void tally_add(struct tally *t, const struct replay_packet *p, const struct judged *j);
/* The kernel's counters of rules that do not decide. */
int tally_count_rules(struct tally *t, struct judge *j);

struct replay_report {
	const char *capture, *judged_by;
	const struct replay_source *source;
	const struct tally *tally;
	double seconds; /* that it took */
};
void replay_print(const struct replay_report *r);
json_t *replay_json(const struct replay_report *r);
/* Notes on stderr: what was skipped, cut, made up. */
void replay_notes(const struct replay_source *s, const struct policy *policy);
/* The capture in numbers, for JSON. */
json_t *replay_source_json(const struct replay_source *s);

/* What a file says that must come out. */
struct expect_line;
struct expect {
	struct arena *arena;
	const char *path;
	struct {
		struct expect_line *v;
		size_t n, cap;
	} lines, packets; /* packets: by number */
	size_t at;	  /* of packets */
	size_t failed;
	json_t *differ; /* sentences, for JSON */
	bool quiet;
};
/* Each returns enum status and says what is wrong. */
int expect_read(struct expect *e, const char *path, const struct policy *policy);
void expect_fini(struct expect *e);
/* Before the counts: packets in the order of the capture. */
void expect_packet(struct expect *e, const struct policy *policy, const struct replay_packet *p,
		   const struct judged *j);
int expect_end(struct expect *e, const struct replay_source *s, const struct tally *t);
int expect_write(const char *path, const struct replay_source *s, const struct tally *t);

#endif

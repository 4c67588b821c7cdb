/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `top` knows: one snapshot after another becomes rates, histories and lists to show. Pure: no terminal, no kernel. Names are
 * escaped when they come in, so nothing that stands here can drive a terminal.
 */
#ifndef FW_FWCTL_TOP_MODEL_H
#define FW_FWCTL_TOP_MODEL_H

#include "base/arena.h"
#include "fwctl/stat.h"

#define TOP_SAMPLES 240
/* Rates, oldest overwritten; n: how many there ever were. */
struct top_ring {
	uint64_t n;
	float v[TOP_SAMPLES];
};
void top_ring_push(struct top_ring *r, double v);
/*
 * The last `span` samples as `width` columns, the newest at the right: the highest of each column's samples, -1 where there is none.
 * Columns keep their samples while they move to the left, so the picture does not flicker. Returns the highest of all.
 */
double top_ring_columns(const struct top_ring *r, size_t span, size_t width, double *ret);

struct top_rate {
	bool known; /* two snapshots have it, and it did not go back */
	double packets, bits; /* per second */
};

struct top_hook {
	char name[64];  /* of the interface: as it is */
	char *shown;    /* escaped */
	unsigned int ifindex;
	char policy[KERN_POLICY_MAX + 1];
	uint8_t digest[32];
	uint64_t generation;
	enum fw_hook hook;
	enum kern_mode mode;
	bool attached;
	struct fw_counter total, verdict[FW_VERDICT_COUNT], reason[FW_REASON_COUNT];
	struct top_rate rate, verdict_rate[FW_VERDICT_COUNT], reason_rate[FW_REASON_COUNT];
	uint64_t last_ns, reason_last[FW_REASON_COUNT];
	struct top_ring verdict_ring[FW_VERDICT_COUNT];
	bool rejects; /* some rule of it may */
	size_t rule0, nrules;
};

struct top_rule {
	uint64_t tag; /* the same for the same rule of the same hook, whatever else changes */
	size_t hook;
	const char *id;    /* as it is */
	const char *name;  /* label, else text */
	const char *place; /* file:line */
	const char *text;
	uint32_t slot;
	uint8_t verdict;
	bool names_set;
	struct fw_counter count;
	struct top_rate rate;
	uint64_t last_ns;
	struct top_ring *ring; /* NULL: it never had a packet while we looked */
};

struct top_set {
	struct kern_set set;
	char *shown;
	struct fw_counter hits; /* of the rules that name it */
	struct top_rate hit_rate;
	struct top_ring ring;
	bool refusing; /* more than in the snapshot before */
};

struct top_policy {
	struct stat_policy p;
	bool room_known;
	double generated, lost; /* events per second; negative: not known */
	struct top_ring ring; /* of generated */
};

struct top_model {
	char **only; /* names of interfaces to look at; n 0: all */
	size_t nonly;
	struct arena *arena; /* names of the rules */
	struct top_hook *hook;
	size_t nhooks;
	struct top_rule *rule;
	size_t nrules;
	struct top_set *set;
	size_t nsets;
	struct top_policy *policy;
	size_t npolicies;
	uint64_t at_ns, real_ns;
	unsigned int feeds;
};

/* parts: of the snapshot (SNAP_*); what it lacks stays as it was. 0 or -ENOMEM, which leaves the model empty. */
int top_feed(struct top_model *m, const struct stat_snap *s, unsigned int parts);
void top_fini(struct top_model *m); /* `only` is the caller's */
struct top_rate top_total(const struct top_model *m);
/* NULL: it is gone. */
const struct top_rule *top_rule_find(const struct top_model *m, uint64_t tag);
/* Does the text of a rule name this set ("@name")? */
bool top_names_set(const char *text, const char *set);

enum top_view { TOP_OVERVIEW, TOP_RULES, TOP_REASONS, TOP_SETS, TOP_TABLES, TOP_VIEWS };
#define TOP_SORTS(X) X(ORDER, "file order") X(RATE, "rate") X(BITS, "bits") X(PACKETS, "packets") X(LAST, "last hit") X(NAME, "name")
enum top_sort {
#define FW_X(id, word) TOP_SORT_##id,
	TOP_SORTS(FW_X)
#undef FW_X
	TOP_SORT_COUNT
};
/* One line to show: hook (overview), rule, hook and reason, set, policy. */
struct top_row {
	size_t i;
	unsigned int reason;
	uint64_t tag; /* who it is */
	const char *name;
	double rate, bits;
	uint64_t packets, last;
	size_t order;
};
struct top_rows {
	struct top_row *v;
	size_t n, cap;
};
/* Those whose words have `filter` in them, in any case ("": all), in order. */
int top_rows(const struct top_model *m, enum top_view view, enum top_sort sort, const char *filter, struct top_rows *ret);
void top_rows_fini(struct top_rows *r);

/* Who sends: addresses with their packets, the busiest kept. */
#define TOP_SOURCES 4096
struct top_source {
	uint32_t addr[4];
	uint8_t l3;
	uint64_t n, packets; /* flows or events; packets of them */
};
struct top_sources {
	struct top_source *v; /* TOP_SOURCES; l3 0: free */
	size_t used;
	uint64_t others; /* packets of addresses that found no room */
};
int top_sources_init(struct top_sources *s);
void top_sources_fini(struct top_sources *s);
void top_sources_add(struct top_sources *s, uint8_t l3, const uint32_t addr[4], uint64_t packets);
/* The busiest, most packets first; returns how many. */
size_t top_sources_best(const struct top_sources *s, struct top_source *ret, size_t n);

/* "999", "1.2k", "34M": at most five characters. Static ring. */
const char *top_si(double v);

#endif

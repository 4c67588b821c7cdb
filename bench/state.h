/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of bench_state share: policies that remember, in force, beside the oracle. */
#ifndef FW_BENCH_STATE_H
#define FW_BENCH_STATE_H

#include "bench/packet.h"
#include "kern/kern.h"
#include "model/track.h"

/* The rules that all policies of these tables have. `live` stands before them, `web` and `dns` behind the rules that the packets meet. */
#define STATE_RULES(live, web, dns)                                                                                    \
	"\t\t" live "\n"                                                                                               \
	"\t\tdrop proto tcp to port { 23, 445 }\n"                                                                     \
	"\t\tpass proto tcp from { 10.0.0.0/8, fd00::/8 } to port 22\n"                                                \
	"\t\tpass proto tcp to port { 80, 443 } " web "\n"                                                             \
	"\t\tpass proto udp to port 53 " dns "\n"
#define STATE_POLICY(live, web, dns)                                                                                   \
	"policy bench {\n\tessentials off\n\tingress default drop {\n" STATE_RULES(live, web, dns) "\t}\n}\n"

/* A policy with its tables, and its programs as an interface has them. */
struct scene {
	struct ruleset *rs;
	struct workload w;
	struct kern_twin *twin, *twin_out;
	struct subject xdp, out; /* ingress at XDP; egress at TC, when the policy has it */
	struct track *track;     /* the oracle, which is told what the programs are told */
	struct fail fail;
};
/* All of these: 0 or negative errno with a sentence on stderr. */
int scene_open(struct arena *arena, const char *name, const char *text, struct scene *ret);
void scene_close(struct scene *s);
/* One frame through program and oracle, which must agree on the verdict. */
int scene_judge(struct scene *s, enum direction dir, const struct ref_frame *f);
/* One frame through the program alone. */
int scene_play(struct scene *s, enum direction dir, const struct ref_frame *f);

/* Addresses by family; ports for UDP and TCP; flags for TCP. */
struct state_ends {
	bool six;
	u128 src, dst;
	uint16_t sport, dport;
};
#define STATE_SERVER4 0xc0000201u
#define STATE_SERVER6 ((u128)0x20010db800020000 << 64 | 1)
#define STATE_CLIENT4 0x0a010203u
#define STATE_CLIENT6 ((u128)0x20010db800010000 << 64 | 7)
struct state_ends state_ends(bool six, uint16_t dport);
void state_tcp(const struct state_ends *e, uint8_t flags, struct ref_frame *ret);
void state_udp(const struct state_ends *e, struct ref_frame *ret);
void state_reply(const struct state_ends *e, uint8_t flags, struct ref_frame *ret); /* the other way, on egress */
/* Any public address of the family. */
u128 state_address(struct prng *p, bool six);

/* Elements of live sets. */
struct state_crowd {
	struct kern_element *v;
	size_t n;
	size_t part[2][2]; /* how many: by family, hosts and prefixes; in this order */
};
/* n of them: of each family as many, three hosts to two prefixes. 0 or -ENOMEM; free(v). */
int state_crowd(uint64_t seed, size_t n, struct state_crowd *ret);
const struct kern_element *state_pick(const struct state_crowd *c, struct prng *p, bool six, bool net);
u128 state_element(const struct kern_element *e);

/* One row: its id without the family's digit, words, ns that are wanted (NAN: none). */
struct state_row {
	const char *id, *text;
	double wanted;
	bool six;
};
/* One frame again and again, over the same frame through another program (`base_fd`). */
int state_add_hot(struct packet_bench *b, const struct state_row *r, const struct subject *s, const struct ref_frame *f, int base_fd);
/* PACKET_TRACE_LEN frames. */
int state_add_trace(struct packet_bench *b, const struct state_row *r, const struct subject *s, const struct ref_frame *frames, int base_fd,
		    struct packet_trace *ret);
/* Measure, print, and keep the figures of rows that are wanted for state_summary. */
int state_run(struct packet_bench *b, const char *title);
/* A figure that was taken otherwise. */
void state_figure(struct packet_bench *b, const struct state_row *r, double value, const char *unit);
void state_summary(void);

/* The parts. n: elements. */
int state_live(struct packet_bench *b, size_t n);
int state_flows(struct packet_bench *b);
int state_limits(struct packet_bench *b);
int state_unused(struct packet_bench *b);
int state_events(struct packet_bench *b);
/* On an interface that is free, the end of a pair with `peer`, in a namespace of its own. */
int state_commands(struct packet_bench *b, const char *ifname, size_t n);
int state_flood(struct packet_bench *b, const char *ifname, const char *peer);

#endif

// SPDX-License-Identifier: GPL-2.0-only
/* Flows: a packet of one that is known, and what opening one costs under a flood. */
#include "base/arena.h"
#include "bench/state.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define SAMPLE 64
#define SYN    2
#define ACK    16
#define KEEP(pending, web)                                                                                             \
	"policy bench {\n\tessentials off\n\tstate { size 262144; pending " pending " }\n\tingress default drop {\n"     \
	STATE_RULES("", web, "") "\t}\n\tegress default drop {\n\t\tpass proto icmp keep state\n\t}\n}\n"

/* A handshake. judged: by the oracle, too. */
static int flow_open(struct scene *s, const struct state_ends *e, bool judged)
{
	int (*say)(struct scene *, enum direction, const struct ref_frame *) = judged ? scene_judge : scene_play;
	struct ref_frame f;
	int err;

	state_tcp(e, SYN, &f);
	err = say(s, DIRECTION_INGRESS, &f);
	state_reply(e, SYN | ACK, &f);
	err = err ? err : say(s, DIRECTION_EGRESS, &f);
	state_tcp(e, ACK, &f);
	return err ? err : say(s, DIRECTION_INGRESS, &f);
}

static struct state_ends any_client(struct prng *p, bool six)
{
	struct state_ends e = state_ends(six, prng_below(p, 2) ? 443 : 80);

	e.src = state_address(p, six);
	e.sport = (uint16_t)prng_range(p, 1024, 65535);
	return e;
}

struct side {
	struct ref_frame *frames, one, back;
	struct packet_trace trace;
};

static int known_add(struct packet_bench *b, struct scene *s, bool six, struct side *ret)
{
	struct state_row hot = { "flow", "packet of an established flow, all of it over parsing", 35, six },
			 out = { "flow_out", "the same on egress, at TC, over parsing", NAN, six },
			 trace = { "flow_trace", "65,536 flows in random order, over parsing", NAN, six };
	struct state_ends e = state_ends(six, 443);
	struct prng p;
	int err = flow_open(s, &e, true);

	prng_init(&p, b->seed + six);
	state_tcp(&e, ACK, &ret->one);
	state_reply(&e, ACK, &ret->back);
	ret->frames = calloc(PACKET_TRACE_LEN, sizeof(*ret->frames));
	for (size_t i = 0; !err && ret->frames && i < PACKET_TRACE_LEN; i++) {
		e = any_client(&p, six);
		err = flow_open(s, &e, i < SAMPLE);
		state_tcp(&e, ACK, &ret->frames[i]);
	}
	for (size_t i = 0; !err && ret->frames && i < SAMPLE; i++)
		err = scene_judge(s, DIRECTION_INGRESS, &ret->frames[i]);
	if (!err)
		err = state_add_hot(b, &hot, &s->xdp, &ret->one, b->parse.prog_fd);
	if (!err)
		err = state_add_hot(b, &out, &s->out, &ret->back, b->parse_tc.prog_fd);
	if (!err)
		err = ret->frames ? state_add_trace(b, &trace, &s->xdp, ret->frames, b->parse.prog_fd, &ret->trace) : -ENOMEM;
	return err;
}

/* SYNs of random sources; none is ever answered. */
static int flood_add(struct packet_bench *b, struct scene *s, const struct state_row *row, bool six, struct side *ret)
{
	struct state_row r = *row;
	struct prng p;
	int err = 0;

	r.six = six;
	prng_init(&p, b->seed + 2 + six);
	ret->frames = calloc(PACKET_TRACE_LEN, sizeof(*ret->frames));
	for (size_t i = 0; ret->frames && i < PACKET_TRACE_LEN; i++) {
		struct state_ends e = any_client(&p, six);

		state_tcp(&e, SYN, &ret->frames[i]);
	}
	for (size_t i = 0; !err && ret->frames && i < SAMPLE; i++)
		err = scene_judge(s, DIRECTION_INGRESS, &ret->frames[i]);
	if (err || !ret->frames)
		return err ? err : -ENOMEM;
	return state_add_trace(b, &r, &s->xdp, ret->frames, b->parse.prog_fd, &ret->trace);
}

/* SYNs of one source from all its ports. */
static int seats_add(struct packet_bench *b, struct scene *s, bool six, struct side *ret)
{
	struct state_row r = { "conn_over", "max-conn: one source far over it, over parsing", NAN, six };
	struct state_ends e = state_ends(six, 443);
	int err = 0;

	ret->frames = calloc(PACKET_TRACE_LEN, sizeof(*ret->frames));
	for (size_t i = 0; !err && ret->frames && i < PACKET_TRACE_LEN; i++) {
		e.sport = (uint16_t)(i * 40503);
		state_tcp(&e, SYN, &ret->frames[i]);
		err = i < SAMPLE ? scene_judge(s, DIRECTION_INGRESS, &ret->frames[i]) : 0;
	}
	if (err || !ret->frames)
		return err ? err : -ENOMEM;
	/* Its first connections are flows. */
	for (size_t i = 0; i < SAMPLE; i++)
		ret->frames[i] = ret->frames[i + SAMPLE];
	return state_add_trace(b, &r, &s->xdp, ret->frames, b->parse.prog_fd, &ret->trace);
}

static void sides_close(struct side *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].trace.over.obj)
			packet_trace_close(&v[i].trace);
		free(v[i].frames);
	}
}

int state_flows(struct packet_bench *b)
{
	static const struct state_row flood = { "flood", "SYN flood of random sources, table full, over parsing", NAN, false },
				      conn = { "conn", "the same with max-conn 16 per source", NAN, false };
	struct arena *arena = arena_new();
	struct scene known = {}, full = {}, seats = {};
	struct side v[8] = {};
	int err = arena ? scene_open(arena, "keep state", KEEP("65536", "keep state"), &known) : -ENOMEM;

	if (!err)
		err = scene_open(arena, "keep state, small table", KEEP("4096", "keep state"), &full);
	if (!err)
		err = scene_open(arena, "max-conn", KEEP("4096", "keep state max-conn 16 per src"), &seats);
	for (int six = 0; !err && six < 2; six++) {
		err = known_add(b, &known, six, &v[six]);
		if (!err)
			err = flood_add(b, &full, &flood, six, &v[2 + six]);
		if (!err)
			err = seats_add(b, &seats, six, &v[6 + six]);
		if (!err)
			err = flood_add(b, &seats, &conn, six, &v[4 + six]);
	}
	if (!err)
		err = state_run(b, "flows; \"over\" is over parsing alone: it is all that the firewall does with the packet");
	sides_close(v, 8);
	scene_close(&known);
	scene_close(&full);
	scene_close(&seats);
	arena_free(arena);
	return err;
}

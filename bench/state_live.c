// SPDX-License-Identifier: GPL-2.0-only
/* Live sets of a million elements: addresses in none of them, hosts, prefixes. */
#include "base/arena.h"
#include "bench/state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE 64
#define SETS(options) "set banned { type prefix; live; size 4194304" options " }\n"

enum kind { MISS, HOST, NET, KINDS };

static bool crowd_covers(const struct state_crowd *c, bool six, u128 a)
{
	for (size_t i = 0; i < c->n; i++) {
		unsigned int host = (six ? 128 : 32) - c->v[i].plen;

		if ((c->v[i].l3 == FW_L3_IPV6) == six && state_element(&c->v[i]) >> host == a >> host)
			return true;
	}
	return false;
}

/* A frame from an address of this kind; what covers it is told to the oracle, when asked for. */
static int crowd_frame(const struct state_crowd *c, struct prng *p, bool six, enum kind kind, struct scene *tell, struct ref_frame *ret)
{
	struct state_ends e = state_ends(six, 443);
	const struct kern_element *x = kind == MISS ? NULL : state_pick(c, p, six, kind == NET);

	e.src = state_address(p, six);
	/* Those that are judged are in none; of the others one in seventy is. */
	while (kind == MISS && tell && crowd_covers(c, six, e.src))
		e.src = state_address(p, six);
	if (kind == HOST)
		e.src = state_element(x);
	else if (kind == NET)
		e.src = state_element(x) | (e.src & 255);
	state_tcp(&e, 2, ret);
	return tell && x ? track_set_add(tell->track, &tell->rs->sets[0], six ? FAMILY_IPV6 : FAMILY_IPV4, state_element(x), x->plen,
					 UINT64_MAX)
			 : 0;
}

struct side {
	struct ref_frame *frames[KINDS];
	struct packet_trace trace[KINDS];
};

static int side_add(struct packet_bench *b, struct scene *s, const struct subject *plain, const struct state_crowd *c,
		bool six, bool hot_only,
		    struct side *ret)
{
	static const struct state_row hot[KINDS] = {
		[MISS] = { "live_miss", "live sets of 1M: an address in none", 15, false },
		[HOST] = { "live_host", "live sets of 1M: a host in one", 35, false },
		[NET] = { "live_net", "live sets of 1M: an address in a prefix", 60, false },
	}, counted[KINDS] = {
		[MISS] = { "live_count_miss", "the same with counters: in none", NAN, false },
		[HOST] = { "live_count_host", "the same with counters: a host", NAN, false },
		[NET] = { "live_count_net", "the same with counters: in a prefix", NAN, false },
	}, trace[KINDS] = {
		[MISS] = { "live_miss_trace", "65,536 random sources", NAN, false },
		[HOST] = { "live_host_trace", "65,536 hosts of a set", NAN, false },
		[NET] = { "live_net_trace", "65,536 addresses in prefixes", NAN, false },
	};
	struct prng p;
	int err = 0;

	prng_init(&p, b->seed + 10 + six); /* not what the elements were drawn by */
	for (int kind = 0; !err && kind < KINDS; kind++) {
		struct state_row r = hot_only ? counted[kind] : hot[kind], rt = trace[kind];
		size_t n = hot_only ? SAMPLE : PACKET_TRACE_LEN;

		ret->frames[kind] = calloc(PACKET_TRACE_LEN, sizeof(struct ref_frame));
		for (size_t i = 0; !err && ret->frames[kind] && i < n; i++) {
			err = crowd_frame(c, &p, six, (enum kind)kind, i < SAMPLE ? s : NULL, &ret->frames[kind][i]);
			if (!err && i < SAMPLE)
				err = scene_judge(s, DIRECTION_INGRESS, &ret->frames[kind][i]);
		}
		r.six = rt.six = six;
		if (!err)
			err = ret->frames[kind] ? state_add_hot(b, &r, &s->xdp, &ret->frames[kind][0], plain->prog_fd) : -ENOMEM;
		if (!err && !hot_only)
			err = state_add_trace(b, &rt, &s->xdp, ret->frames[kind], plain->prog_fd, &ret->trace[kind]);
	}
	return err;
}

static int scene_fill(struct packet_bench *b, struct scene *s, const struct state_crowd *c, bool counters)
{
	const struct state_row row = counters
			? (struct state_row){ "live_count_fill", "elements added to a set with counters, the calls", NAN, false }
					      : (struct state_row){ "live_fill", "elements added, the calls alone", NAN, false };
	struct kern_live *live = NULL;
	size_t added = 0;
	double start;
	int err = kern_twin_live(s->twin, &live);

	start = measure_wall_ns();
	if (!err)
		err = kern_live_add(live, 0, c->v, c->n, false, &added);
	if (err)
		fprintf(stderr, "bench: cannot fill the set: %s %s\n", strerror(-err), s->fail.text);
	else
		state_figure(b, &row, added / ((measure_wall_ns() - start) / 1e9), "/s");

	kern_live_close(live);
	return err;
}

static int live_part(struct packet_bench *b, const struct subject *plain, const struct state_crowd *c, const char *text, bool hot_only)
{
	struct arena *arena = arena_new();
	struct scene s = {};
	struct side side[2] = {};
	int err = arena ? scene_open(arena, "live", text, &s) : -ENOMEM;

	if (!err)
		err = scene_fill(b, &s, c, hot_only);
	for (int six = 0; !err && six < 2; six++)
		err = side_add(b, &s, plain, c, six, hot_only, &side[six]);
	if (!err)
		err = state_run(b, packet_label(b,
				"XDP, live sets of %zu elements%s, `drop from @banned`; \"over\" is over the same rules without it", c->n,
						hot_only ? " with counters" : ""));
	for (int six = 0; six < 2; six++)
		for (int kind = 0; kind < KINDS; kind++) {
			if (side[six].trace[kind].over.obj)
				packet_trace_close(&side[six].trace[kind]);
			free(side[six].frames[kind]);
		}
	scene_close(&s);
	arena_free(arena);
	return err;
}

int state_live(struct packet_bench *b, size_t n)
{
	struct arena *arena = arena_new();
	struct state_crowd c = {};
	struct scene plain = {};
	int err = arena ? state_crowd(b->seed, n, &c) : -ENOMEM;

	if (!err)
		err = scene_open(arena, "plain", STATE_POLICY("", "", ""), &plain);
	if (!err)
		err = live_part(b, &plain.xdp, &c, SETS("") STATE_POLICY("drop from @banned", "", ""), false);
	if (!err)
		err = live_part(b, &plain.xdp, &c, SETS("; counters") STATE_POLICY("drop from @banned", "", ""), true);
	free(c.v);
	scene_close(&plain);
	arena_free(arena);
	return err;
}

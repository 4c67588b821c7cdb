// SPDX-License-Identifier: GPL-2.0-only
/* Limits, and programs that could do what their rules do not ask for. */
#include "base/arena.h"
#include "bench/state.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define SAMPLE	64
#define SOURCES 32768 /* half of what the table of limits has room for */

struct rate {
	const char *id, *text, *rule;
	double wanted;
};

static const struct rate limits[] = {
	{ "limit_rule", "limit of a rule, within it", "limit 100000000/s burst 100000000", 20 },
	{ "limit_src", "limit per source, within it", "limit 100000000/s burst 100000000 per src", 45 },
	{ "limit_over", "limit of a rule, over it", "limit 1/h", NAN },
	{ "limit_src_over", "limit per source, over it", "limit 1/h per src", NAN },
	{ "limit_fine", "limit that needs the fine clock", "limit 100000000/s burst 10000", NAN },
};
#define LIMITS (sizeof(limits) / sizeof(limits[0]))

static int limit_add(struct packet_bench *b, struct scene *s, const struct rate *l, int plain_fd, bool six, struct ref_frame *f)
{
	const struct state_row row = { l->id, l->text, l->wanted, six };
	struct state_ends e = state_ends(six, 53);
	int err = 0;

	state_udp(&e, f);
	for (int i = 0; !err && i < SAMPLE; i++)
		err = scene_judge(s, DIRECTION_INGRESS, f);
	return err ? err : state_add_hot(b, &row, &s->xdp, f, plain_fd);
}

static int sources_add(struct packet_bench *b, struct scene *s, int plain_fd, bool six, struct ref_frame **ret, struct packet_trace *trace)
{
	const struct state_row row = { "limit_src_trace", "limit per source, 32,768 sources in random order", NAN, six };
	u128 *from = calloc(SOURCES, sizeof(*from));
	struct prng p;
	int err = 0;

	*ret = calloc(PACKET_TRACE_LEN, sizeof(**ret));
	prng_init(&p, b->seed + six);
	for (size_t i = 0; from && i < SOURCES; i++)
		from[i] = state_address(&p, six);
	for (size_t i = 0; !err && from && *ret && i < PACKET_TRACE_LEN; i++) {
		struct state_ends e = state_ends(six, 53);

		e.src = from[prng_below(&p, SOURCES)];
		state_udp(&e, &(*ret)[i]);
		err = i < SAMPLE ? scene_judge(s, DIRECTION_INGRESS, &(*ret)[i]) : 0;
	}
	if (!err)
		err = from && *ret ? state_add_trace(b, &row, &s->xdp, *ret, plain_fd, trace) : -ENOMEM;
	free(from);
	return err;
}

int state_limits(struct packet_bench *b)
{
	struct arena *arena = arena_new();
	struct scene plain = {}, s[LIMITS] = {};
	struct ref_frame f[LIMITS][2], *frames[2] = {};
	struct packet_trace trace[2] = {};
	int err = arena ? scene_open(arena, "plain", STATE_POLICY("", "", ""), &plain) : -ENOMEM;

	for (size_t i = 0; !err && i < LIMITS; i++) {
		const char *text = arena_printf(arena, STATE_POLICY("", "", "%s"), limits[i].rule);

		err = text ? scene_open(arena, limits[i].id, text, &s[i]) : -ENOMEM;
		for (int six = 0; !err && six < 2; six++)
			err = limit_add(b, &s[i], &limits[i], plain.xdp.prog_fd, six, &f[i][six]);
	}
	for (int six = 0; !err && six < 2; six++)
		err = sources_add(b, &s[1], plain.xdp.prog_fd, six, &frames[six], &trace[six]);
	if (!err)
		err = state_run(b, "limits; \"over\" is over the same rules without");
	for (int six = 0; six < 2; six++) {
		if (trace[six].over.obj)
			packet_trace_close(&trace[six]);
		free(frames[six]);
	}
	for (size_t i = 0; i < LIMITS; i++)
		scene_close(&s[i]);
	scene_close(&plain);
	arena_free(arena);
	return err;
}

/* Everything that a policy can ask for. */
#define ALL                                                                                                            \
	"set banned { type prefix; live }\n"                                                                           \
	"policy bench {\n\tessentials off\n\tingress default drop {\n" STATE_RULES(                                    \
		"drop from @banned", "keep state synproxy", "limit 1/s per src") "\t\treject proto tcp to port 113\n\t}\n}\n"

static int unused_add(struct packet_bench *b, struct scene *own, struct scene *all, int plain_fd, bool six, struct ref_frame *f)
{
	const struct state_row mine = { "unused", "nothing of it asked for", 0, six },
			       most = { "unused_all", "the same rules in a program that had to have it all", NAN, six };
	struct state_ends e = state_ends(six, 443);
	int err;

	state_tcp(&e, 2, f);
	err = scene_judge(own, DIRECTION_INGRESS, f);
	if (!err)
		err = state_add_hot(b, &mine, &own->xdp, f, plain_fd);
	return err ? err : state_add_hot(b, &most, &all->xdp, f, plain_fd);
}

int state_unused(struct packet_bench *b)
{
	struct arena *arena = arena_new();
	struct scene own = {}, all = {};
	struct subject plain = {};
	struct ref_frame f[2];
	struct fw_trace said;
	int err = arena ? scene_open(arena, "plain", STATE_POLICY("", "", ""), &own) : -ENOMEM;

	if (!err)
		err = scene_open(arena, "everything", ALL, &all);
	if (!err)
		err = subject_open(&own.w.img, FW_HOOK_XDP, false, &plain);
	if (!err)
		err = kern_twin_swap(all.twin, &own.w.img);
	state_tcp(&(struct state_ends){ .src = 1, .dst = 2, .sport = 3, .dport = 443 }, 2, &f[0]);
	/* The twin says to its control word, which the program shares, that the other slot is live. */
	if (!err)
		err = kern_twin_run(all.twin, f[0].byte, REF_FRAME_LEN, 0, &said);
	if (!err && (said.verdict != FW_VERDICT_PASS || said.state != FW_STATE_NONE))
		err = -EPROTO;
	for (int six = 0; !err && six < 2; six++)
		err = unused_add(b, &own, &all, plain.prog_fd, six, &f[six]);
	if (!err)
		err = state_run(b, "what nobody asks for; \"over\" is over the program of a policy without");
	if (err)
		fprintf(stderr, "bench: %s %s\n", own.fail.text, all.fail.text);
	if (plain.obj)
		subject_close(&plain);
	scene_close(&own);
	scene_close(&all);
	arena_free(arena);
	return err;
}

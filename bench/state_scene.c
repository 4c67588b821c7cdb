// SPDX-License-Identifier: GPL-2.0-only
#include "bench/state.h"
#include "base/arena.h"
#include "bench/lists.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <string.h>

static int scene_programs(struct scene *s)
{
	int err = kern_twin_open_image(&s->w.img, FW_HOOK_XDP, &s->fail, &s->twin);

	if (!err)
		err = subject_beside(kern_twin_prog_fd(s->twin), FW_HOOK_XDP, 0, &s->xdp);
	if (err || !s->w.policy->chain[DIRECTION_EGRESS].present)
		return err;
	err = kern_twin_open_beside(s->twin, FW_HOOK_TC_EGRESS, &s->twin_out);
	return err ? err : subject_beside(kern_twin_prog_fd(s->twin_out), FW_HOOK_TC_EGRESS, 0, &s->out);
}

int scene_open(struct arena *arena, const char *name, const char *text, struct scene *ret)
{
	struct scene s = {};
	int err = lists_parse(arena, text, &s.rs);

	if (!err)
		err = workload_policy(arena, name, &s.rs->policies[0], &s.w);
	if (!err && s.w.refused) {
		fprintf(stderr, "bench: %s: %s\n", name, s.w.refused);
		err = -E2BIG;
	}
	*ret = s;
	if (err)
		return err;
	ret->w.remembers = true;
	ret->track = track_new((uint64_t)measure_wall_ns());
	err = ret->track ? scene_programs(ret) : -ENOMEM;
	if (err)
		fprintf(stderr, "bench: %s: %s %s\n", name, strerror(-err), ret->fail.text);
	return err;
}

void scene_close(struct scene *s)
{
	if (s->xdp.obj)
		subject_close(&s->xdp);
	if (s->out.obj)
		subject_close(&s->out);
	kern_twin_close(s->twin_out);
	kern_twin_close(s->twin);
	track_free(s->track);
	workload_fini(&s->w);
}

static int play(struct scene *s, enum direction dir, const struct ref_frame *f, bool *ret_pass)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->byte, .data_size_in = REF_FRAME_LEN, .repeat = 1);
	bool in = dir == DIRECTION_INGRESS;

	if (bpf_prog_test_run_opts(in ? s->xdp.prog_fd : s->out.prog_fd, &opts)) {
		fprintf(stderr, "bench: %s: cannot run: %s\n", s->w.family, strerror(errno));
		return -errno;
	}
	*ret_pass = in ? opts.retval == XDP_PASS : opts.retval != TC_ACT_SHOT;
	return 0;
}

int scene_play(struct scene *s, enum direction dir, const struct ref_frame *f)
{
	bool pass;

	return play(s, dir, f, &pass);
}

int scene_judge(struct scene *s, enum direction dir, const struct ref_frame *f)
{
	struct eval_result want;
	bool pass = false;
	int err = play(s, dir, f, &pass);

	if (!err)
		err = track_frame(s->track, s->w.policy, dir, f->byte, REF_FRAME_LEN, NULL, NULL, NULL, &want);
	if (!err && pass != (want.verdict == VERDICT_PASS)) {
		fprintf(stderr, "bench: %s: the program %s what the oracle %s (%s)\n", s->w.family, pass ? "passes" : "drops",
			pass ? "drops" : "passes", eval_reason_word(&want));
		err = -EPROTO;
	}
	return err;
}

struct state_ends state_ends(bool six, uint16_t dport)
{
	return (struct state_ends){ .six = six,
				    .src = six ? STATE_CLIENT6 : STATE_CLIENT4,
				    .dst = six ? STATE_SERVER6 : STATE_SERVER4,
				    .sport = 40000,
				    .dport = dport };
}

static void build(const struct packet_spec *spec, struct ref_frame *ret)
{
	memset(ret, 0, sizeof(*ret));
	packet_build(spec, ret->byte, REF_FRAME_LEN);
}

static struct packet_spec spec_of(const struct state_ends *e, unsigned int protocol)
{
	return (struct packet_spec){ .family = e->six ? FAMILY_IPV6 : FAMILY_IPV4,
				     .protocol = protocol,
				     .src = e->src,
				     .dst = e->dst,
				     .has_ports = true,
				     .sport = e->sport,
				     .dport = e->dport };
}

void state_tcp(const struct state_ends *e, uint8_t flags, struct ref_frame *ret)
{
	struct packet_spec spec = spec_of(e, 6);

	spec.has_flags = true;
	spec.flags = flags;
	build(&spec, ret);
}

void state_udp(const struct state_ends *e, struct ref_frame *ret)
{
	struct packet_spec spec = spec_of(e, 17);

	build(&spec, ret);
}

void state_reply(const struct state_ends *e, uint8_t flags, struct ref_frame *ret)
{
	struct state_ends back = { e->six, e->dst, e->src, e->dport, e->sport };

	state_tcp(&back, flags, ret);
}

u128 state_address(struct prng *p, bool six)
{
	if (!six)
		return (u128)prng_range(p, 11, 223) << 24 | prng_below(p, 1 << 24);
	return (u128)(0x2400000000000000 | prng_u64(p) >> 8) << 64 | prng_u64(p);
}

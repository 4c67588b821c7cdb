// SPDX-License-Identifier: GPL-2.0-only
#include "kern/clock.h"

#include "base/cleanup.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define TRIES 16

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t = {};

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

uint64_t clock_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

#define INSN(c, d, s, o, i) ((struct bpf_insn){.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)})

/* Writes the ticks over the first eight bytes of the frame. */
static int ticks_load(void)
{
	const struct bpf_insn insns[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_jiffies64),
		INSN(BPF_LDX | BPF_MEM | BPF_W, 2, 6, offsetof(struct xdp_md, data), 0),
		INSN(BPF_LDX | BPF_MEM | BPF_W, 3, 6, offsetof(struct xdp_md, data_end), 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 4, 2, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 4, 0, 0, 8),
		INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 1, 0),
		INSN(BPF_STX | BPF_MEM | BPF_DW, 2, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_PASS),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "fw_ticks", "GPL", insns, sizeof(insns) / sizeof(*insns), NULL);
}

static int ticks_read(int prog_fd, uint64_t *ret)
{
	uint8_t in[64] = {}, out[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_size_in = sizeof(in), .data_out = out, .data_size_out = sizeof(out),
		    .repeat = 1);
	int err = bpf_prog_test_run_opts(prog_fd, &opts);

	memcpy(ret, out, sizeof(*ret));
	return err;
}

int clock_ticks(struct fail *fail, uint64_t *ret)
{
	auto_close int fd = ticks_load();
	int err = fd < 0 ? fd : ticks_read(fd, ret);

	return err ? fail_set(fail, err, "cannot read the kernel's clock: %s", strerror(-err)) : 0;
}

uint64_t clock_of_tick(const struct fw_ctl *ctl, uint64_t tick)
{
	return tick ? (tick - ctl->jiffies0) * ctl->jiffy_ns ?: 1 : 0;
}

/* The coarse clock shows when the last tick was: unchanged around a reading, it belongs to what was read. */
int clock_start(struct fw_ctl *ctl, struct fail *fail)
{
	auto_close int fd = ticks_load();
	uint64_t ticks = 0, before = 0, after = 1, tick_ns;
	struct timespec res = {};
	int err = fd < 0 ? fd : 0;

	clock_getres(CLOCK_MONOTONIC_COARSE, &res);
	tick_ns = (uint64_t)res.tv_sec * 1000000000ull + (uint64_t)res.tv_nsec;
	for (int i = 0; !err && i < TRIES && before != after; i++) {
		before = clock_ns(CLOCK_MONOTONIC_COARSE);
		err = ticks_read(fd, &ticks);
		after = clock_ns(CLOCK_MONOTONIC_COARSE);
	}
	if (err || !tick_ns)
		return fail_set(fail, err ?: -EINVAL, "cannot read the kernel's clock: %s", strerror(err ? -err : EINVAL));
	ctl->jiffy_ns = tick_ns;
	ctl->jiffies0 = ticks - (after + tick_ns / 2) / tick_ns;
	if (getrandom(ctl->secret, sizeof(ctl->secret), 0) != sizeof(ctl->secret))
		return fail_set(fail, -EIO, "cannot draw random numbers");
	for (size_t i = 0; i < FW_SECRETS; i++)
		ctl->secret[i] |= 1; /* a multiplier that loses no bit */
	return 0;
}

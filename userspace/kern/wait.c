// SPDX-License-Identifier: GPL-2.0-only
#include "kern/wait.h"

#include "base/cleanup.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The update of an element of a map-in-map returns when no program that started before it still runs: the kernel promises
 * that to user space. Two small maps of our own serve.
 *
 * It is a grace period of RCU, 8 ms with a tick of 250 Hz, and most of what an apply takes. Nothing faster is a promise: the
 * expedited commands of membarrier(2) interrupt the other CPUs and do not wait for what they interrupted; to have run on
 * each CPU once says that no softirq is left there, but not on a kernel with PREEMPT_RT, and a busy CPU lets one wait longer;
 * system calls that happen to hold an expedited grace period may lose it with the next kernel.
 */
static int wait_map_in_map(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	auto_close int inner = -1, outer = -1;
	uint32_t zero = 0;

	inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "fw_wait_in", 4, 4, 1, NULL);
	if (inner < 0)
		return inner;
	opts.inner_map_fd = inner;
	outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "fw_wait_out", 4, 4, 1, &opts);
	if (outer < 0)
		return outer;
	return bpf_map_update_elem(outer, &zero, &inner, BPF_ANY);
}

int wait_programs(struct fail *fail)
{
	int err = wait_map_in_map();

	/* Waits for the same grace period; refused on kernels that run without a timer tick. */
	if (err && syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		return fail_set(fail, err, "cannot wait for running programs: %s", strerror(-err));
	return 0;
}

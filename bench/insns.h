/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many instructions a packet costs. There is no counter in hardware to ask where this usually runs (a virtual machine), so
 * a loaded XDP program is run once more here, by a small interpreter on copies of its maps, and counted. What is counted are BPF
 * instructions as the compiler emitted them; the kernel's JIT makes about one machine instruction of each, and up to ten of a
 * call of the look-up helper.
 */
#ifndef FW_BENCH_INSNS_H
#define FW_BENCH_INSNS_H

#include <stddef.h>
#include <stdint.h>

struct bpf_object;
struct insns;

struct insns_cost {
	double insns, loads, calls; /* executed; loads of memory among them; helpers called */
};

/* Copy the program of this name and the maps of a loaded object. 0 or negative errno with a sentence on stderr. */
int insns_open(const struct bpf_object *obj, const char *prog, struct insns **ret);
void insns_close(struct insns *v);

/* One packet. Its verdict is *ret_action. -ENOTSUP: it needs a helper that is not here. */
int insns_run(struct insns *v, const uint8_t *frame, size_t len, struct insns_cost *ret, uint32_t *ret_action);

#endif

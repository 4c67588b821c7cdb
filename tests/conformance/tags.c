// SPDX-License-Identifier: GPL-2.0-only
#include "conformance/tags.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/ethernet.h>
#include <string.h>

#define TCX_EGRESS 47 /* enum bpf_attach_type; younger than the headers */

#define INSN(c, d, s, o, i)                                                                                            \
	(struct bpf_insn)                                                                                              \
	{                                                                                                              \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)                                    \
	}

void tags_push(const struct lab_end *gen, int n)
{
	struct bpf_insn insn[64];
	size_t len = 0;
	int prog, link;

	if (n > 8)
		lab_die("too many tags");
	insn[len++] = INSN(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0);
	for (int i = 0; i < n; i++) {
		insn[len++] = INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 6, 0, 0);
		insn[len++] = INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, htons(ETHERTYPE_VLAN));
		insn[len++] = INSN(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 0);
		insn[len++] = INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_skb_vlan_push);
	}
	insn[len++] = INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, -1); /* TCX_NEXT */
	insn[len++] = INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	prog = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "lab_tags", "GPL", insn, len, NULL);
	if (prog < 0)
		lab_die("cannot load lab_tags: %s", strerror(errno));
	link = bpf_link_create(prog, (int)lab_ifindex(gen), TCX_EGRESS, NULL);
	if (link < 0)
		lab_die("cannot attach lab_tags: %s", strerror(errno));
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Parse the frame, and take the verdict from the test. */
#include "answer.bpf.h"
#include "ask.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ask);
} ask_map SEC(".maps");

static __always_inline int ask_judge(const struct fw_frame *f)
{
	__u32 zero = 0;
	struct fw_scratch *s = bpf_map_lookup_elem(&fw_scratch, &zero);
	struct ask *a = bpf_map_lookup_elem(&ask_map, &zero);
	const struct fw_ctl *ctl = bpf_map_lookup_elem(&fw_ctl, &zero);

	if (!s || !a || !ctl)
		return FW_VERDICT_DROP;
	s->pkt.packets = f->packets;
	s->pkt.reason = fw_parse(f, &s->pkt, (__u8 *)s->header);
	s->about.answer = a->answer;
	s->about.reject = a->reject;
	s->about.now = fw_now(ctl);
	a->cookie = s->pkt.l4_off && s->pkt.proto == FW_PROTO_TCP && fw_cookie_valid(f->ctx, s);
	return a->verdict;
}

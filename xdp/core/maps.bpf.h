/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every map of the datapath. The sizes here are the smallest that load; the loader sets the real ones.
 */
#ifndef FW_CORE_MAPS_H
#define FW_CORE_MAPS_H

#include "parse.bpf.h"

/* How the walk over the rules ended. `rule` < 0: no rule decided. */
struct fw_hit {
	__s64 rule;
	__u64 slot;
	__u64 verdict; /* enum fw_verdict */
	__u64 extra;   /* the rule has a struct fw_extra */
	__u64 counted; /* `count` rules on the way */
};

#define FW_PLACE_NONE (~0u)

/* What one step over many words leaves to the next. */
struct fw_steps {
	__u64 sum;  /* words still to look at below the current summary word */
	__u64 best; /* struct fw_action of the lowest rule so far */
};

/* A walk over rows of many words. */
struct fw_walk {
	__u32 row[2 * FW_SMALL_ROOM + 3]; /* offsets of the rows of the dimensions that are used, but for the addresses' */
	__u32 addr[2];            /* and of those */
	__u32 cls[2];            /* of the addresses; with lists their nodes */
	union {
		struct fw_node n;
		__u64 half[2];
	} node[2];
	__u32 nrows;
	__u32 next, base; /* summary word, and the first word of the current one */
	__u64 summary;    /* words worth a look */
	struct fw_steps steps;
	__u32 counted; /* `count` rules on the way */
	__u32 svc;         /* where the service words of a row begin */
	__u32 place;       /* of the best rule in lists */
	__u32 at, left;    /* entries of a list still to look at */
	__u32 other;       /* number of the other address's node */
};

/* What the hook is to send back in the place of the packet. */
enum fw_answer { FW_ANSWER_NONE, FW_ANSWER_REJECT, FW_ANSWER_COOKIE };

/* What is known of the packet beyond its bytes. */
struct fw_about {
	struct fw_flow_key key; /* of its flow, or of the quoted packet's */
	__u64 hash;
	__u64 now;     /* ns */
	__u32 kind;    /* enum fw_kind */
	__u32 live;    /* of the opening packet: bits of live sets */
	__u64 way;     /* of a set, on its way through memory: so all eight look alike to the verifier */
	__u32 pending; /* its flow is a half-open one */
	__u32 promote; /* and no longer shall be */
	__u32 known;   /* it has a flow, and rules are asked all the same */
	__u32 proved;  /* it brought a valid SYN cookie */
	__u32 answer;  /* enum fw_answer */
	__u32 reject;  /* enum fw_reject */
	__u32 window;  /* it is TCP that may have a flow, and windows are looked at: s->segment */
	__u32 pad;
};

/* A packet of TCP, as paragraph 11 sees it, in host order. */
struct fw_segment {
	__u32 from; /* 0: of the opener's side, 1: of the other */
	__u32 flags;
	__u32 seq, end, ack, window;
	__u32 scale; /* FW_SCALE_* */
	__u32 at, len;
	__u8 options[64]; /* len bytes of them are there, looked at from `at` on */
};

/* A frame to be sent back (reply.bpf.h). */
#define FW_REPLY_LINK 32   /* the link layer's header ends there */
#define FW_REPLY_WORDS 512 /* a power of two */
struct fw_reply {
	__u32 at;    /* word of ip where L4 begins */
	__u32 bytes; /* of ip */
	__u8 link[FW_REPLY_LINK];
	union {
		__u32 w[FW_REPLY_WORDS];
		__u16 h[FW_REPLY_WORDS * 2];
	} ip;
};

/* Room for a flow: cells are their set * ways + way. */
#define FW_CELL_NONE (~0u)
struct fw_room {
	__u32 cell, old_cell; /* an ended one; one that may be evicted */
	__u64 word, old_word;
};

/* Keys of the tries of live sets. */
struct fw_lpm4 {
	__u32 plen;
	__u32 addr;
};
struct fw_lpm6 {
	__u32 plen;
	__u64 addr[2];
} __attribute__((packed));

/* A look-up in live sets. */
struct fw_live_walk {
	__u32 side, opening, wanted, found, plen, count;
	union {
		struct fw_lpm4 key4;
		struct fw_lpm6 key6;
	};
	struct fw_live_count_key counter;
};

/* A rule with a log that did not decide, until the verdict is known. */
struct fw_mark {
	__u32 slot, rule;
	__u32 log; /* 1 + index into logs */
};

/* What is told of the packet (event.bpf.h, tap.bpf.h). */
struct fw_told {
	__u64 generation;
	__u32 reason; /* enum fw_reason */
	__u32 log_rule, log_default, log_reasons; /* 1 + index into logs; 0: none. Of the rule that matched, and of the direction */
	__u32 nmarks; /* those beyond FW_LOG_MARKS, too */
	__u32 pad;
	__u32 nmet;
	__u32 picked; /* a rule that did not decide is one of those that the tap is about */
	struct fw_mark mark[FW_LOG_MARKS];
	__u32 met[FW_MAX_COUNT_RULES]; /* with a tap: slots of the rules that did not decide */
};
_Static_assert(!(FW_LOG_MARKS & (FW_LOG_MARKS - 1)) && !(FW_MAX_COUNT_RULES & (FW_MAX_COUNT_RULES - 1)), "indexes are masked");

/* What one packet needs while it is judged. */
struct fw_scratch {
	struct fw_pkt pkt;
	struct fw_walk walk;
	struct fw_pkt opening; /* of the packet's flow, made anew */
	__u32 slot; /* by which the packet is judged */
	struct fw_about about;
	struct fw_segment segment;
	struct fw_hit hit;
	__u64 header[FW_HEADER_MAX / 8]; /* one that is not in the linear part */
	struct fw_flow fresh; /* a flow that is being opened */
	struct fw_room room;
	struct fw_live_walk live;
	struct fw_live element; /* one that is being added */
	struct fw_reply reply;
	struct fw_told told;
};

/* The whole, of which p is a part: it takes a place less on short stacks. */
#define fw_scratch_of(p, part) ((struct fw_scratch *)((__u8 *)(p) - offsetof(struct fw_scratch, part)))

/* The packet, or the opening packet of its flow; to the verifier, one of the two without saying which. */
static __always_inline struct fw_pkt *fw_pkt_of(struct fw_scratch *s, __u32 opening)
{
	return (struct fw_pkt *)((__u8 *)s + (opening & 1) * (offsetof(struct fw_scratch, opening) - offsetof(struct fw_scratch, pkt)));
}
_Static_assert(__builtin_offsetof(struct fw_scratch, pkt) == 0, "fw_pkt_of");

#ifdef __bpf__

/* Written by the publisher (one store makes a generation live), read once per packet. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct fw_ctl);
} fw_ctl SEC(".maps");

/* An image each. Written by the publisher through mmap while the other one is live, read by every packet. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 4096 + FW_SLOT_PAD);
} fw_slot0 SEC(".maps"), fw_slot1 SEC(".maps");

/* Written by the datapath alone, one CPU per cell; user space sums. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_cell);
} fw_counters SEC(".maps");

/* Written by a twin about the last frame it judged; others never touch it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_trace);
} fw_trace SEC(".maps");

/*
 * The packet being judged. Not on the stack: what stands in a map is any number to the verifier, so all ways through the
 * parser, and all steps of a walk, look alike to it and are checked once. (A global function would do the same, but a
 * call and return costs 8 ns where returns are guarded.)
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_scratch);
} fw_scratch SEC(".maps");

/*
 * The maps from here on exist only in programs whose policy needs them.
 *
 * Flows: written by the datapath, read through mmap by user space, which ends flows by their word.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct fw_flow_set);
} fw_flows SEC(".maps");

/* Limits of whole rules, by counter slot * 2 + direction: written by the datapath; user space clears a slot's cell for its next rule. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} fw_limits SEC(".maps");

/* Limits by key, and seats of max-conn: written by the datapath. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct fw_bucket_set);
} fw_buckets SEC(".maps");

/* When the last SYN cookie was sent (ns): written and read by the datapath. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64[8]);
} fw_cookies SEC(".maps");

/* Events: written by the datapath, read by whoever likes. `lost` alone is user space's. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct fw_event);
} fw_events SEC(".maps");

/* The same of the tap, whose cells have room for the bytes of a packet, too. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct fw_tap));
} fw_taps SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct fw_event_cpu);
} fw_event_cpus SEC(".maps"), fw_tap_cpus SEC(".maps");

/* As fw_limits, of `log limit`. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} fw_log_limits SEC(".maps");

/* Which packets the tap copies: written by user space. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct fw_tap_ctl);
} fw_tap_ctl SEC(".maps");

/*
 * Live sets, of all policies of a namespace. Elements are written by the datapath (else ban) and by the program in
 * fw_set.bpf.c for user space, never by user space itself.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct fw_live_ctl);
} fw_live SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct fw_live_filter);
} fw_live_filter SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct fw_live);
} fw_live_host4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64[2]);
	__type(value, struct fw_live);
} fw_live_host6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct fw_lpm4);
	__type(value, struct fw_live);
} fw_live_net4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct fw_lpm6);
	__type(value, struct fw_live);
} fw_live_net6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct fw_live_count_key);
	__type(value, struct fw_counter);
} fw_live_count SEC(".maps");

#else

struct fw_host_map;
extern struct fw_host_map fw_ctl, fw_slot0, fw_slot1, fw_counters, fw_trace, fw_scratch, fw_flows, fw_limits, fw_buckets, fw_cookies,
	fw_live, fw_live_filter, fw_live_host4, fw_live_host6, fw_live_net4, fw_live_net6, fw_live_count, fw_events, fw_event_cpus,
	fw_log_limits, fw_taps, fw_tap_cpus, fw_tap_ctl;

#endif
#endif

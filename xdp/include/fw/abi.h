/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract between the datapath (BPF) and user space: dimensions,
 * verdicts, reasons, the image layout, counters, limits.
 *
 * Whatever both sides must agree on stands here and nowhere else. Sizes are
 * asserted. Everything in an image is little/big endian as the machine is:
 * images never travel between machines. Numbers of reasons and dimensions are
 * never reused, because pinned counters outlive the program that wrote them.
 */
#ifndef FW_ABI_H
#define FW_ABI_H

#include <linux/types.h>

#define FW_ABI_VERSION 5

/* Which way a packet travels through the interface. */
enum fw_dir { FW_DIR_INGRESS, FW_DIR_EGRESS, FW_DIR_COUNT };

/* Where a program is attached. */
enum fw_hook { FW_HOOK_XDP, FW_HOOK_TC_INGRESS, FW_HOOK_TC_EGRESS, FW_HOOK_COUNT };

/* DROP is zero, so that memory nobody wrote fails closed. */
enum fw_verdict { FW_VERDICT_DROP, FW_VERDICT_PASS, FW_VERDICT_CONTINUE, FW_VERDICT_REJECT, FW_VERDICT_COUNT };

/*
 * Why a packet met its verdict. One row: enumerator, the word that `fwctl
 * stats` shows, one sentence. Order is the number; append only.
 */
#define FW_REASONS(X)                                                                             \
	X(RULE, "rule", "a rule decided")                                                          \
	X(DEFAULT, "default", "no rule matched: the default of the direction")                     \
	X(L2_OTHER, "l2-other", "neither IPv4 nor IPv6, and no rule matched: the default")         \
	X(L2_SHORT, "l2-short", "frame shorter than an Ethernet header")                           \
	X(L2_MISMATCH, "l2-mismatch", "the frame's ethertype is not what the kernel says it is")   \
	X(VLAN_DEPTH, "vlan-depth", "more than two VLAN tags, or a truncated one")                 \
	X(MALFORMED, "malformed", "a length or version field that contradicts the frame")          \
	X(FRAG_TINY, "frag-tiny", "a first fragment without its L4 header, or TCP at offset 1")    \
	X(EXT_CHAIN, "ext-chain", "IPv6 extension headers too many, too long, cut or misplaced")   \
	X(L4_SHORT, "l4-short", "the packet ends inside its L4 header")                            \
	X(NOT_LINEAR, "not-linear", "the kernel could not make the headers readable")              \
	X(NO_RULES, "no-rules", "the rule tables are missing or damaged")                          \
	X(ESTABLISHED, "established", "a packet of a known flow")                                  \
	X(RELATED, "related", "an ICMP error about a known flow")                                  \
	X(LIMIT, "limit", "over the limit of the rule that matched")                               \
	X(LIMIT_FULL, "limit-full", "the table of limits has no room for another key")             \
	X(MAX_CONN, "max-conn", "too many connections of this source")                             \
	X(STATE_FULL, "state-full", "the table of new flows has no room")                          \
	X(TCP_WINDOW, "tcp-window", "a segment outside the window of its connection")              \
	X(SYN_COOKIE, "syn-cookie", "answered with a SYN cookie")

enum fw_reason {
#define FW_X(id, word, text) FW_REASON_##id,
	FW_REASONS(FW_X)
#undef FW_X
	FW_REASON_COUNT
};

/*
 * Dimensions with a small value: a direct table answers value -> class.
 * One row: enumerator, number of bits of the value. A table has 2^bits cells
 * and one more, the last, for packets that do not have the field. Values are
 * in host byte order.
 *
 * FW_DIM_PROTO's value is fw_l3 << 8 | protocol.
 * userspace/model/field.h lists the same names in the same order, up to SETS (asserted
 * in userspace/compile): SETS is no field of the language, see struct fw_block.
 */
#define FW_SMALL_DIMS(X)                                                                          \
	X(PROTO, 10)                                                                               \
	X(SPORT, 16)                                                                               \
	X(DPORT, 16)                                                                               \
	X(TCPFLAGS, 8)                                                                             \
	X(ICMP, 16)    /* IPv4: type << 8 | code */                                                \
	X(ICMP6, 16)   /* IPv6: type << 8 | code */                                                \
	X(FRAG, 2)     /* enum fw_frag */                                                          \
	X(VLAN, 12)    /* first VID that is not 0; absent when untagged */                         \
	X(DSCP, 6)                                                                                 \
	X(TTL, 8)      /* or hop limit */                                                          \
	X(LEN, 16)     /* IPv4 total length, IPv6 40 + payload length; 65535 when longer */        \
	X(ETHERTYPE, 16) /* after the VLAN tags; absent for LLC (length) frames */                 \
	X(EXT, 8)      /* bit set of enum fw_ext; absent for all but IPv6 */                       \
	X(ECN, 2)      /* the two bits below DSCP (RFC 3168) */                                    \
	X(STATE, 3)    /* enum fw_state; NONE where nothing is tracked. Always there */            \
	X(SETS, 8)     /* bit k: the address on the side of set k is a member; 0 for what is not IP */

enum fw_dim {
#define FW_X(id, bits) FW_DIM_##id,
	FW_SMALL_DIMS(FW_X)
#undef FW_X
	FW_DIM_SMALL_COUNT,
	/* Wide dimensions have their own structures. */
	FW_DIM_MAC = FW_DIM_SMALL_COUNT, /* source MAC, 48 bits: sorted bounds, binary search */
	FW_DIM_SRC,                      /* source address: stride tables, one per family */
	FW_DIM_DST,
	FW_DIM_COUNT
};

/* What stands after the Ethernet header. */
enum fw_l3 { FW_L3_OTHER, FW_L3_IPV4, FW_L3_IPV6, FW_L3_COUNT };
enum fw_frag { FW_FRAG_NONE, FW_FRAG_FIRST, FW_FRAG_LATER };
/* IPv6 extension headers met on the way to L4 (bit numbers). */
/* What the flow table says of a packet, before the rules are asked. Numbers are those of enum state in userspace/model. */
enum fw_state { FW_STATE_NONE, FW_STATE_NEW, FW_STATE_ESTABLISHED, FW_STATE_RELATED, FW_STATE_INVALID, FW_STATE_COUNT };
enum fw_ext { FW_EXT_HOPOPTS, FW_EXT_ROUTING, FW_EXT_FRAGMENT, FW_EXT_DSTOPTS, FW_EXT_AH };

/* Limits. A rule file over one of them is refused with its name. */
#define FW_MAX_RULES 131072     /* per direction */
#define FW_MAX_BITS 16384       /* rules per direction that own a bit of the rows; the others stand in lists */
#define FW_MAX_SERVICES 16384   /* distinct conditions beside the addresses, of the rules in lists */
#define FW_MAX_LIST 64          /* entries of one list */
#define FW_MAX_PARTS 65536      /* lists of one node */
#define FW_MAX_COUNT_RULES 256  /* `count` rules per direction: each may cost a step */
#define FW_MAX_SETS 8           /* live sets, then large sets, counted per side, per direction; other sets stand in the tries */
#define FW_MAX_LIVE 8           /* live sets of a network namespace at a time; one more is needed to replace one */
#define FW_MAX_LIVE_SIZE 16777216 /* elements of all live sets together */
#define FW_MAX_FLOWS 4194304    /* `size` of a flow table */
#define FW_MAX_CONN 64          /* `max-conn` */
#define FW_MAX_CLASSES 65535    /* per small dimension (tables are u16) */
#define FW_MAX_MAC_BOUNDS 4096  /* interval bounds of the MAC dimension */
#define FW_MAX_IMAGE (256u << 20)
#define FW_MAX_SLOTS (128 + 2 * FW_MAX_RULES) /* counter slots per direction: those of two generations */
#define FW_MAX_VLAN_TAGS 2
#define FW_MAX_EXT_HEADERS 8
#define FW_MAX_EXT_BYTES 256
#define FW_WORD_BITS 64
#define FW_MAX_WORDS (FW_MAX_BITS / FW_WORD_BITS)     /* 256 */
#define FW_MAX_SUMMARY (FW_MAX_WORDS / FW_WORD_BITS)   /* 4 */
#define FW_MAC_STEPS 12         /* 2^12 bounds */

/*
 * The image: one contiguous block, built in user space, copied into a slot
 * (a one-element array map whose value is a power of two + FW_SLOT_PAD).
 * All offsets are bytes from the start of the image and multiples of 8.
 *
 *   struct fw_image      header, 4 KB-independent
 *   tables and rows      what the datapath reads ("hot")
 *   meta                 names, texts, counter bases: user space only
 *
 * The datapath masks every offset with (slot size - 1), so a damaged image
 * can give a wrong verdict but never a wild read.
 *
 * Classification of one packet in one direction:
 *   1. For each dimension d whose bit is set in `dims`: class = table(d, value).
 *      row(d) = dim[d].rows + class * stride.
 *   2. A row is `nsum` summary words, then `nwords` words, then (not in rows of addresses) `nsvc` service words. A rule
 *      that is not in lists owns one bit: bit b % 64 of word b / 64, and actions[b] says whose it is. Summary bit w says
 *      that word w is not zero. nrules == 0: no rules, the default.
 *   3. AND the rows of the used dimensions; the bits left are the rules that match.
 *      With nsum == 0 bit b is rule b, and the lowest bit decides: actions[b] says how; FW_VERDICT_CONTINUE
 *      counts and goes on with the next set bit. Else the compiler arranges the rules: the first `ncounts` bits
 *      belong to the `count` rules, in the order of the file; the others keep that order inside each word alone. The lowest
 *      rule among the lowest bits of all words decides, and the `count` rules before it count.
 *   4. With FW_DIRF_LISTS the rules beyond `nbits` stand in lists at the addresses (struct fw_node). The lowest of those that
 *      match competes with the lowest that the rows found.
 *   With no used dimension the row is `ones`.
 *   A frame with l3 == FW_L3_OTHER has no addresses: SRC and DST are left out for it, and PROTO (whose value is then 0)
 *   keeps the rules that want an IP packet away from it.
 *   A small field that the packet lacks has the value 2^bits: the last cell.
 * A frame with l3 == FW_L3_OTHER is classified only if FW_DIRF_L2 is set,
 * else the default decides at once (reason l2-other).
 */
#define FW_IMAGE_MAGIC 0x4c544346u /* "FCTL" */
#define FW_SLOT_PAD 4096           /* bytes past the masked range: a whole row (2,080) read from the last offset stays inside */

struct fw_dim_ref {
	__u32 tab;  /* SMALL: __u16 class[2^bits + 1]. MAC: see struct fw_mac_tab. SRC/DST: IPv4 trie, below */
	__u32 rows; /* row 0 of this dimension */
};

/* Bits of fw_dir_hdr.flags */
#define FW_DIRF_L2 1u      /* some rule can match a frame that is not IP */
#define FW_DIRF_PRESENT 2u /* the policy has this block (an absent one passes everything) */
#define FW_DIRF_LISTS 4u   /* tries answer with nodes, not with classes */
#define FW_DIRF_TRACK 8u   /* the policy keeps state: look for the packet's flow first; set in both directions or in none */
#define FW_DIRF_KNOWN 16u  /* some rule asks for `state established` or `related`: such packets meet the rules, too */

struct fw_dir_hdr {
	__u32 dims;    /* bit per enum fw_dim: evaluate it */
	__u32 nrules;
	__u32 nwords;  /* (nbits + 63) / 64 */
	__u32 nsum;    /* 0: one word and no lists; else max(1, (nwords + 63) / 64) */
	__u32 stride;  /* bytes of a row: 8 * (nsum + nwords + nsvc) */
	__u32 ones;    /* a row with the bit of every rule that can match (and its summary) */
	__u32 actions; /* struct fw_action[nrules]: by bit, then those in lists, ascending */
	__u32 flags;
	__u32 default_verdict; /* FW_VERDICT_PASS or FW_VERDICT_DROP */
	__u32 tab6[2];  /* IPv6 tries of SRC, DST (dim[].tab is the IPv4 one) */
	__u32 rows6[2]; /* rows of the IPv6 classes: classes are numbered per family */
	__u8 leaf_shift[2][2]; /* [SRC, DST][IPv4, IPv6]: log2 of the bits of a cell in a packed chunk, 0..5 */
	__u32 ncounts; /* `count` rules, with nsum > 0; else 0 */
	__u32 nbits;   /* rules that own a bit */
	__u32 nsvc;    /* service words of a row; in `ones` all their bits are set */
	__u32 stride_addr; /* bytes of a row of SRC, DST: 8 * (nsum + nwords) */
	__u32 units;   /* lists: 16-byte units of nodes, entries and parts; unit 0 is not used */
	__u32 nunits;
	__u32 root[2][2]; /* lists: [SRC, DST][IPv4, IPv6]: unit of the node of every address when there is no trie */
	__u32 nsets;
	__u32 sets;      /* struct fw_block[nsets][2]: set k in IPv4, IPv6 */
	__u32 set_sides; /* bit k: set k is asked about DST, else SRC */
	__u32 nsmall;    /* how many dimensions below FW_DIM_MAC are used */
	__u8 small[16];  /* which, ascending */
	__u32 first;     /* lowest rule that owns a bit, `count` rules apart; nrules: none. A lower one in lists decides alone */
	__u32 extra_of; /* __u32[nrules], by rule: 0, or 1 + index into extras; 0: no rule has any */
	__u32 extras;   /* struct fw_extra[nextras] */
	__u32 nextras;
	__u32 live_bits; /* bits of SETS that are live sets */
	__u32 logs;     /* struct fw_log[nlogs] */
	__u32 nlogs;
	__u32 log_default; /* 1 + index into logs: packets that meet the default, l2-other too; 0: none */
	__u32 log_reasons; /* and those with a reason of FW_LOG_REASONS */
	__u32 reserved;
	struct fw_dim_ref dim[FW_DIM_COUNT];
};
_Static_assert(FW_DIM_SMALL_COUNT <= 16, "small[] has room for all");

/*
 * What a policy asks of the programs beyond looking at packets one by one. Programs are loaded with the features that their
 * policy needs; what they lack is not in them at all (struct fw_cfg).
 */
#define FW_FEAT_LIVE 1u     /* live sets */
#define FW_FEAT_STATE 2u    /* flow table */
#define FW_FEAT_LIMIT 4u    /* limits, max-conn */
#define FW_FEAT_REJECT 8u
#define FW_FEAT_SYNPROXY 16u
#define FW_FEAT_LOG 32u     /* events */
#define FW_FEAT_TAP 64u     /* copies of packets, while somebody looks at them */
#define FW_FEATS_ANSWER (FW_FEAT_REJECT | FW_FEAT_SYNPROXY) /* frames are sent back */
#define FW_FEAT_ALL 127u

/* Time in flow tables: units of 2^20 ns, about a millisecond, of the policy's clock (struct fw_ctl). */
#define FW_TICK_SHIFT 20
#define FW_TICKS(seconds) ((__u64)(seconds) * 1000000000ull >> FW_TICK_SHIFT)

/* How long a flow lives without a packet. Row: enumerator, words in `state { }`, seconds unless written. */
#define FW_TIMEOUTS(X)                                                                            \
	X(TCP_SYN, "tcp syn", 30)                 /* until the handshake is over */                \
	X(TCP_ESTABLISHED, "tcp established", 432000)                                              \
	X(TCP_CLOSING, "tcp closing", 120)        /* one side has sent FIN */                      \
	X(TCP_CLOSED, "tcp closed", 10)           /* both have, or RST was sent */                 \
	X(UDP_NEW, "udp new", 30)                 /* until the opener has answered a reply */      \
	X(UDP, "udp", 120)                                                                         \
	X(ICMP, "icmp", 10)                                                                        \
	X(OTHER_NEW, "other new", 20)                                                              \
	X(OTHER, "other", 120)
enum fw_timeout {
#define FW_X(id, words, seconds) FW_TIMEOUT_##id,
	FW_TIMEOUTS(FW_X)
#undef FW_X
	FW_TIMEOUT_COUNT
};

#define FW_STATEF_FULL_PASS 1u  /* no room for a new flow: pass the packet without one; else drop */
#define FW_STATEF_ASYMMETRIC 2u /* replies may take another way */
#define FW_STATEF_WINDOW 4u     /* check sequence numbers */
struct fw_state_opts {
	__u32 size;     /* flows that the table has room for */
	__u32 pending;  /* and half-open ones */
	__u32 flags;
	__u32 pickup_s; /* seconds after the table was made in which TCP is taken up in mid-stream; ~0u: always */
	__u32 timeout[FW_TIMEOUT_COUNT]; /* ticks */
	__u32 reserved;
};

/* A live set that the policy names. */
#define FW_LIVEF_COUNTERS 1u /* count per element */
#define FW_LIVEF_WIDEN 2u    /* an IPv6 host becomes its /64 */
struct fw_live_ref {
	__u32 name;  /* string in meta */
	__u32 size;
	__u64 timeout_ns; /* of an element that says nothing else; 0: none */
	__u32 flags;
	__u32 id;    /* of the set in the namespace: written by the publisher, here and in blocks and extras that name it */
};

/* What a rule asks for when it has matched. */
#define FW_EXTRA_KEEP 1u       /* keep state */
#define FW_EXTRA_LIMIT 2u
#define FW_EXTRA_BYTES 4u      /* the limit counts bytes */
#define FW_EXTRA_FINE 8u       /* the limit needs a finer clock than the timer tick */
#define FW_EXTRA_ELSE_PASS 16u /* over limit or max-conn: pass; else drop */
#define FW_EXTRA_ELSE_BAN 32u  /* and the source enters a live set */
#define FW_EXTRA_SYNPROXY 64u  /* answer SYNs with cookies when the table of new flows is short of room */
#define FW_EXTRA_BAN_REF(flags) ((flags) >> 24) /* with ELSE_BAN: index into fw_image.live */
enum fw_per { FW_PER_RULE, FW_PER_SRC, FW_PER_DST, FW_PER_FLOW };
enum fw_reject { FW_REJECT_AUTO, FW_REJECT_TCP_RESET, FW_REJECT_UNREACHABLE, FW_REJECT_PROHIBITED };
struct fw_extra {
	__u32 flags;
	__u16 max_conn;  /* 0: no limit; counted per source, prefix lengths below */
	__u8 per;        /* enum fw_per */
	__u8 reject;     /* enum fw_reject, with FW_VERDICT_REJECT */
	__u8 plen[2];    /* of the address that is the key of the limit: IPv4, IPv6 */
	__u8 conn_plen[2];
	__u32 ban;       /* with ELSE_BAN: FW_EXTRA_BAN_REF() until the publisher makes it the id of the set */
	__u64 ban_ns;    /* 0: the set's timeout */
	/* Limits are GCRA: see userspace/model/limit.h. Units of 2^-6 ns. */
	__u64 mult;      /* n packets or bytes cost n * mult >> shift */
	__u64 burst;     /* how far ahead of the clock the bucket may be, in units */
	__u32 shift;
	__u32 identity;  /* of a rule with limit or max-conn: hash of direction, verdict and id. Buckets and seats are the rule's */
	__u32 log;       /* 1 + index into logs of the direction: packets that count under the rule are told of; 0: not */
	__u32 reserved;
};

/*
 * `log limit 10/s burst 20 sample 1/8`. First the sample is drawn, then the limit asked: GCRA as in userspace/model/limit.h, a
 * bucket for each counter slot and direction (fw_log_limits), so `log reasons limit 10/s` means ten of each reason and verdict.
 * A bucket that is further ahead than the burst is what another limit left, and begins anew.
 */
struct fw_log {
	__u64 cost;   /* of one event, units of 2^-6 ns; 0: no limit */
	__u64 burst;  /* units */
	__u32 sample; /* one packet of so many, at random; 1: each */
	__u32 reserved;
};
/* Reasons that `log reasons` speaks of: what neither a rule nor the default decided, and no flow. */
#define FW_LOG_REASONS                                                                            \
	(~(1u << FW_REASON_RULE | 1u << FW_REASON_DEFAULT | 1u << FW_REASON_L2_OTHER |             \
	   1u << FW_REASON_ESTABLISHED | 1u << FW_REASON_RELATED))
#define FW_LOG_MARKS 8 /* `count` and bare `log` rules that one packet is told of by, the first it meets; those beyond are `capped` */

struct fw_image {
	__u32 magic;
	__u32 abi;
	__u64 generation; /* written by the publisher; 0 in a compiled image */
	__u32 total_len;  /* whole image, a multiple of 8 */
	__u32 hot_len;    /* header + tables + rows + actions */
	__u32 meta_off;   /* struct fw_meta */
	__u32 meta_len;
	__u8 digest[32];  /* SHA-256 of what was compiled, counter slots and generation excluded */
	__u64 check;      /* over the header without generation and itself: user space tells damage by it */
	__u32 features;   /* FW_FEAT_* */
	__u32 nlive;
	__u32 live;       /* struct fw_live_ref[nlive], in the hot part, behind the tables: beside the actions */
	__u32 pad;
	struct fw_state_opts state;
	__u8 reserved[40];
	struct fw_dir_hdr dir[FW_DIR_COUNT];
};

struct fw_action {
	__u32 slot;         /* index into the counters of the direction */
	__u32 rule_verdict; /* FW_ACTION() */
};
#define FW_ACTION(rule, verdict) ((__u32)(rule) << 8 | (verdict)) /* index in the direction, enum fw_verdict */
#define FW_ACTION_RULE(rule_verdict) ((rule_verdict) >> 8)
#define FW_ACTION_VERDICT(rule_verdict) ((rule_verdict) & 15)
#define FW_ACTION_EXTRA 128u /* or'ed to the verdict: the rule has a struct fw_extra */

/*
 * Lists. The addresses that rules in lists speak of form a tree of prefixes, one per side and family; its prefixes are
 * numbered in preorder from 0, the whole space, so that a prefix and all inside it are one interval of numbers. The class
 * that a trie answers with is the unit of a struct fw_node, that of the innermost prefix around the address.
 *
 * A rule stands in the lists of one side: at its prefixes there and at every prefix inside them. Lists ascend by place,
 * which is by rule. An entry matches when
 *       (number of the other side's node - lo) <= span, unsigned, and
 *       the AND of the rows of the used dimensions, addresses left out, has bit svc % 64 of service word svc / 64.
 * With FW_SVC_ANY the second is not asked.
 */
struct fw_node {
	__u32 id;     /* preorder number of the prefix */
	__u32 row;    /* class of the address: row of the rules that own bits */
	__u32 list;   /* nparts == 0: FW_LIST(); else the first unit of struct fw_part[nparts] */
	__u32 nparts; /* > 0: the list is split by the number of the other side's node */
};
/* Entries in the units unit .. unit + count - 1; 0: none */
#define FW_LIST(unit, count) ((__u32)(unit) << 7 | (count))
#define FW_LIST_UNIT(list) ((list) >> 7)
#define FW_LIST_COUNT(list) ((list) & 127)
struct fw_entry {
	__u32 lo, span;
	__u32 place; /* index into actions */
	__u32 svc;
};
#define FW_SVC_ANY (~0u)
/* The last part whose bound is <= the other side's number has the list. Bounds ascend, the first is 0. */
struct fw_part {
	__u32 bound;
	__u32 list; /* FW_LIST() */
};
#define FW_PART_STEPS 16 /* 2^16 parts */

/*
 * Address tries. Cells are u32. FW_CELL_REF clear: a class. Set: the place of what answers further bytes, in 4-byte units
 * from the start of the trie. FW_CELL_KIND says of what: 0, a chunk of 256 cells; FW_CELL_LEAF, a packed chunk; FW_CELL_SKIP
 * (IPv6 alone), a skip node; FW_CELL_RANK, a rank chunk. A trie at offset 0 does not exist: every address has class 0.
 *
 * A packed chunk ends the walk: 256 cells of (1 << leaf_shift) bits, all classes:
 *       bit = byte << shift;
 *       class = u32[place + (bit >> 5)] >> (bit & 31) & ((2u << ((1 << shift) - 1)) - 1)
 *
 * IPv4: u32 l1[65536] indexed by the first 16 bits; a reference leads to a packed chunk (third byte, the end) or to
 *       u32 l2[256] (third byte), whose references lead to packed chunks (fourth byte).
 * IPv6: u32 l1[65536], then a chunk, packed or not, for each further byte. A chain of
 *       chunks with one child each is one struct fw_skip6: when the address
 *       agrees with `key` under `mask`, go on at byte `next_byte` in `next`
 *       (a cell), else the class is `miss`. (`mask` covers any bits, not whole bytes alone; next_byte is 16 when `next`
 *       is a class.)
 * Both 64-bit halves of an IPv6 address are in host order, most significant
 * half first. Tries start at multiples of 64, chunks at multiples of 64 or of their own size when that is smaller.
 */
#define FW_CELL_REF 0x80000000u
#define FW_CELL_SKIP 0x40000000u
#define FW_CELL_LEAF 0x20000000u
#define FW_CELL_RANK 0x60000000u
#define FW_CELL_KIND 0x60000000u
#define FW_CELL_MASK 0x1fffffffu
#define FW_TRIE6_STEPS 14 /* at most, after l1: each step (chunk or skip node) answers one byte or more */

struct fw_skip6 {
	__u64 key[2];
	__u64 mask[2];
	__u32 miss;
	__u32 next;
	__u32 next_byte; /* the byte that `next`, when a chunk, is indexed by */
	__u32 pad;
};

/*
 * Rank chunk: 256 cells as runs of equal ones. Bit b % 64 of map[b / 64] says that the cell of byte b starts a run (bit 0
 * does). Cell of byte b: value[before[b / 64] + number of set bits among 0 .. b % 64 of map[b / 64] - 1]. Starts at a
 * multiple of 64 bytes: up to seven runs fill one cache line.
 */
struct fw_rank {
	__u64 map[4];
	__u8 before[4]; /* set bits in the words before this one */
	__u32 value[];  /* cells, as in a chunk */
};

/*
 * Large sets. A set of thousands of ranges stands beside the tries, in blocks of its own, one per family: neither the
 * classes of addresses nor the lists at them grow with it. What a block answers, member or not, is one bit of the value
 * of the dimension SETS. Blocks hold no offset of anything outside, so they may be moved and shared.
 *
 * FW_BLOCK_NETS, of IPv4:
 *       __u32 net[65536]: the first 16 bits have such a number. Number 0 has no member, number 1 nothing else;
 *       __u8 some[nets][32]: bit (addr >> 8) % 8 of byte (addr >> 8) % 256 / 8 says that the network (/24) has members;
 *       struct fw_block_rec rec[nets][4]: each of 64 networks;
 *       __u32 cell[]: one for each network of which a part is a member, ascending; all of it, or where its leaf is;
 *       __u8 leaf[][32]: of networks that no cell can tell. Bit addr % 8 of byte addr % 256 / 8.
 * FW_BLOCK_TRIE, of IPv6: a trie of two classes (1 is the member), leaf_shift 0.
 * FW_BLOCK_LIVE, of both: a live set; nothing stands in the image. `nets` is its index in fw_image.live, and so is `off` until
 * the publisher makes it the id of the set.
 */
enum fw_block_kind { FW_BLOCK_NONE, FW_BLOCK_NETS, FW_BLOCK_TRIE, FW_BLOCK_LIVE, FW_BLOCK_KINDS }; /* NONE: no member */

struct fw_block {
	__u32 kind;
	__u32 off; /* from the start of the image, a multiple of 64; FW_BLOCK_LIVE: see above */
	__u32 len; /* bytes */
	__u32 nets; /* FW_BLOCK_NETS: how many; FW_BLOCK_LIVE: see above */
	__u64 key[2]; /* of the ranges: user space finds a block by it that need not be built again */
};

/*
 * Bit (addr >> 8) % 64 of `mixed` says that a part of the network is a member, and that it has a cell; a network in `some`
 * and not in `mixed` is a member as a whole. The first mixed one has cell `cell`, counted in 4-byte units from the start of
 * the block.
 */
struct fw_block_rec {
	__u64 mixed;
	__u32 cell;
	__u32 reserved;
};
#define FW_BLOCK_SOME (65536u * 4) /* where some[] starts */
#define FW_BLOCK_MAP 32u           /* bytes of one of it, and of a leaf */
/*
 * A cell: the network is one range of members, and one more member, which may be inside the range; or, with
 * FW_BLOCK_CELL_LEAF, the number of its leaf, counted from the start of the block.
 */
#define FW_BLOCK_CELL(lo, span, also) ((__u32)(also) << 16 | (span) << 8 | (lo)) /* last bytes of addresses */
#define FW_BLOCK_CELL_LEAF 0x80000000u

/*
 * MAC dimension: `n` bounds ascending, 48 bits in host order. A MAC belongs to
 * the last bound that is <= it; bound[0] is 0. cls[i] is its class. The class
 * of a packet is always defined (every frame has a source MAC).
 */
struct fw_mac_tab {
	__u32 n;
	__u32 cls; /* offset from the image start: __u16 class[n] */
	/* __u64 bound[n] follows */
};

/*
 * Counters: one per-CPU array of struct fw_cell per interface and hook. Slot numbers:
 * reason * 2 + verdict for everything but FW_REASON_RULE, then one slot per
 * rule identity. A packet adds to exactly one slot that ends its walk, and to
 * the slot of each `count` rule on the way.
 */
#define FW_SLOT_REASONS 128
#define FW_SLOT_RULE0 FW_SLOT_REASONS
#define FW_REASON_SLOT(reason, verdict) ((reason) * 2 + (verdict))

struct fw_counter {
	__u64 packets;
	__u64 bytes;
};
/* As it stands in the map. */
struct fw_cell {
	struct fw_counter count;
	__u64 last; /* jiffies of the last packet; 0: none yet */
};

/*
 * The control word of a policy: which of the two slots is live. One 32-bit
 * store switches every hook of every interface of the policy.
 *
 * Clock: (jiffies - jiffies0) * jiffy_ns, which is CLOCK_MONOTONIC to a timer tick. It costs nothing to read, and no clock
 * that somebody sets moves it.
 */
#define FW_SECRETS 12
struct fw_ctl {
	__u32 live;       /* 0 or 1 */
	__u32 map_id[2];  /* the slots' map ids: written before the switch, for user space */
	__u32 abi;
	__u64 jiffies0, jiffy_ns;
	__u64 secret[FW_SECRETS]; /* random multipliers of the hashes; made with the policy */
	__u64 state_ns;   /* clock when the flow table was made */
	/* Of a twin's own control word alone: what it takes for granted. */
	__u32 given;      /* FW_GIVEN_* */
	__u32 given_state; /* enum fw_state */
	__u32 given_live; /* bit id: the source is in that live set; bit 8 + id: the destination */
	__u32 features;   /* FW_FEAT_* that programs are loaded with, and has maps for: never fewer. For user space */
	__u64 given_ns;
	__u32 flow_sets, pend_sets; /* of the flow table; for user space */
};
#define FW_GIVEN_NOW 1u   /* the clock shows given_ns */
#define FW_GIVEN_STATE 2u /* flows are not looked for, limits are kept */
#define FW_GIVEN_LIVE 4u  /* live sets are not looked at */

/* Constants of one loaded program: the whole of the section .rodata, set before load. */
struct fw_cfg {
	__u32 mask[2];     /* slot size - 1, a power of two minus one, per slot */
	__u32 dir;         /* enum fw_dir */
	__u32 frags;       /* XDP: the program accepts multi-buffer frames */
	__u32 trace;       /* twin: write struct fw_trace, believe what is given */
	__u32 readonly;    /* twin: change no flow, no limit, no live set */
	__u32 nslots;      /* counter slots in the map: max_entries */
	__u32 parse_only;  /* bench: parse, then pass */
	__u32 features;    /* FW_FEAT_* */
	__u32 flow_mask;   /* sets of the flow table for established flows - 1: the first ones */
	__u32 pend_mask;   /* and of those for half-open flows, which follow */
	__u32 bucket_mask; /* sets of the table of limits - 1 */
	__u32 cpus;        /* that have a ring of events, and of the tap */
	__u32 event_mask;  /* events of one CPU's ring - 1 */
	__u32 tap_mask;    /* and packets of the tap's */
	__u32 tap_snap;    /* bytes of a packet that the tap keeps, a multiple of 8 */
};

/* What a twin says of the last packet it judged. */
struct fw_trace {
	__u32 verdict;  /* enum fw_verdict */
	__u32 reason;   /* enum fw_reason */
	__u32 rule;     /* index in the direction of the rule that matched; ~0u when none did */
	__u32 slot;     /* the counter slot that ended the walk */
	__u64 generation;
	__u32 counted;  /* `count` rules met on the way */
	__u32 state;    /* enum fw_state */
};

/*
 * Events. A packet is told of in the slot that it counts in: by the rule that decided and its `log`, by `log default`, by `log
 * reasons`; and by each `count` or bare `log` rule with `log` on its way (FW_LOG_MARKS), whose event has that rule and the
 * verdict and reason that the packet met in the end.
 *
 * Each CPU has a ring of event_mask + 1 of them in fw_events (cells cpu * (event_mask + 1) + number % (event_mask + 1)) and a head in
 * fw_event_cpus. Nobody has to empty it: the newest overwrite the oldest, no reader can hold a packet up, and any number of readers
 * see the same. Writing: n = head++ (atomic); cell.number = 0; the rest; cell.number = n + 1. Reading: a cell whose number is
 * n + 1 before and after it was copied is event n; a greater number, or n + ring size <= head: it is lost to this reader. So for each
 * reader, exactly, read + lost = head's way. Of an event that is being written `number` is 0 or an old one, and head has passed it.
 */
#define FW_EVENTS(X)                                                                              \
	X(RULE, "rule", "a rule decided")                                                          \
	X(COUNT, "count", "a rule that does not decide was met on the way")                        \
	X(DEFAULT, "default", "no rule matched")                                                   \
	X(REASON, "reason", "something else decided than a rule or the default")                   \
	X(TAP, "tap", "a copy of the packet follows")
enum fw_event_kind {
#define FW_X(id, word, text) FW_EVENT_##id,
	FW_EVENTS(FW_X)
#undef FW_X
	FW_EVENT_KINDS
};

#define FW_HAS_PORTS 1u
#define FW_HAS_FLAGS 2u /* of TCP */
#define FW_HAS_ICMP 4u  /* either family */
#define FW_HAS_VLAN 8u
struct fw_event {
	__u64 number;     /* 1 + that of its CPU; 0: being written */
	__u64 time_ns;    /* CLOCK_MONOTONIC */
	__u64 generation; /* of the rules; 0: there were none */
	__u32 ifindex;
	__u32 rule;       /* index in the direction of the rule that is told of, or that matched; ~0u: none */
	__u32 slot;       /* counter slot of the rule or reason */
	__u32 len;        /* bytes of the frame, as counters count them */
	__u32 packets;    /* on the wire: more than 1 for a super-packet */
	__u32 sample;     /* one of so many was told of */
	__u8 kind;        /* enum fw_event_kind */
	__u8 hook;        /* enum fw_hook */
	__u8 verdict;     /* enum fw_verdict: what became of the packet */
	__u8 reason;      /* enum fw_reason */
	__u8 state;       /* enum fw_state */
	__u8 l3;          /* enum fw_l3 */
	__u8 proto;
	__u8 flags;       /* of TCP */
	__u8 ttl;
	__u8 frag;        /* enum fw_frag */
	__u8 has;         /* FW_HAS_*: which of the fields below are there */
	__u8 pad;
	__u16 sport, dport, icmp, vlan; /* host order, as in the dimensions */
	__u16 ethertype;  /* 0: absent */
	__u16 pad2;
	__u64 mac;        /* source, host order; 0 in a frame without an Ethernet header */
	__u32 src[4], dst[4]; /* wire order; IPv4 in [0]; zeros for what is not IP, or could not be parsed so far */
	__u64 reserved[2];
};

/* What one CPU did. The datapath of that CPU alone writes all but `lost`. */
struct fw_event_cpu {
	__u64 head;    /* events written: generated = head + limited + sampled + capped */
	__u64 limited; /* not written: over `log limit` */
	__u64 sampled; /* not written: not drawn */
	__u64 capped;  /* not written: beyond FW_LOG_MARKS */
	__u64 lost;    /* of those written: overwritten before a follower had read them. Followers add to it, atomically */
	__u64 reserved[3];
};

/* The tap: rings as those of events, in fw_taps and fw_tap_cpus, of this and tap_snap bytes of the packet. */
struct fw_tap {
	struct fw_event event; /* kind TAP */
	__u32 caplen;          /* bytes of data */
	__u32 wire;            /* bytes of the frame in memory */
	__u16 vlan_tci;        /* tag that TC holds beside the bytes */
	__u16 vlan_proto;      /* its ethertype, host order; 0: none */
	__u32 reserved;
	/* __u8 data[] */
};
/* Which packets: written by user space before and while the programs run. */
#define FW_TAP_PICKS 8
struct fw_tap_ctl {
	__u32 on;
	__u32 verdicts; /* bit per enum fw_verdict */
	__u32 reasons;  /* bit per enum fw_reason */
	__u32 nslots;   /* 0: any */
	__u32 slot[FW_TAP_PICKS]; /* FW_TAP_SLOT() */
	__u32 nifs;     /* 0: any */
	__u32 ifindex[FW_TAP_PICKS];
	__u32 pad;
};
#define FW_TAP_SLOT(slot, dir) ((slot) << 1 | (dir))

/*
 * Flows. A flow is the verdict of its opening packet, kept: as long as the rules still pass that packet and keep state, the
 * packets of the flow pass, both ways. The text of the rules of tracking is in userspace/model/track.h.
 *
 * `a` is the address outside, seen from the hook: the source on ingress, the destination on egress; `b` the other one. So
 * both directions of a connection have one key at one interface, and a forwarded packet has another one where it leaves.
 */
struct fw_flow_key {
	__u32 a[4], b[4]; /* wire order; IPv4 in [0] */
	__u16 pa, pb;     /* ports, wire order. ICMP queries: identifier; type of the request | direction of the request << 8 */
	__u8 proto, l3;
	__u16 zero;
};

/* The opening packet, beside its addresses and ports: with them it can be judged again. */
struct fw_opening {
	__u64 mac;
	__u16 vlan, len, icmp, sport, dport; /* as in struct fw_pkt: host order; icmp: of either family */
	__u8 ttl, dscp, ecn, flags, ext, frag;
};

/*
 * fw_flow.word, changed by compare-and-swap alone: bits 0..39 the tick when it ends (0: free), 40..43 enum fw_flow_state,
 * then FW_FLOWF_*. Bits 48..63 count the uses of the cell.
 */
enum fw_flow_state { FW_FLOW_OPENED, FW_FLOW_REPLIED, FW_FLOW_ESTABLISHED };
#define FW_FLOW_END(word) ((word) & 0xffffffffffull)
#define FW_FLOW_STATE(word) ((word) >> 40 & 15)
#define FW_FLOWF_FIN_OPENER (1ull << 44)
#define FW_FLOWF_FIN_OTHER (1ull << 45)
#define FW_FLOWF_EGRESS (1ull << 46) /* opened by a packet on egress */
#define FW_FLOWF_BUSY (1ull << 47)   /* being written: nobody's */
#define FW_FLOW_USES 48
struct fw_flow {
	struct fw_flow_key key;
	__u64 word;
	struct fw_opening opening;
	__u32 generation; /* of the rules that last passed the opening packet, low 32 bits */
	__u32 live;       /* and the bits of live sets in its SETS then */
	__u32 slot;       /* counter slot of the rule */
	__u32 born;       /* tick, low 32 bits */
	__u64 seat;       /* of max-conn: FW_SEAT(); 0: none */
	__u64 packets[2], bytes[2]; /* from the opener, from the other side */
	/* FW_STATEF_WINDOW, by side, the opener's first; where nothing is known all is 0 */
	__u32 seq_end[2]; /* behind the last byte that it sent */
	__u32 win_end[2]; /* behind the last byte that the other side allows */
	__u16 widest[2];  /* its widest window: units of 2^14 bytes */
	__u8 scale[2];    /* of its window: FW_SCALE_* */
	__u8 known[2];    /* FW_SIDE_* */
};
#define FW_SIDE_KNOWN 1u   /* seq_end, widest */
#define FW_SIDE_EXACT 2u   /* from its SYN on: nothing that it sent has been missed */
#define FW_SIDE_LIMITED 4u /* win_end */
#define FW_SIDE_AWAITS 8u  /* the opener's: it sent a SYN though both sides were known */
#define FW_SCALE_UNKNOWN 0u
#define FW_SCALE_NONE 1u
#define FW_SCALE_OF(n) ((n) + 2u)
#define FW_FLOW_WAYS 8
#define FW_PEND_INGRESS 6 /* ways of a set for half-open flows that those opened from outside may use */
#define FW_PEND_PROTECT FW_TICKS(1) /* a half-open flow is not evicted before this age */
/*
 * A set. The table is an array of them: flow_mask + 1 for established flows, then pend_mask + 1 for half-open ones. A key with hash
 * h stands in set h & mask or (h >> 32) & mask of its part, with tag (h >> 16 | 1). tag 0: never used.
 */
struct fw_flow_set {
	__u32 tag[FW_FLOW_WAYS];
	struct fw_flow way[FW_FLOW_WAYS];
};

/*
 * Limits of single rules: __u64 per counter slot and direction, index slot * 2 + direction. Keyed limits and seats of
 * max-conn: cells in sets, found by a hash of 64 bits (with the policy's secret) of rule and key. A cell whose time is past is
 * free: a full bucket and no bucket are the same.
 */
struct fw_bucket {
	__u64 tag;
	__u64 until; /* GCRA: theoretical arrival time, units of 2^-6 ns. Seats: tick << 26, when the flow ends */
};
#define FW_SEAT(tag, cell) (((tag) & ~0xfffffull) | ((cell) + 1)) /* cell: set * FW_BUCKET_WAYS + way */
#define FW_BUCKET_WAYS 8
#define FW_BUCKET_SETS 8192 /* 65,536 cells, 1 MB */
struct fw_bucket_set {
	struct fw_bucket way[FW_BUCKET_WAYS];
};
#define FW_LIMIT_CELLS (2 * FW_MAX_SLOTS) /* and those of `log limit`, in a map of their own: slots of reasons have buckets there, too */
#define FW_LIMIT_REJECT 0 /* cell: answers of `reject` per second, all rules of a direction: FW_LIMIT_REJECT + direction */
#define FW_REJECT_RATE 1000 /* RFC 4443 2.4 (f), RFC 1812 4.3.2.8 */
#define FW_REJECT_BURST 100

/*
 * Live sets of a namespace, shared by its policies. A set has an id, by which images name it, and a place: the bit of its
 * members. Replacing a set fills a free place and changes place[id].
 */
#define FW_LIVE_PLACES (FW_MAX_LIVE + 1)
#define FW_LIVE_NOWHERE 255
struct fw_live_place {
	__u32 count;   /* elements, ended ones too until they are reaped */
	__u32 size;
	__u32 flags;   /* FW_LIVEF_* */
	__u32 refused; /* elements that a rule wanted to add and found no room for */
	__u64 timeout_ns;
};
struct fw_live_ctl {
	__u8 place[16]; /* by id; FW_LIVE_NOWHERE: no such set */
	__u32 hosts;    /* elements in the hashes and tries, of all sets: nothing is looked up while both are 0 */
	__u32 prefixes;
	__u32 wide6;    /* an IPv6 prefix shorter than /32 is there: the filter knows nothing of it */
	__u32 reserved;
	struct fw_live_place at[FW_LIVE_PLACES];
};
/* An element, by host (hash; key in wire order) or prefix (LPM trie: struct bpf_lpm_trie_key). */
struct fw_live {
	__u64 members; /* bit place; FW_LIVE_DEAD: being deleted, add it anew */
	__u64 end_ns[FW_LIVE_PLACES]; /* by place, of the policies' clock; ~0: never */
	__u32 plen;    /* of a prefix */
	__u32 reserved;
};
#define FW_LIVE_DEAD (1ull << 63)
/* Per-element counters: a per-CPU hash. */
struct fw_live_count_key {
	__u32 addr[4]; /* wire order; IPv4 in [0] */
	__u32 plen;    /* of the family; 32 and 128: hosts */
	__u32 l3;      /* enum fw_l3 */
};
/*
 * In front: a bit that is clear says that no element covers the address. IPv4: a bit per /24. IPv6: hash of the first 64
 * bits (elements of /64 and longer), hash of the first 32 (elements of /32 to /63).
 */
#define FW_LIVE_FILTER4 (1u << 24)
#define FW_LIVE_FILTER6 (1u << 20) /* bits of each of the two */
struct fw_live_filter {
	__u64 net4[FW_LIVE_FILTER4 / 64];
	__u64 net6[2][FW_LIVE_FILTER6 / 64]; /* by first 64, by first 32 bits */
};
/* The hash of the filter, the same on both sides. bits: 64 or 32 leading ones, host order. */
#define FW_LIVE_HASH6(bits) ((__u32)((__u64)(bits) * 0x9e3779b97f4a7c15ull >> 44))

/*
 * Meta: what user space wants to know of a running generation. Strings are
 * NUL-terminated and named by their offset from the start of `struct fw_meta`.
 * The text of the policy stands there once: each of its lines ends with a NUL, so that a rule names its part of it.
 */
struct fw_meta {
	__u32 policy;                 /* string: name */
	__u32 source;                 /* string: file as given */
	__u32 rules[FW_DIR_COUNT];    /* struct fw_meta_rule[dir[].nrules], offset from fw_meta */
	__u32 text;                   /* the policy in canonical text, text_len bytes of lines, NUL for newline */
	__u32 strings_end;            /* end of everything above: struct fw_base follows, 8-aligned */
	__u32 nbases;
	__u32 text_len;
};

#define FW_RULEF_ESSENTIAL 1u
#define FW_RULEF_NEVER 2u /* can never match */
struct fw_meta_rule {
	__u32 id;    /* string: identity: label, else canonical text, "#n" added to repeats */
	__u32 text;  /* string: canonical text, the end of a line of fw_meta.text */
	__u32 file;  /* string */
	__u32 line;
	__u32 label; /* string, "" when none */
	__u32 flags;
	__u32 slot;  /* same as its action's */
	__u32 verdict;
};

/*
 * Counter bases. What a counter shows = sum over its maps and CPUs - base.
 * A slot given to a new rule keeps its old number: the publisher records it
 * here, so that the switch of generations is also the switch of the bases.
 * FW_BASE_RETIRED + verdict: packets of rules that are gone, added to the totals.
 * FW_BASE_DEAD(verdict) | slot: this generation took the rule away. Packets may count there until the switch, so its
 * number joins the retired ones only in the generation after this one; till then value - base belongs to them.
 */
struct fw_base {
	__u32 map_id; /* the first counter map of the interface and hook it belongs to */
	__u32 slot;   /* or FW_BASE_RETIRED + verdict, or FW_BASE_DEAD(verdict) | slot */
	__u64 packets;
	__u64 bytes;
};
#define FW_BASE_RETIRED 0xffffff00u /* + enum fw_verdict */
#define FW_BASE_DEAD(verdict) (((verdict) + 1u) << 24)
#define FW_BASE_SLOT(field) ((field) & 0xffffffu)
#define FW_BASE_DEAD_OF(field) ((field) >> 24) /* 0: alive; else 1 + verdict */

#ifndef __bpf__
#define FW_ASSERT_SIZE(type, n) _Static_assert(sizeof(type) == (n), "size of " #type)
#else
#define FW_ASSERT_SIZE(type, n) _Static_assert(sizeof(type) == (n), "size")
#endif
FW_ASSERT_SIZE(struct fw_dir_hdr, 168 + 8 * FW_DIM_COUNT);
FW_ASSERT_SIZE(struct fw_state_opts, 56);
FW_ASSERT_SIZE(struct fw_image, 184 + 2 * sizeof(struct fw_dir_hdr));
FW_ASSERT_SIZE(struct fw_live_ref, 24);
FW_ASSERT_SIZE(struct fw_extra, 56);
FW_ASSERT_SIZE(struct fw_log, 24);
FW_ASSERT_SIZE(struct fw_cell, 24);
FW_ASSERT_SIZE(struct fw_event, 128);
FW_ASSERT_SIZE(struct fw_event_cpu, 64);
FW_ASSERT_SIZE(struct fw_tap, 144);
FW_ASSERT_SIZE(struct fw_tap_ctl, 88);
FW_ASSERT_SIZE(struct fw_flow_key, 40);
FW_ASSERT_SIZE(struct fw_opening, 24);
FW_ASSERT_SIZE(struct fw_flow, 152);
FW_ASSERT_SIZE(struct fw_bucket, 16);
FW_ASSERT_SIZE(struct fw_live, 88);
FW_ASSERT_SIZE(struct fw_live_count_key, 24);
FW_ASSERT_SIZE(struct fw_live_ctl, 248);
FW_ASSERT_SIZE(struct fw_action, 8);
FW_ASSERT_SIZE(struct fw_node, 16);
FW_ASSERT_SIZE(struct fw_entry, 16);
FW_ASSERT_SIZE(struct fw_part, 8);
FW_ASSERT_SIZE(struct fw_rank, 40);
FW_ASSERT_SIZE(struct fw_skip6, 48);
FW_ASSERT_SIZE(struct fw_block, 32);
FW_ASSERT_SIZE(struct fw_block_rec, 16);
FW_ASSERT_SIZE(struct fw_counter, 16);
FW_ASSERT_SIZE(struct fw_ctl, 168);
FW_ASSERT_SIZE(struct fw_cfg, 64);
FW_ASSERT_SIZE(struct fw_trace, 32);
FW_ASSERT_SIZE(struct fw_meta, 32);
FW_ASSERT_SIZE(struct fw_meta_rule, 32);
FW_ASSERT_SIZE(struct fw_base, 24);

#endif

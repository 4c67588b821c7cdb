/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the oracle remembers between packets: a clock, flows, limits, live sets. Unbounded lists, searched from one end to the
 * other; the datapath's tables share nothing with them but the text below.
 *
 * A flow is the verdict of its opening packet, kept.
 *
 * A frame that cannot be parsed meets what it always met (packet.h, eval_frame): no flow is looked for. All that follows holds
 * in a direction without a block, too: there packets of flows pass as "established" and "related" and move them on, and packets
 * of no flow pass as "default". "Ends at once" means: the flow is none from now on, and its seat (9) is free. A packet has
 * "SYN and without ACK" whatever its other flags are, unless they are named.
 *
 *  1. The key. Packets of IPv4 and IPv6 whose FRAG is not LATER have one, unless said otherwise: family, protocol, addresses and
 *     ports; neither VLAN nor interface. Its `a` is the source on ingress and the destination on egress, `b` the other address, and
 *     likewise the ports (TCP, UDP, SCTP). ICMP queries (request / reply types of any code: 8/0, 13/14, 15/16, 17/18; ICMPv6 128/129):
 *     the identifier, the type of the request and the direction in which the request travels. ICMP is protocol 1 in IPv4 and ICMPv6
 *     58 in IPv6; these numbers in the other family, and all other protocols: no ports. ICMP errors (3, 4, 5, 11, 12; ICMPv6 1 to 4)
 *     have no key of their own: see 6. Other ICMP and ICMPv6 types have none.
 *  2. A packet belongs to the flow of its key that has not ended (clock < end, both in ticks of 2^20 ns: now_ns >> 20). It is of the
 *     opener's side when it travels in the direction in which the flow was opened.
 *     A TCP packet of the opener with SYN and without ACK whose flow has FIN of both sides ends that flow, and belongs to none.
 *  3. The flow is judged before the packet: the opening packet, as it was, with state NEW, by the rules that are now in force, live
 *     sets as they are now, in the direction of the opening. Nothing counts, and no limit is asked. When these do not pass it by a
 *     rule that keeps state, or there is no longer such a block, the flow ends at once, and the packet belongs to none. (A flow is
 *     judged when one of its packets or an error about it comes, at no other time: what was banned and forgiven in between was not
 *     banned for it.)
 *  4. A packet of a flow has state ESTABLISHED. When the rules of its direction name established or related (some rule's condition
 *     on STATE has one of the two; essentials have none), they are asked, and a rule that matches decides, an essential one
 *     too, with its limits (9); `count` rules count. Else, and when none matches, the packet passes with reason "established". A
 *     packet that passes, for whatever reason, moves the flow on (7); one that is dropped or rejected changes nothing about it.
 *  5. Packets of no flow. TCP: NEW with SYN and without ACK, RST, FIN; also with ACK and without SYN, RST while mid-stream pickup
 *     is on (now_ns - table made < pickup in ns, or `always`); else INVALID. ICMP: NEW (types without a key, too), but for replies (0,
 *     14, 16, 18, 129) and errors, which are INVALID. Others: NEW. Later fragments: NONE. What is not IP: NONE.
 *  6. An ICMP error quotes a packet: behind the 8 bytes of its header, an IPv4 header (version 4, ihl >= 5, offset 0) or an IPv6
 *     header whose next header is no extension header (0, 43, 44, 51, 60), and 8 bytes behind the header. Lengths and checksums in
 *     it are not looked at. The quoted packet travelled the other way, from the address to which the error goes:
 *     when its source is not the destination of the error, or it is not of the error's family, or some of that is cut off by the
 *     packet's end, the error is INVALID. Else it is RELATED when the quoted packet's key has a flow that has not ended (a quoted
 *     ICMP message: queries alone; the request and its direction as in 1), which is judged as in 3; else INVALID. RELATED packets
 *     pass as in 4 with reason "related"; they move nothing.
 *  7. Moving on. States: OPENED, REPLIED, ESTABLISHED. Not for a packet that rules dropped.
 *     Other side: OPENED → REPLIED (TCP: only with SYN or ACK, without RST). Opener: REPLIED → ESTABLISHED (TCP: only with ACK,
 *     without RST). With `asymmetric`, a TCP packet of the opener with ACK and without SYN, RST: OPENED → ESTABLISHED.
 *     TCP: FIN without RST is remembered by side.
 *     Then the end = clock + timeout, in ticks (the timeout: seconds * 10^9 >> 20). The first that fits. TCP opener's packet with SYN
 *     and without ACK, RST of a flow that was ESTABLISHED before it: the end stays. TCP with RST: closed. TCP: FIN of both sides:
 *     closed; of one: closing; ESTABLISHED: established; else syn. UDP: udp when ESTABLISHED, else udp new. ICMP queries: icmp. SCTP
 *     and the rest: other when ESTABLISHED, else other new. The end may come nearer by that.
 *  8. Opening. A packet with a key and state NEW that a rule with `keep state` passes opens a flow: OPENED; then it moves the flow on
 *     as in 7 (its FIN is remembered; with `asymmetric` one that was picked up makes it ESTABLISHED). What passed by `else pass`
 *     opens none.
 *  9. Limits are asked when a rule has matched and decides, in this order: limit, max-conn, room for the flow. What an earlier one
 *     took is not given back.
 *     A limit is a bucket per rule and key (limit.h: one number, which stays when a new generation gives the rule other numbers).
 *     A packet takes 1, or its bytes (of the frame, as counters count them); when the bucket has less, it takes nothing and the
 *     packet is over. Keys: `per src` and `dst`: family, prefix length, the address's first bits; what is not IP has one. `per flow`: the
 *     key of 1; packets without one: family, protocol, addresses as in 1, ports 0; what is not IP has one.
 *     max-conn, only when the packet would open a flow: seats 0 .. max_conn - 1 per rule and source (its family, prefix length,
 *     first bits); the flow takes the lowest that is free, and has it until it ends, whatever rule passes it by then. All
 *     taken: over.
 *     Over: reason "limit" or "max-conn", drop or (else pass) pass; with `else ban` the source of the packet enters the set for that
 *     long, or longer when it is there for longer. What is not IP is not banned.
 *     Buckets and seats belong to their rule's identity (direction, verdict, label or text, and which of its namesakes in the block
 *     it is), so they survive other rules. Of a rule that was away for a generation nothing is said.
 * 10. Live sets. An address is a member when an element of the set that has not ended (now_ns < end_ns) covers it. Elements are
 *     known by address and prefix length; one that is added again gets the later end. In a set that widens, an IPv6 host is its
 *     /64, when added, deleted and banned. Of tables without room nothing is said here: these have room.
 * 11. With `window`, numbers of TCP are looked at. A packet of a flow is, beside its flags: seq; its end = seq + payload (from the data
 *     offset to the packet's end) + 1 with SYN + 1 with FIN; with ACK its ack; its window, and, with SYN, the shift of the first window
 *     scale option (kind 3, length 3, at most 14; options end at kind 0 and where one's length is below 2 or leads out of the header).
 *     Numbers are of 32 bits; "x beyond y": (x - y) mod 2^32 is 1 .. 2^31 - 1. After G. van Rooij, "Real Stateful TCP Packet Filtering
 *     in IP Filter". Of each side a flow remembers:
 *     end: the greatest end of a packet of it; none: the side is unknown. exact: from its SYN on, so the other can have seen no more.
 *     limit: the greatest ack + window of the other side, or none. widest: its own greatest window, in bytes, rounded up to a multiple
 *     of 2^14, at most 65535 of these. scale: the shift of its first packet, none without the option, unknown without SYN.
 *     A window counts as it stands with SYN; else it is shifted: by 0 when either side has none; else by the sender's scale; by 14 when
 *     that is unknown. reach of a side: its widest, at least 2^16; 65535 * 2^14 of an unknown side.
 *     A packet that is outside is dropped with reason "tcp-window" and state ESTABLISHED, without a question to the rules, also in a
 *     direction without a block, and changes nothing. That is asked behind 3, of a packet of side S, the other being O:
 *     a. with SYN and without ACK, RST, by the opener: inside. (A new connection, which the other end may refuse.)
 *     b. RST: inside while O is unknown. Else, when S is unknown: with ACK as f says; without, outside unless S has a limit, seq is not
 *        beyond it and limit - reach of O is not beyond seq. Else outside when S has a limit and seq is beyond it, when end of S - reach of
 *        O is beyond seq, and with ACK when f says so. But the other side's RST with ACK is inside while 12 b waits for an answer.
 *     c. S is unknown, O is exact, no SYN: inside. (Nobody who opens takes such a packet, and his RST shall come.)
 *     d. SYN and ACK of the other side while 12 b waits for an answer: inside.
 *     e. All others: outside when S has a limit and the packet's end is beyond limit + 1 (a probe of a closed window, or a FIN), when S
 *        is known and its end - reach of O is beyond the packet's end, and with ACK when f says so.
 *     f. Nothing when O is unknown. Else outside when ack is beyond the end of O, when O is not exact: only when it has a limit, and ack
 *        is beyond that, too; and when end of O - reach of S (with SYN: 2^16) is beyond ack.
 * 12. A packet that moves the flow on (7, and the one that opens it) tells numbers, unless it has RST:
 *     a. As 11 a, O is unknown: S begins anew, all it was is unknown, no limit; then as e.
 *     b. As 11 a, O is known: it tells nothing, but an answer is waited for.
 *     c. As 11 c: it tells nothing.
 *     d. As 11 d, when e of 11 calls it outside: both begin anew. The end of O is ack; O is not exact, its widest is 65535 units and its
 *        scale unknown. Then as e. Nothing is waited for.
 *     e. S unknown: its end is the packet's; with SYN it is exact and has the scale of the packet. Else its end is the packet's when
 *        that is beyond. FRAG FIRST: S is exact no longer (the rest cannot be seen). Then, window as above: the widest of S, and with ACK
 *        the limit of O, each when it is greater, or beyond, or the first. A packet of the opener without SYN: nothing is waited for.
 * 13. When a flow is judged (3) by a policy without `window`, all its numbers are unknown again, and no answer is waited for.
 */
#ifndef FW_MODEL_TRACK_H
#define FW_MODEL_TRACK_H

#include "model/eval.h"

/* Numbers of struct state_opts.timeout_s; same order as FW_TIMEOUTS in <fw/abi.h> (userspace/compile asserts it). */
enum track_timeout {
	TRACK_TCP_SYN,
	TRACK_TCP_ESTABLISHED,
	TRACK_TCP_CLOSING,
	TRACK_TCP_CLOSED,
	TRACK_UDP_NEW,
	TRACK_UDP,
	TRACK_ICMP,
	TRACK_OTHER_NEW,
	TRACK_OTHER,
	TRACK_TIMEOUTS
};
/* "tcp established", …: as written in `state { }`. */
const char *track_timeout_words(enum track_timeout t);

struct track;
/*
 * Empty tables, made at this time. NULL: no memory. Clocks end at 2^58 ns. One that starts at 0 and goes on to TRACK_LATER_NS at
 * once has tables older than any pickup but `always`: what `test` blocks mean.
 */
#define TRACK_LATER_NS (1ull << 57) /* four years and a half */
struct track *track_new(uint64_t now_ns);
void track_free(struct track *t);
static inline void track_freep(struct track **t)
{
	track_free(*t);
}
/* The clock goes forward only. */
void track_clock(struct track *t, uint64_t now_ns);
uint64_t track_now(const struct track *t);

/*
 * Judge a frame by the policy in force, whose `track` may be false: then limits and live sets alone are looked at. A policy
 * handed in after another one is the next generation of the same: rules are known by identity, live sets by name. 0, or -ENOMEM.
 */
int track_frame(struct track *t, const struct policy *policy, enum direction dir, const uint8_t *frame, size_t len,
		const struct packet_meta *meta, void (*counted)(void *ctx, size_t rule), void *ctx, struct eval_result *ret);

/* The same, and what else there is to say of the packet. */
struct track_said {
	bool parsed;	      /* `packet` is there: as the rules saw it, with its state and live sets */
	struct packet packet;
	bool opened;	      /* a flow */
	bool limited;	      /* the rule's limit was asked: */
	uint64_t limit_left;  /*   so many packets, or bytes, are left of it now */
	uint64_t limit_wait_ns; /* over it: till this packet would find room; UINT64_MAX: never */
	bool seated;	      /* max-conn was asked, and gave the seat of this number: */
	unsigned int seat;
	const struct named_set *banned; /* the source was put there; NULL: no */
};
int track_frame_said(struct track *t, const struct policy *policy, enum direction dir, const uint8_t *frame, size_t len,
		     const struct packet_meta *meta, void (*counted)(void *ctx, size_t rule), void *ctx, struct eval_result *ret,
		     struct track_said *ret_said);

/*
 * For many packets: from now on hash tables are asked instead of lists, and a shortlist instead of each rule of this policy, which
 * must stay as it is till the next call. Another policy may be handed in meanwhile, at the old pace. Same answers. 0 or -ENOMEM.
 */
int track_quicken(struct track *t, const struct policy *policy);

/* Elements: `set` is known by name. end_ns: UINT64_MAX: never. plen of the family. Host bits are ignored. 0 or -ENOMEM. */
int track_set_add(struct track *t, const struct named_set *set, enum family family, u128 addr, unsigned int plen, uint64_t end_ns);
void track_set_del(struct track *t, const struct named_set *set, enum family family, u128 addr, unsigned int plen);
bool track_set_has(const struct track *t, const struct named_set *set, enum family family, u128 addr);
/* Flows that have not ended. */
size_t track_flows(const struct track *t);

#endif

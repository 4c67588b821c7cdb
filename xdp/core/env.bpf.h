/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The seam between the datapath and the world it runs in. The BPF build reaches the kernel through helpers; any other
 * build (tests) supplies the same few functions, so that the very same source runs under sanitizers.
 *
 * A BPF program that includes the core says first which context it gets:
 *   #define FW_ENV_XDP or #define FW_ENV_TC
 */
#ifndef FW_CORE_ENV_H
#define FW_CORE_ENV_H

#include <fw/abi.h>
#include <fw/names.h>

#ifdef __bpf__

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#define FW_BE16(x) __builtin_bswap16(x)
#define FW_BE32(x) __builtin_bswap32(x)
#define FW_BE64(x) __builtin_bswap64(x)
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the datapath is written for little-endian machines"
#endif

/* Constants of this loaded program: frozen before load, so that the verifier removes what they switch off. */
const volatile struct fw_cfg fw_cfg SEC(".rodata") = { .mask = { 4095, 4095 }, .nslots = 1 };
/*
 * fw_cfg.features, asked for at every turn: as assembly that does nothing but give a number, so that the compiler reads it once
 * and keeps it. A volatile read each time would cost three instructions where nothing is asked for.
 */
static __always_inline __u32 fw_features(void)
{
	__u32 features;

	asm("%0 = fw_cfg ll\n\t%0 = *(u32 *)(%0 + %1)" : "=r"(features) : "i"(__builtin_offsetof(struct fw_cfg, features)));
	return features;
}
#define FW_FEATURES fw_features()

/* Aligned or not, one load: every kernel that runs this has fast unaligned access, and clang would split packed fields. */
#define FW_GET16(p) (*(const __u16 *)(p))
#define FW_GET32(p) (*(const __u32 *)(p))
#define FW_GET64(p) (*(const __u64 *)(p))

/* Hide a value's origin from the compiler, so that it keeps the one register that the verifier knows to be checked. */
#define FW_OPAQUE(x) asm volatile("" : "+r"(x))
/* What was read before is read again behind it. The verifier knows what memory gave at a branch, not what it gives anew. */
#define FW_FORGET() asm volatile("" ::: "memory")
#define FW_NO_UNROLL _Pragma("clang loop unroll(disable)")
#define FW_UNROLL _Pragma("clang loop unroll(full)")
#define FW_GLOBAL __attribute__((noinline))

#define fw_env_lookup(map, key) bpf_map_lookup_elem(map, key)
/* The same in hashes and tries, whose keys are of other types. */
#define fw_env_find(map, key) bpf_map_lookup_elem(map, key)
/* Add an element that is not there: 0, or -EEXIST, -E2BIG, -ENOMEM. */
#define fw_env_add(map, key, value) bpf_map_update_elem(map, key, value, BPF_NOEXIST)
#define fw_env_jiffies() bpf_jiffies64()
#define fw_env_ktime() bpf_ktime_get_ns()
#define fw_env_cpu() bpf_get_smp_processor_id()
#define fw_env_random() bpf_get_prandom_u32()
#define fw_env_loop(n, fn, arg) bpf_loop(n, fn, arg, 0)
#ifdef FW_ENV_TC
#define FW_CTX struct __sk_buff
#define FW_ENV_HOOK (fw_cfg.dir & 1 ? FW_HOOK_TC_EGRESS : FW_HOOK_TC_INGRESS)
#define fw_env_load(ctx, off, buf, n) bpf_skb_load_bytes(ctx, off, buf, n)
#define fw_env_len(ctx) ((ctx)->len)
#define fw_env_ifindex(ctx) ((ctx)->ifindex)
#define fw_env_vlan_tci(ctx) ((ctx)->vlan_present ? (ctx)->vlan_tci : 0)
#define fw_env_vlan_proto(ctx) ((ctx)->vlan_present ? FW_BE16((ctx)->vlan_proto) : 0)
#else
#define FW_CTX struct xdp_md
#define FW_ENV_HOOK FW_HOOK_XDP
#define fw_env_load(ctx, off, buf, n) bpf_xdp_load_bytes(ctx, off, buf, n)
#define fw_env_len(ctx) bpf_xdp_get_buff_len(ctx)
#define fw_env_ifindex(ctx) ((ctx)->ingress_ifindex)
#define fw_env_vlan_tci(ctx) 0
#define fw_env_vlan_proto(ctx) 0
#endif

#define FW_PUT16(p, x) (*(__u16 *)(p) = (x))

/* Frames that become answers: make it n bytes long, of any content; write its first n bytes. */
#ifdef FW_ENV_TC
#define fw_env_store(ctx, buf, n) bpf_skb_store_bytes(ctx, 0, buf, n, BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH)
/*
 * The kernel may have left the checksum to the device, whose place is remembered (CHECKSUM_PARTIAL), and would write into the
 * answer. It forgets that when the place is pulled off the front: so a little more than what stands before L4 is added
 * and taken away. Where it cannot (tags in the frame), the answer is right on all ways on which such frames are not
 * checked.
 */
static __always_inline long fw_env_resize(struct __sk_buff *ctx, __u32 n, __u32 was, __u32 l4_off)
{
	__u32 more = (l4_off & 511) + 8;

	if (bpf_skb_change_tail(ctx, n + more, 0))
		return -1;
	if (!bpf_skb_adjust_room(ctx, -(__s32)more, BPF_ADJ_ROOM_MAC, 0))
		return 0;
	return bpf_skb_change_tail(ctx, n, 0);
}
#else
#define fw_env_store(ctx, buf, n) bpf_xdp_store_bytes(ctx, 0, buf, n)
/* There is always room in front, not always behind. */
static __always_inline long fw_env_resize(struct xdp_md *ctx, __u32 n, __u32 was, __u32 l4_off)
{
	if (n > was)
		return bpf_xdp_adjust_head(ctx, (__s32)(was - n));
	return n < was ? bpf_xdp_adjust_tail(ctx, (__s32)(n - was)) : 0;
}
#endif
/* The cookie in the low 32 bits, the MSS above; negative: none. `ip`: the header, `tcp`: n bytes of it. And: 0 when it holds. */
#define fw_env_cookie4(ip, tcp, n) bpf_tcp_raw_gen_syncookie_ipv4((void *)(ip), (void *)(tcp), n)
#define fw_env_cookie6(ip, tcp, n) bpf_tcp_raw_gen_syncookie_ipv6((void *)(ip), (void *)(tcp), n)
#define fw_env_cookie4_check(ip, tcp) bpf_tcp_raw_check_syncookie_ipv4((void *)(ip), (void *)(tcp))
#define fw_env_cookie6_check(ip, tcp) bpf_tcp_raw_check_syncookie_ipv6((void *)(ip), (void *)(tcp))

#else /* the host */

#include <stddef.h>
#include <string.h>

#define FW_BE16(x) __builtin_bswap16(x)
#define FW_BE32(x) __builtin_bswap32(x)
#define FW_BE64(x) __builtin_bswap64(x)

extern struct fw_cfg fw_cfg;
#define FW_FEATURES fw_cfg.features

#define FW_GETN(type, p)                                                                                               \
	({                                                                                                             \
		type got_;                                                                                             \
		memcpy(&got_, (p), sizeof(got_));                                                                      \
		got_;                                                                                                  \
	})
#define FW_GET16(p) FW_GETN(__u16, p)
#define FW_GET32(p) FW_GETN(__u32, p)
#define FW_GET64(p) FW_GETN(__u64, p)

#define FW_OPAQUE(x) ((void)(x))
#define FW_FORGET() ((void)0)
#define FW_NO_UNROLL
#define FW_UNROLL
#define FW_CTX void
#define FW_GLOBAL __attribute__((noinline))
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/* The element, or NULL; `map` is the address of one of the objects in maps.bpf.h. */
void *fw_env_lookup(const void *map, const __u32 *key);
void *fw_env_find(const void *map, const void *key);
long fw_env_add(const void *map, const void *key, const void *value);
__u64 fw_env_jiffies(void);
__u64 fw_env_ktime(void);
__u32 fw_env_cpu(void);
__u32 fw_env_random(void);
/* Call fn(i, arg) for i in 0..n-1 until it returns 1. */
long fw_env_loop(__u32 n, long (*fn)(__u32 i, void *arg), void *arg);
/* Copy n bytes of the frame from off, whether linear or not. 0 or a negative errno. */
long fw_env_load(void *ctx, __u32 off, void *buf, __u32 n);
__u32 fw_env_len(void *ctx);
__u32 fw_env_ifindex(void *ctx);
/* The tag that TC holds beside the bytes, and its ethertype; 0: none. */
__u32 fw_env_vlan_tci(void *ctx);
__u32 fw_env_vlan_proto(void *ctx);
#define FW_ENV_HOOK (fw_cfg.dir & 1 ? FW_HOOK_TC_EGRESS : FW_HOOK_XDP)

#endif

/* One word that several CPUs change. What stood there before. */
#define fw_swap(p, old, new) __sync_val_compare_and_swap(p, old, new)
#define fw_add(p, n) __sync_fetch_and_add(p, n)
#define fw_or(p, bits) __sync_fetch_and_or(p, bits)
/* Store; what was written before it, and what is written behind it, stays there for every CPU. */
#define fw_exchange(p, new) __atomic_exchange_n(p, new, __ATOMIC_SEQ_CST)

/*
 * In global functions of a feature: Linux before 6.8 walks them even where nobody calls them, so what they do is cut off there, too.
 */
#define FW_NEEDS(feature)                                                                                              \
	do {                                                                                                           \
		if (!(FW_FEATURES & (feature)))                                                                        \
			return 0;                                                                                      \
	} while (0)

/* A number of the scratch memory, read again, not remembered: the verifier takes it for any, and steps for alike. */
#define FW_FRESH(x) (*(const volatile __typeof__(x) *)&(x))

#define fw_likely(x) __builtin_expect(!!(x), 1)
#define fw_unlikely(x) __builtin_expect(!!(x), 0)

#endif

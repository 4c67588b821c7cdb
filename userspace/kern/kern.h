/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only door to the kernel. It sees images, names and sizes, never a rule.
 *
 * State lives in bpffs, below FW_PIN_ROOT (root-owned, 0700, checked before any pin is trusted), one directory per
 * network namespace (its cookie), and nowhere else:
 *
 *   fwctl/ns<cookie>/                     flock'ed by every command that changes something
 *     p_<policy>/ctl  s<map id> …         control word and slots; twins (twin.h)
 *     i<ifindex>/info <hook>_link <hook>_c<map id> …   per interface: links and counters
 *
 * Every call returns 0 or a negative errno with its sentence in the struct fail handed to kern_open.
 */
#ifndef FW_KERN_H
#define FW_KERN_H

#include "base/fail.h"
#include "image/image.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

struct kern;

const char *kern_libbpf(void); /* version of the library inside, "1.1" */

/*
 * WRITE takes the lock of the namespace alone, READ shares it with other readers; both wait up to 30 s and hold it until
 * kern_close. So: collect, close, then print or sleep. WRITE also sweeps what a killed command left.
 */
enum kern_access { KERN_READ, KERN_WRITE, KERN_PEEK /* READ that does not wait: -EBUSY without a sentence */ };
enum kern_mode { KERN_MODE_AUTO, KERN_MODE_NATIVE, KERN_MODE_GENERIC };
enum kern_where { KERN_HOOK_AUTO, KERN_HOOK_XDP, KERN_HOOK_TC }; /* where ingress rules run */
enum kern_link { KERN_LINK_XDP, KERN_LINK_TCX, KERN_LINK_CLSACT, KERN_LINK_DISPATCHER };

/*
 * bpffs: NULL for /sys/fs/bpf, which WRITE mounts when it is missing; another path must be a bpffs. KERN_READ with no state yet
 * is fine: everything is empty.
 */
int kern_open(const char *bpffs, enum kern_access access, struct fail *fail, struct kern **ret_kern);
void kern_close(struct kern *k);

struct kern_twin;
/*
 * Asked once per kind of hook before a generation goes live, with a twin that judges by it. `live`: the generation that it
 * follows, checked; NULL when there is none. 0, or a negative errno, with or without a sentence, that ends the change.
 */
struct kern_verify {
	int (*ask)(void *ctx, struct kern_twin *twin, enum fw_hook hook, const struct fw_image *live);
	void *ctx;
};

#define KERN_POLICY_MAX 32
struct kern_load_opts {
	enum kern_mode mode;
	enum kern_where where;
	bool coexist;
	bool clsact; /* TC by a clsact filter even where the kernel has TCX */
	const struct kern_verify *verify; /* NULL: nobody asks */
};

/* What happened, for the command to say. */
struct kern_report {
	bool unchanged;         /* same digest on the same hook: nothing was done */
	uint64_t generation;
	bool reloaded;          /* programs were replaced (tables grew), filtering never stopped */
	bool fell_back;         /* native XDP refused: `why` is the driver's sentence */
	char why[256];
	char note[256];         /* what is not as the file has it, and why; else empty */
	enum fw_hook hook;      /* of the ingress rules */
	enum kern_mode mode;
	unsigned int interfaces; /* apply: how many switched */
	size_t written;          /* bytes of the slot that differed from what stood there */
	uint64_t compile_ns, publish_ns;
	uint64_t verify_ns;      /* of publish_ns */
};

/* Attach interface to policy. The policy may exist (other interfaces): then its digest must be the image's, else -EEXIST. */
int kern_load(struct kern *k, const char *ifname, const char *policy, struct image *img, const struct kern_load_opts *opts,
	      struct kern_report *ret);
/* New generation for every interface of the policy, in one store. -ENOENT when no interface uses it. Nobody asks. */
int kern_apply(struct kern *k, const char *policy, struct image *img, struct kern_report *ret);
/*
 * The same in two halves. Until kern_commit nothing has changed for any packet, and kern_change_free alone leaves it so. The
 * image must stay; the lock is held. Free all changes before kern_close: with them go the live sets that nobody names now.
 */
struct kern_change;
int kern_prepare(struct kern *k, const char *policy, struct image *img, const struct kern_verify *verify, struct kern_change **ret);
int kern_commit(struct kern_change *c, struct kern_report *ret);
void kern_change_free(struct kern_change *c);
/* Detach and forget; also when the interface is gone (by its former name). */
int kern_unload(struct kern *k, const char *ifname);
/* Everything of this namespace, and what namespaces that no longer exist left behind. */
int kern_unload_all(struct kern *k, unsigned int *ret_interfaces);

struct kern_hook_state {
	enum fw_hook hook;
	enum kern_mode mode; /* NATIVE or GENERIC for XDP */
	enum kern_link link;
	bool attached;
	uint32_t prog_id;
};
struct kern_iface_state {
	char name[64];         /* now; the name at load time when the interface is gone */
	unsigned int ifindex;
	bool gone;
	char policy[KERN_POLICY_MAX + 1];
	uint64_t generation;
	uint64_t since_ns;     /* wall clock (CLOCK_REALTIME) of the load */
	char digest[65];
	struct kern_hook_state hook[FW_HOOK_COUNT];
	size_t nhooks;
	char degraded[4][160]; /* sentences; empty when all is well */
	size_t ndegraded;
};
/* All interfaces of this namespace. Array is malloc'ed. */
int kern_state(struct kern *k, struct kern_iface_state **ret, size_t *ret_n);

/* Bytes in the kernel. */
struct kern_memory {
	size_t image;                /* of the live rules of the policy */
	size_t slot_live, slot_idle; /* what the policy's maps take, whatever stands in them */
	size_t counters;             /* of the interface, all its hooks and all CPUs */
	size_t tables;               /* of the policy: flows, limits, events, a tap */
	size_t live;                 /* of the namespace: live sets */
};
int kern_memory(struct kern *k, const struct kern_iface_state *iface, struct kern_memory *ret);

/* A copy of the live image of a policy, checked. */
int kern_image(struct kern *k, const char *policy, struct image *ret);
/* The same with zeros for the tables: what `show` and `stats` want, and a fraction of the bytes. */
int kern_names(struct kern *k, const char *policy, struct image *ret);
/*
 * The live image itself, checked, for reading: it stays as it is while the lock is held. -ENOENT without a sentence when it has
 * fewer than min_len bytes.
 */
struct kern_view;
int kern_view_open(struct kern *k, const char *policy, size_t min_len, struct kern_view **ret, const struct fw_image **ret_image);
void kern_view_close(struct kern_view *v);

/* Counters of an interface's hook as they show (bases applied), index = slot.
 * retired[verdict]: packets of rules that are gone. malloc'ed. */
struct kern_counters {
	struct fw_counter *v;
	uint64_t *last_ns; /* of the last packet in the slot since it has the rule that it has: CLOCK_MONOTONIC, to a timer tick; 0: none */
	uint64_t any_ns; /* of the last packet in any slot, those of rules that are gone included */
	size_t n;
	struct fw_counter retired[FW_VERDICT_COUNT];
};
int kern_counters(struct kern *k, const struct kern_iface_state *iface, const struct fw_image *live, enum fw_hook hook,
		  struct kern_counters *ret);
void kern_counters_fini(struct kern_counters *c);

/*
 * The twin: the same program on the same tables, with counters of its own, judging frames handed in. Opened on a policy
 * (live generation) and a hook.
 */
int kern_twin_open(struct kern *k, const char *policy, enum fw_hook hook, struct kern_twin **ret);
/* A twin over an image that is in no kernel table yet (tests, verified apply, bench). Needs no kern state. */
int kern_twin_open_image(const struct image *img, enum fw_hook hook, struct fail *fail, struct kern_twin **ret);
void kern_twin_close(struct kern_twin *t);
/* linear: XDP: bytes in the linear part (0: all). ret->verdict etc. as the program traced them. */
int kern_twin_run(struct kern_twin *t, const uint8_t *frame, size_t len, size_t linear, struct fw_trace *ret);
/* What the next runs take for granted (FW_GIVEN_* of <fw/abi.h>); NULL: nothing. A twin of a policy writes to no table of it. */
struct kern_given {
	uint32_t given; /* FW_GIVEN_* */
	enum fw_state state;
	uint32_t live;
	uint64_t now_ns;
	uint64_t state_ns; /* when the flow table was made; 0: when it was */
};
void kern_twin_given(struct kern_twin *t, const struct kern_given *given);
/*
 * Another twin over the tables of one that kern_twin_open_image made: same slots, flows, limits, live sets, another hook. Twins over
 * an image write to these tables; the first must be closed last.
 */
int kern_twin_open_beside(struct kern_twin *first, enum fw_hook hook, struct kern_twin **ret);
/* Put another image into the idle slot of such twins and make it live (tests of swaps). Slots must be large enough. */
int kern_twin_swap(struct kern_twin *first, const struct image *img);
/* The live sets of such a twin, by the index in its image: see kern_live_open. */
struct kern_live;
int kern_twin_live(struct kern_twin *first, struct kern_live **ret);
int kern_twin_prog_fd(const struct kern_twin *t); /* for BPF_PROG_TEST_RUN by tests and bench */
int kern_twin_counters(const struct kern_twin *t, struct kern_counters *ret);

/*
 * Live sets of the namespace. One that no policy names any more is gone with the apply or unload that took it away.
 */
#define KERN_SET_NAME 63
#define KERN_REASON_MAX 95
struct kern_set {
	char name[KERN_SET_NAME + 1];
	uint32_t id;
	uint32_t size, count; /* count: as the datapath sees it, ended elements included until they are reaped */
	uint32_t flags;       /* FW_LIVEF_* */
	uint32_t refused;     /* elements that a rule could not add: full */
	uint64_t timeout_ns;
};
struct kern_element {
	uint8_t l3;           /* FW_L3_IPV4 or FW_L3_IPV6 */
	uint8_t plen;
	uint32_t addr[4];     /* wire order; IPv4 in [0]; bits behind the prefix are 0 */
	uint64_t end_ns;      /* CLOCK_MONOTONIC; UINT64_MAX: never. On add, 0: the set's timeout */
	uint64_t added_ns;    /* CLOCK_REALTIME; 0: a rule added it */
	struct fw_counter counter; /* sets with counters */
	char reason[KERN_REASON_MAX + 1];
};
/* Opened with a kern (READ: for list and test; WRITE to change). -ENOENT: no policy has brought one to this namespace. Reaps nothing. */
int kern_live_open(struct kern *k, struct kern_live **ret);
void kern_live_close(struct kern_live *l);
/* All sets, by name. malloc'ed. */
int kern_live_sets(struct kern_live *l, struct kern_set **ret, size_t *ret_n);
/*
 * Add or prolong (the later end counts). In batches inside; *ret_added: how many were not there. An element that finds the set full
 * ends the call with -ENOSPC and a sentence that names set, size and how many went in; ended elements are reaped first. force_end:
 * the end replaces an earlier one even when it is sooner.
 */
int kern_live_add(struct kern_live *l, uint32_t id, const struct kern_element *e, size_t n, bool force_end, size_t *ret_added);
int kern_live_del(struct kern_live *l, uint32_t id, const struct kern_element *e, size_t n, size_t *ret_deleted);
/* Is the address covered, and by what (the longest)? -ENOENT without a sentence when not. */
int kern_live_test(struct kern_live *l, uint32_t id, uint8_t l3, const uint32_t addr[4], struct kern_element *ret);
/* Elements that have not ended, sorted by family, address, length. malloc'ed. Reaps when opened with WRITE. */
int kern_live_list(struct kern_live *l, uint32_t id, struct kern_element **ret, size_t *ret_n);
int kern_live_flush(struct kern_live *l, uint32_t id, size_t *ret_n);
/* The set becomes exactly this, in one step for every packet. */
int kern_live_replace(struct kern_live *l, uint32_t id, const struct kern_element *e, size_t n);
/* Give back the room of ended elements of all sets. */
int kern_live_reap(struct kern_live *l, size_t *ret_n);

/* Flows of a policy's table, both states of maturity. */
struct kern_flow {
	struct fw_flow flow;  /* as the datapath has it; key in wire order */
	uint64_t left_ns;     /* until it ends */
	uint64_t age_ns;
	bool pending;         /* in the table of half-open flows */
	uint32_t cell;        /* where: for kern_flows_kill */
};
/* -ENOENT without a sentence: the policy keeps no state. malloc'ed; NULL: count alone. keep: NULL: all. */
int kern_flows(struct kern *k, const char *policy, bool (*keep)(void *ctx, const struct kern_flow *f), void *ctx, struct kern_flow **ret,
	       size_t *ret_n);
/* End them now; a flow that is another one by now is left alone. KERN_WRITE. */
int kern_flows_kill(struct kern *k, const char *policy, const struct kern_flow *f, size_t n, size_t *ret_n);
/* Room of the tables and what is taken. */
struct kern_flow_room {
	uint32_t size, used, pending_size, pending_used;
};
int kern_flows_room(struct kern *k, const char *policy, struct kern_flow_room *ret);

/*
 * Events (struct fw_event) of a policy. A reader has memory and a position of its own: it keeps no packet up and takes nothing from
 * other readers, needs no lock while it reads, and sees the rings to their end when the policy is gone.
 */
struct kern_events;
#define KERN_EVENTS_HELD 1u /* begin with what the rings still hold; else with what comes from now on */
#define KERN_EVENTS_TELL 2u /* add what this reader loses to fw_event_cpu.lost, for all to see */
/* -ENOENT without a sentence: the policy tells of nothing. */
int kern_events_open(struct kern *k, const char *policy, unsigned int flags, struct kern_events **ret);
void kern_events_close(struct kern_events *e);
/*
 * Copy up to n events, CPU after CPU, each CPU's in their order; start at another CPU each time. Returns how many; *ret_lost: how
 * many were overwritten before this reader came to them. Never waits. 0 and nothing lost: there is nothing now.
 */
size_t kern_events_read(struct kern_events *e, struct fw_event *buf, size_t n, uint64_t *ret_lost);
struct kern_event_counts {
	uint64_t generated; /* = written + limited + sampled + capped */
	uint64_t written, limited, sampled, capped;
	uint64_t lost; /* of written: by followers (KERN_EVENTS_TELL) */
};
void kern_events_counts(const struct kern_events *e, struct kern_event_counts *ret);
/* Is the policy's table of events still this one? Else open anew. */
bool kern_events_current(struct kern *k, const char *policy, const struct kern_events *e);
/* Events of a twin over an image, from the first on. -ENOENT without a sentence: its rules tell of nothing. */
int kern_twin_events(struct kern_twin *t, struct kern_events **ret);

/*
 * The tap. While it is on, the policy's programs are others, which copy packets (FW_FEAT_TAP); they are swapped into the links in
 * place and back, and no packet goes by unjudged. One tap per policy at a time: -EBUSY with a sentence that names the process. It ends
 * with its process: the next command that writes puts the programs back. It goes on when rules are applied, interfaces come and tables
 * grow.
 */
struct kern_tap_opts {
	uint32_t verdicts, reasons; /* bits; 0: all */
	const uint32_t *slot;       /* FW_TAP_SLOT(); up to FW_TAP_PICKS */
	size_t nslots;
	const unsigned int *ifindex;
	size_t nifs;
	uint32_t snap;  /* bytes of each packet, 64 .. 65536; rounded up to 8 */
	uint32_t bytes; /* of memory for each CPU's ring, rounded to a power of two of packets, at least 64 packets; 0: 4 MiB */
};
struct kern_tap;
/* KERN_WRITE. Reading needs no lock, so give it back; kern_tap_stop takes a kern that is open for writing again. */
int kern_tap_start(struct kern *k, const char *policy, const struct kern_tap_opts *opts, struct kern_tap **ret);
/* As kern_events_read; `each` gets a copy with caplen bytes behind it, and ends the call by not returning 0. */
size_t kern_tap_read(struct kern_tap *t, int (*each)(void *ctx, const struct fw_tap *p), void *ctx, size_t n, uint64_t *ret_lost);
/* Packets that the filter let through so far. */
uint64_t kern_tap_seen(const struct kern_tap *t);
/* Programs without a tap are back when this returns; what the rings hold can still be read. */
int kern_tap_stop(struct kern *k, struct kern_tap *t);
/* The policy went with its last interface: nothing will come any more. Needs no lock. Also true when it was stopped. */
bool kern_tap_over(const struct kern_tap *t);
/* Without kern_tap_stop, because the lock cannot be had: nothing is copied any more, and the next command that writes does the rest. */
void kern_tap_free(struct kern_tap *t);

#endif

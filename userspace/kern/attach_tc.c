// SPDX-License-Identifier: GPL-2.0-only
#include "kern/attach.h"

#include "base/cleanup.h"
#include "kern/link.h"
#include "kern/log.h"
#include "kern/netlink.h"
#include "kern/object.h"
#include "kern/pin.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <fw/names.h>
#include <linux/pkt_sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Newer than the headers of libbpf 1.1. */
#define ATTACH_TCX_INGRESS 46
#define ATTACH_TCX_EGRESS 47
#define ATTACH_BEFORE (1u << 3) /* BPF_F_BEFORE: in front of all others */

#define FILTER_HANDLE 0x66770001u /* ours: "fw" */
#define FILTER_PRIORITIES 8       /* 1..8: a priority belongs to one kind of classifier */
#define QDISC_PIN "clsact"        /* there: the qdisc is ours to remove */

static int tcx_create(const struct attach *a, int prog_fd, struct fail *fail)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = ATTACH_BEFORE);
	enum bpf_attach_type type = a->hook == FW_HOOK_TC_EGRESS ? ATTACH_TCX_EGRESS : ATTACH_TCX_INGRESS;
	auto_close int link = bpf_link_create(prog_fd, (int)a->ifindex, type, &opts);

	return link < 0 ? link : attach_pin_link(a, link, fail);
}

/* libbpf refuses options whose padding is not zero, and an initializer may leave anything there: hence memset. */
static void tc_init(const struct attach *a, uint32_t priority, struct bpf_tc_hook *ret_hook, struct bpf_tc_opts *ret_opts)
{
	memset(ret_hook, 0, sizeof(*ret_hook));
	ret_hook->sz = sizeof(*ret_hook);
	ret_hook->ifindex = (int)a->ifindex;
	ret_hook->attach_point = a->hook == FW_HOOK_TC_EGRESS ? BPF_TC_EGRESS : BPF_TC_INGRESS;
	memset(ret_opts, 0, sizeof(*ret_opts));
	ret_opts->sz = sizeof(*ret_opts);
	ret_opts->handle = FILTER_HANDLE;
	ret_opts->priority = priority;
}

struct tc_count {
	unsigned int ifindex;
	uint32_t parent; /* of what is counted */
	int n;
};

static void tc_count_begin(void *ctx)
{
	((struct tc_count *)ctx)->n = 0;
}

static int tc_count_one(const struct nlmsghdr *msg, void *ctx)
{
	const struct tcmsg *tc = NLMSG_DATA(msg);
	struct tc_count *c = ctx;

	if (msg->nlmsg_len >= NLMSG_LENGTH(sizeof(*tc)) && tc->tcm_ifindex == (int)c->ifindex && tc->tcm_parent == c->parent)
		c->n++;
	return 0;
}

/* How many queueing disciplines or filters (RTM_GET...) are below a parent, or a negative errno. */
static int tc_count(uint16_t what, unsigned int ifindex, uint32_t parent)
{
	const struct tcmsg ask = {.tcm_family = AF_UNSPEC, .tcm_ifindex = (int)ifindex, .tcm_parent = parent};
	struct tc_count c = {.ifindex = ifindex, .parent = parent};
	int err = netlink_dump(what, &ask, sizeof(ask), tc_count_begin, tc_count_one, &c);

	return err ?: c.n;
}

/* 1 or more: there is a clsact qdisc, 0: none, or a negative errno. */
static int qdisc_exists(unsigned int ifindex)
{
	return tc_count(RTM_GETQDISC, ifindex, TC_H_CLSACT);
}

/* Filters of anybody below the clsact qdisc, both directions. */
static int filter_count(unsigned int ifindex)
{
	int in = tc_count(RTM_GETTFILTER, ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS));
	int out = tc_count(RTM_GETTFILTER, ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS));

	return in < 0 ? in : out < 0 ? out : in + out;
}

/* The mark is pinned first, so that a sweep after a kill removes the qdisc too. */
static int qdisc_make(const struct attach *a, struct fail *fail)
{
	struct bpf_tc_hook hook;
	struct bpf_tc_opts opts;
	char shown[4 * IFNAMSIZ + 1];
	auto_close int mark = -1;
	int err;

	err = qdisc_exists(a->ifindex);
	if (err > 0)
		return 0;
	if (err < 0)
		return fail_set(fail, err, "cannot list the queueing disciplines of %s: %s", link_show(a->ifname, shown),
				strerror(-err));
	err = map_new_record("fw_mark", 4, fail, &mark);
	err = err ?: pin_put(a->dir, QDISC_PIN, mark, fail);
	if (err && err != -EEXIST)
		return err;
	tc_init(a, 0, &hook, &opts);
	log_start();
	err = bpf_tc_hook_create(&hook);
	if (err && err != -EEXIST) {
		pin_drop(a->dir, QDISC_PIN);
		return fail_set(fail, err, "cannot add a clsact qdisc to %s: %s %s", link_show(a->ifname, shown), strerror(-err),
				log_extack());
	}
	return 0;
}

static int clsact_create(struct attach *a, int prog_fd, struct fail *fail)
{
	char shown[4 * IFNAMSIZ + 1];
	struct bpf_tc_hook hook;
	struct bpf_tc_opts opts;
	int err = qdisc_make(a, fail);

	if (err)
		return err;
	log_start();
	for (uint32_t priority = 1; priority <= FILTER_PRIORITIES; priority++) {
		tc_init(a, priority, &hook, &opts);
		opts.prog_fd = prog_fd;
		err = bpf_tc_attach(&hook, &opts);
		if (!err) {
			a->link = KERN_LINK_CLSACT;
			a->priority = priority;
			return 0;
		}
	}
	return fail_set(fail, err, "cannot attach to %s (TC): %s %s", link_show(a->ifname, shown), strerror(-err), log_extack());
}

int attach_tc_create(struct attach *a, int prog_fd, bool clsact, struct fail *fail)
{
	char shown[4 * IFNAMSIZ + 1];
	int err;

	if (!clsact) {
		err = tcx_create(a, prog_fd, fail);
		a->link = KERN_LINK_TCX;
		if (!err)
			return 0;
		/* Linux before 6.6 knows no TCX. */
		if (err != -EINVAL && err != -EOPNOTSUPP)
			return fail_set(fail, err, "cannot attach to %s (TC): %s", link_show(a->ifname, shown), strerror(-err));
	}
	return clsact_create(a, prog_fd, fail);
}

/* The kernel replaces the program of a filter in place: no packet goes without. */
int attach_tc_update(const struct attach *a, int prog_fd, struct fail *fail)
{
	char name[IFNAMSIZ], shown[4 * IFNAMSIZ + 1];
	struct bpf_tc_hook hook;
	struct bpf_tc_opts opts;
	int err;

	tc_init(a, a->priority, &hook, &opts);
	opts.prog_fd = prog_fd;
	opts.flags = BPF_TC_F_REPLACE;
	log_start();
	err = bpf_tc_attach(&hook, &opts);
	if (!err)
		return 0;
	if (!link_name(a->ifindex, name))
		return -ENODEV;
	return fail_set(fail, err, "cannot replace the TC filter of %s: %s %s", link_show(a->ifname, shown), strerror(-err), log_extack());
}

int attach_tc_state(const struct attach *a, struct attach_state *ret)
{
	struct bpf_tc_hook hook;
	struct bpf_tc_opts opts;
	int err;

	tc_init(a, a->priority, &hook, &opts);
	log_start();
	err = bpf_tc_query(&hook, &opts);
	if (!err) {
		ret->attached = true;
		ret->prog_id = opts.prog_id;
		return 0;
	}
	snprintf(ret->why, sizeof(ret->why), "its clsact filter is gone: someone removed it or the qdisc");
	return 0;
}

static bool filter_is_ours(const struct attach *a, uint32_t prog_id)
{
	struct object_info info;
	int err = object_info_by_id(prog_id, &info);

	/* Without CAP_SYS_ADMIN no program can be looked at: the handle has to do. */
	return err == -EPERM || (!err && !strcmp(info.name, a->hook == FW_HOOK_TC_EGRESS ? FW_PROG_TC_EGRESS : FW_PROG_TC_INGRESS));
}

static void qdisc_remove(const struct attach *a)
{
	struct bpf_tc_hook hook;
	struct bpf_tc_opts opts;

	tc_init(a, 0, &hook, &opts);
	if (filter_count(a->ifindex) == 0) {
		hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
		bpf_tc_hook_destroy(&hook);
		pin_drop(a->dir, QDISC_PIN);
	}
}

void attach_tc_remove(const struct attach *a)
{
	struct bpf_tc_hook hook;
	struct bpf_tc_opts opts;

	log_start();
	for (uint32_t priority = 1; priority <= FILTER_PRIORITIES; priority++) {
		tc_init(a, priority, &hook, &opts);
		if (bpf_tc_query(&hook, &opts) || !filter_is_ours(a, opts.prog_id))
			continue;
		opts.prog_fd = opts.prog_id = opts.flags = 0;
		bpf_tc_detach(&hook, &opts);
	}
	if (!faccessat(a->dir, QDISC_PIN, F_OK, AT_SYMLINK_NOFOLLOW))
		qdisc_remove(a);
}

// SPDX-License-Identifier: GPL-2.0-only
#include "kern/attach.h"

#include "base/cleanup.h"
#include "kern/link.h"
#include "kern/log.h"
#include "kern/object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xdp/libxdp.h>

static uint32_t mode_flag(enum kern_mode mode)
{
	return mode == KERN_MODE_NATIVE ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
}

/* What libxdp's dispatcher holds, for the sentence. */
static void dispatcher_names(unsigned int ifindex, char *out, size_t size)
{
	struct xdp_multiprog *mp = xdp_multiprog__get_from_ifindex((int)ifindex);
	struct xdp_program *p = NULL;
	size_t at = 0;

	*out = 0;
	if (libxdp_get_error(mp) || !mp)
		return;
	if (!xdp_multiprog__is_legacy(mp)) {
		at += snprintf(out, size, " (libxdp's dispatcher with");
		while ((p = xdp_multiprog__next_prog(p, mp)) && at < size)
			at += snprintf(out + at, size - at, " \"%s\"", xdp_program__name(p));
		if (at < size)
			snprintf(out + at, size - at, ")");
	}
	xdp_multiprog__close(mp);
}

int attach_xdp_check_free(unsigned int ifindex, const char *ifname, struct fail *fail)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, q);
	char shown[4 * IFNAMSIZ + 1], others[160];
	struct object_info info = {};
	uint32_t id;
	int err;

	log_start();
	err = bpf_xdp_query((int)ifindex, 0, &q);
	if (err)
		return fail_set(fail, err, "cannot ask which XDP program is on %s: %s", link_show(ifname, shown), strerror(-err));
	id = q.prog_id ?: q.drv_prog_id ?: q.skb_prog_id ?: q.hw_prog_id;
	if (!id)
		return 0;
	if (object_info_by_id(id, &info))
		strcpy(info.name, "?");
	dispatcher_names(ifindex, others, sizeof(others));
	return fail_set(fail, -EBUSY,
			"cannot attach to %s: another XDP program, \"%s\" (id %u)%s, is loaded there; unload it or use --coexist",
			link_show(ifname, shown), info.name, id, others);
}

/*
 * Several XDP programs on one interface share it through libxdp's dispatcher, which calls them as replacements of its own
 * functions (freplace). Joining it is not built yet; TC, behind whatever XDP leaves, is the place to be.
 */
int attach_xdp_coexist(const char *ifname, struct fail *fail)
{
	char shown[4 * IFNAMSIZ + 1];
	int allowed;

	log_start();
	allowed = libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_EXT, NULL);
	link_show(ifname, shown);
	if (allowed == 1)
		return fail_set(fail, -EOPNOTSUPP,
				"cannot share XDP of %s: this version of fwctl does not join libxdp's dispatcher; use --hook tc", shown);
	return fail_set(fail, -EOPNOTSUPP,
			"cannot share XDP of %s: this kernel refuses freplace programs, which libxdp's dispatcher is made of; "
			"use --hook tc", shown);
}

int attach_xdp_create(const struct attach *a, int prog_fd, struct fail *fail)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = mode_flag(a->mode));
	char shown[4 * IFNAMSIZ + 1];
	auto_close int link = -1;

	link = bpf_link_create(prog_fd, (int)a->ifindex, BPF_XDP, &opts);
	if (link >= 0)
		return attach_pin_link(a, link, fail);
	if (link == -EBUSY || link == -EEXIST) {
		int err = attach_xdp_check_free(a->ifindex, a->ifname, fail);

		if (err)
			return err;
	}
	if (link == -EPERM)
		return fail_set(fail, link, "cannot attach to %s: %s; fwctl needs root or CAP_BPF+CAP_NET_ADMIN",
				link_show(a->ifname, shown), strerror(-link));
	return fail_set(fail, link, "cannot attach to %s (%s XDP): %s", link_show(a->ifname, shown),
			a->mode == KERN_MODE_NATIVE ? "native" : "generic", strerror(-link));
}

/*
 * A BPF link answers with a bare errno, netlink with the driver's sentence. Should the second attempt succeed, it is undone
 * at once: nothing may stay that no link holds.
 */
void attach_xdp_sentence(unsigned int ifindex, int prog_fd, int err, char *out, size_t size)
{
	uint32_t flags = XDP_FLAGS_DRV_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST;

	log_start();
	if (!bpf_xdp_attach((int)ifindex, prog_fd, flags, NULL))
		bpf_xdp_detach((int)ifindex, XDP_FLAGS_DRV_MODE, NULL);
	if (*log_extack())
		snprintf(out, size, "%s", log_extack());
	else if (err == -EOPNOTSUPP)
		snprintf(out, size, "the driver has no native XDP");
	else
		snprintf(out, size, "%s", strerror(-err));
}

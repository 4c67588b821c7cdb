// SPDX-License-Identifier: GPL-2.0-only
#include "kern/attach.h"

#include "base/cleanup.h"
#include "kern/link.h"
#include "kern/pin.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *attach_word(enum fw_hook hook)
{
	static const char *const words[FW_HOOK_COUNT] = {"xdp", "tcin", "tcout"};

	return words[hook];
}

static void link_pin_name(char out[PIN_NAME_MAX], enum fw_hook hook)
{
	snprintf(out, PIN_NAME_MAX, "%s_link", attach_word(hook));
}

int attach_pin_link(const struct attach *a, int link_fd, struct fail *fail)
{
	char name[PIN_NAME_MAX];

	link_pin_name(name, a->hook);
	return pin_put(a->dir, name, link_fd, fail);
}

static int link_open(const struct attach *a, struct fail *fail, int *ret_fd)
{
	char name[PIN_NAME_MAX];

	link_pin_name(name, a->hook);
	return pin_get_link(a->dir, name, fail, ret_fd);
}

static int link_look(int fd, struct bpf_link_info *info)
{
	uint32_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fd, info, &len);
}

int attach_update(const struct attach *a, int prog_fd, struct fail *fail)
{
	char shown[4 * IFNAMSIZ + 1];
	auto_close int fd = -1;
	int err;

	if (a->link == KERN_LINK_CLSACT)
		return attach_tc_update(a, prog_fd, fail);
	err = link_open(a, fail, &fd);
	if (err == -ENOENT)
		return fail_set(fail, err, "the %s link of %s has no pin any more; unload it and load it again", attach_word(a->hook),
				link_show(a->ifname, shown));
	if (err)
		return err;
	err = bpf_link_update(fd, prog_fd, NULL);
	if (err == -ENOLINK || err == -ENODEV)
		return -ENODEV;
	return err ? fail_set(fail, err, "cannot replace the program of %s (%s): %s", link_show(a->ifname, shown), attach_word(a->hook),
			      strerror(-err))
		   : 0;
}

/* All link kinds that we make put the ifindex first in their part of the information (libbpf's header knows no TCX). */
int attach_state(const struct attach *a, struct attach_state *ret)
{
	struct bpf_link_info info;
	struct fail fail = {};
	auto_close int fd = -1;
	int err;

	*ret = (struct attach_state){};
	if (a->link == KERN_LINK_CLSACT)
		return attach_tc_state(a, ret);
	err = link_open(a, &fail, &fd);
	if (err) {
		snprintf(ret->why, sizeof(ret->why), "%.120s", err == -ENOENT ? "its link has no pin any more" : fail.text);
		return 0;
	}
	err = link_look(fd, &info);
	if (err)
		return err;
	ret->prog_id = info.prog_id;
	if (info.xdp.ifindex == a->ifindex)
		ret->attached = true;
	else if (!info.xdp.ifindex)
		snprintf(ret->why, sizeof(ret->why), "its link is detached: someone did that, or the interface was made anew");
	else
		snprintf(ret->why, sizeof(ret->why), "its link sits on interface index %u", info.xdp.ifindex);
	return 0;
}

/*
 * Dropping the last reference would detach from a work queue, some time after we said "done"; asking for the detachment does
 * it now.
 */
int attach_remove(const struct attach *a, struct fail *fail)
{
	char name[PIN_NAME_MAX];
	auto_close int fd = -1;
	int err;

	if (a->hook != FW_HOOK_XDP && !a->elsewhere)
		attach_tc_remove(a);
	link_pin_name(name, a->hook);
	err = link_open(a, fail, &fd);
	if (err == -ENOENT)
		return 0;
	if (err)
		return err;
	bpf_link_detach(fd);
	err = pin_drop(a->dir, name);
	return err ? fail_set(fail, err, "cannot remove pin %s: %s", name, strerror(-err)) : 0;
}

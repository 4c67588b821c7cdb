// SPDX-License-Identifier: GPL-2.0-only
/*
 * Take interfaces out. The record goes first: from then on the interface is a leftover, and whoever comes next finishes
 * what a kill interrupted. A policy goes with its last interface.
 */
#include "kern/link.h"
#include "kern/live.h"
#include "kern/pin.h"
#include "kern/rim.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int remove_iface(struct kern *k, struct iface *f)
{
	int err = iface_remove(k->ns, f, false, k->fail);

	iface_close(f);
	return err;
}

int kern_unload(struct kern *k, const char *ifname)
{
	struct ifaces list cleanup(ifaces_fini) = {};
	struct fail *fail = kern_fail(k);
	char shown[4 * IFNAMSIZ + 1];
	unsigned int found = 0;
	int err = iface_list(k->ns, true, fail, &list);

	for (size_t i = 0; !err && i < list.n; i++) {
		struct iface *f = &list.v[i];

		if (f->record_fd < 0 || strcmp(f->name, ifname))
			continue;
		err = remove_iface(k, f);
		found++;
	}
	if (err)
		return err;
	if (!found)
		return fail_set(fail, -ENOENT, "fwctl does not filter %s", link_show(ifname, shown));
	err = kern_sweep(k);
	return err ?: livesets_forget(k->ns, k->fail);
}

/* Nothing of it is attached any more: its interfaces went with it. */
static bool namespace_is_dead(const struct ifaces *list)
{
	for (size_t i = 0; i < list->n; i++) {
		for (enum fw_hook h = 0; h < FW_HOOK_COUNT; h++) {
			const struct iface_hook *rec = &list->v[i].rec.hook[h];
			struct attach a = iface_attach(&list->v[i], h);
			struct attach_state state;
			struct object_info info;

			if (list->v[i].record_fd >= 0 && !rec->present)
				continue;
			if (list->v[i].record_fd >= 0 && rec->link == KERN_LINK_CLSACT) {
				/* A filter keeps its program alive, and nothing else does. */
				if ((rec->prog_id[0] && object_info_by_id(rec->prog_id[0], &info) != -ENOENT) ||
				    (rec->prog_id[1] && object_info_by_id(rec->prog_id[1], &info) != -ENOENT))
					return false;
				continue;
			}
			a.link = h == FW_HOOK_XDP ? KERN_LINK_XDP : KERN_LINK_TCX;
			if (attach_state(&a, &state) || state.attached || strstr(state.why, "sits on"))
				return false;
		}
	}
	return true;
}

/* The state of another namespace, when that is dead. Never waits: a namespace where fwctl works is alive. */
static int remove_dead(struct kern *k, const char *name)
{
	struct ifaces list cleanup(ifaces_fini) = {};
	struct fail ignored = {};
	struct pin_names names;
	auto_close int dir = -1;

	if (pin_open_dir(k->root, name, false, name, &ignored, &dir) || flock(dir, LOCK_EX | LOCK_NB))
		return 0;
	if (iface_list(dir, false, &ignored, &list) || !namespace_is_dead(&list))
		return 0;
	for (size_t i = 0; i < list.n; i++)
		iface_remove(dir, &list.v[i], true, &ignored);
	if (pin_list(dir, &names))
		return 0;
	for (size_t i = 0; i < names.n; i++)
		if (!strncmp(names.v[i], SLOTS_PREFIX, strlen(SLOTS_PREFIX)))
			slots_remove(dir, names.v[i] + strlen(SLOTS_PREFIX), &ignored);
	pin_names_fini(&names);
	live_maps_remove(dir, &ignored);
	unlinkat(k->root, name, AT_REMOVEDIR);
	return 0;
}

int kern_unload_all(struct kern *k, unsigned int *ret_interfaces)
{
	struct ifaces list cleanup(ifaces_fini) = {};
	struct pin_names names = {};
	struct fail *fail = kern_fail(k);
	char own[PIN_NAME_MAX];
	unsigned int found = 0;
	int err = iface_list(k->ns, true, fail, &list);

	for (size_t i = 0; !err && i < list.n; i++) {
		if (list.v[i].record_fd < 0)
			continue;
		err = remove_iface(k, &list.v[i]);
		found++;
	}
	err = err ?: kern_sweep(k);
	err = err ?: livesets_forget(k->ns, k->fail);
	if (!err && pin_list(k->root, &names))
		err = fail_set(fail, -EIO, "cannot read the directory of states");
	snprintf(own, sizeof(own), "ns%llu", (unsigned long long)k->cookie);
	for (size_t i = 0; !err && i < names.n; i++)
		if (!strncmp(names.v[i], "ns", 2) && strcmp(names.v[i], own))
			err = remove_dead(k, names.v[i]);
	pin_names_fini(&names);
	if (!err)
		*ret_interfaces = found;
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * After a command was killed, the next one that writes comes here first, with the lock held. What makes a thing real:
 *
 *   an interface   its record (i<ifindex>/info). A directory without one is undone.
 *   a hook, a counter map   the record names it. Others are undone.
 *   a policy       its control word, an interface that uses it, and a live generation that is not 0. Others are removed,
 *                  with the interfaces that were being attached to them.
 *   a slot         the control word names it.
 *   a twin         its name, which says what program on which slots it is (twin.h), and that it is whole.
 *   a table        the control word's features name it (tables.h).
 *   a tap          a process that holds the lock of its directory (tap.h).
 *   live sets      the registry, and a policy; an element, that an id has its place (live.h).
 *   which policy an interface obeys   the record. A hook whose program reads another control word gets a new program.
 */
#include "base/cleanup.h"
#include "kern/live.h"
#include "kern/pin.h"
#include "kern/rim.h"
#include "kern/tap.h"
#include "kern/twin.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int sweep_ifaces(struct kern *k, struct ifaces *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct iface *f = &list->v[i];
		int err = f->record_fd >= 0 ? iface_sweep(f, k->fail) : iface_remove(k->ns, f, false, k->fail);

		if (err)
			return err;
	}
	return 0;
}

static bool obeys(const struct slots *p, const struct iface *f, enum fw_hook hook)
{
	struct attach a = iface_attach(f, hook);
	struct attach_state state;
	struct object_info info;

	if (attach_state(&a, &state) || !state.attached || object_info_by_id(state.prog_id, &info))
		return true; /* gone, or we may not look: nothing to mend here */
	return object_uses(&info, p->ctl_id);
}

static int sweep_users(struct kern *k, struct slots *p, struct ifaces *list)
{
	const struct fw_image *live = slots_live_header(p);
	bool unborn = live && !live->generation;
	int err = 0;

	for (size_t i = 0; !err && i < list->n; i++) {
		struct iface *f = &list->v[i];
		bool good = true;

		if (!iface_uses(f, p->name))
			continue;
		if (unborn) {
			err = iface_remove(k->ns, f, false, k->fail);
			continue;
		}
		for (enum fw_hook h = 0; h < FW_HOOK_COUNT; h++)
			good = good && (!f->rec.hook[h].present || obeys(p, f, h));
		if (!good)
			err = publish_repair(p, f, k->fail);
	}
	return unborn && !err ? slots_remove(k->ns, p->name, k->fail) : err;
}

static int sweep_policy(struct kern *k, const char *name, struct ifaces *list)
{
	struct fail ignored = {};
	struct slots p;
	size_t users = 0;
	int err;

	for (size_t i = 0; i < list->n; i++)
		users += iface_uses(&list->v[i], name);
	if (!users)
		return slots_remove(k->ns, name, k->fail);
	/* A damaged policy is the business of the command that needs it. */
	if (slots_open(k->ns, name, true, &ignored, &p))
		return 0;
	slots_sweep(&p);
	twin_sweep(&p);
	tap_sweep(&p, list);
	err = sweep_users(k, &p, list);
	slots_close(&p);
	return err;
}

/* Live sets belong to the policies together, and go with the last. */
static int sweep_live(struct kern *k, const struct pin_names *names, struct ifaces *list)
{
	bool policies = false, live = false, grows = false;
	int err;

	for (size_t i = 0; i < names->n; i++) {
		live = live || !strcmp(names->v[i], LIVEMAPS_DIR);
		grows = grows || !strcmp(names->v[i], LIVEMAPS_NEXT);
		policies = policies || (!strncmp(names->v[i], SLOTS_PREFIX, strlen(SLOTS_PREFIX)) &&
					!faccessat(k->ns, names->v[i], F_OK, AT_SYMLINK_NOFOLLOW));
	}
	if (!live && !grows)
		return 0;
	if (!policies)
		return live_maps_remove(k->ns, k->fail);
	err = grows ? livesets_resume(k->ns, list, k->fail) : 0;
	return err ?: livesets_tidy(k->ns, k->fail);
}

int kern_sweep(struct kern *k)
{
	struct ifaces list cleanup(ifaces_fini) = {};
	struct pin_names names = {};
	int err = iface_list(k->ns, true, k->fail, &list);

	err = err ?: sweep_ifaces(k, &list);
	if (!err && pin_list(k->ns, &names))
		err = fail_set(k->fail, -EIO, "cannot read the state directory");
	for (size_t i = 0; !err && i < names.n; i++)
		if (!strncmp(names.v[i], SLOTS_PREFIX, strlen(SLOTS_PREFIX)))
			err = sweep_policy(k, names.v[i] + strlen(SLOTS_PREFIX), &list);
	if (!err)
		err = sweep_live(k, &names, &list);
	pin_names_fini(&names);
	return err;
}

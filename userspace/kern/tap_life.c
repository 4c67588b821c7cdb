// SPDX-License-Identifier: GPL-2.0-only
/* The beginning and the end of a tap (tap.h). */
#include "kern/hooks.h"
#include "kern/pin.h"
#include "kern/tap.h"
#include "kern/wait.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define TAP_PREFIX "tap_"

/* "tap_17": the number, 0 for names of other things. */
static unsigned int pid_of(const char *name)
{
	const char *digits = name + strlen(TAP_PREFIX);

	if (strncmp(name, TAP_PREFIX, strlen(TAP_PREFIX)) || !*digits || digits[strspn(digits, "0123456789")])
		return 0;
	return (unsigned int)strtoul(digits, NULL, 10);
}

static bool is_held(const struct slots *p, const char *name)
{
	auto_close int fd = openat(p->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
}

/* Is there a directory of a tap at all, and who holds one? */
static bool look(const struct slots *p, unsigned int *ret_holder)
{
	struct pin_names names;
	bool any = false;

	*ret_holder = 0;
	if (pin_list(p->dir, &names))
		return false;
	for (size_t i = 0; i < names.n; i++) {
		unsigned int pid = pid_of(names.v[i]);

		any = any || pid;
		if (pid && !*ret_holder && is_held(p, names.v[i]))
			*ret_holder = pid;
	}
	pin_names_fini(&names);
	return any;
}

unsigned int tap_holder(const struct slots *p)
{
	unsigned int holder;

	look(p, &holder);
	return holder;
}

int tap_lock(const struct slots *p, struct fail *fail, int *ret_fd)
{
	char name[PIN_NAME_MAX];
	auto_close int fd = -1;
	int err;

	snprintf(name, sizeof(name), TAP_PREFIX "%u", (unsigned int)getpid());
	err = pin_open_dir(p->dir, name, true, name, fail, &fd);
	if (err)
		return fail_set(fail, err, "cannot make %s: %s", name, strerror(-err));
	if (flock(fd, LOCK_EX | LOCK_NB))
		return fail_set(fail, -errno, "cannot lock %s: %s", name, strerror(errno));
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* No program asks for more counters on account of a tap. */
static int reload(struct slots *p, struct ifaces *list, struct fail *fail)
{
	static const uint32_t nslots[FW_DIR_COUNT];
	bool reloaded = false;
	int err = hooks_reload(p, list, nslots, fail, &reloaded);

	return !err && reloaded ? wait_programs(fail) : err;
}

static void drop_dirs(const struct slots *p)
{
	struct pin_names names;

	if (pin_list(p->dir, &names))
		return;
	for (size_t i = 0; i < names.n; i++)
		if (pid_of(names.v[i]))
			unlinkat(p->dir, names.v[i], AT_REMOVEDIR);
	pin_names_fini(&names);
}

int tap_off(struct slots *p, struct ifaces *list, struct fail *fail)
{
	int err;

	/* As if they were not there: so programs are loaded without them, and those that have them are stale. */
	tables_close_tap(p->shared);
	err = reload(p, list, fail);
	if (err)
		return err;
	__atomic_fetch_and(&p->ctl->features, ~FW_FEAT_TAP, __ATOMIC_SEQ_CST);
	tables_drop_tap(p->dir);
	drop_dirs(p);
	return 0;
}

int tap_on(struct slots *p, struct ifaces *list, uint32_t snap, uint32_t packets, struct fail *fail)
{
	int err = tables_make_tap(p->shared, snap, packets, p->dir, fail);

	if (!err) {
		__atomic_fetch_or(&p->ctl->features, FW_FEAT_TAP, __ATOMIC_SEQ_CST);
		err = reload(p, list, fail);
	}
	if (err)
		tap_off(p, list, &(struct fail){});
	return err;
}

void tap_sweep(struct slots *p, struct ifaces *list)
{
	unsigned int holder;

	if (look(p, &holder) && !holder)
		tap_off(p, list, &(struct fail){});
}

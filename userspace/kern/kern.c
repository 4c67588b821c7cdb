// SPDX-License-Identifier: GPL-2.0-only
#include "kern/kern.h"

#include "base/cleanup.h"
#include "kern/link.h"
#include "kern/log.h"
#include "kern/object.h"
#include "kern/pin.h"
#include "kern/rim.h"

#include <errno.h>
#include <fcntl.h>
#include <fw/names.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BPFFS "/sys/fs/bpf"
#define LOCK_TRIES 3000 /* of 10 ms */

static void ns_name(char out[PIN_NAME_MAX], uint64_t cookie)
{
	snprintf(out, PIN_NAME_MAX, "ns%llu", (unsigned long long)cookie);
}

static int lock_dir(int fd, enum kern_access access, struct fail *fail)
{
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (!flock(fd, (access == KERN_WRITE ? LOCK_EX : LOCK_SH) | LOCK_NB))
			return 0;
		if (errno == EWOULDBLOCK && access == KERN_PEEK)
			return -EBUSY;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fail_set(fail, -errno, "cannot lock the state directory: %s", strerror(errno));
		nanosleep(&pause, NULL);
	}
	return fail_set(fail, -EBUSY, "another fwctl has held the lock of this network namespace for 30 seconds; try again");
}

/* Whoever unloads the last interface removes the directory that we may have been waiting for. */
static bool dir_is_current(int parent, const char *name, int fd)
{
	struct stat a, b;

	return !fstat(fd, &a) && !fstatat(parent, name, &b, AT_SYMLINK_NOFOLLOW) && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* 0, -EAGAIN when directories vanished meanwhile, -ENOENT when there is no state (READ). */
static int open_dirs(struct kern *k)
{
	bool create = k->access == KERN_WRITE;
	char name[PIN_NAME_MAX];
	int err;

	ns_name(name, k->cookie);
	err = pin_open_dir(k->bpffs, FW_PIN_ROOT, create, "the directory " FW_PIN_ROOT " in bpffs", k->fail, &k->root);
	err = err ?: pin_open_dir(k->root, name, create, name, k->fail, &k->ns);
	if (err == -ENOENT && create)
		return -EAGAIN;
	err = err ?: lock_dir(k->ns, k->access, k->fail);
	if (err)
		return err;
	return dir_is_current(k->root, name, k->ns) ? 0 : -EAGAIN;
}

static void close_dirs(struct kern *k)
{
	if (k->ns >= 0)
		close(k->ns);
	if (k->root >= 0)
		close(k->root);
	k->ns = k->root = -1;
}

static int open_state(struct kern *k, const char *path)
{
	bool ours = !path; /* a directory that someone names is not ours to mount upon */
	int err = pin_open_bpffs(path ?: BPFFS, ours && k->access == KERN_WRITE, k->fail, &k->bpffs);

	if (ours && k->access != KERN_WRITE && (err == -ENOENT || err == -EMEDIUMTYPE))
		return 0;
	if (err)
		return fail_set(k->fail, err, "%s is not a BPF file system", path);
	for (int i = 0; i < 100; i++) {
		err = open_dirs(k);
		if (err != -EAGAIN)
			break;
		close_dirs(k);
	}
	if (err == -ENOENT && k->access != KERN_WRITE) {
		close_dirs(k);
		return 0;
	}
	if (err == -EAGAIN)
		return fail_set(k->fail, -EBUSY, "the state directory comes and goes; another fwctl is busy");
	return err;
}

int kern_open(const char *bpffs, enum kern_access access, struct fail *fail, struct kern **ret_kern)
{
	struct kern *k = calloc(1, sizeof(*k));
	int err;

	if (!k)
		return fail_set(fail, -ENOMEM, "no memory");
	*k = (struct kern){.fail = fail, .access = access, .root = -1, .ns = -1, .bpffs = -1};
	log_start();
	err = access == KERN_WRITE ? object_check_privilege(fail) : 0;
	err = err ?: link_netns_cookie(fail, &k->cookie);
	err = err ?: open_state(k, bpffs);
	if (!err && access == KERN_WRITE)
		err = kern_sweep(k);
	if (err) {
		kern_close(k);
		return err;
	}
	*ret_kern = k;
	return 0;
}

/* rmdir refuses what is not empty. The lock is still held, so nobody can have begun to use the directory. */
void kern_close(struct kern *k)
{
	char name[PIN_NAME_MAX];

	if (!k)
		return;
	if (k->access == KERN_WRITE && k->ns >= 0) {
		ns_name(name, k->cookie);
		if (!unlinkat(k->root, name, AT_REMOVEDIR))
			unlinkat(k->bpffs, FW_PIN_ROOT, AT_REMOVEDIR);
	}
	close_dirs(k);
	if (k->bpffs >= 0)
		close(k->bpffs);
	free(k);
}

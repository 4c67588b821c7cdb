// SPDX-License-Identifier: GPL-2.0-only
#include "kern/pin.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static bool is_bpffs(int fd)
{
	struct statfs st;

	return !fstatfs(fd, &st) && (unsigned long)st.f_type == BPF_FS_MAGIC;
}

/*
 * Two commands that both find no bpffs must not mount it twice, one over the other: what the first pinned would be hidden.
 * The lock is on the directory below the mount point.
 */
static int mount_bpffs(const char *path, int below, struct fail *fail)
{
	auto_close int again = -1;

	if (flock(below, LOCK_EX))
		return fail_set(fail, -errno, "cannot lock %s: %s", path, strerror(errno));
	again = open(path, DIR_FLAGS);
	if (again >= 0 && is_bpffs(again))
		return 0;
	if (!mount("bpf", path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return 0;
	if (errno == ENODEV)
		return fail_set(fail, -ENODEV, "cannot mount bpffs on %s: this kernel has no bpffs: it lacks CONFIG_BPF_SYSCALL", path);
	return fail_set(fail, -errno, "no BPF file system on %s, and it cannot be mounted: %s; as root run: mount -t bpf bpf %s", path,
			strerror(errno), path);
}

int pin_open_bpffs(const char *path, bool mount, struct fail *fail, int *ret_fd)
{
	auto_close int fd = open(path, DIR_FLAGS);
	int err;

	if (fd < 0 && (errno != ENOENT || mount))
		return fail_set(fail, -errno, "cannot open %s: %s", path, strerror(errno));
	if (fd < 0)
		return -ENOENT;
	if (!is_bpffs(fd)) {
		if (!mount)
			return -EMEDIUMTYPE;
		err = mount_bpffs(path, fd, fail);
		if (err)
			return err;
		close(fd);
		fd = open(path, DIR_FLAGS);
		if (fd < 0)
			return fail_set(fail, -errno, "cannot open %s: %s", path, strerror(errno));
		if (!is_bpffs(fd))
			return fail_set(fail, -EINVAL, "%s is not a BPF file system", path);
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int dir_check(int fd, const char *what, bool made, struct fail *fail)
{
	struct stat st;

	if (!is_bpffs(fd))
		return fail_set(fail, -EPERM, "%s is not on a BPF file system; fwctl does not trust it", what);
	if (made && fchmod(fd, 0700))
		return fail_set(fail, -errno, "cannot set the mode of %s: %s", what, strerror(errno));
	if (fstat(fd, &st))
		return fail_set(fail, -errno, "cannot look at %s: %s", what, strerror(errno));
	if (st.st_uid != geteuid())
		return fail_set(fail, -EPERM, "%s belongs to user %u, not to user %u; fwctl does not trust it: remove it", what, st.st_uid,
				geteuid());
	if ((st.st_mode & 07777 & ~S_ISVTX) != 0700)
		return fail_set(fail, -EPERM, "%s has mode %04o, not 0700: others could change it; fwctl does not trust it", what,
				st.st_mode & 07777);
	return 0;
}

int pin_open_dir(int parent, const char *name, bool create, const char *what, struct fail *fail, int *ret_fd)
{
	auto_close int fd = -1;
	bool made = false;
	int err;

	if (create) {
		made = !mkdirat(parent, name, 0700);
		if (!made && errno != EEXIST)
			/* ENOENT: the parent was removed under us; the caller starts again. */
			return errno == ENOENT ? -ENOENT : fail_set(fail, -errno, "cannot make %s: %s", what, strerror(errno));
	}
	fd = openat(parent, name, DIR_FLAGS);
	if (fd < 0) {
		err = -errno;
		if (err == -ENOENT)
			return err;
		if (err == -ELOOP || err == -ENOTDIR)
			return fail_set(fail, -EPERM, "%s is not a directory; fwctl does not trust it: remove it", what);
		if (err == -EACCES)
			return fail_set(fail, err, "cannot open %s: %s; fwctl needs root", what, strerror(-err));
		return fail_set(fail, err, "cannot open %s: %s", what, strerror(-err));
	}
	err = dir_check(fd, what, made, fail);
	if (err)
		return err;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* bpf(2) takes a path; through the descriptor's magic link it starts at the directory that was checked. */
static void pin_path(char out[128], int dir, const char *name)
{
	snprintf(out, 128, "/proc/self/fd/%d/%s", dir, name);
}

int pin_put(int dir, const char *name, int fd, struct fail *fail)
{
	char path[128];
	int err;

	pin_path(path, dir, name);
	err = bpf_obj_pin(fd, path);
	if (err == -ENOENT && access("/proc/self/fd", F_OK))
		return fail_set(fail, err, "cannot pin %s: /proc is not mounted", name);
	if (err)
		return fail_set(fail, err, "cannot pin %s: %s", name, strerror(-err));
	return 0;
}

int pin_get(int dir, const char *name, struct fail *fail, int *ret_fd)
{
	char path[128];
	struct stat st;
	int fd;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? -ENOENT : fail_set(fail, -errno, "cannot look at pin %s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail_set(fail, -EEXIST, "pin %s is not fwctl's: it is a %s, not a BPF object", name,
				S_ISLNK(st.st_mode) ? "symbolic link" : S_ISDIR(st.st_mode) ? "directory" : "special file");
	pin_path(path, dir, name);
	fd = bpf_obj_get(path);
	if (fd == -ENOENT && access("/proc/self/fd", F_OK))
		return fail_set(fail, -ENOENT, "cannot open pin %s: /proc is not mounted", name);
	if (fd < 0)
		return fail_set(fail, fd, "cannot open pin %s: %s%s", name, strerror(-fd),
				fd == -EPERM ? "; fwctl needs root or CAP_BPF" :
				fd == -EROFS ? "; bpffs is read-only here: remount it, or leave the sandbox (ProtectKernelTunables=)" : "");
	*ret_fd = fd;
	return 0;
}

/* The kind of a BPF descriptor, as the kernel names its anonymous inode. */
static const char *fd_kind(int fd)
{
	char path[64], to[64] = "";
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, to, sizeof(to) - 1);
	if (n > 0 && strstr(to, "bpf-map"))
		return "map";
	if (n > 0 && strstr(to, "bpf-prog"))
		return "program";
	if (n > 0 && (strstr(to, "bpf_link") || strstr(to, "bpf-link")))
		return "link";
	return "unknown object";
}

static int map_check(const char *name, const struct bpf_map_info *info, const struct pin_want *want, struct fail *fail)
{
	if (info->type != want->type)
		return fail_set(fail, -EEXIST, "pin %s is not fwctl's: map type %u, not %u", name, info->type, want->type);
	if (info->key_size != want->key_size || (want->value_size && info->value_size != want->value_size))
		return fail_set(fail, -EEXIST, "pin %s is not fwctl's: key %u, value %u bytes, not %u and %u", name, info->key_size,
				info->value_size, want->key_size, want->value_size);
	if (want->max_entries && info->max_entries != want->max_entries)
		return fail_set(fail, -EEXIST, "pin %s is not fwctl's: %u entries, not %u", name, info->max_entries, want->max_entries);
	if (info->map_flags != want->flags)
		return fail_set(fail, -EEXIST, "pin %s is not fwctl's: map flags %#x, not %#x", name, info->map_flags, want->flags);
	if (strncmp(info->name, want->name, sizeof(info->name)))
		return fail_set(fail, -EEXIST, "pin %s is not fwctl's: the map is called \"%.15s\", not \"%s\"", name, info->name,
				want->name);
	return 0;
}

int pin_get_map(int dir, const char *name, const struct pin_want *want, struct fail *fail, struct pin_map *ret)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);
	auto_close int fd = -1;
	const char *kind;
	int err = pin_get(dir, name, fail, &fd);

	if (err)
		return err;
	kind = fd_kind(fd);
	if (strcmp(kind, "map"))
		return fail_set(fail, -EEXIST, "pin %s is not fwctl's: it is a BPF %s, not a map", name, kind);
	err = bpf_obj_get_info_by_fd(fd, &info, &len);
	if (err)
		return fail_set(fail, err, "cannot look at pin %s: %s", name, strerror(-err));
	err = map_check(name, &info, want, fail);
	if (err)
		return err;
	*ret = (struct pin_map){.id = info.id, .value_size = info.value_size, .max_entries = info.max_entries, .fd = TAKE_FD(fd)};
	return 0;
}

static int pin_get_kind(int dir, const char *name, const char *kind, struct fail *fail, int *ret_fd)
{
	auto_close int fd = -1;
	const char *is;
	int err = pin_get(dir, name, fail, &fd);

	if (err)
		return err;
	is = fd_kind(fd);
	if (strcmp(is, kind))
		return fail_set(fail, -EEXIST, "pin %s is not fwctl's: it is a BPF %s, not a %s", name, is, kind);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int pin_get_link(int dir, const char *name, struct fail *fail, int *ret_fd)
{
	return pin_get_kind(dir, name, "link", fail, ret_fd);
}

int pin_get_prog(int dir, const char *name, struct fail *fail, int *ret_fd)
{
	return pin_get_kind(dir, name, "program", fail, ret_fd);
}

int pin_drop(int dir, const char *name)
{
	return unlinkat(dir, name, 0) && errno != ENOENT ? -errno : 0;
}

static int name_order(const void *a, const void *b)
{
	return strcmp(a, b);
}

int pin_list(int dir, struct pin_names *ret)
{
	int fd = openat(dir, ".", DIR_FLAGS), err;
	struct pin_names names = {};
	struct dirent *e;
	DIR *d;

	if (fd < 0)
		return -errno;
	d = fdopendir(fd);
	if (!d) {
		err = -errno;
		close(fd);
		return err;
	}
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || strlen(e->d_name) >= PIN_NAME_MAX)
			continue;
		err = vec_reserve(&names, names.n + 1);
		if (err) {
			closedir(d);
			pin_names_fini(&names);
			return err;
		}
		strcpy(names.v[names.n++], e->d_name);
	}
	closedir(d);
	if (names.n)
		qsort(names.v, names.n, sizeof(*names.v), name_order);
	*ret = names;
	return 0;
}

void pin_names_fini(struct pin_names *n)
{
	vec_fini(n);
}

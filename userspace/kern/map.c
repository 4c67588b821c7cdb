// SPDX-License-Identifier: GPL-2.0-only
#include "base/cleanup.h"
#include "kern/object.h"
#include "kern/pin.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fw/names.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Not libbpf's bpf_map_create: it drops the name when its probe for names fails, be it for want of memory, and a pin
 * without its name is not trusted ever after.
 */
int map_new_as(const struct pin_want *want, struct fail *fail, int *ret_fd)
{
	union bpf_attr attr = { .map_type = want->type,
				.key_size = want->key_size,
				.value_size = want->value_size,
				.max_entries = want->max_entries,
				.map_flags = want->flags };
	const char *name = want->name;
	size_t value_size = want->value_size;
	int fd;

	snprintf(attr.map_name, sizeof(attr.map_name), "%s", name);
	fd = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	if (fd < 0)
		fd = -errno;
	if (fd >= 0) {
		*ret_fd = fd;
		return 0;
	}
	switch (fd) {
	case -EPERM:
		return fail_set(fail, fd,
				"cannot create BPF map %s: %s; fwctl needs root or CAP_BPF+CAP_NET_ADMIN+CAP_PERFMON",
				name, strerror(-fd));
	case -EINVAL:
		return fail_set(fail, fd,
				"cannot create BPF map %s: %s; maps shared with user space need Linux 5.5 or newer",
				name, strerror(-fd));
	case -E2BIG:
		return fail_set(
			fail, fd,
			"cannot create BPF map %s of %zu bytes: this kernel takes no value that large (Linux 6.1 and "
			"newer do, older ones stop at 4 MB)",
			name, value_size);
	case -ENOMEM:
		return fail_set(fail, fd, "cannot create BPF map %s: no memory for %zu bytes", name,
				value_size * want->max_entries);
	}
	return fail_set(fail, fd, "cannot create BPF map %s: %s", name, strerror(-fd));
}

static int map_new(enum bpf_map_type type, const char *name, size_t value_size, uint32_t entries, uint32_t flags,
		   struct fail *fail, int *ret_fd)
{
	const struct pin_want want = { .type = type,
				       .key_size = 4,
				       .value_size = (uint32_t)value_size,
				       .max_entries = entries,
				       .flags = flags,
				       .name = name };

	return map_new_as(&want, fail, ret_fd);
}

int map_new_ctl(struct fail *fail, int *ret_fd)
{
	return map_new(BPF_MAP_TYPE_ARRAY, FW_MAP_CTL, sizeof(struct fw_ctl), 1, BPF_F_MMAPABLE, fail, ret_fd);
}

int map_new_slot(unsigned int index, size_t size, struct fail *fail, int *ret_fd)
{
	return map_new(BPF_MAP_TYPE_ARRAY, index ? FW_MAP_SLOT1 : FW_MAP_SLOT0, size + FW_SLOT_PAD, 1, BPF_F_MMAPABLE,
		       fail, ret_fd);
}

int map_new_counters(uint32_t nslots, struct fail *fail, int *ret_fd)
{
	return map_new(BPF_MAP_TYPE_PERCPU_ARRAY, FW_MAP_COUNTERS, sizeof(struct fw_cell), nslots, 0, fail, ret_fd);
}

int map_new_record(const char *name, size_t size, struct fail *fail, int *ret_fd)
{
	return map_new(BPF_MAP_TYPE_ARRAY, name, size, 1, 0, fail, ret_fd);
}

int map_new_trace(struct fail *fail, int *ret_fd)
{
	return map_new(BPF_MAP_TYPE_ARRAY, FW_MAP_TRACE, sizeof(struct fw_trace), 1, BPF_F_MMAPABLE, fail, ret_fd);
}

static size_t page_up(size_t n)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (n + page - 1) & ~(page - 1);
}

int map_share(int fd, size_t len, bool write, struct fail *fail, void **ret)
{
	void *at = mmap(NULL, page_up(len), write ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return fail_set(fail, -errno, "cannot map a BPF map of %zu bytes: %s", len, strerror(errno));
	*ret = at;
	return 0;
}

int map_share_ends(int fd, size_t head, size_t from, size_t len, struct fail *fail, void **ret)
{
	size_t first = from & ~(size_t)(sysconf(_SC_PAGESIZE) - 1), all = page_up(len);
	uint8_t *at;

	if (first <= page_up(head))
		return map_share(fd, len, false, fail, ret);
	at = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return fail_set(fail, -errno, "cannot map a BPF map of %zu bytes: %s", len, strerror(errno));
	if (mmap(at, page_up(head), PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED ||
	    mmap(at + first, all - first, PROT_READ, MAP_SHARED | MAP_FIXED, fd, (off_t)first) == MAP_FAILED) {
		munmap(at, all);
		return fail_set(fail, -errno, "cannot map a BPF map of %zu bytes: %s", len, strerror(errno));
	}
	*ret = at;
	return 0;
}

void map_unshare(
void *at, size_t len)
{
	if (at)
		munmap(at, page_up(len));
}

int map_id(
int fd, struct fail *fail, uint32_t *ret_id)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);
	int err = bpf_obj_get_info_by_fd(fd, &info, &len);

	if (err)
		return fail_set(fail, err, "cannot look at a new map: %s", strerror(-err));
	*ret_id = info.id;
	return 0;
}

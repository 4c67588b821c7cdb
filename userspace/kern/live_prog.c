// SPDX-License-Identifier: GPL-2.0-only
/* The program that edits live sets: loaded once, with the maps it edits. */
#include "base/cleanup.h"
#include "kern/livemaps.h"
#include "kern/log.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

extern const char kern_object_set[], kern_object_set_end[];

static void object_closep(struct bpf_object **o)
{
	bpf_object__close(*o);
}

static int fd_for(const struct live_maps *m, const char *name)
{
	if (!strcmp(name, FW_MAP_EDITS))
		return m->edits_fd;
	for (enum object_shared s = SHARED_TABLES; s < SHARED_COUNT; s++)
		if (!strcmp(name, object_shared_name(s)))
			return live_map(m, s)->fd;
	return -1;
}

int live_prog_load(const struct live_maps *m, struct fail *fail, int *ret_fd)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "fw_set");
	struct bpf_object *o cleanup(object_closep) =
		bpf_object__open_mem(kern_object_set, (size_t)(kern_object_set_end - kern_object_set), &opts);
	struct bpf_program *prog = o ? bpf_object__find_program_by_name(o, FW_PROG_EDIT) : NULL;
	struct bpf_map *map;
	int err = prog ? 0 : -EINVAL, fd;

	log_start();
	if (!err)
		bpf_object__for_each_map(map, o) {
			fd = fd_for(m, bpf_map__name(map));
			/* Those of the datapath, which this program shares a header with. */
			err = err ?: fd < 0 ? bpf_map__set_autocreate(map, false) : bpf_map__reuse_fd(map, fd);
		}
	err = err ?: bpf_object__load(o);
	if (err)
		return fail_set(fail, err, "cannot load the program that edits live sets: %s %s", strerror(-err), log_last());
	fd = fcntl(bpf_program__fd(prog), F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return fail_set(fail, -EMFILE, "too many open files");
	*ret_fd = fd;
	return 0;
}

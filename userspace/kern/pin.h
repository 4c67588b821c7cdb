/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pins: names below our own bpffs directory. A directory is trusted only after fstat on a descriptor that no symbolic link
 * led to: BPF_FS_MAGIC, owner, mode 0700. Every name is reached through such a descriptor.
 */
#ifndef FW_KERN_PIN_H
#define FW_KERN_PIN_H

#include "base/fail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PIN_NAME_MAX 64

/* What a pinned map must be; value_size or max_entries 0: any. */
struct pin_want {
	uint32_t type, key_size, value_size, max_entries, flags;
	const char *name; /* the map's own name in the kernel */
};

/* What the map is. */
struct pin_map {
	int fd;
	uint32_t id, value_size, max_entries;
};

struct pin_names {
	char (*v)[PIN_NAME_MAX];
	size_t n, cap;
};

/*
 * The bpffs itself at path. mount: mount it when it is missing. Without: -ENOENT when there is no such directory and
 * -EMEDIUMTYPE when it is not a bpffs, both without a sentence.
 */
int pin_open_bpffs(const char *path, bool mount, struct fail *fail, int *ret_fd);
/*
 * Directory `name` of parent, made when create is set, checked. what: how to call it in a sentence. -ENOENT without a
 * sentence when it does not exist.
 */
int pin_open_dir(int parent, const char *name, bool create, const char *what, struct fail *fail, int *ret_fd);

int pin_put(int dir, const char *name, int fd, struct fail *fail);
/* Any object. -ENOENT without a sentence. A symbolic link or directory is refused. */
int pin_get(int dir, const char *name, struct fail *fail, int *ret_fd);
/* A map that is what we want, else -EEXIST with a sentence that says how it differs. */
int pin_get_map(int dir, const char *name, const struct pin_want *want, struct fail *fail, struct pin_map *ret);
/* A BPF link or program, else -EEXIST. */
int pin_get_link(int dir, const char *name, struct fail *fail, int *ret_fd);
int pin_get_prog(int dir, const char *name, struct fail *fail, int *ret_fd);
int pin_drop(int dir, const char *name); /* 0 also when there is none */

/* Names in a directory, sorted; longer ones than PIN_NAME_MAX - 1 are left out (they are not ours). */
int pin_list(int dir, struct pin_names *ret);
void pin_names_fini(struct pin_names *n);

#endif

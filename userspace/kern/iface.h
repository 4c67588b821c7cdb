/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What fwctl knows of an interface: the record pinned as i<ifindex>/info. The record is the commit: what stands in the
 * directory and not in the record is a leftover of a killed command.
 */
#ifndef FW_KERN_IFACE_H
#define FW_KERN_IFACE_H

#include "base/fail.h"
#include "kern/attach.h"
#include "kern/kern.h"
#include "kern/slots.h"

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IFACE_PREFIX 'i'
#define IFACE_MAX_MAPS 16 /* counter maps of a hook: capacity at least doubles, so these suffice */

/* Bytes in a map, read by later versions of fwctl: fields are appended, and the version grows when their meaning changes. */
#define IFACE_MAGIC 0x49574646u
#define IFACE_VERSION 1
struct iface_hook {
	uint32_t present, mode, link, frags, priority;
	uint32_t prog_id[2]; /* the one attached; while it is replaced, both */
	uint32_t nmaps;
	uint32_t map_id[IFACE_MAX_MAPS]; /* counters, oldest first; programs use the last */
};
struct iface_record {
	uint32_t magic, version;
	uint32_t ifindex, pad;
	uint64_t since_ns;
	char name[IFNAMSIZ];
	char policy[40];
	struct iface_hook hook[FW_HOOK_COUNT];
};

struct iface {
	unsigned int ifindex;
	int dir;
	int record_fd; /* -1: no record: a leftover */
	struct iface_record rec;
	bool here;           /* an interface with this index exists in our namespace */
	char name[IFNAMSIZ]; /* its name now; that of the record when it is gone */
};
struct ifaces {
	struct iface *v;
	size_t n, cap;
};

/* Every interface directory of a namespace directory, also those without a record. here: is it our own namespace? */
int iface_list(int ns_dir, bool here, struct fail *fail, struct ifaces *ret);
void ifaces_fini(struct ifaces *list);

/* A directory for a new interface (or one found, without a record). */
int iface_new(int ns_dir, unsigned int ifindex, const char *name, struct fail *fail, struct iface *ret);
void iface_close(struct iface *f);
/* Write the record: the first time it is also pinned, last of all. */
int iface_save(struct iface *f, struct fail *fail);

/* The new counters of a hook are pinned; the caller saves the record. Map: percpu array. */
int iface_pin_counters(struct iface *f, enum fw_hook hook, int fd, uint32_t *ret_id, struct fail *fail);
/* Open the index-th counter map of a hook. */
int iface_open_counters(const struct iface *f, enum fw_hook hook, size_t index, struct fail *fail, int *ret_fd, uint32_t *ret_slots);

struct attach iface_attach(const struct iface *f, enum fw_hook hook);

/* Remove pins and attachments that the record does not name. */
int iface_sweep(struct iface *f, struct fail *fail);
/* Detach everything and forget the interface. The record goes first. */
int iface_remove(int ns_dir, struct iface *f, bool elsewhere, struct fail *fail);

#endif

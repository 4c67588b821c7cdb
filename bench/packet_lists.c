// SPDX-License-Identifier: GPL-2.0-only
/* Large sets of addresses, beside the kernel's own structure on the same packets. */
#include "base/arena.h"
#include "bench/lists.h"
#include "bench/packet.h"

#include <errno.h>

struct list {
	struct workload w;
	struct subject s;
	struct ref lpm;
	size_t prefixes;
	struct packet_trace ours[LIST_TRACE_COUNT], trie[LIST_TRACE_COUNT];
};

static int list_add(struct packet_bench *b, struct list *l, enum list_trace kind)
{
	static const char *const names[] = { [LIST_MISS] = "miss", [LIST_HIT] = "hit", [LIST_RANDOM] = "random" };
	static const char *const texts[] = {
		[LIST_MISS] = "sources outside", [LIST_HIT] = "sources inside", [LIST_RANDOM] = "random sources"
	};
	struct probe p = {
		.id = packet_label(b, "list_%s_%s", names[kind], l->w.family),
		.text = packet_label(b, "fwctl, %s", texts[kind]),
		.group = packet_label(b, "list_%s", names[kind]),
		.family = l->w.family,
		.rules = l->prefixes,
	};
	int err = packet_add_trace(b, &p, l->w.trace[kind], b->parse.prog_fd, l->s.prog_fd, &l->ours[kind]);

	p.id = packet_label(b, "lpm_%s_%s", names[kind], l->w.family);
	p.text = packet_label(b, "kernel LPM trie over an empty program, %s", texts[kind]);
	p.group = packet_label(b, "lpm_%s", names[kind]);
	return err ? err : packet_add_trace(b, &p, l->w.trace[kind], b->ref.empty_fd, l->lpm.lpm_fd, &l->trie[kind]);
}

static int list_run(struct packet_bench *b, const char *name, const struct aset *set, struct list *l)
{
	struct arena *arena = arena_new();
	int err = arena ? workload_list(arena, b->seed, name, set, PACKET_TRACE_LEN, &l->w) : -ENOMEM;

	if (!err && l->w.refused)
		printf("\n%s: not measured: %s\n", name, l->w.refused);
	if (err || l->w.refused)
		goto out;
	err = subject_open(&l->w.img, FW_HOOK_XDP, false, &l->s);
	if (!err)
		err = packet_verify(&l->s, &l->w, 512);
	if (!err)
		err = ref_open(NULL, 0, -1, &l->lpm);
	if (!err)
		err = ref_trie_add(&l->lpm, set, SIZE_MAX, &l->prefixes);
	for (int kind = 0; !err && kind < LIST_TRACE_COUNT; kind++)
		err = list_add(b, l, (enum list_trace)kind);
	if (!err)
		err = packet_run(b, packet_label(b, "XDP, %zu IPv4 prefixes of %s, 65,536 packets", l->prefixes, name));
	if (!err && b->m.json)
		fprintf(b->m.json, "{\"bench\":\"list_memory\",\"family\":\"%s\",\"rules\":%zu,\"hot_bytes\":%u}\n",
			name, l->prefixes, image_hdr(&l->w.img)->hot_len);
out:
	arena_free(arena);
	return err;
}

static void list_close(struct list *l)
{
	for (int kind = 0; kind < LIST_TRACE_COUNT; kind++) {
		packet_trace_close(&l->ours[kind]);
		packet_trace_close(&l->trie[kind]);
	}
	ref_close(&l->lpm);
	subject_close(&l->s);
	workload_fini(&l->w);
}

int packet_list_file(struct packet_bench *b, const char *file)
{
	struct arena *arena = arena_new();
	const struct aset *set = NULL;
	struct list l = {};
	int err = arena ? lists_read(arena, file, &set) : -ENOMEM;

	if (err == -ENOENT) {
		printf("\n%s: not measured: the file is not there (FWCTL_DATA names its directory)\n", file);
		err = 0;
	} else if (!err) {
		err = list_run(b, file, set, &l);
	}
	list_close(&l);
	arena_free(arena);
	return err;
}

int packet_list_seeded(struct packet_bench *b, size_t n)
{
	struct arena *arena = arena_new();
	const struct aset *set = NULL;
	struct list l = {};
	int err = arena ? workload_prefixes(arena, b->seed, n, &set) : -ENOMEM;

	if (!err)
		err = list_run(b, packet_label(b, "seeded-%zu", n), set, &l);
	list_close(&l);
	arena_free(arena);
	return err;
}

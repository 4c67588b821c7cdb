// SPDX-License-Identifier: GPL-2.0-only
#include "bench/subject.h"
#include "bench/measure.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fw/names.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define OBJECT_XDP "build/bpf/fw_xdp.bpf.o"
#define OBJECT_TC  "build/bpf/fw_tc.bpf.o"
#define OBJECT_REF "build/bpf/ref.bpf.o"
#define SLOT_MIN   65536u

static const char *const progs[] = {
	[FW_HOOK_XDP] = FW_PROG_XDP,
	[FW_HOOK_TC_INGRESS] = FW_PROG_TC_INGRESS,
	[FW_HOOK_TC_EGRESS] = FW_PROG_TC_EGRESS,
};

static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level == LIBBPF_WARN && getenv("BENCH_VERBOSE") ? vfprintf(stderr, fmt, args) : 0;
}

static int complain(const char *what, const char *object, int err)
{
	fprintf(stderr, "bench: %s %s: %s\n", what, object, strerror(-err));
	return err;
}

static int object_open(const char *path, struct bpf_object **ret)
{
	libbpf_set_print(quiet);
	*ret = bpf_object__open_file(path, NULL);
	return *ret ? 0 : complain("cannot open", path, -errno);
}

/* Only the program called `name`. */
static void object_only(struct bpf_object *obj, const char *name)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj) bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), name));
}

static struct bpf_map *object_section(struct bpf_object *obj, const char *suffix)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj)
	{
		const char *name = bpf_map__name(map);
		size_t len = strlen(name), tail = strlen(suffix);

		if (len >= tail && !strcmp(name + len - tail, suffix))
			return map;
	}
	return NULL;
}

static uint32_t slot_size(const struct image *img)
{
	uint32_t size = SLOT_MIN;

	while (img && size < img->len)
		size *= 2;
	return size;
}

/* Counters of a fresh image: one per rule of the larger direction. */
static uint32_t subject_slots(const struct image *img)
{
	uint32_t n = 0;

	for (int dir = 0; img && dir < FW_DIR_COUNT; dir++)
		n = image_hdr(img)->dir[dir].nrules > n ? image_hdr(img)->dir[dir].nrules : n;
	return FW_SLOT_RULE0 + n;
}

static int subject_configure(struct subject *s, const struct image *img, enum fw_hook hook, bool parse_only)
{
	struct bpf_map *slot0 = bpf_object__find_map_by_name(s->obj, FW_MAP_SLOT0);
	struct bpf_map *slot1 = bpf_object__find_map_by_name(s->obj, FW_MAP_SLOT1);
	struct bpf_map *counters = bpf_object__find_map_by_name(s->obj, FW_MAP_COUNTERS);
	struct bpf_map *rodata = object_section(s->obj, ".rodata");
	uint32_t size = slot_size(img);
	struct fw_cfg cfg = {
		.mask = { size - 1, SLOT_MIN - 1 },
		.dir = hook == FW_HOOK_TC_EGRESS ? FW_DIR_EGRESS : FW_DIR_INGRESS,
		.nslots = subject_slots(img),
		.parse_only = parse_only,
	};

	if (!slot0 || !slot1 || !counters || !rodata)
		return -ENOENT;
	s->slot_bytes = size + FW_SLOT_PAD;
	bpf_map__set_value_size(slot0, size + FW_SLOT_PAD);
	bpf_map__set_value_size(slot1, SLOT_MIN + FW_SLOT_PAD);
	bpf_map__set_max_entries(counters, cfg.nslots);
	return bpf_map__set_initial_value(rodata, &cfg, sizeof(cfg));
}

/* The control word is zero: slot 0 is live. */
static int subject_fill(struct subject *s, const struct image *img)
{
	struct bpf_map *slot0 = bpf_object__find_map_by_name(s->obj, FW_MAP_SLOT0);
	void *mem = mmap(NULL, s->slot_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(slot0), 0);

	if (mem == MAP_FAILED)
		return -errno;
	memcpy(mem, img->data, img->len);
	munmap(mem, s->slot_bytes);
	return 0;
}

int subject_open(const struct image *img, enum fw_hook hook, bool parse_only, struct subject *ret)
{
	const char *path = hook == FW_HOOK_XDP ? OBJECT_XDP : OBJECT_TC;
	double start = measure_wall_ns();
	struct subject s = {};
	int err = object_open(path, &s.obj);

	if (err)
		return err;
	object_only(s.obj, progs[hook]);
	err = subject_configure(&s, img, hook, parse_only);
	if (!err)
		err = bpf_object__load(s.obj);
	s.load_ns = measure_wall_ns() - start;
	if (!err && img)
		err = subject_fill(&s, img);
	if (err) {
		subject_close(&s);
		return complain("cannot load", path, err);
	}
	s.prog = progs[hook];
	s.hook = hook;
	s.prog_fd = bpf_program__fd(bpf_object__find_program_by_name(s.obj, s.prog));
	s.counters_fd = bpf_map__fd(bpf_object__find_map_by_name(s.obj, FW_MAP_COUNTERS));
	*ret = s;
	return 0;
}

/* One map of a loaded program, as the map of the object; its .rodata is where the constants come from. */
static int beside_map(struct bpf_object *obj, uint32_t id, struct fw_cfg *cfg)
{
	int fd = bpf_map_get_fd_by_id(id), err = fd < 0 ? fd : 0;
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info), zero = 0;
	struct bpf_map *map;
	const char *dot;

	if (!err)
		err = bpf_obj_get_info_by_fd(fd, &info, &len);
	dot = strchr(info.name, '.');
	/* There are others, of numbers that the compiler put aside: ".rodata.fw_ctz". */
	if (!err && dot && !strcmp(dot, ".rodata"))
		err = bpf_map_lookup_elem(fd, &zero, cfg);
	map = err || dot ? NULL : bpf_object__find_map_by_name(obj, info.name);
	if (map)
		err = bpf_map__set_autocreate(map, true);
	if (map && !err)
		err = bpf_map__reuse_fd(map, fd);
	if (fd >= 0)
		close(fd);
	return err;
}

static int beside_configure(struct subject *s, int prog_fd, struct fw_cfg *cfg)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info), ids[64];
	struct bpf_map *map, *rodata = object_section(s->obj, ".rodata");
	int err;

	bpf_object__for_each_map(map, s->obj)
		if (!strstr(bpf_map__name(map), ".rodata"))
			bpf_map__set_autocreate(map, false);
	info.map_ids = (uintptr_t)ids;
	info.nr_map_ids = 64;
	err = bpf_obj_get_info_by_fd(prog_fd, &info, &len);
	for (uint32_t i = 0; !err && i < info.nr_map_ids && i < 64; i++)
		err = beside_map(s->obj, ids[i], cfg);
	cfg->trace = cfg->readonly = cfg->frags = 0;
	return err ? err : bpf_map__set_initial_value(rodata, cfg, sizeof(*cfg));
}

/* A tap on it, that takes packets of one counter slot on ingress. */
#define TAP_RING 4096
static int tap_configure(struct subject *s, uint32_t snap, struct fw_cfg *cfg)
{
	static const char *const names[] = { FW_MAP_TAPS, FW_MAP_TAP_CPUS, FW_MAP_TAP_CTL };
	struct bpf_map *map[3];
	int err = 0;

	for (int i = 0; i < 3; i++) {
		map[i] = bpf_object__find_map_by_name(s->obj, names[i]);
		err = err ? err : bpf_map__set_autocreate(map[i], true);
	}
	cfg->features |= FW_FEAT_TAP;
	cfg->cpus = (uint32_t)libbpf_num_possible_cpus();
	cfg->tap_mask = TAP_RING - 1;
	cfg->tap_snap = snap;
	err = err ? err : bpf_map__set_value_size(map[0], sizeof(struct fw_tap) + snap);
	err = err ? err : bpf_map__set_max_entries(map[0], TAP_RING * cfg->cpus);
	err = err ? err : bpf_map__set_max_entries(map[1], cfg->cpus);
	return err ? err : bpf_map__set_initial_value(object_section(s->obj, ".rodata"), cfg, sizeof(*cfg));
}

int subject_tap(const struct subject *s, uint32_t slot)
{
	struct fw_tap_ctl ctl = { .on = 1, .verdicts = ~0u, .reasons = ~0u, .nslots = 1, .slot = { FW_TAP_SLOT(slot, FW_DIR_INGRESS) } };
	int fd = bpf_map__fd(bpf_object__find_map_by_name(s->obj, FW_MAP_TAP_CTL));

	return bpf_map_update_elem(fd, &(uint32_t){ 0 }, &ctl, BPF_ANY);
}

int subject_beside(int prog_fd, enum fw_hook hook, uint32_t snap, struct subject *ret)
{
	const char *path = hook == FW_HOOK_XDP ? OBJECT_XDP : OBJECT_TC, *name = progs[hook];
	struct fw_cfg cfg = {};
	struct subject s = {};
	int err = object_open(path, &s.obj);

	if (err)
		return err;
	err = beside_configure(&s, prog_fd, &cfg);
	if (!err && snap)
		err = tap_configure(&s, snap, &cfg);
	if (hook == FW_HOOK_XDP && cfg.features & FW_FEATS_ANSWER)
		name = FW_PROG_XDP_ANSWERS;
	object_only(s.obj, name);
	if (!err)
		err = bpf_object__load(s.obj);
	if (err) {
		subject_close(&s);
		return complain("cannot load", path, err);
	}
	s.prog = name;
	s.hook = hook;
	s.prog_fd = bpf_program__fd(bpf_object__find_program_by_name(s.obj, name));
	s.counters_fd = bpf_map__fd(bpf_object__find_map_by_name(s.obj, FW_MAP_COUNTERS));
	*ret = s;
	return 0;
}

void subject_close(struct subject *s)
{
	bpf_object__close(s->obj);
	s->obj = NULL;
}

static int ref_fd(const struct ref *r, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(r->obj, name));
}

static int ref_fill(struct ref *r, const struct ref_frame *frames, size_t n, int next_fd)
{
	int frames_fd = bpf_map__fd(bpf_object__find_map_by_name(r->obj, "ref_frames"));
	int next_map = bpf_map__fd(bpf_object__find_map_by_name(r->obj, "ref_next"));
	uint32_t zero = 0;
	void *mem;

	if (n) {
		mem = mmap(NULL, n * sizeof(*frames), PROT_READ | PROT_WRITE, MAP_SHARED, frames_fd, 0);
		if (mem == MAP_FAILED)
			return -errno;
		memcpy(mem, frames, n * sizeof(*frames));
		munmap(mem, n * sizeof(*frames));
	}
	if (next_fd >= 0 && bpf_map_update_elem(next_map, &zero, &next_fd, BPF_ANY))
		return -errno;
	return 0;
}

int ref_open(const struct ref_frame *frames, size_t n, int next_fd, struct ref *ret)
{
	struct ref r = {};
	uint32_t mask = n ? n - 1 : 0;
	int err = object_open(OBJECT_REF, &r.obj);

	if (err)
		return err;
	bpf_map__set_max_entries(bpf_object__find_map_by_name(r.obj, "ref_frames"), n ? n : 1);
	err = bpf_map__set_initial_value(object_section(r.obj, ".rodata"), &mask, sizeof(mask));
	if (!err)
		err = bpf_object__load(r.obj);
	if (!err)
		err = ref_fill(&r, frames, n, next_fd);
	if (err) {
		ref_close(&r);
		return complain("cannot load", OBJECT_REF, err);
	}
	r.empty_fd = ref_fd(&r, "ref_empty");
	r.tc_empty_fd = ref_fd(&r, "ref_tc_empty");
	r.count_fd = ref_fd(&r, "ref_count");
	r.lpm_fd = ref_fd(&r, "ref_lpm");
	r.trace_fd = ref_fd(&r, "ref_trace");
	r.trie_fd = bpf_map__fd(bpf_object__find_map_by_name(r.obj, "ref_trie"));
	*ret = r;
	return 0;
}

void ref_close(struct ref *r)
{
	bpf_object__close(r->obj);
	r->obj = NULL;
}

int ref_trie_add(const struct ref *r, const struct aset *set, size_t max, size_t *ret_n)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n4; i++) {
		uint64_t lo = set->v4[i].lo, hi = set->v4[i].hi;

		/* A range is cut into the largest aligned blocks that fit. */
		while (lo <= hi && n < max) {
			struct ref_lpm_key key = { .addr = htonl(lo) };
			uint32_t bits = 0, one = 1;

			while (bits < 32 && !(lo >> bits & 1) && lo + (2ull << bits) - 1 <= hi)
				bits++;
			key.len = 32 - bits;
			if (bpf_map_update_elem(r->trie_fd, &key, &one, BPF_ANY))
				return complain("cannot fill the trie of", OBJECT_REF, -errno);
			lo += 1ull << bits;
			n++;
		}
	}
	*ret_n += n;
	return 0;
}

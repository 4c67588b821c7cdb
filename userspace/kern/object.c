// SPDX-License-Identifier: GPL-2.0-only
#include "kern/object.h"

#include "base/cleanup.h"
#include "image/digest.h"
#include "kern/log.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <fw/names.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

extern const char kern_object_xdp[], kern_object_xdp_end[];
extern const char kern_object_tc[], kern_object_tc_end[];

/* Room for the whole log: with too little the kernel refuses a good program with ENOSPC. Pages that it does not write cost nothing. */
#define VERIFIER_LOG (64 << 20)

const char *object_prog_name(enum fw_hook hook)
{
	switch (hook) {
	case FW_HOOK_XDP:
		return FW_PROG_XDP;
	case FW_HOOK_TC_INGRESS:
		return FW_PROG_TC_INGRESS;
	default:
		return FW_PROG_TC_EGRESS;
	}
}

/* Which of the object's programs: those that answer are others at XDP. */
static const char *prog_for(enum fw_hook hook, const struct fw_cfg *cfg)
{
	bool answers = hook == FW_HOOK_XDP && cfg->features & FW_FEATS_ANSWER && !cfg->trace;

	return answers ? FW_PROG_XDP_ANSWERS : object_prog_name(hook);
}

static void object_closep(struct bpf_object **o)
{
	bpf_object__close(*o);
}

/* The ELF object that has the program of a hook. */
static const char *object_bytes(enum fw_hook hook, size_t *ret_len)
{
	bool xdp = hook == FW_HOOK_XDP;
	const char *start = xdp ? kern_object_xdp : kern_object_tc;

	*ret_len = (xdp ? kern_object_xdp_end : kern_object_tc_end) - start;
	return start;
}

uint64_t object_sum(enum fw_hook hook)
{
	uint64_t last = 0, parts[2];
	size_t len;
	const char *start = object_bytes(hook, &len);

	memcpy(&last, start + (len & ~7ul), len & 7);
	parts[0] = digest_sum(start, len & ~7ul);
	parts[1] = last;
	return digest_sum(parts, sizeof(parts));
}

static int object_open(enum fw_hook hook, char *log, struct fail *fail, struct bpf_object **ret)
{
	size_t len;
	const char *start = object_bytes(hook, &len);
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = hook == FW_HOOK_XDP ? "fw_xdp" : "fw_tc", .kernel_log_buf = log,
		    .kernel_log_size = VERIFIER_LOG);
	struct bpf_object *o = bpf_object__open_mem(start, len, &opts);

	if (!o)
		return fail_set(fail, -errno, "cannot read the BPF object inside fwctl: %s %s", strerror(errno), log_last());
	*ret = o;
	return 0;
}

static int reuse(struct bpf_object *o, const char *name, int fd, struct fail *fail)
{
	struct bpf_map *m = bpf_object__find_map_by_name(o, name);
	int err = m ? bpf_map__reuse_fd(m, fd) : -ENOENT;

	return err ? fail_set(fail, err, "cannot use map %s: %s", name, strerror(-err)) : 0;
}

/* The program reads its constants from .rodata, which is struct fw_cfg and nothing else; the kernel freezes it at load. */
static int set_constants(struct bpf_object *o, const struct fw_cfg *cfg, struct fail *fail)
{
	struct bpf_map *m;
	size_t size = 0;

	bpf_object__for_each_map(m, o) {
		const char *dot = strchr(bpf_map__name(m), '.');

		if (!dot || strcmp(dot, ".rodata"))
			continue;
		if (!bpf_map__initial_value(m, &size) || size != sizeof(*cfg))
			break;
		return bpf_map__set_initial_value(m, cfg, sizeof(*cfg)) ? fail_set(fail, -EINVAL, "cannot set constants") : 0;
	}
	return fail_set(fail, -EINVAL, "the BPF object inside fwctl has no constants of %zu bytes (found %zu)", sizeof(*cfg), size);
}

const char *object_shared_name(enum object_shared m)
{
	static const char *const names[SHARED_COUNT] = {
		[SHARED_FLOWS] = FW_MAP_FLOWS,
		[SHARED_LIMITS] = FW_MAP_LIMITS,
		[SHARED_BUCKETS] = FW_MAP_BUCKETS,
		[SHARED_COOKIES] = FW_MAP_COOKIES,
		[SHARED_EVENTS] = FW_MAP_EVENTS,
		[SHARED_EVENT_CPUS] = FW_MAP_EVENT_CPUS,
		[SHARED_LOG_LIMITS] = FW_MAP_LOG_LIMITS,
		[SHARED_TAPS] = FW_MAP_TAPS,
		[SHARED_TAP_CPUS] = FW_MAP_TAP_CPUS,
		[SHARED_TAP_CTL] = FW_MAP_TAP_CTL,
		[SHARED_LIVE_CTL] = FW_MAP_LIVE_CTL,
		[SHARED_LIVE_FILTER] = FW_MAP_LIVE_FILTER,
		[SHARED_LIVE_HOST4] = FW_MAP_LIVE_HOST4,
		[SHARED_LIVE_HOST6] = FW_MAP_LIVE_HOST6,
		[SHARED_LIVE_NET4] = FW_MAP_LIVE_NET4,
		[SHARED_LIVE_NET6] = FW_MAP_LIVE_NET6,
		[SHARED_LIVE_COUNT] = FW_MAP_LIVE_COUNT,
	};

	return names[m];
}

/* What the features do not need is not made, and the code that asks for it is cut out before anybody looks for it. */
static int reuse_shared(struct bpf_object *o, const struct object_maps *maps, struct fail *fail)
{
	int err = 0;

	for (enum object_shared s = 0; !err && s < SHARED_COUNT; s++) {
		struct bpf_map *m = bpf_object__find_map_by_name(o, object_shared_name(s));

		if (m && maps->shared[s] < 0)
			err = bpf_map__set_autocreate(m, false);
		else if (m)
			err = bpf_map__reuse_fd(m, maps->shared[s]);
		if (err)
			fail_set(fail, err, "cannot use map %s: %s", object_shared_name(s), strerror(-err));
	}
	return err;
}

static int object_prepare(struct bpf_object *o, enum fw_hook hook, const struct object_maps *maps, const struct fw_cfg *cfg,
			  struct fail *fail, struct bpf_program **ret)
{
	struct bpf_program *p, *mine = NULL;
	int err;

	bpf_object__for_each_program(p, o) {
		bool it = !strcmp(bpf_program__name(p), prog_for(hook, cfg));

		bpf_program__set_autoload(p, it);
		if (it)
			mine = p;
	}
	if (!mine)
		return fail_set(fail, -EINVAL, "the BPF object inside fwctl has no program %s", object_prog_name(hook));
	if (hook == FW_HOOK_XDP && cfg->frags)
		bpf_program__set_flags(mine, bpf_program__flags(mine) | BPF_F_XDP_HAS_FRAGS);
	err = reuse(o, FW_MAP_CTL, maps->ctl, fail);
	err = err ?: reuse(o, FW_MAP_SLOT0, maps->slot[0], fail);
	err = err ?: reuse(o, FW_MAP_SLOT1, maps->slot[1], fail);
	err = err ?: reuse(o, FW_MAP_COUNTERS, maps->counters, fail);
	if (maps->trace >= 0)
		err = err ?: reuse(o, FW_MAP_TRACE, maps->trace, fail);
	err = err ?: reuse_shared(o, maps, fail);
	err = err ?: set_constants(o, cfg, fail);
	if (!err)
		*ret = mine;
	return err;
}

/* The verifier says what is wrong in the last line before its statistics. */
static void verifier_last(const char *log, char *out, size_t size)
{
	const char *line = log, *best = "", *end;
	size_t best_len = 0;

	for (; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		if (end > line && strncmp(line, "processed ", 10) && strncmp(line, "verification time", 17) &&
		    strncmp(line, "stack depth", 11))
			best = line, best_len = end - line;
	}
	snprintf(out, size, "%.*s", (int)(best_len < 400 ? best_len : 400), best);
}

static int explain_load(int err, enum fw_hook hook, bool frags, const char *log, struct fail *fail)
{
	unsigned int major = 0, minor = 0;
	struct utsname u = {};
	char words[512];

	uname(&u);
	sscanf(u.release, "%u.%u", &major, &minor);
	verifier_last(log, words, sizeof(words));
	if (err == -EPERM && !*words)
		return fail_set(fail, err, "cannot load program %s: %s; fwctl needs root or CAP_BPF+CAP_NET_ADMIN+CAP_PERFMON",
				object_prog_name(hook), strerror(-err));
	if (major < 6 || (major == 6 && minor < 1))
		return fail_set(fail, err, "cannot load program %s: %s; fwctl needs Linux 6.1 or newer, this is %s%s%s",
				object_prog_name(hook), strerror(-err), u.release, *words ? "; the verifier: " : "", words);
	if (frags && err == -EINVAL && !*words)
		return fail_set(fail, err, "cannot load program %s: multi-buffer XDP needs Linux 5.18 or newer, this is %s",
				object_prog_name(hook), u.release);
	return fail_set(fail, err, "the kernel (%s) refuses program %s: %s%s%s", u.release, object_prog_name(hook), strerror(-err),
			*words ? "; the verifier: " : "", *words ? words : "");
}

int object_load(enum fw_hook hook, const struct object_maps *maps, const struct fw_cfg *cfg, struct fail *fail,
		struct object *ret)
{
	struct bpf_object *o cleanup(object_closep) = NULL;
	auto_free char *log = calloc(1, VERIFIER_LOG);
	auto_close int prog_fd = -1;
	struct bpf_program *prog = NULL;
	int err;

	if (!log)
		return fail_set(fail, -ENOMEM, "no memory");
	log_start();
	err = object_open(hook, log, fail, &o);
	err = err ?: object_prepare(o, hook, maps, cfg, fail, &prog);
	if (err)
		return err;
	err = bpf_object__load(o);
	if (err)
		return explain_load(err, hook, cfg->frags, log, fail);
	prog_fd = fcntl(bpf_program__fd(prog), F_DUPFD_CLOEXEC, 0);
	if (prog_fd < 0)
		return fail_set(fail, -EMFILE, "too many open files");
	ret->prog_fd = TAKE_FD(prog_fd);
	return 0;
}

void object_close(struct object *o)
{
	if (o->prog_fd >= 0)
		close(o->prog_fd);
	o->prog_fd = -1;
}

int object_check_privilege(struct fail *fail)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {};
	uint64_t have;
	bool bpf;

	if (syscall(__NR_capget, &head, data))
		return 0; /* bpf(2) itself will say */
	have = data[0].effective | (uint64_t)data[1].effective << 32;
	if (have & 1ull << CAP_SYS_ADMIN)
		bpf = true;
	else
		bpf = (have & 1ull << CAP_BPF) && (have & 1ull << CAP_PERFMON);
	if (bpf && (have & 1ull << CAP_NET_ADMIN))
		return 0;
	return fail_set(fail, -EPERM, "not permitted: fwctl needs root or CAP_BPF+CAP_NET_ADMIN+CAP_PERFMON");
}

int object_info_by_fd(int fd, struct object_info *ret)
{
	struct bpf_prog_info info = {};
	struct object_info out = {};
	uint32_t len = sizeof(info);
	int err;

	info.nr_map_ids = OBJECT_MAX_MAPS;
	info.map_ids = (uintptr_t)out.map_ids;
	err = bpf_obj_get_info_by_fd(fd, &info, &len);
	if (err)
		return err;
	out.id = info.id;
	out.nmaps = info.nr_map_ids < OBJECT_MAX_MAPS ? info.nr_map_ids : OBJECT_MAX_MAPS;
	memcpy(out.name, info.name, sizeof(out.name));
	out.name[sizeof(out.name) - 1] = 0;
	*ret = out;
	return 0;
}

int object_info_by_id(uint32_t prog_id, struct object_info *ret)
{
	auto_close int fd = bpf_prog_get_fd_by_id(prog_id);

	return fd < 0 ? fd : object_info_by_fd(fd, ret);
}

bool object_uses(const struct object_info *info, uint32_t id)
{
	for (uint32_t i = 0; i < info->nmaps; i++)
		if (info->map_ids[i] == id)
			return true;
	return false;
}

int object_cfg(const struct object_info *info, struct fw_cfg *ret)
{
	for (uint32_t i = 0; i < info->nmaps; i++) {
		auto_close int fd = bpf_map_get_fd_by_id(info->map_ids[i]);
		struct bpf_map_info map = {};
		uint32_t len = sizeof(map), zero = 0;
		const char *dot;

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &map, &len))
			continue;
		/* "fw_xdp.rodata"; another one, ".rodata.fw_ctz", may be of the same size */
		dot = strchr(map.name, '.');
		if (dot && !strcmp(dot, ".rodata") && map.value_size == sizeof(*ret))
			return bpf_map_lookup_elem(fd, &zero, ret);
	}
	return -ENOENT;
}

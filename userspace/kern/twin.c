// SPDX-License-Identifier: GPL-2.0-only
/* The program that judges packets, asked without being on any interface. */
#include "kern/counters.h"
#include "kern/hooks.h"
#include "kern/log.h"
#include "kern/rim.h"

#include "base/cleanup.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

struct kern_twin {
	struct slots policy;
	enum fw_hook hook;
	struct object object;
	int counters_fd;
	uint32_t nslots;
	struct fail *fail;
};

void kern_twin_close(struct kern_twin *t)
{
	if (!t)
		return;
	object_close(&t->object);
	if (t->counters_fd >= 0)
		close(t->counters_fd);
	slots_close(&t->policy);
	free(t);
}

/* Takes the policy, also on failure. A frame cut in two needs a program for several buffers: only the twin pays for it. */
static int twin_new(struct slots *p, enum fw_hook hook, struct fail *fail, struct kern_twin **ret)
{
	struct kern_twin *t = calloc(1, sizeof(*t));
	const struct fw_image *live;
	uint32_t nslots[FW_DIR_COUNT];
	struct object_maps maps;
	struct fw_cfg cfg;
	int err;

	if (!t) {
		slots_close(p);
		return fail_set(fail, -ENOMEM, "no memory");
	}
	*t = (struct kern_twin){.policy = *p, .hook = hook, .object = {-1, -1}, .counters_fd = -1, .fail = fail};
	err = slots_live(&t->policy, fail, &live);
	if (!err) {
		hooks_slots(live, nslots);
		t->nslots = nslots[hook_dir(hook)];
		err = map_new_counters(t->nslots, fail, &t->counters_fd);
	}
	if (!err) {
		maps = slots_maps(&t->policy, t->counters_fd);
		cfg = slots_cfg(&t->policy, hook, t->nslots, hook == FW_HOOK_XDP);
		cfg.trace = 1;
		err = object_load(hook, &maps, &cfg, fail, &t->object);
	}
	if (!err && t->object.trace_fd < 0)
		err = fail_set(fail, -EINVAL, "the BPF object inside fwctl has no trace map");
	if (err) {
		kern_twin_close(t);
		return err;
	}
	*ret = t;
	return 0;
}

int kern_twin_open(struct kern *k, const char *policy, enum fw_hook hook, struct kern_twin **ret)
{
	struct fail *fail = kern_fail(k);
	struct slots p;
	int err = slots_check_name(policy, fail);

	if (!err)
		err = k->ns < 0 ? -ENOENT : slots_open(k->ns, policy, false, fail, &p);
	if (err)
		return fail_set(fail, err, "no interface uses policy %s", policy);
	return twin_new(&p, hook, fail, ret);
}

int kern_twin_open_image(const struct image *img, enum fw_hook hook, struct fail *fail, struct kern_twin **ret)
{
	struct slots p;
	int err;

	log_start();
	err = object_check_privilege(fail);
	/* Nothing will ever stand in the idle slot. */
	err = err ?: slots_new("twin", img->len, sizeof(struct fw_image), fail, &p);
	if (err)
		return err;
	slots_write(&p, 0, img, image_hdr(img)->generation ?: 1);
	return twin_new(&p, hook, fail, ret);
}

int kern_twin_run(struct kern_twin *t, const uint8_t *frame, size_t len, size_t linear, struct fw_trace *ret)
{
	struct xdp_md ctx = {.data_end = (uint32_t)linear};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (uint32_t)len, .repeat = 1);
	uint32_t zero = 0;
	int err;

	*t->fail = (struct fail){};
	if (t->hook == FW_HOOK_XDP && linear && linear < len) {
		opts.ctx_in = &ctx;
		opts.ctx_size_in = sizeof(ctx);
	}
	err = bpf_prog_test_run_opts(t->object.prog_fd, &opts);
	if (err)
		return fail_set(t->fail, err, "the kernel does not take a frame of %zu bytes for a test run: %s", len, strerror(-err));
	err = bpf_map_lookup_elem(t->object.trace_fd, &zero, ret);
	return err ? fail_set(t->fail, err, "cannot read what the twin said: %s", strerror(-err)) : 0;
}

int kern_twin_prog_fd(const struct kern_twin *t)
{
	return t->object.prog_fd;
}

int kern_twin_counters(const struct kern_twin *t, struct kern_counters *ret)
{
	struct kern_counters out = {.n = t->nslots, .v = calloc(t->nslots, sizeof(*out.v))};
	int err;

	if (!out.v)
		return fail_set(t->fail, -ENOMEM, "no memory");
	err = counters_add_map(t->counters_fd, t->nslots, out.v, t->fail);
	if (err) {
		free(out.v);
		return err;
	}
	*ret = out;
	return 0;
}

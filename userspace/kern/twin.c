// SPDX-License-Identifier: GPL-2.0-only
/* The program that judges packets, asked without being on any interface. */
#include "kern/twin.h"

#include "kern/clock.h"
#include "kern/counters.h"
#include "kern/events.h"
#include "kern/hooks.h"
#include "kern/live.h"
#include "kern/log.h"
#include "kern/rim.h"

#include "base/cleanup.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define SWAP_MAX (16u << 20)
#define SPARE_SLOTS 256 /* counters of a twin over an image, for the images that come after it */

struct kern_twin {
	struct slots *policy;
	struct slots own;  /* policy, when nobody else keeps it */
	bool owns;
	int index;         /* of the slot to judge by; -1: of the live one, whichever that is */
	enum fw_hook hook;
	struct twin twin;
	int counters_fd;   /* -1: nobody may ask for them */
	struct live_maps live; /* of an image */
	uint32_t nslots;
	struct fail *fail;
};

void kern_twin_close(struct kern_twin *t)
{
	if (!t)
		return;
	twin_close(&t->twin);
	if (t->counters_fd >= 0)
		close(t->counters_fd);
	if (t->owns)
		slots_close(&t->own);
	live_maps_close(&t->live);
	free(t);
}

/*
 * The pinned twin belongs to one at a time, for its answers stand in one place. A policy that another command asks just now, or
 * whose twin does not fit, is asked through a new one, which `keep` puts in its place.
 */
static int open_pinned(struct kern_twin *t, bool keep)
{
	bool mine = t->policy->dir >= 0 && !flock(t->policy->dir, LOCK_EX | LOCK_NB);
	int err;

	if (mine && !twin_get(t->policy, t->hook, &t->twin)) {
		kern_twin_given(t, NULL); /* what the one before us took for granted */
		return 0;
	}
	err = twin_load(t->policy, t->hook, -1, t->fail, &t->twin);
	if (!err && mine && keep)
		twin_put(t->policy, t->hook, &t->twin);
	return err;
}

static struct kern_twin *twin_new(enum fw_hook hook, struct fail *fail)
{
	struct kern_twin *t = calloc(1, sizeof(*t));

	if (t) {
		*t = (struct kern_twin){.hook = hook, .index = -1, .counters_fd = -1, .fail = fail,
					.twin = {.prog_fd = -1, .ask_fd = -1, .said_fd = -1}};
		live_maps_init(&t->live);
	} else {
		fail_set(fail, -ENOMEM, "no memory");
	}
	return t;
}

static int open_policy(struct kern *k, const char *policy, struct kern_twin *t)
{
	int err = slots_check_name(policy, t->fail);

	if (!err)
		err = k->ns < 0 ? -ENOENT : slots_open(k->ns, policy, false, t->fail, &t->own);
	if (err)
		return fail_set(t->fail, err, "no interface uses policy %s", policy);
	t->owns = true;
	t->policy = &t->own;
	return 0;
}

int kern_twin_open(struct kern *k, const char *policy, enum fw_hook hook, struct kern_twin **ret)
{
	struct kern_twin *t = twin_new(hook, kern_fail(k));
	const struct fw_image *live;
	int err = t ? open_policy(k, policy, t) : -ENOMEM;

	err = err ?: slots_live(t->policy, t->fail, &live);
	err = err ?: open_pinned(t, false);
	if (err) {
		kern_twin_close(t);
		return err;
	}
	*ret = t;
	return 0;
}

/* Put an image into a slot of a policy that nobody keeps, with what it needs beside. */
static int own_write(struct kern_twin *t, unsigned int index, const struct image *img, uint64_t generation)
{
	struct image copy;
	size_t written;
	int err = image_alloc(&copy, img->len);

	if (err)
		return fail_set(t->fail, err, "no memory");
	memcpy(copy.data, img->data, img->len);
	err = slots_need(&t->own, image_hdr(img), NULL, 0, t->fail);
	err = err ?: livesets_claim(&t->own, -1, &t->live, &copy, t->fail);
	err = err ?: livesets_settle(-1, &t->live, &copy, t->fail);
	err = err ?: slots_write(&t->own, index, &copy, generation, t->fail, &written);
	image_fini(&copy);
	return err;
}

static int own_counters(struct kern_twin *t, struct slots *p)
{
	uint32_t nslots[FW_DIR_COUNT];
	const struct fw_image *live;
	int err = slots_live(p, t->fail, &live);

	if (err)
		return err;
	hooks_slots(live, nslots);
	t->nslots = nslots[hook_dir(t->hook)] + SPARE_SLOTS;
	return map_new_counters(t->nslots, t->fail, &t->counters_fd);
}

/* A policy of its own, of which nobody else knows, and counters that can be read. */
static int open_image(struct kern_twin *t, const struct image *img)
{
	const char *why = "it is too short";
	bool small = img->len <= SWAP_MAX;
	int err;

	if (image_check(img->data, img->len, &why))
		return fail_set(t->fail, -EBADMSG, "the rules are damaged (%s)", why);
	/* Small images may be followed by others; for a large one nothing will ever stand in the idle slot. */
	err = slots_new("twin", small ? SWAP_MAX : img->len, small ? SWAP_MAX : sizeof(struct fw_image), t->fail, &t->own);
	if (err)
		return err;
	t->owns = true;
	t->policy = &t->own;
	err = own_write(t, 0, img, image_hdr(img)->generation ?: 1);
	err = err ?: own_counters(t, &t->own);
	return err ?: twin_load(&t->own, t->hook, t->counters_fd, t->fail, &t->twin);
}

int kern_twin_open_beside(struct kern_twin *first, enum fw_hook hook, struct kern_twin **ret)
{
	struct kern_twin *t;
	int err = 0;

	*first->fail = (struct fail){};
	if (!first->owns || first->policy->dir >= 0)
		return fail_set(first->fail, -EINVAL, "this twin is that of a policy");
	t = twin_new(hook, first->fail);
	if (!t)
		return -ENOMEM;
	t->policy = first->policy;
	err = own_counters(t, t->policy);
	err = err ?: twin_load(t->policy, hook, t->counters_fd, t->fail, &t->twin);
	if (err) {
		kern_twin_close(t);
		return err;
	}
	*ret = t;
	return 0;
}

int kern_twin_swap(struct kern_twin *first, const struct image *img)
{
	uint32_t before = slots_features(&first->own), now, nslots[FW_DIR_COUNT];
	unsigned int live = slots_live_index(&first->own);
	const struct fw_image *old;
	int err;

	*first->fail = (struct fail){};
	if (!first->owns || first->policy->dir >= 0)
		return fail_set(first->fail, -EINVAL, "this twin is that of a policy");
	hooks_slots(image_hdr(img), nslots);
	if (img->len > first->own.slot[!live].size || nslots[hook_dir(first->hook)] > first->nslots)
		return fail_set(first->fail, -E2BIG, "the twin has no room for %zu bytes and %u counters", img->len,
				nslots[hook_dir(first->hook)]);
	err = slots_live(&first->own, first->fail, &old);
	err = err ?: slots_clear_limits(&first->own, image_hdr(img), old, first->fail);
	err = err ?: own_write(first, !live, img, old->generation + 1);
	now = slots_features(&first->own);
	if (!err && now & ~before)
		err = fail_set(first->fail, -EINVAL, "the twin was loaded for fewer features (%#x, not %#x)", before, now);
	if (!err)
		slots_switch(&first->own, !live);
	return err;
}

int kern_twin_live(struct kern_twin *first, struct kern_live **ret)
{
	struct kern_live *l;
	int err;

	*first->fail = (struct fail){};
	if (!first->live.registry)
		return -ENOENT;
	err = livesets_filter_share(&first->live, first->fail);
	if (err)
		return err;
	l = calloc(1, sizeof(*l));
	if (!l)
		return fail_set(first->fail, -ENOMEM, "no memory");
	*l = (struct kern_live){.m = first->live, .fail = first->fail, .borrowed = true};
	*ret = l;
	return 0;
}

int kern_twin_events(struct kern_twin *t, struct kern_events **ret)
{
	*t->fail = (struct fail){};
	if (t->policy->dir >= 0)
		return fail_set(t->fail, -EINVAL, "this twin is that of a policy");
	return events_open(t->policy->shared, KERN_EVENTS_HELD, t->fail, ret);
}

void kern_twin_given(struct kern_twin *t, const struct kern_given *given)
{
	struct fw_ctl *ask = t->twin.ask;

	ask->given = 0;
	if (!given)
		return;
	ask->given_state = given->state;
	ask->given_live = given->live;
	ask->given_ns = given->now_ns;
	ask->state_ns = given->state_ns ?: t->policy->ctl->state_ns;
	ask->given = given->given;
}

int kern_twin_open_image(const struct image *img, enum fw_hook hook, struct fail *fail, struct kern_twin **ret)
{
	struct kern_twin *t;
	int err;

	log_start();
	err = object_check_privilege(fail);
	if (err)
		return err;
	t = twin_new(hook, fail);
	err = t ? open_image(t, img) : -ENOMEM;
	if (err) {
		kern_twin_close(t);
		return err;
	}
	*ret = t;
	return 0;
}

int twin_verify(struct slots *p, unsigned int hooks, unsigned int index, const struct fw_image *live,
		const struct kern_verify *verify, struct fail *fail)
{
	int err = 0;

	for (enum fw_hook h = 0; !err && h < FW_HOOK_COUNT; h++) {
		struct kern_twin *t;

		if (!(hooks & 1u << h))
			continue;
		t = twin_new(h, fail);
		if (!t)
			return -ENOMEM;
		t->policy = p;
		t->index = (int)index;
		err = open_pinned(t, true);
		err = err ?: verify->ask(verify->ctx, t, h, live);
		kern_twin_close(t);
	}
	return err;
}

int kern_twin_run(struct kern_twin *t, const uint8_t *frame, size_t len, size_t linear, struct fw_trace *ret)
{
	struct xdp_md ctx = {.data_end = (uint32_t)linear};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (uint32_t)len, .repeat = 1);
	int err;

	if (t->hook == FW_HOOK_XDP && linear && linear < len) {
		opts.ctx_in = &ctx;
		opts.ctx_size_in = sizeof(ctx);
	}
	*t->twin.said = (struct fw_trace){.verdict = ~0u, .rule = ~0u};
	__atomic_store_n(&t->twin.ask->live, t->index < 0 ? slots_live_index(t->policy) : (unsigned int)t->index, __ATOMIC_SEQ_CST);
	err = bpf_prog_test_run_opts(t->twin.prog_fd, &opts);
	*t->fail = (struct fail){};
	if (err)
		return fail_set(t->fail, err, "the kernel does not take a frame of %zu bytes for a test run: %s", len, strerror(-err));
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*ret = *t->twin.said;
	return 0;
}

int kern_twin_prog_fd(const struct kern_twin *t)
{
	return t->twin.prog_fd;
}

int kern_twin_counters(const struct kern_twin *t, struct kern_counters *ret)
{
	auto_free struct fw_cell *sum = calloc(t->nslots + 1, sizeof(*sum));
	struct kern_counters out = {};
	int err;

	if (t->counters_fd < 0)
		return fail_set(t->fail, -ENOENT, "the twin of a policy has no counters");
	if (!sum)
		return fail_set(t->fail, -ENOMEM, "no memory");
	err = counters_add_map(t->counters_fd, t->nslots, sum, t->fail);
	if (err)
		return err;
	if (counters_alloc(t->nslots, &out))
		return fail_set(t->fail, -ENOMEM, "no memory");
	for (uint32_t s = 0; s < t->nslots; s++) {
		out.v[s] = sum[s].count;
		out.last_ns[s] = clock_of_tick(t->policy->ctl, sum[s].last);
		out.any_ns = out.last_ns[s] > out.any_ns ? out.last_ns[s] : out.any_ns;
	}
	*ret = out;
	return 0;
}


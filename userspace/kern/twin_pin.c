// SPDX-License-Identifier: GPL-2.0-only
/* Twins that outlive the command that loaded them. */
#include "kern/attach.h"
#include "kern/pin.h"
#include "kern/twin.h"

#include "base/cleanup.h"
#include "image/digest.h"

#include <errno.h>
#include <fw/names.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PIN_ASK, PIN_SAID, PIN_TWIN, PIN_COUNT };
static const char *const pin_words[PIN_COUNT] = {"ask", "said", "twin"};

struct pins {
	char name[PIN_COUNT][PIN_NAME_MAX];
};

/* A frame cut in two needs a program for several buffers: only the twin pays for it. */
static struct fw_cfg twin_cfg(const struct slots *p, enum fw_hook hook)
{
	struct fw_cfg cfg = slots_cfg(p, hook, 0, hook == FW_HOOK_XDP);

	cfg.trace = 1;
	/* It tells of nothing while somebody taps, either, so it need not be another program then. */
	cfg.features &= ~FW_FEAT_TAP;
	cfg.tap_mask = cfg.tap_snap = 0;
	if (!(cfg.features & FW_FEAT_LOG))
		cfg.cpus = 0;
	/* A policy that nobody keeps is there to be changed: its tables are those of a test. */
	cfg.readonly = p->dir >= 0;
	return cfg;
}

static bool twin_shares(enum object_shared m)
{
	return m < SHARED_TAPS || m > SHARED_TAP_CTL;
}

static struct pins pins_of(const struct slots *p, enum fw_hook hook)
{
	struct {
		uint64_t object;
		uint32_t slot[2];
		struct fw_cfg cfg;
		uint32_t shared[SHARED_COUNT];
		uint32_t pad;
	} what = {object_sum(hook), {p->slot[0].id, p->slot[1].id}, twin_cfg(p, hook), {}, 0};
	unsigned long long sum;
	struct pins pins;

	for (enum object_shared m = 0; m < SHARED_COUNT; m++)
		what.shared[m] = twin_shares(m) ? p->shared[m].id : 0;
	sum = digest_sum(&what, sizeof(what));

	for (int i = 0; i < PIN_COUNT; i++)
		snprintf(pins.name[i], PIN_NAME_MAX, "%s_%s_%016llx", attach_word(hook), pin_words[i], sum);
	return pins;
}

/* Is this the name of a twin's pin, be it one that fits or not? */
static bool is_twin_pin(const char *name)
{
	for (enum fw_hook h = 0; h < FW_HOOK_COUNT; h++) {
		size_t len = strlen(attach_word(h));

		if (strncmp(name, attach_word(h), len) || name[len] != '_')
			continue;
		for (int i = 0; i < PIN_COUNT; i++) {
			size_t word = strlen(pin_words[i]);

			if (!strncmp(name + len + 1, pin_words[i], word) && name[len + 1 + word] == '_')
				return true;
		}
	}
	return false;
}

void twin_close(struct twin *t)
{
	map_unshare(t->ask, sizeof(*t->ask));
	map_unshare(t->said, sizeof(*t->said));
	if (t->prog_fd >= 0)
		close(t->prog_fd);
	if (t->ask_fd >= 0)
		close(t->ask_fd);
	if (t->said_fd >= 0)
		close(t->said_fd);
	*t = (struct twin){.prog_fd = -1, .ask_fd = -1, .said_fd = -1};
}

static int twin_share(struct twin *t, struct fail *fail)
{
	int err = map_share(t->ask_fd, sizeof(*t->ask), true, fail, (void **)&t->ask);

	return err ?: map_share(t->said_fd, sizeof(*t->said), true, fail, (void **)&t->said);
}

int twin_load(const struct slots *p, enum fw_hook hook, int counters, struct fail *fail, struct twin *ret)
{
	struct twin t = {.prog_fd = -1, .ask_fd = -1, .said_fd = -1};
	const struct fw_cfg cfg = twin_cfg(p, hook);
	struct object_maps maps = slots_maps(p, counters);
	struct object object = {-1};
	auto_close int few = -1;
	int err = map_new_ctl(fail, &t.ask_fd);

	err = err ?: map_new_trace(fail, &t.said_fd);
	if (!err && counters < 0)
		err = map_new_counters(1, fail, &few);
	maps.ctl = t.ask_fd;
	maps.trace = t.said_fd;
	maps.counters = counters < 0 ? few : counters;
	for (enum object_shared m = 0; m < SHARED_COUNT; m++)
		maps.shared[m] = twin_shares(m) ? maps.shared[m] : -1;
	err = err ?: twin_share(&t, fail);
	if (!err) {
		/* The same clock, hashes and age of the tables. */
		*t.ask = *p->ctl;
		t.ask->map_id[0] = t.ask->map_id[1] = 0;
	}
	err = err ?: object_load(hook, &maps, &cfg, fail, &object);
	t.prog_fd = object.prog_fd;
	if (err) {
		twin_close(&t);
		return err;
	}
	*ret = t;
	return 0;
}

/* What stands under the name of a pin is ours in name alone, until it was looked at. */
static bool twin_fits(const struct slots *p, enum fw_hook hook, const struct twin *t, const uint32_t map_id[2])
{
	struct object_info info;

	return !object_info_by_fd(t->prog_fd, &info) && !strcmp(info.name, object_prog_name(hook)) &&
	       object_uses(&info, p->slot[0].id) && object_uses(&info, p->slot[1].id) && object_uses(&info, map_id[0]) &&
	       object_uses(&info, map_id[1]);
}

int twin_get(const struct slots *p, enum fw_hook hook, struct twin *ret)
{
	const struct pin_want ask = {.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = sizeof(struct fw_ctl), .max_entries = 1,
				     .flags = BPF_F_MMAPABLE, .name = FW_MAP_CTL};
	const struct pin_want said = {.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = sizeof(struct fw_trace),
				      .max_entries = 1, .flags = BPF_F_MMAPABLE, .name = FW_MAP_TRACE};
	struct twin t = {.prog_fd = -1, .ask_fd = -1, .said_fd = -1};
	const struct pins pins = pins_of(p, hook);
	struct fail ignored = {};
	struct pin_map map[2];
	int err = pin_get_prog(p->dir, pins.name[PIN_TWIN], &ignored, &t.prog_fd);

	err = err ?: pin_get_map(p->dir, pins.name[PIN_ASK], &ask, &ignored, &map[0]);
	t.ask_fd = err ? -1 : map[0].fd;
	err = err ?: pin_get_map(p->dir, pins.name[PIN_SAID], &said, &ignored, &map[1]);
	t.said_fd = err ? -1 : map[1].fd;
	if (!err && !twin_fits(p, hook, &t, (uint32_t[]){map[0].id, map[1].id}))
		err = -ENOENT;
	err = err ?: twin_share(&t, &ignored);
	if (err) {
		twin_close(&t);
		return -ENOENT;
	}
	*ret = t;
	return 0;
}

/* The program comes last: without it the others are leftovers. */
int twin_put(const struct slots *p, enum fw_hook hook, const struct twin *t)
{
	const struct pins pins = pins_of(p, hook);
	const int fd[PIN_COUNT] = {[PIN_ASK] = t->ask_fd, [PIN_SAID] = t->said_fd, [PIN_TWIN] = t->prog_fd};
	struct fail ignored = {};
	int err = 0;

	for (int i = PIN_COUNT - 1; i >= 0; i--)
		pin_drop(p->dir, pins.name[i]);
	for (int i = 0; !err && i < PIN_COUNT; i++)
		err = pin_put(p->dir, pins.name[i], fd[i], &ignored);
	return err;
}

void twin_sweep(const struct slots *p)
{
	struct pins keep[FW_HOOK_COUNT];
	struct pin_names names;
	bool whole[FW_HOOK_COUNT] = {}, known = false;

	if (pin_list(p->dir, &names))
		return;
	for (size_t i = 0; i < names.n; i++) {
		if (!is_twin_pin(names.v[i]))
			continue;
		for (enum fw_hook h = 0; h < FW_HOOK_COUNT && !known; h++)
			keep[h] = pins_of(p, h);
		known = true;
		for (enum fw_hook h = 0; h < FW_HOOK_COUNT; h++)
			whole[h] = whole[h] || !strcmp(names.v[i], keep[h].name[PIN_TWIN]);
	}
	for (size_t i = 0; known && i < names.n; i++) {
		bool kept = false;

		for (enum fw_hook h = 0; h < FW_HOOK_COUNT; h++)
			for (int j = 0; j < PIN_COUNT; j++)
				kept = kept || (whole[h] && !strcmp(names.v[i], keep[h].name[j]));
		if (!kept && is_twin_pin(names.v[i]))
			pin_drop(p->dir, names.v[i]);
	}
	pin_names_fini(&names);
}

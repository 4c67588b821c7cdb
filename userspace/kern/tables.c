// SPDX-License-Identifier: GPL-2.0-only
#include "kern/tables.h"

#include "base/cleanup.h"
#include "kern/clock.h"
#include "kern/pin.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *pin;
	uint32_t features; /* any of them wants it */
} kinds[SHARED_TABLES] = {
	[SHARED_FLOWS] = {"flows", FW_FEAT_STATE},
	[SHARED_LIMITS] = {"limits", FW_FEAT_LIMIT | FW_FEAT_REJECT},
	[SHARED_BUCKETS] = {"buckets", FW_FEAT_LIMIT},
	[SHARED_COOKIES] = {"cookies", FW_FEAT_SYNPROXY},
};

uint32_t tables_sets(uint32_t flows)
{
	uint32_t sets = 1;

	flows = flows > FW_MAX_FLOWS ? FW_MAX_FLOWS : flows;
	while (sets * FW_FLOW_WAYS * 4ull < flows * 5ull)
		sets <<= 1;
	return sets;
}

static struct pin_want want_of(enum object_shared m, const struct fw_ctl *ctl)
{
	struct pin_want want = {.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .flags = BPF_F_MMAPABLE, .name = object_shared_name(m)};

	switch (m) {
	case SHARED_FLOWS:
		want.value_size = sizeof(struct fw_flow_set);
		want.max_entries = ctl->flow_sets + ctl->pend_sets;
		break;
	case SHARED_LIMITS:
		want.value_size = sizeof(__u64);
		want.max_entries = FW_LIMIT_CELLS;
		break;
	case SHARED_BUCKETS:
		want.value_size = sizeof(struct fw_bucket_set);
		want.max_entries = FW_BUCKET_SETS;
		break;
	default:
		want.value_size = 64;
		want.max_entries = 1;
	}
	return want;
}

void table_close(struct table *t)
{
	if (t->fd >= 0)
		close(t->fd);
	*t = (struct table){.fd = -1};
}

void tables_init(struct table *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		t[i] = (struct table){.fd = -1};
}

void tables_close(struct table *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		table_close(&t[i]);
}

static int table_make(struct table *t, enum object_shared m, const struct fw_ctl *ctl, int dir, struct fail *fail)
{
	const struct pin_want want = want_of(m, ctl);
	struct table out = {.fd = -1, .entries = want.max_entries, .value_size = want.value_size};
	int err = map_new_as(&want, fail, &out.fd);

	err = err ?: map_id(out.fd, fail, &out.id);
	if (!err && dir >= 0) {
		pin_drop(dir, kinds[m].pin); /* of a command that was killed before it named it */
		err = pin_put(dir, kinds[m].pin, out.fd, fail);
	}
	if (err) {
		table_close(&out);
		return err;
	}
	table_close(t);
	*t = out;
	return 0;
}

int tables_make(struct table *t, struct fw_ctl *ctl, uint32_t needed, const struct fw_state_opts *state, int dir, struct fail *fail)
{
	uint32_t make = needed & ~tables_there(t, ctl);
	int err = 0;

	if (make & FW_FEAT_STATE) {
		ctl->flow_sets = tables_sets(state->size);
		ctl->pend_sets = tables_sets(state->pending);
		ctl->state_ns = clock_now_ns();
	}
	for (enum object_shared m = 0; !err && m < SHARED_TABLES; m++)
		if (kinds[m].features & make && t[m].fd < 0)
			err = table_make(&t[m], m, ctl, dir, fail);
	if (!err)
		__atomic_fetch_or(&ctl->features, needed, __ATOMIC_SEQ_CST);
	return err;
}

int tables_pin(const struct table *t, int dir, struct fail *fail)
{
	int err = 0;

	for (enum object_shared m = 0; !err && m < SHARED_TABLES; m++)
		if (t[m].fd >= 0)
			err = pin_put(dir, kinds[m].pin, t[m].fd, fail);
	return err;
}

int tables_open(struct table *t, const struct fw_ctl *ctl, int dir, struct fail *fail)
{
	for (enum object_shared m = 0; m < SHARED_TABLES; m++) {
		const struct pin_want want = want_of(m, ctl);
		struct pin_map map;
		int err;

		if (!(kinds[m].features & ctl->features))
			continue;
		err = pin_get_map(dir, kinds[m].pin, &want, fail, &map);
		if (err == -ENOENT && !fail->err)
			continue;
		if (err)
			return err;
		t[m] = (struct table){.fd = map.fd, .id = map.id, .entries = map.max_entries, .value_size = map.value_size};
	}
	return 0;
}

uint32_t tables_there(const struct table *t, const struct fw_ctl *ctl)
{
	uint32_t features = ctl->features;

	for (enum object_shared m = 0; m < SHARED_TABLES; m++)
		if (t[m].fd < 0)
			features &= ~kinds[m].features;
	return features;
}

bool tables_stray(const char *pin, const struct fw_ctl *ctl)
{
	for (enum object_shared m = 0; m < SHARED_TABLES; m++)
		if (!strcmp(pin, kinds[m].pin))
			return !(kinds[m].features & ctl->features);
	return false;
}

size_t tables_bytes(const struct table *t)
{
	size_t bytes = 0;

	for (enum object_shared m = 0; m < SHARED_TABLES; m++)
		if (t[m].fd >= 0)
			bytes += t[m].entries * t[m].value_size;
	return bytes;
}

int tables_clear_limits(const struct table *t, const uint32_t *slots, size_t n, enum fw_dir dir, struct fail *fail)
{
	uint64_t *cell;
	void *at;
	int err;

	if (!n || t[SHARED_LIMITS].fd < 0)
		return 0;
	err = map_share(t[SHARED_LIMITS].fd, FW_LIMIT_CELLS * sizeof(*cell), true, fail, &at);
	if (err)
		return err;
	cell = at;
	for (size_t i = 0; i < n; i++)
		if (slots[i] < FW_MAX_SLOTS)
			__atomic_store_n(&cell[slots[i] * 2 + dir], 0, __ATOMIC_RELAXED);
	map_unshare(at, FW_LIMIT_CELLS * sizeof(*cell));
	return 0;
}

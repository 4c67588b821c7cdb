// SPDX-License-Identifier: GPL-2.0-only
#include "kern/tables.h"

#include "base/cleanup.h"
#include "kern/clock.h"
#include "kern/pin.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVENTS_BYTES (16u << 20) /* of all CPUs */
#define EVENTS_MIN 4096u         /* events of one CPU */
#define EVENTS_MAX 65536u

static const struct {
	const char *pin;
	uint32_t features; /* any of them wants it */
} kinds[SHARED_TABLES] = {
	[SHARED_FLOWS] = {"flows", FW_FEAT_STATE},
	[SHARED_LIMITS] = {"limits", FW_FEAT_LIMIT | FW_FEAT_REJECT},
	[SHARED_BUCKETS] = {"buckets", FW_FEAT_LIMIT},
	[SHARED_COOKIES] = {"cookies", FW_FEAT_SYNPROXY},
	[SHARED_EVENTS] = {"events", FW_FEAT_LOG},
	[SHARED_EVENT_CPUS] = {"event_cpus", FW_FEAT_LOG},
	[SHARED_LOG_LIMITS] = {"log_limits", FW_FEAT_LOG},
	[SHARED_TAPS] = {"taps", FW_FEAT_TAP},
	[SHARED_TAP_CPUS] = {"tap_cpus", FW_FEAT_TAP},
	[SHARED_TAP_CTL] = {"tap_ctl", FW_FEAT_TAP},
};

uint32_t tables_sets(uint32_t flows)
{
	uint32_t sets = 1;

	flows = flows > FW_MAX_FLOWS ? FW_MAX_FLOWS : flows;
	while (sets * FW_FLOW_WAYS * 4ull < flows * 5ull)
		sets <<= 1;
	return sets;
}

uint32_t tables_cpus(void)
{
	unsigned int last = 0;
	FILE *f = fopen("/sys/devices/system/cpu/possible", "re");
	char line[256] = "", *at;
	long n;

	/* "0-3", "0,2-5": numbers may have gaps, and the last is the highest. */
	if (f && fgets(line, sizeof(line), f)) {
		at = line + strcspn(line, "\n");
		while (at > line && at[-1] >= '0' && at[-1] <= '9')
			at--;
		last = (unsigned int)strtoul(at, NULL, 10);
	}
	if (f)
		fclose(f);
	n = sysconf(_SC_NPROCESSORS_CONF);
	return n > (long)last ? (uint32_t)n : last + 1;
}

uint32_t tables_events(uint32_t cpus)
{
	uint32_t n = EVENTS_MAX;

	while (n > EVENTS_MIN && (uint64_t)n * cpus * sizeof(struct fw_event) > EVENTS_BYTES)
		n >>= 1;
	return n;
}

/* A ring of a power of two for each CPU. */
static int rings_check(const struct table *ring, const struct table *cpus, const char *pin, struct fail *fail)
{
	uint32_t n = cpus->entries ? ring->entries / cpus->entries : 0;

	if (ring->fd < 0 || cpus->fd < 0 || (n && !(n & (n - 1)) && n * cpus->entries == ring->entries))
		return 0;
	return fail_set(fail, -EEXIST, "pin %s is not fwctl's: %u entries for %u CPUs", pin, ring->entries, cpus->entries);
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
	case SHARED_LOG_LIMITS:
		want.value_size = sizeof(__u64);
		want.max_entries = FW_LIMIT_CELLS;
		break;
	case SHARED_BUCKETS:
		want.value_size = sizeof(struct fw_bucket_set);
		want.max_entries = FW_BUCKET_SETS;
		break;
	case SHARED_EVENTS:
		want.value_size = sizeof(struct fw_event);
		want.max_entries = tables_events(tables_cpus()) * tables_cpus();
		break;
	case SHARED_EVENT_CPUS:
	case SHARED_TAP_CPUS:
		want.value_size = sizeof(struct fw_event_cpu);
		want.max_entries = tables_cpus();
		break;
	case SHARED_TAPS:
		break; /* whatever the tap made it */
	case SHARED_TAP_CTL:
		want.value_size = sizeof(struct fw_tap_ctl);
		want.max_entries = 1;
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

static int table_make(struct table *t, enum object_shared m, const struct pin_want *want, int dir, struct fail *fail)
{
	struct table out = {.fd = -1, .entries = want->max_entries, .value_size = want->value_size};
	int err = map_new_as(want, fail, &out.fd);

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
	for (enum object_shared m = 0; !err && m < SHARED_TABLES; m++) {
		const struct pin_want want = want_of(m, ctl);

		if (kinds[m].features & make && t[m].fd < 0)
			err = table_make(&t[m], m, &want, dir, fail);
	}
	if (!err)
		__atomic_fetch_or(&ctl->features, needed, __ATOMIC_SEQ_CST);
	return err;
}

int tables_make_tap(struct table *t, uint32_t snap, uint32_t packets, int dir, struct fail *fail)
{
	static const struct fw_ctl none;
	int err = 0;

	for (enum object_shared m = SHARED_TAPS; !err && m <= SHARED_TAP_CTL; m++) {
		struct pin_want want = want_of(m, &none);

		if (m == SHARED_TAPS) {
			want.value_size = (uint32_t)sizeof(struct fw_tap) + snap;
			want.max_entries = packets * tables_cpus();
		}
		err = table_make(&t[m], m, &want, dir, fail);
	}
	return err;
}

void tables_close_tap(struct table *t)
{
	tables_close(t + SHARED_TAPS, SHARED_TAP_CTL + 1 - SHARED_TAPS);
}

void tables_drop_tap(int dir)
{
	for (enum object_shared m = SHARED_TAPS; m <= SHARED_TAP_CTL; m++)
		pin_drop(dir, kinds[m].pin);
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
	int err;

	for (enum object_shared m = 0; m < SHARED_TABLES; m++) {
		const struct pin_want want = want_of(m, ctl);
		struct pin_map map;

		if (!(kinds[m].features & ctl->features))
			continue;
		err = pin_get_map(dir, kinds[m].pin, &want, fail, &map);
		if (err == -ENOENT && !fail->err)
			continue;
		if (err)
			return err;
		t[m] = (struct table){.fd = map.fd, .id = map.id, .entries = map.max_entries, .value_size = map.value_size};
	}
	if (!(tables_there(t, ctl) & FW_FEAT_TAP)) /* what is left of a tap is of no use to programs */
		tables_close_tap(t);
	err = rings_check(&t[SHARED_EVENTS], &t[SHARED_EVENT_CPUS], kinds[SHARED_EVENTS].pin, fail);
	return err ?: rings_check(&t[SHARED_TAPS], &t[SHARED_TAP_CPUS], kinds[SHARED_TAPS].pin, fail);
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

static int clear_cells(const struct table *t, const uint32_t *slots, size_t n, enum fw_dir dir, struct fail *fail)
{
	uint64_t *cell;
	void *at;
	int err;

	if (!n || t->fd < 0)
		return 0;
	err = map_share(t->fd, FW_LIMIT_CELLS * sizeof(*cell), true, fail, &at);
	if (err)
		return err;
	cell = at;
	for (size_t i = 0; i < n; i++)
		if (slots[i] < FW_MAX_SLOTS)
			__atomic_store_n(&cell[slots[i] * 2 + dir], 0, __ATOMIC_RELAXED);
	map_unshare(at, FW_LIMIT_CELLS * sizeof(*cell));
	return 0;
}

int tables_clear_limits(const struct table *t, const uint32_t *slots, size_t n, enum fw_dir dir, struct fail *fail)
{
	int err = clear_cells(&t[SHARED_LIMITS], slots, n, dir, fail);

	return err ?: clear_cells(&t[SHARED_LOG_LIMITS], slots, n, dir, fail);
}

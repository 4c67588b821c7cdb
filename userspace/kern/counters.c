// SPDX-License-Identifier: GPL-2.0-only
#include "kern/counters.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "kern/clock.h"
#include "kern/hooks.h"
#include "kern/rim.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#define BATCH 512

static void add(struct fw_cell *to, const struct fw_cell *cpus, int ncpus)
{
	for (int c = 0; c < ncpus; c++) {
		to->count.packets += cpus[c].count.packets;
		to->count.bytes += cpus[c].count.bytes;
		to->last = cpus[c].last > to->last ? cpus[c].last : to->last;
	}
}

static int add_one_by_one(int fd, uint32_t from, uint32_t nslots, struct fw_cell *cpus, int ncpus, struct fw_cell *v)
{
	for (uint32_t s = from; s < nslots; s++) {
		int err = bpf_map_lookup_elem(fd, &s, cpus);

		if (err)
			return err;
		add(&v[s], cpus, ncpus);
	}
	return 0;
}

/* Batches where the kernel has them for this kind of map (Linux 5.13), else one call per slot. */
int counters_add_map(int fd, uint32_t nslots, struct fw_cell *v, struct fail *fail)
{
	int ncpus = libbpf_num_possible_cpus(), err = 0;
	auto_free struct fw_cell *cpus = NULL;
	uint32_t keys[BATCH], at = 0, done = 0;

	if (ncpus <= 0)
		return fail_set(fail, -EIO, "cannot tell the number of CPUs");
	cpus = calloc((size_t)BATCH * ncpus, sizeof(*cpus));
	if (!cpus)
		return fail_set(fail, -ENOMEM, "no memory");
	while (done < nslots) {
		uint32_t count = nslots - done < BATCH ? nslots - done : BATCH;

		err = bpf_map_lookup_batch(fd, done ? &at : NULL, &at, keys, cpus, &count, NULL);
		if ((err && err != -ENOENT) || !count)
			break;
		for (uint32_t i = 0; i < count; i++)
			if (keys[i] < nslots)
				add(&v[keys[i]], cpus + (size_t)i * ncpus, ncpus);
		done += count;
	}
	err = done < nslots ? add_one_by_one(fd, done, nslots, cpus, ncpus, v) : 0;
	return err ? fail_set(fail, err, "cannot read counters: %s", strerror(-err)) : 0;
}

#define FEW(n) ((n) / 4)

/* A few slots are asked for one by one: a batch costs as much per slot, and takes them all. */
static int add_wanted(int fd, uint32_t nslots, const uint8_t *want, struct fw_cell *v, struct fail *fail)
{
	int ncpus = libbpf_num_possible_cpus(), err = 0;
	auto_free struct fw_cell *cpus = ncpus > 0 ? calloc(ncpus, sizeof(*cpus)) : NULL;
	size_t many = 0;

	if (!cpus)
		return fail_set(fail, -ENOMEM, "no memory");
	for (uint32_t s = 0; s < nslots; s++)
		many += want[s];
	if (many > FEW(nslots))
		return counters_add_map(fd, nslots, v, fail);
	for (uint32_t s = 0; !err && s < nslots; s++) {
		if (!want[s])
			continue;
		err = bpf_map_lookup_elem(fd, &s, cpus);
		if (!err)
			add(&v[s], cpus, ncpus);
	}
	return err ? fail_set(fail, err, "cannot read counters: %s", strerror(-err)) : 0;
}

/* Slots that the largest map of the chain has. */
static int counters_slots(const struct iface *f, enum fw_hook hook, struct fail *fail, size_t *ret_n)
{
	size_t n = 0;

	for (uint32_t i = 0; i < f->rec.hook[hook].nmaps; i++) {
		auto_close int fd = -1;
		uint32_t slots;
		int err = iface_open_counters(f, hook, i, fail, &fd, &slots);

		if (err)
			return err;
		n = slots > n ? slots : n;
	}
	*ret_n = n;
	return 0;
}

/* All CPUs of all maps of the chain, of the slots wanted (NULL: all) and perhaps of others. v: as many as counters_slots says, added to. */
static int counters_sum(const struct iface *f, enum fw_hook hook, const uint8_t *want, struct fw_cell *v, struct fail *fail)
{
	for (uint32_t i = 0; i < f->rec.hook[hook].nmaps; i++) {
		auto_close int fd = -1;
		uint32_t slots;
		int err = iface_open_counters(f, hook, i, fail, &fd, &slots);

		if (!err)
			err = want ? add_wanted(fd, slots, want, v, fail) : counters_add_map(fd, slots, v, fail);
		if (err)
			return err;
	}
	return 0;
}

/* The bases of one hook, taken apart. */
struct bases {
	struct fw_counter *base; /* per slot */
	uint8_t *dead;           /* per slot: 0, or 1 + verdict of the rule that the live generation took away */
	struct fw_counter retired[FW_VERDICT_COUNT];
};

static void bases_fini(struct bases *b)
{
	free(b->base);
	free(b->dead);
}

static int bases_read(const struct fw_image *live, uint32_t map_id, size_t n, struct bases *ret)
{
	struct bases b = {.base = calloc(n + 1, sizeof(*b.base)), .dead = calloc(n + 1, 1)};
	const struct fw_base *v;
	size_t nv = 0;

	if (!b.base || !b.dead) {
		bases_fini(&b);
		return -ENOMEM;
	}
	v = live ? image_bases(live, &nv) : NULL;
	for (size_t i = 0; i < nv; i++) {
		struct fw_counter c = {v[i].packets, v[i].bytes};
		uint32_t slot = FW_BASE_SLOT(v[i].slot);

		if (v[i].map_id != map_id)
			continue;
		if (v[i].slot >= FW_BASE_RETIRED) {
			if (v[i].slot - FW_BASE_RETIRED < FW_VERDICT_COUNT)
				b.retired[v[i].slot - FW_BASE_RETIRED] = c;
		} else if (slot < n) {
			b.base[slot] = c;
			if (FW_BASE_DEAD_OF(v[i].slot) <= FW_VERDICT_COUNT)
				b.dead[slot] = FW_BASE_DEAD_OF(v[i].slot);
		}
	}
	*ret = b;
	return 0;
}

static struct fw_counter minus(struct fw_counter a, struct fw_counter b)
{
	return (struct fw_counter){a.packets - b.packets, a.bytes - b.bytes};
}

/* Fold the dead slots into the retired totals. */
static void bases_bury(struct bases *b, const struct fw_cell *sum, size_t n)
{
	for (size_t s = 0; s < n; s++) {
		if (b->dead[s]) {
			struct fw_counter d = minus(sum[s].count, b->base[s]);

			b->retired[b->dead[s] - 1].packets += d.packets;
			b->retired[b->dead[s] - 1].bytes += d.bytes;
		}
	}
}

int counters_alloc(size_t n, struct kern_counters *ret)
{
	struct kern_counters c = {.v = calloc(n + 1, sizeof(*c.v)), .last_ns = calloc(n + 1, sizeof(*c.last_ns)), .n = n};

	if (!c.v || !c.last_ns) {
		kern_counters_fini(&c);
		return -ENOMEM;
	}
	*ret = c;
	return 0;
}

/*
 * The time of a slot may be that of the rule which had it before: the slot's own rule has one as soon as it has a packet. Then it is
 * its own, since ticks never go back and nothing counts in a slot between two rules.
 */
static void slot_show(const struct fw_ctl *clock, const struct fw_cell *sum, struct fw_counter base, size_t slot, struct kern_counters *c)
{
	c->v[slot] = minus(sum->count, base);
	c->last_ns[slot] = c->v[slot].packets ? clock_of_tick(clock, sum->last) : 0;
}

int counters_show(const struct iface *f, enum fw_hook hook, const struct fw_image *live, const struct fw_ctl *clock,
		  struct fail *fail, struct kern_counters *ret)
{
	auto_free struct fw_cell *sum = NULL;
	struct bases b cleanup(bases_fini) = {};
	struct kern_counters out = {};
	const struct fw_meta_rule *rules;
	size_t n = 0, nrules;
	uint64_t last = 0;
	int err = counters_slots(f, hook, fail, &n);

	if (err)
		return err;
	sum = calloc(n + 1, sizeof(*sum));
	if (!sum)
		return fail_set(fail, -ENOMEM, "no memory");
	err = counters_sum(f, hook, NULL, sum, fail);
	if (err)
		return err;
	if (bases_read(live, f->rec.hook[hook].map_id[0], n, &b) || counters_alloc(n, &out))
		return fail_set(fail, -ENOMEM, "no memory");
	for (size_t s = 0; s < n && s < FW_SLOT_RULE0; s++)
		slot_show(clock, &sum[s], (struct fw_counter){}, s, &out);
	rules = image_rules(live, hook_dir(hook), &nrules);
	for (size_t i = 0; i < nrules; i++)
		if (rules[i].slot < n && rules[i].slot >= FW_SLOT_RULE0)
			slot_show(clock, &sum[rules[i].slot], b.base[rules[i].slot], rules[i].slot, &out);
	for (size_t s = 0; s < n; s++)
		last = sum[s].last > last ? sum[s].last : last;
	out.any_ns = clock_of_tick(clock, last);
	bases_bury(&b, sum, n);
	memcpy(out.retired, b.retired, sizeof(out.retired));
	*ret = out;
	return 0;
}

/* verdict + 1 of the rule that owns a slot, 0: free. */
static uint8_t *slot_owners(const struct fw_image *img, enum fw_dir dir, size_t n)
{
	uint8_t *owner = calloc(n + 1, 1);
	const struct fw_meta_rule *rules;
	size_t nrules = 0;

	if (!owner || !img)
		return owner;
	rules = image_rules(img, dir, &nrules);
	for (size_t i = 0; i < nrules; i++)
		if (rules[i].slot < n && rules[i].verdict < FW_VERDICT_COUNT)
			owner[rules[i].slot] = 1 + rules[i].verdict;
	return owner;
}

static int base_emit(struct counters_bases *out, uint32_t id, uint32_t slot, struct fw_counter c, bool always)
{
	if (!always && !c.packets && !c.bytes)
		return 0;
	return vec_push(out, (struct fw_base){.map_id = id, .slot = slot, .packets = c.packets, .bytes = c.bytes});
}

int counters_rebase(const struct iface *f, enum fw_hook hook, const struct fw_image *live, const struct fw_image *next,
		    struct fail *fail, struct counters_bases *out)
{
	uint32_t id = f->rec.hook[hook].map_id[0];
	auto_free uint8_t *before = NULL, *after = NULL, *want = NULL;
	auto_free struct fw_cell *sum = NULL;
	struct bases b cleanup(bases_fini) = {};
	size_t n = 0;
	int err = counters_slots(f, hook, fail, &n);

	if (err)
		return err;
	sum = calloc(n + 1, sizeof(*sum));
	want = calloc(n + 1, 1);
	before = slot_owners(live, hook_dir(hook), n);
	after = slot_owners(next, hook_dir(hook), n);
	if (!sum || !want || !before || !after || bases_read(live, id, n, &b))
		return fail_set(fail, -ENOMEM, "no memory");
	for (uint32_t s = 0; s < n; s++)
		want[s] = b.dead[s] || (s >= FW_SLOT_RULE0 && after[s] && !before[s]);
	err = counters_sum(f, hook, want, sum, fail);
	if (err)
		return err;
	bases_bury(&b, sum, n);
	for (uint32_t s = FW_SLOT_RULE0; !err && s < n; s++) {
		if (after[s])
			err = base_emit(out, id, s, before[s] ? b.base[s] : sum[s].count, false);
		else if (before[s])
			err = base_emit(out, id, FW_BASE_DEAD(before[s] - 1) | s, b.base[s], true);
	}
	for (uint32_t v = 0; !err && v < FW_VERDICT_COUNT; v++)
		err = base_emit(out, id, FW_BASE_RETIRED + v, b.retired[v], false);
	return err ? fail_set(fail, err, "no memory") : 0;
}

void kern_counters_fini(struct kern_counters *c)
{
	free(c->v);
	free(c->last_ns);
	*c = (struct kern_counters){};
}

// SPDX-License-Identifier: GPL-2.0-only
/* The flows of a policy, read where programs write them. */
#include "kern/clock.h"
#include "kern/rim.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <errno.h>
#include <string.h>

/* A table in our memory. */
struct flows {
	struct slots policy;
	struct fw_flow_set *set;
	size_t nsets;
};
struct kern_flow_list {
	struct kern_flow *v;
	size_t n, cap;
};

static void flows_close(struct flows *f)
{
	map_unshare(f->set, f->nsets * sizeof(*f->set));
	slots_close(&f->policy);
}

static int flows_open(struct kern *k, const char *policy, bool write, struct flows *ret)
{
	struct flows f = {};
	struct fail *fail = kern_fail(k);
	int err = slots_check_name(policy, fail);

	if (err)
		return err;
	err = k->ns < 0 ? -ENOENT : slots_open(k->ns, policy, write, fail, &f.policy);
	if (err)
		return fail_set(fail, err, "no interface uses policy %s", policy);
	if (f.policy.shared[SHARED_FLOWS].fd < 0)
		err = -ENOENT;
	f.nsets = f.policy.shared[SHARED_FLOWS].entries;
	err = err ?: map_share(f.policy.shared[SHARED_FLOWS].fd, f.nsets * sizeof(*f.set), write, fail, (void **)&f.set);
	if (err) {
		slots_close(&f.policy);
		return err;
	}
	*ret = f;
	return 0;
}

/*
 * A copy of a cell that somebody may be writing. The word counts the uses of the cell: when it is of the same use before and
 * after, so is what stands beside it.
 */
static bool cell_read(const struct fw_flow *cell, uint64_t now_tick, struct fw_flow *ret)
{
	for (int i = 0; i < 4; i++) {
		uint64_t word = __atomic_load_n(&cell->word, __ATOMIC_ACQUIRE);

		if (word & FW_FLOWF_BUSY || FW_FLOW_END(word) <= now_tick)
			return false;
		memcpy(ret, cell, sizeof(*ret));
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		ret->word = __atomic_load_n(&cell->word, __ATOMIC_ACQUIRE);
		if (ret->word >> FW_FLOW_USES == word >> FW_FLOW_USES && !(ret->word & FW_FLOWF_BUSY))
			return FW_FLOW_END(ret->word) > now_tick;
	}
	return false;
}

static bool flow_at(const struct flows *f, uint32_t cell, uint64_t now_ns, struct kern_flow *ret)
{
	const struct fw_flow *at = &f->set[cell / FW_FLOW_WAYS].way[cell % FW_FLOW_WAYS];
	uint64_t tick = now_ns >> FW_TICK_SHIFT;

	if (!cell_read(at, tick, &ret->flow))
		return false;
	ret->left_ns = (FW_FLOW_END(ret->flow.word) << FW_TICK_SHIFT) - now_ns;
	ret->age_ns = (uint64_t)((uint32_t)tick - ret->flow.born) << FW_TICK_SHIFT;
	ret->pending = cell / FW_FLOW_WAYS >= f->policy.ctl->flow_sets;
	ret->cell = cell;
	return true;
}

int kern_flows(struct kern *k, const char *policy, bool (*keep)(void *ctx, const struct kern_flow *f), void *ctx, struct kern_flow **ret,
	       size_t *ret_n)
{
	struct kern_flow_list out = {};
	uint64_t now = clock_now_ns();
	struct kern_flow flow;
	struct flows f;
	size_t n = 0;
	int err = flows_open(k, policy, false, &f);

	if (err)
		return err;
	for (uint32_t cell = 0; !err && cell < f.nsets * FW_FLOW_WAYS; cell++) {
		/* Most cells are free; their first word says so, without the rest of the set. */
		if (!FW_FLOW_END(f.set[cell / FW_FLOW_WAYS].way[cell % FW_FLOW_WAYS].word) || !flow_at(&f, cell, now, &flow) ||
		    (keep && !keep(ctx, &flow)))
			continue;
		n++;
		if (ret)
			err = vec_push(&out, flow);
	}
	flows_close(&f);
	if (err) {
		vec_fini(&out);
		return fail_set(k->fail, err, "no memory");
	}
	if (ret)
		*ret = out.v;
	*ret_n = n;
	return 0;
}

/* Of the same use, and not yet ended: the end becomes 0, in one step. What is in flight on another CPU tries again and finds it free. */
static bool flow_kill(struct fw_flow *at, const struct fw_flow *seen)
{
	uint64_t word = __atomic_load_n(&at->word, __ATOMIC_ACQUIRE);

	while (word >> FW_FLOW_USES == seen->word >> FW_FLOW_USES && FW_FLOW_END(word) && !(word & FW_FLOWF_BUSY))
		if (__atomic_compare_exchange_n(&at->word, &word, word & ~FW_FLOW_END(~0ull), false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE))
			return true;
	return false;
}

int kern_flows_kill(struct kern *k, const char *policy, const struct kern_flow *v, size_t n, size_t *ret_n)
{
	struct flows f;
	size_t killed = 0;
	int err;

	if (k->access != KERN_WRITE)
		return fail_set(kern_fail(k), -EPERM, "the state is open for reading");
	err = flows_open(k, policy, true, &f);
	if (err)
		return err;
	for (size_t i = 0; i < n; i++) {
		struct fw_flow *at;

		if (v[i].cell >= f.nsets * FW_FLOW_WAYS)
			continue;
		at = &f.set[v[i].cell / FW_FLOW_WAYS].way[v[i].cell % FW_FLOW_WAYS];
		if (!memcmp(&at->key, &v[i].flow.key, sizeof(at->key)))
			killed += flow_kill(at, &v[i].flow);
	}
	flows_close(&f);
	*ret_n = killed;
	return 0;
}

int kern_flows_room(struct kern *k, const char *policy, struct kern_flow_room *ret)
{
	uint64_t tick = clock_now_ns() >> FW_TICK_SHIFT;
	struct kern_flow_room out = {};
	struct flows f;
	int err = flows_open(k, policy, false, &f);

	if (err)
		return err;
	out.size = f.policy.ctl->flow_sets * FW_FLOW_WAYS;
	out.pending_size = f.policy.ctl->pend_sets * FW_FLOW_WAYS;
	for (uint32_t s = 0; s < f.nsets; s++)
		for (int w = 0; w < FW_FLOW_WAYS; w++)
			if (FW_FLOW_END(__atomic_load_n(&f.set[s].way[w].word, __ATOMIC_RELAXED)) > tick)
				*(s < f.policy.ctl->flow_sets ? &out.used : &out.pending_used) += 1;
	flows_close(&f);
	*ret = out;
	return 0;
}

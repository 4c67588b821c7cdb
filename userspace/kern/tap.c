// SPDX-License-Identifier: GPL-2.0-only
/* A tap, for the process that wants it: asked for, read, given back. */
#include "kern/ringmap.h"
#include "kern/rim.h"
#include "kern/tap.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SNAP_MIN 64u
#define SNAP_MAX 65536u
#define BYTES (4u << 20) /* of each CPU's ring, unless it is said */
#define PACKETS_MIN 64u

struct kern_tap {
	char policy[KERN_POLICY_MAX + 1];
	int lock_fd; /* -1: it has ended */
	uint32_t id; /* of the map of packets */
	struct ring ring;
	struct fw_tap_ctl *ctl;
	struct fw_tap *copy; /* a cell */
};

void kern_tap_free(struct kern_tap *t)
{
	if (!t)
		return;
	if (t->ctl)
		__atomic_store_n(&t->ctl->on, 0, __ATOMIC_RELAXED);
	ring_unmap(&t->ring);
	map_unshare(t->ctl, sizeof(*t->ctl));
	if (t->lock_fd >= 0)
		close(t->lock_fd);
	free(t->copy);
	free(t);
}

static int check_opts(const struct kern_tap_opts *o, struct fail *fail)
{
	if (o->snap < SNAP_MIN || o->snap > SNAP_MAX)
		return fail_set(fail, -EINVAL, "a tap keeps %u to %u bytes of each packet, not %u", SNAP_MIN, SNAP_MAX, o->snap);
	if (o->nslots > FW_TAP_PICKS)
		return fail_set(fail, -E2BIG, "a tap picks up to %d rules, not %zu", FW_TAP_PICKS, o->nslots);
	if (o->nifs > FW_TAP_PICKS)
		return fail_set(fail, -E2BIG, "a tap picks up to %d interfaces, not %zu", FW_TAP_PICKS, o->nifs);
	return 0;
}

static uint32_t packets_of(const struct kern_tap_opts *o, uint32_t snap)
{
	uint64_t fit = (o->bytes ?: BYTES) / (sizeof(struct fw_tap) + snap);
	uint32_t n = PACKETS_MIN;

	while (n * 2ull <= fit)
		n <<= 1;
	return n;
}

static int map_all(struct kern_tap *t, const struct table *shared, struct fail *fail)
{
	int err = ring_map(&t->ring, &shared[SHARED_TAPS], &shared[SHARED_TAP_CPUS], false, true, fail);

	t->id = shared[SHARED_TAPS].id;
	err = err ?: map_share(shared[SHARED_TAP_CTL].fd, sizeof(*t->ctl), true, fail, (void **)&t->ctl);
	if (err)
		return err;
	t->copy = malloc(t->ring.stride);
	return t->copy ? 0 : fail_set(fail, -ENOMEM, "no memory");
}

/* All hooks have their programs: from now on they copy. */
static void switch_on(struct fw_tap_ctl *ctl, const struct kern_tap_opts *o)
{
	ctl->verdicts = o->verdicts ?: ~0u;
	ctl->reasons = o->reasons ?: ~0u;
	ctl->nslots = (uint32_t)o->nslots;
	ctl->nifs = (uint32_t)o->nifs;
	for (size_t i = 0; i < o->nslots; i++)
		ctl->slot[i] = o->slot[i];
	for (size_t i = 0; i < o->nifs; i++)
		ctl->ifindex[i] = o->ifindex[i];
	__atomic_store_n(&ctl->on, 1, __ATOMIC_RELEASE);
}

static int start(struct slots *p, struct ifaces *list, const struct kern_tap_opts *o, struct kern_tap *t, struct fail *fail)
{
	uint32_t snap = (o->snap + 7) & ~7u;
	unsigned int holder = tap_holder(p);
	int err;

	if (holder)
		return fail_set(fail, -EBUSY, "process %u taps policy %s already, and there is one tap at a time", holder, p->name);
	/* What the sweep could not put right. */
	err = p->ctl->features & FW_FEAT_TAP ? tap_off(p, list, fail) : 0;
	err = err ?: tap_lock(p, fail, &t->lock_fd);
	err = err ?: tap_on(p, list, snap, packets_of(o, snap), fail);
	if (err)
		return err;
	err = map_all(t, p->shared, fail);
	if (err)
		tap_off(p, list, &(struct fail){});
	else
		switch_on(t->ctl, o);
	return err;
}

static int open_all(struct kern *k, const char *policy, struct slots *ret, struct ifaces *ret_list)
{
	int err;

	if (k->access != KERN_WRITE)
		return fail_set(k->fail, -EPERM, "the state is open for reading");
	err = slots_check_name(policy, k->fail);
	err = err ?: iface_list(k->ns, true, k->fail, ret_list);
	return err ?: slots_open(k->ns, policy, true, k->fail, ret);
}

int kern_tap_start(struct kern *k, const char *policy, const struct kern_tap_opts *opts, struct kern_tap **ret)
{
	struct ifaces list cleanup(ifaces_fini) = {};
	struct fail *fail = kern_fail(k);
	struct kern_tap *t;
	struct slots p;
	int err = check_opts(opts, fail);

	err = err ?: open_all(k, policy, &p, &list);
	if (err)
		return fail_set(fail, err, "no interface uses policy %s", policy);
	t = calloc(1, sizeof(*t));
	if (t) {
		t->lock_fd = -1;
		memcpy(t->policy, p.name, sizeof(t->policy));
		err = start(&p, &list, opts, t, fail);
	} else {
		err = fail_set(fail, -ENOMEM, "no memory");
	}
	slots_close(&p);
	if (err)
		kern_tap_free(t);
	else
		*ret = t;
	return err;
}

int kern_tap_stop(struct kern *k, struct kern_tap *t)
{
	struct ifaces list cleanup(ifaces_fini) = {};
	struct fail *fail = kern_fail(k);
	struct slots p;
	int err;

	__atomic_store_n(&t->ctl->on, 0, __ATOMIC_RELAXED);
	if (t->lock_fd < 0)
		return 0;
	err = open_all(k, t->policy, &p, &list);
	if (!err) {
		/* Another tap's is another's, and one of a policy that was made anew, too. */
		if (p.shared[SHARED_TAPS].fd >= 0 && p.shared[SHARED_TAPS].id == t->id)
			err = tap_off(&p, &list, fail);
		slots_close(&p);
	} else if (err == -ENOENT && !fail->err) {
		err = 0; /* it went with its policy */
	}
	if (!err) {
		close(t->lock_fd);
		t->lock_fd = -1;
	}
	return err;
}

bool kern_tap_over(const struct kern_tap *t)
{
	struct stat st;

	return t->lock_fd < 0 || fstat(t->lock_fd, &st) || !st.st_nlink;
}

/* The length is what somebody may be writing just now, until the cell is known to be whole. */
static void copy_cell(struct kern_tap *t, const struct fw_event *cell)
{
	const uint32_t most = (uint32_t)(t->ring.stride - sizeof(*t->copy));

	memcpy(t->copy, cell, sizeof(*t->copy));
	if (t->copy->caplen > most)
		t->copy->caplen = most;
	memcpy(t->copy + 1, (const uint8_t *)cell + sizeof(*t->copy), t->copy->caplen);
}

size_t kern_tap_read(struct kern_tap *t, int (*each)(void *ctx, const struct fw_tap *p), void *ctx, size_t n, uint64_t *ret_lost)
{
	struct ring *r = &t->ring;
	const uint32_t first = r->first;
	uint64_t lost = 0;
	size_t got = 0;
	int end = 0;

	r->first = (first + 1) % r->cpus;
	for (uint32_t i = 0; i < r->cpus && got < n && !end; i++) {
		uint32_t c = (first + i) % r->cpus;
		uint64_t head = ring_head(r, c);
		const struct fw_event *cell;

		while (got < n && !end && (cell = ring_peek(r, c, head, &lost))) {
			copy_cell(t, cell);
			if (!ring_took(r, c, cell, &lost))
				continue;
			got++;
			end = each(ctx, t->copy);
		}
	}
	*ret_lost = lost;
	return got;
}

uint64_t kern_tap_seen(const struct kern_tap *t)
{
	uint64_t sum = 0;

	for (uint32_t c = 0; c < t->ring.cpus; c++)
		sum += ring_head(&t->ring, c);
	return sum;
}

// SPDX-License-Identifier: GPL-2.0-only
/* What is there, and what should be and is not. */
#include "kern/counters.h"
#include "kern/hooks.h"
#include "kern/link.h"
#include "kern/live.h"
#include "kern/rim.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct states {
	struct kern_iface_state *v;
	size_t n, cap;
};

__attribute__((format(printf, 2, 3))) static void degrade(struct kern_iface_state *s, const char *fmt, ...)
{
	va_list ap;

	if (s->ndegraded == sizeof(s->degraded) / sizeof(*s->degraded))
		return;
	va_start(ap, fmt);
	vsnprintf(s->degraded[s->ndegraded++], sizeof(*s->degraded), fmt, ap);
	va_end(ap);
}

static void state_policy(struct kern_iface_state *s, const struct slots *p)
{
	const struct fw_image *live = slots_live_header(p);

	if (!live) {
		degrade(s, "the rules of policy %s in the kernel are damaged: it drops what it cannot judge; load them anew", p->name);
		return;
	}
	s->generation = live->generation;
	image_digest_hex(live, s->digest);
}

/* A program that reads another control word obeys another policy. */
static void state_program(struct kern_iface_state *s, const struct slots *p, enum fw_hook hook, uint32_t prog_id)
{
	struct object_info info;

	if (object_info_by_id(prog_id, &info))
		return;
	if (!object_uses(&info, p->ctl_id) || !object_uses(&info, p->slot[slots_live_index(p)].id))
		degrade(s, "the program at %s (\"%s\", id %u) does not serve policy %s", attach_word(hook), info.name, prog_id, p->name);
}

static void state_gone(struct kern_iface_state *s, const struct iface *f)
{
	char shown[4 * IFNAMSIZ + 1];
	unsigned int other;

	s->gone = true;
	link_show(f->rec.name, shown);
	if (!link_index(f->rec.name, NULL, &other))
		degrade(s, "%s was made anew (index %u, was %u) and is not filtered; load it again", shown, other, f->ifindex);
	else
		degrade(s, "%s (index %u) is gone; unload it when it does not come back", shown, f->ifindex);
}

static void state_hooks(struct kern_iface_state *s, const struct iface *f, const struct slots *p)
{
	for (enum fw_hook h = 0; h < FW_HOOK_COUNT; h++) {
		const struct iface_hook *rec = &f->rec.hook[h];
		struct attach a = iface_attach(f, h);
		struct attach_state now;

		if (!rec->present)
			continue;
		if (attach_state(&a, &now))
			now = (struct attach_state){.why = "its link cannot be read"};
		if (!f->here)
			now.attached = false;
		s->hook[s->nhooks++] = (struct kern_hook_state){.hook = h, .mode = rec->mode, .link = rec->link,
								.attached = now.attached, .prog_id = now.prog_id};
		if (!now.attached && f->here)
			degrade(s, "not filtered at %s: %s; load it again", attach_word(h), now.why);
		else if (now.attached && p)
			state_program(s, p, h, now.prog_id);
	}
	if (p && f->here && slots_live_header(p) && hooks_egress(slots_live_header(p)) &&
	    !f->rec.hook[FW_HOOK_TC_EGRESS].present)
		degrade(s, "what leaves is not filtered: the rules for it have no hook; load it again");
}

static struct kern_iface_state state_of(const struct iface *f)
{
	struct kern_iface_state s = {.ifindex = f->ifindex, .since_ns = f->rec.since_ns};

	snprintf(s.name, sizeof(s.name), "%s", f->name);
	snprintf(s.policy, sizeof(s.policy), "%.*s", KERN_POLICY_MAX, f->rec.policy);
	return s;
}

static int add_iface(struct kern *k, const struct iface *f, struct states *out)
{
	struct kern_iface_state s = state_of(f);
	struct fail why = {};
	struct slots p;
	int err;

	if (f->record_fd < 0) {
		degrade(&s, "left by a command that was interrupted; the next load, apply or unload clears it");
		return vec_push(out, s);
	}
	if (!f->here)
		state_gone(&s, f);
	err = slots_open(k->ns, f->rec.policy, false, &why, &p);
	if (err) {
		degrade(&s, "its policy %s cannot be read: %.90s", f->rec.policy, why.err ? why.text : "it is not there");
		state_hooks(&s, f, NULL);
		return vec_push(out, s);
	}
	state_policy(&s, &p);
	state_hooks(&s, f, &p);
	err = slots_live_header(&p) && !slots_live_header(&p)->generation;
	slots_close(&p);
	/* Being loaded for the first time when its command was killed: nothing is filtered, and nobody was told so. */
	return err ? 0 : vec_push(out, s);
}

int kern_state(struct kern *k, struct kern_iface_state **ret, size_t *ret_n)
{
	struct ifaces list cleanup(ifaces_fini) = {};
	struct fail *fail = kern_fail(k);
	struct states out = {};
	int err = k->ns < 0 ? 0 : iface_list(k->ns, true, fail, &list);

	if (err)
		return err;
	for (size_t i = 0; !err && i < list.n; i++)
		err = add_iface(k, &list.v[i], &out);
	if (err) {
		vec_fini(&out);
		return fail_set(fail, err, "no memory");
	}
	*ret = out.v;
	*ret_n = out.n;
	return 0;
}

struct kern_view {
	struct slots policy;
};

void kern_view_close(struct kern_view *v)
{
	if (v)
		slots_close(&v->policy);
	free(v);
}

static int open_policy(struct kern *k, const char *policy, struct slots *ret)
{
	int err = slots_check_name(policy, k->fail);

	if (!err)
		err = k->ns < 0 ? -ENOENT : slots_open(k->ns, policy, false, k->fail, ret);
	return err ? fail_set(k->fail, err, "no interface uses policy %s", policy) : 0;
}

int kern_view_open(struct kern *k, const char *policy, size_t min_len, struct kern_view **ret, const struct fw_image **ret_image)
{
	struct kern_view *v = calloc(1, sizeof(*v));
	const struct fw_image *header;
	int err;

	kern_fail(k);
	if (!v)
		return fail_set(k->fail, -ENOMEM, "no memory");
	err = open_policy(k, policy, &v->policy);
	if (err) {
		free(v);
		return err;
	}
	header = slots_live_header(&v->policy);
	err = header && header->total_len < min_len ? -ENOENT : slots_live_whole(&v->policy, k->fail, ret_image);
	if (err)
		kern_view_close(v);
	else
		*ret = v;
	return err;
}

int kern_image(struct kern *k, const char *policy, struct image *ret)
{
	const struct fw_image *live;
	struct kern_view *v;
	struct image img;
	int err = kern_view_open(k, policy, 0, &v, &live);

	if (err)
		return err;
	err = image_alloc(&img, live->total_len);
	if (err) {
		err = fail_set(k->fail, err, "no memory");
	} else {
		memcpy(img.data, live, img.len);
		*ret = img;
	}
	kern_view_close(v);
	return err;
}

int kern_names(struct kern *k, const char *policy, struct image *ret)
{
	const struct fw_image *live;
	struct slots p;
	struct image img;
	size_t from;
	int err;

	kern_fail(k);
	err = open_policy(k, policy, &p);
	if (err)
		return err;
	err = slots_live(&p, k->fail, &live);
	if (!err && image_alloc(&img, live->total_len))
		err = fail_set(k->fail, -ENOMEM, "no memory");
	if (!err) {
		from = image_meta_start(live);
		memcpy(img.data, live, sizeof(*live));
		memcpy(img.data + from, (const uint8_t *)live + from, img.len - from);
		*ret = img;
	}
	slots_close(&p);
	return err;
}

static int counters_bytes(const struct iface *f, struct fail *fail, size_t *ret)
{
	size_t cells = 0;

	for (enum fw_hook h = 0; h < FW_HOOK_COUNT; h++) {
		for (uint32_t i = 0; f->rec.hook[h].present && i < f->rec.hook[h].nmaps; i++) {
			auto_close int fd = -1;
			uint32_t slots;
			int err = iface_open_counters(f, h, i, fail, &fd, &slots);

			if (err)
				return err;
			cells += slots;
		}
	}
	*ret = cells * sizeof(struct fw_cell) * (size_t)libbpf_num_possible_cpus();
	return 0;
}

int kern_memory(struct kern *k, const struct kern_iface_state *iface, struct kern_memory *ret)
{
	struct ifaces list cleanup(ifaces_fini) = {};
	struct fail *fail = kern_fail(k);
	const struct fw_image *live;
	struct kern_memory out = {};
	struct live_maps m;
	struct slots p;
	int err = open_policy(k, iface->policy, &p);

	if (err)
		return err;
	live = slots_live_header(&p);
	out.image = live ? live->total_len : 0;
	out.slot_live = p.slot[slots_live_index(&p)].size + FW_SLOT_PAD;
	out.slot_idle = p.slot[!slots_live_index(&p)].size + FW_SLOT_PAD;
	out.tables = tables_bytes(p.shared);
	if (p.shared[SHARED_LIVE_CTL].fd >= 0 && !live_maps_open(k->ns, false, &(struct fail){}, &m)) {
		out.live = live_maps_bytes(&m);
		live_maps_close(&m);
	}
	slots_close(&p);
	err = iface_list(k->ns, true, fail, &list);
	for (size_t i = 0; !err && i < list.n; i++)
		if (list.v[i].ifindex == iface->ifindex && list.v[i].record_fd >= 0)
			err = counters_bytes(&list.v[i], fail, &out.counters);
	if (!err)
		*ret = out;
	return err;
}

int kern_counters(struct kern *k, const struct kern_iface_state *iface, const struct fw_image *live, enum fw_hook hook,
		  struct kern_counters *ret)
{
	struct ifaces list cleanup(ifaces_fini) = {};
	struct fail *fail = kern_fail(k);
	struct fw_ctl ctl;
	struct slots p;
	int err = open_policy(k, iface->policy, &p);

	if (err)
		return err;
	ctl = *p.ctl; /* its clock never changes */
	slots_close(&p);
	err = iface_list(k->ns, true, fail, &list);
	if (err)
		return err;
	for (size_t i = 0; i < list.n; i++)
		if (list.v[i].ifindex == iface->ifindex && list.v[i].record_fd >= 0 && list.v[i].rec.hook[hook].present)
			return counters_show(&list.v[i], hook, live, &ctl, fail, ret);
	return fail_set(fail, -ENOENT, "interface %u has no such hook", iface->ifindex);
}

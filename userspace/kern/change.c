// SPDX-License-Identifier: GPL-2.0-only
/* New rules for a policy that runs, in two halves, so that several policies can be proved before the first one changes. */
#include "kern/hooks.h"
#include "kern/live.h"
#include "kern/publish.h"
#include "kern/rim.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct kern_change {
	struct fail *fail;
	struct image *img;
	struct slots policy;
	struct ifaces list;
	uint32_t nslots[FW_DIR_COUNT];
	struct kern_report report;
	bool waits; /* prepared, not committed */
};

void kern_change_free(struct kern_change *c)
{
	if (!c)
		return;
	/* Nobody has read it. */
	if (c->waits)
		slots_mark_free(&c->policy, !slots_live_index(&c->policy));
	if (c->policy.dir >= 0) {
		livesets_forget(c->policy.ns, &(struct fail){}); /* what is not forgotten now is forgotten by the next */
		slots_close(&c->policy);
	}
	ifaces_fini(&c->list);
	free(c);
}

static int change_open(struct kern *k, const char *policy, struct kern_change *c)
{
	int err = slots_check_name(policy, c->fail);

	err = err ?: iface_list(k->ns, true, c->fail, &c->list);
	if (err)
		return err;
	for (size_t i = 0; i < c->list.n; i++)
		c->report.interfaces += iface_uses(&c->list.v[i], policy);
	if (!c->report.interfaces)
		return fail_set(c->fail, -ENOENT, "no interface uses policy %s; load it first", policy);
	err = slots_open(k->ns, policy, true, c->fail, &c->policy);
	return err == -ENOENT ? fail_set(c->fail, err, "policy %s is only half there; unload its interfaces", policy) : err;
}

static bool runs_already(struct kern_change *c)
{
	const struct fw_image *live = slots_live_header(&c->policy);
	struct fail ignored = {};

	if (!live || memcmp(live->digest, image_hdr(c->img)->digest, sizeof(live->digest)) || slots_live(&c->policy, &ignored, &live))
		return false;
	hooks_slots(live, c->nslots);
	c->report.generation = live->generation;
	return publish_fits(&c->policy, &c->list, live, c->nslots);
}

int kern_prepare(struct kern *k, const char *policy, struct image *img, const struct kern_verify *verify, struct kern_change **ret)
{
	struct kern_change *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return fail_set(kern_fail(k), -ENOMEM, "no memory");
	*c = (struct kern_change){.fail = kern_fail(k), .img = img, .policy.dir = -1};
	err = change_open(k, policy, c);
	if (!err)
		c->report.unchanged = runs_already(c);
	if (!err && !c->report.unchanged)
		err = publish_prepare(&c->policy, &c->list, img, verify, c->fail, c->nslots, &c->report);
	if (err) {
		kern_change_free(c);
		return err;
	}
	c->waits = !c->report.unchanged;
	*ret = c;
	return 0;
}

int kern_commit(struct kern_change *c, struct kern_report *ret)
{
	int err = 0;

	c->waits = false;
	*c->fail = (struct fail){};
	if (!c->report.unchanged)
		err = publish_commit(&c->policy, &c->list, c->img, c->nslots, c->fail, &c->report);
	if (!err)
		*ret = c->report;
	return err;
}

int kern_apply(struct kern *k, const char *policy, struct image *img, struct kern_report *ret)
{
	struct kern_change *c = NULL;
	int err = kern_prepare(k, policy, img, NULL, &c);

	err = err ?: kern_commit(c, ret);
	kern_change_free(c);
	return err;
}

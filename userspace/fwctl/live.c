// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/live.h"

#include "fwctl/cmd.h"
#include "fwctl/out.h"

#include <signal.h>
#include <string.h>

int live_refresh(struct live *l)
{
	struct kern_iface_state *iface;
	size_t n;
	int err = kern_state(l->kern, &iface, &n);

	if (err) {
		problem_fail(&l->fail, err);
		return STATUS_REFUSED;
	}
	free(l->iface);
	l->iface = iface;
	l->n = n;
	return STATUS_DONE;
}

/*
 * What is begun is finished, or undone: neither the end of the ssh session, nor a reader of our output that went away, may come
 * between the interfaces of one command.
 */
static void guard(struct live *l)
{
	sigset_t block;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGHUP);
	sigprocmask(SIG_BLOCK, &block, &l->signals);
	signal(SIGPIPE, SIG_IGN);
	l->guarded = true;
}

int live_lock(struct live *l, enum kern_access access)
{
	l->fail = (struct fail){};
	int err = kern_open(NULL, access, &l->fail, &l->kern);
	if (err) {
		l->kern = NULL;
		problem_fail(&l->fail, err);
		return STATUS_REFUSED;
	}
	if (access == KERN_WRITE)
		guard(l);
	return STATUS_DONE;
}

int live_again(struct live *l, enum kern_access access)
{
	int status = live_lock(l, access);

	return status ? status : live_refresh(l);
}

int live_open(struct live *l, enum kern_access access)
{
	*l = (struct live){};
	int status = live_again(l, access);
	if (status)
		live_close(l);
	return status;
}

void live_release(struct live *l)
{
	if (l->kern)
		kern_close(l->kern);
	l->kern = NULL;
	if (l->guarded)
		sigprocmask(SIG_SETMASK, &l->signals, NULL);
	l->guarded = false;
}

void live_close(struct live *l)
{
	for (size_t i = 0; i < l->npolicies; i++)
		image_fini(&l->policy[i].image);
	free(l->policy);
	free(l->iface);
	live_release(l);
	*l = (struct live){};
}

const struct kern_iface_state *live_find(const struct live *l, const char *ifname)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->iface[i].name, ifname))
			return &l->iface[i];
	return NULL;
}

const struct kern_iface_state *live_need(const struct live *l, const char *ifname)
{
	const struct kern_iface_state *s = live_find(l, ifname);

	if (!s)
		problem("%s is not filtered by fwctl in this network namespace; fwctl load %s attaches it",
			out_name(ifname), out_name(ifname));
	return s;
}

const struct kern_iface_state *live_policy_at(const struct live *l, size_t at)
{
	for (size_t i = 0; i < l->n; i++) {
		size_t j = 0;
		while (j < i && strcmp(l->iface[j].policy, l->iface[i].policy))
			j++;
		if (j == i && l->iface[i].policy[0] && !at--)
			return &l->iface[i];
	}
	return NULL;
}

bool live_runs(const struct live *l, const char *policy, const struct image *img)
{
	char digest[65];

	image_digest_hex(image_hdr(img), digest);
	for (size_t i = 0; i < l->n; i++)
		if (!l->iface[i].gone && !strcmp(l->iface[i].policy, policy) && !strcmp(l->iface[i].digest, digest))
			return true;
	return false;
}

static struct live_policy *policy_slot(struct live *l, const char *policy)
{
	for (size_t i = 0; i < l->npolicies; i++)
		if (!strcmp(l->policy[i].name, policy))
			return &l->policy[i];
	struct live_policy *more = reallocarray(l->policy, l->npolicies + 1, sizeof(*more));
	if (!more)
		return NULL;
	l->policy = more;
	struct live_policy *p = &more[l->npolicies++];
	*p = (struct live_policy){};
	snprintf(p->name, sizeof(p->name), "%s", policy);
	return p;
}

const struct fw_image *live_image(struct live *l, const struct kern_iface_state *s)
{
	struct live_policy *p = policy_slot(l, s->policy);

	if (!p) {
		problem("no memory");
		return NULL;
	}
	if (p->image.data && p->generation == s->generation && !strcmp(p->digest, s->digest))
		return image_hdr(&p->image);
	struct image img = {};
	int err = kern_names(l->kern, s->policy, &img);
	if (err) {
		problem_fail(&l->fail, err);
		return NULL;
	}
	image_fini(&p->image);
	p->image = img;
	p->generation = image_hdr(&img)->generation;
	image_digest_hex(image_hdr(&img), p->digest);
	return image_hdr(&p->image);
}

bool ifname_wrong(const char *name)
{
	size_t len = strlen(name);

	if (len && len < IFNAMSIZ && !strchr(name, '/') && strcmp(name, ".") && strcmp(name, ".."))
		return false;
	problem("no interface can be called \"%s\"; fwctl status lists those that are filtered, ip link all others",
		out_name(name));
	return true;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "bench/state_iface.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int state_iface_open(const char *ifname, struct state_iface *ret)
{
	struct kern_iface_state *v = NULL;
	struct kern *k = NULL;
	struct fail fail = {};
	size_t n = 0;
	int err = kern_open(NULL, KERN_READ, &fail, &k);

	*ret = (struct state_iface){ -1, -1 };
	if (!err)
		err = kern_state(k, &v, &n);
	for (size_t i = 0; !err && i < n; i++)
		for (size_t h = 0; !strcmp(v[i].name, ifname) && h < v[i].nhooks; h++) {
			int *fd = v[i].hook[h].hook == FW_HOOK_XDP ? &ret->in_fd : &ret->out_fd;

			*fd = bpf_prog_get_fd_by_id(v[i].hook[h].prog_id);
		}
	free(v);
	if (k)
		kern_close(k);
	if (!err && (ret->in_fd < 0 || ret->out_fd < 0))
		err = -ENOENT;
	if (err)
		fprintf(stderr, "bench: no programs of %s: %s %s\n", ifname, strerror(-err), fail.text);
	return err;
}

void state_iface_close(struct state_iface *i)
{
	if (i->in_fd >= 0)
		close(i->in_fd);
	if (i->out_fd >= 0)
		close(i->out_fd);
}

int state_iface_frame(const struct state_iface *i, enum direction dir, const struct ref_frame *f)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->byte, .data_size_in = REF_FRAME_LEN, .repeat = 1);
	bool in = dir == DIRECTION_INGRESS;

	if (bpf_prog_test_run_opts(in ? i->in_fd : i->out_fd, &opts)) {
		fprintf(stderr, "bench: cannot run: %s\n", strerror(errno));
		return -errno;
	}
	return (in ? opts.retval == XDP_PASS : opts.retval != TC_ACT_SHOT) ? 0 : -EPROTO;
}

int state_iface_handshake(const struct state_iface *i, const struct state_ends *e)
{
	struct ref_frame f;
	int err;

	state_tcp(e, 2, &f);
	err = state_iface_frame(i, DIRECTION_INGRESS, &f);
	state_reply(e, 18, &f);
	err = err ? err : state_iface_frame(i, DIRECTION_EGRESS, &f);
	state_tcp(e, 16, &f);
	return err ? err : state_iface_frame(i, DIRECTION_INGRESS, &f);
}

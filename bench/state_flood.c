// SPDX-License-Identifier: GPL-2.0-only
/*
 * Established flows under a spoofed SYN flood: frames at the rate of the generator (vethgen.h), of which one in sixteen is a packet of
 * one of 4,096 connections, the others are SYNs of random sources. What every flow counts is compared with what was sent.
 */
#include "base/cleanup.h"
#include "bench/edit.h"
#include "bench/state.h"
#include "bench/state_iface.h"
#include "bench/vethgen.h"

#include <errno.h>
#include <fw/abi.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLOWS	 4096
#define ONE_IN	 16
#define LAPS	 1 /* of the trace, with the same sources */
#define BLOCKS	 64
#define POLICY                                                                                                         \
	"policy bench {\n\tstate { size 262144; pending 65536 }\n\tingress default drop {\n" STATE_RULES(              \
		"", "keep state", "") "\t}\n\tegress default drop {\n\t\tpass proto icmp keep state\n\t}\n}\n"

struct flood {
	struct state_iface iface;
	struct state_ends ends[FLOWS];
	struct vethgen gen;
	struct vethgen_pair pair;
	struct vethgen_traffic traffic;
	struct prng prng;
	uint64_t requests, replies, sent, received; /* frames of flows, to and from the server; all frames */
	double wall_ns;
};

static struct state_ends stranger(struct prng *p)
{
	bool six = prng_below(p, 2);
	struct state_ends e = state_ends(six, 443);

	e.src = state_address(p, six);
	e.sport = (uint16_t)prng_range(p, 1024, 65535);
	return e;
}

static int flood_flows(struct flood *f)
{
	int err = 0;

	for (size_t i = 0; !err && i < FLOWS; i++) {
		f->ends[i] = stranger(&f->prng);
		err = state_iface_handshake(&f->iface, &f->ends[i]);
	}
	if (err == -EPROTO)
		fprintf(stderr, "bench: a handshake does not pass\n");
	return err;
}

static int flood_block(struct flood *f)
{
	struct vethgen_traffic *t = &f->traffic;
	struct vethgen_result r;
	struct ref_frame reply;
	uint32_t pos = 0;
	int err;

	for (size_t i = 0; i < t->n; i++) {
		struct state_ends e = stranger(&f->prng);

		state_tcp(i % ONE_IN ? &e : &f->ends[i / ONE_IN % FLOWS], i % ONE_IN ? 2 : 16, &t->frames[i]);
	}
	err = vethgen_block(&f->gen, &f->pair, t, &pos, t->n * LAPS, &r);
	if (err)
		return err;
	f->requests += t->n * LAPS / ONE_IN;
	f->sent += r.sent;
	f->received += r.received;
	f->wall_ns += r.wall_ns;
	for (size_t i = 0; !err && i < FLOWS; i++) {
		state_reply(&f->ends[i], 16, &reply);
		err = state_iface_frame(&f->iface, DIRECTION_EGRESS, &reply);
		f->replies++;
	}
	if (err == -EPROTO)
		fprintf(stderr, "bench: a reply of an established flow was dropped\n");
	return err;
}

static bool is_settled(void *ctx, const struct kern_flow *f)
{
	return !f->pending;
}

struct counted {
	uint64_t flows, requests, replies;
	uint64_t reason[FW_REASON_COUNT][2]; /* dropped, passed; of the ingress */
};

static int counted_reasons(struct kern *k, const char *ifname, struct counted *ret)
{
	struct kern_iface_state *v = NULL;
	const struct fw_image *live;
	struct kern_view *view = NULL;
	struct kern_counters c = {};
	size_t n = 0;
	int err = kern_state(k, &v, &n);

	err = err ? err : kern_view_open(k, "bench", 0, &view, &live);
	for (size_t i = 0; !err && i < n; i++)
		if (!strcmp(v[i].name, ifname))
			err = kern_counters(k, &v[i], live, FW_HOOK_XDP, &c);
	for (int r = 0; !err && r < FW_REASON_COUNT; r++)
		for (int verdict = 0; verdict < 2; verdict++)
			ret->reason[r][verdict] = c.v[FW_REASON_SLOT(r, verdict)].packets;
	kern_counters_fini(&c);
	kern_view_close(view);
	free(v);
	return err;
}

static int counted_read(const char *ifname, struct counted *ret)
{
	struct kern_flow *v = NULL;
	struct fail fail = {};
	struct kern *k = NULL;
	size_t n = 0;
	int err = kern_open(NULL, KERN_READ, &fail, &k);

	*ret = (struct counted){};
	if (!err)
		err = kern_flows(k, "bench", is_settled, NULL, &v, &n);
	for (size_t i = 0; !err && i < n; i++) {
		ret->requests += v[i].flow.packets[0];
		ret->replies += v[i].flow.packets[1];
	}
	ret->flows = n;
	if (!err)
		err = counted_reasons(k, ifname, ret);
	free(v);
	if (k)
		kern_close(k);
	if (err)
		fprintf(stderr, "bench: cannot read flows and counters: %s %s\n", strerror(-err), fail.text);
	return err;
}

static void flood_print(struct packet_bench *b, const struct flood *f, const struct counted *c, const struct counted *before)
{
	static const char *const words[] = {
#define FW_X(id, word, text) word,
		FW_REASONS(FW_X)
#undef FW_X
	};
	uint64_t requests = c->requests - before->requests, replies = c->replies - before->replies;
	double lost = (double)f->requests - (double)requests + ((double)f->replies - (double)replies);

	printf("\na spoofed SYN flood over veth, %.2f Mpps by the wall, %llu frames sent, %llu arrived; %d established flows in it\n",
	       f->sent * 1e3 / f->wall_ns, (unsigned long long)f->sent, (unsigned long long)f->received, FLOWS);
	printf("  requests %llu sent, %llu passed; replies %llu sent, %llu passed; flows left: %llu\n", (unsigned long long)f->requests,
	       (unsigned long long)requests, (unsigned long long)f->replies, (unsigned long long)replies, (unsigned long long)c->flows);
	for (int r = 0; r < FW_REASON_COUNT; r++)
		for (int verdict = 0; verdict < 2; verdict++) {
			uint64_t n = c->reason[r][verdict] - before->reason[r][verdict];

			if (n)
				printf("  %-12s %s %12llu\n", words[r], verdict ? "passed " : "dropped", (unsigned long long)n);
		}
	if (f->received != f->sent)
		printf("  %llu frames were lost before the firewall; they count as lost below\n",
		       (unsigned long long)(f->sent - f->received));
	state_figure(b, &(struct state_row){ "flood_lost", "packets of established flows lost under a SYN flood", 0, false }, lost, "");
	state_figure(b, &(struct state_row){ "flood_mpps", "the flood", NAN, false }, f->sent * 1e3 / f->wall_ns, "Mpps");
}

static int flood_run(struct packet_bench *b, const char *ifname, const char *peer, struct flood *f)
{
	struct counted before, after;
	char pair[96];
	int err = state_iface_open(ifname, &f->iface);

	if (!err)
		err = flood_flows(f);
	if (!err)
		err = vethgen_open(&f->gen);
	if (err)
		return err;
	snprintf(pair, sizeof(pair), "bench:%s>bench:%s", peer, ifname);
	vethgen_pair_open(pair, &f->pair);
	err = counted_read(ifname, &before);
	for (int i = 0; !err && i < BLOCKS; i++)
		err = flood_block(f);
	if (!err)
		err = counted_read(ifname, &after);
	if (!err)
		flood_print(b, f, &after, &before);
	vethgen_pair_close(&f->pair);
	vethgen_close(&f->gen);
	return err;
}

static int write_rules(const char *path)
{
	auto_fclose FILE *out = fopen(path, "we");

	return out && fputs(POLICY, out) >= 0 ? 0 : -EIO;
}

int state_flood(struct packet_bench *b, const char *ifname, const char *peer)
{
	char rules[] = "/tmp/fwbench.XXXXXX";
	char *const load[] = { EDIT_FWCTL, "load", (char *)ifname, "-r", rules, NULL };
	char *const unload[] = { EDIT_FWCTL, "unload", (char *)ifname, NULL };
	struct flood *f = calloc(1, sizeof(*f));
	int fd = mkstemp(rules), err = fd < 0 || !f ? -ENOMEM : write_rules(rules);
	double ns;

	if (fd >= 0)
		close(fd);
	if (!err)
		err = vethgen_traffic_read("one", b->seed, &f->traffic);
	if (!err) {
		f->traffic.kind = VETH_FRAMES;
		f->traffic.n = VETH_MAX_TRAFFIC;
		prng_init(&f->prng, b->seed);
		err = edit_command(load, &ns);
	}
	if (!err) {
		err = flood_run(b, ifname, peer, f);
		state_iface_close(&f->iface);
		edit_command(unload, &ns);
	}
	unlink(rules);
	if (f)
		vethgen_traffic_free(&f->traffic);
	free(f);
	return err;
}

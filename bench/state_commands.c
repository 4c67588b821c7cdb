// SPDX-License-Identifier: GPL-2.0-only
/* Commands about live sets and flows, whole, from start to end of the process, on a policy that is loaded. */
#include "base/cleanup.h"
#include "bench/edit.h"
#include "bench/state.h"
#include "bench/state_iface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLOWS 100000

struct files {
	char dir[64], rules[96], list[96];
};

static int write_rules(const struct files *f, size_t n)
{
	auto_fclose FILE *out = fopen(f->rules, "we");

	if (!out)
		return -errno;
	fprintf(out, "set banned { type prefix; live; size %zu }\n", n + 10000);
	fputs("policy bench {\n\tstate { size 262144; pending 65536 }\n\tingress default drop {\n" STATE_RULES(
		      "drop from @banned", "keep state",
		      "") "\t}\n\tegress default pass {\n\t\tpass keep state\n\t}\n}\n",
	      out);
	return 0;
}

static int write_list(const struct files *f, const struct state_crowd *c)
{
	auto_fclose FILE *out = fopen(f->list, "we");
	char text[64];

	if (!out)
		return -errno;
	for (size_t i = 0; i < c->n; i++) {
		inet_ntop(c->v[i].l3 == FW_L3_IPV4 ? AF_INET : AF_INET6, c->v[i].addr, text, sizeof(text));
		fprintf(out, "%s/%u\n", text, c->v[i].plen);
	}
	return 0;
}

static void row(struct packet_bench *b, const char *id, const char *text, double wanted, double value, const char *unit)
{
	state_figure(b, &(struct state_row){ id, text, wanted, false }, value, unit);
}

static int time_bulk(struct packet_bench *b, const struct files *f, size_t n)
{
	char *const add[] = { EDIT_FWCTL, "set", "add", "banned", "-f", (char *)f->list, NULL };
	char *const replace[] = { EDIT_FWCTL, "set", "replace", "banned", "-f", (char *)f->list, NULL };
	char *const flush[] = { EDIT_FWCTL, "set", "flush", "banned", NULL };
	double ns;
	int err = edit_command(add, &ns);

	if (err)
		return err;
	row(b, "bulk", "1M elements added from a file, the whole command", 2000, ns / 1e6, "ms");
	row(b, "bulk_rate", "the same per second", NAN, n / (ns / 1e9), "/s");
	err = edit_command(replace, &ns);
	if (!err)
		row(b, "replace", "the set replaced from a file, the whole command", NAN, ns / 1e6, "ms");
	if (!err)
		err = edit_command(flush, &ns);
	if (!err)
		row(b, "flush", "the set emptied, the whole command", NAN, ns / 1e6, "ms");
	return err ? err : edit_command(add, &ns);
}

static int time_one(struct packet_bench *b, const char *id, const char *text, double wanted, char *const argv[], char *address)
{
	double ns[MEASURE_ROUNDS_MAX], first;
	int err = 0;

	for (unsigned int i = 0; !err && i <= b->m.rounds; i++) {
		if (address)
			snprintf(address, 32, "198.51.100.%u", i + 1 + (wanted > 0 ? 0 : 100));
		err = edit_command(argv, i ? &ns[i - 1] : &first);
	}
	if (!err)
		row(b, id, text, wanted, measure_median(ns, b->m.rounds) / 1e6, "ms");
	return err;
}

static int open_flows(struct packet_bench *b, const char *ifname)
{
	struct state_iface i;
	struct prng p;
	int err = state_iface_open(ifname, &i);

	prng_init(&p, b->seed);
	for (size_t n = 0; !err && n < FLOWS; n++) {
		struct state_ends e = state_ends(n & 1, 443);

		e.src ^= prng_below(&p, 1 << 24); /* no element is near */
		e.sport = (uint16_t)prng_range(&p, 1024, 65535);
		err = state_iface_handshake(&i, &e);
	}
	state_iface_close(&i);
	if (err == -EPROTO)
		fprintf(stderr, "bench: a handshake does not pass\n");
	return err;
}

static int time_all(struct packet_bench *b, const char *ifname, const struct files *f, size_t n)
{
	char address[32];
	char *const load[] = { EDIT_FWCTL, "load", (char *)ifname, "-r", (char *)f->rules, NULL };
	char *const one[] = { EDIT_FWCTL, "set", "add", "banned", address, NULL };
	char *const ban[] = { EDIT_FWCTL, "ban", address, "for", "1h", NULL };
	char *const list[] = { EDIT_FWCTL, "flows", "list", NULL };
	char *const count[] = { EDIT_FWCTL, "flows", "count", NULL };
	char *const apply[] = { EDIT_FWCTL, "apply", (char *)f->rules, NULL };
	double ns;
	int err = edit_command(load, &ns);

	if (!err)
		err = time_bulk(b, f, n);
	if (!err)
		err = time_one(b, "one", "one element added to them, the whole command", 5, one, address);
	if (!err)
		err = time_one(b, "ban", "fwctl ban, the whole command", NAN, ban, address);
	if (!err)
		err = open_flows(b, ifname);
	if (!err)
		err = time_one(b, "flows_list", "fwctl flows list, of 100,000 flows", NAN, list, NULL);
	if (!err)
		err = time_one(b, "flows_count", "fwctl flows count, of 100,000 flows", NAN, count, NULL);
	return err ? err : time_one(b, "apply", "fwctl apply beside them, nothing changed", NAN, apply, NULL);
}

int state_commands(struct packet_bench *b, const char *ifname, size_t n)
{
	char *const unload[] = { EDIT_FWCTL, "unload", (char *)ifname, NULL };
	struct files f = { .dir = "/tmp/fwbench.XXXXXX" };
	struct state_crowd c = {};
	double ns;
	int err = mkdtemp(f.dir) ? state_crowd(b->seed, n, &c) : -errno;

	snprintf(f.rules, sizeof(f.rules), "%s/rules.fw", f.dir);
	snprintf(f.list, sizeof(f.list), "%s/list", f.dir);
	if (!err)
		err = write_rules(&f, n);
	if (!err)
		err = write_list(&f, &c);
	free(c.v);
	if (!err)
		err = time_all(b, ifname, &f, n);
	edit_command(unload, &ns);
	unlink(f.rules);
	unlink(f.list);
	rmdir(f.dir);
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/* No accidental lock-out: the connection that runs the command must survive the rules. */
#include "base/cleanup.h"
#include "fwctl/cmd.h"
#include "fwctl/out.h"
#include "fwctl/under.h"
#include "fwctl/verify.h"
#include "model/eval.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#define FLAG_ACK  0x10
#define ANCESTORS 16

struct ssh {
	enum family family;
	u128 client, server;
	uint16_t client_port, server_port;
	char server_text[64], client_text[64];
};

static u128 address_of(enum family family, const uint8_t *bytes)
{
	u128 a = 0;

	for (int i = 0; i < (family == FAMILY_IPV4 ? 4 : 16); i++)
		a = a << 8 | bytes[i];
	return a;
}

static bool address_parse(char *text, enum family *family, u128 *ret)
{
	uint8_t b[16];

	text[strcspn(text, "%")] = '\0'; /* the zone of a link-local address */
	*family = strchr(text, ':') ? FAMILY_IPV6 : FAMILY_IPV4;
	if (inet_pton(*family == FAMILY_IPV6 ? AF_INET6 : AF_INET, text, b) != 1)
		return false;
	*ret = address_of(*family, b);
	return true;
}

static bool ssh_parse(const char *env, struct ssh *ret)
{
	enum family client;

	if (sscanf(env, "%63s %hu %63s %hu", ret->client_text, &ret->client_port, ret->server_text,
		   &ret->server_port) != 4)
		return false;
	return address_parse(ret->client_text, &client, &ret->client) &&
	       address_parse(ret->server_text, &ret->family, &ret->server) && client == ret->family;
}

/* The whole of a small file below /proc. malloc'ed, NUL after the end. */
static char *proc_read(long pid, const char *name, size_t *ret_len)
{
	char path[64], *buf = malloc(65536);
	auto_close int fd = -1;
	size_t len = 0;
	ssize_t n = 0;

	snprintf(path, sizeof(path), "/proc/%ld/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (buf && fd >= 0 && len < 65535 && (n = read(fd, buf + len, 65535 - len)) > 0)
		len += (size_t)n;
	if (!buf || fd < 0 || n < 0) {
		free(buf);
		return NULL;
	}
	buf[len] = '\0';
	*ret_len = len;
	return buf;
}

static long parent_of(long pid)
{
	size_t len;
	auto_free char *stat = proc_read(pid, "stat", &len);
	const char *p = stat ? strrchr(stat, ')') : NULL; /* the name before it may hold anything */
	long parent = 0;

	return p && sscanf(p + 1, " %*c %ld", &parent) == 1 ? parent : 0;
}

/* sudo drops SSH_CONNECTION from the environment; the shell that called it still has it. */
static bool ssh_of_ancestors(struct ssh *ret)
{
	long pid = getpid();

	for (int i = 0; i < ANCESTORS && (pid = parent_of(pid)) > 1; i++) {
		size_t len;
		auto_free char *env = proc_read(pid, "environ", &len);
		for (const char *p = env; env && p < env + len; p += strlen(p) + 1)
			if (!strncmp(p, "SSH_CONNECTION=", 15))
				return ssh_parse(p + 15, ret);
	}
	return false;
}

static void address_bytes(enum family family, u128 a, uint8_t out[16])
{
	for (int i = family == FAMILY_IPV4 ? 3 : 15; i >= 0; i--, a >>= 8)
		out[i] = (uint8_t)a;
}

static const char *carrier_of(unsigned int top, const char *const *ifnames, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (under_carries(ifnames[i], top))
			return ifnames[i];
	return NULL;
}

/* Which of the interfaces carries the connection: that of the server's address, the way to the client, what is under either. */
static const char *iface_of(const struct ssh *s, const char *const *ifnames, size_t n)
{
	int want = s->family == FAMILY_IPV6 ? AF_INET6 : AF_INET;
	struct ifaddrs *list = NULL;
	const char *found = NULL;
	bool here = false;
	uint8_t src[16], dst[16];

	if (getifaddrs(&list))
		return NULL;
	for (const struct ifaddrs *a = list; a && !found; a = a->ifa_next) {
		if (!a->ifa_addr || a->ifa_addr->sa_family != want)
			continue;
		const uint8_t *b =
			want == AF_INET6
				? ((const struct sockaddr_in6 *)(const void *)a->ifa_addr)->sin6_addr.s6_addr
				: (const uint8_t *)&((const struct sockaddr_in *)(const void *)a->ifa_addr)->sin_addr;
		if (address_of(s->family, b) != s->server)
			continue;
		here = true;
		found = carrier_of(if_nametoindex(a->ifa_name), ifnames, n);
	}
	freeifaddrs(list);
	if (found || !here)
		return found; /* not here: the connection ends in another network namespace */
	address_bytes(s->family, s->server, src);
	address_bytes(s->family, s->client, dst);
	return carrier_of(under_route(want, src, dst), ifnames, n);
}

/* A segment of the connection in one direction, in a state; what the chain says of it. */
static struct eval_result judge(const struct policy *p, enum direction dir, const struct ssh *s, enum state state)
{
	struct eval_given given = {.state = state};
	bool in = dir == DIRECTION_INGRESS;
	struct packet_spec spec = {
		.family = s->family,
		.protocol = 6,
		.src = in ? s->client : s->server,
		.dst = in ? s->server : s->client,
		.has_ports = true,
		.sport = in ? s->client_port : s->server_port,
		.dport = in ? s->server_port : s->client_port,
		.has_flags = true,
		.flags = FLAG_ACK,
	};
	uint8_t frame[256];
	long len = packet_build(&spec, frame, sizeof(frame));

	if (len < 0)
		return (struct eval_result){.verdict = VERDICT_PASS, .rule = -1};
	return eval_given(&p->chain[dir], frame, (size_t)len, NULL, &given, NULL, NULL);
}

/*
 * The session is older than the rules. With pickup a segment of it is a new packet, and when a rule with `keep state` passes it,
 * either way, the others are of a known flow. Without, nothing but a flow that is there already helps, of which this command
 * knows nothing: the segments are invalid.
 */
static enum state state_of(const struct policy *p, const struct ssh *s)
{
	if (!p->track)
		return STATE_NONE;
	if (!p->state.pickup_s)
		return STATE_INVALID;
	for (int d = 0; d < DIRECTION_COUNT; d++) {
		struct eval_result r = judge(p, (enum direction)d, s, STATE_NEW);

		if (r.verdict == VERDICT_PASS && r.rule >= 0 && p->chain[d].rules[r.rule].keep_state)
			return STATE_ESTABLISHED;
	}
	return STATE_NEW;
}

static bool passes(const struct policy *p, enum direction dir, const struct ssh *s)
{
	return judge(p, dir, s, state_of(p, s)).verdict == VERDICT_PASS;
}

static bool ssh_session(struct ssh *ret)
{
	const char *env = getenv("SSH_CONNECTION");

	*ret = (struct ssh){};
	return env ? ssh_parse(env, ret) : ssh_of_ancestors(ret);
}

bool ssh_client(enum family *ret_family, u128 *ret_address)
{
	struct ssh s;

	if (!ssh_session(&s))
		return false;
	*ret_family = s.family;
	*ret_address = s.client;
	return true;
}

int ssh_check(const struct policy *p, const char *const *ifnames, size_t n)
{
	struct ssh s;

	if (!ssh_session(&s))
		return STATUS_DONE;
	const char *ifname = iface_of(&s, ifnames, n);
	if (!ifname)
		return STATUS_DONE;
	for (int d = 0; d < DIRECTION_COUNT; d++) {
		if (passes(p, (enum direction)d, &s))
			continue;
		problem("policy %s would cut the ssh connection that runs this command: its %s rules drop %s between "
			"%s port %u and %s port %u on %s; "
			"add a rule that passes it, or insist with --force",
			p->name, d ? "egress" : "ingress", d ? "the answers" : "what arrives", s.client_text,
			s.client_port, s.server_text, s.server_port, out_name(ifname));
		return STATUS_REFUSED;
	}
	return STATUS_DONE;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/explain_why.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/vec.h"
#include "fwctl/flow.h"
#include "fwctl/out.h"
#include "fwctl/packet_text.h"
#include "fwctl/text.h"
#include "fwctl/words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58 };
enum { FLAG_SYN = 2, FROM_PORT = 40000, ECHO4 = 8, ECHO6 = 128 };

static u128 addr_of(uint8_t l3, const uint32_t *addr)
{
	u128 a = 0;

	for (int i = 0; i < (l3 == FW_L3_IPV4 ? 1 : 4); i++)
		a = a << 32 | ntohl(addr[i]);
	return a;
}

/* What became of it, as the program itself would have told. */
static void answer_set(struct why_answer *a, const struct fw_trace *t, enum fw_hook hook, unsigned int ifindex)
{
	a->event.kind = t->reason == FW_REASON_RULE ? FW_EVENT_RULE : t->reason == FW_REASON_DEFAULT ? FW_EVENT_DEFAULT : FW_EVENT_REASON;
	a->event.packets = a->event.sample = 1;
	a->event.hook = (uint8_t)hook;
	a->event.ifindex = ifindex;
	a->event.verdict = (uint8_t)t->verdict;
	a->event.reason = (uint8_t)t->reason;
	a->event.rule = t->rule;
	a->event.slot = t->slot;
	a->event.generation = t->generation;
	a->event.state = (uint8_t)t->state;
}

/* Put a packet to the twin of what runs. 0 also for what cannot be asked. */
static int ask(struct why *w, const struct kern_iface_state *s, enum fw_dir dir, const struct packet_spec *spec, bool seen)
{
	static uint8_t frame[PACKET_MAX_FRAME];
	struct kern_twin *twin = NULL;
	struct fw_trace trace = {};
	struct str words = {};
	long len = packet_build(spec, frame, sizeof(frame));
	int err = len < 0 ? -EINVAL : -ENOENT;

	if (len < 0 || w->nanswers == WHY_ANSWERS)
		return 0;
	struct why_answer *a = &w->answer[w->nanswers];
	packet_text(frame, (size_t)len, &words);
	snprintf(a->packet, sizeof(a->packet), "%s", str_get(&words));
	str_fini(&words);
	for (size_t i = 0; i < w->nanswers; i++)
		if (!strcmp(w->answer[i].packet, a->packet))
			return 0;
	for (size_t i = 0; i < s->nhooks && err == -ENOENT; i++) {
		if (hook_dir(s->hook[i].hook) != dir)
			continue;
		err = kern_twin_open(w->live.kern, s->policy, s->hook[i].hook, &twin);
		if (!err)
			err = kern_twin_run(twin, frame, (size_t)len, 0, &trace);
		kern_twin_close(twin);
		if (!err)
			answer_set(a, &trace, s->hook[i].hook, s->ifindex);
	}
	if (err == -ENOENT || err == -EINVAL)
		return 0;
	if (err)
		return err;
	a->event.len = (uint32_t)len;
	a->seen = seen;
	w->nanswers++;
	return 0;
}

/* The packet that an event tells of, as far as it tells. */
static bool spec_of(const struct fw_event *e, struct packet_spec *ret)
{
	if (!e->l3)
		return false;
	*ret = (struct packet_spec){
		.family = e->l3 == FW_L3_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6,
		.protocol = e->proto,
		.src = addr_of(e->l3, e->src),
		.dst = addr_of(e->l3, e->dst),
		.has_ports = e->has & FW_HAS_PORTS,
		.sport = e->sport,
		.dport = e->dport,
		.has_flags = e->has & FW_HAS_FLAGS,
		.flags = e->flags,
		.has_icmp = e->has & FW_HAS_ICMP,
		.icmp_type = (uint8_t)(e->icmp >> 8),
		.icmp_code = (uint8_t)e->icmp,
		.has_ttl = true,
		.ttl = e->ttl,
		.frag = (enum frag)e->frag,
		.has_vlan = e->has & FW_HAS_VLAN,
		.vlan = e->vlan,
		.has_mac = e->mac != 0,
		.mac = e->mac,
	};
	return true;
}

/* The same packet but for what each try has of its own: the port it comes from, and its TTL. */
static bool is_like(const struct fw_event *a, const struct fw_event *b)
{
	return event_dir(a) == event_dir(b) && a->l3 == b->l3 && a->proto == b->proto && a->dport == b->dport && a->flags == b->flags &&
	       a->icmp == b->icmp && a->frag == b->frag && a->has == b->has && a->vlan == b->vlan && a->mac == b->mac &&
	       !memcmp(a->src, b->src, sizeof(a->src)) && !memcmp(a->dst, b->dst, sizeof(a->dst));
}

/* The newest of each kind, and not so many that no usual packet is asked of. */
static int ask_events(struct why *w, const struct kern_iface_state *s)
{
	const struct event_batch *b = &w->follow.batch;
	const struct fw_event *asked[WHY_SEEN];
	struct packet_spec spec;
	size_t n = 0;
	int err = 0;

	for (size_t i = b->n; i-- > 0 && !err && n < WHY_SEEN;) {
		const struct fw_event *e = &b->v[i].event;
		bool known = false;
		for (size_t k = 0; k < n && !known; k++)
			known = is_like(asked[k], e);
		if (known || e->verdict == FW_VERDICT_PASS || !spec_of(e, &spec))
			continue;
		asked[n++] = e;
		err = ask(w, s, event_dir(e), &spec, true);
	}
	return err;
}

/* An address of the interface itself; else one that is nobody's (documentation). */
static u128 own_address(const struct why *w)
{
	bool v4 = w->pick.l3 == FW_L3_IPV4;
	struct ifaddrs *list = NULL;
	u128 found = v4 ? 0xc0000201u : (u128)0x20010db800000000ull << 64 | 1;

	if (getifaddrs(&list))
		return found;
	for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
		if (!i->ifa_addr || strcmp(i->ifa_name, w->ifname) || i->ifa_addr->sa_family != (v4 ? AF_INET : AF_INET6))
			continue;
		if (v4) {
			found = ntohl(((const struct sockaddr_in *)i->ifa_addr)->sin_addr.s_addr);
			break;
		}
		const struct in6_addr *a = &((const struct sockaddr_in6 *)i->ifa_addr)->sin6_addr;
		if (IN6_IS_ADDR_LINKLOCAL(a))
			continue;
		uint32_t words[4];
		memcpy(words, a, sizeof(words));
		found = addr_of(FW_L3_IPV6, words);
		break;
	}
	freeifaddrs(list);
	return found;
}

#define PORTS 5
/* TCP ports that rules of ingress name, the first of each; else those that everybody tries. */
static size_t ports_of(const struct why *w, const struct fw_image *img, uint16_t *out)
{
	static const uint16_t usual[] = { 22, 80, 443 };
	const struct ruleset *rs = img ? text_read(w->arena, img) : NULL;
	const struct chain *c = rs ? &rs->policies[0].chain[DIRECTION_INGRESS] : NULL;
	size_t n = 0;

	for (size_t i = 0; c && i < c->nrules && n < PORTS; i++) {
		const struct vset *v = c->rules[i].value[FIELD_DPORT], *proto = c->rules[i].value[FIELD_PROTO];
		if (proto && !vset_has(proto, (uint64_t)w->pick.l3 << 8 | PROTO_TCP))
			continue;
		if (!v || !v->n || (v->n == 1 && v->r[0].hi - v->r[0].lo > 60000))
			continue;
		bool known = false;
		for (size_t k = 0; k < n; k++)
			known |= out[k] == v->r[0].lo;
		if (!known)
			out[n++] = (uint16_t)v->r[0].lo;
	}
	for (size_t i = 0; !n && i < 3; i++)
		out[i] = usual[i];
	return n ? n : 3;
}

/* SYNs to the ports of the rules, a datagram, an echo. */
static int ask_usual(struct why *w, const struct kern_iface_state *s, const struct fw_image *img)
{
	bool v4 = w->pick.l3 == FW_L3_IPV4;
	struct packet_spec base = { .family = v4 ? FAMILY_IPV4 : FAMILY_IPV6,
				    .src = addr_of(w->pick.l3, w->pick.addr),
				    .dst = own_address(w) };
	struct packet_spec p = base;
	uint16_t port[PORTS];
	size_t n = ports_of(w, img, port);
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		p = base;
		p.protocol = PROTO_TCP;
		p.has_ports = p.has_flags = true;
		p.sport = FROM_PORT;
		p.dport = port[i];
		p.flags = FLAG_SYN;
		err = ask(w, s, FW_DIR_INGRESS, &p, false);
	}
	p = base;
	p.protocol = PROTO_UDP;
	p.has_ports = true;
	p.sport = FROM_PORT;
	p.dport = 53;
	err = err ? err : ask(w, s, FW_DIR_INGRESS, &p, false);
	p = base;
	p.protocol = v4 ? PROTO_ICMP : PROTO_ICMP6;
	p.has_icmp = true;
	p.icmp_type = v4 ? ECHO4 : ECHO6;
	return err ? err : ask(w, s, FW_DIR_INGRESS, &p, false);
}

static bool is_named(const struct fw_image *img, const char *set)
{
	size_t n = 0;
	const struct fw_live_ref *ref = img ? image_live(img, &n) : NULL;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(image_str(img, ref[i].name), set))
			return true;
	return false;
}

static int members_read(struct why *w, const struct fw_image *img)
{
	struct kern_live *sets = NULL;
	struct kern_set *set = NULL;
	size_t n = 0;
	int err = kern_live_open(w->live.kern, &sets);

	if (err == -ENOENT)
		return 0;
	if (!err)
		err = kern_live_sets(sets, &set, &n);
	for (size_t i = 0; i < n && !err; i++) {
		struct why_member m = { .named = is_named(img, set[i].name) };
		memcpy(m.set, set[i].name, sizeof(m.set));
		if (!kern_live_test(sets, set[i].id, w->pick.l3, w->pick.addr, &m.element))
			err = vec_push(&w->member, m);
	}
	free(set);
	kern_live_close(sets);
	return err;
}

static bool flow_is_asked(void *ctx, const struct kern_flow *f)
{
	const struct pick *p = ctx;
	const struct fw_flow_key *k = &f->flow.key;

	return k->l3 == p->l3 && (!memcmp(k->a, p->addr, sizeof(k->a)) || !memcmp(k->b, p->addr, sizeof(k->b)));
}

static int gather(struct why *w)
{
	const struct kern_iface_state *s = live_need(&w->live, w->ifname);

	if (!s)
		return STATUS_REFUSED;
	int status = snap_take_parts(&w->live, w->ifname, 0, &w->snap);
	const struct fw_image *img = status ? NULL : live_image(&w->live, s);
	if (!img)
		return STATUS_REFUSED;
	w->generation = img->generation;
	int err = members_read(w, img);
	if (!err) {
		err = kern_flows(w->live.kern, s->policy, flow_is_asked, &w->pick, &w->flow, &w->nflows);
		err = err == -ENOENT ? 0 : err;
	}
	err = err ? err : ask_events(w, s);
	err = err ? err : ask_usual(w, s, img);
	if (err)
		problem_fail(&w->live.fail, err);
	return err ? STATUS_REFUSED : STATUS_DONE;
}

static int address_read(struct why *w, const struct args *a)
{
	int status = pick_address(a->command, w->address, &w->pick);
	uint32_t all = w->pick.l3 == FW_L3_IPV4 ? w->pick.mask[0] : w->pick.mask[0] & w->pick.mask[1] & w->pick.mask[2] & w->pick.mask[3];

	if (!status && all != ~0u)
		return args_wrong(a->command, "--why-dropped asks of one address, not of %s", out_name(w->address));
	return status;
}

/* Events first: reading them needs no lock. */
static int events_gather(struct why *w, const struct args *a)
{
	uint64_t lost;

	w->now = moment_now();
	w->follow.ifname = &w->ifname;
	w->follow.nifnames = 1;
	w->follow.pick = w->pick;
	w->follow.flags = KERN_EVENTS_HELD;
	w->follow.until_ns = w->now.mono;
	int status = follow_open(&w->follow, a->command);
	if (status)
		return status;
	follow_read(&w->follow, true, &lost);
	w->policy = w->follow.n ? &w->follow.v[0] : NULL;
	return STATUS_DONE;
}

int explain_why(const struct args *a)
{
	struct why w = { .ifname = a->word[0], .address = a->word[1], .pick = { .verdicts = ~0u, .reasons = ~0u } };
	bool json = args_has(a, "json");

	if (a->nwords != 2 || args_has(a, "live") || args_has(a, "policy") || args_has(a, "egress"))
		return args_wrong(a->command, "usage: fwctl explain --why-dropped IFACE ADDRESS [--json]");
	int status = ifname_wrong(w.ifname) ? STATUS_WRONG : address_read(&w, a);
	if (status)
		return status;
	w.arena = arena_new();
	status = w.arena ? events_gather(&w, a) : STATUS_REFUSED;
	if (!status)
		status = live_open(&w.live, KERN_READ);
	if (!status)
		status = gather(&w);
	live_release(&w.live);
	if (!status && json)
		status = why_json(&w);
	else if (!status)
		why_text(&w);
	snap_free(&w.snap);
	live_close(&w.live);
	follow_close(&w.follow);
	vec_fini(&w.member);
	free(w.flow);
	arena_free(w.arena);
	return status;
}

// SPDX-License-Identifier: GPL-2.0-only
/* The text of track.h, paragraph by paragraph. */
#include "model/track_index.h"

#include <errno.h>
#include <string.h>

#define NS_PER_S 1000000000ull

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58 };

const char *track_timeout_words(enum track_timeout timeout)
{
	static const char *const words[TRACK_TIMEOUTS] = {
		[TRACK_TCP_SYN] = "tcp syn",	     [TRACK_TCP_ESTABLISHED] = "tcp established",
		[TRACK_TCP_CLOSING] = "tcp closing", [TRACK_TCP_CLOSED] = "tcp closed",
		[TRACK_UDP_NEW] = "udp new",	     [TRACK_UDP] = "udp",
		[TRACK_ICMP] = "icmp",		     [TRACK_OTHER_NEW] = "other new",
		[TRACK_OTHER] = "other",
	};

	return words[timeout];
}

struct track *track_new(uint64_t now_ns)
{
	struct track *t = calloc(1, sizeof(*t));

	if (t)
		t->now_ns = t->made_ns = now_ns;
	return t;
}

void track_free(struct track *t)
{
	if (!t)
		return;
	track_index_free(t);
	for (size_t i = 0; i < t->sets.n; i++)
		vec_fini(&t->sets.v[i].elements);
	for (size_t i = 0; i < t->names.n; i++)
		free(t->names.v[i]);
	vec_fini(&t->sets);
	vec_fini(&t->names);
	vec_fini(&t->flows);
	vec_fini(&t->buckets);
	free(t);
}

void track_clock(struct track *t, uint64_t now_ns)
{
	if (t->now_ns < now_ns)
		t->now_ns = now_ns;
}

uint64_t track_now(const struct track *t)
{
	return t->now_ns;
}

size_t track_flows(const struct track *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->flows.n; i++)
		n += track_flow_lives(t, &t->flows.v[i]);
	return n;
}

const char *track_name(struct track *t, const char *name)
{
	char *copy;

	for (size_t i = 0; i < t->names.n; i++)
		if (!strcmp(t->names.v[i], name))
			return t->names.v[i];
	copy = strdup(name);
	if (!copy || vec_push(&t->names, copy)) {
		free(copy);
		return NULL;
	}
	return copy;
}

/* One packet under way. */
struct passing {
	struct track *t;
	const struct policy *policy;
	enum direction dir;
	const uint8_t *frame;
	size_t bytes;
	struct packet p;
	bool has_key;
	struct track_key key;
	struct flow *flow; /* the one that it belongs to, or NULL */
};

static unsigned int tcp_flags(const struct packet *p)
{
	return p->present[FIELD_TCPFLAGS] ? (unsigned int)p->value[FIELD_TCPFLAGS] : 0;
}

static bool is_tcp(const struct packet *p)
{
	return (p->value[FIELD_PROTO] & 255) == PROTO_TCP;
}

static void flow_end(struct flow *f)
{
	f->end = 0;
}

static struct flow *flow_find(struct track *t, const struct track_key *key)
{
	if (t->index)
		return track_index_flow(t, key);
	for (size_t i = 0; i < t->flows.n; i++)
		if (track_flow_lives(t, &t->flows.v[i]) && track_key_equal(&t->flows.v[i].key, key))
			return &t->flows.v[i];
	return NULL;
}

static struct eval_result ask_rules(struct passing *x, enum direction dir, const struct packet *p,
				    void (*counted)(void *ctx, size_t rule), void *ctx)
{
	return x->t->index ? track_index_eval(x->t, x->policy, dir, p, counted, ctx) :
			     eval_state(&x->policy->chain[dir], p, counted, ctx);
}

/* Paragraph 3. False: it has ended. */
static bool flow_judge(struct passing *x, struct flow *f)
{
	const struct chain *chain = &x->policy->chain[f->opened];
	struct packet opening;
	struct eval_result r;

	if (x->t->index && track_index_judged(x->t, x->policy, f))
		return true;
	opening = f->opening;
	opening.value[FIELD_STATE] = STATE_NEW;
	track_live_bits(x->t, x->policy, &opening);
	r = ask_rules(x, f->opened, &opening, NULL, NULL);
	if (r.reason == EVAL_RULE && r.verdict == VERDICT_PASS && chain->rules[r.rule].keep_state) {
		if (!x->policy->state.window)
			track_forget(f);
		if (x->t->index)
			track_index_judge(x->t, x->policy, f, &opening);
		return true;
	}
	flow_end(f);
	return false;
}

/* Paragraphs 1, 2, 3: the flow of the packet. */
static struct flow *flow_of(struct passing *x)
{
	unsigned int flags = tcp_flags(&x->p);
	struct flow *f = x->has_key ? flow_find(x->t, &x->key) : NULL;

	if (!f)
		return NULL;
	if (f->opened == x->dir && flags & TCP_SYN && !(flags & TCP_ACK) && f->fin_opener && f->fin_other) {
		flow_end(f);
		return NULL;
	}
	return flow_judge(x, f) ? f : NULL;
}

/* Paragraph 6 */
static bool related(struct passing *x)
{
	struct track_key key;
	struct flow *f;

	if (!track_is_error(&x->p) || !track_key_quoted(&x->p, x->dir, x->frame, &key))
		return false;
	f = flow_find(x->t, &key);
	return f && flow_judge(x, f);
}

/* Table made less than `pickup` ago? */
static bool pickup(const struct passing *x)
{
	uint32_t seconds = x->policy->state.pickup_s;

	return seconds == UINT32_MAX || x->t->now_ns - x->t->made_ns < seconds * NS_PER_S;
}

static enum state state_of(struct passing *x)
{
	x->has_key = track_key_get(&x->p, x->dir, &x->key);
	x->flow = flow_of(x);
	if (x->flow)
		return STATE_ESTABLISHED;
	if (related(x))
		return STATE_RELATED;
	return track_state_alone(&x->p, pickup(x));
}

/* Paragraph 7: which timeout counts now. */
static enum track_timeout timeout_of(const struct flow *f, const struct packet *p)
{
	bool established = f->state == FLOW_ESTABLISHED;

	if (is_tcp(p)) {
		if (tcp_flags(p) & TCP_RST || (f->fin_opener && f->fin_other))
			return TRACK_TCP_CLOSED;
		if (f->fin_opener || f->fin_other)
			return TRACK_TCP_CLOSING;
		return established ? TRACK_TCP_ESTABLISHED : TRACK_TCP_SYN;
	}
	if ((p->value[FIELD_PROTO] & 255) == PROTO_UDP)
		return established ? TRACK_UDP : TRACK_UDP_NEW;
	if (p->present[FIELD_ICMP] || p->present[FIELD_ICMP6])
		return TRACK_ICMP;
	return established ? TRACK_OTHER : TRACK_OTHER_NEW;
}

static void state_move(struct flow *f, const struct packet *p, bool opener, bool asymmetric)
{
	unsigned int flags = tcp_flags(p);
	bool tcp = is_tcp(p), rst = flags & TCP_RST;

	if (!opener && f->state == FLOW_OPENED && (!tcp || (flags & (TCP_SYN | TCP_ACK) && !rst)))
		f->state = FLOW_REPLIED;
	else if (opener && f->state == FLOW_REPLIED && (!tcp || (flags & TCP_ACK && !rst)))
		f->state = FLOW_ESTABLISHED;
	else if (opener && f->state == FLOW_OPENED && asymmetric && tcp && flags & TCP_ACK &&
		 !(flags & (TCP_SYN | TCP_RST)))
		f->state = FLOW_ESTABLISHED;
	if (tcp && flags & TCP_FIN && !rst)
		*(opener ? &f->fin_opener : &f->fin_other) = true;
}

/* Paragraph 11: is the packet, which has a flow, outside of the window? */
static bool outside(const struct passing *x)
{
	struct segment s;

	if (!x->policy->state.window || !is_tcp(&x->p))
		return false;
	track_segment(&x->p, x->frame, x->flow->opened == x->dir, &s);
	return track_outside(x->flow, &s);
}

/* Paragraph 12 */
static void flow_learn(const struct passing *x, struct flow *f)
{
	struct segment s;

	if (!x->policy->state.window || !is_tcp(&x->p))
		return;
	track_segment(&x->p, x->frame, f->opened == x->dir, &s);
	track_learn(f, &s);
}

/* Paragraph 7 */
static void flow_move(const struct passing *x, struct flow *f)
{
	const struct state_opts *opts = &x->policy->state;
	unsigned int flags = tcp_flags(&x->p);
	bool opener = f->opened == x->dir, was_established = f->state == FLOW_ESTABLISHED;

	flow_learn(x, f);
	state_move(f, &x->p, opener, opts->asymmetric);
	if (opener && was_established && flags & TCP_SYN && !(flags & (TCP_ACK | TCP_RST)))
		return;
	f->end = track_tick(x->t) + (opts->timeout_s[timeout_of(f, &x->p)] * NS_PER_S >> 20);
}

/* Paragraph 8. The place of a flow that has ended is taken first. */
static int flow_open(struct passing *x, struct flow *flow)
{
	struct track *t = x->t;

	flow->key = x->key;
	flow->opened = x->dir;
	flow->opening = x->p;
	flow_move(x, flow);
	if (t->said)
		t->said->opened = true;
	if (t->index)
		return track_index_open(t, flow);
	for (size_t i = 0; i < t->flows.n; i++)
		if (!track_flow_lives(t, &t->flows.v[i])) {
			t->flows.v[i] = *flow;
			return 0;
		}
	return vec_push(&t->flows, *flow);
}

static void result_over(struct eval_result *r, const struct rule *rule, enum eval_reason reason)
{
	r->reason = reason;
	r->verdict = rule->over.pass ? VERDICT_PASS : VERDICT_DROP;
}

/* Paragraphs 8 and 9: a rule has decided. */
static int rule_matched(struct passing *x, struct eval_result *r)
{
	const struct chain *chain = &x->policy->chain[x->dir];
	const struct rule *rule = &chain->rules[r->rule];
	struct flow flow = {};
	bool over;
	int err = track_limit(x->t, chain, (size_t)r->rule, x->dir, &x->p, x->bytes, &over);

	if (err || over) {
		result_over(r, rule, EVAL_LIMIT);
		return err;
	}
	if (!rule->keep_state || r->verdict != VERDICT_PASS || r->state != STATE_NEW || !x->has_key)
		return 0;
	err = track_seat(x->t, chain, (size_t)r->rule, x->dir, &x->p, &flow, &over);
	if (err || over) {
		result_over(r, rule, EVAL_MAX_CONN);
		return err;
	}
	return flow_open(x, &flow);
}

int track_frame_said(struct track *t, const struct policy *policy, enum direction dir, const uint8_t *frame, size_t len,
		     const struct packet_meta *meta, void (*counted)(void *ctx, size_t rule), void *ctx, struct eval_result *ret,
		     struct track_said *said)
{
	int err;

	*said = (struct track_said){};
	t->said = said;
	err = track_frame(t, policy, dir, frame, len, meta, counted, ctx, ret);
	t->said = NULL;
	return err;
}

int track_frame(struct track *t, const struct policy *policy, enum direction dir, const uint8_t *frame, size_t len,
		const struct packet_meta *meta, void (*counted)(void *ctx, size_t rule), void *ctx,
		struct eval_result *ret)
{
	struct passing x = { .t = t, .policy = policy, .dir = dir, .frame = frame, .bytes = len };
	const struct chain *chain = &policy->chain[dir];
	enum packet_fault fault = packet_parse(frame, len, meta, &x.p);
	struct eval_result r;
	int err = 0;

	if (fault) {
		*ret = eval_fault(chain, fault);
		return 0;
	}
	track_live_bits(t, policy, &x.p);
	if (policy->track)
		x.p.value[FIELD_STATE] = state_of(&x);
	if (t->said) {
		t->said->parsed = true;
		t->said->packet = x.p;
	}
	if (x.flow && outside(&x)) {
		*ret = (struct eval_result){ .verdict = VERDICT_DROP, .reason = EVAL_TCP_WINDOW, .rule = -1, .state = STATE_ESTABLISHED };
		return 0;
	}
	r = ask_rules(&x, dir, &x.p, counted, ctx);
	if (r.reason == EVAL_RULE)
		err = rule_matched(&x, &r);
	if (err)
		return err;
	if (x.flow && r.verdict == VERDICT_PASS)
		flow_move(&x, x.flow);
	*ret = r;
	return 0;
}

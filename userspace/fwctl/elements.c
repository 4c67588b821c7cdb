// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/elements.h"

#include "base/duration.h"
#include "base/vec.h"
#include "fwctl/cmd.h"
#include "fwctl/out.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

struct moment moment_now(void)
{
	return (struct moment){ .mono = clock_ns(CLOCK_MONOTONIC), .wall = clock_ns(CLOCK_REALTIME) };
}

uint64_t moment_wall(const struct moment *m, uint64_t mono)
{
	return mono >= m->mono ? m->wall + (mono - m->mono) : m->wall - (m->mono - mono);
}

void elements_init(struct elements *e)
{
	*e = (struct elements){ .now = moment_now() };
}

void elements_fini(struct elements *e)
{
	vec_fini(e);
}

static uint64_t later(uint64_t at, uint64_t by)
{
	uint64_t sum;

	return __builtin_add_overflow(at, by, &sum) ? UINT64_MAX : sum;
}

/* On the clock of the sets. 0: the set's timeout; false: it is over. */
static bool end_of(const struct element *x, const struct moment *now, uint64_t *ret)
{
	switch (x->end) {
	case ELEMENT_END_SET:
		*ret = 0;
		return true;
	case ELEMENT_END_NEVER:
		*ret = UINT64_MAX;
		return true;
	case ELEMENT_END_FOR:
		*ret = later(now->mono, x->ns);
		return true;
	case ELEMENT_END_AT:
		*ret = x->ns > now->wall ? later(now->mono, x->ns - now->wall) : 0;
		return x->ns > now->wall;
	}
	return false;
}

/* As much as there is room for, in whole characters of UTF-8, on one line. */
static void reason_copy(char *out, const char *s, size_t len)
{
	if (len > KERN_REASON_MAX) {
		len = KERN_REASON_MAX;
		while (len && ((unsigned char)s[len] & 0xc0) == 0x80)
			len--;
	}
	for (size_t i = 0; i < len; i++)
		out[i] = (unsigned char)s[i] < ' ' || s[i] == 0x7f ? ' ' : s[i];
	out[len] = '\0';
}

static void address_bytes(const struct addr_range *r, u128 addr, uint32_t out[4])
{
	uint8_t b[16] = {};

	for (int i = r->family == FAMILY_IPV4 ? 3 : 15; i >= 0; i--, addr >>= 8)
		b[i] = (uint8_t)addr;
	memcpy(out, b, sizeof(b));
}

int elements_add(struct elements *e, const struct element *x)
{
	struct addr_range rest = x->range;
	struct kern_element k = { .l3 = rest.family == FAMILY_IPV4 ? FW_L3_IPV4 : FW_L3_IPV6,
				  .added_ns = x->added_ns ? x->added_ns : e->now.wall };
	unsigned int len;
	bool more = true;
	u128 addr;

	if (!end_of(x, &e->now, &k.end_ns)) {
		e->ended++;
		return 0;
	}
	if (x->reason_len)
		reason_copy(k.reason, x->reason, x->reason_len);
	while (more) {
		range_take(&rest, &more, &addr, &len);
		address_bytes(&rest, addr, k.addr);
		k.plen = (uint8_t)len;
		if (vec_push(e, k))
			return -ENOMEM;
	}
	return 0;
}

static int no_memory(void)
{
	problem("no memory");
	return STATUS_REFUSED;
}

int elements_tail(const struct command *cmd, const char *const *word, size_t n, struct element *ret, struct str *text)
{
	const char *s, *end;

	for (size_t i = 0; i < n; i++) {
		str_add(text, i ? " " : "");
		str_add(text, word[i]);
	}
	if (text->failed)
		return no_memory();
	const char *why = element_tail(str_get(text), str_get(text) + text->len, true, ret, &s, &end);
	if (!why)
		return STATUS_DONE;
	struct str shown = {};
	str_add_escaped(&shown, s, (size_t)(end - s));
	args_wrong(cmd, "\"%s\" %s", str_get(&shown), why);
	str_fini(&shown);
	return STATUS_WRONG;
}

int elements_words(struct elements *e, const struct command *cmd, const char *const *word, size_t n)
{
	struct element x = {};
	struct str text = {};
	size_t addresses = 0;

	while (addresses < n && !element_is_tail(word[addresses]))
		addresses++;
	if (!addresses)
		return args_wrong(cmd, "name at least one address");
	int status = elements_tail(cmd, word + addresses, n - addresses, &x, &text);
	for (size_t i = 0; i < addresses && !status; i++) {
		const char *why = addr_parse(word[i], strlen(word[i]), &x.range);
		if (why)
			status = args_wrong(cmd, "\"%s\" %s", out_name(word[i]), why);
		else if (elements_add(e, &x))
			status = no_memory();
	}
	str_fini(&text);
	return status;
}

void mistake(struct mistakes *m, size_t line, const char *s, const char *end, const char *why)
{
	struct str shown = {};

	m->n++;
	if (m->told == MISTAKES_TOLD)
		return;
	m->told++;
	str_add_escaped(&shown, s, end - s < 60 ? (size_t)(end - s) : 60);
	problem("%s:%zu: \"%s\" %s", out_name(m->name), line, str_get(&shown), why);
	str_fini(&shown);
}

bool mistakes_end(struct mistakes *m)
{
	bool any = m->n > 0;

	if (m->n > m->told)
		problem("%s: %zu more lines are wrong", out_name(m->name), m->n - m->told);
	m->n = m->told = 0;
	return any;
}

static void complete(struct element *x, const struct element *common)
{
	if (!common)
		return;
	if (x->end == ELEMENT_END_SET) {
		x->end = common->end;
		x->ns = common->ns;
	}
	if (!x->reason_len) {
		x->reason = common->reason;
		x->reason_len = common->reason_len;
	}
}

int elements_text(struct elements *e, const struct input *in, const struct element *common)
{
	struct mistakes wrong = { .name = in->name };
	const char *s = in->text, *stop = in->text + in->len;

	if (in->len >= 3 && !memcmp(s, "\xef\xbb\xbf", 3))
		s += 3;
	for (size_t line = 1; s < stop; line++) {
		const char *eol = memchr(s, '\n', (size_t)(stop - s)) ?: stop, *word, *end;
		struct element x;
		bool empty;
		const char *why = element_line(s, eol, &x, &empty, &word, &end);
		if (!why && !empty)
			complete(&x, common);
		if (why)
			mistake(&wrong, line, word, end, why);
		else if (!empty && !wrong.n && elements_add(e, &x))
			return no_memory();
		s = eol < stop ? eol + 1 : stop;
	}
	if (!mistakes_end(&wrong))
		return STATUS_DONE;
	problem("%s: nothing was changed, because of the lines above", out_name(in->name));
	return STATUS_WRONG;
}

bool element_widen(struct kern_element *x, const struct kern_set *set)
{
	if (!(set->flags & FW_LIVEF_WIDEN) || x->l3 != FW_L3_IPV6 || x->plen != 128)
		return false;
	x->plen = 64;
	x->addr[2] = x->addr[3] = 0;
	return true;
}

void elements_settle(struct elements *e, const struct kern_set *set)
{
	uint64_t end = set->timeout_ns ? later(e->now.mono, set->timeout_ns) : UINT64_MAX;

	for (size_t i = 0; i < e->n; i++) {
		if (!e->v[i].end_ns)
			e->v[i].end_ns = end;
		e->widened += element_widen(&e->v[i], set);
	}
}

struct element_key element_key(const struct kern_element *x)
{
	struct element_key k = { .l3 = x->l3, .plen = x->plen };

	memcpy(k.addr, x->addr, sizeof(k.addr));
	return k;
}

static int key_compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct element_key));
}

long elements_distinct(const struct elements *e)
{
	struct element_key *key = reallocarray(NULL, e->n + 1, sizeof(*key));
	long n = 0;

	if (!key)
		return -ENOMEM;
	for (size_t i = 0; i < e->n; i++)
		key[i] = element_key(&e->v[i]);
	qsort(key, e->n, sizeof(*key), key_compare);
	for (size_t i = 0; i < e->n; i++)
		n += !i || key_compare(&key[i - 1], &key[i]);
	free(key);
	return n;
}

static char *ring_next(void)
{
	static char ring[8][80];
	static unsigned int next;

	return ring[next++ % 8];
}

const char *address_text(uint8_t l3, const uint32_t addr[4])
{
	char *s = ring_next();

	return inet_ntop(l3 == FW_L3_IPV4 ? AF_INET : AF_INET6, addr, s, 80) ?: "?";
}

const char *element_text(const struct kern_element *x)
{
	char *s = ring_next();
	size_t len;

	if (!inet_ntop(x->l3 == FW_L3_IPV4 ? AF_INET : AF_INET6, x->addr, s, 80))
		return "?";
	len = strlen(s);
	if (x->plen != (x->l3 == FW_L3_IPV4 ? 32 : 128))
		snprintf(s + len, 80 - len, "/%u", x->plen);
	return s;
}

/* Whole seconds, rounded up: what has not ended has something left. */
const char *left_text(const struct moment *now, uint64_t end_ns)
{
	char *out = ring_next();
	struct str s = {};
	uint64_t left = end_ns > now->mono ? end_ns - now->mono : 0;

	if (end_ns == UINT64_MAX)
		return "never";
	duration_add(&s, (left + 999999999) / 1000000000 * 1000000000);
	snprintf(out, 80, "%s", str_get(&s));
	str_fini(&s);
	return out;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Live sets of the policies of a test, as commands use them: every call opens the state that it needs, or is given it. */
#ifndef FW_TESTS_KERNEL_LIVE_H
#define FW_TESTS_KERNEL_LIVE_H

#include "harness/rim.h"
#include "kern/clock.h"
#include "kern/live.h"
#include "kern/rim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SET(options) "set banned { type prefix; live" options " }\n"
#define SETS SET("; size 1000") "set good { type prefix; live; size 10; timeout 1h }\n"
#define RULES(sets)                                                                                                            \
	sets "policy web {\n essentials off\n ingress default pass {\n  pass from @good label \"good\"\n" \
	     "  drop from @banned label \"banned\"\n }\n}\n"
#define ONE(policy, set, options)                                                                                              \
	"set " set " { type prefix; live" options " }\npolicy " policy " {\n essentials off\n"                                         \
	"ingress default pass {\n  drop from @" set " label \"" set "\"\n }\n}\n"
#define PLAIN "policy web {\n essentials off\n ingress default pass { }\n}\n"
#define HOUR 3600000000000ull

static struct kern *kern;

static inline struct kern_live *live_begin(enum kern_access access)
{
	struct kern_live *l = NULL;

	kern = rim_open(access);
	assert_int_equal(kern_live_open(kern, &l), 0);
	return l;
}

static inline void live_end(struct kern_live *l)
{
	kern_live_close(l);
	kern_close(kern);
	kern = NULL;
}

static inline struct kern_set set_named(struct kern_live *l, const char *name)
{
	struct kern_set *v, found = {.id = ~0u};
	size_t n;

	assert_int_equal(kern_live_sets(l, &v, &n), 0);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i].name, name))
			found = v[i];
	free(v);
	return found;
}

static inline uint32_t id_of(struct kern_live *l, const char *name)
{
	uint32_t id = set_named(l, name).id;

	assert_int_not_equal(id, ~0u);
	return id;
}

/* "10.0.0.0/8", "2001:db8::1" */
static inline struct kern_element element(const char *text, uint64_t end_ns)
{
	struct kern_element e = {.l3 = strchr(text, ':') ? FW_L3_IPV6 : FW_L3_IPV4, .end_ns = end_ns};
	char addr[64];
	const char *slash = strchr(text, '/');

	e.plen = slash ? (uint8_t)atoi(slash + 1) : e.l3 == FW_L3_IPV4 ? 32 : 128;
	snprintf(addr, sizeof(addr), "%.*s", (int)strcspn(text, "/"), text);
	assert_int_equal(inet_pton(e.l3 == FW_L3_IPV4 ? AF_INET : AF_INET6, addr, e.addr), 1);
	return e;
}

static inline void add_ok(struct kern_live *l, const char *set, const char *text, uint64_t end_ns)
{
	struct kern_element e = element(text, end_ns);
	size_t n = 0;
	int err = kern_live_add(l, id_of(l, set), &e, 1, false, &n);

	if (err)
		print_message("# %s\n", rim_fail.text);
	assert_int_equal(err, 0);
}

static inline size_t del(struct kern_live *l, const char *set, const char *text)
{
	struct kern_element e = element(text, 0);
	size_t n = 0;

	assert_int_equal(kern_live_del(l, id_of(l, set), &e, 1, &n), 0);
	return n;
}

/* The prefix length that covers an address; -1: none. */
static inline int covered(struct kern_live *l, const char *set, const char *text)
{
	struct kern_element e = element(text, 0), got;
	int err = kern_live_test(l, id_of(l, set), e.l3, e.addr, &got);

	if (err)
		assert_int_equal(err, -ENOENT);
	return err ? -1 : got.plen;
}

static inline size_t listed(struct kern_live *l, const char *set)
{
	struct kern_element *v;
	size_t n;

	assert_int_equal(kern_live_list(l, id_of(l, set), &v, &n), 0);
	free(v);
	return n;
}

/* The rule that decides a datagram from an address, by its label; "" for none. */
static inline const char *decides(const char *from)
{
	static char label[64];
	struct kern *k = rim_open(KERN_READ);
	struct kern_twin *t = NULL;
	const struct fw_meta_rule *rules;
	struct fw_trace trace;
	struct image img;
	uint8_t frame[60];
	size_t n;

	box_udp_frame(frame, 9);
	inet_pton(AF_INET, from, frame + 26);
	assert_int_equal(kern_twin_open(k, "web", FW_HOOK_XDP, &t), 0);
	assert_int_equal(kern_twin_run(t, frame, sizeof(frame), 0, &trace), 0);
	assert_int_equal(kern_names(k, "web", &img), 0);
	rules = image_rules(image_hdr(&img), FW_DIR_INGRESS, &n);
	snprintf(label, sizeof(label), "%s", trace.rule < n ? image_str(image_hdr(&img), rules[trace.rule].label) : "");
	image_fini(&img);
	kern_twin_close(t);
	kern_close(k);
	return label;
}

static inline struct kern_element *many(size_t n, unsigned int from)
{
	struct kern_element *v = calloc(n, sizeof(*v));

	for (size_t i = 0; i < n; i++) {
		v[i] = (struct kern_element){.l3 = FW_L3_IPV4, .plen = i % 3 ? 32 : 28};
		v[i].addr[0] = htonl(from + (unsigned int)i * 16);
	}
	return v;
}

#endif

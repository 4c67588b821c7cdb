// SPDX-License-Identifier: GPL-2.0-only
/* Live sets: names of a namespace, elements that commands and rules add, and what becomes of both. */
#include "harness/rim.h"
#include "kern/clock.h"
#include "kern/live.h"

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
	sets "policy web {\n essentials off\n ingress default pass {\n  pass from @good label \"good\"\n  drop from @banned label \"banned\"\n }\n}\n"
#define ONE(policy, set, options)                                                                                              \
	"set " set " { type prefix; live" options " }\npolicy " policy " {\n essentials off\n ingress default pass {\n  drop from @" set " label \"" set "\"\n }\n}\n"
#define PLAIN "policy web {\n essentials off\n ingress default pass { }\n}\n"
#define HOUR 3600000000000ull

static struct kern *kern;

static struct kern_live *live_begin(enum kern_access access)
{
	struct kern_live *l = NULL;

	kern = rim_open(access);
	assert_int_equal(kern_live_open(kern, &l), 0);
	return l;
}

static void live_end(struct kern_live *l)
{
	kern_live_close(l);
	kern_close(kern);
	kern = NULL;
}

static struct kern_set set_named(struct kern_live *l, const char *name)
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

static uint32_t id_of(struct kern_live *l, const char *name)
{
	uint32_t id = set_named(l, name).id;

	assert_int_not_equal(id, ~0u);
	return id;
}

/* "10.0.0.0/8", "2001:db8::1" */
static struct kern_element element(const char *text, uint64_t end_ns)
{
	struct kern_element e = {.l3 = strchr(text, ':') ? FW_L3_IPV6 : FW_L3_IPV4, .end_ns = end_ns};
	char addr[64];
	const char *slash = strchr(text, '/');

	e.plen = slash ? (uint8_t)atoi(slash + 1) : e.l3 == FW_L3_IPV4 ? 32 : 128;
	snprintf(addr, sizeof(addr), "%.*s", (int)strcspn(text, "/"), text);
	assert_int_equal(inet_pton(e.l3 == FW_L3_IPV4 ? AF_INET : AF_INET6, addr, e.addr), 1);
	return e;
}

static void add_ok(struct kern_live *l, const char *set, const char *text, uint64_t end_ns)
{
	struct kern_element e = element(text, end_ns);
	size_t n = 0;
	int err = kern_live_add(l, id_of(l, set), &e, 1, false, &n);

	if (err)
		print_message("# %s\n", rim_fail.text);
	assert_int_equal(err, 0);
}

static size_t del(struct kern_live *l, const char *set, const char *text)
{
	struct kern_element e = element(text, 0);
	size_t n = 0;

	assert_int_equal(kern_live_del(l, id_of(l, set), &e, 1, &n), 0);
	return n;
}

/* The prefix length that covers an address; -1: none. */
static int covered(struct kern_live *l, const char *set, const char *text)
{
	struct kern_element e = element(text, 0), got;
	int err = kern_live_test(l, id_of(l, set), e.l3, e.addr, &got);

	if (err)
		assert_int_equal(err, -ENOENT);
	return err ? -1 : got.plen;
}

static size_t listed(struct kern_live *l, const char *set)
{
	struct kern_element *v;
	size_t n;

	assert_int_equal(kern_live_list(l, id_of(l, set), &v, &n), 0);
	free(v);
	return n;
}

/* The rule that decides a datagram from an address, by its label; "" for none. */
static const char *decides(const char *from)
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

static void bans_take_hold_at_once(void **state)
{
	struct kern_live *l;

	rim_load_ok(BOX_IF, RULES(SETS), "web", NULL, NULL);
	assert_string_equal(decides("10.0.0.1"), "");
	l = live_begin(KERN_WRITE);
	add_ok(l, "banned", "10.0.0.1", 0);
	add_ok(l, "banned", "10.1.0.0/16", 0);
	add_ok(l, "banned", "10.1.2.0/24", 0);
	add_ok(l, "good", "10.1.2.3", 0);
	assert_int_equal(covered(l, "banned", "10.1.2.3"), 24);
	assert_int_equal(covered(l, "banned", "10.1.3.3"), 16);
	assert_int_equal(covered(l, "banned", "10.0.0.2"), -1);
	live_end(l);
	assert_string_equal(decides("10.0.0.1"), "banned");
	assert_string_equal(decides("10.0.0.2"), "");
	assert_string_equal(decides("10.1.2.3"), "good");
	assert_string_equal(decides("10.1.2.4"), "banned");
	assert_string_equal(decides("10.1.3.4"), "banned");
	l = live_begin(KERN_WRITE);
	assert_int_equal(del(l, "banned", "10.1.2.0/24"), 1);
	assert_int_equal(del(l, "banned", "10.1.2.0/24"), 0);
	assert_int_equal(covered(l, "banned", "10.1.2.4"), 16);
	assert_int_equal(del(l, "banned", "10.1.0.0/16"), 1);
	assert_int_equal(del(l, "banned", "10.0.0.0/8"), 0);
	live_end(l);
	assert_string_equal(decides("10.1.2.4"), "");
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

/* A prefix of one set inside that of another: each is asked for its own. */
static void sets_share_maps_and_not_members(void **state)
{
	struct kern_live *l;

	rim_load_ok(BOX_IF, RULES(SETS), "web", NULL, NULL);
	l = live_begin(KERN_WRITE);
	add_ok(l, "good", "10.0.0.0/8", 0);
	add_ok(l, "banned", "10.1.0.0/16", 0);
	add_ok(l, "good", "10.1.1.0/24", 0);
	add_ok(l, "banned", "10.1.1.1", 0);
	add_ok(l, "good", "2001:db8::/20", 0);
	add_ok(l, "banned", "2001:db8::/48", 0);
	add_ok(l, "banned", "2001:db8::1", 0);
	assert_int_equal(covered(l, "good", "10.1.1.1"), 24);
	assert_int_equal(covered(l, "banned", "10.1.1.1"), 32);
	assert_int_equal(covered(l, "banned", "10.1.1.2"), 16);
	assert_int_equal(covered(l, "good", "10.1.2.1"), 8);
	assert_int_equal(covered(l, "good", "2001:db8::1"), 20);
	assert_int_equal(covered(l, "banned", "2001:db8::1"), 128);
	assert_int_equal(covered(l, "banned", "2001:db8::2"), 48);
	assert_int_equal(covered(l, "banned", "2001:db8:1::"), -1);
	assert_int_equal(set_named(l, "good").count, 3);
	assert_int_equal(set_named(l, "banned").count, 4);
	/* The same prefix in both: gone from one, and still in the other. */
	add_ok(l, "good", "10.1.0.0/16", 0);
	assert_int_equal(del(l, "banned", "10.1.0.0/16"), 1);
	assert_int_equal(covered(l, "good", "10.1.2.1"), 16);
	assert_int_equal(covered(l, "banned", "10.1.2.1"), -1);
	live_end(l);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void elements_end_and_the_later_end_counts(void **state)
{
	uint64_t now;
	struct kern_element e, *v;
	struct kern_live *l;
	size_t n;

	rim_load_ok(BOX_IF, RULES(SETS), "web", NULL, NULL);
	l = live_begin(KERN_WRITE);
	now = clock_now_ns();
	/* The set's timeout where nothing is said; where it has none, for ever. */
	add_ok(l, "good", "192.0.2.1", 0);
	add_ok(l, "banned", "192.0.2.1", 0);
	assert_int_equal(kern_live_list(l, id_of(l, "good"), &v, &n), 0);
	assert_int_equal(n, 1);
	assert_true(v[0].end_ns >= now + HOUR && v[0].end_ns < now + HOUR + HOUR / 60);
	assert_true(v[0].added_ns && clock_wall_ns() - v[0].added_ns < HOUR);
	free(v);
	e = element("192.0.2.1", now + 2 * HOUR);
	assert_int_equal(kern_live_add(l, id_of(l, "good"), &e, 1, false, &n), 0);
	assert_int_equal(n, 0);
	e.end_ns = now + HOUR;
	assert_int_equal(kern_live_add(l, id_of(l, "good"), &e, 1, false, &n), 0);
	assert_int_equal(kern_live_test(l, id_of(l, "good"), e.l3, e.addr, &e), 0);
	assert_int_equal(e.end_ns, now + 2 * HOUR);
	e.end_ns = now + HOUR;
	assert_int_equal(kern_live_add(l, id_of(l, "good"), &e, 1, true, &n), 0);
	assert_int_equal(kern_live_test(l, id_of(l, "good"), e.l3, e.addr, &e), 0);
	assert_int_equal(e.end_ns, now + HOUR);
	assert_int_equal(kern_live_test(l, id_of(l, "banned"), e.l3, e.addr, &e), 0);
	assert_true(e.end_ns == UINT64_MAX);
	/* One that has ended is none, wherever one asks; its room comes back. */
	e = element("192.0.2.2", 1);
	assert_int_equal(kern_live_add(l, id_of(l, "good"), &e, 1, false, &n), 0);
	assert_int_equal(set_named(l, "good").count, 2);
	assert_int_equal(covered(l, "good", "192.0.2.2"), -1);
	assert_int_equal(kern_live_reap(l, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(set_named(l, "good").count, 1);
	assert_int_equal(listed(l, "good"), 1);
	live_end(l);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void a_full_set_says_so_and_reaps_first(void **state)
{
	struct kern_element e[12];
	struct kern_live *l;
	size_t n = 0;

	rim_load_ok(BOX_IF, RULES(SETS), "web", NULL, NULL);
	l = live_begin(KERN_WRITE);
	for (int i = 0; i < 12; i++) {
		char text[32];

		snprintf(text, sizeof(text), "192.0.2.%d", i);
		e[i] = element(text, i < 4 ? 1 : 0);
	}
	/* Ten fit, of which four have ended. */
	assert_int_equal(kern_live_add(l, id_of(l, "good"), e, 10, false, &n), 0);
	assert_int_equal(n, 10);
	assert_int_equal(kern_live_add(l, id_of(l, "good"), e + 10, 2, false, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(listed(l, "good"), 8);
	for (int i = 0; i < 4; i++)
		e[i].end_ns = 0;
	assert_int_equal(kern_live_add(l, id_of(l, "good"), e, 12, false, &n), -ENOSPC);
	assert_int_equal(n, 2);
	assert_non_null(strstr(rim_fail.text, "set good is full: its size is 10; 2 added"));
	assert_int_equal(set_named(l, "good").count, 10);
	live_end(l);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void lists_are_sorted_and_say_who_and_why(void **state)
{
	static const char *const order[] = {"10.0.0.0/8", "10.0.0.0/16", "10.0.0.0", "192.0.2.1", "2001:db8::/32", "2001:db8::"};
	struct kern_element e, *v;
	struct kern_live *l;
	size_t n;

	rim_load_ok(BOX_IF, RULES(SETS), "web", NULL, NULL);
	l = live_begin(KERN_WRITE);
	for (int i = 5; i >= 0; i--) {
		e = element(order[i], 0);
		snprintf(e.reason, sizeof(e.reason), "number %d", i);
		e.addr[0] |= htonl(i == 0 ? 0x1234 : 0); /* bits behind the prefix do not count */
		assert_int_equal(kern_live_add(l, id_of(l, "banned"), &e, 1, false, &n), 0);
	}
	assert_int_equal(kern_live_list(l, id_of(l, "banned"), &v, &n), 0);
	assert_int_equal(n, 6);
	for (size_t i = 0; i < 6; i++) {
		struct kern_element want = element(order[i], 0);
		char reason[32];

		snprintf(reason, sizeof(reason), "number %zu", i);
		assert_memory_equal(v[i].addr, want.addr, sizeof(want.addr));
		assert_int_equal(v[i].plen, want.plen);
		assert_string_equal(v[i].reason, reason);
	}
	free(v);
	/* Gone and back without a reason: the old one is forgotten. */
	assert_int_equal(del(l, "banned", order[3]), 1);
	add_ok(l, "banned", order[3], 0);
	e = element(order[3], 0);
	assert_int_equal(kern_live_test(l, id_of(l, "banned"), e.l3, e.addr, &e), 0);
	assert_string_equal(e.reason, "");
	assert_int_equal(kern_live_flush(l, id_of(l, "banned"), &n), 0);
	assert_int_equal(n, 6);
	assert_int_equal(listed(l, "banned"), 0);
	assert_int_equal(set_named(l, "banned").count, 0);
	live_end(l);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static struct kern_element *many(size_t n, unsigned int from)
{
	struct kern_element *v = calloc(n, sizeof(*v));

	for (size_t i = 0; i < n; i++) {
		v[i] = (struct kern_element){.l3 = FW_L3_IPV4, .plen = i % 3 ? 32 : 28};
		v[i].addr[0] = htonl(from + (unsigned int)i * 16);
	}
	return v;
}

static void a_set_is_replaced_in_one_step(void **state)
{
	struct kern_element *a = many(500, 0x0a000000), *b = many(900, 0x0b000000);
	struct kern_live *l;
	size_t n;

	rim_load_ok(BOX_IF, RULES(SETS), "web", NULL, NULL);
	l = live_begin(KERN_WRITE);
	add_ok(l, "good", "10.0.0.0/28", 0);
	for (int i = 0; i < 12; i++) {
		assert_int_equal(kern_live_replace(l, id_of(l, "banned"), i & 1 ? b : a, i & 1 ? 900 : 500), 0);
		assert_int_equal(set_named(l, "banned").count, i & 1 ? 900 : 500);
	}
	assert_int_equal(listed(l, "banned"), 900);
	assert_int_equal(covered(l, "banned", "10.0.0.1"), -1);
	assert_int_equal(covered(l, "good", "10.0.0.1"), 28);
	assert_int_equal(covered(l, "banned", "11.0.0.1"), 28);
	/* More than the set holds: it stays as it was. */
	free(a);
	a = many(1001, 0x0c000000);
	assert_int_equal(kern_live_replace(l, id_of(l, "banned"), a, 1001), -ENOSPC);
	assert_non_null(strstr(rim_fail.text, "its size is 1000"));
	assert_int_equal(listed(l, "banned"), 900);
	assert_int_equal(kern_live_replace(l, id_of(l, "banned"), NULL, 0), 0);
	assert_int_equal(listed(l, "banned"), 0);
	live_end(l);
	/* What a set has left behind is nowhere. */
	l = live_begin(KERN_READ);
	assert_int_equal(l->m.ctl->hosts, 0);
	assert_int_equal(l->m.ctl->prefixes, 1);
	assert_int_equal(kern_live_flush(l, id_of(l, "good"), &n), -EPERM);
	live_end(l);
	free(a);
	free(b);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

/* A replace that is killed has filled a place that no id names, or has left the old one behind. */
static void a_killed_replace_is_cleared_by_the_next_command(void **state)
{
	struct kern_element e = element("10.9.9.9", 0);
	struct kern_live *l;
	int status;
	pid_t pid;

	rim_load_ok(BOX_IF, RULES(SETS), "web", NULL, NULL);
	l = live_begin(KERN_WRITE);
	add_ok(l, "banned", "10.0.0.1", 0);
	live_end(l);
	for (int flip = 0; flip < 2; flip++) {
		fflush(NULL);
		pid = fork();
		if (!pid) {
			size_t n;

			l = live_begin(KERN_WRITE);
			/* As kern_live_replace does, up to the store or just behind it. */
			uint32_t id = id_of(l, "banned"), spare = FW_MAX_LIVE - 1;
			unsigned int old = live_place(&l->m, id), place = livesets_free_place(&l->m);

			l->m.ctl->at[place] = l->m.ctl->at[old];
			l->m.ctl->at[place].count = 0;
			l->m.registry->set[spare].used = 1;
			l->m.ctl->place[spare] = (uint8_t)place;
			if (kern_live_add(l, spare, &e, 1, false, &n) || n != 1)
				_exit(1);
			l->m.ctl->place[spare] = FW_LIVE_NOWHERE;
			l->m.registry->set[spare].used = 0;
			if (flip)
				l->m.ctl->place[id] = (uint8_t)place;
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_string_equal(decides("10.0.0.1"), flip ? "" : "banned");
		assert_string_equal(decides("10.9.9.9"), flip ? "banned" : "");
		l = live_begin(KERN_WRITE);
		assert_int_equal(l->m.ctl->hosts, 1);
		assert_int_equal(listed(l, "banned"), 1);
		assert_int_equal(covered(l, "banned", flip ? "10.9.9.9" : "10.0.0.1"), 32);
		live_end(l);
	}
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void hosts_of_a_wide_set_are_networks(void **state)
{
	struct kern_live *l;

	rim_load_ok(BOX_IF, ONE("web", "wide", "; widen; size 100"), "web", NULL, NULL);
	l = live_begin(KERN_WRITE);
	add_ok(l, "wide", "2001:db8:1:2:3:4:5:6", 0);
	add_ok(l, "wide", "192.0.2.1", 0);
	assert_int_equal(covered(l, "wide", "2001:db8:1:2::9"), 64);
	assert_int_equal(covered(l, "wide", "192.0.2.1"), 32);
	assert_int_equal(covered(l, "wide", "192.0.2.2"), -1);
	assert_int_equal(del(l, "wide", "2001:db8:1:2:9:9:9:9"), 1);
	assert_int_equal(listed(l, "wide"), 1);
	live_end(l);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void policies_share_a_set_and_the_last_takes_it_along(void **state)
{
	struct kern_report r;
	struct kern_live *l;

	rim_load_ok(BOX_IF, ONE("web", "banned", "; size 100; timeout 1h"), "web", NULL, NULL);
	rim_load_ok(BOX_PEER, ONE("other", "banned", "; size 200; counters"), "other", NULL, NULL);
	l = live_begin(KERN_WRITE);
	/* The newest word counts. */
	assert_int_equal(set_named(l, "banned").size, 200);
	assert_int_equal(set_named(l, "banned").timeout_ns, 0);
	assert_int_equal(set_named(l, "banned").flags, FW_LIVEF_COUNTERS);
	add_ok(l, "banned", "10.0.0.1", 0);
	live_end(l);
	assert_string_equal(decides("10.0.0.1"), "banned");
	rim_apply_ok(ONE("web", "banned", "; size 300; timeout 2h"), "web", &r);
	l = live_begin(KERN_READ);
	assert_int_equal(set_named(l, "banned").size, 300);
	assert_int_equal(set_named(l, "banned").count, 1);
	live_end(l);
	assert_int_equal(rim_unload(BOX_PEER), 0);
	assert_string_equal(decides("10.0.0.1"), "banned");
	/* Another set instead: this one is forgotten, and empty when it comes back. */
	rim_apply_ok(ONE("web", "fresh", "; size 100"), "web", &r);
	assert_false(r.reloaded);
	l = live_begin(KERN_READ);
	assert_int_equal(set_named(l, "banned").id, ~0u);
	assert_int_equal(l->m.ctl->hosts, 0);
	live_end(l);
	rim_apply_ok(ONE("web", "banned", "; size 100"), "web", &r);
	assert_string_equal(decides("10.0.0.1"), "");
	/* No set at all. */
	rim_apply_ok(PLAIN, "web", &r);
	l = live_begin(KERN_READ);
	assert_int_equal(set_named(l, "banned").id, ~0u);
	live_end(l);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void what_does_not_go_live_brings_no_set(void **state)
{
	struct image img = box_compile(ONE("web", "banned", ""), "web");
	struct kern_change *c = NULL;
	struct kern_live *l = NULL;
	struct kern *k;

	rim_load_ok(BOX_IF, PLAIN, "web", NULL, NULL);
	k = rim_open(KERN_READ);
	assert_int_equal(kern_live_open(k, &l), -ENOENT);
	kern_close(k);
	k = rim_open(KERN_WRITE);
	assert_int_equal(kern_prepare(k, "web", &img, NULL, &c), 0);
	kern_change_free(c);
	kern_close(k);
	l = live_begin(KERN_READ);
	assert_int_equal(set_named(l, "banned").id, ~0u);
	live_end(l);
	image_fini(&img);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void a_namespace_has_eight_sets(void **state)
{
	char text[2048] = "", rules[1024] = "";

	for (int i = 0; i < 8; i++) {
		sprintf(text + strlen(text), "set s%d { type prefix; live; size 10 }\n", i);
		sprintf(rules + strlen(rules), "  drop from @s%d\n", i);
	}
	sprintf(text + strlen(text), "policy web {\n essentials off\n ingress default pass {\n%s }\n}\n", rules);
	rim_load_ok(BOX_IF, text, "web", NULL, NULL);
	assert_int_not_equal(rim_load(BOX_PEER, ONE("other", "more", "; size 10"), "other", NULL, NULL), 0);
	assert_non_null(strstr(rim_fail.text, "at most 8 live sets"));
	rim_load_ok(BOX_PEER, ONE("other", "s3", "; size 10"), "other", NULL, NULL);
	assert_int_equal(rim_unload(BOX_IF), 0);
	assert_int_equal(rim_unload(BOX_PEER), 0);
	rim_assert_nothing_left();
}

static void counters_of_elements_are_shown(void **state)
{
	struct kern_live *l;
	struct kern_element *v;
	size_t n;

	rim_load_ok(BOX_IF, ONE("web", "banned", "; counters; size 100"), "web", NULL, NULL);
	l = live_begin(KERN_WRITE);
	add_ok(l, "banned", "10.0.0.1", 0);
	add_ok(l, "banned", "10.0.0.2", 0);
	live_end(l);
	box_send_udp(BOX_PEER, 9, 7);
	for (int tries = 0; rim_rule_packets(FW_HOOK_XDP, "banned") < 7; tries++) {
		assert_true(tries < 500);
		usleep(10000);
	}
	l = live_begin(KERN_READ);
	assert_int_equal(kern_live_list(l, id_of(l, "banned"), &v, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(v[0].counter.packets, 7);
	assert_int_equal(v[1].counter.packets, 0);
	free(v);
	live_end(l);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

/* Three writers and a reader: nobody's element is lost. */
static void writers_take_turns(void **state)
{
	pid_t pids[4];
	struct kern_live *l;
	int status;

	rim_load_ok(BOX_IF, RULES(SETS), "web", NULL, NULL);
	fflush(NULL);
	for (int w = 0; w < 4; w++) {
		pids[w] = fork();
		if (!pids[w]) {
			for (int i = 0; i < 40; i++) {
				char text[32];

				snprintf(text, sizeof(text), "10.%d.%d.0/%d", w, i, i & 1 ? 24 : 28);
				l = live_begin(w < 3 ? KERN_WRITE : KERN_READ);
				if (w < 3)
					add_ok(l, "banned", text, 0);
				else
					listed(l, "banned");
				live_end(l);
			}
			_exit(0);
		}
	}
	for (int w = 0; w < 4; w++) {
		assert_int_equal(waitpid(pids[w], &status, 0), pids[w]);
		assert_int_equal(status, 0);
	}
	l = live_begin(KERN_READ);
	assert_int_equal(listed(l, "banned"), 120);
	live_end(l);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

/* Shown, not asserted: how long a million takes. */
static void a_million_elements_fit(void **state)
{
	size_t count = 1000000, n = 0;
	struct kern_element *v = calloc(count, sizeof(*v));
	struct kern_live *l;
	uint64_t start;

	rim_load_ok(BOX_IF, ONE("web", "banned", "; size 1000000"), "web", NULL, NULL);
	for (size_t i = 0; i < count; i++) {
		v[i] = (struct kern_element){.l3 = FW_L3_IPV4, .plen = 32};
		v[i].addr[0] = (uint32_t)(i * 2654435761u);
	}
	l = live_begin(KERN_WRITE);
	start = clock_now_ns();
	assert_int_equal(kern_live_add(l, id_of(l, "banned"), v, count, false, &n), 0);
	assert_int_equal(n, count);
	print_message("# a million added in %.2f s\n", (double)(clock_now_ns() - start) / 1e9);
	start = clock_now_ns();
	assert_int_equal(kern_live_replace(l, id_of(l, "banned"), v, count), 0);
	print_message("# and replaced in %.2f s\n", (double)(clock_now_ns() - start) / 1e9);
	assert_int_equal(set_named(l, "banned").count, count);
	live_end(l);
	start = clock_now_ns();
	l = live_begin(KERN_WRITE);
	v[0].addr[0] = htonl(0x01020304);
	assert_int_equal(kern_live_del(l, id_of(l, "banned"), v + 1, 1, &n), 0);
	assert_int_equal(kern_live_add(l, id_of(l, "banned"), v, 1, false, &n), 0);
	live_end(l);
	print_message("# one added beside them in %.2f ms\n", (double)(clock_now_ns() - start) / 1e6);
	start = clock_now_ns();
	assert_int_equal(rim_unload(BOX_IF), 0);
	print_message("# unloaded in %.2f s\n", (double)(clock_now_ns() - start) / 1e9);
	free(v);
	rim_assert_nothing_left();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bans_take_hold_at_once),
		cmocka_unit_test(sets_share_maps_and_not_members),
		cmocka_unit_test(elements_end_and_the_later_end_counts),
		cmocka_unit_test(a_full_set_says_so_and_reaps_first),
		cmocka_unit_test(lists_are_sorted_and_say_who_and_why),
		cmocka_unit_test(a_set_is_replaced_in_one_step),
		cmocka_unit_test(a_killed_replace_is_cleared_by_the_next_command),
		cmocka_unit_test(hosts_of_a_wide_set_are_networks),
		cmocka_unit_test(policies_share_a_set_and_the_last_takes_it_along),
		cmocka_unit_test(what_does_not_go_live_brings_no_set),
		cmocka_unit_test(a_namespace_has_eight_sets),
		cmocka_unit_test(counters_of_elements_are_shown),
		cmocka_unit_test(writers_take_turns),
		cmocka_unit_test(a_million_elements_fit),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	rim_enter("live");
	return cmocka_run_group_tests(tests, NULL, NULL);
}

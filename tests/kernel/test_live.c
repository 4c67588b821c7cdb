// SPDX-License-Identifier: GPL-2.0-only
/* Live sets: names of a namespace, elements that commands and rules add, and what becomes of both. */
#include "kernel/live.h"

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
		cmocka_unit_test(counters_of_elements_are_shown),
		cmocka_unit_test(writers_take_turns),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	rim_enter("live");
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/* How live sets come, are shared, grow and go. */
#include "kernel/live.h"

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

#define BANNED(policy, size) ONE(policy, "banned", "; counters; size " size)

/* A datagram from 10.0.0.1 into an interface is dropped by its policy. */
static void assert_drops(const char *ifname, const char *from_if)
{
	unsigned long before = box_rx_packets(ifname);
	struct kern_live *l = live_begin(KERN_READ);
	struct kern_element e = element("10.0.0.1", 0), now;

	assert_int_equal(kern_live_test(l, id_of(l, "banned"), e.l3, e.addr, &e), 0);
	box_send_udp(from_if, 9, 3);
	for (int tries = 0;; tries++) {
		assert_true(tries < 500);
		assert_int_equal(kern_live_test(l, id_of(l, "banned"), e.l3, e.addr, &now), 0);
		if (now.counter.packets == e.counter.packets + 3)
			break;
		usleep(10000);
	}
	assert_true(box_rx_packets(ifname) >= before + 3);
	live_end(l);
}

static void fill_some(void)
{
	struct kern_element *v = many(900, 0x14000000), e = element("10.0.0.1", 0);
	struct kern_live *l = live_begin(KERN_WRITE);
	size_t n;

	snprintf(e.reason, sizeof(e.reason), "knocked");
	assert_int_equal(kern_live_add(l, id_of(l, "banned"), &e, 1, false, &n), 0);
	assert_int_equal(kern_live_add(l, id_of(l, "banned"), v, 900, false, &n), 0);
	add_ok(l, "banned", "2001:db8::/20", 0);
	add_ok(l, "banned", "2001:db8::1", clock_now_ns() + HOUR);
	live_end(l);
	free(v);
}

static void assert_some(void)
{
	struct kern_live *l = live_begin(KERN_READ);
	struct kern_element e = element("10.0.0.1", 0);

	assert_int_equal(listed(l, "banned"), 903);
	assert_int_equal(set_named(l, "banned").count, 903);
	assert_int_equal(l->m.ctl->hosts, 602);
	assert_int_equal(l->m.ctl->prefixes, 301);
	assert_int_equal(l->m.ctl->wide6, 1);
	assert_int_equal(covered(l, "banned", "2001:db8::1"), 128);
	assert_int_equal(covered(l, "banned", "2001:db8::2"), 20);
	assert_int_equal(kern_live_test(l, id_of(l, "banned"), e.l3, e.addr, &e), 0);
	live_end(l);
	assert_drops(BOX_IF, BOX_PEER);
	assert_drops(BOX_PEER, BOX_IF);
}

static void sets_that_outgrow_their_maps_get_larger_ones(void **state)
{
	struct kern_element *v = many(150000, 0x20000000);
	struct kern_live *l;
	size_t n;

	rim_load_ok(BOX_IF, BANNED("web", "1000"), "web", NULL, NULL);
	rim_load_ok(BOX_PEER, BANNED("other", "1000"), "other", NULL, NULL);
	fill_some();
	rim_apply_ok(BANNED("web", "200000"), "web", NULL);
	assert_some();
	l = live_begin(KERN_WRITE);
	assert_int_equal(l->m.registry->capacity, 524288);
	assert_int_equal(kern_live_add(l, id_of(l, "banned"), v, 150000, false, &n), 0);
	assert_int_equal(n, 150000);
	live_end(l);
	assert_null(strstr(box_find(rim_bpffs), LIVEMAPS_NEXT));
	assert_int_equal(rim_state_count(), 2);
	free(v);
	assert_int_equal(rim_unload(BOX_IF), 0);
	assert_int_equal(rim_unload(BOX_PEER), 0);
	rim_assert_nothing_left();
}

/* Larger maps that were not finished, and those that are in place while programs ask the old ones. */
static void growth_that_was_killed_is_undone_or_finished(void **state)
{
	for (int swapped = 0; swapped < 2; swapped++) {
		struct live_maps old, next;
		struct kern *k;

		rim_load_ok(BOX_IF, BANNED("web", "1000"), "web", NULL, NULL);
		rim_load_ok(BOX_PEER, BANNED("other", "1000"), "other", NULL, NULL);
		fill_some();
		k = rim_open(KERN_WRITE);
		assert_int_equal(live_maps_make(k->ns, LIVEMAPS_NEXT, 1 << 18, &rim_fail, &next), 0);
		if (swapped) {
			assert_int_equal(live_maps_open(k->ns, true, &rim_fail, &old), 0);
			*next.registry = *old.registry;
			next.registry->capacity = 1 << 18;
			*next.ctl = *old.ctl;
			next.ctl->hosts = next.ctl->prefixes = next.ctl->wide6 = 0;
			for (int i = 0; i < FW_LIVE_PLACES; i++)
				next.ctl->at[i].count = 0;
			live_maps_close(&old);
			assert_int_equal(renameat2(k->ns, LIVEMAPS_NEXT, k->ns, LIVEMAPS_DIR, RENAME_EXCHANGE), 0);
		}
		live_maps_close(&next);
		kern_close(k);
		kern_close(rim_open(KERN_WRITE));
		assert_null(strstr(box_find(rim_bpffs), LIVEMAPS_NEXT));
		assert_some();
		assert_int_equal(rim_unload(BOX_IF), 0);
		assert_int_equal(rim_unload(BOX_PEER), 0);
		rim_assert_nothing_left();
	}
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
		cmocka_unit_test(policies_share_a_set_and_the_last_takes_it_along),
		cmocka_unit_test(what_does_not_go_live_brings_no_set),
		cmocka_unit_test(a_namespace_has_eight_sets),
		cmocka_unit_test(sets_that_outgrow_their_maps_get_larger_ones),
		cmocka_unit_test(growth_that_was_killed_is_undone_or_finished),
		cmocka_unit_test(a_million_elements_fit),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	rim_enter("live sets come and go");
	return cmocka_run_group_tests(tests, NULL, NULL);
}

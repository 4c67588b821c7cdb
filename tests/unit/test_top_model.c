// SPDX-License-Identifier: GPL-2.0-only
/* What `top` makes of two snapshots: rates of the right rule, whatever moved between them. */
#include "compile/compile.h"
#include "fwctl/top_draw.h"
#include "lang/lang.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND 1000000000ull
#define POLICY(rules) "policy web {\n essentials off\n ingress default drop {\n" rules " }\n}\n"
#define RULE(verdict, port) "  " verdict " port " #port " label \"p" #port "\"\n"

/* One interface with rules; snapshots of it. */
static struct image img;
static struct fw_counter count[4096];
static uint64_t last[4096];
static struct stat_hook hook;
static struct stat_policy policy;
static struct kern_set set;
static struct top_model m;

static void rules(const char *text, const struct fw_image *live, uint64_t generation)
{
	struct arena *arena = arena_new();
	struct compile_opts opts = { .no_warnings = true };
	struct ruleset *rs = NULL;
	struct image next = {};
	uint32_t nslots[FW_DIR_COUNT];
	struct diags d;

	diags_init(&d, arena);
	assert_int_equal(lang_parse(arena, "web.fw", text, strlen(text), NULL, &d, &rs), 0);
	assert_int_equal(compile_policy(ruleset_policy(rs, "web"), "web.fw", text, &d, &opts, &next), 0);
	assert_int_equal(image_assign_slots(&next, live, nslots), 0);
	image_hdr(&next)->generation = generation;
	image_fini(&img);
	img = next;
	diags_fini(&d);
	arena_free(arena);
}

static void begin(const char *text)
{
	rules(text, NULL, 1);
	memset(count, 0, sizeof(count));
	memset(last, 0, sizeof(last));
	hook = (struct stat_hook){ .name = "eth0", .ifindex = 7, .policy = "web", .hook = FW_HOOK_XDP, .attached = true };
	policy = (struct stat_policy){ .name = "web" };
	top_fini(&m);
}

static void snap(uint64_t seconds)
{
	struct stat_snap s = { .v = &hook, .n = 1, .policy = &policy, .npolicies = 1, .set = &set, .nsets = *set.name != 0,
			       .at_ns = seconds * SECOND, .real_ns = (1000000 + seconds) * SECOND };

	hook.image = image_hdr(&img);
	hook.generation = hook.image->generation;
	hook.counters = (struct kern_counters){ .v = count, .last_ns = last, .n = 4096 };
	assert_int_equal(top_feed(&m, &s, SNAP_ALL), 0);
}

static const struct top_rule *rule(const char *name)
{
	for (size_t i = 0; i < m.nrules; i++)
		if (!strcmp(m.rule[i].name, name))
			return &m.rule[i];
	return NULL;
}

/* Packets of 100 bytes. */
static void hit(const char *name, uint64_t packets, uint64_t at)
{
	uint32_t slot = rule(name)->slot;

	count[slot].packets += packets;
	count[slot].bytes += packets * 100;
	last[slot] = at * SECOND;
	hook.total.packets += packets;
	hook.total.bytes += packets * 100;
	hook.last_ns = at * SECOND;
}

static void rates_are_per_second(void **state)
{
	begin(POLICY(RULE("pass", 53) RULE("drop", 80)));
	snap(10);
	assert_false(rule("p53")->rate.known);
	hit("p53", 600, 11);
	snap(12);
	assert_true(rule("p53")->rate.known);
	assert_float_equal(rule("p53")->rate.packets, 300, 0.01);
	assert_float_equal(rule("p53")->rate.bits, 240000, 0.01);
	assert_float_equal(rule("p80")->rate.packets, 0, 0.01);
	assert_int_equal(rule("p53")->last_ns, 11 * SECOND);
	assert_string_equal(rule("p53")->place, "web.fw:4");
	assert_float_equal(top_total(&m).packets, 300, 0.01);
	snap(13);
	assert_float_equal(rule("p53")->rate.packets, 0, 0.01);
}

static void a_rule_is_known_by_its_name_not_its_slot(void **state)
{
	uint64_t tag;
	uint32_t slot;
	struct image old;

	begin(POLICY(RULE("pass", 53) RULE("drop", 80)));
	snap(1);
	hit("p53", 1000, 1);
	snap(2);
	tag = rule("p53")->tag;
	slot = rule("p53")->slot;
	/* Slots go the other way round: the numbers of p53 are elsewhere now, and go on. */
	old = img;
	img = (struct image){};
	rules(POLICY(RULE("drop", 80) RULE("pass", 7) RULE("pass", 53)), NULL, 2);
	image_fini(&old);
	memset(count, 0, sizeof(count));
	snap(3); /* counters went back: nothing is known */
	assert_int_not_equal(rule("p53")->slot, slot);
	assert_false(rule("p53")->rate.known);
	assert_int_equal(rule("p53")->tag, tag);
	assert_ptr_equal(top_rule_find(&m, tag), rule("p53"));
	assert_non_null(rule("p53")->ring);
	assert_int_equal(rule("p53")->ring->n, 1);
	count[rule("p53")->slot].packets = 5000;
	hit("p7", 50, 3);
	snap(4);
	assert_float_equal(rule("p53")->rate.packets, 5000, 0.01);
	assert_float_equal(rule("p7")->rate.packets, 50, 0.01);
	/* And it goes. */
	rules(POLICY(RULE("drop", 80)), NULL, 3);
	snap(5);
	assert_null(top_rule_find(&m, tag));
	assert_true(rule("p80")->rate.known);
}

static void nothing_is_left_of_what_is_gone(void **state)
{
	struct stat_snap none = { .at_ns = 9 * SECOND };

	begin(POLICY(RULE("pass", 53)));
	snap(1);
	assert_int_equal(top_feed(&m, &none, SNAP_ALL), 0);
	assert_int_equal(m.nhooks + m.nrules + m.npolicies, 0);
	snap(10);
	assert_false(rule("p53")->rate.known);
}

static void only_the_interfaces_asked_for(void **state)
{
	char *other[] = { (char *)"eth1" }, *mine[] = { (char *)"eth1", (char *)"eth0" };

	begin(POLICY(RULE("pass", 53)));
	m.only = other;
	m.nonly = 1;
	snap(1);
	assert_int_equal(m.nhooks + m.npolicies, 0);
	m.only = mine;
	m.nonly = 2;
	snap(2);
	assert_int_equal(m.nhooks, 1);
	m.nonly = 0;
}

static const char *order_of(enum top_sort sort, const char *filter)
{
	static char text[256];
	struct top_rows r = {};

	*text = '\0';
	assert_int_equal(top_rows(&m, TOP_RULES, sort, filter, &r), 0);
	for (size_t i = 0; i < r.n; i++) {
		strcat(text, i ? " " : "");
		strcat(text, r.v[i].name);
	}
	top_rows_fini(&r);
	return text;
}

static void lists_are_sorted_and_filtered(void **state)
{
	begin(POLICY(RULE("pass", 53) RULE("drop", 80) RULE("pass", 7) RULE("count", 9)));
	snap(1);
	hit("p80", 50, 1);
	hit("p7", 90, 1);
	snap(2);
	hit("p9", 10, 3);
	hit("p80", 20, 2);
	snap(3);
	assert_string_equal(order_of(TOP_SORT_ORDER, ""), "p53 p80 p7 p9");
	assert_string_equal(order_of(TOP_SORT_RATE, ""), "p80 p9 p7 p53");
	assert_string_equal(order_of(TOP_SORT_PACKETS, ""), "p7 p80 p9 p53");
	assert_string_equal(order_of(TOP_SORT_LAST, ""), "p9 p80 p7 p53");
	assert_string_equal(order_of(TOP_SORT_NAME, ""), "p53 p7 p80 p9");
	assert_string_equal(order_of(TOP_SORT_ORDER, "DROP"), "p80");
	assert_string_equal(order_of(TOP_SORT_ORDER, "web.fw:6"), "p7");
	assert_string_equal(order_of(TOP_SORT_ORDER, "eth0"), "p53 p80 p7 p9");
	assert_string_equal(order_of(TOP_SORT_ORDER, "nothing"), "");
}

static void names_cannot_drive_a_terminal(void **state)
{
	begin(POLICY("  pass port 53 label \"\x1b[2J\x9b" "31m\"\n"));
	strcpy(hook.name, "e\x1b]0;x\a");
	snap(1);
	assert_string_equal(m.rule[0].name, "\\x1b[2J\\x9b31m");
	assert_null(strchr(m.rule[0].text, '\x1b'));
	assert_string_equal(m.hook[0].shown, "e\\x1b]0;x\\x07");
}

static void columns_are_the_highest_of_their_samples(void **state)
{
	struct top_ring r = {};
	double v[8];

	assert_float_equal(top_ring_columns(&r, 8, 4, v), 0, 0);
	assert_float_equal(v[3], -1, 0);
	for (int i = 1; i <= 6; i++)
		top_ring_push(&r, i == 3 ? 9 : i);
	assert_float_equal(top_ring_columns(&r, 8, 4, v), 9, 0);
	assert_float_equal(v[0], -1, 0);
	assert_float_equal(v[1], 2, 0);
	assert_float_equal(v[2], 9, 0);
	assert_float_equal(v[3], 6, 0);
	/* One more sample begins a column; the others keep theirs. */
	top_ring_push(&r, 1);
	top_ring_columns(&r, 8, 4, v);
	assert_float_equal(v[1], 9, 0);
	assert_float_equal(v[2], 6, 0);
	assert_float_equal(v[3], 1, 0);
	/* What was overwritten is not shown. */
	for (int i = 0; i < TOP_SAMPLES; i++)
		top_ring_push(&r, 1);
	assert_float_equal(top_ring_columns(&r, 240, 8, v), 1, 0);
}

static void sets_are_hit_by_the_rules_that_name_them(void **state)
{
	assert_true(top_names_set("drop from @bad label \"x\"", "bad"));
	assert_true(top_names_set("pass from { @worse, @bad }", "bad"));
	assert_false(top_names_set("drop from @badder", "bad"));
	assert_false(top_names_set("drop from @ba", "bad"));
	assert_true(top_names_set("drop to @bad", "bad"));
	assert_false(top_names_set("pass label \"bad\"", "bad"));
	set = (struct kern_set){ .name = "bad", .size = 10, .count = 3 };
	begin("set bad { type prefix; live }\n" POLICY("  drop from @bad label \"bans\"\n" RULE("pass", 53)));
	snap(1);
	hit("bans", 30, 1);
	hit("p53", 10, 1);
	set.refused = 2;
	snap(2);
	assert_int_equal(m.nsets, 1);
	assert_float_equal(m.set[0].hit_rate.packets, 30, 0.01);
	assert_true(m.set[0].refusing);
	snap(3);
	assert_false(m.set[0].refusing);
	set = (struct kern_set){};
}

static void numbers_are_short(void **state)
{
	static const struct {
		double v;
		const char *text;
	} cases[] = { { -1, "-" },	{ 0, "0" },	   { 0.25, "0.2" }, { 3, "3" },		{ 9.96, "10" },	 { 999, "999" },
		      { 999.6, "1.0k" }, { 1234, "1.2k" }, { 99949, "99.9k" }, { 99960, "100k" }, { 999400, "999k" }, { 1e6, "1.0M" },
		      { 1.5e9, "1.5G" }, { 1e18, "1000P" } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(top_si(cases[i].v), cases[i].text);
}

static void the_busiest_senders_are_kept(void **state)
{
	struct top_source best[3];
	struct top_sources s;
	uint32_t a[4] = {};

	assert_int_equal(top_sources_init(&s), 0);
	for (uint32_t i = 1; i <= 10; i++) {
		a[0] = i;
		for (uint32_t n = 0; n < (i == 4 ? 3 : 1); n++)
			top_sources_add(&s, FW_L3_IPV4, a, i);
	}
	assert_int_equal(top_sources_best(&s, best, 3), 3);
	assert_int_equal(best[0].addr[0], 4);
	assert_int_equal(best[0].packets, 12);
	assert_int_equal(best[0].n, 3);
	assert_int_equal(best[1].addr[0], 10);
	assert_int_equal(best[2].addr[0], 9);
	/* The same bytes are another address in the other family. */
	top_sources_add(&s, FW_L3_IPV6, a, 100);
	top_sources_best(&s, best, 3);
	assert_int_equal(best[0].l3, FW_L3_IPV6);
	/* A flood of addresses is counted, and takes no more room. */
	for (uint32_t i = 100; i < 100000; i++) {
		a[0] = i;
		top_sources_add(&s, FW_L3_IPV4, a, 1);
	}
	assert_true(s.used < TOP_SOURCES && s.others > 90000);
	assert_int_equal(top_sources_best(&s, best, 3), 3);
	assert_int_equal(best[0].packets, 100);
	top_sources_fini(&s);
}

/* Every view in every size: nothing is written beside the grid (the sanitizer watches), and a small one says what it needs. */
static void every_size_is_drawn(void **state)
{
	static const char *const words[] = { "eth0", "bans", "eth0", "10 of 10", "NEARLY FULL", "drop from @bad" };
	static struct top_ui ui;
	struct top_grid g = {};
	struct str text = {};

	set = (struct kern_set){ .name = "bad", .size = 10, .count = 10, .refused = 1 };
	begin("set bad { type prefix; live }\n" POLICY("  drop from @bad label \"bans\"\n" RULE("pass", 53) RULE("reject", 9)));
	policy.tracks = policy.logs = true;
	policy.room = (struct kern_flow_room){ 100, 95, 10, 1 };
	snap(1);
	hit("bans", 30, 1);
	snap(2);
	for (int rows = 1; rows <= 60; rows++) {
		for (int cols = 1; cols <= 200; cols += cols < 20 ? 1 : 9) {
			for (unsigned int v = 0; v <= TOP_VIEWS; v++) {
				ui.view = v < TOP_VIEWS ? (enum top_view)v : TOP_RULES;
				ui.drill = (struct top_drill){ .on = v == TOP_VIEWS, .tag = rule("bans")->tag, .tracks = true };
				assert_int_equal(grid_size(&g, rows, cols), 0);
				assert_int_equal(top_refresh(&m, &ui), 0);
				ui.selected = ui.rows.n - 1;
				top_draw(&m, &ui, &g);
				str_reset(&text);
				grid_text(&g, &text);
				if (rows * cols > 60 && (rows < TOP_MIN_ROWS || cols < TOP_MIN_COLS) && cols > 40)
					assert_non_null(strstr(str_get(&text), "needs 60x10"));
				else if (rows >= 24 && cols >= 80)
					assert_non_null(strstr(str_get(&text), words[v]));
			}
		}
	}
	top_rows_fini(&ui.rows);
	grid_fini(&g);
	str_fini(&text);
	set = (struct kern_set){};
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_are_per_second),
		cmocka_unit_test(a_rule_is_known_by_its_name_not_its_slot),
		cmocka_unit_test(nothing_is_left_of_what_is_gone),
		cmocka_unit_test(only_the_interfaces_asked_for),
		cmocka_unit_test(lists_are_sorted_and_filtered),
		cmocka_unit_test(names_cannot_drive_a_terminal),
		cmocka_unit_test(columns_are_the_highest_of_their_samples),
		cmocka_unit_test(sets_are_hit_by_the_rules_that_name_them),
		cmocka_unit_test(numbers_are_short),
		cmocka_unit_test(the_busiest_senders_are_kept),
		cmocka_unit_test(every_size_is_drawn),
	};
	int failed;

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	top_fini(&m);
	image_fini(&img);
	return failed;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A generation is asked before it goes live, by twins that stay with the policy; and no more of it is written than is new.
 */
#include "harness/rim.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define IN(verdict) "policy web {\n essentials off\n ingress default " verdict " { }\n}\n"
#define BOTH(verdict) "policy web {\n essentials off\n ingress default " verdict " { }\n egress default " verdict " { }\n}\n"

/* Who asks: which hooks, and what their twins said of one packet. */
struct asker {
	unsigned int hooks;
	struct fw_trace said;
	uint32_t prog_id; /* of the last twin */
	bool had_live;
	int answer;
};

static uint32_t prog_id(int fd)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &len), 0);
	return info.id;
}

static int ask(void *ctx, struct kern_twin *twin, enum fw_hook hook, const struct fw_image *live)
{
	struct asker *a = ctx;
	uint8_t frame[60];

	box_udp_frame(frame, 9);
	a->hooks |= 1u << hook;
	a->had_live = live != NULL;
	a->prog_id = prog_id(kern_twin_prog_fd(twin));
	assert_int_equal(kern_twin_run(twin, frame, sizeof(frame), 0, &a->said), 0);
	return a->answer;
}

static int load(const char *ifname, const char *text, struct kern_load_opts opts, struct asker *a)
{
	const struct kern_verify verify = {ask, a};
	int answer = a->answer;

	*a = (struct asker){.answer = answer};
	opts.verify = &verify;
	return rim_load(ifname, text, "web", &opts, NULL);
}

static int apply_image(struct image *img, struct asker *a, struct kern_report *r)
{
	const struct kern_verify verify = {ask, a};
	struct kern *k = rim_open(KERN_WRITE);
	struct kern_change *c = NULL;
	int err, answer = a->answer;

	*a = (struct asker){.answer = answer};
	err = kern_prepare(k, "web", img, &verify, &c);
	err = err ?: kern_commit(c, r);
	kern_change_free(c);
	kern_close(k);
	return err;
}

static int apply(const char *text, struct asker *a, struct kern_report *r)
{
	struct image img = box_compile(text, "web");
	int err = apply_image(&img, a, r);

	image_fini(&img);
	return err;
}

static uint32_t pinned_id(const char *word)
{
	int fd = bpf_obj_get(rim_pin(word));
	uint32_t id = prog_id(fd);

	close(fd);
	return id;
}

static size_t pins_with(const char *word)
{
	size_t n = 0;

	for (const char *at = box_find(rim_bpffs); (at = strstr(at, word)); at++)
		n++;
	return n;
}

static void the_generation_that_is_not_live_is_asked(void **state)
{
	struct kern_report r;
	struct asker a = {};
	uint32_t id;

	assert_int_equal(load(BOX_IF, IN("drop"), (struct kern_load_opts){}, &a), 0);
	assert_int_equal(a.hooks, 1u << FW_HOOK_XDP);
	assert_false(a.had_live);
	assert_int_equal(a.said.verdict, FW_VERDICT_DROP);
	assert_int_equal(pins_with("_twin_"), 1);
	id = pinned_id("xdp_twin_");
	assert_int_equal(a.prog_id, id);
	for (unsigned int g = 2; g < 6; g++) {
		const char *text = g & 1 ? IN("drop") : IN("pass");

		assert_int_equal(apply(text, &a, &r), 0);
		assert_int_equal(a.hooks, 1u << FW_HOOK_XDP);
		assert_true(a.had_live);
		assert_int_equal(a.said.generation, g);
		assert_int_equal(a.said.verdict, g & 1 ? FW_VERDICT_DROP : FW_VERDICT_PASS);
		/* The same program each time: none was loaded. */
		assert_int_equal(a.prog_id, id);
		assert_int_equal(rim_verdict("web", FW_HOOK_XDP, 9), a.said.verdict);
	}
	/* The twin has counters of its own. */
	assert_int_equal(rim_all_packets(FW_HOOK_XDP), 0);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void every_kind_of_hook_is_asked(void **state)
{
	struct kern_report r;
	struct asker a = {};

	assert_int_equal(load(BOX_IF, BOTH("drop"), (struct kern_load_opts){}, &a), 0);
	assert_int_equal(a.hooks, 1u << FW_HOOK_XDP | 1u << FW_HOOK_TC_EGRESS);
	/* What another interface has proved is not asked again. */
	assert_int_equal(load(BOX_PEER, BOTH("drop"), (struct kern_load_opts){.where = KERN_HOOK_TC}, &a), 0);
	assert_int_equal(a.hooks, 1u << FW_HOOK_TC_INGRESS);
	assert_int_equal(pins_with("_twin_"), 3);
	assert_int_equal(apply(BOTH("pass"), &a, &r), 0);
	assert_int_equal(a.hooks, 1u << FW_HOOK_XDP | 1u << FW_HOOK_TC_INGRESS | 1u << FW_HOOK_TC_EGRESS);
	assert_int_equal(apply(IN("pass"), &a, &r), 0);
	assert_int_equal(a.hooks, 1u << FW_HOOK_XDP | 1u << FW_HOOK_TC_INGRESS);
	/* Another policy gets twins of its own, and the old ones go with theirs. */
	assert_int_equal(rim_unload(BOX_PEER), 0);
	rim_load_ok(BOX_IF, "policy second {\n ingress default drop { }\n}\n", "second", NULL, NULL);
	assert_int_equal(pins_with("_twin_"), 0);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void what_is_refused_does_not_go_live(void **state)
{
	struct kern_report r = {};
	struct asker a = {};
	uint32_t id;

	a.answer = -ECANCELED;
	assert_int_equal(load(BOX_IF, IN("drop"), (struct kern_load_opts){}, &a), -ECANCELED);
	assert_int_equal(box_xdp_id(BOX_IF), 0);
	rim_assert_nothing_left();

	a.answer = 0;
	assert_int_equal(load(BOX_IF, IN("drop"), (struct kern_load_opts){}, &a), 0);
	id = box_xdp_id(BOX_IF);
	a.answer = -ECANCELED;
	for (int i = 0; i < 3; i++) {
		struct image img = box_many("web", 2000, 1000);

		assert_int_equal(apply(i & 1 ? IN("pass") : BOTH("pass"), &a, &r), -ECANCELED);
		assert_int_equal(a.said.verdict, FW_VERDICT_PASS);
		assert_int_equal(rim_verdict("web", FW_HOOK_XDP, 9), FW_VERDICT_DROP);
		assert_int_equal(rim_state_one().generation, 1);
		/* No hook came, and none was touched, be it for larger tables. */
		assert_int_equal(apply_image(&img, &a, &r), -ECANCELED);
		image_fini(&img);
		assert_int_equal(rim_state_one().nhooks, 1);
		assert_int_equal(rim_state_one().ndegraded, 0);
		assert_int_equal(box_xdp_id(BOX_IF), id);
	}
	a.answer = 0;
	assert_int_equal(apply(BOTH("pass"), &a, &r), 0);
	assert_int_equal(r.generation, 2);
	assert_int_equal(rim_verdict("web", FW_HOOK_XDP, 9), FW_VERDICT_PASS);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void a_change_that_is_let_go_leaves_no_trace(void **state)
{
	struct image img = box_compile(IN("pass"), "web");
	struct kern_change *c = NULL;
	struct kern_report r;
	struct kern *k;

	rim_load_ok(BOX_IF, IN("drop"), "web", NULL, NULL);
	k = rim_open(KERN_WRITE);
	assert_int_equal(kern_prepare(k, "web", &img, NULL, &c), 0);
	kern_change_free(c);
	kern_close(k);
	assert_int_equal(rim_verdict("web", FW_HOOK_XDP, 9), FW_VERDICT_DROP);
	assert_int_equal(rim_state_one().generation, 1);
	assert_int_equal(rim_apply_image(&img, "web", &r), 0);
	image_fini(&img);
	assert_int_equal(rim_verdict("web", FW_HOOK_XDP, 9), FW_VERDICT_PASS);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

/* Another build has another sum in the names of its pins. */
static void a_twin_of_another_build_is_replaced(void **state)
{
	static const char *const words[] = {"xdp_ask_", "xdp_said_", "xdp_twin_"};
	struct kern_report r;
	struct asker a = {};
	uint32_t id;

	assert_int_equal(load(BOX_IF, IN("drop"), (struct kern_load_opts){}, &a), 0);
	id = pinned_id("xdp_twin_");
	for (int i = 0; i < 3; i++) {
		char from[512], to[512];

		snprintf(from, sizeof(from), "%s", rim_pin(words[i]));
		snprintf(to, sizeof(to), "%.*s0123456789abcdef", (int)strlen(from) - 16, from);
		assert_int_equal(rename(from, to), 0);
	}
	assert_int_equal(apply(IN("pass"), &a, &r), 0);
	assert_int_not_equal(a.prog_id, id);
	assert_int_equal(pins_with("_twin_"), 1);
	assert_int_equal(pins_with("0123456789abcdef"), 0);
	assert_int_equal(pinned_id("xdp_twin_"), a.prog_id);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void half_a_twin_or_a_foreign_one_is_replaced(void **state)
{
	static const struct bpf_insn insns[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 2}, {.code = BPF_JMP | BPF_EXIT}};
	static const char *const words[] = {"xdp_ask_", "xdp_said_", "xdp_twin_"};
	int foreign = bpf_prog_load(BPF_PROG_TYPE_XDP, "fwctl_xdp", "GPL", insns, 2, NULL);
	struct kern_report r;
	struct asker a = {};

	assert_true(foreign >= 0);
	assert_int_equal(load(BOX_IF, IN("drop"), (struct kern_load_opts){}, &a), 0);
	for (int i = 0; i < 6; i++) {
		char path[512];

		snprintf(path, sizeof(path), "%s", rim_pin(words[i % 3]));
		assert_int_equal(unlink(path), 0);
		if (i > 2)
			assert_int_equal(bpf_obj_pin(foreign, path), 0);
		assert_int_equal(rim_verdict("web", FW_HOOK_XDP, 9), i & 1 ? FW_VERDICT_PASS : FW_VERDICT_DROP);
		assert_int_equal(apply(i & 1 ? IN("drop") : IN("pass"), &a, &r), 0);
		assert_int_equal(a.said.verdict, i & 1 ? FW_VERDICT_DROP : FW_VERDICT_PASS);
		assert_int_equal(pinned_id("xdp_twin_"), a.prog_id);
		assert_int_equal(pins_with("xdp_"), 3 + 2);
	}
	close(foreign);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void twins_follow_slots_that_grow(void **state)
{
	struct kern_report r;
	struct asker a = {};
	uint32_t id;

	assert_int_equal(load(BOX_IF, IN("drop"), (struct kern_load_opts){}, &a), 0);
	id = a.prog_id;
	for (size_t n = 4000; n <= 16000; n *= 2) {
		struct image img = box_many("web", n, 1000);

		assert_int_equal(apply_image(&img, &a, &r), 0);
		image_fini(&img);
		assert_true(r.reloaded);
		assert_int_not_equal(a.prog_id, id);
		id = a.prog_id;
		assert_int_equal(a.said.verdict, FW_VERDICT_DROP);
		assert_int_equal(pins_with("_twin_"), 1);
		assert_int_equal(pinned_id("xdp_twin_"), id);
		assert_int_equal(rim_verdict("web", FW_HOOK_XDP, 1000), FW_VERDICT_PASS);
	}
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

/* Answers stand in one place, so a twin belongs to one at a time. */
static void two_who_ask_at_once_get_two_twins(void **state)
{
	struct kern_twin *t[2] = {};
	struct asker a = {};
	struct fw_trace said;
	uint8_t frame[60];

	box_udp_frame(frame, 9);
	assert_int_equal(load(BOX_IF, IN("drop"), (struct kern_load_opts){}, &a), 0);
	for (int i = 0; i < 2; i++) {
		struct kern *k = rim_open(KERN_READ);

		assert_int_equal(kern_twin_open(k, "web", FW_HOOK_XDP, &t[i]), 0);
		kern_close(k);
	}
	assert_int_equal(prog_id(kern_twin_prog_fd(t[0])), a.prog_id);
	assert_int_not_equal(prog_id(kern_twin_prog_fd(t[1])), a.prog_id);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(kern_twin_run(t[i & 1], frame, sizeof(frame), 0, &said), 0);
		assert_int_equal(said.verdict, FW_VERDICT_DROP);
	}
	for (int i = 0; i < 2; i++)
		kern_twin_close(t[i]);
	/* A reader pins nothing. */
	assert_int_equal(pins_with("_twin_"), 1);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

/* Rule texts that differ in the port of one rule in the middle. */
static struct image edited(unsigned int port)
{
	struct str text = {};
	struct image img;

	str_add(&text, "policy web {\n essentials off\n ingress default drop {\n");
	for (int i = 0; i < 3000; i++)
		str_addf(&text, "  pass proto udp from 10.%d.%d.0/24 to port %u label \"r%d\"\n", i / 250, i % 250,
			 i == 1500 ? port : 1000u, i);
	str_add(&text, " }\n}\n");
	img = box_compile(str_get(&text), "web");
	str_fini(&text);
	return img;
}

static void only_what_changed_is_written(void **state)
{
	struct kern_report r;

	rim_load_ok(BOX_IF, IN("drop"), "web", NULL, NULL);
	for (unsigned int i = 0; i < 8; i++) {
		struct image img = edited(2000 + i), live;
		struct kern *k;

		assert_int_equal(rim_apply_image(&img, "web", &r), 0);
		/* Both slots have held such rules from the third time on. */
		if (i < 2)
			assert_true(r.written > img.len / 8);
		else
			assert_in_range(r.written, 4096, 64 << 10);
		assert_true(img.len > 256 << 10);
		k = rim_open(KERN_READ);
		assert_int_equal(kern_image(k, "web", &live), 0);
		kern_close(k);
		/* All of it is there, whatever was written. */
		assert_int_equal(live.len, img.len);
		image_hdr(&live)->generation = 0;
		assert_memory_equal(live.data, img.data, img.len);
		image_fini(&live);
		image_fini(&img);
	}
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_generation_that_is_not_live_is_asked),
		cmocka_unit_test(every_kind_of_hook_is_asked),
		cmocka_unit_test(what_is_refused_does_not_go_live),
		cmocka_unit_test(a_change_that_is_let_go_leaves_no_trace),
		cmocka_unit_test(a_twin_of_another_build_is_replaced),
		cmocka_unit_test(half_a_twin_or_a_foreign_one_is_replaced),
		cmocka_unit_test(twins_follow_slots_that_grow),
		cmocka_unit_test(two_who_ask_at_once_get_two_twins),
		cmocka_unit_test(only_what_changed_is_written),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	rim_enter("prove");
	return cmocka_run_group_tests(tests, NULL, NULL);
}

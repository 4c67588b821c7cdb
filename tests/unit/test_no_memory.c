// SPDX-License-Identifier: GPL-2.0-only
/* An arena that runs dry after so many calls takes the place of the real one: every caller must notice, say -ENOMEM and
 * leak nothing. */
#include "base/arena.h"
#include "base/diag.h"
#include "base/vec.h"
#include "model/set.h"
#include "model/track.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Replaces the members of libfw.a that have these functions. */
struct arena {
	void *block[64];
	size_t n;
};
static long left; /* allocations that still succeed */

struct arena *arena_new(void)
{
	return calloc(1, sizeof(struct arena));
}

void arena_free(struct arena *a)
{
	for (size_t i = 0; a && i < a->n; i++)
		free(a->block[i]);
	free(a);
}

void *arena_alloc(struct arena *a, size_t size)
{
	if (left-- <= 0 || a->n == 64)
		return NULL;
	return a->block[a->n++] = calloc(1, size ? size : 1);
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	return arena_alloc(a, n * size);
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *copy = arena_alloc(a, len + 1);

	if (copy)
		memcpy(copy, s, len);
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

int vec_reserve_raw(void **v, size_t *cap, size_t n, size_t size)
{
	void *p;

	if (n <= *cap)
		return 0;
	if (left-- <= 0)
		return -ENOMEM;
	p = realloc(*v, 2 * n * size);
	if (!p)
		return -ENOMEM;
	*v = p;
	*cap = 2 * n;
	return 0;
}

static void value_sets(void **state)
{
	struct range r = {1, 2};

	for (long allowed = 0;; allowed++) {
		struct arena *a = arena_new();
		struct vset *s = NULL, *not = NULL;
		int err;

		left = allowed;
		err = vset_build(a, &r, 1, &s);
		if (!err)
			err = vset_invert(a, s, 255, &not );
		if (err) {
			assert_int_equal(err, -ENOMEM);
			assert_null(not );
		}
		arena_free(a);
		if (!err) {
			assert_int_equal(allowed, 4);
			break;
		}
	}
}

static void address_sets(void **state)
{
	for (long allowed = 0;; allowed++) {
		struct arena *a = arena_new();
		struct aset_builder b = {.arena = a};
		struct aset *s = NULL, *not = NULL;
		int err;

		left = allowed;
		err = aset_add4(&b, 1, 2);
		if (!err)
			err = aset_add6(&b, 1, 2);
		if (!err) {
			err = aset_build(&b, &s);
			assert_null(b.v4); /* empty afterwards, in either case */
			assert_null(b.v6);
		}
		if (!err)
			err = aset_invert(a, s, &not );
		if (err) {
			assert_int_equal(err, -ENOMEM);
			assert_null(not );
		}
		aset_builder_fini(&b);
		arena_free(a);
		if (!err) {
			assert_int_equal(allowed, 8);
			break;
		}
	}
}

static void states_of_rules(void **state)
{
	for (long allowed = 0;; allowed++) {
		struct rule r = {.verdict = VERDICT_PASS, .keep_state = true, .text = "r"};
		struct policy p = {.chain = {{.present = true, .rules = &r, .nrules = 1}}};
		struct arena *a = arena_new();
		int err;

		left = allowed;
		err = policy_track(&p, a);
		assert_true(err ? err == -ENOMEM && !r.value[FIELD_STATE] : r.value[FIELD_STATE] != NULL);
		arena_free(a);
		if (!err) {
			assert_int_equal(allowed, 4);
			break;
		}
	}
}

/* A packet that opens a flow and takes of a limit, and the next one, which is over. Without memory nothing is opened or banned. */
static void the_oracle_of_flows(void **state)
{
	static const struct limit limit = {.count = 1, .period_ns = 1000000000, .burst = 1};
	static const struct named_set jail = {.name = "jail"};
	static const struct packet_spec spec[2] = {
		{.family = FAMILY_IPV4, .protocol = 17, .src = 1, .dst = 2, .has_ports = true, .sport = 1, .dport = 1},
		{.family = FAMILY_IPV4, .protocol = 17, .src = 1, .dst = 2, .has_ports = true, .sport = 2, .dport = 1}};
	struct rule r = {.verdict = VERDICT_PASS, .families = 6, .keep_state = true, .limit = &limit, .max_conn = 1,
			 .over = {.ban = &jail}, .text = "r"};
	struct policy p = {.chain = {{.present = true, .rules = &r, .nrules = 1}}, .track = true};

	state_opts_default(&p.state);
	for (long allowed = 0;; allowed++) {
		struct track *t = track_new(1);
		struct eval_result got;
		int err = 0;

		assert_non_null(t);
		left = allowed;
		for (int i = 0; i < 2 && !err; i++) {
			uint8_t frame[100];
			long len = packet_build(&spec[i], frame, sizeof(frame));

			err = track_frame(t, &p, DIRECTION_INGRESS, frame, (size_t)len, NULL, NULL, NULL, &got);
			if (!i)
				assert_int_equal(track_flows(t), !err);
		}
		assert_int_equal(track_set_has(t, &jail, FAMILY_IPV4, 1), !err);
		track_free(t);
		if (!err) {
			assert_true(allowed >= 4); /* the rule's name, bucket, flow; the set's name or the set, its element */
			break;
		}
		assert_int_equal(err, -ENOMEM);
	}
}

static void diagnostics_are_still_counted(void **state)
{
	struct arena *a = arena_new();
	struct diags d;
	struct diag *g;

	diags_init(&d, a);
	left = 0; /* not even the table */
	g = diag_add(&d, DIAG_ERROR, (struct span){}, "first");
	assert_non_null(g);
	diag_hint(&d, g, "hint");
	assert_int_equal(d.errors, 1);
	assert_int_equal(d.n, 0);
	assert_true(d.truncated);
	left = 1; /* the table, and no text */
	g = diag_add(&d, DIAG_ERROR, (struct span){}, "second");
	assert_int_equal(d.n, 1);
	assert_string_equal(g->text, "out of memory");
	assert_int_equal(d.errors, 2);
	diags_fini(&d);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(value_sets),
		cmocka_unit_test(address_sets),
		cmocka_unit_test(states_of_rules),
		cmocka_unit_test(the_oracle_of_flows),
		cmocka_unit_test(diagnostics_are_still_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/* Readers of rings that nobody empties: whatever the writer does meanwhile, what is read and what is lost is all that was written. */
#include "kern/ring.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE 16u
#define CPUS 2u

static struct fw_event cells[CPUS * SIZE];
static struct fw_event_cpu cpus[CPUS];

/* As the datapath writes, in its two halves. */
static struct fw_event *begin(uint32_t cpu)
{
	uint64_t n = __atomic_fetch_add(&cpus[cpu].head, 1, __ATOMIC_SEQ_CST);
	struct fw_event *e = &cells[cpu * SIZE + n % SIZE];

	__atomic_exchange_n(&e->number, 0, __ATOMIC_SEQ_CST);
	return e;
}

static void finish(uint32_t cpu, struct fw_event *e, uint64_t n)
{
	volatile uint64_t *at = (volatile uint64_t *)e;

	/* Each word tells which event it is of. */
	for (size_t i = 1; i < sizeof(*e) / 8; i++)
		at[i] = n * 1000 + i;
	__atomic_exchange_n(&e->number, n + 1, __ATOMIC_SEQ_CST);
}

static void put(uint32_t cpu)
{
	uint64_t n = cpus[cpu].head;

	finish(cpu, begin(cpu), n);
}

static struct ring ring_of(bool held)
{
	struct ring r = {.cells = (const uint8_t *)cells, .stride = sizeof(*cells), .cpu = cpus, .cpus = CPUS, .size = SIZE};

	assert_int_equal(ring_start(&r, held), 0);
	return r;
}

static int fresh(void **state)
{
	memset(cells, 0, sizeof(cells));
	memset(cpus, 0, sizeof(cpus));
	return 0;
}

/* One event: its number, or -1 when there is none. */
static int64_t take(struct ring *r, uint32_t cpu, uint64_t *lost)
{
	const struct fw_event *cell = ring_peek(r, cpu, ring_head(r, cpu), lost);
	struct fw_event copy;

	if (!cell)
		return -1;
	memcpy(&copy, cell, sizeof(copy));
	if (!ring_took(r, cpu, cell, lost))
		return -1;
	for (size_t i = 1; i < sizeof(copy) / 8; i++)
		assert_int_equal(((uint64_t *)&copy)[i], (copy.number - 1) * 1000 + i);
	return (int64_t)copy.number - 1;
}

static void a_reader_begins_where_it_asks_to(void **state)
{
	struct ring held, next, late;
	uint64_t lost = 0;

	put(0), put(0);
	held = ring_of(true);
	next = ring_of(false);
	for (unsigned int i = 0; i < SIZE; i++)
		put(1);
	late = ring_of(true);
	assert_int_equal(take(&held, 0, &lost), 0);
	assert_int_equal(take(&held, 0, &lost), 1);
	assert_int_equal(take(&held, 0, &lost), -1);
	assert_int_equal(take(&next, 0, &lost), -1);
	put(0);
	assert_int_equal(take(&next, 0, &lost), 2);
	/* Readers take nothing from one another. */
	assert_int_equal(take(&held, 0, &lost), 2);
	assert_int_equal(take(&late, 0, &lost), 0);
	/* A ring that has gone round: from the oldest that is there. What was gone before is not lost to it. */
	assert_int_equal(take(&late, 1, &lost), 0);
	put(1);
	ring_fini(&late);
	late = ring_of(true);
	assert_int_equal(take(&late, 1, &lost), 1);
	assert_int_equal(lost, 0);
	ring_fini(&held), ring_fini(&next), ring_fini(&late);
}

static void an_event_being_written_is_waited_for(void **state)
{
	struct ring r = ring_of(true);
	struct fw_event *e = begin(0);
	uint64_t lost = 0;

	put(0); /* the writer was interrupted by another */
	assert_int_equal(take(&r, 0, &lost), -1);
	assert_int_equal(take(&r, 0, &lost), -1);
	finish(0, e, 0);
	assert_int_equal(take(&r, 0, &lost), 0);
	assert_int_equal(take(&r, 0, &lost), 1);
	assert_int_equal(lost, 0);
	/* Of an old round, and not begun. */
	for (unsigned int i = 2; i < SIZE; i++)
		put(0);
	while (take(&r, 0, &lost) >= 0)
		;
	__atomic_fetch_add(&cpus[0].head, 1, __ATOMIC_SEQ_CST);
	assert_int_equal(take(&r, 0, &lost), -1);
	finish(0, &cells[0], SIZE);
	assert_int_equal(take(&r, 0, &lost), SIZE);
	assert_int_equal(lost, 0);
	ring_fini(&r);
}

static void what_was_overwritten_is_counted(void **state)
{
	struct ring r = ring_of(true);
	struct fw_event *e;
	uint64_t lost = 0;

	for (unsigned int i = 0; i < SIZE + 5; i++)
		put(0);
	assert_int_equal(take(&r, 0, &lost), 5);
	assert_int_equal(lost, 5);
	/* Of the event that is overwritten just now nothing is left, though its successor is not there. */
	e = begin(0);
	assert_int_equal(take(&r, 0, &lost), 6);
	assert_int_equal(lost, 5);
	finish(0, e, SIZE + 5);
	for (unsigned int i = 0; i < 2; i++)
		e = begin(0);
	assert_int_equal(take(&r, 0, &lost), 8);
	assert_int_equal(lost, 6);
	ring_fini(&r);
}

static void what_changes_while_it_is_copied_is_lost(void **state)
{
	struct ring r = ring_of(true);
	const struct fw_event *cell;
	uint64_t lost = 0;

	put(0), put(0);
	cell = ring_peek(&r, 0, 2, &lost);
	assert_ptr_equal(cell, &cells[0]);
	for (unsigned int i = 2; i <= SIZE; i++)
		put(0);
	assert_false(ring_took(&r, 0, cell, &lost));
	assert_int_equal(lost, 1);
	cell = ring_peek(&r, 0, SIZE + 1, &lost);
	assert_ptr_equal(cell, &cells[1]);
	begin(0);
	assert_false(ring_took(&r, 0, cell, &lost));
	assert_int_equal(lost, 2);
	assert_int_equal(take(&r, 0, &lost), 2);
	ring_fini(&r);
}

#define MANY 2000000u
static bool ended;
static void *write_many(void *arg)
{
	for (unsigned int i = 0; i < MANY; i++)
		put(*(uint32_t *)arg);
	__atomic_store_n(&ended, true, __ATOMIC_RELEASE);
	return NULL;
}

static void a_race_with_the_writer_loses_nothing_uncounted(void **state)
{
	uint32_t cpu = 1;
	struct ring r = ring_of(true);
	uint64_t lost = 0, got = 0;
	int64_t last = -1;
	pthread_t writer;
	bool end;

	ended = false;
	assert_int_equal(pthread_create(&writer, NULL, write_many, &cpu), 0);
	do {
		int64_t n;

		end = __atomic_load_n(&ended, __ATOMIC_ACQUIRE);
		while ((n = take(&r, cpu, &lost)) >= 0) {
			assert_true(n > last);
			last = n;
			got++;
		}
	} while (!end || r.at[cpu] < MANY);
	pthread_join(writer, NULL);
	assert_int_equal(got + lost, MANY);
	assert_int_equal(last, MANY - 1);
	ring_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_reader_begins_where_it_asks_to, fresh),
		cmocka_unit_test_setup(an_event_being_written_is_waited_for, fresh),
		cmocka_unit_test_setup(what_was_overwritten_is_counted, fresh),
		cmocka_unit_test_setup(what_changes_while_it_is_copied_is_lost, fresh),
		cmocka_unit_test_setup(a_race_with_the_writer_loses_nothing_uncounted, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/* A stream whose reader is slow: what is pending when a signal comes. */
#include "fwctl/sink.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define BYTES (1u << 20) /* more than a pipe holds */

static void *read_late(void *arg)
{
	static char buf[65536];
	size_t *n = arg, got = 0;
	ssize_t k;

	nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	while ((k = read((int)n[0], buf, sizeof(buf))) > 0)
		got += (size_t)k;
	n[1] = got;
	return NULL;
}

static void pending_make(struct sink *s, int fd)
{
	sink_init(s, fd, -1);
	for (size_t i = 0; i < BYTES; i++)
		str_add_char(&s->pending, 'x');
}

static void test_slow(void **state)
{
	int p[2];
	size_t n[2];
	struct sink s;
	pthread_t reader;

	(void)state;
	assert_int_equal(pipe(p), 0);
	n[0] = (size_t)p[0];
	pending_make(&s, p[1]);
	assert_int_equal(pthread_create(&reader, NULL, read_late, n), 0);
	s.ended = true;
	assert_true(sink_settle(&s, true));
	assert_int_equal(s.written, BYTES);
	sink_fini(&s);
	close(p[1]);
	pthread_join(reader, NULL);
	assert_int_equal(n[1], BYTES);
	close(p[0]);
}

static void test_never(void **state)
{
	struct timespec a, b;
	struct sink s;
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	pending_make(&s, p[1]);
	s.ended = true;
	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_false(sink_settle(&s, true));
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_true(b.tv_sec - a.tv_sec < 5);
	assert_true(s.pending.len > s.done);
	assert_false(s.broken || s.err);
	sink_fini(&s);
	close(p[0]);
	close(p[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "a reader that is slow when a signal comes gets what is pending", test_slow, NULL, NULL, NULL },
		{ "one that does not read at all is not waited for", test_never, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("sink", tests, NULL, NULL);
}

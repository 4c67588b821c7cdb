// SPDX-License-Identifier: GPL-2.0-only
#include "kern/crew.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/sysinfo.h>

#define ALONE 2  /* up to this many are no reason to start threads */
#define MOST  32 /* threads */

struct crew {
	int (*work)(void *ctx, size_t i, struct fail *fail);
	void *ctx;
	size_t n, next;
	pthread_mutex_t lock; /* of what follows */
	int err;
	struct fail *fail;
};

static void *crew_member(void *arg)
{
	struct crew *c = arg;
	struct fail fail = {};
	int err = 0;

	for (;;) {
		size_t i = __atomic_fetch_add(&c->next, 1, __ATOMIC_RELAXED);

		if (i >= c->n)
			return NULL;
		err = c->work(c->ctx, i, &fail);
		if (!err)
			continue;
		__atomic_store_n(&c->next, c->n, __ATOMIC_RELAXED);
		pthread_mutex_lock(&c->lock);
		if (!c->err) {
			c->err = err;
			if (fail.err)
				fail_set(c->fail, fail.err, "%s", fail.text);
		}
		pthread_mutex_unlock(&c->lock);
		return NULL;
	}
}

int crew_run(size_t n, int (*work)(void *ctx, size_t i, struct fail *fail), void *ctx, struct fail *fail)
{
	struct crew c = {.work = work, .ctx = ctx, .n = n, .fail = fail, .lock = PTHREAD_MUTEX_INITIALIZER};
	/* Twice as many as CPUs: one waits for running programs while another one's program is verified. */
	size_t want = 2 * (size_t)get_nprocs(), started = 0;
	pthread_t thread[MOST];

	want = want > MOST ? MOST : want;
	want = n <= ALONE ? 0 : want > n - 1 ? n - 1 : want;
	while (started < want && !pthread_create(&thread[started], NULL, crew_member, &c))
		started++;
	/* The caller too; also when no thread may be started. */
	crew_member(&c);
	while (started > 0)
		pthread_join(thread[--started], NULL);
	return c.err;
}

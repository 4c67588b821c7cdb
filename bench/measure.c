// SPDX-License-Identifier: GPL-2.0-only
#include "bench/measure.h"
#include "base/vec.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <string.h>
#include <time.h>

static double clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

double measure_cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

double measure_wall_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static int double_cmp(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double measure_median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), double_cmp);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

int measure_pin(void)
{
	cpu_set_t set, one;

	if (sched_getaffinity(0, sizeof(set), &set))
		return -errno;
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--) {
		if (!CPU_ISSET(cpu, &set))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		return sched_setaffinity(0, sizeof(one), &one) ? -errno : cpu;
	}
	return -ESRCH;
}

int measure_add(struct measure *m, const struct probe *p)
{
	int err = vec_push(m, *p);

	return err ? err : (int)m->n - 1;
}

/* One turn of one program: CPU ns per run. */
static int probe_time(const struct probe *p, uint32_t repeat, double *ret_ns)
{
	uint8_t out[4096];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->frame, .data_size_in = p->len, .repeat = repeat);
	double start;

	/* XDP needs room for what it may have grown; TC copies the skb out only when asked. */
	if (!p->tc) {
		opts.data_out = out;
		opts.data_size_out = sizeof(out);
	}
	start = measure_cpu_ns();
	if (bpf_prog_test_run_opts(p->prog_fd, &opts)) {
		int err = -errno;

		fprintf(stderr, "bench: %s: cannot run: %s\n", p->id, strerror(errno));
		return err;
	}
	*ret_ns = (measure_cpu_ns() - start) / repeat;
	if (p->want != MEASURE_ANY && opts.retval != p->want) {
		fprintf(stderr, "bench: %s: the program returned %u instead of %u\n", p->id, opts.retval, p->want);
		return -EPROTO;
	}
	return 0;
}

/* A slow moment of the machine falls on a program and its floor alike. */
static double probe_over(const struct measure *m, const struct probe *p)
{
	double v[MEASURE_ROUNDS_MAX];

	if (p->base < 0)
		return NAN;
	for (unsigned int round = 0; round < m->rounds; round++)
		v[round] = p->ns[round] - m->v[p->base].ns[round];
	return measure_median(v, m->rounds);
}

int measure_run(struct measure *m)
{
	for (unsigned int round = 0; round <= m->rounds; round++) {
		for (size_t i = 0; i < m->n; i++) {
			struct probe *p = &m->v[i];
			double ns;
			int err = probe_time(p, round ? p->repeat : m->repeat / 8 + 1, &ns);

			if (err)
				return err;
			if (round)
				p->ns[round - 1] = ns;
			else
				p->repeat = ns * m->repeat > MEASURE_TURN_NS ? MEASURE_TURN_NS / ns + 1 : m->repeat;
		}
	}
	/* Before the rounds are sorted. */
	for (size_t i = 0; i < m->n; i++)
		m->v[i].over = probe_over(m, &m->v[i]);
	for (size_t i = 0; i < m->n; i++) {
		struct probe *p = &m->v[i];

		p->median = measure_median(p->ns, m->rounds);
		p->min = p->ns[0];
		p->max = p->ns[m->rounds - 1];
	}
	return 0;
}

static void probe_json(const struct measure *m, const struct probe *p)
{
	fprintf(m->json, "{\"bench\":\"packet\",\"id\":\"%s\"", p->id);
	if (p->group)
		fprintf(m->json, ",\"group\":\"%s\"", p->group);
	if (p->family)
		fprintf(m->json, ",\"family\":\"%s\"", p->family);
	fprintf(m->json, ",\"rules\":%ld,\"ns\":%.2f,\"min\":%.2f,\"max\":%.2f", p->rules, p->median, p->min, p->max);
	if (p->base >= 0)
		fprintf(m->json, ",\"over\":\"%s\",\"floor_ns\":%.2f,\"over_ns\":%.2f", m->v[p->base].id,
			m->v[p->base].median, p->over);
	if (p->insns > 0)
		fprintf(m->json, ",\"insns\":%.1f,\"loads\":%.1f", p->insns, p->loads);
	fprintf(m->json, ",\"rounds\":%u,\"repeat\":%u}\n", m->rounds, p->repeat);
	fflush(m->json);
}

void measure_print(const struct measure *m, const char *title)
{
	printf("\n%s\n", title);
	printf("  %-52s %9s %17s %9s %7s\n", "ns per packet", "median", "min … max", "over", "insns");
	for (size_t i = 0; i < m->n; i++) {
		const struct probe *p = &m->v[i];
		char spread[32];

		if (p->hidden)
			continue;
		snprintf(spread, sizeof(spread), "%.1f … %.1f", p->min, p->max);
		/* "…" is three bytes and one column. */
		printf("  %-52s %9.1f %19s", p->text, p->median, spread);
		if (p->base >= 0)
			printf(" %+9.1f", p->over);
		else if (p->insns > 0)
			printf(" %9s", "");
		if (p->insns > 0)
			printf(" %7.0f", p->insns);
		putchar('\n');
		if (m->json)
			probe_json(m, p);
	}
	fflush(stdout);
}

void measure_fini(struct measure *m)
{
	vec_fini(m);
}

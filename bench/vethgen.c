// SPDX-License-Identifier: GPL-2.0-only
#include "bench/vethgen.h"
#include "base/cleanup.h"
#include "bench/measure.h"
#include "harness/prng.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

#define OBJECT	     "build/bpf/veth.bpf.o"
#define BATCH	     64
#define SETTLE_TRIES 2000 /* of a millisecond, while frames still arrive */

static int complain(const char *what, const char *object, int err)
{
	fprintf(stderr, "bench: %s %s: %s\n", what, object, strerror(-err));
	return err;
}

void vethgen_pair_open(const char *text, struct vethgen_pair *ret)
{
	const char *sep = strchr(text, '>');
	auto_free char *from = sep ? strndup(text, sep - text) : NULL;
	struct vethgen_pair p = {};

	if (!from || !lab_end_parse(from, &p.from) || !lab_end_parse(sep + 1, &p.to))
		lab_die("%s: not NETNS:IFACE>NETNS:IFACE", text);
	lab_enter(p.to.netns);
	p.counters_fd = open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC);
	lab_enter(p.from.netns);
	p.netns_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	p.ifindex = lab_ifindex(&p.from);
	if (p.counters_fd < 0 || p.netns_fd < 0)
		lab_die("%s: cannot read the namespaces: %s", text, strerror(errno));
	*ret = p;
}

void vethgen_pair_close(struct vethgen_pair *p)
{
	close(p->netns_fd);
	close(p->counters_fd);
}

uint64_t vethgen_pair_received(const struct vethgen_pair *p)
{
	char text[4096], name[24];
	ssize_t n = pread(p->counters_fd, text, sizeof(text) - 1, 0);
	unsigned long long bytes, packets;
	const char *line;

	text[n < 0 ? 0 : n] = '\0';
	snprintf(name, sizeof(name), " %s:", p->to.ifname);
	line = strstr(text, name);
	if (!line || sscanf(line + strlen(name), "%llu %llu", &bytes, &packets) != 2)
		lab_die("no counters of %s", p->to.ifname);
	return packets;
}

/* The schedstat file of ksoftirqd/CPU: what softirqs left to it is its CPU time. */
static int softirqd_open(int cpu)
{
	char want[32], comm[32], path[sizeof("/proc//schedstat") + 256];
	DIR *dir = opendir("/proc");
	struct dirent *e;
	int fd = -ENOENT;

	snprintf(want, sizeof(want), "ksoftirqd/%d\n", cpu);
	while (dir && fd < 0 && (e = readdir(dir))) {
		auto_fclose FILE *f = NULL;

		snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
		f = e->d_name[0] >= '1' && e->d_name[0] <= '9' ? fopen(path, "re") : NULL;
		if (!f || !fgets(comm, sizeof(comm), f) || strcmp(comm, want))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/schedstat", e->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (dir)
		closedir(dir);
	return fd;
}

static double softirqd_ns(const struct vethgen *g)
{
	char text[64] = "";

	return pread(g->softirqd_fd, text, sizeof(text) - 1, 0) > 0 ? strtod(text, NULL) : 0;
}

static void *map_memory(struct bpf_object *obj, const char *name, size_t size)
{
	int fd = bpf_map__fd(bpf_object__find_map_by_name(obj, name));

	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

int vethgen_object_load(struct bpf_object **ret)
{
	struct bpf_object *obj;
	int err;

	libbpf_set_print(NULL);
	obj = bpf_object__open_file(OBJECT, NULL);
	err = obj ? bpf_object__load(obj) : -errno;
	if (err) {
		bpf_object__close(obj);
		return complain("cannot load", OBJECT, err);
	}
	*ret = obj;
	return 0;
}

int vethgen_open(struct vethgen *ret)
{
	struct vethgen g = {};
	int cpu = measure_pin(), err;

	if (cpu < 0)
		return complain("cannot stay on", "one CPU", cpu);
	err = vethgen_object_load(&g.obj);
	if (err)
		return err;
	g.softirqd_fd = softirqd_open(cpu);
	g.prog_fd = bpf_program__fd(bpf_object__find_program_by_name(g.obj, "veth_generate"));
	g.frames = map_memory(g.obj, "veth_frames", VETH_MAX_TRAFFIC * sizeof(*g.frames));
	g.sources = map_memory(g.obj, "veth_sources", VETH_MAX_TRAFFIC * sizeof(*g.sources));
	g.ctl = map_memory(g.obj, "veth.bss", sizeof(*g.ctl));
	if (g.softirqd_fd < 0 || g.frames == MAP_FAILED || g.sources == MAP_FAILED || g.ctl == MAP_FAILED) {
		bpf_object__close(g.obj);
		return complain("cannot set up", "the generator", -ENODEV);
	}
	*ret = g;
	return 0;
}

void vethgen_close(struct vethgen *g)
{
	close(g->softirqd_fd);
	munmap(g->ctl, sizeof(*g->ctl));
	munmap(g->frames, VETH_MAX_TRAFFIC * sizeof(*g->frames));
	munmap(g->sources, VETH_MAX_TRAFFIC * sizeof(*g->sources));
	bpf_object__close(g->obj);
}

static uint32_t header_sum(const uint8_t *ip)
{
	return lab_sum(ip, 10, 0) + lab_sum(ip + 16, 4, 0);
}

static int generator_aim(struct vethgen *g, const struct vethgen_pair *p, const struct vethgen_traffic *t, uint32_t pos)
{
	if (setns(p->netns_fd, CLONE_NEWNET))
		return complain("cannot enter", p->from.netns, -errno);
	if (t->kind == VETH_SOURCES)
		memcpy(g->sources, t->sources, t->n * sizeof(*t->sources));
	if (t->kind == VETH_FRAMES)
		memcpy(g->frames, t->frames, t->n * sizeof(*t->frames));
	*g->ctl = (struct veth_ctl){
		.traffic = t->kind,
		.ifindex = p->ifindex,
		.mask = t->n - 1,
		.pos = pos,
		.sum = header_sum(t->frames->byte + 14),
	};
	return 0;
}

/* Until everything has arrived, or nothing arrives any more. */
static uint64_t pair_settle(const struct vethgen_pair *p, uint64_t want)
{
	uint64_t last = vethgen_pair_received(p), now;
	unsigned int still = 0;

	for (unsigned int i = 0; last < want && still < 50 && i < SETTLE_TRIES; i++) {
		usleep(1000);
		now = vethgen_pair_received(p);
		still = now == last ? still + 1 : 0;
		last = now;
	}
	return last;
}

int vethgen_block(struct vethgen *g, const struct vethgen_pair *p, const struct vethgen_traffic *t, uint32_t *pos,
		  uint64_t n, struct vethgen_result *ret)
{
	struct xdp_md ctx = { .data_end = REF_FRAME_LEN };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = t->frames, .data_size_in = REF_FRAME_LEN, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = n, .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);
	uint64_t before = vethgen_pair_received(p);
	struct vethgen_result r = { .sent = n };
	int err = generator_aim(g, p, t, *pos);

	if (err)
		return err;
	r.cpu_ns = -measure_cpu_ns() - softirqd_ns(g);
	r.wall_ns = -measure_wall_ns();
	if (bpf_prog_test_run_opts(g->prog_fd, &opts))
		return complain("cannot send into", p->from.ifname, -errno);
	r.cpu_ns += measure_cpu_ns();
	r.wall_ns += measure_wall_ns();
	r.received = pair_settle(p, before + n) - before;
	r.cpu_ns += softirqd_ns(g);
	*pos = g->ctl->pos;
	if (!r.received) {
		fprintf(stderr, "bench: of %llu frames into %s none arrived at %s\n", (unsigned long long)n,
			p->from.ifname, p->to.ifname);
		return -EPIPE;
	}
	*ret = r;
	return 0;
}

/* UDP from the generator's end of scripts/netns.sh to the other, port 40000 to 9000; 46 bytes of IP, then padding. */
static void frame_template(struct ref_frame *f)
{
	static const uint8_t ip_udp[] = {
		0x45, 0,    0,	  46,	0, 0,  0, 0, 64, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* IPv4 */
		0x9c, 0x40, 0x23, 0x28, 0, 26, 0, 0,					   /* UDP */
	};
	uint32_t from = htonl(LAB_GEN4), to = htonl(LAB_RCV4);
	uint16_t sum;

	memset(f, 0, sizeof(*f));
	memcpy(f->byte, lab_rcv_mac, 6);
	memcpy(f->byte + 6, lab_gen_mac, 6);
	f->byte[12] = 8;
	memcpy(f->byte + 14, ip_udp, sizeof(ip_udp));
	memcpy(f->byte + 26, &from, 4);
	memcpy(f->byte + 30, &to, 4);
	sum = htons(lab_sum_fold(lab_sum(f->byte + 14, 20, 0)));
	memcpy(f->byte + 24, &sum, 2);
}

/* Hosts as the public Internet has them, so that no stack calls them martians. */
static uint32_t random_host(struct prng *prng)
{
	return (uint32_t)prng_range(prng, 11, 126) << 24 | (uint32_t)prng_below(prng, 1 << 24);
}

static int sources_read(const char *path, struct prng *prng, struct vethgen_traffic *t)
{
	auto_fclose FILE *f = fopen(path, "re");
	auto_free uint32_t *all = NULL;
	size_t n = 0, cap = 0;
	char line[64];

	while (f && fgets(line, sizeof(line), f)) {
		struct in_addr a;

		line[strcspn(line, "/ \n")] = '\0';
		if (inet_pton(AF_INET, line, &a) != 1)
			continue;
		if (n == cap) {
			uint32_t *more = realloc(all, (cap = cap * 2 + 1024) * sizeof(*all));

			if (!more)
				return -ENOMEM;
			all = more;
		}
		all[n++] = ntohl(a.s_addr);
	}
	if (!n)
		return complain("no addresses in", path, f ? -EINVAL : -errno);
	for (size_t i = 0; i < t->n; i++)
		t->sources[i] = all[prng_below(prng, n)];
	return 0;
}

static int frames_read(const char *path, struct vethgen_traffic *t)
{
	auto_fclose FILE *f = fopen(path, "re");

	if (!f)
		return complain("cannot read", path, -errno);
	t->n = fread(t->frames, sizeof(*t->frames), VETH_MAX_TRAFFIC, f);
	if (!t->n || t->n & (t->n - 1))
		return complain("not a power of two of frames in", path, -EINVAL);
	return 0;
}

int vethgen_traffic_read(const char *text, uint64_t seed, struct vethgen_traffic *ret)
{
	struct vethgen_traffic t = { .kind = VETH_ONE, .n = 1 };
	struct prng prng;
	int err = 0;

	prng_init(&prng, seed);
	t.frames = calloc(VETH_MAX_TRAFFIC, sizeof(*t.frames));
	t.sources = calloc(VETH_MAX_TRAFFIC, sizeof(*t.sources));
	if (!t.frames || !t.sources)
		err = -ENOMEM;
	else
		frame_template(&t.frames[0]);
	if (!err && !strncmp(text, "frames:", 7)) {
		t.kind = VETH_FRAMES;
		err = frames_read(text + 7, &t);
	} else if (!err && !strncmp(text, "sources:", 8)) {
		t.kind = VETH_SOURCES;
		t.n = VETH_MAX_TRAFFIC;
		if (strcmp(text + 8, "random"))
			err = sources_read(text + 8, &prng, &t);
		for (size_t i = 0; i < t.n && !strcmp(text + 8, "random"); i++)
			t.sources[i] = random_host(&prng);
	} else if (!err && strcmp(text, "one")) {
		err = complain("no such traffic:", text, -EINVAL);
	}
	if (err)
		vethgen_traffic_free(&t);
	else
		*ret = t;
	return err;
}

void vethgen_traffic_free(struct vethgen_traffic *t)
{
	free(t->frames);
	free(t->sources);
}

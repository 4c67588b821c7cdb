// SPDX-License-Identifier: GPL-2.0-only
/*
 * Swap rules under live traffic and look at every packet.
 *
 *   tool_swap NETNS:IFACE NETNS:IFACE SWAPS FWCTL FILE-A FILE-B
 *
 * A packet source in the kernel (an XDP program under BPF_PROG_TEST_RUN, live frames) sends eight kinds of packets in
 * turn. Sockets behind the firewall count what arrives of each kind, in a socket filter, so that none is lost. The
 * kinds are chosen so that each way to be wrong shows:
 *
 *   0 both    passes under A and B               one missing: wrongly dropped
 *   1 a, 6 a6 passes under A alone               arrives after `apply B` returned: judged by old rules
 *   2 b       passes under B alone               the reverse
 *   3, 4      source of one, port of the other   arrives: judged by a mixture
 *   5, 7      forbidden by both                  arrives: not judged at all
 *
 * The last line is "key=value …". Exit 0: all as it should be; 1: not; 3: the laboratory broke.
 */
#include "harness/lab.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum kind { KIND_BOTH, KIND_A, KIND_B, KIND_CROSS_A, KIND_CROSS_B, KIND_NEVER, KIND_A6, KIND_NEVER6, KIND_COUNT };
static const char *const kind_names[] = {"both", "a", "b", "cross_a", "cross_b", "never", "a6", "never6"};
#define PORT_A	   4001
#define PORT_B	   4002
#define PORT_NEVER 4003
#define PORT_BOTH  4004
#define FRAME_LEN  64
#define BURST	   1024

struct swap {
	struct lab_end gen, rcv;
	const char *fwctl, *file[2];
	unsigned int ifindex;
	int source_prog, filter_prog, template_map;
	volatile uint64_t *pos;	     /* packets sent */
	volatile uint64_t *received; /* per kind */
	volatile bool stop;
	unsigned long old_verdicts, silent;
	double slowest_ms, total_ms;
};

/* ---- the two programs, as instructions: no compiler at hand where tests run ---- */
#define INSN(c, d, s, o, i)                                                                                            \
	((struct bpf_insn){.code = (c), .dst_reg = (d), .src_reg = (s), .off = (short)(o), .imm = (int)(i)})
#define MOV_REG(d, s)	     INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define MOV_IMM(d, i)	     INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define ADD_IMM(d, i)	     INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define AND_IMM(d, i)	     INSN(BPF_ALU64 | BPF_AND | BPF_K, d, 0, 0, i)
#define LOAD(size, d, s, o)  INSN(BPF_LDX | BPF_MEM | (size), d, s, o, 0)
#define STORE(size, d, s, o) INSN(BPF_STX | BPF_MEM | (size), d, s, o, 0)
#define CALL(helper)	     INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define EXIT()		     INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

struct code {
	struct bpf_insn insn[96];
	size_t n;
};

static void emit(struct code *c, struct bpf_insn insn)
{
	c->insn[c->n++] = insn;
}

/* r0 = element `key register` (u32, stored at fp-4) of the map; exits with 0 when there is none. */
static void emit_lookup(struct code *c, int map, int key)
{
	emit(c, STORE(BPF_W, 10, key, -4));
	emit(c, INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map));
	emit(c, INSN(0, 0, 0, 0, 0));
	emit(c, MOV_REG(2, 10));
	emit(c, ADD_IMM(2, -4));
	emit(c, CALL(BPF_FUNC_map_lookup_elem));
	emit(c, INSN(BPF_JMP | BPF_JNE | BPF_K, 0, 0, 1, 0));
	emit(c, EXIT());
}

static int load(const struct code *c, enum bpf_prog_type type, const char *name)
{
	static char log[65536];
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_buf = log, .log_size = sizeof(log), .log_level = 1);
	int fd = bpf_prog_load(type, name, "GPL", c->insn, c->n, &opts);

	if (fd < 0)
		lab_die("cannot load %s: %s\n%s", name, strerror(errno), log);
	return fd;
}

/* Overwrite the frame with template pos++ % 8, and send it out of the generator's interface. */
static int load_source(int pos_map, int template_map, unsigned int ifindex)
{
	struct code c = {.n = 0};

	emit(&c, LOAD(BPF_W, 6, 1, 0));
	emit(&c, LOAD(BPF_W, 7, 1, 4));
	emit(&c, MOV_REG(0, 6));
	emit(&c, ADD_IMM(0, FRAME_LEN));
	emit(&c, INSN(BPF_JMP | BPF_JLE | BPF_X, 0, 7, 2, 0));
	emit(&c, MOV_IMM(0, 0));
	emit(&c, EXIT());
	emit(&c, MOV_IMM(3, 0));
	emit_lookup(&c, pos_map, 3);
	emit(&c, LOAD(BPF_DW, 8, 0, 0));
	emit(&c, MOV_REG(1, 8));
	emit(&c, ADD_IMM(1, 1));
	emit(&c, STORE(BPF_DW, 0, 1, 0));
	emit(&c, AND_IMM(8, KIND_COUNT - 1));
	emit_lookup(&c, template_map, 8);
	for (short i = 0; i < FRAME_LEN; i += 8) {
		emit(&c, LOAD(BPF_DW, 1, 0, i));
		emit(&c, STORE(BPF_DW, 6, 1, i));
	}
	emit(&c, MOV_IMM(1, ifindex));
	emit(&c, MOV_IMM(2, 0));
	emit(&c, CALL(BPF_FUNC_redirect));
	emit(&c, EXIT());
	return load(&c, BPF_PROG_TYPE_XDP, "lab_source");
}

/* Count by the first byte of the payload, and throw away. */
static int load_filter(int received_map)
{
	struct code c = {.n = 0};

	emit(&c, MOV_REG(6, 1));
	emit(&c, INSN(BPF_LD | BPF_ABS | BPF_B, 0, 0, 0, 8));
	emit(&c, MOV_REG(7, 0));
	emit(&c, AND_IMM(7, KIND_COUNT - 1));
	/* All kinds in one element, so that it can be mapped into memory: cell r7. */
	emit(&c, MOV_IMM(3, 0));
	emit_lookup(&c, received_map, 3);
	emit(&c, INSN(BPF_ALU64 | BPF_LSH | BPF_K, 7, 0, 0, 3));
	emit(&c, INSN(BPF_ALU64 | BPF_ADD | BPF_X, 0, 7, 0, 0));
	emit(&c, MOV_IMM(1, 1));
	emit(&c, INSN(BPF_STX | BPF_ATOMIC | BPF_DW, 0, 1, 0, BPF_ADD));
	emit(&c, MOV_IMM(0, 0));
	emit(&c, EXIT());
	return load(&c, BPF_PROG_TYPE_SOCKET_FILTER, "lab_count");
}

static int map_new(const char *name, uint32_t value, uint32_t n, uint32_t flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, 4, value, n, &opts);

	if (fd < 0)
		lab_die("cannot create %s: %s", name, strerror(errno));
	return fd;
}

static volatile uint64_t *map_cells(int fd)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		lab_die("mmap: %s", strerror(errno));
	return p;
}

/* ---- the eight kinds ---- */
static void put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void template4(uint8_t *buf, enum kind kind, unsigned int third_byte, unsigned int port)
{
	uint8_t *ip = buf + 14;

	lab_marker_frame(buf, 0);
	put16(ip + 2, FRAME_LEN - 14);
	ip[14] = (uint8_t)third_byte; /* source 10.77.x.1 */
	put16(ip + 10, 0);
	put16(ip + 10, lab_sum_fold(lab_sum(ip, 20, 0)));
	put16(ip + 22, port);
	put16(ip + 24, FRAME_LEN - 34);
	ip[28] = (uint8_t)kind;
}

static void template6(uint8_t *buf, enum kind kind, unsigned int port)
{
	uint8_t *ip = buf + 14, *udp = ip + 40;

	memset(buf, 0, FRAME_LEN);
	memcpy(buf, lab_rcv_mac, 6);
	memcpy(buf + 6, lab_gen_mac, 6);
	put16(buf + 12, 0x86dd);
	ip[0] = 0x60;
	put16(ip + 4, FRAME_LEN - 54);
	ip[6] = IPPROTO_UDP;
	ip[7] = 64;
	memcpy(ip + 8, lab_gen6, 16);
	ip[8 + 7] = 0x0a; /* fd77:0:0:a::1 */
	memcpy(ip + 24, lab_rcv6, 16);
	put16(udp, LAB_MARK_SPORT);
	put16(udp + 2, port);
	put16(udp + 4, FRAME_LEN - 54);
	udp[8] = (uint8_t)kind;
	put16(udp + 6, lab_sum_fold(lab_sum(udp, FRAME_LEN - 54, lab_sum(ip + 8, 32, IPPROTO_UDP + FRAME_LEN - 54))));
}

static void fill_templates(int map)
{
	static const struct {
		uint8_t third;
		uint16_t port;
	} v4[] = {[KIND_BOTH] = {0, PORT_BOTH}, [KIND_A] = {1, PORT_A},	      [KIND_B] = {2, PORT_B},
		  [KIND_CROSS_A] = {1, PORT_B}, [KIND_CROSS_B] = {2, PORT_A}, [KIND_NEVER] = {1, PORT_NEVER}};
	uint8_t buf[FRAME_LEN];

	for (uint32_t k = 0; k < KIND_COUNT; k++) {
		memset(buf, 0, sizeof(buf));
		if (k < KIND_A6)
			template4(buf, k, v4[k].third, v4[k].port);
		else
			template6(buf, k, k == KIND_A6 ? PORT_A : PORT_NEVER);
		if (bpf_map_update_elem(map, &k, buf, 0))
			lab_die("templates: %s", strerror(errno));
	}
}

static void open_sockets(const struct swap *s)
{
	static const uint16_t ports[] = {PORT_A, PORT_B, PORT_NEVER, PORT_BOTH};

	for (size_t i = 0; i < 8; i++) {
		int fd = lab_udp_socket(s->rcv.netns, i & 1 ? AF_INET6 : AF_INET, ports[i / 2]);

		if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &s->filter_prog, sizeof(s->filter_prog)))
			lab_die("SO_ATTACH_BPF: %s", strerror(errno));
	}
}

/* ---- traffic ---- */
static void *source_thread(void *arg)
{
	struct swap *s = arg;
	uint8_t frame[FRAME_LEN] = {0};
	struct xdp_md ctx = {.data_end = FRAME_LEN};
	struct timespec pause = {.tv_nsec = 300000};

	lab_enter(s->gen.netns);
	lab_pin_cpu();
	while (!s->stop) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame), .ctx_in = &ctx,
			    .ctx_size_in = sizeof(ctx), .repeat = BURST, .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
			    .batch_size = 64);

		if (bpf_prog_test_run_opts(s->source_prog, &opts))
			lab_die("live frames: %s", strerror(errno));
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* Let this many packets be sent and judged. */
static void let_pass(const struct swap *s, uint64_t packets)
{
	uint64_t until = *s->pos + packets;
	double end = now_ms() + 5000;

	while (*s->pos < until) {
		if (now_ms() > end)
			lab_die("the packet source stands still");
		usleep(100);
	}
}

static void apply(struct swap *s, int which)
{
	double start = now_ms(), took;
	pid_t pid = fork();
	int status;

	if (pid < 0)
		lab_die("fork: %s", strerror(errno));
	if (!pid) {
		/* Its words on success are not wanted. */
		if (!freopen("/dev/null", "w", stdout))
			_exit(126);
		execl(s->fwctl, s->fwctl, "apply", s->file[which], (char *)NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		lab_die("fwctl apply %s ended with status 0x%x", s->file[which], status);
	took = now_ms() - start;
	s->total_ms += took;
	if (took > s->slowest_ms)
		s->slowest_ms = took;
}

static void snapshot(const struct swap *s, uint64_t *cells)
{
	for (int k = 0; k < KIND_COUNT; k++)
		cells[k] = s->received[k];
}

/* Between two swaps: nothing that only the other set passes, and something that this one passes. */
static void judge_quiet_time(struct swap *s, int which)
{
	uint64_t before[KIND_COUNT], after[KIND_COUNT], old;

	/* What was judged before `apply` returned may still be on its way up: at most what one poll holds. */
	let_pass(s, 256);
	snapshot(s, before);
	let_pass(s, 512);
	snapshot(s, after);
	old = which ? after[KIND_A] - before[KIND_A] + after[KIND_A6] - before[KIND_A6]
		    : after[KIND_B] - before[KIND_B];
	if (old && s->old_verdicts < 5)
		printf("# %llu packets met the old rules after apply returned\n", (unsigned long long)old);
	s->old_verdicts += old;
	if (after[KIND_BOTH] == before[KIND_BOTH] ||
	    after[which ? KIND_B : KIND_A] == before[which ? KIND_B : KIND_A] ||
	    (!which && after[KIND_A6] == before[KIND_A6]))
		s->silent++;
}

static void setup(struct swap *s)
{
	int pos_map = map_new("lab_pos", 8, 1, BPF_F_MMAPABLE);
	int received_map = map_new("lab_received", 8 * KIND_COUNT, 1, BPF_F_MMAPABLE);

	s->template_map = map_new("lab_templates", FRAME_LEN, KIND_COUNT, 0);
	fill_templates(s->template_map);
	s->pos = map_cells(pos_map);
	s->received = map_cells(received_map);
	s->ifindex = lab_ifindex(&s->gen);
	s->source_prog = load_source(pos_map, s->template_map, s->ifindex);
	s->filter_prog = load_filter(received_map);
	open_sockets(s);
}

/* Wait until what arrives does not change any more. */
static void settle(const struct swap *s)
{
	uint64_t a[KIND_COUNT], b[KIND_COUNT];

	do {
		snapshot(s, a);
		usleep(100000);
		snapshot(s, b);
	} while (memcmp(a, b, sizeof(a)));
}

static int report(const struct swap *s, long swaps)
{
	uint64_t sent = *s->pos, both = (sent + KIND_COUNT - 1) / KIND_COUNT, mixed, unfiltered;
	uint64_t n[KIND_COUNT];

	snapshot(s, n);
	mixed = n[KIND_CROSS_A] + n[KIND_CROSS_B];
	unfiltered = n[KIND_NEVER] + n[KIND_NEVER6];
	printf("swaps=%ld sent=%llu", swaps, (unsigned long long)sent);
	for (int k = 0; k < KIND_COUNT; k++)
		printf(" sent_%s=%llu got_%s=%llu", kind_names[k],
		       (unsigned long long)((sent + KIND_COUNT - 1 - (unsigned int)k) / KIND_COUNT), kind_names[k],
		       (unsigned long long)n[k]);
	printf(" mixed=%llu unfiltered=%llu old=%lu silent=%lu lost=%lld mean_us=%.0f slowest_us=%.0f\n",
	       (unsigned long long)mixed, (unsigned long long)unfiltered, s->old_verdicts, s->silent,
	       (long long)(both - n[KIND_BOTH]), swaps ? s->total_ms * 1e3 / (double)swaps : 0, s->slowest_ms * 1e3);
	return mixed || unfiltered || s->old_verdicts || s->silent; /* what is lost, the script judges */
}

int main(int argc, char **argv)
{
	struct swap s = {0};
	pthread_t source;
	long swaps;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 7 || !lab_end_parse(argv[1], &s.gen) || !lab_end_parse(argv[2], &s.rcv))
		lab_die("see the top of tool_swap.c");
	swaps = strtol(argv[3], NULL, 10);
	s.fwctl = argv[4];
	s.file[0] = argv[5];
	s.file[1] = argv[6];
	setup(&s);
	lab_enter(s.rcv.netns);
	if (pthread_create(&source, NULL, source_thread, &s))
		lab_die("pthread_create");
	let_pass(&s, 4 * BURST);
	for (long i = 0; i < swaps; i++) {
		int which = !(i & 1); /* the script has loaded A: B comes first */

		apply(&s, which);
		judge_quiet_time(&s, which);
	}
	s.stop = true;
	pthread_join(source, NULL);
	settle(&s);
	return report(&s, swaps);
}

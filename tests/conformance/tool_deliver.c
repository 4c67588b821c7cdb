// SPDX-License-Identifier: GPL-2.0-only
/*
 * Send the corpus, and let the receiving stack say what arrived.
 *
 *   tool_deliver -g NETNS:IFACE -r NETNS:IFACE -e EXPECTATION [-c standard|jumbo|legal] [-b FILE] [-n MUTATIONS]
 *                [-t TAGS] [-v]
 *
 *   control   no firewall: what does Linux deliver? Written to FILE. Never fails.
 *   deny      the target port and echo requests are forbidden: none of them may arrive
 *   only      nothing but the marker is allowed: nothing else may arrive
 *   flags     SYN without ACK to the target port is forbidden: exactly those may be missing against FILE
 *   pass      everything that FILE has must arrive, but for cases beyond a stated limit of the firewall
 *
 * A violation is a case, or a batch of mutations, with a wrong delivery. The last line is "key=value …" for the script.
 * Exit 0: as expected; 1: not; 3: the laboratory broke.
 */
#include "conformance/frames.h"
#include "conformance/judge.h"
#include "conformance/tags.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum expectation { EXPECT_CONTROL, EXPECT_DENY, EXPECT_ONLY, EXPECT_FLAGS, EXPECT_PASS };
static const char *const expectation_words[] = {"control", "deny", "only", "flags", "pass"};
static const char *const corpus_words[] = {"standard", "jumbo", "legal"};

struct run {
	struct lab_end gen, rcv;
	enum expectation expect;
	enum corpus_kind kind;
	const char *baseline_file;
	unsigned long mutations;
	int tags; /* pushed into metadata on the way out */
	bool verbose;
	int send_fd, vnet_fd;
	struct judge judge;
	struct corpus corpus;
	uint8_t *delivered, *baseline; /* per case */
	/* The batch that is being judged. */
	const char *what;
	const char *blamed; /* what the last complaint was about */
	unsigned long frames, unsent, deliveries, answers, violations, beyond;
};

static bool is_target(const struct delivery *d)
{
	if (d->answer)
		return true;
	if (d->proto == IPPROTO_ICMP)
		return d->family == 4 && d->dport == 8;
	if (d->proto == IPPROTO_ICMPV6)
		return d->family == 6 && d->dport == 128;
	return (d->proto == IPPROTO_UDP || d->proto == IPPROTO_TCP || d->proto == IPPROTO_SCTP) &&
	       d->dport == CORPUS_PORT;
}

/* What the kernels themselves say to each other: neighbours, groups, errors, resets. */
static bool is_chatter(const struct delivery *d)
{
	if (d->proto == IPPROTO_ICMPV6)
		return d->dport != 128 && !d->id;
	return d->proto == IPPROTO_ICMP && d->dport != 8 && !d->id;
}

static void on_delivery(void *ctx, const struct delivery *d)
{
	struct run *run = ctx;
	bool bad;

	if (d->marker)
		return;
	if (d->answer)
		run->answers++;
	else
		run->deliveries += is_target(d);
	if (run->delivered && d->id && d->id <= run->corpus.n)
		run->delivered[d->id - 1] = 1;
	bad = run->expect == EXPECT_DENY ? is_target(d) : run->expect == EXPECT_ONLY ? !is_chatter(d) : false;
	if (!bad)
		return;
	if (run->blamed == run->what)
		return;
	run->blamed = run->what;
	if (run->violations++ < 20)
		printf("# delivered: %s (%s, IPv%d, protocol %u, port or type %u, id %u)\n", run->what,
		       d->answer   ? "the stack answered"
		       : d->socket ? "socket"
				   : "raw socket",
		       d->family, d->proto, d->dport, d->id);
}

static void send_frame(struct run *run, const struct frame *f)
{
	static uint8_t buf[FRAME_MAX + sizeof(struct virtio_net_hdr)];
	struct virtio_net_hdr vh = {.gso_type = f->gso_type, .gso_size = f->gso_size, .hdr_len = f->hdr_len};
	ssize_t n, want = (ssize_t)f->len;

	if (!f->gso_type && !f->hdr_len) {
		n = send(run->send_fd, f->data, f->len, 0);
	} else {
		if (f->gso_type) {
			/* The kernel fills in the checksum: it wants the sum of the pseudo header there. */
			bool udp = f->gso_type == 5;

			vh.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
			vh.csum_start = (uint16_t)(f->hdr_len - (udp ? 8 : 20));
			vh.csum_offset = udp ? 6 : 16;
		}
		memcpy(buf, &vh, sizeof(vh));
		memcpy(buf + sizeof(vh), f->data, f->len);
		want += (ssize_t)sizeof(vh);
		n = send(run->vnet_fd, buf, (size_t)want, 0);
	}
	run->frames++;
	if (n == want)
		return;
	if (run->unsent++ < 5)
		printf("# cannot send: %s, %zu bytes: %s\n", run->what, f->len, strerror(errno));
}

static void settle(struct run *run)
{
	run->blamed = NULL;
	if (!judge_settle(&run->judge)) {
		printf("# the marker was lost after: %s\n", run->what);
		lab_die("the marker did not arrive");
	}
}

/* Bytes of fragments that wait in the receiver for their companions. */
static unsigned long waiting_fragments(const char *file)
{
	unsigned long inuse, memory = 0;
	char line[128];
	FILE *f = fopen(file, "r");

	if (!f)
		lab_die("cannot read %s", file);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "FRAG%*[6]: inuse %lu memory %lu", &inuse, &memory) == 2 ||
		    sscanf(line, "FRAG: inuse %lu memory %lu", &inuse, &memory) == 2)
			break;
	fclose(f);
	return memory;
}

/* What an earlier run left incomplete must be forgotten: the same fragments would complete it. */
static void forget_fragments(const struct run *run)
{
	lab_enter(run->rcv.netns);
	for (int i = 0; i < 500; i++) {
		if (!waiting_fragments("/proc/thread-self/net/sockstat") &&
		    !waiting_fragments("/proc/thread-self/net/sockstat6"))
			return;
		usleep(10000);
	}
	lab_die("old fragments do not go away");
}

static void run_corpus(struct run *run)
{
	for (size_t i = 0; i < run->corpus.n; i++) {
		const struct frame_case *fc = &run->corpus.c[i];
		char what[128];

		snprintf(what, sizeof(what), "%s: %s", fc->class, fc->name);
		run->what = what;
		for (size_t k = 0; k < fc->n; k++)
			send_frame(run, &fc->f[k]);
		settle(run);
		if (run->verbose)
			printf("# %s %s\n", run->delivered[i] ? "delivered" : "-        ", what);
	}
	run->what = "late";
	settle(run);
}

static void print_hex(const char *title, const uint8_t *b, size_t len)
{
	printf("# %s %zu bytes: ", title, len);
	for (size_t i = 0; i < len && i < 160; i++)
		printf("%02x", b[i]);
	printf("\n");
}

/* A frame of a case, damaged; its companions (other fragments) go with it. */
static void send_mutant(struct run *run, struct prng *p, struct frame *ret_last)
{
	static uint8_t buf[FRAME_MAX];
	const struct frame_case *fc = &run->corpus.c[prng_below(p, run->corpus.n)];
	size_t chosen = prng_below(p, fc->n);

	for (size_t k = 0; k < fc->n; k++) {
		struct frame f = fc->f[k];

		if (k == chosen && f.len <= 1514) {
			memcpy(buf, f.data, f.len);
			f.len = frame_mutate(p, buf, f.len);
			f.data = buf;
			f.gso_type = 0;
			f.hdr_len = 0;
			*ret_last = f;
		}
		send_frame(run, &f);
	}
}

#define BATCH 64

/* Batches; one that leaks is repeated frame by frame, so that the guilty one is named. */
static void run_mutations(struct run *run)
{
	struct prng p;

	if (!run->mutations)
		return;
	prng_init(&p, prng_seed("mutations", 0x6677637461ull));
	for (unsigned long done = 0; done < run->mutations; done += BATCH) {
		struct prng at = p;
		unsigned long before = run->violations;
		struct frame last = {0};

		run->what = "a mutated frame";
		for (int i = 0; i < BATCH; i++)
			send_mutant(run, &p, &last);
		settle(run);
		if (run->violations == before || run->violations > 20)
			continue;
		for (int i = 0; i < BATCH; i++) {
			before = run->violations;
			send_mutant(run, &at, &last);
			settle(run);
			if (run->violations > before)
				print_hex("the frame:", last.data, last.len);
		}
	}
}

/* Cases per class, in the order of the corpus: what arrived. */
static void print_classes(const struct run *run)
{
	for (size_t i = 0; i < run->corpus.n; i++) {
		const char *class = run->corpus.c[i].class;
		size_t cases = 0, delivered = 0;
		bool first = true;

		for (size_t k = 0; k < run->corpus.n; k++) {
			if (strcmp(run->corpus.c[k].class, class))
				continue;
			first = first && k >= i;
			cases++;
			delivered += run->delivered[k];
		}
		if (first)
			printf("# %-14s %5zu cases, %5zu delivered\n", class, cases, delivered);
	}
}

static void read_baseline(struct run *run)
{
	FILE *f = fopen(run->baseline_file, "r");

	if (!f || fread(run->baseline, 1, run->corpus.n, f) != run->corpus.n)
		lab_die("cannot read %s", run->baseline_file);
	fclose(f);
}

static void write_baseline(const struct run *run)
{
	FILE *f = fopen(run->baseline_file, "w");

	if (!f || fwrite(run->delivered, 1, run->corpus.n, f) != run->corpus.n || fclose(f))
		lab_die("cannot write %s", run->baseline_file);
}

/* Is the flags case one that the rule `flags S/SA` forbids? */
static bool is_syn(const struct frame_case *fc)
{
	unsigned int flags = 0;
	const char *at = strstr(fc->name, "flags 0x");

	return !strcmp(fc->class, "flags") && at && sscanf(at, "flags 0x%x", &flags) == 1 && (flags & 0x12) == 0x02;
}

/* Against what Linux delivers without a firewall. */
static void compare(struct run *run)
{
	read_baseline(run);
	for (size_t i = 0; i < run->corpus.n; i++) {
		const struct frame_case *fc = &run->corpus.c[i];
		bool want = run->baseline[i];

		if (run->expect == EXPECT_FLAGS) {
			if (strcmp(fc->class, "flags"))
				continue;
			want = want && !is_syn(fc);
		}
		if (want == run->delivered[i])
			continue;
		if (want && fc->limit) {
			run->beyond++;
			continue;
		}
		if (run->violations++ < 20)
			printf("# %s: %s: %s\n", want ? "lost" : "delivered", fc->class, fc->name);
	}
}

static int word_index(const char *word, const char *const *words, int n)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(word, words[i]))
			return i;
	lab_die("unknown word %s", word);
}

static void parse_arguments(struct run *run, int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "g:r:e:c:b:n:t:v")) != -1) {
		switch (opt) {
		case 'g':
			if (!lab_end_parse(optarg, &run->gen))
				lab_die("-g wants NETNS:IFACE");
			break;
		case 'r':
			if (!lab_end_parse(optarg, &run->rcv))
				lab_die("-r wants NETNS:IFACE");
			break;
		case 'e':
			run->expect = (enum expectation)word_index(optarg, expectation_words, 5);
			break;
		case 'c':
			run->kind = (enum corpus_kind)word_index(optarg, corpus_words, 3);
			break;
		case 'b':
			run->baseline_file = optarg;
			break;
		case 'n':
			run->mutations = strtoul(optarg, NULL, 0);
			break;
		case 't':
			run->tags = atoi(optarg);
			break;
		case 'v':
			run->verbose = true;
			break;
		default:
			lab_die("see the top of tool_deliver.c");
		}
	}
}

int main(int argc, char **argv)
{
	struct run run = {.judge = {.deliver = on_delivery, .ctx = &run}};
	size_t arrived = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	parse_arguments(&run, argc, argv);
	lab_pin_cpu();
	corpus_build(&run.corpus, run.kind);
	run.delivered = calloc(2, run.corpus.n);
	if (!run.delivered)
		lab_die("no memory");
	run.baseline = run.delivered + run.corpus.n;
	run.send_fd = lab_packet_socket(&run.gen, false);
	run.vnet_fd = lab_packet_socket(&run.gen, true);
	forget_fragments(&run);
	if (run.tags)
		tags_push(&run.gen, run.tags);
	judge_open(&run.judge, &run.gen, &run.rcv, run.send_fd);
	run_corpus(&run);
	for (size_t i = 0; i < run.corpus.n; i++)
		arrived += run.delivered[i];
	if (run.expect == EXPECT_CONTROL)
		print_classes(&run);
	if (run.expect == EXPECT_CONTROL && run.baseline_file)
		write_baseline(&run);
	if (run.expect == EXPECT_FLAGS || run.expect == EXPECT_PASS)
		compare(&run);
	run_mutations(&run);
	printf("cases=%zu frames=%lu unsent=%lu arrived=%zu target_deliveries=%lu answers=%lu beyond_limits=%lu "
	       "violations=%lu\n",
	       run.corpus.n, run.frames, run.unsent, arrived, run.deliveries, run.answers, run.beyond, run.violations);
	corpus_free(&run.corpus);
	free(run.delivered);
	return run.violations > 0;
}

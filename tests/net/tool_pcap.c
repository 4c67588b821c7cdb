// SPDX-License-Identifier: GPL-2.0-only
/*
 * Capture behind the firewall, and compare with what the oracle says of each frame sent.
 *
 *   tool_pcap NETNS:IFACE NETNS:IFACE RULES.fw FRAMES CAPTURE.pcap
 *
 * Frames are aimed at the ingress rules of the file's first policy, and often damaged. What libpcap saw is written to
 * the capture file, read back from it, and must be the frames that the oracle passes: all of them, byte for byte, in
 * order but for what one batch holds. Valid for XDP alone (captures happen before TC). Exit 0: equal; 1: not; 3: the laboratory broke.
 */
#include "base/arena.h"
#include "base/cleanup.h"
#include "harness/framegen.h"
#include "harness/lab.h"
#include "harness/rules_file.h"
#include "lang/lang.h"
#include "model/eval.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 64 /* frames between two markers */

struct expected {
	uint8_t *data;
	size_t len;
	bool seen;
};

struct run {
	struct lab_end gen, rcv;
	const struct chain *chain;
	int send_fd;
	pcap_t *live;
	pcap_dumper_t *dump;
	struct lab_marker marker;
	bool marker_captured;
	struct expected *expected;
	size_t n, sent;
};

static void open_capture(struct run *run, const char *file)
{
	char err[PCAP_ERRBUF_SIZE];

	lab_enter(run->rcv.netns);
	run->live = pcap_create(run->rcv.ifname, err);
	if (!run->live)
		lab_die("pcap: %s", err);
	pcap_set_snaplen(run->live, 65535);
	pcap_set_immediate_mode(run->live, 1);
	pcap_set_buffer_size(run->live, 64 << 20);
	if (pcap_activate(run->live) < 0)
		lab_die("pcap: %s", pcap_geterr(run->live));
	(void)pcap_setdirection(run->live, PCAP_D_IN);
	if (pcap_setnonblock(run->live, 1, err))
		lab_die("pcap: %s", err);
	run->dump = pcap_dump_open(run->live, file);
	if (!run->dump)
		lab_die("pcap: %s", pcap_geterr(run->live));
}

/* The marker says that a batch is through; it is not part of the comparison. */
static bool is_marker(const struct run *run, const uint8_t *data, size_t len)
{
	uint8_t want[64];

	return len == lab_marker_frame(want, run->marker.seq) && !memcmp(data, want, len);
}

static void on_capture(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	struct run *run = (struct run *)user;

	if (is_marker(run, data, h->caplen))
		run->marker_captured = true;
	else
		pcap_dump((u_char *)run->dump, h, data);
}

static void settle(struct run *run)
{
	run->marker_captured = false;
	if (!lab_marker_pass(&run->marker))
		lab_die("the marker did not arrive");
	for (int i = 0; i < 2000 && !run->marker_captured; i++) {
		if (pcap_dispatch(run->live, -1, on_capture, (u_char *)run) < 0)
			lab_die("pcap: %s", pcap_geterr(run->live));
		if (!run->marker_captured)
			usleep(1000);
	}
	if (!run->marker_captured)
		lab_die("the capture did not see the marker");
}

static void expect(struct run *run, const uint8_t *frame, size_t len)
{
	struct expected *e;

	run->expected = reallocarray(run->expected, run->n + 1, sizeof(*run->expected));
	e = &run->expected[run->n++];
	*e = (struct expected){.data = malloc(len), .len = len};
	if (!e->data)
		lab_die("no memory");
	memcpy(e->data, frame, len);
}

static void send_all(struct run *run, unsigned long frames)
{
	struct framegen fg;
	uint8_t buf[FRAMEGEN_MAX];

	framegen_init(&fg, run->chain, prng_seed("pcap", 0x70636170));
	fg.no_meta = true;
	while (run->sent < frames) {
		struct packet_meta meta;
		size_t len = framegen_next(&fg, buf, sizeof(buf), &meta);
		struct eval_result r;

		/* What AF_PACKET takes, and what the link carries. */
		if (len < 14 || len > 1514)
			continue;
		r = eval_frame(run->chain, buf, len, NULL, NULL, NULL);
		if (send(run->send_fd, buf, len, 0) != (ssize_t)len)
			continue;
		if (r.verdict == VERDICT_PASS)
			expect(run, buf, len);
		if (++run->sent % BATCH == 0)
			settle(run);
	}
	settle(run);
}

/*
 * The expected frame that this one is, not seen before, among the next of one batch. Linux hands frames that are polled
 * together to a tap with those last that nobody but the tap wants, such as an unknown EtherType: within a batch the order is its own.
 */
static struct expected *expected_find(const struct run *run, size_t at, const u_char *data, size_t len)
{
	for (size_t i = at; i < run->n && i < at + BATCH; i++) {
		struct expected *e = &run->expected[i];

		if (!e->seen && e->len == len && !memcmp(data, e->data, len))
			return e;
	}
	return NULL;
}

static int compare(const struct run *run, const char *file)
{
	char err[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_offline(file, err);
	struct pcap_pkthdr *h;
	const u_char *data;
	size_t at = 0, captured = 0, wrong = 0, equal = 0;

	if (!p)
		lab_die("pcap: %s", err);
	while (pcap_next_ex(p, &h, &data) == 1) {
		struct expected *e = expected_find(run, at, data, h->caplen);

		captured++;
		if (e) {
			e->seen = true;
			equal++;
			while (at < run->n && run->expected[at].seen)
				at++;
			continue;
		}
		if (wrong++ < 3) {
			printf("# frame %zu of the capture (%u bytes) is not frame %zu that the oracle passes:\n#  "
			       "captured ",
			       captured, h->caplen, at);
			for (size_t i = 0; i < h->caplen && i < 80; i++)
				printf("%02x", data[i]);
			printf("\n#  expected ");
			for (size_t i = 0; at < run->n && i < run->expected[at].len && i < 80; i++)
				printf("%02x", run->expected[at].data[i]);
			printf("\n");
		}
	}
	pcap_close(p);
	printf("sent=%zu expected=%zu captured=%zu equal=%zu\n", run->sent, run->n, captured, equal);
	return wrong || at != run->n;
}

int main(int argc, char **argv)
{
	struct run run = {.send_fd = -1};
	struct arena *arena = arena_new();
	int status;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 6 || !arena || !lab_end_parse(argv[1], &run.gen) || !lab_end_parse(argv[2], &run.rcv))
		lab_die("see the top of tool_pcap.c");
	lab_pin_cpu();
	run.chain = &rules_file(arena, argv[3])->chain[DIRECTION_INGRESS];
	run.send_fd = lab_packet_socket(&run.gen, false);
	lab_marker_init(&run.marker, run.send_fd, lab_udp_socket(run.rcv.netns, AF_INET, LAB_MARK_DPORT));
	open_capture(&run, argv[5]);
	send_all(&run, strtoul(argv[4], NULL, 10));
	pcap_dump_close(run.dump);
	pcap_close(run.live);
	status = compare(&run, argv[5]);
	for (size_t i = 0; i < run.n; i++)
		free(run.expected[i].data);
	free(run.expected);
	arena_free(arena);
	return status;
}

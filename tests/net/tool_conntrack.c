// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same conversations through fwctl and through nft's conntrack, packet by packet.
 *
 *   tool_conntrack SEED COUNT FWCTL-OUT FWCTL-IN NFT-OUT NFT-IN      each NETNS:IFACE
 *
 * fwctl stands on FWCTL-IN; nft on a router between NFT-OUT and NFT-IN. What comes in is sent at OUT and looked for at IN, what
 * goes out the other way round, at both; behind each packet goes a marker that both always pass, so what is not there before it
 * was dropped. Prints how many packets were judged, those in which the two differ for a reason that is written below, and exits
 * with 1 when there are others.
 *
 * Conversations of TCP go as they should, for three packets of four; else a packet is sent again, or one is sent that does not
 * belong there. After a difference that has a reason a conversation is given up, since the two know different things of it from
 * then on.
 */
#include "base/str.h"
#include "harness/lab.h"
#include "harness/prng.h"
#include "model/packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define FIN 1u
#define SYN 2u
#define RST 4u
#define PSH 8u
#define ACK 16u
#define CONNS 12
#define MARK 777

enum end { FW_OUT, FW_IN, NFT_OUT, NFT_IN, ENDS };
enum how { AS_IT_GOES, AGAIN, ODD, ERROR, FORGED };

struct conn {
	struct packet_spec open;
	enum direction dir;
	unsigned int step;   /* of the script */
	unsigned int packets;
	uint32_t seq[2];     /* next of the opener, of the other */
	bool fin[2], rst, syn_ack, anew;
	struct str said;     /* all of it */
};

struct said {
	enum how how;
	bool opener;
	unsigned int flags;
};

static int fd[ENDS];
static struct prng prng;
static unsigned int mark;

static const struct said script[] = {
	{ .opener = true, .flags = SYN },	{ .opener = false, .flags = SYN | ACK }, { .opener = true, .flags = ACK },
	{ .opener = true, .flags = PSH | ACK }, { .opener = false, .flags = ACK },	 { .opener = false, .flags = PSH | ACK },
	{ .opener = true, .flags = ACK },	{ .opener = true, .flags = FIN | ACK },	 { .opener = false, .flags = ACK },
	{ .opener = false, .flags = FIN | ACK }, { .opener = true, .flags = ACK },
};
#define SCRIPT (sizeof(script) / sizeof(script[0]))

static void put32(uint8_t *p, uint32_t v)
{
	v = htonl(v);
	memcpy(p, &v, 4);
}

static struct conn conn_new(void)
{
	static unsigned int serial;
	static const uint16_t in[] = { 22, 22, 22, 23 }, out[] = { 80, 80, 80, 81 }, uin[] = { 53, 53, 54 }, uout[] = { 123, 123, 124 };
	struct conn c = { .dir = (enum direction)prng_below(&prng, DIRECTION_COUNT) };
	bool v6 = prng_chance(&prng, 1, 2), egress = c.dir == DIRECTION_EGRESS;
	unsigned int kind = (unsigned int)prng_below(&prng, 10), n = serial++;
	u128 outside = v6 ? ((u128)0x20010db800000001 << 64) + 1 + n / 50000 : 0xc6336401 + n / 50000,
	     inside = v6 ? ((u128)0x20010db800000002 << 64) + 1 : 0xcb007101;

	c.open = (struct packet_spec){ .family = v6 ? FAMILY_IPV6 : FAMILY_IPV4,
				       .src = egress ? inside : outside,
				       .dst = egress ? outside : inside,
				       .protocol = kind < 6 ? 6 : kind < 8 ? 17 : v6 ? 58 : 1,
				       .sport = (uint16_t)(1024 + n % 50000) };
	c.open.has_ports = kind < 8;
	if (kind < 6)
		c.open.dport = egress ? out[prng_below(&prng, 4)] : in[prng_below(&prng, 4)];
	else if (kind < 8)
		c.open.dport = egress ? uout[prng_below(&prng, 3)] : uin[prng_below(&prng, 3)];
	else
		c.open.has_icmp = true, c.open.icmp_type = v6 ? 128 : 8, c.open.icmp_id = c.open.sport, c.open.sport = 0;
	c.seq[0] = (uint32_t)prng_u64(&prng);
	c.seq[1] = (uint32_t)prng_u64(&prng);
	return c;
}

static struct packet_spec side(const struct conn *c, bool opener)
{
	struct packet_spec s = c->open;

	if (opener)
		return s;
	s.src = c->open.dst, s.dst = c->open.src;
	s.sport = c->open.dport, s.dport = c->open.sport;
	if (s.has_icmp)
		s.icmp_type = s.family == FAMILY_IPV6 ? 129 : 0;
	return s;
}

/* Sequence numbers as they should be; nobody checks the sum of it. */
static void number(const struct conn *c, const struct said *w, uint8_t *frame, size_t len)
{
	struct packet p;

	if (c->open.protocol != 6 || packet_parse(frame, len, NULL, &p) != PACKET_OK)
		return;
	put32(frame + p.l4_off + 4, c->seq[!w->opener] - (w->how == AGAIN && w->flags & (SYN | FIN)));
	put32(frame + p.l4_off + 8, w->flags & ACK ? c->seq[w->opener] : 0);
}

static long build(const struct conn *c, const struct said *w, uint8_t *frame, enum direction *dir)
{
	struct packet_spec s = side(c, w->opener), quote = side(c, !w->opener);
	long len;

	*dir = w->opener ? c->dir : (enum direction)!c->dir;
	if (w->how == ERROR || w->how == FORGED) {
		/* About a packet of the other side. */
		struct packet_spec e = { .family = s.family, .src = s.src, .dst = s.dst, .protocol = s.family == FAMILY_IPV4 ? 1 : 58,
					 .has_icmp = true, .icmp_type = s.family == FAMILY_IPV4 ? 3 : 1,
							.icmp_code = s.family == FAMILY_IPV4 ? 1 : 3,
					 .quote = &quote };

		if (w->how == FORGED)
			quote.has_ports ? (void)(quote.dport ^= 0x4000) : (void)(quote.icmp_id ^= 0x4000);
		return packet_build(&e, frame, PACKET_MAX_FRAME);
	}
	s.has_flags = s.protocol == 6;
	s.flags = (uint8_t)w->flags;
	len = packet_build(&s, frame, PACKET_MAX_FRAME);
	if (len > 0)
		number(c, w, frame, (size_t)len);
	return len;
}

static struct said say(const struct conn *c)
{
	static const uint8_t odd[] = { SYN, SYN, SYN | ACK, ACK, PSH | ACK, FIN | ACK, FIN | ACK, RST, RST | ACK, RST | ACK, FIN, 0 };
	struct said w = { .how = AS_IT_GOES, .opener = prng_chance(&prng, 1, 2) };
	uint64_t kind = prng_below(&prng, 100);

	if (c->open.protocol == 6)
		w = script[c->step % SCRIPT];
	else if (!c->packets)
		w.opener = true;
	if (kind < 74)
		return w;
	if (kind < 82 && c->step) {
		w = c->open.protocol == 6 ? script[(c->step - 1) % SCRIPT] : w;
		w.how = AGAIN;
	} else if (kind < 88) {
		w = (struct said){ .how = ODD, .opener = prng_chance(&prng, 1, 2), .flags = odd[prng_below(&prng, sizeof(odd))] };
	} else if (kind < 96) {
		w = (struct said){ .how = kind < 92 ? ERROR : FORGED, .opener = prng_chance(&prng, 1, 2) };
	}
	return w;
}

static void went(struct conn *c, const struct said *w, bool passed)
{
	static const char *const words[] = { "", " again", " odd", " error", " forged" };

	str_addf(&c->said, " %s%x%s,", w->opener ? ">" : "<", w->flags, words[w->how]);
	if (w->how == ERROR || w->how == FORGED)
		return;
	c->packets++;
	if (w->how == AS_IT_GOES) {
		c->step++;
		c->seq[!w->opener] += w->flags & (SYN | FIN) ? 1 : 0;
	}
	if (!passed)
		return;
	c->anew |= w->opener && (w->flags & (SYN | ACK)) == SYN && c->fin[0] && !c->fin[1];
	if (w->opener && (w->flags & (SYN | ACK)) == SYN && c->fin[0] && c->fin[1])
		c->fin[0] = c->fin[1] = c->rst = c->syn_ack = false; /* opened anew */
	c->rst |= w->flags & RST;
	c->fin[!w->opener] |= w->flags & FIN;
	c->syn_ack |= !w->opener && (w->flags & (SYN | ACK)) == (SYN | ACK);
}

/* Was a frame with this behind its IP header seen before the marker? */
static bool arrived(int s, const uint8_t *l4, size_t len)
{
	bool seen = false;

	for (;;) {
		struct pollfd p = { .fd = s, .events = POLLIN };
		struct sockaddr_ll from;
		socklen_t size = sizeof(from);
		uint8_t b[2048];
		ssize_t n;

		if (poll(&p, 1, 5000) != 1)
			lab_die("a marker did not arrive");
		n = recvfrom(s, b, sizeof(b), 0, (struct sockaddr *)&from, &size);
		if (n < 0 || from.sll_pkttype == PACKET_OUTGOING)
			continue;
		if (n >= 42 && b[12] == 8 && b[23] == 17 && b[34] == MARK >> 8 && b[35] == (MARK & 255) &&
		    (unsigned int)(b[36] << 8 | b[37]) == mark)
			return seen;
		seen = seen || ((size_t)n >= 14 + len && (!memcmp(b + 34, l4, len) || ((size_t)n >= 54 + len && !memcmp(b + 54, l4, len))));
	}
}

static void put(int s, const uint8_t *frame, size_t len)
{
	/* ENOBUFS: the program at egress has dropped it. */
	if (send(s, frame, len, 0) != (ssize_t)len && errno != ENOBUFS)
		lab_die("send: %s", strerror(errno));
}

static void judge(uint8_t *frame, size_t len, enum direction dir, bool ret[2])
{
	struct packet_spec m = { .family = FAMILY_IPV4, .src = 0x0ac80001, .dst = 0x0ac90001, .protocol = 17,
			.has_ports = true, .sport = MARK };
	uint8_t marker[128], l4[20];
	size_t off = frame[12] == 8 ? 34 : 54, n = len - off < 20 ? len - off : 20;
	long mlen;

	mark = 20000 + (mark + 1) % 40000;
	m.dport = (uint16_t)mark;
	mlen = packet_build(&m, marker, sizeof(marker));
	if (mlen < 0)
		lab_die("no marker");
	memcpy(l4, frame + off, n);
	for (int who = 0; who < 2; who++) {
		int from = fd[2 * who + (dir == DIRECTION_EGRESS)];

		/* fwctl's: to nobody. The router's: to it. */
		memcpy(frame, who ? "\x02\0\0\0\x90\0" : "\x02\0\0\0\0\x99", 6);
		frame[5] = (uint8_t)(who ? (dir == DIRECTION_EGRESS) + 1 : 0x99);
		memcpy(marker, frame, 6);
		put(from, frame, len);
		put(from, marker, (size_t)mlen);
	}
	for (int who = 0; who < 2; who++)
		ret[who] = arrived(fd[2 * who + (dir == DIRECTION_INGRESS)], l4, n);
}

#include "conntrack_reasons.h"

int main(int argc, char **argv)
{
	static struct conn conn[CONNS];
	static unsigned long count[REASONS], both[2];
	static uint8_t frame[PACKET_MAX_FRAME];
	unsigned long total = argc == 7 ? strtoul(argv[2], NULL, 0) : 0, bad = 0;

	if (!total)
		lab_die("see the top of tool_conntrack.c");
	prng_init(&prng, strtoull(argv[1], NULL, 0));
	for (int i = 0; i < ENDS; i++) {
		struct lab_end end;

		if (!lab_end_parse(argv[3 + i], &end))
			lab_die("%s is not NETNS:IFACE", argv[3 + i]);
		fd[i] = lab_packet_socket(&end, false);
	}
	for (int i = 0; i < CONNS; i++)
		conn[i] = conn_new();
	for (unsigned long n = 0; n < total; n++) {
		struct conn *c = &conn[prng_below(&prng, CONNS)];
		struct said w = say(c);
		enum direction dir;
		long len = build(c, &w, frame, &dir);
		enum reason why = NONE;
		bool pass[2];

		if (len < 0)
			lab_die("cannot build: %ld", len);
		judge(frame, (size_t)len, dir, pass);
		if (pass[0] == pass[1])
			both[pass[0]]++;
		else
			why = reason_of(c, &w, pass[0]);
		went(c, &w, pass[0]);
		if (pass[0] != pass[1] && why == NONE && bad++ < 10)
			printf("# packet %lu: fwctl %s, nft %s: ipv%d protocol %u, opened on %s:%s\n", n, pass[0] ? "passes" : "drops",
			       pass[1] ? "passes" : "drops", c->open.family == FAMILY_IPV6 ? 6 : 4, c->open.protocol,
			       c->dir == DIRECTION_EGRESS ? "egress" : "ingress", str_get(&c->said));
		count[why] += pass[0] != pass[1];
		if (pass[0] != pass[1] || c->packets > 16) {
			str_fini(&c->said);
			*c = conn_new();
		}
	}
	for (int i = 0; i < CONNS; i++)
		str_fini(&conn[i].said);
	printf("%lu packets: both pass %lu, both drop %lu, unexplained %lu\n", total, both[1], both[0], bad);
	for (int i = 1; i < REASONS; i++)
		printf("# %lu: %s\n", count[i], reason_words[i]);
	return bad > 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same rules for fwctl and for nft, and the same frames for both.
 *
 *   tool_nft rules SEED COUNT IFACE RULES.fw RULES.nft     write random ingress rules for interface IFACE, twice
 *   tool_nft send SEED FIRST COUNT RULES.fw NETNS:IFACE…   send COUNT frames from FIRST on, each out of every interface
 *
 * `send` prints what the oracle counts, one "NAME PACKETS" per line (r0, r1, … the rules, "default", "l2-other",
 * "total"), and comments: how many frames it sent and left out. FIRST and COUNT find the frame that makes a difference.
 *
 * Frames that are left out, since nft's netdev hook sees them differently on purpose or for want of knowing better:
 *
 *  1. what fwctl refuses to judge (a parse fault): nft judges it, with the fields it could find;
 *  2. two VLAN tags: the kernel takes one off before the hook, and nft finds no IP header behind the other;
 *  3. a later IPv6 fragment whose next header is an extension header: to fwctl that number is
 *     its protocol, nft finds none;
 *  4. an authentication header in IPv6: to nft it is the protocol, to fwctl a header on the way to it;
 *  5. a tag with less than two bytes behind it: the kernel drops it before the hook;
 *  6. what a link of MTU 1500 does not carry.
 *
 * Ports that nft reads out of later fragments need no exception: the translation asks for what is not one (rule_words_nft.c).
 * Rules on extension headers are not made: nft asks for one header at a time.
 */
#include "base/arena.h"
#include "base/str.h"
#include "harness/framegen.h"
#include "harness/lab.h"
#include "harness/rules_file.h"
#include "harness/rule_words.h"
#include "harness/rulegen.h"
#include "lang/lang.h"
#include "model/eval.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_ENDS  4
#define MAX_RULES 4096
#define MAX_FRAME 1514

enum left_out { SENT, REFUSED, TWO_TAGS, LATER_EXT, AH, BARE_TAG, TOO_LARGE, LEFT_OUT_COUNT };
static const char *const left_out_word[] = {
	"sent", "refused", "two-tags", "later-ext", "ah", "bare-tag", "too-large"
};

static struct ruleset *parse(struct arena *arena, const char *name, const char *text, size_t len, bool must)
{
	struct ruleset *rules = NULL;
	struct str errors = {};
	struct diags diags;
	int err;

	diags_init(&diags, arena);
	err = lang_parse(arena, name, text, len, NULL, &diags, &rules);
	diags_print(&diags, &errors);
	if (err && must)
		lab_die("%s: %s", name, str_get(&errors));
	diags_fini(&diags);
	str_fini(&errors);
	return err ? NULL : rules;
}

static void write_file(const char *path, const struct str *text)
{
	FILE *f = fopen(path, "w");

	if (!f || text->failed || fwrite(text->s, 1, text->len, f) != text->len || fclose(f))
		lab_die("cannot write %s", path);
}

/* A rule that the language refuses (families that contradict each other) is no rule. */
static bool is_accepted(const char *line)
{
	struct arena *arena = arena_new();
	struct str text = {};
	bool good;

	str_addf(&text, "policy p {\ningress default pass {\n%s}\n}\n", line);
	good = parse(arena, "one.fw", str_get(&text), text.len, false) != NULL;
	str_fini(&text);
	arena_free(arena);
	return good;
}

/* What would take every packet from the rules behind it. */
static bool is_bare(const struct rule *r)
{
	for (int id = 0; id < FIELD_VALUE_COUNT; id++)
		if (r->value[id])
			return false;
	return !r->src && !r->dst;
}

static int make_rules(char **argv)
{
	uint64_t seed = strtoull(argv[0], NULL, 0);
	struct rulegen_opts opts = { .style = RULEGEN_EDGES,
				     .nrules = strtoul(argv[1], NULL, 0),
				     .directions = 1u << DIRECTION_INGRESS,
				     .fields = ~(1u << FIELD_EXT),
				     .no_empty = true };
	struct arena *arena = arena_new();
	struct str fw = {}, nft = {}, line = {};
	struct policy *policy;
	struct prng prng;
	char label[32];
	size_t n = 0;

	prng_init(&prng, seed);
	policy = rulegen_policy(arena, &prng, &opts);
	if (!policy)
		lab_die("no memory");
	str_addf(&fw, "policy p {\ningress default %s {\n", prng_chance(&prng, 1, 2) ? "drop" : "pass");
	for (size_t i = 0; i < policy->chain[0].nrules; i++) {
		if (is_bare(&policy->chain[0].rules[i]))
			policy->chain[0].rules[i].verdict = VERDICT_CONTINUE;
		str_reset(&line);
		snprintf(label, sizeof(label), "r%zu", n);
		if (!rule_words_fwctl(&policy->chain[0].rules[i], label, &line) || !is_accepted(str_get(&line)))
			continue;
		str_add(&fw, str_get(&line));
		n++;
	}
	str_addf(&fw, "}\n}\ninterface %s uses p\n", argv[2]);
	write_file(argv[3], &fw);
	rule_words_nft(&rules_file(arena, argv[3])->chain[DIRECTION_INGRESS], argv[2], &nft);
	write_file(argv[4], &nft);
	printf("# %zu rules of %lu drawn\n", n, (unsigned long)policy->chain[0].nrules);
	str_fini(&fw);
	str_fini(&nft);
	str_fini(&line);
	arena_free(arena);
	return 0;
}

static bool is_tag(const uint8_t *p)
{
	return (p[0] == 0x81 && p[1] == 0x00) || (p[0] == 0x88 && p[1] == 0xa8);
}

/* See the list at the top. */
static enum left_out judge(const uint8_t *f, size_t len, struct packet *ret_packet)
{
	static const unsigned int ext[] = { 0, 43, 44, 51, 60 };
	unsigned int protocol;

	if (packet_parse(f, len, NULL, ret_packet) != PACKET_OK)
		return REFUSED;
	if (len > MAX_FRAME)
		return TOO_LARGE;
	if (is_tag(f + 12) && is_tag(f + 16))
		return TWO_TAGS;
	if (is_tag(f + 12) && len < 20)
		return BARE_TAG;
	if (ret_packet->family == FAMILY_IPV6 && ret_packet->value[FIELD_EXT] & 1u << EXT_AH)
		return AH;
	protocol = ret_packet->value[FIELD_PROTO] & 255;
	if (ret_packet->family == FAMILY_IPV6 && ret_packet->value[FIELD_FRAG] == FRAG_LATER)
		for (size_t i = 0; i < sizeof(ext) / sizeof(ext[0]); i++)
			if (protocol == ext[i])
				return LATER_EXT;
	return SENT;
}

struct tally {
	unsigned long rule[MAX_RULES], fallback, l2_other;
};

static void on_count(void *ctx, size_t rule)
{
	((struct tally *)ctx)->rule[rule]++;
}

static void tally(struct tally *t, const struct chain *chain, const struct packet *p)
{
	struct eval_result r = eval_packet(chain, p, on_count, t);

	if (r.rule >= 0)
		t->rule[r.rule]++;
	else if (r.reason == EVAL_L2_OTHER)
		t->l2_other++;
	else
		t->fallback++;
}

static void put(const int *fd, int n, const uint8_t *frame, size_t len)
{
	for (int i = 0; i < n; i++)
		if (send(fd[i], frame, len, 0) != (ssize_t)len)
			lab_die("cannot send %zu bytes", len);
}

static void show(const struct framegen *fg, unsigned long number, const uint8_t *frame, size_t len)
{
	struct str text = {};

	framegen_describe(frame, len, NULL, &text);
	printf("# frame %lu (%s): %s\n", number, fg->what, str_get(&text));
	str_fini(&text);
}

static int send_frames(int argc, char **argv)
{
	unsigned long first = strtoul(argv[1], NULL, 0), count = strtoul(argv[2], NULL, 0),
		      left_out[LEFT_OUT_COUNT] = {};
	struct arena *arena = arena_new();
	const struct chain *chain = &rules_file(arena, argv[3])->chain[DIRECTION_INGRESS];
	static struct tally t;
	int fd[MAX_ENDS], n = argc - 4;
	struct framegen fg;

	if (n > MAX_ENDS || chain->nrules > MAX_RULES)
		lab_die("too many");
	for (int i = 0; i < n; i++) {
		struct lab_end end;

		if (!lab_end_parse(argv[4 + i], &end))
			lab_die("%s is not NETNS:IFACE", argv[4 + i]);
		fd[i] = lab_packet_socket(&end, false);
	}
	framegen_init(&fg, chain, strtoull(argv[0], NULL, 0));
	fg.no_meta = true;
	for (unsigned long i = 0; i < first + count;) {
		uint8_t frame[FRAMEGEN_MAX];
		struct packet_meta meta;
		struct packet p;
		size_t len = framegen_next(&fg, frame, sizeof(frame), &meta);
		enum left_out why = judge(frame, len, &p);

		if (i >= first)
			left_out[why]++;
		if (why != SENT || i++ < first)
			continue;
		/* To nobody, so that no stack answers. */
		memcpy(frame, "\x02\0\0\0\0\x99", 6);
		tally(&t, chain, &p);
		put(fd, n, frame, len);
		/* The receiver's queue has 256 places. */
		if (left_out[SENT] % 32 == 0)
			usleep(200);
		if (count == 1)
			show(&fg, first, frame, len);
	}
	printf("#");
	for (int i = 0; i < LEFT_OUT_COUNT; i++)
		printf(" %s=%lu", left_out_word[i], left_out[i]);
	printf("\n");
	for (size_t i = 0; i < chain->nrules; i++)
		printf("r%zu %lu\n", i, t.rule[i]);
	printf("default %lu\nl2-other %lu\ntotal %lu\n", t.fallback, t.l2_other, left_out[SENT]);
	arena_free(arena);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 7 && !strcmp(argv[1], "rules"))
		return make_rules(argv + 2);
	if (argc >= 7 && !strcmp(argv[1], "send"))
		return send_frames(argc - 2, argv + 2);
	lab_die("see the top of tool_nft.c");
}

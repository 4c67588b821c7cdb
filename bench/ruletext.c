// SPDX-License-Identifier: GPL-2.0-only
#include "bench/ruletext.h"
#include "base/arena.h"
#include "base/str.h"
#include "harness/prng.h"

#include <string.h>

/* Half of the prefixes are networks of offices and hosts, as in real filter lists; some are wide, some are absent. */
static void add_prefix(struct str *out, struct prng *p, const char *word, bool v6)
{
	static const unsigned int len4[] = { 8, 16, 20, 24, 24, 24, 32, 32, 32, 32 };
	static const unsigned int len6[] = { 32, 32, 40, 48, 48, 56, 64, 64, 128, 128 };
	unsigned int len = (v6 ? len6 : len4)[prng_below(p, 10)];
	uint32_t addr = prng_u64(p);

	if (v6) {
		uint64_t net = 0x20010db800000000ull | (prng_u64(p) & 0xffffffffu);

		net &= ~0ull << (len < 64 ? 64 - len : 0);
		str_addf(out, " %s %x:%x:%x:%x::%x/%u", word, (unsigned int)(net >> 48),
			 (unsigned int)(net >> 32) & 0xffff, (unsigned int)(net >> 16) & 0xffff,
			 (unsigned int)net & 0xffff, len == 128 ? addr & 0xffff : 0, len);
		return;
	}
	addr &= ~0u << (32 - len);
	str_addf(out, " %s %u.%u.%u.%u/%u", word, addr >> 24, addr >> 16 & 255, addr >> 8 & 255, addr & 255, len);
}

static void add_rule(struct str *out, struct prng *p)
{
	static const unsigned int ports[] = { 22,  25,	53,  80,   110,	 123,  143,  161, 389,
					      443, 445, 993, 1433, 3306, 3389, 5060, 8080 };
	bool v6 = prng_chance(p, 1, 5);
	unsigned int lo;

	str_addf(out, "\t\t%s proto %s", prng_chance(p, 2, 3) ? "pass" : "drop", prng_chance(p, 2, 3) ? "tcp" : "udp");
	if (prng_chance(p, 4, 5))
		add_prefix(out, p, "from", v6);
	else
		str_add(out, " from any");
	if (prng_chance(p, 1, 8))
		str_add(out, " port 1024-65535");
	add_prefix(out, p, "to", v6);
	lo = prng_range(p, 1024, 60000);
	if (prng_chance(p, 1, 8))
		str_addf(out, " port %u-%u", lo, lo + 100);
	else
		str_addf(out, " port %u",
			 prng_chance(p, 2, 3) ? ports[prng_below(p, sizeof(ports) / sizeof(ports[0]))] : lo);
	str_add(out, "\n");
}

const char *ruletext_make(struct arena *arena, uint64_t seed, size_t n)
{
	struct str out = {};
	struct prng prng;
	const char *text;

	prng_init(&prng, seed);
	str_add(&out, "policy bench {\n\tingress default drop {\n");
	for (size_t i = 0; i < n; i++)
		add_rule(&out, &prng);
	str_add(&out, "\t}\n}\n");
	text = out.failed ? NULL : arena_strdup(arena, str_get(&out));
	str_fini(&out);
	return text;
}

const char *ruletext_add_rule(struct arena *arena, const char *text, const char *rule)
{
	static const char tail[] = "\t}\n}\n";
	size_t len = strlen(text) - strlen(tail);

	return arena_printf(arena, "%.*s\t\t%s\n%s", (int)len, text, rule, tail);
}

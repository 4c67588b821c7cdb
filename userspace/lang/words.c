// SPDX-License-Identifier: GPL-2.0-only
#include "lang/words.h"

#include "base/arena.h"

#include <string.h>

static const char *const later[] = { "ban",   "mark",     "mirror", "redirect", "nat",    "rdr", "feed",
				     "quota", "schedule", "user", "bucket", "tarpit" };

static const struct {
	const char *word, *say;
} foreign[] = {
	{ "block", "write \"drop\"" },
	{ "deny", "write \"drop\"" },
	{ "discard", "write \"drop\"" },
	{ "allow", "write \"pass\"" },
	{ "accept", "write \"pass\"" },
	{ "permit", "write \"pass\"" },
	{ "counter", "every rule has counters; \"count\" is a rule that only counts" },
	{ "quick", "the first match decides, so every rule is quick: leave it out" },
	{ "in", "the ingress block says the direction: leave it out" },
	{ "out", "rules for outgoing packets stand in an egress block: leave it out" },
	{ "on", "\"interface eth0 uses POLICY\" says where rules run: leave it out" },
	{ "iif", "\"interface eth0 uses POLICY\" says where rules run: leave it out" },
	{ "iifname", "\"interface eth0 uses POLICY\" says where rules run: leave it out" },
	{ "oif", "\"interface eth0 uses POLICY\" says where rules run: leave it out" },
	{ "saddr", "write \"from ADDRESS\"" },
	{ "src", "write \"from ADDRESS\"" },
	{ "daddr", "write \"to ADDRESS\"" },
	{ "dst", "write \"to ADDRESS\"" },
	{ "ip", "write \"inet\" for IPv4, \"inet6\" for IPv6; \"from\" and \"to\" take addresses" },
	{ "ip4", "write \"inet\"" },
	{ "ip6", "write \"inet6\"" },
	{ "fragment", "write \"frag later\" or \"frag any\"" },
	{ "modulate", "write \"keep state\"" },
	{ "ct", "write \"state established\"; and \"keep state\" where flows begin" },
	{ "conntrack", "write \"state established\"; and \"keep state\" where flows begin" },
	{ "ctstate", "write \"state established\"; and \"keep state\" where flows begin" },
	{ "rate", "write \"limit 10/s\"" },
	{ "over", "write \"limit 10/s else drop\": what is over it is dropped" },
	{ "meter", "write \"limit 10/s per src\"" },
	{ "max-src-conn", "write \"max-conn NUMBER per src\"" },
	{ "connlimit", "write \"max-conn NUMBER per src\"" },
	{ "overload", "write \"else ban @SET\"" },
	{ "return-rst", "write \"reject with reset\"" },
	{ "return-icmp", "write \"reject with unreachable\"" },
	{ "burst", "it stands behind \"limit 10/s\"" },
	{ "per", "it stands behind \"limit 10/s\" or \"max-conn NUMBER\"" },
	{ "sample", "it stands behind \"log\"" },
	{ "prefix", "write label \"TEXT\": events have the label of their rule" },
	{ "level", "leave it out: events have no level; \"fwctl log\" chooses among them" },
	{ "icmp-type", "write \"proto icmp type NAME\"" },
	{ "icmp6-type", "write \"proto icmp6 type NAME\"" },
	{ "icmpv6-type", "write \"proto icmp6 type NAME\"" },
	{ "hoplimit", "write \"ttl NUMBER\": it is the hop limit of IPv6" },
	{ "hop-limit", "write \"ttl NUMBER\": it is the hop limit of IPv6" },
	{ "length", "write \"len NUMBER\"" },
	{ "comment", "write label \"TEXT\"" },
	{ "not", "write \"!\"" },
	{ "protocol", "write \"proto NAME\"" },
	{ "table", "write \"set NAME { type prefix; ... }\"" },
	{ "anchor", "write include \"FILE\"" },
	{ "chain", "write \"ingress default drop { ... }\" or \"egress default pass { ... }\"" },
	{ "input", "write \"ingress\"" },
	{ "output", "write \"egress\"" },
};

static const struct {
	const char *word;
	int port;
} services[] = {
	{ "ftp-data", 20 },	  { "ftp", 21 },	 { "ssh", 22 },		  { "telnet", 23 },
	{ "smtp", 25 },		  { "domain", 53 },	 { "dns", 53 },		  { "bootps", 67 },
	{ "bootpc", 68 },	  { "tftp", 69 },	 { "http", 80 },	  { "kerberos", 88 },
	{ "pop3", 110 },	  { "sunrpc", 111 },	 { "ident", 113 },	  { "auth", 113 },
	{ "ntp", 123 },		  { "netbios-ns", 137 }, { "netbios-dgm", 138 },  { "netbios-ssn", 139 },
	{ "imap", 143 },	  { "snmp", 161 },	 { "snmp-trap", 162 },	  { "bgp", 179 },
	{ "ldap", 389 },	  { "https", 443 },	 { "microsoft-ds", 445 }, { "smtps", 465 },
	{ "submissions", 465 },	  { "isakmp", 500 },	 { "syslog", 514 },	  { "dhcpv6-client", 546 },
	{ "dhcpv6-server", 547 }, { "submission", 587 }, { "ldaps", 636 },	  { "domain-s", 853 },
	{ "rsync", 873 },	  { "ftps", 990 },	 { "imaps", 993 },	  { "pop3s", 995 },
	{ "openvpn", 1194 },	  { "mqtt", 1883 },	 { "nfs", 2049 },	  { "mysql", 3306 },
	{ "rdp", 3389 },	  { "stun", 3478 },	 { "ipsec-nat-t", 4500 }, { "sip", 5060 },
	{ "sips", 5061 },	  { "mdns", 5353 },	 { "postgresql", 5432 },  { "vnc", 5900 },
	{ "redis", 6379 },	  { "ircd", 6667 },	 { "http-alt", 8080 },	  { "wireguard", 51820 },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

bool word_is_later(const char *s, size_t len)
{
	for (size_t i = 0; i < COUNT(later); i++)
		if (str_is(later[i], s, len))
			return true;
	return false;
}

const char *word_foreign(const char *s, size_t len)
{
	for (size_t i = 0; i < COUNT(foreign); i++)
		if (str_is(foreign[i].word, s, len))
			return foreign[i].say;
	return NULL;
}

int service_port(const char *s, size_t len)
{
	if (len && s[0] >= '0' && s[0] <= '9')
		return -1;
	for (size_t i = 0; i < COUNT(services); i++)
		if (str_is(services[i].word, s, len))
			return services[i].port;
	return -1;
}

const char *service_name(size_t i)
{
	return i < COUNT(services) ? services[i].word : NULL;
}

void guess_init(struct guess *g, struct arena *arena, const char *s, size_t len)
{
	/* Long words are nobody's typing mistake, and comparing them costs. */
	*g = (struct guess){ .word = len <= 32 ? arena_strndup(arena, s, len) : NULL };
	g->distance = len < 4 ? 2 : 3; /* below this */
}

void guess_try(struct guess *g, const char *candidate)
{
	size_t distance;

	if (!g->word || strlen(candidate) > 40)
		return;
	distance = str_distance(g->word, candidate);
	/* Of a short word, something must be left. */
	if (distance && distance < g->distance && distance < strlen(g->word)) {
		g->distance = distance;
		g->best = candidate;
	}
}

void guess_hint(const struct guess *g, struct diags *d, struct diag *diag, const char *prefix)
{
	if (g->best)
		diag_hint(d, diag, "did you mean \"%s%s\"?", prefix, g->best);
}

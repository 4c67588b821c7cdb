// SPDX-License-Identifier: GPL-2.0-only
#include "model/field.h"

#include "base/str.h"
#include "model/rule.h"

#include <assert.h>
#include <string.h>

static const struct field fields[FIELD_VALUE_COUNT] = {
#define X(id, word, bits, needs) [FIELD_##id] = {word, bits, needs},
	FIELDS(X)
#undef X
		[FIELD_MAC] = {"mac", 48, FIELD_NEEDS_FRAME},
};

const struct field *field_get(enum field_id id)
{
	assert((unsigned int)id < FIELD_VALUE_COUNT);
	return &fields[id];
}

/* Several words may have one value: the first is the canonical one. */
struct name {
	unsigned int value;
	const char *word;
};

static const struct name protocols[] = {
	{1, "icmp"},	     {2, "igmp"},    {4, "ipip"},   {6, "tcp"},	       {8, "egp"},	  {9, "igp"},
	{12, "pup"},	     {17, "udp"},    {22, "idp"},   {27, "rdp"},       {29, "iso-tp4"},	  {33, "dccp"},
	{37, "ddp"},	     {41, "ipv6"},   {45, "idrp"},  {46, "rsvp"},      {47, "gre"},	  {50, "esp"},
	{51, "ah"},	     {57, "skip"},   {58, "icmp6"}, {58, "ipv6-icmp"}, {58, "icmpv6"},	  {59, "ipv6-nonxt"},
	{73, "rspf"},	     {81, "vmtp"},   {88, "eigrp"}, {89, "ospf"},      {93, "ax.25"},	  {94, "ip-in-ip"},
	{97, "etherip"},     {98, "encap"},  {103, "pim"},  {108, "ipcomp"},   {112, "vrrp"},	  {112, "carp"},
	{115, "l2tp"},	     {124, "isis"},  {132, "sctp"}, {133, "fc"},       {135, "mobility"}, {136, "udplite"},
	{137, "mpls-in-ip"}, {138, "manet"}, {139, "hip"},  {140, "shim6"},    {141, "wesp"},	  {142, "rohc"},
	{240, "pfsync"},
};

static const struct name icmp_types[] = {
	{0, "echo-reply"},
	{0, "echorep"},
	{3, "destination-unreachable"},
	{3, "unreachable"},
	{3, "unreach"},
	{4, "source-quench"},
	{5, "redirect"},
	{8, "echo-request"},
	{8, "echoreq"},
	{9, "router-advertisement"},
	{10, "router-solicitation"},
	{11, "time-exceeded"},
	{11, "timex"},
	{12, "parameter-problem"},
	{13, "timestamp-request"},
	{14, "timestamp-reply"},
	{15, "info-request"},
	{16, "info-reply"},
	{17, "address-mask-request"},
	{18, "address-mask-reply"},
	{42, "extended-echo-request"},
	{43, "extended-echo-reply"},
};

static const struct name icmp6_types[] = {
	{1, "destination-unreachable"},
	{1, "unreachable"},
	{1, "unreach"},
	{2, "packet-too-big"},
	{2, "toobig"},
	{3, "time-exceeded"},
	{3, "timex"},
	{4, "parameter-problem"},
	{128, "echo-request"},
	{128, "echoreq"},
	{129, "echo-reply"},
	{129, "echorep"},
	{130, "mld-query"},
	{130, "mld-listener-query"},
	{131, "mld-report"},
	{131, "mld-listener-report"},
	{132, "mld-done"},
	{132, "mld-listener-done"},
	{133, "router-solicitation"},
	{133, "nd-router-solicit"},
	{134, "router-advertisement"},
	{134, "nd-router-advert"},
	{135, "neighbour-solicitation"},
	{135, "neighbor-solicitation"},
	{135, "nd-neighbor-solicit"},
	{136, "neighbour-advertisement"},
	{136, "neighbor-advertisement"},
	{136, "nd-neighbor-advert"},
	{137, "redirect"},
	{137, "nd-redirect"},
	{138, "router-renumbering"},
	{139, "node-information-query"},
	{140, "node-information-reply"},
	{141, "inverse-nd-solicitation"},
	{142, "inverse-nd-advertisement"},
	{143, "mld2-report"},
	{143, "mld2-listener-report"},
	{148, "certification-path-solicitation"},
	{149, "certification-path-advertisement"},
	{151, "multicast-router-advertisement"},
	{152, "multicast-router-solicitation"},
	{153, "multicast-router-termination"},
	{155, "rpl-control"},
	{160, "extended-echo-request"},
	{161, "extended-echo-reply"},
};

static const struct name frag_words[] = {
	{FRAG_NONE, "none"},
	{FRAG_FIRST, "first"},
	{FRAG_LATER, "later"},
};

static const struct name dscp_names[] = {
	{0, "cs0"},   {0, "be"},    {0, "df"},	  {1, "le"},	{8, "cs1"},   {10, "af11"}, {12, "af12"},
	{14, "af13"}, {16, "cs2"},  {18, "af21"}, {20, "af22"}, {22, "af23"}, {24, "cs3"},  {26, "af31"},
	{28, "af32"}, {30, "af33"}, {32, "cs4"},  {34, "af41"}, {36, "af42"}, {38, "af43"}, {40, "cs5"},
	{44, "va"},   {46, "ef"},   {48, "cs6"},  {56, "cs7"},
};

static const struct name ecn_names[] = {
	{0, "not-ect"},
	{1, "ect1"},
	{2, "ect0"},
	{3, "ce"},
};

static const struct name ethertypes[] = {
	{0x0800, "ipv4"},
	{0x0800, "ip"},
	{0x0806, "arp"},
	{0x0842, "wol"},
	{0x22f0, "avtp"},
	{0x22f3, "trill"},
	{0x8035, "rarp"},
	{0x809b, "appletalk"},
	{0x8137, "ipx"},
	{0x86dd, "ipv6"},
	{0x86dd, "ip6"},
	{0x8808, "pause"},
	{0x8809, "lacp"},
	{0x8847, "mpls"},
	{0x8848, "mpls-multicast"},
	{0x8863, "pppoe-discovery"},
	{0x8864, "pppoe"},
	{0x888e, "eapol"},
	{0x8892, "profinet"},
	{0x88a2, "aoe"},
	{0x88a4, "ethercat"},
	{0x88cc, "lldp"},
	{0x88e5, "macsec"},
	{0x88f7, "ptp"},
	{0x8902, "cfm"},
	{0x8906, "fcoe"},
	{0x8915, "roce"},
	{0x9000, "loopback"},
};

static const struct name ext_words[] = {
	{EXT_HOPOPTS, "hopopts"},   {EXT_HOPOPTS, "hop-by-hop"}, {EXT_ROUTING, "routing"},
	{EXT_FRAGMENT, "fragment"}, {EXT_DSTOPTS, "dstopts"},	 {EXT_AH, "ah"},
};

static const struct name icmp_codes_unreachable[] = {
	{0, "net-unreachable"},
	{1, "host-unreachable"},
	{2, "protocol-unreachable"},
	{3, "port-unreachable"},
	{4, "fragmentation-needed"},
	{4, "frag-needed"},
	{5, "source-route-failed"},
	{6, "net-unknown"},
	{7, "host-unknown"},
	{8, "host-isolated"},
	{9, "net-prohibited"},
	{10, "host-prohibited"},
	{11, "net-tos"},
	{12, "host-tos"},
	{13, "admin-prohibited"},
	{14, "host-precedence"},
	{15, "precedence-cutoff"},
};
static const struct name icmp_codes_redirect[] = {
	{0, "net-redirect"},
	{1, "host-redirect"},
	{2, "tos-net-redirect"},
	{3, "tos-host-redirect"},
};
static const struct name icmp_codes_time[] = {
	{0, "transit"},
	{0, "ttl-exceeded"},
	{1, "reassembly"},
};
static const struct name icmp_codes_parameter[] = {
	{0, "pointer"},
	{1, "missing-option"},
	{2, "bad-length"},
};
static const struct name icmp6_codes_unreachable[] = {
	{0, "no-route"},	 {1, "admin-prohibited"}, {2, "beyond-scope"}, {3, "address-unreachable"},
	{4, "port-unreachable"}, {5, "policy-fail"},	  {6, "reject-route"},
};
static const struct name icmp6_codes_time[] = {
	{0, "transit"},
	{0, "hop-limit-exceeded"},
	{1, "reassembly"},
};
static const struct name icmp6_codes_parameter[] = {
	{0, "bad-header"},
	{1, "bad-next-header"},
	{2, "bad-option"},
};

static const struct name state_words[] = {
	{STATE_NONE, "none"},
	{STATE_NEW, "new"},
	{STATE_ESTABLISHED, "established"},
	{STATE_RELATED, "related"},
	{STATE_INVALID, "invalid"},
};

struct vocabulary {
	const struct name *v;
	size_t n;
};
#define VOCABULARY(array)                                                                                              \
	{                                                                                                              \
		array, sizeof(array) / sizeof((array)[0])                                                              \
	}

/* Fields without a row have no names. */
static const struct vocabulary vocabularies[FIELD_VALUE_COUNT] = {
	[FIELD_PROTO] = VOCABULARY(protocols),	 [FIELD_ICMP] = VOCABULARY(icmp_types),
	[FIELD_ICMP6] = VOCABULARY(icmp6_types), [FIELD_FRAG] = VOCABULARY(frag_words),
	[FIELD_DSCP] = VOCABULARY(dscp_names),	 [FIELD_ETHERTYPE] = VOCABULARY(ethertypes),
	[FIELD_EXT] = VOCABULARY(ext_words),	 [FIELD_ECN] = VOCABULARY(ecn_names),
	[FIELD_STATE] = VOCABULARY(state_words),
};

static const struct {
	enum field_id id;
	unsigned int type;
	struct vocabulary names;
} codes[] = {
	{FIELD_ICMP, 3, VOCABULARY(icmp_codes_unreachable)},   {FIELD_ICMP, 5, VOCABULARY(icmp_codes_redirect)},
	{FIELD_ICMP, 11, VOCABULARY(icmp_codes_time)},	       {FIELD_ICMP, 12, VOCABULARY(icmp_codes_parameter)},
	{FIELD_ICMP6, 1, VOCABULARY(icmp6_codes_unreachable)}, {FIELD_ICMP6, 3, VOCABULARY(icmp6_codes_time)},
	{FIELD_ICMP6, 4, VOCABULARY(icmp6_codes_parameter)},
};

static const struct vocabulary *codes_of(enum field_id id, unsigned int type)
{
	static const struct vocabulary none;

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].id == id && codes[i].type == type)
			return &codes[i].names;
	return &none;
}

static long vocabulary_parse(const struct vocabulary *voc, const char *word, size_t len)
{
	for (size_t i = 0; i < voc->n; i++)
		if (str_is(voc->v[i].word, word, len))
			return voc->v[i].value;
	return -1;
}

static const char *vocabulary_word(const struct vocabulary *voc, uint64_t value)
{
	for (size_t i = 0; i < voc->n; i++)
		if (voc->v[i].value == value)
			return voc->v[i].word;
	return NULL;
}

static const char *vocabulary_name(const struct vocabulary *voc, size_t i)
{
	return i < voc->n ? voc->v[i].word : NULL;
}

static const struct vocabulary *vocabulary_of(enum field_id id)
{
	assert((unsigned int)id < FIELD_VALUE_COUNT);
	return &vocabularies[id];
}

long field_value_parse(enum field_id id, const char *word, size_t len)
{
	return vocabulary_parse(vocabulary_of(id), word, len);
}

const char *field_value_word(enum field_id id, uint64_t value)
{
	return vocabulary_word(vocabulary_of(id), value);
}

const char *field_value_name(enum field_id id, size_t i)
{
	return vocabulary_name(vocabulary_of(id), i);
}

long field_code_parse(enum field_id id, unsigned int type, const char *word, size_t len)
{
	return vocabulary_parse(codes_of(id, type), word, len);
}

const char *field_code_word(enum field_id id, unsigned int type, unsigned int code)
{
	return vocabulary_word(codes_of(id, type), code);
}

const char *field_code_name(enum field_id id, unsigned int type, size_t i)
{
	return vocabulary_name(codes_of(id, type), i);
}

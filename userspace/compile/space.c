// SPDX-License-Identifier: GPL-2.0-only
#include "compile/box.h"

/*
 * The vocabulary stands twice, once in model/field.h and once in <fw/abi.h>, because neither may see the other.
 * Here, where both are known, they are held together.
 */
#define FW_X(id, n) SPACE_ABI_BITS_##id = n,
enum { FW_SMALL_DIMS(FW_X) };
#undef FW_X
#define X(id, word, n, needs)                                                                                          \
	_Static_assert((int)FIELD_##id == (int)FW_DIM_##id, "order of fields: " #id);                                  \
	_Static_assert((n) == SPACE_ABI_BITS_##id, "bits of field: " #id);
FIELDS(X)
#undef X
#define SAME(a, b) _Static_assert((int)(a) == (int)(b), #a " is not " #b)
/* SETS, the last small dimension, is no field: its value comes from the addresses. */
SAME(FIELD_SMALL_COUNT, FW_DIM_SETS);
SAME(FW_DIM_SETS + 1, FW_DIM_SMALL_COUNT);
SAME(FIELD_MAC, FIELD_SMALL_COUNT);
SAME(SPACE_SETS + 1, SPACE_MAC);
SAME(DIRECTION_INGRESS, FW_DIR_INGRESS);
SAME(DIRECTION_EGRESS, FW_DIR_EGRESS);
SAME(VERDICT_DROP, FW_VERDICT_DROP);
SAME(VERDICT_PASS, FW_VERDICT_PASS);
SAME(VERDICT_CONTINUE, FW_VERDICT_CONTINUE);
SAME(VERDICT_COUNT, FW_VERDICT_COUNT);
SAME(FAMILY_OTHER, FW_L3_OTHER);
SAME(FAMILY_IPV4, FW_L3_IPV4);
SAME(FAMILY_IPV6, FW_L3_IPV6);
SAME(FRAG_NONE, FW_FRAG_NONE);
SAME(FRAG_FIRST, FW_FRAG_FIRST);
SAME(FRAG_LATER, FW_FRAG_LATER);
SAME(EXT_HOPOPTS, FW_EXT_HOPOPTS);
SAME(EXT_ROUTING, FW_EXT_ROUTING);
SAME(EXT_FRAGMENT, FW_EXT_FRAGMENT);
SAME(EXT_DSTOPTS, FW_EXT_DSTOPTS);
SAME(EXT_AH, FW_EXT_AH);

static const struct {
	const char *name;
	unsigned int bits;
} spaces[SPACE_COUNT] = {
#define X(id, word, n, needs) [FIELD_##id] = { word, n },
	FIELDS(X)
#undef X
		[SPACE_SETS] = { "sets", SPACE_ABI_BITS_SETS },
	[SPACE_MAC] = { "mac", 48 },
	[SPACE_SRC4] = { "from (IPv4)", 32 },
	[SPACE_SRC6] = { "from (IPv6)", 128 },
	[SPACE_DST4] = { "to (IPv4)", 32 },
	[SPACE_DST6] = { "to (IPv6)", 128 },
};

enum space space_of_field(enum field_id f)
{
	return f == FIELD_MAC ? SPACE_MAC : (enum space)f;
}

enum fw_dim space_dim(enum space s)
{
	if (s == SPACE_SRC4 || s == SPACE_SRC6)
		return FW_DIM_SRC;
	if (s == SPACE_DST4 || s == SPACE_DST6)
		return FW_DIM_DST;
	return (enum fw_dim)s;
}

u128 space_max(enum space s)
{
	return ~(u128)0 >> (128 - spaces[s].bits);
}

const char *space_name(enum space s)
{
	return spaces[s].name;
}

enum family space_family(enum space s)
{
	if (s == SPACE_SRC4 || s == SPACE_DST4)
		return FAMILY_IPV4;
	if (s == SPACE_SRC6 || s == SPACE_DST6)
		return FAMILY_IPV6;
	return FAMILY_COUNT;
}

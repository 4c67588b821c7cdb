/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rule text ↔ rule set. The only header of lang/ that other directories need.
 *
 * lang_parse reads a file and everything it includes through a callback, so nothing here opens a file.
 */
#ifndef FW_LANG_H
#define FW_LANG_H

#include "base/diag.h"
#include "model/packet.h"
#include "model/rule.h"

struct arena;

/*
 * Read one file. `path` is relative to the working directory and already resolved against the including file;
 * lang has checked that it stays below the directory of the top file (no "..", not absolute).
 * On success *ret_text is memory of the arena. Negative errno else.
 */
struct lang_reader {
	int (*read)(void *ctx, struct arena *arena, const char *path, const char **ret_text, size_t *ret_len);
	const char *(*error)(int err); /* the sentence for what `read` returned; NULL: that of errno */
	void *ctx;
};

/*
 * Parse, resolve. Diagnostics go to `d`; returns 0 with *ret_rules when there was no error, -EINVAL when diagnostics
 * have errors, -ENOMEM. `name` is the file's name as the user gave it; text is its bytes.
 * Everything returned lives in the arena.
 */
int lang_parse(struct arena *arena, const char *name, const char *text, size_t len, const struct lang_reader *reader,
	       struct diags *d, struct ruleset **ret_rules);

/* `--dump=ast`: the tree after parsing, before any name is known. */
int lang_dump_ast(struct arena *arena, const char *name, const char *text, size_t len, struct diags *d,
		  struct str *out);

/* Canonical text of a whole rule set: parsing it gives the same rule set (sets are written in place, includes and
 * defines are gone, essentials are implied by `default drop`). */
void lang_print(const struct ruleset *rs, struct str *out);
/* One policy, as lang_print would. The sets that it names, live ones too, are declared outside of it. */
void lang_print_policy(const struct policy *p, struct str *out);

/* A packet in words: `tcp 198.51.100.7:4000 -> 192.0.2.1:22 flags S`, or `hex 0200…`.
 * Errors are diagnostics on a source called `name`. */
int lang_parse_packet(struct arena *arena, const char *name, const char *text, size_t len, struct diags *d,
		      struct packet_spec **ret_spec);

/* An address in canonical text (RFC 5952). */
void lang_print_addr4(uint32_t addr, struct str *out);
void lang_print_addr6(u128 addr, struct str *out);

#endif

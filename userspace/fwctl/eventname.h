/* SPDX-License-Identifier: GPL-2.0-only */
/* What the rules are called that events tell of: the names of one generation of a policy, by rule and by counter slot. */
#ifndef FW_FWCTL_EVENTNAME_H
#define FW_FWCTL_EVENTNAME_H

#include "image/image.h"

struct event_rule {
	const char *label;       /* as written; "": none */
	const char *text, *file; /* as written */
	unsigned int line;
	bool essential;
	const char *shown; /* for people: `"banned" web.fw:21` */
	const char *json;  /* as a JSON string: label, else text */
	const char *json_file;
};

/* Zeroed: no names. */
struct event_names {
	uint64_t generation;
	char digest[65];
	struct image image; /* owned, without tables */
	struct event_rule *rule[FW_DIR_COUNT]; /* by index; filled when asked for */
	size_t nrules[FW_DIR_COUNT];
	uint32_t *by_slot[FW_DIR_COUNT]; /* 1 + index of the rule */
	size_t nslots[FW_DIR_COUNT];
};
/* Takes the image. 0 or -ENOMEM: then there are no names. */
int names_set(struct event_names *n, struct image *img);
void names_fini(struct event_names *n);

/* The rule that the event tells of; NULL: none, or one that nobody knows now. */
const struct event_rule *names_told(struct event_names *n, const struct fw_event *e);
/* The rule that the packet matched, in the generation of the names alone: the one whose limit it was over. NULL: none. */
const struct event_rule *names_matched(struct event_names *n, const struct fw_event *e);
/* By index; NULL: no memory, or past the end. */
const struct event_rule *names_rule(struct event_names *n, enum fw_dir dir, size_t index);
enum fw_dir event_dir(const struct fw_event *e);

/*
 * Is the rule called so? Its label, FILE:LINE (or the last part of the file's name, then :LINE), or its text.
 */
bool rule_is_called(const struct fw_image *img, const struct fw_meta_rule *r, const char *word);
/* Bytes as the inside of a JSON string with its quotes. malloc'ed; NULL: no memory. */
char *json_quoted(const char *bytes);

#endif

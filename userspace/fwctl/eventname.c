// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/eventname.h"

#include "fwctl/out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum fw_dir event_dir(const struct fw_event *e)
{
	return e->hook == FW_HOOK_TC_EGRESS ? FW_DIR_EGRESS : FW_DIR_INGRESS;
}

char *json_quoted(const char *bytes)
{
	json_t *j = out_jstr(bytes);
	char *text = j ? json_dumps(j, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

	json_decref(j);
	return text;
}

void names_fini(struct event_names *n)
{
	for (int d = 0; d < FW_DIR_COUNT; d++) {
		for (size_t i = 0; i < n->nrules[d]; i++) {
			free((char *)n->rule[d][i].shown);
			free((char *)n->rule[d][i].json);
			free((char *)n->rule[d][i].json_file);
		}
		free(n->rule[d]);
		free(n->by_slot[d]);
	}
	image_fini(&n->image);
	*n = (struct event_names){};
}

static int dir_index(struct event_names *n, const struct fw_image *img, enum fw_dir dir)
{
	size_t nrules, most = 0;
	const struct fw_meta_rule *r = image_rules(img, dir, &nrules);

	for (size_t i = 0; i < nrules; i++)
		if (r[i].slot < FW_MAX_SLOTS && r[i].slot >= most)
			most = r[i].slot + 1;
	n->rule[dir] = calloc(nrules + 1, sizeof(*n->rule[dir]));
	n->by_slot[dir] = calloc(most + 1, sizeof(*n->by_slot[dir]));
	if (!n->rule[dir] || !n->by_slot[dir])
		return -ENOMEM;
	n->nrules[dir] = nrules;
	n->nslots[dir] = most;
	for (size_t i = 0; i < nrules; i++)
		if (r[i].slot < most)
			n->by_slot[dir][r[i].slot] = (uint32_t)i + 1;
	return 0;
}

int names_set(struct event_names *n, struct image *img)
{
	int err = 0;

	names_fini(n);
	n->image = *img;
	*img = (struct image){};
	const struct fw_image *hdr = image_hdr(&n->image);
	n->generation = hdr->generation;
	image_digest_hex(hdr, n->digest);
	for (int d = 0; d < FW_DIR_COUNT && !err; d++)
		err = dir_index(n, hdr, (enum fw_dir)d);
	if (err)
		names_fini(n);
	return err;
}

#define TEXT_SHOWN 48 /* of the text of a rule that has no label: a line of a log is not the place for all of it */

/* `"banned" web.fw:21`, `drop proto tcp to port 22 web.fw:12`, `"ssh" essential` */
static char *rule_shown(const struct event_rule *r)
{
	struct str s = {};

	if (*r->label) {
		str_add(&s, "\"");
		str_add_escaped(&s, r->label, strlen(r->label));
		str_add(&s, "\"");
	} else {
		size_t len = strlen(r->text);
		/* The text has its own escapes: backslashes are no danger, control bytes would be. */
		for (size_t i = 0; i < len && i < TEXT_SHOWN; i++) {
			unsigned char c = (unsigned char)r->text[i];
			if (c >= 0x20 && c < 0x7f)
				str_add_char(&s, (char)c);
			else
				str_addf(&s, "\\x%02x", c);
		}
		if (len > TEXT_SHOWN)
			str_add(&s, "...");
	}
	str_add(&s, " ");
	if (r->essential) {
		str_add(&s, "essential");
	} else {
		str_add_escaped(&s, r->file, strlen(r->file));
		str_addf(&s, ":%u", r->line);
	}
	char *text = s.failed ? NULL : strdup(str_get(&s));
	str_fini(&s);
	return text;
}

const struct event_rule *names_rule(struct event_names *n, enum fw_dir dir, size_t index)
{
	if (index >= n->nrules[dir])
		return NULL;
	struct event_rule *r = &n->rule[dir][index];
	if (r->shown)
		return r;
	const struct fw_image *img = image_hdr(&n->image);
	size_t count;
	const struct fw_meta_rule *m = &image_rules(img, dir, &count)[index];

	r->label = image_str(img, m->label);
	r->text = image_str(img, m->text);
	r->file = image_str(img, m->file);
	r->line = m->line;
	r->essential = m->flags & FW_RULEF_ESSENTIAL;
	free((char *)r->json); /* of an attempt without memory */
	free((char *)r->json_file);
	r->json = json_quoted(*r->label ? r->label : r->text);
	r->json_file = json_quoted(r->file);
	r->shown = r->json && r->json_file ? rule_shown(r) : NULL;
	return r->shown ? r : NULL;
}

const struct event_rule *names_told(struct event_names *n, const struct fw_event *e)
{
	enum fw_dir dir = event_dir(e);

	if (e->slot < FW_SLOT_RULE0 || e->slot >= n->nslots[dir] || !n->by_slot[dir][e->slot])
		return NULL;
	return names_rule(n, dir, n->by_slot[dir][e->slot] - 1);
}

const struct event_rule *names_matched(struct event_names *n, const struct fw_event *e)
{
	return e->rule != ~0u && e->generation && e->generation == n->generation ? names_rule(n, event_dir(e), e->rule) : NULL;
}

bool rule_is_called(const struct fw_image *img, const struct fw_meta_rule *r, const char *word)
{
	const char *file = image_str(img, r->file), *colon = strrchr(word, ':'), *slash;
	char *end;

	if (!strcmp(image_str(img, r->label), word) && *word)
		return true;
	if (!strcmp(image_str(img, r->text), word) || !strcmp(image_str(img, r->id), word))
		return true;
	if (!colon || r->flags & FW_RULEF_ESSENTIAL)
		return false;
	unsigned long line = strtoul(colon + 1, &end, 10);
	if (end == colon + 1 || *end || line != r->line)
		return false;
	size_t len = (size_t)(colon - word);
	if (strlen(file) == len && !memcmp(file, word, len))
		return true;
	slash = strrchr(file, '/');
	return slash && strlen(slash + 1) == len && !memcmp(slash + 1, word, len);
}

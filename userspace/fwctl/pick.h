/* SPDX-License-Identifier: GPL-2.0-only */
/* Which packets are asked for, in words of a command line: --rule, --reason, --verdict, --address. */
#ifndef FW_FWCTL_PICK_H
#define FW_FWCTL_PICK_H

#include "fwctl/cmd.h"
#include "fwctl/eventloop.h"
#include "image/image.h"

#define PICK_VERDICTS "drop|pass|reject|any"
struct pick {
	const char *rule; /* NULL: any */
	uint32_t verdicts, reasons; /* bits; ~0u: all */
	uint8_t l3; /* FW_L3_OTHER: no address is asked for */
	uint32_t addr[4], mask[4];
};
/* Lists are separated by commas. Returns enum status, says what is wrong and what may have been meant. */
int pick_verdicts(const struct command *cmd, const char *words, uint32_t *ret);
int pick_reasons(const struct command *cmd, const char *words, uint32_t *ret);
int pick_address(const struct command *cmd, const char *word, struct pick *p);

/* The rules of that name in one image. Owned. */
struct picked {
	uint32_t *slot, *rule; /* FW_TAP_SLOT(slot or index, direction) */
	size_t n;
};
/* 0 or -ENOMEM; none found: n is 0. */
int pick_rules(const char *name, const struct fw_image *img, struct picked *ret);
void picked_fini(struct picked *p);
/* A label like that name; NULL: none. */
const char *pick_near(const char *name, const struct fw_image *img);

/* What is asked for, as the loop wants it. The filter points into `picked`. */
void pick_filter(const struct pick *p, const struct picked *picked, const struct fw_image *img, struct event_filter *ret);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Lists of elements on their way between words and live sets. */
#ifndef FW_FWCTL_ELEMENTS_H
#define FW_FWCTL_ELEMENTS_H

#include "base/str.h"
#include "fwctl/cmd.h"
#include "fwctl/input.h"
#include "kern/kern.h"
#include "lang/element.h"

/* One moment on both clocks: words speak of the wall clock, sets end by the one that nobody can set. */
struct moment {
	uint64_t mono, wall;
};
struct moment moment_now(void);
/* The wall clock when the other one shows this. */
uint64_t moment_wall(const struct moment *m, uint64_t mono);
/* Rounded up to a millisecond: the two clocks are not read at the same time. */
static inline uint64_t moment_ms(uint64_t ns)
{
	return (ns + 999999) / 1000000 * 1000000;
}

struct elements {
	struct kern_element *v;
	size_t n, cap;
	size_t ended; /* that had ended already, and are not among v */
	size_t widened;
	struct moment now;
};

void elements_init(struct elements *e);
void elements_fini(struct elements *e);
/* A range becomes prefixes. end_ns is 0 where the set's timeout is meant. 0 or -ENOMEM. */
int elements_add(struct elements *e, const struct element *x);
/* Elements as words: addresses, then what they have in common. Returns enum status, says what is wrong. */
int elements_words(struct elements *e, const struct command *cmd, const char *const *word, size_t n);
/* What stands behind the addresses alone: `for 1h reason …`. The reason lies in *text, which the caller frees. */
int elements_tail(const struct command *cmd, const char *const *word, size_t n, struct element *ret, struct str *text);
/*
 * Every line of a text; the first mistakes are told, and any makes it STATUS_WRONG. What a line does not say, `common` says
 * (NULL: nothing).
 */
int elements_text(struct elements *e, const struct input *in, const struct element *common);
/* What the set says of its elements: the timeout of those that have none, the /64 of hosts. */
void elements_settle(struct elements *e, const struct kern_set *set);
/* The same of one. True: it was widened. */
bool element_widen(struct kern_element *x, const struct kern_set *set);
/* How many different addresses and prefixes; -ENOMEM. */
long elements_distinct(const struct elements *e);

struct element_key { /* without holes */
	uint8_t l3, plen;
	uint8_t addr[16];
};
struct element_key element_key(const struct kern_element *x);

/* Mistakes in lines: ten are told, all are counted. */
struct mistakes {
	const char *name; /* of the input */
	size_t n, told;
};
#define MISTAKES_TOLD 10
void mistake(struct mistakes *m, size_t line, const char *s, const char *end, const char *why);
/* Say how many were not told, and begin anew. Returns whether there were any. */
bool mistakes_end(struct mistakes *m);

/* "192.0.2.7", "2001:db8::/32"; static ring. */
const char *element_text(const struct kern_element *x);
const char *address_text(uint8_t l3, const uint32_t addr[4]);
/* "59m12s", "never"; static ring. */
const char *left_text(const struct moment *now, uint64_t end_ns);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Before rules go live: do the compiled tables say what the rules mean, and do they cut the hand that loads them? */
#ifndef FW_FWCTL_VERIFY_H
#define FW_FWCTL_VERIFY_H

#include "image/image.h"
#include "kern/kern.h"
#include "model/rule.h"

/* The rules, and the image that was made of them. */
struct verify {
	const struct ruleset *rs;
	const struct policy *policy;
	const struct image *img; /* counter slots are those that kern gave it */
	size_t asked;            /* packets judged so far */
};

/*
 * Verified apply, as kern_verify.ask (ctx is a struct verify): a twin of the program judges witness packets of the rules and
 * the packets of the file's tests by the new tables, which no packet of the wire meets yet; every answer must be eval's.
 *
 * All rules that `live` does not have are asked for, up to VERIFY_NEW of them, and of the others a sample that another image
 * draws differently. -ECANCELED after a sentence that says which packet differs.
 */
int verify_ask(void *ctx, struct kern_twin *twin, enum fw_hook hook, const struct fw_image *live);

/*
 * Would the new rules drop the ssh connection that runs this command, or the answers to it? Only when one of `ifnames`
 * holds the server's address. Returns enum status, says what would be cut and how to insist.
 */
int ssh_check(const struct policy *p, const char *const *ifnames, size_t n);
/* From where the ssh session comes that runs this command. False: none does. */
bool ssh_client(enum family *ret_family, u128 *ret_address);

#endif

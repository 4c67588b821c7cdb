/* SPDX-License-Identifier: GPL-2.0-only */
/* Before rules go live: do the compiled tables say what the rules mean, and do they cut the hand that loads them? */
#ifndef FW_FWCTL_VERIFY_H
#define FW_FWCTL_VERIFY_H

#include "image/image.h"
#include "model/rule.h"

/*
 * Verified apply: a twin of the program judges witness packets of the rules and the packets of the file's tests on
 * the new image, which no packet meets yet; every answer must be eval's. `hooks`: bit per enum fw_hook.
 * Returns enum status, says which packet differs.
 */
int verify_image(const struct ruleset *rs, const struct policy *p, const struct image *img, unsigned int hooks);

/*
 * Would the new rules drop the ssh connection that runs this command, or the answers to it? Only when one of `ifnames`
 * holds the server's address. Returns enum status, says what would be cut and how to insist.
 */
int ssh_check(const struct policy *p, const char *const *ifnames, size_t n);

#endif

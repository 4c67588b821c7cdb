/* SPDX-License-Identifier: GPL-2.0-only */
/* What libbpf would print is kept instead: the kernel's own sentences are in there. */
#ifndef FW_KERN_LOG_H
#define FW_KERN_LOG_H

#include <stddef.h>

/* Forget what was kept and keep from now on, each thread for itself. The first call takes the place of libbpf's and libxdp's printing. */
void log_start(void);
/* The netlink extack sentence seen since log_start; "" when there was none. */
const char *log_extack(void);
/* The last warning line seen since log_start; "" when there was none. */
const char *log_last(void);

#endif

// SPDX-License-Identifier: GPL-2.0-only
/* The XDP hook as it is, with a verdict that the test chooses. */
#define FW_ENV_XDP
#include "ask.bpf.h"
#define fw_run ask_judge
#define FW_CORE_RUN_H
#include "../../xdp/fw_xdp.bpf.c"

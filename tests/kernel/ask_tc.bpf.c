// SPDX-License-Identifier: GPL-2.0-only
/* The TC hooks as they are, with a verdict that the test chooses. */
#define FW_ENV_TC
#include "ask.bpf.h"
#define fw_run ask_judge
#define FW_CORE_RUN_H
#include "../../tc/fw_tc.bpf.c"

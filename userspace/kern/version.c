// SPDX-License-Identifier: GPL-2.0-only
#include "kern/kern.h"

#include <bpf/libbpf.h>

const char *kern_libbpf(void)
{
	const char *v = libbpf_version_string();

	return *v == 'v' ? v + 1 : v;
}

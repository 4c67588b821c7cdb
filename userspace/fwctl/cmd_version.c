// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/cmd.h"
#include "fwctl/out.h"
#include "kern/kern.h"

static int run(const struct args *a)
{
	if (args_has(a, "json"))
		return out_json(json_pack("{s:s,s:i,s:s}", "version", FWCTL_VERSION, "abi", FW_ABI_VERSION, "libbpf",
					  kern_libbpf()),
				false);
	out("fwctl %s (tables version %d, libbpf %s)\n", FWCTL_VERSION, FW_ABI_VERSION, kern_libbpf());
	return STATUS_DONE;
}

const struct command cmd_version = {
	.name = "version",
	.run = run,
	.usage = "[--json]",
	.help = "Print the version.",
	.kind = ARGS_NONE,
	.options = { { .name = "json", .help = "print JSON" } },
};

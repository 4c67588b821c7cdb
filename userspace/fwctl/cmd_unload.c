// SPDX-License-Identifier: GPL-2.0-only
/* unload: detach and forget. */
#include "fwctl/cmd.h"
#include "fwctl/live.h"
#include "fwctl/out.h"
#include "fwctl/words.h"

#include <errno.h>

static int unload_all(struct live *l, json_t *done)
{
	unsigned int n = 0;
	int err = kern_unload_all(l->kern, &n);

	if (err) {
		problem_fail(&l->fail, err);
		return STATUS_REFUSED;
	}
	if (!done)
		out("unloaded %s\n", word_count(n, "interface"));
	for (size_t i = 0; done && i < l->n; i++)
		json_array_append_new(done, out_jstr(l->iface[i].name));
	return STATUS_DONE;
}

static int unload_some(struct live *l, const struct args *a, json_t *done)
{
	int status = STATUS_DONE;

	for (size_t i = 0; i < a->nwords; i++) {
		l->fail = (struct fail){};
		int err = live_find(l, a->word[i]) ? kern_unload(l->kern, a->word[i]) : -ENOENT;
		if (!err && done)
			json_array_append_new(done, out_jstr(a->word[i]));
		else if (!err)
			out("%s: unloaded\n", out_name(a->word[i]));
		if (!err)
			continue;
		if (l->fail.err)
			problem_fail(&l->fail, err);
		else
			problem("cannot unload %s: it is not filtered by fwctl in this network namespace; fwctl status "
				"lists those that are",
				out_name(a->word[i]));
		status = STATUS_REFUSED;
	}
	return status;
}

static int run(const struct args *a)
{
	bool all = args_has(a, "all"), json = args_has(a, "json");
	struct live l;

	if (all == (a->nwords > 0))
		return args_wrong(&cmd_unload, "name interfaces, or say --all");
	for (size_t i = 0; i < a->nwords; i++)
		if (ifname_wrong(a->word[i]))
			return STATUS_WRONG;
	int status = live_open(&l, KERN_WRITE);
	if (status)
		return status;
	json_t *done = json ? json_array() : NULL;
	status = all ? unload_all(&l, done) : unload_some(&l, a, done);
	if (json) {
		int err = out_json(json_pack("{s:o}", "unloaded", done), false);
		status = status ? status : err;
	}
	live_close(&l);
	return status;
}

const struct command cmd_unload = {
	.name = "unload",
	.run = run,
	.usage = "IFACE... [--json]\n--all [--json]",
	.help = "Detach from interfaces and remove their state; also when the interface is gone.",
	.kind = ARGS_IFACES,
	.max = ARGS_ANY,
	.options =
		{
			{.name = "all",
			 .help = "every interface of this network namespace, and what vanished namespaces left behind"},
			{.name = "json", .help = "print JSON"},
		},
};

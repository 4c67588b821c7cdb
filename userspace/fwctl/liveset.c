// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/liveset.h"

#include "fwctl/cmd.h"
#include "fwctl/out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int liveset_refused(struct liveset *s, int err)
{
	problem_fail(&s->live.fail, err);
	s->live.fail = (struct fail){};
	return STATUS_REFUSED;
}

int liveset_open_all(struct liveset *s, enum kern_access access)
{
	*s = (struct liveset){};
	int status = live_lock(&s->live, access);
	if (status)
		return status;
	int err = kern_live_open(s->live.kern, &s->h);
	if (err == -ENOENT) {
		s->h = NULL;
		s->live.fail = (struct fail){};
		return STATUS_DONE;
	}
	if (!err)
		err = kern_live_sets(s->h, &s->sets, &s->n);
	return err ? liveset_refused(s, err) : STATUS_DONE;
}

const struct kern_set *liveset_find(const struct liveset *s, const char *name)
{
	name += *name == '@';
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->sets[i].name, name))
			return &s->sets[i];
	return NULL;
}

static int no_choice(const struct liveset *s, const char *name)
{
	struct str names = {};

	for (size_t i = 0; i < s->n; i++)
		str_addf(&names, "%s%s", i ? ", " : "", s->sets[i].name);
	if (!s->n)
		problem("there is no live set in this network namespace; declare one in a rule file, \"set banned { "
			"type prefix; "
			"live }\", use it in a rule, and load the file");
	else if (name)
		problem("there is no live set \"%s\" in this network namespace; there is %s", out_name(name),
			str_get(&names));
	else
		problem("which live set? say --set and one of %s", str_get(&names));
	str_fini(&names);
	return STATUS_REFUSED;
}

int liveset_choose(struct liveset *s, const char *name)
{
	s->set = liveset_find(s, name ? name : "banned");
	if (!s->set && !name && s->n == 1)
		s->set = &s->sets[0];
	return s->set ? STATUS_DONE : no_choice(s, name);
}

int liveset_open(struct liveset *s, enum kern_access access, const char *name)
{
	int status = liveset_open_all(s, access);

	return status ? status : liveset_choose(s, name);
}

void liveset_release(struct liveset *s)
{
	if (s->h)
		kern_live_close(s->h);
	s->h = NULL;
	live_release(&s->live);
}

void liveset_close(struct liveset *s)
{
	liveset_release(s);
	live_close(&s->live);
	free(s->sets);
	*s = (struct liveset){};
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The completion for bash. `compgen -W` expands its list as the shell would, so words from outside (interface names may
 * hold
 * "$(...)") never pass through it: they are compared as strings and quoted by printf %q.
 */
#include "fwctl/help.h"
#include "fwctl/out.h"

#include <stdio.h>
#include <string.h>

static void words_add(struct str *s, const char *values)
{
	for (; *values; values++)
		str_add_len(s, *values == '|' ? " " : values, 1);
}

static void case_begin(struct str *s, const char *name)
{
	str_addf(s, "\t%s)\n", name);
}

static void command_add(struct str *s, const struct command *cmd)
{
	case_begin(s, cmd->name);
	str_add(s, "\t\toptions='");
	for (size_t i = 0; cmd->options[i].name; i++)
		str_addf(s, "%s--%s%s", i ? " " : "", cmd->options[i].name,
			 cmd->options[i].arg && !cmd->options[i].optional ? "=" : "");
	str_add(s, "'\n\t\tcase $option in\n");
	for (size_t i = 0; cmd->options[i].name; i++) {
		const struct option_row *o = &cmd->options[i];
		if (!o->arg)
			continue;
		str_addf(s, "\t\t--%s", o->name);
		if (o->letter)
			str_addf(s, "|-%c", o->letter);
		if (o->values) {
			str_add(s, ") kind=words words='");
			words_add(s, o->values);
			str_add(s, "' ;;\n");
		} else {
			str_addf(s, ") kind=%s ;;\n",
				 !strcmp(o->arg, "FILE")    ? "file"
				 : !strcmp(o->arg, "IFACE") ? "iface"
							    : "none");
		}
	}
	str_add(s, "\t\t*) ");
	switch (cmd->kind) {
	case ARGS_FILE:
		str_add(s, "kind=file");
		break;
	case ARGS_IFACES:
		str_add(s, "kind=iface");
		break;
	case ARGS_WORDS:
		str_add(s, "kind=words words='");
		words_add(s, cmd->words);
		str_add(s, "'");
		break;
	case ARGS_VERB:
		str_add(s, "kind=words words=$verbs");
		break;
	case ARGS_NONE:
		str_add(s, "kind=none");
		break;
	}
	str_add(s, " ;;\n\t\tesac\n\t\t;;\n");
}

static const char begin[] =
	"# bash completion for fwctl; made by `fwctl help --completion`\n"
	"_fwctl_match() { # WORD...: offer those that begin with what was typed\n"
	"\tlocal word\n"
	"\tfor word; do\n"
	"\t\t[[ $word == \"$cur\"* ]] && COMPREPLY+=(\"$(printf %q \"$word\")\")\n"
	"\tdone\n"
	"}\n"
	"_fwctl() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} option= kind=none words= options= verbs path names=()\n";

static const char middle[] = "\tCOMPREPLY=()\n"
			     "\tif ((COMP_CWORD == 1)); then\n"
			     "\t\t_fwctl_match $verbs\n"
			     "\t\treturn\n"
			     "\tfi\n"
			     "\t# bash splits --option=value into three words\n"
			     "\tif [[ $cur == = ]]; then\n"
			     "\t\toption=${COMP_WORDS[COMP_CWORD-1]} cur=\n"
			     "\telif [[ ${COMP_WORDS[COMP_CWORD-1]} == = ]]; then\n"
			     "\t\toption=${COMP_WORDS[COMP_CWORD-2]}\n"
			     "\telse\n"
			     "\t\toption=${COMP_WORDS[COMP_CWORD-1]}\n"
			     "\tfi\n"
			     "\tcase ${COMP_WORDS[1]} in\n";

static const char end[] = "\tesac\n"
			  "\tif [[ $cur == -* ]]; then\n"
			  "\t\t_fwctl_match $options\n"
			  "\t\t[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace 2>/dev/null\n"
			  "\t\treturn\n"
			  "\tfi\n"
			  "\tcase $kind in\n"
			  "\twords) _fwctl_match $words ;;\n"
			  "\tiface)\n"
			  "\t\tfor path in /sys/class/net/*; do\n"
			  "\t\t\tnames+=(\"${path##*/}\")\n"
			  "\t\tdone\n"
			  "\t\t_fwctl_match \"${names[@]}\"\n"
			  "\t\t;;\n"
			  "\tfile)\n"
			  "\t\tcompopt -o filenames 2>/dev/null\n"
			  "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
			  "\t\t;;\n"
			  "\tesac\n"
			  "}\n"
			  "complete -F _fwctl fwctl\n";

int help_completion(void)
{
	struct str s = {};

	str_add(&s, begin);
	str_add(&s, "\tverbs='");
	for (size_t i = 0; commands[i]; i++)
		str_addf(&s, "%s%s", i ? " " : "", commands[i]->name);
	str_add(&s, "'\n");
	str_add(&s, middle);
	for (size_t i = 0; commands[i]; i++)
		command_add(&s, commands[i]);
	str_add(&s, end);
	if (!s.failed)
		fputs(str_get(&s), stdout);
	str_fini(&s);
	return STATUS_DONE;
}

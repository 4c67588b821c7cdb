// SPDX-License-Identifier: GPL-2.0-only
/* The manual page, fwctl(8), in man(7) macros. */
#include "fwctl/help.h"
#include "fwctl/out.h"

#include <stdio.h>
#include <string.h>

/* Text as roff: no byte of it may be a request or an escape; '-' is a minus that can be copied. */
static void roff_add(struct str *s, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool begin = !s->len || s->s[s->len - 1] == '\n';
		if (begin && (text[i] == '.' || text[i] == '\''))
			str_add(s, "\\&");
		if (text[i] == '-')
			str_add(s, "\\-");
		else if (text[i] == '\\')
			str_add(s, "\\e");
		else
			str_add_len(s, &text[i], 1);
	}
}

static void roff_wrapped(struct str *s, const char *text, size_t len)
{
	struct str w = {};

	help_wrap(text, len, 72, &w);
	roff_add(s, str_get(&w), w.len);
	str_fini(&w);
}

static void roff_text(struct str *s, const char *text)
{
	roff_wrapped(s, text, strlen(text));
}

/* Paragraphs are separated by an empty line. */
static void roff_paragraphs(struct str *s, const char *text)
{
	while (*text) {
		const char *gap = strstr(text, "\n\n");
		size_t n = gap ? (size_t)(gap - text) : strlen(text);
		roff_wrapped(s, text, n);
		str_add(s, "\n");
		text += n;
		if (gap) {
			str_add(s, ".PP\n");
			text += 2;
		}
	}
}

static void man_usage(struct str *s, const struct command *cmd)
{
	const char *u = cmd->usage;

	do {
		size_t n = strcspn(u, "\n");
		str_add(s, ".B fwctl ");
		roff_text(s, cmd->name);
		str_add(s, "\n");
		roff_wrapped(s, u, n);
		u += n + (u[n] == '\n');
		str_add(s, *u ? "\n.br\n" : "\n");
	} while (*u);
}

static void man_command(struct str *s, const struct command *cmd)
{
	str_add(s, ".SS ");
	roff_text(s, cmd->name);
	str_add(s, "\n");
	man_usage(s, cmd);
	str_add(s, ".PP\n");
	roff_text(s, cmd->help);
	str_add(s, "\n");
	if (cmd->more) {
		str_add(s, ".PP\n");
		roff_paragraphs(s, cmd->more);
	}
	for (size_t i = 0; cmd->options[i].name; i++) {
		struct str o = {};
		help_option(&cmd->options[i], &o);
		str_add(s, ".TP\n.B ");
		roff_text(s, str_get(&o));
		str_add(s, "\n");
		roff_text(s, cmd->options[i].help);
		str_add(s, ".\n");
		str_fini(&o);
	}
}

static const struct {
	const char *title, *text;
} sections[] = {
	{ "RULE FILES", "The first matching rule decides. A file holds policies, each with an ingress and an egress "
			"block, and may bind "
			"them to interfaces:\n" },
	{ "PACKETS",
	  "A packet is described as in test blocks:\n\ntcp 198.51.100.7:4000 -> 192.0.2.1:22 flags S\n\nor "
	  "as bytes, \"hex "
	  "0200...\", or as the N-th packet of a capture file, \"pcap FILE#N\" (pcap or pcapng, Ethernet)." },
	{ "EXIT STATUS",
	  "0: done. 1: the system refused, or the state is degraded. 2: the rules or the command line are wrong." },
	{ "ENVIRONMENT", "NO_COLOR: when set and not empty, no colour is used on a terminal.\n\nSSH_CONNECTION: load, "
			 "apply and ban refuse what "
			 "would cut this connection, unless --force is given." },
	{ "FILES",
	  "/sys/fs/bpf/fwctl: the state, pinned objects of the kernel, one directory per network namespace. It "
	  "is mounted when "
	  "missing." },
	{ "NOTES",
	  "fwctl acts in the network namespace it runs in. There is no daemon: what was loaded keeps filtering "
	  "when fwctl has "
	  "ended, until unload or reboot. Names of interfaces and labels are shown with \\xNN for bytes that "
	  "are not printable." },
};

static const char example[] =
	".RS\n.nf\npolicy web {\n  ingress default drop {\n    pass proto tcp to port { 80, 443 }\n  }\n}\n"
	"interface eth0 uses web\n.fi\n.RE\n";

int help_man(void)
{
	struct str s = {};

	str_add(&s,
		".TH FWCTL 8 \"2026-11-21\" \"fwctl " FWCTL_VERSION "\" \"System administration\"\n.SH NAME\nfwctl \\- "
		"packet filter at XDP and TC, driven by rule files\n.SH SYNOPSIS\n");
	for (size_t i = 0; commands[i]; i++) {
		if (i)
			str_add(&s, ".br\n");
		man_usage(&s, commands[i]);
	}
	str_add(&s, ".SH COMMANDS\n");
	for (size_t i = 0; commands[i]; i++)
		man_command(&s, commands[i]);
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		str_addf(&s, ".SH %s\n", sections[i].title);
		roff_paragraphs(&s, sections[i].text);
		if (!i)
			str_add(&s, example);
	}
	str_add(&s, ".SH SEE ALSO\n.BR bpftool (8),\n.BR tc (8),\n.BR nft (8)\n");
	if (!s.failed)
		fputs(str_get(&s), stdout);
	str_fini(&s);
	return STATUS_DONE;
}

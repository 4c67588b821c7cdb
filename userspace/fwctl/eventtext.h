/* SPDX-License-Identifier: GPL-2.0-only */
/* One event in words: a line for people, a line of JSON, a datagram for the journal. No byte of a packet or a name drives anything. */
#ifndef FW_FWCTL_EVENTTEXT_H
#define FW_FWCTL_EVENTTEXT_H

#include "base/str.h"
#include "fwctl/eventname.h"

/* What is known of an event beside itself. Names as they are; `…_shown`, `…_json`: escaped before, once for many events. */
struct event_view {
	const struct fw_event *event;
	uint64_t wall_ns; /* CLOCK_REALTIME */
	const char *iface, *iface_shown, *iface_json;
	const char *policy;
	const struct event_rule *told;    /* NULL: a reason or the default, or a rule that is no more */
	const struct event_rule *matched; /* the packet was over its limit, say; NULL: none */
};

void event_text(const struct event_view *v, struct str *out);    /* with its newline */
void event_brief(const struct event_view *v, struct str *out);   /* the same from the verdict on, without one */
void event_json(const struct event_view *v, struct str *out);    /* with its newline */
/* Lines KEY=value of the protocol of journald's socket. */
void event_journal(const struct event_view *v, struct str *out);

/* Events (or packets: noun) that came and went unread. */
void lost_text(uint64_t n, const char *noun, struct str *out);
void lost_json(uint64_t n, uint64_t wall_ns, struct str *out);
void lost_journal(uint64_t n, struct str *out);

/* "2026-11-28T18:11:38.123456" */
void time_text(uint64_t wall_ns, struct str *out);
/* "drop by "banned" web.fw:21 (reason rule) generation 7": the comment of a packet in a capture. */
void event_comment(const struct event_view *v, struct str *out);
/* One field of the journal: the short form, or that with a length when the value has bytes that end lines. */
void journal_field(struct str *out, const char *key, const char *value, size_t len);

#endif

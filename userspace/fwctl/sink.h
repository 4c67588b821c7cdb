/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a stream goes: standard output, a file. A reader that stops reading makes us wait, and the buffer does not grow meanwhile;
 * one that is gone ends the stream. While we wait, signals are heard (SIGINT, SIGTERM, SIGHUP, by a signalfd).
 */
#ifndef FW_FWCTL_SINK_H
#define FW_FWCTL_SINK_H

#include "base/str.h"

#include <signal.h>

enum sink_kind { SINK_PLAIN, SINK_POLLED, SINK_SOCKET };
struct sink {
	int fd;
	bool own;             /* fd is ours to close */
	enum sink_kind kind;
	struct str pending;   /* what has not been written: append, then sink_settle */
	size_t done;          /* bytes of it that have */
	uint64_t written;     /* bytes in all */
	int signals;          /* a signalfd; -1: nobody hears them */
	bool ended;           /* a signal came; may be set by others */
	bool broken;          /* the reader is gone */
	int err;              /* negative errno of another failure */
	uint64_t deadline_ns; /* CLOCK_MONOTONIC, once it has ended: who still does not read gets no more; 0: not set yet */
};
#define SINK_FULL 65536 /* bytes that may be pending before they are written */

/* SIGINT, SIGTERM, SIGHUP come as a signalfd, SIGPIPE not at all. -1: no such thing. `before` is what signals_restore takes. */
struct signals {
	sigset_t mask;
	struct sigaction pipe;
	int fd;
};
bool signals_hear(struct signals *s);
void signals_restore(struct signals *s);
/* Has one come? Takes it. */
bool signals_taken(int fd);
/* As a command ends whose reader is gone: by SIGPIPE, unless that is ignored. Then the status is STATUS_REFUSED. */
int signals_broken(struct signals *s);

/* `fd` is the caller's. */
void sink_init(struct sink *s, int fd, int signals);
void sink_fini(struct sink *s);
/* Write when there is much (now: whatever there is). False: this is the end, see broken, err, ended. */
bool sink_settle(struct sink *s, bool now);
/* Wait until fd takes something, or the end: false. For sockets of others. */
bool sink_wait(struct sink *s, int fd);

#endif

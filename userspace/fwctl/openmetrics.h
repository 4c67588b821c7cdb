/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Metrics as text, in the two forms that Prometheus reads: OpenMetrics 1.0, and the older text format 0.0.4, which node_exporter's
 * textfile collector and promtool want. They differ in the names of families, in units, and in the line at the end.
 */
#ifndef FW_FWCTL_OPENMETRICS_H
#define FW_FWCTL_OPENMETRICS_H

#include "base/str.h"

enum om_format { OM_OPEN, OM_PLAIN };
#define OM_FORMATS "openmetrics|plain" /* in the order of the enum */
enum om_type { OM_COUNTER, OM_GAUGE, OM_INFO };

struct om {
	struct str *s;
	enum om_format format;
	const char *name; /* of the family, without what its type adds */
	enum om_type type;
	bool labels; /* of the sample being written: one is there */
};

/* What follows belongs to it. unit: the end of the name, or NULL. */
void om_family(struct om *m, enum om_type type, const char *name, const char *unit, const char *help);
/* One sample: om_sample, om_label…, one value. */
void om_sample(struct om *m);
/*
 * Bytes as they are when they are UTF-8 and no control characters; others become the text \xNN. A backslash before an x does, too, so
 * that different bytes are different series.
 */
void om_label(struct om *m, const char *name, const char *bytes);
void om_u64(struct om *m, uint64_t v);
void om_seconds(struct om *m, uint64_t ns); /* to the millisecond */
void om_end(struct om *m);

/* For the header of an answer. */
const char *om_content_type(enum om_format format);

#endif

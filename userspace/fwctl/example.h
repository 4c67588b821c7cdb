/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets, rules and sets of packets in words, for lint and diff. */
#ifndef FW_FWCTL_EXAMPLE_H
#define FW_FWCTL_EXAMPLE_H

#include "analyze/diff.h"
#include "analyze/region.h"
#include "base/str.h"

#include <jansson.h>

/*
 * As `explain` reads it: tcp 198.51.100.7:40000 -> 192.0.2.80:443 flags S. Behind it in brackets what is taken for granted: its
 * state, where that is not the one of a packet of no flow, and live sets (bits of `live`).
 */
void example_text(const struct packet_spec *spec, bool tracks, const char *const *live, size_t nlive, struct str *out);
/* {"packet", "state", "source_in", "destination_in"} */
json_t *example_json(const struct packet_spec *spec, bool tracks, const char *const *live, size_t nlive);

/* "label", or file:line. */
void rule_name(const struct rule *r, struct str *out);
/* {"id"?, "file", "line", "text", "label"?, "verdict"} */
json_t *rule_json(const struct rule *r);

/* "tcp from 192.0.2.0/24 to port { 80, 443 } state new" */
void region_text(const struct region *r, struct str *out);

#endif

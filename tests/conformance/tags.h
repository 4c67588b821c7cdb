/* SPDX-License-Identifier: GPL-2.0-only */
/* VLAN tags in the buffer's metadata, as a network card with tag offload leaves them. */
#ifndef FW_CONFORMANCE_TAGS_H
#define FW_CONFORMANCE_TAGS_H

#include "harness/lab.h"

/* Until the program ends, every frame that leaves through `gen` gets `n` tags more, VID 0, the outermost in metadata.
 */
void tags_push(const struct lab_end *gen, int n);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* What programs and pins of a rim are, and packets for the program that filters BOX_IF. Inside a box; each ends the test when it fails. */
#ifndef FW_HARNESS_RIM_PROG_H
#define FW_HARNESS_RIM_PROG_H

#include <stdbool.h>
#include <stdint.h>

/* Does the program have a map of this name? */
bool program_has(uint32_t prog_id, const char *name);
/* Id of the map whose pin's path contains `part` (rim_pin). */
uint32_t pin_id(const char *part);
/* The program that filters BOX_IF judges a datagram to a port, n times. */
void run_live(uint16_t dport, unsigned int n);

#endif

// SPDX-License-Identifier: GPL-2.0-only
/* Value → class: direct tables, sorted bounds, tries. */
#include "compile/plan.h"

#include <string.h>

static void tables_write_small(const struct plan *p, enum space s, uint16_t *table)
{
	const struct classes *c = &p->classes[s];
	size_t cells = (size_t)space_max(s) + 1;

	for (size_t i = 0; i < c->nbounds; i++) {
		size_t end = i + 1 < c->nbounds ? (size_t)c->start[i + 1] : cells;

		for (size_t value = (size_t)c->start[i]; value < end; value++)
			table[value] = c->cls[i];
	}
	table[cells] = c->absent;
}

static void tables_write_mac(const struct plan *p, struct image *img)
{
	const struct classes *c = &p->classes[SPACE_MAC];
	struct fw_mac_tab *tab = (struct fw_mac_tab *)(img->data + p->table[SPACE_MAC]);
	uint64_t *bound = (uint64_t *)(tab + 1);
	uint16_t *cls = (uint16_t *)(img->data + p->mac_cls);

	tab->n = c->nbounds;
	tab->cls = p->mac_cls;
	for (size_t i = 0; i < c->nbounds; i++) {
		bound[i] = (uint64_t)c->start[i];
		cls[i] = c->cls[i];
	}
}

void tables_write(const struct plan *p, struct image *img)
{
	for (int s = 0; s < SPACE_COUNT; s++) {
		if (!p->table[s])
			continue;
		if (s < SPACE_MAC)
			tables_write_small(p, s, (uint16_t *)(img->data + p->table[s]));
		else if (s == SPACE_MAC)
			tables_write_mac(p, img);
		else
			memcpy(img->data + p->table[s], p->trie[s].v, trie_bytes(&p->trie[s]));
	}
}

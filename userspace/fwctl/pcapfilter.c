// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/pcapfilter.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

struct pcapfilter {
	struct bpf_program program;
};

struct pcapfilter *pcapfilter_new(const char *expression, uint32_t snap, char *why, size_t why_size)
{
	struct pcapfilter *f = calloc(1, sizeof(*f));
	pcap_t *p = pcap_open_dead(DLT_EN10MB, (int)snap);

	snprintf(why, why_size, "no memory");
	if (f && p && pcap_compile(p, &f->program, expression, 1, PCAP_NETMASK_UNKNOWN)) {
		snprintf(why, why_size, "%s", pcap_geterr(p));
		free(f);
		f = NULL;
	} else if (!p) {
		free(f);
		f = NULL;
	}
	if (p)
		pcap_close(p);
	return f;
}

void pcapfilter_free(struct pcapfilter *f)
{
	if (f)
		pcap_freecode(&f->program);
	free(f);
}

bool pcapfilter_matches(const struct pcapfilter *f, const uint8_t *data, uint32_t caplen, uint32_t wire)
{
	const struct pcap_pkthdr h = { .caplen = caplen, .len = wire };

	return pcap_offline_filter(&f->program, &h, data) != 0;
}

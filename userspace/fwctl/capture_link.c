// SPDX-License-Identifier: GPL-2.0-only
/* Link layers: Ethernet as it is, IP without one and cooked captures with a header made for them; others are told by
 * name. */
#include "fwctl/capture_priv.h"

#include <stdio.h>

#define HEADER 14

enum {
	LINKTYPE_RAW_BSD = 12, /* DLT_RAW as some wrote it into files, before there was one number */
	LINKTYPE_RAW_OPENBSD = 14,
	LINKTYPE_RAW = 101,
	LINKTYPE_LINUX_SLL = 113,
	LINKTYPE_IPV4 = 228,
	LINKTYPE_IPV6 = 229,
	LINKTYPE_LINUX_SLL2 = 276,
};
enum {
	ARPHRD_ETHER = 1,
	ARPHRD_FRAD = 770,
	ARPHRD_IPGRE = 778,
	ARPHRD_IEEE80211 = 801,
	ARPHRD_IEEE80211_RADIOTAP = 803,
	ARPHRD_NETLINK = 824,
};

/* Of what a look at a capture is likely to meet. */
static const struct {
	uint16_t link;
	const char *name;
} names[] = {
	{ 0, "NULL" },
	{ 1, "ETHERNET" },
	{ 6, "IEEE802_5" },
	{ 8, "SLIP" },
	{ 9, "PPP" },
	{ 10, "FDDI" },
	{ 50, "PPP_HDLC" },
	{ 51, "PPP_ETHER" },
	{ 100, "ATM_RFC1483" },
	{ 101, "RAW" },
	{ 104, "C_HDLC" },
	{ 105, "IEEE802_11" },
	{ 107, "FRELAY" },
	{ 108, "LOOP" },
	{ 113, "LINUX_SLL" },
	{ 117, "PFLOG" },
	{ 119, "IEEE802_11_PRISM" },
	{ 122, "IP_OVER_FC" },
	{ 127, "IEEE802_11_RADIOTAP" },
	{ 143, "DOCSIS" },
	{ 163, "IEEE802_11_AVS" },
	{ 187, "BLUETOOTH_HCI_H4" },
	{ 189, "USB_LINUX" },
	{ 192, "PPI" },
	{ 195, "IEEE802_15_4_WITHFCS" },
	{ 201, "BLUETOOTH_HCI_H4_WITH_PHDR" },
	{ 220, "USB_LINUX_MMAPPED" },
	{ 227, "CAN_SOCKETCAN" },
	{ 228, "IPV4" },
	{ 229, "IPV6" },
	{ 230, "IEEE802_15_4_NOFCS" },
	{ 239, "NFLOG" },
	{ 249, "USBPCAP" },
	{ 251, "BLUETOOTH_LE_LL" },
	{ 252, "WIRESHARK_UPPER_PDU" },
	{ 253, "NETLINK" },
	{ 254, "BLUETOOTH_LINUX_MONITOR" },
	{ 271, "VSOCK" },
	{ 272, "NORDIC_BLE" },
	{ 276, "LINUX_SLL2" },
};

const char *capture_link_name(uint32_t link)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].link == link)
			return names[i].name;
	return NULL;
}

enum capture_way capture_way_cooked(unsigned int type)
{
	return type == 4 ? CAPTURE_WAY_OUT : type < 4 ? CAPTURE_WAY_IN : CAPTURE_WAY_UNKNOWN;
}

/* How the header of a packet is to be made: `strip` bytes of its own go. */
struct made {
	size_t strip;
	unsigned int ethertype;
	const uint8_t *mac; /* source; NULL: not told */
};

static unsigned int get16(const uint8_t *b)
{
	return (unsigned int)b[0] << 8 | b[1];
}

/* Link layers whose protocol is no ethertype. */
static bool arphrd_other(unsigned int type)
{
	return type == ARPHRD_NETLINK || type == ARPHRD_FRAD || type == ARPHRD_IPGRE ||
	       (type >= ARPHRD_IEEE80211 && type <= ARPHRD_IEEE80211_RADIOTAP);
}

/* Both forms of cooked captures. NULL, or why not. */
static const char *cooked(const uint8_t *data, size_t have, bool second, struct capture_packet *p, struct made *ret)
{
	size_t size = second ? 20 : 16;
	unsigned int arphrd, mac_len;

	if (have < size)
		return "cut in its link header";
	arphrd = get16(data + (second ? 8 : 2));
	mac_len = second ? data[11] : get16(data + 4);
	if (arphrd_other(arphrd))
		return "cooked, and no Ethernet";
	if (p->way == CAPTURE_WAY_UNKNOWN)
		p->way = capture_way_cooked(second ? data[10] : get16(data));
	*ret = (struct made){ size, get16(data + (second ? 0 : 14)), NULL };
	if (arphrd == ARPHRD_ETHER && mac_len == 6)
		ret->mac = data + (second ? 12 : 6);
	return NULL;
}

static const char *raw(uint32_t link, const uint8_t *data, size_t have, struct made *ret)
{
	unsigned int version = have ? data[0] >> 4 : 0;

	if (link == LINKTYPE_IPV4 || link == LINKTYPE_IPV6)
		version = link == LINKTYPE_IPV4 ? 4 : 6;
	if (version != 4 && version != 6)
		return "raw, and no IP";
	*ret = (struct made){ 0, version == 4 ? 0x0800 : 0x86dd, NULL };
	return NULL;
}

/* The packet, put together in c->frame. */
static void put_together(struct capture *c, const struct made *m, const uint8_t *data, size_t have,
			 struct capture_packet *p)
{
	size_t head = p->made ? HEADER : 0;

	if (p->made) {
		memset(c->frame, 0, HEADER);
		if (m->mac)
			memcpy(c->frame + 6, m->mac, 6);
		c->frame[12] = (uint8_t)(m->ethertype >> 8);
		c->frame[13] = (uint8_t)m->ethertype;
	}
	if (have > m->strip)
		memcpy(c->frame + head, data + m->strip, have - m->strip);
	memset(c->frame + p->have, 0, p->len - p->have);
	p->frame = c->frame;
}

void capture_frame(struct capture *c, uint32_t link, const uint8_t *data, size_t have, size_t len,
		   struct capture_packet *p)
{
	const char *name = capture_link_name(link);
	struct made m = {};

	p->made = link != LINKTYPE_ETHERNET;
	if (link == LINKTYPE_LINUX_SLL || link == LINKTYPE_LINUX_SLL2) {
		p->skip = cooked(data, have, link == LINKTYPE_LINUX_SLL2, p, &m);
	} else if (link == LINKTYPE_RAW || link == LINKTYPE_RAW_BSD || link == LINKTYPE_RAW_OPENBSD ||
		   link == LINKTYPE_IPV4 || link == LINKTYPE_IPV6) {
		p->skip = raw(link, data, have, &m);
	} else if (p->made) {
		if (name)
			snprintf(c->skip, sizeof(c->skip), "link type %s", name);
		else
			snprintf(c->skip, sizeof(c->skip), "link type %u", link);
		p->skip = c->skip;
	}
	if (p->skip)
		return;
	if (len < have)
		len = have;
	p->len = len - m.strip + (p->made ? HEADER : 0);
	p->have = have - m.strip + (p->made ? HEADER : 0);
	p->cut = p->have < p->len;
	if (p->len > CAPTURE_MAX_FRAME)
		p->skip = "longer than a packet can be";
	else if (p->made || p->cut)
		put_together(c, &m, data, have, p);
	else
		p->frame = data;
}

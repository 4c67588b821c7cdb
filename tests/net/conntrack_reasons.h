/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where nft's conntrack means something else than fwctl, on purpose. In all of these fwctl passes a segment of a connection
 * that its rules have passed, and conntrack calls it invalid, since it follows both ends through a state machine of its own.
 * fwctl keeps the verdict of the opening packet for addresses and ports; an end that breaks the protocol can do so inside of
 * what it sends, too. Nothing that conntrack passes may be dropped: of that there is no reason here, nor of anything but TCP.
 */
#ifndef FW_TESTS_CONNTRACK_REASONS_H
#define FW_TESTS_CONNTRACK_REASONS_H

enum reason { NONE, ODD_FLAGS, OTHERS_SYN, OPENERS_SYN_ACK, BEHIND_RST, BEFORE_HANDSHAKE, SYN_BEHIND_FIN, REASONS };

static const char *const reason_words[REASONS] = {
	[ODD_FLAGS] = "neither SYN nor ACK nor RST: conntrack takes no such segment, wherever it belongs",
	[OTHERS_SYN] = "SYN of the side that did not open the connection",
	[OPENERS_SYN_ACK] = "SYN-ACK of the side that opened the connection, which has sent SYN",
	[BEHIND_RST] = "behind a RST: to conntrack the connection is no more; to fwctl it is for `tcp closed`, ten "
			"seconds, and so are errors about it",
	[BEFORE_HANDSHAKE] = "before the SYN-ACK: data, ACK or FIN that cannot be right yet",
	[SYN_BEHIND_FIN] = "behind a SYN of the opener that came after its FIN: conntrack takes a FIN that is sent again "
			"for that of the other side",
};

/* ours: what fwctl did; conntrack did the other thing. */
static enum reason reason_of(const struct conn *c, const struct said *w, bool ours)
{
	if (!ours || c->open.protocol != 6 || w->how == FORGED)
		return NONE;
	if (w->how == ERROR)
		return c->rst ? BEHIND_RST : NONE;
	if (!(w->flags & (SYN | ACK | RST)))
		return ODD_FLAGS;
	if ((w->flags & (SYN | ACK)) == SYN && !w->opener)
		return OTHERS_SYN;
	if ((w->flags & (SYN | ACK)) == (SYN | ACK) && w->opener)
		return OPENERS_SYN_ACK;
	if (c->rst)
		return BEHIND_RST;
	if (!c->syn_ack)
		return BEFORE_HANDSHAKE;
	if (c->anew)
		return SYN_BEHIND_FIN;
	return NONE;
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/example.h"

#include "base/cleanup.h"
#include "fwctl/out.h"
#include "fwctl/words.h"
#include "lang/print.h"
#include "model/track_key.h"

/* The state that the packet would have without a flow: not worth a word. */
static bool state_is_plain(const struct packet_spec *spec)
{
	auto_free uint8_t *frame = malloc(PACKET_MAX_FRAME);
	long len = frame ? packet_build(spec, frame, PACKET_MAX_FRAME) : -1;
	struct packet p = {};

	if (len < 0 || packet_parse(frame, (size_t)len, NULL, &p))
		return false;
	return track_state_alone(&p, false) == spec->state;
}

static const char *state_told(const struct packet_spec *spec, bool tracks)
{
	if (!tracks || spec->state == STATE_NONE || state_is_plain(spec))
		return NULL;
	return field_value_word(FIELD_STATE, spec->state);
}

static void sets_text(const char *side, uint32_t bits, const char *const *live, size_t nlive, const char **sep, struct str *out)
{
	for (size_t i = 0; i < nlive; i++) {
		if (!(bits >> i & 1))
			continue;
		str_addf(out, "%s%s in @%s", *sep, side, live[i]);
		*sep = ", ";
	}
}

void example_text(const struct packet_spec *spec, bool tracks, const char *const *live, size_t nlive, struct str *out)
{
	const char *state = state_told(spec, tracks), *sep = " (";

	print_packet(spec, out);
	if (state) {
		str_addf(out, "%sstate %s", sep, state);
		sep = ", ";
	}
	sets_text("source", spec->live_src, live, nlive, &sep, out);
	sets_text("destination", spec->live_dst, live, nlive, &sep, out);
	str_add(out, *sep == ',' ? ")" : "");
}

static json_t *sets_json(uint32_t bits, const char *const *live, size_t nlive)
{
	json_t *list = json_array();

	for (size_t i = 0; i < nlive; i++)
		if (bits >> i & 1)
			json_array_append_new(list, out_jstr(live[i]));
	return list;
}

json_t *example_json(const struct packet_spec *spec, bool tracks, const char *const *live, size_t nlive)
{
	const char *state = state_told(spec, tracks);
	struct str s = {};
	json_t *j;

	print_packet(spec, &s);
	j = json_pack("{s:o}", "packet", out_jstr(str_get(&s)));
	str_fini(&s);
	if (j && state)
		json_object_set_new(j, "state", json_string(state));
	if (j && spec->live_src)
		json_object_set_new(j, "source_in", sets_json(spec->live_src, live, nlive));
	if (j && spec->live_dst)
		json_object_set_new(j, "destination_in", sets_json(spec->live_dst, live, nlive));
	return j;
}

void rule_name(const struct rule *r, struct str *out)
{
	if (r->label)
		print_string(out, r->label);
	else
		str_addf(out, "%s:%u", out_name(r->file ? r->file : "?"), r->line);
}

json_t *rule_json(const struct rule *r)
{
	json_t *j = json_pack("{s:o,s:i,s:s,s:o}", "file", out_jstr(r->file ? r->file : "?"), "line", (int)r->line, "verdict",
			      word_verdict((unsigned int)r->verdict), "text", out_jstr(r->text));

	if (j && r->label)
		json_object_set_new(j, "label", out_jstr(r->label));
	return j;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Feeds of objects, one per line: our own, CrowdSec's decisions, ExaBGP's updates. */
#include "fwctl/feed.h"

#include "base/str.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* NULL: the line is no object. */
static json_t *object_read(struct feed_line *l)
{
	json_t *j = json_loadb(l->s, (size_t)(l->eol - l->s), 0, NULL);

	l->bad = l->s;
	l->bad_end = l->eol;
	if (json_is_object(j))
		return j;
	json_decref(j);
	return NULL;
}

static bool line_empty(const struct feed_line *l)
{
	const char *s = l->s;

	while (s < l->eol && (*s == ' ' || *s == '\t' || *s == '\r'))
		s++;
	return s == l->eol;
}

static const char *const no_object = "is no JSON object";

/* What every format has: the address, the duration in words or seconds. */
static const char *element_read(const json_t *j, bool del, struct element *x)
{
	const char *value = text_of(j, "value") ?: text_of(j, "address");
	const json_t *duration = json_object_get(j, "duration");
	const char *why = value ? addr_parse(value, strlen(value), &x->range) : "has no value";

	if (why || del || !duration || json_is_null(duration))
		return why == NULL || value == NULL ? why : "has a value that is no address, prefix or range";
	if (json_is_number(duration))
		return feed_seconds(json_number_value(duration), x) ? "has a duration that is too long" : NULL;
	if (json_is_string(duration) && !feed_duration(json_string_value(duration), json_string_length(duration), x))
		return NULL;
	return "has a duration that is none: \"4h30m\", or a number of seconds";
}

static void reason_set(const char *reason, struct element *x)
{
	x->reason = reason ?: "";
	x->reason_len = strlen(x->reason);
}

static const char *json_line(struct feed_line *l, const json_t *j)
{
	const char *action = text_of(j, "action"), *why;
	bool del = action && !strcmp(action, "del");
	struct element x = {};

	if (action && !strcmp(action, "resync"))
		return feed_mark(l, FEED_ALL);
	if (!action || (!del && strcmp(action, "add")))
		return "has no action: add, del, resync";
	why = element_read(j, del, &x);
	if (why)
		return why;
	reason_set(text_of(j, "reason"), &x);
	return feed_change(l, del, &x);
}

const char *feed_json(struct feed_line *l)
{
	if (line_empty(l))
		return NULL;
	json_t *j = object_read(l);
	const char *why = j ? json_line(l, j) : no_object;
	json_decref(j);
	return why;
}

/* A decision of CrowdSec. Countries and networks by number are no addresses; captchas are no bans. */
static const char *crowdsec_line(struct feed_line *l, const json_t *j)
{
	const char *action = text_of(j, "action"), *scope = text_of(j, "scope"), *type = text_of(j, "type"), *why;
	bool del = action && !strcmp(action, "del");
	struct element x = {};

	if (action && !strcmp(action, "resync"))
		return feed_mark(l, FEED_ALL);
	if (!action || (!del && strcmp(action, "add")))
		return "has no action: add, del";
	if ((scope && strcasecmp(scope, "ip") && strcasecmp(scope, "range")) || (type && strcasecmp(type, "ban"))) {
		l->sink->skipped++;
		return NULL;
	}
	why = element_read(j, del, &x);
	if (why)
		return why;
	reason_set(text_of(j, "scenario") ?: text_of(j, "reason"), &x);
	return feed_change(l, del, &x);
}

const char *feed_crowdsec_json(struct feed_line *l)
{
	json_t *j = object_read(l);
	const char *why = j ? crowdsec_line(l, j) : no_object;

	json_decref(j);
	return why;
}

struct exabgp {
	struct feed_line *l;
	bool del;
	char reason[64];
};

static const char *exabgp_prefix(struct exabgp *e, const char *prefix)
{
	struct element x = {};

	if (!prefix || addr_parse(prefix, strlen(prefix), &x.range))
		return "has a route that is no prefix";
	reason_set(e->reason, &x);
	return feed_change(e->l, e->del, &x);
}

/* [ { "nlri": PREFIX }, … ], [ PREFIX, … ]; older ones: { PREFIX: { … }, … } */
static const char *exabgp_routes(struct exabgp *e, const json_t *routes)
{
	const char *why = NULL, *key;
	json_t *v;
	size_t i;

	if (json_is_array(routes)) {
		json_array_foreach(routes, i, v)
		{
			why = exabgp_prefix(e, json_is_string(v) ? json_string_value(v) : text_of(v, "nlri"));
			if (why)
				return why;
		}
		return NULL;
	}
	if (!json_is_object(routes))
		return "has routes in a form that is not known";
	json_object_foreach((json_t *)routes, key, v)
	{
		why = exabgp_prefix(e, key);
		if (why)
			return why;
	}
	return NULL;
}

/* By family; announced routes by next hop, too. */
static const char *exabgp_families(struct exabgp *e, const json_t *families, bool del)
{
	const char *family, *hop, *why;
	json_t *of, *routes;

	e->del = del;
	json_object_foreach((json_t *)families, family, of)
	{
		if (strcmp(family, "ipv4 unicast") && strcmp(family, "ipv6 unicast")) {
			e->l->sink->skipped++;
			continue;
		}
		if (del) {
			why = exabgp_routes(e, of);
			if (why)
				return why;
			continue;
		}
		json_object_foreach(of, hop, routes)
		{
			why = exabgp_routes(e, routes);
			if (why)
				return why;
		}
	}
	return NULL;
}

static const char *exabgp_line(struct feed_line *l, const json_t *j)
{
	const json_t *neighbor = json_object_get(j, "neighbor"), *message = json_object_get(neighbor, "message"),
		     *update = json_object_get(message, "update"), *eor = json_object_get(message, "eor");
	const char *direction = text_of(neighbor, "direction"), *afi = text_of(eor, "afi"),
		   *peer = text_of(json_object_get(neighbor, "address"), "peer");
	struct exabgp e = { .l = l };

	if ((!update && !eor) || (direction && (!strcmp(direction, "send") || !strcmp(direction, "sent")))) {
		l->sink->skipped++;
		return NULL;
	}
	if (eor)
		return feed_mark(l, afi && !strcmp(afi, "ipv4")	  ? FEED_IPV4
				    : afi && !strcmp(afi, "ipv6") ? FEED_IPV6
								  : FEED_ALL);
	snprintf(e.reason, sizeof(e.reason), peer ? "exabgp %s" : "exabgp", peer);
	/* In one update, what is withdrawn was announced earlier. */
	const char *why = exabgp_families(&e, json_object_get(update, "withdraw"), true);
	return why ? why : exabgp_families(&e, json_object_get(update, "announce"), false);
}

const char *feed_exabgp_json(struct feed_line *l)
{
	json_t *j = object_read(l);
	const char *why = j ? exabgp_line(l, j) : no_object;

	json_decref(j);
	return why;
}

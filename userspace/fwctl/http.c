// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct span {
	const char *s;
	size_t len;
};

static bool is_word(struct span v, const char *word)
{
	return v.len == strlen(word) && !strncasecmp(v.s, word, v.len);
}

/* RFC 9110, 5.6.2 */
static bool is_token(struct span v)
{
	for (size_t i = 0; i < v.len; i++) {
		unsigned char c = (unsigned char)v.s[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("!#$%&'*+-.^_`|~", c))))
			return false;
	}
	return v.len;
}

static struct span trim(struct span v)
{
	for (; v.len && (*v.s == ' ' || *v.s == '\t'); v.s++)
		v.len--;
	while (v.len && (v.s[v.len - 1] == ' ' || v.s[v.len - 1] == '\t'))
		v.len--;
	return v;
}

/* Up to `c`, which is taken away, too. */
static struct span cut(struct span *rest, char c)
{
	const char *at = rest->len ? memchr(rest->s, c, rest->len) : NULL;
	struct span v = { rest->s, at ? (size_t)(at - rest->s) : rest->len };
	size_t taken = v.len + (at ? 1 : 0);

	rest->s += taken;
	rest->len -= taken;
	return v;
}

/* "127.0.0.1:9468", "[::1]:9468", "localhost" */
static bool is_loopback(struct span host)
{
	if (host.len > 4 && !strncmp(host.s, "127.", 4)) {
		for (size_t i = 0; i < host.len; i++)
			if (!strchr("0123456789.:", host.s[i]))
				return false;
		return true;
	}
	if (host.len >= 5 && !strncmp(host.s, "[::1]", 5))
		return host.len == 5 || host.s[5] == ':';
	return is_word(cut(&host, ':'), "localhost");
}

/* Thousandths; a value that is none counts as 0. */
static int quality(struct span params)
{
	while (params.len) {
		struct span p = trim(cut(&params, ';'));
		char text[8] = "";
		if (p.len < 3 || p.len > 7 || strncasecmp(p.s, "q=", 2))
			continue;
		memcpy(text, p.s + 2, p.len - 2);
		char *end;
		double q = text[strspn(text, "0123456789.")] ? 0 : strtod(text, &end);
		return q > 1 ? 0 : (int)(q * 1000);
	}
	return 1000;
}

static bool accepts_open(struct span list)
{
	int open = 0, plain = 0;

	while (list.len) {
		struct span params = cut(&list, ',');
		struct span type = trim(cut(&params, ';'));
		int q = quality(params);
		if (is_word(type, "application/openmetrics-text"))
			open = q > open ? q : open;
		else if (is_word(type, "text/plain"))
			plain = q > plain ? q : plain;
	}
	return open && open >= plain;
}

/* What the headers said so far. */
struct seen {
	unsigned int hosts;
	bool close, keep, body;
};

static int header_take(struct http_request *r, struct seen *seen, struct span line)
{
	struct span value = line, name = cut(&value, ':');

	if (name.len == line.len || !is_token(name))
		return 400; /* also a line that continues the one before */
	value = trim(value);
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.s[i] < 0x20 && value.s[i] != '\t')
			return 400;
	if (is_word(name, "host")) {
		seen->hosts++;
		r->loopback = is_loopback(value);
	} else if (is_word(name, "accept")) {
		r->open |= accepts_open(value);
	} else if (is_word(name, "transfer-encoding")) {
		seen->body = true;
	} else if (is_word(name, "content-length")) {
		seen->body |= !is_word(value, "0");
	} else if (is_word(name, "connection")) {
		while (value.len) {
			struct span option = trim(cut(&value, ','));
			seen->close |= is_word(option, "close");
			seen->keep |= is_word(option, "keep-alive");
		}
	}
	return 200;
}

/* "/metrics?x", or the whole of "http://host/metrics" */
static int target_take(struct http_request *r, struct span target)
{
	for (size_t i = 0; i < target.len; i++)
		if ((unsigned char)target.s[i] <= 0x20 || (unsigned char)target.s[i] >= 0x7f)
			return 400;
	if (target.len > 7 && !strncasecmp(target.s, "http://", 7)) {
		const char *slash = memchr(target.s + 7, '/', target.len - 7);
		size_t skip = slash ? (size_t)(slash - target.s) : target.len;
		target = (struct span){ target.s + skip, target.len - skip };
		if (!target.len)
			target = (struct span){ "/", 1 };
	}
	if (!target.len || *target.s != '/')
		return 400;
	struct span path = cut(&target, '?');
	if (path.len < sizeof(r->path))
		memcpy(r->path, path.s, path.len);
	return 200;
}

static int line_take(struct http_request *r, struct span line, bool *ret_new)
{
	struct span rest = line, method = cut(&rest, ' '), target = cut(&rest, ' '), version = rest;

	if (!is_token(method) || version.len != 8 || strncmp(version.s, "HTTP/", 5) || version.s[5] < '0' || version.s[5] > '9' ||
	    version.s[6] != '.' || version.s[7] < '0' || version.s[7] > '9')
		return 400;
	if (version.s[5] != '1')
		return 505;
	*ret_new = version.s[7] != '0';
	int status = target_take(r, target);
	if (status != 200)
		return status;
	r->head = method.len == 4 && !memcmp(method.s, "HEAD", 4);
	return r->head || (method.len == 3 && !memcmp(method.s, "GET", 3)) ? 200 : 405;
}

/* The first byte behind the empty line; 0: there is none. A line may only end as it should. */
static size_t head_end(const char *s, size_t len, bool *ret_wrong)
{
	for (size_t i = 0; i < len; i++) {
		if ((s[i] == '\n' && (i < 2 || s[i - 1] != '\r')) || (s[i] == '\r' && i + 1 < len && s[i + 1] != '\n') || !s[i]) {
			*ret_wrong = true;
			return 0;
		}
		if (s[i] == '\n' && i >= 3 && s[i - 2] == '\n')
			return i + 1;
	}
	return 0;
}

static int request_take(struct http_request *r, struct span head)
{
	struct seen seen = {};
	bool new = false;
	struct span line = cut(&head, '\n');
	int status = line_take(r, (struct span){ line.s, line.len - 1 }, &new);

	while (status == 200) {
		line = cut(&head, '\n');
		if (line.len <= 1)
			break;
		status = header_take(r, &seen, (struct span){ line.s, line.len - 1 });
	}
	if (status != 200)
		return status;
	if (seen.hosts > 1 || (new && !seen.hosts))
		return 400;
	r->loopback |= !seen.hosts;
	r->keep = !seen.close && (new || seen.keep);
	return seen.body ? 413 : 200;
}

size_t http_parse(const char *bytes, size_t len, struct http_request *ret)
{
	struct http_request r = {};
	bool wrong = false;
	/* One empty line in front is the end of a body that some clients send. */
	size_t skip = len >= 2 && bytes[0] == '\r' && bytes[1] == '\n' ? 2 : 0;
	size_t end = head_end(bytes + skip, len - skip, &wrong);

	if (!end && !wrong && len < HTTP_MAX)
		return 0;
	if (wrong)
		r.status = 400;
	else if (!end || skip + end > HTTP_MAX)
		r.status = 431;
	else
		r.status = request_take(&r, (struct span){ bytes + skip, end });
	if (r.status != 200) {
		r.keep = false;
		*ret = r;
		return len;
	}
	*ret = r;
	return skip + end;
}

const char *http_words(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 413:
		return "Content Too Large";
	case 421:
		return "Misdirected Request";
	case 431:
		return "Request Header Fields Too Large";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Service Unavailable";
	}
}

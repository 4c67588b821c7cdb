// SPDX-License-Identifier: GPL-2.0-only
/* Requests as clients send them, as bad ones do, and cut at every byte. */
#include "fwctl/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define H "Host: localhost\r\n"

/* What a request means, in words: "200 /metrics keep open", "400", "" (more is needed). */
static const char *meaning(const char *text, size_t len)
{
	static char out[160];
	struct http_request r;
	/* A copy of its own length, for the sanitizer's eyes. */
	char *copy = malloc(len ? len : 1);
	size_t taken;

	memcpy(copy, text, len);
	taken = http_parse(copy, len, &r);
	free(copy);
	if (!taken)
		return "";
	assert_true(taken <= len);
	if (r.status != 200)
		snprintf(out, sizeof(out), "%d", r.status);
	else
		snprintf(out, sizeof(out), "200 %s%s%s%s%s", r.path, r.head ? " head" : "", r.keep ? " keep" : "",
			 r.loopback ? "" : " foreign", r.open ? " open" : "");
	return out;
}

static void says(const char *text, const char *want)
{
	const char *got = meaning(text, strlen(text));

	if (strcmp(got, want))
		fail_msg("\"%s\" is \"%s\", not \"%s\"", text, got, want);
}

static void ordinary(void **state)
{
	says("GET /metrics HTTP/1.1\r\n" H "\r\n", "200 /metrics keep");
	says("HEAD /metrics HTTP/1.1\r\n" H "\r\n", "200 /metrics head keep");
	says("GET /metrics?a=b&c HTTP/1.1\r\n" H "\r\n", "200 /metrics keep");
	says("GET /metrics HTTP/1.1\r\n" H "Connection: close\r\n\r\n", "200 /metrics");
	says("GET /metrics HTTP/1.1\r\n" H "Connection: foo , Close\r\n\r\n", "200 /metrics");
	says("GET /metrics HTTP/1.0\r\n\r\n", "200 /metrics");
	says("GET /metrics HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "200 /metrics keep");
	says("GET http://127.0.0.1:9468/metrics HTTP/1.1\r\n" H "\r\n", "200 /metrics keep");
	says("GET http://localhost HTTP/1.1\r\n" H "\r\n", "200 / keep");
	says("\r\nGET / HTTP/1.1\r\n" H "\r\n", "200 / keep");
	says("GET / HTTP/1.1\r\n" H "Content-Length: 0\r\nX:\r\nY: \t z \r\n\r\n", "200 / keep");
	/* A path longer than any of ours is none of ours. */
	says("GET /0123456789012345678901234567890123456789012345678901234567890123456789 HTTP/1.1\r\n" H "\r\n", "200  keep");
}

static void refused(void **state)
{
	says("\r\n\r\n", "400");
	says("GET\r\n\r\n", "400");
	says("GET /metrics\r\n\r\n", "400");
	says("GET  /metrics HTTP/1.1\r\n" H "\r\n", "400");
	says("GET /metrics HTTP/1.1 \r\n" H "\r\n", "400");
	says("GET /a b HTTP/1.1\r\n" H "\r\n", "400");
	says("GET metrics HTTP/1.1\r\n" H "\r\n", "400");
	says("GET /\x1b[2J HTTP/1.1\r\n" H "\r\n", "400");
	says("GET /\xff HTTP/1.1\r\n" H "\r\n", "400");
	says("GET /metrics HTTQ/1.1\r\n" H "\r\n", "400");
	says("GET /metrics HTTP/1.x\r\n" H "\r\n", "400");
	says("GET /metrics HTTP/11\r\n" H "\r\n", "400");
	says("GET /metrics HTTP/2.0\r\n" H "\r\n", "505");
	says("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505");
	says("POST /metrics HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", "405");
	says("get /metrics HTTP/1.1\r\n" H "\r\n", "405");
	says("GE\xc3\x84 /metrics HTTP/1.1\r\n" H "\r\n", "400");
	says("GET /metrics HTTP/1.1\n" H "\n", "400");
	says("GET /metrics HTTP/1.1\r\n" H "A: b\rc\r\n\r\n", "400");
	says("GET /metrics HTTP/1.1\r\n\r\n", "400");
	says("GET /metrics HTTP/1.1\r\n" H H "\r\n", "400");
	says("GET /metrics HTTP/1.1\r\n" H "no colon\r\n\r\n", "400");
	says("GET /metrics HTTP/1.1\r\n" H "A : b\r\n\r\n", "400");
	says("GET /metrics HTTP/1.1\r\n" H ": b\r\n\r\n", "400");
	says("GET /metrics HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n", "400");
	says("GET /metrics HTTP/1.1\r\n" H "A: \x01\r\n\r\n", "400");
	says("GET /metrics HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\n", "413");
	says("GET /metrics HTTP/1.1\r\n" H "Content-Length: +0\r\n\r\n", "413");
	says("GET /metrics HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n", "413");
	assert_string_equal(meaning("GET /\0 HTTP/1.1\r\n", 17), "400");
	/* TLS and other protocols at the wrong door. */
	assert_string_equal(meaning("\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", 11), "400");
}

static void hosts(void **state)
{
	static const char *const own[] = { "localhost", "LOCALHOST:80", "127.0.0.1", "127.1.2.3:9468", "[::1]", "[::1]:9468" };
	static const char *const foreign[] = { "evil.example", "127.evil.example", "localhost.evil.example",
						       "[::2]", "[::1]x", "10.0.0.1", "" };
	char text[200];

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		snprintf(text, sizeof(text), "GET /metrics HTTP/1.1\r\nHost: %s\r\n\r\n", own[i]);
		says(text, "200 /metrics keep");
	}
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		snprintf(text, sizeof(text), "GET /metrics HTTP/1.1\r\nHost: %s\r\n\r\n", foreign[i]);
		says(text, "200 /metrics keep foreign");
	}
}

static void accepts(void **state)
{
	static const struct {
		const char *accept;
		bool open;
	} cases[] = {
		/* Prometheus 2.42, curl, a browser */
		{ "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
		  "text/plain;version=0.0.4;q=0.5,"
		  "*/*;q=0.1",
		  true },
		{ "*/*", false },
		{ "text/html,application/xhtml+xml,*/*;q=0.8", false },
		{ "text/plain;version=0.0.4", false },
		{ "application/openmetrics-text", true },
		{ "APPLICATION/OpenMetrics-Text; q=0.5", true },
		{ "application/openmetrics-text;q=0", false },
		{ "application/openmetrics-text;q=0.4, text/plain;q=0.5", false },
		{ "application/openmetrics-text;q=0.5, text/plain;q=0.5", true },
		{ "application/openmetrics-text;q=nan", false },
		{ "application/openmetrics-text;q=9", false },
		{ "application/openmetrics-textual", false },
		{ ",,;;q=,", false },
		{ "", false },
	};
	char text[400];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n" H "Accept: %s\r\n\r\n", cases[i].accept);
		says(text, cases[i].open ? "200 / keep open" : "200 / keep");
	}
}

static void pieces(void **state)
{
	static const char text[] = "GET /metrics HTTP/1.1\r\n" H "Accept: application/openmetrics-text\r\n\r\n";
	size_t len = sizeof(text) - 1;

	for (size_t n = 0; n < len; n++)
		if (*meaning(text, n))
			fail_msg("%zu bytes of a request are \"%s\"", n, meaning(text, n));
	assert_string_equal(meaning(text, len), "200 /metrics keep open");
}

static void follows(void **state)
{
	static const char two[] = "GET /a HTTP/1.1\r\n" H "\r\nGET /b HTTP/1.1\r\n" H "\r\n";
	struct http_request r;
	size_t n = http_parse(two, sizeof(two) - 1, &r);

	assert_string_equal(r.path, "/a");
	assert_int_equal(n, (sizeof(two) - 1) / 2);
	assert_int_equal(http_parse(two + n, sizeof(two) - 1 - n, &r), n);
	assert_string_equal(r.path, "/b");
}

static void lengths(void **state)
{
	static char text[HTTP_MAX + 100];
	int n = snprintf(text, sizeof(text), "GET /metrics HTTP/1.1\r\n" H "X: ");

	memset(text + n, 'x', sizeof(text) - (size_t)n);
	assert_string_equal(meaning(text, HTTP_MAX - 1), "");
	assert_string_equal(meaning(text, HTTP_MAX), "431");
	memcpy(text + HTTP_MAX - 4, "\r\n\r\n", 4);
	assert_string_equal(meaning(text, HTTP_MAX), "200 /metrics keep");
	memset(text, 'x', HTTP_MAX);
	assert_string_equal(meaning(text, HTTP_MAX), "431");
}

/* Whatever comes is answered or waited for; the sanitizers watch. */
static void noise(void **state)
{
	static const char *const parts[] = { "GET ", "HEAD", " /metrics ", "HTTP/1.1", "\r\n", "\r", "\n", ":", "Host: ", "localhost", "\t",
					     "q=",
					     ";", ",", "Accept: ", "application/openmetrics-text", "http://", "?", "0", "\xff", "[::1]" };
	uint64_t x = 1;

	for (int round = 0; round < 200000; round++) {
		char text[400];
		size_t n = 0;
		for (int i = 0; i < 12; i++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			const char *p = parts[(x >> 33) % (sizeof(parts) / sizeof(parts[0]))];
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", p);
		}
		meaning(text, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ .name = "requests as clients send them", .test_func = ordinary },
		{ .name = "what is unclear is refused", .test_func = refused },
		{ .name = "a name that is not of this machine is told", .test_func = hosts },
		{ .name = "OpenMetrics for who prefers it", .test_func = accepts },
		{ .name = "a request in pieces is waited for", .test_func = pieces },
		{ .name = "requests that follow one another are taken one by one", .test_func = follows },
		{ .name = "8192 bytes are enough", .test_func = lengths },
		{ .name = "noise", .test_func = noise },
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}

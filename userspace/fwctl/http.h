/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests of HTTP/1.x, as much as a page of metrics needs, and strictly: what is unclear is refused. Pure: bytes in, meaning out.
 */
#ifndef FW_FWCTL_HTTP_H
#define FW_FWCTL_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_MAX 8192 /* bytes of a request, with its headers */
#define HTTP_PATH 64

struct http_request {
	int status;    /* 200, or that of the answer, with which the connection ends */
	bool head;     /* HEAD; else GET */
	bool keep;     /* another request may follow */
	char path[HTTP_PATH]; /* without what follows "?"; empty: longer than any that we have */
	bool loopback; /* Host is an address of this machine, "localhost", or missing (HTTP/1.0) */
	bool open;     /* Accept prefers OpenMetrics */
};

/* Bytes that the request takes; 0: it is not complete yet. A refused one takes them all. */
size_t http_parse(const char *bytes, size_t len, struct http_request *ret);
/* "Not Found" */
const char *http_words(int status);

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A small server for one page. One thread, one epoll; each connection has a buffer, a state and a deadline. Nobody can make it wait:
 * who is silent, slow or too many is shown out.
 */
#include "base/cleanup.h"
#include "fwctl/cmd.h"
#include "fwctl/http.h"
#include "fwctl/listen.h"
#include "fwctl/metrics.h"
#include "fwctl/out.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#define CONNS 64
#define PAGES 4             /* texts kept for those who are still reading them */
#define REQUEST_MS 5000     /* from the first to the last byte of a request */
#define IDLE_MS 90000       /* between requests */
#define ANSWER_MS 10000     /* until an answer is taken */
#define LINGER_MS 1000      /* after the last one: what the other side still sends would reset it */
#define FRESH_MS 100        /* a page may be shown again; so nobody keeps the lock busy by asking */

struct page {
	struct str text;
	enum om_format format;
	bool failed;
	unsigned int readers;
	uint64_t at_ms;
};

enum conn_state { CONN_FREE, CONN_IDLE, CONN_REQUEST, CONN_ANSWER, CONN_LINGER };
struct conn {
	int fd;
	enum conn_state state;
	bool local, keep;
	uint64_t deadline_ms, since_ms;
	char in[HTTP_MAX];
	size_t nin;
	char head[512]; /* of the answer, with the body of an error */
	size_t nhead, sent;
	struct page *page; /* the body; NULL: none */
};

struct server {
	struct metrics *m;
	struct listeners listeners;
	int epoll;
	uint64_t now_ms;
	struct page page[PAGES];
	struct conn conn[CONNS];
};

static uint64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void state_set(struct server *s, struct conn *c, enum conn_state state, uint64_t ms)
{
	c->state = state;
	c->since_ms = s->now_ms;
	c->deadline_ms = s->now_ms + ms;
}

static void watch(struct server *s, struct conn *c, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = c };

	epoll_ctl(s->epoll, EPOLL_CTL_MOD, c->fd, &e);
}

static void page_leave(struct conn *c)
{
	if (c->page)
		c->page->readers--;
	c->page = NULL;
}

static void conn_close(struct conn *c)
{
	if (c->state == CONN_FREE)
		return;
	page_leave(c);
	close(c->fd); /* and so it leaves the epoll */
	c->state = CONN_FREE;
}

/* The one that has been in its state for longest; those between requests first. */
static struct conn *conn_worst(struct server *s)
{
	struct conn *worst = NULL;

	for (size_t i = 0; i < CONNS; i++) {
		struct conn *c = &s->conn[i];
		if (c->state == CONN_FREE)
			return c;
		bool idle = c->state == CONN_IDLE, worst_idle = worst && worst->state == CONN_IDLE;
		if (!worst || (idle && !worst_idle) || (idle == worst_idle && c->since_ms < worst->since_ms))
			worst = c;
	}
	return worst;
}

static void conn_accept(struct server *s, const struct listener *l)
{
	/* A round takes no more than there are places, so that a crowd at the door keeps nobody's deadline waiting. */
	for (unsigned int i = 0; i < CONNS; i++) {
		int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct conn *c = conn_worst(s);
		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0) {
			/* Without a descriptor for it: take one back, or epoll comes again and again. */
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				conn_close(c);
			return;
		}
		conn_close(c);
		struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
		c->fd = fd;
		c->local = l->local;
		c->nin = 0;
		state_set(s, c, CONN_REQUEST, REQUEST_MS);
		if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e))
			conn_close(c);
	}
}

/* A place for another text; whoever still reads the oldest has had his time. */
static struct page *page_place(struct server *s)
{
	struct page *oldest = &s->page[0];

	for (size_t i = 0; i < PAGES; i++) {
		if (!s->page[i].readers)
			return &s->page[i];
		if (s->page[i].at_ms < oldest->at_ms)
			oldest = &s->page[i];
	}
	for (size_t i = 0; i < CONNS; i++)
		if (s->conn[i].state != CONN_FREE && s->conn[i].page == oldest)
			conn_close(&s->conn[i]);
	return oldest;
}

static struct page *page_get(struct server *s, enum om_format format)
{
	for (size_t i = 0; i < PAGES; i++) {
		struct page *p = &s->page[i];
		if (p->at_ms && p->format == format && s->now_ms - p->at_ms < FRESH_MS && !p->failed)
			return p;
	}
	struct page *p = page_place(s);
	str_reset(&p->text);
	p->text.failed = false;
	p->format = format;
	metrics_text(s->m, format, &p->text);
	p->failed = p->text.failed || !p->text.len;
	p->at_ms = s->now_ms = clock_ms();
	return p;
}

static const char *date_text(void)
{
	static char text[40];
	time_t now = time(NULL);
	struct tm tm;

	return gmtime_r(&now, &tm) && strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm) ? text : "";
}

static void answer_begin(struct server *s, struct conn *c, int status, const char *type, size_t len, bool keep)
{
	c->keep = keep;
	c->sent = 0;
	c->nhead = (size_t)snprintf(c->head, sizeof(c->head),
				    "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%sConnection: %s\r\n\r\n",
				    status, http_words(status), date_text(), type, len, status == 405 ? "Allow: GET, HEAD\r\n" : "",
				    keep ? "keep-alive" : "close");
	state_set(s, c, CONN_ANSWER, ANSWER_MS);
}

static void answer_words(struct server *s, struct conn *c, const struct http_request *r, int status, const char *words)
{
	char body[160];
	size_t len = (size_t)snprintf(body, sizeof(body), "%s\n", words);

	answer_begin(s, c, status, "text/plain; charset=utf-8", len, r->keep);
	if (!r->head) {
		memcpy(c->head + c->nhead, body, len);
		c->nhead += len;
	}
}

static void answer_make(struct server *s, struct conn *c, const struct http_request *r)
{
	enum om_format format = r->open ? OM_OPEN : OM_PLAIN;

	if (r->status != 200)
		return answer_words(s, c, r, r->status, http_words(r->status));
	/* A page of the web may have its name lead to 127.0.0.1, and a browser here ask us for it. */
	if (!c->local && !r->loopback)
		return answer_words(s, c, r, 421, "ask for localhost, 127.0.0.1 or [::1]");
	if (!strcmp(r->path, "/"))
		return answer_words(s, c, r, 200, "fwctl: see /metrics");
	if (strcmp(r->path, "/metrics"))
		return answer_words(s, c, r, 404, "there is only /metrics");
	struct page *p = page_get(s, format);
	if (p->failed)
		return answer_words(s, c, r, 503, "the state of the firewall cannot be read; the server's standard error says why");
	answer_begin(s, c, 200, om_content_type(format), p->text.len, r->keep);
	if (!r->head) {
		c->page = p;
		p->readers++;
	}
}

static ssize_t answer_piece(struct conn *c)
{
	size_t body = c->sent > c->nhead ? c->sent - c->nhead : 0;

	if (c->sent < c->nhead)
		return send(c->fd, c->head + c->sent, c->nhead - c->sent, MSG_NOSIGNAL | (c->page ? MSG_MORE : 0));
	return send(c->fd, c->page->text.s + body, c->page->text.len - body, MSG_NOSIGNAL);
}

/* false: the other side is not ready for more. */
static bool answer_send(struct server *s, struct conn *c)
{
	size_t len = c->nhead + (c->page ? c->page->text.len : 0);

	while (c->sent < len) {
		ssize_t n = answer_piece(c);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
			conn_close(c);
		if (n < 0)
			return false;
		c->sent += (size_t)n;
	}
	page_leave(c);
	if (c->keep) {
		state_set(s, c, c->nin ? CONN_REQUEST : CONN_IDLE, c->nin ? REQUEST_MS : IDLE_MS);
	} else {
		shutdown(c->fd, SHUT_WR);
		state_set(s, c, CONN_LINGER, LINGER_MS);
	}
	return true;
}

/* Answer what has come, one request after another. */
static void conn_advance(struct server *s, struct conn *c)
{
	struct http_request r;

	while (c->state == CONN_IDLE || c->state == CONN_REQUEST) {
		size_t taken = http_parse(c->in, c->nin, &r);
		if (!taken)
			break;
		c->nin -= taken;
		memmove(c->in, c->in + taken, c->nin);
		answer_make(s, c, &r);
		answer_send(s, c);
	}
	if (c->state == CONN_FREE)
		return;
	if (c->state == CONN_IDLE && c->nin)
		state_set(s, c, CONN_REQUEST, REQUEST_MS);
	watch(s, c, c->state == CONN_ANSWER ? EPOLLOUT : EPOLLIN);
}

static void conn_read(struct server *s, struct conn *c)
{
	char nothing[4096];
	bool lingers = c->state == CONN_LINGER;
	ssize_t n = lingers ? recv(c->fd, nothing, sizeof(nothing), 0) : recv(c->fd, c->in + c->nin, sizeof(c->in) - c->nin, 0);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (n <= 0) {
		conn_close(c);
		return;
	}
	if (lingers)
		return;
	c->nin += (size_t)n;
	conn_advance(s, c);
}

static void conn_event(struct server *s, struct conn *c, uint32_t events)
{
	if (c->state == CONN_FREE)
		return;
	if (c->state != CONN_ANSWER)
		conn_read(s, c);
	else if (events & (EPOLLERR | EPOLLHUP))
		conn_close(c);
	else if (answer_send(s, c))
		conn_advance(s, c);
}

/* Until the next deadline; -1: there is none. */
static int wait_ms(const struct server *s)
{
	int wait = -1;

	for (size_t i = 0; i < CONNS; i++) {
		const struct conn *c = &s->conn[i];
		if (c->state == CONN_FREE)
			continue;
		int ms = c->deadline_ms > s->now_ms ? (int)(c->deadline_ms - s->now_ms) : 0;
		wait = wait < 0 || ms < wait ? ms : wait;
	}
	return wait;
}

static void deadlines(struct server *s)
{
	for (size_t i = 0; i < CONNS; i++)
		if (s->conn[i].state != CONN_FREE && s->conn[i].deadline_ms <= s->now_ms)
			conn_close(&s->conn[i]);
}

static volatile sig_atomic_t ended;

static void on_signal(int sig)
{
	(void)sig;
	ended = 1;
}

/* Signals are taken only inside epoll_pwait, so none is lost between the check and the sleep. */
static void signals(sigset_t *ret_before)
{
	static const int all[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t block;

	sigemptyset(&block);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		sigaddset(&block, all[i]);
		sigaction(all[i], &sa, NULL);
	}
	sigprocmask(SIG_BLOCK, &block, ret_before);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		sigdelset(ret_before, all[i]);
	signal(SIGPIPE, SIG_IGN);
}

static int loop(struct server *s, const sigset_t *open)
{
	struct epoll_event e[CONNS];

	s->now_ms = clock_ms();
	while (!ended) {
		int n = epoll_pwait(s->epoll, e, CONNS, wait_ms(s), open);
		s->now_ms = clock_ms();
		if (n < 0 && errno != EINTR) {
			problem("cannot wait for requests: %s", strerror(errno));
			return STATUS_REFUSED;
		}
		/* Who is accepted may take the place of one with an event in this round: so last. */
		for (int i = 0; i < n; i++)
			if (e[i].data.ptr >= (void *)s->conn && e[i].data.ptr < (void *)(s->conn + CONNS))
				conn_event(s, e[i].data.ptr, e[i].events);
		deadlines(s);
		for (int i = 0; i < n; i++)
			if (e[i].data.ptr >= (void *)s->listeners.v && e[i].data.ptr < (void *)(s->listeners.v + LISTEN_MAX))
				conn_accept(s, e[i].data.ptr);
	}
	return STATUS_DONE;
}

static int server_open(struct server *s, const char *where)
{
	int status = listen_open(&s->listeners, where);

	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned int i = 0; i < s->listeners.n && !status; i++) {
		struct epoll_event e = { .events = EPOLLIN, .data.ptr = &s->listeners.v[i] };
		if (s->epoll < 0 || epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listeners.v[i].fd, &e)) {
			problem("cannot wait for requests: %s", strerror(errno));
			status = STATUS_REFUSED;
		}
	}
	return status;
}

int metrics_serve(struct metrics *m, const char *where)
{
	struct server *s = calloc(1, sizeof(*s));
	sigset_t open;

	if (!s) {
		problem("no memory");
		return STATUS_REFUSED;
	}
	s->m = m;
	signals(&open);
	int status = server_open(s, where);
	if (!status) {
		fflush(stdout); /* whoever waits for the port reads it now */
		status = loop(s, &open);
	}
	for (size_t i = 0; i < CONNS; i++)
		conn_close(&s->conn[i]);
	for (size_t i = 0; i < PAGES; i++)
		str_fini(&s->page[i].text);
	listen_close(&s->listeners);
	if (s->epoll >= 0)
		close(s->epoll);
	free(s);
	return status;
}

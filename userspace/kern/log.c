// SPDX-License-Identifier: GPL-2.0-only
#include "kern/log.h"

#include <bpf/libbpf.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <xdp/libxdp.h>

static _Thread_local char extack[256], last[256];

static int log_line(const char *fmt, va_list ap)
{
	static const char mark[] = "Kernel error message: ";
	char line[512];
	char *at;

	vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\n")] = 0;
	at = strstr(line, mark);
	if (at)
		snprintf(extack, sizeof(extack), "%s", at + strlen(mark));
	else if (*line)
		snprintf(last, sizeof(last), "%.255s", strncmp(line, "libbpf: ", 8) ? line : line + 8);
	return 0;
}

static int keep_bpf(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return level == LIBBPF_WARN ? log_line(fmt, ap) : 0;
}

static int keep_xdp(enum libxdp_print_level level, const char *fmt, va_list ap)
{
	return level == LIBXDP_WARN ? log_line(fmt, ap) : 0;
}

static void install(void)
{
	libbpf_set_print(keep_bpf);
	libxdp_set_print(keep_xdp);
}

void log_start(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	extack[0] = last[0] = 0;
	pthread_once(&once, install);
}

const char *log_extack(void)
{
	return extack;
}

const char *log_last(void)
{
	return last;
}

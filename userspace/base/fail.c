// SPDX-License-Identifier: GPL-2.0-only
#include "base/fail.h"

#include <stdarg.h>
#include <stdio.h>

int fail_set(struct fail *f, int err, const char *fmt, ...)
{
	va_list ap;

	if (!f || f->err)
		return err;
	f->err = err;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	return err;
}

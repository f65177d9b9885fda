/* SPDX-License-Identifier: MIT */
#include "policy/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int policy_error_set(struct policy_error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);

	for (char *c = err->text; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	return -EINVAL;
}

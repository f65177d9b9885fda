/* SPDX-License-Identifier: MIT */
/*
 * What happens in a run, as JSON lines (RFC 8259): one object an event.
 *
 * They are written by hand and not with jansson: the objects are flat and
 * fixed, one is made for each decision, and jansson allocates for every key and
 * refuses text that is not UTF-8, which the name of a command need not be. In
 * a string a byte that is not UTF-8 becomes U+FFFD, and what escape_printable()
 * calls unprintable is written as \uXXXX, so that the log is safe to look at
 * and a parser still reads the character. A string over JSON_STRING_MAX bytes
 * is cut and ends in "...".
 *
 * Each function writes one line with a NUL but no line break and returns its
 * length, or -ENOSPC if `size` is too small; JSON_LINE_MAX always suffices.
 */
#ifndef SANDTOP_CORE_JSON_H
#define SANDTOP_CORE_JSON_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "core/record.h"

enum {
	JSON_LINE_MAX = 16384,
	JSON_STRING_MAX = 2048, /* as written, between the quotation marks */
};

struct json_start {
	struct timespec ts; /* CLOCK_REALTIME */
	uint64_t generation;
	const char *name; /* of the sandbox */
	pid_t pid;        /* of the command */
	char *const
		*argv; /* the command, ends in NULL; what exceeds 2 * JSON_STRING_MAX is left out */
};

struct json_exit {
	struct timespec ts; /* CLOCK_REALTIME */
	uint64_t seq;       /* of the last decision, 0 if there was none */
	uint64_t generation;
	int exit;                 /* the status sandtop exits with */
	int signal;               /* what killed the command, 0 if nothing did */
	const char *by;           /* who ended the run: "command" or "sandtop" */
	uint64_t allowed, denied; /* decisions of the run */
};

int json_start(const struct json_start *s, char *buf, size_t size);
int json_decision(const struct record *r, char *buf, size_t size);
int json_exit(const struct json_exit *e, char *buf, size_t size);

#endif

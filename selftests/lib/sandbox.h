/* SPDX-License-Identifier: MIT */
/*
 * A command under sandtop, or without it, and what came of it.
 */
#ifndef SANDTOP_SELFTESTS_LIB_SANDBOX_H
#define SANDTOP_SELFTESTS_LIB_SANDBOX_H

#include <jansson.h>

#include "selftests/lib/command.h"

#define NO_OPTIONS ((const char *const[]){ NULL })

struct sandbox {
	struct command command; /* status, stdout, stderr */
	json_t *events;         /* array of what --json wrote; empty without sandtop */
	char json_path[64];     /* empty without sandtop */
};

/*
 * Start "sandtop -b OPTIONS --json FILE -- ARGV", or ARGV alone when `options` is
 * NULL: the control. `prepare` is as in command_start(). Returns 0 or -errno; on
 * failure there is nothing to free.
 */
int sandbox_start(struct sandbox *s, const char *const options[], const char *const argv[],
		  void (*prepare)(void *arg), void *arg);

/*
 * Wait for its end and read the events. Returns 0, -ETIMEDOUT after
 * COMMAND_TIMEOUT, or -EBADMSG if a line of the log is not a JSON object.
 */
int sandbox_wait(struct sandbox *s);

/* Both at once; on failure, too, the sandbox is to be freed. */
int sandbox_run(struct sandbox *s, const char *const options[], const char *const argv[]);

/* The i-th event of this kind ("decision"), or NULL. */
const json_t *sandbox_event(const struct sandbox *s, const char *kind, size_t i);

/* A member of an event: its text, NULL if it is none; its number, -1 if it is none. */
const char *event_text(const json_t *event, const char *key);
long event_number(const json_t *event, const char *key);

/* Kill it if it still runs. Nothing is done to one that is all zero. */
void sandbox_free(struct sandbox *s);

#endif

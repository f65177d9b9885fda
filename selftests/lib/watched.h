/* SPDX-License-Identifier: MIT */
/*
 * A sandbox that is called "watched": its command does what it is told, and may connect to one of
 * two servers, whatever becomes of the monitor that watches it. Failures are the test's.
 */
#ifndef SANDTOP_SELFTESTS_LIB_WATCHED_H
#define SANDTOP_SELFTESTS_LIB_WATCHED_H

#include "selftests/lib/sandbox.h"
#include "selftests/lib/server.h"

struct watched {
	struct server *allowed, *denied;
	struct sandbox batch; /* once watched_start() was called */
	char script[128];     /* what sh is to run */
	char rule[64];        /* for --net-allow */
	int order;            /* where it reads words: see watched_tell() */
};

/* Make the servers and the script. `w` is all zero. */
void watched_init(struct watched *w);

/* Start it without a monitor, and wait until it runs. Who starts it otherwise waits for "started".
 */
void watched_start(struct watched *w);

/*
 * Say a word that it obeys: a port of 127.0.0.1 to connect to; "flood", for 600 000 bytes of
 * output and then a file that is called "flooded"; "exit", for its end with status 7.
 */
void watched_tell(struct watched *w, const char *word);

/* It runs as before: what is allowed arrives, what is denied does not. */
void watched_expect_promise_kept(struct watched *w);

/* Have it end, also where nobody watches any more. Nothing is done to one that is all zero. */
void watched_end(struct watched *w);

/* After the end of who reads from it. */
void watched_free(struct watched *w);

#endif

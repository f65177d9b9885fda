/* SPDX-License-Identifier: MIT */
/*
 * A sandbox whose command (selftests/guest.c) does what the test says while
 * `sandtop ctl` changes its policy. Failures are the test's.
 */
#ifndef SANDTOP_SELFTESTS_LIB_DRIVEN_H
#define SANDTOP_SELFTESTS_LIB_DRIVEN_H

#include <stdint.h>

#include "selftests/lib/sandbox.h"

struct driven {
	struct sandbox sandbox;
	const char *name;
	char fifo[128];
	int lines;   /* said so far */
	size_t seen; /* of its output */
	int pipe;    /* to it */
};

/*
 * Every sandbox of this test is to be found in the test's own directory: to be called before the
 * first one is started.
 */
void driven_init(void);

/* Start "sandtop -b --name NAME OPTIONS -- guest", and wait until it listens. */
void driven_start(struct driven *d, const char *name, const char *const options[],
		  void (*prepare)(void *arg), void *arg);

/* Say a line, and return what the command says to it, until the next call, without the "done". */
const char *driven_say(struct driven *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same in two steps. */
void driven_begin(struct driven *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *driven_answer(struct driven *d);

/*
 * Listen with a queue that the command's socket 0 fills: the kernel drops what else comes, and who
 * connects waits. Returns the listener; `address` is IPv4.
 */
int driven_black_hole(struct driven *d, const char *address, uint16_t port);

/* End it by itself, and read its log. */
void driven_quit(struct driven *d);
void driven_free(struct driven *d);

/*
 * Run "sandtop ctl ARGS". Returns what it wrote on stdout, or with a status other than 0 on stderr;
 * it is valid until the next call.
 */
const char *driven_ctl(int expected_status, const char *const args[]);

/* A connection to the control socket of that name, which gives up after a while; or -errno. */
int driven_connect(const char *name);

/* Send a packet on it, unless it is empty, and receive one: NULL at the end. */
json_t *driven_request(int fd, const char *packet);

#endif

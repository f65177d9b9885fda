/* SPDX-License-Identifier: MIT */
/*
 * A client of a running sandbox's control socket that has the command's terminal
 * before it: what a monitor is, without a screen.
 */
#ifndef SANDTOP_SELFTESTS_LIB_VIEWER_H
#define SANDTOP_SELFTESTS_LIB_VIEWER_H

#include <jansson.h>
#include <stddef.h>

struct viewer {
	int control; /* -1: none */
	int stream;  /* -1: none, or at its end */
	char *text;  /* all that came; NUL-terminated */
	size_t len, room;
};

/* Keep the sockets of this test's sandboxes below harness_dir(). Returns 0 or -errno. */
int viewer_init(void);

/* Connect to the sandbox `name`. Waits until it is there, up to `ms`. Returns 0 or -errno. */
int viewer_connect(struct viewer *v, const char *name, int ms);

/*
 * Send the request and receive its reply, which is to be released; its descriptor goes to *fd if
 * that is not NULL. NULL when the sandbox has gone.
 */
json_t *viewer_call(struct viewer *v, json_t *request, int *fd);

/* The same for a request without arguments that is to succeed: 0, or -EPERM, or -EPIPE. */
int viewer_ask(struct viewer *v, json_t *request);

/* Attach to the terminal. Returns 0, or -EPERM when that is refused, or -EPIPE. */
int viewer_attach(struct viewer *v, int rows, int cols);

/* Both, with a terminal of 28 rows and 100 columns. */
int viewer_open(struct viewer *v, const char *name, int ms);

int viewer_type(struct viewer *v, const char *keys, size_t len);

/* Read once, without waiting for more than that. Returns 0, -ETIMEDOUT, or -EPIPE at the end. */
int viewer_read(struct viewer *v, int ms);

/* Wait until `text` has come after the first `from` bytes. Returns as viewer_read(). */
int viewer_wait_text(struct viewer *v, size_t from, const char *text, int ms);

/* Wait for the "exit" event of a sandbox that is watched. Returns its status, or -errno. */
int viewer_wait_exit(struct viewer *v, int ms);

void viewer_detach(struct viewer *v);

/* Nothing is done to one that is all zero. */
void viewer_free(struct viewer *v);

#endif

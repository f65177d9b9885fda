/* SPDX-License-Identifier: MIT */
/*
 * The command's own terminal: a pseudo-terminal whose other side the supervisor
 * holds and relays to its clients, the monitors.
 *
 * What the command writes goes into one ring of the last TERMINAL_REPLAY bytes.
 * A client is a place in that ring: a new one begins at its oldest byte and so
 * sees what came before. The terminal is read from as long as no client would
 * lose a byte, so a slow client slows the command down as a slow terminal does,
 * but one that takes nothing for TERMINAL_PATIENCE is disconnected. Without a
 * client the command never waits.
 *
 * A turn of the loop moves a bounded number of bytes each way, so that a flood
 * of output delays no decision.
 */
#ifndef SANDTOP_URING_TERMINAL_H
#define SANDTOP_URING_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "uring/loop.h"

enum {
	TERMINAL_REPLAY = 256 * 1024, /* bytes */
	TERMINAL_CLIENTS = 4,
	TERMINAL_INPUT = 4096,                      /* bytes of a client's input that wait */
	TERMINAL_PATIENCE = 5,                      /* seconds */
	TERMINAL_EVENTS = 2 * TERMINAL_CLIENTS + 3, /* armed at once on the loop, at most */
};

struct terminal;

struct terminal_client {
	struct terminal *terminal;
	int fd; /* -1: free */
	struct event in, out;
	uint64_t sent;    /* place of the next byte for it */
	uint64_t seen_at; /* the same when patience was last measured */
	size_t have, done;
	char input[TERMINAL_INPUT];
};

struct terminal {
	int master, slave; /* both sides; the slave stays open, so the master has no early end */
	struct loop *loop;
	struct event output, input, patience;
	struct __kernel_timespec wait;
	uint64_t total;   /* bytes that the command has written */
	uint64_t seen_at; /* the same when patience was last measured */
	bool attached;    /* there has been a client */
	bool ending;      /* no task is left, only what it wrote */
	bool ended;       /* nothing will come from the master any more */
	struct terminal_client clients[TERMINAL_CLIENTS];
	char replay[TERMINAL_REPLAY];
};

/*
 * Make the pseudo-terminal, with these settings and this size. Nothing is armed yet. Returns 0, or
 * -errno with nothing left open.
 */
int terminal_open(struct terminal *t, const struct termios *settings, const struct winsize *size);

/* From here on relay, on this loop, which must outlive the terminal. */
void terminal_start(struct terminal *t, struct loop *loop);

/* To be called once a turn of the loop, before it waits. */
void terminal_run(struct terminal *t);

/*
 * Admit a client and set the window size. *fd gets the client's end of a stream, blocking and
 * close-on-exec, which is the caller's: what is read from it is output, what is written to it is
 * typed. *replay gets the number of bytes at the beginning that were written before. Returns 0,
 * -EBUSY when there are TERMINAL_CLIENTS, or -errno.
 */
int terminal_attach(struct terminal *t, unsigned short rows, unsigned short cols, int *fd,
		    size_t *replay);

/* Set the window size; the kernel tells the foreground process group. Returns 0 or -errno. */
int terminal_resize(struct terminal *t, unsigned short rows, unsigned short cols);

/*
 * When no task is left: terminal_end(), then turns of the loop until terminal_is_drained(), which
 * is soon: a client that does not take the rest is disconnected.
 */
void terminal_end(struct terminal *t);
bool terminal_is_drained(const struct terminal *t);

/* Disconnect every client and close the terminal. */
void terminal_exit(struct terminal *t);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Rows of one task that makes one system call after another, and the sockets
 * on loopback that every client uses.
 */
#ifndef SANDTOP_BENCH_CALL_H
#define SANDTOP_BENCH_CALL_H

#include <netinet/in.h>

#include "tools/bench/row.h"

/* The policy permits the first address and not the second. No one listens on the second. */
#define CALL_ALLOWED INADDR_LOOPBACK
#define CALL_DENIED  (INADDR_LOOPBACK + 1)

enum { CALL_BATCH = 64 };

/*
 * Time `count` batches of the call that the row is named after: the median over the batches of one
 * call, or of one message of a call that carries many, in ns. A batch is CALL_BATCH calls, fewer
 * for calls that make connections, carry many messages or much data.
 */
void call_measure(const struct row *row, unsigned count, struct sample *out);

/* `ret` of a system call, unless that failed: then end the process, and say what did. */
long call_check(long ret, const char *what);

/* A socket of this type. It is the caller's, as all descriptors that these functions return. */
int call_socket(int type);

/* One that leaves no TIME_WAIT behind: a run would use up the local ports. */
int call_tcp_socket(void);

/* A socket bound to CALL_ALLOWED and a free port, which goes to *addr. */
int call_bound(int type, struct sockaddr_in *addr);

/* connect(2), and what it returns. */
int call_connect(int fd, const struct sockaddr_in *to);

/* Send 64 bytes to that address. */
void call_datagram(int fd, const struct sockaddr_in *to);

/* Take a connection from a listener and drop it. */
void call_drop_one(int listener);

#endif

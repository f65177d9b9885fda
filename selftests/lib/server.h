/* SPDX-License-Identifier: MIT */
/*
 * A listener that remembers what reached it. What a caller was told may be
 * wrong; what its peer received is the truth that the tests ask for.
 *
 * A contact is an accepted connection or a received datagram.
 */
#ifndef SANDTOP_SELFTESTS_LIB_SERVER_H
#define SANDTOP_SELFTESTS_LIB_SERVER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct server;

/*
 * Listen with a socket of `type` (SOCK_STREAM, SOCK_DGRAM) on an IPv4 or IPv6
 * address; port 0 is any free one; "::" takes IPv4 too. A thread of this process
 * serves it, so enter namespaces first. Returns NULL with errno set on failure.
 */
struct server *server_new(int type, const char *address, uint16_t port);

/* Waits for the thread; open connections are closed. NULL is fine. */
void server_free(struct server *s);

uint16_t server_port(const struct server *s);

/*
 * How many contacts there have been until now, without those of server_knock(),
 * which it calls: the thread may not have noticed yet what has already come. A
 * listener that is not there to be knocked at is a failed expectation.
 */
size_t server_count(struct server *s);

/* Wait until there are `count`. Returns 0, or -ETIMEDOUT after `ms` milliseconds. */
int server_wait(struct server *s, size_t count, int ms);

/*
 * Make a contact from this process and wait until it has been noticed: the
 * listener lives, and as contacts are noticed in their order, so has been
 * everything earlier. Returns 0 or -errno.
 */
int server_knock(struct server *s);

/*
 * What the i-th contact (from 0) brought, once it is there and complete: a
 * connection when the peer has closed it, a datagram at once. Copied to `buf` as
 * a string. Returns its whole length, or -ETIMEDOUT after `ms` milliseconds.
 */
ssize_t server_payload(struct server *s, size_t i, char *buf, size_t size, int ms);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A DNS server that remembers what it was asked, and answers as it is told, also
 * as no honest one would. It knows names below example.test:
 *
 *	api, www       A, one of three public addresses in turn, TTL 0; www by a CNAME
 *	fixed          A, a public address
 *	evil, ads      A, a public address; ads by a CNAME to evil
 *	rebind         A, an internal address
 *	mixed          A, a public and an internal address
 *	zero           A, 0.0.0.0
 *	large          TXT, 2000 bytes: cut over UDP, whole over TCP
 *	silent         nothing at all
 *	lossy          as fixed, but every other query is lost, the first among them
 *	garbage        an answer that is none behind its question
 *	loop           a compressed name that leads to itself
 *	mail           the same, and MX, with an address of another name in the additional section
 *
 * All else does not exist.
 */
#ifndef SANDTOP_SELFTESTS_LIB_NAMESERVER_H
#define SANDTOP_SELFTESTS_LIB_NAMESERVER_H

#include <stddef.h>
#include <stdint.h>

struct nameserver;

/* Serve UDP and TCP on 127.0.0.1, by a thread of this process. NULL with errno set on failure. */
struct nameserver *nameserver_new(uint16_t port);
void nameserver_free(struct nameserver *n); /* NULL is fine */

/* How often it was asked for the name, in any case of letters, or for any with NULL. */
size_t nameserver_asked(struct nameserver *n, const char *name);

#endif

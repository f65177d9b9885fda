/* SPDX-License-Identifier: MIT */
/*
 * A network of its own for each test: nothing leaves it, no port is taken.
 */
#ifndef SANDTOP_SELFTESTS_LIB_NETNS_H
#define SANDTOP_SELFTESTS_LIB_NETNS_H

#include <stdbool.h>

/* Addresses of this machine that are not loopback addresses. */
#define NETNS_ADDR4 "10.99.0.1"
#define NETNS_ADDR6 "fd00::1"

/* Public addresses (no group of internal ones has them) that are local in the namespace, too. */
#define NETNS_PUBLIC "198.51.100."

/*
 * Move this process, which must have one thread, into a new network namespace:
 * lo is up and also has the two addresses above, ping sockets work for the own
 * group, and TCP Fast Open puts data into the first packet without asking for a
 * cookie, on every listener.
 *
 * Without CAP_SYS_ADMIN a user namespace comes with it that maps the own uid
 * and gid to themselves: this process has all capabilities in it, but loses them
 * in an exec (unless it is uid 0), so what a test runs is as unprivileged as before.
 *
 * Returns 0 or -errno: -EPERM, -ENOSPC or -EUSERS where namespaces are refused.
 */
int netns_enter(void);

/* Make every address that begins with NETNS_PUBLIC local. Returns 0 or -errno. */
int netns_add_public(void);

/*
 * The same for a test's setup: false if the test is to end here, having been
 * skipped because namespaces are refused, or failed for another reason.
 */
bool netns_or_skip(void);

/* For a child of a test, before it executes a program: its /etc/hosts is the file `path`. */
void netns_take_hosts(void *path);

/* Give lo one more address, IPv4 or IPv6, alone in its prefix. Returns 0 or -errno. */
int netns_add_address(const char *text);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SANDTOP_SELFTESTS_LIB_UNIXSERVER_H
#define SANDTOP_SELFTESTS_LIB_UNIXSERVER_H

/*
 * An AF_UNIX socket of the host that listens, or receives with SOCK_DGRAM, at `name`: a path, or
 * "@NAME" for an abstract one. Returns its descriptor, which does not block, or -errno.
 */
int unixserver_open(int type, const char *name);

/* The connections, or datagrams, that have reached it since the last time. */
int unixserver_count(int fd, int type);

#endif

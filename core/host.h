/* SPDX-License-Identifier: MIT */
/*
 * What the policy wants to know of this machine: addresses of names, of its own
 * interfaces and of its name servers. May block; for the time before anything
 * runs.
 */
#ifndef SANDTOP_CORE_HOST_H
#define SANDTOP_CORE_HOST_H

#include "policy/endpoint.h"

/* Gets each address; a non-zero return ends the search and is returned. */
typedef int host_fn(void *arg, struct addr addr);

/*
 * All addresses of `name`, both families. Returns 0, -ENOENT with *why set to a static text when it
 * does not resolve, or what `fn` returned.
 */
int host_resolve(const char *name, host_fn *fn, void *arg, const char **why);

/* The addresses of this machine's interfaces. Returns 0, -errno of getifaddrs(3), or as above. */
int host_addresses(host_fn *fn, void *arg);

/*
 * A descriptor of rtnetlink(7) that has something to read whenever an address of this machine comes
 * or goes; the caller's. Returns it or -errno.
 */
int host_watch_addresses(void);

/*
 * The name servers in resolv.conf(5), 127.0.0.1 if it names none. Returns 0, or what `fn` returned.
 */
int host_nameservers(host_fn *fn, void *arg);

#endif

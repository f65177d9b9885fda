/* SPDX-License-Identifier: MIT */
/*
 * Ending a tree of processes, for a process that is the subreaper of all of
 * them (PR_SET_CHILD_SUBREAPER): whoever loses its parent becomes its child.
 */
#ifndef SANDTOP_CORE_REAP_H
#define SANDTOP_CORE_REAP_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Fill `out` with the living descendants of this process, at most `max`. Returns how many there
 * are, which can be more than `max`, or -errno when /proc cannot be read.
 */
int reap_descendants(pid_t *out, size_t max);

/*
 * Kill all descendants with SIGKILL, again and again until no child is left, or until all that is
 * left has been in uninterruptible sleep for 3 s: a file system does not answer it. Such a process
 * has been killed, and never returns from the kernel to its program. SIGCHLD must be blocked.
 * Returns how many of those there are.
 */
int reap_kill_all(void);

#endif

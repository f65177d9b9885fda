/* SPDX-License-Identifier: MIT */
/*
 * Who is at the other end of the control socket.
 *
 * A task of a sandbox must not be able to widen its own policy, nor that of
 * another sandbox. It has three ways to a control socket. A connect of its own
 * is performed by its supervisor, so the peer of that connection is a
 * supervisor. A connection that it inherited or was sent was made by somebody
 * else, so every request is checked by who sent it (SCM_PIDFD). And for both:
 * a task is a descendant of its supervisor, which is the subreaper of all of
 * them, so the chain of parents leads to one.
 */
#ifndef SANDTOP_CORE_PEER_H
#define SANDTOP_CORE_PEER_H

#include <sys/types.h>

/*
 * What a supervisor calls itself (prctl(2) PR_SET_NAME). No task can change the name of another
 * process; one that takes the name for itself is only refused.
 */
#define PEER_SUPERVISOR "sandtop:super"

/*
 * Whether process `pid`, to which `pidfd` belongs, may drive a sandbox. Returns 0; -EPERM when it
 * is a supervisor or a task of a sandbox; -ESRCH when it is gone, so that it cannot be told any
 * more; -EACCES when its parents cannot be looked at (a /proc with hidepid, another pid namespace,
 * an absurd number of them).
 */
int peer_check(pid_t pid, int pidfd);

#endif

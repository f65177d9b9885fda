/* SPDX-License-Identifier: MIT */
/*
 * Features of the kernel, each used for real (features.h).
 *
 * What cannot be undone is tried in a child, which is reaped: the caller must not reap children of
 * its own meanwhile. Each returns 0 or the -errno that its use ended with; -ENOSYS and -EINVAL mean
 * that the kernel has no such thing, and -EPERM may also be a seccomp profile that kills for it.
 */
#ifndef SANDTOP_CORE_PROBES_H
#define SANDTOP_CORE_PROBES_H

int probe_notify(void);        /* seccomp(2), a filter with a listener */
int probe_wait_killable(void); /* the same with WAIT_KILLABLE_RECV */
int probe_sync_wake_up(void);  /* the same with SYNC_WAKE_UP */
int probe_pidfd_thread(void);  /* pidfd_open(2) of a thread */
int probe_pidfd_getfd(void);   /* of a child */
int probe_read_memory(void);   /* process_vm_readv(2) of a child */
int probe_io_uring(void);
int probe_landlock_tcp(void);   /* an ABI with rules for TCP ports */
int probe_landlock_scope(void); /* an ABI with scopes */
int probe_user_namespace(void); /* and a network namespace in it */
int probe_ping(void);           /* a socket of IPPROTO_ICMP */

#endif

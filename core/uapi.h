/* SPDX-License-Identifier: MIT */
/*
 * Kernel interfaces that are newer than the headers of the oldest distribution
 * we build on (Debian 12, Linux 6.1). Each entry names the release that brought
 * it; whether the running kernel has it is found out at run time.
 */
#ifndef SANDTOP_CORE_UAPI_H
#define SANDTOP_CORE_UAPI_H

#include <linux/ioctl.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdint.h>

/* Linux 5.19: a received notification can be interrupted by fatal signals only. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* Linux 6.6: wake the other side on this CPU. */
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS      _IOW('!', 4, uint64_t)
#endif

/* Linux 6.9: a pidfd of one thread. */
#ifndef PIDFD_THREAD
#define PIDFD_THREAD 0200 /* O_EXCL */
#endif

/* Linux 6.13: who a pidfd's task is. */
#ifndef PIDFD_GET_INFO
struct pidfd_info {
	uint64_t mask;
	uint64_t cgroupid;
	uint32_t pid;
	uint32_t tgid;
	uint32_t ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	uint32_t exit_code;
};

#define PIDFD_GET_INFO   _IOWR(0xFF, 11, struct pidfd_info)
#define PIDFD_INFO_CREDS (1UL << 1)
#endif

/* Linux 6.5: pidfds of who connected to a UNIX socket, and of who sent a packet. */
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#define SO_PEERPIDFD 77
#endif
#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif

/* Linux 6.7 (Landlock ABI 4): TCP ports. */
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP    (1ULL << 0)
#define LANDLOCK_ACCESS_NET_CONNECT_TCP (1ULL << 1)
#define LANDLOCK_RULE_NET_PORT          2

struct landlock_net_port_attr {
	uint64_t allowed_access;
	uint64_t port; /* host order */
};
#endif

/* Linux 6.12 (Landlock ABI 6): what a domain may reach outside itself. */
#ifndef LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define LANDLOCK_SCOPE_SIGNAL               (1ULL << 1)
#endif

/* Linux 6.3: a memfd that cannot be executed, as vm.memfd_noexec may demand. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* Linux 5.14: have pages before they are touched. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* struct landlock_ruleset_attr as of ABI 6; older kernels take a shorter size. */
struct landlock_ruleset_attr_v6 {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

#endif

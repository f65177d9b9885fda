/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation
 *
 * plan_rows[] is the plan: each row names a system call, tests on its
 * arguments that must all hold, the answer in either mode, and the words for
 * people. Rows of one call never overlap unless they give the same answer, so
 * their order means nothing. The BPF program is made from them when sandtop is
 * built (tools/filters).
 *
 * The kernel reads an int in the low half of a register and ignores the upper
 * half, so a test on an int looks at 32 bits only; a test on a pointer or a
 * long looks at all 64.
 */
#include "core/plan.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <linux/userfaultfd.h>
#include <linux/vhost.h>
#include <netinet/in.h>
#include <linux/in6.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "core/uapi.h"

/* Other architectures multiplex with socketcall(2) or order the arguments of clone(2) otherwise. */
#if !defined(__x86_64__) && !defined(__aarch64__)
#error "the filter plan is written for x86-64 and arm64"
#endif

/* The tables read as tables: */
/* clang-format off */
#define VALUES(...) \
	.count = sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t), .value = { __VA_ARGS__ }
#define IN(n, bits, ...)     { .kind = PLAN_IN, .arg = n, .mask = bits, VALUES(__VA_ARGS__) }
#define NOT_IN(n, bits, ...) { .kind = PLAN_NOT_IN, .arg = n, .mask = bits, VALUES(__VA_ARGS__) }
#define HAS(n, bit)          IN(n, bit, bit)
#define NONZERO(n)           { .kind = PLAN_NONZERO, .arg = n }
#define ZERO(n)              { .kind = PLAN_ZERO, .arg = n }

#define CALL(name)     .call = #name, .nr = __NR_##name
#define TESTS(...)     .test = { __VA_ARGS__ }
#define ALWAYS         .when = "always"
#define BOTH(action)   .answer = { action, action }
#define TRAP           .answer = { SECCOMP_RET_USER_NOTIF, SECCOMP_RET_ALLOW }
#define FAIL(error)    BOTH(SECCOMP_RET_ERRNO | (error))
#define TRAP_OR(error) .answer = { SECCOMP_RET_USER_NOTIF, SECCOMP_RET_ERRNO | (error) }
#define ALONE(error)   .answer = { SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO | (error) }
#define SERVED(error)  .answer = { SECCOMP_RET_ERRNO | (error), SECCOMP_RET_ALLOW }

#define INT UINT32_MAX
/*
 * Where the kernel itself refuses every number from a limit on, the bits below
 * the next power of two are all that a complement has to look at.
 */
#define FAMILY   0xffU     /* AF_MAX: __sock_create() in net/socket.c */
#define PROTOCOL 0x1ffU    /* IPPROTO_MAX: inet_create() in net/ipv4/af_inet.c, inet6_create() */
#define LINK     0x1fU     /* MAX_LINKS: netlink_create() in net/netlink/af_netlink.c */
#define PID      0x3fffffU /* PID_MAX_LIMIT: include/linux/threads.h */
_Static_assert(AF_MAX - 1 <= FAMILY && IPPROTO_MAX - 1 <= PROTOCOL && MAX_LINKS - 1 <= LINK,
	       "these limits have grown");

/* The two internet families differ in one bit, so that one masked comparison means both. */
#define INET IN(0, (uint32_t) ~(AF_INET ^ AF_INET6), AF_INET)
_Static_assert(__builtin_popcount(AF_INET ^ AF_INET6) == 1 && !(AF_INET & (AF_INET ^ AF_INET6)),
	       "AF_INET and AF_INET6 differ in one bit that AF_INET has not");

/* SOCK_TYPE_MASK of include/linux/net.h: the rest is flags. */
#define TYPE 0xfU

#define REACHES "reaches processes outside the sandbox, the supervisor first"
#define OTHERS  "continued with the caller's own number; EPERM with any other, which may be outside"

const struct plan_row plan_rows[] = {
	{ CALL(connect), ALWAYS, TRAP, "judged" },
	{ CALL(sendto), TESTS(NONZERO(4)), .when = "an address is given", TRAP, "judged" },
	{ CALL(sendto), TESTS(HAS(3, MSG_FASTOPEN)), .when = "MSG_FASTOPEN", TRAP_OR(EACCES),
	  "it connects" },
	{ CALL(sendmsg), ALWAYS, TRAP, "the address is in memory" },
	{ CALL(sendmsg), TESTS(HAS(2, MSG_FASTOPEN)), .when = "MSG_FASTOPEN", ALONE(EACCES),
	  "it connects" },
	{ CALL(sendmmsg), ALWAYS, TRAP, "the addresses are in memory" },
	{ CALL(sendmmsg), TESTS(HAS(3, MSG_FASTOPEN)), .when = "MSG_FASTOPEN", ALONE(EACCES),
	  "it connects" },
	{ CALL(bind), ALWAYS, TRAP, "judged" },
	{ CALL(listen), ALWAYS, TRAP, "judged" },

	{ CALL(socket), TESTS(NOT_IN(0, FAMILY, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK)),
	  .when = "a domain other than AF_UNIX, AF_INET, AF_INET6, AF_NETLINK", FAIL(EAFNOSUPPORT),
	  "no rule speaks of it" },
	{ CALL(socket),
	  TESTS(IN(0, INT, AF_NETLINK), NOT_IN(2, LINK, NETLINK_ROUTE, NETLINK_KOBJECT_UEVENT)),
	  .when = "AF_NETLINK with a protocol other than NETLINK_ROUTE, NETLINK_KOBJECT_UEVENT",
	  FAIL(EPROTONOSUPPORT), "it configures the kernel" },
	{ CALL(socket), TESTS(INET, IN(1, TYPE, SOCK_RAW, SOCK_PACKET)),
	  .when = "internet, SOCK_RAW or SOCK_PACKET", FAIL(EPERM), "writes its own headers" },
	{ CALL(socket),
	  TESTS(INET, NOT_IN(1, TYPE, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_PACKET)),
	  .when = "internet, a type other than SOCK_STREAM, SOCK_DGRAM", FAIL(ESOCKTNOSUPPORT),
	  "no rule speaks of it" },
	{ CALL(socket), TESTS(INET, IN(1, TYPE, SOCK_STREAM), NOT_IN(2, PROTOCOL, 0, IPPROTO_TCP)),
	  .when = "internet, SOCK_STREAM with a protocol other than TCP", FAIL(EPROTONOSUPPORT),
	  "MPTCP, SMC, SCTP: programs fall back to TCP" },
	{ CALL(socket),
	  TESTS(INET, IN(1, TYPE, SOCK_DGRAM),
		NOT_IN(2, PROTOCOL, 0, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6)),
	  .when = "internet, SOCK_DGRAM with a protocol other than UDP, ICMP, ICMPv6",
	  SERVED(EPROTONOSUPPORT), "UDP-Lite, DCCP, L2TP: no rule speaks of them" },
	{ CALL(socket), TESTS(INET, IN(1, TYPE, SOCK_DGRAM)), .when = "internet, SOCK_DGRAM",
	  ALONE(EACCES), "Landlock knows TCP only" },
	{ CALL(socketpair), TESTS(NOT_IN(0, FAMILY, AF_UNIX)),
	  .when = "a domain other than AF_UNIX", FAIL(EAFNOSUPPORT), "no rule speaks of it" },

	{ CALL(setsockopt), TESTS(IN(1, INT, IPPROTO_IP), IN(2, INT, IP_OPTIONS), NONZERO(3)),
	  .when = "IP_OPTIONS, unless with a null pointer", FAIL(EPERM),
	  "a source route goes to another host than the one judged" },
	{ CALL(setsockopt),
	  TESTS(IN(1, INT, IPPROTO_IPV6), IN(2, INT, IPV6_RTHDR, IPV6_2292PKTOPTIONS), NONZERO(3)),
	  .when = "IPV6_RTHDR, IPV6_2292PKTOPTIONS, unless with a null pointer", FAIL(EPERM),
	  "a routing header goes to another host than the one judged" },
	{ CALL(setsockopt), TESTS(IN(1, INT, IPPROTO_IPV6), IN(2, INT, IPV6_FLOWLABEL_MGR)),
	  .when = "IPV6_FLOWLABEL_MGR", FAIL(EPERM), "a flow label can carry a routing header" },
	{ CALL(setsockopt), TESTS(IN(1, INT, SOL_SOCKET), IN(2, INT, SO_ZEROCOPY)),
	  .when = "SO_ZEROCOPY", FAIL(ENOPROTOOPT), "the pages sent are the supervisor's" },

	{ CALL(io_uring_setup), ALWAYS, FAIL(ENOSYS), "a ring's calls pass no filter" },
	{ CALL(io_uring_enter), ALWAYS, FAIL(ENOSYS), "a ring's calls pass no filter" },
	{ CALL(io_uring_register), ALWAYS, FAIL(ENOSYS), "a ring's calls pass no filter" },
	{ CALL(request_key), TESTS(NONZERO(2)), .when = "callout information is given",
	  FAIL(ENOKEY), "a root helper of the host resolves names (dns_resolver keys)" },

	{ CALL(clone), TESTS(IN(0, CLONE_FILES | CLONE_THREAD, CLONE_FILES)),
	  .when = "CLONE_FILES without CLONE_THREAD", TRAP,
	  "continued: from then on processes share descriptors" },
	{ CALL(clone3), ALWAYS, FAIL(ENOSYS), "its flags are in memory: libcs fall back to clone" },
	{ CALL(prctl), TESTS(IN(0, INT, PR_SET_DUMPABLE), ZERO(1)), .when = "PR_SET_DUMPABLE, 0",
	  FAIL(0), "a task that hides its memory could not be served" },
	{ CALL(keyctl), TESTS(IN(0, INT, KEYCTL_SESSION_TO_PARENT)),
	  .when = "KEYCTL_SESSION_TO_PARENT", FAIL(EPERM), "replaces the supervisor's keyring" },
	{ CALL(userfaultfd), ALWAYS, FAIL(EPERM), "a fault handler could stall the supervisor" },
	{ CALL(ioctl), TESTS(IN(1, INT, USERFAULTFD_IOC_NEW)), .when = "USERFAULTFD_IOC_NEW",
	  FAIL(EPERM), "as userfaultfd" },
	{ CALL(ioctl), TESTS(IN(1, INT, SIOCGSKNS)), .when = "SIOCGSKNS", FAIL(EPERM),
	  "hands out the namespace of a socket" },
	{ CALL(open_by_handle_at), ALWAYS, FAIL(EPERM),
	  "opens namespaces of others (nsfs), and files past every directory" },
	{ CALL(ioctl), TESTS(IN(1, INT, TUNSETIFF)), .when = "TUNSETIFF", FAIL(EPERM),
	  "a device that was made for the user sends past every rule" },
	{ CALL(ioctl), TESTS(IN(1, INT, VHOST_VSOCK_SET_GUEST_CID)),
	  .when = "VHOST_VSOCK_SET_GUEST_CID", FAIL(EPERM),
	  "a guest's sockets reach the host's services" },
	{ CALL(ioctl), TESTS(IN(1, INT, TIOCSTI, TIOCLINUX)), .when = "TIOCSTI, TIOCLINUX",
	  FAIL(EPERM), "types into the operator's terminal" },

	{ CALL(prlimit64), TESTS(NOT_IN(0, PID, 0), NONZERO(2)),
	  .when = "a new limit for a number other than 0", TRAP_OR(EPERM), OTHERS },
	{ CALL(setpriority), TESTS(IN(0, INT, PRIO_PGRP, PRIO_USER)),
	  .when = "a process group or a user", FAIL(EPERM), REACHES },
	{ CALL(setpriority), TESTS(IN(0, INT, PRIO_PROCESS), NOT_IN(1, PID, 0)),
	  .when = "a number other than 0", TRAP_OR(EPERM), OTHERS },
	{ CALL(ioprio_set), TESTS(IN(0, INT, IOPRIO_WHO_PGRP, IOPRIO_WHO_USER)),
	  .when = "a process group or a user", FAIL(EPERM), REACHES },
	{ CALL(ioprio_set), TESTS(IN(0, INT, IOPRIO_WHO_PROCESS), NOT_IN(1, PID, 0)),
	  .when = "a number other than 0", TRAP_OR(EPERM), OTHERS },
	{ CALL(sched_setparam), TESTS(NOT_IN(0, PID, 0)),
	  .when = "a number other than 0", TRAP_OR(EPERM), OTHERS },
	{ CALL(sched_setscheduler), TESTS(NOT_IN(0, PID, 0)),
	  .when = "a number other than 0", TRAP_OR(EPERM), OTHERS },
	{ CALL(sched_setaffinity), TESTS(NOT_IN(0, PID, 0)),
	  .when = "a number other than 0", TRAP_OR(EPERM), OTHERS },
	{ CALL(sched_setattr), TESTS(NOT_IN(0, PID, 0)),
	  .when = "a number other than 0", TRAP_OR(EPERM), OTHERS },

	{ .call = "any",
	  .nr = PLAN_FOREIGN,
	  .when = "by another architecture's entry (i386, x32)",
	  BOTH(SECCOMP_RET_KILL_PROCESS),
	  "its numbers mean other calls" },
};

/* clang-format on */

const size_t n_plan_rows = sizeof(plan_rows) / sizeof(plan_rows[0]);

static const char *answer_name(uint32_t answer)
{
	int error = (int)(answer & SECCOMP_RET_DATA);

	switch (answer & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_USER_NOTIF:
		return "trapped";
	case SECCOMP_RET_KILL_PROCESS:
		return "killed";
	default:
		return error ? strerrorname_np(error) : "success, without effect";
	}
}

void plan_print(enum plan_mode mode, FILE *out)
{
	const struct plan_row *row;
	size_t i;

	for (i = 0; i < n_plan_rows; i++) {
		row = &plan_rows[i];
		if (row->answer[mode] != SECCOMP_RET_ALLOW)
			fprintf(out, "%s\t%s\t%s\t%s\n", row->call, row->when,
				answer_name(row->answer[mode]), row->why);
	}
}

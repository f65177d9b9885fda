/* SPDX-License-Identifier: MIT */
/*
 * The static part of containment: the filter plan, simulated on the program
 * that is made from it, the words that `sandtop check --plan` prints of it, and
 * what an older or locked-down kernel is said to lack.
 */
#include "core/plan.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/if_tun.h>
#include <linux/ioprio.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <linux/userfaultfd.h>
#include <linux/vhost.h>
#include <netinet/in.h>
#include <linux/in6.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "core/features.h"
#include "core/filter.h"
#include "core/landlock.h"
#include "selftests/unit/bpfsim.h"

#if defined(__x86_64__)
#define ARCH_NATIVE  AUDIT_ARCH_X86_64
#define ARCH_FOREIGN AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define ARCH_NATIVE  AUDIT_ARCH_AARCH64
#define ARCH_FOREIGN AUDIT_ARCH_ARM
#endif

#define ALLOW   SECCOMP_RET_ALLOW
#define NOTIFY  SECCOMP_RET_USER_NOTIF
#define FAIL(e) (SECCOMP_RET_ERRNO | (e))
#define PTR     0x7f0012345000ULL
#define GARBAGE 0xdeadbeef00000000ULL

enum { MODES = 2, NR_END = 1024 };

static uint32_t answer(int mode, uint32_t arch, int nr, const uint64_t arg[static 6])
{
	struct seccomp_data data = { .nr = nr, .arch = arch };

	memcpy(data.args, arg, sizeof(data.args));
	struct sock_fprog program = filter_of((enum plan_mode)mode);

	return bpfsim_run(program.filter, program.len, &data);
}

/* The arguments that the kernel reads as an int, one bit each. */
static unsigned int ints_of(int nr)
{
	switch (nr) {
	case __NR_sendto:
		return 1 << 0 | 1 << 3 | 1 << 5;
	case __NR_sendmsg:
		return 1 << 0 | 1 << 2;
	case __NR_sendmmsg:
		return 1 << 0 | 1 << 2 | 1 << 3;
	case __NR_setsockopt:
		return 1 << 0 | 1 << 1 | 1 << 2 | 1 << 4;
	case __NR_socket:
	case __NR_socketpair:
	case __NR_setpriority:
	case __NR_ioprio_set:
		return 1 << 0 | 1 << 1 | 1 << 2;
	case __NR_ioctl:
	case __NR_prlimit64:
	case __NR_sched_setscheduler:
		return 1 << 0 | 1 << 1;
	case __NR_clone: /* lower_32_bits(clone_flags) in kernel/fork.c */
	case __NR_prctl:
	case __NR_sched_setparam:
	case __NR_sched_setaffinity:
	case __NR_sched_setattr:
		return 1 << 0;
	default:
		return 0;
	}
}

/* Expect `want` whatever is above the arguments that are ints. */
static void expect(int mode, int nr, const uint64_t arg[static 6], uint32_t want)
{
	unsigned int ints = ints_of(nr);
	unsigned int dirty = ints;
	uint64_t sent[6];
	uint32_t got;
	int i;

	for (;;) {
		for (i = 0; i < 6; i++)
			sent[i] = dirty >> i & 1 ? (uint32_t)arg[i] | GARBAGE : arg[i];
		got = answer(mode, ARCH_NATIVE, nr, sent);
		cr_expect_eq(got, want,
			     "mode %d, call %d(%#lx, %#lx, %#lx, %#lx, %#lx): %#x, not %#x", mode,
			     nr, sent[0], sent[1], sent[2], sent[3], sent[4], got, want);
		if (!dirty)
			return;
		dirty = (dirty - 1) & ints;
	}
}

struct call_case {
	const char *words; /* of the row that gives the answer; NULL: no row does */
	int nr;
	uint64_t arg[6];
	uint32_t want[MODES];
};

#define BOTH(a)                                                                                    \
	{                                                                                          \
		a, a                                                                               \
	}
#define PASS NULL

static const struct call_case cases[] = {
	{ "connect\talways", __NR_connect, { 3, PTR, 16 }, { NOTIFY, ALLOW } },
	{ "bind\talways", __NR_bind, { 3, PTR, 16 }, { NOTIFY, ALLOW } },
	{ "listen\talways", __NR_listen, { 3, 1 }, { NOTIFY, ALLOW } },

	{ PASS, __NR_sendto, { 3, PTR, 9, MSG_NOSIGNAL, 0, 0 }, BOTH(ALLOW) },
	{ PASS, __NR_sendto, { 3, PTR, 9, ~MSG_FASTOPEN, 0, 16 }, BOTH(ALLOW) },
	{ "sendto\tan address", __NR_sendto, { 3, PTR, 9, 0, PTR, 16 }, { NOTIFY, ALLOW } },
	{ "sendto\tan address", __NR_sendto, { 3, PTR, 9, 0, 0x1000, 16 }, { NOTIFY, ALLOW } },
	{ "sendto\tan address", __NR_sendto, { 3, PTR, 9, 0, 1ULL << 32, 0 }, { NOTIFY, ALLOW } },
	{ "sendto\tan address", __NR_sendto, { 3, PTR, 9, 0, 1ULL << 63, 0 }, { NOTIFY, ALLOW } },
	{ "sendto\tMSG_FASTOPEN",
	  __NR_sendto,
	  { 3, PTR, 9, MSG_FASTOPEN, 0, 0 },
	  { NOTIFY, FAIL(EACCES) } },
	{ "sendto\tMSG_FASTOPEN",
	  __NR_sendto,
	  { 3, PTR, 9, MSG_FASTOPEN | MSG_NOSIGNAL, PTR, 16 },
	  { NOTIFY, FAIL(EACCES) } },
	{ "sendmsg\talways", __NR_sendmsg, { 3, PTR, 0 }, { NOTIFY, ALLOW } },
	{ "sendmsg\t", __NR_sendmsg, { 3, PTR, MSG_FASTOPEN }, { NOTIFY, FAIL(EACCES) } },
	{ "sendmmsg\talways", __NR_sendmmsg, { 3, PTR, 2, 0 }, { NOTIFY, ALLOW } },
	{ "sendmmsg\t", __NR_sendmmsg, { 3, PTR, 2, MSG_FASTOPEN }, { NOTIFY, FAIL(EACCES) } },

	{ "setsockopt\tIP_OPTIONS",
	  __NR_setsockopt,
	  { 3, IPPROTO_IP, IP_OPTIONS, PTR, 8 },
	  BOTH(FAIL(EPERM)) },
	{ PASS, __NR_setsockopt, { 3, IPPROTO_IP, IP_OPTIONS, 0, 0 }, BOTH(ALLOW) },
	{ PASS, __NR_setsockopt, { 3, SOL_SOCKET, IP_OPTIONS, PTR, 4 }, BOTH(ALLOW) },
	{ PASS, __NR_setsockopt, { 3, IPPROTO_IP, IP_TOS, PTR, 4 }, BOTH(ALLOW) },
	{ PASS, __NR_getsockopt, { 3, IPPROTO_IP, IP_OPTIONS, PTR, PTR }, BOTH(ALLOW) },
	{ "setsockopt\tIPV6_RTHDR",
	  __NR_setsockopt,
	  { 3, IPPROTO_IPV6, IPV6_RTHDR, PTR, 24 },
	  BOTH(FAIL(EPERM)) },
	{ "IPV6_2292PKTOPTIONS",
	  __NR_setsockopt,
	  { 3, IPPROTO_IPV6, IPV6_2292PKTOPTIONS, PTR, 40 },
	  BOTH(FAIL(EPERM)) },
	{ PASS, __NR_setsockopt, { 3, IPPROTO_IPV6, IPV6_RTHDR, 0, 0 }, BOTH(ALLOW) },
	{ "setsockopt\tIPV6_FLOWLABEL_MGR",
	  __NR_setsockopt,
	  { 3, IPPROTO_IPV6, IPV6_FLOWLABEL_MGR, PTR, 32 },
	  BOTH(FAIL(EPERM)) },
	{ PASS, __NR_setsockopt, { 3, IPPROTO_IPV6, IPV6_V6ONLY, PTR, 4 }, BOTH(ALLOW) },
	{ PASS, __NR_setsockopt, { 3, IPPROTO_TCP, TCP_NODELAY, PTR, 4 }, BOTH(ALLOW) },
	{ "setsockopt\tSO_ZEROCOPY",
	  __NR_setsockopt,
	  { 3, SOL_SOCKET, SO_ZEROCOPY, PTR, 4 },
	  BOTH(FAIL(ENOPROTOOPT)) },
	{ PASS, __NR_setsockopt, { 3, SOL_SOCKET, SO_REUSEADDR, PTR, 4 }, BOTH(ALLOW) },

	{ "io_uring_setup\talways", __NR_io_uring_setup, { 8, PTR }, BOTH(FAIL(ENOSYS)) },
	{ "io_uring_enter\talways", __NR_io_uring_enter, { 3, 1 }, BOTH(FAIL(ENOSYS)) },
	{ "io_uring_register\talways", __NR_io_uring_register, { 3, 1 }, BOTH(FAIL(ENOSYS)) },
	{ "request_key\tcallout", __NR_request_key, { PTR, PTR, PTR, 0 }, BOTH(FAIL(ENOKEY)) },
	{ "request_key\tcallout",
	  __NR_request_key,
	  { PTR, PTR, 1ULL << 40, 0 },
	  BOTH(FAIL(ENOKEY)) },
	{ PASS, __NR_request_key, { PTR, PTR, 0, 0 }, BOTH(ALLOW) },
	{ "keyctl\tKEYCTL_SESSION_TO_PARENT", __NR_keyctl, { 18 }, BOTH(FAIL(EPERM)) },
	{ "keyctl\tKEYCTL_SESSION_TO_PARENT", __NR_keyctl, { 1ULL << 32 | 18 }, BOTH(FAIL(EPERM)) },
	{ PASS, __NR_keyctl, { 11 }, BOTH(ALLOW) },

	{ "clone\tCLONE_FILES", __NR_clone, { CLONE_VM | CLONE_FILES | 17 }, { NOTIFY, ALLOW } },
	{ PASS,
	  __NR_clone,
	  { CLONE_VM | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD },
	  BOTH(ALLOW) },
	{ PASS, __NR_clone, { 17 }, BOTH(ALLOW) },
	{ PASS, __NR_clone, { CLONE_VM | CLONE_VFORK | 17 }, BOTH(ALLOW) },
	{ "clone3\talways", __NR_clone3, { PTR, 88 }, BOTH(FAIL(ENOSYS)) },

	{ "prctl\tPR_SET_DUMPABLE", __NR_prctl, { PR_SET_DUMPABLE, 0 }, BOTH(FAIL(0)) },
	{ PASS, __NR_prctl, { PR_SET_DUMPABLE, 1 }, BOTH(ALLOW) },
	{ PASS, __NR_prctl, { PR_SET_DUMPABLE, 1ULL << 32 }, BOTH(ALLOW) },
	{ PASS, __NR_prctl, { PR_GET_DUMPABLE, 0 }, BOTH(ALLOW) },
	{ "userfaultfd\talways", __NR_userfaultfd, { 1 }, BOTH(FAIL(EPERM)) },
	{ "USERFAULTFD_IOC_NEW", __NR_ioctl, { 3, USERFAULTFD_IOC_NEW }, BOTH(FAIL(EPERM)) },
	{ "ioctl\tSIOCGSKNS", __NR_ioctl, { 3, SIOCGSKNS }, BOTH(FAIL(EPERM)) },
	{ "open_by_handle_at\talways", __NR_open_by_handle_at, { 3, PTR, 0 }, BOTH(FAIL(EPERM)) },
	{ PASS, __NR_name_to_handle_at, { 3, PTR, PTR, PTR, 0 }, BOTH(ALLOW) },
	{ "TUNSETIFF", __NR_ioctl, { 3, TUNSETIFF, PTR }, BOTH(FAIL(EPERM)) },
	{ "VHOST_VSOCK_SET_GUEST_CID",
	  __NR_ioctl,
	  { 3, VHOST_VSOCK_SET_GUEST_CID, PTR },
	  BOTH(FAIL(EPERM)) },
	{ PASS, __NR_ioctl, { 3, TUNGETIFF, PTR }, BOTH(ALLOW) },
	{ "ioctl\tTIOCSTI", __NR_ioctl, { 0, TIOCSTI, PTR }, BOTH(FAIL(EPERM)) },
	{ "TIOCLINUX", __NR_ioctl, { 0, TIOCLINUX, PTR }, BOTH(FAIL(EPERM)) },
	{ PASS, __NR_ioctl, { 0, TCGETS, PTR }, BOTH(ALLOW) },
	{ PASS, __NR_ioctl, { 0, TIOCGWINSZ, PTR }, BOTH(ALLOW) },

	{ "setpriority\ta process group",
	  __NR_setpriority,
	  { PRIO_PGRP, 0, 5 },
	  BOTH(FAIL(EPERM)) },
	{ "setpriority\ta process group",
	  __NR_setpriority,
	  { PRIO_USER, 0, 5 },
	  BOTH(FAIL(EPERM)) },
	{ "setpriority\ta process group",
	  __NR_setpriority,
	  { PRIO_USER, 1000 },
	  BOTH(FAIL(EPERM)) },
	{ "ioprio_set\ta process group", __NR_ioprio_set, { IOPRIO_WHO_PGRP }, BOTH(FAIL(EPERM)) },
	{ "ioprio_set\ta process group",
	  __NR_ioprio_set,
	  { IOPRIO_WHO_USER, 7 },
	  BOTH(FAIL(EPERM)) },
	{ PASS, __NR_prlimit64, { 4711, RLIMIT_CPU, 0, PTR }, BOTH(ALLOW) },
	{ "prlimit64\ta new limit",
	  __NR_prlimit64,
	  { 4711, RLIMIT_CPU, 1ULL << 32, 0 },
	  { NOTIFY, FAIL(EPERM) } },

	{ PASS, __NR_sendfile, { 3, 4, 0, 100 }, BOTH(ALLOW) },
	{ PASS, __NR_recvfrom, { 3, PTR, 100, 0, PTR, PTR }, BOTH(ALLOW) },
	{ PASS, __NR_accept4, { 3, PTR, PTR, SOCK_CLOEXEC }, BOTH(ALLOW) },
};

Test(plan, every_row_gives_its_answer)
{
	size_t i;
	int mode;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (mode = 0; mode < MODES; mode++)
			expect(mode, cases[i].nr, cases[i].arg, cases[i].want[mode]);
}

/* Numbers at which a complement made of aligned blocks could be wrong. */
static int numbers(int limit, int out[static 512])
{
	int count = 0;
	int i;

	for (i = 0; i < 300 && i < limit; i++)
		out[count++] = i;
	for (i = 8; i < 31 && 1 << i < limit; i++) {
		out[count++] = (1 << i) - 1;
		out[count++] = 1 << i;
		out[count++] = (1 << i) + 1;
	}
	out[count++] = limit - 1;
	return count;
}

static bool internet(int domain)
{
	return domain == AF_INET || domain == AF_INET6;
}

static uint32_t socket_wanted(int mode, int domain, int type, int protocol)
{
	if (domain == AF_UNIX)
		return ALLOW;
	if (domain == AF_NETLINK)
		return protocol == NETLINK_ROUTE || protocol == NETLINK_KOBJECT_UEVENT
			       ? ALLOW
			       : FAIL(EPROTONOSUPPORT);
	if (!internet(domain))
		return FAIL(EAFNOSUPPORT);
	switch (type & 0xf) {
	case SOCK_STREAM:
		return !protocol || protocol == IPPROTO_TCP ? ALLOW : FAIL(EPROTONOSUPPORT);
	case SOCK_DGRAM:
		if (mode == PLAN_STATIC)
			return FAIL(EACCES);
		return !protocol || protocol == IPPROTO_UDP || protocol == IPPROTO_ICMP ||
				       protocol == IPPROTO_ICMPV6
			       ? ALLOW
			       : FAIL(EPROTONOSUPPORT);
	case SOCK_RAW:
	case SOCK_PACKET:
		return FAIL(EPERM);
	default:
		return FAIL(ESOCKTNOSUPPORT);
	}
}

Test(plan, socket_lets_judged_kinds_pass)
{
	static const int flags[] = { 0, SOCK_CLOEXEC, SOCK_NONBLOCK | SOCK_CLOEXEC };
	int mode, domain, type, protocol, flag;

	for (domain = 0; domain < 256; domain++)
		for (type = 0; type < 16; type++)
			for (protocol = 0; protocol < (domain == AF_NETLINK ? 32 : 512); protocol++)
				for (mode = 0; mode < MODES; mode++) {
					flag = flags[(domain + type + protocol) % 3];
					if (!internet(domain) && protocol > 40)
						continue;
					expect(mode, __NR_socket,
					       (uint64_t[6]){ (uint64_t)domain,
							      (uint64_t)(type | flag),
							      (uint64_t)protocol },
					       socket_wanted(mode, domain, type, protocol));
				}
}

/* The kernel refuses these; the filter must not trap them, and may let them pass. */
Test(plan, socket_with_absurd_numbers_is_never_trapped)
{
	static const int absurd[] = { -1, INT32_MIN, INT32_MAX, 1 << 16, 0x12345 };
	uint32_t got;
	size_t i;

	for (i = 0; i < sizeof(absurd) / sizeof(absurd[0]); i++) {
		uint64_t n = (uint32_t)absurd[i];

		got = answer(PLAN_SUPERVISED, ARCH_NATIVE, __NR_socket,
			     (uint64_t[6]){ n, SOCK_STREAM, 0 });
		cr_expect_neq(got, NOTIFY);
		got = answer(PLAN_SUPERVISED, ARCH_NATIVE, __NR_socket,
			     (uint64_t[6]){ AF_INET, SOCK_STREAM, n });
		cr_expect_neq(got, NOTIFY);
	}
}

Test(plan, socketpair_is_for_unix_sockets)
{
	int mode, domain;

	for (domain = 0; domain < 256; domain++)
		for (mode = 0; mode < MODES; mode++)
			expect(mode, __NR_socketpair,
			       (uint64_t[6]){ (uint64_t)domain, SOCK_STREAM, 0, PTR },
			       domain == AF_UNIX ? ALLOW : FAIL(EAFNOSUPPORT));
}

Test(plan, no_call_reaches_another_process_unseen)
{
	static const struct {
		int nr;
		uint64_t before; /* the argument before the pid, if the pid is not the first */
		int at;          /* the pid's place */
	} calls[] = {
		{ __NR_prlimit64, 0, 0 },
		{ __NR_sched_setparam, 0, 0 },
		{ __NR_sched_setscheduler, 0, 0 },
		{ __NR_sched_setaffinity, 0, 0 },
		{ __NR_sched_setattr, 0, 0 },
		{ __NR_setpriority, PRIO_PROCESS, 1 },
		{ __NR_ioprio_set, IOPRIO_WHO_PROCESS, 1 },
	};
	int pids[512];
	int count = numbers(1 << 22, pids);
	uint64_t arg[6];
	int mode, i;
	size_t c;

	pids[count++] = -1;
	for (c = 0; c < sizeof(calls) / sizeof(calls[0]); c++)
		for (mode = 0; mode < MODES; mode++)
			for (i = 0; i < count; i++) {
				memcpy(arg, (uint64_t[6]){ calls[c].before, 0, PTR, PTR },
				       sizeof(arg));
				arg[calls[c].at] = (uint32_t)pids[i];
				expect(mode, calls[c].nr, arg,
				       !pids[i]                  ? ALLOW
				       : mode == PLAN_SUPERVISED ? NOTIFY
								 : FAIL(EPERM));
			}
}

Test(plan, what_no_row_names_passes)
{
	static const uint64_t zero[6], ones[6] = { ~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL };
	static const int elsewhere[] = { __NR_socket,         __NR_socketpair,
					 __NR_sched_setparam, __NR_sched_setscheduler,
					 __NR_sched_setattr,  __NR_sched_setaffinity };
	bool named[NR_END] = { false };
	int mode, nr;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (cases[i].words)
			named[cases[i].nr] = true;
	for (i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		named[elsewhere[i]] = true;

	for (nr = 0; nr < NR_END; nr++)
		for (mode = 0; mode < MODES && !named[nr]; mode++) {
			cr_expect_eq(answer(mode, ARCH_NATIVE, nr, zero), ALLOW, "call %d", nr);
			cr_expect_eq(answer(mode, ARCH_NATIVE, nr, ones), ALLOW, "call %d", nr);
		}
}

Test(plan, a_foreign_entry_kills_the_process)
{
	static const uint32_t others[] = { ARCH_FOREIGN, AUDIT_ARCH_PPC64, 0, UINT32_MAX };
	static const uint64_t zero[6];
	int mode, nr;
	size_t i;

	for (mode = 0; mode < MODES; mode++)
		for (nr = 0; nr < NR_END; nr++) {
			for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
				cr_expect_eq(answer(mode, others[i], nr, zero),
					     SECCOMP_RET_KILL_PROCESS);
#ifdef __x86_64__
			cr_expect_eq(answer(mode, ARCH_NATIVE, nr | 0x40000000, zero),
				     SECCOMP_RET_KILL_PROCESS);
#endif
		}
}

static char *plan_text(enum plan_mode mode)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert(out);
	plan_print(mode, out);
	fclose(out);
	return text;
}

static const char *words_for(uint32_t action)
{
	switch (action) {
	case NOTIFY:
		return "\ttrapped\t";
	case SECCOMP_RET_KILL_PROCESS:
		return "\tkilled\t";
	case FAIL(0):
		return "\tsuccess, without effect\t";
	default:
		return strerrorname_np((int)(action & SECCOMP_RET_DATA));
	}
}

/* The rows that the tests with a loop of their own cover. */
static const struct call_case looped[] = {
	{ "socket\ta domain other", 0, { 0 }, BOTH(FAIL(EAFNOSUPPORT)) },
	{ "socket\tAF_NETLINK", 0, { 0 }, BOTH(FAIL(EPROTONOSUPPORT)) },
	{ "socket\tinternet, SOCK_RAW or SOCK_PACKET", 0, { 0 }, BOTH(FAIL(EPERM)) },
	{ "socket\tinternet, a type other", 0, { 0 }, BOTH(FAIL(ESOCKTNOSUPPORT)) },
	{ "socket\tinternet, SOCK_STREAM with", 0, { 0 }, BOTH(FAIL(EPROTONOSUPPORT)) },
	{ "socket\tinternet, SOCK_DGRAM", 0, { 0 }, { FAIL(EPROTONOSUPPORT), FAIL(EACCES) } },
	{ "socketpair\t", 0, { 0 }, BOTH(FAIL(EAFNOSUPPORT)) },
	{ "setpriority\ta number", 0, { 0 }, { NOTIFY, FAIL(EPERM) } },
	{ "ioprio_set\ta number", 0, { 0 }, { NOTIFY, FAIL(EPERM) } },
	{ "sched_setparam\ta number", 0, { 0 }, { NOTIFY, FAIL(EPERM) } },
	{ "sched_setscheduler\ta number", 0, { 0 }, { NOTIFY, FAIL(EPERM) } },
	{ "sched_setaffinity\ta number", 0, { 0 }, { NOTIFY, FAIL(EPERM) } },
	{ "sched_setattr\ta number", 0, { 0 }, { NOTIFY, FAIL(EPERM) } },
	{ "any\t", 0, { 0 }, BOTH(SECCOMP_RET_KILL_PROCESS) },
};

static bool line_tells(const char *line, const struct call_case *c, int mode)
{
	return c->words && c->want[mode] != ALLOW && strstr(line, c->words) &&
	       strstr(line, words_for(c->want[mode]));
}

static size_t lines_tell(const char *text, const struct call_case *c, int mode)
{
	char *copy = strdup(text);
	char *save = NULL;
	size_t count = 0;
	char *line;

	for (line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		count += line_tells(line, c, mode);
	free(copy);
	return count;
}

static bool line_is_tested(const char *line, int mode)
{
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (line_tells(line, &cases[i], mode))
			return true;
	for (i = 0; i < sizeof(looped) / sizeof(looped[0]); i++)
		if (line_tells(line, &looped[i], mode))
			return true;
	return false;
}

Test(plan, text_and_tests_name_the_same_rows)
{
	char *save = NULL;
	char *line, *text;
	size_t i;
	int mode;

	for (mode = 0; mode < MODES; mode++) {
		text = plan_text((enum plan_mode)mode);
		for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
			if (cases[i].words && cases[i].want[mode] != ALLOW)
				cr_expect(lines_tell(text, &cases[i], mode), "no line: %s",
					  cases[i].words);
		for (i = 0; i < sizeof(looped) / sizeof(looped[0]); i++)
			cr_expect(lines_tell(text, &looped[i], mode), "no line: %s",
				  looped[i].words);
		for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
			cr_expect(line_is_tested(line, mode), "no case for: %s", line);
		free(text);
	}
}

Test(plan, program_is_small)
{
	cr_expect_leq(filter_of(PLAN_SUPERVISED).len, 700);
	cr_expect_leq(filter_of(PLAN_STATIC).len, 700);
}

Test(landlock, older_kernels_lack_the_right_things)
{
	static const struct {
		int abi;
		unsigned int gaps;
	} rows[] = {
		{ -ENOSYS, LANDLOCK_GAP_TCP | LANDLOCK_GAP_SCOPE },
		{ -EOPNOTSUPP, LANDLOCK_GAP_TCP | LANDLOCK_GAP_SCOPE },
		{ 1, LANDLOCK_GAP_TCP | LANDLOCK_GAP_SCOPE },
		{ 3, LANDLOCK_GAP_TCP | LANDLOCK_GAP_SCOPE },
		{ 4, LANDLOCK_GAP_SCOPE },
		{ 5, LANDLOCK_GAP_SCOPE },
		{ 6, 0 },
		{ 99, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(landlock_gaps(rows[i].abi), rows[i].gaps, "abi %d", rows[i].abi);
		if (rows[i].gaps & LANDLOCK_GAP_TCP)
			cr_expect_eq(landlock_prepare(rows[i].abi, NULL, NULL), -EOPNOTSUPP);
	}
}

Test(features, an_errno_becomes_a_remedy)
{
	static const struct {
		enum feature feature;
		int err;
		enum feature_state state;
		const char *words;
	} cases_of[] = {
		{ FEATURE_NOTIFY, EBUSY, FEATURE_BLOCKED, "another sandtop" },
		{ FEATURE_WAIT_KILLABLE, EINVAL, FEATURE_MISSING, "Linux 5.19" },
		{ FEATURE_SYNC_WAKE_UP, EINVAL, FEATURE_MISSING, "Linux 6.6" },
		{ FEATURE_PIDFD_THREAD, EINVAL, FEATURE_MISSING, "Linux 6.9" },
		{ FEATURE_IO_URING, ENOMEM, FEATURE_BLOCKED, "ulimit -l" },
		{ FEATURE_LANDLOCK_TCP, EOPNOTSUPP, FEATURE_BLOCKED, "landlock" },
		{ FEATURE_LANDLOCK_TCP, EINVAL, FEATURE_MISSING, "Linux 6.7" },
		{ FEATURE_LANDLOCK_SCOPE, EINVAL, FEATURE_MISSING, "Linux 6.12" },
		{ FEATURE_PING, EACCES, FEATURE_BLOCKED, "net.ipv4.ping_group_range" },
		{ FEATURE_READ_MEMORY, EIO, FEATURE_BLOCKED, "process_vm_readv(2)" },
	};
	char text[384];
	size_t i;

	for (i = 0; i < sizeof(cases_of) / sizeof(cases_of[0]); i++) {
		cr_expect_eq(
			features_explain(cases_of[i].feature, cases_of[i].err, text, sizeof(text)),
			cases_of[i].state, "%s", text);
		cr_expect(strstr(text, cases_of[i].words), "'%s' lacks '%s'", text,
			  cases_of[i].words);
	}
}

Test(features, every_errno_of_every_feature_is_one_line)
{
	char text[384], cut[8];
	int f, err;

	for (f = 0; f < FEATURE_COUNT; f++)
		for (err = 1; err < 134; err++) {
			cr_expect_neq(features_explain((enum feature)f, err, text, sizeof(text)),
				      FEATURE_OK);
			cr_expect(text[0] && !strpbrk(text, "\t\n"), "%s", text);
			features_explain((enum feature)f, err, cut, sizeof(cut));
			cr_expect_eq(strlen(cut), sizeof(cut) - 1);
		}
}

Test(features, only_steps_that_hang_on_a_feature_are_explained)
{
	char text[384] = "as it was";

	cr_expect_not(features_explain_step("fly to the moon", EPERM, text, sizeof(text)));
	cr_expect_str_eq(text, "as it was");
	cr_expect(features_explain_step("set up io_uring", ENOMEM, text, sizeof(text)));
	cr_expect(strstr(text, "ulimit"));
}

Test(features, what_is_there_has_no_remedy)
{
	struct feature_result results[FEATURE_COUNT];
	bool missing = false;
	int f;

	features_probe(results);
	for (f = 0; f < FEATURE_COUNT; f++) {
		cr_expect_eq(results[f].state == FEATURE_OK, !results[f].remedy[0], "%s: %s",
			     results[f].name, results[f].remedy);
		missing |= results[f].needed && results[f].state != FEATURE_OK;
	}
	cr_expect_eq(features_required_missing(results), missing);
}

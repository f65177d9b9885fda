/* SPDX-License-Identifier: MIT */
/*
 * Processes that change what they are, or what another one does.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <linux/tls.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/attacks/attack.h"

static void reach(const char *text)
{
	union name n;
	socklen_t len = forbidden_at(&n, text);

	reach_by_all(&n, len);
}

/* ---- namespaces ------------------------------------------------------------------ */

static void reach_from_user_namespace(void *arg)
{
	if (unshare(CLONE_NEWUSER) == 0 || arg)
		reach("127.0.0.1");
}

static void run_user_namespace(char **args)
{
	(void)args;
	in_child(reach_from_user_namespace, NULL);
}

/* To a network of one's own, with a socket of the old one, and back. */
static void reach_across_namespaces(void *arg)
{
	union name n;
	socklen_t len = forbidden_at(&n, "127.0.0.1");
	int udp = new_socket(AF_INET, SOCK_DGRAM, 0), tcp = new_socket(AF_INET, SOCK_STREAM, 0);
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct ifreq up = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	(void)arg;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return;
	ioctl(new_socket(AF_INET, SOCK_DGRAM, 0), SIOCSIFFLAGS, &up);
	reach_by_sends(udp, &n, len, 0);
	reach_by_connect(tcp, &n, len);
	setns(home, CLONE_NEWNET);
	reach_by_all(&n, len);
}

static void run_network_namespace(char **args)
{
	(void)args;
	in_child(reach_across_namespaces, NULL);
}

/* ---- its own confinement ----------------------------------------------------------- */

/* Later filters run first; what they allow, or hand to a tracer, must not count for more. */
static void add_filter(uint32_t verdict)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, verdict) };
	struct sock_fprog program = { 1, code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
	reach("127.0.0.1");
}

static void filter_allows(void *arg)
{
	(void)arg;
	add_filter(SECCOMP_RET_ALLOW);
}

static void filter_logs(void *arg)
{
	(void)arg;
	add_filter(SECCOMP_RET_LOG);
}

static void run_filters(char **args)
{
	(void)args;
	in_child(filter_allows, NULL);
	in_child(filter_logs, NULL);
}

/* A listener of its own, of connect alone: it would answer "go on". */
static void listen_and_go_on(void *arg)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_connect, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };
	struct seccomp_notif n = { 0 };
	struct seccomp_notif_resp go_on = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
	int listener;
	pid_t pid;

	(void)arg;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	pid = fork();
	if (!pid) {
		union name to;
		socklen_t len = forbidden_at(&to, "127.0.0.1");

		reach_by_connect(new_socket(AF_INET, SOCK_STREAM, 0), &to, len);
		_exit(0);
	}
	if (listener >= 0 && ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n) == 0) {
		go_on.id = n.id;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &go_on);
	}
	waitpid(pid, NULL, 0);
}

static void run_own_listener(char **args)
{
	(void)args;
	in_child(listen_and_go_on, NULL);
}

/* What cannot be looked into cannot be served: that must not mean that it is let through. */
static void hide_and_reach(void *arg)
{
	(void)arg;
	prctl(PR_SET_DUMPABLE, 0);
	syscall(SYS_prctl, PR_SET_DUMPABLE | 0xdeadbeef00000000UL, 0UL);
	prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_DISABLED, 0, 0, 0);
	prctl(PR_SET_NAME, "sandtop");
	reach("127.0.0.1");
}

static void run_prctl(char **args)
{
	(void)args;
	in_child(hide_and_reach, NULL);
}

/* Another user's memory: a task may drop its rights below the supervisor's. */
static void drop_and_reach(void *arg)
{
	(void)arg;
	(void)!setresgid(65533, 65533, 65533);
	(void)!setresuid(65533, 65533, 65533);
	reach("127.0.0.1");
}

static void run_other_user(char **args)
{
	(void)args;
	in_child(drop_and_reach, NULL);
}

static void personate_and_reach(void *arg)
{
	static const unsigned long kinds[] = { PER_LINUX32, READ_IMPLIES_EXEC, PER_SVR4,
					       ADDR_LIMIT_32BIT, PER_LINUX };

	(void)arg;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		personality(kinds[i]);
		reach("127.0.0.1");
	}
}

static void run_personality(char **args)
{
	(void)args;
	in_child(personate_and_reach, NULL);
}

/* ---- one task makes another's calls ---------------------------------------------------- */

/* The tracee asks for what is allowed; the tracer puts the forbidden port in its place. */
static void be_traced(union name *n, socklen_t len)
{
	int fd = new_socket(AF_INET, SOCK_DGRAM, 0);

	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	for (int i = 0; i < 3; i++)
		sendto(fd, "t", 1, 0, &n->any, len);
	sendto(-1, "t", 1, 0, &n->any, len);
	_exit(0);
}

static void run_ptrace(char **args)
{
	union name good, bad;
	socklen_t len = allowed_at(&good, "127.0.0.1");
	struct user_regs_struct regs;
	int status, spare = new_socket(AF_INET, SOCK_DGRAM, 0);
	pid_t pid;

	(void)args;
	forbidden_at(&bad, "127.0.0.1");
	pid = (pid_t)MUST(fork());
	if (!pid)
		be_traced(&good, len);
	MUST(waitpid(pid, &status, 0));
	for (unsigned turn = 0; turn < 1000; turn++) {
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
		if (waitpid(pid, &status, 0) != pid || WIFEXITED(status) || WIFSIGNALED(status))
			break;
		/* Before the filter looks, and after the call: both stops come here. */
		ptrace(PTRACE_GETREGS, pid, NULL, &regs);
		if (regs.orig_rax != SYS_sendto)
			continue;
		if ((int)regs.rdi < 0) {
			regs.rdi = (unsigned long long)spare;
			ptrace(PTRACE_SETREGS, pid, NULL, &regs);
		}
		ptrace(PTRACE_POKEDATA, pid, &good, *(long *)&bad);
	}
	kill(pid, SIGKILL);
}

/* The number of the call itself, from one that is not trapped. */
static void run_ptrace_number(char **args)
{
	union name bad;
	socklen_t len = forbidden_at(&bad, "127.0.0.1");
	int fd = new_socket(AF_INET, SOCK_DGRAM, 0), status;
	struct user_regs_struct regs;
	pid_t pid = (pid_t)MUST(fork());

	(void)args;
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		syscall(SYS_getppid, fd, "n", 1, 0, &bad, (unsigned long)len);
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0));
	while (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0 && waitpid(pid, &status, 0) == pid &&
	       WIFSTOPPED(status)) {
		ptrace(PTRACE_GETREGS, pid, NULL, &regs);
		if (regs.orig_rax != SYS_getppid)
			continue;
		regs.orig_rax = SYS_sendto;
		ptrace(PTRACE_SETREGS, pid, NULL, &regs);
	}
}

/* A tracer may ask that no filter looks at its tracee. */
static void run_ptrace_suspend(char **args)
{
	int status;
	pid_t pid = (pid_t)MUST(fork());

	(void)args;
	if (!pid) {
		raise(SIGSTOP);
		reach("127.0.0.1");
		_exit(0);
	}
	MUST(waitpid(pid, &status, WUNTRACED));
	if (ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_SUSPEND_SECCOMP))
		ptrace(PTRACE_SEIZE, pid, NULL, NULL);
	ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	kill(pid, SIGCONT);
	while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
		ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_SUSPEND_SECCOMP);
		ptrace(PTRACE_CONT, pid, NULL, NULL);
	}
}

/* ---- what a socket can become --------------------------------------------------------- */

static void run_ulp(char **args)
{
	static const char *const kinds[] = { "smc", "mptcp", "tls", "espintcp" };
	union name n;
	socklen_t len = forbidden_at(&n, "127.0.0.1");

	(void)args;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int fd = new_socket(AF_INET, SOCK_STREAM, 0);

		setsockopt(fd, IPPROTO_TCP, TCP_ULP, kinds[i], (socklen_t)strlen(kinds[i]));
		reach_by_connect(fd, &n, len);
		close(fd);
	}
}

static void run_form(char **args)
{
	union name mapped, bad;
	socklen_t len = allowed_at(&mapped, "::ffff:127.0.0.1"),
		  bad_len = forbidden_at(&bad, "127.0.0.1");
	int family = AF_INET, fd = new_socket(AF_INET6, SOCK_DGRAM, 0);

	(void)args;
	connect(fd, &mapped.any, len);
	/* Used before, so that what kind it is may be remembered; afterwards it is another. */
	reach_by_sends(fd, &mapped, len, 0);
	setsockopt(fd, IPPROTO_IPV6, IPV6_ADDRFORM, &family, sizeof(family));
	reach_by_sends(fd, &bad, bad_len, 0);
	bad.any.sa_family = AF_UNSPEC;
	reach_by_sends(fd, &bad, bad_len, 0);
}

/* listen(2) binds a socket that has no address to all of them. */
static void run_listen_unbound(char **args)
{
	int fd = new_socket(AF_INET, SOCK_STREAM, 0);
	union name n;
	socklen_t len = sizeof(n);

	(void)args;
	if (listen(fd, 5) == 0 && getsockname(fd, &n.any, &len) == 0 &&
	    n.v4.sin_addr.s_addr == htonl(INADDR_ANY))
		won("a listener on every address, port %d", ntohs(n.v4.sin_port));
}

static void run_bind_wildcard(char **args)
{
	static const char *const forms[] = { "0.0.0.0", "::", "::ffff:0.0.0.0", "10.99.0.1" };

	(void)args;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
			union name n;
			socklen_t len = name_set(&n, forms[i], 9000);
			int fd = new_socket(n.any.sa_family, type, 0);

			if (bind(fd, &n.any, len) == 0)
				won("%s, port 9000", forms[i]);
			close(fd);
		}
	}
}

/* A key whose payload a helper of root's fetches by name over the network (dns_resolver). */
static void run_request_key(char **args)
{
	enum { USER_KEYRING = -4 };
	long key = syscall(SYS_request_key, "user", "sandtop-attack", "callout", USER_KEYRING);

	(void)args;
	if (key < 0 && errno == ENOSYS)
		absent("this kernel has no keys");
	/* ENOKEY of a helper that was started and failed is the same as of none: ask for the
	 * reason. */
	if (key < 0 && access("/sbin/request-key", X_OK))
		absent("no /sbin/request-key, which the kernel would start");
	if (key >= 0 || errno != ENOKEY)
		won("the kernel called its helper");
}

const struct scenario process_attacks[] = {
	{ "user_namespace", run_user_namespace },
	{ "network_namespace", run_network_namespace },
	{ "filters", run_filters },
	{ "own_listener", run_own_listener },
	{ "prctl", run_prctl },
	{ "other_user", run_other_user },
	{ "personality", run_personality },
	{ "ptrace", run_ptrace },
	{ "ptrace_number", run_ptrace_number },
	{ "ptrace_suspend", run_ptrace_suspend },
	{ "ulp", run_ulp },
	{ "form", run_form },
	{ "listen_unbound", run_listen_unbound },
	{ "bind_wildcard", run_bind_wildcard },
	{ "request_key", run_request_key },
	{ 0 },
};

/* SPDX-License-Identifier: MIT */
/*
 * Rights that are not the attacker's: of services outside the sandbox, of who
 * serves its calls, of sockets that it was given.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/attacks/attack.h"

/* ---- services on UNIX sockets ---------------------------------------------- */

static socklen_t local_name(union name *n, const char *text)
{
	size_t len = strlen(text);

	memset(n, 0, sizeof(*n));
	n->un.sun_family = AF_UNIX;
	memcpy(n->un.sun_path, text, len + 1);
	if (*text == '@')
		n->un.sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (*text != '@'));
}

static void reach_service(const char *text)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	union name n;
	socklen_t len = local_name(&n, text);

	for (size_t i = 0; i < 3; i++) {
		int fd = new_socket(AF_UNIX, types[i] | SOCK_NONBLOCK, 0);

		reach_by_sends(fd, &n, len, 0);
		reach_by_connect(fd, &n, len);
		close(fd);
	}
}

/* PATH... or @NAME... */
static void run_services(char **args)
{
	for (; *args; args++)
		reach_service(*args);
}

/* DIR SERVICE: by other names for the same inode, and through the links of /proc. */
static void run_service_by_other_names(char **args)
{
	char path[108];

	MUST(chdir(args[0]));
	reach_service("service");
	reach_service("./service");
	/* There already from a run before. */
	(void)!symlink("service", "symbolic");
	reach_service("symbolic");
	(void)!link("service", "hard");
	reach_service("hard");
	rename("hard", "moved");
	reach_service("moved");
	reach_service("/proc/self/cwd/service");
	snprintf(path, sizeof(path), "/proc/%d/cwd/service", getpid());
	reach_service(path);
	snprintf(path, sizeof(path), "/proc/%d/root%.80s/service", getppid(), args[0]);
	reach_service(path);
}

/* One's own socket, and at once the service's inode under its name. */
static void swap_names(unsigned turn)
{
	unlink("swapped");
	if (turn & 1) {
		(void)!link("service", "swapped");
	} else {
		union name n;
		socklen_t len = local_name(&n, "swapped");
		int fd = new_socket(AF_UNIX, SOCK_STREAM, 0);

		bind(fd, &n.any, len);
		listen(fd, 1);
		close(fd);
	}
}

static void reach_swapped(unsigned turn)
{
	union name n;
	socklen_t len = local_name(&n, "swapped");
	int fd = new_socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	(void)turn;
	connect(fd, &n.any, len);
	close(fd);
}

/* DIR */
static void run_service_by_swap(char **args)
{
	MUST(chdir(args[0]));
	race(swap_names, reach_swapped);
}

/* ---- the supervisor ----------------------------------------------------------- */

/* Nobody's process outside the sandbox may feel any of this; natively the victim does. */
static void attack_process(pid_t pid)
{
	struct rlimit limit = { 4096, 4096 };
	struct sched_param param = { 0 };
	char path[64], byte;
	struct iovec local = { &byte, 1 }, remote = { (void *)&allowed, 1 };
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), fd;

	if (kill(pid, SIGWINCH) == 0)
		won("a signal");
	if (syscall(SYS_pidfd_send_signal, pidfd, SIGWINCH, NULL, 0) == 0)
		won("a signal by pidfd");
	if (syscall(SYS_tgkill, pid, pid, SIGWINCH) == 0)
		won("a signal to the thread");
	if (syscall(SYS_prlimit64, pid, RLIMIT_CORE, &limit, NULL) == 0)
		won("a resource limit");
	if (setpriority(PRIO_PROCESS, (id_t)pid, 5) == 0)
		won("a priority");
	if (sched_setscheduler(pid, SCHED_BATCH, &param) == 0)
		won("a scheduling class");
	if (syscall(SYS_ioprio_set, 1, pid, 3 << 13) == 0)
		won("an I/O priority");
	if (syscall(SYS_pidfd_getfd, pidfd, 0, 0) >= 0)
		won("a descriptor");
	if (process_vm_readv(pid, &local, 1, &remote, 1, 0) == 1)
		won("its memory");
	for (int i = 0; i < 3; i++) {
		static const char *const files[] = { "mem", "environ", "fd/0" };

		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		fd = open(path, i ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CLOEXEC);
		if (fd >= 0)
			won("/proc/PID/%s", files[i]);
	}
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0) {
		won("its execution");
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
	}
}

/* fcntl(2), F_SETOWN: the kernel sends the signal for whoever made the socket readable. */
static void signal_by_owner(pid_t pid)
{
	int pair[2], one = 1;

	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	fcntl(pair[0], F_SETSIG, SIGUSR2);
	if (fcntl(pair[0], F_SETOWN, pid))
		return;
	ioctl(pair[0], FIOASYNC, &one);
	(void)!write(pair[1], "o", 1);
}

/* The parent is the supervisor, its parent the guardian. Natively it is the test: leave that alone.
 */
static void run_supervisor(char **args)
{
	pid_t parent = getppid();

	(void)args;
	attack_process(victim);
	if (!getenv("SANDTOP"))
		return;
	attack_process(parent);
	/* Whatever all of these mean: none of the three may be among them. */
	signal(SIGUSR1, SIG_IGN);
	kill(-1, SIGUSR1);
	kill(0, SIGUSR1);
	setpriority(PRIO_PGRP, 0, 1);
	setpriority(PRIO_USER, 0, 1);
	signal_by_owner(parent);
}

/* "owned": the victim says so when the signal comes. */
static void run_signal_by_owner(char **args)
{
	(void)args;
	signal_by_owner(victim);
}

static void run_siocgskns(char **args)
{
	int fd = new_socket(AF_INET, SOCK_DGRAM, 0);

	(void)args;
	for (int i = 0; i < 2; i++) {
		unsigned long request = SIOCGSKNS | (i ? 0xdeadbeef00000000UL : 0);

		if (syscall(SYS_ioctl, fd, request) >= 0)
			won("the namespace of a socket");
		else if (errno == EPERM && geteuid())
			absent("it takes CAP_NET_ADMIN, which this user has not");
	}
}

/* A file handle, as name_to_handle_at(2) writes it. */
struct handle {
	struct file_handle head;
	unsigned char bytes[MAX_HANDLE_SZ];
};

static int handle_of_network(struct handle *h)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), mount, ret;

	h->head.handle_bytes = sizeof(h->bytes);
	ret = name_to_handle_at(fd, "", &h->head, &mount, AT_EMPTY_PATH) ? -errno : 0;
	close(fd);
	return ret;
}

/*
 * The numbers in a handle can be guessed, and who owns the user namespace behind it may open it:
 * the mirror's, or that of a container which the same user runs outside.
 */
static void run_handle(char **args)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), pair[2];
	struct handle h = { 0 };
	int ret = -ESRCH;
	pid_t pid;
	char c;

	(void)args;
	if (here < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return;
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		ret = unshare(CLONE_NEWUSER | CLONE_NEWNET) ? -errno : handle_of_network(&h);
		(void)!write(pair[1], &ret, sizeof(ret));
		(void)!write(pair[1], &h, sizeof(h));
		(void)!read(pair[1], &c, 1); /* the namespace lives until the attack is over */
		_exit(0);
	}
	close(pair[1]);
	if (read(pair[0], &ret, sizeof(ret)) != sizeof(ret) || read(pair[0], &h, sizeof(h)) < 0)
		ret = -ESRCH;
	if (ret)
		absent("namespaces have no handles (Linux 6.18): %s", strerror(-ret));
	if (open_by_handle_at(here, &h.head, O_RDONLY | O_CLOEXEC) >= 0)
		won("the namespace of another process");
	close(pair[0]);
	waitpid(pid, NULL, 0);
}

/* ---- what it was given ---------------------------------------------------------- */

/* NUMBER: an inherited UDP socket. */
static void run_inherited(char **args)
{
	union name n;
	socklen_t len = forbidden_at(&n, "127.0.0.1");
	int fd = atoi(args[0]);

	reach_by_connect(fd, &n, len);
	reach_by_sends(fd, &n, len, 0);
}

/* NUMBER: an inherited listener, on an address that the policy does not open. */
static void run_inherited_listener(char **args)
{
	int fd = atoi(args[0]);

	if (listen(fd, 5) == 0)
		won("a listener");
}

/* A socket that came from another task of the sandbox, in all the ways that there are. */
static void receive_and_use(int from, pid_t sender, int number)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec v = { (char[]){ 0 }, 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	union name n;
	socklen_t len = forbidden_at(&n, "127.0.0.1");
	int pidfd = (int)syscall(SYS_pidfd_open, sender, 0), fd;

	if (recvmsg(from, &m, MSG_CMSG_CLOEXEC) == 1 && m.msg_controllen) {
		memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
		reach_by_sends(fd, &n, len, 0);
	}
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
	reach_by_sends(fd, &n, len, 0);
}

static void run_passed_socket(char **args)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	struct iovec v = { (char[]){ 'p' }, 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	int pair[2], fd = new_socket(AF_INET, SOCK_DGRAM, 0);
	pid_t pid, parent = getpid();

	(void)args;
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	pid = (pid_t)MUST(fork());
	if (!pid) {
		receive_and_use(pair[1], parent, fd);
		_exit(0);
	}
	sendmsg(pair[0], &m, 0);
	waitpid(pid, NULL, 0);
}

/* ---- rights that the attacker gave up --------------------------------------------- */

/* A supervisor that runs as root must not do for uid 65534 what root may. */
static void become_nobody(void)
{
	if (geteuid())
		absent("who serves this user has no more rights than it");
	MUST(setgroups(0, NULL));
	MUST(setresgid(65534, 65534, 65534));
	MUST(setresuid(65534, 65534, 65534));
}

/* keep|drop: natively with its rights, then without. */
static bool keeps_rights(char **args)
{
	bool keep = !strcmp(args[0], "keep");

	if (!keep || geteuid())
		become_nobody();
	return keep;
}

static void run_low_port(char **args)
{
	union name n;
	socklen_t len = name_set(&n, "127.0.0.1", 80);
	int fd;

	keeps_rights(args);
	fd = new_socket(AF_INET, SOCK_STREAM, 0);
	if (bind(fd, &n.any, len) == 0)
		won("port 80");
}

static void run_mark(char **args)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SO_MARK } };
	union name n;
	struct iovec v = { (char[]){ 'm' }, 1 };
	struct msghdr m = { .msg_name = &n,
			    .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };

	keeps_rights(args);
	m.msg_namelen = allowed_at(&n, "127.0.0.1");
	if (sendmsg(new_socket(AF_INET, SOCK_DGRAM, 0), &m, 0) == 1)
		won("a mark on a packet, which routing may follow");
}

/* keep|drop PATH: of a directory that only root may enter. */
static void run_closed_path(char **args)
{
	keeps_rights(args);
	reach_service(args[1]);
}

/* In its own root directory the path is nobody's; in the supervisor's it is the service's. */
static void run_chroot(char **args)
{
	if (strcmp(args[0], "keep")) {
		if (geteuid())
			MUST(unshare(CLONE_NEWUSER));
		MUST(chroot("/proc/self/fdinfo"));
	}
	reach_service(args[1]);
}

const struct scenario authority_attacks[] = {
	{ "services", run_services },
	{ "service_by_other_names", run_service_by_other_names },
	{ "service_by_swap", run_service_by_swap },
	{ "supervisor", run_supervisor },
	{ "signal_by_owner", run_signal_by_owner },
	{ "siocgskns", run_siocgskns },
	{ "handle", run_handle },
	{ "inherited", run_inherited },
	{ "inherited_listener", run_inherited_listener },
	{ "passed_socket", run_passed_socket },
	{ "low_port", run_low_port },
	{ "mark", run_mark },
	{ "closed_path", run_closed_path },
	{ "chroot", run_chroot },
	{ 0 },
};

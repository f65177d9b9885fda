/* SPDX-License-Identifier: MIT */
/*
 * What must not be possible from inside, and what must be although it is near:
 * scenarios for doors_test.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/ioprio.h>
#include <linux/netlink.h>
#include <linux/capability.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/lib/scenario.h"

enum { STRANGER = 65534 };

static socklen_t set_path(union name *n, const char *path)
{
	memset(n, 0, sizeof(*n));
	n->un.sun_family = AF_UNIX;
	strcpy(n->un.sun_path, path);
	if (*path == '@')
		n->un.sun_path[0] = '\0';
	return offsetof(struct sockaddr_un, sun_path) + strlen(path) + (*path != '@');
}

static int type_of(const char *name)
{
	return !strcmp(name, "stream")      ? SOCK_STREAM
	       : !strcmp(name, "seqpacket") ? SOCK_SEQPACKET
					    : SOCK_DGRAM;
}

/* knock TYPE PATH...: say hello at each door. */
static void run_knock(char **args)
{
	union name at;
	socklen_t len;

	for (char **path = args + 1; *path; path++) {
		int fd = MUST(socket(AF_UNIX, type_of(args[0]) | SOCK_CLOEXEC, 0));

		len = set_path(&at, *path);
		say(connect(fd, &at.any, len), "connect");
		if (type_of(args[0]) == SOCK_DGRAM)
			say(sendto(fd, "hello", 5, 0, &at.any, len), "sendto");
		close(fd);
	}
}

/* ---- the supervisor ---------------------------------------------------- */

static pid_t parent_of(pid_t pid)
{
	char path[64], text[512] = "";
	int parent = -1, fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = MUST(open(path, O_RDONLY | O_CLOEXEC));
	MUST(read(fd, text, sizeof(text) - 1));
	close(fd);
	sscanf(strrchr(text, ')') + 1, " %*c %d", &parent);
	return parent;
}

static void write_proc(pid_t pid, const char *file, const char *text)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	say(fd < 0 ? -1 : write(fd, text, strlen(text)) > 0 ? 0 : -1, "%s", file);
	if (fd >= 0)
		close(fd);
}

static void attack_by_proc(pid_t pid)
{
	char path[64], byte;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	say(fd < 0 ? -1 : 0, "mem");
	if (fd >= 0)
		close(fd);
	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	errno = fd < 0 ? errno : EACCES; /* it opens, and is empty */
	say(fd < 0 || read(fd, &byte, 1) <= 0 ? -1 : 0, "environ");
	if (fd >= 0)
		close(fd);
	snprintf(path, sizeof(path), "/proc/%d/fd/0", pid);
	fd = open(path, O_PATH | O_CLOEXEC);
	say(fd < 0 ? -1 : 0, "fd");
	if (fd >= 0)
		close(fd);
}

static void attack(pid_t pid)
{
	int pidfd = MUST(syscall(SYS_pidfd_open, pid, 0));
	struct sched_param param = { 0 };
	char byte, *where = &byte;
	struct iovec v = { &byte, 1 }, there = { &where, 1 };
	struct rlimit limit = { 0 };
	cpu_set_t cpus;
	int fd;
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = { .size = 48, .nice = getpriority(PRIO_PROCESS, 0) };

	say(kill(pid, 0), "kill");
	say(syscall(SYS_tgkill, pid, pid, 0), "tgkill");
	say(syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0), "pidfd_send_signal");
	fd = syscall(SYS_pidfd_getfd, pidfd, 0, 0);
	say(fd < 0 ? -1 : 0, "pidfd_getfd");
	say(process_vm_readv(pid, &v, 1, &there, 1, 0) < 0 ? -1 : 0, "process_vm_readv");
	say(process_vm_writev(pid, &v, 1, &there, 1, 0) < 0 ? -1 : 0, "process_vm_writev");
	attack_by_proc(pid);
	prlimit(pid, RLIMIT_CORE, NULL, &limit);
	say(prlimit(pid, RLIMIT_CORE, &limit, NULL), "prlimit");
	say(setpriority(PRIO_PROCESS, pid, getpriority(PRIO_PROCESS, 0)), "setpriority");
	say(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 4)),
	    "ioprio_set");
	MUST(sched_getaffinity(0, sizeof(cpus), &cpus));
	say(sched_setaffinity(pid, sizeof(cpus), &cpus), "sched_setaffinity");
	say(sched_setscheduler(pid, SCHED_OTHER, &param), "sched_setscheduler");
	say(sched_setparam(pid, &param), "sched_setparam");
	say(syscall(SYS_sched_setattr, pid, &attr, 0), "sched_setattr");
	say(ptrace(PTRACE_SEIZE, pid, NULL, NULL) ? -1 : 0, "ptrace");
	close(pidfd);
}

/* attack: whoever started us, and who started that. */
static void run_attack(char **args)
{
	pid_t supervisor = getppid();

	(void)args;
	attack(supervisor);
	attack(parent_of(supervisor));
}

/* attack_child: the same on a process that anybody may do this to. */
static void run_attack_child(char **args)
{
	pid_t child = MUST(fork());

	(void)args;
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	attack(child);
	kill(child, SIGKILL);
}

/* oom: what only the file's owner may write. */
static void run_oom(char **args)
{
	pid_t supervisor = args[0] ? MUST(atoi(args[0])) : getppid();

	write_proc(supervisor, "oom_score_adj", "1000");
	write_proc(args[0] ? supervisor : parent_of(supervisor), "oom_score_adj", "1000");
}

/* ---- the network's configuration --------------------------------------- */

struct add_address {
	struct nlmsghdr h;
	struct ifaddrmsg m;
	struct nlattr a;
	unsigned char address[4];
};

static void tell_answer(int fd, ssize_t sent, const char *what)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} answer = { 0 };

	if (sent >= 0 && await(fd, POLLIN) == 0 && recv(fd, &answer, sizeof(answer), 0) > 0) {
		errno = -answer.e.error;
		sent = answer.e.error ? -1 : 0;
	}
	say(sent, "%s", what);
}

/* address A B C D: give ourselves 10.98.0.1 and so on, by each way to say so. */
static void run_address(char **args)
{
	static const char *const ways[] = { "send", "write", "sendmsg", "sendto" };
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int fd = MUST(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));

	(void)args;
	for (unsigned char i = 0; i < 4; i++) {
		struct add_address m = {
			.h = { sizeof(m), RTM_NEWADDR,
			       NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, 1, 0 },
			.m = { AF_INET, 32, 0, 0, if_nametoindex("lo") },
			.a = { 8, IFA_LOCAL },
			.address = { 10, 98, 0, 1 + i },
		};
		struct iovec v = { &m, sizeof(m) };
		struct msghdr msg = { .msg_iov = &v, .msg_iovlen = 1 };
		ssize_t n;

		if (i == 0)
			n = send(fd, &m, sizeof(m), 0);
		else if (i == 1)
			n = write(fd, &m, sizeof(m));
		else if (i == 2)
			n = sendmsg(fd, &msg, 0);
		else
			n = sendto(fd, &m, sizeof(m), 0, (struct sockaddr *)&kernel,
				   sizeof(kernel));
		tell_answer(fd, n, ways[i]);
	}
}

/* The same in a network of one's own. */
static void run_own_address(char **args)
{
	MUST(unshare(CLONE_NEWUSER | CLONE_NEWNET));
	run_address(args);
}

/* And without the capability, which the supervisor has there as the owner's process. */
static void run_powerless_address(char **args)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	MUST(unshare(CLONE_NEWUSER | CLONE_NEWNET));
	MUST((int)syscall(SYS_capset, &header, none));
	run_address(args);
}

/* ---- other views ------------------------------------------------------- */

static int listen_at(const char *path)
{
	int fd = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	union name at;

	unlink(path);
	say(bind(fd, &at.any, set_path(&at, path)), "bind %s", path);
	say(listen(fd, 8), "listen");
	return fd;
}

static void try_connect(const char *path)
{
	int fd = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	union name at;

	say(connect(fd, &at.any, set_path(&at, path)), "connect %s", path);
	close(fd);
}

/* As root, or with a namespace of users that makes us so: in a sandbox root cannot, either. */
static void become_able_to_mount(void)
{
	unsigned uid = getuid(), gid = getgid();
	char text[32];
	int fd;

	if (!unshare(CLONE_NEWNS))
		return;
	MUST(unshare(CLONE_NEWUSER | CLONE_NEWNS));
	fd = MUST(open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC));
	MUST(write(fd, "deny", 4));
	close(fd);
	fd = MUST(open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC));
	MUST(write(fd, text, snprintf(text, sizeof(text), "0 %u 1", uid)));
	close(fd);
	fd = MUST(open("/proc/self/gid_map", O_WRONLY | O_CLOEXEC));
	MUST(write(fd, text, snprintf(text, sizeof(text), "0 %u 1", gid)));
	close(fd);
}

static void be_at_home(void)
{
	static const char *const paths[] = { "/sub/own", "own",      "../sub/own",
					     "/link",    "/sub/out", "/sub/none" };
	int fd = listen_at("/sub/own");

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		try_connect(paths[i]);
	close(fd);
	fd = listen_at("relative");
	try_connect("/sub/relative");
	close(fd);
}

/* chroot DIR: its socket "host" is the host's; a link out of it leads back into it. */
static void run_chroot(char **args)
{
	MUST(chdir(args[0]));
	mkdir("sub", 0755);
	unlink("link");
	unlink("sub/out");
	MUST(symlink("/sub/own", "link"));
	MUST(symlink("../../../sub/own", "sub/out"));
	become_able_to_mount();
	MUST(chroot("."));
	MUST(chdir("/sub"));
	be_at_home();
	try_connect("/host");
}

/* mount DIR: a file system of our own over the directory, and what was there through a bind. */
static void run_mount(char **args)
{
	char path[200];

	become_able_to_mount();
	MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	MUST(chdir(args[0]));
	mkdir("shadow", 0755);
	mkdir("alias", 0755);
	MUST(mount(".", "alias", NULL, MS_BIND, NULL));
	MUST(mount("none", "shadow", "tmpfs", 0, NULL));
	snprintf(path, sizeof(path), "%s/shadow/own", args[0]);
	close(listen_at(path));
	MUST(chdir("shadow"));
	close(listen_at("./near"));
	int fd = listen_at("here");

	try_connect("here");
	snprintf(path, sizeof(path), "%s/shadow/here", args[0]);
	try_connect(path);
	close(fd);
	snprintf(path, sizeof(path), "%s/host", args[0]);
	try_connect(path);
	snprintf(path, sizeof(path), "%s/alias/host", args[0]);
	try_connect(path);
}

/* ---- other users ------------------------------------------------------- */

static void tell_user(int fd, const char *what)
{
	struct ucred seen = { 0 };
	socklen_t len = sizeof(seen);

	MUST(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &seen, &len));
	tell("%s: uid %d gid %d", what, seen.uid, seen.gid);
}

static void tell_sender(int fd, const char *what)
{
	struct ucred seen = { 0 };
	char control[CMSG_SPACE(sizeof(seen))], bytes[8];
	struct iovec v = { bytes, sizeof(bytes) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *h;

	MUST(await(fd, POLLIN));
	MUST(recvmsg(fd, &m, 0));
	h = CMSG_FIRSTHDR(&m);
	if (h && h->cmsg_type == SCM_CREDENTIALS)
		memcpy(&seen, CMSG_DATA(h), sizeof(seen));
	tell("%s: uid %d gid %d", what, seen.uid, seen.gid);
}

static void become_stranger(void)
{
	MUST(setgroups(0, NULL));
	MUST(setresgid(STRANGER, STRANGER, STRANGER));
	MUST(setresuid(STRANGER, STRANGER, STRANGER));
}

static void send_credentials(int fd, uid_t uid)
{
	struct ucred cred = { getpid(), uid, STRANGER };
	char control[CMSG_SPACE(sizeof(cred))] = "";
	struct iovec v = { (void *)"cred", 4 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	*h = (struct cmsghdr){ CMSG_LEN(sizeof(cred)), SOL_SOCKET, SCM_CREDENTIALS };
	memcpy(CMSG_DATA(h), &cred, sizeof(cred));
	say(sendmsg(fd, &m, 0), "sendmsg as %d", uid);
}

/* What a daemon does that has dropped its privileges. */
static void live_as_stranger(const char *dir, int go)
{
	struct iovec v = { (void *)"plain", 5 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	union name at;
	struct stat st;
	int fd, one = 1, client;
	char path[108];

	become_stranger();
	snprintf(path, sizeof(path), "%s/closed/root", dir);
	try_connect(path);
	snprintf(path, sizeof(path), "%s/private", dir);
	try_connect(path);
	snprintf(path, sizeof(path), "%s/closed/mine", dir);
	close(listen_at(path));
	snprintf(path, sizeof(path), "%s/public/mine", dir);
	fd = listen_at(path);
	MUST(stat(path, &st));
	tell("owner %d %d", st.st_uid, st.st_gid);
	client = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	say(connect(client, &at.any, set_path(&at, path)), "connect to mine");
	tell_user(client, "the listener");
	close(MUST(accept4(fd, NULL, NULL, SOCK_CLOEXEC)));
	/* To the root daemon. */
	snprintf(path, sizeof(path), "%s/open", dir);
	client = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	say(connect(client, &at.any, set_path(&at, path)), "connect");
	say(sendmsg(client, &m, 0), "sendmsg");
	snprintf(path, sizeof(path), "%s/datagrams", dir);
	client = MUST(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	setsockopt(client, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one));
	say(sendto(client, "plain", 5, 0, &at.any, set_path(&at, path)), "sendto");
	say(connect(client, &at.any, set_path(&at, path)), "connect");
	send_credentials(client, STRANGER);
	send_credentials(client, 0);
	fflush(stdout);
	MUST(write(go, "", 1));
	_exit(0);
}

/* stranger DIR: a root daemon, and one that is nobody. */
static void run_stranger(char **args)
{
	int stream, datagrams, accepted, one = 1, go[2];
	union name at;
	char byte;
	pid_t pid;

	MUST(chdir(args[0]));
	mkdir("closed", 0700);
	mkdir("public", 0777);
	MUST(chmod("public", 0777));
	umask(0);
	close(listen_at("closed/root"));
	stream = listen_at("private");
	MUST(chmod("private", 0700));
	close(stream);
	stream = listen_at("open");
	datagrams = MUST(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	unlink("datagrams");
	MUST(bind(datagrams, &at.any, set_path(&at, "datagrams")));
	setsockopt(datagrams, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one));
	setsockopt(stream, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one));
	MUST(pipe2(go, O_CLOEXEC));
	fflush(stdout);
	pid = MUST(fork());
	if (!pid)
		live_as_stranger(args[0], go[1]);
	accepted = MUST(accept4(stream, NULL, NULL, SOCK_CLOEXEC));
	MUST(read(go[0], &byte, 1));
	tell_user(accepted, "the client");
	setsockopt(accepted, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one));
	tell_sender(accepted, "the stream's sender");
	tell_sender(datagrams, "the datagram's sender");
	tell_sender(datagrams, "the sender who names himself");
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	static const struct scenario scenarios[] = {
		{ "knock", run_knock },
		{ "attack", run_attack },
		{ "attack_child", run_attack_child },
		{ "oom", run_oom },
		{ "address", run_address },
		{ "own_address", run_own_address },
		{ "powerless_address", run_powerless_address },
		{ "chroot", run_chroot },
		{ "mount", run_mount },
		{ "stranger", run_stranger },
		{ 0 },
	};

	return scenario_main(argc, argv, scenarios);
}

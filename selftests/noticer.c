/* SPDX-License-Identifier: MIT */
/*
 * A program that looks whether it is supervised: a line for each fact, for
 * notice_test. It is given the process id of one that is outside the sandbox.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/uapi.h"
#include "selftests/lib/scenario.h"

static void say_socket(const char *name, int domain, int type, int protocol)
{
	int fd = socket(domain, type | SOCK_CLOEXEC, protocol);

	say(fd < 0 ? -1 : 0, "socket %s", name);
	if (fd >= 0)
		close(fd);
}

/* What libudev does, and with it libusb. */
static void hear_events(void)
{
	const struct sockaddr_nl events = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	say(bind(fd, (const struct sockaddr *)&events, sizeof(events)), "bind to events");
	say(sendto(fd, "add@/x", 7, 0, (const struct sockaddr *)&events, sizeof(events)),
	    "sendto events");
	close(fd);
}

static void sockets(void)
{
	int one = 1, fd;

	say_socket("tcp", AF_INET, SOCK_STREAM, 0);
	say_socket("mptcp", AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
	say_socket("raw", AF_INET, SOCK_RAW, IPPROTO_ICMP);
	say_socket("algorithm", AF_ALG, SOCK_SEQPACKET, 0);
	say_socket("route", AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	say_socket("diag", AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
	hear_events();
	fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	say(setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)), "SO_ZEROCOPY");
	close(fd);
}

static void calls(void)
{
	say(syscall(SYS_io_uring_setup, 0, NULL), "io_uring_setup");
	say(syscall(SYS_clone3, NULL, 0), "clone3");
	say(prctl(PR_SET_DUMPABLE, 0), "PR_SET_DUMPABLE");
	say(prctl(PR_GET_DUMPABLE), "PR_GET_DUMPABLE");
	say(prctl(PR_SET_DUMPABLE, 1), "PR_SET_DUMPABLE again");
	say(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), "PR_GET_NO_NEW_PRIVS");
	say(prctl(PR_GET_SECCOMP), "PR_GET_SECCOMP");
}

static cpu_set_t cpus; /* that this process has anyway */

/* A thread that names itself, its process and, by the number in `arg`, the one beside it. */
static void *name_threads(void *arg)
{
	const pid_t *beside = arg;
	const struct sched_param param = { 0 };

	say(pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus),
	    "sched_setaffinity of a thread, by itself");
	say(sched_setaffinity(getpid(), sizeof(cpus), &cpus), "sched_setaffinity of its process");
	say(sched_setaffinity(*beside, sizeof(cpus), &cpus),
	    "sched_setaffinity of a thread beside it");
	say(sched_setscheduler(*beside, SCHED_OTHER, &param),
	    "sched_setscheduler of a thread beside it, as it is");
	say(sched_setscheduler(*beside, SCHED_BATCH, &param),
	    "sched_setscheduler of a thread beside it");
	say(sched_setscheduler(*beside, SCHED_OTHER, &param),
	    "sched_setscheduler of a thread beside it, back");
	return NULL;
}

static void *be_beside(void *arg)
{
	pid_t me = gettid();
	pthread_t other;

	MUST(-pthread_create(&other, NULL, name_threads, &me));
	MUST(-pthread_join(other, NULL));
	return arg;
}

static void *do_nothing(void *arg)
{
	return arg;
}

/* As rsyslogd does: the scheduling is that of the caller, but given explicitly. */
static void start_scheduled(void)
{
	const struct sched_param param = { 0 };
	pthread_attr_t attr;
	pthread_t thread;
	int error;

	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_OTHER);
	pthread_attr_setschedparam(&attr, &param);
	error = pthread_create(&thread, &attr, do_nothing, NULL);
	if (!error)
		pthread_join(thread, NULL);
	errno = error;
	say(error ? -1 : 0, "pthread_create with the ordinary scheduling");
	pthread_attr_destroy(&attr);
}

/* What a process may do to others, and by its number to itself. */
static void reach(pid_t outside)
{
	const struct sched_param param = { 0 };
	struct rlimit limit;
	pthread_t thread;
	pid_t child;

	MUST(sched_getaffinity(0, sizeof(cpus), &cpus));
	MUST(getrlimit(RLIMIT_CORE, &limit));
	say(kill(outside, 0), "kill outside");
	say(kill(getpid(), 0), "kill myself");
	say(sched_setaffinity(0, sizeof(cpus), &cpus), "sched_setaffinity of 0");
	say(sched_setaffinity(getpid(), sizeof(cpus), &cpus), "sched_setaffinity of my number");
	say(setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0)), "setpriority of 0");
	say(setpriority(PRIO_PROCESS, getpid(), getpriority(PRIO_PROCESS, 0)),
	    "setpriority of my number");
	say(prlimit(0, RLIMIT_CORE, &limit, NULL), "prlimit of 0");
	say(prlimit(getpid(), RLIMIT_CORE, &limit, NULL), "prlimit of my number");
	say(prlimit(getpid(), RLIMIT_CORE, NULL, &limit), "prlimit that only asks");
	say(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, getpid(),
		    IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 4)),
	    "ioprio_set of my number");
	say(sched_setscheduler(getpid(), SCHED_OTHER, &param), "sched_setscheduler of my number");
	MUST(-pthread_create(&thread, NULL, be_beside, NULL));
	MUST(-pthread_join(thread, NULL));
	start_scheduled();
	child = MUST(fork());
	if (!child)
		for (;;)
			pause();
	say(sched_setaffinity(child, sizeof(cpus), &cpus), "sched_setaffinity of a child");
	say(sched_setscheduler(child, SCHED_OTHER, &param), "sched_setscheduler of a child");
	say(prlimit(child, RLIMIT_CORE, &limit, NULL), "prlimit of a child");
	kill(child, SIGKILL);
	MUST(waitpid(child, NULL, 0));
	say(setpriority(PRIO_PROCESS, outside, getpriority(PRIO_PROCESS, 0)),
	    "setpriority outside");
}

/* In a PID namespace, where numbers begin anew. */
static void reach_in_namespace(char **args)
{
	char host[16] = "";
	pthread_t thread;
	pid_t child;
	int status;

	(void)args;
	MUST(sched_getaffinity(0, sizeof(cpus), &cpus));
	MUST(unshare(CLONE_NEWUSER | CLONE_NEWPID));
	child = MUST(fork());
	if (child) {
		MUST(waitpid(child, &status, 0));
		return;
	}
	say(getpid(), "my number");
	say(sched_setaffinity(getpid(), sizeof(cpus), &cpus), "sched_setaffinity of my number");
	say(setpriority(PRIO_PROCESS, getpid(), getpriority(PRIO_PROCESS, 0)),
	    "setpriority of my number");
	MUST(-pthread_create(&thread, NULL, be_beside, NULL));
	MUST(-pthread_join(thread, NULL));
	/* /proc is still that of the namespace outside. */
	MUST(readlink("/proc/self", host, sizeof(host) - 1));
	say(sched_setaffinity(atoi(host), sizeof(cpus), &cpus),
	    "sched_setaffinity of my number outside");
	fflush(stdout);
	_exit(0);
}

/* A debugger's hold on its own child. */
static void trace(void)
{
	pid_t child = MUST(fork());
	int status;

	if (!child)
		_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? 1 : 0);
	MUST(waitpid(child, &status, 0));
	say(WEXITSTATUS(status), "a child that wants to be traced");
}

static const char *whose(pid_t pid)
{
	return pid == getpid() ? "mine" : "another's";
}

static pid_t peer(int fd)
{
	struct ucred c;
	socklen_t size = sizeof(c);

	MUST(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &size));
	return c.pid;
}

/* Who has sent a message over a pair of UNIX sockets, as the receiver is told. */
static void sender_of_pair(int type, const char *what)
{
	int pair[2], one = 1;
	char byte = 'x', control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	struct ucred seen;

	MUST(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair));
	tell("SO_PEERCRED of a pair of %s: %s", what, whose(peer(pair[0])));
	MUST(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)));
	MUST(sendmsg(pair[0], &m, 0));
	m.msg_control = control;
	m.msg_controllen = sizeof(control);
	MUST(recvmsg(pair[1], &m, 0));
	memcpy(&seen, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(seen));
	tell("SCM_CREDENTIALS in a pair of %s: %s", what, whose(seen.pid));
}

/* Whom the other end of a UNIX socket sees. */
static void credentials(void)
{
	union name n = { .un = { AF_UNIX, "" } };
	socklen_t size = sizeof(n);
	int listener, client, accepted;

	sender_of_pair(SOCK_STREAM, "streams");
	sender_of_pair(SOCK_SEQPACKET, "packets");
	sender_of_pair(SOCK_DGRAM, "datagrams");
	listener = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	client = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	MUST(bind(listener, &n.any, sizeof(sa_family_t)));
	MUST(getsockname(listener, &n.any, &size));
	MUST(listen(listener, 1));
	MUST(connect(client, &n.any, size));
	accepted = MUST(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	tell("SO_PEERCRED of who connected: %s", whose(peer(accepted)));
	tell("SO_PEERCRED of who listens: %s", whose(peer(client)));
}

/* Who inherits a process that has lost its parent. */
static void orphan(void)
{
	char path[32], comm[17] = "";
	int done[2], fd;
	pid_t child;

	MUST(pipe2(done, O_CLOEXEC));
	child = MUST(fork());
	if (!child) {
		pid_t parent = getpid();

		if (!MUST(fork())) {
			while (getppid() == parent)
				sched_yield();
			snprintf(path, sizeof(path), "/proc/%d/comm", getppid());
			fd = open(path, O_RDONLY | O_CLOEXEC);
			_exit(read(fd, comm, sizeof(comm) - 1) < 0 || write(done[1], comm, 7) < 0);
		}
		_exit(0);
	}
	MUST(waitpid(child, NULL, 0));
	close(done[1]);
	MUST(read(done[0], comm, sizeof(comm) - 1));
	comm[strcspn(comm, "\n")] = '\0';
	tell("an orphan's parent is %s", comm);
}

static void nothing(int signal)
{
	(void)signal;
}

/* A signal in a call that waits: connect to a full backlog. */
static void interruption(void)
{
	const struct sigaction action = { .sa_handler = nothing };
	const struct itimerval soon = { .it_value.tv_usec = 100000 };
	union name to;
	socklen_t size;
	int listener = open_receiver(SOCK_STREAM, "127.0.0.1", &to, &size), fd;
	int64_t began;

	MUST(listen(listener, 0));
	for (int i = 0; i < 3; i++) {
		fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
		(void)!connect(fd, &to.any, size);
	}
	MUST(sigaction(SIGALRM, &action, NULL));
	fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	MUST(setitimer(ITIMER_REAL, &soon, NULL));
	began = now_ns();
	say(connect(fd, &to.any, size), "connect interrupted");
	figure("%.1f ms after the signal", (double)(now_ns() - began) / 1e6 - 100);
}

/* What ping does before it sends: it asks where it would send from. */
static void ping(char **args)
{
	int fd = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	union name n;
	socklen_t size = name_set(&n, "127.0.0.1", 1025);

	(void)args;
	say(connect(fd, &n.any, size), "connect of ping");
	size = sizeof(n);
	say(getpeername(fd, &n.any, &size), "getpeername of ping");
	size = sizeof(n);
	MUST(getsockname(fd, &n.any, &size));
	tell("address of ping: %#x", ntohl(n.v4.sin_addr.s_addr));
	say(send(fd, "x", 1, MSG_NOSIGNAL), "send of ping");
}

/* What a program does that confines itself: it forbids itself to bind anything. */
static void own_domain(void)
{
	const struct landlock_ruleset_attr_v6 rules = {
		.handled_access_net = LANDLOCK_ACCESS_NET_BIND_TCP,
	};
	pid_t child = MUST(fork());
	union name n;
	socklen_t size = name_set(&n, "127.0.0.1", 7009);

	if (!child) {
		int ruleset =
			MUST(syscall(SYS_landlock_create_ruleset, &rules, sizeof(uint64_t[2]), 0));
		int fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

		MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		MUST(syscall(SYS_landlock_restrict_self, ruleset, 0));
		say(bind(fd, &n.any, size), "bind in a Landlock domain of its own");
		fflush(NULL);
		_exit(0);
	}
	MUST(waitpid(child, NULL, 0));
}

static void facts(char **args)
{
	calls();
	sockets();
	reach(atoi(args[0]));
	trace();
	credentials();
	orphan();
	interruption();
	own_domain();
	tell("SANDTOP is %s", getenv("SANDTOP") ? "set" : "not set");
}

int main(int argc, char **argv)
{
	static const struct scenario table[] = {
		{ "facts", facts },
		{ "namespace", reach_in_namespace },
		{ "ping", ping },
		{ 0 },
	};

	return scenario_main(argc, argv, table);
}

/* SPDX-License-Identifier: MIT */
/*
 * Attacks by threads of one process, and once by two that share descriptors, for race_test:
 * something changes between the moment a system call is judged and the moment it acts.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "selftests/lib/scenario.h"

enum { TRIES = 4000, TRIES_MS = 3000 };

static atomic_bool running, stop;
static atomic_int victim, try; /* a descriptor; from 1 */
static struct sockaddr_in target;
static in_port_t ports[2];

static bool goes_on(int tries, int64_t begin)
{
	return tries < TRIES && now_ns() - begin < (int64_t)TRIES_MS * 1000000;
}

static void *flip_port(void *arg)
{
	for (unsigned i = 0; !stop; i++) {
		*(volatile in_port_t *)&target.sin_port = ports[i & 1];
		running = true;
	}
	return arg;
}

static pthread_t start(void *(*run)(void *))
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, run, NULL);
	MUST(errno ? -1 : 0);
	while (!running)
		;
	return thread;
}

static void end(pthread_t thread)
{
	stop = true;
	pthread_join(thread, NULL);
}

/* ADDRESS PORT PORT: the port in memory changes while it is sent to. */
static void run_flip(char **args)
{
	int64_t begin = now_ns();
	int fd = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	char byte = 'x';
	struct iovec v = { &byte, 1 };
	struct msghdr m = {
		.msg_name = &target, .msg_namelen = sizeof(target), .msg_iov = &v, .msg_iovlen = 1
	};
	pthread_t thread;

	target.sin_family = AF_INET;
	MUST(inet_pton(AF_INET, args[0], &target.sin_addr) == 1 ? 0 : -1);
	ports[0] = htons((uint16_t)atoi(args[1]));
	ports[1] = htons((uint16_t)atoi(args[2]));
	thread = start(flip_port);
	for (int i = 0; goes_on(i, begin); i++) {
		if (i & 1)
			sendmsg(fd, &m, 0);
		else
			sendto(fd, "x", 1, 0, (struct sockaddr *)&target, sizeof(target));
	}
	end(thread);
	tell("done");
}

static void spin(int turns)
{
	for (volatile int left = turns; left; left--)
		;
}

/* Each new victim is shut down once, a while later. */
static void *shut_victim(void *arg)
{
	for (int last = 0; !stop;) {
		int now = try;

		running = true;
		if (now == last)
			continue;
		spin(now * 37 % 20000);
		shutdown(victim, SHUT_RDWR);
		last = now;
	}
	return arg;
}

/*
 * A socket that is connecting from a loopback address loses it to a shutdown(2);
 * a listen(2) that was judged before then opens the wildcard address.
 */
static void run_listen(char **args)
{
	union name full;
	socklen_t len;
	int64_t begin = now_ns();
	int listener = MUST(socket(AF_INET, SOCK_STREAM, 0));
	pthread_t thread;
	int wild = 0;

	(void)args;
	len = name_set(&full, "127.0.0.1", 0);
	MUST(bind(listener, &full.any, len));
	MUST(listen(listener, 0));
	MUST(getsockname(listener, &full.any, &len));
	for (int i = 0; i < 3; i++)
		connect(MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)), &full.any, len);
	thread = start(shut_victim);
	for (int i = 0; !wild && goes_on(i, begin); i++) {
		int fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
		struct sockaddr_in local = { 0 };
		socklen_t size = sizeof(local);

		connect(fd, &full.any, len);
		victim = fd;
		try = i + 1;
		/* The shutdown comes before, during or after the listen. */
		if (i & 1)
			spin(i * 37 % 20000);
		if (listen(fd, 5) == 0 && getsockname(fd, (struct sockaddr *)&local, &size) == 0)
			wild += local.sin_addr.s_addr == htonl(INADDR_ANY);
		close(fd);
	}
	end(thread);
	tell("wild %d", wild);
}

static int swapped[4]; /* what takes turns as the victim */

static void *swap_victim(void *arg)
{
	for (unsigned i = 0; !stop; i++) {
		dup2(swapped[i % 4], victim);
		running = true;
	}
	return arg;
}

/* A process that has our descriptors, and nothing else of ours. */
static pid_t start_process(void)
{
	socklen_t len = sizeof(int);
	int domain;
	pid_t pid = (pid_t)MUST(syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, 0));

	if (pid) {
		/* Until it is at work. */
		while (getsockopt(victim, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
		       domain != AF_INET)
			;
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	swap_victim(NULL);
	_exit(0);
}

/*
 * HOW ADDRESS PORT: a descriptor is now a stream, or a sequence of packets, of AF_UNIX, to which a
 * name means nothing, and now a socket that can send anywhere. Who changes it is a "thread" or a
 * "process".
 */
static void run_swap(char **args)
{
	bool process = args[0][0] == 'p';
	int64_t begin = now_ns();
	struct iovec v = { (void *)"x", 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	pthread_t thread;
	union name to;
	int stream[2], packets[2];
	pid_t pid = 0;

	m.msg_namelen = name_set(&to, args[1], (uint16_t)atoi(args[2]));
	m.msg_name = &to;
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, stream));
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packets));
	swapped[0] = stream[0];
	swapped[2] = packets[0];
	swapped[1] = swapped[3] = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	victim = MUST(dup(stream[0]));
	if (process)
		pid = start_process();
	else
		thread = start(swap_victim);
	for (int i = 0; goes_on(i / 20, begin); i++)
		sendmsg(victim, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (process)
		kill(pid, SIGKILL);
	else
		end(thread);
	tell("done");
}

int main(int argc, char **argv)
{
	static const struct scenario table[] = {
		{ "flip", run_flip },
		{ "listen", run_listen },
		{ "swap", run_swap },
		{ 0 },
	};

	return scenario_main(argc, argv, table);
}

/* SPDX-License-Identifier: MIT */
/*
 * Attacks by threads of one process, for race_test: something changes between
 * the moment a system call is judged and the moment it acts.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
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

int main(int argc, char **argv)
{
	static const struct scenario table[] = {
		{ "flip", run_flip },
		{ "listen", run_listen },
		{ 0 },
	};

	return scenario_main(argc, argv, table);
}

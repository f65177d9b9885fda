/* SPDX-License-Identifier: MIT */
/*
 * Many requests, many tasks, many of both: scenarios for bounds_test. Where the
 * test is to look at the supervisor, a scenario says a word and waits for SIGUSR1.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/lib/scenario.h"

/* Destinations: the first is permitted, the second is not. */
static const char permitted[] = "127.0.0.1", refused[] = "127.0.0.2";

static void block_signal(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void say_and_wait(const char *word)
{
	sigset_t set;
	int got;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	tell("%s", word);
	sigwait(&set, &got);
}

static void begin(void)
{
	block_signal();
	tell("supervisor %d", getppid());
	tell("command %d", getpid());
}

/* ---- mixed requests ---------------------------------------------------- */

/* What one task works with; nothing in it is shared. */
struct desk {
	int udp, tcp, in, pair[2];
	union name to, forbidden;
	socklen_t len;
};

static void open_desk(struct desk *d)
{
	d->in = open_receiver(SOCK_DGRAM | SOCK_NONBLOCK, permitted, &d->to, &d->len);
	d->udp = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	d->tcp = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	MUST(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, d->pair));
	name_set(&d->forbidden, refused, 9);
}

static void close_desk(struct desk *d)
{
	close(d->in);
	close(d->udp);
	close(d->tcp);
	close(d->pair[0]);
	close(d->pair[1]);
}

/* A connection within the sandbox that passes a descriptor and goes. */
static bool pass_descriptor(struct desk *d)
{
	char control[CMSG_SPACE(sizeof(int))] = "", byte;
	struct iovec v = { (void *)"d", 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	*h = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(h), &d->in, sizeof(int));
	/* Received without room for it, the descriptor is dropped. */
	return sendmsg(d->pair[0], &m, 0) == 1 && recv(d->pair[1], &byte, 1, 0) == 1;
}

static bool meet_neighbour(void)
{
	union name at = { .un.sun_family = AF_UNIX };
	socklen_t len = sizeof(at);
	int listener = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	int client = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	bool met;

	met = !bind(listener, &at.any, sizeof(sa_family_t)) &&
	      !getsockname(listener, &at.any, &len) && !listen(listener, 4) &&
	      !connect(client, &at.any, len);
	close(listener);
	close(client);
	return met;
}

static bool is_refused(long result, int error)
{
	return result < 0 && errno == error;
}

/* The i-th request of the mix. Returns whether its answer was right. */
static bool request(struct desk *d, int i)
{
	struct iovec v = { (void *)"mix", 3 };
	struct mmsghdr m[3];
	char bytes[8];
	int fd;

	for (int n = 0; n < 3; n++)
		m[n] = (struct mmsghdr){ .msg_hdr = { .msg_name = &d->to,
						      .msg_namelen = d->len,
						      .msg_iov = &v,
						      .msg_iovlen = 1 } };
	while (recv(d->in, bytes, sizeof(bytes), 0) > 0)
		;
	switch (i % 16) {
	case 0:
		return sendmsg(d->udp, &m[0].msg_hdr, 0) == 3;
	case 1:
		m[1].msg_hdr.msg_name = &d->forbidden;
		return sendmmsg(d->udp, m, 3, 0) == 1 && m[0].msg_len == 3;
	case 2:
		return sendmmsg(d->udp, m, 3, 0) == 3;
	case 3:
		return is_refused(connect(d->tcp, &d->forbidden.any, d->len), ECONNREFUSED);
	case 4:
		return is_refused(sendto(d->udp, "x", 1, 0, &d->forbidden.any, d->len),
				  ECONNREFUSED);
	case 5:
		return is_refused(sendto(d->udp, "x", 1, 0, (void *)1, d->len), EFAULT);
	case 6:
		return is_refused(connect(-1, &d->to.any, d->len), EBADF);
	case 7:
		return pass_descriptor(d);
	case 8:
		return i % 256 != 8 || meet_neighbour();
	case 9:
		fd = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
		i = connect(fd, &d->to.any, d->len);
		close(fd);
		return !i;
	default:
		return sendto(d->udp, "mix", 3, 0, &d->to.any, d->len) == 3;
	}
}

struct share {
	int count, wrong;
};

static void *do_share(void *arg)
{
	struct share *s = arg;
	struct desk d;

	open_desk(&d);
	for (int i = 0; i < s->count; i++)
		s->wrong += !request(&d, i);
	close_desk(&d);
	return NULL;
}

/* By so many threads of one process. Returns how many answers were wrong. */
static int do_requests(int count, int threads)
{
	struct share shares[64] = { 0 };
	pthread_t ids[64];
	int wrong = 0;

	for (int i = 0; i < threads; i++) {
		shares[i].count = count / threads;
		MUST(-pthread_create(&ids[i], NULL, do_share, &shares[i]));
	}
	for (int i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		wrong += shares[i].wrong;
	}
	return wrong;
}

/* Processes, one after the other, of four threads each. */
static int do_rounds(int count, int rounds)
{
	int wrong = 0, status;
	pid_t pid;

	fflush(stdout);
	for (int i = 0; i < rounds; i++) {
		pid = MUST(fork());
		if (!pid)
			_exit(do_requests(count / rounds, 4) != 0);
		MUST(waitpid(pid, &status, 0));
		wrong += status != 0;
	}
	return wrong;
}

static void run_requests(char **args)
{
	int count = atoi(args[0]), wrong;

	begin();
	wrong = do_rounds(count / 8, 4);
	say_and_wait("warm");
	wrong += do_rounds(count, 16);
	say_and_wait("done");
	tell("wrong %d", wrong);
}

static void run_threads(char **args)
{
	(void)args;
	tell("wrong %d", do_requests(64 * 300, 64));
}

/* forks COUNT: short lives, several at a time; each asks what is permitted and what is not. */
static void run_forks(char **args)
{
	int count = atoi(args[0]), running = 0, wrong = 0, status;
	pid_t last = 0, pid;
	bool reused = false;

	fflush(stdout);
	for (int i = 0; i < count || running;) {
		if (i < count && running < 16) {
			pid = MUST(fork());
			if (!pid) {
				struct desk d;
				bool right;

				open_desk(&d);
				right = request(&d, i % 2 ? 0 : 3) && request(&d, i % 2 ? 3 : 10);
				_exit(!right);
			}
			reused |= pid < last;
			last = pid;
			running++;
			i++;
			continue;
		}
		MUST(waitpid(-1, &status, 0));
		wrong += status != 0;
		running--;
	}
	tell("wrong %d", wrong);
	figure("numbers %s", reused ? "used again" : "used once");
}

/* ---- many that wait ---------------------------------------------------- */

struct waiter {
	pthread_t thread;
	volatile pid_t tid;
	int pair[2];
	long result;
};

static void *wait_for_room(void *arg)
{
	struct waiter *w = arg;
	struct iovec v = { (void *)"L", 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	w->tid = gettid();
	w->result = sendmsg(w->pair[0], &m, 0);
	return NULL;
}

/* blocked COUNT: all wait in sendmsg(2) at once, then all get room. */
static void run_blocked(char **args)
{
	int count = atoi(args[0]), completed = 0, arrived = 0, waiting = 0;
	struct waiter *waiters = calloc(count, sizeof(*waiters));
	struct rlimit files;
	pthread_attr_t attr;
	char byte;

	MUST(getrlimit(RLIMIT_NOFILE, &files));
	files.rlim_cur = files.rlim_max;
	MUST(setrlimit(RLIMIT_NOFILE, &files));
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 * 1024);
	for (int i = 0; i < count; i++) {
		MUST(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, waiters[i].pair));
		while (send(waiters[i].pair[0], "", 1, MSG_DONTWAIT) == 1)
			;
		MUST(-pthread_create(&waiters[i].thread, &attr, wait_for_room, &waiters[i]));
	}
	for (int i = 0; i < count; i++) {
		while (!waiters[i].tid)
			sched_yield();
		waiting += !await_blocked(waiters[i].tid, SYS_sendmsg);
	}
	tell("waiting %d", waiting);
	for (int i = 0; i < count; i++)
		while (recv(waiters[i].pair[1], &byte, 1, MSG_DONTWAIT) == 1)
			arrived += byte == 'L';
	for (int i = 0; i < count; i++) {
		pthread_join(waiters[i].thread, NULL);
		completed += waiters[i].result == 1;
		while (recv(waiters[i].pair[1], &byte, 1, MSG_DONTWAIT) == 1)
			arrived += byte == 'L';
	}
	tell("completed %d, arrived %d", completed, arrived);
	free(waiters);
}

/* One that is in the middle of something when its end comes. */
static void __attribute__((noreturn)) be_killed(int i)
{
	struct waiter w;
	struct desk d;

	if (i % 2) {
		MUST(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, w.pair));
		while (send(w.pair[0], "", 1, MSG_DONTWAIT) == 1)
			;
		wait_for_room(&w);
		_exit(0);
	}
	open_desk(&d);
	for (int n = 0;; n++)
		request(&d, n);
}

static void kill_by_the_hundred(int count)
{
	pid_t pids[512];
	int status, killed = 0;

	fflush(stdout);
	for (int i = 0; i < count; i++) {
		pids[i] = MUST(fork());
		if (!pids[i])
			be_killed(i);
	}
	for (int i = 1; i < count; i += 2)
		MUST(await_blocked(pids[i], SYS_sendmsg));
	for (int i = 0; i < count; i++)
		kill(pids[i], SIGKILL);
	for (int i = 0; i < count; i++) {
		MUST(waitpid(pids[i], &status, 0));
		killed += WIFSIGNALED(status);
	}
	tell("killed %d", killed);
}

static void run_killed(char **args)
{
	int count = atoi(args[0]);

	begin();
	kill_by_the_hundred(count);
	/* The living are served as ever, and the supervisor comes round to the dead. */
	tell("wrong %d", do_rounds(6400, 16));
	say_and_wait("warm");
	kill_by_the_hundred(count);
	tell("wrong %d", do_rounds(6400, 16));
	say_and_wait("done");
}

/* ---- a supervisor that is lost ----------------------------------------- */

enum { WORKERS = 6 };

static void __attribute__((noreturn)) * work(void *arg)
{
	struct desk d;

	(void)arg;
	open_desk(&d);
	for (int i = 0;; i++)
		request(&d, i);
}

/* traffic PORT: workers that hold a connection to the outside and never rest. */
static void run_traffic(char **args)
{
	union name to;
	socklen_t len = name_set(&to, permitted, atoi(args[0]));
	pthread_t thread;

	for (int i = 0; i < WORKERS; i++) {
		fflush(stdout);
		if (MUST(fork()))
			continue;
		int fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

		MUST(connect(fd, &to.any, len));
		MUST(-pthread_create(&thread, NULL, work, NULL));
		tell("worker %d", getpid());
		work(NULL);
	}
	begin();
	tell("traffic");
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	static const struct scenario scenarios[] = {
		{ "requests", run_requests },
		{ "threads", run_threads },
		{ "forks", run_forks },
		{ "blocked", run_blocked },
		{ "killed", run_killed },
		{ "traffic", run_traffic },
		{ 0 },
	};

	return scenario_main(argc, argv, scenarios);
}

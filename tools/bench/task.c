/* SPDX-License-Identifier: MIT */
#include "tools/bench/task.h"

#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/bench/call.h"
#include "tools/bench/grow.h"

enum {
	SENDERS = 8,
	TASKS_MAX = 64,
	SPREAD = 4096, /* addresses: the rows of the ledger */
	SPREAD_FIRST = 0x7f010000,
	SPREAD_BURST = 10,
	SPREAD_PORT = 9,
	WARM_UP = 250,
};

struct tasks {
	int n;
	pid_t pid[TASKS_MAX];
	int go;   /* closed: the tasks begin */
	int done; /* a byte from each task that has finished */
	struct sockaddr_in to;
	unsigned share;    /* datagrams for each task */
	atomic_uint *sent; /* shared by all tasks */
};

typedef void task_body(struct tasks *t);

/* In a task: made ready, until all begin. */
static void wait_go(struct tasks *t)
{
	char c;

	call_check(read(t->go, &c, 1), "read");
}

static _Noreturn void run_task(struct tasks *t, task_body *body, int done)
{
	call_check(prctl(PR_SET_PDEATHSIG, SIGKILL), "PR_SET_PDEATHSIG");
	body(t);
	call_check(write(done, "", 1), "write");
	close(done);
	/* Exiting costs more than a send and would be measured with it. */
	for (;;)
		pause();
}

/* Fork `n` tasks that wait in wait_go(). */
static void start(struct tasks *t, int n, task_body *body)
{
	int go[2], done[2];

	call_check(pipe2(go, O_CLOEXEC), "pipe");
	call_check(pipe2(done, O_CLOEXEC), "pipe");
	for (t->n = 0; t->n < n; t->n++) {
		pid_t pid = (pid_t)call_check(fork(), "fork");

		if (!pid) {
			close(go[1]);
			t->go = go[0];
			run_task(t, body, done[1]);
		}
		t->pid[t->n] = pid;
	}
	close(go[0]);
	close(done[1]);
	t->go = go[1];
	t->done = done[0];
}

/* Until every task has finished its body. */
static void wait_done(struct tasks *t)
{
	char c;

	for (int i = 0; i < t->n; i++)
		if (call_check(read(t->done, &c, 1), "read") != 1)
			errx(1, "a task ended early");
}

static void stop(struct tasks *t)
{
	for (int i = 0; i < t->n; i++)
		kill(t->pid[i], SIGKILL);
	for (int i = 0; i < t->n; i++)
		waitpid(t->pid[i], NULL, 0);
	close(t->done);
}

/* To a socket that no one reads, so that after a moment each datagram is dropped at its end. */
static void body_send(struct tasks *t)
{
	struct sockaddr_in to;
	int fd = call_socket(SOCK_DGRAM);

	call_bound(SOCK_DGRAM, &to);
	wait_go(t);
	for (unsigned i = 0; i < t->share; i++) {
		call_datagram(fd, &to);
		if (t->sent)
			atomic_fetch_add_explicit(t->sent, 1, memory_order_relaxed);
	}
}

static double send_rate(int tasks, unsigned count)
{
	struct tasks t = { .share = count / (unsigned)tasks };
	double begin, end;

	start(&t, tasks, body_send);
	begin = sample_now();
	close(t.go);
	wait_done(&t);
	end = sample_now();
	stop(&t);
	return (end - begin) / (t.share * (unsigned)tasks);
}

void task_rate(const struct row *row, unsigned count, struct sample *out)
{
	(void)row;
	out->base = send_rate(1, count);
	out->value = send_rate(SENDERS, count);
}

static void body_black_hole(struct tasks *t)
{
	int fd = call_tcp_socket();

	wait_go(t);
	if (call_connect(fd, &t->to))
		err(1, "connect to a full backlog");
	errx(1, "connect to a full backlog: connected");
}

/* A listener whose backlog is full: Linux drops every further SYN, and connects wait. */
static void open_black_hole(struct sockaddr_in *addr)
{
	int listener = call_bound(SOCK_STREAM, addr);

	/* A backlog of 0 has room for one, see sk_acceptq_is_full() in include/net/sock.h. */
	call_check(listen(listener, 0), "listen");
	call_check(call_connect(call_tcp_socket(), addr), "connect");
}

/* How many sockets of this network namespace wait in a connect to this address, see proc(5). */
static int count_waiting(const struct sockaddr_in *to)
{
	enum { SYN_SENT = 2 };
	FILE *f = fopen("/proc/self/net/tcp", "re");
	char line[512];
	int n = 0;

	if (!f)
		err(1, "/proc/self/net/tcp");
	while (fgets(line, sizeof(line), f)) {
		unsigned addr, port, state;

		if (sscanf(line, "%*u: %*x:%*x %x:%x %x", &addr, &port, &state) == 3 &&
		    addr == to->sin_addr.s_addr && port == ntohs(to->sin_port) && state == SYN_SENT)
			n++;
	}
	fclose(f);
	return n;
}

static double connect_p99(unsigned count)
{
	double *cost = calloc(count, sizeof(*cost));
	struct sockaddr_in to;
	int listener = call_bound(SOCK_STREAM, &to);
	double p99;

	if (!cost)
		err(1, "calloc");
	call_check(listen(listener, 1), "listen");
	for (unsigned i = 0; i < count; i++) {
		int fd = call_tcp_socket();
		double begin = sample_now();

		call_check(call_connect(fd, &to), "connect");
		cost[i] = sample_now() - begin;
		close(fd);
		call_drop_one(listener);
	}
	p99 = sample_percentile(cost, count, 99);
	free(cost);
	close(listener);
	return p99;
}

void task_black_hole(const struct row *row, unsigned count, struct sample *out)
{
	struct tasks t = { 0 };

	(void)row;
	open_black_hole(&t.to);
	out->base = connect_p99(count);
	start(&t, TASKS_MAX, body_black_hole);
	close(t.go);
	while (count_waiting(&t.to) < TASKS_MAX)
		sched_yield();
	out->value = connect_p99(count);
	if (count_waiting(&t.to) != TASKS_MAX)
		errx(1, "not all tasks stayed in their connect");
	stop(&t);
}

/* p99 of `count` datagrams of a task that sends one now and then. */
static double send_p99(unsigned count)
{
	static const struct timespec pause = { .tv_nsec = 200000 };
	double *cost = calloc(count, sizeof(*cost));
	struct sockaddr_in to;
	int receiver = call_bound(SOCK_DGRAM, &to);
	int sender = call_socket(SOCK_DGRAM);
	double p99;

	if (!cost)
		err(1, "calloc");
	for (unsigned i = 0; i < count; i++) {
		double begin;

		nanosleep(&pause, NULL);
		begin = sample_now();
		call_datagram(sender, &to);
		cost[i] = sample_now() - begin;
	}
	p99 = sample_percentile(cost, count, 99);
	free(cost);
	close(sender);
	close(receiver);
	return p99;
}

void task_fair(const struct row *row, unsigned count, struct sample *out)
{
	struct tasks t = { .share = UINT_MAX };

	(void)row;
	out->base = send_p99(count);
	start(&t, 1, body_send);
	close(t.go);
	out->value = send_p99(count);
	if (waitpid(t.pid[0], NULL, WNOHANG))
		errx(1, "the task that floods has ended");
	stop(&t);
}

static void sleep_until(double ns)
{
	const struct timespec at = { .tv_sec = (time_t)(ns / 1e9),
				     .tv_nsec = (long)(ns - 1e9 * (double)(time_t)(ns / 1e9)) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

/* Ten datagrams a millisecond, to the addresses from 127.1.0.0 on; nobody receives them. */
static void body_spread(struct tasks *t)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(SPREAD_PORT) };
	int fd = call_socket(SOCK_DGRAM);
	double next;

	wait_go(t);
	next = sample_now();
	for (unsigned i = 0; i < t->share; i++) {
		to.sin_addr.s_addr = htonl(SPREAD_FIRST + i % SPREAD);
		call_datagram(fd, &to);
		if (i % SPREAD_BURST || i < SPREAD)
			continue;
		/* What could not be sent in time is not made up for. */
		next = next + 1e6 > sample_now() ? next + 1e6 : sample_now();
		sleep_until(next);
	}
}

static double paced_percentile(unsigned count, double percent)
{
	double *cost = calloc(count, sizeof(*cost));
	struct sockaddr_in to;
	int receiver = call_bound(SOCK_DGRAM, &to), sender = call_socket(SOCK_DGRAM);
	double next = sample_now(), value;

	if (!cost)
		err(1, "calloc");
	for (unsigned i = 0; i < count; i++) {
		double begin;

		next += 2e6;
		sleep_until(next);
		begin = sample_now();
		call_datagram(sender, &to);
		cost[i] = sample_now() - begin;
	}
	value = sample_percentile(cost, count, percent);
	free(cost);
	close(sender);
	close(receiver);
	return value;
}

void task_watched(const struct row *row, unsigned count, struct sample *out)
{
	const double percent = strtod(strstr(row->name, "-p") + 2, NULL);
	struct tasks t = { .share = UINT_MAX };
	char c;

	/* Otherwise the sleeps end when it suits the kernel, and all at once. */
	call_check(prctl(PR_SET_TIMERSLACK, 1), "PR_SET_TIMERSLACK");
	start(&t, 1, body_spread);
	close(t.go);
	paced_percentile(WARM_UP, percent);
	out->base = paced_percentile(count, percent);
	fputs(WATCHED_READY, stdout);
	fflush(stdout);
	while (call_check(read(STDIN_FILENO, &c, 1), "read") > 0)
		;
	out->value = paced_percentile(count, percent);
	if (waitpid(t.pid[0], NULL, WNOHANG))
		errx(1, "the task that sends to many addresses has ended");
	stop(&t);
}

void task_memory(const struct row *row, unsigned count, struct sample *out)
{
	struct tasks t = { .share = count / TASKS_MAX };

	(void)row;
	t.sent = mmap(NULL, sizeof(*t.sent), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (t.sent == MAP_FAILED)
		err(1, "mmap");
	start(&t, TASKS_MAX, body_send);
	close(t.go);
	while (atomic_load(t.sent) < t.share * TASKS_MAX) {
		double now = grow_parent_memory();

		if (now > out->value)
			out->value = now;
	}
	wait_done(&t);
	stop(&t);
	munmap(t.sent, sizeof(*t.sent));
}

/* SPDX-License-Identifier: MIT */
#include "tools/bench/task.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/bench/call.h"

enum {
	SENDERS = 8,
	TASKS_MAX = 64,
	DATAGRAM = 64,
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

static void send_datagram(int fd, const struct sockaddr_in *to)
{
	static const char payload[DATAGRAM];

	socklen_t len = sizeof(*to);

	call_check(sendto(fd, payload, DATAGRAM, 0, (const struct sockaddr *)to, len), "sendto");
}

/* To a socket that no one reads, so that after a moment each datagram is dropped at its end. */
static void body_send(struct tasks *t)
{
	struct sockaddr_in to;
	int fd = call_socket(SOCK_DGRAM);

	call_bound(SOCK_DGRAM, &to);
	wait_go(t);
	for (unsigned i = 0; i < t->share; i++) {
		send_datagram(fd, &to);
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

/* What this process's parent holds; readable by all, even of a process that is not dumpable. */
static double parent_memory(void)
{
	char path[64], line[256];
	double kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", getppid());
	f = fopen(path, "re");
	if (!f)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "VmRSS: %lf kB", &kib) == 1)
			break;
	fclose(f);
	if (kib < 0)
		errx(1, "%s: no VmRSS", path);
	return kib;
}

static double parent_descriptors(void)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd", getppid());
	call_check(stat(path, &st), path);
	/* Linux 6.2, proc_fd_getattr() in fs/proc/fd.c; before, 0. */
	if (!st.st_size)
		errx(1, "%s: this kernel does not count them", path);
	return (double)st.st_size;
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
		double now = parent_memory();

		if (now > out->value)
			out->value = now;
	}
	wait_done(&t);
	stop(&t);
	munmap(t.sent, sizeof(*t.sent));
}

struct requests {
	struct sockaddr_in tcp, udp, denied;
	int listener, receiver, sender, refused;
};

static void open_requests(struct requests *r)
{
	r->listener = call_bound(SOCK_STREAM, &r->tcp);
	call_check(listen(r->listener, 1), "listen");
	r->receiver = call_bound(SOCK_DGRAM, &r->udp);
	r->sender = call_socket(SOCK_DGRAM);
	r->refused = call_tcp_socket();
	r->denied = r->tcp;
	r->denied.sin_addr.s_addr = htonl(CALL_DENIED);
}

/* `n` requests: a datagram, a denied connect, and an allowed one, in turn. */
static void make_requests(struct requests *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (i % 3 == 0) {
			send_datagram(r->sender, &r->udp);
		} else if (i % 3 == 1) {
			if (call_connect(r->refused, &r->denied) != -1 || errno != ECONNREFUSED)
				errx(1, "connect to 127.0.0.2: not refused");
		} else {
			int fd = call_tcp_socket();

			call_check(call_connect(fd, &r->tcp), "connect");
			close(fd);
			call_drop_one(r->listener);
		}
	}
}

static double growth(unsigned count, double (*measure)(void))
{
	/* Tables of a fixed size become resident as they are first used: that is no growth. */
	enum { WARM_UP = 20000 };
	struct requests r;
	double before;

	open_requests(&r);
	make_requests(&r, WARM_UP);
	before = measure();
	make_requests(&r, count);
	return measure() - before;
}

void task_memory_growth(const struct row *row, unsigned count, struct sample *out)
{
	(void)row;
	out->value = growth(count, parent_memory);
}

void task_descriptor_growth(const struct row *row, unsigned count, struct sample *out)
{
	(void)row;
	out->value = growth(count, parent_descriptors);
}

/* SPDX-License-Identifier: MIT */
/*
 * Calls that cannot go on, and what ends them: scenarios for blocked_test.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/lib/deadline.h"
#include "selftests/lib/scenario.h"

enum {
	LIMIT_MS = 300,  /* of SO_SNDTIMEO */
	SLACK_MS = 1500, /* what a loaded machine may add to anything */
	BIG = 16 << 20,
	NO_ROOM_MS = 50, /* a TCP buffer that stayed full for so long is full */
	DISTURB_MS = 250,
};

/* ---- the ways to be stuck ---------------------------------------------- */

struct stall {
	const struct kind *kind;
	int fd;     /* whose call blocks */
	int peer;   /* the listener, or the other end */
	int filler; /* the connection that fills the backlog */
	bool ended; /* the call has failed */
	union name to;
	socklen_t len;
};

struct kind {
	const char *name;
	long nr; /* the call that blocks */
	void (*open)(struct stall *s);
	long (*call)(struct stall *s);
	/* Make room; returns how many of the late things have come out so far. */
	int (*release)(struct stall *s);
};

static void open_black_hole(struct stall *s)
{
	s->peer = open_receiver(SOCK_STREAM | SOCK_NONBLOCK, "127.0.0.1", &s->to, &s->len);
	/* listen(2): one connection more than the backlog; later packets are not answered. */
	MUST(listen(s->peer, 0));
	s->filler = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	MUST(connect(s->filler, &s->to.any, s->len));
	MUST(await(s->peer, POLLIN));
	s->fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static void open_full_listener(struct stall *s)
{
	s->to.un.sun_family = AF_UNIX;
	s->len = sizeof(s->to);
	s->peer = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	MUST(bind(s->peer, &s->to.any, sizeof(sa_family_t)));
	MUST(getsockname(s->peer, &s->to.any, &s->len));
	MUST(listen(s->peer, 0));
	s->filler = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	MUST(connect(s->filler, &s->to.any, s->len));
	s->fd = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static long call_connect(struct stall *s)
{
	return connect(s->fd, &s->to.any, s->len);
}

/*
 * Accept the filler, then whoever gets in. A TCP connect that has ended without
 * success goes on behind the caller's back, one of AF_UNIX does not.
 */
static int accept_late(struct stall *s)
{
	int fd = MUST(accept4(s->peer, NULL, NULL, SOCK_CLOEXEC));

	close(fd);
	if ((!s->ended || s->to.any.sa_family == AF_INET) && await(s->peer, POLLIN))
		return 0;
	fd = accept4(s->peer, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void fill_up(int fd, size_t size)
{
	static const char filling[4096];
	struct pollfd writable = { .fd = fd, .events = POLLOUT };

	do
		while (send(fd, filling, size, MSG_DONTWAIT) > 0)
			;
	while (poll(&writable, 1, NO_ROOM_MS) > 0);
}

static void open_full_tcp(struct stall *s)
{
	int fds[2], small = 4096;

	open_connection("127.0.0.1", fds);
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	fill_up(fds[0], 4096);
	s->fd = fds[0];
	s->peer = fds[1];
}

static void open_full_pair(struct stall *s, int type, size_t size)
{
	int fds[2];

	MUST(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds));
	while (send(fds[0], "\0\0\0\0\0\0\0", size, MSG_DONTWAIT) > 0)
		;
	s->fd = fds[0];
	s->peer = fds[1];
}

static void open_full_stream(struct stall *s)
{
	open_full_pair(s, SOCK_STREAM, 1);
}

static void open_full_dgram(struct stall *s)
{
	open_full_pair(s, SOCK_DGRAM, 1);
}

static void open_full_seqpacket(struct stall *s)
{
	open_full_pair(s, SOCK_SEQPACKET, 1);
}

static long call_sendmsg(struct stall *s)
{
	struct iovec v = { (void *)"L", 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	return sendmsg(s->fd, &m, 0);
}

static long call_sendmmsg(struct stall *s)
{
	struct iovec v = { (void *)"L", 1 };
	struct mmsghdr m[2] = { { .msg_hdr = { .msg_iov = &v, .msg_iovlen = 1 } },
				{ .msg_hdr = { .msg_iov = &v, .msg_iovlen = 1 } } };

	return sendmmsg(s->fd, m, 2, 0);
}

/* Read all there is; the late bytes are the L's among zeros. */
static int read_late(struct stall *s)
{
	char bytes[65536];
	int late = 0;
	ssize_t n;

	while ((n = recv(s->peer, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		for (ssize_t i = 0; i < n; i++)
			late += bytes[i] == 'L';
	return late;
}

static const struct kind kinds[] = {
	{ "connect", SYS_connect, open_black_hole, call_connect, accept_late },
	{ "unix_connect", SYS_connect, open_full_listener, call_connect, accept_late },
	{ "tcp", SYS_sendmsg, open_full_tcp, call_sendmsg, read_late },
	{ "stream", SYS_sendmsg, open_full_stream, call_sendmsg, read_late },
	{ "dgram", SYS_sendmsg, open_full_dgram, call_sendmsg, read_late },
	{ "seqpacket", SYS_sendmsg, open_full_seqpacket, call_sendmsg, read_late },
	{ "tcp_many", SYS_sendmmsg, open_full_tcp, call_sendmmsg, read_late },
	{ "dgram_many", SYS_sendmmsg, open_full_dgram, call_sendmmsg, read_late },
	{ 0 },
};

static struct stall open_stall(const char *name)
{
	struct stall s = { .fd = -1 };

	for (s.kind = kinds; s.kind->name && strcmp(s.kind->name, name); s.kind++)
		;
	if (!s.kind->name)
		MUST((errno = EINVAL, -1));
	s.kind->open(&s);
	return s;
}

static void set_limit(int fd, int ms)
{
	struct timeval limit = { ms / 1000, ms % 1000 * 1000 };

	MUST(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)));
}

/* Figures vary, what they mean does not: not before `from` ms, and soon after. */
static void tell_when(int64_t since, int from, const char *what)
{
	double ms = (now_ns() - since) / 1e6;

	figure("%s after %.1f ms", what, ms);
	tell("%s %s", what,
	     ms < from - 10         ? "too early"
	     : ms < from + SLACK_MS ? "in time"
				    : "late");
}

/* ---- a time limit ------------------------------------------------------ */

static void run_limit(char **args)
{
	struct stall s = open_stall(args[0]);
	int64_t start;

	set_limit(s.fd, LIMIT_MS);
	for (int i = 0; i < 2; i++) {
		start = now_ns();
		say(s.kind->call(&s), "%s", s.kind->name);
		tell_when(start, LIMIT_MS, "given up");
	}
	s.ended = true;
	tell("late %d", s.kind->release(&s));
}

/* ---- signals ----------------------------------------------------------- */

static volatile int64_t handled_at;
static volatile sig_atomic_t handled;

static void on_signal(int sig)
{
	(void)sig;
	handled++;
	handled_at = now_ns();
}

static void catch_signal(int sig, int flags)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = flags };

	MUST(sigaction(sig, &action, NULL));
}

/* Whether the kernel lists a socket with this inode in the file (proc_pid_net(5)). */
static bool is_listed(const char *path, ino_t inode)
{
	FILE *file = fopen(path, "re");
	char line[512], number[32], *field, *rest;
	bool found = false;

	snprintf(number, sizeof(number), "%ju", (uintmax_t)inode);
	while (file && !found && fgets(line, sizeof(line), file))
		for (rest = line; !found && (field = strsep(&rest, " \n"));)
			found = !strcmp(field, number);
	if (file)
		fclose(file);
	return found;
}

/*
 * Wait for what shows that the call has begun to have an effect, if it has one: a
 * TCP connect that is interrupted goes on behind the caller's back, and the kernel
 * lists the socket; of a send that has room at first something has come out.
 */
static void await_begin(const struct stall *s)
{
	int64_t deadline = deadline_in(SCENARIO_PATIENCE);
	struct stat st;

	if (!s->kind->call)
		MUST(await(s->peer, POLLIN));
	MUST(fstat(s->fd, &st));
	while (s->to.any.sa_family == AF_INET && !is_listed("/proc/self/net/tcp", st.st_ino) &&
	       deadline_left(deadline))
		;
}

/* Beside the thread that blocks: disturbs it, and lets it go on if it is to. */
struct watcher {
	struct stall *stall;
	pid_t tid;
	bool release;
	int returned; /* an eventfd: the call has */
	int64_t sent_at;
	int late;
};

static void disturb(struct watcher *w)
{
	w->sent_at = now_ns();
	MUST(syscall(SYS_tgkill, getpid(), w->tid, SIGUSR1));
}

/*
 * A signal that came before the call had got anywhere restarts it, whatever its
 * limit: from outside nobody can tell, so it is sent again until the call returns.
 */
static void *watch(void *arg)
{
	struct watcher *w = arg;
	struct pollfd returned = { .fd = w->returned, .events = POLLIN };

	MUST(await_blocked(w->tid, w->stall->kind->nr));
	await_begin(w->stall);
	disturb(w);
	if (!w->release) {
		while (!poll(&returned, 1, DISTURB_MS))
			disturb(w);
		return NULL;
	}
	for (int64_t end = deadline_in(SCENARIO_PATIENCE); !handled && deadline_left(end);)
		sched_yield();
	MUST(await_blocked(w->tid, w->stall->kind->nr));
	w->late = w->stall->kind->release(w->stall);
	return NULL;
}

static pthread_t start_watcher(struct watcher *w)
{
	pthread_t thread;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	MUST(-pthread_create(&thread, NULL, watch, w));
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return thread;
}

/* signal KIND restart|interrupt [limit]: what signal(7) says under "Interruption of system calls".
 */
static void run_signal(char **args)
{
	struct stall s = open_stall(args[0]);
	bool restart = !strcmp(args[1], "restart"), limit = args[2];
	struct watcher w = { .stall = &s,
			     .tid = gettid(),
			     .release = restart && !limit,
			     .returned = MUST(eventfd(0, EFD_CLOEXEC)) };
	pthread_t thread;
	long result;

	catch_signal(SIGUSR1, restart ? SA_RESTART : 0);
	if (limit)
		set_limit(s.fd, 4000);
	thread = start_watcher(&w);
	result = s.kind->call(&s);
	eventfd_write(w.returned, 1);
	s.ended = result < 0;
	say(result, "%s", s.kind->name);
	pthread_join(thread, NULL);
	tell("handled %d", handled > 0);
	figure("handler after %.1f ms", (handled_at - w.sent_at) / 1e6);
	if (handled_at - w.sent_at > SLACK_MS * INT64_C(1000000))
		tell("handler late");
	if (!w.release)
		w.late = s.kind->release(&s);
	else if (s.kind->nr != SYS_connect)
		w.late += s.kind->release(&s);
	tell("late %d", w.late);
}

/* In a process of its own, which says how the call ended. */
static pid_t start_blocked(struct stall *s)
{
	pid_t pid;

	fflush(stdout);
	pid = MUST(fork());
	if (!pid) {
		say(s->kind->call(s), "%s", s->kind->name);
		exit(0);
	}
	close(s->fd);
	MUST(await_blocked(pid, s->kind->nr));
	return pid;
}

static void await_end_of(ino_t inode)
{
	int64_t deadline = deadline_in(SCENARIO_PATIENCE);

	while ((is_listed("/proc/self/net/tcp", inode) ||
		is_listed("/proc/self/net/unix", inode)) &&
	       deadline_left(deadline))
		;
	tell("its socket is %s", deadline_left(deadline) ? "gone" : "still there");
}

/* Nothing that the dead began goes on: the descriptor that it was begun with is closed. */
static void run_kill(char **args)
{
	struct stall s = open_stall(args[0]);
	int status = 0, late;
	struct stat st;
	int64_t start;
	pid_t pid;

	MUST(fstat(s.fd, &st));
	pid = start_blocked(&s);
	start = now_ns();
	kill(pid, SIGKILL);
	MUST(waitpid(pid, &status, 0));
	tell_when(start, 0, "dead");
	tell("killed by %d", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	await_end_of(st.st_ino);
	if (s.kind->nr == SYS_connect) {
		close(MUST(accept4(s.peer, NULL, NULL, SOCK_CLOEXEC)));
		say(accept4(s.peer, NULL, NULL, SOCK_CLOEXEC), "somebody else");
		return;
	}
	late = s.kind->release(&s);
	/* Where there is an end, it shows that the last duplicate of the socket is gone. */
	if (strncmp(s.kind->name, "dgram", 5)) {
		char byte;

		say(await(s.peer, POLLIN), "end");
		while (recv(s.peer, &byte, 1, MSG_DONTWAIT) == 1)
			late += byte == 'L';
	}
	tell("late %d", late);
}

static void run_stop(char **args)
{
	struct stall s = open_stall(args[0]);
	pid_t pid = start_blocked(&s);
	int64_t start = now_ns();
	int status = 0, late = 0;

	kill(pid, SIGSTOP);
	MUST(waitpid(pid, &status, WUNTRACED));
	tell_when(start, 0, "stopped");
	tell("stopped %d", WIFSTOPPED(status) ? WSTOPSIG(status) : 0);
	if (s.kind->nr != SYS_connect)
		late = s.kind->release(&s);
	kill(pid, SIGCONT);
	if (s.kind->nr == SYS_connect)
		late = s.kind->release(&s);
	MUST(waitpid(pid, &status, 0));
	tell("exit %d", WEXITSTATUS(status));
	if (s.kind->nr != SYS_connect)
		late += s.kind->release(&s);
	tell("late %d", late);
}

/* ---- partial counts ---------------------------------------------------- */

static void open_empty(const char *name, int fds[2])
{
	if (!strcmp(name, "tcp"))
		open_connection("127.0.0.1", fds);
	else
		MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
}

/* partial tcp|stream restart|interrupt|limit: what was taken counts, and arrives. */
static void run_partial(char **args)
{
	static const struct kind sending = { .name = "sendmsg", .nr = SYS_sendmsg };
	char *bytes = malloc(BIG), *seen = malloc(BIG);
	struct iovec v = { bytes, BIG };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	struct stall s = { .kind = &sending };
	struct watcher w = { .stall = &s,
			     .tid = gettid(),
			     .returned = MUST(eventfd(0, EFD_CLOEXEC)) };
	bool limit = !strcmp(args[1], "limit");
	pthread_t thread = 0;
	int fds[2];
	long n;

	fill(bytes, BIG, 1);
	open_empty(args[0], fds);
	s.fd = fds[0];
	s.peer = fds[1];
	catch_signal(SIGUSR1, !strcmp(args[1], "restart") ? SA_RESTART : 0);
	if (limit)
		set_limit(fds[0], LIMIT_MS);
	else
		thread = start_watcher(&w);
	n = sendmsg(fds[0], &m, 0);
	eventfd_write(w.returned, 1);
	if (!limit)
		pthread_join(thread, NULL);
	figure("%ld of %d", n, BIG);
	if (n < 0)
		say(n, "sendmsg");
	tell("partial %d", n > 0 && n < BIG);
	shutdown(fds[0], SHUT_WR);
	tell("whole %d",
	     recv(fds[1], seen, BIG, MSG_WAITALL) == n && !memcmp(bytes, seen, n > 0 ? n : 0));
	free(bytes);
	free(seen);
}

/* ---- connecting step by step ------------------------------------------- */

static void tell_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	MUST(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len));
	errno = error;
	say(error ? -1 : 0, "SO_ERROR");
}

static void run_steps(char **args)
{
	bool nonblock = !strcmp(args[0], "nonblock");
	struct stall s = open_stall("connect");
	union name other;
	socklen_t len = name_set(&other, "127.0.0.2", 9);

	if (nonblock)
		fcntl(s.fd, F_SETFL, O_NONBLOCK);
	else
		set_limit(s.fd, LIMIT_MS);
	say(call_connect(&s), "first");
	say(call_connect(&s), "second");
	say(connect(s.fd, &other.any, len), "elsewhere");
	say(send(s.fd, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL), "send");
	tell_error(s.fd);
	tell("late %d", accept_late(&s));
	say(await(s.fd, POLLOUT), "writable");
	tell_error(s.fd);
	say(call_connect(&s), "third");
	say(call_connect(&s), "fourth");
	say(connect(s.fd, &other.any, len), "elsewhere");
}

static void run_more_steps(char **args)
{
	static const int flags[] = { 0, SOCK_NONBLOCK };
	union name at, empty, none = { .any.sa_family = AF_UNSPEC };
	socklen_t len, empty_len;
	int listener = open_receiver(SOCK_STREAM, "127.0.0.1", &at, &len);

	(void)args;
	close(open_receiver(SOCK_STREAM, "127.0.0.1", &empty, &empty_len));
	for (int i = 0; i < 2; i++) {
		int fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags[i], 0));
		long result = connect(fd, &at.any, len);

		say(result, "flags %d: connect", !!flags[i]);
		say(await(fd, POLLOUT), "writable");
		tell_error(fd);
		say(connect(fd, &at.any, len), "again");
		say(connect(fd, &at.any, len), "and again");
		say(connect(fd, &none.any, sizeof(none.v4)), "dissolve");
		say(connect(fd, &at.any, len), "anew");
		close(fd);

		fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags[i], 0));
		say(connect(fd, &empty.any, empty_len), "to nobody");
		say(await(fd, POLLOUT), "writable");
		tell_error(fd);
		say(connect(fd, &at.any, len), "then to somebody");
		say(await(fd, POLLOUT), "writable");
		tell_error(fd);
		close(fd);

		fd = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | flags[i], 0));
		say(connect(fd, &at.any, len), "udp");
		say(connect(fd, &empty.any, empty_len), "udp elsewhere");
		say(connect(fd, &none.any, sizeof(none.v4)), "udp dissolve");
		close(fd);
	}
	say(connect(listener, &at.any, len), "a listener");
}

/* epoll(7): what was registered before the connect sees it happen. */
static void run_epoll(char **args)
{
	struct epoll_event event = { .events = EPOLLOUT | EPOLLET };
	int epoll = MUST(epoll_create1(EPOLL_CLOEXEC));
	struct stall s = open_stall("connect");

	(void)args;
	fcntl(s.fd, F_SETFL, O_NONBLOCK);
	MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, s.fd, &event));
	say(epoll_wait(epoll, &event, 1, 0), "unconnected");
	tell("events %#x", event.events);
	say(call_connect(&s), "connect");
	say(epoll_wait(epoll, &event, 1, 0), "connecting");
	tell("late %d", accept_late(&s));
	say(epoll_wait(epoll, &event, 1, SCENARIO_PATIENCE), "connected");
	tell("events %#x", event.events & EPOLLOUT);
	tell_error(s.fd);
}

/* ---- a storm of signals ------------------------------------------------ */

enum { STORM = 3000, STORM_US = 300 };

struct tally {
	int sent, interrupted, strange;
	unsigned char seen[STORM];
};

/* Reads until the sender has closed; numbered datagrams. */
static void *take_all(void *arg)
{
	struct tally *t = ((void **)arg)[0];
	int fd = *(int *)((void **)arg)[1], number;

	while (recv(fd, &number, sizeof(number), 0) == sizeof(number) && number >= 0)
		t->seen[number]++;
	return NULL;
}

static void start_storm(int flags)
{
	struct itimerval often = { { 0, STORM_US }, { 0, STORM_US } };

	catch_signal(SIGALRM, flags);
	MUST(setitimer(ITIMER_REAL, &often, NULL));
}

static void end_storm(const struct tally *t)
{
	struct itimerval never = { 0 };
	int twice = 0, lost = 0;

	MUST(setitimer(ITIMER_REAL, &never, NULL));
	for (int i = 0; i < STORM; i++) {
		twice += t->seen[i] > 1;
		lost += !t->seen[i];
	}
	figure("%d signals, %d calls interrupted", (int)handled, t->interrupted);
	tell("sent %d, twice %d, lost %d, strange %d", t->sent, twice, lost, t->strange);
}

/* Until the call takes it; a caught signal may end the call, and then nothing was sent. */
static void send_through(struct tally *t, int fd, struct msghdr *m)
{
	for (;;) {
		long n = sendmsg(fd, m, 0);

		if (n == sizeof(int)) {
			t->sent++;
			return;
		}
		if (n >= 0 || errno != EINTR) {
			say(n, "sendmsg");
			t->strange++;
			return;
		}
		t->interrupted++;
	}
}

/* storm restart|interrupt: a full queue, so that most calls block. */
static void run_storm(char **args)
{
	struct tally t = { 0 };
	int fds[2], number;
	void *arg[2] = { &t, &fds[1] };
	struct iovec v = { &number, sizeof(number) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	pthread_t thread;
	sigset_t set;

	MUST(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds));
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	MUST(-pthread_create(&thread, NULL, take_all, arg));
	start_storm(!strcmp(args[0], "restart") ? SA_RESTART : 0);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	for (number = 0; number < STORM; number++)
		send_through(&t, fds[0], &m);
	number = -1;
	sigprocmask(SIG_BLOCK, &set, NULL);
	send_through(&t, fds[0], &m);
	t.sent--;
	pthread_join(thread, NULL);
	end_storm(&t);
}

/* The same with a destination; each is looked for before the next is sent. */
static void run_storm_udp(char **args)
{
	struct tally t = { 0 };
	union name to;
	socklen_t len;
	int in = open_receiver(SOCK_DGRAM, "127.0.0.1", &to, &len), number, got;
	int out = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	struct iovec v = { &number, sizeof(number) };
	struct msghdr m = { .msg_name = &to, .msg_namelen = len, .msg_iov = &v, .msg_iovlen = 1 };

	start_storm(!strcmp(args[0], "restart") ? SA_RESTART : 0);
	for (number = 0; number < STORM; number++) {
		send_through(&t, out, &m);
		MUST(await(in, POLLIN));
		while (recv(in, &got, sizeof(got), MSG_DONTWAIT) == sizeof(got))
			t.seen[got]++;
	}
	end_storm(&t);
}

/* ---- the others -------------------------------------------------------- */

enum { STALLED = 8, BUSY = 3000 };

static int by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void be_busy(const char *kind)
{
	static int64_t took[BUSY];
	union name to;
	socklen_t len;
	int in = open_receiver(SOCK_DGRAM, "127.0.0.1", &to, &len), served = 0;
	int out = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	char byte;

	for (int i = 0; i < BUSY; i++) {
		int64_t start = now_ns();

		served += sendto(out, "b", 1, 0, &to.any, len) == 1;
		took[i] = now_ns() - start;
		recv(in, &byte, 1, MSG_DONTWAIT);
	}
	qsort(took, BUSY, sizeof(*took), by_value);
	figure("beside %s: median %.1f us, worst %.1f us", kind, took[BUSY / 2] / 1e3,
	       took[BUSY - 1] / 1e3);
	tell("served %d, worst %s", served,
	     took[BUSY - 1] < 500 * INT64_C(1000000) ? "below half a second" : "too long");
}

/* busy KIND: a task that works beside eight that are stuck; "stopped": beside stopped ones. */
static void run_busy(char **args)
{
	bool stopped = !strcmp(args[0], "stopped");
	pid_t pids[STALLED];

	for (int i = 0; i < STALLED; i++) {
		struct stall s = open_stall(stopped ? "dgram" : args[0]);

		pids[i] = start_blocked(&s);
		if (stopped)
			kill(pids[i], SIGSTOP);
	}
	be_busy(args[0]);
	for (int i = 0; i < STALLED; i++) {
		kill(pids[i], SIGKILL);
		MUST(waitpid(pids[i], NULL, 0));
	}
}

enum { LINGER_S = 8, HELD_UP_MS = 2500 };

struct leaver {
	struct stall *stall;
	pid_t tid; /* that sends */
	int ready; /* a pipe: it is so far */
	atomic_bool closed;
};

static void *close_meanwhile(void *arg)
{
	struct leaver *l = arg;
	union name to;
	socklen_t len;

	open_receiver(SOCK_DGRAM, "127.0.0.1", &to, &len);
	MUST(await_blocked(l->tid, l->stall->kind->nr));
	/* Calls are taken in turn: once this one is answered, the other has been. */
	MUST(sendto(MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), "b", 1, 0, &to.any, len));
	l->closed = true;
	close(l->stall->fd);
	MUST(write(l->ready, "", 1));
	return NULL;
}

/* The socket is closed while it sends: what the call lets go of at its end is the last of it. */
static void send_and_linger(int ready)
{
	struct linger linger = { .l_onoff = 1, .l_linger = LINGER_S };
	struct stall s = open_stall("tcp");
	struct leaver leaver = { .stall = &s, .tid = gettid(), .ready = ready };
	pthread_t thread;

	MUST(setsockopt(s.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	set_limit(s.fd, LIMIT_MS);
	errno = pthread_create(&thread, NULL, close_meanwhile, &leaver);
	MUST(errno ? -1 : 0);
	/* On a busy machine its time may be over before the other has seen it wait. */
	do
		s.kind->call(&s);
	while (!leaver.closed);
	for (;;)
		pause();
}

/* linger: a task that works beside the close of a stream that the peer does not read. */
static void run_linger(char **args)
{
	int64_t worst = 0, deadline;
	union name to;
	socklen_t len;
	int in = open_receiver(SOCK_DGRAM, "127.0.0.1", &to, &len), ready[2];
	int out = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	char byte;
	pid_t pid;

	(void)args;
	MUST(pipe2(ready, O_CLOEXEC));
	pid = MUST(fork());
	if (!pid)
		send_and_linger(ready[1]);
	close(ready[1]);
	MUST(read(ready[0], &byte, 1) == 1 ? 0 : -1);
	for (deadline = deadline_in(LIMIT_MS + SLACK_MS); deadline_left(deadline);) {
		int64_t start = now_ns();

		MUST(sendto(out, "b", 1, 0, &to.any, len));
		if (now_ns() - start > worst)
			worst = now_ns() - start;
		recv(in, &byte, 1, MSG_DONTWAIT);
	}
	figure("beside a close that lingers: worst %.1f ms", (double)worst / 1e6);
	tell("%s", worst < HELD_UP_MS * INT64_C(1000000) ? "served" : "held up");
	kill(pid, SIGKILL);
	MUST(waitpid(pid, NULL, 0));
}

int main(int argc, char **argv)
{
	static const struct scenario scenarios[] = {
		{ "limit", run_limit },
		{ "signal", run_signal },
		{ "kill", run_kill },
		{ "stop", run_stop },
		{ "partial", run_partial },
		{ "steps", run_steps },
		{ "more_steps", run_more_steps },
		{ "epoll", run_epoll },
		{ "storm", run_storm },
		{ "storm_udp", run_storm_udp },
		{ "busy", run_busy },
		{ "linger", run_linger },
		{ 0 },
	};

	return scenario_main(argc, argv, scenarios);
}

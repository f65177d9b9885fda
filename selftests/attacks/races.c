/* SPDX-License-Identifier: MIT */
/*
 * Something changes between the moment a call is judged and the moment it acts.
 * Every shot is harmless by what stands in memory half of the time.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/attacks/attack.h"

/* What both sides of a race see. In memory that a fork shares, for the races of processes. */
static struct board {
	union name to, good, bad;
	socklen_t len;
	struct msghdr header;
	struct iovec vector;
	struct mmsghdr many[2];
	char byte;
	int fd, other; /* the number in question, and one to put there */
	int files[2];
	atomic_bool begun; /* of a child that is to be ended */
} * board;

static void set_board(int type)
{
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	MUST(board == MAP_FAILED ? -1 : 0);
	board->len = allowed_at(&board->good, "127.0.0.1");
	forbidden_at(&board->bad, "127.0.0.1");
	board->to = board->good;
	board->byte = 'r';
	board->vector = (struct iovec){ &board->byte, 1 };
	board->header = (struct msghdr){ .msg_name = &board->to,
					 .msg_namelen = board->len,
					 .msg_iov = &board->vector,
					 .msg_iovlen = 1 };
	board->many[0].msg_hdr = board->many[1].msg_hdr = board->header;
	board->fd = (int)MUST(new_socket(AF_INET, type, 0));
}

static void send_each_way(unsigned turn)
{
	switch (turn % 3) {
	case 0:
		sendto(board->fd, &board->byte, 1, 0, &board->to.any, board->len);
		break;
	case 1:
		sendmsg(board->fd, &board->header, 0);
		break;
	default:
		sendmmsg(board->fd, board->many, 2, 0);
	}
}

/* ---- the address bytes --------------------------------------------------- */

static void flip_port(unsigned turn)
{
	*(volatile in_port_t *)&board->to.v4.sin_port =
		turn & 1 ? board->good.v4.sin_port : board->bad.v4.sin_port;
}

static void run_address(char **args)
{
	(void)args;
	set_board(SOCK_DGRAM);
	race(flip_port, send_each_way);
}

static void connect_new(unsigned turn)
{
	int fd = new_socket(AF_INET, SOCK_STREAM, 0);

	/* Every way to connect. */
	if (turn & 1)
		connect(fd, &board->to.any, board->len);
	else
		sendto(fd, "r", 1, MSG_FASTOPEN, &board->to.any, board->len);
	close(fd);
}

static void run_address_of_connect(char **args)
{
	(void)args;
	set_board(SOCK_DGRAM);
	race(flip_port, connect_new);
}

static void rest(unsigned turn)
{
	(void)turn;
	sched_yield();
}

/* A process that shares nothing but the memory writes: no thread of the caller's. */
static void run_address_by_process(char **args)
{
	pid_t pid;

	(void)args;
	set_board(SOCK_DGRAM);
	pid = (pid_t)MUST(fork());
	if (!pid)
		for (unsigned turn = 0;; turn++)
			flip_port(turn);
	race(rest, send_each_way);
	kill(pid, SIGKILL);
	MUST(waitpid(pid, NULL, 0));
}

/* Another process reaches into the caller's memory: process_vm_writev(2), /proc/PID/mem. */
static void write_from_outside(pid_t pid)
{
	in_port_t ports[2] = { board->good.v4.sin_port, board->bad.v4.sin_port };
	void *at = &board->to.v4.sin_port;
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	for (unsigned turn = 0;; turn++) {
		struct iovec local = { &ports[turn & 1], sizeof(ports[0]) };
		struct iovec remote = { at, sizeof(ports[0]) };

		if (turn & 2)
			process_vm_writev(pid, &local, 1, &remote, 1, 0);
		else if (pwrite(fd, &ports[turn & 1], sizeof(ports[0]), (off_t)(uintptr_t)at) < 0)
			process_vm_writev(pid, &local, 1, &remote, 1, 0);
	}
}

static void run_memory(char **args)
{
	pid_t self = getpid(), pid;

	(void)args;
	set_board(SOCK_DGRAM);
	pid = (pid_t)MUST(fork());
	if (!pid)
		write_from_outside(self);
	race(rest, send_each_way);
	kill(pid, SIGKILL);
	MUST(waitpid(pid, NULL, 0));
}

/* The page itself is replaced. */
static void remap(unsigned turn)
{
	mmap((void *)board->header.msg_name, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
	     board->files[turn & 1], 0);
}

static int file_with(const union name *n)
{
	int fd = (int)MUST(memfd_create("address", MFD_CLOEXEC));

	MUST(ftruncate(fd, 4096));
	MUST(pwrite(fd, n, sizeof(*n), 0));
	return fd;
}

static void send_from_page(unsigned turn)
{
	if (turn & 1)
		sendmsg(board->fd, &board->header, 0);
	else
		sendto(board->fd, "r", 1, 0, board->header.msg_name, board->len);
}

static void run_mapping(char **args)
{
	(void)args;
	set_board(SOCK_DGRAM);
	board->files[0] = file_with(&board->good);
	board->files[1] = file_with(&board->bad);
	board->header.msg_name =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, board->files[0], 0);
	race(remap, send_from_page);
}

/* ---- family, length, pointers -------------------------------------------- */

/* AF_UNSPEC is no address to one look and an address of IPv4 to another. */
static void flip_family(unsigned turn)
{
	static const sa_family_t families[] = { AF_INET, AF_UNSPEC, AF_INET6, AF_UNIX };

	*(volatile sa_family_t *)&board->to.any.sa_family = families[turn & 3];
}

static void run_family(char **args)
{
	(void)args;
	set_board(SOCK_DGRAM);
	board->to = board->bad;
	board->to.any.sa_family = AF_UNIX;
	race(flip_family, send_each_way);
}

/* A connected socket needs no address: with length 0 there is nothing to judge. */
static void flip_length(unsigned turn)
{
	socklen_t len = turn & 1 ? 0 : board->len;

	*(volatile socklen_t *)&board->header.msg_namelen = len;
	*(volatile socklen_t *)&board->many[0].msg_hdr.msg_namelen = len;
	*(volatile socklen_t *)&board->many[1].msg_hdr.msg_namelen = len;
}

static void send_headers(unsigned turn)
{
	if (turn & 1)
		sendmsg(board->fd, &board->header, 0);
	else
		sendmmsg(board->fd, board->many, 2, 0);
}

static void run_length(char **args)
{
	(void)args;
	set_board(SOCK_DGRAM);
	MUST(connect(board->fd, &board->good.any, board->len));
	board->to = board->bad;
	board->header.msg_namelen = 0;
	race(flip_length, send_headers);
}

static void flip_pointer(unsigned turn)
{
	static union name *const null = NULL;
	union name *names[] = { &board->good, &board->bad, null };

	*(void *volatile *)&board->header.msg_name = names[turn % 3];
	*(void *volatile *)&board->many[0].msg_hdr.msg_name = names[turn % 3];
}

static void run_pointer(char **args)
{
	(void)args;
	set_board(SOCK_DGRAM);
	MUST(connect(board->fd, &board->good.any, board->len));
	race(flip_pointer, send_headers);
}

/* The entries of one sendmmsg, the second one while the first is judged. */
static void flip_entry(unsigned turn)
{
	*(void *volatile *)&board->many[turn & 1].msg_hdr.msg_name =
		turn & 2 ? &board->good : &board->bad;
}

static void send_many(unsigned turn)
{
	(void)turn;
	sendmmsg(board->fd, board->many, 2, 0);
}

static void run_entry(char **args)
{
	(void)args;
	set_board(SOCK_DGRAM);
	race(flip_entry, send_many);
}

/*
 * Lengths and bases of the vectors: no decision rests on them, but a buffer that
 * was measured before they grew would overflow, or send what was in it before.
 * The datagrams say "r" to the allowed listener; those that are as long as all
 * of them say who they came from.
 */
static void flip_vector(unsigned turn)
{
	static const size_t lengths[] = { 1, 65000, 0, 600000, 40, 1UL << 40 };

	*(volatile size_t *)&board->vector.iov_len = lengths[turn % 6];
	*(volatile size_t *)&board->header.msg_iovlen = turn % 7 ? 1 : 1024;
	*(volatile size_t *)&board->many[1].msg_hdr.msg_iovlen = turn % 5 ? 1 : 900;
}

static void run_vector(char **args)
{
	char *bytes =
		mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec *vectors = mmap(NULL, 1024 * sizeof(*vectors), PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)args;
	set_board(SOCK_DGRAM);
	memset(bytes, 'r', 1 << 20);
	for (int i = 0; i < 1024; i++)
		vectors[i] = (struct iovec){ bytes, 60 };
	board->vector.iov_base = bytes;
	board->header.msg_iov = board->many[0].msg_hdr.msg_iov = &board->vector;
	board->many[1].msg_hdr.msg_iov = vectors;
	race(flip_vector, send_headers);
}

/* ---- the descriptor's number ----------------------------------------------- */

/*
 * The number is a connected AF_UNIX socket, to which an address means nothing, or
 * a UDP socket.
 */
static void flip_number(unsigned turn)
{
	dup2(board->files[turn & 1], board->fd);
}

static void open_numbers(void)
{
	int pair[2];

	set_board(SOCK_DGRAM);
	MUST(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair));
	board->files[0] = pair[0];
	board->files[1] = (int)MUST(new_socket(AF_INET, SOCK_DGRAM, 0));
	board->to = board->bad;
}

static void run_number(char **args)
{
	(void)args;
	open_numbers();
	race(flip_number, send_each_way);
}

/* Closed and given away again, which leaves a gap. */
static void reopen_number(unsigned turn)
{
	close(board->fd);
	if (turn & 1)
		board->other = new_socket(AF_INET, SOCK_DGRAM, 0);
	else
		board->other = new_socket(AF_UNIX, SOCK_DGRAM, 0);
	if (board->other != board->fd) {
		dup2(board->other, board->fd);
		close(board->other);
	}
}

static void run_reopened(char **args)
{
	(void)args;
	open_numbers();
	race(reopen_number, send_each_way);
}

/* The table is shared with a process, no thread of this one. */
static int flip_number_for_ever(void *arg)
{
	for (unsigned turn = 0;; turn++)
		flip_number(turn);
	return arg != NULL;
}

static void run_shared_table(char **args)
{
	enum { STACK = 65536 };
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	(void)args;
	open_numbers();
	pid = (pid_t)MUST(clone(flip_number_for_ever, stack + STACK, CLONE_FILES | SIGCHLD, NULL));
	race(rest, send_each_way);
	kill(pid, SIGKILL);
	MUST(waitpid(pid, NULL, 0));
}

/* ---- the task itself ------------------------------------------------------- */

/*
 * The caller is killed, or becomes another program, in the middle of its call:
 * what was asked for with the good address must not be done with another's.
 */
static void call_and_die(unsigned turn)
{
	pid_t pid;

	board->begun = false;
	pid = fork();
	if (!pid) {
		for (unsigned i = 0;; i++) {
			board->begun = true;
			send_each_way(i);
		}
	}
	while (pid > 0 && !board->begun)
		sched_yield();
	for (volatile unsigned left = turn * 37 % 3000; left; left--)
		;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void run_killed(char **args)
{
	(void)args;
	set_board(SOCK_DGRAM);
	race(flip_port, call_and_die);
}

static void *send_for_ever(void *arg)
{
	for (unsigned i = 0;; i++) {
		board->begun = true;
		send_each_way(i);
	}
	return arg;
}

static void call_and_exec(unsigned turn)
{
	pid_t pid;
	pthread_t thread;

	board->begun = false;
	pid = fork();
	if (!pid) {
		if (pthread_create(&thread, NULL, send_for_ever, NULL) == 0) {
			while (!board->begun)
				sched_yield();
			for (volatile unsigned left = turn * 37 % 3000; left; left--)
				;
			execl("/bin/true", "true", NULL);
		}
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void run_exec(char **args)
{
	(void)args;
	set_board(SOCK_DGRAM);
	race(flip_port, call_and_exec);
}

/* ---- what a socket already is ----------------------------------------------- */

/*
 * One thread connects the socket to the allowed port, and in vain to the other;
 * writes, which nobody looks at, go wherever it is connected to.
 */
static void reconnect(unsigned turn)
{
	const union name *n = turn & 1 ? &board->good : &board->bad;
	static const struct sockaddr none = { .sa_family = AF_UNSPEC };

	if (turn % 3 == 2)
		connect(board->fd, &none, sizeof(none));
	connect(board->fd, &n->any, board->len);
}

static void write_on(unsigned turn)
{
	struct iovec v = { (char[]){ 'w' }, 1 };

	if (turn & 1)
		(void)!write(board->fd, "w", 1);
	else
		(void)!writev(board->fd, &v, 1);
}

static void run_reconnect(char **args)
{
	(void)args;
	set_board(SOCK_DGRAM);
	race(reconnect, write_on);
}

/* An IPv6 socket becomes one of IPv4 while it is sent to an address that means two things. */
static void reform(unsigned turn)
{
	int family = AF_INET;

	(void)turn;
	setsockopt(board->fd, IPPROTO_IPV6, IPV6_ADDRFORM, &family, sizeof(family));
}

static void send_while_reformed(unsigned turn)
{
	union name mapped;
	socklen_t len = allowed_at(&mapped, "::ffff:127.0.0.1");
	int fd = new_socket(AF_INET6, SOCK_DGRAM, 0);

	connect(fd, &mapped.any, len);
	board->to.any.sa_family = turn & 1 ? AF_UNSPEC : AF_INET;
	dup2(fd, board->fd);
	close(fd);
	for (unsigned i = 0; i < 3; i++)
		send_each_way(i);
}

static void run_reform(char **args)
{
	(void)args;
	set_board(SOCK_DGRAM);
	board->to = board->bad;
	race(reform, send_while_reformed);
}

const struct scenario race_attacks[] = {
	{ "race_address", run_address },
	{ "race_address_of_connect", run_address_of_connect },
	{ "race_address_by_process", run_address_by_process },
	{ "race_memory", run_memory },
	{ "race_mapping", run_mapping },
	{ "race_family", run_family },
	{ "race_length", run_length },
	{ "race_pointer", run_pointer },
	{ "race_entry", run_entry },
	{ "race_vector", run_vector },
	{ "race_number", run_number },
	{ "race_reopened", run_reopened },
	{ "race_shared_table", run_shared_table },
	{ "race_killed", run_killed },
	{ "race_exec", run_exec },
	{ "race_reconnect", run_reconnect },
	{ "race_reform", run_reform },
	{ 0 },
};

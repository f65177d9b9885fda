/* SPDX-License-Identifier: MIT */
/*
 * What runs inside a sandbox whose policy changes: it does what it is told, line
 * by line, and says how that went, and then "done N" behind the Nth line. Up to 64 sockets are
 *numbered from 0.
 *
 *	guest FIFO			take the lines from a named pipe
 *
 *	open tcp|udp ADDRESS PORT	a new socket, connected: "open N 0"
 *	resolve NAME			"resolve ADDRESS", the first one of IPv4
 *	begin ADDRESS PORT		the same for tcp, without waiting
 *	listen ADDRESS PORT		a new listener; "accept N" makes a socket of it
 *	accept N
 *	cork ADDRESS PORT		a new UDP socket, and a first part of a datagram to there
 *	sendto N ADDRESS PORT		5 bytes; they finish what is corked
 *	send N, recv N			5 bytes; recv waits for data or the end
 *	pass N				socket N lies in a socketpair from now on, and nowhere else
 *	take N				and is back
 *	fork				a child has every socket, and this process none
 *	unix PATH			connect to a control socket, ask, and say what it answers
 *	ask FD				the same on a descriptor that is there
 *	many ADDRESS PORT COUNT		so many connects; "many N" says how many succeeded
 *	churn ADDRESS A B		connect to both ports in turn, keep 16 of each, until
 *					there is a line; "churn A B" says how many are still open
 *	storm ADDRESS PORT COUNT	so many children do the same, over tcp and udp, with PORT
 *					and PORT+1, of which the policy allows one at a time,
 *					PORT+2, which it always allows, and PORT+3, which it never
 *					does: "storm FAILED REACHED CALLS", what was refused of
 *					the one and succeeded of the other
 *	parent				"parent PID"
 *	quit
 */
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/lib/scenario.h"

enum { SOCKETS = 64, KEPT = 16 };

static int socks[SOCKETS];
static int count;
static int box[2]; /* of `pass` */
static FILE *lines;

static int keep(int fd)
{
	if (count == SOCKETS)
		errx(SCENARIO_BROKEN, "too many sockets");
	socks[count] = fd;
	return count++;
}

static int connect_to(int type, const char *address, int port)
{
	union name n;
	socklen_t len = name_set(&n, address, (uint16_t)port);
	int fd = (int)MUST(socket(n.any.sa_family, type | SOCK_CLOEXEC, 0));

	if (connect(fd, &n.any, len) && errno != EINPROGRESS) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static void do_resolve(const char *name)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *list;
	int error = getaddrinfo(name, NULL, &hints, &list);
	char text[64];

	if (error) {
		tell("resolve %s", gai_strerror(error));
		return;
	}
	getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST);
	tell("resolve %s", text);
	freeaddrinfo(list);
}

static void do_open(const char *kind, const char *address, int port, int flags)
{
	int fd =
		connect_to((strcmp(kind, "udp") ? SOCK_STREAM : SOCK_DGRAM) | flags, address, port);

	if (fd < 0)
		say(-1, "open");
	else
		say(0, "open %d", keep(fd));
}

static void do_listen(const char *address, int port)
{
	union name n;
	socklen_t len = name_set(&n, address, (uint16_t)port);
	int fd = (int)MUST(socket(n.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
	int on = 1;

	MUST(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	MUST(bind(fd, &n.any, len));
	MUST(listen(fd, 8));
	say(0, "listen %d", keep(fd));
}

static void do_cork(const char *address, int port)
{
	union name n;
	socklen_t len = name_set(&n, address, (uint16_t)port);
	int fd = (int)MUST(socket(n.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	int i = keep(fd);

	say(sendto(fd, "first", 5, MSG_MORE, &n.any, len), "cork %d", i);
}

static void do_sendto(int i, const char *address, int port)
{
	union name n;
	socklen_t len = name_set(&n, address, (uint16_t)port);

	say(sendto(socks[i], "hello", 5, 0, &n.any, len), "sendto %d", i);
}

static void do_recv(int i)
{
	char buf[64];

	if (await(socks[i], POLLIN))
		say(-1, "recv %d", i);
	else
		say(recv(socks[i], buf, sizeof(buf), MSG_DONTWAIT), "recv %d", i);
}

static void do_pass(int i)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	char byte = 'x';
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *h = CMSG_FIRSTHDR(&msg);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &socks[i], sizeof(int));
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, box));
	MUST(sendmsg(box[0], &msg, 0));
	close(socks[i]);
	say(0, "pass %d", i);
}

static void do_take(int i)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	MUST(recvmsg(box[1], &msg, MSG_CMSG_CLOEXEC));
	memcpy(&socks[i], CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	say(0, "take %d", i);
}

/* The child goes on with the lines; this process keeps nothing and waits for it. */
static void do_fork(void)
{
	pid_t pid = (pid_t)MUST(fork());

	if (pid) {
		for (int i = 0; i < count; i++)
			close(socks[i]);
		waitpid(pid, NULL, 0);
		exit(0);
	}
	say(0, "fork");
}

static void do_ask(int fd)
{
	static const char request[] = "{\"v\":1,\"verb\":\"allow\",\"spec\":\"any://*\"}";
	char reply[4096];
	ssize_t n;

	send(fd, request, strlen(request), MSG_NOSIGNAL);
	n = recv(fd, reply, sizeof(reply) - 1, 0);
	reply[n > 0 ? n : 0] = '\0';
	if (n > 0)
		tell("ask %s", reply);
	else
		say(n, "ask");
}

static void do_unix(const char *path)
{
	union name n = { .un = { .sun_family = AF_UNIX } };
	int fd = (int)MUST(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));

	snprintf(n.un.sun_path, sizeof(n.un.sun_path), "%s", path);
	if (connect(fd, &n.any, sizeof(n.un)))
		say(-1, "unix");
	else
		do_ask(fd);
	close(fd);
}

static void do_many(const char *address, int port, int times)
{
	int good = 0;

	for (int i = 0; i < times; i++) {
		int fd = connect_to(SOCK_STREAM, address, port);

		good += fd >= 0;
		if (fd >= 0)
			close(fd);
	}
	tell("many %d", good);
}

/* How many of the connections have not been ended. */
static int still_open(const int *fds)
{
	char byte;
	int n = 0;

	for (int i = 0; i < KEPT; i++)
		if (fds[i] >= 0)
			n += recv(fds[i], &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
	return n;
}

static void do_churn(const char *address, int a, int b)
{
	struct pollfd stop = { .fd = fileno(lines), .events = POLLIN };
	int fds[2][KEPT];

	memset(fds, -1, sizeof(fds));
	tell("churning");
	for (unsigned i = 0; poll(&stop, 1, 0) == 0; i++) {
		int *slot = &fds[i % 2][i / 2 % KEPT];

		if (*slot >= 0)
			close(*slot);
		*slot = connect_to(SOCK_STREAM, address, i % 2 ? b : a);
	}
	tell("churn %d %d", still_open(fds[0]), still_open(fds[1]));
}

struct tally {
	long failed, reached, calls;
};

/* One call of each kind: returns how many of the two succeeded. */
static int touch(int udp, const char *address, int port)
{
	const struct linger reset = { .l_onoff = 1 }; /* else ports run out */
	union name n;
	socklen_t len = name_set(&n, address, (uint16_t)port);
	int fd = connect_to(SOCK_STREAM, address, port);

	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
	}
	return (fd >= 0) + (sendto(udp, "hello", 5, 0, &n.any, len) == 5);
}

static void storm(const char *address, int port, struct tally *t)
{
	struct pollfd stop = { .fd = fileno(lines), .events = POLLIN };
	int udp = (int)MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	int steady = connect_to(SOCK_STREAM, address, port + 2);

	/* A moment between two rounds: every decision is a line of the test's log. */
	while (poll(&stop, 1, 10) == 0) {
		touch(udp, address, port);
		touch(udp, address, port + 1);
		t->failed += 2 - touch(udp, address, port + 2);
		t->failed += send(steady, "hello", 5, MSG_NOSIGNAL) != 5;
		t->reached += touch(udp, address, port + 3);
		t->calls += 9;
	}
}

static void do_storm(const char *address, int port, int children)
{
	struct tally sum = { 0 }, one;
	int ends[2];

	MUST(pipe(ends));
	for (int i = 0; i < children; i++) {
		if (MUST(fork()) == 0) {
			one = (struct tally){ 0 };
			storm(address, port, &one);
			(void)!write(ends[1], &one, sizeof(one));
			_exit(0);
		}
	}
	close(ends[1]);
	tell("storming");
	while (read(ends[0], &one, sizeof(one)) == sizeof(one)) {
		sum.failed += one.failed;
		sum.reached += one.reached;
		sum.calls += one.calls;
	}
	close(ends[0]);
	while (wait(NULL) > 0)
		;
	tell("storm %ld %ld %ld", sum.failed, sum.reached, sum.calls);
}

static bool obey(char *line)
{
	const char *word[5] = { "", "", "", "", "" };
	int n = 0;

	for (char *w = strtok(line, " \n"); w && n < 5; w = strtok(NULL, " \n"))
		word[n++] = w;
	if (!strcmp(word[0], "open"))
		do_open(word[1], word[2], atoi(word[3]), 0);
	else if (!strcmp(word[0], "resolve"))
		do_resolve(word[1]);
	else if (!strcmp(word[0], "begin"))
		do_open("tcp", word[1], atoi(word[2]), SOCK_NONBLOCK);
	else if (!strcmp(word[0], "listen"))
		do_listen(word[1], atoi(word[2]));
	else if (!strcmp(word[0], "accept"))
		say(0, "accept %d",
		    keep((int)MUST(accept4(socks[atoi(word[1])], NULL, NULL, SOCK_CLOEXEC))));
	else if (!strcmp(word[0], "send"))
		say(send(socks[atoi(word[1])], "hello", 5, MSG_NOSIGNAL), "send %s", word[1]);
	else if (!strcmp(word[0], "cork"))
		do_cork(word[1], atoi(word[2]));
	else if (!strcmp(word[0], "sendto"))
		do_sendto(atoi(word[1]), word[2], atoi(word[3]));
	else if (!strcmp(word[0], "recv"))
		do_recv(atoi(word[1]));
	else if (!strcmp(word[0], "pass"))
		do_pass(atoi(word[1]));
	else if (!strcmp(word[0], "take"))
		do_take(atoi(word[1]));
	else if (!strcmp(word[0], "fork"))
		do_fork();
	else if (!strcmp(word[0], "unix"))
		do_unix(word[1]);
	else if (!strcmp(word[0], "ask"))
		do_ask(atoi(word[1]));
	else if (!strcmp(word[0], "many"))
		do_many(word[1], atoi(word[2]), atoi(word[3]));
	else if (!strcmp(word[0], "churn"))
		do_churn(word[1], atoi(word[2]), atoi(word[3]));
	else if (!strcmp(word[0], "storm"))
		do_storm(word[1], atoi(word[2]), atoi(word[3]));
	else if (!strcmp(word[0], "parent"))
		tell("parent %d", getppid());
	else if (!strcmp(word[0], "quit"))
		return false;
	else
		errx(SCENARIO_BROKEN, "unknown line '%s'", word[0]);
	return true;
}

int main(int argc, char **argv)
{
	char line[512];

	if (argc != 2)
		errx(SCENARIO_BROKEN, "usage: guest FIFO");
	lines = fopen(argv[1], "r+e");
	if (!lines)
		err(SCENARIO_BROKEN, "%s", argv[1]);
	/* One line at a time: what is not read can be waited for. */
	setvbuf(lines, NULL, _IONBF, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	tell("done 0");
	for (int i = 1; fgets(line, sizeof(line), lines) && obey(line); i++)
		tell("done %d", i);
	return 0;
}

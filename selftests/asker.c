/* SPDX-License-Identifier: MIT */
/*
 * Asks name servers from inside the sandbox, as programs do and as an attacker
 * would. See lib/scenario.h.
 */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/lib/scenario.h"

static const char resolver[] = "8.8.8.8"; /* nobody is asked there */

static int query_type(const char *text)
{
	return !strcmp(text, "A") ? ns_t_a : !strcmp(text, "TXT") ? ns_t_txt : atoi(text);
}

/* Make a query. Returns its length. */
static int make_query(const char *name, int type, uint8_t *out, int size)
{
	return (int)must(res_mkquery(ns_o_query, name, ns_c_in, type, NULL, 0, NULL, out, size),
			 "res_mkquery");
}

/* What an answer says: its rcode, how many records, and the last four bytes as an address. */
static void tell_answer(const uint8_t *answer, ssize_t len)
{
	char text[INET_ADDRSTRLEN];

	if (len < 12) {
		tell("no answer");
		return;
	}
	tell("rcode %d, %d records, cut %d, last %s", answer[3] & 15, answer[6] << 8 | answer[7],
	     answer[2] >> 1 & 1, inet_ntop(AF_INET, answer + len - 4, text, sizeof(text)));
}

static void receive(int fd)
{
	uint8_t answer[65535];

	if (await(fd, POLLIN))
		say(-1, "answer");
	else
		tell_answer(answer, recv(fd, answer, sizeof(answer), 0));
}

/* What getaddrinfo says to each name. */
static void lookup_all(const char *const *names)
{
	for (; *names; names++) {
		struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
		int error = getaddrinfo(*names, NULL, &hints, &list);
		char text[64];

		if (error) {
			tell("%s: %s", *names, gai_strerror(error));
			continue;
		}
		for (struct addrinfo *a = list; a; a = a->ai_next) {
			getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text), NULL, 0,
				    NI_NUMERICHOST);
			tell("%s: %s", *names, text);
		}
		freeaddrinfo(list);
	}
}

static void lookup(char **names)
{
	lookup_all((const char *const *)names);
}

/* Look a name up and connect to each address, a number of times: "NAME PORT TIMES". */
static void fetch(char **args)
{
	for (int i = atoi(args[2]); i; i--) {
		struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
		int fd;

		if (getaddrinfo(args[0], args[1], &hints, &list)) {
			tell("no such name");
			return;
		}
		fd = (int)MUST(socket(list->ai_family, SOCK_STREAM, 0));
		say(connect(fd, list->ai_addr, list->ai_addrlen), "connect");
		close(fd);
		freeaddrinfo(list);
	}
}

/* "ADDRESS PORT": connect until it is permitted. */
static void insist(char **args)
{
	union name to;
	socklen_t len = name_set(&to, args[0], atoi(args[1]));
	int64_t end = now_ns() + SCENARIO_PATIENCE * INT64_C(1000000);
	int ret, fd;

	do {
		fd = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
		ret = connect(fd, &to.any, len);
		close(fd);
		poll(NULL, 0, 1);
	} while (ret && now_ns() < end);
	say(ret, "connect");
}

/* "NAME TYPE": over a connected datagram socket, an unconnected one, and TCP. */
static void ask(char **args)
{
	uint8_t query[512], framed[514];
	int len = make_query(args[0], query_type(args[1]), query, sizeof(query));
	union name to, from;
	socklen_t to_len = name_set(&to, resolver, 53), from_len = sizeof(from);
	char text[INET_ADDRSTRLEN];
	int fd = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));

	say(connect(fd, &to.any, to_len), "connect");
	say(send(fd, query, len, 0), "send");
	receive(fd);
	MUST(getpeername(fd, &from.any, &from_len));
	tell("peer %s", inet_ntop(AF_INET, &from.v4.sin_addr, text, sizeof(text)));
	close(fd);

	fd = (int)MUST(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
	say(sendto(fd, query, len, 0, &to.any, to_len), "sendto");
	await(fd, POLLIN);
	from_len = sizeof(from);
	MUST(recvfrom(fd, framed, sizeof(framed), MSG_PEEK, &from.any, &from_len));
	tell("answer from %s:%d", inet_ntop(AF_INET, &from.v4.sin_addr, text, sizeof(text)),
	     ntohs(from.v4.sin_port));
	receive(fd);
	tell("flags %d %d", fcntl(fd, F_GETFL) & O_NONBLOCK ? 1 : 0, fcntl(fd, F_GETFD));
	close(fd);

	fd = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	say(connect(fd, &to.any, to_len), "connect");
	framed[0] = len >> 8;
	framed[1] = len;
	memcpy(framed + 2, query, len);
	say(send(fd, framed, len + 2, 0), "send");
	MUST(await(fd, POLLIN));
	MUST(recv(fd, framed, 2, MSG_WAITALL));
	receive(fd);
	tell("flags %d %d", fcntl(fd, F_GETFL) & O_NONBLOCK ? 1 : 0, fcntl(fd, F_GETFD));
	close(fd);
}

/* The socket was registered with epoll before it became another one. */
static void in_epoll(char **args)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 0x1122334455667788 };
	uint8_t query[512];
	int len = make_query(args[0], ns_t_a, query, sizeof(query));
	union name to;
	socklen_t to_len = name_set(&to, resolver, 53);
	int fd = (int)MUST(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
	int epoll = (int)MUST(epoll_create1(0));

	MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	say(sendto(fd, query, len, 0, &to.any, to_len), "sendto");
	memset(&event, 0, sizeof(event));
	say(epoll_wait(epoll, &event, 1, SCENARIO_PATIENCE), "events");
	tell("data %llx", (unsigned long long)event.data.u64);
	receive(fd);
	say(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event), "modify");
	say(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL), "delete");
}

/* "ADDRESS PORT": after a query, the same socket is used for another destination. */
static void elsewhere(char **args)
{
	uint8_t query[512];
	int len = make_query("fixed.example.test", ns_t_a, query, sizeof(query));
	union name dns, other;
	socklen_t dns_len = name_set(&dns, resolver, 53);
	socklen_t other_len = name_set(&other, args[0], atoi(args[1]));
	struct iovec iov = { query, len };
	struct mmsghdr both[2] = { 0 };
	int fd = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));

	say(sendto(fd, query, len, 0, &dns.any, dns_len), "to the resolver");
	receive(fd);
	say(sendto(fd, "leak", 4, 0, &other.any, other_len), "elsewhere");
	say(connect(fd, &other.any, other_len), "connect elsewhere");
	say(send(fd, "leak", 4, 0), "send");
	for (int i = 0; i < 2; i++)
		both[i].msg_hdr = (struct msghdr){
			.msg_name = i ? &other : &dns,
			.msg_namelen = i ? other_len : dns_len,
			.msg_iov = &iov,
			.msg_iovlen = 1,
		};
	say(sendmmsg(fd, both, 2, 0), "both");
	close(fd);
	fd = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));
	say(sendmmsg(fd, both, 2, 0), "both with a new socket");
}

/* "ADDRESS PORT": what the duplicates of a replaced socket can do. */
static void duplicate(char **args)
{
	union name dns, other;
	socklen_t dns_len = name_set(&dns, resolver, 53);
	socklen_t other_len = name_set(&other, args[0], atoi(args[1]));
	int fd = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));
	int copy = (int)MUST(dup(fd));
	pid_t child;

	say(connect(fd, &dns.any, dns_len), "connect");
	say(send(copy, "leak", 4, 0), "send by the duplicate");
	say(sendto(copy, "leak", 4, 0, &other.any, other_len), "sendto by the duplicate");
	child = fork();
	if (!child) {
		say(send(copy, "leak", 4, 0), "send in a child");
		say(connect(copy, &other.any, other_len), "connect in a child");
		say(send(copy, "leak", 4, 0), "send in a child");
		_exit(0);
	}
	MUST(waitpid(child, NULL, 0));
	fd = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	copy = (int)MUST(dup(fd));
	say(connect(fd, &dns.any, dns_len), "connect");
	say(send(copy, "leak", 4, MSG_NOSIGNAL), "send by the duplicate");
	say(connect(copy, &other.any, other_len), "connect by the duplicate");
}

/* The mirror is out of reach, although one of its sockets is not. */
static void mirror(char **args)
{
	union name dns, any;
	socklen_t dns_len = name_set(&dns, resolver, 53), any_len = name_set(&any, "0.0.0.0", 53);
	int fd = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));

	(void)args;
	say(connect(fd, &dns.any, dns_len), "connect");
	say(ioctl(fd, SIOCGSKNS), "its namespace");
	fd = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));
	say(sendto(fd, "", 0, 0, &dns.any, dns_len), "sendto");
	say(bind(fd, &any.any, any_len), "bind");
}

/* Each argument is a datagram in hexadecimal digits. */
static void datagrams(char **args)
{
	union name to;
	socklen_t to_len = name_set(&to, resolver, 53);

	for (; *args; args++) {
		int fd = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));
		size_t len = strlen(*args) / 2;
		uint8_t bytes[4096];

		for (size_t i = 0; i < len; i++) {
			char digits[3] = { (*args)[2 * i], (*args)[2 * i + 1], '\0' };

			bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
		}
		MUST(connect(fd, &to.any, to_len));
		say(send(fd, bytes, len, 0), "send");
		/* A query of one's own, which must be answered: what came before has been. */
		{
			uint8_t query[512];

			len = make_query("fixed.example.test", ns_t_a, query, sizeof(query));
			query[0] = query[1] = 0x77;
			MUST(send(fd, query, len, 0));
		}
		for (;;) {
			uint8_t answer[4096];
			ssize_t n;

			MUST(await(fd, POLLIN));
			n = MUST(recv(fd, answer, sizeof(answer), 0));
			if (answer[0] == 0x77 && answer[1] == 0x77)
				break;
			tell("id %02x%02x rcode %d of %s bytes", answer[0], answer[1],
			     answer[3] & 15, n >= 12 ? "enough" : "few");
		}
		close(fd);
	}
}

/* "COUNT": that many queries at once. Some may be lost; whoever asks after them is answered. */
static void flood(char **args)
{
	enum { SOCKETS = 64 };
	int count = atoi(args[0]);
	uint8_t query[512];
	int len = make_query("api.example.test", ns_t_a, query, sizeof(query));
	union name to;
	socklen_t to_len = name_set(&to, resolver, 53);
	int fd[SOCKETS];

	for (int i = 0; i < SOCKETS; i++) {
		fd[i] = (int)MUST(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
		MUST(connect(fd[i], &to.any, to_len));
	}
	for (int i = 0; i < count; i++)
		MUST(send(fd[i % SOCKETS], query, len, 0));
	for (int i = 0; i < SOCKETS; i++)
		MUST(await(fd[i], POLLIN));
	lookup_all((const char *const[]){ "api.example.test", NULL });
}

/* Connect new sockets to the resolver until that fails. */
static void exhaust(char **args)
{
	union name to;
	socklen_t len = name_set(&to, resolver, 53);
	int ret;

	(void)args;
	MUST(connect((int)MUST(socket(AF_INET, SOCK_DGRAM, 0)), &to.any, len));
	tell("ready");
	fflush(stdout);
	do {
		int fd = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));

		ret = connect(fd, &to.any, len);
		close(fd);
	} while (!ret);
	say(ret, "ended");
}

/* "NAME TYPE": one query, so that the server behind can be slow. */
static void question(char **args)
{
	uint8_t query[512];
	int len = make_query(args[0], query_type(args[1]), query, sizeof(query));
	union name to;
	socklen_t to_len = name_set(&to, resolver, 53);
	int fd = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));

	MUST(sendto(fd, query, len, 0, &to.any, to_len));
	receive(fd);
}

/* "NAME": two queries over one connection, cut in pieces where a reader may stumble. */
static void pieces(char **args)
{
	static const size_t ends[] = { 1, 2, 3, 20, 41, 43 };
	uint8_t stream[1024], prefix[2];
	int len = make_query(args[0], ns_t_a, stream + 2, 500);
	size_t size = 2 * (len + 2U), from = 0;
	union name to;
	socklen_t to_len = name_set(&to, resolver, 53);
	int fd = (int)MUST(socket(AF_INET, SOCK_STREAM, 0)), on = 1;

	stream[0] = len >> 8;
	stream[1] = len;
	memcpy(stream + len + 2, stream, len + 2U);
	MUST(connect(fd, &to.any, to_len));
	MUST(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
	for (size_t i = 0; from < size; i++) {
		size_t end = i < sizeof(ends) / sizeof(ends[0]) ? ends[i] : size;

		from += MUST(send(fd, stream + from, end - from, 0));
	}
	for (int i = 0; i < 2; i++) {
		uint8_t answer[1024];

		MUST(recv(fd, prefix, 2, MSG_WAITALL));
		len = prefix[0] << 8 | prefix[1];
		tell_answer(answer, MUST(recv(fd, answer, len, MSG_WAITALL)));
	}
}

static void send_descriptor(int channel, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .head = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec iov = { (char[]){ 'x' }, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };

	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	MUST(sendmsg(channel, &m, 0));
}

static int receive_descriptor(int channel)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	int fd;

	MUST(recvmsg(channel, &m, 0));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

/*
 * "ADDRESS PORT [answer]": a socket on its way to another process while it is replaced, and the one
 * that replaces it.
 */
static void passed(char **args)
{
	uint8_t query[512];
	int len = make_query("fixed.example.test", ns_t_a, query, sizeof(query));
	union name dns, other;
	socklen_t dns_len = name_set(&dns, resolver, 53);
	socklen_t other_len = name_set(&other, args[0], atoi(args[1]));
	int fd = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0)), channel[2];
	pid_t child;

	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, channel));
	send_descriptor(channel[0], fd);
	say(connect(fd, &dns.any, dns_len), "connect");
	send_descriptor(channel[0], fd);
	fflush(stdout);
	child = (pid_t)MUST(fork());
	if (!child) {
		int old = receive_descriptor(channel[1]), new = receive_descriptor(channel[1]);

		say(send(old, "leak", 4, 0), "send by the old one");
		say(sendto(old, "leak", 4, 0, &other.any, other_len), "sendto by the old one");
		say(sendto(new, "leak", 4, 0, &other.any, other_len), "sendto by the new one");
		say(send(new, query, len, 0), "send by the new one");
		exit(0);
	}
	MUST(waitpid(child, NULL, 0));
	if (args[2])
		receive(fd);
}

/* Each argument is the path of a socket of a service that would look names up. */
static void doors(char **paths)
{
	for (; *paths; paths++) {
		struct sockaddr_un to = { .sun_family = AF_UNIX };
		int fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));

		strncpy(to.sun_path, *paths, sizeof(to.sun_path) - 1);
		say(connect(fd, (struct sockaddr *)&to, sizeof(to)), "%s", *paths);
		close(fd);
	}
}

/* clang-format off */
static const struct scenario table[] = {
	{ "lookup", lookup },
	{ "fetch", fetch },
	{ "insist", insist },
	{ "ask", ask },
	{ "epoll", in_epoll },
	{ "elsewhere", elsewhere },
	{ "duplicate", duplicate },
	{ "mirror", mirror },
	{ "datagrams", datagrams },
	{ "flood", flood },
	{ "exhaust", exhaust },
	{ "question", question },
	{ "pieces", pieces },
	{ "passed", passed },
	{ "doors", doors },
	{ NULL, NULL },
};
/* clang-format on */

int main(int argc, char **argv)
{
	return scenario_main(argc, argv, table);
}

/* SPDX-License-Identifier: MIT */
/*
 * AF_UNIX sockets under every kind of name: scenarios for unix_test. Each works
 * in the directory that is its first argument.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "selftests/lib/scenario.h"

static const struct kind {
	const char *name;
	int type;
} kinds[] = {
	{ "stream", SOCK_STREAM },
	{ "dgram", SOCK_DGRAM },
	{ "seqpacket", SOCK_SEQPACKET },
	{ 0 },
};

/* unix(7): a path with its NUL; @ begins an abstract name; "" is for autobind. */
static socklen_t set_name(union name *n, const char *text)
{
	size_t len = strlen(text);

	memset(n, 0, sizeof(*n));
	n->un.sun_family = AF_UNIX;
	memcpy(n->un.sun_path, text, len);
	if (*text == '@')
		n->un.sun_path[0] = '\0';
	return offsetof(struct sockaddr_un, sun_path) + len + (*text != '@' && *text);
}

/* The name as it stands there; the digits of an autobound one are the kernel's choice. */
static void tell_name(const char *what, const union name *n, socklen_t len)
{
	size_t size = len - offsetof(struct sockaddr_un, sun_path);

	if (len <= offsetof(struct sockaddr_un, sun_path))
		tell("%s unnamed %u", what, len);
	else if (!n->un.sun_path[0] && size == 6)
		tell("%s autobound", what);
	else if (!n->un.sun_path[0])
		tell("%s %u @%.*s", what, len, (int)size - 1, n->un.sun_path + 1);
	else
		tell("%s %u %.*s", what, len, (int)size, n->un.sun_path);
}

static void tell_names(int fd)
{
	union name n;
	socklen_t len = sizeof(n);

	if (getsockname(fd, &n.any, &len))
		say(-1, "own");
	else
		tell_name("own", &n, len);
	len = sizeof(n);
	if (getpeername(fd, &n.any, &len))
		say(-1, "peer");
	else
		tell_name("peer", &n, len);
}

static int new_socket(int type)
{
	return MUST(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
}

static void tell_got(int fd)
{
	char bytes[64];
	union name from;
	socklen_t len = sizeof(from);
	ssize_t n = await(fd, POLLIN);

	if (!n)
		n = recvfrom(fd, bytes, sizeof(bytes), 0, &from.any, &len);
	if (n < 0)
		say(n, "got");
	else
		tell("got %zd '%.*s'", n, (int)n, bytes);
	if (n >= 0 && len)
		tell_name("from", &from, len);
}

/* By each call that takes a name. */
static void send_to(int fd, const void *to, socklen_t len, const char *what)
{
	struct iovec v = { (void *)"hello", 5 };
	struct mmsghdr m = { .msg_hdr = { .msg_name = (void *)to,
					  .msg_namelen = len,
					  .msg_iov = &v,
					  .msg_iovlen = 1 } };

	say(sendto(fd, "hello", 5, MSG_NOSIGNAL, to, len), "%s sendto", what);
	say(sendmsg(fd, &m.msg_hdr, MSG_NOSIGNAL), "%s sendmsg", what);
	say(sendmmsg(fd, &m, 1, MSG_NOSIGNAL), "%s sendmmsg", what);
}

static void exchange(const struct kind *k, int server, const union name *to, socklen_t len)
{
	int client = new_socket(k->type), accepted = server;

	if (k->type != SOCK_DGRAM)
		say(listen(server, 4), "listen");
	else
		send_to(client, to, len, "unconnected");
	say(connect(client, &to->any, len), "connect");
	if (k->type != SOCK_DGRAM)
		accepted = MUST(accept4(server, NULL, NULL, SOCK_CLOEXEC));
	tell_names(client);
	tell_names(accepted);
	send_to(client, to, len, "connected");
	send_to(client, NULL, 0, "nameless");
	shutdown(client, SHUT_WR);
	for (int i = 0; i < (k->type == SOCK_DGRAM ? 9 : k->type == SOCK_SEQPACKET ? 6 : 1); i++)
		tell_got(accepted);
	if (accepted != server)
		close(accepted);
	close(client);
}

/* own DIR NAME: as a server under this name, and as a client bound to another of its kind. */
static void run_own(char **args)
{
	union name at;
	socklen_t len;

	MUST(chdir(args[0]));
	for (const struct kind *k = kinds; k->name; k++) {
		int server = new_socket(k->type);

		tell("%s", k->name);
		unlink(args[1]);
		len = set_name(&at, args[1]);
		say(bind(server, &at.any, len), "bind");
		say(bind(server, &at.any, len), "bind again");
		tell_names(server);
		len = sizeof(at);
		MUST(getsockname(server, &at.any, &len));
		exchange(k, server, &at, len);
		close(server);
		/* An abstract name that is nobody's could be the host's. */
		if (!at.un.sun_path[0])
			continue;
		say(connect(new_socket(k->type), &at.any, len), "connect to the dead");
		unlink(args[1]);
		say(connect(new_socket(k->type), &at.any, len), "connect to nothing");
	}
}

/* A client with a name of its own is known by it. */
static void run_named_client(char **args)
{
	static const char *const names[] = { "client", "@sandtop-selftest-client", "" };
	union name at, own;
	socklen_t len;

	MUST(chdir(args[0]));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		int server = new_socket(SOCK_DGRAM), client = new_socket(SOCK_DGRAM);

		unlink("server");
		unlink(names[i]);
		len = set_name(&at, "server");
		say(bind(server, &at.any, len), "bind");
		say(bind(client, &own.any, set_name(&own, names[i])), "bind");
		send_to(client, &at, len, "named");
		for (int n = 0; n < 3; n++)
			tell_got(server);
		close(server);
		close(client);
	}
}

/*
 * A client that asks for credentials is named by the kernel when it connects or sends (unix(7)),
 * and its server answers to that name.
 */
static void run_client_without_a_name(char **args)
{
	int one = 1;

	MUST(chdir(args[0]));
	for (int connects = 0; connects < 2; connects++) {
		int server = new_socket(SOCK_DGRAM), client = new_socket(SOCK_DGRAM);
		union name at, from;
		socklen_t len = set_name(&at, "server"), size = sizeof(from);
		char bytes[8];

		unlink("server");
		say(bind(server, &at.any, len), "bind");
		MUST(setsockopt(client, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)));
		if (connects)
			say(connect(client, &at.any, len), "connect");
		say(sendto(client, "ask", 3, 0, connects ? NULL : &at.any, connects ? 0 : len),
		    "send");
		MUST(await(server, POLLIN));
		MUST(recvfrom(server, bytes, sizeof(bytes), 0, &from.any, &size));
		say(sendto(server, "answer", 6, 0, &from.any, size), "answer");
		say(recv(client, bytes, sizeof(bytes), MSG_DONTWAIT), "recv");
		close(server);
		close(client);
	}
}

/* Other ways to the same socket. */
static void run_own_by_other_ways(char **args)
{
	static const char *const ways[] = { "./own", "sub/../own", "link", "hard", "moved" };
	union name at;
	socklen_t len;
	int server = new_socket(SOCK_STREAM);

	MUST(chdir(args[0]));
	mkdir("sub", 0700);
	for (size_t i = 2; i < 5; i++)
		unlink(ways[i]);
	unlink("own");
	len = set_name(&at, "own");
	say(bind(server, &at.any, len), "bind");
	say(listen(server, 8), "listen");
	MUST(symlink("own", "link"));
	MUST(link("own", "hard"));
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		int client = new_socket(SOCK_STREAM);

		if (i == 4)
			MUST(rename("own", "moved"));
		len = set_name(&at, ways[i]);
		say(connect(client, &at.any, len), "%s", ways[i]);
		tell_names(client);
		close(client);
	}
}

/* Whose /proc/self: the task's, and not that of whoever serves it. */
static void run_own_by_proc(char **args)
{
	static const char *const ways[] = { "/proc/self/cwd/own", "/proc/thread-self/cwd/own",
					    "link/own" };
	union name at;
	socklen_t len;

	MUST(chdir(args[0]));
	unlink("link");
	MUST(symlink("/proc/self/cwd", "link"));
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		int server = new_socket(SOCK_STREAM), client = new_socket(SOCK_STREAM);

		unlink("own");
		len = set_name(&at, ways[i]);
		say(bind(server, &at.any, len), "bind %s", ways[i]);
		tell_names(server);
		tell("here %d", !access("own", F_OK));
		if (listen(server, 8))
			continue;
		say(connect(client, &at.any, len), "connect %s", ways[i]);
		tell_names(client);
	}
}

/* What is wrong stays wrong in the kernel's words. */
static void run_wrong(char **args)
{
	static const char *const missing[] = { "missing",      "missing/below", "file",
					       "file/below",   "sub",           "/no/such/socket",
					       "closed/socket" };
	union name at;
	socklen_t len;
	int server = new_socket(SOCK_STREAM);

	MUST(chdir(args[0]));
	mkdir("sub", 0700);
	close(MUST(open("file", O_CREAT | O_RDWR | O_CLOEXEC, 0600)));
	unlink("stream");
	mkdir("closed", 0700);
	MUST(chmod("closed", 0700));
	unlink("closed/socket");
	say(bind(new_socket(SOCK_STREAM), &at.any, set_name(&at, "closed/socket")), "bind");
	MUST(chmod("closed", 0));
	for (const struct kind *k = kinds; k->name; k++)
		for (size_t i = 0; i < sizeof(missing) / sizeof(*missing); i++) {
			len = set_name(&at, missing[i]);
			say(connect(new_socket(k->type), &at.any, len), "%s %s", k->name,
			    missing[i]);
			send_to(new_socket(k->type), &at, len, missing[i]);
		}
	len = set_name(&at, "stream");
	say(bind(server, &at.any, len), "bind");
	say(connect(new_socket(SOCK_STREAM), &at.any, len), "not listening");
	say(listen(server, 4), "listen");
	say(connect(new_socket(SOCK_DGRAM), &at.any, len), "wrong type");
	say(sendto(new_socket(SOCK_DGRAM), "x", 1, 0, &at.any, len), "wrong type");
	say(bind(new_socket(SOCK_STREAM), &at.any, len), "in use");
	for (socklen_t bad = 0; bad < 4; bad++)
		say(connect(new_socket(SOCK_STREAM), &at.any, bad), "length %u", bad);
	say(connect(new_socket(SOCK_STREAM), &at.any, sizeof(at.un) + 1), "length over");
	say(bind(new_socket(SOCK_STREAM), &at.any, sizeof(at.un) + 1), "length over");
	memset(at.un.sun_path, 'x', sizeof(at.un.sun_path));
	unlink("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	       "xxxxxxxxxxxxxxxxxxxxxxxxx");
	server = new_socket(SOCK_DGRAM);
	say(bind(server, &at.any, sizeof(at.un)), "without a NUL");
	tell_names(server);
	say(connect(new_socket(SOCK_DGRAM), &at.any, sizeof(at.un)), "without a NUL");
	at.any.sa_family = AF_INET;
	say(connect(new_socket(SOCK_STREAM), &at.any, sizeof(at.un)), "wrong family");
	say(bind(new_socket(SOCK_STREAM), &at.any, sizeof(at.un)), "wrong family");
}

static void run_umask(char **args)
{
	static const mode_t masks[] = { 0, 022, 027, 077, 0777 };
	union name at;
	struct stat st;

	MUST(chdir(args[0]));
	for (size_t i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
		unlink("masked");
		umask(masks[i]);
		say(bind(new_socket(SOCK_STREAM), &at.any, set_name(&at, "masked")), "%03o",
		    masks[i]);
		MUST(stat("masked", &st));
		tell("mode %03o, owner %d", st.st_mode & 07777, st.st_uid == geteuid());
	}
}

/* Credentials that name the sender itself; of the answer only what is not a pid. */
static void run_credentials(char **args)
{
	struct ucred own = { getpid(), getuid(), getgid() }, seen = { 0 };
	char control[CMSG_SPACE(sizeof(own))] = "", byte;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	struct cmsghdr *h;
	int one = 1, fds[2];
	socklen_t len;

	(void)args;
	for (const struct kind *k = kinds; k->name; k++) {
		MUST(socketpair(AF_UNIX, k->type | SOCK_CLOEXEC, 0, fds));
		MUST(setsockopt(fds[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)));
		m.msg_control = control;
		m.msg_controllen = sizeof(control);
		h = CMSG_FIRSTHDR(&m);
		*h = (struct cmsghdr){ CMSG_LEN(sizeof(own)), SOL_SOCKET, SCM_CREDENTIALS };
		memcpy(CMSG_DATA(h), &own, sizeof(own));
		say(sendmsg(fds[0], &m, 0), "%s own credentials", k->name);
		say(recvmsg(fds[1], &m, 0), "recvmsg");
		memcpy(&seen, CMSG_DATA(h), sizeof(seen));
		tell("uid %d gid %d", seen.uid == own.uid, seen.gid == own.gid);
		h->cmsg_len = CMSG_LEN(4);
		m.msg_controllen = sizeof(control);
		say(sendmsg(fds[0], &m, 0), "%s cut credentials", k->name);
		h->cmsg_len = CMSG_LEN(sizeof(own));
		own.pid = 999999999;
		memcpy(CMSG_DATA(h), &own, sizeof(own));
		/* ESRCH to root, who may claim to be another that exists; EPERM to the others. */
		if (geteuid())
			say(sendmsg(fds[0], &m, 0), "%s another's", k->name);
		else
			tell("another's %s", sendmsg(fds[0], &m, 0) < 0 ? "refused" : "sent");
		own.pid = getpid();
		len = sizeof(seen);
		MUST(getsockopt(fds[1], SOL_SOCKET, SO_PEERCRED, &seen, &len));
		tell("peer uid %d gid %d", seen.uid == own.uid, seen.gid == own.gid);
		close(fds[0]);
		close(fds[1]);
	}
}

/* Nobody reads what the datagram service gets: each name has one call, so that it has room. */
static void reach(const char *text, int type)
{
	struct iovec v = { (void *)"hello", 5 };
	union name at;
	socklen_t len = set_name(&at, text);
	struct mmsghdr m = {
		.msg_hdr = { .msg_name = &at, .msg_namelen = len, .msg_iov = &v, .msg_iovlen = 1 }
	};
	static int turn;
	int fd = new_socket(type);

	say(connect(fd, &at.any, len), "%s connect", text);
	close(fd);
	if (type != SOCK_DGRAM)
		return;
	fd = new_socket(type);
	if (turn % 3 == 0)
		say(sendto(fd, "hello", 5, 0, &at.any, len), "%s sendto", text);
	else if (turn % 3 == 1)
		say(sendmsg(fd, &m.msg_hdr, 0), "%s sendmsg", text);
	else
		say(sendmmsg(fd, &m, 1, 0), "%s sendmmsg", text);
	close(fd);
	turn++;
}

/* reach DIR ABSTRACT: the sockets that the test made there, by every name there is. */
static void run_reach(char **args)
{
	char path[108], name[64];

	MUST(chdir(args[0]));
	for (const struct kind *k = kinds; k->name; k++) {
		snprintf(name, sizeof(name), "host.%s", k->name);
		snprintf(path, sizeof(path), "%s/%s", args[0], name);
		reach(path, k->type);
		reach(name, k->type);
		unlink("link");
		MUST(symlink(path, "link"));
		reach("link", k->type);
		unlink("hard");
		MUST(link(name, "hard"));
		reach("hard", k->type);
		snprintf(path, sizeof(path), "@%s.%s", args[1], k->name);
		reach(path, k->type);
		/* Over a socket of the sandbox itself, whose path was free until now. */
		unlink("own");
		int own = new_socket(k->type);
		union name at;

		say(bind(own, &at.any, set_name(&at, "own")), "bind");
		if (k->type != SOCK_DGRAM)
			MUST(listen(own, 4));
		say(connect(new_socket(k->type), &at.any, set_name(&at, "own")), "to the own");
		MUST(rename(name, "own"));
		reach("./own", k->type);
		MUST(rename("own", name));
		close(own);
	}
}

int main(int argc, char **argv)
{
	static const struct scenario scenarios[] = {
		{ "own", run_own },
		{ "named_client", run_named_client },
		{ "client_without_a_name", run_client_without_a_name },
		{ "own_by_other_ways", run_own_by_other_ways },
		{ "own_by_proc", run_own_by_proc },
		{ "wrong", run_wrong },
		{ "umask", run_umask },
		{ "credentials", run_credentials },
		{ "reach", run_reach },
		{ 0 },
	};

	return scenario_main(argc, argv, scenarios);
}

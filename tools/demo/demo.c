/* SPDX-License-Identifier: MIT */
/*
 * What sandtop does, shown on loopback and checked from both ends.
 *
 *	demo [SANDTOP]		run the demonstration (default: ./sandtop)
 *	demo client WORD...	what it runs: METHOD PROTO ADDRESS PORT of each attempt
 *
 * One server for each attempt listens on a port of the kernel's choice. The
 * client makes all attempts twice, without sandtop, which proves that every
 * server is there, and under a policy that permits half of them. The table
 * shows what the client was told and whether its server heard of it.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum {
	RUN_MS = 30000,   /* a run that takes longer is stuck */
	ARRIVE_MS = 2000, /* for what the client says it sent */
	ANSWER_MAX = 24,
};

enum run { BARE, SANDBOXED, RUNS };

struct attempt {
	const char *method, *proto, *address;
	bool allowed; /* by the policy */
	int fd;       /* of its server, -1 if this machine lacks the address */
	char port[8];
	char spec[64]; /* as in --net-allow */
	char answer[RUNS][ANSWER_MAX];
	bool arrived[RUNS];
};

#define ATTEMPT(m, p, a, is_allowed)                                                               \
	{                                                                                          \
		.method = m, .proto = p, .address = a, .allowed = is_allowed                       \
	}

static struct attempt attempts[] = {
	ATTEMPT("connect", "tcp", "127.0.0.1", true), ATTEMPT("connect", "tcp", "127.0.0.1", false),
	ATTEMPT("connect", "tcp", "::1", true),       ATTEMPT("connect", "tcp", "::1", false),
	ATTEMPT("sendto", "udp", "127.0.0.1", true),  ATTEMPT("sendto", "udp", "127.0.0.1", false),
	ATTEMPT("sendto", "udp", "::1", true),        ATTEMPT("sendto", "udp", "::1", false),
	ATTEMPT("connect", "udp", "127.0.0.1", true), ATTEMPT("connect", "udp", "127.0.0.1", false),
	ATTEMPT("connect", "udp", "::1", true),       ATTEMPT("connect", "udp", "::1", false),
};

static struct addrinfo *address_of(const char *proto, const char *address, const char *port)
{
	struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = strcmp(proto, "tcp") ? SOCK_DGRAM : SOCK_STREAM,
	}, *info;
	int ret = getaddrinfo(address, port, &hints, &info);

	if (ret)
		errx(1, "%s port %s: %s", address, port, gai_strerror(ret));
	return info;
}

/* The client */

/* Returns 0 or a positive errno. */
static int client_attempt(int fd, const char *method, const struct addrinfo *to)
{
	if (!strcmp(method, "sendto"))
		return sendto(fd, "x", 1, 0, to->ai_addr, to->ai_addrlen) < 0 ? errno : 0;
	if (connect(fd, to->ai_addr, to->ai_addrlen) < 0)
		return errno;
	return send(fd, "x", 1, MSG_NOSIGNAL) < 0 ? errno : 0;
}

static int client(char **words)
{
	struct addrinfo *to;
	int fd, error;

	for (; words[0] && words[1] && words[2] && words[3]; words += 4) {
		to = address_of(words[1], words[2], words[3]);
		fd = socket(to->ai_family, to->ai_socktype | SOCK_CLOEXEC, 0);
		if (fd < 0)
			err(1, "socket");
		error = client_attempt(fd, words[0], to);
		puts(error ? strerrorname_np(error) : "ok");
		close(fd);
		freeaddrinfo(to);
	}
	return 0;
}

/* The servers */

/* Returns whether this machine has the address. */
static bool server_open(struct attempt *a)
{
	struct addrinfo *at = address_of(a->proto, a->address, "0");
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);

	a->fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->fd < 0 && errno == EAFNOSUPPORT)
		goto out;
	if (a->fd < 0)
		err(1, "socket");
	if (bind(a->fd, at->ai_addr, at->ai_addrlen) < 0) {
		if (errno != EADDRNOTAVAIL)
			err(1, "bind to %s", a->address);
		close(a->fd);
		a->fd = -1;
		goto out;
	}
	if (at->ai_socktype == SOCK_STREAM && listen(a->fd, 8) < 0)
		err(1, "listen");
	if (getsockname(a->fd, (struct sockaddr *)&bound, &len) < 0 ||
	    getnameinfo((struct sockaddr *)&bound, len, NULL, 0, a->port, sizeof(a->port),
			NI_NUMERICSERV))
		errx(1, "the port of %s cannot be read", a->address);
	snprintf(a->spec, sizeof(a->spec), strchr(a->address, ':') ? "%s://[%s]:%s" : "%s://%s:%s",
		 a->proto, a->address, a->port);
out:
	freeaddrinfo(at);
	return a->fd >= 0;
}

/* Whether a connection or a datagram reaches the server within `ms`; it is taken. */
static bool server_heard(const struct attempt *a, int ms)
{
	struct pollfd p = { .fd = a->fd, .events = POLLIN };
	char byte;
	int fd;

	if (poll(&p, 1, ms) != 1)
		return false;
	if (strcmp(a->proto, "tcp"))
		return recv(a->fd, &byte, 1, 0) == 1;
	fd = accept4(a->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* The runs */

static pid_t start(char **argv, int *out)
{
	int fds[2];
	pid_t pid;

	fflush(stdout);
	if (pipe2(fds, O_CLOEXEC) < 0)
		err(1, "pipe");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid == 0) {
		if (dup2(fds[1], STDOUT_FILENO) < 0)
			err(127, "dup2");
		execv(argv[0], argv);
		err(127, "%s", argv[0]);
	}
	close(fds[1]);
	*out = fds[0];
	return pid;
}

static int left_ms(const struct timespec *since, int limit)
{
	struct timespec now;
	long ms;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
	return ms < limit ? (int)(limit - ms) : 0;
}

/* Everything the command writes to its standard output, as text. */
static void run(char **argv, char *text, size_t size)
{
	struct timespec since;
	struct pollfd p = { .events = POLLIN };
	size_t len = 0;
	pid_t pid = start(argv, &p.fd);
	ssize_t n = 1;
	int status;

	clock_gettime(CLOCK_MONOTONIC, &since);
	while (n > 0 && len < size - 1) {
		if (poll(&p, 1, left_ms(&since, RUN_MS)) != 1) {
			kill(pid, SIGKILL);
			errx(1, "%s did not end within %d seconds", argv[0], RUN_MS / 1000);
		}
		n = read(p.fd, text + len, size - 1 - len);
		if (n > 0)
			len += (size_t)n;
	}
	text[len] = '\0';
	close(p.fd);
	if (waitpid(pid, &status, 0) < 0)
		err(1, "waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		errx(1, "%s failed (wait status %#x)", argv[0], status);
}

/* The client's words for all attempts, behind `argv` as far as it is filled; ends in NULL. */
static void add_client(char **argv, size_t n, char *self)
{
	static char word[] = "client";
	struct attempt *a;

	argv[n++] = self;
	argv[n++] = word;
	for (a = attempts; a < attempts + ARRAY_SIZE(attempts); a++) {
		if (a->fd < 0)
			continue;
		argv[n++] = (char *)a->method;
		argv[n++] = (char *)a->proto;
		argv[n++] = (char *)a->address;
		argv[n++] = a->port;
	}
	argv[n] = NULL;
}

static void run_client(char **argv, enum run which)
{
	char text[ARRAY_SIZE(attempts) * ANSWER_MAX], *save = NULL, *line;
	struct attempt *a;

	run(argv, text, sizeof(text));
	line = strtok_r(text, "\n", &save);
	for (a = attempts; a < attempts + ARRAY_SIZE(attempts); a++) {
		if (a->fd < 0)
			continue;
		snprintf(a->answer[which], ANSWER_MAX, "%s", line ? line : "nothing");
		a->arrived[which] = server_heard(a, line && !strcmp(line, "ok") ? ARRIVE_MS : 0);
		line = line ? strtok_r(NULL, "\n", &save) : NULL;
	}
}

static void run_all(char *sandtop, char *self)
{
	static char batch[] = "-bv", allow[] = "--net-allow", dashes[] = "--";
	char *argv[4 + 6 * ARRAY_SIZE(attempts) + 3];
	struct attempt *a;
	size_t n = 0;

	add_client(argv, 0, self);
	run_client(argv, BARE);

	argv[n++] = sandtop;
	argv[n++] = batch;
	printf("$ sandtop -bv");
	for (a = attempts; a < attempts + ARRAY_SIZE(attempts); a++) {
		if (a->fd < 0 || !a->allowed)
			continue;
		argv[n++] = allow;
		argv[n++] = a->spec;
		printf(" \\\n    --net-allow %s", a->spec);
	}
	argv[n++] = dashes;
	printf(" \\\n    -- demo client ...\n");
	add_client(argv, n, self);
	run_client(argv, SANDBOXED);
}

/* The table */

static bool as_expected(const struct attempt *a)
{
	if (strcmp(a->answer[BARE], "ok") || !a->arrived[BARE])
		return false;
	return !strcmp(a->answer[SANDBOXED], a->allowed ? "ok" : "ECONNREFUSED") &&
	       a->arrived[SANDBOXED] == a->allowed;
}

/* Returns how many attempts did not end as expected. */
static int print_table(void)
{
	static const char *const heard[] = { "-", "heard" };
	const struct attempt *a;
	int wrong = 0;

	printf("\n%-47s%-20s%s\n", "", "without sandtop", "under sandtop");
	printf("%-36s  %-9s%-13s%-7s%-13s%s\n", "attempt", "policy", "client", "server", "client",
	       "server");
	for (a = attempts; a < attempts + ARRAY_SIZE(attempts); a++) {
		if (a->fd < 0)
			continue;
		printf("%-8s %-27s  %-9s%-13s%-7s%-13s%-7s%s\n", a->method, a->spec,
		       a->allowed ? "allowed" : "denied", a->answer[BARE], heard[a->arrived[BARE]],
		       a->answer[SANDBOXED], heard[a->arrived[SANDBOXED]],
		       as_expected(a) ? "as expected" : "NOT EXPECTED");
		wrong += !as_expected(a);
	}
	return wrong;
}

int main(int argc, char **argv)
{
	static char self[4096], ours[] = "./sandtop";
	struct attempt *a;
	bool complete = true;
	ssize_t n;

	if (argc >= 2 && !strcmp(argv[1], "client"))
		return client(argv + 2);
	if (argc > 2)
		errx(2, "usage: demo [SANDTOP]");

	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		err(1, "/proc/self/exe");
	for (a = attempts; a < attempts + ARRAY_SIZE(attempts); a++)
		complete &= server_open(a);
	if (!complete)
		printf("This machine has no IPv6 loopback address; its attempts are left out.\n");
	run_all(argc == 2 ? argv[1] : ours, self);
	return print_table() ? 1 : 0;
}

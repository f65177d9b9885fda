/* SPDX-License-Identifier: MIT */
/*
 * The program that tests run inside the sandbox. Each operation is one system
 * call, or as few as it takes, and prints one line: its name, then the result or
 * the name of the errno.
 *
 *	probe OPERATION [ARGUMENT...] [, OPERATION [ARGUMENT...]]...
 *
 *	socket DOMAIN TYPE PROTOCOL		names or numbers: inet stream 0
 *	socketpair DOMAIN TYPE PROTOCOL
 *	connect SOCKET ADDRESS PORT		waits for the result if it must
 *	bind SOCKET ADDRESS PORT
 *	listen SOCKET				as it is: unbound if it is new
 *	accept SOCKET
 *	send SOCKET				without an address
 *	sendto SOCKET ADDRESS PORT
 *	sweep SOCKET ADDRESS PORT		sendto to each port from this on; prints how many succeeded
 *	sendmsg SOCKET ADDRESS PORT
 *	sendmmsg SOCKET [ADDRESS PORT]...	a message for each; prints count and lengths
 *	recv SOCKET				prints length and text
 *	getsockname SOCKET, getpeername SOCKET	print address and port
 *	shutdown SOCKET [write], close SOCKET
 *	open PATH				a descriptor that is no socket
 *	descriptor N				an inherited one
 *	syscall NUMBER ARGUMENT...		any call; "fd" is the descriptor
 *	ids					prints uid, gid and effective capabilities
 *	signals					prints "ready", then each signal, until SIGTERM
 *	fork					the operations that follow run in a child
 *	exec					and here in a new image of the probe
 *
 * SOCKET is tcp4, tcp6, udp4, udp6, ping4, ping6, stream or dgram (AF_UNIX): a new one (if it
 * cannot be had, a line says so); tcp, udp or ping: a new one of the address's family; or same:
 * that of the operation before, even if it is closed by now.
 *
 * ADDRESS is IPv4 or IPv6 text, a path, @NAME (abstract), unspec (AF_UNSPEC, all zero),
 * unspec/ADDRESS (that address with the family AF_UNSPEC), null (a null pointer with a length of
 * 16), unmapped (a bad one) or none (null and 0). PORT is 0 where there is none.
 *
 * Anywhere among the arguments of an operation:
 *	nonblock		the new socket does not block
 *	nowait			print EINPROGRESS instead of waiting
 *	fastopen, dontwait, nosignal	flags of a send
 *	upper			garbage in the upper halves of the int arguments
 *	len=N			of the address
 *	data=TEXT, size=N	what is sent: "hello", an echo request on a ping socket
 *	msg=unmapped, iov=unmapped, data=unmapped	bad pointers in a send
 *
 * The exit status is 0 whatever the calls said, and 2 for a usage error.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { USAGE = 2, MESSAGES_MAX = 1024, WORDS_MAX = 2 * MESSAGES_MAX + 2, PATIENCE = 10000 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
};

/* An address as the kernel is to see it; the pointer may be bad on purpose. */
struct target {
	union address storage;
	void *pointer;
	long len;
};

/* One operation and what its arguments say. */
struct operation {
	const char *words[WORDS_MAX]; /* its name and the arguments that have a place */
	int count;
	bool nonblock, nowait, upper;
	int flags;
	const char *len, *data, *size, *msg, *iov; /* NULL: not given */
};

struct named {
	const char *name;
	int value;
};

static const struct named domains[] = {
	{ "unspec", AF_UNSPEC }, { "unix", AF_UNIX },       { "inet", AF_INET },
	{ "inet6", AF_INET6 },   { "netlink", AF_NETLINK }, { "packet", AF_PACKET },
	{ "vsock", AF_VSOCK },   { "alg", AF_ALG },         { 0 },
};

static const struct named types[] = {
	{ "stream", SOCK_STREAM },
	{ "dgram", SOCK_DGRAM },
	{ "raw", SOCK_RAW },
	{ "rdm", SOCK_RDM },
	{ "seqpacket", SOCK_SEQPACKET },
	{ "packet", SOCK_PACKET },
	{ 0 },
};

static const struct named protocols[] = {
	{ "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },
	{ "icmp", IPPROTO_ICMP },
	{ "icmpv6", IPPROTO_ICMPV6 },
	{ "sctp", IPPROTO_SCTP },
	{ "udplite", IPPROTO_UDPLITE },
	{ "mptcp", 262 }, /* linux/in.h; newer than some libcs */
	{ 0 },
};

static const struct named flags[] = {
	{ "fastopen", MSG_FASTOPEN },
	{ "dontwait", MSG_DONTWAIT },
	{ "nosignal", MSG_NOSIGNAL },
	{ 0 },
};

static int current = -1; /* the descriptor of the operation before */

static const struct named *look_up(const struct named *table, const char *name)
{
	for (; table->name; table++)
		if (!strcmp(table->name, name))
			return table;
	return NULL;
}

static long number(const char *text)
{
	char *end;
	long value = strtoul(text, &end, 0);

	if (end == text || *end)
		errx(USAGE, "'%s': expected a number", text);
	return value;
}

static int value_of(const struct named *table, const char *text)
{
	const struct named *entry = look_up(table, text);

	return entry ? entry->value : (int)number(text);
}

/* The n-th word of the operation; 0 is its name. */
static const char *word(const struct operation *op, int n)
{
	if (n >= op->count)
		errx(USAGE, "%s: expected another argument", op->words[0]);
	return op->words[n];
}

/* An int argument: the kernel reads its low half only. */
static long int_arg(const struct operation *op, long value)
{
	return op->upper ? (value & 0xffffffffL) | (long)0xdeadbeef00000000UL : value;
}

static void *unmapped(void)
{
	void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		err(USAGE, "mmap");
	return page;
}

static void set_ip(struct target *t, const char *text, uint16_t port)
{
	if (inet_pton(AF_INET, text, &t->storage.v4.sin_addr) == 1) {
		t->storage.v4.sin_family = AF_INET;
		t->storage.v4.sin_port = htons(port);
		t->len = sizeof(t->storage.v4);
	} else if (inet_pton(AF_INET6, text, &t->storage.v6.sin6_addr) == 1) {
		t->storage.v6.sin6_family = AF_INET6;
		t->storage.v6.sin6_port = htons(port);
		t->len = sizeof(t->storage.v6);
	} else {
		errx(USAGE, "'%s': expected an address", text);
	}
}

/* unix(7): an abstract name begins with a NUL and is as long as the length says. */
static void set_unix(struct target *t, const char *text)
{
	size_t len = strlen(text);

	if (len >= sizeof(t->storage.un.sun_path))
		errx(USAGE, "'%s': expected a shorter path", text);
	t->storage.un.sun_family = AF_UNIX;
	memcpy(t->storage.un.sun_path, text, len + 1);
	t->len = offsetof(struct sockaddr_un, sun_path) + len + (*text == '/');
	if (*text == '@')
		t->storage.un.sun_path[0] = '\0';
}

/* The address in words n and n + 1. */
static void set_target(const struct operation *op, int n, struct target *t)
{
	const char *text = word(op, n);
	uint16_t port = number(word(op, n + 1));

	memset(t, 0, sizeof(*t));
	t->pointer = &t->storage;
	t->len = sizeof(t->storage.v4);
	if (!strcmp(text, "null") || !strcmp(text, "none")) {
		t->pointer = NULL;
		t->len = strcmp(text, "none") ? t->len : 0;
	} else if (!strcmp(text, "unmapped")) {
		t->pointer = unmapped();
	} else if (!strncmp(text, "unspec/", 7)) {
		set_ip(t, text + 7, port);
		t->storage.any.sa_family = AF_UNSPEC;
	} else if (*text == '/' || *text == '@') {
		set_unix(t, text);
	} else if (strcmp(text, "unspec")) {
		set_ip(t, text, port);
	}
	if (op->len)
		t->len = number(op->len);
}

/* A new socket as the first argument asks, or the current one; it becomes the current one. */
static int get_socket(const struct operation *op)
{
	static const struct {
		const char *name;
		int domain, type, protocol;
	} kinds[] = {
		{ "tcp4", AF_INET, SOCK_STREAM, 0 },
		{ "tcp6", AF_INET6, SOCK_STREAM, 0 },
		{ "udp4", AF_INET, SOCK_DGRAM, 0 },
		{ "udp6", AF_INET6, SOCK_DGRAM, 0 },
		{ "ping4", AF_INET, SOCK_DGRAM, IPPROTO_ICMP },
		{ "ping6", AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6 },
		{ "stream", AF_UNIX, SOCK_STREAM, 0 },
		{ "dgram", AF_UNIX, SOCK_DGRAM, 0 },
	};
	const char *name = word(op, 1);
	char full[8];

	if (!strcmp(name, "same"))
		return current;
	if (!strcmp(name, "tcp") || !strcmp(name, "udp") || !strcmp(name, "ping")) {
		snprintf(full, sizeof(full), "%s%c", name, strchr(word(op, 2), ':') ? '6' : '4');
		name = full;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(kinds[i].name, name))
			continue;
		current = socket(kinds[i].domain,
				 kinds[i].type | SOCK_CLOEXEC | (op->nonblock ? SOCK_NONBLOCK : 0),
				 kinds[i].protocol);
		if (current < 0)
			printf("socket %s\n", strerrorname_np(errno));
		return current;
	}
	errx(USAGE, "'%s': expected a socket", name);
}

/* What is to be sent; valid until the next call. */
static struct iovec payload(const struct operation *op, int fd)
{
	static char *bytes;
	int protocol = 0;
	socklen_t len = sizeof(protocol);
	struct iovec data = { .iov_len = op->size ? number(op->size) : 5 };

	if (op->data && !strcmp(op->data, "unmapped")) {
		data.iov_base = unmapped();
		return data;
	}
	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len);
	if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
		data.iov_len = 8;
	if (op->data && !op->size)
		data.iov_len = strlen(op->data);
	free(bytes);
	data.iov_base = bytes = calloc(1, data.iov_len + 1);
	if (!bytes)
		err(USAGE, "calloc");
	/* An echo request: the type, then zeros that the kernel fills in. */
	if (protocol == IPPROTO_ICMP)
		bytes[0] = 8;
	else if (protocol == IPPROTO_ICMPV6)
		bytes[0] = (char)128;
	else if (op->data && !op->size)
		memcpy(bytes, op->data, data.iov_len);
	else
		for (size_t i = 0; i < data.iov_len; i++)
			bytes[i] = "hello"[i % 5];
	return data;
}

static void print_result(const struct operation *op, long result)
{
	if (result < 0)
		printf("%s %s\n", op->words[0], strerrorname_np(errno));
	else
		printf("%s %ld\n", op->words[0], result);
}

/* Wait until `fd` is ready for `events`. Returns 0, or -1 with errno set. */
static int await(int fd, short events)
{
	struct pollfd ready = { .fd = fd, .events = events };
	int count = poll(&ready, 1, PATIENCE);

	if (!count)
		errno = ETIMEDOUT;
	return count > 0 ? 0 : -1;
}

static void do_socket(const struct operation *op)
{
	int type = value_of(types, word(op, 2)) | (op->nonblock ? SOCK_NONBLOCK : 0);

	current = syscall(SYS_socket, int_arg(op, value_of(domains, word(op, 1))),
			  int_arg(op, type | SOCK_CLOEXEC),
			  int_arg(op, value_of(protocols, word(op, 3))));
	/* Which number it got says nothing. */
	print_result(op, current < 0 ? -1 : 0);
}

static void do_socketpair(const struct operation *op)
{
	int fds[2];

	print_result(op, syscall(SYS_socketpair, int_arg(op, value_of(domains, word(op, 1))),
				 int_arg(op, value_of(types, word(op, 2)) | SOCK_CLOEXEC),
				 int_arg(op, value_of(protocols, word(op, 3))), fds));
}

static void do_connect(const struct operation *op)
{
	int fd = get_socket(op), error = 0;
	socklen_t len = sizeof(error);
	struct target t;
	long result;

	set_target(op, 2, &t);
	result = syscall(SYS_connect, int_arg(op, fd), t.pointer, int_arg(op, t.len));
	if (result < 0 && errno == EINPROGRESS && !op->nowait) {
		result = await(fd, POLLOUT);
		if (!result && !getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) && error) {
			errno = error;
			result = -1;
		}
	}
	print_result(op, result);
}

static void do_bind(const struct operation *op)
{
	int fd = get_socket(op);
	struct target t;

	set_target(op, 2, &t);
	print_result(op, syscall(SYS_bind, int_arg(op, fd), t.pointer, int_arg(op, t.len)));
}

static void do_listen(const struct operation *op)
{
	print_result(op, syscall(SYS_listen, int_arg(op, get_socket(op)), int_arg(op, 8)));
}

static void do_accept(const struct operation *op)
{
	int fd = get_socket(op), result = await(fd, POLLIN);

	if (!result)
		result = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (result >= 0)
		current = result;
	print_result(op, result < 0 ? -1 : 0);
}

static void do_send(const struct operation *op)
{
	int fd = get_socket(op);
	struct iovec data = payload(op, fd);

	print_result(op, syscall(SYS_sendto, int_arg(op, fd), data.iov_base, data.iov_len,
				 int_arg(op, op->flags), NULL, 0L));
}

static void do_sendto(const struct operation *op)
{
	int fd = get_socket(op);
	struct iovec data = payload(op, fd);
	struct target t;

	set_target(op, 2, &t);
	print_result(op, syscall(SYS_sendto, int_arg(op, fd), data.iov_base, data.iov_len,
				 int_arg(op, op->flags), t.pointer, int_arg(op, t.len)));
}

static void do_sweep(const struct operation *op)
{
	int fd = get_socket(op), sent = 0;
	struct target t;

	set_target(op, 2, &t);
	for (int port = ntohs(t.storage.v4.sin_port); port <= UINT16_MAX; port++) {
		t.storage.v4.sin_port = htons((uint16_t)port);
		sent += sendto(fd, "", 0, MSG_DONTWAIT, t.pointer, (socklen_t)t.len) == 0;
	}
	print_result(op, sent);
}

static void do_sendmsg(const struct operation *op)
{
	int fd = get_socket(op);
	struct iovec data = payload(op, fd);
	struct msghdr message = { .msg_iov = op->iov ? unmapped() : &data, .msg_iovlen = 1 };
	struct target t;

	set_target(op, 2, &t);
	message.msg_name = t.pointer;
	message.msg_namelen = t.len;
	print_result(op, syscall(SYS_sendmsg, int_arg(op, fd), op->msg ? unmapped() : &message,
				 int_arg(op, op->flags)));
}

static void do_sendmmsg(const struct operation *op)
{
	static struct mmsghdr messages[MESSAGES_MAX];
	static struct target targets[MESSAGES_MAX];
	int fd = get_socket(op), count = (op->count - 2) / 2;
	struct iovec data = payload(op, fd);
	long sent;

	for (int i = 0; i < count; i++) {
		set_target(op, 2 + 2 * i, &targets[i]);
		messages[i].msg_hdr = (struct msghdr){ .msg_name = targets[i].pointer,
						       .msg_namelen = targets[i].len,
						       .msg_iov = op->iov ? unmapped() : &data,
						       .msg_iovlen = 1 };
	}
	sent = syscall(SYS_sendmmsg, int_arg(op, fd), op->msg ? unmapped() : messages,
		       int_arg(op, count), int_arg(op, op->flags));
	if (sent < 0) {
		print_result(op, sent);
		return;
	}
	printf("%s %ld:", op->words[0], sent);
	for (int i = 0; i < sent; i++)
		printf(" %u", messages[i].msg_len);
	putchar('\n');
}

static void do_recv(const struct operation *op)
{
	char text[65536];
	int fd = get_socket(op);
	ssize_t n = await(fd, POLLIN);

	if (!n)
		n = recv(fd, text, sizeof(text), 0);
	if (n < 0)
		print_result(op, n);
	else
		printf("%s %zd %.*s\n", op->words[0], n, (int)n, text);
}

static void print_name(const struct operation *op, int result, const union address *a)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (result < 0) {
		print_result(op, result);
	} else if (a->any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &a->v4.sin_addr, text, sizeof(text));
		printf("%s %s %d\n", op->words[0], text, ntohs(a->v4.sin_port));
	} else if (a->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &a->v6.sin6_addr, text, sizeof(text));
		printf("%s %s %d\n", op->words[0], text, ntohs(a->v6.sin6_port));
	} else if (a->any.sa_family == AF_UNIX) {
		printf("%s %c%s\n", op->words[0], a->un.sun_path[0] ? a->un.sun_path[0] : '@',
		       a->un.sun_path + 1);
	} else {
		printf("%s family %d\n", op->words[0], a->any.sa_family);
	}
}

static void do_getsockname(const struct operation *op)
{
	union address a = { 0 };
	socklen_t len = sizeof(a);

	print_name(op, getsockname(get_socket(op), &a.any, &len), &a);
}

static void do_getpeername(const struct operation *op)
{
	union address a = { 0 };
	socklen_t len = sizeof(a);

	print_name(op, getpeername(get_socket(op), &a.any, &len), &a);
}

static void do_shutdown(const struct operation *op)
{
	bool half = op->count > 2 && !strcmp(op->words[2], "write");

	print_result(op, shutdown(get_socket(op), half ? SHUT_WR : SHUT_RDWR));
}

static void do_close(const struct operation *op)
{
	print_result(op, close(get_socket(op)));
}

static void do_open(const struct operation *op)
{
	current = open(word(op, 1), O_RDWR | O_CLOEXEC);
	print_result(op, current < 0 ? -1 : 0);
}

static void do_descriptor(const struct operation *op)
{
	current = number(word(op, 1));
	print_result(op, fcntl(current, F_GETFD) < 0 ? -1 : 0);
}

static void do_syscall(const struct operation *op)
{
	long args[6] = { 0 };

	for (int i = 0; i < 6 && i + 2 < op->count; i++)
		args[i] = strcmp(op->words[i + 2], "fd") ? number(op->words[i + 2]) : current;
	print_result(op, syscall(number(word(op, 1)), args[0], args[1], args[2], args[3], args[4],
				 args[5]));
}

static void do_ids(const struct operation *op)
{
	char line[256], *caps = NULL;
	FILE *file = fopen("/proc/self/status", "re");

	while (file && !caps && fgets(line, sizeof(line), file))
		if (!strncmp(line, "CapEff:\t", 8))
			caps = line + 8;
	if (file)
		fclose(file);
	printf("%s %d %d %s", op->words[0], getuid(), getgid(), caps ? caps : "?\n");
}

static void do_signals(const struct operation *op)
{
	static const int numbers[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGCONT, SIGTERM
	};
	sigset_t set;
	int got;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaddset(&set, numbers[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	printf("%s ready\n", op->words[0]);
	do {
		got = sigwaitinfo(&set, NULL);
		if (got > 0)
			printf("%s %s\n", op->words[0], sigabbrev_np(got));
	} while (got != SIGTERM);
}

static void do_fork(const struct operation *op)
{
	int status;
	pid_t pid;

	/* Before the child has anything to print. */
	print_result(op, 0);
	pid = fork();
	if (!pid)
		return;
	if (pid < 0)
		err(USAGE, "fork");
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		errx(USAGE, "the child was killed");
	_exit(WEXITSTATUS(status));
}

static const struct {
	const char *name;
	void (*run)(const struct operation *op);
} operations[] = {
	{ "socket", do_socket },
	{ "socketpair", do_socketpair },
	{ "connect", do_connect },
	{ "bind", do_bind },
	{ "listen", do_listen },
	{ "accept", do_accept },
	{ "send", do_send },
	{ "sendto", do_sendto },
	{ "sweep", do_sweep },
	{ "sendmsg", do_sendmsg },
	{ "sendmmsg", do_sendmmsg },
	{ "recv", do_recv },
	{ "getsockname", do_getsockname },
	{ "getpeername", do_getpeername },
	{ "shutdown", do_shutdown },
	{ "close", do_close },
	{ "open", do_open },
	{ "descriptor", do_descriptor },
	{ "syscall", do_syscall },
	{ "ids", do_ids },
	{ "signals", do_signals },
	{ "fork", do_fork },
};

/* Returns whether `text` is "KEY=VALUE" with this key. */
static bool is_setting(const char *text, const char *key, const char **value)
{
	size_t len = strlen(key);

	if (strncmp(text, key, len) || text[len] != '=')
		return false;
	*value = text + len + 1;
	return true;
}

static void add_argument(struct operation *op, const char *text)
{
	const struct named *flag = look_up(flags, text);

	if (flag)
		op->flags |= flag->value;
	else if (!strcmp(text, "nonblock"))
		op->nonblock = true;
	else if (!strcmp(text, "nowait"))
		op->nowait = true;
	else if (!strcmp(text, "upper"))
		op->upper = true;
	else if (!is_setting(text, "len", &op->len) && !is_setting(text, "data", &op->data) &&
		 !is_setting(text, "size", &op->size) && !is_setting(text, "msg", &op->msg) &&
		 !is_setting(text, "iov", &op->iov) && op->count < WORDS_MAX)
		op->words[op->count++] = text;
}

/* The rest in a new image, which gets the current descriptor. Returns only on failure. */
static void do_exec(char **rest)
{
	char *argv[256], fd[16], descriptor[] = "descriptor", comma[] = ",", probe[] = "probe";
	int count = 0;

	argv[count++] = probe;
	if (current >= 0) {
		fcntl(current, F_SETFD, 0);
		snprintf(fd, sizeof(fd), "%d", current);
		argv[count++] = descriptor;
		argv[count++] = fd;
		argv[count++] = comma;
	}
	while (count < 255 && *rest)
		argv[count++] = *rest++;
	argv[count] = NULL;
	execv("/proc/self/exe", argv);
	err(USAGE, "exec");
}

static void run(const struct operation *op)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		if (!strcmp(operations[i].name, op->words[0])) {
			operations[i].run(op);
			return;
		}
	}
	errx(USAGE, "'%s': expected an operation", op->words[0]);
}

int main(int argc, char **argv)
{
	static struct operation op;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++) {
		memset(&op, 0, sizeof(op));
		for (; i < argc && strcmp(argv[i], ","); i++)
			add_argument(&op, argv[i]);
		if (!op.count)
			errx(USAGE, "expected an operation");
		if (!strcmp(op.words[0], "exec"))
			do_exec(argv + i + 1);
		run(&op);
	}
	return 0;
}

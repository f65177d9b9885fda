/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation
 *
 * The calls of a row come in batches: what they need is made ready, the calls
 * are timed together, then what they left is cleared away. So the clock is read
 * twice for each batch and not for each call, what is not of interest is not
 * timed, and one thread suffices: loopback delivers before a send returns. The
 * median over the batches leaves out those that something else interrupted.
 */
#include "tools/bench/call.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	BATCH = CALL_BATCH,
	CONNECTIONS = 16, /* with more at once their cost varies by a fifth between runs */
	DATAGRAM = 64,
	BULK = 65536,
};

struct traffic {
	struct sockaddr_in to;
	int listener, sender, receiver;
	int fd[BATCH];
	int accepted[BATCH];
	char payload[BULK];
};

typedef void call_step(struct traffic *t, int i);

struct call {
	const char *row;
	int calls;    /* in a batch */
	int messages; /* in a call */
	void (*open)(struct traffic *t);
	call_step *before, *timed, *after; /* `timed` alone is a must */
};

long call_check(long ret, const char *what)
{
	if (ret < 0)
		err(1, "%s", what);
	return ret;
}

static void check_size(ssize_t got, size_t want, const char *what)
{
	if ((size_t)call_check(got, what) != want)
		errx(1, "%s: %zd done, %zu expected", what, got, want);
}

int call_socket(int type)
{
	return (int)call_check(socket(AF_INET, type | SOCK_CLOEXEC, 0), "socket");
}

int call_tcp_socket(void)
{
	struct linger reset = { .l_onoff = 1 };
	int fd = call_socket(SOCK_STREAM);

	call_check(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), "SO_LINGER");
	return fd;
}

int call_bound(int type, struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int fd = call_socket(type);

	*addr = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(CALL_ALLOWED),
	};
	call_check(bind(fd, (struct sockaddr *)addr, sizeof(*addr)), "bind to 127.0.0.1");
	call_check(getsockname(fd, (struct sockaddr *)addr, &len), "getsockname");
	return fd;
}

int call_connect(int fd, const struct sockaddr_in *to)
{
	return connect(fd, (const struct sockaddr *)to, sizeof(*to));
}

void call_datagram(int fd, const struct sockaddr_in *to)
{
	static const char payload[DATAGRAM];
	socklen_t len = sizeof(*to);

	call_check(sendto(fd, payload, DATAGRAM, 0, (const struct sockaddr *)to, len), "sendto");
}

void call_drop_one(int listener)
{
	close((int)call_check(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept"));
}

static void open_nothing(struct traffic *t)
{
	(void)t;
}

static void open_denied(struct traffic *t)
{
	/* An empty port: that of a listener, on another address. */
	close(call_bound(SOCK_STREAM, &t->to));
	t->to.sin_addr.s_addr = htonl(CALL_DENIED);
	t->sender = call_tcp_socket();
}

static void open_listener(struct traffic *t)
{
	t->listener = call_bound(SOCK_STREAM, &t->to);
	call_check(listen(t->listener, CONNECTIONS), "listen");
}

static void open_udp(struct traffic *t)
{
	t->receiver = call_bound(SOCK_DGRAM, &t->to);
	t->sender = call_socket(SOCK_DGRAM);
}

static void open_udp_connected(struct traffic *t)
{
	open_udp(t);
	call_check(call_connect(t->sender, &t->to), "connect a UDP socket");
}

static void open_tcp_connected(struct traffic *t)
{
	open_listener(t);
	t->sender = call_tcp_socket();
	call_check(call_connect(t->sender, &t->to), "connect");
	t->receiver = (int)call_check(accept4(t->listener, NULL, NULL, SOCK_CLOEXEC), "accept");
}

static void step_connect_denied(struct traffic *t, int i)
{
	(void)i;
	if (call_connect(t->sender, &t->to) != -1 || errno != ECONNREFUSED)
		errx(1, "connect to 127.0.0.2: not refused");
}

static void step_socket(struct traffic *t, int i)
{
	t->fd[i] = call_tcp_socket();
}

static void step_connect(struct traffic *t, int i)
{
	call_check(call_connect(t->fd[i], &t->to), "connect");
}

static void step_connect_close(struct traffic *t, int i)
{
	step_connect(t, i);
	close(t->fd[i]);
}

static void step_drop(struct traffic *t, int i)
{
	(void)i;
	call_drop_one(t->listener);
}

static void step_socket_connect(struct traffic *t, int i)
{
	step_socket(t, i);
	step_connect(t, i);
}

static void step_accept(struct traffic *t, int i)
{
	t->accepted[i] = (int)call_check(accept4(t->listener, NULL, NULL, SOCK_CLOEXEC), "accept");
}

static void step_close_both(struct traffic *t, int i)
{
	close(t->fd[i]);
	close(t->accepted[i]);
}

static void step_sendto(struct traffic *t, int i)
{
	const struct sockaddr *to = (struct sockaddr *)&t->to;

	(void)i;
	check_size(sendto(t->sender, t->payload, DATAGRAM, 0, to, sizeof(t->to)), DATAGRAM,
		   "sendto");
}

static void step_send(struct traffic *t, int i)
{
	(void)i;
	check_size(send(t->sender, t->payload, DATAGRAM, 0), DATAGRAM, "send");
}

static void step_recv(struct traffic *t, int i)
{
	(void)i;
	check_size(recv(t->receiver, t->payload, DATAGRAM, 0), DATAGRAM, "recv");
}

static void step_write(struct traffic *t, int i)
{
	(void)i;
	check_size(write(t->sender, t->payload, DATAGRAM), DATAGRAM, "write");
}

static void step_read(struct traffic *t, int i)
{
	(void)i;
	check_size(read(t->receiver, t->payload, DATAGRAM), DATAGRAM, "read");
}

static void send_vector(struct traffic *t, size_t len)
{
	struct iovec iov = { .iov_base = t->payload, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	check_size(sendmsg(t->sender, &msg, 0), len, "sendmsg");
}

static void step_sendmsg(struct traffic *t, int i)
{
	(void)i;
	send_vector(t, DATAGRAM);
}

static void step_sendmsg_bulk(struct traffic *t, int i)
{
	(void)i;
	send_vector(t, BULK);
}

static void step_recv_bulk(struct traffic *t, int i)
{
	(void)i;
	check_size(recv(t->receiver, t->payload, BULK, MSG_WAITALL), BULK, "recv");
}

static void step_sendmmsg(struct traffic *t, int i)
{
	struct iovec iov = { .iov_base = t->payload, .iov_len = DATAGRAM };
	struct mmsghdr msg[BATCH];

	(void)i;
	memset(msg, 0, sizeof(msg));
	for (int k = 0; k < BATCH; k++) {
		msg[k].msg_hdr.msg_iov = &iov;
		msg[k].msg_hdr.msg_iovlen = 1;
	}
	check_size(sendmmsg(t->sender, msg, BATCH, 0), BATCH, "sendmmsg");
}

static void step_recv_all(struct traffic *t, int i)
{
	for (int k = 0; k < BATCH; k++)
		step_recv(t, i);
}

static void step_open(struct traffic *t, int i)
{
	t->fd[i] = (int)call_check(open("/dev/null", O_RDONLY | O_CLOEXEC), "open /dev/null");
}

static void step_close(struct traffic *t, int i)
{
	call_check(close(t->fd[i]), "close");
}

static void step_getppid(struct traffic *t, int i)
{
	(void)t;
	(void)i;
	syscall(SYS_getppid);
}

static const struct call calls[] = {
	{ "floor", BATCH, 1, open_nothing, NULL, step_getppid, NULL },
	{ "connect-denied", BATCH, 1, open_denied, NULL, step_connect_denied, NULL },
	{ "connect", CONNECTIONS, 1, open_listener, step_socket, step_connect_close, step_drop },
	{ "accept", CONNECTIONS, 1, open_listener, step_socket_connect, step_accept,
	  step_close_both },
	{ "sendto", BATCH, 1, open_udp, NULL, step_sendto, step_recv },
	{ "send", BATCH, 1, open_udp_connected, NULL, step_send, step_recv },
	{ "recv", BATCH, 1, open_udp_connected, step_send, step_recv, NULL },
	{ "write", BATCH, 1, open_udp_connected, NULL, step_write, step_read },
	{ "read", BATCH, 1, open_udp_connected, step_write, step_read, NULL },
	{ "sendmsg", BATCH, 1, open_udp_connected, NULL, step_sendmsg, step_recv },
	{ "sendmmsg", 1, BATCH, open_udp_connected, NULL, step_sendmmsg, step_recv_all },
	{ "sendmsg-tcp-64k", 1, 1, open_tcp_connected, NULL, step_sendmsg_bulk, step_recv_bulk },
	{ "open", BATCH, 1, open_nothing, NULL, step_open, step_close },
	{ "close", BATCH, 1, open_nothing, step_open, step_close, NULL },
};

static const struct call *find(const char *row)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (!strcmp(calls[i].row, row))
			return &calls[i];
	errx(1, "no call is timed for '%s'", row);
}

static void repeat(call_step *step, struct traffic *t, int n)
{
	for (int i = 0; step && i < n; i++)
		step(t, i);
}

void call_measure(const struct row *row, unsigned count, struct sample *out)
{
	const struct call *c = find(row->name);
	double *cost = calloc(count, sizeof(*cost));
	struct traffic t = { 0 };

	if (!cost)
		err(1, "calloc");
	c->open(&t);
	for (unsigned b = 0; b < count; b++) {
		double start;

		repeat(c->before, &t, c->calls);
		start = sample_now();
		repeat(c->timed, &t, c->calls);
		cost[b] = (sample_now() - start) / (c->calls * c->messages);
		repeat(c->after, &t, c->calls);
	}
	out->value = sample_median(cost, count);
	free(cost);
}

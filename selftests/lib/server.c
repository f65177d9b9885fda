/* SPDX-License-Identifier: MIT */
#include "selftests/lib/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "selftests/harness.h"
#include "selftests/lib/deadline.h"

/* In epoll_event.data, beside the numbers of contacts. */
enum { LISTENER = -1, STOP = -2 };

enum { KNOCK_TIMEOUT = 20000 /* ms: there may be a flood before it */ };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct contact {
	int fd; /* -1 when complete */
	char *data;
	size_t len;
	uint16_t peer_port;
	bool is_knock;
};

struct server {
	int type;
	union address address;
	socklen_t address_len;
	int fd, epoll, stop;
	pthread_t thread;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	struct contact *contacts;
	size_t used;
};

static int set_address(union address *a, socklen_t *len, const char *text, uint16_t port)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, text, &a->v4.sin_addr) == 1) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons(port);
		*len = sizeof(a->v4);
	} else if (inet_pton(AF_INET6, text, &a->v6.sin6_addr) == 1) {
		a->v6.sin6_family = AF_INET6;
		a->v6.sin6_port = htons(port);
		*len = sizeof(a->v6);
	} else {
		return -EINVAL;
	}
	return 0;
}

static uint16_t port_of(const union address *a)
{
	return ntohs(a->any.sa_family == AF_INET ? a->v4.sin_port : a->v6.sin6_port);
}

/* Out of memory in a test's own listener: nothing it says can be relied on. */
static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void watch(struct server *s, int fd, int number)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = number };

	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event))
		abort();
}

/* The lock is held. */
static struct contact *add_contact(struct server *s, int fd, const union address *peer)
{
	struct contact *c;

	s->contacts = must(realloc(s->contacts, (s->used + 1) * sizeof(*s->contacts)));
	c = &s->contacts[s->used++];
	*c = (struct contact){ .fd = fd, .peer_port = port_of(peer) };
	return c;
}

/* The lock is held. */
static void add_data(struct contact *c, const char *data, size_t len)
{
	c->data = must(realloc(c->data, c->len + len + 1));
	memcpy(c->data + c->len, data, len);
	c->len += len;
}

static void take_connection(struct server *s)
{
	union address peer;
	socklen_t len = sizeof(peer);
	int fd = accept4(s->fd, &peer.any, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	pthread_mutex_lock(&s->lock);
	add_contact(s, fd, &peer);
	watch(s, fd, s->used - 1);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static void take_datagram(struct server *s)
{
	char data[65536];
	union address peer;
	socklen_t len = sizeof(peer);
	ssize_t n = recvfrom(s->fd, data, sizeof(data), 0, &peer.any, &len);

	if (n < 0)
		return;
	pthread_mutex_lock(&s->lock);
	add_data(add_contact(s, -1, &peer), data, n);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static void take_data(struct server *s, int number)
{
	struct contact *c;
	char data[65536];
	ssize_t n;

	pthread_mutex_lock(&s->lock);
	c = &s->contacts[number];
	n = recv(c->fd, data, sizeof(data), 0);
	if (n > 0) {
		add_data(c, data, n);
	} else if (!n || (errno != EAGAIN && errno != EINTR)) {
		close(c->fd);
		c->fd = -1;
	}
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static void *serve(void *arg)
{
	struct server *s = arg;
	struct epoll_event event;

	for (;;) {
		if (epoll_wait(s->epoll, &event, 1, -1) != 1)
			continue;
		if (event.data.fd == STOP)
			return NULL;
		if (event.data.fd != LISTENER)
			take_data(s, event.data.fd);
		else if (s->type == SOCK_STREAM)
			take_connection(s);
		else
			take_datagram(s);
	}
}

static int listen_on(struct server *s)
{
	int one = 1, zero = 0;

	s->fd = socket(s->address.any.sa_family, s->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0 || setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		return -errno;
	if (s->address.any.sa_family == AF_INET6)
		setsockopt(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (bind(s->fd, &s->address.any, s->address_len) ||
	    (s->type == SOCK_STREAM && listen(s->fd, SOMAXCONN)) ||
	    getsockname(s->fd, &s->address.any, &s->address_len))
		return -errno;
	return 0;
}

static void free_memory(struct server *s)
{
	for (size_t i = 0; i < s->used; i++) {
		close(s->contacts[i].fd);
		free(s->contacts[i].data);
	}
	close(s->fd);
	close(s->epoll);
	close(s->stop);
	free(s->contacts);
	free(s);
}

struct server *server_new(int type, const char *address, uint16_t port)
{
	struct server *s = must(calloc(1, sizeof(*s)));
	pthread_condattr_t attr;
	int result;

	s->type = type;
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->stop = eventfd(0, EFD_CLOEXEC);
	s->fd = -1;
	result = set_address(&s->address, &s->address_len, address, port);
	if (!result)
		result = listen_on(s);
	if (result)
		goto out_free;
	watch(s, s->fd, LISTENER);
	watch(s, s->stop, STOP);
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attr);
	pthread_condattr_destroy(&attr);
	result = -pthread_create(&s->thread, NULL, serve, s);
	if (!result)
		return s;
out_free:
	free_memory(s);
	errno = -result;
	return NULL;
}

void server_free(struct server *s)
{
	if (!s)
		return;
	eventfd_write(s->stop, 1);
	pthread_join(s->thread, NULL);
	free_memory(s);
}

uint16_t server_port(const struct server *s)
{
	return port_of(&s->address);
}

/* The i-th contact that was not a knock, or NULL. The lock is held. */
static struct contact *find(struct server *s, size_t i)
{
	for (size_t n = 0; n < s->used; n++)
		if (!s->contacts[n].is_knock && !i--)
			return &s->contacts[n];
	return NULL;
}

/* The lock is held. Returns 0 or -ETIMEDOUT. */
static int await_change(struct server *s, int64_t deadline)
{
	struct timespec until = { deadline / 1000, deadline % 1000 * 1000000 };

	return -pthread_cond_timedwait(&s->changed, &s->lock, &until);
}

size_t server_count(struct server *s)
{
	size_t count = 0;

	EXPECT_EQ(0, server_knock(s));
	pthread_mutex_lock(&s->lock);
	while (find(s, count))
		count++;
	pthread_mutex_unlock(&s->lock);
	return count;
}

int server_wait(struct server *s, size_t count, int ms)
{
	int64_t deadline = deadline_in(ms);
	int result = 0;

	pthread_mutex_lock(&s->lock);
	while (!result && count && !find(s, count - 1))
		result = await_change(s, deadline);
	pthread_mutex_unlock(&s->lock);
	return result;
}

ssize_t server_payload(struct server *s, size_t i, char *buf, size_t size, int ms)
{
	int64_t deadline = deadline_in(ms);
	const struct contact *c;
	ssize_t result = 0;
	size_t copied;

	pthread_mutex_lock(&s->lock);
	while ((!(c = find(s, i)) || c->fd >= 0) && !result)
		result = await_change(s, deadline);
	if (!result) {
		copied = c->len < size ? c->len : size - 1;
		memcpy(buf, c->data ? c->data : "", copied);
		buf[copied] = '\0';
		result = c->len;
	}
	pthread_mutex_unlock(&s->lock);
	return result;
}

/* Wait for a contact, not among the `known` first ones, from this port and leave it out of the
 * count. */
static int recognise(struct server *s, size_t known, uint16_t port)
{
	int64_t deadline = deadline_in(KNOCK_TIMEOUT);
	int result = 0;

	pthread_mutex_lock(&s->lock);
	while (!result && (known == s->used || s->contacts[known].peer_port != port)) {
		if (known < s->used)
			known++;
		else
			result = await_change(s, deadline);
	}
	if (!result)
		s->contacts[known].is_knock = true;
	pthread_mutex_unlock(&s->lock);
	return result;
}

/* Whether there are datagrams that have not been noticed; of connections none gets lost. */
static bool has_backlog(const struct server *s)
{
	int size;

	return s->type == SOCK_DGRAM && ioctl(s->fd, FIONREAD, &size) == 0 && size > 0;
}

/* A datagram that finds no room is dropped: wait until there is some. The lock is held. */
static int await_room(struct server *s)
{
	int64_t deadline = deadline_in(KNOCK_TIMEOUT);
	int result = 0;

	while (!result && has_backlog(s))
		result = await_change(s, deadline);
	return result;
}

int server_knock(struct server *s)
{
	union address own;
	socklen_t len = sizeof(own);
	int result, fd = socket(s->address.any.sa_family, s->type | SOCK_CLOEXEC, 0);
	struct in_addr lo = { htonl(INADDR_LOOPBACK) };
	size_t known;

	if (fd < 0)
		return -errno;
	pthread_mutex_lock(&s->lock);
	result = await_room(s);
	known = s->used;
	pthread_mutex_unlock(&s->lock);
	if (result) {
		close(fd);
		return result;
	}
	/* There need not be a route to a group. */
	setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &lo, sizeof(lo));
	if (connect(fd, &s->address.any, s->address_len) || send(fd, "", 1, 0) != 1 ||
	    getsockname(fd, &own.any, &len))
		result = -errno;
	else
		result = recognise(s, known, port_of(&own));
	close(fd);
	return result;
}

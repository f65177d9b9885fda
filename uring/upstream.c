/* SPDX-License-Identifier: MIT */
#include "uring/upstream.h"

#include <arpa/inet.h>
#include <ares.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "core/packet.h"

enum {
	TRY_MS = 2000,
	TRIES = 2,                   /* of each server */
	TICK_NS = 100 * 1000 * 1000, /* how closely limits of time are kept */
};

static const uint64_t patience = 5000000000; /* ns */

/* One query. */
struct flight {
	struct upstream *upstream;
	upstream_fn *fn; /* NULL: nobody waits for it any more */
	void *arg;
	uint64_t deadline; /* CLOCK_MONOTONIC, ns */
	uint16_t id;
	bool used;
};

/* One of c-ares' sockets. */
struct watch {
	struct event event;
	struct upstream *upstream;
	int fd; /* -1: free */
	unsigned mask;
};

struct upstream {
	struct loop *loop;
	ares_channel channel;
	char *servers;           /* as c-ares wants them; NULL means those of the system */
	struct timespec read_at; /* st_mtim of resolv.conf(5) when that was read */
	struct event tick_event;
	struct __kernel_timespec tick;
	unsigned in_flight;
	struct watch watch[UPSTREAM_SOCKETS];
	struct flight flight[UPSTREAM_FLIGHTS];
};

static void watch_ready(struct event *ev, int res);

static void arm_watch(struct watch *w)
{
	if (w->fd >= 0 && w->mask && !event_is_armed(&w->event))
		loop_poll(w->upstream->loop, &w->event, w->fd, w->mask);
}

static void watch_ready(struct event *ev, int res)
{
	struct watch *w = (struct watch *)ev;
	bool readable = res < 0 || (res & (POLLIN | POLLERR | POLLHUP));
	bool writable = res < 0 || (res & (POLLOUT | POLLERR | POLLHUP));
	int fd = w->fd;

	ares_process_fd(w->upstream->channel, readable && (w->mask & POLLIN) ? fd : ARES_SOCKET_BAD,
			writable && (w->mask & POLLOUT) ? fd : ARES_SOCKET_BAD);
	/* It may have become another socket's meanwhile, which has armed it then. */
	arm_watch(w);
}

/* c-ares says what it waits for on a socket, or, with neither, that it is about to close it. */
static void socket_changed(void *data, ares_socket_t fd, int readable, int writable)
{
	struct upstream *u = data;
	unsigned mask = (readable ? POLLIN : 0U) | (writable ? POLLOUT : 0U);
	struct watch *w = NULL;

	for (size_t i = 0; i < UPSTREAM_SOCKETS; i++) {
		if (u->watch[i].fd == fd) {
			w = &u->watch[i];
			break;
		}
		if (u->watch[i].fd < 0 && !w)
			w = &u->watch[i];
	}
	/* More sockets than that: those queries end by their limit of time. */
	if (!w || (w->fd < 0 && !mask))
		return;
	loop_forget(u->loop, &w->event);
	w->fd = mask ? fd : -1;
	w->mask = mask;
	arm_watch(w);
}

static int open_channel(struct upstream *u)
{
	struct ares_options options = {
		.flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
		.ednspsz = PACKET_UDP,
		.timeout = TRY_MS,
		.tries = TRIES,
		.sock_state_cb = socket_changed,
		.sock_state_cb_data = u,
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
		   ARES_OPT_SOCK_STATE_CB;
	struct stat st;

	if (stat("/etc/resolv.conf", &st) == 0)
		u->read_at = st.st_mtim;
	if (ares_init_options(&u->channel, &options, mask) != ARES_SUCCESS)
		return -EIO;
	if (u->servers && ares_set_servers_ports_csv(u->channel, u->servers) != ARES_SUCCESS) {
		ares_destroy(u->channel);
		return -EIO;
	}
	return 0;
}

/* "1.1.1.1:53,[::1]:53", to be freed; NULL for want of memory. */
static char *list_servers(const struct dns_server *servers, size_t n)
{
	char *text = malloc(n * (ADDR_TEXT_MAX + sizeof("[]:65535,")) + 1);
	char addr[ADDR_TEXT_MAX];
	char *to = text;

	for (size_t i = 0; text && i < n; i++)
		to += sprintf(to, servers[i].addr.family == 6 ? "%s[%s]:%u" : "%s%s:%u",
			      i ? "," : "", addr_text(servers[i].addr, addr), servers[i].port);
	return text;
}

static void tick(struct event *ev, int res);

int upstream_new(struct loop *loop, const struct dns_server *servers, size_t n,
		 struct upstream **out)
{
	struct upstream *u = calloc(1, sizeof(*u));
	int ret = 0;

	if (!u)
		return -ENOMEM;
	u->loop = loop;
	u->tick_event.fn = tick;
	for (size_t i = 0; i < UPSTREAM_SOCKETS; i++)
		u->watch[i] = (struct watch){ .event.fn = watch_ready, .upstream = u, .fd = -1 };
	if (n) {
		u->servers = list_servers(servers, n);
		ret = u->servers ? 0 : -ENOMEM;
	}
	if (!ret && ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		ret = -EIO;
	if (!ret)
		ret = open_channel(u);
	if (ret) {
		free(u->servers);
		free(u);
		return ret;
	}
	*out = u;
	return 0;
}

void upstream_free(struct upstream *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < UPSTREAM_FLIGHTS; i++)
		u->flight[i].fn = NULL;
	ares_destroy(u->channel);
	ares_library_cleanup();
	loop_forget(u->loop, &u->tick_event);
	free(u->servers);
	free(u);
}

static void land(struct flight *f, uint8_t *answer, size_t len)
{
	upstream_fn *fn = f->fn;

	f->fn = NULL;
	if (fn)
		fn(f->arg, answer, len);
}

static void answered(void *arg, int status, int timeouts, unsigned char *answer, int len)
{
	struct flight *f = arg;

	(void)timeouts;
	f->used = false;
	land(f, status == ARES_SUCCESS ? answer : NULL, (size_t)len);
	/* Only now: what is in flight keeps the channel that has called us. */
	f->upstream->in_flight--;
}

static void arm_tick(struct upstream *u)
{
	if (!u->in_flight || event_is_armed(&u->tick_event))
		return;
	u->tick = (struct __kernel_timespec){ .tv_nsec = TICK_NS };
	loop_timeout(u->loop, &u->tick_event, &u->tick);
}

static void tick(struct event *ev, int res)
{
	struct upstream *u =
		(struct upstream *)((char *)ev - offsetof(struct upstream, tick_event));
	uint64_t now = loop_now();

	(void)res;
	ares_process_fd(u->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	for (size_t i = 0; i < UPSTREAM_FLIGHTS; i++)
		if (u->flight[i].used && u->flight[i].deadline <= now)
			land(&u->flight[i], NULL, 0);
	arm_tick(u);
}

static struct flight *find_free(struct upstream *u)
{
	for (size_t i = 0; i < UPSTREAM_FLIGHTS; i++)
		if (!u->flight[i].used)
			return &u->flight[i];
	return NULL;
}

uint16_t upstream_id(struct upstream *u)
{
	uint16_t id;

again:
	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		id = (uint16_t)loop_now();
	for (size_t i = 0; i < UPSTREAM_FLIGHTS; i++)
		if (u->flight[i].used && u->flight[i].id == id)
			goto again;
	return id;
}

/* A network that has changed, as the C library does. */
static void follow_system(struct upstream *u)
{
	ares_channel before = u->channel;
	struct stat st;

	if (u->in_flight || u->servers || stat("/etc/resolv.conf", &st) ||
	    !memcmp(&st.st_mtim, &u->read_at, sizeof(u->read_at)))
		return;
	if (open_channel(u) == 0)
		ares_destroy(before);
	else
		u->channel = before;
}

int upstream_ask(struct upstream *u, const uint8_t *query, size_t len, upstream_fn *fn, void *arg)
{
	struct flight *f = find_free(u);

	if (!f)
		return -EBUSY;
	follow_system(u);
	*f = (struct flight){
		.upstream = u,
		.fn = fn,
		.arg = arg,
		.deadline = loop_now() + patience,
		.id = (uint16_t)(query[0] << 8 | query[1]),
		.used = true,
	};
	u->in_flight++;
	ares_send(u->channel, query, (int)len, answered, f);
	arm_tick(u);
	return 0;
}

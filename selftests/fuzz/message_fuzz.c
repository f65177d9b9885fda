/* SPDX-License-Identifier: MIT */
/*
 * Everything that reads what a task has in memory, through the functions that the supervisor
 * itself uses: this process is the task. What is to be judged must be what would be acted with.
 *
 *   make SAN=1 build/san/message_fuzz
 *   build/san/message_fuzz -max_len=4096
 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How it makes headers of its own is nobody else's business. */
#define sendmmsg_begin fuzzed_sendmmsg_begin
#include "policy/addr.h"
#include "uring/sendmmsg.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct engine engine;
static struct call call = { .sock = -1, .peer = -1, .stat = -1 };

static void set_up(void)
{
	if (engine.scratch)
		return;
	tasks_init(&engine.tasks);
	engine.scratch = calloc(1, sizeof(*engine.scratch));
	assert(engine.scratch);
	call.n.tid = getpid();
}

/* ---- addresses ------------------------------------------------------------------ */

/* The address that the kernel will see, as policies see it. */
static struct addr acted_on(const struct target *t)
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	if (t->address.ss_family == AF_INET) {
		memcpy(&v4, &t->address, sizeof(v4));
		return addr_from_v4(&v4.sin_addr);
	}
	memcpy(&v6, &t->address, sizeof(v6));
	return addr_from_v6(&v6.sin6_addr);
}

static void check_target(const struct socket_info *info, const struct target *t, int ret)
{
	struct addr seen;

	assert(ret <= 0 && ret > -4096);
	if (ret)
		return;
	assert(t->len <= sizeof(t->address));
	if (t->kind != TARGET_INET)
		return;
	assert(socket_is_inet(info));
	assert(t->address.ss_family == AF_INET || t->address.ss_family == AF_INET6);
	/* A ping to :: goes nowhere, and stays as it is. */
	if (info->kind == SOCKET_PING && t->endpoint.unspecified)
		return;
	seen = acted_on(t);
	assert(seen.family == t->endpoint.addr.family);
	assert(!memcmp(seen.bytes, t->endpoint.addr.bytes, seen.family == 4 ? 4 : 16));
}

static void try_address(uint8_t how, const uint8_t *data, size_t size)
{
	static const struct socket_info kinds[] = {
		{ .domain = AF_INET, .type = SOCK_STREAM, .kind = SOCKET_TCP },
		{ .domain = AF_INET6, .type = SOCK_STREAM, .kind = SOCKET_TCP },
		{ .domain = AF_INET, .type = SOCK_DGRAM, .kind = SOCKET_UDP },
		{ .domain = AF_INET6, .type = SOCK_DGRAM, .kind = SOCKET_UDP },
		{ .domain = AF_INET, .type = SOCK_DGRAM, .kind = SOCKET_PING },
		{ .domain = AF_INET6, .type = SOCK_DGRAM, .kind = SOCKET_PING },
		{ .domain = AF_UNIX, .type = SOCK_DGRAM, .kind = SOCKET_UNIX },
		{ .domain = AF_NETLINK, .type = SOCK_RAW, .kind = SOCKET_NETLINK },
	};
	const struct socket_info *info = &kinds[how % 8];
	struct sockaddr_storage raw = { 0 };
	struct target t;
	size_t len = size < sizeof(raw) ? size : sizeof(raw);

	memcpy(&raw, data, len);
	check_target(info, &t, target_connect(info, -1, &raw, len, &t));
	check_target(info, &t, target_send(info, -1, &raw, len, &t));
	if (info->kind == SOCKET_NETLINK)
		netlink_check_target(&t);
	target_bind(info, &raw, len, &t);
	assert(t.len <= sizeof(t.address));
}

/* ---- control messages and requests --------------------------------------------------- */

/* As the C library walks them, whose macros are not ours. */
static bool has_source_route(uint8_t *control, size_t len)
{
	struct msghdr m = { .msg_control = control, .msg_controllen = len };

	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_len < sizeof(*c) ||
		    c->cmsg_len > len - (size_t)((uint8_t *)c - control))
			return false;
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RETOPTS)
			return true;
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RTHDR)
			return true;
	}
	return false;
}

static void try_control(const uint8_t *data, size_t size)
{
	struct scratch *s = engine.scratch;
	int ret;

	assert(size <= sizeof(s->control));
	memcpy(s->control, data, size);
	ret = message_check_control(s->control, size);
	assert(ret == 0 || ret == -EPERM);
	assert(ret == -EPERM || !has_source_route(s->control, size));
	s->control_len = size;
	ret = unix_rewrite_control(&engine, &call);
	assert(ret <= 0);
	assert(s->control_len <= size && s->control_fds <= SCRATCH_FDS);
	unix_close_control(&engine);
}

/* A request that would change something is found wherever the kernel would find it. */
static bool changes_something(const uint8_t *data, size_t size)
{
	ssize_t len = (ssize_t)size;

	for (const struct nlmsghdr *h = (const struct nlmsghdr *)data; NLMSG_OK(h, len);
	     h = NLMSG_NEXT(h, len))
		if (h->nlmsg_type >= RTM_BASE && ((h->nlmsg_type - RTM_BASE) & 3) != 2)
			return true;
	return false;
}

static void try_request(const uint8_t *data, size_t size)
{
	/* It knows of no network namespace, so that all of them are the one of the host. */
	static const struct engine unaware;
	_Alignas(struct nlmsghdr) uint8_t copy[4096];

	if (size > sizeof(copy))
		return;
	memcpy(copy, data, size);
	assert(netlink_check_payload(&unaware, -1, copy, size) == -EPERM ||
	       !changes_something(copy, size));
}

/* ---- headers ---------------------------------------------------------------------------- */

/* Where a pointer of the input leads: mostly into the input, else wherever it says. */
static void *place(const uint8_t *data, size_t size, uint64_t wild)
{
	if (wild & 1)
		return (void *)(uintptr_t)wild;
	return (void *)(uintptr_t)(data + (wild >> 1) % (size + 1));
}

static void fix_header(struct msghdr *h, const uint8_t *data, size_t size)
{
	h->msg_name = place(data, size, (uintptr_t)h->msg_name);
	h->msg_iov = place(data, size, (uintptr_t)h->msg_iov);
	h->msg_control = place(data, size, (uintptr_t)h->msg_control);
	if (h->msg_iovlen & 1)
		h->msg_iovlen %= 5;
}

static void check_message(const struct message *m)
{
	assert(m->count <= SCRATCH_VECTORS);
	assert(m->total <= 0x7ffff000);
	assert(!m->name ||
	       (m->name_len >= 0 && (size_t)m->name_len <= sizeof(struct sockaddr_storage)));
}

static bool is_input(const void *at, size_t len, const uint8_t *data, size_t size)
{
	const uint8_t *p = at;

	return p >= data && p <= data + size && len <= (size_t)(data + size - p);
}

/* Memory elsewhere in this process changes while it is read. */
static bool is_steady(const struct msghdr *h, const uint8_t *data, size_t size)
{
	return h->msg_iovlen <= SCRATCH_VECTORS &&
	       is_input(h->msg_name, h->msg_namelen, data, size) &&
	       is_input(h->msg_iov, h->msg_iovlen * sizeof(struct iovec), data, size);
}

/* Whatever was guessed, the message is the same. */
static void check_guessed(int ret, const struct message *m, const struct sockaddr_storage *name)
{
	struct guess *g = guess_of(&engine.guesses, call.n.tid);
	struct sockaddr_storage other_name;
	struct message other;
	size_t len = 0;
	ssize_t payload;

	for (int i = 0; i < 3; i++) {
		assert(message_read_first(engine.scratch, g, &call.n, call.n.args[1], &other,
					  &other_name, &len, &payload) == ret);
		if (ret)
			continue;
		assert(other.total == m->total && other.count == m->count);
		assert(other.name == m->name && other.name_len == m->name_len);
		assert(!memcmp(&other_name, name, sizeof(other_name)));
		assert(payload == -EAGAIN || payload == (ssize_t)m->total);
	}
}

static void try_sendmsg(const uint8_t *data, size_t size)
{
	struct guess *g = guess_of(&engine.guesses, call.n.tid);
	struct sockaddr_storage name;
	struct message m;
	struct msghdr h;
	size_t len = 0;
	ssize_t payload = -EAGAIN;
	int ret;

	if (size < sizeof(h))
		return;
	memcpy(&h, data, sizeof(h));
	fix_header(&h, data, size);
	call.n.nr = SYS_sendmsg;
	call.n.args[1] = (uintptr_t)&h;
	/* As it was guessed from the input before, and as it is. */
	message_read_first(engine.scratch, g, &call.n, call.n.args[1], &m, &name, &len, &payload);
	g->tid = 0;
	ret = message_read_first(engine.scratch, g, &call.n, call.n.args[1], &m, &name, &len,
				 &payload);
	if (is_steady(&h, data, size))
		check_guessed(ret, &m, &name);
	if (ret)
		return;
	check_message(&m);
	assert(len <= sizeof(name));
	for (size_t skip = 0; skip <= m.total && skip < 3; skip++)
		assert(message_read_payload(engine.scratch, call.n.tid, &m, skip) <=
		       SCRATCH_PAYLOAD);
	if (message_read_control(engine.scratch, call.n.tid, &m) == 0)
		assert(engine.scratch->control_len <= SCRATCH_CONTROL);
}

static void try_sendto(const uint8_t *data, size_t size)
{
	struct sockaddr_storage name;
	struct message m;
	uint64_t args[4];
	size_t len = 0;
	ssize_t payload = -EAGAIN;

	if (size < sizeof(args))
		return;
	memcpy(args, data, sizeof(args));
	call.n.nr = SYS_sendto;
	call.n.args[1] = (uintptr_t)place(data, size, args[0]);
	call.n.args[2] = args[1];
	call.n.args[4] = args[2] ? (uintptr_t)place(data, size, args[2]) : 0;
	call.n.args[5] = args[3];
	if (message_read_first(engine.scratch, guess_of(&engine.guesses, call.n.tid), &call.n, 0,
			       &m, &name, &len, &payload))
		return;
	check_message(&m);
	assert(len <= sizeof(name) && payload <= SCRATCH_PAYLOAD);
}

/* What a chunk says of itself must fit the buffers that it was read to. */
static void check_chunk(const struct scratch *s, unsigned count)
{
	size_t payload = 0, vectors = 0, control = 0;

	for (unsigned i = 0; i < count; i++) {
		assert((size_t)s->messages[i].name_len <= sizeof(s->names[i]));
		payload += s->messages[i].total;
		vectors += s->messages[i].count;
		control += CMSG_ALIGN(s->messages[i].control_len);
	}
	assert(payload <= SCRATCH_PAYLOAD && vectors <= SCRATCH_VECTORS);
	assert(control <= SCRATCH_CONTROL);
}

/* Once more from the same place: what is guessed then changes nothing. */
static void check_series(unsigned count)
{
	static struct scratch first;

	first = *engine.scratch;
	assert(bulk_read(&engine, &call) == (int)count);
	for (unsigned i = 0; i < count; i++) {
		const struct message *a = &first.messages[i], *b = &engine.scratch->messages[i];

		assert(a->total == b->total && a->count == b->count);
		assert(a->name == b->name && a->name_len == b->name_len);
		assert(!memcmp(&first.names[i], &engine.scratch->names[i], (size_t)a->name_len));
	}
}

static void try_sendmmsg(const uint8_t *data, size_t size)
{
	enum { HEADERS = 16 };
	struct mmsghdr headers[HEADERS];
	size_t count = size / sizeof(headers[0]);
	bool steady = true;
	int n;

	if (count > HEADERS)
		count = HEADERS;
	memcpy(headers, data, count * sizeof(headers[0]));
	for (size_t i = 0; i < count; i++) {
		fix_header(&headers[i].msg_hdr, data, size);
		steady = steady && is_steady(&headers[i].msg_hdr, data, size);
	}
	call.n.nr = SYS_sendmmsg;
	call.n.args[1] = (uintptr_t)headers;
	call.n.args[2] = count;
	if (!count)
		return;
	n = bulk_read(&engine, &call);
	assert(n <= (int)count);
	if (n <= 0)
		return;
	check_chunk(engine.scratch, (unsigned)n);
	if (steady)
		check_series((unsigned)n);
	build_headers(engine.scratch, (unsigned)n);
}

/* The first byte says what the rest is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t how;

	set_up();
	if (size < 1 || size > SCRATCH_CONTROL)
		return 0;
	how = *data++;
	size--;
	switch (how >> 4) {
	case 0:
		try_control(data, size);
		break;
	case 1:
		try_request(data, size);
		break;
	case 2:
		try_sendmsg(data, size);
		break;
	case 3:
		try_sendto(data, size);
		break;
	case 4:
		try_sendmmsg(data, size);
		break;
	default:
		try_address(how, data, size);
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Sends of every shape, and what arrived of them: scenarios for send_test.
 */
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/lib/scenario.h"
#include "selftests/lib/wire.h"

enum { CONTROL_ROOM = 1 << 20 };

enum call { SENDTO, SENDMSG, SENDMMSG, CALLS };

static const char *const call_name[CALLS] = { "sendto", "sendmsg", "sendmmsg" };

/*
 * One message by any of the three calls; sendto() takes the first vector only.
 * Straight to the kernel: a sanitizer would look at what is bad on purpose.
 */
static long transmit(enum call call, int fd, struct msghdr *m, int flags)
{
	struct mmsghdr mm = { .msg_hdr = *m };
	long count;

	if (call == SENDTO)
		return syscall(SYS_sendto, fd, m->msg_iov->iov_base, m->msg_iov->iov_len, flags,
			       m->msg_name, m->msg_namelen);
	if (call == SENDMSG)
		return syscall(SYS_sendmsg, fd, m, flags);
	count = syscall(SYS_sendmmsg, fd, &mm, 1, flags);
	return count == 1 ? (long)mm.msg_len : count;
}

static long transmit_to(enum call call, const struct wire *w, void *bytes, size_t size, int flags)
{
	struct iovec v = { bytes, size };
	struct msghdr m = {
		.msg_name = (void *)&w->to, .msg_namelen = w->len, .msg_iov = &v, .msg_iovlen = 1
	};

	return transmit(call, w->out, &m, flags);
}

/* ---- without a name, with a needless one ------------------------------- */

static void run_connected(char **args)
{
	(void)args;
	for (const struct wire_family *f = wire_families; f->name; f++) {
		struct wire w = wire_open(f, 0), other = wire_open(f, 0);
		struct iovec v = { (void *)"nameless", 8 };
		struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

		for (enum call c = SENDTO; c < CALLS; c++)
			say(transmit(c, w.out, &m, 0), "%s %s unconnected", f->name, call_name[c]);
		say(connect(w.out, &w.to.any, w.len), "%s connect", f->name);
		for (enum call c = SENDTO; c < CALLS; c++)
			say(transmit(c, w.out, &m, 0), "%s %s", f->name, call_name[c]);
		m.msg_name = &other.to;
		m.msg_namelen = other.len;
		for (enum call c = SENDTO; c < CALLS; c++)
			say(transmit(c, w.out, &m, 0), "%s %s elsewhere", f->name, call_name[c]);
		wire_drain(&w);
		wire_drain(&other);
		wire_close(&w);
		wire_close(&other);
	}
}

/* tcp(7) has no use for the name of a connected socket. */
static void run_connected_stream(char **args)
{
	char bytes[64];
	int fds[2];

	(void)args;
	for (const struct wire_family *f = wire_families; f->name; f++) {
		struct iovec v = { (void *)"stream", 6 };
		struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
		union name elsewhere;

		open_connection(f->to, fds);
		for (enum call c = SENDTO; c < CALLS; c++)
			say(transmit(c, fds[0], &m, 0), "%s %s", f->name, call_name[c]);
		m.msg_name = &elsewhere;
		m.msg_namelen = name_set(&elsewhere, f->to, 9);
		for (enum call c = SENDTO; c < CALLS; c++)
			say(transmit(c, fds[0], &m, 0), "%s %s with a name", f->name, call_name[c]);
		tell_got(bytes, recv(fds[1], bytes, 36, MSG_WAITALL));
		close(fds[0]);
		close(fds[1]);
	}
}

/* ---- 1024 messages ----------------------------------------------------- */

enum { MANY = 1024, RECEIVERS = 8, MESSAGE_MAX = 64 };

struct many {
	struct wire wires[RECEIVERS]; /* so many, that nobody's buffer is ever full */
	struct mmsghdr messages[MANY + 1];
	struct iovec vectors[MANY + 1][2];
	char bytes[MANY + 1][MESSAGE_MAX];
};

static size_t many_size(int i)
{
	return 4 + i % (MESSAGE_MAX - 4);
}

static struct many *open_many(const struct wire_family *f)
{
	struct many *m = calloc(1, sizeof(*m));

	if (!m)
		err(SCENARIO_BROKEN, "calloc");
	for (int i = 0; i < RECEIVERS; i++)
		m->wires[i] = wire_open(f, 0);
	for (int i = 0; i <= MANY; i++) {
		struct wire *w = &m->wires[i % RECEIVERS];

		fill(m->bytes[i], MESSAGE_MAX, i);
		memcpy(m->bytes[i], &i, sizeof(i));
		m->vectors[i][0] = (struct iovec){ m->bytes[i], 3 };
		m->vectors[i][1] = (struct iovec){ m->bytes[i] + 3, many_size(i) - 3 };
		m->messages[i].msg_len = 77777;
		m->messages[i].msg_hdr = (struct msghdr){ .msg_name = &w->to,
							  .msg_namelen = w->len,
							  .msg_iov = m->vectors[i],
							  .msg_iovlen = 2 };
	}
	return m;
}

/* Of the `sent` messages: whose length was told, who arrived whole and in order, and who else. */
static void tell_many(struct many *m, int sent)
{
	int lengths = 0, whole = 0, other = 0, untouched = 0;
	char bytes[MESSAGE_MAX + 1];
	ssize_t n;

	for (int i = 0; i <= MANY; i++) {
		lengths += i < sent && m->messages[i].msg_len == many_size(i);
		untouched += i >= sent && m->messages[i].msg_len == 77777;
	}
	for (int i = 0; i < sent; i++) {
		n = await(m->wires[i % RECEIVERS].in, POLLIN);
		if (!n)
			n = recv(m->wires[i % RECEIVERS].in, bytes, sizeof(bytes), 0);
		whole += n == (ssize_t)many_size(i) && !memcmp(bytes, m->bytes[i], n);
	}
	for (int i = 0; i < RECEIVERS; i++)
		while (recv(m->wires[i].in, bytes, sizeof(bytes), MSG_DONTWAIT) >= 0)
			other++;
	tell("lengths %d, whole %d, other %d, untouched %d", lengths, whole, other, untouched);
}

/* Nothing of a header may change but its length. */
static void tell_headers(const struct many *m, const struct mmsghdr *before)
{
	int same = 0;

	for (int i = 0; i < MANY; i++)
		same += !memcmp(&m->messages[i].msg_hdr, &before[i].msg_hdr, sizeof(struct msghdr));
	tell("headers as they were %d", same);
}

static void send_many(void)
{
	for (const struct wire_family *f = wire_families; f->name; f++) {
		struct many *m = open_many(f);
		struct mmsghdr before[MANY];

		memcpy(before, m->messages, sizeof(before));
		say(sendmmsg(m->wires[0].out, m->messages, MANY, 0), "%s 1024", f->name);
		tell_many(m, MANY);
		tell_headers(m, before);
		free(m);
	}
}

static void *do_nothing(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* Alone, and with another thread: the lengths are told in another way. */
static void run_many(char **args)
{
	pthread_t other;

	(void)args;
	send_many();
	if (pthread_create(&other, NULL, do_nothing, NULL))
		err(1, "pthread_create");
	send_many();
}

/* net/socket.c __sys_sendmmsg(): what is over UIO_MAXIOV is left for the next call. */
static void run_too_many(char **args)
{
	struct many *m = open_many(wire_families);

	(void)args;
	say(sendmmsg(m->wires[0].out, m->messages, MANY + 1, 0), "1025");
	tell_many(m, MANY);
	say(sendmmsg(m->wires[0].out, m->messages, 0, 0), "none");
	say(sendmmsg(m->wires[0].out, NULL, 0, 0), "none at all");
}

/* denied ADDRESS PORT K: the K-th of 1024 messages goes there. */
static void run_denied(char **args)
{
	struct many *m = open_many(&(struct wire_family){ "", "127.0.0.2", "127.0.0.2" });
	int k = atoi(args[2]);
	union name there;

	m->messages[k].msg_hdr.msg_namelen = name_set(&there, args[0], atoi(args[1]));
	m->messages[k].msg_hdr.msg_name = &there;
	say(sendmmsg(m->wires[0].out, m->messages, MANY, 0), "sendmmsg");
	tell_many(m, k);
}

/* ---- sizes ------------------------------------------------------------- */

static void run_empty(char **args)
{
	(void)args;
	for (const struct wire_family *f = wire_families; f->name; f++) {
		struct wire w = wire_open(f, 0);
		struct msghdr bare = { .msg_name = &w.to, .msg_namelen = w.len };
		struct iovec nothing[3] = { { NULL, 0 }, { (void *)1, 0 }, { (void *)"x", 1 } };
		struct mmsghdr three[3] = { { .msg_hdr = bare },
					    { .msg_hdr = bare },
					    { .msg_hdr = bare } };

		for (enum call c = SENDTO; c < CALLS; c++)
			say(transmit_to(c, &w, NULL, 0, 0), "%s %s", f->name, call_name[c]);
		say(sendmsg(w.out, &bare, 0), "%s no vectors", f->name);
		bare.msg_iov = nothing;
		bare.msg_iovlen = 2;
		say(sendmsg(w.out, &bare, 0), "%s empty vectors", f->name);
		three[1].msg_hdr.msg_iov = nothing;
		three[1].msg_hdr.msg_iovlen = 3;
		say(sendmmsg(w.out, three, 3, 0), "%s three", f->name);
		tell("%u %u %u", three[0].msg_len, three[1].msg_len, three[2].msg_len);
		wire_drain(&w);
		wire_close(&w);
	}
}

/* udp(7): the largest payload is what 16 bits of length leave. Beyond, no byte may be sent. */
static void run_sizes(char **args)
{
	static const size_t sizes[] = { 1,     1472,  16384, 65506,  65507,  65508,   65527,  65528,
					65535, 65536, 65537, 524288, 524289, 1000000, 1048577 };
	static char bytes[2000000];

	(void)args;
	fill(bytes, sizeof(bytes), 1);
	for (const struct wire_family *f = wire_families; f->name; f++) {
		struct wire w = wire_open(f, 0);

		for (enum call c = SENDTO; c < CALLS; c++)
			for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
				say(transmit_to(c, &w, bytes, sizes[i], 0), "%s %s %zu", f->name,
				    call_name[c], sizes[i]);
				wire_drain(&w);
			}
		/* lib/iov_iter.c: a length is cut to MAX_RW_COUNT, a negative one in a vector not.
		 */
		for (enum call c = SENDTO; c < CALLS; c++) {
			say(transmit_to(c, &w, bytes, INT_MAX, 0), "%s %s INT_MAX", f->name,
			    call_name[c]);
			say(transmit_to(c, &w, bytes, SIZE_MAX, 0), "%s %s SIZE_MAX", f->name,
			    call_name[c]);
			say(transmit_to(c, &w, bytes, (size_t)SSIZE_MAX + 1, 0), "%s %s SSIZE_MIN",
			    f->name, call_name[c]);
		}
		wire_drain(&w);
		wire_close(&w);
	}
}

static void run_scatter(char **args)
{
	static struct iovec v[1025];
	static char bytes[4 * 1025];
	struct wire w = wire_open(wire_families, 0);
	struct msghdr m = { .msg_name = &w.to, .msg_namelen = w.len, .msg_iov = v };
	static const size_t counts[] = { 1, 2, 7, 8, 9, 64, 1023, 1024, 1025, 4096, INT_MAX };

	(void)args;
	fill(bytes, sizeof(bytes), 2);
	/* From the end to the beginning, every fifth one empty. */
	for (int i = 0; i < 1025; i++)
		v[i] = (struct iovec){ bytes + 4 * (1024 - i), i % 5 == 4 ? 0 : 1 + i % 4 };
	for (enum call c = SENDMSG; c < CALLS; c++)
		for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
			m.msg_iovlen = counts[i];
			say(transmit(c, w.out, &m, 0), "%s %zu vectors", call_name[c], counts[i]);
			wire_drain(&w);
		}
	m.msg_iovlen = SIZE_MAX;
	say(sendmsg(w.out, &m, 0), "SIZE_MAX vectors");
	m.msg_iovlen = 3;
	v[1].iov_len = SIZE_MAX;
	for (enum call c = SENDMSG; c < CALLS; c++)
		say(transmit(c, w.out, &m, 0), "%s negative vector", call_name[c]);
	wire_drain(&w);
}

/* Three messages of 1024 vectors each: more than fit one pass. */
static void run_scatter_many(char **args)
{
	static struct iovec v[3][1024];
	static char bytes[3][1024];
	struct wire w = wire_open(wire_families, 0);
	struct mmsghdr messages[3] = { 0 };

	(void)args;
	for (int k = 0; k < 3; k++) {
		fill(bytes[k], sizeof(bytes[k]), k);
		for (int i = 0; i < 1024; i++)
			v[k][i] = (struct iovec){ &bytes[k][i], 1 };
		messages[k].msg_hdr = (struct msghdr){
			.msg_name = &w.to, .msg_namelen = w.len, .msg_iov = v[k], .msg_iovlen = 1024
		};
	}
	say(sendmmsg(w.out, messages, 3, 0), "sendmmsg");
	tell("%u %u %u", messages[0].msg_len, messages[1].msg_len, messages[2].msg_len);
	wire_drain(&w);
}

/* Together more than any buffer, each small enough by itself. */
static void run_large_many(char **args)
{
	static char bytes[65507];
	struct wire w[3];
	struct iovec v = { bytes, sizeof(bytes) };
	struct mmsghdr messages[24] = { 0 };
	int right = 0, count;

	(void)args;
	fill(bytes, sizeof(bytes), 3);
	for (int i = 0; i < 3; i++)
		w[i] = wire_open(wire_families, 0);
	/* One to each receiver that is looked at; the rest is lost on a full buffer, at worst. */
	for (int i = 0; i < 24; i++)
		messages[i].msg_hdr = (struct msghdr){ .msg_name = &w[i < 2 ? i : 2].to,
						       .msg_namelen = w[0].len,
						       .msg_iov = &v,
						       .msg_iovlen = 1 };
	count = sendmmsg(w[0].out, messages, 24, 0);
	say(count, "sendmmsg");
	for (int i = 0; i < count; i++)
		right += messages[i].msg_len == sizeof(bytes);
	tell("lengths %d", right);
	wire_drain(&w[0]);
	wire_drain(&w[1]);
}

/* ---- pointers and lengths that are wrong ------------------------------- */

static void run_bad_pointers(char **args)
{
	struct wire w = wire_open(wire_families, 0);
	char *end = fence(4096), *name = end - w.len + 4, *bytes = end - 10;
	struct iovec good = { (void *)"good", 4 }, bad = { end, 4 }, half = { bytes, 20 };
	struct iovec mixed[2] = { good, bad }, *cut = (void *)(end - sizeof(struct iovec));
	struct msghdr m = {
		.msg_name = &w.to, .msg_namelen = w.len, .msg_iov = &good, .msg_iovlen = 1
	};
	struct msghdr *header = (void *)(end - sizeof(m) / 2);

	(void)args;
	*cut = good;
	for (enum call c = SENDTO; c < CALLS; c++) {
		say(transmit_to(c, &w, end, 4, 0), "%s payload", call_name[c]);
		say(transmit_to(c, &w, bytes, 20, 0), "%s half a payload", call_name[c]);
		m.msg_name = end;
		say(transmit(c, w.out, &m, 0), "%s name", call_name[c]);
		memcpy(name, &w.to, w.len - 4);
		m.msg_name = name;
		say(transmit(c, w.out, &m, 0), "%s half a name", call_name[c]);
		m.msg_name = (void *)-1;
		say(transmit(c, w.out, &m, 0), "%s name of the kernel", call_name[c]);
		m.msg_name = &w.to;
	}
	for (enum call c = SENDMSG; c < CALLS; c++) {
		m.msg_iov = (void *)end;
		say(transmit(c, w.out, &m, 0), "%s vectors", call_name[c]);
		m.msg_iov = cut;
		m.msg_iovlen = 2;
		say(transmit(c, w.out, &m, 0), "%s half the vectors", call_name[c]);
		m.msg_iov = mixed;
		say(transmit(c, w.out, &m, 0), "%s second vector", call_name[c]);
		m.msg_iov = &half;
		m.msg_iovlen = 1;
		say(transmit(c, w.out, &m, 0), "%s half a vector", call_name[c]);
		m.msg_iov = &good;
		m.msg_control = end;
		m.msg_controllen = 64;
		say(transmit(c, w.out, &m, 0), "%s control", call_name[c]);
		m.msg_control = NULL;
		say(transmit(c, w.out, &m, 0), "%s no control", call_name[c]);
		m.msg_controllen = 0;
	}
	say(sendmsg(w.out, (void *)end, 0), "header");
	say(sendmsg(w.out, header, 0), "half a header");
	say(sendmsg(w.out, NULL, 0), "no header");
	say(sendmmsg(w.out, (void *)end, 1, 0), "headers");
	say(sendmmsg(w.out, (void *)header, 1, 0), "half the headers");
	say(sendmmsg(w.out, NULL, 3, 0), "no headers");
	wire_drain(&w);
}

/* Of several messages one is bad: those before it count. */
static void run_bad_entries(char **args)
{
	struct wire w = wire_open(wire_families, 0);
	char *end = fence(4096);
	struct iovec good = { (void *)"good", 4 }, bad = { end, 4 }, negative = { end - 8, -1 };
	struct msghdr m = {
		.msg_name = &w.to, .msg_namelen = w.len, .msg_iov = &good, .msg_iovlen = 1
	};
	struct mmsghdr four[4], *last = (void *)(end - 2 * sizeof(*last));

	(void)args;
	for (int kind = 0; kind < 8; kind++) {
		for (int i = 0; i < 4; i++)
			four[i] = (struct mmsghdr){ .msg_hdr = m, .msg_len = 9 };
		four[2].msg_hdr.msg_iov = kind == 0 ? &bad : kind == 1 ? &negative : &good;
		if (kind == 2)
			four[2].msg_hdr.msg_name = end;
		else if (kind == 3)
			four[2].msg_hdr.msg_namelen = -1;
		else if (kind == 4)
			four[2].msg_hdr.msg_iovlen = 1025;
		else if (kind == 5)
			four[2].msg_hdr.msg_control = end, four[2].msg_hdr.msg_controllen = 16;
		else if (kind == 6)
			four[2].msg_hdr.msg_namelen = 3;
		else if (kind == 7)
			four[2].msg_hdr.msg_iov = (void *)end;
		say(sendmmsg(w.out, four, 4, 0), "kind %d", kind);
		tell("%u %u %u %u", four[0].msg_len, four[1].msg_len, four[2].msg_len,
		     four[3].msg_len);
		wire_drain(&w);
	}
	memcpy(last, four, sizeof(four[0]) * 2);
	say(sendmmsg(w.out, last, 4, 0), "past the end");
	wire_drain(&w);
}

/* The lengths cannot be told. How many went then is not promised; the result is. */
static void run_read_only_headers(char **args)
{
	struct wire w = wire_open(wire_families, 0);
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec good = { (void *)"good", 4 };
	struct mmsghdr one = { .msg_hdr = { .msg_name = &w.to,
					    .msg_namelen = w.len,
					    .msg_iov = &good,
					    .msg_iovlen = 1 } };
	struct mmsghdr *both = (void *)(page + 4096 - sizeof(one));

	(void)args;
	both[0] = both[1] = one;
	MUST(mprotect(page + 4096, 4096, PROT_READ));
	say(sendmmsg(w.out, both + 1, 1, 0), "read-only");
	say(sendmmsg(w.out, both, 2, 0), "second read-only");
}

/* A stream may stop where the memory does; it must not say more than arrived. */
static void run_bad_stream(char **args)
{
	char *end = fence(300000), *seen = malloc(300000);
	struct iovec v;
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	int fds[2];
	long n;

	(void)args;
	fill(end - 300000, 300000, 4);
	for (enum call c = SENDTO; c < CALLS; c++) {
		open_connection("127.0.0.1", fds);
		v = (struct iovec){ end, 100 };
		say(transmit(c, fds[0], &m, 0), "%s payload", call_name[c]);
		v = (struct iovec){ end - 300000, 400000 };
		n = transmit(c, fds[0], &m, MSG_DONTWAIT);
		figure("%s %ld of 300000", call_name[c], n);
		shutdown(fds[0], SHUT_WR);
		if (n < 0 ? errno != EFAULT : n > 300000)
			say(n, "%s wrong", call_name[c]);
		if (recv(fds[1], seen, 300000, MSG_WAITALL) != (n < 0 ? 0 : n) ||
		    (n > 0 && memcmp(seen, end - 300000, n)))
			tell("%s: what arrived is not what was said", call_name[c]);
		close(fds[0]);
		close(fds[1]);
	}
	free(seen);
}

static void run_lengths(char **args)
{
	static const long lengths[] = { -1, INT_MIN, 0,  1,  2,   3,   7,   15,   16,
					17, 27,      28, 29, 127, 128, 129, 4096, INT_MAX };
	static const size_t control_lengths[] = {
		0, 1, 15, 16, 17, 131072, 1u << 20, INT_MAX, (size_t)INT_MAX + 1, SIZE_MAX
	};

	(void)args;
	for (const struct wire_family *f = wire_families; f->name; f++) {
		struct wire w = wire_open(f, 0);
		char *room = calloc(1, 4096 + CONTROL_ROOM);
		struct iovec v = { (void *)"length", 6 };
		struct msghdr m = { .msg_name = room, .msg_iov = &v, .msg_iovlen = 1 };

		memcpy(room, &w.to, w.len);
		for (enum call c = SENDTO; c < CALLS; c++)
			for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
				m.msg_namelen = lengths[i];
				say(transmit(c, w.out, &m, 0), "%s %s name of %ld", f->name,
				    call_name[c], lengths[i]);
			}
		m.msg_namelen = w.len;
		m.msg_control = room + 4096;
		for (enum call c = SENDMSG; c < CALLS; c++)
			for (size_t i = 0; i < sizeof(control_lengths) / sizeof(*control_lengths);
			     i++) {
				m.msg_controllen = control_lengths[i];
				say(transmit(c, w.out, &m, 0), "%s %s control of %zu", f->name,
				    call_name[c], control_lengths[i]);
			}
		wire_drain(&w);
		free(room);
		wire_close(&w);
	}
}

/* net/ipv4/udp.c, net/ipv6/udp.c: an address without a family is an IPv4 one, or none at all. */
static void run_unspec(char **args)
{
	(void)args;
	for (const struct wire_family *f = wire_families; f->name; f++) {
		struct wire w = wire_open(f, 0);
		sa_family_t family = w.to.any.sa_family;

		for (int connected = 0; connected < 2; connected++) {
			w.to.any.sa_family = AF_UNSPEC;
			for (enum call c = SENDTO; c < CALLS; c++)
				say(transmit_to(c, &w, (void *)"unspec", 6, 0), "%s %s%s", f->name,
				    call_name[c], connected ? " connected" : "");
			w.to.any.sa_family = family;
			MUST(connect(w.out, &w.to.any, w.len));
		}
		wire_drain(&w);
		wire_close(&w);
	}
}

/* ---- streams ----------------------------------------------------------- */

enum { BIG = 64 << 20, THIRD = 20000003 };

/* Read to the end, in a process of its own. */
static pid_t start_reader(const int fds[2])
{
	static char bytes[1 << 20];
	uint64_t hash = DIGEST_SEED;
	size_t total = 0;
	ssize_t n;
	pid_t pid;

	fflush(stdout);
	pid = MUST(fork());
	if (pid)
		return pid;
	close(fds[0]);
	while ((n = recv(fds[1], bytes, sizeof(bytes), 0)) > 0) {
		hash = digest(hash, bytes, n);
		total += n;
	}
	tell("received %zu %016lx", total, hash);
	exit(n < 0);
}

static void run_big(char **args)
{
	char *bytes = malloc(BIG);
	struct iovec v[3] = { { bytes, THIRD }, { bytes + THIRD, 1 }, { bytes + THIRD + 1, 0 } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 3 };
	int64_t start;
	int fds[2];
	pid_t pid;

	(void)args;
	v[2].iov_len = BIG - THIRD - 1;
	fill(bytes, BIG, 5);
	open_connection("127.0.0.1", fds);
	pid = start_reader(fds);
	start = now_ns();
	say(sendmsg(fds[0], &m, 0), "sendmsg");
	shutdown(fds[0], SHUT_WR);
	MUST(waitpid(pid, NULL, 0));
	figure("64 MiB in %lld ms", (long long)(now_ns() - start) / 1000000);
	tell("sent %016lx", digest(DIGEST_SEED, bytes, BIG));
	free(bytes);
}

/* What does not fit is not waited for: the part that was taken arrives. */
static void run_big_without_waiting(char **args)
{
	char *bytes = malloc(BIG), *seen = malloc(BIG);
	struct iovec v = { bytes, BIG };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	int fds[2];
	long n;

	(void)args;
	fill(bytes, BIG, 6);
	for (enum call c = SENDTO; c < CALLS; c++) {
		open_connection("::1", fds);
		n = transmit(c, fds[0], &m, MSG_DONTWAIT);
		figure("%s took %ld", call_name[c], n);
		tell("%s partial %d", call_name[c], n > 0 && n < BIG);
		shutdown(fds[0], SHUT_WR);
		tell("whole %d", recv(fds[1], seen, BIG, MSG_WAITALL) == n &&
					 !memcmp(bytes, seen, n > 0 ? n : 0));
		close(fds[0]);
		close(fds[1]);
	}
	free(bytes);
	free(seen);
}

/* ---- flags ------------------------------------------------------------- */

static void run_more(char **args)
{
	struct wire w = wire_open(wire_families, 0);
	char bytes[64];
	int fds[2];

	(void)args;
	for (enum call c = SENDTO; c < CALLS; c++) {
		say(transmit_to(c, &w, (void *)"one ", 4, MSG_MORE), "%s more", call_name[c]);
		say(transmit_to(c, &w, (void *)"two ", 4, MSG_MORE), "%s more", call_name[c]);
		say(transmit_to(c, &w, (void *)"three", 5, 0), "%s", call_name[c]);
		wire_drain(&w);
	}
	open_connection("127.0.0.1", fds);
	for (enum call c = SENDMSG; c < CALLS; c++) {
		struct iovec v = { (void *)"piece ", 6 };
		struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

		say(transmit(c, fds[0], &m, MSG_MORE), "%s more", call_name[c]);
		say(transmit(c, fds[0], &m, 0), "%s", call_name[c]);
		tell_got(bytes, recv(fds[1], bytes, 12, MSG_WAITALL));
	}
}

static void run_out_of_band(char **args)
{
	int fds[2], mark = 0;
	char bytes[64];

	(void)args;
	for (int unix_pair = 0; unix_pair < 2; unix_pair++)
		for (enum call c = SENDMSG; c < CALLS; c++) {
			struct iovec v = { (void *)"urgent", 6 };
			struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

			if (unix_pair)
				MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
			else
				open_connection("127.0.0.1", fds);
			say(transmit(c, fds[0], &m, MSG_OOB), "%s out of band", call_name[c]);
			say(await(fds[1], POLLPRI), "urgent");
			tell_got(bytes, recv(fds[1], bytes, 1, MSG_OOB));
			tell_got(bytes, recv(fds[1], bytes, sizeof(bytes), 0));
			MUST(ioctl(fds[1], SIOCATMARK, &mark));
			tell("at the mark %d", mark);
			close(fds[0]);
			close(fds[1]);
		}
}

/* Flags that mean nothing here, or are refused by some protocol. */
static void run_flags(char **args)
{
	static const int flags[] = { MSG_OOB,      MSG_DONTROUTE,        MSG_EOR,
				     MSG_CONFIRM,  0x10 /* MSG_PROBE */, MSG_TRUNC,
				     MSG_PEEK,     MSG_WAITALL,          MSG_ERRQUEUE,
				     MSG_ZEROCOPY, MSG_FASTOPEN,         1 << 30 };

	(void)args;
	for (const struct wire_family *f = wire_families; f->name; f++) {
		struct wire w = wire_open(f, 0);

		for (enum call c = SENDTO; c < CALLS; c++)
			for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
				say(transmit_to(c, &w, (void *)"flag", 4, flags[i]), "%s %s %#x",
				    f->name, call_name[c], flags[i]);
				wire_drain(&w);
			}
		wire_close(&w);
	}
}

/* A fast open of a socket that cannot, of one that is connected, and without an address. */
static void run_fast_open(char **args)
{
	struct iovec v = { (void *)"first", 5 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	char bytes[64];
	int fds[2];

	(void)args;
	for (enum call c = SENDTO; c < CALLS; c++)
		for (const struct wire_family *f = wire_families; f->name; f++) {
			union name at, to;
			socklen_t len;
			int listener = open_receiver(SOCK_STREAM, f->at, &at, &len), fd, accepted;

			m.msg_namelen =
				name_set(&to, f->to,
					 ntohs(at.any.sa_family == AF_INET ? at.v4.sin_port
									   : at.v6.sin6_port));
			m.msg_name = &to;
			fd = MUST(socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
			say(transmit(c, fd, &m, MSG_FASTOPEN), "%s %s", f->name, call_name[c]);
			say(transmit(c, fd, &m, MSG_FASTOPEN), "%s %s again", f->name,
			    call_name[c]);
			accepted = MUST(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
			shutdown(fd, SHUT_WR);
			tell_got(bytes, recv(accepted, bytes, sizeof(bytes), MSG_WAITALL));
			close(listener);
			close(accepted);
			close(fd);
			/* The listener is gone by now. */
			fd = MUST(socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
			say(transmit(c, fd, &m, MSG_FASTOPEN), "%s %s to nobody", f->name,
			    call_name[c]);
			close(fd);
			m.msg_name = NULL;
			m.msg_namelen = 0;
			fd = MUST(socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
			say(transmit(c, fd, &m, MSG_FASTOPEN | MSG_NOSIGNAL), "%s %s nowhere",
			    f->name, call_name[c]);
			close(fd);
			MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
			say(transmit(c, fds[0], &m, MSG_FASTOPEN), "%s unix", call_name[c]);
			close(fds[0]);
			close(fds[1]);
		}
}

/* ---- afterwards -------------------------------------------------------- */

static void *keep_sending(void *arg)
{
	struct wire *w = arg;
	char text[] = "crowd";

	for (;;)
		transmit_to(SENDTO, w, text, sizeof(text), MSG_DONTWAIT);
	return NULL;
}

/* A closed socket's port is free, however busy the others are. */
static void run_same_port(char **args)
{
	struct wire crowd = wire_open(&wire_families[0], 0);
	struct wire w = wire_open(&wire_families[0], 0);
	union name own = { .v4 = { .sin_family = AF_INET } };
	socklen_t len = sizeof(own.v4);
	char text[] = "hello";
	pthread_t other;

	(void)args;
	own.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (pthread_create(&other, NULL, keep_sending, &crowd))
		err(1, "pthread_create");
	for (int i = 0; i < 300; i++) {
		if (bind(w.out, &own.any, len)) {
			say(-1, "bind");
			return;
		}
		MUST(getsockname(w.out, &own.any, &len));
		MUST(transmit_to(SENDTO, &w, text, sizeof(text), 0));
		close(w.out);
		w.out = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	}
	tell("bound again and again");
}

int main(int argc, char **argv)
{
	static const struct scenario scenarios[] = {
		{ "connected", run_connected },
		{ "connected_stream", run_connected_stream },
		{ "many", run_many },
		{ "too_many", run_too_many },
		{ "denied", run_denied },
		{ "empty", run_empty },
		{ "sizes", run_sizes },
		{ "scatter", run_scatter },
		{ "scatter_many", run_scatter_many },
		{ "large_many", run_large_many },
		{ "bad_pointers", run_bad_pointers },
		{ "bad_entries", run_bad_entries },
		{ "read_only_headers", run_read_only_headers },
		{ "bad_stream", run_bad_stream },
		{ "lengths", run_lengths },
		{ "unspec", run_unspec },
		{ "big", run_big },
		{ "big_without_waiting", run_big_without_waiting },
		{ "more", run_more },
		{ "out_of_band", run_out_of_band },
		{ "flags", run_flags },
		{ "fast_open", run_fast_open },
		{ "same_port", run_same_port },
		{ 0 },
	};

	return scenario_main(argc, argv, scenarios);
}

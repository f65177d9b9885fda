/* SPDX-License-Identifier: MIT */
#include "selftests/lib/wire.h"

#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SHORT = 32, DATAGRAM_MAX = 65536 };

const struct wire_family wire_families[] = {
	{ "ipv4", "127.0.0.1", "127.0.0.1" },
	{ "ipv6", "::1", "::1" },
	{ "mapped", "::ffff:127.0.0.1", "127.0.0.1" },
	{ 0 },
};

struct wire wire_open(const struct wire_family *f, int flags)
{
	struct wire w;
	union name at;

	w.in = open_receiver(SOCK_DGRAM, f->at, &at, &w.len);
	w.len = name_set(&w.to, f->to,
			 ntohs(at.any.sa_family == AF_INET ? at.v4.sin_port : at.v6.sin6_port));
	w.out = MUST(socket(w.to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | flags, 0));
	return w;
}

void wire_close(struct wire *w)
{
	close(w->out);
	close(w->in);
}

void tell_got(const char *bytes, ssize_t n)
{
	bool is_text = n <= SHORT;

	for (ssize_t i = 0; i < n; i++)
		is_text &= bytes[i] >= ' ' && bytes[i] <= '~';
	if (n < 0)
		say(n, "got");
	else if (is_text)
		tell("got %zd '%.*s'", n, (int)n, bytes);
	else
		tell("got %zd %016lx", n, digest(DIGEST_SEED, bytes, n));
}

void wire_drain(const struct wire *w)
{
	static const char end[] = "(end of what was sent)";
	static char bytes[DATAGRAM_MAX];
	union name own;
	socklen_t len = sizeof(own);
	ssize_t n;

	MUST(getsockname(w->in, &own.any, &len));
	MUST(sendto(w->in, end, sizeof(end), 0, &own.any, len));
	while (!await(w->in, POLLIN)) {
		n = recv(w->in, bytes, sizeof(bytes), 0);
		if (n == sizeof(end) && !memcmp(bytes, end, n))
			return;
		tell_got(bytes, n);
	}
	say(-1, "got");
}

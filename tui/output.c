/* SPDX-License-Identifier: MIT */
#include "tui/output.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tui/feed.h"

#define MILLISECOND UINT64_C(1000000)

enum {
	DRAIN = 300, /* ms at most for the last output of the command */
	READ_MAX = 64 * 1024,
};

static void close_terminal(struct link *l)
{
	close(l->terminal);
	l->terminal = -1;
}

void output_renew(struct output *o, struct rect r)
{
	struct pane *pane = pane_new(r.h, r.w);

	/* Without memory it goes on in the old one. */
	if (!pane)
		return;
	pane_free(o->pane);
	o->pane = pane;
	o->changed = true;
}

bool output_read(struct output *o, struct link *l)
{
	static char bytes[READ_MAX];
	ssize_t n = recv(l->terminal, bytes, sizeof(bytes), MSG_DONTWAIT);
	size_t old;

	if (n < 0)
		return errno == EINTR;
	if (n == 0) {
		close_terminal(l);
		return false;
	}
	old = l->replay < (size_t)n ? l->replay : (size_t)n;
	l->replay -= old;
	pane_write(o->pane, bytes, old, true);
	pane_write(o->pane, bytes + old, (size_t)n - old, false);
	o->changed = true;
	return true;
}

void output_write(struct output *o, struct link *l)
{
	const char *bytes;
	size_t len = pane_input(o->pane, &bytes);
	ssize_t n = send(l->terminal, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0)
		pane_sent(o->pane, (size_t)n);
	else if (errno != EAGAIN && errno != EINTR)
		pane_sent(o->pane, len);
}

void output_drain(struct output *o, struct link *l)
{
	struct pollfd pollfd = { .fd = l->terminal, .events = POLLIN };
	uint64_t end = feed_elapsed() + DRAIN * MILLISECOND, now;

	while (l->terminal >= 0) {
		if (output_read(o, l))
			continue;
		now = feed_elapsed();
		if (now >= end || poll(&pollfd, 1, (int)((end - now) / MILLISECOND) + 1) <= 0)
			break;
	}
}

void output_reprint(struct output *o, int fd, bool color, bool ascii)
{
	FILE *out = fdopen(dup(fd), "w");

	if (!out)
		return;
	pane_reprint(o->pane, out, color, ascii);
	fclose(out);
}

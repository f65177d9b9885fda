/* SPDX-License-Identifier: MIT */
#include "tools/backlog.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/cmd.h"

void backlog_init(struct backlog *b, int fd)
{
	b->fd = fd;
	b->len = 0;
	b->dropped = 0;
	b->copy = -1;
	if (fd >= 0)
		fcntl(fd, F_SETFL, O_NONBLOCK);
}

/* Make room for as much again: the older half of the lines goes. */
static void drop_half(struct backlog *b)
{
	const char *end = memchr(b->text + BACKLOG_SIZE / 2, '\n', BACKLOG_SIZE / 2);
	size_t gone = end ? (size_t)(end - b->text) + 1 : BACKLOG_SIZE;

	for (size_t i = 0; i < gone; i++)
		b->dropped += b->text[i] == '\n';
	b->len -= gone;
	memmove(b->text, b->text + gone, b->len);
}

void backlog_copy_to(struct backlog *b, int fd)
{
	fcntl(fd, F_SETFL, O_NONBLOCK);
	(void)!write(fd, b->text, b->len);
	b->copy = fd;
}

void backlog_take(struct backlog *b)
{
	ssize_t n;

	while (b->fd >= 0) {
		if (b->len == BACKLOG_SIZE)
			drop_half(b);
		n = read(b->fd, b->text + b->len, BACKLOG_SIZE - b->len);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			close(b->fd);
			b->fd = -1;
			return;
		}
		if (b->copy >= 0)
			(void)!write(b->copy, b->text + b->len, (size_t)n);
		b->len += (size_t)n;
	}
}

void backlog_print(struct backlog *b)
{
	size_t done = 0;
	ssize_t n;

	backlog_take(b);
	if (b->dropped)
		complain("%" PRIu64 " earlier lines were dropped (see --log)", b->dropped);
	while (done < b->len) {
		n = write(2, b->text + done, b->len - done);
		if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	b->len = 0;
	b->dropped = 0;
}

void backlog_free(struct backlog *b)
{
	if (b->fd >= 0)
		close(b->fd);
	if (b->copy >= 0)
		close(b->copy);
}

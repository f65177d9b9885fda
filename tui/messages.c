/* SPDX-License-Identifier: MIT */
#include "tui/messages.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tui/feed.h"

void messages_init(struct messages *s, int fd)
{
	s->fd = fd;
	s->len = 0;
	if (fd >= 0)
		fcntl(fd, F_SETFL, O_NONBLOCK);
}

void messages_exit(struct messages *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* The whole lines of what has come; the rest waits for its end. */
static void take_lines(struct messages *s, struct model *model)
{
	struct event e = feed_event(EVENT_MESSAGE);
	char *end;

	while (s->len > 0) {
		end = memchr(s->line, '\n', s->len);
		if (!end && s->len < sizeof(s->line) - 1)
			return;
		end = end ? end : s->line + s->len;
		*end = '\0';
		e.text = s->line;
		model_apply(model, &e);
		end += end < s->line + s->len;
		s->len -= (size_t)(end - s->line);
		memmove(s->line, end, s->len);
	}
}

void messages_read(struct messages *s, struct model *model)
{
	ssize_t n;

	while (s->fd >= 0) {
		n = read(s->fd, s->line + s->len, sizeof(s->line) - 1 - s->len);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			messages_exit(s);
			return;
		}
		s->len += (size_t)n;
		take_lines(s, model);
	}
}

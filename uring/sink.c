/* SPDX-License-Identifier: MIT */
#include "uring/sink.h"

#include <errno.h>
#include <string.h>

static struct sink *sink_of(struct event *ev)
{
	return (struct sink *)((char *)ev - offsetof(struct sink, event));
}

static void write_on(struct sink *s)
{
	const char *from = s->buf[!s->half] + s->written;
	int ret = loop_write(s->loop, &s->event, s->fd, from, (unsigned)(s->writing - s->written));

	if (ret)
		s->error = -ret;
}

static void sink_written(struct event *ev, int res)
{
	struct sink *s = sink_of(ev);

	if (res == -EINTR || res == -EAGAIN)
		res = 0;
	if (res < 0) {
		s->error = -res;
		s->filling = s->writing = s->written = 0;
		return;
	}
	s->written += (size_t)res;
	if (s->written < s->writing) {
		write_on(s);
		return;
	}
	s->writing = s->written = 0;
	sink_flush(s);
}

void sink_init(struct sink *s, struct loop *loop, int fd, const char *what)
{
	s->event = (struct event){ .fn = sink_written };
	s->loop = loop;
	s->what = what;
	s->fd = fd;
	s->error = 0;
	s->lost = 0;
	s->filling = s->writing = s->written = 0;
	s->half = 0;
}

void sink_line(struct sink *s, const char *text, size_t len)
{
	if (s->fd < 0)
		return;
	if (s->error || len + 1 > SINK_SIZE - s->filling) {
		s->lost++;
		return;
	}
	memcpy(s->buf[s->half] + s->filling, text, len);
	s->filling += len;
	s->buf[s->half][s->filling++] = '\n';
}

void sink_flush(struct sink *s)
{
	if (!s->filling || event_is_armed(&s->event) || s->error)
		return;
	s->half = !s->half;
	s->writing = s->filling;
	s->written = 0;
	s->filling = 0;
	write_on(s);
}

uint64_t sink_take_lost(struct sink *s)
{
	uint64_t lost = s->lost;

	s->lost = 0;
	return lost;
}

bool sink_is_idle(const struct sink *s)
{
	return s->fd < 0 || s->error || (!s->filling && !s->writing);
}

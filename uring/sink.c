/* SPDX-License-Identifier: MIT */
#include "uring/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SINK_OF(ev, member) ((struct sink *)((char *)(ev)-offsetof(struct sink, member)))

static uint64_t count_lines(const char *text, size_t len)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	return lines;
}

static void write_failed(struct sink *s, int error)
{
	const char *writing = s->buf[!s->half];

	s->error = error;
	s->torn = s->written && writing[s->written - 1] != '\n';
	s->lost += count_lines(writing + s->written, s->writing - s->written);
	s->lost += count_lines(s->buf[s->half], s->filling);
	s->filling = s->writing = s->written = 0;
}

static void write_on(struct sink *s)
{
	const char *from = s->buf[!s->half] + s->written;
	int ret = loop_write(s->loop, &s->event, s->fd, from, (unsigned)(s->writing - s->written));

	if (ret)
		write_failed(s, -ret);
}

/* The file that was opened anew takes the place of the old one. */
static void change_file(struct sink *s)
{
	loop_close(s->loop, s->fd);
	s->fd = s->next_fd;
	s->next_fd = -1;
	s->error = 0;
	/* The rest of a line is lost, and the next one is to be whole. */
	if (s->torn && s->next_stat.stx_size > 0)
		s->buf[s->half][s->filling++] = '\n';
	s->torn = false;
}

static void sink_written(struct event *ev, int res)
{
	struct sink *s = SINK_OF(ev, event);

	if (res == -EINTR || res == -EAGAIN)
		res = 0;
	if (res < 0) {
		write_failed(s, -res);
	} else {
		s->written += (size_t)res;
		if (s->written < s->writing) {
			write_on(s);
			return;
		}
		s->writing = s->written = 0;
	}
	if (s->next_fd >= 0)
		change_file(s);
	sink_flush(s);
}

static void open_failed(struct sink *s, int error)
{
	if (s->next_fd >= 0)
		loop_close(s->loop, s->next_fd);
	s->next_fd = -1;
	s->reopened(s, error);
}

static void file_known(struct event *ev, int res)
{
	struct sink *s = SINK_OF(ev, opening);

	if (res < 0) {
		open_failed(s, -res);
		return;
	}
	if (!event_is_armed(&s->event))
		change_file(s);
	s->reopened(s, 0);
}

static void file_opened(struct event *ev, int res)
{
	struct sink *s = SINK_OF(ev, opening);
	int ret;

	if (res < 0) {
		open_failed(s, -res);
		return;
	}
	s->next_fd = res;
	s->opening.fn = file_known;
	/* Only the opening was not to wait. */
	if (fcntl(res, F_SETFL, O_APPEND)) {
		open_failed(s, errno);
		return;
	}
	ret = loop_statx(s->loop, &s->opening, s->next_fd, &s->next_stat);
	if (ret)
		open_failed(s, -ret);
}

void sink_init(struct sink *s, struct loop *loop, int fd, const char *what, const char *path)
{
	s->event = (struct event){ .fn = sink_written };
	s->opening = (struct event){ .fn = file_opened };
	s->loop = loop;
	s->what = what;
	s->path = path;
	s->fd = fd;
	s->next_fd = -1;
	s->error = 0;
	s->torn = false;
	s->lost = 0;
	s->filling = s->writing = s->written = 0;
	s->half = 0;
}

void sink_exit(struct sink *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
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

int sink_reopen(struct sink *s, sink_reopened_fn *reopened)
{
	if (!s->path)
		return -ENOENT;
	if (event_is_armed(&s->opening) || s->next_fd >= 0)
		return -EBUSY;
	s->reopened = reopened;
	s->opening.fn = file_opened;
	/* A FIFO that nobody reads is ENXIO, fifo(7), instead of a wait for whoever does. */
	return loop_open(s->loop, &s->opening, s->path,
			 O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NONBLOCK, 0600);
}

bool sink_is_idle(const struct sink *s)
{
	return s->fd < 0 || s->error || (!s->filling && !s->writing);
}

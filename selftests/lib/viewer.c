/* SPDX-License-Identifier: MIT */
#include "selftests/lib/viewer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "selftests/harness.h"
#include "selftests/lib/deadline.h"

int viewer_init(void)
{
	return chmod(harness_dir(), 0700) || setenv("XDG_RUNTIME_DIR", harness_dir(), 1) ? -errno
											 : 0;
}

static int try_connect(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%.60s/sandtop/%.30s.sock",
		 harness_dir(), name);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return -1;
	}
	return fd;
}

int viewer_connect(struct viewer *v, const char *name, int ms)
{
	int64_t deadline = deadline_in(ms);

	*v = (struct viewer){ .control = -1, .stream = -1, .text = calloc(1, 1) };
	if (!v->text)
		return -ENOMEM;
	/* There is nothing to wait on: the directory may not exist yet. */
	while (v->control < 0 && deadline_left(deadline)) {
		v->control = try_connect(name);
		if (v->control < 0)
			poll(NULL, 0, 5);
	}
	return v->control < 0 ? -ETIMEDOUT : 0;
}

static json_t *receive(struct viewer *v, int *fd)
{
	static char text[64 * 1024];
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = text, .iov_len = sizeof(text) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	ssize_t n = recvmsg(v->control, &msg, MSG_CMSG_CLOEXEC);
	int got = -1;

	if (n <= 0)
		return NULL;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&got, CMSG_DATA(c), sizeof(got));
	if (fd)
		*fd = got;
	else if (got >= 0)
		close(got);
	return json_loadb(text, (size_t)n, 0, NULL);
}

json_t *viewer_call(struct viewer *v, json_t *request, int *fd)
{
	char *text = json_dumps(request, JSON_COMPACT);
	bool sent = text && send(v->control, text, strlen(text), MSG_NOSIGNAL) > 0;

	free(text);
	json_decref(request);
	return sent ? receive(v, fd) : NULL;
}

static int succeeded(json_t *reply)
{
	int result = -EPIPE;

	if (reply)
		result = json_is_true(json_object_get(reply, "ok")) ? 0 : -EPERM;
	json_decref(reply);
	return result;
}

int viewer_ask(struct viewer *v, json_t *request)
{
	return succeeded(viewer_call(v, request, NULL));
}

int viewer_attach(struct viewer *v, int rows, int cols)
{
	json_t *request = json_pack("{s:i, s:s, s:i, s:i}", "v", 1, "verb", "terminal", "rows",
				    rows, "cols", cols);

	v->stream = -1;
	return succeeded(viewer_call(v, request, &v->stream));
}

int viewer_open(struct viewer *v, const char *name, int ms)
{
	int result = viewer_connect(v, name, ms);

	return result ? result : viewer_attach(v, 28, 100);
}

int viewer_type(struct viewer *v, const char *keys, size_t len)
{
	return send(v->stream, keys, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -errno;
}

int viewer_read(struct viewer *v, int ms)
{
	struct pollfd ready = { .fd = v->stream, .events = POLLIN };
	char buf[65536], *text;
	ssize_t n;

	if (v->stream < 0)
		return -EPIPE;
	if (poll(&ready, 1, ms) != 1)
		return -ETIMEDOUT;
	n = recv(v->stream, buf, sizeof(buf), MSG_DONTWAIT);
	if (n <= 0) {
		viewer_detach(v);
		return -EPIPE;
	}
	if (v->len + (size_t)n >= v->room) {
		text = realloc(v->text, 2 * (v->len + (size_t)n + 1));
		if (!text)
			return -ENOMEM;
		v->text = text;
		v->room = 2 * (v->len + (size_t)n + 1);
	}
	memcpy(v->text + v->len, buf, (size_t)n);
	v->len += (size_t)n;
	v->text[v->len] = '\0';
	return 0;
}

int viewer_wait_text(struct viewer *v, size_t from, const char *text, int ms)
{
	int64_t deadline = deadline_in(ms);
	size_t tail = strlen(text), searched;
	int result = 0;

	while (v->len < from || !strstr(v->text + from, text)) {
		if (result || !deadline_left(deadline))
			return result ? result : -ETIMEDOUT;
		/* Of a flood, look only at what is new. */
		searched = v->len;
		result = viewer_read(v, deadline_left(deadline));
		if (searched > from + tail)
			from = searched - tail;
	}
	return 0;
}

int viewer_wait_exit(struct viewer *v, int ms)
{
	int64_t deadline = deadline_in(ms);
	struct pollfd ready = { .fd = v->control, .events = POLLIN };

	while (poll(&ready, 1, deadline_left(deadline)) == 1) {
		json_t *event = receive(v, NULL);
		const char *kind = json_string_value(json_object_get(event, "event"));
		bool is_exit = kind && !strcmp(kind, "exit");
		int status = (int)json_integer_value(json_object_get(event, "exit"));
		bool ended = !event;

		json_decref(event);
		if (is_exit)
			return status;
		if (ended)
			return -EPIPE;
	}
	return -ETIMEDOUT;
}

void viewer_detach(struct viewer *v)
{
	if (v->stream >= 0)
		close(v->stream);
	v->stream = -1;
}

void viewer_free(struct viewer *v)
{
	if (!v->text)
		return;
	viewer_detach(v);
	if (v->control >= 0)
		close(v->control);
	free(v->text);
	v->text = NULL;
}

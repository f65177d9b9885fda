/* SPDX-License-Identifier: MIT */
#include "core/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/uapi.h"

static int fail(struct control_error *err, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct control_error *err, int error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(err->text, sizeof(err->text), format, ap);
	va_end(ap);
	return error;
}

void control_set_patience(int fd, int seconds)
{
	struct timeval tv = { .tv_sec = seconds };

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

/* A socket in the directory can only be another user's if the directory is not ours alone. */
static int connect_to(int dir, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int ret = 0;

	if (fd < 0)
		return -errno;
	control_set_patience(fd, CONTROL_PATIENCE);
	control_path(dir, name, address.sun_path);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		ret = -errno;
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

/* Whether the sandbox at the other end has the process `pid`: its command or sandtop itself. */
static bool has_pid(int fd, long pid)
{
	json_t *request = control_request("hello");
	json_t *reply = request ? control_call(fd, request, -1, NULL) : NULL;
	bool found = json_integer_value(json_object_get(reply, "pid")) == pid ||
		     json_integer_value(json_object_get(reply, "sandtop")) == pid;

	json_decref(request);
	json_decref(reply);
	return found;
}

static int connect_by_pid(int dir, long pid)
{
	struct control_names names;
	int fd, found = -ENOENT;
	int ret = control_names(&names);

	if (ret)
		return ret;
	for (size_t i = 0; i < names.n && found < 0; i++) {
		fd = connect_to(dir, names.v[i]);
		if (fd < 0)
			continue;
		if (has_pid(fd, pid))
			found = fd;
		else
			close(fd);
	}
	free(names.v);
	return found;
}

static int connect_by_name(int dir, const char *name, struct control_error *err)
{
	char *end;
	long pid = strtol(name, &end, 10);
	int fd = -ENOENT;

	if (*name && strlen(name) <= CONTROL_NAME_MAX && !strchr(name, '/'))
		fd = connect_to(dir, name);
	if (fd == -ENOENT && *name >= '1' && *name <= '9' && !*end)
		fd = connect_by_pid(dir, pid);
	if (fd >= 0)
		return fd;
	switch (fd) {
	case -ENOENT:
	case -ECONNREFUSED:
		return fail(err, -ENOENT, "no sandbox '%.100s' is running (see sandtop ps)", name);
	case -EAGAIN:
		return fail(err, -ETIMEDOUT, "sandbox '%.100s' does not answer", name);
	default:
		return fail(err, fd, "cannot connect to sandbox '%.100s': %s", name, strerror(-fd));
	}
}

static int connect_to_only(int dir, struct control_error *err)
{
	struct control_names names;
	char list[300] = "";
	size_t len = 0, live = 0;
	int only = -1;
	int ret = control_names(&names);

	if (ret)
		return fail(err, ret, "cannot list the sandboxes: %s", strerror(-ret));
	for (size_t i = 0; i < names.n; i++) {
		int fd = connect_to(dir, names.v[i]);

		if (fd < 0)
			continue;
		if (len < sizeof(list))
			len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
						live ? ", " : "", names.v[i]);
		if (live++)
			close(fd);
		else
			only = fd;
	}
	free(names.v);
	if (live == 1)
		return only;
	if (!live)
		return fail(err, -ENOENT, "no sandbox is running");
	close(only);
	return fail(err, -ENOTUNIQ, "%zu sandboxes are running: expected one of %s", live, list);
}

int control_connect(const char *name, struct control_error *err)
{
	char path[PATH_MAX];
	int dir = control_open_dir();
	int fd;

	if (dir < 0) {
		control_dir(path);
		return fail(err, dir, "cannot use the directory '%.300s': %s", path,
			    dir == -EPERM ? "expected one that is this user's alone"
					  : strerror(-dir));
	}
	fd = name ? connect_by_name(dir, name, err) : connect_to_only(dir, err);
	close(dir);
	if (fd >= 0)
		control_set_patience(fd, 0);
	return fd;
}

int control_send(int fd, const json_t *packet, int body_fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	char *text = json_dumps(packet, JSON_COMPACT);
	struct iovec iov = { .iov_base = text };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int ret = 0;

	if (!text)
		return -ENOMEM;
	iov.iov_len = strlen(text);
	if (body_fd >= 0) {
		struct cmsghdr *h;

		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		h = CMSG_FIRSTHDR(&msg);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &body_fd, sizeof(int));
	}
	if (iov.iov_len > CONTROL_PACKET_MAX)
		ret = -EMSGSIZE;
	else if (sendmsg(fd, &msg, MSG_NOSIGNAL) < 0)
		ret = -errno;
	free(text);
	return ret;
}

/* Take the descriptors of a control message: the first one is *first if that is -1. */
static void take_descriptors(const struct cmsghdr *h, int *first)
{
	size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int fd;

	for (size_t i = 0; i < n; i++) {
		memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(int));
		if (*first < 0)
			*first = fd;
		else if (fd >= 0)
			close(fd);
	}
}

/* What came beside the packet. Returns the body, or -1; further descriptors are closed. */
static int take_control(struct msghdr *msg, struct control_sender *sender)
{
	struct ucred cred;
	int body = -1;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
		if (h->cmsg_level != SOL_SOCKET)
			continue;
		if (h->cmsg_type == SCM_RIGHTS) {
			take_descriptors(h, &body);
		} else if (h->cmsg_type == SCM_PIDFD) {
			take_descriptors(h, &sender->pidfd);
		} else if (h->cmsg_type == SCM_CREDENTIALS) {
			memcpy(&cred, CMSG_DATA(h), sizeof(cred));
			sender->pid = cred.pid;
			sender->uid = cred.uid;
		}
	}
	return body;
}

json_t *control_parse(const char *text, size_t len)
{
	json_t *packet;

	if (len > CONTROL_PACKET_MAX)
		return NULL;
	packet = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(packet))
		return packet;
	json_decref(packet);
	return NULL;
}

static json_t *parse_or_errno(const struct msghdr *msg, const char *text, ssize_t n)
{
	json_t *packet;

	if (n <= 0) {
		errno = n ? errno : ECONNRESET;
		return NULL;
	}
	packet = msg->msg_flags & MSG_TRUNC ? NULL : control_parse(text, (size_t)n);
	if (!packet)
		errno = msg->msg_flags & MSG_TRUNC ? EMSGSIZE : EBADMSG;
	return packet;
}

json_t *control_recv_from(int fd, int *body_fd, struct control_sender *sender)
{
	/* Of whoever sends many descriptors the kernel closes the rest. */
	_Alignas(
		struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred)) +
					     CMSG_SPACE(sizeof(int)) + CMSG_SPACE(4 * sizeof(int))];
	char *text = malloc(CONTROL_PACKET_MAX);
	struct iovec iov = { .iov_base = text, .iov_len = CONTROL_PACKET_MAX };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	json_t *packet;
	int body = -1;
	int error;
	ssize_t n;

	*sender = (struct control_sender){ .pidfd = -1 };
	if (body_fd)
		*body_fd = -1;
	if (!text)
		return NULL;
	do {
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	error = errno;
	if (n >= 0)
		body = take_control(&msg, sender);
	errno = error;
	packet = parse_or_errno(&msg, text, n);
	error = errno;
	free(text);
	if (packet && body_fd)
		*body_fd = body;
	else if (body >= 0)
		close(body);
	errno = error;
	return packet;
}

json_t *control_recv(int fd, int *body_fd)
{
	struct control_sender sender;
	json_t *packet = control_recv_from(fd, body_fd, &sender);

	if (sender.pidfd >= 0)
		close(sender.pidfd);
	return packet;
}

json_t *control_request(const char *verb)
{
	return json_pack("{s:i, s:s}", "v", CONTROL_VERSION, "verb", verb);
}

json_t *control_call(int fd, const json_t *request, int body_fd, int *reply_fd)
{
	int ret = control_send(fd, request, body_fd);
	json_t *packet;

	if (reply_fd)
		*reply_fd = -1;
	/* Whoever was turned away was told so before the connection was closed. */
	if (ret && ret != -EPIPE) {
		errno = -ret;
		return NULL;
	}
	for (;;) {
		packet = control_recv(fd, reply_fd);
		if (!packet || !json_object_get(packet, "event"))
			return packet;
		if (reply_fd && *reply_fd >= 0)
			close(*reply_fd);
		json_decref(packet);
	}
}

bool control_succeeded(const json_t *reply, struct control_error *err)
{
	const char *text = json_string_value(json_object_get(reply, "error"));

	if (!reply)
		fail(err, 0, "%s",
		     errno == ECONNRESET || errno == EPIPE ? "the sandbox has ended"
		     : errno == EAGAIN ? "the sandbox does not answer: it is stopped, or the file "
					 "system that its command is on hangs"
				       : strerror(errno));
	else if (json_is_true(json_object_get(reply, "ok")))
		return true;
	else
		fail(err, 0, "%s", text ? text : "the sandbox sent something else than a reply");
	return false;
}

enum { BODY_SEALS = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW };

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int control_body_new(const char *text, size_t len)
{
	int fd = memfd_create("sandtop", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int ret;

	if (fd < 0)
		return -errno;
	ret = write_all(fd, text, len);
	if (!ret && fcntl(fd, F_ADD_SEALS, BODY_SEALS | F_SEAL_SEAL))
		ret = -errno;
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

int control_body_read(int fd, char **text, size_t *len)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	char *copy;

	if (seals < 0 || (seals & BODY_SEALS) != BODY_SEALS || fstat(fd, &st))
		return -EBADMSG;
	if (st.st_size > CONTROL_BODY_MAX)
		return -EFBIG;
	copy = malloc((size_t)st.st_size + 1);
	if (!copy)
		return -ENOMEM;
	if (pread(fd, copy, (size_t)st.st_size, 0) != st.st_size) {
		free(copy);
		return -EIO;
	}
	copy[st.st_size] = '\0';
	*text = copy;
	*len = (size_t)st.st_size;
	return 0;
}

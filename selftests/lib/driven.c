/* SPDX-License-Identifier: MIT */
#include "selftests/lib/driven.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "selftests/harness.h"

void driven_init(void)
{
	ASSERT_EQ(0, setenv("XDG_RUNTIME_DIR", harness_dir(), 1));
	ASSERT_EQ(0, chmod(harness_dir(), 0700));
}

void driven_start(struct driven *d, const char *name, const char *const options[],
		  void (*prepare)(void *arg), void *arg)
{
	const char *all[64] = { "--name", name };
	int n = 2;

	*d = (struct driven){ .name = name, .pipe = -1 };
	while (*options && n < 63)
		all[n++] = *options++;
	snprintf(d->fifo, sizeof(d->fifo), "%s/%s.fifo", harness_dir(), name);
	ASSERT_EQ(0, mkfifo(d->fifo, 0600));
	ASSERT_EQ(0, sandbox_start(&d->sandbox, all, ARGS("guest", d->fifo), prepare, arg));
	ASSERT_EQ(0, command_wait_text(&d->sandbox.command, &d->sandbox.command.out, "done 0\n",
				       COMMAND_TIMEOUT))
	{
		TH_LOG("%s", d->sandbox.command.err.text);
	}
	d->seen = d->sandbox.command.out.len;
	d->pipe = open(d->fifo, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, d->pipe);
}

static void begin(struct driven *d, const char *format, va_list ap)
{
	char line[512];
	int n = vsnprintf(line, sizeof(line) - 1, format, ap);

	line[n++] = '\n';
	d->seen = d->sandbox.command.out.len;
	d->lines++;
	ASSERT_EQ(n, write(d->pipe, line, (size_t)n));
}

void driven_begin(struct driven *d, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	begin(d, format, ap);
	va_end(ap);
}

const char *driven_answer(struct driven *d)
{
	struct capture *out = &d->sandbox.command.out;
	static char answer[4096];
	char done[32];
	char *end;

	snprintf(done, sizeof(done), "done %d\n", d->lines);
	ASSERT_EQ(0, command_wait_text(&d->sandbox.command, out, done, COMMAND_TIMEOUT))
	{
		TH_LOG("%s%s", out->text, d->sandbox.command.err.text);
	}
	end = strstr(out->text + d->seen, done);
	ASSERT_NE(NULL, end);
	if (end > out->text + d->seen)
		end--; /* the newline of the last one */
	snprintf(answer, sizeof(answer), "%.*s", (int)(end - out->text - (long)d->seen),
		 out->text + d->seen);
	return answer;
}

const char *driven_say(struct driven *d, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	begin(d, format, ap);
	va_end(ap);
	return driven_answer(d);
}

int driven_black_hole(struct driven *d, const char *address, uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	EXPECT_EQ(1, inet_pton(AF_INET, address, &at.sin_addr));
	EXPECT_EQ(0, bind(fd, (struct sockaddr *)&at, sizeof(at)));
	EXPECT_EQ(0, listen(fd, 0));
	EXPECT_STREQ("open 0 0", driven_say(d, "open tcp %s %u", address, port));
	return fd;
}

void driven_quit(struct driven *d)
{
	driven_begin(d, "quit");
	ASSERT_EQ(0, sandbox_wait(&d->sandbox));
}

void driven_free(struct driven *d)
{
	sandbox_free(&d->sandbox);
	if (d->name && d->pipe >= 0)
		close(d->pipe);
}

const char *driven_ctl(int expected_status, const char *const args[])
{
	static struct command c;
	const char *all[16] = { "sandtop", "ctl" };
	int n = 2;

	while (*args && n < 15)
		all[n++] = *args++;
	command_free(&c);
	c = (struct command){ 0 };
	ASSERT_EQ(0, command_run(&c, all));
	EXPECT_EQ(expected_status, command_code(&c))
	{
		TH_LOG("%s %s: %s%s", all[2], all[3] ? all[3] : "", c.out.text, c.err.text);
	}
	return expected_status ? c.err.text : c.out.text;
}

int driven_connect(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = COMMAND_TIMEOUT / 1000 };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/sandtop/%s.sock", harness_dir(), name);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at))) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

json_t *driven_request(int fd, const char *packet)
{
	static char buf[128 * 1024];
	ssize_t n;

	if (*packet)
		send(fd, packet, strlen(packet), MSG_NOSIGNAL);
	n = recv(fd, buf, sizeof(buf), 0);
	return n > 0 ? json_loadb(buf, (size_t)n, 0, NULL) : NULL;
}

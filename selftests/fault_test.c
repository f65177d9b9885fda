/* SPDX-License-Identifier: MIT */
/*
 * Faults: the supervisor's own system calls fail, one after the other, with what
 * the kernel could say to any of them. Whatever it then does with a request is a
 * refusal or the kernel's answer, never access, and never for ever.
 *
 * strace(1) makes them fail; it is attached to the supervisor alone, which only
 * root may trace. FAULTS=all tries every error with every call.
 */
#include "selftests/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "selftests/lib/netns.h"
#include "selftests/lib/sandbox.h"
#include "selftests/lib/server.h"

#define ALLOWED_TEXT   "7001"
#define FORBIDDEN_TEXT "7002"

enum { ALLOWED = 7001, FORBIDDEN = 7002 };

FIXTURE(fault)
{
	struct server *allowed[2], *forbidden[2]; /* TCP, UDP */
	struct sandbox sandbox;
	struct command strace;
	int go[2]; /* the attacker's stdin */
};

FIXTURE_VARIANT(fault)
{
	const char *call;
	const char *errors[3]; /* the likely ones; of ioctl, which answers, all that there are */
};

#define FAULT(name, ...)                                                                           \
	FIXTURE_VARIANT_ADD(fault, name)                                                           \
	{                                                                                          \
#name,                                                                             \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}

FAULT(process_vm_readv, "ENOMEM", "EPERM");
FAULT(process_vm_writev, "ENOMEM", "ESRCH");
FAULT(pidfd_open, "EMFILE", "ESRCH");
FAULT(pidfd_getfd, "EMFILE", "EPERM");
FAULT(ioctl, "EINTR");
FAULT(getsockopt, "ENOMEM", "ENOSYS");
FAULT(fgetxattr, "ENODATA", "ERANGE");
FAULT(getsockname, "ENOMEM", "ENOSYS");
FAULT(getpeername, "ENOMEM", "ENOSYS");
FAULT(connect, "EINTR", "ENOMEM");
FAULT(sendmsg, "EINTR", "ENOMEM");
FAULT(sendmmsg, "EINTR", "ENOMEM");
FAULT(sendto, "EINTR", "ENOBUFS");
FAULT(recvfrom, "EINTR", "ENOMEM");
FAULT(bind, "ENOMEM", "ENOSYS");
FAULT(listen, "ENOMEM", "ENOSYS");
FAULT(poll, "EINTR", "ENOMEM");
FAULT(fcntl, "EINTR", "ENOSYS");
FAULT(io_uring_enter, "EINTR", "ENOMEM", "EBUSY");
FAULT(openat, "EMFILE", "ENOENT");
FAULT(read, "EINTR", "ENOMEM");
FAULT(fstat, "ENOMEM", "ENOENT");
FAULT(capset, "EPERM");

FIXTURE_SETUP(fault)
{
	self->go[0] = self->go[1] = -1;
	if (!netns_or_skip())
		return;
	for (int i = 0; i < 2; i++) {
		self->allowed[i] = server_new(i ? SOCK_DGRAM : SOCK_STREAM, "::", ALLOWED);
		self->forbidden[i] = server_new(i ? SOCK_DGRAM : SOCK_STREAM, "::", FORBIDDEN);
		ASSERT_TRUE(self->allowed[i] && self->forbidden[i]);
	}
}

static void end_run(struct fault_data *self)
{
	command_free(&self->strace);
	sandbox_free(&self->sandbox);
	close(self->go[0]);
	close(self->go[1]);
	self->go[0] = self->go[1] = -1;
}

FIXTURE_TEARDOWN(fault)
{
	end_run(self);
	for (int i = 0; i < 2; i++) {
		server_free(self->allowed[i]);
		server_free(self->forbidden[i]);
	}
}

static void take_stdin(void *arg)
{
	dup2(*(int *)arg, STDIN_FILENO);
}

/* Start the attacker, which waits, and find the supervisor. */
static const char *start(struct fault_data *self)
{
	static char pid[16];
	struct command *c = &self->sandbox.command;
	int number = 0;

	ASSERT_EQ(0, pipe2(self->go, O_CLOEXEC));
	ASSERT_EQ(0, sandbox_start(&self->sandbox,
				   ARGS("-q", "--net-allow", "any://127.0.0.1:" ALLOWED_TEXT),
				   ARGS("attacker", "faulted", ALLOWED_TEXT, FORBIDDEN_TEXT, "0"),
				   take_stdin, &self->go[0]));
	ASSERT_EQ(0, command_wait_text(c, &c->out, "\n", COMMAND_TIMEOUT));
	ASSERT_EQ(1, sscanf(c->out.text, "supervisor %d", &number));
	snprintf(pid, sizeof(pid), "%d", number);
	return pid;
}

/* Two in three go through, so that a request gets as far as the next call. */
static void fail_calls(struct fault_data *self, const char *call, const char *error)
{
	char trace[64], inject[96];
	const char *pid = start(self);
	int code;

	snprintf(trace, sizeof(trace), "trace=%s", call);
	snprintf(inject, sizeof(inject), "inject=%s:error=%s:when=2+3", call, error);
	ASSERT_EQ(0, command_start(&self->strace,
				   ARGS("strace", "-o", "/dev/null", "-e", trace, "-e", inject,
					"-p", pid),
				   NULL, NULL));
	ASSERT_EQ(0,
		  command_wait_text(&self->strace, &self->strace.err, "attached", COMMAND_TIMEOUT))
	{
		TH_LOG("%s", self->strace.err.text);
	}
	ASSERT_EQ(3, write(self->go[1], "go\n", 3));
	EXPECT_EQ(0, sandbox_wait(&self->sandbox))
	{
		TH_LOG("%s with %s: %s%s", call, error, self->sandbox.command.out.text,
		       self->sandbox.command.err.text);
	}
	code = command_code(&self->sandbox.command);
	/* Served to the end, or given up by the guardian. */
	EXPECT_TRUE(code == 0 || code == 125)
	{
		TH_LOG("%s with %s: status %d: %s", call, error, code,
		       self->sandbox.command.err.text);
	}
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, server_count(self->forbidden[i]))
		{
			TH_LOG("%s with %s", call, error);
		}
	}
	end_run(self);
}

TEST_F_TIMEOUT(fault, gives_nobody_access, 300)
{
	static const char *const every[] = { "ENOMEM", "EMFILE", "ENOSYS", "ENOENT", "EINTR",
					     "EPERM",  "ESRCH",  "EAGAIN", "EFAULT", "EINVAL" };
	const char *all = getenv("FAULTS");

	if (geteuid()) {
		TH_LOG("door absent: only root may trace a supervisor, which is not dumpable");
		return;
	}
	if (all && !strcmp(all, "all") && strcmp(variant->call, "ioctl"))
		for (size_t i = 0; i < sizeof(every) / sizeof(every[0]); i++)
			fail_calls(self, variant->call, every[i]);
	else
		for (int i = 0; i < 3 && variant->errors[i]; i++)
			fail_calls(self, variant->call, variant->errors[i]);
}

/* Without faults the same attacker is served: what it was refused above was not for another reason.
 */
TEST_F(fault, is_what_refuses)
{
	if (strcmp(variant->call, "connect"))
		return;
	start(self);
	ASSERT_EQ(3, write(self->go[1], "go\n", 3));
	ASSERT_EQ(0, sandbox_wait(&self->sandbox));
	EXPECT_EQ(0, command_code(&self->sandbox.command));
	EXPECT_STRIN("served 0\ndone\n", self->sandbox.command.out.text);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, server_count(self->forbidden[i]));
		EXPECT_NE(0, server_count(self->allowed[i]));
	}
}

TEST_HARNESS_MAIN

/* SPDX-License-Identifier: MIT */
/*
 * What programs of this kind have broken: the hazards of compatibility
 * (attacks/elsewhere.h). compat_test compares many calls with and without.
 */
#include "selftests/harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "selftests/lib/attacked.h"
#include "selftests/lib/deadline.h"
#include "selftests/lib/twin.h"

#define PERMIT ARGS("-q", "--net-allow", "any://127.0.0.1")

FIXTURE(broken_before)
{
	struct attacked at;
	struct twin twin;
};

FIXTURE_SETUP(broken_before)
{
	attacked_init(&self->at);
}

FIXTURE_TEARDOWN(broken_before)
{
	twin_free(&self->twin);
	attacked_free(&self->at);
}

static void same(struct broken_before_data *self, const char *const argv[])
{
	twin_run(&self->twin, PERMIT, argv);
}

TEST_F(broken_before, passed_descriptors)
{
	same(self, ARGS("courier", "rights"));
}

TEST_F(broken_before, epoll_before_connect)
{
	same(self, ARGS("staller", "epoll"));
}

static void expect_output(struct broken_before_data *self, const char *const argv[],
			  const char *output)
{
	int64_t start = deadline_in(0);

	ASSERT_EQ(0, sandbox_run(&self->at.sandbox,
				 ARGS("--net-allow", "any://127.0.0.1:" ALLOWED_TEXT), argv));
	EXPECT_STREQ(output, self->at.sandbox.command.out.text);
	EXPECT_GT(3000, deadline_in(0) - start);
}

/* It sends nothing, and must neither wait for an answer nor make noise. */
TEST_F(broken_before, udp_connect_to_sort)
{
	expect_output(self, ARGS("probe", "connect", "udp", "127.0.0.1", FORBIDDEN_TEXT),
		      "connect ECONNREFUSED\n");
	EXPECT_STREQ("", self->at.sandbox.command.err.text);
}

TEST_F(broken_before, happy_eyeballs)
{
	expect_output(self,
		      ARGS("probe", "connect", "tcp", "::1", FORBIDDEN_TEXT, ",", "connect", "tcp",
			   "127.0.0.1", ALLOWED_TEXT),
		      "connect ECONNREFUSED\nconnect 0\n");
}

TEST_F(broken_before, mptcp_by_default)
{
	expect_output(self,
		      ARGS("probe", "socket", "inet", "stream", "mptcp", ",", "connect", "tcp",
			   "127.0.0.1", ALLOWED_TEXT),
		      "socket EPROTONOSUPPORT\nconnect 0\n");
}

/* As a shell with job control: the command is a job of its own, and goes on when it is stopped. */
static void watch_job(pid_t pid)
{
	int status;

	close_range(STDERR_FILENO + 1, ~0U, 0);
	while (waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status)) {
		(void)!write(STDOUT_FILENO, "stopped\n", 8);
		kill(-pid, SIGCONT);
	}
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static void take_terminal(void *arg)
{
	int slave;
	pid_t pid;

	setsid();
	slave = open(arg, O_RDWR);
	if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) || dup2(slave, STDIN_FILENO) < 0)
		_exit(99);
	signal(SIGTTOU, SIG_IGN);
	pid = fork();
	if (pid)
		watch_job(pid);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	tcsetpgrp(STDIN_FILENO, getpid());
	signal(SIGTTOU, SIG_DFL);
}

/* On a terminal of its own. Returns its master. */
static int start_on_terminal(struct broken_before_data *self, const char *const argv[])
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	ASSERT_TRUE(master >= 0 && !grantpt(master) && !unlockpt(master));
	ASSERT_EQ(0, sandbox_start(&self->at.sandbox, attacked_options(ALLOW_LIST), argv,
				   take_terminal, ptsname(master)));
	attacked_says(&self->at, "ready\n");
	return master;
}

TEST_F(broken_before, keys_of_the_terminal)
{
	int master = start_on_terminal(self, ARGS("probe", "signals"));

	EXPECT_EQ(1, write(master, "\003", 1));
	attacked_says(&self->at, "signals INT\n");
	EXPECT_EQ(1, write(master, "\032", 1));
	attacked_says(&self->at, "stopped\n");
	attacked_says(&self->at, "signals CONT\n");
	EXPECT_EQ(1, write(master, "\034", 1));
	attacked_says(&self->at, "signals QUIT\n");
	close(master);
}

TEST_F(broken_before, resize)
{
	struct winsize size = { .ws_row = 40, .ws_col = 132 };
	int master = start_on_terminal(
		self, ARGS("sh", "-c",
			   "trap 'stty size; exit 0' WINCH; echo ready; while :; do :; done"));

	EXPECT_EQ(0, ioctl(master, TIOCSWINSZ, &size));
	attacked_says(&self->at, "40 132\n");
	close(master);
}

TEST_HARNESS_MAIN

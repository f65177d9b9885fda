/* SPDX-License-Identifier: MIT */
/*
 * A monitor that was started by a shell is a job of it: Ctrl-Z stops it and gives the terminal
 * back, fg has it on the screen again. The command knows nothing of that, and what is denied is
 * denied.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "selftests/harness.h"
#include "selftests/lib/command.h"
#include "selftests/lib/deadline.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/sandbox.h"
#include "selftests/lib/server.h"
#include "selftests/lib/tty.h"

#define CTRL_BRACKET "\035"
#define CTRL_Z       "\032"
#define F5           "\033[15~"

FIXTURE(job)
{
	struct server *allowed, *denied;
	struct sandbox batch; /* with attach: the run */
	struct command shell;
	struct tty tty;
	int order; /* words go in, which the command obeys */
};

FIXTURE_VARIANT(job)
{
	bool attached;
	const char *shell; /* what it is asked to do; %s: sandtop and its arguments */
	bool flood;        /* it takes five seconds */
};

#define STOPPED "echo the shell is back; read line; fg >/dev/null; echo it ended with $?"

FIXTURE_VARIANT_ADD(job, of_the_runs_own_monitor){ false, "%s; " STOPPED, true };
FIXTURE_VARIANT_ADD(job, of_an_attached_monitor){ true, "%s; " STOPPED, false };
/* The shell waits for another process than sandtop, as with make(1). */
FIXTURE_VARIANT_ADD(job, below_another_process){ false, "sh -c '%s; exit $?'; " STOPPED, false };

/*
 * As its own words: a port to connect to, a flood of output, the end. The flood moves no line of
 * the screen: with sanitizers that would take longer than anybody waits.
 */
static const char command[] =
	"echo started; while read word; do case $word in exit) exit 7;; "
	"flood) head -c 600000 /dev/zero | tr '\\0' '\\r'; echo flooded; touch %s/flooded;; "
	"*) probe connect tcp 127.0.0.1 $word;; esac; done <%s/order";

static void write_script(FIXTURE_DATA(job) * self)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/order", harness_dir());
	ASSERT_EQ(0, mkfifo(path, 0600));
	self->order = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->order);
	snprintf(path, sizeof(path), "%s/script", harness_dir());
	file = fopen(path, "we");
	ASSERT_NE(NULL, file);
	fprintf(file, command, harness_dir(), harness_dir());
	ASSERT_EQ(0, fclose(file));
}

FIXTURE_SETUP(job)
{
	char script[128], rule[64], start[512], words[1024];

	if (!netns_or_skip())
		return;
	setenv("XDG_RUNTIME_DIR", harness_dir(), 1);
	setenv("TERM", "xterm-256color", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	self->allowed = server_new(SOCK_STREAM, "127.0.0.1", 0);
	self->denied = server_new(SOCK_STREAM, "127.0.0.1", 0);
	ASSERT_NE(NULL, self->allowed);
	ASSERT_NE(NULL, self->denied);
	ASSERT_EQ(0, tty_open(&self->tty, 24, 80));
	write_script(self);
	snprintf(script, sizeof(script), "%s/script", harness_dir());
	snprintf(rule, sizeof(rule), "127.0.0.1:%u", server_port(self->allowed));
	snprintf(start, sizeof(start), "sandtop --name watched --net-allow %s -- sh %s", rule,
		 script);
	if (variant->attached) {
		ASSERT_EQ(0, sandbox_start(&self->batch,
					   ARGS("--name", "watched", "-q", "--net-allow", rule),
					   ARGS("sh", script), NULL, NULL));
		ASSERT_EQ(0, command_wait_text(&self->batch.command, &self->batch.command.out,
					       "started", COMMAND_TIMEOUT));
		snprintf(start, sizeof(start), "sandtop attach watched");
	}
	snprintf(words, sizeof(words), variant->shell, start);
	/* With job control, as an interactive one has it. */
	ASSERT_EQ(0, command_start(&self->shell, ARGS("sh", "-m", "-c", words), tty_become,
				   &self->tty));
	ASSERT_EQ(0, tty_wait(&self->tty, variant->attached ? "has not tried" : "started"));
	ASSERT_EQ(0, tty_type(&self->tty, variant->attached ? "" : CTRL_BRACKET));
	ASSERT_EQ(0, tty_wait(&self->tty, "has not tried"));
}

FIXTURE_TEARDOWN(job)
{
	if (self->order > 0)
		dprintf(self->order, "exit\n");
	if (self->order > 0 && self->batch.events)
		sandbox_wait(&self->batch);
	command_free(&self->shell);
	tty_close(&self->tty);
	if (self->order > 0)
		close(self->order);
	sandbox_free(&self->batch);
	server_free(self->allowed);
	server_free(self->denied);
}

/* The command goes on: what is allowed arrives, what is denied does not. */
static void expect_promise_kept(FIXTURE_DATA(job) * self)
{
	const size_t arrived = server_count(self->allowed);

	ASSERT_LT(0, dprintf(self->order, "%u\n%u\n", server_port(self->denied),
			     server_port(self->allowed)));
	EXPECT_EQ(0, server_wait(self->allowed, arrived + 1, TTY_TIMEOUT));
	EXPECT_EQ(0, server_knock(self->denied));
	EXPECT_EQ(0, server_count(self->denied));
}

static void stop(FIXTURE_DATA(job) * self)
{
	ASSERT_EQ(0, tty_type(&self->tty, CTRL_Z));
	ASSERT_EQ(0, tty_wait(&self->tty, "the shell is back"));
	EXPECT_TRUE(tty_is_restored(&self->tty));
	EXPECT_STRNOTIN("VERDICT", self->tty.text);
}

static void expect_end(FIXTURE_DATA(job) * self, const char *said)
{
	ASSERT_LT(0, dprintf(self->order, "exit\n"));
	ASSERT_EQ(0, tty_wait_end(&self->tty, &self->shell));
	EXPECT_STRIN(said, self->tty.text);
	EXPECT_TRUE(tty_is_restored(&self->tty));
}

TEST_F(job, is_stopped_and_goes_on)
{
	const char *said = variant->attached ? "it ended with 0" : "it ended with 7";

	for (int i = 0; i < 2; i++)
		expect_promise_kept(self);
	ASSERT_EQ(0, tty_wait(&self->tty, "DENY    tcp    127.0.0.1"));
	stop(self);
	expect_promise_kept(self);
	ASSERT_EQ(0, tty_type(&self->tty, "\r"));
	EXPECT_EQ(0, tty_wait(&self->tty, "VERDICT PROTO"));
	EXPECT_EQ(0, tty_wait(&self->tty, "allow 3  deny 3"));
	EXPECT_FALSE(tty_is_restored(&self->tty));
	expect_promise_kept(self);
	EXPECT_EQ(0, tty_wait(&self->tty, "allow 4  deny 4"));
	expect_end(self, said);
}

/* It was cut off from the command's terminal, which it has again. */
TEST_F(job, that_was_stopped_has_the_output_again)
{
	char path[128];

	if (!variant->flood)
		return;
	stop(self);
	ASSERT_LT(0, dprintf(self->order, "flood\n"));
	/* More than the ring has: it goes on when the sandbox has lost its patience. */
	snprintf(path, sizeof(path), "%s/flooded", harness_dir());
	for (int64_t end = deadline_in(COMMAND_TIMEOUT); access(path, F_OK); poll(NULL, 0, 5))
		ASSERT_NE(0, deadline_left(end));
	expect_promise_kept(self);
	ASSERT_EQ(0, tty_type(&self->tty, "\r"));
	ASSERT_EQ(0, tty_wait(&self->tty, "VERDICT PROTO"));
	ASSERT_EQ(0, tty_type(&self->tty, F5));
	EXPECT_EQ(0, tty_wait(&self->tty, "flooded"));
	/* What is typed arrives again. */
	ASSERT_EQ(0, tty_type(&self->tty, "typed"));
	EXPECT_EQ(0, tty_wait(&self->tty, "typed"));
	expect_end(self, "it ended with 7");
	EXPECT_STRIN("flooded", self->tty.text);
}

/* ---- without a shell -------------------------------------------------------------- */

TEST(whom_nobody_could_continue_is_not_stopped)
{
	struct command run;
	struct tty tty;

	if (!netns_or_skip())
		return;
	setenv("XDG_RUNTIME_DIR", harness_dir(), 1);
	setenv("TERM", "xterm-256color", 1);
	ASSERT_EQ(0, tty_open(&tty, 24, 80));
	ASSERT_EQ(0, command_start(&run,
				   ARGS("sandtop", "--net-allow", "127.0.0.2", "--", "sh", "-c",
					"echo started; read x; exit 7"),
				   tty_become, &tty));
	ASSERT_EQ(0, tty_wait(&tty, "started"));
	ASSERT_EQ(0, tty_type(&tty, CTRL_BRACKET));
	ASSERT_EQ(0, tty_wait(&tty, "has not tried"));
	ASSERT_EQ(0, tty_type(&tty, CTRL_Z));
	EXPECT_EQ(0, tty_wait(&tty, "not stopped: there is no shell that could continue it"));
	EXPECT_EQ(0, tty_wait(&tty, "has not tried"));
	EXPECT_FALSE(tty_is_restored(&tty));
	ASSERT_EQ(0, tty_type(&tty, F5 "\r"));
	ASSERT_EQ(0, tty_wait_end(&tty, &run));
	EXPECT_EQ(7, command_code(&run));
	EXPECT_TRUE(tty_is_restored(&tty));
	command_free(&run);
	tty_close(&tty);
}

TEST_HARNESS_MAIN

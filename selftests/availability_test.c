/* SPDX-License-Identifier: MIT */
/*
 * Nothing that a command does keeps sandtop from serving others, and if the
 * supervisor dies or hangs all the same, everything ends with it: the hazards of
 * availability (attacks/elsewhere.h) that are more than one row of attacks_test.
 */
#include "selftests/harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "selftests/lib/attacked.h"
#include "selftests/lib/twin.h"

#define PERMIT ARGS("-q", "--net-allow", "any://127.0.0.1")

FIXTURE(availability)
{
	struct attacked at;
	struct twin twin;
	char path[96];
};

FIXTURE_SETUP(availability)
{
	attacked_init(&self->at);
}

FIXTURE_TEARDOWN(availability)
{
	twin_free(&self->twin);
	attacked_free(&self->at);
}

static void same(struct availability_data *self, const char *const argv[])
{
	twin_run(&self->twin, PERMIT, argv);
}

TEST_F(availability, signal_storm)
{
	same(self, ARGS("staller", "storm", "restart"));
	twin_free(&self->twin);
	same(self, ARGS("staller", "storm_udp", "interrupt"));
}

TEST_F(availability, blocking_connect)
{
	same(self, ARGS("staller", "busy", "connect"));
}

TEST_F(availability, blocking_send)
{
	same(self, ARGS("staller", "busy", "tcp"));
}

TEST_F(availability, lengths_of_messages)
{
	twin_run(&self->twin, attacked_options(ALLOW_LIST),
		 ARGS("attacker", "lengths_of_messages", ALLOWED_TEXT, FORBIDDEN_TEXT, "0"));
	EXPECT_STRIN("done\n", self->twin.sandboxed.command.out.text);
}

TEST_F(availability, storm_of_deaths)
{
	same(self, ARGS("crowd", "forks", "200"));
}

TEST_F(availability, storm_of_threads)
{
	ASSERT_EQ(0, sandbox_run(&self->at.sandbox, PERMIT, ARGS("crowd", "threads")));
	EXPECT_STREQ("wrong 0\n", self->at.sandbox.command.out.text);
}

/* End the file system, whoever waits for it (Documentation/filesystems/fuse.rst). */
static void abort_fuse(unsigned number)
{
	char control[128], at[160];
	int fd;

	snprintf(control, sizeof(control), "%s/control", harness_dir());
	ASSERT_EQ(0, mkdir(control, 0700));
	ASSERT_EQ(0, mount("none", control, "fusectl", 0, NULL));
	snprintf(at, sizeof(at), "%s/%u/abort", control, number);
	fd = open(at, O_WRONLY | O_CLOEXEC);
	EXPECT_EQ(1, write(fd, "1", 1));
	close(fd);
	EXPECT_EQ(0, umount2(control, MNT_DETACH));
}

/* Returns whether there is FUSE here. */
static bool attack_by_fuse(struct availability_data *self, const char *how)
{
	struct command *c = &self->at.sandbox.command;
	const char *const argv[] = { "attacker", "fuse",     ALLOWED_TEXT, FORBIDDEN_TEXT,
				     "0",        self->path, how,          NULL };

	snprintf(self->path, sizeof(self->path), "%s/%s", harness_dir(), how);
	ASSERT_EQ(0, mkdir(self->path, 0700));
	ASSERT_EQ(0,
		  sandbox_start(&self->at.sandbox, attacked_options(ALLOW_LIST), argv, NULL, NULL));
	ASSERT_EQ(0, sandbox_wait(&self->at.sandbox));
	if (!strstr(c->out.text, "absent: "))
		return true;
	TH_LOG("door absent: %s", c->out.text);
	return false;
}

/* Returns whether there is such memory here. */
static bool stall_by_fuse(struct availability_data *self, const char *how)
{
	struct command *c = &self->at.sandbox.command;
	unsigned number = 0;

	if (!attack_by_fuse(self, how))
		return false;
	EXPECT_EQ(1, sscanf(c->out.text, "waiting for %u\n", &number));
	if (!strcmp(how, "forlorn"))
		abort_fuse(number);
	EXPECT_EQ(125, command_code(c));
	EXPECT_STRNOTIN("not reached", c->out.text);
	EXPECT_STRIN("sandtop: the supervisor hung for 2 s: every task has been killed\n",
		     c->err.text);
	EXPECT_EQ(0, attacked_effects(&self->at));
	return true;
}

/* Only its death frees who waits for such memory; the guardian sees to that after 2 s. */
TEST_F(availability, fuse_memory)
{
	stall_by_fuse(self, "served");
}

/* A thread waits for that, and nobody else does: not the log either. */
TEST_F(availability, fuse_close)
{
	struct command *c = &self->at.sandbox.command;

	if (!attack_by_fuse(self, "flushed"))
		return;
	EXPECT_EQ(0, command_code(c));
	EXPECT_STRIN("no socket: 40 of 40\n", c->out.text);
	EXPECT_STRIN("done\n", c->out.text);
	EXPECT_STRNOTIN("hung", c->err.text);
	EXPECT_EQ(0, attacked_effects(&self->at));
}

/* Nor does its death, where it would have to end the file system itself: sandtop ends without. */
TEST_F(availability, unkillable)
{
	if (geteuid())
		TH_LOG("only root could end that file system");
	else if (stall_by_fuse(self, "forlorn"))
		EXPECT_STRIN("processes wait for a file system that does not answer",
			     self->at.sandbox.command.err.text);
}

TEST_F(availability, headless)
{
	ASSERT_EQ(0, sandbox_run(&self->at.sandbox, attacked_options(ALLOW_LIST),
				 attacked_by("headless", NULL)));
	EXPECT_EQ(0, command_code(&self->at.sandbox.command));
	EXPECT_STRIN("killed what the command left behind: attacker[",
		     self->at.sandbox.command.err.text);
}

TEST_F(availability, supervisor_killed)
{
	struct command *c = &self->at.sandbox.command;
	pid_t supervisor;

	ASSERT_EQ(0,
		  sandbox_start(&self->at.sandbox, NULL, attacked_by("hammer", NULL), NULL, NULL));
	attacked_says(&self->at, "hammering\n");
	EXPECT_EQ(0, server_wait(self->at.forbidden[1], 1, COMMAND_TIMEOUT));
	sandbox_free(&self->at.sandbox);
	attacked_renew(&self->at);
	ASSERT_EQ(0, sandbox_start(&self->at.sandbox, attacked_options(ALLOW_LIST),
				   attacked_by("hammer", NULL), NULL, NULL));
	attacked_says(&self->at, "hammering\n");
	supervisor = atoi(strstr(c->out.text, "supervisor ") + strlen("supervisor "));
	EXPECT_EQ(0, kill(supervisor, SIGKILL));
	ASSERT_EQ(0, sandbox_wait(&self->at.sandbox));
	EXPECT_EQ(125, command_code(c));
	EXPECT_STRIN("every task has been killed\n", c->err.text);
	EXPECT_EQ(0, attacked_effects(&self->at));
}

TEST_HARNESS_MAIN

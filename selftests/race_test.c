/* SPDX-License-Identifier: MIT */
/*
 * Races against the supervisor: each attack succeeds without sandtop and must
 * never succeed under it, however long it is tried.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "selftests/harness.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/sandbox.h"
#include "selftests/lib/server.h"

enum { ROUNDS = 20 }; /* at most */

FIXTURE(race)
{
	struct server *allowed, *denied;
	struct sandbox sandbox;
	char spec[64], ports[2][8];
};

FIXTURE_SETUP(race)
{
	netns_or_skip();
	self->allowed = server_new(SOCK_DGRAM, "127.0.0.1", 0);
	self->denied = server_new(SOCK_DGRAM, "127.0.0.1", 0);
	ASSERT_TRUE(self->allowed && self->denied);
	snprintf(self->ports[0], sizeof(self->ports[0]), "%u", server_port(self->allowed));
	snprintf(self->ports[1], sizeof(self->ports[1]), "%u", server_port(self->denied));
	snprintf(self->spec, sizeof(self->spec), "udp://127.0.0.1:%s", self->ports[0]);
}

FIXTURE_TEARDOWN(race)
{
	sandbox_free(&self->sandbox);
	server_free(self->allowed);
	server_free(self->denied);
}

/* On a busy machine the two threads may take turns that show nothing: once more, then. */
static void flip(struct race_data *self, const char *const options[], bool both)
{
	for (int i = 0; i < ROUNDS; i++) {
		sandbox_free(&self->sandbox);
		ASSERT_EQ(0, sandbox_run(&self->sandbox, options,
					 ARGS("racer", "flip", "127.0.0.1", self->ports[0],
					      self->ports[1])));
		ASSERT_EQ(0, command_code(&self->sandbox.command));
		ASSERT_EQ(0, server_knock(self->allowed));
		if (server_count(self->allowed) && (!both || server_count(self->denied)))
			break;
	}
	EXPECT_NE(0, server_count(self->allowed));
}

TEST_F(race, a_port_that_changes_reaches_both_without_a_sandbox)
{
	flip(self, NULL, true);
	EXPECT_NE(0, server_count(self->denied));
}

TEST_F(race, a_port_that_changes_never_reaches_the_denied_one)
{
	flip(self, ARGS("-q", "--net-allow", self->spec), false);
	EXPECT_EQ(0, server_count(self->denied));
}

TEST_F(race, a_listener_that_loses_its_address_is_open_to_all_without_a_sandbox)
{
	for (int i = 0; i < ROUNDS; i++) {
		sandbox_free(&self->sandbox);
		ASSERT_EQ(0, sandbox_run(&self->sandbox, NULL, ARGS("racer", "listen")));
		if (!strcmp("wild 1\n", self->sandbox.command.out.text))
			return;
	}
	EXPECT_STREQ("wild 1\n", self->sandbox.command.out.text);
}

TEST_F(race, a_listener_that_loses_its_address_is_refused)
{
	ASSERT_EQ(0, sandbox_run(&self->sandbox, ARGS("-q", "--net-allow", "127.0.0.1"),
				 ARGS("racer", "listen")));
	EXPECT_STREQ("wild 0\n", self->sandbox.command.out.text);
}

/* A control, without options, goes on until it has reached the denied one. */
static void swap(struct race_data *self, const char *const options[], const char *who)
{
	for (int i = 0; i < (options ? 1 : ROUNDS) && !server_count(self->denied); i++) {
		sandbox_free(&self->sandbox);
		ASSERT_EQ(0, sandbox_run(&self->sandbox, options,
					 ARGS("racer", "swap", who, "127.0.0.1", self->ports[1])));
		ASSERT_STREQ("done\n", self->sandbox.command.out.text);
		ASSERT_EQ(0, server_knock(self->denied));
	}
}

/* A call that the kernel runs itself looks the descriptor up once more. */
TEST_F(race, a_descriptor_that_changes_reaches_the_denied_one_without_a_sandbox)
{
	swap(self, NULL, "thread");
	EXPECT_NE(0, server_count(self->denied));
}

TEST_F(race, a_descriptor_that_another_process_changes_does_so_without_a_sandbox)
{
	swap(self, NULL, "process");
	EXPECT_NE(0, server_count(self->denied));
}

TEST_F(race, a_descriptor_that_a_thread_changes_never_reaches_the_denied_one)
{
	swap(self, ARGS("-q", "--net-allow", self->spec), "thread");
	EXPECT_EQ(0, server_count(self->denied));
}

TEST_F(race, a_descriptor_that_another_process_changes_never_reaches_the_denied_one)
{
	swap(self, ARGS("-q", "--net-allow", self->spec), "process");
	EXPECT_EQ(0, server_count(self->denied));
}

TEST_HARNESS_MAIN

/* SPDX-License-Identifier: MIT */
/*
 * Calls that block: they end when, and as, they would without sandtop, and
 * nobody else notices that they wait.
 */
#include "selftests/harness.h"

#include "selftests/lib/netns.h"
#include "selftests/lib/twin.h"

#define PERMIT ARGS("-q", "--net-allow", "any://*")

FIXTURE(blocked)
{
	struct twin twin;
};

FIXTURE_VARIANT(blocked)
{
	const char *kind;
};

#define KIND(name)                                                                                 \
	FIXTURE_VARIANT_ADD(blocked, name)                                                         \
	{                                                                                          \
#name                                                                              \
	}

KIND(connect);
KIND(unix_connect);
KIND(tcp);
KIND(stream);
KIND(dgram);
KIND(seqpacket);
KIND(tcp_many);
KIND(dgram_many);

FIXTURE_SETUP(blocked)
{
	netns_or_skip();
}

FIXTURE_TEARDOWN(blocked)
{
	twin_free(&self->twin);
}

TEST_F(blocked, keeps_its_time_limit)
{
	twin_run_at_once(&self->twin, PERMIT, ARGS("staller", "limit", variant->kind));
}

TEST_F(blocked, is_interrupted)
{
	twin_run_at_once(&self->twin, PERMIT,
			 ARGS("staller", "signal", variant->kind, "interrupt"));
	EXPECT_STRIN(" EINTR\nhandled 1\n", self->twin.sandboxed.command.out.text);
}

TEST_F(blocked, is_restarted)
{
	twin_run_at_once(&self->twin, PERMIT, ARGS("staller", "signal", variant->kind, "restart"));
	EXPECT_STRIN("handled 1\n", self->twin.sandboxed.command.out.text);
}

TEST_F(blocked, is_interrupted_despite_a_restart_when_it_has_a_limit)
{
	twin_run_at_once(&self->twin, PERMIT,
			 ARGS("staller", "signal", variant->kind, "restart", "limit"));
}

TEST_F(blocked, dies_at_once)
{
	twin_run_at_once(&self->twin, PERMIT, ARGS("staller", "kill", variant->kind));
	EXPECT_STRIN("killed by 9\n", self->twin.sandboxed.command.out.text);
}

TEST_F(blocked, stops_and_goes_on)
{
	twin_run_at_once(&self->twin, PERMIT, ARGS("staller", "stop", variant->kind));
	EXPECT_STRIN("stopped in time\nstopped 19\n", self->twin.sandboxed.command.out.text);
}

TEST_F(blocked, delays_nobody)
{
	twin_run_at_once(&self->twin, PERMIT, ARGS("staller", "busy", variant->kind));
	EXPECT_STRIN("served 3000, worst below half a second\n",
		     self->twin.sandboxed.command.out.text);
}

FIXTURE(scenario)
{
	struct twin twin;
};

FIXTURE_VARIANT(scenario)
{
	const char *args[4]; /* after "staller" */
};

#define SCENARIO(title, ...)                                                                       \
	FIXTURE_VARIANT_ADD(scenario, title)                                                       \
	{                                                                                          \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}

SCENARIO(tcp_partial_when_interrupted, "partial", "tcp", "interrupt");
SCENARIO(tcp_partial_despite_a_restart, "partial", "tcp", "restart");
SCENARIO(tcp_partial_at_the_limit, "partial", "tcp", "limit");
SCENARIO(stream_partial_when_interrupted, "partial", "stream", "interrupt");
SCENARIO(stream_partial_despite_a_restart, "partial", "stream", "restart");
SCENARIO(stream_partial_at_the_limit, "partial", "stream", "limit");
SCENARIO(connect_steps_of_who_waits, "steps", "block");
SCENARIO(connect_steps_of_who_does_not, "steps", "nonblock");
SCENARIO(more_connect_steps, "more_steps");
SCENARIO(epoll_registered_before_the_connect, "epoll");
SCENARIO(storm_with_restart, "storm", "restart");
SCENARIO(storm_without_restart, "storm", "interrupt");
SCENARIO(udp_storm_with_restart, "storm_udp", "restart");
SCENARIO(udp_storm_without_restart, "storm_udp", "interrupt");
SCENARIO(beside_stopped_tasks, "busy", "stopped");
SCENARIO(beside_a_close_that_lingers, "linger");

FIXTURE_SETUP(scenario)
{
	netns_or_skip();
}

FIXTURE_TEARDOWN(scenario)
{
	twin_free(&self->twin);
}

TEST_F(scenario, is_the_same)
{
	twin_run_at_once(&self->twin, PERMIT,
			 ARGS("staller", variant->args[0], variant->args[1], variant->args[2]));
	EXPECT_STRNOTIN("errno 512", self->twin.sandboxed.command.out.text);
}

TEST_HARNESS_MAIN

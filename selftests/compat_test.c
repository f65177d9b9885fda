/* SPDX-License-Identifier: MIT */
/*
 * Break no program: what one sees of a permitted network is what it sees without
 * sandtop. Each row runs twice, and exit status and output must be the same.
 * (Rows about sends are in send_test, about calls that wait in blocked_test,
 * about UNIX sockets in apps_test; selftests/programs runs real ones, and measures.)
 */
#include "selftests/harness.h"

#include <stdlib.h>
#include <string.h>

#include "selftests/lib/netns.h"
#include "selftests/lib/twin.h"

#define PERMIT ARGS("-q", "--net-allow", "any://*", "--net-allow-bind", "*")

FIXTURE(scenario)
{
	struct twin twin;
};

FIXTURE_VARIANT(scenario)
{
	const char *program, *name;
	const char *proof; /* sameness proves nothing if both are wrong */
};

#define SCENARIO(program, name, proof)                                                             \
	FIXTURE_VARIANT_ADD(scenario, program##_##name)                                            \
	{                                                                                          \
#program, #name, proof                                                             \
	}

SCENARIO(caller, names, "the same 1\n");
SCENARIO(caller, source, "server sees 127.0.0.9, a port\n");
SCENARIO(caller, nonblocking, "SO_ERROR ECONNREFUSED 0\n");
SCENARIO(caller, mptcp, "server received 'ask' 3\n");
SCENARIO(caller, fast_open_connect, "server received 'ask' 3\n");
SCENARIO(caller, unspec, "getpeername ENOTCONN\n");
SCENARIO(caller, halves, "sendmsg after it EPIPE\n");
SCENARIO(caller, time_wait, "bind without it EADDRINUSE\nbind with SO_REUSEADDR 0\n");
SCENARIO(caller, reuse_port, "accepted 40\nbind without it EADDRINUSE\n");
SCENARIO(caller, defer_accept, "before data 0\n");
SCENARIO(caller, device, "SO_BINDTODEVICE 'nonsuch' ENODEV\n");
SCENARIO(caller, scope, "connect without a scope EINVAL\n");
SCENARIO(caller, multicast, "member received 'to all' 6\n");
SCENARIO(caller, gro, "recvmsg, control UDP_GRO 1000\n");
SCENARIO(caller, receive_many, "recvmmsg 3\n0 '' flags 0\n5 'first' flags 0\n");
SCENARIO(caller, abstract, "receiver received 'two' 3\n");
SCENARIO(blunderer, descriptor, "connect to 16 bytes nowhere EFAULT\n");
SCENARIO(parent, starts, "vfork: 100\nvfork of nothing: 1\nposix_spawn: 100\n");
SCENARIO(parent, fork_storm, "ended well 500\nreceived 500\n");
SCENARIO(parent, daemonize, "the daemon says 'a session of my parent's 1'\n");
SCENARIO(parent, urgent, "connected 400, sent 400, accepted 400\n");

FIXTURE_SETUP(scenario)
{
	if (netns_or_skip())
		ASSERT_EQ(0, netns_add_address("fe80::1"));
}

FIXTURE_TEARDOWN(scenario)
{
	twin_free(&self->twin);
}

TEST_F(scenario, is_the_same)
{
	twin_run(&self->twin, PERMIT, ARGS(variant->program, variant->name));
	EXPECT_STRIN(variant->proof, self->twin.native.command.out.text);
}

TEST_HARNESS_MAIN

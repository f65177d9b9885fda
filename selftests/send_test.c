/* SPDX-License-Identifier: MIT */
/*
 * Sends on behalf: what a permitted one does is what it does without sandtop,
 * down to the errno of a bad pointer; what a denied one does is nothing.
 */
#include "selftests/harness.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "selftests/lib/deadline.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/server.h"
#include "selftests/lib/twin.h"

enum { PORT = 8080 };

/* Everything on this machine that a scenario talks to is permitted. */
#define PERMIT ARGS("-q", "--net-allow", "any://*")

/* ---- the matrix -------------------------------------------------------- */

enum policy { NO_SANDBOX, ALLOW, DENY };

struct family {
	const char *address; /* as the command writes it */
	const char *judged;
	const char *spec;
};

static const struct family ipv4 = { "127.0.0.1", "127.0.0.1", "127.0.0.1" };
static const struct family ipv6 = { "::1", "::1", "[::1]" };
static const struct family mapped = { "::ffff:127.0.0.1", "127.0.0.1", "127.0.0.1" };

FIXTURE(matrix)
{
	struct server *server;
	struct sandbox sandbox;
};

FIXTURE_VARIANT(matrix)
{
	enum policy policy;
	const struct family *family;
	int type; /* SOCK_DGRAM; SOCK_STREAM: with MSG_FASTOPEN */
	const char *waiting;
};

#define ROW(name, ...)                                                                             \
	FIXTURE_VARIANT_ADD(matrix, name)                                                          \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

#define WAITING(name, ...)                                                                         \
	ROW(name##_blocking, __VA_ARGS__, NULL);                                                   \
	ROW(name##_with_dontwait, __VA_ARGS__, "dontwait");                                        \
	ROW(name##_with_o_nonblock, __VA_ARGS__, "nonblock")

#define POLICIES(name, ...)                                                                        \
	WAITING(no_sandbox_##name, NO_SANDBOX, __VA_ARGS__);                                       \
	WAITING(allowed_##name, ALLOW, __VA_ARGS__);                                               \
	WAITING(denied_##name, DENY, __VA_ARGS__)

POLICIES(ipv4_udp, &ipv4, SOCK_DGRAM);
POLICIES(ipv6_udp, &ipv6, SOCK_DGRAM);
POLICIES(mapped_udp, &mapped, SOCK_DGRAM);
POLICIES(ipv4_fast_open, &ipv4, SOCK_STREAM);
POLICIES(ipv6_fast_open, &ipv6, SOCK_STREAM);
POLICIES(mapped_fast_open, &mapped, SOCK_STREAM);

/* The oracle. */
static bool must_arrive(enum policy policy)
{
	return policy != DENY;
}

FIXTURE_SETUP(matrix)
{
	if (!netns_or_skip())
		return;
	self->server = server_new(variant->type, variant->family->judged, PORT);
	ASSERT_NE(NULL, self->server);
}

FIXTURE_TEARDOWN(matrix)
{
	sandbox_free(&self->sandbox);
	server_free(self->server);
}

static void check_call(struct matrix_data *self, const struct matrix_variant *variant,
		       const char *call, const char *success)
{
	bool is_udp = variant->type == SOCK_DGRAM;
	char spec[64], expected[64], seen[64] = "";
	const json_t *decision;

	snprintf(spec, sizeof(spec), "%s://%s:%d", is_udp ? "udp" : "tcp", variant->family->spec,
		 PORT);
	ASSERT_EQ(0,
		  sandbox_run(&self->sandbox,
			      variant->policy == NO_SANDBOX ? NULL
			      : variant->policy == ALLOW    ? ARGS("--net-allow", spec)
							    : ARGS("--net-deny", spec),
			      ARGS("probe", call, is_udp ? "udp" : "tcp", variant->family->address,
				   "8080", is_udp ? "nosignal" : "fastopen", variant->waiting)));
	EXPECT_EQ(0, server_knock(self->server));
	snprintf(expected, sizeof(expected), "%s %s\n", call,
		 must_arrive(variant->policy) ? success : "ECONNREFUSED");
	EXPECT_STREQ(expected, self->sandbox.command.out.text);
	EXPECT_EQ(must_arrive(variant->policy), server_count(self->server));
	if (must_arrive(variant->policy)) {
		EXPECT_EQ(5, server_payload(self->server, 0, seen, sizeof(seen), COMMAND_TIMEOUT));
		EXPECT_STREQ("hello", seen);
	}
	if (variant->policy == NO_SANDBOX)
		return;
	decision = sandbox_event(&self->sandbox, "decision", 0);
	EXPECT_NULL(sandbox_event(&self->sandbox, "decision", 1));
	EXPECT_STREQ(call, event_text(decision, "syscall"));
	EXPECT_STREQ(variant->family->judged, event_text(decision, "addr"));
	EXPECT_EQ(PORT, event_number(decision, "port"));
	EXPECT_STREQ(variant->policy == ALLOW ? "allow" : "deny", event_text(decision, "verdict"));
}

TEST_F(matrix, sendto)
{
	check_call(self, variant, "sendto", "5");
}

TEST_F(matrix, sendmsg)
{
	check_call(self, variant, "sendmsg", "5");
}

TEST_F(matrix, sendmmsg)
{
	check_call(self, variant, "sendmmsg", "1: 5");
}

/* ---- scenarios that must not notice sandtop ---------------------------- */

FIXTURE(scenario)
{
	struct twin twin;
};

FIXTURE_VARIANT(scenario)
{
	const char *program, *name;
};

#define SCENARIO(program, name)                                                                    \
	FIXTURE_VARIANT_ADD(scenario, program##_##name)                                            \
	{                                                                                          \
#program, #name                                                                    \
	}

SCENARIO(sender, connected);
SCENARIO(sender, connected_stream);
SCENARIO(sender, many);
SCENARIO(sender, too_many);
SCENARIO(repeater, series);
SCENARIO(sender, empty);
SCENARIO(sender, sizes);
SCENARIO(sender, scatter);
SCENARIO(sender, scatter_many);
SCENARIO(sender, large_many);
SCENARIO(sender, bad_pointers);
SCENARIO(sender, bad_entries);
SCENARIO(sender, read_only_headers);
SCENARIO(sender, bad_stream);
SCENARIO(sender, lengths);
SCENARIO(sender, unspec);
SCENARIO(sender, big);
SCENARIO(sender, big_without_waiting);
SCENARIO(sender, more);
SCENARIO(sender, out_of_band);
SCENARIO(sender, flags);
SCENARIO(sender, fast_open);
SCENARIO(repeater, routine);
SCENARIO(sender, same_port);
SCENARIO(courier, internet);
SCENARIO(courier, segment);
SCENARIO(courier, odd);
SCENARIO(courier, rights);
SCENARIO(courier, rights_in_use);
SCENARIO(courier, sigpipe);
SCENARIO(courier, sigpipe_unhandled);

FIXTURE_SETUP(scenario)
{
	netns_or_skip();
}

FIXTURE_TEARDOWN(scenario)
{
	twin_free(&self->twin);
}

/* Sameness proves nothing if both are wrong: what the peer must have said in the end. */
static const struct {
	const char *name, *line;
} proofs[] = {
	{ "many", "ipv4 1024 1024\nlengths 1024, whole 1024, other 0, untouched 1\n" },
	{ "sizes", "ipv4 sendmsg 65507 65507\ngot 65507 " },
	{ "big", "sendmsg 67108864\nreceived 67108864 9c076e697d81e971\n" },
	{ "internet", "from 127.0.0.5\n" },
	{ "segment", "sendmsg 450\ngot 100 " },
	{ "rights", "stream sendmsg 253 6\ngot 6\ndescriptors 253, right 253, more 0\n" },
	{ "sigpipe", "tcp\nsendmsg EPIPE\nsignals 1, to the caller\n" },
	{ "more", "got 13 'one two three'\n" },
	{ "routine", "last place 26\ngot 26 'ddddddddddDDDDDDDDDDDDDDDD'\n" },
	{ "same_port", "bound again and again\n" },
};

TEST_F(scenario, is_the_same)
{
	twin_run(&self->twin, PERMIT, ARGS(variant->program, variant->name, NETNS_ADDR6));
	for (size_t i = 0; i < sizeof(proofs) / sizeof(*proofs); i++)
		if (!strcmp(proofs[i].name, variant->name))
			EXPECT_STRIN(proofs[i].line, self->twin.sandboxed.command.out.text);
}

/* ---- afterwards -------------------------------------------------------- */

FIXTURE(after)
{
	struct command command;
};

FIXTURE_VARIANT(after)
{
	const char *call, *family, *address;
};

#define AFTER(name, ...)                                                                           \
	FIXTURE_VARIANT_ADD(after, name)                                                           \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

AFTER(a_sendto, "sendto", "udp4", "127.0.0.1");
AFTER(a_sendmsg, "sendmsg", "udp4", "127.0.0.1");
AFTER(a_connect, "connect", "udp4", "127.0.0.1");
AFTER(a_denied_sendto, "sendto", "udp4", "127.0.0.3");
AFTER(a_tcp_connect, "connect", "tcp4", "127.0.0.1");

FIXTURE_SETUP(after)
{
	netns_or_skip();
}

FIXTURE_TEARDOWN(after)
{
	command_free(&self->command);
}

/* Whether the port of the task's socket gets free, while nothing happens that wakes sandtop. */
static bool gets_free(int type)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(9000) };
	int64_t deadline = deadline_in(1000);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	int ret;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	while ((ret = bind(fd, (struct sockaddr *)&at, sizeof(at))) && deadline_again(deadline))
		;
	close(fd);
	return ret == 0;
}

TEST_F(after, a_closed_socket_is_closed)
{
	ASSERT_EQ(0, command_start(&self->command,
				   ARGS("sandtop", "-b", "-q", "--net-allow", "any://127.0.0.1",
					"--", "probe", "bind", variant->family, "127.0.0.1", "9000",
					",", variant->call, "same", variant->address, "8080", ",",
					"close", "same", ",", "signals"),
				   NULL, NULL));
	ASSERT_EQ(0,
		  command_wait_text(&self->command, &self->command.out, "ready", COMMAND_TIMEOUT));
	EXPECT_STRIN("bind 0\n", self->command.out.text);
	EXPECT_STRIN("close 0\n", self->command.out.text);
	EXPECT_TRUE(gets_free(strncmp(variant->family, "tcp", 3) ? SOCK_DGRAM : SOCK_STREAM));
}

/* ---- what is denied ---------------------------------------------------- */

FIXTURE(denied)
{
	struct server *server;
	struct sandbox sandbox;
};

FIXTURE_SETUP(denied)
{
	if (!netns_or_skip())
		return;
	self->server = server_new(SOCK_DGRAM, "127.0.0.1", PORT);
	ASSERT_NE(NULL, self->server);
}

FIXTURE_TEARDOWN(denied)
{
	sandbox_free(&self->sandbox);
	server_free(self->server);
}

static void run_denied(struct denied_data *self, const char *const options[],
		       const char *const argv[], const char *output)
{
	ASSERT_EQ(0, sandbox_run(&self->sandbox, options, argv));
	EXPECT_STREQ(output, self->sandbox.command.out.text)
	{
		TH_LOG("%s", self->sandbox.command.err.text);
	}
	EXPECT_EQ(0, server_knock(self->server));
}

/* Entry K of 1024 is denied: K are sent, and neither it nor any after it arrives. */
static void expect_stop_at(struct denied_data *self, int k)
{
	char text[16], expected[128];

	snprintf(text, sizeof(text), "%d", k);
	if (k)
		snprintf(expected, sizeof(expected),
			 "sendmmsg %d\nlengths %d, whole %d, other 0, untouched %d\n", k, k, k,
			 1025 - k);
	else
		snprintf(expected, sizeof(expected),
			 "sendmmsg ECONNREFUSED\nlengths 0, whole 0, other 0, untouched 1025\n");
	run_denied(self, ARGS("-q", "--net-allow", "udp://127.0.0.2"),
		   ARGS("sender", "denied", "127.0.0.1", "8080", text), expected);
	EXPECT_EQ(0, server_count(self->server));
	sandbox_free(&self->sandbox);
}

TEST_F(denied, first_entry_of_a_sendmmsg)
{
	expect_stop_at(self, 0);
}

TEST_F(denied, later_entry_of_a_sendmmsg)
{
	static const int k[] = { 1, 63, 64, 65, 500, 1023 };

	for (size_t i = 0; i < sizeof(k) / sizeof(*k); i++)
		expect_stop_at(self, k[i]);
}

/* It is where the address of a message was that went before. */
TEST_F(denied, entry_of_a_sendmmsg_like_those_before)
{
	run_denied(self, ARGS("-q", "--net-allow", "udp://127.0.0.2"),
		   ARGS("repeater", "denied_later", "127.0.0.1", "8080"),
		   "sendmmsg 8\nsendmmsg 8\nsendmmsg 8\nsendmmsg 5\n");
	EXPECT_EQ(0, server_count(self->server));
}

/* net/ipv4/udp.c udp_sendmsg(): AF_UNSPEC stands for AF_INET in a send. */
TEST_F(denied, address_without_a_family)
{
	run_denied(self, ARGS("-q", "--net-deny", "udp://127.0.0.1:8080"),
		   ARGS("probe", "sendto", "udp4", "unspec/127.0.0.1", "8080", ",", "sendmsg",
			"udp4", "unspec/127.0.0.1", "8080", ",", "sendmmsg", "udp4",
			"unspec/127.0.0.1", "8080"),
		   "sendto ECONNREFUSED\nsendmsg ECONNREFUSED\nsendmmsg ECONNREFUSED\n");
	EXPECT_EQ(0, server_count(self->server));
}

TEST_F(denied, address_without_a_family_that_is_allowed)
{
	run_denied(self, ARGS("-q", "--net-allow", "udp://127.0.0.1:8080"),
		   ARGS("probe", "sendto", "udp4", "unspec/127.0.0.1", "8080", ",", "sendmsg",
			"udp4", "unspec/127.0.0.1", "8080", ",", "sendmmsg", "udp4",
			"unspec/127.0.0.1", "8080"),
		   "sendto 5\nsendmsg 5\nsendmmsg 1: 5\n");
	EXPECT_EQ(3, server_count(self->server));
}

/* On an IPv6 socket it stands for nothing: the connected peer gets it, who was judged. */
TEST_F(denied, name_beside_the_connected_one)
{
	run_denied(self, ARGS("-q", "--net-allow", "udp://127.0.0.1:9"),
		   ARGS("probe", "connect", "udp4", "127.0.0.1", "9", ",", "sendto", "same",
			"127.0.0.1", "8080", ",", "sendmsg", "same", "127.0.0.1", "8080", ",",
			"sendmmsg", "same", "127.0.0.1", "8080"),
		   "connect 0\nsendto ECONNREFUSED\nsendmsg ECONNREFUSED\n"
		   "sendmmsg ECONNREFUSED\n");
	EXPECT_EQ(0, server_count(self->server));
}

TEST_F(denied, zero_length_datagram)
{
	run_denied(self, ARGS("-q", "--net-deny", "udp://127.0.0.1:8080"),
		   ARGS("probe", "sendto", "udp4", "127.0.0.1", "8080", "size=0", ",", "sendmsg",
			"udp4", "127.0.0.1", "8080", "size=0", ",", "sendmmsg", "udp4", "127.0.0.1",
			"8080", "size=0"),
		   "sendto ECONNREFUSED\nsendmsg ECONNREFUSED\nsendmmsg ECONNREFUSED\n");
	EXPECT_EQ(0, server_count(self->server));
}

/* ---- routes by way of others ------------------------------------------- */

/*
 * The control: natively an IPv4 route is taken from who has CAP_NET_RAW. A kernel
 * without Mobile IPv6 refuses its routing header, and none takes that of segments
 * in a control message (net/ipv6/datagram.c ip6_datagram_send_ctl()): there the
 * kernel's EINVAL shows that it is sandtop who says EPERM.
 */
TEST_F(denied, route_in_a_control_message)
{
	ASSERT_EQ(0, sandbox_run(&self->sandbox, NULL, ARGS("courier", "routes")));
	EXPECT_STRIN(geteuid() ? "segments sendmsg EINVAL\n"
			       : "loose sendmsg 6\nloose sendmmsg 6\n",
		     self->sandbox.command.out.text);
	TH_LOG("native: %s", self->sandbox.command.out.text);
	sandbox_free(&self->sandbox);
	run_denied(self, PERMIT, ARGS("courier", "routes"),
		   "loose sendmsg EPERM\nloose sendmmsg EPERM\n"
		   "strict sendmsg EPERM\nstrict sendmmsg EPERM\n"
		   "segments sendmsg EPERM\nsegments sendmmsg EPERM\n"
		   "mobile sendmsg EPERM\nmobile sendmmsg EPERM\n"
		   "old segments sendmsg EPERM\nold segments sendmmsg EPERM\n"
		   "old mobile sendmsg EPERM\nold mobile sendmmsg EPERM\n");
}

/* Natively IP_OPTIONS with a route takes CAP_NET_RAW, IPV6_RTHDR nothing. */
TEST_F(denied, route_in_a_socket_option)
{
	ASSERT_EQ(0, sandbox_run(&self->sandbox, NULL, ARGS("courier", "route_options")));
	EXPECT_STRIN("segments 0\n", self->sandbox.command.out.text);
	TH_LOG("native: %s", self->sandbox.command.out.text);
	sandbox_free(&self->sandbox);
	run_denied(self, PERMIT, ARGS("courier", "route_options"),
		   "loose EPERM\nstrict EPERM\nsegments EPERM\n");
}

TEST_HARNESS_MAIN

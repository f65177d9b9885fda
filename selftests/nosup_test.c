/* SPDX-License-Identifier: MIT */
/*
 * --no-supervisor: Landlock's port rules and the static part of the filter, and
 * nothing that only a supervisor could do.
 */
#include "selftests/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "selftests/lib/command.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/server.h"

enum { PORT = 8080, OTHER_PORT = 8081 };

#define ALONE "sandtop", "-b", "--no-supervisor"

/* ---- what is enforced -------------------------------------------------- */

FIXTURE(alone)
{
	struct command c, control;
	struct server *tcp4, *tcp6, *other, *udp;
};

FIXTURE_SETUP(alone)
{
	if (!netns_or_skip())
		return;
	self->tcp4 = server_new(SOCK_STREAM, "127.0.0.1", PORT);
	self->tcp6 = server_new(SOCK_STREAM, "::1", PORT);
	self->other = server_new(SOCK_STREAM, "127.0.0.1", OTHER_PORT);
	self->udp = server_new(SOCK_DGRAM, "127.0.0.1", PORT);
	ASSERT_TRUE(self->tcp4 && self->tcp6 && self->other && self->udp);
}

FIXTURE_TEARDOWN(alone)
{
	command_free(&self->c);
	command_free(&self->control);
	server_free(self->tcp4);
	server_free(self->tcp6);
	server_free(self->other);
	server_free(self->udp);
}

static void expect_output(struct command *c, const char *const argv[], const char *output)
{
	ASSERT_EQ(0, command_run(c, argv));
	EXPECT_EQ(0, command_code(c));
	EXPECT_STREQ(output, c->out.text)
	{
		TH_LOG("%s", c->err.text);
	}
}

static void expect_count(size_t count, struct server *s)
{
	EXPECT_EQ(count, server_count(s));
}

#define CONNECTS                                                                                   \
	"probe", "connect", "tcp", "127.0.0.1", "8080", ",", "connect", "tcp", "::1", "8080", ",", \
		"connect", "tcp", "::ffff:127.0.0.1", "8080", ",", "connect", "tcp", "127.0.0.1",  \
		"8081", ",", "exec", ",", "connect", "tcp", "127.0.0.1", "8081"

TEST_F(alone, connect_by_port)
{
	expect_output(&self->control, ARGS(CONNECTS),
		      "connect 0\nconnect 0\nconnect 0\nconnect 0\ndescriptor 0\nconnect 0\n");
	expect_count(2, self->other);
	expect_output(&self->c, ARGS(ALONE, "--net-allow", ":8080", "--", CONNECTS),
		      "connect 0\nconnect 0\nconnect 0\nconnect EACCES\ndescriptor "
		      "0\nconnect EACCES\n");
	expect_count(4, self->tcp4);
	expect_count(2, self->tcp6);
	expect_count(2, self->other);
}

TEST_F(alone, connect_by_range_and_list)
{
	expect_output(
		&self->c,
		ARGS(ALONE, "--net-allow", ":80,8081-8090", "--net-allow", ":9", "--", CONNECTS),
		"connect EACCES\nconnect EACCES\nconnect EACCES\nconnect 0\n"
		"descriptor 0\nconnect 0\n");
}

TEST_F(alone, connect_to_every_port)
{
	expect_output(&self->c, ARGS(ALONE, "--net-allow", ":*", "--", CONNECTS),
		      "connect 0\nconnect 0\nconnect 0\nconnect 0\ndescriptor 0\nconnect 0\n");
}

#define BINDS                                                                                      \
	"probe", "bind", "tcp", "127.0.0.1", "9000", ",", "listen", "same", ",", "bind", "tcp",    \
		"::1", "9001", ",", "bind", "tcp", NETNS_ADDR4, "9005"

TEST_F(alone, bind_by_port)
{
	expect_output(&self->control, ARGS(BINDS), "bind 0\nlisten 0\nbind 0\nbind 0\n");
	expect_output(&self->c,
		      ARGS(ALONE, "--net-allow", ":8080", "--net-allow-bind", "9000,9005-9006",
			   "--", BINDS),
		      "bind 0\nlisten 0\nbind EACCES\nbind 0\n");
}

TEST_F(alone, bind_is_denied_without_an_option)
{
	ASSERT_EQ(0, command_run(&self->c, ARGS(ALONE, "--net-allow", ":8080", "--", BINDS)));
	EXPECT_STRIN("bind EACCES\n", self->c.out.text);
	EXPECT_STRNOTIN("bind 0\n", self->c.out.text);
}

TEST_F(alone, bind_by_a_list_of_denied_ports)
{
	expect_output(&self->c,
		      ARGS(ALONE, "--net-allow", ":8080", "--net-deny-bind", "9001", "--", BINDS),
		      "bind 0\nlisten 0\nbind EACCES\nbind 0\n");
}

/* Landlock knows TCP alone, and connect(2) and bind(2) alone: the filter shuts the rest. */
#define SIDE_WAYS                                                                                  \
	"probe", "sendto", "udp", "127.0.0.1", "8080", ",", "connect", "udp", "::1", "8080", ",",  \
		"socket", "inet", "dgram", "icmp", ",", "sendto", "tcp", "127.0.0.1", "8081",      \
		"fastopen", ",", "sendmsg", "tcp", "127.0.0.1", "8081", "fastopen", ",",           \
		"sendmmsg", "tcp", "127.0.0.1", "8081", "fastopen", ",", "sendto", "tcp",          \
		"127.0.0.1", "8081", "fastopen", "upper", ",", "socket", "inet", "stream",         \
		"mptcp", ",", "socket", "inet6", "stream", "mptcp", ",", "socket", "inet", "raw",  \
		"icmp", ",", "syscall", "425", "1", "0"

TEST_F(alone, the_ways_around_landlock_are_shut)
{
	ASSERT_EQ(0, command_run(&self->control, ARGS(SIDE_WAYS)));
	EXPECT_STRIN("sendto 5\n", self->control.out.text);
	EXPECT_STRIN("sendmmsg 1: 5\n", self->control.out.text);
	expect_count(1, self->udp);
	expect_count(4, self->other);
	expect_output(&self->c, ARGS(ALONE, "--net-allow", ":8080", "--", SIDE_WAYS),
		      "socket EACCES\nsendto EBADF\nsocket EACCES\nconnect EBADF\nsocket EACCES\n"
		      "sendto EACCES\nsendmsg EACCES\nsendmmsg EACCES\nsendto EACCES\n"
		      "socket EPROTONOSUPPORT\nsocket EPROTONOSUPPORT\nsocket EPERM\n"
		      "syscall ENOSYS\n");
	expect_count(1, self->udp);
	expect_count(4, self->other);
}

/* Not even for a port that is permitted: the filter cannot see where it goes. */
TEST_F(alone, fast_open_is_denied_to_every_port)
{
	expect_output(&self->c,
		      ARGS(ALONE, "--net-allow", ":8080", "--", "probe", "sendto", "tcp",
			   "127.0.0.1", "8080", "fastopen"),
		      "sendto EACCES\n");
	expect_count(0, self->tcp4);
}

/* A connected stream needs nobody to serve it. */
TEST_F(alone, connected_sends_work)
{
	char text[32];

	expect_output(&self->c,
		      ARGS(ALONE, "--net-allow", ":8080", "--", "probe", "connect", "tcp",
			   "127.0.0.1", "8080", ",", "send", "same", ",", "sendmsg", "same", "none",
			   "0"),
		      "connect 0\nsend 5\nsendmsg 5\n");
	EXPECT_EQ(0, server_wait(self->tcp4, 1, COMMAND_TIMEOUT));
	EXPECT_EQ(10, server_payload(self->tcp4, 0, text, sizeof(text), COMMAND_TIMEOUT));
}

TEST_F(alone, unix_sockets_of_the_host_are_not_filtered_and_that_is_said)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/host", harness_dir());
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&at, sizeof(at)));
	ASSERT_EQ(0, listen(fd, 4));
	expect_output(&self->c,
		      ARGS(ALONE, "--net-allow", ":8080", "--", "probe", "connect", "stream",
			   at.sun_path, "0"),
		      "connect 0\n");
	EXPECT_STRIN("sandtop: ", self->c.err.text);
	EXPECT_STRIN("UNIX", self->c.err.text);
	close(fd);
}

TEST_F(alone, the_commands_status_is_that_of_the_run)
{
	ASSERT_EQ(0, command_run(&self->c,
				 ARGS(ALONE, "--net-allow", ":8080", "--", "sh", "-c", "exit 42")));
	EXPECT_EQ(42, command_code(&self->c));
	command_free(&self->c);
	ASSERT_EQ(0, command_run(&self->c, ARGS(ALONE, "--net-allow", ":8080", "--", "/no/such")));
	EXPECT_EQ(127, command_code(&self->c));
}

TEST_F(alone, nobody_is_between_the_shell_and_the_command)
{
	ASSERT_EQ(0, command_run(&self->c, ARGS(ALONE, "--net-allow", ":8080", "--", "sh", "-c",
						"echo $$ $PPID; grep -c . /proc/self/status;"
						"grep NoNewPrivs /proc/self/status")));
	EXPECT_EQ(self->c.pid, atoi(self->c.out.text));
	EXPECT_STRIN("NoNewPrivs:\t1\n", self->c.out.text);
}

/* ---- what it cannot express -------------------------------------------- */

FIXTURE(inexpressible)
{
	struct command c;
};

FIXTURE_VARIANT(inexpressible)
{
	const char *options[9];
	const char *offenders[5]; /* every one must be named */
};

#define OFFENDERS(...)                                                                             \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define ROW(name, offenders, ...)                                                                  \
	FIXTURE_VARIANT_ADD(inexpressible, name)                                                   \
	{                                                                                          \
		{ __VA_ARGS__ }, OFFENDERS offenders                                               \
	}

ROW(deny, ("10.0.0.0/8"), "--net-deny", "10.0.0.0/8");
ROW(deny_of_a_port, (":25"), "--net-deny", ":25");
ROW(address, ("127.0.0.1:80"), "--net-allow", "127.0.0.1:80");
ROW(host, ("localhost:80"), "--net-allow", "localhost:80");
ROW(udp, ("udp://*:53"), "--net-allow", "udp://*:53");
ROW(shorthand_for_udp, ("udp"), "--allow-udp");
ROW(icmp, ("icmp://*"), "--net-allow", "icmp://*");
ROW(any, ("any://*:80"), "--net-allow", "any://*:80");
ROW(inbound_rule, ("allow in :80"), "--rule", "allow in :80");
ROW(deny_rule, ("deny :80"), "--rule", "deny :80");
ROW(preset, ("private"), "--preset", "public-only");
ROW(default_allow, ("--default"), "--rule", "allow :80", "--default", "allow");
ROW(json, ("--json"), "--net-allow", ":80", "--json", "/dev/null");
ROW(log, ("--log"), "--net-allow", ":80", "--log", "/dev/null");
ROW(several, ("127.0.0.1:80", "udp://*:53", "[::1]:443", "--json", "--log"), "--net-allow",
    "127.0.0.1:80,udp://*:53", "--net-allow", "[::1]:443,:22", "--json", "/dev/null", "--log",
    "/dev/null");

FIXTURE_SETUP(inexpressible)
{
}

FIXTURE_TEARDOWN(inexpressible)
{
	command_free(&self->c);
}

TEST_F(inexpressible, is_refused_with_all_offenders)
{
	const char *argv[24] = { ALONE };
	int used = 3;

	for (int i = 0; i < 9 && variant->options[i]; i++)
		argv[used++] = variant->options[i];
	argv[used++] = "--";
	argv[used++] = "echo";
	argv[used++] = "ran";
	ASSERT_EQ(0, command_run(&self->c, argv));
	EXPECT_EQ(2, command_code(&self->c));
	EXPECT_STREQ("", self->c.out.text);
	EXPECT_STRIN("sandtop: --no-supervisor", self->c.err.text);
	for (int i = 0; i < 5 && variant->offenders[i]; i++)
		EXPECT_STRIN(variant->offenders[i], self->c.err.text);
	EXPECT_EQ('\n', self->c.err.text[strcspn(self->c.err.text, "\n")]);
	EXPECT_EQ(strlen(self->c.err.text), strcspn(self->c.err.text, "\n") + 1);
}

TEST_HARNESS_MAIN

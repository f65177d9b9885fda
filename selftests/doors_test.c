/* SPDX-License-Identifier: MIT */
/*
 * The doors of the host: UNIX sockets that a rule opens, and only those; tasks
 * that see other paths or are other users; the supervisor itself.
 */
#include "selftests/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "selftests/lib/netns.h"
#include "selftests/lib/twin.h"
#include "selftests/lib/unixserver.h"

/* ---- rules ------------------------------------------------------------- */

/* "%" in `from` becomes the test's directory; a ring of buffers. */
static const char *expand(const char *from)
{
	static char room[16][512];
	static unsigned next;
	char *buf = room[next++ % 16];
	const char *percent = strchr(from, '%');

	if (!percent)
		return from;
	snprintf(buf, sizeof(room[0]), "%.*s%s%s", (int)(percent - from), from, harness_dir(),
		 percent + 1);
	return buf;
}

FIXTURE(rule)
{
	struct sandbox sandbox;
	int service;
};

FIXTURE_VARIANT(rule)
{
	const char *service, *knocked; /* what is there, and what the task asks for */
	const char *rule; /* of the decision; NULL: the host's socket is reached free */
	bool allowed;
	const char *options[8];
};

#define ROW(title, service_name, knocked_at, given, is_allowed, ...)                               \
	FIXTURE_VARIANT_ADD(rule, title)                                                           \
	{                                                                                          \
		service_name, knocked_at, given, is_allowed,                                       \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}

ROW(control, "%/host", "%/host", NULL, true, NULL);
ROW(none, "%/host", "%/host", "unix-default", false, "--net-allow", ":443");
ROW(none_in_a_deny_list, "%/host", "%/host", "unix-default", false, "--net-deny", "10.0.0.0/8");
ROW(none_by_default_allow, "%/host", "%/host", "unix-default", false, "--rule", "deny 10.0.0.0/8",
    "--default", "allow");
ROW(of_the_path, "%/host", "%/host", "allow unix:%/host", true, "--net-allow", "unix:%/host");
ROW(of_another_path, "%/host", "%/host", "unix-default", false, "--net-allow", "unix:%/hos");
ROW(of_a_beginning, "%/host", "%/host", "allow unix:%/ho*", true, "--net-allow", "unix:%/ho*");
ROW(of_the_directory, "%/host", "%/host", "allow unix:%/*", true, "--net-allow", "unix:%/*");
ROW(of_another_beginning, "%/host", "%/host", "unix-default", false, "--net-allow", "unix:%/x*");
ROW(by_a_link_in_the_rule, "%/host", "%/host", "allow unix:%/link/host", true, "--net-allow",
    "unix:%/link/host");
ROW(by_a_link_of_the_task, "%/host", "%/link/host", "allow unix:%/host", true, "--net-allow",
    "unix:%/host");
ROW(of_where_a_link_is, "%/host", "%/link/host", "unix-default", false, "--net-allow",
    "unix:%/lin*");
ROW(with_a_variable, "%/host", "%/host", "allow unix:$DOORS/host", true, "--net-allow",
    "unix:$DOORS/host");
ROW(with_a_variable_alone, "%/host", "%/host", "allow unix:$DOOR", true, "--net-allow",
    "unix:$DOOR");
ROW(that_comes_too_late, "%/host", "%/host", "deny unix:%/host", false, "--rule",
    "deny unix:%/host", "--rule", "allow unix:%/*");
ROW(that_comes_first, "%/host", "%/host", "allow unix:%/host", true, "--rule", "allow unix:%/host",
    "--rule", "deny unix:%/*");
ROW(of_all, "%/host", "%/host", "allow unix:*", true, "--preset", "allow-all");
ROW(of_an_abstract_name, "@doors-test", "@doors-test", "allow unix:@doors-test", true,
    "--net-allow", "unix:@doors-test");
ROW(of_an_abstract_beginning, "@doors-test", "@doors-test", "allow unix:@doors*", true,
    "--net-allow", "unix:@doors*");
ROW(of_all_paths_and_no_name, "@doors-test", "@doors-test", "unix-default", false, "--net-allow",
    "unix:/*");

ROW(none_for_datagrams, "%/dgram", "%/dgram", "unix-default", false, "--net-allow", ":443");
ROW(of_the_path_of_datagrams, "%/dgram", "%/link/dgram", "allow unix:%/dgram", true, "--net-allow",
    "unix:%/dgram");

static bool is_dgram(const struct rule_variant *variant)
{
	return strstr(variant->service, "dgram");
}

FIXTURE_SETUP(rule)
{
	const char *name = expand(variant->service);

	if (!netns_or_skip())
		return;
	self->service = unixserver_open(is_dgram(variant) ? SOCK_DGRAM : SOCK_STREAM, name);
	ASSERT_LE(0, self->service);
	ASSERT_EQ(0, symlink(harness_dir(), expand("%/link")));
	setenv("DOORS", harness_dir(), 1);
	setenv("DOOR", name, 1);
}

FIXTURE_TEARDOWN(rule)
{
	sandbox_free(&self->sandbox);
}

static void prepare_options(const char *const *from, const char *to[static 9])
{
	size_t n = 0;

	to[n++] = "-q";
	while (*from)
		to[n++] = expand(*from++);
	to[n] = NULL;
}

TEST_F(rule, opens_what_it_names)
{
	bool dgram = is_dgram(variant);
	const json_t *decision;
	const char *options[10];
	char said[64];

	prepare_options(variant->options, options);
	ASSERT_EQ(0, sandbox_run(&self->sandbox, variant->options[0] ? options : NULL,
				 ARGS("burglar", "knock", dgram ? "dgram" : "stream",
				      expand(variant->knocked))));
	snprintf(said, sizeof(said), "connect %s\n%s%s", variant->allowed ? "0" : "EACCES",
		 !dgram             ? ""
		 : variant->allowed ? "sendto 5"
				    : "sendto EACCES",
		 dgram ? "\n" : "");
	EXPECT_STREQ(said, self->sandbox.command.out.text);
	EXPECT_EQ(variant->allowed,
		  unixserver_count(self->service, dgram ? SOCK_DGRAM : SOCK_STREAM));
	if (!variant->rule)
		return;
	decision = sandbox_event(&self->sandbox, "decision", 0);
	EXPECT_STREQ(variant->allowed ? "allow" : "deny", event_text(decision, "verdict"));
	EXPECT_STREQ(expand(variant->rule), event_text(decision, "rule"));
	/* Whatever the task wrote, what is shown is where it leads. */
	EXPECT_STREQ(expand(variant->service), event_text(decision, "path"));
	EXPECT_NULL(sandbox_event(&self->sandbox, "decision", 1 + dgram));
}

/* ---- what is said ------------------------------------------------------ */

FIXTURE(words)
{
	struct sandbox sandbox;
	int service;
};

FIXTURE_SETUP(words)
{
	if (!netns_or_skip())
		return;
	self->service = unixserver_open(SOCK_STREAM, expand("%/a b"));
	ASSERT_LE(0, self->service);
}

FIXTURE_TEARDOWN(words)
{
	sandbox_free(&self->sandbox);
}

TEST_F(words, name_the_path_and_the_option)
{
	char option[300];

	ASSERT_EQ(0, sandbox_run(&self->sandbox, ARGS("--net-allow", ":443"),
				 ARGS("burglar", "knock", "stream", expand("%/a b"))));
	EXPECT_STRIN(expand("sandtop: DENY unix %/a b burglar["), self->sandbox.command.err.text);
	EXPECT_STRIN("] (unix-default)\n", self->sandbox.command.err.text);
	snprintf(option, sizeof(option), "sandtop:   --net-allow 'unix:%s/a b'\n", harness_dir());
	EXPECT_STRIN(option, self->sandbox.command.err.text);
}

TEST_F(words, name_a_variable_that_is_not_set)
{
	unsetenv("NO_SUCH_DOOR");
	ASSERT_EQ(0, sandbox_run(&self->sandbox, ARGS("--net-allow", "unix:$NO_SUCH_DOOR/x"),
				 ARGS("true")));
	EXPECT_EQ(125 << 8, self->sandbox.command.status);
	EXPECT_STREQ("sandtop: failed to resolve 'unix:$NO_SUCH_DOOR/x': the variable NO_SUCH_DOOR "
		     "is not set: expected it in sandtop's environment\n",
		     self->sandbox.command.err.text);
}

/* Nobody there, by abstract name: as natively, and no decision. */
TEST_F(words, are_none_about_a_name_that_nobody_has)
{
	ASSERT_EQ(0, sandbox_run(&self->sandbox, ARGS("--net-allow", ":443"),
				 ARGS("sh", "-c",
				      "for type in stream seqpacket dgram; do "
				      "burglar knock $type @doors-test-nobody; done")));
	EXPECT_STREQ("connect ECONNREFUSED\nconnect ECONNREFUSED\n"
		     "connect ECONNREFUSED\nsendto ECONNREFUSED\n",
		     self->sandbox.command.out.text);
	EXPECT_NULL(sandbox_event(&self->sandbox, "decision", 0));
}

/* The kernel tells of so many in several packets; an answer that is not heard to its end blocks the
 * next question.
 */
TEST_F(words, are_the_same_among_many_services)
{
	char name[64];
	int fd;

	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "@doors-many-%d", i);
		ASSERT_LE(0, unixserver_open(SOCK_STREAM, name));
	}
	fd = unixserver_open(SOCK_SEQPACKET, expand("%/packets"));
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, sandbox_run(&self->sandbox, ARGS("-q", "--preset", "allow-all"),
				 ARGS("sh", "-c",
				      expand("for i in 0 100 200 399; do "
					     "burglar knock stream @doors-many-$i; "
					     "burglar knock seqpacket %/packets; done"))));
	EXPECT_STREQ("connect 0\nconnect 0\nconnect 0\nconnect 0\n"
		     "connect 0\nconnect 0\nconnect 0\nconnect 0\n",
		     self->sandbox.command.out.text);
	EXPECT_EQ(4, unixserver_count(fd, SOCK_SEQPACKET));
}

TEST_F(words, explain_resolves_what_is_asked)
{
	struct command c;

	ASSERT_EQ(0, symlink(harness_dir(), expand("%/link")));
	ASSERT_EQ(0, command_start(&c,
				   ARGS("sandtop", "explain", "--net-allow",
					expand("unix:%/link/*"), "unix", expand("%/link/a")),
				   NULL, NULL));
	ASSERT_EQ(0, command_wait(&c, COMMAND_TIMEOUT));
	EXPECT_STRIN(expand("allow\tunix\t%/a\t-\t1\tallow unix:"), c.out.text);
	command_free(&c);
}

/* ---- control sockets --------------------------------------------------- */

FIXTURE(control_socket)
{
	struct sandbox sandbox;
	int fd;
};

FIXTURE_VARIANT(control_socket)
{
	const char *knocked;
	bool sandboxed;
};

#define KNOCK(title, knocked_at, is_sandboxed)                                                     \
	FIXTURE_VARIANT_ADD(control_socket, title)                                                 \
	{                                                                                          \
		knocked_at, is_sandboxed                                                           \
	}

KNOCK(control, "%/sandtop/a.sock", false);
KNOCK(by_its_path, "%/sandtop/a.sock", true);
KNOCK(by_a_link, "%/link/a.sock", true);
KNOCK(by_a_hard_link, "%/hard", true);
KNOCK(by_a_hard_link_when_it_has_moved, "%/moved", true);

FIXTURE_SETUP(control_socket)
{
	if (!netns_or_skip())
		return;
	/* Another than its own, whose sockets sandtop itself knocks at when it starts. */
	ASSERT_EQ(0, mkdir(expand("%/run"), 0700));
	setenv("XDG_RUNTIME_DIR", expand("%/run"), 1);
	ASSERT_EQ(0, mkdir(expand("%/sandtop"), 0700));
	self->fd = unixserver_open(SOCK_SEQPACKET, expand("%/sandtop/a.sock"));
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, symlink(expand("%/sandtop"), expand("%/link")));
	ASSERT_EQ(0, link(expand("%/sandtop/a.sock"), expand("%/hard")));
	if (strstr(variant->knocked, "moved"))
		ASSERT_EQ(0, rename(expand("%/hard"), expand("%/moved")));
	if (strstr(variant->knocked, "moved"))
		ASSERT_EQ(0, unlink(expand("%/sandtop/a.sock")));
}

FIXTURE_TEARDOWN(control_socket)
{
	sandbox_free(&self->sandbox);
}

TEST_F(control_socket, is_reached_by_no_rule)
{
	const json_t *decision;

	ASSERT_EQ(0, sandbox_run(&self->sandbox,
				 variant->sandboxed ? ARGS("--preset", "allow-all") : NULL,
				 ARGS("burglar", "knock", "seqpacket", expand(variant->knocked))));
	EXPECT_STREQ(variant->sandboxed ? "connect EACCES\n" : "connect 0\n",
		     self->sandbox.command.out.text);
	EXPECT_EQ(!variant->sandboxed, unixserver_count(self->fd, SOCK_SEQPACKET));
	if (!variant->sandboxed)
		return;
	decision = sandbox_event(&self->sandbox, "decision", 0);
	EXPECT_STREQ("control-socket", event_text(decision, "rule"));
	EXPECT_STRNOTIN("--net-allow", self->sandbox.command.err.text);
}

/* ---- other views, other users ------------------------------------------ */

FIXTURE(view)
{
	struct twin twin;
	struct sandbox sandbox;
	int host;
};

FIXTURE_VARIANT(view)
{
	const char *scenario;
};

FIXTURE_VARIANT_ADD(view, of_a_chroot){ "chroot" };

FIXTURE_VARIANT_ADD(view, of_a_mount_namespace){ "mount" };

FIXTURE_SETUP(view)
{
	if (!netns_or_skip())
		return;
	self->host = unixserver_open(SOCK_STREAM, expand("%/host"));
	ASSERT_LE(0, self->host);
}

FIXTURE_TEARDOWN(view)
{
	twin_free(&self->twin);
	sandbox_free(&self->sandbox);
}

/* The alias of a private mount is no path of ours: no rule can speak of it, but one of them. */
static size_t count_lines(const char *text, const char *end)
{
	size_t count = 0;

	for (const char *at = text; (at = strstr(at, end)); at += strlen(end))
		count++;
	return count;
}

TEST_F(view, is_the_tasks)
{
	bool mounts = !strcmp(variant->scenario, "mount");

	ASSERT_EQ(0, sandbox_run(&self->twin.native, NULL,
				 ARGS("burglar", variant->scenario, harness_dir())));
	if (self->twin.native.command.status)
		SKIP(return, "this user cannot make namespaces: %s",
			   self->twin.native.command.err.text);
	EXPECT_EQ(mounts ? 2 : 1, unixserver_count(self->host, SOCK_STREAM));
	ASSERT_EQ(0, sandbox_run(&self->sandbox, ARGS("-q", "--preset", "none"),
				 ARGS("burglar", variant->scenario, harness_dir())));
	EXPECT_EQ(0, self->sandbox.command.status);
	EXPECT_EQ(0, unixserver_count(self->host, SOCK_STREAM));
	EXPECT_EQ(mounts ? 2 : 1, count_lines(self->sandbox.command.out.text, "EACCES"));
	EXPECT_STRIN("/host EACCES\n", self->sandbox.command.out.text);
	/* All that the sandbox made itself is as free as natively. */
	EXPECT_EQ(count_lines(self->twin.native.command.out.text, " 0\n"),
		  count_lines(self->sandbox.command.out.text, " 0\n") + (mounts ? 2 : 1));
}

TEST_F(view, is_judged_by_our_path)
{
	ASSERT_EQ(0, sandbox_run(&self->sandbox, ARGS("-q", "--net-allow", expand("unix:%/host")),
				 ARGS("burglar", variant->scenario, harness_dir())));
	if (self->sandbox.command.status)
		SKIP(return, "this user cannot make namespaces: %s",
			   self->sandbox.command.err.text);
	EXPECT_EQ(1, unixserver_count(self->host, SOCK_STREAM));
}

FIXTURE(users)
{
	struct twin twin;
};

FIXTURE_SETUP(users)
{
	netns_or_skip();
}

FIXTURE_TEARDOWN(users)
{
	twin_free(&self->twin);
}

TEST_F(users, a_daemon_that_drops_its_privileges_is_who_it_is)
{
	if (geteuid())
		return; /* only root can become another user */
	ASSERT_EQ(0, chmod(harness_dir(), 0755));
	twin_run(&self->twin, ARGS("-q", "--preset", "none"),
		 ARGS("burglar", "stranger", harness_dir()));
	EXPECT_STRIN("the client: uid 65534 gid 65534\n", self->twin.sandboxed.command.out.text);
}

/* ---- the supervisor ---------------------------------------------------- */

FIXTURE(supervisor)
{
	struct sandbox sandbox;
};

FIXTURE_SETUP(supervisor)
{
	netns_or_skip();
}

FIXTURE_TEARDOWN(supervisor)
{
	sandbox_free(&self->sandbox);
}

enum { ATTACKS = 17 };

TEST_F(supervisor, control_the_attacks_work)
{
	ASSERT_EQ(0, sandbox_run(&self->sandbox, NULL, ARGS("burglar", "attack_child")));
	EXPECT_EQ(ATTACKS, count_lines(self->sandbox.command.out.text, " 0\n"))
	{
		TH_LOG("%s", self->sandbox.command.out.text);
	}
}

/* Linux 6.15 shows the environment, which is the command's, too, to CAP_PERFMON. */
TEST_F(supervisor, and_guardian_are_out_of_reach)
{
	size_t shown;

	ASSERT_EQ(0, sandbox_run(&self->sandbox, ARGS("-q", "--preset", "none"),
				 ARGS("burglar", "attack")));
	EXPECT_EQ(0, self->sandbox.command.status);
	shown = geteuid() ? 0 : count_lines(self->sandbox.command.out.text, "environ 0\n");
	EXPECT_EQ(shown, count_lines(self->sandbox.command.out.text, " 0\n"));
	EXPECT_EQ(2 * ATTACKS - shown,
		  count_lines(self->sandbox.command.out.text, "EPERM\n") +
			  count_lines(self->sandbox.command.out.text, "EACCES\n"))
	{
		TH_LOG("%s", self->sandbox.command.out.text);
	}
}

TEST_F(supervisor, is_not_what_the_oom_killer_is_pointed_at)
{
	if (!geteuid())
		return; /* root may write what is root's */
	ASSERT_EQ(0, sandbox_run(&self->sandbox, ARGS("-q", "--preset", "none"),
				 ARGS("burglar", "oom")));
	EXPECT_STREQ("oom_score_adj EACCES\noom_score_adj EACCES\n",
		     self->sandbox.command.out.text);
}

TEST_F(supervisor, keeps_few_capabilities_and_system_calls)
{
	ASSERT_EQ(0, sandbox_run(&self->sandbox, ARGS("-q", "--preset", "none"),
				 ARGS("sh", "-c", "cat /proc/$PPID/status")));
	EXPECT_STRIN("Seccomp:\t2\n", self->sandbox.command.out.text);
	EXPECT_STRIN("NoNewPrivs:\t1\n", self->sandbox.command.out.text);
	/* CAP_KILL and CAP_SYS_PTRACE; and what it may lend or needs to become a task. */
	EXPECT_STRIN(geteuid() ? "CapPrm:\t0000000000000000\n" : "CapPrm:\t00000000000824e6\n",
		     self->sandbox.command.out.text);
	EXPECT_STRIN(geteuid() ? "CapEff:\t0000000000000000\n" : "CapEff:\t0000000000080020\n",
		     self->sandbox.command.out.text);
}

TEST_F(supervisor, does_not_nest)
{
	ASSERT_EQ(0, sandbox_run(&self->sandbox, ARGS("-q", "--preset", "none"),
				 ARGS("sandtop", "-b", "--preset", "none", "--", "true")));
	EXPECT_EQ(125 << 8, self->sandbox.command.status);
	EXPECT_STRIN("sandboxes do not nest", self->sandbox.command.err.text);
	EXPECT_EQ(1, count_lines(self->sandbox.command.err.text, "\n"));
}

/* Addresses 10.98.0.0/24 of this network namespace. */
static int count_addresses(void)
{
	struct ifaddrs *list, *a;
	int count = 0;

	if (getifaddrs(&list))
		return -1;
	for (a = list; a; a = a->ifa_next) {
		const struct sockaddr_in *sin = (const struct sockaddr_in *)a->ifa_addr;

		count += sin && sin->sin_family == AF_INET &&
			 ntohl(sin->sin_addr.s_addr) >> 8 == (10 << 16 | 98 << 8);
	}
	freeifaddrs(list);
	return count;
}

TEST_F(supervisor, lets_nobody_configure_the_network)
{
	if (geteuid())
		return; /* only root could */
	ASSERT_EQ(0, sandbox_run(&self->sandbox, ARGS("-q", "--preset", "allow-all"),
				 ARGS("burglar", "address")));
	EXPECT_STREQ("send EPERM\nwrite EPERM\nsendmsg EPERM\nsendto EPERM\n",
		     self->sandbox.command.out.text);
	EXPECT_EQ(0, count_addresses());
	sandbox_free(&self->sandbox);
	ASSERT_EQ(0, sandbox_run(&self->sandbox, NULL, ARGS("burglar", "address")));
	EXPECT_EQ(4, count_addresses());
}

/* unshare -rn, bwrap --unshare-net: who made a network can set it up. */
TEST_F(supervisor, lets_everybody_configure_a_network_of_their_own)
{
	for (int sandboxed = 0; sandboxed < 2; sandboxed++) {
		ASSERT_EQ(0, sandbox_run(&self->sandbox,
					 sandboxed ? ARGS("-q", "--preset", "none") : NULL,
					 ARGS("burglar", "own_address")));
		EXPECT_STREQ("send 0\nwrite 0\nsendmsg 0\nsendto 0\n",
			     self->sandbox.command.out.text);
		sandbox_free(&self->sandbox);
	}
	EXPECT_EQ(0, count_addresses());
}

/* What the task could not do itself is not done for it: without an address, or with one. */
TEST_F(supervisor, lends_nobody_the_capability_for_it)
{
	for (int sandboxed = 0; sandboxed < 2; sandboxed++) {
		ASSERT_EQ(0, sandbox_run(&self->sandbox,
					 sandboxed ? ARGS("-q", "--preset", "none") : NULL,
					 ARGS("burglar", "powerless_address")));
		EXPECT_STREQ("send EPERM\nwrite EPERM\nsendmsg EPERM\nsendto EPERM\n",
			     self->sandbox.command.out.text);
		sandbox_free(&self->sandbox);
	}
}

/* ---- the terminal ------------------------------------------------------ */

static void take_terminal(void *arg)
{
	int fd = *(int *)arg;

	setsid();
	ioctl(fd, TIOCSCTTY, 0);
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
}

/* Read the terminal until `word` was there. Returns 0 or -ETIMEDOUT. */
static int await_word(int master, const char *word)
{
	struct pollfd ready = { .fd = master, .events = POLLIN };
	char text[4096] = "";
	size_t len = 0;

	while (!strstr(text, word)) {
		ssize_t n;

		if (poll(&ready, 1, COMMAND_TIMEOUT) != 1)
			return -ETIMEDOUT;
		n = read(master, text + len, sizeof(text) - 1 - len);
		if (n <= 0)
			return -EIO;
		len += (size_t)n;
		text[len] = '\0';
	}
	return 0;
}

TEST_F(supervisor, leaves_the_terminal_as_it_was_when_it_is_lost)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;
	struct termios before, raw, after;
	struct command c;
	char name[64], pid[16] = "";
	FILE *f;

	ASSERT_LE(0, master);
	ASSERT_EQ(0, grantpt(master));
	ASSERT_EQ(0, unlockpt(master));
	ASSERT_EQ(0, ptsname_r(master, name, sizeof(name)));
	slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	ASSERT_LE(0, slave);
	ASSERT_EQ(0, tcgetattr(slave, &before));
	ASSERT_EQ(0, command_start(&c,
				   ARGS("sandtop", "-b", "--preset", "none", "--", "sh", "-c",
					expand("stty raw -echo; echo $PPID >%/pid; echo ready; "
					       "exec sleep 100")),
				   take_terminal, &slave));
	ASSERT_EQ(0, await_word(master, "ready"));
	ASSERT_EQ(0, tcgetattr(slave, &raw));
	EXPECT_EQ(0, raw.c_lflag & (ICANON | ECHO));
	f = fopen(expand("%/pid"), "re");
	ASSERT_TRUE(f && fgets(pid, sizeof(pid), f));
	fclose(f);
	ASSERT_EQ(0, kill(atoi(pid), SIGKILL));
	ASSERT_EQ(0, command_wait(&c, COMMAND_TIMEOUT));
	EXPECT_EQ(125 << 8, c.status);
	ASSERT_EQ(0, tcgetattr(slave, &after));
	EXPECT_EQ(before.c_lflag, after.c_lflag);
	EXPECT_EQ(before.c_iflag, after.c_iflag);
	EXPECT_EQ(before.c_oflag, after.c_oflag);
	command_free(&c);
	close(slave);
	close(master);
}

TEST_HARNESS_MAIN

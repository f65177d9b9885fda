/* SPDX-License-Identifier: MIT */
/*
 * The hazard list: each attack of attacks/table.h succeeds without sandtop and
 * fails under it, whatever the policy is made of. The listeners are asked what
 * reached them; what the attacker was told counts only where it says that it won.
 *
 * RACE_SECONDS=N races for N seconds in each of its cells instead of a blink.
 */
#include "selftests/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <termios.h>
#include <unistd.h>

#include "selftests/attacks/ground.h"
#include "selftests/attacks/hazards.h"
#include "selftests/lib/deadline.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/pidns.h"
#include "selftests/lib/sandbox.h"
#include "selftests/lib/server.h"
#include "selftests/lib/twin.h"
#include "selftests/lib/unixserver.h"

enum {
	ALLOWED = 7001,
	FORBIDDEN = 7002,
	GIVEN_FD = 77,
	RACE_ROUNDS = 20, /* at most, until a control succeeds */
	DAY = 24 * 3600,  /* s: each run has its own limit, COMMAND_TIMEOUT */
};

#define ALLOWED_TEXT   "7001"
#define FORBIDDEN_TEXT "7002"
#define OPEN_TEXT      "7001,7005" /* the allowed port, and HOLE_PORT */
#define SERVICES       3

/* ---- the ground: who listens, and who may be heard ------------------------------ */

FIXTURE(attack)
{
	struct server *allowed[2], *forbidden[2], *group; /* TCP, UDP */
	int member;
	int services[SERVICES];
	struct command victim;
	struct sandbox sandbox;
	char abstract[32];
};

enum gives { GIVES_NOTHING, GIVES_UDP, GIVES_STDIN, GIVES_LISTENER };

enum policy {
	ALLOW_LIST,
	DENY_LIST,
	PRESET,
	POLICIES,
	ALLOW_BIND = POLICIES, /* instead of these three: the policy is not what stops it */
};

FIXTURE_VARIANT(attack)
{
	const char *hazard, *source;
	const char *args[6];
	bool is_race;
	bool no_control;  /* an attack on sandtop itself, or one that no kernel lets through */
	bool small_pidns; /* few process numbers, which are soon used again */
	int nofile;       /* RLIMIT_NOFILE, 0: as it is */
	enum gives gives;
	enum policy policy;
};

#define UNPACK(...) __VA_ARGS__
#define ATTACK(id, of, where, arguments, ...)                                                      \
	FIXTURE_VARIANT_ADD(attack, id){                                                           \
		.hazard = of, .source = where, .args = { UNPACK arguments }, ##__VA_ARGS__         \
	};

/* clang-format off */
#include "selftests/attacks/table.h"
/* clang-format on */

static const char *const *policy_options(enum policy policy)
{
	static const char *const allow[] = { "-q", "--net-allow",
					     "any://127.0.0.1:" OPEN_TEXT ",any://[::1]:" OPEN_TEXT,
					     NULL };
	static const char *const deny[] = {
		"-q", "--net-deny",
		"any://127.0.0.0/8:" FORBIDDEN_TEXT ",any://[::1]:" FORBIDDEN_TEXT
		",any://0.0.0.0/8:" FORBIDDEN_TEXT ",any://[fe80::/10]:" FORBIDDEN_TEXT
		",any://@this-host:" FORBIDDEN_TEXT ",any://255.255.255.255,any://@multicast",
		NULL
	};
	static const char *const preset[] = { "-q",
					      "--rule",
					      "allow any://127.0.0.1:" OPEN_TEXT,
					      "--rule",
					      "allow any://[::1]:" OPEN_TEXT,
					      "--preset",
					      "public-only",
					      NULL };
	static const char *const bind[] = {
		"-q", "--net-allow", "any://127.0.0.1:" OPEN_TEXT, "--net-allow-bind", "*", NULL
	};
	static const char *const *const all[] = { allow, deny, preset, bind };

	return all[policy];
}

static void open_services(struct attack_data *self)
{
	char path[108];

	snprintf(path, sizeof(path), "%s/service", harness_dir());
	self->services[0] = unixserver_open(SOCK_STREAM, path);
	snprintf(path, sizeof(path), "%s/closed", harness_dir());
	ASSERT_EQ(0, mkdir(path, 0700));
	strcat(path, "/service");
	self->services[1] = unixserver_open(SOCK_STREAM, path);
	snprintf(self->abstract, sizeof(self->abstract), "@attacked-%d", getpid());
	self->services[2] = unixserver_open(SOCK_STREAM, self->abstract);
	for (int i = 0; i < SERVICES; i++)
		ASSERT_LE(0, self->services[i]);
}

/* Any socket of the machine hears a group that one of them has joined (ip(7), IP_MULTICAST_ALL). */
static void join_group(struct attack_data *self)
{
	struct ip_mreq group = { .imr_multiaddr.s_addr = inet_addr(GROUP_ADDRESS),
				 .imr_interface.s_addr = htonl(INADDR_LOOPBACK) };

	self->group = server_new(SOCK_DGRAM, GROUP_ADDRESS, GROUP_PORT);
	ASSERT_NE(NULL, self->group);
	self->member = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(0,
		  setsockopt(self->member, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)));
}

static void open_servers(struct attack_data *self)
{
	for (int i = 0; i < 2; i++) {
		self->allowed[i] = server_new(i ? SOCK_DGRAM : SOCK_STREAM, "::", ALLOWED);
		self->forbidden[i] = server_new(i ? SOCK_DGRAM : SOCK_STREAM, "::", FORBIDDEN);
		ASSERT_TRUE(self->allowed[i] && self->forbidden[i]);
	}
	join_group(self);
}

static void close_servers(struct attack_data *self)
{
	for (int i = 0; i < 2; i++) {
		server_free(self->allowed[i]);
		server_free(self->forbidden[i]);
	}
	server_free(self->group);
	close(self->member);
}

FIXTURE_SETUP(attack)
{
	static const char *const addresses[] = { "0.1.2.3", "1.2.3.4", "2002:7f00:1::1",
						 "64:ff9b::7f00:1", "fe80::1" };

	if (!netns_or_skip())
		return;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		ASSERT_EQ(0, netns_add_address(addresses[i]));
	open_servers(self);
	open_services(self);
	ASSERT_EQ(0, command_start(&self->victim, ARGS("probe", "signals"), NULL, NULL));
	ASSERT_EQ(0,
		  command_wait_text(&self->victim, &self->victim.out, "ready\n", COMMAND_TIMEOUT));
}

FIXTURE_TEARDOWN(attack)
{
	sandbox_free(&self->sandbox);
	command_free(&self->victim);
	close_servers(self);
}

/* ---- one run ---------------------------------------------------------------------- */

static int accept_all(int fd)
{
	int count = 0, accepted;

	while ((accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		close(accepted);
		count++;
	}
	return count;
}

/* The oracle: how often the attack had its effect. */
static size_t effects(struct attack_data *self)
{
	size_t count = 0;

	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, server_knock(self->forbidden[i]));
		count += server_count(self->forbidden[i]);
	}
	/* To knock there takes a route to the group; datagrams to the others came after. */
	count += server_count(self->group);
	for (int i = 0; i < SERVICES; i++)
		count += (size_t)accept_all(self->services[i]);
	count += strstr(self->sandbox.command.out.text, "won: ") != NULL;
	/* A signal that was sent has been received by the time that its sender has ended. */
	if (command_wait_text(&self->victim, &self->victim.out, "USR2", 0) == 0)
		count++;
	return count;
}

/* In the child that becomes sandtop, or natively the attacker. */
static void prepare(void *arg)
{
	const struct attack_variant *variant = arg;
	struct rlimit nofile = { (rlim_t)variant->nofile, (rlim_t)variant->nofile };
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(7004) };
	int fd = -1;

	if (variant->small_pidns)
		pidns_enter_small();
	if (variant->nofile)
		setrlimit(RLIMIT_NOFILE, &nofile);
	if (variant->gives == GIVES_NOTHING)
		return;
	fd = socket(AF_INET, variant->gives == GIVES_LISTENER ? SOCK_STREAM : SOCK_DGRAM, 0);
	if (variant->gives == GIVES_LISTENER)
		(void)!bind(fd, (struct sockaddr *)&any, sizeof(any));
	dup2(fd, variant->gives == GIVES_STDIN ? STDIN_FILENO : GIVEN_FD);
	close(fd);
}

static void run(struct attack_data *self, const struct attack_variant *variant,
		const char *const options[])
{
	char victim[16], paths[6][128];
	const char *argv[12] = { "attacker", variant->args[0], ALLOWED_TEXT, FORBIDDEN_TEXT,
				 victim };

	snprintf(victim, sizeof(victim), "%d", self->victim.pid);
	for (int i = 1; i < 6 && variant->args[i]; i++) {
		argv[i + 4] = variant->args[i];
		if (!strncmp(variant->args[i], "DIR", 3)) {
			snprintf(paths[i], sizeof(paths[i]), "%s%s", harness_dir(),
				 variant->args[i] + 3);
			argv[i + 4] = paths[i];
		} else if (!strcmp(variant->args[i], "SERVICE")) {
			argv[i + 4] = self->abstract;
		} else if (options && !strcmp(variant->args[i], "keep")) {
			argv[i + 4] = "drop";
		}
	}
	ASSERT_EQ(0, sandbox_start(&self->sandbox, options, argv, prepare, (void *)variant));
	ASSERT_EQ(0, sandbox_wait(&self->sandbox))
	{
		TH_LOG("%s%s", self->sandbox.command.out.text, self->sandbox.command.err.text);
	}
	EXPECT_EQ(0, command_code(&self->sandbox.command))
	{
		TH_LOG("%s%s", self->sandbox.command.out.text, self->sandbox.command.err.text);
	}
	EXPECT_STRIN("done\n", self->sandbox.command.out.text)
	{
		TH_LOG("%s%s", self->sandbox.command.out.text, self->sandbox.command.err.text);
	}
}

/* What differs from run to run is of interest all the same: "# WORDS". */
static void log_figures(const struct attack_data *self, const char *who)
{
	const char *at = self->sandbox.command.out.text;

	while ((at = strstr(at, "# "))) {
		TH_LOG("%s: %.*s", who, (int)strcspn(at + 2, "\n"), at + 2);
		at += 2;
	}
}

TEST_F(attack, succeeds_without_sandtop)
{
	int rounds = variant->is_race ? RACE_ROUNDS : 1;
	const char *reason;
	size_t count;

	if (variant->no_control)
		return;
	/* A race may be lost on a loaded machine: natively, too. */
	for (count = 0; !count && rounds; rounds--) {
		sandbox_free(&self->sandbox);
		run(self, variant, NULL);
		count = effects(self);
	}
	reason = strstr(self->sandbox.command.out.text, "absent: ");
	if (reason && !count) {
		TH_LOG("door absent: %.*s", (int)strcspn(reason + 8, "\n"), reason + 8);
		return;
	}
	EXPECT_NE(0, count)
	{
		TH_LOG("%s%s", self->sandbox.command.out.text, self->sandbox.command.err.text);
	}
	log_figures(self, "native");
}

static void expect_failure(struct attack_data *self, const struct attack_variant *variant,
			   enum policy policy)
{
	static const char *const names[] = { "allow-list", "deny-list", "preset", "bind" };

	run(self, variant, policy_options(policy));
	EXPECT_EQ(0, effects(self))
	{
		TH_LOG("%s: %s%s", names[policy], self->sandbox.command.out.text,
		       self->sandbox.command.err.text);
	}
	log_figures(self, names[policy]);
	sandbox_free(&self->sandbox);
}

/* A race is run for as long as was asked for, in slices, as whatever hangs must be noticed. */
static void race_on(struct attack_data *self, const struct attack_variant *variant,
		    enum policy policy)
{
	const char *seconds = variant->is_race ? getenv("RACE_SECONDS") : NULL;
	int64_t deadline;

	if (seconds)
		setenv("RACE_MS", "1000", 1);
	deadline = deadline_in(seconds ? atoi(seconds) * 1000 : 0);
	do
		expect_failure(self, variant, policy);
	while (deadline_left(deadline));
}

/* Where an address goes is a matter of the whole policy; of the rest two or one show as much. */
static enum policy last_policy(const char *hazard)
{
	if (!strncmp(hazard, "address:", 8))
		return PRESET;
	return strncmp(hazard, "race:", 5) && strncmp(hazard, "door:", 5) ? ALLOW_LIST : DENY_LIST;
}

TEST_F_TIMEOUT(attack, fails_under_sandtop, DAY)
{
	if (variant->policy >= POLICIES) {
		expect_failure(self, variant, variant->policy);
		return;
	}
	for (enum policy policy = 0; policy <= last_policy(variant->hazard); policy++)
		race_on(self, variant, policy);
}

/* ---- what has no listener to ask, or more than one answer ---------------------------- */

FIXTURE(ground)
{
	struct attack_data at;
	struct twin twin;
	char path[96];
};

FIXTURE_SETUP(ground)
{
	attack_setup(&self->at, NULL);
}

FIXTURE_TEARDOWN(ground)
{
	twin_free(&self->twin);
	attack_teardown(&self->at, NULL);
}

/* A test of its own that stands for a hazard: every one must be a row here or an ATTACK. */
static const struct {
	const char *hazard, *test;
} special[] = {
	{ "race: a signal storm loses or doubles a call", "signal_storm" },
	{ "authority: the supervisor's control socket", "no_control_socket" },
	{ "availability: a blocking connect stalls everyone", "blocking_connect" },
	{ "availability: a blocking send stalls everyone", "blocking_send" },
	{ "availability: FUSE memory", "fuse_memory" },
	{ "availability: a FUSE file is closed", "fuse_close" },
	{ "availability: lengths that exhaust memory", "lengths_of_messages" },
	{ "availability: ENOENT from a receive", "storm_of_deaths" },
	{ "availability: a lost multishot poll", "storm_of_threads" },
	{ "availability: a supervisor that dies", "supervisor_killed" },
	{ "availability: tasks that are hard to kill", "unkillable" },
	{ "availability: tasks that are hard to kill", "headless" },
	{ "truth: a verdict that was not enforced", "verdicts_are_what_arrived" },
	{ "truth: a rule that silently allows everything", "empty_policies" },
	{ "truth: explanation and enforcement disagree", "explanations" },
	{ "truth: control characters on the screen", "control_characters" },
	{ "truth: a prompt answered for the wrong row", "question_to_nobody" },
	{ "compatibility: a UDP connect to sort addresses", "udp_connect_to_sort" },
	{ "compatibility: SCM_RIGHTS over a UNIX socket", "passed_descriptors" },
	{ "compatibility: epoll registered before connect", "epoll_before_connect" },
	{ "compatibility: happy eyeballs", "happy_eyeballs" },
	{ "compatibility: MPTCP by default", "mptcp_by_default" },
	{ "compatibility: Ctrl-C and Ctrl-Z", "keys_of_the_terminal" },
	{ "compatibility: resize and full screen", "resize" },
};

#define PERMIT ARGS("-q", "--net-allow", "any://127.0.0.1")

static void same(struct ground_data *self, const char *const argv[])
{
	twin_run(&self->twin, PERMIT, argv);
}

TEST_F(ground, signal_storm)
{
	same(self, ARGS("staller", "storm", "restart"));
	twin_free(&self->twin);
	same(self, ARGS("staller", "storm_udp", "interrupt"));
}

TEST_F(ground, blocking_connect)
{
	same(self, ARGS("staller", "busy", "connect"));
}

TEST_F(ground, blocking_send)
{
	same(self, ARGS("staller", "busy", "tcp"));
}

TEST_F(ground, lengths_of_messages)
{
	twin_run(&self->twin, policy_options(ALLOW_LIST),
		 ARGS("attacker", "lengths_of_messages", ALLOWED_TEXT, FORBIDDEN_TEXT, "0"));
	EXPECT_STRIN("done\n", self->twin.sandboxed.command.out.text);
}

TEST_F(ground, storm_of_deaths)
{
	same(self, ARGS("crowd", "forks", "200"));
}

TEST_F(ground, storm_of_threads)
{
	ASSERT_EQ(0, sandbox_run(&self->at.sandbox, PERMIT, ARGS("crowd", "threads")));
	EXPECT_STREQ("wrong 0\n", self->at.sandbox.command.out.text);
}

TEST_F(ground, passed_descriptors)
{
	same(self, ARGS("courier", "rights"));
}

TEST_F(ground, epoll_before_connect)
{
	same(self, ARGS("staller", "epoll"));
}

/* ---- availability -------------------------------------------------------------------- */

static const char *const *attacker(const char *name, const char *argument)
{
	static const char *argv[7];

	argv[0] = "attacker";
	argv[1] = name;
	argv[2] = ALLOWED_TEXT;
	argv[3] = FORBIDDEN_TEXT;
	argv[4] = "0";
	argv[5] = argument;
	return argv;
}

static void expect_text(struct ground_data *self, const char *text)
{
	struct command *c = &self->at.sandbox.command;

	ASSERT_EQ(0, command_wait_text(c, &c->out, text, COMMAND_TIMEOUT))
	{
		TH_LOG("'%s' after: %s%s", text, c->out.text, c->err.text);
	}
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
static bool attack_by_fuse(struct ground_data *self, const char *how)
{
	struct command *c = &self->at.sandbox.command;
	const char *const argv[] = { "attacker", "fuse",     ALLOWED_TEXT, FORBIDDEN_TEXT,
				     "0",        self->path, how,          NULL };

	snprintf(self->path, sizeof(self->path), "%s/%s", harness_dir(), how);
	ASSERT_EQ(0, mkdir(self->path, 0700));
	ASSERT_EQ(0,
		  sandbox_start(&self->at.sandbox, policy_options(ALLOW_LIST), argv, NULL, NULL));
	ASSERT_EQ(0, sandbox_wait(&self->at.sandbox));
	if (!strstr(c->out.text, "absent: "))
		return true;
	TH_LOG("door absent: %s", c->out.text);
	return false;
}

/* Returns whether there is such memory here. */
static bool stall_by_fuse(struct ground_data *self, const char *how)
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
	EXPECT_EQ(0, effects(&self->at));
	return true;
}

/* Only its death frees who waits for such memory; the guardian sees to that after 2 s. */
TEST_F(ground, fuse_memory)
{
	stall_by_fuse(self, "served");
}

/* A thread waits for that, and nobody else does: not the log either. */
TEST_F(ground, fuse_close)
{
	struct command *c = &self->at.sandbox.command;

	if (!attack_by_fuse(self, "flushed"))
		return;
	EXPECT_EQ(0, command_code(c));
	EXPECT_STRIN("no socket: 40 of 40\n", c->out.text);
	EXPECT_STRIN("done\n", c->out.text);
	EXPECT_STRNOTIN("hung", c->err.text);
	EXPECT_EQ(0, effects(&self->at));
}

/* Nor does its death, where it would have to end the file system itself: sandtop ends without. */
TEST_F(ground, unkillable)
{
	if (geteuid())
		TH_LOG("only root could end that file system");
	else if (stall_by_fuse(self, "forlorn"))
		EXPECT_STRIN("processes wait for a file system that does not answer",
			     self->at.sandbox.command.err.text);
}

TEST_F(ground, headless)
{
	ASSERT_EQ(0, sandbox_run(&self->at.sandbox, policy_options(ALLOW_LIST),
				 attacker("headless", NULL)));
	EXPECT_EQ(0, command_code(&self->at.sandbox.command));
	EXPECT_STRIN("killed what the command left behind: attacker[",
		     self->at.sandbox.command.err.text);
}

TEST_F(ground, supervisor_killed)
{
	struct command *c = &self->at.sandbox.command;
	pid_t supervisor;

	ASSERT_EQ(0, sandbox_start(&self->at.sandbox, NULL, attacker("hammer", NULL), NULL, NULL));
	expect_text(self, "hammering\n");
	EXPECT_EQ(0, server_wait(self->at.forbidden[1], 1, COMMAND_TIMEOUT));
	sandbox_free(&self->at.sandbox);
	/* New ones, that have heard nothing yet. */
	close_servers(&self->at);
	open_servers(&self->at);
	ASSERT_EQ(0, sandbox_start(&self->at.sandbox, policy_options(ALLOW_LIST),
				   attacker("hammer", NULL), NULL, NULL));
	expect_text(self, "hammering\n");
	supervisor = atoi(strstr(c->out.text, "supervisor ") + strlen("supervisor "));
	EXPECT_EQ(0, kill(supervisor, SIGKILL));
	ASSERT_EQ(0, sandbox_wait(&self->at.sandbox));
	EXPECT_EQ(125, command_code(c));
	EXPECT_STRIN("every task has been killed\n", c->err.text);
	EXPECT_EQ(0, effects(&self->at));
}

/* This build has none; the command must find nothing that it could talk to instead. */
TEST_F(ground, no_control_socket)
{
	ASSERT_EQ(0, sandbox_run(&self->at.sandbox, policy_options(ALLOW_LIST),
				 ARGS("sh", "-c", "ls -l /proc/$$/fd | grep -c socket:")));
	EXPECT_STREQ("0\n", self->at.sandbox.command.out.text);
}

/* ---- truth ----------------------------------------------------------------------------- */

static size_t count_decisions(const struct ground_data *self, const char *verdict, long port)
{
	const json_t *decision;
	size_t count = 0;

	for (size_t i = 0; (decision = sandbox_event(&self->at.sandbox, "decision", i)); i++)
		count += event_number(decision, "port") == port &&
			 !strcmp(event_text(decision, "verdict"), verdict);
	return count;
}

TEST_F(ground, verdicts_are_what_arrived)
{
	setenv("RACE_MS", "200", 1);
	ASSERT_EQ(0, sandbox_run(&self->at.sandbox, policy_options(ALLOW_LIST),
				 attacker("race_address", NULL)));
	EXPECT_EQ(0, effects(&self->at));
	EXPECT_EQ(0, server_knock(self->at.allowed[1]));
	/* A full buffer loses datagrams; none comes that was not allowed. */
	EXPECT_NE(0, server_count(self->at.allowed[1]));
	EXPECT_LE(server_count(self->at.allowed[1]), count_decisions(self, "allow", ALLOWED));
	EXPECT_NE(0, count_decisions(self, "deny", FORBIDDEN));
	EXPECT_EQ(0, count_decisions(self, "allow", FORBIDDEN));
	EXPECT_EQ(0, count_decisions(self, "deny", ALLOWED));
}

static void write_profile(struct ground_data *self, const char *text)
{
	int fd;

	snprintf(self->path, sizeof(self->path), "%s/profile.toml", harness_dir());
	fd = open(self->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ASSERT_LE(0, fd);
	ASSERT_EQ(strlen(text), write(fd, text, strlen(text)));
	close(fd);
}

/* Either refused with status 2, or nothing gets out. */
TEST_F(ground, empty_policies)
{
	static const char *const profiles[] = {
		"",
		"# nothing\n",
		"[network]\n",
		"[network]\nallow = []\n",
		"[network]\ndeny = []\n",
		"[network]\nrules = []\n",
		"[network]\nallow = ['']\n",
		"[network]\nrules = ['']\n",
		"[network]\npreset = ''\n",
		"[network]\ndefault = ''\n",
		"[netwrok]\nallow = ['*']\n",
		"\xef\xbb\xbf[network]\nallow = []\n",
	};
	const char *const *const options[] = {
		NO_OPTIONS,         ARGS("--net-allow", ""), ARGS("--net-deny", ""),
		ARGS("--rule", ""), ARGS("--net-deny", ","),
	};
	int code;

	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
		write_profile(self, profiles[i]);
		ASSERT_EQ(0, sandbox_run(&self->at.sandbox, ARGS("--profile-file", self->path),
					 attacker("address", "127.0.0.1")));
		code = command_code(&self->at.sandbox.command);
		EXPECT_TRUE(code == 0 || code == 2);
		EXPECT_EQ(0, effects(&self->at))
		{
			TH_LOG("%s", profiles[i]);
		}
		sandbox_free(&self->at.sandbox);
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		ASSERT_EQ(0, sandbox_run(&self->at.sandbox, options[i],
					 attacker("address", "127.0.0.1")));
		EXPECT_EQ(0, effects(&self->at))
		{
			TH_LOG("%s", options[i][0]);
		}
		sandbox_free(&self->at.sandbox);
	}
}

/* Line by line. */
static void expect_agreement(char *explained, char *enforced, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *verdict = strsep(&explained, "\n"), *result = strsep(&enforced, "\n");

		ASSERT_TRUE(verdict && result);
		EXPECT_STREQ(strncmp(verdict, "allow\t", 6) ? "connect ECONNREFUSED" : "connect 0",
			     result)
		{
			TH_LOG("%s", verdict);
		}
	}
}

/* Each of these has a listener on both ports: what is allowed succeeds. */
TEST_F(ground, explanations)
{
	static const char *const at[] = {
		"127.0.0.1",        "127.0.0.2",        "0.0.0.0", "0.1.2.3",
		"10.99.0.1",        "1.2.3.4",          "::1",     "::",
		"::ffff:127.0.0.1", "::ffff:10.99.0.1", "fd00::1", "2002:7f00:1::1",
		"64:ff9b::7f00:1",
	};
	enum { COUNT = sizeof(at) / sizeof(at[0]) };
	static const enum policy policies[] = { ALLOW_LIST, DENY_LIST, PRESET };

	for (size_t p = 0; p < 3; p++) {
		const char *const *options = policy_options(policies[p]);
		const char *explain[16 + 2 * COUNT] = { "sandtop", "explain" };
		const char *probe[2 + 2 * COUNT * 5] = { "probe" };
		char endpoints[2 * COUNT][64];
		struct command c;
		int n = 2, words = 1;

		for (int i = 1; options[i]; i++) /* without -q */
			explain[n++] = options[i];
		for (size_t i = 0; i < 2 * COUNT; i++) {
			const char *port = i & 1 ? ALLOWED_TEXT : FORBIDDEN_TEXT;

			snprintf(endpoints[i], sizeof(endpoints[i]), "tcp %s %s", at[i / 2], port);
			explain[n++] = endpoints[i];
			probe[words++] = "connect";
			probe[words++] = "tcp";
			probe[words++] = at[i / 2];
			probe[words++] = port;
			probe[words++] = ",";
		}
		probe[words - 1] = NULL;
		ASSERT_EQ(0, command_run(&c, explain));
		ASSERT_EQ(0, sandbox_run(&self->at.sandbox, options, probe));
		expect_agreement(c.out.text, self->at.sandbox.command.out.text, 2 * COUNT);
		command_free(&c);
		sandbox_free(&self->at.sandbox);
	}
}

/* Nothing that a terminal would obey: C0 but the newline, DEL, C1 as UTF-8 or alone. */
static void expect_plain(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	for (; *at; at++) {
		bool control = (*at < 0x20 && *at != '\n') || *at == 0x7f ||
			       (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0) ||
			       (*at >= 0x80 && *at < 0xa0 &&
				(at == (const unsigned char *)text || at[-1] < 0xc0));

		EXPECT_FALSE(control)
		{
			TH_LOG("byte %02x", *at);
		}
	}
}

TEST_F(ground, control_characters)
{
	char text[16384];
	ssize_t n;
	int fd;

	snprintf(self->path, sizeof(self->path), "%s/log", harness_dir());
	ASSERT_EQ(0, sandbox_run(&self->at.sandbox,
				 ARGS("-v", "--log", self->path, "--net-allow",
				      "any://127.0.0.1:" ALLOWED_TEXT),
				 attacker("control_characters", NULL)));
	EXPECT_STRIN("sandtop: DENY tcp 127.0.0.1:" FORBIDDEN_TEXT " ",
		     self->at.sandbox.command.err.text);
	expect_plain(self->at.sandbox.command.err.text);
	fd = open(self->path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	ASSERT_LT(0, n);
	text[n] = '\0';
	expect_plain(text);
	EXPECT_NE(0, count_decisions(self, "deny", FORBIDDEN));
}

/* There is no prompt in this build that could be answered: nobody's answer is no. */
TEST_F(ground, question_to_nobody)
{
	ASSERT_EQ(0, sandbox_run(&self->at.sandbox,
				 ARGS("--default", "ask", "--net-allow",
				      "any://127.0.0.1:" ALLOWED_TEXT),
				 attacker("address", "127.0.0.1")));
	EXPECT_EQ(0, effects(&self->at));
}

/* ---- compatibility ------------------------------------------------------------------------ */

static void expect_output(struct ground_data *self, const char *const argv[], const char *output)
{
	int64_t start = deadline_in(0);

	ASSERT_EQ(0, sandbox_run(&self->at.sandbox,
				 ARGS("--net-allow", "any://127.0.0.1:" ALLOWED_TEXT), argv));
	EXPECT_STREQ(output, self->at.sandbox.command.out.text);
	EXPECT_GT(3000, deadline_in(0) - start);
}

/* It sends nothing, and must neither wait for an answer nor make noise. */
TEST_F(ground, udp_connect_to_sort)
{
	expect_output(self, ARGS("probe", "connect", "udp", "127.0.0.1", FORBIDDEN_TEXT),
		      "connect ECONNREFUSED\n");
	EXPECT_STREQ("", self->at.sandbox.command.err.text);
}

TEST_F(ground, happy_eyeballs)
{
	expect_output(self,
		      ARGS("probe", "connect", "tcp", "::1", FORBIDDEN_TEXT, ",", "connect", "tcp",
			   "127.0.0.1", ALLOWED_TEXT),
		      "connect ECONNREFUSED\nconnect 0\n");
}

TEST_F(ground, mptcp_by_default)
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
static int start_on_terminal(struct ground_data *self, const char *const argv[])
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	ASSERT_TRUE(master >= 0 && !grantpt(master) && !unlockpt(master));
	ASSERT_EQ(0, sandbox_start(&self->at.sandbox, policy_options(ALLOW_LIST), argv,
				   take_terminal, ptsname(master)));
	expect_text(self, "ready\n");
	return master;
}

TEST_F(ground, keys_of_the_terminal)
{
	int master = start_on_terminal(self, ARGS("probe", "signals"));

	EXPECT_EQ(1, write(master, "\003", 1));
	expect_text(self, "signals INT\n");
	EXPECT_EQ(1, write(master, "\032", 1));
	expect_text(self, "stopped\n");
	expect_text(self, "signals CONT\n");
	EXPECT_EQ(1, write(master, "\034", 1));
	expect_text(self, "signals QUIT\n");
	close(master);
}

TEST_F(ground, resize)
{
	struct winsize size = { .ws_row = 40, .ws_col = 132 };
	int master = start_on_terminal(
		self, ARGS("sh", "-c",
			   "trap 'stty size; exit 0' WINCH; echo ready; while :; do :; done"));

	EXPECT_EQ(0, ioctl(master, TIOCSWINSZ, &size));
	expect_text(self, "40 132\n");
	close(master);
}

/* ---- the list itself ---------------------------------------------------------------------------
 */

static bool has_test(const char *name)
{
	for (const struct harness_test *t = fixture_ground.tests; t; t = t->next)
		if (!strcmp(t->name, name))
			return true;
	return false;
}

static bool is_attacked(const char *hazard)
{
	for (const struct harness_variant *v = fixture_attack.variants; v; v = v->next)
		if (!strcmp(((const struct attack_variant *)v->data)->hazard, hazard))
			return true;
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (!strcmp(special[i].hazard, hazard))
			return has_test(special[i].test);
	return false;
}

static bool is_hazard(const char *text)
{
	for (size_t i = 0; i < sizeof(hazards) / sizeof(hazards[0]); i++)
		if (!strcmp(hazards[i], text))
			return true;
	return false;
}

TEST(every_hazard_has_an_attack)
{
	for (size_t i = 0; i < sizeof(hazards) / sizeof(hazards[0]); i++)
		EXPECT_TRUE(is_attacked(hazards[i]))
		{
			TH_LOG("%s", hazards[i]);
		}
}

TEST(every_attack_names_a_hazard_and_its_source)
{
	for (const struct harness_variant *v = fixture_attack.variants; v; v = v->next) {
		const struct attack_variant *a = v->data;

		EXPECT_TRUE(is_hazard(a->hazard) && a->source && *a->source)
		{
			TH_LOG("%s: %s", v->name, a->hazard);
		}
	}
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		EXPECT_TRUE(is_hazard(special[i].hazard) && has_test(special[i].test))
		{
			TH_LOG("%s", special[i].hazard);
		}
}

TEST_HARNESS_MAIN

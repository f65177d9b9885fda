/* SPDX-License-Identifier: MIT */
/*
 * sandtop ps and sandtop ctl: what each verb does to real traffic, who may use
 * them, and what clients that do not behave can do to a run.
 */
#include "selftests/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/lib/driven.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/server.h"
#include "selftests/lib/textfile.h"
#include "selftests/lib/unixserver.h"

enum { PORT = 8080 };

#define ALLOW ARGS("--net-allow", "127.0.0.1:8080,[::1]:8080,udp://127.0.0.1:8080")
#define EVERY ARGS("--preset", "allow-all")

static bool contains(const char *text, const char *what)
{
	return strstr(text, what) != NULL;
}

#define EXPECT_TEXT(what, text)                                                                    \
	do {                                                                                       \
		const char *text_ = text;                                                          \
		EXPECT_TRUE(contains(text_, what))                                                 \
		{                                                                                  \
			TH_LOG("got: %s", text_);                                                  \
		}                                                                                  \
	} while (0)

/* ---- the policy changes, and with it what is open ---------------------- */

FIXTURE(change)
{
	struct driven d;
	struct server *server;
};

FIXTURE_VARIANT(change)
{
	const char *kind;
	const char *address;
};

FIXTURE_VARIANT_ADD(change, tcp4){ "tcp", "127.0.0.1" };
FIXTURE_VARIANT_ADD(change, tcp6){ "tcp", "::1" };
FIXTURE_VARIANT_ADD(change, udp4){ "udp", "127.0.0.1" };

FIXTURE_SETUP(change)
{
	if (!netns_or_skip())
		return;
	driven_init();
	self->server = server_new(strcmp(variant->kind, "udp") ? SOCK_STREAM : SOCK_DGRAM,
				  variant->address, PORT);
	ASSERT_NE(NULL, self->server);
	driven_start(&self->d, "web", ALLOW, NULL, NULL);
}

FIXTURE_TEARDOWN(change)
{
	driven_free(&self->d);
	server_free(self->server);
}

TEST_F(change, deny_shuts_and_undo_opens_again)
{
	bool tcp = !strcmp(variant->kind, "tcp");

	EXPECT_STREQ("open 0 0",
		     driven_say(&self->d, "open %s %s %d", variant->kind, variant->address, PORT));
	EXPECT_STREQ("send 0 5", driven_say(&self->d, "send 0"));
	ASSERT_EQ(0, server_wait(self->server, 1, COMMAND_TIMEOUT));

	EXPECT_STREQ("generation 2, 1 flows shut\n",
		     driven_ctl(0, ARGS("web", "deny", "any://@loopback")));
	if (tcp)
		EXPECT_STREQ("recv 0 0", driven_say(&self->d, "recv 0"));
	EXPECT_STREQ("send 0 EPIPE", driven_say(&self->d, "send 0"));
	EXPECT_STREQ("open ECONNREFUSED",
		     driven_say(&self->d, "open %s %s %d", variant->kind, variant->address, PORT));
	EXPECT_EQ(1, server_count(self->server));
	if (tcp) {
		char text[16];

		EXPECT_EQ(5, server_payload(self->server, 0, text, sizeof(text), COMMAND_TIMEOUT));
	}

	EXPECT_STREQ("generation 3, 0 flows shut\n", driven_ctl(0, ARGS("undo")));
	EXPECT_STREQ("open 1 0",
		     driven_say(&self->d, "open %s %s %d", variant->kind, variant->address, PORT));
	EXPECT_STREQ("send 1 5", driven_say(&self->d, "send 1"));
	EXPECT_EQ(0, server_wait(self->server, 2, COMMAND_TIMEOUT));
	EXPECT_TEXT("there is no earlier policy", driven_ctl(1, ARGS("undo")));
}

TEST_F(change, shut_closes_what_is_open_and_nothing_else)
{
	driven_say(&self->d, "open %s %s %d", variant->kind, variant->address, PORT);
	EXPECT_STREQ("generation 1, 0 flows shut\n", driven_ctl(0, ARGS("shut", ":9")));
	EXPECT_STREQ("send 0 5", driven_say(&self->d, "send 0"));
	EXPECT_STREQ("generation 1, 1 flows shut\n", driven_ctl(0, ARGS("shut", ":8080")));
	EXPECT_STREQ("send 0 EPIPE", driven_say(&self->d, "send 0"));
	EXPECT_STREQ("open 1 0",
		     driven_say(&self->d, "open %s %s %d", variant->kind, variant->address, PORT));
}

TEST_F(change, a_socket_in_no_process_is_found_later)
{
	const char *answer;

	driven_say(&self->d, "open %s %s %d", variant->kind, variant->address, PORT);
	EXPECT_STREQ("pass 0 0", driven_say(&self->d, "pass 0"));
	EXPECT_TEXT("generation 2", driven_ctl(0, ARGS("deny", "any://@loopback")));
	EXPECT_STREQ("take 0 0", driven_say(&self->d, "take 0"));
	do {
		answer = driven_say(&self->d, "send 0");
	} while (!strcmp(answer, "send 0 5"));
	EXPECT_STREQ("send 0 EPIPE", answer);
}

TEST_F(change, a_grandchild_is_reached)
{
	driven_say(&self->d, "open %s %s %d", variant->kind, variant->address, PORT);
	EXPECT_STREQ("fork 0", driven_say(&self->d, "fork"));
	EXPECT_STREQ("generation 2, 1 flows shut\n",
		     driven_ctl(0, ARGS("deny", "any://@loopback")));
	EXPECT_STREQ("send 0 EPIPE", driven_say(&self->d, "send 0"));
}

TEST_F(change, what_stays_allowed_stays_open)
{
	driven_say(&self->d, "open %s %s %d", variant->kind, variant->address, PORT);
	EXPECT_STREQ("generation 2, 0 flows shut\n",
		     driven_ctl(0, ARGS("web", "deny", "any://10.0.0.0/8")));
	EXPECT_STREQ("send 0 5", driven_say(&self->d, "send 0"));
	EXPECT_STREQ("generation 3, 0 flows shut\n", driven_ctl(0, ARGS("web", "allow", ":9000")));
	EXPECT_STREQ("send 0 5", driven_say(&self->d, "send 0"));
}

/* ---- more of the same, where the protocol does not matter -------------- */

FIXTURE(verbs)
{
	struct driven d;
	struct server *server;
};

FIXTURE_SETUP(verbs)
{
	if (!netns_or_skip())
		return;
	driven_init();
	self->server = server_new(SOCK_STREAM, "127.0.0.1", PORT);
	ASSERT_NE(NULL, self->server);
}

FIXTURE_TEARDOWN(verbs)
{
	driven_free(&self->d);
	server_free(self->server);
}

TEST_F(verbs, allow_opens)
{
	driven_start(&self->d, "web", ARGS("--net-allow", ":1"), NULL, NULL);
	EXPECT_STREQ("open ECONNREFUSED", driven_say(&self->d, "open tcp 127.0.0.1 8080"));
	EXPECT_STREQ("generation 2, 0 flows shut\n",
		     driven_ctl(0, ARGS("allow", "127.0.0.1:8080")));
	EXPECT_STREQ("open 0 0", driven_say(&self->d, "open tcp 127.0.0.1 8080"));
	EXPECT_EQ(0, server_wait(self->server, 1, COMMAND_TIMEOUT));
}

TEST_F(verbs, what_a_listener_accepted_is_not_a_request)
{
	struct command client;

	driven_start(&self->d, "web", EVERY, NULL, NULL);
	EXPECT_STREQ("listen 0 0", driven_say(&self->d, "listen 127.0.0.1 9000"));
	ASSERT_EQ(0, command_start(&client,
				   ARGS("probe", "connect", "tcp4", "127.0.0.1", "9000", ",",
					"recv", "same"),
				   NULL, NULL));
	EXPECT_STREQ("accept 1 0", driven_say(&self->d, "accept 0"));
	EXPECT_STREQ("generation 2, 0 flows shut\n", driven_ctl(0, ARGS("deny", "any://*")));
	EXPECT_STREQ("send 1 5", driven_say(&self->d, "send 1"));
	EXPECT_EQ(0, command_wait(&client, COMMAND_TIMEOUT));
	EXPECT_TEXT("recv 5 hello", client.out.text);
	command_free(&client);
}

TEST_F(verbs, a_connect_that_waits_is_denied)
{
	int hole;

	driven_start(&self->d, "web", EVERY, NULL, NULL);
	hole = driven_black_hole(&self->d, "127.0.0.1", 9001);
	driven_begin(&self->d, "open tcp 127.0.0.1 9001");
	/* A verb of the policy comes behind everything that was asked before. */
	EXPECT_TEXT("flows shut", driven_ctl(0, ARGS("deny", "any://127.0.0.1:9001")));
	EXPECT_STREQ("open ECONNREFUSED", driven_answer(&self->d));
	EXPECT_STREQ("recv 0 0", driven_say(&self->d, "recv 0"));
	close(hole);
}

/* Its first part decides where it goes: the address of the last one is only looked at. */
TEST_F(verbs, a_datagram_that_is_unfinished_is_dropped)
{
	static const char *const addresses[] = { "127.0.0.1", "::1" };

	driven_start(
		&self->d, "web",
		ARGS("--net-allow", "udp://@loopback:8080", "--net-allow", "udp://@loopback:8081"),
		NULL, NULL);
	for (size_t i = 0; i < 2; i++) {
		struct server *denied = server_new(SOCK_DGRAM, addresses[i], PORT);
		struct server *allowed = server_new(SOCK_DGRAM, addresses[i], PORT + 1);
		char text[16];

		ASSERT_TRUE(denied && allowed);
		EXPECT_TEXT(" 5", driven_say(&self->d, "cork %s %d", addresses[i], PORT));
		EXPECT_TEXT(" 5", driven_say(&self->d, "sendto %zu %s %d", 2 * i, addresses[i],
					     PORT + 1));
		EXPECT_EQ(10, server_payload(denied, 0, text, sizeof(text), COMMAND_TIMEOUT));

		EXPECT_TEXT(" 5", driven_say(&self->d, "cork %s %d", addresses[i], PORT));
		EXPECT_TEXT("0 flows shut",
			    driven_ctl(0, ARGS("web", "deny", "udp://@loopback:8080")));
		EXPECT_TEXT(" 5", driven_say(&self->d, "sendto %zu %s %d", 2 * i + 1, addresses[i],
					     PORT + 1));
		EXPECT_EQ(5, server_payload(allowed, 0, text, sizeof(text), COMMAND_TIMEOUT));
		ASSERT_EQ(0, server_knock(denied));
		EXPECT_EQ(1, server_count(denied));
		EXPECT_TEXT("0 flows shut", driven_ctl(0, ARGS("web", "undo")));
		server_free(allowed);
		server_free(denied);
	}
}

TEST_F(verbs, a_connect_under_way_is_shut)
{
	int hole;

	driven_start(&self->d, "web", EVERY, NULL, NULL);
	hole = driven_black_hole(&self->d, "127.0.0.1", 9001);
	EXPECT_STREQ("open 1 0", driven_say(&self->d, "begin 127.0.0.1 9001"));
	EXPECT_STREQ("generation 2, 2 flows shut\n",
		     driven_ctl(0, ARGS("deny", "any://127.0.0.1:9001")));
	EXPECT_STREQ("send 1 ECONNRESET", driven_say(&self->d, "send 1"));
	close(hole);
}

TEST_F(verbs, show)
{
	struct stat st;
	char path[128];

	driven_start(&self->d, "web", ALLOW, NULL, NULL);
	driven_say(&self->d, "open tcp 127.0.0.1 8080");
	driven_say(&self->d, "open tcp 127.0.0.1 9");
	EXPECT_TEXT("\"127.0.0.1:8080,[::1]:8080,udp://127.0.0.1:8080\", # 1",
		    driven_ctl(0, ARGS("policy")));
	EXPECT_TEXT("allow\ttcp\t127.0.0.1\t8080\t1\t",
		    driven_ctl(0, ARGS("why", "tcp", "127.0.0.1", "8080")));
	EXPECT_TEXT("unknown protocol", driven_ctl(1, ARGS("why", "x")));
	EXPECT_TEXT("deny\tunix\t/proc/x\t", driven_ctl(0, ARGS("why", "unix /proc/sys/../x")));
	EXPECT_TEXT("sandtop: ctl answer: once is for ip:port alone",
		    driven_ctl(1, ARGS("answer", "1", "allow", "once", "any")));
	EXPECT_TEXT("127.0.0.1:8080", driven_ctl(0, ARGS("flows")));
	EXPECT_TEXT("\"port\":9,", driven_ctl(0, ARGS("flows", "--json")));
	EXPECT_TEXT(" sandtop: DENY tcp 127.0.0.1:9 guest", driven_ctl(0, ARGS("log")));
	EXPECT_TEXT("sandtop_", driven_ctl(0, ARGS("metrics")));
	EXPECT_STREQ("", driven_ctl(0, ARGS("reopen")));

	snprintf(path, sizeof(path), "%s/saved.toml", harness_dir());
	EXPECT_STREQ("", driven_ctl(0, ARGS("save", path)));
	ASSERT_EQ(0, stat(path, &st));
	EXPECT_EQ(0600, st.st_mode & 0777);
	EXPECT_EQ(0,
		  command_run(&(struct command){ 0 }, ARGS("sandtop", "profile", "check", path)));
}

TEST_F(verbs, log_follows_until_the_end)
{
	struct command follower;

	driven_start(&self->d, "web", ALLOW, NULL, NULL);
	ASSERT_EQ(0, command_start(&follower, ARGS("sandtop", "ctl", "log", "-f"), NULL, NULL));
	driven_say(&self->d, "open tcp 127.0.0.1 7");
	EXPECT_EQ(0, command_wait_text(&follower, &follower.out, "127.0.0.1:7 ", COMMAND_TIMEOUT));
	driven_quit(&self->d);
	EXPECT_EQ(0, command_wait(&follower, COMMAND_TIMEOUT));
	EXPECT_EQ(0, command_code(&follower));
	command_free(&follower);
}

TEST_F(verbs, reload)
{
	char path[128], other[128], expected[256];

	snprintf(path, sizeof(path), "%s/p.toml", harness_dir());
	snprintf(other, sizeof(other), "%s/other.toml", harness_dir());
	textfile_write(path, "[network]\nallow = [\"127.0.0.1:8080\"]\n");
	driven_start(&self->d, "web", ARGS("--net-allow", ":1", "--profile-file", path), NULL,
		     NULL);
	EXPECT_STREQ("open 0 0", driven_say(&self->d, "open tcp 127.0.0.1 8080"));

	textfile_write(path, "[network]\nallow = [\"127.0.0.1:8080\",\n  \":x\"]\n");
	snprintf(expected, sizeof(expected), "%s:3:3: network.allow: ':x': invalid port", path);
	EXPECT_TEXT(expected, driven_ctl(1, ARGS("reload")));
	EXPECT_STREQ("send 0 5", driven_say(&self->d, "send 0"));

	textfile_write(path, "[network]\nallow = [\"unix:$NO_SUCH_VARIABLE\"]\n");
	EXPECT_TEXT("failed to resolve 'unix:$NO_SUCH_VARIABLE'", driven_ctl(1, ARGS("reload")));
	EXPECT_STREQ("send 0 5", driven_say(&self->d, "send 0"));
	EXPECT_TEXT("cannot read", driven_ctl(2, ARGS("reload", "/no/such/file")));

	textfile_write(other, "[network]\nallow = [\":9\"]\n");
	EXPECT_STREQ("generation 2, 1 flows shut\n", driven_ctl(0, ARGS("reload", other)));
	EXPECT_STREQ("open ECONNREFUSED", driven_say(&self->d, "open tcp 127.0.0.1 8080"));
	EXPECT_TEXT("\":1\", # 1\n\t\":9\", # 2", driven_ctl(0, ARGS("policy")));

	textfile_write(path, "[network]\nallow = [\"127.0.0.1:8080\"]\n");
	EXPECT_STREQ("generation 3, 0 flows shut\n", driven_ctl(0, ARGS("reload")));
	EXPECT_STREQ("open 1 0", driven_say(&self->d, "open tcp 127.0.0.1 8080"));
}

/* Have a reply, which is released, and compare its generation; 0: it must refuse with `error`. */
static void expect_reply(int fd, const char *packet, long generation, const char *error)
{
	json_t *reply = driven_request(fd, packet);

	if (generation)
		EXPECT_EQ(generation, event_number(reply, "generation"))
		{
			TH_LOG("%s", event_text(reply, "error"));
		}
	else
		EXPECT_TEXT(error, event_text(reply, "error"));
	json_decref(reply);
}

#define WHOLE(more)                                                                                \
	"{\"v\":1,\"verb\":\"reload\",\"path\":\"here\",\"whole\":true," more                      \
	"\"text\":\"[network]\\nrules = [\\\"allow 127.0.0.1:9\\\"]\"}"

/* The text is everything then: neither an option nor an inserted rule is left. */
TEST_F(verbs, reload_of_the_whole_policy)
{
	char path[128];
	int fd;

	driven_start(&self->d, "web", ALLOW, NULL, NULL);
	EXPECT_STREQ("open 0 0", driven_say(&self->d, "open tcp 127.0.0.1 8080"));
	EXPECT_STREQ("generation 2, 0 flows shut\n", driven_ctl(0, ARGS("allow", "10.0.0.1")));
	fd = driven_connect("web");
	ASSERT_LE(0, fd);

	/* Neither a trial nor what was made for another policy changes anything. */
	expect_reply(fd, WHOLE("\"trial\":true,"), 2, NULL);
	expect_reply(fd, WHOLE("\"generation\":1,"), 0,
		     "the policy has changed meanwhile: expected generation 1, and it is 2");
	expect_reply(fd, WHOLE("\"generation\":0,"), 0, "a number from 1");
	EXPECT_TEXT("10.0.0.1", driven_ctl(0, ARGS("policy")));
	EXPECT_STREQ("send 0 5", driven_say(&self->d, "send 0"));

	expect_reply(fd, WHOLE("\"generation\":2,"), 3, NULL);
	EXPECT_TEXT("rules = [\n\t\"allow 127.0.0.1:9\", # 1\n]", driven_ctl(0, ARGS("policy")));
	EXPECT_STREQ("open ECONNREFUSED", driven_say(&self->d, "open tcp 127.0.0.1 8080"));
	EXPECT_STREQ("generation 4, 0 flows shut\n", driven_ctl(0, ARGS("undo")));
	EXPECT_STREQ("open 1 0", driven_say(&self->d, "open tcp 127.0.0.1 8080"));

	/* What the command line says holds again with the next file; what was edited away does not.
	 */
	expect_reply(fd, WHOLE(""), 5, NULL);
	snprintf(path, sizeof(path), "%s/p.toml", harness_dir());
	textfile_write(path, "");
	EXPECT_STREQ("generation 6, 0 flows shut\n", driven_ctl(0, ARGS("reload", path)));
	EXPECT_STREQ("open 2 0", driven_say(&self->d, "open tcp 127.0.0.1 8080"));
	EXPECT_FALSE(contains(driven_ctl(0, ARGS("policy")), "10.0.0.1"));
	close(fd);
}

static void expect_hits(int fd, const char *expected)
{
	json_t *reply = driven_request(fd, "{\"v\":1,\"verb\":\"hits\"}");

	EXPECT_STREQ(expected, event_text(reply, "text"));
	json_decref(reply);
}

/* A rule keeps its count wherever it moves, and also when it comes back. */
TEST_F(verbs, hits_follow_their_rule)
{
	int fd;

	driven_start(&self->d, "web", ARGS("--rule", "deny 10.0.0.0/8", "--rule", "allow :8080"),
		     NULL, NULL);
	fd = driven_connect("web");
	ASSERT_LE(0, fd);
	expect_hits(fd, "0\n0\n");
	EXPECT_STREQ("open 0 0", driven_say(&self->d, "open tcp 127.0.0.1 8080"));
	EXPECT_STREQ("open 1 0", driven_say(&self->d, "open tcp 127.0.0.1 8080"));
	expect_hits(fd, "0\n2\n");
	EXPECT_STREQ("generation 2, 0 flows shut\n", driven_ctl(0, ARGS("allow", "127.0.0.1")));
	expect_hits(fd, "0\n0\n2\n");
	EXPECT_STREQ("open 2 0", driven_say(&self->d, "open tcp 127.0.0.1 8080"));
	expect_hits(fd, "1\n0\n2\n");
	EXPECT_STREQ("generation 3, 0 flows shut\n", driven_ctl(0, ARGS("undo")));
	EXPECT_STREQ("open 3 0", driven_say(&self->d, "open tcp 127.0.0.1 8080"));
	expect_hits(fd, "0\n3\n");
	close(fd);
}

TEST_F(verbs, reload_without_a_profile)
{
	driven_start(&self->d, "web", ALLOW, NULL, NULL);
	EXPECT_TEXT("was started without a profile", driven_ctl(1, ARGS("reload")));
}

TEST_F(verbs, kill_ends_every_task)
{
	driven_start(&self->d, "web", ALLOW, NULL, NULL);
	driven_say(&self->d, "fork");
	EXPECT_STREQ("2 processes signalled\n", driven_ctl(0, ARGS("kill", "KILL")));
	ASSERT_EQ(0, sandbox_wait(&self->d.sandbox));
	EXPECT_EQ(128 + SIGKILL, command_code(&self->d.sandbox.command));
}

TEST_F(verbs, kill_says_of_one_task_that_it_is_one)
{
	driven_start(&self->d, "web", ALLOW, NULL, NULL);
	EXPECT_STREQ("1 process signalled\n", driven_ctl(0, ARGS("kill", "KILL")));
	ASSERT_EQ(0, sandbox_wait(&self->d.sandbox));
}

TEST_F(verbs, usage)
{
	driven_start(&self->d, "web", ALLOW, NULL, NULL);
	EXPECT_TEXT("a word is missing", driven_ctl(2, ARGS("deny")));
	EXPECT_TEXT("unexpected 'y'", driven_ctl(2, ARGS("deny", "x", "y")));
	EXPECT_TEXT("unexpected '-x'", driven_ctl(2, ARGS("log", "-x")));
	EXPECT_TEXT("unknown verb 'x'", driven_ctl(2, ARGS("web", "x")));
	EXPECT_TEXT("a verb is missing", driven_ctl(2, ARGS(NULL)));
	EXPECT_TEXT("unknown signal 'X'", driven_ctl(2, ARGS("kill", "X")));
	EXPECT_TEXT("unexpected '-x'", driven_ctl(2, ARGS("held", "-x")));
	EXPECT_TEXT("invalid port", driven_ctl(1, ARGS("deny", ":x")));
	EXPECT_TEXT("this run answers no DNS", driven_ctl(1, ARGS("deny", "example.com")));
	EXPECT_TEXT("no sandbox 'other' is running", driven_ctl(1, ARGS("other", "undo")));
}

/* ---- who may ----------------------------------------------------------- */

FIXTURE(inside)
{
	struct driven d;
	int inherited;
};

FIXTURE_SETUP(inside)
{
	if (!netns_or_skip())
		return;
	driven_init();
	self->inherited = -1;
}

FIXTURE_TEARDOWN(inside)
{
	driven_free(&self->d);
}

static void expect_unchanged(void)
{
	int fd = driven_connect("web");
	json_t *reply;

	ASSERT_LE(0, fd);
	reply = driven_request(fd, "{\"v\":1,\"verb\":\"hello\"}");
	EXPECT_EQ(1, event_number(reply, "generation"));
	json_decref(reply);
	close(fd);
}

/* The policy lets it reach every UNIX socket of the host, and this is none of those. */
TEST_F(inside, cannot_drive_its_own_sandbox)
{
	char path[160], link[160], root[192];
	const char *names[] = { path, link, root };

	driven_start(&self->d, "web", EVERY, NULL, NULL);
	snprintf(path, sizeof(path), "%s/sandtop/web.sock", harness_dir());
	snprintf(link, sizeof(link), "%s/link", harness_dir());
	ASSERT_EQ(0, symlink(path, link));
	snprintf(root, sizeof(root), "/proc/self/root%s", path);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *answer = driven_say(&self->d, "unix %s", names[i]);

		EXPECT_TRUE(contains(answer, "EACCES"))
		{
			TH_LOG("%s: %s", names[i], answer);
		}
	}
	expect_unchanged();
}

TEST_F(inside, cannot_drive_another_sandbox)
{
	struct driven other;

	driven_start(&self->d, "web", ARGS("--net-allow", ":1"), NULL, NULL);
	driven_start(&other, "other", EVERY, NULL, NULL);
	EXPECT_FALSE(contains(driven_say(&other, "unix %s/sandtop/web.sock", harness_dir()),
			      "\"ok\":true"));
	expect_unchanged();
	driven_free(&other);
}

static void give_stdin(void *arg)
{
	dup2(*(int *)arg, 0);
}

TEST_F(inside, cannot_use_a_connection_that_it_inherited)
{
	struct driven other;
	int fd;

	driven_start(&self->d, "web", ARGS("--net-allow", ":1"), NULL, NULL);
	fd = driven_connect("web");
	ASSERT_LE(0, fd);
	driven_start(&other, "other", EVERY, give_stdin, &fd);
	EXPECT_TEXT("a task of a sandbox cannot drive one", driven_say(&other, "ask 0"));
	expect_unchanged();
	close(fd);
	driven_free(&other);
}

TEST_F(inside, control_without_sandtop)
{
	struct command c;
	char path[160], fifo[160];
	int pipe;

	driven_start(&self->d, "web", ARGS("--net-allow", ":1"), NULL, NULL);
	snprintf(path, sizeof(path), "unix %s/sandtop/web.sock\nquit\n", harness_dir());
	snprintf(fifo, sizeof(fifo), "%s/fifo", harness_dir());
	ASSERT_EQ(0, mkfifo(fifo, 0600));
	ASSERT_EQ(0, command_start(&c, ARGS("guest", fifo), NULL, NULL));
	pipe = open(fifo, O_WRONLY | O_CLOEXEC);
	ASSERT_EQ((ssize_t)strlen(path), write(pipe, path, strlen(path)));
	EXPECT_EQ(0, command_wait(&c, COMMAND_TIMEOUT));
	EXPECT_TEXT("\"ok\":true", c.out.text);
	close(pipe);
	command_free(&c);
}

TEST_F(inside, another_user_is_refused)
{
	char path[160];
	int status;
	pid_t pid;

	/* Root alone can become another user; every suite runs as root, too. */
	if (geteuid())
		return;
	driven_start(&self->d, "web", ARGS("--net-allow", ":1"), NULL, NULL);
	/* As if somebody had opened the doors to it. */
	snprintf(path, sizeof(path), "%s/sandtop", harness_dir());
	ASSERT_EQ(0, chmod(harness_dir(), 0755));
	ASSERT_EQ(0, chmod(path, 0755));
	snprintf(path, sizeof(path), "%s/sandtop/web.sock", harness_dir());
	ASSERT_EQ(0, chmod(path, 0777));
	pid = fork();
	if (pid == 0) {
		json_t *reply;
		int fd;

		if (setgid(65534) || setuid(65534))
			_exit(2);
		fd = driven_connect("web");
		reply = fd >= 0 ? driven_request(fd, "") : NULL;
		_exit(reply && contains(event_text(reply, "error"), "another user's") ? 0 : 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	expect_unchanged();
}

/* ---- clients that do not behave ---------------------------------------- */

TEST_F(verbs, garbage_is_answered)
{
	static const struct {
		const char *packet, *expected;
	} rows[] = {
		{ "garbage", "expected one JSON object" },
		{ "[]", "expected one JSON object" },
		{ "{}{}", "expected one JSON object" },
		{ "{}", "unknown version" },
		{ "{\"v\":2,\"verb\":\"hello\"}", "unknown version" },
		{ "{\"v\":\"1\",\"verb\":\"hello\"}", "unknown version" },
		{ "{\"v\":1}", "no verb" },
		{ "{\"v\":1,\"verb\":7}", "no verb" },
		{ "{\"v\":1,\"verb\":\"x\"}", "unknown verb 'x'" },
		{ "{\"v\":1,\"verb\":\"deny\"}", "deny: expected \"spec\" to be a text" },
		{ "{\"v\":1,\"verb\":\"deny\",\"spec\":{}}", "to be a text" },
		{ "{\"v\":1,\"verb\":\"deny\",\"spec\":\"\"}", "empty" },
		{ "{\"v\":1,\"verb\":\"reload\",\"path\":\"x\"}", "expected the profile" },
		{ "{\"v\":1,\"verb\":\"kill\",\"signal\":0}", "a number from 1 to" },
		{ "{\"v\":1,\"verb\":\"kill\",\"signal\":\"TERM\"}", "a number from 1 to" },
		{ "{\"v\":1,\"verb\":\"why\",\"endpoint\":\"\"}", "empty" },
	};
	static char large[70000];
	json_t *reply;
	int fd;

	driven_start(&self->d, "web", ALLOW, NULL, NULL);
	fd = driven_connect("web");
	ASSERT_LE(0, fd);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *error;

		reply = driven_request(fd, rows[i].packet);
		error = event_text(reply, "error");
		EXPECT_TRUE(error && contains(error, rows[i].expected))
		{
			TH_LOG("%s: %s", rows[i].packet, error ? error : "no reply");
		}
		json_decref(reply);
	}
	memset(large, '[', sizeof(large) - 1);
	reply = driven_request(fd, large);
	EXPECT_TEXT("at most 65536 bytes", event_text(reply, "error"));
	json_decref(reply);
	large[60000] = '\0';
	reply = driven_request(fd, large);
	EXPECT_TEXT("expected one JSON object", event_text(reply, "error"));
	json_decref(reply);
	reply = driven_request(fd, "{\"v\":1,\"verb\":\"hello\"}");
	EXPECT_EQ(1, event_number(reply, "generation"));
	json_decref(reply);
	close(fd);
}

/* One that asks and never listens, and many that only sit there. */
TEST_F(verbs, clients_hold_nothing_up)
{
	enum { SITTING = 40 };
	int fds[SITTING], slow, n = 0;

	driven_start(&self->d, "web", ALLOW, NULL, NULL);
	slow = driven_connect("web");
	ASSERT_LE(0, slow);
	driven_begin(&self->d, "many 127.0.0.1 8080 1000");
	for (int i = 0; i < 20000; i++)
		n += send(slow, "{\"v\":1,\"verb\":\"policy\"}", 23, MSG_DONTWAIT | MSG_NOSIGNAL) >
		     0;
	EXPECT_STREQ("many 1000", driven_answer(&self->d));
	EXPECT_GT(20000, n); /* it is not read from any more */
	close(slow);
	for (int i = 0; i < SITTING; i++)
		fds[i] = driven_connect("web");
	EXPECT_STREQ("many 100", driven_say(&self->d, "many 127.0.0.1 8080 100"));
	for (int i = 0; i < SITTING; i++)
		close(fds[i]);
	driven_quit(&self->d);
	EXPECT_EQ(0, command_code(&self->d.sandbox.command));
}

TEST_F(verbs, a_watcher_hears_of_changes_and_of_the_end)
{
	json_t *event;
	int fd;

	driven_start(&self->d, "web", ALLOW, NULL, NULL);
	fd = driven_connect("web");
	json_decref(driven_request(fd, "{\"v\":1,\"verb\":\"watch\"}"));
	driven_ctl(0, ARGS("deny", ":9"));
	event = driven_request(fd, "");
	EXPECT_STREQ("swap", event_text(event, "event"));
	EXPECT_EQ(2, event_number(event, "generation"));
	json_decref(event);
	driven_quit(&self->d);
	event = driven_request(fd, "");
	EXPECT_STREQ("exit", event_text(event, "event"));
	EXPECT_EQ(0, event_number(event, "exit"));
	EXPECT_STREQ("command", event_text(event, "by"));
	json_decref(event);
	EXPECT_NULL(driven_request(fd, ""));
	close(fd);
}

/* ---- several sandboxes, and dead ones ---------------------------------- */

static const char *ps(int expected_status)
{
	static struct command c;

	command_free(&c);
	c = (struct command){ 0 };
	ASSERT_EQ(0, command_run(&c, ARGS("sandtop", "ps")));
	EXPECT_EQ(expected_status, command_code(&c));
	return expected_status ? c.err.text : c.out.text;
}

TEST_F(verbs, several_sandboxes)
{
	struct driven other;
	char pid[16];

	EXPECT_TEXT("no sandbox is running", ps(1));
	EXPECT_TEXT("no sandbox is running", driven_ctl(1, ARGS("undo")));
	driven_start(&self->d, "web", ALLOW, NULL, NULL);
	driven_start(&other, "other", ALLOW, NULL, NULL);
	EXPECT_TEXT("NAME ", ps(0));
	EXPECT_TEXT("\nother ", ps(0));
	EXPECT_TEXT("\nweb ", ps(0));
	EXPECT_TEXT("expected one of other, web", driven_ctl(1, ARGS("undo")));
	snprintf(pid, sizeof(pid), "%d", other.sandbox.command.pid);
	EXPECT_STREQ("generation 2, 0 flows shut\n", driven_ctl(0, ARGS(pid, "deny", ":8080")));
	EXPECT_STREQ("open ECONNREFUSED", driven_say(&other, "open tcp 127.0.0.1 8080"));
	EXPECT_STREQ("open 0 0", driven_say(&self->d, "open tcp 127.0.0.1 8080"));
	driven_free(&other);
}

TEST_F(verbs, a_name_is_taken_once)
{
	struct command c;

	driven_start(&self->d, "web", ALLOW, NULL, NULL);
	ASSERT_EQ(0, command_run(&c, ARGS("sandtop", "-b", "--name", "web", "--net-allow", ":1",
					  "--", "true")));
	EXPECT_EQ(125, command_code(&c));
	EXPECT_STREQ("sandtop: --name: 'web': a sandbox of this name is running: expected another "
		     "name\n",
		     c.err.text);
	command_free(&c);
	EXPECT_TEXT("generation 2", driven_ctl(0, ARGS("web", "deny", ":9")));
}

TEST_F(verbs, a_dead_sandbox_leaves_nothing_behind)
{
	char path[160];

	driven_start(&self->d, "web", ALLOW, NULL, NULL);
	snprintf(path, sizeof(path), "%s/sandtop/web.sock", harness_dir());
	ASSERT_EQ(0, access(path, F_OK));
	/* The guardian cannot clean up. */
	ASSERT_EQ(0, kill(self->d.sandbox.command.pid, SIGKILL));
	driven_free(&self->d);
	while (driven_connect("web") >= 0)
		;
	EXPECT_EQ(0, access(path, F_OK));
	EXPECT_TEXT("no sandbox is running", ps(1));
	unlink(self->d.fifo);
	driven_start(&self->d, "web", ALLOW, NULL, NULL);
	EXPECT_TEXT("generation 2", driven_ctl(0, ARGS("deny", ":9")));
	driven_quit(&self->d);
	EXPECT_EQ(-1, access(path, F_OK));
}

static void run_web(void)
{
	struct command c;

	ASSERT_EQ(0, command_run(&c, ARGS("sandtop", "-b", "--name", "web", "--net-allow", ":1",
					  "--", "true")));
	EXPECT_EQ(0, command_code(&c));
	command_free(&c);
}

/* It looks which sockets nobody has any more, and finds that out without being a client. */
TEST_F(verbs, a_start_does_not_wake_the_others)
{
	char path[160];
	int fd;

	run_web();
	snprintf(path, sizeof(path), "%s/sandtop/other.sock", harness_dir());
	fd = unixserver_open(SOCK_SEQPACKET, path);
	ASSERT_LE(0, fd);
	run_web();
	EXPECT_EQ(0, unixserver_count(fd, SOCK_SEQPACKET));
	EXPECT_EQ(0, access(path, F_OK));
	close(fd);
	run_web();
	EXPECT_EQ(-1, access(path, F_OK));
}

TEST_HARNESS_MAIN

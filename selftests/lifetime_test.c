/* SPDX-License-Identifier: MIT */
/*
 * Answers that last: ten minutes, in the profile, for a host. What a peer
 * received is what counts. Ten minutes are a second here, as the request may say.
 */
#include "selftests/harness.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "selftests/lib/asked.h"
#include "selftests/lib/nameserver.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/textfile.h"

enum { DNS_PORT = 5300 };

#define FIXED "fixed.example.test"

/* A connection to the host that is the first argument, what becomes of it, and another one. */
static const char script[] =
	"import errno, socket, sys\n"
	"def attempt(name, call):\n"
	"    try:\n"
	"        call()\n"
	"        print(name, 'ok', flush=True)\n"
	"    except OSError as e:\n"
	"        print(name, errno.errorcode[e.errno], flush=True)\n"
	"s = socket.socket()\n"
	"address = socket.gethostbyname(sys.argv[1])\n"
	"attempt('connect', lambda: s.connect((address, 9000)))\n"
	"sys.stdin.readline()\n"
	"attempt('send', lambda: s.send(b'later', socket.MSG_NOSIGNAL))\n"
	"attempt('again', lambda: socket.create_connection((address, 9000)).send(b'again'))\n"
	"sys.stdin.readline()\n";

FIXTURE(lifetime)
{
	struct asked a;
	struct nameserver *ns;
	char profile[128];
};

FIXTURE_SETUP(lifetime)
{
	if (!netns_or_skip())
		return;
	asked_init(&self->a);
	snprintf(self->profile, sizeof(self->profile), "%s/run.toml", harness_dir());
}

FIXTURE_TEARDOWN(lifetime)
{
	asked_free(&self->a);
	nameserver_free(self->ns);
}

static long answer_for(FIXTURE_DATA(lifetime) * self, const char *verdict, const char *rest)
{
	return asked_do(&self->a, "generation",
			"{\"v\":1,\"verb\":\"answer\",\"id\":1,\"verdict\":\"%s\",%s}", verdict,
			rest);
}

/* Wait until the policy is of that generation, without the rule, and what it denies is shut. */
static void await_policy_without(FIXTURE_DATA(lifetime) * self, long generation, const char *rule)
{
	/* A connection of its own: on the other one events would come between replies. */
	int fd = driven_connect("asked");
	json_t *reply, *event;
	long now;

	ASSERT_LE(0, fd);
	event = driven_request(fd, "{\"v\":1,\"verb\":\"watch\"}");
	ASSERT_NE(NULL, event);
	now = event_number(event, "generation");
	json_decref(event);
	while (now < generation && (event = driven_request(fd, ""))) {
		now = event_number(event, "generation");
		json_decref(event);
	}
	EXPECT_EQ(generation, now);
	close(fd);
	/* It is written after the change is done. */
	reply = asked_request(&self->a, "{\"v\":1,\"verb\":\"policy\"}");
	EXPECT_STRNOTIN(rule, event_text(reply, "text"));
	json_decref(reply);
}

/* The answer to what `send` and `again` are after the rule: the second is asked about. */
static void expect_end(FIXTURE_DATA(lifetime) * self)
{
	asked_go(&self->a);
	asked_says(&self->a, "send EPIPE\n");
	EXPECT_STRIN("2\ttcp\t127.0.1.1:9000\t", asked_held(&self->a, 1));
	asked_answer(&self->a, 2, "deny", "once");
	asked_finish(&self->a);
	EXPECT_STRIN("again ECONNREFUSED\n", self->a.s.command.out.text);
	EXPECT_EQ(1, server_count(self->a.server));
}

TEST_F(lifetime, ten_minutes_end)
{
	asked_start(&self->a, ARGS("--ask"), script, "127.0.1.1", "");
	asked_go(&self->a);
	asked_held(&self->a, 1);
	EXPECT_EQ(2, answer_for(self, "allow", "\"lifetime\":\"ten-minutes\",\"seconds\":1"));
	asked_says(&self->a, "connect ok\n");
	await_policy_without(self, 3, "127.0.1.1");
	expect_end(self);
	EXPECT_EQ(1, asked_decisions(&self->a, "allow", "allow 127.0.1.1:9000"));
}

TEST_F(lifetime, ten_minutes_survive_other_changes)
{
	asked_start(&self->a, ARGS("--ask"), script, "127.0.1.1", "");
	asked_go(&self->a);
	asked_held(&self->a, 1);
	EXPECT_STREQ("generation 2, 0 flows shut\n",
		     driven_ctl(0, ARGS("answer", "1", "allow", "ten-minutes")));
	asked_says(&self->a, "connect ok\n");
	EXPECT_STREQ("generation 3, 0 flows shut\n", driven_ctl(0, ARGS("deny", "10.0.0.1")));
	EXPECT_STRIN("\"allow 127.0.1.1:9000\", # 2, ends in ", driven_ctl(0, ARGS("policy")));
	/* What is saved is for good. */
	driven_ctl(0, ARGS("save", self->profile));
	EXPECT_STRIN("deny 10.0.0.1", textfile_read(self->profile));
	EXPECT_STRNOTIN("127.0.1.1", textfile_read(self->profile));
	EXPECT_STREQ("generation 4, 0 flows shut\n", driven_ctl(0, ARGS("undo")));
	EXPECT_STRIN("\"allow 127.0.1.1:9000\", # 1, ends in ", driven_ctl(0, ARGS("policy")));
	asked_go(&self->a);
	asked_says(&self->a, "send ok\n");
	asked_finish(&self->a);
	EXPECT_STRIN("again ok\n", self->a.s.command.out.text);
	EXPECT_EQ(0, server_wait(self->a.server, 2, 5000));
}

TEST_F(lifetime, undo_does_not_bring_back_what_has_ended)
{
	asked_start(&self->a, ARGS("--ask"), script, "127.0.1.1", "");
	asked_go(&self->a);
	asked_held(&self->a, 1);
	answer_for(self, "allow", "\"lifetime\":\"ten-minutes\",\"seconds\":1");
	asked_says(&self->a, "connect ok\n");
	driven_ctl(0, ARGS("deny", "10.0.0.1"));
	await_policy_without(self, 4, "127.0.1.1");
	driven_ctl(0, ARGS("undo"));
	EXPECT_STRNOTIN("10.0.0.1", driven_ctl(0, ARGS("policy")));
	EXPECT_STRNOTIN("127.0.1.1", driven_ctl(0, ARGS("policy")));
	expect_end(self);
}

TEST_F(lifetime, a_profile_gets_the_rule)
{
	struct stat st;

	textfile_write(self->profile,
		       "# mine\n[network]\nrules = [\n\t'deny 10.0.0.1', # never\n]\n"
		       "default = 'ask'\n");
	asked_start(&self->a, ARGS("--profile-file", self->profile), script, "127.0.1.1", "");
	asked_go(&self->a);
	asked_held(&self->a, 1);
	EXPECT_STRIN("expected another scope than any",
		     driven_ctl(1, ARGS("answer", "1", "allow", "profile", "any")));
	EXPECT_STREQ("generation 2, 0 flows shut\n",
		     driven_ctl(0, ARGS("answer", "1", "allow", "profile")));
	asked_says(&self->a, "connect ok\n");
	EXPECT_STRIN("# mine\n[network]\nrules = [\n", textfile_read(self->profile));
	EXPECT_STRIN("allow 127.0.1.1:9000", textfile_read(self->profile));
	EXPECT_STRIN("'deny 10.0.0.1', # never\n", textfile_read(self->profile));
	ASSERT_EQ(0, stat(self->profile, &st));
	EXPECT_EQ(0600, st.st_mode & 0777);
	asked_go(&self->a);
	asked_finish(&self->a);
	EXPECT_STRIN("again ok\n", self->a.s.command.out.text);
}

TEST_F(lifetime, a_profile_that_cannot_be_written_changes_nothing)
{
	textfile_write(self->profile, "[network]\ndefault = 'ask'\n");
	asked_start(&self->a, ARGS("--profile-file", self->profile), script, "127.0.1.1", "");
	textfile_write(self->profile, "[network\n");
	asked_go(&self->a);
	asked_held(&self->a, 1);
	EXPECT_STRIN(self->profile, driven_ctl(1, ARGS("answer", "1", "allow", "profile")));
	EXPECT_STREQ("[network\n", textfile_read(self->profile));
	EXPECT_STRIN("1\ttcp", asked_held(&self->a, 1));
	asked_answer(&self->a, 1, "deny", "once");
	asked_go(&self->a);
	asked_says(&self->a, "connect ECONNREFUSED\n");
	asked_held(&self->a, 1);
	asked_answer(&self->a, 2, "deny", "once");
	asked_finish(&self->a);
	EXPECT_EQ(0, server_count(self->a.server));
}

TEST_F(lifetime, an_answer_can_name_the_profile)
{
	char packet[256];

	asked_start(&self->a, ARGS("--ask"), script, "127.0.1.1", "");
	asked_go(&self->a);
	asked_held(&self->a, 1);
	EXPECT_STRIN("expected \"profile\" to be an absolute path",
		     asked_refusal(&self->a,
				   "{\"v\":1,\"verb\":\"answer\",\"id\":1,\"verdict\":"
				   "\"allow\",\"lifetime\":\"profile\",\"profile\":\"x\"}"));
	snprintf(packet, sizeof(packet),
		 "{\"v\":1,\"verb\":\"answer\",\"id\":1,\"verdict\":\"allow\","
		 "\"lifetime\":\"profile\",\"profile\":\"%s\"}",
		 self->profile);
	json_decref(driven_request(self->a.control, packet));
	asked_says(&self->a, "connect ok\n");
	EXPECT_STRIN("allow 127.0.1.1:9000", textfile_read(self->profile));
	asked_go(&self->a);
	asked_finish(&self->a);
}

TEST_F(lifetime, what_cannot_be_is_refused)
{
	asked_start(&self->a, ARGS("--ask"), script, "127.0.1.1", "");
	asked_go(&self->a);
	asked_held(&self->a, 1);
	EXPECT_STRIN("started without a profile: expected once, session or ten-minutes",
		     driven_ctl(1, ARGS("answer", "1", "allow", "profile")));
	EXPECT_STRIN("no host name is known",
		     driven_ctl(1, ARGS("answer", "1", "allow", "session", "host")));
	EXPECT_STRIN("expected \"seconds\"",
		     asked_refusal(&self->a, "{\"v\":1,\"verb\":\"answer\",\"id\":1,\"verdict\":"
					     "\"allow\",\"lifetime\":\"ten-minutes\","
					     "\"seconds\":601}"));
	asked_answer(&self->a, 1, "deny", "once");
	asked_go(&self->a);
	asked_held(&self->a, 1);
	asked_answer(&self->a, 2, "deny", "once");
	asked_finish(&self->a);
	EXPECT_STRIN("connect ECONNREFUSED\n", self->a.s.command.out.text);
}

static void start_named(FIXTURE_DATA(lifetime) * self)
{
	ASSERT_EQ(0, netns_add_public());
	self->ns = nameserver_new(DNS_PORT);
	ASSERT_NE(NULL, self->ns);
	textfile_write(self->profile, "[dns]\nupstream = ['127.0.0.1:5300']\n");
	asked_start(&self->a, ARGS("--ask", "--profile-file", self->profile), script, FIXED, "");
	asked_go(&self->a);
	EXPECT_STRIN("1\ttcp\t" NETNS_PUBLIC "1:9000\t" FIXED "\t", asked_held(&self->a, 1));
}

TEST_F(lifetime, a_host_is_allowed_by_its_name)
{
	start_named(self);
	EXPECT_STREQ("generation 2, 0 flows shut\n",
		     driven_ctl(0, ARGS("answer", "1", "allow", "session", "host")));
	asked_says(&self->a, "connect ok\n");
	EXPECT_STRIN("\"allow tcp://" FIXED ":9000\"", driven_ctl(0, ARGS("policy")));
	asked_go(&self->a);
	asked_finish(&self->a);
	EXPECT_STRIN("again ok\n", self->a.s.command.out.text);
	EXPECT_EQ(0, server_wait(self->a.server, 2, 5000));
}

TEST_F(lifetime, a_host_is_denied_by_its_name)
{
	start_named(self);
	driven_ctl(0, ARGS("answer", "1", "deny", "session", "host"));
	asked_says(&self->a, "connect ECONNREFUSED\n");
	asked_go(&self->a);
	asked_finish(&self->a);
	EXPECT_STRIN("again ECONNREFUSED\n", self->a.s.command.out.text);
	EXPECT_EQ(0, server_count(self->a.server));
}

TEST_HARNESS_MAIN

/* SPDX-License-Identifier: MIT */
/*
 * The command line's contract: how sandtop starts, what it says and where, how
 * it ends.
 */
#include "selftests/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fuse.h>
#include <poll.h>
#include <regex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/lib/netns.h"
#include "selftests/lib/sandbox.h"
#include "selftests/lib/server.h"

static size_t count_in(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		count++;
	return count;
}

static bool matches(const char *pattern, const char *text)
{
	regex_t regex;
	bool result;

	if (!text || regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB))
		return false;
	result = !regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	return result;
}

/* Wait until the process is gone. Returns 0 or -ETIMEDOUT. */
static int await_death(pid_t pid)
{
	struct pollfd gone = { .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	int ready;

	if (gone.fd < 0)
		return errno == ESRCH ? 0 : -errno;
	ready = poll(&gone, 1, COMMAND_TIMEOUT);
	close(gone.fd);
	return ready == 1 ? 0 : -ETIMEDOUT;
}

/* ---- exit status ------------------------------------------------------- */

FIXTURE(status)
{
	struct command c;
};

FIXTURE_VARIANT(status)
{
	int code;
	const char *message;  /* a pattern for the one line on stderr; NULL: there is none */
	const char *args[12]; /* after "sandtop" */
};

#define ENDS(name, code, message, ...)                                                             \
	FIXTURE_VARIANT_ADD(status, name)                                                          \
	{                                                                                          \
		code, message,                                                                     \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}

#define RUN "-b", "--net-allow", ":1", "--"

ENDS(success, 0, NULL, RUN, "true");
ENDS(own_status, 42, NULL, RUN, "sh", "-c", "exit 42");
ENDS(own_status_like_that_of_sandtop, 125, NULL, RUN, "sh", "-c", "exit 125");
ENDS(sigterm, 128 + SIGTERM, NULL, RUN, "sh", "-c", "kill -TERM $$");
ENDS(sigkill, 128 + SIGKILL, NULL, RUN, "sh", "-c", "kill -KILL $$");
ENDS(sigsegv, 128 + SIGSEGV, NULL, RUN, "sh", "-c", "kill -SEGV $$");
ENDS(no_terminal_means_batch, 0, NULL, "--net-allow", ":1", "--", "true");
ENDS(not_executable, 126, "'/etc/passwd': Permission denied", RUN, "/etc/passwd");
ENDS(a_directory, 126, "'/etc': Is a directory", RUN, "/etc");
ENDS(no_such_path, 127, "'/no/such/thing': No such file or directory", RUN, "/no/such/thing");
ENDS(no_such_name, 127, "'no-such-command': command not found", RUN, "no-such-command");
ENDS(log_not_writable, 125, "--log.*/no/such/log", "-b", "--log", "/no/such/log", "--net-allow",
     ":1", "--", "echo", "ran");
ENDS(json_not_writable, 125, "--json.*/no/such/log", "-b", "--json", "/no/such/log", "--net-allow",
     ":1", "--", "echo", "ran");

FIXTURE_SETUP(status)
{
	netns_or_skip();
}

FIXTURE_TEARDOWN(status)
{
	command_free(&self->c);
}

/* Run sandtop with the arguments of a variant. */
static void run_args(struct command *c, const char *const args[])
{
	const char *argv[16] = { "sandtop" };

	for (int i = 0; args[i]; i++)
		argv[i + 1] = args[i];
	ASSERT_EQ(0, command_run(c, argv));
}

/* One line, from sandtop. */
static void expect_message(const char *text)
{
	EXPECT_TRUE(matches("^sandtop: [^\n]+\n$", text))
	{
		TH_LOG("'%s' is not one line of sandtop", text);
	}
}

TEST_F(status, is)
{
	run_args(&self->c, variant->args);
	EXPECT_EQ(variant->code, command_code(&self->c));
	EXPECT_STREQ("", self->c.out.text);
	if (!variant->message) {
		EXPECT_STREQ("", self->c.err.text);
		return;
	}
	expect_message(self->c.err.text);
	EXPECT_TRUE(matches(variant->message, self->c.err.text))
	{
		TH_LOG("'%s' does not match '%s'", self->c.err.text, variant->message);
	}
}

/* execve(2) says ENOENT of the script. */
TEST(a_script_without_its_interpreter)
{
	struct command c;
	char path[200], message[300];
	FILE *f;

	if (!netns_or_skip())
		return;
	snprintf(path, sizeof(path), "%s/script", harness_dir());
	f = fopen(path, "w");
	ASSERT_NE(NULL, f);
	fprintf(f, "#!/no/such/interpreter\n");
	fclose(f);
	ASSERT_EQ(0, chmod(path, 0755));
	run_args(&c, ARGS(RUN, path));
	EXPECT_EQ(127, command_code(&c));
	snprintf(message, sizeof(message),
		 "sandtop: cannot run '%s': the interpreter or loader that it names is missing\n",
		 path);
	EXPECT_STREQ(message, c.err.text);
	command_free(&c);
}

static void print_to_full_disk(void *arg)
{
	(void)arg;
	if (dup2(open("/dev/full", O_WRONLY | O_CLOEXEC), 1) < 0)
		_exit(99);
}

TEST(what_cannot_be_printed_is_an_error)
{
	static const char *const words[] = { "--help", "-V", "ctl" };
	struct command c;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *last = i == 2 ? "--help" : NULL;

		ASSERT_EQ(0, command_start(&c, ARGS("sandtop", words[i], last),
					   print_to_full_disk, NULL));
		ASSERT_EQ(0, command_wait(&c, COMMAND_TIMEOUT));
		EXPECT_EQ(1, command_code(&c));
		EXPECT_STREQ("sandtop: cannot write to standard output: No space left on device\n",
			     c.err.text);
		command_free(&c);
	}
}

/* ---- what the user wrote is wrong -------------------------------------- */

FIXTURE(usage)
{
	struct command c;
};

FIXTURE_VARIANT(usage)
{
	const char *args[12]; /* after "sandtop" */
	const char *words[4]; /* what the one line on stderr must contain */
};

#define WRONG(name, words, ...)                                                                    \
	FIXTURE_VARIANT_ADD(usage, name)                                                           \
	{                                                                                          \
		{ __VA_ARGS__ },                                                                   \
		{                                                                                  \
			UNPACK_ words                                                              \
		}                                                                                  \
	}
#define UNPACK_(...) __VA_ARGS__

WRONG(no_argument, ("command"), NULL);
WRONG(no_command, ("command"), "-b");
WRONG(no_command_after_the_dashes, ("command"), "-b", "--");
WRONG(command_without_dashes,
      ("unknown sub-command 'curl'", "to run it: sandtop -- curl example.com"), "curl",
      "example.com");
WRONG(command_without_dashes_after_an_option, ("'echo'", "--"), "-b", "echo", "ran");
WRONG(unknown_option, ("--net-alow", "--net-allow"), "-b", "--net-alow", ":1", "--", "echo", "ran");
WRONG(another_unknown_option, ("--jsn", "--json"), "-b", "--jsn", "x", "--", "echo", "ran");
WRONG(abbreviated_option, ("--net-allo", "--net-allow"), "-b", "--net-allo", ":1", "--", "echo",
      "ran");
WRONG(unknown_short_option, ("-Z"), "-b", "-Z", "--", "echo", "ran");
WRONG(option_without_its_value, ("--net-allow"), "-b", "--net-allow");
WRONG(flag_with_a_value, ("--batch"), "--batch=yes", "--", "echo", "ran");
WRONG(quiet_and_verbose, ("-q", "-v"), "-b", "-q", "-v", "--net-allow", ":1", "--", "echo", "ran");
WRONG(allow_and_deny, ("--net-allow", "--net-deny", "--rule"), "-b", "--net-allow", ":1",
      "--net-deny", ":2", "--", "echo", "ran");
WRONG(shorthand_and_deny, ("--allow-udp", "--net-deny", "--rule"), "-b", "--allow-udp",
      "--net-deny", ":2", "--", "echo", "ran");
WRONG(name_with_a_blank, ("--name", "'a b'"), "-b", "--name", "a b", "--net-allow", ":1", "--",
      "echo", "ran");
WRONG(name_that_is_empty, ("--name"), "-b", "--name", "", "--net-allow", ":1", "--", "echo", "ran");

#define WRONG_SPEC(name, option, spec, word)                                                       \
	WRONG(name, (option, "'" spec "'", word), "-b", option, spec, "--", "echo", "ran")

WRONG_SPEC(spec_without_a_port, "--net-allow", "example.com:", "invalid port");
WRONG_SPEC(spec_with_port_0, "--net-allow", "example.com:0", "port 0");
WRONG_SPEC(spec_with_a_star_among_ports, "--net-allow", "example.com:80,*", "cannot mix");
WRONG_SPEC(spec_that_is_empty, "--net-allow", "", "empty rule");
WRONG_SPEC(spec_with_a_scheme_alone, "--net-allow", "udp://", "empty rule");
WRONG_SPEC(spec_of_icmp_without_a_host, "--net-allow", "icmp://", "needs a host");
WRONG_SPEC(spec_of_icmp_with_a_port, "--net-allow", "icmp://github.com:80", "takes no port");
WRONG_SPEC(spec_with_a_strange_scheme, "--net-allow", "sctp://host:1234", "unknown scheme");
WRONG_SPEC(spec_with_a_long_prefix, "--net-allow", "10.0.0.0/33", "too large");
WRONG_SPEC(spec_with_an_open_bracket, "--net-allow", "[::1:80", "malformed bracket");
WRONG_SPEC(spec_of_digits, "--net-allow", "8080", ":8080");
WRONG_SPEC(spec_that_denies_a_name, "--net-deny", "evil.com", "--block-domain");
WRONG_SPEC(spec_that_denies_nothing, "--net-deny", "", "empty rule");

FIXTURE_SETUP(usage)
{
}

FIXTURE_TEARDOWN(usage)
{
	command_free(&self->c);
}

TEST_F(usage, is_refused_in_one_line)
{
	run_args(&self->c, variant->args);
	EXPECT_EQ(2, command_code(&self->c));
	EXPECT_STREQ("", self->c.out.text);
	expect_message(self->c.err.text);
	for (int i = 0; variant->words[i]; i++)
		EXPECT_STRIN(variant->words[i], self->c.err.text);
}

/* ---- everything else --------------------------------------------------- */

FIXTURE(launch)
{
	struct sandbox s;
	struct server *server;
	int fds[2];
};

FIXTURE_SETUP(launch)
{
	self->fds[0] = self->fds[1] = -1;
	if (!netns_or_skip())
		return;
	self->server = server_new(SOCK_STREAM, "127.0.0.1", 8080);
	ASSERT_NE(NULL, self->server);
}

FIXTURE_TEARDOWN(launch)
{
	sandbox_free(&self->s);
	server_free(self->server);
	close(self->fds[0]);
	close(self->fds[1]);
}

static void run(struct launch_data *self, const char *const options[], const char *const argv[])
{
	ASSERT_EQ(0, sandbox_run(&self->s, options, argv));
}

static void start(struct launch_data *self, const char *const argv[], void (*prepare)(void *arg),
		  void *arg)
{
	ASSERT_EQ(0, sandbox_start(&self->s, ARGS("--net-allow", ":1"), argv, prepare, arg));
}

static void finish(struct launch_data *self, int code)
{
	ASSERT_EQ(0, sandbox_wait(&self->s));
	EXPECT_EQ(code, command_code(&self->s.command))
	{
		TH_LOG("%s", self->s.command.err.text);
	}
}

/* The lines about a connect that was refused, in all that stderr holds. */
static size_t denials(struct launch_data *self)
{
	return count_in(self->s.command.err.text, "sandtop: DENY ");
}

#define CONNECT "connect", "tcp", "127.0.0.1"

TEST_F(launch, help_is_what_was_asked_for)
{
	ASSERT_EQ(0, command_run(&self->s.command, ARGS("sandtop", "--help")));
	EXPECT_EQ(0, command_code(&self->s.command));
	EXPECT_STRIN("--net-allow", self->s.command.out.text);
	EXPECT_STREQ("", self->s.command.err.text);
}

TEST_F(launch, every_sub_command_has_help)
{
	static const char *const names[] = { "check", "explain", "profile", "ps", "ctl", "attach" };
	char usage[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(usage, sizeof(usage), "Usage: sandtop %s", names[i]);
		ASSERT_EQ(0, command_run(&self->s.command, ARGS("sandtop", names[i], "--help")));
		EXPECT_EQ(0, command_code(&self->s.command));
		EXPECT_STRIN(usage, self->s.command.out.text);
		EXPECT_STREQ("", self->s.command.err.text);
		sandbox_free(&self->s);
	}
}

TEST_F(launch, version_is_what_was_asked_for)
{
	ASSERT_EQ(0, command_run(&self->s.command, ARGS("sandtop", "-V")));
	EXPECT_EQ(0, command_code(&self->s.command));
	EXPECT_TRUE(matches("^sandtop [^\n]+\n$", self->s.command.out.text));
	EXPECT_STREQ("", self->s.command.err.text);
}

TEST_F(launch, arguments_pass_unchanged)
{
	run(self, ARGS("--net-allow", ":1"), ARGS("printf", "<%s>", "--", "-b", "", "a b"));
	EXPECT_STREQ("<--><-b><><a b>", self->s.command.out.text);
	EXPECT_STREQ("", self->s.command.err.text);
}

TEST_F(launch, without_a_policy_everything_is_denied_and_said_so)
{
	run(self, NO_OPTIONS, ARGS("probe", CONNECT, "8080", ",", CONNECT, "8081"));
	EXPECT_STREQ("connect ECONNREFUSED\nconnect ECONNREFUSED\n", self->s.command.out.text);
	EXPECT_EQ(1, count_in(self->s.command.err.text,
			      "sandtop: no policy given: every connection is denied (see "
			      "--net-allow, --preset public-only, --learn)\n"));
	EXPECT_EQ(0, server_count(self->server));
}

TEST_F(launch, with_a_policy_nothing_is_said_of_a_missing_one)
{
	run(self, ARGS("--net-allow", ":1"), ARGS("true"));
	EXPECT_STREQ("", self->s.command.err.text);
}

TEST_F(launch, a_denial_by_default_is_one_line)
{
	char line[128];

	run(self, ARGS("--net-allow", "127.0.0.1:1"), ARGS("probe", CONNECT, "8080"));
	snprintf(line, sizeof(line), "sandtop: DENY tcp 127.0.0.1:8080 probe[%ld] (default)\n",
		 event_number(sandbox_event(&self->s, "decision", 0), "pid"));
	EXPECT_STRIN(line, self->s.command.err.text);
	EXPECT_STREQ("connect ECONNREFUSED\n", self->s.command.out.text);
}

TEST_F(launch, a_denial_by_a_rule_names_it)
{
	char line[128];

	run(self, ARGS("--net-deny", "10.0.0.0/8", "--net-deny", "127.0.0.0/8:8080,[::1]:1"),
	    ARGS("probe", CONNECT, "8080"));
	snprintf(line, sizeof(line),
		 "sandtop: DENY tcp 127.0.0.1:8080 probe[%ld] "
		 "(rule 2: deny 127.0.0.0/8:8080,[::1]:1)\n",
		 event_number(sandbox_event(&self->s, "decision", 0), "pid"));
	EXPECT_STRIN(line, self->s.command.err.text);
}

TEST_F(launch, an_ipv6_address_is_shown_in_brackets)
{
	run(self, ARGS("--net-allow", "127.0.0.1:1"),
	    ARGS("probe", "connect", "tcp", "::1", "8080"));
	EXPECT_STRIN("sandtop: DENY tcp [::1]:8080 probe[", self->s.command.err.text);
}

TEST_F(launch, each_denied_flow_is_said_once)
{
	run(self, ARGS("--net-allow", "127.0.0.1:1"),
	    ARGS("probe", CONNECT, "8080", ",", CONNECT, "8081", ",", CONNECT, "8080", ",", "fork",
		 ",", CONNECT, "8080"));
	EXPECT_EQ(2, denials(self));
	EXPECT_EQ(1, count_in(self->s.command.err.text, "DENY tcp 127.0.0.1:8080 "));
	EXPECT_EQ(1, count_in(self->s.command.err.text, "DENY tcp 127.0.0.1:8081 "));
}

TEST_F(launch, an_allowed_flow_is_not_said)
{
	run(self, ARGS("--net-allow", "127.0.0.1:8080"), ARGS("probe", CONNECT, "8080"));
	EXPECT_STREQ("", self->s.command.err.text);
}

TEST_F(launch, a_denied_udp_connect_is_not_said)
{
	run(self, ARGS("--net-allow", ":1"), ARGS("probe", "connect", "udp", "127.0.0.1", "8080"));
	EXPECT_STREQ("connect ECONNREFUSED\n", self->s.command.out.text);
	EXPECT_EQ(0, denials(self));
}

TEST_F(launch, verbose_says_every_decision)
{
	run(self, ARGS("-v", "--net-allow", "127.0.0.1:8080"),
	    ARGS("probe", CONNECT, "8080", ",", CONNECT, "8080", ",", CONNECT, "8081", ",", CONNECT,
		 "8081", ",", "connect", "udp", "127.0.0.1", "8080"));
	EXPECT_EQ(2,
		  count_in(self->s.command.err.text, "sandtop: ALLOW tcp 127.0.0.1:8080 probe["));
	EXPECT_EQ(2, count_in(self->s.command.err.text, "] (rule 1: allow 127.0.0.1:8080)\n"));
	EXPECT_EQ(2, count_in(self->s.command.err.text, "sandtop: DENY tcp 127.0.0.1:8081 probe["));
	EXPECT_EQ(1, count_in(self->s.command.err.text, "sandtop: DENY udp 127.0.0.1:8080 probe["));
	EXPECT_EQ(3, count_in(self->s.command.err.text, "] (default)\n"));
}

TEST_F(launch, quiet_says_no_decision)
{
	run(self, ARGS("-q", "--net-allow", "127.0.0.1:1"), ARGS("probe", CONNECT, "8080"));
	EXPECT_STREQ("connect ECONNREFUSED\n", self->s.command.out.text);
	EXPECT_STREQ("", self->s.command.err.text);
}

TEST_F(launch, quiet_still_says_errors)
{
	ASSERT_EQ(0, command_run(&self->s.command, ARGS("sandtop", "-b", "-q", "--net-allow", ":1",
							"--", "/no/such/thing")));
	EXPECT_EQ(127, command_code(&self->s.command));
	EXPECT_STRIN("/no/such/thing", self->s.command.err.text);
}

TEST_F(launch, the_end_names_the_options_that_would_allow)
{
	run(self, ARGS("--net-allow", "127.0.0.1:1"),
	    ARGS("probe", CONNECT, "8080", ",", "connect", "tcp", "::1", "443", ",", "sendto",
		 "udp", "127.0.0.1", "53"));
	EXPECT_STRIN("--net-allow 127.0.0.1:8080", self->s.command.err.text);
	EXPECT_STRIN("--net-allow [::1]:443", self->s.command.err.text);
	EXPECT_STRIN("--net-allow udp://127.0.0.1:53", self->s.command.err.text);
}

TEST_F(launch, at_most_100_lines_a_minute_then_a_count)
{
	run(self, ARGS("--net-allow", "127.0.0.1:1"),
	    ARGS("sh", "-c", "for i in $(seq 2001 2130); do probe connect tcp 127.0.0.1 $i; done"));
	EXPECT_EQ(130, count_in(self->s.command.out.text, "connect ECONNREFUSED\n"));
	EXPECT_EQ(100, denials(self));
	EXPECT_TRUE(matches("sandtop: [^\n]* 30 ", self->s.command.err.text));
}

TEST_F(launch, stdout_belongs_to_the_command)
{
	run(self, ARGS("-v", "--stats", "--net-allow", "127.0.0.1:1"),
	    ARGS("sh", "-c", "echo out; echo err >&2; probe connect tcp 127.0.0.1 8080; echo end"));
	EXPECT_STREQ("out\nconnect ECONNREFUSED\nend\n", self->s.command.out.text);
	EXPECT_EQ(1, count_in(self->s.command.err.text, "err\n"));
}

TEST_F(launch, stats_are_said_at_the_end)
{
	run(self, ARGS("--net-allow", "127.0.0.1:8080"), ARGS("probe", CONNECT, "8080"));
	EXPECT_STREQ("", self->s.command.err.text);
	sandbox_free(&self->s);
	run(self, ARGS("--stats", "--net-allow", "127.0.0.1:8080"), ARGS("probe", CONNECT, "8080"));
	EXPECT_STRIN("p99", self->s.command.err.text);
}

/* ---- the logs ---- */

/* Everything in the file, as a string that lives until the next call. */
static const char *contents(const char *path)
{
	static char text[65536];
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

TEST_F(launch, the_log_gets_every_decision_and_is_appended_to)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/log", harness_dir());
	for (int i = 0; i < 2; i++) {
		run(self, ARGS("-q", "--net-allow", "127.0.0.1:8080", "--log", path),
		    ARGS("probe", CONNECT, "8080", ",", CONNECT, "8081", ",", CONNECT, "8081"));
		EXPECT_STREQ("", self->s.command.err.text);
		sandbox_free(&self->s);
	}
	EXPECT_EQ(2, count_in(contents(path), "ALLOW tcp 127.0.0.1:8080 probe["));
	EXPECT_EQ(4, count_in(contents(path), "DENY tcp 127.0.0.1:8081 probe["));
	EXPECT_EQ(6, count_in(contents(path), "\n"));
	EXPECT_TRUE(matches("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+[^ ]* [^\n]*ALLOW tcp",
			    contents(path)));
}

TEST_F(launch, a_dash_for_a_log_is_stderr)
{
	ASSERT_EQ(0, command_run(&self->s.command,
				 ARGS("sandtop", "-b", "-q", "--net-allow", ":1", "--json", "-",
				      "--log", "-", "--", "probe", CONNECT, "8080")));
	EXPECT_STREQ("connect ECONNREFUSED\n", self->s.command.out.text);
	EXPECT_STRIN("DENY tcp 127.0.0.1:8080 probe[", self->s.command.err.text);
	EXPECT_TRUE(matches("(^|\n)\\{[^\n]*\"event\": ?\"decision\"", self->s.command.err.text));
}

TEST_F(launch, the_json_log_tells_the_whole_story)
{
	const json_t *start, *decision, *end;

	run(self, ARGS("--name", "story", "--net-allow", "127.0.0.1:8080"),
	    ARGS("probe", CONNECT, "8081"));
	ASSERT_EQ(3, json_array_size(self->s.events));
	start = json_array_get(self->s.events, 0);
	decision = json_array_get(self->s.events, 1);
	end = json_array_get(self->s.events, 2);
	EXPECT_STREQ("start", event_text(start, "event"));
	EXPECT_STREQ("decision", event_text(decision, "event"));
	EXPECT_STREQ("exit", event_text(end, "event"));
	for (size_t i = 0; i < 3; i++) {
		EXPECT_EQ(1, event_number(json_array_get(self->s.events, i), "v"));
		EXPECT_TRUE(matches("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
				    "\\.[0-9]{6}(Z|[+-][0-9]{2}:[0-9]{2})$",
				    event_text(json_array_get(self->s.events, i), "ts")));
	}
	EXPECT_EQ(1, event_number(decision, "seq"));
	EXPECT_EQ(1, event_number(decision, "generation"));
	EXPECT_STREQ("out", event_text(decision, "direction"));
	EXPECT_STREQ("deny", event_text(decision, "verdict"));
	EXPECT_STREQ("tcp", event_text(decision, "proto"));
	EXPECT_STREQ("127.0.0.1", event_text(decision, "addr"));
	EXPECT_EQ(8081, event_number(decision, "port"));
	EXPECT_TRUE(json_is_null(json_object_get(decision, "host")));
	EXPECT_LT(1, event_number(decision, "pid"));
	EXPECT_EQ(event_number(decision, "pid"), event_number(decision, "tid"));
	EXPECT_STREQ("probe", event_text(decision, "comm"));
	EXPECT_TRUE(matches("^/.*/probe$", event_text(decision, "exe")));
	EXPECT_STREQ("connect", event_text(decision, "syscall"));
	EXPECT_STREQ("default", event_text(decision, "rule"));
	EXPECT_TRUE(json_is_null(json_object_get(decision, "rule_index")));
	EXPECT_EQ(ECONNREFUSED, event_number(decision, "errno"));
	EXPECT_LE(0, event_number(decision, "latency_us"));
	EXPECT_STREQ("allow 127.0.0.1:8081", event_text(decision, "hint"));
}

/* What the command is called is its own choice: comm, exe. */
TEST_F(launch, a_hostile_name_breaks_no_log)
{
	char path[64];
	const json_t *decision;
	struct command copy;

	snprintf(path, sizeof(path), "%s/\"\x1b[2J\n\xff{\\", harness_dir());
	ASSERT_EQ(0, command_run(&copy,
				 ARGS("sh", "-c", "cp $(command -v probe) \"$1\"", "sh", path)));
	EXPECT_EQ(0, command_code(&copy));
	command_free(&copy);
	run(self, ARGS("--net-allow", ":1"), ARGS(path, CONNECT, "8080"));
	EXPECT_STREQ("connect ECONNREFUSED\n", self->s.command.out.text);
	decision = sandbox_event(&self->s, "decision", 0);
	EXPECT_STREQ("deny", event_text(decision, "verdict"));
	EXPECT_STRNOTIN("\x1b", self->s.command.err.text);
	EXPECT_STRNOTIN("\xff", self->s.command.err.text);
	EXPECT_TRUE(matches("(^|\n)sandtop: DENY tcp 127\\.0\\.0\\.1:8080 [^\n]*\\[[0-9]+\\] "
			    "\\(default\\)\n",
			    self->s.command.err.text));
}

/* ---- what the command is given ---- */

TEST_F(launch, the_command_sees_the_name)
{
	run(self, ARGS("--name", "some.name-1", "--net-allow", ":1"),
	    ARGS("sh", "-c", "echo $SANDTOP"));
	EXPECT_STREQ("some.name-1\n", self->s.command.out.text);
}

TEST_F(launch, the_name_is_that_of_the_command_by_default)
{
	run(self, ARGS("--net-allow", ":1"), ARGS("/bin/sh", "-c", "echo $SANDTOP"));
	EXPECT_TRUE(matches("^sh-[0-9]+\n$", self->s.command.out.text))
	{
		TH_LOG("%s", self->s.command.out.text);
	}
}

TEST_F(launch, session_and_process_group_stay)
{
	char expected[64];

	snprintf(expected, sizeof(expected), "%d %d\n", getpgrp(), getsid(0));
	run(self, ARGS("--net-allow", ":1"), ARGS("cut", "-d ", "-f5,6", "/proc/self/stat"));
	EXPECT_STREQ(expected, self->s.command.out.text);
}

/* "ids UID GID CAPABILITIES" as of probe.c. Returns the capabilities and cuts them off. */
static unsigned long long cut_capabilities(char *ids)
{
	char *at = strrchr(ids, ' ');
	unsigned long long capabilities;

	ASSERT_NE(NULL, at);
	capabilities = strtoull(at, NULL, 16);
	*at = '\0';
	return capabilities;
}

TEST_F(launch, the_user_stays_and_gains_nothing)
{
	struct command control;
	unsigned long long had, has;

	ASSERT_EQ(0, command_run(&control, ARGS("probe", "ids")));
	run(self, ARGS("--net-allow", ":1"), ARGS("probe", "ids"));
	had = cut_capabilities(control.out.text);
	has = cut_capabilities(self->s.command.out.text);
	EXPECT_STREQ(control.out.text, self->s.command.out.text);
	/* Of root's, those that lead around the sandbox are gone: core/caps.h. */
	EXPECT_EQ(0, has & ~had);
	EXPECT_EQ(0,
		  has & (1ULL << CAP_NET_ADMIN | 1ULL << CAP_SYS_ADMIN | 1ULL << CAP_SYS_MODULE));
	EXPECT_EQ(had & 1ULL << CAP_SETUID, has & 1ULL << CAP_SETUID);
	command_free(&control);
	sandbox_free(&self->s);
	run(self, ARGS("--net-allow", ":1"), ARGS("grep", "NoNewPrivs", "/proc/self/status"));
	EXPECT_STREQ("NoNewPrivs:\t1\n", self->s.command.out.text);
}

static void give_descriptor_7(void *arg)
{
	dup2(*(int *)arg, 7);
}

TEST_F(launch, inherited_descriptors_are_closed)
{
	ASSERT_EQ(0, pipe2(self->fds, O_CLOEXEC));
	start(self, ARGS("probe", "descriptor", "7"), give_descriptor_7, &self->fds[0]);
	finish(self, 0);
	EXPECT_STREQ("descriptor EBADF\n", self->s.command.out.text);
	sandbox_free(&self->s);
	ASSERT_EQ(0, sandbox_start(&self->s, NULL, ARGS("probe", "descriptor", "7"),
				   give_descriptor_7, &self->fds[0]));
	finish(self, 0);
	EXPECT_STREQ("descriptor 0\n", self->s.command.out.text);
}

static void make_it_stdio(void *arg)
{
	dup2(*(int *)arg, STDIN_FILENO);
	dup2(*(int *)arg, STDOUT_FILENO);
	dup2(*(int *)arg, STDERR_FILENO);
}

TEST_F(launch, stdio_may_be_sockets)
{
	char text[16] = "";
	int flags;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->fds));
	flags = fcntl(self->fds[1], F_GETFL);
	start(self, ARGS("head", "-n1"), make_it_stdio, &self->fds[1]);
	ASSERT_EQ(6, write(self->fds[0], "hello\n", 6));
	finish(self, 0);
	EXPECT_EQ(6, recv(self->fds[0], text, sizeof(text) - 1, MSG_DONTWAIT));
	EXPECT_STREQ("hello\n", text);
	/* The description is shared with whoever gave it: its flags are not sandtop's to change. */
	EXPECT_EQ(flags, fcntl(self->fds[1], F_GETFL));
}

/* ---- signals ---- */

static void send_and_await(struct launch_data *self, int signal, const char *answer)
{
	EXPECT_EQ(0, kill(self->s.command.pid, signal));
	ASSERT_EQ(0, command_wait_text(&self->s.command, &self->s.command.out, answer,
				       COMMAND_TIMEOUT));
}

/* Start a command that waits for ever. Returns its pid, and in *parent that of its parent. */
static pid_t start_waiting(struct launch_data *self, pid_t *parent)
{
	pid_t pid = 0, ppid = 0;

	start(self, ARGS("sh", "-c", "echo $$ $PPID .; exec tail -f /dev/null"), NULL, NULL);
	ASSERT_EQ(0, command_wait_text(&self->s.command, &self->s.command.out, ".\n",
				       COMMAND_TIMEOUT));
	ASSERT_EQ(2, sscanf(self->s.command.out.text, "%d %d", &pid, &ppid));
	if (parent)
		*parent = ppid;
	return pid;
}

static void start_signals(struct launch_data *self)
{
	start(self, ARGS("probe", "signals"), NULL, NULL);
	ASSERT_EQ(0, command_wait_text(&self->s.command, &self->s.command.out, "signals ready\n",
				       COMMAND_TIMEOUT));
}

TEST_F(launch, signals_are_forwarded)
{
	start_signals(self);
	send_and_await(self, SIGHUP, "signals HUP\n");
	send_and_await(self, SIGUSR1, "signals USR1\n");
	send_and_await(self, SIGUSR2, "signals USR2\n");
	send_and_await(self, SIGCONT, "signals CONT\n");
	send_and_await(self, SIGTERM, "signals TERM\n");
	finish(self, 0);
}

TEST_F(launch, the_keys_of_the_terminal_are_not_forwarded)
{
	start_signals(self);
	EXPECT_EQ(0, kill(self->s.command.pid, SIGINT));
	EXPECT_EQ(0, kill(self->s.command.pid, SIGQUIT));
	send_and_await(self, SIGTERM, "signals TERM\n");
	finish(self, 0);
	EXPECT_STREQ("signals ready\nsignals TERM\n", self->s.command.out.text);
}

TEST_F(launch, a_forwarded_sigterm_kills_who_does_not_catch_it)
{
	start_waiting(self, NULL);
	EXPECT_EQ(0, kill(self->s.command.pid, SIGTERM));
	finish(self, 128 + SIGTERM);
}

TEST_F(launch, sandtop_stops_and_goes_on_with_the_command)
{
	int status;

	start(self, ARGS("sh", "-c", "kill -STOP $$; echo back; exit 5"), NULL, NULL);
	ASSERT_EQ(self->s.command.pid, waitpid(self->s.command.pid, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status))
	{
		TH_LOG("status %x", status);
	}
	EXPECT_EQ(0, kill(self->s.command.pid, SIGCONT));
	finish(self, 5);
	EXPECT_STREQ("back\n", self->s.command.out.text);
}

/* ---- a file system that does not answer ---- */

/* Mount one that answers nothing but that it is there. Returns its descriptor, or -1: cannot. */
static int mount_silent(const char *dir)
{
	struct {
		struct fuse_out_header header;
		struct fuse_init_out init;
	} answer = {
		.header = { .len = sizeof(answer) },
		.init = { .major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION },
	};
	char request[8192], options[96];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=%d,group_id=%d", fd,
		 getuid(), getgid());
	if (fd < 0 || mkdir(dir, 0700) || unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("silent", dir, "fuse", MS_NOSUID | MS_NODEV, options)) {
		TH_LOG("no FUSE for this user: %s", strerror(errno));
		close(fd);
		return -1;
	}
	if (read(fd, request, sizeof(request)) > 0)
		answer.header.unique = ((struct fuse_in_header *)request)->unique;
	EXPECT_EQ((ssize_t)sizeof(answer), write(fd, &answer, sizeof(answer)));
	return fd;
}

/* Start a command of which the file system has been asked when this returns; false: cannot. */
static bool start_silent(struct launch_data *self, const char *const options[])
{
	struct pollfd asked = { .events = POLLIN };
	char dir[64], command[80];

	snprintf(dir, sizeof(dir), "%s/silent", harness_dir());
	snprintf(command, sizeof(command), "%s/command", dir);
	self->fds[0] = asked.fd = mount_silent(dir);
	if (asked.fd < 0)
		return false;
	EXPECT_EQ(0, sandbox_start(&self->s, options, ARGS(command), NULL, NULL));
	EXPECT_EQ(1, poll(&asked, 1, COMMAND_TIMEOUT));
	return true;
}

TEST_F(launch, sigterm_ends_an_exec_that_is_stuck)
{
	if (!start_silent(self, ARGS("--net-allow", ":1")))
		return;
	EXPECT_EQ(0, kill(self->s.command.pid, SIGTERM));
	finish(self, 128 + SIGTERM);
}

TEST_F(launch, the_timeout_ends_an_exec_that_is_stuck)
{
	if (!start_silent(self, ARGS("--net-allow", ":1", "--timeout", "1")))
		return;
	finish(self, 124);
	EXPECT_STRIN("--timeout: time is over", self->s.command.err.text);
}

/* ---- the end ---- */

/* The command ends when its background task has said, through a fifo, that it runs. */
TEST_F(launch, what_is_left_over_is_killed_and_named)
{
	char fifo[64], name[32];
	pid_t pid;

	snprintf(fifo, sizeof(fifo), "%s/fifo", harness_dir());
	ASSERT_EQ(0, mkfifo(fifo, 0600));
	run(self, ARGS("--net-allow", ":1"),
	    ARGS("sh", "-c", "setsid probe signals > $0 & read ready < $0; echo $!; exit 3", fifo));
	EXPECT_EQ(3, command_code(&self->s.command));
	pid = atoi(self->s.command.out.text);
	ASSERT_LT(1, pid);
	EXPECT_EQ(-1, kill(pid, 0));
	snprintf(name, sizeof(name), "probe[%d]", pid);
	EXPECT_STRIN(name, self->s.command.err.text);
}

TEST_F(launch, the_command_dies_with_sandtop)
{
	pid_t pid = start_waiting(self, NULL);

	EXPECT_EQ(0, kill(self->s.command.pid, SIGKILL));
	EXPECT_EQ(0, await_death(pid));
}

TEST_F(launch, the_command_dies_with_its_supervisor)
{
	pid_t supervisor, pid = start_waiting(self, &supervisor);

	ASSERT_NE(self->s.command.pid, supervisor);
	EXPECT_EQ(0, kill(supervisor, SIGKILL));
	EXPECT_EQ(0, await_death(pid));
	ASSERT_EQ(0, command_wait(&self->s.command, COMMAND_TIMEOUT));
	EXPECT_EQ(125, command_code(&self->s.command));
	EXPECT_STRIN("sandtop: ", self->s.command.err.text);
}

TEST_HARNESS_MAIN

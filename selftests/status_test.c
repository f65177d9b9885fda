/* SPDX-License-Identifier: MIT */
/*
 * The exit status, and the one line that says why it is none of the command's: what cannot be run,
 * and what is wrong with a command line.
 */
#include "selftests/harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "selftests/lib/command.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/text.h"

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
	EXPECT_TRUE(text_matches("^sandtop: [^\n]+\n$", text))
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
	EXPECT_TRUE(text_matches(variant->message, self->c.err.text))
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

		ASSERT_EQ(0, command_start(&c, ARGS("sandtop", words[i], last), print_to_full_disk,
					   NULL));
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

TEST_HARNESS_MAIN

/* SPDX-License-Identifier: MIT */
/*
 * What sandtop explain answers: the tables of the design, and its own words.
 */
#include "selftests/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "selftests/lib/command.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/refusal.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

FIXTURE(explain)
{
	struct command c;
	int input[2];
};

FIXTURE_SETUP(explain)
{
	self->input[0] = self->input[1] = -1;
}

FIXTURE_TEARDOWN(explain)
{
	command_free(&self->c);
	close(self->input[0]);
	close(self->input[1]);
}

#define ALL "tcp 9.9.9.9 443"

/* A spec, how it is refused or which endpoints it is about, and some that it is not about. */
struct spec_row {
	const char *spec;
	const char *error;
	const char *in[5], *out[5];
};

/* The tables of design 09; localhost, which needs no network, is the host. */
static const struct spec_row allowed[] = {
	{ "localhost:443", NULL, { "tcp 127.0.0.1 443" }, { "tcp 127.0.0.1 80", ALL } },
	{ ":8080", NULL, { "tcp 9.9.9.9 8080", "tcp ::1 8080" }, { ALL, "udp 9.9.9.9 8080" } },
	{ "*:8080", NULL, { "tcp 9.9.9.9 8080" }, { ALL } },
	{ "localhost:22,80,443",
	  NULL,
	  { "tcp 127.0.0.1 22", "tcp 127.0.0.1 80", "tcp 127.0.0.1 443" },
	  { "tcp 127.0.0.1 81" } },
	{ ":*", NULL, { ALL, "tcp ::1 1" }, { "udp 9.9.9.9 443", "icmp 9.9.9.9" } },
	{ "*:*", NULL, { ALL }, { "udp 9.9.9.9 443" } },
	{ "*", NULL, { ALL }, { "udp 9.9.9.9 443" } },
	{ ":*,*", NULL, { ALL }, { "udp 9.9.9.9 443" } },
	{ "localhost", NULL, { "tcp 127.0.0.1 1", "tcp 127.0.0.1 65535" }, { ALL } },
	{ "localhost:*", NULL, { "tcp 127.0.0.1 1" }, { ALL } },
	{ "tcp://localhost:443", NULL, { "tcp 127.0.0.1 443" }, { "udp 127.0.0.1 443" } },
	{ "udp://1.1.1.1:53", NULL, { "udp 1.1.1.1 53" }, { "tcp 1.1.1.1 54", "udp 1.1.1.1 54" } },
	{ "udp://*", NULL, { "udp 9.9.9.9 1", "udp ::1 1" }, { ALL, "icmp 9.9.9.9" } },
	{ "udp://*:*", NULL, { "udp 9.9.9.9 1" }, { ALL } },
	{ "icmp://localhost", NULL, { "icmp 127.0.0.1" }, { "icmp 9.9.9.9", "tcp 127.0.0.1 1" } },
	{ "icmp://*", NULL, { "icmp 9.9.9.9", "icmp ::1" }, { ALL } },
	{ "10.0.0.0/8:80", NULL, { "tcp 10.3.7.9 80" }, { "tcp 11.0.0.1 80", "tcp 10.3.7.9 81" } },
	{ "1.2.3.4", NULL, { "tcp 1.2.3.4 1" }, { "tcp 1.2.3.5 1", "udp 1.2.3.4 1" } },
	{ "::1", NULL, { "tcp ::1 1" }, { "tcp ::2 1", "tcp 127.0.0.1 1" } },
	{ "[::1]:443", NULL, { "tcp ::1 443" }, { "tcp ::1 80" } },
	{ "fc00::/7", NULL, { "tcp fd00::1 1" }, { "tcp 2001:db8::1 1" } },
	{ "0.0.0.0/0", NULL, { "tcp 8.8.8.8 1" }, { "tcp ::1 1" } },
	{ "::/0", NULL, { "tcp ::1 1" }, { "tcp 8.8.8.8 1", "tcp ::ffff:8.8.8.8 1" } },
	{ "localhost:80,443",
	  NULL,
	  { "tcp 127.0.0.1 80", "tcp 127.0.0.1 443" },
	  { "tcp 127.0.0.1 22", "udp 127.0.0.1 80" } },
	{ "10.0.0.0/8,localhost:80", NULL, { "tcp 10.3.7.9 1", "tcp 127.0.0.1 80" }, { ALL } },
	{ ".example.com", NULL, { NULL }, { ALL } },
	{ "*.example.com:443", NULL, { NULL }, { ALL } },
	{ "@self", NULL, { NULL }, { "tcp 127.0.0.1 443" } },
	{ "@this-host", NULL, { "tcp 127.0.0.1 443" }, { ALL, "tcp 127.0.0.2 443" } },
	{ "@public:443", NULL, { ALL }, { "tcp 10.0.0.1 443", "tcp 127.0.0.1 443" } },
	{ "example.com:80,*", "cannot mix", { NULL }, { NULL } },
	{ "example.com:*,80", "cannot mix", { NULL }, { NULL } },
	{ "example.com:0", "port 0", { NULL }, { NULL } },
	{ "example.com:", "invalid port", { NULL }, { NULL } },
	{ "", "empty rule", { NULL }, { NULL } },
	{ "tcp://", "empty rule", { NULL }, { NULL } },
	{ "udp://", "empty rule", { NULL }, { NULL } },
	{ "icmp://", "needs a host", { NULL }, { NULL } },
	{ "icmp://github.com:80", "takes no port", { NULL }, { NULL } },
	{ "sctp://host:1234", "unknown scheme", { NULL }, { NULL } },
	{ "icmp-raw://*", "unknown scheme", { NULL }, { NULL } },
	{ "10.0.0.0/33", "too large", { NULL }, { NULL } },
	{ "fc00::/129", "too large", { NULL }, { NULL } },
};

static const struct spec_row denied[] = {
	{ "10.0.0.0/8", NULL, { "tcp 10.0.0.1 443" }, { "udp 10.0.0.1 443", "tcp 8.8.8.8 443" } },
	{ "169.254.169.254", NULL, { "tcp 169.254.169.254 80" }, { "tcp 169.254.169.253 80" } },
	{ "::1", NULL, { "tcp ::1 80" }, { "tcp 127.0.0.1 80" } },
	{ "fc00::/7", NULL, { "tcp fd00::1 80" }, { "tcp 2001:db8::1 80" } },
	{ "10.0.0.0/8:443", NULL, { "tcp 10.0.0.1 443" }, { "tcp 10.0.0.1 80" } },
	{ "[::1]:443", NULL, { "tcp ::1 443" }, { "tcp ::1 80" } },
	{ ":25", NULL, { "tcp 8.8.8.8 25" }, { "tcp 8.8.8.8 80", "udp 8.8.8.8 25" } },
	{ "udp://192.168.0.0/16:53", NULL, { "udp 192.168.1.1 53" }, { "tcp 192.168.1.1 53" } },
	{ "udp://*", NULL, { "udp 8.8.8.8 123" }, { "tcp 8.8.8.8 123" } },
	{ "*", NULL, { ALL }, { "udp 9.9.9.9 443" } },
	{ "127.0.0.1,10.0.0.0/8,192.168.0.0/16:22,443",
	  NULL,
	  { "tcp 127.0.0.1 80", "tcp 10.1.1.1 80", "tcp 192.168.1.1 22", "tcp 192.168.1.1 443" },
	  { "tcp 192.168.1.1 80", "tcp 127.0.0.2 80" } },
	{ "private",
	  NULL,
	  { "tcp 169.254.169.254 80", "udp 169.254.169.254 80", "icmp 10.0.0.1", "tcp 240.0.0.1 1",
	    "udp ff02::1 1" },
	  { ALL, "udp 9.9.9.9 443" } },
	{ "evil.com", "--block-domain", { NULL }, { NULL } },
	{ "evil.com:443", "--block-domain", { NULL }, { NULL } },
	{ "", "empty rule", { NULL }, { NULL } },
	{ "udp://", "empty rule", { NULL }, { NULL } },
	{ "icmp://", "needs a host", { NULL }, { NULL } },
};

/* Every answer begins with the verdict. */
static void expect_verdict(struct explain_data *self, const char *option, const char *spec,
			   const char *endpoint, const char *verdict)
{
	size_t n = strlen(verdict);

	ASSERT_EQ(0,
		  command_run(&self->c, ARGS("sandtop", "explain", option, spec, "--", endpoint)));
	EXPECT_TRUE(!strncmp(self->c.out.text, verdict, n) && self->c.out.text[n] == '\t')
	{
		TH_LOG("%s %s: %s: %s, not %s", option, spec, endpoint, self->c.out.text, verdict);
	}
	EXPECT_EQ(0, command_code(&self->c));
	command_free(&self->c);
	self->c = (struct command){ 0 };
}

static void check_specs(struct explain_data *self, const char *option, const struct spec_row *row,
			size_t n, const char *in, const char *out)
{
	for (; n; n--, row++) {
		if (row->error) {
			ASSERT_EQ(0, command_run(&self->c, ARGS("sandtop", "explain", option,
								row->spec, ALL)));
			expect_refusal(&self->c, 2, ARGS(option, row->error));
			command_free(&self->c);
			self->c = (struct command){ 0 };
		}
		for (size_t i = 0; i < COUNT(row->in) && row->in[i]; i++)
			expect_verdict(self, option, row->spec, row->in[i], in);
		for (size_t i = 0; i < COUNT(row->out) && row->out[i]; i++)
			expect_verdict(self, option, row->spec, row->out[i], out);
	}
}

TEST_F(explain, every_allow_spec)
{
	check_specs(self, "--net-allow", allowed, COUNT(allowed), "allow", "deny");
}

TEST_F(explain, every_deny_spec)
{
	check_specs(self, "--net-deny", denied, COUNT(denied), "deny", "allow");
}

static void expect_output(struct explain_data *self, const char *const argv[], int code,
			  const char *out)
{
	ASSERT_EQ(0, command_run(&self->c, argv));
	EXPECT_EQ(code, command_code(&self->c));
	EXPECT_STREQ(out, self->c.out.text);
	EXPECT_STREQ("", self->c.err.text);
}

TEST_F(explain, each_endpoint_gets_a_line)
{
	expect_output(self,
		      ARGS("sandtop", "explain", "--rule", "deny 10.0.0.5", "--rule",
			   "allow 10.0.0.0/8:443,22", "--rule", "allow in *:80", "tcp 10.0.0.5 443",
			   "tcp://10.0.0.6:22", "in tcp :: 80", "in udp 0.0.0.0 80",
			   "icmp 10.0.0.6 99", "unix /run/x", "dns example.com", "# no", "  "),
		      0,
		      "deny\ttcp\t10.0.0.5\t443\t1\tdeny 10.0.0.5\n"
		      "allow\ttcp\t10.0.0.6\t22\t2\tallow 10.0.0.0/8:443,22\n"
		      "allow\tin tcp\t::\t80\t3\tallow in *:80\n"
		      "deny\tin udp\t0.0.0.0\t80\t-\tbind-default\n"
		      "deny\ticmp\t10.0.0.6\t-\t-\tdefault\n"
		      "deny\tunix\t/run/x\t-\t-\tunix-default\n"
		      "deny\tdns\texample.com\t-\t-\tdefault\n");
}

TEST_F(explain, the_first_rule_that_matches_decides)
{
	expect_output(self,
		      ARGS("sandtop", "explain", "--rule", "allow 10.0.0.0/8:443", "--rule",
			   "deny 10.0.0.5", "tcp 10.0.0.5 443", "tcp 10.0.0.6 443"),
		      0,
		      "allow\ttcp\t10.0.0.5\t443\t1\tallow 10.0.0.0/8:443\n"
		      "allow\ttcp\t10.0.0.6\t443\t1\tallow 10.0.0.0/8:443\n");
}

TEST_F(explain, without_a_policy_everything_is_denied)
{
	expect_output(self, ARGS("sandtop", "explain", "tcp 1.1.1.1 443", "in tcp :: 80"), 0,
		      "deny\ttcp\t1.1.1.1\t443\t-\tdefault\n"
		      "deny\tin tcp\t::\t80\t-\tbind-default\n");
}

TEST_F(explain, an_address_is_shown_as_it_is_judged)
{
	expect_output(self,
		      ARGS("sandtop", "explain", "--net-deny", "private", "tcp 0.0.0.0 80",
			   "udp :: 123", "tcp ::ffff:10.0.0.1 80", "tcp fe80::1%lo 80"),
		      0,
		      "deny\ttcp\t127.0.0.1\t80\t1\tdeny private\n"
		      "deny\tudp\t::1\t123\t1\tdeny private\n"
		      "deny\ttcp\t10.0.0.1\t80\t1\tdeny private\n"
		      "deny\ttcp\tfe80::1\t80\t1\tdeny private\n");
}

TEST_F(explain, one_endpoint_needs_no_quotes)
{
	expect_output(self,
		      ARGS("sandtop", "explain", "in", "tcp", "127.0.0.1", "80", "--preset",
			   "public-only"),
		      0, "allow\tin tcp\t127.0.0.1\t80\t-\tbind-default\n");
}

TEST_F(explain, what_does_not_parse_is_said_and_the_rest_answered)
{
	expect_output(self,
		      ARGS("sandtop", "explain", "--net-allow", ":1", "tcp 1.2.3.4 x",
			   "tcp://1.2.3.4:1", "quic 1.2.3.4 1"),
		      1,
		      "error\t'x': invalid port: expected a number up to 65535\n"
		      "allow\ttcp\t1.2.3.4\t1\t1\tallow :1\n"
		      "error\t'quic': unknown protocol: expected tcp, udp, icmp, unix or dns, as in "
		      "tcp://1.2.3.4:443\n");
}

TEST_F(explain, nothing_reaches_the_terminal_as_it_is)
{
	expect_output(self,
		      ARGS("sandtop", "explain", "dns a\xe2\x80\xae.example", "unix /\xff\xc2\x9b",
			   "unix /\x1b[31m", "\x1b[31m"),
		      1,
		      "error\t'a\\u{202E}.example': expected dns NAME\n"
		      "deny\tunix\t/\\xFF\\u{9B}\t-\t-\tunix-default\n"
		      "error\t'/?[31m': expected no control characters\n"
		      "error\t'?[31m': unknown protocol: expected tcp, udp, icmp, unix or dns, as in "
		      "tcp://1.2.3.4:443\n");
}

TEST_F(explain, why_tells_how_each_rule_fares)
{
	expect_output(self,
		      ARGS("sandtop", "explain", "--rule", "allow 10.0.0.0/8:443", "--preset",
			   "none", "--why", "tcp 10.0.0.5 80"),
		      0,
		      "deny\ttcp\t10.0.0.5\t80\t2\tdeny any://*\n"
		      "1\tother port\tallow 10.0.0.0/8:443\n"
		      "2\tmatch\tdeny any://*\n"
		      "flip\tallow 10.0.0.5:80\n");
}

/* The first line of the output that begins so, cut off behind it; NULL if there is none. */
static char *find_line(char *text, const char *begin)
{
	char *line = text;

	while (line && strncmp(line, begin, strlen(begin))) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (line)
		line[strcspn(line, "\n")] = '\0';
	return line;
}

TEST_F(explain, the_rule_that_why_offers_turns_the_verdict)
{
	static const struct {
		const char *option, *value, *endpoint, *flip;
	} rows[] = {
		{ "--preset", "public-only", "tcp 127.0.0.1 80", "allow 127.0.0.1:80" },
		{ "--preset", "public-only", "tcp 0.0.0.0 80", "allow 0.0.0.0:80" },
		{ "--default", "allow", "udp :: 80", "allow udp://[::]:80" },
		{ "--default", "allow", "tcp 1.1.1.1 53", "deny tcp://1.1.1.1:53" },
		{ "--default", "allow", "dns a.test", "deny a.test" },
		{ "--preset", "none", "in tcp 0.0.0.0 80", "allow in 0.0.0.0:80" },
		{ "--net-allow-bind", "81", "in tcp 0.0.0.0 80", "-" },
		{ "--resolve", "none", "dns a.test", "-" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char flip[200], *line;
		const char *turned;

		ASSERT_EQ(0,
			  command_run(&self->c, ARGS("sandtop", "explain", "--why", rows[i].option,
						     rows[i].value, rows[i].endpoint)));
		turned = strncmp(self->c.out.text, "allow", 5) ? "allow\t" : "deny\t";
		line = find_line(self->c.out.text, "flip\t");
		ASSERT_NE(NULL, line);
		snprintf(flip, sizeof(flip), "%s", line + strlen("flip\t"));
		command_free(&self->c);
		EXPECT_STREQ(rows[i].flip, flip);
		if (!strcmp(flip, "-"))
			continue;
		ASSERT_EQ(0, command_run(&self->c,
					 ARGS("sandtop", "explain", "--rule", flip, rows[i].option,
					      rows[i].value, rows[i].endpoint)));
		EXPECT_EQ(0, strncmp(turned, self->c.out.text, strlen(turned)));
		command_free(&self->c);
	}
}

TEST_F(explain, why_tells_which_rules_a_name_has)
{
	expect_output(self,
		      ARGS("sandtop", "explain", "--rule", "allow .a.test", "--rule",
			   "deny .b.test:80", "--preset", "public-only", "--why", "dns x.b.test"),
		      0,
		      "allow\tdns\tx.b.test\t-\t4\tallow any://*\n"
		      "1\tother name\tallow .a.test\n"
		      "2\tother port\tdeny .b.test:80\n"
		      "3\tother protocol\tdeny any://private\n"
		      "4\tmatch\tallow any://*\n"
		      "flip\tdeny x.b.test\n");
}

TEST_F(explain, what_is_live_in_a_run_is_said_to_be_missing)
{
	expect_output(self,
		      ARGS("sandtop", "explain", "--rule", "allow .example.com:443", "--rule",
			   "allow any://@self", "--rule", "deny any://@this-host", "--why",
			   "tcp 127.0.0.1 443"),
		      0,
		      "deny\ttcp\t127.0.0.1\t443\t3\tdeny any://@this-host\n"
		      "1\tno live name\tallow .example.com:443\n"
		      "2\tno socket of the sandbox\tallow any://@self\n"
		      "3\tmatch\tdeny any://@this-host\n"
		      "flip\tallow 127.0.0.1:443\n");
}

TEST_F(explain, a_name_that_does_not_resolve_is_a_warning)
{
	if (!netns_or_skip())
		return;
	ASSERT_EQ(0, command_run(&self->c, ARGS("sandtop", "explain", "--net-allow",
						"no-such-host.invalid:80", ALL)));
	EXPECT_EQ(0, command_code(&self->c));
	EXPECT_NE(NULL, strstr(self->c.err.text, "failed to resolve 'no-such-host.invalid'"));
	EXPECT_NE(NULL, strstr(self->c.out.text, "deny\t"));
}

static void take_stdin(void *arg)
{
	dup2(*(int *)arg, STDIN_FILENO);
}

static void start_streaming(struct explain_data *self)
{
	ASSERT_EQ(0, pipe2(self->input, O_CLOEXEC));
	ASSERT_EQ(0, command_start(&self->c, ARGS("sandtop", "explain", "--net-allow", ":443"),
				   take_stdin, &self->input[0]));
}

static void send_line(struct explain_data *self, const char *line, const char *answer)
{
	ASSERT_EQ((ssize_t)strlen(line), write(self->input[1], line, strlen(line)));
	EXPECT_EQ(0, command_wait_text(&self->c, &self->c.out, answer, COMMAND_TIMEOUT));
}

TEST_F(explain, a_line_of_stdin_is_answered_before_the_next_is_there)
{
	start_streaming(self);
	send_line(self, "tcp 1.1.1.1 443\n", "allow\ttcp\t1.1.1.1\t443\t1\tallow :443\n");
	send_line(self, "# nothing\n\ntcp 1.1.1.1 80\n", "deny\ttcp\t1.1.1.1\t80\t-\tdefault\n");
	send_line(self, "nonsense\n", "error\t'nonsense'");
	send_line(self, "tcp ::1 443", "error");
	close(self->input[1]);
	self->input[1] = -1;
	ASSERT_EQ(0, command_wait(&self->c, COMMAND_TIMEOUT));
	EXPECT_STRIN("allow\ttcp\t::1\t443\t1\tallow :443\n", self->c.out.text);
	EXPECT_EQ(1, command_code(&self->c));
	EXPECT_STREQ("", self->c.err.text);
}

TEST_F(explain, a_line_with_a_nul_byte_is_not_cut_short)
{
	static const char line[] = "unix /run/a\0b\nicmp ::1\n";

	start_streaming(self);
	ASSERT_EQ((ssize_t)sizeof(line) - 1, write(self->input[1], line, sizeof(line) - 1));
	close(self->input[1]);
	self->input[1] = -1;
	ASSERT_EQ(0, command_wait(&self->c, COMMAND_TIMEOUT));
	EXPECT_STREQ("error\ta line with NUL: expected none\ndeny\ticmp\t::1\t-\t-\tdefault\n",
		     self->c.out.text);
	EXPECT_EQ(1, command_code(&self->c));
}

TEST_HARNESS_MAIN

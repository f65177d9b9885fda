/* SPDX-License-Identifier: MIT */
/*
 * The policy language from outside: what is refused and how, and profiles.
 */
#include "selftests/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "selftests/lib/command.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/refusal.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define UNPACK_(...) __VA_ARGS__
#define ALL          "tcp 9.9.9.9 443"

/* Write a profile into the test's own directory; returns its name, which lasts until the next. */
static const char *write_profile(const char *text)
{
	static char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/p.toml", harness_dir());
	f = fopen(path, "we");
	ASSERT_TRUE(f);
	ASSERT_LE(0, fputs(text, f));
	ASSERT_EQ(0, fclose(f));
	return path;
}

/* Run sandtop with the arguments, of which "PROFILE" is that file. */
static void run_args(struct command *c, const char *const args[], const char *profile)
{
	const char *argv[24] = { "sandtop" };

	for (size_t i = 0; args[i]; i++)
		argv[i + 1] = !strcmp(args[i], "PROFILE") ? profile : args[i];
	ASSERT_EQ(0, command_run(c, argv));
}

/* ---- what is refused ---------------------------------------------------- */

FIXTURE(refused)
{
	struct command c;
};

FIXTURE_VARIANT(refused)
{
	const char *profile; /* the text of PROFILE; NULL: there is none */
	const char *args[16];
	const char *words[6];
};

#define REFUSED(name, profile, words, ...)                                                         \
	FIXTURE_VARIANT_ADD(refused, name)                                                         \
	{                                                                                          \
		profile, { __VA_ARGS__ },                                                          \
		{                                                                                  \
			UNPACK_ words                                                              \
		}                                                                                  \
	}

#define ECHO "--", "echo", "ran"

REFUSED(rule_without_an_action, NULL, ("--rule: '1.2.3.4'", "allow, deny or ask"), "--rule",
	"1.2.3.4", ECHO);
REFUSED(rule_that_is_empty, NULL, ("--rule: ''", "empty rule"), "--rule", "", ECHO);
REFUSED(rule_with_an_action_alone, NULL, ("--rule: ", "empty rule"), "--rule", "deny", ECHO);
REFUSED(denial_of_a_unix_socket, NULL, ("'unix:/run/x'", "denied anyway"), "--net-deny",
	"unix:/run/x", ECHO);
REFUSED(block_of_a_suffix, NULL, ("--block-domain: '.evil.com'", "--block-suffix"), "--preset",
	"public-only", "--block-domain", ".evil.com", ECHO);
REFUSED(block_of_an_address, NULL, ("--block-domain: '1.2.3.4'", "--rule 'deny 1.2.3.4'"),
	"--preset", "public-only", "--block-domain", "1.2.3.4", ECHO);
REFUSED(block_of_a_network, NULL, ("--block-domain: 'fc00::/7'", "--rule 'deny fc00::/7'"),
	"--preset", "public-only", "--block-domain", "fc00::/7", ECHO);
REFUSED(block_suffix_of_a_name, NULL, ("--block-suffix: 'evil.com'", ".example.com"), "--preset",
	"public-only", "--block-suffix", "evil.com", ECHO);
REFUSED(blocks_alone, NULL, ("--block-domain: ", "--preset public-only"), "--block-domain",
	"evil.com", ECHO);
REFUSED(host_with_a_port, NULL, ("--allow-host: 'a.example:80'", "--net-allow"), "--allow-host",
	"a.example:80", ECHO);
REFUSED(resolve_some, NULL, ("--resolve: 'some'", "needed, all or none"), "--resolve", "some",
	ECHO);
REFUSED(inbound_icmp, NULL, ("'allow in icmp://*'", "not a local address"), "--rule",
	"allow in icmp://*", ECHO);
REFUSED(inbound_name, NULL, ("'allow in a.example:80'", "not a local address"), "--rule",
	"allow in a.example:80", ECHO);
REFUSED(unknown_group, NULL, ("'@lan'", "@loopback", "@this-host", "@public"), "--net-allow",
	"@lan", ECHO);
REFUSED(zone_id, NULL, ("zone id"), "--net-allow", "[fe80::1%eth0]:80", ECHO);
REFUSED(ipv4_in_brackets, NULL, ("malformed bracket"), "--net-allow", "[1.2.3.4]:80", ECHO);
REFUSED(short_address, NULL, ("'127.1'"), "--net-allow", "127.1", ECHO);
REFUSED(hexadecimal_address, NULL, ("'0x7f.1'"), "--net-allow", "0x7f.1", ECHO);
REFUSED(numeric_address, NULL, ("'2130706433'"), "--net-allow", "2130706433:80", ECHO);
REFUSED(numeric_address_alone, NULL, ("'2130706433' is not a host: expected a host name"),
	"--net-allow", "2130706433", ECHO);
REFUSED(bare_port, NULL, ("--net-allow: '8080'", "write :8080"), "--net-allow", "8080", ECHO);
REFUSED(bare_range, NULL, ("--net-allow: '80-90'", "write :80-90"), "--net-allow", "80-90", ECHO);
REFUSED(empty_port, NULL, ("'a.example:'", "invalid port ''"), "--net-allow", "a.example:", ECHO);
REFUSED(port_zero, NULL, ("'a.example:0'", "port 0"), "--net-allow", "a.example:0", ECHO);
REFUSED(port_beyond, NULL, ("invalid port '65536'"), "--net-allow", ":65536", ECHO);
REFUSED(port_with_a_name, NULL, ("invalid port 'http'"), "--net-allow", "a.example:http", ECHO);
REFUSED(star_among_ports, NULL, ("':80,*'", "cannot mix"), "--net-allow", ":80,*", ECHO);
REFUSED(blank_within, NULL, ("blank in 'a b.example'"), "--net-allow", "a b.example", ECHO);
REFUSED(blank_in_front, NULL, ("' 1.2.3.4'", "blank"), "--net-allow", " 1.2.3.4", ECHO);
REFUSED(empty_spec, NULL, ("--net-allow: ''", "use * for any host"), "--net-allow", "", ECHO);
REFUSED(empty_spec_of_deny, NULL, ("--net-deny: ''", "use * for any host"), "--net-deny", "", ECHO);
REFUSED(spec_of_a_scheme_alone, NULL, ("'udp://'", "empty rule"), "--net-allow", "udp://", ECHO);
REFUSED(icmp_alone, NULL, ("'icmp://'", "needs a host"), "--net-allow", "icmp://", ECHO);
REFUSED(icmp_with_a_port, NULL, ("takes no port", ":80"), "--net-allow", "icmp://*:80", ECHO);
REFUSED(unknown_scheme, NULL, ("unknown scheme 'sctp'", "tcp, udp, icmp or any"), "--net-allow",
	"sctp://h:1", ECHO);
REFUSED(web_address, NULL, ("unknown scheme 'https'", "HOST:443"), "--net-allow",
	"https://example.com/x", ECHO);
REFUSED(half_a_bracket, NULL, ("'[::1'", "malformed bracket"), "--net-allow", "[::1", ECHO);
REFUSED(two_colons, NULL, ("'fc00::/7:443'", "[IPV6]:PORTS"), "--net-allow", "fc00::/7:443", ECHO);
REFUSED(long_prefix_of_ipv4, NULL, ("too large", "/32"), "--net-allow", "10.0.0.0/33", ECHO);
REFUSED(prefix_of_a_name, NULL, ("'a.example/24'", "ADDRESS/LENGTH"), "--net-allow", "a.example/24",
	ECHO);
REFUSED(star_within_a_name, NULL, ("'*a.example'", "*.NAME"), "--net-allow", "*a.example", ECHO);
REFUSED(name_that_is_not_utf_8, NULL, ("is not a host"), "--net-allow", "b\xfc.example", ECHO);
REFUSED(name_in_a_deny_list, NULL, ("--net-deny: 'evil.com'", "--block-domain evil.com"),
	"--net-deny", "evil.com", ECHO);
REFUSED(suffix_in_a_deny_list, NULL,
	("--net-deny: '.evil.com'", "--block-suffix .evil.com", "--block-domain"), "--net-deny",
	".evil.com", ECHO);
REFUSED(rule_with_an_unknown_action, NULL, ("'block :25'", "unknown action 'block'"), "--rule",
	"block :25", ECHO);
REFUSED(inbound_self, NULL, ("'allow in @self'", "a group other than @self"), "--rule",
	"allow in @self", ECHO);
REFUSED(unix_path_that_is_relative, NULL, ("'unix:run/x'", "unix:/PATH"), "--net-allow",
	"unix:run/x", ECHO);
REFUSED(reversed_range, NULL, ("invalid port", "'90-80'"), "--net-allow", ":90-80", ECHO);
REFUSED(scheme_not_repeated, NULL, ("udp://", "again"), "--net-allow", "udp://1.1.1.1:53,1.0.0.1",
	ECHO);
REFUSED(long_prefix_of_ipv6, NULL, ("too large", "128"), "--net-allow", "fc00::/129", ECHO);

REFUSED(unknown_preset, NULL, ("--preset: 'lan'", "public-only"), "--preset", "lan", ECHO);
REFUSED(two_presets, NULL, ("--preset: 'none'", "one"), "--preset", "none", "--preset", "none",
	ECHO);
REFUSED(unknown_default, NULL, ("--default: 'no'", "allow, deny or ask"), "--default", "no", ECHO);
REFUSED(default_ask_with_a_preset, NULL, ("--default: 'ask'", "--preset"), "--preset",
	"public-only", "--default", "ask", ECHO);
REFUSED(default_allow_with_an_allow_list, NULL, ("--default: 'allow'", "--net-allow"),
	"--net-allow", ":1", "--default", "allow", ECHO);
REFUSED(default_deny_with_a_deny_list, NULL, ("--default: 'deny'", "--net-deny"), "--net-deny",
	":1", "--default", "deny", ECHO);
REFUSED(default_before_a_list, NULL, ("--net-allow: ':1'", "--default"), "--default", "allow",
	"--net-allow", ":1", ECHO);
REFUSED(default_with_a_preset, NULL, ("--default: 'deny'", "--preset"), "--preset", "none",
	"--default", "deny", ECHO);
REFUSED(two_bind_options, NULL, ("--net-allow-bind", "--net-deny-bind", "mutually exclusive"),
	"--net-allow-bind", "1", "--net-deny-bind", "2", ECHO);
REFUSED(bind_option_and_inbound_rule, NULL, ("--net-allow-bind: '1'", "mutually exclusive", "'in'"),
	"--rule", "deny in :2", "--net-allow-bind", "1", ECHO);
REFUSED(inbound_rule_and_bind_option, NULL, ("--rule: ", "mutually exclusive", "--net-deny-bind"),
	"--net-deny-bind", "1", "--rule", "deny in :2", ECHO);
REFUSED(bind_of_no_port, NULL, ("--net-allow-bind: '0'", "port 0"), "--net-allow-bind", "0", ECHO);

#define PAIR(name, option, value, other, text)                                                     \
	REFUSED(name, NULL, (option, other, "mutually exclusive", "--rule"), option, value, other, \
		text, ECHO)

PAIR(families_allow_deny, "--net-allow", ":1", "--net-deny", ":2");
PAIR(families_allow_rule, "--net-allow", ":1", "--rule", "deny :2");
PAIR(families_allow_preset, "--net-allow", ":1", "--preset", "none");
PAIR(families_deny_allow, "--net-deny", ":1", "--net-allow", ":2");
PAIR(families_deny_rule, "--net-deny", ":1", "--rule", "deny :2");
PAIR(families_deny_preset, "--net-deny", ":1", "--preset", "none");
PAIR(families_rule_allow, "--rule", "deny :1", "--net-allow", ":2");
PAIR(families_rule_deny, "--rule", "deny :1", "--net-deny", ":2");
PAIR(families_preset_allow, "--preset", "none", "--net-allow", ":2");
PAIR(families_preset_deny, "--preset", "none", "--net-deny", ":2");
REFUSED(families_deny_icmp, NULL, ("--allow-icmp", "--net-deny", "--rule"), "--net-deny", ":1",
	"--allow-icmp", ECHO);
REFUSED(families_rule_udp, NULL, ("--allow-udp", "--rule"), "--rule", "deny :1", "--allow-udp",
	ECHO);

#define FAMILY(name, text, words, ...)                                                             \
	REFUSED(name, "[network]\n" text, words, __VA_ARGS__, "--profile-file", "PROFILE", ECHO)

FAMILY(families_allow_and_profile, "deny = [':2']",
       ("p.toml:2:9: ", "':2'", "deny", "--net-allow", "--rule"), "--net-allow", ":1");
FAMILY(families_deny_and_profile, "rules = ['allow :2']",
       ("p.toml:2:10: ", "'allow :2'", "--net-deny", "--rule"), "--net-deny", ":1");
FAMILY(families_rule_and_profile, "allow = [':2']", ("p.toml:2:10: ", "':2'", "allow", "--rule"),
       "--rule", "deny :1");
FAMILY(families_preset_and_profile, "allow = [':2']", ("p.toml:2:10: ", "--preset"), "--preset",
       "none");
FAMILY(bind_and_profile, "deny_bind = 2", ("p.toml:2:13: ", "--net-allow-bind"), "--net-allow-bind",
       "1");

#define PROFILE(name, text, ...)                                                                   \
	REFUSED(name, text, (__VA_ARGS__), "--profile-file", "PROFILE", ECHO)

PROFILE(profile_that_is_no_toml, "[network]\nallow = [\n", "p.toml:2:", "'allow = ['");
PROFILE(profile_with_an_empty_table_header, "[\n", "p.toml:1:", "'['");
PROFILE(profile_in_latin_1, "[network]\n\xfc = 1\n", "p.toml:2:1: ", "UTF-8");
PROFILE(profile_with_an_odd_letter, "\xc3\xbc = 1\n", "p.toml:1:1: ");
PROFILE(profile_with_an_unknown_key, "[network]\nalow = [':1']\n", "p.toml:2:1: 'alow'", "allow");
PROFILE(profile_with_an_unknown_table, "\n[net]\n", "p.toml:2:2: 'net'", "network");
PROFILE(profile_with_a_wrong_type, "[network]\nallow = ':1'\n", "p.toml:2:9: ", "'allow = ':1''",
	"list");
PROFILE(profile_with_a_wrong_element, "[network]\nallow = [':1', 1]\n", "p.toml:2:16: ");
PROFILE(profile_with_a_bad_rule, "[network]\nallow = [\n\t':1',\n\t'a:0',\n]\n",
	"p.toml:4:2: ", "'a:0'", "port 0");
PROFILE(profile_that_denies_a_name, "[network]\ndeny = ['evil.com']\n",
	"p.toml:2:9: ", "--block-domain");
PROFILE(profile_about_dns, "[dns]\nblock = ['evil..com']\n",
	"p.toml:2:10: dns.block: ", "'evil..com'");
PROFILE(profile_with_escapes, "[network]\nallow = [\"\\u001b[31m:1\"]\n",
	"p.toml:2:10: ", "'?[31m:1'");

REFUSED(profile_without_a_program, "[network]\n", ("no command", "p.toml", "[program]"),
	"--profile-file", "PROFILE");
REFUSED(profile_with_an_empty_command, "[program]\nexec = 'echo'\n", ("no command"),
	"--profile-file", "PROFILE", "--");
REFUSED(profile_that_is_not_there, NULL, ("--profile-file", "'/no/such/file'"), "--profile-file",
	"/no/such/file", ECHO);
REFUSED(profile_that_is_a_directory, NULL, ("--profile-file", "'/tmp'", "directory"),
	"--profile-file", "/tmp", ECHO);
REFUSED(profile_name_that_is_not_there, NULL, ("--profile", "no-such.toml'"), "--profile",
	"no-such", ECHO);
REFUSED(profile_name_with_a_slash, NULL, ("--profile", "'../x'", "--profile-file"), "--profile",
	"../x", ECHO);
REFUSED(two_profiles, "", ("--profile-file", "a single"), "--profile-file", "PROFILE",
	"--profile-file", "PROFILE", ECHO);

REFUSED(explain_with_an_option_of_a_run, NULL, ("explain", "--log"), "explain", "--log", "x");
REFUSED(explain_with_an_unknown_option, NULL, ("explain", "'--net-alow'", "--net-allow"), "explain",
	"--net-alow", ":1");
REFUSED(explain_with_a_bad_policy, NULL, ("--net-allow: 'a:0'", "port 0"), "explain", "--net-allow",
	"a:0", "tcp 1.2.3.4 80");
REFUSED(explain_with_a_bad_profile, "x", ("p.toml:1:"), "explain", "--profile-file", "PROFILE",
	"tcp 1.2.3.4 80");
REFUSED(profile_without_a_verb, NULL, ("profile", "list", "show", "check"), "profile");
REFUSED(profile_with_an_unknown_verb, NULL, ("'edit'", "list"), "profile", "edit");
REFUSED(profile_show_of_nothing, NULL, ("show NAME"), "profile", "show");
REFUSED(profile_check_with_an_unknown_option, NULL, ("'--fix'", "--strict"), "profile", "check",
	"--fix");

FIXTURE_SETUP(refused)
{
}

FIXTURE_TEARDOWN(refused)
{
	command_free(&self->c);
}

TEST_F(refused, in_one_line_with_status_2)
{
	const char *profile = variant->profile ? write_profile(variant->profile) : NULL;

	/* Saved profiles are looked for where there are none. */
	setenv("XDG_CONFIG_HOME", harness_dir(), 1);
	run_args(&self->c, variant->args, profile);
	expect_refusal(&self->c, 2, variant->words);
}

/* ---- profiles ----------------------------------------------------------- */

FIXTURE(profile)
{
	struct command c;
};

FIXTURE_SETUP(profile)
{
	setenv("XDG_CONFIG_HOME", harness_dir(), 1);
}

FIXTURE_TEARDOWN(profile)
{
	command_free(&self->c);
}

/* Save a profile where sandtop looks for it. */
static void save_profile(const char *name, const char *text)
{
	static const char *const dirs[] = { "/sandtop", "/sandtop/profiles" };
	char path[200];
	FILE *f;

	for (size_t i = 0; i < COUNT(dirs); i++) {
		snprintf(path, sizeof(path), "%s%s", harness_dir(), dirs[i]);
		mkdir(path, 0700);
	}
	snprintf(path, sizeof(path), "%s/sandtop/profiles/%s", harness_dir(), name);
	f = fopen(path, "we");
	ASSERT_TRUE(f);
	ASSERT_LE(0, fputs(text, f));
	ASSERT_EQ(0, fclose(f));
}

static void run(struct profile_data *self, const char *const argv[], int code)
{
	command_free(&self->c);
	self->c = (struct command){ 0 };
	ASSERT_EQ(0, command_run(&self->c, argv));
	EXPECT_EQ(code, command_code(&self->c))
	{
		TH_LOG("%s", self->c.err.text);
	}
}

#define ECHO_PROFILE "[program]\nargs = ['<%s>', 'a b']\nexec = 'printf'\n"

TEST_F(profile, its_program_runs_without_a_command)
{
	if (!netns_or_skip())
		return;
	run(self,
	    ARGS("sandtop", "-b", "--profile-file",
		 write_profile(ECHO_PROFILE "[network]\nallow = [':1']")),
	    0);
	EXPECT_STREQ("<a b>", self->c.out.text);
	EXPECT_STREQ("", self->c.err.text);
	run(self,
	    ARGS("sandtop", "-b", "--profile-file", write_profile(ECHO_PROFILE), "--", "true"), 0);
	EXPECT_STREQ("", self->c.out.text);
	EXPECT_STRIN("no policy given", self->c.err.text);
}

TEST_F(profile, live_words_read_back_as_they_were)
{
	static const char dump[] =
		"[network]\n"
		"rules = [\n"
		"\t\"allow *.example.com:443,any://@self\", # 1\n"
		"\t\"deny any://@this-host\", # 2\n"
		"]\n"
		"# implied-dns: allow tcp and udp port 53 of this machine's name "
		"servers\n"
		"default = \"deny\"\n";

	run(self,
	    ARGS("sandtop", "--rule", "allow *.example.com:443,any://@self", "--rule",
		 "deny any://@this-host", "--dump-profile"),
	    0);
	EXPECT_STREQ(dump, self->c.out.text);
	run(self, ARGS("sandtop", "--profile-file", write_profile(dump), "--dump-profile"), 0);
	EXPECT_STREQ(dump, self->c.out.text);
}

TEST_F(profile, its_policy_is_enforced)
{
	if (!netns_or_skip())
		return;
	run(self,
	    ARGS("sandtop", "-b", "--rule", "allow [::1]:9", "--profile-file",
		 write_profile("[network]\nrules = ['deny 127.0.0.1']\npreset = 'none'\n"), "--",
		 "probe", "connect", "tcp", "127.0.0.1", "9", ",", "connect", "tcp", "127.0.0.2",
		 "9"),
	    0);
	EXPECT_STRIN("(rule 2: deny 127.0.0.1)\n", self->c.err.text);
	EXPECT_STRIN("(rule 3: deny any://*)\n", self->c.err.text);
}

TEST_F(profile, a_saved_one_has_a_name)
{
	save_profile("web.toml", "[network]\nallow = [':443']\n");
	run(self, ARGS("sandtop", "explain", "--profile", "web", "--net-allow", ":80", ALL), 0);
	EXPECT_STREQ("allow\ttcp\t9.9.9.9\t443\t2\tallow :443\n", self->c.out.text);
	run(self, ARGS("sandtop", "profile", "show", "web"), 0);
	EXPECT_STREQ("[network]\nallow = [':443']\n", self->c.out.text);
}

TEST_F(profile, the_saved_ones_are_listed)
{
	run(self, ARGS("sandtop", "profile", "list"), 1);
	EXPECT_STRIN("no profile in ", self->c.err.text);
	save_profile("web.toml", "");
	save_profile("a.b.toml", "");
	save_profile(".hidden.toml", "");
	save_profile("notes.txt", "");
	run(self, ARGS("sandtop", "profile", "list"), 0);
	EXPECT_STREQ("a.b\nweb\n", self->c.out.text);
	EXPECT_STREQ("", self->c.err.text);
}

TEST_F(profile, nothing_is_read_from_the_current_directory)
{
	ASSERT_EQ(0, chdir(harness_dir()));
	save_profile("web.toml", "[network]\nallow = [':443']\n");
	setenv("XDG_CONFIG_HOME", ".", 1);
	setenv("HOME", "/nonexistent", 1);
	run(self, ARGS("sandtop", "--profile", "web", "--dump-profile"), 2);
	EXPECT_STRIN("'/nonexistent/.config/sandtop/profiles/web.toml'", self->c.err.text);
	unsetenv("HOME");
	run(self, ARGS("sandtop", "--profile", "web", "--dump-profile"), 2);
	EXPECT_STRIN("XDG_CONFIG_HOME", self->c.err.text);
}

#define WARNED "[network]\ndeny = [\n  '10.0.0.0/8',\n  '10.1.0.0/16',\n]\n"

TEST_F(profile, warnings_have_a_place_and_a_name)
{
	const char *path = write_profile(WARNED);

	run(self, ARGS("sandtop", "profile", "check", path), 0);
	EXPECT_STRIN("p.toml:3:3: warning: 'deny 10.0.0.0/8'", self->c.out.text);
	EXPECT_STRIN(" [tcp-only-deny]\n", self->c.out.text);
	EXPECT_STRIN("p.toml:4:3: warning: 'deny 10.1.0.0/16'", self->c.out.text);
	EXPECT_STRIN(" [shadowed]\n", self->c.out.text);
	EXPECT_STREQ("", self->c.err.text);
	run(self, ARGS("sandtop", "profile", "check", "--strict", path), 1);
	EXPECT_STRIN(" [shadowed]\n", self->c.out.text);
	run(self, ARGS("sandtop", "-b", "--profile-file", path, "--dump-profile"), 0);
	EXPECT_STREQ("", self->c.err.text);
}

TEST_F(profile, check_reads_all_that_are_saved)
{
	save_profile("bad.toml", "[network]\nallow = 1\n");
	save_profile("good.toml", "[network]\nallow = ['no-such-host.invalid:443']\n");
	run(self, ARGS("sandtop", "profile", "check"), 1);
	EXPECT_STRIN("/bad.toml:2:9: ", self->c.err.text);
	EXPECT_STREQ("", self->c.out.text);
	run(self, ARGS("sandtop", "profile", "check", "--strict", "good"), 0);
	EXPECT_STREQ("", self->c.err.text);
	run(self, ARGS("sandtop", "profile", "check", "good", "--strict"), 0);
	run(self, ARGS("sandtop", "profile", "check", "good", "missing"), 1);
	EXPECT_STRIN("missing.toml", self->c.err.text);
}

TEST_F(profile, a_dump_reads_back_and_resolves_nothing)
{
	static const char dump[] =
		"[program]\n"
		"exec = \"npm\"\n"
		"args = [\"install\", \"a\\\"b\"]\n"
		"\n"
		"[network]\n"
		"allow = [\n"
		"\t\"no-such-host.invalid:443\", # 1\n"
		"\t\"udp://*:*\", # 2\n"
		"]\n"
		"# implied-dns: allow tcp and udp port 53 of this machine's name "
		"servers\n"
		"default = \"deny\"\n"
		"allow_bind = [\"80,90-91\"]\n"
		"max_connections = 3\n";

	run(self,
	    ARGS("sandtop", "--net-allow", "no-such-host.invalid:443", "--allow-udp",
		 "--net-allow-bind", "80,90-91", "--max-connections", "3", "--dump-profile", "--",
		 "npm", "install", "a\"b"),
	    0);
	EXPECT_STREQ(dump, self->c.out.text);
	EXPECT_STREQ("", self->c.err.text);
	run(self, ARGS("sandtop", "--profile-file", write_profile(dump), "--dump-profile"), 0);
	EXPECT_STREQ(dump, self->c.out.text);
	run(self, ARGS("sandtop", "--dump-profile"), 0);
	EXPECT_STREQ("[network]\ndefault = \"deny\"\n", self->c.out.text);
}

TEST_F(profile, a_dump_is_utf_8_or_nothing)
{
	run(self, ARGS("sandtop", "--dump-profile", "--", "cat", "\xfc"), 2);
	expect_refusal(&self->c, 2, ARGS("--dump-profile", "'\\xFC'", "UTF-8"));
	run(self, ARGS("sandtop", "--net-allow", "unix:/run/\xfc", "--dump-profile"), 2);
	expect_refusal(&self->c, 2, ARGS("--dump-profile", "'unix:/run/\\xFC'", "UTF-8"));
}

TEST_F(profile, the_command_line_overrides_what_can_be_said_once)
{
	run(self,
	    ARGS("sandtop", "--default", "deny", "--max-connections", "5", "--profile-file",
		 write_profile("[network]\ndefault = 'allow'\nmax_connections = 3\n"),
		 "--dump-profile"),
	    0);
	EXPECT_STREQ("[network]\ndefault = \"deny\"\nmax_connections = 5\n", self->c.out.text);
	run(self,
	    ARGS("sandtop", "--preset", "none", "--profile-file",
		 write_profile("[network]\npreset = 'allow-all'\n"), "--dump-profile"),
	    0);
	EXPECT_STREQ("[network]\npreset = \"none\"\n# 1: deny any://*\n", self->c.out.text);
}

TEST_F(profile, its_logs_are_written)
{
	char text[400];

	if (!netns_or_skip())
		return;
	snprintf(text, sizeof(text), "[log]\njson = '%s/j'\ntext = '%s/t'\n", harness_dir(),
		 harness_dir());
	run(self, ARGS("sandtop", "-b", "-q", "--profile-file", write_profile(text), "--", "true"),
	    0);
	snprintf(text, sizeof(text), "%s/j", harness_dir());
	EXPECT_EQ(0, access(text, F_OK));
	snprintf(text, sizeof(text), "%s/t", harness_dir());
	EXPECT_EQ(0, access(text, F_OK));
}

TEST_HARNESS_MAIN

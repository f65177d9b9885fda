/* SPDX-License-Identifier: MIT */
/* The library that units are linked with has nothing of tools/. */
#include "tools/options.c"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char err[512];

/* Parse the words up to the first NULL. */
static int parse_mode(enum options_mode mode, struct options *out, const char *const *words)
{
	static char program[] = "sandtop", *argv[16] = { program };
	int argc = 1;

	while (*words && argc < 15)
		argv[argc++] = (char *)*words++;
	argv[argc] = NULL;
	err[0] = '\0';
	return options_parse(mode, argc, argv, out, err, sizeof(err));
}

static int parse_words(struct options *out, const char *const *words)
{
	return parse_mode(OPTIONS_RUN, out, words);
}

#define parse(out, ...) parse_words(out, (const char *[]){ __VA_ARGS__, NULL })

#define parse_explain(out, ...)                                                                    \
	parse_mode(OPTIONS_EXPLAIN, out, (const char *[]){ __VA_ARGS__, NULL })

#define assert_error(message, ...)                                                                 \
	do {                                                                                       \
		struct options refused;                                                            \
                                                                                                   \
		cr_assert_eq(parse(&refused, __VA_ARGS__), -EINVAL);                               \
		cr_assert_str_eq(err, message);                                                    \
	} while (0)

Test(options, a_command_follows_two_dashes)
{
	struct options o;

	cr_assert_eq(parse(&o, "--", "curl", "-v", "--", "--stats"), 0, "%s", err);
	cr_assert_str_eq(o.command[0], "curl");
	cr_assert_str_eq(o.command[3], "--stats");
	cr_assert_null(o.command[4]);
	cr_assert(!o.verbose);
	cr_assert(!o.stats);
	cr_assert_null(o.log);
	cr_assert_eq(o.status_fd, -1);
	options_free(&o);
}

Test(options, values_stand_behind_an_equals_sign_or_next)
{
	struct options o;

	cr_assert_eq(parse(&o, "-b", "--log", "-", "--json=a=b", "--name", "x.y-1", "--stats",
			   "--best-effort", "--", "true"),
		     0, "%s", err);
	cr_assert(o.batch && o.stats && o.best_effort);
	cr_assert_str_eq(o.log, "-");
	cr_assert_str_eq(o.json, "a=b");
	cr_assert_str_eq(o.name, "x.y-1");
	options_free(&o);
}

Test(options, shorts_can_be_bundled)
{
	struct options o;

	cr_assert_eq(parse(&o, "-bv", "--", "true"), 0, "%s", err);
	cr_assert(o.batch && o.verbose && !o.quiet);
	options_free(&o);
	cr_assert_eq(parse(&o, "--batch", "--quiet", "--", "true"), 0, "%s", err);
	cr_assert(o.batch && o.quiet && !o.verbose);
	options_free(&o);
}

Test(options, policy_options_keep_their_order)
{
	struct options o;

	cr_assert_eq(parse(&o, "--net-allow", "a:1", "--allow-udp", "--net-allow=:80",
			   "--allow-icmp", "--", "true"),
		     0, "%s", err);
	cr_assert_eq(o.policies, 4);
	cr_assert_str_eq(o.policy[0].text, "a:1");
	cr_assert_str_eq(o.policy[1].text, "udp://*:*");
	cr_assert_str_eq(o.policy[1].flag, "--allow-udp");
	cr_assert_eq(o.policy[1].kind, OPTIONS_ALLOW);
	cr_assert_str_eq(o.policy[2].text, ":80");
	cr_assert_str_eq(o.policy[3].text, "icmp://*");
	options_free(&o);
	cr_assert_eq(parse(&o, "--net-deny=", "--", "true"), 0, "%s", err);
	cr_assert_eq(o.policy[0].kind, OPTIONS_DENY);
	cr_assert_str_eq(o.policy[0].text, "");
	options_free(&o);
}

Test(options, of_a_repeated_value_the_last_counts)
{
	struct options o;

	cr_assert_eq(parse(&o, "--log=a", "--log=b", "--", "true"), 0, "%s", err);
	cr_assert_str_eq(o.log, "b");
	options_free(&o);
}

Test(options, help_and_version_need_no_command)
{
	struct options o;

	cr_assert_eq(parse(&o, "-h", "--nonsense"), 0, "%s", err);
	cr_assert(o.help);
	options_free(&o);
	cr_assert_eq(parse(&o, "-bV", "nonsense"), 0, "%s", err);
	cr_assert(o.version);
	options_free(&o);
}

Test(options, an_unknown_option_names_the_nearest)
{
	assert_error("unknown option '--net-alow'; the nearest is --net-allow", "--net-alow", "x");
	assert_error("unknown option '--net-al=1.2.3.4'; the nearest is --net-allow",
		     "--net-al=1.2.3.4");
	assert_error("unknown option '--jsn'; the nearest is --json", "--jsn", "x");
	assert_error("unknown option '--verb'; the nearest is --verbose", "--verb");
	assert_error("unknown option '--\\x1Blog'; the nearest is --log", "--\x1blog");
	assert_error("unknown option '-x' in '-bx'; see sandtop --help", "-bx");
}

Test(options, values_that_are_missing_or_too_many)
{
	assert_error("--log: needs a value: --log FILE", "--log");
	assert_error("--net-allow: needs a value: --net-allow SPEC", "--net-allow", "--", "true");
	assert_error("--log: needs a value: --log FILE", "--log", "--json", "x", "--", "true");
	assert_error("--batch: takes no value, but 'yes' is given", "--batch=yes");
	assert_error("--log: invalid value '': expected a file name, or - for stderr", "--log=");
	assert_error("--metrics-file: invalid value '-': expected a file name", "--metrics-file",
		     "-", "--", "true");
}

Test(options, learning_decides_what_no_rule_matches)
{
	assert_error(
		"--learn and --default are mutually exclusive: while a policy is learned, what "
		"no rule matches is allowed",
		"--learn", "x", "--default", "deny", "--", "true");
	assert_error("--learn and --ask are mutually exclusive: while a policy is learned, what "
		     "no rule matches is allowed",
		     "--ask", "--learn", "x", "--", "true");
	assert_error("--learn and --profile are mutually exclusive: the profile of the run is "
		     "that of --learn",
		     "--learn", "x", "--profile", "p", "--", "true");
	assert_error("--learn and --profile-file are mutually exclusive: the profile of the run "
		     "is that of --learn",
		     "--learn", "x", "--profile-file", "p", "--", "true");
	assert_error("--learn and --no-supervisor are mutually exclusive", "--learn", "x",
		     "--no-supervisor", "--", "true");
	assert_error("--learn and --dump-profile are mutually exclusive", "--learn", "x",
		     "--dump-profile");
	assert_error("--learn: invalid value '-': expected a file name", "--learn", "-", "--",
		     "true");
}

Test(options, a_command_without_dashes_is_not_guessed)
{
	assert_error("unknown sub-command 'curl'; to run it: sandtop -- curl x", "curl", "x");
	assert_error("unexpected 'curl': expected an option, or -- and the command", "-b", "curl");
	assert_error("no command: expected sandtop [OPTIONS] -- CMD [ARG...]", "-b", "--");
	assert_error("no command: expected sandtop [OPTIONS] -- CMD [ARG...]", "-b");
}

Test(options, families_exclude_each_other)
{
	assert_error("--allow-host and --net-deny are mutually exclusive; --rule mixes both, in "
		     "the order in which they apply",
		     "--net-deny", ":1", "--allow-host", "a.example", "--", "true");
	assert_error(
		"--allow-icmp and --preset are mutually exclusive: write all of them as --rule",
		"--allow-icmp", "--preset", "none", "--", "true");
	assert_error("--net-deny and --rule are mutually exclusive: write all of them as --rule",
		     "--rule", "deny :1", "--net-deny", ":2", "--", "true");
	assert_error("--allow-udp and --net-deny are mutually exclusive; --rule mixes both, in the "
		     "order in which they apply",
		     "--allow-udp", "--net-deny", "private", "--", "true");
	assert_error("-v and -q are mutually exclusive", "-q", "-v", "--", "true");
	assert_error("-b and --hold are mutually exclusive: there is no monitor to keep", "--hold",
		     "-b", "--", "true");
}

Test(options, names)
{
	static const char what[] = "expected 1 to 64 of the characters A-Z a-z 0-9 . _ -";
	struct options o;
	char name[66];

	memset(name, 'a', sizeof(name));
	name[65] = '\0';
	cr_assert_eq(parse(&o, "--name", name, "--", "true"), -EINVAL);
	cr_assert_not_null(strstr(err, what), "%s", err);
	name[64] = '\0';
	cr_assert_eq(parse(&o, "--name", name, "--", "true"), 0, "%s", err);
	options_free(&o);
	cr_assert_eq(parse(&o, "--name=", "--", "true"), -EINVAL);
	cr_assert_not_null(strstr(err, what), "%s", err);
	cr_assert_eq(parse(&o, "--name=a/b", "--", "true"), -EINVAL);
	cr_assert_not_null(strstr(err, what), "%s", err);
	assert_error(
		"--name: invalid value 'log': expected a name that is not a verb of sandtop ctl",
		"--name=log", "--", "true");
}

/* The handler of an option alone: also of one that is not in this build yet. */
static int set_value(struct options *o, const char *name, const char *value)
{
	struct parse p = {
		.row = find_long(name, strlen(name)),
		.value = value,
		.out = o,
		.err = err,
		.errsize = sizeof(err),
	};

	return p.row->set(&p);
}

Test(options, numbers)
{
	static const char *const bad_seconds[] = {
		"",      "0", "-1", "1e3", "0x10",       "inf",
		"1.2.3", ".", " 1", "1s",  "1000000001", "0.0001"
	};
	static const char *const bad_counts[] = {
		"", "0", "-1", "1.5", "x", "1000000001", "99999999999999999999"
	};
	struct options o = { .status_fd = -1 };
	size_t i;

	cr_assert_eq(set_value(&o, "--timeout", "2.5"), 0);
	cr_assert_eq(o.timeout_ns, 2500000000);
	cr_assert_eq(set_value(&o, "--timeout", ".1"), 0);
	cr_assert_eq(o.timeout_ns, 100000000);
	cr_assert_eq(set_value(&o, "--max-connections", "64"), 0);
	cr_assert_eq(o.max_connections, 64);
	cr_assert_eq(set_value(&o, "--status-fd", "0"), 0);
	cr_assert_eq(o.status_fd, 0);
	for (i = 0; i < sizeof(bad_seconds) / sizeof(bad_seconds[0]); i++)
		cr_assert_eq(set_value(&o, "--timeout", bad_seconds[i]), -EINVAL, "row %zu", i);
	for (i = 0; i < sizeof(bad_counts) / sizeof(bad_counts[0]); i++)
		cr_assert_eq(set_value(&o, "--max-connections", bad_counts[i]), -EINVAL, "row %zu",
			     i);
	cr_assert_eq(set_value(&o, "--status-fd", "one"), -EINVAL);
	cr_assert_str_eq(err, "--status-fd: invalid value 'one': expected the number of an open "
			      "descriptor");
}

Test(options, kept_descriptors_are_a_list)
{
	int fds[3];
	struct options o = { .keep_fd = fds };

	cr_assert_eq(set_value(&o, "--keep-fd", "5"), 0);
	cr_assert_eq(set_value(&o, "--keep-fd", "x"), -EINVAL);
	cr_assert_eq(set_value(&o, "--keep-fd", "7"), 0);
	cr_assert_eq(o.keep_fds, 2);
	cr_assert_eq(fds[0], 5);
	cr_assert_eq(fds[1], 7);
}

Test(options, a_message_stays_inside_its_buffer)
{
	char word[600];
	const char *words[] = { word, word, NULL };
	struct options o;

	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	cr_assert_eq(parse_words(&o, words), -EINVAL);
	cr_assert_lt(strlen(err), sizeof(err));
	memcpy(word, "--", 2);
	cr_assert_eq(parse_words(&o, words), -EINVAL);
	cr_assert_lt(strlen(err), sizeof(err));
}

Test(options, an_empty_argument_vector_has_no_command)
{
	char *argv[] = { NULL };
	struct options o;

	cr_assert_eq(options_parse(OPTIONS_RUN, 0, argv, &o, err, sizeof(err)), -EINVAL);
	cr_assert_str_eq(err, "no command: expected sandtop [OPTIONS] -- CMD [ARG...]");
}

Test(options, one_profile)
{
	static const char single[] = "expected a single --profile or --profile-file";
	struct options o;

	cr_assert_eq(parse(&o, "--profile", "a.b", "--net-allow", ":1"), 0, "%s", err);
	cr_assert_str_eq(o.profile, "a.b");
	cr_assert_null(o.profile_file);
	cr_assert_null(o.command);
	options_free(&o);
	cr_assert_eq(parse(&o, "--profile-file=/a/b", "--", "true"), 0, "%s", err);
	cr_assert_str_eq(o.profile_file, "/a/b");
	cr_assert_str_eq(o.command[0], "true");
	options_free(&o);
	cr_assert_eq(parse(&o, "--dump-profile"), 0, "%s", err);
	cr_assert(o.dump_profile);
	options_free(&o);

	cr_assert_eq(parse(&o, "--profile", "a", "--profile", "b"), -EINVAL);
	cr_assert_not_null(strstr(err, single), "%s", err);
	cr_assert_eq(parse(&o, "--profile", "a", "--profile-file", "b"), -EINVAL);
	cr_assert_not_null(strstr(err, single), "%s", err);
	cr_assert_eq(parse(&o, "--profile-file", "a", "--profile", "b"), -EINVAL);
	cr_assert_not_null(strstr(err, single), "%s", err);
	assert_error("--profile: invalid value 'a/b': expected a name without /, or --profile-file",
		     "--profile=a/b");
	assert_error("--profile: invalid value '': expected a name without /, or --profile-file",
		     "--profile=");
	assert_error("--profile-file: invalid value '': expected a file name", "--profile-file=");
	assert_error("no command: expected sandtop [OPTIONS] -- CMD [ARG...]", "--profile", "a",
		     "--");
}

Test(options, explain_takes_policy_options_and_endpoints)
{
	struct options o;

	cr_assert_eq(parse_explain(&o, "tcp 1.2.3.4 80", "--net-allow", ":80", "--why", "icmp ::1",
				   "--", "--x"),
		     0, "%s", err);
	cr_assert(o.why);
	cr_assert_eq(o.policies, 1);
	cr_assert_eq(o.operands, 3);
	cr_assert_str_eq(o.operand[0], "tcp 1.2.3.4 80");
	cr_assert_str_eq(o.operand[1], "icmp ::1");
	cr_assert_str_eq(o.operand[2], "--x");
	options_free(&o);
	cr_assert_eq(parse_explain(&o, "--profile", "a"), 0, "%s", err);
	cr_assert_eq(o.operands, 0);
	options_free(&o);

	cr_assert_eq(parse_explain(&o, "--log", "x"), -EINVAL);
	cr_assert_str_eq(err, "--log: not an option of sandtop explain");
	cr_assert_eq(parse_explain(&o, "-b"), -EINVAL);
	cr_assert_str_eq(err, "--batch: not an option of sandtop explain");
	cr_assert_eq(parse_explain(&o, "--net-alow", "x"), -EINVAL);
	cr_assert_str_eq(err, "unknown option '--net-alow'; the nearest is --net-allow");
	assert_error("--why: expected in sandtop explain alone", "--why", "--", "true");
}

/* Whether the text has the option, with its name ending there. */
static bool mentions(const char *text, const char *name)
{
	for (; (text = strstr(text, name)); text++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz-", text[strlen(name)]))
			return true;
	return false;
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	cr_assert_not_null(f, "%s", path);
	cr_assert_gt(getdelim(&text, &size, '\0', f), 0, "%s", path);
	fclose(f);
	return text;
}

Test(options, each_is_in_the_manual_and_in_the_completions)
{
	char *manual = read_file("Documentation/sandtop.1");
	char *bash = read_file("completion/sandtop.bash");
	char *zsh = read_file("completion/_sandtop");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		char item[40];

		/* mdoc: "Fl -log" is --log. */
		snprintf(item, sizeof(item), "%s", rows[i].name + 1);
		cr_expect_eq(mentions(manual, item), !rows[i].absent, "sandtop.1: %s",
			     rows[i].name);
		cr_expect_eq(mentions(bash, rows[i].name), !rows[i].absent, "bash: %s",
			     rows[i].name);
		cr_expect_eq(mentions(zsh, rows[i].name), !rows[i].absent, "zsh: %s", rows[i].name);
	}
	free(manual);
	free(bash);
	free(zsh);
}

static void check_help(enum options_mode mode, const char *present, const char *absent)
{
	char *text, *line, *save;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	cr_assert_not_null(f);
	options_help(mode, f);
	fclose(f);
	cr_assert_not_null(strstr(text, present));
	cr_assert_null(strstr(text, absent));
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		cr_assert_leq(strlen(line), 80, "'%s'", line);
	free(text);
}

Test(options, help_shows_what_this_build_has_within_80_columns)
{
	check_help(OPTIONS_RUN, "--learn FILE", "--why");
	check_help(OPTIONS_RUN, "-b, --batch", "--why");
	check_help(OPTIONS_EXPLAIN, "--why", "--learn");
	check_help(OPTIONS_EXPLAIN, "--profile-file FILE", "--batch");
}

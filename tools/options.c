/* SPDX-License-Identifier: MIT */
#include "tools/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/escape.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum { WORD_MAX = 200 }; /* of what is quoted in a message */

/* The command line, as far as it was read, and the option that is being read. */
struct parse {
	enum options_mode mode;
	char **argv;
	int next; /* index of the first word that was not read */
	const struct option_row *row;
	const char *value; /* NULL if the option takes none */
	struct options *out;
	char *err;
	size_t errsize;
};

/* Which commands take an option: bits of enum options_mode. */
enum {
	RUN = 1 << OPTIONS_RUN,
	EXPLAIN = 1 << OPTIONS_EXPLAIN,
	BOTH = RUN | EXPLAIN,
};

struct option_row {
	const char *name; /* with the two dashes */
	char letter;
	unsigned int modes;
	const char *value; /* what the value is called; NULL if the option takes none */
	const char *help;
	int (*set)(struct parse *p);
	size_t target; /* offset in struct options, for the handlers that store */
	enum options_kind kind;
	const char *spec; /* what a shorthand stands for */
	bool absent;      /* not in this build */
};

static int set_flag(struct parse *p);
static int set_text(struct parse *p);
static int set_file(struct parse *p);
static int set_profile(struct parse *p);
static int set_profile_file(struct parse *p);
static int set_policy(struct parse *p);
static int set_name(struct parse *p);
static int set_seconds(struct parse *p);
static int set_count(struct parse *p);
static int set_fd(struct parse *p);
static int add_fd(struct parse *p);

#define TO(member) .target = offsetof(struct options, member)

static const struct option_row rows[] = {
	{ "--net-allow", 0, BOTH, "SPEC", "permit SPEC (repeatable); all else is denied",
	  set_policy, .kind = OPTIONS_ALLOW },
	{ "--net-deny", 0, BOTH, "SPEC", "refuse SPEC (repeatable); all else is allowed",
	  set_policy, .kind = OPTIONS_DENY },
	{ "--allow-udp", 0, BOTH, NULL, "the same as --net-allow udp://*:*", set_policy,
	  .kind = OPTIONS_ALLOW, .spec = "udp://*:*" },
	{ "--allow-icmp", 0, BOTH, NULL, "the same as --net-allow icmp://*", set_policy,
	  .kind = OPTIONS_ALLOW, .spec = "icmp://*" },
	{ "--rule", 0, BOTH, "RULE", "allow, deny or ask, and SPEC; the first match wins",
	  set_policy, .kind = OPTIONS_RULE },
	{ "--preset", 0, BOTH, "PRESET", "none, allow-all, public-only or non-local", set_policy,
	  .kind = OPTIONS_PRESET },
	{ "--default", 0, BOTH, "VERDICT", "allow, deny or ask: for what no rule matches",
	  set_policy, .kind = OPTIONS_DEFAULT },
	{ "--allow-host", 0, BOTH, "PATTERN", "permit a host, *.suffix, IP or CIDR: every port",
	  set_policy, .kind = OPTIONS_ALLOW_HOST },
	{ "--block-domain", 0, BOTH, "NAME", "never resolve NAME (repeatable)", set_policy,
	  .kind = OPTIONS_BLOCK_DOMAIN },
	{ "--block-suffix", 0, BOTH, ".SUFFIX", "never resolve a name below it (repeatable)",
	  set_policy, .kind = OPTIONS_BLOCK_SUFFIX },
	{ "--resolve", 0, BOTH, "WHICH", "needed, all or none: which names may be resolved",
	  set_policy, .kind = OPTIONS_RESOLVE },
	{ "--net-allow-bind", 0, BOTH, "PORTS", "permit binding these ports, and no others",
	  set_policy, .kind = OPTIONS_ALLOW_BIND },
	{ "--net-deny-bind", 0, BOTH, "PORTS", "refuse binding these ports, and permit all others",
	  set_policy, .kind = OPTIONS_DENY_BIND },
	{ "--profile", 0, BOTH, "NAME", "add the policy of a saved profile", set_profile,
	  .target = 0 },
	{ "--profile-file", 0, BOTH, "FILE", "add the policy of a profile in a file",
	  set_profile_file, .target = 0 },
	{ "--dump-profile", 0, RUN, NULL, "print the whole policy as a profile and exit", set_flag,
	  TO(dump_profile) },
	{ "--batch", 'b', RUN, NULL, "no monitor: the command owns the terminal", set_flag,
	  TO(batch) },
	{ "--monitor", 0, RUN, NULL, "the monitor, on /dev/tty, whatever stdio is", set_flag,
	  TO(monitor) },
	{ "--hold", 0, RUN, NULL, "keep the monitor when the command has ended", set_flag,
	  TO(hold) },
	{ "--no-mouse", 0, RUN, NULL, "leave the mouse to the terminal, to select text", set_flag,
	  TO(no_mouse) },
	{ "--ask", 'a', BOTH, NULL, "the same as --default ask", set_policy,
	  .kind = OPTIONS_DEFAULT, .spec = "ask" },
	{ "--ask-timeout", 0, RUN, "SECONDS", "how long a question waits for an answer (60)",
	  set_seconds, TO(ask_timeout_ns) },
	{ "--log", 0, RUN, "FILE", "append decisions as text, - is stderr", set_text, TO(log) },
	{ "--json", 0, RUN, "FILE", "append events as JSON lines, - is stderr", set_text,
	  TO(json) },
	{ "--verbose", 'v', RUN, NULL, "print every decision, not each denied flow once", set_flag,
	  TO(verbose) },
	{ "--quiet", 'q', RUN, NULL, "print no decision", set_flag, TO(quiet) },
	{ "--stats", 0, RUN, NULL, "print counters and latencies at the end", set_flag, TO(stats) },
	{ "--status-fd", 0, RUN, "N", "write how the run ended to descriptor N, as JSON", set_fd,
	  TO(status_fd) },
	{ "--metrics-file", 0, RUN, "FILE", "keep figures for Prometheus in this file", set_file,
	  TO(metrics_file) },
	{ "--learn", 0, RUN, "FILE", "allow what no rule matches, and write what it was", set_file,
	  TO(learn) },
	{ "--name", 0, RUN, "NAME", "what the sandbox is called (default: CMD-PID)", set_name,
	  TO(name) },
	{ "--no-supervisor", 0, RUN, NULL, "Landlock only", set_flag, TO(no_supervisor) },
	{ "--best-effort", 0, RUN, NULL, "start even when the kernel lacks a protection", set_flag,
	  TO(best_effort) },
	{ "--max-connections", 0, BOTH, "N", "refuse a new TCP connection while N are open",
	  set_count, TO(max_connections) },
	{ "--timeout", 0, RUN, "SECONDS", "end the run after that long, with status 124",
	  set_seconds, TO(timeout_ns) },
	{ "--keep-fd", 0, RUN, "N", "let the command inherit descriptor N (repeatable)", add_fd,
	  .target = 0 },
	{ "--linger", 0, RUN, NULL, "stay until the last task ends", set_flag, TO(linger) },
	{ "--why", 0, EXPLAIN, NULL, "tell how each rule fares, and what would flip it", set_flag,
	  TO(why) },
	{ "--help", 'h', BOTH, NULL, "show this text", set_flag, TO(help) },
	{ "--version", 'V', RUN, NULL, "show the version", set_flag, TO(version) },
};

/* A sandbox of this name could not be told from a verb of `sandtop ctl`. */
static const char *const ctl_verbs[] = { "policy", "reload", "allow",   "deny",   "undo",
					 "flows",  "held",   "answer",  "why",    "log",
					 "save",   "shut",   "metrics", "reopen", "kill" };

static bool is_ctl_verb(const char *word)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ctl_verbs); i++)
		if (!strcmp(word, ctl_verbs[i]))
			return true;
	return false;
}

__attribute__((format(printf, 2, 3))) static int fail(struct parse *p, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(p->err, p->errsize, format, ap);
	va_end(ap);
	return -EINVAL;
}

static int expected(struct parse *p, const char *what)
{
	char word[WORD_MAX];

	escape_text(p->value, word, sizeof(word));
	return fail(p, "%s: invalid value '%s': expected %s", p->row->name, word, what);
}

static void *target(struct parse *p)
{
	return (char *)p->out + p->row->target;
}

static int set_flag(struct parse *p)
{
	*(bool *)target(p) = true;
	return 0;
}

static int set_text(struct parse *p)
{
	if (!*p->value)
		return expected(p, "a file name, or - for stderr");
	*(const char **)target(p) = p->value;
	return 0;
}

static int set_file(struct parse *p)
{
	if (!*p->value || !strcmp(p->value, "-"))
		return expected(p, "a file name");
	*(const char **)target(p) = p->value;
	return 0;
}

/* Of two profiles neither could come first. */
static bool has_profile(const struct options *o)
{
	return o->profile || o->profile_file;
}

static int set_profile(struct parse *p)
{
	if (has_profile(p->out))
		return expected(p, "a single --profile or --profile-file");
	if (!*p->value || strchr(p->value, '/'))
		return expected(p, "a name without /, or --profile-file");
	p->out->profile = p->value;
	return 0;
}

static int set_profile_file(struct parse *p)
{
	if (has_profile(p->out))
		return expected(p, "a single --profile or --profile-file");
	if (!*p->value)
		return expected(p, "a file name");
	p->out->profile_file = p->value;
	return 0;
}

static int set_name(struct parse *p)
{
	static const char set[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t len = strlen(p->value);

	if (len < 1 || len > 64 || strspn(p->value, set) != len)
		return expected(p, "1 to 64 of the characters A-Z a-z 0-9 . _ -");
	if (is_ctl_verb(p->value))
		return expected(p, "a name that is not a verb of sandtop ctl");
	*(const char **)target(p) = p->value;
	return 0;
}

/* A decimal number, digits only. Returns it, or -1. */
static long parse_number(const char *s, long max)
{
	long n = 0;

	if (!*s)
		return -1;
	for (; *s >= '0' && *s <= '9'; s++) {
		n = n * 10 + (*s - '0');
		if (n > max)
			return -1;
	}
	return *s ? -1 : n;
}

static int set_count(struct parse *p)
{
	long n = parse_number(p->value, 1000000000);

	if (n < 1)
		return expected(p, "a number from 1 to 1000000000");
	*(unsigned int *)target(p) = (unsigned int)n;
	return 0;
}

static int parse_fd(struct parse *p, int *fd)
{
	long n = parse_number(p->value, 1000000000);

	if (n < 0)
		return expected(p, "the number of an open descriptor");
	*fd = (int)n;
	return 0;
}

static int set_fd(struct parse *p)
{
	return parse_fd(p, target(p));
}

static int add_fd(struct parse *p)
{
	int ret = parse_fd(p, &p->out->keep_fd[p->out->keep_fds]);

	if (ret == 0)
		p->out->keep_fds++;
	return ret;
}

static int set_seconds(struct parse *p)
{
	static const char what[] = "seconds, such as 90 or 2.5, from 0.001 to 1000000000";
	const char *s = p->value;
	double seconds;
	char *end;

	/* strtod(3) alone would take signs, blanks, exponents, hexadecimal numbers and "inf". */
	if (s[strspn(s, "0123456789.")] != '\0')
		return expected(p, what);
	seconds = strtod(s, &end);
	if (end == s || *end || seconds < 0.001 || seconds > 1e9)
		return expected(p, what);
	*(uint64_t *)target(p) = (uint64_t)(seconds * 1e9 + 0.5);
	return 0;
}

static int set_policy(struct parse *p)
{
	struct options *o = p->out;

	o->policy[o->policies++] = (struct options_policy){
		.kind = p->row->kind,
		.flag = p->row->name,
		.text = p->row->spec ? p->row->spec : p->value,
	};
	return 0;
}

/* How many single characters to edit to get from `a` (la bytes) to `b`: Levenshtein, row by row. */
static unsigned int edit_distance(const char *a, size_t la, const char *b)
{
	enum { LONGEST = 40 };
	unsigned int row[LONGEST + 1], diagonal, above;
	size_t lb = strlen(b), i, j;

	if (la > LONGEST)
		la = LONGEST;
	for (i = 0; i <= la; i++)
		row[i] = (unsigned int)i;
	for (j = 1; j <= lb; j++) {
		diagonal = row[0];
		row[0] = (unsigned int)j;
		for (i = 1; i <= la; i++) {
			above = row[i];
			row[i] = diagonal + (a[i - 1] != b[j - 1]);
			if (row[i] > above + 1)
				row[i] = above + 1;
			if (row[i] > row[i - 1] + 1)
				row[i] = row[i - 1] + 1;
			diagonal = above;
		}
	}
	return row[la];
}

static bool is_known(const struct parse *p, const struct option_row *row)
{
	return row->modes & 1u << p->mode;
}

/* The option that was most likely meant: one that begins so, else the fewest edits away. */
static const char *nearest(const struct parse *p, const char *word, size_t len)
{
	unsigned int distance, best = UINT32_MAX;
	const char *name = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!is_known(p, &rows[i]))
			continue;
		if (!strncmp(rows[i].name, word, len))
			return rows[i].name;
		distance = edit_distance(word, len, rows[i].name);
		if (distance < best) {
			best = distance;
			name = rows[i].name;
		}
	}
	return name;
}

static const struct option_row *find_long(const char *word, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (strlen(rows[i].name) == len && !strncmp(rows[i].name, word, len))
			return &rows[i];
	return NULL;
}

static const struct option_row *find_short(char letter)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].letter == letter)
			return &rows[i];
	return NULL;
}

/* Act on p->row. `attached` is what followed "=", or NULL. */
static int option_apply(struct parse *p, const char *attached)
{
	const struct option_row *row = p->row;
	char word[WORD_MAX];

	if (!is_known(p, row))
		return fail(p,
			    p->mode == OPTIONS_RUN ? "%s: expected in sandtop explain alone"
						   : "%s: not an option of sandtop explain",
			    row->name);
	if (row->absent)
		return fail(p, "%s: not in this build", row->name);
	if (!row->value && attached) {
		escape_text(attached, word, sizeof(word));
		return fail(p, "%s: takes no value, but '%s' is given", row->name, word);
	}
	p->value = attached;
	if (row->value && !attached) {
		p->value = p->argv[p->next];
		/* "--log --json x" lacks a value; one that does begin so is written after "=". */
		if (!p->value || !strncmp(p->value, "--", 2))
			return fail(p, "%s: needs a value: %s %s", row->name, row->name,
				    row->value);
		p->next++;
	}
	return row->set(p);
}

static int parse_long(struct parse *p, const char *word)
{
	size_t len = strcspn(word, "=");
	char text[WORD_MAX];

	p->row = find_long(word, len);
	if (!p->row) {
		escape_text(word, text, sizeof(text));
		return fail(p, "unknown option '%s'; the nearest is %s", text,
			    nearest(p, word, len));
	}
	return option_apply(p, word[len] == '=' ? word + len + 1 : NULL);
}

static int parse_shorts(struct parse *p, const char *letters)
{
	char text[WORD_MAX];
	int ret = 0;

	for (; *letters && ret == 0 && !p->out->help && !p->out->version; letters++) {
		p->row = find_short(*letters);
		if (!p->row) {
			escape_text(p->argv[p->next - 1], text, sizeof(text));
			return fail(p, "unknown option '-%.1s' in '%s'; see sandtop --help",
				    *letters > ' ' && *letters <= '~' ? letters : "?", text);
		}
		ret = option_apply(p, NULL);
	}
	return ret;
}

/* A word that is no option, and no sub-command that the caller knows, stands before "--". */
static int parse_word(struct parse *p, const char *word)
{
	char text[WORD_MAX], command[2 * WORD_MAX] = "";
	size_t len = 0;
	char **arg;

	escape_text(word, text, sizeof(text));
	if (p->next > 2)
		return fail(p, "unexpected '%s': expected an option, or -- and the command", text);
	for (arg = p->argv + p->next - 1; *arg && len + 8 < sizeof(command); arg++) {
		command[len++] = ' ';
		len += escape_text(*arg, command + len, sizeof(command) - len);
	}
	return fail(p, "unknown sub-command '%s'; to run it: sandtop --%s", text, command);
}

/* The flag of the first policy option of this kind, or NULL. */
static const char *first_of(const struct options *o, enum options_kind kind)
{
	size_t i;

	for (i = 0; i < o->policies; i++)
		if (o->policy[i].kind == kind)
			return o->policy[i].flag;
	return NULL;
}

/* What does not go with --learn. */
static int check_learning(struct parse *p)
{
	const struct options *o = p->out;
	const char *fallback = first_of(o, OPTIONS_DEFAULT);

	if (fallback)
		return fail(
			p,
			"--learn and %s are mutually exclusive: while a policy is learned, what "
			"no rule matches is allowed",
			fallback);
	if (has_profile(o))
		return fail(p,
			    "--learn and %s are mutually exclusive: the profile of the run is that "
			    "of --learn",
			    o->profile ? "--profile" : "--profile-file");
	if (o->dump_profile || o->no_supervisor)
		return fail(p, "--learn and %s are mutually exclusive",
			    o->dump_profile ? "--dump-profile" : "--no-supervisor");
	return 0;
}

/* The three ways to write a policy, each by the option that was used. */
static int check_family(struct parse *p)
{
	const struct options *o = p->out;
	const char *allow = first_of(o, OPTIONS_ALLOW), *deny = first_of(o, OPTIONS_DENY);
	const char *host = first_of(o, OPTIONS_ALLOW_HOST), *rule = first_of(o, OPTIONS_RULE);

	/* With rules --allow-host is one of them. */
	if (!allow && deny)
		allow = host;
	if (!rule)
		rule = first_of(o, OPTIONS_PRESET);
	if (allow && deny)
		return fail(p,
			    "%s and %s are mutually exclusive; --rule mixes both, in the order "
			    "in which they apply",
			    allow, deny);
	if ((allow || deny) && rule)
		return fail(p, "%s and %s are mutually exclusive: write all of them as --rule",
			    allow ? allow : deny, rule);
	return 0;
}

/* What holds between options. */
static int check_options(struct parse *p)
{
	const struct options *o = p->out;

	if (check_family(p))
		return -EINVAL;
	if (first_of(o, OPTIONS_ALLOW_BIND) && first_of(o, OPTIONS_DENY_BIND))
		return fail(p, "--net-allow-bind and --net-deny-bind are mutually exclusive");
	if (o->learn && check_learning(p))
		return -EINVAL;
	if (o->verbose && o->quiet)
		return fail(p, "-v and -q are mutually exclusive");
	if (o->batch && o->monitor)
		return fail(p, "-b and --monitor are mutually exclusive");
	if (o->batch && o->hold)
		return fail(p, "-b and --hold are mutually exclusive: there is no monitor to keep");
	if (p->mode == OPTIONS_EXPLAIN || o->dump_profile)
		return 0;
	if (o->command ? !o->command[0] : !has_profile(o) && !o->learn)
		return fail(p, "no command: expected sandtop [OPTIONS] -- CMD [ARG...]");
	return 0;
}

/* Everything behind "--". */
static void parse_rest(struct parse *p)
{
	if (p->mode == OPTIONS_RUN)
		p->out->command = p->argv + p->next;
	else
		while (p->argv[p->next])
			p->out->operand[p->out->operands++] = p->argv[p->next++];
}

static int parse_all(struct parse *p)
{
	const char *word;
	int ret = 0;

	while (ret == 0 && !p->out->help && !p->out->version) {
		word = p->argv[p->next];
		if (!word)
			break;
		p->next++;
		if (!strcmp(word, "--")) {
			parse_rest(p);
			break;
		}
		if (!strncmp(word, "--", 2))
			ret = parse_long(p, word);
		else if (word[0] == '-' && word[1])
			ret = parse_shorts(p, word + 1);
		else if (p->mode == OPTIONS_EXPLAIN)
			p->out->operand[p->out->operands++] = word;
		else
			ret = parse_word(p, word);
	}
	if (ret < 0 || p->out->help || p->out->version)
		return ret;
	return check_options(p);
}

int options_parse(enum options_mode mode, int argc, char **argv, struct options *out, char *err,
		  size_t errsize)
{
	struct options o = { .status_fd = -1 };
	/* An empty argv (execve(2)) has not even the name of the program. */
	struct parse p = {
		.mode = mode,
		.argv = argv,
		.next = argc > 0,
		.out = &o,
		.err = err,
		.errsize = errsize,
	};
	int ret;

	/* No option takes part twice, so there are fewer of each than words. */
	o.policy = calloc((size_t)argc + 1, sizeof(*o.policy));
	o.keep_fd = calloc((size_t)argc + 1, sizeof(*o.keep_fd));
	o.operand = calloc((size_t)argc + 1, sizeof(*o.operand));
	if (!o.policy || !o.keep_fd || !o.operand) {
		fail(&p, "out of memory");
		ret = -ENOMEM;
	} else {
		ret = parse_all(&p);
	}
	if (ret < 0)
		options_free(&o);
	else
		*out = o;
	return ret;
}

void options_set_ask(struct options *o)
{
	/* There is room for one more than there were arguments. */
	o->policy[o->policies++] = (struct options_policy){
		.kind = OPTIONS_DEFAULT,
		.flag = "--ask",
		.text = "ask",
	};
}

void options_free(struct options *o)
{
	free(o->policy);
	free(o->keep_fd);
	free(o->operand);
}

static void print_options(enum options_mode mode, FILE *f)
{
	const struct option_row *row;
	char text[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		row = &rows[i];
		if (row->absent || !(row->modes & 1u << mode))
			continue;
		snprintf(text, sizeof(text), "%c%c%c %s %s", row->letter ? '-' : ' ',
			 row->letter ? row->letter : ' ', row->letter ? ',' : ' ', row->name,
			 row->value ? row->value : "");
		fprintf(f, "  %-26s %s\n", text, row->help);
	}
}

static const char *const head[] = {
	[OPTIONS_RUN] = "Usage: sandtop [OPTIONS] -- CMD [ARG...]\n"
			"       sandtop explain [POLICY OPTIONS] [ENDPOINT...]\n"
			"       sandtop profile list|show|check\n"
			"       sandtop check [--plan]\n"
			"       sandtop ps [--json]\n"
			"       sandtop attach [--no-mouse] [NAME|PID]\n"
			"       sandtop ctl [NAME|PID] VERB [ARG...]\n"
			"Run CMD under a network policy and show every decision.\n\n",
	[OPTIONS_EXPLAIN] =
		"Usage: sandtop explain [POLICY OPTIONS] [ENDPOINT...]\n"
		"Say what a policy answers to each ENDPOINT, or to each line of stdin:\n"
		"'tcp 1.2.3.4 443', 'in udp :: 53', tcp://[::1]:443, 'icmp 1.2.3.4',\n"
		"'unix /PATH', 'dns NAME'.\n\n",
};

static const char *const foot[] = {
	[OPTIONS_RUN] =
		"\nSPEC is [tcp://|udp://|icmp://|any://]HOST[:PORTS]; without a scheme it is "
		"tcp.\n"
		"A UNIX socket of the host is unix:/PATH or unix:@NAME, with * for a beginning.\n"
		"A policy is made of --net-allow, of --net-deny, or of --rule and --preset,\n"
		"each repeatable but --preset. Of other options the last one counts.\n"
		"Exit status: that of CMD; 2 if the command line is wrong, 125 if the host or\n"
		"the run fails, 126 and 127 as in a shell.\n",
	[OPTIONS_EXPLAIN] =
		"\nAn answer is VERDICT, PROTO, ADDR, PORT, RULE_INDEX and RULE, between tabs.\n"
		"Exit status: 1 if an ENDPOINT did not parse, 2 if the command line is wrong.\n",
};

void options_help(enum options_mode mode, FILE *f)
{
	fputs(head[mode], f);
	print_options(mode, f);
	fputs(foot[mode], f);
}

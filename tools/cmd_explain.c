/* SPDX-License-Identifier: MIT */
/*
 * sandtop explain: what a policy says to endpoints, without running anything.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/escape.h"
#include "core/locate.h"
#include "policy/explain.h"
#include "tools/cmd.h"
#include "tools/make_policy.h"
#include "tools/sinkhole.h"

/* What is asked, and what came of it. */
struct explainer {
	const struct policy *policy;
	bool why;
	bool wrong; /* an endpoint did not parse */
};

/*
 * Print a line, or several, with every field made safe for a terminal. Returns 0, or -ENOMEM with
 * nothing printed.
 */
static int print_fields(const char *text)
{
	size_t size = 4 * strlen(text) + 4; /* no character grows to more, see core/escape.h */
	char *safe = malloc(size);
	char *copy = strdup(text);
	char *field = copy;
	int ret = safe && copy ? 0 : -ENOMEM;

	while (!ret && *field) {
		size_t n = strcspn(field, "\t\n");
		char end = field[n];

		field[n] = '\0';
		escape_text(field, safe, size);
		fputs(safe, stdout);
		if (!end)
			break;
		putchar(end);
		field += n + 1;
	}
	free(copy);
	free(safe);
	return ret;
}

/* Say what is wrong with a line. Returns 0 or -errno. */
static int refuse(struct explainer *x, const char *why)
{
	int ret;

	x->wrong = true;
	fputs("error\t", stdout);
	ret = print_fields(why);
	putchar('\n');
	return fflush(stdout) ? -errno : ret;
}

/* Answer one line, which is cut up in the course of it. Returns 0 or -errno. */
static int explain(struct explainer *x, char *line)
{
	struct policy_error err = { "" };
	struct endpoint e;
	char name[DOMAIN_TEXT_MAX];
	char *answer, *real = NULL;
	int ret = explain_parse(line, name, &e, &err);

	if (ret <= 0)
		return ret ? refuse(x, err.text) : 0;
	if (e.proto == PROTO_UNIX && *e.name == '/') {
		/* As the supervisor judges it: by where it really is. */
		if (locate_path(e.name, false, &real))
			return -ENOMEM;
		e.name = real;
	}
	answer = x->why ? explain_why(x->policy, NULL, &e) : explain_answer(x->policy, NULL, &e);
	ret = answer ? print_fields(answer) : -ENOMEM;
	/* explain_why() ends its last line itself. */
	if (!x->why)
		putchar('\n');
	free(answer);
	free(real);
	return fflush(stdout) ? -errno : ret;
}

/* Each line of stdin is answered before the next one is read. Returns 0 or -errno. */
static int explain_stdin(struct explainer *x)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int ret = 0;

	while (!ret && (n = getline(&line, &size, stdin)) >= 0)
		ret = strlen(line) == (size_t)n ? explain(x, line)
						: refuse(x, "a line with NUL: expected none");
	if (!ret && ferror(stdin))
		ret = -errno;
	free(line);
	return ret;
}

/* Whether the word begins an endpoint and does not have all of it: `tcp`, not `tcp://1.1.1.1:80`.
 */
static bool is_bare(const char *word)
{
	static const char *const words[] = { "in", "tcp", "udp", "icmp", "unix", "dns" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(word, words[i]))
			return true;
	return false;
}

/* The operands as one line, to be freed; NULL for want of memory. */
static char *join(const char *const operand[], size_t n)
{
	size_t size = 1;
	char *line, *end;

	for (size_t i = 0; i < n; i++)
		size += strlen(operand[i]) + 1;
	line = end = malloc(size);
	if (!line)
		return NULL;
	for (size_t i = 0; i < n; i++)
		end = stpcpy(stpcpy(end, operand[i]), " ");
	return line;
}

/*
 * Each operand is an endpoint; those of `sandtop explain tcp 1.1.1.1 443` are one. Returns 0 or
 * -errno.
 */
static int explain_operands(struct explainer *x, const struct options *o)
{
	size_t step = is_bare(o->operand[0]) ? o->operands : 1;
	int ret = 0;

	for (size_t i = 0; !ret && i < o->operands; i += step) {
		char *line = join(o->operand + i, step);

		ret = line ? explain(x, line) : -ENOMEM;
		free(line);
	}
	return ret;
}

static int explain_all(const struct options *o, const struct policy *policy)
{
	struct explainer x = { .policy = policy, .why = o->why };
	int ret = o->operands ? explain_operands(&x, o) : explain_stdin(&x);

	if (ret)
		complain("explain: cannot go on: %s", strerror(-ret));
	return ret || x.wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* A resolve_unknown_fn: only the sinkhole of a run can tell what the name stands for. */
static void say_unknown(const char *host, const char *why)
{
	complain("warning: failed to resolve '%s': %s: its rule waits for answers", host, why);
}

static int explain_options(const struct options *o)
{
	struct profile_file f = { 0 };
	struct sinkhole sinkhole = { 0 };
	struct policy *policy = NULL;
	struct draft *d = NULL;
	int status = profile_file_of(o, &f);

	if (!status)
		status = make_draft(o, &f, &d);
	/* Whether this host permits one is part of the answer. */
	if (!status)
		status = sinkhole_open(&sinkhole, d);
	sinkhole_close(&sinkhole);
	if (!status)
		status = make_policy(d, say_unknown, &policy);
	if (!status)
		status = explain_all(o, policy);
	policy_free(policy);
	draft_free(d);
	profile_file_free(&f);
	/* There is no run that the host could have failed. */
	return status == EXIT_HOST ? EXIT_FAILURE : status;
}

int cmd_explain(int argc, char **argv)
{
	struct options o;
	char err[1024];
	int status = EXIT_SUCCESS;

	if (options_parse(OPTIONS_EXPLAIN, argc, argv, &o, err, sizeof(err))) {
		complain("explain: %s", err);
		return EXIT_USAGE;
	}
	if (o.help)
		options_help(OPTIONS_EXPLAIN, stdout);
	else
		status = explain_options(&o);
	options_free(&o);
	return status;
}

/* SPDX-License-Identifier: MIT */
/*
 * The command lines with policy options: sandtop [OPTIONS] -- CMD [ARG...] and
 * sandtop explain [POLICY OPTIONS] [ENDPOINT...].
 */
#ifndef SANDTOP_TOOLS_OPTIONS_H
#define SANDTOP_TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum options_mode { OPTIONS_RUN, OPTIONS_EXPLAIN };

enum options_kind {
	OPTIONS_ALLOW, /* --net-allow, --allow-udp, --allow-icmp */
	OPTIONS_DENY,
	OPTIONS_ALLOW_BIND,
	OPTIONS_DENY_BIND,
	OPTIONS_RULE,
	OPTIONS_PRESET,
	OPTIONS_DEFAULT,
	OPTIONS_ALLOW_HOST,
	OPTIONS_BLOCK_DOMAIN,
	OPTIONS_BLOCK_SUFFIX,
	OPTIONS_RESOLVE,
};

struct options_policy {
	enum options_kind kind;
	const char *flag; /* as it is spelled, "--net-allow", for messages */
	const char *text; /* its spec or ports */
};

/* All texts are borrowed from argv. Of a repeated option that takes one value the last one counts.
 */
struct options {
	bool help, version; /* either one ends parsing: nothing after it was read */
	bool batch, monitor;
	bool hold;
	bool no_mouse;
	bool verbose, quiet;
	bool stats;
	bool best_effort;
	bool no_supervisor;
	bool linger;
	bool dump_profile;
	bool why;                     /* sandtop explain --why */
	const char *profile;          /* the name of a saved one; NULL = none */
	const char *profile_file;     /* or a file name; never both */
	const char *log;              /* file name, "-" = stderr, NULL = none */
	const char *json;             /* the same */
	const char *metrics_file;     /* file name, NULL = none */
	const char *learn;            /* the same */
	const char *name;             /* NULL = CMD-PID */
	uint64_t timeout_ns;          /* 0 = none */
	uint64_t ask_timeout_ns;      /* 0 = as it comes */
	unsigned int max_connections; /* 0 = no limit */
	int status_fd;                /* -1 = none */

	struct options_policy *policy; /* in command-line order */
	size_t policies;
	int *keep_fd;
	size_t keep_fds;

	char **command; /* what follows "--": ends in NULL, at least one word. NULL without "--" */
	const char **operand; /* of sandtop explain: the endpoints */
	size_t operands;
};

/*
 * Read the command line of a mode; argv[0] is skipped. A run without a command is an error unless
 * there is a profile, which may have one, or the profile is to be dumped.
 *
 * Returns 0 with *out filled, to be released with options_free(); -EINVAL or -ENOMEM with one line
 * in `err` that quotes what was written and says what was expected, *out then needs no release.
 */
int options_parse(enum options_mode mode, int argc, char **argv, struct options *out, char *err,
		  size_t errsize);
void options_free(struct options *o);

/* As if --ask had been given, where no option of a policy was. */
void options_set_ask(struct options *o);

/* The usage text of a mode, with every option of this build. */
void options_help(enum options_mode mode, FILE *f);

#endif

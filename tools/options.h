/* SPDX-License-Identifier: MIT */
/*
 * The command line: sandtop [OPTIONS] -- CMD [ARG...]. Sub-commands are not known here.
 */
#ifndef SANDTOP_TOOLS_OPTIONS_H
#define SANDTOP_TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum options_kind {
	OPTIONS_ALLOW, /* --net-allow, --allow-udp, --allow-icmp */
	OPTIONS_DENY,
	OPTIONS_ALLOW_BIND,
	OPTIONS_DENY_BIND,
	OPTIONS_RULE,
	OPTIONS_PRESET,
	OPTIONS_DEFAULT,
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
	bool batch;
	bool verbose, quiet;
	bool stats;
	bool best_effort;
	bool no_supervisor;
	bool linger;
	const char *log;              /* file name, "-" = stderr, NULL = none */
	const char *json;             /* the same */
	const char *name;             /* NULL = CMD-PID */
	uint64_t timeout_ns;          /* 0 = none */
	unsigned int max_connections; /* 0 = no limit */
	int status_fd;                /* -1 = none */

	struct options_policy *policy; /* in command-line order */
	size_t policies;
	int *keep_fd;
	size_t keep_fds;

	char **command; /* what follows "--": ends in NULL, at least one word */
};

/*
 * Read the command line. Returns 0 with *out filled, to be released with
 * options_free(); -EINVAL or -ENOMEM with one line in `err` that quotes what was
 * written and says what was expected, *out then needs no release.
 */
int options_parse(int argc, char **argv, struct options *out, char *err, size_t errsize);
void options_free(struct options *o);

/* The usage text of every option of this build. */
void options_help(FILE *f);

#endif

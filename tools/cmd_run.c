/* SPDX-License-Identifier: MIT */
/*
 * sandtop [OPTIONS] -- CMD [ARG...]: from the options to a running supervisor.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/host.h"
#include "core/landlock.h"
#include "core/plan.h"
#include "policy/policy.h"
#include "tools/cmd.h"
#include "tools/guardian.h"
#include "tools/options.h"

#define SANDTOP_VERSION "0.1"

extern char **environ;

static int add_default(struct draft *d, const char *text, struct policy_error *err)
{
	for (enum verdict v = VERDICT_DENY; v <= VERDICT_ASK; v++)
		if (strcmp(text, verdict_name(v)) == 0)
			return draft_default(d, v, err);
	snprintf(err->text, sizeof(err->text),
		 "invalid value '%.100s': expected allow, deny or ask", text);
	return -EINVAL;
}

static int add_option(struct draft *d, const struct options_policy *o, struct policy_error *err)
{
	switch (o->kind) {
	case OPTIONS_ALLOW:
		return draft_allow(d, o->text, err);
	case OPTIONS_DENY:
		return draft_deny(d, o->text, err);
	case OPTIONS_ALLOW_BIND:
		return draft_allow_bind(d, o->text, err);
	case OPTIONS_DENY_BIND:
		return draft_deny_bind(d, o->text, err);
	case OPTIONS_RULE:
		return draft_rule(d, o->text, err);
	case OPTIONS_PRESET:
		return draft_preset(d, o->text, err);
	case OPTIONS_DEFAULT:
		return add_default(d, o->text, err);
	}
	return -EINVAL;
}

static int add_this_host(void *arg, struct addr addr)
{
	return draft_this_host_add(arg, addr);
}

static int add_nameserver(void *arg, struct addr addr)
{
	return draft_nameserver_add(arg, addr);
}

struct host_of_draft {
	struct draft *draft;
	size_t index;
};

static int add_host_address(void *arg, struct addr addr)
{
	struct host_of_draft *h = arg;

	return draft_host_add(h->draft, h->index, addr);
}

/* Returns 0 or an exit status, with the user told. */
static int resolve_hosts(struct draft *d)
{
	for (size_t i = 0; i < draft_hosts(d); i++) {
		struct host_of_draft h = { .draft = d, .index = i };
		const char *why = "out of memory";

		if (host_resolve(draft_host(d, i), add_host_address, &h, &why)) {
			complain("failed to resolve '%s': %s", draft_host(d, i), why);
			return EXIT_HOST;
		}
	}
	return 0;
}

/* Returns 0 with *out set, or an exit status, with the user told. */
static int make_policy(const struct options *o, struct policy **out)
{
	struct draft *d = draft_new();
	struct policy_error err;
	int status = EXIT_HOST;

	if (!d)
		goto out_of_memory;
	for (size_t i = 0; i < o->policies; i++) {
		int ret = add_option(d, &o->policy[i], &err);

		if (ret == -ENOMEM)
			goto out_of_memory;
		if (ret) {
			complain("%s: %s", o->policy[i].flag, err.text);
			status = EXIT_USAGE;
			goto out;
		}
	}
	status = resolve_hosts(d);
	if (status)
		goto out;
	status = EXIT_HOST;
	/* Without an answer @this-host would silently mean nothing. */
	if (host_addresses(add_this_host, d)) {
		complain("cannot list the addresses of this machine");
		goto out;
	}
	if (host_nameservers(add_nameserver, d) || policy_compile(d, out))
		goto out_of_memory;
	draft_free(d);
	return 0;

out_of_memory:
	complain("out of memory");
out:
	draft_free(d);
	return status;
}

/* Returns a descriptor, -1 if the option was not given, or -2 with the user told. */
static int open_log(const char *flag, const char *path)
{
	int fd;

	if (!path)
		return -1;
	if (strcmp(path, "-") == 0)
		fd = fcntl(2, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd >= 0)
		return fd;
	complain("%s: cannot write '%s': %s", flag, path, strerror(errno));
	return -2;
}

/* "CMD-PID", with what a name may not contain replaced. */
static void default_name(const char *cmd, char out[static 65])
{
	const char *base = strrchr(cmd, '/');

	snprintf(out, 65, "%.50s-%d", base ? base + 1 : cmd, getpid());
	for (char *c = out; *c; c++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-",
			    *c))
			*c = '_';
}

/* Returns the ruleset, -1 for none, or -2 with the user told. */
static int make_landlock(bool best_effort)
{
	int abi = landlock_abi();
	unsigned gaps = landlock_gaps(abi);
	int fd;

	if (gaps) {
		complain("%s: this kernel's Landlock lacks %s%s%s (see sandtop check)",
			 best_effort ? "--best-effort" : "cannot start without --best-effort",
			 gaps & LANDLOCK_GAP_TCP ? "TCP rules" : "",
			 (gaps & LANDLOCK_GAP_TCP) && (gaps & LANDLOCK_GAP_SCOPE) ? " and " : "",
			 gaps & LANDLOCK_GAP_SCOPE ? "scopes for signals and abstract sockets"
						   : "");
		if (!best_effort)
			return -2;
	}
	fd = landlock_prepare(abi);
	if (fd >= 0)
		return fd;
	if (fd == -EOPNOTSUPP)
		return -1;
	complain("cannot make the Landlock ruleset: %s", strerror(-fd));
	return -2;
}

/* Returns 0 or an exit status, with the user told. */
static int check_descriptors(const struct options *o)
{
	if (o->status_fd >= 0 && fcntl(o->status_fd, F_GETFD) < 0) {
		complain("--status-fd: '%d': expected an open descriptor", o->status_fd);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < o->keep_fds; i++) {
		struct stat st;

		if (fstat(o->keep_fd[i], &st)) {
			complain("--keep-fd: '%d': expected an open descriptor", o->keep_fd[i]);
			return EXIT_USAGE;
		}
		/* It would be connected, or bound, as nobody here decided. */
		if (S_ISSOCK(st.st_mode)) {
			complain("--keep-fd: '%d' is a socket: expected a file or a pipe",
				 o->keep_fd[i]);
			return EXIT_USAGE;
		}
	}
	return 0;
}

/* Returns an exit status. */
static int run(const struct options *o, const struct policy *policy)
{
	struct supervisor_config config = {
		.policy = policy,
		.name = o->name,
		.max_connections = o->max_connections,
		.stats = o->stats,
		.linger = o->linger,
		.timeout = o->timeout_ns,
		.report = { .verbose = o->verbose, .quiet = o->quiet },
		.launch = {
			.argv = o->command,
			.listen = true,
			.keep_fd = o->keep_fd,
			.nkeep = o->keep_fds,
		},
	};
	struct plan_program filter;
	char name[65];
	int ret;

	if (!config.name) {
		default_name(o->command[0], name);
		config.name = name;
	}
	config.report.log_fd = open_log("--log", o->log);
	config.report.json_fd = open_log("--json", o->json);
	config.launch.landlock = make_landlock(o->best_effort);
	if (config.report.log_fd == -2 || config.report.json_fd == -2 ||
	    config.launch.landlock == -2)
		return EXIT_HOST;
	ret = plan_build(PLAN_SUPERVISED, &filter);
	if (ret) {
		complain("cannot build the seccomp filter: %s", strerror(-ret));
		return EXIT_HOST;
	}
	config.launch.filter = (struct sock_fprog){ .len = filter.len, .filter = filter.filter };
	if (setenv("SANDTOP", config.name, 1) || getrlimit(RLIMIT_NOFILE, &config.launch.nofile)) {
		complain("cannot prepare the command: %s", strerror(errno));
		return EXIT_HOST;
	}
	config.launch.envp = environ;
	ret = guardian_run(&config, o->status_fd);
	plan_free(&filter);
	return ret;
}

int cmd_run(int argc, char **argv)
{
	struct policy *policy;
	struct options o;
	char err[1024];
	int status;

	if (options_parse(argc, argv, &o, err, sizeof(err))) {
		complain("%s", err);
		return EXIT_USAGE;
	}
	if (o.help || o.version) {
		if (o.help)
			options_help(stdout);
		else
			puts("sandtop " SANDTOP_VERSION);
		options_free(&o);
		return 0;
	}
	status = check_descriptors(&o);
	if (!status)
		status = make_policy(&o, &policy);
	if (!status) {
		if (!o.batch && isatty(0) && isatty(1))
			complain("the monitor is not in this build: running as with --batch");
		if (!o.policies)
			complain("no policy given: every connection is denied "
				 "(see --net-allow, --preset public-only, --learn)");
		status = run(&o, policy);
		policy_free(policy);
	}
	options_free(&o);
	return status;
}

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

#include "core/control_socket.h"
#include "core/escape.h"
#include "core/filter.h"
#include "core/landlock.h"
#include "core/option.h"
#include "policy/policy.h"
#include "policy/ports.h"
#include "tools/cmd.h"
#include "tools/front.h"
#include "tools/guardian.h"
#include "tools/learn_file.h"
#include "tools/make_policy.h"
#include "tools/options.h"
#include "tools/output.h"
#include "tools/profile_file.h"
#include "tools/sinkhole.h"

#define SANDTOP_VERSION "0.1"

static const uint64_t ask_timeout_ns = 60000000000;

extern char **environ;

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
static int make_landlock(bool best_effort, const struct port_set *connect,
			 const struct port_set *bind)
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
	fd = landlock_prepare(abi, connect, bind);
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
	int flags = o->status_fd >= 0 ? fcntl(o->status_fd, F_GETFL) : O_WRONLY;

	if (flags < 0) {
		complain("--status-fd: '%d': expected an open descriptor", o->status_fd);
		return EXIT_USAGE;
	}
	if ((flags & O_ACCMODE) == O_RDONLY || flags & O_PATH) {
		complain("--status-fd: '%d': expected a descriptor that is open for writing",
			 o->status_fd);
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

/* What `terminal` says of it: NULL is a batch run. Returns 0 or an exit status. */
static int prepare_environment(const char *name, const struct supervisor_terminal *terminal)
{
	int ret = setenv("SANDTOP", name, 1) ? -errno : 0;

	if (!ret && terminal)
		ret = front_environment();
	if (!ret)
		return 0;
	complain("cannot prepare the command: %s", strerror(-ret));
	return EXIT_HOST;
}

/* The filter and what the command finds. Returns 0 or an exit status, with the user told. */
static int prepare_launch(const struct options *o, enum plan_mode mode, const char *name,
			  const struct supervisor_terminal *terminal, struct launch_config *launch)
{
	int status;

	*launch = (struct launch_config){
		.argv = o->command,
		.envp = environ,
		.filter = filter_of(mode),
		.listen = mode == PLAN_SUPERVISED,
		.landlock = launch->landlock,
		.keep_fd = o->keep_fd,
		.nkeep = o->keep_fds,
		.terminal = -1,
	};
	if (getrlimit(RLIMIT_NOFILE, &launch->nofile)) {
		complain("cannot prepare the command: %s", strerror(errno));
		return EXIT_HOST;
	}
	status = prepare_environment(name, terminal);
	launch->envp = environ; /* setenv() may have moved it */
	return status;
}

struct run {
	const struct options *options;
	struct snapshot *snapshot;
	struct sinkhole *sinkhole;
	const char *profile; /* absolute path, or NULL */
	const char *name;
	struct learn_file learn; /* of --learn, else zeroed */
	struct option_policy policy;
	bool said; /* for --status-fd, how it ended; or another process does that */
};

static void say_failure(struct run *r, int status)
{
	if (status && !r->said)
		guardian_say_failure(r->options->status_fd, status);
	r->said = true;
}

/* A batch run has no terminal. Returns the exit status. */
static int run_supervised(struct run *r, const struct supervisor_terminal *terminal)
{
	const struct options *o = r->options;
	struct supervisor_config config = {
		.snapshot = r->snapshot,
		.terminal = terminal,
		.profile = r->profile,
		.name = r->name,
		.max_connections = o->max_connections,
		.learn = r->learn.learn,
		.stats = o->stats,
		.linger = o->linger,
		.timeout = o->timeout_ns,
		.ask_timeout = o->ask_timeout_ns ? o->ask_timeout_ns : ask_timeout_ns,
		.report = { .learn = r->learn.learn,
			    .verbose = o->verbose,
			    .quiet = o->quiet,
			    .policy = r->policy,
			    .monitored = terminal && terminal->fds & 1U << 2 },
	};
	struct control_socket control;
	struct control_error err = { "" };
	struct output log, json;
	char *metrics;
	int status, ret;

	if (r->sinkhole->open)
		config.mirror = &r->sinkhole->mirror;
	memcpy(config.dns_server, r->sinkhole->server, sizeof(config.dns_server));
	status = output_open("--log", o->log, &log);
	if (!status)
		status = output_open("--json", o->json, &json);
	if (!status)
		status = output_metrics(o->metrics_file, &metrics);
	if (status)
		return status;
	config.report.log_fd = log.fd;
	config.report.log_path = log.path;
	config.report.json_fd = json.fd;
	config.report.json_path = json.path;
	config.metrics_path = metrics;
	config.launch.landlock = make_landlock(o->best_effort, NULL, NULL);
	status = config.launch.landlock == -2 ? EXIT_HOST : 0;
	if (status)
		return status;
	ret = control_socket_init(&control, r->name, &err);
	/* The monitor comes by it. */
	if (ret == -EADDRINUSE || (ret && terminal)) {
		complain("%s", err.text);
		return EXIT_HOST;
	}
	config.notice = ret ? err.text : NULL;
	config.control = control.fd;
	status = prepare_launch(o, PLAN_SUPERVISED, r->name, terminal, &config.launch);
	if (!status) {
		r->said = true;
		status = guardian_run(&config, o->status_fd);
	}
	if (r->learn.learn)
		status = learn_file_write(&r->learn, status, o->quiet);
	control.fd = config.control;
	control_socket_exit(&control);
	free(log.path);
	free(json.path);
	free(metrics);
	return status;
}

/* A front_run_fn. */
static int run(void *arg, const struct supervisor_terminal *terminal)
{
	int status = run_supervised(arg, terminal);

	say_failure(arg, status);
	return status;
}

/* The options that need somebody who watches. */
static size_t watching_options(const struct options *o, char *text, size_t size)
{
	const struct {
		const char *name;
		bool given;
	} options[] = {
		{ "--log", o->log },
		{ "--json", o->json },
		{ "--metrics-file", o->metrics_file },
		{ "--stats", o->stats },
		{ "-v", o->verbose },
		{ "--max-connections", o->max_connections },
		{ "--timeout", o->timeout_ns },
		{ "--ask-timeout", o->ask_timeout_ns },
		{ "--linger", o->linger },
		{ "--status-fd", o->status_fd >= 0 },
		{ "--monitor", o->monitor },
		{ "--hold", o->hold },
		{ "--no-mouse", o->no_mouse },
	};
	size_t count = 0, len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i].given)
			len += (size_t)snprintf(text + len, size - len, "%s%s", count++ ? ", " : "",
						options[i].name);
	return count;
}

/* --no-supervisor: this process becomes the command. Returns an exit status if it cannot. */
static int run_static(const struct options *o, const struct draft *d, const char *name)
{
	struct port_set *ports = calloc(2, sizeof(*ports));
	struct launch_config launch = { .landlock = -1 };
	struct launch_failure failure;
	char rules[1024] = "", options[128];
	size_t bad;
	int status;

	if (!ports)
		return EXIT_HOST;
	bad = draft_ports(d, &ports[0], &ports[1], rules, sizeof(rules));
	if (watching_options(o, options, sizeof(options)) + bad) {
		complain(
			"--no-supervisor: cannot have %s%s%s: expected rules of TCP ports (':443') "
			"and bind ports only",
			rules, rules[0] && options[0] ? ", " : "", options);
		free(ports);
		return EXIT_USAGE;
	}
	launch.landlock = make_landlock(o->best_effort, &ports[0], &ports[1]);
	free(ports);
	if (launch.landlock == -2)
		return EXIT_HOST;
	status = prepare_launch(o, PLAN_STATIC, name, NULL, &launch);
	if (status)
		return status;
	complain("--no-supervisor: UNIX sockets of the host are not filtered");
	launch_here(&launch, &failure);
	return complain_failure(&launch, launch_step_name(failure.step), failure.error);
}

/* Where the profile is, whatever directory the reader is in: NULL if there is none. */
static char *profile_path(const struct profile_file *f)
{
	char *cwd, *path = NULL;

	if (!*f->path)
		return NULL;
	if (*f->path == '/')
		return strdup(f->path);
	cwd = getcwd(NULL, 0);
	if (!cwd || asprintf(&path, "%s/%s", cwd, f->path) < 0)
		path = NULL;
	free(cwd);
	return path;
}

/* The policy with what it was made from. Returns 0 or an exit status. */
static int make_snapshot(const struct run *r, const struct profile_file *f, struct draft *d,
			 struct snapshot **out)
{
	struct source *source;
	struct policy *policy;
	int status = make_policy(d, NULL, &policy);

	if (status)
		return status;
	source = make_source(r->options, f, r->profile, r->sinkhole->open);
	*out = source ? snapshot_new(policy, source) : NULL;
	if (*out)
		return 0;
	policy_free(policy);
	source_free(source);
	return EXIT_HOST;
}

static bool is_monitored(const struct options *o)
{
	return !o->batch && (o->monitor || (isatty(0) && isatty(1)));
}

/* With the monitor. Returns the exit status. */
static int run_monitored(struct run *r)
{
	struct front_config config = {
		.in = 0,
		.out = 1,
		.name = r->name,
		.hold = r->options->hold,
		.no_mouse = r->options->no_mouse,
	};
	int tty = -1, status;

	if (!isatty(0) || !isatty(1)) {
		tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
		if (tty < 0) {
			complain("--monitor: cannot open '/dev/tty': %s", strerror(errno));
			return EXIT_HOST;
		}
		config.in = config.out = tty;
	}
	/* Here: run() is in a process of its own and says it there. */
	status = front_run(&config, run, r);
	r->said = true;
	if (tty >= 0)
		close(tty);
	return status;
}

/* Returns the exit status. */
static int run_policy(struct run *r, const struct profile_file *f, struct draft *d)
{
	struct snapshot *snapshot = NULL, *retired = NULL;
	bool monitored = is_monitored(r->options);
	int status = make_snapshot(r, f, d, &snapshot);

	r->snapshot = snapshot;
	r->policy = option_policy(d);
	if (!status)
		status = monitored ? run_monitored(r) : run(r, NULL);
	snapshot_put(snapshot, &retired);
	snapshot_free(retired);
	/* The run may go on without a monitor; the sinkhole then ends with the run. */
	if (!monitored)
		sinkhole_close(r->sinkhole);
	return status;
}

/* With --learn. Returns an exit status. */
static int run_learning(struct run *r, const struct profile_file *f, struct draft *d)
{
	int status = learn_file_open(&r->learn, r->options->learn, f, r->sinkhole->open);

	if (status)
		return status;
	status = run_policy(r, f, d);
	learn_file_close(&r->learn);
	return status;
}

static int run_command(const struct options *o, const struct profile_file *f, struct draft *d)
{
	struct sinkhole sinkhole;
	struct run r = { .options = o, .sinkhole = &sinkhole };
	char name[65];
	char *profile;
	int status;

	if (o->name)
		snprintf(name, sizeof(name), "%s", o->name);
	else
		default_name(o->command[0], name);
	if (o->no_supervisor)
		return run_static(o, d, name);
	r.profile = profile = profile_path(f);
	r.name = name;
	status = sinkhole_open(&sinkhole, d);
	if (!status)
		status = o->learn ? run_learning(&r, f, d) : run_policy(&r, f, d);
	say_failure(&r, status);
	free(profile);
	return status;
}

/* What the command line does not say the profile may. */
static void take_profile(struct options *o, const struct profile *p)
{
	if (!o->command)
		o->command = p->command;
	if (!o->max_connections)
		o->max_connections = p->max_connections;
	if (!o->json)
		o->json = p->log_json;
	if (!o->log)
		o->log = p->log_text;
}

/* Returns 0 or an exit status, with the user told. */
static int check_utf8(const char *text)
{
	char word[400];
	size_t n = 1;
	uint32_t c;

	for (const char *s = text; s && *s && n; s += n)
		n = escape_decode(s, &c);
	if (n)
		return 0;
	escape_text(text, word, sizeof(word));
	complain("--dump-profile: '%s': expected UTF-8, which a profile is", word);
	return EXIT_USAGE;
}

static int dump_profile(const struct options *o, const struct profile_file *f,
			const struct draft *d)
{
	struct profile rest = {
		.max_connections = o->max_connections,
		.command = o->command && o->command[0] ? o->command : NULL,
		.block_files = f->profile.block_files,
		.n_block_files = f->profile.n_block_files,
		.log_json = (char *)o->json,
		.log_text = (char *)o->log,
	};
	int status = check_utf8(o->json);
	char *text;

	if (!status)
		status = check_utf8(o->log);
	for (size_t i = 0; !status && i < o->policies; i++)
		status = check_utf8(o->policy[i].text);
	for (char **word = rest.command; !status && word && *word; word++)
		status = check_utf8(*word);
	if (status)
		return status;
	text = profile_write(d, &rest);
	if (!text || fputs(text, stdout) < 0 || fflush(stdout)) {
		complain("--dump-profile: cannot write: %s", strerror(errno));
		status = EXIT_HOST;
	}
	free(text);
	return status;
}

/* Nobody has said what is allowed: a monitored run asks, a batch run has nobody to be asked. */
static void choose_policy(struct options *o, const struct profile_file *f)
{
	if (o->policies || f->profile.n_items || o->dump_profile || o->learn)
		return;
	if (is_monitored(o) && !o->no_supervisor)
		options_set_ask(o);
	else
		complain("no policy given: every connection is denied "
			 "(see --net-allow, --preset public-only, --learn)");
}

static int run_or_dump(struct options *o, struct profile_file *f)
{
	struct draft *d = NULL;
	char path[1024];
	int status;

	take_profile(o, &f->profile);
	if (!o->command && !o->dump_profile) {
		escape_text(*f->path ? f->path : o->learn, path, sizeof(path));
		complain("no command: '%s' has no [program]: expected -- CMD [ARG...]", path);
		return EXIT_USAGE;
	}
	status = check_descriptors(o);
	if (!status) {
		choose_policy(o, f);
		status = make_draft(o, f, &d);
	}
	if (!status)
		status = o->dump_profile ? dump_profile(o, f, d) : run_command(o, f, d);
	draft_free(d);
	return status;
}

int cmd_run(int argc, char **argv)
{
	struct profile_file f = { 0 };
	struct options o;
	char err[1024];
	int status;

	if (options_parse(OPTIONS_RUN, argc, argv, &o, err, sizeof(err))) {
		complain("%s", err);
		return EXIT_USAGE;
	}
	if (o.help || o.version) {
		if (o.help)
			options_help(OPTIONS_RUN, stdout);
		else
			puts("sandtop " SANDTOP_VERSION);
		options_free(&o);
		return 0;
	}
	status = profile_file_of(&o, &f);
	if (!status)
		status = run_or_dump(&o, &f);
	profile_file_free(&f);
	options_free(&o);
	return status;
}

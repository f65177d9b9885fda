/* SPDX-License-Identifier: MIT */
#include "uring/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/filter.h"
#include "core/heap.h"
#include "core/notif.h"
#include "core/peer.h"
#include "core/reap.h"
#include "core/task.h"
#include "uring/control.h"
#include "uring/engine.h"
#include "uring/jobs.h"
#include "uring/leftovers.h"
#include "uring/metrics_file.h"
#include "uring/rouse.h"
#include "uring/swap.h"
#include "uring/terminal.h"

enum {
	RING_ENTRIES = 256,
	RING_EVENTS = ENGINE_CALLS + CONTROL_EVENTS + TERMINAL_EVENTS + DNS_EVENTS + 16,
	SPARE_DESCRIPTORS = 8,
	PARTING_NS = 250000000,
	EXIT_TIMEOUT = 124,
	EXIT_HOST = 125,
};

struct supervisor {
	const struct supervisor_config *config;
	struct loop loop;
	struct ledger *ledger;
	struct report report;
	struct metrics_file metrics;
	struct engine engine;
	struct jobs jobs;
	struct control control;
	struct swap swap;
	struct terminal terminal;
	struct launch launch;
	int signals; /* signalfd of SIGCHLD */
	struct event signal_event, guardian_event, timeout_event, parting_event;
	struct __kernel_timespec timeout;
	int timeouts;  /* how often --timeout has struck */
	bool begun;    /* the command was told to go */
	bool ended;    /* the command has */
	bool parting;  /* what it left behind has a moment to end by itself */
	bool parted;   /* that is over */
	bool deserted; /* the guardian is gone: nobody wants to know any more */
	int wait_status;
	struct supervisor_result result;
};

#define SUPERVISOR_OF(ev, member)                                                                  \
	((struct supervisor *)((char *)(ev)-offsetof(struct supervisor, member)))

static void tell_guardian(struct supervisor *s, enum guard_kind kind, int value)
{
	struct guard_message m = { .kind = kind, .value = value };

	/* It has nothing else to do than to read this. */
	(void)!send(s->config->guardian, &m, sizeof(m), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void command_ended(struct supervisor *s, int status)
{
	s->ended = true;
	s->wait_status = status;
	if (s->result.failed || s->timeouts)
		return;
	s->result.by_command = true;
	if (WIFSIGNALED(status)) {
		s->result.signal = WTERMSIG(status);
		s->result.status = 128 + s->result.signal;
		if (s->result.signal == SIGSYS)
			report_message(&s->report, "the command was killed for a system call of a "
						   "foreign architecture (i386 or x32)");
	} else {
		s->result.status = WEXITSTATUS(status);
	}
}

static void child_changed(struct event *ev, int res)
{
	struct supervisor *s = SUPERVISOR_OF(ev, signal_event);
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	(void)res;
	while (read(s->signals, &info, sizeof(info)) == sizeof(info))
		;
	/* Orphans of the command end up here too. */
	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (pid != s->launch.pid)
			continue;
		if (!WIFSTOPPED(status))
			command_ended(s, status);
		else if (!s->config->terminal)
			/* On a terminal of its own it is no job of the user's shell. */
			tell_guardian(s, GUARD_STOPPED, WSTOPSIG(status));
	}
}

static void guardian_spoke(struct event *ev, int res)
{
	struct supervisor *s = SUPERVISOR_OF(ev, guardian_event);
	struct guard_message m;
	ssize_t n;

	(void)res;
	while ((n = recv(s->config->guardian, &m, sizeof(m), MSG_DONTWAIT)) == sizeof(m))
		if (m.kind == GUARD_SIGNAL && !s->ended)
			kill(s->launch.pid, m.value);
	if (n == 0) {
		loop_forget(&s->loop, ev);
		s->deserted = true;
	}
}

static void tell_front(struct supervisor *s, char what)
{
	if (s->config->terminal)
		(void)!write(s->config->terminal->progress, &what, 1);
}

static void time_is_over(struct supervisor *s)
{
	report_message(&s->report, "--timeout: time is over, ending the command");
	s->result.status = EXIT_TIMEOUT;
}

static void exec_finished(struct supervisor *s)
{
	int error = launch_exec_result(&s->launch);

	if (!error) {
		tell_front(s, FRONT_BEGUN);
		return;
	}
	s->result.failed = launch_step_name(LAUNCH_EXEC);
	s->result.error = error;
	s->result.status = error == ENOENT ? 127 : 126;
}

static void arm_timeout(struct supervisor *s, uint64_t ns)
{
	s->timeout = (struct __kernel_timespec){
		.tv_sec = (long long)(ns / 1000000000),
		.tv_nsec = (long long)(ns % 1000000000),
	};
	loop_timeout(&s->loop, &s->timeout_event, &s->timeout);
}

/* --timeout: ask first, then insist. */
static void timed_out(struct event *ev, int res)
{
	struct supervisor *s = SUPERVISOR_OF(ev, timeout_event);
	pid_t pids[1024];
	int n = reap_descendants(pids, sizeof(pids) / sizeof(pids[0]));

	if (res != -ETIME)
		return;
	for (int i = 0; i < n && i < (int)(sizeof(pids) / sizeof(pids[0])); i++)
		kill(pids[i], s->timeouts ? SIGKILL : SIGTERM);
	if (s->timeouts++ == 0)
		time_is_over(s);
	arm_timeout(s, 2000000000);
}

/*
 * The command has been told to go. The file system that has it may take its time, or never answer:
 * signals, a guardian that is gone and --timeout count meanwhile, as they do in the loop.
 */
static void wait_for_exec(struct supervisor *s)
{
	struct pollfd fds[] = {
		{ .fd = s->launch.channel, .events = POLLIN },
		{ .fd = s->config->guardian, .events = POLLIN },
		{ .fd = s->signals, .events = POLLIN },
	};
	const struct timespec limit = {
		.tv_sec = (time_t)(s->config->timeout / 1000000000),
		.tv_nsec = (long)(s->config->timeout % 1000000000),
	};
	bool limited = s->config->timeout;
	int n;

	*s->config->pulse = 0; /* no call waits for an answer */
	for (;;) {
		n = ppoll(fds, sizeof(fds) / sizeof(fds[0]), limited ? &limit : NULL, NULL);
		if (n < 0)
			continue;
		if (fds[0].revents)
			break;
		if (n == 0) {
			limited = false;
			s->timeouts++;
			time_is_over(s);
		}
		if (fds[1].revents)
			guardian_spoke(&s->guardian_event, 0);
		if (fds[2].revents)
			child_changed(&s->signal_event, 0);
		if (n == 0 || s->deserted)
			kill(s->launch.pid, SIGKILL);
		if (s->deserted)
			fds[1].fd = -1;
	}
	exec_finished(s);
}

static void interrupt(int sig)
{
	(void)sig; /* that it comes is all */
}

/* Everything that comes from the terminal or is forwarded by the guardian is the command's. */
static int take_signals(struct supervisor *s)
{
	static const int ignored[] = { SIGINT,  SIGQUIT, SIGTERM, SIGHUP,  SIGUSR1,
				       SIGUSR2, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU };
	sigset_t mask;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	if (sigaction(ROUSE_SIGNAL, &(struct sigaction){ .sa_handler = interrupt }, NULL))
		return -errno;
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	if (sigprocmask(SIG_SETMASK, &mask, NULL))
		return -errno;
	s->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals < 0 ? -errno : 0;
}

/* One descriptor for each call in flight, each remembered socket, each task. */
static void raise_nofile(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/*
 * What a task and two calls hold at once must be free, or the command would start and no call of
 * its own succeed. Returns 0 or -EMFILE.
 */
static int check_spare_descriptors(int fd)
{
	int spare[SPARE_DESCRIPTORS];
	int n = 0;

	while (n < SPARE_DESCRIPTORS && (spare[n] = fcntl(fd, F_DUPFD_CLOEXEC, 0)) >= 0)
		n++;
	for (int i = 0; i < n; i++)
		close(spare[i]);
	return n == SPARE_DESCRIPTORS ? 0 : -EMFILE;
}

static bool fail(struct supervisor *s, const char *what, int error)
{
	s->result = (struct supervisor_result){
		.status = EXIT_HOST,
		.failed = what,
		.error = error < 0 ? -error : error,
	};
	return false;
}

/* The command's process exists and is caged, but has not begun. */
static bool prepare(struct supervisor *s)
{
	const struct supervisor_terminal *terminal = s->config->terminal;
	struct launch_config launch = s->config->launch;
	struct launch_failure failure;
	int ret = take_signals(s);

	if (ret)
		return fail(s, "receive signals", ret);
	ret = task_check_proc();
	if (ret)
		return fail(s, "look at processes", ret);
	if (prctl(PR_SET_NAME, PEER_SUPERVISOR))
		return fail(s, "be known as a supervisor", errno);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		return fail(s, "become the subreaper", errno);
	ret = notif_init();
	if (ret)
		return fail(s, "use seccomp user notifications", ret);
	raise_nofile();
	launch.terminal = -1;
	if (terminal) {
		ret = terminal_open(&s->terminal, &terminal->settings, &terminal->size);
		if (ret)
			return fail(s, "make a terminal for the command", ret);
		launch.terminal = s->terminal.slave;
		launch.terminal_fds = terminal->fds;
	}
	if (launch_prepare(&launch, &s->launch, &failure))
		return fail(s, launch_step_name(failure.step), failure.error);
	/* Only now: the child would have inherited it, and could not have been looked into. */
	if (prctl(PR_SET_DUMPABLE, 0))
		return fail(s, "become not dumpable", errno);
	notif_sync_wake_up(s->launch.listener);
	return true;
}

static int begin(struct supervisor *s)
{
	int ret = launch_go(&s->launch);

	if (ret)
		return ret;
	s->begun = true;
	wait_for_exec(s);
	if (s->config->timeout)
		arm_timeout(s, s->config->timeout);
	report_start(&s->report, s->config->name, s->launch.pid, s->config->launch.argv, 1);
	return 0;
}

static int start_dns(struct supervisor *s)
{
	struct dns_config config = {
		.engine = &s->engine,
		.loop = &s->loop,
		.report = &s->report,
	};

	memcpy(config.server, s->config->dns_server, sizeof(config.server));
	return dns_new(&config, &s->engine.dns);
}

static bool start(struct supervisor *s)
{
	const struct supervisor_config *config = s->config;
	struct engine_config engine = {
		.listener = s->launch.listener,
		.snapshot = config->snapshot,
		.max_connections = config->max_connections,
		.ask_timeout = config->ask_timeout,
		.learn = config->learn,
		.mirror = config->mirror,
		.loop = &s->loop,
		.report = &s->report,
	};
	struct control_config control = {
		.listener = config->control,
		.loop = &s->loop,
		.engine = &s->engine,
		.report = &s->report,
		.jobs = &s->jobs,
		.swap = &s->swap,
		.max_connections = config->max_connections,
		.name = config->name,
		.argv = config->launch.argv,
		.pid = s->launch.pid,
		.profile = config->profile,
		.terminal = config->terminal ? &s->terminal : NULL,
	};
	int ret;

	heap_grow_only(true);
	s->ledger = ledger_new();
	if (!s->ledger)
		return fail(s, "make the ledger", errno);
	engine.stats = control.stats = ledger_stats(s->ledger);
	control.ledger = s->ledger;
	ret = loop_init(&s->loop, RING_ENTRIES, RING_EVENTS, engine.stats);
	if (ret)
		return fail(s, "set up io_uring", ret);
	s->loop.pulse = config->pulse;
	swap_init(&s->swap, &s->engine, &s->jobs, &s->control, &s->report, s->ledger);
	report_init(&s->report, &config->report, &s->loop, s->ledger);
	ret = engine_init(&s->engine, &engine);
	if (!ret && config->mirror)
		ret = start_dns(s);
	if (!ret)
		ret = jobs_init(&s->jobs, &s->loop);
	if (!ret)
		ret = control_init(&s->control, &control);
	if (!ret)
		ret = loop_watch(&s->loop, &s->signal_event, s->signals, POLLIN);
	if (!ret)
		ret = loop_watch(&s->loop, &s->guardian_event, config->guardian, POLLIN);
	if (!ret)
		ret = metrics_file_init(&s->metrics, &s->loop, s->ledger, &s->report,
					config->metrics_path);
	/* Whoever looks at it, once the command runs, sees all of it. */
	ledger_set_run(s->ledger, config->name, s->launch.pid, config->launch.argv);
	ledger_set_policy(s->ledger, 1, policy_fallback_name(config->snapshot->policy),
			  source_profile(config->snapshot->source));
	heap_grow_only(false);
	if (!ret)
		ret = check_spare_descriptors(s->signals);
	if (!ret)
		ret = filter_confine_supervisor();
	if (!ret && config->terminal)
		terminal_start(&s->terminal, &s->loop);
	else if (!ret)
		ret = begin(s);
	if (ret)
		return fail(s, "start the supervisor", ret);
	if (config->notice)
		report_message(&s->report, "%s", config->notice);
	tell_front(s, FRONT_READY);
	return true;
}

static bool turn(struct supervisor *s)
{
	int ret = 0;

	engine_run(&s->engine);
	swap_run(&s->swap);
	report_flush(&s->report);
	if (s->config->terminal) {
		if (!s->begun && s->terminal.attached)
			ret = begin(s);
		terminal_run(&s->terminal);
	}
	if (!ret) {
		engine_wait(&s->engine);
		ret = loop_turn(&s->loop);
	}
	if (ret)
		fail(s, "wait on io_uring", ret);
	return ret == 0;
}

static void parted(struct event *ev, int res)
{
	(void)res;
	SUPERVISOR_OF(ev, parting_event)->parted = true;
}

/*
 * Whether something that the command left behind may still end by itself: helpers that see the end
 * of a pipe, and then tidy up, as those of Python's multiprocessing. SIGCHLD tells when it has.
 */
static bool is_parting(struct supervisor *s)
{
	static struct __kernel_timespec moment = { .tv_nsec = PARTING_NS };

	if (s->parted || s->timeouts || !leftovers_exist())
		return false;
	if (!s->parting && loop_timeout(&s->loop, &s->parting_event, &moment))
		return false;
	s->parting = true;
	return true;
}

/* Whether the loop goes on: for the command, and for what it left running. */
static bool is_running(struct supervisor *s)
{
	if (s->deserted)
		return false;
	if (!s->ended)
		return true;
	if (s->result.failed)
		return false;
	return s->config->linger ? s->engine.listener >= 0 : is_parting(s);
}

/* Write what is queued. */
static void drain(struct supervisor *s)
{
	while (!s->deserted && !(report_is_idle(&s->report) && metrics_file_is_idle(&s->metrics))) {
		report_flush(&s->report);
		if (loop_turn(&s->loop))
			break;
	}
}

/* What the command wrote last reaches those who watch it. */
static void drain_terminal(struct supervisor *s)
{
	if (!s->config->terminal)
		return;
	terminal_end(&s->terminal);
	while (!s->deserted && !terminal_is_drained(&s->terminal)) {
		terminal_run(&s->terminal);
		if (loop_turn(&s->loop))
			break;
	}
}

static void tell_clients(struct supervisor *s)
{
	const struct supervisor_result *r = &s->result;

	if (!control_is_watched(&s->control))
		return;
	control_tell(&s->control,
		     json_pack("{s:s, s:i, s:o, s:s}", "event", "exit", "exit", r->status, "signal",
			       r->signal ? json_integer(r->signal) : json_null(), "by",
			       r->by_command ? "command" : "sandtop"));
}

static void finish(struct supervisor *s)
{
	heap_grow_only(true);
	*s->config->pulse = 0; /* from here on nobody waits for an answer */
	s->loop.pulse = NULL;
	leftovers_kill(&s->report, !s->deserted && !s->timeouts);
	drain_terminal(s);
	drain(s); /* so that there is room for the end */
	report_end(&s->report, s->engine.generation, s->result.status, s->result.signal,
		   s->result.by_command ? "command" : "sandtop");
	metrics_file_finish(&s->metrics);
	tell_clients(s);
	drain(s);
	if (s->config->stats)
		stats_print(ledger_stats(s->ledger), stderr);
	control_exit(&s->control);
	if (s->config->terminal)
		terminal_exit(&s->terminal);
	if (jobs_exit(&s->jobs)) {
		swap_exit(&s->swap);
		dns_free(s->engine.dns);
		engine_exit(&s->engine);
	}
	loop_exit(&s->loop);
	report_exit(&s->report);
	ledger_free(s->ledger);
}

struct supervisor_result supervisor_run(const struct supervisor_config *config)
{
	/* Too large for the stack, and too large to be cleared again: a short run touches little. */
	static struct supervisor s;

	s.config = config;
	s.signal_event.fn = child_changed;
	s.guardian_event.fn = guardian_spoke;
	s.timeout_event.fn = timed_out;
	s.parting_event.fn = parted;
	if (!prepare(&s))
		return s.result;
	if (!start(&s)) {
		/* It has not begun, and is alone. Without a free descriptor no other is found. */
		kill(s.launch.pid, SIGKILL);
		reap_kill_all();
		return s.result;
	}
	while (is_running(&s) && turn(&s))
		;
	finish(&s);
	return s.result;
}

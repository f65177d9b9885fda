/* SPDX-License-Identifier: MIT */
#include "tools/guardian.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/features.h"
#include "core/reap.h"
#include "tools/cmd.h"

/* Passed on to the command. Those that a terminal sends to the whole group are not. */
static const int forwarded[] = { SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCONT };

/* The command gets these from the terminal; whether they end or stop the run is its choice. */
static const int ignored[] = { SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * A supervisor that does not come back to its loop is first interrupted, which ends a system call
 * that a task has made to block (it can clear O_NONBLOCK, or set SO_LINGER, at the last moment),
 * and after PULSE_MS * PULSE_BEATS killed.
 */
enum { PULSE_MS = 500, PULSE_BEATS = 4 };

struct guardian {
	pid_t supervisor;
	int channel; /* to the supervisor */
	int signals; /* signalfd */
	bool done;   /* the supervisor has said how the run ended */
	int status;
	_Atomic uint64_t *pulse; /* shared with the supervisor */
	uint64_t last_pulse;
	int beats; /* how often in a row it was seen unchanged and busy */
	bool hung;
};

static void write_status(int fd, int status, int signal, bool by_command)
{
	if (fd >= 0)
		dprintf(fd, "{\"exit\":%d,\"signal\":%d,\"by\":\"%s\"}\n", status, signal,
			by_command ? "command" : "sandtop");
}

int complain_failure(const struct launch_config *launch, const char *failed, int error)
{
	const char *command = launch->argv[0];
	char remedy[512];

	if (strcmp(failed, launch_step_name(LAUNCH_EXEC)) == 0) {
		complain("cannot run '%s': %s", command,
			 error == ENOENT ? "command not found" : strerror(error));
		return error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUN;
	}
	if (features_explain_step(failed, error, remedy, sizeof(remedy)))
		complain("cannot %s: %s: %s", failed, strerror(error), remedy);
	else
		complain("cannot %s: %s", failed, strerror(error));
	return EXIT_HOST;
}

static _Noreturn void supervise(const struct supervisor_config *config, int status_fd)
{
	struct supervisor_result result = supervisor_run(config);
	struct guard_message done = { .kind = GUARD_DONE, .value = result.status };

	if (result.failed)
		complain_failure(&config->launch, result.failed, result.error);
	write_status(status_fd, result.status, result.signal, result.by_command);
	(void)!send(config->guardian, &done, sizeof(done), MSG_NOSIGNAL);
	fflush(NULL);
	_exit(result.status);
}

/* Remember how the command is to find its signals, and take over our own. */
static int take_signals(struct guardian *g, struct launch_config *launch)
{
	sigset_t mask;

	sigemptyset(&launch->ignored);
	for (int sig = 1; sig < NSIG; sig++) {
		struct sigaction sa;

		if (sigaction(sig, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN)
			sigaddset(&launch->ignored, sig);
	}
	for (size_t i = 0; i < COUNT(ignored); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	for (size_t i = 0; i < COUNT(forwarded); i++)
		sigaddset(&mask, forwarded[i]);
	signal(SIGCHLD, SIG_DFL); /* inherited as ignored, it would keep wait(2) from working */
	if (sigprocmask(SIG_BLOCK, &mask, &launch->sigmask))
		return -errno;
	g->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	return g->signals < 0 ? -errno : 0;
}

static void forward_signals(struct guardian *g)
{
	struct signalfd_siginfo info;

	while (read(g->signals, &info, sizeof(info)) == sizeof(info)) {
		struct guard_message m = { .kind = GUARD_SIGNAL, .value = (int)info.ssi_signo };

		if (m.value != SIGCHLD)
			(void)!send(g->channel, &m, sizeof(m), MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

static void listen_to_supervisor(struct guardian *g)
{
	struct guard_message m;

	while (recv(g->channel, &m, sizeof(m), MSG_DONTWAIT) == sizeof(m)) {
		switch (m.kind) {
		case GUARD_STOPPED:
			/* So that the shell sees a stopped job; its SIGCONT is passed on. */
			kill(getpid(), SIGSTOP);
			break;
		case GUARD_DONE:
			g->done = true;
			g->status = m.value;
			break;
		default:
			break;
		}
	}
}

/*
 * Nothing in the loop blocks on purpose, but the memory and files of a task can be served by
 * another task (FUSE), which no signal ends but SIGKILL. Counted in looks and not in time, so that
 * a machine that slept, or a debugger, is not taken for a hang.
 */
static void feel_pulse(struct guardian *g)
{
	uint64_t pulse = *g->pulse;

	g->beats = pulse && pulse == g->last_pulse ? g->beats + 1 : 0;
	g->last_pulse = pulse;
	if (g->beats >= PULSE_BEATS) {
		g->hung = true;
		kill(g->supervisor, SIGKILL);
	} else if (g->beats) {
		kill(g->supervisor, GUARD_INTERRUPT);
	}
}

/* Until the supervisor has ended. */
static void wait_for_supervisor(struct guardian *g)
{
	struct pollfd fds[] = {
		{ .fd = g->signals, .events = POLLIN },
		{ .fd = g->channel, .events = POLLIN },
	};

	for (;;) {
		/* First the end, then the messages: one that was sent before the end is seen. */
		bool ended = waitpid(g->supervisor, NULL, WNOHANG) == g->supervisor;

		listen_to_supervisor(g);
		if (ended)
			return;
		if (poll(fds, COUNT(fds), PULSE_MS) == 0)
			feel_pulse(g);
		/* It may be beyond SIGKILL until the task that it waits for is gone. */
		if (g->hung)
			return;
		if (fds[1].revents & (POLLHUP | POLLERR))
			fds[1].fd = -1;
		forward_signals(g);
	}
}

int guardian_run(struct supervisor_config *config, int status_fd)
{
	struct guardian g = { 0 };
	int pair[2];
	int ret;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1)) {
		complain("cannot start the supervisor: %s", strerror(errno));
		return EXIT_HOST;
	}
	ret = take_signals(&g, &config->launch);
	if (ret) {
		complain("cannot receive signals: %s", strerror(-ret));
		return EXIT_HOST;
	}
	g.pulse = mmap(NULL, sizeof(*g.pulse), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (g.pulse == MAP_FAILED) {
		complain("cannot start the supervisor: %s", strerror(errno));
		return EXIT_HOST;
	}
	config->pulse = g.pulse;
	g.channel = pair[0];
	config->guardian = pair[1];
	g.supervisor = fork();
	if (g.supervisor < 0) {
		complain("cannot start the supervisor: %s", strerror(errno));
		return EXIT_HOST;
	}
	if (g.supervisor == 0) {
		close(pair[0]);
		close(g.signals);
		supervise(config, status_fd);
	}
	close(pair[1]);
	/* A log that is rotated away goes when the supervisor closes it. */
	if (config->report.log_fd >= 0)
		close(config->report.log_fd);
	if (config->report.json_fd >= 0)
		close(config->report.json_fd);
	wait_for_supervisor(&g);
	if (g.done)
		return g.status;
	/* Nobody answers the tasks' calls any more, and nobody may outlive that. */
	reap_kill_all();
	complain("the supervisor %s: every task has been killed",
		 g.hung ? "hung for 2 s" : "was lost");
	write_status(status_fd, EXIT_HOST, 0, false);
	return EXIT_HOST;
}

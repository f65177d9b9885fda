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
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "core/escape.h"
#include "core/features.h"
#include "core/reap.h"
#include "tools/cmd.h"
#include "uring/rouse.h"

/* Passed on to the command. Those that a terminal sends to the whole group are not. */
static const int forwarded[] = { SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCONT };

/* The command gets these from the terminal; whether they end or stop the run is its choice. */
static const int ignored[] = { SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU,
			       /* A pipe without a reader and RLIMIT_FSIZE are errors of a write. */
			       SIGPIPE, SIGXFSZ };

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
	int terminal;        /* one of our descriptors that is one, or -1 */
	struct termios mode; /* of it, at the start */
};

static void write_status(int fd, int status, int signal, bool by_command)
{
	if (fd >= 0 && dprintf(fd, "{\"exit\":%d,\"signal\":%d,\"by\":\"%s\"}\n", status, signal,
			       by_command ? "command" : "sandtop") < 0)
		complain("--status-fd: '%d': cannot write: %s", fd, strerror(errno));
}

void guardian_say_failure(int status_fd, int status)
{
	write_status(status_fd, status, 0, false);
}

/* A limit that is known by its error. */
static const char *limit_to_raise(int error)
{
	switch (error) {
	case EAGAIN: /* fork(2) */
		return ": expected a higher limit on processes (ulimit -u, or pids.max of the "
		       "control group)";
	case EFBIG:
		return ": expected a higher limit on the size of files (ulimit -f)";
	case EMFILE:
		return ": expected a higher limit on open files (ulimit -n)";
	default:
		return "";
	}
}

static void complain_error(const char *what, int error)
{
	complain("cannot %s: %s%s", what, strerror(error), limit_to_raise(error));
}

/* Returns the exit status. */
static int give_up(int status_fd, const char *what, int error)
{
	complain_error(what, error);
	guardian_say_failure(status_fd, EXIT_HOST);
	return EXIT_HOST;
}

/* What execve(2) does not tell apart, in the words of a shell. */
static const char *why_not_run(const char *command, int error)
{
	struct stat st;

	if (!strchr(command, '/'))
		return error == ENOENT ? "command not found" : strerror(error);
	if (stat(command, &st))
		return strerror(error);
	if (error == ENOENT)
		return "the interpreter or loader that it names is missing";
	return S_ISDIR(st.st_mode) ? strerror(EISDIR) : strerror(error);
}

int complain_failure(const struct launch_config *launch, const char *failed, int error)
{
	const char *command = launch->argv[0];
	char remedy[512], word[1024];

	if (strcmp(failed, launch_step_name(LAUNCH_EXEC)) == 0) {
		escape_text(command, word, sizeof(word));
		complain("cannot run '%s': %s", word, why_not_run(command, error));
		return error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUN;
	}
	if (!*limit_to_raise(error) && features_explain_step(failed, error, remedy, sizeof(remedy)))
		complain("cannot %s: %s: %s", failed, strerror(error), remedy);
	else if (error == E2BIG) /* identity_init() */
		complain("cannot %s: %s: expected a user in at most 1024 groups (see setpriv "
			 "--clear-groups)",
			 failed, strerror(error));
	else
		complain_error(failed, error);
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

/* A command that is killed in the middle leaves its raw mode, or no echo, behind. */
static void save_terminal(struct guardian *g)
{
	g->terminal = -1;
	for (int fd = 0; fd <= 2 && g->terminal < 0; fd++)
		if (tcgetattr(fd, &g->mode) == 0)
			g->terminal = fd;
}

static void restore_terminal(const struct guardian *g)
{
	/* SIGTTOU is ignored. TCSANOW: what is yet to be printed must not keep us. */
	if (g->terminal >= 0)
		tcsetattr(g->terminal, TCSANOW, &g->mode);
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
		kill(g->supervisor, ROUSE_SIGNAL);
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
	int stuck;
	int ret;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1))
		return give_up(status_fd, "start the supervisor", errno);
	ret = take_signals(&g, &config->launch);
	if (ret)
		return give_up(status_fd, "receive signals", -ret);
	g.pulse = mmap(NULL, sizeof(*g.pulse), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (g.pulse == MAP_FAILED)
		return give_up(status_fd, "start the supervisor", errno);
	save_terminal(&g);
	config->pulse = g.pulse;
	g.channel = pair[0];
	config->guardian = pair[1];
	g.supervisor = fork();
	if (g.supervisor < 0)
		return give_up(status_fd, "start the supervisor", errno);
	if (g.supervisor == 0) {
		close(pair[0]);
		close(g.signals);
		supervise(config, status_fd);
	}
	close(pair[1]);
	/* So that nobody can connect any more once the supervisor is gone. */
	if (config->control >= 0)
		close(config->control);
	config->control = -1;
	/* A log that is rotated away goes when the supervisor closes it. */
	if (config->report.log_fd >= 0)
		close(config->report.log_fd);
	if (config->report.json_fd >= 0)
		close(config->report.json_fd);
	/* Only now: the supervisor's child must be open to it. What /proc has of us is then root's.
	 */
	prctl(PR_SET_DUMPABLE, 0);
	wait_for_supervisor(&g);
	if (g.done)
		return g.status;
	/* Nobody answers the tasks' calls any more, and nobody may outlive that. */
	stuck = reap_kill_all();
	restore_terminal(&g);
	complain("the supervisor %s: every task has been killed",
		 g.hung ? "hung for 2 s" : "was lost");
	if (stuck)
		complain("%d processes wait for a file system that does not answer, and end when "
			 "it does",
			 stuck);
	guardian_say_failure(status_fd, EXIT_HOST);
	return EXIT_HOST;
}

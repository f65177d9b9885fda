/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation
 *
 *	front               on the operator's terminal
 *	  ├── guardian      a session without a terminal; see guardian.c for what is below it
 *	  └── monitor       in the front's process group, for as long as it is looked at
 *
 * The guardian's side says on a pipe when the control socket is served; then the monitor is started
 * and attaches to the command's terminal, and with that the command begins. So what it writes is
 * never written to nobody, and an error of the start is seen on the plain terminal.
 *
 * The front knows how the run ended from the guardian's exit status alone. It outlives the monitor
 * and ends with the run, or earlier when the operator detaches or the terminal is hung up. If it is
 * killed the monitor gets SIGTERM, and the run goes on.
 *
 * What sandtop has to say to a stderr that is a terminal goes through a pipe, and is shown when no
 * monitor has the screen.
 */
#include "tools/front.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/control.h"
#include "core/escape.h"
#include "tools/backlog.h"
#include "tools/cmd.h"
#include "tools/tty.h"
#include "tui/monitor.h"
#include "uring/loop.h"

enum {
	GRACE = 1000, /* ms that a run may take to end after its monitor did */
	EXIT_HANGUP = 128 + SIGHUP,
	MONITOR_FAILED = 100, /* exit status of the monitor's process: it never had the screen */
};

/* Passed on to the guardian; it passes them on to the command. */
static const int forwarded[] = { SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 };

/* From the keyboard: while there is a monitor they do not come from it. */
static const int keyboard[] = { SIGINT, SIGQUIT };

/* What tells a monitor to end. */
static const int ends[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct front {
	const char *name;
	bool hold;
	bool no_mouse;
	struct tty tty;
	pid_t guardian, monitor; /* 0: none, or it has ended */
	int signals;             /* signalfd */
	int progress;            /* what the supervisor has got to, see supervisor.h */
	sigset_t mask;           /* as it was */
	struct sigaction child;  /* of SIGCHLD, the same */
	struct backlog messages; /* of the guardian's side */
	bool begun;              /* the command runs */
	bool had_monitor;
	bool plain;         /* nobody has the screen, and nobody will */
	bool left;          /* the run goes on without us */
	bool leave;         /* a signal has asked for the end */
	uint64_t ask_after; /* CLOCK_MONOTONIC, ns: if there still is a run then; 0: never */
	int status;         /* what to exit with */
};

int front_environment(void)
{
	/* What these say is true of the operator's terminal, not of the monitor's pane. */
	static const char *const foreign[] = {
		"COLORTERM",
		"COLUMNS",
		"LINES",
		"STY",
		"TERMCAP",
		"TERM_PROGRAM",
		"TERM_PROGRAM_VERSION",
		"TMUX",
		"TMUX_PANE",
		"VTE_VERSION",
		"WINDOWID",
	};

	for (size_t i = 0; i < COUNT(foreign); i++)
		unsetenv(foreign[i]);
	return setenv("TERM", "xterm-256color", 1) ? -errno : 0;
}

/* ---- the guardian --------------------------------------------------------- */

/* Descriptors of a terminal become the command's own terminal; it keeps all others. */
static unsigned leave_terminal(int messages)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	unsigned fds = 0;

	for (int fd = 0; fd <= 2; fd++) {
		if (!isatty(fd))
			continue;
		fds |= 1U << fd;
		if (dup2(fd == 2 ? messages : null, fd) < 0)
			_exit(EXIT_HOST);
	}
	close(null);
	return fds;
}

static _Noreturn void guard(const struct front *f, int progress, int messages, front_run_fn *run,
			    void *arg)
{
	struct supervisor_terminal terminal = {
		.settings = f->tty.settings,
		.size = f->tty.size,
		.progress = progress,
	};
	int status;

	sigaction(SIGCHLD, &f->child, NULL);
	sigprocmask(SIG_SETMASK, &f->mask, NULL);
	if (f->tty.in > 2)
		close(f->tty.in);
	close(f->progress);
	terminal.fds = leave_terminal(messages);
	if (messages >= 0)
		close(messages);
	if (setsid() < 0)
		_exit(EXIT_HOST);
	status = run(arg, &terminal);
	fflush(NULL);
	_exit(status);
}

/* Returns 0 or -errno. */
static int start_guardian(struct front *f, front_run_fn *run, void *arg)
{
	int progress[2], messages[2] = { -1, -1 };

	if (pipe2(progress, O_CLOEXEC))
		return -errno;
	/* A stderr that is a file gets lines as in a batch run. */
	if (isatty(2) && pipe2(messages, O_CLOEXEC))
		return -errno;
	f->progress = progress[0];
	f->guardian = fork();
	if (f->guardian == 0) {
		if (messages[0] >= 0)
			close(messages[0]);
		guard(f, progress[1], messages[1], run, arg);
	}
	if (f->guardian < 0)
		return -errno;
	close(progress[1]);
	if (messages[1] >= 0)
		close(messages[1]);
	fcntl(f->progress, F_SETFL, O_NONBLOCK);
	backlog_init(&f->messages, messages[0]);
	return 0;
}

/* ---- the monitor ----------------------------------------------------------- */

static void say_monitor_error(const char *text)
{
	char safe[1024];

	escape_text(text, safe, sizeof(safe));
	complain("cannot show the monitor: %s", safe);
}

static _Noreturn void monitor_process(const struct front *f, pid_t front, int messages)
{
	struct monitor_config config = {
		.tty_in = f->tty.in,
		.tty_out = f->tty.out,
		.messages = messages,
		.hold = f->hold,
		.no_mouse = f->no_mouse,
	};
	struct control_error err = { "" };
	struct monitor_result result;
	sigset_t mask = f->mask;

	/* monitor_run() reads them; one that comes when it is done must not cut the rest short. */
	for (size_t i = 0; i < COUNT(ends); i++)
		sigaddset(&mask, ends[i]);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	signal(SIGTSTP, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != front)
		_exit(MONITOR_DETACHED);
	config.control = control_connect(f->name, &err);
	if (config.control < 0) {
		say_monitor_error(err.text);
		_exit(MONITOR_FAILED);
	}
	if (monitor_run(&config, &result)) {
		say_monitor_error(result.error);
		_exit(MONITOR_FAILED);
	}
	/* Perhaps the front has gone and cannot. */
	tty_set_exclusive(&f->tty, false);
	_exit((int)result.end);
}

static void start_monitor(struct front *f)
{
	pid_t self = getpid();
	int messages[2];

	f->had_monitor = true;
	/* Without it the lines are shown at the end. */
	if (pipe2(messages, O_CLOEXEC))
		messages[0] = messages[1] = -1;
	f->monitor = fork();
	if (f->monitor == 0) {
		close(f->signals);
		close(f->progress);
		backlog_free(&f->messages);
		if (messages[1] >= 0)
			close(messages[1]);
		monitor_process(f, self, messages[0]);
	}
	if (f->monitor < 0) {
		f->monitor = 0;
		complain("cannot start the monitor: %s", strerror(errno));
		f->ask_after = loop_now();
	}
	if (messages[0] >= 0) {
		close(messages[0]);
		backlog_copy_to(&f->messages, messages[1]);
	}
}

/* The terminal is the shell's again: what was held back is shown, keys mean what they always do. */
static void end_monitor(struct front *f)
{
	f->plain = true;
	tty_set_exclusive(&f->tty, false);
	signal(SIGTSTP, SIG_DFL);
	backlog_print(&f->messages);
}

static void monitor_ended(struct front *f, int wait_status)
{
	int end = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;

	tty_restore(&f->tty, end < 0 || end > MONITOR_FAILED);
	end_monitor(f);
	switch (end) {
	case MONITOR_DETACHED:
		if (!f->begun) {
			f->ask_after = loop_now();
			break;
		}
		f->left = f->guardian != 0;
		if (f->left && !tty_is_gone(&f->tty))
			complain("detached; the run goes on: sandtop attach %s", f->name);
		break;
	case MONITOR_EXITED:
	case MONITOR_KILLED:
		break;
	default:
		/* Perhaps because the run ends. */
		f->ask_after = loop_now() + (uint64_t)GRACE * 1000000;
	}
}

/* ---- the run ---------------------------------------------------------------- */

/* Send a signal to every task. Returns 0 or -errno. */
static int signal_all(const struct front *f, int sig)
{
	struct control_error err = { "" };
	int fd = control_connect(f->name, &err);
	json_t *request, *reply = NULL;
	bool done;

	if (fd < 0)
		return fd;
	request = control_request("kill");
	if (request && json_object_set_new(request, "signal", json_integer(sig)) == 0)
		reply = control_call(fd, request, -1, NULL);
	done = control_succeeded(reply, &err);
	json_decref(request);
	json_decref(reply);
	close(fd);
	return done ? 0 : -EIO;
}

/* The monitor has gone, and the run has not ended with it. */
static void ask_run(struct front *f)
{
	f->ask_after = 0;
	if (f->begun) {
		complain("the monitor ended; the run goes on: sandtop attach %s", f->name);
		return;
	}
	/* It would wait for a monitor for ever. */
	complain("nothing was run (-b runs without a monitor)");
	f->status = EXIT_HOST;
	if (signal_all(f, SIGKILL))
		kill(f->guardian, SIGKILL);
}

/* With --hold the monitor outlives the run; who wants sandtop to end does not mean that. */
static void leave_held(const struct front *f)
{
	if (f->leave && f->monitor)
		kill(f->monitor, SIGTERM);
}

static void guardian_ended(struct front *f, int wait_status)
{
	f->guardian = 0;
	leave_held(f);
	f->ask_after = 0;
	if (f->status < 0)
		f->status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : EXIT_HOST;
	if (!f->had_monitor)
		end_monitor(f);
	if (f->plain)
		backlog_print(&f->messages);
	if (WIFSIGNALED(wait_status))
		complain("the guardian was killed by signal %d: every task has been killed",
			 WTERMSIG(wait_status));
}

/* So that the shell sees a stopped job; until it goes on, the terminal is for others to open. */
static void stop_with_monitor(const struct front *f)
{
	tty_set_exclusive(&f->tty, false);
	kill(getpid(), SIGSTOP);
}

static void go_on_with_monitor(const struct front *f)
{
	if (!f->monitor)
		return;
	tty_set_exclusive(&f->tty, tty_is_foreground(&f->tty));
	kill(f->monitor, SIGCONT);
}

static void reap(struct front *f)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (WIFSTOPPED(status)) {
			if (pid == f->monitor)
				stop_with_monitor(f);
		} else if (pid == f->guardian) {
			guardian_ended(f, status);
		} else if (pid == f->monitor) {
			f->monitor = 0;
			monitor_ended(f, status);
		}
	}
}

static bool is_keyboard(int sig)
{
	for (size_t i = 0; i < COUNT(keyboard); i++)
		if (keyboard[i] == sig)
			return true;
	return false;
}

static bool is_end(int sig)
{
	for (size_t i = 0; i < COUNT(ends); i++)
		if (ends[i] == sig)
			return true;
	return false;
}

static void take_signal(struct front *f, int sig)
{
	if (sig == SIGHUP && tty_is_gone(&f->tty)) {
		f->left = true;
		/* A run that has ended, and is only looked at, has a status of its own. */
		if (f->guardian)
			f->status = EXIT_HANGUP;
	} else if (is_keyboard(sig)) {
		/* Without the pane Ctrl-C comes here; it means all that run. */
		if (f->plain && f->guardian)
			signal_all(f, sig);
	} else if (sig == SIGCONT) {
		go_on_with_monitor(f);
	} else if (sig != SIGCHLD) {
		f->leave |= is_end(sig);
		if (f->guardian)
			kill(f->guardian, sig);
		else
			leave_held(f);
	}
}

static void take_signals(struct front *f)
{
	struct signalfd_siginfo info;

	while (read(f->signals, &info, sizeof(info)) == sizeof(info))
		take_signal(f, (int)info.ssi_signo);
}

static void take_progress(struct front *f)
{
	char what[2];
	ssize_t n = read(f->progress, what, sizeof(what));

	if (n < 0)
		return;
	if (n == 0) {
		close(f->progress);
		f->progress = -1;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (what[i] == FRONT_READY)
			start_monitor(f);
		else
			f->begun = true;
	}
}

static int wait_ms(const struct front *f)
{
	uint64_t now = loop_now();

	if (!f->ask_after)
		return -1;
	return f->ask_after > now ? (int)((f->ask_after - now) / 1000000) + 1 : 0;
}

static void turn(struct front *f)
{
	struct pollfd fds[] = {
		{ .fd = f->signals, .events = POLLIN },
		{ .fd = f->progress, .events = POLLIN },
		{ .fd = f->messages.fd, .events = POLLIN },
	};

	poll(fds, COUNT(fds), wait_ms(f));
	backlog_take(&f->messages);
	if (f->plain)
		backlog_print(&f->messages);
	if (fds[1].revents)
		take_progress(f);
	take_signals(f);
	reap(f);
	if (f->ask_after && loop_now() >= f->ask_after)
		ask_run(f);
}

static int block_signals(struct front *f)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGCONT);
	for (size_t i = 0; i < COUNT(forwarded); i++)
		sigaddset(&mask, forwarded[i]);
	for (size_t i = 0; i < COUNT(keyboard); i++)
		sigaddset(&mask, keyboard[i]);
	/* Inherited as ignored, it would keep wait(2) from working. */
	if (sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = SIG_DFL }, &f->child) ||
	    sigprocmask(SIG_BLOCK, &mask, &f->mask))
		return -errno;
	f->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	return f->signals < 0 ? -errno : 0;
}

int front_run(const struct front_config *config, front_run_fn *run, void *arg)
{
	struct front f = { .name = config->name,
			   .hold = config->hold,
			   .no_mouse = config->no_mouse,
			   .status = -1 };
	int ret = tty_save(&f.tty, config->in, config->out);

	if (ret) {
		complain("the monitor: cannot use the terminal: %s", strerror(-ret));
		return EXIT_HOST;
	}
	/* In the background nothing begins: the shell shows a job that waits for the terminal. */
	if (!tty_is_foreground(&f.tty))
		kill(0, SIGTTIN);
	ret = block_signals(&f);
	if (!ret)
		ret = start_guardian(&f, run, arg);
	if (ret) {
		complain("cannot start the run: %s", strerror(-ret));
		return EXIT_HOST;
	}
	/* After the fork: the command finds its signals as sandtop did. */
	signal(SIGTSTP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	tty_set_exclusive(&f.tty, true);
	while ((f.guardian || f.monitor) && !f.left)
		turn(&f);
	backlog_free(&f.messages);
	return f.status < 0 ? 0 : f.status;
}

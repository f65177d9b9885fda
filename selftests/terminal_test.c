/* SPDX-License-Identifier: MIT */
/*
 * A monitored run: the command's own terminal, its clients, and what becomes of
 * the operator's terminal and of the run when one of the processes goes.
 */
#include "selftests/harness.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/lib/console.h"
#include "selftests/lib/deadline.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/sandbox.h"
#include "selftests/lib/server.h"
#include "selftests/lib/viewer.h"

#define SANDTOP(...) ARGS("sandtop", "--name", "t", "--net-allow", ":1", "--", __VA_ARGS__)

enum { LONG = COMMAND_TIMEOUT, VERY_LONG = 25000 };

FIXTURE(terminal)
{
	struct console console;
	struct viewer viewer;
};

FIXTURE_SETUP(terminal)
{
	ASSERT_EQ(0, viewer_init());
}

FIXTURE_TEARDOWN(terminal)
{
	if (self->viewer.control >= 0 && self->viewer.text)
		viewer_ask(&self->viewer,
			   json_pack("{s:i, s:s, s:i}", "v", 1, "verb", "kill", "signal", SIGKILL));
	viewer_free(&self->viewer);
	console_free(&self->console);
}

/* Wait until a condition holds. */
#define AWAIT(condition)                                                                           \
	do {                                                                                       \
		int64_t deadline_ = deadline_in(LONG);                                             \
		bool holds_;                                                                       \
		while (!(holds_ = (condition)) && deadline_again(deadline_))                       \
			;                                                                          \
		EXPECT_TRUE(holds_)                                                                \
		{                                                                                  \
			TH_LOG("waited for %s", #condition);                                       \
		}                                                                                  \
	} while (0)

static bool is_raw(const FIXTURE_DATA(terminal) * self)
{
	struct termios now;

	return tcgetattr(self->console.slave, &now) == 0 && !(now.c_lflag & ICANON);
}

/* Start it on the console and attach to it, besides its own monitor. */
static void start(FIXTURE_DATA(terminal) * self, const char *const argv[])
{
	ASSERT_EQ(0, console_start(&self->console, argv, NULL, NULL));
	AWAIT(is_raw(self));
	ASSERT_EQ(0, viewer_open(&self->viewer, "t", LONG));
}

static void expect_text(FIXTURE_DATA(terminal) * self, const char *text)
{
	EXPECT_EQ(0, viewer_wait_text(&self->viewer, 0, text, LONG))
	{
		TH_LOG("no '%s' in '%s'", text, self->viewer.text);
	}
}

static void expect_shown(FIXTURE_DATA(terminal) * self, const char *text)
{
	EXPECT_EQ(0, console_wait_text(&self->console, 0, text, LONG))
	{
		TH_LOG("'%s' was not shown: '%s'", text, self->console.text);
	}
}

static bool is_exclusive(const FIXTURE_DATA(terminal) * self)
{
	int exclusive = 0;

	return ioctl(self->console.slave, TIOCGEXCL, &exclusive) == 0 && exclusive;
}

/* The operator's terminal is as it was. */
static void expect_restored(FIXTURE_DATA(terminal) * self)
{
	struct termios now = { 0 };

	EXPECT_EQ(0, tcgetattr(self->console.slave, &now));
	EXPECT_EQ(self->console.settings.c_iflag, now.c_iflag);
	EXPECT_EQ(self->console.settings.c_oflag, now.c_oflag);
	EXPECT_EQ(self->console.settings.c_lflag, now.c_lflag);
	EXPECT_EQ(self->console.settings.c_cflag, now.c_cflag);
	AWAIT(!is_exclusive(self));
}

static bool read_stat(pid_t pid, pid_t *parent, pid_t *session)
{
	char path[64], text[512];
	const char *after;
	FILE *file;
	bool found;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	found = fgets(text, sizeof(text), file) && (after = strrchr(text, ')')) &&
		sscanf(after, ") %*c %d %*d %d", parent, session) == 2;
	fclose(file);
	return found;
}

/* The child of `parent` that is in its session, or the one that is not; -1 if there is none. */
static pid_t child_of(pid_t parent, bool same_session)
{
	pid_t own, found = -1, its_parent, session;
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	if (!proc || !read_stat(parent, &its_parent, &own))
		own = -1;
	while (proc && (entry = readdir(proc))) {
		pid_t pid = atoi(entry->d_name);

		if (pid > 0 && read_stat(pid, &its_parent, &session) && its_parent == parent &&
		    (session == own) == same_session)
			found = pid;
	}
	if (proc)
		closedir(proc);
	return found;
}

static pid_t monitor_of(const FIXTURE_DATA(terminal) * self)
{
	return child_of(self->console.pid, true);
}

static pid_t guardian_of(const FIXTURE_DATA(terminal) * self)
{
	return child_of(self->console.pid, false);
}

static pid_t supervisor_of(const FIXTURE_DATA(terminal) * self)
{
	return child_of(guardian_of(self), true);
}

/* ---- what the command finds ---------------------------------------------- */

TEST_F(terminal, belongs_to_the_command)
{
	ASSERT_EQ(0, console_start(&self->console, SANDTOP("tenant", "facts"), NULL, NULL));
	expect_shown(self, "\n.\r\n");
	expect_shown(self, "terminals 111\r\n");
	expect_shown(self, "leader 1\r\n");
	expect_shown(self, "controlling 1\r\n");
	expect_shown(self, "foreground 1\r\n");
	expect_shown(self, "term xterm-256color\r\n");
	expect_shown(self, "sandtop t\r\n");
	EXPECT_STRNOTIN("inherited", self->console.text);
	EXPECT_STRNOTIN("ignored", self->console.text);
	EXPECT_STRNOTIN("blocked", self->console.text);
	EXPECT_EQ(0, console_wait(&self->console, LONG));
}

TEST_F(terminal, is_sandtops_own_in_a_batch_run)
{
	ASSERT_EQ(0, console_start(&self->console,
				   ARGS("sandtop", "-b", "--net-allow", ":1", "--name", "t", "--",
					"tenant", "facts"),
				   NULL, NULL));
	expect_shown(self, "\n.\r\n");
	expect_shown(self, "size 30 100\r\n");
	expect_shown(self, "leader 0\r\n");
	EXPECT_EQ(0, console_wait(&self->console, LONG));
}

static void stderr_to(void *arg)
{
	dup2(*(int *)arg, 2);
}

TEST_F(terminal, leaves_a_stderr_that_is_a_file)
{
	char text[4096] = "";
	int fds[2];

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	ASSERT_EQ(0, console_start(&self->console,
				   SANDTOP("sh", "-c",
					   "tenant facts; echo to-stderr >&2; "
					   "tenant connect 2 1 2>/dev/null"),
				   stderr_to, &fds[1]));
	close(fds[1]);
	expect_shown(self, "terminals 110\r\n");
	EXPECT_EQ(1, console_wait(&self->console, LONG));
	EXPECT_LT(0, read(fds[0], text, sizeof(text) - 1));
	EXPECT_STRIN("to-stderr\n", text);
	for (size_t n = strlen(text); n < sizeof(text) - 1;) {
		ssize_t got = read(fds[0], text + n, sizeof(text) - 1 - n);

		if (got <= 0)
			break;
		n += (size_t)got;
	}
	EXPECT_STRIN("sandtop: DENY tcp 127.0.0.1:2", text);
}

TEST_F(terminal, has_the_size_of_the_pane)
{
	size_t before;

	start(self, SANDTOP("tenant", "sizes"));
	/* The monitor is there, too: it would bring its size along. */
	expect_shown(self, "ready");
	/* A viewer's size is the terminal's. */
	ASSERT_EQ(0, viewer_ask(&self->viewer, json_pack("{s:i, s:s, s:i, s:i}", "v", 1, "verb",
							 "size", "rows", 41, "cols", 133)));
	expect_text(self, "size 41 133\r\n");
	/* A window that the operator resizes is, too, but for the rows that the monitor needs. */
	before = self->viewer.len;
	ASSERT_EQ(0, console_resize(&self->console, 50, 90));
	EXPECT_EQ(0, viewer_wait_text(&self->viewer, before, " 90\r\n", LONG));
	EXPECT_STRIN("size 4", self->viewer.text + before);
}

static const struct {
	int rows, cols;
} bad_sizes[] = { { 0, 80 }, { 24, 0 }, { -1, 80 }, { 24, 65536 }, { 70000, 80 } };

TEST_F(terminal, refuses_a_size_that_is_none)
{
	start(self, SANDTOP("tenant", "hold"));
	for (size_t i = 0; i < sizeof(bad_sizes) / sizeof(bad_sizes[0]); i++)
		EXPECT_EQ(-EPERM, viewer_ask(&self->viewer,
					     json_pack("{s:i, s:s, s:i, s:i}", "v", 1, "verb",
						       "size", "rows", bad_sizes[i].rows, "cols",
						       bad_sizes[i].cols)));
	EXPECT_EQ(-EPERM,
		  viewer_ask(&self->viewer, json_pack("{s:i, s:s}", "v", 1, "verb", "terminal")));
}

/* ---- what passes through --------------------------------------------------- */

TEST_F(terminal, changes_no_byte)
{
	enum { BYTES = 256 * 1024 };
	char *sent = malloc(BYTES);
	size_t done = 0, start_at;
	unsigned seed = 1;

	ASSERT_TRUE(sent);
	for (size_t i = 0; i < BYTES; i++)
		sent[i] = (char)(rand_r(&seed) >> 8);
	start(self, SANDTOP("tenant", "mirror", "262144"));
	expect_text(self, "ready\r\n");
	start_at = (size_t)(strstr(self->viewer.text, "ready\r\n") + 7 - self->viewer.text);
	while (self->viewer.len - start_at < BYTES) {
		ssize_t n = done == BYTES ? 0
					  : send(self->viewer.stream, sent + done, BYTES - done,
						 MSG_DONTWAIT | MSG_NOSIGNAL);

		done += n > 0 ? (size_t)n : 0;
		ASSERT_EQ(0, viewer_read(&self->viewer, LONG));
	}
	EXPECT_EQ(0, memcmp(sent, self->viewer.text + start_at, BYTES));
	free(sent);
	EXPECT_EQ(0, console_wait(&self->console, LONG));
}

TEST_F(terminal, shows_the_output_of_a_command_that_has_ended_already)
{
	ASSERT_EQ(0, console_start(&self->console, SANDTOP("echo", "short and quick"), NULL, NULL));
	EXPECT_EQ(0, console_wait(&self->console, LONG));
	expect_shown(self, "short and quick");
}

TEST_F(terminal, interrupts_the_foreground_job_alone)
{
	start(self, SANDTOP("bash", "--norc", "--noprofile", "-i"));
	ASSERT_EQ(0, console_type(&self->console, "tenant hold\r"));
	expect_text(self, "holding");
	ASSERT_EQ(0, console_type(&self->console, "\3"));
	ASSERT_EQ(0, console_type(&self->console, "echo was-$?\r"));
	expect_text(self, "was-130\r\n");
	ASSERT_EQ(0, console_type(&self->console, "exit 5\r"));
	EXPECT_EQ(5, console_wait(&self->console, LONG));
}

TEST_F(terminal, stops_and_continues_a_job)
{
	start(self, SANDTOP("bash", "--norc", "--noprofile", "-i"));
	ASSERT_EQ(0, console_type(&self->console, "tenant hold\r"));
	expect_text(self, "holding");
	ASSERT_EQ(0, console_type(&self->console, "\32"));
	expect_text(self, "Stopped");
	ASSERT_EQ(0, console_type(&self->console, "fg\r"));
	expect_text(self, "continued");
	ASSERT_EQ(0, console_type(&self->console, "\3exit 6\r"));
	EXPECT_EQ(6, console_wait(&self->console, LONG));
}

TEST_F(terminal, gives_the_operators_keys_to_the_command_alone)
{
	start(self, SANDTOP("sh", "-c", "tenant hold"));
	expect_text(self, "holding");
	/* The whole foreground of the pane. */
	ASSERT_EQ(0, console_type(&self->console, "\3"));
	EXPECT_EQ(128 + SIGINT, console_wait(&self->console, LONG));
	expect_restored(self);
}

/* ---- clients ----------------------------------------------------------------- */

TEST_F(terminal, has_room_for_four_clients)
{
	struct viewer more[3] = { 0 };

	start(self, SANDTOP("tenant", "hold"));
	expect_shown(self, "holding");
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(0, viewer_open(&more[i], "t", LONG));
	/* The monitor is the first. */
	EXPECT_EQ(-EPERM, viewer_open(&more[2], "t", LONG));
	viewer_detach(&more[0]);
	AWAIT(viewer_attach(&more[2], 24, 80) == 0);
	EXPECT_EQ(0, viewer_wait_text(&more[2], 0, "holding", LONG));
	for (int i = 0; i < 3; i++)
		viewer_free(&more[i]);
}

static void few_descriptors(void *arg)
{
	(void)arg;
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){ .rlim_cur = 100, .rlim_max = 100 });
}

/* Descriptors that lie unread in sockets are counted for all processes of a user together. */
TEST_F(terminal, is_given_beside_other_sandboxes)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	struct sandbox others[4];
	struct viewer seen = { 0 };

	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0,
			  sandbox_start(&others[i], ARGS("--net-allow", ":1", "--name", names[i]),
					ARGS("tenant", "hold"), NULL, NULL));
		ASSERT_EQ(0, viewer_connect(&seen, names[i], LONG));
		viewer_free(&seen);
	}
	ASSERT_EQ(0,
		  console_start(&self->console, SANDTOP("tenant", "hold"), few_descriptors, NULL));
	EXPECT_EQ(0, viewer_open(&self->viewer, "t", LONG));
	for (int i = 0; i < 4; i++)
		sandbox_free(&others[i]);
}

TEST_F(terminal, keeps_nothing_of_a_client_that_leaves)
{
	/* With input that nobody reads, too. */
	static const char keys[16384] = "x";

	ASSERT_EQ(0,
		  console_start(&self->console, SANDTOP("tenant", "hold"), few_descriptors, NULL));
	ASSERT_EQ(0, viewer_open(&self->viewer, "t", LONG));
	expect_text(self, "holding");
	for (int i = 0; i < 1000; i++) {
		if (i % 10 == 0)
			viewer_type(&self->viewer, keys, sizeof(keys));
		viewer_detach(&self->viewer);
		AWAIT(viewer_attach(&self->viewer, 24 + i % 2, 80) == 0);
	}
	self->viewer.len = 0;
	EXPECT_EQ(0, viewer_wait_text(&self->viewer, 0, "holding", LONG));
}

TEST_F(terminal, is_refused_in_a_batch_run)
{
	struct sandbox s;

	ASSERT_EQ(0, sandbox_start(&s, ARGS("--net-allow", ":1", "--name", "t"),
				   ARGS("tenant", "hold"), NULL, NULL));
	EXPECT_EQ(0, viewer_connect(&self->viewer, "t", LONG));
	EXPECT_EQ(-EPERM, viewer_attach(&self->viewer, 24, 80));
	EXPECT_EQ(-1, self->viewer.stream);
	sandbox_free(&s);
}

/* The monitor's screen is not drained here either: both do not take what they should. */
TEST_F_TIMEOUT(terminal, does_not_wait_for_a_client_that_is_stuck, 60)
{
	start(self, SANDTOP("sh", "-c", "tenant hold & tenant flood 20000000; echo past; wait"));
	/* The other client, which takes nothing. */
	EXPECT_EQ(0, kill(monitor_of(self), SIGSTOP));
	EXPECT_EQ(0, viewer_wait_text(&self->viewer, 0, "past", VERY_LONG));
	EXPECT_EQ(0, kill(monitor_of(self), SIGKILL));
	EXPECT_EQ(0, kill(self->console.pid, SIGCONT));
	expect_shown(self, "the run goes on");
}

static bool sees_anew(struct viewer *v, const char *text)
{
	size_t before = v->len;

	viewer_detach(v);
	return viewer_attach(v, 24, 80) == 0 && viewer_wait_text(v, before, text, 100) == 0;
}

TEST_F(terminal, never_waits_without_a_client)
{
	start(self, SANDTOP("sh", "-c",
			    "tenant hold & read x; tenant flood 20000000; echo past; "
			    "wait"));
	expect_text(self, "holding");
	EXPECT_EQ(0, kill(monitor_of(self), SIGKILL));
	expect_shown(self, "the run goes on");
	ASSERT_EQ(0, viewer_type(&self->viewer, "\r", 1));
	viewer_detach(&self->viewer);
	ASSERT_EQ(0, viewer_attach(&self->viewer, 24, 80));
	viewer_detach(&self->viewer);
	AWAIT(sees_anew(&self->viewer, "past"));
}

FIXTURE(flood)
{
	struct console console;
	struct viewer viewer;
	struct server *server;
};

FIXTURE_SETUP(flood)
{
	if (!netns_or_skip())
		return;
	ASSERT_EQ(0, viewer_init());
	self->server = server_new(SOCK_STREAM, "127.0.0.1", 0);
	ASSERT_TRUE(self->server);
}

FIXTURE_TEARDOWN(flood)
{
	viewer_free(&self->viewer);
	console_free(&self->console);
	server_free(self->server);
}

/* Returns the median of the i-th measurement that was printed, or -1. */
static long median(const struct viewer *v, int i)
{
	const char *at = v->text;

	while ((at = strstr(at, "median ")) && i--)
		at++;
	return at ? atol(at + 7) : -1;
}

TEST_F_TIMEOUT(flood, delays_no_decision, 60)
{
	char rule[32], script[200];
	long idle, busy;

	if (!self->server)
		return;
	snprintf(rule, sizeof(rule), "127.0.0.1:%u", server_port(self->server));
	snprintf(script, sizeof(script),
		 "tenant connect %u 500; tenant flood 100000000 & tenant connect %u 500; "
		 "kill $! && echo 'not over'; echo end",
		 server_port(self->server), server_port(self->server));
	ASSERT_EQ(0, console_start(&self->console,
				   ARGS("sandtop", "--name", "t", "--net-allow", rule, "--", "bash",
					"-c", script),
				   NULL, NULL));
	ASSERT_EQ(0, viewer_open(&self->viewer, "t", LONG));
	EXPECT_EQ(0, viewer_wait_text(&self->viewer, 0, "end\r\n", VERY_LONG));
	/* Else it was no flood. */
	EXPECT_STRIN("not over", self->viewer.text);
	idle = median(&self->viewer, 0);
	busy = median(&self->viewer, 1);
	TH_LOG("a connect took %ld us, beside the flood %ld us", idle, busy);
	EXPECT_LE(0, idle);
	/* There is less of the machine, but nobody waits for 16 KiB after 16 KiB to be read. */
	EXPECT_LT(busy, 10 * idle + 5000);
	EXPECT_EQ(0, server_wait(self->server, 1000, LONG));
}

/* ---- whose end is whose ------------------------------------------------------ */

TEST_F(terminal, survives_the_monitor)
{
	start(self, SANDTOP("sh", "-c", "echo shown-before; read x; echo after-$x; exit 9"));
	expect_text(self, "shown-before");
	EXPECT_TRUE(is_exclusive(self));
	EXPECT_EQ(0, kill(monitor_of(self), SIGKILL));
	expect_shown(self, "sandtop: the monitor ended; the run goes on: sandtop attach t\r\n");
	expect_restored(self);
	viewer_free(&self->viewer);
	/* What came before is there for who comes later. */
	ASSERT_EQ(0, viewer_open(&self->viewer, "t", LONG));
	expect_text(self, "shown-before");
	ASSERT_EQ(0, viewer_type(&self->viewer, "it\r", 3));
	expect_text(self, "after-it\r\n");
	EXPECT_EQ(9, console_wait(&self->console, LONG));
}

TEST_F(terminal, is_given_back_while_the_monitor_is_stopped)
{
	siginfo_t info;

	start(self, SANDTOP("sh", "-c", "tenant hold"));
	expect_shown(self, "holding");
	EXPECT_EQ(0, kill(monitor_of(self), SIGTSTP));
	/* The job is stopped as a whole, for the shell to see. */
	ASSERT_EQ(0, waitid(P_PID, (id_t)self->console.pid, &info, WSTOPPED));
	expect_restored(self);
	EXPECT_EQ(0, kill(self->console.pid, SIGCONT));
	AWAIT(is_raw(self));
	AWAIT(is_exclusive(self));
	ASSERT_EQ(0, console_type(&self->console, "\3"));
	EXPECT_EQ(128 + SIGINT, console_wait(&self->console, LONG));
	expect_restored(self);
}

TEST_F(terminal, can_be_interrupted_without_a_monitor)
{
	start(self, SANDTOP("sh", "-c", "tenant hold"));
	expect_text(self, "holding");
	EXPECT_EQ(0, kill(monitor_of(self), SIGKILL));
	expect_shown(self, "the run goes on");
	ASSERT_EQ(0, console_type(&self->console, "\3"));
	EXPECT_EQ(128 + SIGINT, console_wait(&self->console, LONG));
}

TEST_F(terminal, is_left_by_detaching)
{
	start(self, SANDTOP("sh", "-c", "tenant hold & read x; exit 3"));
	expect_text(self, "holding");
	ASSERT_EQ(0, console_type(&self->console, "\35"));
	ASSERT_EQ(0, console_type(&self->console, "q"));
	ASSERT_EQ(0, console_type(&self->console, "d"));
	EXPECT_EQ(0, console_wait(&self->console, LONG));
	expect_shown(self, "sandtop: detached; the run goes on: sandtop attach t\r\n");
	expect_restored(self);
	ASSERT_EQ(0, viewer_ask(&self->viewer, json_pack("{s:i, s:s}", "v", 1, "verb", "watch")));
	ASSERT_EQ(0, viewer_type(&self->viewer, "\r", 1));
	EXPECT_EQ(3, viewer_wait_exit(&self->viewer, LONG));
}

TEST_F(terminal, survives_the_process_that_was_started)
{
	start(self, SANDTOP("sh", "-c", "echo shown-before; read x; exit 3"));
	expect_text(self, "shown-before");
	EXPECT_TRUE(is_exclusive(self));
	EXPECT_EQ(0, kill(self->console.pid, SIGKILL));
	EXPECT_EQ(128 + SIGKILL, console_wait(&self->console, LONG));
	/* The monitor gives the terminal back; the run goes on. */
	AWAIT(!is_raw(self));
	ASSERT_EQ(0, viewer_ask(&self->viewer, json_pack("{s:i, s:s}", "v", 1, "verb", "watch")));
	ASSERT_EQ(0, viewer_type(&self->viewer, "\r", 1));
	EXPECT_EQ(3, viewer_wait_exit(&self->viewer, LONG));
	expect_restored(self);
}

TEST_F(terminal, survives_its_window)
{
	start(self, SANDTOP("sh", "-c", "echo shown-before; read x; exit 3"));
	expect_text(self, "shown-before");
	console_hang_up(&self->console);
	EXPECT_EQ(128 + SIGHUP, console_wait(&self->console, LONG));
	ASSERT_EQ(0, viewer_ask(&self->viewer, json_pack("{s:i, s:s}", "v", 1, "verb", "watch")));
	ASSERT_EQ(0, viewer_type(&self->viewer, "\r", 1));
	EXPECT_EQ(3, viewer_wait_exit(&self->viewer, LONG));
}

TEST_F(terminal, is_given_back_when_the_supervisor_is_lost)
{
	start(self, SANDTOP("tenant", "hold"));
	expect_text(self, "holding");
	EXPECT_TRUE(is_exclusive(self));
	EXPECT_EQ(0, kill(supervisor_of(self), SIGKILL));
	EXPECT_EQ(125, console_wait(&self->console, LONG));
	expect_shown(self, "sandtop: the supervisor was lost: every task has been killed\r\n");
	EXPECT_STRNOTIN("goes on", self->console.text);
	expect_restored(self);
}

TEST_F(terminal, is_given_back_when_the_guardian_is_lost)
{
	start(self, SANDTOP("tenant", "hold"));
	expect_text(self, "holding");
	EXPECT_TRUE(is_exclusive(self));
	EXPECT_EQ(0, kill(guardian_of(self), SIGKILL));
	EXPECT_EQ(125, console_wait(&self->console, LONG));
	expect_restored(self);
}

/* ---- how it ends --------------------------------------------------------------- */

FIXTURE(ending)
{
	struct console console;
};

FIXTURE_VARIANT(ending)
{
	int code;
	const char *shown;
	const char *args[12];
};

#define ENDS(name, code, shown, ...)                                                               \
	FIXTURE_VARIANT_ADD(ending, name)                                                          \
	{                                                                                          \
		code, shown,                                                                       \
		{                                                                                  \
			"sandtop", "--net-allow", ":1", __VA_ARGS__                                \
		}                                                                                  \
	}

ENDS(success, 0, "", "--", "true");
ENDS(own_status, 42, "", "--", "sh", "-c", "exit 42");
ENDS(sigterm, 143, "", "--", "sh", "-c", "kill -TERM $$");
ENDS(sigkill, 137, "", "--", "sh", "-c", "kill -KILL $$");
ENDS(no_such_command, 127, "sandtop: cannot run 'no-such': command not found\r\n", "--", "no-such");
ENDS(not_executable, 126, "sandtop: cannot run '/etc/passwd': Permission denied\r\n", "--",
     "/etc/passwd");
ENDS(timeout, 124, "sandtop: --timeout: time is over", "--timeout", "0.3", "--", "tenant", "hold");
ENDS(log_not_writable, 125, "--log", "--log", "/no/such/file", "--", "true");
ENDS(batch_and_monitor, 2, "sandtop: -b and --monitor are mutually exclusive\r\n", "-b",
     "--monitor", "--", "true");
ENDS(what_was_denied, 1, "sandtop:   --net-allow 127.0.0.1:2\r\n", "--", "tenant", "connect", "2",
     "1");
ENDS(json_to_stderr, 0, "\"event\":\"exit\"", "--json", "-", "--", "true");

FIXTURE_SETUP(ending)
{
	ASSERT_EQ(0, viewer_init());
}

FIXTURE_TEARDOWN(ending)
{
	console_free(&self->console);
}

TEST_F(ending, is_as_in_a_batch_run)
{
	ASSERT_EQ(0, console_start(&self->console, variant->args, NULL, NULL));
	EXPECT_EQ(variant->code, console_wait(&self->console, LONG));
	EXPECT_EQ(0, console_wait_text(&self->console, 0, variant->shown, 1000))
	{
		TH_LOG("no '%s' in '%s'", variant->shown, self->console.text);
	}
}

static void status_to(void *arg)
{
	dup2(*(int *)arg, 9);
}

TEST_F(terminal, says_how_it_ended_on_a_descriptor)
{
	char text[200] = "";
	int fds[2];

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	ASSERT_EQ(0, console_start(&self->console,
				   ARGS("sandtop", "--net-allow", ":1", "--status-fd", "9", "--",
					"sh", "-c", "kill -TERM $$"),
				   status_to, &fds[1]));
	close(fds[1]);
	EXPECT_EQ(128 + SIGTERM, console_wait(&self->console, LONG));
	EXPECT_LT(0, read(fds[0], text, sizeof(text) - 1));
	EXPECT_STREQ("{\"exit\":143,\"signal\":15,\"by\":\"command\"}\n", text);
}

TEST_F(terminal, forwards_signals)
{
	start(self, SANDTOP("tenant", "signals"));
	expect_text(self, "ready\r\n");
	EXPECT_EQ(0, kill(self->console.pid, SIGUSR1));
	expect_text(self, "got USR1");
	/* The terminal is there: no hangup. */
	EXPECT_EQ(0, kill(self->console.pid, SIGHUP));
	expect_text(self, "got HUP");
	EXPECT_EQ(0, kill(self->console.pid, SIGTERM));
	EXPECT_EQ(33, console_wait(&self->console, LONG));
}

static void stdin_from(void *arg)
{
	dup2(*(int *)arg, 0);
}

TEST_F(terminal, is_shown_on_dev_tty_on_request)
{
	int fds[2];

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	ASSERT_EQ(5, write(fds[1], "piped", 5));
	close(fds[1]);
	ASSERT_EQ(0, console_start(&self->console,
				   ARGS("sandtop", "--monitor", "--net-allow", ":1", "--", "sh",
					"-c", "cat; tenant facts"),
				   stdin_from, &fds[0]));
	EXPECT_EQ(0, console_wait(&self->console, LONG));
	expect_shown(self, "piped");
	expect_shown(self, "terminals 011\r\n");
}

TEST_F(terminal, must_be_there_for_a_monitor_on_request)
{
	struct command c;

	ASSERT_EQ(0, command_run(&c, ARGS("setsid", "-w", "sandtop", "--monitor", "--net-allow",
					  ":1", "--", "echo", "ran")));
	EXPECT_EQ(125, command_code(&c));
	EXPECT_STRIN("sandtop: --monitor: cannot open '/dev/tty'", c.err.text);
	EXPECT_STREQ("", c.out.text);
	command_free(&c);
}

static void unknown_terminal(void *arg)
{
	(void)arg;
	setenv("TERM", "no-such-terminal", 1);
}

TEST_F(terminal, that_no_monitor_can_use_runs_nothing)
{
	ASSERT_EQ(0,
		  console_start(&self->console, SANDTOP("touch", "ran"), unknown_terminal, NULL));
	EXPECT_EQ(125, console_wait(&self->console, LONG));
	expect_shown(self, "nothing was run (-b runs without a monitor)\r\n");
	EXPECT_NE(0, access("ran", F_OK));
}

/* ---- what the command must not reach --------------------------------------------- */

TEST_F(terminal, of_the_operator_is_closed_to_the_command)
{
	char other[64];

	/* The control: with a terminal that no monitor has. */
	ASSERT_EQ(0, console_start(&self->console, ARGS("tenant", "pry", "/dev/tty"), NULL, NULL));
	expect_shown(self, "open other OK");
	console_free(&self->console);

	/* The name is known only when the terminal is there. */
	ASSERT_EQ(0, console_start(&self->console, SANDTOP("sh", "-c", "read tty; tenant pry $tty"),
				   NULL, NULL));
	ASSERT_EQ(0, viewer_open(&self->viewer, "t", LONG));
	snprintf(other, sizeof(other), "%.50s\r", self->console.name);
	AWAIT(is_raw(self));
	ASSERT_EQ(0, viewer_type(&self->viewer, other, strlen(other)));
	expect_text(self, "open other EBUSY");
	expect_text(self, "type EPERM");
	EXPECT_EQ(0, console_wait(&self->console, LONG));
}

TEST_HARNESS_MAIN

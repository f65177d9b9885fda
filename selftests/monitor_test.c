/* SPDX-License-Identifier: MIT */
/*
 * The monitor as a person has it: the real program on a terminal, whose screen is read and on which
 * is typed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "selftests/harness.h"
#include "selftests/lib/command.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/sandbox.h"
#include "selftests/lib/server.h"
#include "selftests/lib/tty.h"

#define DOWN "\033OB"
#define F1   "\033OP"
#define F4   "\033OS"
#define F5   "\033[15~"

/* ---- attach to a batch run ------------------------------------------------ */

FIXTURE(attach)
{
	struct server *allowed, *denied;
	struct sandbox run;
	int order; /* ports go in, and the command connects to each */
	struct tty tty;
	struct command monitor;
};

FIXTURE_VARIANT(attach)
{
	int rows, cols;
};

FIXTURE_VARIANT_ADD(attach, on_80x24){ 24, 80 };
FIXTURE_VARIANT_ADD(attach, on_120x40){ 40, 120 };

static void start_run(FIXTURE_DATA(attach) * self)
{
	char fifo[128], script[512], rule[64];

	snprintf(fifo, sizeof(fifo), "%s/order", harness_dir());
	ASSERT_EQ(0, mkfifo(fifo, 0600));
	snprintf(script, sizeof(script),
		 "while read port; do case $port in exit) exit 7;; esac; "
		 "probe connect tcp 127.0.0.1 $port; done <%s",
		 fifo);
	snprintf(rule, sizeof(rule), "allow 127.0.0.1:%u", server_port(self->allowed));
	ASSERT_EQ(0, sandbox_start(&self->run, ARGS("--name", "watched", "-q", "--rule", rule),
				   ARGS("sh", "-c", script), NULL, NULL));
	self->order = open(fifo, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->order);
}

/* Have the command connect to a port. */
static void order(const FIXTURE_DATA(attach) * self, uint16_t port)
{
	ASSERT_LT(0, dprintf(self->order, "%u\n", port));
}

/* Wait until the command has done everything so far, and its peers have noticed. */
static void settle(FIXTURE_DATA(attach) * self)
{
	size_t count = server_count(self->allowed);

	order(self, server_port(self->allowed));
	ASSERT_EQ(0, server_wait(self->allowed, count + 1, TTY_TIMEOUT));
	ASSERT_EQ(0, server_knock(self->denied));
}

static void start_monitor(FIXTURE_DATA(attach) * self)
{
	ASSERT_EQ(0, command_start(&self->monitor, ARGS("sandtop", "attach", "watched"), tty_become,
				   &self->tty));
	ASSERT_EQ(0, tty_wait(&self->tty, "VERD"));
}

FIXTURE_SETUP(attach)
{
	if (!netns_or_skip())
		return;
	tty_environment();
	self->allowed = server_new(SOCK_STREAM, "127.0.0.1", 0);
	self->denied = server_new(SOCK_STREAM, "127.0.0.1", 0);
	ASSERT_NE(NULL, self->allowed);
	ASSERT_NE(NULL, self->denied);
	ASSERT_EQ(0, tty_open(&self->tty, variant->rows, variant->cols));
	start_run(self);
	order(self, server_port(self->denied));
	settle(self);
}

FIXTURE_TEARDOWN(attach)
{
	command_free(&self->monitor);
	tty_close(&self->tty);
	if (self->order > 0)
		close(self->order);
	sandbox_free(&self->run);
	server_free(self->allowed);
	server_free(self->denied);
}

TEST_F(attach, rows_of_real_traffic)
{
	start_monitor(self);
	EXPECT_EQ(0, tty_wait(&self->tty, "ALLOW   tcp    127.0.0.1"));
	EXPECT_EQ(0, tty_wait(&self->tty, "DENY    tcp    127.0.0.1"));
	EXPECT_EQ(0, tty_wait(&self->tty, "probe["));
	EXPECT_EQ(0, tty_wait(&self->tty, "allow 1  deny 1"));
	/* Without a key or a wait: it sees what happens now. */
	settle(self);
	EXPECT_EQ(0, tty_wait(&self->tty, "allow 2  deny 1"));
	EXPECT_TRUE(tty_has_color(&self->tty));
}

/* Select the row of the denied server: it alone has its port. */
static void select_denied(FIXTURE_DATA(attach) * self)
{
	char filter[32];

	snprintf(filter, sizeof(filter), F4 "127.0.0.1:%u\r", server_port(self->denied));
	ASSERT_EQ(0, tty_type(&self->tty, filter));
	ASSERT_EQ(0, tty_wait_gone(&self->tty, "ALLOW   tcp"));
	ASSERT_EQ(0, tty_type(&self->tty, DOWN));
}

TEST_F(attach, a_key_changes_what_the_next_connect_gets)
{
	start_monitor(self);
	ASSERT_EQ(0, tty_wait(&self->tty, "DENY    tcp"));
	EXPECT_EQ(0, server_count(self->denied));
	select_denied(self);

	ASSERT_EQ(0, tty_type(&self->tty, "a"));
	ASSERT_EQ(0, tty_wait(&self->tty, "generation 2"));
	order(self, server_port(self->denied));
	settle(self);
	EXPECT_EQ(1, server_count(self->denied));

	ASSERT_EQ(0, tty_type(&self->tty, "u"));
	ASSERT_EQ(0, tty_wait(&self->tty, "generation 3"));
	order(self, server_port(self->denied));
	settle(self);
	EXPECT_EQ(1, server_count(self->denied));
}

/* Before anything is tried again, NOW says what would become of it. */
TEST_F(attach, what_the_policy_would_say_now)
{
	char spec[64];
	struct command ctl;

	start_monitor(self);
	EXPECT_EQ(0, tty_wait(&self->tty, " deny "));
	EXPECT_EQ(0, tty_wait(&self->tty, " allow "));
	snprintf(spec, sizeof(spec), "127.0.0.1:%u", server_port(self->denied));
	ASSERT_EQ(0, command_run(&ctl, ARGS("sandtop", "ctl", "watched", "allow", spec)));
	EXPECT_EQ(0, command_code(&ctl));
	command_free(&ctl);
	EXPECT_EQ(0, tty_wait_gone(&self->tty, " deny  default"));
	EXPECT_EQ(0, tty_wait(&self->tty, " allow default"));
	EXPECT_EQ(0, server_count(self->denied));
	order(self, server_port(self->denied));
	EXPECT_EQ(0, server_wait(self->denied, 1, TTY_TIMEOUT));
}

TEST_F(attach, denying_what_was_allowed)
{
	start_monitor(self);
	ASSERT_EQ(0, tty_wait(&self->tty, "ALLOW   tcp"));
	select_denied(self);
	ASSERT_EQ(0, tty_type(&self->tty, "a"));
	ASSERT_EQ(0, tty_wait(&self->tty, "generation 2"));
	order(self, server_port(self->denied));
	settle(self);
	ASSERT_EQ(1, server_count(self->denied));
	ASSERT_EQ(0, tty_wait(&self->tty, "ALLOW   tcp"));

	ASSERT_EQ(0, tty_type(&self->tty, "d"));
	ASSERT_EQ(0, tty_wait(&self->tty, "generation 3"));
	order(self, server_port(self->denied));
	settle(self);
	EXPECT_EQ(1, server_count(self->denied));
	EXPECT_EQ(0, tty_wait(&self->tty, "DENY    tcp"));
}

TEST_F(attach, what_is_pasted_changes_nothing)
{
	start_monitor(self);
	select_denied(self);
	ASSERT_EQ(0, tty_type(&self->tty, "\033[200~aaa\rqk\033[201~"));
	ASSERT_EQ(0, tty_type(&self->tty, "\033]11;rgb:aaaa/aaaa/aaaa\a\033a"));
	ASSERT_EQ(0, tty_type(&self->tty, F1));
	ASSERT_EQ(0, tty_wait(&self->tty, "this help"));
	EXPECT_STRIN("gen 1", self->tty.text);
	order(self, server_port(self->denied));
	settle(self);
	EXPECT_EQ(0, server_count(self->denied));
}

TEST_F(attach, the_detail_of_a_row)
{
	start_monitor(self);
	select_denied(self);
	ASSERT_EQ(0, tty_type(&self->tty, "\r"));
	EXPECT_EQ(0, tty_wait(&self->tty, "To change it a: insert the rule \"allow 127.0.0.1:"));
	EXPECT_STRIN("ECONNREFUSED", self->tty.text);
	EXPECT_EQ(0, tty_wait(&self->tty, "1 x connect"));
	ASSERT_EQ(0, tty_type(&self->tty, "a"));
	EXPECT_EQ(0, tty_wait(&self->tty, "generation 2"));
}

TEST_F(attach, detaching_leaves_everything_as_it_was)
{
	start_monitor(self);
	EXPECT_FALSE(tty_is_restored(&self->tty));
	ASSERT_EQ(0, tty_type(&self->tty, "q"));
	ASSERT_EQ(0, tty_wait(&self->tty, "Leave the monitor?"));
	ASSERT_EQ(0, tty_type(&self->tty, "d"));
	ASSERT_EQ(0, tty_wait_end(&self->tty, &self->monitor));
	EXPECT_EQ(0, command_code(&self->monitor));
	EXPECT_TRUE(tty_is_restored(&self->tty));
	settle(self);
}

TEST_F(attach, it_resizes_down_to_nothing_and_up)
{
	start_monitor(self);
	ASSERT_EQ(0, tty_resize(&self->tty, 10, 40));
	EXPECT_EQ(0, tty_wait_gone(&self->tty, "d Deny"));
	EXPECT_EQ(0, tty_wait(&self->tty, "VERDI"));
	ASSERT_EQ(0, tty_resize(&self->tty, 5, 20));
	EXPECT_EQ(0, tty_wait_gone(&self->tty, "VERDI"));
	EXPECT_EQ(0, tty_wait(&self->tty, "F1 Help"));
	ASSERT_EQ(0, tty_resize(&self->tty, 1, 2));
	/* The beginning of a verdict. */
	EXPECT_EQ(0, tty_wait(&self->tty, "\342\200\246"));
	ASSERT_EQ(0, tty_resize(&self->tty, 40, 120));
	EXPECT_EQ(0, tty_wait(&self->tty, "q Quit"));
	EXPECT_EQ(0, tty_wait(&self->tty, "DENY    tcp    127.0.0.1"));
	settle(self);
}

/* The monitor sees the same size as before, but the terminal has lost what was on it. */
TEST_F(attach, it_resizes_and_back_at_once)
{
	start_monitor(self);
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, tty_resize(&self->tty, 5, 20));
		ASSERT_EQ(0, tty_resize(&self->tty, 1, 2));
		ASSERT_EQ(0, tty_resize(&self->tty, variant->rows, variant->cols));
		ASSERT_EQ(0, tty_wait(&self->tty, "q Quit"));
		ASSERT_EQ(0, tty_wait(&self->tty, "DENY    tcp    127.0.0.1"));
	}
}

/* Press and release the left button there; columns and rows are counted from 1. */
static int click(FIXTURE_DATA(attach) * self, int x, int y)
{
	char text[64];

	snprintf(text, sizeof(text), "\033[<0;%d;%dM\033[<0;%d;%dm", x, y, x, y);
	return tty_type(&self->tty, text);
}

/* Click on the first letter of that text on the screen. */
static int click_on(FIXTURE_DATA(attach) * self, const char *text)
{
	const char *at = strstr(self->tty.text, text), *line = self->tty.text, *next;
	int y = 1;

	if (!at)
		return -ENOENT;
	for (; (next = strchr(line, '\n')) && next < at; line = next + 1)
		y++;
	return click(self, (int)(at - line) + 1, y);
}

TEST_F(attach, a_click_goes_to_a_tab_and_sorts)
{
	start_monitor(self);
	EXPECT_TRUE(tty_has_mouse(&self->tty));
	ASSERT_EQ(0, click_on(self, "HITS"));
	EXPECT_EQ(0, tty_wait(&self->tty, "sorted by hits"));
	ASSERT_EQ(0, click_on(self, "ADDRESS"));
	EXPECT_EQ(0, tty_wait(&self->tty, "sorted by address"));
	ASSERT_EQ(0, click_on(self, "Connections "));
	EXPECT_EQ(0, tty_wait(&self->tty, "STATE"));
	ASSERT_EQ(0, click_on(self, "Rules "));
	EXPECT_EQ(0, tty_wait(&self->tty, "what no rule matches"));
}

/* Judged by the peer: the click on the bar is the key `a`, for the row that was clicked on. */
TEST_F(attach, clicks_change_what_the_next_connect_gets)
{
	char row[64];

	start_monitor(self);
	snprintf(row, sizeof(row), "%u", server_port(self->denied));
	ASSERT_EQ(0, tty_wait(&self->tty, row));
	ASSERT_EQ(0, click_on(self, "a Allow"));
	ASSERT_EQ(0, tty_wait(&self->tty, "select a row first"));
	ASSERT_EQ(0, tty_type(&self->tty, "\033"));
	ASSERT_EQ(0, tty_wait(&self->tty, "a Allow"));
	ASSERT_EQ(0, click_on(self, row));
	ASSERT_EQ(0, click_on(self, "a Allow"));
	ASSERT_EQ(0, tty_wait(&self->tty, "generation 2"));
	order(self, server_port(self->denied));
	EXPECT_EQ(0, server_wait(self->denied, 1, TTY_TIMEOUT));
}

TEST_F(attach, the_mouse_can_be_left_to_the_terminal)
{
	ASSERT_EQ(0,
		  command_start(&self->monitor, ARGS("sandtop", "attach", "--no-mouse", "watched"),
				tty_become, &self->tty));
	ASSERT_EQ(0, tty_wait(&self->tty, "q Quit"));
	EXPECT_FALSE(tty_has_mouse(&self->tty));
	ASSERT_EQ(0, tty_type(&self->tty, "M"));
	ASSERT_EQ(0, tty_wait(&self->tty, "the mouse clicks"));
	EXPECT_TRUE(tty_has_mouse(&self->tty));
	ASSERT_EQ(0, tty_type(&self->tty, "M"));
	ASSERT_EQ(0, tty_wait(&self->tty, "the mouse is the terminal's"));
	EXPECT_FALSE(tty_has_mouse(&self->tty));
}

static void borrow(void *tty)
{
	const struct tty *t = tty;

	setsid();
	for (int fd = 0; fd <= 2; fd++)
		dup2(t->slave, fd);
}

/* As under `su -c`: nobody tells it. */
TEST_F(attach, it_resizes_on_a_terminal_that_is_of_no_session_of_its)
{
	ASSERT_EQ(0, command_start(&self->monitor, ARGS("sandtop", "attach", "watched"), borrow,
				   &self->tty));
	ASSERT_EQ(0, tty_wait(&self->tty, "q Quit"));
	ASSERT_EQ(0, tty_resize(&self->tty, 5, 20));
	EXPECT_EQ(0, tty_wait_gone(&self->tty, "VERDI"));
	EXPECT_EQ(0, tty_wait(&self->tty, "F1 Help"));
}

/* It turned round and round, as no SIGHUP came. */
TEST_F(attach, it_ends_with_a_terminal_that_is_of_no_session_of_its)
{
	ASSERT_EQ(0, command_start(&self->monitor, ARGS("sandtop", "attach", "watched"), borrow,
				   &self->tty));
	ASSERT_EQ(0, tty_wait(&self->tty, "q Quit"));
	tty_hang_up(&self->tty);
	EXPECT_EQ(0, command_wait(&self->monitor, COMMAND_TIMEOUT));
	settle(self);
}

TEST_F(attach, a_signal_gives_the_terminal_back)
{
	static const int signals[] = { SIGTERM, SIGHUP, SIGINT, SIGSEGV, SIGABRT };

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		start_monitor(self);
		ASSERT_EQ(0, kill(self->monitor.pid, signals[i]));
		ASSERT_EQ(0, tty_wait_end(&self->tty, &self->monitor));
		EXPECT_TRUE(tty_is_restored(&self->tty))
		{
			TH_LOG("after signal %d", signals[i]);
		}
		command_free(&self->monitor);
	}
	settle(self);
}

TEST_F(attach, the_run_survives_a_monitor_that_is_killed)
{
	start_monitor(self);
	ASSERT_EQ(0, kill(self->monitor.pid, SIGKILL));
	ASSERT_EQ(0, tty_wait_end(&self->tty, &self->monitor));
	settle(self);
	/* And can be looked at again. */
	command_free(&self->monitor);
	start_monitor(self);
	EXPECT_EQ(0, tty_wait(&self->tty, "allow 2  deny 1"));
}

TEST_F(attach, the_end_of_the_command_ends_it)
{
	start_monitor(self);
	ASSERT_LT(0, dprintf(self->order, "exit\n"));
	ASSERT_EQ(0, tty_wait_end(&self->tty, &self->monitor));
	EXPECT_EQ(0, command_code(&self->monitor));
	EXPECT_STRIN("sandtop: the command has ended with status 7", self->tty.text);
	EXPECT_TRUE(tty_is_restored(&self->tty));
	EXPECT_EQ(0, sandbox_wait(&self->run));
	EXPECT_EQ(7, command_code(&self->run.command));
}

TEST_F(attach, killing_the_command)
{
	start_monitor(self);
	ASSERT_EQ(0, tty_type(&self->tty, "q"));
	ASSERT_EQ(0, tty_wait(&self->tty, "Leave the monitor?"));
	ASSERT_EQ(0, tty_type(&self->tty, "k"));
	ASSERT_EQ(0, tty_wait_end(&self->tty, &self->monitor));
	EXPECT_EQ(0, sandbox_wait(&self->run));
	EXPECT_EQ(128 + SIGTERM, command_code(&self->run.command));
}

/* The only child of the process that was started. */
static pid_t supervisor_of(const struct command *guardian)
{
	char path[64];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", guardian->pid, guardian->pid);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%d", &pid) != 1)
		TH_LOG("no supervisor: %s", strerror(errno));
	if (f)
		fclose(f);
	return pid;
}

TEST_F(attach, the_supervisor_dies)
{
	pid_t supervisor = supervisor_of(&self->run.command);

	ASSERT_LT(1, supervisor);
	start_monitor(self);
	ASSERT_EQ(0, kill(supervisor, SIGKILL));
	ASSERT_EQ(0, tty_wait_end(&self->tty, &self->monitor));
	EXPECT_EQ(1, command_code(&self->monitor));
	EXPECT_STRIN("the sandbox is gone", self->tty.text);
	EXPECT_TRUE(tty_is_restored(&self->tty));
}

TEST_F(attach, without_colours_and_without_utf8)
{
	setenv("NO_COLOR", "1", 1);
	setenv("LC_ALL", "C", 1);
	start_monitor(self);
	EXPECT_EQ(0, tty_wait(&self->tty, "DENY    tcp    127.0.0.1"));
	EXPECT_FALSE(tty_has_color(&self->tty));
	EXPECT_FALSE(self->tty.saw_8bit);
}

TEST_F(attach, a_batch_run_has_no_output_pane)
{
	start_monitor(self);
	ASSERT_EQ(0, tty_type(&self->tty, F5));
	EXPECT_EQ(0, tty_wait(&self->tty, "the command has no terminal of its own"));
	EXPECT_STRNOTIN("Output", self->tty.text);
}

/*
 * A picture comes whole: a terminal that is read once for each write sees one a look, not one for
 * each row that has changed. Reads are counted, and may put writes together, never take them apart.
 */
TEST_F(attach, a_picture_is_one_write)
{
	enum { PICTURES = 5 };
	size_t reads;

	start_monitor(self);
	ASSERT_EQ(0, tty_wait(&self->tty, "q Quit"));
	reads = self->tty.reads;
	for (int i = 0; i < PICTURES; i++) {
		ASSERT_EQ(0, tty_type(&self->tty, F1));
		ASSERT_EQ(0, tty_wait(&self->tty, "this help"));
		ASSERT_EQ(0, tty_type(&self->tty, "\033"));
		ASSERT_EQ(0, tty_wait(&self->tty, "VERDI"));
	}
	/* Between them it draws the clock. */
	EXPECT_LE(self->tty.reads - reads, 4 * PICTURES);
}

/* sched(7): it takes the processor from nobody, and gives it to whoever wakes. */
TEST_F(attach, it_gives_way)
{
	struct sched_attr attr = { .size = sizeof(attr) };

	start_monitor(self);
	ASSERT_EQ(0, syscall(SYS_sched_getattr, self->monitor.pid, &attr, sizeof(attr), 0));
	EXPECT_EQ(SCHED_BATCH, attr.sched_policy);
	EXPECT_EQ(getpriority(PRIO_PROCESS, 0), attr.sched_nice);
	EXPECT_EQ(20000000, attr.sched_runtime);
	/* What it watches has what it had. */
	ASSERT_EQ(0, syscall(SYS_sched_getattr, self->run.command.pid, &attr, sizeof(attr), 0));
	EXPECT_EQ(SCHED_NORMAL, attr.sched_policy);
}

/* ---- what goes wrong ------------------------------------------------------- */

static void expect_error(const char *const argv[], int status, const char *text)
{
	struct command c;

	ASSERT_EQ(0, command_run(&c, argv));
	EXPECT_EQ(status, command_code(&c));
	EXPECT_STRIN(text, c.err.text);
	EXPECT_STREQ("", c.out.text);
	command_free(&c);
}

TEST(what_attach_says_when_it_cannot)
{
	struct tty tty;
	struct command c;

	tty_environment();
	expect_error(ARGS("sandtop", "attach", "a", "b"), 2, "attach: unexpected 'b'");
	expect_error(ARGS("sandtop", "attach", "--x"), 2, "attach: unexpected '--x'");
	expect_error(ARGS("sandtop", "attach"), 1, "standard input is not a terminal");

	ASSERT_EQ(0, tty_open(&tty, 24, 80));
	ASSERT_EQ(0, command_start(&c, ARGS("sandtop", "attach"), tty_become, &tty));
	ASSERT_EQ(0, tty_wait_end(&tty, &c));
	EXPECT_EQ(1, command_code(&c));
	EXPECT_STRIN("sandtop: attach: ", tty.text);
	EXPECT_TRUE(tty_is_restored(&tty));
	command_free(&c);
	ASSERT_EQ(0, command_start(&c, ARGS("sandtop", "attach", "nobody"), tty_become, &tty));
	ASSERT_EQ(0, tty_wait_end(&tty, &c));
	EXPECT_EQ(1, command_code(&c));
	EXPECT_STRIN("nobody", tty.text);
	command_free(&c);
	tty_close(&tty);
}

TEST_F(attach, a_terminal_that_cannot_show_it)
{
	struct command c;

	setenv("TERM", "dumb", 1);
	ASSERT_EQ(0,
		  command_start(&c, ARGS("sandtop", "attach", "watched"), tty_become, &self->tty));
	ASSERT_EQ(0, tty_wait_end(&self->tty, &c));
	EXPECT_EQ(1, command_code(&c));
	EXPECT_STRIN("'dumb' ($TERM)", self->tty.text);
	EXPECT_TRUE(tty_is_restored(&self->tty));
	command_free(&c);
}

TEST_F(attach, a_terminal_of_which_nobody_says_what_it_is)
{
	struct command c;

	unsetenv("TERM");
	ASSERT_EQ(0,
		  command_start(&c, ARGS("sandtop", "attach", "watched"), tty_become, &self->tty));
	ASSERT_EQ(0, tty_wait_end(&self->tty, &c));
	EXPECT_EQ(1, command_code(&c));
	EXPECT_STRIN("$TERM does not say which terminal this is", self->tty.text);
	command_free(&c);
}

/* What was on it has been drawn over: it is left empty, and not with the end of a picture. */
TEST_F(attach, a_terminal_without_a_second_screen_is_left_empty)
{
	static const char *const terminals[] = { "linux", "vt100" };

	for (size_t i = 0; i < sizeof(terminals) / sizeof(*terminals); i++) {
		setenv("TERM", terminals[i], 1);
		start_monitor(self);
		EXPECT_EQ(0, tty_wait(&self->tty, "DENY    tcp    127.0.0.1"));
		EXPECT_EQ(0, tty_wait(&self->tty, "q Quit"));
		ASSERT_EQ(0, kill(self->monitor.pid, SIGTERM));
		ASSERT_EQ(0, tty_wait_end(&self->tty, &self->monitor));
		EXPECT_TRUE(tty_is_restored(&self->tty));
		EXPECT_STRNOTIN("DENY", self->tty.text);
		EXPECT_STRNOTIN("Quit", self->tty.text);
		command_free(&self->monitor);
	}
}

/* ---- the command's own terminal --------------------------------------------- */

FIXTURE(output)
{
	struct tty tty;
	struct command run;
};

FIXTURE_SETUP(output)
{
	if (!netns_or_skip())
		return;
	tty_environment();
	ASSERT_EQ(0, tty_open(&self->tty, 24, 80));
}

FIXTURE_TEARDOWN(output)
{
	command_free(&self->run);
	tty_close(&self->tty);
}

static void run(FIXTURE_DATA(output) * self, const char *script)
{
	ASSERT_EQ(0, command_start(&self->run,
				   ARGS("sandtop", "--preset", "none", "--", "sh", "-c", script),
				   tty_become, &self->tty));
}

TEST_F(output, everything_is_printed_again_at_the_end)
{
	run(self, "seq 1000 1100; printf 'd\\303\\251f \\033[31mred\\033[m\\n'; exit 3");
	ASSERT_EQ(0, tty_wait_end(&self->tty, &self->run));
	EXPECT_EQ(3, command_code(&self->run));
	EXPECT_STRIN("1099\n1100\nd\303\251f red\n", self->tty.text);
	EXPECT_TRUE(tty_has_color(&self->tty));
	EXPECT_TRUE(tty_is_restored(&self->tty));
}

TEST_F(output, every_key_goes_to_the_command)
{
	run(self, "stty raw -echo; printf 'now ready'; x=$(head -c 26 | od -An -c); stty sane; "
		  "echo; printf '%s\\n' \"$x\"");
	ASSERT_EQ(0, tty_wait(&self->tty, "now ready"));
	/* F5, Ctrl-Right, a letter that is two bytes, Alt-q, Ctrl-C, Ctrl-Z, q, Enter, Tab. */
	ASSERT_EQ(0, tty_type(&self->tty, F5 "\033[1;5C\303\251\033q\003\032q\r\t"));
	/* One Ctrl-], and F1. */
	ASSERT_EQ(0, tty_type(&self->tty, "\035\035" F1 "ab"));
	ASSERT_EQ(0, tty_wait_end(&self->tty, &self->run));
	EXPECT_STRIN("033   [   1   5   ~ 033   [   1   ;   5   C 303 251 033   q 003",
		     self->tty.text);
	EXPECT_STRIN("032   q  \\r  \\t 035 033   O   P", self->tty.text);
}

TEST_F(output, the_prefix_leads_to_the_decisions_and_back)
{
	run(self, "printf 'first line'; read x; echo got $x; read x");
	ASSERT_EQ(0, tty_wait(&self->tty, "first line"));
	ASSERT_EQ(0, tty_type(&self->tty, "\035"));
	ASSERT_EQ(0, tty_wait(&self->tty, "has not tried to reach anything"));
	ASSERT_EQ(0, tty_type(&self->tty, F5));
	ASSERT_EQ(0, tty_wait(&self->tty, "first line"));
	ASSERT_EQ(0, tty_type(&self->tty, "word\r"));
	EXPECT_EQ(0, tty_wait(&self->tty, "got word"));
	ASSERT_EQ(0, tty_type(&self->tty, "\r"));
	ASSERT_EQ(0, tty_wait_end(&self->tty, &self->run));
	EXPECT_TRUE(tty_is_restored(&self->tty));
}

TEST_F(output, it_has_the_size_of_the_pane)
{
	run(self, "stty size; trap 'echo now $(stty size)' WINCH; echo ready; "
		  "while :; do read x && break; done");
	ASSERT_EQ(0, tty_wait(&self->tty, "22 80"));
	ASSERT_EQ(0, tty_wait(&self->tty, "ready"));
	ASSERT_EQ(0, tty_resize(&self->tty, 40, 100));
	EXPECT_EQ(0, tty_wait(&self->tty, "now 38 100"));
	ASSERT_EQ(0, tty_type(&self->tty, "\r"));
	ASSERT_EQ(0, tty_wait_end(&self->tty, &self->run));
}

TEST_F(output, a_full_screen_program)
{
	run(self,
	    "echo before; printf '\\033[?1049h\\033[2J\\033[5;5Hinside\\033[?1000h\\033[?1006h'; "
	    "stty raw -echo; head -c 9 | od -An -c; printf '\\033[?1000l\\033[?1049l'; "
	    "stty sane; echo after");
	ASSERT_EQ(0, tty_wait(&self->tty, "inside"));
	EXPECT_STRNOTIN("\nbefore", self->tty.text);
	/* A click at column 10, row 8 of the screen: the pane begins in the third row. */
	ASSERT_EQ(0, tty_type(&self->tty, "\033[<0;10;8M"));
	ASSERT_EQ(0, tty_wait_end(&self->tty, &self->run));
	EXPECT_STRIN("before\nafter", self->tty.text);
	EXPECT_TRUE(tty_is_restored(&self->tty));
}

TEST_F(output, a_command_that_writes_hostile_output)
{
	run(self,
	    "printf '\\033[?7l\\033[999;999H\\346\\227\\245\\033[99b\\033]52;c;aGk=\\a\\033[?1003h"
	    "\\033(0lqk\\033(B\\033[?25l'; printf 'a\\343\\200\\257%.0s' 1 2 3 4; echo; echo end");
	ASSERT_EQ(0, tty_wait_end(&self->tty, &self->run));
	EXPECT_STRIN("end", self->tty.text);
	EXPECT_EQ(0, command_code(&self->run));
	EXPECT_TRUE(tty_is_restored(&self->tty));
}

TEST_HARNESS_MAIN

/* SPDX-License-Identifier: MIT */
/*
 * Limits: of the supervisor's own memory and descriptors under any number of
 * requests, and those that the user sets.
 */
#include "selftests/harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/lib/deadline.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/pidns.h"
#include "selftests/lib/sandbox.h"
#include "selftests/lib/server.h"

enum {
	PORT = 8080,
	LONG = 60000, /* ms: what takes many requests, under a sanitizer on a loaded machine */
	STILL = 200,  /* ms without a change */
	FDS_TOLERANCE = 20,   /* of some threads that have died it learns later: core/task.h */
	RSS_TOLERANCE = 2048, /* KiB */
};

/* The crowd's two destinations, see crowd.c. No log: the requests are too many. */
#define CROWD "sandtop", "-b", "-q", "--net-allow", "any://127.0.0.1", "--", "crowd"

/* ---- what the supervisor holds ----------------------------------------- */

FIXTURE(supervisor)
{
	struct command c;
	struct server *server;
};

FIXTURE_SETUP(supervisor)
{
	if (!netns_or_skip())
		return;
	self->server = server_new(SOCK_STREAM, "127.0.0.1", PORT);
	ASSERT_NE(NULL, self->server);
	/* A sanitizer keeps what was freed; not for long, here. */
	setenv("ASAN_OPTIONS", "detect_leaks=0:quarantine_size_mb=1", 1);
}

FIXTURE_TEARDOWN(supervisor)
{
	command_free(&self->c);
	server_free(self->server);
}

/*
 * Descriptors and resident memory of a process. Of one that is not dumpable only
 * root may count the descriptors (proc_pid_fd(5)); others see the size of the
 * table, which grows in powers of two.
 */
struct holdings {
	long fds, rss;
	bool counted;
};

static long status_number(pid_t pid, const char *key)
{
	char path[64], line[256];
	long value = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	ASSERT_NE(NULL, file);
	while (value < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)))
			value = atol(line + strlen(key));
	fclose(file);
	return value;
}

static struct holdings look_at(pid_t pid)
{
	struct holdings h = { .rss = status_number(pid, "VmRSS:") };
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir) {
		h.fds = status_number(pid, "FDSize:");
		return h;
	}
	h.counted = true;
	while (readdir(dir))
		h.fds++;
	closedir(dir);
	return h;
}

/* Of tasks that were killed in their sleep the supervisor learns at its next look: wait for that.
 */
static struct holdings look_when_still(pid_t pid)
{
	int64_t deadline = deadline_in(STILL);
	struct holdings least = look_at(pid), now;

	while (deadline_left(deadline)) {
		now = look_at(pid);
		if (now.fds < least.fds) {
			least = now;
			deadline = deadline_in(STILL);
		}
	}
	return least;
}

static pid_t pid_said(const struct command *c, const char *word)
{
	const char *at = strstr(c->out.text, word);

	ASSERT_NE(NULL, at);
	return atoi(at + strlen(word));
}

static void start_crowd(struct supervisor_data *self, const char *const argv[])
{
	ASSERT_EQ(0, command_start(&self->c, argv, NULL, NULL));
}

static void expect_word(struct supervisor_data *self, const char *word)
{
	ASSERT_EQ(0, command_wait_text(&self->c, &self->c.out, word, LONG))
	{
		TH_LOG("'%s' after: %s%s", word, self->c.out.text, self->c.err.text);
	}
}

static void finish(struct supervisor_data *self)
{
	ASSERT_EQ(0, command_wait(&self->c, LONG));
	EXPECT_EQ(0, command_code(&self->c))
	{
		TH_LOG("%s%s", self->c.out.text, self->c.err.text);
	}
}

/* The scenario stops twice to be looked at: when all is warm, and in the end. */
static void expect_steady(struct supervisor_data *self)
{
	struct holdings before, after;
	pid_t supervisor, command;

	expect_word(self, "warm\n");
	supervisor = pid_said(&self->c, "supervisor ");
	command = pid_said(&self->c, "command ");
	before = look_when_still(supervisor);
	EXPECT_EQ(0, kill(command, SIGUSR1));
	expect_word(self, "done\n");
	after = look_when_still(supervisor);
	TH_LOG("descriptors %ld, then %ld; RSS %ld KiB, then %ld KiB", before.fds, after.fds,
	       before.rss, after.rss);
	/* The size may have been just enough before. */
	EXPECT_GE(before.counted ? before.fds + FDS_TOLERANCE : 2 * before.fds, after.fds);
	EXPECT_GE(before.rss + RSS_TOLERANCE, after.rss);
	EXPECT_EQ(0, kill(command, SIGUSR1));
	finish(self);
	EXPECT_STRIN("wrong 0\n", self->c.out.text);
}

/* SANDTOP_TEST_REQUESTS=1000000 for the full measure. */
TEST_F_TIMEOUT(supervisor, is_steady_over_many_requests, 120)
{
	const char *count = getenv("SANDTOP_TEST_REQUESTS");

	start_crowd(self, ARGS(CROWD, "requests", count ? count : "100000"));
	expect_steady(self);
}

TEST_F_TIMEOUT(supervisor, is_steady_when_tasks_are_killed_in_mid_request, 90)
{
	start_crowd(self, ARGS(CROWD, "killed", "300"));
	expect_steady(self);
	EXPECT_STRIN("killed 300\nwrong 0\nwarm\nkilled 300\nwrong 0\ndone\n", self->c.out.text);
}

/* More at once than the supervisor keeps in flight (uring/engine.h, ENGINE_CALLS): they queue. */
TEST_F_TIMEOUT(supervisor, serves_600_that_wait_at_once, 90)
{
	start_crowd(self, ARGS(CROWD, "blocked", "600"));
	finish(self);
	EXPECT_STREQ("waiting 600\ncompleted 600, arrived 600\n", self->c.out.text);
}

TEST_F_TIMEOUT(supervisor, serves_a_storm_of_threads, 90)
{
	start_crowd(self, ARGS(CROWD, "threads"));
	finish(self);
	EXPECT_STREQ("wrong 0\n", self->c.out.text);
}

TEST_F_TIMEOUT(supervisor, serves_a_storm_of_forks, 90)
{
	start_crowd(self, ARGS(CROWD, "forks", "1500"));
	finish(self);
	EXPECT_STRIN("wrong 0\n", self->c.out.text);
}

static void enter_small_pidns(void *arg)
{
	(void)arg;
	pidns_enter_small();
}

TEST_F_TIMEOUT(supervisor, is_not_confused_when_numbers_are_used_again, 90)
{
	ASSERT_EQ(0, command_start(&self->c, ARGS(CROWD, "forks", "1500"), enter_small_pidns, NULL))
	{
		TH_LOG("98: no new /proc, 99: no pid_max of its own");
	}
	finish(self);
	EXPECT_STREQ("wrong 0\n# numbers used again\n", self->c.out.text);
}

/* ---- a supervisor that is lost in the middle --------------------------- */

TEST_F(supervisor, takes_all_traffic_with_it_when_it_is_lost)
{
	enum { WORKERS = 6 };
	pid_t workers[WORKERS], command;
	const char *at;
	char byte;

	start_crowd(self, ARGS(CROWD, "traffic", "8080"));
	expect_word(self, "traffic\n");
	ASSERT_EQ(0, server_wait(self->server, WORKERS, COMMAND_TIMEOUT));
	for (int i = 0; i < WORKERS; i++) {
		for (;;) {
			at = self->c.out.text;
			for (int n = 0; at && n <= i; n++)
				at = strstr(at + (n > 0), "worker ");
			if (at && strchr(at, '\n'))
				break;
			/* One has connected and not yet said so. */
			ASSERT_EQ(-ETIMEDOUT, command_wait(&self->c, 10));
		}
		workers[i] = atoi(at + strlen("worker "));
	}
	command = pid_said(&self->c, "command ");
	EXPECT_EQ(0, kill(pid_said(&self->c, "supervisor "), SIGKILL));
	EXPECT_EQ(0, command_await_death(command));
	for (int i = 0; i < WORKERS; i++)
		EXPECT_EQ(0, command_await_death(workers[i]));
	ASSERT_EQ(0, command_wait(&self->c, COMMAND_TIMEOUT));
	EXPECT_EQ(125, command_code(&self->c));
	for (int i = 0; i < WORKERS; i++)
		EXPECT_EQ(0, server_payload(self->server, i, &byte, 1, COMMAND_TIMEOUT));
	EXPECT_EQ(WORKERS, server_count(self->server));
}

/* ---- limits of the user ------------------------------------------------ */

FIXTURE(option)
{
	struct sandbox s;
	struct server *server;
	int fds[2];
	int64_t start;
};

FIXTURE_SETUP(option)
{
	self->fds[0] = self->fds[1] = -1;
	if (!netns_or_skip())
		return;
	self->server = server_new(SOCK_STREAM, "127.0.0.1", PORT);
	ASSERT_NE(NULL, self->server);
	self->start = deadline_in(0);
}

FIXTURE_TEARDOWN(option)
{
	sandbox_free(&self->s);
	server_free(self->server);
	close(self->fds[0]);
	close(self->fds[1]);
}

#define CONNECT "connect", "tcp", "127.0.0.1", "8080"
#define LIMIT   ARGS("-q", "--max-connections", "2", "--net-allow", "any://127.0.0.1")

static void expect_output(struct option_data *self, const char *const options[],
			  const char *const argv[], const char *output)
{
	ASSERT_EQ(0, sandbox_run(&self->s, options, argv));
	EXPECT_EQ(0, command_code(&self->s.command));
	EXPECT_STREQ(output, self->s.command.out.text)
	{
		TH_LOG("%s", self->s.command.err.text);
	}
}

TEST_F(option, max_connections_is_exact)
{
	const json_t *decision;

	expect_output(self, LIMIT, ARGS("probe", CONNECT, ",", CONNECT, ",", CONNECT),
		      "connect 0\nconnect 0\nconnect ECONNREFUSED\n");
	EXPECT_EQ(2, server_count(self->server));
	decision = sandbox_event(&self->s, "decision", 2);
	EXPECT_STREQ("deny", event_text(decision, "verdict"));
	EXPECT_STREQ("max-connections", event_text(decision, "rule"));
	EXPECT_EQ(ECONNREFUSED, event_number(decision, "errno"));
}

/* In the order of their connects; whose line comes first is chance. */
TEST_F(option, max_connections_counts_for_all_processes)
{
	ASSERT_EQ(0, sandbox_run(&self->s, LIMIT,
				 ARGS("probe", CONNECT, ",", "fork", ",", CONNECT, ",", "fork", ",",
				      CONNECT)));
	EXPECT_STRIN("connect ECONNREFUSED\n", self->s.command.out.text);
	EXPECT_EQ(2, server_count(self->server));
}

TEST_F(option, max_connections_counts_what_is_under_way)
{
	expect_output(self, LIMIT,
		      ARGS("probe", CONNECT, "nonblock", "nowait", ",", CONNECT, "nonblock",
			   "nowait", ",", CONNECT, "nonblock", "nowait"),
		      "connect EINPROGRESS\nconnect EINPROGRESS\nconnect ECONNREFUSED\n");
}

TEST_F(option, max_connections_counts_a_fast_open)
{
	expect_output(self, LIMIT,
		      ARGS("probe", "sendto", "tcp", "127.0.0.1", "8080", "fastopen", ",",
			   "sendmsg", "tcp", "127.0.0.1", "8080", "fastopen", ",", "sendmmsg",
			   "tcp", "127.0.0.1", "8080", "fastopen"),
		      "sendto 5\nsendmsg 5\nsendmmsg ECONNREFUSED\n");
}

TEST_F(option, max_connections_is_freed_by_a_close)
{
	expect_output(self, LIMIT,
		      ARGS("probe", CONNECT, ",", CONNECT, ",", "close", "same", ",", CONNECT, ",",
			   CONNECT),
		      "connect 0\nconnect 0\nclose 0\nconnect 0\nconnect ECONNREFUSED\n");
}

TEST_F(option, max_connections_is_freed_by_a_disconnect)
{
	expect_output(self, LIMIT,
		      ARGS("probe", CONNECT, ",", CONNECT, ",", "connect", "same", "unspec", "0",
			   ",", CONNECT, ",", CONNECT),
		      "connect 0\nconnect 0\nconnect 0\nconnect 0\nconnect ECONNREFUSED\n");
}

TEST_F(option, max_connections_is_freed_by_a_shutdown)
{
	expect_output(self, LIMIT,
		      ARGS("probe", CONNECT, ",", CONNECT, ",", "shutdown", "same", ",", CONNECT,
			   ",", CONNECT),
		      "connect 0\nconnect 0\nshutdown 0\nconnect 0\nconnect ECONNREFUSED\n");
}

/* Whoever it is connected to may go on to send: here nobody has accepted, or closed, it. */
TEST_F(option, max_connections_counts_what_is_half_shut)
{
#define CONNECT_HERE "connect", "tcp", "127.0.0.1", "8081"
	expect_output(self, LIMIT,
		      ARGS("probe", "bind", "tcp", "127.0.0.1", "8081", ",", "listen", "same", ",",
			   CONNECT_HERE, ",", CONNECT_HERE, ",", "shutdown", "same", "write", ",",
			   CONNECT_HERE),
		      "bind 0\nlisten 0\nconnect 0\nconnect 0\nshutdown 0\n"
		      "connect ECONNREFUSED\n");
#undef CONNECT_HERE
}

TEST_F(option, max_connections_does_not_count_what_failed)
{
	expect_output(self, LIMIT,
		      ARGS("probe", "connect", "tcp", "127.0.0.1", "8099", ",", "connect", "tcp",
			   "127.0.0.1", "8099", ",", "connect", "tcp", "127.0.0.2", "8080", ",",
			   "connect", "tcp", "127.0.0.1", "8099", ",", CONNECT, ",", CONNECT, ",",
			   CONNECT),
		      "connect ECONNREFUSED\nconnect ECONNREFUSED\nconnect ECONNREFUSED\n"
		      "connect ECONNREFUSED\nconnect 0\nconnect 0\nconnect ECONNREFUSED\n");
}

TEST_F(option, max_connections_does_not_count_udp)
{
	expect_output(self, LIMIT,
		      ARGS("probe", "connect", "udp", "127.0.0.1", "8080", ",", "connect", "udp",
			   "127.0.0.1", "8080", ",", "sendto", "udp", "127.0.0.1", "8080", ",",
			   CONNECT, ",", CONNECT),
		      "connect 0\nconnect 0\nsendto 5\nconnect 0\nconnect 0\n");
}

/* ---- --timeout --------------------------------------------------------- */

static void expect_elapsed(const struct option_data *self, int from, int to)
{
	int64_t ms = deadline_in(0) - self->start;

	EXPECT_LE(from, ms);
	EXPECT_GE(to, ms);
}

TEST_F(option, timeout_terminates)
{
	ASSERT_EQ(0, sandbox_run(&self->s, ARGS("--timeout", "0.3", "--net-allow", ":1"),
				 ARGS("probe", "signals")));
	EXPECT_EQ(124, command_code(&self->s.command));
	EXPECT_STREQ("signals ready\nsignals TERM\n", self->s.command.out.text);
	EXPECT_STRIN("sandtop: ", self->s.command.err.text);
	expect_elapsed(self, 300, 5000);
}

/* All of them: also who is no child of the command any more. */
TEST_F(option, timeout_kills_who_does_not_listen)
{
	ASSERT_EQ(0, sandbox_run(&self->s, ARGS("--timeout", "0.2", "--net-allow", ":1"),
				 ARGS("sh", "-c",
				      "trap '' TERM; setsid tail -f /dev/null & echo $!;"
				      "exec tail -f /dev/null")));
	EXPECT_EQ(124, command_code(&self->s.command));
	EXPECT_EQ(0, command_await_death(atoi(self->s.command.out.text)));
	expect_elapsed(self, 2200, 8000);
}

TEST_F(option, timeout_is_for_who_is_late)
{
	ASSERT_EQ(0, sandbox_run(&self->s, ARGS("--timeout", "60", "--net-allow", ":1"),
				 ARGS("sh", "-c", "exit 7")));
	EXPECT_EQ(7, command_code(&self->s.command));
	EXPECT_STREQ("", self->s.command.err.text);
}

/* ---- --linger ---------------------------------------------------------- */

TEST_F(option, linger_stays_until_the_last_task_ends)
{
	char fifo[64];
	int fd;

	snprintf(fifo, sizeof(fifo), "%s/fifo", harness_dir());
	ASSERT_EQ(0, mkfifo(fifo, 0600));
	ASSERT_EQ(0, sandbox_start(&self->s, ARGS("--linger", "--net-allow", "127.0.0.1:8080"),
				   ARGS("sh", "-c",
					"parent=$$; (while kill -0 $parent; do :; done; echo alone;"
					"read word < $0; probe connect tcp 127.0.0.1 8080 ,"
					" connect tcp 127.0.0.1 8081) 2>&- & exit 3",
					fifo),
				   NULL, NULL));
	ASSERT_EQ(0, command_wait_text(&self->s.command, &self->s.command.out, "alone\n",
				       COMMAND_TIMEOUT));
	EXPECT_EQ(-1, command_code(&self->s.command));
	fd = open(fifo, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(3, write(fd, "go\n", 3));
	close(fd);
	ASSERT_EQ(0, sandbox_wait(&self->s));
	EXPECT_EQ(3, command_code(&self->s.command));
	EXPECT_STREQ("alone\nconnect 0\nconnect ECONNREFUSED\n", self->s.command.out.text);
}

/* Python's multiprocessing has such a helper. It has some work to do when the pipe is closed. */
TEST_F(option, what_ends_by_itself_is_not_left_behind)
{
	char fifo[64];

	snprintf(fifo, sizeof(fifo), "%s/fifo", harness_dir());
	ASSERT_EQ(0, mkfifo(fifo, 0600));
	/* On a loaded machine it may take longer than it is given. */
	for (int i = 0; i < 5; i++) {
		sandbox_free(&self->s);
		ASSERT_EQ(0, sandbox_run(&self->s, ARGS("-q", "--preset", "none"),
					 ARGS("sh", "-c",
					      "(exec 3>&-; read line; i=0;"
					      "while [ $i -lt 5000 ]; do i=$((i + 1)); done;"
					      "echo bye) <$0 & exec 3>$0; exit 5",
					      fifo)));
		EXPECT_EQ(5, command_code(&self->s.command));
		if (*self->s.command.out.text)
			break;
	}
	EXPECT_STREQ("bye\n", self->s.command.out.text);
	EXPECT_STREQ("", self->s.command.err.text);
}

/* ---- few descriptors --------------------------------------------------- */

static void limit_descriptors(void *arg)
{
	const struct rlimit limit = { *(rlim_t *)arg, *(rlim_t *)arg };

	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Whatever it cannot open: it runs, or says so, and does not wait for ever. */
TEST_F(option, few_descriptors_are_too_few_or_enough)
{
	for (rlim_t limit = 8; limit <= 40; limit++) {
		ASSERT_EQ(0, sandbox_start(&self->s, ARGS("--net-allow", "127.0.0.1:8080"),
					   ARGS("probe", CONNECT), limit_descriptors, &limit));
		ASSERT_EQ(0, sandbox_wait(&self->s));
		if (command_code(&self->s.command)) {
			EXPECT_EQ(125, command_code(&self->s.command));
			EXPECT_GT(40, limit);
			EXPECT_STREQ("", self->s.command.out.text);
			EXPECT_STRIN("sandtop: cannot ", self->s.command.err.text);
			EXPECT_STRIN(": Too many open files: expected a higher limit on open files "
				     "(ulimit -n)\n",
				     self->s.command.err.text);
		} else {
			EXPECT_STREQ("connect 0\n", self->s.command.out.text);
		}
		sandbox_free(&self->s);
	}
}

static void limit_files(void *arg)
{
	const struct rlimit limit = { 1 << 16, 1 << 16 };

	(void)arg;
	setrlimit(RLIMIT_FSIZE, &limit);
}

TEST_F(option, no_room_for_a_file_is_said)
{
	ASSERT_EQ(0, sandbox_start(&self->s, ARGS("--net-allow", ":1"), ARGS("echo", "ran"),
				   limit_files, NULL));
	ASSERT_EQ(0, sandbox_wait(&self->s));
	EXPECT_EQ(125, command_code(&self->s.command));
	EXPECT_STREQ("", self->s.command.out.text);
	EXPECT_STRIN("sandtop: cannot make the ledger: File too large: expected a higher limit on "
		     "the size of files (ulimit -f)\n",
		     self->s.command.err.text);
}

static void limit_messages(void *arg)
{
	const struct rlimit limit = { 0, 0 };

	if (dup2(*(int *)arg, 2) < 0 || setrlimit(RLIMIT_FSIZE, &limit))
		_exit(99);
}

/* Messages go to a file that may not have an octet: they are lost, and SIGXFSZ ends nothing. */
TEST_F(option, no_room_for_messages_is_survived)
{
	static const char script[] = "echo ran; echo a word >&2; echo alive";
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/messages", harness_dir());
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_NE(-1, fd);
	ASSERT_EQ(0, command_start(&self->s.command, ARGS("sandtop", "-b", "--", "true"),
				   limit_messages, &fd));
	ASSERT_EQ(0, command_wait(&self->s.command, COMMAND_TIMEOUT));
	EXPECT_EQ(125, command_code(&self->s.command));
	command_free(&self->s.command);

	/* The command itself finds the signal as it was. */
	ASSERT_EQ(0, command_start(&self->s.command,
				   ARGS("sandtop", "-b", "--no-supervisor", "--net-allow", ":1",
					"--", "sh", "-c", script),
				   limit_messages, &fd));
	ASSERT_EQ(0, command_wait(&self->s.command, COMMAND_TIMEOUT));
	EXPECT_EQ(128 + SIGXFSZ, command_code(&self->s.command));
	EXPECT_STREQ("ran\n", self->s.command.out.text);
	close(fd);
}

/* ---- the end ----------------------------------------------------------- */

TEST_F(option, what_the_end_offers_goes_with_the_policys_other_options)
{
	static const struct {
		const char *option, *value, *offer;
	} rows[] = {
		{ "--net-allow", "127.0.0.1:8081", "sandtop:   --net-allow 127.0.0.1:8080\n" },
		{ "--rule", "allow :8081", "sandtop:   --rule 'allow 127.0.0.1:8080'\n" },
		{ "--preset", "none", "sandtop:   --rule 'allow 127.0.0.1:8080'\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ASSERT_EQ(0, sandbox_run(&self->s, ARGS(rows[i].option, rows[i].value),
					 ARGS("probe", "connect", "tcp", "127.0.0.1", "8080")));
		EXPECT_STRIN(rows[i].offer, self->s.command.err.text);
		sandbox_free(&self->s);
	}
	ASSERT_EQ(0, sandbox_run(&self->s, ARGS("--net-deny", ":8080"),
				 ARGS("probe", "connect", "tcp", "127.0.0.1", "8080")));
	EXPECT_EQ(NULL, strstr(self->s.command.err.text, "to allow"));
}

/* ---- descriptors ------------------------------------------------------- */

/* A number that no descriptor of this process has: dup2(2) would leave it close-on-exec. */
static void give_descriptor_77(void *arg)
{
	dup2(*(int *)arg, 77);
}

static void run_with_descriptor(struct option_data *self, int fd, const char *const options[],
				const char *const argv[])
{
	ASSERT_EQ(0, sandbox_start(&self->s, options, argv, give_descriptor_77, &fd));
	ASSERT_EQ(0, sandbox_wait(&self->s));
}

TEST_F(option, keep_fd_keeps_a_file)
{
	ASSERT_EQ(0, pipe2(self->fds, O_CLOEXEC));
	ASSERT_EQ(4, write(self->fds[1], "kept", 4));
	run_with_descriptor(
		self, self->fds[0], ARGS("--net-allow", ":1", "--keep-fd", "77"),
		ARGS("sh", "-c", "head -c4 /proc/self/fd/77; probe descriptor 77 , descriptor 78"));
	EXPECT_STREQ("keptdescriptor 0\ndescriptor EBADF\n", self->s.command.out.text);
}

TEST_F(option, keep_fd_refuses_a_socket)
{
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->fds));
	run_with_descriptor(self, self->fds[0], ARGS("--net-allow", ":1", "--keep-fd", "77"),
			    ARGS("echo", "ran"));
	EXPECT_EQ(2, command_code(&self->s.command));
	EXPECT_STREQ("", self->s.command.out.text);
	EXPECT_STRIN("--keep-fd", self->s.command.err.text);
	EXPECT_STRIN("'77'", self->s.command.err.text);
	EXPECT_STRIN("socket", self->s.command.err.text);
}

TEST_F(option, keep_fd_refuses_what_is_not_open)
{
	ASSERT_EQ(0, sandbox_run(&self->s, ARGS("--net-allow", ":1", "--keep-fd", "78"),
				 ARGS("echo", "ran")));
	EXPECT_EQ(2, command_code(&self->s.command));
	EXPECT_STRIN("--keep-fd", self->s.command.err.text);
	EXPECT_STRIN("'78'", self->s.command.err.text);
}

/* ---- --status-fd ------------------------------------------------------- */

/* When the run has ended: one line, and then the end of the pipe. A `signal` of -1 is not looked
 * at. */
static void expect_line(struct option_data *self, int code, int signal, const char *by)
{
	char text[256] = "";
	json_t *status;
	ssize_t n;

	EXPECT_EQ(code, command_code(&self->s.command));
	close(self->fds[1]);
	self->fds[1] = -1;
	n = read(self->fds[0], text, sizeof(text) - 1);
	ASSERT_LT(0, n);
	EXPECT_EQ('\n', text[n - 1]);
	EXPECT_EQ(0, read(self->fds[0], text + n, sizeof(text) - n));
	status = json_loads(text, 0, NULL);
	EXPECT_EQ(3, json_object_size(status))
	{
		TH_LOG("%s", text);
	}
	EXPECT_EQ(code, event_number(status, "exit"));
	if (signal >= 0)
		EXPECT_EQ(signal, event_number(status, "signal"));
	EXPECT_STREQ(by, event_text(status, "by"));
	json_decref(status);
}

static void expect_status(struct option_data *self, const char *const options[],
			  const char *const argv[], int code, int signal, const char *by)
{
	ASSERT_EQ(0, pipe2(self->fds, O_CLOEXEC));
	run_with_descriptor(self, self->fds[1], options, argv);
	expect_line(self, code, signal, by);
}

#define STATUS "--status-fd", "77", "--net-allow", ":1"

TEST_F(option, status_fd_of_an_exit)
{
	expect_status(self, ARGS(STATUS), ARGS("sh", "-c", "exit 42"), 42, 0, "command");
}

TEST_F(option, status_fd_of_a_signal)
{
	expect_status(self, ARGS(STATUS), ARGS("sh", "-c", "kill -SEGV $$"), 128 + SIGSEGV, SIGSEGV,
		      "command");
}

TEST_F(option, status_fd_of_a_command_that_looks_like_sandtop)
{
	expect_status(self, ARGS(STATUS), ARGS("sh", "-c", "exit 125"), 125, 0, "command");
}

TEST_F(option, status_fd_of_a_command_that_is_not_there)
{
	expect_status(self, ARGS(STATUS), ARGS("/no/such/thing"), 127, 0, "sandtop");
}

TEST_F(option, status_fd_of_a_run_that_cannot_begin)
{
	expect_status(self, ARGS(STATUS, "--log", "/no/such/log"), ARGS("true"), 125, 0, "sandtop");
}

TEST_F(option, status_fd_of_a_name_that_does_not_resolve)
{
	expect_status(self, ARGS("--status-fd", "77", "--net-allow", "unix:$NO_SUCH_VARIABLE"),
		      ARGS("true"), 125, 0, "sandtop");
}

TEST_F(option, status_fd_refuses_what_cannot_be_written)
{
	ASSERT_EQ(0, pipe2(self->fds, O_CLOEXEC));
	run_with_descriptor(self, self->fds[0], ARGS(STATUS), ARGS("echo", "ran"));
	EXPECT_EQ(2, command_code(&self->s.command));
	EXPECT_STREQ("", self->s.command.out.text);
	EXPECT_STREQ("sandtop: --status-fd: '77': expected a descriptor that is open for writing\n",
		     self->s.command.err.text);
}

TEST_F(option, status_fd_that_is_full_is_said)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	ASSERT_LE(0, full);
	run_with_descriptor(self, full, ARGS(STATUS), ARGS("true"));
	close(full);
	EXPECT_EQ(0, command_code(&self->s.command));
	EXPECT_STREQ("sandtop: --status-fd: '77': cannot write: No space left on device\n",
		     self->s.command.err.text);
}

TEST_F(option, status_fd_of_a_timeout)
{
	expect_status(self, ARGS(STATUS, "--timeout", "0.2"), ARGS("tail", "-f", "/dev/null"), 124,
		      -1, "sandtop");
}

TEST_F(option, status_fd_of_a_lost_supervisor)
{
	ASSERT_EQ(0, pipe2(self->fds, O_CLOEXEC));
	ASSERT_EQ(0, sandbox_start(&self->s, ARGS(STATUS),
				   ARGS("sh", "-c", "echo $PPID .; exec tail -f /dev/null"),
				   give_descriptor_77, &self->fds[1]));
	ASSERT_EQ(0, command_wait_text(&self->s.command, &self->s.command.out, ".\n",
				       COMMAND_TIMEOUT));
	EXPECT_EQ(0, kill(atoi(self->s.command.out.text), SIGKILL));
	ASSERT_EQ(0, command_wait(&self->s.command, COMMAND_TIMEOUT));
	expect_line(self, 125, 0, "sandtop");
}

TEST_F(option, status_fd_is_not_the_commands)
{
	expect_status(self, ARGS(STATUS), ARGS("probe", "descriptor", "77"), 0, 0, "command");
	EXPECT_STREQ("descriptor EBADF\n", self->s.command.out.text);
}

TEST_HARNESS_MAIN

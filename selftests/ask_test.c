/* SPDX-License-Identifier: MIT */
/*
 * Questions: calls are held until somebody answers, and nobody else waits for
 * that. What a peer received is what counts.
 */
#include "selftests/harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "selftests/lib/asked.h"
#include "selftests/lib/deadline.h"
#include "selftests/lib/netns.h"

enum { MANY = 50 };

/*
 * Arguments: what to do, how many. "ask N": N threads, of which the Ith connects to 127.0.1.I and
 * sends its number; says how many were let through. "busy N": beside those, how long each of 500
 * connects to 127.0.0.1 took at most but for the slowest hundredth.
 */
static const char script[] =
	"import errno, os, signal, socket, sys, threading, time\n"
	"what, count = sys.argv[1], int(sys.argv[2])\n"
	"good = []\n"
	"def attempt(i):\n"
	"    s = socket.socket()\n"
	"    try:\n"
	"        s.connect((f'127.0.1.{i}', 9000) if i < 256 else ('127.0.2.1', 9000))\n"
	"        s.send(b'%d' % i)\n"
	"        good.append(i)\n"
	"    except OSError as e:\n"
	"        if e.errno != errno.ECONNREFUSED:\n"
	"            print('wrong', e, flush=True)\n"
	"    s.close()\n"
	"threads = [threading.Thread(target=attempt, args=(i + 1,)) for i in range(count)]\n"
	"for t in threads:\n"
	"    t.start()\n"
	"if what == 'busy':\n"
	"    sys.stdin.readline()\n"
	"    took = []\n"
	"    for i in range(500):\n"
	"        s, start = socket.socket(), time.monotonic()\n"
	"        s.connect(('127.0.0.1', 9000))\n"
	"        took.append(time.monotonic() - start)\n"
	"        s.close()\n"
	"    p99 = sorted(took)[494]\n"
	"    print('p99 below 20 ms' if p99 < 0.02 else f'p99 {1000 * p99:.1f} ms', flush=True)\n"
	"for t in threads:\n"
	"    t.join()\n"
	"print('good', len(good), flush=True)\n"
	"sys.stdin.readline()\n";

/*
 * A child is held in a connect until it gets a signal: "kill", or one that it catches, with a
 * handler that makes the call end ("interrupt") or go on ("restart").
 */
static const char signal_script[] =
	"import os, signal, socket, sys, time\n"
	"pid = os.fork()\n"
	"if pid == 0:\n"
	"    def handler(*args):\n"
	"        if sys.argv[1] == 'interrupt':\n"
	"            raise InterruptedError\n"
	"    signal.signal(signal.SIGUSR1, handler)\n"
	"    signal.siginterrupt(signal.SIGUSR1, sys.argv[1] == 'interrupt')\n"
	"    try:\n"
	"        socket.socket().connect(('127.0.1.1', 9000))\n"
	"        print('connected', flush=True)\n"
	"    except InterruptedError:\n"
	"        print('interrupted', flush=True)\n"
	"    except OSError as e:\n"
	"        print('refused', flush=True)\n"
	"    os._exit(0)\n"
	"sys.stdin.readline()\n"
	"os.kill(pid, signal.SIGKILL if sys.argv[1] == 'kill' else signal.SIGUSR1)\n"
	"start = time.monotonic()\n"
	"_, status = os.waitpid(pid, 0)\n"
	"if sys.argv[1] != 'restart':\n"
	"    print('at once' if time.monotonic() - start < 5 else 'late')\n"
	"print('status', status, flush=True)\n";

/*
 * Every other kind of call that can be asked about; argument: a UNIX socket of the host. Of three
 * datagrams of one sendmmsg the second is asked about, as its address is 127.0.1.1.
 */
static const char kinds_script[] =
	"import ctypes, errno, os, socket, struct, sys\n"
	"def attempt(name, call):\n"
	"    try:\n"
	"        result = call()\n"
	"        print(name, 'ok' if result is None else result, flush=True)\n"
	"    except OSError as e:\n"
	"        print(name, errno.errorcode[e.errno], flush=True)\n"
	"libc = ctypes.CDLL(None, use_errno=True)\n"
	"def many():\n"
	"    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
	"    keep, headers = [], b''\n"
	"    for i in (1, 2, 1):\n"
	"        name = ctypes.create_string_buffer(struct.pack('=HH4s8x', socket.AF_INET,\n"
	"            socket.htons(9000), bytes((127, 0, i - 1, 1))), 16)\n"
	"        data = ctypes.create_string_buffer(b'%d' % i, 1)\n"
	"        iov = ctypes.create_string_buffer(struct.pack('QQ', ctypes.addressof(data), 1), "
	"16)\n"
	"        keep += [name, data, iov]\n"
	"        headers += struct.pack('QIxxxxQQQQixxxxIxxxx', ctypes.addressof(name), 16,\n"
	"            ctypes.addressof(iov), 1, 0, 0, 0, 0)\n"
	"    n = libc.sendmmsg(u.fileno(), ctypes.create_string_buffer(headers, len(headers)), 3, "
	"0)\n"
	"    if n < 0:\n"
	"        raise OSError(ctypes.get_errno(), '')\n"
	"    return n\n"
	"s = socket.socket()\n"
	"s.setblocking(False)\n"
	"attempt('nonblocking', lambda: s.connect(('127.0.1.1', 9000)))\n"
	"attempt('fastopen', lambda: socket.socket().sendto(b'x', socket.MSG_FASTOPEN,\n"
	"    ('127.0.1.1', 9000)))\n"
	"attempt('udp', lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(\n"
	"    ('127.0.1.1', 9000)))\n"
	"attempt('many', many)\n"
	"l = socket.socket()\n"
	"attempt('bind', lambda: l.bind(('0.0.0.0', 9001)))\n"
	"attempt('unix', lambda: socket.socket(socket.AF_UNIX).connect(sys.argv[1]))\n"
	"u = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
	"attempt('unix datagram', lambda: u.sendto(b'x', sys.argv[1] + '.dgram'))\n";

FIXTURE(ask)
{
	struct asked a;
};

FIXTURE_SETUP(ask)
{
	if (netns_or_skip())
		asked_init(&self->a);
}

FIXTURE_TEARDOWN(ask)
{
	asked_free(&self->a);
}

TEST_F(ask, each_answer_hits_its_own_question)
{
	unsigned long id, host;
	bool seen[MANY + 1] = { false };
	char payload[16], tail[64];
	const char *line;
	int allowed = 0;
	json_t *e;
	size_t i;

	asked_start(&self->a, ARGS("--ask"), script, "ask", "50");
	asked_go(&self->a);
	line = asked_held(&self->a, MANY);
	EXPECT_EQ(0, server_count(self->a.server));
	for (; *line; line = strchr(line, '\n') + 1) {
		ASSERT_EQ(3, sscanf(line, "%lu\ttcp\t127.0.1.%lu:9000\t\t%63s", &id, &host, tail));
		ASSERT_GE(MANY, host);
		EXPECT_EQ(0, strncmp(tail, "python3[", 8));
		asked_answer(&self->a, id, host % 2 ? "deny" : "allow", "once");
		allowed += host % 2 == 0;
	}
	asked_finish(&self->a);
	EXPECT_STRIN("good 25\n", self->a.s.command.out.text);
	EXPECT_EQ(allowed, server_count(self->a.server));
	for (i = 0; i < server_count(self->a.server); i++) {
		ASSERT_LT(0, server_payload(self->a.server, i, payload, sizeof(payload),
					    COMMAND_TIMEOUT));
		host = strtoul(payload, NULL, 10);
		ASSERT_TRUE(host >= 1 && host <= MANY);
		EXPECT_EQ(0, host % 2);
		EXPECT_FALSE(seen[host]);
		seen[host] = true;
	}
	EXPECT_EQ(MANY, asked_decisions(&self->a, "ask", "default"));
	/* Each final line names the line that asked. */
	json_array_foreach(self->a.s.events, i, e)
	{
		const json_t *asked;
		long answers = event_number(e, "answers");

		if (strcmp(event_text(e, "event"), "decision") ||
		    !strcmp(event_text(e, "verdict"), "ask"))
			continue;
		ASSERT_LT(0, answers);
		asked = sandbox_event(&self->a.s, "decision", (size_t)answers - 1);
		EXPECT_STREQ("ask", event_text(asked, "verdict"));
		EXPECT_STREQ(event_text(asked, "addr"), event_text(e, "addr"));
	}
}

TEST_F(ask, delays_nobody)
{
	asked_start(&self->a, ARGS("--rule", "ask 127.0.1.0/24", "--rule", "allow 127.0.0.1"),
		    script, "busy", "50");
	asked_go(&self->a);
	asked_held(&self->a, MANY);
	asked_go(&self->a);
	ASSERT_EQ(0, command_wait_text(&self->a.s.command, &self->a.s.command.out, "ms\n",
				       COMMAND_TIMEOUT));
	EXPECT_STRIN("p99 below 20 ms\n", self->a.s.command.out.text);
	asked_held(&self->a, MANY);
	driven_ctl(0, ARGS("deny", "127.0.1.0/24"));
	asked_finish(&self->a);
	EXPECT_STRIN("good 0\n", self->a.s.command.out.text);
}

TEST_F(ask, nobody_is_there)
{
	ASSERT_EQ(0,
		  sandbox_run(&self->a.s, ARGS("--ask", "-q"), ARGS(PYTHON, script, "ask", "1")));
	EXPECT_STRIN("good 0\n", self->a.s.command.out.text);
	EXPECT_EQ(1, asked_decisions(&self->a, "deny", "ask-nobody"));
	EXPECT_EQ(0, asked_decisions(&self->a, "ask", "default"));
	EXPECT_EQ(0, server_count(self->a.server));
}

TEST_F(ask, nobody_answers)
{
	asked_start(&self->a, ARGS("--ask", "--ask-timeout", "0.3"), script, "ask", "2");
	asked_go(&self->a);
	asked_finish(&self->a);
	EXPECT_STRIN("good 0\n", self->a.s.command.out.text);
	EXPECT_EQ(2, asked_decisions(&self->a, "deny", "ask-timeout"));
	EXPECT_EQ(0, server_count(self->a.server));
}

TEST_F(ask, more_than_can_be_held)
{
	asked_start(&self->a, ARGS("--ask"), script, "ask", "257");
	asked_go(&self->a);
	asked_held(&self->a, 256);
	driven_ctl(0, ARGS("deny", "127.0.0.0/8"));
	asked_finish(&self->a);
	EXPECT_STRIN("good 0\n", self->a.s.command.out.text);
	EXPECT_EQ(1, asked_decisions(&self->a, "deny", "ask-full"));
	EXPECT_EQ(0, server_count(self->a.server));
}

TEST_F(ask, session_answers_become_a_rule)
{
	asked_start(&self->a, ARGS("--ask"), script, "ask", "3");
	asked_go(&self->a);
	asked_held(&self->a, 3);
	EXPECT_STRIN("generation 2",
		     driven_ctl(0, ARGS("answer", "1", "allow", "session", "port")));
	asked_finish(&self->a);
	EXPECT_STRIN("good 3\n", self->a.s.command.out.text);
	EXPECT_EQ(3, asked_decisions(&self->a, "allow", "allow tcp://*:9000"));
	EXPECT_EQ(0, server_wait(self->a.server, 3, 5000));
}

TEST_F(ask, wrong_answers)
{
	asked_start(&self->a, ARGS("--ask"), script, "ask", "1");
	asked_go(&self->a);
	asked_held(&self->a, 1);
	EXPECT_STRIN("there is no question 2", driven_ctl(1, ARGS("answer", "2", "allow")));
	EXPECT_STRIN("unexpected 'x'", driven_ctl(2, ARGS("answer", "x", "allow")));
	EXPECT_STRIN("unexpected 'ask'", driven_ctl(2, ARGS("answer", "1", "ask")));
	EXPECT_STRIN("unexpected 'ever'", driven_ctl(2, ARGS("answer", "1", "deny", "ever")));
	EXPECT_STRIN("unexpected 'x'", driven_ctl(2, ARGS("answer", "1", "deny", "once", "x")));
	EXPECT_STREQ("1 released\n", driven_ctl(0, ARGS("answer", "1", "deny")));
	asked_finish(&self->a);
	EXPECT_STRIN("good 0\n", self->a.s.command.out.text);
}

/* What a file of /proc/PID has, or "". Valid until the next call. */
static const char *proc_text(long pid, const char *name)
{
	static char text[512];
	char path[64];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/%s", pid, name);
	f = fopen(path, "re");
	n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	text[n] = '\0';
	if (f)
		fclose(f);
	return text;
}

static long parent_of(long pid)
{
	const char *behind_name = strrchr(proc_text(pid, "stat"), ')');

	ASSERT_NE(NULL, behind_name);
	return strtol(behind_name + strlen(") S"), NULL, 10);
}

static bool is_in_recvmsg(long pid)
{
	return strtol(proc_text(pid, "syscall"), NULL, 10) == SYS_recvmsg;
}

/* "sandtop ctl held --wait", which has shown the first question. */
static void start_held(struct asked *a, struct command *c)
{
	ASSERT_EQ(0, command_start(c, ARGS("sandtop", "ctl", "held", "--wait"), NULL, NULL));
	asked_go(a);
	ASSERT_EQ(0, command_wait_text(c, &c->out, "\ttcp\t127.0.1.1:9000\t", COMMAND_TIMEOUT))
	{
		TH_LOG("%s", c->err.text);
	}
}

static void expect_held_to_end(struct command *c)
{
	ASSERT_EQ(0, command_wait(c, COMMAND_TIMEOUT));
	EXPECT_EQ(0, command_code(c));
	EXPECT_EQ(c->out.text, strstr(c->out.text, "1\ttcp\t127.0.1.1:9000\t"));
	EXPECT_STREQ("\n", strchr(c->out.text, '\n'));
	EXPECT_STREQ("", c->err.text);
	command_free(c);
}

TEST_F(ask, who_waits_for_questions_ends_with_the_run)
{
	struct command c;

	asked_start(&self->a, ARGS("--ask"), script, "ask", "1");
	start_held(&self->a, &c);
	asked_answer(&self->a, 1, "deny", "once");
	asked_says(&self->a, "good 0\n");
	EXPECT_EQ(-1, command_code(&c));
	asked_finish(&self->a);
	expect_held_to_end(&c);
}

/* The sandbox ends between the request and its reply: it is stopped until ctl waits for that. */
TEST_F(ask, who_waits_for_questions_ends_with_a_run_that_is_killed)
{
	int64_t deadline = deadline_in(COMMAND_TIMEOUT);
	struct command c;
	long supervisor;

	asked_start(&self->a, ARGS("--ask"), script, "ask", "1");
	supervisor = parent_of(asked_do(&self->a, "pid", "{\"v\":1,\"verb\":\"hello\"}"));
	ASSERT_LT(1, supervisor);
	start_held(&self->a, &c);
	ASSERT_EQ(0, kill((pid_t)supervisor, SIGSTOP));
	while (!is_in_recvmsg(c.pid) && deadline_again(deadline))
		;
	EXPECT_TRUE(is_in_recvmsg(c.pid));
	ASSERT_EQ(0, kill((pid_t)supervisor, SIGKILL));
	expect_held_to_end(&c);
	ASSERT_EQ(0, sandbox_wait(&self->a.s));
	EXPECT_EQ(125, command_code(&self->a.s.command));
}

TEST_F(ask, a_killed_task_is_held_no_more)
{
	asked_start(&self->a, ARGS("--ask"), signal_script, "kill", "");
	asked_go(&self->a);
	asked_held(&self->a, 1);
	asked_go(&self->a);
	asked_finish(&self->a);
	EXPECT_STRIN("at once\nstatus 9\n", self->a.s.command.out.text);
	EXPECT_EQ(0, server_count(self->a.server));
}

TEST_F(ask, a_signal_interrupts)
{
	asked_start(&self->a, ARGS("--ask"), signal_script, "interrupt", "");
	asked_go(&self->a);
	asked_held(&self->a, 1);
	asked_go(&self->a);
	asked_finish(&self->a);
	EXPECT_STRIN("interrupted\nat once\nstatus 0\n", self->a.s.command.out.text);
	EXPECT_EQ(1, asked_decisions(&self->a, "deny", "error EINTR"));
}

TEST_F(ask, a_restarted_call_asks_again)
{
	asked_start(&self->a, ARGS("--ask"), signal_script, "restart", "");
	asked_go(&self->a);
	asked_held(&self->a, 1);
	asked_go(&self->a);
	asked_question(&self->a, 2);
	EXPECT_STRIN("is over", driven_ctl(1, ARGS("answer", "1", "allow")));
	asked_answer(&self->a, 2, "allow", "once");
	asked_finish(&self->a);
	EXPECT_STRIN("connected\nstatus 0\n", self->a.s.command.out.text);
	EXPECT_EQ(0, server_wait(self->a.server, 1, 5000));
}

/* A UNIX socket of the host. */
static int listen_at(const char *path, int type)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	EXPECT_EQ(0, bind(fd, (struct sockaddr *)&at, sizeof(at)));
	chmod(path, 0777);
	if (type == SOCK_STREAM)
		EXPECT_EQ(0, listen(fd, 8));
	return fd;
}

/* Answer each question as it comes, the same to all. */
static void answer_all(FIXTURE_DATA(ask) * self, const char *verdict, unsigned long count)
{
	for (unsigned long i = 1; i <= count; i++) {
		asked_question(&self->a, i);
		asked_answer(&self->a, i, verdict, "once");
	}
}

static void every_kind(FIXTURE_DATA(ask) * self, const char *verdict, const char *expected,
		       bool arrives)
{
	struct server *datagrams = server_new(SOCK_DGRAM, "0.0.0.0", ASKED_PORT);
	char path[128], dgram[144];
	int stream_fd, dgram_fd, fd;
	char byte[8];

	ASSERT_NE(NULL, datagrams);
	snprintf(path, sizeof(path), "%s/host", harness_dir());
	snprintf(dgram, sizeof(dgram), "%s.dgram", path);
	stream_fd = listen_at(path, SOCK_STREAM);
	dgram_fd = listen_at(dgram, SOCK_DGRAM);
	asked_start(&self->a, ARGS("--ask", "--rule", "allow udp://127.0.0.1"), kinds_script, path,
		    "");
	asked_go(&self->a);
	answer_all(self, verdict, 6);
	asked_finish(&self->a);
	EXPECT_STRIN(expected, self->a.s.command.out.text);
	EXPECT_EQ(arrives ? 2 : 0, server_count(self->a.server));
	EXPECT_EQ(arrives ? 3 : 1, server_count(datagrams));
	fd = accept(stream_fd, NULL, NULL);
	EXPECT_EQ(arrives, fd >= 0);
	EXPECT_EQ(arrives ? 1 : -1, recv(dgram_fd, byte, sizeof(byte), MSG_DONTWAIT));
	if (fd >= 0)
		close(fd);
	close(stream_fd);
	close(dgram_fd);
	server_free(datagrams);
}

TEST_F(ask, every_kind_of_call_is_allowed)
{
	every_kind(self, "allow",
		   "nonblocking EINPROGRESS\nfastopen 1\nudp ECONNREFUSED\nmany 3\nbind ok\n"
		   "unix ok\nunix datagram 1\n",
		   true);
}

TEST_F(ask, every_kind_of_call_is_denied)
{
	every_kind(self, "deny",
		   "nonblocking ECONNREFUSED\nfastopen ECONNREFUSED\nudp ECONNREFUSED\nmany 1\n"
		   "bind EACCES\nunix EACCES\nunix datagram EACCES\n",
		   false);
}

TEST_HARNESS_MAIN

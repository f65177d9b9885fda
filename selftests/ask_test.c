/* SPDX-License-Identifier: MIT */
/*
 * Questions: calls are held until somebody answers, and nobody else waits for
 * that. What a peer received is what counts.
 */
#include "selftests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "selftests/lib/driven.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/server.h"

enum { PORT = 9000, MANY = 50 };

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

struct input {
	int fds[2];
};

FIXTURE(ask)
{
	struct sandbox s;
	struct server *server;
	struct input input;
	int control;
};

FIXTURE_SETUP(ask)
{
	self->control = -1;
	if (!netns_or_skip())
		return;
	driven_init();
	self->server = server_new(SOCK_STREAM, "0.0.0.0", PORT);
	ASSERT_NE(NULL, self->server);
	ASSERT_EQ(0, pipe(self->input.fds));
}

FIXTURE_TEARDOWN(ask)
{
	if (self->control >= 0)
		close(self->control);
	sandbox_free(&self->s);
	server_free(self->server);
}

static void take_stdin(void *arg)
{
	struct input *in = arg;

	dup2(in->fds[0], 0);
}

static void go(FIXTURE_DATA(ask) * self)
{
	EXPECT_EQ(1, write(self->input.fds[1], "\n", 1));
}

static json_t *request(FIXTURE_DATA(ask) * self, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static json_t *request(FIXTURE_DATA(ask) * self, const char *format, ...)
{
	char packet[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(packet, sizeof(packet), format, ap);
	va_end(ap);
	return driven_request(self->control, packet);
}

/* Start the command behind a gate, and be there to answer before it passes. */
static void start(FIXTURE_DATA(ask) * self, const char *const options[], const char *text,
		  const char *what, const char *count)
{
	static char gated[8192];
	const char *all[16] = { "--name", "asked", "-q" };
	int n = 3;
	json_t *reply;

	while (*options)
		all[n++] = *options++;
	snprintf(gated, sizeof(gated),
		 "import sys\nprint('here', flush=True)\n"
		 "sys.stdin.readline()\n%s",
		 text);
	ASSERT_EQ(0, sandbox_start(&self->s, all, ARGS("python3", "-c", gated, what, count),
				   take_stdin, &self->input));
	ASSERT_EQ(0, command_wait_text(&self->s.command, &self->s.command.out, "here\n",
				       COMMAND_TIMEOUT))
	{
		TH_LOG("%s", self->s.command.err.text);
	}
	self->control = driven_connect("asked");
	ASSERT_LE(0, self->control);
	reply = request(self, "{\"v\":1,\"verb\":\"attend\"}");
	ASSERT_NE(NULL, reply);
	json_decref(reply);
}

/* What is held, as `sandtop ctl held` prints it: up to 10 s are given for `count` questions. */
static const char *held(FIXTURE_DATA(ask) * self, int count)
{
	static char text[64 * 1024];
	int n = -1;

	for (int i = 0; i < 2000 && n != count; i++) {
		json_t *reply = request(self, "{\"v\":1,\"verb\":\"held\"}");

		ASSERT_NE(NULL, reply);
		ASSERT_NE(NULL, event_text(reply, "text"));
		snprintf(text, sizeof(text), "%s", event_text(reply, "text"));
		json_decref(reply);
		n = 0;
		for (const char *c = text; *c; c++)
			n += *c == '\n';
		if (n != count)
			usleep(5000);
	}
	EXPECT_EQ(count, n);
	return text;
}

static void answer(FIXTURE_DATA(ask) * self, unsigned long id, const char *verdict,
		   const char *lifetime)
{
	json_t *reply = request(self,
				"{\"v\":1,\"verb\":\"answer\",\"id\":%lu,\"verdict\":\"%s\","
				"\"lifetime\":\"%s\"}",
				id, verdict, lifetime);

	EXPECT_NE(NULL, reply);
	EXPECT_TRUE(json_is_true(json_object_get(reply, "ok")))
	{
		TH_LOG("%s", event_text(reply, "error"));
	}
	json_decref(reply);
}

static void finish(FIXTURE_DATA(ask) * self)
{
	/* A sandbox that ends has no reply to the change that let it end. */
	go(self);
	ASSERT_EQ(0, sandbox_wait(&self->s));
	EXPECT_STRNOTIN("wrong", self->s.command.out.text);
	EXPECT_STRNOTIN("Traceback", self->s.command.err.text);
}

/* How many decisions have this verdict and reason. */
static int decisions(FIXTURE_DATA(ask) * self, const char *verdict, const char *rule)
{
	int n = 0;
	const json_t *e;

	for (size_t i = 0; (e = sandbox_event(&self->s, "decision", i)); i++)
		n += !strcmp(event_text(e, "verdict"), verdict) &&
		     !strcmp(event_text(e, "rule"), rule);
	return n;
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

	start(self, ARGS("--ask"), script, "ask", "50");
	go(self);
	line = held(self, MANY);
	EXPECT_EQ(0, server_count(self->server));
	for (; *line; line = strchr(line, '\n') + 1) {
		ASSERT_EQ(3, sscanf(line, "%lu\ttcp\t127.0.1.%lu:9000\t\t%63s", &id, &host, tail));
		ASSERT_GE(MANY, host);
		EXPECT_EQ(0, strncmp(tail, "python3[", 8));
		answer(self, id, host % 2 ? "deny" : "allow", "once");
		allowed += host % 2 == 0;
	}
	finish(self);
	EXPECT_STRIN("good 25\n", self->s.command.out.text);
	ASSERT_EQ(0, server_knock(self->server));
	EXPECT_EQ(allowed, server_count(self->server));
	for (i = 0; i < server_count(self->server); i++) {
		ASSERT_LT(0, server_payload(self->server, i, payload, sizeof(payload), 1000));
		host = strtoul(payload, NULL, 10);
		ASSERT_TRUE(host >= 1 && host <= MANY);
		EXPECT_EQ(0, host % 2);
		EXPECT_FALSE(seen[host]);
		seen[host] = true;
	}
	EXPECT_EQ(MANY, decisions(self, "ask", "default"));
	/* Each final line names the line that asked. */
	json_array_foreach(self->s.events, i, e)
	{
		const json_t *asked;
		long answers = event_number(e, "answers");

		if (strcmp(event_text(e, "event"), "decision") ||
		    !strcmp(event_text(e, "verdict"), "ask"))
			continue;
		ASSERT_LT(0, answers);
		asked = sandbox_event(&self->s, "decision", (size_t)answers - 1);
		EXPECT_STREQ("ask", event_text(asked, "verdict"));
		EXPECT_STREQ(event_text(asked, "addr"), event_text(e, "addr"));
	}
}

TEST_F(ask, delays_nobody)
{
	start(self, ARGS("--rule", "ask 127.0.1.0/24", "--rule", "allow 127.0.0.1"), script, "busy",
	      "50");
	go(self);
	held(self, MANY);
	go(self);
	ASSERT_EQ(0, command_wait_text(&self->s.command, &self->s.command.out, "ms\n",
				       COMMAND_TIMEOUT));
	EXPECT_STRIN("p99 below 20 ms\n", self->s.command.out.text);
	held(self, MANY);
	driven_ctl(0, ARGS("deny", "127.0.1.0/24"));
	finish(self);
	EXPECT_STRIN("good 0\n", self->s.command.out.text);
}

TEST_F(ask, nobody_is_there)
{
	ASSERT_EQ(0, sandbox_run(&self->s, ARGS("--ask", "-q"),
				 ARGS("python3", "-c", script, "ask", "1")));
	EXPECT_STRIN("good 0\n", self->s.command.out.text);
	EXPECT_EQ(1, decisions(self, "deny", "ask-nobody"));
	EXPECT_EQ(0, decisions(self, "ask", "default"));
	ASSERT_EQ(0, server_knock(self->server));
	EXPECT_EQ(0, server_count(self->server));
}

TEST_F(ask, nobody_answers)
{
	start(self, ARGS("--ask", "--ask-timeout", "0.3"), script, "ask", "2");
	go(self);
	finish(self);
	EXPECT_STRIN("good 0\n", self->s.command.out.text);
	EXPECT_EQ(2, decisions(self, "deny", "ask-timeout"));
	ASSERT_EQ(0, server_knock(self->server));
	EXPECT_EQ(0, server_count(self->server));
}

TEST_F(ask, more_than_can_be_held)
{
	start(self, ARGS("--ask"), script, "ask", "257");
	go(self);
	held(self, 256);
	driven_ctl(0, ARGS("deny", "127.0.0.0/8"));
	finish(self);
	EXPECT_STRIN("good 0\n", self->s.command.out.text);
	EXPECT_EQ(1, decisions(self, "deny", "ask-full"));
	ASSERT_EQ(0, server_knock(self->server));
	EXPECT_EQ(0, server_count(self->server));
}

TEST_F(ask, session_answers_become_a_rule)
{
	start(self, ARGS("--ask"), script, "ask", "3");
	go(self);
	held(self, 3);
	EXPECT_STRIN("generation 2",
		     driven_ctl(0, ARGS("answer", "1", "allow", "session", "port")));
	finish(self);
	EXPECT_STRIN("good 3\n", self->s.command.out.text);
	EXPECT_EQ(3, decisions(self, "allow", "allow tcp://*:9000"));
	EXPECT_EQ(0, server_wait(self->server, 3, 5000));
}

TEST_F(ask, wrong_answers)
{
	start(self, ARGS("--ask"), script, "ask", "1");
	go(self);
	held(self, 1);
	EXPECT_STRIN("there is no question 2", driven_ctl(1, ARGS("answer", "2", "allow")));
	EXPECT_STRIN("unexpected 'x'", driven_ctl(2, ARGS("answer", "x", "allow")));
	EXPECT_STRIN("unexpected 'ask'", driven_ctl(2, ARGS("answer", "1", "ask")));
	EXPECT_STRIN("unexpected 'ever'", driven_ctl(2, ARGS("answer", "1", "deny", "ever")));
	EXPECT_STRIN("unexpected 'x'", driven_ctl(2, ARGS("answer", "1", "deny", "once", "x")));
	EXPECT_STREQ("1 released\n", driven_ctl(0, ARGS("answer", "1", "deny")));
	finish(self);
	EXPECT_STRIN("good 0\n", self->s.command.out.text);
}

TEST_F(ask, a_killed_task_is_held_no_more)
{
	start(self, ARGS("--ask"), signal_script, "kill", "");
	go(self);
	held(self, 1);
	go(self);
	finish(self);
	EXPECT_STRIN("at once\nstatus 9\n", self->s.command.out.text);
	ASSERT_EQ(0, server_knock(self->server));
	EXPECT_EQ(0, server_count(self->server));
}

TEST_F(ask, a_signal_interrupts)
{
	start(self, ARGS("--ask"), signal_script, "interrupt", "");
	go(self);
	held(self, 1);
	go(self);
	finish(self);
	EXPECT_STRIN("interrupted\nat once\nstatus 0\n", self->s.command.out.text);
	EXPECT_EQ(1, decisions(self, "deny", "error EINTR"));
}

TEST_F(ask, a_restarted_call_asks_again)
{
	start(self, ARGS("--ask"), signal_script, "restart", "");
	go(self);
	held(self, 1);
	go(self);
	for (int i = 0; i < 1000 && strncmp(held(self, 1), "2\t", 2); i++)
		usleep(5000);
	EXPECT_STRIN("is over", driven_ctl(1, ARGS("answer", "1", "allow")));
	answer(self, 2, "allow", "once");
	finish(self);
	EXPECT_STRIN("connected\nstatus 0\n", self->s.command.out.text);
	EXPECT_EQ(0, server_wait(self->server, 1, 5000));
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

/* Answer each question as it comes, the same to all. Returns what was asked, up to the end. */
static void answer_all(FIXTURE_DATA(ask) * self, const char *verdict, int count)
{
	for (int i = 1; i <= count; i++) {
		const char *text = held(self, 1);

		for (int k = 0; k < 2000 && strtol(text, NULL, 10) != i; k++) {
			usleep(5000);
			text = held(self, 1);
		}
		ASSERT_EQ(i, strtol(text, NULL, 10));
		answer(self, (unsigned long)i, verdict, "once");
	}
}

static void every_kind(FIXTURE_DATA(ask) * self, const char *verdict, const char *expected,
		       bool arrives)
{
	struct server *datagrams = server_new(SOCK_DGRAM, "0.0.0.0", PORT);
	char path[128], dgram[144];
	int stream_fd, dgram_fd, fd;
	char byte[8];

	ASSERT_NE(NULL, datagrams);
	snprintf(path, sizeof(path), "%s/host", harness_dir());
	snprintf(dgram, sizeof(dgram), "%s.dgram", path);
	stream_fd = listen_at(path, SOCK_STREAM);
	dgram_fd = listen_at(dgram, SOCK_DGRAM);
	start(self, ARGS("--ask", "--rule", "allow udp://127.0.0.1"), kinds_script, path, "");
	go(self);
	answer_all(self, verdict, 6);
	finish(self);
	EXPECT_STRIN(expected, self->s.command.out.text);
	ASSERT_EQ(0, server_knock(self->server));
	EXPECT_EQ(arrives ? 2 : 0, server_count(self->server));
	ASSERT_EQ(0, server_knock(datagrams));
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

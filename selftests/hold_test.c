/* SPDX-License-Identifier: MIT */
/*
 * What can happen to a call while it is held: it goes to where it was asked
 * about, or nowhere. What a peer received is what counts.
 */
#include "selftests/harness.h"

#include <stdlib.h>
#include <string.h>

#include "selftests/lib/asked.h"
#include "selftests/lib/netns.h"

/* The first argument is the function to run. Each line on stdin lets it go on. */
static const char script[] =
	"import ctypes, errno, socket, struct, sys, threading, time\n"
	"libc = ctypes.CDLL(None, use_errno=True)\n"
	"say = lambda *words: print(' '.join(map(str, words)) + '\\n', end='', flush=True)\n"
	"def attempt(name, call):\n"
	"    try:\n"
	"        say(name, call() or 'ok')\n"
	"    except OSError as e:\n"
	"        say(name, errno.errorcode[e.errno])\n"
	"def start(name, call):\n"
	"    t = threading.Thread(target=attempt, args=(name, call))\n"
	"    t.start()\n"
	"    return t\n"
	/* A listen is held while its socket gets another port. */
	"def moved():\n"
	"    s = socket.socket()\n"
	"    s.bind(('127.0.0.1', 0))\n"
	"    port = s.getsockname()[1]\n"
	"    t = start('listen', s.listen)\n"
	"    sys.stdin.readline()\n"
	"    s.connect(('127.0.0.1', 9000))\n"
	"    libc.connect(s.fileno(), ctypes.create_string_buffer(16), 16)\n"
	"    s.bind(('127.0.0.1', 9001))\n"
	"    say('moved')\n"
	"    t.join()\n"
	/* The same without that. */
	"def stays():\n"
	"    s = socket.socket()\n"
	"    s.bind(('127.0.0.1', 0))\n"
	"    t = start('listen', s.listen)\n"
	"    sys.stdin.readline()\n"
	"    t.join()\n"
	/* Two questions about one endpoint, the second one later. */
	"def twice():\n"
	"    def call(data):\n"
	"        s = socket.create_connection(('127.0.1.1', 9000))\n"
	"        s.send(data)\n"
	"    t = start('first', lambda: call(b'first'))\n"
	"    sys.stdin.readline()\n"
	"    u = start('second', lambda: call(b'second'))\n"
	"    t.join()\n"
	"    u.join()\n"
	/* The socket's own time limit is shorter than the operator takes. */
	"def limited():\n"
	"    s = socket.socket()\n"
	"    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack('ll', 0, 100000))\n"
	"    begin = time.monotonic()\n"
	"    attempt('limited', lambda: s.connect(('127.0.1.1', 9000)))\n"
	"    say('patient' if time.monotonic() - begin > 0.4 else 'hasty')\n"
	/* A connection, and what becomes of it; and another attempt. */
	"def stays_open():\n"
	"    s = socket.socket()\n"
	"    attempt('connect', lambda: s.connect(('127.0.1.1', 9000)))\n"
	"    sys.stdin.readline()\n"
	"    attempt('send', lambda: s.send(b'later', socket.MSG_NOSIGNAL) and 'ok')\n"
	"    sys.stdin.readline()\n"
	"    attempt('again', lambda: socket.create_connection(('127.0.1.1', 9000)))\n"
	"globals()[sys.argv[1]]()\n"
	"sys.stdin.readline()\n";

FIXTURE(hold)
{
	struct asked a;
};

FIXTURE_SETUP(hold)
{
	if (netns_or_skip())
		asked_init(&self->a);
}

FIXTURE_TEARDOWN(hold)
{
	asked_free(&self->a);
}

static const char *const ask_listen[] = { "--rule", "ask in tcp://127.0.0.1", "--rule",
					  "allow 127.0.0.1:9000", NULL };

/* Answer the question that is held, as soon as it is. Returns its number. */
static unsigned long answer_one(struct asked *a, const char *verdict)
{
	unsigned long id = strtoul(asked_held(a, 1), NULL, 10);

	asked_answer(a, id, verdict, "once");
	return id;
}

TEST_F(hold, a_listener_that_stays_is_let_go)
{
	asked_start(&self->a, ask_listen, script, "stays", "");
	asked_go(&self->a);
	answer_one(&self->a, "allow"); /* bind */
	EXPECT_STRIN("in tcp\t127.0.0.1:", asked_held(&self->a, 1));
	answer_one(&self->a, "allow");
	asked_go(&self->a);
	asked_finish(&self->a);
	EXPECT_STRIN("listen ok\n", self->a.s.command.out.text);
}

TEST_F(hold, a_listener_that_moved_is_not_let_go)
{
	unsigned long listen;

	asked_start(&self->a, ask_listen, script, "moved", "");
	asked_go(&self->a);
	answer_one(&self->a, "allow"); /* bind */
	listen = strtoul(asked_held(&self->a, 1), NULL, 10);
	asked_go(&self->a);
	/* The second bind is asked about as well. */
	asked_answer(&self->a, strtoul(strchr(asked_held(&self->a, 2), '\n'), NULL, 10), "allow",
		     "once");
	asked_says(&self->a, "moved\n");
	asked_answer(&self->a, listen, "allow", "once");
	asked_finish(&self->a);
	EXPECT_STRIN("listen EACCES\n", self->a.s.command.out.text);
	EXPECT_EQ(1, asked_decisions(&self->a, "deny", "error ESTALE"));
}

TEST_F(hold, an_answer_is_for_what_was_shown)
{
	char payload[16];

	asked_start(&self->a, ARGS("--ask"), script, "twice", "");
	asked_go(&self->a);
	asked_held(&self->a, 1);
	asked_go(&self->a);
	asked_await(&self->a, 2);
	EXPECT_STRIN("there is no question 2",
		     asked_refusal(&self->a, "{\"v\":1,\"verb\":\"answer\",\"id\":2,"
					     "\"verdict\":\"allow\"}"));
	asked_answer(&self->a, 1, "allow", "once");
	asked_says(&self->a, "first ok\n");
	asked_await(&self->a, 1);
	EXPECT_EQ(2, strtol(asked_held(&self->a, 1), NULL, 10));
	asked_answer(&self->a, 2, "deny", "once");
	asked_finish(&self->a);
	EXPECT_STRIN("second ECONNREFUSED\n", self->a.s.command.out.text);
	ASSERT_EQ(1, server_count(self->a.server));
	ASSERT_LT(0, server_payload(self->a.server, 0, payload, sizeof(payload), COMMAND_TIMEOUT));
	EXPECT_STREQ("first", payload);
}

TEST_F(hold, the_operator_takes_longer_than_the_socket)
{
	asked_start(&self->a, ARGS("--ask", "--ask-timeout", "0.5"), script, "limited", "");
	asked_go(&self->a);
	asked_finish(&self->a);
	EXPECT_STRIN("limited ECONNREFUSED\n", self->a.s.command.out.text);
	EXPECT_EQ(1, asked_decisions(&self->a, "deny", "ask-timeout"));
	EXPECT_STRIN("patient\n", self->a.s.command.out.text);
}

TEST_F(hold, once_survives_a_swap)
{
	asked_start(&self->a, ARGS("--ask"), script, "stays_open", "");
	asked_go(&self->a);
	answer_one(&self->a, "allow");
	asked_says(&self->a, "connect ok\n");
	driven_ctl(0, ARGS("allow", "127.0.7.7"));
	EXPECT_STREQ("generation 3, 0 flows shut\n", driven_ctl(0, ARGS("undo")));
	asked_go(&self->a);
	asked_says(&self->a, "send ok\n");
	asked_go(&self->a);
	answer_one(&self->a, "deny");
	asked_finish(&self->a);
	EXPECT_STRIN("again ECONNREFUSED\n", self->a.s.command.out.text);
}

TEST_F(hold, what_a_rule_allowed_ends_with_it)
{
	asked_start(&self->a, ARGS("--ask"), script, "stays_open", "");
	asked_go(&self->a);
	asked_held(&self->a, 1);
	driven_ctl(0, ARGS("answer", "1", "allow", "session"));
	asked_says(&self->a, "connect ok\n");
	EXPECT_STREQ("generation 3, 1 flows shut\n", driven_ctl(0, ARGS("undo")));
	asked_go(&self->a);
	asked_says(&self->a, "send EPIPE\n");
	asked_go(&self->a);
	answer_one(&self->a, "deny");
	asked_finish(&self->a);
	EXPECT_STRIN("again ECONNREFUSED\n", self->a.s.command.out.text);
}

TEST_HARNESS_MAIN

/* SPDX-License-Identifier: MIT */
/*
 * Groups that mean something else from moment to moment: @self, and @this-host
 * with all that follows from it. What a listener of this machine received is
 * what counts.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "selftests/harness.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/sandbox.h"
#include "selftests/lib/server.h"

/* A pipe of which the command has the reading end as its stdin. */
struct starter {
	int fds[2];
};

static void take_stdin(void *arg)
{
	struct starter *s = arg;

	dup2(s->fds[0], 0);
}

static void go(struct starter *s)
{
	EXPECT_EQ(1, write(s->fds[1], "\n", 1));
}

/* ---- @self --------------------------------------------------------------- */

/*
 * Listens, and connects to itself and to a port of somebody else; then gives its port up, waits
 * for a line, and connects to that port again. Arguments: where to listen, where to connect, port.
 */
static const char self_script[] =
	"import errno, socket, sys\n"
	"bound, addr, other = sys.argv[1], sys.argv[2], int(sys.argv[3])\n"
	"family = socket.AF_INET6 if ':' in addr else socket.AF_INET\n"
	"def attempt(kind, port):\n"
	"    s = socket.socket(family, kind)\n"
	"    try:\n"
	"        s.connect((addr, port))\n"
	"        s.send(b'hello')\n"
	"        return 'ok'\n"
	"    except OSError as e:\n"
	"        return errno.errorcode[e.errno]\n"
	"    finally:\n"
	"        s.close()\n"
	"l = socket.socket(family, socket.SOCK_STREAM)\n"
	"l.bind((bound, 0))\n"
	"l.listen(8)\n"
	"port = l.getsockname()[1]\n"
	"own = attempt(socket.SOCK_STREAM, port)\n"
	"print('own tcp', own)\n"
	"if own == 'ok':\n"
	"    l.accept()[0].close()\n"
	"u = socket.socket(family, socket.SOCK_DGRAM)\n"
	"u.bind((bound, 0))\n"
	"print('own udp', attempt(socket.SOCK_DGRAM, u.getsockname()[1]))\n"
	"print('other', attempt(socket.SOCK_STREAM, other))\n"
	"l.close()\n"
	"print('port', port, 'closed', flush=True)\n"
	"sys.stdin.readline()\n"
	"print('taken', attempt(socket.SOCK_STREAM, port))\n";

FIXTURE(self_group)
{
	struct sandbox s;
	struct server *other, *taker;
	struct starter stdin_of;
};

FIXTURE_VARIANT(self_group)
{
	const char *bound, *addr;
	const char *const *options; /* NULL: without sandtop */
	const char *own, *others;   /* what is said to connections */
	size_t arrived;             /* at each of the others' listeners */
};

#define OPTIONS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define ONLY_SELF    OPTIONS("--rule", "allow any://@self", "--rule", "allow in any://*")

FIXTURE_VARIANT_ADD(self_group, no_sandbox){
	"127.0.0.1", "127.0.0.1", NULL, "ok", "ok", 1,
};

FIXTURE_VARIANT_ADD(self_group, only_self_on_ipv4){
	"127.0.0.1", "127.0.0.1", ONLY_SELF, "ok", "ECONNREFUSED", 0,
};

FIXTURE_VARIANT_ADD(self_group, only_self_on_ipv6){
	"::1", "::1", ONLY_SELF, "ok", "ECONNREFUSED", 0,
};

FIXTURE_VARIANT_ADD(self_group, only_self_on_every_address){
	"0.0.0.0", "127.0.0.1", ONLY_SELF, "ok", "ECONNREFUSED", 0,
};

FIXTURE_VARIANT_ADD(self_group, only_self_on_every_address_of_ipv6){
	"::", "::1", ONLY_SELF, "ok", "ECONNREFUSED", 0,
};

FIXTURE_VARIANT_ADD(self_group, everything_but_self){
	"127.0.0.1",    "127.0.0.1", OPTIONS("--rule", "deny @self", "--rule", "allow any://*"),
	"ECONNREFUSED", "ok",        1,
};

FIXTURE_VARIANT_ADD(self_group, nothing){
	"127.0.0.1",    "127.0.0.1",    OPTIONS("--rule", "deny any://*"),
	"ECONNREFUSED", "ECONNREFUSED", 0,
};

FIXTURE_SETUP(self_group)
{
	if (!netns_or_skip())
		return;
	self->other = server_new(SOCK_STREAM, variant->addr, 0);
	ASSERT_NE(NULL, self->other);
	ASSERT_EQ(0, pipe(self->stdin_of.fds));
}

FIXTURE_TEARDOWN(self_group)
{
	sandbox_free(&self->s);
	server_free(self->other);
	server_free(self->taker);
}

static void expect_line(const char *out, const char *what, const char *said)
{
	char line[64];

	snprintf(line, sizeof(line), "%s %s\n", what, said);
	EXPECT_NE(NULL, strstr(out, line))
	{
		TH_LOG("no '%s %s' in: %s", what, said, out);
	}
}

TEST_F(self_group, is_what_the_sandbox_listens_on)
{
	const char *out;
	char port[16];
	int taken = 0;

	snprintf(port, sizeof(port), "%u", server_port(self->other));
	ASSERT_EQ(0, sandbox_start(&self->s, variant->options,
				   ARGS(PYTHON, self_script, variant->bound, variant->addr, port),
				   take_stdin, &self->stdin_of));
	ASSERT_EQ(0, command_wait_text(&self->s.command, &self->s.command.out, " closed\n",
				       COMMAND_TIMEOUT));
	ASSERT_EQ(1, sscanf(strstr(self->s.command.out.text, "port "), "port %d", &taken));
	/* Somebody else takes the port that was the sandbox's own. */
	self->taker = server_new(SOCK_STREAM, variant->addr, (uint16_t)taken);
	ASSERT_NE(NULL, self->taker);
	go(&self->stdin_of);
	ASSERT_EQ(0, sandbox_wait(&self->s));
	out = self->s.command.out.text;
	EXPECT_EQ(0, command_code(&self->s.command))
	{
		TH_LOG("%s", self->s.command.err.text);
	}
	expect_line(out, "own tcp", variant->own);
	if (!strcmp(variant->own, "ok"))
		expect_line(out, "own udp", variant->own);
	expect_line(out, "other", variant->others);
	expect_line(out, "taken", variant->others);
	EXPECT_EQ(0, server_knock(self->other));
	EXPECT_EQ(0, server_knock(self->taker));
	EXPECT_EQ(variant->arrived, server_count(self->other));
	EXPECT_EQ(variant->arrived, server_count(self->taker));
}

/* A UDP server answers whom it heard from, connected or not. Arguments: where it is, where to. */
static const char answer_script[] = "import errno, socket, sys\n"
				    "bound, addr = sys.argv[1], sys.argv[2]\n"
				    "family = socket.AF_INET6 if ':' in addr else socket.AF_INET\n"
				    "server = socket.socket(family, socket.SOCK_DGRAM)\n"
				    "server.bind((bound, 0))\n"
				    "port = server.getsockname()[1]\n"
				    "def ask(connected):\n"
				    "    client = socket.socket(family, socket.SOCK_DGRAM)\n"
				    "    client.settimeout(10)\n"
				    "    try:\n"
				    "        if connected:\n"
				    "            client.connect((addr, port))\n"
				    "            client.send(b'ping')\n"
				    "        else:\n"
				    "            client.sendto(b'ping', (addr, port))\n"
				    "        server.sendto(b'pong', server.recvfrom(10)[1])\n"
				    "        return client.recv(10).decode()\n"
				    "    except OSError as e:\n"
				    "        return errno.errorcode[e.errno]\n"
				    "print('connected', ask(True))\n"
				    "print('unconnected', ask(False))\n";

TEST_F(self_group, has_who_waits_for_an_answer)
{
	const char *said = !strcmp(variant->own, "ok") ? "pong" : variant->own;
	const char *out;

	ASSERT_EQ(0, sandbox_run(&self->s, variant->options,
				 ARGS(PYTHON, answer_script, variant->bound, variant->addr)));
	EXPECT_EQ(0, command_code(&self->s.command))
	{
		TH_LOG("%s", self->s.command.err.text);
	}
	out = self->s.command.out.text;
	expect_line(out, "connected", said);
	expect_line(out, "unconnected", said);
}

/*
 * Binds a socket that the sandbox is known to have a second time, to the port of somebody else who
 * shares it, and sends to that port from many others, of which the kernel gives each to one of
 * both. Arguments: port.
 */
static const char share_script[] = "import ctypes, errno, socket, sys\n"
				   "port = int(sys.argv[1])\n"
				   "libc = ctypes.CDLL(None, use_errno=True)\n"
				   "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
				   "s.bind(('127.0.0.1', 0))\n"
				   "assert libc.connect(s.fileno(), bytes(16), 16) == 0\n"
				   "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)\n"
				   "s.bind(('127.0.0.1', port))\n"
				   "said = set()\n"
				   "for i in range(64):\n"
				   "    c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
				   "    try:\n"
				   "        c.sendto(b'hello', ('127.0.0.1', port))\n"
				   "        said.add('ok')\n"
				   "    except OSError as e:\n"
				   "        said.add(errno.errorcode[e.errno])\n"
				   "print('shared', *said)\n";

FIXTURE(shared)
{
	struct sandbox s;
	int host;
	char port[8];
};

FIXTURE_SETUP(shared)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int one = 1;

	if (!netns_or_skip())
		return;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	self->host = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(0, setsockopt(self->host, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)));
	ASSERT_EQ(0, bind(self->host, (struct sockaddr *)&sin, sizeof(sin)));
	ASSERT_EQ(0, getsockname(self->host, (struct sockaddr *)&sin, &len));
	snprintf(self->port, sizeof(self->port), "%u", ntohs(sin.sin_port));
}

FIXTURE_TEARDOWN(shared)
{
	sandbox_free(&self->s);
	close(self->host);
}

static void share(struct shared_data *self, const char *const options[], const char *said)
{
	ASSERT_EQ(0, sandbox_run(&self->s, options, ARGS(PYTHON, share_script, self->port)));
	EXPECT_EQ(0, command_code(&self->s.command))
	{
		TH_LOG("%s", self->s.command.err.text);
	}
	expect_line(self->s.command.out.text, "shared", said);
}

TEST_F(shared, gives_some_to_each_without_sandtop)
{
	char byte;

	share(self, NULL, "ok");
	EXPECT_EQ(1, recv(self->host, &byte, 1, MSG_DONTWAIT));
}

TEST_F(shared, port_is_not_the_sandbox_itself)
{
	char byte;

	share(self, ONLY_SELF, "ECONNREFUSED");
	EXPECT_EQ(-1, recv(self->host, &byte, 1, MSG_DONTWAIT));
}

/* ---- @this-host ---------------------------------------------------------- */

#define COMER "203.0.113.5" /* RFC 5737 */

/* Connects to an address until it is told `until`. */
static const char comer_script[] = "import errno, socket, sys\n"
				   "addr, port = sys.argv[1], int(sys.argv[2])\n"
				   "for until in sys.argv[3:]:\n"
				   "    said = ''\n"
				   "    while said != until:\n"
				   "        s = socket.socket()\n"
				   "        try:\n"
				   "            s.connect((addr, port))\n"
				   "            said = 'ok'\n"
				   "        except OSError as e:\n"
				   "            said = errno.errorcode[e.errno]\n"
				   "        s.close()\n"
				   "    print(until, flush=True)\n"
				   "    sys.stdin.readline()\n";

FIXTURE(comer)
{
	struct sandbox s;
	struct server *server;
	struct starter stdin_of;
};

FIXTURE_VARIANT(comer)
{
	const char *const *options;
	const char *here; /* what is said once the address is this machine's */
};

FIXTURE_VARIANT_ADD(comer, no_sandbox){
	NULL,
	"ok",
};

FIXTURE_VARIANT_ADD(comer, allowed_wherever_it_is){
	OPTIONS("--net-allow", COMER),
	"ok",
};

FIXTURE_VARIANT_ADD(comer, denied_as_this_host){
	OPTIONS("--rule", "deny any://@this-host", "--rule", "allow any://*"),
	"ECONNREFUSED",
};

FIXTURE_VARIANT_ADD(comer, denied_as_private){
	OPTIONS("--preset", "public-only"),
	"ECONNREFUSED",
};

FIXTURE_VARIANT_ADD(comer, not_public_any_more){
	OPTIONS("--rule", "allow @public"),
	"ECONNREFUSED",
};

/* The address COMER on lo: it comes, or goes. Returns 0 or -errno. */
static int set_comer(bool here)
{
	struct ifreq request = { .ifr_name = "lo:9" };
	struct sockaddr_in *sin = (struct sockaddr_in *)&request.ifr_addr;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret;

	if (fd < 0)
		return -errno;
	sin->sin_family = AF_INET;
	inet_pton(AF_INET, here ? COMER : "0.0.0.0", &sin->sin_addr);
	ret = ioctl(fd, SIOCSIFADDR, &request) ? -errno : 0;
	close(fd);
	return ret;
}

FIXTURE_SETUP(comer)
{
	if (!netns_or_skip())
		return;
	self->server = server_new(SOCK_STREAM, "0.0.0.0", 0);
	ASSERT_NE(NULL, self->server);
	ASSERT_EQ(0, pipe(self->stdin_of.fds));
}

FIXTURE_TEARDOWN(comer)
{
	sandbox_free(&self->s);
	server_free(self->server);
}

TEST_F(comer, is_judged_as_what_it_is_now)
{
	const char *argv[] = { PYTHON,        comer_script,  COMER,         NULL,
			       "ENETUNREACH", variant->here, variant->here, NULL };
	struct command *c = &self->s.command;
	size_t before;
	char port[16];

	snprintf(port, sizeof(port), "%u", server_port(self->server));
	argv[4] = port;
	ASSERT_EQ(0, sandbox_start(&self->s, variant->options, argv, take_stdin, &self->stdin_of));
	/* While no interface has the address there is no way to it, which it was allowed to look
	 * for.
	 */
	ASSERT_EQ(0, command_wait_text(c, &c->out, "ENETUNREACH\n", COMMAND_TIMEOUT));
	ASSERT_EQ(0, set_comer(true));
	go(&self->stdin_of);
	ASSERT_EQ(0, command_wait_text(c, &c->out, variant->here, COMMAND_TIMEOUT));
	/* From the moment on that it was noticed. */
	before = server_count(self->server);
	go(&self->stdin_of);
	go(&self->stdin_of);
	ASSERT_EQ(0, sandbox_wait(&self->s));
	EXPECT_EQ(0, command_code(c))
	{
		TH_LOG("%s", c->err.text);
	}
	EXPECT_EQ(before + !strcmp(variant->here, "ok"), server_count(self->server));
}

TEST_F(comer, is_forgotten_when_it_goes)
{
	const char *argv[] = {
		PYTHON, comer_script, COMER, NULL, variant->here, "ENETUNREACH", NULL
	};
	struct command *c = &self->s.command;
	char port[16];

	snprintf(port, sizeof(port), "%u", server_port(self->server));
	argv[4] = port;
	ASSERT_EQ(0, set_comer(true));
	ASSERT_EQ(0, sandbox_start(&self->s, variant->options, argv, take_stdin, &self->stdin_of));
	ASSERT_EQ(0, command_wait_text(c, &c->out, variant->here, COMMAND_TIMEOUT));
	ASSERT_EQ(0, set_comer(false));
	go(&self->stdin_of);
	ASSERT_EQ(0, command_wait_text(c, &c->out, "ENETUNREACH\n", COMMAND_TIMEOUT));
	go(&self->stdin_of);
	ASSERT_EQ(0, sandbox_wait(&self->s));
	EXPECT_EQ(0, command_code(c));
}

TEST_HARNESS_MAIN

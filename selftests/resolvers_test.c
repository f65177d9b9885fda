/* SPDX-License-Identifier: MIT */
/*
 * Programs that look names up, each in its own way: all find what is permitted,
 * and with a sinkhole nothing else reaches a name server. Without namespaces there
 * is none, and they ask the name server of the system.
 */
#include "selftests/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "selftests/lib/nameserver.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/sandbox.h"

#define FIXED   "fixed.example.test"
#define ADDRESS NETNS_PUBLIC "1"
#define OTHER   "other.test"

FIXTURE(resolvers)
{
	struct nameserver *ns;
	struct sandbox sandbox;
	char profile[128], resolv_conf[128], run[128];
};

FIXTURE_VARIANT(resolvers)
{
	bool sinkhole;
	uint16_t port;
	const char *server[2]; /* by IPv4 and IPv6; NULL: none */
};

/* Nobody is at the addresses that the programs ask. */
FIXTURE_VARIANT_ADD(resolvers, with_a_sinkhole){ .sinkhole = true,
						 .port = 5300,
						 .server = { "8.8.8.8", "2001:4860:4860::8888" } };
FIXTURE_VARIANT_ADD(resolvers, without_namespaces){ .port = 53, .server = { "127.0.0.1" } };

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ASSERT_NE(NULL, f);
	fputs(text, f);
	fclose(f);
}

FIXTURE_SETUP(resolvers)
{
	char text[128];

	if (!netns_or_skip())
		return;
	ASSERT_EQ(0, netns_add_public());
	self->ns = nameserver_new(variant->port);
	ASSERT_NE(NULL, self->ns);
	snprintf(self->profile, sizeof(self->profile), "%s/dns.toml", harness_dir());
	snprintf(self->resolv_conf, sizeof(self->resolv_conf), "%s/resolv.conf", harness_dir());
	snprintf(self->run, sizeof(self->run), "%s/run", harness_dir());
	snprintf(text, sizeof(text), "[dns]\nupstream = ['127.0.0.1:%d']\n", variant->port);
	write_text(self->profile, text);
	snprintf(text, sizeof(text), "nameserver %s\n", variant->server[0]);
	write_text(self->resolv_conf, text);
	ASSERT_EQ(0, mkdir(self->run, 0755));
}

FIXTURE_TEARDOWN(resolvers)
{
	sandbox_free(&self->sandbox);
	nameserver_free(self->ns);
}

static void write_or_exit(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(126);
	close(fd);
}

/* What the command sees of the machine: the test's resolv.conf(5) and /run. */
static void furnish(void *arg)
{
	FIXTURE_DATA(resolvers) *self = arg;

	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(self->resolv_conf, "/etc/resolv.conf", NULL, MS_BIND, NULL) ||
	    mount(self->run, "/run", NULL, MS_BIND, NULL))
		_exit(126);
}

/* The same on a machine that permits no namespaces: the limit is that of a user namespace. */
static void furnish_without_namespaces(void *arg)
{
	char map[32];

	snprintf(map, sizeof(map), "%u %u 1", geteuid(), geteuid());
	furnish(arg);
	if (unshare(CLONE_NEWUSER))
		_exit(126);
	write_or_exit("/proc/self/uid_map", map);
	write_or_exit("/proc/sys/user/max_net_namespaces", "0");
}

static void run(FIXTURE_DATA(resolvers) * self, const FIXTURE_VARIANT(resolvers) * variant,
		const char *const argv[])
{
	sandbox_free(&self->sandbox);
	memset(&self->sandbox, 0, sizeof(self->sandbox));
	ASSERT_EQ(0, sandbox_start(&self->sandbox,
				   ARGS("-q", "--profile-file", self->profile, "--net-allow",
					"*.example.test:443"),
				   argv, variant->sinkhole ? furnish : furnish_without_namespaces,
				   self));
	ASSERT_EQ(0, sandbox_wait(&self->sandbox));
}

#define OUT (self->sandbox.command.out.text)
#define ERR (self->sandbox.command.err.text)

static const char dnspython[] = "import dns.resolver, sys\n"
				"r = dns.resolver.Resolver(configure=False)\n"
				"r.nameservers = [sys.argv[1]]\n"
				"print(r.resolve(sys.argv[2], 'A', tcp=sys.argv[3] == 'tcp')[0])\n";
static const char dnspython_async[] =
	"import dns.asyncresolver, asyncio, sys\n"
	"r = dns.asyncresolver.Resolver(configure=False)\n"
	"r.nameservers = [sys.argv[1]]\n"
	"print(asyncio.run(r.resolve(sys.argv[2], 'A', tcp=sys.argv[3] == 'tcp'))[0])\n";
static const char asyncio[] =
	"import asyncio, sys\n"
	"async def main():\n"
	"    l = asyncio.get_running_loop()\n"
	"    print((await l.getaddrinfo(sys.argv[1], 443, type=1, family=2))[0][4][0])\n"
	"asyncio.run(main())\n";
static const char node_resolve[] =
	"const dns = require('dns'); const [server, name] = process.argv.slice(1);\n"
	"dns.setServers([server]);\n"
	"dns.resolve4(name, (e, a) => console.log(e ? e.code : a[0]));\n";
static const char node_lookup[] = "require('dns').lookup(process.argv[1], {family: 4}, (e, a) => "
				  "console.log(e ? e.code : a));\n";

/* SERVER and NAME stand for what the test puts there. */
static const struct {
	const char *argv[9];
	int server; /* which one it asks */
} programs[] = {
	{ { "dig", "+short", "@SERVER", "NAME" }, 0 },
	{ { "dig", "+short", "+tcp", "@SERVER", "NAME" }, 0 },
	{ { "dig", "+short", "+noedns", "@SERVER", "NAME" }, 1 },
	{ { "dig", "+short", "+tcp", "@SERVER", "NAME" }, 1 },
	{ { "host", "-t", "A", "NAME", "SERVER" }, 0 },
	{ { "nslookup", "-type=A", "NAME", "SERVER" }, 0 },
	{ { "nslookup", "-vc", "-type=A", "NAME", "SERVER" }, 0 },
	{ { "nslookup", "-type=A", "NAME", "SERVER" }, 1 },
	{ { "getent", "ahostsv4", "NAME" }, 0 },
	{ { PYTHON, dnspython, "SERVER", "NAME", "udp" }, 0 },
	{ { PYTHON, dnspython, "SERVER", "NAME", "tcp" }, 0 },
	{ { PYTHON, dnspython, "SERVER", "NAME", "udp" }, 1 },
	{ { PYTHON, dnspython_async, "SERVER", "NAME", "udp" }, 0 },
	{ { PYTHON, dnspython_async, "SERVER", "NAME", "tcp" }, 0 },
	{ { PYTHON, asyncio, "NAME" }, 0 },
	{ { "node", "-e", node_resolve, "SERVER", "NAME" }, 0 },
	{ { "node", "-e", node_resolve, "SERVER", "NAME" }, 1 },
	{ { "node", "-e", node_lookup, "NAME" }, 0 },
};

enum { ARG_MAX_LEN = 600 };

/* Write what stands for SERVER or NAME. */
static void fill_in(const char *arg, const char *server, const char *name, char *out)
{
	const char *prefix = *arg == '@' ? "@" : "";

	if (!strcmp(arg + strlen(prefix), "SERVER"))
		snprintf(out, ARG_MAX_LEN, "%s%s", prefix, server);
	else
		snprintf(out, ARG_MAX_LEN, "%s", strcmp(arg, "NAME") ? arg : name);
}

static void run_program(FIXTURE_DATA(resolvers) * self, const FIXTURE_VARIANT(resolvers) * variant,
			size_t i, const char *name)
{
	const char *argv[10] = { NULL };
	char text[9][ARG_MAX_LEN];

	for (size_t k = 0; programs[i].argv[k]; k++) {
		fill_in(programs[i].argv[k], variant->server[programs[i].server], name, text[k]);
		argv[k] = text[k];
	}
	run(self, variant, argv);
}

TEST_F_TIMEOUT(resolvers, find_what_is_permitted, 120)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		size_t asked = nameserver_asked(self->ns, FIXED);

		if (!variant->server[programs[i].server])
			continue;
		run_program(self, variant, i, FIXED);
		EXPECT_NE(NULL, strstr(OUT, ADDRESS))
		{
			TH_LOG("%s %s: %s%s", programs[i].argv[0], programs[i].argv[1], OUT, ERR);
		}
		EXPECT_LT(asked, nameserver_asked(self->ns, FIXED));
	}
}

/* One of each kind is enough: the sinkhole does not know them apart. */
TEST_F(resolvers, ask_for_nothing_else)
{
	static const char *const kinds[] = { "dig", "nslookup", "getent", "node" };

	for (size_t i = 0, kind = 0; kind < 4; i++) {
		if (strcmp(programs[i].argv[0], kinds[kind]))
			continue;
		kind++;
		run_program(self, variant, i, OTHER);
		EXPECT_EQ(variant->sinkhole, strstr(OUT, "0.0.0.0") != NULL)
		{
			TH_LOG("%s: %s%s", programs[i].argv[0], OUT, ERR);
		}
	}
	/* Without a sinkhole it is asked: the control. */
	EXPECT_EQ(!variant->sinkhole, nameserver_asked(self->ns, OTHER) > 0);
}

/* musl asks for A and AAAA at once over one socket, and all name servers at the same time. */
TEST_F(resolvers, musl_finds_what_is_permitted)
{
	static const char source[] =
		"#include <netdb.h>\n#include <stdio.h>\n#include <string.h>\n"
		"int main(int argc, char **argv)\n{\n"
		"	struct addrinfo hints = { .ai_socktype = 1 }, *list;\n"
		"	char text[64];\n"
		"	int error = getaddrinfo(argv[argc - 1], \"443\", &hints, &list);\n"
		"	if (error) {\n\t\tputs(gai_strerror(error));\n\t\treturn 0;\n\t}\n"
		"	for (; list; list = list->ai_next) {\n"
		"		getnameinfo(list->ai_addr, list->ai_addrlen, text, 64, 0, 0, 1);\n"
		"		puts(text);\n\t}\n}\n";
	struct command compiler;
	char path[128], program[128], text[256];

	snprintf(path, sizeof(path), "%s/lookup.c", harness_dir());
	snprintf(program, sizeof(program), "%s/lookup", harness_dir());
	write_text(path, source);
	if (command_start(&compiler, ARGS("musl-gcc", "-static", "-o", program, path), NULL, NULL))
		SKIP(return, "no musl-gcc here");
	ASSERT_EQ(0, command_wait(&compiler, COMMAND_TIMEOUT));
	ASSERT_EQ(0, command_code(&compiler));
	command_free(&compiler);
	snprintf(text, sizeof(text), "nameserver %s\nnameserver %s\n", variant->server[0],
		 variant->server[1] ? variant->server[1] : variant->server[0]);
	write_text(self->resolv_conf, text);
	run(self, variant, ARGS(program, FIXED));
	EXPECT_STREQ(ADDRESS "\n", OUT);
	run(self, variant, ARGS(program, OTHER));
	if (variant->sinkhole)
		EXPECT_STREQ("::\n0.0.0.0\n", OUT);
	EXPECT_EQ(!variant->sinkhole, nameserver_asked(self->ns, OTHER) > 0);
}

TEST_F(resolvers, resolv_conf_is_as_it_may_be)
{
	static const struct {
		const char *text;
		/* Its servers are nowhere else, or asked twice over a connection. */
		bool needs_sinkhole;
	} rows[] = {
		{ "nameserver SERVER\noptions single-request\n", false },
		{ "nameserver SERVER\noptions single-request-reopen\n", false },
		{ "nameserver SERVER\noptions use-vc\n", true },
		{ "nameserver SERVER\noptions edns0 trust-ad\n", false },
		{ "nameserver SERVER\nsearch corp.example\noptions ndots:3\n", false },
		{ "nameserver 8.8.8.8\nnameserver 1.1.1.1\nnameserver 9.9.9.9\noptions rotate\n",
		  true },
		{ "nameserver 2001:4860:4860::8888\n", true },
		{ "nameserver 2001:4860:4860::8888\nnameserver 9.9.9.9\noptions rotate "
		  "single-request\n",
		  true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *place = strstr(rows[i].text, "SERVER");
		char text[256];

		if (rows[i].needs_sinkhole && !variant->sinkhole)
			continue;
		if (place)
			snprintf(text, sizeof(text), "%.*s%s%s", (int)(place - rows[i].text),
				 rows[i].text, variant->server[0], place + strlen("SERVER"));
		else
			snprintf(text, sizeof(text), "%s", rows[i].text);
		write_text(self->resolv_conf, text);
		run(self, variant, ARGS("asker", "lookup", FIXED));
		EXPECT_STREQ(FIXED ": " ADDRESS "\n", OUT)
		{
			TH_LOG("%s%s", text, ERR);
		}
	}
}

/* Services of this machine that look names up for everyone, and would for the sandbox. */
TEST_F(resolvers, services_of_the_machine_are_no_way_around)
{
	static const char *const directories[] = { "nscd", "systemd", "systemd/resolve", "dbus" };
	static const char *const sockets[] = { "nscd/socket", "systemd/resolve/io.systemd.Resolve",
					       "dbus/system_bus_socket" };
	int listener[3];

	for (size_t i = 0; i < 4; i++) {
		char path[256];

		snprintf(path, sizeof(path), "%s/%s", self->run, directories[i]);
		ASSERT_EQ(0, mkdir(path, 0755));
	}
	for (size_t i = 0; i < 3; i++) {
		struct sockaddr_un at = { .sun_family = AF_UNIX };

		snprintf(at.sun_path, sizeof(at.sun_path), "%.60s/%.40s", self->run, sockets[i]);
		listener[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		ASSERT_EQ(0, bind(listener[i], (struct sockaddr *)&at, sizeof(at)));
		ASSERT_EQ(0, listen(listener[i], 16));
	}
	run(self, variant,
	    ARGS("asker", "doors", "/run/nscd/socket", "/run/systemd/resolve/io.systemd.Resolve",
		 "/run/dbus/system_bus_socket"));
	EXPECT_STREQ("/run/nscd/socket EACCES\n"
		     "/run/systemd/resolve/io.systemd.Resolve EACCES\n"
		     "/run/dbus/system_bus_socket EACCES\n",
		     OUT);
	/* The C library tries the first of them by itself. */
	run(self, variant, ARGS("asker", "lookup", FIXED));
	EXPECT_STREQ(FIXED ": " ADDRESS "\n", OUT);
	for (size_t i = 0; i < 3; i++)
		EXPECT_EQ(-1, accept(listener[i], NULL, NULL));
	/* The control. */
	sandbox_free(&self->sandbox);
	memset(&self->sandbox, 0, sizeof(self->sandbox));
	ASSERT_EQ(0, sandbox_start(&self->sandbox, NULL,
				   ARGS("asker", "doors", "/run/nscd/socket",
					"/run/systemd/resolve/io.systemd.Resolve",
					"/run/dbus/system_bus_socket"),
				   furnish, self));
	ASSERT_EQ(0, sandbox_wait(&self->sandbox));
	for (size_t i = 0; i < 3; i++) {
		EXPECT_NE(-1, accept(listener[i], NULL, NULL));
		close(listener[i]);
	}
}

TEST_HARNESS_MAIN

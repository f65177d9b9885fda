/* SPDX-License-Identifier: MIT */
/*
 * What the command may open to others: bind and listen, by address, port and
 * policy, and never with more privilege than its own.
 */
#include "selftests/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "selftests/lib/netns.h"
#include "selftests/lib/twin.h"

enum { WORDS_MAX = 1024 };

/* ---- the matrix -------------------------------------------------------- */

enum policy {
	NO_SANDBOX,
	BY_DEFAULT,
	ALLOW_BIND,     /* 8080,9000-9005 */
	ALLOW_BIND_ALL, /* * */
	DENY_BIND,      /* 8080,9000-9005 */
	DENY_BIND_ALL,  /* * */
	ALLOW_RULE,     /* in any://10.99.0.1:8080 */
	DENY_RULE,      /* in 127.0.0.1:8080, of either protocol */
	PRESET,         /* allow-all */
};

static const char *const *options_of(enum policy policy)
{
	static const char *const options[][5] = {
		[BY_DEFAULT] = { "-q", "--net-allow", ":1" },
		[ALLOW_BIND] = { "-q", "--net-allow-bind", "8080,9000-9005", "--net-allow", ":1" },
		[ALLOW_BIND_ALL] = { "-q", "--net-allow-bind", "*" },
		[DENY_BIND] = { "-q", "--net-deny-bind", "8080,9000-9005" },
		[DENY_BIND_ALL] = { "-q", "--net-deny-bind", "*" },
		[ALLOW_RULE] = { "-q", "--rule", "allow in any://" NETNS_ADDR4 ":8080" },
		[DENY_RULE] = { "-q", "--rule", "deny in 127.0.0.1:8080" },
		[PRESET] = { "-q", "--preset", "allow-all" },
	};
	static const char *terminated[6];

	if (policy == NO_SANDBOX)
		return NULL;
	memcpy(terminated, options[policy], sizeof(options[policy]));
	return terminated;
}

FIXTURE(inbound)
{
	struct sandbox sandbox;
};

FIXTURE_VARIANT(inbound)
{
	enum policy policy;
	const char *proto;
};

#define ROW(name, policy, proto)                                                                   \
	FIXTURE_VARIANT_ADD(inbound, name)                                                         \
	{                                                                                          \
		policy, proto                                                                      \
	}

#define ROWS(name, policy)                                                                         \
	ROW(name##_tcp, policy, "tcp");                                                            \
	ROW(name##_udp, policy, "udp")

ROWS(no_sandbox, NO_SANDBOX);
ROWS(by_default, BY_DEFAULT);
ROWS(net_allow_bind, ALLOW_BIND);
ROWS(net_allow_bind_of_all, ALLOW_BIND_ALL);
ROWS(net_deny_bind, DENY_BIND);
ROWS(net_deny_bind_of_all, DENY_BIND_ALL);
ROWS(allow_rule, ALLOW_RULE);
ROWS(deny_rule, DENY_RULE);
ROWS(preset_allow_all, PRESET);

static const struct place {
	const char *address, *judged; /* as the command writes it, as it is judged */
	bool loopback;
} places[] = {
	{ "127.0.0.1", "127.0.0.1", true },
	{ "127.1.2.3", "127.1.2.3", true },
	{ NETNS_ADDR4, NETNS_ADDR4, false },
	{ "0.0.0.0", "0.0.0.0", false },
	{ "::1", "::1", true },
	{ NETNS_ADDR6, NETNS_ADDR6, false },
	{ "::", "::", false },
	{ "::ffff:127.0.0.1", "127.0.0.1", true },
	{ "::ffff:" NETNS_ADDR4, NETNS_ADDR4, false },
	{ "::ffff:0.0.0.0", "0.0.0.0", false },
};

static const int ports[] = { 0, 8080, 8081, 9000, 9003, 9005, 9006 };

/* The oracle. A port that the kernel chose when nobody named one is given as ANY_PORT. */
enum { ANY_PORT = 65536 };

static bool is_allowed(enum policy policy, const struct place *p, int port)
{
	bool listed = port == 8080 || (port >= 9000 && port <= 9005);
	bool is_default = p->loopback || port == 0;

	switch (policy) {
	case NO_SANDBOX:
	case ALLOW_BIND_ALL:
	case PRESET:
		return true;
	case BY_DEFAULT:
		return is_default;
	case ALLOW_BIND:
		return is_default || listed;
	case DENY_BIND:
		return !listed;
	case DENY_BIND_ALL:
		return port == 0;
	case ALLOW_RULE:
		return is_default || (port == 8080 && !strcmp(p->judged, NETNS_ADDR4));
	case DENY_RULE:
		return is_default && !(port == 8080 && !strcmp(p->judged, "127.0.0.1"));
	}
	return false;
}

FIXTURE_SETUP(inbound)
{
	netns_or_skip();
}

FIXTURE_TEARDOWN(inbound)
{
	sandbox_free(&self->sandbox);
}

/* Bind, listen, look, close: for every place and port. */
static void add_operations(const char *words[], const char *proto)
{
	static char port_text[sizeof(ports) / sizeof(*ports)][8];
	int used = 0;

	words[used++] = "probe";
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		for (size_t k = 0; k < sizeof(ports) / sizeof(*ports); k++) {
			const char *const part[] = { "bind",       proto, places[i].address,
						     port_text[k], ",",   "getsockname",
						     "same",       ",",   "listen",
						     "same",       ",",   "close",
						     "same",       "," };

			snprintf(port_text[k], sizeof(port_text[k]), "%d", ports[k]);
			ASSERT_LT(used + 16, WORDS_MAX);
			memcpy(words + used, part, sizeof(part));
			used += sizeof(part) / sizeof(*part);
		}
	words[used - 1] = NULL;
}

/* What getsockname(2) must say after the bind: the place, or that there is none. */
static void expect_name(const char *line, const struct place *p, int port, bool bound)
{
	bool is_v6 = strchr(p->address, ':');
	char expected[128];

	snprintf(expected, sizeof(expected), "getsockname %s %d",
		 bound   ? p->address
		 : is_v6 ? "::"
			 : "0.0.0.0",
		 bound ? port : 0);
	if (!bound || port) {
		EXPECT_STREQ(expected, line);
		return;
	}
	expected[strlen(expected) - 1] = '\0';
	EXPECT_STRIN(expected, line);
}

static void expect_place(const struct inbound_variant *variant, char **out, const struct place *p,
			 int port)
{
	bool allowed = is_allowed(variant->policy, p, port), is_tcp = variant->proto[0] == 't';
	struct place wildcard = { "0.0.0.0", "0.0.0.0", false };
	bool may_listen = is_allowed(variant->policy, allowed ? p : &wildcard,
				     allowed && port ? port : ANY_PORT);

	EXPECT_STREQ(allowed ? "bind 0" : "bind EACCES", strsep(out, "\n"))
	{
		TH_LOG("%s %s %d", variant->proto, p->address, port);
	}
	expect_name(strsep(out, "\n"), p, port, allowed);
	EXPECT_STREQ(!is_tcp      ? "listen EOPNOTSUPP"
		     : may_listen ? "listen 0"
				  : "listen EACCES",
		     strsep(out, "\n"))
	{
		TH_LOG("%s %s %d", variant->proto, p->address, port);
	}
	EXPECT_STREQ("close 0", strsep(out, "\n"));
}

TEST_F(inbound, is_judged)
{
	const char *words[WORDS_MAX];
	char *out;

	add_operations(words, variant->proto);
	ASSERT_EQ(0, sandbox_run(&self->sandbox, options_of(variant->policy), words));
	EXPECT_EQ(0, command_code(&self->sandbox.command));
	out = self->sandbox.command.out.text;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		for (size_t k = 0; k < sizeof(ports) / sizeof(*ports) && out; k++)
			expect_place(variant, &out, &places[i], ports[k]);
}

/* A socket that was never bound gets every address. */
TEST_F(inbound, listen_without_a_bind)
{
	static const struct place wildcard = { "0.0.0.0", "0.0.0.0", false };
	bool allowed = is_allowed(variant->policy, &wildcard, ANY_PORT);

	if (strcmp(variant->proto, "tcp"))
		return;
	ASSERT_EQ(0, sandbox_run(&self->sandbox, options_of(variant->policy),
				 ARGS("probe", "listen", "tcp4", ",", "listen", "tcp6")));
	EXPECT_STREQ(allowed ? "listen 0\nlisten 0\n" : "listen EACCES\nlisten EACCES\n",
		     self->sandbox.command.out.text);
}

/* ---- what is said about it --------------------------------------------- */

FIXTURE(single)
{
	struct twin twin;
};

FIXTURE_SETUP(single)
{
	netns_or_skip();
}

FIXTURE_TEARDOWN(single)
{
	twin_free(&self->twin);
}

TEST_F(single, a_denial_gives_reason_and_remedy)
{
	struct sandbox *s = &self->twin.sandboxed;
	const json_t *decision;
	char line[160];

	ASSERT_EQ(0, sandbox_run(s, ARGS("--net-allow", ":1"),
				 ARGS("probe", "bind", "tcp", NETNS_ADDR4, "3000")));
	decision = sandbox_event(s, "decision", 0);
	EXPECT_STREQ("in", event_text(decision, "direction"));
	EXPECT_STREQ("deny", event_text(decision, "verdict"));
	EXPECT_STREQ("tcp", event_text(decision, "proto"));
	EXPECT_STREQ(NETNS_ADDR4, event_text(decision, "addr"));
	EXPECT_EQ(3000, event_number(decision, "port"));
	EXPECT_STREQ("bind", event_text(decision, "syscall"));
	EXPECT_STREQ("bind-default", event_text(decision, "rule"));
	EXPECT_EQ(EACCES, event_number(decision, "errno"));
	EXPECT_STREQ("allow in " NETNS_ADDR4 ":3000", event_text(decision, "hint"));
	snprintf(line, sizeof(line),
		 "sandtop: DENY in tcp " NETNS_ADDR4 ":3000 probe[%ld] "
		 "(bind-default) (allow: --net-allow-bind 3000)\n",
		 event_number(decision, "pid"));
	EXPECT_STRIN(line, s->command.err.text);
}

TEST_F(single, a_denied_listen_is_a_decision_of_its_own)
{
	struct sandbox *s = &self->twin.sandboxed;
	const json_t *decision;

	ASSERT_EQ(0,
		  sandbox_run(s, ARGS("--net-allow", ":1"),
			      ARGS("probe", "bind", "tcp", "0.0.0.0", "0", ",", "listen", "same")));
	EXPECT_STREQ("bind 0\nlisten EACCES\n", s->command.out.text);
	decision = sandbox_event(s, "decision", 1);
	EXPECT_STREQ("in", event_text(decision, "direction"));
	EXPECT_STREQ("listen", event_text(decision, "syscall"));
	EXPECT_STREQ("bind-default", event_text(decision, "rule"));
	EXPECT_LT(1023, event_number(decision, "port"));
}

TEST_F(single, a_rule_is_named)
{
	struct sandbox *s = &self->twin.sandboxed;
	const json_t *decision;

	ASSERT_EQ(0, sandbox_run(s, ARGS("--rule", "allow 1.2.3.4", "--rule", "deny in [::1]:8080"),
				 ARGS("probe", "bind", "udp", "::1", "8080")));
	EXPECT_STREQ("bind EACCES\n", s->command.out.text);
	decision = sandbox_event(s, "decision", 0);
	EXPECT_STREQ("deny in [::1]:8080", event_text(decision, "rule"));
	EXPECT_EQ(2, event_number(decision, "rule_index"));
}

/* The first rule that matches decides, whatever direction those around it have. */
TEST_F(single, rules_of_one_direction_do_not_speak_of_the_other)
{
	struct sandbox *s = &self->twin.sandboxed;

	ASSERT_EQ(0,
		  sandbox_run(s, ARGS("-q", "--rule", "allow any://*", "--rule", "deny in *:8080"),
			      ARGS("probe", "bind", "tcp", NETNS_ADDR4, "8081", ",", "bind", "tcp",
				   "127.0.0.1", "8080")));
	EXPECT_STREQ("bind EACCES\nbind EACCES\n", s->command.out.text);
}

/* ---- what others find -------------------------------------------------- */

/* Connect to the address from this process, outside. Returns 0 or -errno. */
static int knock(const char *address, uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), result;

	inet_pton(AF_INET, address, &to.sin_addr);
	result = connect(fd, (struct sockaddr *)&to, sizeof(to)) ? -errno : 0;
	if (!result && send(fd, "knock", 5, MSG_NOSIGNAL) != 5)
		result = -errno;
	close(fd);
	return result;
}

static void start_listener(struct sandbox *s, const char *const options[])
{
	ASSERT_EQ(0, sandbox_start(s, options,
				   ARGS("probe", "bind", "tcp", NETNS_ADDR4, "8080", ",", "listen",
					"same", ",", "accept", "same", ",", "recv", "same"),
				   NULL, NULL));
	ASSERT_EQ(0, command_wait_text(&s->command, &s->command.out, "listen ", COMMAND_TIMEOUT));
}

TEST_F(single, a_permitted_listener_is_found)
{
	struct sandbox *s = &self->twin.sandboxed;

	start_listener(s, ARGS("-q", "--net-allow-bind", "8080"));
	EXPECT_EQ(0, knock(NETNS_ADDR4, 8080));
	EXPECT_EQ(0, sandbox_wait(s));
	EXPECT_STREQ("bind 0\nlisten 0\naccept 0\nrecv 5 knock\n", s->command.out.text);
}

TEST_F(single, a_denied_listener_is_not)
{
	struct sandbox *s = &self->twin.sandboxed;

	ASSERT_EQ(0, sandbox_start(s, ARGS("-q", "--net-allow", ":1"),
				   ARGS("probe", "bind", "tcp", NETNS_ADDR4, "8080", ",", "listen",
					"same", ",", "listen", "tcp", NETNS_ADDR4, ",", "signals"),
				   NULL, NULL));
	ASSERT_EQ(0, command_wait_text(&s->command, &s->command.out, "ready", COMMAND_TIMEOUT));
	EXPECT_EQ(-ECONNREFUSED, knock(NETNS_ADDR4, 8080));
	EXPECT_EQ(0, kill(s->command.pid, SIGTERM));
	EXPECT_EQ(0, sandbox_wait(s));
	EXPECT_STRIN("bind EACCES\nlisten EACCES\nlisten EACCES\n", s->command.out.text);
}

/* ---- low ports --------------------------------------------------------- */

#define LOW_PORTS                                                                                  \
	"probe", "bind", "tcp", "127.0.0.1", "80", ",", "bind", "udp", "127.0.0.1", "53", ",",     \
		"bind", "tcp", "::1", "1023", ",", "bind", "udp", "::1", "1", ",", "bind", "tcp",  \
		"127.0.0.1", "1024"

#define LENT     "bind 0\nbind 0\nbind 0\nbind 0\nbind 0\n"
#define NOT_LENT "bind EACCES\nbind EACCES\nbind EACCES\nbind EACCES\nbind 0\n"

static void compare_low_ports(struct single_data *self, const char *const argv[],
			      const char *expected)
{
	twin_run(&self->twin, ARGS("-q", "--net-allow-bind", "*"), argv);
	EXPECT_STREQ(expected, self->twin.native.command.out.text);
	EXPECT_STREQ(expected, self->twin.sandboxed.command.out.text);
}

TEST_F(single, root_keeps_the_low_ports_that_it_may_have)
{
	compare_low_ports(self, ARGS(LOW_PORTS), geteuid() ? NOT_LENT : LENT);
}

/* The supervisor still is root: what it could do is not what the task may. */
static void compare_low_ports_after(struct single_data *self, const char *const setpriv[],
				    const char *expected)
{
	static const char *const probe[] = { LOW_PORTS, NULL };
	const char *argv[64];
	int used = 0;

	/* Nobody has nothing to drop. */
	while (!geteuid() && *setpriv)
		argv[used++] = *setpriv++;
	memcpy(argv + used, probe, sizeof(probe));
	compare_low_ports(self, argv, geteuid() ? NOT_LENT : expected);
}

TEST_F(single, low_ports_are_not_lent_to_who_dropped_to_nobody)
{
	compare_low_ports_after(self,
				ARGS("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
				NOT_LENT);
}

TEST_F(single, low_ports_are_not_lent_to_who_dropped_the_capability)
{
	compare_low_ports_after(
		self, ARGS("setpriv", "--inh-caps=-all", "--bounding-set=-net_bind_service"),
		NOT_LENT);
}

TEST_F(single, low_ports_are_for_who_kept_the_capability)
{
	compare_low_ports_after(self,
				ARGS("setpriv", "--reuid=65534", "--inh-caps=+net_bind_service",
				     "--ambient-caps=+net_bind_service"),
				LENT);
}

TEST_HARNESS_MAIN

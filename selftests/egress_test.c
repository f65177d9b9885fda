/* SPDX-License-Identifier: MIT */
/*
 * Who may talk to whom: each way of reaching a listener, over each family and
 * protocol, without a sandbox, allowed and denied. The listener is asked what
 * arrived; the log is asked why.
 */
#include "selftests/harness.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "selftests/lib/netns.h"
#include "selftests/lib/sandbox.h"
#include "selftests/lib/server.h"

enum { PORT = 8080, OTHER_PORT = 8081 };

enum policy {
	NO_SANDBOX,
	ALLOW_RULE,    /* --net-allow of the listener */
	ALLOW_DEFAULT, /* --net-deny of something else */
	DENY_RULE,     /* --net-deny of the listener */
	DENY_DEFAULT,  /* --net-allow of something else */
};

struct family {
	const char *address; /* as the command writes it */
	const char *judged;  /* as it is judged and shown */
	const char *spec;    /* as it stands before a port in a spec */
};

static const struct family ipv4 = { "127.0.0.1", "127.0.0.1", "127.0.0.1" };
static const struct family ipv6 = { "::1", "::1", "[::1]" };
static const struct family mapped = { "::ffff:127.0.0.1", "127.0.0.1", "127.0.0.1" };

FIXTURE(egress)
{
	struct server *server;
	struct sandbox sandbox;
	char spec[64]; /* what the policy's one rule speaks of */
	char rule[80]; /* the text of that rule */
};

FIXTURE_VARIANT(egress)
{
	enum policy policy;
	const struct family *family;
	int type; /* SOCK_STREAM, SOCK_DGRAM */
};

#define ROW(name, ...)                                                                             \
	FIXTURE_VARIANT_ADD(egress, name)                                                          \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

ROW(no_sandbox_with_ipv4_tcp, NO_SANDBOX, &ipv4, SOCK_STREAM);
ROW(no_sandbox_with_ipv4_udp, NO_SANDBOX, &ipv4, SOCK_DGRAM);
ROW(no_sandbox_with_ipv6_tcp, NO_SANDBOX, &ipv6, SOCK_STREAM);
ROW(no_sandbox_with_ipv6_udp, NO_SANDBOX, &ipv6, SOCK_DGRAM);
ROW(no_sandbox_with_mapped_tcp, NO_SANDBOX, &mapped, SOCK_STREAM);
ROW(no_sandbox_with_mapped_udp, NO_SANDBOX, &mapped, SOCK_DGRAM);
ROW(allowed_by_rule_with_ipv4_tcp, ALLOW_RULE, &ipv4, SOCK_STREAM);
ROW(allowed_by_rule_with_ipv4_udp, ALLOW_RULE, &ipv4, SOCK_DGRAM);
ROW(allowed_by_rule_with_ipv6_tcp, ALLOW_RULE, &ipv6, SOCK_STREAM);
ROW(allowed_by_rule_with_ipv6_udp, ALLOW_RULE, &ipv6, SOCK_DGRAM);
ROW(allowed_by_rule_with_mapped_tcp, ALLOW_RULE, &mapped, SOCK_STREAM);
ROW(allowed_by_rule_with_mapped_udp, ALLOW_RULE, &mapped, SOCK_DGRAM);
ROW(allowed_by_default_with_ipv4_tcp, ALLOW_DEFAULT, &ipv4, SOCK_STREAM);
ROW(allowed_by_default_with_ipv4_udp, ALLOW_DEFAULT, &ipv4, SOCK_DGRAM);
ROW(allowed_by_default_with_ipv6_tcp, ALLOW_DEFAULT, &ipv6, SOCK_STREAM);
ROW(allowed_by_default_with_ipv6_udp, ALLOW_DEFAULT, &ipv6, SOCK_DGRAM);
ROW(allowed_by_default_with_mapped_tcp, ALLOW_DEFAULT, &mapped, SOCK_STREAM);
ROW(allowed_by_default_with_mapped_udp, ALLOW_DEFAULT, &mapped, SOCK_DGRAM);
ROW(denied_by_rule_with_ipv4_tcp, DENY_RULE, &ipv4, SOCK_STREAM);
ROW(denied_by_rule_with_ipv4_udp, DENY_RULE, &ipv4, SOCK_DGRAM);
ROW(denied_by_rule_with_ipv6_tcp, DENY_RULE, &ipv6, SOCK_STREAM);
ROW(denied_by_rule_with_ipv6_udp, DENY_RULE, &ipv6, SOCK_DGRAM);
ROW(denied_by_rule_with_mapped_tcp, DENY_RULE, &mapped, SOCK_STREAM);
ROW(denied_by_rule_with_mapped_udp, DENY_RULE, &mapped, SOCK_DGRAM);
ROW(denied_by_default_with_ipv4_tcp, DENY_DEFAULT, &ipv4, SOCK_STREAM);
ROW(denied_by_default_with_ipv4_udp, DENY_DEFAULT, &ipv4, SOCK_DGRAM);
ROW(denied_by_default_with_ipv6_tcp, DENY_DEFAULT, &ipv6, SOCK_STREAM);
ROW(denied_by_default_with_ipv6_udp, DENY_DEFAULT, &ipv6, SOCK_DGRAM);
ROW(denied_by_default_with_mapped_tcp, DENY_DEFAULT, &mapped, SOCK_STREAM);
ROW(denied_by_default_with_mapped_udp, DENY_DEFAULT, &mapped, SOCK_DGRAM);

/* The oracle: must the listener hear of it? */
static bool must_arrive(enum policy policy)
{
	return policy == NO_SANDBOX || policy == ALLOW_RULE || policy == ALLOW_DEFAULT;
}

/* The oracle's second half: does the policy's one rule match the listener? */
static bool rule_matches(enum policy policy)
{
	return policy == ALLOW_RULE || policy == DENY_RULE;
}

static const char *proto_of(const struct egress_variant *variant)
{
	return variant->type == SOCK_STREAM ? "tcp" : "udp";
}

FIXTURE_SETUP(egress)
{
	bool is_allow = variant->policy == ALLOW_RULE || variant->policy == DENY_DEFAULT;

	if (!netns_or_skip())
		return;
	self->server = server_new(variant->type, variant->family->judged, PORT);
	ASSERT_NE(NULL, self->server);
	snprintf(self->spec, sizeof(self->spec), "%s://%s:%d", proto_of(variant),
		 variant->family->spec, rule_matches(variant->policy) ? PORT : OTHER_PORT);
	snprintf(self->rule, sizeof(self->rule), "%s %s", is_allow ? "allow" : "deny", self->spec);
}

FIXTURE_TEARDOWN(egress)
{
	sandbox_free(&self->sandbox);
	server_free(self->server);
}

/* Run the probe's one operation, in a sandbox if the variant has one. */
static void run(struct egress_data *self, const struct egress_variant *variant,
		const char *const probe[])
{
	const char *option = strncmp(self->rule, "allow", 5) ? "--net-deny" : "--net-allow";
	const char *const *options = ARGS(option, self->spec);

	if (variant->policy == NO_SANDBOX)
		options = NULL;
	ASSERT_EQ(0, sandbox_run(&self->sandbox, options, probe));
	EXPECT_EQ(0, command_code(&self->sandbox.command))
	{
		TH_LOG("%s", self->sandbox.command.err.text);
	}
}

/*
 * The log must hold one decision with this cause. `error` is what the task got,
 * which for a connect that does not wait is EINPROGRESS.
 */
static void expect_decision(struct egress_data *self, const struct egress_variant *variant,
			    const char *syscall, int error)
{
	const json_t *decision = sandbox_event(&self->sandbox, "decision", 0);

	if (variant->policy == NO_SANDBOX)
		return;
	ASSERT_NE(NULL, decision);
	EXPECT_NULL(sandbox_event(&self->sandbox, "decision", 1));
	EXPECT_EQ(1, event_number(decision, "v"));
	EXPECT_EQ(1, event_number(decision, "generation"));
	EXPECT_STREQ("out", event_text(decision, "direction"));
	EXPECT_STREQ(must_arrive(variant->policy) ? "allow" : "deny",
		     event_text(decision, "verdict"));
	EXPECT_STREQ(proto_of(variant), event_text(decision, "proto"));
	EXPECT_STREQ(variant->family->judged, event_text(decision, "addr"));
	EXPECT_EQ(PORT, event_number(decision, "port"));
	EXPECT_STREQ("probe", event_text(decision, "comm"));
	EXPECT_STREQ(syscall, event_text(decision, "syscall"));
	EXPECT_EQ(must_arrive(variant->policy) ? error : ECONNREFUSED,
		  event_number(decision, "errno"));
	if (rule_matches(variant->policy)) {
		EXPECT_STREQ(self->rule, event_text(decision, "rule"));
		EXPECT_EQ(1, event_number(decision, "rule_index"));
	} else {
		EXPECT_STREQ("default", event_text(decision, "rule"));
		EXPECT_TRUE(json_is_null(json_object_get(decision, "rule_index")));
	}
}

/*
 * What the listener received, and what the caller was told: a denial looks like
 * an empty port, but the listener is alive and heard of nobody.
 */
static void expect_contact(struct egress_data *self, const struct egress_variant *variant,
			   const char *operation, const char *success, const char *payload)
{
	char expected[64], received[64] = "";

	EXPECT_EQ(0, server_knock(self->server));
	snprintf(expected, sizeof(expected), "%s %s\n", operation,
		 must_arrive(variant->policy) ? success : "ECONNREFUSED");
	EXPECT_STREQ(expected, self->sandbox.command.out.text);
	if (!must_arrive(variant->policy) || !payload) {
		EXPECT_EQ(0, server_count(self->server));
		return;
	}
	EXPECT_EQ(1, server_count(self->server));
	EXPECT_EQ(strlen(payload),
		  server_payload(self->server, 0, received, sizeof(received), COMMAND_TIMEOUT));
	EXPECT_STREQ(payload, received);
}

/* A connect alone is heard of over TCP and never over UDP. */
static const char *connect_payload(const struct egress_variant *variant)
{
	return variant->type == SOCK_STREAM ? "" : NULL;
}

TEST_F(egress, connect)
{
	run(self, variant,
	    ARGS("probe", "connect", proto_of(variant), variant->family->address, "8080"));
	expect_contact(self, variant, "connect", "0", connect_payload(variant));
	expect_decision(self, variant, "connect", 0);
}

TEST_F(egress, connect_without_waiting)
{
	bool is_tcp = variant->type == SOCK_STREAM;

	run(self, variant,
	    ARGS("probe", "connect", proto_of(variant), variant->family->address, "8080",
		 "nonblock"));
	expect_contact(self, variant, "connect", "0", connect_payload(variant));
	expect_decision(self, variant, "connect", is_tcp ? EINPROGRESS : 0);
}

/*
 * Over TCP a send to an address is a connect of its own: MSG_FASTOPEN. The
 * address is sent in every way there is, by a socket that waits and one that does not.
 */
static void send_to_address(struct egress_data *self, const struct egress_variant *variant,
			    const char *call, const char *success, const char *waiting)
{
	const char *flag = variant->type == SOCK_STREAM ? "fastopen" : "nosignal";

	run(self, variant,
	    ARGS("probe", call, proto_of(variant), variant->family->address, "8080", flag,
		 waiting));
	expect_contact(self, variant, call, success, "hello");
	expect_decision(self, variant, call, 0);
}

TEST_F(egress, sendto)
{
	send_to_address(self, variant, "sendto", "5", NULL);
}

TEST_F(egress, sendto_without_waiting)
{
	send_to_address(self, variant, "sendto", "5", "nonblock");
}

TEST_F(egress, sendmsg)
{
	send_to_address(self, variant, "sendmsg", "5", NULL);
}

TEST_F(egress, sendmsg_without_waiting)
{
	send_to_address(self, variant, "sendmsg", "5", "nonblock");
}

TEST_F(egress, sendmmsg)
{
	send_to_address(self, variant, "sendmmsg", "1: 5", NULL);
}

TEST_F(egress, sendmmsg_without_waiting)
{
	send_to_address(self, variant, "sendmmsg", "1: 5", "nonblock");
}

/* Small scenarios: a policy, the probe's operations, what it prints, what a listener hears. */
FIXTURE(scenario)
{
	struct server *tcp4, *tcp6, *udp4, *lan;
	struct sandbox sandbox;
};

FIXTURE_SETUP(scenario)
{
	if (!netns_or_skip())
		return;
	self->tcp4 = server_new(SOCK_STREAM, "127.0.0.1", PORT);
	self->tcp6 = server_new(SOCK_STREAM, "::1", PORT);
	self->udp4 = server_new(SOCK_DGRAM, "127.0.0.1", PORT);
	self->lan = server_new(SOCK_STREAM, NETNS_ADDR4, PORT);
	ASSERT_TRUE(self->tcp4 && self->tcp6 && self->udp4 && self->lan);
}

FIXTURE_TEARDOWN(scenario)
{
	sandbox_free(&self->sandbox);
	server_free(self->tcp4);
	server_free(self->tcp6);
	server_free(self->udp4);
	server_free(self->lan);
}

static void expect_output(struct scenario_data *self, const char *const options[],
			  const char *const probe[], const char *output)
{
	ASSERT_EQ(0, sandbox_run(&self->sandbox, options, probe));
	EXPECT_EQ(0, command_code(&self->sandbox.command));
	EXPECT_STREQ(output, self->sandbox.command.out.text)
	{
		TH_LOG("%s", self->sandbox.command.err.text);
	}
}

static void expect_count(size_t count, struct server *s)
{
	EXPECT_EQ(count, server_count(s));
}

TEST_F(scenario, an_empty_port_is_not_a_denial)
{
	const json_t *decision;

	expect_output(self, ARGS("--net-allow", "127.0.0.1"),
		      ARGS("probe", "connect", "tcp", "127.0.0.1", "8081"),
		      "connect ECONNREFUSED\n");
	decision = sandbox_event(&self->sandbox, "decision", 0);
	EXPECT_STREQ("allow", event_text(decision, "verdict"));
	EXPECT_EQ(ECONNREFUSED, event_number(decision, "errno"));
}

TEST_F(scenario, a_grandchild_is_judged_like_its_parent)
{
	expect_output(self, ARGS("--net-allow", "127.0.0.1:8080"),
		      ARGS("probe", "fork", ",", "fork", ",", "exec", ",", "connect", "tcp",
			   "127.0.0.1", "8080", ",", "connect", "tcp", "::1", "8080"),
		      "fork 0\nfork 0\nconnect 0\nconnect ECONNREFUSED\n");
	expect_count(1, self->tcp4);
	expect_count(0, self->tcp6);
}

TEST_F(scenario, an_inherited_socket_is_judged_too)
{
	expect_output(self, ARGS("--net-allow", "[::1]:8080"),
		      ARGS("probe", "socket", "inet", "stream", "0", ",", "exec", ",", "connect",
			   "same", "127.0.0.1", "8080"),
		      "socket 0\ndescriptor 0\nconnect ECONNREFUSED\n");
	expect_count(0, self->tcp4);
}

TEST_F(scenario, a_tcp_rule_permits_no_udp)
{
	expect_output(self, ARGS("--net-allow", "127.0.0.1:8080"),
		      ARGS("probe", "connect", "tcp", "127.0.0.1", "8080", ",", "sendto", "udp",
			   "127.0.0.1", "8080", ",", "connect", "udp", "127.0.0.1", "8080"),
		      "connect 0\nsendto ECONNREFUSED\nconnect ECONNREFUSED\n");
	expect_count(1, self->tcp4);
	expect_count(0, self->udp4);
}

TEST_F(scenario, a_udp_rule_permits_no_tcp)
{
	expect_output(self, ARGS("--net-allow", "udp://127.0.0.1:8080"),
		      ARGS("probe", "connect", "tcp", "127.0.0.1", "8080", ",", "sendto", "udp",
			   "127.0.0.1", "8080"),
		      "connect ECONNREFUSED\nsendto 5\n");
	expect_count(0, self->tcp4);
	expect_count(1, self->udp4);
}

TEST_F(scenario, a_denied_network_leaves_the_rest_open)
{
	expect_output(self, ARGS("--net-deny", "10.0.0.0/8"),
		      ARGS("probe", "connect", "tcp", NETNS_ADDR4, "8080", ",", "connect", "tcp",
			   "127.0.0.1", "8080", ",", "connect", "tcp", "::1", "8080", ",", "sendto",
			   "udp", "127.0.0.1", "8080"),
		      "connect ECONNREFUSED\nconnect 0\nconnect 0\nsendto 5\n");
	expect_count(0, self->lan);
	expect_count(1, self->tcp4);
	expect_count(1, self->tcp6);
	expect_count(1, self->udp4);
}

TEST_F(scenario, an_allowed_network_opens_nothing_else)
{
	expect_output(self, ARGS("--net-allow", "10.99.0.0/16:8080"),
		      ARGS("probe", "connect", "tcp", NETNS_ADDR4, "8080", ",", "connect", "tcp",
			   "127.0.0.1", "8080", ",", "connect", "tcp", "::1", "8080"),
		      "connect 0\nconnect ECONNREFUSED\nconnect ECONNREFUSED\n");
	expect_count(1, self->lan);
	expect_count(0, self->tcp4);
	expect_count(0, self->tcp6);
}

TEST_F(scenario, the_unspecified_address_is_loopback)
{
	expect_output(self, ARGS("--net-deny", "127.0.0.1", "--net-deny", "::1"),
		      ARGS("probe", "connect", "tcp", "0.0.0.0", "8080", ",", "connect", "tcp",
			   "::", "8080", ",", "connect", "tcp", "::ffff:0.0.0.0", "8080"),
		      "connect ECONNREFUSED\nconnect ECONNREFUSED\nconnect ECONNREFUSED\n");
	expect_count(0, self->tcp4);
	expect_count(0, self->tcp6);
}

TEST_F(scenario, a_connected_udp_socket_sends_freely)
{
	char text[16];

	expect_output(self, ARGS("--net-allow", "udp://127.0.0.1:8080"),
		      ARGS("probe", "connect", "udp", "127.0.0.1", "8080", ",", "send", "same"),
		      "connect 0\nsend 5\n");
	expect_count(1, self->udp4);
	EXPECT_EQ(5, server_payload(self->udp4, 0, text, sizeof(text), COMMAND_TIMEOUT));
}

TEST_F(scenario, sendmmsg_stops_at_the_first_denied_message)
{
	expect_output(self, ARGS("--net-allow", "udp://127.0.0.1:8080"),
		      ARGS("probe", "sendmmsg", "udp", "127.0.0.1", "8080", "127.0.0.1", "8080",
			   "127.0.0.1", "8081", "127.0.0.1", "8080"),
		      "sendmmsg 2: 5 5\n");
	expect_count(2, self->udp4);
}

TEST_HARNESS_MAIN

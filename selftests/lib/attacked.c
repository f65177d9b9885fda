/* SPDX-License-Identifier: MIT */
#include "selftests/lib/attacked.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "selftests/attacks/ground.h"
#include "selftests/harness.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/unixserver.h"

#define OPEN_TEXT "7001,7005" /* the allowed port, and HOLE_PORT */

const char *const *attacked_options(enum policy policy)
{
	static const char *const allow[] = { "-q", "--net-allow",
					     "any://127.0.0.1:" OPEN_TEXT ",any://[::1]:" OPEN_TEXT,
					     NULL };
	static const char *const deny[] = {
		"-q", "--net-deny",
		"any://127.0.0.0/8:" FORBIDDEN_TEXT ",any://[::1]:" FORBIDDEN_TEXT
		",any://0.0.0.0/8:" FORBIDDEN_TEXT ",any://[fe80::/10]:" FORBIDDEN_TEXT
		",any://@this-host:" FORBIDDEN_TEXT ",any://255.255.255.255,any://@multicast",
		NULL
	};
	static const char *const preset[] = { "-q",
					      "--rule",
					      "allow any://127.0.0.1:" OPEN_TEXT,
					      "--rule",
					      "allow any://[::1]:" OPEN_TEXT,
					      "--preset",
					      "public-only",
					      NULL };
	static const char *const bind[] = {
		"-q", "--net-allow", "any://127.0.0.1:" OPEN_TEXT, "--net-allow-bind", "*", NULL
	};
	static const char *const *const all[] = { allow, deny, preset, bind };

	return all[policy];
}

static void open_services(struct attacked *a)
{
	char path[108];

	snprintf(path, sizeof(path), "%s/service", harness_dir());
	a->services[0] = unixserver_open(SOCK_STREAM, path);
	snprintf(path, sizeof(path), "%s/closed", harness_dir());
	ASSERT_EQ(0, mkdir(path, 0700));
	strcat(path, "/service");
	a->services[1] = unixserver_open(SOCK_STREAM, path);
	snprintf(a->abstract, sizeof(a->abstract), "@attacked-%d", getpid());
	a->services[2] = unixserver_open(SOCK_STREAM, a->abstract);
	for (int i = 0; i < ATTACKED_SERVICES; i++)
		ASSERT_LE(0, a->services[i]);
}

/* Any socket of the machine hears a group that one of them has joined (ip(7), IP_MULTICAST_ALL). */
static void join_group(struct attacked *a)
{
	struct ip_mreq group = { .imr_multiaddr.s_addr = inet_addr(GROUP_ADDRESS),
				 .imr_interface.s_addr = htonl(INADDR_LOOPBACK) };

	a->group = server_new(SOCK_DGRAM, GROUP_ADDRESS, GROUP_PORT);
	ASSERT_NE(NULL, a->group);
	a->member = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(0, setsockopt(a->member, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)));
}

static void open_servers(struct attacked *a)
{
	for (int i = 0; i < 2; i++) {
		a->allowed[i] = server_new(i ? SOCK_DGRAM : SOCK_STREAM, "::", ALLOWED);
		a->forbidden[i] = server_new(i ? SOCK_DGRAM : SOCK_STREAM, "::", FORBIDDEN);
		ASSERT_TRUE(a->allowed[i] && a->forbidden[i]);
	}
	join_group(a);
}

static void close_servers(struct attacked *a)
{
	for (int i = 0; i < 2; i++) {
		server_free(a->allowed[i]);
		server_free(a->forbidden[i]);
	}
	server_free(a->group);
	close(a->member);
}

void attacked_init(struct attacked *a)
{
	static const char *const addresses[] = { "0.1.2.3", "1.2.3.4", "2002:7f00:1::1",
						 "64:ff9b::7f00:1", "fe80::1" };

	if (!netns_or_skip())
		return;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		ASSERT_EQ(0, netns_add_address(addresses[i]));
	open_servers(a);
	open_services(a);
	ASSERT_EQ(0, command_start(&a->victim, ARGS("probe", "signals"), NULL, NULL));
	ASSERT_EQ(0, command_wait_text(&a->victim, &a->victim.out, "ready\n", COMMAND_TIMEOUT));
}

void attacked_free(struct attacked *a)
{
	sandbox_free(&a->sandbox);
	command_free(&a->victim);
	close_servers(a);
}

void attacked_renew(struct attacked *a)
{
	close_servers(a);
	open_servers(a);
}

static int accept_all(int fd)
{
	int count = 0, accepted;

	while ((accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		close(accepted);
		count++;
	}
	return count;
}

size_t attacked_effects(struct attacked *a)
{
	size_t count = 0;

	for (int i = 0; i < 2; i++) {
		count += server_count(a->forbidden[i]);
	}
	count += server_count(a->group);
	for (int i = 0; i < ATTACKED_SERVICES; i++)
		count += (size_t)accept_all(a->services[i]);
	count += strstr(a->sandbox.command.out.text, "won: ") != NULL;
	/* A signal that was sent has been received by the time that its sender has ended. */
	if (command_wait_text(&a->victim, &a->victim.out, "USR2", 0) == 0)
		count++;
	return count;
}

const char *const *attacked_by(const char *scenario, const char *argument)
{
	static const char *argv[7];

	argv[0] = "attacker";
	argv[1] = scenario;
	argv[2] = ALLOWED_TEXT;
	argv[3] = FORBIDDEN_TEXT;
	argv[4] = "0";
	argv[5] = argument;
	return argv;
}

void attacked_says(struct attacked *a, const char *text)
{
	struct command *c = &a->sandbox.command;

	ASSERT_EQ(0, command_wait_text(c, &c->out, text, COMMAND_TIMEOUT))
	{
		TH_LOG("'%s' after: %s%s", text, c->out.text, c->err.text);
	}
}

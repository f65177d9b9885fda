/* SPDX-License-Identifier: MIT */
/*
 * The two ways to halt a sandbox's network: a pause, in which every new call
 * waits, and a panic, which denies everything and shuts what is open. What the
 * listeners of this machine received counts.
 */
#include "selftests/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "selftests/lib/deadline.h"
#include "selftests/lib/driven.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/scenario.h"
#include "selftests/lib/server.h"

enum { PORT = 8081, OWN_PORT = 8090, LONG = 100000 };

FIXTURE(halt)
{
	struct driven d;
	struct server *tcp, *udp;
	int control;
};

FIXTURE_SETUP(halt)
{
	if (!netns_or_skip())
		return;
	driven_init();
	self->tcp = server_new(SOCK_STREAM, "127.0.0.1", PORT);
	self->udp = server_new(SOCK_DGRAM, "127.0.0.1", PORT);
	ASSERT_NE(NULL, self->tcp);
	ASSERT_NE(NULL, self->udp);
	driven_start(&self->d, "web", ARGS("-q", "--net-allow", "any://127.0.0.1:*"), NULL, NULL);
	self->control = driven_connect("web");
	ASSERT_LE(0, self->control);
}

FIXTURE_TEARDOWN(halt)
{
	if (self->control >= 0)
		close(self->control);
	driven_free(&self->d);
	server_free(self->tcp);
	server_free(self->udp);
}

/* The reply, to be released; a failure of the test if there is none. */
static json_t *request(FIXTURE_DATA(halt) * self, const char *packet)
{
	json_t *reply = driven_request(self->control, packet);

	ASSERT_NE(NULL, reply);
	return reply;
}

static void set_pause(FIXTURE_DATA(halt) * self, bool on)
{
	json_t *reply = request(self, on ? "{\"v\":1,\"verb\":\"pause\",\"on\":true}"
					 : "{\"v\":1,\"verb\":\"pause\",\"on\":false}");

	EXPECT_EQ(on, json_is_true(json_object_get(reply, "paused")));
	json_decref(reply);
}

/* How many calls the operator holds up. */
static long count_held(void)
{
	const char *text = driven_ctl(0, ARGS("metrics"));
	const char *line = strstr(text, "\nsandtop_held{sandbox=\"web\"} ");

	ASSERT_NE(NULL, line)
	{
		TH_LOG("%s", text);
	}
	return atol(strchr(line, ' '));
}

static void wait_held(long count)
{
	int64_t deadline = deadline_in(10000);

	while (count_held() != count && deadline_again(deadline))
		;
	EXPECT_EQ(count, count_held());
}

TEST_F(halt, a_pause_holds_what_is_new)
{
	driven_say(&self->d, "open tcp 127.0.0.1 %d", PORT);
	set_pause(self, true);
	driven_begin(&self->d, "open tcp 127.0.0.1 %d", PORT);
	wait_held(1);
	EXPECT_EQ(1, server_count(self->tcp));
	/* A change of the policy is no end of it; what was held is judged by the new one. */
	EXPECT_STREQ("generation 2, 1 flows shut\n", driven_ctl(0, ARGS("deny", ":8081")));
	EXPECT_EQ(1, server_count(self->tcp));
	set_pause(self, false);
	EXPECT_STREQ("open ECONNREFUSED", driven_answer(&self->d));
	driven_ctl(0, ARGS("undo"));
	EXPECT_STREQ("open 1 0", driven_say(&self->d, "open tcp 127.0.0.1 %d", PORT));
	EXPECT_EQ(0, server_wait(self->tcp, 2, 10000));
}

TEST_F(halt, what_is_connected_goes_on_in_a_pause)
{
	driven_say(&self->d, "open tcp 127.0.0.1 %d", PORT);
	set_pause(self, true);
	EXPECT_STREQ("send 0 5", driven_say(&self->d, "send 0"));
	set_pause(self, false);
}

TEST_F(halt, a_pause_ends_with_whoever_asked_for_it)
{
	set_pause(self, true);
	driven_begin(&self->d, "open udp 127.0.0.1 %d", PORT);
	wait_held(1);
	close(self->control);
	self->control = -1;
	EXPECT_STREQ("open 0 0", driven_answer(&self->d));
	wait_held(0);
}

TEST_F(halt, a_task_that_is_paused_can_be_killed)
{
	set_pause(self, true);
	driven_begin(&self->d, "open tcp 127.0.0.1 %d", PORT);
	wait_held(1);
	driven_ctl(0, ARGS("kill", "KILL"));
	EXPECT_EQ(0, sandbox_wait(&self->d.sandbox));
	EXPECT_EQ(128 + SIGKILL, command_code(&self->d.sandbox.command));
	EXPECT_EQ(0, server_count(self->tcp));
}

TEST_F(halt, pause_is_told_what_it_is_to_do)
{
	json_t *reply = request(self, "{\"v\":1,\"verb\":\"pause\",\"on\":1}");

	EXPECT_STREQ("pause: expected \"on\" to be true or false", event_text(reply, "error"));
	json_decref(reply);
}

/* From outside the sandbox: 0, or -errno. */
static int reach(const char *address, uint16_t port)
{
	union name n;
	socklen_t len = name_set(&n, address, port);
	int fd = socket(n.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ret = connect(fd, &n.any, len) ? -errno : 0;

	close(fd);
	return ret;
}

static void panic(FIXTURE_DATA(halt) * self, long shut)
{
	json_t *reply = request(self, "{\"v\":1,\"verb\":\"panic\"}");

	EXPECT_EQ(2, event_number(reply, "generation"));
	EXPECT_EQ(shut, event_number(reply, "shut"));
	json_decref(reply);
}

TEST_F(halt, a_panic_denies_and_shuts_everything)
{
	const json_t *last = NULL;
	json_t *reply, *event;
	size_t index;

	driven_say(&self->d, "open tcp 127.0.0.1 %d", PORT);
	driven_say(&self->d, "open udp 127.0.0.1 %d", PORT);
	EXPECT_STREQ("send 1 5", driven_say(&self->d, "send 1"));
	EXPECT_EQ(0, server_wait(self->udp, 1, 10000));
	panic(self, 2);
	EXPECT_STREQ("recv 0 0", driven_say(&self->d, "recv 0"));
	EXPECT_STREQ("send 1 EPIPE", driven_say(&self->d, "send 1"));
	EXPECT_STREQ("open ECONNREFUSED", driven_say(&self->d, "open tcp 127.0.0.1 %d", PORT));
	EXPECT_STREQ("open ECONNREFUSED", driven_say(&self->d, "open udp 127.0.0.1 %d", PORT));
	EXPECT_EQ(1, server_count(self->tcp));
	EXPECT_EQ(1, server_count(self->udp));

	/* No rule opens what a panic has closed, and nobody panics twice. */
	EXPECT_STREQ("sandtop: ctl allow: everything is denied since the panic: undo that first\n",
		     driven_ctl(1, ARGS("allow", "127.0.0.1:8081")));
	reply = request(self, "{\"v\":1,\"verb\":\"panic\"}");
	EXPECT_STREQ("everything is denied already", event_text(reply, "error"));
	json_decref(reply);
	EXPECT_EQ(0, strncmp("# panic: everything is denied until that is undone\n[network]\n",
			     driven_ctl(0, ARGS("policy")), 60));
	EXPECT_NE(NULL, strstr(driven_ctl(0, ARGS("why", "tcp 127.0.0.1 8081")), "panic"));

	EXPECT_STREQ("generation 3, 0 flows shut\n", driven_ctl(0, ARGS("undo")));
	EXPECT_STREQ("open 2 0", driven_say(&self->d, "open tcp 127.0.0.1 %d", PORT));
	driven_quit(&self->d);
	json_array_foreach(self->d.sandbox.events, index,
			   event) if (!strcmp(event_text(event, "event"), "decision") &&
				      !strcmp(event_text(event, "verdict"), "deny")) last = event;
	ASSERT_NE(NULL, last);
	EXPECT_STREQ("panic", event_text(last, "rule"));
	EXPECT_TRUE(json_is_null(json_object_get(last, "hint")));
}

/* A profile of so many rules that they are compiled for a while; the first allows everything. */
static int long_profile(void)
{
	int fd = memfd_create("long", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	FILE *f = fdopen(dup(fd), "w");

	ASSERT_NE(NULL, f);
	fputs("[network]\nrules = [\n'allow any://127.0.0.1:*',\n", f);
	for (unsigned i = 0; i < LONG; i++)
		fprintf(f, "'allow 10.%u.%u.%u:%u',\n", i >> 16, i >> 8 & 255, i & 255, 1 + i % 99);
	fputs("]\n", f);
	ASSERT_EQ(0, fclose(f));
	ASSERT_EQ(0, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW));
	return fd;
}

/* As control-protocol.rst has it: the text is beside the packet. */
static void send_reload(int fd, int body)
{
	static char packet[] = "{\"v\":1,\"verb\":\"reload\",\"path\":\"long\",\"whole\":true}";
	struct iovec iov = { .iov_base = packet, .iov_len = strlen(packet) };
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS } };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };

	memcpy(CMSG_DATA(&control.head), &body, sizeof(body));
	ASSERT_EQ((ssize_t)iov.iov_len, sendmsg(fd, &msg, MSG_NOSIGNAL));
	close(body);
}

/* The reply to what was sent before; returns its generation. */
static long take_generation(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	json_t *reply;
	long generation;

	/* Longer than a reply usually takes: so many rules, and perhaps sanitizers. */
	ASSERT_EQ(1, poll(&pollfd, 1, COMMAND_TIMEOUT));
	reply = driven_request(fd, "");
	ASSERT_NE(NULL, reply);
	EXPECT_TRUE(json_is_true(json_object_get(reply, "ok")))
	{
		TH_LOG("%s", event_text(reply, "error"));
	}
	generation = event_number(reply, "generation");
	json_decref(reply);
	return generation;
}

TEST_F(halt, a_panic_neither_waits_for_a_change_before_it_nor_ends_with_it)
{
	static const char panic[] = "{\"v\":1,\"verb\":\"panic\"}";
	static const char hello[] = "{\"v\":1,\"verb\":\"hello\"}";
	int changer = driven_connect("web"), other = driven_connect("web");
	char byte;

	ASSERT_LE(0, changer);
	ASSERT_LE(0, other);
	send_reload(changer, long_profile());
	/* What was sent before has been taken when this has its reply. */
	json_decref(driven_request(other, hello));
	EXPECT_LT(0, send(self->control, panic, strlen(panic), MSG_NOSIGNAL));
	json_decref(driven_request(other, hello));
	EXPECT_STREQ("open ECONNREFUSED", driven_say(&self->d, "open tcp 127.0.0.1 %d", PORT));
	EXPECT_EQ(-1, recv(changer, &byte, 1, MSG_DONTWAIT | MSG_PEEK));
	EXPECT_EQ(2, take_generation(changer));
	EXPECT_STREQ("open ECONNREFUSED", driven_say(&self->d, "open tcp 127.0.0.1 %d", PORT));
	EXPECT_EQ(3, take_generation(self->control));
	EXPECT_STREQ("open ECONNREFUSED", driven_say(&self->d, "open tcp 127.0.0.1 %d", PORT));
	EXPECT_EQ(0, server_count(self->tcp));
	EXPECT_STREQ("generation 4, 0 flows shut\n", driven_ctl(0, ARGS("undo")));
	EXPECT_STREQ("open 0 0", driven_say(&self->d, "open tcp 127.0.0.1 %d", PORT));
	close(changer);
	close(other);
}

TEST_F(halt, a_panic_ends_what_was_accepted_and_who_listens)
{
	driven_say(&self->d, "listen 127.0.0.1 %d", OWN_PORT);
	EXPECT_EQ(0, reach("127.0.0.1", OWN_PORT));
	EXPECT_STREQ("accept 1 0", driven_say(&self->d, "accept 0"));
	driven_say(&self->d, "open tcp 127.0.0.1 %d", OWN_PORT);
	EXPECT_STREQ("accept 3 0", driven_say(&self->d, "accept 0"));
	panic(self, 4);
	EXPECT_STREQ("recv 3 0", driven_say(&self->d, "recv 3"));
	EXPECT_EQ(-ECONNREFUSED, reach("127.0.0.1", OWN_PORT));
}

TEST_HARNESS_MAIN

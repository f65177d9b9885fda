/* SPDX-License-Identifier: MIT */
/*
 * What is open and what went through it: the verbs `connections` and
 * `disconnect` of the control protocol, and the pane of the monitor.
 */
#include "selftests/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/opened.h"
#include "selftests/lib/driven.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/server.h"
#include "selftests/lib/tty.h"

enum { PORT = 8080 };

/* Bytes: the screen has three digits of it, so "999k" is right to a thousandth. */
enum { BULK = 999500 };

#define DOWN "\033OB"

FIXTURE(open)
{
	struct driven d;
	struct server *server;
	int control;
	struct opened_list list;
};

FIXTURE_SETUP(open)
{
	if (!netns_or_skip())
		return;
	driven_init();
	self->control = -1;
	self->server = server_new(SOCK_STREAM, "127.0.0.1", PORT);
	ASSERT_NE(NULL, self->server);
	driven_start(&self->d, "web", ARGS("--preset", "allow-all"), NULL, NULL);
	self->control = driven_connect("web");
	ASSERT_LE(0, self->control);
}

FIXTURE_TEARDOWN(open)
{
	free(self->list.v);
	if (self->control > 0)
		close(self->control);
	driven_free(&self->d);
	server_free(self->server);
}

static void look(FIXTURE_DATA(open) * self)
{
	json_t *reply = driven_request(self->control, "{\"v\":1,\"verb\":\"connections\"}");
	const char *text = event_text(reply, "text");

	free(self->list.v);
	self->list = (struct opened_list){ 0 };
	ASSERT_NE(NULL, text);
	ASSERT_EQ(0, opened_parse(text, strlen(text), &self->list));
	json_decref(reply);
}

/* The only one with that port at its other end, or NULL. */
static const struct opened *to_port(const FIXTURE_DATA(open) * self, uint16_t port)
{
	const struct opened *found = NULL;

	for (size_t i = 0; i < self->list.n; i++) {
		if (self->list.v[i].peer_port != port)
			continue;
		EXPECT_EQ(NULL, found);
		found = &self->list.v[i];
	}
	return found;
}

TEST_F(open, tcp_and_what_went_through_it)
{
	const struct opened *o;

	look(self);
	EXPECT_EQ(0, self->list.n);
	EXPECT_STREQ("open 0 0", driven_say(&self->d, "open tcp 127.0.0.1 8080"));
	EXPECT_STREQ("send 0 5", driven_say(&self->d, "send 0"));
	EXPECT_STREQ("send 0 5", driven_say(&self->d, "send 0"));
	look(self);
	o = to_port(self, PORT);
	ASSERT_NE(NULL, o);
	EXPECT_EQ(1, self->list.n);
	EXPECT_EQ(PROTO_TCP, o->proto);
	EXPECT_EQ(TCP_ESTABLISHED, o->state);
	EXPECT_TRUE(o->outbound);
	EXPECT_TRUE(o->has_bytes);
	EXPECT_EQ(10, o->out);
	EXPECT_EQ(0, o->in);
	EXPECT_STREQ("guest", o->comm);
	EXPECT_LT(0, o->pid);
}

TEST_F(open, udp_listener_and_accepted)
{
	struct server *udp = server_new(SOCK_DGRAM, "127.0.0.1", 8081);
	struct command client;
	const struct opened *o;
	size_t listeners = 0, accepted = 0;

	ASSERT_NE(NULL, udp);
	driven_say(&self->d, "open udp 127.0.0.1 8081");
	EXPECT_STREQ("listen 1 0", driven_say(&self->d, "listen 127.0.0.1 9000"));
	ASSERT_EQ(0, command_start(&client,
				   ARGS("probe", "connect", "tcp4", "127.0.0.1", "9000", ",",
					"recv", "same"),
				   NULL, NULL));
	EXPECT_STREQ("accept 2 0", driven_say(&self->d, "accept 1"));
	look(self);
	EXPECT_EQ(3, self->list.n);
	o = to_port(self, 8081);
	ASSERT_NE(NULL, o);
	EXPECT_EQ(PROTO_UDP, o->proto);
	EXPECT_FALSE(o->has_bytes);
	for (size_t i = 0; i < self->list.n; i++) {
		o = &self->list.v[i];
		listeners += o->state == TCP_LISTEN && !o->peer.family;
		accepted += o->local_port == 9000 && o->peer_port && !o->outbound;
	}
	EXPECT_EQ(1, listeners);
	EXPECT_EQ(1, accepted);
	EXPECT_STREQ("send 2 5", driven_say(&self->d, "send 2"));
	EXPECT_EQ(0, command_wait(&client, COMMAND_TIMEOUT));
	command_free(&client);
	server_free(udp);
}

/* Whoever else runs on the machine has sockets, too. */
TEST_F(open, nobody_elses)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&at, sizeof(at)));
	look(self);
	EXPECT_EQ(0, self->list.n);
	/* The control: such a connection of the command's is seen. */
	driven_say(&self->d, "open tcp 127.0.0.1 8080");
	look(self);
	EXPECT_EQ(1, self->list.n);
	close(fd);
}

TEST_F(open, a_grandchild_is_seen)
{
	driven_say(&self->d, "open tcp 127.0.0.1 8080");
	EXPECT_STREQ("fork 0", driven_say(&self->d, "fork"));
	look(self);
	EXPECT_NE(NULL, to_port(self, PORT));
}

TEST_F(open, disconnect_shuts_one_alone)
{
	char packet[128], text[16];
	uint64_t cookie;
	json_t *reply;

	driven_say(&self->d, "open tcp 127.0.0.1 8080");
	EXPECT_STREQ("send 0 5", driven_say(&self->d, "send 0"));
	look(self);
	ASSERT_EQ(1, self->list.n);
	cookie = self->list.v[0].cookie;
	driven_say(&self->d, "open tcp 127.0.0.1 8080");
	snprintf(packet, sizeof(packet), "{\"v\":1,\"verb\":\"disconnect\",\"cookie\":%llu}",
		 (unsigned long long)cookie);
	reply = driven_request(self->control, packet);
	EXPECT_TRUE(json_is_true(json_object_get(reply, "ok")));
	json_decref(reply);
	EXPECT_STREQ("send 0 EPIPE", driven_say(&self->d, "send 0"));
	EXPECT_EQ(5, server_payload(self->server, 0, text, sizeof(text), COMMAND_TIMEOUT));
	EXPECT_STREQ("send 1 5", driven_say(&self->d, "send 1"));
	/* There is no such socket, and it must be named. */
	reply = driven_request(self->control,
			       "{\"v\":1,\"verb\":\"disconnect\",\"cookie\":1000000000000}");
	EXPECT_STREQ("it is closed already", event_text(reply, "error"));
	json_decref(reply);
	reply = driven_request(self->control, "{\"v\":1,\"verb\":\"disconnect\"}");
	EXPECT_STREQ("disconnect: expected \"cookie\" to be one of connections",
		     event_text(reply, "error"));
	json_decref(reply);
}

/* ---- in the monitor ------------------------------------------------------- */

FIXTURE(pane)
{
	struct server *server;
	struct sandbox run;
	struct tty tty;
	struct command monitor;
	int fifo;
};

FIXTURE_SETUP(pane)
{
	char fifo[128], script[512];

	if (!netns_or_skip())
		return;
	driven_init();
	tty_environment();
	self->server = server_new(SOCK_STREAM, "127.0.0.1", PORT);
	ASSERT_NE(NULL, self->server);
	snprintf(fifo, sizeof(fifo), "%s/end", harness_dir());
	ASSERT_EQ(0, mkfifo(fifo, 0600));
	self->fifo = open(fifo, O_RDWR | O_CLOEXEC);
	snprintf(script, sizeof(script),
		 "exec 3<>/dev/tcp/127.0.0.1/%d; head -c %d /dev/zero >&3; read line <%s", PORT,
		 BULK, fifo);
	ASSERT_EQ(0,
		  sandbox_start(&self->run, ARGS("--name", "bulk", "-q", "--preset", "allow-all"),
				ARGS("bash", "-c", script), NULL, NULL));
	ASSERT_EQ(0, server_wait(self->server, 1, COMMAND_TIMEOUT));
	ASSERT_EQ(0, tty_open(&self->tty, 24, 80));
	ASSERT_EQ(0, command_start(&self->monitor, ARGS("sandtop", "attach", "bulk"), tty_become,
				   &self->tty));
	ASSERT_EQ(0, tty_wait(&self->tty, "VERD"));
	ASSERT_EQ(0, tty_type(&self->tty, "\t"));
}

FIXTURE_TEARDOWN(pane)
{
	command_free(&self->monitor);
	tty_close(&self->tty);
	sandbox_free(&self->run);
	server_free(self->server);
	if (self->fifo > 0)
		close(self->fifo);
}

/* The screen shows what the peer has got in the end. */
TEST_F(pane, bytes_are_those_of_the_peer)
{
	char *text = malloc(BULK + 1);

	ASSERT_NE(NULL, text);
	EXPECT_EQ(0, tty_wait(&self->tty, "established tcp   127.0.0.1"));
	EXPECT_EQ(0, tty_wait(&self->tty, "999k"));
	EXPECT_EQ(0, tty_wait(&self->tty, "bash["));
	ASSERT_EQ(1, write(self->fifo, "\n", 1));
	EXPECT_EQ(BULK, server_payload(self->server, 0, text, BULK + 1, COMMAND_TIMEOUT));
	free(text);
}

static void shut_by(FIXTURE_DATA(pane) * self, const char *key)
{
	char *text = malloc(BULK + 1);

	ASSERT_NE(NULL, text);
	ASSERT_EQ(0, tty_wait(&self->tty, "999k"));
	/* Nothing is selected: nothing happens. */
	ASSERT_EQ(0, tty_type(&self->tty, key));
	EXPECT_EQ(0, tty_wait(&self->tty, "select a row first"));
	EXPECT_EQ(-ETIMEDOUT, server_payload(self->server, 0, text, BULK + 1, 0));
	ASSERT_EQ(0, tty_type(&self->tty, DOWN));
	ASSERT_EQ(0, tty_type(&self->tty, key));
	EXPECT_EQ(BULK, server_payload(self->server, 0, text, BULK + 1, COMMAND_TIMEOUT));
	EXPECT_EQ(0, tty_wait_gone(&self->tty, "established"));
	free(text);
}

TEST_F(pane, k_shuts_the_selected_one)
{
	shut_by(self, "k");
}

TEST_F(pane, shift_k_shuts_the_flow)
{
	shut_by(self, "K");
}

TEST_HARNESS_MAIN

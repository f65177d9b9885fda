/* SPDX-License-Identifier: MIT */
/*
 * Programs that talk over UNIX sockets: with each other inside the sandbox as
 * ever, with those of the host by a rule alone. What is not installed is
 * skipped.
 */
#include "selftests/harness.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "selftests/lib/deadline.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/sandbox.h"

FIXTURE(app)
{
	struct sandbox sandbox;
	struct command service; /* of the host */
};

FIXTURE_SETUP(app)
{
	netns_or_skip();
}

FIXTURE_TEARDOWN(app)
{
	sandbox_free(&self->sandbox);
	if (self->service.pid)
		command_free(&self->service);
}

static bool is_installed(const char *name)
{
	char shell[128];

	snprintf(shell, sizeof(shell), "command -v %s >/dev/null", name);
	return system(shell) == 0;
}

/* Run the script in the test's directory, DIR to it; with NULL without sandtop. */
static void run_script(struct app_data *self, const char *const options[], const char *script)
{
	sandbox_free(&self->sandbox);
	setenv("DIR", harness_dir(), 1);
	ASSERT_EQ(0, sandbox_run(&self->sandbox, options, ARGS("sh", "-c", script)));
}

static void expect_success(struct app_data *self, const char *said)
{
	EXPECT_EQ(0, self->sandbox.command.status)
	{
		TH_LOG("%s%s", self->sandbox.command.out.text, self->sandbox.command.err.text);
	}
	EXPECT_STRIN(said, self->sandbox.command.out.text);
	EXPECT_NULL(sandbox_event(&self->sandbox, "decision", 0));
}

#define DENY_ALL ARGS("-q", "--preset", "none")

static const char list_names[] = "dbus-send --bus=\"${BUS:-$DBUS_SESSION_BUS_ADDRESS}\" "
				 "--print-reply --dest=org.freedesktop.DBus / "
				 "org.freedesktop.DBus.ListNames";

TEST_F(app, dbus_inside_the_sandbox)
{
	char script[512];

	if (!is_installed("dbus-run-session"))
		SKIP(return, "there is no dbus-run-session here");
	snprintf(script, sizeof(script), "dbus-run-session -- sh -c '%s'", list_names);
	run_script(self, NULL, script);
	expect_success(self, "org.freedesktop.DBus");
	run_script(self, DENY_ALL, script);
	expect_success(self, "org.freedesktop.DBus");
}

/* Wait until the service has made its socket, in the directory of the test. */
static bool await_file(const char *path)
{
	struct pollfd watch = { .fd = inotify_init1(IN_CLOEXEC), .events = POLLIN };
	int64_t deadline = deadline_in(COMMAND_TIMEOUT);
	char events[4096];
	bool found;

	if (watch.fd < 0 || inotify_add_watch(watch.fd, harness_dir(), IN_CREATE | IN_MOVED_TO) < 0)
		return false;
	while (!(found = access(path, F_OK) == 0) && poll(&watch, 1, deadline_left(deadline)) == 1)
		(void)!read(watch.fd, events, sizeof(events));
	close(watch.fd);
	return found;
}

TEST_F(app, dbus_of_the_host)
{
	char path[200], address[220], rule[220];

	if (!is_installed("dbus-daemon"))
		SKIP(return, "there is no dbus-daemon here");
	snprintf(path, sizeof(path), "%s/bus", harness_dir());
	snprintf(address, sizeof(address), "unix:path=%s", path);
	ASSERT_EQ(0,
		  command_start(&self->service,
				ARGS("dbus-daemon", "--session", "--nofork", "--address", address),
				NULL, NULL));
	ASSERT_TRUE(await_file(path));
	setenv("BUS", address, 1);
	run_script(self, NULL, list_names);
	expect_success(self, "org.freedesktop.DBus");
	run_script(self, DENY_ALL, list_names);
	EXPECT_NE(0, self->sandbox.command.status);
	EXPECT_STREQ("unix-default",
		     event_text(sandbox_event(&self->sandbox, "decision", 0), "rule"));
	EXPECT_STREQ(path, event_text(sandbox_event(&self->sandbox, "decision", 0), "path"));
	snprintf(rule, sizeof(rule), "unix:%s", path);
	run_script(self, ARGS("-q", "--net-allow", rule), list_names);
	EXPECT_EQ(0, self->sandbox.command.status);
	EXPECT_STRIN("org.freedesktop.DBus", self->sandbox.command.out.text);
}

TEST_F(app, ssh_agent)
{
	static const char list[] = "ssh-add -l";
	char path[200];

	if (!is_installed("ssh-agent"))
		SKIP(return, "there is no ssh-agent here");
	snprintf(path, sizeof(path), "%s/agent", harness_dir());
	ASSERT_EQ(0,
		  command_start(&self->service, ARGS("ssh-agent", "-D", "-a", path), NULL, NULL));
	ASSERT_TRUE(await_file(path));
	setenv("SSH_AUTH_SOCK", path, 1);
	run_script(self, NULL, list);
	EXPECT_STRIN("no identities", self->sandbox.command.out.text);
	run_script(self, DENY_ALL, list);
	EXPECT_STRIN("Permission denied", self->sandbox.command.err.text);
	run_script(self, ARGS("-q", "--net-allow", "unix:$SSH_AUTH_SOCK"), list);
	EXPECT_STRIN("no identities", self->sandbox.command.out.text);
	EXPECT_STREQ("allow unix:$SSH_AUTH_SOCK",
		     event_text(sandbox_event(&self->sandbox, "decision", 0), "rule"));
}

TEST_F(app, redis_over_its_unix_socket)
{
	static const char script[] =
		"cd $DIR && redis-server --port 0 --unixsocket redis.sock --save '' --daemonize no "
		">/dev/null & until redis-cli -s $DIR/redis.sock ping 2>/dev/null; do :; done; "
		"redis-cli -s $DIR/redis.sock set a b; redis-cli -s $DIR/redis.sock get a; "
		"kill $!; wait $!";

	if (!is_installed("redis-server"))
		SKIP(return, "there is no redis-server here");
	run_script(self, NULL, script);
	expect_success(self, "PONG\nOK\nb\n");
	run_script(self, DENY_ALL, script);
	expect_success(self, "PONG\nOK\nb\n");
}

TEST_HARNESS_MAIN

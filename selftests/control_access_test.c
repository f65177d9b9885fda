/* SPDX-License-Identifier: MIT */
/*
 * Who may drive a sandbox: not its own command, not another sandbox's, no other user.
 */
#include "selftests/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/lib/driven.h"
#include "selftests/lib/netns.h"

#define EVERY ARGS("--preset", "allow-all")

FIXTURE(inside)
{
	struct driven d;
	int inherited;
};

FIXTURE_SETUP(inside)
{
	if (!netns_or_skip())
		return;
	driven_init();
	self->inherited = -1;
}

FIXTURE_TEARDOWN(inside)
{
	driven_free(&self->d);
}

static void expect_unchanged(void)
{
	int fd = driven_connect("web");
	json_t *reply;

	ASSERT_LE(0, fd);
	reply = driven_request(fd, "{\"v\":1,\"verb\":\"hello\"}");
	EXPECT_EQ(1, event_number(reply, "generation"));
	json_decref(reply);
	close(fd);
}

/* The policy lets it reach every UNIX socket of the host, and this is none of those. */
TEST_F(inside, cannot_drive_its_own_sandbox)
{
	char path[160], link[160], root[192];
	const char *names[] = { path, link, root };

	driven_start(&self->d, "web", EVERY, NULL, NULL);
	snprintf(path, sizeof(path), "%s/sandtop/web.sock", harness_dir());
	snprintf(link, sizeof(link), "%s/link", harness_dir());
	ASSERT_EQ(0, symlink(path, link));
	snprintf(root, sizeof(root), "/proc/self/root%s", path);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *answer = driven_say(&self->d, "unix %s", names[i]);

		EXPECT_STRIN("EACCES", answer)
		{
			TH_LOG("%s: %s", names[i], answer);
		}
	}
	expect_unchanged();
}

TEST_F(inside, cannot_drive_another_sandbox)
{
	struct driven other;

	driven_start(&self->d, "web", ARGS("--net-allow", ":1"), NULL, NULL);
	driven_start(&other, "other", EVERY, NULL, NULL);
	EXPECT_STRNOTIN("\"ok\":true",
			driven_say(&other, "unix %s/sandtop/web.sock", harness_dir()));
	expect_unchanged();
	driven_free(&other);
}

static void give_stdin(void *arg)
{
	dup2(*(int *)arg, 0);
}

TEST_F(inside, cannot_use_a_connection_that_it_inherited)
{
	struct driven other;
	int fd;

	driven_start(&self->d, "web", ARGS("--net-allow", ":1"), NULL, NULL);
	fd = driven_connect("web");
	ASSERT_LE(0, fd);
	driven_start(&other, "other", EVERY, give_stdin, &fd);
	EXPECT_STRIN("a task of a sandbox cannot drive one", driven_say(&other, "ask 0"));
	expect_unchanged();
	close(fd);
	driven_free(&other);
}

TEST_F(inside, control_without_sandtop)
{
	struct command c;
	char path[160], fifo[160];
	int pipe;

	driven_start(&self->d, "web", ARGS("--net-allow", ":1"), NULL, NULL);
	snprintf(path, sizeof(path), "unix %s/sandtop/web.sock\nquit\n", harness_dir());
	snprintf(fifo, sizeof(fifo), "%s/fifo", harness_dir());
	ASSERT_EQ(0, mkfifo(fifo, 0600));
	ASSERT_EQ(0, command_start(&c, ARGS("guest", fifo), NULL, NULL));
	pipe = open(fifo, O_WRONLY | O_CLOEXEC);
	ASSERT_EQ((ssize_t)strlen(path), write(pipe, path, strlen(path)));
	EXPECT_EQ(0, command_wait(&c, COMMAND_TIMEOUT));
	EXPECT_STRIN("\"ok\":true", c.out.text);
	close(pipe);
	command_free(&c);
}

TEST_F(inside, another_user_is_refused)
{
	char path[160];
	int status;
	pid_t pid;

	/* Root alone can become another user; every suite runs as root, too. */
	if (geteuid())
		return;
	driven_start(&self->d, "web", ARGS("--net-allow", ":1"), NULL, NULL);
	/* As if somebody had opened the doors to it. */
	snprintf(path, sizeof(path), "%s/sandtop", harness_dir());
	ASSERT_EQ(0, chmod(harness_dir(), 0755));
	ASSERT_EQ(0, chmod(path, 0755));
	snprintf(path, sizeof(path), "%s/sandtop/web.sock", harness_dir());
	ASSERT_EQ(0, chmod(path, 0777));
	pid = fork();
	if (pid == 0) {
		json_t *reply;
		int fd;

		if (setgid(65534) || setuid(65534))
			_exit(2);
		fd = driven_connect("web");
		reply = fd >= 0 ? driven_request(fd, "") : NULL;
		_exit(reply && strstr(event_text(reply, "error"), "another user's") ? 0 : 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	expect_unchanged();
}

TEST_HARNESS_MAIN

/* SPDX-License-Identifier: MIT */
#include "core/control.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char base[64];

/* Every test has a $XDG_RUNTIME_DIR of its own. */
static void enter(void)
{
	snprintf(base, sizeof(base), "/tmp/control_unit.XXXXXX");
	cr_assert_not_null(mkdtemp(base));
	setenv("XDG_RUNTIME_DIR", base, 1);
}

static void leave(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", base);
	cr_assert_eq(system(command), 0);
}

TestSuite(control, .init = enter, .fini = leave);

static void pair(int fds[2])
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
}

/* A socket of that name in the directory that listens, or did. */
static int serve(const char *name, bool listens)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int dir = control_open_dir();

	cr_assert_geq(dir, 0);
	control_path(dir, name, address.sun_path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	if (listens)
		cr_assert_eq(listen(fd, 5), 0);
	close(dir);
	return fd;
}

Test(control, the_directory_is_made_for_this_user_alone)
{
	char path[PATH_MAX], expected[PATH_MAX];
	struct stat st;

	umask(0);
	snprintf(expected, sizeof(expected), "%s/sandtop", base);
	cr_assert_eq(control_dir(path), 0);
	cr_assert_str_eq(path, expected);
	cr_assert_eq(lstat(path, &st), 0);
	cr_assert(S_ISDIR(st.st_mode));
	cr_assert_eq(st.st_mode & 0777, 0700);
	cr_assert_eq(control_dir(path), 0, "again");
}

/* Whatever is wrong with the first place, it is not used. */
static void assert_elsewhere(void)
{
	char path[PATH_MAX] = "";

	control_dir(path);
	cr_assert_neq(strncmp(path, base, strlen(base)), 0, "%s was used", path);
}

Test(control, a_link_is_not_followed)
{
	char link[128], target[128];

	snprintf(link, sizeof(link), "%s/sandtop", base);
	snprintf(target, sizeof(target), "%s/elsewhere", base);
	cr_assert_eq(mkdir(target, 0700), 0);
	cr_assert_eq(symlink(target, link), 0);
	assert_elsewhere();
}

Test(control, a_directory_that_others_may_use_is_refused)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/sandtop", base);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_assert_eq(chmod(path, 0750), 0);
	assert_elsewhere();
}

Test(control, a_base_that_others_may_write_is_refused)
{
	cr_assert_eq(chmod(base, 0777), 0);
	assert_elsewhere();
}

Test(control, a_relative_base_is_ignored)
{
	setenv("XDG_RUNTIME_DIR", "here", 1);
	assert_elsewhere();
	cr_assert_neq(access("here", F_OK), 0);
}

Test(control, another_users_base_is_refused)
{
	char path[PATH_MAX] = "";

	if (geteuid())
		cr_skip_test("needs root");
	cr_assert_eq(chown(base, 1, 1), 0);
	control_dir(path);
	cr_assert_neq(strncmp(path, base, strlen(base)), 0, "%s was used", path);
}

Test(control, nobody_runs)
{
	struct control_error err;

	cr_assert_eq(control_connect(NULL, &err), -ENOENT);
	cr_assert_str_eq(err.text, "no sandbox is running");
	cr_assert_eq(control_connect("web", &err), -ENOENT);
	cr_assert_str_eq(err.text, "no sandbox 'web' is running (see sandtop ps)");
	cr_assert_eq(control_connect("../web", &err), -ENOENT);
	cr_assert_eq(control_connect("", &err), -ENOENT);
}

Test(control, the_only_one_needs_no_name)
{
	struct control_error err;
	int dead = serve("dead", false), web = serve("web", true), ci, fd;

	fd = control_connect(NULL, &err);
	cr_assert_geq(fd, 0, "%s", err.text);
	close(fd);
	cr_assert_eq(control_connect("dead", &err), -ENOENT);
	ci = serve("ci", true);
	cr_assert_eq(control_connect(NULL, &err), -ENOTUNIQ);
	cr_assert_str_eq(err.text, "2 sandboxes are running: expected one of ci, web");
	fd = control_connect("ci", &err);
	cr_assert_geq(fd, 0, "%s", err.text);
	close(fd);
	close(ci);
	close(web);
	close(dead);
}

Test(control, a_long_base_does_not_matter)
{
	struct control_error err;
	char deep[PATH_MAX];
	int web, fd;

	snprintf(deep, sizeof(deep), "%s/%0200d", base, 7);
	cr_assert_eq(mkdir(deep, 0700), 0);
	setenv("XDG_RUNTIME_DIR", deep, 1);
	web = serve("web", true);
	fd = control_connect("web", &err);
	cr_assert_geq(fd, 0, "%s", err.text);
	close(fd);
	close(web);
}

Test(control, a_packet_arrives_with_its_body)
{
	json_t *request = control_request("reload"), *got;
	int fds[2], body, received;
	char *text;
	size_t len;

	pair(fds);
	body = control_body_new("a\0b", 3);
	cr_assert_geq(body, 0);
	cr_assert_eq(control_send(fds[0], request, body), 0);
	got = control_recv(fds[1], &received);
	cr_assert(json_equal(request, got));
	cr_assert(fcntl(received, F_GETFD) & FD_CLOEXEC);
	cr_assert_eq(control_body_read(received, &text, &len), 0);
	cr_assert_eq(len, 3);
	cr_assert_eq(memcmp(text, "a\0b", 4), 0);
	cr_assert_lt(write(received, "x", 1), 0, "a body cannot change");
	free(text);
	close(received);
	close(body);
	json_decref(got);
	json_decref(request);
}

Test(control, a_body_that_could_change_or_wait_is_refused)
{
	size_t len;
	char *text;
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	cr_assert_eq(control_body_read(fds[0], &text, &len), -EBADMSG);
	cr_assert_eq(control_body_read(open("/etc/passwd", O_RDONLY), &text, &len), -EBADMSG);
	cr_assert_eq(control_body_read(-1, &text, &len), -EBADMSG);
}

static int recv_error(const char *packet, size_t len)
{
	int fds[2];

	pair(fds);
	cr_assert_eq(send(fds[0], packet, len, 0), (ssize_t)len);
	cr_assert_null(control_recv(fds[1], NULL));
	close(fds[0]);
	close(fds[1]);
	return errno;
}

Test(control, what_is_no_packet_is_refused)
{
	static char large[CONTROL_PACKET_MAX + 1], deep[CONTROL_PACKET_MAX];

	memset(large, ' ', sizeof(large));
	memcpy(large, "{}", 2);
	memset(deep, '[', sizeof(deep));
	cr_assert_eq(recv_error("garbage", 7), EBADMSG);
	cr_assert_eq(recv_error("[]", 2), EBADMSG);
	cr_assert_eq(recv_error("{}{}", 4), EBADMSG);
	cr_assert_eq(recv_error("{\"v\":1,\"v\":2}", 13), EBADMSG);
	cr_assert_eq(recv_error(deep, sizeof(deep)), EBADMSG);
	cr_assert_eq(recv_error(large, sizeof(large)), EMSGSIZE);
}

Test(control, too_large_a_packet_is_not_sent)
{
	json_t *packet = control_request("allow");
	static char large[CONTROL_PACKET_MAX + 1];
	int fds[2];

	pair(fds);
	memset(large, 'x', sizeof(large) - 1);
	json_object_set_new(packet, "spec", json_string(large));
	cr_assert_eq(control_send(fds[0], packet, -1), -EMSGSIZE);
	json_decref(packet);
}

Test(control, a_reply_is_what_is_no_event)
{
	json_t *request = control_request("undo");
	json_t *event = json_pack("{s:i, s:s}", "v", 1, "event", "swap");
	json_t *sent = json_pack("{s:i, s:b, s:s}", "v", 1, "ok", 0, "error", "nothing to undo");
	struct control_error err;
	json_t *reply;
	int fds[2];

	pair(fds);
	cr_assert_eq(control_send(fds[1], event, -1), 0);
	cr_assert_eq(control_send(fds[1], sent, -1), 0);
	reply = control_call(fds[0], request, -1, NULL);
	cr_assert(json_equal(reply, sent));
	cr_assert_not(control_succeeded(reply, &err));
	cr_assert_str_eq(err.text, "nothing to undo");
	json_decref(reply);

	close(fds[1]);
	reply = control_call(fds[0], request, -1, NULL);
	cr_assert_not(control_succeeded(reply, &err));
	cr_assert_str_eq(err.text, "the sandbox has ended");
	json_decref(request);
	json_decref(event);
	json_decref(sent);
}

/* SPDX-License-Identifier: MIT */
/*
 * That a socket is told from a later one with the same inode number, and an
 * inode that was just made from an older one.
 */
#include "core/unixdiag.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/inode.h"

Test(unixdiag, finds_a_socket_by_number_and_cookie)
{
	/* The family alone: the kernel gives it an abstract name. */
	const struct sockaddr_un name = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct unixdiag_socket found;
	struct unixdiag diag;
	socklen_t len = sizeof(uint64_t);
	uint64_t cookie;
	struct stat st;

	unixdiag_init(&diag);
	cr_assert_eq(bind(sock, (const struct sockaddr *)&name, sizeof(sa_family_t)), 0);
	cr_assert_eq(fstat(sock, &st), 0);
	cr_assert_eq(getsockopt(sock, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	cr_expect_eq(unixdiag_find(&diag, (uint32_t)st.st_ino, cookie, &found), 0);
	cr_expect_eq(found.ino, st.st_ino);
	cr_expect_gt(found.name_len, 1);
	cr_expect_eq(unixdiag_find(&diag, (uint32_t)st.st_ino, cookie + 1, &found), -ESTALE);
	close(sock);
	cr_expect_eq(unixdiag_find(&diag, (uint32_t)st.st_ino, cookie, &found), -ENOENT);
	unixdiag_exit(&diag);
}

static struct timespec later(struct timespec t, long ns)
{
	t.tv_sec += (t.tv_nsec + ns) / 1000000000;
	t.tv_nsec = (t.tv_nsec + ns) % 1000000000;
	return t;
}

Test(inode, knows_one_that_was_just_made)
{
	char path[] = "/tmp/sandtop-inode.XXXXXX";
	struct timespec since, after;
	int fd;

	inode_now(&since);
	fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	cr_expect(inode_is_new(fd, &since));
	/* Made a second before; touching it does not make it younger. */
	after = later(since, 999999999);
	cr_expect_eq(futimens(fd, (const struct timespec[]){ after, after }), 0);
	cr_expect_not(inode_is_new(fd, &after));
	unlink(path);
	close(fd);
}

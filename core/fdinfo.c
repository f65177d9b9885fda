/* SPDX-License-Identifier: MIT */
#include "core/fdinfo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

static FILE *open_fdinfo(pid_t tid, const char *fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.20s", tid, fd);
	return fopen(path, "re");
}

int fdinfo_flags(pid_t tid, int fd)
{
	int flags = -EBADF;
	char number[16], line[128];
	FILE *f;

	snprintf(number, sizeof(number), "%d", fd);
	f = open_fdinfo(tid, number);
	while (f && flags < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, "flags:", 6))
			flags = (int)strtoul(line + 6, NULL, 8);
	if (f)
		fclose(f);
	return flags;
}

/* Whether the epoll instance has the file; fills *out but for its number. */
static bool has_registered(pid_t tid, const char *epoll, int fd, ino_t ino,
			   struct fdinfo_epoll *out)
{
	FILE *f = open_fdinfo(tid, epoll);
	bool found = false;
	char line[256];

	while (f && !found && fgets(line, sizeof(line), f)) {
		unsigned long long data;
		unsigned long inode;
		unsigned events;
		int tfd;

		/* fs/eventpoll.c ep_show_fdinfo() */
		found = sscanf(line, "tfd: %d events: %x data: %llx pos:%*d ino:%lx", &tfd, &events,
			       &data, &inode) == 4 &&
			tfd == fd && inode == ino;
		if (found)
			*out = (struct fdinfo_epoll){ .events = events, .data = data };
	}
	if (f)
		fclose(f);
	return found;
}

size_t fdinfo_epolls(pid_t tid, int fd, ino_t ino, struct fdinfo_epoll *out, size_t max)
{
	static const char epoll[] = "anon_inode:[eventpoll]";
	char path[64], link[sizeof(epoll)];
	struct dirent *entry;
	size_t found = 0;
	int looked = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", tid);
	dir = opendir(path);
	while (dir && found < max && looked++ < FDINFO_DESCRIPTORS_MAX && (entry = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link));

		if (n != sizeof(epoll) - 1 || memcmp(link, epoll, (size_t)n) ||
		    !has_registered(tid, entry->d_name, fd, ino, &out[found]))
			continue;
		out[found++].fd = atoi(entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

/*
 * An instance knows a file by its number, too (fs/eventpoll.c, struct epoll_filefd), and the task's
 * number may be taken here. So a child with a table of its own gives it to the socket.
 */
int fdinfo_register(int epoll, int sock, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };
	int safe = epoll == fd ? fcntl(epoll, F_DUPFD_CLOEXEC, fd + 1) : epoll;
	int status;
	pid_t pid;

	if (safe < 0)
		return -errno;
	pid = vfork();
	if (pid == 0)
		_exit(dup2(sock, fd) < 0 || epoll_ctl(safe, EPOLL_CTL_ADD, fd, &event) ? errno : 0);
	if (safe != epoll)
		close(safe);
	if (pid < 0)
		return -errno;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

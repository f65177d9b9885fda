/* SPDX-License-Identifier: MIT */
#include "core/inode.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

/* File systems count time in steps (s_time_gran), and some in larger ones than the clock. */
enum { STEP_NS = 1000 };

static uint64_t kernel_device(unsigned maj, unsigned min)
{
	return (uint64_t)maj << 20 | min; /* include/linux/kdev_t.h MKDEV() */
}

/* The mount's device: `pid` is of a task that sees it, as a mount has one number for all. */
static int mount_device(pid_t pid, int mount, uint64_t *dev)
{
	char path[64], *line = NULL;
	unsigned maj, min;
	int id, ret = -ENOENT;
	size_t size = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (ret && getline(&line, &size, f) > 0) {
		if (sscanf(line, "%d %*d %u:%u", &id, &maj, &min) != 3 || id != mount)
			continue;
		*dev = kernel_device(maj, min);
		ret = 0;
	}
	free(line);
	fclose(f);
	return ret;
}

/* See proc_pid_fdinfo(5) and proc_pid_mountinfo(5). */
int inode_identify(pid_t pid, int fd, struct inode *out)
{
	unsigned long inode;
	int mount = -1;
	bool have_ino = false;
	char line[256];
	struct stat st;
	FILE *f;

	snprintf(line, sizeof(line), "/proc/self/fdinfo/%d", fd);
	f = fopen(line, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		sscanf(line, "mnt_id: %d", &mount);
		if (sscanf(line, "ino: %lu", &inode) == 1)
			have_ino = true;
	}
	fclose(f);
	if (mount < 0 || !have_ino)
		return -ENOENT;
	out->ino = inode;
	if (mount_device(pid, mount, &out->dev) == 0)
		return 0;
	/*
	 * A task in another root sees no mount that begins above that. Where this is not the device
	 * after all, it is none that any other file system has, and the socket is nobody's.
	 */
	if (fstat(fd, &st))
		return -errno;
	out->dev = kernel_device(major(st.st_dev), minor(st.st_dev));
	return 0;
}

static bool has_own_clock(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return false;
	switch ((uint32_t)fs.f_type) {
	case FUSE_SUPER_MAGIC:
	case NFS_SUPER_MAGIC:
	case V9FS_MAGIC:
	case CEPH_SUPER_MAGIC:
	case CIFS_SUPER_MAGIC:
	case SMB2_SUPER_MAGIC:
		return true;
	default:
		return false;
	}
}

void inode_now(struct timespec *out)
{
	/* fs/inode.c current_time() */
	clock_gettime(CLOCK_REALTIME_COARSE, out);
	out->tv_nsec -= out->tv_nsec % STEP_NS;
}

bool inode_is_new(int fd, const struct timespec *since)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &st))
		return false;
	if (!(st.stx_mask & STATX_BTIME) || has_own_clock(fd))
		return true;
	return st.stx_btime.tv_sec > since->tv_sec ||
	       (st.stx_btime.tv_sec == since->tv_sec && st.stx_btime.tv_nsec >= since->tv_nsec);
}

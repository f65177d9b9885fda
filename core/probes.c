/* SPDX-License-Identifier: MIT */
#include "core/probes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/landlock.h"
#include "core/uapi.h"

/* Run `probe` in a child, for what cannot be undone, and return what it returned. */
static int in_child(int (*probe)(void))
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(-probe());
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	/* A seccomp profile may kill for a system call. */
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EPERM;
}

/* Run `probe` on a child that does nothing, and on a descriptor that the child has. */
static int on_child(int (*probe)(pid_t pid, int fd))
{
	int end[2];
	pid_t pid;
	char c;
	int ret;

	if (pipe2(end, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0) {
		close(end[1]);
		_exit(read(end[0], &c, 1) != 0);
	}
	ret = pid < 0 ? -errno : probe(pid, end[0]);
	close(end[0]);
	close(end[1]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return ret;
}

/* A filter that traps nothing; returns its listener or -errno. */
static int install_listener(unsigned int flags)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = 1, .filter = &allow };
	int fd;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			  flags | SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	return fd < 0 ? -errno : fd;
}

static int try_notify(void)
{
	int fd = install_listener(0);

	return fd < 0 ? fd : 0;
}

static int try_wait_killable(void)
{
	int fd = install_listener(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);

	return fd < 0 ? fd : 0;
}

static int try_sync_wake_up(void)
{
	int fd = install_listener(0);

	if (fd < 0)
		return fd;
	return ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) ? -errno
											    : 0;
}

int probe_notify(void)
{
	return in_child(try_notify);
}

int probe_wait_killable(void)
{
	return in_child(try_wait_killable);
}

int probe_sync_wake_up(void)
{
	return in_child(try_sync_wake_up);
}

int probe_pidfd_thread(void)
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), PIDFD_THREAD);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int get_descriptor(pid_t pid, int fd)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int dup, ret;

	if (pidfd < 0)
		return -errno;
	dup = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	ret = dup < 0 ? -errno : 0;
	if (dup >= 0)
		close(dup);
	close(pidfd);
	return ret;
}

int probe_pidfd_getfd(void)
{
	return on_child(get_descriptor);
}

static int read_memory(pid_t pid, int fd)
{
	int copy;
	struct iovec local = { .iov_base = &copy, .iov_len = sizeof(copy) };
	struct iovec remote = { .iov_base = &fd, .iov_len = sizeof(fd) };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) < 0 ? -errno : 0;
}

int probe_read_memory(void)
{
	return on_child(read_memory);
}

int probe_io_uring(void)
{
	struct io_uring_params params = { 0 };
	int fd = (int)syscall(SYS_io_uring_setup, 2, &params);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int probe_landlock(enum landlock_gap gap)
{
	int abi = landlock_abi();

	if (abi < 0)
		return abi;
	return landlock_gaps(abi) & gap ? -EINVAL : 0;
}

int probe_landlock_tcp(void)
{
	return probe_landlock(LANDLOCK_GAP_TCP);
}

int probe_landlock_scope(void)
{
	return probe_landlock(LANDLOCK_GAP_SCOPE);
}

/* AppArmor lets the first unshare pass and takes the capabilities that the second needs. */
static int try_user_namespace(void)
{
	return unshare(CLONE_NEWUSER) || unshare(CLONE_NEWNET) ? -errno : 0;
}

int probe_user_namespace(void)
{
	return in_child(try_user_namespace);
}

int probe_ping(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

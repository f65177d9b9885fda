/* SPDX-License-Identifier: MIT */
#include "core/notif.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/uapi.h"

/* include/linux/errno.h: known to the kernel's signal code only, never to user space. */
#define KERNEL_ERESTARTSYS 512

int notif_init(void)
{
	struct seccomp_notif_sizes sizes;

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes))
		return -errno;
	if (sizes.seccomp_notif > sizeof(struct seccomp_notif) ||
	    sizes.seccomp_notif_resp > sizeof(struct seccomp_notif_resp))
		return -E2BIG;
	return 0;
}

int notif_sync_wake_up(int listener)
{
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
		       ? -errno
		       : 0;
}

int notif_ready(int listener)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	int ret = poll(&p, 1, 0);

	if (ret < 0)
		return -errno;
	return ret == 1 && (p.revents & POLLIN);
}

int notif_recv(int listener, struct notif *out)
{
	/* The kernel refuses a buffer that is not all zero. */
	struct seccomp_notif n = { 0 };

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n))
		return -errno;
	out->id = n.id;
	out->tid = (pid_t)n.pid;
	out->nr = n.data.nr;
	for (int i = 0; i < 6; i++)
		out->args[i] = n.data.args[i];
	return 0;
}

/* The filter's lock is taken interruptibly, whatever the request: a signal is no answer. */
static int request(int listener, unsigned long op, const void *arg)
{
	int ret;

	do {
		ret = ioctl(listener, op, arg) < 0 ? -errno : 0;
	} while (ret == -EINTR);
	return ret;
}

bool notif_valid(int listener, uint64_t id)
{
	return request(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

static int send_response(int listener, const struct seccomp_notif_resp *resp)
{
	return request(listener, SECCOMP_IOCTL_NOTIF_SEND, resp);
}

int notif_answer(int listener, uint64_t id, int64_t value, int error)
{
	struct seccomp_notif_resp resp = { .id = id, .val = error ? 0 : value, .error = -error };

	return send_response(listener, &resp);
}

int notif_restart(int listener, uint64_t id)
{
	struct seccomp_notif_resp resp = { .id = id, .error = -KERNEL_ERESTARTSYS };

	return send_response(listener, &resp);
}

int notif_replace_fd(int listener, uint64_t id, int fd, int number, bool cloexec)
{
	struct seccomp_notif_addfd add = {
		.id = id,
		.flags = SECCOMP_ADDFD_FLAG_SETFD,
		.srcfd = (uint32_t)fd,
		.newfd = (uint32_t)number,
		.newfd_flags = cloexec ? O_CLOEXEC : 0,
	};

	return request(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
}

int notif_continue(int listener, uint64_t id)
{
	struct seccomp_notif_resp resp = {
		.id = id,
		.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE,
	};

	return send_response(listener, &resp);
}

/* SPDX-License-Identifier: MIT */
#include "core/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/task.h"

#define CAP_BIT(cap) (1ULL << (cap))

/*
 * Reading, pinning and killing tasks that changed their user; nothing that gives a system call on
 * behalf a right that its task lacks.
 */
static const uint64_t own = CAP_BIT(CAP_SYS_PTRACE) | CAP_BIT(CAP_KILL);

/* CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON too, and enters other network namespaces. */
static const uint64_t around = CAP_BIT(CAP_NET_ADMIN) | CAP_BIT(CAP_SYS_ADMIN) |
			       CAP_BIT(CAP_SYS_MODULE) | CAP_BIT(CAP_SYS_RAWIO) |
			       CAP_BIT(CAP_PERFMON) | CAP_BIT(CAP_BPF);

static int set_effective(uint64_t permitted, uint64_t effective)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++)
		data[i] = (struct __user_cap_data_struct){
			.permitted = (uint32_t)(permitted >> 32 * i),
			.effective = (uint32_t)(effective >> 32 * i),
		};
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

int caps_init(struct caps *c)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -errno;
	c->permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	c->base = c->permitted & own;
	return set_effective(c->permitted, c->base);
}

/* A task that made its own user namespace has every capability, but only in there. */
static bool is_in_our_user_namespace(pid_t tid)
{
	struct stat ours, theirs;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", tid);
	return stat("/proc/self/ns/user", &ours) == 0 && stat(path, &theirs) == 0 &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

bool caps_raise_as(const struct caps *c, pid_t tid)
{
	struct task_status status;
	uint64_t lent;

	if (!caps_any(c) || !is_in_our_user_namespace(tid) || task_status(tid, &status))
		return false;
	lent = c->permitted & status.cap_effective;
	if (!(lent & ~c->base))
		return false;
	return set_effective(c->permitted, c->base | lent) == 0;
}

void caps_drop(const struct caps *c)
{
	if (set_effective(c->permitted, c->base))
		_exit(125); /* never go on with more rights than intended */
}

int caps_cut(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	uint32_t had = 0;

	if (syscall(SYS_capget, &header, data))
		return -errno;
	for (int i = 0; i < 2; i++) {
		uint32_t keep = (uint32_t)(~around >> 32 * i);

		had |= (data[i].permitted | data[i].inheritable) & ~keep;
		data[i].permitted &= keep;
		data[i].effective &= keep;
		data[i].inheritable &= keep;
	}
	/* The ambient set follows the two that it is made of. */
	return had && syscall(SYS_capset, &header, data) ? -errno : 0;
}

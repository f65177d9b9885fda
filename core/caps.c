/* SPDX-License-Identifier: MIT */
#include "core/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/task.h"

/*
 * Reading, pinning and killing tasks that changed their user; nothing that gives a system call on
 * behalf a right that its task lacks.
 */
static const uint64_t own = CAPS_BIT(CAP_SYS_PTRACE) | CAPS_BIT(CAP_KILL);

/* What calls on behalf can need of a task's: for paths, low ports, privileged control messages. */
static const uint64_t lent = CAPS_BIT(CAP_DAC_OVERRIDE) | CAPS_BIT(CAP_DAC_READ_SEARCH) |
			     CAPS_BIT(CAP_NET_BIND_SERVICE) | CAPS_BIT(CAP_NET_RAW);

static struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

/* CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON too, and enters other network namespaces. */
static const uint64_t around = CAPS_BIT(CAP_NET_ADMIN) | CAPS_BIT(CAP_SYS_ADMIN) |
			       CAPS_BIT(CAP_SYS_MODULE) | CAPS_BIT(CAP_SYS_RAWIO) |
			       CAPS_BIT(CAP_PERFMON) | CAPS_BIT(CAP_BPF);

static int set_effective(uint64_t permitted, uint64_t effective)
{
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++)
		data[i] = (struct __user_cap_data_struct){
			.permitted = (uint32_t)(permitted >> 32 * i),
			.effective = (uint32_t)(effective >> 32 * i),
		};
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

int caps_cut(void)
{
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -errno;
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= ~(uint32_t)(around >> 32 * i);
		data[i].effective &= ~(uint32_t)(around >> 32 * i);
		data[i].inheritable &= ~(uint32_t)(around >> 32 * i);
	}
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

int caps_init(struct caps *c)
{
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -errno;
	c->permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	c->permitted &= own | lent | CAPS_SWITCH;
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

uint64_t caps_of_task(const struct caps *c, pid_t tid, const struct task_status *task)
{
	return is_in_our_user_namespace(tid) ? c->permitted & lent & task->cap_effective : 0;
}

bool caps_set(const struct caps *c, uint64_t effective)
{
	return (effective & ~c->permitted) == 0 && set_effective(c->permitted, effective) == 0;
}

bool caps_raise_as(const struct caps *c, pid_t tid)
{
	struct task_status status;
	uint64_t raised;

	if (!caps_any(c) || task_status(tid, &status))
		return false;
	raised = caps_of_task(c, tid, &status) & ~c->base;
	return raised && caps_set(c, c->base | raised);
}

void caps_drop(const struct caps *c)
{
	if (set_effective(c->permitted, c->base))
		_exit(125); /* never go on with more rights than intended */
}

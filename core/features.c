/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation
 *
 * A probe uses its feature for real and returns 0 or -errno; features_explain()
 * turns an errno into words, wherever it came from. So a failed start gets the
 * same explanation as `sandtop check`, without probing anything.
 */
#include "core/features.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/probes.h"
#include "core/task.h"

/* Read the first line of a file of /proc or /sys; false if it cannot be read. */
static bool read_line(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, buf, size - 1);
	close(fd);
	if (n < 0)
		return false;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return true;
}

/* The value of a sysctl, or -1 if this kernel has none of that name. */
static long read_sysctl(const char *path)
{
	char text[32];

	return read_line(path, text, sizeof(text)) ? strtol(text, NULL, 10) : -1;
}

/* Whether a seccomp filter of somebody else, such as a container's profile, is in force already. */
static bool already_filtered(void)
{
	return prctl(PR_GET_SECCOMP) == 2;
}

/*
 * What forbids a feature, and how to lift it, in `buf`; false if nothing known
 * does. Called when its use failed with anything but ENOSYS and EINVAL.
 */

static bool proc_forbidden(int err, char *buf, size_t size)
{
	if (err == ESRCH)
		snprintf(buf, size,
			 "mount the /proc of this PID namespace (unshare --mount-proc): the one "
			 "that is there shows other processes");
	else if (err == ENOENT)
		snprintf(buf, size, "mount -t proc proc /proc");
	else
		return false;
	return true;
}

static bool notify_forbidden(int err, char *buf, size_t size)
{
	/* init_listener() in kernel/seccomp.c: one listener for a tree of filters. */
	if (err != EBUSY)
		return false;
	snprintf(buf, size,
		 "sandboxes do not nest: start it outside of the program (another sandtop?) that "
		 "answers the seccomp notifications of this process");
	return true;
}

/* Yama's scopes 0 and 1 let a parent read its children: Documentation/admin-guide/LSM/Yama.rst. */
static bool ptrace_forbidden(int err, char *buf, size_t size)
{
	long scope = read_sysctl("/proc/sys/kernel/yama/ptrace_scope");

	if (err != EPERM || scope < 2)
		return false;
	if (scope == 2)
		snprintf(buf, size, "sysctl -w kernel.yama.ptrace_scope=1 (it is 2)");
	else
		snprintf(buf, size,
			 "set kernel.yama.ptrace_scope=1 in /etc/sysctl.d and reboot "
			 "(it is %ld, which cannot be lowered before)",
			 scope);
	return true;
}

static bool io_uring_forbidden(int err, char *buf, size_t size)
{
	long disabled = read_sysctl("/proc/sys/kernel/io_uring_disabled");

	if (err == ENOMEM) /* Linux before 5.12 counts rings against it: io_uring_setup(2) */
		snprintf(buf, size, "raise the locked-memory limit (ulimit -l)");
	else if (err == EPERM && disabled == 1)
		snprintf(buf, size,
			 "sysctl -w kernel.io_uring_disabled=0 (it is 1), or join the "
			 "group of kernel.io_uring_group");
	else if (err == EPERM && disabled > 1)
		snprintf(buf, size, "sysctl -w kernel.io_uring_disabled=0 (it is %ld)", disabled);
	else
		return false;
	return true;
}

static bool landlock_forbidden(int err, char *buf, size_t size)
{
	char lsm[128];

	if (err == E2BIG) {
		/* LANDLOCK_MAX_NUM_LAYERS */
		snprintf(buf, size,
			 "start it in fewer sandboxes: the kernel puts 16 Landlock domains into "
			 "each other");
		return true;
	}
	if (err != EOPNOTSUPP)
		return false;
	if (read_line("/sys/kernel/security/lsm", lsm, sizeof(lsm)) && lsm[0])
		snprintf(buf, size, "boot with the kernel parameter lsm=landlock,%s", lsm);
	else
		snprintf(buf, size, "boot with landlock first in the kernel parameter lsm=");
	return true;
}

static bool namespace_forbidden(int err, char *buf, size_t size)
{
	if (err != EPERM && err != ENOSPC && err != EACCES)
		return false;
	if (read_sysctl("/proc/sys/kernel/unprivileged_userns_clone") == 0)
		snprintf(buf, size, "sysctl -w kernel.unprivileged_userns_clone=1 (it is 0)");
	else if (err == ENOSPC)
		snprintf(buf, size, "raise user.max_user_namespaces (it is %ld)",
			 read_sysctl("/proc/sys/user/max_user_namespaces"));
	else if (read_sysctl("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
		snprintf(buf, size,
			 "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (it "
			 "is 1), or an AppArmor profile for sandtop that allows userns");
	else
		return false;
	return true;
}

static bool ping_forbidden(int err, char *buf, size_t size)
{
	char range[64];

	if (err != EACCES ||
	    !read_line("/proc/sys/net/ipv4/ping_group_range", range, sizeof(range)))
		return false;
	range[strcspn(range, "\t")] = ' ';
	snprintf(buf, size, "sysctl -w net.ipv4.ping_group_range='0 2147483647' (it is '%s')",
		 range);
	return true;
}

static const struct feature_row {
	const char *name;
	bool needed;
	const char *call; /* what a seccomp profile has to permit */
	const char *since;
	const char *
		otherwise; /* what a run without it is like, or how to do without it; may be NULL */
	int (*probe)(void);
	bool (*forbidden)(int err, char *buf, size_t size); /* may be NULL */
	const char *step[2]; /* of the start that fails for want of it */
} rows[FEATURE_COUNT] = {
	[FEATURE_PROC] = {
		.name = "proc",
		.needed = true,
		.call = "open(2) of /proc/self/status",
		.since = "a kernel with CONFIG_PROC_FS",
		.probe = task_check_proc,
		.forbidden = proc_forbidden,
		.step = { "look at processes" },
	},
	[FEATURE_NOTIFY] = {
		.name = "seccomp-notify",
		.needed = true,
		.call = "seccomp(2)",
		.since = "Linux 5.0 or newer with CONFIG_SECCOMP_FILTER",
		.probe = probe_notify,
		.forbidden = notify_forbidden,
		.step = { "install the seccomp filter", "use seccomp user notifications" },
	},
	[FEATURE_WAIT_KILLABLE] = {
		.name = "seccomp-wait-killable",
		.call = "seccomp(2)",
		.since = "Linux 5.19 or newer",
		.otherwise = "without it a signal may repeat a call that had already been judged",
		.probe = probe_wait_killable,
		.forbidden = notify_forbidden,
	},
	[FEATURE_SYNC_WAKE_UP] = {
		.name = "seccomp-sync-wake-up",
		.call = "seccomp(2)",
		.since = "Linux 6.6 or newer",
		.otherwise = "without it every decision takes longer",
		.probe = probe_sync_wake_up,
		.forbidden = notify_forbidden,
	},
	[FEATURE_PIDFD_THREAD] = {
		.name = "pidfd-thread",
		.needed = true,
		.call = "pidfd_open(2)",
		.since = "Linux 6.9 or newer",
		.probe = probe_pidfd_thread,
	},
	[FEATURE_PIDFD_GETFD] = {
		.name = "pidfd-getfd",
		.needed = true,
		.call = "pidfd_getfd(2)",
		.since = "Linux 5.6 or newer",
		.probe = probe_pidfd_getfd,
		.forbidden = ptrace_forbidden,
		.step = { "take over the seccomp listener" },
	},
	[FEATURE_READ_MEMORY] = {
		.name = "process-vm-readv",
		.needed = true,
		.call = "process_vm_readv(2)",
		.since = "Linux 3.2 or newer with CONFIG_CROSS_MEMORY_ATTACH",
		.probe = probe_read_memory,
		.forbidden = ptrace_forbidden,
	},
	[FEATURE_IO_URING] = {
		.name = "io-uring",
		.needed = true,
		.call = "io_uring_setup(2)",
		.since = "Linux 5.19 or newer with CONFIG_IO_URING",
		.probe = probe_io_uring,
		.forbidden = io_uring_forbidden,
		.step = { "set up io_uring" },
	},
	[FEATURE_LANDLOCK_TCP] = {
		.name = "landlock-tcp",
		.needed = true,
		.call = "landlock_create_ruleset(2)",
		.since = "Linux 6.7 or newer with CONFIG_SECURITY_LANDLOCK",
		.otherwise = "--best-effort goes without",
		.probe = probe_landlock_tcp,
		.forbidden = landlock_forbidden,
		.step = { "enter the Landlock domain" },
	},
	[FEATURE_LANDLOCK_SCOPE] = {
		.name = "landlock-scope",
		.needed = true,
		.call = "landlock_create_ruleset(2)",
		.since = "Linux 6.12 or newer with CONFIG_SECURITY_LANDLOCK",
		.otherwise = "--best-effort goes without",
		.probe = probe_landlock_scope,
		.forbidden = landlock_forbidden,
	},
	[FEATURE_USER_NAMESPACE] = {
		.name = "user-namespace",
		.call = "unshare(2)",
		.since = "Linux 3.8 or newer with CONFIG_USER_NS and CONFIG_NET_NS",
		.otherwise = "without it names in rules are resolved once, at the start",
		.probe = probe_user_namespace,
		.forbidden = namespace_forbidden,
	},
	[FEATURE_PING] = {
		.name = "ping-socket",
		.call = "socket(2) of IPPROTO_ICMP",
		.since = "Linux 3.0 or newer",
		.otherwise = "without it icmp rules allow nothing",
		.probe = probe_ping,
		.forbidden = ping_forbidden,
	},
};

/* What the errno alone tells, when nothing known forbids the feature. */
static enum feature_state explain_errno(const struct feature_row *row, int err, char *buf,
					size_t size)
{
	if (already_filtered() && (err == ENOSYS || err == EPERM || err == EACCES)) {
		snprintf(buf, size, "permit %s in the seccomp profile of this container",
			 row->call);
		return FEATURE_BLOCKED;
	}
	if (err == ENOSYS || err == EINVAL || err == EOPNOTSUPP || err == EPROTONOSUPPORT) {
		snprintf(buf, size, "needs %s", row->since);
		return FEATURE_MISSING;
	}
	snprintf(buf, size, "find out what makes %s fail: %s", row->call, strerror(err));
	return FEATURE_BLOCKED;
}

/* What to do about it. */
static enum feature_state explain(const struct feature_row *row, int err, char *buf, size_t size)
{
	if (row->forbidden && row->forbidden(err, buf, size))
		return FEATURE_BLOCKED;
	return explain_errno(row, err, buf, size);
}

enum feature_state features_explain(enum feature feature, int err, char *buf, size_t size)
{
	const struct feature_row *row = &rows[feature];
	char what[256];
	enum feature_state state = explain(row, err, what, sizeof(what));

	snprintf(buf, size, "%s%s%s", what, row->otherwise ? "; " : "",
		 row->otherwise ? row->otherwise : "");
	return state;
}

bool features_explain_step(const char *step, int err, char *buf, size_t size)
{
	int f;
	size_t i;

	for (f = 0; f < FEATURE_COUNT; f++)
		for (i = 0; i < sizeof(rows[f].step) / sizeof(rows[f].step[0]); i++)
			if (rows[f].step[i] && !strcmp(rows[f].step[i], step)) {
				/* It was there at first: to do without it is no way out. */
				explain(&rows[f], err, buf, size);
				return true;
			}
	return false;
}

void features_probe(struct feature_result out[static FEATURE_COUNT])
{
	int f, ret;

	for (f = 0; f < FEATURE_COUNT; f++) {
		out[f] = (struct feature_result){ .name = rows[f].name, .needed = rows[f].needed };
		ret = rows[f].probe();
		if (ret)
			out[f].state = features_explain((enum feature)f, -ret, out[f].remedy,
							sizeof(out[f].remedy));
	}
}

bool features_required_missing(const struct feature_result results[static FEATURE_COUNT])
{
	int f;

	for (f = 0; f < FEATURE_COUNT; f++)
		if (results[f].needed && results[f].state != FEATURE_OK)
			return true;
	return false;
}

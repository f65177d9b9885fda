/* SPDX-License-Identifier: MIT */
#include "core/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/caps.h"
#include "core/landlock.h"
#include "core/uapi.h"

/* Of the child: for execvpe(3), which may take 64 KiB for a path, and exec_error(). */
enum { STACK_SIZE = 128 * 1024 };

/* What the child says on the channel: that a step failed, or the number of its listener. */
struct report {
	enum launch_step step; /* LAUNCH_LISTENER: all went well so far */
	int value;             /* the listener's number, or a positive errno */
};

const char *launch_step_name(enum launch_step step)
{
	static const char *const name[LAUNCH_STEP_COUNT] = {
		[LAUNCH_FORK] = "start a process",
		[LAUNCH_TERMINAL] = "take over the command's terminal",
		[LAUNCH_DESCRIPTORS] = "close inherited descriptors",
		[LAUNCH_PDEATHSIG] = "set the parent death signal",
		[LAUNCH_CAPABILITIES] = "give up capabilities",
		[LAUNCH_NO_NEW_PRIVS] = "set no_new_privs",
		[LAUNCH_LANDLOCK] = "enter the Landlock domain",
		[LAUNCH_FILTER] = "install the seccomp filter",
		[LAUNCH_LISTENER] = "take over the seccomp listener",
		[LAUNCH_EXEC] = "execute the command",
	};

	return name[step];
}

/*
 * From here on in the child: system calls only, no allocation, no stdio, and nothing is changed in
 * memory but its own stack and errno, which it shares with its parent.
 */

static int take_terminal(const struct launch_config *config)
{
	if (config->terminal < 0)
		return 0;
	if (setsid() < 0 || ioctl(config->terminal, TIOCSCTTY, 0))
		return -errno;
	for (int fd = 0; fd <= 2; fd++)
		if (config->terminal_fds & 1U << fd && dup2(config->terminal, fd) < 0)
			return -errno;
	return 0;
}

/* Mark every descriptor above 2 but the kept ones close-on-exec; the channel is so already. */
static int close_descriptors(const struct launch_config *config)
{
	unsigned from = 3;

	/* keep_fd is short and unsorted: look for the next one each time. */
	for (;;) {
		unsigned next = ~0U;

		for (size_t i = 0; i < config->nkeep; i++)
			if ((unsigned)config->keep_fd[i] >= from &&
			    (unsigned)config->keep_fd[i] < next)
				next = (unsigned)config->keep_fd[i];
		if (next > from && close_range(from, next - 1, CLOSE_RANGE_CLOEXEC))
			return -errno;
		if (next == ~0U)
			return 0;
		if (fcntl((int)next, F_SETFD, 0))
			return -errno;
		from = next + 1;
	}
}

static void restore_signals(const struct launch_config *config)
{
	for (int sig = 1; sig < NSIG; sig++) {
		struct sigaction sa = {
			.sa_handler = sigismember(&config->ignored, sig) == 1 ? SIG_IGN : SIG_DFL,
		};

		if (sig != SIGKILL && sig != SIGSTOP)
			sigaction(sig, &sa, NULL);
	}
	sigprocmask(SIG_SETMASK, &config->sigmask, NULL);
}

static int install_filter(const struct launch_config *config)
{
	unsigned long flags = 0;
	long fd;

	if (config->listen)
		flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &config->filter);
	if (fd < 0 && errno == EINVAL && config->listen)
		/* Before Linux 5.19 a received notification is interrupted by any signal. */
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			     &config->filter);
	return fd < 0 ? -errno : (int)fd;
}

/*
 * `parent` is who must not die before the child, 0 for nobody. Returns the listener's number (0
 * without one), or -errno with *step set.
 */
static int confine(const struct launch_config *config, pid_t parent, enum launch_step *step)
{
	int ret;

	*step = LAUNCH_TERMINAL;
	ret = take_terminal(config);
	if (ret)
		return ret;
	*step = LAUNCH_DESCRIPTORS;
	ret = close_descriptors(config);
	if (ret)
		return ret;
	if (setrlimit(RLIMIT_NOFILE, &config->nofile))
		return -errno;
	*step = LAUNCH_PDEATHSIG;
	if (parent && prctl(PR_SET_PDEATHSIG, SIGKILL))
		return -errno;
	if (parent && getppid() != parent)
		return -ESRCH; /* it died before the signal was set */
	*step = LAUNCH_NO_NEW_PRIVS;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	*step = LAUNCH_CAPABILITIES;
	ret = caps_cut();
	if (ret)
		return ret;
	*step = LAUNCH_LANDLOCK;
	ret = config->landlock < 0 ? 0 : landlock_enforce(config->landlock);
	if (ret)
		return ret;
	*step = LAUNCH_FILTER;
	return install_filter(config);
}

/*
 * execvpe(3) says EACCES also when a directory in PATH is closed to us; a shell looks whether there
 * is such a file at all. Returns what it would: ENOENT for a command that is not found.
 */
static int exec_error(const char *name, int error)
{
	const char *dir = getenv("PATH");
	char path[4096];

	if (error != EACCES || strchr(name, '/') || !dir)
		return error;
	for (;;) {
		size_t len = strcspn(dir, ":");

		if (len + strlen(name) + 2 <= sizeof(path)) {
			memcpy(path, dir, len);
			path[len] = '/';
			strcpy(path + len + 1, name);
			if (access(path, F_OK) == 0)
				return error;
		}
		if (!dir[len])
			return ENOENT;
		dir += len + 1;
	}
}

static int child(void *arg)
{
	const struct launch *l = arg;
	const struct launch_config *config = &l->config;
	int channel = l->child_channel;
	struct report r = { .step = LAUNCH_LISTENER };
	enum launch_step step;
	char go;
	int ret;

	ret = confine(config, l->parent, &step);
	if (ret < 0)
		r = (struct report){ .step = step, .value = -ret };
	else
		r.value = ret;
	/*
	 * The number, not the descriptor: sendmsg(2) would be trapped by the filter that is now in
	 * force, while nobody listens yet.
	 */
	if (write(channel, &r, sizeof(r)) != sizeof(r) || ret < 0)
		return 125;
	if (read(channel, &go, 1) != 1)
		return 125;
	restore_signals(config);
	execvpe(config->argv[0], config->argv, config->envp);
	r = (struct report){ .step = LAUNCH_EXEC, .value = exec_error(config->argv[0], errno) };
	(void)!write(channel, &r, sizeof(r));
	return r.value == ENOENT ? 127 : 126;
}

/*
 * What a fork copies is thrown away by the exec, and each page that either side touches meanwhile
 * is copied for it. So the child has the memory of its parent until then, as that of vfork(2), but
 * both go on: where the child can fail the parent waits for it, as there is one errno for both.
 *
 * execvpe(3) copies the arguments onto the stack for a script without "#!". The memory is not given
 * back: who runs a command does so once.
 */
static pid_t clone_child(struct launch *l)
{
	size_t size = STACK_SIZE;
	char *stack;

	for (char *const *arg = l->config.argv; *arg; arg++)
		size += sizeof(*arg);
	size = (size + 15) / 16 * 16;
	stack = mmap(NULL, size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	if (stack == MAP_FAILED)
		return -1;
	return clone(child, stack + size, CLONE_VM | SIGCHLD, l);
}

static int pidfd_getfd(int pidfd, int fd)
{
	int ret = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);

	return ret < 0 ? -errno : ret;
}

int launch_prepare(const struct launch_config *config, struct launch *out,
		   struct launch_failure *failure)
{
	struct report r;
	int pair[2];
	ssize_t n;

	*out = (struct launch){ .pid = -1, .pidfd = -1, .listener = -1, .channel = -1 };
	out->config = *config;
	out->parent = getpid();
	*failure = (struct launch_failure){ .step = LAUNCH_FORK };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		failure->error = errno;
		return -1;
	}
	out->child_channel = pair[1];
	out->pid = clone_child(out);
	if (out->pid < 0) {
		failure->error = errno;
		close(pair[0]);
		close(pair[1]);
		return -1;
	}
	close(pair[1]);
	out->channel = pair[0];
	n = read(out->channel, &r, sizeof(r));
	if (n != sizeof(r))
		r = (struct report){ .step = LAUNCH_FORK, .value = ECHILD };
	*failure = (struct launch_failure){ .step = r.step, .error = r.value };
	if (r.step != LAUNCH_LISTENER)
		goto err_reap;
	out->pidfd = (int)syscall(SYS_pidfd_open, out->pid, 0);
	if (out->pidfd < 0) {
		failure->error = errno;
		goto err_reap;
	}
	if (config->listen) {
		out->listener = pidfd_getfd(out->pidfd, r.value);
		if (out->listener < 0) {
			failure->error = -out->listener;
			goto err_reap;
		}
	}
	return 0;

err_reap:
	kill(out->pid, SIGKILL);
	waitpid(out->pid, NULL, 0);
	if (out->pidfd >= 0)
		close(out->pidfd);
	close(out->channel);
	return -1;
}

int launch_go(struct launch *l)
{
	return write(l->channel, "", 1) == 1 ? 0 : -errno;
}

int launch_exec_result(struct launch *l)
{
	struct report r;
	ssize_t n = read(l->channel, &r, sizeof(r));

	close(l->channel);
	l->channel = -1;
	/* End of file: exec closed the child's end. */
	return n == sizeof(r) ? r.value : 0;
}

void launch_here(const struct launch_config *config, struct launch_failure *failure)
{
	int ret = confine(config, 0, &failure->step);

	if (ret >= 0) {
		failure->step = LAUNCH_EXEC;
		execvpe(config->argv[0], config->argv, config->envp);
		ret = -exec_error(config->argv[0], errno);
	}
	failure->error = -ret;
}

/* SPDX-License-Identifier: MIT */
/*
 * The least that a supervised call can cost, see seccomp_unotify(2): a child's
 * getppid(2) is trapped, and this process does nothing but receive and answer
 * CONTINUE. Two processes and not two threads: so are sandtop and a command,
 * and a switch between address spaces costs more.
 */
#include "tools/bench/floor.h"

#include <err.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/uapi.h"
#include "tools/bench/call.h"

/* Returns the listener. */
static int trap_getppid(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = filter,
	};

	call_check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	return (int)call_check(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				       SECCOMP_FILTER_FLAG_NEW_LISTENER, &program),
			       "seccomp");
}

static _Noreturn void task(const struct row *row, unsigned count, int to_supervisor, int go)
{
	struct sample bare = { 0 }, trapped = { 0 };
	int listener;
	char c;

	call_check(prctl(PR_SET_PDEATHSIG, SIGKILL), "PR_SET_PDEATHSIG");
	call_measure(row, count, &bare);
	listener = trap_getppid();
	call_check(write(to_supervisor, &listener, sizeof(listener)), "write");
	call_check(read(go, &c, 1), "read");
	/* While the task itself holds a listener, the end of its supervisor goes unnoticed. */
	close(listener);
	call_measure(row, count, &trapped);
	trapped.base = bare.value;
	call_check(write(to_supervisor, &trapped, sizeof(trapped)), "write");
	_exit(0);
}

static int take_listener(pid_t child, int from_task)
{
	int pidfd, number, listener;

	if (call_check(read(from_task, &number, sizeof(number)), "read") != sizeof(number))
		errx(1, "floor: the trapped task ended early");
	pidfd = (int)call_check(syscall(SYS_pidfd_open, child, 0), "pidfd_open");
	listener = (int)call_check(syscall(SYS_pidfd_getfd, pidfd, number, 0), "pidfd_getfd");
	close(pidfd);
	return listener;
}

static void answer(int listener, unsigned long n)
{
	unsigned long flags = SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP;

	call_check(ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, flags), "SYNC_WAKE_UP");
	while (n--) {
		struct seccomp_notif notif = { 0 };
		struct seccomp_notif_resp resp = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

		call_check(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notif), "NOTIF_RECV");
		resp.id = notif.id;
		call_check(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp), "NOTIF_SEND");
	}
}

void floor_measure(const struct row *row, unsigned count, struct sample *out)
{
	int to_supervisor[2], go[2], listener;
	pid_t child;

	call_check(pipe2(to_supervisor, O_CLOEXEC), "pipe");
	call_check(pipe2(go, O_CLOEXEC), "pipe");
	child = (pid_t)call_check(fork(), "fork");
	if (!child) {
		close(go[1]);
		task(row, count, to_supervisor[1], go[0]);
	}
	close(to_supervisor[1]);
	listener = take_listener(child, to_supervisor[0]);
	close(go[1]);
	answer(listener, (unsigned long)count * CALL_BATCH);
	if (call_check(read(to_supervisor[0], out, sizeof(*out)), "read") != sizeof(*out))
		errx(1, "floor: the trapped task ended early");
	waitpid(child, NULL, 0);
}

/* SPDX-License-Identifier: MIT */
#include "core/own_calls.h"

#include <sched.h>
#include <sys/syscall.h>

/* The tables read as tables: */
/* clang-format off */
#define CALL(name)                { __NR_##name, 0, 0 }
#define CALL_IF(name, bits, want) { __NR_##name, bits, want }

const struct own_call own_calls[] = {
	/* Requests: notifications, the tasks' memory and descriptors. */
	CALL(ioctl), CALL(process_vm_readv), CALL(process_vm_writev), CALL(pidfd_open),
	CALL(pidfd_getfd), CALL(pidfd_send_signal), CALL(kcmp), CALL(kill), CALL(tgkill), CALL(wait4), CALL(waitid),
	CALL(sched_getscheduler),

	/* Calls on behalf. */
	CALL(socket), CALL(socketpair), CALL(connect), CALL(bind), CALL(listen), CALL(accept4),
	CALL(shutdown), CALL(getsockname), CALL(getpeername), CALL(getsockopt), CALL(setsockopt),
	CALL(sendto), CALL(sendmsg), CALL(sendmmsg), CALL(recvfrom), CALL(recvmsg), CALL(recvmmsg),
	CALL(fgetxattr),

	/* As the task (identity.h). */
	CALL(setresuid), CALL(setresgid), CALL(setgroups), CALL(capset), CALL(capget),

	/* Paths and files: /proc, profiles, logs, resolv.conf. */
	CALL(openat), CALL(openat2), CALL(close), CALL(close_range), CALL(read), CALL(write),
	CALL(readv), CALL(writev), CALL(pread64), CALL(pwrite64), CALL(lseek), CALL(fstat),
	CALL(newfstatat), CALL(statx), CALL(statfs), CALL(fstatfs), CALL(faccessat),
	CALL(faccessat2), CALL(readlinkat), CALL(getdents64), CALL(getcwd), CALL(chdir),
	CALL(fchdir), CALL(umask), CALL(mkdirat), CALL(unlinkat), CALL(renameat), CALL(renameat2),
	CALL(fchmod), CALL(fchmodat), CALL(ftruncate), CALL(fallocate), CALL(fsync), CALL(fdatasync),
	CALL(flock), CALL(fcntl), CALL(dup), CALL(dup3), CALL(pipe2), CALL(memfd_create),
	CALL(eventfd2),
#ifdef __NR_open
	/* What the C library may use where the others do not exist. */
	CALL(open), CALL(stat), CALL(lstat), CALL(access), CALL(readlink), CALL(mkdir),
	CALL(unlink), CALL(rename), CALL(poll), CALL(select), CALL(epoll_wait), CALL(dup2),
	CALL(arch_prctl), CALL(time),

	/* A child for a moment, with a table of descriptors of its own (fdinfo_register()). */
	CALL(vfork),
#endif

	/* Waiting, time, signals. */
	CALL(io_uring_setup), CALL(io_uring_enter), CALL(io_uring_register), CALL(ppoll),
	CALL(pselect6), CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_pwait), CALL(clock_gettime),
	CALL(clock_getres), CALL(clock_nanosleep), CALL(nanosleep), CALL(gettimeofday),
	CALL(timerfd_create), CALL(timerfd_settime), CALL(signalfd4), CALL(rt_sigaction),
	CALL(rt_sigprocmask), CALL(rt_sigreturn), CALL(rt_sigtimedwait), CALL(rt_sigpending),
	CALL(sigaltstack), CALL(restart_syscall),

	/* Memory, threads, the process itself. clone3 hides its flags: the C library falls back. */
	CALL(brk), CALL(mmap), CALL(munmap), CALL(mremap), CALL(mprotect), CALL(madvise), CALL(futex),
	CALL_IF(clone, CLONE_THREAD, CLONE_THREAD), CALL_IF(unshare, ~(uint64_t)CLONE_FS, 0),
	CALL(set_robust_list), CALL(set_tid_address), CALL(rseq), CALL(sched_yield),
	CALL(sched_getaffinity), CALL(getcpu), CALL(prctl), CALL(prlimit64), CALL(getrusage),
	CALL(getpid), CALL(gettid), CALL(getppid), CALL(getpgid), CALL(getsid), CALL(getuid),
	CALL(geteuid), CALL(getgid), CALL(getegid), CALL(getresuid), CALL(getresgid),
	CALL(getgroups), CALL(getrandom), CALL(uname), CALL(sysinfo), CALL(exit), CALL(exit_group),
};
/* clang-format on */

const size_t n_own_calls = sizeof(own_calls) / sizeof(own_calls[0]);

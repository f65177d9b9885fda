/* SPDX-License-Identifier: MIT */
/*
 * Calls and sockets beside those that a filter looks at.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/attacks/attack.h"

enum {
	PROTOCOL_MPTCP = 262,
	PROTOCOL_UDPLITE = 136,
	PROTOCOL_SCTP = 132,
	PROTOCOL_DCCP = 33,
	PROTOCOL_SMC = 256,
};

/* ---- other calls ---------------------------------------------------------- */

static void submit_and_wait(struct io_uring *ring)
{
	struct __kernel_timespec limit = { .tv_nsec = REACH_MS * 1000000 };
	struct io_uring_cqe *cqe;

	if (io_uring_submit_and_wait_timeout(ring, &cqe, 1, &limit, NULL) >= 0 && cqe)
		io_uring_cqe_seen(ring, cqe);
}

static void run_io_uring(char **args)
{
	struct io_uring ring;
	union name n;
	socklen_t len = forbidden_at(&n, "127.0.0.1");
	int tcp = new_socket(AF_INET, SOCK_STREAM, 0), udp = new_socket(AF_INET, SOCK_DGRAM, 0);
	struct iovec v = { (char[]){ 'u' }, 1 };
	struct msghdr m = { .msg_name = &n, .msg_namelen = len, .msg_iov = &v, .msg_iovlen = 1 };

	(void)args;
	if (io_uring_queue_init(4, &ring, 0))
		return;
	io_uring_prep_connect(io_uring_get_sqe(&ring), tcp, &n.any, len);
	submit_and_wait(&ring);
	io_uring_prep_sendmsg(io_uring_get_sqe(&ring), udp, &m, 0);
	submit_and_wait(&ring);
	io_uring_queue_exit(&ring);
}

static void fast_open(long nr)
{
	union name n;
	socklen_t len = forbidden_at(&n, "127.0.0.1");
	struct iovec v = { (char[]){ 'f' }, 1 };
	struct mmsghdr m = {
		.msg_hdr = { .msg_name = &n, .msg_namelen = len, .msg_iov = &v, .msg_iovlen = 1 }
	};
	/* Garbage in the upper half of an int, which the kernel does not read, on every other. */
	for (int i = 0; i < 2; i++) {
		int fd = new_socket(AF_INET, SOCK_STREAM, 0);
		unsigned long upper = i ? 0xdeadbeef00000000UL : 0;

		if (nr == SYS_sendto)
			syscall(nr, upper | (unsigned)fd, "f", 1UL, upper | MSG_FASTOPEN, &n,
				(unsigned long)len);
		else if (nr == SYS_sendmsg)
			syscall(nr, upper | (unsigned)fd, &m.msg_hdr, upper | MSG_FASTOPEN);
		else
			syscall(nr, upper | (unsigned)fd, &m, upper | 1, upper | MSG_FASTOPEN);
		close(fd);
	}
}

static void run_fast_open_sendto(char **args)
{
	(void)args;
	fast_open(SYS_sendto);
}

static void run_fast_open_sendmsg(char **args)
{
	(void)args;
	fast_open(SYS_sendmsg);
}

static void run_fast_open_sendmmsg(char **args)
{
	(void)args;
	fast_open(SYS_sendmmsg);
}

/* connect(2) says nothing to anybody yet: the first write does. */
static void run_fast_open_connect(char **args)
{
	union name n;
	socklen_t len = forbidden_at(&n, "127.0.0.1");
	int one = 1, fd = new_socket(AF_INET, SOCK_STREAM, 0);

	(void)args;
	setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one));
	connect(fd, &n.any, len);
	if (write(fd, "d", 1) < 0)
		send(fd, "d", 1, MSG_FASTOPEN | MSG_NOSIGNAL);
}

/* Flags that a filter may not expect, one at a time, with an address of every call. */
static void run_flags(char **args)
{
	union name n;
	socklen_t len = forbidden_at(&n, "127.0.0.1");

	(void)args;
	for (unsigned bit = 0; bit < 32; bit++) {
		for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
			int fd = new_socket(AF_INET, type, 0);

			reach_by_sends(fd, &n, len, (int)(1U << bit));
			close(fd);
		}
	}
}

/* An address where none is expected: of a connected socket, behind a null length, of no byte. */
static void run_connected(char **args)
{
	union name n, good;
	socklen_t len = forbidden_at(&n, "127.0.0.1"), good_len = allowed_at(&good, "127.0.0.1");
	int fd = new_socket(AF_INET, SOCK_DGRAM, 0);
	struct msghdr m = { .msg_name = &n, .msg_namelen = len };

	(void)args;
	connect(fd, &good.any, good_len);
	reach_by_sends(fd, &n, len, 0);
	sendmsg(fd, &m, 0);
	sendto(fd, NULL, 0, 0, &n.any, len);
	/* Ten times, so that one of them could be the one that is not looked at. */
	for (int i = 0; i < 10; i++)
		connect(fd, &n.any, len);
	(void)!write(fd, "w", 1);
}

/* ---- sockets ---------------------------------------------------------------- */

static void use_everything(int fd, int family)
{
	union name n;
	socklen_t len = forbidden_at(&n, family == AF_INET6 ? "::1" : "127.0.0.1");

	fcntl(fd, F_SETFL, O_NONBLOCK);
	connect(fd, &n.any, len);
	reach_by_sends(fd, &n, len, 0);
	reach_by_sends(fd, &n, len, MSG_FASTOPEN);
	(void)!write(fd, "e", 1);
}

static void protocol_of(int type, int protocol, const char *name)
{
	static const int families[] = { AF_INET, AF_INET6 };

	for (size_t i = 0; i < 2; i++) {
		int fd = new_socket(families[i], type, protocol);

		if (fd < 0 && (errno == EPROTONOSUPPORT || errno == ESOCKTNOSUPPORT))
			absent("this kernel has no %s", name);
		if (fd < 0)
			continue;
		use_everything(fd, families[i]);
		/* MPTCP completes a handshake in the background. */
		await(fd, POLLOUT);
		(void)!write(fd, "m", 1);
		close(fd);
	}
}

static void run_mptcp(char **args)
{
	(void)args;
	protocol_of(SOCK_STREAM, PROTOCOL_MPTCP, "MPTCP");
}

static void run_sctp(char **args)
{
	(void)args;
	protocol_of(SOCK_SEQPACKET, PROTOCOL_SCTP, "SCTP");
	protocol_of(SOCK_STREAM, PROTOCOL_SCTP, "SCTP");
}

static void run_udplite(char **args)
{
	union name n;
	socklen_t len = forbidden_at(&n, "127.0.0.1");
	int receiver = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, PROTOCOL_UDPLITE);
	int fd = new_socket(AF_INET, SOCK_DGRAM, PROTOCOL_UDPLITE);
	char byte;

	(void)args;
	if (fd < 0 || receiver < 0)
		absent("no UDP-Lite: %s", strerror(errno));
	/* Its ports are its own: no listener but this one. */
	MUST(bind(receiver, &n.any, len));
	sendto(fd, "l", 1, 0, &n.any, len);
	if (await(receiver, POLLIN) == 0 && recv(receiver, &byte, 1, 0) == 1)
		won("a datagram of UDP-Lite");
}

static void run_dccp(char **args)
{
	(void)args;
	protocol_of(SOCK_DCCP, PROTOCOL_DCCP, "DCCP");
}

static void run_smc(char **args)
{
	(void)args;
	protocol_of(SOCK_STREAM, PROTOCOL_SMC, "SMC");
}

/* Every type and protocol of both families, so that none is forgotten that a kernel may have. */
static void run_every_protocol(char **args)
{
	static const int families[] = { AF_INET, AF_INET6 };

	(void)args;
	for (size_t i = 0; i < 2; i++) {
		for (int type = SOCK_STREAM; type <= SOCK_PACKET; type++) {
			for (int protocol = 0; protocol <= PROTOCOL_MPTCP; protocol++) {
				int fd = new_socket(families[i], type, protocol);

				if (fd < 0)
					continue;
				use_everything(fd, families[i]);
				close(fd);
			}
		}
	}
}

/*
 * Families that no rule speaks of: to have a socket of one is to talk to whatever
 * is behind it (a hypervisor, a bus, the kernel's ciphers, a queue of a network card).
 */
static void run_every_family(char **args)
{
	(void)args;
	for (int family = 0; family < AF_MAX; family++) {
		if (family == AF_UNIX || family == AF_INET || family == AF_INET6 ||
		    family == AF_NETLINK)
			continue;
		for (int type = SOCK_STREAM; type <= SOCK_PACKET; type++) {
			int fd = new_socket(family, type, 0);

			if (fd >= 0)
				won("a socket of family %d, type %d", family, type);
			close(fd);
		}
	}
}

static void run_vsock(char **args)
{
	int fd = new_socket(AF_VSOCK, SOCK_STREAM, 0);
	struct sockaddr_vm to = { .svm_family = AF_VSOCK,
				  .svm_cid = VMADDR_CID_HOST,
				  .svm_port = forbidden };

	(void)args;
	if (fd < 0 && errno == EAFNOSUPPORT && access("/dev/vsock", F_OK))
		absent("this kernel has no vsock");
	if (fd < 0)
		return;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	connect(fd, (struct sockaddr *)&to, sizeof(to));
	won("a socket to the hypervisor");
}

/* Families of netlink that configure the kernel; routes are harmless to ask for, events to hear. */
static void run_netlink_families(char **args)
{
	(void)args;
	for (int protocol = 0; protocol < MAX_LINKS; protocol++) {
		int fd;

		if (protocol == NETLINK_ROUTE || protocol == NETLINK_KOBJECT_UEVENT)
			continue;
		fd = new_socket(AF_NETLINK, SOCK_RAW, protocol);
		if (fd >= 0)
			won("netlink protocol %d", protocol);
		close(fd);
	}
}

/* ---- entries ---------------------------------------------------------------- */

/*
 * The numbers of another architecture. The arguments must be in the low 4 GiB for
 * the 32-bit entry: socketcall is 102, connect 362, sendto 369, socket 359.
 */
static long call_i386(long nr, long a, long b, long c, long d, long e, long f)
{
	long result;

	/* The sixth argument is in ebp, which the compiler needs; it also uses 128 bytes below rsp.
	 */
	asm volatile("sub $128, %%rsp; push %%rbp; mov %[f], %%rbp; int $0x80; pop %%rbp; "
		     "add $128, %%rsp"
		     : "=a"(result)
		     : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e), [f] "r"(f)
		     : "memory", "r8", "r9", "r10", "r11", "cc");
	return result;
}

static void attack_by_i386(void *arg)
{
	enum { I386_SOCKET = 359, I386_CONNECT = 362, I386_SENDTO = 369 };
	union name *n = arg;
	long udp = call_i386(I386_SOCKET, AF_INET, SOCK_DGRAM, 0, 0, 0, 0);
	long tcp = call_i386(I386_SOCKET, AF_INET, SOCK_STREAM, 0, 0, 0, 0);

	call_i386(I386_SENDTO, udp, (long)n, 1, 0, (long)n, sizeof(n->v4));
	call_i386(I386_CONNECT, tcp, (long)n, sizeof(n->v4), 0, 0, 0);
}

static void run_i386(char **args)
{
	union name *n = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	int status;

	(void)args;
	MUST(n == MAP_FAILED ? -1 : 0);
	forbidden_at(n, "127.0.0.1");
	status = in_child(attack_by_i386, n);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV)
		absent("this kernel has no 32-bit entry");
}

static void attack_by_x32(void *arg)
{
	enum { X32 = 0x40000000, NO_CALL = 0xffff };
	union name n;
	socklen_t len = forbidden_at(&n, "127.0.0.1");
	int fd = new_socket(AF_INET, SOCK_DGRAM, 0);

	(void)arg;
	syscall(X32 | SYS_sendto, fd, "x", 1, 0, &n, len);
	/* Calls that have a number of their own there: sendmsg is 518, sendmmsg 538. */
	if (syscall(X32 | SYS_getpid) < 0 && errno == ENOSYS)
		_exit(NO_CALL & 0x7f);
}

static void run_x32(char **args)
{
	int status = in_child(attack_by_x32, NULL);

	(void)args;
	if (WIFEXITED(status) && WEXITSTATUS(status))
		absent("this kernel has no x32 entry");
}

/* ---- without a call that names the peer ------------------------------------- */

static void move_into(int to)
{
	int pipes[2], file = (int)MUST(memfd_create("data", MFD_CLOEXEC));
	struct iovec v = { (char[]){ 'v' }, 1 };

	MUST(pipe2(pipes, O_CLOEXEC | O_NONBLOCK));
	MUST(pwrite(file, "file", 4, 0));
	sendfile(to, file, NULL, 4);
	(void)!write(pipes[1], "pipe", 4);
	splice(pipes[0], NULL, to, NULL, 4, SPLICE_F_NONBLOCK);
	vmsplice(pipes[1], &v, 1, SPLICE_F_NONBLOCK);
	splice(pipes[0], NULL, to, NULL, 1, SPLICE_F_NONBLOCK);
	(void)!writev(to, &v, 1);
	(void)!pwritev2(to, &v, 1, -1, 0);
	send(to, "s", 1, MSG_NOSIGNAL);
	close(pipes[0]);
	close(pipes[1]);
	close(file);
}

/* Sockets that have no peer, had one, or were refused one. */
static void run_without_address(char **args)
{
	static const struct sockaddr none = { .sa_family = AF_UNSPEC };
	union name n, good;
	socklen_t len = forbidden_at(&n, "127.0.0.1"), good_len = allowed_at(&good, "127.0.0.1");

	(void)args;
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		int fd = new_socket(AF_INET, type, 0);

		fcntl(fd, F_SETFL, O_NONBLOCK);
		move_into(fd);
		connect(fd, &n.any, len);
		move_into(fd);
		if (type == SOCK_DGRAM) {
			connect(fd, &good.any, good_len);
			connect(fd, &none, sizeof(none));
			connect(fd, &n.any, len);
			move_into(fd);
		}
		close(fd);
	}
}

const struct scenario door_attacks[] = {
	{ "io_uring", run_io_uring },
	{ "fast_open_sendto", run_fast_open_sendto },
	{ "fast_open_sendmsg", run_fast_open_sendmsg },
	{ "fast_open_sendmmsg", run_fast_open_sendmmsg },
	{ "fast_open_connect", run_fast_open_connect },
	{ "flags", run_flags },
	{ "connected", run_connected },
	{ "mptcp", run_mptcp },
	{ "sctp", run_sctp },
	{ "udplite", run_udplite },
	{ "dccp", run_dccp },
	{ "smc", run_smc },
	{ "every_protocol", run_every_protocol },
	{ "every_family", run_every_family },
	{ "vsock", run_vsock },
	{ "netlink_families", run_netlink_families },
	{ "i386", run_i386 },
	{ "x32", run_x32 },
	{ "without_address", run_without_address },
	{ 0 },
};

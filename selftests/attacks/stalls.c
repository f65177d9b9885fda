/* SPDX-License-Identifier: MIT */
/*
 * Bringing down, holding up or exhausting who answers the calls. Natively nobody
 * does: these attacks have no control, except those that begin with a door.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/attacks/attack.h"
#include "selftests/lib/deadline.h"

enum { HELD_UP_MS = 1500 }; /* what a loaded machine does not explain */

/* ---- somebody else, who only wants to be served ------------------------------- */

static struct bystander {
	_Atomic int64_t worst; /* ns */
	atomic_uint served;
} * bystander;

static pid_t start_bystander(void)
{
	pid_t pid;

	bystander = mmap(NULL, sizeof(*bystander), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(bystander == MAP_FAILED ? -1 : 0);
	pid = (pid_t)MUST(fork());
	if (!pid) {
		union name n;
		socklen_t len = allowed_at(&n, "127.0.0.1");
		int fd = new_socket(AF_INET, SOCK_DGRAM, 0);

		for (;;) {
			int64_t begin = now_ns(), took;

			sendto(fd, "b", 1, 0, &n.any, len);
			took = now_ns() - begin;
			if (took > bystander->worst)
				bystander->worst = took;
			bystander->served++;
		}
	}
	while (!bystander->served)
		sched_yield();
	return pid;
}

static void end_bystander(pid_t pid)
{
	unsigned before = bystander->served;
	int64_t deadline = deadline_in(ATTACK_PATIENCE);

	while (bystander->served == before && deadline_left(deadline))
		sched_yield();
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	figure("others waited %.1f ms at most", (double)bystander->worst / 1e6);
	if (bystander->served == before || bystander->worst > HELD_UP_MS * INT64_C(1000000))
		won("others were not served");
}

/* ---- a connect that nobody answers --------------------------------------------- */

static struct hole {
	int listener, filler;
	union name to;
	socklen_t len;
	int fd;
} hole;

/* listen(2): one connection more than the backlog; later ones get no answer. */
static void open_hole(void)
{
	int one = 1;

	hole.len = name_set(&hole.to, "127.0.0.1", HOLE_PORT);
	hole.listener = (int)MUST(new_socket(AF_INET, SOCK_STREAM, 0));
	MUST(setsockopt(hole.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	MUST(bind(hole.listener, &hole.to.any, hole.len));
	MUST(listen(hole.listener, 0));
	hole.filler = (int)MUST(new_socket(AF_INET, SOCK_STREAM, 0));
	MUST(connect(hole.filler, &hole.to.any, hole.len));
	MUST(await(hole.listener, POLLIN));
}

static void *connect_in_vain(void *arg)
{
	(void)arg;
	connect(hole.fd, &hole.to.any, hole.len);
	return NULL;
}

/*
 * A second connect waits for the outcome of the first; the first is called off:
 * then the second must not begin a third.
 */
static void run_stall_called_off(char **args)
{
	static const struct sockaddr none = { .sa_family = AF_UNSPEC };
	pid_t pid;

	(void)args;
	open_hole();
	pid = start_bystander();
	for (int i = 0; i < 4; i++) {
		pthread_t thread;

		hole.fd = new_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(hole.fd, &hole.to.any, hole.len);
		fcntl(hole.fd, F_SETFL, 0);
		errno = pthread_create(&thread, NULL, connect_in_vain, NULL);
		MUST(errno ? -1 : 0);
		/* Until it is under way: the socket's other calls are the bystander's clock. */
		for (unsigned begin = bystander->served; bystander->served < begin + 200;)
			sched_yield();
		if (i & 1)
			shutdown(hole.fd, SHUT_RDWR);
		else
			connect(hole.fd, &none, sizeof(none));
		for (unsigned begin = bystander->served; bystander->served < begin + 200;)
			sched_yield();
		/* It may have ended, or wait: its end is not this test's business. */
		close(hole.fd);
	}
	end_bystander(pid);
}

static void flip_nonblock(unsigned turn)
{
	fcntl(hole.fd, F_SETFL, turn & 1 ? O_NONBLOCK : 0);
}

static void connect_hole(unsigned turn)
{
	int fd = new_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct timeval limit = { .tv_usec = 20000 };

	(void)turn;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	dup2(fd, hole.fd);
	connect(fd, &hole.to.any, hole.len);
	close(fd);
}

/* The flag is gone between the look and the call. */
static void run_stall_nonblock(char **args)
{
	pid_t pid;

	(void)args;
	open_hole();
	hole.fd = new_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	pid = start_bystander();
	race(flip_nonblock, connect_hole);
	end_bystander(pid);
}

/* ---- memory that another task serves --------------------------------------------- */

static void run_userfaultfd(char **args)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	(void)args;
	if (fd < 0 && errno == ENOSYS)
		absent("this kernel has no userfaultfd");
	if (fd >= 0)
		won("a handler of page faults");
	fd = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	if (fd >= 0 && syscall(SYS_ioctl, fd, USERFAULTFD_IOC_NEW, O_CLOEXEC) >= 0)
		won("a handler of page faults by its device");
}

static void write_map(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		absent("no user namespace for this user: %s: %s", name, strerror(errno));
	close(fd);
}

/* Where one may mount: in namespaces of one's own. */
static void enter_namespaces(void)
{
	char uid[32], gid[32];

	snprintf(uid, sizeof(uid), "%d %d 1", getuid(), getuid());
	snprintf(gid, sizeof(gid), "%d %d 1", getgid(), getgid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		absent("no user namespace for this user: %s", strerror(errno));
	write_map("/proc/self/setgroups", "deny");
	write_map("/proc/self/uid_map", uid);
	write_map("/proc/self/gid_map", gid);
}

/* A file system of one file, whose bytes never come. */
static int mount_fuse(const char *dir)
{
	char options[128];
	int fd;

	enter_namespaces();
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		absent("/dev/fuse: %s", strerror(errno));
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=%d,group_id=%d", fd,
		 getuid(), getgid());
	if (mount("attack", dir, "fuse", MS_NOSUID | MS_NODEV, options))
		absent("no FUSE for this user: %s", strerror(errno));
	return fd;
}

/* Its number, by which it can be ended from outside (Documentation/filesystems/fuse.rst). */
static unsigned fuse_number(const char *dir)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	unsigned number = 0, minor;
	char line[1024], at[256];

	MUST(mounts ? 0 : -1);
	while (fgets(line, sizeof(line), mounts))
		if (sscanf(line, "%*d %*d %*u:%u %*s %255s", &minor, at) == 2 && !strcmp(at, dir))
			number = minor;
	fclose(mounts);
	return number;
}

static void fuse_reply(int fd, uint64_t unique, const void *body, size_t size)
{
	struct {
		struct fuse_out_header header;
		char body[512];
	} reply = { .header = { .len = (uint32_t)(sizeof(reply.header) + size),
				.unique = unique } };

	memcpy(reply.body, body, size);
	(void)!write(fd, &reply, reply.header.len);
}

static struct fuse_attr fuse_attr_of(uint64_t node)
{
	return (struct fuse_attr){ .ino = node,
				   .size = 4096,
				   .blocks = 8,
				   .nlink = 1,
				   .mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0644 };
}

static void serve_fuse(int fd)
{
	static char buf[1 << 17];
	const struct fuse_in_header *in = (const struct fuse_in_header *)buf;

	while (read(fd, buf, sizeof(buf)) > 0) {
		struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION,
					      .minor = 31,
					      .max_write = 4096 };
		struct fuse_entry_out entry = { .nodeid = 2, .attr = fuse_attr_of(2) };
		struct fuse_attr_out attr = { .attr = fuse_attr_of(in->nodeid) };
		struct fuse_open_out opened = { 0 };

		switch (in->opcode) {
		case FUSE_INIT:
			fuse_reply(fd, in->unique, &init, sizeof(init));
			break;
		case FUSE_LOOKUP:
			fuse_reply(fd, in->unique, &entry, sizeof(entry));
			break;
		case FUSE_GETATTR:
			fuse_reply(fd, in->unique, &attr, sizeof(attr));
			break;
		case FUSE_OPEN:
			fuse_reply(fd, in->unique, &opened, sizeof(opened));
			break;
		default: /* FUSE_READ above all: never */
			break;
		}
	}
}

/* Whoever has such a file open for a moment waits when closing it: FUSE_FLUSH is not answered. */
static void call_on_file(int file)
{
	enum { CALLS = 40 };
	union name n;
	socklen_t len = allowed_at(&n, "127.0.0.1");
	int refused = 0;
	/* Of two the one's call comes before the other's descriptor is closed. */
	pid_t other = (pid_t)MUST(fork());

	for (int i = 0; i < CALLS; i++)
		refused += connect(file, &n.any, len) < 0 && errno == ENOTSOCK;
	if (!other)
		_exit(refused != CALLS);
	tell("no socket: %d of %d", refused, CALLS);
	kill(other, SIGKILL); /* it waits for the flush of its own descriptor */
}

/*
 * DIR served|forlorn|flushed: the address of a connect stands in such a file, or it is the file
 * that is to be connected. A caller that holds the file system's descriptor itself waits for itself
 * when it is killed.
 */
static void run_fuse(char **args)
{
	char path[128];
	int fd = mount_fuse(args[0]), file;
	void *page;
	pid_t pid = (pid_t)MUST(fork());

	if (!pid) {
		serve_fuse(fd);
		_exit(0);
	}
	if (!strcmp(args[1], "forlorn"))
		fcntl(fd, F_DUPFD_CLOEXEC, 100);
	else
		close(fd);
	snprintf(path, sizeof(path), "%s/file", args[0]);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (!strcmp(args[1], "flushed")) {
		call_on_file(file);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return;
	}
	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0);
	MUST(page == MAP_FAILED ? -1 : 0);
	tell("waiting for %u", fuse_number(args[0]));
	connect(new_socket(AF_INET, SOCK_STREAM, 0), page, sizeof(struct sockaddr_in));
	tell("not reached");
}

/* ---- sizes and numbers --------------------------------------------------------------- */

static void *much(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	MUST(memory == MAP_FAILED ? -1 : 0);
	return memory;
}

/* Lengths as large as their types, of what a call carries; the results are told. */
static void run_lengths_of_messages(char **args)
{
	enum { VECTORS = 1024 };
	static const size_t lengths[] = { 0,         1,         128,       1 << 16,      1 << 20,
					  1UL << 31, 1UL << 32, 1UL << 47, SIZE_MAX / 2, SIZE_MAX };
	char *bytes = much(1 << 21);
	struct iovec *vectors = much(VECTORS * sizeof(*vectors));
	union name n;
	socklen_t len = allowed_at(&n, "127.0.0.1");
	int fd = new_socket(AF_INET, SOCK_DGRAM, 0), local[2];

	(void)args;
	MUST(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, local));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct mmsghdr m = { .msg_hdr = { .msg_name = &n,
						  .msg_namelen = len,
						  .msg_iov = vectors,
						  .msg_iovlen = 1 } };
		size_t l = lengths[i];

		vectors[0] = (struct iovec){ bytes, l };
		say(sendmsg(fd, &m.msg_hdr, MSG_DONTWAIT), "vector of %zu", l);
		vectors[0] = (struct iovec){ bytes, 1 };
		m.msg_hdr.msg_iovlen = l;
		say(sendmsg(fd, &m.msg_hdr, MSG_DONTWAIT), "%zu vectors", l);
		say(syscall(SYS_sendmmsg, fd, &m, 1, MSG_DONTWAIT), "%zu vectors, sendmmsg", l);
		m.msg_hdr.msg_iovlen = 1;
		m.msg_hdr.msg_name = NULL;
		m.msg_hdr.msg_control = bytes;
		m.msg_hdr.msg_controllen = l;
		say(sendmsg(local[0], &m.msg_hdr, MSG_DONTWAIT), "control of %zu, unix", l);
		m.msg_hdr.msg_controllen = 0;
		m.msg_hdr.msg_name = &n;
		m.msg_hdr.msg_namelen = (socklen_t)l;
		say(sendmsg(fd, &m.msg_hdr, MSG_DONTWAIT), "name of %u", (unsigned)l);
		say(sendto(fd, bytes, 1, MSG_DONTWAIT, &n.any, (socklen_t)l), "to a name of %u",
		    (unsigned)l);
		say(connect(fd, &n.any, (socklen_t)l), "connect to a name of %u", (unsigned)l);
	}
}

/* Every way for a call to fail or to be given up, often, under a limit of few descriptors. */
static void die_while_waiting(void *arg)
{
	alarm(0);
	signal(SIGALRM, SIG_DFL);
	if (arg)
		ualarm(2000, 0);
	connect(new_socket(AF_INET, SOCK_STREAM, 0), &hole.to.any, hole.len);
}

static void run_leaks(char **args)
{
	enum { ROUNDS = 200, DEATHS = 20 };
	union name bad, good,
		service = { .un = { .sun_family = AF_UNIX, .sun_path = "/proc/self/exe" } };
	socklen_t bad_len = forbidden_at(&bad, "127.0.0.1"),
		  good_len = allowed_at(&good, "127.0.0.1");

	(void)args;
	open_hole();
	for (int i = 0; i < ROUNDS; i++) {
		int udp = new_socket(AF_INET, SOCK_DGRAM, 0),
		    tcp = new_socket(AF_INET, SOCK_STREAM, 0);
		int local = new_socket(AF_UNIX, SOCK_STREAM, 0), file = open("/dev/null", O_RDWR);

		reach_by_sends(udp, &bad, bad_len, 0);
		reach_by_sends(udp, &good, good_len, 0);
		reach_by_sends(local, &service, sizeof(service.un), 0);
		reach_by_sends(file, &good, good_len, 0);
		connect(tcp, &bad.any, bad_len);
		connect(tcp, NULL, 16);
		connect(local, &service.any, sizeof(service.un));
		connect(file, &good.any, good_len);
		bind(local, &service.any, sizeof(service.un));
		listen(tcp, 1);
		connect(-1, &good.any, good_len);
		close(udp);
		close(tcp);
		close(local);
		close(file);
	}
	for (int i = 0; i < DEATHS; i++)
		in_child(die_while_waiting, &hole);
}

/* For ever, whatever becomes of who is in the way. */
static void run_hammer(char **args)
{
	union name n;
	socklen_t len = forbidden_at(&n, "127.0.0.1");

	(void)args;
	tell("supervisor %d", getppid());
	for (bool told = false;; told = true) {
		reach_by_all(&n, len);
		if (!told)
			tell("hammering");
	}
}

/* Waits to be told on stdin; then every kind of call, a few times. */
static void run_faulted(char **args)
{
	enum { ROUNDS = 6 };
	union name bad, good, own = { .un = { .sun_family = AF_UNIX } };
	socklen_t bad_len = forbidden_at(&bad, "127.0.0.1"),
		  good_len = allowed_at(&good, "127.0.0.1");
	int refused = 0;
	char word[8];

	(void)args;
	tell("supervisor %d", getppid());
	MUST(read(STDIN_FILENO, word, sizeof(word)));
	for (int i = 0; i < ROUNDS; i++) {
		int udp = new_socket(AF_INET, SOCK_DGRAM, 0),
		    tcp = new_socket(AF_INET, SOCK_STREAM, 0);
		int listener = new_socket(AF_INET, SOCK_STREAM, 0);
		int local = new_socket(AF_UNIX, SOCK_DGRAM, 0);
		socklen_t len = sizeof(own);

		reach_by_all(&bad, bad_len);
		reach_by_sends(udp, &good, good_len, 0);
		reach_by_sends(udp, &bad, bad_len, 0);
		refused += connect(tcp, &good.any, good_len) != 0;
		listen(listener, 1);
		bind(local, &own.any, sizeof(sa_family_t));
		if (getsockname(local, &own.any, &len) == 0)
			reach_by_sends(new_socket(AF_UNIX, SOCK_DGRAM, 0), &own, len, 0);
		memset(own.un.sun_path, 0, sizeof(own.un.sun_path));
		close(udp);
		close(tcp);
		close(listener);
		close(local);
	}
	tell("served %d", refused);
}

static void *stay(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* A process whose first thread has ended looks dead, and is not. */
static void leave_headless(void *arg)
{
	pthread_t thread;

	if (fork() == 0 && pthread_create(&thread, NULL, stay, arg) == 0)
		pthread_exit(NULL);
}

static void run_headless(char **args)
{
	(void)args;
	in_child(leave_headless, NULL);
}

const struct scenario stall_attacks[] = {
	{ "stall_called_off", run_stall_called_off },
	{ "stall_nonblock", run_stall_nonblock },
	{ "userfaultfd", run_userfaultfd },
	{ "fuse", run_fuse },
	{ "lengths_of_messages", run_lengths_of_messages },
	{ "leaks", run_leaks },
	{ "hammer", run_hammer },
	{ "headless", run_headless },
	{ "faulted", run_faulted },
	{ 0 },
};

/* SPDX-License-Identifier: MIT */
/*
 * Control messages, descriptors and signals that go with a send: scenarios for
 * send_test.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/lib/scenario.h"

enum { MANY_FDS = 300 };

/* Control messages, one after the other. */
struct control {
	_Alignas(struct cmsghdr) char bytes[4096];
	size_t len;
};

static void put(struct control *c, int level, int type, const void *data, size_t len)
{
	struct cmsghdr *h = (struct cmsghdr *)(c->bytes + c->len);

	*h = (struct cmsghdr){ .cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type };
	memcpy(CMSG_DATA(h), data, len);
	c->len += CMSG_SPACE(len);
}

static void put_int(struct control *c, int level, int type, int value)
{
	put(c, level, type, &value, sizeof(value));
}

/* One message with its control messages, by sendmsg or by sendmmsg. */
static long dispatch(bool many, int fd, const union name *to, socklen_t len, const void *bytes,
		     size_t size, struct control *c, int flags)
{
	struct iovec v = { (void *)bytes, size };
	struct mmsghdr m = { .msg_hdr = { .msg_name = (void *)to,
					  .msg_namelen = len,
					  .msg_iov = &v,
					  .msg_iovlen = 1,
					  .msg_control = c->len ? c->bytes : NULL,
					  .msg_controllen = c->len } };
	long count;

	if (!many)
		return sendmsg(fd, &m.msg_hdr, flags);
	count = sendmmsg(fd, &m, 1, flags);
	return count == 1 ? (long)m.msg_len : count;
}

static const char *call_name(bool many)
{
	return many ? "sendmmsg" : "sendmsg";
}

/* ---- internet ---------------------------------------------------------- */

/* A datagram as it came: length, the sender's address, and each control message. */
static void tell_datagram(int fd)
{
	char bytes[65536], control[512], text[INET6_ADDRSTRLEN] = "";
	union name from = { 0 };
	struct iovec v = { bytes, sizeof(bytes) };
	struct msghdr m = { .msg_name = &from,
			    .msg_namelen = sizeof(from),
			    .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t n = await(fd, POLLIN);

	if (!n)
		n = recvmsg(fd, &m, 0);
	if (n < 0) {
		say(n, "got");
		return;
	}
	inet_ntop(from.any.sa_family,
		  from.any.sa_family == AF_INET ? (void *)&from.v4.sin_addr
						: (void *)&from.v6.sin6_addr,
		  text, sizeof(text));
	tell("got %zd %016lx from %s", n, digest(DIGEST_SEED, bytes, n), text);
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
		int value = 0;

		memcpy(&value, CMSG_DATA(h),
		       h->cmsg_len - CMSG_LEN(0) < 4 ? h->cmsg_len - CMSG_LEN(0) : 4);
		tell("with %d/%d %d", h->cmsg_level, h->cmsg_type, value);
	}
}

static void run_internet(char **args)
{
	struct in_pktinfo v4 = { .ipi_spec_dst.s_addr = inet_addr("127.0.0.5") };
	struct in6_pktinfo v6 = { 0 };
	union name to;
	socklen_t len;
	int one = 1;

	inet_pton(AF_INET6, args[0], &v6.ipi6_addr);
	for (int many = 0; many < 2; many++) {
		struct control c = { .len = 0 };
		int in = open_receiver(SOCK_DGRAM, "127.0.0.1", &to, &len);
		int out = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

		setsockopt(in, IPPROTO_IP, IP_RECVTTL, &one, sizeof(one));
		setsockopt(in, IPPROTO_IP, IP_RECVTOS, &one, sizeof(one));
		put(&c, IPPROTO_IP, IP_PKTINFO, &v4, sizeof(v4));
		put_int(&c, IPPROTO_IP, IP_TTL, 77);
		put_int(&c, IPPROTO_IP, IP_TOS, 0x20);
		say(dispatch(many, out, &to, len, "control", 7, &c, 0), "ipv4 %s", call_name(many));
		tell_datagram(in);
		close(in);
		close(out);

		c.len = 0;
		in = open_receiver(SOCK_DGRAM, "::1", &to, &len);
		out = MUST(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
		setsockopt(in, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &one, sizeof(one));
		setsockopt(in, IPPROTO_IPV6, IPV6_RECVTCLASS, &one, sizeof(one));
		put(&c, IPPROTO_IPV6, IPV6_PKTINFO, &v6, sizeof(v6));
		put_int(&c, IPPROTO_IPV6, IPV6_HOPLIMIT, 78);
		put_int(&c, IPPROTO_IPV6, IPV6_TCLASS, 0x20);
		say(dispatch(many, out, &to, len, "control", 7, &c, 0), "ipv6 %s", call_name(many));
		tell_datagram(in);
		close(in);
		close(out);
	}
}

/* udp(7), UDP_SEGMENT: one send, several datagrams. */
static void run_segment(char **args)
{
	static const char *const at[] = { "127.0.0.1", "::1" };
	char bytes[450];

	(void)args;
	fill(bytes, sizeof(bytes), 1);
	for (int family = 0; family < 2; family++)
		for (int many = 0; many < 2; many++) {
			uint16_t size = 100;
			struct control c = { .len = 0 };
			union name to;
			socklen_t len;
			int in = open_receiver(SOCK_DGRAM, at[family], &to, &len);
			int out = MUST(socket(to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));

			put(&c, SOL_UDP, UDP_SEGMENT, &size, sizeof(size));
			say(dispatch(many, out, &to, len, bytes, sizeof(bytes), &c, 0), "%s %s",
			    at[family], call_name(many));
			for (int i = 0; i < 5; i++)
				tell_datagram(in);
			close(in);
			close(out);
		}
}

/* Malformed, unknown, privileged, and those of other protocols. */
static void run_odd(char **args)
{
	static const struct {
		int level, type;
		size_t len;
	} odd[] = {
		{ IPPROTO_IP, IP_TTL, 0 },
		{ IPPROTO_IP, IP_TTL, 3 },
		{ IPPROTO_IP, IP_TOS, 1 },
		{ IPPROTO_IP, IP_PKTINFO, 4 },
		{ IPPROTO_IP, 999, 4 },
		{ IPPROTO_IPV6, IPV6_HOPLIMIT, 4 },
		{ SOL_SOCKET, SO_MARK, 4 },
		{ SOL_SOCKET, SO_PRIORITY, 4 },
		{ SOL_SOCKET, SCM_RIGHTS, 4 },
		{ SOL_SOCKET, SCM_CREDENTIALS, 12 },
		{ SOL_SOCKET, 999, 4 },
		{ SOL_UDP, UDP_SEGMENT, 4 },
		{ IPPROTO_IPV6, IPV6_PKTINFO, 4 },
	};
	char zeros[64] = "";
	union name to;
	socklen_t len;

	(void)args;
	for (int family = 0; family < 2; family++)
		for (int many = 0; many < 2; many++) {
			int in = open_receiver(SOCK_DGRAM, family ? "::1" : "127.0.0.1", &to, &len);
			int out = MUST(socket(to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
			struct control c;
			struct cmsghdr *h = (struct cmsghdr *)c.bytes;

			for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
				c.len = 0;
				put(&c, odd[i].level, odd[i].type, zeros, odd[i].len);
				say(dispatch(many, out, &to, len, "odd", 3, &c, 0), "%d %s %zu",
				    family, call_name(many), i);
			}
			for (size_t bad = 0; bad < 4; bad++) {
				static const size_t lengths[] = { 0, 15, 1000, SIZE_MAX };

				c.len = 0;
				put_int(&c, IPPROTO_IP, IP_TTL, 9);
				h->cmsg_len = lengths[bad];
				say(dispatch(many, out, &to, len, "odd", 3, &c, 0),
				    "%d %s length %zu", family, call_name(many), lengths[bad]);
			}
			close(in);
			close(out);
		}
}

/* RFC 791 section 3.1: a route by way of 127.0.0.1, to be spelled out in each packet. */
static const unsigned char loose_route[] = { 131, 7, 4, 127, 0, 0, 1, 0 };
static const unsigned char strict_route[] = { 137, 7, 4, 127, 0, 0, 1, 0 };

/*
 * RFC 8754 section 2: a routing header of type 4 with one segment, ::1; RFC 6275
 * section 6.4: one of type 2 with one address.
 */
static const unsigned char segment_route[24] = { 0, 2, 4, 0, 0, 0, 0, 0, [23] = 1 };
static const unsigned char mobile_route[24] = { 0, 2, 2, 1, 0, 0, 0, 0, [23] = 1 };

enum { IPV6_2292RTHDR_KERNEL = 5 /* include/uapi/linux/in6.h */ };

static void run_routes(char **args)
{
	static const struct {
		const char *name, *to;
		int level, type;
		const void *data;
		size_t len;
	} routes[] = {
		{ "loose", "127.0.0.1", IPPROTO_IP, IP_RETOPTS, loose_route, 8 },
		{ "strict", "127.0.0.1", IPPROTO_IP, IP_RETOPTS, strict_route, 8 },
		{ "segments", "::1", IPPROTO_IPV6, IPV6_RTHDR, segment_route, 24 },
		{ "mobile", "::1", IPPROTO_IPV6, IPV6_RTHDR, mobile_route, 24 },
		{ "old segments", "::1", IPPROTO_IPV6, IPV6_2292RTHDR_KERNEL, segment_route, 24 },
		{ "old mobile", "::1", IPPROTO_IPV6, IPV6_2292RTHDR_KERNEL, mobile_route, 24 },
	};

	(void)args;
	for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++)
		for (int many = 0; many < 2; many++) {
			struct control c = { .len = 0 };
			union name to;
			socklen_t len;
			int in = open_receiver(SOCK_DGRAM, routes[i].to, &to, &len);
			int out = MUST(socket(to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));

			/* Not the first: all of them must be looked at. */
			put_int(&c, SOL_SOCKET, SO_PRIORITY, 0);
			put(&c, routes[i].level, routes[i].type, routes[i].data, routes[i].len);
			say(dispatch(many, out, &to, len, "routed", 6, &c, 0), "%s %s",
			    routes[i].name, call_name(many));
			close(in);
			close(out);
		}
}

static void run_route_options(char **args)
{
	int v4 = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	int v6 = MUST(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	(void)args;
	say(setsockopt(v4, IPPROTO_IP, IP_OPTIONS, loose_route, sizeof(loose_route)), "loose");
	say(setsockopt(v4, IPPROTO_IP, IP_OPTIONS, strict_route, sizeof(strict_route)), "strict");
	say(setsockopt(v6, IPPROTO_IPV6, IPV6_RTHDR, segment_route, sizeof(segment_route)),
	    "segments");
}

/* ---- descriptors ------------------------------------------------------- */

static const struct kind {
	const char *name;
	int type;
} kinds[] = { { "stream", SOCK_STREAM }, { "dgram", SOCK_DGRAM }, { "seqpacket", SOCK_SEQPACKET } };

/* What came: the bytes, and of each descriptor whether it is the file that was meant. */
static void tell_rights(int fd, const ino_t *inodes)
{
	char bytes[64], control[CMSG_SPACE(MANY_FDS * sizeof(int))];
	struct iovec v = { bytes, sizeof(bytes) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *h = n < 0 ? NULL : CMSG_FIRSTHDR(&m);
	size_t count = 0, right = 0;
	struct stat st;

	say(n, "got");
	if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS)
		count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	for (size_t i = 0; i < count; i++) {
		int got = ((int *)CMSG_DATA(h))[i];

		right += !fstat(got, &st) && st.st_ino == inodes[i % 4];
		close(got);
	}
	tell("descriptors %zu, right %zu, more %d", count, right, h && CMSG_NXTHDR(&m, h) != NULL);
}

static void run_rights(char **args)
{
	static const int counts[] = { 1, 3, 252, 253, 254 };
	int given[MANY_FDS], four[4], pair[2];
	ino_t inodes[4];
	struct control c;
	struct stat st;

	(void)args;
	MUST(pipe2(four, O_CLOEXEC));
	four[2] = MUST(open("/dev/null", O_RDWR | O_CLOEXEC));
	four[3] = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	for (int i = 0; i < 4; i++) {
		MUST(fstat(four[i], &st));
		inodes[i] = st.st_ino;
	}
	for (const struct kind *k = kinds; k < kinds + 3; k++)
		for (int many = 0; many < 2; many++) {
			MUST(socketpair(AF_UNIX, k->type | SOCK_CLOEXEC, 0, pair));
			for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
				for (int n = 0; n < counts[i]; n++)
					given[n] = four[n % 4];
				c.len = 0;
				put(&c, SOL_SOCKET, SCM_RIGHTS, given, counts[i] * sizeof(int));
				say(dispatch(many, pair[0], NULL, 0, "rights", 6, &c, 0),
				    "%s %s %d", k->name, call_name(many), counts[i]);
				tell_rights(pair[1], inodes);
			}
			for (int bad = 0; bad < 3; bad++) {
				given[bad] = bad ? 9999 : -1;
				c.len = 0;
				put(&c, SOL_SOCKET, SCM_RIGHTS, given, 3 * sizeof(int));
				say(dispatch(many, pair[0], NULL, 0, "rights", 6, &c, 0),
				    "%s %s bad %d", k->name, call_name(many), bad);
				tell_rights(pair[1], inodes);
				given[bad] = four[bad];
			}
			c.len = 0;
			put(&c, SOL_SOCKET, SCM_RIGHTS, given, 0);
			say(dispatch(many, pair[0], NULL, 0, "rights", 6, &c, 0), "%s %s none",
			    k->name, call_name(many));
			tell_rights(pair[1], inodes);
			close(pair[0]);
			close(pair[1]);
		}
}

/* The far end of a pipe that was passed is the same pipe. */
static void run_rights_in_use(char **args)
{
	struct control c = { .len = 0 };
	int pipe_fds[2], pair[2], got = -1;
	char control[CMSG_SPACE(sizeof(int))], bytes[16] = "";
	struct iovec v = { bytes, sizeof(bytes) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };

	(void)args;
	MUST(pipe2(pipe_fds, O_CLOEXEC));
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	put(&c, SOL_SOCKET, SCM_RIGHTS, &pipe_fds[1], sizeof(int));
	say(dispatch(false, pair[0], NULL, 0, "w", 1, &c, 0), "sendmsg");
	say(recvmsg(pair[1], &m, MSG_CMSG_CLOEXEC), "recvmsg");
	memcpy(&got, CMSG_DATA((struct cmsghdr *)control), sizeof(got));
	close(pipe_fds[1]);
	say(fcntl(got, F_GETFL) & O_ACCMODE, "mode");
	say(write(got, "through", 7), "write");
	close(got);
	/* The end of file proves that nobody kept the writing end. */
	say(await(pipe_fds[0], POLLIN), "readable");
	say(read(pipe_fds[0], bytes, sizeof(bytes)), "read");
	say(await(pipe_fds[0], POLLHUP), "closed");
	say(read(pipe_fds[0], bytes + 8, sizeof(bytes) - 8), "read");
	tell("'%s'", bytes);
}

/* ---- SIGPIPE ----------------------------------------------------------- */

static volatile sig_atomic_t pipes;
static volatile pid_t piped_thread;

static void on_sigpipe(int sig)
{
	(void)sig;
	pipes++;
	piped_thread = gettid();
}

/* An end of a connection that has been shut, so that a send gets EPIPE. */
static int open_shut(int domain, int type)
{
	int fds[2];

	if (domain == AF_UNIX) {
		MUST(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds));
	} else if (type == SOCK_STREAM) {
		open_connection("127.0.0.1", fds);
	} else {
		union name to;
		socklen_t len;

		fds[1] = open_receiver(type, "127.0.0.1", &to, &len);
		fds[0] = MUST(socket(AF_INET, type | SOCK_CLOEXEC, 0));
		MUST(connect(fds[0], &to.any, len));
	}
	MUST(shutdown(fds[0], SHUT_WR));
	close(fds[1]);
	return fds[0];
}

static void *send_on_shut(void *arg)
{
	struct control none = { .len = 0 };
	int *request = arg; /* the socket, sendmmsg, the flags */

	say(dispatch(request[1], request[0], NULL, 0, "pipe", 4, &none, request[2]), "%s%s",
	    call_name(request[1]), request[2] ? " without a signal" : "");
	tell("signals %d, %s", (int)pipes,
	     !pipes                     ? "nobody"
	     : piped_thread == gettid() ? "to the caller"
					: "to another");
	return NULL;
}

static void run_sigpipe(char **args)
{
	static const struct {
		const char *name;
		int domain, type;
	} shut[] = {
		{ "tcp", AF_INET, SOCK_STREAM },          { "udp", AF_INET, SOCK_DGRAM },
		{ "stream", AF_UNIX, SOCK_STREAM },       { "dgram", AF_UNIX, SOCK_DGRAM },
		{ "seqpacket", AF_UNIX, SOCK_SEQPACKET },
	};
	pthread_t thread;

	(void)args;
	signal(SIGPIPE, on_sigpipe);
	for (size_t i = 0; i < sizeof(shut) / sizeof(*shut); i++)
		for (int way = 0; way < 4; way++) {
			int request[] = { open_shut(shut[i].domain, shut[i].type), way & 1,
					  way & 2 ? MSG_NOSIGNAL : 0 };

			tell("%s", shut[i].name);
			pipes = 0;
			/* A thread beside the one that a signal to the process would choose. */
			MUST(-pthread_create(&thread, NULL, send_on_shut, request));
			pthread_join(thread, NULL);
			close(request[0]);
		}
}

/* The signal's default action, its mask, and being ignored are the task's own. */
static void run_sigpipe_unhandled(char **args)
{
	struct control none = { .len = 0 };
	sigset_t set, pending;
	int fd, status = 0;
	pid_t pid;

	(void)args;
	fflush(stdout);
	pid = MUST(fork());
	if (!pid) {
		dispatch(false, open_shut(AF_INET, SOCK_STREAM), NULL, 0, "pipe", 4, &none, 0);
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0));
	tell("killed by %d", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	fd = open_shut(AF_UNIX, SOCK_STREAM);
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	say(dispatch(false, fd, NULL, 0, "pipe", 4, &none, 0), "blocked");
	sigpending(&pending);
	tell("pending %d", sigismember(&pending, SIGPIPE));
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	say(dispatch(false, fd, NULL, 0, "pipe", 4, &none, 0), "ignored");
}

int main(int argc, char **argv)
{
	static const struct scenario scenarios[] = {
		{ "internet", run_internet },
		{ "segment", run_segment },
		{ "odd", run_odd },
		{ "routes", run_routes },
		{ "route_options", run_route_options },
		{ "rights", run_rights },
		{ "rights_in_use", run_rights_in_use },
		{ "sigpipe", run_sigpipe },
		{ "sigpipe_unhandled", run_sigpipe_unhandled },
		{ 0 },
	};

	return scenario_main(argc, argv, scenarios);
}

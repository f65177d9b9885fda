/* SPDX-License-Identifier: MIT */
#include "core/shut.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/inetdiag.h"
#include "core/locate.h"
#include "core/socket.h"
#include "policy/array.h"

/* A connection attempt: only the kernel's list says where it leads, getpeername(2) does not yet. */
struct attempt {
	uint64_t cookie;
	struct sockaddr_storage peer;
	socklen_t len;
};

struct job {
	const struct policy *policy;
	const struct policy *const *before;
	size_t n_before;
	const struct facts *facts;
	const struct outbound *outbound;
	struct sockets cache;
	struct attempt *attempts;
	size_t n_attempts;
	uint64_t inherited[3]; /* cookies of the standard descriptors that are sockets */
	unsigned shut;
};

static void take_attempt(void *arg, const struct inetdiag_entry *e)
{
	struct job *j = arg;
	struct attempt *list = array_room(j->attempts, j->n_attempts, sizeof(*list));
	struct attempt *a;

	if (!list)
		return; /* one that is not in the list is shut */
	j->attempts = list;
	a = &list[j->n_attempts++];
	*a = (struct attempt){ .cookie = e->cookie };
	if (e->family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)&a->peer;

		in->sin_family = AF_INET;
		in->sin_port = htons(e->peer_port);
		memcpy(&in->sin_addr, e->peer, sizeof(in->sin_addr));
		a->len = sizeof(*in);
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a->peer;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(e->peer_port);
		memcpy(&in6->sin6_addr, e->peer, sizeof(in6->sin6_addr));
		a->len = sizeof(*in6);
	}
}

/* A list that fails ends early: what is not in it is shut. */
static void list_family(struct job *j, int family)
{
	int diag = inetdiag_open();

	if (diag < 0)
		return;
	inetdiag_list(diag, IPPROTO_TCP, family, 1 << TCP_SYN_SENT, take_attempt, j);
	close(diag);
}

static void list_attempts(struct job *j)
{
	free(j->attempts);
	j->attempts = NULL;
	j->n_attempts = 0;
	list_family(j, AF_INET);
	list_family(j, AF_INET6);
}

static bool is_inherited(const struct job *j, uint64_t cookie)
{
	for (int i = 0; i < 3; i++)
		if (j->inherited[i] == cookie)
			return true;
	return false;
}

static int state_of(int sock)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	return getsockopt(sock, IPPROTO_TCP, TCP_INFO, &info, &len) ? -1 : info.tcpi_state;
}

static const struct attempt *find_attempt(const struct job *j, uint64_t cookie)
{
	for (size_t i = 0; i < j->n_attempts; i++)
		if (j->attempts[i].cookie == cookie)
			return &j->attempts[i];
	return NULL;
}

static int find_established(int sock, struct sockaddr_storage *peer, socklen_t *len)
{
	*len = sizeof(*peer);
	return getpeername(sock, (struct sockaddr *)peer, len) == 0;
}

/*
 * Where the socket leads: 1 with *peer and *len filled, 0 when it leads nowhere, -1 when it is
 * being connected and nobody knows where to.
 */
static int find_peer(struct job *j, int sock, const struct socket_info *info,
		     struct sockaddr_storage *peer, socklen_t *len)
{
	const struct attempt *a;

	if (find_established(sock, peer, len))
		return 1;
	if (info->kind != SOCKET_TCP || state_of(sock) != TCP_SYN_SENT)
		return 0;
	/* One that is not in the list may have begun since that was made. */
	a = find_attempt(j, info->cookie);
	if (!a) {
		list_attempts(j);
		a = find_attempt(j, info->cookie);
	}
	if (!a)
		return state_of(sock) == TCP_SYN_SENT ? -1 : find_established(sock, peer, len);
	*peer = a->peer;
	*len = a->len;
	return 1;
}

/*
 * What rules call a UNIX socket, by the name that its server gave it: the real path, or "@name"
 * with NULs as @. Returns 0, or -EINVAL when it cannot be told.
 */
static int unix_name(const struct sockaddr_un *un, socklen_t len,
		     char name[static ENDPOINT_NAME_MAX])
{
	char path[sizeof(un->sun_path) + 1] = "";
	size_t n = len - offsetof(struct sockaddr_un, sun_path);
	char *real;

	if (len <= offsetof(struct sockaddr_un, sun_path) || n >= sizeof(path))
		return -EINVAL;
	memcpy(path, un->sun_path, n);
	if (!*path) {
		for (size_t i = 0; i < n; i++)
			name[i] = path[i] ? path[i] : '@';
		name[n] = '\0';
		return 0;
	}
	if (*path != '/' || locate_path(path, false, &real))
		return -EINVAL;
	n = strlen(real);
	if (n < ENDPOINT_NAME_MAX)
		memcpy(name, real, n + 1);
	free(real);
	return n < ENDPOINT_NAME_MAX ? 0 : -EINVAL;
}

static bool asks_self(const struct job *j, const struct endpoint *e)
{
	bool asks = policy_asks_self(j->policy, &j->facts->live, e);

	for (size_t i = 0; !asks && i < j->n_before; i++)
		asks = policy_asks_self(j->before[i], &j->facts->live, e);
	return asks;
}

static bool was_allowed(const struct job *j, const struct endpoint *e)
{
	for (size_t i = 0; i < j->n_before; i++)
		if (policy_decide(j->before[i], &j->facts->live, e).verdict == VERDICT_ALLOW)
			return true;
	return false;
}

static bool is_denied(const struct job *j, int sock, const struct socket_info *info,
		      const struct sockaddr_storage *peer, socklen_t len)
{
	char name[ENDPOINT_NAME_MAX];
	struct target target = { .endpoint = { .proto = PROTO_UNIX, .name = name } };
	struct decision d;

	if (info->kind == SOCKET_UNIX) {
		if (unix_name((const struct sockaddr_un *)peer, len, name))
			return true;
	} else if (target_connect(info, sock, peer, len, &target) || target.kind != TARGET_INET) {
		return true; /* nothing that can be judged: it is not allowed either */
	} else if (asks_self(j, &target.endpoint)) {
		target.endpoint.self = listeners_has(&j->facts->listeners, sock, &target.endpoint);
	}
	d = policy_decide(j->policy, &j->facts->live, &target.endpoint);
	/* A rule may have led it around the sinkhole that is not there any more. */
	if (d.reason == REASON_SINKHOLE && j->facts->mirror && info->netns != j->facts->mirror)
		return true;
	if (d.verdict == VERDICT_ASK)
		return was_allowed(j, &target.endpoint);
	return d.verdict == VERDICT_DENY;
}

/* A connected ping socket does not mind shutdown(2); without a peer its sends are judged. */
static bool shut_socket(int sock, const struct socket_info *info)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	if (info->kind == SOCKET_PING)
		return connect(sock, &nobody, sizeof(nobody)) == 0;
	return shutdown(sock, SHUT_RDWR) == 0;
}

/*
 * Whether the socket can be one that the policy has a say about: what the command has accepted is
 * none, but for a panic.
 */
static bool is_flow(const struct job *j, const struct socket_info *info)
{
	if (info->kind == SOCKET_TCP && policy_panics(j->policy))
		return true;
	return (info->kind != SOCKET_TCP && info->kind != SOCKET_UNIX) ||
	       outbound_has(j->outbound, info->cookie);
}

/*
 * A datagram that is put together (udp(7), UDP_CORK and MSG_MORE) goes where its first part was
 * sent, whatever address later ones name, and nobody can ask where that is. It is dropped: a part
 * that makes it too long ends it (net/ipv4/udp.c udp_sendmsg(), udp_flush_pending_frames()). Where
 * there is none after all, it is too long for a datagram of its own or has no destination.
 */
static void drop_unfinished(int sock)
{
	static const char part[UINT16_MAX];
	int queued = 0;

	/* It counts as memory that waits to be sent, and few sockets have any. */
	if (ioctl(sock, SIOCOUTQ, &queued) == 0 && queued)
		(void)!send(sock, part, sizeof(part), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void look_at(void *arg, int sock, uint64_t cookie)
{
	struct job *j = arg;
	struct sockaddr_storage peer;
	struct socket_info info;
	socklen_t len;
	int found;

	if (is_inherited(j, cookie) || socket_inspect(&j->cache, sock, &info))
		return;
	if (info.kind != SOCKET_UNIX && !socket_is_inet(&info))
		return;
	if (!is_flow(j, &info))
		return;
	if (info.kind == SOCKET_UDP)
		drop_unfinished(sock);
	if (policy_panics(j->policy) && info.kind == SOCKET_TCP) {
		j->shut += shut_socket(sock, &info);
		return;
	}
	found = find_peer(j, sock, &info, &peer, &len);
	if (!found || (found > 0 && !is_denied(j, sock, &info, &peer, len)))
		return;
	j->shut += shut_socket(sock, &info);
}

int shut_denied(const struct policy *p, const struct policy *const before[], size_t n,
		const struct facts *f, const struct outbound *o, struct shut_result *out)
{
	struct job *j = calloc(1, sizeof(*j));
	int ret;

	if (!j)
		return -ENOMEM;
	j->policy = p;
	j->before = before;
	j->n_before = n;
	j->facts = f;
	j->outbound = o;
	j->cache.netns = f->mirror != 0;
	/* Of what is no socket it stays 0, which none has. */
	for (int fd = 0; fd < 3; fd++)
		(void)!getsockopt(fd, SOL_SOCKET, SO_COOKIE, &j->inherited[fd],
				  &(socklen_t){ sizeof(uint64_t) });
	list_attempts(j);
	ret = tree_sockets(look_at, j, &out->tree);
	out->shut = j->shut;
	free(j->attempts);
	free(j);
	return ret;
}

struct list {
	uint64_t *v;
	size_t n;
	int ret;
};

static void add_cookie(void *arg, int sock, uint64_t cookie)
{
	struct list *l = arg;
	uint64_t *v;

	(void)sock;
	if (l->ret)
		return;
	v = array_room(l->v, l->n, sizeof(*v));
	if (!v) {
		l->ret = -ENOMEM;
		return;
	}
	l->v = v;
	v[l->n++] = cookie;
}

int shut_list(uint64_t **cookies, size_t *n)
{
	struct list l = { 0 };
	struct tree_result result;
	int ret = tree_sockets(add_cookie, &l, &result);

	if (!ret)
		ret = l.ret;
	if (ret) {
		free(l.v);
		return ret;
	}
	*cookies = l.v;
	*n = l.n;
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "core/opened.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/escape.h"
#include "core/inetdiag.h"
#include "core/tree.h"
#include "policy/addr.h"
#include "policy/array.h"

struct owner {
	uint64_t inode;
	pid_t pid;
};

struct look {
	const struct outbound *outbound;
	struct opened_list *out;
	struct owner *owners; /* sorted by inode */
	size_t n_owners;
	enum proto proto; /* that is being listed */
	int ret;
};

static void add_owner(void *arg, uint64_t inode, pid_t pid)
{
	struct look *l = arg;
	struct owner *v = l->ret ? NULL : array_room(l->owners, l->n_owners, sizeof(*v));

	if (!v) {
		l->ret = -ENOMEM;
		return;
	}
	l->owners = v;
	v[l->n_owners++] = (struct owner){ inode, pid };
}

static int compare_owners(const void *left, const void *right)
{
	const struct owner *a = left, *b = right;

	return a->inode < b->inode ? -1 : a->inode > b->inode;
}

static bool is_inherited(uint64_t cookie)
{
	uint64_t standard;
	socklen_t len = sizeof(standard);

	for (int fd = 0; fd < 3; fd++)
		if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &standard, &len) == 0 &&
		    standard == cookie)
			return true;
	return false;
}

static void read_comm(pid_t pid, char comm[static 16])
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, comm, 15);
	if (fd >= 0)
		close(fd);
	n = n > 0 ? n : 0;
	comm[n] = '\0';
	if (n && comm[n - 1] == '\n')
		comm[n - 1] = '\0';
}

static struct addr address_of(int family, const uint8_t bytes[16])
{
	return family == AF_INET ? addr_from_v4(bytes) : addr_from_v6(bytes);
}

static void add_socket(void *arg, const struct inetdiag_entry *e)
{
	struct look *l = arg;
	const struct owner key = { .inode = e->inode };
	const struct owner *owner =
		bsearch(&key, l->owners, l->n_owners, sizeof(key), compare_owners);
	struct opened *o;

	if (l->ret || !owner || is_inherited(e->cookie))
		return;
	if (l->out->n == OPENED_MAX) {
		l->out->more++;
		return;
	}
	o = array_room(l->out->v, l->out->n, sizeof(*o));
	if (!o) {
		l->ret = -ENOMEM;
		return;
	}
	l->out->v = o;
	o += l->out->n++;
	*o = (struct opened){
		.cookie = e->cookie,
		.proto = (uint8_t)l->proto,
		.state = e->state,
		.has_bytes = e->has_bytes,
		.in = e->in,
		.out = e->out,
		.local = address_of(e->family, e->local),
		.local_port = e->local_port,
		.peer_port = e->peer_port,
		.pid = owner->pid,
	};
	if (e->peer_port) {
		o->peer = address_of(e->family, e->peer);
		o->outbound = l->proto == PROTO_UDP || outbound_has(l->outbound, e->cookie);
	}
	/* A listener counts its queue there. */
	if (e->state == TCP_LISTEN)
		o->has_bytes = false;
	read_comm(o->pid, o->comm);
}

static int list_all(struct look *l)
{
	static const struct {
		enum proto proto;
		int number, family;
	} lists[] = {
		{ PROTO_TCP, IPPROTO_TCP, AF_INET },
		{ PROTO_TCP, IPPROTO_TCP, AF_INET6 },
		{ PROTO_UDP, IPPROTO_UDP, AF_INET },
		{ PROTO_UDP, IPPROTO_UDP, AF_INET6 },
	};
	int diag = inetdiag_open();
	int ret = diag < 0 ? diag : 0;

	for (size_t i = 0; !ret && i < sizeof(lists) / sizeof(*lists); i++) {
		l->proto = lists[i].proto;
		ret = inetdiag_list(diag, lists[i].number, lists[i].family, INETDIAG_ALL,
				    add_socket, l);
	}
	if (diag >= 0)
		close(diag);
	return ret ? ret : l->ret;
}

int opened_look(const struct outbound *o, struct opened_list *out)
{
	struct opened_list list = { 0 };
	struct look l = { .outbound = o, .out = &list };
	struct tree_result tree = { 0 };
	int ret = tree_inodes(add_owner, &l, &tree);

	if (!ret)
		ret = l.ret;
	if (!ret && l.n_owners) {
		qsort(l.owners, l.n_owners, sizeof(*l.owners), compare_owners);
		ret = list_all(&l);
	}
	free(l.owners);
	if (ret) {
		free(list.v);
		return ret;
	}
	list.unseen = tree.unseen;
	*out = list;
	return 0;
}

struct wanted {
	uint64_t cookie;
	int ret;
};

static void shut_wanted(void *arg, int sock, uint64_t cookie)
{
	struct wanted *w = arg;

	if (cookie == w->cookie && !is_inherited(cookie))
		w->ret = shutdown(sock, SHUT_RDWR) ? -errno : 0;
}

int opened_shut(uint64_t cookie)
{
	struct wanted w = { cookie, -ENOENT };
	struct tree_result tree;
	int ret = tree_sockets(shut_wanted, &w, &tree);

	return ret ? ret : w.ret;
}

const char *opened_state(const struct opened *o)
{
	static const char *const names[] = {
		[TCP_ESTABLISHED] = "established",
		[TCP_SYN_SENT] = "connecting",
		[TCP_SYN_RECV] = "connecting",
		[TCP_FIN_WAIT1] = "closing",
		[TCP_FIN_WAIT2] = "closing",
		[TCP_TIME_WAIT] = "closing",
		[TCP_CLOSE] = "closed",
		[TCP_CLOSE_WAIT] = "peer closed",
		[TCP_LAST_ACK] = "closing",
		[TCP_LISTEN] = "listen",
		[TCP_CLOSING] = "closing",
	};

	if (o->proto == PROTO_UDP)
		return o->peer.family ? "open" : "bound";
	return o->state < sizeof(names) / sizeof(*names) && names[o->state] ? names[o->state] : "?";
}

static json_t *address_json(const struct addr *a)
{
	char text[ADDR_TEXT_MAX];

	return a->family ? json_string(addr_text(*a, text)) : json_null();
}

static json_t *opened_json(const struct opened *o)
{
	char escaped[64];
	json_t *comm = json_string(o->comm);

	if (!comm) {
		escape_text(o->comm, escaped, sizeof(escaped));
		comm = json_string(escaped);
	}
	return json_pack("{s:I, s:s, s:i, s:b, s:b, s:I, s:I, s:o, s:i, s:o, s:i, s:i, s:o}",
			 "cookie", (json_int_t)o->cookie, "proto", proto_name((enum proto)o->proto),
			 "state", o->state, "outbound", o->outbound, "counted", o->has_bytes, "in",
			 (json_int_t)o->in, "out", (json_int_t)o->out, "local",
			 address_json(&o->local), "local_port", o->local_port, "peer",
			 address_json(&o->peer), "peer_port", o->peer_port, "pid", o->pid, "comm",
			 comm);
}

char *opened_text(const struct opened_list *l)
{
	json_t *array = json_array();
	json_t *all = json_pack("{s:I, s:i, s:o}", "more", (json_int_t)l->more, "unseen",
				(int)l->unseen, "sockets", array);
	char *text = NULL;
	int ret = all ? 0 : -1;

	for (size_t i = 0; !ret && i < l->n; i++)
		ret = json_array_append_new(array, opened_json(&l->v[i]));
	if (!ret)
		text = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	return text;
}

static int read_address(const char *text, struct addr *out)
{
	return text ? addr_parse(text, out) : 0;
}

static int read_opened(json_t *json, struct opened *o)
{
	json_int_t cookie, in, out;
	int state, outbound, counted, local_port, peer_port, pid;
	const char *proto, *local, *peer, *comm;

	if (json_unpack(json, "{s:I, s:s, s:i, s:b, s:b, s:I, s:I, s:i, s:i, s:i, s:s}", "cookie",
			&cookie, "proto", &proto, "state", &state, "outbound", &outbound, "counted",
			&counted, "in", &in, "out", &out, "local_port", &local_port, "peer_port",
			&peer_port, "pid", &pid, "comm", &comm))
		return -EBADMSG;
	local = json_string_value(json_object_get(json, "local"));
	peer = json_string_value(json_object_get(json, "peer"));
	*o = (struct opened){
		.cookie = (uint64_t)cookie,
		.proto = strcmp(proto, "udp") ? PROTO_TCP : PROTO_UDP,
		.state = (uint8_t)state,
		.outbound = outbound,
		.has_bytes = counted,
		.in = (uint64_t)in,
		.out = (uint64_t)out,
		.local_port = (uint16_t)local_port,
		.peer_port = (uint16_t)peer_port,
		.pid = pid,
	};
	snprintf(o->comm, sizeof(o->comm), "%s", comm);
	return read_address(local, &o->local) || read_address(peer, &o->peer) ? -EBADMSG : 0;
}

int opened_parse(const char *text, size_t len, struct opened_list *out)
{
	json_t *all = json_loadb(text, len, 0, NULL), *array = json_object_get(all, "sockets");
	struct opened_list list = { .n = json_array_size(array) };
	int ret = json_is_array(array) && list.n <= OPENED_MAX ? 0 : -EBADMSG;

	if (!ret) {
		list.v = calloc(list.n + 1, sizeof(*list.v));
		ret = list.v ? 0 : -ENOMEM;
	}
	for (size_t i = 0; !ret && i < list.n; i++)
		ret = read_opened(json_array_get(array, i), &list.v[i]);
	list.more = (size_t)json_integer_value(json_object_get(all, "more"));
	list.unseen = (unsigned)json_integer_value(json_object_get(all, "unseen"));
	json_decref(all);
	if (ret) {
		free(list.v);
		return ret;
	}
	*out = list;
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * What the sinkhole's files share: a question under way, and where it came from.
 */
#ifndef SANDTOP_URING_QUESTION_H
#define SANDTOP_URING_QUESTION_H

#include <netinet/in.h>

#include "core/hosts.h"
#include "core/packet.h"
#include "uring/dns.h"

/* One of the server's sockets. */
struct dns_server_socket {
	struct event event;
	struct dns *dns;
	int fd; /* -1: there is none */
	int family, type;
};

/* A task's connection. */
struct dns_connection {
	struct event event;
	struct dns *dns;
	int fd;              /* -1: free */
	uint32_t generation; /* changes with every connection in this place */
	struct addr asked;
	uint16_t port; /* the task's */
	uint64_t used; /* when last, for the bound */
	size_t len;
	uint8_t buf[2 + 4096]; /* no honest query is longer */
};

/* Whom to answer. */
struct origin {
	struct dns_server_socket *socket; /* of a datagram, or NULL */
	struct sockaddr_storage peer;
	socklen_t peer_len;
	union {
		struct in_pktinfo v4;
		struct in6_pktinfo v6;
	} from;                            /* the address that the datagram was sent to */
	struct dns_connection *connection; /* of a stream, or NULL */
	uint32_t generation;
	struct addr asked; /* the name server that the task believes to talk to */
	pid_t tid;         /* 0 if it is not known */
};

struct question {
	struct dns *dns;
	struct packet_query query;
	char name[NS_MAXDNAME]; /* normalised; as asked when it is no host name */
	struct origin origin;
	uint64_t start; /* CLOCK_MONOTONIC, ns */
	size_t host;    /* of refresh.c: what it is about */
	struct question *next_free;
};

/* An answer that is being looked through. */
struct scan {
	const struct question *question;
	struct decision refusal; /* if the walk ended with -EPERM */
	uint32_t ttl;            /* the shortest of what was learned, 0 if that is nothing */
	unsigned aliases;        /* how many names the asked one leads to by CNAME, and itself */
	char alias[16][NS_MAXDNAME];
	bool grown; /* in this walk */
};

/* The names of rules, which are asked for without being asked. */
struct refresh {
	struct event event;
	struct __kernel_timespec round;
	struct refresh_name *names; /* by policy_host() */
	size_t n;
	uint64_t generation; /* of the policy that has them */
	unsigned busy;       /* questions under way */
};

struct dns {
	struct engine *engine;
	struct loop *loop;
	struct stats *stats;
	struct report *report;
	struct upstream *upstream;
	struct refresh refresh;
	struct hosts hosts;
	struct question *questions, *free;
	bool asking;      /* dns_ask() runs */
	bool starved;     /* somebody waits for a free question */
	pid_t *askers[2]; /* by PROTO_TCP and PROTO_UDP, each by port */
	uint8_t *out;     /* PACKET_MAX bytes for the answer that is being made */
	struct dns_server_socket socket[DNS_SERVERS];
	struct dns_connection connection[DNS_CONNECTIONS];
};

/* dns.c: a query has come in; only when there is a free question. */
void dns_ask(struct dns *d, const uint8_t *wire, size_t len, const struct origin *o);

/* Take a free question, and give one back. Not without d->free. */
struct question *question_take(struct dns *d);
void question_release(struct question *x);

/*
 * Look through a name server's answer to s->question, and learn what it says if all of it may be
 * passed on. Returns 0; -EPERM with s->refusal; -EBADMSG; -ENOMEM.
 */
int scan_answer(struct scan *s, const uint8_t *wire, size_t len);

/* refresh.c. Returns 0 or -ENOMEM; to be stopped in any case. */
int refresh_start(struct dns *d);
void refresh_stop(struct dns *d);

/* dns_listen.c */
int dns_listen(struct dns *d, const int server[static DNS_SERVERS]);
void dns_close(struct dns *d);

/* Send an answer. An asker that is gone, or takes nothing, loses it. */
void dns_reply(struct dns *d, const struct origin *o, const uint8_t *wire, size_t len);

/* Questions are free again: go on with what waits. */
void dns_go_on(struct dns *d);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * DNS messages (RFC 1035, EDNS of RFC 6891) as the sinkhole reads and writes them.
 *
 * The C library's parser of <arpa/nameser.h> does the reading; nothing here allocates. What a
 * name server answers is passed on as it is, so that record types that nobody here knows work, too.
 */
#ifndef SANDTOP_CORE_PACKET_H
#define SANDTOP_CORE_PACKET_H

#include <arpa/nameser.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/endpoint.h"

enum {
	PACKET_MAX = 65535, /* the longest message, over TCP */
	PACKET_UDP = 1232,  /* what we say that we take over UDP (DNS flag day 2020) */
	PACKET_QUERY_MAX = NS_HFIXEDSZ + NS_MAXCDNAME + NS_QFIXEDSZ + 11, /* 11: an OPT record */
	PACKET_TYPE_SVCB = 64, /* RFC 9460; the C library does not know them */
	PACKET_TYPE_HTTPS = 65,
};

/* One question, and how its asker wants it answered. */
struct packet_query {
	uint16_t id;
	bool recursion, checking_disabled; /* RD and CD */
	bool edns, dnssec_ok;
	uint16_t type, class;
	size_t room;            /* for the answer over UDP, 512 to PACKET_MAX */
	char name[NS_MAXDNAME]; /* as text, letters as asked, any bytes but NUL; "." is the root */
	uint8_t question[NS_MAXCDNAME + NS_QFIXEDSZ]; /* the same as it was sent */
	size_t question_len;
};

/*
 * Read a query. Returns 0; or a negative rcode with as much of *q filled as an answer needs:
 * -ns_r_formerr (malformed), -ns_r_notimpl (no plain question); -1000 when there is nothing to
 * answer: no header, or itself an answer.
 */
enum { PACKET_SILENCE = -1000 };
int packet_read(const uint8_t *wire, size_t len, struct packet_query *q);

/*
 * Write an answer of our own: an rcode, and for each address of the family that was asked for a
 * record with that TTL. Returns its length; it fits PACKET_QUERY_MAX + 28 * n bytes. More than
 * q->room bytes are cut as packet_adapt() does, unless `room` is larger.
 */
size_t packet_answer(const struct packet_query *q, int rcode, const struct addr *addrs, size_t n,
		     uint32_t ttl, uint8_t *out, size_t room);

/*
 * Make a query of our own for a normalised name, with EDNS. Returns 0, or -EINVAL when the name
 * does not fit a message.
 */
int packet_make(const char *name, uint16_t type, struct packet_query *q);

/* Write the query to ask a name server for *q, with EDNS, in lower case. Returns its length. */
size_t packet_ask(const struct packet_query *q, uint16_t id, uint8_t out[static PACKET_QUERY_MAX]);

/* What an answer says about names and addresses. */
struct packet_record {
	const char *owner; /* text */
	uint16_t type;
	uint32_t ttl;
	const char *target; /* CNAME, DNAME, SVCB, HTTPS: text; else NULL */
	struct addr addr;   /* A, AAAA, a hint of SVCB or HTTPS; else of no family */
};

/* A return that is not 0 ends the walk and is returned. */
typedef int packet_fn(void *arg, const struct packet_record *r);

/*
 * Give the records of an answer (answer and additional sections) to `fn`; a record with several
 * hints comes several times. Returns 0, -EBADMSG when the message is malformed, or what `fn` did.
 */
int packet_walk(const uint8_t *wire, size_t len, packet_fn *fn, void *arg);

/* The rcode of an answer that was walked. */
int packet_rcode(const uint8_t *wire);

/*
 * Make a name server's answer one to *q: its id, its spelling of the name, no EDNS if it had none,
 * cut with TC set when it is longer than `room` bytes. `wire` is changed in place. Returns the
 * length, or 0 when it is no answer to that question or, so changed, malformed.
 */
size_t packet_adapt(uint8_t *wire, size_t len, const struct packet_query *q, size_t room);

#endif

/* SPDX-License-Identifier: MIT */
#include "core/packet.h"

#include <errno.h>
#include <resolv.h>
#include <string.h>

#include "policy/addr.h"

enum {
	ROOM_MIN = NS_PACKETSZ,
	FLAGS_AT = 2,
	COUNTS_AT = 4,
	ADDITIONAL_AT = 10,
	FLAG_QR = 1 << 15,
	FLAG_TC = 1 << 9,
	FLAG_RD = 1 << 8,
	FLAG_RA = 1 << 7,
	FLAG_CD = 1 << 4,
	OPT_DO = 1 << 15,  /* in the low half of the OPT record's TTL */
	SVC_IPV4_HINT = 4, /* RFC 9460 14.3.2 */
	SVC_IPV6_HINT = 6,
	TYPE_META_FIRST = 249, /* TKEY, TSIG, IXFR, AXFR, MAILB, MAILA */
	TYPE_ANY = 255,
	TTL_MAX = 24 * 60 * 60 - 60, /* no binding lives longer, and that minute is its grace */
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint8_t *put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, v >> 16), v & 0xffff);
}

/*
 * The name as people and rules write it, also in UTF-8; one that cannot be written so gets the
 * escapes of RFC 1035 5.1. Returns 0 or -EBADMSG.
 */
static int name_text(struct packet_query *q)
{
	const uint8_t *p = q->question;
	char *to = q->name;

	while (*p) {
		size_t n = *p++;

		if (memchr(p, '.', n) || memchr(p, '\0', n) || memchr(p, '\\', n))
			return ns_name_ntop(q->question, q->name, sizeof(q->name)) < 0 ? -EBADMSG
										       : 0;
		if (to > q->name)
			*to++ = '.';
		to = mempcpy(to, p, n);
		p += n;
	}
	if (to == q->name)
		*to++ = '.';
	*to = '\0';
	return 0;
}

/* The one question; returns 0 or a negative rcode. */
static int read_question(ns_msg *msg, const uint8_t *wire, struct packet_query *q)
{
	ns_rr rr;
	int n;

	if (ns_msg_count(*msg, ns_s_qd) != 1 || ns_parserr(msg, ns_s_qd, 0, &rr))
		return -ns_r_formerr;
	n = ns_name_unpack(wire, ns_msg_end(*msg), wire + NS_HFIXEDSZ, q->question, NS_MAXCDNAME);
	/* A compressed name could only lead to the header. */
	if (n < 0 || memcmp(q->question, wire + NS_HFIXEDSZ, (size_t)n) || name_text(q))
		return -ns_r_formerr;
	q->type = ns_rr_type(rr);
	q->class = ns_rr_class(rr);
	put16(put16(q->question + n, q->type), q->class);
	q->question_len = (size_t)n + NS_QFIXEDSZ;
	return 0;
}

/* What the OPT record says, if there is one. Returns 0 or a negative rcode. */
static int read_edns(ns_msg *msg, struct packet_query *q)
{
	ns_rr rr;

	for (int i = 0; i < ns_msg_count(*msg, ns_s_ar); i++) {
		if (ns_parserr(msg, ns_s_ar, i, &rr))
			return -ns_r_formerr;
		if (ns_rr_type(rr) != ns_t_opt)
			continue;
		if (q->edns)
			return -ns_r_formerr; /* RFC 6891 6.1.1: at most one */
		q->edns = true;
		q->dnssec_ok = ns_rr_ttl(rr) & OPT_DO;
		if ((unsigned)ns_rr_class(rr) > ROOM_MIN)
			q->room = (unsigned)ns_rr_class(rr);
	}
	return 0;
}

int packet_read(const uint8_t *wire, size_t len, struct packet_query *q)
{
	uint16_t flags;
	ns_msg msg;
	int ret;

	memset(q, 0, offsetof(struct packet_query, name));
	q->name[0] = '\0';
	q->question_len = 0;
	q->room = ROOM_MIN;
	if (len < NS_HFIXEDSZ || len > PACKET_MAX)
		return PACKET_SILENCE;
	q->id = get16(wire);
	flags = get16(wire + FLAGS_AT);
	if (flags & FLAG_QR)
		return PACKET_SILENCE;
	q->recursion = flags & FLAG_RD;
	q->checking_disabled = flags & FLAG_CD;
	if (flags >> 11 & 0xf) /* OPCODE: NOTIFY, UPDATE, ... */
		return -ns_r_notimpl;
	if (ns_initparse(wire, (int)len, &msg))
		return -ns_r_formerr;
	ret = read_question(&msg, wire, q);
	if (!ret)
		ret = read_edns(&msg, q);
	if (ret) {
		q->question_len = 0;
		q->edns = false;
		return ret;
	}
	/* Transfers and the like are no questions about a name. */
	if (q->class != ns_c_in || (q->type >= TYPE_META_FIRST && q->type < TYPE_ANY))
		return -ns_r_notimpl;
	return 0;
}

/* The answer's header, of which the section counts are to follow. */
static uint8_t *put_header(const struct packet_query *q, int rcode, uint8_t *out)
{
	unsigned flags = FLAG_QR | FLAG_RA | (unsigned)rcode;

	if (q->recursion)
		flags |= FLAG_RD;
	if (q->checking_disabled)
		flags |= FLAG_CD;
	return put16(put16(out, q->id), flags);
}

static uint8_t *put_opt(bool dnssec_ok, uint8_t *p)
{
	*p++ = 0; /* the root */
	p = put16(put16(p, ns_t_opt), PACKET_UDP);
	p = put32(p, dnssec_ok ? OPT_DO : 0);
	return put16(p, 0);
}

static bool is_asked_for(const struct packet_query *q, struct addr a)
{
	return q->type == (a.family == 4 ? ns_t_a : ns_t_aaaa);
}

/* A record of the name in the question, which begins right behind the header. */
static uint8_t *put_address(const struct packet_query *q, struct addr a, uint32_t ttl, uint8_t *p)
{
	unsigned len = a.family == 4 ? NS_INADDRSZ : NS_IN6ADDRSZ;

	p = put16(p, NS_CMPRSFLGS << 8 | NS_HFIXEDSZ);
	p = put32(put16(put16(p, q->type), ns_c_in), ttl);
	p = put16(p, len);
	memcpy(p, a.bytes, len);
	return p + len;
}

size_t packet_answer(const struct packet_query *q, int rcode, const struct addr *addrs, size_t n,
		     uint32_t ttl, uint8_t *out, size_t room)
{
	uint8_t *p = put_header(q, rcode, out) + 8;
	unsigned answers = 0;

	memcpy(p, q->question, q->question_len);
	p += q->question_len;
	for (size_t i = 0; i < n; i++) {
		if (!is_asked_for(q, addrs[i]))
			continue;
		p = put_address(q, addrs[i], ttl, p);
		answers++;
	}
	if (q->edns)
		p = put_opt(q->dnssec_ok, p);
	put16(put16(put16(put16(out + COUNTS_AT, q->question_len > 0), answers), 0), q->edns);
	return (size_t)(p - out) <= room ? (size_t)(p - out)
					 : packet_adapt(out, (size_t)(p - out), q, room);
}

int packet_make(const char *name, uint16_t type, struct packet_query *q)
{
	const uint8_t *end = q->question;

	memset(q, 0, offsetof(struct packet_query, name));
	q->type = type;
	q->class = ns_c_in;
	q->recursion = q->edns = true;
	if (strlen(name) >= sizeof(q->name) || ns_name_pton(name, q->question, NS_MAXCDNAME) < 0 ||
	    ns_name_skip(&end, q->question + NS_MAXCDNAME))
		return -EINVAL;
	strcpy(q->name, name);
	q->question_len = (size_t)(end - q->question) + NS_QFIXEDSZ;
	put16(put16(q->question + q->question_len - NS_QFIXEDSZ, type), ns_c_in);
	return 0;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

size_t packet_ask(const struct packet_query *q, uint16_t id, uint8_t out[static PACKET_QUERY_MAX])
{
	size_t name_len = q->question_len - NS_QFIXEDSZ;
	uint8_t *p = put16(put16(out, id), FLAG_RD | (q->checking_disabled ? FLAG_CD : 0));

	p = put16(put16(put16(put16(p, 1), 0), 0), 1);
	/* A label's length is no letter. */
	for (size_t i = 0; i < name_len; i++)
		*p++ = lower(q->question[i]);
	p = mempcpy(p, q->question + name_len, NS_QFIXEDSZ);
	return (size_t)(put_opt(q->dnssec_ok, p) - out);
}

/* Give each address among the hints of an SVCB or HTTPS record to `fn`. */
static int walk_hints(struct packet_record *r, const uint8_t *p, const uint8_t *end, packet_fn *fn,
		      void *arg)
{
	while (end - p >= 4) {
		unsigned key = get16(p), len = get16(p + 2);
		unsigned step = key == SVC_IPV4_HINT ? NS_INADDRSZ : NS_IN6ADDRSZ;

		p += 4;
		if (len > (size_t)(end - p))
			return -EBADMSG;
		if (key != SVC_IPV4_HINT && key != SVC_IPV6_HINT) {
			p += len;
			continue;
		}
		if (len % step)
			return -EBADMSG;
		for (; len; len -= step, p += step) {
			int ret;

			r->addr = key == SVC_IPV4_HINT ? addr_from_v4(p) : addr_from_v6(p);
			ret = fn(arg, r);
			if (ret)
				return ret;
		}
	}
	return p == end ? 0 : -EBADMSG;
}

/* A record whose data is, after `skip` bytes, a name. */
static int walk_name(const ns_msg *msg, const ns_rr *rr, size_t skip, struct packet_record *r,
		     packet_fn *fn, void *arg)
{
	const uint8_t *data = ns_rr_rdata(*rr), *end = data + ns_rr_rdlen(*rr);
	char target[NS_MAXDNAME];
	int n, ret;

	if (ns_rr_rdlen(*rr) <= skip)
		return -EBADMSG;
	n = dn_expand(ns_msg_base(*msg), end, data + skip, target, sizeof(target));
	if (n < 0 || (size_t)n > (size_t)(end - data) - skip)
		return -EBADMSG;
	r->target = target;
	ret = fn(arg, r);
	if (!ret && skip)
		ret = walk_hints(r, data + skip + n, end, fn, arg);
	return ret;
}

static int walk_record(const ns_msg *msg, const ns_rr *rr, packet_fn *fn, void *arg)
{
	struct packet_record r = {
		.owner = ns_rr_name(*rr),
		.type = ns_rr_type(*rr),
		.ttl = ns_rr_ttl(*rr),
	};

	if (ns_rr_class(*rr) != ns_c_in)
		return 0;
	switch (r.type) {
	case ns_t_a:
		if (ns_rr_rdlen(*rr) != NS_INADDRSZ)
			return -EBADMSG;
		r.addr = addr_from_v4(ns_rr_rdata(*rr));
		return fn(arg, &r);
	case ns_t_aaaa:
		if (ns_rr_rdlen(*rr) != NS_IN6ADDRSZ)
			return -EBADMSG;
		r.addr = addr_from_v6(ns_rr_rdata(*rr));
		return fn(arg, &r);
	case ns_t_cname:
	case ns_t_dname:
		return walk_name(msg, rr, 0, &r, fn, arg);
	case PACKET_TYPE_SVCB:
	case PACKET_TYPE_HTTPS:
		return walk_name(msg, rr, 2, &r, fn, arg);
	default:
		return 0;
	}
}

int packet_walk(const uint8_t *wire, size_t len, packet_fn *fn, void *arg)
{
	static const ns_sect sections[] = { ns_s_an, ns_s_ns, ns_s_ar };
	ns_msg msg;
	ns_rr rr;

	if (len < NS_HFIXEDSZ || len > PACKET_MAX || ns_initparse(wire, (int)len, &msg))
		return -EBADMSG;
	for (size_t s = 0; s < sizeof(sections) / sizeof(sections[0]); s++) {
		for (int i = 0; i < ns_msg_count(msg, sections[s]); i++) {
			int ret = ns_parserr(&msg, sections[s], i, &rr) ? -EBADMSG : 0;

			/* What stands in the authority section is about name servers. */
			if (!ret && sections[s] != ns_s_ns)
				ret = walk_record(&msg, &rr, fn, arg);
			if (ret)
				return ret;
		}
	}
	return 0;
}

int packet_rcode(const uint8_t *wire)
{
	return wire[3] & 0xf;
}

/* Whether the message asks *q's question, but for the case of letters. */
static bool is_same_question(const uint8_t *wire, size_t len, const struct packet_query *q)
{
	size_t name_len = q->question_len - NS_QFIXEDSZ;
	const uint8_t *asked = wire + NS_HFIXEDSZ;

	if (len < NS_HFIXEDSZ + q->question_len || get16(wire + COUNTS_AT) != 1)
		return false;
	for (size_t i = 0; i < name_len; i++)
		if (lower(asked[i]) != lower(q->question[i]))
			return false;
	return !memcmp(asked + name_len, q->question + name_len, NS_QFIXEDSZ);
}

/* Where the i-th record of the additional section begins, in a message that has been parsed. */
static size_t additional_at(ns_msg *msg, int i)
{
	const uint8_t *p = ns_msg_base(*msg) + NS_HFIXEDSZ, *end = ns_msg_end(*msg);

	for (int s = ns_s_qd; s < ns_s_ar; s++)
		p += ns_skiprr(p, end, s, ns_msg_count(*msg, s));
	return (size_t)(p + ns_skiprr(p, end, ns_s_ar, i) - ns_msg_base(*msg));
}

/*
 * Cut off the OPT record, and what stands behind it, which nothing needs: as a rule nothing does.
 * Returns the new length, or 0 when the message is malformed.
 */
static size_t cut_opt(uint8_t *wire, size_t len)
{
	ns_msg msg;
	ns_rr rr;

	if (ns_initparse(wire, (int)len, &msg))
		return 0;
	for (int i = 0; i < ns_msg_count(msg, ns_s_ar); i++) {
		if (ns_parserr(&msg, ns_s_ar, i, &rr))
			return 0;
		if (ns_rr_type(rr) == ns_t_opt) {
			put16(wire + ADDITIONAL_AT, (unsigned)i);
			return additional_at(&msg, i);
		}
	}
	return len;
}

/* Nobody may keep an answer for longer than what was learned from it. Returns 0 or -EBADMSG. */
static int cap_ttls(uint8_t *wire, size_t len)
{
	ns_msg msg;
	ns_rr rr;

	if (ns_initparse(wire, (int)len, &msg))
		return -EBADMSG;
	for (int s = ns_s_an; s < ns_s_max; s++) {
		for (int i = 0; i < ns_msg_count(msg, s); i++) {
			if (ns_parserr(&msg, s, i, &rr))
				return -EBADMSG;
			/* In front of the data are its length and the TTL. */
			if (ns_rr_type(rr) != ns_t_opt && ns_rr_ttl(rr) > TTL_MAX)
				put32(wire + (ns_rr_rdata(rr) - wire) - 6, TTL_MAX);
		}
	}
	return 0;
}

static int ignore(void *arg __attribute__((unused)),
		  const struct packet_record *r __attribute__((unused)))
{
	return 0;
}

size_t packet_adapt(uint8_t *wire, size_t len, const struct packet_query *q, size_t room)
{
	uint8_t *p;

	if (!is_same_question(wire, len, q) || cap_ttls(wire, len))
		return 0;
	put16(wire, q->id);
	memcpy(wire + NS_HFIXEDSZ, q->question, q->question_len);
	if (!q->edns)
		len = cut_opt(wire, len);
	/* A name in it may have pointed at what was changed or cut off. */
	if (packet_walk(wire, len, ignore, NULL))
		return 0;
	if (len <= room)
		return len;
	put16(wire + FLAGS_AT, get16(wire + FLAGS_AT) | FLAG_TC);
	put16(put16(put16(put16(wire + COUNTS_AT, 1), 0), 0), q->edns);
	p = wire + NS_HFIXEDSZ + q->question_len;
	if (q->edns)
		p = put_opt(q->dnssec_ok, p);
	return (size_t)(p - wire);
}

/* SPDX-License-Identifier: MIT */
/*
 * DNS messages: what is read from them, and how an answer is made fit for who asked.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/packet.h"
#include "policy/addr.h"

/* An answer to api.example.test, put together record by record. */
struct answer {
	uint8_t wire[2048];
	size_t len;
};

static void put(struct answer *a, const void *bytes, size_t n)
{
	memcpy(a->wire + a->len, bytes, n);
	a->len += n;
}

static struct answer answer_to(const struct packet_query *q)
{
	struct answer a = { .len = 0 };

	put(&a, "\x12\x34\x81\x80\0\1\0\0\0\0\0\0", 12);
	put(&a, q->question, q->question_len);
	return a;
}

enum { AN = 7, AR = 11 };

/* A record of the name in the question. */
static void record(struct answer *a, int section, unsigned type, uint32_t ttl, const void *data,
		   size_t n)
{
	const uint8_t head[] = { 0xc0,      12,        type >> 8, type, 0,      1,
				 ttl >> 24, ttl >> 16, ttl >> 8,  ttl,  n >> 8, n };

	a->wire[section]++;
	put(a, head, sizeof(head));
	put(a, data, n);
}

static int note(void *arg, const struct packet_record *r)
{
	char *text = arg;
	char addr[ADDR_TEXT_MAX] = "-";

	if (r->addr.family)
		addr_text(r->addr, addr);
	sprintf(text + strlen(text), "%s %u %u %s %s\n", r->owner, r->type, r->ttl,
		r->target ? r->target : "-", addr);
	return 0;
}

static struct packet_query ask(uint16_t type)
{
	struct packet_query q;

	cr_assert_eq(packet_make("api.example.test", type, &q), 0);
	return q;
}

Test(packet, records_are_names_and_addresses)
{
	struct packet_query q = ask(ns_t_a);
	struct answer a = answer_to(&q);
	char text[1024] = "";

	record(&a, AN, ns_t_cname, 5, "\3www\xc0\x10", 6);
	record(&a, AN, ns_t_a, 300, "\xc6\x33\x64\1", 4);
	record(&a, AN, ns_t_txt, 1, "\3abc", 4);
	record(&a, AN, ns_t_aaaa, 7, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	cr_assert_eq(packet_walk(a.wire, a.len, note, text), 0);
	cr_expect_str_eq(text, "api.example.test 5 5 www.example.test -\n"
			       "api.example.test 1 300 - 198.51.100.1\n"
			       "api.example.test 28 7 - 2001:db8::1\n");
}

Test(packet, hints_are_addresses)
{
	static const char https[] =
		"\0\1\0"                                           /* priority 1, "." */
		"\0\1\0\3\2h2"                                     /* alpn */
		"\0\4\0\x8\xc6\x33\x64\1\xc6\x33\x64\2"            /* ipv4hint */
		"\0\6\0\x10\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"; /* ipv6hint */
	struct packet_query q = ask(PACKET_TYPE_HTTPS);
	struct answer a = answer_to(&q);
	char text[1024] = "";

	record(&a, AN, PACKET_TYPE_HTTPS, 9, https, sizeof(https) - 1);
	cr_assert_eq(packet_walk(a.wire, a.len, note, text), 0);
	cr_expect_str_eq(text, "api.example.test 65 9  -\n"
			       "api.example.test 65 9  198.51.100.1\n"
			       "api.example.test 65 9  198.51.100.2\n"
			       "api.example.test 65 9  2001:db8::1\n");
	/* A length that does not fit. */
	a.wire[a.len - 17]++;
	cr_expect_eq(packet_walk(a.wire, a.len, note, text), -EBADMSG);
}

Test(packet, an_answer_is_made_fit_for_who_asked)
{
	static const char opt[] = "\0\0\x29\4\xd0\0\0\0\0\0\0";
	struct packet_query q = ask(ns_t_a);
	struct answer a = answer_to(&q), b;
	size_t before;

	record(&a, AN, ns_t_a, 1000000, "\xc6\x33\x64\1", 4);
	before = a.len;
	a.wire[AR]++;
	put(&a, opt, sizeof(opt) - 1);
	q.id = 0xabcd;
	q.question[1] = 'A'; /* the asker's spelling */
	b = a;
	cr_expect_eq(packet_adapt(b.wire, b.len, &q, 512), a.len);
	cr_expect(b.wire[0] == 0xab && b.wire[1] == 0xcd && b.wire[13] == 'A');
	/* At most a day, less the grace. */
	cr_expect_eq(b.wire[before - 10] << 24 | b.wire[before - 9] << 16 |
			     b.wire[before - 8] << 8 | b.wire[before - 7],
		     24 * 60 * 60 - 60);
	/* Without EDNS. */
	q.edns = false;
	b = a;
	cr_expect_eq(packet_adapt(b.wire, b.len, &q, 512), before);
	cr_expect_eq(b.wire[AR], 0);
	/* Too long. */
	b = a;
	cr_expect_eq(packet_adapt(b.wire, b.len, &q, before - 1), 12 + q.question_len);
	cr_expect(b.wire[2] & 2 && b.wire[AN] == 0);
	/* To another question. */
	q.question[1] = 'b';
	cr_expect_eq(packet_adapt(a.wire, a.len, &q, 512), 0);
}

Test(packet, a_name_that_points_into_what_is_cut_off_is_passed_on_to_nobody)
{
	static const char opt[] = "\0\0\x29\4\xd0\0\0\0\0\0\0";
	struct packet_query q = ask(ns_t_a);
	struct answer a = answer_to(&q);
	char text[1024] = "";
	size_t before = a.len;

	record(&a, AN, ns_t_a, 5, "\xc6\x33\x64\1", 4);
	a.wire[before + 1] = a.len; /* the root, the first byte of what follows */
	a.wire[AR]++;
	put(&a, opt, sizeof(opt) - 1);
	cr_assert_eq(packet_walk(a.wire, a.len, note, text), 0);
	cr_expect_str_eq(text, ". 1 5 - 198.51.100.1\n");
	q.edns = false;
	cr_expect_eq(packet_adapt(a.wire, a.len, &q, 512), 0);
}

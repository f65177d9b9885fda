/* SPDX-License-Identifier: MIT */
/*
 * DNS messages of a task and of a name server: the first byte says which.
 *
 *	make SAN=1 build/san/packet_fuzz && build/san/packet_fuzz -max_total_time=60
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/packet.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "not so: %s\n", #condition);                               \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int look_at(void *arg, const struct packet_record *r)
{
	CHECK(strlen(r->owner) < NS_MAXDNAME);
	CHECK(!r->target || strlen(r->target) < NS_MAXDNAME);
	CHECK(r->addr.family == 0 || r->addr.family == 4 || r->addr.family == 6);
	++*(size_t *)arg;
	return 0;
}

/* What is understood of a query can be answered and asked, and reads back as the same question. */
static void query(const uint8_t *data, size_t size)
{
	static const struct addr nowhere[] = { { .family = 4 }, { .family = 6 } };
	uint8_t answer[PACKET_QUERY_MAX + 2 * 28], asked[PACKET_QUERY_MAX];
	struct packet_query q, again;
	int ret = packet_read(data, size, &q);
	size_t len;

	if (ret == PACKET_SILENCE)
		return;
	len = packet_answer(&q, ret ? -ret : 0, nowhere, 2, 0, answer, q.room);
	CHECK(len >= 12 && len <= sizeof(answer) && len <= q.room);
	CHECK(answer[0] == data[0] && answer[1] == data[1]);
	if (ret)
		return;
	len = packet_ask(&q, 0x1234, asked);
	CHECK(len <= sizeof(asked));
	CHECK(packet_read(asked, len, &again) == 0);
	CHECK(again.type == q.type && again.question_len == q.question_len && again.edns);
}

static void answer(const uint8_t *data, size_t size)
{
	uint8_t *wire = malloc(size + 1);
	struct packet_query q;
	size_t records = 0, len;

	memcpy(wire, data, size);
	CHECK(packet_make("api.example.test", ns_t_a, &q) == 0);
	q.edns = size & 1;
	if (packet_walk(wire, size, look_at, &records) == 0) {
		len = packet_adapt(wire, size, &q, 512);
		CHECK(len <= size + 11 && len <= 512);
		/* What is passed on is still a message. */
		if (len)
			CHECK(packet_walk(wire, len, look_at, &records) == 0);
	}
	free(wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t copy[4096];

	if (!size || size > sizeof(copy))
		return 0;
	if (data[0] & 1) {
		query(data + 1, size - 1);
		return 0;
	}
	/* Most of what is random asks another question: give half of it the right one. */
	if ((data[0] & 2) && size > 46) {
		struct packet_query q;

		packet_make("api.example.test", ns_t_a, &q);
		memcpy(copy, data, size);
		copy[5] = 0;
		copy[6] = 1;
		memcpy(copy + 13, q.question, q.question_len);
		answer(copy + 1, size - 1);
		return 0;
	}
	answer(data + 1, size - 1);
	return 0;
}

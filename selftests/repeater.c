/* SPDX-License-Identifier: MIT */
/*
 * The same send again and again, and then one that differs in one thing: what
 * is remembered of the ones before must not show. Scenarios for send_test.
 */
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "selftests/lib/wire.h"

/* ---- sendmmsg(2) --------------------------------------------------------- */

enum { SERIES = 8, SERIES_TURNS = 9 };

/* What a thread sends again and again, and all that can change about it; pages of their own. */
struct series {
	struct wire w, other;
	struct mmsghdr *messages;
	struct series_place {
		union name names[SERIES];
		struct iovec vectors[SERIES];
		char bytes[SERIES][16];
	} * place, *elsewhere;
	unsigned count;
};

static void *own_page(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		err(SCENARIO_BROKEN, "mmap");
	return page;
}

static void series_protect(struct series *s, int place, int messages)
{
	MUST(mprotect(s->place, 4096, place));
	MUST(mprotect(s->messages, 4096, messages));
}

/* Everything in its usual place, with the text of this turn. */
static void series_set(struct series *s, int turn)
{
	series_protect(s, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE);
	for (int i = 0; i < SERIES; i++) {
		struct series_place *p = s->place;

		p->names[i] = s->elsewhere->names[i] = s->w.to;
		memset(p->bytes[i], 'a' + turn, sizeof(p->bytes[i]));
		memset(s->elsewhere->bytes[i], 'A' + turn, sizeof(p->bytes[i]));
		p->vectors[i] = (struct iovec){ p->bytes[i], 8 };
		s->elsewhere->vectors[i] = (struct iovec){ s->elsewhere->bytes[i], 9 };
		s->messages[i].msg_hdr = (struct msghdr){ .msg_name = &p->names[i],
							  .msg_namelen = s->w.len,
							  .msg_iov = &p->vectors[i],
							  .msg_iovlen = 1 };
	}
	s->count = SERIES;
}

static void other_bytes(struct series *s)
{
	memset(s->place->bytes[5], '!', sizeof(s->place->bytes[5]));
}
static void other_receiver(struct series *s)
{
	s->place->names[5] = s->other.to;
}
static void names_elsewhere(struct series *s)
{
	for (int i = 0; i < SERIES; i++)
		s->messages[i].msg_hdr.msg_name = &s->elsewhere->names[i];
}
static void one_name_elsewhere(struct series *s)
{
	s->elsewhere->names[5] = s->other.to;
	s->messages[5].msg_hdr.msg_name = &s->elsewhere->names[5];
}
static void bytes_elsewhere(struct series *s)
{
	for (int i = 0; i < SERIES; i++)
		s->place->vectors[i].iov_base = s->elsewhere->bytes[i];
}
static void one_elsewhere(struct series *s)
{
	s->place->vectors[5].iov_base = s->elsewhere->bytes[5];
}
static void vectors_elsewhere(struct series *s)
{
	for (int i = 0; i < SERIES; i++)
		s->messages[i].msg_hdr.msg_iov = &s->elsewhere->vectors[i];
}
static void all_elsewhere(struct series *s)
{
	names_elsewhere(s);
	vectors_elsewhere(s);
	series_protect(s, PROT_NONE, PROT_READ | PROT_WRITE);
}
static void last_longer(struct series *s)
{
	s->place->vectors[SERIES - 1].iov_len = 16;
}
static void shorter_ones(struct series *s)
{
	for (int i = 0; i < SERIES; i++)
		s->place->vectors[i].iov_len = i;
}
static void one_fewer(struct series *s)
{
	s->count = SERIES - 1;
}
static void lengths_reset(struct series *s)
{
	for (int i = 0; i < SERIES; i++)
		s->messages[i].msg_len = 77777;
}
static void one_length_reset(struct series *s)
{
	s->messages[SERIES - 1].msg_len = 77777;
}
/* Of one: native calls send the first, those of sandtop all, before they find it out. */
static void length_read_only(struct series *s)
{
	lengths_reset(s);
	s->count = 1;
	series_protect(s, PROT_READ | PROT_WRITE, PROT_READ);
}
static void place_lost(struct series *s)
{
	series_protect(s, PROT_NONE, PROT_READ | PROT_WRITE);
}
static void headers_lost(struct series *s)
{
	series_protect(s, PROT_READ | PROT_WRITE, PROT_NONE);
}

static void series_send(struct series *s, const char *what)
{
	int lengths = 0;

	say(syscall(SYS_sendmmsg, s->w.out, s->messages, s->count, 0), "%s", what);
	MUST(mprotect(s->messages, 4096, PROT_READ | PROT_WRITE));
	for (int i = 0; i < SERIES; i++)
		lengths += s->messages[i].msg_len;
	tell("lengths %d", lengths);
	wire_drain(&s->w);
	wire_drain(&s->other);
}

static struct series series_new(const struct wire_family *f)
{
	return (struct series){
		.w = wire_open(f, 0),
		.other = wire_open(f, 0),
		.messages = own_page(),
		.place = own_page(),
		.elsewhere = own_page(),
	};
}

/* After calls that were the same, one differs, and then they are the same again. */
static void run_series(char **args)
{
	static const struct {
		const char *what;
		void (*change)(struct series *s);
	} changes[] = {
		{ "other bytes", other_bytes },
		{ "other receiver", other_receiver },
		{ "names elsewhere", names_elsewhere },
		{ "one name elsewhere", one_name_elsewhere },
		{ "bytes elsewhere", bytes_elsewhere },
		{ "one elsewhere", one_elsewhere },
		{ "vectors elsewhere", vectors_elsewhere },
		{ "all elsewhere", all_elsewhere },
		{ "last longer", last_longer },
		{ "shorter", shorter_ones },
		{ "one fewer", one_fewer },
		{ "lengths reset", lengths_reset },
		{ "one length reset", one_length_reset },
		{ "length read-only", length_read_only },
		{ "place lost", place_lost },
		{ "headers lost", headers_lost },
	};
	struct series s = series_new(wire_families);

	(void)args;
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++)
		for (int turn = 0; turn < SERIES_TURNS; turn++) {
			series_set(&s, turn);
			/* Once, and then twice. */
			if (turn == 3 || turn == 6 || turn == 7)
				changes[i].change(&s);
			series_send(&s, changes[i].what);
		}
}

/* denied_later ADDRESS PORT: after calls that went, one message goes there. */
static void run_denied_later(char **args)
{
	struct series s = series_new(&(struct wire_family){ "", "127.0.0.2", "127.0.0.2" });

	for (int turn = 0; turn < 4; turn++) {
		series_set(&s, turn);
		if (turn == 3)
			name_set(&s.place->names[5], args[0], atoi(args[1]));
		say(sendmmsg(s.w.out, s.messages, SERIES, 0), "sendmmsg");
	}
}

/* ---- sendmsg(2) ---------------------------------------------------------- */

/* A message that a thread sends again and again, and all that can change about it. */
struct routine {
	struct wire w;
	struct msghdr m;
	struct iovec *v; /* a page of their own */
	char bytes[64], others[64];
	char *end; /* behind it nothing can be read */
};

static void protect_vectors(struct routine *r, int how)
{
	MUST(mprotect(r->v, 4096, how));
}

static void set_routine(struct routine *r)
{
	protect_vectors(r, PROT_READ | PROT_WRITE);
	r->v[0] = (struct iovec){ r->bytes, 10 };
	r->v[1] = (struct iovec){ r->bytes + 10, 16 };
	r->m = (struct msghdr){
		.msg_name = &r->w.to, .msg_namelen = r->w.len, .msg_iov = r->v, .msg_iovlen = 2
	};
}

static void other_payload(struct routine *r)
{
	memcpy(r->bytes, r->others, sizeof(r->bytes));
}
static void other_place(struct routine *r)
{
	r->v[0].iov_base = r->others;
}
static void last_place(struct routine *r)
{
	r->v[1].iov_base = r->others;
}
static void shorter(struct routine *r)
{
	r->v[1].iov_len = 5;
}
static void longer(struct routine *r)
{
	r->v[1].iov_len = 20;
}
static void shorter_first(struct routine *r)
{
	r->v[0].iov_len = 5;
}
static void one_less(struct routine *r)
{
	r->m.msg_iovlen = 1;
}
static void one_more(struct routine *r)
{
	r->v[2] = (struct iovec){ r->others, 3 };
	r->m.msg_iovlen = 3;
}
static void none(struct routine *r)
{
	r->m.msg_iovlen = 0;
}
static void many(struct routine *r)
{
	r->m.msg_iovlen = 1025;
}
static void no_name(struct routine *r)
{
	r->m.msg_name = NULL;
}
static void long_name(struct routine *r)
{
	r->m.msg_namelen = 4096;
}
static void short_name(struct routine *r)
{
	r->m.msg_namelen = 3;
}
static void bad_name(struct routine *r)
{
	r->m.msg_name = r->end - 3;
}
static void bad_vectors(struct routine *r)
{
	r->m.msg_iov = (void *)(r->end - 24);
}
static void lost_vectors(struct routine *r)
{
	protect_vectors(r, PROT_NONE);
}

static void bad_payload(struct routine *r)
{
	r->v[1].iov_base = r->end - 4;
}
static void negative(struct routine *r)
{
	r->v[1].iov_len = SIZE_MAX;
}

/* After messages that were the same, one differs, and then they are the same again. */
static void run_routine(char **args)
{
	static const struct {
		const char *what;
		void (*change)(struct routine *r);
	} changes[] = {
		{ "other payload", other_payload },
		{ "other place", other_place },
		{ "last place", last_place },
		{ "shorter", shorter },
		{ "longer", longer },
		{ "shorter first", shorter_first },
		{ "one less", one_less },
		{ "one more", one_more },
		{ "none", none },
		{ "many", many },
		{ "no name", no_name },
		{ "long name", long_name },
		{ "short name", short_name },
		{ "bad name", bad_name },
		{ "bad vectors", bad_vectors },
		{ "lost vectors", lost_vectors },
		{ "bad payload", bad_payload },
		{ "negative", negative },
	};
	struct routine r = {
		.w = wire_open(wire_families, 0),
		.v = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		.end = fence(4096),
	};

	(void)args;
	if (r.v == MAP_FAILED)
		err(1, "mmap");
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++)
		for (int turn = 0; turn < 9; turn++) {
			memset(r.bytes, 'a' + turn, sizeof(r.bytes));
			memset(r.others, 'A' + turn, sizeof(r.others));
			set_routine(&r);
			/* Once, and then twice. */
			if (turn == 3 || turn == 6 || turn == 7)
				changes[i].change(&r);
			say(syscall(SYS_sendmsg, r.w.out, &r.m, 0), "%s", changes[i].what);
			wire_drain(&r.w);
		}
}

int main(int argc, char **argv)
{
	static const struct scenario scenarios[] = {
		{ "series", run_series },
		{ "denied_later", run_denied_later },
		{ "routine", run_routine },
		{ 0 },
	};

	return scenario_main(argc, argv, scenarios);
}

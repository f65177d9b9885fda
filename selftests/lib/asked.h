/* SPDX-License-Identifier: MIT */
/*
 * A sandbox that asks, named "asked": its command is a Python program that
 * waits at a gate until the operator is there. Failures are the test's.
 */
#ifndef SANDTOP_SELFTESTS_LIB_ASKED_H
#define SANDTOP_SELFTESTS_LIB_ASKED_H

#include "selftests/lib/driven.h"
#include "selftests/lib/server.h"

enum { ASKED_PORT = 9000 };

struct asked {
	struct sandbox s;
	struct server *server; /* tcp, at every address and ASKED_PORT */
	int input[2];          /* the command's stdin */
	int control;           /* the operator, or -1 */
};

/* In the test's namespace. A zeroed one may be freed as well. */
void asked_init(struct asked *a);
void asked_free(struct asked *a);

/*
 * Start "sandtop -b --name asked -q OPTIONS -- python3 -c TEXT WHAT COUNT", and be there to answer.
 * TEXT goes on with each asked_go().
 */
void asked_start(struct asked *a, const char *const options[], const char *text, const char *what,
		 const char *count);

/* A line to the command. */
void asked_go(struct asked *a);

/* Send a request, and return its reply, or NULL at the end. */
json_t *asked_request(struct asked *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same for a request that must be granted: the member `key` of its reply, a number or -1. */
long asked_do(struct asked *a, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for one that must be refused: why. Valid until the next call. */
const char *asked_refusal(struct asked *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What is held, as `sandtop ctl held` prints it: up to 10 s are given for `count` questions. */
const char *asked_held(struct asked *a, int count);

/* Wait until the question of that number is the only one. */
void asked_question(struct asked *a, unsigned long id);

/* Wait until so many are held, without a look at what they are. */
void asked_await(struct asked *a, int count);

void asked_answer(struct asked *a, unsigned long id, const char *verdict, const char *lifetime);

/* Wait until the command has written that. */
void asked_says(struct asked *a, const char *text);

/* Let the command end by itself, and read its log. */
void asked_finish(struct asked *a);

/* How many decisions have this verdict and reason. */
int asked_decisions(const struct asked *a, const char *verdict, const char *rule);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * For the programs that tests run inside the sandbox: named scenarios that write
 * a transcript on stdout, a line for each call. Run without sandtop and under it,
 * a scenario must tell the same story (lib/twin.h).
 */
#ifndef SANDTOP_SELFTESTS_LIB_SCENARIO_H
#define SANDTOP_SELFTESTS_LIB_SCENARIO_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

enum { SCENARIO_BROKEN = 2, SCENARIO_PATIENCE = 8000 /* ms */ };

struct scenario {
	const char *name;
	void (*run)(char **args); /* what follows the name, NULL at the end */
};

/* Run the scenario that argv[1] names; the table ends with a NULL name. Returns the exit status. */
int scenario_main(int argc, char **argv, const struct scenario *table);

/* "WORDS 5", or "WORDS EAGAIN" after errno when the result is negative. Keeps errno. */
void say(long result, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A line of words alone. */
void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line that differs from run to run, and is not compared: "# WORDS". */
void figure(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What the scenario itself rests on: the result, or the end with SCENARIO_BROKEN. */
#define MUST(call) must(call, #call)
long must(long result, const char *what);

union name {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
	struct sockaddr_storage room;
};

/* The IPv4 or IPv6 address `text` with a port. Returns its length. */
socklen_t name_set(union name *n, const char *text, uint16_t port);

/*
 * A socket of `type` bound to a free port of the address `text`, listening if it
 * can; *n and *len become its name.
 */
int open_receiver(int type, const char *text, union name *n, socklen_t *len);

/* Two connected TCP sockets: fds[0] made the connection to an address `text` of this machine. */
void open_connection(const char *text, int fds[2]);

/* Wait for poll(2) `events`. Returns 0, or -1 with ETIMEDOUT after SCENARIO_PATIENCE. */
int await(int fd, short events);

/* Wait until the thread sleeps in the system call `nr`. Returns 0, or -1 with ETIMEDOUT or ESRCH.
 */
int await_blocked(pid_t tid, long nr);

/* The end of `size` bytes of memory: what follows cannot be touched. */
char *fence(size_t size);

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t now_ns(void);

/* FNV-1a over `size` bytes, going on from `digest`; DIGEST_SEED begins. */
#define DIGEST_SEED 0xcbf29ce484222325U
uint64_t digest(uint64_t digest, const void *bytes, size_t size);

/* Bytes that repeat nowhere near: their values depend on where they are. */
void fill(void *bytes, size_t size, uint64_t seed);

#endif

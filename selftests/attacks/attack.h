/* SPDX-License-Identifier: MIT */
/*
 * The attacker: a program that does whatever it can to reach a listener that its
 * policy closes, or to bring down who keeps it from that. What each attack is
 * held to, and where it comes from, is a row of table.h.
 *
 *	attacker NAME ALLOWED FORBIDDEN VICTIM [ARGUMENT...]
 *
 * Both ports have a TCP and a UDP listener on every address of the machine; the
 * policy, if there is one, opens the first, and HOLE_PORT of ground.h. VICTIM is a process outside
 *the sandbox with the attacker's user. After the attack the attacker connects to the allowed port
 *and prints "done": who was watching it lives and still serves.
 */
#ifndef SANDTOP_SELFTESTS_ATTACKS_ATTACK_H
#define SANDTOP_SELFTESTS_ATTACKS_ATTACK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "selftests/attacks/ground.h"
#include "selftests/lib/scenario.h"

enum {
	REACH_MS = 300,         /* a listener of this machine answers far sooner */
	ATTACK_PATIENCE = 3000, /* ms */
};

extern uint16_t allowed, forbidden; /* ports */
extern pid_t victim;

/* One table a file, each ending with a NULL name. */
extern const struct scenario race_attacks[], door_attacks[], raw_attacks[], address_attacks[],
	authority_attacks[], process_attacks[], stall_attacks[], other_attacks[], twin_attacks[];

/* The attack had its effect, which no listener can notice; `format` says which. */
void won(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * This kernel, or this user on it, lacks what the attack goes through, whoever
 * watches: say why and end. Not to be said of what sandtop refuses: the control
 * run would have had it.
 */
void absent(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* A new socket, or -1. */
int new_socket(int domain, int type, int protocol);

/* The address `text` with the forbidden port. Returns its length. */
socklen_t forbidden_at(union name *n, const char *text);
socklen_t allowed_at(union name *n, const char *text);

/* Connect without waiting longer than REACH_MS, then send a byte. Whatever fails, fails. */
void reach_by_connect(int fd, const void *address, socklen_t len);

/* A byte to that address, by sendto(2), sendmsg(2) and sendmmsg(2) with these flags. */
void reach_by_sends(int fd, const void *address, socklen_t len, int flags);

/* All of these, from new TCP and UDP sockets of the address's family. */
void reach_by_all(const void *address, socklen_t len);

/* Run `attack` in a child, which may die of it. Returns the wait status. */
int in_child(void (*attack)(void *arg), void *arg);

/*
 * Races. While `step` runs again and again in a thread of its own, `shot` is
 * called until the time is over: RACE_MS of the environment in milliseconds, or
 * RACE_MS_DEFAULT. How often is printed.
 */
enum { RACE_MS_DEFAULT = 150 };
void race(void (*step)(unsigned turn), void (*shot)(unsigned turn));

#endif

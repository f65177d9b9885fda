/* SPDX-License-Identifier: MIT */
/*
 * A program that makes decisions for the ledger's tests:
 *
 *	scribe PORT PORTS COUNT	COUNT datagrams to 127.0.0.1, to PORTS ports from PORT on in
 *				turn, and from time to time another name, of any bytes
 *
 * It says who its supervisor is, and waits for SIGUSR1 before it begins and
 * before it ends.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "selftests/lib/scenario.h"

enum { SENDS_PER_NAME = 100 };

static void wait_for_signal(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigwait(&set, &sig);
}

/* Bytes of all kinds: controls, halves of characters, quotation marks. */
static void change_name(unsigned n)
{
	char name[16];

	for (size_t i = 0; i < sizeof(name) - 1; i++)
		name[i] = (char)(1 + (n * 37 + i * 53) % 255);
	name[sizeof(name) - 1] = '\0';
	prctl(PR_SET_NAME, name);
}

int main(int argc, char **argv)
{
	unsigned port, ports, count, refused = 0, sent = 0, strange = 0;
	union name to;
	socklen_t len;
	sigset_t set;
	int fd;

	if (argc != 4)
		return SCENARIO_BROKEN;
	port = (unsigned)atoi(argv[1]);
	ports = (unsigned)atoi(argv[2]);
	count = (unsigned)atoi(argv[3]);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	printf("supervisor %d\ncommand %d\nready\n", getppid(), getpid());
	fflush(stdout);
	wait_for_signal();
	for (unsigned i = 0; i < count; i++) {
		if (i % SENDS_PER_NAME == 0)
			change_name(i / SENDS_PER_NAME);
		len = name_set(&to, "127.0.0.1", (uint16_t)(port + i % ports));
		if (sendto(fd, "x", 1, 0, &to.any, len) == 1)
			sent++;
		else if (errno == ECONNREFUSED)
			refused++;
		else
			strange++;
	}
	printf("sent %u\nrefused %u\nstrange %u\ndone\n", sent, refused, strange);
	fflush(stdout);
	wait_for_signal();
	return 0;
}

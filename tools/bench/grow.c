/* SPDX-License-Identifier: MIT */
#include "tools/bench/grow.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tools/bench/call.h"

/*
 * Tables of a fixed size become resident as they are first used: that is no growth. The largest are
 * the two of streams (core/outbound.h), which 98 304 requests each fill in turn.
 */
enum { WARM_UP = 250000 };

/* What this process's parent holds; readable by all, even of a process that is not dumpable. */
double grow_parent_memory(void)
{
	char path[64], line[256];
	double kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", getppid());
	f = fopen(path, "re");
	if (!f)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "VmRSS: %lf kB", &kib) == 1)
			break;
	fclose(f);
	if (kib < 0)
		errx(1, "%s: no VmRSS", path);
	return kib;
}

static double count_descriptors(void)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd", getppid());
	call_check(stat(path, &st), path);
	/* Linux 6.2, proc_fd_getattr() in fs/proc/fd.c; before, 0. */
	if (!st.st_size)
		errx(1, "%s: this kernel does not count them", path);
	return (double)st.st_size;
}

/* The duplicate of the last request may be closed after the answer: the fewest of some looks. */
static double parent_descriptors(void)
{
	static const struct timespec pause = { .tv_nsec = 1000000 };
	double fewest = count_descriptors();

	for (int i = 0; i < 20; i++) {
		double now;

		nanosleep(&pause, NULL);
		now = count_descriptors();
		if (now < fewest)
			fewest = now;
	}
	return fewest;
}

struct requests {
	struct sockaddr_in tcp, udp, denied;
	int listener, receiver, sender, refused;
};

static void open_requests(struct requests *r)
{
	r->listener = call_bound(SOCK_STREAM, &r->tcp);
	call_check(listen(r->listener, 1), "listen");
	r->receiver = call_bound(SOCK_DGRAM, &r->udp);
	r->sender = call_socket(SOCK_DGRAM);
	r->refused = call_tcp_socket();
	r->denied = r->tcp;
	r->denied.sin_addr.s_addr = htonl(CALL_DENIED);
}

/* `n` requests: a datagram, a denied connect, and an allowed one, in turn. */
static void make_requests(struct requests *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (i % 3 == 0) {
			call_datagram(r->sender, &r->udp);
		} else if (i % 3 == 1) {
			if (call_connect(r->refused, &r->denied) != -1 || errno != ECONNREFUSED)
				errx(1, "connect to 127.0.0.2: not refused");
		} else {
			int fd = call_tcp_socket();

			call_check(call_connect(fd, &r->tcp), "connect");
			close(fd);
			call_drop_one(r->listener);
		}
	}
}

static double growth(unsigned count, double (*measure)(void))
{
	struct requests r;
	double before;

	open_requests(&r);
	make_requests(&r, WARM_UP);
	before = measure();
	make_requests(&r, count);
	return measure() - before;
}

void grow_memory(const struct row *row, unsigned count, struct sample *out)
{
	(void)row;
	out->value = growth(count, grow_parent_memory);
}

void grow_descriptors(const struct row *row, unsigned count, struct sample *out)
{
	(void)row;
	out->value = growth(count, parent_descriptors);
}

int grow_soak(unsigned seconds)
{
	enum { LOT = 3000 };
	double end = sample_now() + 1e9 * seconds;
	double next = 0, memory, descriptors;
	unsigned long requests = 0, begun;
	struct requests r;

	open_requests(&r);
	for (; requests < WARM_UP && sample_now() < end; requests += LOT)
		make_requests(&r, LOT);
	begun = requests;
	memory = grow_parent_memory();
	descriptors = parent_descriptors();
	for (; sample_now() < end; requests += LOT) {
		make_requests(&r, LOT);
		if (sample_now() < next)
			continue;
		next = sample_now() + 10e9;
		printf("%lu requests, %.0f KiB, %.0f descriptors\n", requests, grow_parent_memory(),
		       parent_descriptors());
		fflush(stdout);
	}
	printf("answered %lu\ngrowth after %lu: %+.0f KiB, %+.0f descriptors\n", requests, begun,
	       grow_parent_memory() - memory, parent_descriptors() - descriptors);
	return grow_parent_memory() > memory || parent_descriptors() > descriptors;
}

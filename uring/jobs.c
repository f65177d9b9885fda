/* SPDX-License-Identifier: MIT */
#include "uring/jobs.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/thread.h"

static void *run(void *arg)
{
	struct jobs *j = arg;
	struct job *job = j->first; /* it stays the first until it is done */
	uint64_t one = 1;

	/* The loop takes on the tasks' working directories and file modes (core/local.c). */
	if (unshare(CLONE_FS))
		job->error = -errno;
	else
		job->work(job);
	(void)!write(j->wake, &one, sizeof(one));
	return NULL;
}

static int start(struct jobs *j)
{
	int ret = thread_start(NULL, run, j);

	j->running = ret == 0;
	return ret;
}

static struct job *take_first(struct jobs *j)
{
	struct job *job = j->first;

	j->first = job->next;
	job->next = NULL;
	j->n--;
	j->running = false;
	return job;
}

static void start_next(struct jobs *j)
{
	while (j->first && !j->running) {
		int ret = start(j);
		struct job *job;

		if (!ret)
			return;
		job = take_first(j);
		job->error = ret;
		job->done(job);
	}
}

static void finished(struct event *ev, int res)
{
	struct jobs *j = (struct jobs *)((char *)ev - offsetof(struct jobs, event));
	struct job *job;
	uint64_t count;

	(void)res;
	if (read(j->wake, &count, sizeof(count)) != sizeof(count))
		return;
	job = take_first(j);
	job->done(job);
	start_next(j);
}

int jobs_init(struct jobs *j, struct loop *loop)
{
	*j = (struct jobs){ .loop = loop, .event = { .fn = finished } };
	j->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (j->wake < 0)
		return -errno;
	return loop_watch(loop, &j->event, j->wake, POLLIN);
}

bool jobs_exit(struct jobs *j)
{
	if (j->running)
		return false;
	close(j->wake);
	return true;
}

int jobs_add(struct jobs *j, struct job *job)
{
	if (j->n == JOBS_MAX)
		return -EBUSY;
	job->next = NULL;
	job->error = 0;
	if (j->first)
		j->last->next = job;
	else
		j->first = job;
	j->last = job;
	j->n++;
	start_next(j);
	return 0;
}

void jobs_go_on(struct jobs *j, struct job *job)
{
	job->next = j->first;
	j->first = job;
	if (!job->next)
		j->last = job;
	j->n++;
}

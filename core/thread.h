/* SPDX-License-Identifier: MIT */
/*
 * Threads beside the loop.
 */
#ifndef SANDTOP_CORE_THREAD_H
#define SANDTOP_CORE_THREAD_H

#include <pthread.h>

/*
 * Start a thread that gets no signals: they are the loop's, and one that interrupts a thread would
 * not end what the loop is stuck in. With `thread` NULL nobody waits for its end, else it is to be
 * joined. Returns 0 or -errno of pthread_create(3): -EAGAIN.
 */
int thread_start(pthread_t *thread, void *(*work)(void *arg), void *arg);

#endif

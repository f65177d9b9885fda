/* SPDX-License-Identifier: MIT */
/*
 * The BPF programs that seccomp(2) takes. They are the same in every run, so
 * they are made when sandtop is built: with the memory that libseccomp needs,
 * which two forks would copy, it took a fifth of a start.
 */
#ifndef SANDTOP_CORE_FILTER_H
#define SANDTOP_CORE_FILTER_H

#include <linux/filter.h>

#include "core/plan.h"

/*
 * The command's. It never kills for a call by the native entry; one by another architecture's
 * entry (i386, x32) kills the process. The instructions are constant, whatever the type says.
 */
struct sock_fprog filter_of(enum plan_mode mode);

/*
 * Confine this thread, and those that it starts, to own_calls.h for good: all else is ENOSYS.
 * Returns 0 or -errno.
 */
int filter_confine_supervisor(void);

#endif

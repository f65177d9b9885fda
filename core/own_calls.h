/* SPDX-License-Identifier: MIT */
/*
 * The system calls that the supervisor itself makes once the command runs. All
 * others are no part of its kernel (ENOSYS), so that whoever took it over by
 * what it reads from tasks could start no program, trace no process of others,
 * and change no mount, namespace or module.
 */
#ifndef SANDTOP_CORE_OWN_CALLS_H
#define SANDTOP_CORE_OWN_CALLS_H

#include <stddef.h>
#include <stdint.h>

struct own_call {
	int nr;
	/* Only when, under the mask, the first argument is the value; a mask of 0 is any. */
	uint64_t mask, value;
};

extern const struct own_call own_calls[];
extern const size_t n_own_calls;

#endif

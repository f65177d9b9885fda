/* SPDX-License-Identifier: MIT */
/*
 * Arrays that grow by doubling.
 */
#ifndef SANDTOP_POLICY_ARRAY_H
#define SANDTOP_POLICY_ARRAY_H

#include <stdlib.h>

/*
 * Room for one more element of `size` bytes behind the `n` elements of `array`, which was grown by
 * this function alone. The capacity needs no variable: it is always the power of two at or above n.
 * Returns the array, moved or not, or NULL for want of memory; `array` is then untouched.
 */
static inline void *array_room(void *array, size_t n, size_t size)
{
	if (n & (n - 1))
		return array;
	return reallocarray(array, n ? 2 * n : 1, size);
}

#endif

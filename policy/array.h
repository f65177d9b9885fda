/* SPDX-License-Identifier: MIT */
/*
 * Arrays that grow by doubling.
 */
#ifndef SANDTOP_POLICY_ARRAY_H
#define SANDTOP_POLICY_ARRAY_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* Append a copy of `text` to the `*n` of such an array of texts. Returns 0 or -ENOMEM. */
static inline int array_add_text(char ***texts, size_t *n, const char *text)
{
	char **larger = array_room(*texts, *n, sizeof(**texts));

	if (!larger)
		return -ENOMEM;
	*texts = larger;
	larger[*n] = strdup(text);
	return larger[(*n)++] ? 0 : -ENOMEM;
}

#endif

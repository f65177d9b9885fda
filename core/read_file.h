/* SPDX-License-Identifier: MIT */
/*
 * Reading a file whole.
 */
#ifndef SANDTOP_CORE_READ_FILE_H
#define SANDTOP_CORE_READ_FILE_H

#include <stddef.h>

/*
 * What the file at `path` has, in *text, to be freed, of *size bytes. Returns 0; -EFBIG when it has
 * more than `max` bytes; -ENOMEM; what open(2) and read(2) had to say.
 */
int read_file(const char *path, size_t max, char **text, size_t *size);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Putting a new text in the place of a file's old one.
 */
#ifndef SANDTOP_CORE_REPLACE_FILE_H
#define SANDTOP_CORE_REPLACE_FILE_H

#include <stddef.h>

/*
 * Make `path` a file of `size` bytes with mode 0600, all or nothing: until the text is on the disk
 * the file is what it was. Where `path` is a link, the file that it leads to is replaced, and the
 * link stays.
 *
 * Returns 0; -ENOENT for a directory that is missing or a link that leads nowhere, -EISDIR for a
 * directory, -EINVAL for what is neither a file nor missing (a device, a pipe), or what realpath(3),
 * mkstemp(3), write(2), fsync(2) and rename(2) had to say. After an error no temporary file is left.
 */
int replace_file(const char *path, const char *text, size_t size);

/*
 * The same in two steps, for a text that comes later, when somebody else may have put a link in the
 * way. replace_file_find() follows the links of `path` to *target, to be freed, and sees that a file
 * can be made beside it. replace_file_at() follows no link of the last component: it replaces it.
 */
int replace_file_find(const char *path, char **target);
int replace_file_at(const char *target, const char *text, size_t size);

#endif

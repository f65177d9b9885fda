/* SPDX-License-Identifier: MIT */
/*
 * Where a path of the policy is on this machine. May block; for the time before
 * anything runs.
 */
#ifndef SANDTOP_CORE_LOCATE_H
#define SANDTOP_CORE_LOCATE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The real path that an absolute `path` is: every link followed as far as there are files, the rest
 * as it is written, without `.`, `..` and double slashes. With `prefix` the name behind the last
 * slash stands for many, and is kept. Returns 0 with *out to be freed, or -ENOMEM.
 */
int locate_path(const char *path, bool prefix, char **out);

/*
 * What draft_path_set() wants of the path `written`: its `*` is cut off and each `$NAME` replaced
 * from our environment (`$$` is a `$`). Returns 0 with *out to be freed; -EINVAL with the reason in
 * `why`; -ENOMEM.
 */
int locate_rule(const char *written, char **out, char *why, size_t size);

#endif

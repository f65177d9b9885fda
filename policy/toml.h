/* SPDX-License-Identifier: MIT */
/*
 * Reading TOML 1.0 of two levels: tables with keys. The one C++ file of
 * sandtop, toml.cc, does it with toml++; no exception leaves it.
 */
#ifndef SANDTOP_POLICY_TOML_H
#define SANDTOP_POLICY_TOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum toml_type {
	TOML_STRING = 1 << 0,
	TOML_INTEGER = 1 << 1,
	TOML_ARRAY = 1 << 2,
	TOML_TABLE = 1 << 3,
	TOML_BOOLEAN = 1 << 4, /* its text is "true" or "false" */
	TOML_OTHER = 1 << 5,   /* a float, a date or a time */
};

/* Both from 1; the column counts characters. */
struct toml_place {
	unsigned int line, column;
};

/* All texts are without NUL inside, and borrowed for the time of the call. */
struct toml_value {
	const char *table; /* NULL at the top level */
	const char *key;
	bool element; /* an element of the array that came just before */
	enum toml_type type;
	const char *text; /* of a string or a boolean */
	int64_t number;   /* of an integer */
	struct toml_place key_at, at;
	struct toml_place end; /* of the value: the first character behind it */
};

struct toml_error {
	struct toml_place at;
	char text[256]; /* may have any characters of the file in it */
};

/* Gets each value; a non-zero return ends the reading and is returned. */
typedef int toml_fn(void *arg, const struct toml_value *value);

/*
 * Give every value to `fn` in the order of the file: those of the top level, the keys of each
 * table behind it, the elements of each array behind it. What is nested deeper is not given.
 *
 * Returns 0; -EINVAL when `text` is not TOML, with *err filled; -ENOMEM; or what `fn` returned.
 */
int toml_read(const char *text, size_t size, toml_fn *fn, void *arg, struct toml_error *err);

#ifdef __cplusplus
}
#endif

#endif

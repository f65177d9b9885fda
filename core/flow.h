/* SPDX-License-Identifier: MIT */
/*
 * The flow table: all decisions that share (direction, protocol, address or
 * name, port) are one row.
 *
 * It has a fixed number of rows in memory of the caller's, which holds no
 * pointer and which other processes may read meanwhile (shared.h). When it is
 * full, the row that was touched least recently is added to the totals and used
 * again. Touching a row costs the same however many there are, and never
 * allocates.
 */
#ifndef SANDTOP_CORE_FLOW_H
#define SANDTOP_CORE_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/record.h"

enum {
	FLOW_ROWS = 4096, /* what a run uses */
	FLOW_NAME_MAX = 128,
	FLOW_RULE_MAX = 128,
	FLOW_HOST_MAX = 128,
};

/* Texts are cut to their fields, end in NUL, and are not escaped. */
struct flow {
	uint64_t id;              /* from 1, never given to another row of this run */
	uint64_t first, last;     /* nanoseconds of CLOCK_REALTIME */
	uint64_t generation;      /* of the last decision */
	uint64_t allowed, denied; /* decisions so far; an ask counts when it is answered */
	/* The key, with the name below. */
	uint8_t addr[16];
	uint8_t dir, proto, family;
	/* The last decision. */
	uint8_t verdict, reason;
	bool printed;      /* the caller's: false in a new row */
	uint16_t port;     /* of the key */
	uint16_t name_len; /* of the whole name; the row keeps FLOW_NAME_MAX - 1 bytes of it */
	bool unspecified;  /* the last decision was about 0.0.0.0 or ::, see policy/endpoint.h */
	int32_t rule;
	int32_t decision_error; /* positive errno with REASON_ERROR */
	int32_t error;          /* positive errno that the task got */
	int32_t pid, tid;
	char comm[16];
	char name[FLOW_NAME_MAX];      /* unix and dns, else empty */
	char rule_text[FLOW_RULE_MAX]; /* of the rule, or the reason */
	char host[FLOW_HOST_MAX];      /* the name the address was learned from, or empty */
};

struct flow_totals {
	uint64_t rows, allowed, denied;
};

struct flow_table;

/* How many bytes a table of `rows` (1 to 2^30) rows takes. */
size_t flow_table_size(unsigned int rows);

/*
 * Make an empty table in `mem`: zeroed, aligned to 64 bytes, of flow_table_size(rows) bytes. It
 * stays the caller's and must outlive the table, which is to be freed with flow_table_free().
 * Returns NULL for want of memory.
 */
struct flow_table *flow_table_new(void *mem, unsigned int rows);
void flow_table_free(struct flow_table *t);

/*
 * Count a decision in its row; with r->pid 0 the row keeps the pid and comm it has.
 * It is valid until the next touch; *is_new says whether it began with this
 * decision (or began again after an eviction).
 */
const struct flow *flow_touch(struct flow_table *t, const struct record *r, bool *is_new);

/* Set the mark of a row. */
void flow_set_printed(struct flow_table *t, const struct flow *f);

/* The rows in use are numbered from 0, in the order of appearance until the first eviction. */
unsigned int flow_count(const struct flow_table *t);
const struct flow *flow_at(const struct flow_table *t, unsigned int i);

/* What the evicted rows had counted. */
struct flow_totals flow_evicted(const struct flow_table *t);

/*
 * For another process that has the memory of a table of `rows` rows: consistent copies of up to
 * `max` rows, in the order of flow_at(), and the totals. A row that is written all the time is left
 * out. Returns how many rows it copied.
 */
unsigned int flow_read(const void *mem, unsigned int rows, struct flow *out, unsigned int max);
struct flow_totals flow_read_evicted(const void *mem);

/*
 * The last decision of a row as a record, as far as the row has it: exe and syscall are NULL, and
 * so is the name when the row holds only its beginning. Borrows from the row.
 */
struct record flow_record(const struct flow *f);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The flow table: all decisions that share (direction, protocol, address or
 * name, port) are one row.
 *
 * It has a fixed number of rows in memory of the caller's, which holds no
 * pointer, so that it can be mapped elsewhere. When it is full, the row that
 * was touched least recently is added to the totals and used again. Touching a
 * row costs the same however many there are, and never allocates.
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
};

struct flow {
	uint64_t hash;            /* of the whole key, names uncut */
	uint64_t first, last;     /* nanoseconds of CLOCK_REALTIME */
	uint64_t generation;      /* of the last decision */
	uint64_t allowed, denied; /* decisions so far; an ask counts when it is answered */
	uint32_t next;            /* index of the next row in the bucket */
	uint32_t newer, older;    /* indices of the neighbours in the order of use */
	/* The key. */
	uint8_t dir, proto, family;
	uint8_t addr[16];
	uint16_t port;
	uint16_t name_len; /* of the whole name; the row keeps FLOW_NAME_MAX - 1 bytes of it */
	char name[FLOW_NAME_MAX]; /* unix and dns, else empty */
	/* The last decision. */
	uint8_t verdict, reason;
	bool printed; /* the caller's: false in a new row */
	int32_t rule;
	int32_t decision_error; /* positive errno with REASON_ERROR */
	int32_t error;          /* positive errno that the task got */
	int32_t pid, tid;
	char comm[16];
};

struct flow_totals {
	uint64_t rows, allowed, denied;
};

struct flow_table;

/* How many bytes a table of `rows` (1 to 2^30) rows takes. */
size_t flow_table_size(unsigned int rows);

/*
 * Make an empty table in `mem`: zeroed, aligned to 8 bytes, of flow_table_size(rows) bytes.
 * It stays the caller's; there is nothing to release but the memory.
 */
struct flow_table *flow_table_init(void *mem, unsigned int rows);

/*
 * Count a decision in its row; with r->pid 0 the row keeps the pid and comm it has.
 * It is valid until the next touch; *is_new says whether it began with this
 * decision (or began again after an eviction).
 */
struct flow *flow_touch(struct flow_table *t, const struct record *r, bool *is_new);

/* The rows in use are numbered from 0, in the order of appearance until the first eviction. */
unsigned int flow_count(const struct flow_table *t);
const struct flow *flow_at(const struct flow_table *t, unsigned int i);

/* What the evicted rows had counted. */
struct flow_totals flow_evicted(const struct flow_table *t);

/*
 * The last decision of a row as a record, as far as the row has it: rule text,
 * host, exe and syscall are NULL, and so is the name when the row holds only
 * its beginning. Borrows from the row.
 */
struct record flow_record(const struct flow *f);

#endif

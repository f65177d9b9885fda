/* SPDX-License-Identifier: MIT */
/*
 * First match among many (prefix, services) entries of one address family.
 */
#ifndef SANDTOP_POLICY_TABLE_H
#define SANDTOP_POLICY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/addr.h"
#include "policy/service.h"

/* Rule number `rule` is about these services of these addresses. */
struct table_entry {
	struct prefix prefix;
	uint32_t lo, hi; /* services, both included */
	int rule;        /* from 1 */
	uint8_t exact;   /* length of the prefix as the rule names it; 0 if it names none */
	int subject;     /* the caller's: a table is about one of them */
};

struct table_match {
	int rule;         /* the lowest number that matched, or 0 */
	unsigned int len; /* its entry's `exact` */
};

/* The intervals first .. first + n, or, when n is TABLE_FINER, what index number `first` says. */
struct table_slot {
	uint32_t first;
	uint32_t n;
};

#define TABLE_FINER UINT32_MAX

struct table {
	struct table_interval *intervals;
	size_t n_intervals;
	struct table_node *nodes;
	size_t n_nodes;
	struct services services;
	struct table_slot root; /* all intervals */
	struct table_index *indexes;
	size_t n_indexes;
};

/*
 * Build a table from entries of one family, which are sorted in the course of it and can go
 * afterwards. Returns 0 or -ENOMEM; *t is to be freed with table_free() in any case, and a zeroed
 * one too.
 */
int table_build(struct table *t, struct table_entry *entries, size_t n);
void table_free(struct table *t);

/* The first rule for that service of `a`, an address of the table's family. */
struct table_match table_find(const struct table *t, struct addr a, uint32_t service);

/* The same, among the entries that name exactly that one address. */
struct table_match table_find_single(const struct table *t, struct addr a, uint32_t service);

/*
 * Set wins[N] for every rule number N that is the first one for some service of some address; the
 * rest is left as it is. Returns 0 or -ENOMEM.
 */
int table_winners(const struct table *t, bool *wins);

#endif

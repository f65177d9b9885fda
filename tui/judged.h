/* SPDX-License-Identifier: MIT */
/*
 * The column NOW: what the live policy would answer to a row, which is asked of
 * the sandbox for the rows that show, and known until the policy is another.
 */
#ifndef SANDTOP_TUI_JUDGED_H
#define SANDTOP_TUI_JUDGED_H

#include <stdbool.h>
#include <stdint.h>

#include "core/control.h"
#include "core/flow.h"

enum { JUDGED_TEXT_MAX = FLOW_NAME_MAX + 64 };

struct judged_answer {
	uint64_t flow;       /* id, 0: none */
	uint64_t generation; /* of the policy that was asked */
	uint64_t elapsed;    /* when it was asked, CLOCK_MONOTONIC in ns */
	bool known;          /* there was an answer, and it is: */
	uint8_t verdict;
};

/* Rows are asked about together. */
struct judged_batch {
	unsigned int n;
	uint64_t flow[CONTROL_JUDGE_MAX];
	char endpoint[CONTROL_JUDGE_MAX][JUDGED_TEXT_MAX]; /* as of `sandtop explain` */
};

/* What came of it. */
struct judged_reply {
	uint64_t generation;
	unsigned int n;
	int8_t verdict[CONTROL_JUDGE_MAX]; /* -1: no policy judges that */
};

struct model;

/*
 * Collect the rows on the screen whose answer is a second old, or of another policy. Returns
 * whether there are any.
 */
bool judged_wanted(const struct model *m, uint64_t elapsed, struct judged_batch *out);

void judged_take(struct model *m, uint64_t elapsed, const struct judged_batch *batch,
		 const struct judged_reply *reply);

/* What the live policy says to the flow; NULL as long as that is not known. */
const struct judged_answer *judged_of(const struct model *m, const struct flow *f);

#endif

/* SPDX-License-Identifier: MIT */
#include "tools/bench/row.h"

#include <string.h>

#include "tools/bench/call.h"
#include "tools/bench/floor.h"
#include "tools/bench/grow.h"
#include "tools/bench/task.h"

const struct row rows[] = {
	{ "connect-denied", ROW_FLOORS, 0.8, 200, 0, call_measure },
	{ "connect", ROW_FLOORS, 1.8, 400, 0, call_measure },
	{ "sendto", ROW_FLOORS, 2.0, 200, 0, call_measure },
	{ "sendmsg", ROW_FLOORS, 2.0, 200, 0, call_measure },
	{ "sendmmsg", ROW_RATIO, 1.5, 400, 0, call_measure },
	{ "sendmsg-tcp-64k", ROW_RATIO, 2.0, 4000, 0, call_measure },
	{ "send", ROW_RATIO, 1.05, 400, 0, call_measure },
	{ "recv", ROW_RATIO, 1.05, 400, 0, call_measure },
	{ "write", ROW_RATIO, 1.05, 400, 0, call_measure },
	{ "read", ROW_RATIO, 1.05, 400, 0, call_measure },
	{ "open", ROW_RATIO, 1.05, 400, 0, call_measure },
	{ "close", ROW_RATIO, 1.05, 400, 0, call_measure },
	{ "accept", ROW_RATIO, 1.05, 400, 0, call_measure },
	{ "tasks-8", ROW_RATE, 1.1, 64000, 0, task_rate },
	{ "black-hole-64", ROW_TAIL, 1.5, 4000, 0, task_black_hole },
	{ "memory-64", ROW_MEMORY, 8, 20000, 0, task_memory },
	{ "fairness", ROW_TAIL, 3.0, 1000, 0, task_fair },
	{ "monitor-p50", ROW_WATCHED, 1.1, 1000, 0, task_watched },
	{ "monitor-p90", ROW_WATCHED, 1.1, 1000, 0, task_watched },
	{ "monitor-p99", ROW_WATCHED, 1.1, 1000, 0, task_watched },
	{ "startup", ROW_STARTUP, 4, 20, 0, NULL },
	{ "million-memory", ROW_KIB, 0, 1000000, 1, grow_memory },
	{ "million-fds", ROW_DESCRIPTORS, 0, 1000000, 1, grow_descriptors },
	{ "redis", ROW_PROGRAM, 0.97, 30000, 3, NULL },
	{ "iperf3-tcp", ROW_PROGRAM, 0.97, 1, 3, NULL },
	{ "iperf3-udp", ROW_PROGRAM, 0.97, 1, 3, NULL },
	{ "nginx-wrk", ROW_PROGRAM, 0.97, 1, 3, NULL },
	{ "curl-loop", ROW_PROGRAM, 0.9, 30, 3, NULL },
	{ "python-http", ROW_PROGRAM, 0.97, 300, 3, NULL },
	{ "node-http", ROW_PROGRAM, 0.97, 500, 3, NULL },
};

const size_t row_count = sizeof(rows) / sizeof(rows[0]);

const struct row row_floor = { .name = "floor", .count = 200, .client = floor_measure };

const struct row *row_find(const char *name)
{
	for (size_t i = 0; i < row_count; i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return strcmp(row_floor.name, name) ? NULL : &row_floor;
}

bool row_has_native(const struct row *row)
{
	return row->kind <= ROW_PROGRAM;
}

double row_result(const struct row *row, double native, const struct sample *supervised,
		  double floor)
{
	switch (row->kind) {
	case ROW_RATIO:
		return supervised->value / native;
	case ROW_FLOORS:
		return (supervised->value - native) / floor;
	case ROW_STARTUP:
		return (supervised->value - native) / 1e6;
	case ROW_RATE:
		return supervised->base / supervised->value;
	case ROW_PROGRAM:
		return native / supervised->value;
	case ROW_TAIL:
	case ROW_WATCHED:
		return supervised->value / supervised->base;
	case ROW_MEMORY:
		return supervised->value / 1024;
	default:
		return supervised->value;
	}
}

bool row_wants_more(const struct row *row)
{
	return row->kind == ROW_RATE || row->kind == ROW_PROGRAM;
}

bool row_met(const struct row *row, double result)
{
	return row_wants_more(row) ? result >= row->target : result <= row->target;
}

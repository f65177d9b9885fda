/* SPDX-License-Identifier: MIT */
/*
 * The hazards that have no row in table.h: a test of its own stands for each, in
 * the suite that is named with it. selftests/unit/hazards_unit.c looks for it there.
 */
#ifndef SANDTOP_SELFTESTS_ATTACKS_ELSEWHERE_H
#define SANDTOP_SELFTESTS_ATTACKS_ELSEWHERE_H

static const struct {
	const char *hazard, *suite, *test;
} elsewhere[] = {
	{ "race: a signal storm loses or doubles a call", "availability", "signal_storm" },
	{ "authority: the supervisor's control socket", "attacks", "no_control_socket" },
	{ "availability: a blocking connect stalls everyone", "availability", "blocking_connect" },
	{ "availability: a blocking send stalls everyone", "availability", "blocking_send" },
	{ "availability: FUSE memory", "availability", "fuse_memory" },
	{ "availability: a FUSE file is closed", "availability", "fuse_close" },
	{ "availability: lengths that exhaust memory", "availability", "lengths_of_messages" },
	{ "availability: ENOENT from a receive", "availability", "storm_of_deaths" },
	{ "availability: a lost multishot poll", "availability", "storm_of_threads" },
	{ "availability: a supervisor that dies", "availability", "supervisor_killed" },
	{ "availability: tasks that are hard to kill", "availability", "unkillable" },
	{ "availability: tasks that are hard to kill", "availability", "headless" },
	{ "truth: a verdict that was not enforced", "truth", "verdicts_are_what_arrived" },
	{ "truth: a rule that silently allows everything", "truth", "empty_policies" },
	{ "truth: explanation and enforcement disagree", "truth", "explanations" },
	{ "truth: control characters on the screen", "truth", "control_characters" },
	{ "truth: a prompt answered for the wrong row", "truth", "question_to_nobody" },
	{ "compatibility: a UDP connect to sort addresses", "broken_before",
	  "udp_connect_to_sort" },
	{ "compatibility: SCM_RIGHTS over a UNIX socket", "broken_before", "passed_descriptors" },
	{ "compatibility: epoll registered before connect", "broken_before",
	  "epoll_before_connect" },
	{ "compatibility: happy eyeballs", "broken_before", "happy_eyeballs" },
	{ "compatibility: MPTCP by default", "broken_before", "mptcp_by_default" },
	{ "compatibility: Ctrl-C and Ctrl-Z", "broken_before", "keys_of_the_terminal" },
	{ "compatibility: resize and full screen", "broken_before", "resize" },
};

#endif

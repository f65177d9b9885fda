/* SPDX-License-Identifier: MIT */
#include "tools/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/features.h"
#include "core/plan.h"

static int check_features(void)
{
	static const char *const state_name[] = {
		[FEATURE_OK] = "ok",
		[FEATURE_MISSING] = "missing",
		[FEATURE_BLOCKED] = "blocked",
	};
	struct feature_result results[FEATURE_COUNT];
	int f;

	features_probe(results);
	for (f = 0; f < FEATURE_COUNT; f++)
		printf("%s\t%s\t%s\n", state_name[results[f].state], results[f].name,
		       results[f].state == FEATURE_OK ? "-" : results[f].remedy);
	return features_required_missing(results) ? EXIT_FAILURE : EXIT_SUCCESS;
}

int cmd_check(int argc, char **argv)
{
	if (argc == 1)
		return check_features();
	if (argc == 2 && !strcmp(argv[1], "--plan")) {
		plan_print(PLAN_SUPERVISED, stdout);
		return EXIT_SUCCESS;
	}
	complain("check: unexpected '%s': expected nothing or --plan",
		 argc > 2 && !strcmp(argv[1], "--plan") ? argv[2] : argv[1]);
	return EXIT_USAGE;
}

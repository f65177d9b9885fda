/* SPDX-License-Identifier: MIT */
/*
 * The list of hazards is complete: each has an attack, in attacks/table.h or in
 * the suite that attacks/elsewhere.h names, and each attack says which it is.
 */
#include "selftests/attacks/hazards.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "selftests/attacks/elsewhere.h"
#include "selftests/attacks/ground.h"

#define COUNT(array)               (sizeof(array) / sizeof((array)[0]))
#define ATTACK(id, of, where, ...) { #id, of, where },

static const struct {
	const char *name, *hazard, *source;
} attacks[] = {
/* clang-format off */
#include "selftests/attacks/table.h"
	/* clang-format on */
};

/* Whether that suite has a test of that name. */
static bool has_test(const char *suite, const char *test)
{
	char path[128], wanted[128], *line = NULL;
	bool found = false;
	size_t size = 0;
	FILE *f;

	snprintf(path, sizeof(path), "selftests/%s_test.c", suite);
	snprintf(wanted, sizeof(wanted), ", %s)\n", test);
	f = fopen(path, "re");
	cr_assert(f, "%s: run from the project's own directory", path);
	while (!found && getline(&line, &size, f) > 0)
		found = !strncmp(line, "TEST_F(", 7) && strstr(line, wanted);
	free(line);
	fclose(f);
	return found;
}

static bool is_hazard(const char *text)
{
	for (size_t i = 0; i < COUNT(hazards); i++)
		if (!strcmp(hazards[i], text))
			return true;
	return false;
}

static bool is_attacked(const char *hazard)
{
	for (size_t i = 0; i < COUNT(attacks); i++)
		if (!strcmp(attacks[i].hazard, hazard))
			return true;
	for (size_t i = 0; i < COUNT(elsewhere); i++)
		if (!strcmp(elsewhere[i].hazard, hazard))
			return true;
	return false;
}

Test(hazards, every_one_has_an_attack)
{
	for (size_t i = 0; i < COUNT(hazards); i++)
		cr_expect(is_attacked(hazards[i]), "%s", hazards[i]);
}

Test(hazards, every_attack_names_one_and_its_source)
{
	for (size_t i = 0; i < COUNT(attacks); i++)
		cr_expect(is_hazard(attacks[i].hazard) && *attacks[i].source, "%s: %s",
			  attacks[i].name, attacks[i].hazard);
}

Test(hazards, every_test_that_stands_for_one_is_there)
{
	for (size_t i = 0; i < COUNT(elsewhere); i++) {
		cr_expect(is_hazard(elsewhere[i].hazard), "%s", elsewhere[i].hazard);
		cr_expect(has_test(elsewhere[i].suite, elsewhere[i].test), "%s_test: %s",
			  elsewhere[i].suite, elsewhere[i].test);
	}
}

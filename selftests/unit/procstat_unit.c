/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <errno.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/procstat.h"

Test(procstat, of_this_process)
{
	struct procstat s;

	cr_assert_eq(procstat_read(getpid(), &s), 0);
	cr_assert_eq(s.parent, getppid());
	cr_assert_eq(s.state, 'R');
	cr_assert_geq(s.threads, 1);
}

/* What a process calls itself must not pass for its state, its parent or another's name. */
Test(procstat, name_is_any_text)
{
	static const char *const names[] = {
		"", ")", "(", ") Z 1 (", "((a))", "a) S 1 1", "\n) 7"
	};
	struct procstat s;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		prctl(PR_SET_NAME, names[i]);
		cr_assert_eq(procstat_read(getpid(), &s), 0, "%s", names[i]);
		cr_assert_eq(s.parent, getppid(), "%s", names[i]);
		cr_assert_eq(s.state, 'R', "%s", names[i]);
	}
}

Test(procstat, name_is_as_it_was_set)
{
	struct procstat s;

	prctl(PR_SET_NAME, "a) S 1 (b");
	cr_assert_eq(procstat_read(getpid(), &s), 0);
	cr_assert_str_eq(s.name, "a) S 1 (b");
}

Test(procstat, of_nobody)
{
	struct procstat s;

	cr_assert_eq(procstat_read(0x7fffffff, &s), -ENOENT);
}

/* SPDX-License-Identifier: MIT */
#include "selftests/lib/textfile.h"

#include <stdio.h>

#include "selftests/harness.h"

void textfile_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	ASSERT_NE(NULL, f);
	fputs(text, f);
	fclose(f);
}

const char *textfile_read(const char *path)
{
	static char text[1 << 20];
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return "(missing)";
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

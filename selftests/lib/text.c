/* SPDX-License-Identifier: MIT */
#include "selftests/lib/text.h"

#include <regex.h>
#include <string.h>

size_t text_count(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		count++;
	return count;
}

bool text_matches(const char *pattern, const char *text)
{
	regex_t regex;
	bool result;

	if (!text || regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB))
		return false;
	result = !regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	return result;
}

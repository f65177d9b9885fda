/* SPDX-License-Identifier: MIT */
#include "core/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

/* Returns the length of what the file has, or -errno, with *text to be freed. */
static ssize_t read_all(int fd, size_t max, char **text)
{
	size_t size = 1 << 16, len = 0;
	ssize_t n;

	*text = NULL;
	for (;;) {
		char *larger = realloc(*text, size);

		if (!larger)
			return -ENOMEM;
		*text = larger;
		n = read(fd, *text + len, size - len);
		if (n <= 0)
			return n ? -errno : (ssize_t)len;
		len += (size_t)n;
		if (len == size)
			size *= 2;
		if (len > max)
			return -EFBIG;
	}
}

int read_file(const char *path, size_t max, char **text, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *read;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read_all(fd, max, &read);
	close(fd);
	if (n < 0) {
		free(read);
		return (int)n;
	}
	*text = read;
	*size = (size_t)n;
	return 0;
}

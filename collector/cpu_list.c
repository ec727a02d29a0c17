/* collector/cpu_list.c - "0-3,8,10-11", as the kernel lists CPUs */
#include "cpu_list.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* One number at *text. 0; -EINVAL; -ERANGE. */
static int parse_cpu(const char **text, const char *end, unsigned int *cpu)
{
	const char *at = *text;
	unsigned int value = 0;

	for (; at < end && *at >= '0' && *at <= '9'; at++) {
		value = value * 10 + (unsigned int)(*at - '0');
		if (value >= CPU_LIST_MAX)
			return -ERANGE;
	}
	if (at == *text)
		return -EINVAL;
	*text = at;
	*cpu = value;
	return 0;
}

static int parse_range(struct cpu_list *list, const char **text, const char *end)
{
	unsigned int first, last;
	int err;

	err = parse_cpu(text, end, &first);
	if (err)
		return err;
	last = first;
	if (*text < end && **text == '-') {
		++*text;
		err = parse_cpu(text, end, &last);
		if (err)
			return err;
	}
	if (last < first)
		return -EINVAL;
	for (; first <= last; first++) {
		list->count += !list->listed[first];
		list->listed[first] = true;
	}
	if (last >= list->slots)
		list->slots = last + 1;
	return 0;
}

int cpu_list_parse(struct cpu_list *list, const char *text, size_t bytes)
{
	const char *end = text + bytes;
	int err;

	memset(list, 0, sizeof(*list));
	if (bytes && end[-1] == '\n')
		end--;
	for (;;) {
		err = parse_range(list, &text, end);
		if (err || text == end)
			return err;
		if (*text++ != ',')
			return -EINVAL;
	}
}

int cpu_list_read(struct cpu_list *list, const char *path)
{
	char text[4096];
	ssize_t bytes;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	bytes = read(fd, text, sizeof(text));
	err = bytes < 0 ? -errno : cpu_list_parse(list, text, (size_t)bytes);
	close(fd);
	return err;
}

/* complaints.c - say once what stays wrong */
#include "complaints.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

/* Whether the line is a new one; if so it is no longer. */
static bool is_new(struct complaints *c, const char *line)
{
	for (unsigned int i = 0; i < COMPLAINTS_MAX && i < c->count; i++)
		if (!strcmp(c->lines[i], line))
			return false;
	snprintf(c->lines[c->count++ % COMPLAINTS_MAX], COMPLAINT_BYTES, "%s", line);
	return true;
}

void complaints_say(struct complaints *c, const char *format, ...)
{
	char line[COMPLAINT_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (is_new(c, line))
		log_warn("%s", line);
}

void complaints_note(struct complaints *c, const char *line)
{
	if (is_new(c, line))
		log_info("%s", line);
}

void complaints_say_file(struct complaints *c, const char *dir, const char *name, int err)
{
	switch (err) {
	case -ENOENT:
		complaints_say(c, "%s/%s is not there: waiting for it", dir, name);
		break;
	case -EPERM:
		complaints_say(c, "%s/%s can be written by others than root and the directory's "
			       "owner: not trusted: waiting for a good one", dir, name);
		break;
	case -ELOOP:
		complaints_say(c, "%s/%s is a link, which no collector makes: waiting for a good one",
			       dir, name);
		break;
	case -EINVAL:
	case -ENOTDIR:
		complaints_say(c, "%s/%s is not what a collector makes: waiting for a good one", dir,
			       name);
		break;
	case -EACCES:
		complaints_say(c, "cannot open %s/%s: permission denied: run as a member of the "
			       "collector's group", dir, name);
		break;
	default:
		complaints_say(c, "cannot open %s/%s: %s: trying again every second", dir, name,
			       strerror(-err));
	}
}

void complaints_end(struct complaints *c)
{
	c->count = 0;
}

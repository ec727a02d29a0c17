/* common/calls.c - tables of system calls become a seccomp filter */
#include "calls.h"

#include <errno.h>

#define API_LEVEL 3   /* of seccomp_api_get(3): all threads at once, killing the whole process */

int calls_open(scmp_filter_ctx *out, uint32_t otherwise)
{
	scmp_filter_ctx filter;
	int err;

	if (seccomp_api_get() < API_LEVEL)
		return -ENOSYS;
	filter = seccomp_init(otherwise);
	if (!filter)
		return -ENOMEM;
	err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!err)
		err = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* what the kernel says, not libseccomp's -ECANCELED */
	if (!err)
		err = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	if (err) {
		calls_close(filter);
		return err;
	}
	*out = filter;
	return 0;
}

static unsigned int count_conditions(const struct call_row *row)
{
	unsigned int count = 0;

	while (count < CALL_CONDITIONS_MAX && row->conditions[count].op)
		count++;
	return count;
}

int calls_add(scmp_filter_ctx filter, uint32_t action, const struct call_row *rows, size_t count)
{
	int err = 0;

	for (size_t i = 0; !err && i < count; i++)
		err = seccomp_rule_add_array(filter, action, rows[i].call,
					     count_conditions(&rows[i]), rows[i].conditions);
	return err;
}

int calls_enter(scmp_filter_ctx filter)
{
	return seccomp_load(filter);
}

void calls_close(scmp_filter_ctx filter)
{
	if (filter)
		seccomp_release(filter);
}

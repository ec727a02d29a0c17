/* collector/promise.c - what the kernel has to say of the collector and every thread of it */
#include "promise.h"

#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value of "Key:\t..." in status, or NULL. */
static const char *find_value(const char *status, const char *key)
{
	const size_t bytes = strlen(key);

	for (; status; status = strchr(status, '\n')) {
		status += *status == '\n';
		if (!strncmp(status, key, bytes) && status[bytes] == ':')
			return status + bytes + 1;
	}
	return NULL;
}

/* Real, effective, saved and file-system id, all four. */
static bool all_are(const char *value, unsigned long id)
{
	for (int i = 0; i < 4; i++) {
		char *end;

		if (strtoul(value, &end, 10) != id || end == value)
			return false;
		value = end;
	}
	return true;
}

static bool is_empty(const char *value)
{
	return value[strspn(value, " \t")] == '\n';
}

static bool is_number(const char *value, unsigned long long number)
{
	char *end;

	return strtoull(value, &end, 16) == number && end != value && *end == '\n';
}

const char *promise_broken(const struct promise *promise, const char *status)
{
	enum { NO_CAPABILITY, NO_CAPABILITY_FROM_ROOT, UID, GID, NO_GROUPS, ONE, FILTER };
	static const struct { const char *key; int must; } lines[] = {
		{ "Uid", UID }, { "Gid", GID }, { "Groups", NO_GROUPS },
		{ "CapInh", NO_CAPABILITY }, { "CapPrm", NO_CAPABILITY },
		{ "CapEff", NO_CAPABILITY }, { "CapBnd", NO_CAPABILITY_FROM_ROOT },
		{ "CapAmb", NO_CAPABILITY }, { "NoNewPrivs", ONE },
		{ "Seccomp", FILTER },
	};
	static char broken[128];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *value = find_value(status, lines[i].key);
		bool kept = false;

		switch (value ? lines[i].must : -1) {
		case UID:
			kept = all_are(value, promise->uid);
			break;
		case GID:
			kept = all_are(value, promise->gid);
			break;
		case NO_GROUPS:
			kept = !promise->from_root || is_empty(value);
			break;
		case NO_CAPABILITY_FROM_ROOT:
			kept = !promise->from_root || is_number(value, 0);
			break;
		case NO_CAPABILITY:
			kept = is_number(value, 0);
			break;
		case ONE:
			kept = is_number(value, 1);
			break;
		case FILTER:
			kept = !promise->filtered || is_number(value, SECCOMP_MODE_FILTER);
			break;
		}
		if (kept)
			continue;
		snprintf(broken, sizeof(broken), "%s:%.*s", lines[i].key,
			 value ? (int)strcspn(value, "\n") : 0, value ? value : "");
		return broken;
	}
	return NULL;
}

static bool is_limited(const struct rlimit *limit, rlim_t most)
{
	return limit->rlim_cur <= most && limit->rlim_max <= most;
}

const char *promise_broken_by_process(const struct promise *promise,
				      const struct promise_process *process)
{
	const struct { const char *name; bool kept; unsigned long long value; } facts[] = {
		{ "securebits", (process->securebits & promise->securebits) == promise->securebits,
		  (unsigned int)process->securebits },
		{ "dumpable", !process->dumpable, (unsigned int)process->dumpable },
		{ "limit on core", is_limited(&process->core, 0), process->core.rlim_max },
		{ "limit on processes", is_limited(&process->processes, 0), process->processes.rlim_max },
		{ "limit on descriptors", is_limited(&process->files, promise->files),
		  process->files.rlim_max },
	};
	static char broken[64];

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		if (facts[i].kept)
			continue;
		snprintf(broken, sizeof(broken), "%s: %llu", facts[i].name, facts[i].value);
		return broken;
	}
	return NULL;
}

/* collector/promise.h - what has to stand in /proc/PID/status of every thread */
#ifndef NETTO_COLLECTOR_PROMISE_H
#define NETTO_COLLECTOR_PROMISE_H

#include <stdbool.h>
#include <sys/types.h>

struct promise {
	uid_t uid;
	gid_t gid;
	bool from_root;   /* then the bounding set and the groups are empty too */
	bool filtered;    /* by seccomp */
};

/* First line of status, the text of such a file, that breaks the promise, or
 * NULL; a line that is missing is named by its key. Static, valid until the next call. */
const char *promise_broken(const struct promise *promise, const char *status);

#endif

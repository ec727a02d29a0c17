/* collector/promise.h - what the kernel has to say of the collector and every thread of it */
#ifndef NETTO_COLLECTOR_PROMISE_H
#define NETTO_COLLECTOR_PROMISE_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

struct promise {
	uid_t uid;
	gid_t gid;
	bool from_root;   /* then the bounding set and the groups are empty too */
	bool filtered;    /* by seccomp */
	int securebits;   /* 0: never could set them */
	rlim_t files;     /* the most descriptors */
};

/* What does not stand in status. */
struct promise_process {
	int securebits;
	int dumpable;
	struct rlimit core, processes, files;
};

/* First line of status, the text of such a file, that breaks the promise, or
 * NULL; a line that is missing is named by its key. Static, valid until the next call. */
const char *promise_broken(const struct promise *promise, const char *status);

/* The same for the process, once it is to start none further: the name and value. */
const char *promise_broken_by_process(const struct promise *promise,
				      const struct promise_process *process);

#endif

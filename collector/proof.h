/* collector/proof.h - what the kernel says of this process, held against the promise
 *
 * Instead of trust in the calls that were made. Threads are looked at by their
 * files in /proc, which are opened while files can be and read again under the
 * filter of system calls.
 */
#ifndef NETTO_COLLECTOR_PROOF_H
#define NETTO_COLLECTOR_PROOF_H

#include <stddef.h>

#include "promise.h"

#define PROOF_THREADS_MAX 8   /* we start one beside the first */

struct proof {
	int tasks_dir;                 /* /proc/self/task, which stays readable */
	int fds[PROOF_THREADS_MAX];    /* the status files of all threads */
	size_t count;
};

/* 0; -errno. */
int proof_open(struct proof *proof);

/* Open the status files of the threads that there are now. 0; -errno; -E2BIG:
 * more threads than we ever start. */
int proof_gather(struct proof *proof);

/* Read them. Says what breaks the promise; 0; EXIT_ERR(); -errno: cannot be read. */
int proof_check_threads(const struct proof *proof, const struct promise *promise);

/* The same for what is not in them; makes calls that the filter forbids. */
int proof_check_process(const struct promise *promise);

/* Close the status files; and all. */
void proof_release(struct proof *proof);
void proof_close(struct proof *proof);

#endif

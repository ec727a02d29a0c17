/* tests/bench/observer.h - something that samples, to be switched on and off from outside
 *
 * The perf events of a process are taken by pidfd_getfd(), so that a sampler
 * that is not ours, started as anybody starts it, can be switched within one
 * run as quickly as our own.
 */
#ifndef NETTO_TESTS_OBSERVER_H
#define NETTO_TESTS_OBSERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define OBSERVER_EVENTS_MAX 256
#define OBSERVER_PROCESSES_MAX 2

struct observer {
	const char *name;
	pid_t pids[OBSERVER_PROCESSES_MAX];   /* that belong to it; 0: none */
	int events[OBSERVER_EVENTS_MAX];
	unsigned int event_count;
};

/* An empty BPF program on a clock on every CPU, off. 0; -errno. */
int observer_empty(struct observer *observer, uint32_t rate_hz);

/* The events of observer->pids, switched off. 0; -errno; -ENOENT: there is none. */
int observer_take(struct observer *observer);

void observer_switch(const struct observer *observer, bool on);

/* CPU time of its processes. */
uint64_t observer_cpu_ns(const struct observer *observer);

#endif

/* tests/integration/exact_softirq.c - softirq time of the next SECONDS seconds, by vector
 *
 * usage: exact_softirq SECONDS
 * Prints "ready" when it counts, then start_ns and end_ns (CLOCK_REALTIME) and
 * "VECTOR NS EVENTS" lines of that span, all CPUs together, net of hard interrupts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "exact.h"

static unsigned long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (unsigned long long)t.tv_sec * 1000000000ull + (unsigned long long)t.tv_nsec;
}

int main(int argc, char *argv[])
{
	static const char *const names[EXACT_VECTORS] = {
		"hi", "timer", "net_tx", "net_rx", "block", "irq_poll", "tasklet", "sched", "hrtimer", "rcu",
	};
	struct timespec span = { .tv_sec = argc == 2 ? atoi(argv[1]) : 0 };
	struct exact_cpu before, after;
	struct exact *exact;
	int err;

	if (!span.tv_sec) {
		fprintf(stderr, "usage: exact_softirq SECONDS\n");
		return 64;
	}
	err = exact_open(&exact);
	if (err) {
		fprintf(stderr, "exact_softirq: cannot attach: error %d\n", -err);
		return 69;
	}
	printf("ready\nstart_ns %llu\n", now_ns());
	fflush(stdout);
	exact_read(exact, &before);
	nanosleep(&span, NULL);
	exact_read(exact, &after);
	printf("end_ns %llu\n", now_ns());
	for (int v = 0; v < EXACT_VECTORS; v++)
		printf("%s %llu %llu\n", names[v], after.ns[v] - before.ns[v],
		       after.events[v] - before.events[v]);
	exact_close(exact);
	return 0;
}

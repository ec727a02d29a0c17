/* tests/integration/exact_softirq.c - softirq time by vector, for SECONDS seconds
 *
 * usage: exact_softirq SECONDS
 * Prints the names of the vectors when it counts, then every 100 ms a line: CLOCK_REALTIME and,
 * for each vector, the ns so far, all CPUs together, net of hard interrupts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "exact.h"

#define STEP_NS 100000000l

static void print_now(struct exact *exact)
{
	struct exact_cpu sum;
	struct timespec t;

	exact_read(exact, &sum);
	clock_gettime(CLOCK_REALTIME, &t);
	printf("%lld%09ld", (long long)t.tv_sec, t.tv_nsec);
	for (int v = 0; v < EXACT_VECTORS; v++)
		printf(" %llu", (unsigned long long)sum.ns[v]);
	printf("\n");
	fflush(stdout);
}

int main(int argc, char *argv[])
{
	long steps = argc == 2 ? atol(argv[1]) * 10 : 0;
	struct timespec step = { .tv_nsec = STEP_NS };
	struct exact *exact;
	int err;

	if (steps <= 0) {
		fprintf(stderr, "usage: exact_softirq SECONDS\n");
		return 64;
	}
	err = exact_open(&exact);
	if (err) {
		fprintf(stderr, "exact_softirq: cannot attach: error %d\n", -err);
		return 69;
	}
	printf("time hi timer net_tx net_rx block irq_poll tasklet sched hrtimer rcu\n");
	for (long i = 0; i <= steps; i++) {
		print_now(exact);
		nanosleep(&step, NULL);
	}
	exact_close(exact);
	return 0;
}

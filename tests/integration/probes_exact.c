/* tests/integration/probes_exact.c - the softirq probes against an independent ruler
 *
 * usage: probes_exact [SECONDS]; both count the same span of a TCP load at once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exact.h"
#include "load.h"
#include "log.h"
#include "probes.h"

#define MS 1000000ull
#define NET_RX 3

static void read_probes(const struct probes *probes, struct exact_cpu *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (unsigned int cpu = 0; cpu < probes_cpu_slots(probes); cpu++) {
		for (int v = 0; v < EXACT_VECTORS; v++) {
			sum->ns[v] += probes_cpu(probes, cpu)->softirq_ns[v];
			sum->events[v] += probes_cpu(probes, cpu)->softirq_events[v];
		}
	}
}

/* Within 1 %, and at least 2 % of a CPU busy, else the test tested nothing. */
static int compare(const struct exact_cpu *probes, const struct exact_cpu *exact, long seconds)
{
	int failures = 0;

	for (int v = 0; v < EXACT_VECTORS; v++) {
		double ratio = exact->ns[v] ? (double)probes->ns[v] / (double)exact->ns[v] : 1;
		int off = exact->ns[v] >= 50 * MS && (ratio < 0.99 || ratio > 1.01);

		failures += off;
		printf("# vector %d: probes %llu ns %llu events, exact %llu ns %llu events, ratio %.4f%s\n",
		       v, probes->ns[v], probes->events[v], exact->ns[v], exact->events[v], ratio,
		       off ? " OFF" : "");
	}
	if (exact->ns[NET_RX] < (unsigned long long)seconds * 20 * MS) {
		printf("not ok softirq_times_are_exact: too little traffic to tell\n");
		return 1;
	}
	printf("%s softirq_times_are_exact%s\n", failures ? "not ok" : "ok",
	       failures ? ": more than 1 % from the independent programs" : "");
	return failures;
}

static void subtract(struct exact_cpu *from, const struct exact_cpu *what)
{
	for (int v = 0; v < EXACT_VECTORS; v++) {
		from->ns[v] -= what->ns[v];
		from->events[v] -= what->events[v];
	}
}

int main(int argc, char *argv[])
{
	const struct probes_config config = { .rate_hz = 997, .filter = true };
	struct timespec span = { .tv_sec = argc > 1 ? atoi(argv[1]) : 10 };
	struct exact_cpu probes_sum[2], exact_sum[2];
	struct probes *probes;
	struct exact *exact;
	pid_t load;

	log_open("probes_exact");
	if (probes_attach(&probes, &config) || exact_open(&exact)) {
		printf("skip softirq_times_are_exact: cannot attach\n");
		return 0;
	}
	load = load_start(&loads[0]);
	nanosleep(&(struct timespec) { .tv_nsec = 200 * MS }, NULL);
	for (int i = 0; i < 2; i++) {
		if (i)
			nanosleep(&span, NULL);
		read_probes(probes, &probes_sum[i]);
		exact_read(exact, &exact_sum[i]);
	}
	load_stop(load);
	exact_close(exact);
	probes_close(probes);
	subtract(&probes_sum[1], &probes_sum[0]);
	subtract(&exact_sum[1], &exact_sum[0]);
	return compare(&probes_sum[1], &exact_sum[1], span.tv_sec) ? 1 : 0;
}

/* aggregator/metrics.h - totals in, Prometheus text (0.0.4) out
 *
 * Pure: the same input gives the same bytes. Names, labels and meanings are in
 * one table, in metrics.c. Counters are since this aggregator started.
 *
 * A series known beforehand (a context on a CPU, a reason for loss) is there
 * from the start, as 0. A component or step appears once it has taken time,
 * then stays: most of the 11 x 60 never do on any one machine. While the
 * collector is away what it measures is left out, so that its series go stale
 * instead of standing still.
 */
#ifndef NETTO_AGGREGATOR_METRICS_H
#define NETTO_AGGREGATOR_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "backend.h"
#include "self.h"
#include "totals.h"

struct metrics_backend {
	const char *name;
	struct backend_counts counts;
};

struct metrics_input {
	const struct totals *totals;
	uint64_t last_update_ns;             /* CLOCK_REALTIME of the last period; 0: none yet */
	const struct self_figures *self;
	const struct metrics_backend *backends;
	size_t backend_count;
};

/* The whole page in *text (malloc, the caller's). 0; -ENOMEM. */
int metrics_render(const struct metrics_input *in, char **text, size_t *bytes);

#endif

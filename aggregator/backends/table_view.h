/* aggregator/backends/table_view.h - the figures that the live table shows
 *
 * Half-second figures are too restless to read, so the table shows the mean of
 * the last 2 s (of one period, where a period is longer). Rows are in order of
 * cost, but change places only when one is clearly above the other.
 */
#ifndef NETTO_AGGREGATOR_BACKENDS_TABLE_VIEW_H
#define NETTO_AGGREGATOR_BACKENDS_TABLE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"
#include "totals.h"

#define TABLE_WINDOW_NS UINT64_C(2000000000)
#define TABLE_WINDOW_PERIODS 32
#define TABLE_STEP_ROWS (STEP_COUNT * FAMILY_COUNT)

/* Added up over periods as one array: nothing but uint64_t may stand here. */
struct table_sums {
	uint64_t wall_ns;
	uint64_t own_ns;                                     /* CPU time of netto itself */
	uint64_t contexts_ns[CONTEXT_COUNT];
	uint64_t events[CONTEXT_COUNT];
	uint64_t components_ns[CONTEXT_COUNT][COMPONENT_COUNT];
	uint64_t steps_ns[STEP_COUNT][FAMILY_COUNT];
	uint64_t processes_ns[OPTIONS_PIDS_MAX];             /* as options.pids */
};

/* The last periods and their sum; all zero is an empty window. */
struct table_window {
	struct table_sums sum;
	struct table_sums periods[TABLE_WINDOW_PERIODS];
	size_t oldest;
	size_t count;
};

struct table_process {
	pid_t pid;
	char comm[16];
	bool alive;
	uint64_t total_ns;
};

/* All that is on the screen. Ids of steps are step * FAMILY_COUNT + family. */
struct table_view {
	char runtime_dir[256];
	char host[65];
	char kernel[65];
	bool collector_seen;
	bool collector_up;
	bool symbols_missing;           /* components are unknown, and why is known */
	bool paused;
	char message[256];              /* latest line of the log, or "" */
	uint32_t cpus;
	uint32_t rate_hz;
	uint64_t uptime_ns;             /* of the collector */
	uint64_t end_ns;                /* CLOCK_REALTIME */
	uint64_t period_ns;
	uint64_t lost_samples;
	uint64_t lost_records;
	bool exact[CONTEXT_COUNT];
	uint64_t total_ns[CONTEXT_COUNT];
	struct table_sums recent;       /* wall_ns 0: no figures */
	uint64_t network_ns;            /* all contexts of recent */
	uint64_t components_ns[COMPONENT_COUNT];
	uint16_t component_order[COMPONENT_COUNT];
	uint16_t step_order[TABLE_STEP_ROWS];
	bool ordered;                   /* the orders are those of an earlier update */
	struct table_process processes[OPTIONS_PIDS_MAX];
	size_t process_count;
};

/* Take a period in, and those out that are too old. */
void table_window_add(struct table_window *window, const struct totals *totals,
		      const struct options *options);
void table_window_empty(struct table_window *window);

/* The view before anything has come. */
void table_view_open(struct table_view *view, const struct options *options);

/* Bring the view up to date; now_ns is CLOCK_MONOTONIC. */
void table_view_update(struct table_view *view, const struct table_window *window,
		       const struct totals *totals, uint64_t now_ns);

#endif

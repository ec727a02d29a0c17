/* table_view.c - the figures that the live table shows */
#include "table_view.h"

#include <stdio.h>
#include <string.h>

#define SUMS (sizeof(struct table_sums) / sizeof(uint64_t))
_Static_assert(sizeof(struct table_sums) % sizeof(uint64_t) == 0, "table_sums is one array");

static void sums_add(struct table_sums *sum, const struct table_sums *period)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)period;

	for (size_t i = 0; i < SUMS; i++)
		to[i] += from[i];
}

static void sums_take(struct table_sums *sum, const struct table_sums *period)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)period;

	for (size_t i = 0; i < SUMS; i++)
		to[i] -= from[i];
}

static void read_processes(struct table_sums *sums, const struct totals *totals,
			   const struct options *options)
{
	for (size_t i = 0; i < totals->process_count; i++)
		for (size_t k = 0; k < options->pid_count; k++)
			if (options->pids[k] == totals->processes[i].pid)
				sums->processes_ns[k] = totals->processes[i].user_ns;
}

static void read_period(struct table_sums *sums, const struct totals *totals,
			const struct options *options)
{
	const struct figures *period = &totals->period;

	memset(sums, 0, sizeof(*sums));
	sums->wall_ns = period->wall_ns;
	sums->own_ns = period->collector_cpu_ns + period->aggregator_cpu_ns;
	for (int c = 0; c < CONTEXT_COUNT; c++) {
		sums->contexts_ns[c] = period->contexts[c].ns;
		sums->events[c] = period->contexts[c].events;
		for (int k = 0; k < COMPONENT_COUNT; k++)
			sums->components_ns[c][k] = period->components[c][k].ns;
		for (int s = 0; s < STEP_COUNT; s++)
			for (int f = 0; f < FAMILY_COUNT; f++)
				sums->steps_ns[s][f] += period->steps[c][s][f];
	}
	read_processes(sums, totals, options);
}

static void drop_oldest(struct table_window *window)
{
	sums_take(&window->sum, &window->periods[window->oldest]);
	window->oldest = (window->oldest + 1) % TABLE_WINDOW_PERIODS;
	window->count--;
}

/* Whether the window is still long enough without its oldest period. Periods
 * are not exactly as long as they should be: a twentieth does not matter. */
static bool too_long(const struct table_window *window)
{
	return window->sum.wall_ns - window->periods[window->oldest].wall_ns >=
	       TABLE_WINDOW_NS - TABLE_WINDOW_NS / 20;
}

void table_window_add(struct table_window *window, const struct totals *totals,
		      const struct options *options)
{
	struct table_sums *period;

	if (window->count == TABLE_WINDOW_PERIODS)
		drop_oldest(window);
	period = &window->periods[(window->oldest + window->count) % TABLE_WINDOW_PERIODS];
	read_period(period, totals, options);
	sums_add(&window->sum, period);
	window->count++;
	while (window->count > 1 && too_long(window))
		drop_oldest(window);
}

void table_window_empty(struct table_window *window)
{
	memset(&window->sum, 0, sizeof(window->sum));
	window->oldest = 0;
	window->count = 0;
}

/* Sort by cost. Once an order stands, a row passes the one above it only if it
 * costs a twentieth and a thousandth of everything more: rows do not dance. */
static void order_rows(uint16_t *order, size_t count, const uint64_t *ns, uint64_t all_ns,
		       bool ordered)
{
	for (size_t i = 1; i < count; i++) {
		for (size_t k = i; k > 0; k--) {
			uint64_t above = ns[order[k - 1]];
			uint64_t margin = ordered && above ? above / 20 + all_ns / 1000 : 0;
			uint16_t row = order[k];

			if (ns[row] <= above + margin)
				break;
			order[k] = order[k - 1];
			order[k - 1] = row;
		}
	}
}

static void update_costs(struct table_view *view, const struct table_sums *recent)
{
	uint64_t steps_ns[TABLE_STEP_ROWS];

	view->recent = *recent;
	view->network_ns = 0;
	for (int c = 0; c < CONTEXT_COUNT; c++)
		view->network_ns += recent->contexts_ns[c];
	for (int k = 0; k < COMPONENT_COUNT; k++) {
		view->components_ns[k] = 0;
		for (int c = 0; c < CONTEXT_COUNT; c++)
			view->components_ns[k] += recent->components_ns[c][k];
	}
	memcpy(steps_ns, recent->steps_ns, sizeof(steps_ns));
	/* What is in no receive step closes the list, however much it is. */
	for (int f = 0; f < FAMILY_COUNT; f++)
		steps_ns[STEP_NONE * FAMILY_COUNT + f] = 0;
	order_rows(view->component_order, COMPONENT_COUNT, view->components_ns, view->network_ns,
		   view->ordered);
	order_rows(view->step_order, TABLE_STEP_ROWS, steps_ns, view->network_ns, view->ordered);
	view->ordered = recent->wall_ns > 0;
}

static void update_hello(struct table_view *view, const Netto__Hello *hello, uint64_t now_ns)
{
	view->collector_seen = true;
	snprintf(view->host, sizeof(view->host), "%s", hello->host);
	snprintf(view->kernel, sizeof(view->kernel), "%s", hello->kernel_release);
	view->rate_hz = hello->rate_hz;
	view->period_ns = hello->period_ns;
	view->uptime_ns = now_ns > hello->started_ns ? now_ns - hello->started_ns : 0;
}

static void update_processes(struct table_view *view, const struct totals *totals)
{
	for (size_t k = 0; k < view->process_count; k++) {
		struct table_process *process = &view->processes[k];

		process->alive = false;
		for (size_t i = 0; i < totals->process_count; i++) {
			const struct process_figures *figures = &totals->processes[i];

			if (figures->pid != process->pid)
				continue;
			memcpy(process->comm, figures->comm, sizeof(process->comm));
			process->alive = figures->alive;
			process->total_ns = figures->user_ns_total;
		}
	}
}

void table_view_open(struct table_view *view, const struct options *options)
{
	memset(view, 0, sizeof(*view));
	snprintf(view->runtime_dir, sizeof(view->runtime_dir), "%s", options->runtime_dir);
	for (int k = 0; k < COMPONENT_COUNT; k++)
		view->component_order[k] = (uint16_t)k;
	/* Rotated, so that STEP_NONE comes last among equals. */
	for (int s = 0; s < TABLE_STEP_ROWS; s++)
		view->step_order[s] = (uint16_t)((s + FAMILY_COUNT) % TABLE_STEP_ROWS);
	view->process_count = options->pid_count;
	for (size_t i = 0; i < options->pid_count; i++)
		view->processes[i].pid = options->pids[i];
}

void table_view_update(struct table_view *view, const struct table_window *window,
		       const struct totals *totals, uint64_t now_ns)
{
	const uint64_t *lost = totals->total.lost;

	if (totals->hello)
		update_hello(view, totals->hello, now_ns);
	view->collector_up = totals->collector_up;
	view->symbols_missing = totals->collector_up && totals->hello &&
		(totals->hello->addresses_hidden || !totals->symbols);
	view->cpus = totals->cpus_online;
	view->end_ns = totals->end_ns;
	view->lost_samples = lost[LOSS_BPF_RING_FULL] + lost[LOSS_NO_STACK] +
		lost[LOSS_NO_SCRATCH] + lost[LOSS_ENCODE];
	view->lost_records = lost[LOSS_RING_OVERRUN] + lost[LOSS_DECODE];
	memcpy(view->exact, totals->exact, sizeof(view->exact));
	for (int c = 0; c < CONTEXT_COUNT; c++)
		view->total_ns[c] = totals->total.contexts[c].ns;
	update_costs(view, &window->sum);
	update_processes(view, totals);
}

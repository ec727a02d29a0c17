/* metrics.c - the table of metrics and how each is written */
#include "metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "exposition.h"

struct metric {
	const char *name;
	const char *type;
	const char *help;
	bool measured;      /* by the collector: left out while it is away */
	void (*write)(FILE *out, const struct metric *metric, const struct metrics_input *in);
	size_t field;       /* for the writers of one figure: where it is */
};

/* ---- one figure ---- */

static uint64_t total_field(const struct metric *metric, const struct metrics_input *in)
{
	return *(const uint64_t *)((const char *)&in->totals->total + metric->field);
}

static void write_total_count(FILE *out, const struct metric *metric,
			      const struct metrics_input *in)
{
	fprintf(out, "%s ", metric->name);
	exposition_write_count(out, total_field(metric, in));
}

static void write_total_seconds(FILE *out, const struct metric *metric,
				const struct metrics_input *in)
{
	fprintf(out, "%s ", metric->name);
	exposition_write_seconds(out, total_field(metric, in));
}

static uint64_t self_field(const struct metric *metric, const struct metrics_input *in)
{
	return *(const uint64_t *)((const char *)in->self + metric->field);
}

static void write_self_count(FILE *out, const struct metric *metric,
			     const struct metrics_input *in)
{
	fprintf(out, "%s ", metric->name);
	exposition_write_count(out, self_field(metric, in));
}

static void write_self_seconds(FILE *out, const struct metric *metric,
			       const struct metrics_input *in)
{
	fprintf(out, "%s ", metric->name);
	exposition_write_seconds(out, self_field(metric, in));
}

/* ---- what is measured ---- */

static void write_cpu(FILE *out, const struct metric *metric, const struct metrics_input *in)
{
	const struct totals *t = in->totals;

	for (size_t cpu = 0; cpu < t->cpu_slots; cpu++)
		for (int c = 0; c < CONTEXT_COUNT; c++) {
			fprintf(out, "%s{cpu=\"%zu\",context=\"%s\"} ", metric->name, cpu,
				context_names[c]);
			exposition_write_seconds(out, t->total.cpus[cpu].ns[c]);
		}
}

/* A context that is only sampled has no events to count, which is not 0. */
static void write_events(FILE *out, const struct metric *metric, const struct metrics_input *in)
{
	const struct totals *t = in->totals;

	for (size_t cpu = 0; cpu < t->cpu_slots; cpu++)
		for (int c = 0; c < CONTEXT_COUNT; c++) {
			if (!t->exact[c] && !t->total.contexts[c].events)
				continue;
			fprintf(out, "%s{cpu=\"%zu\",context=\"%s\"} ", metric->name, cpu,
				context_names[c]);
			exposition_write_count(out, t->total.cpus[cpu].events[c]);
		}
}

static void write_components(FILE *out, const struct metric *metric,
			     const struct metrics_input *in)
{
	for (int c = 0; c < CONTEXT_COUNT; c++)
		for (int k = 0; k < COMPONENT_COUNT; k++) {
			uint64_t ns = in->totals->total.components[c][k].ns;

			if (!ns)
				continue;
			fprintf(out, "%s{context=\"%s\",component=\"%s\"} ", metric->name,
				context_names[c], component_names[k]);
			exposition_write_seconds(out, ns);
		}
}

static void write_steps(FILE *out, const struct metric *metric, const struct metrics_input *in)
{
	for (int c = 0; c < CONTEXT_COUNT; c++)
		for (int i = 0; i < STEP_COUNT * FAMILY_COUNT; i++) {
			int s = i / FAMILY_COUNT, f = i % FAMILY_COUNT;
			uint64_t ns = in->totals->total.steps[c][s][f];

			if (!ns)
				continue;
			fprintf(out, "%s{context=\"%s\",step=\"%s\",family=\"%s\"} ", metric->name,
				context_names[c], step_names[s], family_names[f]);
			exposition_write_seconds(out, ns);
		}
}

static void write_by_context(FILE *out, const struct metric *metric,
			     const struct metrics_input *in)
{
	for (int c = 0; c < CONTEXT_COUNT; c++) {
		const char *figures = (const char *)&in->totals->total.contexts[c];

		fprintf(out, "%s{context=\"%s\"} ", metric->name, context_names[c]);
		exposition_write_count(out, *(const uint64_t *)(figures + metric->field));
	}
}

static void write_lost(FILE *out, const struct metric *metric, const struct metrics_input *in)
{
	for (int l = 0; l < LOSS_COUNT; l++)
		fprintf(out, "%s{reason=\"%s\"} %" PRIu64 "\n", metric->name, loss_names[l],
			in->totals->total.lost[l]);
}

static void write_sources(FILE *out, const struct metric *metric, const struct metrics_input *in)
{
	for (int c = 0; c < CONTEXT_COUNT; c++)
		fprintf(out, "%s{context=\"%s\",source=\"%s\"} 1\n", metric->name, context_names[c],
			in->totals->exact[c] ? "exact" : "sampled");
}

static void write_processes(FILE *out, const struct metric *metric,
			    const struct metrics_input *in)
{
	for (size_t i = 0; i < in->totals->process_count; i++) {
		const struct process_figures *process = &in->totals->processes[i];

		if (!process->comm[0])   /* never seen: there is nothing to say of it */
			continue;
		fprintf(out, "%s{pid=\"%d\"", metric->name, process->pid);
		exposition_write_label(out, ",comm", process->comm);
		fputs("} ", out);
		exposition_write_seconds(out, process->user_ns_total);
	}
}

/* ---- who measures ---- */

static void write_probes(FILE *out, const struct metric *metric, const struct metrics_input *in)
{
	const Netto__Hello *hello = in->totals->hello;

	for (size_t i = 0; hello && i < hello->n_probes; i++) {
		fputs(metric->name, out);
		exposition_write_label(out, "{probe", hello->probes[i]->name);
		exposition_write_label(out, ",function", hello->probes[i]->function);
		fprintf(out, "} %d\n", hello->probes[i]->attached);
	}
}

static void write_kernel(FILE *out, const struct metric *metric, const struct metrics_input *in)
{
	const Netto__Hello *hello = in->totals->hello;

	if (!hello)
		return;
	fputs(metric->name, out);
	exposition_write_label(out, "{release", hello->kernel_release);
	exposition_write_label(out, ",arch", hello->machine);
	fputs("} 1\n", out);
}

static void write_frequency(FILE *out, const struct metric *metric,
			    const struct metrics_input *in)
{
	if (in->totals->hello)
		fprintf(out, "%s %" PRIu32 "\n", metric->name, in->totals->hello->rate_hz);
}

static void write_cpus(FILE *out, const struct metric *metric, const struct metrics_input *in)
{
	fprintf(out, "%s %" PRIu32 "\n", metric->name, in->totals->cpus_online);
}

static void write_symbols(FILE *out, const struct metric *metric, const struct metrics_input *in)
{
	fprintf(out, "%s %" PRIu64 "\n", metric->name, in->totals->symbols);
}

static void write_collector_up(FILE *out, const struct metric *metric,
			       const struct metrics_input *in)
{
	fprintf(out, "%s %d\n", metric->name, in->totals->collector_up);
}

static void write_last_update(FILE *out, const struct metric *metric,
			      const struct metrics_input *in)
{
	fprintf(out, "%s ", metric->name);
	exposition_write_seconds(out, in->last_update_ns);
}

static void write_overhead(FILE *out, const struct metric *metric, const struct metrics_input *in)
{
	fprintf(out, "%s{process=\"collector\"} ", metric->name);
	exposition_write_seconds(out, in->totals->total.collector_cpu_ns);
	fprintf(out, "%s{process=\"aggregator\"} ", metric->name);
	exposition_write_seconds(out, in->totals->total.aggregator_cpu_ns);
}

static void write_build(FILE *out, const struct metric *metric, const struct metrics_input *in)
{
	(void)in;   /* known when it was built */
	fprintf(out, "%s{version=\"%s\"} 1\n", metric->name, NETTO_VERSION);
}

static void write_backends(FILE *out, const struct metric *metric, const struct metrics_input *in)
{
	for (size_t i = 0; i < in->backend_count; i++)
		fprintf(out, "%s{backend=\"%s\"} %" PRIu64 "\n", metric->name, in->backends[i].name,
			*(const uint64_t *)((const char *)&in->backends[i].counts + metric->field));
}

/* ---- the table ---- */

#define MEASURED true
#define OWN false
#define TOTAL(field) offsetof(struct figures, field)
#define CONTEXT(field) offsetof(struct context_figures, field)
#define SELF(field) offsetof(struct self_figures, field)
#define COUNTS(field) offsetof(struct backend_counts, field)

static const struct metric metrics[] = {
	{ "netto_cpu_seconds_total", "counter",
	  "CPU time of the network stack, by CPU and by whose time it is. Exact or estimated from "
	  "samples: see netto_source_info.", MEASURED, write_cpu, 0 },
	{ "netto_component_cpu_seconds_total", "counter",
	  "The same time by the code that takes it; estimated: the split comes from samples. "
	  "Adds up to its context. A series appears with its first time.",
	  MEASURED, write_components, 0 },
	{ "netto_rx_step_cpu_seconds_total", "counter",
	  "The same time by the step of the receive path the packet was in, none outside one; "
	  "estimated: the split comes from samples. Adds up to its context. A series appears with "
	  "its first time.", MEASURED, write_steps, 0 },
	{ "netto_events_total", "counter",
	  "Softirqs, interrupt handler calls and system calls, of the contexts that are timed "
	  "exactly.",
	  MEASURED, write_events, 0 },
	{ "netto_source_info", "gauge",
	  "Where a context's time comes from: exact (each entry and exit timed) or sampled "
	  "(estimated; hard interrupts cannot be sampled by the default event).",
	  MEASURED, write_sources, 0 },
	{ "netto_process_user_cpu_seconds_total", "counter",
	  "User-space CPU time of the processes that --user-pids names, since netto looks.",
	  MEASURED, write_processes, 0 },

	{ "netto_samples_total", "counter", "Stack samples taken in the network stack.",
	  MEASURED, write_by_context, CONTEXT(samples) },
	{ "netto_samples_unexplained_total", "counter",
	  "Of these, samples whose component is not certain.",
	  MEASURED, write_by_context, CONTEXT(unexplained) },
	{ "netto_samples_taken_total", "counter",
	  "Samples the kernel side took, wherever they were.",
	  MEASURED, write_total_count, TOTAL(samples_taken) },
	{ "netto_samples_filtered_total", "counter",
	  "Ticks the kernel side passed over, because no network code could be running.",
	  MEASURED, write_total_count, TOTAL(samples_filtered) },
	{ "netto_samples_outside_total", "counter",
	  "Samples that arrived and were not in the network stack.",
	  MEASURED, write_total_count, TOTAL(samples_other) },
	{ "netto_samples_lost_total", "counter",
	  "Samples that did not arrive, by reason; ring_overrun and decode count records of any "
	  "kind.",
	  MEASURED, write_lost, 0 },
	{ "netto_records_total", "counter", "Records received from the collector, of any kind.",
	  MEASURED, write_total_count, TOTAL(records) },
	{ "netto_frames_unmapped_total", "counter",
	  "Stack frames in no known part of the kernel.",
	  MEASURED, write_total_count, TOTAL(frames_unmapped) },
	{ "netto_socket_calls_missed_total", "counter",
	  "Socket calls that could not be timed, wholly or in part: syscall_tx and syscall_rx lack "
	  "their time.", MEASURED, write_total_count, TOTAL(calls_missed) },
	{ "netto_symbols_missed_total", "counter",
	  "BPF programs and modules that came and get no name.",
	  MEASURED, write_total_count, TOTAL(symbols_missed) },
	{ "netto_clipped_cpu_seconds_total", "counter",
	  "Estimated time left out because contexts would have exceeded wall time x CPUs.",
	  MEASURED, write_total_seconds, TOTAL(clipped_ns) },

	{ "netto_probe_attached", "gauge", "Whether a probe is attached, and to which function.",
	  MEASURED, write_probes, 0 },
	{ "netto_kernel_info", "gauge", "The kernel that is measured.", MEASURED, write_kernel, 0 },
	{ "netto_sampling_frequency_hertz", "gauge", "Samples a second on each CPU.",
	  MEASURED, write_frequency, 0 },
	{ "netto_cpus", "gauge", "CPUs online.", MEASURED, write_cpus, 0 },
	{ "netto_symbols", "gauge", "Kernel functions known by name; 0: components are unknown.",
	  MEASURED, write_symbols, 0 },

	{ "netto_collector_up", "gauge",
	  "Whether a collector is connected. While it is not, what it measures is left out.",
	  OWN, write_collector_up, 0 },
	{ "netto_collector_last_update_timestamp_seconds", "gauge",
	  "When the figures on this page were taken; 0: never yet.", OWN, write_last_update, 0 },
	{ "netto_gaps_total", "counter", "Restarts of the collector seen.",
	  OWN, write_total_count, TOTAL(gaps) },
	{ "netto_gap_seconds_total", "counter", "Time between collectors, which nobody measured.",
	  OWN, write_total_seconds, TOTAL(gap_ns) },
	{ "netto_overhead_cpu_seconds_total", "counter",
	  "CPU time of netto's own processes; its probes are in the contexts they interrupt.",
	  OWN, write_overhead, 0 },
	{ "netto_backend_delivered_total", "counter",
	  "Lines, scrapes or redraws that an output delivered.",
	  OWN, write_backends, COUNTS(delivered) },
	{ "netto_backend_dropped_total", "counter",
	  "Lines, scrapes or redraws that an output could not deliver.",
	  OWN, write_backends, COUNTS(dropped) },
	{ "netto_build_info", "gauge", "The aggregator that serves this page.",
	  OWN, write_build, 0 },

	{ "process_cpu_seconds_total", "counter",
	  "Total user and system CPU time spent in seconds.",
	  OWN, write_self_seconds, SELF(cpu_ns) },
	{ "process_start_time_seconds", "gauge",
	  "Start time of the process since unix epoch in seconds.",
	  OWN, write_self_seconds, SELF(start_time_ns) },
	{ "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.",
	  OWN, write_self_count, SELF(resident_bytes) },
	{ "process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.",
	  OWN, write_self_count, SELF(virtual_bytes) },
	{ "process_open_fds", "gauge", "Number of open file descriptors.",
	  OWN, write_self_count, SELF(open_fds) },
	{ "process_max_fds", "gauge", "Maximum number of open file descriptors.",
	  OWN, write_self_count, SELF(max_fds) },
};

int metrics_render(const struct metrics_input *in, char **text, size_t *bytes)
{
	char *page = NULL;
	size_t page_bytes;
	FILE *out;

	out = open_memstream(&page, &page_bytes);
	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		const struct metric *metric = &metrics[i];

		if (metric->measured && !in->totals->collector_up)
			continue;
		fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help,
			metric->name, metric->type);
		metric->write(out, metric, in);
	}
	if (fclose(out)) {
		free(page);
		return -ENOMEM;
	}
	*text = page;
	*bytes = page_bytes;
	return 0;
}

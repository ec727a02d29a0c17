/* aggregator/accumulator.c - samples and counters in, figures out
 *
 * Everything is whole nanoseconds. A period's samples are counted by cell
 * (window.h) and by CPU, exact time waits in the meters (meters.h); when a
 * snapshot of the counters is complete, settle() makes the period's figures of
 * them. All arrays of a total are split by share_out(), so the sums that
 * totals.h promises hold by construction.
 */
#include "accumulator.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "classifier.h"
#include "figures.h"
#include "meters.h"
#include "window.h"

#define CPU_SLOTS_MAX 8192
_Static_assert(CPU_SLOTS_MAX <= CELLS_MAX, "parts[] serves both");

struct cpu_samples {
	uint64_t contexts[CONTEXT_COUNT];
};

struct accumulator {
	struct totals totals;
	bool begun;               /* a collector has come */
	bool based;               /* its first snapshot is complete: time is counted */
	bool ended;               /* totals.period is complete and in totals.total */
	bool numbered;            /* a record of this collector was seen */
	uint64_t first_seq, last_seq;
	uint64_t start_ns;        /* of the period; before the baseline, end of the last one */
	uint64_t sample_ns;
	uint64_t frames_unmapped, symbols_missed, collector_cpu_ns;   /* as last read */

	struct meters *meters;
	struct cpu_samples *cpu_samples;     /* of this period; totals.cpu_slots */
	struct cells cells;
	struct window contexts[CONTEXT_COUNT];
	struct window shared[METER_COUNT];   /* all samples in what meter_rows[].shared times */

	uint64_t weights[CELLS_MAX], parts[CELLS_MAX];   /* for share_out() */
	struct remainder scratch[CELLS_MAX];
};

int accumulator_open(struct accumulator **out, irq_is_network_fn irq_is_network, void *arg)
{
	struct accumulator *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return -ENOMEM;
	a->cells.count = CELL_OUTSIDE + 1;
	err = meters_open(&a->meters, irq_is_network, arg);
	if (err) {
		accumulator_close(a);
		return err;
	}
	*out = a;
	return 0;
}

/* After -ENOMEM some arrays are longer than they need to be. */
static int make_room(struct accumulator *a, size_t slots)
{
	struct totals *t = &a->totals;
	struct cpu_samples *samples;
	int err;

	if (slots <= t->cpu_slots)
		return 0;
	err = figures_grow(&t->period, t->cpu_slots, slots);
	if (!err)
		err = figures_grow(&t->total, t->cpu_slots, slots);
	if (err)
		return err;
	samples = realloc(a->cpu_samples, slots * sizeof(*samples));
	if (!samples)
		return -ENOMEM;
	memset(samples + t->cpu_slots, 0, (slots - t->cpu_slots) * sizeof(*samples));
	a->cpu_samples = samples;
	t->cpu_slots = slots;
	return 0;
}

/* Start an empty period. What has not become one (the collector went before
 * its snapshot was complete) counts in the totals, so that no record and no
 * sample is missing there, but has no time: the gap covers that. */
static void clear_period(struct accumulator *a)
{
	struct totals *t = &a->totals;

	if (!a->ended)
		figures_add(&t->total, &t->period, t->cpu_slots);
	figures_clear(&t->period, t->cpu_slots);
	a->ended = false;
}

/* The samples of this period are past ones. */
static void end_samples(struct accumulator *a)
{
	for (size_t i = 0; i < CONTEXT_COUNT; i++)
		window_end_period(&a->contexts[i], &a->cells);
	for (size_t i = 0; i < METER_COUNT; i++)
		window_end_period(&a->shared[i], &a->cells);
	if (a->cpu_samples)
		memset(a->cpu_samples, 0, a->totals.cpu_slots * sizeof(*a->cpu_samples));
}

static bool probe_attached(const Netto__Hello *hello, const char *name)
{
	for (size_t i = 0; i < hello->n_probes; i++)
		if (hello->probes[i]->attached && !strcmp(hello->probes[i]->name, name))
			return true;
	return false;
}

static void take_hello(struct accumulator *a, const Netto__Hello *hello)
{
	bool softirq = probe_attached(hello, "softirq");
	struct totals *t = &a->totals;

	t->exact[CONTEXT_SOFTIRQ_RX] = softirq;
	t->exact[CONTEXT_SOFTIRQ_TX] = softirq;
	t->exact[CONTEXT_SOFTIRQ_TIMER] = softirq;
	t->exact[CONTEXT_HARDIRQ] = probe_attached(hello, "hardirq");
	/* Their time is net of softirqs only where those are timed. */
	t->exact[CONTEXT_SYSCALL_TX] = softirq && hello->exact_syscall_tx;
	t->exact[CONTEXT_SYSCALL_RX] = softirq && hello->exact_syscall_rx;
	t->cpus_online = hello->cpus_online;
	t->generation = hello->ring_generation;
	a->sample_ns = hello->sample_ns;
}

int accumulator_begin(struct accumulator *a, const Netto__Hello *hello)
{
	int err;

	if (hello->cpu_slots > CPU_SLOTS_MAX)
		return -EINVAL;
	err = make_room(a, hello->cpu_slots);
	if (!err)
		err = meters_begin(a->meters, hello->cpu_slots);
	if (err)
		return err;
	clear_period(a);
	end_samples(a);
	take_hello(a, hello);
	a->totals.period.gaps = a->begun;
	a->begun = true;
	a->based = false;
	a->numbered = false;
	a->frames_unmapped = 0;
	a->symbols_missed = 0;
	a->collector_cpu_ns = 0;
	return 0;
}

void accumulator_record(struct accumulator *a, uint64_t seq, uint64_t lost)
{
	if (a->ended)
		clear_period(a);
	if (!a->numbered)
		a->first_seq = seq - lost;
	a->numbered = true;
	a->last_seq = seq;
	a->totals.period.records++;
	a->totals.period.lost[LOSS_RING_OVERRUN] += lost;
}

void accumulator_undecodable(struct accumulator *a)
{
	a->totals.period.records--;
	a->totals.period.lost[LOSS_DECODE]++;
}

/* Whether a receive call was underway, and its time ran. */
static bool in_receive(const struct label *label)
{
	return label->context == CONTEXT_SYSCALL_RX ||
	       (label->context == CONTEXT_BUSY_POLL && label->caller == CONTEXT_SYSCALL_RX);
}

/* The shared meter that ran at this sample; METER_COUNT: none. */
static enum meter shared_meter(int vector, const struct label *label)
{
	if (vector == VECTOR_NONE)
		return in_receive(label) ? METER_RECEIVE : METER_COUNT;
	for (size_t i = 0; i < METER_COUNT; i++)
		if (meter_rows[i].shared && meter_rows[i].vector == vector)
			return (enum meter)i;
	return METER_COUNT;
}

static void count_sample(struct figures *period, const struct label *label)
{
	period->samples_network++;
	period->contexts[label->context].samples++;
	period->contexts[label->context].unexplained += !label->explained;
	period->components[label->context][label->component].samples++;
}

void accumulator_sample(struct accumulator *a, const struct sample_facts *facts,
			const struct label *label)
{
	const bool network = label_is_network(label);
	enum meter meter = shared_meter(facts->vector, label);
	cell_id cell = CELL_OUTSIDE;

	if (facts->cpu >= a->totals.cpu_slots) {
		accumulator_undecodable(a);
		return;
	}
	if (network)
		count_sample(&a->totals.period, label);
	else
		a->totals.period.samples_other++;
	/* Before the baseline no time is counted that this sample could be part of. */
	if (!a->based)
		return;
	if (network) {
		cell = cells_find(&a->cells, label);
		window_add(&a->contexts[label->context], cell, a->start_ns);
		a->cpu_samples[facts->cpu].contexts[label->context]++;
	}
	if (meter != METER_COUNT)
		window_add(&a->shared[meter],
			   label->context == meter_rows[meter].context ? cell : CELL_OUTSIDE,
			   a->start_ns);
}

/* ---- the end of a period ---- */

/* Give ns of context to one component, step and work. */
static void add_cell(struct figures *period, size_t context, const struct label *label,
		     uint64_t ns)
{
	period->components[context][label->component].ns += ns;
	period->steps[context][label->step][label->family] += ns;
	period->works[context][label->work] += ns;
}

/* Give a->parts[], by cell, to the components, steps and works of context. */
static void add_parts(struct accumulator *a, size_t context)
{
	for (size_t i = CELL_OUTSIDE + 1; i < a->cells.count; i++)
		if (a->parts[i])
			add_cell(&a->totals.period, context, &a->cells.labels[i], a->parts[i]);
}

/* Give a->parts[], by CPU, to context. */
static void add_cpu_parts(struct accumulator *a, size_t context)
{
	for (size_t i = 0; i < a->totals.cpu_slots; i++)
		a->totals.period.cpus[i].ns[context] += a->parts[i];
}

static bool all_zero(const uint64_t *weights, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (weights[i])
			return false;
	return true;
}

/* Time that no sample splits. */
static void settle_unsplit(struct accumulator *a, enum meter meter, uint64_t ns)
{
	/* Interrupts are off in a handler, so the sampler sees none of it; but what
	 * was timed is a network device's handler, and that is this component. */
	const struct label label = {
		.component = meter == METER_IRQ ? COMPONENT_DRIVER_IRQ : COMPONENT_UNKNOWN,
	};

	add_cell(&a->totals.period, meter_rows[meter].context, &label, ns);
}

/* What of events is the context's: of softirqs the share of the samples. A
 * system call that polled meanwhile stays one. */
static uint64_t own_events(struct accumulator *a, enum meter meter, uint64_t events,
			   const uint64_t *weights)
{
	if (meter_rows[meter].vector == VECTOR_NONE)
		return events;
	share_out(events, weights, a->cells.count, a->parts, a->scratch);
	return events - a->parts[CELL_OUTSIDE];
}

static void settle_events(struct accumulator *a, enum meter meter, const uint64_t *weights)
{
	const size_t context = meter_rows[meter].context;
	uint64_t events = 0;

	for (size_t i = 0; i < a->totals.cpu_slots; i++) {
		a->weights[i] = meters_cpu(a->meters, i)->events[meter];
		events += a->weights[i];
	}
	events = own_events(a, meter, events, weights);
	share_out(events, a->weights, a->totals.cpu_slots, a->parts, a->scratch);
	for (size_t i = 0; i < a->totals.cpu_slots; i++)
		a->totals.period.cpus[i].events[context] += a->parts[i];
	a->totals.period.contexts[context].events += events;
}

/* The time of one meter, less the part that goes to cells outside the context. */
static void settle_meter(struct accumulator *a, enum meter meter)
{
	const struct meter_row *row = &meter_rows[meter];
	const uint64_t *weights = window_weights(row->shared ? &a->shared[meter] :
						 &a->contexts[row->context], a->start_ns);
	const bool is_split = meter != METER_IRQ && !all_zero(weights, a->cells.count);
	uint64_t ns = 0;

	/* Softirqs that may be anybody's are the network's by their samples only. */
	if (!is_split && row->shared && row->vector != VECTOR_NONE)
		return;
	for (size_t i = 0; i < a->totals.cpu_slots; i++) {
		a->weights[i] = meters_cpu(a->meters, i)->ns[meter];
		ns += a->weights[i];
	}
	if (is_split) {
		share_out(ns, weights, a->cells.count, a->parts, a->scratch);
		add_parts(a, row->context);
		ns -= a->parts[CELL_OUTSIDE];
	} else {
		settle_unsplit(a, meter, ns);
	}
	a->totals.period.contexts[row->context].ns += ns;
	share_out(ns, a->weights, a->totals.cpu_slots, a->parts, a->scratch);
	add_cpu_parts(a, row->context);
	settle_events(a, meter, weights);
}

/* Exact contexts; what of room_ns they leave. */
static uint64_t settle_exact(struct accumulator *a, uint64_t room_ns)
{
	meters_take(a->meters, room_ns);
	for (size_t i = 0; i < METER_COUNT; i++) {
		if (a->totals.exact[meter_rows[i].context])
			settle_meter(a, (enum meter)i);
	}
	for (size_t i = 0; i < CONTEXT_COUNT; i++)
		room_ns -= a->totals.period.contexts[i].ns;
	meters_end_period(a->meters);
	return room_ns;
}

/* One sampled context. Its samples by cell and by CPU add up to the same
 * number, so there are CPUs and cells to give ns to. */
static void settle_samples(struct accumulator *a, size_t context, uint64_t ns)
{
	a->totals.period.contexts[context].ns = ns;
	share_out(ns, a->contexts[context].present, a->cells.count, a->parts, a->scratch);
	add_parts(a, context);
	for (size_t i = 0; i < a->totals.cpu_slots; i++)
		a->weights[i] = a->cpu_samples[i].contexts[context];
	share_out(ns, a->weights, a->totals.cpu_slots, a->parts, a->scratch);
	add_cpu_parts(a, context);
}

/* Sampled contexts, all scaled down together where they would not fit. */
static void settle_sampled(struct accumulator *a, uint64_t room_ns)
{
	uint64_t want_ns[CONTEXT_COUNT] = { 0 }, ns[CONTEXT_COUNT];
	uint64_t sum_ns = 0;

	for (size_t i = 0; i < CONTEXT_COUNT; i++) {
		if (a->totals.exact[i])
			continue;
		if (__builtin_mul_overflow(a->contexts[i].present_total, a->sample_ns, &want_ns[i]))
			want_ns[i] = UINT64_MAX;
		if (__builtin_add_overflow(sum_ns, want_ns[i], &sum_ns))
			sum_ns = UINT64_MAX;
	}
	if (sum_ns > room_ns)
		a->totals.period.clipped_ns = sum_ns - room_ns;
	share_out(sum_ns < room_ns ? sum_ns : room_ns, want_ns, CONTEXT_COUNT, ns, a->scratch);
	for (size_t i = 0; i < CONTEXT_COUNT; i++)
		if (ns[i])
			settle_samples(a, i, ns[i]);
}

static void settle(struct accumulator *a, uint64_t time_ns)
{
	struct totals *t = &a->totals;
	uint64_t room_ns;

	t->period.wall_ns = time_ns > a->start_ns ? time_ns - a->start_ns : 0;
	if (__builtin_mul_overflow(t->period.wall_ns, t->cpus_online, &room_ns))
		room_ns = UINT64_MAX;
	settle_sampled(a, settle_exact(a, room_ns));
	end_samples(a);
	t->first_seq = a->first_seq;
	t->last_seq = a->last_seq;
	a->first_seq = a->last_seq + 1;
	figures_add(&t->total, &t->period, t->cpu_slots);
	a->ended = true;
}

/* Counters of the whole machine, in the last record of a snapshot only. */
static void read_machine(struct accumulator *a, const Netto__Counters *counters)
{
	struct figures *period = &a->totals.period;

	if (a->based && counters->frames_unmapped > a->frames_unmapped)
		period->frames_unmapped += counters->frames_unmapped - a->frames_unmapped;
	if (a->based && counters->collector_cpu_ns > a->collector_cpu_ns)
		period->collector_cpu_ns += counters->collector_cpu_ns - a->collector_cpu_ns;
	if (a->based && counters->symbols_missed > a->symbols_missed)
		period->symbols_missed += counters->symbols_missed - a->symbols_missed;
	a->frames_unmapped = counters->frames_unmapped;
	a->symbols_missed = counters->symbols_missed;
	a->collector_cpu_ns = counters->collector_cpu_ns;
}

/* The baseline is complete. */
static void start_counting(struct accumulator *a, uint64_t time_ns)
{
	meters_start(a->meters);
	if (a->start_ns && time_ns > a->start_ns)
		a->totals.period.gap_ns = time_ns - a->start_ns;
}

bool accumulator_counters(struct accumulator *a, const Netto__Counters *counters)
{
	bool was_based = a->based;

	if (counters->cpu >= a->totals.cpu_slots) {
		accumulator_undecodable(a);
		return false;
	}
	meters_read(a->meters, counters, &a->totals.period);
	if (!counters->last_of_snapshot)
		return false;
	read_machine(a, counters);
	if (was_based)
		settle(a, counters->time_ns);
	else
		start_counting(a, counters->time_ns);
	a->based = true;
	a->start_ns = counters->time_ns;
	return was_based;
}

struct totals *accumulator_period(struct accumulator *a)
{
	return &a->totals;
}

struct totals *accumulator_silence(struct accumulator *a)
{
	clear_period(a);
	end_samples(a);
	a->based = false;
	a->totals.first_seq = 0;
	a->totals.last_seq = 0;
	return &a->totals;
}

void accumulator_close(struct accumulator *a)
{
	if (!a)
		return;
	meters_close(a->meters);
	free(a->totals.period.cpus);
	free(a->totals.total.cpus);
	free(a->cpu_samples);
	free(a);
}

/* aggregator/meters.c - exact time on each CPU, from counter records to a period's nanoseconds */
#include "meters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "classifier.h"
#include "window.h"

#define HANDLERS_MAX 256
#define HANDLER_NAME_BYTES_MAX 64

const struct meter_row meter_rows[] = {
	[METER_RX] = { CONTEXT_SOFTIRQ_RX, VECTOR_NET_RX, false },
	[METER_TX] = { CONTEXT_SOFTIRQ_TX, VECTOR_NET_TX, false },
	[METER_TIMER] = { CONTEXT_SOFTIRQ_TIMER, VECTOR_TIMER, true },
	[METER_HRTIMER] = { CONTEXT_SOFTIRQ_TIMER, VECTOR_HRTIMER, true },
	[METER_TASKLET] = { CONTEXT_SOFTIRQ_TIMER, VECTOR_TASKLET, true },
	[METER_HI] = { CONTEXT_SOFTIRQ_TIMER, VECTOR_HI, true },
	[METER_IRQ] = { CONTEXT_HARDIRQ, VECTOR_NONE, false },
	[METER_SEND] = { CONTEXT_SYSCALL_TX, VECTOR_NONE, false },
	[METER_RECEIVE] = { CONTEXT_SYSCALL_RX, VECTOR_NONE, true },
};
_Static_assert(sizeof(meter_rows) / sizeof(meter_rows[0]) == METER_COUNT, "a row a meter");

struct handler {
	uint64_t address;
	size_t name_bytes;
	uint8_t name[HANDLER_NAME_BYTES_MAX];
	bool is_network;
};

struct meters {
	irq_is_network_fn irq_is_network;
	void *irq_arg;
	size_t cpu_slots;
	struct cpu_meters *cpus;
	size_t handler_count;
	struct handler handlers[HANDLERS_MAX];
};

int meters_open(struct meters **out, irq_is_network_fn irq_is_network, void *arg)
{
	struct meters *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->irq_is_network = irq_is_network;
	m->irq_arg = arg;
	*out = m;
	return 0;
}

int meters_begin(struct meters *m, size_t cpu_slots)
{
	if (cpu_slots > m->cpu_slots) {
		struct cpu_meters *cpus = realloc(m->cpus, cpu_slots * sizeof(*cpus));

		if (!cpus)
			return -ENOMEM;
		m->cpus = cpus;
		m->cpu_slots = cpu_slots;
	}
	memset(m->cpus, 0, m->cpu_slots * sizeof(*m->cpus));
	m->handler_count = 0;
	return 0;
}

/* protobuf-c says NULL for no bytes, which memcmp() and its like do not take. */
static const char *name_of(const Netto__IrqHandler *irq)
{
	return irq->name.len ? (const char *)irq->name.data : "";
}

static bool same_handler(const struct handler *known, const Netto__IrqHandler *irq)
{
	return known->address == irq->handler && known->name_bytes == irq->name.len &&
	       !memcmp(known->name, name_of(irq), irq->name.len);
}

/* The answer, asked for once a handler; each time only where its name or the
 * list is too long, for then it has no place. */
static bool is_network(struct meters *m, const Netto__IrqHandler *irq)
{
	struct handler *new = &m->handlers[m->handler_count];
	bool answer;

	for (size_t i = 0; i < m->handler_count; i++)
		if (same_handler(&m->handlers[i], irq))
			return m->handlers[i].is_network;
	answer = m->irq_is_network(m->irq_arg, irq->handler, name_of(irq), irq->name.len);
	if (m->handler_count == HANDLERS_MAX || irq->name.len > sizeof(new->name))
		return answer;
	new->address = irq->handler;
	new->name_bytes = irq->name.len;
	memcpy(new->name, name_of(irq), irq->name.len);
	new->is_network = answer;
	m->handler_count++;
	return answer;
}

/* Send, then receive, as the schema has them. */
static void sockets_fill(const Netto__Counters *counters, struct readings *now)
{
	for (size_t i = 0; i < 2; i++) {
		if (i < counters->n_socket_ns)
			now->ns[METER_SEND + i] = counters->socket_ns[i];
		if (i < counters->n_socket_events)
			now->events[METER_SEND + i] = counters->socket_events[i];
	}
}

static void readings_fill(struct meters *m, const Netto__Counters *counters, struct readings *now)
{
	memset(now, 0, sizeof(*now));
	now->time_ns = counters->time_ns;
	for (size_t i = 0; i < METER_COUNT; i++) {
		size_t vector = (size_t)meter_rows[i].vector;   /* VECTOR_NONE is beyond them all */

		if (vector < counters->n_softirq_ns)
			now->ns[i] = counters->softirq_ns[vector];
		if (vector < counters->n_softirq_events)
			now->events[i] = counters->softirq_events[vector];
	}
	sockets_fill(counters, now);
	/* The sum alone is compared: handlers keep their answer, so it never goes back. */
	for (size_t i = 0; i < counters->n_irq_handlers; i++) {
		if (!is_network(m, counters->irq_handlers[i]))
			continue;
		now->ns[METER_IRQ] += counters->irq_handlers[i]->ns;
		now->events[METER_IRQ] += counters->irq_handlers[i]->events;
	}
	now->taken = counters->samples_taken;
	now->filtered = counters->samples_filtered;
	now->calls_missed = counters->socket_missed;
	if (!counters->lost)
		return;
	now->lost[LOSS_BPF_RING_FULL] = counters->lost->ring_full;
	now->lost[LOSS_NO_STACK] = counters->lost->no_stack;
	now->lost[LOSS_NO_SCRATCH] = counters->lost->no_scratch;
	now->lost[LOSS_ENCODE] = counters->lost->encode;
}

/* struct readings holds nothing but counters. */
static bool went_back(const struct readings *now, const struct readings *last)
{
	const uint64_t *new = (const uint64_t *)now, *old = (const uint64_t *)last;

	for (size_t i = 0; i < sizeof(*now) / sizeof(*new); i++)
		if (new[i] < old[i])
			return true;
	return false;
}

static void add_passed(struct cpu_meters *cpu, const struct readings *now, struct figures *period)
{
	const struct readings *last = &cpu->last;

	cpu->room_ns += now->time_ns - last->time_ns;
	for (size_t i = 0; i < METER_COUNT; i++) {
		cpu->pending_ns[i] += now->ns[i] - last->ns[i];
		cpu->events[i] += now->events[i] - last->events[i];
	}
	period->samples_taken += now->taken - last->taken;
	period->samples_filtered += now->filtered - last->filtered;
	period->calls_missed += now->calls_missed - last->calls_missed;
	for (size_t i = 0; i < LOSS_RING_OVERRUN; i++)
		period->lost[i] += now->lost[i] - last->lost[i];
}

void meters_read(struct meters *m, const Netto__Counters *counters, struct figures *period)
{
	struct cpu_meters *cpu = &m->cpus[counters->cpu];
	struct readings now;

	readings_fill(m, counters, &now);
	if (cpu->known && !went_back(&now, &cpu->last))
		add_passed(cpu, &now, period);
	cpu->last = now;
	cpu->known = true;
}

/* Up to limit_ns of what is pending; what was taken. */
static uint64_t take(struct cpu_meters *cpu, uint64_t limit_ns)
{
	struct remainder scratch[METER_COUNT];
	uint64_t sum = 0;

	for (size_t i = 0; i < METER_COUNT; i++)
		if (__builtin_add_overflow(sum, cpu->pending_ns[i], &sum))
			sum = UINT64_MAX;
	if (sum > limit_ns)
		sum = limit_ns;
	share_out(sum, cpu->pending_ns, METER_COUNT, cpu->ns, scratch);
	for (size_t i = 0; i < METER_COUNT; i++)
		cpu->pending_ns[i] -= cpu->ns[i];
	return sum;
}

void meters_take(struct meters *m, uint64_t room_ns)
{
	for (size_t i = 0; i < m->cpu_slots; i++) {
		struct cpu_meters *cpu = &m->cpus[i];

		room_ns -= take(cpu, cpu->room_ns < room_ns ? cpu->room_ns : room_ns);
	}
}

void meters_end_period(struct meters *m)
{
	for (size_t i = 0; i < m->cpu_slots; i++) {
		m->cpus[i].room_ns = 0;
		memset(m->cpus[i].events, 0, sizeof(m->cpus[i].events));
	}
}

void meters_start(struct meters *m)
{
	meters_end_period(m);
	for (size_t i = 0; i < m->cpu_slots; i++)
		memset(m->cpus[i].pending_ns, 0, sizeof(m->cpus[i].pending_ns));
}

const struct cpu_meters *meters_cpu(const struct meters *m, size_t cpu)
{
	return &m->cpus[cpu];
}

void meters_close(struct meters *m)
{
	if (!m)
		return;
	free(m->cpus);
	free(m);
}

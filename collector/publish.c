/* publish.c - samples and counters become records of the ring
 *
 * All messages are set up once, pointing to arrays of ours; to publish is to
 * fill the arrays and pack. protobuf_c's pack functions do not allocate.
 */
#include "publish.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netto.pb-c.h"

struct publisher {
	struct ring_writer *ring;
	struct symbols *symbols;
	unsigned int cpu_slots;
	uint64_t snapshot;               /* number of the present one */
	uint64_t frames_unmapped;
	uint64_t *encode_lost;           /* by CPU */

	uint64_t frames[SHARED_FRAMES_MAX];
	Netto__Sample sample;
	Netto__Record sample_record;

	uint64_t softirq_ns[SHARED_SOFTIRQ_VECTORS];
	uint64_t softirq_events[SHARED_SOFTIRQ_VECTORS];
	uint64_t socket_ns[SHARED_DIRECTIONS];
	uint64_t socket_events[SHARED_DIRECTIONS];
	uint8_t irq_names[SHARED_IRQ_SLOTS][SHARED_IRQ_NAME_BYTES];
	Netto__IrqHandler irqs[SHARED_IRQ_SLOTS];
	Netto__IrqHandler *irq_list[SHARED_IRQ_SLOTS];
	Netto__SamplesLost lost;
	Netto__Counters counters;
	Netto__Record counters_record;

	uint8_t packed[RING_RECORD_BYTES_MAX];
};

static void set_up_sample(struct publisher *p)
{
	netto__sample__init(&p->sample);
	p->sample.frames = p->frames;
	netto__record__init(&p->sample_record);
	p->sample_record.kind_case = NETTO__RECORD__KIND_SAMPLE;
	p->sample_record.sample = &p->sample;
}

static void set_up_counters(struct publisher *p)
{
	for (int i = 0; i < SHARED_IRQ_SLOTS; i++) {
		netto__irq_handler__init(&p->irqs[i]);
		p->irqs[i].name.data = p->irq_names[i];
		p->irq_list[i] = &p->irqs[i];
	}
	netto__samples_lost__init(&p->lost);
	netto__counters__init(&p->counters);
	p->counters.softirq_ns = p->softirq_ns;
	p->counters.n_softirq_ns = SHARED_SOFTIRQ_VECTORS;
	p->counters.softirq_events = p->softirq_events;
	p->counters.n_softirq_events = SHARED_SOFTIRQ_VECTORS;
	p->counters.socket_ns = p->socket_ns;
	p->counters.n_socket_ns = SHARED_DIRECTIONS;
	p->counters.socket_events = p->socket_events;
	p->counters.n_socket_events = SHARED_DIRECTIONS;
	p->counters.irq_handlers = p->irq_list;
	p->counters.lost = &p->lost;
	netto__record__init(&p->counters_record);
	p->counters_record.kind_case = NETTO__RECORD__KIND_COUNTERS;
	p->counters_record.counters = &p->counters;
}

int publisher_open(struct publisher **publisher, struct ring_writer *ring,
		   struct symbols *symbols, unsigned int cpu_slots)
{
	struct publisher *p;

	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->encode_lost = calloc(cpu_slots, sizeof(*p->encode_lost));
	if (!p->encode_lost) {
		publisher_close(p);
		return -ENOMEM;
	}
	p->ring = ring;
	p->symbols = symbols;
	p->cpu_slots = cpu_slots;
	p->snapshot = 1;
	set_up_sample(p);
	set_up_counters(p);
	*publisher = p;
	return 0;
}

static void write_record(struct publisher *p, const Netto__Record *record, unsigned int cpu)
{
	if (netto__record__get_packed_size(record) > sizeof(p->packed)) {
		p->encode_lost[cpu]++;
		return;
	}
	ring_write(p->ring, p->packed, netto__record__pack(record, p->packed));
}

void publish_sample(void *publisher, const struct shared_sample *in)
{
	struct publisher *p = publisher;
	Netto__Sample *out = &p->sample;

	if (in->cpu >= p->cpu_slots || in->frame_count > SHARED_FRAMES_MAX)
		return;   /* none of ours: the BPF side makes no such sample */
	out->n_frames = in->frame_count;
	for (size_t i = 0; i < out->n_frames; i++) {
		p->frames[i] = symbols_map(p->symbols, in->frames[i]);
		p->frames_unmapped += !p->frames[i];
	}
	out->cpu = in->cpu;
	out->vector = in->vector;
	out->hints = in->hints;
	out->syscall = in->syscall;
	out->pid = in->pid;
	out->tgid = in->tgid;
	out->comm.data = (uint8_t *)in->comm;   /* protobuf_c knows no const */
	out->comm.len = strnlen((const char *)in->comm, sizeof(in->comm));
	out->cgroup_id = in->cgroup_id;
	write_record(p, &p->sample_record, in->cpu);
}

/* The kernel writes these counters meanwhile: each is read once, whole. */
static uint64_t read_counter(const __u64 *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* A slot's handler and name are written before its events first change. */
static void take_irqs(struct publisher *p, const struct shared_cpu *in)
{
	size_t count = 0;

	for (int i = 0; i < SHARED_IRQ_SLOTS; i++) {
		const struct shared_irq *irq = &in->irqs[i];
		const uint64_t events = __atomic_load_n(&irq->events, __ATOMIC_ACQUIRE);
		Netto__IrqHandler *out = &p->irqs[count];

		if (!events)
			continue;
		out->handler = symbols_map(p->symbols, irq->handler);
		memcpy(out->name.data, irq->name, sizeof(irq->name));
		out->name.len = strnlen((const char *)out->name.data, sizeof(irq->name));
		out->ns = read_counter(&irq->ns);
		out->events = events;
		count++;
	}
	p->counters.n_irq_handlers = count;
}

void publish_counters(struct publisher *p, const struct shared_cpu *in,
		      const struct counters_of *of)
{
	Netto__Counters *out = &p->counters;

	if (of->cpu >= p->cpu_slots)
		return;
	for (int v = 0; v < SHARED_SOFTIRQ_VECTORS; v++) {
		p->softirq_ns[v] = read_counter(&in->softirq_ns[v]);
		p->softirq_events[v] = read_counter(&in->softirq_events[v]);
	}
	for (int d = 0; d < SHARED_DIRECTIONS; d++) {
		p->socket_ns[d] = read_counter(&in->socket_ns[d]);
		p->socket_events[d] = read_counter(&in->socket_events[d]);
	}
	out->socket_missed = read_counter(&in->socket_missed);
	take_irqs(p, in);
	out->irq_other_ns = read_counter(&in->irq_other_ns);
	out->samples_taken = read_counter(&in->samples_taken);
	out->samples_filtered = read_counter(&in->samples_filtered);
	p->lost.ring_full = read_counter(&in->samples_lost[SHARED_LOST_RING_FULL]);
	p->lost.no_stack = read_counter(&in->samples_lost[SHARED_LOST_NO_STACK]);
	p->lost.no_scratch = read_counter(&in->samples_lost[SHARED_LOST_NO_SCRATCH]);
	p->lost.encode = p->encode_lost[of->cpu];

	out->snapshot = p->snapshot;
	out->cpu = of->cpu;
	out->time_ns = of->time_ns;
	out->last_of_snapshot = of->last;
	out->frames_unmapped = of->last ? p->frames_unmapped : 0;
	out->symbols_missed = of->last ? of->symbols_missed : 0;
	out->collector_cpu_ns = of->last ? of->collector_cpu_ns : 0;
	write_record(p, &p->counters_record, of->cpu);
	p->snapshot += of->last;
}

void publish_symbols_changed(struct publisher *p, uint64_t generation)
{
	Netto__SymbolsChanged changed = NETTO__SYMBOLS_CHANGED__INIT;
	Netto__Record record = NETTO__RECORD__INIT;

	changed.generation = generation;
	record.kind_case = NETTO__RECORD__KIND_SYMBOLS_CHANGED;
	record.symbols_changed = &changed;
	write_record(p, &record, 0);
}

void publisher_close(struct publisher *publisher)
{
	if (!publisher)
		return;
	free(publisher->encode_lost);
	free(publisher);
}

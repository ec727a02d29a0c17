/* aggregator/pipeline.c - the way of one record: decode, symbolize, classify, accumulate */
#include "pipeline.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "accumulator.h"
#include "classifier.h"
#include "memo.h"
#include "symbolizer.h"

/* No honest record needs a tenth of it unpacked; a record of 4 KiB made of
 * nothing but empty submessages would need more and is refused. */
#define DECODE_BYTES (64u << 10)
#define DECODE_ALIGN 16

#define IRQ_HANDLERS_MAX 64
#define IRQ_NAME_BYTES_MAX 64

/* One buffer for all that a record unpacks to; used is 0 again for the next. */
struct decode_buffer {
	size_t used;
	_Alignas(DECODE_ALIGN) uint8_t bytes[DECODE_BYTES];
};

struct pipeline {
	struct symbolizer *symbolizer;
	struct accumulator *accumulator;
	struct memo *memo;
	struct procfs *procfs;
	pipeline_period_fn on_period;
	const Netto__Hello *hello;
	ProtobufCAllocator allocator;
	struct decode_buffer decode;
};

static void *decode_alloc(void *arg, size_t bytes)
{
	struct decode_buffer *buffer = arg;
	size_t rounded = (bytes + DECODE_ALIGN - 1) & ~(size_t)(DECODE_ALIGN - 1);
	void *memory;

	if (rounded < bytes || rounded > DECODE_BYTES - buffer->used)
		return NULL;
	memory = buffer->bytes + buffer->used;
	buffer->used += rounded;
	return memory;
}

static void decode_free(void *arg, void *memory)
{
	(void)arg;
	(void)memory;
}

static bool irq_is_network(void *arg, uint64_t handler, const char *name, size_t name_bytes)
{
	struct pipeline *p = arg;
	function_id function;

	symbolizer_functions(p->symbolizer, &handler, 1, &function);
	return classifier_irq_is_network(function, name, name_bytes);
}

int pipeline_open(struct pipeline **out, struct procfs *procfs, pipeline_period_fn on_period)
{
	struct pipeline *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	p->procfs = procfs;
	p->on_period = on_period;
	p->allocator.alloc = decode_alloc;
	p->allocator.free = decode_free;
	p->allocator.allocator_data = &p->decode;
	err = symbolizer_open(&p->symbolizer);
	if (!err)
		err = memo_open(&p->memo);
	if (!err)
		err = accumulator_open(&p->accumulator, irq_is_network, p);
	if (err) {
		pipeline_close(p);
		return err;
	}
	*out = p;
	return 0;
}

int pipeline_hello(struct pipeline *p, const Netto__Hello *hello)
{
	int err = accumulator_begin(p->accumulator, hello);

	if (err)
		return err;
	p->hello = hello;
	memo_clear(p->memo);
	return 0;
}

/* The kernel gives nobody addresses: names of another time would be wrong. */
static int forget_symbols(struct pipeline *p)
{
	struct symbolizer *empty;
	int err = symbolizer_open(&empty);

	if (err)
		return err;
	symbolizer_close(p->symbolizer);
	p->symbolizer = empty;
	return 0;
}

int pipeline_symbols(struct pipeline *p, const char *text, size_t bytes)
{
	int err = symbolizer_load(p->symbolizer, text, bytes);

	if (err == -ENODATA)
		err = forget_symbols(p);
	if (err)
		return err;
	memo_clear(p->memo);
	return 0;
}

static struct label classify(struct pipeline *p, const Netto__Sample *sample, int vector)
{
	function_id functions[STACK_FRAMES_MAX];
	const struct stack stack = {
		.functions = functions, .count = sample->n_frames,
		.vector = vector, .hints = sample->hints,
	};

	symbolizer_functions(p->symbolizer, sample->frames, sample->n_frames, functions);
	return classifier_label(&stack);
}

static void take_sample(struct pipeline *p, const Netto__Sample *sample)
{
	/* In the record vectors count from 1, so that 0 is none. */
	const int vector = sample->vector ? (int)sample->vector - 1 : VECTOR_NONE;
	const struct sample_facts facts = { .cpu = sample->cpu, .vector = vector };
	struct memo_key key = {
		.frames = sample->frames, .count = (uint8_t)sample->n_frames,
		.vector = (int8_t)vector, .hints = sample->hints,
	};
	const struct label *known;
	struct label label;

	memo_hash(&key);
	known = memo_find(p->memo, &key);
	label = known ? *known : classify(p, sample, vector);
	if (!known)
		memo_add(p->memo, &key, &label);
	accumulator_sample(p->accumulator, &facts, &label);
}

static void end_period(struct pipeline *p)
{
	struct totals *totals = accumulator_period(p->accumulator);
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	totals->end_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	totals->collector_up = true;
	totals->hello = p->hello;
	totals->symbols = symbolizer_count(p->symbolizer);
	procfs_read(p->procfs, totals);
	totals->total.aggregator_cpu_ns += totals->period.aggregator_cpu_ns;
	p->on_period(totals);
}

static bool sample_is_sound(const Netto__Sample *sample)
{
	return sample->n_frames <= STACK_FRAMES_MAX && sample->vector <= VECTOR_COUNT;
}

static bool counters_are_sound(const Netto__Counters *counters)
{
	if (counters->n_softirq_ns > VECTOR_COUNT || counters->n_softirq_events > VECTOR_COUNT ||
	    counters->n_irq_handlers > IRQ_HANDLERS_MAX)
		return false;
	for (size_t i = 0; i < counters->n_irq_handlers; i++)
		if (counters->irq_handlers[i]->name.len > IRQ_NAME_BYTES_MAX)
			return false;
	return true;
}

/* False: not a record. One of a kind that this version does not know is none. */
static bool take_record(struct pipeline *p, const Netto__Record *record)
{
	switch (record->kind_case) {
	case NETTO__RECORD__KIND_SAMPLE:
		if (!sample_is_sound(record->sample))
			return false;
		take_sample(p, record->sample);
		return true;
	case NETTO__RECORD__KIND_COUNTERS:
		if (!counters_are_sound(record->counters))
			return false;
		if (accumulator_counters(p->accumulator, record->counters))
			end_period(p);
		return true;
	case NETTO__RECORD__KIND_SYMBOLS_CHANGED:
		return true;   /* the source reads the table, being told */
	default:
		return false;
	}
}

bool pipeline_record(struct pipeline *p, uint64_t seq, uint64_t lost,
		     const uint8_t *bytes, size_t count)
{
	const Netto__Record *record;

	accumulator_record(p->accumulator, seq, lost);
	p->decode.used = 0;
	record = netto__record__unpack(&p->allocator, count, bytes);
	if (!record || !take_record(p, record)) {
		accumulator_undecodable(p->accumulator);
		return false;
	}
	return record->kind_case == NETTO__RECORD__KIND_SYMBOLS_CHANGED;
}

static const struct totals *without_collector(struct pipeline *p, struct totals *totals)
{
	totals->collector_up = false;
	totals->hello = p->hello;
	totals->symbols = symbolizer_count(p->symbolizer);
	return totals;
}

const struct totals *pipeline_silence(struct pipeline *p)
{
	return without_collector(p, accumulator_silence(p->accumulator));
}

const struct totals *pipeline_stall(struct pipeline *p)
{
	return without_collector(p, accumulator_period(p->accumulator));
}

void pipeline_close(struct pipeline *p)
{
	if (!p)
		return;
	accumulator_close(p->accumulator);
	memo_close(p->memo);
	symbolizer_close(p->symbolizer);
	free(p);
}

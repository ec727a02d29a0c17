/* test_publish.c - what the ring holds of samples and counters */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shared.h"

#include "kallsyms.h"
#include "netto.pb-c.h"
#include "publish.h"
#include "texts.h"

#define TEXT 0xffffffffab600000ull       /* where this kernel is */
#define MODULE 0xffffffffc0a43000ull
#define PROGRAM 0xffffffffc0b00040ull     /* one that was loaded since */
#define PROGRAM_BYTES 0x400ull
#define IMAGE_BYTES 0x1000000ull
#define CPU_SLOTS 4

struct bench {
	struct symbols *symbols;
	struct ring_writer *writer;
	struct ring_reader *reader;
	struct publisher *publisher;
	uint8_t raw[RING_RECORD_BYTES_MAX];
	ssize_t raw_bytes;
};

static int set_up(void **state)
{
	const struct ring_identity identity = { .generation = 1 };
	struct bench *b = calloc(1, sizeof(*b));
	char text[256];
	int fd = memfd_create("ring", MFD_CLOEXEC);
	int bytes = snprintf(text, sizeof(text),
			     "%016llx T _text\n%016llx T _einittext\n%016llx t in_module\t[m]\n",
			     TEXT, TEXT + IMAGE_BYTES - 1, MODULE);

	assert_return_code(fd, errno);
	assert_int_equal(symbols_open(&b->symbols, text, (size_t)bytes), 0);
	texts_add(symbols_texts(b->symbols), &(struct text_facts){
		.start = PROGRAM, .bytes = PROGRAM_BYTES, .kind = TEXT_BPF, .exact = true,
		.name = "bpf_prog_new", .name_bytes = 12,
	});
	symbols_published(b->symbols);
	assert_int_equal(ring_writer_open(&b->writer, fd, RING_DATA_BYTES_MIN, &identity), 0);
	assert_int_equal(ring_reader_open(&b->reader, fd), 0);
	assert_int_equal(publisher_open(&b->publisher, b->writer, b->symbols, CPU_SLOTS), 0);
	close(fd);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	publisher_close(b->publisher);
	ring_reader_close(b->reader);
	ring_writer_close(b->writer);
	symbols_close(b->symbols);
	free(b);
	return 0;
}

/* The next record, unpacked; NULL: there is none. */
static Netto__Record *take(struct bench *b)
{
	uint64_t seq, lost = 0;
	Netto__Record *record;

	b->raw_bytes = ring_read(b->reader, b->raw, sizeof(b->raw), &seq, &lost);
	assert_true(b->raw_bytes >= 0);
	if (!b->raw_bytes)
		return NULL;
	assert_int_equal(lost, 0);
	record = netto__record__unpack(NULL, (size_t)b->raw_bytes, b->raw);
	assert_non_null(record);
	return record;
}

static void drop(Netto__Record *record)
{
	netto__record__free_unpacked(record, NULL);
}

/* Publish the counters of one CPU and take them back. */
static Netto__Record *snapshot(struct bench *b, const struct shared_cpu *cpu, bool last)
{
	const struct counters_of of = {
		.time_ns = 55, .collector_cpu_ns = 66, .cpu = 2, .last = last,
	};
	Netto__Record *record;

	publish_counters(b->publisher, cpu, &of);
	record = take(b);
	assert_int_equal(record->kind_case, NETTO__RECORD__KIND_COUNTERS);
	return record;
}

static void a_sample_arrives_whole_with_link_time_frames(void **state)
{
	struct shared_sample sample = {
		.cgroup_id = 4711, .cpu = 3, .pid = 12, .tgid = 11, .syscall = -1, .hints = 5,
		.vector = 4, .frame_count = 2, .comm = "name",
		.frames = { TEXT + 0x1234, TEXT + 0x42, TEXT },
	};
	Netto__Record *record;

	publish_sample(((struct bench *)*state)->publisher, &sample);
	record = take(*state);
	assert_int_equal(record->kind_case, NETTO__RECORD__KIND_SAMPLE);
	assert_int_equal(record->sample->n_frames, 2);
	assert_int_equal(record->sample->frames[0], KALLSYMS_LINK_TEXT + 0x1234);
	assert_int_equal(record->sample->frames[1], KALLSYMS_LINK_TEXT + 0x42);
	assert_int_equal(record->sample->cpu, 3);
	assert_int_equal(record->sample->vector, 4);
	assert_int_equal(record->sample->hints, 5);
	assert_int_equal(record->sample->syscall, -1);
	assert_int_equal(record->sample->pid, 12);
	assert_int_equal(record->sample->tgid, 11);
	assert_int_equal(record->sample->cgroup_id, 4711);
	assert_int_equal(record->sample->comm.len, 4);
	assert_memory_equal(record->sample->comm.data, "name", 4);
	drop(record);
}

static void new_symbols_are_told_in_their_place(void **state)
{
	const struct shared_sample sample = { .frame_count = 1, .frames = { TEXT } };
	struct bench *b = *state;
	Netto__Record *record;

	publish_sample(b->publisher, &sample);
	publish_symbols_changed(b->publisher, 7);
	publish_sample(b->publisher, &sample);
	record = take(b);
	assert_int_equal(record->kind_case, NETTO__RECORD__KIND_SAMPLE);
	drop(record);
	record = take(b);
	assert_int_equal(record->kind_case, NETTO__RECORD__KIND_SYMBOLS_CHANGED);
	assert_int_equal(record->symbols_changed->generation, 7);
	drop(record);
	record = take(b);
	assert_int_equal(record->kind_case, NETTO__RECORD__KIND_SAMPLE);
	drop(record);
}

static void a_name_without_an_end_is_taken_as_it_is(void **state)
{
	struct shared_sample sample = { .cpu = 0 };
	Netto__Record *record;

	memset(sample.comm, 0xfe, sizeof(sample.comm));
	publish_sample(((struct bench *)*state)->publisher, &sample);
	record = take(*state);
	assert_int_equal(record->sample->comm.len, sizeof(sample.comm));
	assert_memory_equal(record->sample->comm.data, sample.comm, sizeof(sample.comm));
	drop(record);
}

static void a_sample_that_bpf_cannot_make_is_refused(void **state)
{
	const struct shared_sample rows[] = {
		{ .cpu = CPU_SLOTS },
		{ .frame_count = SHARED_FRAMES_MAX + 1 },
	};
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		publish_sample(b->publisher, &rows[i]);
	assert_null(take(b));
}

static void unmapped_frames_are_0_and_counted_with_the_last_cpu(void **state)
{
	const struct shared_sample sample = {
		.frame_count = 3, .frames = { TEXT - 8, TEXT, 0x401000 },
	};
	const struct shared_cpu cpu = { 0 };
	struct bench *b = *state;
	Netto__Record *record;

	publish_sample(b->publisher, &sample);
	record = take(b);
	assert_int_equal(record->sample->frames[0], 0);
	assert_int_equal(record->sample->frames[2], 0);
	drop(record);
	record = snapshot(b, &cpu, false);
	assert_int_equal(record->counters->frames_unmapped, 0);
	assert_int_equal(record->counters->collector_cpu_ns, 0);
	drop(record);
	record = snapshot(b, &cpu, true);
	assert_int_equal(record->counters->frames_unmapped, 2);
	assert_int_equal(record->counters->collector_cpu_ns, 66);
	drop(record);
}

static void counters_arrive_each_in_its_place(void **state)
{
	struct shared_cpu cpu = {
		.samples_taken = 1, .samples_filtered = 2, .irq_other_ns = 3,
		.socket_ns = { 301, 302 }, .socket_events = { 303, 304 }, .socket_missed = 305,
		.samples_lost = {
			[SHARED_LOST_RING_FULL] = 4, [SHARED_LOST_NO_STACK] = 5,
			[SHARED_LOST_NO_SCRATCH] = 6,
		},
	};
	Netto__Record *record;

	for (int v = 0; v < SHARED_SOFTIRQ_VECTORS; v++) {
		cpu.softirq_ns[v] = 100 + v;
		cpu.softirq_events[v] = 200 + v;
	}
	record = snapshot(*state, &cpu, false);
	assert_int_equal(record->counters->cpu, 2);
	assert_int_equal(record->counters->time_ns, 55);
	assert_int_equal(record->counters->samples_taken, 1);
	assert_int_equal(record->counters->samples_filtered, 2);
	assert_int_equal(record->counters->irq_other_ns, 3);
	assert_int_equal(record->counters->lost->ring_full, 4);
	assert_int_equal(record->counters->lost->no_stack, 5);
	assert_int_equal(record->counters->lost->no_scratch, 6);
	assert_int_equal(record->counters->lost->encode, 0);
	assert_int_equal(record->counters->n_socket_ns, SHARED_DIRECTIONS);
	assert_int_equal(record->counters->socket_ns[SHARED_SEND], 301);
	assert_int_equal(record->counters->socket_ns[SHARED_RECEIVE], 302);
	assert_int_equal(record->counters->socket_events[SHARED_SEND], 303);
	assert_int_equal(record->counters->socket_events[SHARED_RECEIVE], 304);
	assert_int_equal(record->counters->socket_missed, 305);
	assert_int_equal(record->counters->n_softirq_ns, SHARED_SOFTIRQ_VECTORS);
	assert_int_equal(record->counters->softirq_ns[3], 103);
	assert_int_equal(record->counters->softirq_events[9], 209);
	drop(record);
}

static void a_snapshot_ends_with_its_last_cpu(void **state)
{
	static const struct { bool last; uint64_t number; } rows[] = {
		{ false, 1 }, { true, 1 }, { false, 2 }, { false, 2 }, { true, 2 }, { true, 3 },
	};
	const struct shared_cpu cpu = { 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		Netto__Record *record = snapshot(*state, &cpu, rows[i].last);

		assert_int_equal(record->counters->snapshot, rows[i].number);
		assert_int_equal(record->counters->last_of_snapshot, rows[i].last);
		drop(record);
	}
}

static void handlers_that_never_ran_are_left_out(void **state)
{
	struct shared_cpu cpu = { 0 };
	Netto__Record *record;

	cpu.irqs[0] = (struct shared_irq){ .handler = TEXT + 8, .name = "half written" };
	cpu.irqs[3] = (struct shared_irq){
		.handler = MODULE + 16, .name = "eth0-rx", .ns = 9, .events = 7,
	};
	record = snapshot(*state, &cpu, false);
	assert_int_equal(record->counters->n_irq_handlers, 1);
	assert_int_equal(record->counters->irq_handlers[0]->ns, 9);
	assert_int_equal(record->counters->irq_handlers[0]->events, 7);
	assert_int_equal(record->counters->irq_handlers[0]->name.len, 7);
	assert_memory_equal(record->counters->irq_handlers[0]->name.data, "eth0-rx", 7);
	assert_true(record->counters->irq_handlers[0]->handler > KALLSYMS_LINK_TEXT + IMAGE_BYTES);
	drop(record);
}

/* The largest of both kinds: every number at its longest, every name full. */
static void fill(struct shared_sample *sample, struct shared_cpu *cpu)
{
	memset(sample, 0xff, sizeof(*sample));
	sample->cpu = 0;
	sample->frame_count = SHARED_FRAMES_MAX;
	for (int i = 0; i < SHARED_FRAMES_MAX; i++)
		sample->frames[i] = i % 3 == 2 ? PROGRAM + i : i % 3 ? TEXT + 0x10 * i : MODULE + i;
	memset(cpu, 0xff, sizeof(*cpu));
	for (int i = 0; i < SHARED_IRQ_SLOTS; i++)
		cpu->irqs[i].handler = i % 2 ? TEXT + 0x10 * i : MODULE + i;
}

static void the_largest_records_fit(void **state)
{
	struct bench *b = *state;
	struct shared_sample sample;
	struct shared_cpu cpu;
	Netto__Record *record;

	fill(&sample, &cpu);
	publish_sample(b->publisher, &sample);
	record = take(b);
	assert_int_equal(record->sample->n_frames, SHARED_FRAMES_MAX);
	drop(record);
	record = snapshot(b, &cpu, true);
	assert_int_equal(record->counters->n_irq_handlers, SHARED_IRQ_SLOTS);
	assert_int_equal(record->counters->lost->encode, 0);
	drop(record);
}

static void assert_tells_nothing(const struct bench *b)
{
	uint64_t window;

	for (ssize_t i = 0; i + (ssize_t)sizeof(window) <= b->raw_bytes; i++) {
		memcpy(&window, b->raw + i, sizeof(window));
		assert_false(window - TEXT < IMAGE_BYTES);
		assert_false(window - MODULE < 0x1000);
		assert_false(window - PROGRAM < PROGRAM_BYTES);
	}
}

static void no_record_tells_where_the_kernel_is(void **state)
{
	const struct shared_sample from_program = { .frame_count = 1, .frames = { PROGRAM + 0x3ff } };
	struct bench *b = *state;
	struct shared_sample sample;
	struct shared_cpu cpu;
	Netto__Record *record;

	fill(&sample, &cpu);
	publish_sample(b->publisher, &sample);
	drop(take(b));
	assert_tells_nothing(b);
	publish_sample(b->publisher, &from_program);
	record = take(b);
	assert_true(record->sample->frames[0] > KALLSYMS_LINK_TEXT + IMAGE_BYTES);
	drop(record);
	assert_tells_nothing(b);
	drop(snapshot(b, &cpu, true));
	assert_tells_nothing(b);
}

#define on_bench(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_bench(a_sample_arrives_whole_with_link_time_frames),
		on_bench(new_symbols_are_told_in_their_place),
		on_bench(a_name_without_an_end_is_taken_as_it_is),
		on_bench(a_sample_that_bpf_cannot_make_is_refused),
		on_bench(unmapped_frames_are_0_and_counted_with_the_last_cpu),
		on_bench(counters_arrive_each_in_its_place),
		on_bench(a_snapshot_ends_with_its_last_cpu),
		on_bench(handlers_that_never_ran_are_left_out),
		on_bench(the_largest_records_fit),
		on_bench(no_record_tells_where_the_kernel_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
